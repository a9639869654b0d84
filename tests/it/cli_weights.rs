//! `samestory weights`: a feed's own table, and tables that are refused.

use crate::support::{Folder, feed_lines, gzip, json, line, rows, shuffled, zstd};
use samestory::profile::Weights;

/// A folder with the fixture feed and a table made from it.
fn folder() -> Folder {
    let folder = Folder::with_feed(&feed_lines());
    folder.done("weights feed.jsonl -o own.weights --quiet");
    folder
}

fn bytes(folder: &Folder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path(name)).expect("the table was written")
}

#[test]
fn a_table_counts_articles() {
    let folder = folder();
    let table = Weights::from_bytes("own", &bytes(&folder, "own.weights")).unwrap();
    assert_eq!((table.language(), table.num_articles()), ("en", feed_lines().len() as u64));
    assert!(table.len() > 1000, "{} words", table.len());
    let ran = folder.done("weights feed.jsonl -o few.weights --min-count 50");
    let few = Weights::from_bytes("few", &bytes(&folder, "few.weights")).unwrap();
    assert!((1..table.len()).contains(&few.len()), "{} words", few.len());
    assert_eq!(ran.stderr, format!("{} words of 356 articles in few.weights\n", few.len()));
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_table_is_of_a_language_not_of_a_region() {
    let lines = ["pt-BR", "por", "pt", "en"].iter().enumerate().map(|(i, tag)| {
        serde_json::json!({"id": i.to_string(), "text": format!("A balsa {i} encalhou."), "language": tag}).to_string()
    });
    let folder = Folder::with_feed(&lines.collect::<Vec<_>>());
    for tag in ["pt-BR", "por", "PT"] {
        folder.done(&format!("weights feed.jsonl -o pt.weights --language {tag} --quiet"));
        let table = Weights::from_bytes("pt", &bytes(&folder, "pt.weights")).unwrap();
        assert_eq!((table.language(), table.num_articles()), ("pt", 3), "{tag}");
    }
    for tag in ["", "p", "português", "abcdefghi", "1"] {
        let ran = folder.run_args(&["weights", "feed.jsonl", "-o", "x.weights", "--language", tag]);
        assert_eq!(ran.code, 2, "{tag}");
        assert!(ran.stderr.contains("expected a language tag"), "{}", ran.stderr);
    }
}

#[test]
fn order_and_repeats_do_not_change_a_table() {
    let mut lines = feed_lines();
    // Another id, the same text: one article.
    let text = json(&lines[0])["text"].as_str().unwrap().to_string();
    lines.push(line("copy", &text));
    let other = Folder::with_feed(&shuffled(lines, 3));
    other.done("weights feed.jsonl -o own.weights --quiet");
    assert_eq!(bytes(&other, "own.weights"), bytes(&folder(), "own.weights"));
}

#[test]
fn a_table_is_taken_in_place_of_the_one_built_in() {
    let folder = folder();
    let id = |options: &str| {
        folder.done(&format!("cluster feed.jsonl -o clusters.jsonl --stats stats.json --quiet {options}"));
        assert_eq!(rows(&folder.read("clusters.jsonl")).len(), feed_lines().len());
        json(&folder.read("stats.json"))["sketch_id"].as_str().unwrap().to_string()
    };
    let builtin = id("");
    let own = id("--weights own.weights");
    assert_ne!(own, builtin);
    // With a profile as well: the profile says nothing of weights.
    let folder = folder.write("base.toml", samestory::Profile::default().to_toml());
    let id = |options: &str| {
        folder.done(&format!("cluster feed.jsonl -o clusters.jsonl --stats stats.json --quiet {options}"));
        json(&folder.read("stats.json"))["sketch_id"].as_str().unwrap().to_string()
    };
    assert_eq!(id("--profile base.toml --weights own.weights"), own);
    assert_eq!(id("--profile base.toml"), builtin);
    for command in
        ["dedup feed.jsonl -o kept.jsonl", "compare korea-exports/base korea-exports/light --feed feed.jsonl"]
    {
        let ran = folder.run(&format!("{command} --weights own.weights"));
        assert!(ran.code == 0, "{command}: {ran}");
    }
}

#[test]
fn packed_tables_and_profiles_are_read_as_plain_ones() {
    let folder = folder();
    let id = |options: &str| {
        folder.done(&format!("cluster feed.jsonl -o clusters.jsonl --stats stats.json --quiet {options}"));
        json(&folder.read("stats.json"))["sketch_id"].as_str().unwrap().to_string()
    };
    let plain = id("--weights own.weights");
    for (end, pack) in [("gz", gzip as fn(&[u8]) -> Vec<u8>), ("zst", zstd)] {
        folder.done(&format!("weights feed.jsonl -o own.weights.{end} --quiet"));
        // Known by its bytes, not by its name.
        std::fs::rename(folder.path(&format!("own.weights.{end}")), folder.path("packed")).unwrap();
        assert_ne!(bytes(&folder, "packed"), bytes(&folder, "own.weights"));
        assert_eq!(id("--weights packed"), plain);
        std::fs::write(folder.path("profile"), pack(samestory::Profile::default().to_toml().as_bytes())).unwrap();
        assert_eq!(id("--weights packed --profile profile"), plain);
    }
}

#[test]
fn tables_that_cannot_be_used_are_refused_with_the_reason() {
    let folder = folder();
    let good = bytes(&folder, "own.weights");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let mut newer = good.clone();
    newer[4] = 2;
    // Fewer entries than stated, and more, under a checksum that is right.
    let restated = |more: i32| {
        let mut content = good[..good.len() - 8].to_vec();
        let stated = u32::from_le_bytes(content[24..28].try_into().unwrap());
        content[24..28].copy_from_slice(&stated.saturating_add_signed(more).to_le_bytes());
        let checksum = samestory::hash::hash64(&content, 0x5353_5754);
        [content, checksum.to_le_bytes().to_vec()].concat()
    };
    let folder = folder
        .write("short.weights", restated(1))
        .write("long.weights", restated(-1))
        .write("cut.weights", &good[..good.len() / 2])
        .write("head.weights", &good[..20])
        .write("empty.weights", b"")
        .write("flipped.weights", flipped)
        .write("newer.weights", newer)
        .write("labels.tsv", "korea-exports/base\tkorea-exports/heavy\tsame\n");
    let names = folder.names();
    for (name, reason) in [
        ("cut", "checksum does not match: the file is cut or damaged"),
        ("flipped", "checksum does not match: the file is cut or damaged"),
        ("head", "not a weights table (its first four bytes are not SSWT)"),
        ("empty", "not a weights table (its first four bytes are not SSWT)"),
        ("short", "entries are missing"),
        ("long", "bytes follow the last entry"),
        ("newer", "format version 2, this program reads version 1"),
    ] {
        for command in [
            "cluster feed.jsonl -o out.jsonl",
            "dedup feed.jsonl -o out.jsonl",
            "calibrate labels.tsv feed.jsonl -o out.toml",
        ] {
            let ran = folder.run(&format!("{command} --weights {name}.weights"));
            let message = format!("error: weights table {name}.weights: {reason}\n");
            assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr), (1, "", message), "{command}");
        }
        // `compare` says 1 for "not one story": an error is 2.
        let pair = "korea-exports/base korea-exports/light --feed feed.jsonl";
        assert_eq!(folder.run(&format!("compare {pair} --weights {name}.weights")).code, 2);
    }
    assert_eq!(folder.names(), names, "nothing was written");
}
