//! MinHash: a signature of minima whose agreement estimates the Jaccard similarity of two shingle sets.
//!
//! A. Broder, "On the resemblance and containment of documents", 1997. Slot *i* holds the smallest value of
//! `a_i · h + b_i` modulo 2³² over the shingle hashes *h*, with odd `a_i`: one multiplication and one minimum a shingle
//! and slot, in loops that vectorise.

use crate::bits::{kernel, widest};
use crate::hash::derived_seed;

/// The value of every slot of an empty set.
pub const EMPTY_SLOT: u32 = u32::MAX;

/// The functions of a signature under one seed.
#[derive(Clone, Debug)]
pub struct MinHasher {
    factors: Vec<u32>,
    offsets: Vec<u32>,
}

impl MinHasher {
    /// `num_slots` functions derived from `seed`.
    #[must_use]
    pub fn new(num_slots: usize, seed: u64) -> Self {
        let parameters: Vec<u64> = (0..num_slots as u64).map(|i| derived_seed(seed, i)).collect();
        Self {
            factors: parameters.iter().map(|p| *p as u32 | 1).collect(),
            offsets: parameters.iter().map(|p| (p >> 32) as u32).collect(),
        }
    }

    /// Number of slots.
    #[must_use]
    pub fn num_slots(&self) -> usize {
        self.factors.len()
    }

    /// The factor and offset of each slot.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn functions(&self) -> Vec<(u32, u32)> {
        self.factors.iter().copied().zip(self.offsets.iter().copied()).collect()
    }

    /// Fills `signature` (`num_slots` values) with the minima over `shingles`; all [`EMPTY_SLOT`] for none.
    ///
    /// Repeats and order of the shingles do not matter. Cost: shingles × slots; about 4 µs for 300 × 128.
    ///
    /// # Panics
    /// When `signature` has another length.
    pub fn signature_into(&self, shingles: &[u64], signature: &mut [u32]) {
        assert_eq!(signature.len(), self.num_slots(), "a signature has a value a slot");
        signature.fill(EMPTY_SLOT);
        minima(widest(), shingles, &self.factors, &self.offsets, signature);
    }

    /// The minima over `shingles`, `num_slots` of them.
    ///
    /// ```
    /// use samestory::sketch::{MinHasher, estimated_jaccard};
    /// let hasher = MinHasher::new(128, 1);
    /// let a = hasher.signature(&(0..100).map(samestory::hash::mix64).collect::<Vec<_>>());
    /// let b = hasher.signature(&(50..150).map(samestory::hash::mix64).collect::<Vec<_>>());
    /// assert!((estimated_jaccard(&a, &b) - 1.0 / 3.0).abs() < 0.1);
    /// ```
    #[must_use]
    pub fn signature(&self, shingles: &[u64]) -> Vec<u32> {
        let mut signature = vec![EMPTY_SLOT; self.num_slots()];
        self.signature_into(shingles, &mut signature);
        signature
    }
}

macro_rules! minima {
    ($lanes:path, $shingles:ident, $factors:ident, $offsets:ident, $signature:ident) => {
        lower($shingles, $factors, $offsets, $signature)
    };
}
kernel! {
    /// [`lower`] for each width.
    fn minima(shingles: &[u64], factors: &[u32], offsets: &[u32], signature: &mut [u32]) = minima;
}

/// Lowers each slot to the minimum of its function over the shingles. A block of slots stays in registers while the
/// shingles pass.
#[inline(always)]
fn lower(shingles: &[u64], factors: &[u32], offsets: &[u32], signature: &mut [u32]) {
    const LANES: usize = 32;
    let mut blocks = signature.chunks_exact_mut(LANES);
    let parameters = factors.chunks_exact(LANES).zip(offsets.chunks_exact(LANES));
    for (slots, (factors, offsets)) in blocks.by_ref().zip(parameters) {
        let mut lowest: [u32; LANES] = std::array::from_fn(|i| slots[i]);
        let factors: [u32; LANES] = std::array::from_fn(|i| factors[i]);
        let offsets: [u32; LANES] = std::array::from_fn(|i| offsets[i]);
        for shingle in shingles {
            let hash = fold(*shingle);
            for i in 0..LANES {
                lowest[i] = lowest[i].min(hash.wrapping_mul(factors[i]).wrapping_add(offsets[i]));
            }
        }
        slots.copy_from_slice(&lowest);
    }
    let rest = blocks.into_remainder();
    let start = factors.len() - rest.len();
    for (i, slot) in rest.iter_mut().enumerate() {
        for shingle in shingles {
            *slot = (*slot).min(fold(*shingle).wrapping_mul(factors[start + i]).wrapping_add(offsets[start + i]));
        }
    }
}

/// A 64-bit shingle hash as the 32 bits that the slots mix and that records keep.
#[must_use]
#[inline(always)]
pub fn fold(shingle: u64) -> u32 {
    (shingle >> 32) as u32 ^ shingle as u32
}

/// Share of slots that agree: an unbiased estimate of the Jaccard similarity, with a standard deviation of
/// √(J(1−J)/slots). 0 when either set was empty.
///
/// # Panics
/// When the signatures differ in length.
#[must_use]
pub fn estimated_jaccard(a: &[u32], b: &[u32]) -> f64 {
    assert_eq!(a.len(), b.len(), "signatures of different profiles");
    let agreeing = a.iter().zip(b).filter(|(x, y)| x == y && **x != EMPTY_SLOT).count();
    agreeing as f64 / a.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::Width;
    use crate::tests::naive;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_one_slot_at_a_time(shingles in prop::collection::vec(any::<u64>(), 0..600), num_slots in 1usize..300) {
            let hasher = MinHasher::new(num_slots, 5);
            let expected = naive::signature(&shingles, &hasher.functions());
            prop_assert_eq!(&hasher.signature(&shingles), &expected);
            for width in Width::ALL {
                let mut signature = vec![EMPTY_SLOT; num_slots];
                minima(width, &shingles, &hasher.factors, &hasher.offsets, &mut signature);
                prop_assert_eq!(&signature, &expected);
            }
        }
    }

    #[test]
    fn edges() {
        let hasher = MinHasher::new(16, 1);
        assert_eq!(hasher.signature(&[]), vec![EMPTY_SLOT; 16]);
        assert_eq!(hasher.signature(&[3, 3, 4]), hasher.signature(&[4, 3]));
        assert_eq!(estimated_jaccard(&hasher.signature(&[]), &hasher.signature(&[])), 0.0);
        assert_eq!(estimated_jaccard(&hasher.signature(&[7]), &hasher.signature(&[7])), 1.0);
    }
}
