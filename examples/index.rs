//! What an index costs: articles a second as it grows, time of a query, bytes on disk and in memory, time of an expiry.
//!
//! `cargo run --release --example index -- FOLDER FEED [CAPACITY]` adds the articles of FEED (JSON lines, packed or not) to a
//! new index, whose keys are made for as many articles as CAPACITY says (else as the profile has it), then asks for a thousand
//! that were changed a little, then lets a tenth go.

use samestory::engine::Versions;
use samestory::input::{Blocks, FieldNames};
use samestory::profile::SketchParams;
use samestory::{Article, Engine, Index, Profile, Timestamp};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Articles between two lines.
const STEP: u64 = 100_000;
/// Articles that are asked for.
const NUM_QUERIES: usize = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, feed, capacity @ ..] = &args[..] else { return Err("usage: index FOLDER FEED [CAPACITY]".into()) };
    let mut profile = Profile::default();
    if let Some(capacity) = capacity.first().and_then(|capacity| capacity.to_str()) {
        let sketch = SketchParams { capacity: capacity.parse()?, ..profile.sketch().clone() };
        profile = profile.with_sketch(sketch)?;
    }
    let mut out = std::io::stdout().lock();
    let mut index = Index::open(folder, Engine::new(profile).with_versions(Versions::Newest))?;
    let fields = FieldNames::default();
    writeln!(
        out,
        "{:>12} {:>12} {:>12} {:>14} {:>10}",
        "articles", "articles/s", "bytes each", "anonymous kB", "segments"
    )?;
    let started = Instant::now();
    let (mut last, mut step_started, mut told) = (0, Instant::now(), Ok(()));
    let blocks = Blocks::open(std::slice::from_ref(feed), None)?;
    let added = index.add_blocks(
        blocks,
        |block| Ok(block.parse(&fields).articles),
        |added| {
            if added.num_added - last >= STEP {
                let (num, rate) =
                    (added.num_added, (added.num_added - last) as f64 / step_started.elapsed().as_secs_f64());
                let line = writeln!(out, "{num:>12} {rate:>12.0} {:>12} {:>14} {:>10}", "", anonymous(), "");
                told = std::mem::replace(&mut told, Ok(())).and(line);
                (last, step_started) = (added.num_added, Instant::now());
            }
        },
    )?;
    told?;
    let seconds = started.elapsed().as_secs_f64();
    index.flush()?;
    let stats = index.stats();
    writeln!(
        out,
        "{:>12} {:>12.0} {:>12} {:>14} {:>10}",
        stats.num_articles,
        added.num_added as f64 / seconds,
        stats.num_bytes / stats.num_articles.max(1),
        anonymous(),
        stats.num_segments.1
    )?;

    let asked = changed(feed, &fields)?;
    let mut times: Vec<Duration> = Vec::new();
    let mut num_found = 0;
    // Once to have the files at hand, once to be timed.
    for round in 0..2 {
        times.clear();
        num_found = 0;
        for article in &asked {
            let started = Instant::now();
            let hits = index.query(article)?;
            times.push(started.elapsed());
            num_found += usize::from(hits.iter().any(|hit| hit.relation.is_match()));
        }
        times.sort();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
        let what = ["cold", "warm"][round];
        writeln!(
            out,
            "query, {what}: p50 {:.2} ms, p99 {:.2} ms, {num_found} of {} found",
            at(50),
            at(99),
            times.len()
        )?;
    }
    assert!(num_found * 10 >= asked.len() * 9, "articles that lack a sentence are found");

    let (oldest, newest) = stats.span.unwrap_or((Timestamp(0), Timestamp(0)));
    let before = Timestamp(oldest.0 + (newest.0 - oldest.0) / 10);
    let started = Instant::now();
    index.hide_before(before)?;
    let millis = started.elapsed().as_secs_f64() * 1000.0;
    let num_before = stats.num_articles - index.len() as u64;
    writeln!(out, "expiry of {num_before}: hidden in {millis:.1} ms")?;
    let started = Instant::now();
    index.expire(before)?;
    writeln!(out, "what follows from it: {:.2} s", started.elapsed().as_secs_f64())?;
    Ok(())
}

/// Articles from all over the feed, each without its second sentence and under another id.
fn changed(feed: &Path, fields: &FieldNames) -> Result<Vec<Article>, Box<dyn std::error::Error>> {
    let mut all = Vec::new();
    for (number, block) in Blocks::open(&[feed.to_path_buf()], None)?.enumerate() {
        if number % 16 == 0 {
            all.extend(block?.parse(fields).articles.into_iter().take(40));
        }
    }
    let step = (all.len() / NUM_QUERIES).max(1);
    let some = all.into_iter().step_by(step).take(NUM_QUERIES);
    Ok(some
        .map(|article| {
            let sentences: Vec<&str> = article.text.split_inclusive(". ").collect();
            let rest = sentences.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, sentence)| *sentence);
            Article::new(format!("asked {}", article.id), rest.collect::<String>())
        })
        .collect())
}

/// Kilobytes of memory that are no file's; 0 where the system does not say.
fn anonymous() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}
