//! Candidates against an oracle: exact inverted indexes, over tokens for what should be found, over keys for what must be.

use crate::support::{feed_lines, field, json};
use samestory::engine::Analyzed;
use samestory::lsh::{Bands, BucketCounts, KeyOrigin, Refine, candidate_pairs, key_of};
use samestory::profile::SketchParams;
use samestory::shingle::shingle_hashes;
use samestory::sketch::{KEYS_A_TREE, KeyMaker, KeyScratch, MinHasher, Record};
use samestory::text::Document;
use samestory::{Article, Engine, Profile};
use std::collections::{BTreeMap, BTreeSet};

type Pairs = BTreeSet<(u32, u32)>;

/// The fixture feed in order of id, as texts alone.
fn articles() -> Vec<Article> {
    let rows: BTreeMap<String, String> = feed_lines()
        .iter()
        .map(|line| json(line))
        .map(|row| (field(&row, "id").to_string(), field(&row, "text").to_string()))
        .collect();
    rows.into_iter().map(|(id, text)| Article::new(id, text)).collect()
}

/// A profile whose buckets are never refined.
fn without_cap() -> Profile {
    let profile = Profile::default();
    let sketch = SketchParams { bucket_cap: 10_000, ..profile.sketch().clone() };
    profile.with_sketch(sketch).expect("the cap is in range")
}

/// The keys of all articles, each made by itself.
fn entries(articles: &[Article], analyzed: &[Analyzed], profile: &Profile) -> Vec<(u64, u32)> {
    let params = profile.sketch();
    let share = |percent: u32| f64::from(percent) / 100.0;
    let bands =
        Bands::choose(params.num_slots, share(params.band_similarity_percent), share(params.band_recall_percent));
    let (maker, hasher) = (KeyMaker::new(profile), MinHasher::new(params.num_slots, params.seed));
    let mut entries = Vec::new();
    for (rank, (article, analyzed)) in (0u32..).zip(articles.iter().zip(analyzed)) {
        let record = &analyzed.record.record();
        if record.content.len() < params.min_content {
            continue;
        }
        let document = Document::new(&article.text, params.max_tokens);
        let signature = hasher.signature(&shingle_hashes(&document.tokens, params.shingle_len));
        for band in 0..bands.num_bands {
            entries.extend(bands.key(&signature, band, 0).map(|key| (key, rank)));
        }
        maker.passage_keys(record, |key| entries.push((key, rank)));
        for keys in tree_keys(record, &maker) {
            entries.extend(keys.into_iter().flatten().map(|key| (key, rank)));
        }
    }
    entries
}

fn tree_keys(record: &Record<'_>, maker: &KeyMaker) -> Vec<[Option<u64>; KEYS_A_TREE]> {
    let (terms, mut scratch) = (maker.weighted_terms(record), KeyScratch::default());
    (0..maker.num_trees()).map(|tree| maker.tree_keys(&terms, tree, 0, &mut scratch)).collect()
}

/// The oracle over keys: an index from key to articles, and all pairs under one key.
fn pairs_by_key(entries: &[(u64, u32)]) -> Pairs {
    let mut index: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new();
    for (hash, article) in entries {
        index.entry(key_of(*hash)).or_default().insert(*article);
    }
    let pairs_of = |articles: &BTreeSet<u32>| -> Vec<(u32, u32)> {
        articles.iter().flat_map(|a| articles.range(a + 1..).map(|b| (*a, *b))).collect()
    };
    index.values().flat_map(pairs_of).collect()
}

/// The weight of each token of an article in its keys, in floating point.
fn weights(record: &Record<'_>, profile: &Profile) -> BTreeMap<u32, f64> {
    let decay = f64::from(profile.sketch().lead_decay);
    let weight = |term: usize| {
        let mut places = record.content.iter().enumerate().filter(|(_, other)| usize::from(**other) == term);
        let first = places.next().expect("each term stands somewhere").0;
        let (idf, repeats) = (f64::from(record.terms.idf()[term]), 1.0 + ((1 + places.count()) as f64).ln());
        idf.powi(3) * repeats.powi(2) * (-(first as f64) / decay).exp()
    };
    record.terms.hashes().iter().enumerate().map(|(term, hash)| (*hash, weight(term))).collect()
}

/// The oracle over tokens: an index from token to articles gives all pairs that share any, with their weighted Jaccard
/// similarity: Σ min / Σ max of the weights, each article's scaled to a sum of 1.
fn similarities(weights: &[BTreeMap<u32, f64>]) -> BTreeMap<(u32, u32), f64> {
    let totals: Vec<f64> = weights.iter().map(|of_article| of_article.values().sum()).collect();
    let mut index: BTreeMap<u32, Vec<(u32, f64)>> = BTreeMap::new();
    for (rank, of_article) in weights.iter().enumerate() {
        for (token, weight) in of_article {
            index.entry(*token).or_default().push((rank as u32, weight / totals[rank]));
        }
    }
    let mut shared: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    for articles in index.values() {
        for (i, (a, of_a)) in articles.iter().enumerate() {
            for (b, of_b) in &articles[i + 1..] {
                *shared.entry((*a, *b)).or_default() += of_a.min(*of_b);
            }
        }
    }
    shared.into_iter().map(|(pair, both)| (pair, both / (2.0 - both))).collect()
}

/// For [`candidate_pairs`] where no bucket may be crowded.
struct Never;

impl Refine for Never {
    fn origin(&self, _: u32, _: u64) -> Option<KeyOrigin> {
        panic!("no bucket is over the cap")
    }

    fn refine(&self, _: u32, _: KeyOrigin, _: u64, _: usize) -> Option<u32> {
        panic!("no bucket is over the cap")
    }
}

#[test]
fn buckets_below_the_cap_give_the_pairs_of_an_index_over_keys() {
    let profile = without_cap();
    let (engine, articles) = (Engine::new(profile.clone()), articles());
    let analyzed: Vec<Analyzed> = articles.iter().map(|article| engine.analyze(article)).collect();
    let entries = entries(&articles, &analyzed, &profile);
    let expected = pairs_by_key(&entries);
    let (pairs, counts) = candidate_pairs(&entries, profile.sketch().bucket_cap, &Never);
    assert!(pairs.iter().eq(&expected));
    assert!(matches!(counts, BucketCounts { crowded: 0, shared: 1000.., .. }), "{counts:?}");
    assert!(expected.len() < articles.len() * articles.len() / 10, "{} pairs: keys select nothing", expected.len());
    // The engine makes its own keys, in shards.
    let clustering = engine.cluster(articles).expect("ids are not repeated");
    assert_eq!(clustering.stats.num_exact_copies, 0, "copies would take no part");
    assert_eq!(clustering.stats.num_candidates, expected.len() as u64);
    assert_eq!(clustering.stats.num_keys, entries.len() as u64);
}

/// Two articles of weighted Jaccard J have the same first token in a tree with a probability near J, and the same second
/// with one near J again; most keys are of two tokens. So the first keys of a share of about J² of their T trees agree, and
/// by these they meet with a probability of about 1 − (1 − J²)^T; by a tree's other keys more do.
#[test]
fn pairs_that_share_weight_share_a_key() {
    let (profile, articles) = (Profile::default(), articles());
    let (engine, maker) = (Engine::new(profile.clone()), KeyMaker::new(&profile));
    let analyzed: Vec<Analyzed> = articles.iter().map(|article| engine.analyze(article)).collect();
    let records: Vec<Record<'_>> = analyzed.iter().map(|analyzed| analyzed.record.record()).collect();
    let weights: Vec<BTreeMap<u32, f64>> = records.iter().map(|record| weights(record, &profile)).collect();
    let keys: Vec<Vec<[Option<u64>; KEYS_A_TREE]>> = records.iter().map(|record| tree_keys(record, &maker)).collect();
    let num_trees = maker.num_trees() as f64;
    let num_agreeing = |(a, b): (u32, u32)| {
        let (a, b) = (&keys[a as usize], &keys[b as usize]);
        a.iter().zip(b).filter(|(a, b)| a[0].is_some() && a[0] == b[0]).count() as f64
    };
    let meet = |(a, b): (u32, u32)| {
        let (a, b) = (&keys[a as usize], &keys[b as usize]);
        a.iter().zip(b).any(|(a, b)| a.iter().flatten().any(|key| b.contains(&Some(*key))))
    };
    let similarities = similarities(&weights);
    for (low, high) in [(0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.5), (0.5, 1.0)] {
        let of_step = || similarities.iter().filter(|(_, j)| (low..high).contains(*j));
        let num_pairs = of_step().count() as f64;
        assert!(num_pairs >= 80.0, "J {low}: only {num_pairs} pairs");
        let mean = |value: &dyn Fn((u32, u32), f64) -> f64| {
            of_step().map(|(pair, jaccard)| value(*pair, *jaccard)).sum::<f64>() / num_pairs
        };
        let agreeing = mean(&|pair, _| num_agreeing(pair)) / num_trees;
        let expected = mean(&|_, jaccard| jaccard.powi(2));
        assert!((0.7..1.5).contains(&(agreeing / expected)), "J {low}: {agreeing:.4} agree for {expected:.4}");
        let by_first = mean(&|pair, _| f64::from(num_agreeing(pair) > 0.0));
        let expected = mean(&|_, jaccard| 1.0 - (1.0 - jaccard.powi(2)).powf(num_trees));
        assert!((by_first - expected).abs() < 0.1, "J {low}: {by_first:.4} found for {expected:.4}");
        let found = mean(&|pair, _| f64::from(meet(pair)));
        assert!(found > by_first || by_first == 1.0, "J {low}: {found:.4} found, {by_first:.4} by first keys");
        assert!(low < 0.3 || found >= 0.99, "J {low}: {found:.4} found");
    }
    // Nearly all pairs share nothing that weighs, and few of them a key.
    let all_pairs = (articles.len() * (articles.len() - 1) / 2) as f64;
    let unlike = |pair: &(u32, u32)| similarities.get(pair).is_none_or(|jaccard| *jaccard < 0.05);
    let num_articles = articles.len() as u32;
    let every = (0..num_articles).flat_map(|a| (a + 1..num_articles).map(move |b| (a, b)));
    let (num_unlike, num_met) =
        every.filter(unlike).fold((0.0, 0.0), |(all, met), pair| (all + 1.0, met + f64::from(meet(pair))));
    assert!(num_unlike > 0.95 * all_pairs && num_met < 0.005 * num_unlike, "{num_met} of {num_unlike}");
}
