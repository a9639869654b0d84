//! Runs of keys: under each key the articles that have it, by their ordinals. In memory or as a segment.
//!
//! A run covers a stretch of ordinals. Keys lie in lists: the shards of the sketches' keys, and beside them ids and exact
//! texts, which are looked up in the same way. A list is cut into slots by the highest bits of its keys, sixteen entries to
//! a slot or so, and an entry is what is left of the key above the step from the run's first ordinal: the more articles,
//! the more bits the slot says and the fewer the entry needs, so that five bytes hold it at any size.

use super::disk::Disk;
use super::segment::{Kind, Segment, SegmentWriter};
use crate::error::Result;
use crate::hash::hash64;
use crate::lsh::NUM_SHARDS;
use std::path::Path;

/// Lists of ids, and of exact texts.
const NUM_LOOKUP_LISTS: usize = 64;
/// All lists of a run.
pub(crate) const NUM_LISTS: usize = NUM_SHARDS + 2 * NUM_LOOKUP_LISTS;
/// Bytes of an entry, and bits.
const ENTRY_LEN: usize = 5;
const ENTRY_BITS: u32 = 40;
/// Bytes behind the entries of a list, so that each can be read as eight.
const SLACK: usize = 3;
const SLOT_ENTRIES: usize = 16;
const ID_SEED: u64 = 0x6964;
/// Words of a list in the table: where it begins, entries above slot bits.
const TABLE_HEAD: usize = 2;
pub(crate) const NUM_SECTIONS: usize = 2;

/// The key that an id is found under.
pub(crate) fn list_of_id(id: &str) -> u64 {
    lookup_key(NUM_SHARDS, hash64(id.as_bytes(), ID_SEED))
}

/// The key that an exact text is found under.
pub(crate) fn list_of_exact(exact_key: u128) -> u64 {
    lookup_key(NUM_SHARDS + NUM_LOOKUP_LISTS, (exact_key >> 64) as u64)
}

fn lookup_key(first_list: usize, hash: u64) -> u64 {
    let list = first_list + (hash >> 58) as usize;
    (list as u64) << 32 | u64::from(hash as u32)
}

#[derive(Clone, Copy, Debug, Default)]
struct List {
    start: u64,
    num: u32,
    slot_bits: u32,
}

impl List {
    /// Where the slots begin behind the entries.
    fn slots_at(self) -> usize {
        self.start as usize + (self.num as usize * ENTRY_LEN + SLACK).next_multiple_of(4)
    }

    fn slot(self, rest: u32) -> usize {
        (u64::from(rest) << self.slot_bits >> 32) as usize
    }
}

#[derive(Debug)]
enum Bytes {
    Held(Vec<u8>),
    Filed(Segment),
}

/// A run of keys.
#[derive(Debug)]
pub(crate) struct KeyRun {
    first: u32,
    num: u32,
    ordinal_bits: u32,
    lists: Vec<List>,
    bytes: Bytes,
}

impl KeyRun {
    /// A run in memory, of keys above ordinals in order.
    pub(crate) fn new(first: u32, num: u32, entries: &[(u64, u32)]) -> Self {
        let mut writer = RunWriter::hold(first, num);
        let mut rest = entries;
        let mut list_entries = Vec::new();
        for list in 0..NUM_LISTS as u64 {
            let len = rest.iter().take_while(|(key, _)| key >> 32 == list).count();
            list_entries.clear();
            list_entries.extend(rest[..len].iter().map(|(key, ordinal)| key << 32 | u64::from(*ordinal)));
            writer.add_list(&list_entries).expect("memory takes all");
            rest = &rest[len..];
        }
        writer.into_held()
    }

    /// Opens a run that was written to a file.
    ///
    /// # Errors
    /// Those of a segment.
    pub(crate) fn open(path: &Path, sketch_id: &str) -> Result<Self> {
        let segment = Segment::open(path, Kind::Keys, sketch_id, NUM_SECTIONS)?;
        let table = segment.bytes(1, 0, segment.section_len(1))?;
        let words: Vec<u64> = table.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        if words.len() != TABLE_HEAD + 2 * NUM_LISTS {
            return Err(segment.damaged(0, "a table of other lists"));
        }
        let list = |pair: &[u64]| List { start: pair[0], num: pair[1] as u32, slot_bits: (pair[1] >> 32) as u32 };
        let lists: Vec<List> = words[TABLE_HEAD..].chunks(2).map(list).collect();
        let (first, num, ordinal_bits) = (words[0] as u32, (words[0] >> 32) as u32, words[1] as u32);
        if ordinal_bits > 32 || lists.iter().any(|list| list.slot_bits > 32) {
            return Err(segment.damaged(0, "a table of impossible widths"));
        }
        Ok(Self { first, num, ordinal_bits, lists, bytes: Bytes::Filed(segment) })
    }

    /// Articles that the run covers: the first, and how many.
    pub(crate) fn covers(&self) -> (u32, u32) {
        (self.first, self.num)
    }

    /// The segment, of a run in a file.
    pub(crate) fn segment(&self) -> Option<&Segment> {
        match &self.bytes {
            Bytes::Held(_) => None,
            Bytes::Filed(segment) => Some(segment),
        }
    }

    #[inline]
    fn read(&self, start: usize, len: usize) -> Result<&[u8]> {
        match &self.bytes {
            Bytes::Held(bytes) => Ok(&bytes[start..start + len]),
            Bytes::Filed(segment) => segment.bytes(0, start, len),
        }
    }

    /// Adds the articles under a key to `found`, in order.
    ///
    /// # Errors
    /// When the file is damaged where the key lies.
    #[inline]
    pub(crate) fn find(&self, key: u64, found: &mut Vec<u32>) -> Result<()> {
        let list = self.lists[(key >> 32) as usize];
        if list.num == 0 {
            return Ok(());
        }
        let rest = key as u32;
        let slot = self.read(list.slots_at() + 4 * list.slot(rest), 8)?;
        let [start, end] = [0, 4].map(|at| u32::from_le_bytes(slot[at..at + 4].try_into().expect("four bytes")));
        if start >= end {
            return Ok(());
        }
        let len = (end - start) as usize;
        let bytes = self.read(list.start as usize + ENTRY_LEN * start as usize, ENTRY_LEN * len + SLACK)?;
        let wanted = u64::from(rest) & ((1 << (32 - list.slot_bits)) - 1);
        for entry in 0..len {
            let (left, step) = self.entry(bytes, entry);
            if left >= wanted {
                if left > wanted {
                    break;
                }
                found.push(self.first + step);
            }
        }
        Ok(())
    }

    /// What is left of an entry's key, and its step.
    #[inline]
    fn entry(&self, bytes: &[u8], entry: usize) -> (u64, u32) {
        let word = bytes[ENTRY_LEN * entry..][..8].try_into().expect("the list has slack");
        let value = u64::from_le_bytes(word) & ((1 << ENTRY_BITS) - 1);
        (value >> self.ordinal_bits, (value & ((1 << self.ordinal_bits) - 1)) as u32)
    }

    /// Adds all entries of a list to `entries`, each the rest of its key above the ordinal, in order.
    ///
    /// # Errors
    /// When the file is damaged there.
    pub(crate) fn list_entries(&self, list: usize, entries: &mut Vec<u64>) -> Result<()> {
        let list = self.lists[list];
        if list.num == 0 {
            return Ok(());
        }
        let bytes = self.read(list.start as usize, list.num as usize * ENTRY_LEN + SLACK)?;
        let num_slots = 1usize << list.slot_bits;
        let slots = self.read(list.slots_at(), 4 * (num_slots + 1))?;
        let start = |slot: usize| u32::from_le_bytes(slots[4 * slot..4 * slot + 4].try_into().expect("four bytes"));
        for slot in 0..num_slots {
            let high = (slot as u64) << (32 - list.slot_bits);
            for entry in start(slot).min(list.num)..start(slot + 1).min(list.num) {
                let (left, step) = self.entry(bytes, entry as usize);
                entries.push((high | left) << 32 | u64::from(self.first + step));
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
enum Sink {
    Held(Vec<u8>),
    Filed(SegmentWriter),
}

/// A run being written, list by list.
#[derive(Debug)]
pub(crate) struct RunWriter {
    first: u32,
    num: u32,
    ordinal_bits: u32,
    lists: Vec<List>,
    len: u64,
    sink: Sink,
    buffer: Vec<u8>,
}

impl RunWriter {
    fn new(first: u32, num: u32, sink: Sink) -> Self {
        let ordinal_bits = u32::BITS - num.saturating_sub(1).leading_zeros();
        Self { first, num, ordinal_bits, lists: Vec::with_capacity(NUM_LISTS), len: 0, sink, buffer: Vec::new() }
    }

    fn hold(first: u32, num: u32) -> Self {
        Self::new(first, num, Sink::Held(Vec::new()))
    }

    /// Begins a run in a file.
    pub(crate) fn create(disk: &Disk, path: &Path, sketch_id: &str, number: u64, covers: (u32, u32)) -> Result<Self> {
        let mut segment = SegmentWriter::create(disk, path, Kind::Keys, sketch_id, number)?;
        segment.begin_section()?;
        Ok(Self::new(covers.0, covers.1, Sink::Filed(segment)))
    }

    /// Adds the next list: of each entry the rest of its key above the ordinal, in order.
    pub(crate) fn add_list(&mut self, entries: &[u64]) -> Result<()> {
        let by_size = (entries.len() / SLOT_ENTRIES).checked_ilog2().unwrap_or(0);
        let slot_bits = by_size.max((32 + self.ordinal_bits).saturating_sub(ENTRY_BITS));
        let list = List { start: self.len, num: entries.len() as u32, slot_bits };
        self.lists.push(list);
        if entries.is_empty() {
            return Ok(());
        }
        self.buffer.clear();
        let mask = (1u64 << (32 - slot_bits)) - 1;
        for entry in entries {
            let value = (entry >> 32 & mask) << self.ordinal_bits | u64::from(*entry as u32 - self.first);
            self.buffer.extend_from_slice(&value.to_le_bytes()[..ENTRY_LEN]);
        }
        self.buffer.resize(list.slots_at() - list.start as usize, 0);
        let mut at = 0;
        for slot in 0..=1usize << slot_bits {
            let passed = entries[at..].iter().take_while(|entry| list.slot((**entry >> 32) as u32) < slot).count();
            at += passed;
            self.buffer.extend_from_slice(&(at as u32).to_le_bytes());
        }
        self.len += self.buffer.len() as u64;
        match &mut self.sink {
            Sink::Held(bytes) => bytes.extend_from_slice(&self.buffer),
            Sink::Filed(segment) => segment.write(&self.buffer)?,
        }
        Ok(())
    }

    fn into_held(self) -> KeyRun {
        let Self { first, num, ordinal_bits, lists, sink, .. } = self;
        let bytes = match sink {
            Sink::Held(bytes) => Bytes::Held(bytes),
            Sink::Filed(_) => unreachable!("runs in files are opened anew"),
        };
        KeyRun { first, num, ordinal_bits, lists, bytes }
    }

    /// Writes the table of the lists and makes the file last; its length.
    pub(crate) fn finish(self) -> Result<u64> {
        let Self { first, num, ordinal_bits, lists, sink, .. } = self;
        let Sink::Filed(mut segment) = sink else { unreachable!("runs in memory are not finished") };
        segment.begin_section()?;
        let head = [u64::from(first) | u64::from(num) << 32, u64::from(ordinal_bits)];
        let words = lists.iter().flat_map(|list| [list.start, u64::from(list.num) | u64::from(list.slot_bits) << 32]);
        let bytes: Vec<u8> = head.into_iter().chain(words).flat_map(u64::to_le_bytes).collect();
        segment.write(&bytes)?;
        segment.finish()
    }

    /// Adds all entries of runs, list by list, each article under the ordinal that `number` gives it; those that get none
    /// are left out.
    pub(crate) fn merge(&mut self, runs: &[&KeyRun], number: impl Fn(u32) -> Option<u32>) -> Result<()> {
        let (mut entries, mut kept) = (Vec::new(), Vec::new());
        for list in 0..NUM_LISTS {
            entries.clear();
            kept.clear();
            for run in runs {
                run.list_entries(list, &mut entries)?;
            }
            let renumbered = |entry: &u64| Some(*entry >> 32 << 32 | u64::from(number(*entry as u32)?));
            kept.extend(entries.iter().filter_map(renumbered));
            // Each run is in order: sorting merges them.
            kept.sort();
            self.add_list(&kept)?;
        }
        Ok(())
    }

    /// A run in memory that holds what several there hold.
    pub(crate) fn merged(runs: &[&KeyRun]) -> KeyRun {
        let first = runs.iter().map(|run| run.first).min().unwrap_or(0);
        let end = runs.iter().map(|run| run.first + run.num).max().unwrap_or(0);
        let mut writer = Self::hold(first, end - first);
        writer.merge(runs, Some).expect("memory gives and takes all");
        writer.into_held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(entries: &[(u64, u32)], key: u64) -> Vec<u32> {
        entries.iter().filter(|(k, _)| *k == key).map(|(_, ordinal)| *ordinal).collect()
    }

    fn found(run: &KeyRun, key: u64) -> Vec<u32> {
        let mut found = Vec::new();
        run.find(key, &mut found).unwrap();
        found
    }

    fn entries(raw: &[(u16, u32, u32)], first: u32) -> Vec<(u64, u32)> {
        let key = |list: u16, rest: u32| u64::from(list % 1152) << 32 | u64::from(rest);
        let mut entries: Vec<(u64, u32)> = raw.iter().map(|(l, r, o)| (key(*l, *r), first + o % 5000)).collect();
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    proptest! {
        #[test]
        fn finds_what_looking_at_all_finds(
            raw in prop::collection::vec((prop_oneof![Just(3u16), 0u16..1152], prop_oneof![0u32..40, any::<u32>()], any::<u32>()), 0..600),
            first in 0u32..1_000_000,
        ) {
            let entries = entries(&raw, first);
            let run = KeyRun::new(first, 5000, &entries);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("keys");
            let (one, two) = entries.split_at(entries.len() / 2);
            let parts = [KeyRun::new(first, 5000, one), KeyRun::new(first, 5000, two)];
            let mut writer =
                RunWriter::create(&Disk::default(), &path, "0123456789abcdef", 1, (first, 5000)).unwrap();
            writer.merge(&[&parts[0], &parts[1]], Some).unwrap();
            writer.finish().unwrap();
            let filed = KeyRun::open(&path, "0123456789abcdef").unwrap();
            let merged = RunWriter::merged(&[&parts[0], &parts[1]]);
            prop_assert_eq!(filed.covers(), (first, 5000));
            for (key, _) in &entries {
                let expected = naive(&entries, *key);
                prop_assert_eq!(&found(&run, *key), &expected);
                prop_assert_eq!(&found(&filed, *key), &expected);
                prop_assert_eq!(&found(&merged, *key), &expected);
                prop_assert_eq!(found(&run, key ^ 1), naive(&entries, key ^ 1));
            }
        }
    }

    #[test]
    fn what_goes_is_left_out_and_the_rest_renumbered() {
        let run = KeyRun::new(10, 4, &[(5, 10), (5, 11), (5, 13), (9 << 32, 12)]);
        let mut writer = RunWriter::hold(0, 3);
        writer.merge(&[&run], |ordinal| (ordinal != 11).then(|| ordinal.saturating_sub(11))).unwrap();
        let kept = writer.into_held();
        assert_eq!((found(&kept, 5), found(&kept, 9 << 32)), (vec![0, 2], vec![1]));
    }

    #[test]
    fn ids_and_exact_texts_have_lists_of_their_own() {
        assert!((NUM_SHARDS..NUM_SHARDS + 64).contains(&((list_of_id("a") >> 32) as usize)));
        assert!((NUM_SHARDS + 64..NUM_LISTS).contains(&((list_of_exact(u128::MAX) >> 32) as usize)));
    }
}
