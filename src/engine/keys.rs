//! All keys of all articles, and the candidate pairs that follow.

use super::{Analyzed, NearSketch, Stats};
use crate::engine::analyze::Groups;
use crate::lsh::{Bands, Entry, KeyOrigin, Refine, candidate_pairs};
use crate::profile::Profile;
use crate::sketch::{KeyMaker, KeyScratch, simhash, simhash_keys};
use crate::verify::Level;
use rayon::prelude::*;

/// Shards that the key table is cut into by the keys' highest bits, so that sorting runs in parallel.
const NUM_SHARDS: usize = 64;
/// Articles a task makes keys for.
const CHUNK: usize = 128;

struct Keys<'a> {
    articles: &'a [Analyzed],
    maker: KeyMaker,
    bands: Bands,
    level: Level,
    near: NearSketch,
}

/// The distinct candidate pairs of a set of articles, sorted; exact copies take part through their stand-in.
pub(super) fn candidates(
    profile: &Profile,
    level: Level,
    near: NearSketch,
    articles: &[Analyzed],
    groups: &Groups,
    stats: &mut Stats,
) -> Vec<(u32, u32)> {
    let params = profile.sketch();
    let recall = |percent: u32| f64::from(percent) / 100.0;
    let bands =
        Bands::choose(params.num_slots, recall(params.band_similarity_percent), recall(params.band_recall_percent));
    let keys = Keys { articles, maker: KeyMaker::new(profile), bands, level, near };
    stats.num_bands = bands.num_bands as u64;
    stats.num_rows = bands.num_rows as u64;
    stats.band_recall = bands.recall_at(recall(params.band_similarity_percent));

    let ranks: Vec<u32> = (0..articles.len() as u32)
        .filter(|rank| groups.stand_in(*rank) == *rank)
        .filter(|rank| articles[*rank as usize].record.content.len() >= params.min_content)
        .collect();
    let chunks: Vec<Vec<Vec<Entry>>> = ranks
        .par_chunks(CHUNK)
        .map(|chunk| {
            // Room for 256 keys an article; a cloned vector would not keep it.
            let mut shards: Vec<Vec<Entry>> = (0..NUM_SHARDS).map(|_| Vec::with_capacity(CHUNK * 4)).collect();
            let mut scratch = KeyScratch::default();
            for rank in chunk {
                keys.each(*rank, &mut scratch, |hash, origin| {
                    let entry = Entry::new(hash, *rank, origin);
                    shards[(entry.key() >> (64 - NUM_SHARDS.ilog2())) as usize].push(entry);
                });
            }
            shards
        })
        .collect();
    stats.num_keys = chunks.iter().flatten().map(|shard| shard.len() as u64).sum();
    let found: Vec<_> = (0..NUM_SHARDS)
        .into_par_iter()
        .map(|shard| {
            let parts: Vec<&[Entry]> = chunks.iter().map(|chunk| chunk[shard].as_slice()).collect();
            candidate_pairs(&parts, params.bucket_cap, &keys)
        })
        .collect();
    let mut pairs = Vec::with_capacity(found.iter().map(|(pairs, _)| pairs.len()).sum());
    for (part, counts) in found {
        pairs.extend(part);
        stats.buckets = stats.buckets.plus(counts);
    }
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

impl Keys<'_> {
    fn each(&self, rank: u32, scratch: &mut KeyScratch, mut each: impl FnMut(u64, KeyOrigin)) {
        let article = &self.articles[rank as usize];
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
                if let Some(key) = self.maker.tree_key(&terms, tree, 0, scratch) {
                    each(key, KeyOrigin::Tree(tree as u16));
                }
            }
        }
    }
}

impl Refine for Keys<'_> {
    fn refine(&self, article: u32, origin: KeyOrigin, _key: u64, depth: usize) -> Option<u64> {
        let article = &self.articles[article as usize];
        match origin {
            KeyOrigin::Band(band) => self.bands.key(&article.signature, band as usize, depth),
            KeyOrigin::Tree(tree) => {
                let terms = self.maker.weighted_terms(&article.record);
                self.maker.tree_key(&terms, tree as usize, depth, &mut KeyScratch::default())
            }
            // A passage or fingerprint that many share is refined by the wording of the rest.
            KeyOrigin::Passage | KeyOrigin::Fingerprint => {
                Bands { num_bands: 1, num_rows: 1 }.key(&article.signature, 0, depth - 1)
            }
        }
    }
}
