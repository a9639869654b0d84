//! What an index knows beside its articles and keys: who is live, who takes part, which pairs match, which cluster and story
//! each article is in; and what a change does to these.

use crate::cluster::Match;
use crate::hash::HashMap;

/// Bits that are kept of each article.
pub(super) mod flag {
    /// It was added and not removed.
    pub(in super::super) const LIVE: u8 = 1;
    /// No exact copy stands in for it.
    pub(in super::super) const PART: u8 = 2;
    /// A filter took it for a repeat.
    pub(in super::super) const REPEAT: u8 = 4;
}

/// One end of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) other: u32,
    pub(super) margin: i32,
    /// Which of the two is an excerpt of the other, if one is.
    pub(super) excerpt: Option<u32>,
}

/// A cluster of two and more articles that take part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) story: u32,
    pub(super) representative: u32,
    pub(super) members: Vec<u32>,
}

/// Articles are given by their ordinals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) flags: Vec<u8>,
    /// The story of each; 0 of one that is not live.
    pub(super) stories: Vec<u32>,
    /// The matches of each, by both ends.
    pub(super) edges: HashMap<u32, Vec<Edge>>,
    /// Clusters by story.
    pub(super) groups: HashMap<u32, Group>,
    pub(super) last_story: u32,
    /// Articles from before this moment are gone.
    pub(super) cutoff: i64,
    /// When the last article came.
    pub(super) arrival: i64,
}

/// What a change does to the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) flags: Vec<(u32, u8)>,
    pub(super) stories: Vec<(u32, u32)>,
    /// Pairs that match no more, but for those of articles that take part no more.
    pub(super) lost: Vec<(u32, u32)>,
    /// Articles that take part no more: their matches go.
    pub(super) left: Vec<u32>,
    pub(super) found: Vec<Match>,
    /// Stories whose clusters go.
    pub(super) dissolved: Vec<u32>,
    pub(super) formed: Vec<Group>,
    pub(super) last_story: u32,
    pub(super) cutoff: i64,
    pub(super) arrival: i64,
}

/// Bytes of a state that are written at once.
const WRITTEN_AT_ONCE: usize = 1 << 20;
/// Edges of an article for which no room is made ahead.
const FEW_EDGES: usize = 4;
const NO_STATE: &str = "a change names an article that there is not";

impl State {
    pub(super) fn is_live(&self, ordinal: u32) -> bool {
        self.flags[ordinal as usize] & flag::LIVE != 0
    }

    pub(super) fn takes_part(&self, ordinal: u32) -> bool {
        const BOTH: u8 = flag::LIVE | flag::PART;
        self.flags[ordinal as usize] & BOTH == BOTH
    }

    pub(super) fn edges_of(&self, ordinal: u32) -> &[Edge] {
        self.edges.get(&ordinal).map_or(&[], Vec::as_slice)
    }

    /// Carries a change out.
    pub(super) fn apply(&mut self, delta: &Delta) {
        for (ordinal, flags) in &delta.flags {
            self.flags[*ordinal as usize] = *flags;
        }
        for (ordinal, story) in &delta.stories {
            self.stories[*ordinal as usize] = *story;
        }
        for ordinal in &delta.left {
            for edge in self.edges.remove(ordinal).unwrap_or_default() {
                self.drop_edge(edge.other, *ordinal);
            }
        }
        for (a, b) in &delta.lost {
            self.drop_edge(*a, *b);
            self.drop_edge(*b, *a);
        }
        for Match { a, b, margin, excerpt } in &delta.found {
            let (margin, excerpt) = (*margin, *excerpt);
            for (from, other) in [(*a, *b), (*b, *a)] {
                let edges = self.edges.entry(from).or_default();
                // Most have one or two; room for four would be most of what the state takes.
                if edges.len() < FEW_EDGES {
                    edges.reserve_exact(1);
                }
                edges.push(Edge { other, margin, excerpt });
            }
        }
        for story in &delta.dissolved {
            self.groups.remove(story);
        }
        for group in &delta.formed {
            self.groups.insert(group.story, group.clone());
        }
        self.last_story = delta.last_story;
        self.cutoff = delta.cutoff;
        self.arrival = delta.arrival;
    }

    fn drop_edge(&mut self, from: u32, other: u32) {
        if let Some(edges) = self.edges.get_mut(&from) {
            edges.retain(|edge| edge.other != other);
            if edges.is_empty() {
                self.edges.remove(&from);
            }
        }
    }

    /// The state of some articles, all live ones among them, under other ordinals in the same order.
    pub(super) fn renumbered(&self, kept: &[u32], number: impl Fn(u32) -> u32) -> Self {
        let edge =
            |edge: &Edge| Edge { other: number(edge.other), margin: edge.margin, excerpt: edge.excerpt.map(&number) };
        let group = |group: &Group| Group {
            story: group.story,
            representative: number(group.representative),
            members: group.members.iter().map(|member| number(*member)).collect(),
        };
        Self {
            flags: kept.iter().map(|ordinal| self.flags[*ordinal as usize]).collect(),
            stories: kept.iter().map(|ordinal| self.stories[*ordinal as usize]).collect(),
            edges: self.edges.iter().map(|(o, edges)| (number(*o), edges.iter().map(edge).collect())).collect(),
            groups: self.groups.iter().map(|(story, of_it)| (*story, group(of_it))).collect(),
            ..*self
        }
    }

    /// Puts the state down as bytes, some at a time: all together they may be a good part of the memory.
    pub(super) fn write<E>(&self, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut out = Bytes::default();
        let mut pass_on = |out: &mut Bytes, is_end: bool| {
            if is_end || out.0.len() >= WRITTEN_AT_ONCE {
                put(&out.0)?;
                out.0.clear();
            }
            Ok(())
        };
        out.number(self.flags.len() as u64);
        out.0.extend_from_slice(&self.flags);
        for story in &self.stories {
            out.word(*story);
            pass_on(&mut out, false)?;
        }
        let num_matches = self.edges.values().map(Vec::len).sum::<usize>() / 2;
        out.number(num_matches as u64);
        let mut of_one: Vec<Match> = Vec::new();
        for ordinal in 0..self.flags.len() as u32 {
            let of_lower = self.edges_of(ordinal).iter().filter(|edge| ordinal < edge.other);
            let m = |edge: &Edge| Match { a: ordinal, b: edge.other, margin: edge.margin, excerpt: edge.excerpt };
            of_one.extend(of_lower.map(m));
            of_one.sort_unstable();
            of_one.drain(..).for_each(|m| out.a_match(m));
            pass_on(&mut out, false)?;
        }
        let mut stories: Vec<u32> = self.groups.keys().copied().collect();
        stories.sort_unstable();
        out.number(stories.len() as u64);
        for story in stories {
            out.group(&self.groups[&story]);
            pass_on(&mut out, false)?;
        }
        out.word(self.last_story);
        out.number(self.cutoff as u64);
        out.number(self.arrival as u64);
        pass_on(&mut out, true)
    }

    #[cfg(test)]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let put = |some: &[u8]| {
            bytes.extend_from_slice(some);
            Ok::<(), std::convert::Infallible>(())
        };
        self.write(put).expect("memory takes all");
        bytes
    }

    /// The state that bytes say; `None` where they say none.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        let num = usize::try_from(input.number()?).ok()?;
        let flags = input.bytes(num)?.to_vec();
        let stories = input.bytes(num.checked_mul(4)?)?.as_chunks().0.iter().map(|w| u32::from_le_bytes(*w)).collect();
        let mut state = Self { flags, stories, ..Self::default() };
        let delta = Delta {
            found: input.matches()?,
            formed: input.groups()?,
            last_story: input.word()?,
            cutoff: input.number()? as i64,
            arrival: input.number()? as i64,
            ..Delta::default()
        };
        (input.0.is_empty() && delta.is_within(num)).then(|| {
            state.apply(&delta);
            state
        })
    }
}

impl Delta {
    /// Whether it speaks of the first `num` articles only.
    pub(super) fn is_within(&self, num: usize) -> bool {
        let mut ordinals = self.flags.iter().map(|(ordinal, _)| ordinal).chain(self.stories.iter().map(|(o, _)| o));
        let mut ends = self.lost.iter().flat_map(|(a, b)| [a, b]).chain(&self.left);
        let mut found = self.found.iter().flat_map(|m| [&m.a, &m.b].into_iter().chain(&m.excerpt));
        let mut members = self.formed.iter().flat_map(|group| group.members.iter().chain([&group.representative]));
        let is_within = |ordinal: &u32| (*ordinal as usize) < num;
        ordinals.all(is_within) && ends.all(is_within) && found.all(is_within) && members.all(is_within)
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        out.number(self.flags.len() as u64);
        for (ordinal, flags) in &self.flags {
            out.word(*ordinal);
            out.word(u32::from(*flags));
        }
        out.pairs(&self.stories);
        out.pairs(&self.lost);
        out.words(&self.left);
        out.number(self.found.len() as u64);
        self.found.iter().for_each(|m| out.a_match(*m));
        out.words(&self.dissolved);
        out.number(self.formed.len() as u64);
        self.formed.iter().for_each(|group| out.group(group));
        out.word(self.last_story);
        out.number(self.cutoff as u64);
        out.number(self.arrival as u64);
    }

    pub(super) fn read(input: &mut Input<'_>) -> Option<Self> {
        Some(Self {
            flags: input.pairs()?.into_iter().map(|(ordinal, flags)| (ordinal, flags as u8)).collect(),
            stories: input.pairs()?,
            lost: input.pairs()?,
            left: input.words()?,
            found: input.matches()?,
            dissolved: input.words()?,
            formed: input.groups()?,
            last_story: input.word()?,
            cutoff: input.number()? as i64,
            arrival: input.number()? as i64,
        })
    }

    /// The flags that an article has after the change.
    pub(super) fn flags_of(&self, state: &State, ordinal: u32) -> u8 {
        let changed = self.flags.binary_search_by_key(&ordinal, |(changed, _)| *changed);
        changed.map_or_else(|_| *state.flags.get(ordinal as usize).expect(NO_STATE), |at| self.flags[at].1)
    }

    /// The story that an article is in after the change.
    pub(super) fn story_of(&self, state: &State, ordinal: u32) -> u32 {
        let changed = self.stories.binary_search_by_key(&ordinal, |(changed, _)| *changed);
        changed.map_or_else(|_| *state.stories.get(ordinal as usize).expect(NO_STATE), |at| self.stories[at].1)
    }
}

/// Bytes being written.
#[derive(Debug, Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Bytes {
    pub(super) fn word(&mut self, word: u32) {
        self.0.extend_from_slice(&word.to_le_bytes());
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn words(&mut self, words: &[u32]) {
        self.number(words.len() as u64);
        words.iter().for_each(|word| self.word(*word));
    }

    fn pairs(&mut self, pairs: &[(u32, u32)]) {
        self.number(pairs.len() as u64);
        pairs.iter().flat_map(|(a, b)| [*a, *b]).for_each(|word| self.word(word));
    }

    /// The two, the margin, and 1 or 2 where the first or second is an excerpt of the other.
    fn a_match(&mut self, m: Match) {
        let excerpt = m.excerpt.map_or(0, |excerpt| if excerpt == m.a { 1 } else { 2 });
        [m.a, m.b, m.margin as u32, excerpt].into_iter().for_each(|word| self.word(word));
    }

    fn group(&mut self, group: &Group) {
        self.word(group.story);
        self.word(group.representative);
        self.words(&group.members);
    }
}

/// Bytes being read; each call gives `None` where they end early.
#[derive(Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn word(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    /// A count of things of at least `len` bytes, no more than what is left can hold.
    fn count(&mut self, len: usize) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|num| num.saturating_mul(len) <= self.0.len())
    }

    pub(super) fn words(&mut self) -> Option<Vec<u32>> {
        let num = self.count(4)?;
        (0..num).map(|_| self.word()).collect()
    }

    fn pairs(&mut self) -> Option<Vec<(u32, u32)>> {
        let num = self.count(8)?;
        (0..num).map(|_| Some((self.word()?, self.word()?))).collect()
    }

    fn matches(&mut self) -> Option<Vec<Match>> {
        let num = self.count(16)?;
        let m = |input: &mut Self| {
            let [a, b, margin] = [input.word()?, input.word()?, input.word()?];
            let excerpt = match input.word()? {
                0 => None,
                1 => Some(a),
                _ => Some(b),
            };
            Some(Match { a, b, margin: margin as i32, excerpt })
        };
        (0..num).map(|_| m(self)).collect()
    }

    fn groups(&mut self) -> Option<Vec<Group>> {
        let num = self.count(16)?;
        let group = |input: &mut Self| {
            Some(Group { story: input.word()?, representative: input.word()?, members: input.words()? })
        };
        (0..num).map(|_| group(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let mut state = State { flags: vec![3; 5], stories: vec![1, 1, 2, 3, 1], ..State::default() };
        state.apply(&Delta {
            found: vec![
                Match { a: 1, b: 0, margin: -5, excerpt: Some(0) },
                Match { a: 0, b: 4, margin: 900, excerpt: None },
            ],
            formed: vec![Group { story: 1, representative: 0, members: vec![0, 1, 4] }],
            last_story: 3,
            cutoff: -7,
            arrival: 8,
            ..Delta::default()
        });
        state
    }

    #[test]
    fn state_and_change_come_back() {
        let state = state();
        let bytes = state.to_bytes();
        let back = State::from_bytes(&bytes).unwrap();
        assert_eq!(back.to_bytes(), bytes);
        assert_eq!((back.edges_of(1), &back.groups), (state.edges_of(1), &state.groups));
        for len in 0..bytes.len() {
            assert!(State::from_bytes(&bytes[..len]).is_none(), "cut to {len}");
        }
        let delta = Delta {
            flags: vec![(2, 5)],
            stories: vec![(2, 9), (3, 1)],
            lost: vec![(0, 4)],
            left: vec![1],
            dissolved: vec![1],
            last_story: 9,
            ..Delta::default()
        };
        let mut out = Bytes::default();
        delta.write(&mut out);
        assert_eq!(Delta::read(&mut Input(&out.0)).unwrap(), delta);
        assert_eq!((delta.flags_of(&state, 2), delta.flags_of(&state, 3), delta.story_of(&state, 3)), (5, 3, 1));
        assert!(delta.is_within(5) && !delta.is_within(4));
    }

    #[test]
    fn matches_go_with_either_end() {
        let mut state = state();
        state.apply(&Delta { left: vec![1], dissolved: vec![1], ..Delta::default() });
        assert!(state.edges_of(1).is_empty() && state.groups.is_empty());
        assert_eq!(state.edges_of(0).len(), 1);
        state.apply(&Delta { lost: vec![(0, 4)], ..Delta::default() });
        assert!(state.edges.is_empty());
    }
}
