//! Raw text to signature, and a line of a feed to all that sketches are made of, on one core, for each width of vectors.

use crate::input;
use criterion::{BatchSize, Criterion, Throughput};
use samestory::Profile;
use samestory::bits::{Width, limit_width};
use samestory::input::{Block, Blocks, FieldNames};
use samestory::shingle::shingle_hashes;
use samestory::sketch::{EMPTY_SLOT, MinHasher};
use samestory::text::{Document, tokenize};
use std::hint::black_box;
use std::path::PathBuf;

pub(crate) fn bench(criterion: &mut Criterion) {
    let articles = input::articles();
    let profile = Profile::default();
    let params = profile.sketch();
    let hasher = MinHasher::new(params.num_slots, params.seed);
    let mut signature = vec![0; params.num_slots];
    let mut sign_all = || {
        let mut all = 0u32;
        for article in &articles {
            let document = Document::new(black_box(&article.text), params.max_tokens);
            hasher.signature_into(&shingle_hashes(&document.tokens, params.shingle_len), &mut signature);
            assert_ne!(signature[0], EMPTY_SLOT);
            all = signature.iter().fold(all, |all, slot| all.rotate_left(1) ^ slot);
        }
        all
    };
    let tokens = || -> usize {
        let tokens = articles
            .iter()
            .map(|article| &article.text)
            .map(|text| tokenize(black_box(text), 0..text.len(), usize::MAX));
        tokens.map(|tokens| tokens.len()).sum()
    };

    let mut group = criterion.benchmark_group("signature");
    let expected = (sign_all(), tokens());
    for width in Width::ALL {
        limit_width(width);
        assert_eq!((sign_all(), tokens()), expected, "{width:?}");
        group.throughput(input::text_bytes(&articles));
        group.bench_function(format!("text to {} slots, {width:?}/feed", params.num_slots), |bencher| {
            bencher.iter(&mut sign_all);
        });
        group.bench_function(format!("tokenize only, {width:?}/feed"), |bencher| bencher.iter(tokens));

        let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/feed.jsonl"));
        let num_bytes = std::fs::metadata(&path).expect("the fixture is in the tree").len();
        let blocks = || -> Vec<Block> {
            let blocks = Blocks::open(std::slice::from_ref(&path), None).expect("the fixture is in the tree");
            blocks.collect::<Result<_, _>>().expect("the fixture can be read")
        };
        let fields = FieldNames::default();
        let parse = |blocks: Vec<Block>| -> usize {
            blocks.into_iter().map(|block| block.parse(&fields)).map(|parsed| parsed.articles.len()).sum()
        };
        assert_eq!(parse(blocks()), articles.len());
        group.throughput(Throughput::Bytes(num_bytes));
        group.bench_function(format!("parse only, {width:?}/feed"), |bencher| {
            bencher.iter_batched(blocks, parse, BatchSize::LargeInput);
        });
    }
    limit_width(Width::Avx512);
    group.finish();
}
