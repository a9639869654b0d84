//! The one place that names a hash function: seeds, token and key hashes, and maps with a fixed hasher.
//!
//! Byte strings are hashed by XXH3 (stable by specification), words and integers by the multiplications below, all
//! over little-endian bytes, so that hashes may be written to files.

use std::hash::{BuildHasher, Hasher};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

/// A map whose order depends on its contents and history only, never on the process.
pub type HashMap<K, V> = hashbrown::HashMap<K, V, FixedState>;

/// A set whose order depends on its contents and history only, never on the process.
pub type HashSet<K> = hashbrown::HashSet<K, FixedState>;

/// Hasher state without a random seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedState;

impl BuildHasher for FixedState {
    type Hasher = FixedHasher;

    fn build_hasher(&self) -> FixedHasher {
        FixedHasher(0)
    }
}

/// Hasher for [`FixedState`]: a multiply and a rotation an integer, XXH3 a byte string.
#[derive(Clone, Copy, Debug)]
pub struct FixedHasher(u64);

impl Hasher for FixedHasher {
    fn finish(&self) -> u64 {
        mix64(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(26) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

/// 64-bit hash of a byte string under a seed.
#[must_use]
pub fn hash64(bytes: &[u8], seed: u64) -> u64 {
    xxh3_64_with_seed(bytes, seed)
}

/// 64-bit hash of a word without zero bytes. One of up to 16 bytes is filled up with zeros and hashed by
/// [`hash_short`], so that the processor need not guess its length; a longer one by XXH3.
#[must_use]
pub(crate) fn hash_word(word: &[u8]) -> u64 {
    if word.len() > 16 {
        return hash64(word, WORD_FACTORS[0]);
    }
    let mut filled = [0; 16];
    filled[..word.len()].copy_from_slice(word);
    hash_short(u128::from_le_bytes(filled))
}

/// 64-bit hash of 16 bytes: the halves of a 128-bit product, folded, as in wyhash (Wang Yi, 2019), and mixed.
#[must_use]
#[inline(always)]
pub(crate) const fn hash_short(word: u128) -> u64 {
    let product = (word as u64 ^ WORD_FACTORS[0]) as u128 * ((word >> 64) as u64 ^ WORD_FACTORS[1]) as u128;
    mix64(product as u64 ^ (product >> 64) as u64)
}

/// What the halves of a short word are mixed with: part of the format of every sketch.
const WORD_FACTORS: [u64; 2] = [0x7361_6d65_7374_6f72, 0x9e37_79b9_7f4a_7c15];

/// 128-bit hash of a byte string.
#[must_use]
pub fn hash128(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

/// A bijection of 64-bit integers that spreads every input bit over the output (Stafford's variant 13 of the
/// MurmurHash3 finaliser).
#[must_use]
pub const fn mix64(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Folds `value` into a running hash; the order of the calls matters.
#[must_use]
pub const fn combine(hash: u64, value: u64) -> u64 {
    mix64(hash.rotate_left(23) ^ value.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The `index`-th 64-bit seed derived from a profile's seed.
#[must_use]
pub const fn derived_seed(seed: u64, index: u64) -> u64 {
    mix64(seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_published_ones() {
        // From the XXH3 specification's test vectors: the empty input with seed 0.
        assert_eq!(hash64(b"", 0), 0x2d06_8005_38d3_94c2);
        assert_eq!(hash128(b""), 0x99aa_06d3_0147_98d8_6001_c324_468d_497f);
    }

    #[test]
    fn derived_seeds_differ() {
        let seeds: HashSet<u64> = (0..1000).map(|i| derived_seed(7, i)).collect();
        assert_eq!(seeds.len(), 1000);
        assert_ne!(derived_seed(7, 0), derived_seed(8, 0));
    }
}
