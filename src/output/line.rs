//! An article as a JSON line, for what cannot be written as it came.

use crate::article::Article;
use serde_json::Value;

/// The article under the names that [`crate::input::FieldNames`] has by default; what it does not have is left out. A
/// time is written in RFC 3339, in UTC. The line has an end.
///
/// ```
/// use samestory::{Article, output::article_line};
/// let article = Article::new("7", "Rain.").with_title("Weather").with_published("2026-03-04")?;
/// let line = article_line(&article);
/// assert_eq!(line, b"{\"id\":\"7\",\"title\":\"Weather\",\"text\":\"Rain.\",\"published\":\"2026-03-04T00:00:00Z\"}\n");
/// # Ok::<(), samestory::Error>(())
/// ```
#[must_use]
pub fn article_line(article: &Article) -> Vec<u8> {
    let time = article.published.and_then(|time| jiff::Timestamp::from_second(time.0).ok());
    let mut object = String::from("{");
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            let comma = if object.len() > 1 { "," } else { "" };
            object.push_str(&format!("{comma}\"{name}\":{value}"));
        }
    };
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    put("id", Some(article.id.as_str().into()));
    put("title", text(&article.title));
    put("text", Some(article.text.as_str().into()));
    put("source", text(&article.source));
    put("published", time.map(|time| time.to_string().into()));
    put("url", text(&article.url));
    put("language", text(&article.language));
    put("slug", text(&article.slug));
    put("version", article.version.map(Value::from));
    object.push_str("}\n");
    object.into_bytes()
}
