//! `samestory calibrate`

use crate::args;
use crate::feed::Intake;
use crate::message::{self, Usage, counted};
use crate::outputs::Outputs;
use crate::progress::Watch;
use anyhow::Context;
use samestory::calibrate::{
    Example, Judged, Point, cross_validate, curve, fit, group, most_precise, prevalence, smallest_reaching,
    terms_without,
};
use samestory::engine::{Analyzed, Versions};
use samestory::hash::{HashMap, hash128};
use samestory::output::Output;
use samestory::profile::VerdictParams;
use samestory::verify::Scratch;
use samestory::{Article, Engine, Error, Profile};
use std::io::BufRead;
use std::path::Path;
use std::process::ExitCode;

/// Pull of the weights towards 0.
const PENALTY: f64 = 2.0;
/// Most that a pair may weigh, so that no sum overflows.
const MAX_WEIGHT: f64 = 1e9;
/// Thresholds that are printed, in percent.
const PRINTED: [u32; 15] = [10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 93, 95, 97, 98, 99];

pub(crate) fn run(args: &args::Calibrate) -> anyhow::Result<ExitCode> {
    let terms = terms_without(&args.without);
    if terms.is_empty() {
        return Err(Usage("--without leaves no measurement for the fit".to_string()).into());
    }
    let outputs = Outputs::new(&[("-o", Some(&args.output)), ("--rejects", args.reading.rejects.as_deref())])?;
    let blocks = args.reading.blocks(&args.articles)?;
    let labels = [args.pairs.as_path()];
    outputs.refuse_inputs(None, blocks.files().chain(labels).chain(args.running.weights.as_deref()))?;
    // The profile that is fitted may replace the one it was fitted from.
    outputs.refuse_inputs(Some("-o"), args.running.profile.as_deref())?;
    outputs.refuse_unwritable()?;
    let profile = args.running.load_profile()?;
    let engine = args.running.engine()?;
    let mut labels = read_labels(&args.pairs)?;
    let intake = Intake::new(&args.reading)?;
    let watch = Watch::start(args.running.quiet, &blocks, &intake, None);
    let articles = intake.read_all(blocks)?;
    watch.finish();
    intake.report(args.running.quiet)?;
    // In one order whatever the file's: the fit sums in floating point.
    labels.sort_by(|a, b| a.pair().cmp(&b.pair()).then(a.weight.total_cmp(&b.weight)));
    let examples = measure(&labels, &articles, &engine, args.repeated.versions.versions())?;

    let labels_error = |reason: String| Error::Labels { place: args.pairs.display().to_string(), reason };
    let model = fit(&examples, &terms, PENALTY).map_err(labels_error)?;
    let judged = cross_validate(&examples, &terms, PENALTY, args.folds as usize).map_err(labels_error)?;
    let prevalence = args.prevalence.unwrap_or_else(|| prevalence(&judged));
    let report = Report { args, judged: &judged, prevalence, curve: &curve(&judged, prevalence) };
    let match_percent = match args.precision {
        Some(precision) => report.threshold(precision).map_err(|reason| {
            if !args.running.quiet {
                report.print_curve();
            }
            labels_error(reason)
        })?,
        None => profile.verdict().match_percent,
    };
    let note = args.note.clone().unwrap_or_else(|| report.note());
    let verdict = VerdictParams { match_percent, ..profile.verdict().clone() };
    let profile = profile.with_model(model, &note)?.with_verdict(verdict)?;
    write_profile(&profile, &args.output)?;
    if !args.running.quiet {
        report.print(labels.len() - examples.len(), match_percent);
        message::line(&format!("profile {} is in {}", profile.verdict_id(), args.output.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures the labelled pairs, in their order. Pairs with an article in a language without weights are left out: the
/// verdict that is fitted never sees them.
fn measure(
    labels: &[Label],
    articles: &[Article],
    engine: &Engine,
    versions: Versions,
) -> anyhow::Result<Vec<Example>> {
    let mut by_id: HashMap<&str, Vec<&Article>> = HashMap::default();
    for article in articles {
        by_id.entry(article.id.as_str()).or_default().push(article);
    }
    let min_content = engine.profile().sketch().min_content;
    let mut analyzed: HashMap<&str, Analyzed> = HashMap::default();
    let mut scratch = Scratch::default();
    let mut examples = Vec::with_capacity(labels.len());
    let mut ids = Vec::with_capacity(labels.len());
    for label in labels {
        for id in label.pair().0 {
            if !analyzed.contains_key(id) {
                let missing = || Err(format!("no article with id '{id}'"));
                let article = by_id.get(id).map_or_else(missing, |articles| one_of(articles, versions));
                let article = article.map_err(|reason| Error::Labels { place: label.place.clone(), reason })?;
                analyzed.insert(id, engine.analyze(article));
            }
        }
        let [first, second] = label.pair().0.map(|id| analyzed[id].record.record());
        if !(first.terms.is_weighted() && second.terms.is_weighted()) {
            continue;
        }
        let evidence = samestory::verify::measure(&first, &second, &mut scratch);
        let is_decidable = first.content.len().min(second.content.len()) >= min_content;
        examples.push(Example {
            values: evidence.values,
            is_scored: evidence.is_complete && is_decidable,
            is_same: label.is_same,
            weight: label.weight,
            group: 0,
        });
        ids.push(label.pair().0);
    }
    for (example, group) in examples.iter_mut().zip(group(&ids)) {
        example.group = group;
    }
    Ok(examples)
}

/// The article that stands for an id, whatever the order of the articles: of texts that differ the newest or none, as
/// `versions` says; of equal texts with other fields the first by those that are compared.
pub(crate) fn one_of<'a>(articles: &[&'a Article], versions: Versions) -> Result<&'a Article, String> {
    let newest = articles.iter().max_by_key(|a| (a.version, a.published, hash128(a.text.as_bytes())));
    let newest = newest.expect("an id is of one article at least");
    if let (Some(other), Versions::Refuse) = (articles.iter().find(|a| a.text != newest.text), versions) {
        let mut places = [&newest.origin, &other.origin];
        places.sort();
        return Err(format!("id '{}' stands for two texts: {} and {}", newest.id, places[0].place, places[1].place));
    }
    let stands = articles.iter().copied().filter(|a| a.text == newest.text);
    let fields = |a: &&'a Article| (&a.title, &a.language, &a.source, &a.slug, a.published, a.version);
    Ok(stands.min_by(|a, b| fields(a).cmp(&fields(b))).expect("the newest is one"))
}

/// What the labels say of thresholds.
struct Report<'a> {
    args: &'a args::Calibrate,
    judged: &'a [Judged],
    prevalence: f64,
    curve: &'a [Point],
}

impl Report<'_> {
    /// The smallest threshold with the precision asked for, or a sentence with the best that can be had.
    fn threshold(&self, precision: f64) -> Result<u32, String> {
        if let Some(point) = smallest_reaching(self.curve, precision) {
            return Ok(point.percent);
        }
        let best = most_precise(self.curve).and_then(|point| Some((point, point.precision?)));
        Err(match best {
            Some((point, best)) => format!(
                "no threshold has precision {precision} on these labels; the best is {:.4}, at threshold {} with \
                 recall {:.4}",
                best.value,
                share_of(point.percent),
                point.recall
            ),
            None => format!("no threshold has precision {precision} on these labels: no pair reaches any"),
        })
    }

    /// What the profile says of how it was made.
    fn note(&self) -> String {
        let mut note = format!("samestory calibrate: {}", counted(self.judged.len() as u64, "pair"));
        if let Some(precision) = self.args.precision {
            note += &format!(", precision {precision} at prevalence {:.4}", self.prevalence);
        }
        if !self.args.without.is_empty() {
            let names: Vec<&str> = self.args.without.iter().map(|measurement| measurement.name()).collect();
            note += &format!(", without {}", names.join(", "));
        }
        note
    }

    fn print(&self, num_left_out: usize, match_percent: u32) {
        let num_stopped = self.judged.iter().filter(|j| j.logit.is_none()).count();
        message::line(&format!(
            "{}; each part of {} tested by a model of the others",
            counted(self.judged.len() as u64, "pair"),
            self.args.folds
        ));
        if num_stopped > 0 {
            let pairs = counted(num_stopped as u64, "pair");
            message::line(&format!("  {pairs} too short or too unlike to be scored: never a match at any threshold"));
        }
        if num_left_out > 0 {
            let pairs = counted(num_left_out as u64, "pair");
            message::line(&format!("  {pairs} more left out: no word weights for the language"));
        }
        let source = match self.args.prevalence {
            Some(_) => "as stated",
            None => "as in the labels, by weight; --prevalence states that of a feed",
        };
        message::line(&format!("share of true pairs {:.4}, {source}", self.prevalence));
        self.print_curve();
        let origin = match self.args.precision {
            Some(precision) => format!("the smallest with precision {precision}"),
            None => "as in the profile before".to_string(),
        };
        let head = format!("threshold {}, {origin}", share_of(match_percent));
        let Some(point) = self.curve.iter().find(|point| point.percent == match_percent) else {
            return;
        };
        let precision = point.precision.map_or("no match".to_string(), |p| {
            format!("precision {:.4} (95 % interval {:.4} to {:.4})", p.value, p.interval.0, p.interval.1)
        });
        message::line(&format!(
            "{head}: {precision}, recall {:.4}, at most {:.2} wrongful removals per 1,000 articles",
            point.recall,
            self.removals(point)
        ));
    }

    /// Precision and recall by threshold.
    fn print_curve(&self) {
        message::line("probability   precision   95 % interval      recall   wrongful removals per 1,000 articles");
        for point in self.curve.iter().filter(|point| PRINTED.contains(&point.percent)) {
            let precision = point.precision.map_or("     -   -               ".to_string(), |p| {
                format!("{:.4}   {:.4} to {:.4}", p.value, p.interval.0, p.interval.1)
            });
            message::line(&format!(
                "       {}      {precision}   {:.4}   {:>17.2}",
                share_of(point.percent),
                point.recall,
                self.removals(point)
            ));
        }
    }

    fn removals(&self, point: &Point) -> f64 {
        point.wrongful_removals(self.prevalence, self.args.candidates_per_article)
    }
}

/// A percentage as a share.
fn share_of(percent: u32) -> String {
    format!("0.{percent:02}")
}

fn write_profile(profile: &Profile, path: &Path) -> anyhow::Result<()> {
    let mut output = Output::create(path)?;
    output.write(profile.to_toml().as_bytes())?;
    output.finish()?.publish()?;
    Ok(())
}

pub(crate) struct Label {
    pub(crate) place: String,
    ids: [String; 2],
    is_same: bool,
    weight: f64,
}

impl Label {
    /// The ids, the smaller first, and the label.
    pub(crate) fn pair(&self) -> ([&str; 2], bool) {
        let [a, b] = &self.ids;
        ([a.min(b), a.max(b)], self.is_same)
    }
}

/// Reads tab-separated labels, each place named in what it complains of.
pub(crate) fn read_labels(path: &Path) -> anyhow::Result<Vec<Label>> {
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
            Some(cell) if !cell.is_empty() => cell.parse().map_err(|_| bad(format!("weight '{cell}' is no number")))?,
            _ => 1.0,
        };
        if !(weight > 0.0 && weight <= MAX_WEIGHT) {
            return Err(bad(format!("weight {weight}, expected more than 0 and at most {MAX_WEIGHT}")).into());
        }
        if first == second {
            return Err(bad(format!("'{first}' is paired with itself")).into());
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
