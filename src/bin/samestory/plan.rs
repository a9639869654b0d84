//! `samestory plan`

use crate::args;
use crate::feed::Intake;
use crate::message::{self, count, counted};
use crate::outputs::Outputs;
use crate::progress::Watch;
use samestory::engine::{Crowd, Plan, WeightsAge};
use std::process::ExitCode;

/// Bytes of a row of clusters beside its three ids.
const CLUSTER_ROW_LEN: f64 = 82.0;
/// Bytes of a row of pairs or links beside its two ids.
const PAIR_ROW_LEN: f64 = 54.0;
/// Bytes that evidence adds to it, and in one of four what differs.
const EVIDENCE_LEN: f64 = 800.0;
/// Pairs that met in the sample below which a prediction is rough: one in ten, or worse, by chance alone.
const FEW_PAIRS: u64 = 100;

pub(crate) fn run(args: &args::Plan) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::new(&[("--rejects", args.reading.rejects.as_deref())])?;
    let blocks = args.reading.blocks(&args.inputs)?;
    outputs.refuse_inputs(None, blocks.files().chain(args.running.files()))?;
    outputs.refuse_unwritable()?;
    let engine = args.matching.engine(&args.running)?;
    let quiet = args.running.quiet;
    let intake = Intake::new(&args.reading)?;
    let watch = Watch::start(quiet, &blocks, &intake, None);
    let drawn = engine.draw(blocks, |block| Ok(intake.parse(block)?.articles), args.sample as usize);
    let drawn = drawn.map_err(|error| intake.failure(error))?;
    watch.finish();
    let num_rejects = intake.report(quiet)?;
    let plan = engine.plan(&drawn, args.articles)?;
    let disk = Disk::of(&plan);
    let text = match args.json {
        true => format!("{:#}\n", as_json(&plan, &disk, num_rejects)),
        false => as_text(&plan, &disk, num_rejects),
    };
    message::data(&text)?;
    if !quiet {
        warn(&plan);
    }
    // As after a run: nothing is gained by freeing the sample.
    std::mem::forget(drawn);
    Ok(ExitCode::SUCCESS)
}

/// Bytes of what `cluster` would write.
struct Disk {
    clusters: f64,
    pairs: f64,
    links: f64,
}

impl Disk {
    fn of(plan: &Plan) -> Self {
        let rows = |num_rows: u64, num_full: u64| {
            num_rows as f64 * (PAIR_ROW_LEN + 2.0 * plan.mean_id_len) + num_full as f64 * EVIDENCE_LEN
        };
        Self {
            clusters: plan.num_planned as f64 * (CLUSTER_ROW_LEN + 3.0 * plan.mean_id_len),
            pairs: rows(plan.num_matches + plan.num_copies, plan.num_matches),
            links: rows(plan.num_links, plan.num_full_links),
        }
    }
}

/// What is amiss, on stderr too: it must not be lost where stdout goes into a file.
fn warn(plan: &Plan) {
    if let Some(age) = plan.weights.filter(WeightsAge::has_aged) {
        message::warning(&format!(
            "the weights have aged: {:.1} times the candidates without a match that a table of this feed would propose; \
             samestory weights INPUT… -o new.weights makes one, --weights new.weights takes it",
            age.ratio(),
        ));
    }
    if plan.needed_capacity > plan.capacity {
        message::warning(&format!(
            "the feed outgrows the profile's capacity of {}: set capacity = {} in its [sketch]",
            count(plan.capacity),
            plan.needed_capacity,
        ));
    }
    if plan.share < 1.0 && plan.num_met < FEW_PAIRS {
        message::warning(&format!(
            "only {} met in the sample: what is predicted of candidates is rough; a larger --sample says more",
            counted(plan.num_met, "pair"),
        ));
    }
}

fn as_text(plan: &Plan, disk: &Disk, num_rejects: u64) -> String {
    let num = plan.num_planned.max(1) as f64;
    let mut lines = vec![format!(
        "{}, {} of text; a sample of {} ({:.1} % of the distinct texts)",
        counted(plan.num_articles, "article"),
        bytes(plan.text_bytes as f64),
        count(plan.num_sampled),
        100.0 * plan.share,
    )];
    if num_rejects > 0 {
        lines.push(format!("{} that could not be read, skipped", counted(num_rejects, "record")));
    }
    lines.push(format!(
        "Predicted for samestory cluster over {}, {}:",
        counted(plan.num_planned, "article"),
        counted(plan.num_threads, "thread"),
    ));
    let mut row = |name: &str, text: String| lines.push(format!("  {name:<11}{text}"));
    row(
        "candidates",
        format!(
            "{} pairs, {} an article: {} match, {} are links ({} met in the sample); {} beside",
            count(plan.num_candidates),
            decimal(plan.num_candidates as f64 / num),
            count(plan.num_matches),
            count(plan.num_links),
            count(plan.num_met),
            match plan.num_copies {
                1 => "1 exact copy".to_string(),
                number => format!("{} exact copies", count(number)),
            },
        ),
    );
    let seconds = &plan.seconds;
    row(
        "time",
        format!(
            "{}: reading and sketches {}, candidates {}, verification {}, clusters {}",
            duration(seconds.total()),
            duration(seconds.analysis),
            duration(seconds.candidates),
            duration(seconds.verify),
            duration(seconds.cluster),
        ),
    );
    let memory = &plan.memory;
    row(
        "memory",
        format!(
            "{} at most, {} an article: records {}, keys {}, pairs {}; with --pairs or --links {} more",
            bytes(memory.peak),
            bytes(memory.peak / num),
            bytes(memory.records),
            bytes(memory.keys),
            bytes(memory.pairs),
            bytes(memory.texts),
        ),
    );
    row("disk", format!("-o {}, --pairs {}, --links {}", bytes(disk.clusters), bytes(disk.pairs), bytes(disk.links)));
    row(
        "crowded",
        match plan.crowds.len() {
            0 => format!("no bucket of the sample would hold more than {} articles", plan.bucket_cap),
            _ => format!("of buckets that would hold more than {} articles the largest:", plan.bucket_cap),
        },
    );
    for crowd in &plan.crowds {
        let examples: Vec<String> =
            crowd.examples.iter().map(|(id, title)| example(id.as_str(), title.as_deref())).collect();
        row("", format!("about {} articles in {}: {}", count(crowd.num_articles), crowd.origin, examples.join(", ")));
    }
    row(
        "capacity",
        match plan.needed_capacity > plan.capacity {
            false => format!("{} of the profile suffice", count(plan.capacity)),
            true => {
                format!("{}: the {} of the profile are outgrown", count(plan.needed_capacity), count(plan.capacity))
            }
        },
    );
    row(
        "weights",
        match plan.weights {
            None => "not judged: too few articles in the table's language, or a level that weighs no words".to_string(),
            Some(age) => format!(
                "{}: {} candidates without a match an article, {} with a table of this sample",
                if age.has_aged() { "aged" } else { "fresh" },
                decimal(age.unmatched),
                decimal(age.unmatched_anew),
            ),
        },
    );
    lines.join("\n") + "\n"
}

fn as_json(plan: &Plan, disk: &Disk, num_rejects: u64) -> serde_json::Value {
    let whole = |number: f64| number.round() as u64;
    let crowd = |crowd: &Crowd| {
        let examples: Vec<_> =
            crowd.examples.iter().map(|(id, title)| serde_json::json!({"id": id.as_str(), "title": title})).collect();
        serde_json::json!({
            "origin": crowd.origin.to_string(),
            "articles": crowd.num_articles,
            "sampled": crowd.num_sampled,
            "examples": examples,
        })
    };
    let weights = plan.weights.map(|age| {
        serde_json::json!({
            "unmatched_candidates_per_article": age.unmatched,
            "with_a_table_of_the_sample": age.unmatched_anew,
            "ratio": age.ratio(),
            "aged": age.has_aged(),
        })
    });
    let (seconds, memory) = (&plan.seconds, &plan.memory);
    serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "feed": {"articles": plan.num_articles, "text_bytes": plan.text_bytes, "rejected": num_rejects},
        "sample": {
            "articles": plan.num_sampled,
            "share": plan.share,
            "pairs": plan.num_met,
            "in_order_of": if plan.is_dated { "time" } else { "input" },
        },
        "predicted": {
            "articles": plan.num_planned,
            "threads": plan.num_threads,
            "candidates": plan.num_candidates,
            "matches": plan.num_matches,
            "links": plan.num_links,
            "exact_copies": plan.num_copies,
            "keys": plan.num_keys,
            "seconds": {
                "read_and_sketch": seconds.analysis,
                "candidates": seconds.candidates,
                "verify": seconds.verify,
                "cluster": seconds.cluster,
                "total": seconds.total(),
            },
            "memory_bytes": {
                "peak": whole(memory.peak),
                "records": whole(memory.records),
                "keys": whole(memory.keys),
                "pairs": whole(memory.pairs),
                "texts_with_pairs_or_links": whole(memory.texts),
            },
            "disk_bytes": {
                "clusters": whole(disk.clusters),
                "pairs": whole(disk.pairs),
                "links": whole(disk.links),
            },
        },
        "bucket_cap": plan.bucket_cap,
        "crowded": plan.crowds.iter().map(crowd).collect::<Vec<_>>(),
        "capacity": {"profile": plan.capacity, "needed": plan.needed_capacity},
        "weights": weights,
    })
}

/// An article by id and headline.
fn example(id: &str, title: Option<&str>) -> String {
    match title {
        Some(title) => format!("{id} “{}”", title.split_whitespace().collect::<Vec<_>>().join(" ")),
        None => id.to_string(),
    }
}

/// Bytes for people.
fn bytes(number: f64) -> String {
    let (mut number, mut unit) = (number, "B");
    for larger in ["kB", "MB", "GB", "TB"] {
        if number < 999.5 {
            break;
        }
        (number, unit) = (number / 1000.0, larger);
    }
    format!("{} {unit}", if unit == "B" { format!("{number:.0}") } else { decimal(number) })
}

/// Seconds for people.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 99.5 => format!("{} s", decimal(s)),
        s if s < 5970.0 => format!("{} min", decimal(s / 60.0)),
        s => format!("{} h", decimal(s / 3600.0)),
    }
}

/// Two or three digits, and no more decimals than a prediction bears.
fn decimal(number: f64) -> String {
    match number {
        n if n < 9.95 => format!("{n:.1}"),
        n => count(n.round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!(
            [0.0, 999.0, 999.6, 9_940.0, 25e6, 3.2e12, 5e15].map(bytes),
            ["0 B", "999 B", "1.0 kB", "9.9 kB", "25 MB", "3.2 TB", "5,000 TB"]
        );
        assert_eq!([0.04, 9.9, 99.0, 100.0, 7200.0].map(duration), ["0.0 s", "9.9 s", "99 s", "1.7 min", "2.0 h"]);
    }
}
