//! Articles as they come, against all that came before: an index in a folder, whose clusters are those of a run over
//! everything in it.

mod add;
mod check;
mod crowds;
mod decide;
mod derive;
mod files;
mod query;
mod runs;
mod saved;
mod state;
mod story;

pub use add::{Added, Offer};
pub use check::Checked;
pub use decide::Decision;
pub use query::Hit;

use super::analyze::Groups;
use super::keys::{Keying, NO_RANK};
use super::store::Articles;
use super::{Clustering, Engine, Found, NearSketch, Stats};
use crate::article::Timestamp;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::hash::HashMap;
use crate::index::{Disk, Lock, Log, Manifest, list_of_id};
use crate::sketch::Records;
use crate::verify::Level;
use crowds::Crowds;
use rayon::prelude::*;
use runs::Runs;
use saved::Unsaved;
use state::State;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// An index in a folder: articles of days or years, against which new ones are held.
///
/// One that is made by an engine with [`Records::Thin`] keeps sketches in place of records: all else is the same, but its
/// answer is that of such an engine. It says so itself: an engine that does not ask for thin records takes what is there.
///
/// One process writes at a time; any number read, each what was there when it opened the index. What was added is there
/// after a crash of the process or the machine.
///
/// ```
/// use samestory::{Article, Engine, Index, Profile};
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path().join("index");
/// let mut index = Index::open(&folder, Engine::new(Profile::default()))?;
/// let story = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, and fishermen \
///              brought most of them ashore before the coast guard came.";
/// index.add(vec![Article::new("a", story)])?;
/// let hits = index.query(&Article::new("b", story.to_uppercase()))?;
/// assert_eq!((hits[0].id.as_str(), hits[0].relation.name()), ("a", "exact"));
/// index.add(vec![Article::new("b", story.to_uppercase()), Article::new("c", "Rain.")])?;
/// assert_eq!(index.clusters()?.stats.num_clusters, 2);
/// # Ok::<(), samestory::Error>(())
/// ```
#[derive(Debug)]
pub struct Index {
    engine: Engine,
    pool: Arc<rayon::ThreadPool>,
    keying: Arc<Keying>,
    folder: PathBuf,
    disk: Disk,
    manifest: Manifest,
    /// Of a writer.
    writing: Option<Writing>,
    articles: Articles,
    /// When each article was published, else when it came.
    whens: Vec<i64>,
    state: State,
    unsaved: Unsaved,
    runs: Runs,
    /// Number of the file that the articles in memory will be in, and the first of them.
    table: u32,
    table_first: u32,
    /// Articles of changes that were written; further ones are on offer.
    num_counted: u32,
    num_offers: u64,
    /// The newest moment that an article is taken to be from.
    newest: i64,
    recovered: Recovered,
    /// Whether what follows from the moment that articles expire before was derived.
    is_expiry_done: bool,
    /// Number of the last change.
    seq: u64,
    margins: Margins,
    crowds: Crowds,
    flush_len: usize,
    flush_bytes: u64,
}

/// What a writer has.
#[derive(Debug)]
struct Writing {
    _lock: Lock,
    log: Log,
    events: files::Events,
    /// Whether a change could not be written.
    is_halted: bool,
}

/// How often a folder is read anew that a writer changes meanwhile.
const TRIES: usize = 8;

/// Articles in memory at which they are put in a segment, and bytes of the log: some records are long, and so is a change that
/// touches large clusters.
const FLUSH_LEN: usize = 1 << 15;
const FLUSH_BYTES: u64 = 256 << 20;

/// What opening an index took from its log: changes that were made to last and are in no segment yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Changes.
    pub num_changes: u64,
    /// Articles in them.
    pub num_articles: u64,
    /// Bytes behind them of a change that was being written when the writer ended; it never counted.
    pub num_cut_bytes: u64,
}

/// Counts of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexStats {
    /// Live articles.
    pub num_articles: u64,
    /// Articles removed or expired whose bytes are still on disk.
    pub num_gone: u64,
    /// Stories, those of one article included.
    pub num_stories: u64,
    /// Matches between live articles, exact copies left out.
    pub num_matches: u64,
    /// Segments with articles, and with keys.
    pub num_segments: (u64, u64),
    /// Articles that lie in the log and not yet in a segment.
    pub num_in_log: u64,
    /// Bytes of all files.
    pub num_bytes: u64,
    /// The oldest and newest live article: published, else arrived.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Number of the last change.
    pub seq: u64,
    /// What is kept of an article.
    pub records: Records,
}

impl Index {
    /// Opens the index of a folder for writing, and makes it where there is none.
    ///
    /// # Errors
    /// [`Error::IndexInUse`] while another process writes it; [`Error::OtherIndex`] when it was made under another profile
    /// or level; [`Error::IndexDamaged`] and [`Error::IndexFormat`]; [`Error::ForeignFolder`] when the folder holds
    /// something else.
    pub fn open(folder: &Path, engine: Engine) -> Result<Self> {
        Self::open_on(&Disk::default(), folder, engine)
    }

    /// Opens the index of a folder for reading: what is in it now, whatever comes or goes later.
    ///
    /// # Errors
    /// [`Error::NoIndex`] where there is none, and those of [`Index::open`] but [`Error::IndexInUse`].
    pub fn read(folder: &Path, engine: Engine) -> Result<Self> {
        // Files may go between the manifest that names them and their opening.
        let mut tries = 0;
        loop {
            let manifest = Manifest::read(folder)?;
            match Self::load(&Disk::default(), folder, engine.clone(), manifest) {
                Ok((mut index, _)) => {
                    index.catch_up()?;
                    return Ok(index);
                }
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound && tries < TRIES => {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a folder holds an index.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        Manifest::is_in(folder)
    }

    /// The level and the sketch for near copies that the index of a folder was made for; `None` where there is none that
    /// can be read.
    #[must_use]
    pub fn made_for(folder: &Path) -> Option<(Level, NearSketch)> {
        let manifest = Manifest::read(folder).ok()?;
        let level = Level::ALL.into_iter().find(|level| level.name() == manifest.level)?;
        let near = NearSketch::ALL.into_iter().find(|near| near.name() == manifest.near)?;
        Some((level, near))
    }

    /// Calls `each` with every line of the log of stories that tells of a change after one's number (`docs/format.md`).
    ///
    /// # Errors
    /// When there is no index, the log cannot be read, and what `each` returns.
    pub fn each_event(folder: &Path, after: u64, each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        Manifest::read(folder)?;
        files::each_event(folder, after, each)
    }

    /// What opening took from the log.
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Live articles.
    #[must_use]
    pub fn len(&self) -> usize {
        (0..self.articles.len() as u32).filter(|ordinal| self.is_current(*ordinal)).count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an article is live and not too old.
    fn is_current(&self, ordinal: u32) -> bool {
        self.state.is_live(ordinal) && self.whens[ordinal as usize] >= self.state.cutoff
    }

    /// The live article of an id.
    fn find_id(&self, id: &str) -> Result<Option<u32>> {
        let mut found = Vec::new();
        self.runs.find(list_of_id(id), &mut found)?;
        for ordinal in found.into_iter().filter(|ordinal| self.state.is_live(*ordinal)) {
            self.articles.look_at(ordinal)?;
            if self.articles.get(ordinal).id() == id {
                return Ok(Some(ordinal));
            }
        }
        Ok(None)
    }

    /// The clusters of all live articles: what [`Engine::cluster`] says of them, byte for byte; pairs and links are not
    /// in it.
    ///
    /// # Errors
    /// [`Error::IndexDamaged`] when something is not as it was written.
    pub fn clusters(&self) -> Result<Clustering> {
        let pool = Arc::clone(&self.pool);
        pool.install(|| {
            let state = self.settled()?;
            let mut live: Vec<u32> = (0..self.articles.len() as u32).filter(|o| self.is_current(*o)).collect();
            live.par_iter().try_for_each(|ordinal| self.articles.look_at(*ordinal))?;
            live.par_sort_unstable_by_key(|ordinal| self.articles.get(*ordinal).id());
            let mut ranks = vec![NO_RANK; self.articles.len()];
            for (ordinal, rank) in live.iter().zip(0..) {
                ranks[*ordinal as usize] = rank;
            }
            let articles = self.articles.select(&live);
            let groups = Groups::new(&articles);
            let stats = Stats { num_exact_copies: groups.num_copies() as u64, ..Stats::default() };
            let mut clusters: Vec<Cluster> = state
                .groups
                .values()
                .map(|group| {
                    let mut members: Vec<u32> = group.members.iter().map(|member| ranks[*member as usize]).collect();
                    members.sort_unstable();
                    Cluster { representative: ranks[group.representative as usize], members }
                })
                .collect();
            clusters.sort_unstable_by(|a, b| a.members.cmp(&b.members));
            Ok(Clustering::new(self.engine.clone(), articles, &groups, clusters, Found::default(), stats))
        })
    }

    /// The story that each live article is in, by id.
    ///
    /// # Errors
    /// [`Error::IndexDamaged`] when something is not as it was written.
    pub fn stories(&self) -> Result<Vec<(String, u32)>> {
        let mut stories = Vec::new();
        for ordinal in (0..self.articles.len() as u32).filter(|ordinal| self.is_current(*ordinal)) {
            self.articles.look_at(ordinal)?;
            stories.push((self.articles.get(ordinal).id().to_string(), self.state.stories[ordinal as usize]));
        }
        stories.sort_unstable();
        Ok(stories)
    }

    /// The story that the live article of an id is in, and the ids of all in it, in order.
    ///
    /// # Errors
    /// [`Error::IndexDamaged`] when something is not as it was written.
    pub fn story_of(&self, id: &str) -> Result<Option<(u32, Vec<String>)>> {
        let Some(ordinal) = self.find_id(id)?.filter(|ordinal| self.is_current(*ordinal)) else { return Ok(None) };
        let story = self.state.stories[ordinal as usize];
        let mut members = self.state.groups.get(&story).map_or_else(|| vec![ordinal], |group| group.members.clone());
        for member in members.clone() {
            members.extend(self.copies_of(member)?);
        }
        members.retain(|member| self.is_current(*member));
        let mut ids: Vec<String> = members.iter().map(|member| self.articles.get(*member).id().to_string()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Some((story, ids)))
    }

    /// Counts.
    #[must_use]
    pub fn stats(&self) -> IndexStats {
        let live = || (0..self.articles.len() as u32).filter(|ordinal| self.is_current(*ordinal));
        let mut stories: Vec<u32> = live().map(|ordinal| self.state.stories[ordinal as usize]).collect();
        let num_articles = stories.len() as u64;
        stories.sort_unstable();
        stories.dedup();
        let when = |ordinal: u32| self.whens[ordinal as usize];
        let [oldest, newest] = [live().map(when).min(), live().map(when).max()];
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        IndexStats {
            num_articles,
            num_gone: self.articles.len() as u64 - num_articles,
            num_stories: stories.len() as u64,
            num_matches: self.state.edges.values().map(|edges| edges.len() as u64).sum::<u64>() / 2,
            num_segments: (self.manifest.articles.len() as u64, self.runs.filed().len() as u64),
            num_in_log: self.articles.len() as u64 - u64::from(self.table_first),
            num_bytes: files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum(),
            span: oldest.zip(newest).map(|(oldest, newest)| (Timestamp(oldest), Timestamp(newest))),
            seq: self.seq,
            records: self.engine.records,
        }
    }
}

/// Margins of pairs that clustering has asked for beside the matches: a growing cluster asks for the same ones again.
#[derive(Debug, Default)]
struct Margins(Mutex<HashMap<(u32, u32), i32>>);

/// Margins that are kept, at some 20 bytes each.
const MAX_MARGINS: usize = 1 << 21;

impl Margins {
    fn lock(&self) -> MutexGuard<'_, HashMap<(u32, u32), i32>> {
        self.0.lock().expect("no worker panics while it looks")
    }

    fn get_or(&self, first: u32, second: u32, judge: impl FnOnce() -> i32) -> i32 {
        if let Some(margin) = self.lock().get(&(first, second)) {
            return *margin;
        }
        let margin = judge();
        let mut kept = self.lock();
        if kept.len() >= MAX_MARGINS {
            kept.clear();
        }
        kept.insert((first, second), margin);
        margin
    }

    fn clear(&self) {
        self.lock().clear();
    }
}

// On other machines an index is refused by name.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests;
