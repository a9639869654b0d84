//! Finds the items of a feed or message in XML.

use super::block::Kind;
use super::markup::{Token, Tokens, local, unescape};
use super::records::{Cut, Step};
use super::text::decode_as;
use encoding_rs::Encoding;
use std::sync::Arc;

/// Bytes of what may stand before the first item, at most, as far as it is looked at.
const MAX_HEAD: usize = 1 << 18;

/// Elements around the items of a document, which may have none.
const ROOTS: [&str; 5] = ["rss", "feed", "RDF", "newsMessage", "itemSet"];

/// What a document says of all its items.
#[derive(Clone, Debug, Default)]
pub(super) struct XmlHead {
    /// The encoding that it declares.
    pub(super) encoding: Option<&'static Encoding>,
    /// Its title: of a feed, who publishes it.
    pub(super) title: Option<String>,
    /// Its language.
    pub(super) language: Option<String>,
    /// The name of the element around all.
    pub(super) root: Option<String>,
}

impl XmlHead {
    /// Reads what stands before the first item.
    fn parse(bytes: &[u8]) -> Self {
        let encoding = declared(bytes);
        let (text, _) = decode_as(bytes, encoding);
        let (mut title, mut language, mut root) = (None, None, None);
        let mut open: Vec<&str> = Vec::new();
        for token in Tokens::new(&text) {
            match token {
                Token::Start { name, attributes, is_empty } => {
                    if language.is_none() {
                        language = super::markup::attribute(attributes, "lang").map(|tag| tag.into_owned());
                    }
                    root.get_or_insert_with(|| name.to_string());
                    if !is_empty && open.len() < 100 {
                        open.push(name);
                    }
                }
                Token::End { name } => {
                    if let Some(depth) = open.iter().rposition(|known| *known == name) {
                        open.truncate(depth);
                    }
                }
                Token::Text(text) | Token::Raw(text) => {
                    let (text, within) = (unescape(text.trim()).0, open.iter().rev().nth(1).map(|name| local(name)));
                    let of_feed = matches!(within, Some("channel" | "feed"));
                    match open.last().map(|name| local(name)) {
                        Some("title") if of_feed && !text.is_empty() => title = title.or(Some(text.into_owned())),
                        Some("language") if of_feed && !text.is_empty() => language = Some(text.into_owned()),
                        _ => {}
                    }
                }
            }
        }
        Self { encoding, title, language, root }
    }
}

/// The encoding that an XML declaration names.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let declaration = bytes.get(..bytes.len().min(200))?;
    let start = memchr::memmem::find(declaration, b"<?xml")?;
    let end = memchr::memmem::find(&declaration[start..], b"?>").map_or(declaration.len(), |end| start + end);
    let text = std::str::from_utf8(&declaration[start + 5..end]).ok()?;
    let name = super::markup::attribute(text, "encoding")?;
    // A stream in UTF-16 was narrowed before it came here; one that only says so is none.
    Encoding::for_label(name.as_bytes())
        .filter(|encoding| encoding.is_ascii_compatible() || encoding.name() == "ISO-2022-JP")
}

/// Finds items by the names of their elements.
#[derive(Debug)]
pub(super) struct Items {
    names: &'static [&'static str],
    kind: fn(Arc<XmlHead>) -> Kind,
    head: Option<Arc<XmlHead>>,
    at: Where,
    /// How far the bytes at hand were looked at.
    scanned: usize,
    /// Whether the element around all has ended.
    has_ended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Where {
    /// Between items.
    Between,
    /// In an item, of that name with its prefix; whether its sections that have no end are taken for text.
    Within { name: Vec<u8>, ignores_sections: bool },
}

/// What stands at a `<`.
enum Mark {
    Start {
        name_len: usize,
    },
    End {
        name_len: usize,
    },
    /// A comment or section, up to its end.
    Section {
        len: usize,
    },
    /// One without an end so far.
    OpenSection,
    /// Too few bytes to tell.
    Unknown,
}

fn mark_at(bytes: &[u8]) -> Mark {
    let section = |start: &[u8], end: &[u8]| {
        let found = memchr::memmem::find(&bytes[start.len()..], end);
        found.map_or(Mark::OpenSection, |at| Mark::Section { len: start.len() + at + end.len() })
    };
    let name_len = |from: usize| {
        bytes[from..].iter().position(|b| b.is_ascii_whitespace() || b"/>".contains(b)).unwrap_or(bytes.len() - from)
    };
    match bytes {
        [_, b'!', b'-', b'-', ..] => section(b"<!--", b"-->"),
        [_, b'!', b'[', ..] if bytes.starts_with(b"<![CDATA[") => section(b"<![CDATA[", b"]]>"),
        [_, b'!', b'D', ..] if bytes.starts_with(b"<!DOCTYPE") => doctype(bytes),
        [_, b'!', ..] if bytes.len() < 9 => Mark::Unknown,
        [_, b'?', ..] => section(b"<?", b"?>"),
        [_, b'/', ..] => Mark::End { name_len: name_len(2) },
        [_, _, ..] => Mark::Start { name_len: name_len(1) },
        _ => Mark::Unknown,
    }
}

/// A document type, with what it declares.
fn doctype(bytes: &[u8]) -> Mark {
    let mut in_subset = false;
    let mut at = 9;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'[' => in_subset = true,
            b']' => in_subset = false,
            b'>' if !in_subset => return Mark::Section { len: at + 1 },
            b'"' | b'\'' => match memchr::memchr(*byte, &bytes[at + 1..]) {
                Some(close) => at += close + 1,
                None => return Mark::OpenSection,
            },
            b'<' if bytes[at..].starts_with(b"<!--") => match memchr::memmem::find(&bytes[at..], b"-->") {
                Some(close) => at += close + 2,
                None => return Mark::OpenSection,
            },
            _ => {}
        }
        at += 1;
    }
    Mark::OpenSection
}

impl Items {
    pub(super) fn new(names: &'static [&'static str], kind: fn(Arc<XmlHead>) -> Kind) -> Self {
        Self { names, kind, head: None, at: Where::Between, scanned: 0, has_ended: false }
    }

    fn is_item(&self, name: &[u8]) -> bool {
        let local = name.rsplit(|b| *b == b':').next().unwrap_or(name);
        self.names.iter().any(|known| known.as_bytes() == local)
    }

    /// Looks for the next item.
    fn between(&mut self, bytes: &[u8], is_all: bool) -> Step {
        loop {
            let Some(found) = memchr::memchr(b'<', &bytes[self.scanned..]) else {
                self.scanned = bytes.len();
                break;
            };
            let at = self.scanned + found;
            let rest = &bytes[at..];
            match mark_at(rest) {
                Mark::Section { len } => self.scanned = at + len,
                Mark::Start { name_len } | Mark::End { name_len } if 2 + name_len >= rest.len() && !is_all => {
                    self.scanned = at;
                    return Step::More;
                }
                Mark::Start { name_len } if self.is_item(&rest[1..=name_len]) => {
                    if self.head.is_none() {
                        self.head = Some(Arc::new(XmlHead::parse(&bytes[..at])));
                    }
                    let name = rest[1..=name_len].to_vec();
                    self.at = Where::Within { name, ignores_sections: false };
                    self.scanned = 1;
                    return Step::Skip(at);
                }
                // What ends an item that has none.
                Mark::End { name_len } if self.is_item(&rest[2..2 + name_len]) && self.head.is_some() => {
                    let end = memchr::memchr(b'>', rest).map_or(bytes.len(), |end| at + end + 1);
                    self.scanned = 0;
                    let name = String::from_utf8_lossy(&rest[2..2 + name_len]).into_owned();
                    return Step::Bad { range: 0..end, next: end, reason: format!("element {name} has no beginning") };
                }
                Mark::End { name_len } => {
                    let root = self.head.as_ref().and_then(|head| head.root.as_deref());
                    self.has_ended |= root.is_some_and(|root| root.as_bytes() == &rest[2..2 + name_len]);
                    self.scanned = at + name_len + 1;
                }
                Mark::OpenSection | Mark::Unknown if !is_all => {
                    self.scanned = at;
                    // A section may be long; before the first item it is kept for what stands before it.
                    return if self.head.is_some() && at > 0 { self.skip(at) } else { Step::More };
                }
                Mark::Start { name_len } => self.scanned = at + name_len + 1,
                Mark::OpenSection | Mark::Unknown => self.scanned = at + 1,
            }
        }
        if self.head.is_none() && bytes.len() < MAX_HEAD && !is_all {
            return Step::More;
        }
        if is_all && self.head.is_none() && !bytes.trim_ascii().is_empty() {
            let head = XmlHead::parse(&bytes[..bytes.len().min(MAX_HEAD)]);
            let end = head.root.as_ref().map(|root| format!("</{root}"));
            let is_whole = end.is_some_and(|end| memchr::memmem::find(bytes, end.as_bytes()).is_some());
            let is_feed = head.root.as_deref().map(local).is_some_and(|root| ROOTS.contains(&root));
            (self.head, self.scanned, self.has_ended) = (Some(Arc::default()), 0, true);
            // A feed in which nothing stands is one.
            if is_whole && is_feed {
                return Step::Skip(bytes.len());
            }
            let reason = format!("no element {} in it", self.names.join(" or "));
            return Step::Bad { range: 0..bytes.len(), next: bytes.len(), reason };
        }
        self.head.get_or_insert_with(|| Arc::new(XmlHead::parse(&bytes[..bytes.len().min(MAX_HEAD)])));
        let root = self.head.as_ref().and_then(|head| head.root.as_deref());
        if let (true, true, Some(root)) = (is_all, bytes.len() <= self.scanned, root.filter(|_| !self.has_ended)) {
            let reason = format!("element {root} has no end");
            (self.has_ended, self.scanned) = (true, 0);
            let start = memchr::memrchr(b'<', bytes).unwrap_or(bytes.len());
            return Step::Bad { range: start..bytes.len(), next: bytes.len(), reason };
        }
        if bytes.is_empty() { Step::More } else { self.skip(self.scanned) }
    }

    fn skip(&mut self, len: usize) -> Step {
        self.scanned = 0;
        Step::Skip(len)
    }

    /// Looks for the end of an item.
    fn within(&mut self, bytes: &[u8], is_all: bool) -> Step {
        let Where::Within { name, ignores_sections } = &self.at else { return Step::More };
        let (name, ignores_sections) = (name.clone(), *ignores_sections);
        let name_len = name.len();
        let has_ended = |step| (Where::Between, 0, step);
        let (at, scanned, step) = loop {
            let Some(found) = memchr::memchr(b'<', &bytes[self.scanned..]) else {
                self.scanned = bytes.len().max(1);
                if !is_all {
                    return Step::More;
                }
                break has_ended(self.without_end(bytes.len(), bytes.len()));
            };
            let at = self.scanned + found;
            let rest = &bytes[at..];
            match mark_at(rest) {
                Mark::End { name_len: len } if rest.get(2..2 + len) == Some(&name) => {
                    match memchr::memchr(b'>', rest) {
                        Some(end) => break has_ended(Step::Record { range: 0..at + end + 1, next: at + end + 1 }),
                        None if !is_all => {
                            self.scanned = at;
                            return Step::More;
                        }
                        None => break has_ended(self.without_end(bytes.len(), bytes.len())),
                    }
                }
                // The next begins before this one has ended.
                Mark::Start { name_len: len }
                    if rest.get(1..=len) == Some(&name) && (1 + len < rest.len() || is_all) =>
                {
                    break has_ended(self.without_end(at, at));
                }
                Mark::Start { name_len } | Mark::End { name_len } if !is_all && at + name_len + 2 >= bytes.len() => {
                    self.scanned = at;
                    return Step::More;
                }
                Mark::Section { len } if !ignores_sections => self.scanned = at + len,
                Mark::OpenSection | Mark::Unknown if !is_all && !ignores_sections => {
                    self.scanned = at;
                    return Step::More;
                }
                // A section that nothing ends is looked at as if it were none: the items behind it are there.
                Mark::OpenSection if !ignores_sections => {
                    self.at = Where::Within { name, ignores_sections: true };
                    self.scanned = 1;
                    return self.within(bytes, is_all);
                }
                _ => self.scanned = at + 1,
            }
        };
        // An empty element is an item that says nothing.
        let is_empty =
            || bytes[1 + name_len..].iter().position(|b| *b == b'>').is_some_and(|end| bytes[name_len + end] == b'/');
        if let Step::Bad { .. } = step
            && is_empty()
        {
            let end = memchr::memchr(b'>', bytes).map_or(bytes.len(), |end| end + 1);
            (self.at, self.scanned) = (Where::Between, 0);
            return Step::Record { range: 0..end, next: end };
        }
        (self.at, self.scanned) = (at, scanned);
        if ignores_sections && let Step::Record { range, next } = step {
            return Step::Bad { range, next, reason: "a section in it has no end".to_string() };
        }
        step
    }

    fn without_end(&self, end: usize, next: usize) -> Step {
        let name = match &self.at {
            Where::Within { name, .. } => String::from_utf8_lossy(name).into_owned(),
            Where::Between => String::new(),
        };
        Step::Bad { range: 0..end, next, reason: format!("element {name} has no end") }
    }
}

impl Cut for Items {
    fn step(&mut self, bytes: &[u8], is_all: bool) -> Step {
        match self.at {
            Where::Between => self.between(bytes, is_all),
            Where::Within { .. } => self.within(bytes, is_all),
        }
    }

    fn pass_over(&mut self, bytes: &[u8]) -> usize {
        // What is given up may have swallowed others: they are looked for behind its first mark.
        if self.head.is_none() {
            self.head = Some(Arc::default());
        }
        (self.at, self.scanned) = (Where::Between, 0);
        bytes.len().min(1)
    }

    fn kind(&self) -> Kind {
        (self.kind)(self.head.clone().unwrap_or_default())
    }

    fn noun(&self) -> &'static str {
        "item"
    }
}
