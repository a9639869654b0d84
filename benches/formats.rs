//! Each reader alone: from a file to articles, on one core. 8,000 articles of `fixtures/feed.jsonl`, over and over under
//! ids of their own, 16 MB of text.

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use criterion::{Criterion, Throughput};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use samestory::input::{Blocks, FieldNames};
use std::path::Path;
use std::sync::Arc;

const NUM_ARTICLES: usize = 8_000;

/// What stands in the files: id, title, text and time.
struct Story {
    id: String,
    title: String,
    text: String,
}

fn stories() -> Vec<Story> {
    let articles = crate::input::articles();
    let all = articles.iter().cycle().take(NUM_ARTICLES).enumerate();
    all.map(|(number, article)| Story {
        id: format!("{}-{number}", article.id),
        title: article.title.clone().expect("every fixture has a title"),
        // No text twice: a table would write it once.
        text: format!("{}\n\nNo. {number}.", article.text),
    })
    .collect()
}

const TIME: &str = "2026-03-02T08:15:00Z";

fn xml_of(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn html_of(text: &str) -> String {
    format!("<p>{}</p>", xml_of(text).replace("\n\n", "</p><p>").replace('\n', "<br/>"))
}

fn jsonl(story: &Story) -> String {
    let Story { id, title, text } = story;
    serde_json::json!({"id": id, "title": title, "text": text, "published": TIME}).to_string() + "\n"
}

fn csv(story: &Story) -> String {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    format!("{},{},{},{TIME}\n", cell(&story.id), cell(&story.title), cell(&story.text))
}

fn rss(story: &Story) -> String {
    let (id, title, text) = (xml_of(&story.id), xml_of(&story.title), html_of(&story.text));
    format!(
        "<item><guid>{id}</guid><title>{title}</title><pubDate>Mon, 02 Mar 2026 08:15:00 +0000</pubDate>\
         <content:encoded><![CDATA[{text}]]></content:encoded></item>\n"
    )
}

fn atom(story: &Story) -> String {
    let (id, title, text) = (xml_of(&story.id), xml_of(&story.title), xml_of(&html_of(&story.text)));
    format!(
        "<entry><id>{id}</id><title>{title}</title><published>{TIME}</published><content type=\"html\">{text}</content></entry>\n"
    )
}

fn newsml(story: &Story) -> String {
    let (id, title, text) = (xml_of(&story.id), xml_of(&story.title), html_of(&story.text));
    format!(
        "<newsItem guid=\"{id}\" version=\"1\"><itemMeta><itemClass qcode=\"ninat:text\"/><provider literal=\"x\"/>\
         <versionCreated>{TIME}</versionCreated><pubStatus qcode=\"stat:usable\"/></itemMeta><contentMeta>\
         <headline>{title}</headline></contentMeta><contentSet><inlineXML><html><body>{text}</body></html></inlineXML>\
         </contentSet></newsItem>\n"
    )
}

fn nitf(story: &Story) -> String {
    let (id, title, text) = (xml_of(&story.id), xml_of(&story.title), html_of(&story.text));
    format!(
        "<nitf><head><docdata><doc-id id-string=\"{id}\"/><date.issue norm=\"{TIME}\"/></docdata></head><body>\
         <body.head><hedline><hl1>{title}</hl1></hedline></body.head><body.content>{text}</body.content></body></nitf>\n"
    )
}

fn ninjs(story: &Story) -> String {
    let Story { id, title, text } = story;
    serde_json::json!({"uri": id, "headline": title, "body_xhtml": html_of(text), "versioncreated": TIME}).to_string()
        + "\n"
}

fn wet(story: &Story) -> String {
    let (id, text) = (&story.id, &story.text);
    format!(
        "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <{id}>\r\nWARC-Date: {TIME}\r\nContent-Length: {}\r\n\r\n{text}\r\n\r\n",
        text.len()
    )
}

fn table(stories: &[Story]) -> RecordBatch {
    let column =
        |of: fn(&Story) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(stories.iter().map(of))) };
    RecordBatch::try_from_iter([
        ("id", column(|story| &story.id)),
        ("title", column(|story| &story.title)),
        ("text", column(|story| &story.text)),
        ("published", column(|_| TIME)),
    ])
    .expect("columns of one length")
}

fn parquet(table: &RecordBatch, packing: Compression) -> Vec<u8> {
    let packed = WriterProperties::builder().set_compression(packing).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(packed)).expect("a schema");
    writer.write(table).expect("writing to memory");
    writer.into_inner().expect("writing to memory")
}

fn arrow(table: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &table.schema()).expect("a schema");
    writer.write(table).expect("writing to memory");
    writer.into_inner().expect("writing to memory")
}

/// Articles and bytes of text in a file.
fn read(path: &Path) -> (usize, usize) {
    let fields = FieldNames::default();
    let blocks = Blocks::open(&[path.to_path_buf()], None).expect("the file was just written");
    blocks.fold((0, 0), |(num_articles, num_bytes), block| {
        let parsed = block.expect("the file was just written").parse(&fields);
        assert!(parsed.rejects.is_empty(), "{:?}", parsed.rejects);
        let len: usize = parsed.articles.iter().map(|article| article.text.len()).sum();
        (num_articles + parsed.articles.len(), num_bytes + len)
    })
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let stories = stories();
    let each = |of: fn(&Story) -> String| stories.iter().map(of).collect::<String>();
    let within = |open: &str, of, close: &str| format!("{open}{}{close}", each(of)).into_bytes();
    let table = table(&stories);
    let files = [
        ("jsonl", each(jsonl).into_bytes()),
        ("json", within("[", |story| jsonl(story).replace('\n', ",\n"), "]")),
        ("csv", within("id,title,text,published\n", csv, "")),
        ("rss", within("<rss><channel><title>x</title>", rss, "</channel></rss>")),
        ("atom", within("<feed><title>x</title>", atom, "</feed>")),
        ("newsml", within("<newsMessage><itemSet>", newsml, "</itemSet></newsMessage>")),
        ("nitf", each(nitf).into_bytes()),
        ("ninjs.json", each(ninjs).into_bytes()),
        ("wet", each(wet).into_bytes()),
        ("parquet", parquet(&table, Compression::UNCOMPRESSED)),
        ("snappy.parquet", parquet(&table, Compression::SNAPPY)),
        ("arrow", arrow(&table)),
    ];
    let text_len: usize = stories.iter().map(|story| story.text.len()).sum();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut group = criterion.benchmark_group("read");
    group.sample_size(10);
    for (name, bytes) in files {
        let path = folder.path().join(format!("feed.{name}"));
        std::fs::write(&path, &bytes).expect("a file can be written");
        assert_eq!(read(&path), (NUM_ARTICLES, text_len), "{name}");
        // Of what is packed the text counts, of the others the file.
        let is_packed = name.ends_with("parquet") || name == "arrow";
        group.throughput(Throughput::Bytes(if is_packed { text_len } else { bytes.len() } as u64));
        group.bench_function(name, |bencher| bencher.iter(|| read(&path)));
    }
    group.finish();
}
