//! What a filter does with articles as they come: which of them repeat what came before, and which add something.

use super::Index;
use super::add::{Fate, Offer, mark_repeat};
use super::state::{Group, flag};
use crate::error::Result;
use crate::hash::{HashMap, HashSet};
use crate::sketch::{Record, Terms};
use crate::verify::{Relation, Scratch, Verdict};

/// Earlier articles of a story that an article's content is held against, the latest first.
const NUM_COMPARED: usize = 64;

/// What an article is to what came before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it repeats an article that came before and adds nothing.
    pub is_repeat: bool,
    /// What it is to the article named in `of`.
    pub relation: Option<Relation>,
    /// The article that it repeats or adds to.
    pub of: Option<String>,
    /// Whether it is an update that corrects.
    pub is_correction: bool,
    /// Probability of one telling, in parts of 10,000.
    pub probability_e4: u16,
    /// The story it is in; 0 where it is not in the index: a line that repeats an id, or one from before the window.
    pub story: u32,
    /// Share of its content, by weight of the words, that its story had not before, in parts of 10,000.
    pub novel_e4: u16,
    /// Whether it is older than the window, and so was held against nothing.
    pub is_too_old: bool,
}

impl Decision {
    fn new(story: u32) -> Self {
        Self {
            is_repeat: false,
            relation: None,
            of: None,
            is_correction: false,
            probability_e4: 0,
            story,
            novel_e4: 10_000,
            is_too_old: false,
        }
    }

    fn too_old() -> Self {
        Self { is_too_old: true, ..Self::new(0) }
    }
}

/// The moment that an article is taken to be from, which came at another.
pub(super) fn believed(when: i64, arrival: i64) -> i64 {
    const DAY: i64 = 86_400;
    when.min(arrival.saturating_add(DAY))
}

/// An earlier article of one's story.
struct Earlier {
    ordinal: u32,
    verdict: Verdict,
    relation: Relation,
    has_passed: bool,
}

impl Index {
    /// Says of each article on offer what it is to those that came before it, in the index and in the offer, and marks
    /// repeats. With a window, in seconds, what is older than the newest so far by more is not looked at.
    ///
    /// A correction, or an update of all it is near to, is no repeat. An article that an earlier one is an excerpt of is
    /// none either: it has more.
    ///
    /// # Errors
    /// [`crate::Error::IndexDamaged`] when something that is needed is not as it was written.
    pub fn decide(&self, offer: &mut Offer, window: Option<i64>) -> Result<Vec<Decision>> {
        let groups: HashMap<u32, Group> = offer.delta.formed.iter().map(|group| (group.story, group.clone())).collect();
        let mut newest = self.newest;
        let mut repeats: HashSet<u32> = HashSet::default();
        let mut scratch = Scratch::default();
        let mut decisions = Vec::with_capacity(offer.fates.len());
        for fate in &offer.fates {
            let decision = match *fate {
                Fate::Expired => Decision::too_old(),
                Fate::Stands { by, is_older } => Decision {
                    is_repeat: true,
                    relation: Some(if is_older { Relation::Update } else { Relation::Exact }),
                    of: Some(self.articles.get(by).id().to_string()),
                    probability_e4: 10_000,
                    novel_e4: 0,
                    ..Decision::new(offer.delta.story_of(&self.state, by))
                },
                Fate::Born(ordinal) => {
                    newest = newest.max(believed(self.whens[ordinal as usize], offer.delta.arrival));
                    let oldest = window.map_or(i64::MIN, |window| newest.saturating_sub(window));
                    let decision = self.decide_one(ordinal, oldest, offer, &groups, &repeats, &mut scratch)?;
                    if decision.is_repeat {
                        repeats.insert(ordinal);
                    }
                    decision
                }
            };
            decisions.push(decision);
        }
        for ordinal in repeats {
            mark_repeat(&mut offer.delta, ordinal);
        }
        Ok(decisions)
    }

    /// The newest moment that articles are from, none further ahead of its arrival than a day: one wrong date would let all
    /// others expire. `i64::MIN` where there are none.
    #[must_use]
    pub fn newest(&self) -> i64 {
        self.newest
    }

    fn decide_one(
        &self,
        ordinal: u32,
        oldest: i64,
        offer: &Offer,
        groups: &HashMap<u32, Group>,
        repeats: &HashSet<u32>,
        scratch: &mut Scratch,
    ) -> Result<Decision> {
        let story = offer.delta.story_of(&self.state, ordinal);
        let mut decision = Decision::new(story);
        let is_earlier = |other: &u32| {
            let is_live = offer.delta.flags_of(&self.state, *other) & flag::LIVE != 0;
            *other < ordinal && is_live && self.whens[*other as usize] >= oldest
        };
        let article = self.articles.get(ordinal);
        let mut others: Vec<u32> = match article.exact_key() {
            Some(key) => self.with_exact_text(key)?,
            None => Vec::new(),
        };
        let has_passed =
            |other: u32| offer.delta.flags_of(&self.state, other) & flag::REPEAT == 0 && !repeats.contains(&other);
        if let Some(group) = groups.get(&story).or_else(|| self.state.groups.get(&story)) {
            others.extend_from_slice(&group.members);
            // Where one that was taken for a repeat stands for its copies, one of these has passed.
            for member in group.members.iter().copied().filter(|member| *member > ordinal || !has_passed(*member)) {
                if let Some(key) = self.articles.get(member).exact_key() {
                    others.extend(self.with_exact_text(key)?);
                }
            }
        }
        others.retain(is_earlier);
        let replaced = offer.change.replaced.iter().filter(|(new, _)| *new == ordinal).map(|(_, old)| *old);
        others.extend(replaced);
        others.sort_unstable();
        others.dedup();
        if others.is_empty() {
            return Ok(decision);
        }
        others.iter().try_for_each(|other| self.articles.look_at(*other))?;
        let mut earlier: Vec<Earlier> = Vec::new();
        for other in others.iter().copied() {
            let (verdict, relation) = self.judge_known(ordinal, other, scratch);
            if relation.is_match() {
                earlier.push(Earlier { ordinal: other, verdict, relation, has_passed: has_passed(other) });
            }
        }
        let record = self.articles.record(ordinal);
        decision.novel_e4 = self.novelty(&record, &others);
        if earlier.iter().any(|one| one.has_passed) {
            earlier.retain(|one| one.has_passed);
        }
        // Exact copies first, then by probability, then who came first.
        earlier.sort_by_key(|one| (one.relation != Relation::Exact, -one.verdict.margin, one.ordinal));
        let corrects = |one: &Earlier| {
            record.terms.says_correction() && !self.articles.record(one.ordinal).terms.says_correction()
        };
        let repeats_it = |one: &&Earlier| {
            let other_is_excerpt = one.verdict.relation == Relation::Excerpt && one.relation != Relation::Excerpt;
            !(one.relation == Relation::Update || other_is_excerpt || corrects(one))
        };
        let repeated = earlier.iter().find(repeats_it);
        if let Some(told) = repeated.or(earlier.first()) {
            decision.is_repeat = repeated.is_some();
            decision.relation = Some(told.relation);
            decision.of = Some(self.articles.get(told.ordinal).id().to_string());
            decision.is_correction =
                corrects(told) || (told.relation == Relation::Update && told.verdict.is_correction);
            decision.probability_e4 = told.verdict.probability_e4;
        }
        Ok(decision)
    }

    /// The verdict on two articles of the index, and what the first is to the second.
    fn judge_known(&self, ordinal: u32, other: u32, scratch: &mut Scratch) -> (Verdict, Relation) {
        let (one, two) = (self.articles.get(ordinal), self.articles.get(other));
        let is_first = one.id() <= two.id();
        let (first, second) = if is_first { (&one, &two) } else { (&two, &one) };
        let mut verdict = self.engine.judge_records(&first.record(), &second.record(), scratch);
        if one.exact_key().is_some() && one.exact_key() == two.exact_key() {
            verdict.set_exact();
        }
        let relation = if is_first { verdict.of_first() } else { verdict.of_second() };
        (verdict, relation)
    }

    /// Share of a record's terms, by idf, that none of the others has.
    fn novelty(&self, record: &Record<'_>, others: &[u32]) -> u16 {
        let compared: Vec<Terms<'_>> =
            others.iter().rev().take(NUM_COMPARED).map(|other| self.articles.record(*other).terms).collect();
        let is_new = |hash: &u32| compared.iter().all(|terms| terms.hashes().binary_search(hash).is_err());
        let terms = record.terms.hashes().iter().zip(record.terms.idf());
        let (all, new) = terms.fold((0u64, 0u64), |(all, new), (hash, idf)| {
            let idf = u64::from(*idf);
            (all + idf, new + if is_new(hash) { idf } else { 0 })
        });
        (new * 10_000).checked_div(all).unwrap_or(0) as u16
    }
}
