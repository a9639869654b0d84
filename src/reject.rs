//! What an input holds that is no article.

/// Bytes of a rejected record that are kept, for formats whose records are no lines.
const KEPT_LEN: usize = 1 << 16;

/// Something in the input that is no article: named, never silently dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    /// Number of the block, for ordering.
    pub block: u64,
    /// Line in the file, or record in formats without lines, from 1; 0 for a whole file.
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

    /// What could not be read, with as much of it as is worth keeping.
    #[must_use]
    pub fn new(file: &str, line: u64, offset: u64, reason: impl Into<String>, record: &[u8]) -> Self {
        let record = String::from_utf8_lossy(&record[..record.len().min(KEPT_LEN)]).into_owned();
        Self { block: 0, line, file: file.to_string(), offset, reason: reason.into(), record }
    }
}
