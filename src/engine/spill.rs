//! Temporary files for what does not fit a run's memory, and the count of what is held.
//!
//! The files have no name: the system takes them back however the process ends.

use crate::error::{Error, Result};
use crate::unnamed::unnamed_file;
use memmap2::Mmap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a run may hold, and where the rest goes.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u64,
    held: AtomicU64,
    folder: PathBuf,
}

impl Budget {
    pub(super) fn new(limit: u64, folder: PathBuf) -> Self {
        Self { limit, held: AtomicU64::new(0), folder }
    }

    /// Takes room for a number of bytes; false where there is none.
    pub(super) fn take(&self, num_bytes: usize) -> bool {
        let num_bytes = num_bytes as u64;
        let before = self.held.fetch_add(num_bytes, Ordering::Relaxed);
        let has_room = before.saturating_add(num_bytes) <= self.limit;
        if !has_room {
            self.held.fetch_sub(num_bytes, Ordering::Relaxed);
        }
        has_room
    }

    /// Gives room back.
    pub(super) fn give_back(&self, num_bytes: usize) {
        self.held.fetch_sub(num_bytes as u64, Ordering::Relaxed);
    }

    /// A file of its own for one kind of thing.
    pub(super) fn spill_file(&self) -> SpillFile<'_> {
        SpillFile { folder: &self.folder, file: std::sync::OnceLock::new(), end: AtomicU64::new(0) }
    }

    /// What is held at present, in bytes.
    #[cfg(test)]
    pub(super) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }
}

/// A temporary file that several workers append to, made when the first does.
#[derive(Debug)]
pub(super) struct SpillFile<'a> {
    folder: &'a Path,
    file: std::sync::OnceLock<File>,
    end: AtomicU64,
}

fn fail(folder: &Path, action: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Io { path: folder.to_path_buf(), action, source }
}

impl SpillFile<'_> {
    fn file(&self) -> Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let made = unnamed_file(self.folder).map_err(fail(self.folder, "make a temporary file in"))?;
        Ok(self.file.get_or_init(|| made))
    }

    /// Appends bytes; where they begin.
    ///
    /// # Errors
    /// When the file cannot be made or written: a full disk, most likely.
    pub(super) fn append(&self, bytes: &[u8]) -> Result<u64> {
        let file = self.file()?;
        let start = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        file.write_all_at(bytes, start).map_err(fail(self.folder, "write a temporary file in"))?;
        Ok(start)
    }

    /// Reads bytes that were appended.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(&self, start: u64, bytes: &mut [u8]) -> Result<()> {
        self.file()?.read_exact_at(bytes, start).map_err(fail(self.folder, "read a temporary file in"))
    }

    /// Bytes appended so far.
    pub(super) fn len(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// The whole file as memory that the system may take back; `None` of an empty one. Nothing may be appended after.
    ///
    /// # Errors
    /// When the system cannot map it.
    pub(super) fn into_map(self) -> Result<Option<Mmap>> {
        let fail = fail(self.folder, "map a temporary file in");
        let Some(mut file) = self.file.into_inner() else {
            return Ok(None);
        };
        file.flush().map_err(&fail)?;
        crate::map::map(&file).map(Some).map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_read_and_mapped() {
        let budget = Budget::new(10, std::env::temp_dir());
        assert!(budget.take(7) && !budget.take(4) && budget.take(3));
        budget.give_back(7);
        assert_eq!(budget.held(), 3);
        let file = budget.spill_file();
        assert_eq!((file.append(b"one").unwrap(), file.append(b"two").unwrap(), file.len()), (0, 3, 6));
        let mut back = [0; 2];
        file.read(2, &mut back).unwrap();
        assert_eq!(&back, b"et");
        assert_eq!(&file.into_map().unwrap().unwrap()[..], b"onetwo");
        assert!(budget.spill_file().into_map().unwrap().is_none());
    }

    #[test]
    fn a_folder_that_is_none_is_named() {
        let budget = Budget::new(0, "no/such/folder".into());
        let error = budget.spill_file().append(b"x").unwrap_err().to_string();
        assert!(error.starts_with("no/such/folder: cannot make a temporary file in: "), "{error}");
    }
}
