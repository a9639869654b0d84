//! `samestory audit`

use crate::args;
use crate::calibrate::{one_of, read_labels};
use crate::compare::columns::wrap;
use crate::eval::{CLUSTERS, refuse_repeats, rows};
use crate::feed::Intake;
use crate::message::{self, Usage, count, counted};
use crate::outputs::Outputs;
use anyhow::{Context, anyhow, bail};
use samestory::audit::{Estimate, Repeat, Stratum, Tally, draw, estimate, tally};
use samestory::engine::Versions;
use samestory::hash::{HashMap, HashSet};
use samestory::input::Blocks;
use samestory::output::{Output, is_stdout};
use samestory::text::Document;
use samestory::verify::{Relation, differences};
use samestory::{Article, Error};
use std::io::BufRead;
use std::path::Path;
use std::process::ExitCode;

/// Widest line of a text that is shown.
const WIDTH: usize = 100;
/// And narrowest, however narrow the terminal.
const LEAST_WIDTH: usize = 20;
/// Characters of a text that are shown.
const SHOWN_LEN: usize = 1_500;
/// Figures, names or dates of one text that are shown.
const NUM_SHOWN: usize = 12;
/// Tokens of a text that are searched for what differs.
const MAX_TOKENS: usize = 20_000;
/// Judged pairs under which a relation's share is all but a guess.
const FEW: u64 = 5;

pub(crate) fn run(args: &args::Audit) -> anyhow::Result<ExitCode> {
    let labels = args.output.as_deref();
    let outputs = Outputs::new(&[
        ("the estimate", labels.map(|_| Path::new("-"))),
        ("-o", labels),
        ("--list", args.list.as_deref()),
        ("--rejects", args.reading.rejects.as_deref()),
    ])?;
    let is_asking = args.answers.is_none() && args.list.is_none();
    if is_asking && args.articles.iter().chain([&args.clusters]).any(|path| path.as_os_str() == "-") {
        let reason = "stdin is read and cannot hold answers too: give them by --answers, or write the pairs to --list";
        return Err(Usage(reason.to_string()).into());
    }
    let blocks = args.reading.blocks(&args.articles)?;
    let read = [Some(&args.clusters), args.answers.as_ref()].into_iter().flatten();
    outputs.refuse_inputs(None, blocks.files().chain(read.map(|path| path.as_path())))?;
    outputs.refuse_unwritable()?;

    let (repeats, places) = read_repeats(&args.clusters)?;
    let drawn = draw(&repeats, args.pairs as usize, args.seed);
    let mut answers = Answers::new(&repeats, &drawn);
    if let Some(path) = labels.filter(|path| path.is_file()) {
        answers.resume(path)?;
    }
    if let Some(path) = &args.answers {
        answers.read(path)?;
    }
    let intake = Intake::new(&args.reading)?;
    let versions = args.repeated.versions.versions();
    let articles = read_articles(blocks, &intake, (&repeats, &places), &drawn, versions)?;
    intake.report(args.quiet)?;
    if let Some(path) = &args.list {
        return list(path, &repeats, &drawn, &articles, args.quiet);
    }
    let path = labels.expect("required where no list is asked for");
    if is_asking {
        ask(&mut answers, &articles, path)?;
    }
    answers.write(path)?;
    message::data(&answers.to_text())?;
    if !args.quiet {
        message::line(&format!("labels are in {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The members of a clustering that are no representatives, each with its place in the file.
fn read_repeats(path: &Path) -> anyhow::Result<(Vec<Repeat>, Vec<String>)> {
    let rows = rows(path, CLUSTERS)?;
    let mut ids = Vec::with_capacity(rows.len());
    let mut repeats = Vec::new();
    let mut places = Vec::new();
    for row in rows {
        let (id, representative) = (row.need("id")?, row.need("representative")?);
        let (relation, score) = (row.need("relation")?, row.need("score")?);
        ids.push(id.clone());
        if id == representative {
            continue;
        }
        let relation = Relation::ALL.into_iter().find(|r| r.is_match() && r.name() == relation).with_context(|| {
            let known: Vec<&str> = Relation::ALL.iter().filter(|r| r.is_match()).map(|r| r.name()).collect();
            format!("{}: relation '{relation}' to another article, expected one of {}", row.place, known.join(", "))
        })?;
        let share = score.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
        let share = share.with_context(|| format!("{}: score '{score}', expected 0 to 1", row.place))?;
        let ids = [id, representative];
        if let Some(id) = ids.iter().find(|id| id.contains(['\t', '\n', '\r'])) {
            bail!("{}: id {id:?} holds a tab or line break, which labels cannot", row.place);
        }
        repeats.push(Repeat { ids, relation, score_e4: (share * 10_000.0).round() as u32 });
        places.push(row.place);
    }
    refuse_repeats(path, ids.iter())?;
    if repeats.is_empty() {
        bail!("{}: no article repeats another: there is nothing to judge", path.display());
    }
    Ok((repeats, places))
}

/// The articles of the drawn pairs by id; all that the clusters name must be there.
fn read_articles(
    blocks: Blocks,
    intake: &Intake<'_>,
    (repeats, places): (&[Repeat], &[String]),
    drawn: &[usize],
    versions: Versions,
) -> anyhow::Result<HashMap<String, Article>> {
    let wanted: HashSet<&str> = drawn.iter().flat_map(|&i| &repeats[i].ids).map(String::as_str).collect();
    let mut missing: HashSet<&str> = repeats.iter().flat_map(|repeat| &repeat.ids).map(String::as_str).collect();
    let mut kept: Vec<Article> = Vec::new();
    for block in blocks {
        let mut articles = intake.parse(block?).map_err(|error| intake.failure(error))?.articles;
        articles.iter().for_each(|article| {
            missing.remove(article.id.as_str());
        });
        articles.retain(|article| wanted.contains(article.id.as_str()));
        kept.append(&mut articles);
    }
    let named = repeats.iter().zip(places).flat_map(|(repeat, place)| repeat.ids.iter().map(move |id| (id, place)));
    if let Some((id, place)) = named.into_iter().find(|(id, _)| missing.contains(id.as_str())) {
        let more = match missing.len() {
            1 => String::new(),
            n => format!(" ({} more missing)", count(n as u64 - 1)),
        };
        let reason = format!("no article with id '{id}' in the articles given{more}{}", intake.first_reason());
        return Err(Error::BadRecord { place: place.clone(), reason }.into());
    }
    let mut by_id: HashMap<String, Vec<&Article>> = HashMap::default();
    for article in &kept {
        by_id.entry(article.id.to_string()).or_default().push(article);
    }
    let one = |(id, articles): (String, Vec<&Article>)| {
        let article = one_of(&articles, versions).map_err(anyhow::Error::msg)?.clone();
        Ok((id, article))
    };
    by_id.into_iter().map(one).collect()
}

/// What was judged of the drawn pairs.
struct Answers<'a> {
    repeats: &'a [Repeat],
    drawn: &'a [usize],
    /// Place in `drawn` of a pair, under its ids in order.
    known: HashMap<[&'a str; 2], usize>,
    /// Of each drawn pair whether it is one telling, where that was judged.
    judged: Vec<Option<bool>>,
}

impl<'a> Answers<'a> {
    fn new(repeats: &'a [Repeat], drawn: &'a [usize]) -> Self {
        let pair = |(at, i): (usize, &usize)| (sorted(repeats[*i].ids.each_ref().map(String::as_str)), at);
        let known = drawn.iter().enumerate().map(pair).collect();
        Self { repeats, drawn, known, judged: vec![None; drawn.len()] }
    }

    /// Where a pair stands among the drawn ones.
    fn find(&self, ids: [&str; 2], place: &str) -> anyhow::Result<usize> {
        let [a, b] = ids;
        self.known.get(&sorted(ids)).copied().with_context(|| {
            let drawn = counted(self.drawn.len() as u64, "pair");
            format!("{place}: '{a}' and '{b}' are not in the sample of {drawn}: of other clusters, --seed or --pairs?")
        })
    }

    /// Takes the labels of an earlier run.
    fn resume(&mut self, path: &Path) -> anyhow::Result<()> {
        for label in read_labels(path)? {
            let (ids, is_same) = label.pair();
            let at = self.find(ids, &label.place).map_err(|error| anyhow!("{error} Choose another name for -o"))?;
            self.judged[at] = Some(is_same);
        }
        Ok(())
    }

    /// Takes the answers of a file: id, id, y, n or s, separated by tabs.
    fn read(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut lines: HashMap<usize, (Reply, usize)> = HashMap::default();
        for (i, line) in samestory::input::open(path)?.lines().enumerate() {
            let place = format!("{}:{}", path.display(), i + 1);
            let line = line.with_context(|| place.clone())?;
            if line.trim().is_empty() {
                continue;
            }
            let cells: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
            let [first, second, answer] = cells[..] else {
                bail!("{place}: expected id, id and y, n or s, separated by tabs");
            };
            let reply = Reply::of(answer).filter(|reply| *reply != Reply::Quit);
            let reply = reply.with_context(|| format!("{place}: answer '{answer}', expected y, n or s"))?;
            let at = self.find([first, second], &place)?;
            match lines.insert(at, (reply, i + 1)) {
                Some((other, line)) if other != reply => bail!("{place}: the pair has another answer in line {line}"),
                _ => self.judged[at] = reply.label(),
            }
        }
        Ok(())
    }

    /// The drawn pairs that were judged, by their index among the repeats.
    fn labels(&self) -> impl Iterator<Item = (usize, bool)> {
        self.drawn.iter().zip(&self.judged).filter_map(|(i, label)| Some((*i, (*label)?)))
    }

    fn tallies(&self) -> Vec<Tally> {
        tally(self.repeats, self.labels())
    }

    /// Writes the labels in order of drawing, each with the number of repeats it stands for.
    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let tallies = self.tallies();
        let mut output = Output::create(path)?;
        for (i, is_same) in self.labels() {
            let repeat = &self.repeats[i];
            let stratum = Stratum::of(repeat);
            let of_stratum = tallies.iter().find(|tally| tally.stratum == stratum);
            let weight = of_stratum.and_then(Tally::weight).expect("the pair was judged and counted");
            let [member, representative] = &repeat.ids;
            let label = if is_same { "same" } else { "different" };
            let note = format!("audit: {} {}", stratum.relation, stratum.scores());
            output.write(format!("{member}\t{representative}\t{label}\t{note}\t{weight:.4}\n").as_bytes())?;
        }
        output.finish()?.publish()?;
        Ok(())
    }

    /// The estimate over all and by relation.
    fn to_text(&self) -> String {
        let tallies = self.tallies();
        let num_judged = self.labels().count() as u64;
        let repeats = counted(self.repeats.len() as u64, "repeat");
        let judged = format!("{} of {} judged", count(num_judged), counted(self.drawn.len() as u64, "pair"));
        let Some(all) = estimate(&tallies) else {
            return format!("no estimate: {judged}, of {repeats}\n");
        };
        let mut out = format!("precision {}; {judged}, of {repeats}\n", in_words(&all));
        out.push_str("\nrelation    repeats   judged   one telling   precision   95 % interval\n");
        for of_relation in tallies.chunk_by(|a, b| a.stratum.relation == b.stratum.relation) {
            let sum = |number: fn(&Tally) -> u64| of_relation.iter().map(number).sum::<u64>();
            let num_judged = sum(|t| t.num_judged);
            let share = match estimate(of_relation) {
                Some(Estimate { precision, interval: (low, high), .. }) => {
                    let few = if num_judged < FEW.min(sum(|t| t.num_repeats)) { "   too few to tell" } else { "" };
                    format!("{precision:.4}   {low:.4} to {high:.4}{few}")
                }
                None => "     -   none judged".to_string(),
            };
            out.push_str(&format!(
                "{:<9} {:>9}   {num_judged:>6}   {:>11}      {share}\n",
                of_relation[0].stratum.relation.name(),
                count(sum(|t| t.num_repeats)),
                sum(|t| t.num_same)
            ));
        }
        let unjudged: Vec<String> = tallies
            .iter()
            .filter(|tally| tally.num_judged == 0)
            .map(|t| format!("{} {} ({})", t.stratum.relation, t.stratum.scores(), count(t.num_repeats)))
            .collect();
        if !unjudged.is_empty() {
            let covered = 100.0 * all.covered;
            out.push_str(&format!(
                "\nThe estimate stands for {covered:.1} % of the repeats. None was judged of: {}\n",
                unjudged.join(", ")
            ));
        }
        out
    }
}

fn in_words(estimate: &Estimate) -> String {
    let (low, high) = estimate.interval;
    format!("{:.4}, 95 % interval {low:.4} to {high:.4}", estimate.precision)
}

/// Two ids, the smaller first.
fn sorted([a, b]: [&str; 2]) -> [&str; 2] {
    [a.min(b), a.max(b)]
}

/// What can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Same,
    Different,
    Skip,
    Quit,
}

impl Reply {
    fn of(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Some(Self::Same),
            "n" | "no" => Some(Self::Different),
            "s" | "skip" => Some(Self::Skip),
            "q" | "quit" => Some(Self::Quit),
            _ => None,
        }
    }

    /// Whether it calls a pair one telling, where it says.
    fn label(self) -> Option<bool> {
        match self {
            Self::Same => Some(true),
            Self::Different => Some(false),
            Self::Skip | Self::Quit => None,
        }
    }
}

/// Shows each pair that is not judged yet and reads an answer a line from stdin, until `q` or the end. The labels are
/// written after each answer, so that none is lost.
fn ask(answers: &mut Answers<'_>, articles: &HashMap<String, Article>, path: &Path) -> anyhow::Result<()> {
    let is_file = !path.exists() || path.is_file();
    let open: Vec<usize> = (0..answers.drawn.len()).filter(|at| answers.judged[*at].is_none()).collect();
    let mut lines = std::io::stdin().lock().lines();
    for at in open {
        let pair = answers.repeats[answers.drawn[at]].ids.each_ref().map(|id| &articles[id]);
        message::line(&format!("\nPair {} of {}\n{}", at + 1, answers.drawn.len(), show(pair)));
        let reply = loop {
            message::line("One story in one telling? y, n, s to skip, q to stop:");
            let Some(line) = lines.next() else {
                break Reply::Quit;
            };
            match Reply::of(&line.map_err(|e| Error::io("-", "read", e))?) {
                Some(reply) => break reply,
                None => message::line("Please answer y, n, s or q."),
            }
        };
        if reply == Reply::Quit {
            break;
        }
        answers.judged[at] = reply.label();
        if is_file && reply != Reply::Skip {
            answers.write(path)?;
        }
    }
    Ok(())
}

/// Two articles and what differs, for people. Relation and score are not shown, so as not to sway them.
fn show(pair: [&Article; 2]) -> String {
    let mut out = String::new();
    let width = message::stderr_width().map_or(WIDTH, |width| width.saturating_sub(3).clamp(LEAST_WIDTH, WIDTH));
    for (name, article) in ["A", "B"].into_iter().zip(pair) {
        let time = article.published.and_then(|time| jiff::Timestamp::from_second(time.0).ok());
        let head = [Some(article.id.to_string()), article.source.clone(), time.map(|time| time.to_string())];
        let head: Vec<String> = head.into_iter().flatten().map(|text| plain(&text)).collect();
        out.push_str(&format!("\n{name}  {}\n", head.join(", ")));
        let title = article.title.as_deref().map(plain);
        let lines =
            title.iter().flat_map(|title| wrap(title, width)).chain(wrap(&shortened(&plain(&article.text)), width));
        lines.for_each(|line| out.push_str(&format!("   {line}\n")));
    }
    let [first, second] = pair.map(|article| Document::new(&article.text, MAX_TOKENS));
    let found = differences(&first, &second);
    for (what, name, list) in [
        ("Figures", "A", found.first_figures),
        ("Figures", "B", found.second_figures),
        ("Names", "A", found.first_names),
        ("Names", "B", found.second_names),
        ("Dates", "A", found.first_dates),
        ("Dates", "B", found.second_dates),
    ] {
        if !list.is_empty() {
            let shown: Vec<String> = list.iter().take(NUM_SHOWN).map(|text| plain(text)).collect();
            let rest = list.len().saturating_sub(NUM_SHOWN);
            let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            out.push_str(&format!("\n{what} only in {name}: {}{more}", shown.join(", ")));
        }
    }
    out
}

/// A text without characters that move a terminal's cursor or colour it.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The beginning of a text, with how much is left out.
fn shortened(text: &str) -> String {
    let len = text.chars().count();
    match text.char_indices().nth(SHOWN_LEN) {
        Some((end, _)) => format!("{} … ({} more)", &text[..end], counted((len - SHOWN_LEN) as u64, "character")),
        None => text.to_string(),
    }
}

/// Writes the drawn pairs with their texts, as JSON lines.
fn list(
    path: &Path,
    repeats: &[Repeat],
    drawn: &[usize],
    articles: &HashMap<String, Article>,
    quiet: bool,
) -> anyhow::Result<ExitCode> {
    let side = |id: &String| {
        let article = &articles[id];
        let time = article.published.and_then(|time| jiff::Timestamp::from_second(time.0).ok());
        serde_json::json!({
            "id": id,
            "title": article.title,
            "source": article.source,
            "published": time.map(|time| time.to_string()),
            "text": article.text,
        })
    };
    let mut output = Output::create(path)?;
    for &i in drawn {
        let [a, b] = repeats[i].ids.each_ref().map(side);
        output.write(format!("{}\n", serde_json::json!({ "a": a, "b": b })).as_bytes())?;
    }
    output.finish()?.publish()?;
    if !quiet && !is_stdout(path) {
        message::line(&format!("{} are in {}", counted(drawn.len() as u64, "pair"), path.display()));
    }
    Ok(ExitCode::SUCCESS)
}
