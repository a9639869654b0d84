//! `samestory cluster`: rows, files, levels.

use crate::support::{Folder, column, family, field, foreign_lines, json, line, rows, text_of, without_scores};
use insta::assert_snapshot;
use serde_json::Value;

#[test]
fn every_relation_as_json_lines() {
    let folder = Folder::with_feed(&family());
    let ran = folder.done("cluster feed.jsonl -o out.jsonl --pairs pairs.jsonl --links links.jsonl");
    assert_eq!(ran.stdout, "");
    assert_snapshot!("every_relation_stderr", ran);
    assert_snapshot!("every_relation_jsonl", without_scores(&folder.read("out.jsonl")));
    let said = |name: &str| -> Vec<String> {
        let text = folder.read(name);
        rows(&text).iter().map(|r| format!("{} {} {}", field(r, "a"), field(r, "relation"), field(r, "b"))).collect()
    };
    assert_snapshot!("every_relation_pairs", said("pairs.jsonl").join("\n"));
    // Which of the less clear pairs make a link, and of which name, changes with the verdict: the clear ones stay.
    let links = said("links.jsonl");
    for link in [
        "bogota-rate-decision/roundup includes bogota-rate-decision/base",
        "korea-exports/base template korea-exports/template",
        "korea-exports/reuse followup korea-exports/base",
    ] {
        assert!(links.contains(&link.to_string()), "{link}: {links:?}");
    }
}

#[test]
fn the_rows_hold_what_they_say() {
    let folder = Folder::with_feed(&family());
    folder.done("cluster feed.jsonl -o out.jsonl --pairs pairs.jsonl --links links.jsonl --quiet");
    let (clusters, pairs, links) = (folder.read("out.jsonl"), folder.read("pairs.jsonl"), folder.read("links.jsonl"));
    let clusters = rows(&clusters);
    let key = |i: usize| (field(&clusters[i], "cluster"), field(&clusters[i], "id"));
    assert!((1..clusters.len()).all(|i| key(i - 1) < key(i)), "not by cluster, then id");
    for row in &clusters {
        let members: Vec<_> = clusters.iter().filter(|other| other["cluster"] == row["cluster"]).collect();
        assert_eq!(row["size"], members.len());
        assert!(members.iter().all(|member| field(member, "id") >= field(row, "cluster")), "named by its first member");
        assert!(members.iter().all(|member| member["representative"] == row["representative"]));
        assert!(members.iter().any(|member| member["id"] == row["representative"]));
        let is_self = ["self", "undecidable"].contains(&field(row, "relation"));
        assert_eq!(is_self, row["id"] == row["representative"], "{row}");
    }
    let mut relations = column(&clusters, "relation");
    relations.sort_unstable();
    relations.dedup();
    assert_eq!(relations, ["exact", "excerpt", "near", "rewrite", "self", "undecidable", "update"]);

    let cluster_of = |id: &str| &clusters.iter().find(|row| row["id"] == id).unwrap()["cluster"];
    let (pairs, links) = (rows(&pairs), rows(&links));
    for pair in &pairs {
        let is_exact = field(pair, "relation") == "exact";
        assert_eq!(pair.get("evidence").is_none(), is_exact, "{pair}");
        assert!(["exact", "near", "update", "excerpt", "rewrite"].contains(&field(pair, "relation")));
    }
    let evidence = pairs.iter().find_map(|pair| pair["evidence"].as_object()).unwrap();
    assert_eq!(evidence.len(), samestory::profile::NUM_MEASUREMENTS);
    assert!(evidence.values().all(|value| (0.0..=1.0).contains(&value.as_f64().unwrap())));
    for link in &links {
        assert_ne!(cluster_of(field(link, "a")), cluster_of(field(link, "b")), "{link}");
    }
    let names = ["followup", "includes", "same_event", "template"];
    assert!(column(&links, "relation").iter().all(|relation| names.contains(relation)));
}

#[test]
fn every_relation_as_csv() {
    let folder = Folder::with_feed(&family());
    folder.done("cluster feed.jsonl -o out.csv --pairs pairs.csv --links links.csv --quiet");
    assert_snapshot!("every_relation_csv", without_scores(&folder.read("out.csv")));
    let pairs = folder.read("pairs.csv");
    let header: Vec<&str> = pairs.lines().next().unwrap().split(',').collect();
    assert_eq!(header[..6], ["a", "b", "relation", "score", "correction", "shingle_jaccard"]);
    assert_eq!(header[header.len() - 1], "differs");
    // What differs is one cell of JSON: the same as in JSON lines.
    folder.done("cluster feed.jsonl -o out.csv --pairs pairs.jsonl --quiet");
    let mut table = csv::Reader::from_reader(pairs.as_bytes());
    let cells: Vec<csv::StringRecord> = table.records().map(|row| row.expect("as many cells as names")).collect();
    let lines = rows(&folder.read("pairs.jsonl"));
    assert_eq!(cells.len(), lines.len());
    for (row, line) in cells.iter().zip(&lines) {
        let differs = row.get(header.len() - 1).expect("the last column");
        let said = if differs.is_empty() { Value::Null } else { json(differs) };
        assert_eq!(said, line["differs"], "{line}");
    }
    let exact = pairs.lines().find(|row| row.contains(",exact,")).unwrap();
    assert!(exact.starts_with("copy,korea-exports/base,exact,1.0000,,,"), "{exact}");
    assert!(folder.read("links.csv").contains("korea-exports/base,korea-exports/template,template,0."));
}

#[test]
fn updates_and_templates_say_what_differs() {
    let story = text_of("ferry-grounding/base");
    let more = "A navy cutter, the Ramon Ruiz, will take 38 of them to Aparri on March 9, 2026, the governor said.";
    let many: Vec<String> =
        (0..samestory::output::MAX_DIFFERING + 3).map(|i| format!("{} tons", 1001 + 7 * i)).collect();
    let many = format!("The coast guard counted {}.", many.join(", "));
    let folder = Folder::with_feed(&[
        line("first", &story),
        line("more", &format!("{story} {more}")),
        line("many", &format!("{story} {many}")),
        line("template", &text_of("ferry-grounding/template")),
        line("copy", &story.replace(" the ", " that ")),
        line("other", &text_of("wheat-futures/base")),
    ]);
    folder.done("cluster feed.jsonl -o out.jsonl --pairs pairs.jsonl --links links.jsonl --quiet");
    let (pairs, links) = (rows(&folder.read("pairs.jsonl")), rows(&folder.read("links.jsonl")));
    let of = |rows: &[Value], a: &str, b: &str| -> Value {
        let row = rows.iter().find(|row| row["a"] == a && row["b"] == b);
        row.unwrap_or_else(|| panic!("no row of {a} and {b} in {rows:?}"))["differs"].clone()
    };
    let expected = r#"{"numbers":{"a":["38"],"b":[]},"names":{"a":["Ramon","Ruiz","Aparri"],"b":[]},
        "dates":{"a":["March 9, 2026"],"b":[]}}"#;
    assert_eq!(of(&pairs, "more", "first"), json(expected));
    // No more than the cap, the first of them; a kind without a difference is left out.
    let numbers = of(&pairs, "many", "first");
    assert_eq!(numbers.as_object().unwrap().keys().collect::<Vec<_>>(), ["numbers"]);
    let numbers = numbers["numbers"]["a"].as_array().unwrap();
    assert_eq!((numbers.len(), &numbers[0]), (samestory::output::MAX_DIFFERING, &Value::from("1001")));

    let template = links.iter().find(|row| row["relation"] == "template").expect("a template");
    let differs = template["differs"].as_object().unwrap();
    assert!(["numbers", "names"].iter().all(|kind| differs.contains_key(*kind)), "{template}");
    for row in pairs.iter().chain(&links) {
        let names_facts = ["update", "template"].contains(&field(row, "relation"));
        assert!(names_facts || row.get("differs").is_none(), "{row}");
    }
    let help = folder.done("cluster --help").stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains(&format!("at most {} of each", samestory::output::MAX_DIFFERING)), "{help}");
}

#[test]
fn cells_are_quoted_where_they_must_be() {
    let folder = Folder::with_feed(&[line("a,\"b\"\nc", "Qtly div 12 cts"), line("é", "")]);
    let ran = folder.done("cluster feed.jsonl -o out.csv --quiet");
    assert_eq!(ran.stderr, "");
    assert_snapshot!(folder.read("out.csv"));
    folder.done("cluster feed.jsonl -o out.jsonl --quiet");
    assert_snapshot!(folder.read("out.jsonl"));
}

#[test]
fn stdout_holds_the_rows_only() {
    let folder = Folder::with_feed(&family());
    folder.done("cluster feed.jsonl -o out.jsonl --quiet");
    let ran = folder.done("cluster feed.jsonl -o -");
    assert_eq!(ran.stdout, folder.read("out.jsonl"));
    assert!(ran.stderr.contains("articles tell") && !ran.stderr.contains("clusters are in"), "{ran}");
    let quiet = folder.done("cluster feed.jsonl -o - --quiet");
    assert_eq!((quiet.stdout, quiet.stderr.as_str()), (ran.stdout, ""));
}

#[test]
fn outputs_are_packed_as_their_names_ask() {
    let folder = Folder::with_feed(&family());
    folder.done("cluster feed.jsonl -o out.jsonl --pairs pairs.jsonl --quiet");
    folder.done("cluster feed.jsonl -o out.jsonl.gz --pairs pairs.jsonl.zst --links links.csv.gz --quiet");
    assert!(std::fs::read(folder.path("out.jsonl.gz")).unwrap().starts_with(&[0x1f, 0x8b]));
    assert!(std::fs::read(folder.path("pairs.jsonl.zst")).unwrap().starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    assert!(folder.read("out.jsonl.gz") == folder.read("out.jsonl"));
    assert!(folder.read("pairs.jsonl.zst") == folder.read("pairs.jsonl"));
    assert!(folder.read("links.csv.gz").starts_with("a,b,relation,score,"));
}

#[test]
fn statistics_name_the_run() {
    let folder = Folder::with_feed(&family());
    folder.done("cluster feed.jsonl -o - --stats stats.json --quiet");
    let mut stats = json(&folder.read("stats.json"));
    let ids = samestory::Profile::default();
    assert_eq!(stats["sketch_id"], ids.sketch_id());
    assert_eq!(stats["verdict_id"], ids.verdict_id());
    let seconds = stats["seconds"].as_object_mut().unwrap();
    assert!(seconds.values().all(|value| value.as_f64().unwrap() >= 0.0));
    seconds.values_mut().for_each(|value| *value = "[time]".into());
    for volatile in ["sketch_id", "verdict_id", "version", "links", "peak_memory_bytes"] {
        stats[volatile] = "[varies]".into();
    }
    assert_snapshot!(format!("{stats:#}"));
}

#[test]
fn a_folder_of_texts() {
    let story = "The café in München was closed on Monday after the river Würm rose by two metres and cut the road to \
                 the north of the town, the owner said.";
    let latin: Vec<u8> = story.chars().map(|c| c as u8).collect();
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(story.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let folder = Folder::new()
        .write("texts/b/utf8.txt", story)
        .write("texts/b/bom.txt", format!("\u{feff}{story}"))
        .write("texts/a/latin.txt", latin)
        .write("texts/wide.txt", wide)
        .write("texts/other.txt", "Wheat closed lower in Chicago as rain reached the plains and funds sold 4,000 lots.")
        .write("texts/notes.md", "not read")
        .write("texts/packed.txt.gz", crate::support::gzip(story.as_bytes()));
    let ran = folder.done("cluster texts -o - --quiet");
    assert_snapshot!(ran);
}

#[test]
fn a_folder_mixes_texts_and_lines() {
    let story = text_of("ferry-grounding/base");
    let folder = Folder::new().write("in/a.txt", &story).write("in/b.jsonl", line("b", &story) + "\n");
    let ran = folder.done("cluster in -o - --quiet");
    assert_eq!(column(&rows(&ran.stdout), "cluster"), ["a.txt", "a.txt"]);
    let ran = folder.done("cluster in -o - --quiet --format text");
    assert_eq!(column(&rows(&ran.stdout), "id"), ["a.txt"]);
}

#[test]
fn levels_look_less_far() {
    let folder = Folder::with_feed(&family());
    let relations = |level: &str| -> Vec<(String, String)> {
        let ran = folder.done(&format!("cluster feed.jsonl -o - --quiet --level {level}"));
        let all = rows(&ran.stdout);
        let joined = all.iter().filter(|row| row["id"] != row["representative"]);
        joined.map(|row| (field(row, "id").to_string(), field(row, "relation").to_string())).collect()
    };
    let pair = |id: &str, relation: &str| (id.to_string(), relation.to_string());
    assert_eq!(relations("exact"), [pair("copy", "exact")]);
    let near = relations("near");
    assert!(near.contains(&pair("korea-exports/light", "near")), "{near:?}");
    assert!(!near.iter().any(|(id, _)| id.ends_with("/heavy")), "{near:?}");
    let rewrite = relations("rewrite");
    assert!(rewrite.contains(&pair("korea-exports/heavy", "rewrite")), "{rewrite:?}");
}

#[test]
fn simhash_finds_close_copies() {
    let story = text_of("ferry-grounding/base");
    let folder = Folder::with_feed(&[
        line("a", &story),
        line("b", &format!("{story} A spokesman said so.")),
        line("c", &text_of("wheat-futures/base")),
    ]);
    let ran = folder.done("cluster feed.jsonl -o - --quiet --near simhash --level near");
    assert_eq!(column(&rows(&ran.stdout), "cluster"), ["a", "a", "c"]);
}

#[test]
fn short_copies_share_a_cluster_that_is_decided() {
    let folder = Folder::with_feed(&[line("a", "Qtly div 12 cts"), line("b", "QTLY DIV 12 CTS"), line("c", "Rain.")]);
    let ran = folder.done("cluster feed.jsonl -o -");
    assert_eq!(column(&rows(&ran.stdout), "relation"), ["self", "exact", "undecidable"]);
    assert!(ran.stderr.contains("  1 record too short or empty to compare\n"), "{ran}");
}

#[test]
fn languages_without_weights_are_named() {
    let mut lines = foreign_lines();
    lines.extend([line("en", &text_of("ferry-grounding/base")), line("empty", "")]);
    let folder = Folder::with_feed(&lines);
    let note = "  4 records in a language without weights, compared by wording only: German 2, Japanese 1, tlh 1\n";
    for command in ["cluster feed.jsonl -o out.jsonl --stats stats.json", "dedup feed.jsonl -o kept.jsonl"] {
        let ran = folder.done(command);
        assert_eq!(ran.stderr.matches("without weights").count(), 1, "{ran}");
        assert!(ran.stderr.contains(note), "{ran}");
        assert_eq!(folder.done(&format!("{command} --quiet")).stderr, "");
        // Equal texts are found in any language.
        assert!(!folder.done(&format!("{command} --level exact")).stderr.contains("without weights"));
        assert!(folder.done(&format!("{command} --level near")).stderr.contains(note));
    }
    let stats = json(&folder.read("stats.json"));
    assert_eq!(stats["without_weights"], 4);
    assert_eq!(stats["languages_without_weights"], json(r#"{"German": 2, "Japanese": 1, "tlh": 1}"#));
    let ran = Folder::with_feed(&family()).done("cluster feed.jsonl -o -");
    assert!(!ran.stderr.contains("without weights"), "{ran}");
}

#[test]
fn fields_can_be_renamed() {
    let story = text_of("ferry-grounding/base");
    let lines: Vec<String> = ["x", "y"]
        .iter()
        .map(|id| serde_json::json!({"guid": id, "story": {"not": "read"}, "main": story, "id": 7}).to_string())
        .collect();
    let folder = Folder::with_feed(&lines);
    let ran = folder.done("cluster feed.jsonl -o - --quiet --id-field guid --text-field main");
    let rows = rows(&ran.stdout);
    assert_eq!(column(&rows, "id"), ["x", "y"]);
    assert_eq!(column(&rows, "cluster"), ["x", "x"]);
}

#[test]
fn articles_without_ids_are_named_by_their_place() {
    let folder = Folder::with_feed(&["{\"text\":\"Rain.\"}", "", "{\"body\":\"Sun.\",\"id\":null}"]);
    let ran = folder.done("cluster feed.jsonl -o - --quiet");
    assert_eq!(column(&rows(&ran.stdout), "id"), ["feed.jsonl:1", "feed.jsonl:3"]);
}

#[test]
fn help_goes_to_stdout() {
    let folder = Folder::new();
    let ran = folder.done("cluster --help");
    assert!(ran.stdout.contains("--links <FILE>") && ran.stderr.is_empty(), "{ran}");
}
