//! The verifier's weights: a logistic regression over named measurements, in integers.

use crate::error::{Error, Result};
use crate::fixed::ONE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The measurements a verdict rests on, in the order of [`crate::verify::Evidence::values`].
///
/// All lie between 0 and 1 (4096 in fixed point). *Shorter* and *longer* are the two articles by content tokens.
/// What each one measures stands with the function that computes it, in `verify`.
pub const MEASUREMENTS: [&str; 31] = [
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
    "time_apart",
    "facts_against",
];

/// Largest weight a term may have, so that no sum overflows.
const MAX_WEIGHT: i32 = 1 << 20;

/// A logistic regression: log-odds of one telling = intercept + Σ weight · term, in units of 1/1024.
///
/// A term is a measurement's name, or two names joined by `*` for their product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ModelFile", into = "ModelFile")]
pub struct Model {
    intercept: i32,
    terms: Vec<Term>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Term {
    first: usize,
    second: Option<usize>,
    weight: i32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile {
    intercept: i32,
    terms: BTreeMap<String, i32>,
}

impl TryFrom<ModelFile> for Model {
    type Error = String;

    fn try_from(file: ModelFile) -> std::result::Result<Self, String> {
        let terms: Vec<(String, i32)> = file.terms.into_iter().collect();
        Self::new(file.intercept, &terms)
    }
}

impl From<Model> for ModelFile {
    fn from(model: Model) -> Self {
        let terms = model.terms().map(|(name, weight)| (name, weight)).collect();
        Self { intercept: model.intercept, terms }
    }
}

fn index_of(name: &str) -> std::result::Result<usize, String> {
    MEASUREMENTS
        .iter()
        .position(|m| *m == name)
        .ok_or_else(|| format!("unknown measurement '{name}'; known are {}", MEASUREMENTS.join(", ")))
}

impl Model {
    /// A model from an intercept and terms with their weights, in units of 1/1024.
    ///
    /// # Errors
    /// A sentence naming the term that is not known.
    pub fn new(intercept: i32, terms: &[(String, i32)]) -> std::result::Result<Self, String> {
        let mut parsed = Vec::with_capacity(terms.len());
        for (name, weight) in terms {
            let (first, second) = match name.split_once('*') {
                Some((a, b)) => (index_of(a.trim())?, Some(index_of(b.trim())?)),
                None => (index_of(name)?, None),
            };
            parsed.push(Term { first, second, weight: *weight });
        }
        Ok(Self { intercept, terms: parsed })
    }

    /// The log-odds, in units of 1/1024, of measurements in the order of [`MEASUREMENTS`].
    #[must_use]
    pub fn logit(&self, values: &[i32; MEASUREMENTS.len()]) -> i32 {
        let sum: i64 = self.terms.iter().map(|term| i64::from(term.weight) * i64::from(term.value(values))).sum();
        (i64::from(self.intercept) + sum / i64::from(ONE)).clamp(-20_480, 20_480) as i32
    }

    /// What each term adds to the log-odds, in units of 1/1024, in the order of [`Model::terms`].
    #[must_use]
    pub fn contributions(&self, values: &[i32; MEASUREMENTS.len()]) -> Vec<i32> {
        self.terms
            .iter()
            .map(|term| (i64::from(term.weight) * i64::from(term.value(values)) / i64::from(ONE)) as i32)
            .collect()
    }

    /// The log-odds where all measurements are 0, in units of 1/1024.
    #[must_use]
    pub fn intercept(&self) -> i32 {
        self.intercept
    }

    /// The terms by name, with their weights in units of 1/1024.
    pub fn terms(&self) -> impl Iterator<Item = (String, i32)> + '_ {
        self.terms.iter().map(|term| (term.name(), term.weight))
    }

    pub(super) fn check(&self, profile: &str) -> Result<()> {
        let all = self.terms().chain([("intercept".to_string(), self.intercept)]);
        for (name, weight) in all {
            if !(-MAX_WEIGHT..=MAX_WEIGHT).contains(&weight) {
                return Err(Error::ProfileField {
                    name: profile.to_string(),
                    field: format!("model.terms.{name}"),
                    got: weight.to_string(),
                    expected: format!("{} to {MAX_WEIGHT}", -MAX_WEIGHT),
                });
            }
        }
        if self.terms.is_empty() {
            return Err(Error::ProfileField {
                name: profile.to_string(),
                field: "model.terms".to_string(),
                got: "empty".to_string(),
                expected: "at least one measurement".to_string(),
            });
        }
        Ok(())
    }
}

impl Term {
    fn value(&self, values: &[i32; MEASUREMENTS.len()]) -> i32 {
        match self.second {
            Some(second) => ((i64::from(values[self.first]) * i64::from(values[second])) / i64::from(ONE)) as i32,
            None => values[self.first],
        }
    }

    fn name(&self) -> String {
        match self.second {
            Some(second) => format!("{}*{}", MEASUREMENTS[self.first], MEASUREMENTS[second]),
            None => MEASUREMENTS[self.first].to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_add_up() {
        let terms = [("word_jaccard".to_string(), 2048), ("lcs_both*number_cover".to_string(), 1024)];
        let model = Model::new(-512, &terms).unwrap();
        let mut values = [0; MEASUREMENTS.len()];
        assert_eq!(model.logit(&values), -512);
        values[index_of("word_jaccard").unwrap()] = ONE / 2;
        values[index_of("lcs_both").unwrap()] = ONE / 2;
        values[index_of("number_cover").unwrap()] = ONE / 2;
        assert_eq!(model.logit(&values), -512 + 1024 + 256);
        assert_eq!(model.contributions(&values), [1024, 256]);
    }

    #[test]
    fn unknown_measurements_are_named() {
        let error = Model::new(0, &[("vibes".to_string(), 1)]).unwrap_err();
        assert!(error.starts_with("unknown measurement 'vibes'"));
    }
}
