//! The verifier's weights: a logistic regression over named measurements, in integers.

use crate::error::{Error, Result};
use crate::fixed::ONE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The measurements a verdict rests on: the index of each in [`crate::verify::Evidence::values`].
///
/// All lie between 0 and 1 (4096 in fixed point). *Shorter* and *longer* are the two articles by content tokens. What
/// each one measures stands with the function that computes it, in `verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Measurement {
    /// Five-word runs in both, of all.
    ShingleJaccard,
    /// The shorter's five-word runs in the longer.
    ShingleContainment,
    /// Weight of words in both, of all.
    WordJaccard,
    /// Likeness of rare words.
    WordCosine,
    /// Weight of the shorter's words in the longer.
    CoverShorter,
    /// Weight of the longer's words in the shorter.
    CoverLonger,
    /// Ordinary words of the shorter in the longer.
    CommonCover,
    /// Rare words of the shorter in the longer.
    RareCover,
    /// Rare words in both, of all.
    RareJaccard,
    /// Figures of the shorter in the longer.
    NumberCover,
    /// Figures in both, of all.
    NumberJaccard,
    /// Names of the shorter in the longer.
    NameCover,
    /// Names in both, of all.
    NameJaccard,
    /// Words in the same order, of the shorter.
    LcsShorter,
    /// Words in the same order, of both.
    LcsBoth,
    /// The shorter's sentences found in one of the longer's.
    SentenceCover,
    /// Those sentences in the same order.
    SentenceOrder,
    /// The shorter's word pairs in the longer.
    BigramCover,
    /// The shorter's nearby words nearby in the longer.
    NearbyShorter,
    /// The longer's nearby words nearby in the shorter.
    NearbyLonger,
    /// The shorter's lead told in the longer.
    LeadShorter,
    /// The longer's lead told in the shorter.
    LeadLonger,
    /// Each lead told in the other's lead.
    LeadBoth,
    /// Each first sentence told in one sentence.
    LeadSentence,
    /// The shorter's last third in the longer.
    TailShorter,
    /// The longer's last third in the shorter.
    TailLonger,
    /// Quoted words of the shorter quoted in the longer.
    QuoteCover,
    /// Other words of the shorter in the longer.
    UnquotedCover,
    /// Headline words in both.
    TitleCover,
    /// Length of the shorter, of the longer.
    LenRatio,
    /// Length of the shorter (logarithm).
    LenShorter,
    /// Time apart (logarithm).
    TimeApart,
    /// Figures changed in sentences that are otherwise alike.
    FactsAgainst,
    /// Of one outlet: the shorter's five-word runs that are not in the longer.
    ToldAnew,
}

/// How many measurements there are.
pub const NUM_MEASUREMENTS: usize = Measurement::ALL.len();

impl Measurement {
    /// All, in order of their index.
    pub const ALL: [Self; 34] = [
        Self::ShingleJaccard,
        Self::ShingleContainment,
        Self::WordJaccard,
        Self::WordCosine,
        Self::CoverShorter,
        Self::CoverLonger,
        Self::CommonCover,
        Self::RareCover,
        Self::RareJaccard,
        Self::NumberCover,
        Self::NumberJaccard,
        Self::NameCover,
        Self::NameJaccard,
        Self::LcsShorter,
        Self::LcsBoth,
        Self::SentenceCover,
        Self::SentenceOrder,
        Self::BigramCover,
        Self::NearbyShorter,
        Self::NearbyLonger,
        Self::LeadShorter,
        Self::LeadLonger,
        Self::LeadBoth,
        Self::LeadSentence,
        Self::TailShorter,
        Self::TailLonger,
        Self::QuoteCover,
        Self::UnquotedCover,
        Self::TitleCover,
        Self::LenRatio,
        Self::LenShorter,
        Self::TimeApart,
        Self::FactsAgainst,
        Self::ToldAnew,
    ];

    /// The name in profiles and outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShingleJaccard => "shingle_jaccard",
            Self::ShingleContainment => "shingle_containment",
            Self::WordJaccard => "word_jaccard",
            Self::WordCosine => "word_cosine",
            Self::CoverShorter => "cover_shorter",
            Self::CoverLonger => "cover_longer",
            Self::CommonCover => "common_cover",
            Self::RareCover => "rare_cover",
            Self::RareJaccard => "rare_jaccard",
            Self::NumberCover => "number_cover",
            Self::NumberJaccard => "number_jaccard",
            Self::NameCover => "name_cover",
            Self::NameJaccard => "name_jaccard",
            Self::LcsShorter => "lcs_shorter",
            Self::LcsBoth => "lcs_both",
            Self::SentenceCover => "sentence_cover",
            Self::SentenceOrder => "sentence_order",
            Self::BigramCover => "bigram_cover",
            Self::NearbyShorter => "nearby_shorter",
            Self::NearbyLonger => "nearby_longer",
            Self::LeadShorter => "lead_shorter",
            Self::LeadLonger => "lead_longer",
            Self::LeadBoth => "lead_both",
            Self::LeadSentence => "lead_sentence",
            Self::TailShorter => "tail_shorter",
            Self::TailLonger => "tail_longer",
            Self::QuoteCover => "quote_cover",
            Self::UnquotedCover => "unquoted_cover",
            Self::TitleCover => "title_cover",
            Self::LenRatio => "len_ratio",
            Self::LenShorter => "len_shorter",
            Self::TimeApart => "time_apart",
            Self::FactsAgainst => "facts_against",
            Self::ToldAnew => "told_anew",
        }
    }

    /// What it says, for people.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ShingleJaccard => "five-word runs in both, of all",
            Self::ShingleContainment => "the shorter's five-word runs in the longer",
            Self::WordJaccard => "weight of words in both, of all",
            Self::WordCosine => "likeness of rare words",
            Self::CoverShorter => "weight of the shorter's words in the longer",
            Self::CoverLonger => "weight of the longer's words in the shorter",
            Self::CommonCover => "ordinary words of the shorter in the longer",
            Self::RareCover => "rare words of the shorter in the longer",
            Self::RareJaccard => "rare words in both, of all",
            Self::NumberCover => "figures of the shorter in the longer",
            Self::NumberJaccard => "figures in both, of all",
            Self::NameCover => "names of the shorter in the longer",
            Self::NameJaccard => "names in both, of all",
            Self::LcsShorter => "words in the same order, of the shorter",
            Self::LcsBoth => "words in the same order, of both",
            Self::SentenceCover => "the shorter's sentences found in one of the longer's",
            Self::SentenceOrder => "those sentences in the same order",
            Self::BigramCover => "the shorter's word pairs in the longer",
            Self::NearbyShorter => "the shorter's nearby words nearby in the longer",
            Self::NearbyLonger => "the longer's nearby words nearby in the shorter",
            Self::LeadShorter => "the shorter's lead told in the longer",
            Self::LeadLonger => "the longer's lead told in the shorter",
            Self::LeadBoth => "each lead told in the other's lead",
            Self::LeadSentence => "each first sentence told in one sentence",
            Self::TailShorter => "the shorter's last third in the longer",
            Self::TailLonger => "the longer's last third in the shorter",
            Self::QuoteCover => "quoted words of the shorter quoted in the longer",
            Self::UnquotedCover => "other words of the shorter in the longer",
            Self::TitleCover => "headline words in both",
            Self::LenRatio => "length of the shorter, of the longer",
            Self::LenShorter => "length of the shorter (logarithm)",
            Self::TimeApart => "time apart (logarithm)",
            Self::FactsAgainst => "figures changed in sentences that are otherwise alike",
            Self::ToldAnew => "of one outlet: the shorter's five-word runs not in the longer",
        }
    }

    /// The measurement of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }
}

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
        let terms = model.terms().collect();
        Self { intercept: model.intercept, terms }
    }
}

fn index_of(name: &str) -> std::result::Result<usize, String> {
    Measurement::find(name).map(|m| m as usize).ok_or_else(|| {
        let known: Vec<&str> = Measurement::ALL.iter().map(|m| m.name()).collect();
        format!("unknown measurement '{name}'; known are {}", known.join(", "))
    })
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

    /// The log-odds, in units of 1/1024, of measurements in the order of [`Measurement::ALL`].
    #[must_use]
    pub fn logit(&self, values: &[i32; NUM_MEASUREMENTS]) -> i32 {
        let sum: i64 = self.terms.iter().map(|term| i64::from(term.weight) * i64::from(term.value(values))).sum();
        (i64::from(self.intercept) + sum / i64::from(ONE)).clamp(-20_480, 20_480) as i32
    }

    /// What each term adds to the log-odds, in units of 1/1024, in the order of [`Model::terms`].
    #[must_use]
    pub fn contributions(&self, values: &[i32; NUM_MEASUREMENTS]) -> Vec<i32> {
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
    fn value(&self, values: &[i32; NUM_MEASUREMENTS]) -> i32 {
        match self.second {
            Some(second) => ((i64::from(values[self.first]) * i64::from(values[second])) / i64::from(ONE)) as i32,
            None => values[self.first],
        }
    }

    fn name(&self) -> String {
        match self.second {
            Some(second) => format!("{}*{}", Measurement::ALL[self.first].name(), Measurement::ALL[second].name()),
            None => Measurement::ALL[self.first].name().to_string(),
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
        let mut values = [0; NUM_MEASUREMENTS];
        assert_eq!(model.logit(&values), -512);
        values[Measurement::WordJaccard as usize] = ONE / 2;
        values[Measurement::LcsBoth as usize] = ONE / 2;
        values[Measurement::NumberCover as usize] = ONE / 2;
        assert_eq!(model.logit(&values), -512 + 1024 + 256);
        assert_eq!(model.contributions(&values), [1024, 256]);
    }

    #[test]
    fn unknown_measurements_are_named() {
        let error = Model::new(0, &[("vibes".to_string(), 1)]).unwrap_err();
        assert!(error.starts_with("unknown measurement 'vibes'"));
    }
}
