//! What a run over a feed would take, predicted from a sample of it (`docs/method.md`).

use super::analyze::Groups;
use super::keys::{KeyTable, Keying, Met};
use super::{Analyzed, BLOCKS_AHEAD, Clustering, Engine, Pair, Texts, Versions, work_off};
use crate::article::{Article, ArticleId, Timestamp};
use crate::error::Result;
use crate::hash::{HashMap, HashSet};
use crate::lsh::{CrowdRule, Entry, KeyOrigin};
use crate::plan::{Growth, Sample, Scale};
use crate::profile::Weights;
use crate::verify::Verdict;
use rayon::prelude::*;
use std::sync::Mutex;
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
/// Articles that one worker has analysed before the next takes a share.
const KEYING_CHUNK: usize = 256;

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
    /// [`crate::Error::Threads`] when no thread can be started, and the first error that `blocks` yields.
    pub fn draw<B: Send>(
        &self,
        blocks: impl Iterator<Item = Result<B>>,
        parse: impl Fn(B) -> Vec<Article> + Sync,
        max_len: usize,
    ) -> Result<Drawn> {
        let started = Instant::now();
        let sample = Mutex::new(Sample::new(max_len));
        work_off(&self.pool()?, blocks, |(), block| {
            let articles = parse(block);
            let mut sample = sample.lock().expect("no worker panics while it adds");
            articles.into_iter().for_each(|article| sample.add(article));
        })?;
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
    /// let drawn = engine.draw([Ok(feed)].into_iter(), |articles| articles, 1000)?;
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
        let copies: HashMap<&ArticleId, u64> =
            sample.articles().map(|(article, copies)| (&article.id, copies)).collect();
        let titles: HashMap<&ArticleId, &str> =
            sample.articles().filter_map(|(article, _)| Some((&article.id, article.title.as_deref()?))).collect();
        let engine = self.clone().with_versions(Versions::Newest).with_texts(Texts::Dropped);
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
            mean_id_len: mean(&clustering.articles, |article| article.id.as_str().len() as f64),
            crowds: Vec::new(),
            bucket_cap: self.profile.sketch().bucket_cap,
            capacity: self.profile.sketch().capacity,
            needed_capacity: needed_capacity(self.profile.sketch().capacity, num_planned),
            weights: None,
        };
        let copies_of = |article: &Analyzed| copies.get(&article.id).copied().unwrap_or(1) as f64;
        let title_of = |id: &ArticleId| titles.get(id).map(ToString::to_string);
        pool.install(|| {
            let mut probe = Probe::new(&engine, clustering, scale);
            let tables = probe.keys();
            let met = probe.meet(&tables);
            plan.count_pairs(&probe, &met);
            plan.count_copies(&probe, copies_of);
            plan.add_seconds(&probe, drawn.reading_seconds * growth);
            plan.add_bytes(&probe, &met, copies_of);
            plan.crowds = probe.crowds(&tables, title_of);
            drop(tables);
            plan.weights = probe.weights_age(&met, num_planned);
        });
        Ok(plan)
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

    fn count_copies(&mut self, probe: &Probe, copies_of: impl Fn(&Analyzed) -> f64) {
        let stats = &probe.clustering.stats;
        let num: f64 = probe.clustering.articles.iter().map(copies_of).sum();
        let same_text = (num - stats.num_articles as f64) / num.max(1.0) * self.num_planned as f64;
        // Equal but for their credits: pairs like others.
        let same_telling = probe.scale.pairs(Growth { local: stats.num_exact_copies as f64, lasting: 0.0 });
        self.num_copies = (same_text + same_telling).round() as u64;
    }

    fn add_seconds(&mut self, probe: &Probe, reading: f64) {
        let stats = &probe.clustering.stats;
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

    fn add_bytes(&mut self, probe: &Probe, met: &Meeting, copies_of: impl Fn(&Analyzed) -> f64) {
        let num = self.num_planned as f64;
        let articles = &probe.clustering.articles;
        let num_copies: f64 = articles.iter().map(&copies_of).sum();
        let heap: f64 = articles.iter().map(|article| heap_bytes(article) * copies_of(article)).sum();
        let own = size_of::<Analyzed>() as f64;
        let keys = self.num_keys as f64 * size_of::<Entry>() as f64;
        let verdicts = (self.num_matches + self.num_links) as f64 * size_of::<Pair>().max(size_of::<Verdict>()) as f64;
        let texts = self.text_bytes as f64 * num / self.num_articles.max(1) as f64;
        let in_shards = met.num_in_shards as f64 / met.pairs.len().max(1) as f64;
        let pair = size_of::<(u32, u32)>() as f64 * self.num_candidates as f64;
        let records = num * (own + heap / num_copies.max(1.0));
        let held = PROGRAM_BYTES
            + (self.num_threads as f64 * (BLOCKS_AHEAD + 1) as f64 * BLOCK_BYTES).min(texts)
            + records
            + keys;
        // While articles are put in order each stands in two lists; then pairs are gathered by shard and together; then
        // verdicts are, and the room of the keys is not given back.
        let peak = held + (own * num).max(pair * (1.0 + in_shards)).max(pair + 2.0 * verdicts);
        self.memory = PlannedBytes { records, keys, pairs: pair + verdicts, peak, texts };
    }
}

/// The clustered sample, looked at as part of a feed.
struct Probe {
    clustering: Clustering,
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
    num_in_shards: usize,
    /// The same when the feed has grown: buckets are fuller.
    grown: Vec<(u32, u32)>,
    /// Pairs that neighbours in crowded buckets add.
    num_neighbours: usize,
}

impl Probe {
    fn new(engine: &Engine, mut clustering: Clustering, scale: Scale) -> Self {
        for (rank, article) in clustering.articles.iter_mut().enumerate() {
            article.number = rank as u32;
        }
        let articles = &clustering.articles;
        let unordered = |pair: &Pair| (pair.a.min(pair.b), pair.a.max(pair.b));
        let is_full = |pair: &&Pair| pair.verdict.as_ref().is_some_and(|verdict| verdict.evidence.is_complete);
        Self {
            scale,
            keying: Keying::new(&engine.profile, engine.level, engine.near),
            ranks: Groups::new(articles).ranks_by_number(articles, articles.len()),
            places: places(articles),
            matches: clustering.pairs.iter().map(unordered).collect(),
            links: clustering.links.iter().map(unordered).collect(),
            full_links: clustering.links.iter().filter(is_full).map(unordered).collect(),
            clustering,
        }
    }

    /// The keys of all articles.
    fn keys(&self) -> Vec<KeyTable> {
        let of_chunk = |chunk: &[Analyzed]| {
            let mut table = KeyTable::default();
            chunk.iter().for_each(|article| self.keying.add(article, &mut table));
            table
        };
        let chunk_len = self.clustering.articles.len().div_ceil(rayon::current_num_threads()).max(KEYING_CHUNK);
        self.clustering.articles.par_chunks(chunk_len).map(of_chunk).collect()
    }

    fn met(&self, tables: &[KeyTable], scale: Scale, pairs_neighbours: bool) -> Met {
        let rule = CrowdRule { cap: scale.cap(self.keying.bucket_cap()), pairs_neighbours };
        self.keying.met(tables, &self.ranks, &self.clustering.articles, rule)
    }

    fn meet(&self, tables: &[KeyTable]) -> Meeting {
        let now = Scale { growth: self.scale.growth.min(1.0), ..self.scale };
        let Met { pairs, num_in_shards, .. } = self.met(tables, now, false);
        let grown = self.met(tables, self.scale, false).pairs;
        let num_neighbours = self.met(tables, self.scale, true).pairs.len() - grown.len();
        Meeting { pairs, num_in_shards, grown, num_neighbours }
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
    fn crowds(&self, tables: &[KeyTable], title_of: impl Fn(&ArticleId) -> Option<String>) -> Vec<Crowd> {
        let mut named: Vec<HashSet<u32>> = Vec::new();
        let mut crowds = Vec::new();
        for (origin, articles) in self.keying.crowded(tables, &self.ranks, self.scale.cap(self.keying.bucket_cap())) {
            let shares_most =
                |other: &HashSet<u32>| 2 * articles.iter().filter(|a| other.contains(*a)).count() > articles.len();
            if named.iter().any(shares_most) {
                continue;
            }
            let example = |rank: &u32| {
                let id = self.clustering.articles[*rank as usize].id.clone();
                let title = title_of(&id);
                (id, title)
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
        crowds
    }

    /// Candidates without a match under the profile's table and, with the records weighed anew, under the sample's own.
    fn weights_age(&mut self, met: &Meeting, num_planned: u64) -> Option<WeightsAge> {
        let weighted = || self.clustering.articles.iter().filter(|article| article.record.is_weighted);
        let num_weighted = weighted().count();
        if num_weighted < LEAST_FOR_WEIGHTS || !self.keying.makes_trees() {
            return None;
        }
        let mut counts: HashMap<u32, u32> = HashMap::default();
        for term in weighted().flat_map(|article| &article.record.vocabulary) {
            *counts.entry(term.hash).or_default() += 1;
        }
        let table = Weights::from_counts("", num_weighted as u64, &counts, LEAST_COUNT);
        let unmatched = |probe: &Self, met: &Meeting| {
            let neighbours = probe.scale.items(met.num_neighbours as f64);
            (probe.predict(met, |pair| !probe.matches.contains(pair)) + neighbours) / num_planned.max(1) as f64
        };
        let before = unmatched(self, met);
        self.clustering.articles.par_iter_mut().filter(|article| article.record.is_weighted).for_each(|article| {
            for term in &mut article.record.vocabulary {
                term.idf = table.idf(term.hash);
            }
        });
        let anew = self.meet(&self.keys());
        Some(WeightsAge { unmatched: before, unmatched_anew: unmatched(self, &anew) })
    }
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
fn is_dated(articles: &[Analyzed]) -> bool {
    10 * articles.iter().filter(|article| article.published.is_some()).count() >= 9 * articles.len()
}

/// The place of each article in time.
fn places(articles: &[Analyzed]) -> Vec<u32> {
    let is_dated = is_dated(articles);
    let time = |article: &Analyzed| article.published.filter(|_| is_dated).unwrap_or(Timestamp(i64::MIN));
    let mut order: Vec<u32> = (0..articles.len() as u32).collect();
    order.sort_by_cached_key(|rank| {
        let article = &articles[*rank as usize];
        (time(article), article.origin.clone(), *rank)
    });
    let mut places = vec![0; articles.len()];
    for (place, rank) in order.into_iter().enumerate() {
        places[rank as usize] = place as u32;
    }
    places
}

fn mean(articles: &[Analyzed], of: impl Fn(&Analyzed) -> f64) -> f64 {
    articles.iter().map(of).sum::<f64>() / articles.len().max(1) as f64
}

/// Bytes that an article takes beside its own size, as an allocator hands them out.
fn heap_bytes(article: &Analyzed) -> f64 {
    fn of<T>(vec: &Vec<T>) -> usize {
        allocated(vec.capacity() * size_of::<T>())
    }
    let Analyzed { id, origin, source, credits, unweighted_language, record, signature, .. } = article;
    let texts = [Some(id.as_str()), Some(&origin.place), source.as_deref(), unweighted_language.as_deref()];
    let bytes = texts.into_iter().flatten().map(|text| allocated(text.len())).sum::<usize>()
        + of(credits)
        + credits.iter().map(|credit| allocated(credit.capacity())).sum::<usize>()
        + of(&record.content)
        + of(&record.vocabulary)
        + of(&record.shingles)
        + of(&record.figures)
        + of(&record.title)
        + of(signature);
    bytes as f64
}

/// What an allocator takes for a number of bytes: eight of its own, in steps of sixteen, at least 32.
fn allocated(num_bytes: usize) -> usize {
    if num_bytes == 0 { 0 } else { (num_bytes + 8).next_multiple_of(16).max(32) }
}
