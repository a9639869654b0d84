//! Keys: hashes under which articles meet as candidates.
//!
//! *Skew-adaptive keys* (after Christiani and Pagh, "Set similarity search beyond MinHash", STOC 2017; McCauley,
//! Mikkelsen and Pagh, "Set similarity search for skewed data", PODS 2018): in each of many trees an article's tokens
//! stand in a random order biased to high weight; the shortest prefix that carries enough idf is its key. Rare tokens
//! need few companions, common ones many, so all keys are about equally selective.
//!
//! *Passage keys*: runs of content tokens, one of each window by rarity (after Schleimer, Wilkerson and Aiken,
//! "Winnowing", SIGMOD 2003), so that an excerpt from any place finds its source.

use super::record::Record;
use crate::fixed::{exp_neg_q30, ln_q16};
use crate::hash::{combine, derived_seed};
use crate::profile::Profile;

/// Tokens of a key's prefix, at least and at most; refinement may take more.
const PREFIX_LEN: std::ops::RangeInclusive<usize> = 2..=6;
/// Tokens a refined key may have.
const MAX_PREFIX: usize = 24;
/// Tokens expected on a short list.
const SHORT_LIST_LEN: u128 = 7;
/// Tokens beyond this many decays weigh under 1/400 and are left out.
const MAX_DECAYS: u32 = 6;
/// Salts that keep the kinds of keys apart.
const TREE_SALT: u64 = 0x7472_6565;
const PASSAGE_SALT: u64 = 0x7061_7373;

/// Makes the adaptive keys of articles under one profile.
#[derive(Clone, Debug)]
pub struct KeyMaker {
    tree_seeds: Vec<u32>,
    key_weight: u32,
    /// `exp(-position / decay)` with 12 fractional bits.
    decay: Vec<u32>,
    /// `(1 + ln count)^1.5` with 8 fractional bits, by count.
    repeats: [u32; 256],
    passage_len: usize,
    passage_window: usize,
}

/// The tokens of an article that take part in its keys, by hash, with the inverse of their weight.
#[derive(Clone, Debug, Default)]
pub struct WeightedTerms {
    hashes: Vec<u32>,
    inverse: Vec<u32>,
    idf: Vec<u8>,
    /// Ranks up to this are likely to hold a whole prefix: some seven tokens of the article.
    short_list: u64,
    /// The largest uniform value that can have a rank on the short list.
    cutoffs: Vec<u32>,
}

/// Scratch space for the keys of one worker.
#[derive(Debug, Default)]
pub struct KeyScratch {
    uniform: Vec<u32>,
    hits: Vec<u32>,
    /// Rank above, index in the lowest 16 bits.
    ranked: Vec<u64>,
}

impl KeyMaker {
    /// A maker for the profile's parameters.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let params = profile.sketch();
        let tree_seeds =
            (0..params.num_trees as u64).map(|t| derived_seed(params.seed ^ TREE_SALT, t) as u32).collect();
        let decay = (0..params.lead_decay * MAX_DECAYS)
            .map(|position| (exp_neg_q30((position << 16) / params.lead_decay) >> 18).max(1))
            .collect();
        let mut repeats = [0; 256];
        for (count, factor) in repeats.iter_mut().enumerate() {
            let x = u64::from(ln_q16(count as u64)) + 65_536; // 1 + ln count, 16 fractional bits
            *factor = ((x * (x << 16).isqrt()) >> 24) as u32;
        }
        Self {
            tree_seeds,
            key_weight: profile.key_weight(),
            decay,
            repeats,
            passage_len: params.passage_len,
            passage_window: params.passage_window,
        }
    }

    /// Number of trees.
    #[must_use]
    pub fn num_trees(&self) -> usize {
        self.tree_seeds.len()
    }

    /// The weights of an article's tokens: idf³ · (1 + ln count)^1.5 · exp(−first position / decay).
    #[must_use]
    pub fn weighted_terms(&self, record: &Record) -> WeightedTerms {
        let mut terms = WeightedTerms::default();
        let mut total = 0u128;
        for term in &record.vocabulary {
            let Some(decay) = self.decay.get(term.first as usize) else { continue };
            let idf = u64::from(term.idf);
            let weight = (idf * idf * idf * u64::from(self.repeats[term.count as usize]) * u64::from(*decay)) >> 12;
            terms.hashes.push(term.hash);
            terms.inverse.push(((1u64 << 44) / weight.max(1)).min(1 << 31) as u32);
            terms.idf.push(term.idf);
            total += u128::from(weight.max(1));
        }
        // A multiple of what `with_index` cuts off, so that no rank beyond ties with one on the list.
        terms.short_list = ((SHORT_LIST_LEN << 75) / total.max(1)).min(u128::from(u64::MAX >> 1)) as u64 & !0xffff;
        // A rank is at least v/2 · inverse, so no smaller rank hides behind the cutoff.
        let cutoff = |inverse: &u32| (terms.short_list / u64::from(*inverse) * 2 + 2).min(u64::from(u32::MAX)) as u32;
        terms.cutoffs = terms.inverse.iter().map(cutoff).collect();
        terms
    }

    /// The key of one tree: of the shortest prefix that carries enough idf, and `depth` tokens more.
    ///
    /// `None` when the article has no two tokens, or none left to refine by.
    #[must_use]
    pub fn tree_key(&self, terms: &WeightedTerms, tree: usize, depth: usize, scratch: &mut KeyScratch) -> Option<u64> {
        let seed = self.tree_seeds[tree];
        // The first few tokens of the order nearly always suffice; if not, all are ranked.
        terms.rank_first(seed, scratch);
        let is_all = scratch.ranked.len() == terms.hashes.len();
        match self.prefix_key(terms, tree, depth, &scratch.ranked) {
            Prefix::Whole(key) => Some(key),
            Prefix::Exhausted(key) if is_all => key,
            Prefix::Exhausted(_) => {
                terms.rank_all(seed, scratch);
                match self.prefix_key(terms, tree, depth, &scratch.ranked) {
                    Prefix::Whole(key) => Some(key),
                    Prefix::Exhausted(key) => key,
                }
            }
        }
    }

    fn prefix_key(&self, terms: &WeightedTerms, tree: usize, depth: usize, ranked: &[u64]) -> Prefix {
        let mut prefix = [0u32; MAX_PREFIX];
        let (mut len, mut weight, mut extra) = (0, 0, 0);
        let key = |prefix: &mut [u32]| {
            prefix.sort_unstable();
            prefix.iter().fold(combine(TREE_SALT, tree as u64), |key, hash| combine(key, u64::from(*hash)))
        };
        loop {
            let enough = (weight >= self.key_weight && len >= *PREFIX_LEN.start()) || len >= *PREFIX_LEN.end();
            if enough && extra == depth {
                return Prefix::Whole(key(&mut prefix[..len]));
            }
            let Some(next) = ranked.get(len).filter(|_| len < MAX_PREFIX) else {
                // All tokens together carry less than is asked: they are the key, but cannot be refined.
                let is_key = !enough && len >= *PREFIX_LEN.start() && depth == 0;
                return Prefix::Exhausted(is_key.then(|| key(&mut prefix[..len])));
            };
            extra += usize::from(enough);
            let next = usize::from(*next as u16);
            prefix[len] = terms.hashes[next];
            weight += u32::from(terms.idf[next]);
            len += 1;
        }
    }

    /// Calls `each` with the passage keys of an article: of each window of consecutive runs of content tokens the
    /// one with the highest idf, ties by hash.
    pub fn passage_keys(&self, record: &Record, mut each: impl FnMut(u64)) {
        let len = if record.is_weighted { self.passage_len } else { 2 * self.passage_len };
        if record.content.len() < len {
            return;
        }
        let passages: Vec<(u32, u64)> = record
            .content
            .windows(len)
            .map(|run| {
                let idf = run.iter().map(|token| u32::from(record.term(token).idf)).sum();
                let key = run.iter().fold(PASSAGE_SALT, |key, token| combine(key, u64::from(record.term(token).hash)));
                (idf, key)
            })
            .collect();
        let mut last = None;
        for start in 0..=passages.len().saturating_sub(self.passage_window) {
            let end = (start + self.passage_window).min(passages.len());
            let best = (start..end).max_by_key(|i| passages[*i]).expect("a window holds a passage");
            if last != Some(best) {
                each(passages[best].1);
                last = Some(best);
            }
        }
    }
}

/// What a prefix came to.
enum Prefix {
    /// It carries enough: its key.
    Whole(u64),
    /// The ranked tokens ran out: the key of all of them, where that is one.
    Exhausted(Option<u64>),
}

impl WeightedTerms {
    /// Ranks the tokens on the short list, first in order first.
    fn rank_first(&self, seed: u32, scratch: &mut KeyScratch) {
        scratch.uniform.resize(self.hashes.len(), 0);
        scratch.hits.resize(self.hashes.len().div_ceil(32), 0);
        scatter_all(&self.hashes, seed, &mut scratch.uniform);
        find_hits(&scratch.uniform, &self.cutoffs, &mut scratch.hits);
        scratch.ranked.clear();
        for (word, hits) in scratch.hits.iter().enumerate() {
            let mut hits = *hits;
            while hits != 0 {
                let i = word * 32 + hits.trailing_zeros() as usize;
                hits &= hits - 1;
                let rank = rank(scratch.uniform[i], self.inverse[i]);
                if rank < self.short_list {
                    scratch.ranked.push(with_index(rank, i));
                }
            }
        }
        // Ties of rank go to the smaller hash, which has the smaller index.
        scratch.ranked.sort_unstable();
    }

    /// Ranks all tokens, first in order first.
    fn rank_all(&self, seed: u32, scratch: &mut KeyScratch) {
        scratch.uniform.resize(self.hashes.len(), 0);
        scatter_all(&self.hashes, seed, &mut scratch.uniform);
        scratch.ranked.clear();
        let ranks = scratch.uniform.iter().zip(&self.inverse).enumerate();
        scratch.ranked.extend(ranks.map(|(i, (v, inverse))| with_index(rank(*v, *inverse), i)));
        scratch.ranked.sort_unstable();
    }
}

/// A token's place in a tree's order: an exponential variate of rate `weight`, smallest first.
///
/// −ln(1−v) for uniform v is taken by the first four terms of its series. The cut shows only above v = 0.7, where a
/// token of an article of twenty or more never comes first.
fn rank(uniform: u32, inverse_weight: u32) -> u64 {
    let v = u64::from(uniform);
    // v · (1 + v/2 · (1 + 2v/3 · (1 + 3v/4))), with 32 fractional bits; less than 2.1, so 31 bits are kept.
    let third = (1 << 31) + ((v * 3) >> 3);
    let second = (1 << 31) + ((((v * third) >> 32) * 2) / 3);
    let first = (1 << 31) + (((v * second) >> 32) >> 1);
    let series = (v * first) >> 32; // 31 fractional bits
    series * u64::from(inverse_weight)
}

/// A rank with the token's index in its lowest 16 bits: sorts by rank, ties by index.
fn with_index(rank: u64, index: usize) -> u64 {
    rank & !0xffff | index as u64
}

/// A uniform value for each token of a tree.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn scatter_all(hashes: &[u32], seed: u32, out: &mut [u32]) {
    for (value, hash) in out.iter_mut().zip(hashes) {
        *value = scatter(hash ^ seed);
    }
}

/// A bit for each value that is not above its cutoff.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn find_hits(values: &[u32], cutoffs: &[u32], hits: &mut [u32]) {
    for ((values, cutoffs), hits) in values.chunks(32).zip(cutoffs.chunks(32)).zip(hits) {
        let mut bits = 0;
        for (i, (value, cutoff)) in values.iter().zip(cutoffs).enumerate() {
            bits |= u32::from(value <= cutoff) << i;
        }
        *hits = bits;
    }
}

/// MurmurHash3's finaliser on 32 bits.
#[inline(always)]
fn scatter(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x85eb_ca6b);
    x ^= x >> 13;
    x = x.wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Article;
    use crate::text::Document;

    fn terms_of(text: &str) -> (KeyMaker, Record, WeightedTerms) {
        let profile = Profile::default();
        let article = Article::new("1", text);
        let record = Record::new(&article, &Document::new(text, 10_000), &[], &profile);
        let maker = KeyMaker::new(&profile);
        let terms = maker.weighted_terms(&record);
        (maker, record, terms)
    }

    const STORY: &str = "The ferry Santa Odilia ran aground on a reef off Batanes with 214 passengers aboard, and \
                         fishermen from Ivana brought most of them ashore before the coast guard arrived on Monday.";

    #[test]
    fn ranks_follow_the_logarithm() {
        for v in [1u32 << 20, 1 << 28, 1 << 30, 1 << 31] {
            let hash = (0..u32::MAX).step_by(9973).min_by_key(|h| scatter(*h).abs_diff(v)).unwrap();
            let exact = -(1.0 - f64::from(scatter(hash)) / 4294967296.0).ln();
            let got = rank(scatter(hash), 1) as f64 / f64::from(1u32 << 31);
            assert!((got / exact - 1.0).abs() < 0.03, "{v}: {got} against {exact}");
        }
    }

    #[test]
    fn keys_do_not_depend_on_small_words_or_order_of_sentences_alone() {
        let (maker, _, terms) = terms_of(STORY);
        let mut scratch = KeyScratch::default();
        let keys: Vec<_> = (0..128).map(|t| maker.tree_key(&terms, t, 0, &mut scratch).unwrap()).collect();
        let (_, _, other) = terms_of(&STORY.replace(" the ", " a "));
        let again: Vec<_> = (0..128).map(|t| maker.tree_key(&other, t, 0, &mut scratch).unwrap()).collect();
        assert_eq!(keys, again);
        let distinct: crate::hash::HashSet<_> = keys.iter().collect();
        assert!(distinct.len() > 100);
    }

    #[test]
    fn the_short_list_changes_nothing() {
        let (maker, _, terms) = terms_of(&STORY.repeat(3).replace("Monday", "a wet Tuesday in the north of Luzon"));
        let full = WeightedTerms { short_list: 0, cutoffs: vec![0; terms.cutoffs.len()], ..terms.clone() };
        let mut scratch = KeyScratch::default();
        for tree in 0..128 {
            for depth in 0..5 {
                let fast = maker.tree_key(&terms, tree, depth, &mut scratch);
                assert_eq!(fast, maker.tree_key(&full, tree, depth, &mut scratch));
            }
        }
    }

    #[test]
    fn refinement_ends() {
        let (maker, _, terms) = terms_of(STORY);
        let mut scratch = KeyScratch::default();
        let depths: Vec<bool> = (0..64).map(|d| maker.tree_key(&terms, 3, d, &mut scratch).is_some()).collect();
        assert!(depths[0] && !depths[63]);
        assert!(depths.is_sorted_by(|a, b| a >= b));
        let (_, _, none) = terms_of("");
        assert_eq!(maker.tree_key(&none, 0, 0, &mut scratch), None);
        let (_, _, one) = terms_of("ferry");
        assert_eq!(maker.tree_key(&one, 0, 0, &mut scratch), None);
    }

    #[test]
    fn an_excerpt_shares_passages() {
        let (maker, whole, _) = terms_of(STORY);
        let (_, part, _) = terms_of("with 214 passengers aboard, and fishermen from Ivana brought most of them ashore");
        let keys = |record: &Record| {
            let mut keys = Vec::new();
            maker.passage_keys(record, |k| keys.push(k));
            keys
        };
        assert!(keys(&part).iter().any(|k| keys(&whole).contains(k)));
        let mut none = 0;
        maker.passage_keys(&Record::default(), |_| none += 1);
        assert_eq!(none, 0);
    }
}
