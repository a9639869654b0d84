//! Planning: a sample of a feed, and how what is counted in it scales to the whole and to a feed that has grown.
//!
//! A sample by hash thins pairs out: of a feed's pairs a share p² has both articles in a sample of a share p, whether
//! the two stand side by side or years apart. So a count of pairs over p² estimates that of the whole, and smaller
//! samples of the sample say nothing about growth. What does is how far apart the two articles of a pair stand
//! ([`Growth`]). Buckets are smaller in a sample, and so is the cap that they are held against ([`Scale::cap`]).

use crate::article::Article;
use crate::hash::hash64;
use std::collections::BTreeMap;

/// Seed of the hash that draws a sample.
const SAMPLE_SEED: u64 = 0x7361_6d70;
/// Articles of a bucket of a sample that are too few to say that it is crowded.
const LEAST_CAP: usize = 2;

/// The articles of a feed whose texts have the smallest hashes: the same ones for any order of arrival.
///
/// One text counts once, under its smallest id, so that copies come together or not at all. The memory is that of the
/// articles held. (Beyer and others, "On synopses for distinct-value estimation under multiset operations", SIGMOD 2007:
/// the *k* smallest hashes are a sample of the distinct values and tell their number.)
///
/// ```
/// use samestory::{Article, plan::Sample};
/// let mut sample = Sample::new(1000);
/// for i in 0..20_000 {
///     sample.add(Article::new(i.to_string(), format!("Text {}", i / 2)));
/// }
/// assert_eq!((sample.num_articles(), sample.articles().count()), (20_000, 1000));
/// assert!((9_000.0..11_000.0).contains(&sample.num_distinct()));
/// ```
#[derive(Debug)]
pub struct Sample {
    max_len: usize,
    held: BTreeMap<u64, Held>,
    /// Whether an article had to go.
    is_cut: bool,
    num_articles: u64,
    text_bytes: u64,
}

#[derive(Debug)]
struct Held {
    article: Article,
    /// Articles with this text.
    num_copies: u64,
}

impl Sample {
    /// An empty sample that will hold up to `max_len` articles, at least 2.
    #[must_use]
    pub fn new(max_len: usize) -> Self {
        Self { max_len: max_len.max(2), held: BTreeMap::new(), is_cut: false, num_articles: 0, text_bytes: 0 }
    }

    /// Counts an article, and holds it where it belongs to the sample.
    pub fn add(&mut self, article: Article) {
        self.num_articles += 1;
        self.text_bytes += article.text.len() as u64;
        let hash = hash64(article.text.as_bytes(), SAMPLE_SEED);
        if let Some(held) = self.held.get_mut(&hash) {
            held.num_copies += 1;
            if article.id < held.article.id {
                held.article = article;
            }
            return;
        }
        let is_full = self.held.len() == self.max_len;
        self.is_cut |= is_full;
        if is_full && self.held.last_key_value().is_some_and(|(last, _)| hash > *last) {
            return;
        }
        self.held.insert(hash, Held { article, num_copies: 1 });
        if is_full {
            self.held.pop_last();
        }
    }

    /// Articles counted.
    #[must_use]
    pub fn num_articles(&self) -> u64 {
        self.num_articles
    }

    /// Bytes of their texts.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Distinct texts among them: counted where all are held, else estimated with a standard error of one over the root
    /// of the articles held.
    #[must_use]
    pub fn num_distinct(&self) -> f64 {
        match self.held.last_key_value() {
            Some((last, _)) if self.is_cut => (self.max_len - 1) as f64 * 2f64.powi(64) / (*last as f64).max(1.0),
            _ => self.held.len() as f64,
        }
    }

    /// The share of the distinct texts that is held: 1 where all are, or there is none.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.is_cut { (self.held.len() as f64 / self.num_distinct()).min(1.0) } else { 1.0 }
    }

    /// The articles held, each with the number of articles that have its text, in order of hash.
    pub fn articles(&self) -> impl Iterator<Item = (&Article, u64)> {
        self.held.values().map(|held| (&held.article, held.num_copies))
    }
}

/// From a sample to a feed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Share of the feed that is in the sample, above 0 and at most 1.
    pub share: f64,
    /// Size of the feed planned for over that of the feed at hand: articles as they come in time.
    pub growth: f64,
}

impl Scale {
    /// The cap that tells which of the sample's buckets would be crowded in the feed under `cap`: a bucket of `cap`
    /// articles is expected to have the share of it in the sample, and one standard deviation is left to chance, or many
    /// a small bucket would pass for a crowded one. At least 2: below a share of about 2 over `cap` crowded buckets are
    /// seen too late, and where there are many, candidates are overestimated.
    #[must_use]
    pub fn cap(&self, cap: usize) -> usize {
        let share = (self.share / self.growth).min(1.0);
        let expected = cap as f64 * share;
        ((expected + (expected * (1.0 - share)).sqrt()).round() as usize).max(LEAST_CAP)
    }

    /// The pairs of the feed, from those met in the sample.
    #[must_use]
    pub fn pairs(&self, met: Growth) -> f64 {
        (met.local * self.growth + met.lasting * self.growth * self.growth) / (self.share * self.share)
    }

    /// What comes with articles, such as the neighbours in a crowded bucket, from its number in the sample.
    #[must_use]
    pub fn items(&self, number: f64) -> f64 {
        number * self.growth / self.share
    }
}

/// Pairs by how they grow with a feed.
///
/// Two articles at least half the feed apart have met for what lasts: the words of the language, a template, a running
/// topic. Their rate holds for any two articles, and the pairs it makes up grow with the square of the feed. Those beyond it
/// are of articles of one time, repeats above all, and grow with the feed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Growth {
    /// Pairs of one time.
    pub local: f64,
    /// Pairs that the rate of distant articles makes up.
    pub lasting: f64,
}

impl Growth {
    /// Tells pairs apart, each given by the places of its articles in time, below `num_places`.
    ///
    /// ```
    /// use samestory::plan::Growth;
    /// // Of four articles three pairs stand two places apart or more.
    /// let growth = Growth::of([(0, 1), (1, 2), (0, 3)].into_iter(), 4);
    /// assert_eq!(growth, Growth { local: 1.0, lasting: 2.0 });
    /// ```
    #[must_use]
    pub fn of(pairs: impl Iterator<Item = (u32, u32)>, num_places: usize) -> Self {
        let least = num_places.div_ceil(2);
        let (mut num_pairs, mut num_distant) = (0.0, 0.0);
        for (a, b) in pairs {
            num_pairs += 1.0;
            num_distant += f64::from(a.abs_diff(b) as usize >= least);
        }
        let choices = |num: usize| (num * (num + 1) / 2) as f64;
        let rate = num_distant / choices(num_places - least).max(1.0);
        let lasting = (rate * choices(num_places.saturating_sub(1))).min(num_pairs);
        Self { local: num_pairs - lasting, lasting }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{derived_seed, mix64};
    use proptest::prelude::*;

    fn article(number: u64) -> Article {
        Article::new(format!("{number:05}"), format!("Text {}", number / 3))
    }

    fn sample_of(numbers: impl Iterator<Item = u64>, max_len: usize) -> Sample {
        let mut sample = Sample::new(max_len);
        numbers.for_each(|number| sample.add(article(number)));
        sample
    }

    proptest! {
        #[test]
        fn a_sample_is_of_the_set(
            numbers in Just((0..60).collect::<Vec<u64>>()).prop_shuffle(),
            max_len in 2usize..30,
        ) {
            let seen = |sample: &Sample| -> Vec<(String, u64)> {
                sample.articles().map(|(article, copies)| (article.id.to_string(), copies)).collect()
            };
            let (sorted, shuffled) = (sample_of(0..60, max_len), sample_of(numbers.into_iter(), max_len));
            prop_assert_eq!(seen(&sorted), seen(&shuffled));
            let mut by_hash: Vec<(u64, String)> = (0..60)
                .step_by(3)
                .map(|number| (hash64(article(number).text.as_bytes(), SAMPLE_SEED), article(number).id.to_string()))
                .collect();
            by_hash.sort();
            let first = by_hash.into_iter().take(max_len).map(|(_, id)| (id, 3)).collect::<Vec<_>>();
            prop_assert_eq!(seen(&sorted), first);
            prop_assert_eq!(sorted.share() < 1.0, max_len < 20);
        }
    }

    #[test]
    fn a_sample_of_little_is_all_of_it() {
        let none = Sample::new(0);
        assert_eq!((none.num_articles(), none.num_distinct(), none.share()), (0, 0.0, 1.0));
        let few = sample_of(0..6, 2);
        assert_eq!((few.num_articles(), few.num_distinct(), few.share()), (6, 2.0, 1.0));
        assert_eq!(few.text_bytes(), 36);
    }

    /// A feed of 20,000 articles in time: each third one has a repeat within 30 places, and any two meet by chance.
    fn pairs_of(num_articles: u32, chance: f64) -> Vec<(u32, u32)> {
        let draw = |seed, a: u32, b: u32| mix64(derived_seed(seed, u64::from(a)) ^ u64::from(b)) as f64 / 2f64.powi(64);
        let mut pairs = Vec::new();
        for a in 0..num_articles {
            if a % 3 == 0 {
                pairs.push((a, a + 1 + (draw(1, a, 0) * 30.0) as u32));
            }
            pairs.extend((a + 1..num_articles).filter(|b| draw(2, a, *b) < chance).map(|b| (a, b)));
        }
        pairs.retain(|(_, b)| *b < num_articles);
        pairs
    }

    #[test]
    fn growth_is_predicted_from_a_stretch_and_a_sample_of_it() {
        let (now, later, chance) = (5_000, 20_000, 4e-4);
        let grown = pairs_of(later, chance).len() as f64;
        let pairs = pairs_of(now, chance);
        let whole = Growth::of(pairs.iter().copied(), now as usize);
        assert_eq!((whole.local + whole.lasting).round() as usize, pairs.len());
        let scale = Scale { share: 1.0, growth: 4.0 };
        assert!((scale.pairs(whole) / grown - 1.0).abs() < 0.1, "{} for {grown}", scale.pairs(whole));
        // Half of the articles: a quarter of the pairs, near or far.
        let is_held = |article: u32| derived_seed(9, u64::from(article)).is_multiple_of(2);
        let places: Vec<u32> = (0..now)
            .scan(0, |next, article| {
                *next += u32::from(is_held(article));
                Some(*next)
            })
            .collect();
        let held = pairs.iter().filter(|(a, b)| is_held(*a) && is_held(*b));
        let num_held = *places.last().unwrap() as usize + 1;
        let half = Growth::of(held.map(|(a, b)| (places[*a as usize], places[*b as usize])), num_held);
        let scale = Scale { share: 0.5, growth: 1.0 };
        assert!((scale.pairs(half) / pairs.len() as f64 - 1.0).abs() < 0.1);
        let scale = Scale { share: 0.5, growth: 4.0 };
        assert!((scale.pairs(half) / grown - 1.0).abs() < 0.2, "{} for {grown}", scale.pairs(half));
    }

    #[test]
    fn repeats_alone_grow_with_the_feed_and_chance_with_its_square() {
        let repeats = Growth::of(pairs_of(3_000, 0.0).into_iter(), 3_000);
        assert_eq!(repeats.lasting, 0.0);
        let by_chance = Growth::of(pairs_of(3_000, 1e-3).into_iter().filter(|(a, b)| b - a > 30), 3_000);
        assert!(by_chance.local < by_chance.lasting / 10.0, "{by_chance:?}");
        assert_eq!(Growth::of(std::iter::empty(), 0), Growth::default());
        assert_eq!(Growth::of(std::iter::empty(), 1), Growth::default());
        assert_eq!(Growth::of([(0, 1)].into_iter(), 2), Growth { local: 0.0, lasting: 1.0 });
    }

    #[test]
    fn caps_shrink_with_the_share_and_the_feed_to_come() {
        let cap = |share, growth| Scale { share, growth }.cap(32);
        assert_eq!([cap(1.0, 1.0), cap(0.5, 1.0), cap(0.5, 4.0), cap(1e-3, 1.0), cap(1.0, 0.1)], [32, 19, 6, 2, 32]);
    }
}
