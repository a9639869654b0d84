//! Bands: how many consecutive slots of a signature make a key, chosen from a recall wanted at a similarity.

use crate::hash::{combine, derived_seed};
use crate::sketch::EMPTY_SLOT;

/// A division of a signature into bands of equal rows.
///
/// A pair of Jaccard similarity J shares at least one band key with probability 1 − (1 − J^rows)^bands (Leskovec,
/// Rajaraman and Ullman, *Mining of Massive Datasets*, 3.4.2). More bands find *more* pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bands {
    /// Number of bands.
    pub num_bands: usize,
    /// Slots a band.
    pub num_rows: usize,
}

impl Bands {
    /// The most selective division of `num_slots` slots that finds pairs of Jaccard `similarity` with probability
    /// `recall` or more; one row a band when none does.
    ///
    /// ```
    /// use samestory::lsh::Bands;
    /// let bands = Bands::choose(128, 0.5, 0.99);
    /// assert_eq!((bands.num_bands, bands.num_rows), (42, 3));
    /// assert!(bands.recall_at(0.5) > 0.99);
    /// ```
    #[must_use]
    pub fn choose(num_slots: usize, similarity: f64, recall: f64) -> Self {
        (1..=num_slots)
            .rev()
            .map(|num_rows| Self { num_bands: num_slots / num_rows, num_rows })
            .find(|bands| bands.recall_at(similarity) >= recall)
            .unwrap_or(Self { num_bands: num_slots, num_rows: 1 })
    }

    /// Probability that a pair of Jaccard `similarity` shares a band key.
    #[must_use]
    pub fn recall_at(&self, similarity: f64) -> f64 {
        // `powi` with small whole exponents is multiplication only: the same everywhere.
        1.0 - (1.0 - similarity.powi(self.num_rows as i32)).powi(self.num_bands as i32)
    }

    /// The key of one band; `depth` further slots refine it. `None` for an empty set's signature or when all slots
    /// are in use.
    #[must_use]
    pub fn key(&self, signature: &[u32], band: usize, depth: usize) -> Option<u64> {
        let len = self.num_rows + depth;
        if len > signature.len() || signature.first() == Some(&EMPTY_SLOT) {
            return None;
        }
        let add = |key: u64, slot: &u32| combine(key, u64::from(*slot));
        let seed = derived_seed(0x6261_6e64, band as u64);
        let start = band * self.num_rows;
        // Most keys lie within the signature; a refined one may run over its end.
        if let Some(rows) = signature.get(start..start + len) {
            return Some(rows.iter().fold(seed, add));
        }
        let start = start % signature.len();
        Some(signature[start..].iter().chain(signature).take(len).fold(seed, add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_meet_their_recall() {
        for (similarity, recall) in [(0.3, 0.9), (0.5, 0.99), (0.8, 0.99), (0.9, 0.5)] {
            let bands = Bands::choose(128, similarity, recall);
            assert!(bands.recall_at(similarity) >= recall);
            let finer = Bands { num_rows: bands.num_rows + 1, num_bands: 128 / (bands.num_rows + 1) };
            assert!(finer.recall_at(similarity) < recall);
        }
        assert_eq!(Bands::choose(16, 0.01, 0.99).num_rows, 1);
    }

    #[test]
    fn keys_differ_by_band_and_depth() {
        let bands = Bands { num_bands: 4, num_rows: 4 };
        let signature = vec![7; 16];
        assert_ne!(bands.key(&signature, 0, 0), bands.key(&signature, 1, 0));
        assert_ne!(bands.key(&signature, 0, 0), bands.key(&signature, 0, 1));
        assert!(bands.key(&signature, 3, 12).is_some());
        assert_eq!(bands.key(&signature, 3, 13), None);
        assert_eq!(bands.key(&[EMPTY_SLOT; 16], 0, 0), None);
    }
}
