//! `samestory compare`: its verdict in words, as JSON and as an exit code.

use crate::support::{Folder, family, field, foreign_lines, json, line, text_of};
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
        (
            PLAIN,
            &PLAIN.to_uppercase(),
            0,
            "One story: A and B are the same text.\n\n  A  a.txt\n     30 words\n  B  b.txt\n",
        ),
        (&base, &text_of("ferry-grounding/template"), 1, "Not one story: "),
        (&base, &text_of("wheat-futures/base"), 1, "Not one story: "),
        (&base, "Rain.", 3, "Undecidable: B is too short, with 1 word of content where 12 are needed.\n"),
        (&base, "", 3, "Undecidable: B has no text to compare.\n"),
        ("", "", 3, "Undecidable: A has no text to compare; B has no text to compare.\n"),
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
    let folder = texts(PLAIN, &second);
    let ran = folder.run("compare a.txt b.txt");
    // The verdict's numbers change with every fit; what is shared and what differs does not.
    let (above, below) = ran.stdout.split_once("\nShared passages").unwrap();
    insta::assert_snapshot!(below);
    for part in [
        " (probability of",
        "\nMeasured, from 0 to 1 (",
        "  probability of one story  ",
        "  one story from  ",
        "\nWhat speaks for one story (+) and against it (-), in log-odds\n    +",
        "  where every pair starts\n",
        "  in sum; one story from ",
    ] {
        assert!(above.contains(part), "{part} in {ran}");
    }
    // One under the other where there is no room for two columns.
    let narrow = folder.run_with("compare a.txt b.txt", &[("COLUMNS", "40")]);
    let (_, below) = narrow.stdout.split_once("\nShared passages").unwrap();
    insta::assert_snapshot!(below);
    assert!(narrow.stdout.lines().all(|line| line.chars().count() <= 40), "{narrow}");
}

#[test]
fn shares_stand_in_a_column_where_it_is_narrow() {
    let folder = Folder::with_feed(&family());
    let args = "compare korea-exports/heavy korea-exports/base --feed feed.jsonl";
    let ran = folder.run_with(args, &[("COLUMNS", "50")]);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 50), "{ran}");
    let (_, rest) = ran.stdout.split_once("\nMeasured").expect("what was measured is said");
    let rows: Vec<&str> = rest.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    assert!(rows.len() > 10, "{ran}");
    for row in rows {
        let (share, meaning) = row.split_at(13);
        assert!(share.trim().is_empty() || share.trim_end().len() == 11, "{row}");
        assert!(share.ends_with("  ") && !meaning.starts_with(' '), "{row}");
    }
}

#[test]
fn other_scripts_keep_their_columns() {
    let japanese = "東京で四日、道路が二本通行止めになった。県の担当者は「復旧の見通しは立たない」と述べた。";
    let hebrew = "המעבורת עלתה על שרטון ביום שני מול חופי האי, ועל סיפונה 214 נוסעים, כך מסרה משטרת החופים.";
    let of = |text: &str, other: &str| {
        let ran = texts(text, other).run("compare a.txt b.txt --quiet");
        ran.stdout.split_once("\nShared passages").unwrap().1.to_string()
    };
    insta::assert_snapshot!(of(japanese, &japanese.replace("県", "市")));
    insta::assert_snapshot!(of(hebrew, &hebrew.replace("214", "356")));
}

#[test]
fn colours_are_by_choice() {
    let folder = texts(PLAIN, &PLAIN.replace("214", "241"));
    let has_colours = |args: &str, variables: &[(&str, &str)]| {
        let ran = folder.run_with(&format!("compare a.txt b.txt {args}"), variables);
        assert_eq!(ran.stderr, "");
        ran.stdout.contains('\u{1b}')
    };
    // Not a terminal.
    assert!(!has_colours("", &[]));
    assert!(has_colours("--color always", &[]));
    assert!(has_colours("--color always", &[("NO_COLOR", "1")]));
    assert!(!has_colours("--color=never", &[("CLICOLOR_FORCE", "1")]));
    assert!(!has_colours("--color always --json", &[]));
    // Colours change nothing else.
    let plain = folder.run("compare a.txt b.txt").stdout;
    let coloured = folder.run("compare a.txt b.txt --color always").stdout;
    let mut stripped = anstream::StripStream::new(Vec::new());
    std::io::Write::write_all(&mut stripped, coloured.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(stripped.into_inner()).unwrap(), plain);
}

/// Texts and a headline that try to be markup, and to steer the terminal.
fn hostile() -> Folder {
    let first = format!("</span><script>alert(1)</script>\u{1b}[2J {PLAIN}");
    let title = "\"><img src=x onerror=alert(1)>\u{202e}";
    let titled = serde_json::json!({"id": "<b>\u{1b}]0;x\u{7}", "text": first, "title": title, "source": "'&amp;"});
    Folder::with_feed(&[titled.to_string(), line("b", &format!("{first} Nobody else was hurt."))])
}

#[test]
fn a_feed_cannot_steer_the_terminal() {
    let folder = hostile();
    let id = "<b>\u{1b}]0;x\u{7}";
    let ran = folder.run_args(&["compare", id, "b", "--feed", "feed.jsonl"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(!ran.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{ran}");
    let ran = folder.run_args(&["compare", id, "\u{1b}[2J", "--feed", "feed.jsonl"]);
    assert!(ran.code == 2 && !ran.stderr.contains('\u{1b}'), "{ran}");
}

#[test]
fn a_page_shows_markup_as_text() {
    let folder = hostile();
    let ran = folder.run_args(&["compare", "<b>\u{1b}]0;x\u{7}", "b", "--feed", "feed.jsonl", "--html", "why.html"]);
    assert_eq!(ran.code, 0, "{ran}");
    let page = folder.read("why.html");
    assert!(page.starts_with("<!doctype html>\n"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script"), "{page}");
    assert!(page.contains("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;\u{fffd}"), "{page}");
    for part in ["<script", "<img", "http:", "https:", "\u{1b}"] {
        assert!(!page.contains(part), "{part} in {page}");
    }
    for (first, second) in [(PLAIN, PLAIN), (PLAIN, ""), (PLAIN, "Rain.")] {
        let folder = texts(first, second);
        folder.run("compare a.txt b.txt --html why.html");
        assert!(folder.read("why.html").ends_with("</html>\n"));
    }
}

#[test]
fn long_articles_stay_readable() {
    let long = format!("{PLAIN} ").repeat(5000);
    let folder = texts(&long, &long.replace("214", "241"));
    let ran = folder.run("compare a.txt b.txt --html why.html");
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("     over 20,000 words\n") && ran.stdout.len() < 20_000, "{ran}");
    assert!(folder.read("why.html").len() < 40_000);
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
    assert!(ran.stdout.starts_with("One story: A is a near copy of B (probability "), "{ran}");
    assert_eq!(folder.run("compare korea-exports/base korea-exports/template --feed feed.jsonl").code, 1);
    assert_eq!(folder.run("compare korea-exports/base empty --feed feed.jsonl --quiet").code, 3);
    let ran = folder.run("compare korea-exports/base nowhere --feed feed.jsonl");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert_eq!(ran.stderr, "error: no article with id 'nowhere' among the 12 of the feed\n");
    let ran = folder.run("compare korea-exports/base korea-export/hevy --feed feed.jsonl");
    let meant = "error: no article with id 'korea-export/hevy' among the 12 of the feed; did you mean \
                 'korea-exports/heavy'?\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, meant));
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
        ("compare 4711 a.txt", "error: 4711: no such file; --feed FILE compares two ids of a feed\n"),
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
    // Of versions the newest stands where that is asked for.
    let versions =
        |text: &str, version: u32| serde_json::json!({"id": "x", "text": text, "version": version}).to_string();
    let feed = [versions("Rain.", 1), versions(PLAIN, 2), line("y", &PLAIN.to_uppercase())].join("\n");
    let ran = Folder::new().write("feed.jsonl", feed).run("compare x y --feed feed.jsonl --versions newest --json");
    assert_eq!((ran.code, field(&json(&ran.stdout), "relation")), (0, "exact"), "{ran}");
    assert_eq!(folder.run("compare a.txt").code, 2);
    let ran = folder.run("compare a.txt a.txt --html nowhere/why.html");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert_eq!(ran.stderr, "error: nowhere/why.html: cannot create: there is no folder nowhere\n");
    let ran = folder.run("compare a.txt b.txt --html b.txt");
    assert_eq!(ran.stderr, "error: b.txt: is read, and would be replaced by --html; choose another name\n");
}
