//! What follows from articles that come and go: pairs that meet anew or no more, matches, and clusters.
//!
//! Which pairs are candidates is a function of the set of live articles, so a change can be followed through: the buckets of
//! the keys of whatever came or went are looked at before and after, and what was touched is clustered again. What comes out
//! is what a run over the whole set would say.

use super::Index;
use super::crowds::{Changed, ChangedCrowds, Room};
use super::state::{Delta, Edge, Group, flag};
use super::story::{self, Draft};
use crate::cluster::{Cluster, Match, Pairs, cluster_component, components};
use crate::engine::keys::KeyingScratch;
use crate::engine::{COUNTED_PAIRS, LEAST_MARGIN, match_of};
use crate::error::Result;
use crate::hash::{HashMap, HashSet};
use crate::index::list_of_exact;
use crate::lsh::{Asked, Before, Bucket, Crowd, KeyOrigin, Meetings, Moves, NUM_SHARDS, Refine, key_of};
use crate::verify::{Outlook, Scratch, outlook};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::sync::Arc;

/// Articles that come and go at once, by their ordinals.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// New ones, in order.
    pub(super) born: Vec<u32>,
    /// Live ones that go.
    pub(super) dead: Vec<u32>,
    /// New versions, each with the live article that it replaces.
    pub(super) replaced: Vec<(u32, u32)>,
}

/// Exact copies after a change.
#[derive(Debug)]
struct Copies {
    stand_in: Option<u32>,
    /// Those that are live.
    members: Vec<u32>,
}

/// What follows from a change.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) delta: Delta,
    pub(super) events: Vec<story::Event>,
    pub(super) crowds: ChangedCrowds,
}

/// Who takes part anew and who no more.
#[derive(Debug, Default)]
struct Turnout {
    entering: Vec<u32>,
    leaving: Vec<u32>,
    copies: Vec<Copies>,
    /// Flags that change.
    flags: HashMap<u32, u8>,
}

impl Index {
    /// What a change does, and what is to be told of it. New articles must have been put away already; `new` are their keys
    /// above their ordinals, in order.
    pub(super) fn derive(&self, change: &Change, new: &[(u64, u32)]) -> Result<Derived> {
        let turnout = self.turn_out(change)?;
        self.follow(change, turnout, new)
    }

    /// What all live articles make of a state without matches: everything that takes part comes in anew. Stories stay.
    pub(super) fn derive_all(&mut self) -> Result<Vec<story::Event>> {
        let all = 0..self.articles.len() as u32;
        let mut turnout =
            Turnout { entering: all.filter(|o| self.state.takes_part(*o)).collect(), ..Turnout::default() };
        for ordinal in &turnout.entering {
            let flags = &mut self.state.flags[*ordinal as usize];
            turnout.flags.insert(*ordinal, *flags);
            *flags &= !flag::PART;
        }
        self.state.edges.clear();
        self.crowds.clear();
        let Derived { delta, events, .. } = self.follow(&Change::default(), turnout, &[])?;
        self.state.apply(&delta);
        Ok(events)
    }

    fn follow(&self, change: &Change, turnout: Turnout, new: &[(u64, u32)]) -> Result<Derived> {
        let (Meetings { gained, lost }, crowds) = self.meet(&turnout, change, new)?;
        let found = self.judge_pairs(gained, &turnout)?;
        let lost = self.unsupported(lost, &turnout, &crowds)?;
        let drafts = self.cluster_touched(&turnout, &found, &lost)?;

        let mut delta = Delta {
            lost,
            left: turnout.leaving.clone(),
            found,
            last_story: self.state.last_story,
            cutoff: self.state.cutoff,
            arrival: self.state.arrival,
            ..Delta::default()
        };
        delta.flags = turnout.flags.iter().map(|(ordinal, flags)| (*ordinal, *flags)).collect();
        delta.flags.sort_unstable();
        let copies: Vec<(u32, &[u32])> =
            turnout.copies.iter().filter_map(|copies| Some((copies.stand_in?, copies.members.as_slice()))).collect();
        let find_copies = |ordinal: u32| self.copies_of(ordinal);
        let events = story::assign(&self.state, change, &drafts, &copies, find_copies, &mut delta)?;
        let mut unchanged: HashSet<u32> = HashSet::default();
        for Draft { representative, members } in drafts.into_iter().filter(|draft| draft.members.len() > 1) {
            let group = Group { story: delta.story_of(&self.state, members[0]), representative, members };
            // A match may touch many clusters, most of which stay as they are.
            if self.state.groups.get(&group.story) == Some(&group) {
                unchanged.insert(group.story);
            } else {
                delta.formed.push(group);
            }
        }
        delta.dissolved.retain(|story| !unchanged.contains(story));
        Ok(Derived { delta, events, crowds })
    }

    /// Articles with the exact text of one that are live now.
    pub(super) fn copies_of(&self, ordinal: u32) -> Result<Vec<u32>> {
        self.articles.look_at(ordinal)?;
        let Some(key) = self.articles.get(ordinal).exact_key() else { return Ok(vec![ordinal]) };
        Ok(self.with_exact_text(key)?.into_iter().filter(|other| self.state.is_live(*other)).collect())
    }

    /// Articles with an exact text, live or not, in order.
    pub(super) fn with_exact_text(&self, key: u128) -> Result<Vec<u32>> {
        let mut found = Vec::new();
        self.runs.find(list_of_exact(key), &mut found)?;
        let mut same = Vec::new();
        for ordinal in found {
            self.articles.look_at(ordinal)?;
            if self.articles.get(ordinal).exact_key() == Some(key) {
                same.push(ordinal);
            }
        }
        Ok(same)
    }

    /// The order in which articles stand for others.
    fn precedence(&self, ordinal: u32) -> (i64, &str) {
        let article = self.articles.get(ordinal);
        (article.published().map_or(i64::MAX, |time| time.0), article.id())
    }

    /// Settles which of the exact copies that a change touches stands for the others.
    fn turn_out(&self, change: &Change) -> Result<Turnout> {
        let mut turnout = Turnout::default();
        let dead: HashSet<u32> = change.dead.iter().copied().collect();
        let born: HashSet<u32> = change.born.iter().copied().collect();
        let mut texts: Vec<u128> = Vec::new();
        for ordinal in change.born.iter().chain(&change.dead).copied() {
            self.articles.look_at(ordinal)?;
            let is_born = born.contains(&ordinal);
            let kept = self.state.flags[ordinal as usize] & flag::REPEAT;
            turnout.flags.insert(ordinal, if is_born { flag::LIVE | kept } else { kept });
            match self.articles.get(ordinal).exact_key() {
                Some(key) => texts.push(key),
                // Without a text there are no copies.
                None if is_born => turnout.enter(ordinal),
                None => turnout.leaving.push(ordinal),
            }
        }
        texts.sort_unstable();
        texts.dedup();
        for key in texts {
            let all = self.with_exact_text(key)?;
            let before = all.iter().copied().find(|ordinal| self.state.takes_part(*ordinal));
            let is_live = |o: &u32| (self.state.is_live(*o) && !dead.contains(o)) || born.contains(o);
            let members: Vec<u32> = all.into_iter().filter(is_live).collect();
            let stand_in = members.iter().copied().min_by_key(|ordinal| self.precedence(*ordinal));
            if before != stand_in {
                if let Some(before) = before {
                    let flags = turnout.flags.get(&before).copied();
                    let flags = flags.unwrap_or(self.state.flags[before as usize]) & !flag::PART;
                    turnout.flags.insert(before, flags);
                    turnout.leaving.push(before);
                }
                if let Some(stand_in) = stand_in {
                    turnout.flags.entry(stand_in).or_insert(self.state.flags[stand_in as usize]);
                    turnout.enter(stand_in);
                }
            }
            turnout.copies.push(Copies { stand_in, members });
        }
        turnout.entering.sort_unstable();
        turnout.leaving.sort_unstable();
        Ok(turnout)
    }

    fn takes_part_after(&self, turnout: &Turnout, ordinal: u32) -> bool {
        const BOTH: u8 = flag::LIVE | flag::PART;
        turnout.flags.get(&ordinal).map_or_else(|| self.state.takes_part(ordinal), |flags| flags & BOTH == BOTH)
    }

    /// The distinct keys of an article that is put away, in order.
    pub(super) fn keys_of(&self, ordinal: u32, scratch: &mut KeyingScratch) -> Result<Vec<u64>> {
        self.articles.look_at(ordinal)?;
        let record = self.articles.record(ordinal);
        let mut keys = Vec::new();
        self.keying.each_key(&record, &self.keying.signature(&record), scratch, |_, hash| keys.push(key_of(hash)));
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Pairs that meet anew under the keys of a turnout, and those that meet under one of them no more.
    fn meet(&self, turnout: &Turnout, change: &Change, new: &[(u64, u32)]) -> Result<(Meetings, ChangedCrowds)> {
        // New articles have ordinals that follow one another.
        let first = change.born.first().copied().unwrap_or(0);
        let mut enters = vec![false; change.born.len()];
        for ordinal in turnout.entering.iter().filter(|ordinal| **ordinal >= first) {
            enters.get_mut((ordinal - first) as usize).into_iter().for_each(|enters| *enters = true);
        }
        let is_entering = |ordinal: u32| enters[(ordinal - first) as usize];
        let is_of_sketch = |key: u64| key >> 32 < NUM_SHARDS as u64;
        let mut touched: Vec<(u64, u32, bool)> = new
            .iter()
            .filter(|(key, ordinal)| is_of_sketch(*key) && is_entering(*ordinal))
            .map(|(key, ordinal)| (*key, *ordinal, true))
            .collect();
        // Those that were there before have their keys made anew.
        let is_old = |ordinal: &u32| new.is_empty() || change.born.binary_search(ordinal).is_err();
        let come = turnout.entering.par_iter().copied().filter(is_old).map(|ordinal| (ordinal, true));
        let gone = turnout.leaving.par_iter().map(|ordinal| (*ordinal, false));
        let old: Vec<Vec<(u64, u32, bool)>> = come
            .chain(gone)
            .map_init(KeyingScratch::default, |scratch, (ordinal, enters)| {
                let keys = self.keys_of(ordinal, scratch)?;
                Ok(keys.into_iter().map(|key| (key, ordinal, enters)).collect())
            })
            .collect::<Result<_>>()?;
        if !old.is_empty() {
            touched.extend(old.into_iter().flatten());
            touched.par_sort_unstable();
        }
        let room = Room::default();
        let meetings: Vec<(Meetings, ChangedCrowds)> = parts_by_key(&touched)
            .into_par_iter()
            .map(|part| {
                let (mut meetings, mut changed): (Meetings, ChangedCrowds) = Default::default();
                let (crowded, others) = self.crowds.among(part.chunk_by(|a, b| a.0 == b.0), |bucket| bucket[0].0);
                for (bucket, crowd) in crowded {
                    let crowd = self.change_crowd(bucket, Before::Crowded(&crowd), &mut meetings)?;
                    changed.insert(bucket[0].0, room.take(crowd));
                }
                let hits = self.runs.find_all(others.iter().map(|bucket| bucket[0].0))?;
                let mut of_buckets = hits.chunk_by(|a, b| a.0 == b.0).peekable();
                for (number, bucket) in (0..).zip(others) {
                    let hits = of_buckets.next_if(|hits| hits[0].0 == number).unwrap_or_default();
                    let crowd = self.meet_in(bucket, hits, turnout, (&mut meetings, &room))?;
                    changed.extend(crowd.map(|crowd| (bucket[0].0, crowd)));
                }
                Ok((meetings, changed))
            })
            .collect::<Result<_>>()?;
        let (mut all, mut all_changed): (Meetings, ChangedCrowds) = Default::default();
        for (meetings, changed) in meetings {
            all.gained.extend(meetings.gained);
            all.lost.extend(meetings.lost);
            all_changed.extend(changed);
        }
        for pairs in [&mut all.gained, &mut all.lost] {
            pairs.par_sort_unstable();
            pairs.dedup();
        }
        Ok((all, all_changed))
    }

    /// What a bucket that is not known as crowded comes to, and, where it is crowded before or after, what it is then.
    fn meet_in(
        &self,
        bucket: &[(u64, u32, bool)],
        hits: &[(u32, u32)],
        turnout: &Turnout,
        (meetings, room): (&mut Meetings, &Room),
    ) -> Result<Option<Changed>> {
        // Most keys are an article's alone.
        if hits.is_empty() && bucket.len() <= 1 {
            return Ok(None);
        }
        let key = bucket[0].0;
        let entering: Vec<u32> =
            bucket.iter().filter(|(_, _, enters)| *enters).map(|(_, ordinal, _)| *ordinal).collect();
        let mut found: Vec<u32> = hits.iter().map(|(_, ordinal)| *ordinal).chain(entering.iter().copied()).collect();
        found.sort_unstable();
        found.dedup();
        let cap = self.keying.bucket_cap();
        let num_before = found.iter().filter(|ordinal| self.state.takes_part(**ordinal)).count();
        let num_after = found.iter().filter(|ordinal| self.takes_part_after(turnout, **ordinal)).count();
        if num_before <= cap && num_after <= cap {
            if num_after > 1 {
                found.retain(|ordinal| self.takes_part_after(turnout, *ordinal));
                meetings.meet_all(&found, &entering);
            }
            return Ok(None);
        }
        found.retain(|ordinal| self.state.takes_part(*ordinal));
        self.sort_by_id(&mut found)?;
        let crowd = (num_before > cap).then(|| Crowd::new(self.bucket(key), found.clone()));
        let before = crowd.as_ref().map_or(Before::Few(&found), Before::Crowded);
        Ok(Some(room.take(self.change_crowd(bucket, before, meetings)?)))
    }

    fn change_crowd(
        &self,
        bucket: &[(u64, u32, bool)],
        before: Before<'_>,
        meetings: &mut Meetings,
    ) -> Result<Option<Crowd>> {
        let moving = |enters: bool| {
            let some = bucket.iter().filter(|entry| entry.2 == enters).map(|(_, ordinal, _)| *ordinal);
            let mut some: Vec<u32> = some.collect();
            self.sort_by_id(&mut some).map(|()| some)
        };
        let (entering, leaving) = (moving(true)?, moving(false)?);
        let moves = Moves { entering: &entering, leaving: &leaving };
        Ok(Crowd::change(self.bucket(bucket[0].0), before, moves, meetings))
    }

    /// Puts articles in order of id, and looks at them for the first time.
    pub(super) fn sort_by_id(&self, ordinals: &mut [u32]) -> Result<()> {
        self.articles.will_look_at(ordinals)?;
        ordinals.iter().try_for_each(|ordinal| self.articles.look_at(*ordinal))?;
        ordinals.sort_unstable_by(|a, b| self.order(*a, *b));
        Ok(())
    }

    /// A bucket as a crowd asks for it.
    pub(super) fn bucket(&self, key: u64) -> Bucket<&Self> {
        Bucket { key, cap: self.keying.bucket_cap(), asked: self }
    }

    /// The matches among pairs that meet anew.
    fn judge_pairs(&self, mut pairs: Vec<(u32, u32)>, turnout: &Turnout) -> Result<Vec<Match>> {
        let is_known = |(a, b): &(u32, u32)| {
            let stays = |ordinal: u32| turnout.leaving.binary_search(&ordinal).is_err();
            // What is on offer has no matches yet.
            *b < self.num_counted
                && stays(*a)
                && stays(*b)
                && self.state.edges_of(*a).iter().any(|edge| edge.other == *b)
        };
        pairs.retain(|pair| !is_known(pair));
        let judged: Vec<Vec<Match>> = pairs
            .par_chunks(COUNTED_PAIRS)
            .map_init(Scratch::default, |scratch, some| {
                let mut terms = Vec::with_capacity(some.len());
                for (a, b) in some {
                    terms.push((self.articles.terms(*a)?, self.articles.terms(*b)?));
                }
                let ahead = some.iter().fold(0, |all, (a, _)| all ^ self.articles.read_ahead(*a));
                std::hint::black_box(ahead);
                // The heads suffice for most, and what else there is of these stays where it is.
                let with_terms = some.iter().copied().zip(&terms);
                let close = with_terms.filter(|(_, (of_a, of_b))| outlook(of_a, of_b) == Outlook::Match);
                let close: Vec<(u32, u32)> = close.map(|(pair, _)| pair).collect();
                close.iter().try_for_each(|(a, b)| self.articles.will_look_at(&[*a, *b]))?;
                let mut found = Vec::new();
                for (a, b) in close {
                    self.articles.look_at(a)?;
                    self.articles.look_at(b)?;
                    found.extend(self.judge_match(a, b, scratch));
                }
                Ok(found)
            })
            .collect::<Result<_>>()?;
        Ok(judged.into_iter().flatten().collect())
    }

    fn judge_match(&self, a: u32, b: u32, scratch: &mut Scratch) -> Option<Match> {
        let (a, b) = self.by_id(a, b);
        let verdict = self.engine.judge_records(&self.articles.record(a), &self.articles.record(b), scratch);
        match_of(a, b, &verdict)
    }

    /// Two articles in order of their ids: a verdict is on the first and the second.
    fn by_id(&self, a: u32, b: u32) -> (u32, u32) {
        if self.articles.get(a).id() <= self.articles.get(b).id() { (a, b) } else { (b, a) }
    }

    /// Of pairs that meet under a key no more the matches that meet under no other key either.
    fn unsupported(&self, lost: Vec<(u32, u32)>, turnout: &Turnout, crowds: &ChangedCrowds) -> Result<Vec<(u32, u32)>> {
        let stays = |ordinal: u32| turnout.leaving.binary_search(&ordinal).is_err();
        let is_match = |a: u32, b: u32| self.state.edges_of(a).iter().any(|edge| edge.other == b);
        let at_stake: Vec<(u32, u32)> =
            lost.into_iter().filter(|(a, b)| stays(*a) && stays(*b) && is_match(*a, *b)).collect();
        let judged: Vec<bool> = at_stake
            .par_iter()
            .map_init(KeyingScratch::default, |scratch, (a, b)| self.still_meet((*a, *b), turnout, crowds, scratch))
            .collect::<Result<_>>()?;
        Ok(at_stake.into_iter().zip(judged).filter(|(_, meet)| !meet).map(|(pair, _)| pair).collect())
    }

    fn still_meet(
        &self,
        (a, b): (u32, u32),
        turnout: &Turnout,
        crowds: &ChangedCrowds,
        scratch: &mut KeyingScratch,
    ) -> Result<bool> {
        let (of_a, of_b) = (self.keys_of(a, scratch)?, self.keys_of(b, scratch)?);
        let mut found = Vec::new();
        for key in of_a.into_iter().filter(|key| of_b.binary_search(key).is_ok()) {
            let changed = crowds.get(&key);
            // What is known as crowded and was not changed is so still.
            let known = if changed.is_none() { self.crowds.find(key) } else { None };
            let crowd = match (changed, known) {
                (Some(Changed::Crowded(crowd)), _) => Some(Arc::clone(crowd)),
                (Some(Changed::NotCrowded), _) => None,
                (None, Some(crowd)) => Some(crowd),
                (None | Some(Changed::Unknown), _) => {
                    found.clear();
                    self.runs.find(key, &mut found)?;
                    found.dedup();
                    found.retain(|ordinal| self.takes_part_after(turnout, *ordinal));
                    let is_crowded = found.len() > self.keying.bucket_cap();
                    if is_crowded { Some(self.crowd_of(key, &mut found, changed.is_none())?) } else { None }
                }
            };
            if crowd.is_none_or(|crowd| crowd.pairs(self.bucket(key), a, b)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The articles of a bucket as a crowd; it is kept where these are all that take part now.
    pub(super) fn crowd_of(&self, key: u64, members: &mut [u32], are_all: bool) -> Result<Arc<Crowd>> {
        self.sort_by_id(members)?;
        let crowd = Arc::new(Crowd::new(self.bucket(key), members.to_vec()));
        if are_all && members.len() > self.keying.bucket_cap() {
            self.crowds.keep(key, Arc::clone(&crowd));
        }
        Ok(crowd)
    }

    /// Clusters, singletons among them, of all components that a change touches.
    fn cluster_touched(&self, turnout: &Turnout, found: &[Match], lost: &[(u32, u32)]) -> Result<Vec<Draft>> {
        let mut added: HashMap<u32, Vec<Edge>> = HashMap::default();
        for Match { a, b, margin, excerpt } in found.iter().copied() {
            added.entry(a).or_default().push(Edge { other: b, margin, excerpt });
            added.entry(b).or_default().push(Edge { other: a, margin, excerpt });
        }
        let lost_pairs: HashSet<(u32, u32)> = lost.iter().copied().collect();
        let (added, lost_pairs) = (&added, &lost_pairs);
        let edges = |ordinal: u32| {
            let is_new = turnout.entering.binary_search(&ordinal).is_ok();
            let before = if is_new { &[] } else { self.state.edges_of(ordinal) };
            let stays = move |edge: &&Edge| {
                let pair = (ordinal.min(edge.other), ordinal.max(edge.other));
                turnout.leaving.binary_search(&edge.other).is_err() && !lost_pairs.contains(&pair)
            };
            before.iter().filter(stays).chain(added.get(&ordinal).into_iter().flatten()).copied()
        };
        let mut touched: Vec<u32> = turnout.entering.clone();
        touched.extend(turnout.leaving.iter().flat_map(|left| self.state.edges_of(*left)).map(|edge| edge.other));
        touched.extend(lost.iter().flat_map(|(a, b)| [*a, *b]));
        touched.extend(found.iter().flat_map(|m| [m.a, m.b]));
        touched.sort_unstable();
        touched.dedup();
        let mut seen: HashSet<u32> = HashSet::default();
        let mut whole: Vec<Vec<u32>> = Vec::new();
        for start in touched {
            if turnout.leaving.binary_search(&start).is_ok() && turnout.entering.binary_search(&start).is_err() {
                continue;
            }
            if !seen.insert(start) {
                continue;
            }
            let mut component = vec![start];
            let mut at = 0;
            while at < component.len() {
                component.extend(edges(component[at]).map(|edge| edge.other).filter(|other| seen.insert(*other)));
                at += 1;
            }
            whole.push(component);
        }
        let (alone, whole): (Vec<Vec<u32>>, Vec<Vec<u32>>) =
            whole.into_iter().partition(|component| component.len() == 1);
        let mut drafts: Vec<Draft> =
            alone.into_iter().map(|members| Draft { representative: members[0], members }).collect();
        let clustered: Vec<Vec<Draft>> = whole
            .into_par_iter()
            .map(|mut component| {
                component.iter().try_for_each(|ordinal| self.articles.look_at(*ordinal))?;
                component.sort_unstable_by_key(|ordinal| self.articles.get(*ordinal).id());
                let rank: HashMap<u32, u32> =
                    component.iter().zip(0..).map(|(ordinal, rank)| (*ordinal, rank)).collect();
                let mut matches = Vec::new();
                for (a, ordinal) in (0..).zip(&component) {
                    matches.extend(edges(*ordinal).filter_map(|edge| {
                        let b = rank[&edge.other];
                        let excerpt = edge.excerpt.map(|excerpt| rank[&excerpt]);
                        (a < b).then_some(Match { a, b, margin: edge.margin, excerpt })
                    }));
                }
                matches.sort_unstable();
                Ok(self.cluster_component(&component, &matches))
            })
            .collect::<Result<_>>()?;
        drafts.extend(clustered.into_iter().flatten());
        Ok(drafts)
    }

    fn cluster_component(&self, articles: &[u32], matches: &[Match]) -> Vec<Draft> {
        let mut drafts: Vec<Draft> = Vec::new();
        let mut is_alone = vec![true; articles.len()];
        for part in components(articles.len(), matches, self.engine.component_limit) {
            let known = part.iter().map(|m| ((m.a, m.b), m.margin)).collect();
            let mut pairs = InIndex { index: self, articles, known, scratch: Scratch::default() };
            for Cluster { representative, members } in cluster_component(&part, &mut pairs) {
                members.iter().for_each(|member| is_alone[*member as usize] = false);
                let mut members: Vec<u32> = members.into_iter().map(|member| articles[member as usize]).collect();
                members.sort_unstable();
                drafts.push(Draft { representative: articles[representative as usize], members });
            }
        }
        let alone = articles.iter().zip(is_alone).filter(|(_, is_alone)| *is_alone);
        drafts.extend(alone.map(|(ordinal, _)| Draft { representative: *ordinal, members: vec![*ordinal] }));
        drafts
    }
}

/// Keys that a worker takes at once.
const PART_LEN: usize = 1 << 12;

/// Entries in order of key as parts, none of which ends within a key.
fn parts_by_key(entries: &[(u64, u32, bool)]) -> Vec<&[(u64, u32, bool)]> {
    let mut parts = Vec::new();
    let mut rest = entries;
    while !rest.is_empty() {
        let mut len = rest.len().min(PART_LEN);
        while len < rest.len() && rest[len].0 == rest[len - 1].0 {
            len += 1;
        }
        let (part, others) = rest.split_at(len);
        parts.push(part);
        rest = others;
    }
    parts
}

impl Refine for &Index {
    fn origin(&self, ordinal: u32, key: u64) -> Option<KeyOrigin> {
        self.keying.origin_of(&self.articles.record(ordinal), key)
    }

    fn refine(&self, ordinal: u32, origin: KeyOrigin, key: u64, depth: usize) -> Option<u32> {
        self.keying.refine_of(&self.articles.record(ordinal), origin, key, depth)
    }
}

impl Asked for &Index {
    /// Versions of one article, of which one comes as the other goes, are in order of their coming.
    fn order(&self, a: u32, b: u32) -> Ordering {
        let id = |ordinal: u32| self.articles.get(ordinal).id();
        id(a).cmp(id(b)).then(a.cmp(&b))
    }
}

/// Verifies pairs of a component as clustering asks for them; articles by rank of their ids.
struct InIndex<'a> {
    index: &'a Index,
    articles: &'a [u32],
    known: HashMap<(u32, u32), i32>,
    scratch: Scratch,
}

impl Pairs for InIndex<'_> {
    fn margin(&mut self, a: u32, b: u32) -> i32 {
        let (a, b) = (a.min(b), a.max(b));
        if let Some(margin) = self.known.get(&(a, b)) {
            return *margin;
        }
        let (first, second) = (self.articles[a as usize], self.articles[b as usize]);
        let margin = self.index.margins.get_or(first, second, || {
            let articles = &self.index.articles;
            let (first, second) = (articles.record(first), articles.record(second));
            self.index.engine.judge_records(&first, &second, &mut self.scratch).margin.max(LEAST_MARGIN)
        });
        self.known.insert((a, b), margin);
        margin
    }

    fn precedence(&self, article: u32) -> (i64, u32) {
        let published = self.index.articles.get(self.articles[article as usize]).published();
        (published.map_or(i64::MAX, |time| time.0), article)
    }

    fn content_len(&self, article: u32) -> usize {
        self.index.articles.record(self.articles[article as usize]).content.len()
    }
}

impl Turnout {
    fn enter(&mut self, ordinal: u32) {
        *self.flags.entry(ordinal).or_insert(0) |= flag::PART | flag::LIVE;
        self.entering.push(ordinal);
    }
}
