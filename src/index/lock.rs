//! One writer at a time, by an advisory lock that the system takes back with the process.

use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::Path;

/// The right to write an index, held as long as this lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a folder.
    ///
    /// # Errors
    /// [`Error::IndexInUse`] when another holds it, [`Error::Io`] when the folder cannot be written.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| Error::io(&path, "open", e))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::IndexInUse { folder: folder.to_path_buf() }),
            Err(TryLockError::Error(source)) => Err(Error::io(path, "lock", source)),
        }
    }
}
