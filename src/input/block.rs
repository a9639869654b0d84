//! A piece of the input and what a worker makes of it.

use super::csv::CsvHead;
use super::item::Notice;
use super::json::Marks;
use super::xml::XmlHead;
use super::{FieldNames, Format, Options, csv, feed, jsonl, newsml, ninjs, text, warc};
#[cfg(feature = "parquet")]
use super::{arrow, parquet};
use crate::article::Article;
use crate::fields::FieldsMet;
use crate::reject::Reject;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A piece of the input that one worker parses.
#[derive(Debug)]
pub struct Block {
    /// Number of the block in the whole input.
    pub seq: u64,
    pub(super) file: Arc<str>,
    pub(super) format: Format,
    pub(super) content: Content,
    pub(super) options: Options,
}

#[derive(Debug)]
pub(super) enum Content {
    /// Whole lines, from `first_line` at byte `offset`.
    Lines { bytes: Vec<u8>, first_line: u64, offset: u64 },
    /// Whole records of another kind, and what was none.
    Records { bytes: Vec<u8>, records: Vec<RecordAt>, kind: Kind, rejects: Vec<Reject> },
    /// A text file, with the id it gets.
    Text { path: PathBuf, id: String },
    /// An HTML page, with the id it gets.
    Page { path: PathBuf, id: String },
    /// Rows of a file in Parquet.
    #[cfg(feature = "parquet")]
    Rows(parquet::Slice),
    /// Rows of Arrow's, the first with its number in the file, from 0.
    #[cfg(feature = "parquet")]
    Batch { batch: arrow_array::RecordBatch, first: u64 },
    /// Something that could not be read.
    Bad(Reject),
}

/// Where a record stands.
#[derive(Clone, Debug)]
pub(super) struct RecordAt {
    /// Its bytes in the block.
    pub(super) range: Range<usize>,
    /// Its line, or its number, in the file.
    pub(super) number: u64,
    /// Where it begins in the file.
    pub(super) offset: u64,
}

/// What the records of a block are, with what their file says of all of them.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// JSON objects.
    Json,
    /// Rows of a table.
    Csv(Arc<CsvHead>),
    /// Items of RSS and Atom.
    Feed(Arc<XmlHead>),
    /// Items of a JSON Feed.
    JsonFeed(Arc<XmlHead>),
    Ninjs,
    NewsMl(Arc<XmlHead>),
    Nitf(Arc<XmlHead>),
    Warc,
}

/// What goes before the rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHead {
    /// The line of the header, with its end.
    pub line: Arc<[u8]>,
    /// What parts its cells.
    pub delimiter: u8,
    pub(super) names: Arc<[String]>,
}

impl TableHead {
    /// A row as a JSON object without a line end: its cells as text under the names of their columns, in order, but for
    /// empty ones and those of a name that was before.
    #[must_use]
    pub fn object_of(&self, row: &[u8]) -> String {
        let mut out = String::new();
        for (number, (name, cell)) in self.names.iter().zip(csv::cells_of(row, self.delimiter)).enumerate() {
            if !cell.is_empty() && !self.names[..number].contains(name) {
                let [name, cell] = [name.as_str(), &cell].map(serde_json::Value::from);
                out.push_str(&format!("{}{name}:{cell}", if out.is_empty() { "{" } else { "," }));
            }
        }
        out.push_str(if out.is_empty() { "{}" } else { "}" });
        out
    }
}

/// What a block holds.
#[derive(Debug)]
pub struct Parsed {
    /// The format it is of.
    pub format: Format,
    /// The articles, in order.
    pub articles: Vec<Article>,
    /// For each article the record it came from, as a range of [`Parsed::bytes`]: a line with its end, which the last
    /// line of a file may lack, and without a byte order mark.
    pub records: Vec<Range<usize>>,
    /// The block's bytes; of a text file, a JSON line made of it.
    pub bytes: Vec<u8>,
    /// Whether the block begins a file with a byte order mark.
    pub has_mark: bool,
    /// Of a table, what goes before its rows.
    pub head: Option<TableHead>,
    /// The file whose rows these are, where it can be read again: [`Parsed::records`] are row numbers then.
    #[cfg(feature = "parquet")]
    pub rows_of: Option<Arc<super::ParquetFile>>,
    /// What is no article.
    pub rejects: Vec<Reject>,
    /// What is no story to be compared: withdrawn, withheld, a caption.
    pub notices: Vec<Notice>,
    /// Which fields the block's records have, where their format lets fields be named.
    pub fields: FieldsMet,
    /// Records that were mended: invalid UTF-8, lone surrogates, control characters, wrong encodings, unknown entities.
    pub num_repaired: u64,
    /// Times of publication that could not be read.
    pub num_bad_times: u64,
}

impl Parsed {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            articles: Vec::new(),
            records: Vec::new(),
            bytes: Vec::new(),
            has_mark: false,
            head: None,
            #[cfg(feature = "parquet")]
            rows_of: None,
            rejects: Vec::new(),
            notices: Vec::new(),
            fields: FieldsMet::default(),
            num_repaired: 0,
            num_bad_times: 0,
        }
    }
}

impl Block {
    /// A block of whole lines that came from elsewhere, the first of them line `first_line` at byte `offset`: JSON lines, or
    /// a ninjs item a line.
    #[must_use]
    pub fn of_lines(
        (seq, file): (u64, &str),
        bytes: Vec<u8>,
        (first_line, offset): (u64, u64),
        format: Format,
        options: Options,
    ) -> Self {
        let content = if format == Format::Ninjs {
            let mut start = 0;
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').zip(first_line..).map(|(line, number)| {
                start += line.len();
                RecordAt { range: start - line.len()..start, number, offset: offset + (start - line.len()) as u64 }
            });
            let is_blank = |record: &RecordAt| bytes[record.range.clone()].iter().all(u8::is_ascii_whitespace);
            let records = lines.filter(|record| !is_blank(record)).collect();
            Content::Records { bytes, records, kind: Kind::Ninjs, rejects: Vec::new() }
        } else {
            Content::Lines { bytes, first_line, offset }
        };
        Self { seq, file: file.into(), format, content, options }
    }

    /// The file's name as given.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.file.to_string()
    }

    /// Parses the block. Never fails: what is no article becomes a [`Reject`].
    #[must_use]
    pub fn parse(self, fields: &FieldNames) -> Parsed {
        let mut parsed = Parsed::new(self.format);
        match self.content {
            Content::Lines { bytes, first_line, offset } => {
                jsonl::parse_lines(&self.file, self.seq, &bytes, (first_line, offset), fields, &mut parsed);
                parsed.bytes = bytes;
            }
            Content::Records { bytes, records, kind, rejects } => {
                parsed.rejects = rejects;
                let mut reader = RecordReader { fields, kind, options: self.options, marks: Marks::default() };
                for record in records {
                    let place = format!("{}:{}", self.file, record.number);
                    let raw = &bytes[record.range.clone()];
                    if let Err(reason) = reader.read(raw, &place, &record, &mut parsed) {
                        parsed.rejects.push(Reject::new(&self.file, record.number, record.offset, reason, raw));
                    }
                }
                if let Kind::Csv(head) = reader.kind {
                    let (line, names) = (Arc::clone(&head.line), Arc::clone(&head.names));
                    parsed.head = Some(TableHead { line, delimiter: head.delimiter, names });
                    parsed.has_mark = head.has_mark;
                }
                parsed.bytes = bytes;
            }
            Content::Text { path, id } => {
                text::parse_file(&self.file, &path, id, self.options.max_record, &mut parsed);
            }
            Content::Page { path, id } => {
                text::parse_page(&self.file, &path, id, self.options, &mut parsed);
            }
            #[cfg(feature = "parquet")]
            Content::Rows(slice) => parquet::parse_slice(slice, &self.file, fields, &mut parsed),
            #[cfg(feature = "parquet")]
            Content::Batch { batch, first } => arrow::parse(&batch, first, &self.file, fields, &mut parsed),
            Content::Bad(reject) => parsed.rejects.push(reject),
        }
        for reject in &mut parsed.rejects {
            reject.block = self.seq;
        }
        for notice in &mut parsed.notices {
            notice.block = self.seq;
        }
        for (record, article) in parsed.articles.iter_mut().enumerate() {
            article.origin.block = self.seq;
            article.origin.record = record as u32;
        }
        parsed
    }
}

/// Reads records of one kind.
struct RecordReader<'a> {
    fields: &'a FieldNames,
    kind: Kind,
    options: Options,
    marks: Marks,
}

impl RecordReader<'_> {
    /// Reads one record into an article or a notice; or says why it is neither.
    fn read(&mut self, raw: &[u8], place: &str, record: &RecordAt, parsed: &mut Parsed) -> Result<(), String> {
        let article = match &self.kind {
            Kind::Json => jsonl::parse_object(raw, place, self.fields, &mut self.marks, parsed)?,
            Kind::Csv(head) => csv::parse_row(raw, place, head, self.fields, parsed)?,
            kind => {
                if let Kind::Warc = kind {
                    let draft = warc::parse_record(raw, self.options.max_record)?;
                    return draft.map_or(Ok(()), |draft| draft.add_to(parsed, place, record, self.options.as_of));
                }
                let value = || jsonl::parse_value(raw);
                let (draft, is_mended) = match kind {
                    Kind::Feed(head) => (feed::parse_item(raw, head)?, false),
                    Kind::NewsMl(head) => (newsml::parse_newsml(raw, head)?, false),
                    Kind::Nitf(head) => (newsml::parse_nitf(raw, head)?, false),
                    Kind::JsonFeed(head) => {
                        let (value, is_mended) = value()?;
                        (feed::parse_json_item(&value, head)?, is_mended)
                    }
                    _ => {
                        let (value, is_mended) = value()?;
                        (ninjs::parse_item(&value)?, is_mended)
                    }
                };
                parsed.num_repaired += u64::from(is_mended && !draft.is_mended);
                return draft.add_to(parsed, place, record, self.options.as_of);
            }
        };
        parsed.records.push(record.range.clone());
        parsed.articles.push(article);
        Ok(())
    }
}
