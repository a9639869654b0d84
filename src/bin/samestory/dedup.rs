//! `samestory dedup`

use crate::args;
use crate::feed::Intake;
use crate::message::{self, counted};
use crate::outputs::Outputs;
use crate::progress::Watch;
use crate::tag::with_fields;
use samestory::engine::{Clustering, Kept, Verdicts};
use samestory::input::{BYTE_ORDER_MARK, Blocks, Parsed};
use samestory::output::Output;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;

pub(crate) fn run(args: &args::Dedup) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::new(&[
        ("-o", Some(&args.output)),
        ("--removed", args.removed.as_deref()),
        ("--rejects", args.reading.rejects.as_deref()),
    ])?;
    let blocks = Blocks::open(&args.inputs, args.reading.input_format())?;
    // What stays may replace the feed: it is written when all was read.
    outputs.refuse_inputs(Some("-o"), blocks.files())?;
    outputs.refuse_inputs(None, args.running.files())?;
    outputs.refuse_unwritable()?;
    let engine = args.matching.engine(&args.running)?.with_verdicts(Verdicts::Counted);
    let quiet = args.running.quiet;
    let intake = Intake::new(&args.reading);
    let lines: Mutex<Vec<Lines>> = Mutex::default();
    let watch = Watch::start(quiet, &blocks, &intake, Some(engine.progress()));
    let clustering = engine.cluster_blocks(blocks, |block| {
        let seq = block.seq;
        let Parsed { articles, bytes, records, has_mark, .. } = intake.parse(block);
        lines.lock().expect("no parser panics").push(Lines { block: seq, bytes, records, has_mark });
        articles
    })?;
    watch.finish();
    intake.report(&args.reading, quiet)?;
    let mut lines = lines.into_inner().expect("no parser panics");
    lines.sort_unstable_by_key(|l| l.block);

    let fates = fates(&clustering, args);
    let has_mark = lines.first().is_some_and(|first| first.has_mark);
    let mut kept = KeptLines::new(Output::create(&args.output)?, has_mark);
    let mut removed = args.removed.as_deref().map(Output::create).transpose()?;
    let (mut num_kept, mut num_removed) = (0, 0);
    let mut fate = fates.into_iter().peekable();
    for block in &lines {
        for (record, range) in block.records.iter().enumerate() {
            let line = &block.bytes[range.clone()];
            let place = (block.block, record as u32);
            match fate.next_if(|(origin, _)| *origin == place).map(|(_, fate)| fate) {
                Some(Fate::Stays) => {
                    num_kept += 1;
                    kept.write(line)?;
                }
                Some(Fate::Goes { duplicate_of, relation }) => {
                    num_removed += 1;
                    if let Some(removed) = &mut removed {
                        let id = serde_json::Value::from(duplicate_of);
                        let fields = format!("\"duplicate_of\":{id},\"relation\":\"{relation}\"");
                        removed.write(&with_fields(line, &fields))?;
                    }
                }
                None => unreachable!("every article that was read has a fate"),
            }
        }
    }
    let mut finished = vec![kept.output.finish()?];
    if let Some(removed) = removed {
        finished.push(removed.finish()?);
    }
    for file in finished {
        file.publish()?;
    }
    if !quiet {
        message::line(&format!("{} kept, {} removed", counted(num_kept, "article"), message::count(num_removed)));
        let num_beside = num_kept - clustering.stats.num_clusters;
        if num_beside > 0 {
            let stay = if num_beside == 1 { "that adds something stays" } else { "that add something stay" };
            let hint = "beside what is updated; --updates drop leaves them out";
            message::line(&format!("  of these {} {stay} {hint}", counted(num_beside, "update")));
        }
        args.matching.note_languages(&clustering.stats);
    }
    Ok(ExitCode::SUCCESS)
}

/// The bytes of a block and where its records lie.
struct Lines {
    block: u64,
    bytes: Vec<u8>,
    records: Vec<Range<usize>>,
    has_mark: bool,
}

/// Writes lines as they came, each with its own end.
struct KeptLines {
    output: Output,
    /// What goes before the next line: a byte order mark at first, and the end that the line before lacks.
    before: &'static [u8],
    /// The last end that a line had: how one is ended that had none and is not the last.
    line_end: &'static [u8],
}

impl KeptLines {
    fn new(output: Output, has_mark: bool) -> Self {
        Self { output, before: if has_mark { BYTE_ORDER_MARK } else { b"" }, line_end: b"\n" }
    }

    fn write(&mut self, line: &[u8]) -> samestory::Result<()> {
        self.output.write(std::mem::take(&mut self.before))?;
        self.output.write(line)?;
        if line.ends_with(b"\n") {
            self.line_end = if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        } else {
            self.before = self.line_end;
        }
        Ok(())
    }
}

/// What becomes of a record.
enum Fate {
    Stays,
    Goes { duplicate_of: String, relation: &'static str },
}

/// The fate of every record that is an article, in input order.
fn fates(clustering: &Clustering, args: &args::Dedup) -> Vec<((u64, u32), Fate)> {
    let id = |rank: u32| clustering.articles.get(rank).id().to_string();
    let kept = clustering.keep(&args.keep, args.updates == args::Updates::Keep);
    let mut fates: Vec<((u64, u32), Fate)> = clustering
        .articles
        .iter()
        .zip(&kept)
        .map(|(article, kept)| {
            let fate = match kept {
                Kept::Yes => Fate::Stays,
                Kept::DuplicateOf(rank, relation) => Fate::Goes { duplicate_of: id(*rank), relation: relation.name() },
            };
            (article.block_and_record(), fate)
        })
        .collect();
    // A line that repeats an id goes with the article that stands.
    fates.extend(clustering.replaced.iter().map(|replaced| {
        let relation = if replaced.is_older_version { "update" } else { "exact" };
        let fate = Fate::Goes { duplicate_of: replaced.id.to_string(), relation };
        (replaced.place, fate)
    }));
    fates.sort_unstable_by_key(|(place, _)| *place);
    fates
}
