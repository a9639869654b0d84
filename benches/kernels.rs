//! Each kernel by the width of its vectors: what it buys, and that it says the same.

use crate::input;
use criterion::Criterion;
use samestory::Profile;
use samestory::bits::{Width, limit_width};
use samestory::sketch::{KeyMaker, KeyScratch, MinHasher, Record, RecordBuf};
use samestory::text::{Document, normalize};
use samestory::verify::{Outlook, outlook};
use std::hint::black_box;

pub(crate) fn bench(criterion: &mut Criterion) {
    let articles = input::articles();
    let profile = Profile::default();
    let documents = input::documents(&articles, &profile);
    let shingles = input::shingles(&documents, &profile);
    let records = input::records(&articles, &profile);
    let records: Vec<Record<'_>> = records.iter().map(RecordBuf::record).collect();
    let maker = KeyMaker::new(&profile);
    let terms: Vec<_> = records.iter().map(|record| maker.weighted_terms(record)).collect();
    let hasher = MinHasher::new(profile.sketch().num_slots, profile.sketch().seed);
    let mut signature = vec![0; profile.sketch().num_slots];

    let minima = || {
        shingles.iter().fold(0u64, |all, shingles| {
            hasher.signature_into(black_box(shingles), &mut signature);
            signature.iter().fold(all, |all, slot| all.rotate_left(1) ^ u64::from(*slot))
        })
    };
    let hits = || {
        let mut scratch = KeyScratch::default();
        let mut all = 0u64;
        for terms in &terms {
            for tree in 0..maker.num_trees() {
                let keys = maker.tree_keys(black_box(terms), tree, 0, &mut scratch);
                all = keys.into_iter().flatten().fold(all, |all, key| all.rotate_left(1) ^ key);
            }
        }
        all
    };
    let shared = || {
        let mut num_open = 0u64;
        for (i, first) in records.iter().enumerate() {
            for second in records[i + 1..].iter().step_by(11) {
                let looks = outlook(black_box(&first.terms), black_box(&second.terms));
                num_open += u64::from(looks == Outlook::Match);
            }
        }
        num_open
    };
    let classes = || articles.iter().map(|article| normalize(black_box(&article.text)).len() as u64).sum::<u64>();
    let prints = || {
        let print = |document: &Document<'_>| black_box(document).fingerprint() as u64;
        documents.iter().map(print).fold(0u64, |all, print| all.rotate_left(1) ^ print)
    };

    let mut group = criterion.benchmark_group("kernels");
    type Kernel<'a> = (&'static str, Box<dyn FnMut() -> u64 + 'a>);
    let kernels: [Kernel<'_>; 5] = [
        ("minima of a signature", Box::new(minima)),
        ("first words of a tree", Box::new(hits)),
        ("words of two heads", Box::new(shared)),
        ("classes of bytes, in normalising", Box::new(classes)),
        ("plain text of a fingerprint", Box::new(prints)),
    ];
    for (name, mut run) in kernels {
        let expected = run();
        assert_ne!(expected, 0, "{name}");
        for width in Width::ALL {
            limit_width(width);
            assert_eq!(run(), expected, "{name}, {width:?}");
            group.bench_function(format!("{name}, {width:?}/feed"), |bencher| bencher.iter(&mut run));
        }
        limit_width(Width::Avx512);
    }
    group.finish();
}
