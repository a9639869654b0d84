//! All keys of all articles, and the candidate pairs that follow.
//!
//! Keys are made along with the sketches, while these are in the processor's caches, and before an article's rank by id
//! is known.

use super::{Analyzed, NearSketch, Stats};
use crate::lsh::{Bands, BucketCounts, CrowdRule, Entry, KeyOrigin, Refine, crowded_buckets, pairs_by_rule};
use crate::profile::Profile;
use crate::sketch::{KeyMaker, KeyScratch, simhash, simhash_keys};
use crate::verify::Level;
use rayon::prelude::*;

/// Shards that the key table is cut into by the keys' highest bits, so that sorting runs in parallel.
const NUM_SHARDS: usize = 64;
/// Keys that a shard takes room for at a time.
const CHUNK: usize = 1024;
/// The rank of an article that takes no part: another stands in for it.
pub(super) const NO_RANK: u32 = u32::MAX;

/// Makes the keys of articles while their sketches are at hand.
#[derive(Debug)]
pub(super) struct Keying {
    maker: KeyMaker,
    bands: Bands,
    band_similarity: f64,
    level: Level,
    near: NearSketch,
    bucket_cap: usize,
    min_content: usize,
}

/// The keys that one worker has made, by shard, in chunks. Articles are given by their number: in order of arrival.
#[derive(Debug)]
pub(super) struct KeyTable {
    full: Vec<Vec<Vec<Entry>>>,
    filling: Vec<Vec<Entry>>,
    scratch: KeyScratch,
}

impl Default for KeyTable {
    fn default() -> Self {
        Self {
            full: vec![Vec::new(); NUM_SHARDS],
            filling: vec![Vec::new(); NUM_SHARDS],
            scratch: KeyScratch::default(),
        }
    }
}

impl KeyTable {
    fn shard(&self, shard: usize) -> impl Iterator<Item = &[Entry]> {
        self.full[shard].iter().chain([&self.filling[shard]]).map(Vec::as_slice)
    }
}

impl Keying {
    pub(super) fn new(profile: &Profile, level: Level, near: NearSketch) -> Self {
        let params = profile.sketch();
        let share = |percent: u32| f64::from(percent) / 100.0;
        let band_similarity = share(params.band_similarity_percent);
        Self {
            maker: KeyMaker::new(profile),
            bands: Bands::choose(params.num_slots, band_similarity, share(params.band_recall_percent)),
            band_similarity,
            level,
            near,
            bucket_cap: params.bucket_cap,
            min_content: params.min_content,
        }
    }

    /// Articles a bucket may hold before it is refined.
    pub(super) fn bucket_cap(&self) -> usize {
        self.bucket_cap
    }

    /// Whether articles meet by their words' weights.
    pub(super) fn makes_trees(&self) -> bool {
        self.level == Level::Rewrite
    }

    /// Adds the keys of an article; none at the level of exact copies, and none of one too short to compare.
    pub(super) fn add(&self, article: &Analyzed, table: &mut KeyTable) {
        if self.level == Level::Exact || article.record.content.len() < self.min_content {
            return;
        }
        let KeyTable { full, filling, scratch } = table;
        let mut each = |hash, origin| {
            let entry = Entry::new(hash, article.number, origin);
            let shard = (entry.key() >> (64 - NUM_SHARDS.ilog2())) as usize;
            let chunk = &mut filling[shard];
            if chunk.len() == chunk.capacity() {
                full[shard].push(std::mem::replace(chunk, Vec::with_capacity(CHUNK)));
            }
            chunk.push(entry);
        };
        match self.near {
            NearSketch::MinHash => {
                for band in 0..self.bands.num_bands {
                    if let Some(key) = self.bands.key(&article.signature, band, 0) {
                        each(key, KeyOrigin::Band(band as u16));
                    }
                }
            }
            NearSketch::SimHash => {
                simhash_keys(simhash(&article.record), |key| each(key, KeyOrigin::Fingerprint));
            }
        }
        self.maker.passage_keys(&article.record, |key| each(key, KeyOrigin::Passage));
        if self.level == Level::Rewrite && article.record.is_weighted {
            let terms = self.maker.weighted_terms(&article.record);
            for tree in 0..self.maker.num_trees() {
                for key in self.maker.tree_keys(&terms, tree, 0, scratch).into_iter().flatten() {
                    each(key, KeyOrigin::Tree(tree as u16));
                }
            }
        }
    }

    /// The distinct candidate pairs of a set of articles, sorted. `ranks` gives each article's rank by its number,
    /// [`NO_RANK`] where it takes no part.
    pub(super) fn candidates(
        &self,
        tables: &[KeyTable],
        ranks: &[u32],
        articles: &[Analyzed],
        stats: &mut Stats,
    ) -> Vec<(u32, u32)> {
        stats.num_bands = self.bands.num_bands as u64;
        stats.num_rows = self.bands.num_rows as u64;
        stats.band_recall = self.bands.recall_at(self.band_similarity);
        let rule = CrowdRule { cap: self.bucket_cap, pairs_neighbours: true };
        let met = self.met(tables, ranks, articles, rule);
        stats.buckets = met.buckets;
        stats.num_keys = met.num_keys;
        met.pairs
    }

    /// The distinct pairs that meet under a rule for crowded buckets, sorted, with what was counted on the way.
    pub(super) fn met(&self, tables: &[KeyTable], ranks: &[u32], articles: &[Analyzed], rule: CrowdRule) -> Met {
        let keys = Keys { keying: self, articles };
        let found: Vec<_> = (0..NUM_SHARDS)
            .into_par_iter()
            .map(|shard| {
                let parts: Vec<&[Entry]> = tables.iter().flat_map(|table| table.shard(shard)).collect();
                let num_keys: usize = parts.iter().map(|part| part.len()).sum();
                (num_keys, pairs_by_rule(&parts, ranks, rule, &keys))
            })
            .collect();
        let num_in_shards = found.iter().map(|(_, (pairs, _))| pairs.len()).sum();
        let mut met = Met { pairs: Vec::with_capacity(num_in_shards), num_in_shards, ..Met::default() };
        for (num_keys, (part, counts)) in found {
            met.pairs.extend(part);
            met.buckets = met.buckets.plus(counts);
            met.num_keys += num_keys as u64;
        }
        met.pairs.par_sort_unstable();
        met.pairs.dedup();
        met
    }

    /// The buckets of more than `cap` articles, largest first, then by articles and origin.
    pub(super) fn crowded(&self, tables: &[KeyTable], ranks: &[u32], cap: usize) -> Vec<(KeyOrigin, Vec<u32>)> {
        let in_shard = |shard| {
            let parts: Vec<&[Entry]> = tables.iter().flat_map(|table: &KeyTable| table.shard(shard)).collect();
            crowded_buckets(&parts, ranks, cap)
        };
        let mut buckets: Vec<_> = (0..NUM_SHARDS).into_par_iter().flat_map_iter(in_shard).collect();
        buckets.par_sort_unstable_by(|(a, x), (b, y)| y.len().cmp(&x.len()).then_with(|| (x, a).cmp(&(y, b))));
        buckets
    }
}

/// Pairs that meet, and what was counted on the way.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Distinct pairs, sorted.
    pub(super) pairs: Vec<(u32, u32)>,
    /// Pairs of all shards: one that meets in several counts in each.
    pub(super) num_in_shards: usize,
    pub(super) buckets: BucketCounts,
    pub(super) num_keys: u64,
}

/// The keys of articles in order of rank, for buckets to be refined by.
struct Keys<'a> {
    keying: &'a Keying,
    articles: &'a [Analyzed],
}

impl Refine for Keys<'_> {
    fn refine(&self, article: u32, origin: KeyOrigin, key: u64, depth: usize) -> Option<u64> {
        let article = &self.articles[article as usize];
        match origin {
            KeyOrigin::Band(band) => self.keying.bands.key(&article.signature, band as usize, depth),
            KeyOrigin::Tree(tree) => {
                let maker = &self.keying.maker;
                let terms = maker.weighted_terms(&article.record);
                let keys = |depth| maker.tree_keys(&terms, tree as usize, depth, &mut KeyScratch::default());
                // Of the tree's keys the one that brought the article here.
                let at = keys(0).iter().position(|k| k.is_some_and(|k| Entry::new(k, 0, origin).key() == key))?;
                keys(depth)[at]
            }
            // A passage or fingerprint that many share is refined by the wording of the rest.
            KeyOrigin::Passage | KeyOrigin::Fingerprint => {
                Bands { num_bands: 1, num_rows: 1 }.key(&article.signature, 0, depth - 1)
            }
        }
    }
}
