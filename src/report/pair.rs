//! Pairs that the page shows: nearest the threshold, updates, look-alikes, roundups; and what is known of each.

use super::sample::Sample;
use super::text::{Body, Heading, Texts, cut, duration};
use super::{label, phrase, score, times};
use crate::engine::{Clustering, Pair};
use crate::fixed::ONE;
use crate::hash::{HashMap, HashSet};
use crate::profile::Measurement;
use crate::text::Document;
use crate::verify::{Differences, Passage, Relation, differences, shared_passages};
use serde::Serialize;
use std::cmp::Reverse;

/// Pairs shown of each section.
const MAX_PAIRS: usize = 50;
/// Figures, names or dates of one article that are marked against another.
const MAX_FORMS: usize = 100;
/// Bytes of a figure, name or date that is named.
const FORM_LEN: usize = 40;

/// Measurements named beside a pair that was judged, in a reader's words.
const MEASURED: [(Measurement, &str); 5] = [
    (Measurement::ShingleJaccard, "wording"),
    (Measurement::LeadBoth, "leads"),
    (Measurement::CoverShorter, "words of the shorter"),
    (Measurement::NumberCover, "figures"),
    (Measurement::NameCover, "names"),
];

/// Pairs of one kind, chosen to be shown.
pub(super) struct Choice<'a> {
    id: &'static str,
    title: &'static str,
    intro: &'static str,
    none: &'static str,
    rule: String,
    pairs: Vec<&'a Pair>,
}

/// The first pairs, and what was left out.
fn cut_to<'a>(mut pairs: Vec<&'a Pair>, noun: &str, order: &str) -> (Vec<&'a Pair>, String) {
    let rule = match pairs.len() {
        0..=MAX_PAIRS => String::new(),
        all => format!("{MAX_PAIRS} of {}, {order}.", times(all as u64, noun)),
    };
    pairs.truncate(MAX_PAIRS);
    (pairs, rule)
}

/// The pairs to show, section by section.
pub(super) fn choose(clustering: &Clustering) -> Vec<Choice<'_>> {
    let margin = |pair: &Pair| pair.verdict.as_ref().map_or(i32::MAX, |verdict| verdict.margin);
    let mut above: Vec<&Pair> = clustering.pairs.iter().filter(|pair| pair.verdict.is_some()).collect();
    above.sort_by_key(|pair| (margin(pair), pair.a, pair.b));
    let (above, above_rule) = cut_to(above, "match", "nearest the threshold first");

    let measured = |pair: &&Pair| pair.verdict.as_ref().is_some_and(|verdict| verdict.evidence.is_complete);
    let mut below: Vec<&Pair> = clustering.links.iter().chain(&clustering.near_misses).filter(measured).collect();
    below.retain(|pair| margin(pair) < 0);
    below.sort_by_key(|pair| (Reverse(margin(pair)), pair.a, pair.b));
    let (below, below_rule) = cut_to(below, "pair", "nearest the threshold first");

    let (updates, updates_rule) = cut_to(updates(clustering), "article", "corrections first, then by score");
    let mut choices = vec![
        Choice {
            id: "above",
            title: "Just above the threshold",
            intro: "Pairs that were taken as one telling on the weakest evidence. A wrong match would stand here.",
            none: "No pair was matched on its wording.",
            rule: above_rule,
            pairs: above,
        },
        Choice {
            id: "below",
            title: "Just below the threshold",
            intro: "Pairs that were refused on the strongest evidence. A missed repeat would stand here.",
            none: "No pair came near.",
            rule: below_rule,
            pairs: below,
        },
        Choice {
            id: "updates",
            title: "Updates and corrections",
            intro: "Articles that tell a story again with facts added or changed. They belong to it, and dedup keeps \
                    them beside it.",
            none: "No article updates or corrects another.",
            rule: updates_rule,
            pairs: updates,
        },
    ];
    for (relation, title, intro, none) in [
        (
            Relation::Template,
            "Same template, other facts",
            "The wording agrees, the figures, names and dates do not: these are different stories.",
            "No two stories share a template.",
        ),
        (
            Relation::Followup,
            "Follow-ups",
            "A new lead over background that was told before.",
            "No story follows up another.",
        ),
        (
            Relation::SameEvent,
            "Same event, told apart",
            "Two reports of one event, each in a telling of its own.",
            "No two stories were found to be on one event.",
        ),
        (
            Relation::Includes,
            "Roundups and what they include",
            "An article that holds several stories, and one of them.",
            "No article holds another story among its own.",
        ),
    ] {
        let (pairs, rule) = cut_to(look_alikes(clustering, relation), "pair of stories", "nearest the threshold first");
        choices.push(Choice { id: relation.name(), title, intro, none, rule, pairs });
    }
    choices
}

impl Choice<'_> {
    /// The articles of its pairs, in order.
    pub(super) fn articles(&self) -> impl Iterator<Item = u32> {
        self.pairs.iter().flat_map(|pair| [pair.a, pair.b])
    }
}

/// One pair for each article that updates: with the one that stands for its story, else with the one it is likest.
fn updates(clustering: &Clustering) -> Vec<&Pair> {
    let mut representative = vec![0; clustering.articles.len()];
    for member in &clustering.members {
        representative[member.article as usize] = member.representative;
    }
    let mut pairs: Vec<&Pair> = clustering.pairs.iter().filter(|pair| pair.relation() == Relation::Update).collect();
    let order = |pair: &Pair| {
        let verdict = pair.verdict.as_ref();
        (verdict.is_none_or(|v| !v.is_correction), verdict.map_or(i32::MAX, |v| v.margin))
    };
    pairs.sort_by_key(|pair| (pair.a, pair.b != representative[pair.a as usize], Reverse(order(pair).1), pair.b));
    pairs.dedup_by_key(|pair| pair.a);
    pairs.sort_by_key(|pair| (order(pair), pair.a));
    pairs
}

/// Links of one relation, one for each pair of stories, nearest the threshold first.
fn look_alikes(clustering: &Clustering, relation: Relation) -> Vec<&Pair> {
    let mut cluster = vec![0; clustering.articles.len()];
    for member in &clustering.members {
        cluster[member.article as usize] = member.cluster;
    }
    let mut pairs: Vec<&Pair> = clustering.links.iter().filter(|pair| pair.relation() == relation).collect();
    pairs.sort_by_key(|pair| (Reverse(pair.verdict.as_ref().map(|v| v.margin)), pair.a, pair.b));
    let mut seen: HashSet<(u32, u32)> = HashSet::default();
    pairs.retain(|pair| {
        let [a, b] = [pair.a, pair.b].map(|rank| cluster[rank as usize]);
        seen.insert((a.min(b), a.max(b)))
    });
    pairs
}

/// The pairs of a section as they are shown.
#[derive(Serialize)]
pub(super) struct Section {
    id: &'static str,
    title: &'static str,
    intro: &'static str,
    none: &'static str,
    rule: String,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    a: Heading,
    b: Heading,
    label: &'static str,
    score: Option<String>,
    /// Whether the two ended in one story.
    is_together: bool,
    /// How far apart they were published.
    gap: Option<String>,
    differs: Vec<Differ>,
    /// Measurements in percent.
    measured: Vec<(&'static str, i32)>,
}

/// What one kind of facts differs in.
#[derive(Clone, Serialize)]
pub(super) struct Differ {
    what: &'static str,
    a: Vec<String>,
    b: Vec<String>,
}

/// What the run knows of a pair, for looking at it side by side.
#[derive(Serialize)]
pub(super) struct Known {
    a: u32,
    b: u32,
    /// What `a` is to `b`, for a sentence.
    phrase: &'static str,
    score: Option<String>,
    /// Shared passages: where each begins and ends in the first text and in the second, in UTF-16 units.
    passages: Vec<[u32; 4]>,
    differs: Vec<Differ>,
}

/// An article that stands in a pair but in no listed story.
#[derive(Serialize)]
pub(super) struct Other {
    heading: Heading,
    body: Option<Body>,
}

/// Two texts compared.
pub(super) struct Compared {
    pub(super) passages: Vec<Passage>,
    pub(super) differences: Differences,
}

impl Compared {
    pub(super) fn new(first: &Document<'_>, second: &Document<'_>) -> Self {
        Self { passages: shared_passages(first, second), differences: differences(first, second) }
    }

    /// Figures, names and dates that only the first has, up to a number of each.
    pub(super) fn only_in_first(&self) -> Vec<&str> {
        let d = &self.differences;
        let lists = [&d.first_figures, &d.first_names, &d.first_dates];
        lists.into_iter().flat_map(|list| list.iter().take(MAX_FORMS)).map(String::as_str).collect()
    }

    /// What differs, by kind; kinds without a difference are left out.
    pub(super) fn differs(&self) -> Vec<Differ> {
        let d = &self.differences;
        let named = |list: &[String]| list.iter().take(MAX_FORMS).map(|form| cut(form, FORM_LEN)).collect();
        [
            ("figures", &d.first_figures, &d.second_figures),
            ("names", &d.first_names, &d.second_names),
            ("dates", &d.first_dates, &d.second_dates),
        ]
        .into_iter()
        .filter(|(_, a, b)| !a.is_empty() || !b.is_empty())
        .map(|(what, a, b)| Differ { what, a: named(a), b: named(b) })
        .collect()
    }
}

impl Known {
    /// Of a pair whose texts the page shows; `None` where it lacks one.
    pub(super) fn new(
        texts: &Texts<'_>,
        [a, b]: [u32; 2],
        [first, second]: [&Document<'_>; 2],
        compared: &Compared,
        (phrase, score): (&'static str, Option<String>),
    ) -> Option<Self> {
        if !texts.has_room(a) || !texts.has_room(b) {
            return None;
        }
        let [starts_a, ends_a, starts_b, ends_b] = [
            utf16_offsets(&first.text, compared.passages.iter().map(|p| p.first.start)),
            utf16_offsets(&first.text, compared.passages.iter().map(|p| p.first.end)),
            utf16_offsets(&second.text, compared.passages.iter().map(|p| p.second.start)),
            utf16_offsets(&second.text, compared.passages.iter().map(|p| p.second.end)),
        ];
        let passages = (0..compared.passages.len()).map(|i| [starts_a[i], ends_a[i], starts_b[i], ends_b[i]]).collect();
        Some(Self { a, b, phrase, score, passages, differs: compared.differs() })
    }
}

/// Byte offsets as offsets in UTF-16 units, in the order in which they come.
fn utf16_offsets(text: &str, offsets: impl Iterator<Item = usize>) -> Vec<u32> {
    let offsets: Vec<usize> = offsets.collect();
    if text.is_ascii() {
        return offsets.into_iter().map(|at| at as u32).collect();
    }
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|i| offsets[*i]);
    let mut out = vec![0; offsets.len()];
    let (mut from, mut units) = (0, 0);
    for i in order {
        units += text[from..offsets[i]].encode_utf16().count() as u32;
        from = offsets[i];
        out[i] = units;
    }
    out
}

/// The sections, what is known of their pairs beside `in_stories`, and the articles that no listed story holds.
pub(super) fn sections(
    clustering: &Clustering,
    choices: &[Choice<'_>],
    sample: &Sample<'_>,
    texts: &Texts<'_>,
    in_stories: &[Known],
) -> (Vec<Section>, Vec<Known>, Vec<Other>) {
    let mut cluster = vec![0; clustering.articles.len()];
    for member in &clustering.members {
        cluster[member.article as usize] = member.cluster;
    }
    let mut shown: HashSet<u32> = sample.articles().collect();
    let mut documents: HashMap<u32, Option<Document<'_>>> = HashMap::default();
    let (mut known, mut others) = (Vec::new(), Vec::new());
    let mut seen: HashSet<(u32, u32)> = in_stories.iter().map(|known| (known.a, known.b)).collect();
    let sections = choices
        .iter()
        .map(|choice| {
            let mut rows = Vec::new();
            for pair in &choice.pairs {
                for rank in [pair.a, pair.b] {
                    let document = documents.entry(rank).or_insert_with(|| texts.document(rank));
                    if shown.insert(rank) {
                        let body = document.as_ref().and_then(|document| texts.body(document, rank, &[], &[]));
                        others.push(Other { heading: texts.heading(rank), body });
                    }
                }
                let is_together = cluster[pair.a as usize] == cluster[pair.b as usize];
                let [first, second] = [pair.a, pair.b].map(|rank| documents[&rank].as_ref());
                let (mut row, told) = row(clustering, texts, pair, is_together);
                if let (Some(first), Some(second)) = (first, second) {
                    let compared = Compared::new(first, second);
                    row.differs = compared.differs();
                    if seen.insert((pair.a, pair.b)) {
                        known.extend(Known::new(texts, [pair.a, pair.b], [first, second], &compared, told));
                    }
                }
                rows.push(row);
            }
            Section {
                id: choice.id,
                title: choice.title,
                intro: choice.intro,
                none: choice.none,
                rule: choice.rule.clone(),
                rows,
            }
        })
        .collect();
    (sections, known, others)
}

/// A pair without what differs, and what a sentence says of it.
fn row(
    clustering: &Clustering,
    texts: &Texts<'_>,
    pair: &Pair,
    is_together: bool,
) -> (Row, (&'static str, Option<String>)) {
    let verdict = pair.verdict.as_ref();
    let is_correction = verdict.is_some_and(|verdict| verdict.is_correction);
    let [label, phrase] = [label, phrase].map(|name| name(pair.relation(), is_correction));
    // A pair that shares too little was not measured in full.
    let complete = verdict.filter(|verdict| verdict.evidence.is_complete);
    let score = complete.map(|verdict| score(verdict.probability_e4));
    let percent = |measurement| complete.map_or(0, |v| v.evidence.value(measurement) * 100 / ONE);
    let measured = match complete {
        Some(_) => MEASURED.into_iter().map(|(measurement, name)| (name, percent(measurement))).collect(),
        None => Vec::new(),
    };
    let gap = match [pair.a, pair.b].map(|rank| clustering.articles.get(rank).published()) {
        [Some(a), Some(b)] => Some(duration(a.0.abs_diff(b.0))),
        _ => None,
    };
    let [a, b] = [pair.a, pair.b].map(|rank| texts.heading(rank));
    (Row { a, b, label, score: score.clone(), is_together, gap, differs: Vec::new(), measured }, (phrase, score))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_what_a_script_counts() {
        let text = "Ā𝄞b東c";
        let bytes = [text.find('c').unwrap(), 0, text.len(), text.find('b').unwrap()];
        assert_eq!(utf16_offsets(text, bytes.into_iter()), [5, 0, 6, 3]);
        assert_eq!(utf16_offsets("abc", [3, 1].into_iter()), [3, 1]);
    }
}
