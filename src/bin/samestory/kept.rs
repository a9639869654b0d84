//! What `dedup` holds of a feed and writes again: lines and rows as they came, other records as JSON lines.

use crate::message::Usage;
use crate::tag::with_fields;
use samestory::Article;
#[cfg(feature = "parquet")]
use samestory::input::ParquetFile;
use samestory::input::{BYTE_ORDER_MARK, Format, Parsed, TableHead};
use samestory::output::{Finished, Output, article_line};
use std::ops::Range;
use std::path::Path;
#[cfg(feature = "parquet")]
use std::sync::Arc;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// JSON lines.
    Lines,
    /// The rows of a table, under its header.
    Table,
    /// The rows of a table in Parquet.
    #[cfg(feature = "parquet")]
    Rows,
}

/// The records of a block as they are to be written.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) block: u64,
    pub(crate) pieces: Vec<Piece>,
    file: String,
    format: Format,
    bytes: Vec<u8>,
    has_mark: bool,
    head: Option<TableHead>,
    #[cfg(feature = "parquet")]
    rows_of: Option<Arc<ParquetFile>>,
}

/// A record that may be written.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Its number among the block's articles; `None` of one that was set aside.
    pub(crate) record: Option<u32>,
    range: Range<usize>,
}

impl Shape {
    /// What a name asks for, else what is read.
    ///
    /// # Errors
    /// When that cannot be.
    pub(crate) fn of(output: &Path, format: Option<Format>) -> Result<Self, Usage> {
        match (ending(output).as_deref(), format) {
            (Some("csv" | "tsv"), Some(Format::Csv) | None) => Ok(Self::Table),
            #[cfg(feature = "parquet")]
            (Some("parquet"), Some(Format::Parquet)) => Ok(Self::Rows),
            (Some("jsonl" | "ndjson" | "json"), _) => Ok(Self::Lines),
            (Some(end @ ("csv" | "tsv" | "parquet" | "arrow" | "xml" | "rss" | "atom" | "warc" | "sqlite")), found) => {
                let found = found.map_or("of another kind", Format::name);
                Err(Usage(format!(
                    "{}: the input is {found}, which dedup does not write as .{end}; name a .jsonl file: every format \
                     becomes JSON lines",
                    output.display()
                )))
            }
            (_, Some(Format::Csv)) => Ok(Self::Table),
            #[cfg(feature = "parquet")]
            (_, Some(Format::Parquet)) => Ok(Self::Rows),
            _ => Ok(Self::Lines),
        }
    }

    /// Refuses a name for what goes that asks for another shape than this, in which what stays is written.
    ///
    /// # Errors
    /// When its ending says so.
    pub(crate) fn refuse_other_name(self, removed: &Path, format: Option<Format>) -> Result<(), Usage> {
        let says_one =
            matches!(ending(removed).as_deref(), Some("csv" | "tsv" | "parquet" | "jsonl" | "ndjson" | "json"));
        if Self::of(removed, format)? == self || !says_one {
            return Ok(());
        }
        let reason = "what goes is written like what stays; give both the same ending";
        Err(Usage(format!("{}: {reason}", removed.display())))
    }

    /// Refuses inputs that do not go together.
    ///
    /// # Errors
    /// When a table is asked for and something is none, or a table has other columns than the first.
    pub(crate) fn check(self, output: &Path, held: &[Held]) -> Result<(), Usage> {
        let format = match self {
            Self::Lines => return Ok(()),
            Self::Table => Format::Csv,
            #[cfg(feature = "parquet")]
            Self::Rows => Format::Parquet,
        };
        let hint = "name a .jsonl file: every format becomes JSON lines";
        if let Some(other) = held.iter().find(|held| held.format != format) {
            let (name, found, wanted) = (output.display(), other.format.name(), format.name());
            return Err(Usage(format!("{name}: {} is {found}, not {wanted}; {hint}", other.file)));
        }
        #[cfg(feature = "parquet")]
        {
            let mut files = held.iter().filter_map(|held| Some((held, held.rows_of.as_ref()?.schema())));
            if let Some((first, columns)) = files.next()
                && let Some((other, _)) = files.find(|(_, other)| other.fields() != columns.fields())
            {
                let reason = format!("{} has other columns than {}", other.file, first.file);
                return Err(Usage(format!("{}: {reason}; {hint}", output.display())));
            }
        }
        let names = |held: &Held| held.head.as_ref().map(|head| (head.line.trim_ascii_end().to_vec(), head.delimiter));
        let mut with_head = held.iter().filter(|held| held.head.is_some());
        if let Some(first) = with_head.next()
            && let Some(other) = with_head.find(|other| names(other) != names(first))
        {
            let reason = format!("{} has other columns than {}", other.file, first.file);
            return Err(Usage(format!("{}: {reason}; {hint}", output.display())));
        }
        Ok(())
    }

    /// Begins a file of this shape; with `removed` one that says of each record why it is not kept.
    pub(crate) fn writer<'h>(
        self,
        output: Output,
        held: &'h [Held],
        removed: Option<&Path>,
    ) -> samestory::Result<Writer<'h>> {
        let has_mark = removed.is_none() && held.first().is_some_and(|first| first.has_mark);
        let before = if has_mark { BYTE_ORDER_MARK } else { b"" };
        #[cfg(feature = "parquet")]
        if self == Self::Rows {
            let like = held.iter().find_map(|held| held.rows_of.as_deref());
            let why = removed.is_some().then(Vec::new);
            return Ok(Writer {
                output,
                before,
                line_end: b"\n",
                rows: like.map(|like| Rows { like, kept: Vec::new(), why }),
                held: std::marker::PhantomData,
            });
        }
        let mut writer = Writer {
            output,
            before,
            line_end: b"\n",
            #[cfg(feature = "parquet")]
            rows: None,
            held: std::marker::PhantomData,
        };
        if let (Self::Table, Some(head)) = (self, held.iter().find_map(|held| held.head.as_ref())) {
            match removed {
                None => writer.line(&head.line)?,
                Some(_) => writer.line(&with_cells(&head.line, head.delimiter, &["duplicate_of", "relation"]))?,
            }
        }
        Ok(writer)
    }
}

impl Held {
    /// What is held of a block, whose articles were taken out.
    pub(crate) fn new(block: u64, file: String, parsed: Parsed, articles: &[Article], shape: Shape) -> Self {
        #[cfg(feature = "parquet")]
        let rows_of = parsed.rows_of.clone();
        let Parsed { format, records, bytes, has_mark, head, notices, .. } = parsed;
        let mut held = Self {
            block,
            pieces: Vec::new(),
            file,
            format,
            bytes,
            has_mark,
            head,
            #[cfg(feature = "parquet")]
            rows_of,
        };
        let mut notices = notices.iter().peekable();
        let is_as_it_came = match format {
            Format::Jsonl | Format::Text => true,
            Format::Csv => shape == Shape::Table,
            #[cfg(feature = "parquet")]
            Format::Parquet => shape == Shape::Rows,
            _ => false,
        };
        let mut lines: Vec<u8> = Vec::new();
        let mut piece = |record, range: &Range<usize>, article: Option<&Article>| {
            if is_as_it_came {
                return Piece { record, range: range.clone() };
            }
            let start = lines.len();
            if matches!(format, Format::Json | Format::Ninjs) {
                // An object may take many lines; within its strings there are none.
                let object = held.bytes[range.clone()].iter();
                lines.extend(object.map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
                lines.push(b'\n');
            } else if let (Format::Csv, Some(head), Some(article)) = (format, &held.head, article) {
                lines.extend(line_of_row(head, &held.bytes[range.clone()], article));
            } else {
                lines.extend(article.map(article_line).unwrap_or_default());
            }
            Piece { record, range: start..lines.len() }
        };
        for (number, article) in articles.iter().enumerate() {
            while let Some(notice) = notices.next_if(|notice| notice.after as usize <= number) {
                held.pieces.push(piece(None, &notice.record, notice.article.as_deref()));
            }
            // Of what comes without bytes of its own, there are no ranges either.
            let range = records.get(number).cloned().unwrap_or_default();
            held.pieces.push(piece(Some(number as u32), &range, Some(article)));
        }
        for notice in notices {
            held.pieces.push(piece(None, &notice.record, notice.article.as_deref()));
        }
        if !is_as_it_came {
            held.bytes = lines;
            held.has_mark = false;
        }
        held
    }
}

/// Writes records as they came, each with its own line end.
pub(crate) struct Writer<'h> {
    output: Output,
    /// What goes before the next line: a byte order mark at first, and the end that the line before lacks.
    before: &'static [u8],
    /// The last end that a line had: how one is ended that had none and is not the last.
    line_end: &'static [u8],
    #[cfg(feature = "parquet")]
    rows: Option<Rows<'h>>,
    held: std::marker::PhantomData<&'h Held>,
}

/// Rows that are written at the end, from the files they stand in.
#[cfg(feature = "parquet")]
struct Rows<'h> {
    /// A file with the columns of all.
    like: &'h ParquetFile,
    kept: Vec<(&'h Arc<ParquetFile>, u64)>,
    why: Option<Vec<(String, &'static str)>>,
}

impl<'h> Writer<'h> {
    /// Writes a record; of one that is not kept, whose repeat it is and how.
    pub(crate) fn write(
        &mut self,
        held: &'h Held,
        piece: &Piece,
        why: Option<(&str, &'static str)>,
    ) -> samestory::Result<()> {
        #[cfg(feature = "parquet")]
        if let (Some(rows), Some(file)) = (&mut self.rows, &held.rows_of) {
            rows.kept.push((file, piece.range.start as u64));
            if let (Some(all), Some((duplicate_of, relation))) = (&mut rows.why, why) {
                all.push((duplicate_of.to_string(), relation));
            }
            return Ok(());
        }
        let line = &held.bytes[piece.range.clone()];
        match (why, &held.head) {
            (None, _) => self.line(line),
            (Some((duplicate_of, relation)), Some(head)) if held.format == Format::Csv && !line.starts_with(b"{") => {
                self.output.write(&with_cells(line, head.delimiter, &[duplicate_of, relation]))
            }
            (Some((duplicate_of, relation)), _) => {
                let id = serde_json::Value::from(duplicate_of);
                let fields = format!("\"duplicate_of\":{id},\"relation\":\"{relation}\"");
                self.output.write(&with_fields(line, &fields))
            }
        }
    }

    fn line(&mut self, line: &[u8]) -> samestory::Result<()> {
        self.output.write(std::mem::take(&mut self.before))?;
        self.output.write(line)?;
        if line.ends_with(b"\n") {
            self.line_end = if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        } else {
            self.before = self.line_end;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> samestory::Result<Finished> {
        #[cfg(feature = "parquet")]
        if let Some(Rows { like, kept, why }) = self.rows {
            let mut output = self.output;
            samestory::output::write_rows(&kept, why.as_deref(), like, &mut output)?;
            return output.finish();
        }
        self.output.finish()
    }
}

/// The ending of a file's name, without that of its packing, in small letters.
fn ending(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    name.rsplit_once('.').map(|(_, end)| end.to_string())
}

/// The row of a table as a JSON line; of an article without an id, with the place that it is known by.
fn line_of_row(head: &TableHead, row: &[u8], article: &Article) -> Vec<u8> {
    let mut line = head.object_of(row);
    if article.id.as_str() == &*article.origin.place {
        let id = serde_json::Value::from(article.id.as_str());
        line.insert_str(1, &format!("\"id\":{id}{}", if line == "{}" { "" } else { "," }));
    }
    line.push('\n');
    line.into_bytes()
}

/// The row of a table with more cells at its end, the rest untouched; a row without an end gets one.
fn with_cells(row: &[u8], delimiter: u8, cells: &[&str]) -> Vec<u8> {
    let end =
        row.trim_ascii_end().len().max(row.strip_suffix(b"\r\n").or(row.strip_suffix(b"\n")).unwrap_or(row).len());
    let mut out = row[..end].to_vec();
    for cell in cells {
        out.push(delimiter);
        if cell.contains(['"', '\n', '\r', char::from(delimiter)]) {
            out.extend_from_slice(format!("\"{}\"", cell.replace('"', "\"\"")).as_bytes());
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.extend_from_slice(if row[end..].is_empty() { b"\n" } else { &row[end..] });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_added_at_the_end() {
        assert_eq!(with_cells(b"1,\"a\nb\"\r\n", b',', &["x,\"y", "near"]), b"1,\"a\nb\",\"x,\"\"y\",near\r\n");
        assert_eq!(with_cells(b"1\t", b'\t', &["x,y", "near"]), b"1\t\tx,y\tnear\n");
        assert_eq!(with_cells(b"1,a", b',', &["x"]), b"1,a,x\n");
    }
}
