//! What a machine allows on a feed, stage by stage, beside what the whole run takes.
//!
//!     cargo run --release --example limits -- feed.jsonl [ROUNDS]
//!
//! Each row does the work of the rows before it and more, on one thread but for the last two; medians over rounds, the
//! rows in turn. Rates are of the file's bytes. What each row has made is counted and checked against the first round's.

use anyhow::Context;
use samestory::engine::Verdicts;
use samestory::input::{Blocks, FieldNames};
use samestory::shingle::shingle_hashes;
use samestory::sketch::MinHasher;
use samestory::text::Document;
use samestory::verify::Level;
use samestory::{Article, Engine, Profile};
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// Rounds where none are asked for.
const NUM_ROUNDS: usize = 5;

/// A row: its name, and the work, which counts what it has made.
type Row<'a> = (&'a str, Box<dyn Fn() -> anyhow::Result<u64> + 'a>);

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let path = PathBuf::from(args.next().context("name a feed of JSON lines")?);
    let num_rounds = args.next().map_or(Ok(NUM_ROUNDS), |text| text.parse())?;
    let num_bytes = std::fs::metadata(&path)?.len();
    let profile = Profile::default();
    let sketch = profile.sketch();
    let hasher = MinHasher::new(sketch.num_slots, sketch.seed);

    let each = |work: &dyn Fn(&Article) -> u64| -> anyhow::Result<u64> {
        let mut sum = 0u64;
        for block in Blocks::open(std::slice::from_ref(&path), None)? {
            let articles = block?.parse(&FieldNames::default()).articles;
            sum = articles.iter().map(work).fold(sum, u64::wrapping_add);
        }
        Ok(sum)
    };
    let document = |article: &Article| {
        let document = Document::new(black_box(&article.text), sketch.max_tokens);
        (document.tokens.len() as u64, shingle_hashes(&document.tokens, sketch.shingle_len))
    };
    let cluster = |level, threads| -> anyhow::Result<u64> {
        let engine = Engine::new(profile.clone()).with_level(level).with_threads(threads);
        let engine = engine.with_verdicts(Verdicts::Counted);
        let blocks = Blocks::open(std::slice::from_ref(&path), None)?;
        let clustering = engine.cluster_blocks(blocks, |block| Ok(block.parse(&FieldNames::default()).articles))?;
        Ok(clustering.stats.num_clusters)
    };
    let rows: Vec<Row<'_>> = vec![
        ("bytes read and summed", Box::new(|| Ok(sum_of_words(&std::fs::read(&path)?)))),
        ("lines parsed", Box::new(|| each(&|article| article.text.len() as u64))),
        (
            "tokens",
            Box::new(|| {
                each(&|article| Document::new(black_box(&article.text), sketch.max_tokens).tokens.len() as u64)
            }),
        ),
        ("tokens, shingles", Box::new(|| each(&|article| document(article).1.len() as u64))),
        (
            "tokens, shingles, signature",
            Box::new(|| each(&|article| u64::from(hasher.signature(&document(article).1)[0]))),
        ),
        ("cluster --level near, 1 thread", Box::new(|| cluster(Level::Near, 1))),
        ("cluster, 1 thread", Box::new(|| cluster(Level::Rewrite, 1))),
        ("cluster --level near, all threads", Box::new(|| cluster(Level::Near, 0))),
        ("cluster, all threads", Box::new(|| cluster(Level::Rewrite, 0))),
    ];

    let num_articles = each(&|_| 1)?;
    let made: Vec<u64> = rows.iter().map(|(_, work)| work()).collect::<Result<_, _>>()?;
    let mut seconds = vec![Vec::new(); rows.len()];
    for _ in 0..num_rounds {
        for (i, (name, work)) in rows.iter().enumerate() {
            let started = Instant::now();
            let found = work()?;
            seconds[i].push(started.elapsed().as_secs_f64());
            anyhow::ensure!(found == made[i], "{name}: {found} made in one round, {} in another", made[i]);
        }
    }
    let mut out = anstream::stdout().lock();
    writeln!(out, "{num_articles} articles, {:.1} MB, medians of {num_rounds}\n", num_bytes as f64 / 1e6)?;
    writeln!(out, "| work | seconds | MB/s | µs an article | articles/s |\n|---|---|---|---|---|")?;
    for ((name, _), seconds) in rows.iter().zip(&mut seconds) {
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        let (rate, num) = (num_bytes as f64 / median / 1e6, num_articles as f64);
        writeln!(out, "| {name} | {median:.3} | {rate:.0} | {:.2} | {:.0} |", median / num * 1e6, num / median)?;
    }
    Ok(())
}

/// The sum of all words: as fast as memory gives them.
fn sum_of_words(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|word| u64::from_le_bytes(*word)).fold(0, u64::wrapping_add)
}
