//! Pairs of records to evidence and verdicts.

use crate::input;
use criterion::{Criterion, Throughput};
use samestory::Profile;
use samestory::sketch::{Record, RecordBuf};
use samestory::verify::{Level, Scratch, judge, measure};
use std::hint::black_box;

pub(crate) fn bench(criterion: &mut Criterion) {
    let articles = input::articles();
    let profile = Profile::default();
    let records = input::records(&articles, &profile);
    let records: Vec<Record<'_>> = records.iter().map(RecordBuf::record).collect();
    let family = |at: usize| articles[at].id.as_str().split('/').next().expect("a split has a first part");
    // Pairs of one family are alike, matches or not; pairs of two families are what crowded buckets yield.
    let (mut alike, mut unlike): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for i in 0..records.len() {
        for j in i + 1..records.len() {
            let pairs = if family(i) == family(j) { &mut alike } else { &mut unlike };
            pairs.push((&records[i], &records[j]));
        }
    }
    let unlike: Vec<(&Record<'_>, &Record<'_>)> = unlike.into_iter().step_by(31).collect();

    let mut group = criterion.benchmark_group("verify");
    for (name, pairs, matches) in [("one family", &alike, 400..900), ("two families", &unlike, 0..2)] {
        let mut scratch = Scratch::default();
        let mut judge_all = || -> usize {
            let verdicts = pairs.iter().map(|(first, second)| {
                judge(black_box(first), black_box(second), &profile, Level::Rewrite, &mut scratch)
            });
            verdicts.filter(|verdict| verdict.relation.is_match()).count()
        };
        let num_matches = judge_all();
        assert!(matches.contains(&num_matches), "{num_matches} matches of {} pairs of {name}", pairs.len());
        group.throughput(Throughput::Elements(pairs.len() as u64));
        group.bench_function(format!("judge/{} pairs of {name}", pairs.len()), |bencher| bencher.iter(&mut judge_all));
        let mut scratch = Scratch::default();
        group.bench_function(format!("measure/{} pairs of {name}", pairs.len()), |bencher| {
            bencher.iter(|| {
                for (first, second) in pairs {
                    black_box(measure(black_box(first), black_box(second), &mut scratch));
                }
            });
        });
    }
    group.finish();
}
