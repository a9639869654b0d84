//! Every change of an index's folder goes through here, so that tests can cut it off at any of them.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file system, as an index changes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    faults: Option<std::sync::Arc<Faults>>,
}

impl Disk {
    /// A disk that stops as told.
    #[cfg(test)]
    pub(crate) fn with_faults(faults: &std::sync::Arc<Faults>) -> Self {
        Self { faults: Some(std::sync::Arc::clone(faults)) }
    }

    /// Begins a file, in place of one that a process left behind.
    pub(crate) fn create(&self, path: &Path) -> Result<DiskFile> {
        self.step(path, "create")?;
        let file = File::create(path).map_err(|e| Error::io(path, "create", e))?;
        Ok(DiskFile { disk: self.clone(), path: path.to_path_buf(), file, len: 0 })
    }

    /// Opens a file to be appended to after its first `len` bytes; what follows these is cut off.
    pub(crate) fn append_to(&self, path: &Path, len: u64) -> Result<DiskFile> {
        self.step(path, "open")?;
        let file = File::options().append(true).open(path).map_err(|e| Error::io(path, "open", e))?;
        if file.metadata().map_err(|e| Error::io(path, "read", e))?.len() > len {
            file.set_len(len).map_err(|e| Error::io(path, "cut", e))?;
        }
        #[cfg(test)]
        self.note(path, len);
        Ok(DiskFile { disk: self.clone(), path: path.to_path_buf(), file, len })
    }

    /// Gives a file its name, in place of one that has it, and makes that last.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.step(to, "rename")?;
        std::fs::rename(from, to).map_err(|e| Error::io(to, "rename", e))?;
        #[cfg(test)]
        self.note_renamed(from, to);
        Ok(())
    }

    /// Makes the names in a folder last.
    pub(crate) fn sync_folder(&self, folder: &Path) -> Result<()> {
        self.step(folder, "sync")?;
        #[cfg(unix)]
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| Error::io(folder, "sync", e))?;
        Ok(())
    }

    /// Takes a file away; one that is not there is no failure.
    pub(crate) fn remove(&self, path: &Path) -> Result<()> {
        self.step(path, "remove")?;
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, "remove", error)),
            _ => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests stop here")]
    fn step(&self, _: &Path, _: &'static str) -> Result<()> {
        Ok(())
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct DiskFile {
    disk: Disk,
    path: PathBuf,
    file: File,
    len: u64,
}

impl DiskFile {
    /// Bytes written so far.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        #[cfg(test)]
        if let Some(part) = self.disk.stops_within(bytes.len()) {
            let _ = self.file.write_all(&bytes[..part]);
        }
        self.disk.step(&self.path, "write")?;
        self.file.write_all(bytes).map_err(|e| Error::io(&self.path, "write", e))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Makes all that was written last.
    pub(crate) fn sync(&mut self) -> Result<()> {
        self.disk.step(&self.path, "sync")?;
        self.file.sync_data().map_err(|e| Error::io(&self.path, "sync", e))?;
        #[cfg(test)]
        self.disk.note(&self.path, self.len);
        Ok(())
    }
}

#[cfg(test)]
pub(crate) use faults::Faults;

#[cfg(test)]
mod faults {
    use super::{Disk, Error, Path, PathBuf, Result};
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// Stops a disk after a number of steps, for good, as if the process had died there.
    #[derive(Debug)]
    pub(crate) struct Faults {
        left: AtomicI64,
        /// How much of each file would outlast a loss of power.
        lasting: Mutex<BTreeMap<PathBuf, u64>>,
    }

    impl Faults {
        pub(crate) fn after(num_steps: i64) -> Self {
            Self { left: AtomicI64::new(num_steps), lasting: Mutex::default() }
        }

        /// Steps that were taken of so many.
        pub(crate) fn num_taken(&self, of: i64) -> i64 {
            of - self.left.load(Ordering::Relaxed).max(0)
        }

        pub(crate) fn has_stopped(&self) -> bool {
            self.left.load(Ordering::Relaxed) < 0
        }

        /// Cuts every file to what was made to last, or leaves zeros of the rest.
        pub(crate) fn lose_power(&self, leaves_zeros: bool) {
            for (path, len) in &*self.lasting.lock().unwrap() {
                let Ok(file) = std::fs::File::options().write(true).open(path) else { continue };
                let whole_len = file.metadata().unwrap().len();
                if whole_len > *len {
                    file.set_len(*len).unwrap();
                    if leaves_zeros {
                        file.set_len(whole_len).unwrap();
                    }
                }
            }
        }
    }

    impl Disk {
        pub(super) fn step(&self, path: &Path, action: &'static str) -> Result<()> {
            if let Some(faults) = &self.faults
                && faults.left.fetch_sub(1, Ordering::Relaxed) <= 0
            {
                faults.left.store(-1, Ordering::Relaxed);
                return Err(Error::io(path, action, std::io::Error::other("stopped by the test")));
            }
            if action == "create" {
                self.note(path, 0);
            }
            Ok(())
        }

        /// How much of a write is done where it is the one that the disk stops at.
        pub(super) fn stops_within(&self, num_bytes: usize) -> Option<usize> {
            let faults = self.faults.as_ref()?;
            (faults.left.load(Ordering::Relaxed) == 0).then_some(num_bytes / 2)
        }

        pub(super) fn note(&self, path: &Path, len: u64) {
            if let Some(faults) = &self.faults {
                faults.lasting.lock().unwrap().insert(path.to_path_buf(), len);
            }
        }

        pub(super) fn note_renamed(&self, from: &Path, to: &Path) {
            if let Some(faults) = &self.faults {
                let mut lasting = faults.lasting.lock().unwrap();
                if let Some(len) = lasting.remove(from) {
                    lasting.insert(to.to_path_buf(), len);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn every_step_can_be_the_one_that_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "x").unwrap();
        let stops_after = |num_steps: i64| Disk::with_faults(&Arc::new(Faults::after(num_steps)));
        let opened = || stops_after(1).append_to(&path, 1).unwrap();
        for (step, result) in [
            ("create", stops_after(0).create(&path).map(drop)),
            ("append_to", stops_after(0).append_to(&path, 1).map(drop)),
            ("write", opened().write(b"yz")),
            ("sync", opened().sync()),
            ("rename", stops_after(0).rename(&path, &folder.path().join("b"))),
            ("sync_folder", stops_after(0).sync_folder(folder.path())),
            ("remove", stops_after(0).remove(&path)),
        ] {
            assert!(result.is_err(), "{step}");
        }
        assert!(path.exists());
    }

    #[test]
    fn what_is_not_there_is_gone_and_what_is_no_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        Disk::default().remove(&folder.path().join("none")).unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        assert!(Disk::default().remove(&inner).is_err());
    }
}
