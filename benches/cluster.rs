//! Average link on planted matrices; components and clusters of planted hot events.

use crate::planted::{Event, FalseMatches};
use criterion::{Criterion, Throughput};
use samestory::cluster::{Match, average_link, cluster_component, components};
use samestory::engine::COMPONENT_LIMIT;
use samestory::hash::derived_seed;

/// Members of a planted cluster.
const CLUSTER_LEN: usize = 8;

/// The margin of a pair: 3 to 4 within a planted cluster, -3 to -4 outside; of one pair in fifty 1 of the other sign.
fn planted(i: usize, j: usize) -> i32 {
    let random = derived_seed(42, (i * 65_536 + j) as u64);
    let noise = ((random >> 33) % 1024) as i32;
    match (i / CLUSTER_LEN == j / CLUSTER_LEN, random.is_multiple_of(50)) {
        (true, false) => 3 * 1024 + noise,
        (true, true) => -1024,
        (false, true) => 1024,
        (false, false) => -3 * 1024 - noise,
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cluster");
    for num_nodes in [40, 400] {
        let clusters = average_link(num_nodes, planted);
        let expected: Vec<Vec<usize>> =
            (0..num_nodes / CLUSTER_LEN).map(|c| (c * CLUSTER_LEN..(c + 1) * CLUSTER_LEN).collect()).collect();
        assert_eq!(clusters, expected);
        group.throughput(Throughput::Elements((num_nodes * (num_nodes - 1) / 2) as u64));
        group.bench_function(format!("average_link/{num_nodes} planted, seed 42"), |bencher| {
            bencher.iter(|| average_link(num_nodes, planted));
        });
    }
    for kind in [FalseMatches::Independent, FalseMatches::ByStory(500_000)] {
        let event = Event { num_stories: 200, num_copies: 5, false_rate: 1_000, kind, seed: 42 };
        let matches = event.matches();
        let num_pure = clusters_of(event, &matches)
            .iter()
            .filter(|members| members.iter().all(|member| event.story(*member) == event.story(members[0])))
            .count();
        assert!(num_pure >= 190, "{kind:?}: {num_pure} clusters of one story");
        group.throughput(Throughput::Elements(matches.len() as u64));
        group.bench_function(format!("hot_event/{kind:?}, 200 stories of 5, .1 % false, seed 42"), |bencher| {
            bencher.iter(|| clusters_of(event, &matches));
        });
    }
    group.finish();
}

/// The clusters of an event, its components cut as the engine cuts them.
fn clusters_of(event: Event, matches: &[Match]) -> Vec<Vec<u32>> {
    components(event.num_articles() as usize, matches, COMPONENT_LIMIT)
        .iter()
        .flat_map(|part| cluster_component(part, &mut { event }))
        .map(|cluster| cluster.members)
        .collect()
}
