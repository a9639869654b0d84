//! `fixtures/bad`: what is read of damaged inputs, what is named and why; and damage that chance does.

use crate::support::{Folder, fixture};
use proptest::prelude::*;
use samestory::input::{Blocks, FieldNames, Options};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What was read of a file.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    /// Ids of articles, and after them of what was set aside, with why.
    ids: Vec<String>,
    /// Number, offset and reason of what could not be read.
    rejects: Vec<(u64, u64, String)>,
    num_repaired: u64,
    num_bad_times: u64,
    /// Ids with their texts.
    texts: Vec<(String, String)>,
}

fn read(path: &Path, options: Options) -> Outcome {
    let mut outcome = Outcome::default();
    let mut aside = Vec::new();
    for block in Blocks::open(&[path.to_path_buf()], None).expect("it is there").with_options(options) {
        let parsed = match block {
            Ok(block) => block.parse(&FieldNames::default()),
            Err(error) => {
                outcome.rejects.push((0, 0, error.to_string().replace(&path.display().to_string(), "FILE")));
                break;
            }
        };
        for article in parsed.articles {
            let id = article.id.to_string().replace(&path.display().to_string(), "FILE");
            outcome.ids.push(id.clone());
            outcome.texts.push((id, article.text));
        }
        aside.extend(parsed.notices.iter().map(|notice| format!("{}({})", notice.id, notice.aside)));
        outcome.rejects.extend(parsed.rejects.into_iter().map(|reject| (reject.line, reject.offset, reject.reason)));
        outcome.num_repaired += parsed.num_repaired;
        outcome.num_bad_times += parsed.num_bad_times;
    }
    outcome.ids.extend(aside);
    outcome
}

/// The files of the corpus, in order.
fn corpus() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture("bad")).expect("the corpus is in the tree");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.file_name().is_some_and(|name| name != "expected.txt"));
    files.sort();
    files
}

fn describe(path: &Path) -> String {
    let outcome = read(path, Options::default());
    let name = path.file_name().expect("a file has a name").to_string_lossy();
    let mut text = format!("{name}\n  read: {}\n", outcome.ids.join(" "));
    if outcome.num_repaired > 0 {
        text.push_str(&format!("  mended: {}\n", outcome.num_repaired));
    }
    if outcome.num_bad_times > 0 {
        text.push_str(&format!("  times: {}\n", outcome.num_bad_times));
    }
    for (number, offset, reason) in outcome.rejects {
        text.push_str(&format!("  {number} at byte {offset}: {}\n", reason.replace('\n', " ")));
    }
    text
}

fn expected() -> String {
    std::fs::read_to_string(fixture("bad/expected.txt")).expect("what is expected is in the tree")
}

#[test]
fn every_file_is_read_as_far_as_it_goes() {
    let files = corpus();
    assert!(files.len() >= 80, "{}", files.len());
    let expected = expected();
    let mut known: Vec<&str> = expected.split_inclusive("\n\n").map(str::trim_end).collect();
    known.retain(|text| !text.is_empty());
    let html = cfg!(feature = "html");
    for (file, known) in files.iter().zip(&known) {
        // What is read of a page depends on how this was built.
        if !(html && known.contains("feature html")) {
            assert_eq!(describe(file).trim_end(), *known);
        }
    }
    assert_eq!(known.len(), files.len());
}

#[test]
#[ignore = "writes what the corpus is expected to come to, to be reviewed"]
fn write() {
    let text: Vec<String> = corpus().iter().map(|file| describe(file)).collect();
    std::fs::write(fixture("bad/expected.txt"), text.join("\n")).expect("the tree can be written");
}

#[test]
fn the_whole_corpus_is_one_feed() {
    let folder = Folder::new();
    let of = |words: &str| format!("{words} {} --versions newest", fixture("bad").display());
    let ran = folder.done(&of("cluster -o out.jsonl --rejects rejects.jsonl"));
    assert!(!ran.stderr.contains("panicked"), "{ran}");
    assert!(folder.read("rejects.jsonl").lines().count() > 60);
    let ran = folder.done(&of("dedup -o out.jsonl --removed removed.jsonl"));
    assert!(!ran.stderr.contains("panicked"), "{ran}");
    let ran = folder.run(&of("cluster -o out.jsonl --on-error fail"));
    assert_eq!(ran.code, 1, "{ran}");
}

/// The bytes of the sound fixtures, by name.
fn sound() -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(fixture("formats-in")).expect("the fixtures are in the tree");
    let mut all: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("a fixture can be read"))
        })
        .collect();
    all.sort();
    all
}

/// Formats whose records stand one behind the other, so that what precedes damage is untouched: not a file that is read
/// by its footer, nor one that is one record.
fn is_in_order(name: &str) -> bool {
    !["parquet", "txt", "html", "gz"].iter().any(|end| name.ends_with(end))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn chance_does_no_more_harm_than_it_must(
        which in 0..1000_usize, at in 0.0..1.0_f64, flip in 1..=255_u8, is_cut in any::<bool>(),
    ) {
        let all = sound();
        let (name, bytes) = &all[which % all.len()];
        let at = ((bytes.len() - 1) as f64 * at) as usize;
        let mut damaged = bytes.clone();
        if is_cut { damaged.truncate(at) } else { damaged[at] ^= flip }
        let folder = Folder::new().write(name, &damaged);
        let outcome = read(&folder.path(name), Options::default());
        if is_in_order(name) {
            // The records that end before the damage, by how many the beginning of the sound file holds.
            let before = Folder::new().write(name, bytes);
            let whole = read(&before.path(name), Options::default()).texts;
            // The end of a line belongs to it: without it two lines are one.
            let is_by_line = ["jsonl", "csv", "tsv"].iter().any(|end| name.ends_with(end));
            let line_end = || bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let prefix = Folder::new().write(name, &bytes[..if is_by_line { line_end() } else { at }]);
            let intact = read(&prefix.path(name), Options::default()).texts;
            // Of a file cut in a record's line its last may be one that is cut.
            let intact = intact.into_iter().filter(|article| whole.contains(article));
            for article in intact {
                // Damage to what stands before all of them, a head or a column's name, may touch them all.
                let is_there = outcome.texts.contains(&article) || at < head_len(name, bytes);
                prop_assert!(is_there, "{name} at {at}: {} is lost: {outcome:?}", article.0);
            }
        }
    }
}

/// Bytes that stand before the first record and say how all are read.
fn head_len(name: &str, bytes: &[u8]) -> usize {
    match name.rsplit('.').next() {
        Some("arrow" | "arrows") => 700,
        Some("csv" | "tsv") => bytes.iter().position(|byte| *byte == b'\n').expect("a table has a header"),
        _ => 0,
    }
}

#[test]
fn bombs_do_not_go_off() {
    // A hundred megabytes of zeros in a hundred kilobytes, as JSON lines and as an item of a feed.
    let zeros = vec![b'0'; 100 << 20];
    for (name, head) in [
        ("bomb.jsonl", &b"{\"id\":\"a\",\"text\":\"Rain\"}\n{\"id\":\"b\",\"text\":\""[..]),
        ("bomb.rss", b"<rss><item><guid>a</guid><title>Rain</title></item><item>"),
    ] {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(head).expect("writing to memory");
        packed.write_all(&zeros).expect("writing to memory");
        let name = format!("{name}.gz");
        let folder = Folder::new().write(&name, packed.finish().expect("writing to memory"));
        let outcome = read(&folder.path(&name), Options { max_ratio: 50, ..Options::default() });
        assert_eq!(outcome.ids, ["a"], "{name}");
        let reasons: Vec<&str> = outcome.rejects.iter().map(|(_, _, reason)| reason.as_str()).collect();
        assert!(reasons.iter().any(|reason| reason.contains("unpacks to more than 50 times its size")), "{reasons:?}");
        // Without the bound it is a record that is too long.
        let outcome = read(&folder.path(&name), Options { max_ratio: u64::MAX, ..Options::default() });
        assert!(outcome.rejects.iter().any(|(_, _, reason)| reason.contains("longer than 64 MiB")), "{name}");
        assert_eq!(outcome.ids, ["a"], "{name}");
    }
}

#[test]
fn a_record_of_a_gibibyte_is_passed_over_in_every_format() {
    // Two kinds of framing; the file is sparse, so that it takes no room. Lines are tested with 64 MiB of their own.
    for (name, head, tail) in [
        ("long.jsonl", "{\"id\":\"a\"}\n{\"id\":\"b\",\"text\":\"", "\"}\n{\"id\":\"c\"}\n"),
        ("long.json", "[{\"id\":\"a\"},{\"id\":\"b\",\"text\":\"", "\"},{\"id\":\"c\"}]"),
        ("long.csv", "id,text\na,Rain\nb,\"", "\"\nc,Sun\n"),
        (
            "long.rss",
            "<rss><item><guid>a</guid></item><item><guid>b</guid>",
            "</item><item><guid>c</guid></item></rss>",
        ),
    ] {
        let folder = Folder::new();
        let path = folder.path(name);
        let mut file = std::fs::File::create(&path).expect("a file can be made");
        file.write_all(head.as_bytes()).expect("it can be written");
        let gap = if name == "long.jsonl" { 1 << 30 } else { 200 << 20 };
        file.set_len(head.len() as u64 + gap).expect("it can be made longer");
        let mut file = std::fs::File::options().append(true).open(&path).expect("it is there");
        file.write_all(tail.as_bytes()).expect("it can be written");
        drop(file);
        let outcome = read(&path, Options { max_record: 1 << 20, ..Options::default() });
        assert_eq!(outcome.ids, ["a", "c"], "{name}: {:?}", outcome.rejects);
        let reasons: Vec<&str> = outcome.rejects.iter().map(|(_, _, reason)| reason.as_str()).collect();
        assert!(reasons[0].ends_with("longer than 1 MiB"), "{name}: {reasons:?}");
    }
}
