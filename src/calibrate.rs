//! From labelled pairs to a verifier: logistic regression by Newton's method with a quadratic penalty.
//!
//! Floating point is used here, and only here: what comes out is rounded to integers and written to a profile, so a
//! verdict never depends on the machine that made it.

use crate::cluster::Forest;
use crate::fixed::{ONE, logit_q10};
use crate::hash::{HashMap, mix64};
use crate::profile::{Measurement, Model, NUM_MEASUREMENTS};

/// The terms that the shipped verifier weighs.
pub const TERMS: [&str; 38] = [
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
    "bigram_cover*facts_against",
    "number_cover*lcs_shorter",
    "number_cover*number_cover",
    "lead_both*lcs_shorter",
    "len_ratio*cover_shorter",
    "lead_shorter*lead_longer",
];

/// A labelled pair as measured.
#[derive(Clone, Debug)]
pub struct Example {
    /// The measurements ([`Measurement::ALL`]), 0 to 4096.
    pub values: [i32; NUM_MEASUREMENTS],
    /// Whether the two are one telling.
    pub is_same: bool,
    /// How much the pair counts, more than 0.
    pub weight: f64,
    /// Examples of one group share articles; they are never on both sides of a split.
    pub group: usize,
}

/// Fits a model with `terms` (names of measurements, or products `a*b`) to the examples.
///
/// `penalty` pulls the weights of the standardised terms towards 0; 1.0 is one example's worth. Cost: examples ×
/// terms² a step, about ten steps.
///
/// # Errors
/// A sentence: an unknown term, or labels of one kind only.
pub fn fit(examples: &[Example], terms: &[String], penalty: f64) -> Result<Model, String> {
    let same: f64 = examples.iter().filter(|e| e.is_same).map(|e| e.weight).sum();
    let different: f64 = examples.iter().filter(|e| !e.is_same).map(|e| e.weight).sum();
    if same == 0.0 || different == 0.0 {
        return Err("the labels are all of one kind: both `same` and `different` are needed".to_string());
    }
    let columns: Vec<(usize, Option<usize>)> = terms.iter().map(|t| parse_term(t)).collect::<Result<_, _>>()?;
    let rows: Vec<Vec<f64>> = examples.iter().map(|e| row(e, &columns)).collect();
    let (means, scales) = moments(&rows, examples);
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

/// Precision and recall by probability (in percent), each fold of groups tested by a model of the others.
///
/// # Errors
/// Those of [`fit`].
pub fn cross_validate(
    examples: &[Example],
    terms: &[String],
    penalty: f64,
    num_folds: usize,
) -> Result<Vec<(u32, f64, f64)>, String> {
    let mut tested: Vec<(i32, bool, f64)> = Vec::with_capacity(examples.len());
    let fold_of = |e: &Example| (mix64(e.group as u64) % num_folds as u64) as usize;
    for fold in 0..num_folds {
        let (test, train): (Vec<&Example>, Vec<&Example>) = examples.iter().partition(|e| fold_of(e) == fold);
        let train: Vec<Example> = train.into_iter().cloned().collect();
        let model = fit(&train, terms, penalty)?;
        tested.extend(test.iter().map(|e| (model.logit(&e.values), e.is_same, e.weight)));
    }
    let curve = [10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99].map(|percent| {
        let threshold = logit_q10(percent as u16 * 100);
        let sum = |keep: &dyn Fn(bool, bool) -> bool| -> f64 {
            tested.iter().filter(|(logit, same, _)| keep(*logit >= threshold, *same)).map(|(_, _, w)| w).sum()
        };
        let found = sum(&|found, same| found && same);
        let precision = found / sum(&|found, _| found).max(1e-9);
        (percent, precision, found / sum(&|_, same| same).max(1e-9))
    });
    Ok(curve.to_vec())
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

fn moments(rows: &[Vec<f64>], examples: &[Example]) -> (Vec<f64>, Vec<f64>) {
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
fn newton(rows: &[Vec<f64>], examples: &[Example], penalty: f64) -> Vec<f64> {
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
                Example { values, is_same, weight: 1.0, group: i as usize }
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
}
