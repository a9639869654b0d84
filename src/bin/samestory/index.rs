//! `samestory index`

use crate::args::{self, IndexCommand};
use crate::feed::Intake;
use crate::message::{self, Usage, count, counted};
use crate::outputs::Outputs;
use crate::progress::Watch;
use samestory::engine::{Added, Hit, Recovered, decimals};
use samestory::input::Aside;
use samestory::output::{Format, Output, format_of, write_clusters};
use samestory::sketch::Records;
use samestory::{Index, Timestamp};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

pub(crate) fn run(args: &args::Index) -> anyhow::Result<ExitCode> {
    match &args.command {
        IndexCommand::Add(args) => add(args),
        IndexCommand::Query(args) => query(args),
        IndexCommand::Remove(args) => remove(args),
        IndexCommand::Clusters(args) => clusters(args),
        IndexCommand::Expire(args) => expire(args),
        IndexCommand::Compact(args) => compact(args),
        IndexCommand::Check(args) => check(args),
        IndexCommand::Stats(args) => stats(args),
        IndexCommand::Stories(args) => stories(args),
    }
}

/// Says what opening took from the log, where it was more than what a writer leaves there that ended as it should.
pub(crate) fn say_recovered(recovered: Recovered, quiet: bool) {
    if recovered.num_cut_bytes > 0 && !quiet {
        message::line(&format!(
            "the last writer was cut off: {} of a change it had not finished are left out, {} before it are in",
            counted(recovered.num_cut_bytes, "byte"),
            counted(recovered.num_changes, "change"),
        ));
    }
}

fn open_there(place: &args::IndexPlace) -> anyhow::Result<Index> {
    let folder = &place.folder;
    // Only `add` and `filter` make an index: a name that was mistyped is no index without articles.
    if !Index::is_in(folder) {
        return Err(samestory::Error::NoIndex { folder: folder.to_path_buf() }.into());
    }
    Ok(Index::open(folder, place.engine()?)?)
}

fn add(args: &args::IndexAdd) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::new(&[("--rejects", args.reading.rejects.as_deref())])?;
    let blocks = args.reading.blocks(&args.inputs)?;
    outputs.refuse_inputs(None, blocks.files().chain(args.running.files()))?;
    outputs.refuse_unwritable()?;
    let quiet = args.running.quiet;
    let engine = args.near.engine(&args.running, &args.folder)?.with_versions(args.repeated.versions.versions());
    let mut index = Index::open(&args.folder, args.keeping.ask(engine))?;
    say_recovered(index.recovered(), quiet);
    let intake = Intake::new(&args.reading)?;
    let watch = Watch::start(quiet, &blocks, &intake, None);
    let started = std::time::Instant::now();
    let mut done = Added::default();
    let added = index.add_blocks(blocks, |block| intake.parse_for_good(block), |added| done = added);
    watch.finish();
    if let Err(error) = added {
        let so_far = format!("{} were added before this", counted(done.num_added, "article"));
        return Err(intake.failure(error).context(so_far));
    }
    let notices = intake.notices();
    intake.report(quiet)?;
    if !quiet {
        for notice in notices.iter().filter(|notice| notice.aside == Aside::Canceled) {
            let (place, id) = (&notice.place, &notice.id);
            let copies = index.story_of(id.as_str())?.map(|(_, copies)| copies.join(", "));
            let told =
                copies.map_or("no article here tells it".to_string(), |copies| format!("it was told by {copies}"));
            message::warning(&format!("{place}: '{id}' is canceled; {told}"));
        }
        let seconds = started.elapsed().as_secs_f64();
        message::line(&format!("{} added to {}", counted(done.num_added, "article"), args.folder.display()));
        for (number, text) in [
            (done.num_replaced, "newer than what was there under their id, which they replace"),
            (done.num_repeated, "there already, with the same text"),
            (done.num_older, "older than what is there under their id, left out"),
            (notices.len() as u64, "set aside: kills, what is withheld, captions, notes"),
            (done.num_expired, "from before the moment that articles have expired to, left out"),
        ] {
            if number > 0 {
                message::line(&format!("  {} {text}", count(number)));
            }
        }
        let rate = (done.num_added as f64 / seconds.max(1e-9)) as u64;
        message::line(&format!(
            "  {seconds:.2} s, {} articles/s; {} in it now",
            count(rate),
            count(index.len() as u64)
        ));
    }
    // The system takes the memory back faster.
    std::mem::forget(index);
    Ok(ExitCode::SUCCESS)
}

fn query(args: &args::IndexQuery) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::new(&[("-o", Some(&args.output)), ("--rejects", args.reading.rejects.as_deref())])?;
    let blocks = args.reading.blocks(&args.inputs)?;
    let own = own_files(&args.place.folder);
    let read = blocks.files().chain(args.place.running.files()).chain(own.iter().map(PathBuf::as_path));
    outputs.refuse_inputs(None, read)?;
    outputs.refuse_unwritable()?;
    let index = Index::read(&args.place.folder, args.place.engine()?)?;
    let intake = Intake::new(&args.reading)?;
    let mut output = Output::create(&args.output)?;
    for block in blocks {
        let articles = intake.parse(block?).map_err(|error| intake.failure(error))?.articles;
        for (article, hits) in articles.iter().zip(index.query_all(&articles)?) {
            let hits: Vec<String> = hits.iter().map(hit_json).collect();
            let id = serde_json::Value::from(article.id.as_str());
            output.write(format!("{{\"id\":{id},\"hits\":[{}]}}\n", hits.join(",")).as_bytes())?;
        }
    }
    let finished = output.finish()?;
    intake.report(args.place.running.quiet)?;
    finished.publish()?;
    Ok(ExitCode::SUCCESS)
}

/// What lies in an index's folder: no place for an output.
fn own_files(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).into_iter().flatten();
    found.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn hit_json(hit: &Hit) -> String {
    let (id, relation, score) =
        (serde_json::Value::from(hit.id.as_str()), hit.relation.name(), decimals(hit.probability_e4.into()));
    format!("{{\"id\":{id},\"relation\":\"{relation}\",\"score\":{score},\"story\":{}}}", hit.story)
}

fn remove(args: &args::IndexRemove) -> anyhow::Result<ExitCode> {
    let mut index = open_there(&args.place)?;
    let asked = args.ids.len() as u64;
    let removed = index.remove(args.ids.iter().map(String::as_str))?;
    if !args.place.running.quiet {
        let rest = if removed < asked { format!("; {} not there", count(asked - removed)) } else { String::new() };
        message::line(&format!("{} removed{rest}", counted(removed, "article")));
    }
    Ok(ExitCode::SUCCESS)
}

fn clusters(args: &args::IndexClusters) -> anyhow::Result<ExitCode> {
    let Some(format) = format_of(&args.output).filter(|format| *format != Format::Sqlite) else {
        let hint = "expected a name that ends in .jsonl or .csv, also in .gz or .zst after it, or in .parquet, or -";
        return Err(Usage(format!("{}: {hint}", args.output.display())).into());
    };
    let outputs = Outputs::new(&[("-o", Some(&args.output))])?;
    let own = own_files(&args.place.folder);
    outputs.refuse_inputs(None, args.place.running.files().chain(own.iter().map(PathBuf::as_path)))?;
    outputs.refuse_unwritable()?;
    let index = Index::read(&args.place.folder, args.place.engine()?)?;
    let clustering = index.clusters()?;
    let mut output = Output::create(&args.output)?;
    write_clusters(&clustering, &mut output, format)?;
    output.finish()?.publish()?;
    if !args.place.running.quiet {
        let stats = &clustering.stats;
        message::line(&format!(
            "{} in {}, {}",
            counted(stats.num_articles, "article"),
            if stats.num_clusters == 1 {
                "1 story".to_string()
            } else {
                format!("{} stories", count(stats.num_clusters))
            },
            counted(stats.num_repeats, "repeat"),
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn expire(args: &args::IndexExpire) -> anyhow::Result<ExitCode> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let before = match (args.older_than, args.before) {
        (Some(age), _) => Timestamp(now.saturating_sub(age)),
        (None, Some(moment)) => moment,
        (None, None) => unreachable!("one of the two is required"),
    };
    let mut index = open_there(&args.place)?;
    let expired = index.expire(before)?;
    if !args.place.running.quiet {
        message::line(&format!("{} expired, {} stay", counted(expired, "article"), count(index.len() as u64)));
    }
    Ok(ExitCode::SUCCESS)
}

fn compact(args: &args::IndexPlace) -> anyhow::Result<ExitCode> {
    let mut index = match open_there(args) {
        Err(error) if is_other_verdict(&error) => {
            if !args.running.quiet {
                message::line("made under another verdict: all is judged anew");
            }
            Index::judge_anew(&args.folder, args.engine()?)?
        }
        opened => opened?,
    };
    let before = index.stats();
    index.compact()?;
    let after = index.stats();
    if !args.running.quiet {
        message::line(&format!(
            "{} in {} bytes, {} before; {} are gone",
            counted(after.num_articles, "article"),
            count(after.num_bytes),
            count(before.num_bytes),
            counted(before.num_gone, "article"),
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn is_other_verdict(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(samestory::Error::OtherIndex { field: "verdict", .. }))
}

fn check(args: &args::IndexCheck) -> anyhow::Result<ExitCode> {
    let checked = Index::check(&args.folder)?;
    for problem in &checked.problems {
        message::line(&format!("{problem}"));
    }
    if !args.quiet {
        for name in &checked.foreign {
            message::line(&format!("{name}: no file of an index; it does no harm"));
        }
        for name in &checked.leftovers {
            message::line(&format!("{name}: left behind by a writer that was cut off; the next one takes it away"));
        }
        let lost = checked.num_articles - checked.num_readable;
        message::line(&format!(
            "{}: {} in segments, {} in the log; {}",
            if checked.problems.is_empty() { "sound" } else { "damaged" },
            counted(checked.num_articles, "article"),
            counted(checked.num_changes_in_log, "change"),
            match (lost, checked.problems.is_empty()) {
                (0, true) => "all can be read".to_string(),
                (0, false) => "the articles in segments can be read".to_string(),
                _ => format!("{} cannot be read", counted(lost, "article")),
            },
        ));
    }
    Ok(if checked.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn stats(args: &args::IndexStats) -> anyhow::Result<ExitCode> {
    let index = Index::read(&args.place.folder, args.place.engine()?)?;
    let stats = index.stats();
    let time = |moment: Timestamp| moment.to_string();
    let (oldest, newest) = stats.span.map(|(oldest, newest)| (time(oldest), time(newest))).unzip();
    if args.json {
        let value = serde_json::json!({
            "articles": stats.num_articles,
            "gone": stats.num_gone,
            "stories": stats.num_stories,
            "matches": stats.num_matches,
            "segments": {"articles": stats.num_segments.0, "keys": stats.num_segments.1},
            "in_log": stats.num_in_log,
            "bytes": stats.num_bytes,
            "oldest": oldest,
            "newest": newest,
            "changes": stats.seq,
            "records": stats.records == Records::Whole,
        });
        message::data(&format!("{value}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let stories =
        if stats.num_stories == 1 { "1 story".to_string() } else { format!("{} stories", count(stats.num_stories)) };
    let mut text = format!("{} in {stories}\n", counted(stats.num_articles, "article"));
    if let (Some(oldest), Some(newest)) = (oldest, newest) {
        text.push_str(&format!("  from {oldest} to {newest}\n"));
    }
    text.push_str(&format!("  {} matches\n", count(stats.num_matches)));
    text.push_str(&format!(
        "  {} bytes, {} an article; {} of articles, {} of keys, {} in the log\n",
        count(stats.num_bytes),
        count(stats.num_bytes / stats.num_articles.max(1)),
        counted(stats.num_segments.0, "segment"),
        count(stats.num_segments.1),
        counted(stats.num_in_log, "article"),
    ));
    if stats.records == Records::Thin {
        text.push_str("  without records: judged by sketches, not as `cluster` does\n");
    }
    if stats.num_gone > 0 {
        text.push_str(&format!(
            "  {} removed or expired, on disk until `compact`\n",
            counted(stats.num_gone, "article")
        ));
    }
    message::data(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn stories(args: &args::IndexStories) -> anyhow::Result<ExitCode> {
    Index::each_event(&args.folder, args.after, message::bytes)?;
    Ok(ExitCode::SUCCESS)
}
