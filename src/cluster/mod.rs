//! Clusters: components of verified matches, cut by average link, each member verified against its representative.
//!
//! Excerpts are leaves: they are attached to the telling that covers them best after the fuller tellings have been
//! clustered, and so never tie two tellings together.

mod average;
mod forest;

pub use average::{LARGE_MERGER, average_link};
pub use forest::Forest;

use crate::hash::{HashMap, HashSet};

/// A verified match between two articles, numbered by rank of their id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// The article with the smaller id.
    pub a: u32,
    /// The article with the larger id.
    pub b: u32,
    /// Log-odds over the threshold, in units of 1/1024.
    pub margin: i32,
    /// Which of the two is an excerpt of the other, if one is.
    pub excerpt: Option<u32>,
}

/// Articles that tell one story in one telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The member that stands for it.
    pub representative: u32,
    /// All members, the representative among them, in order of id.
    pub members: Vec<u32>,
}

/// What clustering asks of the articles.
pub trait Pairs {
    /// Log-odds over the threshold that two articles are one telling; verified on demand.
    fn margin(&mut self, a: u32, b: u32) -> i32;
    /// What decides between equally good representatives: the earlier time, then the smaller id.
    fn precedence(&self, article: u32) -> (i64, u32);
    /// Content tokens of an article.
    fn content_len(&self, article: u32) -> usize;
}

/// Splits matches into connected components of at most `limit` articles, each with its matches.
///
/// Where a component would be larger, its strongest matches are taken first, ties by ids, and those that would join
/// too many are left out.
#[must_use]
pub fn components(num_articles: usize, matches: &[Match], limit: usize) -> Vec<Vec<Match>> {
    let mut whole = Forest::new(num_articles);
    for m in matches {
        whole.join(m.a, m.b, usize::MAX);
    }
    let mut size: HashMap<u32, usize> = HashMap::default();
    for article in 0..num_articles as u32 {
        *size.entry(whole.find(article)).or_default() += 1;
    }
    let mut forest = Forest::new(num_articles);
    let mut order: Vec<&Match> = matches.iter().collect();
    order.sort_unstable_by_key(|m| (-i64::from(m.margin), m.a, m.b));
    let mut kept: Vec<(u32, Match)> = Vec::with_capacity(matches.len());
    for m in order {
        let small = size[&whole.find(m.a)] <= limit;
        if forest.join(m.a, m.b, if small { usize::MAX } else { limit }) {
            kept.push((0, *m));
        }
    }
    for (root, m) in &mut kept {
        *root = forest.find(m.a);
    }
    kept.sort_unstable();
    kept.chunk_by(|x, y| x.0 == y.0).map(|part| part.iter().map(|(_, m)| *m).collect()).collect()
}

/// Clusters one component. Articles that end alone are clusters of one.
#[must_use]
pub fn cluster_component(matches: &[Match], pairs: &mut impl Pairs) -> Vec<Cluster> {
    let mut articles: Vec<u32> = matches.iter().flat_map(|m| [m.a, m.b]).collect();
    articles.sort_unstable();
    articles.dedup();
    let excerpts: HashSet<u32> = matches.iter().filter_map(|m| m.excerpt).collect();
    let (leaves, mut tellings): (Vec<u32>, Vec<u32>) = articles.into_iter().partition(|a| excerpts.contains(a));

    let mut clusters: Vec<Cluster> = Vec::new();
    while !tellings.is_empty() {
        let mut left = Vec::new();
        for group in average_link(tellings.len(), |i, j| pairs.margin(tellings[i], tellings[j])) {
            let mut members: Vec<u32> = group.into_iter().map(|i| tellings[i]).collect();
            let representative = representative(&members, pairs);
            members.retain(|member| {
                let stays = *member == representative || pairs.margin(*member, representative) >= 0;
                if !stays {
                    left.push(*member);
                }
                stays
            });
            clusters.push(Cluster { representative, members });
        }
        left.sort_unstable();
        tellings = left;
    }
    attach_leaves(leaves, matches, &mut clusters, pairs);
    for cluster in &mut clusters {
        cluster.members.sort_unstable();
    }
    clusters
}

/// The member with the highest mean margin to the others; ties by precedence.
fn representative(members: &[u32], pairs: &mut impl Pairs) -> u32 {
    let mut best: Option<(i64, u32)> = None;
    for member in members {
        let sum: i64 =
            members.iter().filter(|other| *other != member).map(|other| i64::from(pairs.margin(*member, *other))).sum();
        let better = |(best_sum, rival): (i64, u32)| {
            sum > best_sum || (sum == best_sum && pairs.precedence(*member) < pairs.precedence(rival))
        };
        if best.is_none_or(better) {
            best = Some((sum, *member));
        }
    }
    best.expect("a cluster has members").1
}

/// Attaches each excerpt, longest first, to the cluster of the article that covers it best and whose representative it
/// matches; where none does, it stands alone.
fn attach_leaves(mut leaves: Vec<u32>, matches: &[Match], clusters: &mut Vec<Cluster>, pairs: &mut impl Pairs) {
    leaves.sort_unstable_by_key(|leaf| (std::cmp::Reverse(pairs.content_len(*leaf)), *leaf));
    let mut home: HashMap<u32, usize> = HashMap::default();
    for (index, cluster) in clusters.iter().enumerate() {
        home.extend(cluster.members.iter().map(|member| (*member, index)));
    }
    for leaf in leaves {
        let mut covers: Vec<(i64, u32)> = matches
            .iter()
            .filter(|m| m.excerpt == Some(leaf))
            .map(|m| (-i64::from(m.margin), if m.a == leaf { m.b } else { m.a }))
            .collect();
        covers.sort_unstable();
        let found = covers.iter().filter_map(|(_, cover)| home.get(cover).copied()).find(|index| {
            let representative = clusters[*index].representative;
            pairs.margin(leaf, representative) >= 0
        });
        let index = found.unwrap_or_else(|| {
            clusters.push(Cluster { representative: leaf, members: Vec::new() });
            clusters.len() - 1
        });
        clusters[index].members.push(leaf);
        home.insert(leaf, index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table(Vec<(u32, u32, i32)>);

    impl Pairs for Table {
        fn margin(&mut self, a: u32, b: u32) -> i32 {
            let (a, b) = (a.min(b), a.max(b));
            self.0.iter().find(|(x, y, _)| (*x, *y) == (a, b)).map_or(-3000, |(_, _, margin)| *margin)
        }
        fn precedence(&self, article: u32) -> (i64, u32) {
            (0, article)
        }
        fn content_len(&self, article: u32) -> usize {
            1000 - article as usize
        }
    }

    fn run(edges: &[(u32, u32, i32, Option<u32>)]) -> Vec<Vec<u32>> {
        let matches: Vec<Match> = edges
            .iter()
            .map(|(a, b, margin, excerpt)| Match { a: *a, b: *b, margin: *margin, excerpt: *excerpt })
            .collect();
        let mut table = Table(edges.iter().map(|(a, b, margin, _)| (*a, *b, *margin)).collect());
        let mut clusters: Vec<Vec<u32>> = components(20, &matches, 400)
            .iter()
            .flat_map(|component| cluster_component(component, &mut table))
            .map(|cluster| cluster.members)
            .collect();
        clusters.sort();
        clusters
    }

    #[test]
    fn an_excerpt_ties_nothing_together() {
        // 5 is an excerpt of both 1 and 2, which are no match.
        let clusters = run(&[(1, 5, 900, Some(5)), (2, 5, 800, Some(5))]);
        assert_eq!(clusters, [vec![1, 5], vec![2]]);
    }

    #[test]
    fn a_chain_is_cut() {
        // 1-2 and 3-4 are copies; 2-3 is one false edge.
        let clusters = run(&[(1, 2, 4000, None), (2, 3, 500, None), (3, 4, 4000, None)]);
        assert_eq!(clusters, [vec![1, 2], vec![3, 4]]);
    }

    #[test]
    fn disjoint_excerpts_share_their_source() {
        let clusters = run(&[(1, 5, 900, Some(5)), (1, 6, 700, Some(6))]);
        assert_eq!(clusters, [[1, 5, 6]]);
    }

    #[test]
    fn large_components_keep_their_strongest_matches() {
        let chain: Vec<Match> =
            (0..10).map(|i| Match { a: i, b: i + 1, margin: 100 + i as i32, excerpt: None }).collect();
        let parts = components(11, &chain, 4);
        assert!(parts.iter().all(|part| part.len() <= 3));
        assert!(parts.iter().flatten().any(|m| m.margin == 109));
        assert_eq!(components(11, &chain, 400).len(), 1);
    }

    #[test]
    fn a_component_too_large_is_cut_where_it_is_weakest() {
        let chain: Vec<Match> =
            (0..10).map(|i| Match { a: i, b: i + 1, margin: 100 + i as i32, excerpt: None }).collect();
        let parts = components(11, &chain, 4);
        let margins: Vec<Vec<i32>> = parts.iter().map(|part| part.iter().map(|m| m.margin).collect()).collect();
        // From the strongest on: 7 to 10, 3 to 6, and what is left.
        assert_eq!(margins, [vec![100, 101], vec![103, 104, 105], vec![107, 108, 109]]);
    }

    #[test]
    fn the_representative_is_nearest_to_the_others() {
        let mut table = Table(vec![(1, 2, 100), (1, 3, 900), (2, 3, 500)]);
        for members in [[1, 2, 3], [3, 1, 2], [2, 3, 1]] {
            assert_eq!(representative(&members, &mut table), 3, "{members:?}");
        }
        // Of two that are as near the one that comes first by precedence.
        for members in [[1, 3], [3, 1]] {
            assert_eq!(representative(&members, &mut table), 1, "{members:?}");
        }
    }

    #[test]
    fn an_excerpt_that_fails_against_the_representative_stands_alone() {
        // 5 is an excerpt of 2, for which 1 stands.
        assert_eq!(run(&[(1, 2, 4000, None), (2, 5, 900, Some(5))]), [vec![1, 2], vec![5]]);
    }

    #[test]
    fn a_member_that_fails_against_the_representative_leaves() {
        let clusters =
            run(&[(1, 2, 9000, None), (1, 3, 9000, None), (2, 3, 1000, None), (2, 4, 3000, None), (3, 4, 3000, None)]);
        assert_eq!(clusters, [vec![1, 2, 3], vec![4]]);
    }
}
