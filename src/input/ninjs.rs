//! IPTC ninjs, versions 1 to 3.

use super::item::{Draft, stated};
use super::markup::text_of;
use serde_json::{Map, Value};

/// An item. Names are taken as the versions write them: `versioncreated` and `versionCreated`, `body_text` and `bodies`.
pub(super) fn parse_item(value: &Value) -> Result<Draft, String> {
    let Some(item) = value.as_object() else { return Err("no JSON object".to_string()) };
    let mut draft = Draft {
        id: text(item, &["uri", "guid", "id"]),
        text: body(item),
        title: text(item, &["headline", "title"]).or_else(|| main_of(item, "headlines")),
        source: named(item, &["infosource", "infoSources", "infosources", "provider", "source"])
            .or_else(|| text(item, &["copyrightholder", "copyrightHolder"])),
        published: text(
            item,
            &["versioncreated", "versionCreated", "contentcreated", "contentCreated", "firstcreated", "firstCreated"],
        ),
        embargoed: text(item, &["embargoed"]),
        language: text(item, &["language"]),
        slug: text(item, &["slugline", "slug"]),
        version: text(item, &["version"]),
        ..Draft::default()
    };
    draft.url = text(item, &["url", "canonicalurl"]).or_else(|| {
        let is_address = |id: &&String| id.starts_with("http://") || id.starts_with("https://");
        draft.id.as_ref().filter(is_address).cloned()
    });
    if let Some(status) = text(item, &["pubstatus", "pubStatus"]) {
        draft.set_status(&status);
    }
    if let Some(kind) = text(item, &["type"]) {
        draft.set_type(&kind);
    }
    for genre in ["genre", "genres"].into_iter().filter_map(|key| item.get(key)).flat_map(list) {
        let code = genre.get("code").or_else(|| genre.get("literal")).or_else(|| genre.get("uri"));
        for name in [Some(genre), genre.get("name"), code].into_iter().flatten().filter_map(Value::as_str) {
            draft.set_genre(name);
        }
    }
    Ok(draft)
}

/// The items of a list, or the one thing that stands in its place.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items.iter()
}

/// The first of these keys that has a text or a number.
fn text(item: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match item.get(*key) {
        Some(Value::String(text)) => stated(text.as_str()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    })
}

/// The name of the first thing under the first of these keys that has one.
fn named(item: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().filter_map(|key| item.get(*key)).flat_map(list).find_map(|value| match value {
        Value::String(text) => stated(text.as_str()),
        Value::Object(object) => text(object, &["name", "literal", "code"]),
        _ => None,
    })
}

/// Of values with roles the main one, else the first.
fn main_of(item: &Map<String, Value>, key: &str) -> Option<String> {
    let values = || item.get(key).into_iter().flat_map(list);
    let is_main =
        |value: &&Value| value["role"].as_str().is_some_and(|role| role.to_ascii_lowercase().contains("main"));
    let value = values().find(is_main).or_else(|| values().next())?;
    value.as_str().or_else(|| value["value"].as_str()).and_then(stated)
}

/// The story's text: plain where there is such a one, else out of HTML.
fn body(item: &Map<String, Value>) -> String {
    if let Some(plain) = text(item, &["body_text", "bodyText"]) {
        return plain;
    }
    if let Some(html) = text(item, &["body_xhtml", "body_html", "bodyXhtml"]) {
        return text_of(&html);
    }
    let bodies = || item.get("bodies").into_iter().flat_map(list).filter(|body| body["value"].is_string());
    let kind = |body: &Value| {
        ["contentType", "contenttype", "type"].iter().find_map(|key| body[*key].as_str()).unwrap_or("").to_string()
    };
    let is_main = |body: &&Value| body["role"].as_str().is_none_or(|role| role.to_ascii_lowercase().contains("main"));
    let plain = bodies().filter(is_main).find(|body| kind(body).contains("plain"));
    let chosen = plain.or_else(|| bodies().find(is_main)).or_else(|| bodies().next());
    let Some(chosen) = chosen else {
        // Versions before the second let a body be named by what it is in.
        let other = item.iter().find(|(key, value)| key.starts_with("body_") && value.is_string());
        return other.and_then(|(_, value)| value.as_str()).map(text_of).unwrap_or_default();
    };
    let value = chosen["value"].as_str().unwrap_or_default();
    if kind(chosen).contains("plain") { value.trim().to_string() } else { text_of(value) }
}
