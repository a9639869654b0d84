//! Bits of many bytes at once: which of 64 bytes are of a class, by the widest instructions that the machine has.

use std::sync::atomic::{AtomicU8, Ordering};

/// Bytes that are looked at together.
pub(crate) const CHUNK_LEN: usize = 64;

/// The instructions that the kernels may use. All make the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// What every machine has.
    Plain,
    /// 256-bit vectors.
    Avx2,
    /// 512-bit vectors.
    Avx512,
}

impl Width {
    /// All of them, the widest last.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Avx2, Self::Avx512];
}

static WIDEST: AtomicU8 = AtomicU8::new(Width::Avx512 as u8);

/// Keeps the kernels of this process from using wider instructions than these, to measure and to test the others. A
/// machine that lacks them does with what it has.
pub fn limit_width(widest: Width) {
    WIDEST.store(widest as u8, Ordering::Relaxed);
}

/// The widest instructions that may be used where the machine has them.
#[inline]
pub(crate) fn widest() -> Width {
    Width::ALL[usize::from(WIDEST.load(Ordering::Relaxed)).min(2)]
}

/// A bit for each of 64 bytes that are 0 or 1, the first lowest.
#[inline(always)]
pub(crate) fn pack_bits(bytes: &[u8; CHUNK_LEN]) -> u64 {
    let mut bits = 0;
    for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        // The product moves bit 8·i to bit 56 + i.
        bits |= (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    bits
}

/// Questions to 64 bytes, in instructions of every machine: the slow twin of the modules below.
pub(crate) mod plain {
    use super::{CHUNK_LEN, pack_bits};

    #[inline(always)]
    pub(crate) fn load(bytes: &[u8; CHUNK_LEN]) -> [u8; CHUNK_LEN] {
        *bytes
    }

    /// The bytes that are `byte`.
    #[inline(always)]
    pub(crate) fn equal(chunk: [u8; CHUNK_LEN], byte: u8) -> u64 {
        pack_bits(&chunk.map(|b| u8::from(b == byte)))
    }

    /// The bytes of the `len` that begin with `first`.
    #[inline(always)]
    pub(crate) fn within(chunk: [u8; CHUNK_LEN], first: u8, len: u8) -> u64 {
        pack_bits(&chunk.map(|b| u8::from(b.wrapping_sub(first) < len)))
    }

    /// The ASCII letters.
    #[inline(always)]
    pub(crate) fn letters(chunk: [u8; CHUNK_LEN]) -> u64 {
        within(chunk.map(|b| b | 0x20), b'a', 26)
    }

    /// The bytes beyond ASCII.
    #[inline(always)]
    pub(crate) fn high(chunk: [u8; CHUNK_LEN]) -> u64 {
        pack_bits(&chunk.map(|b| b >> 7))
    }
}

/// [`plain`] in 256-bit vectors.
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2 {
    use super::CHUNK_LEN;
    use std::arch::x86_64::*;

    type Chunk = [__m256i; 2];

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn load(bytes: &[u8; CHUNK_LEN]) -> Chunk {
        let part = |i: usize| i64::from_le_bytes(std::array::from_fn(|b| bytes[8 * i + b]));
        // Becomes a load of the whole: no pointer is needed.
        [_mm256_setr_epi64x(part(0), part(1), part(2), part(3)), _mm256_setr_epi64x(part(4), part(5), part(6), part(7))]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn bits(low: __m256i, high: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn equal(chunk: Chunk, byte: u8) -> u64 {
        let byte = _mm256_set1_epi8(byte as i8);
        bits(_mm256_cmpeq_epi8(chunk[0], byte), _mm256_cmpeq_epi8(chunk[1], byte))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn within(chunk: Chunk, first: u8, len: u8) -> u64 {
        let (first, last) = (_mm256_set1_epi8(first as i8), _mm256_set1_epi8((len - 1) as i8));
        let [low, high] = chunk.map(|part| {
            let place = _mm256_sub_epi8(part, first);
            _mm256_cmpeq_epi8(_mm256_min_epu8(place, last), place)
        });
        bits(low, high)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn letters(chunk: Chunk) -> u64 {
        let small = _mm256_set1_epi8(0x20);
        within(chunk.map(|part| _mm256_or_si256(part, small)), b'a', 26)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(crate) fn high(chunk: Chunk) -> u64 {
        bits(chunk[0], chunk[1])
    }
}

/// [`plain`] in 512-bit vectors.
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512 {
    use super::CHUNK_LEN;
    use std::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn load(bytes: &[u8; CHUNK_LEN]) -> __m512i {
        let part = |i: usize| i64::from_le_bytes(std::array::from_fn(|b| bytes[8 * i + b]));
        _mm512_setr_epi64(part(0), part(1), part(2), part(3), part(4), part(5), part(6), part(7))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn equal(chunk: __m512i, byte: u8) -> u64 {
        _mm512_cmpeq_epi8_mask(chunk, _mm512_set1_epi8(byte as i8))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn within(chunk: __m512i, first: u8, len: u8) -> u64 {
        let place = _mm512_sub_epi8(chunk, _mm512_set1_epi8(first as i8));
        _mm512_cmplt_epu8_mask(place, _mm512_set1_epi8(len as i8))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn letters(chunk: __m512i) -> u64 {
        within(_mm512_or_si512(chunk, _mm512_set1_epi8(0x20)), b'a', 26)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(crate) fn high(chunk: __m512i) -> u64 {
        _mm512_movepi8_mask(chunk)
    }
}

/// Writes a kernel once for each [`Width`]. `$body` is a macro that takes the module whose questions it asks and the
/// arguments; the function that calls it is compiled for that module's instructions, and the widest that the machine has
/// and [`limit_width`] allows is taken.
macro_rules! kernel {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? = $body:ident;) => {
        $(#[$meta])*
        $vis fn $name(width: $crate::bits::Width, $($arg: $type),*) $(-> $out)? {
            #[multiversion::multiversion(targets(
                "x86_64+avx512f+avx512bw+avx512dq+avx512vl+bmi1+bmi2+lzcnt+popcnt",
                "x86_64+avx2+bmi1+bmi2+lzcnt+popcnt"
            ))]
            fn wide($($arg: $type),*) $(-> $out)? {
                multiversion::target::match_target! {
                    "x86_64+avx512f+avx512bw+avx512dq+avx512vl" => $body!($crate::bits::avx512, $($arg),*),
                    "x86_64+avx2" => $body!($crate::bits::avx2, $($arg),*),
                    _ => $body!($crate::bits::plain, $($arg),*),
                }
            }
            #[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt+popcnt"))]
            fn half($($arg: $type),*) $(-> $out)? {
                multiversion::target::match_target! {
                    "x86_64+avx2" => $body!($crate::bits::avx2, $($arg),*),
                    _ => $body!($crate::bits::plain, $($arg),*),
                }
            }
            fn plain($($arg: $type),*) $(-> $out)? {
                $body!($crate::bits::plain, $($arg),*)
            }
            match width {
                $crate::bits::Width::Avx512 => wide($($arg),*),
                $crate::bits::Width::Avx2 => half($($arg),*),
                $crate::bits::Width::Plain => plain($($arg),*),
            }
        }
    };
}
pub(crate) use kernel;

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

    macro_rules! ask_all {
        ($lanes:path, $chunk:ident, $byte:ident) => {{
            use $lanes as lanes;
            let chunk = lanes::load($chunk);
            [
                lanes::equal(chunk, $byte),
                lanes::within(chunk, $byte, 10),
                lanes::within(chunk, $byte, 200),
                lanes::letters(chunk),
                lanes::high(chunk),
            ]
        }};
    }
    kernel! { fn ask(chunk: &[u8; CHUNK_LEN], byte: u8) -> [u64; 5] = ask_all; }

    #[test]
    fn every_width_gives_the_same_answers() {
        for first in 0..=255u8 {
            let chunk = std::array::from_fn(|i| first.wrapping_add(37u8.wrapping_mul(i as u8)));
            for byte in [0, b' ', b'0', b'"', 0x7f, 0x80, 0xff, first] {
                let slow = |is: &dyn Fn(u8) -> bool| {
                    chunk.iter().enumerate().fold(0u64, |bits, (i, b)| bits | u64::from(is(*b)) << i)
                };
                let expected = [
                    slow(&|b| b == byte),
                    slow(&|b| b.wrapping_sub(byte) < 10),
                    slow(&|b| b.wrapping_sub(byte) < 200),
                    slow(&|b| b.is_ascii_alphabetic()),
                    slow(&|b| !b.is_ascii()),
                ];
                for width in Width::ALL {
                    assert_eq!(ask(width, &chunk, byte), expected, "{width:?}");
                }
            }
        }
    }
}
