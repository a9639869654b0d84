//! Tables: rows with cells under the names of a header.

use super::BYTE_ORDER_MARK;
use super::block::{Kind, Parsed};
use super::jsonl::with_keys;
use super::records::{Cut, Step};
use super::text::decode_as;
use crate::article::Article;
use crate::fields::{FieldNames, Found, NamedRecord, Value};
use std::sync::Arc;

/// What may part cells; a first line with several of them is parted by the most frequent.
const DELIMITERS: [u8; 4] = *b",\t;|";

/// The header of a table.
#[derive(Debug)]
pub(super) struct CsvHead {
    pub(super) line: Arc<[u8]>,
    pub(super) has_mark: bool,
    pub(super) delimiter: u8,
    pub(super) names: Arc<[String]>,
}

impl CsvHead {
    fn new(line: &[u8], has_mark: bool, delimiter: Option<u8>) -> Self {
        let delimiter = delimiter.unwrap_or_else(|| sniff_delimiter(line));
        let cells = cells_of(line, delimiter);
        let names = cells.into_iter().map(|cell| cell.trim().to_string()).collect();
        Self { line: line.into(), has_mark, delimiter, names }
    }
}

fn sniff_delimiter(line: &[u8]) -> u8 {
    let mut counts = [0; DELIMITERS.len()];
    let mut is_quoted = false;
    for byte in line {
        if *byte == b'"' {
            is_quoted = !is_quoted;
        } else if let (false, Some(which)) = (is_quoted, DELIMITERS.iter().position(|d| d == byte)) {
            counts[which] += 1;
        }
    }
    // The first of the most frequent.
    let most = counts.iter().max().copied().unwrap_or(0);
    DELIMITERS[counts.iter().position(|count| *count == most).unwrap_or(0)]
}

/// The cells of a row, read as the crate `csv` does, of which a reader for each row costs more than the row.
pub(super) fn cells_of(row: &[u8], delimiter: u8) -> Vec<String> {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let mut rest = Some(row.strip_suffix(b"\r").unwrap_or(row));
    let mut cells = Vec::new();
    let mut quoted = Vec::new();
    while let Some(bytes) = rest {
        let from = if bytes.first() == Some(&b'"') { unquote(bytes, &mut quoted) } else { 0 };
        let end = memchr::memchr(delimiter, &bytes[from..]).map(|at| from + at);
        let plain = &bytes[from..end.unwrap_or(bytes.len())];
        cells.push(if from == 0 {
            decode_as(plain, None).0.into_owned()
        } else {
            // What stands behind a closing quote belongs to the cell.
            quoted.extend_from_slice(plain);
            match String::from_utf8(std::mem::take(&mut quoted)) {
                Ok(text) => text,
                Err(error) => decode_as(error.as_bytes(), None).0.into_owned(),
            }
        });
        rest = end.map(|end| &bytes[end + 1..]);
    }
    cells
}

/// The text of a quoted cell, and where it is behind its closing quote.
fn unquote(bytes: &[u8], text: &mut Vec<u8>) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr(b'"', &bytes[at..]) {
        text.extend_from_slice(&bytes[at..at + found]);
        at += found + 1;
        if bytes.get(at) != Some(&b'"') {
            return at;
        }
        text.push(b'"');
        at += 1;
    }
    text.extend_from_slice(&bytes[at..]);
    bytes.len()
}

/// The article of a row.
pub(super) fn parse_row(
    row: &[u8],
    place: &str,
    head: &CsvHead,
    fields: &FieldNames,
    parsed: &mut Parsed,
) -> Result<Article, String> {
    parsed.num_repaired += u64::from(std::str::from_utf8(row).is_err());
    let mut cells = cells_of(row, head.delimiter);
    if cells.len() != head.names.len() {
        return Err(format!("{} cells where the header has {}", cells.len(), head.names.len()));
    }
    let json = || {
        let cells = cells_of(row, head.delimiter);
        let pairs = head.names.iter().cloned().zip(cells.into_iter().map(serde_json::Value::from));
        serde_json::Value::Object(pairs.collect()).to_string().into_bytes()
    };
    let mut found = Found::default();
    for (name, cell) in head.names.iter().zip(&mut cells) {
        if let Some((field, wish)) = fields.find(name) {
            // An empty cell says nothing: a table has no other way to leave a field out.
            let value = if cell.is_empty() { Value::Null } else { Value::Text(std::mem::take(cell)) };
            found.put(field, wish, value);
        }
    }
    let record = || NamedRecord { place: place.to_string(), json: json() };
    parsed.fields.note(&found, record);
    let has_text = found.has("text");
    let (article, has_bad_time) = found.into_article(place).map_err(|reason| with_keys(reason, &json()))?;
    if !has_text {
        parsed.fields.num_without_text += 1;
        parsed.fields.first_without_text.get_or_insert_with(record);
    }
    parsed.num_bad_times += u64::from(has_bad_time);
    Ok(article)
}

/// Finds the rows of a table: lines, but for line ends within quotes.
#[derive(Debug)]
pub(super) struct Rows {
    head: Option<Arc<CsvHead>>,
    delimiter: Option<u8>,
    row: Row,
    is_passing: bool,
}

/// How far a row was looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    scanned: usize,
    is_quoted: bool,
}

impl Row {
    /// Looks on; where the row ends, its line end with it, if that was found. A quote opens a cell at its beginning only.
    fn end(&mut self, bytes: &[u8], delimiter: Option<u8>, is_all: bool) -> Option<usize> {
        loop {
            let Some(found) = memchr::memchr2(b'"', b'\n', &bytes[self.scanned..]) else {
                self.scanned = bytes.len();
                return is_all.then_some(bytes.len());
            };
            let at = self.scanned + found;
            match (bytes[at], self.is_quoted) {
                (b'\n', false) => {
                    self.scanned = 0;
                    return Some(at + 1);
                }
                (b'\n', true) => self.scanned = at + 1,
                (_, true) => match bytes.get(at + 1) {
                    Some(b'"') => self.scanned = at + 2,
                    None if !is_all => {
                        self.scanned = at;
                        return None;
                    }
                    _ => {
                        self.is_quoted = false;
                        self.scanned = at + 1;
                    }
                },
                (_, false) => {
                    let before = at.checked_sub(1).map(|before| bytes[before]);
                    let opens = before.is_none_or(|b| delimiter.map_or(DELIMITERS.contains(&b), |d| b == d));
                    self.is_quoted = opens;
                    self.scanned = at + 1;
                }
            }
        }
    }
}

impl Rows {
    pub(super) fn new(delimiter: Option<u8>) -> Self {
        Self { head: None, delimiter, row: Row::default(), is_passing: false }
    }
}

impl Cut for Rows {
    fn step(&mut self, bytes: &[u8], is_all: bool) -> Step {
        if bytes.is_empty() {
            return Step::More;
        }
        if self.is_passing {
            // The next line may begin a row; nothing is known of the quotes.
            let end = memchr::memchr(b'\n', bytes).map(|end| end + 1);
            self.is_passing = end.is_none();
            return Step::Skip(end.unwrap_or(bytes.len()));
        }
        if self.head.is_none() && bytes.len() < BYTE_ORDER_MARK.len() && !is_all {
            return Step::More;
        }
        let mark = if self.head.is_none() && bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let delimiter = self.head.as_ref().map_or(self.delimiter, |head| Some(head.delimiter));
        let Some(end) = self.row.end(&bytes[mark..], delimiter, is_all).map(|end| end + mark) else {
            return Step::More;
        };
        let is_open = self.row.is_quoted;
        self.row = Row::default();
        if is_open {
            // Behind its first line other rows may stand, which the quote has swallowed.
            let end = memchr::memchr(b'\n', bytes).map_or(end, |end| end + 1);
            return Step::Bad { range: mark..end, next: end, reason: "a quoted cell has no end".to_string() };
        }
        let row = &bytes[mark..end];
        if row.trim_ascii().is_empty() {
            return Step::Skip(end);
        }
        if self.head.is_none() {
            self.head = Some(Arc::new(CsvHead::new(row, mark > 0, self.delimiter)));
            return Step::Skip(end);
        }
        Step::Record { range: mark..end, next: end }
    }

    fn pass_over(&mut self, bytes: &[u8]) -> usize {
        self.row = Row::default();
        self.is_passing = true;
        // Behind the first line of what is given up other rows may stand, which an open quote has swallowed.
        memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())
    }

    fn kind(&self) -> Kind {
        let none = || Arc::new(CsvHead::new(b"", false, self.delimiter));
        Kind::Csv(self.head.clone().unwrap_or_else(none))
    }

    fn noun(&self) -> &'static str {
        "row"
    }

    fn counts_lines(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_are_those_of_the_crate(row in "[a,; é][a,\"; é]{0,9}|(\"([a,é]|\"\"){0,5}\"a?,){1,3}", end in "(\r?\n)?") {
            let bytes = format!("{row}{end}").into_bytes();
            let mut scan = Row::default();
            scan.end(&bytes, Some(b','), true);
            // A row whose quote has no end is none.
            prop_assume!(!scan.is_quoted);
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..]);
            let mut record = ::csv::StringRecord::new();
            prop_assert!(reader.read_record(&mut record).unwrap());
            prop_assert_eq!(cells_of(&bytes, b','), record.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn delimiters_are_told_by_the_first_line() {
        let lines = [&b"a,b,c"[..], b"a;b,c;d", b"\"a,b\"\tc", b"a|b", b"a"];
        assert_eq!(lines.map(sniff_delimiter), *b",;\t|,");
    }
}
