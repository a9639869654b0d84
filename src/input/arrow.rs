//! Arrow IPC: batches of a stream, which a file is too, between its marks.

use super::block::{Content, Parsed};
use super::columns::{RowsAt, parse_batch};
use super::guard::guarded;
use crate::fields::{Columns, FieldNames, without_columns};
use crate::reject::Reject;
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use std::io::{BufRead, Read};
use std::sync::Arc;

/// How a file begins, before the stream in it.
const MARK: &[u8] = b"ARROW1\0\0";
/// Bytes of a message's head that are read, and of its body.
const MAX_HEAD: usize = 16 << 20;
const MAX_BODY: i64 = 1 << 30;
/// Rows that a worker gets at once.
const ROWS_LEN: usize = 2048;

/// Hands out the batches of a stream.
pub(super) struct Batches {
    reader: Option<StreamReader<Checked>>,
    file: Arc<str>,
    /// What is left of the batch at hand, and where in the file.
    batch: Option<RecordBatch>,
    row: u64,
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("file", &self.file).field("row", &self.row).finish_non_exhaustive()
    }
}

impl Batches {
    pub(super) fn open(stream: Box<dyn BufRead>, file: Arc<str>) -> Result<Self, String> {
        let reader = guarded(|| {
            let checked = Checked::new(stream).map_err(|error| format!("cannot read: {error}"))?;
            StreamReader::try_new(checked, None).map_err(|error| format!("damaged: {error}"))
        })?;
        Ok(Self { reader: Some(reader), file, batch: None, row: 0 })
    }

    pub(super) fn next_content(&mut self) -> Option<Content> {
        while self.batch.is_none() {
            let reader = self.reader.as_mut()?;
            match guarded(|| reader.next().transpose().map_err(|error| format!("damaged: {error}"))) {
                // A row has a bit at least of one column. A few bytes may say that they are a billion rows of nothing.
                Ok(Some(batch)) if batch.num_rows() / 8 > batch.get_array_memory_size() => {
                    self.reader = None;
                    let reason = format!("damaged: {} rows cannot lie in what there is", batch.num_rows());
                    return Some(Content::Bad(Reject::new(&self.file, self.row + 1, 0, reason, b"")));
                }
                Ok(Some(batch)) => self.batch = Some(batch).filter(|batch| batch.num_rows() > 0),
                Ok(None) => {
                    self.reader = None;
                    return None;
                }
                Err(reason) => {
                    self.reader = None;
                    let reason = format!("rows from {} on: {reason}", self.row + 1);
                    return Some(Content::Bad(Reject::new(&self.file, self.row + 1, 0, reason, b"")));
                }
            }
        }
        let batch = self.batch.take()?;
        let len = batch.num_rows().min(ROWS_LEN);
        let first = self.row;
        self.row += len as u64;
        if len < batch.num_rows() {
            self.batch = Some(batch.slice(len, batch.num_rows() - len));
        }
        Some(Content::Batch { batch: batch.slice(0, len), first })
    }
}

/// Parses a batch.
pub(super) fn parse(batch: &RecordBatch, first: u64, file: &str, fields: &FieldNames, parsed: &mut Parsed) {
    let has_key = Columns::new(batch, fields).has_key();
    let end = first + batch.num_rows() as u64;
    let read = if has_key {
        guarded(|| {
            parse_batch(batch, RowsAt { file, first }, fields, parsed);
            Ok(())
        })
    } else {
        Err(without_columns(&batch.schema()))
    };
    if let Err(reason) = read {
        let reason = format!("rows {} to {end}: {reason}", first + 1);
        parsed.rejects.push(Reject::new(file, first + 1, 0, reason, b""));
    }
}

/// A stream of messages whose lengths are looked at before anyone makes room for them.
struct Checked {
    stream: Box<dyn BufRead>,
    /// The head of a message, and how much of it was given out.
    head: Vec<u8>,
    given: usize,
    /// What is left of the body.
    body_len: u64,
}

impl Checked {
    fn new(mut stream: Box<dyn BufRead>) -> std::io::Result<Self> {
        let mut head = Vec::new();
        (&mut stream).take(MARK.len() as u64).read_to_end(&mut head)?;
        if head == MARK {
            head.clear();
            // Zeros up to where the writer wants the stream to begin.
            loop {
                let chunk = stream.fill_buf()?;
                let num_zeros = chunk.iter().take_while(|byte| **byte == 0).count();
                let is_over = chunk.len() > num_zeros || chunk.is_empty();
                stream.consume(num_zeros);
                if is_over {
                    break;
                }
            }
        }
        let mut stream: Box<dyn BufRead> = Box::new(std::io::Cursor::new(head).chain(stream));
        let mut head = Vec::new();
        let body_len = read_head(&mut stream, &mut head)?;
        Ok(Self { stream, head, given: 0, body_len })
    }
}

/// Reads the head of a message; the length of its body.
fn read_head(stream: &mut Box<dyn BufRead>, head: &mut Vec<u8>) -> std::io::Result<u64> {
    let bad = |reason: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, reason.to_string());
    head.clear();
    stream.take(4).read_to_end(head)?;
    if head.as_slice() == [0xff; 4] {
        stream.take(4).read_to_end(head)?;
    }
    let Some(len) = head.last_chunk::<4>().map(|len| u32::from_le_bytes(*len) as usize) else { return Ok(0) };
    if len > MAX_HEAD {
        return Err(bad("a message says that its head is longer than any is"));
    }
    let start = head.len();
    stream.take(len as u64).read_to_end(head)?;
    if len == 0 || head.len() < start + len {
        return Ok(0);
    }
    let message = arrow_ipc::root_as_message(&head[start..]).map_err(|error| bad(&error.to_string()))?;
    let body_len = message.bodyLength();
    if !(0..=MAX_BODY).contains(&body_len) {
        return Err(bad("a message says that it is longer than any that is read"));
    }
    Ok(body_len as u64)
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.head.len() && self.body_len == 0 {
            self.given = 0;
            self.body_len = read_head(&mut self.stream, &mut self.head)?;
        }
        if self.given < self.head.len() {
            let len = buffer.len().min(self.head.len() - self.given);
            buffer[..len].copy_from_slice(&self.head[self.given..self.given + len]);
            self.given += len;
            return Ok(len);
        }
        let len = buffer.len().min(usize::try_from(self.body_len).unwrap_or(usize::MAX));
        let len = self.stream.read(&mut buffer[..len])?;
        self.body_len -= len as u64;
        if len == 0 {
            self.body_len = 0;
        }
        Ok(len)
    }
}
