//! A profile: every parameter that shapes a sketch or a verdict, with the ids that bind files to it.
//!
//! The *sketch id* covers text rules, shingles, keys, weights and capacity: signatures and indexes under different
//! sketch ids never compare. The *verdict id* covers the verifier and its thresholds, which may be calibrated anew
//! over the same sketches.

mod model;
mod weights;

pub use model::{Measurement, Model, NUM_MEASUREMENTS};
pub use weights::{IDF_ONE, RARE_IDF, Weights};

use crate::error::{Error, Result};
use crate::fixed::ln_q16;
use crate::hash::hash128;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The version of the profile's file format.
pub const PROFILE_FORMAT: u32 = 1;
/// The version of the rules in code that a sketch depends on: text, hashes, keys. A change of any is a new number.
const SKETCH_RULES: u32 = 4;
/// The profile that ships.
const BUILTIN: &str = include_str!("builtin/news.toml");

/// The parameters of an article's sketch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SketchParams {
    /// Seed of signatures, fingerprints and keys: one's own keeps others from making articles that meet by design.
    pub seed: u64,
    /// Tokens a shingle, 1 to 32.
    pub shingle_len: usize,
    /// Slots of a MinHash signature, 16 to 1024.
    pub num_slots: usize,
    /// Shingle Jaccard, in percent, at which bands must find `band_recall_percent` of the pairs.
    pub band_similarity_percent: u32,
    /// Recall, in percent, wanted of the bands at that similarity.
    pub band_recall_percent: u32,
    /// Articles the keys are made for. Never the size of the feed at hand: keys would move as it grows.
    pub capacity: u64,
    /// Trees of skew-adaptive keys an article, 8 to 512.
    pub num_trees: usize,
    /// Content tokens after which a token's weight has fallen to 1/e.
    pub lead_decay: u32,
    /// Content tokens a passage key covers, 2 to 16.
    pub passage_len: usize,
    /// Passages of which one is kept, 2 to 64.
    pub passage_window: usize,
    /// Articles a bucket may hold before it is refined, at least 2.
    pub bucket_cap: usize,
    /// Tokens of an article that are looked at.
    pub max_tokens: usize,
    /// Content tokens below which an article is undecidable.
    pub min_content: usize,
}

/// The parameters of a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictParams {
    /// Shingle Jaccard, in percent, from which a match is `near`.
    pub near_percent: u32,
    /// Share of the shorter's shingles, in percent, that stand in the longer, from which a match is a verbatim excerpt.
    pub excerpt_percent: u32,
    /// Length of an excerpt over that of its source, in percent, at most.
    pub excerpt_len_percent: u32,
    /// Probability of one telling, in percent, from which a pair is a match.
    pub match_percent: u32,
}

/// The file's shape.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    format: u32,
    name: String,
    #[serde(default)]
    made_by: String,
    /// Terms of the model: tells a file that is cut from one that has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    num_terms: Option<usize>,
    sketch: SketchParams,
    verdict: VerdictParams,
    model: Model,
}

/// Every parameter that shapes a sketch or a verdict, checked.
#[derive(Clone, Debug)]
pub struct Profile {
    name: String,
    made_by: String,
    sketch: SketchParams,
    verdict: VerdictParams,
    model: Model,
    weights: Arc<Weights>,
}

impl Default for Profile {
    fn default() -> Self {
        Self::from_toml("news", BUILTIN).expect("the profile in the source tree is valid: a test reads it")
    }
}

impl Profile {
    /// Reads a profile; the weights are the English table that ships.
    ///
    /// # Errors
    /// [`Error::ProfileSyntax`] for text that is no profile, [`Error::ProfileField`] for a value out of range and for
    /// terms that are missing.
    pub fn from_toml(name: &str, text: &str) -> Result<Self> {
        let file: ProfileFile = toml::from_str(text)
            .map_err(|source| Error::ProfileSyntax { name: name.to_string(), source: Box::new(source) })?;
        let profile = Self {
            name: file.name,
            made_by: file.made_by,
            sketch: file.sketch,
            verdict: file.verdict,
            model: file.model,
            weights: Weights::english(),
        };
        if file.format != PROFILE_FORMAT {
            return Err(field_error(name, "format", file.format, &format!("{PROFILE_FORMAT}")));
        }
        if let Some(expected) = file.num_terms {
            let got = profile.model.terms().count();
            if got != expected {
                let expected = format!("the {expected} of num_terms: the file is cut or terms are missing");
                return Err(field_error(name, "the number of terms", got, &expected));
            }
            // The last weight may have lost digits.
            if !text.ends_with('\n') {
                return Err(field_error(name, "the last line", "without an end", "one: the file is cut"));
            }
        }
        profile.check(name)?;
        Ok(profile)
    }

    /// The profile as a file's text; [`Profile::from_toml`] reads it back.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let file = ProfileFile {
            format: PROFILE_FORMAT,
            name: self.name.clone(),
            made_by: self.made_by.clone(),
            num_terms: Some(self.model.terms().count()),
            sketch: self.sketch.clone(),
            verdict: self.verdict.clone(),
            model: self.model.clone(),
        };
        toml::to_string(&file).expect("a profile has no value that TOML cannot hold")
    }

    fn check(&self, name: &str) -> Result<()> {
        let s = &self.sketch;
        let v = &self.verdict;
        let ranges: [(&str, u64, u64, u64); 16] = [
            ("sketch.shingle_len", s.shingle_len as u64, 1, 32),
            ("sketch.num_slots", s.num_slots as u64, 16, 1024),
            ("sketch.band_similarity_percent", u64::from(s.band_similarity_percent), 1, 99),
            ("sketch.band_recall_percent", u64::from(s.band_recall_percent), 1, 99),
            ("sketch.capacity", s.capacity, 1000, 1_000_000_000_000),
            ("sketch.num_trees", s.num_trees as u64, 8, 512),
            ("sketch.lead_decay", u64::from(s.lead_decay), 10, 10_000),
            ("sketch.passage_len", s.passage_len as u64, 2, 16),
            ("sketch.passage_window", s.passage_window as u64, 2, 64),
            ("sketch.bucket_cap", s.bucket_cap as u64, 2, 10_000),
            ("sketch.max_tokens", s.max_tokens as u64, 100, 65_000),
            ("sketch.min_content", s.min_content as u64, 1, 100),
            ("verdict.near_percent", u64::from(v.near_percent), 1, 100),
            ("verdict.excerpt_percent", u64::from(v.excerpt_percent), 1, 100),
            ("verdict.excerpt_len_percent", u64::from(v.excerpt_len_percent), 1, 100),
            ("verdict.match_percent", u64::from(v.match_percent), 1, 99),
        ];
        for (field, got, low, high) in ranges {
            if !(low..=high).contains(&got) {
                return Err(field_error(name, field, got, &format!("{low} to {high}")));
            }
        }
        self.model.check(name)
    }

    /// The same profile with another table of weights: another sketch id.
    #[must_use]
    pub fn with_weights(mut self, weights: Weights) -> Self {
        self.weights = Arc::new(weights);
        self
    }

    /// The same profile with another verifier: another verdict id.
    ///
    /// # Errors
    /// [`Error::ProfileField`] when the model lacks a measurement or names one that does not exist.
    pub fn with_model(mut self, model: Model, made_by: &str) -> Result<Self> {
        model.check(&self.name)?;
        self.model = model;
        self.made_by = made_by.to_string();
        Ok(self)
    }

    /// The same profile with other parameters of a verdict: another verdict id.
    ///
    /// # Errors
    /// [`Error::ProfileField`] for a value out of range.
    pub fn with_verdict(mut self, verdict: VerdictParams) -> Result<Self> {
        self.verdict = verdict;
        self.check(&self.name.clone())?;
        Ok(self)
    }

    /// The same profile with other sketch parameters: another sketch id.
    ///
    /// # Errors
    /// [`Error::ProfileField`] for a value out of range.
    pub fn with_sketch(mut self, sketch: SketchParams) -> Result<Self> {
        self.sketch = sketch;
        self.check(&self.name.clone())?;
        Ok(self)
    }

    /// The profile's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The parameters of a sketch.
    #[must_use]
    pub fn sketch(&self) -> &SketchParams {
        &self.sketch
    }

    /// The parameters of a verdict.
    #[must_use]
    pub fn verdict(&self) -> &VerdictParams {
        &self.verdict
    }

    /// The verifier's weights.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The table of document frequencies.
    #[must_use]
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Hash of everything a sketch depends on, as 16 hexadecimal digits.
    #[must_use]
    pub fn sketch_id(&self) -> String {
        let canonical = format!(
            "rules {SKETCH_RULES}\nweights {} {:016x}\n{}",
            self.weights.language(),
            self.weights.checksum(),
            toml::to_string(&self.sketch).expect("integers only")
        );
        short_hex(&canonical)
    }

    /// Hash of everything a verdict depends on besides the sketch, as 16 hexadecimal digits.
    #[must_use]
    pub fn verdict_id(&self) -> String {
        let canonical = format!(
            "{}\n{}",
            toml::to_string(&self.verdict).expect("integers only"),
            toml::to_string(&self.model).expect("integers and names only")
        );
        short_hex(&canonical)
    }

    /// The sum of idf, in sixteenths of a nat, at which a key's prefix ends: τ.
    ///
    /// 1.2 · ln(capacity) − 5, which gives 11.6 at 10⁶ articles, 14.3 at 10⁷, 17.1 at 10⁸ and 19.9 at 10⁹
    /// (`docs/method.md`).
    #[must_use]
    pub(crate) fn key_weight(&self) -> u32 {
        let ln = u64::from(ln_q16(self.sketch.capacity)); // 16 fractional bits
        ((ln * 12 / 10).saturating_sub(5 << 16) >> 12) as u32
    }
}

fn field_error(name: &str, field: &str, got: impl ToString, expected: &str) -> Error {
    Error::ProfileField {
        name: name.to_string(),
        field: field.to_string(),
        got: got.to_string(),
        expected: expected.to_string(),
    }
}

fn short_hex(canonical: &str) -> String {
    format!("{:016x}", hash128(canonical.as_bytes()) >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_that_ships_is_valid() {
        let profile = Profile::default();
        assert_eq!(profile.name(), "news");
        assert_eq!(Profile::from_toml("again", &profile.to_toml()).unwrap().verdict_id(), profile.verdict_id());
    }

    #[test]
    fn key_weight_follows_capacity() {
        let at = |capacity| {
            let sketch = SketchParams { capacity, ..Profile::default().sketch().clone() };
            let profile = Profile::default().with_sketch(sketch).unwrap();
            (profile.key_weight() + 8) / 16
        };
        assert_eq!([at(1_000_000), at(10_000_000), at(100_000_000), at(1_000_000_000)], [12, 14, 17, 20]);
    }

    #[test]
    fn ids_follow_what_they_cover() {
        let profile = Profile::default();
        let other = profile.clone().with_sketch(SketchParams { seed: 99, ..profile.sketch().clone() }).unwrap();
        assert_ne!(other.sketch_id(), profile.sketch_id());
        assert_eq!(other.verdict_id(), profile.verdict_id());
        let verdict = |match_percent| VerdictParams { match_percent, ..profile.verdict().clone() };
        let other = profile.clone().with_verdict(verdict(98)).unwrap();
        assert_ne!(other.verdict_id(), profile.verdict_id());
        assert_eq!(other.sketch_id(), profile.sketch_id());
        let error = profile.clone().with_verdict(verdict(100)).unwrap_err().to_string();
        assert_eq!(error, "profile news: verdict.match_percent is 100, expected 1 to 99");
    }

    #[test]
    fn a_profile_that_is_cut_is_refused_wherever_it_is() {
        let text = Profile::default().to_toml();
        assert!(Profile::from_toml("x.toml", &text).is_ok());
        for cut in 0..text.len() {
            assert!(Profile::from_toml("x.toml", &text[..cut]).is_err(), "cut at {cut}: {}", &text[..cut]);
        }
        // A model of one's own may have any number of terms, and say so or not.
        let (head, line) = text.trim_end().rsplit_once('\n').unwrap();
        let error = Profile::from_toml("x.toml", &format!("{head}\n")).unwrap_err().to_string();
        let number = text.lines().find_map(|line| line.strip_prefix("num_terms = ")).unwrap();
        let fewer: usize = number.parse::<usize>().unwrap() - 1;
        let expected = format!("expected the {number} of num_terms: the file is cut or terms are missing");
        assert_eq!(error, format!("profile x.toml: the number of terms is {fewer}, {expected}"), "without {line}");
        let own = head.replace(&format!("num_terms = {number}\n"), "");
        assert!(Profile::from_toml("x.toml", &own).is_ok());
        assert!(
            Profile::from_toml("x.toml", &head.replace(&format!("= {number}\n"), &format!("= {fewer}\n"))).is_err()
        );
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let text = BUILTIN.replace("num_trees = 32", "num_trees = 0");
        let error = Profile::from_toml("x.toml", &text).unwrap_err().to_string();
        assert_eq!(error, "profile x.toml: sketch.num_trees is 0, expected 8 to 512");
        assert!(Profile::from_toml("x.toml", "format = 1").is_err());
        assert!(Profile::from_toml("x.toml", &BUILTIN.replace("format = 1", "format = 7")).is_err());
    }
}
