//! `samestory calibrate`

use crate::args;
use crate::feed::Intake;
use crate::message::{self, counted};
use anyhow::Context;
use samestory::calibrate::{Example, TERMS, cross_validate, fit, group};
use samestory::engine::Analyzed;
use samestory::hash::HashMap;
use samestory::output::Output;
use samestory::verify::Scratch;
use samestory::{Error, Profile};
use std::io::BufRead;
use std::path::Path;
use std::process::ExitCode;

/// Pull of the weights towards 0.
const PENALTY: f64 = 2.0;

pub(crate) fn run(args: &args::Calibrate) -> anyhow::Result<ExitCode> {
    let engine = args.running.engine()?;
    let intake = Intake::new(&args.reading);
    let articles = intake.read_all(&args.articles, &args.reading)?;
    intake.report(&args.reading, args.running.quiet)?;
    let labels = read_labels(&args.pairs)?;
    let mut analyzed: HashMap<&str, Analyzed> = HashMap::default();
    let by_id: HashMap<&str, _> = articles.iter().map(|article| (article.id.as_str(), article)).collect();
    let mut scratch = Scratch::default();
    let mut examples = Vec::with_capacity(labels.len());
    for label in &labels {
        for id in &label.ids {
            let article = by_id.get(id.as_str()).ok_or_else(|| Error::Labels {
                place: label.place.clone(),
                reason: format!("no article with id '{id}'"),
            })?;
            analyzed.entry(article.id.as_str()).or_insert_with(|| engine.analyze(article));
        }
        let [first, second] = [0, 1].map(|i| &analyzed[label.ids[i].as_str()].record);
        let evidence = samestory::verify::measure(first, second, &mut scratch);
        // A pair the prefilter stops is never scored: it cannot teach the verdict anything.
        if evidence.is_complete && first.is_weighted && second.is_weighted {
            examples.push(Example { values: evidence.values, is_same: label.is_same, weight: label.weight, group: 0 });
        } else {
            examples.push(Example { values: [0; _], is_same: label.is_same, weight: 0.0, group: 0 });
        }
    }
    let ids: Vec<[&str; 2]> = labels.iter().map(|l| [l.ids[0].as_str(), l.ids[1].as_str()]).collect();
    for (example, group) in examples.iter_mut().zip(group(&ids)) {
        example.group = group;
    }
    examples.retain(|example| example.weight > 0.0);
    let terms: Vec<String> = TERMS.iter().map(|t| (*t).to_string()).collect();
    let labels_error = |reason: String| Error::Labels { place: args.pairs.display().to_string(), reason };
    let model = fit(&examples, &terms, PENALTY).map_err(labels_error)?;
    let scores = cross_validate(&examples, &terms, PENALTY, args.folds as usize).map_err(labels_error)?;
    let profile = args.running.load_profile()?.with_model(model, &args.note)?;
    write_profile(&profile, &args.output)?;
    if !args.running.quiet {
        message::line(&format!(
            "{} of {} measured; each part of {} tested by a model of the others",
            counted(examples.len() as u64, "pair"),
            message::count(labels.len() as u64),
            args.folds
        ));
        message::line("probability   precision   recall");
        for (percent, precision, recall) in scores {
            message::line(&format!("       0.{percent:02}      {precision:.4}   {recall:.4}"));
        }
        message::line(&format!("profile {} is in {}", profile.verdict_id(), args.output.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn write_profile(profile: &Profile, path: &Path) -> anyhow::Result<()> {
    let mut output = Output::create(path)?;
    output.write(profile.to_toml().as_bytes())?;
    output.finish()?.publish()?;
    Ok(())
}

struct Label {
    place: String,
    ids: [String; 2],
    is_same: bool,
    weight: f64,
}

/// Reads tab-separated labels, each place named in what it complains of.
fn read_labels(path: &Path) -> anyhow::Result<Vec<Label>> {
    let mut labels = Vec::new();
    let mut known: HashMap<[String; 2], (bool, usize)> = HashMap::default();
    for (i, line) in samestory::input::open(path)?.lines().enumerate() {
        let place = format!("{}:{}", path.display(), i + 1);
        let line = line.with_context(|| place.clone())?;
        if line.trim().is_empty() {
            continue;
        }
        let bad = |reason: String| Error::Labels { place: place.clone(), reason };
        let cells: Vec<&str> = line.split('\t').collect();
        let [first, second, label, ..] = cells[..] else {
            return Err(bad("expected id, id and label, separated by tabs".to_string()).into());
        };
        let is_same = match label {
            "same" => true,
            "different" => false,
            _ => {
                return Err(bad(format!("label '{label}', expected `same` or `different`")).into());
            }
        };
        let weight: f64 = match cells.get(4) {
            Some(cell) => cell.parse().map_err(|_| bad(format!("weight '{cell}' is no number")))?,
            None => 1.0,
        };
        if !(weight > 0.0 && weight.is_finite()) {
            return Err(bad(format!("weight {weight}, expected more than 0")).into());
        }
        let ids = [first.to_string(), second.to_string()];
        let key = if first <= second { ids.clone() } else { [ids[1].clone(), ids[0].clone()] };
        match known.get(&key) {
            Some((other, line)) if *other != is_same => {
                return Err(bad(format!("the pair has the other label in line {line}")).into());
            }
            _ => known.insert(key, (is_same, i + 1)),
        };
        labels.push(Label { place, ids, is_same, weight });
    }
    Ok(labels)
}
