//! Bits of many values at once, in loops that vectorise.

/// A bit for each of 64 bytes that are 0 or 1, the first lowest.
#[inline(always)]
pub(crate) fn pack_bits(bytes: &[u8; 64]) -> u64 {
    let mut bits = 0;
    for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        // The product moves bit 8·i to bit 56 + i.
        bits |= (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_a_bit() {
        for bits in [0, 1, u64::MAX, 0x8000_0000_0000_0001, 0x0123_4567_89ab_cdef] {
            let bytes = std::array::from_fn(|i| (bits >> i & 1) as u8);
            assert_eq!(pack_bits(&bytes), bits);
        }
    }
}
