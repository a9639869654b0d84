//! `samestory eval`

use crate::args;
use crate::message;
use anyhow::{Context, bail};
use samestory::eval::{GoldRow, PredictedRow, Scores, evaluate};
use samestory::hash::HashMap;
use std::io::BufRead;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(args: &args::Eval) -> anyhow::Result<ExitCode> {
    let gold: Vec<GoldRow> = rows(&args.gold, "gold: an `id` and a `cluster` a row")?
        .into_iter()
        .map(|row| Ok(GoldRow { id: row.need("id")?, cluster: row.need("cluster")?, kind: row.get("kind") }))
        .collect::<anyhow::Result<_>>()?;
    let predicted: Vec<PredictedRow> = rows(&args.predicted, CLUSTERS)?
        .into_iter()
        .map(|row| {
            Ok(PredictedRow {
                id: row.need("id")?,
                cluster: row.need("cluster")?,
                representative: row.get("representative"),
                relation: row.get("relation"),
            })
        })
        .collect::<anyhow::Result<_>>()?;
    refuse_repeats(&args.gold, gold.iter().map(|row| &row.id))?;
    refuse_repeats(&args.predicted, predicted.iter().map(|row| &row.id))?;
    let scores = evaluate(&gold, &predicted);
    message::data(&if args.json { format!("{:#}\n", to_json(&scores)) } else { to_text(&scores) })?;
    if scores.num_missing > 0 && !args.quiet {
        let missing = message::counted(scores.num_missing, "article");
        message::warning(&format!("{missing} of gold not in {}: each counted alone", args.predicted.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a file of clusters is to hold.
pub(crate) const CLUSTERS: &str = "what `samestory cluster -o` wrote";

/// A row with its place, and what its file is to hold.
pub(crate) struct Row {
    pub(crate) place: String,
    expected: &'static str,
    fields: HashMap<String, String>,
}

impl Row {
    fn get(&self, name: &str) -> Option<String> {
        self.fields.get(name).cloned()
    }

    pub(crate) fn need(&self, name: &str) -> anyhow::Result<String> {
        self.get(name).with_context(|| format!("{}: no `{name}`; expected {}", self.place, self.expected))
    }
}

/// Rows of a JSON lines or CSV file that is to hold what is expected; text and numbers as text.
pub(crate) fn rows(path: &Path, expected: &'static str) -> anyhow::Result<Vec<Row>> {
    let reader = samestory::input::open(path)?;
    match samestory::output::format_of(path) {
        Some(samestory::output::Format::Csv) => csv_rows(path, reader, expected),
        _ => json_rows(path, reader, expected),
    }
}

fn json_rows(path: &Path, reader: Box<dyn BufRead>, expected: &'static str) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (i, line) in reader.lines().enumerate() {
        let place = format!("{}:{}", path.display(), i + 1);
        let line = line.with_context(|| place.clone())?;
        if line.trim().is_empty() {
            continue;
        }
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&line).with_context(|| format!("{place}: no JSON object; expected {expected}"))?;
        let fields = object
            .into_iter()
            .filter_map(|(name, value)| match value {
                serde_json::Value::String(text) => Some((name, text)),
                serde_json::Value::Number(number) => Some((name, number.to_string())),
                _ => None,
            })
            .collect();
        rows.push(Row { place, expected, fields });
    }
    Ok(rows)
}

fn csv_rows(path: &Path, reader: Box<dyn BufRead>, expected: &'static str) -> anyhow::Result<Vec<Row>> {
    let mut table = csv::Reader::from_reader(reader);
    let header = table.headers().with_context(|| format!("{}:1", path.display()))?.clone();
    let mut rows = Vec::new();
    for record in table.records() {
        let record = record.with_context(|| path.display().to_string())?;
        let place = format!("{}:{}", path.display(), record.position().map_or(0, csv::Position::line));
        let fields = header.iter().zip(&record).map(|(name, cell)| (name.to_string(), cell.to_string())).collect();
        rows.push(Row { place, expected, fields });
    }
    Ok(rows)
}

pub(crate) fn refuse_repeats<'a>(path: &Path, ids: impl Iterator<Item = &'a String>) -> anyhow::Result<()> {
    let mut seen = samestory::hash::HashSet::default();
    for id in ids {
        if !seen.insert(id) {
            bail!("{}: id '{id}' stands more than once", path.display());
        }
    }
    Ok(())
}

fn to_text(scores: &Scores) -> String {
    let pairs = &scores.pairs;
    let mut out = format!(
        "pairs      precision {:.4}  recall {:.4}  F1 {:.4}   ({} true, {} false, {} missed)\n\
         ARI        {:.4}\n\
         B³         precision {:.4}  recall {:.4}\n\
         articles   {}\n",
        pairs.precision(),
        pairs.recall(),
        pairs.f1(),
        pairs.true_pairs,
        pairs.false_pairs,
        pairs.missed_pairs,
        scores.adjusted_rand,
        scores.b_cubed.0,
        scores.b_cubed.1,
        scores.num_articles,
    );
    if !scores.by_kind.is_empty() {
        out.push_str("\nkind          articles   recall   true pairs   joined falsely\n");
        for (kind, counts) in &scores.by_kind {
            let all = counts.pairs.true_pairs + counts.pairs.missed_pairs;
            let recall = if all == 0 { "     -".to_string() } else { format!("{:6.4}", counts.pairs.recall()) };
            let found = format!("{}/{all}", counts.pairs.true_pairs);
            out.push_str(&format!(
                "{kind:<12}  {:>8}   {recall}   {found:>10}   {:>14}\n",
                counts.num_articles, counts.pairs.false_pairs
            ));
        }
    }
    if !scores.by_relation.is_empty() {
        out.push_str("\nrelation       members   right with their representative\n");
        for (relation, all, right) in &scores.by_relation {
            out.push_str(&format!("{relation:<12}  {all:>8}   {right}\n"));
        }
    }
    out
}

fn to_json(scores: &Scores) -> serde_json::Value {
    let counts = |pairs: &samestory::eval::PairCounts| {
        serde_json::json!({
            "precision": pairs.precision(), "recall": pairs.recall(), "f1": pairs.f1(),
            "true": pairs.true_pairs, "false": pairs.false_pairs, "missed": pairs.missed_pairs,
        })
    };
    let kinds: serde_json::Map<String, serde_json::Value> = scores
        .by_kind
        .iter()
        .map(|(kind, c)| (kind.clone(), serde_json::json!({"articles": c.num_articles, "pairs": counts(&c.pairs)})))
        .collect();
    let relations: serde_json::Map<String, serde_json::Value> = scores
        .by_relation
        .iter()
        .map(|(relation, all, right)| (relation.clone(), serde_json::json!({"members": all, "right": right})))
        .collect();
    serde_json::json!({
        "articles": scores.num_articles,
        "missing": scores.num_missing,
        "pairs": counts(&scores.pairs),
        "ari": scores.adjusted_rand,
        "b_cubed": {"precision": scores.b_cubed.0, "recall": scores.b_cubed.1},
        "kinds": kinds,
        "relations": relations,
    })
}
