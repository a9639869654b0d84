//! Measures how candidate pairs are found, by channel: recall of labelled pairs, unrelated candidates an article, recall
//! of excerpts. Prints the tables of `docs/quality.md`.
//!
//! ```sh
//! cargo run --release --example candidates -- --feed FEED --set ARTICLES PAIRS [--set ARTICLES PAIRS]...
//! ```
//!
//! PAIRS has a line a pair: id, id, `same` or `different`, separated by tabs; more columns are not read.

use anyhow::Context;
use clap::Parser;
use samestory::engine::Analyzed;
use samestory::hash::{HashMap, hash64, mix64};
use samestory::input::{Blocks, FieldNames};
use samestory::lsh::Bands;
use samestory::profile::{RARE_IDF, SketchParams};
use samestory::shingle::shingle_hashes;
use samestory::sketch::{KeyMaker, KeyScratch, MinHasher};
use samestory::text::Document;
use samestory::verify::{Level, Relation, Scratch, judge};
use samestory::{Article, ArticleId, Engine, Profile};
use std::io::Write;
use std::iter::once;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Numbers of trees that are compared, as far as so many are made.
const NUM_TREES: [usize; 4] = [16, 24, 32, 48];
/// Divisions of a signature over anchors, the simpler form of the trees.
const ANCHOR_BANDS: [Bands; 2] = [Bands { num_bands: 64, num_rows: 2 }, Bands { num_bands: 64, num_rows: 3 }];
/// Shingle Jaccard from which a pair is near, in fifths of the union; below it is a rewrite.
const NEAR_FIFTHS: usize = 1;
/// Articles of which excerpts are taken.
const NUM_QUOTED: usize = 2000;
/// Parts of an article, each of which is an excerpt.
const NUM_PARTS: usize = 5;
const POSITIONS: [&str; NUM_PARTS] = ["head", "second", "third", "fourth", "tail"];
/// Articles that unrelated candidates are scaled to.
const MILLION: f64 = 1e6;

/// Measures candidates by channel.
#[derive(Debug, Parser)]
struct Args {
    /// Feed of which unrelated candidates and excerpts are taken
    #[arg(long)]
    feed: PathBuf,
    /// Articles and labelled pairs of a set
    #[arg(long = "set", num_args = 2, value_names = ["ARTICLES", "PAIRS"])]
    sets: Vec<PathBuf>,
    /// Trees that are made
    #[arg(long, default_value_t = 48)]
    trees: usize,
    /// Capacity that the keys are made for [default: the profile's]
    #[arg(long)]
    capacity: Option<u64>,
    /// Profile [default: built in]
    #[arg(long)]
    profile: Option<PathBuf>,
}

/// A key, under a number that tells bands and trees apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    slot: usize,
    hash: u64,
}

/// Where the slots of each kind of key begin.
const PASSAGE: usize = 1024;
const BANDS: usize = 2048;
const ANCHORS: [usize; 2] = [4096, 5120];

/// Kinds of keys that are looked at together.
#[derive(Debug)]
struct Channel {
    name: String,
    slots: Vec<Range<usize>>,
}

impl Channel {
    fn new(name: impl Into<String>, slots: impl IntoIterator<Item = Range<usize>>) -> Self {
        Self { name: name.into(), slots: slots.into_iter().collect() }
    }

    fn has(&self, key: &Key) -> bool {
        self.slots.iter().any(|slots| slots.contains(&key.slot))
    }

    /// Whether two articles meet in it.
    fn joins(&self, first: &[Key], second: &[Key]) -> bool {
        first.iter().any(|key| self.has(key) && second.binary_search(key).is_ok())
    }
}

/// What is known of an article.
#[derive(Debug)]
struct Keyed {
    analyzed: Analyzed,
    id: ArticleId,
    source: Option<String>,
    /// Sorted.
    keys: Vec<Key>,
}

/// Makes the keys of all channels.
struct Maker {
    engine: Engine,
    trees: KeyMaker,
    bands: Bands,
    wording: MinHasher,
    anchors: Vec<MinHasher>,
}

impl Maker {
    fn new(profile: Profile) -> Self {
        let params = profile.sketch();
        let share = |percent: u32| f64::from(percent) / 100.0;
        let (similarity, recall) = (share(params.band_similarity_percent), share(params.band_recall_percent));
        Self {
            trees: KeyMaker::new(&profile),
            bands: Bands::choose(params.num_slots, similarity, recall),
            wording: MinHasher::new(params.num_slots, params.seed),
            anchors: ANCHOR_BANDS.map(|b| MinHasher::new(b.num_bands * b.num_rows, params.seed)).into(),
            engine: Engine::new(profile),
        }
    }

    /// The channels, single ones first, with all that ship at the end.
    fn channels(&self, num_shipped: usize) -> Vec<Channel> {
        let bands = BANDS..ANCHORS[0];
        let passage = PASSAGE..BANDS;
        let mut nums: Vec<usize> = NUM_TREES.into_iter().chain([num_shipped, self.trees.num_trees()]).collect();
        nums.retain(|num| *num <= self.trees.num_trees());
        nums.sort_unstable();
        nums.dedup();
        let mut channels: Vec<Channel> =
            nums.into_iter().map(|num| Channel::new(format!("{num} trees"), once(0..num))).collect();
        channels.push(Channel::new("passages", once(passage.clone())));
        let wording = format!("shingles {}×{}", self.bands.num_bands, self.bands.num_rows);
        channels.push(Channel::new(wording, once(bands.clone())));
        for (anchors, start) in ANCHOR_BANDS.iter().zip(ANCHORS) {
            let name = format!("anchors {}×{}", anchors.num_bands, anchors.num_rows);
            channels.push(Channel::new(name, once(start..start + anchors.num_bands)));
        }
        channels.push(Channel::new("all that ship", [0..num_shipped, passage, bands]));
        channels
    }

    fn keyed(&self, article: &Article) -> Keyed {
        let analyzed = self.engine.analyze(article);
        let params = self.engine.profile().sketch();
        let record = &analyzed.record.record();
        let mut keys = Vec::new();
        if record.content.len() >= params.min_content {
            let mut add = |slot, hash: Option<u64>| keys.extend(hash.map(|hash| Key { slot, hash }));
            self.trees.passage_keys(record, |hash| add(PASSAGE, Some(hash)));
            let document = Document::new(&article.text, params.max_tokens);
            let signature = self.wording.signature(&shingle_hashes(&document.tokens, params.shingle_len));
            (0..self.bands.num_bands).for_each(|band| add(BANDS + band, self.bands.key(&signature, band, 0)));
            if record.terms.is_weighted() {
                let (terms, mut scratch) = (self.trees.weighted_terms(record), KeyScratch::default());
                for tree in 0..self.trees.num_trees() {
                    for key in self.trees.tree_keys(&terms, tree, 0, &mut scratch) {
                        add(tree, key);
                    }
                }
                let terms = record.terms.hashes().iter().zip(record.terms.idf());
                let is_rare = terms.filter(|(_, idf)| **idf >= RARE_IDF);
                let anchors: Vec<u64> = is_rare.map(|(hash, _)| mix64(u64::from(*hash))).collect();
                for ((bands, start), hasher) in ANCHOR_BANDS.iter().zip(ANCHORS).zip(&self.anchors) {
                    let signature = hasher.signature(&anchors);
                    (0..bands.num_bands).for_each(|band| add(start + band, bands.key(&signature, band, 0)));
                }
            }
        }
        keys.sort_unstable();
        Keyed { analyzed, id: article.id.clone(), source: article.source.clone(), keys }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let profile = match &args.profile {
        Some(path) => Profile::from_toml(&path.display().to_string(), &read_text(path)?)?,
        None => Profile::default(),
    };
    let shipped = profile.sketch();
    let num_shipped = shipped.num_trees;
    let num_trees = args.trees.max(num_shipped);
    let capacity = args.capacity.unwrap_or(shipped.capacity);
    let profile = profile.clone().with_sketch(SketchParams { num_trees, capacity, ..shipped.clone() })?;
    let maker = Maker::new(profile);
    let channels = maker.channels(num_shipped);

    let mut out = std::io::stdout().lock();
    recall_table(&args.sets, &maker, &channels, &mut out)?;
    let articles = read_articles(&args.feed)?;
    let feed: Vec<Keyed> = articles.iter().map(|article| maker.keyed(article)).collect();
    unrelated_table(&feed, &maker, &channels, &mut out)?;
    excerpt_table(&articles, &feed, &maker, &channels, &mut out)
}

/// Share of the labelled pairs that meet in each channel.
fn recall_table(sets: &[PathBuf], maker: &Maker, channels: &[Channel], out: &mut impl Write) -> anyhow::Result<()> {
    head(out, &["set", "wording", "pairs"], channels)?;
    let mut totals = [0, 1].map(|_| Found::new(channels));
    for set in sets.chunks_exact(2) {
        let articles = read_articles(&set[0])?;
        let by_id: HashMap<&str, Keyed> = articles.iter().map(|a| (a.id.as_str(), maker.keyed(a))).collect();
        let mut found = [0, 1].map(|_| Found::new(channels));
        for line in read_text(&set[1])?.lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            let [first, second, label, ..] = columns[..] else {
                anyhow::bail!("{}: '{line}' is no pair: expected id, id, label", set[1].display());
            };
            if label == "same" {
                let of = |id| by_id.get(id).with_context(|| format!("{}: no article {id}", set[0].display()));
                let (first, second) = (of(first)?, of(second)?);
                let kind = usize::from(!is_near(first, second));
                found[kind].add(channels, &first.keys, &second.keys);
                totals[kind].add(channels, &first.keys, &second.keys);
            }
        }
        let name = set[0].file_name().unwrap_or_default().to_string_lossy();
        rows(out, name.split('.').next().unwrap_or_default(), &found)?;
    }
    rows(out, "all", &totals)
}

/// Pairs that were looked for, and how many meet in each channel.
struct Found {
    num_pairs: usize,
    met: Vec<usize>,
}

impl Found {
    fn new(channels: &[Channel]) -> Self {
        Self { num_pairs: 0, met: vec![0; channels.len()] }
    }

    fn add(&mut self, channels: &[Channel], first: &[Key], second: &[Key]) {
        self.num_pairs += 1;
        for (met, channel) in self.met.iter_mut().zip(channels) {
            *met += usize::from(channel.joins(first, second));
        }
    }
}

fn rows(out: &mut impl Write, name: &str, found: &[Found; 2]) -> anyhow::Result<()> {
    for (found, wording) in found.iter().zip(["near", "rewrite"]).filter(|(found, _)| found.num_pairs > 0) {
        write!(out, "| {name} | {wording} | {} |", found.num_pairs)?;
        for met in &found.met {
            write!(out, " {:.4} |", *met as f64 / found.num_pairs as f64)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn is_near(first: &Keyed, second: &Keyed) -> bool {
    let (first, second) = (first.analyzed.record.record().shingles, second.analyzed.record.record().shingles);
    let num_shared = first.iter().filter(|hash| second.binary_search(hash).is_ok()).count();
    5 * num_shared >= NEAR_FIFTHS * (first.len() + second.len() - num_shared)
}

/// Articles that meet in each channel and are no match, and those of them that the verdict calls unrelated, not
/// look-alikes: of the whole feed, of half of it, of different sources.
///
/// The number is the share of all pairs that meet, times a million: what an article of a million like these would meet,
/// each pair counted at both. Buckets are not capped.
fn unrelated_table(feed: &[Keyed], maker: &Maker, channels: &[Channel], out: &mut impl Write) -> anyhow::Result<()> {
    let in_half: Vec<bool> = feed.iter().map(|keyed| hash64(keyed.id.as_str().as_bytes(), 0) & 1 == 0).collect();
    let num_half = in_half.iter().filter(|is_in| **is_in).count();
    let mut per_source: HashMap<&str, usize> = HashMap::default();
    let sources: Vec<&str> = feed.iter().map(|keyed| keyed.source.as_deref().unwrap_or_default()).collect();
    for source in &sources {
        *per_source.entry(source).or_default() += 1;
    }
    let num_pairs = |num: usize| num as f64 * (num as f64 - 1.0) / 2.0;
    let num_of_two_sources = num_pairs(feed.len()) - per_source.values().map(|num| num_pairs(*num)).sum::<f64>();

    let mut judged: HashMap<(u32, u32), Relation> = HashMap::default();
    let mut scratch = Scratch::default();
    writeln!(out, "\n{} articles, {num_half} in the half.\n", feed.len())?;
    writeln!(
        out,
        "| channel | keys an article | no match | unrelated | unrelated, half | unrelated, two sources |\n|---|---|---|---|---|---|"
    )?;
    for channel in channels {
        let (pairs, num_keys) = meeting_pairs(feed, channel);
        let (mut no_match, mut whole, mut half, mut of_two_sources) = (0u64, 0u64, 0u64, 0u64);
        for (a, b) in pairs {
            let relation = *judged.entry((a, b)).or_insert_with(|| {
                let [first, second] = [a, b].map(|rank| feed[rank as usize].analyzed.record.record());
                judge(&first, &second, maker.engine.profile(), Level::Rewrite, &mut scratch).relation
            });
            let (a, b) = (a as usize, b as usize);
            let is_unrelated = !(relation.is_match() || relation.is_link());
            no_match += u64::from(!relation.is_match());
            whole += u64::from(is_unrelated);
            half += u64::from(is_unrelated && in_half[a] && in_half[b]);
            of_two_sources += u64::from(is_unrelated && sources[a] != sources[b]);
        }
        let scaled = |num: u64, of: f64| num as f64 / of * MILLION;
        writeln!(
            out,
            "| {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
            channel.name,
            num_keys as f64 / feed.len() as f64,
            scaled(no_match, num_pairs(feed.len())),
            scaled(whole, num_pairs(feed.len())),
            scaled(half, num_pairs(num_half)),
            scaled(of_two_sources, num_of_two_sources)
        )?;
    }
    Ok(())
}

/// The distinct pairs of articles that meet in a channel, and the number of its keys.
fn meeting_pairs(feed: &[Keyed], channel: &Channel) -> (Vec<(u32, u32)>, usize) {
    let mut entries: Vec<(Key, u32)> = Vec::new();
    for (number, keyed) in feed.iter().enumerate() {
        entries.extend(keyed.keys.iter().filter(|key| channel.has(key)).map(|key| (*key, number as u32)));
    }
    let num_keys = entries.len();
    entries.sort_unstable();
    entries.dedup();
    let mut pairs = Vec::new();
    for bucket in entries.chunk_by(|a, b| a.0 == b.0) {
        for (i, (_, a)) in bucket.iter().enumerate() {
            pairs.extend(bucket[i + 1..].iter().map(|(_, b)| (*a, *b)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    (pairs, num_keys)
}

/// Share of verbatim excerpts that meet their source in each channel, by the fifth of its tokens they are.
fn excerpt_table(
    articles: &[Article],
    feed: &[Keyed],
    maker: &Maker,
    channels: &[Channel],
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let params = maker.engine.profile().sketch();
    let mut order: Vec<usize> = (0..articles.len()).collect();
    order.sort_by_key(|at| hash64(articles[*at].id.as_str().as_bytes(), 1));
    let mut found: Vec<Found> = POSITIONS.iter().map(|_| Found::new(channels)).collect();
    let mut num_quoted = 0;
    for at in order {
        let document = Document::new(&articles[at].text, params.max_tokens);
        let num_tokens = document.tokens.len();
        let parts: Option<Vec<Keyed>> = (0..NUM_PARTS)
            .map(|part| {
                let tokens = &document.tokens[num_tokens * part / NUM_PARTS..num_tokens * (part + 1) / NUM_PARTS];
                let range = tokens.first()?.start as usize..tokens.last()?.end as usize;
                let mut excerpt = Article::new("excerpt", &document.text[range]);
                excerpt.language.clone_from(&articles[at].language);
                let keyed = maker.keyed(&excerpt);
                (keyed.analyzed.record.record().content.len() >= params.min_content).then_some(keyed)
            })
            .collect();
        // Only articles of which every fifth is long enough to compare: all positions are of the same articles.
        let Some(parts) = parts else { continue };
        for (found, part) in found.iter_mut().zip(&parts) {
            found.add(channels, &part.keys, &feed[at].keys);
        }
        num_quoted += 1;
        if num_quoted == NUM_QUOTED {
            break;
        }
    }
    writeln!(out, "\nFive excerpts each of {num_quoted} articles.\n\n| channel | {} |", POSITIONS.join(" | "))?;
    writeln!(out, "|---|{}", "---|".repeat(NUM_PARTS))?;
    for (i, channel) in channels.iter().enumerate() {
        write!(out, "| {} |", channel.name)?;
        for found in &found {
            write!(out, " {:.4} |", found.met[i] as f64 / found.num_pairs.max(1) as f64)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn head(out: &mut impl Write, columns: &[&str], channels: &[Channel]) -> anyhow::Result<()> {
    let columns: Vec<&str> = columns.iter().copied().chain(channels.iter().map(|c| c.name.as_str())).collect();
    writeln!(out, "| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()))?;
    Ok(())
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn read_articles(path: &Path) -> anyhow::Result<Vec<Article>> {
    let mut articles = Vec::new();
    for block in Blocks::open(&[path.to_path_buf()], None)? {
        articles.append(&mut block?.parse(&FieldNames::default()).articles);
    }
    Ok(articles)
}
