//! Readers: files, folders and streams → blocks that workers parse into articles. Readers hand out work, they do not
//! spawn it.

mod json;
mod jsonl;
mod stream;
mod text;

pub use jsonl::{FieldNames, FieldsMet, MAX_LINE_LEN, NamedRecord};
pub use stream::{BytesRead, open, read_file};

use crate::article::Article;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What may stand before the first line of a file in UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An input format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// One plain text a file.
    Text,
}

/// Something in the input that is no article: named, never silently dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    /// Number of the block, for ordering.
    pub block: u64,
    /// Line in the file, from 1; 0 for a whole file.
    pub line: u64,
    /// The file's name as given.
    pub file: String,
    /// Byte offset of the record in the uncompressed file.
    pub offset: u64,
    /// What is wrong.
    pub reason: String,
    /// The record as far as it is text.
    pub record: String,
}

impl Reject {
    /// `FILE:LINE`, or `FILE` for a whole file.
    #[must_use]
    pub fn place(&self) -> String {
        if self.line == 0 { self.file.clone() } else { format!("{}:{}", self.file, self.line) }
    }
}

/// A piece of the input that one worker parses.
#[derive(Debug)]
pub struct Block {
    /// Number of the block in the whole input.
    pub seq: u64,
    file: Arc<str>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// Whole lines, from `first_line` at byte `offset`.
    Lines { bytes: Vec<u8>, first_line: u64, offset: u64 },
    /// A text file, with the id it gets.
    Text { path: PathBuf, id: String },
    /// Something that could not be read.
    Bad(Reject),
}

/// What a block holds.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The articles, in order.
    pub articles: Vec<Article>,
    /// For each article the line it came from, as a range of [`Parsed::bytes`]: with its end, which the last line of a
    /// file may lack, and without a byte order mark.
    pub records: Vec<std::ops::Range<usize>>,
    /// The block's bytes; of a text file, a JSON line made of it.
    pub bytes: Vec<u8>,
    /// Whether the block begins a file with a byte order mark.
    pub has_mark: bool,
    /// What is no article.
    pub rejects: Vec<Reject>,
    /// Which fields the block's JSON objects have; nothing of a text file.
    pub fields: FieldsMet,
    /// Lines that were mended: invalid UTF-8, lone surrogates, control characters.
    pub num_repaired: u64,
    /// Times of publication that could not be read.
    pub num_bad_times: u64,
}

impl Block {
    /// A block of whole JSON lines that came from elsewhere, the first of them line `first_line` at byte `offset`.
    #[must_use]
    pub fn of_lines(seq: u64, file: &str, bytes: Vec<u8>, (first_line, offset): (u64, u64)) -> Self {
        Self { seq, file: file.into(), content: Content::Lines { bytes, first_line, offset } }
    }

    /// Parses the block. Never fails: what is no article becomes a [`Reject`].
    #[must_use]
    pub fn parse(self, fields: &FieldNames) -> Parsed {
        let mut parsed = Parsed::default();
        match self.content {
            Content::Lines { bytes, first_line, offset } => {
                jsonl::parse_lines(&self.file, self.seq, &bytes, (first_line, offset), fields, &mut parsed);
                parsed.bytes = bytes;
            }
            Content::Text { path, id } => text::parse_file(&self.file, self.seq, &path, id, &mut parsed),
            Content::Bad(reject) => parsed.rejects.push(Reject { block: self.seq, ..reject }),
        }
        for (record, article) in parsed.articles.iter_mut().enumerate() {
            article.origin.block = self.seq;
            article.origin.record = record as u32;
        }
        parsed
    }
}

/// Reads inputs one after another as blocks.
#[derive(Debug)]
pub struct Blocks {
    queue: VecDeque<Source>,
    lines: Option<jsonl::LineBlocks>,
    seq: u64,
    read: Arc<BytesRead>,
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    name: String,
    format: Format,
    id: String,
}

impl Blocks {
    /// Blocks of files, of folders (their `.txt`, `.jsonl` and `.ndjson` files, by name) and of stdin (`-`).
    ///
    /// # Errors
    /// When an input does not exist, a folder holds nothing that can be read, or a format is not known.
    pub fn open(inputs: &[PathBuf], format: Option<Format>) -> Result<Self> {
        let mut queue = VecDeque::new();
        for input in inputs {
            let is_folder =
                input.as_os_str() != "-" && std::fs::metadata(input).map_err(|e| Error::io(input, "open", e))?.is_dir();
            if is_folder {
                add_folder(input, format, &mut queue)?;
            } else {
                let name = input.display().to_string();
                let id = input.file_name().map_or_else(|| name.clone(), |n| n.to_string_lossy().into_owned());
                let format = format.or_else(|| format_of(input)).unwrap_or(Format::Jsonl);
                queue.push_back(Source { path: input.clone(), name, format, id });
            }
        }
        Ok(Self { queue, lines: None, seq: 0, read: Arc::default() })
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

    /// Bytes of the files that are still to be opened; `None` where one is a stream.
    #[must_use]
    pub fn total_bytes(&self) -> Option<u64> {
        let len =
            |path: &Path| std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|found| found.len());
        self.files().map(len).sum()
    }

    fn block(&mut self, file: Arc<str>, content: Content) -> Block {
        self.seq += 1;
        Block { seq: self.seq, file, content }
    }
}

impl Iterator for Blocks {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Result<Block>> {
        loop {
            if let Some(lines) = &mut self.lines {
                let file = lines.file();
                if let Some(content) = lines.next_content() {
                    return Some(Ok(self.block(file, content)));
                }
                self.lines = None;
            }
            let Some(source) = self.queue.pop_front() else {
                self.read.end();
                return None;
            };
            let file: Arc<str> = source.name.as_str().into();
            match source.format {
                Format::Text => {
                    // A worker reads it; on the way to it it counts as read.
                    self.read.add(std::fs::metadata(&source.path).map_or(0, |found| found.len()));
                    let content = Content::Text { path: source.path, id: source.id };
                    return Some(Ok(self.block(file, content)));
                }
                Format::Jsonl => match stream::open_counted(&source.path, Arc::clone(&self.read)) {
                    Ok(reader) => self.lines = Some(jsonl::LineBlocks::new(reader, file)),
                    Err(error) => return Some(Err(error)),
                },
            }
        }
    }
}

/// The format a file's name says, looking through `.gz` and `.zst`.
fn format_of(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "jsonl" | "ndjson" | "json" => Some(Format::Jsonl),
        "txt" => Some(Format::Text),
        _ => None,
    }
}

fn add_folder(folder: &Path, format: Option<Format>, queue: &mut VecDeque<Source>) -> Result<()> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).map_err(|e| Error::io(&next, "open", e))? {
            let entry = entry.map_err(|e| Error::io(&next, "read", e))?;
            let kind = entry.file_type().map_err(|e| Error::io(entry.path(), "read", e))?;
            // Links to folders are not followed: they may lead in a circle.
            if kind.is_dir() {
                open.push(entry.path());
            } else if format_of(&entry.path()).is_some_and(|found| format.is_none_or(|wanted| wanted == found)) {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    if files.is_empty() {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "no .txt, .jsonl or .ndjson file in the folder");
        return Err(Error::io(folder, "read", source));
    }
    for path in files {
        let format = format_of(&path).expect("only files of a known format were taken");
        let relative = path.strip_prefix(folder).unwrap_or(&path);
        let id = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        queue.push_back(Source { name: path.display().to_string(), path, format, id });
    }
    Ok(())
}
