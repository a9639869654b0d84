//! All keys of all articles, and the pairs that meet under them.
//!
//! Keys are made along with the sketches, while these are in the processor's caches, and before an article's rank by id
//! is known.

use super::NearSketch;
use super::spill::{Budget, SpillFile};
use super::store::Articles;
use crate::error::{Error, Result};
use crate::hash::hash64;
use crate::lsh::{
    Bands, BucketCounts, CrowdRule, Entries, KeyOrigin, NUM_SHARDS, Refine, ShardScratch, crowded_buckets, key_of,
    refined_key, shard_of, shard_pairs,
};
use crate::profile::Profile;
use crate::sketch::{KeyMaker, KeyScratch, MinHasher, Record, WeightedTerms, simhash, simhash_keys};
use crate::verify::Level;
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Mutex;

/// Articles of a run: their keys are put away together. Also what 16 bits tell apart.
pub(super) const RUN_LEN: usize = 1 << 14;
/// Keys at which a run ends early: long articles have thousands.
const MAX_RUN_KEYS: usize = 1 << 22;
/// Sections that the shards of a run are put away in: what lies in a file is read by sections, and the memory of one is
/// given back when its shards were looked at.
pub(super) const NUM_SECTIONS: usize = 64;
const SECTION_LEN: usize = NUM_SHARDS / NUM_SECTIONS;
/// The rank of an article that takes no part: another stands in for it.
pub(super) const NO_RANK: u32 = u32::MAX;
/// Articles that one worker makes keys of before the next takes a share.
const KEYING_CHUNK: usize = 256;
/// Seed of the checksums of what lies in a file.
const CHECK_SEED: u64 = 0x6b65_7973;

/// Makes the keys of articles while their sketches are at hand.
#[derive(Debug)]
pub(super) struct Keying {
    maker: KeyMaker,
    hasher: MinHasher,
    bands: Bands,
    band_similarity: f64,
    level: Level,
    near: NearSketch,
    bucket_cap: usize,
    min_content: usize,
    seed: u64,
}

impl Keying {
    pub(super) fn new(profile: &Profile, level: Level, near: NearSketch) -> Self {
        let params = profile.sketch();
        let share = |percent: u32| f64::from(percent) / 100.0;
        let band_similarity = share(params.band_similarity_percent);
        Self {
            maker: KeyMaker::new(profile),
            hasher: MinHasher::new(params.num_slots, params.seed),
            bands: Bands::choose(params.num_slots, band_similarity, share(params.band_recall_percent)),
            band_similarity,
            level,
            near,
            bucket_cap: params.bucket_cap,
            min_content: params.min_content,
            seed: params.seed,
        }
    }

    /// Articles a bucket may hold before it is refined.
    pub(super) fn bucket_cap(&self) -> usize {
        self.bucket_cap
    }

    /// The bands, and how many pairs of the stated similarity they find.
    pub(super) fn bands(&self) -> (Bands, f64) {
        (self.bands, self.bands.recall_at(self.band_similarity))
    }

    /// Whether articles meet by their words' weights.
    pub(super) fn makes_trees(&self) -> bool {
        self.level == Level::Rewrite
    }

    /// The signature of a record, where keys are made of it.
    pub(super) fn signature(&self, record: &Record<'_>) -> Vec<u32> {
        if self.needs_signatures() { self.signature_of(record) } else { Vec::new() }
    }

    /// The signature of a record.
    pub(super) fn signature_of(&self, record: &Record<'_>) -> Vec<u32> {
        // Shingle hashes that fold to those kept.
        let shingles: Vec<u64> = record.shingles.iter().copied().map(u64::from).collect();
        self.hasher.signature(&shingles)
    }

    /// Whether keys are made of signatures.
    pub(super) fn needs_signatures(&self) -> bool {
        self.level != Level::Exact && self.near == NearSketch::MinHash
    }

    /// Calls `each` with the hash of every key of an article; none at the level of exact copies, and none of one too
    /// short to compare. `signature` may be empty where it is not needed.
    pub(super) fn each_key(
        &self,
        record: &Record<'_>,
        signature: &[u32],
        scratch: &mut KeyingScratch,
        mut each: impl FnMut(KeyOrigin, u64),
    ) {
        if self.level == Level::Exact || record.content.len() < self.min_content {
            return;
        }
        match self.near {
            NearSketch::MinHash => {
                for band in 0..self.bands.num_bands {
                    if let Some(key) = self.bands.key(signature, band, 0) {
                        each(KeyOrigin::Band(band as u16), key);
                    }
                }
            }
            NearSketch::SimHash => {
                simhash_keys(simhash(record, self.seed), |key| each(KeyOrigin::Fingerprint, key));
            }
        }
        self.maker.passage_keys(record, |key| each(KeyOrigin::Passage, key));
        if self.level == Level::Rewrite && record.terms.is_weighted() {
            let KeyingScratch { terms, keys } = scratch;
            self.maker.weigh(record, terms);
            for tree in 0..self.maker.num_trees() {
                for key in self.maker.tree_keys(terms, tree, 0, keys).into_iter().flatten() {
                    each(KeyOrigin::Tree(tree as u16), key);
                }
            }
        }
    }

    /// Adds the keys of a worker's next article.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub(super) fn add(
        &self,
        record: &Record<'_>,
        signature: &[u32],
        keys: &KeyStore<'_>,
        filling: &mut KeyRun,
    ) -> Result<()> {
        if filling.num_articles == RUN_LEN || filling.num_keys >= MAX_RUN_KEYS {
            keys.seal(filling)?;
        }
        let article = filling.num_articles as u16;
        filling.num_articles += 1;
        let KeyRun { shards, scratch, num_keys, .. } = filling;
        self.each_key(record, signature, scratch, |_, hash| {
            let (shard, rest) = shard_of(key_of(hash));
            shards[shard].push(u64::from(rest) << 16 | u64::from(article));
            *num_keys += 1;
        });
        Ok(())
    }

    /// The keys of articles that were put away, numbered by rank. `go_on` is asked before each.
    ///
    /// # Errors
    /// When a temporary file cannot be written, and what `go_on` says.
    pub(super) fn keys_of<'b>(
        &self,
        articles: &Articles,
        budget: &'b Budget,
        go_on: impl Fn() -> Result<()> + Sync,
    ) -> Result<SealedKeys<'b>> {
        let store = KeyStore::new(budget);
        let num_articles = articles.len();
        let chunk_len = num_articles.div_ceil(rayon::current_num_threads()).max(KEYING_CHUNK);
        let chunks: Vec<std::ops::Range<usize>> =
            (0..num_articles).step_by(chunk_len).map(|at| at..(at + chunk_len).min(num_articles)).collect();
        let opened: Vec<_> = chunks.iter().map(|chunk| (chunk.clone(), store.open())).collect();
        let runs = opened.into_par_iter().map(|(chunk, mut run)| {
            for rank in chunk {
                go_on()?;
                let record = articles.record(rank as u32);
                self.add(&record, &self.signature(&record), &store, &mut run)?;
            }
            Ok(run)
        });
        let runs = runs.collect::<Result<Vec<_>>>()?;
        store.finish(runs, &chunks.iter().map(|chunk| chunk.len()).collect::<Vec<_>>())
    }

    /// Calls `each` with the pairs that meet in one shard of a section, each once for each key.
    pub(super) fn meet(
        &self,
        (section, shard): (&Section<'_>, usize),
        (ranks, articles): (&[u32], &Articles),
        rule: CrowdRule,
        scratch: &mut ShardScratch,
        each: &mut impl FnMut(u32, u32),
    ) -> BucketCounts {
        let refine = Refiner::new(self, articles);
        shard_pairs(shard, &section.entries(shard), ranks, rule, &refine, scratch, each)
    }

    /// The distinct pairs that meet under a rule for crowded buckets, sorted.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub(super) fn met(
        &self,
        keys: &SealedKeys<'_>,
        ranks: &[u32],
        articles: &Articles,
        rule: CrowdRule,
    ) -> Result<Vec<(u32, u32)>> {
        let mut pairs = Vec::new();
        for number in 0..NUM_SECTIONS {
            let section = keys.section(number)?;
            pairs.par_extend(section.shards().into_par_iter().flat_map_iter(|shard| {
                let mut found = Vec::new();
                let mut scratch = ShardScratch::default();
                self.meet((&section, shard), (ranks, articles), rule, &mut scratch, &mut |a, b| found.push((a, b)));
                found
            }));
        }
        pairs.par_sort_unstable();
        pairs.dedup();
        Ok(pairs)
    }

    /// The buckets of more than `cap` articles, largest first, then by articles and origin.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub(super) fn crowded(
        &self,
        keys: &SealedKeys<'_>,
        ranks: &[u32],
        articles: &Articles,
        cap: usize,
    ) -> Result<Vec<(KeyOrigin, Vec<u32>)>> {
        let refine = Refiner::new(self, articles);
        let mut buckets = Vec::new();
        for number in 0..NUM_SECTIONS {
            let section = keys.section(number)?;
            let found = section
                .shards()
                .into_par_iter()
                .flat_map_iter(|shard| crowded_buckets(shard, &section.entries(shard), ranks, cap));
            buckets.par_extend(found.filter_map(|(key, articles)| Some((refine.origin(articles[0], key)?, articles))));
        }
        buckets.par_sort_unstable_by(|(a, x), (b, y)| y.len().cmp(&x.len()).then_with(|| (x, a).cmp(&(y, b))));
        Ok(buckets)
    }
}

/// Scratch space for the keys of articles.
#[derive(Debug, Default)]
pub(super) struct KeyingScratch {
    terms: WeightedTerms,
    keys: KeyScratch,
}

/// The keys of a worker's latest articles, by shard.
#[derive(Debug)]
pub(super) struct KeyRun {
    /// Each key above the article's place in the run.
    shards: Vec<Vec<u64>>,
    /// Articles of the worker before this run.
    base: usize,
    num_articles: usize,
    num_keys: usize,
    worker: usize,
    scratch: KeyingScratch,
}

impl KeyRun {
    /// The number of the worker whose articles these are.
    pub(super) fn worker(&self) -> usize {
        self.worker
    }
}

/// Keys without their shard, and for each its article's place in the run.
type Lists = (Vec<u32>, Vec<u16>);

/// A run that was put away.
#[derive(Debug)]
struct SealedRun {
    worker: usize,
    base: usize,
    /// Where each shard begins among the run's keys.
    starts: Vec<u32>,
    place: RunPlace,
}

#[derive(Debug)]
enum RunPlace {
    /// Each section, until its memory is given back.
    Held(Vec<Lists>),
    /// Where in the file the run begins, and a checksum of each shard.
    Filed { start: u64, checks: Vec<u64> },
}

/// The runs of all workers.
#[derive(Debug)]
pub(super) struct KeyStore<'a> {
    budget: &'a Budget,
    file: SpillFile<'a>,
    runs: Mutex<Vec<SealedRun>>,
    num_workers: Mutex<usize>,
}

impl<'a> KeyStore<'a> {
    pub(super) fn new(budget: &'a Budget) -> Self {
        Self { budget, file: budget.spill_file(), runs: Mutex::default(), num_workers: Mutex::default() }
    }

    /// A first run for a worker, and the worker's number.
    pub(super) fn open(&self) -> KeyRun {
        let mut num_workers = self.num_workers.lock().expect("no worker panics while it counts");
        *num_workers += 1;
        KeyRun {
            shards: vec![Vec::new(); NUM_SHARDS],
            base: 0,
            num_articles: 0,
            num_keys: 0,
            worker: *num_workers - 1,
            scratch: KeyingScratch::default(),
        }
    }

    /// Puts a run away and begins the worker's next.
    fn seal(&self, run: &mut KeyRun) -> Result<()> {
        let mut starts = Vec::with_capacity(NUM_SHARDS + 1);
        let mut num_keys = 0;
        for shard in &run.shards {
            starts.push(num_keys as u32);
            num_keys += shard.len();
        }
        starts.push(num_keys as u32);
        let place = if self.budget.take(num_keys * 6) {
            let section = |shards: &[Vec<u64>]| -> Lists {
                let num_keys = shards.iter().map(Vec::len).sum();
                let (mut keys, mut articles) = (Vec::with_capacity(num_keys), Vec::with_capacity(num_keys));
                for shard in shards {
                    keys.extend(shard.iter().map(|entry| (entry >> 16) as u32));
                    articles.extend(shard.iter().map(|entry| *entry as u16));
                }
                (keys, articles)
            };
            RunPlace::Held(run.shards.chunks(SECTION_LEN).map(section).collect())
        } else {
            self.file_run(run, num_keys)?
        };
        run.shards.iter_mut().for_each(Vec::clear);
        let sealed = SealedRun { worker: run.worker, base: run.base, starts, place };
        self.runs.lock().expect("no worker panics while it appends").push(sealed);
        run.base += run.num_articles;
        run.num_articles = 0;
        run.num_keys = 0;
        Ok(())
    }

    /// Writes a run: of each shard the keys, in order, then the articles.
    fn file_run(&self, run: &mut KeyRun, num_keys: usize) -> Result<RunPlace> {
        let mut bytes = Vec::with_capacity(6 * num_keys);
        let mut checks = Vec::with_capacity(NUM_SHARDS);
        for order in &mut run.shards {
            order.sort_unstable();
            let start = bytes.len();
            order.iter().for_each(|entry| bytes.extend_from_slice(&((entry >> 16) as u32).to_le_bytes()));
            order.iter().for_each(|entry| bytes.extend_from_slice(&(*entry as u16).to_le_bytes()));
            checks.push(hash64(&bytes[start..], CHECK_SEED));
        }
        Ok(RunPlace::Filed { start: self.file.append(&bytes)?, checks })
    }

    /// All runs, for articles that are numbered worker by worker: `num_articles` by worker.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub(super) fn finish(self, fillings: Vec<KeyRun>, num_articles: &[usize]) -> Result<SealedKeys<'a>> {
        fillings.into_par_iter().try_for_each(|mut run| self.seal(&mut run))?;
        let first: Vec<usize> = num_articles
            .iter()
            .scan(0, |sum, num| {
                *sum += num;
                Some(*sum - num)
            })
            .collect();
        let mut runs = self.runs.into_inner().expect("no worker panics while it appends");
        for run in &mut runs {
            run.base += first[run.worker];
        }
        runs.sort_unstable_by_key(|run| run.base);
        let num_keys = runs.iter().map(|run| u64::from(run.starts[NUM_SHARDS])).sum();
        let num_articles = num_articles.iter().sum();
        Ok(SealedKeys { budget: self.budget, file: self.file, runs, num_keys, num_articles })
    }
}

/// All keys of all articles.
#[derive(Debug)]
pub(super) struct SealedKeys<'a> {
    budget: &'a Budget,
    file: SpillFile<'a>,
    runs: Vec<SealedRun>,
    /// Keys of all kinds.
    pub(super) num_keys: u64,
    /// Articles that were numbered, those without keys too.
    pub(super) num_articles: usize,
}

/// The keys of one section of all runs.
#[derive(Debug)]
pub(super) struct Section<'a> {
    number: usize,
    parts: Vec<(&'a SealedRun, Cow<'a, Lists>)>,
}

impl Section<'_> {
    /// The numbers of its shards.
    pub(super) fn shards(&self) -> std::ops::Range<usize> {
        self.number * SECTION_LEN..(self.number + 1) * SECTION_LEN
    }

    fn entries(&self, shard: usize) -> Vec<Entries<'_>> {
        self.parts
            .iter()
            .map(|(run, lists)| {
                let first = run.starts[self.number * SECTION_LEN];
                let [start, end] = [shard, shard + 1].map(|shard| (run.starts[shard] - first) as usize);
                let (keys, articles) = &**lists;
                Entries { keys: &keys[start..end], articles: &articles[start..end], base: run.base as u32 }
            })
            .collect()
    }
}

impl SealedKeys<'_> {
    /// The keys of a section.
    ///
    /// # Errors
    /// When a temporary file cannot be read, or gives other bytes than were written.
    pub(super) fn section(&self, number: usize) -> Result<Section<'_>> {
        let part = |run| Ok((run, self.lists(run, number)?));
        let parts = self.runs.par_iter().map(part).collect::<Result<_>>()?;
        Ok(Section { number, parts })
    }

    fn lists<'s>(&self, run: &'s SealedRun, section: usize) -> Result<Cow<'s, Lists>> {
        let (place, checks) = match &run.place {
            RunPlace::Held(sections) => return Ok(Cow::Borrowed(&sections[section])),
            RunPlace::Filed { start, checks } => (start, checks),
        };
        let shards = section * SECTION_LEN..(section + 1) * SECTION_LEN;
        let [start, end] = [shards.start, shards.end].map(|shard| run.starts[shard] as usize);
        let mut bytes = vec![0; 6 * (end - start)];
        self.file.read(place + 6 * start as u64, &mut bytes)?;
        let (mut keys, mut articles) = (Vec::with_capacity(end - start), Vec::with_capacity(end - start));
        let mut rest = &bytes[..];
        for shard in shards {
            let num_keys = (run.starts[shard + 1] - run.starts[shard]) as usize;
            let (of_shard, others) = rest.split_at(6 * num_keys);
            if hash64(of_shard, CHECK_SEED) != checks[shard] {
                return Err(Error::Temporary { what: "keys" });
            }
            let (of_keys, of_articles) = of_shard.split_at(4 * num_keys);
            keys.extend(of_keys.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)));
            articles.extend(of_articles.as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes)));
            rest = others;
        }
        Ok(Cow::Owned((keys, articles)))
    }

    /// Gives the memory of a section back.
    pub(super) fn drop_section(&mut self, section: usize) {
        for run in &mut self.runs {
            if let RunPlace::Held(sections) = &mut run.place {
                let (keys, _) = std::mem::take(&mut sections[section]);
                self.budget.give_back(6 * keys.len());
            }
        }
    }

    /// Bytes that lie in a temporary file.
    pub(super) fn num_filed_bytes(&self) -> u64 {
        self.file.len()
    }
}

/// The keys of articles by rank, made anew for buckets to be refined by.
pub(super) struct Refiner<'a> {
    keying: &'a Keying,
    articles: &'a Articles,
}

impl<'a> Refiner<'a> {
    pub(super) fn new(keying: &'a Keying, articles: &'a Articles) -> Self {
        Self { keying, articles }
    }
}

impl Keying {
    /// Where a record's key comes from.
    pub(super) fn origin_of(&self, record: &Record<'_>, key: u64) -> Option<KeyOrigin> {
        let mut found = None;
        self.each_key(record, &self.signature(record), &mut KeyingScratch::default(), |origin, hash| {
            if key_of(hash) == key {
                found = found.or(Some(origin));
            }
        });
        found
    }

    /// A record's key of an origin, refined by `depth` further elements.
    pub(super) fn refine_of(&self, record: &Record<'_>, origin: KeyOrigin, key: u64, depth: usize) -> Option<u32> {
        let hash = match origin {
            KeyOrigin::Band(band) => self.bands.key(&self.signature(record), band as usize, depth),
            KeyOrigin::Tree(tree) => {
                let terms = self.maker.weighted_terms(record);
                let keys = |depth| self.maker.tree_keys(&terms, tree as usize, depth, &mut KeyScratch::default());
                // Of the tree's keys the one that brought the article here.
                let at = keys(0).iter().position(|hash| hash.is_some_and(|hash| key_of(hash) == key))?;
                keys(depth)[at]
            }
            // A passage or fingerprint that many share is refined by the wording of the rest.
            KeyOrigin::Passage | KeyOrigin::Fingerprint => {
                Bands { num_bands: 1, num_rows: 1 }.key(&self.signature_of(record), 0, depth - 1)
            }
        };
        hash.map(refined_key)
    }
}

impl Refine for Refiner<'_> {
    fn origin(&self, article: u32, key: u64) -> Option<KeyOrigin> {
        self.keying.origin_of(&self.articles.record(article), key)
    }

    fn refine(&self, article: u32, origin: KeyOrigin, key: u64, depth: usize) -> Option<u32> {
        self.keying.refine_of(&self.articles.record(article), origin, key, depth)
    }
}
