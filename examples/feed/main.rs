//! Writes a made news feed of any size, and gold for it.
//!
//! ```sh
//! cargo run --release --example feed -- --articles 1000000 --seed 7 -o feed.jsonl --gold gold.jsonl
//! ```
//!
//! The same arguments give the same bytes, and a larger feed begins with a smaller one. The feed is English in form and
//! frequencies only: it is for measuring time, memory and counts, not for judging a verdict.

mod generate;

use clap::Parser;
use generate::{Feed, Made, Mixture};
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes a made news feed with planted copies, edits, cuts, rewrites, templates and hot events.
#[derive(Debug, Parser)]
struct Args {
    /// Articles to write.
    #[arg(long, default_value_t = 100_000)]
    articles: u64,
    /// Seed of everything.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Articles a day: a larger feed covers a longer time.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    per_day: u64,
    /// This many articles of one template, with other facts each, in place of news.
    #[arg(long, conflicts_with_all = ["articles", "repeats"])]
    templates: Option<u64>,
    /// One article this many times, in place of news.
    #[arg(long, conflicts_with = "articles")]
    repeats: Option<u64>,
    /// Where the feed goes: JSON lines; - for stdout.
    #[arg(short, long)]
    output: PathBuf,
    /// Where gold goes: id, cluster, kind.
    #[arg(long)]
    gold: Option<PathBuf>,
}

#[derive(Serialize)]
struct ArticleRow<'a> {
    id: &'a str,
    text: &'a str,
    title: &'a str,
    source: &'a str,
    published: String,
}

#[derive(Serialize)]
struct GoldRow<'a> {
    id: &'a str,
    cluster: &'a str,
    kind: &'a str,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (mixture, num_articles) = match (args.templates, args.repeats) {
        (Some(number), _) => (Mixture::Templates, number),
        (_, Some(number)) => (Mixture::Repeats, number),
        _ => (Mixture::News, args.articles),
    };
    let mut feed = writer(&args.output)?;
    let mut gold = args.gold.as_deref().map(writer).transpose()?;
    for made in Feed::new(args.seed, mixture, args.per_day).take(num_articles as usize) {
        let Made { id, text, title, source, published, cluster, kind } = &made;
        let published = jiff::Timestamp::from_second(*published)?.to_string();
        write_line(&mut feed, &ArticleRow { id, text, title, source, published })?;
        if let Some(gold) = &mut gold {
            write_line(gold, &GoldRow { id, cluster, kind })?;
        }
    }
    feed.flush()?;
    if let Some(mut gold) = gold {
        gold.flush()?;
    }
    Ok(())
}

fn write_line(out: &mut impl Write, row: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    Ok(out.write_all(b"\n")?)
}

fn writer(path: &Path) -> anyhow::Result<BufWriter<Box<dyn Write>>> {
    let file: Box<dyn Write> =
        if path == Path::new("-") { Box::new(std::io::stdout().lock()) } else { Box::new(File::create(path)?) };
    Ok(BufWriter::with_capacity(1 << 18, file))
}
