//! The files of an index: opening, putting what lies in memory into segments, and making one of many.

use super::add::ByList;
use super::crowds::Crowds;
use super::decide::believed;
use super::derive::{Change, Derived};
use super::runs::{Runs, merge};
use super::saved::{self, Unsaved};
use super::state::{Bytes, Delta, Input, State, flag};
use super::{FLUSH_BYTES, FLUSH_LEN, Index, Margins, Recovered, Writing};
use crate::engine::Engine;
use crate::engine::keys::{Keying, KeyingScratch};
use crate::engine::store::Articles;
use crate::error::{Error, Result};
use crate::index::{
    Disk, FileEntry, Frame, INDEX_FORMAT, KeyRun, Kind, Lock, Log, Manifest, RunWriter, Segment, SegmentWriter,
    list_of_exact, list_of_id, read_log,
};
use crate::sketch::Records;
use rayon::prelude::*;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sections of a segment with articles.
mod section {
    pub(super) const HEADS: usize = 0;
    pub(super) const BODIES: usize = 1;
    pub(super) const NOTES: usize = 2;
    /// Where each article's head begins, in words.
    pub(super) const PLACES: usize = 3;
    /// When each was published, else came.
    pub(super) const WHENS: usize = 4;
    pub(super) const NUM: usize = 5;
}

/// The log of stories.
pub(super) const EVENTS: &str = "stories.jsonl";

pub(super) fn articles_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("articles-{number:08}.seg"))
}

pub(super) fn keys_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("keys-{number:08}.seg"))
}

pub(super) fn state_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("state-{number:08}.seg"))
}

pub(super) fn changes_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("changes-{number:08}.seg"))
}

pub(super) fn log_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("log-{number:08}.log"))
}

/// A line of the log of stories.
pub(super) fn event_line(seq: u64, event: &str, story: u32, rest: &str) -> String {
    format!("{{\"seq\":{seq},\"event\":\"{event}\",\"story\":{story}{rest}}}\n")
}

/// What happened to stories, for those who follow: JSON lines, appended to.
#[derive(Debug)]
pub(super) struct Events {
    file: crate::index::DiskFile,
}

impl Events {
    pub(super) fn append(&mut self, lines: &str) -> Result<()> {
        if lines.is_empty() { Ok(()) } else { self.file.write(lines.as_bytes()) }
    }

    /// Opens the log behind what is known to be whole: the lines of changes that lie in segments. Those of the changes in
    /// the log are written again.
    fn open(disk: &Disk, folder: &Path, seq: u64, frames: &[(u64, String)]) -> Result<Self> {
        let path = folder.join(EVENTS);
        if !path.exists() {
            drop(disk.create(&path)?);
        }
        let end = end_of(&path, seq)?;
        let mut file = disk.append_to(&path, end)?;
        let rest: String = frames.iter().map(|(_, lines)| lines.as_str()).collect();
        if !rest.is_empty() {
            file.write(rest.as_bytes())?;
        }
        Ok(Self { file })
    }
}

pub(super) fn each_event(folder: &Path, after: u64, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let path = folder.join(EVENTS);
    let fail = |error| Error::io(&path, "read", error);
    let mut reader = BufReader::new(std::fs::File::open(&path).map_err(fail)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(fail)? > 0 {
        // The writer may be within the last line.
        if line.ends_with(b"\n") && seq_of(&line).is_some_and(|seq| seq > after) {
            each(&line)?;
        }
        line.clear();
    }
    Ok(())
}

/// Bytes at the end of the log of stories that are looked at first: more than two lines have.
const TOLD_LEN: u64 = 1 << 18;

/// The last bytes of a file, and how many are before them.
fn tail(path: &Path, len: u64) -> Result<(Vec<u8>, u64)> {
    let fail = |error| Error::io(path, "read", error);
    let mut file = std::fs::File::open(path).map_err(fail)?;
    let start = file.metadata().map_err(fail)?.len().saturating_sub(len);
    file.seek(SeekFrom::Start(start)).map_err(fail)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(fail)?;
    Ok((text, start))
}

/// Where the last line ends that tells of a change up to a number. What follows is told again.
fn end_of(path: &Path, seq: u64) -> Result<u64> {
    let mut len = TOLD_LEN;
    loop {
        let (text, start) = tail(path, len)?;
        let mut end = text.len();
        while end > 0 {
            let from = text[..end - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let line = &text[from..end];
            if line.ends_with(b"\n") && seq_of(line).is_some_and(|told| told <= seq) {
                return Ok(start + end as u64);
            }
            end = from;
        }
        if start == 0 {
            return Ok(0);
        }
        len *= 2;
    }
}

/// The number of the last change that the log of stories tells of.
pub(super) fn last_told(folder: &Path) -> Result<Option<u64>> {
    let path = folder.join(EVENTS);
    if !path.exists() {
        return Ok(None);
    }
    let (text, _) = tail(&path, TOLD_LEN)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(text[..whole].split(|byte| *byte == b'\n').rev().find_map(seq_of))
}

/// The number of the change that a line tells of.
fn seq_of(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"seq\":")?;
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..len]).ok()?.parse().ok()
}

impl Index {
    pub(super) fn open_on(disk: &Disk, folder: &Path, engine: Engine) -> Result<Self> {
        if !Manifest::is_in(folder) {
            Self::create(disk, folder, &engine)?;
        }
        let lock = Lock::take(folder)?;
        let manifest = Manifest::read(folder)?;
        let (mut index, loaded) = Self::load(disk, folder, engine, manifest)?;
        let (log, events) = open_logs(disk, folder, &index.manifest, &loaded)?;
        index.recovered = loaded.recovered;
        index.writing = Some(Writing { _lock: lock, log, events, is_halted: false });
        index.drop_leftovers()?;
        index.finish_expiry()?;
        Ok(index)
    }

    /// Opens an index that was made under another verdict, with the same sketches, and judges all of it anew. Stories keep
    /// their numbers as far as their clusters stay together; the index is compacted.
    ///
    /// # Errors
    /// Those of [`Index::open`] and [`Index::compact`]; the index stands as it was then.
    pub fn judge_anew(folder: &Path, engine: Engine) -> Result<Self> {
        let disk = Disk::default();
        let lock = Lock::take(folder)?;
        let manifest = Manifest { verdict: engine.profile().verdict_id(), ..Manifest::read(folder)? };
        let (mut index, loaded) = Self::load(&disk, folder, engine, manifest)?;
        let (log, events) = open_logs(&disk, folder, &index.manifest, &loaded)?;
        index.writing = Some(Writing { _lock: lock, log, events, is_halted: false });
        let pool = Arc::clone(&index.pool);
        let events = pool.install(|| {
            // First what has expired goes, and is told.
            let due = Change { dead: index.due(), ..Change::default() };
            let Derived { delta, mut events, .. } = index.derive(&due, &[])?;
            index.state.apply(&delta);
            index.is_expiry_done = true;
            events.extend(index.derive_all()?);
            Ok::<_, Error>(events)
        })?;
        // What happened to stories is a change of its own, which the new manifest comes with.
        let seq = index.seq + 1;
        let lines = index.describe(seq, &events)?;
        index.compact_ready(Some((seq, &index.telling(&lines))))?;
        index.writing.as_mut().expect("it was opened for writing").events.append(&lines)?;
        Ok(index)
    }

    /// The payload of a change that does nothing but tell of stories.
    fn telling(&self, lines: &str) -> Vec<u8> {
        let State { last_story, cutoff, arrival, .. } = self.state;
        let mut out = Bytes::default();
        out.word(0);
        Delta { last_story, cutoff, arrival, ..Delta::default() }.write(&mut out);
        out.0.extend_from_slice(lines.as_bytes());
        out.0
    }

    pub(super) fn create(disk: &Disk, folder: &Path, engine: &Engine) -> Result<()> {
        if !folder.exists() {
            std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create", e))?;
            let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
            disk.sync_folder(parent.unwrap_or(Path::new(".")))?;
        }
        let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, "read", e))?;
        for entry in entries {
            let name = entry.map_err(|e| Error::io(folder, "read", e))?.file_name().to_string_lossy().into_owned();
            // What an index leaves behind that was cut off while it was made.
            if !is_own(&name) {
                return Err(Error::ForeignFolder { folder: folder.to_path_buf(), found: name });
            }
        }
        let _lock = Lock::take(folder)?;
        // Another may have made it between the first look and the lock, and be done already.
        if Manifest::is_in(folder) {
            return Ok(());
        }
        let profile = engine.profile();
        let sketch = profile.sketch_id();
        drop(Log::create(disk, &log_path(folder, 1), &sketch)?);
        let manifest = Manifest {
            format: INDEX_FORMAT,
            sketch,
            verdict: profile.verdict_id(),
            level: engine.level.name().to_string(),
            near: engine.near.name().to_string(),
            records: engine.records.name().to_string(),
            seq: 0,
            next_file: 2,
            log: 1,
            state: 0,
            changes: Vec::new(),
            articles: Vec::new(),
            keys: Vec::new(),
        };
        manifest.write(disk, folder)
    }

    /// Opens what a manifest names, and carries out what the log holds beyond it.
    pub(super) fn load(disk: &Disk, folder: &Path, engine: Engine, manifest: Manifest) -> Result<(Self, Loaded)> {
        if cfg!(target_endian = "big") {
            let source = std::io::Error::new(std::io::ErrorKind::Unsupported, "its words are little-endian");
            return Err(Error::io(folder, "open", source));
        }
        // Who does not ask for thin records takes what the index has.
        let is_thin = manifest.records == Records::Thin.name();
        let engine = if is_thin { engine.with_records(Records::Thin) } else { engine };
        let profile = engine.profile();
        let fields = [
            ("sketch", &manifest.sketch, profile.sketch_id()),
            ("verdict", &manifest.verdict, profile.verdict_id()),
            ("level", &manifest.level, engine.level.name().to_string()),
            ("near", &manifest.near, engine.near.name().to_string()),
            ("records", &manifest.records, engine.records.name().to_string()),
        ];
        for (field, index, asked) in fields {
            if *index != asked {
                return Err(Error::OtherIndex { folder: folder.to_path_buf(), field, index: index.clone(), asked });
            }
        }
        let sketch = manifest.sketch.clone();
        let mut articles = Articles::default();
        let mut whens: Vec<i64> = Vec::new();
        for entry in &manifest.articles {
            let segment = open_articles(folder, entry, &sketch)?;
            add_segment(&mut articles, &mut whens, entry, &Arc::new(segment))?;
        }
        let mut filed_runs = Vec::new();
        for entry in &manifest.keys {
            filed_runs.push(open_keys(folder, entry, &sketch)?);
        }
        let state = saved::read(folder, &manifest, articles.len())?;
        let state = state.unwrap_or_else(|| State { cutoff: i64::MIN, arrival: i64::MIN, ..State::default() });
        let table = u32::try_from(manifest.next_file).expect("no index has four thousand million files");
        articles.begin_table(table);
        let keying = Arc::new(Keying::new(profile, engine.level, engine.near));
        let pool = Arc::new(engine.pool()?);
        let path = log_path(folder, manifest.log);
        // Looked at before the log, which is written first: a writer may be at work.
        let told = last_told(folder)?;
        let (frames, log_len) = read_log(&path, &sketch)?;
        refuse_cut(&path, told, manifest.seq, &frames)?;
        let whole_len = std::fs::metadata(&path).map_err(|e| Error::io(&path, "read", e))?.len();
        let mut index = Self {
            pool: Arc::clone(&pool),
            keying,
            folder: folder.to_path_buf(),
            disk: disk.clone(),
            writing: None,
            table,
            table_first: articles.len() as u32,
            num_counted: articles.len() as u32,
            num_offers: 0,
            newest: i64::MIN,
            recovered: Recovered::default(),
            is_expiry_done: false,
            articles,
            whens,
            state,
            unsaved: Unsaved::none(folder, &manifest),
            runs: Runs::new(filed_runs),
            seq: manifest.seq,
            margins: Margins::default(),
            crowds: Crowds::default(),
            flush_len: FLUSH_LEN,
            flush_bytes: FLUSH_BYTES,
            manifest,
            engine,
        };
        let mut events = Vec::new();
        for Frame { seq, payload } in &frames {
            let damaged = || Error::IndexDamaged {
                file: path.clone(),
                offset: 0,
                what: format!("change {seq} says what cannot be"),
            };
            if *seq != index.seq + 1 {
                return Err(damaged());
            }
            events.push((*seq, index.carry_out(payload).ok_or_else(damaged)?));
            index.seq = *seq;
        }
        index.num_counted = index.articles.len() as u32;
        let live = index.whens.iter().zip(&index.state.flags).filter(|(_, flags)| **flags & flag::LIVE != 0);
        index.newest = live.map(|(when, _)| believed(*when, index.state.arrival)).max().unwrap_or(i64::MIN);
        pool.install(|| index.make_keys())?;
        let recovered = Recovered {
            num_changes: frames.len() as u64,
            num_articles: index.articles.len() as u64 - u64::from(index.table_first),
            num_cut_bytes: whole_len.saturating_sub(log_len),
        };
        Ok((index, Loaded { log_len, events, recovered }))
    }

    /// Carries out a change that was written; what it tells of stories. `None` where it cannot be.
    fn carry_out(&mut self, payload: &[u8]) -> Option<String> {
        let mut input = Input(payload);
        for _ in 0..input.word()? {
            let lens = [input.word()?, input.word()?, input.word()?].map(|len| len as usize);
            let mut words = lens.into_iter().map(|len| {
                let bytes = input.bytes(len.checked_mul(8)?)?;
                Some(bytes.as_chunks().0.iter().map(|word| u64::from_ne_bytes(*word)).collect::<Vec<u64>>())
            });
            let [head, body, notes] = [words.next()??, words.next()??, words.next()??];
            self.articles.push_words(self.table, &head, &body, &notes);
            let article = self.articles.get(self.articles.len() as u32 - 1);
            self.whens.push(article.published().map_or(article.block_and_record().0 as i64, |time| time.0));
            self.state.flags.push(0);
            self.state.stories.push(0);
        }
        let changes = input.0;
        let delta = Delta::read(&mut input)?;
        if !delta.is_within(self.articles.len()) {
            return None;
        }
        self.state.apply(&delta);
        self.unsaved.add(&changes[..changes.len() - input.0.len()]);
        Some(std::str::from_utf8(input.0).ok()?.to_string())
    }

    /// Makes the keys of the articles in memory.
    fn make_keys(&mut self) -> Result<()> {
        let covers = (self.table_first, self.articles.len() as u32 - self.table_first);
        if covers.1 == 0 {
            return Ok(());
        }
        let lists: Vec<Vec<u64>> = (covers.0..covers.0 + covers.1)
            .into_par_iter()
            .map_init(KeyingScratch::default, |scratch, ordinal| {
                let article = self.articles.get(ordinal);
                let mut keys = self.keys_of(ordinal, scratch)?;
                keys.push(list_of_id(article.id()));
                keys.extend(article.exact_key().map(list_of_exact));
                Ok(keys)
            })
            .collect::<Result<_>>()?;
        let mut entries = ByList::new(lists.iter().map(Vec::len).sum());
        for (ordinal, keys) in (covers.0..).zip(lists) {
            keys.into_iter().for_each(|key| entries.add(key, ordinal));
        }
        self.runs.hold(entries.make_run(covers));
        Ok(())
    }

    pub(super) fn flush_if_large(&mut self) -> Result<()> {
        let num_articles = self.articles.len() - self.table_first as usize;
        let log_len = self.writing.as_ref().map_or(0, |writing| writing.log.len());
        if num_articles >= self.flush_len || log_len >= self.flush_bytes { self.flush() } else { Ok(()) }
    }

    /// Puts what lies in memory and in the log into segments.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written; the log stands then.
    pub fn flush(&mut self) -> Result<()> {
        self.ready()?;
        if self.seq == self.manifest.seq {
            return Ok(());
        }
        let done = self.flush_ready();
        if done.is_err() {
            self.writing.as_mut().expect("a writer flushes").is_halted = true;
        }
        done
    }

    fn flush_ready(&mut self) -> Result<()> {
        let sketch = self.manifest.sketch.clone();
        let mut manifest = Manifest { seq: self.seq, ..self.manifest.clone() };
        let mut numbers = u64::from(self.table)..;
        let mut number = || numbers.next().expect("numbers do not end");
        let covers = (self.table_first, self.articles.len() as u32 - self.table_first);
        let mut gone = vec![log_path(&self.folder, manifest.log)];
        let filed = self.runs.filed();
        let mut merged_from = filed.len();
        let table_number = number();
        if covers.1 > 0 {
            // Runs double in size, so that there are as many as the number of flushes has binary digits.
            let mut num = covers.1;
            while merged_from > 0 && filed[merged_from - 1].covers().1 <= num {
                merged_from -= 1;
                num += filed[merged_from].covers().1;
            }
            let first = filed.get(merged_from).map_or(covers.0, |run| run.covers().0);
            let keys_number = number();
            let write_articles = || {
                let ([heads, bodies, notes], places) = self.articles.table(self.table, covers.0 as usize);
                let path = articles_path(&self.folder, table_number);
                let mut writer = SegmentWriter::create(&self.disk, &path, Kind::Articles, &sketch, table_number)?;
                for words in [heads, bodies, notes] {
                    writer.begin_section()?;
                    writer.write(bytemuck::cast_slice(words))?;
                }
                finish_columns(writer, &places, &self.whens[covers.0 as usize..])
            };
            let write_keys = || {
                let path = keys_path(&self.folder, keys_number);
                let mut writer = RunWriter::create(&self.disk, &path, &sketch, keys_number, (first, num))?;
                merge(&mut writer, &self.runs.from(merged_from), Some)?;
                writer.finish()
            };
            let (of_articles, of_keys) = self.pool.install(|| rayon::join(write_articles, write_keys));
            let (file, bytes) = (table_number, of_articles?);
            manifest.articles.push(FileEntry { file, first: covers.0, num: covers.1, bytes });
            let merged = manifest.keys.drain(merged_from..).map(|entry| keys_path(&self.folder, entry.file));
            gone.extend(merged);
            manifest.keys.push(FileEntry { file: keys_number, first, num, bytes: of_keys? });
        }
        let Self { disk, folder, writing, state, unsaved, .. } = self;
        gone.extend(saved::write(disk, folder, &mut manifest, (state, Some((unsaved, covers))), number())?);
        let writing = writing.as_mut().expect("a writer flushes");
        writing.begin_anew(disk, folder, &mut manifest, None, number())?;
        *unsaved = Unsaved::none(folder, &manifest);
        self.manifest = manifest;
        if covers.1 > 0 {
            let entry = *self.manifest.articles.last().expect("one was added");
            let segment = Arc::new(open_articles(&self.folder, &entry, &sketch)?);
            // Who has looked at an article in memory does not look again.
            segment.trust();
            self.articles.replace_table(self.table, &segment, [section::HEADS, section::BODIES, section::NOTES]);
            let file = self.manifest.keys.last().expect("one was added").file;
            let run = KeyRun::open(&keys_path(&self.folder, file), &sketch)?;
            run.segment().expect("it was opened from a file").trust();
            let Self { pool, runs, .. } = &mut *self;
            pool.install(|| runs.put_away(merged_from, run));
            // Keys are looked up all over it, and what was written long ago is in memory no more.
            let run = self.runs.filed().last().and_then(KeyRun::segment).expect("it was put away");
            run.will_read(0, 0, run.section_len(0));
        }
        self.table = u32::try_from(self.manifest.next_file).expect("no index has four thousand million files");
        self.articles.begin_table(self.table);
        self.table_first = self.articles.len() as u32;
        gone.iter().try_for_each(|path| self.disk.remove(path))
    }

    /// Makes one segment of all, without what was removed or has expired, and gives their room back.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written, [`Error::IndexDamaged`] when something cannot be read; the index stands then.
    pub fn compact(&mut self) -> Result<()> {
        self.flush()?;
        self.finish_expiry()?;
        let done = self.compact_ready(None);
        if done.is_err() {
            self.writing.as_mut().expect("a writer compacts").is_halted = true;
        }
        done
    }

    /// `first` is the number and payload of a change that the new log begins with.
    fn compact_ready(&mut self, first_change: Option<(u64, &[u8])>) -> Result<()> {
        let sketch = self.manifest.sketch.clone();
        let live: Vec<u32> = (0..self.articles.len() as u32).filter(|ordinal| self.state.is_live(*ordinal)).collect();
        let mut number_of = vec![u32::MAX; self.articles.len()];
        for (ordinal, number) in live.iter().zip(0..) {
            number_of[*ordinal as usize] = number;
        }
        let renumbered = |ordinal: u32| Some(number_of[ordinal as usize]).filter(|number| *number != u32::MAX);
        let mut manifest = Manifest { seq: self.seq, articles: Vec::new(), keys: Vec::new(), ..self.manifest.clone() };
        let old = self.manifest.clone();
        let mut numbers = u64::from(self.table)..;
        let mut number = || numbers.next().expect("numbers do not end");
        let mut first = 0;
        for some in self.segments_of(&live)? {
            let file = number();
            let path = articles_path(&self.folder, file);
            let writer = SegmentWriter::create(&self.disk, &path, Kind::Articles, &sketch, file)?;
            let bytes = self.copy_articles(writer, file, some)?;
            let num = some.len() as u32;
            manifest.articles.push(FileEntry { file, first, num, bytes });
            first += num;
        }
        if first > 0 {
            let file = number();
            let path = keys_path(&self.folder, file);
            let mut writer = RunWriter::create(&self.disk, &path, &sketch, file, (0, first))?;
            let runs = self.runs.from(0);
            self.pool.install(|| merge(&mut writer, &runs, renumbered))?;
            let bytes = writer.finish()?;
            manifest.keys.push(FileEntry { file, first: 0, num: first, bytes });
        }
        let state = self.state.renumbered(&live, |ordinal| number_of[ordinal as usize]);
        saved::write(&self.disk, &self.folder, &mut manifest, (&state, None), number())?;
        let writing = self.writing.as_mut().expect("a writer compacts");
        writing.begin_anew(&self.disk, &self.folder, &mut manifest, first_change, number())?;
        let (fresh, _) = Self::load(&self.disk, &self.folder, self.engine.clone(), manifest)?;
        let writing = self.writing.take().expect("a writer compacts");
        // Offers that were made before are of another index.
        let num_offers = self.num_offers + 1;
        let Self { flush_len, flush_bytes, .. } = *self;
        let writing = Some(writing);
        *self = Self { writing, flush_len, flush_bytes, num_offers, is_expiry_done: true, ..fresh };
        files_of(&self.folder, &old).iter().try_for_each(|path| self.disk.remove(path))
    }

    /// Articles as segments take them: as many as are wanted in one, and as its places of 32 bits reach.
    fn segments_of<'o>(&self, ordinals: &'o [u32]) -> Result<Vec<&'o [u32]>> {
        let mut segments = Vec::new();
        let (mut start, mut num_bytes) = (0, 0);
        for (at, ordinal) in ordinals.iter().enumerate() {
            self.articles.look_at(*ordinal)?;
            num_bytes += self.articles.num_bytes(*ordinal) as u64;
            if at - start == COMPACT_LEN || num_bytes > MAX_COMPACT_BYTES {
                segments.push(&ordinals[start..at]);
                (start, num_bytes) = (at, 0);
            }
        }
        segments.extend((start < ordinals.len()).then(|| &ordinals[start..]));
        Ok(segments)
    }

    /// Writes articles into a segment of a number; its length.
    fn copy_articles(&self, mut writer: SegmentWriter, number: u64, ordinals: &[u32]) -> Result<u64> {
        let place = |at: u64| (number << 32) | (at / 8);
        let (mut bodies_at, mut notes_at, mut heads_at) = (0, 0, 0);
        let mut places = Vec::with_capacity(ordinals.len());
        writer.begin_section()?;
        for ordinal in ordinals {
            self.articles.look_at(*ordinal)?;
            let [head, body, notes] = self.articles.get(*ordinal).all_words();
            places.push((heads_at / 8) as u32);
            writer.write(bytemuck::cast_slice(&[place(bodies_at), place(notes_at)]))?;
            writer.write(bytemuck::cast_slice(head))?;
            heads_at = writer.section_len();
            bodies_at += 8 * body.len() as u64;
            notes_at += 8 * notes.len() as u64;
        }
        for part in [section::BODIES, section::NOTES] {
            writer.begin_section()?;
            for ordinal in ordinals {
                writer.write(bytemuck::cast_slice(self.articles.get(*ordinal).all_words()[part]))?;
            }
        }
        let whens: Vec<i64> = ordinals.iter().map(|ordinal| self.whens[*ordinal as usize]).collect();
        finish_columns(writer, &places, &whens)
    }

    /// Takes away what a process that was cut off left behind: files of an index that the manifest does not name.
    fn drop_leftovers(&self) -> Result<()> {
        let named: Vec<PathBuf> = files_of(&self.folder, &self.manifest);
        let entries = std::fs::read_dir(&self.folder).map_err(|e| Error::io(&self.folder, "read", e))?;
        for entry in entries {
            let entry = entry.map_err(|e| Error::io(&self.folder, "read", e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let keeps = ["manifest.toml", "lock", EVENTS].contains(&name.as_str());
            if is_own(&name) && !keeps && !named.contains(&entry.path()) {
                self.disk.remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// A log that ends before what the log of stories tells of has been cut.
pub(super) fn refuse_cut(path: &Path, told: Option<u64>, seq: u64, frames: &[Frame]) -> Result<()> {
    let last = frames.last().map_or(seq, |frame| frame.seq);
    match told {
        Some(told) if told > last => {
            let what = format!("ends with change {last}, but {EVENTS} tells of change {told}: the log is cut");
            Err(Error::IndexDamaged { file: path.to_path_buf(), offset: 0, what })
        }
        _ => Ok(()),
    }
}

impl Writing {
    /// Makes a manifest count, with a log of at most one change behind it, under the next number.
    fn begin_anew(
        &mut self,
        disk: &Disk,
        folder: &Path,
        manifest: &mut Manifest,
        first_change: Option<(u64, &[u8])>,
        number: u64,
    ) -> Result<()> {
        (manifest.format, manifest.log, manifest.next_file) = (INDEX_FORMAT, number, number + 1);
        let mut log = Log::create(disk, &log_path(folder, manifest.log), &manifest.sketch)?;
        if let Some((seq, payload)) = first_change {
            log.append(seq, payload)?;
        }
        self.events.file.sync()?;
        manifest.write(disk, folder)?;
        self.log = log;
        Ok(())
    }
}

/// Articles of one segment that compacting makes, and bytes.
const COMPACT_LEN: usize = 1 << 18;
const MAX_COMPACT_BYTES: u64 = 16 << 30;

/// Opens the log of changes and that of stories to be appended to.
fn open_logs(disk: &Disk, folder: &Path, manifest: &Manifest, loaded: &Loaded) -> Result<(Log, Events)> {
    let mut log = Log::append_to(disk, &log_path(folder, manifest.log), loaded.log_len)?;
    if !loaded.events.is_empty() {
        // A writer that was cut off may not have done so, and what is told of must last.
        log.sync()?;
    }
    Ok((log, Events::open(disk, folder, manifest.seq, &loaded.events)?))
}

/// What opening has found beside the index.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Where the log's last whole frame ends.
    pub(super) log_len: u64,
    /// What the changes in the log tell of stories.
    events: Vec<(u64, String)>,
    recovered: Recovered,
}

/// The files that a manifest names.
pub(super) fn files_of(folder: &Path, manifest: &Manifest) -> Vec<PathBuf> {
    let articles = manifest.articles.iter().map(|entry| articles_path(folder, entry.file));
    let keys = manifest.keys.iter().map(|entry| keys_path(folder, entry.file));
    let state = Some(manifest.state).filter(|state| *state > 0).map(|state| state_path(folder, state));
    let changes = manifest.changes.iter().map(|entry| changes_path(folder, entry.file));
    articles.chain(keys).chain(state).chain(changes).chain([log_path(folder, manifest.log)]).collect()
}

/// Whether a file's name is one that an index gives.
pub(super) fn is_own(name: &str) -> bool {
    let numbered = |head: &str, tail: &str| {
        let number = name.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
        number.is_some_and(|number| number.len() >= 8 && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    ["manifest.toml", "manifest.new", "lock", EVENTS].contains(&name)
        || ["articles-", "keys-", "state-", "changes-"].iter().any(|head| numbered(head, ".seg"))
        || numbered("log-", ".log")
}

fn finish_columns(mut writer: SegmentWriter, places: &[u32], whens: &[i64]) -> Result<u64> {
    writer.begin_section()?;
    writer.write(bytemuck::cast_slice(places))?;
    writer.begin_section()?;
    writer.write(bytemuck::cast_slice(whens))?;
    writer.finish()
}

pub(super) fn add_segment(
    articles: &mut Articles,
    whens: &mut Vec<i64>,
    entry: &FileEntry,
    segment: &Arc<Segment>,
) -> Result<()> {
    let all = |section: usize| segment.bytes(section, 0, segment.section_len(section));
    let places: Vec<u32> = all(section::PLACES)?.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
    whens.extend(all(section::WHENS)?.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)));
    if places.len() != entry.num as usize
        || articles.len() != entry.first as usize
        || whens.len() != articles.len() + places.len()
    {
        return Err(segment.damaged(0, "holds other articles than the manifest says"));
    }
    let number = entry.file as u32;
    articles.add_segment(number, segment, [section::HEADS, section::BODIES, section::NOTES], &places);
    Ok(())
}

pub(super) fn open_keys(folder: &Path, entry: &FileEntry, sketch: &str) -> Result<KeyRun> {
    let run = KeyRun::open(&keys_path(folder, entry.file), sketch)?;
    if run.covers() != (entry.first, entry.num) {
        let segment = run.segment().expect("it was opened from a file");
        return Err(segment.damaged(0, "covers other articles than the manifest says"));
    }
    Ok(run)
}

pub(super) fn open_articles(folder: &Path, entry: &FileEntry, sketch: &str) -> Result<Segment> {
    let segment = Segment::open(&articles_path(folder, entry.file), Kind::Articles, sketch, section::NUM)?;
    // Heads are what most pairs are judged by; ids, among the notes, tell the order in crowded buckets.
    segment.keep(section::HEADS);
    segment.keep(section::NOTES);
    Ok(segment)
}
