//! JSON lines, leniently: strict, then repaired, then rejected with file, line and offset.

use super::gzip::goes_on;
use super::json::{Marks, read_flat};
use super::{BYTE_ORDER_MARK, Content, Parsed, Reject};
use crate::article::Article;
use crate::fields::{FieldNames, Found, NO_ARTICLE, NamedRecord, Value};
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

/// Longest record that is read unless another limit is given, in bytes; a longer one is rejected without being held.
pub const MAX_LINE_LEN: usize = 64 << 20;
/// Bytes of whole lines that make a block.
pub(super) const BLOCK_LEN: usize = 1 << 18;

/// What is wrong with a record that is too long.
pub(super) fn longer_than(noun: &str, limit: usize) -> String {
    if limit.is_multiple_of(1 << 20) {
        format!("{noun} longer than {} MiB", limit >> 20)
    } else {
        format!("{noun} longer than {limit} bytes")
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
    max_record: usize,
}

impl fmt::Debug for LineBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineBlocks").field("file", &self.file).field("line", &self.line).finish_non_exhaustive()
    }
}

impl LineBlocks {
    pub(super) fn new(reader: Box<dyn BufRead>, file: Arc<str>, max_record: usize) -> Self {
        Self { reader, file, line: 1, offset: 0, done: false, pending: None, max_record }
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
                Err(error) if goes_on(&error) => {
                    // What is left of a line ends here.
                    if line_start < bytes.len() {
                        bytes.push(b'\n');
                        self.line += 1;
                    }
                    break Some(format!("damaged, and passed over: {error}"));
                }
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
            if bytes.len() - line_start + line_end > self.max_record {
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
        let mut reason = longer_than("line", self.max_record);
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted || goes_on(&error) => continue,
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
        // Where files were put one behind another, marks stand within.
        if let Some(rest) = line.strip_prefix(BYTE_ORDER_MARK) {
            from += BYTE_ORDER_MARK.len();
            line = rest;
            parsed.has_mark |= number == 1;
        }
        if line.first() != Some(&b'{') && line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let place = format!("{file}:{number}");
        match parse_object(line, &place, fields, &mut marks, parsed) {
            Ok(article) => {
                parsed.records.push(from..end);
                parsed.articles.push(article);
            }
            Err(reason) => parsed.rejects.push(Reject {
                block,
                line: number,
                file: file.to_string(),
                offset: start.1 + from as u64,
                reason,
                record: String::from_utf8_lossy(line).into_owned(),
            }),
        }
    }
}

/// The article of one JSON object, with what there is to say of it counted; or why it is none.
pub(super) fn parse_object(
    object: &[u8],
    place: &str,
    fields: &FieldNames,
    marks: &mut Marks,
    parsed: &mut Parsed,
) -> Result<Article, String> {
    let found = read_line(object, fields, marks).or_else(|strict| {
        let Some(mended) = repair(object) else {
            return Err(strict);
        };
        parsed.num_repaired += 1;
        parse_line(mended.as_bytes(), fields)
    })?;
    let has_text = found.has("text");
    let record = || NamedRecord { place: place.to_string(), json: object.to_vec() };
    parsed.fields.note(&found, record);
    let (article, has_bad_time) = found
        .into_article(place)
        .map_err(|reason| if reason == NO_ARTICLE { with_keys(reason, object) } else { reason })?;
    if !has_text {
        parsed.fields.num_without_text += 1;
        parsed.fields.first_without_text.get_or_insert_with(record);
    }
    parsed.num_bad_times += u64::from(has_bad_time);
    Ok(article)
}

/// A JSON value, mended where it had to be.
pub(super) fn parse_value(bytes: &[u8]) -> Result<(serde_json::Value, bool), String> {
    serde_json::from_slice(bytes).map(|value| (value, false)).or_else(|strict| {
        let mended = repair(bytes).and_then(|mended| serde_json::from_str(&mended).ok());
        mended.map(|value| (value, true)).ok_or_else(|| describe(strict))
    })
}

/// Keys of an object without id and text that are named.
const NUM_KEYS: usize = 8;

/// Says which keys an object has in place of those that were looked for.
pub(super) fn with_keys(mut reason: String, line: &[u8]) -> String {
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

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Other(if number.fract() == 0.0 { "a number beyond 64 bits or with a point" } else { "a fraction" }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::input::Format;
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
        let mut parsed = Parsed::new(Format::Jsonl);
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
        let first = parsed.fields.first.as_ref().map(|first| first.json.as_slice());
        assert_eq!(first, Some(&b"{\"id\":\"a\",\"text\":\"t\"}"[..]));
        assert_eq!(parsed.fields.num_without_text, 0);
        assert_eq!(named[4], (7, "text is a number, expected text"));
        assert_eq!(parsed.rejects[0].offset, 23);
    }

    #[test]
    fn lines_keep_their_numbers_over_blocks() {
        let lines: Vec<u8> =
            (0..60_000).flat_map(|i| format!("{{\"id\":{i},\"text\":\"some text here\"}}\n").into_bytes()).collect();
        let mut blocks = LineBlocks::new(Box::new(std::io::Cursor::new(lines.clone())), "f".into(), MAX_LINE_LEN);
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
            let mut blocks = LineBlocks::new(reader, "f".into(), MAX_LINE_LEN);
            let mut rejects = Vec::new();
            let mut num_lines = 0;
            while let Some(content) = blocks.next_content() {
                match content {
                    Content::Lines { bytes, first_line, .. } => {
                        num_lines += bytes.iter().filter(|b| **b == b'\n').count();
                        assert!(first_line <= 3);
                    }
                    Content::Bad(reject) => rejects.push((reject.line, reject.offset, reject.reason)),
                    _ => unreachable!("lines only"),
                }
            }
            let expected = (2, 9, "line longer than 64 MiB".to_string());
            assert_eq!(rejects, if excess > 0 { vec![expected] } else { vec![] });
            assert_eq!(num_lines, if excess > 0 { 2 } else { 3 });
        }
    }
}
