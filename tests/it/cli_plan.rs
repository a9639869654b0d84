//! `samestory plan`: what it predicts against what then happens, and what it warns of.

use crate::made_feed::generate::{Feed, Made, Mixture};
use crate::support::{Folder, feed_lines, json, line, shuffled};
use serde_json::Value;

const NUM_ARTICLES: usize = 16_000;
const PER_DAY: u64 = 400;

fn lines(mixture: Mixture, num_articles: usize) -> Vec<String> {
    let of = |made: Made| {
        let Made { id, text, title, source, published, .. } = made;
        serde_json::json!({"id": id, "text": text, "title": title, "source": source, "published": published.to_string()})
            .to_string()
    };
    Feed::new(7, mixture, PER_DAY).take(num_articles).map(of).collect()
}

fn plan(folder: &Folder, args: &str) -> Value {
    json(&folder.done(&format!("plan feed.jsonl --json --quiet {args}")).stdout)
}

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {path} in {value}"))
}

/// Where `plan` predicts what stands where in `cluster --stats`.
const PREDICTED: [(&str, &str); 3] = [
    ("/predicted/candidates", "/candidates"),
    ("/predicted/keys", "/keys"),
    ("/predicted/memory_bytes/peak", "/peak_memory_bytes"),
];

fn assert_near(plan: &Value, stats: &Value, factor: f64) {
    for (predicted, actual) in PREDICTED {
        // Only Linux tells a process how much memory it held at most.
        if stats.pointer(actual).is_some_and(Value::is_null) {
            continue;
        }
        let ratio = number(plan, predicted) / number(stats, actual);
        assert!((1.0 / factor..factor).contains(&ratio), "{predicted}: {ratio} of {}", number(stats, actual));
    }
}

#[test]
fn what_is_predicted_comes_to_pass() {
    let feed = lines(Mixture::News, NUM_ARTICLES);
    let folder = Folder::with_feed(&feed);
    folder.done("cluster feed.jsonl -o clusters.jsonl --stats stats.json --quiet");
    let stats = json(&folder.read("stats.json"));

    // From a quarter of the articles, and from the first quarter of the time.
    let quarter = plan(&folder, &format!("--sample {}", NUM_ARTICLES / 4));
    assert!((0.2..0.3).contains(&number(&quarter, "/sample/share")));
    assert_near(&quarter, &stats, 1.5);
    let clusters_len = std::fs::metadata(folder.path("clusters.jsonl")).unwrap().len() as f64;
    let ratio = number(&quarter, "/predicted/disk_bytes/clusters") / clusters_len;
    assert!((0.9..1.1).contains(&ratio), "{ratio} of {clusters_len} bytes");
    let start = Folder::with_feed(&feed[..NUM_ARTICLES / 4]);
    let grown = plan(&start, &format!("--articles {NUM_ARTICLES}"));
    assert_eq!(grown["sample"]["in_order_of"], "time");
    assert_near(&grown, &stats, 1.5);
    assert_eq!((number(&grown, "/feed/articles"), number(&grown, "/predicted/articles")), (4_000.0, 16_000.0));

    // From all of them it is no estimate.
    let whole = plan(&folder, &format!("--sample {NUM_ARTICLES}"));
    assert_eq!(number(&whole, "/predicted/candidates"), number(&stats, "/candidates"));
    let copies = number(&whole, "/predicted/exact_copies") / number(&stats, "/exact_copies");
    assert!((0.9..1.1).contains(&copies), "{copies}");
}

#[test]
fn a_plan_is_of_the_set() {
    let feed = lines(Mixture::News, 1_000);
    let planned = |lines: Vec<String>, threads: usize| {
        let mut plan = plan(&Folder::with_feed(&lines), &format!("--sample 400 --threads {threads}"));
        let predicted = plan["predicted"].as_object_mut().expect("an object");
        for varying in ["seconds", "threads", "memory_bytes"] {
            predicted.remove(varying).expect("it is there");
        }
        plan
    };
    assert_eq!(planned(feed.clone(), 1), planned(shuffled(feed, 5), 3));
}

#[test]
fn what_has_been_outgrown_is_said() {
    let folder = Folder::with_feed(&lines(Mixture::News, 2_500));
    folder.done("weights feed.jsonl -o own.weights --quiet");
    // The made feed's words are not those of the table that ships.
    let ran = folder.done("plan feed.jsonl --articles 2000000");
    let warnings: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 2, "{ran}");
    assert!(warnings[0].contains("the weights have aged") && warnings[0].contains("samestory weights"), "{ran}");
    assert!(
        warnings[1].ends_with("outgrows the profile's capacity of 1,000,000: set capacity = 10000000 in its [sketch]")
    );
    assert!(ran.stdout.contains("  weights    aged: ") && ran.stdout.contains("  capacity   10,000,000: "), "{ran}");
    let ran = folder.done("plan feed.jsonl --articles 1000000 --weights own.weights");
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.contains("  weights    fresh: "), "{ran}");
    assert!(ran.stdout.contains("  capacity   1,000,000 of the profile suffice\n"), "{ran}");
    // Rare words alone make no key at the level of near copies.
    assert!(plan(&folder, "--level near")["weights"].is_null());
}

#[test]
fn crowded_buckets_are_named_with_headlines() {
    let feed = lines(Mixture::Templates, 300);
    let articles: Vec<Value> = feed.iter().map(|line| json(line)).collect();
    let folder = Folder::with_feed(&feed);
    let whole = plan(&folder, "");
    let largest = &whole["crowded"][0];
    assert!(number(largest, "/articles") > 100.0, "{whole}");
    let examples = largest["examples"].as_array().expect("a list");
    assert_eq!(examples.len(), 2);
    for example in examples {
        let of_id = |line: &&Value| line["id"] == example["id"];
        assert_eq!(example["title"], articles.iter().find(of_id).expect("of the feed")["title"]);
    }
    // A third of them tell of the same crowd.
    let third = plan(&folder, "--sample 100");
    let ratio = number(&third, "/crowded/0/articles") / number(largest, "/articles");
    assert!((0.67..1.5).contains(&ratio), "{ratio}");
    folder.done("cluster feed.jsonl -o clusters.jsonl --stats stats.json --quiet");
    assert_eq!(number(&whole, "/predicted/candidates"), number(&json(&folder.read("stats.json")), "/candidates"));
}

#[test]
fn little_and_bad_input_is_planned_for() {
    let mut lines = feed_lines()[..3].to_vec();
    lines.push("no article".to_string());
    lines.push(line("empty", ""));
    let folder = Folder::with_feed(&lines);
    let ran = folder.done("plan feed.jsonl --rejects rejects.jsonl");
    assert!(ran.stdout.starts_with("4 articles, "), "{ran}");
    assert!(ran.stdout.contains("1 record that could not be read, skipped\n"), "{ran}");
    assert!(ran.stderr.starts_with("warning: feed.jsonl:4: "), "{ran}");
    assert_eq!(folder.read("rejects.jsonl").lines().count(), 1);
    let ran = folder.run("plan feed.jsonl --on-error fail");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert_eq!(folder.run("plan missing.jsonl").code, 1);
    assert_eq!(folder.run("plan feed.jsonl --sample 1").code, 2);
    assert_eq!(folder.run("plan feed.jsonl --rejects feed.jsonl").code, 2);
    let none = folder.run_on("plan - --json", b"");
    assert_eq!((none.code, number(&json(&none.stdout), "/predicted/candidates")), (0, 0.0), "{none}");
}
