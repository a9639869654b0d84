//! The command line's words.

use crate::values::{
    format_parser, measurement_parser, parse_delimiter, parse_keep, parse_language, parse_memory, parse_positive,
    parse_record, parse_share, parse_span, parse_threads, parse_time,
};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use samestory::input::{Blocks, Format, Options, read_file};
use samestory::profile::Measurement;
use std::path::PathBuf;

/// Candidate pairs an article, as measured on a feed of 24,218 news articles.
const CANDIDATES_PER_ARTICLE: f64 = 2.7;
/// Bytes of the largest profile or table of weights that is read, unpacked.
const MAX_PARAMETERS_LEN: usize = 256 << 20;

/// Finds the same story told twice: exact copies, near copies, excerpts and rewrites; keeps look-alikes apart.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, propagate_version = true)]
#[command(after_help = "'samestory COMMAND --help' has the options of a command, with examples.\n\
    Every command on data takes --threads, --memory, --temp-dir, --profile, --format, --on-error, --rejects and --quiet; where \
    one has nothing to change it is not listed, and changes nothing.\n\
    Exit code: 0 done, 1 the run failed, 2 wrong usage; compare has its own.\n\nExamples:\n  \
    samestory cluster feed.jsonl -o clusters.jsonl   which articles tell one story\n  \
    samestory dedup feed.jsonl -o kept.jsonl         each story once\n  \
    samestory filter --index seen < in > out         what is new, as it comes\n  \
    samestory compare a.txt b.txt                    why two articles are one story, or not")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Group the articles of a feed by story, each with its relation to the telling that stands for it
    Cluster(Cluster),
    /// Pass on each story once, in input order, bytes untouched
    Dedup(Dedup),
    /// Pass on what is new as it comes, held against everything seen before
    Filter(Filter),
    /// Keep articles of days or years, and hold others against them
    Index(Index),
    /// Say whether two articles tell one story, and why
    Compare(Compare),
    /// Score clusters against gold: pair precision, recall, F1, ARI, B³
    Eval(Eval),
    /// Predict from a sample what clustering a feed takes: candidates, time, memory, disk; say whether profile and
    /// weights still fit
    Plan(Plan),
    /// Write signatures, fingerprints and keys of articles as a table for other pipelines
    Sketch(Sketch),
    /// Count in how many articles of a feed each word stands, as a table of weights
    Weights(Weights),
    /// Fit the verdict on labelled pairs and write a profile
    Calibrate(Calibrate),
    /// Draw pairs of a clustering for judging, estimate its precision, write labels for `calibrate`
    Audit(Audit),
    /// Write the completions of a shell to stdout
    Completions(Completions),
    /// Write the manual as man pages
    Man(Man),
}

/// How inputs are read; the same for all commands.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Input")]
pub(crate) struct Reading {
    /// Format of the inputs [default: by name and content]
    #[arg(long, value_name = "NAME", value_parser = format_parser())]
    pub(crate) format: Option<Format>,
    /// What parts the cells of a table: a character, or tab [default: by its first line]
    #[arg(long, value_name = "CHARACTER", value_parser = parse_delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// Longest record that is read, as 64MiB; a longer one is passed over without being held
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = parse_record)]
    pub(crate) max_record: usize,
    /// How many times its size a packed input may unpack to: what unpacks to more is taken for a bomb
    #[arg(long, value_name = "N", default_value_t = samestory::input::MAX_RATIO)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_ratio: u64,
    /// The moment of the run, as 2026-11-29T12:00:00Z: what is under an embargo beyond it is set aside [default: such an
    /// article is taken as published when its embargo ends]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) as_of: Option<samestory::Timestamp>,
    /// What to do with a record that cannot be read: count it, name it and go on, or fail
    #[arg(long, value_name = "WHAT", default_value = "skip")]
    pub(crate) on_error: OnError,
    /// Write records that cannot be read to this file, with place and reason
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Field that holds the id [default: id]
    #[arg(long, value_name = "NAME")]
    pub(crate) id_field: Option<String>,
    /// Field that holds the text [default: text, body or content]
    #[arg(long, value_name = "NAME")]
    pub(crate) text_field: Option<String>,
    /// Field that holds the headline [default: title]
    #[arg(long, value_name = "NAME")]
    pub(crate) title_field: Option<String>,
    /// Field that holds the source [default: source]
    #[arg(long, value_name = "NAME")]
    pub(crate) source_field: Option<String>,
    /// Field that holds the time of publication [default: published]
    #[arg(long, value_name = "NAME")]
    pub(crate) published_field: Option<String>,
    /// Field that holds the address [default: url]
    #[arg(long, value_name = "NAME")]
    pub(crate) url_field: Option<String>,
    /// Field that holds the language [default: language]
    #[arg(long, value_name = "NAME")]
    pub(crate) language_field: Option<String>,
    /// Field that holds the slug [default: slug]
    #[arg(long, value_name = "NAME")]
    pub(crate) slug_field: Option<String>,
    /// Field that holds the version number [default: version]
    #[arg(long, value_name = "NAME")]
    pub(crate) version_field: Option<String>,
}

/// How a run works; the same for all commands.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Running")]
pub(crate) struct Running {
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true, value_parser = parse_threads)]
    pub(crate) threads: usize,
    /// Say nothing on stderr but errors
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Profile with the parameters of sketches and verdicts; gzip and zstd are unpacked [default: the one built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Table of word weights; gzip and zstd are unpacked [default: the English one built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<PathBuf>,
    /// Memory that articles, keys and pairs of `cluster` and `dedup` may take, as 512MiB or 2GiB: what does not fit lies in
    /// temporary files, and the answer is the same [default: half of the machine's]
    #[arg(long, value_name = "SIZE", default_value = "half", hide_default_value = true, value_parser = parse_memory)]
    pub(crate) memory: u64,
    /// Folder for temporary files, which have no name in it and go with the run [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,
}

/// How articles are compared.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Matching")]
pub(crate) struct Matching {
    /// How far to look: same text, same wording, or the same telling in other words
    #[arg(long, value_name = "LEVEL", default_value = "rewrite")]
    pub(crate) level: LevelName,
    /// How near copies are found
    #[arg(long, value_name = "SKETCH", default_value = "minhash")]
    pub(crate) near: NearName,
    #[command(flatten)]
    pub(crate) repeated: Repeated,
}

/// What becomes of versions of one article.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Matching")]
pub(crate) struct Repeated {
    /// Articles that share an id and differ in text: refuse them with an error that names both, or let the newest
    /// stand (by version, then time of publication, then hash of the text)
    #[arg(long, value_name = "WHICH", default_value = "refuse")]
    pub(crate) versions: VersionsName,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "A row of --pairs and --links reads \"a is … of b\": a, b, relation, score, correction (of an \
    update that corrects), evidence by name, and for update and template what differs: \
    {\"numbers\":{\"a\":[\"214\"],\"b\":[\"356\"]},\"names\":…,\"dates\":…}, what only a and only b has as written, \
    at most 12 of each in order of the text; in CSV a cell of JSON. With either the texts are kept too, and the pairs themselves in memory.\n\n\
    Examples:\n  samestory cluster feed.jsonl.zst -o clusters.jsonl\n  \
    zcat day*.gz | samestory cluster - -o clusters.csv --pairs pairs.jsonl\n  \
    samestory cluster texts/ -o - | jq -r 'select(.size > 1)'\n  \
    samestory cluster feed.jsonl -o clusters.jsonl --report report.html")]
pub(crate) struct Cluster {
    /// Files, folders, patterns in quotes, or - for stdin; gzip, zstd, bzip2 and xz are unpacked
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Where to write the clusters: .jsonl or .csv, also .gz or .zst; .parquet; .sqlite, with pairs and links; - for stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Write the verified pairs that match, with their evidence
    #[arg(long, value_name = "FILE")]
    pub(crate) pairs: Option<PathBuf>,
    /// Write the verified pairs that do not match: followup, same_event, template, includes
    #[arg(long, value_name = "FILE")]
    pub(crate) links: Option<PathBuf>,
    /// Write what is set aside to this file: kills with the copies they concern, what is withheld or under an embargo,
    /// captions, notes to editors
    #[arg(long, value_name = "FILE")]
    pub(crate) notices: Option<PathBuf>,
    /// Write counts, times and parameters of the run, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
    /// Write a page to look at the run in a browser: one HTML file that needs nothing else. With it the texts are held
    /// in memory
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Whether the report holds the text of articles, or headlines and what differs only
    #[arg(long, value_name = "WHAT", default_value = "full", requires = "report")]
    pub(crate) report_text: ReportTextName,
    #[command(flatten)]
    pub(crate) matching: Matching,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Lines that stay keep their bytes, line ends too; a line without an end gets one only where \
    another follows.\nA byte order mark stays at the start where the first file has one. Blank lines and lines that \
    cannot be read are left out. A table stays one where -o does not say .jsonl; of every other format, and of a text \
    file, a record becomes a JSON line. What is set aside (kills, captions) passes.\n\n\
    Examples:\n  samestory dedup feed.jsonl -o kept.jsonl --removed removed.jsonl\n  \
    samestory dedup feed.jsonl -o - --keep source:Reuters,AP > kept.jsonl")]
pub(crate) struct Dedup {
    /// Files, folders, patterns in quotes, or - for stdin; gzip, zstd, bzip2 and xz are unpacked
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Where to write the articles that stay; - for stdout; may be an input, which is replaced when all is read
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Write the articles that go, with `duplicate_of` and `relation`
    #[arg(long, value_name = "FILE")]
    pub(crate) removed: Option<PathBuf>,
    /// Write what is set aside to this file: kills with the copies they concern, what is withheld or under an embargo,
    /// captions, notes to editors
    #[arg(long, value_name = "FILE")]
    pub(crate) notices: Option<PathBuf>,
    /// Which telling of a story stays: earliest, longest, latest, or source:A,B
    #[arg(long, value_name = "WHICH", default_value = "earliest", value_parser = parse_keep)]
    pub(crate) keep: samestory::engine::Keep,
    /// Whether updates that add something stay beside what they update
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    pub(crate) updates: Updates,
    #[command(flatten)]
    pub(crate) matching: Matching,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "A line that passes keeps its bytes. Corrections and updates that add something always pass, with \
    fields at their end, also without --tag: duplicate_of (of a repeat the article it repeats, else null), story, relation, \
    score, novel, updates (the id of what they change), correction; with --tag every line passes and has them. \
    A kill and what else is set aside has notice, a kill also copies.\nstory names the story (a number that lasts), novel \
    is the share of the content, by weight of its words, that the story had not before.\nOutput is written before the index: \
    after a kill an article may come twice, and none is left out. Among articles of one id the newest stands.\n\n\
    Examples:\n  tail -f wire.jsonl | samestory filter --index seen --window 30d > new.jsonl\n  \
    samestory filter --index seen --tag < day.jsonl | jq -r 'select(.duplicate_of)'"
)]
pub(crate) struct Filter {
    /// File with a JSON object a line, or - for stdin; gzip, zstd, bzip2 and xz are unpacked
    #[arg(value_name = "INPUT", default_value = "-")]
    pub(crate) input: PathBuf,
    /// Folder of the index, made where it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) index: PathBuf,
    /// Leave repeats out [default]
    #[arg(long, conflicts_with = "tag")]
    pub(crate) drop: bool,
    /// Pass every line on, with what it is
    #[arg(long)]
    pub(crate) tag: bool,
    /// How far back articles are held against, as 30d, 12h or 2w: by time of publication, else of arrival, from the newest
    /// on [default: all]
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub(crate) window: Option<i64>,
    #[command(flatten)]
    pub(crate) keeping: Keeping,
    #[command(flatten)]
    pub(crate) near: Sketching,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// Under what an index is made.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Matching")]
pub(crate) struct Sketching {
    /// How far to look: same text, same wording, or the same telling in other words; an index has one for good [default: the
    /// index's, rewrite for a new one]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<LevelName>,
    /// How near copies are found; an index has one for good [default: the index's, minhash for a new one]
    #[arg(long, value_name = "SKETCH")]
    pub(crate) near: Option<NearName>,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "One process writes an index at a time, any number read it. The clusters of an index are those of \
    'samestory cluster' over its live articles, byte for byte.\n\nExamples:\n  \
    samestory index add seen feed.jsonl.zst\n  samestory index query seen new.jsonl | jq .hits\n  \
    samestory index expire seen --older-than 90d && samestory index compact seen\n  \
    samestory index clusters seen -o clusters.jsonl"
)]
pub(crate) struct Index {
    #[command(subcommand)]
    pub(crate) command: IndexCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// Add the articles of a feed, a thousand at a time, each thousand for good before the next
    Add(IndexAdd),
    /// Say what the index holds of the stories of other articles; nothing is written to it
    Query(IndexQuery),
    /// Remove articles by id: gone from answers at once, from the disk by `compact`
    Remove(IndexRemove),
    /// Write the clusters of all live articles, as `cluster` would
    Clusters(IndexClusters),
    /// Let old articles go: gone from answers at once, from the disk by `compact`
    Expire(IndexExpire),
    /// Write the index anew without what was removed or has expired; under another verdict (--profile), judge all of it anew
    Compact(IndexPlace),
    /// Look at every byte: what is damaged, and what can be read
    Check(IndexCheck),
    /// Count articles, stories, bytes
    Stats(IndexStats),
    /// Write the log of stories as JSON lines: join, leave, merge, split, end
    Stories(IndexStories),
}

/// Which index, and under what it was made.
#[derive(Debug, ClapArgs)]
pub(crate) struct IndexPlace {
    /// Folder of the index
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) near: Sketching,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IndexAdd {
    /// Folder of the index, made where it is missing
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Files, folders, patterns in quotes, or - for stdin; gzip, zstd, bzip2 and xz are unpacked
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) keeping: Keeping,
    #[command(flatten)]
    pub(crate) near: Sketching,
    #[command(flatten)]
    pub(crate) repeated: Repeated,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// What an index keeps of its articles.
#[derive(Debug, ClapArgs)]
pub(crate) struct Keeping {
    /// Keep sketches in place of records in an index that is made now: less than half the room, and a verdict by the rarer
    /// words alone, which misses more rewrites and is not that of `cluster`
    #[arg(long)]
    pub(crate) no_records: bool,
}

impl Keeping {
    /// The engine with what these words ask for.
    pub(crate) fn ask(&self, engine: samestory::Engine) -> samestory::Engine {
        if self.no_records { engine.with_records(samestory::sketch::Records::Thin) } else { engine }
    }
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "A line an article: {\"id\",\"hits\":[{\"id\",\"relation\",\"score\",\"story\"}]}; the article \
    asked about is `relation` of the hit. Matches first, by score."
)]
pub(crate) struct IndexQuery {
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    /// Files, folders, or - for stdin
    #[arg(value_name = "INPUT", default_value = "-")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Where to write the answers; - for stdout
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IndexRemove {
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    /// Ids
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IndexClusters {
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    /// Where to write the clusters: .jsonl or .csv, also .gz or .zst; .parquet; - for stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, ClapArgs)]
#[command(group(clap::ArgGroup::new("when").required(true).args(["older_than", "before"])))]
pub(crate) struct IndexExpire {
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    /// Age, as 30d, 12h or 2w, by time of publication, else of arrival, from now
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub(crate) older_than: Option<i64>,
    /// A moment, as 2026-03-04 or in RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) before: Option<samestory::Timestamp>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Exit code: 0 sound, 1 damaged.")]
pub(crate) struct IndexCheck {
    /// Folder of the index
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Say nothing on stderr but errors
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IndexStats {
    #[command(flatten)]
    pub(crate) place: IndexPlace,
    /// Write the counts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IndexStories {
    /// Folder of the index
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Only what came after the change of this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) after: u64,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Exit code: 0 one story, 1 not one story, 2 error, 3 undecidable.\n\nExamples:\n  \
    samestory compare a.txt b.txt\n  samestory compare 4711 4712 --feed feed.jsonl.zst --html why.html\n  \
    samestory compare a.txt b.txt --json | jq .relation")]
pub(crate) struct Compare {
    /// A file, or with --feed an id
    #[arg(value_name = "A")]
    pub(crate) first: String,
    /// A file, or with --feed an id
    #[arg(value_name = "B")]
    pub(crate) second: String,
    /// The feed that holds both ids; may be given more than once
    #[arg(long, value_name = "INPUT")]
    pub(crate) feed: Vec<PathBuf>,
    /// Write the verdict and its evidence as JSON, with all measurements and passages
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the verdict and what it rests on as one HTML page too
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) repeated: Repeated,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Gold has one JSON object a line with `id` and `cluster`, and where known `kind`. Predicted is \
    what `cluster -o` wrote.\nPairs of two articles outside gold are ignored; of one inside and one outside are \
    false.\n\nExamples:\n  samestory eval gold.jsonl clusters.jsonl\n  \
    samestory eval gold.jsonl clusters.csv --json | jq .pairs.precision"
)]
pub(crate) struct Eval {
    /// The true clusters: .jsonl or .csv
    pub(crate) gold: PathBuf,
    /// The clusters to score: .jsonl or .csv
    pub(crate) predicted: PathBuf,
    /// Write the scores as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Say nothing on stderr but errors
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "The feed is read once; the sample is drawn by hash of the text and goes through all stages. \
    Warns when the feed outgrows the profile's capacity, and when its words have outgrown the table of weights.\n\n\
    Examples:\n  samestory plan feed.jsonl.zst\n  samestory plan january.jsonl --articles 12000000 --json")]
pub(crate) struct Plan {
    /// Files, folders, patterns in quotes, or - for stdin; gzip, zstd, bzip2 and xz are unpacked
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Articles the feed will grow to in time [default: those it has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    pub(crate) articles: Option<u64>,
    /// Distinct texts in the sample, at most
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) sample: u32,
    /// Write the plan as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) matching: Matching,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "A row an article, in the order of the input: id, exact_key (articles with equal ones are exact \
    copies), fingerprint (SimHash, 64 bits), signature (MinHash, a number a slot) and keys (42 bits each): two \
    articles that share a key are a candidate pair for 'samestory compare', or a judge of your own.\n\nExamples:\n  \
    samestory sketch feed.jsonl.zst -o sketches.parquet\n  \
    samestory sketch feed.jsonl -o - --level near | jq -c '[.id, .signature]'"
)]
pub(crate) struct Sketch {
    /// Files, folders, patterns in quotes, or - for stdin; gzip, zstd, bzip2 and xz are unpacked
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Where to write the rows: .jsonl, also in .gz or .zst after it, or .parquet, or - for JSON lines on stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// What keys are made for: none, near copies and excerpts, or the same telling in other words too
    #[arg(long, value_name = "LEVEL", default_value = "rewrite", help_heading = "Matching")]
    pub(crate) level: LevelName,
    /// What keys for near copies are made of
    #[arg(long, value_name = "SKETCH", default_value = "minhash", help_heading = "Matching")]
    pub(crate) near: NearName,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

impl Sketch {
    /// The engine asked for.
    pub(crate) fn engine(&self) -> anyhow::Result<samestory::Engine> {
        Ok(self.running.engine()?.with_level(self.level.level()).with_near(self.near.near()))
    }
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "A text that comes many times is counted once.\n\nExamples:\n  \
    samestory weights feed.jsonl.zst -o mine.weights\n  \
    samestory weights de/*.jsonl -o de.weights --language de --min-count 5\n  \
    samestory cluster feed.jsonl -o clusters.jsonl --weights mine.weights")]
pub(crate) struct Weights {
    /// Files, folders, patterns in quotes, or - for stdin; gzip, zstd, bzip2 and xz are unpacked
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Where to write the table, packed where the name ends in .gz or .zst
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Language of the feed (BCP 47); articles in others are not counted
    #[arg(long, value_name = "TAG", default_value = "en", value_parser = parse_language)]
    pub(crate) language: String,
    /// Leave out words that stand in fewer articles
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) min_count: u32,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Say nothing on stderr but errors
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "A line of PAIRS: id, id, `same` or `different`, separated by tabs; a fourth column is a note, a \
    fifth how much the pair counts (default 1).\n\nExamples:\n  \
    samestory calibrate labels.tsv feed.jsonl -o mine.toml --precision 0.99\n  \
    samestory cluster feed.jsonl -o clusters.jsonl --profile mine.toml"
)]
pub(crate) struct Calibrate {
    /// Labelled pairs, one a line
    pub(crate) pairs: PathBuf,
    /// Files or folders with the articles the pairs name
    #[arg(required = true, value_name = "ARTICLES")]
    pub(crate) articles: Vec<PathBuf>,
    /// Where to write the profile, packed where the name ends in .gz or .zst
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Parts the labels are cut into, by groups of pairs that share articles: each part is tested by a model of the others
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(crate) folds: u32,
    /// Set the threshold to the smallest percent whose cross-validated precision is at least this, between 0 and 1
    /// [default: the profile's threshold stays]
    #[arg(long, value_name = "P", value_parser = parse_share)]
    pub(crate) precision: Option<f64>,
    /// Share of true pairs among the candidates of your feed, between 0 and 1 [default: that of the labels, by weight]
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub(crate) prevalence: Option<f64>,
    /// Candidate pairs an article, for the number of wrongful removals: `candidates` over `articles` in what `cluster
    /// --stats` writes
    #[arg(long, value_name = "N", default_value_t = CANDIDATES_PER_ARTICLE, value_parser = parse_positive)]
    pub(crate) candidates_per_article: f64,
    /// Leave these measurements, and products with them, out of the fit: names as under `evidence` in what `cluster
    /// --pairs` writes; for a feed without headlines title_cover, without times told_anew
    #[arg(long, value_name = "MEASUREMENT", value_delimiter = ',', value_parser = measurement_parser())]
    #[arg(hide_possible_values = true)]
    pub(crate) without: Vec<Measurement>,
    /// What the profile says of how it was made [default: the command, with the precision asked for]
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) repeated: Repeated,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    samestory completions bash > ~/.local/share/bash-completion/completions/samestory\n  \
    samestory completions zsh > ~/.zfunc/_samestory\n  \
    samestory completions fish > ~/.config/fish/completions/samestory.fish")]
pub(crate) struct Completions {
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  samestory man | man -l -\n  samestory man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Folder to write the pages of all commands to, made where it is missing [default: the main page to stdout]
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "A pair is a member of a cluster and its representative. Pairs are drawn by relation and score (under \
    0.90, to 0.99, from 0.99): two of each kind, then in proportion to the root of its size; within a kind by a hash of \
    the ids and --seed, so that one set of clusters gives one sample, and a smaller one is the beginning of a larger.\n\
    Without --answers or --list each pair is shown on stderr and asked for: y one story in one telling, n not, s skip, q \
    stop, a line each on stdin. What is in -o already is not asked again.\nA line of --answers: id, id and y, n or s, \
    separated by tabs, the pair as in --list. The estimate is written to stdout, with its 95 % interval (Wilson's, for \
    the size of the sample by weight).\n\n\
    Examples:\n  samestory audit clusters.jsonl feed.jsonl -o labels.tsv\n  \
    samestory audit clusters.jsonl feed.jsonl --list pairs.jsonl --pairs 200\n  \
    samestory audit clusters.jsonl feed.jsonl --answers answers.tsv -o labels.tsv --pairs 200"
)]
#[command(group(clap::ArgGroup::new("where").required(true).multiple(true).args(["output", "list"])))]
pub(crate) struct Audit {
    /// What `cluster -o` wrote, JSON lines or CSV
    pub(crate) clusters: PathBuf,
    /// Files or folders with the articles that were clustered
    #[arg(required = true, value_name = "ARTICLES")]
    pub(crate) articles: Vec<PathBuf>,
    /// Where to write the labels, for `calibrate`; where it holds labels of this sample already, they stay
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How many pairs to draw
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pairs: u32,
    /// Number that picks the sample
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Take the answers from this file and ask nothing; they stand over those in -o
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Write the drawn pairs with their texts as JSON lines and ask nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "answers"])]
    pub(crate) list: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) repeated: Repeated,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Say nothing on stderr but errors and questions
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReportTextName {
    Full,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnError {
    Skip,
    Fail,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LevelName {
    Exact,
    Near,
    Rewrite,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum NearName {
    Minhash,
    Simhash,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum VersionsName {
    Refuse,
    Newest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Updates {
    Keep,
    Drop,
}

impl LevelName {
    fn level(self) -> samestory::verify::Level {
        use samestory::verify::Level;
        match self {
            Self::Exact => Level::Exact,
            Self::Near => Level::Near,
            Self::Rewrite => Level::Rewrite,
        }
    }
}

impl NearName {
    fn near(self) -> samestory::engine::NearSketch {
        use samestory::engine::NearSketch;
        match self {
            Self::Minhash => NearSketch::MinHash,
            Self::Simhash => NearSketch::SimHash,
        }
    }
}

impl VersionsName {
    pub(crate) fn versions(self) -> samestory::engine::Versions {
        use samestory::engine::Versions;
        match self {
            Self::Refuse => Versions::Refuse,
            Self::Newest => Versions::Newest,
        }
    }
}

impl IndexPlace {
    /// The engine that the index is opened with.
    pub(crate) fn engine(&self) -> anyhow::Result<samestory::Engine> {
        self.near.engine(&self.running, &self.folder)
    }
}

impl Sketching {
    /// The engine these words ask for, and the index of a folder, where there is one; of versions the newest stands.
    pub(crate) fn engine(&self, running: &Running, folder: &std::path::Path) -> anyhow::Result<samestory::Engine> {
        let (level, near) = samestory::Index::made_for(folder).unwrap_or_default();
        let engine = running.engine()?.with_versions(samestory::engine::Versions::Newest);
        let engine = engine.with_level(self.level.map_or(level, LevelName::level));
        Ok(engine.with_near(self.near.map_or(near, NearName::near)))
    }
}

impl Matching {
    /// The engine these words ask for.
    pub(crate) fn engine(&self, running: &Running) -> anyhow::Result<samestory::Engine> {
        let engine = running.engine()?.with_level(self.level.level()).with_near(self.near.near());
        Ok(engine.with_versions(self.repeated.versions.versions()))
    }

    /// Says which records were compared by wording only, where more was asked for than equal texts.
    pub(crate) fn note_languages(&self, stats: &samestory::engine::Stats) {
        let note = crate::message::without_weights(&stats.unweighted_languages);
        if let (Some(note), LevelName::Near | LevelName::Rewrite) = (note, self.level) {
            crate::message::line(&format!("  {note}"));
        }
    }
}

impl Running {
    /// The files these words name.
    pub(crate) fn files(&self) -> impl Iterator<Item = &std::path::Path> {
        self.profile.iter().chain(&self.weights).map(PathBuf::as_path)
    }

    /// An engine under the profile these words ask for.
    pub(crate) fn engine(&self) -> anyhow::Result<samestory::Engine> {
        let engine = samestory::Engine::new(self.load_profile()?).with_threads(self.threads).with_memory(self.memory);
        let Some(folder) = &self.temp_dir else {
            return Ok(engine);
        };
        if !folder.is_dir() {
            let reason = format!("--temp-dir {}: no such folder", folder.display());
            return Err(crate::message::Usage(reason).into());
        }
        Ok(engine.with_temp_folder(folder))
    }

    /// The profile these words ask for.
    pub(crate) fn load_profile(&self) -> anyhow::Result<samestory::Profile> {
        let mut profile = samestory::Profile::default();
        if let Some(path) = &self.profile {
            let text = String::from_utf8(read_file(path, MAX_PARAMETERS_LEN)?).map_err(|_| {
                let reason = std::io::Error::new(std::io::ErrorKind::InvalidData, "not UTF-8");
                samestory::Error::io(path, "read", reason)
            })?;
            profile = samestory::Profile::from_toml(&path.display().to_string(), &text)?;
        }
        if let Some(path) = &self.weights {
            let bytes = read_file(path, MAX_PARAMETERS_LEN)?;
            let table = samestory::profile::Weights::from_bytes(&path.display().to_string(), &bytes)?;
            profile = profile.with_weights(table);
        }
        Ok(profile)
    }
}

impl Reading {
    /// The options that name a field, in the order of [`samestory::input::FieldNames`], with the names they give.
    pub(crate) fn given_fields(&self) -> [(&'static str, Option<&str>); 9] {
        [
            ("--id-field", &self.id_field),
            ("--text-field", &self.text_field),
            ("--title-field", &self.title_field),
            ("--source-field", &self.source_field),
            ("--published-field", &self.published_field),
            ("--url-field", &self.url_field),
            ("--language-field", &self.language_field),
            ("--slug-field", &self.slug_field),
            ("--version-field", &self.version_field),
        ]
        .map(|(option, name)| (option, name.as_deref()))
    }

    /// The names of the fields that make an article.
    pub(crate) fn field_names(&self) -> samestory::input::FieldNames {
        let mut names = samestory::input::FieldNames::default();
        let lists = [
            &mut names.id,
            &mut names.text,
            &mut names.title,
            &mut names.source,
            &mut names.published,
            &mut names.url,
            &mut names.language,
            &mut names.slug,
            &mut names.version,
        ];
        for ((_, given), list) in self.given_fields().into_iter().zip(lists) {
            if let Some(name) = given {
                *list = vec![name.to_string()];
            }
        }
        names
    }

    /// The blocks of inputs, read as these words say.
    pub(crate) fn blocks(&self, inputs: &[PathBuf]) -> samestory::Result<Blocks> {
        self.blocks_as(inputs, self.format)
    }

    /// The blocks of inputs of a format.
    pub(crate) fn blocks_as(&self, inputs: &[PathBuf], format: Option<Format>) -> samestory::Result<Blocks> {
        Ok(Blocks::open(inputs, format)?.with_options(self.options()))
    }

    /// How inputs are read, beside their format.
    pub(crate) fn options(&self) -> Options {
        let Self { max_record, max_ratio, delimiter, as_of, .. } = *self;
        Options { max_record, max_ratio, delimiter, as_of }
    }
}
