//! Shingle hashes to signatures, and records to fingerprints.

use crate::input;
use criterion::Criterion;
use samestory::Profile;
use samestory::sketch::{MinHasher, estimated_jaccard, simhash};
use std::hint::black_box;

pub(crate) fn bench(criterion: &mut Criterion) {
    let articles = input::articles();
    let profile = Profile::default();
    let shingles = input::shingles(&input::documents(&articles, &profile), &profile);
    let num_slots = profile.sketch().num_slots;
    let hasher = MinHasher::new(num_slots, profile.sketch().seed);

    let half: Vec<u64> = shingles[0][..shingles[0].len() / 2].to_vec();
    let estimate = estimated_jaccard(&hasher.signature(&shingles[0]), &hasher.signature(&half));
    assert!((estimate - 0.5).abs() < 0.2, "half of a text has a Jaccard similarity of one half, not {estimate}");

    let mut group = criterion.benchmark_group("minhash");
    group.throughput(input::text_bytes(&articles));
    group.bench_function(format!("signature of {num_slots} slots/feed"), |bencher| {
        let mut signature = vec![0; num_slots];
        bencher.iter(|| {
            for shingles in &shingles {
                hasher.signature_into(black_box(shingles), &mut signature);
            }
            black_box(signature[0])
        });
    });
    let records = input::records(&articles, &profile);
    let prints = || records.iter().fold(0, |all, record| all ^ simhash(&black_box(record).record(), 1));
    assert_ne!(prints(), 0);
    group.bench_function("simhash/feed", |bencher| bencher.iter(prints));
    group.finish();
}
