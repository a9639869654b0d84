//! Reads a feed and does nothing with it: how fast the readers are, and what they hold.
//!
//!     cargo run --release --example read -- FILE [THREADS]
//!
//! Blocks are read on one thread and parsed on THREADS others (1 where it is left out).

use samestory::input::{Blocks, FieldNames};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

fn main() -> samestory::Result<()> {
    let mut words = std::env::args().skip(1);
    let path = PathBuf::from(words.next().unwrap_or_else(|| "fixtures/feed.jsonl".to_string()));
    let num_threads = words.next().and_then(|word| word.parse().ok()).unwrap_or(1);
    let started = Instant::now();
    let blocks = Blocks::open(&[path], None)?;
    let read = blocks.bytes_read();
    let fields = FieldNames::default();
    let counts = Mutex::new((0_u64, 0_u64, 0_u64));
    let (sender, receiver) = sync_channel(2 * num_threads);
    let receiver = Mutex::new(receiver);
    std::thread::scope(|scope| -> samestory::Result<()> {
        for _ in 0..num_threads {
            scope.spawn(|| {
                while let Ok(block) = { receiver.lock().expect("no reader panics").recv() } {
                    let parsed = samestory::input::Block::parse(block, &fields);
                    let mut counts = counts.lock().expect("no reader panics");
                    counts.0 += parsed.articles.len() as u64;
                    counts.1 += parsed.articles.iter().map(|article| article.text.len() as u64).sum::<u64>();
                    counts.2 += parsed.rejects.len() as u64;
                }
            });
        }
        for block in blocks {
            sender.send(block?).expect("the readers wait for blocks");
        }
        drop(sender);
        Ok(())
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let (num_articles, text_len, num_rejects) = *counts.lock().expect("no reader panics");
    let peak = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    let _ = writeln!(
        std::io::stdout(),
        "{num_articles} articles, {num_rejects} rejects, {:.1} MB read, {:.1} MB of text, {seconds:.2} s, peak {} MiB",
        read.num_bytes() as f64 / 1e6,
        text_len as f64 / 1e6,
        peak.map_or("?".to_string(), |kib| (kib >> 10).to_string()),
    );
    Ok(())
}
