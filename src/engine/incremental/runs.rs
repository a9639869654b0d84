//! All runs of keys of an index: those in files, those in memory, and that of articles on offer. Filters tell of most keys
//! that no run holds them.

use crate::error::Result;
use crate::index::{KeyFilter, KeyRun, NUM_LISTS, NUM_PARTS, RunPart, RunWriter};
use rayon::prelude::*;

/// Entries of runs in files that a filter in memory may stand for, at five bits each and some. Of runs beyond each is looked at
/// for each key: long lists have filters of their own in the file.
const MAX_FILTERED: u64 = 1 << 27;
/// Entries that the filter of runs in memory begins with room for.
const HELD_FILTERED: u64 = 1 << 22;

/// The runs of an index.
#[derive(Debug)]
pub(super) struct Runs {
    /// In order of their articles, as are those in memory, whose articles follow.
    filed: Vec<KeyRun>,
    held: Vec<KeyRun>,
    /// That of articles which may still be withdrawn.
    offered: Option<KeyRun>,
    /// Of the runs in files from this one on, the smallest, one filter stands for all. They were all written by this process:
    /// to read what lay there before takes longer than a few articles are looked up.
    filtered_from: usize,
    filed_filter: KeyFilter,
    /// Entries that were added to it.
    num_filtered: u64,
    held_filter: KeyFilter,
}

impl Runs {
    /// The runs of an index that is opened.
    pub(super) fn new(filed: Vec<KeyRun>) -> Self {
        let (filed_filter, held_filter) = (KeyFilter::new(0), KeyFilter::new(HELD_FILTERED));
        Self {
            filtered_from: filed.len(),
            filed,
            held: Vec::new(),
            offered: None,
            filed_filter,
            num_filtered: 0,
            held_filter,
        }
    }

    /// Those in files, in order of their articles.
    pub(super) fn filed(&self) -> &[KeyRun] {
        &self.filed
    }

    /// Those in files from one on, and those in memory.
    pub(super) fn from(&self, filed: usize) -> Vec<&KeyRun> {
        self.filed[filed..].iter().chain(&self.held).collect()
    }

    /// Adds the articles under a key to `found`, in order, those on offer among them; one that has the key twice twice.
    ///
    /// # Errors
    /// When a file is damaged where the key lies.
    pub(super) fn find(&self, key: u64, found: &mut Vec<u32>) -> Result<()> {
        self.filed[..self.filtered_from].iter().try_for_each(|run| run.find(key, found))?;
        for (runs, filter) in self.filtered() {
            if filter.may_hold(key) {
                runs.iter().try_for_each(|run| run.find(key, found))?;
            }
        }
        self.offered.iter().try_for_each(|run| run.find(key, found))
    }

    /// The articles under each of some keys, by the key's number, then in order; one that has a key twice twice. None of
    /// those on offer.
    ///
    /// # Errors
    /// Those of [`Runs::find`].
    pub(super) fn find_all(&self, keys: impl Iterator<Item = u64>) -> Result<Vec<(u32, u32)>> {
        let all: Vec<(u32, u64)> = (0..).zip(keys).collect();
        let mut found = Vec::new();
        self.filed[..self.filtered_from].iter().try_for_each(|run| run.find_all(&all, &mut found))?;
        for (runs, filter) in self.filtered() {
            let some: Vec<(u32, u64)> = all.iter().copied().filter(|(_, key)| filter.may_hold(*key)).collect();
            runs.iter().try_for_each(|run| run.find_all(&some, &mut found))?;
        }
        // Each run is in order, and follows the one before in its articles.
        found.sort();
        Ok(found)
    }

    fn filtered(&self) -> [(&[KeyRun], &KeyFilter); 2] {
        [(&self.filed[self.filtered_from..], &self.filed_filter), (&self.held, &self.held_filter)]
    }

    /// Takes a run of articles that may still be withdrawn.
    pub(super) fn offer(&mut self, run: KeyRun) {
        self.offered = Some(run);
    }

    /// Lets the run of what is on offer go.
    pub(super) fn withdraw(&mut self) {
        self.offered = None;
    }

    /// Takes what is on offer for good, and merges runs in memory where there are too many.
    pub(super) fn settle(&mut self) {
        let Some(run) = self.offered.take() else { return };
        self.hold(run);
        while let Some(from) = first_merged(&self.held.iter().map(|run| run.covers().1).collect::<Vec<u32>>()) {
            let runs: Vec<&KeyRun> = self.held[from..].iter().collect();
            let covers = KeyRun::cover(&runs);
            let part = |part| RunPart::merged(covers, part, &runs);
            let parts = (0..NUM_PARTS).into_par_iter().map(part).collect();
            let merged = KeyRun::join(covers, parts);
            self.held.truncate(from);
            self.held.push(merged);
        }
    }

    /// Takes a run into memory.
    pub(super) fn hold(&mut self, run: KeyRun) {
        self.held.push(run);
        let num: u64 = self.held.iter().map(KeyRun::num_entries).sum();
        if num > self.held_filter.capacity() {
            self.held_filter = KeyFilter::new(num.next_power_of_two());
            self.held.iter().for_each(|run| add_held(&mut self.held_filter, run));
        } else {
            add_held(&mut self.held_filter, self.held.last().expect("one was added"));
        }
    }

    /// Puts a run in a file in place of those in memory and of those in files from one on, which it was merged from.
    pub(super) fn put_away(&mut self, merged_from: usize, run: KeyRun) {
        self.filed.truncate(merged_from);
        self.filed.push(run);
        let held = std::mem::take(&mut self.held);
        self.held_filter.clear();
        let first_own = self.filtered_from.min(merged_from);
        let (mut from, mut num) = (self.filed.len(), 0);
        while from > first_own && num + self.filed[from - 1].num_entries() <= MAX_FILTERED {
            from -= 1;
            num += self.filed[from].num_entries();
        }
        self.num_filtered += held.iter().map(KeyRun::num_entries).sum::<u64>();
        if num > 0 && from == self.filtered_from && self.num_filtered <= self.filed_filter.capacity() {
            // What was merged is in it already.
            held.iter().for_each(|run| add_held(&mut self.filed_filter, run));
            return;
        }
        drop(std::mem::replace(&mut self.filed_filter, KeyFilter::new(0)));
        let mut filter = KeyFilter::new(if num == 0 { 0 } else { num.next_power_of_two() });
        let added = self.filed[from..].iter().try_for_each(|run| add(&mut filter, run));
        // What cannot be read is said when something is looked up there.
        let (filtered_from, num_filtered) = if added.is_ok() { (from, num) } else { (self.filed.len(), 0) };
        (self.filed_filter, self.filtered_from, self.num_filtered) = (filter, filtered_from, num_filtered);
    }
}

fn add_held(filter: &mut KeyFilter, run: &KeyRun) {
    add(filter, run).expect("memory gives all");
}

fn add(filter: &mut KeyFilter, run: &KeyRun) -> Result<()> {
    filter.lists().into_par_iter().with_min_len(16).try_for_each(|mut list| list.add(run))
}

/// Writes all entries of runs, each article under the ordinal that `number` gives it; those that get none are left out.
///
/// # Errors
/// When a run cannot be read, or the writer's file be written.
pub(super) fn merge(
    writer: &mut RunWriter,
    runs: &[&KeyRun],
    number: impl Fn(u32) -> Option<u32> + Sync,
) -> Result<()> {
    // Two a worker, so that none waits for another, while those before are written: of ten million articles a list takes some
    // twenty megabytes as it is merged, half of it as it is written.
    let num_at_once = 2 * rayon::current_num_threads();
    let steps = writer.steps();
    let merged = |first: usize| -> Vec<Result<_>> {
        let lists = first..(first + num_at_once).min(NUM_LISTS);
        lists.into_par_iter().map(|list| steps.merged(runs, list, &number)).collect()
    };
    let mut ready = Vec::new();
    for first in (0..NUM_LISTS).step_by(num_at_once) {
        let write = || ready.into_iter().try_for_each(|list| writer.append(&list?));
        let (written, next) = rayon::join(write, || merged(first));
        written?;
        ready = next;
    }
    ready.into_iter().try_for_each(|list| writer.append(&list?))
}

/// Runs in memory become one where that is of a higher magnitude, by powers of this number: each key is written anew once for
/// each. A filter spares most looks into them.
const MAGNITUDE: u32 = 4;
/// Runs in memory at most, in whatever order large and small ones come.
const MAX_HELD: usize = 64;

/// The first of the latest runs that are to be merged, by the articles of each: of those magnitudes that the latest pass
/// together and none of them alone, the smallest.
fn first_merged(sizes: &[u32]) -> Option<usize> {
    let magnitude = |size: u32| size.max(1).ilog(MAGNITUDE);
    let (mut largest, mut sum) = (0, 0);
    for (at, size) in sizes.iter().enumerate().rev() {
        if magnitude(*size) > largest && magnitude(sum) > largest {
            return Some(at + 1);
        }
        largest = largest.max(magnitude(*size));
        sum += size;
    }
    (magnitude(sum) > largest || sizes.len() > MAX_HELD).then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{HashMap, mix64};
    use crate::index::Disk;

    const SKETCH: &str = "0123456789abcdef";
    const KEYS_EACH: u64 = 40;

    fn key(number: u64) -> u64 {
        mix64(number) % ((NUM_LISTS as u64) << 32)
    }

    /// Keys of an article, one of them that of others too.
    fn keys_of(ordinal: u32) -> impl Iterator<Item = u64> {
        let first = u64::from(ordinal) * KEYS_EACH;
        (first..first + KEYS_EACH - 1).map(key).chain([key(u64::MAX - u64::from(ordinal % 3))])
    }

    fn run(first: u32, num: u32) -> KeyRun {
        let ordinals = first..first + num;
        let entries = ordinals.flat_map(|ordinal| keys_of(ordinal).map(move |key| (key, ordinal)));
        KeyRun::held((first, num), entries)
    }

    /// Looks for all keys of the first `num` articles, and for as many that are not there.
    fn assert_holds(runs: &Runs, num: u32) {
        let mut expected: HashMap<u64, Vec<u32>> = HashMap::default();
        for ordinal in 0..num {
            keys_of(ordinal).for_each(|key| expected.entry(key).or_default().push(ordinal));
        }
        let mut keys: Vec<u64> = expected.keys().flat_map(|key| [*key, key ^ 1]).collect();
        keys.sort_unstable();
        keys.dedup();
        let all = runs.find_all(keys.iter().copied()).unwrap();
        let mut expected_all = Vec::new();
        for (number, key) in (0..).zip(&keys) {
            let of_key = expected.get(key).map_or(&[][..], Vec::as_slice);
            expected_all.extend(of_key.iter().map(|ordinal| (number, *ordinal)));
            let mut found = Vec::new();
            runs.find(*key, &mut found).unwrap();
            assert_eq!(found, of_key);
        }
        assert_eq!(all, expected_all);
    }

    #[test]
    fn what_was_put_away_is_found_whatever_lay_there_before() {
        let folder = tempfile::tempdir().unwrap();
        let file = |runs: &[&KeyRun], number: u64| {
            let path = folder.path().join(number.to_string());
            let mut writer = RunWriter::create(&Disk::default(), &path, SKETCH, number, KeyRun::cover(runs)).unwrap();
            merge(&mut writer, runs, Some).unwrap();
            writer.finish().unwrap();
            KeyRun::open(&path, SKETCH).unwrap()
        };
        let mut runs = Runs::new(vec![file(&[&run(0, 300)], 0)]);
        assert_holds(&runs, 300);
        runs.hold(run(300, 10));
        for (number, merged_from) in [(1, 1), (2, 2), (3, 1), (4, 0), (5, 1)] {
            let first = 300 + (number as u32 - 1) * 100;
            let held: u32 = if number == 1 { 10 } else { 0 };
            for portion in (first + held..first + 100).step_by(30) {
                let num = 30.min(first + 100 - portion);
                runs.offer(run(portion, num));
                // Those on offer are found one by one only.
                let mut found = Vec::new();
                let own = keys_of(portion).next().unwrap();
                runs.find(own, &mut found).unwrap();
                assert_eq!((found, runs.find_all([own].into_iter()).unwrap()), (vec![portion], Vec::new()));
                runs.withdraw();
                assert_holds(&runs, portion);
                runs.offer(run(portion, num));
                runs.settle();
                assert_holds(&runs, portion + num);
            }
            let merged = file(&runs.from(merged_from), number);
            runs.put_away(merged_from, merged);
            assert_eq!((runs.filed().len(), runs.held.len()), (merged_from + 1, 0));
            assert_holds(&runs, first + 100);
        }
        // Once all is of this process, the filter stands for all.
        assert_eq!(runs.filtered_from, 0);
    }

    #[test]
    fn runs_stay_few_and_are_seldom_merged() {
        let patterns: [fn(u32) -> u32; 4] =
            [|_| 1, |at| 1 + at % 1000, |at| [1, 1000][at as usize % 2], |at| 1 + at / 9];
        for pattern in patterns {
            let (mut sizes, mut merged, mut sum): (Vec<u32>, u32, u32) = Default::default();
            for size in (0..4000).map(pattern) {
                sizes.push(size);
                sum += size;
                while let Some(from) = first_merged(&sizes) {
                    let size = sizes.drain(from..).sum();
                    merged += size;
                    sizes.push(size);
                }
                assert!(sizes.len() <= MAX_HELD, "{sizes:?}");
            }
            assert!(merged <= sum * (1 + sum.ilog(MAGNITUDE)), "{merged} of {sum}");
        }
    }

    #[test]
    fn a_filter_in_memory_grows() {
        let mut runs = Runs::new(Vec::new());
        runs.held_filter = KeyFilter::new(1);
        let mut capacities = vec![runs.held_filter.capacity()];
        for (first, num) in [(0, 3000), (3000, 2000), (5000, 1000)] {
            runs.hold(run(first, num));
            capacities.push(runs.held_filter.capacity());
            assert!(*capacities.last().unwrap() >= u64::from(first + num) * KEYS_EACH);
        }
        capacities.dedup();
        assert_eq!(capacities.len(), 3);
        assert_holds(&runs, 6000);
    }
}
