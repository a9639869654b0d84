//! The formats of inputs, and how one is known: by marks that no other has, by the file's name, by its first bytes.

use super::BYTE_ORDER_MARK;
use std::path::Path;

/// An input format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// JSON objects in one list.
    Json,
    /// A table with a header, its cells parted by a comma, tab, semicolon or bar.
    Csv,
    /// One plain text a file.
    Text,
    /// One HTML page a file.
    Html,
    /// RSS 0.9 to 2.0 and Atom.
    Feed,
    /// JSON Feed.
    JsonFeed,
    /// IPTC ninjs: objects in a line, a list or alone.
    Ninjs,
    /// IPTC NewsML-G2.
    NewsMl,
    /// IPTC NITF.
    Nitf,
    /// WARC and WET: records of a crawl.
    Warc,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC, file or stream.
    Arrow,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Jsonl,
        Self::Json,
        Self::Csv,
        Self::Parquet,
        Self::Arrow,
        Self::Text,
        Self::Html,
        Self::Feed,
        Self::JsonFeed,
        Self::Ninjs,
        Self::NewsMl,
        Self::Nitf,
        Self::Warc,
    ];

    /// The format's name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Text => "text",
            Self::Html => "html",
            Self::Feed => "rss",
            Self::JsonFeed => "jsonfeed",
            Self::Ninjs => "ninjs",
            Self::NewsMl => "newsml",
            Self::Nitf => "nitf",
            Self::Warc => "warc",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }
}

/// Ends of names that say how a file is packed.
const PACKED: [&str; 4] = [".gz", ".zst", ".bz2", ".xz"];

/// What a file's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// This format.
    As(Format),
    /// One of several: XML of some kind.
    Xml,
    /// One of several: JSON of some kind.
    Json,
}

/// What a file's name says, looking through the ends of packed files; `None` where it says nothing.
pub(super) fn named(path: &Path) -> Option<Named> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let name = PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    Some(match name.rsplit_once('.')?.1 {
        "jsonl" | "ndjson" => Named::Json,
        "json" => Named::Json,
        "csv" | "tsv" => Named::As(Format::Csv),
        "txt" => Named::As(Format::Text),
        "html" | "htm" | "xhtml" => Named::As(Format::Html),
        "rss" | "atom" | "rdf" => Named::As(Format::Feed),
        "newsml" => Named::As(Format::NewsMl),
        "nitf" => Named::As(Format::Nitf),
        "warc" | "wet" => Named::As(Format::Warc),
        "parquet" => Named::As(Format::Parquet),
        "arrow" | "arrows" | "feather" | "ipc" => Named::As(Format::Arrow),
        "xml" => Named::Xml,
        _ => return None,
    })
}

/// Whether a file's name says what it holds, or which few things it may hold.
#[must_use]
pub fn has_known_name(path: &Path) -> bool {
    named(path).is_some()
}

/// Bytes at the beginning that are looked at, at most.
pub(super) const HEAD_LEN: usize = 1 << 14;

/// The format of what begins with these bytes, under a name that says so much; `None` where more have to be seen. What
/// nothing is known of is taken for JSON lines, whose reader says of each line what is wrong.
pub(super) fn sniff(head: &[u8], named: Option<Named>, is_all: bool) -> Option<Format> {
    let is_all = is_all || head.len() >= HEAD_LEN;
    // However much of a stream comes at once.
    let head = &head[..head.len().min(HEAD_LEN)];
    let marks: [(&[u8], Format); 3] =
        [(b"PAR1", Format::Parquet), (b"ARROW1", Format::Arrow), (b"WARC/", Format::Warc)];
    for (mark, format) in marks {
        if head.starts_with(mark) {
            return Some(format);
        }
    }
    if let Some(Named::As(format)) = named {
        return Some(format);
    }
    if head.len() < 8 && !is_all {
        return None;
    }
    if head.starts_with(&[0xff; 4]) {
        return Some(Format::Arrow);
    }
    // Marks and names of a format are ASCII, so that other encodings than this one need no more than their zeros left
    // out. JSON lines in UTF-16 are no JSON lines.
    let wide = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let narrowed: Vec<u8>;
    let mut text = head;
    if wide {
        narrowed = head[2..].iter().copied().filter(|byte| *byte != 0).collect();
        text = &narrowed;
    }
    text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim_ascii_start();
    match text.first() {
        None if !is_all => None,
        Some(b'<') if named != Some(Named::Json) => xml_kind(text, is_all),
        Some(b'[') => json_kind(&text[1..], is_all, Format::Json),
        Some(b'{') if !wide => json_kind(text, is_all, Format::Jsonl),
        Some(_) if named.is_none() => table_kind(text, is_all),
        _ => Some(if named == Some(Named::Xml) { Format::Feed } else { Format::Jsonl }),
    }
}

/// Which XML this is, by the first element whose name is known.
fn xml_kind(text: &[u8], is_all: bool) -> Option<Format> {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'<', &text[at..]) {
        let rest = &text[at + found + 1..];
        if rest.starts_with(b"!--") {
            match memchr::memmem::find(rest, b"-->") {
                Some(end) => at += found + 1 + end,
                None => break,
            }
            continue;
        }
        let name_len = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(b)).count();
        let name = rest[..name_len].rsplit(|b| *b == b':').next().unwrap_or_default();
        let format = match name.to_ascii_lowercase().as_slice() {
            b"rss" | b"rdf" | b"feed" => Some(Format::Feed),
            b"newsmessage" | b"newsitem" | b"packageitem" => Some(Format::NewsMl),
            b"nitf" => Some(Format::Nitf),
            b"html" => Some(Format::Html),
            _ => None,
        };
        // A name that goes on beyond what was seen may be another.
        if format.is_some() && name_len < rest.len() {
            return format;
        }
        at += found + 1;
    }
    if is_all && text.len() > 14 && text[..14].eq_ignore_ascii_case(b"<!doctype html") {
        return Some(Format::Html);
    }
    // What is no XML that is known is read as a feed only by name.
    is_all.then_some(Format::Jsonl)
}

/// Which JSON this is, by the keys of the first record: of the first line where that is an object by itself, else of all
/// that is looked at. Keys only, as whoever writes an article says what its texts are.
fn json_kind(text: &[u8], is_all: bool, otherwise: Format) -> Option<Format> {
    let line_end = memchr::memchr(b'\n', text);
    let is_whole = line_end.is_some_and(|end| {
        let line = text[..end].trim_ascii().strip_suffix(b",").unwrap_or(text[..end].trim_ascii());
        line.len() > 2 && line.ends_with(b"}")
    });
    if !is_whole && !is_all {
        return None;
    }
    let text = if is_whole { &text[..line_end.unwrap_or(text.len())] } else { text };
    let is_feed = values_of(text, b"\"version\"").any(|value| {
        let value = value.strip_prefix(b"\"").unwrap_or_default();
        value.len() >= FEED_VERSION && memchr::memmem::find(&value[..FEED_VERSION], b"jsonfeed.org").is_some()
    });
    if is_feed {
        return Some(Format::JsonFeed);
    }
    let has = |key: &[u8]| values_of(text, key).next().is_some();
    let is_ninjs = has(b"\"uri\"")
        && [
            &b"\"body_text\""[..],
            b"\"body_xhtml\"",
            b"\"bodies\"",
            b"\"pubstatus\"",
            b"\"pubStatus\"",
            b"\"$standard\"",
        ]
        .into_iter()
        .any(has);
    if is_ninjs {
        return Some(Format::Ninjs);
    }
    // One object over many lines.
    let opens = line_end
        .is_some_and(|end| text[..end].trim_ascii() == b"{" && text[end..].trim_ascii_start().starts_with(b"\""));
    Some(if opens && !is_whole { Format::Json } else { otherwise })
}

/// Bytes of the address that a JSON Feed has for its version, up to the end of its host at least: `https:\/\/jsonfeed.org`.
const FEED_VERSION: usize = 22;

/// What follows a key and its colon, wherever the key stands. No text can look like a key: its quotes are escaped, and a
/// whole one has no colon behind it.
fn values_of<'a>(text: &'a [u8], key: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    memchr::memmem::find_iter(text, key).filter_map(move |at| {
        let behind = text[at + key.len()..].trim_ascii_start();
        behind.strip_prefix(b":").map(<[u8]>::trim_ascii_start)
    })
}

/// A table where the first line has two names of fields, else lines of whatever kind.
fn table_kind(text: &[u8], is_all: bool) -> Option<Format> {
    let Some(end) = memchr::memchr(b'\n', text) else {
        return is_all.then_some(Format::Jsonl);
    };
    let fields = super::FieldNames::default();
    let cells = text[..end].split(|b| b",;\t|".contains(b));
    let num_known = cells
        .filter_map(|cell| std::str::from_utf8(cell).ok())
        .filter(|cell| fields.find(&cell.trim().trim_matches('"').to_ascii_lowercase()).is_some())
        .count();
    Some(if num_known >= 2 { Format::Csv } else { Format::Jsonl })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_first_bytes() {
        for (head, format) in [
            (&b"PAR1\x15\x04"[..], Format::Parquet),
            (b"ARROW1\0\0\xff\xff\xff\xff", Format::Arrow),
            (b"\xff\xff\xff\xff\x10\0\0\0", Format::Arrow),
            (b"WARC/1.0\r\n", Format::Warc),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <nitf> -->\n<rss version='2.0'>", Format::Feed),
            (b"<?xml version='1.0'?><rss version='2.0'>", Format::Feed),
            (b"<rdf:RDF xmlns='x'>", Format::Feed),
            (b"<feed xmlns='x'>", Format::Feed),
            (b"<g2:newsMessage x='y'>", Format::NewsMl),
            (b"<nitf>", Format::Nitf),
            (b"<!DOCTYPE html>\n<html lang='en'>", Format::Html),
            (b" [ {\"id\": 1},\n", Format::Json),
            (b"{\"version\": \"https://jsonfeed.org/version/1.1\", ", Format::JsonFeed),
            (b"{\"uri\": \"x\", \"body_text\": \"y\"}", Format::Ninjs),
            (b"{\"id\": 1, \"text\": \"y\"}\n{", Format::Jsonl),
            (b"id;text;title\n1;Rain;Rain\n", Format::Csv),
            (b"{\n  \"id\": 1,\n", Format::Json),
            (b"{\n{\n", Format::Jsonl),
            (b"no article\n", Format::Jsonl),
            (b"", Format::Jsonl),
            (b"\xff\xfe<\0r\0s\0s\0>\0", Format::Feed),
        ] {
            assert_eq!(sniff(head, None, true), Some(format), "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn names_stand_before_first_bytes_that_could_be_anything() {
        let of = |name: &str, head: &[u8]| sniff(head, named(Path::new(name)), true);
        assert_eq!(of("a.txt", b"{\"id\": 1}"), Some(Format::Text));
        assert_eq!(of("a.csv.gz", b"<rss>"), Some(Format::Csv));
        assert_eq!(of("a.jsonl", b"<rss>"), Some(Format::Jsonl));
        assert_eq!(of("a.json", b"[{\"id\": 1}]"), Some(Format::Json));
        assert_eq!(of("a.xml", b"no XML"), Some(Format::Feed));
        assert_eq!(of("a.jsonl", b"PAR1"), Some(Format::Parquet));
        assert_eq!(named(Path::new("x.xlsx")), None);
    }

    #[test]
    fn no_text_of_an_article_changes_the_format() {
        for (head, format) in [
            (&br#"{"id":"a","text":"see https://jsonfeed.org/version/1.1"}"#[..], Format::Jsonl),
            (br#"{"id":"a","text":"https://jsonfeed.org/version/1.1"}"#, Format::Jsonl),
            (br#"{"id":"a","text":"\"version\": \"https://jsonfeed.org/version/1.1\""}"#, Format::Jsonl),
            (br#"{"id":"a","title":"uri","text":"bodies"}"#, Format::Jsonl),
            (br#"{"id":"a","title":"uri","text":"\"bodies\": 1, \"uri\": 2"}"#, Format::Jsonl),
            (b"[{\"id\":\"a\",\"text\":\"uri\"},\n{\"id\":\"b\",\"text\":\"bodies\"}]", Format::Json),
            (br#"{"version":"https:\/\/jsonfeed.org\/version\/1","items":["#, Format::JsonFeed),
            (br#"{"uri":"x","bodies":["#, Format::Ninjs),
        ] {
            assert_eq!(sniff(head, None, true), Some(format), "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn what_is_not_told_yet_is_waited_for() {
        for head in [&b"<?xml version='1.0'?>\n"[..], b"", b"{\"id\":\"a\",", b"[", b"<nitf", b"id,text"] {
            assert_eq!(sniff(head, None, false), None, "{}", String::from_utf8_lossy(head));
        }
        assert_eq!(sniff(b"{\"id\":\"a\"}\n", None, false), Some(Format::Jsonl));
    }
}
