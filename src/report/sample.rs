//! Which stories and tellings of a large run the page shows.

use super::{count, times};
use crate::engine::{Clustering, Member};
use crate::hash::hash64;

/// Stories shown for being the largest,
const NUM_LARGEST: usize = 250;
/// for holding the member nearest the threshold,
const NUM_NEAREST: usize = 150;
/// and drawn by a hash of their id. A run with no more stories than these together shows all.
const NUM_DRAWN: usize = 200;
/// Tellings shown of all stories together.
const MAX_TELLINGS: usize = 4_000;
/// Tellings of one story that are shown for their low scores, and as many drawn by a hash of their id, beside the one
/// that stands for it and the first: the most of these that keep to [`MAX_TELLINGS`], else the last.
const NUM_DOUBTFUL: [usize; 5] = [29, 14, 8, 4, 2];
/// Draws stories and tellings.
const SEED: u64 = 0x7265_706f_7274;

/// The stories that are shown, largest first, then by id, each with its shown members.
pub(super) struct Sample<'a> {
    pub(super) clusters: Vec<Shown<'a>>,
    /// Stories told more than once.
    pub(super) num_clusters: u64,
    /// Members shown of a large story for their low scores, where some are left out.
    cut_to: Option<usize>,
}

/// A story that is shown.
pub(super) struct Shown<'a> {
    /// All its members, by id.
    pub(super) all: &'a [Member],
    /// The member published first, where one is dated; else the one that stands for it.
    pub(super) first: u32,
    /// The members shown: the one that stands for it, then by time, then id.
    pub(super) members: Vec<&'a Member>,
}

/// The member of a story published first, ties by id; where none is dated the one that stands for it.
pub(super) fn first_telling(clustering: &Clustering, cluster: &[Member]) -> u32 {
    let time = |member: &Member| Some((clustering.articles.get(member.article).published()?, member.article));
    cluster.iter().filter_map(time).min().map_or(cluster[0].representative, |(_, article)| article)
}

impl<'a> Sample<'a> {
    pub(super) fn new(clustering: &'a Clustering) -> Self {
        let id = |rank: u32| clustering.articles.get(rank).id();
        let draw = |rank: u32| (hash64(id(rank).as_bytes(), SEED), rank);
        let mut all: Vec<&[Member]> =
            clustering.members.chunk_by(|a, b| a.cluster == b.cluster).filter(|cluster| cluster.len() > 1).collect();
        all.sort_by_key(|cluster| (std::cmp::Reverse(cluster.len()), cluster[0].cluster));
        let num_clusters = all.len() as u64;
        let lowest = |cluster: &[Member]| cluster.iter().map(|m| m.probability_e4).min();
        let chosen = choose(
            all.len(),
            [NUM_LARGEST, NUM_NEAREST, NUM_DRAWN],
            |at| (lowest(all[at]), all[at][0].cluster),
            |at| draw(all[at][0].cluster),
        );
        let num_doubtful = num_doubtful(chosen.iter().map(|at| all[*at].len()));
        let mut cut_to = None;
        let clusters = chosen
            .into_iter()
            .map(|at| {
                let cluster = all[at];
                let first = first_telling(clustering, cluster);
                // The one that stands for it and the first come before all others and are always shown.
                let mut members: Vec<&Member> = cluster.iter().collect();
                let is_set = |m: &Member| m.article == m.representative || m.article == first;
                members.sort_by_key(|m| (!is_set(m), m.article));
                let num_set = members.iter().filter(|m| is_set(m)).count();
                let chosen = choose(
                    members.len(),
                    [num_set, num_doubtful, num_doubtful],
                    |at| (members[at].probability_e4, members[at].article),
                    |at| draw(members[at].article),
                );
                if chosen.len() < members.len() {
                    cut_to = Some(num_doubtful);
                }
                let time = |m: &Member| clustering.articles.get(m.article).published().map_or(i64::MAX, |t| t.0);
                let mut members: Vec<&Member> = chosen.into_iter().map(|at| members[at]).collect();
                members.sort_by_key(|m| (m.article != m.representative, time(m), m.article));
                Shown { all: cluster, first, members }
            })
            .collect();
        Self { clusters, num_clusters, cut_to }
    }

    /// The articles shown, in order.
    pub(super) fn articles(&self) -> impl Iterator<Item = u32> {
        self.clusters.iter().flat_map(|shown| shown.members.iter().map(|member| member.article))
    }

    /// The rule by which stories and tellings were left out, where some were.
    pub(super) fn rule(&self) -> Option<String> {
        let mut rule = String::new();
        if (self.clusters.len() as u64) < self.num_clusters {
            rule = format!(
                "Of {} told more than once {} are listed: the {NUM_LARGEST} largest, of the others the {NUM_NEAREST} \
                 with the member of the lowest score, and {NUM_DRAWN} drawn by a hash of their id.",
                times(self.num_clusters, "story"),
                count(self.clusters.len() as u64),
            );
        }
        if let Some(number) = self.cut_to {
            let space = if rule.is_empty() { "" } else { " " };
            rule += &format!(
                "{space}Of a story with many members are listed the one that stands for it, the first, \
                 {number} with the lowest scores and {number} drawn by a hash of their id."
            );
        }
        (!rule.is_empty()).then(|| rule + " The files that the run wrote hold them all.")
    }
}

/// How many members a large story shows for their low scores, given the sizes of all stories shown.
fn num_doubtful(sizes: impl Iterator<Item = usize> + Clone) -> usize {
    let fits = |number: &usize| sizes.clone().map(|size| size.min(2 + 2 * number)).sum::<usize>() <= MAX_TELLINGS;
    NUM_DOUBTFUL.into_iter().find(fits).unwrap_or(NUM_DOUBTFUL[NUM_DOUBTFUL.len() - 1])
}

/// Places chosen out of `len`, in order: the first of all, of the others those least by `near`, and those least by
/// `draw`, as many of each as `numbers` says.
fn choose<N: Ord, D: Ord>(
    len: usize,
    numbers: [usize; 3],
    near: impl Fn(usize) -> N,
    draw: impl Fn(usize) -> D,
) -> Vec<usize> {
    let mut chosen: Vec<usize> = (0..len.min(numbers[0])).collect();
    let mut rest: Vec<usize> = (chosen.len()..len).collect();
    if rest.len() > numbers[1] + numbers[2] {
        rest.sort_by_key(|at| near(*at));
        let mut others = rest.split_off(numbers[1]);
        others.sort_by_key(|at| draw(*at));
        rest.extend(others.into_iter().take(numbers[2]));
    }
    chosen.append(&mut rest);
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Timestamp;
    use crate::{Article, Engine, Profile};

    #[test]
    fn all_are_chosen_where_there_is_room() {
        assert_eq!(choose(6, [2, 2, 2], |at| at, |at| at), [0, 1, 2, 3, 4, 5]);
        assert_eq!(choose(0, [2, 2, 2], |at| at, |at| at), [] as [usize; 0]);
    }

    #[test]
    fn the_first_the_nearest_and_the_drawn_are_chosen() {
        // Nearest are the last ones, drawn those in the middle.
        let chosen = choose(100, [2, 3, 1], |at| 100 - at, |at| at.abs_diff(50));
        assert_eq!(chosen, [0, 1, 50, 97, 98, 99]);
    }

    #[test]
    fn many_large_stories_show_fewer_tellings_each() {
        assert_eq!(num_doubtful([10_000].into_iter()), 29);
        assert_eq!(num_doubtful([].into_iter()), 29);
        assert_eq!(num_doubtful(std::iter::repeat_n(100, 100)), 14);
        assert_eq!(num_doubtful(std::iter::repeat_n(100, NUM_LARGEST + NUM_NEAREST + NUM_DRAWN)), 2);
        const { assert!((NUM_LARGEST + NUM_NEAREST + NUM_DRAWN) * (2 + 2 * 2) <= MAX_TELLINGS) };
    }

    #[test]
    fn a_crowd_is_shown_by_its_ends() {
        let story = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, and fishermen \
                     brought most of them ashore before the coast guard came.";
        let articles = (0..500).map(|i| Article {
            published: (i != 7).then_some(Timestamp(1_000_000 - i)),
            ..Article::new(format!("{i:03}"), story)
        });
        let clustering = Engine::new(Profile::default()).cluster(articles).unwrap();
        let sample = Sample::new(&clustering);
        let shown = &sample.clusters[0];
        assert_eq!((shown.all.len(), shown.first), (500, 499));
        assert!(shown.members.len() <= 2 + 2 * NUM_DOUBTFUL[0]);
        assert_eq!(shown.members[0].article, shown.members[0].representative);
        assert!(shown.members.iter().any(|member| member.article == 499));
        assert!(sample.rule().is_some_and(|rule| rule.starts_with("Of a story with many members")));
    }
}
