//! Records to the keys under which articles meet.

use crate::input;
use criterion::Criterion;
use samestory::Profile;
use samestory::hash::HashSet;
use samestory::sketch::{KeyMaker, KeyScratch, RecordBuf};
use std::hint::black_box;

pub(crate) fn bench(criterion: &mut Criterion) {
    let articles = input::articles();
    let profile = Profile::default();
    let records = input::records(&articles, &profile);
    let maker = KeyMaker::new(&profile);
    let trees = |record: &RecordBuf, scratch: &mut KeyScratch, each: &mut dyn FnMut(u64)| {
        let terms = maker.weighted_terms(&record.record());
        (0..maker.num_trees()).flat_map(|tree| maker.tree_keys(&terms, tree, 0, scratch)).flatten().for_each(each);
    };
    // Two tellings of one story meet, two stories do not.
    let keys_of = |id: &str| -> HashSet<u64> {
        let at = articles.iter().position(|article| article.id.as_str() == id).expect("the id is in the fixture");
        let mut keys = HashSet::default();
        trees(&records[at], &mut KeyScratch::default(), &mut |key| {
            keys.insert(key);
        });
        keys
    };
    let base = keys_of("ferry-grounding/base");
    assert!(base.len() > maker.num_trees() / 2);
    assert!(!base.is_disjoint(&keys_of("ferry-grounding/moderate")));
    assert!(base.is_disjoint(&keys_of("wheat-futures/base")));

    let mut group = criterion.benchmark_group("keys");
    group.throughput(input::text_bytes(&articles));
    group.bench_function(format!("{} tree keys/feed", maker.num_trees()), |bencher| {
        let mut scratch = KeyScratch::default();
        bencher.iter(|| {
            let mut all = 0u64;
            for record in &records {
                trees(black_box(record), &mut scratch, &mut |key| all ^= key);
            }
            all
        });
    });
    let passages = || {
        let mut num_keys = 0u64;
        for record in &records {
            maker.passage_keys(&black_box(record).record(), |_| num_keys += 1);
        }
        num_keys
    };
    assert!(passages() > 10 * records.len() as u64, "{} passage keys", passages());
    group.bench_function("passage keys/feed", |bencher| bencher.iter(passages));
    group.finish();
}
