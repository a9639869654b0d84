//! Crowded buckets that an index has met lately, as they are now: what changes one touches the articles that come and go, and
//! not all of it.

use super::derive::ChangedCrowds;
use crate::hash::HashMap;
use crate::lsh::Crowd;
use std::sync::{Arc, Mutex, MutexGuard};

/// Articles of the crowds that are kept: as many of those met last, and up to as many of those before. An article takes
/// some ten bytes at each depth that its bucket comes to.
const NUM_KEPT: usize = 1 << 23;

/// Crowds by key. One that is not here is made anew when it is asked for.
#[derive(Debug, Default)]
pub(super) struct Crowds(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    latest: HashMap<u64, Arc<Crowd>>,
    earlier: HashMap<u64, Arc<Crowd>>,
    /// Articles in the latest.
    num_held: usize,
}

impl Crowds {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("no worker panics while it looks")
    }

    pub(super) fn clear(&self) {
        *self.lock() = Kept::default();
    }

    /// The crowd of a key, where it is here.
    pub(super) fn find(&self, key: u64) -> Option<Arc<Crowd>> {
        self.lock().find(key)
    }

    /// Parts things into those whose key has a crowd here, each with it, and the others.
    pub(super) fn among<T>(
        &self,
        things: impl Iterator<Item = T>,
        key: impl Fn(&T) -> u64,
    ) -> (Vec<(T, Arc<Crowd>)>, Vec<T>) {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let mut kept = self.lock();
        for thing in things {
            match kept.find(key(&thing)) {
                Some(crowd) => with.push((thing, crowd)),
                None => without.push(thing),
            }
        }
        (with, without)
    }

    /// Keeps a crowd that was made.
    pub(super) fn keep(&self, key: u64, crowd: Arc<Crowd>) {
        self.lock().keep(key, crowd);
    }

    /// Carries a change out.
    pub(super) fn apply(&self, changed: ChangedCrowds) {
        let mut kept = self.lock();
        for (key, crowd) in changed {
            kept.forget(key);
            if let Some(crowd) = crowd {
                kept.keep(key, crowd);
            }
        }
    }
}

impl Kept {
    fn find(&mut self, key: u64) -> Option<Arc<Crowd>> {
        if let Some(crowd) = self.latest.get(&key) {
            return Some(Arc::clone(crowd));
        }
        let crowd = self.earlier.remove(&key)?;
        self.keep(key, Arc::clone(&crowd));
        Some(crowd)
    }

    fn keep(&mut self, key: u64, crowd: Arc<Crowd>) {
        let num = crowd.num_held();
        if self.num_held + num > NUM_KEPT {
            self.earlier = std::mem::take(&mut self.latest);
            self.num_held = 0;
        }
        self.num_held += num;
        if let Some(before) = self.latest.insert(key, crowd) {
            self.num_held -= before.num_held();
        }
    }

    fn forget(&mut self, key: u64) {
        self.earlier.remove(&key);
        if let Some(before) = self.latest.remove(&key) {
            self.num_held -= before.num_held();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsh::{Asked, Bucket, KeyOrigin, Refine};

    #[derive(Clone, Copy)]
    struct Plain;

    impl Refine for Plain {
        fn origin(&self, _: u32, _: u64) -> Option<KeyOrigin> {
            None
        }

        fn refine(&self, _: u32, _: KeyOrigin, _: u64, _: usize) -> Option<u64> {
            None
        }
    }

    impl Asked for Plain {
        fn order(&self, a: u32, b: u32) -> std::cmp::Ordering {
            a.cmp(&b)
        }
    }

    fn crowd(num: usize) -> Arc<Crowd> {
        let members: Vec<u32> = (0..num as u32).collect();
        Arc::new(Crowd::new(Bucket { key: 0, cap: 2, asked: Plain }, &members))
    }

    #[test]
    fn those_met_lately_stay() {
        let crowds = Crowds::default();
        let third = crowd(NUM_KEPT / 3);
        for key in 1..5 {
            crowds.keep(key, Arc::clone(&third));
            crowds.find(1).expect("it is asked for each time");
        }
        // Three fit; of those before, as many again.
        assert!((1..5).all(|key| crowds.find(key).is_some()));
        (5..9).for_each(|key| crowds.keep(key, Arc::clone(&third)));
        assert!(crowds.find(2).is_none() && crowds.find(8).is_some());
        assert!(crowds.lock().num_held <= NUM_KEPT);
        crowds.apply([(8, None), (9, Some(crowd(9)))].into_iter().collect());
        assert_eq!((crowds.find(8).is_some(), crowds.find(9).map(|crowd| crowd.members().len())), (false, Some(9)));
        crowds.clear();
        assert!(crowds.find(9).is_none());
    }
}
