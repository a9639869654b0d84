//! How far a run is, for whoever watches it from another thread, and the word to end it.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Candidate pairs of a run, and how many of them are done with.
#[derive(Debug)]
pub struct Progress {
    /// `u64::MAX` until they are known.
    num_candidates: AtomicU64,
    num_verified: AtomicU64,
    is_canceled: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            num_candidates: AtomicU64::new(u64::MAX),
            num_verified: AtomicU64::new(0),
            is_canceled: AtomicBool::new(false),
        }
    }
}

impl Progress {
    /// Candidate pairs of the run, some counted more than once, when all articles were read and have met; `None` before.
    #[must_use]
    pub fn num_candidates(&self) -> Option<u64> {
        Some(self.num_candidates.load(Ordering::Relaxed)).filter(|number| *number != u64::MAX)
    }

    /// Those that are done with.
    #[must_use]
    pub fn num_verified(&self) -> u64 {
        self.num_verified.load(Ordering::Relaxed)
    }

    /// Ends the run: it fails with [`Error::Canceled`] at its next block, shard of keys or few pairs, unless it is done before.
    /// Later runs of the same engine fail, too: give them another by [`super::Engine::with_progress`].
    pub fn cancel(&self) {
        self.is_canceled.store(true, Ordering::Relaxed);
    }

    /// Whether it was ended.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.is_canceled.load(Ordering::Relaxed)
    }

    pub(super) fn go_on(&self) -> Result<()> {
        if self.is_canceled() { Err(Error::Canceled) } else { Ok(()) }
    }

    pub(super) fn begin_verifying(&self, num_candidates: u64) {
        self.num_verified.store(0, Ordering::Relaxed);
        self.num_candidates.store(num_candidates, Ordering::Relaxed);
    }

    pub(super) fn add_verified(&self, number: u64) {
        self.num_verified.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn end_verifying(&self, num_candidates: u64) {
        self.num_verified.store(num_candidates, Ordering::Relaxed);
    }
}
