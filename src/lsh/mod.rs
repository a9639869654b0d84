//! LSH: keys → buckets → distinct candidate pairs, with a rule for crowded buckets.
//!
//! Articles are numbered by rank of their id, so that everything here is a function of the *set* of articles.

mod band;
mod crowd;

pub use band::Bands;
pub(crate) use crowd::{Asked, Before, Bucket, Crowd, Meetings, Moves};

use std::fmt;

/// Shards that keys are cut into by their highest bits: each is looked at by itself.
pub(crate) const NUM_SHARDS: usize = 1 << SHARD_BITS;
const SHARD_BITS: u32 = 10;
/// Bits of a key that are kept within its shard. Of two hundred million keys some four thousand pairs agree by chance.
const REST_BITS: u32 = 32;
/// Bits of a key.
pub const KEY_BITS: u32 = SHARD_BITS + REST_BITS;

/// The bits of a hash that make a key.
#[must_use]
pub fn key_of(hash: u64) -> u64 {
    hash >> (64 - KEY_BITS)
}

/// The shard of a key, and the rest of it.
#[must_use]
pub(crate) fn shard_of(key: u64) -> (usize, u32) {
    ((key >> REST_BITS) as usize, key as u32)
}

/// Articles under keys of one shard, in any order: the rest of each key, and the article as a step from a base.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries<'a> {
    /// The keys without their shard.
    pub(crate) keys: &'a [u32],
    /// For each the article's number less `base`.
    pub(crate) articles: &'a [u16],
    /// The number that is added to each.
    pub(crate) base: u32,
}

impl Entries<'_> {
    fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.keys.iter().zip(self.articles).map(|(key, article)| (*key, self.base + u32::from(*article)))
    }
}

/// Where a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyOrigin {
    /// A band of a MinHash signature.
    Band(u16),
    /// A tree of skew-adaptive keys.
    Tree(u16),
    /// A passage.
    Passage,
    /// A choice of blocks of a SimHash fingerprint.
    Fingerprint,
}

impl fmt::Display for KeyOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Band(band) => write!(f, "band {band}"),
            Self::Tree(tree) => write!(f, "tree {tree}"),
            Self::Passage => f.write_str("a passage"),
            Self::Fingerprint => f.write_str("a fingerprint"),
        }
    }
}

/// Tells where an article's keys come from, and refines them.
pub trait Refine {
    /// Where the article's key comes from; `None` where it has no such key.
    fn origin(&self, article: u32, key: u64) -> Option<KeyOrigin>;

    /// The article's key of that origin, refined by `depth` further elements ([`refined_key`]); `None` when it has no more.
    fn refine(&self, article: u32, origin: KeyOrigin, key: u64, depth: usize) -> Option<u32>;
}

/// The bits of a hash that make a refined key: it tells the articles of one bucket apart, and is never 0.
#[must_use]
pub fn refined_key(hash: u64) -> u32 {
    ((hash >> 32) as u32).max(1)
}

/// Neighbours, in order of id, that an article is paired with in a crowded bucket that cannot be refined further.
pub const NEIGHBOURS: usize = 4;
/// Depth at which refinement gives up.
pub const MAX_DEPTH: usize = 16;

/// The articles of a crowded bucket that the next one is paired with: the first, and the last few.
///
/// They come one by one, in order of id, so that a bucket of any size takes the same memory.
#[derive(Clone, Debug)]
pub struct Neighbours<A> {
    first: Option<A>,
    /// The latest after the first, in any order.
    last: [Option<A>; NEIGHBOURS],
    num_met: usize,
}

impl<A> Default for Neighbours<A> {
    fn default() -> Self {
        Self { first: None, last: [const { None }; NEIGHBOURS], num_met: 0 }
    }
}

impl<A: Copy> Neighbours<A> {
    /// Calls `each` with the pairs of the bucket's next article, `(earlier, article)`, each once.
    pub fn meet(&mut self, article: A, each: &mut impl FnMut(A, A)) {
        let Some(first) = self.first else {
            self.first = Some(article);
            return;
        };
        each(first, article);
        self.last.iter().flatten().for_each(|earlier| each(*earlier, article));
        self.last[self.num_met % NEIGHBOURS] = Some(article);
        self.num_met += 1;
    }
}

/// What became of the buckets of a key table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketCounts {
    /// Buckets of two articles or more.
    pub shared: u64,
    /// Of these, buckets over the cap, which were refined.
    pub crowded: u64,
    /// Articles in the largest bucket.
    pub largest: u64,
}

impl BucketCounts {
    /// Both counts together.
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            shared: self.shared + other.shared,
            crowded: self.crowded + other.crowded,
            largest: self.largest.max(other.largest),
        }
    }
}

/// What a crowded bucket gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrowdRule {
    /// Articles a bucket may hold before it is refined.
    pub(crate) cap: usize,
    /// Whether each article of a bucket that is refined is paired with its next few and the first.
    pub(crate) pairs_neighbours: bool,
}

/// The distinct candidate pairs of articles under keys (hashes), sorted, each as `(a, b)` with `a < b`. Articles are
/// numbered by rank of their id.
///
/// A bucket of at most `cap` articles gives all its pairs. A larger one is *refined*: its articles are split by their
/// next element and each part is looked at again. What cannot be refined gives each article's pairs with its next few
/// and with the first, so that no article of a bucket goes without a candidate.
///
/// Cost: sorting, plus at most `cap` pairs an article and bucket.
#[must_use]
pub fn candidate_pairs(entries: &[(u64, u32)], cap: usize, refine: &impl Refine) -> (Vec<(u32, u32)>, BucketCounts) {
    let rule = CrowdRule { cap, pairs_neighbours: true };
    let mut by_shard: Vec<Vec<u64>> = vec![Vec::new(); NUM_SHARDS];
    for (hash, article) in entries {
        let (shard, rest) = shard_of(key_of(*hash));
        by_shard[shard].push(u64::from(rest) << 32 | u64::from(*article));
    }
    let mut pairs = Vec::new();
    let mut counts = BucketCounts::default();
    for (shard, mut company) in by_shard.into_iter().enumerate() {
        let found = pairs_in_company(shard, &mut company, rule, refine, &mut |a, b| pairs.push((a, b)));
        counts = counts.plus(found);
    }
    pairs.sort_unstable();
    pairs.dedup();
    (pairs, counts)
}

/// Scratch space for shards.
#[derive(Debug, Default)]
pub(crate) struct ShardScratch {
    counts: Vec<u64>,
    company: Vec<u64>,
}

/// Calls `each` with the candidate pairs of one shard, `(a, b)` with `a < b`, a pair once for each key it meets under, and
/// says what became of the buckets.
///
/// `ranks` gives each article's rank by id by its number, `u32::MAX` where it takes no part. Pairs and refinement are by
/// rank, so that they are a function of the set.
pub(crate) fn shard_pairs(
    shard: usize,
    parts: &[Entries<'_>],
    ranks: &[u32],
    rule: CrowdRule,
    refine: &impl Refine,
    scratch: &mut ShardScratch,
    each: &mut impl FnMut(u32, u32),
) -> BucketCounts {
    find_company(parts, ranks, scratch);
    pairs_in_company(shard, &mut scratch.company, rule, refine, each)
}

fn pairs_in_company(
    shard: usize,
    company: &mut [u64],
    rule: CrowdRule,
    refine: &impl Refine,
    each: &mut impl FnMut(u32, u32),
) -> BucketCounts {
    let mut counts = BucketCounts::default();
    each_bucket(shard, company, |key, articles| {
        counts.shared += 1;
        counts.crowded += u64::from(articles.len() > rule.cap);
        counts.largest = counts.largest.max(articles.len() as u64);
        split(articles, (None, key), rule, 0, refine, each);
    });
    counts
}

/// Calls `each` with the candidate pairs of one bucket, `(a, b)` with `a < b`: its articles, by rank, in order.
pub(crate) fn bucket_pairs(
    articles: &[u32],
    key: u64,
    rule: CrowdRule,
    refine: &impl Refine,
    each: &mut impl FnMut(u32, u32),
) {
    split(articles, (None, key), rule, 0, refine, each);
}

/// As [`bucket_pairs`], of a part of a bucket that was refined by `depth` elements already.
pub(crate) fn part_pairs(
    articles: &[u32],
    (key, depth): (u64, usize),
    rule: CrowdRule,
    refine: &impl Refine,
    each: &mut impl FnMut(u32, u32),
) {
    split(articles, (None, key), rule, depth, refine, each);
}

/// The buckets of one shard of more than `cap` articles, each with its key and its articles by rank, in order.
#[must_use]
pub(crate) fn crowded_buckets(shard: usize, parts: &[Entries<'_>], ranks: &[u32], cap: usize) -> Vec<(u64, Vec<u32>)> {
    let mut scratch = ShardScratch::default();
    find_company(parts, ranks, &mut scratch);
    let mut buckets = Vec::new();
    each_bucket(shard, &mut scratch.company, |key, articles| {
        if articles.len() > cap {
            buckets.push((key, articles.to_vec()));
        }
    });
    buckets
}

/// Calls `each` with key and articles of every bucket of two or more. An entry is the rest of a key above a rank.
fn each_bucket(shard: usize, company: &mut [u64], mut each: impl FnMut(u64, &[u32])) {
    company.sort_unstable();
    let mut articles: Vec<u32> = Vec::new();
    for bucket in company.chunk_by(|a, b| a >> 32 == b >> 32).filter(|bucket| bucket.len() > 1) {
        articles.clear();
        articles.extend(bucket.iter().map(|entry| *entry as u32));
        articles.dedup();
        if articles.len() > 1 {
            each((shard as u64) << REST_BITS | bucket[0] >> 32, &articles);
        }
    }
}

/// Lists the entries of all parts by rank, but for most of those whose key stands once: nineteen in twenty do, and need
/// not be sorted.
///
/// Keys are counted, up to two, in a table without regard to collisions, so that no entry with company goes.
fn find_company(parts: &[Entries<'_>], ranks: &[u32], scratch: &mut ShardScratch) {
    let ShardScratch { counts, company } = scratch;
    let num_entries: usize = parts.iter().map(|part| part.keys.len()).sum();
    let num_slots = (num_entries * 8).next_power_of_two().max(32);
    // Two bits a slot, side by side: the lower says once, the upper twice or more.
    let slot = |key: u32| {
        let at = key as usize & (num_slots - 1);
        (at / 32, 1u64 << (at % 32 * 2))
    };
    counts.clear();
    counts.resize(num_slots / 32, 0);
    for key in parts.iter().flat_map(|part| part.keys) {
        let (word, once) = slot(*key);
        counts[word] |= once | (counts[word] & once) << 1;
    }
    company.clear();
    for (key, article) in parts.iter().flat_map(Entries::iter) {
        let (word, once) = slot(key);
        if counts[word] & once << 1 != 0 {
            let rank = ranks[article as usize];
            if rank != u32::MAX {
                company.push(u64::from(key) << 32 | u64::from(rank));
            }
        }
    }
}

/// Pairs the articles of a bucket. Its key is looked up by its origin in its first article when it has to be refined.
fn split(
    articles: &[u32],
    (origin, key): (Option<KeyOrigin>, u64),
    rule: CrowdRule,
    depth: usize,
    refine: &impl Refine,
    each: &mut impl FnMut(u32, u32),
) {
    if articles.len() <= rule.cap {
        for (i, a) in articles.iter().enumerate() {
            articles[i + 1..].iter().for_each(|b| each(*a, *b));
        }
        return;
    }
    if rule.pairs_neighbours {
        let mut neighbours = Neighbours::default();
        articles.iter().for_each(|article| neighbours.meet(*article, each));
    }
    let origin = origin.or_else(|| refine.origin(articles[0], key));
    let Some(known) = origin.filter(|_| depth < MAX_DEPTH) else {
        return;
    };
    let refined = |a: &u32| Some(u64::from(refine.refine(*a, known, key, depth + 1)?) << 32 | u64::from(*a));
    let mut refined: Vec<u64> = articles.iter().filter_map(refined).collect();
    refined.sort_unstable();
    for part in refined.chunk_by(|a, b| a >> 32 == b >> 32) {
        if part.len() > 1 {
            let members: Vec<u32> = part.iter().map(|entry| *entry as u32).collect();
            split(&members, (origin, key), rule, depth + 1, refine, each);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::naive;
    use proptest::prelude::*;

    struct ByDigit;

    impl Refine for ByDigit {
        fn origin(&self, _: u32, _: u64) -> Option<KeyOrigin> {
            Some(KeyOrigin::Passage)
        }

        fn refine(&self, article: u32, _: KeyOrigin, _: u64, depth: usize) -> Option<u32> {
            (depth <= 3).then(|| 1 + article % 2u32.pow(depth as u32))
        }
    }

    /// A hash whose key lies in one of three shards.
    fn hash(number: u64) -> u64 {
        (number % 3) << 60 | number << 22
    }

    fn entries(articles: &[u32]) -> Vec<(u64, u32)> {
        articles.iter().map(|a| (hash(1), *a)).collect()
    }

    /// Entries by shard, in two parts with other bases, as `shard_pairs` takes them.
    fn by_shard(entries: &[(u64, u32)], rule: CrowdRule) -> Vec<(u32, u32)> {
        let ranks: Vec<u32> = (0..128).map(|number| if number < 64 { number } else { number - 64 }).collect();
        let mut pairs = Vec::new();
        for shard in 0..NUM_SHARDS {
            let mut parts: [(Vec<u32>, Vec<u16>); 2] = Default::default();
            for (i, (hash, article)) in entries.iter().enumerate() {
                let (at, rest) = shard_of(key_of(*hash));
                if at == shard {
                    parts[i % 2].0.push(rest);
                    parts[i % 2].1.push(*article as u16);
                }
            }
            let [first, second] = &parts;
            let parts = [(first, 0), (second, 64)].map(|((keys, articles), base)| Entries { keys, articles, base });
            shard_pairs(shard, &parts, &ranks, rule, &ByDigit, &mut ShardScratch::default(), &mut |a, b| {
                pairs.push((a, b));
            });
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    proptest! {
        #[test]
        fn agrees_with_looking_at_all_pairs(entries in prop::collection::vec((0u64..40, 0u32..12), 0..40)) {
            let hashed: Vec<(u64, u32)> = entries.iter().map(|(key, article)| (hash(*key), *article)).collect();
            let (pairs, _) = candidate_pairs(&hashed, usize::MAX, &ByDigit);
            prop_assert_eq!(&pairs, &naive::pairs_sharing_a_key(&entries).into_iter().collect::<Vec<_>>());
            let rule = CrowdRule { cap: usize::MAX, pairs_neighbours: true };
            prop_assert_eq!(by_shard(&hashed, rule), pairs);
        }
    }

    #[test]
    fn small_buckets_give_all_pairs() {
        let (pairs, counts) = candidate_pairs(&entries(&[3, 1, 2, 1]), 4, &ByDigit);
        assert_eq!(pairs, [(1, 2), (1, 3), (2, 3)]);
        assert_eq!(counts, BucketCounts { shared: 1, crowded: 0, largest: 3 });
        assert!(candidate_pairs(&entries(&[5]), 4, &ByDigit).0.is_empty());
        assert!(candidate_pairs(&[], 4, &ByDigit).0.is_empty());
    }

    #[test]
    fn crowded_buckets_are_refined_and_stay_bounded() {
        let all: Vec<u32> = (0..64).collect();
        let (pairs, counts) = candidate_pairs(&entries(&all), 8, &ByDigit);
        assert_eq!(counts.crowded, 1);
        // Parts by the last three bits hold eight each: all their pairs are there.
        assert!(pairs.contains(&(3, 59)));
        assert!(pairs.len() < 64 * 63 / 4);
        let mut seen: Vec<u32> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, all);
        assert_eq!(by_shard(&entries(&all), CrowdRule { cap: 8, pairs_neighbours: true }), pairs);
    }

    #[test]
    fn crowded_buckets_are_listed_and_their_neighbours_left_out() {
        let all: Vec<u32> = (0..64).collect();
        let pairs = by_shard(&entries(&all), CrowdRule { cap: 8, pairs_neighbours: false });
        // Eight parts of eight, by the last three bits, and nothing else.
        assert_eq!(pairs.len(), 8 * 28);
        assert!(pairs.iter().all(|(a, b)| a % 8 == b % 8));
        let (shard, rest) = shard_of(key_of(hash(1)));
        let (keys, articles) = (vec![rest; 64], (0..64).collect::<Vec<u16>>());
        let parts = [Entries { keys: &keys, articles: &articles, base: 0 }];
        assert_eq!(crowded_buckets(shard, &parts, &all, 8), [(key_of(hash(1)), all.clone())]);
        assert!(crowded_buckets(shard, &parts, &all, 64).is_empty());
        // An article that another stands in for takes no part.
        let some: Vec<u32> = (0..64).map(|rank| if rank % 2 == 0 { rank } else { u32::MAX }).collect();
        assert_eq!(crowded_buckets(shard, &parts, &some, 8)[0].1.len(), 32);
    }

    #[test]
    fn order_of_entries_does_not_matter() {
        let forward: Vec<u32> = (0..50).collect();
        let backward: Vec<u32> = (0..50).rev().collect();
        let a = candidate_pairs(&entries(&forward), 8, &ByDigit);
        assert_eq!(a, candidate_pairs(&entries(&backward), 8, &ByDigit));
    }
}
