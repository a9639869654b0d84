//! JSON objects one after another: in a list, the list of a key, a line each, or with white space between.

use super::block::Kind;
use super::records::{Cut, Step};
use super::{BYTE_ORDER_MARK, feed};
use std::sync::Arc;

/// The key of a list, and what is made of all that stands before it.
type ListKey = (&'static [u8], fn(&[u8]) -> Kind);

/// Finds the objects of a stream of JSON.
#[derive(Debug)]
pub(super) struct Objects {
    kind: Kind,
    /// The key of the outermost object whose list holds the records, and what is made of all that stands before it;
    /// without it the records stand outermost.
    key: Option<ListKey>,
    at: Where,
    value: Value,
    /// Whether a list is open.
    is_open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    /// Before the first record: the list, or the key of the list, is looked for.
    Before,
    /// Among the records.
    Among,
    /// In a record that is too long.
    Passing,
}

/// How far a value was looked at.
#[derive(Clone, Debug, Default)]
struct Value {
    scanned: usize,
    /// The brackets that are open.
    open: Vec<u8>,
    is_string: bool,
    /// Whether a bracket was closed by one of the other kind: something is missing.
    is_crossed: bool,
}

impl Value {
    /// Looks on; where the value ends, if that was found.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        while self.scanned < bytes.len() {
            if self.is_string {
                let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[self.scanned..]) else {
                    self.scanned = bytes.len();
                    return None;
                };
                let at = self.scanned + found;
                if bytes[at] == b'\\' {
                    if at + 1 == bytes.len() {
                        self.scanned = at;
                        return None;
                    }
                    self.scanned = at + 2;
                    continue;
                }
                self.is_string = false;
                self.scanned = at + 1;
                if self.open.is_empty() {
                    return Some(self.scanned);
                }
                continue;
            }
            let byte = bytes[self.scanned];
            // Outside of everything a value without brackets or quotes ends before what follows it.
            if self.open.is_empty() && self.scanned > 0 && (b",]}".contains(&byte) || byte.is_ascii_whitespace()) {
                return Some(self.scanned);
            }
            self.scanned += 1;
            match byte {
                b'"' => self.is_string = true,
                b'{' | b'[' => self.open.push(byte),
                b'}' | b']' => {
                    // Either is two behind what opens it.
                    self.is_crossed |= self.open.pop().is_some_and(|open| open + 2 != byte);
                    if self.open.is_empty() || self.is_crossed {
                        return Some(self.scanned);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

impl Objects {
    pub(super) fn new(kind: Kind, key: Option<ListKey>) -> Self {
        Self { kind, key, at: Where::Before, value: Value::default(), is_open: false }
    }

    /// The items of a JSON Feed.
    pub(super) fn of_feed() -> Self {
        let head = |bytes: &[u8]| Kind::JsonFeed(Arc::new(feed::json_head(bytes)));
        Self::new(Kind::JsonFeed(Arc::default()), Some((b"\"items\"", head)))
    }

    /// Passes over what stands before the first record.
    fn begin(&mut self, bytes: &[u8], is_all: bool) -> Step {
        let Some((key, head)) = self.key else {
            self.at = Where::Among;
            let mark = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            let space = bytes[mark..].iter().take_while(|b| b.is_ascii_whitespace()).count();
            self.is_open = bytes.get(mark + space) == Some(&b'[');
            return Step::Skip(mark + space + usize::from(self.is_open));
        };
        let mut from = 0;
        while let Some(found) = memchr::memmem::find(&bytes[from..], key) {
            let rest = &bytes[from + found + key.len()..];
            let gap = rest.iter().take_while(|b| b.is_ascii_whitespace() || **b == b':').count();
            match rest.get(gap) {
                Some(b'[') => {
                    (self.at, self.is_open) = (Where::Among, true);
                    self.kind = head(&bytes[..from + found]);
                    return Step::Skip(from + found + key.len() + gap + 1);
                }
                Some(_) => from += found + key.len(),
                None => break,
            }
        }
        if is_all {
            return Step::Bad {
                range: 0..bytes.len(),
                next: bytes.len(),
                reason: "no list of items in it".to_string(),
            };
        }
        Step::More
    }
}

impl Cut for Objects {
    fn step(&mut self, bytes: &[u8], is_all: bool) -> Step {
        if bytes.is_empty() {
            if is_all && std::mem::take(&mut self.is_open) {
                return Step::Bad { range: 0..0, next: 0, reason: "the list has no end".to_string() };
            }
            return Step::More;
        }
        if self.at == Where::Before {
            if bytes.len() < BYTE_ORDER_MARK.len() + 1 && !is_all {
                return Step::More;
            }
            return self.begin(bytes, is_all);
        }
        if self.at == Where::Passing {
            let Some(end) = self.value.end(bytes) else {
                // A string may be cut behind a backslash, which is looked at again.
                let len = std::mem::take(&mut self.value.scanned);
                return if len == 0 { Step::More } else { Step::Skip(len) };
            };
            (self.at, self.value) = (Where::Among, Value::default());
            return Step::Skip(end);
        }
        let space = bytes.iter().take_while(|b| b.is_ascii_whitespace() || b",\x1e".contains(b)).count();
        if space > 0 {
            return Step::Skip(space);
        }
        if bytes[0] == b']' || bytes[0] == b'}' {
            self.is_open = false;
            // What follows the list of a key describes the feed; what follows a list is another, or nothing.
            return if self.key.is_some() { Step::End } else { Step::Skip(1) };
        }
        if bytes[0] == b'[' {
            self.is_open = true;
            return Step::Skip(1);
        }
        match self.value.end(bytes) {
            Some(end) => {
                let is_crossed = std::mem::take(&mut self.value).is_crossed;
                // The bracket that is of the other kind belongs to what is around.
                if is_crossed { recover(&bytes[..end - 1]) } else { Step::Record { range: 0..end, next: end } }
            }
            None if is_all && bytes[0] == b'{' => {
                self.value = Value::default();
                recover(bytes)
            }
            None if is_all => {
                let reason = "no JSON object that can be read".to_string();
                Step::Bad { range: 0..bytes.len(), next: bytes.len(), reason }
            }
            None => Step::More,
        }
    }

    fn pass_over(&mut self, bytes: &[u8]) -> usize {
        if self.at == Where::Before {
            // A head without an end: only its key is looked for.
            return bytes.len() / 2;
        }
        self.at = Where::Passing;
        std::mem::take(&mut self.value.scanned)
    }

    fn kind(&self) -> Kind {
        self.kind.clone()
    }

    fn noun(&self) -> &'static str {
        "object"
    }
}

/// An object that has no end: it goes up to where the next seems to begin, on a line of its own or behind a comma.
fn recover(bytes: &[u8]) -> Step {
    let reason = "no JSON object that can be read: it has no end".to_string();
    let mut from = 1;
    while let Some(found) = memchr::memchr(b'{', &bytes[from..]) {
        let at = from + found;
        let before = bytes[..at].trim_ascii_end();
        let is_between =
            before.ends_with(b"},") || (bytes[before.len()..at].contains(&b'\n') && before.ends_with(b","));
        if is_between && bytes[at + 1..].trim_ascii_start().first() == Some(&b'"') {
            return Step::Bad { range: 0..before.len(), next: at, reason };
        }
        from = at + 1;
    }
    Step::Bad { range: 0..bytes.len(), next: bytes.len(), reason }
}
