//! Readers: files, folders and streams → blocks that workers parse into articles. Readers hand out work, they do not
//! spawn it.

mod array;
#[cfg(feature = "parquet")]
mod arrow;
mod block;
#[cfg(feature = "parquet")]
mod columns;
mod csv;
mod feed;
mod format;
#[cfg(feature = "parquet")]
mod guard;
mod gzip;
mod item;
mod json;
mod jsonl;
mod markup;
mod newsml;
mod ninjs;
mod page;
#[cfg(feature = "parquet")]
mod parquet;
mod records;
mod source;
mod stream;
mod text;
mod tree;
mod warc;
mod xml;

pub use block::{Block, Parsed, TableHead};
pub use format::{Format, has_known_name};
#[cfg(feature = "parquet")]
pub use guard::is_guarded;
pub use item::{Aside, Notice};
pub use jsonl::MAX_LINE_LEN;
#[cfg(feature = "parquet")]
pub use parquet::ParquetFile;
pub use stream::{BytesRead, MAX_RATIO, open, open_within, read_file};

pub use crate::fields::{FieldNames, FieldsMet, NamedRecord};
pub use crate::reject::Reject;

use crate::article::Timestamp;
use crate::error::Result;
use array::Objects;
use block::{Content, Kind};
use jsonl::LineBlocks;
use records::{Cut, RecordBlocks};
use source::Source;
use std::collections::VecDeque;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xml::Items;

/// What may stand before the first line of a file in UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is wrong with a page that comes as a stream unasked.
const STREAMED_PAGE: &str = "an HTML page; --format html reads it as one article";
/// What is wrong with a table that this build cannot read.
#[cfg(not(feature = "parquet"))]
const WITHOUT_PARQUET: &str = "Parquet or Arrow, which this build cannot read: it was made without the feature parquet";

/// How inputs are read, beside their format and the names of their fields.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of the longest record that is read; a longer one is rejected without being held.
    pub max_record: usize,
    /// How many times its size a packed stream may unpack to.
    pub max_ratio: u64,
    /// What parts the cells of a table; by its first line where it is not given.
    pub delimiter: Option<u8>,
    /// The moment at which embargoes are judged: what may not be published before a later one is set aside.
    pub as_of: Option<Timestamp>,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_record: MAX_LINE_LEN, max_ratio: MAX_RATIO, delimiter: None, as_of: None }
    }
}

/// Reads inputs one after another as blocks.
#[derive(Debug)]
pub struct Blocks {
    queue: VecDeque<Source>,
    open: Option<Open>,
    seq: u64,
    read: Arc<BytesRead>,
    options: Options,
}

/// A file that is being read.
#[derive(Debug)]
struct Open {
    file: Arc<str>,
    format: Format,
    stream: Stream,
}

#[derive(Debug)]
enum Stream {
    Lines(LineBlocks),
    Records(RecordBlocks),
    #[cfg(feature = "parquet")]
    Slices(parquet::Slices),
    #[cfg(feature = "parquet")]
    Batches(arrow::Batches),
    /// A single piece.
    One(Option<Content>),
}

impl Stream {
    fn next_content(&mut self) -> Option<Content> {
        match self {
            Self::Lines(lines) => lines.next_content(),
            Self::Records(records) => records.next_content(),
            #[cfg(feature = "parquet")]
            Self::Slices(slices) => slices.next_content(),
            #[cfg(feature = "parquet")]
            Self::Batches(batches) => batches.next_content(),
            Self::One(content) => content.take(),
        }
    }
}

impl Blocks {
    /// Blocks of files, of folders (their files of a known format, by name), of patterns with `*`, `?` and `[…]` (the
    /// files that they fit, by name) and of stdin (`-`).
    ///
    /// # Errors
    /// When an input does not exist, or a folder or pattern holds nothing that can be read.
    pub fn open(inputs: &[PathBuf], format: Option<Format>) -> Result<Self> {
        let queue = source::find(inputs, format)?;
        Ok(Self { queue, open: None, seq: 0, read: Arc::default(), options: Options::default() })
    }

    /// Blocks of bytes in place of a file of that name, handed out a few at a time.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_stream(
        name: &str,
        raw: Box<dyn std::io::Read>,
        format: Option<Format>,
        options: Options,
    ) -> Result<Self> {
        let path = PathBuf::from(name);
        let reader =
            stream::unpack(raw, options.max_ratio).map_err(|e| crate::error::Error::io(path.clone(), "read", e))?;
        let mut blocks = Self { queue: VecDeque::new(), open: None, seq: 0, read: Arc::default(), options };
        blocks.open = Some(blocks.open_stream(Source::file(&path, format), reader)?);
        Ok(blocks)
    }

    /// The same blocks, read in another way.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The files that are still to be opened, in order; `-` for stdin.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.queue.iter().map(|source| source.path.as_path())
    }

    /// How far the files are read.
    #[must_use]
    pub fn bytes_read(&self) -> Arc<BytesRead> {
        Arc::clone(&self.read)
    }

    /// The format of the first input, which is opened for it; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn first_format(&mut self) -> Result<Option<Format>> {
        if self.open.is_none()
            && let Some(source) = self.queue.pop_front()
        {
            self.open = Some(self.open_source(source)?);
        }
        Ok(self.open.as_ref().map(|open| open.format))
    }

    /// Bytes of the files that are still to be opened; `None` where one is a stream.
    #[must_use]
    pub fn total_bytes(&self) -> Option<u64> {
        let len =
            |path: &Path| std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|found| found.len());
        self.files().map(len).sum()
    }

    fn block(&mut self, file: Arc<str>, format: Format, content: Content) -> Block {
        self.seq += 1;
        Block { seq: self.seq, file, format, content, options: self.options }
    }

    /// Opens a file as what its name or its first bytes say it is.
    fn open_source(&self, source: Source) -> Result<Open> {
        let file: Arc<str> = source.name.as_str().into();
        let whole = |content| Stream::One(Some(content));
        if let Some(format @ (Format::Text | Format::Html)) = source.format_by_name() {
            // A worker reads it; on the way to it it counts as read.
            self.read.add(std::fs::metadata(&source.path).map_or(0, |found| found.len()));
            let (path, id) = (source.path, source.id);
            let is_text = format == Format::Text;
            let stream = whole(if is_text { Content::Text { path, id } } else { Content::Page { path, id } });
            return Ok(Open { file, format, stream });
        }
        match stream::open_counted(&source.path, Arc::clone(&self.read), self.options.max_ratio) {
            Ok(reader) => self.open_stream(source, reader),
            Err(error) if source.is_found => {
                let format = source.format_by_name().unwrap_or(Format::Jsonl);
                let reason = error.to_string();
                let reason = reason.strip_prefix(&format!("{file}: ")).unwrap_or(&reason);
                let reject = Reject::new(&file, 0, 0, reason, b"");
                Ok(Open { file, format, stream: whole(Content::Bad(reject)) })
            }
            Err(error) => Err(error),
        }
    }

    /// Opens a stream as what its name or its first bytes say it is.
    fn open_stream(&self, source: Source, reader: Box<dyn BufRead>) -> Result<Open> {
        let file: Arc<str> = source.name.as_str().into();
        let whole = |content| Stream::One(Some(content));
        let (format, reader) = source.sniff(reader)?;
        let stream = match format {
            Format::Jsonl => Stream::Lines(LineBlocks::new(reader, Arc::clone(&file), self.options.max_record)),
            Format::Json => self.records(reader, &file, Objects::new(Kind::Json, None)),
            Format::Csv => self.records(reader, &file, csv::Rows::new(self.options.delimiter)),
            Format::Feed => self.records(reader, &file, Items::new(&["item", "entry"], Kind::Feed)),
            Format::NewsMl => self.records(reader, &file, Items::new(newsml::ITEMS, Kind::NewsMl)),
            Format::Nitf => self.records(reader, &file, Items::new(&["nitf"], Kind::Nitf)),
            Format::JsonFeed => self.records(reader, &file, Objects::of_feed()),
            Format::Ninjs => self.records(reader, &file, Objects::new(Kind::Ninjs, None)),
            Format::Warc => self.records(reader, &file, warc::WarcRecords::default()),
            Format::Text | Format::Html if source.path.as_os_str() != "-" => {
                whole(Content::Page { path: source.path, id: source.id })
            }
            Format::Text | Format::Html => whole(Content::Bad(Reject::new(&file, 0, 0, STREAMED_PAGE, b""))),
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                // What is packed, or no file, has to be put where it can be read from its end.
                let path = source.path.as_path();
                let is_plain = std::fs::metadata(path).is_ok_and(|found| found.is_file()) && stream::is_plain(path);
                let path = Some(path).filter(|_| is_plain);
                match parquet::Slices::open(path, reader, Arc::clone(&file), self.options) {
                    Ok(slices) => Stream::Slices(slices),
                    Err(reason) => whole(Content::Bad(Reject::new(&file, 0, 0, reason, b""))),
                }
            }
            #[cfg(feature = "parquet")]
            Format::Arrow => match arrow::Batches::open(reader, Arc::clone(&file)) {
                Ok(batches) => Stream::Batches(batches),
                Err(reason) => whole(Content::Bad(Reject::new(&file, 0, 0, reason, b""))),
            },
            #[cfg(not(feature = "parquet"))]
            Format::Parquet | Format::Arrow => whole(Content::Bad(Reject::new(&file, 0, 0, WITHOUT_PARQUET, b""))),
        };
        Ok(Open { file, format, stream })
    }

    /// Blocks of records; other encodings than those that hold ASCII as it is are read as UTF-8.
    fn records(&self, reader: Box<dyn BufRead>, file: &Arc<str>, cut: impl Cut + 'static) -> Stream {
        let reader = text::narrow(reader);
        Stream::Records(RecordBlocks::new(reader, Box::new(cut), Arc::clone(file), self.options.max_record))
    }
}

impl Iterator for Blocks {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Result<Block>> {
        loop {
            if let Some(open) = &mut self.open {
                let (file, format) = (Arc::clone(&open.file), open.format);
                if let Some(content) = open.stream.next_content() {
                    return Some(Ok(self.block(file, format, content)));
                }
                self.open = None;
            }
            let Some(source) = self.queue.pop_front() else {
                self.read.end();
                return None;
            };
            match self.open_source(source) {
                Ok(open) => self.open = Some(open),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
