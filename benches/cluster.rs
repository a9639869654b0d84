//! Average link on planted matrices.

use criterion::{Criterion, Throughput};
use samestory::cluster::average_link;
use samestory::hash::derived_seed;

/// Members of a planted cluster.
const CLUSTER_LEN: usize = 8;

/// Margins of a pair: around +3 within a planted cluster, around -3 outside, and one pair in fifty the other way.
fn planted(i: usize, j: usize) -> i32 {
    let random = derived_seed(42, (i * 65_536 + j) as u64);
    let is_alike = i / CLUSTER_LEN == j / CLUSTER_LEN;
    let is_false = random.is_multiple_of(50);
    let noise = (random >> 32) as i32 % 1024;
    noise + if is_alike != is_false { 3 * 1024 } else { -3 * 1024 }
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
    group.finish();
}
