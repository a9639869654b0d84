//! Benchmarks of the stages: one criterion binary, a module a stage. Inputs come from `fixtures/feed.jsonl` or from a
//! seeded generator named in the benchmark's id; every result is asserted before it is timed.

mod cluster;
mod engine;
mod formats;
mod input;
mod kernels;
mod keys;
mod minhash;
#[path = "../tests/it/planted.rs"]
mod planted;
mod shingle;
mod signature;
mod text;
mod verify;

fn main() {
    let mut criterion = criterion::Criterion::default().configure_from_args();
    formats::bench(&mut criterion);
    text::bench(&mut criterion);
    shingle::bench(&mut criterion);
    minhash::bench(&mut criterion);
    signature::bench(&mut criterion);
    kernels::bench(&mut criterion);
    keys::bench(&mut criterion);
    verify::bench(&mut criterion);
    cluster::bench(&mut criterion);
    engine::bench(&mut criterion);
    criterion.final_summary();
}
