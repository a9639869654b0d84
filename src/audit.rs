//! Judging a clustering by hand: which pairs are drawn, and what the answers say of the whole.

use crate::hash::{combine, hash64};
use crate::verify::Relation;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A member of a cluster and the representative it was put with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The member's id and the representative's.
    pub ids: [String; 2],
    /// What the member is to the representative.
    pub relation: Relation,
    /// Probability of one telling, in parts of 10,000.
    pub score_e4: u32,
}

/// Repeats of one relation and about one score: each stratum is sampled apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stratum {
    /// What the members are to their representatives.
    pub relation: Relation,
    band: usize,
}

/// Scores from which each band begins, in parts of 10,000, with its name.
const BANDS: [(u32, &str); 3] = [(0, "under 0.90"), (9_000, "0.90 to 0.99"), (9_900, "from 0.99")];
/// Pairs that each stratum gets before any gets more: one alone says nothing of how they vary.
const LEAST_DRAWN: u64 = 2;
/// Quantile of the normal distribution beyond which lies a fortieth, so that 95 % lie within.
const Z: f64 = 1.959_964;

impl Stratum {
    /// The stratum of a repeat.
    #[must_use]
    pub fn of(repeat: &Repeat) -> Self {
        let band = BANDS.partition_point(|(start, _)| *start <= repeat.score_e4) - 1;
        Self { relation: repeat.relation, band }
    }

    /// The scores of the stratum, for people.
    #[must_use]
    pub fn scores(self) -> &'static str {
        BANDS[self.band].1
    }
}

/// Draws up to `num_pairs` repeats to be judged; their indices, in the order of drawing.
///
/// Each stratum gives two; then each further pair is of the stratum for which √size over the pairs it has given and one
/// more is largest, ties by relation and score (power allocation: Bankier, *The American Statistician* 42, 1988). Within
/// a stratum those of the smallest hashes of both ids under `seed` are drawn. So the sample is a function of the set and
/// the seed, and a smaller one is the beginning of a larger. Cost: a hash a repeat, a sort, pairs × strata.
///
/// ```
/// use samestory::audit::{Repeat, draw};
/// use samestory::verify::Relation;
/// let repeat = |i: u32| Repeat {
///     ids: [format!("copy {i}"), "first".to_string()],
///     relation: if i < 90 { Relation::Near } else { Relation::Rewrite },
///     score_e4: 9_950,
/// };
/// let repeats: Vec<Repeat> = (0..100).map(repeat).collect();
/// let drawn = draw(&repeats, 8, 1);
/// assert_eq!(drawn.iter().filter(|i| **i < 90).count(), 6);
/// assert_eq!(draw(&repeats, 5, 1), drawn[..5]);
/// ```
#[must_use]
pub fn draw(repeats: &[Repeat], num_pairs: usize, seed: u64) -> Vec<usize> {
    let mut by_stratum: BTreeMap<Stratum, Vec<usize>> = BTreeMap::new();
    for (i, repeat) in repeats.iter().enumerate() {
        by_stratum.entry(Stratum::of(repeat)).or_default().push(i);
    }
    let mut strata: Vec<(u64, Vec<usize>)> = Vec::new();
    for (_, mut members) in by_stratum {
        members.sort_by_cached_key(|&i| {
            let [member, representative] = &repeats[i].ids;
            let hash = combine(hash64(member.as_bytes(), seed), hash64(representative.as_bytes(), seed));
            (std::cmp::Reverse(hash), std::cmp::Reverse(&repeats[i].ids))
        });
        strata.push((members.len() as u64, members));
    }
    let mut drawn = Vec::new();
    while drawn.len() < num_pairs {
        let open = strata.iter_mut().filter(|(_, left)| !left.is_empty());
        let Some((_, left)) = open.min_by(|a, b| precedence((a.0, a.1.len()), (b.0, b.1.len()))) else {
            break;
        };
        drawn.extend(left.pop());
    }
    drawn
}

/// Which of two strata, each with its size and how many are left, gives the next pair.
fn precedence(a: (u64, usize), b: (u64, usize)) -> Ordering {
    let num_drawn = |(size, left): (u64, usize)| size - left as u64;
    let least = |stratum| num_drawn(stratum).min(LEAST_DRAWN);
    // √a / (drawn of a + 1) against √b / (drawn of b + 1), in integers.
    let square = |stratum| (u128::from(num_drawn(stratum)) + 1).pow(2);
    let (of_a, of_b) = (u128::from(a.0) * square(b), u128::from(b.0) * square(a));
    least(a).cmp(&least(b)).then(of_b.cmp(&of_a))
}

/// What was judged of a stratum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Which.
    pub stratum: Stratum,
    /// Repeats in it.
    pub num_repeats: u64,
    /// Those that were judged.
    pub num_judged: u64,
    /// Those that were judged one telling.
    pub num_same: u64,
}

impl Tally {
    /// How many repeats a judged one stands for; `None` where none was judged.
    #[must_use]
    pub fn weight(&self) -> Option<f64> {
        (self.num_judged > 0).then(|| self.num_repeats as f64 / self.num_judged as f64)
    }
}

/// Counts the answers (index of the repeat, whether it is one telling; each index once) by stratum, in order of
/// relation and score.
#[must_use]
pub fn tally(repeats: &[Repeat], answers: impl IntoIterator<Item = (usize, bool)>) -> Vec<Tally> {
    let mut tallies: BTreeMap<Stratum, Tally> = BTreeMap::new();
    let none = |stratum| Tally { stratum, num_repeats: 0, num_judged: 0, num_same: 0 };
    for stratum in repeats.iter().map(Stratum::of) {
        tallies.entry(stratum).or_insert_with(|| none(stratum)).num_repeats += 1;
    }
    for (i, is_same) in answers {
        let stratum = Stratum::of(&repeats[i]);
        let tally = tallies.entry(stratum).or_insert_with(|| none(stratum));
        tally.num_judged += 1;
        tally.num_same += u64::from(is_same);
    }
    tallies.into_values().collect()
}

/// A precision estimated from a stratified sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Share of the repeats that are one telling with their representative, 0 to 1.
    pub precision: f64,
    /// Its 95 % interval.
    pub interval: (f64, f64),
    /// Share of the repeats that lie in a stratum of which some were judged: for the others nothing is said.
    pub covered: f64,
}

/// Estimates the precision over some strata; `None` where nothing was judged.
///
/// The estimate weighs each stratum by its size. The interval is Wilson's (1927) for as many pairs as the sample is
/// worth: the fewer of Kish's effective size (1965), which holds where all judged pairs agree, and the size at which a
/// simple sample would vary as this one does (Korn and Graubard, 1998); with what was judged taken off a stratum's
/// size, so that it closes where all are judged. Where whole strata are certain it is wider than it need be.
///
/// ```
/// use samestory::audit::{Repeat, estimate, tally};
/// use samestory::verify::Relation;
/// let near = Repeat { ids: ["b".to_string(), "a".to_string()], relation: Relation::Near, score_e4: 9_990 };
/// let repeats = vec![near; 1000];
/// let estimate = estimate(&tally(&repeats, (0..20).map(|i| (i, i > 0)))).unwrap();
/// assert_eq!((estimate.precision, estimate.covered), (0.95, 1.0));
/// let (low, high) = estimate.interval;
/// assert!((low - 0.760).abs() < 1e-3 && (high - 0.991).abs() < 1e-3);
/// ```
#[must_use]
pub fn estimate(tallies: &[Tally]) -> Option<Estimate> {
    let all: u64 = tallies.iter().map(|t| t.num_repeats).sum();
    let judged: Vec<&Tally> = tallies.iter().filter(|t| t.num_judged > 0).collect();
    let covered = judged.iter().map(|t| t.num_repeats).sum::<u64>() as f64;
    if judged.is_empty() {
        return None;
    }
    let (mut precision, mut by_weight, mut variance) = (0.0, 0.0, 0.0);
    for tally in judged {
        let [size, num_judged, num_same] = [tally.num_repeats, tally.num_judged, tally.num_same].map(|n| n as f64);
        let (share, right) = (size / covered, num_same / num_judged);
        let unseen = share * share * (1.0 - num_judged / size);
        precision += share * right;
        by_weight += unseen / num_judged;
        // Of a single pair the spread is unknown: it counts by weight alone.
        variance += unseen * right * (1.0 - right) / (num_judged - 1.0).max(1.0);
    }
    // Rounding may leave 1 by a hair.
    let precision = precision.min(1.0);
    let of_one = precision * (1.0 - precision);
    let inverse_size = if variance > 0.0 { by_weight.max(variance / of_one) } else { by_weight };
    let pull = Z * Z * inverse_size;
    let middle = (precision + pull / 2.0) / (1.0 + pull);
    let half = Z * (of_one * inverse_size + pull * inverse_size / 4.0).sqrt() / (1.0 + pull);
    let interval = ((middle - half).max(0.0), (middle + half).min(1.0));
    Some(Estimate { precision, interval, covered: covered / all as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{HashSet, derived_seed};

    /// Sizes of strata, each with its relation, score and share of right pairs.
    const STRATA: [(u32, Relation, u32, f64); 6] = [
        (2000, Relation::Exact, 10_000, 1.0),
        (700, Relation::Near, 9_990, 0.99),
        (40, Relation::Near, 9_500, 0.9),
        (300, Relation::Update, 9_900, 0.95),
        (400, Relation::Rewrite, 9_200, 0.85),
        (90, Relation::Rewrite, 6_500, 0.5),
    ];

    /// Repeats, and whether each is right: of each stratum the share that is stated, to the power of `badness`.
    fn population(badness: i32) -> (Vec<Repeat>, Vec<bool>) {
        let mut repeats = Vec::new();
        let mut is_right = Vec::new();
        for (size, relation, score_e4, share) in STRATA {
            for i in 0..size {
                let ids = [format!("{}", repeats.len()), format!("of {}", i / 3)];
                repeats.push(Repeat { ids, relation, score_e4 });
                is_right.push(f64::from(i) < share.powi(badness) * f64::from(size));
            }
        }
        (repeats, is_right)
    }

    fn judge(repeats: &[Repeat], is_right: &[bool], num_pairs: usize, seed: u64) -> Estimate {
        let drawn = draw(repeats, num_pairs, seed);
        estimate(&tally(repeats, drawn.into_iter().map(|i| (i, is_right[i])))).expect("some are judged")
    }

    #[test]
    fn a_sample_is_a_function_of_the_set() {
        let (repeats, _) = population(1);
        let ids = |repeats: &[Repeat], drawn: &[usize]| -> Vec<[String; 2]> {
            drawn.iter().map(|&i| repeats[i].ids.clone()).collect()
        };
        let drawn = draw(&repeats, 60, 1);
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), 60);
        let turned: Vec<Repeat> = repeats.iter().rev().cloned().collect();
        assert_eq!(ids(&repeats, &drawn), ids(&turned, &draw(&turned, 60, 1)));
        assert_ne!(drawn, draw(&repeats, 60, 2));
        for num_pairs in [0, 1, 5, 12, 59] {
            assert_eq!(draw(&repeats, num_pairs, 1), drawn[..num_pairs]);
        }
        let strata: Vec<Stratum> = drawn.iter().map(|&i| Stratum::of(&repeats[i])).collect();
        for first in [&strata[..6], &strata[6..12]] {
            assert_eq!(first.iter().map(|s| (s.relation, s.band)).collect::<HashSet<_>>().len(), 6);
        }
        assert_eq!(draw(&repeats, usize::MAX, 1).len(), repeats.len());
        assert!(draw(&[], 5, 1).is_empty());
    }

    #[test]
    fn larger_strata_give_more() {
        let (repeats, _) = population(1);
        let drawn = draw(&repeats, 100, 1);
        let counts: Vec<u64> =
            tally(&repeats, drawn.into_iter().map(|i| (i, true))).iter().map(|t| t.num_judged).collect();
        // √size of 84.9 + 6.3 + 26.5 + 17.3 + 9.5 + 20 in order of relation and score, of 100.
        assert_eq!(counts, [37, 5, 21, 14, 7, 16]);
    }

    #[test]
    fn bands_begin_where_they_say() {
        let scores =
            |score_e4| Stratum::of(&Repeat { ids: Default::default(), relation: Relation::Near, score_e4 }).scores();
        assert_eq!([0, 8_999].map(scores), ["under 0.90"; 2]);
        assert_eq!([9_000, 9_899].map(scores), ["0.90 to 0.99"; 2]);
        assert_eq!([9_900, 10_000].map(scores), ["from 0.99"; 2]);
    }

    #[test]
    fn an_estimate_by_hand() {
        let near = |num_repeats, num_judged, num_same| Tally {
            stratum: Stratum { relation: Relation::Near, band: 0 },
            num_repeats,
            num_judged,
            num_same,
        };
        assert_eq!(estimate(&[]), None);
        assert_eq!(estimate(&[near(10, 0, 0)]), None);
        // Nine in ten of the repeats lie where four in five are right, the rest where half are.
        let both = estimate(&[near(900, 10, 8), near(100, 4, 2)]).unwrap();
        assert!((both.precision - 0.77).abs() < 1e-12 && both.covered == 1.0, "{both:?}");
        let half = estimate(&[near(900, 10, 8), near(300, 0, 0)]).unwrap();
        assert_eq!((half.precision, half.covered), (0.8, 0.75));
        // All judged: nothing is left to vary.
        let whole = estimate(&[near(10, 10, 8), near(5, 5, 5)]).unwrap();
        assert!(
            (whole.interval.0 - whole.precision).abs() < 1e-12 && (whole.interval.1 - whole.precision).abs() < 1e-12
        );
        // All right, as Wilson has it for 20 of 20: the lower end is 1 / (1 + z²/20).
        let right = estimate(&[near(1_000_000, 20, 20)]).unwrap();
        assert!((right.interval.0 - 0.8389).abs() < 1e-3 && right.interval.1 == 1.0, "{right:?}");
        let one = estimate(&[near(1_000_000, 1, 0)]).unwrap();
        assert!(one.interval.0 == 0.0 && one.interval.1 > 0.75, "{one:?}");
        assert_eq!(near(90, 4, 1).weight(), Some(22.5));
        assert_eq!(near(90, 0, 0).weight(), None);
    }

    #[test]
    fn intervals_hold_the_truth_at_least_as_often_as_they_say() {
        for (badness, num_pairs, widest) in [(1, 12, 0.5), (1, 50, 0.15), (1, 200, 0.06), (8, 50, 0.25), (8, 200, 0.12)]
        {
            let (repeats, is_right) = population(badness);
            let truth = is_right.iter().filter(|right| **right).count() as f64 / is_right.len() as f64;
            let rounds = 1000;
            let (mut num_held, mut sum, mut width) = (0, 0.0, 0.0);
            for round in 0..rounds {
                let estimate = judge(&repeats, &is_right, num_pairs, derived_seed(5, round));
                num_held += u32::from(estimate.interval.0 <= truth && truth <= estimate.interval.1);
                sum += estimate.precision / rounds as f64;
                width += (estimate.interval.1 - estimate.interval.0) / rounds as f64;
            }
            let what = format!("{num_pairs} pairs: {num_held} within, {width:.3} wide, mean {sum:.4} of {truth:.4}");
            assert!((sum - truth).abs() < 0.01 && num_held >= 940 && width < widest, "{what}");
        }
    }
}
