//! The stages put together: articles in, clusters out. The only user of rayon.

mod analyze;
mod clustering;
mod keys;
mod plan;
mod progress;

pub use analyze::Analyzed;
pub use clustering::{Clustering, Keep, Kept, Member, Pair, Replaced, Stats};
pub use plan::{Crowd, Drawn, Plan, PlannedBytes, PlannedSeconds, WeightsAge};
pub use progress::Progress;

use crate::article::Article;
use crate::cluster::{Cluster, Match, Pairs, cluster_component, components};
use crate::error::{Error, Result};
use crate::hash::HashMap;
use crate::profile::Profile;
use crate::verify::{Level, Relation, Scratch, Verdict, judge};
use analyze::{Analyzer, Groups, sort_and_check};
use keys::{KeyTable, Keying};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Articles of the largest component that is clustered whole; a larger one is cut along its weakest matches first.
pub const COMPONENT_LIMIT: usize = 400;
/// What a pair counts at least in a mean: one that was not measured in full says that it is no match by itself, not by
/// how much. Eight nats.
const LEAST_MARGIN: i32 = -8 * 1024;
/// How far under the threshold a pair that is neither match nor link is kept for audit. Two nats.
const NEAR_MISS_MARGIN: i32 = 2 * 1024;
/// Blocks that wait for a worker, for each worker: bounds the memory of reading ahead.
const BLOCKS_AHEAD: usize = 4;

/// Pairs that a worker takes at once, and counts at once for those who watch.
const COUNTED_PAIRS: usize = 64;

/// How near copies are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NearSketch {
    /// Bands of a MinHash signature.
    #[default]
    MinHash,
    /// Blocks of a SimHash fingerprint: cheaper, and blind to pairs more than four bits apart.
    SimHash,
}

/// What to do with articles that share an id and differ in text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// An error that names both.
    #[default]
    Refuse,
    /// The newest stands: by version, then time of publication, then hash of the text; never by arrival.
    Newest,
}

/// Whether a run holds on to what its articles say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Texts {
    /// No: the records suffice for a verdict.
    #[default]
    Dropped,
    /// Yes, and on to headlines: [`Clustering::differences`] and the report quote them.
    Held,
}

/// Runs the stages over a set of articles under one profile.
///
/// The answer is a function of the set: neither threads nor order of arrival change it.
///
/// ```
/// use samestory::{Article, Engine, Profile};
/// let story = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, and fishermen \
///              brought most of them ashore before the coast guard came.";
/// let articles = [Article::new("a", story), Article::new("b", story.to_uppercase()), Article::new("c", "Rain.")];
/// let clustering = Engine::new(Profile::default()).cluster(articles)?;
/// assert_eq!(clustering.stats.num_clusters, 2);
/// # Ok::<(), samestory::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    profile: Profile,
    threads: usize,
    level: Level,
    near: NearSketch,
    versions: Versions,
    texts: Texts,
    progress: Arc<Progress>,
}

impl Engine {
    /// An engine with as many threads as the machine has cores, at the level of rewrites.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            threads: 0,
            level: Level::default(),
            near: NearSketch::default(),
            versions: Versions::default(),
            texts: Texts::default(),
            progress: Arc::default(),
        }
    }

    /// The same engine with a number of worker threads; 0 for one a core.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The same engine at another level.
    #[must_use]
    pub fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The same engine with another sketch for near copies.
    #[must_use]
    pub fn with_near(mut self, near: NearSketch) -> Self {
        self.near = near;
        self
    }

    /// The same engine with another rule for articles that share an id.
    #[must_use]
    pub fn with_versions(mut self, versions: Versions) -> Self {
        self.versions = versions;
        self
    }

    /// The same engine holding the texts of what it clusters, or not.
    #[must_use]
    pub fn with_texts(mut self, texts: Texts) -> Self {
        self.texts = texts;
        self
    }

    /// How far the engine's run is, and that of its clones; of several the last.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// The profile in force.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Clusters articles from an iterator.
    ///
    /// # Errors
    /// [`Error::RepeatedId`] when two articles share an id and differ in text; [`Error::Threads`] when no thread can be
    /// started.
    pub fn cluster(&self, articles: impl IntoIterator<Item = Article>) -> Result<Clustering> {
        let blocks = Batches { articles: articles.into_iter().enumerate() };
        self.cluster_blocks(blocks.map(Ok), |block| block)
    }

    /// Clusters articles from blocks that the workers parse in parallel.
    ///
    /// # Errors
    /// Those of [`Engine::cluster`], and the first that `blocks` yields.
    pub fn cluster_blocks<B: Send>(
        &self,
        blocks: impl Iterator<Item = Result<B>>,
        parse: impl Fn(B) -> Vec<Article> + Sync,
    ) -> Result<Clustering> {
        let pool = self.pool()?;
        let started = Instant::now();
        let keying = Keying::new(&self.profile, self.level, self.near);
        let (analyzed, keys) = self.analyze_blocks(&pool, &keying, blocks, parse)?;
        let analysis_seconds = started.elapsed().as_secs_f64();
        let mut clustering = pool.install(|| self.cluster_analyzed(analyzed, &keying, keys))?;
        clustering.stats.analysis_seconds = analysis_seconds;
        clustering.stats.total_seconds = started.elapsed().as_secs_f64();
        Ok(clustering)
    }

    /// Judges one pair of articles.
    #[must_use]
    pub fn judge(&self, first: &Article, second: &Article) -> Verdict {
        let analyzer = Analyzer::new(&self.profile);
        let (first, second) = (analyzer.analyze(first), analyzer.analyze(second));
        self.judge_analyzed(&first, &second, &mut Scratch::default())
    }

    /// What the later stages read of one article.
    #[must_use]
    pub fn analyze(&self, article: &Article) -> Analyzed {
        Analyzer::new(&self.profile).analyze(article)
    }

    fn judge_analyzed(&self, first: &Analyzed, second: &Analyzed, scratch: &mut Scratch) -> Verdict {
        let mut verdict = judge(&first.record, &second.record, &self.profile, self.level, scratch);
        if first.exact_key.is_some() && first.exact_key == second.exact_key {
            verdict.relation = Relation::Exact;
            verdict.undirected = Relation::Exact;
            verdict.margin = verdict.margin.max(0);
            verdict.probability_e4 = 10_000;
        }
        verdict
    }

    fn pool(&self) -> Result<rayon::ThreadPool> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()
            .map_err(|error| Error::Threads { threads: self.threads, reason: error.to_string() })
    }

    /// Reads blocks on this thread; parses, sketches and makes keys on the pool's.
    fn analyze_blocks<B: Send>(
        &self,
        pool: &rayon::ThreadPool,
        keying: &Keying,
        blocks: impl Iterator<Item = Result<B>>,
        parse: impl Fn(B) -> Vec<Article> + Sync,
    ) -> Result<(Vec<Analyzed>, Vec<KeyTable>)> {
        let analyzer = Analyzer::new(&self.profile);
        let num_analyzed = AtomicU32::new(0);
        let each = |(own, keys): &mut (Vec<Analyzed>, KeyTable), block| {
            let articles = parse(block);
            let numbers = num_analyzed.fetch_add(articles.len() as u32, Ordering::Relaxed)..;
            for (article, number) in articles.iter().zip(numbers) {
                let held = (self.texts == Texts::Held).then_some(article);
                let text = held.map(|article| article.text.as_str().into());
                let title = held.and_then(|article| article.title.as_deref()).map(Into::into);
                let analyzed = Analyzed { number, text, title, ..analyzer.analyze(article) };
                keying.add(&analyzed, keys);
                own.push(analyzed);
            }
        };
        let (analyzed, keys): (Vec<_>, Vec<_>) = work_off(pool, blocks, each)?.into_iter().unzip();
        let mut parts = analyzed.into_iter();
        let mut all = parts.next().unwrap_or_default();
        parts.for_each(|mut part| all.append(&mut part));
        Ok((all, keys))
    }

    /// From records to clusters; runs inside the pool.
    fn cluster_analyzed(&self, analyzed: Vec<Analyzed>, keying: &Keying, keys: Vec<KeyTable>) -> Result<Clustering> {
        let mut stats = Stats::default();
        let num_analyzed = analyzed.len();
        let (articles, replaced) = sort_and_check(analyzed, self.versions, &mut stats)?;
        let groups = Groups::new(&articles);
        stats.num_exact_copies = groups.num_copies() as u64;

        let mut verdicts = Vec::new();
        if self.level != Level::Exact {
            let started = Instant::now();
            let ranks = groups.ranks_by_number(&articles, num_analyzed);
            let pairs = keying.candidates(&keys, &ranks, &articles, &mut stats);
            drop(keys);
            stats.candidates_seconds = started.elapsed().as_secs_f64();
            stats.num_candidates = pairs.len() as u64;
            let started = Instant::now();
            self.progress.begin_verifying(stats.num_candidates);
            verdicts = self.verify(&articles, &pairs);
            self.progress.end_verifying(stats.num_candidates);
            stats.verify_seconds = started.elapsed().as_secs_f64();
        }
        let started = Instant::now();
        let clusters = self.cluster_matches(&articles, &verdicts);
        stats.cluster_seconds = started.elapsed().as_secs_f64();
        let mut clustering = Clustering::new(self.clone(), articles, &groups, clusters, verdicts, stats);
        clustering.replaced = replaced;
        Ok(clustering)
    }

    /// Judges candidate pairs; those that are neither match nor link nor a near miss are left out.
    fn verify(&self, articles: &[Analyzed], pairs: &[(u32, u32)]) -> Vec<(u32, u32, Verdict)> {
        pairs
            .par_iter()
            .with_min_len(COUNTED_PAIRS)
            .map_init(<(Scratch, usize)>::default, |(scratch, num_verified), (a, b)| {
                let verdict = self.judge_analyzed(&articles[*a as usize], &articles[*b as usize], scratch);
                *num_verified += 1;
                if num_verified.is_multiple_of(COUNTED_PAIRS) {
                    self.progress.add_verified(COUNTED_PAIRS as u64);
                }
                (*a, *b, verdict)
            })
            .filter(|(_, _, verdict)| {
                let relation = verdict.relation;
                relation.is_match() || relation.is_link() || verdict.margin >= -NEAR_MISS_MARGIN
            })
            .collect()
    }

    fn cluster_matches(&self, articles: &[Analyzed], verdicts: &[(u32, u32, Verdict)]) -> Vec<Cluster> {
        let matches: Vec<Match> = verdicts
            .iter()
            .filter(|(_, _, verdict)| verdict.relation.is_match())
            .map(|(a, b, verdict)| Match {
                a: *a,
                b: *b,
                margin: verdict.margin,
                excerpt: (verdict.relation == Relation::Excerpt).then_some(if verdict.is_forward { *a } else { *b }),
            })
            .collect();
        components(articles.len(), &matches, COMPONENT_LIMIT)
            .par_iter()
            .flat_map_iter(|component| {
                let known = component.iter().map(|m| ((m.a, m.b), m.margin)).collect();
                let mut pairs = OnDemand { engine: self, articles, known, scratch: Scratch::default() };
                cluster_component(component, &mut pairs)
            })
            .collect()
    }
}

/// Reads blocks on this thread and hands each to one of the pool's; what the workers have gathered.
fn work_off<B: Send, W: Default + Send>(
    pool: &rayon::ThreadPool,
    blocks: impl Iterator<Item = Result<B>>,
    each: impl Fn(&mut W, B) + Sync,
) -> Result<Vec<W>> {
    let done: Mutex<Vec<W>> = Mutex::default();
    let num_workers = pool.current_num_threads();
    let (sender, receiver) = sync_channel::<B>(num_workers * BLOCKS_AHEAD);
    let receiver = Arc::new(Mutex::new(receiver));
    let mut failed = None;
    pool.in_place_scope(|scope| {
        for _ in 0..num_workers {
            let receiver = Arc::clone(&receiver);
            let (done, each) = (&done, &each);
            scope.spawn(move |_| {
                let mut own = W::default();
                while let Ok(block) = { receiver.lock().expect("no worker panics while it waits").recv() } {
                    each(&mut own, block);
                }
                done.lock().expect("no worker panics while it appends").push(own);
            });
        }
        drop(receiver);
        for block in blocks {
            match block {
                // Sending fails only when all workers are gone; the scope then carries their panic on.
                Ok(block) => {
                    if sender.send(block).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        drop(sender);
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(done.into_inner().expect("no worker panics while it appends")),
    }
}

/// Articles in blocks of a few hundred, with their place in the iterator.
struct Batches<I> {
    articles: std::iter::Enumerate<I>,
}

impl<I: Iterator<Item = Article>> Iterator for Batches<I> {
    type Item = Vec<Article>;

    fn next(&mut self) -> Option<Vec<Article>> {
        let mut batch = Vec::new();
        for (i, mut article) in self.articles.by_ref().take(256) {
            if article.origin.place.is_empty() {
                article.origin.block = i as u64;
                article.origin.place = format!("article {}", i + 1).into();
            }
            batch.push(article);
        }
        (!batch.is_empty()).then_some(batch)
    }
}

/// Verifies pairs of a component as clustering asks for them.
struct OnDemand<'a> {
    engine: &'a Engine,
    articles: &'a [Analyzed],
    known: HashMap<(u32, u32), i32>,
    scratch: Scratch,
}

impl Pairs for OnDemand<'_> {
    fn margin(&mut self, a: u32, b: u32) -> i32 {
        let (a, b) = (a.min(b), a.max(b));
        if let Some(margin) = self.known.get(&(a, b)) {
            return *margin;
        }
        let (first, second) = (&self.articles[a as usize], &self.articles[b as usize]);
        let margin = self.engine.judge_analyzed(first, second, &mut self.scratch).margin.max(LEAST_MARGIN);
        self.known.insert((a, b), margin);
        margin
    }

    fn precedence(&self, article: u32) -> (i64, u32) {
        self.articles[article as usize].precedence(article)
    }

    fn content_len(&self, article: u32) -> usize {
        self.articles[article as usize].record.content.len()
    }
}
