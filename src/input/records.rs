//! Cuts a stream into blocks of whole records; what a record is, a cutter knows.

use super::block::{Content, Kind, RecordAt};
use super::gzip::goes_on;
use super::jsonl::{BLOCK_LEN, longer_than};
use crate::reject::Reject;
use std::fmt;
use std::io::BufRead;
use std::ops::Range;
use std::sync::Arc;

/// What a cutter finds at the beginning of the bytes it is given.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing yet: more bytes are needed.
    More,
    /// So many bytes that hold no record.
    Skip(usize),
    /// A record, and where it ends with all that belongs to it.
    Record { range: Range<usize>, next: usize },
    /// Something that is no record.
    Bad { range: Range<usize>, next: usize, reason: String },
    /// Nothing more, whatever follows.
    End,
}

/// Finds records in a stream. It is asked again with the same bytes and more behind them after [`Step::More`], else with
/// those behind what it found: it may keep how far it has looked.
pub(super) trait Cut {
    /// What comes first in `bytes`; `is_all` says that nothing follows them.
    fn step(&mut self, bytes: &[u8], is_all: bool) -> Step;

    /// The record at hand is too long: bytes of it that may go. What follows of it is passed over by [`Step::Skip`].
    fn pass_over(&mut self, bytes: &[u8]) -> usize;

    /// What the records are.
    fn kind(&self) -> Kind;

    /// What a record is called in a message.
    fn noun(&self) -> &'static str;

    /// Whether a record goes by its line.
    fn counts_lines(&self) -> bool {
        false
    }
}

/// Blocks of whole records of a stream.
pub(super) struct RecordBlocks {
    reader: Box<dyn BufRead>,
    cut: Box<dyn Cut>,
    file: Arc<str>,
    buffer: Vec<u8>,
    /// How much of the buffer is done with.
    at: usize,
    /// Where the buffer begins in the stream.
    offset: u64,
    /// Number of the last record, or of the line that the buffer's done part has reached.
    number: u64,
    is_all: bool,
    is_done: bool,
    max_record: usize,
}

impl fmt::Debug for RecordBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBlocks").field("file", &self.file).field("number", &self.number).finish_non_exhaustive()
    }
}

impl RecordBlocks {
    pub(super) fn new(reader: Box<dyn BufRead>, cut: Box<dyn Cut>, file: Arc<str>, max_record: usize) -> Self {
        let number = u64::from(cut.counts_lines());
        Self {
            reader,
            cut,
            file,
            buffer: Vec::new(),
            at: 0,
            offset: 0,
            number,
            is_all: false,
            is_done: false,
            max_record,
        }
    }

    /// The next block, or `None` at the end of the stream.
    pub(super) fn next_content(&mut self) -> Option<Content> {
        let (mut records, mut rejects) = (Vec::new(), Vec::new());
        while !self.is_done {
            if self.at >= BLOCK_LEN {
                if !records.is_empty() || !rejects.is_empty() {
                    break;
                }
                self.buffer.drain(..self.at);
                self.offset += self.at as u64;
                self.at = 0;
            }
            match self.cut.step(&self.buffer[self.at..], self.is_all) {
                Step::More if self.is_all => self.is_done = true,
                Step::More if self.buffer.len() - self.at > self.max_record => {
                    let reason = longer_than(self.cut.noun(), self.max_record);
                    let at = self.record_at(0..0);
                    rejects.push(Reject::new(&self.file, at.number, at.offset, reason, b""));
                    let len = self.cut.pass_over(&self.buffer[self.at..]);
                    self.advance(len);
                }
                Step::More => self.read_more(&mut rejects),
                Step::Skip(len) => self.advance(len),
                Step::Record { range, next } if range.len() > self.max_record => {
                    let at = self.record_at(range);
                    let reason = longer_than(self.cut.noun(), self.max_record);
                    rejects.push(Reject::new(&self.file, at.number, at.offset, reason, b""));
                    self.advance(next);
                }
                Step::Record { range, next } => {
                    let at = self.record_at(range);
                    records.push(at);
                    self.advance(next);
                }
                Step::Bad { range, next, reason } => {
                    let at = self.record_at(range);
                    let raw = &self.buffer[at.range.clone()];
                    rejects.push(Reject::new(&self.file, at.number, at.offset, reason, raw));
                    self.advance(next);
                }
                Step::End => self.is_done = true,
            }
        }
        if records.is_empty() && rejects.is_empty() {
            return None;
        }
        let rest = self.buffer.split_off(self.at);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.offset += self.at as u64;
        self.at = 0;
        Some(Content::Records { bytes, records, kind: self.cut.kind(), rejects })
    }

    /// Where a record lies that the cutter has found; it gets its number.
    fn record_at(&mut self, range: Range<usize>) -> RecordAt {
        let range = self.at + range.start..self.at + range.end;
        let offset = self.offset + range.start as u64;
        if !self.cut.counts_lines() {
            self.number += 1;
            return RecordAt { range, number: self.number, offset };
        }
        let before = memchr::memchr_iter(b'\n', &self.buffer[self.at..range.start]).count() as u64;
        RecordAt { number: self.number + before, range, offset }
    }

    fn advance(&mut self, len: usize) {
        if self.cut.counts_lines() {
            self.number += memchr::memchr_iter(b'\n', &self.buffer[self.at..self.at + len]).count() as u64;
        }
        self.at += len;
    }

    fn read_more(&mut self, rejects: &mut Vec<Reject>) {
        let reason = match self.reader.fill_buf() {
            Ok([]) => {
                self.is_all = true;
                return;
            }
            Ok(chunk) => {
                self.buffer.extend_from_slice(chunk);
                let len = chunk.len();
                self.reader.consume(len);
                return;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return,
            Err(error) if goes_on(&error) => format!("damaged, and passed over: {error}"),
            Err(error) => {
                self.is_all = true;
                format!("cannot read further: {error}")
            }
        };
        let offset = self.offset + self.buffer.len() as u64;
        let number = self.number + u64::from(!self.cut.counts_lines());
        rejects.push(Reject::new(&self.file, number, offset, reason, b""));
    }
}
