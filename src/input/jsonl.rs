//! JSON lines, leniently: strict, then repaired, then rejected with file, line and offset.

use super::json::{Marks, read_flat};
use super::{BYTE_ORDER_MARK, Content, Parsed, Reject};
use crate::article::{Article, Origin, Timestamp};
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

/// Longest line that is read, in bytes; a longer one is rejected without being held.
pub const MAX_LINE_LEN: usize = 64 << 20;
/// Bytes of whole lines that make a block.
const BLOCK_LEN: usize = 1 << 18;

/// The names of the fields that make an article, most wanted first.
#[derive(Clone, Debug)]
pub struct FieldNames {
    /// The id: text or whole number.
    pub id: Vec<String>,
    /// The body.
    pub text: Vec<String>,
    /// The headline.
    pub title: Vec<String>,
    /// Who published it.
    pub source: Vec<String>,
    /// When it was published.
    pub published: Vec<String>,
    /// Where it was published.
    pub url: Vec<String>,
    /// Its language.
    pub language: Vec<String>,
    /// The trade's short name.
    pub slug: Vec<String>,
    /// The outlet's version number.
    pub version: Vec<String>,
}

impl Default for FieldNames {
    fn default() -> Self {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_string()).collect();
        Self {
            id: names(&["id"]),
            text: names(&["text", "body", "content"]),
            title: names(&["title"]),
            source: names(&["source"]),
            published: names(&["published"]),
            url: names(&["url"]),
            language: names(&["language"]),
            slug: names(&["slug"]),
            version: names(&["version"]),
        }
    }
}

/// Which fields of an article the JSON objects of a block have.
#[derive(Clone, Debug, Default)]
pub struct FieldsMet {
    /// Objects that were read, those that are no article too.
    pub num_records: u64,
    /// How many of them have each field, in the order of [`FieldNames`].
    pub counts: [u64; FIELDS.len()],
    /// The first of them.
    pub first: Option<NamedRecord>,
    /// Articles without the field of the text.
    pub num_without_text: u64,
    /// The first of these.
    pub first_without_text: Option<NamedRecord>,
}

/// Where a record stands.
#[derive(Clone, Debug)]
pub struct NamedRecord {
    /// `FILE:LINE`, for people.
    pub place: String,
    /// Its range of [`Parsed::bytes`].
    pub bytes: std::ops::Range<usize>,
}

impl FieldsMet {
    fn note(&mut self, found: &Found, record: impl FnOnce() -> NamedRecord) {
        self.num_records += 1;
        for (count, value) in self.counts.iter_mut().zip(&found.values) {
            *count += u64::from(value.is_some());
        }
        self.first.get_or_insert_with(record);
    }
}

/// Cuts a stream into blocks of whole lines.
pub(super) struct LineBlocks {
    reader: Box<dyn BufRead>,
    file: Arc<str>,
    line: u64,
    offset: u64,
    done: bool,
    pending: Option<Content>,
}

impl fmt::Debug for LineBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineBlocks").field("file", &self.file).field("line", &self.line).finish_non_exhaustive()
    }
}

impl LineBlocks {
    pub(super) fn new(reader: Box<dyn BufRead>, file: Arc<str>) -> Self {
        Self { reader, file, line: 1, offset: 0, done: false, pending: None }
    }

    pub(super) fn file(&self) -> Arc<str> {
        Arc::clone(&self.file)
    }

    /// The next block, or `None` at the end of the stream.
    pub(super) fn next_content(&mut self) -> Option<Content> {
        if let Some(content) = self.pending.take() {
            return Some(content);
        }
        if self.done {
            return None;
        }
        let (first_line, first_offset) = (self.line, self.offset);
        let mut bytes: Vec<u8> = Vec::with_capacity(BLOCK_LEN + (BLOCK_LEN >> 2));
        let mut line_start = 0;
        let problem = loop {
            if bytes.len() >= BLOCK_LEN && line_start == bytes.len() {
                break None;
            }
            let chunk = match self.reader.fill_buf() {
                Ok([]) => {
                    self.done = true;
                    break None;
                }
                Ok(chunk) => chunk,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.done = true;
                    break Some(format!("cannot read further: {error}"));
                }
            };
            // Whole lines as long as the block has room, then up to the end of the line at hand.
            let room = BLOCK_LEN.saturating_sub(bytes.len());
            let within = &chunk[..chunk.len().min(room)];
            let end = match memchr::memrchr(b'\n', within) {
                Some(last) => last + 1,
                None => memchr::memchr(b'\n', chunk).map_or(chunk.len(), |p| p + 1),
            };
            // Only the first line of a chunk can be longer than a block.
            let line_end = memchr::memchr(b'\n', &chunk[..end]).unwrap_or(end);
            if bytes.len() - line_start + line_end > MAX_LINE_LEN {
                bytes.truncate(line_start);
                self.pending = Some(self.pass_over_line(first_offset + line_start as u64));
                break None;
            }
            bytes.extend_from_slice(&chunk[..end]);
            self.offset += end as u64;
            let num_lines = memchr::memchr_iter(b'\n', &chunk[..end]).count() as u64;
            self.line += num_lines;
            if num_lines > 0 {
                line_start = memchr::memrchr(b'\n', &bytes).map_or(0, |p| p + 1);
            }
            self.reader.consume(end);
        };
        if let Some(reason) = problem {
            self.pending = Some(self.reject(self.line, self.offset, reason));
        }
        if bytes.is_empty() {
            return self.pending.take();
        }
        Some(Content::Lines { bytes, first_line, offset: first_offset })
    }

    fn reject(&self, line: u64, offset: u64, reason: String) -> Content {
        let file = self.file.to_string();
        Content::Bad(Reject { block: 0, line, file, offset, reason, record: String::new() })
    }

    /// Passes over the rest of a line that is too long and began at byte `start`, without holding it.
    fn pass_over_line(&mut self, start: u64) -> Content {
        let line = self.line;
        let mut reason = format!("line longer than {} MiB", MAX_LINE_LEN >> 20);
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    reason.push_str(&format!("; cannot read further: {error}"));
                    &[]
                }
            };
            if chunk.is_empty() {
                self.done = true;
                return self.reject(line, start, reason);
            }
            let end = memchr::memchr(b'\n', chunk);
            let used = end.map_or(chunk.len(), |p| p + 1);
            self.reader.consume(used);
            self.offset += used as u64;
            if end.is_some() {
                self.line += 1;
                return self.reject(line, start, reason);
            }
        }
    }
}

/// Parses the lines of a block that begins at line and byte `start`.
pub(super) fn parse_lines(
    file: &str,
    block: u64,
    bytes: &[u8],
    start: (u64, u64),
    fields: &FieldNames,
    parsed: &mut Parsed,
) {
    let mut at = 0;
    let mut marks = Marks::default();
    let mut number = start.0 - 1;
    while at < bytes.len() {
        number += 1;
        let mut from = at;
        let line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |len| at + len);
        let mut line = &bytes[at..line_end];
        let end = bytes.len().min(line_end + 1);
        at = end;
        line = line.strip_suffix(b"\r").unwrap_or(line);
        if number == 1
            && let Some(rest) = line.strip_prefix(BYTE_ORDER_MARK)
        {
            from += BYTE_ORDER_MARK.len();
            line = rest;
            parsed.has_mark = true;
        }
        if line.first() != Some(&b'{') && line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let parsed_line = read_line(line, fields, &mut marks).or_else(|strict| {
            let Some(mended) = repair(line) else {
                return Err(strict);
            };
            parsed.num_repaired += 1;
            parse_line(mended.as_bytes(), fields)
        });
        let mut has_text = true;
        let article = parsed_line.and_then(|found| {
            has_text = found.has("text");
            parsed.fields.note(&found, || NamedRecord { place: format!("{file}:{number}"), bytes: from..end });
            found.into_article(file, number)
        });
        match article {
            Ok((mut article, has_bad_time)) => {
                if !has_text {
                    parsed.fields.num_without_text += 1;
                    let record = || NamedRecord { place: format!("{file}:{number}"), bytes: from..end };
                    parsed.fields.first_without_text.get_or_insert_with(record);
                }
                parsed.num_bad_times += u64::from(has_bad_time);
                article.origin = Origin { place: format!("{file}:{number}").into(), ..Origin::default() };
                parsed.records.push(from..end);
                parsed.articles.push(article);
            }
            Err(reason) => parsed.rejects.push(Reject {
                block,
                line: number,
                file: file.to_string(),
                offset: start.1 + from as u64,
                reason: if reason == NO_ARTICLE { with_keys(reason, line) } else { reason },
                record: String::from_utf8_lossy(line).into_owned(),
            }),
        }
    }
}

/// What is wrong with an object that has nothing to know it by.
const NO_ARTICLE: &str = "neither id nor text";
/// Keys of such an object that are named.
const NUM_KEYS: usize = 8;

/// Says which keys an object has in place of those that were looked for.
fn with_keys(mut reason: String, line: &[u8]) -> String {
    let keys = serde_json::from_slice::<std::collections::BTreeMap<String, IgnoredAny>>(line).unwrap_or_default();
    for (i, key) in keys.keys().take(NUM_KEYS).enumerate() {
        reason.push_str(if i == 0 { "; it has " } else { ", " });
        reason.push_str(&format!("'{key}'"));
    }
    reason
}

fn read_line(line: &[u8], fields: &FieldNames, marks: &mut Marks) -> Result<Found, String> {
    read_flat(line, fields, marks).map_or_else(|| parse_line(line, fields), Ok)
}

/// Any JSON object: the slow twin of [`read_flat`], and the one that says what is wrong.
fn parse_line(line: &[u8], fields: &FieldNames) -> Result<Found, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let found = deserializer.deserialize_map(FoundVisitor { fields }).map_err(describe)?;
    deserializer.end().map_err(describe)?;
    Ok(found)
}

/// serde_json's message without its line number, which is always 1 here.
fn describe(error: serde_json::Error) -> String {
    let text = error.to_string();
    let (message, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
    format!("no JSON object that can be read: {message}, at byte {}", error.column())
}

/// A line as valid UTF-8 without raw control characters and lone surrogates, if it had any of these.
fn repair(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let mut out = String::with_capacity(text.len());
    let mut changed = matches!(text, Cow::Owned(_));
    let bytes = text.as_bytes();
    let mut kept = 0;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            0..0x20 => {
                out.push_str(&text[kept..at]);
                out.push(' ');
                at += 1;
                kept = at;
                changed = true;
            }
            b'\\' => match surrogate(bytes, at) {
                Some(unit @ 0xd800..0xdc00) if surrogate(bytes, at + 6).is_some_and(|low| low >= 0xdc00) => {
                    debug_assert!(unit < 0xdc00);
                    at += 12;
                }
                Some(_) => {
                    out.push_str(&text[kept..at]);
                    out.push_str("\\ufffd");
                    at += 6;
                    kept = at;
                    changed = true;
                }
                None => at += 2,
            },
            _ => at += 1,
        }
    }
    out.push_str(text.get(kept..).unwrap_or(""));
    changed.then_some(out)
}

/// The surrogate written as `\uXXXX` at `at`, if there is one.
fn surrogate(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (0xd800..0xe000).contains(&unit).then_some(unit)
}

/// What a JSON object held of an article.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    values: [Option<(usize, Value)>; 9],
}

/// A field's value as far as an article can use it.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Null,
    Other(&'static str),
}

/// The fields of an article, in the order of [`FieldNames`].
const FIELDS: [&str; 9] = ["id", "text", "title", "source", "published", "url", "language", "slug", "version"];

impl FieldNames {
    /// Which field a key names, and how wanted the key is.
    pub(super) fn find(&self, key: &str) -> Option<(usize, usize)> {
        let all = [
            &self.id,
            &self.text,
            &self.title,
            &self.source,
            &self.published,
            &self.url,
            &self.language,
            &self.slug,
            &self.version,
        ];
        all.iter().enumerate().find_map(|(field, names)| Some((field, names.iter().position(|n| n == key)?)))
    }
}

struct FoundVisitor<'a> {
    fields: &'a FieldNames,
}

impl<'de> Visitor<'de> for FoundVisitor<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let mut found = Found::default();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let Some((field, wish)) = self.fields.find(&key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            found.put(field, wish, map.next_value_seed(ValueSeed)?);
        }
        Ok(found)
    }
}

struct KeySeed;

impl<'de> serde::de::DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Borrowed(key))
            }
            fn visit_str<E>(self, key: &str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Owned(key.to_string()))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct ValueSeed;

impl<'de> serde::de::DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other("a fraction"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other("true or false"))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other("an object"))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>().map_err(A::Error::custom)?.is_some() {}
        Ok(Value::Other("a list"))
    }
}

impl Found {
    /// A more wanted name wins over a less wanted; of one name the last stands, as in most JSON readers.
    pub(super) fn put(&mut self, field: usize, wish: usize, value: Value) {
        if self.values[field].as_ref().is_none_or(|(old, held)| wish <= *old || *held == Value::Null) {
            self.values[field] = Some((wish, value));
        }
    }

    fn has(&self, name: &str) -> bool {
        FIELDS.iter().zip(&self.values).any(|(field, value)| *field == name && value.is_some())
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let field = FIELDS.iter().position(|f| *f == name)?;
        self.values[field].take().map(|(_, value)| value).filter(|value| *value != Value::Null)
    }

    /// A descriptive field: what is no text is as good as absent.
    fn take_text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::Text(text) if !text.trim().is_empty() => Some(text),
            Value::Whole(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The article, and whether it states a time that cannot be read; or why it is none.
    fn into_article(mut self, file: &str, line: u64) -> Result<(Article, bool), String> {
        let id = match self.take("id") {
            Some(Value::Text(id)) if !id.is_empty() => Some(id),
            Some(Value::Whole(number)) => Some(number.to_string()),
            Some(Value::Text(_)) | None => None,
            Some(Value::Other(kind)) => {
                return Err(format!("id is {kind}, expected text or a whole number"));
            }
            Some(Value::Null) => None,
        };
        let text = match self.take("text") {
            Some(Value::Text(text)) => text,
            None | Some(Value::Null) if id.is_some() => String::new(),
            None | Some(Value::Null) => return Err(NO_ARTICLE.to_string()),
            Some(Value::Whole(_)) => return Err("text is a number, expected text".to_string()),
            Some(Value::Other(kind)) => return Err(format!("text is {kind}, expected text")),
        };
        let published = self.take("published");
        let time = match &published {
            Some(Value::Text(text)) => Timestamp::parse(text),
            Some(Value::Whole(number)) => Timestamp::from_epoch(*number),
            _ => None,
        };
        let has_bad_time = published.is_some() && time.is_none();
        let version = match self.take("version") {
            Some(Value::Whole(number)) => Some(number),
            Some(Value::Text(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let article = Article {
            id: id.unwrap_or_else(|| format!("{file}:{line}")).into(),
            text,
            title: self.take_text("title"),
            source: self.take_text("source"),
            published: time,
            url: self.take_text("url"),
            language: self.take_text("language"),
            slug: self.take_text("slug"),
            version,
            origin: Origin::default(),
        };
        Ok((article, has_bad_time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STRING: &str = r#""([a-z é“\u{1f600}]{0,9}|[x]{60,70}|\\\\|\\"|\\/|\\[nrtbf]|\\u[0-9a-eA-E][0-9a-f]{3}|\\ud83d\\ude00|\\ud83d|\\x|\n){0,4}""#;

    proptest! {
        #[test]
        fn the_quick_way_reads_what_the_general_does(
            members in prop::collection::vec(
                (
                    r#""(id|text|body|content|title|other|na\\u006de)""#,
                    prop_oneof![
                        4 => STRING,
                        1 => "-?(0|[1-9][0-9]{0,20}|01)([.][0-9])?(e9)?",
                        1 => "true|false|null|nul|[{][}]|[\\[]1[\\]]|[{]\"a\":[{][}][}]|",
                    ],
                ),
                0..6,
            ),
            frame in prop_oneof![4 => Just(("{", "}", ":", ",")), 1 => Just((" { ", "\t} ", " : ", " ,")),
                1 => Just(("{", "} x", ":", ",")), 1 => Just(("{", "", ":", ",")), 1 => Just(("{", ",}", ":", ","))],
        ) {
            let (open, close, colon, comma) = frame;
            let members: Vec<String> = members.iter().map(|(key, value)| format!("{key}{colon}{value}")).collect();
            let line = format!("{open}{}{close}", members.join(comma));
            let fields = FieldNames::default();
            // What the quick way leaves is the general way's to judge.
            if let Some(found) = read_flat(line.as_bytes(), &fields, &mut Marks::default()) {
                prop_assert_eq!(Ok(found), parse_line(line.as_bytes(), &fields), "{}", line);
            }
        }
    }

    #[test]
    fn plain_lines_go_the_quick_way() {
        let fields = FieldNames::default();
        for line in [
            r#"{"id": "a", "text": "one\n\n\u201ctwo\u201d \ud83d\ude00 \"", "title": null, "x": "\/", "version": 12}"#,
            r#"{}"#,
            r#" {"text":"t","y":true,"id":7} "#,
        ] {
            let found = read_flat(line.as_bytes(), &fields, &mut Marks::default());
            assert_eq!(found, parse_line(line.as_bytes(), &fields).ok(), "{line}");
            assert!(found.is_some(), "{line}");
        }
        for line in [r#"{"id":{}}"#, r#"{"id":1.5}"#, r#"{"id":"\ud83d"}"#, r#"{"id":"a"} x"#, r#"{"id":"a""#, ""] {
            assert_eq!(read_flat(line.as_bytes(), &fields, &mut Marks::default()), None, "{line}");
        }
    }

    fn parse(bytes: &[u8]) -> Parsed {
        let mut parsed = Parsed::default();
        parse_lines("f", 1, bytes, (1, 0), &FieldNames::default(), &mut parsed);
        parsed
    }

    fn one(line: &[u8]) -> Article {
        let mut parsed = parse(line);
        assert_eq!(parsed.rejects, []);
        parsed.articles.remove(0)
    }

    #[test]
    fn fields_are_found() {
        let article = one(br#"{"x":[1,{"y":2}],"id":7,"content":"c","text":"t","title":"T","published":1709580900}"#);
        assert_eq!((article.id.as_str(), article.text.as_str()), ("7", "t"));
        assert_eq!(article.title.as_deref(), Some("T"));
        assert_eq!(article.published, Some(Timestamp(1_709_580_900)));
        assert_eq!(one(br#"{"id":"a","text":null,"body":"b"}"#).text, "b");
        assert_eq!(one(br#"{"text":"t"}"#).id.as_str(), "f:1");
        assert_eq!(one(br#"{"id":"a"}"#).text, "");
    }

    #[test]
    fn damage_is_mended_where_it_can_be() {
        assert_eq!(one(b"\xef\xbb\xbf{\"text\":\"t\"}").text, "t");
        assert_eq!(one(b"{\"text\":\"caf\xe9\"}").text, "caf\u{fffd}");
        assert_eq!(one(b"{\"text\":\"a\0b\"}").text, "a b");
        assert_eq!(one(br#"{"text":"a\ud83dz"}"#).text, "a\u{fffd}z");
        assert_eq!(one(br#"{"text":"\ud83d\ude00\ud83d"}"#).text, "\u{1f600}\u{fffd}");
        assert_eq!(one(br#"{"text":"\\ud83d"}"#).text, "\\ud83d");
        assert_eq!(parse(br#"{"text":"a\ud83dz"}"#).num_repaired, 1);
    }

    #[test]
    fn what_is_no_article_is_named() {
        let parsed = parse(b"{\"id\":\"a\",\"text\":\"t\"}\n\n[1]\n{\"id\":{},\"text\":\"t\"}\n{\"id\":\"b\",\"te\n{\"x\":1}\n{\"text\":5}\n{} x\n");
        assert_eq!(parsed.articles.len(), 1);
        let named: Vec<(u64, &str)> = parsed.rejects.iter().map(|r| (r.line, r.reason.as_str())).collect();
        assert_eq!(named.len(), 6);
        assert_eq!(named[0].0, 3);
        assert_eq!(named[1], (4, "id is an object, expected text or a whole number"));
        assert_eq!(named[3], (6, "neither id nor text; it has 'x'"));
        assert_eq!((parsed.fields.num_records, parsed.fields.counts[..2].to_vec()), (4, vec![2, 3]));
        assert_eq!(parsed.fields.first.as_ref().map(|first| first.bytes.clone()), Some(0..22));
        assert_eq!(parsed.fields.num_without_text, 0);
        assert_eq!(named[4], (7, "text is a number, expected text"));
        assert_eq!(parsed.rejects[0].offset, 23);
    }

    #[test]
    fn lines_keep_their_numbers_over_blocks() {
        let lines: Vec<u8> =
            (0..60_000).flat_map(|i| format!("{{\"id\":{i},\"text\":\"some text here\"}}\n").into_bytes()).collect();
        let mut blocks = LineBlocks::new(Box::new(std::io::Cursor::new(lines.clone())), "f".into());
        let (mut all, mut expected) = (Vec::new(), 1);
        while let Some(Content::Lines { bytes, first_line, offset }) = blocks.next_content() {
            assert_eq!(first_line, expected);
            assert_eq!(offset, all.len() as u64);
            expected += bytes.iter().filter(|b| **b == b'\n').count() as u64;
            all.extend(bytes);
        }
        assert_eq!(all, lines);
    }

    #[test]
    fn a_line_too_long_is_passed_over() {
        // One byte too long or far too long, in one chunk or many: chunks do not decide.
        for (excess, chunk_len) in [(0, usize::MAX), (1, usize::MAX), (1, 1 << 16), (3 << 20, 1 << 18)] {
            let mut input = b"{\"id\":1}\n\"".to_vec();
            input.resize(input.len() + MAX_LINE_LEN + excess - 2, b'x');
            input.extend_from_slice(b"\"\n{\"id\":3}\n");
            let cursor = std::io::Cursor::new(input);
            let reader: Box<dyn BufRead> = match chunk_len {
                usize::MAX => Box::new(cursor),
                _ => Box::new(std::io::BufReader::with_capacity(chunk_len, cursor)),
            };
            let mut blocks = LineBlocks::new(reader, "f".into());
            let mut rejects = Vec::new();
            let mut num_lines = 0;
            while let Some(content) = blocks.next_content() {
                match content {
                    Content::Lines { bytes, first_line, .. } => {
                        num_lines += bytes.iter().filter(|b| **b == b'\n').count();
                        assert!(first_line <= 3);
                    }
                    Content::Bad(reject) => rejects.push((reject.line, reject.offset, reject.reason)),
                    Content::Text { .. } => unreachable!("lines only"),
                }
            }
            let expected = (2, 9, "line longer than 64 MiB".to_string());
            assert_eq!(rejects, if excess > 0 { vec![expected] } else { vec![] });
            assert_eq!(num_lines, if excess > 0 { 2 } else { 3 });
        }
    }
}
