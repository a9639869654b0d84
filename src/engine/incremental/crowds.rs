//! Crowded buckets that an index has met lately, as they are now: a change of one refines the articles that come and go, and
//! not all of it.

use crate::hash::HashMap;
use crate::lsh::Crowd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Entries of the crowds that are kept: as many of those met last, up to as many of those before, and up to as many of those
/// that a change makes. An entry takes eight bytes, and an article one of them at each depth that its bucket comes to
/// ([`Crowd::num_held`]).
const MAX_HELD: usize = 1 << 24;

/// What a bucket that was crowded, or has become so, is after a change.
#[derive(Clone, Debug)]
pub(super) enum Changed {
    Crowded(Arc<Crowd>),
    NotCrowded,
    /// It is crowded or not: there is no room to keep what it is.
    Unknown,
}

/// Crowded buckets that a change touches, by key.
pub(super) type ChangedCrowds = HashMap<u64, Changed>;

/// Room for the crowds that a change makes.
#[derive(Debug, Default)]
pub(super) struct Room(AtomicUsize);

impl Room {
    /// What a bucket has become, as far as there is room.
    pub(super) fn take(&self, crowd: Option<Crowd>) -> Changed {
        let Some(crowd) = crowd else { return Changed::NotCrowded };
        let num = crowd.num_held();
        if self.0.fetch_add(num, Ordering::Relaxed) + num > MAX_HELD {
            return Changed::Unknown;
        }
        Changed::Crowded(Arc::new(crowd))
    }
}

/// Crowds by key. One that is not here is made anew when it is asked for.
#[derive(Debug, Default)]
pub(super) struct Crowds(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    latest: HashMap<u64, Arc<Crowd>>,
    earlier: HashMap<u64, Arc<Crowd>>,
    /// Entries of the latest.
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

    /// All there are, by key.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(u64, Arc<Crowd>)> {
        let kept = self.lock();
        kept.latest.iter().chain(&kept.earlier).map(|(key, crowd)| (*key, Arc::clone(crowd))).collect()
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
            if let Changed::Crowded(crowd) = crowd {
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
        if self.num_held + num > MAX_HELD {
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

        fn refine(&self, _: u32, _: KeyOrigin, _: u64, _: usize) -> Option<u32> {
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
        Arc::new(Crowd::new(Bucket { key: 0, cap: 2, asked: Plain }, members))
    }

    /// Of which three have room, and no four.
    fn third() -> Crowd {
        Arc::into_inner(crowd(MAX_HELD / 3 - 100)).expect("it is here alone")
    }

    #[test]
    fn a_change_has_room_for_some() {
        let room = Room::default();
        let taken: Vec<Changed> = (0..5).map(|number| room.take((number != 1).then(third))).collect();
        assert!(matches!(
            taken[..],
            [Changed::Crowded(_), Changed::NotCrowded, Changed::Crowded(_), Changed::Crowded(_), Changed::Unknown]
        ));
    }

    #[test]
    fn those_met_lately_stay() {
        let crowds = Crowds::default();
        let third = Arc::new(third());
        for key in 1..5 {
            crowds.keep(key, Arc::clone(&third));
            crowds.find(1).expect("it is asked for each time");
        }
        // Three fit; of those before, as many again.
        assert!((1..5).all(|key| crowds.find(key).is_some()));
        (5..9).for_each(|key| crowds.keep(key, Arc::clone(&third)));
        assert!(crowds.find(2).is_none() && crowds.find(8).is_some());
        assert!(crowds.lock().num_held <= MAX_HELD);
        crowds.keep(10, crowd(4));
        let changed = [(8, Changed::NotCrowded), (9, Changed::Crowded(crowd(9))), (10, Changed::Unknown)];
        crowds.apply(changed.into_iter().collect());
        assert_eq!([8, 9, 10].map(|key| crowds.find(key).map(|crowd| crowd.members().len())), [None, Some(9), None]);
        crowds.clear();
        assert!(crowds.find(9).is_none());
    }
}
