//! The state of an index in files: whole, and what became of it since. It grows with the index and is written with every flush,
//! so that it is seldom written whole.

use super::files::{changes_path, state_path};
use super::state::{Delta, Input, State};
use crate::error::{Error, Result};
use crate::index::{Disk, FileEntry, Kind, Manifest, Segment, SegmentWriter};
use std::path::{Path, PathBuf};

/// Sections of a segment of either kind.
const NUM_SECTIONS: usize = 1;
/// Bytes of the flags of an article in a change.
const FLAGS_LEN: usize = 8;

/// What happened to a state since it was last written.
#[derive(Debug)]
pub(super) struct Unsaved {
    /// Changes, one behind another; `None` where writing all of the state takes less.
    changes: Option<Vec<u8>>,
    /// Bytes that they may have.
    limit: u64,
}

impl Unsaved {
    /// Nothing yet: the state is as the files say that a manifest names. Together changes may be half as long as what was
    /// written whole.
    pub(super) fn none(folder: &Path, manifest: &Manifest) -> Self {
        let whole_len = std::fs::metadata(state_path(folder, manifest.state)).map_or(0, |file| file.len());
        let changed_len: u64 = manifest.changes.iter().map(|entry| entry.bytes).sum();
        let changes = (manifest.state > 0).then(Vec::new);
        Self { changes, limit: (whole_len / 2).saturating_sub(changed_len) }
    }

    /// Adds a change.
    pub(super) fn add(&mut self, change: &[u8]) {
        let room = self.limit;
        self.changes = self.changes.take().filter(|changes| (changes.len() + change.len()) as u64 <= room);
        if let Some(changes) = &mut self.changes {
            changes.extend_from_slice(change);
        }
    }

    fn bytes(&self) -> Option<&[u8]> {
        self.changes.as_deref()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.bytes().map_or(0, <[u8]>::len)
    }
}

/// What became of a state, and the articles that came: the first, and how many.
pub(super) type Since<'a> = (&'a Unsaved, (u32, u32));

/// Writes a state under a number, and lets a manifest name it: what became of it `since`, or all of it. The files that the
/// manifest names no more.
///
/// # Errors
/// When it cannot be written, or what was written before not be read.
pub(super) fn write(
    disk: &Disk,
    folder: &Path,
    manifest: &mut Manifest,
    (state, since): (&State, Option<Since<'_>>),
    number: u64,
) -> Result<Vec<PathBuf>> {
    let begin = |path: &Path, kind| {
        let mut writer = SegmentWriter::create(disk, path, kind, &manifest.sketch, number)?;
        writer.begin_section()?;
        Ok::<_, Error>(writer)
    };
    let path_of = |entry: &FileEntry| changes_path(folder, entry.file);
    let Some((changes, (mut first, mut num))) = since.and_then(|(unsaved, covers)| Some((unsaved.bytes()?, covers)))
    else {
        let mut gone: Vec<PathBuf> = manifest.changes.iter().map(path_of).collect();
        gone.extend((manifest.state > 0).then(|| state_path(folder, manifest.state)));
        let mut writer = begin(&state_path(folder, number), Kind::State)?;
        state.write(|bytes| writer.write(bytes))?;
        writer.finish()?;
        (manifest.state, manifest.changes) = (number, Vec::new());
        return Ok(gone);
    };
    // As with runs of keys, what is no longer than what comes behind it is written anew with it.
    let (mut merged_from, mut len) = (manifest.changes.len(), changes.len() as u64);
    while let Some(last) = manifest.changes[..merged_from].last().filter(|last| last.bytes <= len) {
        (merged_from, len, first, num) = (merged_from - 1, len + last.bytes, last.first, num + last.num);
    }
    let mut writer = begin(&changes_path(folder, number), Kind::Changes)?;
    for entry in &manifest.changes[merged_from..] {
        writer.write(section(&open(&path_of(entry), Kind::Changes, manifest)?)?)?;
    }
    writer.write(changes)?;
    let bytes = writer.finish()?;
    let gone = manifest.changes.drain(merged_from..).map(|entry| path_of(&entry)).collect();
    manifest.changes.push(FileEntry { file: number, first, num, bytes });
    Ok(gone)
}

/// Reads the state that a manifest names; `None` where it names none.
///
/// # Errors
/// When a file cannot be read, is damaged, or says what cannot be of so many articles.
pub(super) fn read(folder: &Path, manifest: &Manifest, num_articles: usize) -> Result<Option<State>> {
    if manifest.state == 0 {
        if num_articles == 0 && manifest.changes.is_empty() {
            return Ok(None);
        }
        let what = "names articles, and no state of them".to_string();
        return Err(Error::IndexDamaged { file: Manifest::path(folder), offset: 0, what });
    }
    let cannot_be = |segment: &Segment| segment.damaged(0, "says what cannot be");
    let mut segment = open(&state_path(folder, manifest.state), Kind::State, manifest)?;
    let mut state = State::from_bytes(section(&segment)?).ok_or_else(|| cannot_be(&segment))?;
    for entry in &manifest.changes {
        segment = open(&changes_path(folder, entry.file), Kind::Changes, manifest)?;
        let follows = state.flags.len() == entry.first as usize;
        let end = state.flags.len().saturating_add(entry.num as usize);
        // The flags of each article that came are in it, so that a few bytes cannot ask for room for many.
        let is_long_enough = entry.num as usize <= segment.section_len(0) / FLAGS_LEN;
        if !follows || !is_long_enough || end > num_articles || carry_out(&mut state, end, section(&segment)?).is_none()
        {
            return Err(cannot_be(&segment));
        }
    }
    if state.flags.len() == num_articles { Ok(Some(state)) } else { Err(cannot_be(&segment)) }
}

/// Carries out changes that a state came to speak of so many articles with. `None` where one cannot be.
fn carry_out(state: &mut State, num_articles: usize, changes: &[u8]) -> Option<()> {
    state.flags.resize(num_articles, 0);
    state.stories.resize(num_articles, 0);
    let mut input = Input(changes);
    while !input.0.is_empty() {
        let delta = Delta::read(&mut input).filter(|delta| delta.is_within(num_articles))?;
        state.apply(&delta);
    }
    Some(())
}

fn open(path: &Path, kind: Kind, manifest: &Manifest) -> Result<Segment> {
    Segment::open(path, kind, &manifest.sketch, NUM_SECTIONS)
}

fn section(segment: &Segment) -> Result<&[u8]> {
    segment.bytes(0, 0, segment.section_len(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Match;
    use crate::engine::incremental::state::{Bytes, Group};
    use crate::hash::derived_seed;
    use crate::index::INDEX_FORMAT;

    fn manifest() -> Manifest {
        Manifest {
            format: INDEX_FORMAT,
            sketch: "0123456789abcdef".into(),
            verdict: String::new(),
            level: String::new(),
            near: String::new(),
            records: String::new(),
            seq: 0,
            next_file: 1,
            log: 0,
            state: 0,
            changes: Vec::new(),
            articles: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// A change that a few new articles come with, some matches and clusters, and that some of the old ones leave.
    fn delta(state: &State, num_new: u32, seed: u64) -> Delta {
        let num = state.flags.len() as u32;
        let end = num + num_new;
        let any = |what: u64, below: u32| (derived_seed(seed, what) % u64::from(below.max(1))) as u32;
        let found = (0..num_new).filter(|_| end > 1).map(|at| {
            let a = (num + at).max(1);
            Match { a, b: any(u64::from(at), a), margin: -1 - at as i32, excerpt: (at % 3 == 0).then_some(a) }
        });
        let lost = state.edges.iter().min_by_key(|(ordinal, _)| any(u64::from(**ordinal) << 8, num));
        Delta {
            flags: (num..end).map(|ordinal| (ordinal, 3)).collect(),
            stories: (num..end).map(|ordinal| (ordinal, ordinal + 1)).collect(),
            lost: lost.map(|(ordinal, edges)| (*ordinal, edges[0].other)).into_iter().collect(),
            left: (num > 4).then(|| any(7, num)).into_iter().collect(),
            found: found.collect(),
            dissolved: state.groups.keys().copied().min().filter(|_| seed.is_multiple_of(3)).into_iter().collect(),
            formed: vec![Group { story: any(8, end) + 1, representative: 0, members: (0..any(9, end)).collect() }],
            last_story: end,
            cutoff: -i64::from(num),
            arrival: i64::from(end),
        }
    }

    #[test]
    fn what_is_read_is_what_was_written_whole_or_by_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (mut manifest, mut state, mut most) = (manifest(), State::default(), 0);
        assert_eq!(read(folder.path(), &manifest, 0).unwrap(), None);
        let (mut num_whole, mut written_whole) = (0, 0);
        for round in 1..300u64 {
            let first = state.flags.len();
            let (mut changes, num_deltas) = (Bytes::default(), round % 4);
            for part in 0..num_deltas {
                let num_new = if round % 50 == 1 { 40 } else { (derived_seed(round, part) % 4) as u32 };
                let delta = delta(&state, num_new, derived_seed(part, round));
                delta.write(&mut changes);
                state.flags.resize(state.flags.len() + num_new as usize, 0);
                state.stories.resize(state.flags.len(), 0);
                state.apply(&delta);
            }
            let covers = (first as u32, (state.flags.len() - first) as u32);
            let mut unsaved = Unsaved::none(folder.path(), &manifest);
            unsaved.add(&changes.0);
            let since = (round != 100).then_some((&unsaved, covers));
            for path in write(&Disk::default(), folder.path(), &mut manifest, (&state, since), round).unwrap() {
                std::fs::remove_file(path).unwrap();
            }
            num_whole += usize::from(manifest.state == round);
            written_whole = if manifest.state == round { round } else { written_whole };
            most = most.max(manifest.changes.len());
            assert!(round != 100 || written_whole == 100, "without changes to go by it is whole");
            let there = std::fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(there, 1 + manifest.changes.len(), "what is not named is gone");
            let back = read(folder.path(), &manifest, state.flags.len()).unwrap().unwrap();
            assert!(back.to_bytes() == state.to_bytes(), "round {round}");
        }
        assert!((2..60).contains(&num_whole) && (2..9).contains(&most), "{num_whole} times whole, {most} of changes");
    }

    #[test]
    fn changes_that_do_not_follow_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = manifest();
        let mut state = State { flags: vec![1; 900], stories: vec![1; 900], ..State::default() };
        write(&Disk::default(), folder.path(), &mut manifest, (&state, None), 1).unwrap();
        let mut changes = Bytes::default();
        let change = delta(&state, 2, 1);
        change.write(&mut changes);
        let mut unsaved = Unsaved::none(folder.path(), &manifest);
        unsaved.add(&changes.0);
        write(&Disk::default(), folder.path(), &mut manifest, (&state, Some((&unsaved, (900, 2)))), 2).unwrap();
        state.flags.resize(902, 0);
        state.stories.resize(902, 0);
        state.apply(&change);
        let read_as = |manifest: &Manifest, num: usize| read(folder.path(), manifest, num).map(Option::unwrap);
        assert!(read_as(&manifest, 902).unwrap().to_bytes() == state.to_bytes());
        let entry = manifest.changes[0];
        for (changed, num) in [
            (FileEntry { first: 899, ..entry }, 902),
            (FileEntry { num: 1, ..entry }, 902),
            (FileEntry { num: u32::MAX, ..entry }, 902),
            (entry, 901),
            (entry, 903),
            // A few bytes for many articles, as a forged list of segments with articles may say: no room is made for them.
            (FileEntry { num: u32::MAX - 900, ..entry }, u32::MAX as usize),
        ] {
            let error = read_as(&Manifest { changes: vec![changed], ..manifest.clone() }, num).unwrap_err();
            assert!(error.to_string().contains("changes-00000002.seg"), "{error}");
        }
        assert!(read_as(&Manifest { changes: vec![entry, entry], ..manifest.clone() }, 904).is_err());
        let error = read_as(&Manifest { state: 0, ..manifest.clone() }, 902).unwrap_err();
        assert!(error.to_string().contains("manifest.toml") && error.to_string().contains("no state"), "{error}");
        assert!(read_as(&Manifest { changes: Vec::new(), ..manifest }, 902).is_err());
    }
}
