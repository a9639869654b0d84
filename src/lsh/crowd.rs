//! A crowded bucket as it was refined, kept so that articles can come and go without the others being refined anew. Articles
//! have any numbers here: what depends on an order asks for that of ids.
//!
//! What it pairs is what [`super::bucket_pairs`] pairs of the same articles.

use super::{KeyOrigin, MAX_DEPTH, NEIGHBOURS, Neighbours, Refine};
use std::cmp::Ordering;
use std::sync::Arc;

/// Tells of articles, by any numbers, what a crowd needs.
pub(crate) trait Asked: Refine + Copy {
    /// The order of ids; no two articles are equal.
    fn order(&self, a: u32, b: u32) -> Ordering;
}

/// A bucket, the most that one may hold before it is refined, and who is asked about its articles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket<A> {
    pub(crate) key: u64,
    pub(crate) cap: usize,
    pub(crate) asked: A,
}

/// What a part takes beside its articles, in entries of eight bytes.
const PART_ENTRIES: usize = 16;
/// What no refined key is ([`super::refined_key`]).
const NO_KEY: u32 = 0;

/// Articles that come into a bucket and that leave it, each in order of id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moves<'a> {
    pub(crate) entering: &'a [u32],
    pub(crate) leaving: &'a [u32],
}

/// The articles of a bucket before a change, in order of id: few enough, or crowded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Before<'a> {
    Few(&'a [u32]),
    Crowded(&'a Crowd),
}

/// Pairs that a change brings together, and pairs of those who stay that it parts. One that is parted in one part of a
/// bucket may still meet in another.
#[derive(Debug, Default)]
pub(crate) struct Meetings {
    pub(crate) gained: Vec<(u32, u32)>,
    pub(crate) lost: Vec<(u32, u32)>,
}

impl Meetings {
    /// Adds the pairs of articles that come with all that a bucket then holds.
    pub(crate) fn meet_all(&mut self, members: &[u32], entering: &[u32]) {
        for new in entering {
            let others = members.iter().filter(|other| *other != new);
            self.gained.extend(others.map(|other| (*new.min(other), *new.max(other))));
        }
    }
}

/// A bucket of more articles than it may hold.
#[derive(Debug)]
pub(crate) struct Crowd {
    origin: Option<KeyOrigin>,
    whole: Part,
}

/// Articles of a crowd with the same refined key.
#[derive(Debug)]
struct Part {
    /// In order of id.
    members: Vec<u32>,
    /// The key of each, refined once more; [`NO_KEY`] of one that has no more elements.
    keys: Vec<u32>,
    /// Those of these keys that are crowded, in order.
    crowded: Vec<(u32, Arc<Part>)>,
}

/// Where articles lie in a part before and after some come and others go.
struct Places {
    /// Places before which articles come in, and those they have afterwards.
    before: Vec<usize>,
    after: Vec<usize>,
    /// Places that become free, and how many in front of each do not.
    free: Vec<usize>,
    stay_before: Vec<usize>,
}

impl Crowd {
    /// Refines a bucket: its articles, in order of id, one at least.
    pub(crate) fn new(bucket: Bucket<impl Asked>, members: Vec<u32>) -> Self {
        let origin = bucket.asked.origin(members[0], bucket.key);
        Self { origin, whole: bucket.part(origin, members, 0) }
    }

    /// What becomes of a bucket when some come and others go; `None` where it is not crowded then.
    pub(crate) fn change(
        bucket: Bucket<impl Asked>,
        before: Before<'_>,
        moves: Moves<'_>,
        meetings: &mut Meetings,
    ) -> Option<Self> {
        let (before, crowd) = match before {
            Before::Few(members) => (members, None),
            Before::Crowded(crowd) => (crowd.members(), Some(crowd)),
        };
        let places = Places::new(bucket, before, moves);
        let members = places.merged(before, moves.entering);
        if let Some(crowd) = crowd
            && members.len() > bucket.cap
        {
            let origin =
                if members[0] == before[0] { crowd.origin } else { bucket.asked.origin(members[0], bucket.key) };
            if origin == crowd.origin {
                return Some(Self {
                    origin,
                    whole: bucket.changed(origin, &crowd.whole, (&places, moves), 0, meetings),
                });
            }
        }
        let then = (members.len() > bucket.cap).then(|| Self::new(bucket, members.clone()));
        let [before, after] = [(before, crowd), (&members, then.as_ref())];
        let pairs = |(members, crowd): (&[u32], Option<&Self>)| bucket.pairs(members, crowd.map(|crowd| &crowd.whole));
        bucket.compare(moves, pairs(before), pairs(after), meetings);
        then
    }

    /// Its articles, in order of id.
    pub(crate) fn members(&self) -> &[u32] {
        &self.whole.members
    }

    /// Entries that are held, of eight bytes: one for an article at each depth that it comes to, and some for each part.
    pub(crate) fn num_held(&self) -> usize {
        self.whole.num_held()
    }

    /// Whether two of its articles are paired.
    pub(crate) fn pairs(&self, bucket: Bucket<impl Asked>, a: u32, b: u32) -> bool {
        let (a, b) = if bucket.asked.order(a, b) == Ordering::Less { (a, b) } else { (b, a) };
        let mut part = &self.whole;
        loop {
            let [first, second] = [a, b].map(|article| bucket.place(&part.members, article));
            if first == 0 || second - first <= NEIGHBOURS {
                return true;
            }
            let key = part.keys[first];
            if key == NO_KEY || key != part.keys[second] {
                return false;
            }
            match part.crowded_under(key) {
                Some(deeper) => part = deeper,
                None => return true,
            }
        }
    }

    /// Calls `each` with the articles that a guest is paired with, which stands behind all of them; one may come more than
    /// once. `refine` gives the guest's key by origin and depth. That the bucket is crowded along with the guest is enough.
    pub(crate) fn meet_guest(
        &self,
        bucket: Bucket<impl Asked>,
        refine: impl Fn(KeyOrigin, usize) -> Option<u32>,
        mut each: impl FnMut(u32),
    ) {
        let mut part = &self.whole;
        let mut made;
        for depth in 1.. {
            part.members[..1].iter().copied().for_each(&mut each);
            part.members[1..].iter().rev().take(NEIGHBOURS).copied().for_each(&mut each);
            let Some(origin) = self.origin.filter(|_| depth <= MAX_DEPTH) else { return };
            let Some(key) = refine(origin, depth) else { return };
            if let Some(deeper) = part.crowded_under(key) {
                part = deeper;
                continue;
            }
            let same = part.under(key);
            if same.len() < bucket.cap {
                return same.into_iter().for_each(each);
            }
            made = bucket.part(self.origin, same, depth);
            part = &made;
        }
    }
}

impl Part {
    /// The articles under a key, in order of id.
    fn under(&self, key: u32) -> Vec<u32> {
        let entries = self.members.iter().zip(&self.keys);
        entries.filter(|(_, other)| **other == key).map(|(article, _)| *article).collect()
    }

    fn crowded_under(&self, key: u32) -> Option<&Arc<Self>> {
        self.crowded.binary_search_by_key(&key, |(key, _)| *key).ok().map(|at| &self.crowded[at].1)
    }

    fn num_held(&self) -> usize {
        PART_ENTRIES + self.members.len() + self.crowded.iter().map(|(_, part)| part.num_held()).sum::<usize>()
    }
}

/// The articles under each of some keys, in order of id; the keys in order, [`NO_KEY`] not among them.
fn under_each(keys: &[u32], (articles, of_articles): (&[u32], &[u32])) -> Vec<Vec<u32>> {
    let mut under = vec![Vec::new(); keys.len()];
    for (article, key) in articles.iter().zip(of_articles) {
        if let Ok(at) = keys.binary_search(key) {
            under[at].push(*article);
        }
    }
    under
}

/// The articles under each key, in order of keys, then of id.
fn by_key(members: &[u32], keys: &[u32]) -> Vec<(u32, Vec<u32>)> {
    let with_keys = (0u64..).zip(keys).filter(|(_, key)| **key != NO_KEY);
    let mut order: Vec<u64> = with_keys.map(|(place, key)| u64::from(*key) << 32 | place).collect();
    order.sort_unstable();
    let same = order.chunk_by(|a, b| a >> 32 == b >> 32);
    let members = |same: &[u64]| same.iter().map(|entry| members[*entry as u32 as usize]).collect();
    same.map(|same| ((same[0] >> 32) as u32, members(same))).collect()
}

impl<A: Asked> Bucket<A> {
    /// The place of an article that is among some.
    fn place(&self, members: &[u32], article: u32) -> usize {
        members.partition_point(|member| self.asked.order(*member, article) == Ordering::Less)
    }

    /// The refined key of each of some articles, [`NO_KEY`] of one that has none.
    fn keys(&self, origin: Option<KeyOrigin>, articles: &[u32], depth: usize) -> Vec<u32> {
        let Some(origin) = origin.filter(|_| depth < MAX_DEPTH) else { return vec![NO_KEY; articles.len()] };
        let refine = |article: &u32| self.asked.refine(*article, origin, self.key, depth + 1).unwrap_or(NO_KEY);
        articles.iter().map(refine).collect()
    }

    /// A part of some articles, in order of id, that was refined `depth` times.
    fn part(self, origin: Option<KeyOrigin>, members: Vec<u32>, depth: usize) -> Part {
        let keys = self.keys(origin, &members, depth);
        let crowded = by_key(&members, &keys).into_iter().filter(|(_, same)| same.len() > self.cap);
        let crowded = crowded.map(|(key, same)| (key, Arc::new(self.part(origin, same, depth + 1)))).collect();
        Part { members, keys, crowded }
    }

    /// The pairs of some articles, which are refined where they are too many, in order and each with the lower number first.
    fn pairs(&self, members: &[u32], part: Option<&Part>) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        each_pair(members, part, &mut |a: u32, b: u32| pairs.push((a.min(b), a.max(b))));
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// Tells apart what two lists of pairs hold, each in order.
    fn compare(&self, moves: Moves<'_>, before: Vec<(u32, u32)>, after: Vec<(u32, u32)>, meetings: &mut Meetings) {
        let is_in = |pairs: &[(u32, u32)], pair: &(u32, u32)| pairs.binary_search(pair).is_ok();
        meetings.gained.extend(after.iter().filter(|pair| !is_in(&before, pair)));
        let mut leaving = moves.leaving.to_vec();
        leaving.sort_unstable();
        let stays = |article: &u32| leaving.binary_search(article).is_err();
        let lost = before.iter().filter(|pair| !is_in(&after, pair));
        meetings.lost.extend(lost.filter(|(a, b)| stays(a) && stays(b)));
    }

    /// A part, crowded before and after, when some come and others go, at these places.
    fn changed(
        self,
        origin: Option<KeyOrigin>,
        part: &Part,
        (places, moves): (&Places, Moves<'_>),
        depth: usize,
        meetings: &mut Meetings,
    ) -> Part {
        let members = places.merged(&part.members, moves.entering);
        meet_neighbours(places, (&part.members, &members), meetings);
        let coming = self.keys(origin, moves.entering, depth);
        let going: Vec<u32> = places.free.iter().map(|place| part.keys[*place]).collect();
        let keys = places.merged(&part.keys, &coming);
        let mut touched: Vec<u32> = coming.iter().chain(&going).copied().filter(|key| *key != NO_KEY).collect();
        touched.sort_unstable();
        touched.dedup();
        let is_touched = |key: u32| touched.binary_search(&key).is_ok();
        let mut crowded: Vec<(u32, Arc<Part>)> =
            part.crowded.iter().filter(|(key, _)| !is_touched(*key)).cloned().collect();
        let [before, after, entering, leaving] = [
            (&part.members[..], &part.keys[..]),
            (&members, &keys),
            (moves.entering, &coming),
            (moves.leaving, &going),
        ]
        .map(|entries| under_each(&touched, entries));
        for (at, key) in touched.iter().copied().enumerate() {
            let (before, after) = (&before[at], &after[at]);
            let moves = Moves { entering: &entering[at], leaving: &leaving[at] };
            let deeper = part.crowded_under(key);
            if let Some(deeper) = deeper.filter(|_| after.len() > self.cap) {
                let places = Places::new(self, before, moves);
                let deeper = self.changed(origin, deeper, (&places, moves), depth + 1, meetings);
                crowded.push((key, Arc::new(deeper)));
                continue;
            }
            let then = (after.len() > self.cap).then(|| self.part(origin, after.clone(), depth + 1));
            if deeper.is_none() && then.is_none() {
                meetings.meet_all(after, moves.entering);
            } else {
                let before = self.pairs(before, deeper.map(|part| &**part));
                self.compare(moves, before, self.pairs(after, then.as_ref()), meetings);
            }
            crowded.extend(then.map(|part| (key, Arc::new(part))));
        }
        crowded.sort_unstable_by_key(|(key, _)| *key);
        Part { members, keys, crowded }
    }
}

/// What the pairs of neighbours come to when some come and others go.
fn meet_neighbours(places: &Places, (before, after): (&[u32], &[u32]), meetings: &mut Meetings) {
    let Meetings { gained, lost } = meetings;
    let push = |list: &mut Vec<(u32, u32)>, a: u32, b: u32| list.push((a.min(b), a.max(b)));
    let is_first_other = before[0] != after[0];
    for at in places.behind_changes(after.len()) {
        let was = places.was_at(at);
        for other in at.saturating_sub(NEIGHBOURS).max(1)..at {
            let met = |(was, other): (usize, usize)| was - other <= NEIGHBOURS || other == 0;
            if !was.zip(places.was_at(other)).is_some_and(met) {
                push(gained, after[other], after[at]);
            }
        }
        if at > 0 && was.is_none() && !is_first_other {
            push(gained, after[0], after[at]);
        }
    }
    for was in places.behind_new(before.len()) {
        let Some(at) = places.is_at(was) else { continue };
        for other in was.saturating_sub(NEIGHBOURS).max(1)..was {
            let meet = |other: usize| at - other <= NEIGHBOURS || other == 0;
            if !places.is_at(other).is_none_or(meet) {
                push(lost, before[other], before[was]);
            }
        }
    }
    if is_first_other {
        after[1..].iter().for_each(|article| push(gained, after[0], *article));
        if let Some(first) = places.is_at(0) {
            for was in 1..before.len() {
                if places.is_at(was).is_some_and(|at| at - first > NEIGHBOURS) {
                    push(lost, before[0], before[was]);
                }
            }
        }
    }
}

/// Calls `each` with the pairs of some articles, those of a part among them where they are refined.
fn each_pair(members: &[u32], part: Option<&Part>, each: &mut impl FnMut(u32, u32)) {
    let Some(part) = part else {
        for (i, a) in members.iter().enumerate() {
            members[i + 1..].iter().for_each(|b| each(*a, *b));
        }
        return;
    };
    let mut neighbours = Neighbours::default();
    members.iter().for_each(|article| neighbours.meet(*article, each));
    for (key, same) in by_key(members, &part.keys) {
        each_pair(&same, part.crowded_under(key).map(|part| &**part), each);
    }
}

impl Places {
    fn new(bucket: Bucket<impl Asked>, members: &[u32], moves: Moves<'_>) -> Self {
        let places = |articles: &[u32]| -> Vec<usize> {
            articles.iter().map(|article| bucket.place(members, *article)).collect()
        };
        let (before, free) = (places(moves.entering), places(moves.leaving));
        let gone = |at: usize| free.partition_point(|free| *free < at);
        let after = before.iter().enumerate().map(|(number, at)| at - gone(*at) + number).collect();
        let stay_before = free.iter().enumerate().map(|(number, free)| free - number).collect();
        Self { before, after, free, stay_before }
    }

    /// What goes with each place afterwards: with those of before, but for the free ones, and with what comes.
    fn merged(&self, before: &[u32], coming: &[u32]) -> Vec<u32> {
        let mut merged = Vec::with_capacity(before.len() + coming.len() - self.free.len());
        let mut coming = coming.iter().zip(&self.before).peekable();
        let mut start = 0;
        for free in self.free.iter().copied().chain([before.len()]) {
            while let Some((new, at)) = coming.next_if(|(_, at)| **at <= free) {
                merged.extend_from_slice(&before[start..*at]);
                merged.push(*new);
                start = *at;
            }
            merged.extend_from_slice(&before[start..free]);
            start = free + 1;
        }
        merged
    }

    /// The place that the article of a place has afterwards; `None` where it leaves.
    fn is_at(&self, was: usize) -> Option<usize> {
        let gone = self.free.partition_point(|free| *free < was);
        (self.free.get(gone) != Some(&was)).then(|| was - gone + self.before.partition_point(|at| *at <= was))
    }

    /// The place that the article of a place had before; `None` where it comes.
    fn was_at(&self, at: usize) -> Option<usize> {
        let come = self.after.partition_point(|after| *after < at);
        if self.after.get(come) == Some(&at) {
            return None;
        }
        let stay = at - come;
        Some(stay + self.stay_before.partition_point(|before| *before <= stay))
    }

    /// Places afterwards of what came, and of what stands behind a place where one came or went, as far as neighbours reach.
    fn behind_changes(&self, len: usize) -> Vec<usize> {
        let come = |free: usize| self.before.partition_point(|at| *at <= free);
        let gaps = self.free.iter().zip(&self.stay_before).map(|(free, stay)| stay + come(*free));
        within_reach(self.after.iter().copied().chain(gaps), len)
    }

    /// Places before of what stood behind a place where one comes, as far as neighbours reach.
    fn behind_new(&self, len: usize) -> Vec<usize> {
        within_reach(self.before.iter().copied(), len)
    }
}

/// Places from some on as far as neighbours reach, below a bound, in order.
fn within_reach(places: impl Iterator<Item = usize>, bound: usize) -> Vec<usize> {
    let mut all: Vec<usize> = places.flat_map(|at| at..(at + NEIGHBOURS + 1).min(bound)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::super::{CrowdRule, bucket_pairs};
    use super::*;
    use crate::hash::mix64;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const KEY: u64 = 7;

    /// Articles whose ids and further elements are hashes of their numbers.
    #[derive(Clone, Copy)]
    struct ByHash {
        /// Another origin for the key of some.
        has_origins: bool,
    }

    impl Refine for ByHash {
        fn origin(&self, article: u32, _: u64) -> Option<KeyOrigin> {
            Some(KeyOrigin::Tree(if self.has_origins { article.is_multiple_of(5).into() } else { 0 }))
        }

        fn refine(&self, article: u32, origin: KeyOrigin, _: u64, depth: usize) -> Option<u32> {
            let digits = mix64(u64::from(article) ^ u64::from(origin == KeyOrigin::Tree(1)) << 40);
            (depth <= 4 && article % 11 != 3).then(|| 1 + (digits as u32 & ((1 << depth) - 1)))
        }
    }

    impl Asked for ByHash {
        fn order(&self, a: u32, b: u32) -> Ordering {
            // Numbers are not in order of id.
            mix64(u64::from(a)).cmp(&mix64(u64::from(b)))
        }
    }

    fn sorted(asked: &ByHash, articles: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut articles: Vec<u32> = articles.into_iter().collect();
        articles.sort_by(|a, b| asked.order(*a, *b));
        articles
    }

    /// The pairs of a bucket by its slow twin.
    fn pairs(bucket: Bucket<ByHash>, members: &[u32]) -> BTreeSet<(u32, u32)> {
        struct ByRank<'a>(&'a [u32], ByHash);
        impl Refine for ByRank<'_> {
            fn origin(&self, rank: u32, key: u64) -> Option<KeyOrigin> {
                self.1.origin(self.0[rank as usize], key)
            }
            fn refine(&self, rank: u32, origin: KeyOrigin, key: u64, depth: usize) -> Option<u32> {
                self.1.refine(self.0[rank as usize], origin, key, depth)
            }
        }
        let ranks: Vec<u32> = (0..members.len() as u32).collect();
        let rule = CrowdRule { cap: bucket.cap, pairs_neighbours: true };
        let mut pairs = BTreeSet::new();
        bucket_pairs(&ranks, KEY, rule, &ByRank(members, bucket.asked), &mut |a, b| {
            let (a, b) = (members[a as usize], members[b as usize]);
            pairs.insert((a.min(b), a.max(b)));
        });
        pairs
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn a_crowd_that_changes_pairs_what_one_made_anew_does(
            changes in prop::collection::vec(prop::collection::vec(0u32..120, 0..40), 1..8),
            cap in 2usize..7,
            has_origins: bool,
        ) {
            let asked = ByHash { has_origins };
            let bucket = Bucket { key: KEY, cap, asked };
            let (mut members, mut crowd): (BTreeSet<u32>, Option<Crowd>) = Default::default();
            for change in changes {
                let change: BTreeSet<u32> = change.into_iter().collect();
                let before = sorted(&asked, members.iter().copied());
                let (leaving, entering): (BTreeSet<u32>, BTreeSet<u32>) =
                    change.into_iter().partition(|article| members.contains(article));
                members = members.difference(&leaving).chain(&entering).copied().collect();
                let after = sorted(&asked, members.iter().copied());
                let moves = [&entering, &leaving].map(|some| sorted(&asked, some.iter().copied()));
                let mut meetings = Meetings::default();
                let moves = Moves { entering: &moves[0], leaving: &moves[1] };
                let was = crowd.as_ref().map_or(Before::Few(&before), Before::Crowded);
                crowd = Crowd::change(bucket, was, moves, &mut meetings);
                let (had, has) = (pairs(bucket, &before), pairs(bucket, &after));
                prop_assert_eq!(crowd.is_some(), after.len() > cap);
                if let Some(crowd) = &crowd {
                    prop_assert_eq!(crowd.members(), &after);
                    let mut all = BTreeSet::new();
                    each_pair(&after, Some(&crowd.whole), &mut |a, b| { all.insert((a.min(b), a.max(b))); });
                    prop_assert_eq!(&all, &has);
                    prop_assert_eq!(crowd.num_held(), Crowd::new(bucket, after.clone()).num_held());
                    for (i, a) in after.iter().enumerate() {
                        for b in &after[i + 1..] {
                            let is_paired = has.contains(&(*a.min(b), *a.max(b)));
                            prop_assert_eq!(crowd.pairs(bucket, *a, *b), is_paired);
                            prop_assert_eq!(crowd.pairs(bucket, *b, *a), is_paired);
                        }
                    }
                }
                let [gained, lost]: [BTreeSet<(u32, u32)>; 2] =
                    [meetings.gained, meetings.lost].map(|pairs| pairs.into_iter().collect());
                // Everything that is gained or lost is told; what is told besides is no more than another part's pairs.
                prop_assert!(has.difference(&had).all(|pair| gained.contains(pair)));
                prop_assert!(gained.is_subset(&has));
                let stays = |(a, b): &&(u32, u32)| !leaving.contains(a) && !leaving.contains(b);
                prop_assert!(had.difference(&has).filter(stays).all(|pair| lost.contains(pair)));
                prop_assert!(lost.is_subset(&had) && lost.iter().all(|pair| stays(&pair)));
            }
        }

        #[test]
        fn a_guest_meets_what_it_would_as_the_last_of_all(
            members in prop::collection::btree_set(0u32..400, 1..90),
            cap in 2usize..7,
        ) {
            let asked = ByHash { has_origins: false };
            let bucket = Bucket { key: KEY, cap, asked };
            let mut with_guest = sorted(&asked, members);
            let guest = with_guest.pop().expect("one at least");
            prop_assume!(with_guest.len() >= cap);
            let mut met = BTreeSet::new();
            let refine = |origin, depth| asked.refine(guest, origin, KEY, depth);
            Crowd::new(bucket, with_guest.clone()).meet_guest(bucket, refine, |article| { met.insert(article); });
            let with_guest = [&with_guest[..], &[guest]].concat();
            let pairs = pairs(bucket, &with_guest);
            let others = pairs.iter().filter(|(a, b)| *a == guest || *b == guest).map(|(a, b)| a ^ b ^ guest);
            prop_assert_eq!(met, others.collect::<BTreeSet<u32>>());
        }
    }
}
