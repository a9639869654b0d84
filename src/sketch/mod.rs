//! Sketches: fixed-size summaries of an article, and the compact record that verification reads.

mod keys;
mod minhash;
mod record;
mod simhash;

pub use keys::{KEYS_A_TREE, KeyMaker, KeyScratch, WeightedTerms};
pub use minhash::{EMPTY_SLOT, MinHasher, estimated_jaccard, fold};
pub use record::{LANES, Record, RecordBuf, Records, TermSums, Terms};
pub use simhash::{simhash, simhash_keys};
