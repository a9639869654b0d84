//! `samestory sketch`: what other pipelines get.

use crate::support::{Folder, family, feed_lines, field, line, rows};
use samestory::engine::stages::Stages;
use samestory::sketch::estimated_jaccard;
use samestory::{Article, Engine, Profile};
use serde_json::Value;

fn numbers(row: &Value, name: &str) -> Vec<u64> {
    row[name].as_array().expect("a list").iter().map(|number| number.as_u64().expect("a number")).collect()
}

#[test]
fn rows_are_the_librarys_in_the_order_of_the_input() {
    let folder = Folder::with_feed(&feed_lines());
    let ran = folder.done("sketch feed.jsonl -o - --threads 3");
    assert_eq!(ran.stderr, "356 articles sketched in -\n");
    let (stages, sketched) = (Stages::new(Engine::new(Profile::default())), rows(&ran.stdout));
    assert_eq!(sketched.len(), 356);
    for (line, row) in rows(&feed_lines().join("\n")).iter().zip(&sketched) {
        let mut article = Article::new(field(line, "id"), field(line, "text"));
        article.title = line["title"].as_str().map(str::to_string);
        let sketches = stages.sketcher().sketches(&article);
        assert_eq!((field(row, "id"), numbers(row, "keys")), (field(line, "id"), sketches.keys));
        assert_eq!(row["exact_key"].as_str(), sketches.exact_key.map(|key| format!("{key:032x}")).as_deref());
        assert_eq!(field(row, "fingerprint"), format!("{:016x}", sketches.fingerprint));
        assert!(numbers(row, "signature").iter().copied().eq(sketches.signature.iter().copied().map(u64::from)));
    }
    assert_eq!(folder.done("sketch feed.jsonl -o - --threads 1 --quiet").stdout, ran.stdout);
}

#[test]
fn copies_agree_and_rewrites_share_keys() {
    let folder = Folder::with_feed(&family());
    let of = |options: &str| rows(&folder.done(&format!("sketch feed.jsonl -o - --quiet {options}")).stdout);
    let sketched = of("");
    let named = |kind: &str| {
        sketched
            .iter()
            .find(|row| field(row, "id").ends_with(kind))
            .unwrap_or_else(|| panic!("no {kind} in the family"))
    };
    let shared = |one: &Value, other: &Value| {
        let other = numbers(other, "keys");
        numbers(one, "keys").iter().filter(|key| other.binary_search(key).is_ok()).count()
    };
    assert!(shared(named("/base"), named("/heavy")) > 0);
    let slots = |row: &Value| numbers(row, "signature").iter().map(|slot| *slot as u32).collect::<Vec<_>>();
    assert!(estimated_jaccard(&slots(named("/base")), &slots(named("/light"))) > 0.5);
    // Keys for near copies are some of those; of equal texts there are none.
    assert!(of("--level near").iter().zip(&sketched).all(|(near, all)| {
        let all = numbers(all, "keys");
        let near = numbers(near, "keys");
        near.len() <= all.len() && near.iter().all(|key| all.binary_search(key).is_ok())
    }));
    assert!(of("--level exact").iter().all(|row| numbers(row, "keys").is_empty()));
}

#[test]
fn texts_without_words_have_no_sketches() {
    let folder = Folder::with_feed(&[line("empty", ""), line("short", "Rain.")]);
    let sketched = rows(&folder.done("sketch feed.jsonl -o - --quiet").stdout);
    assert!(sketched[0]["exact_key"].is_null() && sketched[0]["signature"].is_null());
    assert!(sketched[1]["exact_key"].is_string() && numbers(&sketched[1], "keys").is_empty());
    for name in ["x.csv", "x.sqlite", "x.txt"] {
        let ran = folder.run(&format!("sketch feed.jsonl -o {name}"));
        assert!(ran.code == 2 && ran.stderr.contains("expected a name that ends in .jsonl"), "{ran}");
    }
}

#[test]
fn parquet_has_a_row_an_article() {
    let folder = Folder::with_feed(&feed_lines());
    folder.done("sketch feed.jsonl -o sketches.parquet --quiet");
    let bytes = std::fs::read(folder.path("sketches.parquet")).expect("it was written");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    // Read by this program, each row is an article without a text.
    let ran = folder.done("cluster sketches.parquet -o -");
    assert_eq!(rows(&ran.stdout).len(), 356);
    assert!(ran.stderr.contains("356 records have no field 'text'"), "{ran}");
}
