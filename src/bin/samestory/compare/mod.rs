//! `samestory compare`

pub(crate) mod columns;
mod explanation;
mod page;
mod text;

use crate::args;
use crate::calibrate::one_of;
use crate::feed::Intake;
use crate::message::{self, Usage};
use crate::outputs::Outputs;
use crate::progress::Watch;
use crate::similar::nearest;
use anyhow::bail;
use explanation::Pair;
use samestory::Article;
use samestory::engine::Analyzed;
use samestory::fixed::ONE;
use samestory::output::Output;
use samestory::profile::Measurement;
use samestory::text::Document;
use samestory::verify::{Relation, differences, shared_passages};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) fn run(args: &args::Compare) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::new(&[
        ("the verdict", Some(Path::new("-"))),
        ("--html", args.html.as_deref()),
        ("--rejects", args.reading.rejects.as_deref()),
    ])?;
    outputs.refuse_inputs(None, args.running.files())?;
    let engine = args.running.engine()?;
    outputs.refuse_unwritable()?;
    let (first, second) = articles(args, &outputs)?;
    let max_tokens = engine.profile().sketch().max_tokens;
    let pair = Pair {
        engine: &engine,
        names: names(args, &first, &second),
        articles: [&first, &second],
        documents: [&first, &second].map(|article| Document::new(&article.text, max_tokens)),
        analyzed: [&first, &second].map(|article| engine.analyze(article)),
        verdict: engine.judge(&first, &second),
    };
    if !args.running.quiet {
        note_languages(&pair.analyzed);
    }
    if let Some(path) = &args.html {
        let mut output = Output::create(path)?;
        output.write(page::to_html(&pair.explain()).as_bytes())?;
        output.finish()?.publish()?;
    }
    let said = if args.json {
        message::data(&pair.to_json())
    } else {
        message::styled(&text::to_text(&pair.explain(), columns::terminal_width()))
    };
    match said {
        // Who reads no further has the verdict by the exit code all the same.
        Err(error) if !message::is_closed_pipe(&error) => Err(error),
        _ => Ok(ExitCode::from(match pair.verdict.relation {
            Relation::Undecidable => 3,
            relation => u8::from(!relation.is_match()),
        })),
    }
}

/// Says which of the two are compared by wording only.
fn note_languages(analyzed: &[Analyzed; 2]) {
    let languages: Vec<_> = analyzed.iter().filter_map(|a| a.unweighted_language.clone()).collect();
    let counted: Vec<_> = languages.chunk_by(|a, b| a == b).map(|same| (same[0].clone(), same.len() as u64)).collect();
    if let Some(note) = message::without_weights(&counted) {
        message::line(&note);
    }
}

/// What the two are called: their ids, or where these are equal what the command line calls them.
fn names(args: &args::Compare, first: &Article, second: &Article) -> [String; 2] {
    if first.id == second.id {
        return [args.first.clone(), args.second.clone()];
    }
    [first, second].map(|article| article.id.to_string())
}

fn articles(args: &args::Compare, outputs: &Outputs<'_>) -> anyhow::Result<(Article, Article)> {
    let intake = Intake::new(&args.reading)?;
    if args.feed.is_empty() {
        outputs.refuse_inputs(None, [&args.first, &args.second].map(Path::new))?;
        let pair = (one_of_file(&intake, args, &args.first)?, one_of_file(&intake, args, &args.second)?);
        intake.report(args.running.quiet)?;
        Ok(pair)
    } else {
        let blocks = args.reading.blocks(&args.feed)?;
        outputs.refuse_inputs(None, blocks.files())?;
        let watch = Watch::start(args.running.quiet, &blocks, &intake, None);
        let all = intake.read_all(blocks)?;
        watch.finish();
        // What is wrong with the feed first: it may be why an id is not found.
        intake.report(args.running.quiet)?;
        let find = |id: &str| -> anyhow::Result<Article> {
            let found: Vec<&Article> = all.iter().filter(|article| article.id.as_str() == id).collect();
            if found.is_empty() {
                let meant = nearest(id, all.iter().map(|article| article.id.as_str()));
                let meant = meant.map_or(String::new(), |meant| format!("; did you mean '{meant}'?"));
                let num_articles = message::count(all.len() as u64);
                let reason = format!("no article with id '{id}' among the {num_articles} of the feed{meant}");
                return Err(Usage(reason).into());
            }
            let versions = args.repeated.versions.versions();
            Ok(one_of(&found, versions).map_err(anyhow::Error::msg)?.clone())
        };
        Ok((find(&args.first)?, find(&args.second)?))
    }
}

/// The one article of a file; a file whose name says nothing is a text.
fn one_of_file(intake: &Intake<'_>, args: &args::Compare, file: &str) -> anyhow::Result<Article> {
    let path = PathBuf::from(file);
    if file != "-" && path.extension().is_none() && !path.exists() {
        return Err(Usage(format!("{file}: no such file; --feed FILE compares two ids of a feed")).into());
    }
    let says_format = file == "-" || samestory::input::has_known_name(&path);
    let format = args.reading.format.or((!says_format).then_some(samestory::input::Format::Text));
    let mut found = Vec::new();
    for block in args.reading.blocks_as(&[path], format)? {
        let parsed = intake.parse(block?).map_err(|error| intake.failure(error))?;
        found.extend(parsed.articles);
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => bail!("{file}: no article in it that can be read{}", intake.first_reason()),
        n => Err(Usage(format!("{file} holds {n} articles; name two of them with --feed {file}")).into()),
    }
}

impl Pair<'_> {
    fn to_json(&self) -> String {
        let verdict = &self.verdict;
        let evidence: serde_json::Map<String, serde_json::Value> = Measurement::ALL
            .iter()
            .zip(verdict.evidence.values)
            .map(|(measurement, value)| {
                let share = (f64::from(value) / f64::from(ONE) * 10_000.0).round() / 10_000.0;
                (measurement.name().to_string(), share.into())
            })
            .collect();
        let [first, second] = &self.documents;
        let passages: Vec<serde_json::Value> = shared_passages(first, second)
            .iter()
            .map(|p| serde_json::json!([first.text[p.first.clone()], second.text[p.second.clone()]]))
            .collect();
        let differences = differences(first, second);
        let (a, b) = if verdict.is_forward { (0, 1) } else { (1, 0) };
        let value = serde_json::json!({
            "a": self.names[a],
            "b": self.names[b],
            "relation": verdict.relation,
            "correction": verdict.is_correction,
            "one_story": verdict.relation.is_match(),
            "score": f64::from(verdict.probability_e4) / 10_000.0,
            "threshold": f64::from(self.engine.profile().verdict().match_percent) / 100.0,
            "evidence": evidence,
            "passages": passages,
            "figures_only_in": {&self.names[0]: differences.first_figures, &self.names[1]: differences.second_figures},
            "names_only_in": {&self.names[0]: differences.first_names, &self.names[1]: differences.second_names},
            "dates_only_in": {&self.names[0]: differences.first_dates, &self.names[1]: differences.second_dates},
            "credits": {&self.names[0]: first.credits, &self.names[1]: second.credits},
        });
        format!("{value:#}\n")
    }
}
