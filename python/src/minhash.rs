//! A MinHash signature that grows token by token, as `datasketch` has it.

use crate::error::{DataError, DataTypeError, OptionError};
use crate::kernels::{bands_of, hasher, shingle_len_of};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyType};
use samestory::hash::hash64;
use samestory::shingle::shingle_hashes;
use samestory::sketch::{EMPTY_SLOT, MinHasher, estimated_jaccard};
use samestory::text::Document;
use std::sync::Arc;

/// Tokens of a text that are looked at.
const MAX_TOKENS: usize = 20_000;
/// Seed of a token's hash.
const TOKEN_SEED: u64 = 0x746f_6b65_6e00;

/// The minima of a set of tokens: estimates the Jaccard similarity of two sets.
#[pyclass(module = "samestory")]
#[derive(Clone, Debug)]
pub(crate) struct MinHash {
    hasher: Arc<MinHasher>,
    seed: u64,
    slots: Vec<u32>,
}

impl MinHash {
    fn of_none(hasher: &Arc<MinHasher>, seed: u64) -> Self {
        Self { hasher: Arc::clone(hasher), seed, slots: vec![EMPTY_SLOT; hasher.num_slots()] }
    }

    /// Adds tokens by their hashes.
    fn lower(&mut self, hashes: &[u64]) {
        let made = self.hasher.signature(hashes);
        self.slots.iter_mut().zip(made).for_each(|(slot, other)| *slot = (*slot).min(other));
    }

    fn need_same(&self, other: &Self) -> PyResult<()> {
        let [own, others] = [self, other].map(|hash| (hash.slots.len(), hash.seed));
        if own == others {
            return Ok(());
        }
        Err(DataError::new_err(format!(
            "num_perm {} and seed {} beside num_perm {} and seed {}; make both with the same",
            own.0, own.1, others.0, others.1
        )))
    }
}

fn hash_of(token: &Bound<'_, PyAny>) -> PyResult<u64> {
    if let Ok(bytes) = token.cast::<PyBytes>() {
        return Ok(hash64(bytes.as_bytes(), TOKEN_SEED));
    }
    if let Ok(text) = token.cast::<PyString>() {
        return Ok(hash64(crate::article::text_of(text, 0, "a token")?.as_bytes(), TOKEN_SEED));
    }
    Err(DataTypeError::new_err(format!("a token of type {}; expected bytes or a text", token.get_type().name()?)))
}

fn hashes_of(tokens: &Bound<'_, PyAny>) -> PyResult<Vec<u64>> {
    tokens.try_iter()?.map(|token| hash_of(&token?)).collect()
}

#[pymethods]
impl MinHash {
    #[new]
    #[pyo3(signature = (num_perm=128, seed=1, *, hashvalues=None))]
    fn new(num_perm: usize, seed: u64, hashvalues: Option<Vec<u32>>) -> PyResult<Self> {
        let mut own = Self::of_none(&Arc::new(hasher(num_perm, seed)?), seed);
        if let Some(slots) = hashvalues {
            if slots.len() != num_perm {
                return Err(OptionError::new_err(format!("{} hashvalues for num_perm {num_perm}", slots.len())));
            }
            own.slots = slots;
        }
        Ok(own)
    }

    /// The signature of a text's shingles, as `signatures` makes it.
    #[classmethod]
    #[pyo3(signature = (text, num_perm=128, seed=1, *, shingle_len=5))]
    fn of_text(
        _class: &Bound<'_, PyType>,
        text: &Bound<'_, PyString>,
        num_perm: usize,
        seed: u64,
        shingle_len: usize,
    ) -> PyResult<Self> {
        let mut own = Self::new(num_perm, seed, None)?;
        let text = crate::article::text_of(text, 0, "the text")?;
        own.lower(&shingle_hashes(&Document::new(&text, MAX_TOKENS).tokens, shingle_len_of(shingle_len)?));
        Ok(own)
    }

    /// A signature for each of several sets of tokens.
    #[classmethod]
    #[pyo3(signature = (sets, num_perm=128, seed=1))]
    fn bulk(_class: &Bound<'_, PyType>, sets: &Bound<'_, PyAny>, num_perm: usize, seed: u64) -> PyResult<Vec<Self>> {
        let hasher = Arc::new(hasher(num_perm, seed)?);
        let made = sets.try_iter()?.map(|tokens| {
            let mut own = Self::of_none(&hasher, seed);
            own.lower(&hashes_of(&tokens?)?);
            Ok(own)
        });
        made.collect()
    }

    /// Adds a token: bytes, or a text.
    fn update(&mut self, token: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lower(&[hash_of(token)?]);
        Ok(())
    }

    /// Adds tokens.
    fn update_batch(&mut self, tokens: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lower(&hashes_of(tokens)?);
        Ok(())
    }

    /// Adds the tokens of another.
    fn merge(&mut self, other: &Self) -> PyResult<()> {
        self.need_same(other)?;
        self.slots.iter_mut().zip(&other.slots).for_each(|(slot, other)| *slot = (*slot).min(*other));
        Ok(())
    }

    /// The Jaccard similarity of the two sets, estimated.
    fn jaccard(&self, other: &Self) -> PyResult<f64> {
        self.need_same(other)?;
        Ok(estimated_jaccard(&self.slots, &other.slots))
    }

    /// The keys of its bands; none for no tokens.
    fn band_keys(&self, num_bands: usize, num_rows: usize) -> PyResult<Vec<u64>> {
        let bands = bands_of(self.slots.len(), num_bands, num_rows)?;
        Ok((0..num_bands).filter_map(|band| bands.key(&self.slots, band, 0)).collect())
    }

    /// The slots.
    #[getter]
    fn hashvalues(&self) -> Vec<u32> {
        self.slots.clone()
    }

    /// How many slots.
    #[getter]
    fn num_perm(&self) -> usize {
        self.slots.len()
    }

    /// Its seed.
    #[getter]
    fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether it has no tokens.
    fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| *slot == EMPTY_SLOT)
    }

    /// Another with the same tokens.
    fn copy(&self) -> Self {
        self.clone()
    }

    fn __len__(&self) -> usize {
        self.slots.len()
    }

    fn __eq__(&self, other: &Self) -> bool {
        (self.seed, &self.slots) == (other.seed, &other.slots)
    }

    fn __getstate__(&self) -> (usize, u64, Vec<u32>) {
        (self.slots.len(), self.seed, self.slots.clone())
    }

    fn __setstate__(&mut self, state: (usize, u64, Vec<u32>)) -> PyResult<()> {
        let (num_perm, seed, slots) = state;
        *self = Self::new(num_perm, seed, Some(slots))?;
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("<samestory.MinHash of {} slots, seed {}>", self.slots.len(), self.seed)
    }
}
