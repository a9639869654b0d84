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
    /// Keys that are refined once more, in order, and of each the article: of one key in order of id.
    keys: Vec<u64>,
    of_keys: Vec<u32>,
    /// Those of these keys that are crowded, in order.
    crowded: Vec<(u64, Arc<Part>)>,
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
    pub(crate) fn new(bucket: Bucket<impl Asked>, members: &[u32]) -> Self {
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
        let members = bucket.merged(before, moves);
        if let Some(crowd) = crowd
            && members.len() > bucket.cap
        {
            let origin =
                if members[0] == before[0] { crowd.origin } else { bucket.asked.origin(members[0], bucket.key) };
            if origin == crowd.origin {
                return Some(Self {
                    origin,
                    whole: bucket.changed(origin, &crowd.whole, (members, moves), 0, meetings),
                });
            }
        }
        let then = (members.len() > bucket.cap).then(|| Self::new(bucket, &members));
        let [before, after] = [(before, crowd), (&members, then.as_ref())];
        let pairs = |(members, crowd): (&[u32], Option<&Self>)| bucket.pairs(members, crowd.map(|crowd| &crowd.whole));
        bucket.compare(moves, pairs(before), pairs(after), meetings);
        then
    }

    /// Its articles, in order of id.
    pub(crate) fn members(&self) -> &[u32] {
        &self.whole.members
    }

    /// Entries that are held, of some eight bytes: two for an article at each depth that it comes to.
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
            let key_of = |article| part.of_keys.iter().position(|other| *other == article).map(|at| part.keys[at]);
            let Some(key) = key_of(a).filter(|key| key_of(b) == Some(*key)) else { return false };
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
        refine: impl Fn(KeyOrigin, usize) -> Option<u64>,
        mut each: impl FnMut(u32),
    ) {
        let mut part = &self.whole;
        let mut made;
        for depth in 1.. {
            part.members[..1].iter().copied().for_each(&mut each);
            part.members[1..].iter().rev().take(NEIGHBOURS).copied().for_each(&mut each);
            let Some(origin) = self.origin.filter(|_| depth <= MAX_DEPTH) else { return };
            let Some(key) = refine(origin, depth) else { return };
            let same = part.under(key);
            if same.len() < bucket.cap {
                return same.iter().copied().for_each(each);
            }
            part = match part.crowded_under(key) {
                Some(deeper) => deeper,
                None => {
                    made = bucket.part(self.origin, same, depth);
                    &made
                }
            };
        }
    }
}

impl Part {
    /// The articles under a key, in order of id.
    fn under(&self, key: u64) -> &[u32] {
        let start = self.keys.partition_point(|other| *other < key);
        let len = self.keys[start..].partition_point(|other| *other == key);
        &self.of_keys[start..start + len]
    }

    fn crowded_under(&self, key: u64) -> Option<&Arc<Self>> {
        self.crowded.binary_search_by_key(&key, |(key, _)| *key).ok().map(|at| &self.crowded[at].1)
    }

    fn num_held(&self) -> usize {
        self.members.len() + self.of_keys.len() + self.crowded.iter().map(|(_, part)| part.num_held()).sum::<usize>()
    }
}

impl<A: Asked> Bucket<A> {
    /// The place of an article that is among some.
    fn place(&self, members: &[u32], article: u32) -> usize {
        members.partition_point(|member| self.asked.order(*member, article) == Ordering::Less)
    }

    /// Refined keys of articles, in order, those of one key in order of id.
    fn keys(&self, origin: Option<KeyOrigin>, articles: &[u32], depth: usize) -> Vec<(u64, u32)> {
        let Some(origin) = origin.filter(|_| depth < MAX_DEPTH) else { return Vec::new() };
        let refine = |article: &u32| Some((self.asked.refine(*article, origin, self.key, depth + 1)?, *article));
        let mut keys: Vec<(u64, u32)> = articles.iter().filter_map(refine).collect();
        // Articles are in order already.
        keys.sort_by_key(|(key, _)| *key);
        keys
    }

    /// A part of some articles, in order of id, that was refined `depth` times.
    fn part(self, origin: Option<KeyOrigin>, members: &[u32], depth: usize) -> Part {
        let (keys, of_keys): (Vec<u64>, Vec<u32>) = self.keys(origin, members, depth).into_iter().unzip();
        let mut start = 0;
        let mut crowded = Vec::new();
        for same in keys.chunk_by(|a, b| a == b) {
            if same.len() > self.cap {
                let members = &of_keys[start..start + same.len()];
                crowded.push((same[0], Arc::new(self.part(origin, members, depth + 1))));
            }
            start += same.len();
        }
        Part { members: members.to_vec(), keys, of_keys, crowded }
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

    /// Those of some articles that stay, and those that come, in order of id.
    fn merged(&self, members: &[u32], moves: Moves<'_>) -> Vec<u32> {
        let mut merged = Vec::with_capacity(members.len() + moves.entering.len());
        let places =
            |articles: &[u32]| -> Vec<usize> { articles.iter().map(|article| self.place(members, *article)).collect() };
        let mut entering = moves.entering.iter().zip(places(moves.entering)).peekable();
        let mut leaving = places(moves.leaving).into_iter();
        let mut start = 0;
        while start <= members.len() {
            let free = leaving.next().unwrap_or(members.len());
            while let Some((article, at)) = entering.next_if(|(_, at)| *at <= free) {
                merged.extend_from_slice(&members[start..at]);
                merged.push(*article);
                start = at;
            }
            merged.extend_from_slice(&members[start..free]);
            start = free + 1;
        }
        merged
    }

    /// A part, crowded before and after, when some come and others go; `members` are those that it has then.
    fn changed(
        self,
        origin: Option<KeyOrigin>,
        part: &Part,
        (members, moves): (Vec<u32>, Moves<'_>),
        depth: usize,
        meetings: &mut Meetings,
    ) -> Part {
        self.meet_neighbours((&part.members, &members), moves, meetings);
        let coming = self.keys(origin, moves.entering, depth);
        let mut going: Vec<(u64, u32)> = Vec::new();
        if !moves.leaving.is_empty() {
            let mut leaving = moves.leaving.to_vec();
            leaving.sort_unstable();
            let keys = part.keys.iter().copied().zip(part.of_keys.iter().copied());
            going.extend(keys.filter(|(_, article)| leaving.binary_search(article).is_ok()));
        }
        let mut touched: Vec<u64> = coming.iter().chain(&going).map(|(key, _)| *key).collect();
        touched.sort_unstable();
        touched.dedup();
        let (mut keys, mut of_keys) = (Vec::with_capacity(members.len()), Vec::with_capacity(members.len()));
        let mut crowded = Vec::with_capacity(part.crowded.len());
        let (mut start, mut start_crowded) = (0, 0);
        let of = |list: &[(u64, u32)], key: u64| -> Vec<u32> {
            let start = list.partition_point(|(other, _)| *other < key);
            list[start..].iter().take_while(|(other, _)| *other == key).map(|(_, article)| *article).collect()
        };
        for key in touched {
            let at = start + part.keys[start..].partition_point(|other| *other < key);
            keys.extend_from_slice(&part.keys[start..at]);
            of_keys.extend_from_slice(&part.of_keys[start..at]);
            let before = part.under(key);
            start = at + before.len();
            let at = start_crowded + part.crowded[start_crowded..].partition_point(|(other, _)| *other < key);
            crowded.extend_from_slice(&part.crowded[start_crowded..at]);
            let deeper = part.crowded.get(at).filter(|(other, _)| *other == key).map(|(_, part)| part);
            start_crowded = at + usize::from(deeper.is_some());
            let (entering, leaving) = (of(&coming, key), of(&going, key));
            let moves = Moves { entering: &entering, leaving: &leaving };
            let after = self.merged(before, moves);
            keys.resize(keys.len() + after.len(), key);
            of_keys.extend_from_slice(&after);
            match deeper {
                Some(deeper) if after.len() > self.cap => {
                    let deeper = self.changed(origin, deeper, (after, moves), depth + 1, meetings);
                    crowded.push((key, Arc::new(deeper)));
                }
                _ => {
                    let then = (after.len() > self.cap).then(|| self.part(origin, &after, depth + 1));
                    if deeper.is_none() && then.is_none() {
                        meetings.meet_all(&after, &entering);
                    } else {
                        let before = self.pairs(before, deeper.map(|part| &**part));
                        self.compare(moves, before, self.pairs(&after, then.as_ref()), meetings);
                    }
                    crowded.extend(then.map(|part| (key, Arc::new(part))));
                }
            }
        }
        keys.extend_from_slice(&part.keys[start..]);
        of_keys.extend_from_slice(&part.of_keys[start..]);
        crowded.extend_from_slice(&part.crowded[start_crowded..]);
        Part { members, keys, of_keys, crowded }
    }

    /// What the pairs of neighbours come to when some come and others go.
    fn meet_neighbours(&self, (before, after): (&[u32], &[u32]), moves: Moves<'_>, meetings: &mut Meetings) {
        let places = Places::new(*self, before, moves);
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
    let mut start = 0;
    for same in part.keys.chunk_by(|a, b| a == b) {
        let members = &part.of_keys[start..start + same.len()];
        each_pair(members, part.crowded_under(same[0]).map(|part| &**part), each);
        start += same.len();
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

        fn refine(&self, article: u32, origin: KeyOrigin, _: u64, depth: usize) -> Option<u64> {
            let digits = mix64(u64::from(article) ^ u64::from(origin == KeyOrigin::Tree(1)) << 40);
            (depth <= 4 && article % 11 != 3).then(|| digits & ((1 << depth) - 1))
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
            fn refine(&self, rank: u32, origin: KeyOrigin, key: u64, depth: usize) -> Option<u64> {
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
                    prop_assert_eq!(crowd.num_held(), Crowd::new(bucket, &after).num_held());
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
            Crowd::new(bucket, &with_guest).meet_guest(bucket, refine, |article| { met.insert(article); });
            let with_guest = [&with_guest[..], &[guest]].concat();
            let pairs = pairs(bucket, &with_guest);
            let others = pairs.iter().filter(|(a, b)| *a == guest || *b == guest).map(|(a, b)| a ^ b ^ guest);
            prop_assert_eq!(met, others.collect::<BTreeSet<u32>>());
        }
    }
}
