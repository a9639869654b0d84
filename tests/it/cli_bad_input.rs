//! Bad input and bad luck: each named with its place, counted or fatal by choice; outputs whole or absent.

use crate::support::{Folder, Ran, column, field, fixture, gzip, json, line, rows, text_of, zstd};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const OUTPUTS: &str = "-o out.jsonl --pairs pairs.jsonl --links links.jsonl --stats stats.json";

/// A feed of two good articles with these bytes as its second line.
fn around(bytes: &[u8]) -> Folder {
    let good = |id| line(id, &text_of("ferry-grounding/base"));
    let feed = [good("a").as_bytes(), b"\n", bytes, b"\n", good("z").as_bytes(), b"\n"].concat();
    Folder::new().write("feed.jsonl", feed)
}

/// The ids of the clustered articles.
fn ids(ran: &Ran) -> Vec<String> {
    let mut ids: Vec<String> = rows(&ran.stdout).iter().map(|row| field(row, "id").to_string()).collect();
    ids.sort();
    ids
}

/// The relation under which an id was clustered.
fn relation_of(ran: &Ran, id: &str) -> String {
    let rows = rows(&ran.stdout);
    field(rows.iter().find(|row| row["id"] == id).expect("the id was clustered"), "relation").to_string()
}

fn warnings(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.starts_with("warning: ")).collect()
}

#[test]
fn a_line_that_is_no_article_is_named_and_skipped() {
    for (bytes, reason) in [
        (
            &b"{\"id\":\"m\",\"text\":\"Rain fel"[..],
            "no JSON object that can be read: EOF while parsing a string, at byte 26",
        ),
        (b"{\"id\":\"m\"", "no JSON object that can be read: EOF while parsing an object, at byte 9"),
        (b"{\"id\":\"m\",\"text\":\"t\"} {}", "no JSON object that can be read: trailing characters, at byte 23"),
        (b"{\"id\":\"m\",\"text\":\"bad \\x escape\"}", "no JSON object that can be read: invalid escape, at byte 24"),
        (b"<rss></rss>", "no JSON object that can be read: expected value, at byte 1"),
        (b"[1,2]", "no JSON object that can be read: invalid type: sequence, expected an object, at byte 0"),
        (b"\"id\"", "no JSON object that can be read: invalid type: string \"id\", expected an object, at byte 4"),
        (b"{\"id\":{\"x\":1},\"text\":\"t\"}", "id is an object, expected text or a whole number"),
        (b"{\"id\":[1],\"text\":\"t\"}", "id is a list, expected text or a whole number"),
        (b"{\"id\":1.5,\"text\":\"t\"}", "id is a fraction, expected text or a whole number"),
        (b"{\"id\":true,\"text\":\"t\"}", "id is true or false, expected text or a whole number"),
        (b"{\"id\":\"m\",\"text\":5}", "text is a number, expected text"),
        (b"{\"id\":\"m\",\"text\":{\"p\":\"t\"}}", "text is an object, expected text"),
        (b"{\"id\":\"m\",\"text\":[\"t\"]}", "text is a list, expected text"),
        (b"{\"title\":\"Rain\"}", "neither id nor text; it has 'title'"),
    ] {
        let folder = around(bytes);
        let offset = line("a", &text_of("ferry-grounding/base")).len() + 1;
        let ran = folder.done("cluster feed.jsonl -o - --rejects rejects.jsonl");
        assert_eq!(ids(&ran), ["a", "z"], "{ran}");
        assert_eq!(warnings(&ran), [format!("warning: feed.jsonl:2: {reason} (byte {offset}), skipped")]);
        assert!(ran.stderr.contains("\n  1 record that could not be read, skipped\n"), "{ran}");
        let reject = json(&folder.read("rejects.jsonl"));
        assert_eq!(field(&reject, "place"), "feed.jsonl:2");
        assert_eq!(field(&reject, "reason"), reason);
        assert_eq!(field(&reject, "record"), String::from_utf8_lossy(bytes));
        assert_eq!(reject["offset"], offset);

        let folder = around(bytes);
        let ran = folder.run(&format!("cluster feed.jsonl {OUTPUTS} --on-error fail --rejects rejects.jsonl"));
        assert_eq!((ran.code, ran.stderr), (1, format!("error: feed.jsonl:2: {reason} (byte {offset})\n")));
        assert_eq!(folder.names(), ["feed.jsonl", "rejects.jsonl"]);
        let ran = folder.run("dedup feed.jsonl -o kept.jsonl --removed removed.jsonl --on-error fail");
        assert_eq!((ran.code, folder.names().len()), (1, 2), "{ran}");
    }
}

#[test]
fn deep_nesting_is_no_danger() {
    let deep = |field: &str, open: &str, close: &str| {
        let (open, close) = (open.repeat(100_000), close.repeat(100_000));
        format!("{{\"id\":\"m\",\"{field}\":{open}0{close}}}").into_bytes()
    };
    // `y` is no field of an article and passed over, `text` is looked into.
    for (field, expected) in [("y", vec!["a", "m", "z"]), ("text", vec!["a", "z"])] {
        for bytes in [deep(field, "[", "]"), deep(field, "{\"x\":", "}")] {
            let ran = around(&bytes).done("cluster feed.jsonl -o -");
            assert_eq!(ids(&ran), expected);
            // `m` has no text, or one that is none.
            let warning =
                if expected.len() == 3 { "is not compared: feed.jsonl:2 has no key" } else { "feed.jsonl:2: " };
            assert!(warnings(&ran).len() == 1 && warnings(&ran)[0].contains(warning), "{ran}");
        }
    }
}

#[test]
fn damaged_text_is_mended_and_counted() {
    for bytes in [
        &b"{\"id\":\"m\",\"text\":\"The caf\xe9 closed\"}"[..],
        b"{\"id\":\"m\",\"text\":\"The caf\xc3 closed \xff\"}",
        b"{\"id\":\"m\",\"text\":\"The \\ud83d closed\"}",
        b"{\"id\":\"m\",\"text\":\"The \\ude00 closed\"}",
        b"{\"id\":\"m\",\"text\":\"The \0 closed\"}",
        b"{\"id\":\"m\",\"text\":\"The \x1b[1m closed\"}",
        b"{\"id\":\"m\",\"text\":\"The\ttab\"}",
    ] {
        let ran = around(bytes).done("cluster feed.jsonl -o -");
        assert_eq!(ids(&ran), ["a", "m", "z"], "{ran}");
        assert_eq!(warnings(&ran), ["warning: 1 record with damaged text mended"]);
    }
}

#[test]
fn what_json_allows_is_no_damage() {
    for bytes in [
        &b"{\"id\":\"m\",\"text\":\"A \\u0000 and \\ud83d\\ude00\"}"[..],
        b"{\"id\":\"m\",\"id\":\"m\",\"text\":\"Rain\"}",
        b"{\"id\":\"m\",\"text\":\"Rain\"}\r",
        b"\t{ \"text\" : null , \"id\" : \"m\" , \"x\" : [ { } ] }",
        b"{\"id\":\"m\",\"body\":\"\"}\n\n   \n\t",
    ] {
        let ran = around(bytes).done("cluster feed.jsonl -o -");
        assert_eq!(ids(&ran), ["a", "m", "z"], "{ran}");
        assert_eq!(warnings(&ran), Vec::<&str>::new());
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let feed = format!("\u{feff}{}\n", line("a", "Rain."));
    let ran = Folder::new().write("feed.jsonl", &feed).done("cluster feed.jsonl -o -");
    assert_eq!((ids(&ran), warnings(&ran)), (vec!["a".to_string()], vec![]));
    // Another encoding is named line by line, not guessed.
    let wide: Vec<u8> = feed.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let ran = Folder::new().write("feed.jsonl", wide).done("cluster feed.jsonl -o -");
    assert_eq!(ids(&ran), Vec::<String>::new());
    assert!(warnings(&ran)[0].starts_with("warning: feed.jsonl:1: no JSON object"), "{ran}");
}

#[test]
fn ids_may_be_numbers_or_absent() {
    for (bytes, id) in [
        (&b"{\"id\":42,\"text\":\"Rain\"}"[..], "42"),
        (b"{\"id\":-1,\"text\":\"Rain\"}", "-1"),
        (b"{\"id\":18446744073709551615,\"text\":\"Rain\"}", "18446744073709551615"),
        (b"{\"text\":\"Rain\"}", "feed.jsonl:2"),
        (b"{\"id\":null,\"text\":\"Rain\"}", "feed.jsonl:2"),
        (b"{\"id\":\"\",\"text\":\"Rain\"}", "feed.jsonl:2"),
        (b"{\"id\":\" \",\"text\":\"Rain\"}", " "),
    ] {
        let ran = around(bytes).done("cluster feed.jsonl -o -");
        assert!(ids(&ran).contains(&id.to_string()), "{id}: {ran}");
        assert_eq!(warnings(&ran), Vec::<&str>::new());
    }
}

#[test]
fn articles_without_text_stand_alone_undecided() {
    for bytes in [
        &b"{\"id\":\"m\"}"[..],
        b"{\"id\":\"m\",\"text\":null}",
        b"{\"id\":\"m\",\"text\":\"\"}",
        b"{\"id\":\"m\",\"text\":\" \\n \"}",
        b"{\"id\":\"m\",\"text\":\"Rain\"}",
        b"{\"id\":\"m\",\"text\":\"!!! ... ???\"}",
    ] {
        let ran = around(bytes).done("cluster feed.jsonl -o -");
        assert_eq!(relation_of(&ran, "m"), "undecidable", "{ran}");
        assert!(ran.stderr.contains("\n  1 record too short or empty to compare\n"), "{ran}");
    }
    // Two empty texts are not one story.
    let ran =
        Folder::with_feed(&[line("a", ""), line("b", ""), line("c", " ")]).done("cluster feed.jsonl -o - --quiet");
    assert_eq!(column(&rows(&ran.stdout), "cluster"), ["a", "b", "c"]);
}

#[test]
fn a_repeated_line_is_counted_once() {
    let base = text_of("ferry-grounding/base");
    let folder = Folder::with_feed(&[line("a", &base), line("b", "Rain."), line("a", &base), line("a", &base)]);
    let ran = folder.done("cluster feed.jsonl -o -");
    assert_eq!(ids(&ran), ["a", "b"]);
    assert!(ran.stderr.contains("\n  2 records repeating an id and its text, counted once\n"), "{ran}");
}

#[test]
fn two_texts_under_one_id_are_refused_by_name() {
    let base = text_of("ferry-grounding/base");
    let folder = Folder::with_feed(&[line("a", &base), line("b", "Rain."), line("a", "Wheat.")])
        .write("more.jsonl", line("b", "Sun.") + "\n")
        .write("out.jsonl", "old");
    let expected = "error: id 'a' stands for two texts: feed.jsonl:1 and feed.jsonl:3; versions of one article need \
                    --versions newest, other articles ids of their own\n";
    let ran = folder.run(&format!("cluster feed.jsonl {OUTPUTS}"));
    assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.as_str()), (1, expected, ""));
    let ran = folder.run("dedup feed.jsonl -o kept.jsonl");
    assert_eq!((ran.code, ran.stderr.as_str()), (1, expected));
    let ran = folder.run(&format!("cluster feed.jsonl more.jsonl {OUTPUTS}"));
    assert_eq!(ran.code, 1);
    assert_eq!(folder.names(), ["feed.jsonl", "more.jsonl", "out.jsonl"]);
    assert_eq!(folder.read("out.jsonl"), "old");
}

#[test]
fn the_newest_version_stands_whatever_comes_first() {
    let version = |version: serde_json::Value, published: &str, text: &str| {
        serde_json::json!({"id": "a", "text": text, "version": version, "published": published}).to_string()
    };
    let feeds = [
        // By version, though it was published earlier; as text too.
        vec![version(1.into(), "2026-01-09", "old"), version("2".into(), "2026-01-01", "NEW")],
        // By time where versions are equal or absent.
        vec![version(1.into(), "2026-01-02", "NEW"), version(1.into(), "2026-01-01", "old")],
        vec![version(().into(), "2026-01-02", "NEW"), version(().into(), "soon", "old")],
        // Any version is newer than none.
        vec![version(().into(), "2026-01-02", "old"), version(0.into(), "2026-01-01", "NEW")],
    ];
    for feed in feeds {
        for lines in [feed.clone(), feed.iter().rev().cloned().collect()] {
            let folder = Folder::with_feed(&lines);
            let ran = folder.done("dedup feed.jsonl -o - --quiet --versions newest --removed removed.jsonl");
            assert_eq!(column(&rows(&ran.stdout), "text"), ["NEW"], "{lines:?}");
            let removed = folder.read("removed.jsonl");
            assert!(removed.ends_with(",\"duplicate_of\":\"a\",\"relation\":\"update\"}\n"), "{removed}");
            let ran = folder.done("cluster feed.jsonl -o - --versions newest");
            assert_eq!(ids(&ran), ["a"]);
            assert!(ran.stderr.contains("\n  1 record replaced by a newer version of the same id\n"), "{ran}");
        }
    }
    // Neither version nor time: by the text itself, so that the order of lines does not matter.
    let answers = [["one", "two"], ["two", "one"]].map(|texts| {
        let folder = Folder::with_feed(&texts.map(|text| line("a", text)));
        folder.done("dedup feed.jsonl -o - --quiet --versions newest").stdout
    });
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_line_of_50_megabytes_is_an_article() {
    let base = text_of("ferry-grounding/base");
    let filler = "Rain fell on the plains and wheat closed lower. ".repeat(50_000_000 / 48);
    let ran = around(line("m", &format!("{base} {filler}")).as_bytes()).done("cluster feed.jsonl -o -");
    assert_eq!(ids(&ran), ["a", "m", "z"]);
    assert_eq!(warnings(&ran), Vec::<&str>::new());
}

#[test]
fn a_line_over_64_mebibytes_is_passed_over() {
    // One byte more than is read, and one too long for any block.
    for excess in [1, 3 << 20] {
        let head = b"{\"id\":\"m\",\"text\":\"";
        let mut long = head.to_vec();
        long.resize(samestory::input::MAX_LINE_LEN + excess - 2, b'x');
        long.extend_from_slice(b"\"}");
        let folder = around(&long);
        let ran = folder.done("cluster feed.jsonl -o - --rejects rejects.jsonl");
        assert_eq!(ids(&ran), ["a", "z"]);
        let offset = line("a", &text_of("ferry-grounding/base")).len() + 1;
        assert_eq!(
            warnings(&ran),
            [format!("warning: feed.jsonl:2: line longer than 64 MiB (byte {offset}), skipped")]
        );
        let reject = json(&folder.read("rejects.jsonl"));
        assert_eq!((field(&reject, "record"), &reject["offset"]), ("", &offset.into()));
    }
}

#[test]
fn many_rejects_are_counted() {
    let bad = [&b"{\n"[..]; 13].concat();
    let ran = around(&bad).done("cluster feed.jsonl -o -");
    assert_eq!(warnings(&ran).len(), 11);
    assert_eq!(warnings(&ran)[10], "warning: 3 records more skipped; --rejects FILE names them all");
    let folder = around(&bad);
    let ran = folder.done("cluster feed.jsonl -o - --rejects rejects.jsonl.gz --quiet");
    assert_eq!(ran.stderr, "");
    let rejects = folder.read("rejects.jsonl.gz");
    let places: Vec<String> = (2..15).map(|number| format!("feed.jsonl:{number}")).collect();
    assert_eq!(column(&rows(&rejects), "place"), places);
    // A feed without rejects leaves an empty file: the run looked.
    let folder = Folder::with_feed(&[line("a", "Rain.")]);
    folder.done("cluster feed.jsonl -o - --rejects rejects.jsonl --quiet");
    assert_eq!(folder.read("rejects.jsonl"), "");
}

#[test]
fn times_that_cannot_be_read_are_counted() {
    let lines =
        ["\"soon\"", "[]", "1e400", "\"2026-02-30\""].map(|time| format!("{{\"id\":{time:?},\"published\":{time}}}"));
    let ran = Folder::with_feed(&lines).done("cluster feed.jsonl -o -");
    let bad = warnings(&ran);
    assert_eq!(
        bad.last().copied(),
        Some("warning: 3 records with a time that cannot be read, taken as undated"),
        "{ran}"
    );
}

#[test]
fn an_empty_feed_is_an_answer() {
    for feed in ["", "\n\n", "\u{feff}"] {
        let folder = Folder::new().write("feed.jsonl", feed);
        let ran = folder.done(&format!("cluster feed.jsonl {OUTPUTS}"));
        assert!(ran.stderr.starts_with("0 articles tell 0 stories: 0 repeats (0.0 %)\n"), "{ran}");
        assert_eq!((folder.read("out.jsonl"), folder.read("pairs.jsonl")), (String::new(), String::new()));
        assert_eq!(json(&folder.read("stats.json"))["articles"], 0);
        folder.done("cluster feed.jsonl -o out.csv --quiet");
        assert_eq!(folder.read("out.csv"), "id,cluster,representative,relation,score,size\n");
        folder.done("dedup feed.jsonl -o kept.jsonl --removed removed.jsonl --quiet");
        assert_eq!((folder.read("kept.jsonl"), folder.read("removed.jsonl")), (String::new(), String::new()));
    }
    let ran = Folder::new().run_on("cluster - -o - --quiet", b"");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
}

#[test]
fn a_feed_of_one_article() {
    let folder = Folder::with_feed(&[line("a", &text_of("ferry-grounding/base"))]);
    let ran = folder.done("cluster feed.jsonl -o -");
    let row =
        "{\"id\":\"a\",\"cluster\":\"a\",\"representative\":\"a\",\"relation\":\"self\",\"score\":1.0000,\"size\":1}\n";
    assert_eq!(ran.stdout, row);
    assert!(ran.stderr.starts_with("1 article tells 1 story: 0 repeats (0.0 %)\n"), "{ran}");
    let ran = folder.done("dedup feed.jsonl -o -");
    assert_eq!(ran.stderr, "1 article kept, 0 removed\n");
}

#[test]
fn inputs_that_cannot_be_opened_are_named() {
    let folder = Folder::with_feed(&[line("a", "Rain.")]);
    std::fs::create_dir(folder.path("hollow")).unwrap();
    for (inputs, message) in [
        ("absent.jsonl", "error: absent.jsonl: cannot open: No such file or directory (os error 2)\n"),
        ("feed.jsonl absent.jsonl", "error: absent.jsonl: cannot open: No such file or directory (os error 2)\n"),
        ("feed.jsonl/x", "error: feed.jsonl/x: cannot open: Not a directory (os error 20)\n"),
        (
            "hollow",
            "error: hollow: cannot read: no file in the folder whose name says a format, as .jsonl, .csv, .xml or .txt \
             do\n",
        ),
        ("no*.jsonl", "error: no*.jsonl: cannot open: No such file or directory (os error 2)\n"),
    ] {
        for command in [format!("cluster {inputs} {OUTPUTS}"), format!("dedup {inputs} -o kept.jsonl")] {
            let ran = folder.run(&command);
            assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.as_str()), (1, message, ""));
        }
    }
    assert_eq!(folder.names(), ["feed.jsonl", "hollow"]);
}

#[test]
#[cfg(target_os = "linux")]
fn an_input_that_cannot_be_read_is_named() {
    // A file that opens and gives an error, also to root.
    let folder = Folder::with_feed(&[line("a", "Rain.")]);
    let ran = folder.run(&format!("cluster feed.jsonl /proc/self/mem {OUTPUTS}"));
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: /proc/self/mem: cannot read: "), "{ran}");
    assert_eq!(folder.names(), ["feed.jsonl"]);
    // In a folder of texts it is one record among others.
    let folder = Folder::new().write("in/a.txt", "Rain.");
    std::os::unix::fs::symlink("/proc/self/mem", folder.path("in/b.txt")).unwrap();
    let ran = folder.done("cluster in -o -");
    assert_eq!(ids(&ran), ["a.txt"]);
    assert!(warnings(&ran)[0].starts_with("warning: in/b.txt: "), "{ran}");
    let ran = folder.run("cluster in -o - --on-error fail");
    assert_eq!(ran.code, 1, "{ran}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_of_a_folder_that_cannot_be_opened_is_passed_over() {
    let folder = Folder::new().write("in/a.jsonl", line("a", "Rain."));
    std::os::unix::fs::symlink("nowhere", folder.path("in/b.jsonl")).unwrap();
    for inputs in ["in", "in/*.jsonl"] {
        let ran = folder.run_args(&["cluster", inputs, "-o", "-", "--rejects", "rejects.jsonl"]);
        assert_eq!(ran.code, 0, "{ran}");
        assert_eq!(ids(&ran), ["a"]);
        assert!(warnings(&ran)[0].starts_with("warning: in/b.jsonl: cannot open: No such file"), "{ran}");
        assert_eq!(field(&json(&folder.read("rejects.jsonl")), "place"), "in/b.jsonl");
    }
    let ran = folder.run("cluster in -o - --on-error fail");
    assert!(ran.code == 1 && ran.stderr.contains("in/b.jsonl: cannot open: "), "{ran}");
    // One that is named is an error.
    assert_eq!(folder.run("cluster in/a.jsonl in/b.jsonl -o -").code, 1);
}

#[test]
fn files_of_one_name_are_two_articles() {
    let folder =
        Folder::new().write("one/a.txt", "Rain fell.").write("two/a.txt", "Snow fell.").write("two/b.txt", "x");
    let ran = folder.done("cluster one two -o -");
    assert_eq!(ids(&ran), ["b.txt", "one/a.txt", "two/a.txt"]);
    assert_eq!(ids(&folder.done("cluster one/a.txt one/a.txt -o -")), ["a.txt"]);
}

#[test]
fn a_number_that_is_no_id_is_named_for_what_it_is() {
    for (id, reason) in [("1.5", "a fraction"), ("1.0", "a number beyond 64 bits or with a point")] {
        let folder = Folder::with_feed(&[format!("{{\"id\":{id},\"text\":\"Rain.\"}}")]);
        let ran = folder.done("cluster feed.jsonl -o -");
        assert!(warnings(&ran)[0].contains(&format!("id is {reason}")), "{ran}");
    }
    let folder = Folder::with_feed(&["{\"id\":18446744073709551615,\"text\":\"Rain.\"}"]);
    assert_eq!(ids(&folder.done("cluster feed.jsonl -o -")), ["18446744073709551615"]);
}

#[test]
#[cfg(unix)]
fn an_output_through_a_link_is_written_where_the_link_leads() {
    let folder = Folder::with_feed(&[line("a", "Rain.")]).write("far/old.jsonl", "old");
    std::os::unix::fs::symlink("far/old.jsonl", folder.path("link.jsonl")).unwrap();
    folder.done("cluster feed.jsonl -o link.jsonl --quiet");
    assert!(folder.path("link.jsonl").is_symlink());
    assert_eq!(folder.read("far/old.jsonl"), folder.done("cluster feed.jsonl -o - --quiet").stdout);
}

#[test]
fn a_packed_feed_that_is_cut_is_named() {
    let feed = std::fs::read(fixture("feed.jsonl")).unwrap();
    for (name, packed) in [("feed.jsonl.gz", gzip(&feed)), ("feed.jsonl.zst", zstd(&feed))] {
        let folder = Folder::new().write(name, &packed[..packed.len() * 2 / 3]);
        let ran = folder.done(&format!("cluster {name} -o - --rejects rejects.jsonl"));
        assert!(ids(&ran).len() > 50, "what stands before the cut is read: {ran}");
        let last = *warnings(&ran).last().expect("a warning");
        assert!(last.starts_with(&format!("warning: {name}:")) && last.contains(": cannot read further: "), "{ran}");
        assert!(folder.read("rejects.jsonl").contains("cannot read further"));
        let ran = folder.run(&format!("cluster {name} {OUTPUTS} --on-error fail"));
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.stderr.starts_with(&format!("error: {name}:")), "{ran}");
        assert!(!folder.path("out.jsonl").exists());
    }
    let flipped: Vec<u8> = gzip(&feed).iter().enumerate().map(|(i, b)| if i == 5000 { b ^ 0x55 } else { *b }).collect();
    let ran = Folder::new().write("feed.jsonl.gz", flipped).done("cluster feed.jsonl.gz -o -");
    assert!(!warnings(&ran).is_empty(), "{ran}");
}

#[test]
fn a_closed_pipe_is_success() {
    // More than a pipe holds.
    let lines: Vec<String> = (0..4000).map(|i| line(&format!("article-number-{i:06}"), "Rain.")).collect();
    let folder = Folder::with_feed(&lines);
    for command in ["cluster", "dedup"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_samestory"))
            .args([command, "-o", "-"])
            .arg(folder.path("feed.jsonl"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.contains("article-number-000000"), "{first}");
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{command}: {stderr}");
        assert!(!stderr.contains("error"), "{stderr}");
    }
}

#[test]
fn stdin_may_be_any_input() {
    let ran = Folder::new().run_on("cluster - -o - --quiet", format!("{}\n{{", line("a", "Rain.")).as_bytes());
    assert_eq!(ids(&ran), ["a"]);
    let ran = Folder::new().run_on("cluster - -o - --on-error fail", b"{");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: -:1: no JSON object"), "{ran}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let folder = Folder::new();
    let input = fixture("feed.jsonl");
    for command in ["cluster", "dedup"] {
        let ran = folder.run(&format!("{command} {} -o /dev/full", input.display()));
        assert_eq!(ran.code, 1, "{ran}");
        assert_eq!(ran.stderr, "error: /dev/full: cannot write: No space left on device (os error 28)\n");
    }
    let ran = folder.run(&format!("cluster {} -o out.jsonl --pairs /dev/full", input.display()));
    assert_eq!((ran.code, folder.names()), (1, vec![]), "{ran}");
    // stdout that is full.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    for args in [vec!["cluster", "-o", "-"], vec!["eval", fixture("gold.jsonl").to_str().unwrap()]] {
        let output = Command::new(env!("CARGO_BIN_EXE_samestory"))
            .args(&args)
            .arg(if args[0] == "eval" { fixture("gold.jsonl") } else { input.clone() })
            .stdout(full.try_clone().unwrap())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert!(stderr.contains("error: -: cannot write: No space left on device"), "{stderr}");
    }
}

#[test]
fn an_output_that_cannot_be_made_leaves_nothing() {
    let folder = Folder::with_feed(&[line("a", "Rain.")]).write("old.jsonl", "old");
    for outputs in ["-o absent/out.jsonl", "-o out.jsonl --pairs absent/pairs.jsonl", "-o old.jsonl --stats absent/s"] {
        let ran = folder.run(&format!("cluster feed.jsonl {outputs}"));
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.stderr.starts_with("error: absent/") && ran.stderr.contains(": cannot create: "), "{ran}");
        assert_eq!(folder.names(), ["feed.jsonl", "old.jsonl"]);
        assert_eq!(folder.read("old.jsonl"), "old");
    }
    for outputs in ["-o absent/kept.jsonl", "-o kept.jsonl --removed absent/removed.jsonl"] {
        let ran = folder.run(&format!("dedup feed.jsonl {outputs}"));
        assert_eq!((ran.code, folder.names().len()), (1, 2), "{ran}");
    }
}

#[test]
fn an_output_that_cannot_be_made_is_said_before_a_feed_is_read() {
    // What is read would be complained of.
    let folder = with_every_input().write("feed.jsonl", "no article\n").write("clusters.jsonl", "no row\n");
    for args in [
        "cluster feed.jsonl -o absent/x.jsonl",
        "dedup feed.jsonl -o absent/x.jsonl",
        "dedup feed.jsonl -o kept.jsonl --removed absent/x.jsonl",
        "weights feed.jsonl -o absent/x",
        "calibrate labels.tsv feed.jsonl -o absent/x.toml",
        "audit clusters.jsonl feed.jsonl -o absent/x.tsv",
        "audit clusters.jsonl feed.jsonl --list absent/x.jsonl",
        "compare a b --feed feed.jsonl --html absent/x.html",
        "plan feed.jsonl --rejects absent/x.jsonl",
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.code, if args.starts_with("compare") { 2 } else { 1 }, "{args}: {ran}");
        assert!(ran.stderr.starts_with("error: absent/x"), "{args}: {ran}");
        assert!(ran.stderr.ends_with(": cannot create: there is no folder absent\n"), "{args}: {ran}");
    }
}

/// A folder with a file for each input that a command may name.
fn with_every_input() -> Folder {
    Folder::with_feed(&[line("a", "Rain.")])
        .write("texts/a.txt", "Rain.")
        .write("labels.tsv", "")
        .write("mine.toml", "no profile")
        .write("mine.weights", "no table")
}

#[test]
fn outputs_of_one_name_are_refused() {
    let folder = with_every_input();
    let names = folder.names();
    for (args, message) in [
        ("cluster feed.jsonl -o x.jsonl --pairs x.jsonl", "x.jsonl: both -o and --pairs"),
        ("cluster feed.jsonl -o x.jsonl --links ./texts/../x.jsonl", "./texts/../x.jsonl: both -o and --links"),
        ("cluster feed.jsonl -o - --pairs -", "-: both -o and --pairs"),
        ("cluster feed.jsonl -o - --links /dev/stdout", "/dev/stdout: both -o and --links"),
        ("cluster feed.jsonl -o x.csv --stats s --rejects s", "s: both --stats and --rejects"),
        ("cluster feed.jsonl -o absent/x.csv --links absent/x.csv", "absent/x.csv: both -o and --links"),
        ("dedup feed.jsonl -o x --removed x", "x: both -o and --removed"),
        ("dedup feed.jsonl -o - --rejects -", "-: both -o and --rejects"),
        ("dedup feed.jsonl -o feed.jsonl --removed feed.jsonl", "feed.jsonl: both -o and --removed"),
        ("weights feed.jsonl -o x --rejects x", "x: both -o and --rejects"),
        ("calibrate labels.tsv feed.jsonl -o x --rejects x", "x: both -o and --rejects"),
        ("compare texts/a.txt texts/a.txt --rejects -", "-: both the verdict and --rejects"),
        // Before anything is read: the input is not there.
        ("dedup absent.jsonl -o x --removed x", "x: both -o and --removed"),
    ] {
        let ran = folder.run(args);
        let message = format!("error: {message} would write it; each output needs a name of its own\n");
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr), (2, "", message), "{args}");
    }
    assert_eq!(folder.names(), names, "nothing was written");
    folder.done("cluster feed.jsonl -o /dev/null --pairs /dev/null --quiet");
}

#[test]
fn an_output_that_is_read_is_refused() {
    let folder = with_every_input();
    std::os::unix::fs::symlink("feed.jsonl", folder.path("link.jsonl")).unwrap();
    let names = folder.names();
    for (args, message) in [
        ("cluster feed.jsonl -o feed.jsonl", "feed.jsonl: is read, and would be replaced by -o"),
        ("cluster feed.jsonl -o ./feed.jsonl", "feed.jsonl: is read, and would be replaced by -o"),
        ("cluster feed.jsonl -o link.jsonl", "feed.jsonl: is read, and would be replaced by -o"),
        ("cluster link.jsonl -o - --pairs feed.jsonl", "link.jsonl: is read, and would be replaced by --pairs"),
        ("cluster texts -o - --stats texts/a.txt", "texts/a.txt: is read, and would be replaced by --stats"),
        (
            "cluster feed.jsonl -o - --profile mine.toml --stats mine.toml",
            "mine.toml: is read, and would be replaced by --stats",
        ),
        ("dedup feed.jsonl -o - --removed feed.jsonl", "feed.jsonl: is read, and would be replaced by --removed"),
        (
            "dedup feed.jsonl -o mine.weights --weights mine.weights",
            "mine.weights: is read, and would be replaced by -o",
        ),
        ("weights feed.jsonl -o feed.jsonl", "feed.jsonl: is read, and would be replaced by -o"),
        ("sketch feed.jsonl -o feed.jsonl", "feed.jsonl: is read, and would be replaced by -o"),
        ("index add seen feed.jsonl --rejects feed.jsonl", "feed.jsonl: is read, and would be replaced by --rejects"),
        (
            "filter --index seen feed.jsonl --rejects feed.jsonl",
            "feed.jsonl: is read, and would be replaced by --rejects",
        ),
        ("calibrate labels.tsv feed.jsonl -o labels.tsv", "labels.tsv: is read, and would be replaced by -o"),
        ("calibrate labels.tsv feed.jsonl -o feed.jsonl", "feed.jsonl: is read, and would be replaced by -o"),
        (
            "calibrate labels.tsv feed.jsonl -o x --profile mine.toml --rejects mine.toml",
            "mine.toml: is read, and would be replaced by --rejects",
        ),
        (
            "compare feed.jsonl texts/a.txt --rejects feed.jsonl",
            "feed.jsonl: is read, and would be replaced by --rejects",
        ),
        (
            "compare a a --feed feed.jsonl --rejects feed.jsonl",
            "feed.jsonl: is read, and would be replaced by --rejects",
        ),
    ] {
        let ran = folder.run(args);
        let message = format!("error: {message}; choose another name\n");
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr), (2, "", message), "{args}");
    }
    assert_eq!(folder.names(), names);
    assert_eq!(folder.read("feed.jsonl"), line("a", "Rain.") + "\n");
    // From stdin to stdout nothing is replaced, nor by `dedup` in place: its own test says so.
    let ran = folder.run_on("dedup - -o - --quiet", line("a", "Rain.").as_bytes());
    assert_eq!((ran.code, ran.stdout), (0, line("a", "Rain.")));
}

#[test]
fn usage_errors_are_two() {
    let folder = Folder::with_feed(&[line("a", "Rain.")]);
    for args in [
        "",
        "explode",
        "cluster",
        "cluster feed.jsonl",
        "cluster -o out.jsonl",
        "cluster feed.jsonl -o out.jsonl --level deep",
        "cluster feed.jsonl -o out.jsonl --near magic",
        "cluster feed.jsonl -o out.jsonl --threads many",
        "cluster feed.jsonl -o out.jsonl --versions all",
        "cluster feed.jsonl -o out.jsonl --on-error ignore",
        "cluster feed.jsonl -o out.jsonl --format docx",
        "cluster feed.jsonl -o out.jsonl --unknown",
        "dedup feed.jsonl",
        "compare a.txt",
        "eval gold.jsonl",
    ] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args}: {ran}");
        assert!(ran.stderr.contains("--help"), "{args}: {ran}");
    }
    for (args, file) in [
        ("-o out.xlsx", "out.xlsx"),
        ("-o out", "out"),
        ("-o out.gz", "out.gz"),
        ("-o out.jsonl --pairs pairs.txt", "pairs.txt"),
        ("-o out.jsonl --links links.", "links."),
    ] {
        let ran = folder.run(&format!("cluster feed.jsonl {args}"));
        let hint = "expected a name that ends in .jsonl, .csv, .parquet or .sqlite, the first two also in .gz or .zst \
                    after it, or -";
        assert_eq!((ran.code, ran.stderr), (2, format!("error: {file}: {hint}\n")));
    }
    assert_eq!(folder.names(), ["feed.jsonl"]);
}

#[test]
fn profiles_and_tables_that_cannot_be_used_are_named() {
    let good = samestory::Profile::default().to_toml();
    // Each line of the file once left out; and cut behind a line and within one, where what stays is still TOML.
    let without = |start: &str| -> String {
        let lines: Vec<&str> = good.lines().filter(|line| !line.starts_with(start)).collect();
        assert_eq!(lines.len() + 1, good.lines().count(), "{start}");
        lines.join("\n") + "\n"
    };
    let last_line = good.trim_end().rfind('\n').unwrap() + 1;
    let num_terms = samestory::Profile::default().model().terms().count();
    let terms =
        format!("the number of terms is {}, expected the {num_terms} of num_terms: the file is cut", num_terms - 1);
    let folder = Folder::with_feed(&[line("a", "Rain.")])
        .write("good.toml", &good)
        .write("range.toml", good.replace("shingle_len = 5", "shingle_len = 99"))
        .write("syntax.toml", "format = \n")
        .write("unknown.toml", good.replace("[verdict]", "[verdict]\nmood = 1"))
        .write("term.toml", good.replace("\nword_cosine = ", "\nvibes = "))
        .write("weight.toml", good.replace("\nword_cosine = ", "\nword_cosine = 99999999 #"))
        .write("future.toml", good.replace("format = 1", "format = 2"))
        .write("no-field.toml", without("min_content = "))
        .write("no-term.toml", without("word_cosine = "))
        .write("no-model.toml", &good[..good.find("[model]").unwrap()])
        .write("cut-line.toml", &good[..last_line])
        .write("cut-digits.toml", &good[..good.len() - 3])
        .write("empty.toml", "")
        .write("cut.toml.gz", &gzip(good.as_bytes())[..200])
        .write("latin.toml", b"format = \"\xe9\"")
        .write("table.weights", "not a table at all, though it is long enough to be one");
    assert_eq!(folder.run("cluster feed.jsonl -o - --profile good.toml").code, 0);
    for (option, message) in [
        ("--profile range.toml", "error: profile range.toml: sketch.shingle_len is 99, expected 1 to 32\n"),
        ("--profile syntax.toml", "error: profile syntax.toml: TOML parse error at line 1, column 10"),
        ("--profile unknown.toml", "error: profile unknown.toml: TOML parse error at line "),
        ("--profile term.toml", "unknown measurement 'vibes'; known are shingle_jaccard, "),
        (
            "--profile weight.toml",
            "error: profile weight.toml: model.terms.word_cosine is 99999999, expected -1048576 to 1048576\n",
        ),
        ("--profile future.toml", "error: profile future.toml: format is 2, expected 1\n"),
        ("--profile no-field.toml", "missing field `min_content`"),
        ("--profile no-term.toml", &terms),
        ("--profile no-model.toml", "missing field `model`"),
        ("--profile cut-line.toml", &terms),
        (
            "--profile cut-digits.toml",
            "error: profile cut-digits.toml: the last line is without an end, expected one: the file is cut\n",
        ),
        ("--profile empty.toml", "error: profile empty.toml: TOML parse error at line 1, column 1"),
        ("--profile absent.toml", "error: absent.toml: cannot open: No such file or directory (os error 2)\n"),
        ("--profile cut.toml.gz", "error: cut.toml.gz: cannot read: "),
        ("--profile latin.toml", "error: latin.toml: cannot read: not UTF-8\n"),
        ("--weights table.weights", "error: weights table table.weights: not a weights table"),
    ] {
        let ran = folder.run(&format!("cluster feed.jsonl -o out.jsonl {option}"));
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.stderr.contains(message), "{ran}");
        let name = option.split(' ').nth(1).expect("a file");
        assert!(
            ["profile ", "weights table ", ""]
                .iter()
                .any(|kind| ran.stderr.starts_with(&format!("error: {kind}{name}: "))),
            "{ran}"
        );
    }
    assert!(!folder.path("out.jsonl").exists());
}

#[test]
fn a_slow_writer_is_waited_for() {
    // Half a line now, the rest later: nothing is lost between the two.
    let mut child = Command::new(env!("CARGO_BIN_EXE_samestory"))
        .args(["cluster", "-", "-o", "-", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for part in ["{\"id\":\"a\",", "\"text\":\"Rain", ".\"}\n{\"id\":", "\"b\"}"] {
        stdin.write_all(part.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 2);
}

#[test]
fn fields_by_other_names_are_told() {
    let text = crate::support::text_of("ferry-grounding/base");
    let folder = Folder::new()
        .write("txt.jsonl", format!("{{\"id\":1,\"txt\":\"a\"}}\n{}", line("b", &text)))
        .write("long.jsonl", serde_json::json!({"id": 1, "main": text, "n": 2}).to_string())
        .write("guid.jsonl", serde_json::json!({"guid": 1, "story": text}).to_string())
        .write("own.jsonl", line("a", &text))
        .write("a.txt", &text);
    for (args, code, message) in [
        (
            "txt.jsonl",
            0,
            "warning: 1 record has no field 'text', 'body' or 'content' and is not compared: txt.jsonl:1 has 'id', \
             'txt'; did you mean --text-field txt?",
        ),
        (
            "long.jsonl",
            0,
            "warning: 1 record has no field 'text', 'body' or 'content' and is not compared: long.jsonl:1 has 'id', \
             'main', 'n'; did you mean --text-field main?",
        ),
        (
            "guid.jsonl",
            0,
            "warning: no record has an id or a text: guid.jsonl:1 has 'guid', 'story'; name the fields with \
             --id-field NAME --text-field story",
        ),
        (
            "own.jsonl --text-field txet",
            2,
            "error: --text-field: no record has a field 'txet'; own.jsonl:1 has 'id', 'text'; did you mean 'text'?",
        ),
        (
            "own.jsonl --id-field guid",
            2,
            "error: --id-field: no record has a field 'guid'; own.jsonl:1 has 'id', 'text'",
        ),
        (
            "own.jsonl --title-field headline",
            0,
            "warning: --title-field: no record has a field 'headline'; own.jsonl:1 has 'id', 'text'",
        ),
        // A text file has no fields, and nothing is known of an empty feed.
        ("a.txt --text-field txet", 0, "1 article tells 1 story: 0 repeats (0.0 %)"),
        ("/dev/null --text-field txet", 0, "0 articles tell 0 stories: 0 repeats (0.0 %)"),
    ] {
        let ran = folder.run(&format!("cluster -o out.jsonl {args}"));
        assert_eq!((ran.code, ran.stderr.lines().next()), (code, Some(message)), "{ran}");
        let quiet = folder.run(&format!("cluster -o out.jsonl --quiet {args}"));
        assert_eq!((quiet.code, quiet.stderr.is_empty()), (code, code == 0), "{quiet}");
    }
    // In one order, whichever block is parsed first.
    let lines: Vec<String> =
        (0..3000).map(|i| serde_json::json!({"id": i, "txt": i, "main": text}).to_string()).collect();
    let folder = Folder::with_feed(&lines);
    let ran = folder.run("cluster feed.jsonl -o out.jsonl --threads 4");
    assert!(ran.stderr.contains(": feed.jsonl:1 has 'id', 'main', 'txt'; did you mean --text-field main?\n"), "{ran}");
}

#[test]
fn damage_at_the_very_beginning_is_said_and_what_follows_is_read() {
    let article = line("a", &text_of("ferry-grounding/base")) + "\n";
    let text = "A frost in May has taken half of the plum blossom along the fjord.";
    let record = format!(
        "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <a>\r\nContent-Length: {}\r\n\r\n{text}\r\n\r\n",
        text.len()
    );
    for (name, content) in [("feed.jsonl.gz", &article), ("feed.gz", &article), ("crawl.warc.gz", &record)] {
        let whole = gzip(content.as_bytes());
        let mut damaged = whole.clone();
        // Flags that there are not.
        damaged[3] = 0xc2;
        let ran = Folder::new().write(name, [&damaged[..], &whole].concat()).done(&format!("cluster {name} -o -"));
        assert_eq!(column(&rows(&ran.stdout), "id"), ["a"], "{name}: {ran}");
        assert!(ran.stderr.contains("damaged, and passed over: "), "{name}: {ran}");
        let ran = Folder::new().write(name, damaged).done(&format!("cluster {name} -o -"));
        assert!(ran.stdout.is_empty() && ran.stderr.contains("cannot read"), "{name}: {ran}");
    }
}
