//! `samestory calibrate`: labels to a profile, the threshold from the precision asked for, labels that cannot be used.

use crate::support::{Folder, Ran, feed_lines, feed_lines_of, field, fixture, json, line, rows, shuffled};
use samestory::Profile;

/// Pairs within the families of the fixtures: one telling where gold has them in one cluster.
fn labels() -> Vec<String> {
    let gold = rows(&std::fs::read_to_string(fixture("gold.jsonl")).expect("the fixture is in the tree"));
    let mut labels = Vec::new();
    for (i, first) in gold.iter().enumerate() {
        for second in gold[i + 1..].iter().filter(|second| second["family"] == first["family"]) {
            let label = if second["cluster"] == first["cluster"] { "same" } else { "different" };
            labels.push(format!("{}\t{}\t{label}", field(first, "id"), field(second, "id")));
        }
    }
    labels
}

fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// A folder with the fixture feed and these labels.
fn folder(labels: &[String]) -> Folder {
    Folder::with_feed(&feed_lines()).write("labels.tsv", text(labels))
}

fn profile(folder: &Folder, name: &str) -> Profile {
    Profile::from_toml(name, &folder.read(name)).expect("what was written can be read")
}

/// The number that follows `head` in what a run said.
fn number_after(ran: &Ran, head: &str) -> f64 {
    let (_, rest) = ran.stderr.split_once(head).unwrap_or_else(|| panic!("no '{head}' in {ran}"));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    rest[..end].parse().unwrap_or_else(|error| panic!("{error}: '{}' after '{head}'", &rest[..end]))
}

#[test]
fn the_threshold_follows_the_precision() {
    let folder = folder(&labels());
    let mut last = 0;
    for asked in [0.90, 0.96, 0.98] {
        let ran = folder.done(&format!("calibrate labels.tsv feed.jsonl -o mine.toml --precision {asked}"));
        let head = format!("the smallest with precision {asked}: precision ");
        assert!(number_after(&ran, &head) >= asked - 0.0001, "{ran}");
        let percent = profile(&folder, "mine.toml").verdict().match_percent;
        assert_eq!((number_after(&ran, "\nthreshold ") * 100.0).round() as u32, percent, "{ran}");
        assert!(percent >= last, "{percent} after {last}");
        last = percent;
        assert!(folder.read("mine.toml").contains(&format!(" pairs, precision {asked} at prevalence 0.")));
    }
    let builtin = Profile::default();
    let strict = profile(&folder, "mine.toml");
    assert!(last > 1);
    assert_eq!(strict.sketch_id(), builtin.sketch_id());
    assert_ne!(strict.model(), builtin.model());

    let ran = folder.done("cluster feed.jsonl -o - --profile mine.toml --quiet");
    assert_eq!(rows(&ran.stdout).len(), feed_lines().len());
    // The threshold in the profile is the one in force.
    let pair = "korea-exports/base korea-exports/heavy --feed feed.jsonl --json --profile mine.toml";
    let ran = folder.run(&format!("compare {pair}"));
    assert!(ran.code < 2, "{ran}");
    assert_eq!(json(&ran.stdout)["threshold"].as_f64(), Some(f64::from(last) / 100.0), "{ran}");
}

#[test]
fn without_a_precision_the_threshold_stays() {
    let shipped = format!("match_percent = {}", Profile::default().verdict().match_percent);
    let toml = Profile::default().to_toml().replace(&shipped, "match_percent = 64");
    let folder = folder(&labels()).write("base.toml", toml);
    let ran = folder.done("calibrate labels.tsv feed.jsonl -o mine.toml --profile base.toml --note by-hand");
    let mine = profile(&folder, "mine.toml");
    assert_eq!(mine.verdict().match_percent, 64);
    assert!(folder.read("mine.toml").contains("made_by = \"by-hand\"\n"));
    assert!(ran.stderr.contains("\nthreshold 0.64, as in the profile before: precision 0."), "{ran}");
    assert!(ran.stderr.contains(", as in the labels, by weight; --prevalence states that of a feed\n"), "{ran}");
    assert_eq!(ran.stdout, "");

    let ran = folder.done("calibrate labels.tsv feed.jsonl -o quiet.toml --profile base.toml --note by-hand --quiet");
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    assert_eq!(folder.read("quiet.toml"), folder.read("mine.toml"));
}

#[test]
fn rarer_true_pairs_need_a_higher_threshold() {
    let folder = folder(&labels());
    let asked = "calibrate labels.tsv feed.jsonl -o mine.toml --precision 0.9";
    let mut last = 0;
    for share in [0.8, 0.4, 0.2] {
        let ran = folder.done(&format!("{asked} --prevalence {share}"));
        assert!(ran.stderr.contains(&format!("\nshare of true pairs {share:.4}, as stated\n")), "{ran}");
        let percent = profile(&folder, "mine.toml").verdict().match_percent;
        assert!(percent >= last, "{percent} after {last}");
        last = percent;
    }
    assert_ne!(last, 0);
    // Twice the candidates, twice the wrongful removals; the threshold does not move.
    let removals = |options: &str| {
        let ran = folder.done(&format!("calibrate labels.tsv feed.jsonl -o mine.toml {options}"));
        number_after(&ran, "at most ")
    };
    let (one, two) = (removals("--candidates-per-article 10"), removals("--candidates-per-article 20"));
    assert!(one > 0.0 && (two - 2.0 * one).abs() <= 0.02, "{one} and {two}");
    let default = removals("");
    assert!((default - 0.27 * one).abs() <= 0.01, "{default} and {one}");
}

#[test]
fn one_set_of_labels_gives_one_profile() {
    let weighted = |labels: Vec<String>| -> Vec<String> {
        labels
            .into_iter()
            .enumerate()
            .map(|(i, label)| format!("{label}\tnote\t{}", 1.0 + (i % 7) as f64 * 0.3))
            .collect()
    };
    let labels = weighted(labels());
    let turned: Vec<String> = labels
        .iter()
        .enumerate()
        .map(|(i, label)| match label.split('\t').collect::<Vec<_>>()[..] {
            [a, b, ref rest @ ..] if i % 2 == 0 => format!("{b}\t{a}\t{}", rest.join("\t")),
            _ => label.clone(),
        })
        .collect();
    let folder = folder(&labels)
        .write("turned.tsv", text(&shuffled(turned, 5)))
        .write("shuffled.jsonl", text(&shuffled(feed_lines(), 6)));
    let of = |inputs: &str| {
        folder.done(&format!("calibrate {inputs} -o mine.toml --precision 0.95 --quiet"));
        folder.read("mine.toml")
    };
    let expected = of("labels.tsv feed.jsonl");
    assert_eq!(of("turned.tsv feed.jsonl"), expected);
    assert_eq!(of("turned.tsv shuffled.jsonl --threads 1"), expected);
    assert_ne!(of("labels.tsv feed.jsonl --folds 4 --prevalence 0.1"), expected);
}

#[test]
fn a_precision_out_of_reach_is_an_error_that_names_the_best() {
    // Each pair once more, its second article under another id and with the other label: no verdict can tell.
    let opposite = |label: &str| if label == "same" { "different" } else { "same" };
    let twin = |label: &String| match label.split('\t').collect::<Vec<_>>()[..] {
        [a, b, label] => format!("{a}\t{b}/copy\t{}", opposite(label)),
        _ => panic!("three cells: {label}"),
    };
    let mut labels = labels();
    labels.extend(labels.iter().map(twin).collect::<Vec<_>>());
    let mut feed = feed_lines();
    feed.extend(feed_lines().iter().map(|line| line.replacen("\", \"title\"", "/copy\", \"title\"", 1)));
    let folder = Folder::with_feed(&feed).write("labels.tsv", text(&labels)).write("mine.toml", "from before");

    let ran = folder.run("calibrate labels.tsv feed.jsonl -o mine.toml --precision 0.6");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran}");
    let head = "error: labels.tsv: no threshold has precision 0.6 on these labels; \
                the best is 0.5000, at threshold 0.01 with recall 0.";
    // After the curve, which says what can be had.
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(lines.last().is_some_and(|last| last.starts_with(head)), "{ran}");
    assert!(lines[0].starts_with("probability   precision") && lines.len() > 10, "{ran}");
    let quiet = folder.run("calibrate labels.tsv feed.jsonl -o mine.toml --precision 0.6 --quiet");
    assert_eq!(quiet.stderr.lines().collect::<Vec<_>>(), [lines[lines.len() - 1]]);
    assert_eq!(folder.names(), ["feed.jsonl", "labels.tsv", "mine.toml"]);
    assert_eq!(folder.read("mine.toml"), "from before");

    // What it names can be had.
    folder.done("calibrate labels.tsv feed.jsonl -o mine.toml --precision 0.5");
    assert_eq!(profile(&folder, "mine.toml").verdict().match_percent, 1);
}

#[test]
fn a_share_out_of_range_is_a_usage_error() {
    let folder = folder(&[]);
    for option in [
        "--precision 0",
        "--precision 1",
        "--precision 99",
        "--precision=-0.5",
        "--precision nan",
        "--precision high",
        "--precision",
        "--prevalence 0",
        "--prevalence 1.0",
        "--candidates-per-article 0",
        "--candidates-per-article inf",
        "--folds 1",
    ] {
        let ran = folder.run(&format!("calibrate labels.tsv feed.jsonl -o mine.toml {option}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{option}: {ran}");
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains(option.split([' ', '=']).next().expect("a word")),
            "{option}: {ran}"
        );
    }
    assert_eq!(folder.names(), ["feed.jsonl", "labels.tsv"]);
}

#[test]
fn labels_that_cannot_be_used_are_named_with_their_line() {
    let [a, b] = ["korea-exports/base", "korea-exports/heavy"];
    let good = format!("{a}\t{b}\tsame");
    for (label, message) in [
        (format!("{a}\t{b}"), "labels.tsv:3: expected id, id and label, separated by tabs".to_string()),
        (format!("{a}\t{b}\tSame"), "labels.tsv:3: label 'Same', expected `same` or `different`".to_string()),
        (format!("{a}\tnobody\tsame"), "labels.tsv:3: no article with id 'nobody'".to_string()),
        (format!("{a}\t\tsame"), "labels.tsv:3: no article with id ''".to_string()),
        (format!("{a}\t{a}\tsame"), format!("labels.tsv:3: '{a}' is paired with itself")),
        (format!("{a}\t{b}\tdifferent"), "labels.tsv:3: the pair has the other label in line 1".to_string()),
        (format!("{b}\t{a}\tdifferent"), "labels.tsv:3: the pair has the other label in line 1".to_string()),
        (format!("{good}\t\theavy"), "labels.tsv:3: weight 'heavy' is no number".to_string()),
        (format!("{good}\t\t0"), "labels.tsv:3: weight 0, expected more than 0 and at most 1000000000".to_string()),
        (format!("{good}\t\t-1"), "labels.tsv:3: weight -1, expected more than 0 and at most 1000000000".to_string()),
        (format!("{good}\t\tNaN"), "labels.tsv:3: weight NaN, expected more than 0 and at most 1000000000".to_string()),
        (format!("{good}\t\t1e10"), "labels.tsv:3: weight 10000000000, expected more than 0 and at most".to_string()),
        // An empty weight is none: what is amiss is that no label differs.
        (format!("{good}\t\t"), "labels.tsv: the labels are all of one kind: both `same` and".to_string()),
    ] {
        let folder = folder(&[good.clone(), String::new(), label.clone()]);
        let ran = folder.run("calibrate labels.tsv feed.jsonl -o mine.toml");
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{label}: {ran}");
        assert!(ran.stderr.starts_with(&format!("error: {message}")), "{label}: {ran}");
        assert_eq!(folder.names(), ["feed.jsonl", "labels.tsv"]);
    }
    for (labels, message) in [
        (vec![], "labels.tsv: the labels are all of one kind"),
        (vec![format!("{a}\tkorea-exports/template\tdifferent")], "labels.tsv: the labels are all of one kind"),
        // Both kinds, but all of one family: no part can be tested by a model of the others.
        (vec![good, format!("{a}\tkorea-exports/template\tdifferent")], "labels.tsv: without part "),
    ] {
        let ran = folder(&labels).run("calibrate labels.tsv feed.jsonl -o mine.toml");
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.stderr.starts_with(&format!("error: {message}")), "{ran}");
    }
    let ran = folder(&[]).run("calibrate absent.tsv feed.jsonl -o mine.toml");
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.starts_with("error: absent.tsv: cannot open: "), "{ran}");
}

#[test]
fn an_id_of_two_texts_is_refused_and_of_one_text_is_not() {
    let [a, b] = ["korea-exports/base", "korea-exports/heavy"];
    let mut feed = feed_lines_of(&[a, b]);
    feed.push(line(b, "Another text altogether."));
    let label = format!("{a}\t{b}\tsame\n");
    let folder = Folder::with_feed(&feed).write("labels.tsv", label);
    let ran = folder.run("calibrate labels.tsv feed.jsonl -o mine.toml");
    let message = format!("error: labels.tsv:1: id '{b}' stands for two texts: feed.jsonl:2 and feed.jsonl:3\n");
    assert_eq!((ran.code, ran.stderr), (1, message));
    // The newest stands where that is asked for: the fit then fails for want of labels, no longer for the id.
    let ran = folder.run("calibrate labels.tsv feed.jsonl -o mine.toml --versions newest");
    assert!(!ran.stderr.contains("stands for two texts"), "{ran}");

    // The same article twice, once without its headline: one profile whichever comes first.
    let bare: Vec<String> = feed_lines()
        .iter()
        .map(|line| {
            let row = json(line);
            serde_json::json!({ "id": row["id"], "text": row["text"] }).to_string()
        })
        .collect();
    let folder = self::folder(&labels()).write("bare.jsonl", text(&bare));
    let of = |inputs: &str| {
        folder.done(&format!("calibrate labels.tsv {inputs} -o mine.toml --quiet"));
        folder.read("mine.toml")
    };
    assert_eq!(of("feed.jsonl bare.jsonl"), of("bare.jsonl feed.jsonl"));
}

#[test]
fn pairs_the_verdict_never_scores_are_counted_apart() {
    let german = "Der Fährbetrieb zwischen den Inseln wurde am Montag eingestellt, nachdem ein Schiff vor der Küste auf \
                  Grund gelaufen war. Niemand wurde verletzt, sagte ein Sprecher der Küstenwache, und die Passagiere \
                  wurden von Fischern an Land gebracht.";
    let mut feed = feed_lines();
    feed.extend([line("x", german), line("y", german), line("short", "Qtly div 12 cts")]);
    let mut labels = labels();
    labels.push("x\ty\tsame".to_string());
    labels.push("short\tkorea-exports/base\tdifferent".to_string());
    labels.push("ferry-grounding/base\tkorea-exports/base\tdifferent".to_string());
    let without = folder(&self::labels()).done("calibrate labels.tsv feed.jsonl -o mine.toml");
    let folder = Folder::with_feed(&feed).write("labels.tsv", text(&labels));
    let ran = folder.done("calibrate labels.tsv feed.jsonl -o mine.toml");
    let stopped = |ran: &Ran| -> u64 {
        let split =
            |line: &str| line.split_once(" pairs too short or too unlike to be scored").map(|(n, _)| n.trim().parse());
        ran.stderr.lines().find_map(split).map_or(0, |number| number.expect("a small number"))
    };
    assert_eq!(stopped(&ran), stopped(&without) + 2, "{ran}\n{without}");
    assert!(ran.stderr.contains("\n  1 pair more left out: no word weights for the language\n"), "{ran}");
    assert!(!without.stderr.contains("left out"), "{without}");
}

#[test]
fn measurements_can_be_left_out() {
    let folder = folder(&labels());
    let of = |options: &str| {
        folder.done(&format!("calibrate labels.tsv feed.jsonl -o mine.toml --quiet {options}"));
        let terms: Vec<String> = profile(&folder, "mine.toml").model().terms().map(|(name, _)| name).collect();
        (terms, folder.read("mine.toml"))
    };
    let (all, toml) = of("");
    assert!(toml.contains(&format!("\nnum_terms = {}\n", all.len())), "{toml}");

    let (rest, toml) = of("--without title_cover,lead_both");
    let is_left_out = |term: &&String| term.contains("title_cover") || term.contains("lead_both");
    assert!(all.iter().filter(is_left_out).any(|term| term.contains('*')));
    assert_eq!(rest, all.iter().filter(|term| !is_left_out(term)).cloned().collect::<Vec<_>>());
    assert!(toml.contains(&format!("\nnum_terms = {}\n", rest.len())), "{toml}");
    assert!(toml.contains(" pairs, without title_cover, lead_both\"\n"), "{toml}");
    // The same in two options, and a profile that can be used.
    assert_eq!(of("--without title_cover --without lead_both"), (rest, toml));
    let ran = folder.done("cluster feed.jsonl -o - --profile mine.toml --quiet");
    assert_eq!(rows(&ran.stdout).len(), feed_lines().len());
    // Time apart is no term of the fit.
    assert_eq!(of("--without time_apart").0, all);

    let names = samestory::profile::Measurement::ALL.map(|measurement| measurement.name()).join(",");
    for (names, message) in [
        ("title_cove", "tip: a similar value exists: 'title_cover'"),
        ("title_cover,", "a value is required for '--without <MEASUREMENT>'"),
        (names.as_str(), "error: --without leaves no measurement for the fit"),
    ] {
        let ran = folder.run(&format!("calibrate labels.tsv feed.jsonl -o other.toml --without {names}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran}");
        assert!(ran.stderr.contains(message), "{ran}");
    }
    assert_eq!(folder.names(), ["feed.jsonl", "labels.tsv", "mine.toml"]);
}
