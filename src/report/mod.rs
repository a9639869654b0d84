//! The report: one self-contained HTML page in which people look at a run.
//!
//! All text of the feed is escaped, the page's policy forbids the network and any script but its own, and what a large
//! run shows is sampled by a rule that the page states. The same clustering gives the same page, but for the times of
//! the run.

mod escape;
mod pair;
mod sample;
mod size;
mod source;
mod story;
mod text;

use crate::article::Timestamp;
use crate::engine::{Clustering, Stats};
use crate::output::with_thousands as count;
use crate::reject::Reject;
use crate::verify::Relation;
use escape::{json, script_hash};
use minijinja::Environment;
use minijinja::value::Serde;
use sample::Sample;
use serde::Serialize;
use story::Stories;
use text::Texts;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Bytes of what the page knows of pairs beside their texts.
const MAX_KNOWN_LEN: usize = 3_000_000;
/// Rejected records that the page names; the rest are counted.
pub const MAX_REJECTS: usize = 200;

/// Whether the page holds the text of articles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportText {
    /// As far as there is room, by the stated rule.
    #[default]
    Full,
    /// No: headlines, and the figures, names and dates that differ.
    None,
}

/// What the page says of a run beside its answer.
#[derive(Clone, Debug, Default)]
pub struct Run<'a> {
    /// The inputs, as named by who ran it.
    pub inputs: Vec<String>,
    /// What was asked for, by name.
    pub settings: Vec<(&'static str, String)>,
    /// When it ran.
    pub made: Option<Timestamp>,
    /// Records that could not be read, in the order in which they are to be named: the first [`MAX_REJECTS`] suffice.
    pub rejects: &'a [Reject],
    /// How many there were.
    pub num_rejects: u64,
    /// Whether the page holds the text of articles.
    pub text: ReportText,
}

/// Writes the page of a run. Articles have texts and headlines where the engine held them.
///
/// The page of a news feed stays under 15 MB, however large; its cost is that of reading the texts that it shows. No
/// article and no cluster is a page, too.
#[must_use]
pub fn to_html(clustering: &Clustering, run: &Run<'_>) -> String {
    let sample = Sample::new(clustering);
    let mut texts = Texts::new(clustering, run.text);
    let choices = pair::choose(clustering);
    texts.make_room(choices.iter().flat_map(pair::Choice::articles), text::PAIR_TEXTS_LEN);
    texts.make_room(sample.articles(), text::TEXTS_LEN);
    let stories = Stories::new(clustering, &sample, &texts);
    let (sections, known, others) = pair::sections(clustering, &choices, &sample, &texts, &stories.known);
    let known = join_known(known.iter().chain(&stories.known));
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        style: STYLE,
        script: SCRIPT,
        script_hash: script_hash(SCRIPT),
        verdict: verdict(&clustering.stats),
        breakdown: breakdown(clustering),
        apart: apart(clustering),
        has_texts: run.text == ReportText::Full,
        run: Facts::new(clustering, run),
        sizes: size::histogram(clustering),
        sources: source::Sources::new(clustering),
        stories,
        sampling: sample.rule(),
        text_rule: texts.rule(),
        sections,
        others,
        rejects: run
            .rejects
            .iter()
            .take(MAX_REJECTS)
            .map(|r| [r.place(), r.reason.clone()].map(|t| text::cut(&t, 300)))
            .collect(),
        num_rejects: run.num_rejects,
        known,
    };
    let mut environment = Environment::new();
    environment.add_filter("count", count);
    environment.add_filter("times", times);
    environment.add_template("page.html", PAGE).expect("the page's template is checked by tests");
    let template = environment.get_template("page.html").expect("added above");
    template.render(Serde(&page)).expect("the page's template is checked by tests")
}

/// What is known of pairs as one list of JSON, as far as there is room. Without it the page aligns a pair by itself.
fn join_known<'a>(known: impl Iterator<Item = &'a pair::Known>) -> String {
    let mut list = String::from("[");
    for pair in known.map(json) {
        if list.len() + pair.len() > MAX_KNOWN_LEN {
            break;
        }
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&pair);
    }
    list + "]"
}

/// What the template is given.
#[derive(Serialize)]
struct Page<'a> {
    version: &'static str,
    style: &'static str,
    script: &'static str,
    script_hash: String,
    verdict: String,
    breakdown: Vec<Part>,
    apart: Vec<(&'static str, &'static str, u64)>,
    has_texts: bool,
    run: Facts<'a>,
    sizes: Vec<size::SizeRow>,
    sources: source::Sources,
    stories: Stories,
    sampling: Option<String>,
    text_rule: Option<String>,
    sections: Vec<pair::Section>,
    others: Vec<pair::Other>,
    rejects: Vec<[String; 2]>,
    num_rejects: u64,
    /// JSON, escaped for a script element.
    known: String,
}

/// What ran.
#[derive(Serialize)]
struct Facts<'a> {
    inputs: &'a [String],
    settings: &'a [(&'static str, String)],
    made: Option<String>,
    sketch_id: String,
    verdict_id: String,
    threshold: String,
    num_candidates: u64,
    num_matches: u64,
    num_links: u64,
    num_exact_copies: u64,
    num_undecidable: u64,
    num_repeated_lines: u64,
    num_older_versions: u64,
    languages: &'a [(Box<str>, u64)],
    seconds: String,
}

impl<'a> Facts<'a> {
    fn new(clustering: &'a Clustering, run: &'a Run<'_>) -> Self {
        let stats = &clustering.stats;
        let (sketch_id, verdict_id) = clustering.profile_ids();
        Self {
            inputs: &run.inputs,
            settings: &run.settings,
            made: run.made.and_then(text::moment),
            sketch_id,
            verdict_id,
            threshold: score(clustering.profile().verdict().match_percent as u16 * 100),
            num_candidates: stats.num_candidates,
            num_matches: stats.num_matches,
            num_links: stats.num_links,
            num_exact_copies: stats.num_exact_copies,
            num_undecidable: stats.num_undecidable,
            num_repeated_lines: stats.num_repeated_lines,
            num_older_versions: stats.num_older_versions,
            languages: &stats.unweighted_languages,
            seconds: format!("{:.2}", stats.total_seconds),
        }
    }
}

/// The run in one sentence.
fn verdict(stats: &Stats) -> String {
    let tell = match stats.num_articles {
        0 => return "No article was read.".to_string(),
        1 => "1 article tells".to_string(),
        n => format!("{} articles tell", count(n)),
    };
    let stories = times(stats.num_clusters, "story");
    let repeat = match stats.num_repeats {
        0 => "none repeats another".to_string(),
        1 => "1 repeats another".to_string(),
        n => format!("{} repeat one", count(n)),
    };
    format!("{tell} {stories}; {repeat}.")
}

/// A part of all articles.
#[derive(Serialize)]
struct Part {
    name: &'static str,
    label: &'static str,
    meaning: &'static str,
    number: u64,
    /// Where it begins and how wide it is in a bar of all articles, in parts of 10,000.
    from_e4: u64,
    width_e4: u64,
}

/// All articles by what they are; the numbers add up.
fn breakdown(clustering: &Clustering) -> Vec<Part> {
    let members = &clustering.members;
    let stands =
        |alone: bool| members.iter().filter(|m| m.article == m.representative && (m.size == 1) == alone).count() as u64;
    let number_of = |relation| members.iter().filter(|m| m.size > 1 && m.relation == Some(relation)).count() as u64;
    let parts = [
        ("once", "told once", "stories that no other article tells", stands(true)),
        ("stands", "representatives", "each stands for a story that others repeat", stands(false)),
        ("exact", "exact copies", "the same text", number_of(Relation::Exact)),
        ("near", "near copies", "the same telling, lightly edited", number_of(Relation::Near)),
        ("update", "updates", "the same telling with facts added or corrected", number_of(Relation::Update)),
        ("excerpt", "excerpts", "told in full by a longer article", number_of(Relation::Excerpt)),
        ("rewrite", "rewrites", "the same telling in other words", number_of(Relation::Rewrite)),
    ];
    let total = (members.len() as u64).max(1);
    let mut from = 0;
    parts
        .into_iter()
        .map(|(name, label, meaning, number)| {
            let part = Part {
                name,
                label,
                meaning,
                number,
                from_e4: from * 10_000 / total,
                width_e4: (from + number) * 10_000 / total - from * 10_000 / total,
            };
            from += number;
            part
        })
        .collect()
}

/// Pairs kept apart, by relation, with what they are called.
fn apart(clustering: &Clustering) -> Vec<(&'static str, &'static str, u64)> {
    [
        (Relation::Template, "share a template"),
        (Relation::Followup, "follow up"),
        (Relation::SameEvent, "tell of one event apart"),
        (Relation::Includes, "are a roundup and a story in it"),
    ]
    .into_iter()
    .map(|(relation, label)| {
        let number = clustering.links.iter().filter(|pair| pair.relation() == relation).count() as u64;
        (relation.name(), label, number)
    })
    .filter(|(_, _, number)| *number > 0)
    .collect()
}

/// A relation in a reader's words.
fn label(relation: Relation, is_correction: bool) -> &'static str {
    match relation {
        Relation::Exact => "exact copy",
        Relation::Near => "near copy",
        Relation::Update if is_correction => "correction",
        Relation::Update => "update",
        Relation::Excerpt => "excerpt",
        Relation::Rewrite => "rewrite",
        Relation::Includes => "roundup",
        Relation::Followup => "follow-up",
        Relation::SameEvent => "same event",
        Relation::Template => "same template",
        Relation::QuotesOnly => "shared quotes",
        Relation::Undecidable => "undecidable",
        Relation::Unrelated => "nothing shared",
    }
}

/// What one article is to another, for a sentence: the first is … the second.
fn phrase(relation: Relation, is_correction: bool) -> &'static str {
    match relation {
        Relation::Exact => "an exact copy of",
        Relation::Near => "a near copy of",
        Relation::Update if is_correction => "a correction of",
        Relation::Update => "an update of",
        Relation::Excerpt => "an excerpt or brief of",
        Relation::Rewrite => "a rewrite of",
        Relation::Includes => "a roundup that includes",
        Relation::Followup => "a follow-up to",
        Relation::SameEvent => "another report of the same event as",
        Relation::Template => "from the same template as",
        Relation::QuotesOnly => "a text that shares only quotes with",
        Relation::Undecidable => "too short to compare with",
        Relation::Unrelated => "another story than",
    }
}

/// A probability with two decimals, rounded down: none under the threshold reads as if it reached it.
fn score(probability_e4: u16) -> String {
    format!("{}.{:02}", probability_e4 / 10_000, probability_e4 % 10_000 / 100)
}

/// `1 article`, `1,200 stories`, `3 pairs of stories`.
fn times(number: u64, noun: &str) -> String {
    if number == 1 {
        return format!("1 {noun}");
    }
    let (noun, rest) = noun.split_at(noun.find(" of ").unwrap_or(noun.len()));
    let many = match noun.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if noun.ends_with("ch") => format!("{noun}es"),
        None => format!("{noun}s"),
    };
    format!("{} {many}{rest}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Article, Engine, Profile};

    #[test]
    fn the_verdict_reads_as_a_sentence() {
        let verdict = |num_articles, num_clusters, num_repeats| {
            verdict(&Stats { num_articles, num_clusters, num_repeats, ..Stats::default() })
        };
        assert_eq!(verdict(0, 0, 0), "No article was read.");
        assert_eq!(verdict(1, 1, 0), "1 article tells 1 story; none repeats another.");
        assert_eq!(verdict(2, 1, 1), "2 articles tell 1 story; 1 repeats another.");
        assert_eq!(verdict(1356, 1110, 246), "1,356 articles tell 1,110 stories; 246 repeat one.");
    }

    #[test]
    fn the_parts_add_up() {
        let story = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, and fishermen \
                     brought most of them ashore before the coast guard came.";
        let articles = [Article::new("a", story), Article::new("b", story), Article::new("c", "Rain.")];
        let clustering = Engine::new(Profile::default()).cluster(articles).unwrap();
        let parts = breakdown(&clustering);
        assert_eq!(parts.iter().map(|part| part.number).sum::<u64>(), 3);
        assert_eq!(parts.iter().map(|part| part.width_e4).sum::<u64>(), 10_000);
        assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 1, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn numbers_and_scores_are_written_for_people() {
        assert_eq!(
            (times(1, "story"), times(0, "story"), times(1200, "match"), times(2, "pair of stories")),
            ("1 story".into(), "0 stories".into(), "1,200 matches".into(), "2 pairs of stories".into())
        );
        assert_eq!([10_000, 9_999, 9_949, 5_000, 0].map(score), ["1.00", "0.99", "0.99", "0.50", "0.00"]);
    }
}
