//! Tokens to shingle hashes.

use crate::input;
use criterion::Criterion;
use samestory::Profile;
use samestory::shingle::shingle_hashes;
use std::hint::black_box;

pub(crate) fn bench(criterion: &mut Criterion) {
    let articles = input::articles();
    let profile = Profile::default();
    let documents = input::documents(&articles, &profile);
    let shingle_len = profile.sketch().shingle_len;
    let num_tokens: usize = documents.iter().map(|document| document.tokens.len()).sum();
    let run = || -> usize {
        documents.iter().map(|document| shingle_hashes(black_box(&document.tokens), shingle_len).len()).sum()
    };
    assert_eq!(run(), num_tokens - documents.len() * (shingle_len - 1), "no fixture is shorter than a shingle");
    let mut group = criterion.benchmark_group("shingle");
    group.throughput(input::text_bytes(&articles));
    group.bench_function("hashes/feed", |bencher| bencher.iter(run));
    group.finish();
}
