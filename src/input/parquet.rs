//! Parquet: slices of row groups, each read by a worker.

use super::block::{Content, Parsed};
use super::columns::{RowsAt, parse_batch};
use super::guard::guarded;
use super::{NamedRecord, Options};
use crate::fields::{FieldNames, wanted, without_columns};
use crate::reject::Reject;
use crate::unnamed::unnamed_file;
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Bytes of a row group, unpacked, that one worker reads at once: a larger one is cut by rows.
const SLICE_LEN: u64 = 16 << 20;
/// Pieces of a row group, at most, whatever it says of its size.
const MAX_SLICES: u64 = 1 << 14;
/// Rows that are unpacked at once.
const BATCH_LEN: usize = 512;
/// Bytes that a column of a row group may unpack to, however small it is.
const FREE_LEN: u64 = 16 << 20;

/// A file in Parquet that is open.
#[derive(Debug)]
pub struct ParquetFile {
    file: Shared,
    metadata: ArrowReaderMetadata,
    /// The same with texts as views: they are not copied together before articles are made of them.
    views: ArrowReaderMetadata,
    /// Of each row group what is wrong with the dictionaries of the columns that are read.
    checked: Vec<OnceLock<Result<(), String>>>,
}

/// A file that many read at once, each where it is.
#[derive(Clone, Debug)]
struct Shared {
    file: Arc<File>,
    len: u64,
}

/// A reader of its own in such a file.
#[derive(Debug)]
struct ReadAt {
    shared: Shared,
    at: u64,
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> std::io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

impl Read for ReadAt {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = read_at(&self.shared.file, buffer, self.at)?;
        self.at += len as u64;
        Ok(len)
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Shared {
    type T = BufReader<ReadAt>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(ReadAt { shared: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // A footer that lies must not make anyone hold what is not there.
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(ParquetError::EOF(format!("{length} bytes from {start} on are not there")));
        }
        let mut bytes = vec![0; length];
        ReadAt { shared: self.clone(), at: start }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

impl ParquetFile {
    /// Opens a file, by its footer.
    fn new(file: File) -> Result<Self, String> {
        let len = file.metadata().map_err(|error| error.to_string())?.len();
        let file = Shared { file: Arc::new(file), len };
        let metadata = guarded(|| {
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|error| format!("damaged: {error}"))
        })?;
        let views = guarded(|| {
            let options = ArrowReaderOptions::new().with_schema(with_views(metadata.schema()));
            ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).map_err(|error| error.to_string())
        });
        let checked = vec![OnceLock::new(); metadata.metadata().num_row_groups()];
        Ok(Self { file, views: views.unwrap_or_else(|_| metadata.clone()), metadata, checked })
    }

    /// The columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.metadata.schema())
    }

    /// Calls `each` with all rows and columns, in batches, in order.
    ///
    /// # Errors
    /// What is wrong with the file, or what `each` returns.
    pub fn read_all(&self, mut each: impl FnMut(RecordBatch) -> crate::Result<()>) -> crate::Result<()> {
        let damaged = |reason: String| {
            crate::Error::io("-", "read", std::io::Error::new(std::io::ErrorKind::InvalidData, reason))
        };
        let groups = 0..self.metadata.metadata().num_row_groups();
        guarded(|| groups.clone().try_for_each(|group| self.check_dictionaries(group, |_| true))).map_err(damaged)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone());
        let mut reader =
            guarded(|| builder.with_batch_size(BATCH_LEN).build().map_err(|e| e.to_string())).map_err(damaged)?;
        while let Some(batch) =
            guarded(|| reader.next().transpose().map_err(|error| error.to_string())).map_err(damaged)?
        {
            each(batch)?;
        }
        Ok(())
    }

    /// Refuses a group whose dictionaries, in the columns that are wanted, state more values than their bytes can hold: who
    /// reads one makes room for as many as it states.
    fn check_dictionaries(&self, group: usize, is_wanted: impl Fn(usize) -> bool) -> Result<(), String> {
        let metadata = self.metadata.metadata();
        let (rows, schema) = (metadata.row_group(group), metadata.file_metadata().schema_descr());
        let file = Arc::new(self.file.clone());
        let num_rows = usize::try_from(rows.num_rows()).unwrap_or(0);
        for (leaf, column) in rows.columns().iter().enumerate() {
            if !is_wanted(schema.get_column_root_idx(leaf)) {
                continue;
            }
            let Ok(mut pages) = SerializedPageReader::new(Arc::clone(&file), column, num_rows, None) else { continue };
            // Where pages cannot be read, who reads the rows says so, and reads nothing behind.
            while let Ok(Some(page)) = pages.peek_next_page() {
                let read = if page.is_dict { pages.get_next_page() } else { pages.skip_next_page().map(|()| None) };
                match read {
                    Ok(Some(Page::DictionaryPage { buf, num_values, .. })) if num_values as usize > buf.len() => {
                        return Err(format!("damaged: a dictionary of {} bytes states {num_values} values", buf.len()));
                    }
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
        }
        Ok(())
    }

    /// The rows of a group, some columns of them.
    fn rows(&self, slice: &Slice, columns: Vec<usize>) -> Result<ParquetRecordBatchReader, String> {
        let check = || self.check_dictionaries(slice.group, |column| columns.contains(&column));
        self.checked[slice.group].get_or_init(check).clone()?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.views.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
        let Range { start, end } = slice.rows;
        let mut builder = builder.with_row_groups(vec![slice.group]).with_projection(mask).with_batch_size(BATCH_LEN);
        if !slice.is_whole {
            let selectors = vec![RowSelector::skip(start as usize), RowSelector::select((end - start) as usize)];
            builder = builder.with_row_selection(RowSelection::from(selectors));
        }
        builder.build().map_err(|error| format!("damaged: {error}"))
    }
}

/// The same columns, texts as views.
fn with_views(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => field.as_ref().clone().with_data_type(DataType::Utf8View),
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<Field>>(), schema.metadata().clone()))
}

/// Some rows of a row group.
#[derive(Debug)]
pub(super) struct Slice {
    table: Arc<ParquetFile>,
    group: usize,
    /// The rows of the group.
    rows: Range<u64>,
    is_whole: bool,
    /// Number of the first of them in the file, from 0.
    first: u64,
}

/// Hands out a file in slices.
#[derive(Debug)]
pub(super) struct Slices {
    table: Arc<ParquetFile>,
    file: Arc<str>,
    group: usize,
    row: u64,
    /// Rows of the file before the group.
    before: u64,
    max_ratio: u64,
}

impl Slices {
    /// Opens a file, or what a stream holds: that is put into a temporary file, which has no name.
    pub(super) fn open(
        path: Option<&Path>,
        mut stream: impl Read,
        file: Arc<str>,
        options: Options,
    ) -> Result<Self, String> {
        let opened = match path {
            Some(path) => File::open(path),
            None => unnamed_file(&std::env::temp_dir()).and_then(|mut spool| {
                std::io::copy(&mut stream, &mut spool)?;
                spool.flush()?;
                spool.rewind()?;
                Ok(spool)
            }),
        };
        let table = ParquetFile::new(opened.map_err(|error| format!("cannot read: {error}"))?)?;
        Ok(Self { table: Arc::new(table), file, group: 0, row: 0, before: 0, max_ratio: options.max_ratio })
    }

    pub(super) fn next_content(&mut self) -> Option<Content> {
        let groups = self.table.metadata.metadata();
        // A table without rows is handed out once, so that it is known to have been one.
        if self.group == 0 && self.before == 0 && groups.row_groups().iter().all(|group| group.num_rows() <= 0) {
            self.group = usize::MAX;
            let table = Arc::clone(&self.table);
            return Some(Content::Rows(Slice { table, group: 0, rows: 0..0, is_whole: true, first: 0 }));
        }
        let group = groups.row_groups().get(self.group)?;
        let num_rows = u64::try_from(group.num_rows()).unwrap_or(0);
        let unpacked = u64::try_from(group.total_byte_size()).unwrap_or(0);
        let is_bomb = group.columns().iter().any(|column| {
            let size = |bytes: i64| u64::try_from(bytes).unwrap_or(u64::MAX);
            let allowed = size(column.compressed_size()).saturating_mul(self.max_ratio).max(FREE_LEN);
            size(column.uncompressed_size()) > allowed
        });
        let num_slices = unpacked.div_ceil(SLICE_LEN).clamp(1, MAX_SLICES);
        let rows_len = num_rows.div_ceil(num_slices).max(1);
        let rows = self.row..num_rows.min(self.row + rows_len);
        let first = self.before + self.row;
        let is_whole = rows.start == 0 && rows.end == num_rows;
        let slice = Slice { table: Arc::clone(&self.table), group: self.group, is_whole, first, rows };
        if slice.rows.end >= num_rows || is_bomb {
            (self.group, self.row, self.before) = (self.group + 1, 0, self.before + num_rows);
        } else {
            self.row = slice.rows.end;
        }
        if is_bomb {
            let reason =
                format!("rows unpack to more than {} times their size; --max-ratio allows more", self.max_ratio);
            return Some(Content::Bad(Reject::new(&self.file, first + 1, 0, reason, b"")));
        }
        Some(Content::Rows(slice))
    }
}

/// Parses the rows of a slice.
pub(super) fn parse_slice(slice: Slice, file: &str, fields: &FieldNames, parsed: &mut Parsed) {
    if slice.rows.is_empty() {
        parsed.rows_of = Some(slice.table);
        return;
    }
    let schema = slice.table.schema();
    let columns: Vec<usize> = wanted(&schema, fields).into_iter().map(|(number, _)| number).collect();
    let at = |row: u64| RowsAt { file, first: row };
    let has_key = wanted(&schema, fields).iter().any(|(_, (field, _))| *field < 2);
    let end = slice.first + (slice.rows.end - slice.rows.start);
    if !has_key {
        let nulls = schema.fields().iter().map(|field| (field.name().clone(), serde_json::Value::Null)).collect();
        let json = serde_json::Value::Object(nulls).to_string().into_bytes();
        parsed.fields.num_records += 1;
        parsed.fields.first.get_or_insert(NamedRecord { place: format!("{file}:{}", slice.first + 1), json });
        let reason = format!("rows {} to {end}: {}", slice.first + 1, without_columns(&schema));
        return parsed.rejects.push(Reject::new(file, slice.first + 1, 0, reason, b""));
    }
    let mut row = slice.first;
    let read = guarded(|| {
        let mut reader = slice.table.rows(&slice, columns)?;
        loop {
            match reader.next().transpose() {
                Ok(Some(batch)) => {
                    parse_batch(&batch, at(row), fields, parsed);
                    row += batch.num_rows() as u64;
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(format!("damaged: {error}")),
            }
        }
    });
    let reason = match read {
        Err(reason) => Some(format!("rows {} to {end}: {reason}", row + 1)),
        // What the footer promises and the pages do not hold.
        Ok(()) if row < end => Some(format!("rows {} to {end} are not there", row + 1)),
        Ok(()) => None,
    };
    if let Some(reason) = reason {
        parsed.rejects.push(Reject::new(file, row + 1, 0, reason, b""));
    }
    parsed.rows_of = Some(slice.table);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Format;

    #[test]
    fn a_dictionary_that_states_more_than_it_holds_is_refused() {
        // Three rows in two row groups; the first dictionary has 14 bytes, and states values for ten gigabytes of memory.
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/fuzz/parquet/dictionary-of-more-than-there-is");
        let bytes = std::fs::read(file).unwrap();
        let mut slices = Slices::open(None, &bytes[..], "f".into(), Options::default()).unwrap();
        let mut parsed = Parsed::new(Format::Parquet);
        while let Some(Content::Rows(slice)) = slices.next_content() {
            let table = Arc::clone(&slice.table);
            parse_slice(slice, "f", &FieldNames::default(), &mut parsed);
            assert!(table.read_all(|_| Ok(())).unwrap_err().to_string().contains("states 630194175 values"));
        }
        let reasons: Vec<&str> = parsed.rejects.iter().map(|reject| reject.reason.as_str()).collect();
        assert_eq!(reasons[0], "rows 1 to 2: damaged: a dictionary of 14 bytes states 630194175 values");
        assert!(parsed.articles.is_empty() && reasons.len() == 2, "{reasons:?}");
    }
}
