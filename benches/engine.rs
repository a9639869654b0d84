//! A whole feed to clusters.

use crate::input;
use criterion::{BatchSize, Criterion};
use samestory::engine::NearSketch;
use samestory::verify::Level;
use samestory::{Engine, Profile};

pub(crate) fn bench(criterion: &mut Criterion) {
    let articles = input::articles();
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(20).throughput(input::text_bytes(&articles));
    let engine = Engine::new(Profile::default()).with_threads(1);
    for (name, engine, repeats) in [
        ("rewrite", engine.clone(), 150..210),
        ("near", engine.clone().with_level(Level::Near), 20..150),
        ("near by simhash", engine.clone().with_level(Level::Near).with_near(NearSketch::SimHash), 10..150),
        ("exact", engine.with_level(Level::Exact), 0..10),
    ] {
        let clustering = engine.cluster(articles.clone()).expect("the fixture clusters");
        assert_eq!(clustering.articles.len(), articles.len());
        let num_repeats = clustering.stats.num_repeats;
        assert!(repeats.contains(&num_repeats), "{name}: {num_repeats} repeats");
        group.bench_function(format!("{name}, 1 thread/feed"), |bencher| {
            bencher.iter_batched(|| articles.clone(), |articles| engine.cluster(articles), BatchSize::LargeInput);
        });
    }
    group.finish();
}
