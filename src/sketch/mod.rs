//! Sketches: fixed-size summaries of an article, and the compact record that verification reads.

mod keys;
mod minhash;
mod record;
mod simhash;

pub use keys::{KEYS_A_TREE, KeyMaker, KeyScratch, WeightedTerms};
pub use minhash::{EMPTY_SLOT, MinHasher, estimated_jaccard, fold};
pub(crate) use record::{LANES, TermSums};
pub use record::{Record, RecordBuf, Records, Terms};
pub use simhash::simhash;
pub(crate) use simhash::simhash_keys;
