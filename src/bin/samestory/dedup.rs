//! `samestory dedup`

use crate::args;
use crate::feed::Intake;
use crate::kept::{Held, Shape};
use crate::message::{self, counted};
use crate::notices;
use crate::outputs::Outputs;
use crate::progress::Watch;
use samestory::engine::{Clustering, Kept, Verdicts};
use samestory::output::Output;
use std::process::ExitCode;
use std::sync::Mutex;

pub(crate) fn run(args: &args::Dedup) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::new(&[
        ("-o", Some(&args.output)),
        ("--removed", args.removed.as_deref()),
        ("--notices", args.notices.as_deref()),
        ("--rejects", args.reading.rejects.as_deref()),
    ])?;
    let mut blocks = args.reading.blocks(&args.inputs)?;
    // What stays may replace the feed: it is written when all was read.
    outputs.refuse_inputs(Some("-o"), blocks.files())?;
    outputs.refuse_inputs(None, args.running.files())?;
    outputs.refuse_unwritable()?;
    let engine = args.matching.engine(&args.running)?.with_verdicts(Verdicts::Counted);
    let quiet = args.running.quiet;
    let intake = Intake::new(&args.reading)?;
    let held: Mutex<Vec<Held>> = Mutex::default();
    let watch = Watch::start(quiet, &blocks, &intake, Some(engine.progress()));
    let first_format = blocks.first_format()?;
    let shape = Shape::of(&args.output, first_format)?;
    if let Some(path) = &args.removed {
        shape.refuse_other_name(path, first_format)?;
    }
    let clustering = engine.cluster_blocks(blocks, |block| {
        let (seq, file) = (block.seq, block.file_name());
        let mut parsed = intake.parse(block)?;
        let articles = std::mem::take(&mut parsed.articles);
        held.lock().expect("no parser panics").push(Held::new(seq, file, parsed, &articles, shape));
        Ok(articles)
    });
    let clustering = clustering.map_err(|error| intake.failure(error))?;
    watch.finish();
    let concerning = notices::concerning(intake.notices(), &clustering);
    intake.report(quiet)?;
    let mut held = held.into_inner().expect("no parser panics");
    held.sort_unstable_by_key(|held| held.block);
    shape.check(&args.output, &held)?;

    let mut fates = fates(&clustering, args).into_iter().peekable();
    let mut kept = shape.writer(Output::create(&args.output)?, &held, None)?;
    let mut removed = match &args.removed {
        Some(path) => Some(shape.writer(Output::create(path)?, &held, Some(path))?),
        None => None,
    };
    let (mut num_kept, mut num_removed) = (0, 0);
    for block in &held {
        for piece in &block.pieces {
            let Some(record) = piece.record else {
                kept.write(block, piece, None)?;
                continue;
            };
            let place = (block.block, record);
            match fates.next_if(|(origin, _)| *origin == place).map(|(_, fate)| fate) {
                Some(Fate::Stays) => {
                    num_kept += 1;
                    kept.write(block, piece, None)?;
                }
                Some(Fate::Goes { duplicate_of, relation }) => {
                    num_removed += 1;
                    if let Some(removed) = &mut removed {
                        removed.write(block, piece, Some((&duplicate_of, relation)))?;
                    }
                }
                None => unreachable!("every article that was read has a fate"),
            }
        }
    }
    let mut finished = vec![kept.finish()?];
    if let Some(removed) = removed {
        finished.push(removed.finish()?);
    }
    if let Some(path) = &args.notices {
        finished.push(notices::write(path, &concerning)?);
    }
    for file in finished {
        file.publish()?;
    }
    if !quiet {
        notices::warn(&concerning);
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
