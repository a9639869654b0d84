//! Verification: candidate pair → evidence → score → relation.

mod evidence;
mod lcs;
mod overlap;
mod passage;
mod relation;

pub use evidence::{Evidence, LEAD_LEN, Scratch, measure};
pub use lcs::lcs_len;
pub use overlap::{Outlook, outlook};
pub use passage::{Differences, Passage, differences, shared_passages};
pub use relation::{Relation, name_to_representative};

use crate::fixed::{ONE, logit_q10, probability_e4};
use crate::profile::{Measurement, Profile};
use crate::sketch::Record;
use crate::text::{TokenFlags, number_weight};

/// How far a pair is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Same normalised text only.
    Exact,
    /// Same wording: near copies, updates and verbatim excerpts.
    Near,
    /// Other words too.
    #[default]
    Rewrite,
}

impl Level {
    /// All of them, from the narrowest.
    pub const ALL: [Self; 3] = [Self::Exact, Self::Near, Self::Rewrite];

    /// What options and files call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Near => "near",
            Self::Rewrite => "rewrite",
        }
    }
}

/// What a pair is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What one of the two is to the other.
    pub relation: Relation,
    /// Whether it reads "first is … of second"; otherwise "second is … of first".
    pub is_forward: bool,
    /// What the pair is where the direction does not hold: an article is no update of its own update.
    pub undirected: Relation,
    /// Log-odds of one telling over the threshold, in units of 1/1024: 0 and more is a match.
    pub margin: i32,
    /// Probability of one telling, in parts of 10,000.
    pub probability_e4: u16,
    /// Whether an update corrects: it says so, or names and figures alone have changed.
    pub is_correction: bool,
    /// What it rests on.
    pub evidence: Evidence,
}

impl Verdict {
    /// What the first article is to the second.
    #[must_use]
    pub fn of_first(&self) -> Relation {
        if self.is_forward { self.relation } else { self.undirected }
    }

    /// Makes it the verdict on exact copies, whatever was measured.
    pub(crate) fn set_exact(&mut self) {
        self.relation = Relation::Exact;
        self.undirected = Relation::Exact;
        self.margin = self.margin.max(0);
        self.probability_e4 = 10_000;
    }

    /// What the second article is to the first.
    #[must_use]
    pub fn of_second(&self) -> Relation {
        if self.is_forward { self.undirected } else { self.relation }
    }
}

/// Shares, in 12-bit fixed point, that name a pair which the model has judged. They choose words, not matches.
/// Set between the kinds of the fixture families (`docs/method.md`).
mod naming {
    use super::ONE;

    /// Cover of both leads from which two articles have one lead.
    pub(super) const SAME_LEAD: i32 = ONE * 55 / 100;
    /// Share of bigrams from which two texts share their frame.
    pub(super) const SAME_FRAME: i32 = ONE * 22 / 100;
    /// Share of missing figures from which facts differ.
    pub(super) const OTHER_FACTS: i32 = ONE * 45 / 100;
    /// Cover of figures under which facts differ.
    pub(super) const FEW_FIGURES: i32 = ONE * 40 / 100;
    /// Cover of both leads from which they are built alike: templates lie above, new leads over old background below.
    pub(super) const LEADS_ALIKE: i32 = ONE * 33 / 100;
    /// Cover of quotes that makes a pair `quotes_only` where little else is shared.
    pub(super) const SAME_QUOTES: i32 = ONE * 70 / 100;
    /// Cover outside quotes under which little else is shared.
    pub(super) const LITTLE_ELSE: i32 = ONE * 30 / 100;
    /// Cover of one lead from which an article tells the other's story within it,
    pub(super) const TOLD_WITHIN: i32 = ONE * 45 / 100;
    /// where its own lead and its last third are about something else.
    pub(super) const ABOUT_ELSE: i32 = ONE * 25 / 100;
    /// Likeness of rare words, cover of rare words and cover of names from which two articles are on one event: of
    /// 2,900 pairs of different families one in a hundred reaches any of them, of tellings of one event half reach all.
    pub(super) const EVENT_COSINE: i32 = ONE * 90 / 1000;
    pub(super) const EVENT_RARE: i32 = ONE * 50 / 1000;
    pub(super) const EVENT_NAMES: i32 = ONE * 100 / 1000;
    /// Hours from which a later article on one event is taken as a follow-up, not as a rival telling.
    pub(super) const NEXT_DAY_HOURS: u64 = 18;
    /// Names and figures that a correction changes, at most.
    pub(super) const CORRECTED_FACTS: usize = 4;
    /// New figures that make an update of a text as long as the one before,
    pub(super) const NEW_FIGURES: usize = 1;
    /// and of a shorter one: reprints convert a unit or two.
    pub(super) const NEW_FIGURES_TRIMMED: usize = 3;
}

/// Judges a pair of articles that are not exact copies. `level` is [`Level::Near`] or [`Level::Rewrite`].
///
/// Cost: [`measure`] and a few hundred nanoseconds.
#[must_use]
pub fn judge(
    first: &Record<'_>,
    second: &Record<'_>,
    profile: &Profile,
    level: Level,
    scratch: &mut Scratch,
) -> Verdict {
    let evidence = measure(first, second, scratch);
    let min_content = profile.sketch().min_content;
    if first.content.len() < min_content || second.content.len() < min_content {
        return no_match(evidence, Relation::Undecidable);
    }
    if !evidence.is_complete {
        let relation = name_event(first, second, &evidence);
        return Verdict { is_forward: is_later(first, second), ..no_match(evidence, relation) };
    }
    let threshold = logit_q10((profile.verdict().match_percent * 100) as u16);
    let is_weighted = first.terms.is_weighted() && second.terms.is_weighted();
    let wording = if is_weighted { profile.model().logit(&evidence.values) } else { wording_logit(&evidence, profile) };
    let logit = wording + hints(first, second, &evidence);
    let margin = logit - threshold;
    if level == Level::Near || !is_weighted {
        let is_copy = percent(&evidence, Measurement::ShingleJaccard) >= profile.verdict().near_percent
            || is_verbatim_excerpt(&evidence, profile);
        if !is_copy || margin < 0 {
            let relation =
                if is_weighted { name_look_alike(first, second, &evidence) } else { unknown_language(&evidence) };
            return Verdict { is_forward: is_later(first, second), ..no_match(evidence, relation) };
        }
    }
    if margin < 0 {
        let relation = name_look_alike(first, second, &evidence);
        let is_forward = match relation {
            Relation::Includes => evidence.first_is_shorter != longer_includes(&evidence),
            _ => is_later(first, second),
        };
        let is_correction = false;
        let probability_e4 = probability_e4(logit);
        return Verdict { relation, is_forward, undirected: relation, margin, probability_e4, is_correction, evidence };
    }
    let (relation, is_forward, undirected) = name_match(first, second, &evidence, profile);
    let is_correction = relation == Relation::Update && is_correction(first, second, is_forward);
    Verdict { relation, is_forward, undirected, margin, probability_e4: probability_e4(logit), is_correction, evidence }
}

/// A verdict without a score: the pair was not measured in full.
fn no_match(evidence: Evidence, relation: Relation) -> Verdict {
    Verdict {
        relation,
        is_forward: true,
        undirected: relation,
        margin: -20_480,
        probability_e4: 0,
        is_correction: false,
        evidence,
    }
}

fn percent(evidence: &Evidence, measurement: Measurement) -> u32 {
    (evidence.value(measurement) as u32 * 100) / ONE as u32
}

/// Where a language has no weights only wording speaks: log-odds from shingles, against changed figures.
fn wording_logit(evidence: &Evidence, profile: &Profile) -> i32 {
    let near = (profile.verdict().near_percent as i32 * ONE) / 100;
    let excerpt = (profile.verdict().excerpt_percent as i32 * ONE) / 100;
    let by_jaccard = evidence.value(Measurement::ShingleJaccard) - near;
    let by_excerpt = evidence.value(Measurement::ShingleContainment) - excerpt;
    let agreement = evidence.value(Measurement::NumberCover) - ONE / 2;
    // One in twelve bits becomes four nats; half of the figures missing costs two.
    2 * by_jaccard.max(by_excerpt) + 1024 + agreement.min(0) * 3
}

fn is_verbatim_excerpt(evidence: &Evidence, profile: &Profile) -> bool {
    percent(evidence, Measurement::ShingleContainment) >= profile.verdict().excerpt_percent
        && percent(evidence, Measurement::LenRatio) <= profile.verdict().excerpt_len_percent
}

/// Log-odds, in units of 1/1024, for what speaks beside the wording: one article says that it corrects another with its
/// lead, they lie days apart, or one outlet tells in other words what it has told. Hints, no vetoes: a date may be wrong.
fn hints(first: &Record<'_>, second: &Record<'_>, evidence: &Evidence) -> i32 {
    let (later, earlier) = if is_later(first, second) { (first, second) } else { (second, first) };
    let corrects = later.terms.says_correction()
        && !earlier.terms.says_correction()
        && evidence.value(Measurement::LeadBoth) >= naming::SAME_LEAD;
    let is_apart = match (first.terms.published(), second.terms.published()) {
        (Some(a), Some(b)) => a.0.abs_diff(b.0) > hint::APART_HOURS * 3600,
        _ => false,
    };
    let told_anew = evidence.value(Measurement::ToldAnew) * hint::TOLD_ANEW / ONE;
    i32::from(corrects) * hint::CORRECTS - i32::from(is_apart) * hint::APART - told_anew
}

/// What [`hints`] weigh, in units of 1/1024 nat.
mod hint {
    pub(super) const CORRECTS: i32 = 2 * 1024;
    /// At most, beside what the fit gives it: there the outlet is held back, so that texts explain the labels.
    pub(super) const TOLD_ANEW: i32 = 3 * 1024;
    /// Of the labelled revisions and copies with a date one in ten follows after three days, of the follow-ups and
    /// look-alikes every second.
    pub(super) const APART: i32 = 1536;
    pub(super) const APART_HOURS: u64 = 72;
}

/// Whether `first` was published after `second`, where both times are known. Otherwise the one that says it corrects is
/// the later, else the fuller.
fn is_later(first: &Record<'_>, second: &Record<'_>) -> bool {
    match (first.terms.published(), second.terms.published()) {
        (Some(a), Some(b)) if a != b => a > b,
        _ if first.terms.says_correction() != second.terms.says_correction() => first.terms.says_correction(),
        _ => first.content.len() >= second.content.len(),
    }
}

/// The relation of a match, whether it reads from first to second, and its undirected form.
fn name_match(
    first: &Record<'_>,
    second: &Record<'_>,
    evidence: &Evidence,
    profile: &Profile,
) -> (Relation, bool, Relation) {
    let is_near = percent(evidence, Measurement::ShingleJaccard) >= profile.verdict().near_percent;
    let undirected = if is_near { Relation::Near } else { Relation::Rewrite };
    let first_is_later = is_later(first, second);
    let (later, earlier) = if first_is_later { (first, second) } else { (second, first) };
    if later.terms.says_correction() && !(earlier.terms.says_correction() && is_near) {
        return (Relation::Update, first_is_later, undirected);
    }
    let is_short = percent(evidence, Measurement::LenRatio) <= profile.verdict().excerpt_len_percent;
    if is_short {
        return (Relation::Excerpt, evidence.first_is_shorter, undirected);
    }
    let same_lead = evidence.value(Measurement::LeadBoth) >= naming::SAME_LEAD;
    let copied = percent(evidence, Measurement::ShingleJaccard) * 5 >= profile.verdict().near_percent * 4;
    if same_lead && copied && (adds_facts(later, earlier) || only_figures_differ(later, earlier)) {
        return (Relation::Update, first_is_later, undirected);
    }
    (undirected, first_is_later, undirected)
}

/// Whether the update of a pair corrects the other.
fn is_correction(first: &Record<'_>, second: &Record<'_>, first_is_later: bool) -> bool {
    let (later, earlier) = if first_is_later { (first, second) } else { (second, first) };
    later.terms.says_correction() || only_facts_differ(later, earlier)
}

/// Whether the two differ in a few names and figures and in nothing else.
fn only_facts_differ(first: &Record<'_>, second: &Record<'_>) -> bool {
    let missing = [facts_missing(first, second), facts_missing(second, first)];
    matches!(missing, [Some((a, _)), Some((b, _))] if (1..=naming::CORRECTED_FACTS).contains(&a.max(b)))
}

/// Whether, besides, each has a figure in place of the other's.
fn only_figures_differ(first: &Record<'_>, second: &Record<'_>) -> bool {
    let has_figure = |from, to| facts_missing(from, to).is_some_and(|(_, num_figures)| num_figures > 0);
    only_facts_differ(first, second) && has_figure(first, second) && has_figure(second, first)
}

/// How many terms the second lacks of the first's, and how many of these are figures; `None` where one is neither name
/// nor figure.
fn facts_missing(from: &Record<'_>, to: &Record<'_>) -> Option<(usize, usize)> {
    let terms = from.terms.hashes().iter().zip(from.terms.flags());
    let mut changed = terms.filter(|(hash, _)| to.terms.hashes().binary_search(hash).is_err());
    changed.try_fold((0, 0), |(num, num_figures), (_, flags)| {
        let is_fact = flags & (TokenFlags::NUMBER | TokenFlags::NAME) != 0;
        is_fact.then(|| (num + 1, num_figures + usize::from(flags & TokenFlags::NUMBER != 0)))
    })
}

/// Whether `later` holds figures that tell something and that `earlier` lacks.
fn adds_facts(later: &Record<'_>, earlier: &Record<'_>) -> bool {
    let is_new = |value: &&u64| number_weight(**value) >= 2 && earlier.figures.binary_search(value).is_err();
    let is_trimmed = later.content.len() * 10 < earlier.content.len() * 9;
    let enough = if is_trimmed { naming::NEW_FIGURES_TRIMMED } else { naming::NEW_FIGURES };
    later.figures.iter().filter(is_new).count() >= enough
}

/// Why a pair that shares something is no match.
fn name_look_alike(first: &Record<'_>, second: &Record<'_>, evidence: &Evidence) -> Relation {
    let value = |measurement| evidence.value(measurement);
    let copied = value(Measurement::ShingleContainment) >= evidence::COPIED;
    let same_frame = value(Measurement::BigramCover) >= naming::SAME_FRAME;
    let other_facts = value(Measurement::FactsAgainst) >= naming::OTHER_FACTS
        || value(Measurement::NumberCover) <= naming::FEW_FIGURES;
    if (copied || same_frame) && other_facts && value(Measurement::LeadBoth) >= naming::LEADS_ALIKE {
        return Relation::Template;
    }
    if value(Measurement::QuoteCover) >= naming::SAME_QUOTES && value(Measurement::UnquotedCover) <= naming::LITTLE_ELSE
    {
        return Relation::QuotesOnly;
    }
    if copied || same_frame {
        return Relation::Followup;
    }
    if longer_includes(evidence) != shorter_includes(evidence) {
        return Relation::Includes;
    }
    name_event(first, second, evidence)
}

/// Whether the longer tells the shorter's lead, but begins and ends on something else.
fn longer_includes(evidence: &Evidence) -> bool {
    evidence.value(Measurement::LeadShorter) >= naming::TOLD_WITHIN
        && evidence.value(Measurement::LeadLonger) <= naming::ABOUT_ELSE
        && evidence.value(Measurement::TailLonger) <= naming::ABOUT_ELSE
}

/// Whether the shorter tells the longer's lead, but begins and ends on something else.
fn shorter_includes(evidence: &Evidence) -> bool {
    evidence.value(Measurement::LeadLonger) >= naming::TOLD_WITHIN
        && evidence.value(Measurement::LeadShorter) <= naming::ABOUT_ELSE
        && evidence.value(Measurement::TailShorter) <= naming::ABOUT_ELSE
}

/// What two articles are that share no text: on one event, as rivals or one day after the other, or not.
fn name_event(first: &Record<'_>, second: &Record<'_>, evidence: &Evidence) -> Relation {
    let is_one_event = evidence.value(Measurement::WordCosine) >= naming::EVENT_COSINE
        && evidence.value(Measurement::RareCover) >= naming::EVENT_RARE
        && evidence.value(Measurement::NameCover) >= naming::EVENT_NAMES;
    match (first.terms.published(), second.terms.published()) {
        _ if !is_one_event => Relation::Unrelated,
        (Some(a), Some(b)) if a.0.abs_diff(b.0) >= naming::NEXT_DAY_HOURS * 3600 => Relation::Followup,
        _ => Relation::SameEvent,
    }
}

/// Without weights a pair that shares words may be a rewrite: nobody can say.
fn unknown_language(evidence: &Evidence) -> Relation {
    if evidence.value(Measurement::CoverShorter) >= ONE * 2 / 5 { Relation::Undecidable } else { Relation::Unrelated }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::{Article, Timestamp};
    use crate::engine::Engine;

    const FIRST: &str = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, the coast \
        guard in Basco said. Fishermen from Ivana brought most of them ashore before dark, and the rest spent the night \
        on a navy cutter. Captain Rolando Yap told reporters the steering had failed in a strong current two miles from \
        the harbour. The ship carries freight and about 9,000 people a year between the islands.";

    fn judged(first: &Article, second: &Article) -> Verdict {
        Engine::new(Profile::default()).judge(first, second)
    }

    fn at(id: &str, text: &str, hours: i64) -> Article {
        Article { published: Some(Timestamp(hours * 3600)), ..Article::new(id, text) }
    }

    #[test]
    fn a_correction_is_an_update_of_what_it_corrects() {
        let corrected = format!("{} (Corrects number of passengers in first sentence)", FIRST.replace("214", "241"));
        let verdict = judged(&at("a", FIRST, 0), &at("b", &corrected, 3));
        assert_eq!((verdict.relation, verdict.is_forward), (Relation::Update, false));
        assert!(verdict.is_correction);
        for slug in ["CORRECTION: ", "CORRECTED - "] {
            let slugged = format!("{slug}{}", FIRST.replace("214", "241"));
            assert!(judged(&at("a", FIRST, 0), &at("b", &slugged, 3)).is_correction, "{slug}");
        }
        // Cut to its first sentences it is one still, no excerpt.
        let cut = format!("{} (Corrects number of passengers)", &corrected[..250]);
        assert_eq!(judged(&at("a", FIRST, 0), &at("b", &cut, 3)).relation, Relation::Update);
        // Its own copy corrects nothing.
        assert_eq!(
            judged(&at("b", &corrected, 3), &at("c", &corrected.replace("about", "some"), 4)).relation,
            Relation::Near
        );
    }

    #[test]
    fn facts_that_change_alone_are_a_correction() {
        for (from, to) in [("214", "241"), ("two miles", "six miles")] {
            let verdict = judged(&at("a", FIRST, 0), &at("b", &FIRST.replace(from, to), 3));
            assert_eq!((verdict.relation, verdict.is_correction), (Relation::Update, true), "{from}");
        }
        let longer = format!("{} A crew of 12 was aboard too, and divers will look at the hull on Tuesday.", FIRST);
        let verdict = judged(&at("a", FIRST, 0), &at("b", &longer, 3));
        assert_eq!((verdict.relation, verdict.is_correction), (Relation::Update, false));
    }

    #[test]
    fn days_apart_speak_against_one_telling_but_forbid_nothing() {
        let copy = FIRST.replace("brought", "carried");
        let near = judged(&at("a", FIRST, 0), &at("b", &copy, 72));
        let apart = judged(&at("a", FIRST, 0), &at("b", &copy, 73));
        assert_eq!(near.evidence.values[..5], apart.evidence.values[..5]);
        assert!(apart.margin < near.margin && apart.relation.is_match());
        let undated = judged(&Article::new("a", FIRST), &at("b", &copy, 73));
        assert_eq!(undated.relation, near.relation);
    }
}
