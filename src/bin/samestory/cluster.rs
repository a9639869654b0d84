//! `samestory cluster`

use crate::args;
use crate::feed::Intake;
use crate::memory;
use crate::message::{self, Usage, count, counted};
use crate::notices;
use crate::outputs::Outputs;
use crate::progress::Watch;
use samestory::engine::{Clustering, Texts, Verdicts};
use samestory::input::Reject;
use samestory::output::{Format, Output, format_of, is_stdout, write_clusters, write_pairs, write_sqlite};
use samestory::{Timestamp, report};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

pub(crate) fn run(args: &args::Cluster) -> anyhow::Result<ExitCode> {
    check_names(args)?;
    let outputs = Outputs::new(&[
        ("-o", Some(&args.output)),
        ("--pairs", args.pairs.as_deref()),
        ("--links", args.links.as_deref()),
        ("--stats", args.stats.as_deref()),
        ("--report", args.report.as_deref()),
        ("--notices", args.notices.as_deref()),
        ("--rejects", args.reading.rejects.as_deref()),
    ])?;
    let blocks = args.reading.blocks(&args.inputs)?;
    outputs.refuse_inputs(None, blocks.files().chain(args.running.files()))?;
    outputs.refuse_unwritable()?;
    let is_database = format_of(&args.output) == Some(Format::Sqlite);
    let holds = is_database || [&args.pairs, &args.links, &args.report].into_iter().any(Option::is_some);
    let texts = if holds { Texts::Held } else { Texts::Dropped };
    let verdicts = if holds { Verdicts::Held } else { Verdicts::Counted };
    let engine = args.matching.engine(&args.running)?.with_texts(texts).with_verdicts(verdicts);
    let quiet = args.running.quiet;
    let intake = Intake::new(&args.reading)?;
    let watch = Watch::start(quiet, &blocks, &intake, Some(engine.progress()));
    let clustering = engine.cluster_blocks(blocks, |block| Ok(intake.parse(block)?.articles));
    let clustering = clustering.map_err(|error| intake.failure(error))?;
    watch.finish();
    let notices = notices::concerning(intake.notices(), &clustering);
    let first_rejects = intake.first_rejects();
    let num_rejects = intake.report(quiet)?;

    let mut finished = Vec::new();
    let write = |path: &Path, fill: &dyn Fn(&mut Output) -> samestory::Result<()>| {
        let mut output = Output::create(path)?;
        fill(&mut output)?;
        output.finish()
    };
    let table = |path: &Path| format_of(path).expect("checked above");
    finished.push(if is_database {
        write_sqlite(&clustering, &args.output)?
    } else {
        write(&args.output, &|out| write_clusters(&clustering, out, table(&args.output)))?
    });
    for (path, pairs) in [(&args.pairs, &clustering.pairs), (&args.links, &clustering.links)] {
        if let Some(path) = path {
            finished.push(write(path, &|out| write_pairs(&clustering, pairs, out, table(path)))?);
        }
    }
    if let Some(path) = &args.stats {
        let text = format!("{:#}\n", stats_json(&clustering, num_rejects));
        finished.push(write(path, &|out| out.write(text.as_bytes()))?);
    }
    if let Some(path) = &args.notices {
        finished.push(notices::write(path, &notices)?);
    }
    if let Some(path) = &args.report {
        let page = report::to_html(&clustering, &described(args, &first_rejects, num_rejects));
        finished.push(write(path, &|out| out.write(page.as_bytes()))?);
    }
    for file in finished {
        file.publish()?;
    }
    if !quiet {
        notices::warn(&notices);
        summarize(&clustering, num_rejects, args);
    }
    // The process ends here: the system takes the memory back faster than a hundred thousand vectors are freed.
    std::mem::forget(clustering);
    Ok(ExitCode::SUCCESS)
}

/// Refuses names of tables that say no format, or one that cannot be.
fn check_names(args: &args::Cluster) -> Result<(), Usage> {
    let tables = [Some(&args.output), args.pairs.as_ref(), args.links.as_ref()];
    for path in tables.into_iter().flatten() {
        let hint = match format_of(path) {
            None => {
                "expected a name that ends in .jsonl, .csv, .parquet or .sqlite, the first two also in .gz or .zst \
                     after it, or -"
            }
            Some(Format::Sqlite) if path != &args.output => "pairs and links stand in the database of -o FILE.sqlite",
            Some(Format::Sqlite) if path.metadata().is_ok_and(|found| !found.is_file()) => {
                "a database is a regular file"
            }
            Some(_) => continue,
        };
        return Err(Usage(format!("{}: {hint}", path.display())));
    }
    Ok(())
}

/// What the report says of the run beside its answer.
fn described<'a>(args: &args::Cluster, rejects: &'a [Reject], num_rejects: u64) -> report::Run<'a> {
    let named = |path: &PathBuf| path.display().to_string();
    let mut settings = vec![
        ("level", format!("{:?}", args.matching.level).to_lowercase()),
        ("near copies by", format!("{:?}", args.matching.near).to_lowercase()),
    ];
    let files = [("profile", &args.running.profile), ("weights", &args.running.weights)];
    settings.extend(files.into_iter().filter_map(|(name, path)| Some((name, named(path.as_ref()?)))));
    report::Run {
        inputs: args.inputs.iter().map(named).collect(),
        settings,
        made: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()
            .map(|since| Timestamp(since.as_secs() as i64)),
        rejects,
        num_rejects,
        text: match args.report_text {
            args::ReportTextName::Full => report::ReportText::Full,
            args::ReportTextName::None => report::ReportText::None,
        },
    }
}

/// The run in a dozen lines.
fn summarize(clustering: &Clustering, num_rejects: u64, args: &args::Cluster) {
    let stats = &clustering.stats;
    let share = 100.0 * stats.num_repeats as f64 / stats.num_articles.max(1) as f64;
    message::line(&format!(
        "{} {} {}: {} ({share:.1} %)",
        counted(stats.num_articles, "article"),
        if stats.num_articles == 1 { "tells" } else { "tell" },
        if stats.num_clusters == 1 { "1 story".to_string() } else { format!("{} stories", count(stats.num_clusters)) },
        counted(stats.num_repeats, "repeat"),
    ));
    for (relation, number) in &stats.relations {
        if *number > 0 {
            message::line(&format!("  {:<9} {:>9}", relation.name(), count(*number)));
        }
    }
    let largest = clustering.members.iter().map(|m| m.size).max().unwrap_or(0);
    let num_shared = clustering.members.iter().filter(|m| m.size > 1 && m.article == m.cluster).count() as u64;
    message::line(&format!(
        "  {} with more than one article, the largest of {largest}",
        counted(num_shared, "cluster")
    ));
    let mut apart: Vec<String> = Vec::new();
    for name in ["template", "followup", "same_event", "includes"] {
        let number = stats.links.iter().find(|(relation, _)| relation.name() == name).map_or(0, |(_, number)| *number);
        if number > 0 {
            apart.push(format!("{} {name}", count(number)));
        }
    }
    if !apart.is_empty() {
        message::line(&format!("  look-alike pairs kept apart: {}", apart.join(", ")));
    }
    for (number, text) in [
        (stats.num_undecidable, "too short or empty to compare"),
        (stats.num_repeated_lines, "repeating an id and its text, counted once"),
        (stats.num_older_versions, "replaced by a newer version of the same id"),
        (num_rejects, "that could not be read, skipped"),
    ] {
        if number > 0 {
            message::line(&format!("  {} {text}", counted(number, "record")));
        }
    }
    args.matching.note_languages(stats);
    message::line(&format!(
        "  {:.2} s, {} articles/s; {} candidate pairs verified",
        stats.total_seconds,
        count((stats.num_articles as f64 / stats.total_seconds.max(1e-9)) as u64),
        count(stats.num_candidates),
    ));
    if args.output.as_os_str() != "-" {
        message::line(&format!("  clusters are in {}", args.output.display()));
    }
    if let Some(path) = args.report.as_ref().filter(|path| !is_stdout(path)) {
        message::line(&format!("  the report is in {}", path.display()));
    }
}

fn stats_json(clustering: &Clustering, num_rejects: u64) -> serde_json::Value {
    let stats = &clustering.stats;
    let (sketch_id, verdict_id) = clustering.profile_ids();
    let relations: serde_json::Map<String, serde_json::Value> =
        stats.relations.iter().map(|(relation, number)| (relation.name().to_string(), (*number).into())).collect();
    let languages: serde_json::Map<String, serde_json::Value> =
        stats.unweighted_languages.iter().map(|(name, number)| (name.to_string(), (*number).into())).collect();
    serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "sketch_id": sketch_id,
        "verdict_id": verdict_id,
        "articles": stats.num_articles,
        "clusters": stats.num_clusters,
        "repeats": stats.num_repeats,
        "relations": relations,
        "exact_copies": stats.num_exact_copies,
        "undecidable": stats.num_undecidable,
        "without_weights": stats.num_unweighted,
        "languages_without_weights": languages,
        "repeated_lines": stats.num_repeated_lines,
        "older_versions": stats.num_older_versions,
        "rejected": num_rejects,
        "bands": {"bands": stats.num_bands, "rows": stats.num_rows, "recall_at_stated_similarity": stats.band_recall},
        "keys": stats.num_keys,
        "buckets": {
            "shared": stats.buckets.shared,
            "crowded": stats.buckets.crowded,
            "largest": stats.buckets.largest,
        },
        "candidates": stats.num_candidates,
        "matches": stats.num_matches,
        "links": stats.num_links,
        "seconds": {
            "read_and_sketch": stats.analysis_seconds,
            "candidates": stats.candidates_seconds,
            "verify": stats.verify_seconds,
            "cluster": stats.cluster_seconds,
            "total": stats.total_seconds,
        },
        "filed_bytes": stats.num_filed_bytes,
        "peak_memory_bytes": memory::peak(),
    })
}
