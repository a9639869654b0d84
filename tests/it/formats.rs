//! Every format: what its fields become, one answer through all of them, a folder that holds all at once.

use crate::support::{Folder, Ran, column, field, fixture, gzip, json, rows};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use samestory::input::{Blocks, FieldNames, Options, Parsed};
use samestory::{Article, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;

/// What the blocks of a fixture hold.
pub(crate) fn parsed_with(name: &str, options: Options) -> Vec<Parsed> {
    let path = fixture(&format!("formats-in/{name}"));
    let blocks = Blocks::open(&[path], None).expect("the fixture is in the tree").with_options(options);
    blocks.map(|block| block.expect("the fixture can be opened").parse(&FieldNames::default())).collect()
}

/// The articles of a fixture, which is sound.
fn articles(name: &str) -> Vec<Article> {
    let mut articles = Vec::new();
    for parsed in parsed_with(name, Options::default()) {
        assert_eq!((parsed.rejects.as_slice(), parsed.num_repaired, parsed.num_bad_times), (&[][..], 0, 0), "{name}");
        articles.extend(parsed.articles);
    }
    articles
}

/// The notices of a fixture: their ids and why.
fn notices(name: &str, options: Options) -> Vec<(String, &'static str)> {
    let notices = parsed_with(name, options).into_iter().flat_map(|parsed| parsed.notices);
    notices.map(|notice| (notice.id.to_string(), notice.aside.name())).collect()
}

fn time(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse(text).expect("a time"))
}

fn ids(articles: &[Article]) -> Vec<&str> {
    articles.iter().map(|article| article.id.as_str()).collect()
}

#[test]
fn rss() {
    let found = articles("feed.rss");
    assert_eq!(ids(&found), ["kestrel:ferry", "kestrel:bread"]);
    let [ferry, bread] = &found[..] else { panic!("two items") };
    assert_eq!(ferry.title.as_deref(), Some("Ferry line to Orsund closes for repairs"));
    // The content, not the description; an entity of HTML within a section is one.
    assert!(ferry.text.starts_with("The ferry between Halden and Orsund stops for six weeks"), "{}", ferry.text);
    assert!(ferry.text.contains("round the bay & take"));
    assert_eq!(ferry.text.matches("\n\n").count(), 2);
    assert_eq!((ferry.source.as_deref(), ferry.language.as_deref()), (Some("Kestrel"), Some("en")));
    assert_eq!(
        (ferry.published, ferry.url.as_deref()),
        (time("2026-03-02T08:15:00Z"), Some("https://kestrel.example/ferry"))
    );
    assert!(bread.text.starts_with("A loaf of rye bread will cost 41 crowns") && bread.text.contains(".\n\nFlour"));
}

#[test]
fn atom() {
    let found = articles("feed.atom");
    assert_eq!(ids(&found), ["urn:marlin:quay", "urn:marlin:whale"]);
    let [quay, whale] = &found[..] else { panic!("two entries") };
    assert!(quay.text.contains("round the bay & take an hour longer"), "{}", quay.text);
    assert_eq!((quay.source.as_deref(), quay.language.as_deref()), (Some("Marlin Post"), Some("en-GB")));
    assert_eq!(
        (quay.published, quay.url.as_deref()),
        (time("2026-03-02T09:05:00Z"), Some("https://marlin.example/quay"))
    );
    assert!(whale.text.starts_with("A young minke whale") && whale.text.contains("before noon.\n\nKeeper Tone Aasen"));
}

#[test]
fn json_feed() {
    let found = articles("feed.json");
    assert_eq!(ids(&found), ["notes-1", "notes-2"]);
    let [chess, library] = &found[..] else { panic!("two items") };
    assert_eq!((chess.source.as_deref(), chess.language.as_deref()), (Some("Halden Notes"), Some("en")));
    assert_eq!(chess.published, time("2026-02-28T20:10:00Z"));
    assert!(chess.text.contains("three.\n\nThe last game") && library.text.contains("decided on Friday.\n\nIt costs"));
}

#[test]
fn ninjs() {
    let found = articles("items.ninjs.json");
    assert_eq!(ids(&found), ["urn:kestrel:strike", "urn:kestrel:mayor", "urn:kestrel:budget"]);
    let strike = &found[0];
    assert_eq!(strike.title.as_deref(), Some("Crane drivers at Halden port walk out"));
    assert_eq!((strike.source.as_deref(), strike.slug.as_deref()), (Some("Kestrel"), Some("PORT-STRIKE")));
    assert_eq!((strike.version, strike.published), (Some(2), time("2026-03-03T06:30:00Z")));
    assert!(strike.text.contains("in the roads.\n\nThe board offers 4.5 percent"));
    // What is under an embargo was not told before it ended.
    assert_eq!(found[2].published, time("2026-03-04T05:00:00Z"));
    let [photo, kill] = [("urn:kestrel:strike-photo".into(), "caption"), ("urn:kestrel:mayor".into(), "canceled")];
    assert_eq!(notices("items.ninjs.json", Options::default()), [photo, kill]);
    let early = Options { as_of: time("2026-03-03T12:00:00Z"), ..Options::default() };
    assert_eq!(notices("items.ninjs.json", early)[2], ("urn:kestrel:budget".into(), "embargoed"));
}

#[test]
fn newsml() {
    let found = articles("message.newsml.xml");
    let id = |name: &str| format!("urn:newsml:kestrel.example:20260303:{name}");
    assert_eq!(ids(&found), [id("storm"), id("herring")]);
    let [storm, herring] = &found[..] else { panic!("two stories") };
    assert_eq!(storm.title.as_deref(), Some("Storm takes roofs in the skerries"));
    assert_eq!((storm.source.as_deref(), storm.slug.as_deref()), (Some("Kestrel"), Some("WEATHER-STORM")));
    assert_eq!((storm.version, storm.language.as_deref()), (Some(3), Some("en-GB")));
    assert_eq!(storm.published, time("2026-03-03T08:50:00Z"));
    assert!(storm.text.starts_with("A storm took") && storm.text.contains("at dawn.\n\nNobody was hurt"));
    assert_eq!((herring.source.as_deref(), herring.language.as_deref()), (Some("Kestrel"), Some("en")));
    assert!(herring.text.starts_with("Herring have come into") && herring.text.contains("alone.\n\nThe water"));
    assert_eq!(
        notices("message.newsml.xml", Options::default()),
        [(id("advisory"), "advisory"), (id("court"), "withheld")]
    );
}

#[test]
fn nitf() {
    let found = articles("story.nitf.xml");
    assert_eq!(ids(&found), ["kestrel-2026-0301"]);
    let hut = &found[0];
    assert_eq!(hut.title.as_deref(), Some("Ski club's hut burns to the ground"));
    assert_eq!((hut.source.as_deref(), hut.slug.as_deref()), (Some("Kestrel"), Some("hut-fire")));
    assert_eq!((hut.version, hut.language.as_deref()), (Some(2), Some("en")));
    assert_eq!(hut.published, time("2026-03-01T20:30:00Z"));
    assert!(hut.text.contains("ski club at Åsen burned") && !hut.text.contains("hut in 2019"), "{}", hut.text);
}

#[test]
fn tables() {
    let by_line = articles("table.jsonl");
    for (name, prefix) in [("table.csv", "c"), ("table.tsv", "v"), ("list.json", "l")] {
        let found = articles(name);
        assert_eq!(found.len(), 3, "{name}");
        for (article, line) in found.iter().zip(&by_line) {
            assert_eq!(article.id.as_str(), format!("{prefix}{}", &line.id.as_str()[1..]));
            let of = |a: &Article| (a.text.clone(), a.title.clone(), a.source.clone(), a.published, a.language.clone());
            assert_eq!(of(article), of(line));
        }
    }
    for (name, prefix) in [("table.parquet", "p"), ("table.arrow", "w"), ("stream.arrows", "s")] {
        let found = articles(name);
        assert_eq!(ids(&found), [1, 2, 3].map(|i| format!("{prefix}-{i}")));
        assert_eq!((&found[2].text, found[2].published), (&by_line[2].text, by_line[2].published));
        assert!(found[2].origin.place.ends_with(&format!("{name}:3")), "{}", found[2].origin.place);
    }
    // A row is named by the line on which it begins.
    let places: Vec<String> = articles("table.csv").iter().map(|a| a.origin.place.to_string()).collect();
    assert!(places[0].ends_with("table.csv:2") && places[1].ends_with("table.csv:7"), "{places:?}");
}

#[test]
fn crawls() {
    for (name, prefix) in [("crawl.wet", "urn:uuid:wet-"), ("crawl.wet.gz", "urn:uuid:gz-")] {
        let found = articles(name);
        assert_eq!(ids(&found), [format!("{prefix}1"), format!("{prefix}2")]);
        assert_eq!((found[0].source.as_deref(), found[0].language.as_deref()), (Some("daily.example"), Some("en")));
        assert_eq!(found[0].url.as_deref(), Some("https://www.daily.example/1"));
        assert_eq!(found[0].published, time("2026-03-02T12:00:00Z"));
        assert!(found[1].text.starts_with("Cod quota cut by a tenth\nThe quota for cod"));
    }
}

#[test]
fn pages() {
    let page = parsed_with("page.html", Options::default()).remove(0);
    let crawl = parsed_with("crawl.warc", Options::default()).remove(0);
    if cfg!(feature = "html") {
        for found in [&page.articles[0], &crawl.articles[0]] {
            assert!(
                found.text.contains("The quota for cod") && !found.text.contains("rights reserved"),
                "{}",
                found.text
            );
            assert!(found.title.as_deref().is_some_and(|title| title.starts_with("Cod quota cut by a tenth")));
        }
        assert_eq!(page.articles[0].id.as_str(), "page.html");
        assert_eq!(crawl.articles[0].id.as_str(), "urn:uuid:resp-1");
    } else {
        for parsed in [page, crawl] {
            assert!(parsed.articles.is_empty());
            assert!(parsed.rejects[0].reason.contains("made without the feature html"), "{:?}", parsed.rejects);
        }
    }
}

/// The folder with all formats.
fn all() -> PathBuf {
    fixture("formats-in")
}

#[test]
fn a_folder_of_all_formats_is_one_feed() {
    let folder = Folder::new();
    let ran = folder.done(&format!("cluster {} -o - --notices notices.jsonl --rejects rejects.jsonl", all().display()));
    let found = rows(&ran.stdout);
    let cluster = |id: &str| field(found.iter().find(|row| row["id"] == id).expect(id), "cluster").to_string();
    // One story in RSS, Atom, JSON lines, a list, a table.
    for id in ["urn:marlin:quay", "t-1", "l-1", "c-1", "v-1", "p-1", "w-1", "s-1"] {
        assert_eq!(cluster(id), cluster("kestrel:ferry"), "{id}");
    }
    assert_eq!(cluster("note.txt"), cluster("t-2"));
    assert_ne!(cluster("kestrel:bread"), cluster("kestrel:ferry"));
    let notices = rows(&folder.read("notices.jsonl"));
    assert_eq!(column(&notices, "notice"), ["caption", "canceled", "advisory", "withheld"]);
    let kill = &notices[1];
    assert_eq!((field(kill, "id"), &kill["copies"]), ("urn:kestrel:mayor", &serde_json::json!(["urn:kestrel:mayor"])));
    assert!(ran.stderr.contains("'urn:kestrel:mayor' is canceled; it was told by 'urn:kestrel:mayor'"), "{ran}");
    assert!(ran.stderr.contains("1 record set aside and not compared: withheld"), "{ran}");
    // A folder and a pattern that fits all of it are the same.
    let pattern = format!("{}/*.*", all().display());
    if !cfg!(feature = "html") {
        // By name a page is read, in a folder it is none.
        assert!(folder.run(&format!("cluster {pattern} -o -")).stderr.contains("page.html"));
    }
}

/// A table's cells, quoted.
fn csv_row(cells: &[&str]) -> String {
    let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
    quoted.join(",") + "\n"
}

/// A text as paragraphs of HTML.
fn html_of(text: &str) -> String {
    let escaped = xml_of(text).replace('\n', "<br/>");
    format!("<p>{}</p>", escaped.replace("<br/><br/>", "</p>\n  <p>"))
}

fn xml_of(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The same articles in every format that can hold all of their fields, by the name of the file.
pub(crate) fn in_every_format(lines: &[serde_json::Value]) -> Vec<(&'static str, Vec<u8>)> {
    let each = |of: &dyn Fn(&str, &str, &str, &str) -> String| -> String {
        let row = |row: &serde_json::Value| {
            of(field(row, "id"), field(row, "title"), field(row, "text"), field(row, "published"))
        };
        lines.iter().map(row).collect()
    };
    let source = field(&lines[0], "source");
    let jsonl = each(&|id, title, text, time| {
        let line = serde_json::json!({"id": id, "title": title, "text": text, "published": time, "source": source});
        format!("{line}\n")
    });
    let list = format!("[{}]", jsonl.trim_end().replace('\n', ",\n"));
    let csv = csv_row(&["id", "title", "text", "published", "source"])
        + &each(&|id, title, text, time| csv_row(&[id, title, text, time, source]));
    let rss = each(&|id, title, text, time| {
        let (id, title, text) = (xml_of(id), xml_of(title), xml_of(&html_of(text)));
        format!(
            "<item><guid>{id}</guid><title>{title}</title><description>{text}</description><dc:date>{time}</dc:date></item>\n"
        )
    });
    let rss = format!("<rss version='2.0'><channel><title>{}</title>\n{rss}</channel></rss>", xml_of(source));
    let atom = each(&|id, title, text, time| {
        let (id, title, text) = (xml_of(id), xml_of(title), html_of(text));
        format!(
            "<entry><id>{id}</id><title type='text'>{title}</title><published>{time}</published><content type='xhtml'><div>{text}</div></content></entry>\n"
        )
    });
    let atom = format!("<?xml version='1.0'?><feed xmlns='a'><title>{}</title>\n{atom}</feed>", xml_of(source));
    let items = each(&|id, title, text, time| {
        let item = serde_json::json!({"id": id, "title": title, "content_text": text, "date_published": time});
        format!("{item},")
    });
    let feed = format!(
        "{{\"version\":\"https://jsonfeed.org/version/1\",\"title\":{},\"items\":[{}]}}",
        serde_json::json!(source),
        items.trim_end_matches(',')
    );
    let ninjs = each(&|id, title, text, time| {
        let body = html_of(text);
        let item = serde_json::json!({"uri": id, "headline": title, "body_xhtml": body, "versioncreated": time,
            "infosource": [{"name": source}]});
        format!("{item}\n")
    });
    let newsml = each(&|id, title, text, time| {
        let (id, title, text, source) = (xml_of(id), xml_of(title), html_of(text), xml_of(source));
        format!(
            "<newsItem guid=\"{id}\"><itemMeta><itemClass qcode=\"ninat:text\"/><provider literal=\"{source}\"/>\
             <versionCreated>{time}</versionCreated></itemMeta><contentMeta><headline>{title}</headline></contentMeta>\
             <contentSet><inlineXML><html><body>{text}</body></html></inlineXML></contentSet></newsItem>\n"
        )
    });
    let newsml = format!("<newsMessage><itemSet>{newsml}</itemSet></newsMessage>");
    let nitf = each(&|id, title, text, time| {
        let (id, title, text, source) = (xml_of(id), xml_of(title), html_of(text), xml_of(source));
        format!(
            "<nitf><head><docdata><doc-id id-string=\"{id}\" regsrc=\"{source}\"/><date.issue norm=\"{time}\"/></docdata>\
             </head><body><body.head><hedline><hl1>{title}</hl1></hedline></body.head><body.content>{text}\
             </body.content></body></nitf>\n"
        )
    });
    let columns = ["id", "title", "text", "published", "source"];
    let batch = table_of(lines, &columns);
    let all = [
        ("a.jsonl", jsonl),
        ("a.list.json", list),
        ("a.csv", csv),
        ("a.rss", rss),
        ("a.atom", atom),
        ("a.feed.json", feed),
        ("a.ninjs.json", ninjs),
        ("a.newsml.xml", newsml),
        ("a.nitf.xml", nitf),
    ];
    let mut all = all.map(|(name, text)| (name, text.into_bytes())).to_vec();
    all.extend([("a.parquet", as_parquet(&batch)), ("a.arrow", as_arrow(&batch)), ("a.arrows", as_stream(&batch))]);
    all
}

/// Articles as columns of texts.
pub(crate) fn table_of(lines: &[serde_json::Value], columns: &[&str]) -> RecordBatch {
    let texts = |name: &&str| -> (String, ArrayRef) {
        (name.to_string(), Arc::new(StringArray::from_iter_values(lines.iter().map(|line| field(line, name)))))
    };
    RecordBatch::try_from_iter(columns.iter().map(texts)).expect("columns of one length")
}

/// A table in Parquet, in groups of 50 rows.
pub(crate) fn as_parquet(batch: &RecordBatch) -> Vec<u8> {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(50)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a schema");
    writer.write(batch).expect("writing to memory");
    writer.into_inner().expect("writing to memory")
}

pub(crate) fn as_arrow(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).expect("a schema");
    writer.write(batch).expect("writing to memory");
    writer.into_inner().expect("writing to memory")
}

pub(crate) fn as_stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a schema");
    writer.write(batch).expect("writing to memory");
    writer.into_inner().expect("writing to memory")
}

/// A third of the fixture feed, all by one source.
fn same_articles() -> Vec<serde_json::Value> {
    let mut lines: Vec<serde_json::Value> =
        crate::support::feed_lines().iter().step_by(3).map(|line| json(line)).collect();
    for line in &mut lines {
        line["source"] = "Kestrel & Sons".into();
    }
    lines
}

/// Articles as a crawl of texts has them: with an id and a text, and a time that is that of the crawl.
fn as_wet(lines: &[serde_json::Value]) -> String {
    let record = |line: &serde_json::Value| {
        let (id, text, time) = (field(line, "id"), field(line, "text"), field(line, "published"));
        let len = text.len();
        format!(
            "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <{id}>\r\nWARC-Date: {time}\r\nContent-Length: {len}\r\n\r\n{text}\r\n\r\n"
        )
    };
    lines.iter().map(record).collect()
}

#[test]
fn one_answer_through_every_format() {
    let lines = same_articles();
    let mut folder = Folder::new();
    let formats = in_every_format(&lines);
    for (name, bytes) in &formats {
        folder = folder.write(name, bytes);
    }
    let answer = |folder: &Folder, name: &str| {
        let ran = folder.done(&format!("cluster {name} -o - --pairs pairs.jsonl --rejects rejects.jsonl"));
        assert_eq!(folder.read("rejects.jsonl"), "", "{name}");
        (ran.stdout, folder.read("pairs.jsonl"))
    };
    let expected = answer(&folder, "a.jsonl");
    assert!(rows(&expected.0).iter().any(|row| row["size"].as_u64() > Some(2)), "some repeat");
    for (name, _) in &formats[1..] {
        assert_eq!(answer(&folder, name), expected, "{name}");
    }
    // Those that hold neither a title nor a source: a crawl, and a text a file, which has no time either.
    let mut bare = lines.clone();
    for (i, line) in bare.iter_mut().enumerate() {
        line["id"] = format!("{i:03}.txt").into();
        let object = line.as_object_mut().expect("an object");
        object.retain(|key, _| ["id", "text", "published"].contains(&key.as_str()));
        folder = folder.write(&format!("texts/{i:03}.txt"), field(line, "text"));
    }
    let as_lines = |lines: &[serde_json::Value]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let folder = folder.write("bare.jsonl", as_lines(&bare)).write("a.wet", as_wet(&bare));
    assert_eq!(answer(&folder, "a.wet"), answer(&folder, "bare.jsonl"));
    bare.iter_mut().for_each(|line| drop(line.as_object_mut().expect("an object").remove("published")));
    let folder = folder.write("undated.jsonl", as_lines(&bare));
    assert_eq!(answer(&folder, "texts"), answer(&folder, "undated.jsonl"));
}

#[test]
fn stdin_may_hold_any_format() {
    let folder = Folder::new();
    let formats = in_every_format(&same_articles()[..20]);
    let of = |bytes: &[u8]| {
        let ran = folder.run_on("cluster - -o - --quiet", bytes);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        ran.stdout
    };
    let expected = of(&formats[0].1);
    assert_eq!(rows(&expected).len(), 20);
    for (name, bytes) in &formats {
        assert_eq!(of(bytes), expected, "{name}");
        assert_eq!(of(&gzip(bytes)), expected, "{name}");
    }
    assert_eq!(
        folder.run_on("cluster - -o - --quiet --format text", b"Rain.").stdout.matches("\"id\":\"-\"").count(),
        1
    );
}

#[test]
fn tables_are_parted_as_they_are_or_as_is_said() {
    let folder = Folder::new()
        .write("bar.csv", "id|text|title\n1|Rain, and more rain.|Rain\n")
        .write("semicolon.csv", "\u{feff}id;text\r\n1;\"Rain; and \"\"more\"\"\r\nrain.\"\r\n\r\n2;Sun\r\n")
        .write("odd.csv", "id:text\n1:Rain, more\n")
        .write("latin.csv", b"id,text\n1,The caf\xe9 in the old town is closed\n")
        .write("wide.csv", "\u{feff}id\ttext\n1\tŁódź\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());

    let kept = |args: &str| folder.done(&format!("dedup {args} -o out.jsonl --quiet --on-error fail"));
    for (args, texts) in [
        ("bar.csv", vec!["Rain, and more rain."]),
        ("semicolon.csv", vec!["Rain; and \"more\"\r\nrain.", "Sun"]),
        ("odd.csv --delimiter :", vec!["Rain, more"]),
        ("latin.csv", vec!["The café in the old town is closed"]),
        ("wide.csv", vec!["Łódź"]),
    ] {
        kept(args);
        assert_eq!(column(&rows(&folder.read("out.jsonl")), "text"), texts, "{args}");
    }
    let ran = folder.run("cluster odd.csv -o - --delimiter ab");
    assert!(ran.code == 2 && ran.stderr.contains("expected one ASCII character, or tab"), "{ran}");
}

/// Runs `dedup` with what goes in `removed`.
fn removed(folder: &Folder, args: &str) -> Ran {
    folder.done(&format!("dedup {args} --removed removed --quiet"))
}

#[test]
fn dedup_writes_the_format_it_read() {
    let story = crate::support::text_of("ferry-grounding/base").replace('"', "\"\"");
    let head = "title,id,text,extra\r\n";
    let (one, two) = (format!("\"a\nb\",1,\"{story}\",x\r\n"), format!("T,2,\"{story}\",\"y\"\r\n"));
    let folder = Folder::new().write("in.csv", format!("{head}{one}{two}T,3,Rain.,z"));
    removed(&folder, "in.csv -o out.csv");
    assert_eq!(folder.read("out.csv"), format!("{head}{one}T,3,Rain.,z"));
    let two_removed = two.replace("\"y\"\r\n", "\"y\",1,exact\r\n");
    assert_eq!(folder.read("removed"), format!("title,id,text,extra,duplicate_of,relation\r\n{two_removed}"));
    // To stdout too, and from it with `--format`.
    assert!(removed(&folder, "in.csv -o -").stdout.starts_with(head));
    // As JSON lines where that is asked for.
    removed(&folder, "in.csv -o out.jsonl");
    let lines = rows(&folder.read("out.jsonl"));
    assert_eq!((column(&lines, "id"), column(&lines, "title")), (vec!["1", "3"], vec!["a\nb", "T"]));
    // With the columns that mean nothing here; an article without an id has the one that it is known by.
    assert_eq!(column(&lines, "extra"), ["x", "z"]);
    let bare = Folder::new().write("in.csv", "text,note\nRain.,\nSnow.,late\n");
    bare.done("dedup in.csv -o out.jsonl --quiet");
    assert_eq!(
        bare.read("out.jsonl"),
        "{\"id\":\"in.csv:2\",\"text\":\"Rain.\"}\n{\"id\":\"in.csv:3\",\"text\":\"Snow.\",\"note\":\"late\"}\n"
    );
    // What cannot be written is said, with what to do.
    let folder = folder.write("other.csv", "id,text\n9,Sun\n").write("feed.jsonl", "{\"id\":4,\"text\":\"Sun.\"}\n");
    for (args, message) in [
        (
            "feed.jsonl -o out.csv",
            "out.csv: the input is jsonl, which dedup does not write as .csv; name a .jsonl file",
        ),
        ("in.csv other.csv -o out.csv", "out.csv: other.csv has other columns than in.csv; name a .jsonl file"),
        ("in.csv feed.jsonl -o out.csv", "out.csv: feed.jsonl is jsonl, not csv; name a .jsonl file"),
        (
            "feed.jsonl -o out.rss",
            "out.rss: the input is jsonl, which dedup does not write as .rss; name a .jsonl file",
        ),
    ] {
        let ran = folder.run(&format!("dedup {args}"));
        assert!(ran.code == 2 && ran.stderr.starts_with(&format!("error: {message}")), "{ran}");
    }
}

#[test]
fn tables_of_columns_keep_what_stays() {
    let lines = same_articles();
    let folder = Folder::new()
        .write("in.parquet", as_parquet(&table_of(&lines, &["source", "id", "text"])))
        .write("more.parquet", as_parquet(&table_of(&lines[..9], &["id", "text"])))
        .write("feed.jsonl", lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    folder.done("dedup in.parquet -o kept.parquet --removed removed.parquet --quiet");
    // What was written is read: what stays has no repeats, what went says of what it is one.
    let read = |name: &str| {
        folder.done(&format!("dedup {name} -o out.jsonl --quiet --level exact --versions newest"));
        rows(&folder.read("out.jsonl"))
    };
    let (kept, removed) = (read("kept.parquet"), read("removed.parquet"));
    let again = folder.done("dedup kept.parquet -o again.parquet");
    assert!(again.stderr.starts_with(&format!("{} articles kept, 0 removed", kept.len())), "{again}");
    assert!(kept.len() + removed.len() > 100 && !removed.is_empty());
    for (args, message) in [
        ("in.parquet -o x.csv", "x.csv: the input is parquet, which dedup does not write as .csv; name a .jsonl file"),
        ("feed.jsonl -o x.parquet", "x.parquet: the input is jsonl, which dedup does not write as .parquet"),
        ("kept.parquet more.parquet --versions newest -o x.parquet", "x.parquet: more.parquet has other columns than"),
    ] {
        let ran = folder.run(&format!("dedup {args}"));
        assert!(ran.code == 2 && ran.stderr.starts_with(&format!("error: {message}")), "{ran}");
    }
    // A table without rows stays one.
    let folder = folder.write("none.parquet", as_parquet(&table_of(&[], &["id", "text"])));
    folder.done("dedup none.parquet -o still.parquet --quiet");
    assert_eq!(std::fs::read(folder.path("still.parquet")).expect("it was written")[..4], *b"PAR1");
    // A table without the columns that are looked for is told what it has.
    let ran = folder.done("cluster in.parquet -o out.jsonl --id-field id --text-field text");
    assert!(ran.stderr.contains(" articles tell "), "{ran}");
    let ran = folder.run("cluster in.parquet -o out.jsonl --text-field story");
    assert!(ran.code == 2 && ran.stderr.contains("no record has a field 'story'"), "{ran}");
}

#[test]
fn outputs_by_name() {
    let folder = Folder::with_feed(&crate::support::family());
    folder.done("cluster feed.jsonl -o run.sqlite --quiet");
    folder.done("cluster feed.jsonl -o run.parquet --pairs pairs.parquet --quiet");
    let head = |name: &str| std::fs::read(folder.path(name)).expect("it was written")[..4].to_vec();
    assert_eq!((head("run.sqlite"), head("run.parquet")), (b"SQLi".to_vec(), b"PAR1".to_vec()));
    assert_eq!(head("pairs.parquet"), b"PAR1");
    for args in ["-o out.jsonl --pairs pairs.sqlite", "-o run.sqlite.gz", "-o run.parquet.zst"] {
        assert_eq!(folder.run(&format!("cluster feed.jsonl {args}")).code, 2, "{args}");
    }
    // One set of articles gives one file.
    folder.done("cluster feed.jsonl -o again.parquet --threads 1 --quiet");
    let bytes = |name: &str| std::fs::read(folder.path(name)).expect("it was written");
    assert_eq!(bytes("run.parquet"), bytes("again.parquet"));
    folder.done("cluster feed.jsonl -o again.sqlite --threads 1 --quiet");
    assert_eq!(bytes("run.sqlite"), bytes("again.sqlite"));
}

#[test]
fn dedup_makes_lines_of_what_has_none_and_passes_what_is_set_aside() {
    let folder = Folder::new();
    let name = |name: &str| fixture(&format!("formats-in/{name}")).display().to_string();
    let ran = folder.done(&format!("dedup {} {} -o - --notices notices", name("feed.rss"), name("feed.atom")));
    assert_eq!(column(&rows(&ran.stdout), "id"), ["kestrel:ferry", "kestrel:bread", "urn:marlin:whale"]);
    assert_eq!(field(&rows(&ran.stdout)[0], "published"), "2026-03-02T08:15:00Z");
    // A kill, a caption: passed on where they stood, as they came.
    let ran = folder.done(&format!("dedup {} -o kept.jsonl", name("items.ninjs.json")));
    let kept = folder.read("kept.jsonl");
    let uris = ["strike", "strike-photo", "mayor", "mayor", "budget"].map(|name| format!("urn:kestrel:{name}"));
    assert_eq!(column(&rows(&kept), "uri"), uris, "{ran}");
    // What was written is read again.
    let again = folder.done("dedup kept.jsonl -o again.jsonl --format ninjs");
    assert_eq!(folder.read("again.jsonl"), kept, "{again}");
}
