//! `samestory compare`

use crate::args;
use crate::feed::Intake;
use crate::message::{self, Usage};
use crate::outputs::Outputs;
use anyhow::bail;
use samestory::fixed::ONE;
use samestory::input::Blocks;
use samestory::profile::Measurement;
use samestory::text::Document;
use samestory::verify::{Differences, Passage, Relation, Verdict, differences, shared_passages};
use samestory::{Article, Engine};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Widest line of the text output.
const WIDTH: usize = 100;
/// Passages and differences shown of each kind.
const NUM_SHOWN: usize = 12;

pub(crate) fn run(args: &args::Compare) -> anyhow::Result<ExitCode> {
    let rejects = args.reading.rejects.as_deref();
    let outputs = Outputs::new(&[("the verdict", Some(Path::new("-"))), ("--rejects", rejects)])?;
    outputs.refuse_inputs(None, args.running.files())?;
    let engine = args.running.engine()?;
    let (first, second) = articles(args, &outputs)?;
    let verdict = engine.judge(&first, &second);
    if !args.running.quiet {
        note_languages(&engine, [&first, &second]);
    }
    let max_tokens = engine.profile().sketch().max_tokens;
    let comparison = Comparison {
        engine: &engine,
        names: names(args, &first, &second),
        documents: [Document::new(&first.text, max_tokens), Document::new(&second.text, max_tokens)],
        verdict: &verdict,
    };
    message::data(&if args.json { comparison.to_json() } else { comparison.to_text() })?;
    Ok(ExitCode::from(match verdict.relation {
        Relation::Undecidable => 3,
        relation => u8::from(!relation.is_match()),
    }))
}

/// Says which of the two are compared by wording only.
fn note_languages(engine: &Engine, articles: [&Article; 2]) {
    let languages: Vec<_> = articles.iter().filter_map(|a| engine.analyze(a).unweighted_language).collect();
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
    let intake = Intake::new(&args.reading);
    let pair = if args.feed.is_empty() {
        outputs.refuse_inputs(None, [&args.first, &args.second].map(Path::new))?;
        (one_of_file(&intake, args, &args.first)?, one_of_file(&intake, args, &args.second)?)
    } else {
        let blocks = Blocks::open(&args.feed, args.reading.input_format())?;
        outputs.refuse_inputs(None, blocks.files())?;
        let all = intake.read_all(blocks)?;
        let find = |id: &str| -> anyhow::Result<Article> {
            let mut found = all.iter().filter(|article| article.id.as_str() == id);
            let first = found.next().ok_or_else(|| {
                Usage(format!("no article with id '{id}' among the {} of the feed", message::count(all.len() as u64)))
            })?;
            match found.find(|other| other.text != first.text) {
                Some(other) => {
                    bail!("id '{id}' stands for two texts: {} and {}", first.origin.place, other.origin.place)
                }
                None => Ok(first.clone()),
            }
        };
        (find(&args.first)?, find(&args.second)?)
    };
    intake.report(&args.reading, args.running.quiet)?;
    Ok(pair)
}

/// The one article of a file; a file whose name says nothing is a text.
fn one_of_file(intake: &Intake, args: &args::Compare, file: &str) -> anyhow::Result<Article> {
    let path = PathBuf::from(file);
    let is_json = [".json", ".jsonl", ".ndjson"].iter().any(|end| file.contains(end));
    let format = args.reading.input_format().unwrap_or(if is_json {
        samestory::input::Format::Jsonl
    } else {
        samestory::input::Format::Text
    });
    let mut found = Vec::new();
    for block in Blocks::open(&[path], Some(format))? {
        let parsed = intake.parse(block?);
        found.extend(parsed.articles);
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => bail!("{file}: no article in it that can be read{}", intake.first_reason()),
        n => Err(Usage(format!("{file} holds {n} articles; name two of them with --feed {file}")).into()),
    }
}

struct Comparison<'a> {
    engine: &'a Engine,
    names: [String; 2],
    documents: [Document<'a>; 2],
    verdict: &'a Verdict,
}

/// Measurements shown in the table: the ones people ask about.
const SHOWN: [Measurement; 10] = [
    Measurement::ShingleJaccard,
    Measurement::CoverShorter,
    Measurement::CoverLonger,
    Measurement::RareCover,
    Measurement::NumberCover,
    Measurement::NameCover,
    Measurement::LcsShorter,
    Measurement::SentenceCover,
    Measurement::LeadBoth,
    Measurement::FactsAgainst,
];

impl Comparison<'_> {
    fn sentence(&self) -> String {
        let (a, b) = if self.verdict.is_forward { (0, 1) } else { (1, 0) };
        let (a, b) = (&self.names[a], &self.names[b]);
        match self.verdict.relation {
            Relation::Exact => format!("One story: {a} and {b} are the same text."),
            Relation::Near => format!("One story: {a} is a near copy of {b}."),
            Relation::Update if self.verdict.is_correction => format!("One story: {a} is a correction of {b}."),
            Relation::Update => format!("One story: {a} is an update of {b}."),
            Relation::Excerpt => format!("One story: {a} is an excerpt or brief of {b}."),
            Relation::Rewrite => {
                format!("One story: {a} is a rewrite of {b}, the same telling in other words.")
            }
            Relation::Includes => {
                format!("Not one story: {a} holds several stories, and {b} is one of them.")
            }
            Relation::Followup => {
                format!("Not one story: {a} follows up {b}: another lead over shared background.")
            }
            Relation::SameEvent => {
                format!("Not one story: {a} and {b} are two tellings of one event.")
            }
            Relation::Template => {
                format!("Not one story: {a} and {b} share their wording, but not their facts.")
            }
            Relation::QuotesOnly => format!("Not one story: {a} and {b} share quotes only."),
            Relation::Undecidable => {
                format!("Undecidable: {a} or {b} is too short, empty, or in a language without weights.")
            }
            Relation::Unrelated => format!("Not one story: {a} and {b} have little in common."),
        }
    }

    fn to_text(&self) -> String {
        let verdict = self.verdict;
        let threshold = self.engine.profile().verdict().match_percent;
        let mut out = format!("{}\n", self.sentence());
        if verdict.relation == Relation::Exact {
            return out;
        }
        if verdict.evidence.is_complete {
            let score = f64::from(verdict.probability_e4) / 10_000.0;
            out.push_str(&format!("score {score:.4}, one story from {:.2}\n", f64::from(threshold) / 100.0));
        }
        out.push('\n');
        for measurement in SHOWN {
            let value = f64::from(verdict.evidence.value(measurement)) / f64::from(ONE);
            out.push_str(&format!("  {value:>5.2}  {}\n", measurement.meaning()));
        }
        self.push_reasons(&mut out);
        self.push_passages(&mut out);
        self.push_differences(&mut out);
        out
    }

    /// The terms that moved the score most either way.
    fn push_reasons(&self, out: &mut String) {
        if !self.verdict.evidence.is_complete {
            return;
        }
        let model = self.engine.profile().model();
        let contributions = model.contributions(&self.verdict.evidence.values);
        let mut terms: Vec<(String, i32)> = model.terms().map(|(name, _)| name).zip(contributions).collect();
        terms.sort_by_key(|(name, value)| (-value.abs(), name.clone()));
        out.push_str("\nWhat weighed most (log-odds):\n");
        for (name, value) in terms.iter().filter(|(_, value)| value.abs() >= 205).take(6) {
            out.push_str(&format!("  {:>+6.1}  {name}\n", f64::from(*value) / 1024.0));
        }
    }

    fn push_passages(&self, out: &mut String) {
        let passages = shared_passages(&self.documents[0], &self.documents[1]);
        if passages.is_empty() {
            out.push_str("\nNo passage of four content words stands in both.\n");
            return;
        }
        let mut longest: Vec<&Passage> = passages.iter().collect();
        longest.sort_by_key(|p| (std::cmp::Reverse(p.num_content), p.first.start));
        longest.truncate(NUM_SHOWN);
        longest.sort_by_key(|p| p.first.start);
        out.push_str(&format!("\nShared passages ({} in all):\n", passages.len()));
        let column = WIDTH / 2 - 3;
        for passage in longest {
            let left = wrap(&self.documents[0].text[passage.first.clone()], column);
            let right = wrap(&self.documents[1].text[passage.second.clone()], column);
            for i in 0..left.len().max(right.len()) {
                let cell = |lines: &[String]| lines.get(i).cloned().unwrap_or_default();
                let (left, right) = (cell(&left), cell(&right));
                let pad = " ".repeat(column.saturating_sub(left.chars().count()));
                let mark = if i == 0 { "•" } else { " " };
                out.push_str(format!("{mark} {left}{pad} | {right}").trim_end());
                out.push('\n');
            }
        }
    }

    fn push_differences(&self, out: &mut String) {
        let Differences { first_figures, second_figures, first_names, second_names, first_dates, second_dates } =
            self.differences();
        let mut any = false;
        for (what, name, list) in [
            ("figures", &self.names[0], first_figures),
            ("figures", &self.names[1], second_figures),
            ("names", &self.names[0], first_names),
            ("names", &self.names[1], second_names),
            ("dates", &self.names[0], first_dates),
            ("dates", &self.names[1], second_dates),
        ] {
            if list.is_empty() {
                continue;
            }
            if !any {
                out.push_str("\nWhat differs:\n");
                any = true;
            }
            let rest = list.len().saturating_sub(NUM_SHOWN);
            let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            let shown: Vec<&str> = list.iter().take(NUM_SHOWN).map(String::as_str).collect();
            out.push_str(&format!("  {what} only in {name}: {}{more}\n", shown.join(", ")));
        }
    }

    fn differences(&self) -> Differences {
        differences(&self.documents[0], &self.documents[1])
    }

    fn to_json(&self) -> String {
        let verdict = self.verdict;
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
        let differences = self.differences();
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

/// Breaks text into lines of at most `width` characters at spaces.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}
