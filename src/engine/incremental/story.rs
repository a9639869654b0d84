//! Stories: clusters with a name that outlasts their changes, and the log of these.
//!
//! A cluster that was touched keeps the oldest story of its members that no other holds more of; what is left without one
//! begins a new story.

use super::derive::Change;
use super::state::{Delta, State};
use crate::error::Result;
use crate::hash::HashMap;

/// A cluster before it has a story: articles by their ordinals, in order.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) representative: u32,
    pub(super) members: Vec<u32>,
}

/// What happened to a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An article has come into a story that it was not in.
    Join { article: u32, story: u32 },
    /// An article has gone.
    Leave { article: u32, story: u32 },
    /// A story has gone into another.
    Merge { story: u32, into: u32 },
    /// A story was parted from another.
    Split { story: u32, from: u32 },
    /// The last article of a story has gone.
    End { story: u32 },
}

/// Gives each cluster its story, its copies along with it, and says what happened.
///
/// `copies` are the exact copies of articles that the change has touched, by the one that stands for them.
pub(super) fn assign(
    state: &State,
    change: &Change,
    drafts: &[Draft],
    copies: &[(u32, &[u32])],
    find_copies: impl Fn(u32) -> Result<Vec<u32>>,
    delta: &mut Delta,
) -> Result<Vec<Event>> {
    let story_before = |ordinal: u32| *state.stories.get(ordinal as usize).unwrap_or(&0);
    let replaces: HashMap<u32, u32> = change.replaced.iter().copied().collect();
    let copies: HashMap<u32, &[u32]> = copies.iter().copied().collect();

    // Who claims which story: through members, their copies, and what they are a new version of.
    let mut claims: Vec<(u32, std::cmp::Reverse<u32>, u32, usize)> = Vec::new();
    let mut held: Vec<u32> = Vec::new();
    for (number, draft) in drafts.iter().enumerate() {
        held.clear();
        for member in &draft.members {
            let alike = copies.get(member).copied().unwrap_or(std::slice::from_ref(member));
            for carrier in alike.iter().chain(alike.iter().filter_map(|one| replaces.get(one))) {
                held.extend(Some(story_before(*carrier)).filter(|story| *story != 0));
            }
        }
        held.sort_unstable();
        let first = draft.members[0];
        claims.extend(held.chunk_by(|a, b| a == b).map(|same| {
            let num = same.len() as u32;
            (same[0], std::cmp::Reverse(num), first, number)
        }));
    }
    claims.sort_unstable();
    let mut given: Vec<u32> = vec![0; drafts.len()];
    // Where the bulk of each story went.
    let mut heir: HashMap<u32, usize> = HashMap::default();
    let mut keeper: HashMap<u32, usize> = HashMap::default();
    for (story, _, _, draft) in &claims {
        heir.entry(*story).or_insert(*draft);
        if given[*draft] == 0 && !keeper.contains_key(story) {
            given[*draft] = *story;
            keeper.insert(*story, *draft);
        }
    }
    let mut events = Vec::new();
    let mut without: Vec<usize> = (0..drafts.len()).filter(|draft| given[*draft] == 0).collect();
    without.sort_unstable_by_key(|draft| drafts[*draft].members[0]);
    for draft in without {
        delta.last_story += 1;
        given[draft] = delta.last_story;
        // The most of it came from there.
        let from = claims.iter().filter(|claim| claim.3 == draft).min_by_key(|claim| (claim.1, claim.0));
        events.extend(from.map(|claim| Event::Split { story: delta.last_story, from: claim.0 }));
    }
    let mut claimed: Vec<u32> = claims.iter().map(|claim| claim.0).collect();
    claimed.dedup();
    for story in claimed.into_iter().filter(|story| !keeper.contains_key(story)) {
        events.push(Event::Merge { story, into: given[heir[&story]] });
    }

    // Every article that is in another story than before.
    let mut stories: Vec<(u32, u32)> = Vec::new();
    let mut settled: HashMap<u32, u32> = HashMap::default();
    for (draft, story) in drafts.iter().zip(&given) {
        for member in &draft.members {
            settled.insert(*member, *story);
            if story_before(*member) != *story {
                stories.push((*member, *story));
                if !copies.contains_key(member) && state.is_live(*member) {
                    stories.extend(find_copies(*member)?.into_iter().filter(|o| o != member).map(|o| (o, *story)));
                }
            }
        }
    }
    for (stand_in, alike) in &copies {
        let story = settled.get(stand_in).copied().unwrap_or_else(|| story_before(*stand_in));
        stories.extend(alike.iter().filter(|one| story_before(**one) != story).map(|one| (*one, story)));
    }
    stories.sort_unstable();
    stories.dedup();
    events.extend(stories.iter().map(|(article, story)| Event::Join { article: *article, story: *story }));
    for article in &change.dead {
        events.push(Event::Leave { article: *article, story: story_before(*article) });
        stories.push((*article, 0));
    }
    stories.sort_unstable();
    delta.stories = stories;

    // Clusters of touched stories go; who calls knows which of them stay as they are.
    let left = delta.left.iter().copied();
    let members = drafts.iter().flat_map(|draft| draft.members.iter().copied());
    let mut touched: Vec<u32> = left.chain(members).map(story_before).filter(|story| *story != 0).collect();
    touched.sort_unstable();
    touched.dedup();
    let dissolved = touched.iter().copied().filter(|story| state.groups.contains_key(story));
    delta.dissolved = dissolved.collect();

    let mut ended: Vec<u32> = change.dead.iter().map(|ordinal| story_before(*ordinal)).collect();
    ended.sort_unstable();
    ended.dedup();
    for story in ended.into_iter().filter(|story| !heir.contains_key(story)) {
        let stands_elsewhere = |(stand_in, _): (&u32, _)| story_before(*stand_in) == story;
        let has_group = state.groups.contains_key(&story) && !delta.dissolved.contains(&story);
        if !has_group && !copies.iter().any(stands_elsewhere) {
            events.push(Event::End { story });
        }
    }
    Ok(events)
}
