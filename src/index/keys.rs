//! Runs of keys: under each key the articles that have it, by their ordinals. In memory or as a segment.
//!
//! A run covers a stretch of ordinals. Keys lie in lists: the shards of the sketches' keys, and beside them ids and exact
//! texts, which are looked up in the same way. A list is cut into slots by the highest bits of its keys, sixteen entries to
//! a slot or more, and an entry is what is left of the key above the step from the run's first ordinal: the more articles,
//! the more bits the slot says and the fewer the entry needs, so that five bytes hold it at any size. In a file a long list
//! has a filter behind its slots, which says of most keys that no entry has them: all filters together take a fraction of
//! the memory that entries do, so that few looks wait for a disk.

use super::disk::Disk;
use super::filter::{self, BLOCK_LEN};
use super::segment::{Kind, Segment, SegmentWriter};
use crate::error::{Error, Result};
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
/// Entries of a slot in a file at least, where the entries need no more bits of it, and less than twice as many; in memory,
/// where there is room for more slots and no filter, fewer are looked at for each key.
const SLOT_ENTRIES: usize = 32;
const HELD_SLOT_ENTRIES: usize = 4;
/// Entries of a list in a file for each block of its filter, at two bits each and a half: of keys that it does not have three
/// in ten seem to be there.
const BLOCK_ENTRIES: u32 = 200;
/// Entries of a list that has a filter, at least, as in a run of two hundred thousand articles: a shorter one is soon looked into.
/// In tests fewer, so that indexes of a hundred articles have filters.
const FILTERED_ENTRIES: u32 = if cfg!(test) { 16 } else { 1 << 15 };
/// The first format whose lists have filters.
const FILTERED_FORMAT: u32 = 2;
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
    fn slots_at(self) -> u64 {
        self.start + (self.num as usize * ENTRY_LEN + SLACK).next_multiple_of(4) as u64
    }

    fn slot(self, rest: u32) -> usize {
        (u64::from(rest) << self.slot_bits >> 32) as usize
    }

    /// Where the slots end.
    fn slots_end(self) -> u64 {
        self.slots_at() + (4 << self.slot_bits) + 4
    }

    /// Where the filter begins behind the slots, and how many blocks it has: none of a short list, or in memory.
    fn filter_at(self) -> (u64, usize) {
        let num_blocks = if self.num < FILTERED_ENTRIES { 0 } else { self.num.div_ceil(BLOCK_ENTRIES) };
        let start = self.start + (self.slots_end() - self.start).next_multiple_of(BLOCK_LEN as u64);
        (start, num_blocks as usize)
    }

    /// Whether all of it lies within so many bytes.
    fn ends_within(self, len: u64, has_filters: bool) -> bool {
        let end = || match self.filter_at() {
            (start, num_blocks @ 1..) if has_filters => start + (num_blocks * BLOCK_LEN) as u64,
            _ => self.slots_end(),
        };
        self.num == 0 || (self.start <= len && end() <= len)
    }
}

#[derive(Debug)]
enum Bytes {
    /// Part by part: a place is a part's number above what it is within the part.
    Held(Vec<Vec<u8>>),
    Filed(Segment),
}

/// Bits of a place within a part.
const PART_BITS: u32 = 40;
/// Parts that runs in memory are made of, each by itself, and lists of a part.
pub(crate) const NUM_PARTS: usize = 18;
const PART_LISTS: usize = NUM_LISTS / NUM_PARTS;
const _: () = assert!(NUM_PARTS * PART_LISTS == NUM_LISTS, "parts have the same number of lists");

/// A part of a run in memory.
#[derive(Debug)]
pub(crate) struct RunPart {
    lists: Vec<List>,
    bytes: Vec<u8>,
}

impl RunPart {
    /// A part of a run that covers some articles: of each of its lists the entries, which `entries` appends, in order.
    fn new(covers: (u32, u32), part: usize, mut entries: impl FnMut(usize, &mut Vec<u64>)) -> Self {
        let mut writer = RunWriter::new(covers.0, covers.1, Sink::Held(Vec::new()));
        writer.len = (part as u64) << PART_BITS;
        let mut of_list = Vec::new();
        for list in part * PART_LISTS..(part + 1) * PART_LISTS {
            of_list.clear();
            entries(list, &mut of_list);
            let encoded = EncodedList::new(writer.steps, Shape::Held, &of_list);
            writer.append(&encoded).expect("memory takes all");
        }
        let Sink::Held(bytes) = writer.sink else { unreachable!("it was begun in memory") };
        Self { lists: writer.lists, bytes }
    }

    /// A part of the run of all keys by list, in each the rest of the key above the ordinal, in order.
    pub(crate) fn of_lists(covers: (u32, u32), part: usize, lists: &[Vec<u64>]) -> Self {
        Self::new(covers, part, |list, entries| entries.extend_from_slice(&lists[list]))
    }

    /// A part of the run that holds what several in memory hold.
    pub(crate) fn merged(covers: (u32, u32), part: usize, runs: &[&KeyRun]) -> Self {
        Self::new(covers, part, |list, entries| {
            runs.iter().for_each(|run| run.list_entries(list, entries).expect("memory gives all"));
            // Each run is in order: sorting merges them.
            entries.sort();
        })
    }
}

/// A run of keys.
#[derive(Debug)]
pub(crate) struct KeyRun {
    first: u32,
    num: u32,
    ordinal_bits: u32,
    lists: Vec<List>,
    bytes: Bytes,
    has_filters: bool,
}

impl KeyRun {
    /// A run in memory of all its parts.
    pub(crate) fn join(covers: (u32, u32), parts: Vec<RunPart>) -> Self {
        let ordinal_bits = ordinal_bits(covers.1);
        let (lists, bytes): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.lists, part.bytes)).unzip();
        let (lists, bytes) = (lists.concat(), Bytes::Held(bytes));
        Self { first: covers.0, num: covers.1, ordinal_bits, lists, bytes, has_filters: false }
    }

    /// A run in memory of keys with their articles.
    #[cfg(test)]
    pub(crate) fn held(covers: (u32, u32), entries: impl IntoIterator<Item = (u64, u32)>) -> Self {
        let mut lists = vec![Vec::new(); NUM_LISTS];
        for (key, ordinal) in entries {
            lists[(key >> 32) as usize].push(key << 32 | u64::from(ordinal));
        }
        lists.iter_mut().for_each(|list: &mut Vec<u64>| list.sort_unstable());
        let parts = (0..NUM_PARTS).map(|part| RunPart::of_lists(covers, part, &lists));
        Self::join(covers, parts.collect())
    }

    /// The articles that several runs cover, which follow one another.
    pub(crate) fn cover(runs: &[&Self]) -> (u32, u32) {
        let first = runs.iter().map(|run| run.first).min().unwrap_or(0);
        let end = runs.iter().map(|run| run.first + run.num).max().unwrap_or(0);
        (first, end - first)
    }

    /// Opens a run that was written to a file.
    ///
    /// # Errors
    /// Those of a segment.
    pub(crate) fn open(path: &Path, sketch_id: &str) -> Result<Self> {
        let segment = Segment::open(path, Kind::Keys, sketch_id, NUM_SECTIONS)?;
        segment.keep(0);
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
        if first.checked_add(num).is_none() {
            return Err(segment.damaged(0, "more articles than there are ordinals"));
        }
        let has_filters = segment.format() >= FILTERED_FORMAT;
        if !lists.iter().all(|list| list.ends_within(segment.section_len(0) as u64, has_filters)) {
            return Err(segment.damaged(0, "a list that reaches beyond its section"));
        }
        Ok(Self { first, num, ordinal_bits, lists, bytes: Bytes::Filed(segment), has_filters })
    }

    /// Articles that the run covers: the first, and how many.
    pub(crate) fn covers(&self) -> (u32, u32) {
        (self.first, self.num)
    }

    /// Its entries.
    pub(crate) fn num_entries(&self) -> u64 {
        self.lists.iter().map(|list| u64::from(list.num)).sum()
    }

    /// The segment, of a run in a file.
    pub(crate) fn segment(&self) -> Option<&Segment> {
        match &self.bytes {
            Bytes::Held(_) => None,
            Bytes::Filed(segment) => Some(segment),
        }
    }

    #[inline]
    fn read(&self, start: u64, len: usize) -> Result<&[u8]> {
        match &self.bytes {
            Bytes::Held(parts) => {
                let at = (start & ((1 << PART_BITS) - 1)) as usize;
                Ok(&parts[(start >> PART_BITS) as usize][at..at + len])
            }
            Bytes::Filed(segment) => segment.bytes(0, start as usize, len),
        }
    }

    /// Adds the articles under a key to `found`, in order.
    ///
    /// # Errors
    /// When the file is damaged where the key lies.
    #[inline]
    pub(crate) fn find(&self, key: u64, found: &mut Vec<u32>) -> Result<()> {
        if !self.may_hold(key)? {
            return Ok(());
        }
        let (place, num) = self.slot_of(key)?;
        self.scan(key, self.entries_at(place, num)?, |ordinal| found.push(ordinal));
        Ok(())
    }

    /// The same of many keys at once, each with a number, for each hit that number and the article, by key and then in order.
    /// No look into a large run waits for the one before.
    ///
    /// # Errors
    /// Those of [`KeyRun::find`].
    pub(crate) fn find_all(&self, keys: &[(u32, u64)], found: &mut Vec<(u32, u32)>) -> Result<()> {
        let mut held = Vec::new();
        let keys = if self.has_filters {
            held.resize(keys.len(), (0, 0));
            let mut num = 0;
            for numbered in keys {
                // Without a branch that cannot be foretold, so that no look waits for the one before.
                held[num] = *numbered;
                num += usize::from(self.may_hold(numbered.1)?);
            }
            &held[..num]
        } else {
            keys
        };
        let slots: Vec<(u64, u32)> = keys.iter().map(|(_, key)| self.slot_of(*key)).collect::<Result<_>>()?;
        let mut ahead = 0;
        let mut entries = Vec::with_capacity(slots.len());
        for (place, num) in slots {
            let bytes = self.entries_at(place, num)?;
            ahead ^= bytes.first().copied().unwrap_or(0);
            entries.push(bytes);
        }
        std::hint::black_box(ahead);
        for ((number, key), bytes) in keys.iter().zip(entries) {
            self.scan(*key, bytes, |ordinal| found.push((*number, ordinal)));
        }
        Ok(())
    }

    /// Whether an article may have a key, as the filter says.
    #[inline]
    fn may_hold(&self, key: u64) -> Result<bool> {
        let list = self.lists[(key >> 32) as usize];
        if !self.has_filters || list.num == 0 {
            return Ok(list.num > 0);
        }
        let (start, num_blocks) = list.filter_at();
        if num_blocks == 0 {
            return Ok(true);
        }
        let rest = key as u32;
        let block = (filter::place(rest, num_blocks) * BLOCK_LEN) as u64;
        Ok(filter::may_hold(self.read(start + block, BLOCK_LEN)?, rest))
    }

    /// Whether the filter of a list hides an entry of it.
    ///
    /// # Errors
    /// When the file is damaged there.
    pub(crate) fn hides_any(&self, list: usize, entries: &[u64]) -> Result<bool> {
        for entry in entries {
            if !self.may_hold((list as u64) << 32 | entry >> 32)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where the entries of a key's slot lie, and how many these are.
    #[inline]
    fn slot_of(&self, key: u64) -> Result<(u64, u32)> {
        let list = self.lists[(key >> 32) as usize];
        if list.num == 0 {
            return Ok((0, 0));
        }
        let slot = self.read(list.slots_at() + 4 * list.slot(key as u32) as u64, 8)?;
        let [start, end] = [0, 4].map(|at| u32::from_le_bytes(slot[at..at + 4].try_into().expect("four bytes")));
        Ok((list.start + ENTRY_LEN as u64 * u64::from(start), end.saturating_sub(start)))
    }

    /// The bytes of entries, with those behind them.
    #[inline]
    fn entries_at(&self, place: u64, num: u32) -> Result<&[u8]> {
        if num == 0 { Ok(&[]) } else { self.read(place, ENTRY_LEN * num as usize + SLACK) }
    }

    /// Calls `each` with the articles under a key among the entries of its slot.
    #[inline]
    fn scan(&self, key: u64, bytes: &[u8], mut each: impl FnMut(u32)) {
        let slot_bits = self.lists[(key >> 32) as usize].slot_bits;
        let wanted = u64::from(key as u32) & ((1 << (32 - slot_bits)) - 1);
        for entry in 0..bytes.len() / ENTRY_LEN {
            let (left, step) = self.entry(bytes, entry);
            if left >= wanted {
                if left > wanted {
                    break;
                }
                // In a file that is as it was written there is none beyond.
                if step < self.num {
                    each(self.first + step);
                }
            }
        }
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
        let len = list.num as usize * ENTRY_LEN + SLACK;
        if let Bytes::Filed(segment) = &self.bytes {
            segment.will_read(0, list.start as usize, len);
        }
        let bytes = self.read(list.start, len)?;
        let num_slots = 1usize << list.slot_bits;
        let slots = self.read(list.slots_at(), 4 * (num_slots + 1))?;
        let start = |slot: usize| u32::from_le_bytes(slots[4 * slot..4 * slot + 4].try_into().expect("four bytes"));
        let mut at = 0;
        for slot in 0..num_slots {
            let high = (slot as u64) << (32 - list.slot_bits);
            let end = start(slot + 1);
            if start(slot) != at || end < at || end > list.num {
                return Err(self.impossible(list, "slots that do not follow one another"));
            }
            for entry in at..end {
                let (left, step) = self.entry(bytes, entry as usize);
                if step >= self.num {
                    return Err(self.impossible(list, "an article that the run does not cover"));
                }
                entries.push((high | left) << 32 | u64::from(self.first + step));
            }
            at = end;
        }
        Ok(())
    }

    /// The error of a list that was never written so.
    #[cold]
    fn impossible(&self, list: List, what: &str) -> Error {
        self.segment().expect("runs in memory are whole").damaged(list.start as usize, what)
    }
}

#[derive(Debug)]
enum Sink {
    Held(Vec<u8>),
    Filed(SegmentWriter),
}

/// How a run writes ordinals: as steps from its first, in so many bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    first: u32,
    ordinal_bits: u32,
}

/// A run being written, list by list.
#[derive(Debug)]
pub(crate) struct RunWriter {
    steps: Steps,
    num: u32,
    lists: Vec<List>,
    len: u64,
    sink: Sink,
}

impl Steps {
    /// What runs hold in one list as it is written, each article under the ordinal that `number` gives it; those that get
    /// none are left out.
    ///
    /// # Errors
    /// When a run cannot be read.
    pub(crate) fn merged(
        self,
        runs: &[&KeyRun],
        list: usize,
        number: impl Fn(u32) -> Option<u32>,
    ) -> Result<EncodedList> {
        let mut entries = Vec::new();
        for run in runs {
            run.list_entries(list, &mut entries)?;
        }
        entries.retain_mut(|entry| {
            let number = number(*entry as u32);
            *entry = *entry >> 32 << 32 | u64::from(number.unwrap_or(0));
            number.is_some()
        });
        // Each run is in order: sorting merges them.
        entries.sort();
        Ok(EncodedList::new(self, Shape::Filed, &entries))
    }
}

impl RunWriter {
    fn new(first: u32, num: u32, sink: Sink) -> Self {
        let steps = Steps { first, ordinal_bits: ordinal_bits(num) };
        Self { steps, num, lists: Vec::with_capacity(NUM_LISTS), len: 0, sink }
    }

    /// Begins a run in a file.
    pub(crate) fn create(disk: &Disk, path: &Path, sketch_id: &str, number: u64, covers: (u32, u32)) -> Result<Self> {
        let mut segment = SegmentWriter::create(disk, path, Kind::Keys, sketch_id, number)?;
        segment.begin_section()?;
        Ok(Self::new(covers.0, covers.1, Sink::Filed(segment)))
    }

    /// Adds the next list.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn append(&mut self, encoded: &EncodedList) -> Result<()> {
        self.lists.push(List { start: self.len, ..encoded.list });
        self.len += encoded.bytes.len() as u64;
        match &mut self.sink {
            Sink::Held(bytes) => bytes.extend_from_slice(&encoded.bytes),
            Sink::Filed(segment) => segment.write(&encoded.bytes)?,
        }
        Ok(())
    }

    /// How it writes ordinals: lists are merged while others are written.
    pub(crate) fn steps(&self) -> Steps {
        self.steps
    }

    /// Writes the table of the lists and makes the file last; its length.
    pub(crate) fn finish(self) -> Result<u64> {
        let Self { steps: Steps { first, ordinal_bits }, num, lists, sink, .. } = self;
        let Sink::Filed(mut segment) = sink else { unreachable!("runs in memory are not finished") };
        segment.begin_section()?;
        let head = [u64::from(first) | u64::from(num) << 32, u64::from(ordinal_bits)];
        let words = lists.iter().flat_map(|list| [list.start, u64::from(list.num) | u64::from(list.slot_bits) << 32]);
        let bytes: Vec<u8> = head.into_iter().chain(words).flat_map(u64::to_le_bytes).collect();
        segment.write(&bytes)?;
        segment.finish()
    }
}

/// How a list is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Held,
    /// With a filter.
    Filed,
}

/// A list as it is written.
#[derive(Debug)]
pub(crate) struct EncodedList {
    /// It begins at 0.
    list: List,
    bytes: Vec<u8>,
}

impl EncodedList {
    /// Of each entry the rest of its key above the ordinal, in order.
    fn new(Steps { first, ordinal_bits }: Steps, shape: Shape, entries: &[u64]) -> Self {
        let slot_entries = if shape == Shape::Held { HELD_SLOT_ENTRIES } else { SLOT_ENTRIES };
        let by_size = (entries.len() / slot_entries).checked_ilog2().unwrap_or(0);
        let slot_bits = by_size.max((32 + ordinal_bits).saturating_sub(ENTRY_BITS));
        let list = List { start: 0, num: entries.len() as u32, slot_bits };
        let mut bytes = Vec::new();
        if entries.is_empty() {
            return Self { list, bytes };
        }
        let num_slots = 1usize << slot_bits;
        let (filter_at, num_blocks) = if shape == Shape::Filed { list.filter_at() } else { (0, 0) };
        let (filter_at, filter_len) = (filter_at as usize, num_blocks * BLOCK_LEN);
        bytes.reserve_exact((list.slots_end() as usize).max(filter_at + filter_len).next_multiple_of(BLOCK_LEN));
        let mask = (1u64 << (32 - slot_bits)) - 1;
        bytes.resize(list.slots_at() as usize, 0);
        // Each is written along with zeros, where the next follows and at the end the slack.
        for (at, entry) in (0..).step_by(ENTRY_LEN).zip(entries) {
            let value = (entry >> 32 & mask) << ordinal_bits | u64::from(*entry as u32 - first);
            bytes[at..at + size_of::<u64>()].copy_from_slice(&value.to_le_bytes());
        }
        let mut at = 0;
        for slot in 0..=num_slots {
            at += entries[at..].iter().take_while(|entry| list.slot((**entry >> 32) as u32) < slot).count();
            bytes.extend_from_slice(&(at as u32).to_le_bytes());
        }
        if num_blocks > 0 {
            bytes.resize(filter_at + filter_len, 0);
            for entry in entries {
                let rest = (entry >> 32) as u32;
                let block = filter_at + filter::place(rest, num_blocks) * BLOCK_LEN;
                filter::add(&mut bytes[block..block + BLOCK_LEN], rest);
            }
        }
        if shape == Shape::Filed {
            // So that each block of the next list's filter is a line of the processor's cache.
            bytes.resize(bytes.len().next_multiple_of(BLOCK_LEN), 0);
        }
        Self { list, bytes }
    }
}

/// Bits that tell so many articles apart.
fn ordinal_bits(num: u32) -> u32 {
    u32::BITS - num.saturating_sub(1).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::super::segment::mend_checks;
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
            let run = KeyRun::held((first, 5000), entries.iter().copied());
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("keys");
            let (one, two) = entries.split_at(entries.len() / 2);
            let parts = [KeyRun::held((first, 5000), one.iter().copied()), KeyRun::held((first, 5000), two.iter().copied())];
            let mut writer =
                RunWriter::create(&Disk::default(), &path, "0123456789abcdef", 1, (first, 5000)).unwrap();
            (0..NUM_LISTS).for_each(|list| writer.append(&writer.steps().merged(&[&parts[0], &parts[1]], list, Some).unwrap()).unwrap());
            writer.finish().unwrap();
            let filed = KeyRun::open(&path, "0123456789abcdef").unwrap();
            let runs = [&parts[0], &parts[1]];
            let merged = (0..NUM_PARTS).map(|part| RunPart::merged(KeyRun::cover(&runs), part, &runs)).collect();
            let merged = KeyRun::join(KeyRun::cover(&runs), merged);
            prop_assert_eq!(filed.covers(), (first, 5000));
            let mut keys: Vec<u64> = entries.iter().flat_map(|(key, _)| [*key, key ^ 1]).collect();
            keys.sort_unstable();
            keys.dedup();
            for run in [&run, &filed] {
                let mut hits = Vec::new();
                let numbered: Vec<(u32, u64)> = (0..).zip(keys.iter().copied()).collect();
                run.find_all(&numbered, &mut hits).unwrap();
                let one_by_one = (0..).zip(&keys).flat_map(|(at, key)| found(run, *key).into_iter().map(move |o| (at, o)));
                prop_assert_eq!(hits, one_by_one.collect::<Vec<(u32, u32)>>());
            }
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
    fn the_filter_of_a_long_list_hides_nothing() {
        let num = (1 << 15) + 1000;
        let (key, folder) = (|number: u32| u64::from(number.wrapping_mul(0x9e37_79b1)), tempfile::tempdir().unwrap());
        // A short one before and behind it.
        let others = [(7 << 32, 1), (9 << 32, 2)];
        let held = KeyRun::held((0, num), (0..num).map(|at| (8 << 32 | key(at), at)).chain(others));
        assert!((0..num).step_by(7).all(|at| found(&held, 8 << 32 | key(at)) == [at]));
        assert!((num..2 * num).step_by(7).all(|at| found(&held, 8 << 32 | key(at)).is_empty()));
        let path = folder.path().join("keys");
        let mut writer = RunWriter::create(&Disk::default(), &path, "0123456789abcdef", 1, (0, num)).unwrap();
        (0..NUM_LISTS).for_each(|list| writer.append(&writer.steps().merged(&[&held], list, Some).unwrap()).unwrap());
        assert_eq!(writer.finish().unwrap(), std::fs::metadata(&path).unwrap().len());
        let filed = KeyRun::open(&path, "0123456789abcdef").unwrap();
        assert!((0..num).all(|at| found(&filed, 8 << 32 | key(at)) == [at]));
        assert!(others.iter().all(|(key, ordinal)| found(&filed, *key) == [*ordinal]));
        let num_passed = (num..2 * num).filter(|at| filed.may_hold(8 << 32 | key(*at)).unwrap()).count() as u32;
        assert!((num / 10..num / 2).contains(&num_passed), "{num_passed} of {num}");
        assert!((num..2 * num).all(|at| found(&filed, 8 << 32 | key(at)).is_empty()));
        // Many at once, of which half are there, as the run without a filter finds them.
        let mixed = (0..num).step_by(7).flat_map(|at| [8 << 32 | key(at), 8 << 32 | key(num + at)]);
        let numbered: Vec<(u32, u64)> = (0..).zip(mixed.chain(others.map(|(key, _)| key))).collect();
        let [mut of_held, mut of_filed] = [Vec::new(), Vec::new()];
        held.find_all(&numbered, &mut of_held).unwrap();
        filed.find_all(&numbered, &mut of_filed).unwrap();
        assert_eq!(of_filed, of_held);
        assert_eq!(of_held.len(), numbered.len() / 2 + 1);

        let mut entries = Vec::new();
        filed.list_entries(8, &mut entries).unwrap();
        assert!(!filed.hides_any(8, &entries).unwrap());
        let (start, num_blocks) = filed.lists[8].filter_at();
        let mut bytes = std::fs::read(&path).unwrap();
        // Behind the header.
        bytes[64 + start as usize..][..num_blocks * BLOCK_LEN].fill(0);
        mend_checks(&mut bytes);
        std::fs::write(folder.path().join("empty"), bytes).unwrap();
        let empty = KeyRun::open(&folder.path().join("empty"), "0123456789abcdef").unwrap();
        assert!(empty.hides_any(8, &entries).unwrap());
    }

    #[test]
    fn what_no_writer_writes_is_refused() {
        let num = 200;
        let held = KeyRun::held((10, num), (0..num).map(|at| (8 << 32 | u64::from(at * 0x0147_ae14), 10 + at)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let mut writer = RunWriter::create(&Disk::default(), &path, "0123456789abcdef", 1, (10, num)).unwrap();
        (0..NUM_LISTS).for_each(|list| writer.append(&writer.steps().merged(&[&held], list, Some).unwrap()).unwrap());
        writer.finish().unwrap();
        let list = KeyRun::open(&path, "0123456789abcdef").unwrap().lists[8];
        assert_eq!(list.slot_bits, 2);
        let whole = std::fs::read(&path).unwrap();
        let [entries_at, slots_at] = [list.start, list.slots_at()].map(|at| 64 + at as usize);
        let table_at = (0..whole.len() - 16).step_by(8).find(|at| {
            let head = [10u32, num, 8, 0].map(u32::to_le_bytes);
            whole[*at..at + 16] == *head.as_flattened()
        });
        let table_at = table_at.expect("the table says what is covered");
        let forged = |at: usize, bytes: &[u8]| {
            let mut forged = whole.clone();
            forged[at..at + bytes.len()].copy_from_slice(bytes);
            mend_checks(&mut forged);
            std::fs::write(&path, forged).unwrap();
            KeyRun::open(&path, "0123456789abcdef")
        };
        let listed = |run: &KeyRun| run.list_entries(8, &mut Vec::new());
        listed(&forged(0, &[]).unwrap()).unwrap();
        // A slot that begins before the one in front of it, one that begins beyond all, none at the beginning.
        for (slot, start) in [(2, 0), (4, num + 1), (0, 1)] {
            assert!(listed(&forged(slots_at + 4 * slot, &u32::to_le_bytes(start)).unwrap()).is_err(), "slot {slot}");
        }
        // An article behind those that are covered.
        let run = forged(entries_at, &[0xff]).unwrap();
        assert!(listed(&run).is_err() && found(&run, 8 << 32).is_empty());
        assert!(forged(table_at, &u32::MAX.to_le_bytes()).is_err());
        // 200 is the first step that is not covered.
        let run = forged(entries_at, &[200]).unwrap();
        assert!(listed(&run).is_err() && found(&run, 8 << 32).is_empty());
        // Widths beyond 32 bits, of ordinals and of the slots of list 8; 32 are possible.
        let reason = |at: usize, bits: u32| forged(at, &bits.to_le_bytes()).err().map(|error| error.to_string());
        let is_impossible = |reason: Option<String>| reason.is_some_and(|reason| reason.ends_with("impossible widths"));
        let slot_bits_at = table_at + 8 * (TABLE_HEAD + 2 * 8 + 1) + 4;
        assert!(is_impossible(reason(table_at + 8, 33)) && is_impossible(reason(slot_bits_at, 33)));
        assert!(reason(table_at + 8, 32).is_none());
        assert!(reason(slot_bits_at, 32).is_some_and(|reason| reason.ends_with("reaches beyond its section")));
    }

    #[test]
    fn what_goes_is_left_out_and_the_rest_renumbered() {
        let run = KeyRun::held((10, 4), [(5, 10), (5, 11), (5, 13), (9 << 32, 12)]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let mut writer = RunWriter::create(&Disk::default(), &path, "0123456789abcdef", 1, (0, 3)).unwrap();
        let number = |ordinal: u32| (ordinal != 11).then(|| ordinal.saturating_sub(11));
        (0..NUM_LISTS).for_each(|list| writer.append(&writer.steps().merged(&[&run], list, number).unwrap()).unwrap());
        writer.finish().unwrap();
        let kept = KeyRun::open(&path, "0123456789abcdef").unwrap();
        assert_eq!((found(&kept, 5), found(&kept, 9 << 32)), (vec![0, 2], vec![1]));
    }

    #[test]
    fn ids_and_exact_texts_have_lists_of_their_own() {
        assert!((NUM_SHARDS..NUM_SHARDS + 64).contains(&((list_of_id("a") >> 32) as usize)));
        assert!((NUM_SHARDS + 64..NUM_LISTS).contains(&((list_of_exact(u128::MAX) >> 32) as usize)));
    }

    #[test]
    fn a_list_is_laid_out_as_the_format_says() {
        // 4,990 bytes of entries, filled up to 4,996; 33 slots; five blocks from 5,184 on.
        let list = List { start: 64, num: 998, slot_bits: 5 };
        assert_eq!((list.slots_at(), list.slots_end()), (64 + 4_996, 64 + 5_128));
        assert_eq!(list.filter_at(), (64 + 5_184, 5));
        assert_eq!([0, 1 << 31, u32::MAX].map(|rest| list.slot(rest)), [0, 16, 31]);
        let num_blocks = |num: u32| List { num, ..list }.filter_at().1;
        assert_eq!([FILTERED_ENTRIES - 1, FILTERED_ENTRIES, 200, 201].map(num_blocks), [0, 1, 1, 2]);
        // With its filter it takes 5,504 bytes.
        assert!(list.ends_within(64 + 5_504, true) && !list.ends_within(64 + 5_503, true));
        assert!(list.ends_within(64 + 5_128, false) && !list.ends_within(64 + 5_127, false));
        // A short one has none, and one without entries takes no bytes wherever it is said to be.
        let short = List { start: 0, num: FILTERED_ENTRIES - 1, slot_bits: 0 };
        assert!(short.ends_within(short.slots_end(), true) && !short.ends_within(short.slots_end() - 1, true));
        assert!(List { start: 9_999, num: 0, slot_bits: 0 }.ends_within(64, true));
        assert!(!List { start: 9_999, ..short }.ends_within(64, true));
    }

    #[test]
    fn ids_and_exact_texts_are_found_by_the_upper_and_lower_bits_of_their_hashes() {
        let parts = |key: u64| ((key >> 32) as usize, key as u32);
        // The upper half of a fingerprint: its upper six bits, its lower 32.
        assert_eq!(parts(list_of_exact(u128::MAX)), (NUM_LISTS - 1, u32::MAX));
        assert_eq!(parts(list_of_exact(u128::from(u64::MAX))), (NUM_LISTS - 64, 0));
        assert_eq!(parts(list_of_exact(0x8400_0000_0000_0007 << 64)), (NUM_LISTS - 64 + 33, 7));
        let hash = hash64(b"id", 0x6964);
        assert_eq!(parts(list_of_id("id")), (1024 + (hash >> 58) as usize, hash as u32));
    }
}
