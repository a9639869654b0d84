//! `samestory eval` against numbers worked out by hand.

use crate::support::{Folder, fixture, json};

/// Gold: {a b c} {d e} {f}. Predicted: {a b d x} {c e} {f y} {z w}, of which x, y, z and w are outside gold.
fn folder() -> Folder {
    let gold = ["a 1 base", "b 1 light", "c 1 heavy", "d 2 base", "e 2 template", "f 3 base"];
    let predicted = ["a k", "b k", "d k", "x k", "c m", "e m", "f n", "y n", "z o", "w o"];
    let gold: String = gold
        .iter()
        .map(|row| row.split(' ').collect::<Vec<_>>())
        .map(|row| format!("{{\"id\":\"{}\",\"cluster\":{},\"kind\":\"{}\"}}\n", row[0], row[1], row[2]))
        .collect();
    let table: String = predicted.iter().map(|row| format!("{}\n", row.replace(' ', ","))).collect();
    let lines: String = predicted
        .iter()
        .map(|row| row.split_once(' ').expect("two words"))
        .map(|(id, cluster)| format!("{{\"id\":\"{id}\",\"cluster\":\"{cluster}\"}}\n"))
        .collect();
    Folder::new()
        .write("gold.jsonl", gold)
        .write("predicted.csv", format!("id,cluster\n{table}"))
        .write("predicted.jsonl", lines)
}

#[test]
fn numbers_by_hand() {
    let scores = json(&folder().done("eval gold.jsonl predicted.jsonl --json").stdout);
    let pairs = &scores["pairs"];
    // True: ab. False: ad, bd, ce; a, b and d with x; f with y; z and w are both outside: ignored. Missed: ac, bc, de.
    assert_eq!((&pairs["true"], &pairs["false"], &pairs["missed"]), (&json("1"), &json("7"), &json("3")));
    assert_eq!((&pairs["precision"], &pairs["recall"]), (&json("0.125"), &json("0.25")));
    assert!((pairs["f1"].as_f64().unwrap() - 2.0 / 12.0).abs() < 1e-12);
    // Over gold's articles: index 1, gold's pairs 4, predicted pairs 4, of 15: (1 - 16/15) / (4 - 16/15).
    assert!((scores["ari"].as_f64().unwrap() - (1.0 - 16.0 / 15.0) / (4.0 - 16.0 / 15.0)).abs() < 1e-12);
    // a 2/4, b 2/4, d 1/4, c 1/2, e 1/2, f 1/2.
    let b_cubed = &scores["b_cubed"];
    assert!((b_cubed["precision"].as_f64().unwrap() - 2.75 / 6.0).abs() < 1e-12);
    // a 2/3, b 2/3, c 1/3, d 1/2, e 1/2, f 1.
    assert!((b_cubed["recall"].as_f64().unwrap() - (5.0 / 3.0 + 2.0) / 6.0).abs() < 1e-12);
    assert_eq!(scores["missing"], 0);
    // By kind a pair counts for each kind of its two; e is in no true pair, and falsely with c.
    let template = &scores["kinds"]["template"]["pairs"];
    assert_eq!((&template["true"], &template["false"], &template["missed"]), (&json("0"), &json("1"), &json("1")));
}

#[test]
fn as_text() {
    insta::assert_snapshot!(folder().done("eval gold.jsonl predicted.jsonl"));
}

#[test]
fn csv_scores_as_jsonl_does() {
    let folder = folder();
    let of = |name: &str| folder.done(&format!("eval gold.jsonl {name} --json")).stdout;
    assert_eq!(of("predicted.csv"), of("predicted.jsonl"));
}

#[test]
fn what_the_prediction_lacks_is_alone() {
    let folder = Folder::new()
        .write(
            "gold.jsonl",
            "{\"id\":1,\"cluster\":\"x\"}\n{\"id\":2,\"cluster\":\"x\"}\n\n{\"id\":3,\"cluster\":\"y\"}\n",
        )
        .write("predicted.jsonl", "{\"id\":\"1\",\"cluster\":\"c\"}\n{\"id\":\"3\",\"cluster\":\"d\"}\n");
    let ran = folder.done("eval gold.jsonl predicted.jsonl --json");
    let scores = json(&ran.stdout);
    assert_eq!((&scores["missing"], &scores["pairs"]["missed"]), (&json("1"), &json("1")));
    assert_eq!((&scores["pairs"]["precision"], &scores["pairs"]["recall"]), (&json("1.0"), &json("0.0")));
    assert_eq!(ran.stderr, "warning: 1 article of gold not in predicted.jsonl: each counted alone\n");
}

#[test]
fn relations_are_scored_against_the_representative() {
    let folder = Folder::new();
    let (feed, gold) = (fixture("feed.jsonl"), fixture("gold.jsonl"));
    folder.done(&format!("cluster {} -o clusters.csv.zst --quiet", feed.display()));
    let ran = folder.done(&format!("eval {} clusters.csv.zst --json", gold.display()));
    let scores = json(&ran.stdout);
    let relations = scores["relations"].as_object().unwrap();
    for name in ["near", "update", "excerpt", "rewrite"] {
        let (members, right) =
            (relations[name]["members"].as_u64().unwrap(), relations[name]["right"].as_u64().unwrap());
        assert!(right <= members && right * 10 >= members * 9, "{name}: {right} of {members}");
    }
    assert!(!relations.contains_key("self"), "the representative is no relation to itself");
}

#[test]
fn files_that_cannot_be_scored_are_named() {
    let folder = folder()
        .write("twice.jsonl", "{\"id\":\"a\",\"cluster\":1}\n{\"id\":\"a\",\"cluster\":2}\n")
        .write("broken.jsonl", "{\"id\":\"a\",\"cluster\":1}\n{\"id\":\n")
        .write("nameless.jsonl", "{\"cluster\":1}\n");
    for (predicted, message) in [
        ("twice.jsonl", "error: twice.jsonl: id 'a' stands more than once\n"),
        ("nameless.jsonl", "error: nameless.jsonl:1: no `id`; expected what `samestory cluster -o` wrote\n"),
        ("absent.jsonl", "error: absent.jsonl: cannot open: No such file or directory (os error 2)\n"),
    ] {
        let ran = folder.run(&format!("eval gold.jsonl {predicted}"));
        assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.as_str()), (1, message, ""));
    }
    let ran = folder.run("eval nameless.jsonl gold.jsonl");
    let message = "error: nameless.jsonl:1: no `id`; expected gold: an `id` and a `cluster` a row\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (1, message));
    let ran = folder.run("eval gold.jsonl broken.jsonl");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: broken.jsonl:2: no JSON object"), "{ran}");
    assert_eq!(folder.run("eval gold.jsonl").code, 2);
}
