//! Pairs that met, parted by their second article until they are verified.

use super::spill::{Budget, SpillFile};
use crate::error::Result;
use std::sync::Mutex;

/// Articles whose pairs lie together, about.
const ARTICLES_TOGETHER: usize = 4096;
/// Parts that pairs are kept in: enough for all workers to be busy, and few enough for each to have a buffer of every one.
const NUM_PARTS: std::ops::RangeInclusive<usize> = 64..=1024;
/// Pairs that a worker gathers before it puts them away.
const BATCH_LEN: usize = 1024;

/// Pairs by the higher of their two ranks, as that above the lower.
#[derive(Debug)]
pub(super) struct PairStore<'a> {
    budget: &'a Budget,
    file: SpillFile<'a>,
    /// Ranks of a part.
    width: u32,
    parts: Vec<Mutex<Vec<Batch>>>,
}

#[derive(Debug)]
enum Batch {
    Held(Vec<u64>),
    Filed { start: u64, len: usize },
}

/// One worker's pairs that are not put away yet.
#[derive(Debug)]
pub(super) struct Gathering {
    parts: Vec<Vec<u64>>,
    num_put_away: u64,
}

impl<'a> PairStore<'a> {
    pub(super) fn new(num_articles: usize, budget: &'a Budget) -> Self {
        let num_parts = (num_articles / ARTICLES_TOGETHER).clamp(*NUM_PARTS.start(), *NUM_PARTS.end());
        let width = (num_articles.div_ceil(num_parts) as u32).max(1);
        let parts = (0..num_parts).map(|_| Mutex::default()).collect();
        Self { budget, file: budget.spill_file(), width, parts }
    }

    pub(super) fn num_parts(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn gathering(&self) -> Gathering {
        Gathering { parts: vec![Vec::new(); self.parts.len()], num_put_away: 0 }
    }

    /// Adds a pair, `a < b`.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub(super) fn add(&self, gathering: &mut Gathering, a: u32, b: u32) -> Result<()> {
        let part = (b / self.width) as usize;
        let pairs = &mut gathering.parts[part];
        pairs.push(u64::from(b) << 32 | u64::from(a));
        if pairs.len() == BATCH_LEN {
            gathering.num_put_away += self.put_away(part, pairs)?;
        }
        Ok(())
    }

    fn put_away(&self, part: usize, pairs: &mut Vec<u64>) -> Result<u64> {
        // The same article meets another under many keys, one after the other where a bucket is refined.
        pairs.sort_unstable();
        pairs.dedup();
        let batch = if self.budget.take(size_of_val(&pairs[..])) {
            Batch::Held(pairs.as_slice().to_vec())
        } else {
            Batch::Filed { start: self.file.append(bytemuck::cast_slice(pairs))?, len: pairs.len() }
        };
        let num_pairs = pairs.len() as u64;
        pairs.clear();
        self.parts[part].lock().expect("no worker panics while it appends").push(batch);
        Ok(num_pairs)
    }

    /// Puts away what a worker has gathered; how many pairs it has put away in all.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub(super) fn finish(&self, gathering: Gathering) -> Result<u64> {
        let mut num_put_away = gathering.num_put_away;
        for (part, mut pairs) in gathering.parts.into_iter().enumerate() {
            if !pairs.is_empty() {
                num_put_away += self.put_away(part, &mut pairs)?;
            }
        }
        Ok(num_put_away)
    }

    /// Takes the distinct pairs of a part, in order: each the higher rank above the lower. Also how many were put away.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub(super) fn take(&self, part: usize) -> Result<(Vec<u64>, u64)> {
        let batches = std::mem::take(&mut *self.parts[part].lock().expect("no worker panics while it appends"));
        let len = |batch: &Batch| match batch {
            Batch::Held(pairs) => pairs.len(),
            Batch::Filed { len, .. } => *len,
        };
        let mut pairs = Vec::with_capacity(batches.iter().map(len).sum());
        for batch in batches {
            match batch {
                Batch::Held(held) => {
                    pairs.extend_from_slice(&held);
                    self.budget.give_back(size_of_val(&held[..]));
                }
                Batch::Filed { start, len } => {
                    let at = pairs.len();
                    pairs.resize(at + len, 0);
                    self.file.read(start, bytemuck::cast_slice_mut(&mut pairs[at..]))?;
                }
            }
        }
        let num_put_away = pairs.len() as u64;
        pairs.sort_unstable();
        pairs.dedup();
        Ok((pairs, num_put_away))
    }

    /// Bytes that lie in a temporary file.
    pub(super) fn num_filed_bytes(&self) -> u64 {
        self.file.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::derived_seed;
    use std::collections::BTreeSet;

    #[test]
    fn pairs_come_back_once_each_and_in_order() {
        for limit in [0, 100_000, u64::MAX] {
            let budget = Budget::new(limit, std::env::temp_dir());
            let store = PairStore::new(1000, &budget);
            let mut expected = BTreeSet::new();
            let mut gatherings = [store.gathering(), store.gathering()];
            for i in 0..200_000 {
                let [x, y] = [0, 1].map(|of| (derived_seed(of, i) % 1000) as u32);
                if x != y {
                    let (a, b) = (x.min(y), x.max(y));
                    expected.insert((b, a));
                    store.add(&mut gatherings[(i % 2) as usize], a, b).unwrap();
                }
            }
            let num_pairs: u64 = gatherings.into_iter().map(|gathering| store.finish(gathering).unwrap()).sum();
            assert!(num_pairs > expected.len() as u64);
            assert_eq!(store.num_filed_bytes() > 0, limit != u64::MAX);
            let taken = (0..store.num_parts()).flat_map(|part| store.take(part).unwrap().0);
            let taken: Vec<(u32, u32)> = taken.map(|pair| ((pair >> 32) as u32, pair as u32)).collect();
            assert_eq!(taken, expected.into_iter().collect::<Vec<_>>());
            assert_eq!(budget.held(), 0);
        }
    }
}
