//! Slow twins: each algorithm of the library in its most obvious form, for the property tests.

use crate::cluster::LARGE_MERGER;
use crate::fixed::ratio;
use crate::hash::mix64;
use crate::shingle::FACTOR;
use crate::text::Token;
use std::collections::{BTreeMap, BTreeSet};

/// Longest common subsequence by the full table.
pub(crate) fn lcs_len(a: &[u16], b: &[u16]) -> usize {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..a.len() {
        for j in 0..b.len() {
            table[i + 1][j + 1] = if a[i] == b[j] { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
        }
    }
    table[a.len()][b.len()]
}

/// Share of the pairs of words of `a` at most `reach` apart whose two words, being different, stand so near in `b`, by all
/// pairs of places.
pub(crate) fn nearby(a: &[u16], b: &[u16], reach: usize) -> i32 {
    let near = |text: &[u16]| -> Vec<(u16, u16)> {
        let pairs = |i: usize| (i + 1..text.len()).filter(move |j| j - i <= reach).map(move |j| (i, j));
        (0..text.len()).flat_map(pairs).map(|(i, j)| (text[i], text[j])).collect()
    };
    let there = near(b);
    let is_there = |x: u16, y: u16| x != y && (there.contains(&(x, y)) || there.contains(&(y, x)));
    let all = near(a);
    ratio(all.iter().filter(|(x, y)| is_there(*x, *y)).count() as u64, all.len() as u64)
}

/// Share of the neighbours of `a` that are neighbours in `b`, in the same order.
pub(crate) fn neighbours(a: &[u16], b: &[u16]) -> i32 {
    let found = a.windows(2).filter(|pair| b.windows(2).any(|other| other == *pair)).count();
    ratio(found as u64, a.len() as u64 - 1)
}

/// Jaccard similarity of two sets.
pub(crate) fn jaccard(a: &BTreeSet<u32>, b: &BTreeSet<u32>) -> f64 {
    a.intersection(b).count() as f64 / a.union(b).count().max(1) as f64
}

/// The hash of every run of tokens, each by itself.
pub(crate) fn shingle_hashes(tokens: &[Token], shingle_len: usize) -> Vec<u64> {
    let hash = |run: &[Token]| run.iter().fold(run.len() as u64, |h, t| h.wrapping_mul(FACTOR).wrapping_add(t.hash));
    tokens.windows(shingle_len.min(tokens.len()).max(1)).map(|run| mix64(hash(run))).collect()
}

/// MinHash slots, one at a time.
pub(crate) fn signature(shingles: &[u64], functions: &[(u32, u32)]) -> Vec<u32> {
    functions
        .iter()
        .map(|(factor, offset)| {
            let value = |s: &u64| crate::sketch::fold(*s).wrapping_mul(*factor).wrapping_add(*offset);
            shingles.iter().map(value).min().unwrap_or(u32::MAX)
        })
        .collect()
}

/// All pairs of articles that share a key.
pub(crate) fn pairs_sharing_a_key(entries: &[(u64, u32)]) -> BTreeSet<(u32, u32)> {
    let mut pairs = BTreeSet::new();
    for (key, a) in entries {
        for (other, b) in entries {
            if key == other && a < b {
                pairs.insert((*a, *b));
            }
        }
    }
    pairs
}

/// Connected components by breadth-first search: the smallest member of each node's component.
pub(crate) fn components(num_nodes: u32, edges: &[(u32, u32)]) -> Vec<u32> {
    let mut neighbours: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (a, b) in edges {
        neighbours.entry(*a).or_default().push(*b);
        neighbours.entry(*b).or_default().push(*a);
    }
    let mut label = vec![u32::MAX; num_nodes as usize];
    for start in 0..num_nodes {
        let mut queue = vec![start];
        while let Some(node) = queue.pop() {
            if label[node as usize] == u32::MAX {
                label[node as usize] = start;
                queue.extend(neighbours.get(&node).into_iter().flatten());
            }
        }
    }
    label
}

/// Average-link agglomeration by looking at every pair of clusters each time; clusters as sorted lists.
///
/// Merges while a mean score is as high as the clusters need; of equals the pair with the smaller members goes first.
pub(crate) fn average_link(num_nodes: u32, score: impl Fn(u32, u32) -> i32) -> Vec<Vec<u32>> {
    let mut clusters: Vec<Vec<u32>> = (0..num_nodes).map(|n| vec![n]).collect();
    loop {
        let mut best: Option<(i64, i64, usize, usize)> = None;
        for i in 0..clusters.len() {
            for j in i + 1..clusters.len() {
                let sum: i64 =
                    clusters[i].iter().flat_map(|a| clusters[j].iter().map(|b| i64::from(score(*a, *b)))).sum();
                let num_pairs = (clusters[i].len() * clusters[j].len()) as i64;
                let smaller = clusters[i].len().min(clusters[j].len()) as i64;
                // sum / num_pairs - need · (1 - 1 / smaller), over one denominator.
                let surplus = sum * smaller - LARGE_MERGER * (smaller - 1) * num_pairs;
                let denominator = num_pairs * smaller;
                // surplus / denominator > best, without division.
                if surplus >= 0 && best.is_none_or(|(s, n, _, _)| surplus * n > s * denominator) {
                    best = Some((surplus, denominator, i, j));
                }
            }
        }
        let Some((_, _, i, j)) = best else {
            return clusters;
        };
        let other = clusters.remove(j);
        clusters[i].extend(other);
        clusters[i].sort_unstable();
    }
}
