//! Golden vectors: what the default profile makes of a few texts, to the bit. Any port must make the same.
//!
//! A change here is a change of format: sketches made before and after do not compare, so `SKETCH_RULES` of the
//! profile goes up with it. To write the files anew: `cargo test --test it golden -- --ignored`, then read the diff.

use crate::support::{fixture, json};
use samestory::lsh::Bands;
use samestory::shingle::shingle_hashes;
use samestory::sketch::{KeyMaker, KeyScratch, MinHasher, RecordBuf, simhash};
use samestory::text::Document;
use samestory::{Article, Profile};
use serde_json::{Value, json};

/// Name and text.
const TEXTS: [(&str, &str); 8] = [
    (
        "english",
        "LIMA, May 3 (Kestrel) - Rain cut two roads to the north of Lima on Friday, and 1,200 people left their homes, \
         the U.S. embassy said.\n\n“We've lost 3.5 million soles’ worth of maize,” Mayor Rosa Quispe told reporters at \
         5:12 a.m. “Nobody can say when the bridges re-open.”\n\nThe ministry put the damage at $14 million (€12.9 \
         million), up 6.1% on the 2nd of May.\n\nEditing by A. Rao",
    ),
    (
        "plain",
        "The ferry ran aground on a reef with 214 passengers aboard, and fishermen brought most of them ashore before \
         the coast guard arrived.",
    ),
    (
        "accents",
        "À Łódź, le café «Zoë» a fermé jeudi\u{a0}: ses 23 employés l’ont appris par un courriel, cafe\u{301} ou pas. \
         L’ﬁlière naïve s’en étonne — ¾ des clients aussi.",
    ),
    ("chinese", "央行周三将基准利率下调25个基点至9.00%，为七月以来首次。行长表示，通胀仍高于3%的目标。"),
    ("japanese", "東京で４日、道路が二本通行止めになった。県の担当者は「復旧の見通しは立たない」と述べた。"),
    ("invisible", "Oil\u{200b} fell\u{ad} 2\u{202f}% on\tMonday\r\nin London\u{0}, \u{1f6e2}\u{fe0f} traders said."),
    ("one word", "Ferry"),
    ("empty", ""),
];

fn hex(value: u64) -> Value {
    format!("{value:016x}").into()
}

/// All that is compared of one text.
fn vectors(text: &str, profile: &Profile) -> Vec<(&'static str, Vec<Value>)> {
    let params = profile.sketch();
    let article = Article::new("golden", text);
    let document = Document::new(text, params.max_tokens);
    let shingles = shingle_hashes(&document.tokens, params.shingle_len);
    let record = RecordBuf::new(&article, &document, &shingles, profile);
    let record = record.record();
    let signature = MinHasher::new(params.num_slots, params.seed).signature(&shingles);
    let wanted = |percent: u32| f64::from(percent) / 100.0;
    let bands =
        Bands::choose(params.num_slots, wanted(params.band_similarity_percent), wanted(params.band_recall_percent));
    let maker = KeyMaker::new(profile);
    let (terms, mut scratch) = (maker.weighted_terms(&record), KeyScratch::default());
    let optional = |key: Option<u64>| key.map_or(Value::Null, hex);
    let mut passages = Vec::new();
    maker.passage_keys(&record, |key| passages.push(hex(key)));
    passages.truncate(2);
    vec![
        ("credits", document.credits.iter().map(|credit| credit.as_str().into()).collect()),
        ("fingerprint", vec![format!("{:032x}", document.fingerprint()).into()]),
        ("weighted", vec![record.terms.is_weighted().into()]),
        ("content_len", vec![record.content.len().into()]),
        ("shingles", shingles.iter().take(8).copied().map(hex).collect()),
        ("slots", signature[..8].iter().map(|slot| format!("{slot:08x}").into()).collect()),
        ("simhash", vec![hex(simhash(&record, params.seed))]),
        ("band_keys", (0..3).map(|band| optional(bands.key(&signature, band, 0))).collect()),
        ("tree_keys", (0..4).flat_map(|tree| maker.tree_keys(&terms, tree, 0, &mut scratch).map(optional)).collect()),
        ("passage_keys", passages),
        // Form, hash, hash of the stem, flags, sentence.
        (
            "tokens",
            document
                .tokens
                .iter()
                .map(|token| {
                    let (hash, stem) = (hex(token.hash), format!("{:08x}", token.stem_hash));
                    json!([document.form(token), hash, stem, token.flags.0, token.sentence])
                })
                .collect(),
        ),
    ]
}

/// The file: JSON, with a line for each value so that a change shows as one.
fn file() -> String {
    let profile = Profile::default();
    let mut out = format!("{{\n\"sketch_id\": {},\n\"cases\": [\n", Value::from(profile.sketch_id()));
    for (i, (name, text)) in TEXTS.iter().enumerate() {
        let fields: Vec<String> = [("name", Value::from(*name)), ("text", Value::from(*text))]
            .into_iter()
            .map(|(field, value)| format!("  \"{field}\": {value}"))
            .chain(vectors(text, &profile).into_iter().map(|(field, values)| {
                let separator = if field == "tokens" { ",\n    " } else { ", " };
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                format!("  \"{field}\": [{}]", values.join(separator))
            }))
            .collect();
        let comma = if i + 1 < TEXTS.len() { "," } else { "" };
        out.push_str(&format!("{{\n{}\n}}{comma}\n", fields.join(",\n")));
    }
    out.push_str("]\n}\n");
    out
}

fn stored() -> String {
    std::fs::read_to_string(fixture("golden/texts.json"))
        .expect("the file is in the tree: the module says how to write it")
}

#[test]
fn texts_give_the_golden_vectors() {
    let (stored, made) = (stored(), file());
    for (i, (old, new)) in stored.lines().zip(made.lines()).enumerate() {
        assert_eq!(old, new, "line {} of fixtures/golden/texts.json", i + 1);
    }
    assert_eq!(stored.lines().count(), made.lines().count());
}

#[test]
fn the_golden_vectors_are_worth_comparing() {
    let stored = json(&stored());
    let cases = stored["cases"].as_array().unwrap();
    assert_eq!(cases.len(), TEXTS.len());
    let case = |name: &str| cases.iter().find(|case| case["name"] == name).unwrap();
    let len = |name: &str, field: &str| case(name)[field].as_array().unwrap().len();
    assert_eq!(case("english")["weighted"][0], true);
    assert_eq!(case("chinese")["weighted"][0], false);
    assert_eq!((len("english", "shingles"), len("english", "passage_keys"), len("english", "credits")), (8, 2, 2));
    assert_eq!((len("one word", "tokens"), len("one word", "shingles")), (1, 1));
    assert_eq!((len("empty", "tokens"), len("empty", "shingles")), (0, 0));
    assert!(case("empty")["band_keys"].as_array().unwrap().iter().all(Value::is_null));
    assert!(case("one word")["tree_keys"].as_array().unwrap().iter().all(Value::is_null));
    // Every flag stands somewhere.
    let flags = cases.iter().flat_map(|case| case["tokens"].as_array().unwrap()).map(|t| t[3].as_u64().unwrap());
    assert_eq!(flags.fold(0, |all, flag| all | flag), 0b11111);
}

/// Writes the golden files anew.
#[test]
#[ignore = "writes fixtures: run by hand after a wanted change of format"]
fn regenerate() {
    std::fs::write(fixture("golden/texts.json"), file()).unwrap();
    // The table of version 1 is never written anew once it is there: it stands for old files.
    if !crate::format::path().exists() {
        std::fs::write(crate::format::path(), crate::format::small_table().to_bytes()).unwrap();
    }
}
