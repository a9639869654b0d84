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

/// The tokens of an article that take part in its keys, with the inverse of their weight.
#[derive(Clone, Debug, Default)]
pub struct WeightedTerms {
    hashes: Vec<u32>,
    inverse: Vec<u32>,
    idf: Vec<u8>,
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
        for term in &record.vocabulary {
            let Some(decay) = self.decay.get(term.first as usize) else { continue };
            let idf = u64::from(term.idf);
            let weight = (idf * idf * idf * u64::from(self.repeats[term.count as usize]) * u64::from(*decay)) >> 12;
            terms.hashes.push(term.hash);
            terms.inverse.push(((1u64 << 44) / weight.max(1)).min(1 << 31) as u32);
            terms.idf.push(term.idf);
        }
        terms
    }

    /// The key of one tree: of the shortest prefix that carries enough idf, and `depth` tokens more.
    ///
    /// `None` when the article has no two tokens, or none left to refine by. `ranks` is scratch space.
    #[must_use]
    pub fn tree_key(&self, terms: &WeightedTerms, tree: usize, depth: usize, ranks: &mut Vec<u64>) -> Option<u64> {
        let seed = self.tree_seeds[tree];
        ranks.clear();
        ranks.extend(terms.hashes.iter().zip(&terms.inverse).map(|(hash, inverse)| rank(*hash, seed, *inverse)));
        let mut prefix = [0u32; 64];
        let mut len = 0;
        let mut weight = 0;
        let mut extra = 0;
        loop {
            let enough = (weight >= self.key_weight && len >= *PREFIX_LEN.start()) || len >= *PREFIX_LEN.end();
            if enough {
                if extra == depth {
                    break;
                }
                extra += 1;
            }
            // Ties of rank go to the smaller hash, which stands first.
            let best = (0..ranks.len()).min_by_key(|i| ranks[*i])?;
            if ranks[best] == u64::MAX || len == prefix.len() {
                if enough || len < *PREFIX_LEN.start() {
                    return None;
                }
                // All tokens together carry less: they are the key.
                break;
            }
            ranks[best] = u64::MAX;
            prefix[len] = terms.hashes[best];
            len += 1;
            weight += u32::from(terms.idf[best]);
        }
        let prefix = &mut prefix[..len];
        prefix.sort_unstable();
        Some(prefix.iter().fold(combine(TREE_SALT, tree as u64), |key, hash| combine(key, u64::from(*hash))))
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

/// A token's place in a tree's order: an exponential variate of rate `weight`, smallest first.
///
/// −ln(1−v) for uniform v is taken by the first four terms of its series. The cut shows only above v = 0.7, where a
/// token of an article of twenty or more never comes first.
fn rank(hash: u32, seed: u32, inverse_weight: u32) -> u64 {
    let v = u64::from(scatter(hash ^ seed));
    // v · (1 + v/2 · (1 + 2v/3 · (1 + 3v/4))), with 32 fractional bits; less than 2.1, so 31 bits are kept.
    let third = (1 << 31) + ((v * 3) >> 3);
    let second = (1 << 31) + ((((v * third) >> 32) * 2) / 3);
    let first = (1 << 31) + (((v * second) >> 32) >> 1);
    let series = (v * first) >> 32; // 31 fractional bits
    series * u64::from(inverse_weight)
}

/// MurmurHash3's finaliser on 32 bits.
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
        let record = Record::new(&article, &Document::new(text, 10_000), &profile);
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
            let got = rank(hash, 0, 1) as f64 / f64::from(1u32 << 31);
            assert!((got / exact - 1.0).abs() < 0.03, "{v}: {got} against {exact}");
        }
    }

    #[test]
    fn keys_do_not_depend_on_small_words_or_order_of_sentences_alone() {
        let (maker, _, terms) = terms_of(STORY);
        let mut ranks = Vec::new();
        let keys: Vec<_> = (0..128).map(|t| maker.tree_key(&terms, t, 0, &mut ranks).unwrap()).collect();
        let (_, _, other) = terms_of(&STORY.replace(" the ", " a "));
        let again: Vec<_> = (0..128).map(|t| maker.tree_key(&other, t, 0, &mut ranks).unwrap()).collect();
        assert_eq!(keys, again);
        let distinct: crate::hash::HashSet<_> = keys.iter().collect();
        assert!(distinct.len() > 100);
    }

    #[test]
    fn refinement_ends() {
        let (maker, _, terms) = terms_of(STORY);
        let mut ranks = Vec::new();
        let depths: Vec<bool> = (0..64).map(|d| maker.tree_key(&terms, 3, d, &mut ranks).is_some()).collect();
        assert!(depths[0] && !depths[63]);
        assert!(depths.is_sorted_by(|a, b| a >= b));
        let (_, _, none) = terms_of("");
        assert_eq!(maker.tree_key(&none, 0, 0, &mut ranks), None);
        let (_, _, one) = terms_of("ferry");
        assert_eq!(maker.tree_key(&one, 0, 0, &mut ranks), None);
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
