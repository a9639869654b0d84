//! `samestory compare`: its verdict in words, as JSON and as an exit code.

use crate::support::{Folder, family, foreign_lines, json, line, text_of};
use serde_json::Value;

const PLAIN: &str = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard. Fishermen from \
                     Ivana brought most of them ashore, and the coast guard said nobody was hurt.";

fn texts(first: &str, second: &str) -> Folder {
    Folder::new().write("a.txt", first).write("b.txt", second)
}

#[test]
fn exit_codes_speak() {
    let base = text_of("ferry-grounding/base");
    for (first, second, code, words) in [
        (base.as_str(), text_of("ferry-grounding/heavy").as_str(), 0, "One story: "),
        (PLAIN, &PLAIN.to_uppercase(), 0, "One story: a.txt and b.txt are the same text.\n"),
        (&base, &text_of("ferry-grounding/template"), 1, "Not one story: "),
        (&base, &text_of("wheat-futures/base"), 1, "Not one story: "),
        (&base, "Rain.", 3, "Undecidable: "),
        (&base, "", 3, "Undecidable: "),
        ("", "", 3, "Undecidable: "),
    ] {
        let ran = texts(first, second).run("compare a.txt b.txt");
        assert_eq!(ran.code, code, "{ran}");
        assert!(ran.stdout.starts_with(words), "{ran}");
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn a_pair_in_words() {
    let second = PLAIN.replace("214", "241").replace("Fishermen from Ivana", "Boats from Basco");
    let ran = texts(PLAIN, &second).run("compare a.txt b.txt");
    // The verdict's numbers change with every fit; what is shared and what differs does not.
    let (_, below) = ran.stdout.split_once("\nShared passages").unwrap();
    insta::assert_snapshot!(below);
    for part in ["score 0.", ", one story from 0.", "What weighed most (log-odds):", "  0."] {
        assert!(ran.stdout.contains(part), "{part} in {ran}");
    }
}

#[test]
fn json_holds_the_evidence() {
    let second = PLAIN.replace("214", "241").replace("Fishermen from Ivana", "Boats from Basco").replace("Mon", "Tues");
    let folder = texts(PLAIN, &second);
    let ran = folder.run("compare a.txt b.txt --json");
    let verdict = json(&ran.stdout);
    let keys: Vec<&str> = verdict.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "a",
        "b",
        "correction",
        "credits",
        "dates_only_in",
        "evidence",
        "figures_only_in",
        "names_only_in",
        "one_story",
        "passages",
        "relation",
        "score",
        "threshold",
    ];
    assert_eq!(keys, expected);
    assert_eq!(verdict["figures_only_in"], json(r#"{"a.txt": ["214"], "b.txt": ["241"]}"#));
    assert_eq!(verdict["names_only_in"], json(r#"{"a.txt": ["Ivana"], "b.txt": ["Basco"]}"#));
    assert_eq!(verdict["dates_only_in"], json(r#"{"a.txt": ["Monday"], "b.txt": ["Tuesday"]}"#));
    assert_eq!(verdict["evidence"].as_object().unwrap().len(), samestory::profile::NUM_MEASUREMENTS);
    assert_eq!(verdict["one_story"], Value::from(ran.code == 0));
    // The order of the two changes nothing but who is first.
    let turned = json(&folder.run("compare b.txt a.txt --json").stdout);
    for key in ["relation", "score", "evidence", "figures_only_in"] {
        assert_eq!(turned[key], verdict[key], "{key}");
    }
}

#[test]
fn two_ids_of_a_feed() {
    let folder = Folder::with_feed(&family());
    let ran = folder.run("compare korea-exports/light korea-exports/base --feed feed.jsonl");
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.starts_with("One story: korea-exports/light is a near copy of korea-exports/base.\n"), "{ran}");
    assert_eq!(folder.run("compare korea-exports/base korea-exports/template --feed feed.jsonl").code, 1);
    assert_eq!(folder.run("compare korea-exports/base empty --feed feed.jsonl --quiet").code, 3);
    let ran = folder.run("compare korea-exports/base nowhere --feed feed.jsonl");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert_eq!(ran.stderr, "error: no article with id 'nowhere' among the 12 of the feed\n");
}

#[test]
fn languages_without_weights_are_named() {
    let mut lines = foreign_lines();
    lines.push(line("en", PLAIN));
    let folder = Folder::with_feed(&lines);
    for (pair, note) in [
        ("de-1 de-2", "2 records in a language without weights, compared by wording only: German 2\n"),
        ("ja de-1", "2 records in a language without weights, compared by wording only: Japanese 1, German 1\n"),
        ("en ja", "1 record in a language without weights, compared by wording only: Japanese 1\n"),
        ("en en", ""),
    ] {
        assert_eq!(folder.run(&format!("compare {pair} --feed feed.jsonl")).stderr, note, "{pair}");
        assert_eq!(folder.run(&format!("compare {pair} --feed feed.jsonl --quiet")).stderr, "", "{pair}");
    }
}

#[test]
fn two_feeds_of_one_line() {
    let folder =
        Folder::new().write("a.jsonl", line("x", PLAIN)).write("b.jsonl", line("x", &PLAIN.replace("214", "241")));
    let verdict = json(&folder.run("compare a.jsonl b.jsonl --json").stdout);
    // Both articles have one id: the files tell them apart.
    assert_eq!(verdict["figures_only_in"], json(r#"{"a.jsonl": ["214"], "b.jsonl": ["241"]}"#));
}

#[test]
fn errors_are_two() {
    let folder = texts(PLAIN, PLAIN)
        .write("two.jsonl", [line("x", PLAIN), line("x", "Rain.")].join("\n"))
        .write("bad.jsonl", "{\"id\":\n");
    for (args, message) in [
        ("compare a.txt absent.txt", "error: absent.txt: cannot open: No such file or directory (os error 2)\n"),
        ("compare a.txt two.jsonl", "error: two.jsonl holds 2 articles; name two of them with --feed two.jsonl\n"),
        (
            "compare a.txt bad.jsonl",
            "error: bad.jsonl: no article in it that can be read: bad.jsonl:1: no JSON object that can be read: EOF \
             while parsing a value, at byte 6\n",
        ),
        ("compare x x --feed two.jsonl", "error: id 'x' stands for two texts: two.jsonl:1 and two.jsonl:2\n"),
    ] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.as_str()), (2, message, ""));
    }
    assert_eq!(folder.run("compare a.txt").code, 2);
}
