//! From labelled pairs to a verifier and its threshold: logistic regression by Newton's method with a quadratic penalty,
//! tested on groups it was not fitted on.
//!
//! Floating point is used here, and only here: what comes out is rounded to integers and written to a profile, so a
//! verdict never depends on the machine that made it.

use crate::cluster::Forest;
use crate::fixed::{ONE, logit_q10};
use crate::hash::{HashMap, derived_seed, mix64};
use crate::profile::{Measurement, Model, NUM_MEASUREMENTS};

/// The terms that the shipped verifier weighs.
pub const TERMS: [&str; 42] = [
    "shingle_jaccard",
    "shingle_containment",
    "word_jaccard",
    "word_cosine",
    "cover_shorter",
    "cover_longer",
    "common_cover",
    "rare_cover",
    "rare_jaccard",
    "number_cover",
    "number_jaccard",
    "name_cover",
    "name_jaccard",
    "lcs_shorter",
    "lcs_both",
    "sentence_cover",
    "sentence_order",
    "bigram_cover",
    "nearby_shorter",
    "nearby_longer",
    "lead_shorter",
    "lead_longer",
    "lead_both",
    "lead_sentence",
    "tail_shorter",
    "tail_longer",
    "quote_cover",
    "unquoted_cover",
    "title_cover",
    "len_ratio",
    "len_shorter",
    "facts_against",
    "told_anew",
    "bigram_cover*facts_against",
    "number_cover*lcs_shorter",
    "number_cover*number_cover",
    "lead_both*lcs_shorter",
    "len_ratio*cover_shorter",
    "lead_shorter*lead_longer",
    "len_shorter*number_jaccard",
    "len_shorter*lcs_shorter",
    "len_shorter*word_cosine",
];

/// How much less than texts the outlets of a pair may say: the penalty on that term is higher by the square. Many labelled
/// look-alikes are of one outlet; left alone, the outlet explains them, and look-alikes of two outlets pass.
const CONTEXT_RESTRAINT: f64 = 5.5;

/// The terms that the shipped verifier weighs, in order, but for those that hold one of these measurements, alone or in
/// a product; none where all are left out.
///
/// ```
/// use samestory::calibrate::{TERMS, terms_without};
/// use samestory::profile::Measurement;
/// assert_eq!(terms_without(&[]), TERMS);
/// // `lead_both` and `lead_both*lcs_shorter`.
/// assert_eq!(terms_without(&[Measurement::LeadBoth]).len(), TERMS.len() - 2);
/// ```
#[must_use]
pub fn terms_without(left_out: &[Measurement]) -> Vec<String> {
    let is_left_out = |name: &str| left_out.iter().any(|measurement| measurement.name() == name);
    TERMS.iter().filter(|term| !term.split('*').any(is_left_out)).map(ToString::to_string).collect()
}

/// A labelled pair as measured.
#[derive(Clone, Debug)]
pub struct Example {
    /// The measurements ([`Measurement::ALL`]), 0 to 4096.
    pub values: [i32; NUM_MEASUREMENTS],
    /// Whether the verdict weighs the measurements. A pair that is stopped before is never a match: it teaches the fit
    /// nothing, but it counts in recall and in the rate of false matches.
    pub is_scored: bool,
    /// Whether the two are one telling.
    pub is_same: bool,
    /// How much the pair counts, more than 0.
    pub weight: f64,
    /// Examples of one group share articles; they are never on both sides of a split.
    pub group: usize,
}

/// A labelled pair as judged by a model that was fitted on other groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// Log-odds of one telling, in units of 1/1024; `None` for a pair that is not scored.
    pub logit: Option<i32>,
    /// Whether the two are one telling.
    pub is_same: bool,
    /// How much the pair counts, more than 0.
    pub weight: f64,
    /// Judged pairs of one group share articles.
    pub group: usize,
}

/// What a threshold comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Probability of one telling, in percent, from which a pair is a match.
    pub percent: u32,
    /// Share of true pairs among the matches, 0 to 1; `None` where nothing matches.
    pub precision: Option<Precision>,
    /// Share of the true pairs that match, 0 to 1.
    pub recall: f64,
    /// Share of the other pairs that match, 0 to 1.
    pub false_match_rate: f64,
}

/// A precision and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// On all labels.
    pub value: f64,
    /// The 95 % interval over resampled groups. Where no false match is among the labels none is in any sample of them:
    /// the lower end is then that of a binomial (Clopper and Pearson 1934) of as many trials as groups match.
    pub interval: (f64, f64),
}

/// The thresholds a profile may have, in percent.
const PERCENTS: std::ops::RangeInclusive<u32> = 1..=99;
/// How many there are.
const NUM_PERCENTS: usize = 99;
/// Samples of the groups that an interval rests on.
const NUM_ROUNDS: usize = 200;
/// Part of the samples that lies beyond each end of the interval: one in forty, so that 95 % lie within.
const ROUNDS_PER_TAIL: usize = 40;
/// The same part, as a probability.
const TAIL: f64 = 1.0 / ROUNDS_PER_TAIL as f64;
/// Seed of the samples.
const ROUNDS_SEED: u64 = 0x6361_6c69_6272_6174;
/// What a precision may lack of the one asked for, for rounding.
const ROUNDING: f64 = 1e-9;

/// Fits a model with `terms` (names of measurements, or products `a*b`) to the examples.
///
/// Examples that are not scored are passed over. `penalty` pulls the weights of the standardised terms towards 0; 1.0
/// is one example's worth. The last bits of the sums follow the order of the examples: who wants one answer for one set
/// sorts them. Cost: examples × terms² a step, about ten steps.
///
/// # Errors
/// A sentence: an unknown term, or labels of one kind only.
pub fn fit(examples: &[Example], terms: &[String], penalty: f64) -> Result<Model, String> {
    fit_scored(&examples.iter().filter(|e| e.is_scored).collect::<Vec<_>>(), terms, penalty)
}

fn fit_scored(examples: &[&Example], terms: &[String], penalty: f64) -> Result<Model, String> {
    if !are_both_kinds(examples) {
        return Err("the labels are all of one kind: both `same` and `different` are needed".to_string());
    }
    let columns: Vec<(usize, Option<usize>)> = terms.iter().map(|t| parse_term(t)).collect::<Result<_, _>>()?;
    let rows: Vec<Vec<f64>> = examples.iter().map(|e| row(e, &columns)).collect();
    let (means, mut scales) = moments(&rows, examples);
    for (scale, column) in scales.iter_mut().zip(&columns) {
        if *column == (Measurement::ToldAnew as usize, None) {
            *scale *= CONTEXT_RESTRAINT;
        }
    }
    let standard: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let mut out: Vec<f64> = row.iter().zip(&means).zip(&scales).map(|((x, m), s)| (x - m) / s).collect();
            out.push(1.0);
            out
        })
        .collect();
    let beta = newton(&standard, examples, penalty);

    let mut intercept = beta[columns.len()];
    let mut weights = Vec::with_capacity(terms.len());
    for (i, term) in terms.iter().enumerate() {
        let slope = beta[i] / scales[i];
        intercept -= slope * means[i];
        weights.push((term.clone(), (slope * 1024.0).round() as i32));
    }
    Model::new((intercept * 1024.0).round() as i32, &weights)
}

/// Numbers the pairs so that pairs which share an article, directly or through others, have one number.
#[must_use]
pub fn group(pairs: &[[&str; 2]]) -> Vec<usize> {
    let mut index: HashMap<&str, u32> = HashMap::default();
    for id in pairs.iter().flatten() {
        let next = index.len() as u32;
        index.entry(id).or_insert(next);
    }
    let mut forest = Forest::new(index.len());
    for [a, b] in pairs {
        forest.join(index[a], index[b], usize::MAX);
    }
    pairs.iter().map(|[a, _]| forest.find(index[a]) as usize).collect()
}

/// Judges each example by a model that was fitted on the groups of the other folds; in the order of the examples.
///
/// # Errors
/// A sentence: what [`fit`] cannot use, labels whose groups cannot be divided, or fewer than two folds.
pub fn cross_validate(
    examples: &[Example],
    terms: &[String],
    penalty: f64,
    num_folds: usize,
) -> Result<Vec<Judged>, String> {
    if num_folds < 2 {
        return Err("two folds at least are needed: what one is tested on the others fit".to_string());
    }
    let fold_of = |e: &Example| (mix64(e.group as u64) % num_folds as u64) as usize;
    let mut models = Vec::with_capacity(num_folds);
    for fold in 0..num_folds {
        let others: Vec<&Example> = examples.iter().filter(|e| e.is_scored && fold_of(e) != fold).collect();
        if !are_both_kinds(&others) {
            return Err(format!(
                "without part {} of {num_folds} the labels are all of one kind: pairs that share articles stay in one \
                 part, and more pairs of other articles are needed",
                fold + 1
            ));
        }
        models.push(fit_scored(&others, terms, penalty)?);
    }
    let judged = |e: &Example| Judged {
        logit: e.is_scored.then(|| models[fold_of(e)].logit(&e.values)),
        is_same: e.is_same,
        weight: e.weight,
        group: e.group,
    };
    Ok(examples.iter().map(judged).collect())
}

/// The share of true pairs by weight, 0 to 1; 0 for no pairs.
#[must_use]
pub fn prevalence(judged: &[Judged]) -> f64 {
    let all = Tally::of(judged.iter());
    ratio(all.same, all.same + all.different).unwrap_or(0.0)
}

/// What each threshold of 1 to 99 percent comes to among candidates of which `prevalence` (0 to 1) are true pairs.
///
/// With recall r, false match rate f and prevalence p the precision is p·r / (p·r + (1 − p)·f). Its interval comes of 200
/// samples of the groups, drawn with replacement from a fixed seed. Cost: samples × groups × thresholds.
///
/// ```
/// use samestory::calibrate::{Judged, curve};
/// let pair = |logit, is_same, group| Judged { logit: Some(logit), is_same, weight: 1.0, group };
/// let judged = [pair(2048, true, 0), pair(2048, true, 1), pair(1024, false, 2), pair(-1024, false, 3)];
/// let half = &curve(&judged, 0.5)[49];
/// assert_eq!((half.percent, half.recall, half.false_match_rate), (50, 1.0, 0.5));
/// assert!((half.precision.unwrap().value - 2.0 / 3.0).abs() < 1e-12);
/// let rare = &curve(&judged, 0.1)[49];
/// assert!((rare.precision.unwrap().value - 0.1 / (0.1 + 0.9 * 0.5)).abs() < 1e-12);
/// ```
#[must_use]
pub fn curve(judged: &[Judged], prevalence: f64) -> Vec<Point> {
    let mut by_group: Vec<&Judged> = judged.iter().collect();
    by_group.sort_by_key(|j| j.group);
    let groups: Vec<Tally> =
        by_group.chunk_by(|a, b| a.group == b.group).map(|group| Tally::of(group.iter().copied())).collect();
    let mut all = Tally::default();
    groups.iter().for_each(|group| all.add(group));

    let mut rounds: Vec<Vec<f64>> = vec![Vec::new(); NUM_PERCENTS];
    for round in 0..NUM_ROUNDS {
        let mut sample = Tally::default();
        for draw in 0..groups.len() {
            let random = derived_seed(ROUNDS_SEED, (round * groups.len() + draw) as u64);
            sample.add(&groups[(random % groups.len() as u64) as usize]);
        }
        for (values, i) in rounds.iter_mut().zip(0..) {
            values.extend(sample.precision(i, prevalence));
        }
    }
    PERCENTS
        .zip(rounds)
        .enumerate()
        .map(|(i, (percent, mut values))| Point {
            percent,
            precision: all.precision(i, prevalence).map(|value| {
                values.sort_by(f64::total_cmp);
                let tail = values.len() / ROUNDS_PER_TAIL;
                let end = |at: Option<&f64>, other: f64| at.copied().unwrap_or(other);
                let low = end(values.get(tail), 0.0);
                let unseen = if all.found_different[i] > 0.0 {
                    value
                } else {
                    let num_matching = groups.iter().filter(|group| group.found_same[i] > 0.0).count();
                    all.precision_unseen(i, prevalence, TAIL.powf(1.0 / num_matching as f64)).unwrap_or(0.0)
                };
                Precision { value, interval: (low.min(unseen), end(values.iter().rev().nth(tail), 1.0)) }
            }),
            recall: ratio(all.found_same[i], all.same).unwrap_or(0.0),
            false_match_rate: ratio(all.found_different[i], all.different).unwrap_or(0.0),
        })
        .collect()
}

/// The smallest threshold of a curve whose precision is at least `precision`.
#[must_use]
pub fn smallest_reaching(curve: &[Point], precision: f64) -> Option<&Point> {
    curve.iter().find(|point| point.precision.is_some_and(|p| p.value >= precision - ROUNDING))
}

/// The threshold of a curve with the highest precision, the smallest of equals; `None` where nothing matches at any.
#[must_use]
pub fn most_precise(curve: &[Point]) -> Option<&Point> {
    let value = |point: &&Point| point.precision.map(|p| p.value);
    curve
        .iter()
        .rev()
        .filter(|point| point.precision.is_some())
        .max_by(|a, b| value(a).partial_cmp(&value(b)).expect("a precision is a number"))
}

impl Point {
    /// Articles removed wrongly of each thousand, at most: every false match removes one article or none.
    ///
    /// `candidates_per_article` candidate pairs an article, of which `prevalence` (0 to 1) are true.
    #[must_use]
    pub fn wrongful_removals(&self, prevalence: f64, candidates_per_article: f64) -> f64 {
        1000.0 * candidates_per_article * (1.0 - prevalence) * self.false_match_rate
    }
}

/// Weight of pairs, in all and by threshold of those that match.
#[derive(Clone, Debug)]
struct Tally {
    same: f64,
    different: f64,
    found_same: [f64; NUM_PERCENTS],
    found_different: [f64; NUM_PERCENTS],
}

impl Default for Tally {
    fn default() -> Self {
        Self { same: 0.0, different: 0.0, found_same: [0.0; NUM_PERCENTS], found_different: [0.0; NUM_PERCENTS] }
    }
}

impl Tally {
    fn of<'a>(judged: impl Iterator<Item = &'a Judged>) -> Self {
        let thresholds = PERCENTS.map(|percent| logit_q10(percent as u16 * 100));
        let thresholds: Vec<i32> = thresholds.collect();
        let mut tally = Self::default();
        for j in judged {
            let (all, found) = if j.is_same {
                (&mut tally.same, &mut tally.found_same)
            } else {
                (&mut tally.different, &mut tally.found_different)
            };
            *all += j.weight;
            let num_reached = j.logit.map_or(0, |logit| thresholds.partition_point(|t| *t <= logit));
            found[..num_reached].iter_mut().for_each(|sum| *sum += j.weight);
        }
        tally
    }

    fn add(&mut self, other: &Self) {
        self.same += other.same;
        self.different += other.different;
        for i in 0..NUM_PERCENTS {
            self.found_same[i] += other.found_same[i];
            self.found_different[i] += other.found_different[i];
        }
    }

    /// Precision at the threshold of that index; `None` where nothing matches or one kind is lacking.
    fn precision(&self, i: usize, prevalence: f64) -> Option<f64> {
        let found = prevalence * ratio(self.found_same[i], self.same)?;
        let wrong = (1.0 - prevalence) * ratio(self.found_different[i], self.different)?;
        ratio(found, found + wrong)
    }

    /// Precision at the threshold of that index if only a part `right` of what matches among the labels were true.
    fn precision_unseen(&self, i: usize, prevalence: f64, right: f64) -> Option<f64> {
        let found = prevalence * ratio(self.found_same[i], self.same)?;
        let unseen = self.found_same[i] * (1.0 - right) / right;
        let wrong = (1.0 - prevalence) * ratio(unseen, self.different)?;
        ratio(found, found + wrong)
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn are_both_kinds(examples: &[&Example]) -> bool {
    examples.iter().any(|e| e.is_same) && examples.iter().any(|e| !e.is_same)
}

fn parse_term(term: &str) -> Result<(usize, Option<usize>), String> {
    let index =
        |name: &str| Measurement::find(name).map(|m| m as usize).ok_or_else(|| format!("unknown measurement '{name}'"));
    match term.split_once('*') {
        Some((a, b)) => Ok((index(a)?, Some(index(b)?))),
        None => Ok((index(term)?, None)),
    }
}

fn row(example: &Example, columns: &[(usize, Option<usize>)]) -> Vec<f64> {
    let value = |i: usize| f64::from(example.values[i]) / f64::from(ONE);
    columns.iter().map(|(a, b)| value(*a) * b.map_or(1.0, value)).collect()
}

fn moments(rows: &[Vec<f64>], examples: &[&Example]) -> (Vec<f64>, Vec<f64>) {
    let num_columns = rows[0].len();
    let total: f64 = examples.iter().map(|e| e.weight).sum();
    let mut means = vec![0.0; num_columns];
    let mut squares = vec![0.0; num_columns];
    for (row, example) in rows.iter().zip(examples) {
        for (i, x) in row.iter().enumerate() {
            means[i] += x * example.weight / total;
            squares[i] += x * x * example.weight / total;
        }
    }
    let scales = means.iter().zip(&squares).map(|(m, s)| (s - m * m).max(1e-6).sqrt()).collect();
    (means, scales)
}

/// Minimises the penalised logistic loss; the last column is the intercept and is not penalised.
fn newton(rows: &[Vec<f64>], examples: &[&Example], penalty: f64) -> Vec<f64> {
    let n = rows[0].len();
    let mut beta = vec![0.0; n];
    for _ in 0..50 {
        let mut gradient = vec![0.0; n];
        let mut hessian = vec![vec![0.0; n]; n];
        for (row, example) in rows.iter().zip(examples) {
            let z: f64 = row.iter().zip(&beta).map(|(x, b)| x * b).sum();
            let p = 1.0 / (1.0 + (-z).exp());
            let error = (p - f64::from(u8::from(example.is_same))) * example.weight;
            let curvature = (p * (1.0 - p)).max(1e-9) * example.weight;
            for i in 0..n {
                gradient[i] += error * row[i];
                let scaled = curvature * row[i];
                for j in 0..=i {
                    hessian[i][j] += scaled * row[j];
                }
            }
        }
        for i in 0..n - 1 {
            gradient[i] += penalty * beta[i];
            hessian[i][i] += penalty;
        }
        hessian[n - 1][n - 1] += 1e-9;
        let step = solve(hessian, gradient);
        let largest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
        // Newton's step may overshoot where the classes are nearly separable.
        let damp = if largest > 4.0 { 4.0 / largest } else { 1.0 };
        for (b, s) in beta.iter_mut().zip(&step) {
            *b -= damp * s;
        }
        if largest < 1e-8 {
            break;
        }
    }
    beta
}

/// Solves a symmetric positive definite system given by its lower triangle (Cholesky).
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| matrix[i][k] * matrix[j][k]).sum();
            let rest = matrix[i][j] - dot;
            matrix[i][j] = if i == j { rest.max(1e-12).sqrt() } else { rest / matrix[j][j] };
        }
    }
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| matrix[i][k] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i][i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| matrix[k][i] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i][i];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<Example> {
        // Same where the first measurement outweighs the second, with one label in ten turned round.
        (0..400)
            .map(|i| {
                let mut values = [0; NUM_MEASUREMENTS];
                values[0] = (i * 37) % ONE;
                values[1] = (i * 101 + 50) % ONE;
                let is_same = (values[0] > values[1]) != (i % 10 == 0);
                Example { values, is_scored: true, is_same, weight: 1.0, group: i as usize }
            })
            .collect()
    }

    #[test]
    fn a_plane_is_found() {
        let terms = [Measurement::ALL[0].name().to_string(), Measurement::ALL[1].name().to_string()];
        let examples = examples();
        let model = fit(&examples, &terms, 0.1).unwrap();
        let weights: Vec<i32> = model.terms().map(|(_, w)| w).collect();
        assert!(weights[0] > 2000 && weights[1] < -2000, "{weights:?}");
        let right = examples.iter().filter(|e| (model.logit(&e.values) > 0) == e.is_same).count();
        assert!(right >= 350, "{right} of 400");
    }

    #[test]
    fn labels_of_one_kind_are_refused() {
        let mut all_same = examples();
        all_same.iter_mut().for_each(|e| e.is_same = true);
        assert!(fit(&all_same, &[Measurement::ALL[0].name().to_string()], 1.0).unwrap_err().contains("one kind"));
        assert!(fit(&examples(), &["vibes".to_string()], 1.0).is_err());
    }

    fn terms() -> Vec<String> {
        Measurement::ALL[..2].iter().map(|m| m.name().to_string()).collect()
    }

    #[test]
    fn pairs_that_are_not_scored_count_but_teach_nothing() {
        let scored = examples();
        let mut all = scored.clone();
        all.extend(scored.iter().map(|e| Example { is_scored: false, is_same: true, ..e.clone() }));
        assert_eq!(fit(&all, &terms(), 0.1), fit(&scored, &terms(), 0.1));
        let [all, scored] = [all, scored].map(|e| cross_validate(&e, &terms(), 0.1, 5).unwrap());
        let true_pairs = scored.iter().filter(|j| j.is_same).count() as f64;
        assert!((prevalence(&scored) - true_pairs / 400.0).abs() < 1e-12);
        assert!((prevalence(&all) - (true_pairs + 400.0) / 800.0).abs() < 1e-12);
        let [all, scored] = [all, scored].map(|judged| curve(&judged, 0.5)[49]);
        assert!((all.recall * (true_pairs + 400.0) - scored.recall * true_pairs).abs() < 1e-9);
        assert_eq!(all.false_match_rate, scored.false_match_rate);
    }

    #[test]
    fn a_curve_agrees_with_its_definition() {
        let judged = cross_validate(&examples(), &terms(), 0.1, 5).unwrap();
        let points = curve(&judged, prevalence(&judged));
        assert_eq!(points.len(), NUM_PERCENTS);
        for point in &points {
            let threshold = logit_q10(point.percent as u16 * 100);
            let found: Vec<&Judged> = judged.iter().filter(|j| j.logit.is_some_and(|l| l >= threshold)).collect();
            let right = found.iter().filter(|j| j.is_same).count() as f64;
            let all = judged.iter().filter(|j| j.is_same).count() as f64;
            assert!((point.recall - right / all).abs() < 1e-12, "{point:?}");
            // At the prevalence of the labels precision is the share of true pairs among the found.
            let Some(precision) = point.precision else {
                assert!(found.is_empty());
                continue;
            };
            assert!((precision.value - right / found.len() as f64).abs() < 1e-12, "{point:?}");
            let (low, high) = precision.interval;
            assert!(low <= precision.value && precision.value <= high && low < high, "{point:?}");
        }
        assert_eq!(points, curve(&judged, prevalence(&judged)));
        let rarer = curve(&judged, prevalence(&judged) / 2.0);
        let value = |point: &Point| point.precision.map(|p| p.value);
        assert!(points.iter().zip(&rarer).all(|(a, b)| value(b) <= value(a)));
        assert!(points.iter().zip(&rarer).any(|(a, b)| value(b) < value(a)));
    }

    #[test]
    fn an_interval_has_the_width_that_the_delta_method_gives() {
        // Groups of one pair: of 400 true pairs three in four match, of 300 others one in ten. With recall r and false
        // match rate f, precision P varies by P (1 - P) √(var r / r² + var f / f²) = .0145: a width of .057.
        let judged: Vec<Judged> = (0..700)
            .map(|i| {
                let is_same = i < 400;
                let is_match = if is_same { i % 4 != 0 } else { i % 10 == 0 };
                Judged { logit: Some(if is_match { 512 } else { -512 }), is_same, weight: 1.0, group: i }
            })
            .collect();
        let Precision { value, interval: (low, high) } = curve(&judged, prevalence(&judged))[49].precision.unwrap();
        assert!((value - 300.0 / 330.0).abs() < 1e-9, "{value}");
        assert!(low < value && value < high && (0.045..0.07).contains(&(high - low)), "{low} to {high}");
    }

    #[test]
    fn an_interval_is_wide_where_no_false_match_was_seen() {
        let pair = |logit, is_same, group| Judged { logit: Some(logit), is_same, weight: 1.0, group };
        let judged: Vec<Judged> =
            (0..20).map(|i| pair(512, true, i)).chain((20..40).map(|i| pair(-512, false, i))).collect();
        let Precision { value, interval: (low, high) } = curve(&judged, 0.5)[49].precision.unwrap();
        // Clopper and Pearson's lower end for 20 of 20, two-sided: .8316.
        assert!(value == 1.0 && high == 1.0 && (low - 0.8316).abs() < 1e-4, "{low}");
        let one = curve(&[pair(512, true, 0), pair(-512, false, 1)], 0.5)[49].precision.unwrap();
        assert!((one.interval.0 - 0.025).abs() < 1e-9, "{one:?}");
    }

    #[test]
    fn thresholds_are_the_smallest() {
        let point = |percent, value: f64| Point {
            percent,
            precision: (value > 0.0).then_some(Precision { value, interval: (0.0, 1.0) }),
            recall: 0.5,
            false_match_rate: 0.02,
        };
        let points = [point(1, 0.5), point(2, 0.9), point(3, 0.8), point(4, 0.9), point(5, 0.0)];
        assert_eq!(smallest_reaching(&points, 0.8).unwrap().percent, 2);
        assert_eq!(smallest_reaching(&points, 0.9).unwrap().percent, 2);
        assert_eq!(smallest_reaching(&points, 0.91), None);
        assert_eq!(most_precise(&points).unwrap().percent, 2);
        assert_eq!(most_precise(&points[4..]), None);
        assert!((points[0].wrongful_removals(0.25, 2.0) - 30.0).abs() < 1e-9);
    }

    #[test]
    fn labels_that_cannot_be_divided_are_refused() {
        let mut one_group = examples();
        one_group.iter_mut().for_each(|e| e.group = 7);
        let error = cross_validate(&one_group, &terms(), 1.0, 5).unwrap_err();
        assert!(error.contains("of 5 the labels are all of one kind"), "{error}");
    }
}
