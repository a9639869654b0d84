//! `samestory sketch`

use crate::args;
use crate::feed::Intake;
use crate::message::{self, Usage, counted};
use crate::outputs::Outputs;
use crate::progress::Watch;
use rayon::prelude::*;
use samestory::engine::stages::Stages;
use samestory::input::Block;
use samestory::output::{Format, Output, SketchRow, SketchWriter, format_of};
use std::process::ExitCode;

/// Blocks that a worker has in hand at once, so that rows are written in the order of the input.
const BLOCKS_A_WORKER: usize = 2;

pub(crate) fn run(args: &args::Sketch) -> anyhow::Result<ExitCode> {
    let is_taken = |format: &Format| !matches!(format, Format::Csv | Format::Sqlite);
    let Some(format) = format_of(&args.output).filter(is_taken) else {
        let hint = "expected a name that ends in .jsonl, also in .gz or .zst after it, or in .parquet, or -";
        return Err(Usage(format!("-o {}: {hint}", args.output.display())).into());
    };
    let outputs = Outputs::new(&[("-o", Some(&args.output)), ("--rejects", args.reading.rejects.as_deref())])?;
    let mut blocks = args.reading.blocks(&args.inputs)?;
    outputs.refuse_inputs(None, blocks.files().chain(args.running.files()))?;
    outputs.refuse_unwritable()?;
    let engine = args.engine()?;
    let profile = engine.profile().clone();
    let stages = Stages::new(engine);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.running.threads).build()?;
    let intake = Intake::new(&args.reading)?;
    let watch = Watch::start(args.running.quiet, &blocks, &intake, None);
    let mut output = Output::create(&args.output)?;
    let mut writer = SketchWriter::new(&mut output, format, &profile)?;
    let mut num_articles = 0;
    loop {
        let at_hand = BLOCKS_A_WORKER * pool.current_num_threads();
        let some: Vec<Block> = blocks.by_ref().take(at_hand).collect::<samestory::Result<_>>()?;
        if some.is_empty() {
            break;
        }
        let sketched = |block: Block| -> samestory::Result<Vec<SketchRow>> {
            let mut sketcher = stages.sketcher();
            let articles = intake.parse(block)?.articles;
            Ok(articles.iter().map(|article| (article.id.as_str().to_string(), sketcher.sketches(article))).collect())
        };
        let rows: Vec<samestory::Result<Vec<SketchRow>>> =
            pool.install(|| some.into_par_iter().map(sketched).collect());
        for rows in rows {
            let rows = rows.map_err(|error| intake.failure(error))?;
            num_articles += rows.len() as u64;
            writer.write(&rows)?;
        }
    }
    writer.finish()?;
    watch.finish();
    let finished = output.finish()?;
    intake.report(args.running.quiet)?;
    finished.publish()?;
    if !args.running.quiet {
        message::line(&format!("{} sketched in {}", counted(num_articles, "article"), args.output.display()));
    }
    Ok(ExitCode::SUCCESS)
}
