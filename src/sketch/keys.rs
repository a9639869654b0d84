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
use crate::bits::{kernel, pack_bits, widest};
use crate::fixed::{exp_neg_q30, ln_q16};
use crate::hash::{derived_seed, mix64};
use crate::profile::Profile;

/// Tokens of a key's prefix, at least and at most; refinement may take more.
const PREFIX_LEN: std::ops::RangeInclusive<usize> = 2..=6;
/// Keys a tree gives: of the whole order, of the order without its second token, of that without its first. One rewritten
/// token among the first then costs a pair one key or two of three, not the tree, and an order serves three times.
pub const KEYS_A_TREE: usize = 3;
/// The token that each of a tree's keys leaves out, by its place in the order.
const LEFT_OUT: [usize; KEYS_A_TREE] = [usize::MAX, 1, 0];
/// Tokens a refined key may have.
const MAX_PREFIX: usize = 24;
/// Tokens expected on a short list.
const SHORT_LIST_LEN: u128 = 9;
/// Tokens that weigh less than this part of the mean are left out.
const MEAN_OVER_LEAST: u64 = 25;
/// Tokens beyond this many decays weigh under 1/400 and are left out.
const MAX_DECAYS: u32 = 6;
/// Tokens that are looked at together for a short list.
const LANES: usize = 64;
/// Tokens of a short list that are put in order: a prefix of more is rare enough to rank all.
const NUM_FIRST: usize = 6;
/// Salts that keep the kinds of keys apart.
const TREE_SALT: u64 = 0x7472_6565;
const PASSAGE_SALT: u64 = 0x7061_7373;

/// Makes the adaptive keys of articles under one profile.
#[derive(Clone, Debug)]
pub struct KeyMaker {
    tree_seeds: Vec<u32>,
    tree_salts: Vec<u64>,
    /// Mixed into the tokens of a tree's key, so that without the seed no two sets can be made to come to one sum.
    token_seed: u64,
    key_weight: u32,
    /// `exp(-position / decay)` with 12 fractional bits.
    decay: Vec<u32>,
    /// `(1 + ln count)²` with 8 fractional bits, by count.
    repeats: [u32; 256],
    passage_len: usize,
    passage_window: usize,
    /// The base of the polynomial that a passage's token hashes make: odd, and for the same reason of the seed.
    passage_factor: u64,
}

/// The tokens of an article that take part in its keys, by hash, with the inverse of their weight.
#[derive(Clone, Debug, Default)]
pub struct WeightedTerms {
    /// Filled up to a multiple of [`LANES`].
    hashes: Vec<u32>,
    inverse: Vec<u32>,
    idf: Vec<u8>,
    /// Ranks up to this are likely to hold a whole prefix: some seven tokens of the article.
    short_list: u64,
    /// The largest uniform value that can have a rank on the short list; filled up like the hashes.
    cutoffs: Vec<u32>,
    /// Of each term of the article its first content token and how often it stands, at most 255.
    places: Vec<(u16, u8)>,
    weights: Vec<u64>,
}

/// Scratch space for the keys of one worker.
#[derive(Debug, Default)]
pub struct KeyScratch {
    hits: Vec<u64>,
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
            *factor = ((x * x) >> 24) as u32;
        }
        let tree_salts = (0..params.num_trees as u64).map(|tree| derived_seed(TREE_SALT, tree)).collect();
        Self {
            tree_seeds,
            tree_salts,
            token_seed: derived_seed(params.seed ^ TREE_SALT, u64::MAX >> 1),
            key_weight: profile.key_weight(),
            decay,
            repeats,
            passage_len: params.passage_len,
            passage_window: params.passage_window,
            passage_factor: derived_seed(params.seed, PASSAGE_SALT) | 1,
        }
    }

    /// Number of trees.
    #[must_use]
    pub fn num_trees(&self) -> usize {
        self.tree_seeds.len()
    }

    /// The weights of an article's tokens: idf³ · (1 + ln count)² · exp(−first position / decay).
    #[must_use]
    pub fn weighted_terms(&self, record: &Record<'_>) -> WeightedTerms {
        let mut terms = WeightedTerms::default();
        self.weigh(record, &mut terms);
        terms
    }

    /// As [`KeyMaker::weighted_terms`], in place of what `terms` held.
    pub fn weigh(&self, record: &Record<'_>, terms: &mut WeightedTerms) {
        let WeightedTerms { hashes, inverse, idf: kept_idf, cutoffs, places, weights, .. } = terms;
        places.clear();
        places.resize(record.terms.len(), (0, 0));
        for (at, term) in record.content.iter().enumerate().rev() {
            let (first, count) = &mut places[usize::from(*term)];
            (*first, *count) = (at as u16, count.saturating_add(1));
        }
        weights.clear();
        for ((first, count), idf) in places.iter().zip(record.terms.idf()) {
            let decay = self.decay.get(usize::from(*first)).copied().unwrap_or(0);
            let idf = u64::from(*idf);
            weights.push((idf * idf * idf * u64::from(self.repeats[usize::from(*count)]) * u64::from(decay)) >> 12);
        }
        // A token that weighs a fraction of the mean comes first in one tree of thousands.
        let least = weights.iter().sum::<u64>() / (MEAN_OVER_LEAST * weights.len().max(1) as u64);
        hashes.clear();
        inverse.clear();
        kept_idf.clear();
        let mut num_kept = 0;
        for (i, (hash, idf)) in record.terms.hashes().iter().zip(record.terms.idf()).enumerate() {
            let weight = weights[i];
            if weight > least {
                hashes.push(*hash);
                inverse.push(((1u64 << 44) / weight).min(u64::from(u32::MAX)) as u32);
                kept_idf.push(*idf);
                weights[num_kept] = weight;
                num_kept += 1;
            }
        }
        weights.truncate(num_kept);
        let total: u64 = weights.iter().sum();
        // The sum of uniform variates over weights at which `SHORT_LIST_LEN` tokens are expected; a multiple of what
        // `with_index` cuts off, so that no rank beyond ties with one on the list.
        terms.short_list =
            ((SHORT_LIST_LEN << 76) / u128::from(total.max(1))).min(u128::from(u64::MAX >> 1)) as u64 & !0xffff;
        // Taken as a product with the weight, rounded up: `inverse` is 2^44 / weight, rounded down.
        let unit = (terms.short_list >> 24) + 1;
        let cutoff = |weight: &u64| ((unit * ((weight >> 8) + 1)) >> 12).min(u64::from(u32::MAX - 1)) as u32 + 1;
        let padded_len = num_kept.next_multiple_of(LANES);
        cutoffs.clear();
        cutoffs.extend(weights.iter().map(cutoff));
        cutoffs.resize(padded_len, 0);
        hashes.resize(padded_len, 0);
    }

    /// The keys of one tree, each of the shortest prefix that carries enough idf and `depth` tokens more: of the whole
    /// order and of the order without one of its first two tokens.
    ///
    /// `None` where the article has no two tokens, or none left to refine by.
    #[must_use]
    pub fn tree_keys(
        &self,
        terms: &WeightedTerms,
        tree: usize,
        depth: usize,
        scratch: &mut KeyScratch,
    ) -> [Option<u64>; KEYS_A_TREE] {
        let seed = self.tree_seeds[tree];
        // The first few tokens of the order nearly always suffice; if not, all are ranked.
        let first = terms.rank_first(seed, &mut scratch.hits);
        let num_listed = first.iter().take_while(|rank| **rank < terms.short_list).count();
        let token = |rank: u64| {
            let at = usize::from(rank as u16);
            (mix64(u64::from(terms.hashes[at]) ^ self.token_seed), u32::from(terms.idf[at]))
        };
        let mut tokens = [(0, 0); NUM_FIRST];
        for (of_token, rank) in tokens.iter_mut().zip(&first[..num_listed]) {
            *of_token = token(*rank);
        }
        let mut is_sorted = false;
        LEFT_OUT.map(|left_out| {
            let kept = |(place, token): (usize, (u64, u32))| (place != left_out).then_some(token);
            let listed = tokens[..num_listed].iter().copied().enumerate();
            if let Prefix::Whole(key) = self.prefix_key(tree, depth, listed.filter_map(kept)) {
                return Some(key);
            }
            if !is_sorted {
                terms.rank_all(seed, &mut scratch.ranked);
                scratch.ranked.sort_unstable();
                is_sorted = true;
            }
            let ranked = scratch.ranked.iter().map(|rank| token(*rank)).enumerate();
            match self.prefix_key(tree, depth, ranked.filter_map(kept)) {
                Prefix::Whole(key) => Some(key),
                Prefix::Exhausted(key) => key,
            }
        })
    }

    /// Takes tokens, mixed and each with its idf, the first in order first, until they carry enough.
    fn prefix_key(&self, tree: usize, depth: usize, mut in_order: impl Iterator<Item = (u64, u32)>) -> Prefix {
        let (mut len, mut weight, mut extra) = (0, 0, 0);
        // A sum does not mind the order: the key is of the set.
        let mut sum = self.tree_salts[tree];
        loop {
            let enough = (weight >= self.key_weight && len >= *PREFIX_LEN.start()) || len >= *PREFIX_LEN.end();
            if enough && extra == depth {
                return Prefix::Whole(mix64(sum));
            }
            let next = if len < MAX_PREFIX { in_order.next() } else { None };
            let Some((mixed, idf)) = next else {
                // All tokens together carry less than is asked: they are the key, but cannot be refined.
                let is_key = !enough && len >= *PREFIX_LEN.start() && depth == 0;
                return Prefix::Exhausted(is_key.then(|| mix64(sum)));
            };
            extra += usize::from(enough);
            sum = sum.wrapping_add(mixed);
            weight += idf;
            len += 1;
        }
    }

    /// Calls `each` with the passage keys of an article: of each window of consecutive runs of content tokens the
    /// one with the highest idf, ties by hash.
    pub fn passage_keys(&self, record: &Record<'_>, mut each: impl FnMut(u64)) {
        let len = if record.terms.is_weighted() { self.passage_len } else { 2 * self.passage_len };
        if record.content.len() < len {
            return;
        }
        let hashes = record.terms.hashes();
        let hash = |term: u16| u64::from(hashes[usize::from(term)]);
        let mut idf: u32 = record.content[..len - 1].iter().map(|term| record.idf_of(*term)).sum();
        // The polynomial of a run follows from the one before: a token comes in, one goes.
        let factor = self.passage_factor;
        let add = |sum: u64, term: &u16| sum.wrapping_mul(factor).wrapping_add(hash(*term));
        let mut polynomial = record.content[..len - 1].iter().fold(0, add);
        let outgoing = factor.wrapping_pow(len as u32 - 1);
        let salt = PASSAGE_SALT.wrapping_mul(factor.wrapping_pow(len as u32));
        let num_passages = record.content.len() - len + 1;
        let mut keys = Vec::with_capacity(num_passages);
        // What orders passages: idf, then key, then place, in one integer.
        let mut ranks = Vec::with_capacity(num_passages);
        for (start, run) in record.content.windows(len).enumerate() {
            idf += record.idf_of(run[len - 1]);
            polynomial = add(polynomial, &run[len - 1]);
            let key = mix64(polynomial.wrapping_add(salt));
            keys.push(key);
            ranks.push(u64::from(idf) << 52 | key >> 28 << 16 | start as u64);
            idf -= record.idf_of(run[0]);
            polynomial = polynomial.wrapping_sub(outgoing.wrapping_mul(hash(run[0])));
        }
        let mut last = u64::MAX;
        each_maximum(&mut ranks, self.passage_window.min(num_passages), |rank| {
            if rank != last {
                each(keys[usize::from(rank as u16)]);
                last = rank;
            }
        });
    }
}

/// Calls `each` with the maximum of every window of `width` values, in order; the values are overwritten.
///
/// A window reaches from one block of `width` values into the next: its maximum is that of the end of the one and the
/// start of the other (M. van Herk, "A fast algorithm for local minimum and maximum filters", 1992).
fn each_maximum(values: &mut [u64], width: usize, mut each: impl FnMut(u64)) {
    let mut start = 0;
    while start + width <= values.len() {
        let (block, next) = values[start..].split_at_mut(width);
        for i in (1..width).rev() {
            block[i - 1] = block[i - 1].max(block[i]);
        }
        each(block[0]);
        let mut of_next = 0;
        for (of_block, value) in block[1..].iter().zip(next) {
            of_next = of_next.max(*value);
            each(of_next.max(*of_block));
        }
        start += width;
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
    /// The first tokens of a tree's order, with their ranks: those on the short list are all that rank so low.
    fn rank_first(&self, seed: u32, hits: &mut Vec<u64>) -> [u64; NUM_FIRST] {
        hits.resize(self.hashes.len() / LANES, 0);
        find_hits(widest(), &self.hashes, seed, &self.cutoffs, hits);
        if let Some(last) = hits.last_mut() {
            // The filling is no token.
            *last &= u64::MAX >> (self.hashes.len() - self.idf.len());
        }
        let mut first = [u64::MAX; NUM_FIRST];
        for (word, hits) in hits.iter().enumerate() {
            let mut hits = *hits;
            while hits != 0 {
                let i = word * LANES + hits.trailing_zeros() as usize;
                hits &= hits - 1;
                let mut later = with_index(rank(scatter(self.hashes[i] ^ seed), self.inverse[i]), i);
                for place in &mut first {
                    (*place, later) = ((*place).min(later), (*place).max(later));
                }
            }
        }
        first
    }

    /// Ranks all tokens.
    fn rank_all(&self, seed: u32, ranked: &mut Vec<u64>) {
        ranked.clear();
        let ranks = self.hashes.iter().zip(&self.inverse).enumerate();
        ranked.extend(ranks.map(|(i, (hash, inverse))| with_index(rank(scatter(hash ^ seed), *inverse), i)));
    }
}

/// A token's place in a tree's order, smallest first: a uniform variate over the token's weight, as in priority sampling
/// (Duffield, Lund and Thorup, JACM 2007). Among many tokens each comes first about as often as its share of the weight.
fn rank(uniform: u32, inverse_weight: u32) -> u64 {
    u64::from(uniform) * u64::from(inverse_weight)
}

/// A rank with the token's index in its lowest 16 bits: orders by rank, ties by index, and so by hash.
fn with_index(rank: u64, index: usize) -> u64 {
    rank & !0xffff | index as u64
}

macro_rules! mark_hits {
    ($lanes:path, $hashes:ident, $seed:ident, $cutoffs:ident, $hits:ident) => {
        mark_hits($hashes, $seed, $cutoffs, $hits)
    };
}
kernel! { fn find_hits(hashes: &[u32], seed: u32, cutoffs: &[u32], hits: &mut [u64]) = mark_hits; }

/// A bit for each token whose uniform value in a tree is not above its cutoff.
#[inline(always)]
fn mark_hits(hashes: &[u32], seed: u32, cutoffs: &[u32], hits: &mut [u64]) {
    let (hashes, _) = hashes.as_chunks::<LANES>();
    let (cutoffs, _) = cutoffs.as_chunks::<LANES>();
    for ((hashes, cutoffs), hits) in hashes.iter().zip(cutoffs).zip(hits) {
        let mut is_hit = [0u8; LANES];
        for i in 0..LANES {
            is_hit[i] = u8::from(scatter(hashes[i] ^ seed) <= cutoffs[i]);
        }
        *hits = pack_bits(&is_hit);
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
    use crate::bits::Width;
    use crate::hash::HashMap;
    use crate::profile::Weights;
    use crate::sketch::RecordBuf;
    use crate::tests::tokens;
    use crate::text::Document;
    use proptest::prelude::*;

    fn terms_of(text: &str) -> (KeyMaker, RecordBuf, WeightedTerms) {
        let profile = Profile::default();
        let article = Article::new("1", text);
        let record = RecordBuf::new(&article, &Document::new(text, 10_000), &[], &profile);
        let maker = KeyMaker::new(&profile);
        let terms = maker.weighted_terms(&record.record());
        (maker, record, terms)
    }

    const STORY: &str = "The ferry Santa Odilia ran aground on a reef off Batanes with 214 passengers aboard, and \
                         fishermen from Ivana brought most of them ashore before the coast guard arrived on Monday.";

    fn long_story() -> String {
        format!(
            "{STORY} The captain told a board of inquiry in Manila that fog had hidden the light on Sabtang, that the \
             pump in the engine room failed at once, and that the crew lowered seven boats within the hour."
        )
    }

    #[test]
    fn tokens_come_first_by_weight() {
        // One token of weight 3 among seven of weight 1.
        let first = (0..4000u32)
            .filter(|seed| {
                let rank_of = |hash: u32| {
                    let weight = if hash == 0 { 3 } else { 1 };
                    rank(scatter(hash.wrapping_mul(0x9e37_79b9) ^ scatter(*seed)), (1 << 20) / weight)
                };
                (1..8).all(|hash| rank_of(0) < rank_of(hash))
            })
            .count();
        // Smallest of U/3 and seven U: the integral of 3 (1 - x)^7 up to 1/3 is 3/8 (1 - (2/3)^8), 1442 of 4000, more
        // than its share of the weight while the tokens are few. Four standard errors are 121.
        assert!((1320..1564).contains(&first), "{first} of 4000, about 1442 expected");
    }

    #[test]
    fn keys_do_not_depend_on_small_words_or_order_of_sentences_alone() {
        let (maker, _, terms) = terms_of(STORY);
        let mut scratch = KeyScratch::default();
        let keys: Vec<_> =
            (0..maker.num_trees()).map(|t| maker.tree_keys(&terms, t, 0, &mut scratch)[0].unwrap()).collect();
        let (_, _, other) = terms_of(&STORY.replace(" the ", " a "));
        let again: Vec<_> =
            (0..maker.num_trees()).map(|t| maker.tree_keys(&other, t, 0, &mut scratch)[0].unwrap()).collect();
        assert_eq!(keys, again);
        let distinct: crate::hash::HashSet<_> = keys.iter().collect();
        assert!(distinct.len() > 28);
    }

    #[test]
    fn hits_are_those_of_each_token() {
        let (_, _, terms) = terms_of(&long_story());
        for width in Width::ALL {
            for seed in 0..50 {
                let mut hits = vec![0; terms.hashes.len() / LANES];
                find_hits(width, &terms.hashes, seed, &terms.cutoffs, &mut hits);
                for (i, (hash, cutoff)) in terms.hashes.iter().zip(&terms.cutoffs).enumerate() {
                    let is_hit = hits[i / LANES] >> (i % LANES) & 1 == 1;
                    assert_eq!(is_hit, scatter(hash ^ seed) <= *cutoff, "{width:?}, token {i}");
                }
            }
        }
    }

    #[test]
    fn the_short_list_changes_nothing() {
        let (maker, _, terms) = terms_of(&STORY.repeat(3).replace("Monday", "a wet Tuesday in the north of Luzon"));
        let full = WeightedTerms { short_list: 0, cutoffs: vec![0; terms.cutoffs.len()], ..terms.clone() };
        let mut scratch = KeyScratch::default();
        for tree in 0..maker.num_trees() {
            for depth in 0..5 {
                let fast = maker.tree_keys(&terms, tree, depth, &mut scratch);
                assert_eq!(fast, maker.tree_keys(&full, tree, depth, &mut scratch));
            }
        }
    }

    #[test]
    fn refinement_ends() {
        let (maker, _, terms) = terms_of(STORY);
        let mut scratch = KeyScratch::default();
        let depths: Vec<bool> = (0..64).map(|d| maker.tree_keys(&terms, 3, d, &mut scratch)[0].is_some()).collect();
        assert!(depths[0] && !depths[63]);
        assert!(depths.is_sorted_by(|a, b| a >= b));
        let (_, _, none) = terms_of("");
        assert_eq!(maker.tree_keys(&none, 0, 0, &mut scratch), [None; KEYS_A_TREE]);
        let (_, _, one) = terms_of("ferry");
        assert_eq!(maker.tree_keys(&one, 0, 0, &mut scratch), [None; KEYS_A_TREE]);
    }

    #[test]
    fn passages_are_hashed_as_if_each_by_itself() {
        let (maker, record, _) = terms_of(&long_story());
        let record = record.record();
        let by_itself: Vec<u64> = record
            .content
            .windows(maker.passage_len)
            .map(|run| {
                mix64(run.iter().fold(PASSAGE_SALT, |key, term| {
                    key.wrapping_mul(maker.passage_factor)
                        .wrapping_add(u64::from(record.terms.hashes()[usize::from(*term)]))
                }))
            })
            .collect();
        let mut num_keys = 0;
        maker.passage_keys(&record, |key| {
            num_keys += 1;
            assert!(by_itself.contains(&key));
        });
        assert!(num_keys > 1);
    }

    proptest! {
        #[test]
        fn maxima_are_those_of_each_window(values in prop::collection::vec(0u64..99, 0..50), width in 1usize..9) {
            let expected: Vec<u64> = values.windows(width).map(|window| *window.iter().max().unwrap()).collect();
            let mut maxima = Vec::new();
            each_maximum(&mut values.clone(), width, |value| maxima.push(value));
            prop_assert_eq!(maxima, expected);
        }
    }

    #[test]
    fn an_excerpt_shares_passages() {
        let story = long_story();
        let (maker, whole, _) = terms_of(&story);
        // An excerpt that holds a whole window of passages shares the key of that window.
        let (_, part, _) = terms_of(story.split_once("Odilia ").unwrap().1);
        let (whole, part) = (whole.record(), part.record());
        assert!(part.content.len() >= maker.passage_len + maker.passage_window - 1);
        assert!(part.content.len() < whole.content.len());
        let keys = |record: &Record<'_>| {
            let mut keys = Vec::new();
            maker.passage_keys(record, |k| keys.push(k));
            keys
        };
        assert!(keys(&part).iter().any(|k| keys(&whole).contains(k)));
        let mut none = 0;
        maker.passage_keys(&RecordBuf::default().record(), |_| none += 1);
        assert_eq!(none, 0);
    }

    /// A record of content tokens by their hashes, in a language that is stated.
    fn record_of(hashes: impl IntoIterator<Item = u32>, language: &str, profile: &Profile) -> RecordBuf {
        let mut document = Document::new("", 0);
        document.tokens = hashes.into_iter().map(|hash| tokens::of_hash(hash, 0)).collect();
        let article = Article { language: Some(language.into()), ..Article::new("1", "") };
        RecordBuf::new(&article, &document, &[], profile)
    }

    #[test]
    fn values_are_scattered_as_published() {
        assert_eq!([0, 1, 0xffff_ffff].map(scatter), [0, 0x514e_28b7, 0x81f1_6f39]);
    }

    #[test]
    fn a_rank_says_which_token_it_is_of() {
        assert_eq!(with_index(0x0012_3456_789a, 7), 0x0012_3456_0007);
    }

    #[test]
    fn tokens_weigh_by_idf_repeats_and_place() {
        // The first is less rare than the others, the third stands three times, the fourth late.
        let counts: HashMap<u32, u32> = [(1, 10)].into_iter().collect();
        let profile = Profile::default().with_weights(Weights::from_counts("en", 1000, &counts, 1));
        let content: Vec<u32> = [1, 2, 3, 3, 3].into_iter().chain(100..155).chain([4]).collect();
        let record = record_of(content.iter().copied(), "en", &profile);
        let terms = KeyMaker::new(&profile).weighted_terms(&record.record());
        assert_eq!(&terms.hashes[..4], [1, 2, 3, 4]);
        let scaled: Vec<f64> = (0..terms.idf.len())
            .map(|at| {
                let first = content.iter().position(|hash| *hash == terms.hashes[at]).unwrap() as f64;
                let count = content.iter().filter(|hash| **hash == terms.hashes[at]).count() as f64;
                let decay = (-first / f64::from(profile.sketch().lead_decay)).exp();
                let weight = f64::from(terms.idf[at]).powi(3) * (1.0 + count.ln()).powi(2) * decay;
                f64::from(terms.inverse[at]) * weight
            })
            .collect();
        assert!(terms.idf[0] < terms.idf[1] && scaled[0] > 0.0);
        assert!(scaled.iter().all(|value| (value / scaled[0] - 1.0).abs() < 0.01), "{scaled:?}");
    }

    #[test]
    fn tokens_of_a_small_part_of_the_mean_take_no_part() {
        // Beside twelve that no article has, one of a fiftieth and one of a twelfth of their weight, by the cube of idf.
        let counts: HashMap<u32, u32> = [(1, 150), (2, 50)].into_iter().collect();
        let profile = Profile::default().with_weights(Weights::from_counts("en", 1000, &counts, 1));
        let record = record_of((1..=2).chain(101..=112), "en", &profile);
        let terms = KeyMaker::new(&profile).weighted_terms(&record.record());
        assert_eq!(terms.idf.len(), 13);
        assert_eq!(terms.hashes[..2], [2, 101]);
    }

    #[test]
    fn a_prefix_is_as_short_as_carries_enough() {
        let maker = KeyMaker::new(&Profile::default());
        // The key of a set is of its sum; the tokens are 1, 2, 3 and so on.
        let of_first =
            |num: u64| Some(mix64((1..=num).fold(maker.tree_salts[0], |sum, token| sum.wrapping_add(token))));
        let prefix = |idf: u32, num_tokens: u64, depth: usize| match maker.prefix_key(
            0,
            depth,
            (1..=num_tokens).map(|token| (token, idf)),
        ) {
            Prefix::Whole(key) => (true, Some(key)),
            Prefix::Exhausted(key) => (false, key),
        };
        let enough = maker.key_weight;
        // Two at least, as many as it takes, six at most.
        assert_eq!(prefix(enough, 40, 0), (true, of_first(2)));
        assert_eq!(prefix(enough.div_ceil(3), 40, 0), (true, of_first(3)));
        assert_eq!(prefix(1, 40, 0), (true, of_first(6)));
        // Refined by one more each time, up to 24.
        assert_eq!(prefix(enough, 40, 1), (true, of_first(3)));
        assert_eq!(prefix(enough, 40, 22), (true, of_first(24)));
        assert_eq!(prefix(enough, 40, 23), (false, None));
        // All there are, where that is less than enough: a key from two on, which cannot be refined.
        assert_eq!(prefix(1, 2, 0), (false, of_first(2)));
        assert_eq!(prefix(1, 1, 0), (false, None));
        assert_eq!(prefix(1, 2, 1), (false, None));
        assert_eq!(prefix(enough, 2, 1), (false, None));
    }

    #[test]
    fn a_key_is_of_the_tokens_under_the_seed() {
        let (maker, profile) = (KeyMaker::new(&Profile::default()), Profile::default());
        let record = record_of([5, 9], "en", &profile);
        let terms = maker.weighted_terms(&record.record());
        for tree in 0..maker.num_trees() {
            let add = |sum: u64, hash: u64| sum.wrapping_add(mix64(hash ^ maker.token_seed));
            let key = mix64([5, 9].into_iter().fold(maker.tree_salts[tree], add));
            // Without one of the two there is no second.
            assert_eq!(maker.tree_keys(&terms, tree, 0, &mut KeyScratch::default()), [Some(key), None, None]);
        }
    }

    #[test]
    fn the_short_list_changes_nothing_in_a_long_text() {
        let (maker, profile) = (KeyMaker::new(&Profile::default()), Profile::default());
        let record = record_of(1..=200, "en", &profile);
        let terms = maker.weighted_terms(&record.record());
        assert!(terms.idf.len() > 2 * LANES);
        let full = WeightedTerms { short_list: 0, cutoffs: vec![0; terms.cutoffs.len()], ..terms.clone() };
        let mut scratch = KeyScratch::default();
        for tree in 0..maker.num_trees() {
            let fast = maker.tree_keys(&terms, tree, 0, &mut scratch);
            assert_eq!(fast, maker.tree_keys(&full, tree, 0, &mut scratch), "tree {tree}");
        }
    }

    #[test]
    fn of_each_window_the_rarest_passage_is_taken() {
        let profile = Profile::default();
        let maker = KeyMaker::new(&profile);
        let found = |record: &Record<'_>| {
            let mut keys = Vec::new();
            maker.passage_keys(record, |key| keys.push(key));
            keys
        };
        // Of each run of tokens its idf and key; of each window of runs the first in these, the last of equals.
        let expected = |record: &Record<'_>, len: usize| -> Vec<u64> {
            let hash = |term: &u16| u64::from(record.terms.hashes()[usize::from(*term)]);
            let passage = |run: &[u16]| {
                let add = |key: u64, term: &u16| key.wrapping_mul(maker.passage_factor).wrapping_add(hash(term));
                (run.iter().map(|term| record.idf_of(*term)).sum::<u32>(), mix64(run.iter().fold(PASSAGE_SALT, add)))
            };
            let passages: Vec<(u32, u64)> = record.content.windows(len).map(passage).collect();
            let width = maker.passage_window.min(passages.len()).max(1);
            let best = |from: usize| (from..from + width).max_by_key(|at| (passages[*at], *at)).unwrap();
            let mut taken: Vec<usize> = (0..(passages.len() + 1).saturating_sub(width)).map(best).collect();
            taken.dedup();
            taken.into_iter().map(|at| passages[at].1).collect()
        };
        let text = long_story();
        let of_language = |language: &str| {
            let article = Article { language: Some(language.into()), ..Article::new("1", "") };
            RecordBuf::new(&article, &Document::new(&text, 10_000), &[], &profile)
        };
        let len = maker.passage_len;
        // Where no table tells what is rare, twice as many tokens make a passage.
        for (language, len) in [("en", len), ("de", 2 * len)] {
            let record = of_language(language);
            let expected = expected(&record.record(), len);
            assert!(expected.len() > 2);
            assert_eq!(found(&record.record()), expected, "{language}");
        }
        // Fewer passages than a window holds have one key, fewer tokens than a passage none.
        for (num_tokens, num_keys) in [(len - 1, 0), (len, 1), (len + 2, 1)] {
            let record = record_of(1..=num_tokens as u32, "en", &profile);
            assert_eq!(found(&record.record()), expected(&record.record(), len));
            assert_eq!(found(&record.record()).len(), num_keys, "{num_tokens}");
        }
    }
}
