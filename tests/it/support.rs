//! What the modules share: the binary in a temporary folder, and the articles of `fixtures/`.

use assert_cmd::Command;
use serde_json::Value;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file under `fixtures/`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The lines of `fixtures/feed.jsonl`, in order.
pub(crate) fn feed_lines() -> Vec<String> {
    let text = std::fs::read_to_string(fixture("feed.jsonl")).expect("the fixture is in the tree");
    text.lines().map(str::to_string).collect()
}

/// The lines of `fixtures/feed.jsonl` with these ids, in this order.
pub(crate) fn feed_lines_of(ids: &[&str]) -> Vec<String> {
    let lines = feed_lines();
    ids.iter()
        .map(|id| {
            let head = format!("{{\"id\": \"{id}\",");
            lines.iter().find(|line| line.starts_with(&head)).cloned().expect("the id is in the fixture")
        })
        .collect()
}

/// The text of one article of `fixtures/feed.jsonl`.
pub(crate) fn text_of(id: &str) -> String {
    let line = feed_lines_of(&[id]).remove(0);
    json(&line)["text"].as_str().expect("every fixture has a text").to_string()
}

/// A line of a feed.
pub(crate) fn line(id: &str, text: &str) -> String {
    serde_json::json!({ "id": id, "text": text }).to_string()
}

/// Articles in languages without weights, as a feed states them or not: two in German, one in Japanese, one in a language without a name here.
pub(crate) fn foreign_lines() -> Vec<String> {
    let german = "Der Fährbetrieb zwischen den Inseln wurde am Montag eingestellt, nachdem ein Schiff vor der Küste auf \
                  Grund gelaufen war. Niemand wurde verletzt, sagte ein Sprecher der Küstenwache.";
    let japanese = "東京で四日、道路が二本通行止めになった。県の担当者は「復旧の見通しは立たない」と述べた。";
    let stated = serde_json::json!({"id": "de-2", "text": "Die Fähre fährt wieder.", "language": "de-AT"});
    let other = serde_json::json!({"id": "tlh", "text": "nuqneH tlhIngan maH", "language": "tlh"});
    vec![line("de-1", german), stated.to_string(), line("ja", japanese), other.to_string()]
}

/// One JSON value.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The rows of a JSON lines output.
pub(crate) fn rows(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

/// The text under `field` of a row.
pub(crate) fn field<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_else(|| panic!("no text under {field} in {row}"))
}

/// The values of `field` over the rows.
pub(crate) fn column<'a>(rows: &'a [Value], name: &str) -> Vec<&'a str> {
    rows.iter().map(|row| field(row, name)).collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("writing to memory")
}

/// What gzip, zstd or plain bytes hold.
pub(crate) fn unpack(path: &Path) -> String {
    let mut text = String::new();
    let mut reader = samestory::input::open(path).expect("the file is there");
    std::io::Read::read_to_string(&mut reader, &mut text).expect("the file is whole");
    text
}

/// Items in an order that a seed fixes.
pub(crate) fn shuffled<T>(mut items: Vec<T>, seed: u64) -> Vec<T> {
    for i in (1..items.len()).rev() {
        let at = samestory::hash::derived_seed(seed, i as u64) % (i as u64 + 1);
        items.swap(i, at as usize);
    }
    items
}

/// A temporary folder in which the binary runs, so that messages hold relative paths.
#[derive(Debug)]
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A folder with one feed, `feed.jsonl`, of these lines.
    pub(crate) fn with_feed(lines: &[impl AsRef<str>]) -> Self {
        let folder = Self::new();
        let text: String = lines.iter().flat_map(|line| [line.as_ref(), "\n"]).collect();
        folder.write("feed.jsonl", text)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder can be made");
        std::fs::write(path, bytes).expect("a file can be written");
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        unpack(&self.path(name))
    }

    /// The names in the folder, in order, hidden ones too.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("the folder is there");
        let mut names: Vec<String> =
            entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Runs `samestory` with these arguments, cut at spaces.
    pub(crate) fn run(&self, args: &str) -> Ran {
        self.run_on(args, b"")
    }

    /// Runs `samestory` with bytes on its stdin.
    pub(crate) fn run_on(&self, args: &str, stdin: &[u8]) -> Ran {
        Self::ran(self.command().args(args.split_whitespace()).write_stdin(stdin))
    }

    /// Runs `samestory` with these arguments, spaces and all.
    pub(crate) fn run_args(&self, args: &[&str]) -> Ran {
        Self::ran(self.command().args(args))
    }

    /// Runs `samestory` with these variables in its environment.
    pub(crate) fn run_with(&self, args: &str, variables: &[(&str, &str)]) -> Ran {
        Self::ran(self.command().args(args.split_whitespace()).envs(variables.iter().copied()))
    }

    /// The binary in this folder, without what the environment says of terminals.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_samestory"));
        command.current_dir(self.0.path());
        for variable in ["COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
            command.env_remove(variable);
        }
        command
    }

    fn ran(command: &mut Command) -> Ran {
        let output = command.output().expect("the binary starts");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs `samestory`, which must succeed.
    pub(crate) fn done(&self, args: &str) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{ran}");
        ran
    }
}

/// What a run came to. As text: the form that snapshots keep, without times and without the look-alikes, whose names change with the verdict.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit {}", self.code)?;
        writeln!(f, "---- stdout\n{}", self.stdout)?;
        writeln!(f, "---- stderr")?;
        for line in self.stderr.lines() {
            match (line.split_once(" articles/s; "), line.split_once("kept apart: ")) {
                (Some((_, rest)), _) => writeln!(f, "  [time] articles/s; {rest}")?,
                (_, Some((head, _))) => writeln!(f, "{head}kept apart: [varies]")?,
                _ => writeln!(f, "{line}")?,
            }
        }
        Ok(())
    }
}

/// A feed in which every relation stands that a member or a link can have: a family of `fixtures/`, a copy in capitals
/// with a dateline, a roundup, a text too short to compare, and one alone.
pub(crate) fn family() -> Vec<String> {
    let of = |name: &str| format!("korea-exports/{name}");
    let mut ids: Vec<String> = ["base", "light", "version", "brief", "heavy", "template", "reuse"].map(of).to_vec();
    ids.extend(["bogota-rate-decision/base", "bogota-rate-decision/roundup"].map(str::to_string));
    let mut lines = feed_lines_of(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    lines.push(line("copy", &format!("SEOUL (Kestrel) - {}", body_of(&text_of("korea-exports/base")).to_uppercase())));
    lines.push(line("short", "Qtly div 12 cts"));
    lines.push(line("empty", ""));
    lines
}

/// A text without its dateline.
fn body_of(text: &str) -> String {
    let body = samestory::text::find_body(text).range;
    text[body].to_string()
}

/// An output with its scores as a mask where they are neither 0 nor 1: they change with every new fit of the verdict.
pub(crate) fn without_scores(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("0.") {
        let digits = rest[at + 2..].bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(&rest[..at]);
        let number = &rest[at..at + 2 + digits];
        out.push_str(if digits == 4 && number != "0.0000" { "0.####" } else { number });
        rest = &rest[at + 2 + digits..];
    }
    out + rest
}
