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
    // The whole of a share is worth eight nats; figures of which less than half agree cost up to six.
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
    use crate::profile::{Model, NUM_MEASUREMENTS, SketchParams, VerdictParams};
    use crate::sketch::RecordBuf;
    use crate::tests::tokens;
    use crate::text::Document;

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

    /// [`FIRST`] in other words and another order: no five words in a row are the same.
    const RETOLD: &str = "Before dark most of them were brought ashore by fishermen from Ivana; the rest were on a navy cutter \
        for the night. In Basco the coast guard said it was on Monday that the ferry Santa Odilia, with 214 aboard as \
        passengers, ran aground off Batanes. Reporters were told by Captain Rolando Yap that in a current so strong its \
        steering failed, at two miles from harbour. People carried between the islands, and freight: about 9,000 in a year \
        go by the ship.";

    /// Evidence with some measurements in percent, the others 0.
    fn of_shares(percent: &[(Measurement, i32)]) -> Evidence {
        let mut values = [0; NUM_MEASUREMENTS];
        for (measurement, share) in percent {
            values[*measurement as usize] = ONE * *share / 100;
        }
        Evidence { values, first_is_shorter: true, is_complete: true }
    }

    /// The record of words as they are: figures are numbers, those with a capital names, and none is a stop word.
    fn of_words(words: &str, title: &str, hours: Option<i64>) -> RecordBuf {
        let mut document = Document::new("", 0);
        document.tokens = words.split_whitespace().map(|word| tokens::of_word(word, 0)).collect();
        let published = hours.map(|hours| Timestamp(hours * 3600));
        let article = Article { language: Some("en".into()), published, ..Article::new("1", "").with_title(title) };
        RecordBuf::new(&article, &document, &[], &Profile::default())
    }

    /// A profile whose model gives every pair the same log-odds, in units of 1/1024.
    fn constant(logit: i32, match_percent: u32) -> Profile {
        let profile = Profile::default();
        let verdict = VerdictParams { match_percent, ..profile.verdict().clone() };
        let model = Model::new(logit, &[("time_apart".to_string(), 0)]).unwrap();
        profile.with_model(model, "").unwrap().with_verdict(verdict).unwrap()
    }

    #[test]
    fn copies_are_exact_however_short() {
        let verdict = judged(&Article::new("a", "Rain fell."), &Article::new("b", "Rain fell."));
        assert_eq!((verdict.of_first(), verdict.of_second()), (Relation::Exact, Relation::Exact));
        assert_eq!((verdict.margin, verdict.probability_e4), (0, 10_000));
    }

    #[test]
    fn a_text_too_short_is_undecidable_beside_any_other() {
        let (long, short) = (Article::new("a", FIRST), Article::new("b", FIRST.split_once(" Fishermen").unwrap().0));
        let num_content = Engine::new(Profile::default()).analyze(&short).record.record().content.len();
        let with_least = |min_content: usize| {
            let profile = Profile::default();
            let sketch = SketchParams { min_content, ..profile.sketch().clone() };
            let engine = Engine::new(profile.with_sketch(sketch).unwrap());
            [engine.judge(&long, &short).relation, engine.judge(&short, &long).relation]
        };
        assert_eq!(with_least(num_content + 1), [Relation::Undecidable; 2]);
        assert!(with_least(num_content).into_iter().all(|relation| relation != Relation::Undecidable));
    }

    #[test]
    fn strangers_are_far_from_a_match() {
        let wheat = "Wheat futures in Chicago closed lower as rain reached the plains, traders said, and funds sold 4,000 \
                     lots before the bell.";
        let (first, second) = (at("a", FIRST, 0), at("b", wheat, 3));
        for (verdict, is_forward) in [(judged(&first, &second), false), (judged(&second, &first), true)] {
            assert!(!verdict.evidence.is_complete);
            assert_eq!((verdict.relation, verdict.is_forward), (Relation::Unrelated, is_forward));
            assert!(verdict.margin < 0 && verdict.probability_e4 == 0, "{}", verdict.margin);
        }
    }

    #[test]
    fn a_pair_matches_from_the_stated_probability_on() {
        let (first, second) = (Article::new("a", FIRST), Article::new("b", FIRST.replace("brought", "carried")));
        for level in [Level::Near, Level::Rewrite] {
            let judged = |logit: i32, match_percent: u32| {
                Engine::new(constant(logit, match_percent)).with_level(level).judge(&first, &second)
            };
            // One nat is a probability of 1 / (1 + 1/e).
            let (above, below) = (judged(1024, 73), judged(1024, 74));
            assert_eq!((above.relation, above.probability_e4), (Relation::Near, 7_311));
            assert!(above.margin > 0 && below.margin < 0 && !below.relation.is_match(), "{level:?}");
            // Just as likely as asked for is enough.
            let even = judged(0, 50);
            assert_eq!((even.relation, even.margin, even.probability_e4), (Relation::Near, 0, 5_000));
        }
    }

    #[test]
    fn a_rewrite_is_a_match_at_its_own_level_only() {
        let (first, second) = (at("a", FIRST, 0), at("b", RETOLD, 3));
        let engine = Engine::new(constant(10 * 1024, 60));
        let verdict = engine.judge(&first, &second);
        assert_eq!(verdict.evidence.value(Measurement::ShingleContainment), 0);
        assert_eq!((verdict.relation, verdict.undirected), (Relation::Rewrite, Relation::Rewrite));
        let near = engine.with_level(Level::Near);
        let verdict = near.judge(&first, &second);
        assert!(!verdict.relation.is_match() && !verdict.is_forward);
        assert!(near.judge(&second, &first).is_forward);
        // A copy is one, and so is a sentence that is copied, by little of the longer; where nothing else speaks against it.
        let copy = at("b", &FIRST.replace("brought", "carried"), 3);
        let sentence = at("b", FIRST.split_once(" Fishermen").unwrap().0, 3);
        assert_eq!(near.judge(&first, &copy).relation, Relation::Near);
        let excerpt = near.judge(&first, &sentence);
        assert_eq!((excerpt.relation, excerpt.is_forward), (Relation::Excerpt, false));
        let against = Engine::new(constant(-10 * 1024, 60)).with_level(Level::Near);
        assert!(!against.judge(&first, &copy).relation.is_match());
    }

    #[test]
    fn without_a_table_wording_alone_speaks() {
        const GERMAN: &str = "14 Straßen und 230 Häuser hat der Regen am Montag in Lima unterspült, und viele Menschen mussten \
                              mit Booten von den Dächern geholt werden, wie ein Sprecher der Provinz am Abend mitteilte.";
        let german = |text: &str| Article { language: Some("de".into()), ..Article::new("b", text) };
        let relation = |text: &str| judged(&german(GERMAN), &german(text)).relation;
        assert_eq!(relation(&GERMAN.replace("mitteilte", "sagte")), Relation::Near);
        // Much the same wording about other figures.
        assert_eq!(relation(&GERMAN.replace("14", "15").replace("230", "240")), Relation::Undecidable);
        // The model has no say where a table is of the language of one only.
        let engine = Engine::new(constant(10 * 1024, 60));
        let (english, other) = (Article::new("a", FIRST), german(RETOLD));
        assert_eq!(engine.judge(&english, &other).relation, Relation::Undecidable);
        assert_eq!(engine.judge(&other, &english).relation, Relation::Undecidable);
    }

    #[test]
    fn wording_is_weighed_against_figures() {
        let profile = Profile::default();
        let near = profile.verdict().near_percent as i32;
        let excerpt = profile.verdict().excerpt_percent as i32;
        let logit = |jaccard: i32, containment: i32, figures: i32| {
            let shares = [
                (Measurement::ShingleJaccard, jaccard),
                (Measurement::ShingleContainment, containment),
                (Measurement::NumberCover, figures),
            ];
            wording_logit(&of_shares(&shares), &profile)
        };
        // What is just a copy, or just an excerpt, is a match, and a whole copy four nats more.
        let just = logit(near, 0, 100);
        assert!(just > logit_q10(6_000), "{just}");
        assert_eq!(logit(0, excerpt, 100), just);
        assert_eq!(logit(100, 0, 100), just + 4 * 1024);
        assert!(logit(near / 2, 0, 100) < 0);
        // Other figures outweigh all wording.
        assert!(logit(100, 0, 0) < 0);
    }

    #[test]
    fn an_excerpt_is_short_and_verbatim() {
        let profile = Profile::default();
        let is_excerpt = |containment: i32, length: i32| {
            let shares = [(Measurement::ShingleContainment, containment), (Measurement::LenRatio, length)];
            is_verbatim_excerpt(&of_shares(&shares), &profile)
        };
        assert!(is_excerpt(100, 25) && !is_excerpt(100, 100) && !is_excerpt(50, 25) && !is_excerpt(50, 100));
    }

    /// What they weigh stands in `docs/quality.md`.
    #[test]
    fn hints_weigh_what_is_said_of_them() {
        let plain = |hours: Option<i64>| of_words("ferry aground", "Ferry", hours);
        let corrects = |hours: Option<i64>| of_words("ferry aground", "CORRECTED Ferry", hours);
        let hint = |first: &RecordBuf, second: &RecordBuf, lead: i32, told_anew: i32| {
            let shares = [(Measurement::LeadBoth, lead), (Measurement::ToldAnew, told_anew)];
            hints(&first.record(), &second.record(), &of_shares(&shares))
        };
        let nat = 1024;
        assert_eq!(hint(&plain(Some(0)), &plain(Some(3)), 80, 0), 0);
        // The later corrects the lead of the other.
        assert_eq!(hint(&plain(Some(0)), &corrects(Some(3)), 80, 0), 2 * nat);
        assert_eq!(hint(&corrects(Some(3)), &plain(Some(0)), 80, 0), 2 * nat);
        assert_eq!(hint(&plain(Some(0)), &corrects(Some(3)), 30, 0), 0);
        assert_eq!(hint(&corrects(Some(0)), &plain(Some(3)), 80, 0), 0);
        assert_eq!(hint(&corrects(Some(0)), &corrects(Some(3)), 80, 0), 0);
        // Four days apart; it takes two dates to say so.
        assert_eq!(hint(&plain(Some(0)), &plain(Some(96)), 80, 0), -nat * 3 / 2);
        assert_eq!(hint(&plain(Some(0)), &plain(None), 80, 0), 0);
        // All told anew, half of it, and everything at once.
        assert_eq!(hint(&plain(None), &plain(None), 0, 100), -3 * nat);
        assert_eq!(hint(&plain(None), &plain(None), 0, 50), -nat * 3 / 2);
        assert_eq!(hint(&plain(Some(0)), &corrects(Some(96)), 80, 100), 2 * nat - nat * 3 / 2 - 3 * nat);
    }

    #[test]
    fn the_later_is_told_by_date_then_by_what_it_says_then_by_length() {
        let plain = |hours: Option<i64>| of_words("ferry ran aground", "Ferry", hours);
        let corrects = |hours: Option<i64>| of_words("ferry aground", "CORRECTED Ferry", hours);
        let is_later = |first: RecordBuf, second: RecordBuf| is_later(&first.record(), &second.record());
        assert!(is_later(plain(Some(5)), corrects(Some(3))) && !is_later(corrects(Some(3)), plain(Some(5))));
        for (first, second) in [(Some(3), Some(3)), (Some(3), None), (None, None)] {
            assert!(is_later(corrects(first), plain(second)) && !is_later(plain(first), corrects(second)));
        }
        let short = || of_words("ferry aground", "Ferry", None);
        assert!(is_later(plain(None), short()) && !is_later(short(), plain(None)) && is_later(short(), short()));
    }

    #[test]
    fn a_match_is_named_by_what_has_changed_and_by_length() {
        use Measurement::{LeadBoth, LenRatio, ShingleJaccard};
        const STORY: &str = "Yap ferry 214 aboard";
        let profile = Profile::default();
        let [plain, again] = [0, 3].map(|hours| of_words(STORY, "Ferry", Some(hours)));
        let [corrected, corrects] = [0, 3].map(|hours| of_words(STORY, "CORRECTED Ferry", Some(hours)));
        let fuller = of_words("Yap ferry 214 aboard 375", "Ferry", Some(3));
        let (near, rewrite) = (Relation::Near, Relation::Rewrite);
        let (update, excerpt) = ((Relation::Update, false), (Relation::Excerpt, true));
        for (first, second, [jaccard, length, lead], (relation, is_forward), undirected) in [
            (&plain, &again, [70, 90, 0], (near, false), near),
            (&plain, &again, [20, 90, 0], (rewrite, false), rewrite),
            (&plain, &again, [20, 40, 0], excerpt, rewrite),
            (&plain, &again, [70, 40, 0], excerpt, near),
            // A new figure, under the same lead and in much the same wording.
            (&plain, &fuller, [45, 90, 80], update, rewrite),
            (&plain, &fuller, [30, 90, 80], (rewrite, false), rewrite),
            (&plain, &fuller, [70, 90, 30], (near, false), near),
            (&plain, &again, [45, 90, 80], (rewrite, false), rewrite),
            // What corrects is an update whatever else it is, but not of what corrects in the same words.
            (&plain, &corrects, [70, 90, 0], update, near),
            (&plain, &corrects, [20, 40, 0], update, rewrite),
            (&corrected, &corrects, [20, 90, 0], update, rewrite),
            (&corrected, &corrects, [70, 90, 0], (near, false), near),
        ] {
            let evidence = of_shares(&[(ShingleJaccard, jaccard), (LenRatio, length), (LeadBoth, lead)]);
            let named = name_match(&first.record(), &second.record(), &evidence, &profile);
            assert_eq!(named, (relation, is_forward, undirected), "{jaccard}, {length}, {lead}");
        }
    }

    #[test]
    fn facts_are_names_and_figures() {
        let missing = |from: &str, to: &str| {
            let [from, to] = [from, to].map(|words| of_words(words, "", None));
            facts_missing(&from.record(), &to.record())
        };
        assert_eq!(missing("Yap took 7 and 9 to Ivana", "took and to"), Some((4, 2)));
        assert_eq!(missing("Yap took 7", "Yap took 7"), Some((0, 0)));
        assert_eq!(missing("Yap took 7", "Yap 7"), None);
        let differ = |first: &str, second: &str| {
            let [first, second] = [first, second].map(|words| of_words(words, "", None));
            let (first, second) = (first.record(), second.record());
            assert_eq!(only_figures_differ(&first, &second), only_figures_differ(&second, &first));
            (only_facts_differ(&first, &second), only_figures_differ(&first, &second))
        };
        assert_eq!(differ("Yap ferry 7 aboard", "Yap ferry 9 aboard"), (true, true));
        assert_eq!(differ("Yap ferry", "Cruz ferry"), (true, false));
        assert_eq!(differ("Yap ferry", "7 ferry"), (true, false));
        assert_eq!(differ("ferry 7 took", "ferry 9 brought"), (false, false));
        // So many are no correction.
        assert_eq!(differ("ferry 2 3 4 5 6 7 8 9", "ferry 20 30 40 50 60 70 80 90"), (false, false));
    }

    #[test]
    fn an_update_adds_figures_that_tell_something() {
        let adds = |later: &str, earlier: &str| {
            let [later, earlier] = [later, earlier].map(|words| of_words(words, "", None));
            adds_facts(&later.record(), &earlier.record())
        };
        assert!(adds("ferry 214", "ferry"));
        // One digit agrees by chance; and a figure that was there is none that is added.
        assert!(!adds("ferry 7", "ferry") && !adds("ferry 214", "ferry 214"));
        // A shorter text converts a unit or two.
        assert!(!adds("ferry 214", "ferry ran aground near a reef"));
        assert!(adds("ferry 214 375 81", "ferry ran aground near a reef"));
        // Nine words of ten are as long.
        let ten = "the ferry ran aground near a reef by the harbour";
        assert!(adds("ferry ran aground near a reef by harbour 214", ten));
    }

    #[test]
    fn look_alikes_are_named_by_what_they_share() {
        use Measurement::{
            BigramCover, FactsAgainst, LeadBoth, LeadLonger, LeadShorter, NumberCover, QuoteCover, ShingleContainment,
            TailLonger, TailShorter, UnquotedCover,
        };
        use Relation::{Followup, Includes, QuotesOnly, Template, Unrelated};
        let words = of_words("ferry", "", None);
        let cases: &[(Relation, &[(Measurement, i32)])] = &[
            // One wording or one frame, by other figures, under one lead.
            (Template, &[(ShingleContainment, 30), (FactsAgainst, 60), (NumberCover, 80), (LeadBoth, 50)]),
            (Template, &[(BigramCover, 50), (NumberCover, 20), (LeadBoth, 50)]),
            // Another lead, or the same figures.
            (Followup, &[(ShingleContainment, 30), (FactsAgainst, 60), (NumberCover, 80), (LeadBoth, 20)]),
            (Followup, &[(ShingleContainment, 30), (FactsAgainst, 20), (NumberCover, 80), (LeadBoth, 50)]),
            (Followup, &[(BigramCover, 50), (NumberCover, 80), (LeadBoth, 50)]),
            // Neither wording nor frame.
            (
                Unrelated,
                &[(ShingleContainment, 4), (BigramCover, 10), (FactsAgainst, 60), (NumberCover, 20), (LeadBoth, 50)],
            ),
            (QuotesOnly, &[(ShingleContainment, 30), (NumberCover, 80), (QuoteCover, 90), (UnquotedCover, 15)]),
            (Followup, &[(ShingleContainment, 30), (NumberCover, 80), (QuoteCover, 90), (UnquotedCover, 60)]),
            (Followup, &[(ShingleContainment, 30), (NumberCover, 80), (QuoteCover, 50), (UnquotedCover, 15)]),
            // One tells the other's lead, and begins and ends on something else.
            (Includes, &[(LeadShorter, 70), (LeadLonger, 10), (TailLonger, 10)]),
            (Unrelated, &[(LeadShorter, 30), (LeadLonger, 10), (TailLonger, 10)]),
            (Unrelated, &[(LeadShorter, 70), (LeadLonger, 35), (TailLonger, 10)]),
            (Unrelated, &[(LeadShorter, 70), (LeadLonger, 10), (TailLonger, 50)]),
            (Includes, &[(LeadLonger, 70), (LeadShorter, 10), (TailShorter, 10)]),
            (Unrelated, &[(LeadLonger, 30), (LeadShorter, 10), (TailShorter, 10)]),
            (Unrelated, &[(LeadLonger, 70), (LeadShorter, 35), (TailShorter, 10)]),
            (Unrelated, &[(LeadLonger, 70), (LeadShorter, 10), (TailShorter, 50)]),
        ];
        for (relation, percent) in cases {
            let named = name_look_alike(&words.record(), &words.record(), &of_shares(percent));
            assert_eq!(named, *relation, "{percent:?}");
        }
    }

    #[test]
    fn what_holds_several_stories_includes_one_of_them_whichever_came_first() {
        let list = |letter: char, numbers: Vec<u32>| -> Vec<String> {
            numbers.into_iter().map(|number| format!("{letter}{number}")).collect()
        };
        // The story's words in the middle, none behind its neighbour.
        let told = (0..20).step_by(2).chain((1..20).step_by(2)).collect();
        let roundup = [list('x', (0..40).collect()), list('w', told), list('x', (40..80).collect())].concat().join(" ");
        let story = list('w', (0..20).collect()).join(" ");
        for (of_roundup, of_story) in [(0, 3), (3, 0)] {
            let (roundup, story) = (of_words(&roundup, "", Some(of_roundup)), of_words(&story, "", Some(of_story)));
            let verdict = |first: &RecordBuf, second: &RecordBuf| {
                let profile = constant(-10 * 1024, 60);
                judge(&first.record(), &second.record(), &profile, Level::Rewrite, &mut Scratch::default())
            };
            let (forth, back) = (verdict(&roundup, &story), verdict(&story, &roundup));
            assert_eq!((forth.relation, forth.is_forward), (Relation::Includes, true));
            assert_eq!((back.relation, back.is_forward), (Relation::Includes, false));
        }
    }

    #[test]
    fn two_articles_on_one_event_are_rivals_or_a_day_apart() {
        use Measurement::{NameCover, RareCover, WordCosine};
        let named = |[first, second]: [Option<i64>; 2], [cosine, rare, names]: [i32; 3]| {
            let [first, second] = [first, second].map(|hours| of_words("ferry", "", hours));
            let evidence = of_shares(&[(WordCosine, cosine), (RareCover, rare), (NameCover, names)]);
            name_event(&first.record(), &second.record(), &evidence)
        };
        let event = [12, 12, 12];
        assert_eq!(named([None, None], event), Relation::SameEvent);
        assert_eq!(named([Some(0), None], event), Relation::SameEvent);
        assert_eq!(named([Some(6), Some(0)], event), Relation::SameEvent);
        assert_eq!(named([Some(0), Some(30)], event), Relation::Followup);
        for shares in [[5, 12, 12], [12, 3, 12], [12, 12, 5]] {
            assert_eq!(named([Some(0), Some(30)], shares), Relation::Unrelated, "{shares:?}");
        }
    }

    #[test]
    fn nobody_can_say_of_shared_words_in_an_unknown_language() {
        let of = |cover: i32| unknown_language(&of_shares(&[(Measurement::CoverShorter, cover)]));
        assert_eq!((of(60), of(30)), (Relation::Undecidable, Relation::Unrelated));
    }
}
