//! What a run over a feed would take, predicted from a sample of it (`docs/method.md`).

use super::analyze::Groups;
use super::keys::{Keying, RUN_LEN, SealedKeys};
use super::spill::Budget;
use super::store::{ArticleView, Articles, Intake};
use super::{Analyzed, BLOCKS_AHEAD, Clustering, Engine, Pair, Stats, Texts, Verdicts, Versions, work_off};
use crate::article::{Article, ArticleId, Timestamp};
use crate::error::Result;
use crate::hash::{HashMap, HashSet};
use crate::lsh::{CrowdRule, KeyOrigin};
use crate::plan::{Growth, Sample, Scale};
use crate::profile::Weights;
use crate::sketch::RecordBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Crowded buckets that are named.
const NUM_NAMED: usize = 5;
/// Articles of a crowded bucket that are named.
const NUM_EXAMPLES: usize = 2;
/// Articles of a sample in a language with weights below which a table made of it is too small to compare with.
const LEAST_FOR_WEIGHTS: usize = 2_000;
/// Articles a word of such a table stands in at least: what `samestory weights` takes.
const LEAST_COUNT: u32 = 2;
/// A table has aged when it proposes more than this times the candidates without a match that a new one would (a table
/// of several outlets looks twice as old to one of them) …
const AGED_RATIO: f64 = 3.0;
/// … and more than these an article: fewer take less time than the sketches.
const AGED_LEAST: f64 = 3.0;
/// Bytes of the program itself and its tables.
const PROGRAM_BYTES: f64 = 8e6;
/// Bytes of a block that waits, or is parsed.
const BLOCK_BYTES: f64 = 4e5;
/// Bytes of a key: 32 bits of it and 16 of its article.
const KEY_BYTES: f64 = 6.0;
/// Bytes of a pair that met, with the times that it met again.
const PAIR_BYTES: f64 = 10.0;
/// Bytes of each article in lists: its place, ranks, member and what finds copies.
const LISTED_BYTES: f64 = 90.0;

/// A sample that was drawn from a feed, with how long reading took.
#[derive(Debug)]
pub struct Drawn {
    /// The sample.
    pub sample: Sample,
    /// Seconds for reading and parsing.
    pub reading_seconds: f64,
}

/// What a run would take. All but the counts of the feed is predicted.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Articles of the feed.
    pub num_articles: u64,
    /// Bytes of their texts.
    pub text_bytes: u64,
    /// Articles of the sample.
    pub num_sampled: u64,
    /// The share of the feed's distinct texts that the sample holds.
    pub share: f64,
    /// Articles planned for: those of the feed, or as many as it will grow to.
    pub num_planned: u64,
    /// Whether articles took their place in time by date; if not, by the order of the input.
    pub is_dated: bool,
    /// Worker threads.
    pub num_threads: u64,
    /// Pairs that met in the sample: what the numbers of pairs rest on.
    pub num_met: u64,
    /// Candidate pairs.
    pub num_candidates: u64,
    /// Those that match.
    pub num_matches: u64,
    /// Those that are links.
    pub num_links: u64,
    /// Links that are measured in full, and so written with their evidence.
    pub num_full_links: u64,
    /// Exact copies: matches that need no candidate.
    pub num_copies: u64,
    /// Keys of all kinds.
    pub num_keys: u64,
    /// Seconds of a run.
    pub seconds: PlannedSeconds,
    /// Peak memory.
    pub memory: PlannedBytes,
    /// Mean length of an id in bytes: what the size of an output follows from.
    pub mean_id_len: f64,
    /// Buckets of the sample that would be crowded in the feed, alike ones once, largest first, at most five.
    pub crowds: Vec<Crowd>,
    /// Articles a bucket may hold.
    pub bucket_cap: usize,
    /// The capacity that the profile declares.
    pub capacity: u64,
    /// The capacity the plan would set: the profile's, or where it is outgrown the next power of ten.
    pub needed_capacity: u64,
    /// How old the weights look; `None` where the sample is too small to say, or nothing is compared by weight.
    pub weights: Option<WeightsAge>,
}

/// Seconds of the stages of a run, from the first block to the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlannedSeconds {
    /// Reading, parsing, sketches and keys.
    pub analysis: f64,
    /// Candidate pairs.
    pub candidates: f64,
    /// Verification.
    pub verify: f64,
    /// Clusters, and each member's relation to its representative.
    pub cluster: f64,
}

impl PlannedSeconds {
    /// All together.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.analysis + self.candidates + self.verify + self.cluster
    }
}

/// Bytes of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlannedBytes {
    /// Records, signatures and the like.
    pub records: f64,
    /// Keys.
    pub keys: f64,
    /// Candidate pairs and the verdicts that stay.
    pub pairs: f64,
    /// The most that is held at one time, texts not counted.
    pub peak: f64,
    /// What comes on top where texts are held ([`Texts::Held`]).
    pub texts: f64,
}

/// A bucket that would be over the cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// Where its key comes from.
    pub origin: KeyOrigin,
    /// Articles it would hold.
    pub num_articles: u64,
    /// Articles of the sample in it.
    pub num_sampled: u64,
    /// Two of them, with their headlines.
    pub examples: Vec<(ArticleId, Option<String>)>,
}

/// Candidates that are no match, an article, under two tables of weights: they are what an old table costs, since words
/// that have become common since still look rare to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightsAge {
    /// Under the profile's table.
    pub unmatched: f64,
    /// Under a table made of the sample.
    pub unmatched_anew: f64,
}

impl WeightsAge {
    /// How many times the candidates without a match of a new table the profile's table proposes.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.unmatched == 0.0 { 1.0 } else { self.unmatched / self.unmatched_anew.max(f64::MIN_POSITIVE) }
    }

    /// Whether a new table is worth making: it saves two in three of the candidates without a match, and there are more
    /// than three of them an article.
    #[must_use]
    pub fn has_aged(&self) -> bool {
        self.ratio() > AGED_RATIO && self.unmatched > AGED_LEAST
    }
}

impl Engine {
    /// Reads a feed once and draws a sample of up to `max_len` of its articles. Workers parse the blocks.
    ///
    /// # Errors
    /// [`crate::Error::Threads`] when no thread can be started, the first error that `blocks` yields, and one that `parse`
    /// gives.
    pub fn draw<B: Send>(
        &self,
        blocks: impl Iterator<Item = Result<B>>,
        parse: impl Fn(B) -> Result<Vec<Article>> + Sync,
        max_len: usize,
    ) -> Result<Drawn> {
        let started = Instant::now();
        let sample = Mutex::new(Sample::new(max_len));
        let each = |(): &mut (), block| {
            let articles = parse(block)?;
            let mut sample = sample.lock().expect("no worker panics while it adds");
            articles.into_iter().for_each(|article| sample.add(article));
            Ok(())
        };
        work_off(&self.pool()?, blocks, || (), each)?;
        let sample = sample.into_inner().expect("no worker panics while it adds");
        Ok(Drawn { sample, reading_seconds: started.elapsed().as_secs_f64() })
    }

    /// Predicts a run over the feed that a sample was drawn from, or over `num_planned` articles when it has grown to
    /// that many.
    ///
    /// The sample goes through all stages; articles that share an id are taken as versions of one. A feed whose articles
    /// are nine in ten dated is in order of time, another in that of the input. Nothing met predicts nothing. Cost: that
    /// of clustering the sample, and its keys twice more.
    ///
    /// ```
    /// use samestory::{Article, Engine, Profile};
    /// let story = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, and fishermen \
    ///              brought most of them ashore before the coast guard came.";
    /// let feed = vec![Article::new("a", story), Article::new("b", format!("{story} Nobody was hurt."))];
    /// let engine = Engine::new(Profile::default());
    /// let drawn = engine.draw([Ok(feed)].into_iter(), Ok, 1000)?;
    /// assert_eq!(engine.plan(&drawn, None)?.num_candidates, 1);
    /// assert_eq!(engine.plan(&drawn, Some(20_000_000))?.needed_capacity, 100_000_000);
    /// # Ok::<(), samestory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Threads`] when no thread can be started.
    pub fn plan(&self, drawn: &Drawn, num_planned: Option<u64>) -> Result<Plan> {
        let sample = &drawn.sample;
        let pool = self.pool()?;
        let num_articles = sample.num_articles();
        let num_planned = num_planned.unwrap_or(num_articles);
        let growth = num_planned as f64 / num_articles.max(1) as f64;
        let scale = Scale { share: sample.share(), growth };
        let copies: HashMap<&str, u64> =
            sample.articles().map(|(article, copies)| (article.id.as_str(), copies)).collect();
        let titles: HashMap<&str, &str> = sample
            .articles()
            .filter_map(|(article, _)| Some((article.id.as_str(), article.title.as_deref()?)))
            .collect();
        let engine = self
            .clone()
            .with_versions(Versions::Newest)
            .with_texts(Texts::Dropped)
            .with_verdicts(Verdicts::Held)
            .with_memory(u64::MAX);
        let clustering = engine.cluster(sample.articles().map(|(article, _)| article.clone()))?;
        let mut plan = Plan {
            num_articles,
            text_bytes: sample.text_bytes(),
            num_sampled: clustering.stats.num_articles,
            share: scale.share,
            num_planned,
            is_dated: is_dated(&clustering.articles),
            num_threads: pool.current_num_threads() as u64,
            num_met: 0,
            num_candidates: 0,
            num_matches: 0,
            num_links: 0,
            num_full_links: 0,
            num_copies: 0,
            num_keys: (clustering.stats.num_keys as f64 / clustering.stats.num_articles.max(1) as f64
                * num_planned as f64) as u64,
            seconds: PlannedSeconds::default(),
            memory: PlannedBytes::default(),
            mean_id_len: mean_id_len(&clustering.articles),
            crowds: Vec::new(),
            bucket_cap: self.profile.sketch().bucket_cap,
            capacity: self.profile.sketch().capacity,
            needed_capacity: needed_capacity(self.profile.sketch().capacity, num_planned),
            weights: None,
        };
        let copies_of = |article: &ArticleView<'_>| copies.get(article.id()).copied().unwrap_or(1) as f64;
        let title_of = |id: &str| titles.get(id).map(ToString::to_string);
        let budget = Budget::new(u64::MAX, self.temp_folder.clone());
        pool.install(|| {
            let mut probe = Probe::new(&engine, clustering, scale);
            let keys = probe.keys(&budget)?;
            let met = probe.meet(&keys)?;
            plan.count_pairs(&probe, &met);
            plan.count_copies(&probe, copies_of);
            plan.add_seconds(&probe, drawn.reading_seconds * growth);
            plan.add_bytes(&probe, copies_of);
            plan.crowds = probe.crowds(&keys, title_of)?;
            drop(keys);
            plan.weights = probe.weights_age(&met, num_planned, &budget)?;
            Ok(plan)
        })
    }
}

impl Plan {
    fn count_pairs(&mut self, probe: &Probe, met: &Meeting) {
        let Probe { matches, links, full_links, .. } = probe;
        self.num_met = met.pairs.len() as u64;
        let neighbours = probe.scale.items(met.num_neighbours as f64);
        self.num_candidates = (probe.predict(met, |_| true) + neighbours).round() as u64;
        self.num_matches = probe.predict(met, |pair| matches.contains(pair)).round() as u64;
        self.num_links = probe.predict(met, |pair| links.contains(pair)).round() as u64;
        self.num_full_links = probe.predict(met, |pair| full_links.contains(pair)).round() as u64;
    }

    fn count_copies(&mut self, probe: &Probe, copies_of: impl Fn(&ArticleView<'_>) -> f64) {
        let stats = &probe.stats;
        let num: f64 = probe.articles.iter().map(|article| copies_of(&article)).sum();
        let same_text = (num - stats.num_articles as f64) / num.max(1.0) * self.num_planned as f64;
        // Equal but for their credits: pairs like others.
        let same_telling = probe.scale.pairs(Growth { local: stats.num_exact_copies as f64, lasting: 0.0 });
        self.num_copies = (same_text + same_telling).round() as u64;
    }

    fn add_seconds(&mut self, probe: &Probe, reading: f64) {
        let stats = &probe.stats;
        let articles = self.num_planned as f64 / stats.num_articles.max(1) as f64;
        let pairs = self.num_candidates as f64 / stats.num_candidates.max(1) as f64;
        let staged = stats.analysis_seconds + stats.candidates_seconds + stats.verify_seconds + stats.cluster_seconds;
        self.seconds = PlannedSeconds {
            analysis: reading + stats.analysis_seconds * articles,
            candidates: stats.candidates_seconds * articles,
            verify: stats.verify_seconds * pairs,
            cluster: stats.cluster_seconds * pairs + (stats.total_seconds - staged).max(0.0) * articles,
        };
    }

    fn add_bytes(&mut self, probe: &Probe, copies_of: impl Fn(&ArticleView<'_>) -> f64) {
        let num = self.num_planned as f64;
        let articles = &probe.articles;
        let num_copies: f64 = articles.iter().map(|article| copies_of(&article)).sum();
        let packed: f64 = (0..articles.len() as u32)
            .map(|rank| articles.num_bytes(rank) as f64 * copies_of(&articles.get(rank)))
            .sum();
        let records = num * (packed / num_copies.max(1.0) + LISTED_BYTES);
        let keys = self.num_keys as f64 * KEY_BYTES;
        let texts = self.text_bytes as f64 * num / self.num_articles.max(1) as f64;
        // The keys of the latest articles of each worker lie in lists that grow by doubling, half full on average.
        let in_runs = (self.num_threads as f64 * RUN_LEN as f64).min(num) / num.max(1.0);
        let pairs = self.num_candidates as f64 * PAIR_BYTES;
        let blocks = (self.num_threads as f64 * (BLOCKS_AHEAD + 1) as f64 * BLOCK_BYTES).min(texts);
        // Keys go as pairs come.
        let peak = PROGRAM_BYTES + blocks + records + (keys * (1.0 + 1.5 * in_runs)).max(pairs);
        self.memory = PlannedBytes { records, keys, pairs, peak, texts };
    }
}

/// The clustered sample, looked at as part of a feed.
struct Probe {
    articles: Arc<Articles>,
    stats: Stats,
    scale: Scale,
    keying: Keying,
    /// Each article's rank by its number, as for a run.
    ranks: Vec<u32>,
    /// Each article's place in time, by rank.
    places: Vec<u32>,
    matches: HashSet<(u32, u32)>,
    links: HashSet<(u32, u32)>,
    /// The links that were measured in full.
    full_links: HashSet<(u32, u32)>,
}

/// Pairs of the sample that would be candidates in the feed.
struct Meeting {
    pairs: Vec<(u32, u32)>,
    /// The same when the feed has grown: buckets are fuller.
    grown: Vec<(u32, u32)>,
    /// Pairs that neighbours in crowded buckets add.
    num_neighbours: usize,
}

impl Probe {
    fn new(engine: &Engine, clustering: Clustering, scale: Scale) -> Self {
        let Clustering { articles, pairs, links, stats, .. } = clustering;
        let unordered = |pair: &Pair| (pair.a.min(pair.b), pair.a.max(pair.b));
        let is_full = |pair: &&Pair| pair.verdict.as_ref().is_some_and(|verdict| verdict.evidence.is_complete);
        let ranks: Vec<u32> = (0..articles.len() as u32).collect();
        Self {
            scale,
            keying: Keying::new(&engine.profile, engine.level, engine.near),
            ranks: Groups::new(&articles).ranks_by_number(&ranks, articles.len()),
            places: places(&articles),
            matches: pairs.iter().map(unordered).collect(),
            links: links.iter().map(unordered).collect(),
            full_links: links.iter().filter(is_full).map(unordered).collect(),
            articles,
            stats,
        }
    }

    /// The keys of all articles, which are numbered by rank.
    fn keys<'b>(&self, budget: &'b Budget) -> Result<SealedKeys<'b>> {
        self.keying.keys_of(&self.articles, budget, || Ok(()))
    }

    fn met(&self, keys: &SealedKeys<'_>, scale: Scale, pairs_neighbours: bool) -> Result<Vec<(u32, u32)>> {
        let rule = CrowdRule { cap: scale.cap(self.keying.bucket_cap()), pairs_neighbours };
        self.keying.met(keys, &self.ranks, &self.articles, rule)
    }

    fn meet(&self, keys: &SealedKeys<'_>) -> Result<Meeting> {
        let now = Scale { growth: self.scale.growth.min(1.0), ..self.scale };
        let pairs = self.met(keys, now, false)?;
        let grown = self.met(keys, self.scale, false)?;
        let num_neighbours = self.met(keys, self.scale, true)?.len() - grown.len();
        Ok(Meeting { pairs, grown, num_neighbours })
    }

    /// The number of candidate pairs of a kind in the feed planned for, but for neighbours in crowded buckets.
    fn predict(&self, met: &Meeting, is_of_kind: impl Fn(&(u32, u32)) -> bool) -> f64 {
        let growth = |pairs: &[(u32, u32)]| {
            let of_kind = pairs.iter().filter(|pair| is_of_kind(pair));
            let placed = of_kind.map(|(a, b)| (self.places[*a as usize], self.places[*b as usize]));
            Growth::of(placed, self.places.len())
        };
        let met_grown = Growth { local: growth(&met.pairs).local, lasting: growth(&met.grown).lasting };
        self.scale.pairs(met_grown)
    }

    /// The largest buckets that would be crowded; of those that share most of their articles the first.
    fn crowds(&self, keys: &SealedKeys<'_>, title_of: impl Fn(&str) -> Option<String>) -> Result<Vec<Crowd>> {
        let mut named: Vec<HashSet<u32>> = Vec::new();
        let mut crowds = Vec::new();
        let cap = self.scale.cap(self.keying.bucket_cap());
        for (origin, articles) in self.keying.crowded(keys, &self.ranks, &self.articles, cap)? {
            let shares_most =
                |other: &HashSet<u32>| 2 * articles.iter().filter(|a| other.contains(*a)).count() > articles.len();
            if named.iter().any(shares_most) {
                continue;
            }
            let example = |rank: &u32| {
                let id = self.articles.get(*rank).id();
                (ArticleId::from(id), title_of(id))
            };
            crowds.push(Crowd {
                origin,
                num_articles: self.scale.items(articles.len() as f64).round() as u64,
                num_sampled: articles.len() as u64,
                examples: articles.iter().take(NUM_EXAMPLES).map(example).collect(),
            });
            named.push(articles.into_iter().collect());
            if crowds.len() == NUM_NAMED {
                break;
            }
        }
        Ok(crowds)
    }

    /// Candidates without a match under the profile's table and, with the records weighed anew, under the sample's own.
    fn weights_age(&mut self, met: &Meeting, num_planned: u64, budget: &Budget) -> Result<Option<WeightsAge>> {
        let weighted =
            || (0..self.articles.len() as u32).map(|rank| self.articles.record(rank).terms).filter(|t| t.is_weighted());
        let num_weighted = weighted().count();
        if num_weighted < LEAST_FOR_WEIGHTS || !self.keying.makes_trees() {
            return Ok(None);
        }
        let mut counts: HashMap<u32, u32> = HashMap::default();
        for hash in weighted().flat_map(|terms| terms.hashes()) {
            *counts.entry(*hash).or_default() += 1;
        }
        let table = Weights::from_counts("", num_weighted as u64, &counts, LEAST_COUNT);
        let unmatched = |probe: &Self, met: &Meeting| {
            let neighbours = probe.scale.items(met.num_neighbours as f64);
            (probe.predict(met, |pair| !probe.matches.contains(pair)) + neighbours) / num_planned.max(1) as f64
        };
        let before = unmatched(self, met);
        self.articles = Arc::new(weighed_anew(&self.articles, &table, budget)?);
        let anew = self.meet(&self.keys(budget)?)?;
        Ok(Some(WeightsAge { unmatched: before, unmatched_anew: unmatched(self, &anew) }))
    }
}

/// The articles' records weighed by another table, and nothing else of them but their ids.
fn weighed_anew(articles: &Articles, table: &Weights, budget: &Budget) -> Result<Articles> {
    let intake = Intake::new(budget);
    let mut part = intake.open();
    let mut analyzed = Analyzed { record: RecordBuf::default(), ..Analyzed::default() };
    for article in articles.iter() {
        let (head, body) = article.words();
        analyzed.record.weigh_anew(head, body, table);
        intake.push(&mut part, &Article::new(article.id(), ""), &analyzed, false)?;
    }
    intake.finish(vec![part])
}

/// The profile's capacity where the articles fit, else the next power of ten.
fn needed_capacity(capacity: u64, num_articles: u64) -> u64 {
    let mut needed = capacity;
    if num_articles > capacity {
        needed = 1;
        while needed < num_articles {
            needed = needed.saturating_mul(10);
        }
    }
    needed
}

/// Whether nine in ten articles are dated.
fn is_dated(articles: &Articles) -> bool {
    10 * articles.iter().filter(|article| article.published().is_some()).count() >= 9 * articles.len()
}

/// The place of each article in time.
fn places(articles: &Articles) -> Vec<u32> {
    let is_dated = is_dated(articles);
    let time = |article: &ArticleView<'_>| article.published().filter(|_| is_dated).unwrap_or(Timestamp(i64::MIN));
    let mut order: Vec<u32> = (0..articles.len() as u32).collect();
    order.sort_by_cached_key(|rank| {
        let article = articles.get(*rank);
        (time(&article), article.block_and_record(), article.place(), *rank)
    });
    let mut places = vec![0; articles.len()];
    for (place, rank) in order.into_iter().enumerate() {
        places[rank as usize] = place as u32;
    }
    places
}

fn mean_id_len(articles: &Articles) -> f64 {
    articles.iter().map(|article| article.id().len() as f64).sum::<f64>() / articles.len().max(1) as f64
}
