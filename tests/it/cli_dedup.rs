//! `samestory dedup`: what stays, what goes, and the bytes of both.

use crate::support::{Folder, column, family, feed_lines, field, fixture, gzip, line, rows, text_of};
use serde_json::{Value, json};

const STORY: &str = "ferry-grounding/base";

fn article(id: &str, text: &str, more: Value) -> String {
    let mut value = json!({"id": id, "text": text});
    for (name, field) in more.as_object().expect("an object") {
        value[name.as_str()] = field.clone();
    }
    value.to_string()
}

/// The ids that stay, in order.
fn kept(folder: &Folder, options: &str) -> Vec<String> {
    let ran = folder.done(&format!("dedup feed.jsonl -o - --quiet {options}"));
    rows(&ran.stdout).iter().map(|row| row["id"].as_str().expect("an id").to_string()).collect()
}

#[test]
fn kept_lines_keep_their_bytes_and_order() {
    let folder = Folder::new();
    let input = fixture("feed.jsonl");
    folder.done(&format!("dedup {} -o kept.jsonl --removed removed.jsonl --quiet", input.display()));
    let (kept, removed) = (folder.read("kept.jsonl"), folder.read("removed.jsonl"));
    let lines = feed_lines();
    // Walking through the input, every line is the next kept one or the next removed one with two more fields.
    let (mut kept_lines, mut removed_lines) = (kept.lines().peekable(), removed.lines().peekable());
    for line in &lines {
        if kept_lines.next_if_eq(&line.as_str()).is_none() {
            let removed = removed_lines.next().expect("a line that is not kept is removed");
            let head = line.strip_suffix('}').unwrap();
            assert!(removed.starts_with(&format!("{head},\"duplicate_of\":\"")), "{removed}");
        }
    }
    assert_eq!((kept_lines.next(), removed_lines.next()), (None, None));
    assert!(removed.lines().count() > 100);

    let kept_rows = rows(&kept);
    let kept_ids = column(&kept_rows, "id");
    for row in rows(&removed) {
        assert!(kept_ids.contains(&field(&row, "duplicate_of")), "{} goes with one that went", row["id"]);
        assert!(["exact", "near", "update", "excerpt", "rewrite"].contains(&field(&row, "relation")));
    }
}

#[test]
fn odd_bytes_pass_untouched() {
    let story = text_of(STORY);
    let spaced =
        format!(" {{ \"text\" : {} ,\"id\":\"a\", \"extra\":[1.50, 1e3 ,\"\\u00e9\\/\"] }}  ", Value::from(story));
    let mut bytes = spaced.clone().into_bytes();
    bytes.extend_from_slice(b"\n\n");
    let damaged = [&b"{\"id\":\"b\",\"text\":\"Caf\xe9 closed\0 early\",\"x\":\"\\ud800\"}"[..], b"\n"].concat();
    bytes.extend_from_slice(&damaged);
    bytes.extend_from_slice(b"{\"id\":\"c\"}");
    let folder = Folder::new().write("feed.jsonl", &bytes);
    folder.done("dedup feed.jsonl -o kept.jsonl --quiet");
    let expected = [spaced.as_bytes(), b"\n", &damaged, b"{\"id\":\"c\"}"].concat();
    assert_eq!(std::fs::read(folder.path("kept.jsonl")).unwrap(), expected);
}

/// What stays of these files, byte for byte.
fn kept_of(files: &[&str]) -> String {
    let mut folder = Folder::new();
    let mut inputs = String::new();
    for (i, file) in files.iter().enumerate() {
        folder = folder.write(&format!("{i}.jsonl"), file);
        inputs.push_str(&format!(" {i}.jsonl"));
    }
    folder.done(&format!("dedup{inputs} -o - --quiet")).stdout
}

#[test]
fn line_ends_stay_as_they_were() {
    let [a, b, c] = ["a", "b", "c"].map(|id| line(id, ""));
    for feed in [
        format!("{a}\r\n{b}\r\n"),
        format!("{a}\r\n{b}"),
        format!("{a}\n{b}\r\n{c}\n"),
        format!("{a}\n{b}\r"),
        format!("\u{feff}{a}\r\n{b}\n"),
        format!("\u{feff}{a}"),
    ] {
        assert_eq!(kept_of(&[&feed]), feed, "{feed:?}");
    }
    // Between two files there is an end, that of the lines before.
    assert_eq!(kept_of(&[&a, &b]), format!("{a}\n{b}"));
    assert_eq!(kept_of(&[&format!("{a}\r\n{b}"), &c]), format!("{a}\r\n{b}\r\n{c}"));
    // A line without an end that does not stay leaves the end of the one before it.
    assert_eq!(kept_of(&[&format!("{a}\r\n{b}\r\n{a}")]), format!("{a}\r\n{b}\r\n"));
    // What lies between the lines goes.
    assert_eq!(kept_of(&[&format!("\r\n{a}\r\n \r\n{{\r\n{b}\n\n")]), format!("{a}\r\n{b}\n"));
}

#[test]
fn a_byte_order_mark_stays_at_the_start_only() {
    let [a, b] = ["a", "b"].map(|id| line(id, ""));
    let marked = |line: &str| format!("\u{feff}{line}\n");
    assert_eq!(kept_of(&[&marked(&a), &marked(&b)]), format!("\u{feff}{a}\n{b}\n"));
    assert_eq!(kept_of(&[&a, &marked(&b)]), format!("{a}\n{b}\n"));
    // It is the file's, not the line's.
    assert_eq!(kept_of(&[&marked(&format!("{{\n{a}"))]), marked(&a));
    // Removed lines have no start to mark.
    let folder = Folder::new().write("feed.jsonl", format!("\u{feff}{a}\r\n{b}\r\n{a}"));
    folder.done("dedup feed.jsonl -o kept.jsonl --removed removed.jsonl --quiet");
    let head = a.strip_suffix('}').unwrap();
    assert_eq!(folder.read("removed.jsonl"), format!("{head},\"duplicate_of\":\"a\",\"relation\":\"exact\"}}\n"));
}

#[test]
fn a_removed_line_says_why() {
    let lines = family();
    let folder = Folder::with_feed(&lines);
    let ran = folder.done("dedup feed.jsonl -o kept.jsonl --removed removed.jsonl");
    let removed = folder.read("removed.jsonl");
    let said: String = rows(&removed)
        .iter()
        .map(|r| format!("{} {} {}\n", field(r, "id"), field(r, "relation"), field(r, "duplicate_of")))
        .collect();
    insta::assert_snapshot!(format!("{ran}---- removed\n{said}"));
}

#[test]
fn a_line_that_comes_twice_goes_once() {
    let lines = [line("a", &text_of(STORY)), line("b", "Rain."), line("a", &text_of(STORY))];
    let folder = Folder::with_feed(&lines);
    folder.done("dedup feed.jsonl -o kept.jsonl --removed removed.jsonl --quiet");
    assert_eq!(folder.read("kept.jsonl"), format!("{}\n{}\n", lines[0], lines[1]));
    let removed = folder.read("removed.jsonl");
    assert!(removed.ends_with(",\"duplicate_of\":\"a\",\"relation\":\"exact\"}\n"), "{removed}");
}

#[test]
fn policies_choose_the_telling() {
    let base = text_of(STORY);
    // A sentence without figures or names at the end: longer, and no update.
    let long = format!("{base}\n\nNobody on the quay could remember such a crossing, and few slept that night.");
    let lines = [
        article("b", &base, json!({"published": "2026-03-02", "source": "Beta"})),
        article("c", &long, json!({"published": "2026-03-03", "source": "Gamma"})),
        article("a", &base, json!({"published": "2026-03-04", "source": "Alpha"})),
        article("d", &base, json!({"source": "Delta"})),
    ];
    let folder = Folder::with_feed(&lines);
    assert_eq!(kept(&folder, ""), ["b"]);
    assert_eq!(kept(&folder, "--keep earliest"), ["b"]);
    assert_eq!(kept(&folder, "--keep latest"), ["a"]);
    assert_eq!(kept(&folder, "--keep longest"), ["c"]);
    assert_eq!(kept(&folder, "--keep source:Nobody,Delta,Alpha"), ["d"]);
    assert_eq!(kept(&folder, "--keep source:Gamma"), ["c"]);
    assert_eq!(kept(&folder, "--keep source:Nobody"), ["b"]);
    // Without times the smallest id stays, wherever it stands.
    let untimed: Vec<String> = ["z", "m", "y"].iter().map(|id| line(id, &base)).collect();
    assert_eq!(kept(&Folder::with_feed(&untimed), ""), ["m"]);
}

#[test]
fn an_excerpt_never_stands_for_its_source() {
    let base = text_of("korea-exports/base");
    let lines = [
        article("brief", &text_of("korea-exports/brief"), json!({"published": "2026-01-01", "source": "Alpha"})),
        article("full", &base, json!({"published": "2026-01-02", "source": "Beta"})),
    ];
    let folder = Folder::with_feed(&lines);
    for options in ["", "--keep source:Alpha", "--keep longest", "--keep latest"] {
        assert_eq!(kept(&folder, options), ["full"], "{options}");
    }
}

#[test]
fn updates_stay_unless_they_are_dropped() {
    let base = text_of("kourou-launch/base");
    let version = text_of("kourou-launch/version");
    let lines = [
        article("first", &base, json!({"published": "2026-05-01T10:00:00Z"})),
        article("update", &version, json!({"published": "2026-05-01T11:00:00Z"})),
        article("again", &version, json!({"published": "2026-05-01T12:00:00Z"})),
    ];
    let folder = Folder::with_feed(&lines);
    assert_eq!(kept(&folder, ""), ["first", "update"]);
    let said = folder.done("dedup feed.jsonl -o kept.jsonl").stderr;
    let beside =
        "  of these 1 update that adds something stays beside what is updated; --updates drop leaves them out\n";
    assert_eq!(said, format!("2 articles kept, 1 removed\n{beside}"));
    let said = folder.done("dedup feed.jsonl -o kept.jsonl --updates drop").stderr;
    assert_eq!(said, "1 article kept, 2 removed\n");
    assert_eq!(kept(&folder, "--updates keep"), ["first", "update"]);
    assert_eq!(kept(&folder, "--updates drop"), ["first"]);
    folder.done("dedup feed.jsonl -o kept.jsonl --removed removed.jsonl --quiet --updates drop");
    let removed = folder.read("removed.jsonl");
    assert_eq!(column(&rows(&removed), "relation"), ["update", "update"]);
    folder.done("dedup feed.jsonl -o kept.jsonl --removed removed.jsonl --quiet");
    let removed = folder.read("removed.jsonl");
    assert_eq!(column(&rows(&removed), "duplicate_of"), ["update"]);
    assert_eq!(column(&rows(&removed), "relation"), ["exact"]);
}

#[test]
fn texts_become_lines() {
    let story = text_of(STORY);
    let folder = Folder::new().write("in/a.txt", &story).write("in/b/c.txt", &story).write("in/d.txt", "Rain.");
    let ran = folder.done("dedup in -o - --quiet");
    assert_eq!(ran.stdout, format!("{}\n{}\n", line("a.txt", &story), line("d.txt", "Rain.")));
}

#[test]
fn a_feed_may_come_packed_and_leave_packed() {
    let bytes = std::fs::read(fixture("feed.jsonl")).unwrap();
    let folder = Folder::new().write("feed.jsonl", &bytes).write("feed.jsonl.gz", gzip(&bytes));
    folder.done("dedup feed.jsonl -o kept.jsonl --quiet --threads 1");
    folder.done("dedup feed.jsonl.gz -o kept.jsonl.zst --removed removed.jsonl.gz --quiet --threads 2");
    assert!(folder.read("kept.jsonl.zst") == folder.read("kept.jsonl"));
    assert!(folder.read("removed.jsonl.gz").contains("duplicate_of"));
}

#[test]
fn a_feed_may_be_replaced_by_what_stays_of_it() {
    let folder = Folder::with_feed(&[line("a", &text_of(STORY)), line("b", &text_of(STORY))]);
    folder.done("dedup feed.jsonl -o feed.jsonl --quiet");
    assert_eq!(folder.read("feed.jsonl"), line("a", &text_of(STORY)) + "\n");
    assert_eq!(folder.names(), ["feed.jsonl"]);
}

#[test]
fn what_goes_has_the_shape_of_what_stays() {
    let folder = Folder::new().write("in.csv", "id,text\n1,Rain.\n").write("in.jsonl", line("1", "Rain.") + "\n");
    for (args, what) in [
        ("in.csv -o kept.csv --removed removed.jsonl", "removed.jsonl: what goes is written like what stays"),
        ("in.csv -o kept.jsonl --removed removed.csv", "removed.csv: what goes is written like what stays"),
        ("in.jsonl -o kept.jsonl --removed removed.csv", "removed.csv: the input is jsonl"),
    ] {
        let ran = folder.run(&format!("dedup {args}"));
        assert!(ran.code == 2 && ran.stderr.contains(what), "{args}: {ran}");
    }
    folder.done("dedup in.csv -o kept.csv --removed removed --quiet");
}

#[test]
fn a_policy_that_is_none_is_a_usage_error() {
    for options in ["--keep best", "--keep source:", "--updates maybe"] {
        let ran = Folder::with_feed(&[line("a", "Rain.")]).run(&format!("dedup feed.jsonl -o kept.jsonl {options}"));
        assert_eq!(ran.code, 2, "{ran}");
    }
}
