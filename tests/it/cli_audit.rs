//! `samestory audit`: which pairs are drawn, answers from a file and from stdin, labels, what cannot be used.

use crate::support::{Folder, feed_lines, feed_lines_of, field, json, line, rows, shuffled};
use serde_json::Value;

/// A folder with the fixture feed and its clusters.
fn folder() -> Folder {
    let folder = Folder::with_feed(&feed_lines());
    folder.done("cluster feed.jsonl -o clusters.jsonl --quiet");
    folder
}

/// The ids of the pairs that `--list` writes.
fn listed(folder: &Folder, args: &str) -> Vec<[String; 2]> {
    let ran = folder.done(&format!("audit {args} --list -"));
    assert_eq!(ran.stderr, "");
    rows(&ran.stdout).iter().map(|row| ["a", "b"].map(|side| field(&row[side], "id").to_string())).collect()
}

/// The cells of a file of labels.
fn labels(folder: &Folder, name: &str) -> Vec<Vec<String>> {
    folder.read(name).lines().map(|line| line.split('\t').map(str::to_string).collect()).collect()
}

/// The members of `clusters.jsonl` that have another representative.
fn repeats(folder: &Folder) -> Vec<Value> {
    rows(&folder.read("clusters.jsonl")).into_iter().filter(|row| row["id"] != row["representative"]).collect()
}

#[test]
fn one_set_of_clusters_gives_one_sample() {
    let folder = folder();
    let all = repeats(&folder);
    let sample = listed(&folder, "clusters.jsonl feed.jsonl");
    assert_eq!(sample.len(), 50);
    for [a, b] in &sample {
        assert!(all.iter().any(|row| field(row, "id") == a && field(row, "representative") == b), "{a} {b}");
    }
    for num_pairs in [1, 7, 49] {
        let some = listed(&folder, &format!("clusters.jsonl feed.jsonl --pairs {num_pairs}"));
        assert_eq!(some, sample[..num_pairs]);
    }
    assert_eq!(listed(&folder, "clusters.jsonl feed.jsonl --pairs 100000").len(), all.len());
    assert_ne!(listed(&folder, "clusters.jsonl feed.jsonl --seed 2"), sample);

    let turned: Vec<String> = folder.read("clusters.jsonl").lines().map(|line| format!("{line}\n")).collect();
    let folder = folder
        .write("turned.jsonl", shuffled(turned, 3).concat())
        .write("shuffled.jsonl", shuffled(feed_lines(), 4).join("\n"));
    folder.done("cluster feed.jsonl -o clusters.csv.gz --quiet");
    assert_eq!(listed(&folder, "turned.jsonl shuffled.jsonl"), sample);
    assert_eq!(listed(&folder, "clusters.csv.gz feed.jsonl"), sample);

    // What is listed is what was read.
    let row = json(folder.done("audit clusters.jsonl feed.jsonl --list - --pairs 1").stdout.trim_end());
    let article = json(&feed_lines_of(&[sample[0][0].as_str()])[0]);
    for name in ["id", "title", "source", "text"] {
        assert_eq!(row["a"][name], article[name]);
    }
    let ran = folder.done("audit clusters.jsonl feed.jsonl --list pairs.jsonl --pairs 3");
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "3 pairs are in pairs.jsonl\n"));
}

#[test]
fn answers_of_a_file_become_labels_that_calibrate_takes() {
    let folder = folder();
    let sample = listed(&folder, "clusters.jsonl feed.jsonl");
    // Every fifth is not one telling, the seventh is skipped; the ids in either order.
    let answer = |i: usize| match i {
        6 => "s",
        i if i % 5 == 4 => "n",
        _ => "y",
    };
    let answers: String = sample.iter().enumerate().map(|(i, [a, b])| format!("{b}\t{a}\t{}\n", answer(i))).collect();
    let folder = folder.write("answers.tsv", answers);
    let ran = folder.done("audit clusters.jsonl feed.jsonl --answers answers.tsv -o labels.tsv");
    let all = repeats(&folder);
    let head = format!("; 49 of 50 pairs judged, of {} repeats\n", all.len());
    assert!(ran.stdout.starts_with("precision 0.") && ran.stdout.contains(&head), "{ran}");
    assert_eq!(ran.stderr, "labels are in labels.tsv\n");

    let labels = self::labels(&folder, "labels.tsv");
    assert_eq!(labels.len(), 49);
    let expected = sample.iter().enumerate().filter(|(i, _)| *i != 6);
    for ((i, [a, b]), label) in expected.zip(&labels) {
        let kind = if answer(i) == "y" { "same" } else { "different" };
        assert_eq!(label[..3], [a.as_str(), b, kind]);
        assert!(label[3].starts_with("audit: "), "{label:?}");
    }
    // The labels stand for the whole, and the estimate is the share they give.
    let weight = |label: &Vec<String>| -> f64 { label[4].parse().expect("a number") };
    let total: f64 = labels.iter().map(weight).sum();
    let right: f64 = labels.iter().filter(|label| label[2] == "same").map(weight).sum();
    assert!((total - all.len() as f64).abs() < 0.01, "{total}");
    let precision: f64 = ran.stdout["precision ".len()..][..6].parse().expect("four decimals");
    assert!((precision - right / total).abs() < 0.0001, "{precision}, {right} of {total}");

    let ran = folder.done("calibrate labels.tsv feed.jsonl -o mine.toml");
    assert!(ran.stderr.starts_with("49 pairs; "), "{ran}");
    assert!(ran.stderr.contains(&format!("share of true pairs {precision:.4}")), "{ran}");

    // Answers stand over labels, and an answer that is taken back is no label.
    let [a, b] = &sample[0];
    let folder = folder.write("second.tsv", format!("{a}\t{b}\tn\r\n\n"));
    let run = "audit clusters.jsonl feed.jsonl -o labels.tsv --quiet --answers second.tsv";
    assert_eq!(folder.done(run).stderr, "");
    assert_eq!(self::labels(&folder, "labels.tsv")[0][2], "different");
    let folder = folder.write("second.tsv", format!("{a}\t{b}\tSkip\n"));
    folder.done(run);
    assert_eq!(self::labels(&folder, "labels.tsv").len(), 48);
}

#[test]
fn the_interval_closes_where_all_is_judged() {
    let folder = folder();
    let run = "audit clusters.jsonl feed.jsonl -o labels.tsv --pairs 100000";
    let ran = folder.run_on(run, "y\n".repeat(1000).as_bytes());
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.starts_with("precision 1.0000, 95 % interval 1.0000 to 1.0000; "), "{ran}");
    assert!(!ran.stdout.contains("too few") && !ran.stdout.contains("one was judged"), "{ran}");
    let labels = labels(&folder, "labels.tsv");
    assert_eq!(labels.len(), repeats(&folder).len());
    assert!(labels.iter().all(|label| label[4] == "1.0000"));
}

#[test]
fn pairs_are_shown_and_asked_for_until_the_end() {
    let folder = folder();
    let sample = listed(&folder, "clusters.jsonl feed.jsonl");
    let run = "audit clusters.jsonl feed.jsonl -o labels.tsv";
    let ran = folder.run_on(run, b"y\nperhaps\nNo\ns\nq\n");
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stderr.contains("\nPair 1 of 50\n") && ran.stderr.contains("\nPair 4 of 50\n"), "{ran}");
    assert!(!ran.stderr.contains("\nPair 5 of 50\n"), "{ran}");
    assert_eq!(ran.stderr.matches("\nPlease answer y, n, s or q.\n").count(), 1, "{ran}");
    assert!(ran.stderr.contains(&format!("\nA  {}, ", sample[0][0])), "{ran}");
    assert!(ran.stderr.contains(&format!("\nB  {}, ", sample[0][1])), "{ran}");
    assert!(ran.stdout.contains("; 2 of 50 pairs judged, of "), "{ran}");
    assert!(ran.stdout.contains("too few to tell\n") && ran.stdout.contains("none judged\n"), "{ran}");
    assert!(ran.stdout.contains("\nThe estimate stands for ") && ran.stdout.contains("None was judged of: "), "{ran}");
    let kinds = |folder: &Folder| -> Vec<String> {
        labels(folder, "labels.tsv").into_iter().map(|label| label[2].clone()).collect()
    };
    assert_eq!(kinds(&folder), ["same", "different"]);

    // What is answered is not asked again; what was skipped is; the end of stdin is the end.
    let ran = folder.run_on(&format!("{run} --quiet"), b"y\nn");
    assert_eq!(ran.code, 0, "{ran}");
    for (number, is_asked) in [(1, false), (2, false), (3, true), (4, true), (5, true), (6, false)] {
        assert_eq!(ran.stderr.contains(&format!("\nPair {number} of 50\n")), is_asked, "{number}: {ran}");
    }
    assert_eq!(kinds(&folder), ["same", "different", "same", "different"]);
    // A larger sample begins with what was judged.
    let ran = folder.run_on(&format!("{run} --pairs 60"), b"");
    assert!(ran.stdout.contains("; 4 of 60 pairs judged, of "), "{ran}");

    let folder = Folder::with_feed(&[line("a", "A\u{1b}[2J\nferry"), line("b", "a ferry")])
        .write("clusters.jsonl", "{\"id\":\"a\",\"representative\":\"b\",\"relation\":\"rewrite\",\"score\":0.7}\n");
    let ran = folder.run_on(run, b"");
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stderr.contains("\nA  a\n   A [2J ferry\n\nB  b\n   a ferry\n"), "{ran}");
    assert_eq!(ran.stdout, "no estimate: 0 of 1 pair judged, of 1 repeat\n");
    assert_eq!(folder.read("labels.tsv"), "");
}

#[test]
fn what_cannot_be_used_is_named() {
    let row = |id: &str, relation: &str, score: &str| {
        format!("{{\"id\":\"{id}\",\"representative\":\"a\",\"relation\":\"{relation}\",\"score\":{score}}}\n")
    };
    let feed = [line("a", "one"), line("b", "one"), line("c", "two"), line("c", "three")];
    let good = row("b", "near", "0.9");
    for (clusters, message) in [
        (String::new(), "clusters.jsonl: no article repeats another: there is nothing to judge"),
        (row("a", "self", "1.0"), "clusters.jsonl: no article repeats another: there is nothing to judge"),
        ("b\ta\tsame\n".to_string(), "clusters.jsonl:1: no JSON object"),
        (
            "{\"id\":\"a\",\"text\":\"one\"}\n".to_string(),
            "clusters.jsonl:1: no `representative`; expected what `samestory cluster -o` wrote\n",
        ),
        (
            row("b", "followup", "0.2"),
            "clusters.jsonl:1: relation 'followup' to another article, expected one of exact, near, update, excerpt, rewrite",
        ),
        (row("b", "near", "90"), "clusters.jsonl:1: score '90', expected 0 to 1"),
        (format!("{good}{good}"), "clusters.jsonl: id 'b' stands more than once"),
        (row("b\\t", "near", "0.9"), "clusters.jsonl:1: id \"b\\t\" holds a tab or line break, which labels cannot"),
        (
            format!("{good}{}", row("x", "near", "0.9")),
            "clusters.jsonl:2: no article with id 'x' in the articles given\n",
        ),
        (
            format!("{}{}", row("x", "near", "0.9"), row("y", "near", "0.9")),
            "clusters.jsonl:1: no article with id 'x' in the articles given (1 more missing)\n",
        ),
        (row("c", "near", "0.9"), "id 'c' stands for two texts: feed.jsonl:3 and feed.jsonl:4"),
    ] {
        let folder = Folder::with_feed(&feed).write("clusters.jsonl", clusters);
        let ran = folder.run("audit clusters.jsonl feed.jsonl -o labels.tsv");
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran}");
        assert!(ran.stderr.starts_with(&format!("error: {message}")), "{ran}");
        assert_eq!(folder.names(), ["clusters.jsonl", "feed.jsonl"]);
    }
    let none = "'a' and 'x' are not in the sample of 1 pair: of other clusters, --seed or --pairs?";
    for (answers, message) in [
        ("a\tb\n", "answers.tsv:1: expected id, id and y, n or s, separated by tabs"),
        ("a\tb\tmaybe\n", "answers.tsv:1: answer 'maybe', expected y, n or s"),
        ("a\tb\tq\n", "answers.tsv:1: answer 'q', expected y, n or s"),
        ("a\tb\ty\nb\ta\tn\n", "answers.tsv:2: the pair has another answer in line 1"),
        ("a\tx\ty\n", &format!("answers.tsv:1: {none}")),
    ] {
        let folder =
            Folder::with_feed(&feed).write("clusters.jsonl", good.as_bytes()).write("answers.tsv", answers.as_bytes());
        let ran = folder.run("audit clusters.jsonl feed.jsonl -o labels.tsv --answers answers.tsv");
        assert_eq!((ran.code, ran.stderr), (1, format!("error: {message}\n")));
    }
    // A file that holds other labels, or none, is not replaced.
    for (labels, message) in [
        ("a\tx\tsame\n", format!("labels.tsv:1: {none} Choose another name for -o")),
        ("{\"id\":\"a\"}\n", "labels.tsv:1: expected id, id and label, separated by tabs".to_string()),
    ] {
        let folder = Folder::with_feed(&feed).write("clusters.jsonl", good.as_bytes()).write("labels.tsv", labels);
        let ran = folder.run_on("audit clusters.jsonl feed.jsonl -o labels.tsv", b"y\n");
        assert_eq!((ran.code, ran.stderr), (1, format!("error: {message}\n")));
        assert_eq!(folder.read("labels.tsv"), labels);
    }
    let folder = Folder::with_feed(&feed).write("clusters.jsonl", good.as_bytes());
    for (args, message) in [
        ("audit clusters.jsonl feed.jsonl", "--output <FILE>"),
        ("audit clusters.jsonl feed.jsonl -o labels.tsv --pairs 0", "--pairs"),
        ("audit clusters.jsonl feed.jsonl -o labels.tsv --list pairs.jsonl", "--list"),
        ("audit clusters.jsonl feed.jsonl -o -", "both the estimate and -o would write it"),
        ("audit clusters.jsonl feed.jsonl -o clusters.jsonl", "is read, and would be replaced by -o"),
        ("audit clusters.jsonl - -o labels.tsv", "stdin is read and cannot hold answers too"),
    ] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran}");
        assert!(ran.stderr.contains(message), "{args}: {ran}");
    }
    assert_eq!(folder.names(), ["clusters.jsonl", "feed.jsonl"]);
}
