//! The stages put together: articles in, clusters out. The only user of rayon.

mod analyze;
mod clustering;
mod incremental;
mod keys;
mod pairs;
mod plan;
mod progress;
mod row;
mod spill;
pub mod stages;
mod store;

pub use analyze::Analyzed;
pub use clustering::{Clustering, Keep, Kept, Member, Pair, Replaced, Stats};
pub use incremental::{Added, Checked, Decision, Hit, Index, IndexStats, Offer, Recovered};
pub use plan::{Crowd, Drawn, Plan, PlannedBytes, PlannedSeconds, WeightsAge};
pub use progress::Progress;
pub use row::{ClusterRow, decimals};
pub use store::{ArticleView, Articles};

use crate::article::Article;
use crate::cluster::{Cluster, Match, Pairs, cluster_component, components};
use crate::error::{Error, Result};
use crate::hash::HashMap;
use crate::lsh::{BucketCounts, CrowdRule, ShardScratch};
use crate::profile::Profile;
use crate::sketch::{Record, Records};
use crate::verify::{Level, Relation, Scratch, Verdict, judge};
use analyze::{Analyzer, Groups, sort_and_check};
use keys::{KeyStore, Keying, NUM_SECTIONS, SealedKeys};
use pairs::{Gathering, PairStore};
use rayon::prelude::*;
use spill::Budget;
use std::path::PathBuf;
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
/// Share of the memory allowed that records, keys and pairs may take; the rest is for blocks, scratch space and what is
/// kept for each article.
const HELD_PERCENT: u64 = 60;
/// Blocks that wait for a worker, for each worker: bounds the memory of reading ahead.
const BLOCKS_AHEAD: usize = 4;

/// What a representative is to itself.
const REPRESENTATIVE: (Option<Relation>, u16) = (None, 10_000);

/// Pairs that a worker takes at once: their heads are read ahead, and they are counted for those who watch.
const COUNTED_PAIRS: usize = 16;

/// How near copies are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NearSketch {
    /// Bands of a MinHash signature.
    #[default]
    MinHash,
    /// Blocks of a SimHash fingerprint: cheaper, and blind to pairs more than four bits apart.
    SimHash,
}

impl NearSketch {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::MinHash, Self::SimHash];

    /// What options and files call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MinHash => "minhash",
            Self::SimHash => "simhash",
        }
    }
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

impl Versions {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Refuse, Self::Newest];

    /// What options call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Newest => "newest",
        }
    }
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

/// Whether a run holds on to the verdicts on its pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdicts {
    /// No: matches are clustered, links counted.
    Counted,
    /// Yes: [`Clustering::pairs`] and its kin have them. Some 200 bytes a pair stay in memory.
    #[default]
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
    records: Records,
    texts: Texts,
    verdicts: Verdicts,
    memory: u64,
    temp_folder: PathBuf,
    progress: Arc<Progress>,
    /// [`COMPONENT_LIMIT`], but in tests.
    component_limit: usize,
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
            records: Records::default(),
            texts: Texts::default(),
            verdicts: Verdicts::default(),
            memory: u64::MAX,
            temp_folder: std::env::temp_dir(),
            progress: Arc::default(),
            component_limit: COMPONENT_LIMIT,
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

    /// The same engine that keeps whole records or thin ones. By thin ones its answers are others, a little worse; an index
    /// of them takes less than half the room.
    #[must_use]
    pub fn with_records(mut self, records: Records) -> Self {
        self.records = records;
        self
    }

    /// The same engine holding the texts of what it clusters, or not.
    #[must_use]
    pub fn with_texts(mut self, texts: Texts) -> Self {
        self.texts = texts;
        self
    }

    /// The same engine holding verdicts, or not.
    #[must_use]
    pub fn with_verdicts(mut self, verdicts: Verdicts) -> Self {
        self.verdicts = verdicts;
        self
    }

    /// The same engine within a number of bytes: what does not fit lies in temporary files, and the answer is the same.
    /// What a run needs for each article and for the pairs that it hands back, some 100 and 200 bytes, it takes anyhow.
    #[must_use]
    pub fn with_memory(mut self, num_bytes: u64) -> Self {
        self.memory = num_bytes;
        self
    }

    /// The same engine with its temporary files in a folder; by default the system's. They have no name there, and are
    /// gone when the process is.
    #[must_use]
    pub fn with_temp_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.temp_folder = folder.into();
        self
    }

    /// The same engine told of and ended by this, apart from its clones.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// The same engine under another profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
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
        self.cluster_blocks(blocks.map(Ok), Ok)
    }

    /// Clusters articles from blocks that the workers parse in parallel.
    ///
    /// # Errors
    /// Those of [`Engine::cluster`], the first that `blocks` yields, one that `parse` gives (reading ends then, and the
    /// blocks before are parsed), and [`Error::Io`] when a temporary file cannot be written.
    pub fn cluster_blocks<B: Send>(
        &self,
        blocks: impl Iterator<Item = Result<B>>,
        parse: impl Fn(B) -> Result<Vec<Article>> + Sync,
    ) -> Result<Clustering> {
        let pool = self.pool()?;
        let started = Instant::now();
        let keying = Keying::new(&self.profile, self.level, self.near);
        let budget = Budget::new(self.memory / 100 * HELD_PERCENT, self.temp_folder.clone());
        let read = self.read(&pool, &keying, &budget, blocks, parse)?;
        let analysis_seconds = started.elapsed().as_secs_f64();
        let mut clustering = pool.install(|| self.cluster_read(read, &keying, &budget))?;
        clustering.stats.analysis_seconds = analysis_seconds;
        clustering.stats.total_seconds = started.elapsed().as_secs_f64();
        Ok(clustering)
    }

    /// Clusters the articles of an answer anew under this engine's profile, level and sketch for near copies: what
    /// [`Engine::cluster`] says of them, without sketching. Texts and headlines stay held where they were.
    ///
    /// # Errors
    /// [`Error::OtherSketch`] when the profile's sketches are others, and those of [`Engine::cluster_blocks`].
    pub fn cluster_anew(&self, answer: &Clustering) -> Result<Clustering> {
        let (found, asked) = (answer.profile().sketch_id(), self.profile.sketch_id());
        if found != asked {
            return Err(Error::OtherSketch { found, asked });
        }
        let started = Instant::now();
        let pool = self.pool()?;
        let keying = Keying::new(&self.profile, self.level, self.near);
        let budget = Budget::new(self.memory / 100 * HELD_PERCENT, self.temp_folder.clone());
        let mut clustering = pool.install(|| {
            let keys = keying.keys_of(&answer.articles, &budget, || self.progress.go_on())?;
            let numbers = (0..answer.articles.len() as u32).collect();
            let before = &answer.stats;
            let stats = Stats {
                num_repeated_lines: before.num_repeated_lines,
                num_older_versions: before.num_older_versions,
                analysis_seconds: started.elapsed().as_secs_f64(),
                ..Stats::default()
            };
            self.cluster_sorted((Arc::clone(&answer.articles), numbers), keys, &keying, &budget, stats)
        })?;
        clustering.replaced.clone_from(&answer.replaced);
        clustering.stats.total_seconds = started.elapsed().as_secs_f64();
        Ok(clustering)
    }

    /// Judges one pair of articles.
    #[must_use]
    pub fn judge(&self, first: &Article, second: &Article) -> Verdict {
        let (first, second) = (self.analyze(first), self.analyze(second));
        let mut verdict = self.judge_records(&first.record.record(), &second.record.record(), &mut Scratch::default());
        if first.exact_key.is_some() && first.exact_key == second.exact_key {
            verdict.set_exact();
        }
        verdict
    }

    /// What the later stages read of one article.
    #[must_use]
    pub fn analyze(&self, article: &Article) -> Analyzed {
        let mut analyzed = Analyzed::default();
        self.analyzer(false).analyze(article, &mut analyzed);
        analyzed.record.drop_scratch();
        analyzed
    }

    fn analyzer(&self, needs_signatures: bool) -> Analyzer<'_> {
        Analyzer::new(&self.profile, self.records, needs_signatures)
    }

    fn judge_records(&self, first: &Record<'_>, second: &Record<'_>, scratch: &mut Scratch) -> Verdict {
        judge(first, second, &self.profile, self.level, scratch)
    }

    fn pool(&self) -> Result<rayon::ThreadPool> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()
            .map_err(|error| Error::Threads { threads: self.threads, reason: error.to_string() })
    }

    /// Reads blocks on this thread; parses, sketches and makes keys on the pool's.
    fn read<'b, B: Send>(
        &self,
        pool: &rayon::ThreadPool,
        keying: &Keying,
        budget: &'b Budget,
        blocks: impl Iterator<Item = Result<B>>,
        parse: impl Fn(B) -> Result<Vec<Article>> + Sync,
    ) -> Result<Read<'b>> {
        let analyzer = self.analyzer(keying.needs_signatures());
        let (intake, keys) = (store::Intake::new(budget), KeyStore::new(budget));
        let holds_text = self.texts == Texts::Held;
        let open = || (intake.open(), keys.open(), Analyzed::default());
        let each = |(part, run, analyzed): &mut (store::Part, keys::KeyRun, Analyzed), block| {
            self.progress.go_on()?;
            for article in &parse(block)? {
                analyzer.analyze(article, analyzed);
                keying.add(&analyzed.record.record(), &analyzed.signature, &keys, run)?;
                intake.push(part, article, analyzed, holds_text)?;
            }
            Ok(())
        };
        let (mut parts, mut runs) = (Vec::new(), Vec::new());
        let mut gathered = work_off(pool, blocks, open, each)?;
        // Workers are numbered as they came; their articles are numbered in that order.
        gathered.sort_unstable_by_key(|(_, run, _)| run.worker());
        for (part, run, _) in gathered {
            parts.push(part);
            runs.push(run);
        }
        let num_articles: Vec<usize> = parts.iter().map(store::Part::len).collect();
        let keys = pool.install(|| keys.finish(runs, &num_articles))?;
        Ok(Read { keys, articles: intake.finish(parts)? })
    }

    /// From records to clusters; runs inside the pool.
    fn cluster_read(&self, read: Read<'_>, keying: &Keying, budget: &Budget) -> Result<Clustering> {
        let Read { mut articles, keys } = read;
        let mut stats = Stats::default();
        let (numbers, replaced) = sort_and_check(&mut articles, self.versions, &mut stats)?;
        let mut clustering = self.cluster_sorted((Arc::new(articles), numbers), keys, keying, budget, stats)?;
        clustering.replaced = replaced;
        Ok(clustering)
    }

    /// From articles by rank, each with the number that it has among the keys, to clusters; runs inside the pool.
    fn cluster_sorted(
        &self,
        (articles, numbers): (Arc<Articles>, Vec<u32>),
        mut keys: SealedKeys<'_>,
        keying: &Keying,
        budget: &Budget,
        mut stats: Stats,
    ) -> Result<Clustering> {
        let num_analyzed = keys.num_articles;
        let groups = Groups::new(&articles);
        stats.num_exact_copies = groups.num_copies() as u64;
        stats.num_filed_bytes = articles.num_filed_bytes() + keys.num_filed_bytes();

        let mut found = Found::default();
        if self.level != Level::Exact {
            let started = Instant::now();
            let ranks = groups.ranks_by_number(&numbers, num_analyzed);
            drop(numbers);
            stats.num_keys = keys.num_keys;
            let pairs = PairStore::new(articles.len(), budget);
            let num_met = self.find_pairs(keying, &mut keys, &ranks, &articles, &pairs, &mut stats)?;
            drop((keys, ranks));
            stats.candidates_seconds = started.elapsed().as_secs_f64();
            stats.num_filed_bytes += pairs.num_filed_bytes();
            let started = Instant::now();
            self.progress.begin_verifying(num_met);
            found = self.verify(&articles, &pairs)?;
            self.progress.end_verifying(num_met);
            stats.num_candidates = found.num_candidates;
            stats.verify_seconds = started.elapsed().as_secs_f64();
        }
        let started = Instant::now();
        let clusters = self.cluster_matches(&articles, &found.matches);
        stats.cluster_seconds = started.elapsed().as_secs_f64();
        self.progress.go_on()?;
        Ok(Clustering::new(self.clone(), articles, &groups, clusters, found, stats))
    }

    /// Puts the pairs that meet in `pairs`, section by section of the keys, and gives each section's memory back. How many
    /// were put away, some more than once.
    fn find_pairs(
        &self,
        keying: &Keying,
        keys: &mut SealedKeys<'_>,
        ranks: &[u32],
        articles: &Articles,
        pairs: &PairStore<'_>,
        stats: &mut Stats,
    ) -> Result<u64> {
        let (bands, recall) = keying.bands();
        stats.num_bands = bands.num_bands as u64;
        stats.num_rows = bands.num_rows as u64;
        stats.band_recall = recall;
        let rule = CrowdRule { cap: keying.bucket_cap(), pairs_neighbours: true };
        // What workers have at hand goes from section to section.
        let idle: Mutex<Vec<(ShardScratch, Gathering)>> = Mutex::default();
        let lock = || idle.lock().expect("no worker panics while it comes or goes");
        for number in 0..NUM_SECTIONS {
            let section = keys.section(number)?;
            let counts = section
                .shards()
                .into_par_iter()
                .map(|shard| {
                    self.progress.go_on()?;
                    let at_hand = lock().pop();
                    let (mut scratch, mut gathering) =
                        at_hand.unwrap_or_else(|| (ShardScratch::default(), pairs.gathering()));
                    let mut failed = None;
                    let mut each = |a, b| {
                        if failed.is_none() {
                            failed = pairs.add(&mut gathering, a, b).err();
                        }
                    };
                    let found = keying.meet((&section, shard), (ranks, articles), rule, &mut scratch, &mut each);
                    lock().push((scratch, gathering));
                    failed.map_or(Ok(found), Err)
                })
                .try_reduce(BucketCounts::default, |a, b| Ok(a.plus(b)))?;
            stats.buckets = stats.buckets.plus(counts);
            drop(section);
            keys.drop_section(number);
        }
        let gathered = idle.into_inner().expect("no worker panics while it comes or goes");
        gathered.into_iter().map(|(_, gathering)| pairs.finish(gathering)).sum()
    }

    /// Judges the candidate pairs, part by part.
    fn verify(&self, articles: &Articles, pairs: &PairStore<'_>) -> Result<Found> {
        let parts: Vec<Found> = (0..pairs.num_parts())
            .into_par_iter()
            .with_max_len(1)
            .map_init(Scratch::default, |scratch, part| {
                let mut found = Found::default();
                let (taken, num_put_away) = pairs.take(part)?;
                found.num_candidates = taken.len() as u64;
                for some in taken.chunks(COUNTED_PAIRS) {
                    self.progress.go_on()?;
                    let ahead = some.iter().fold(0, |all, pair| all ^ articles.read_ahead(*pair as u32));
                    std::hint::black_box(ahead);
                    for pair in some {
                        let (a, b) = (*pair as u32, (*pair >> 32) as u32);
                        let verdict = self.judge_records(&articles.record(a), &articles.record(b), scratch);
                        found.add(a, b, verdict, self.verdicts);
                    }
                    self.progress.add_verified(some.len() as u64);
                }
                self.progress.add_verified(num_put_away - taken.len() as u64);
                Ok(found)
            })
            .collect::<Result<_>>()?;
        let mut all = Found::default();
        for part in parts {
            all.num_candidates += part.num_candidates;
            all.matches.extend(part.matches);
            all.verdicts.extend(part.verdicts);
            for (sum, num) in all.num_links.iter_mut().zip(part.num_links) {
                *sum += num;
            }
        }
        Ok(all)
    }

    fn cluster_matches(&self, articles: &Articles, matches: &[Match]) -> Vec<Cluster> {
        components(articles.len(), matches, self.component_limit)
            .par_iter()
            .take_any_while(|_| !self.progress.is_canceled())
            .flat_map_iter(|component| self.cluster_component(articles, component))
            .collect()
    }

    fn cluster_component(&self, articles: &Articles, component: &[Match]) -> Vec<Cluster> {
        let known = component.iter().map(|m| ((m.a, m.b), m.margin)).collect();
        let mut pairs = OnDemand { engine: self, articles, known, scratch: Scratch::default() };
        cluster_component(component, &mut pairs)
    }

    /// Judges two articles that were read, exact copies among them.
    fn judge_views(&self, first: &ArticleView<'_>, second: &ArticleView<'_>, scratch: &mut Scratch) -> Verdict {
        let mut verdict = self.judge_records(&first.record(), &second.record(), scratch);
        if first.exact_key().is_some() && first.exact_key() == second.exact_key() {
            verdict.set_exact();
        }
        verdict
    }

    /// What an article of a cluster is to its representative, with the probability of one telling in parts of 10,000.
    fn relation_to(
        &self,
        article: &ArticleView<'_>,
        representative: &ArticleView<'_>,
        scratch: &mut Scratch,
    ) -> (Option<Relation>, u16) {
        // Of exact copies nothing needs to be measured.
        if article.exact_key().is_some() && article.exact_key() == representative.exact_key() {
            return (Some(Relation::Exact), 10_000);
        }
        let verdict = self.judge_views(article, representative, scratch);
        (Some(verdict.of_first()), verdict.probability_e4)
    }

    /// The same of an article that is alone in its cluster: undecidable where it is too short to compare.
    fn alone(&self, record: &Record<'_>) -> (Option<Relation>, u16) {
        match record.content.len() < self.profile.sketch().min_content {
            true => (Some(Relation::Undecidable), 0),
            false => REPRESENTATIVE,
        }
    }
}

/// What was read: articles, numbered in their order, and their keys.
struct Read<'b> {
    articles: Articles,
    keys: SealedKeys<'b>,
}

/// What verification has found.
#[derive(Debug, Default)]
struct Found {
    num_candidates: u64,
    matches: Vec<Match>,
    /// Pairs by relation, in the order of [`Relation::ALL`].
    num_links: [u64; Relation::ALL.len()],
    /// The verdicts on matches, links and near misses, where they are held.
    verdicts: Vec<(u32, u32, Verdict)>,
}

impl Found {
    fn add(&mut self, a: u32, b: u32, verdict: Verdict, held: Verdicts) {
        let (relation, margin) = (verdict.relation, verdict.margin);
        self.matches.extend(match_of(a, b, &verdict));
        if relation.is_link() {
            self.num_links[relation as usize] += 1;
        }
        let is_told = relation.is_match() || relation.is_link() || margin >= -NEAR_MISS_MARGIN;
        if held == Verdicts::Held && is_told {
            self.verdicts.push((a, b, verdict));
        }
    }
}

/// The match that a verdict on two articles, `a` with the smaller id, comes to.
fn match_of(a: u32, b: u32, verdict: &Verdict) -> Option<Match> {
    let excerpt = (verdict.relation == Relation::Excerpt).then_some(if verdict.is_forward { a } else { b });
    verdict.relation.is_match().then_some(Match { a, b, margin: verdict.margin, excerpt })
}

/// Reads blocks on this thread and hands each to one of the pool's; what the workers have gathered.
fn work_off<B: Send, W: Send>(
    pool: &rayon::ThreadPool,
    blocks: impl Iterator<Item = Result<B>>,
    open: impl Fn() -> W + Sync,
    each: impl Fn(&mut W, B) -> Result<()> + Sync,
) -> Result<Vec<W>> {
    let done: Mutex<Vec<W>> = Mutex::default();
    let worker_failed: Mutex<Option<Error>> = Mutex::default();
    let num_workers = pool.current_num_threads();
    let (sender, receiver) = sync_channel::<B>(num_workers * BLOCKS_AHEAD);
    let receiver = Arc::new(Mutex::new(receiver));
    let mut failed = None;
    pool.in_place_scope(|scope| {
        for _ in 0..num_workers {
            let receiver = Arc::clone(&receiver);
            let (done, open, each, worker_failed) = (&done, &open, &each, &worker_failed);
            scope.spawn(move |_| {
                let mut own = open();
                while let Ok(block) = { receiver.lock().expect("no worker panics while it waits").recv() } {
                    if let Err(error) = each(&mut own, block) {
                        worker_failed.lock().expect("no worker panics while it fails").get_or_insert(error);
                        return;
                    }
                }
                done.lock().expect("no worker panics while it appends").push(own);
            });
        }
        drop(receiver);
        for block in blocks {
            match block {
                // Sending fails only when all workers are gone: they failed, or the scope carries their panic on.
                Ok(block) => {
                    let has_failed = worker_failed.lock().expect("no worker panics while it fails").is_some();
                    if has_failed || sender.send(block).is_err() {
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
    match failed.or(worker_failed.into_inner().expect("no worker panics while it fails")) {
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
    articles: &'a Articles,
    known: HashMap<(u32, u32), i32>,
    scratch: Scratch,
}

impl Pairs for OnDemand<'_> {
    fn margin(&mut self, a: u32, b: u32) -> i32 {
        let (a, b) = (a.min(b), a.max(b));
        if let Some(margin) = self.known.get(&(a, b)) {
            return *margin;
        }
        let (first, second) = (self.articles.record(a), self.articles.record(b));
        let margin = self.engine.judge_records(&first, &second, &mut self.scratch).margin.max(LEAST_MARGIN);
        self.known.insert((a, b), margin);
        margin
    }

    fn precedence(&self, article: u32) -> (i64, u32) {
        self.articles.get(article).precedence(article)
    }

    fn content_len(&self, article: u32) -> usize {
        self.articles.record(article).content.len()
    }
}
