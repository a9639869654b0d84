//! Items of RSS, Atom and JSON Feed.

use super::item::{Draft, stated};
use super::markup::{text_of, unescape};
use super::text::decode_as;
use super::tree::{Element, Tree};
use super::xml::XmlHead;
use serde_json::Value;

/// An `item` of RSS or an `entry` of Atom.
pub(super) fn parse_item(raw: &[u8], head: &XmlHead) -> Result<Draft, String> {
    let (text, is_mended) = decode_as(raw, head.encoding);
    let tree = Tree::parse(&text)?;
    let Some(item) = tree.root() else { return Err("no element in it".to_string()) };
    let mut draft = Draft::default();
    let mut wish = usize::MAX;
    let (mut published, mut updated, mut link) = (None, None, None);
    for part in item.children() {
        match part.full_name() {
            "media:title" | "media:description" | "itunes:title" | "itunes:summary" => continue,
            _ => {}
        }
        // A less wanted text stands where the more wanted says nothing.
        let mut offer = |rank: usize, draft: &mut Draft| {
            if rank < wish {
                let text = body(part);
                if !text.is_empty() {
                    (wish, draft.text) = (rank, text);
                }
            }
        };
        match part.name() {
            "encoded" => offer(0, &mut draft),
            "content" if part.full_name() != "media:content" => offer(1, &mut draft),
            "body" => offer(2, &mut draft),
            "description" => offer(3, &mut draft),
            "summary" => offer(4, &mut draft),
            "title" => draft.title = stated(title(part)).or(draft.title),
            "guid" | "id" => draft.id = stated(part.own_text()).or(draft.id),
            "identifier" => draft.id = draft.id.or_else(|| stated(part.own_text())),
            "link" => {
                let is_other = part.attribute("rel").is_some_and(|rel| rel != "alternate");
                let found = part.attribute("href").map(|href| href.into_owned()).or_else(|| stated(part.own_text()));
                link = link.or(found.filter(|_| !is_other));
            }
            "pubDate" | "published" | "issued" => published = stated(part.own_text()).or(published),
            "date" => published = published.or_else(|| stated(part.own_text())),
            "updated" | "modified" => updated = stated(part.own_text()).or(updated),
            "source" => {
                let named = part.find("title").unwrap_or(part);
                draft.source = stated(title(named)).or(draft.source);
            }
            "publisher" => draft.source = draft.source.or_else(|| stated(part.own_text())),
            "language" => draft.language = stated(part.own_text()).or(draft.language),
            _ => {}
        }
    }
    draft.published = published.or(updated);
    draft.id = draft.id.or_else(|| item.attribute("about").and_then(|id| stated(id.into_owned())));
    draft.id = draft.id.or_else(|| link.clone());
    draft.url = link;
    draft.source = draft.source.or_else(|| head.title.clone());
    let own = || item.attribute("lang").and_then(|tag| stated(tag.into_owned()));
    draft.language = draft.language.or_else(own).or_else(|| head.language.clone());
    draft.is_mended = is_mended || tree.is_mended();
    Ok(draft)
}

/// A headline: text, in which HTML may be hidden.
fn title(element: Element<'_, '_>) -> String {
    let text = element.own_text();
    match element.attribute("type").as_deref() {
        Some("text") => text,
        Some("xhtml") => element.all_text(),
        _ if text.is_empty() => element.all_text(),
        _ if text.contains('<') => text_of(&text),
        _ => unescape(&text).0.into_owned(),
    }
}

/// The text of a part that holds it: elements, HTML hidden in text, or, where it says so, text.
fn body(element: Element<'_, '_>) -> String {
    let kind = element.attribute("type");
    if element.children().next().is_some() {
        return element.all_text();
    }
    let text = element.own_text();
    match kind.as_deref() {
        Some("text" | "text/plain") => text,
        _ => text_of(&text),
    }
}

/// Title and language of a JSON Feed, from what stands before its items.
pub(super) fn json_head(bytes: &[u8]) -> XmlHead {
    // The beginning of an object: closed, it is one.
    let text = String::from_utf8_lossy(bytes);
    let object = format!("{}}}", text.trim_start_matches('\u{feff}').trim_end().trim_end_matches(','));
    let value: Value = serde_json::from_str(&object).unwrap_or_default();
    let of = |key: &str| value[key].as_str().and_then(stated);
    XmlHead { title: of("title"), language: of("language"), ..XmlHead::default() }
}

/// An item of a JSON Feed.
pub(super) fn parse_json_item(value: &Value, head: &XmlHead) -> Result<Draft, String> {
    let Some(item) = value.as_object() else { return Err("no JSON object".to_string()) };
    let of = |key: &str| match item.get(key) {
        Some(Value::String(text)) => stated(text.as_str()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let html = |key: &str| of(key).map(|html| text_of(&html)).filter(|text| !text.is_empty());
    Ok(Draft {
        id: of("id").or_else(|| of("url")),
        text: of("content_text").or_else(|| html("content_html")).or_else(|| of("summary")).unwrap_or_default(),
        title: of("title"),
        source: head.title.clone(),
        published: of("date_published").or_else(|| of("date_modified")),
        url: of("url").or_else(|| of("external_url")),
        language: of("language").or_else(|| head.language.clone()),
        ..Draft::default()
    })
}
