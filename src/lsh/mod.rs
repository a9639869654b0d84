//! LSH: keys → buckets → distinct candidate pairs, with a rule for crowded buckets.
//!
//! Articles are numbered by rank of their id, so that everything here is a function of the *set* of articles.

mod band;

pub use band::Bands;

use std::fmt;

/// Bits of a key that say where it comes from.
const ORIGIN_BITS: u32 = 11;

/// An article under a key: twelve bytes, for there are hundreds an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    key: [u32; 2],
    article: u32,
}

impl Entry {
    /// An article, by its rank by id, under a hash made by a band, tree or passage. Of the hash 53 bits are kept.
    #[must_use]
    pub fn new(hash: u64, article: u32, origin: KeyOrigin) -> Self {
        let key = hash << ORIGIN_BITS | u64::from(origin.code());
        Self { key: [(key >> 32) as u32, key as u32], article }
    }

    /// The key: hash and origin.
    #[must_use]
    pub fn key(&self) -> u64 {
        u64::from(self.key[0]) << 32 | u64::from(self.key[1])
    }

    /// The article's rank by id.
    #[must_use]
    pub fn article(&self) -> u32 {
        self.article
    }

    /// Which band, tree or passage made the key: what refinement needs to know.
    #[must_use]
    pub fn origin(&self) -> KeyOrigin {
        KeyOrigin::from_code((self.key() & ((1 << ORIGIN_BITS) - 1)) as u16)
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

impl KeyOrigin {
    /// First code of trees: bands, of at most 1024 slots, come before.
    const TREES: u16 = 1024;
    const PASSAGE: u16 = 2046;
    const FINGERPRINT: u16 = 2047;

    fn code(self) -> u16 {
        match self {
            Self::Band(band) => band,
            Self::Tree(tree) => Self::TREES + tree,
            Self::Passage => Self::PASSAGE,
            Self::Fingerprint => Self::FINGERPRINT,
        }
    }

    fn from_code(code: u16) -> Self {
        match code {
            Self::PASSAGE => Self::Passage,
            Self::FINGERPRINT => Self::Fingerprint,
            Self::TREES.. => Self::Tree(code - Self::TREES),
            band => Self::Band(band),
        }
    }
}

/// Gives an article's key under an origin, refined by `depth` further elements; `None` when it has no more.
pub trait Refine {
    /// The refined key.
    fn refine(&self, article: u32, origin: KeyOrigin, key: u64, depth: usize) -> Option<u64>;
}

/// Neighbours, in order of id, that an article is paired with in a crowded bucket that cannot be refined further.
const NEIGHBOURS: usize = 4;
/// Depth at which refinement gives up.
const MAX_DEPTH: usize = 16;

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
    pub fn plus(self, other: Self) -> Self {
        Self {
            shared: self.shared + other.shared,
            crowded: self.crowded + other.crowded,
            largest: self.largest.max(other.largest),
        }
    }
}

/// What a crowded bucket gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrowdRule {
    /// Articles a bucket may hold before it is refined.
    pub cap: usize,
    /// Whether each article of a bucket that is refined is paired with its next few and the first.
    pub pairs_neighbours: bool,
}

/// The distinct candidate pairs of the buckets of all parts, sorted, each as `(a, b)` with `a < b`.
///
/// A bucket of at most `cap` articles gives all its pairs. A larger one is *refined*: its articles are split by their
/// next element and each part is looked at again. What cannot be refined gives each article's pairs with its next few
/// and with the first, so that no article of a bucket goes without a candidate.
///
/// The entries' articles may stand in any numbering; `ranks` gives each its rank by id, `u32::MAX` where it takes no
/// part. Pairs and refinement are by rank.
///
/// Cost: sorting, plus at most `cap` pairs an article and bucket.
#[must_use]
pub fn candidate_pairs(
    parts: &[&[Entry]],
    ranks: &[u32],
    cap: usize,
    refine: &impl Refine,
) -> (Vec<(u32, u32)>, BucketCounts) {
    pairs_by_rule(parts, ranks, CrowdRule { cap, pairs_neighbours: true }, refine)
}

/// As [`candidate_pairs`], under another rule for crowded buckets: what a sample is looked at by.
#[must_use]
pub fn pairs_by_rule(
    parts: &[&[Entry]],
    ranks: &[u32],
    rule: CrowdRule,
    refine: &impl Refine,
) -> (Vec<(u32, u32)>, BucketCounts) {
    let mut pairs = Vec::new();
    let mut counts = BucketCounts::default();
    each_bucket(parts, ranks, |origin, key, articles| {
        counts.shared += 1;
        counts.crowded += u64::from(articles.len() > rule.cap);
        counts.largest = counts.largest.max(articles.len() as u64);
        split(articles, origin, key, rule, 0, refine, &mut pairs);
    });
    pairs.sort_unstable();
    pairs.dedup();
    (pairs, counts)
}

/// The buckets of more than `cap` articles, each with where its key comes from and its articles by rank, in order.
#[must_use]
pub fn crowded_buckets(parts: &[&[Entry]], ranks: &[u32], cap: usize) -> Vec<(KeyOrigin, Vec<u32>)> {
    let mut buckets = Vec::new();
    each_bucket(parts, ranks, |origin, _, articles| {
        if articles.len() > cap {
            buckets.push((origin, articles.to_vec()));
        }
    });
    buckets
}

/// Calls `each` with origin, key and articles of every bucket of two or more.
fn each_bucket(parts: &[&[Entry]], ranks: &[u32], mut each: impl FnMut(KeyOrigin, u64, &[u32])) {
    let mut entries = in_company(parts, ranks);
    entries.sort_unstable_by_key(Entry::key);
    let mut articles: Vec<u32> = Vec::new();
    for bucket in entries.chunk_by(|a, b| a.key() == b.key()).filter(|bucket| bucket.len() > 1) {
        articles.clear();
        articles.extend(bucket.iter().map(|entry| entry.article));
        articles.sort_unstable();
        articles.dedup();
        if articles.len() > 1 {
            each(bucket[0].origin(), bucket[0].key(), &articles);
        }
    }
}

/// The entries of all parts by rank, but for most of those whose key stands once: nineteen in twenty do, and need not be
/// sorted.
///
/// Keys are counted, up to two, in a table without regard to collisions, so that no entry with company goes.
fn in_company(parts: &[&[Entry]], ranks: &[u32]) -> Vec<Entry> {
    let num_entries: usize = parts.iter().map(|part| part.len()).sum();
    let num_slots = (num_entries * 8).next_power_of_two().max(32);
    // Two bits a slot, side by side: the lower says once, the upper twice or more.
    let slot = |entry: &Entry| {
        let at = (entry.key() >> ORIGIN_BITS ^ entry.key() >> 40) as usize & (num_slots - 1);
        (at / 32, 1u64 << (at % 32 * 2))
    };
    let mut counts = vec![0u64; num_slots / 32];
    for part in parts {
        for entry in *part {
            let (word, once) = slot(entry);
            counts[word] |= once | (counts[word] & once) << 1;
        }
    }
    let has_company = |entry: &&Entry| {
        let (word, once) = slot(entry);
        counts[word] & once << 1 != 0
    };
    let ranked = |entry: &Entry| Entry { article: ranks[entry.article as usize], ..*entry };
    let entries = parts.iter().copied().flatten().filter(has_company).map(ranked);
    entries.filter(|entry| entry.article != u32::MAX).collect()
}

fn split(
    articles: &[u32],
    origin: KeyOrigin,
    key: u64,
    rule: CrowdRule,
    depth: usize,
    refine: &impl Refine,
    pairs: &mut Vec<(u32, u32)>,
) {
    if articles.len() <= rule.cap {
        for (i, a) in articles.iter().enumerate() {
            pairs.extend(articles[i + 1..].iter().map(|b| (*a, *b)));
        }
        return;
    }
    if rule.pairs_neighbours {
        pairs.extend(articles[1..].iter().map(|b| (articles[0], *b)));
        for (i, a) in articles.iter().enumerate() {
            pairs.extend(articles[i + 1..].iter().take(NEIGHBOURS).map(|b| (*a, *b)));
        }
    }
    if depth == MAX_DEPTH {
        return;
    }
    let mut refined: Vec<(u64, u32)> =
        articles.iter().filter_map(|a| Some((refine.refine(*a, origin, key, depth + 1)?, *a))).collect();
    refined.sort_unstable();
    for part in refined.chunk_by(|a, b| a.0 == b.0) {
        if part.len() > 1 {
            let members: Vec<u32> = part.iter().map(|(_, a)| *a).collect();
            split(&members, origin, key, rule, depth + 1, refine, pairs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::naive;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_looking_at_all_pairs(entries in prop::collection::vec((0u64..40, 0u32..12), 0..40)) {
            let as_entry = |(key, article): &(u64, u32)| Entry::new(*key, *article, KeyOrigin::Passage);
            let all: Vec<Entry> = entries.iter().map(as_entry).collect();
            let (head, tail) = all.split_at(all.len() / 3);
            let (pairs, _) = candidate_pairs(&[head, tail], &by_rank(), usize::MAX, &ByDigit);
            prop_assert_eq!(pairs, naive::pairs_sharing_a_key(&entries).into_iter().collect::<Vec<_>>());
        }
    }

    /// The numbers of articles are their ranks.
    fn by_rank() -> Vec<u32> {
        (0..64).collect()
    }

    struct ByDigit;

    impl Refine for ByDigit {
        fn refine(&self, article: u32, _: KeyOrigin, _: u64, depth: usize) -> Option<u64> {
            (depth <= 3).then(|| u64::from(article % 2u32.pow(depth as u32)))
        }
    }

    fn entries(articles: &[u32]) -> Vec<Entry> {
        articles.iter().map(|a| Entry::new(1, *a, KeyOrigin::Passage)).collect()
    }

    #[test]
    fn small_buckets_give_all_pairs() {
        let (pairs, counts) = candidate_pairs(&[&entries(&[3, 1]), &entries(&[2, 1])], &by_rank(), 4, &ByDigit);
        assert_eq!(pairs, [(1, 2), (1, 3), (2, 3)]);
        assert_eq!(counts, BucketCounts { shared: 1, crowded: 0, largest: 3 });
        assert!(candidate_pairs(&[&entries(&[5])], &by_rank(), 4, &ByDigit).0.is_empty());
        assert!(candidate_pairs(&[], &by_rank(), 4, &ByDigit).0.is_empty());
    }

    #[test]
    fn crowded_buckets_are_refined_and_stay_bounded() {
        let all: Vec<u32> = (0..64).collect();
        let (pairs, counts) = candidate_pairs(&[&entries(&all)], &by_rank(), 8, &ByDigit);
        assert_eq!(counts.crowded, 1);
        // Parts by the last three bits hold eight each: all their pairs are there.
        assert!(pairs.contains(&(3, 59)));
        assert!(pairs.len() < 64 * 63 / 4);
        let mut seen: Vec<u32> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, all);
    }

    #[test]
    fn crowded_buckets_are_listed_and_their_neighbours_left_out() {
        let all: Vec<u32> = (0..64).collect();
        let alone = CrowdRule { cap: 8, pairs_neighbours: false };
        let (pairs, _) = pairs_by_rule(&[&entries(&all)], &by_rank(), alone, &ByDigit);
        // Eight parts of eight, by the last three bits, and nothing else.
        assert_eq!(pairs.len(), 8 * 28);
        assert!(pairs.iter().all(|(a, b)| a % 8 == b % 8));
        let buckets = crowded_buckets(&[&entries(&all), &entries(&[3])], &by_rank(), 8);
        assert_eq!(buckets, [(KeyOrigin::Passage, all.clone())]);
        assert!(crowded_buckets(&[&entries(&all)], &by_rank(), 64).is_empty());
    }

    #[test]
    fn numbers_become_ranks() {
        let (pairs, _) = candidate_pairs(&[&entries(&[0, 1, 2, 3])], &[7, u32::MAX, 5, 6], 4, &ByDigit);
        assert_eq!(pairs, [(5, 6), (5, 7), (6, 7)]);
    }

    #[test]
    fn order_of_entries_does_not_matter() {
        let forward: Vec<u32> = (0..50).collect();
        let backward: Vec<u32> = (0..50).rev().collect();
        let a = candidate_pairs(&[&entries(&forward)], &by_rank(), 8, &ByDigit);
        assert_eq!(a, candidate_pairs(&[&entries(&backward)], &by_rank(), 8, &ByDigit));
    }
}
