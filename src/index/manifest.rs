//! The manifest: which files make an index, and under what they were made. Replaced as a whole.

use super::INDEX_FORMAT;
use super::disk::Disk;
use crate::error::{Error, Result};
use crate::hash::hash64;
use crate::sketch::Records;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const NAME: &str = "manifest.toml";
const CHECK: &str = "# check ";
const CHECK_SEED: u64 = 0x6d61_6e69;

/// What an index consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) sketch: String,
    pub(crate) verdict: String,
    pub(crate) level: String,
    pub(crate) near: String,
    /// What is kept of an article: `whole` or `thin` records.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub(crate) records: String,
    /// Number of the last change that lies in the segments.
    pub(crate) seq: u64,
    /// The number that the next file gets.
    pub(crate) next_file: u64,
    /// Number of the log.
    pub(crate) log: u64,
    /// Number of the state's segment; 0 where there is none yet.
    pub(crate) state: u64,
    /// Segments with what became of it since, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) changes: Vec<FileEntry>,
    /// Segments with articles, in order of their ordinals.
    #[serde(default)]
    pub(crate) articles: Vec<FileEntry>,
    /// Segments with keys, in order of their ordinals.
    #[serde(default)]
    pub(crate) keys: Vec<FileEntry>,
}

/// A segment and what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
    /// Number of the file.
    pub(crate) file: u64,
    /// Its first article's ordinal, and how many it covers.
    pub(crate) first: u32,
    pub(crate) num: u32,
    /// Its length.
    pub(crate) bytes: u64,
}

fn whole() -> String {
    Records::Whole.name().to_string()
}

fn is_whole(records: &str) -> bool {
    records == Records::Whole.name()
}

impl Manifest {
    /// Where that of a folder lies.
    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// Whether a folder has one.
    pub(crate) fn is_in(folder: &Path) -> bool {
        Self::path(folder).exists()
    }

    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// When there is none, or it is damaged or of a format that is not known.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = Self::path(folder);
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::NoIndex { folder: folder.to_path_buf() });
            }
            Err(error) => return Err(Error::io(path, "read", error)),
        };
        let damaged =
            |offset: usize, what: String| Error::IndexDamaged { file: path.clone(), offset: offset as u64, what };
        let stated =
            text.lines().find_map(|line| line.strip_prefix("format = ")).and_then(|format| format.parse().ok());
        if let Some(found) = stated.filter(|found| *found > INDEX_FORMAT) {
            return Err(Error::IndexFormat { file: path, found, newest: INDEX_FORMAT });
        }
        let Some((body, check)) = text.rsplit_once(CHECK) else {
            return Err(damaged(text.len(), "the checksum at the end is missing".to_string()));
        };
        if check != format!("{:016x}\n", hash64(body.as_bytes(), CHECK_SEED)) {
            return Err(damaged(0, "not as it was written".to_string()));
        }
        let manifest: Self = toml::from_str(body).map_err(|error| damaged(0, error.message().to_string()))?;
        let [articles, keys] = [&manifest.articles, &manifest.keys].map(|entries| covered(entries));
        if articles.is_none() || articles != keys {
            return Err(damaged(0, "names segments that do not follow one another".to_string()));
        }
        Ok(manifest)
    }

    /// Replaces the manifest of a folder, so that at any moment there is the old or the new one.
    pub(crate) fn write(&self, disk: &Disk, folder: &Path) -> Result<()> {
        let body = toml::to_string(self).expect("numbers and names only");
        let text = format!("{body}{CHECK}{:016x}\n", hash64(body.as_bytes(), CHECK_SEED));
        let made = folder.join("manifest.new");
        let mut file = disk.create(&made)?;
        file.write(text.as_bytes())?;
        file.sync()?;
        // What it names lasts before it does.
        disk.sync_folder(folder)?;
        disk.rename(&made, &Self::path(folder))?;
        disk.sync_folder(folder)
    }
}

/// How many articles entries cover, of which each follows the one before; `None` where one does not.
fn covered(entries: &[FileEntry]) -> Option<u32> {
    entries.iter().try_fold(0u32, |end, entry| end.checked_add(entry.num).filter(|_| entry.first == end))
}

/// The text of a manifest with its checksum put right, so that readers get to see what is wrong beside it.
#[cfg(any(test, fuzzing))]
pub(crate) fn mend_check(text: &str) -> String {
    let body = text.rsplit_once(CHECK).map_or(text, |(body, _)| body);
    format!("{body}{CHECK}{:016x}\n", hash64(body.as_bytes(), CHECK_SEED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let entry = FileEntry { file: 3, first: 0, num: 10, bytes: 4711 };
        Manifest {
            format: INDEX_FORMAT,
            sketch: "s".into(),
            verdict: "v".into(),
            level: "rewrite".into(),
            near: "minhash".into(),
            records: "thin".into(),
            seq: 9,
            next_file: 5,
            log: 4,
            state: 2,
            changes: vec![entry],
            articles: vec![entry],
            keys: vec![FileEntry { num: 7, ..entry }, FileEntry { file: 4, first: 7, num: 3, ..entry }],
        }
    }

    #[test]
    fn comes_back_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        assert!(Manifest::read(folder.path()).unwrap_err().to_string().contains("no index here"));
        manifest().write(&Disk::default(), folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), manifest());
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(Manifest::read(folder.path()).is_err(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(Manifest::read(folder.path()).is_err(), "cut to {at}");
        }
        for (articles, keys) in [
            (manifest().articles, vec![]),
            (vec![FileEntry { first: 1, ..manifest().articles[0] }], manifest().keys),
            (manifest().articles, vec![manifest().keys[0]; 2]),
            (vec![FileEntry { num: u32::MAX, ..manifest().articles[0] }; 2], manifest().keys),
        ] {
            Manifest { articles, keys, ..manifest() }.write(&Disk::default(), folder.path()).unwrap();
            let error = Manifest::read(folder.path()).unwrap_err().to_string();
            assert!(error.ends_with("do not follow one another"), "{error}");
        }
        let newer = String::from_utf8(whole).unwrap().replace("format = 2", "format = 3");
        std::fs::write(&path, newer).unwrap();
        let error = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("format 3; this version reads up to 2"), "{error}");
    }

    #[test]
    fn whole_records_are_not_mentioned() {
        let folder = tempfile::tempdir().unwrap();
        let whole = Manifest { records: Records::Whole.name().to_string(), ..manifest() };
        for (manifest, is_mentioned) in [(whole, false), (manifest(), true)] {
            manifest.write(&Disk::default(), folder.path()).unwrap();
            let text = std::fs::read_to_string(folder.path().join(NAME)).unwrap();
            assert_eq!(text.contains("records"), is_mentioned);
            assert_eq!(Manifest::read(folder.path()).unwrap(), manifest);
        }
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_not_taken_for_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(NAME)).unwrap();
        assert!(matches!(Manifest::read(folder.path()), Err(Error::Io { .. })));
    }
}
