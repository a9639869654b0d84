//! Text to tokens.

use crate::input;
use criterion::Criterion;
use samestory::Profile;
use samestory::text::{Document, find_body, normalize, tokenize};
use std::hint::black_box;

pub(crate) fn bench(criterion: &mut Criterion) {
    let articles = input::articles();
    let profile = Profile::default();
    let max_tokens = profile.sketch().max_tokens;
    let mut group = criterion.benchmark_group("text");
    group.throughput(input::text_bytes(&articles));

    let texts: Vec<_> = articles.iter().map(|article| normalize(&article.text)).collect();
    let bodies: Vec<_> = texts.iter().map(|text| find_body(text).range).collect();
    let count = || -> usize {
        let parts = texts.iter().zip(&bodies);
        parts.map(|(text, body)| tokenize(black_box(text), body.clone(), max_tokens).len()).sum()
    };
    let whole = || -> usize {
        articles.iter().map(|article| Document::new(black_box(&article.text), max_tokens).tokens.len()).sum()
    };
    assert_eq!(count(), whole());
    assert!(count() > 300 * articles.len(), "{} tokens", count());
    group.bench_function("tokenize/feed", |bencher| bencher.iter(count));
    group.bench_function("document/feed", |bencher| bencher.iter(whole));

    let prints = || -> u128 {
        let documents = articles.iter().map(|article| Document::new(black_box(&article.text), max_tokens));
        documents.fold(0, |all, document| all ^ document.fingerprint())
    };
    assert_ne!(prints(), 0);
    group.bench_function("document and fingerprint/feed", |bencher| bencher.iter(prints));
    group.finish();
}
