//! What is said of a pair, whatever the form it is shown in.

use crate::message::{count, counted};
use samestory::engine::Analyzed;
use samestory::fixed::{ONE, logit_q10};
use samestory::profile::Measurement;
use samestory::text::Document;
use samestory::verify::{Differences, Passage, Relation, Verdict, differences, shared_passages};
use samestory::{Article, Engine};

/// Passages and differences shown of each kind.
const NUM_SHOWN: usize = 12;
/// Characters of a passage that are shown: its first and its last.
const PASSAGE_HEAD: usize = 400;
const PASSAGE_TAIL: usize = 100;
/// Log-odds, in units of 1/1024, that round to nothing.
const NEGLIGIBLE: i32 = 52;

/// The verdict on a pair with what it rests on.
pub(super) struct Explanation {
    pub(super) sentence: String,
    pub(super) relation: Relation,
    pub(super) articles: [Side; 2],
    /// Which of the two is the shorter.
    pub(super) shorter: &'static str,
    /// Shares between 0 and 1 by what they measure; none of equal texts.
    pub(super) measured: Vec<(&'static str, f64)>,
    /// Whether there was enough in common to measure all.
    pub(super) is_complete: bool,
    /// Probability of one telling, where it was computed.
    pub(super) probability: Option<f64>,
    /// Probability from which a pair is one story.
    pub(super) threshold: f64,
    pub(super) weighed: Option<Weighed>,
    pub(super) passages: Vec<[String; 2]>,
    pub(super) num_passages: usize,
    /// Figures, names and dates that one side alone has.
    pub(super) differing: Vec<(&'static str, [String; 2])>,
}

/// One of the two articles.
pub(super) struct Side {
    pub(super) label: &'static str,
    pub(super) name: String,
    pub(super) title: Option<String>,
    /// Where it is from, when, how long it is.
    pub(super) about: String,
}

/// What speaks for one story and against it, in log-odds.
pub(super) struct Weighed {
    /// By subject, what speaks for first.
    pub(super) subjects: Vec<(&'static str, f64)>,
    pub(super) sum: f64,
    pub(super) needed: f64,
}

/// The two articles, with what was read from them.
pub(super) struct Pair<'a> {
    pub(super) engine: &'a Engine,
    pub(super) names: [String; 2],
    pub(super) articles: [&'a Article; 2],
    pub(super) documents: [Document<'a>; 2],
    pub(super) analyzed: [Analyzed; 2],
    pub(super) verdict: Verdict,
}

/// Measurements shown: the ones people ask about.
const SHOWN: [Measurement; 10] = [
    Measurement::ShingleJaccard,
    Measurement::CoverShorter,
    Measurement::CoverLonger,
    Measurement::RareCover,
    Measurement::NameCover,
    Measurement::NumberCover,
    Measurement::FactsAgainst,
    Measurement::LcsShorter,
    Measurement::SentenceCover,
    Measurement::LeadBoth,
];
/// Those that are measured also on pairs with little in common.
const SHOWN_FIRST: [Measurement; 4] =
    [Measurement::CoverShorter, Measurement::CoverLonger, Measurement::RareCover, Measurement::NameCover];

impl Pair<'_> {
    pub(super) fn explain(&self) -> Explanation {
        let verdict = &self.verdict;
        let is_complete = verdict.evidence.is_complete;
        // Equal texts need no measurements, and those of very short ones mean nothing.
        let is_measured = verdict.relation != Relation::Exact && !self.is_too_short();
        let shown = match is_measured {
            true if is_complete => &SHOWN[..],
            true => &SHOWN_FIRST,
            false => &[],
        };
        let share = |m: &Measurement| f64::from(verdict.evidence.value(*m)) / f64::from(ONE);
        let (passages, num_passages) = if is_measured { self.passages() } else { (Vec::new(), 0) };
        Explanation {
            sentence: self.sentence(),
            relation: verdict.relation,
            articles: [self.side(0), self.side(1)],
            shorter: LABELS[usize::from(!verdict.evidence.first_is_shorter)],
            measured: shown.iter().map(|m| (m.meaning(), share(m))).collect(),
            is_complete,
            probability: self.probability(),
            threshold: f64::from(self.match_percent()) / 100.0,
            weighed: self.weighed(),
            passages,
            num_passages,
            // Texts with little in common differ in everything.
            differing: if is_measured && is_complete { self.differing() } else { Vec::new() },
        }
    }

    fn is_too_short(&self) -> bool {
        let least = self.engine.profile().sketch().min_content;
        self.analyzed.iter().any(|a| a.record.record().content.len() < least)
    }

    fn match_percent(&self) -> u32 {
        self.engine.profile().verdict().match_percent
    }

    fn side(&self, at: usize) -> Side {
        let (article, document) = (self.articles[at], &self.documents[at]);
        let mut about: Vec<String> = article.source.iter().cloned().collect();
        let time = article.published.and_then(|time| utc(time.0));
        about.extend(time);
        let num_words = document.tokens.len();
        let more = if num_words == self.engine.profile().sketch().max_tokens { "over " } else { "" };
        about.push(format!("{more}{}", counted(num_words as u64, "word")));
        Side { label: LABELS[at], name: self.names[at].clone(), title: article.title.clone(), about: about.join(", ") }
    }

    /// The probability, where the pair was scored: measured in full, long enough, and not by wording alone.
    fn probability(&self) -> Option<f64> {
        let verdict = &self.verdict;
        let is_weighted = self.analyzed.iter().all(|a| a.record.record().terms.is_weighted());
        let is_scored = verdict.evidence.is_complete
            && !matches!(verdict.relation, Relation::Exact | Relation::Undecidable)
            && (is_weighted || verdict.relation.is_match());
        is_scored.then(|| f64::from(verdict.probability_e4) / 10_000.0)
    }

    /// The verdict in one sentence.
    fn sentence(&self) -> String {
        let [a, b] = if self.verdict.is_forward { LABELS } else { [LABELS[1], LABELS[0]] };
        let (verdict, text) = match self.verdict.relation {
            Relation::Exact => return "One story: A and B are the same text.".to_string(),
            Relation::Undecidable => return self.undecidable(),
            Relation::Near => ("One story", format!("{a} is a near copy of {b}")),
            Relation::Update if self.verdict.is_correction => ("One story", format!("{a} is a correction of {b}")),
            Relation::Update => ("One story", format!("{a} is an update of {b}")),
            Relation::Excerpt => ("One story", format!("{a} is an excerpt or brief of {b}")),
            Relation::Rewrite => ("One story", format!("{a} is a rewrite of {b}, the same telling in other words")),
            Relation::Includes => ("Not one story", format!("{a} holds several stories, and {b} is one of them")),
            Relation::Followup => {
                ("Not one story", format!("{a} follows up {b}, with another lead over shared background"))
            }
            Relation::SameEvent => ("Not one story", "A and B are two tellings of one event".to_string()),
            Relation::Template => ("Not one story", "A and B share their wording, but not their facts".to_string()),
            Relation::QuotesOnly => ("Not one story", "A and B share quotes only".to_string()),
            Relation::Unrelated => ("Not one story", "A and B have little in common".to_string()),
        };
        let probability = match self.probability().map(share) {
            Some(p) if self.verdict.relation.is_match() => format!(" (probability {p})"),
            Some(p) => format!(" (probability of one story {p})"),
            None => String::new(),
        };
        format!("{verdict}: {text}{probability}.")
    }

    /// Why nobody can say.
    fn undecidable(&self) -> String {
        let least = self.engine.profile().sketch().min_content;
        let mut reasons = Vec::new();
        for (label, analyzed) in LABELS.iter().zip(&self.analyzed) {
            match analyzed.record.record().content.len() {
                0 => reasons.push(format!("{label} has no text to compare")),
                n if n < least => {
                    reasons.push(format!("{label} is too short, with {} where {least} are needed", content_words(n)));
                }
                _ => {}
            }
        }
        if reasons.is_empty() {
            reasons.push(
                "A and B share words, and without word weights for their language a rewrite cannot be told".into(),
            );
        }
        format!("Undecidable: {}.", reasons.join("; "))
    }

    /// What the verdict's terms add, by subject: a term of two measurements counts half for each, but wholly for what it
    /// weighs by a length. None where another rule than the model judged.
    fn weighed(&self) -> Option<Weighed> {
        let verdict = &self.verdict;
        if self.probability().is_none() || !self.analyzed.iter().all(|a| a.record.record().terms.is_weighted()) {
            return None;
        }
        let model = self.engine.profile().model();
        let needed = logit_q10((self.match_percent() * 100) as u16);
        let logit = verdict.margin + needed;
        let mut sums: Vec<(&'static str, i32)> = Vec::new();
        let mut add = |subject: &'static str, value: i32| match sums.iter_mut().find(|(name, _)| *name == subject) {
            Some((_, sum)) => *sum += value,
            None => sums.push((subject, value)),
        };
        for ((name, _), value) in model.terms().zip(model.contributions(&verdict.evidence.values)) {
            let of = |name: &str| subject_of(Measurement::find(name).expect("a term is made of measurements"));
            match name.split_once('*') {
                Some((first, second)) if of(first) == LENGTHS => add(of(second), value),
                Some((first, second)) => {
                    add(of(first), value / 2);
                    add(of(second), value - value / 2);
                }
                None => add(of(&name), value),
            }
        }
        add("where every pair starts", model.intercept());
        add("hints: a stated correction, days between, one outlet", logit - model.logit(&verdict.evidence.values));
        sums.retain(|(_, sum)| sum.abs() >= NEGLIGIBLE);
        sums.sort_by_key(|(name, sum)| (-sum, *name));
        let odds = |value: i32| f64::from(value) / 1024.0;
        Some(Weighed {
            subjects: sums.into_iter().map(|(name, sum)| (name, odds(sum))).collect(),
            sum: odds(logit),
            needed: odds(needed),
        })
    }

    /// The longest shared passages in order of the first text, and how many there are in all.
    fn passages(&self) -> (Vec<[String; 2]>, usize) {
        let [first, second] = &self.documents;
        let all = shared_passages(first, second);
        let mut longest: Vec<&Passage> = all.iter().collect();
        longest.sort_by_key(|p| (std::cmp::Reverse(p.num_content), p.first.start));
        longest.truncate(NUM_SHOWN);
        longest.sort_by_key(|p| p.first.start);
        let shown = |p: &Passage| [shorten(&first.text[p.first.clone()]), shorten(&second.text[p.second.clone()])];
        (longest.into_iter().map(shown).collect(), all.len())
    }

    fn differing(&self) -> Vec<(&'static str, [String; 2])> {
        let [first, second] = &self.documents;
        let Differences { first_figures, second_figures, first_names, second_names, first_dates, second_dates } =
            differences(first, second);
        [
            ("figures", [first_figures, second_figures]),
            ("names", [first_names, second_names]),
            ("dates", [first_dates, second_dates]),
        ]
        .into_iter()
        .filter(|(_, [a, b])| !(a.is_empty() && b.is_empty()))
        .map(|(what, lists)| (what, lists.map(|list| listed(&list))))
        .collect()
    }
}

/// What the two are called in what is said of them.
const LABELS: [&str; 2] = ["A", "B"];

/// A share as it is written for people.
pub(super) fn share(value: f64) -> String {
    match value {
        v if v >= 1.0 => "1".to_string(),
        v if v >= 0.995 => "over .99".to_string(),
        v if v > 0.0 && v < 0.005 => "under .01".to_string(),
        v => format!("{v:.2}").trim_start_matches('0').to_string(),
    }
}

fn content_words(number: usize) -> String {
    format!("{} of content", counted(number as u64, "word"))
}

/// A moment in UTC, to the minute.
fn utc(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// The subject of how long the texts are.
const LENGTHS: &str = "lengths";

/// What a measurement is about. Those of words and their order are one subject: they say nearly the same, so that the
/// fit gives some of them too much and takes it back with others.
fn subject_of(measurement: Measurement) -> &'static str {
    use Measurement as M;
    match measurement {
        M::ToldAnew => "one outlet that tells it anew",
        M::NumberCover | M::NumberJaccard | M::FactsAgainst => "figures",
        M::NameCover | M::NameJaccard => "names",
        M::LenRatio | M::LenShorter => LENGTHS,
        M::TimeApart => "time between",
        _ => "words and their order",
    }
}

/// A passage on one line, its middle left out where it is long.
fn shorten(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let num_chars = text.chars().count();
    let Some(left_out) = num_chars.checked_sub(PASSAGE_HEAD + PASSAGE_TAIL + 1) else {
        return text;
    };
    let head: String = text.chars().take(PASSAGE_HEAD).collect();
    let tail: String = text.chars().skip(num_chars - PASSAGE_TAIL).collect();
    format!("{head} [… {} characters …] {tail}", count(left_out as u64 + 1))
}

fn listed(list: &[String]) -> String {
    let shown: Vec<&str> = list.iter().take(NUM_SHOWN).map(String::as_str).collect();
    let rest = list.len().saturating_sub(NUM_SHOWN);
    let more = if rest > 0 { format!(" and {} more", count(rest as u64)) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_never_rounded_to_certainty() {
        let shares = [0.0, 0.001, 0.125, 0.6, 0.9949, 0.9999, 1.0].map(share);
        assert_eq!(shares, [".00", "under .01", ".12", ".60", ".99", "over .99", "1"]);
    }

    #[test]
    fn long_passages_lose_their_middle() {
        assert_eq!(shorten("a \n b"), "a b");
        let long = shorten(&"é".repeat(1000));
        assert_eq!(long, format!("{} [… 500 characters …] {}", "é".repeat(400), "é".repeat(100)));
        assert_eq!(shorten(&"é".repeat(500)).chars().count(), 500);
    }
}
