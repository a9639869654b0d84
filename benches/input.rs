//! What the benchmarks run on: the fixture feed and what the earlier stages make of it.

use criterion::Throughput;
use samestory::shingle::shingle_hashes;
use samestory::sketch::RecordBuf;
use samestory::text::Document;
use samestory::{Article, Profile};

/// The articles of `fixtures/feed.jsonl`.
pub(crate) fn articles() -> Vec<Article> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/feed.jsonl");
    let text = std::fs::read_to_string(path).expect("the fixture is in the tree");
    text.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).expect("the fixture is JSON lines");
            let field = |name: &str| value[name].as_str().expect("every fixture has this field").to_string();
            let mut article = Article::new(field("id"), field("text")).with_title(field("title"));
            article.source = Some(field("source"));
            article.with_published(&field("published")).expect("every fixture has a time")
        })
        .collect()
}

/// Bytes of the articles' texts.
pub(crate) fn text_bytes(articles: &[Article]) -> Throughput {
    Throughput::Bytes(articles.iter().map(|article| article.text.len() as u64).sum())
}

/// The documents of articles.
pub(crate) fn documents<'a>(articles: &'a [Article], profile: &Profile) -> Vec<Document<'a>> {
    articles.iter().map(|article| Document::new(&article.text, profile.sketch().max_tokens)).collect()
}

/// The shingle hashes of documents.
pub(crate) fn shingles(documents: &[Document<'_>], profile: &Profile) -> Vec<Vec<u64>> {
    documents.iter().map(|document| shingle_hashes(&document.tokens, profile.sketch().shingle_len)).collect()
}

/// The records of articles.
pub(crate) fn records(articles: &[Article], profile: &Profile) -> Vec<RecordBuf> {
    let documents = documents(articles, profile);
    let shingles = shingles(&documents, profile);
    let parts = articles.iter().zip(&documents).zip(&shingles);
    parts.map(|((article, document), shingles)| RecordBuf::new(article, document, shingles, profile)).collect()
}
