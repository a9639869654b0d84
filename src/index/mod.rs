//! Files of an index: immutable segments, runs of keys in them, a log that is written ahead, a manifest that says what
//! counts. What an index does with them is in [`crate::engine::Index`].
//!
//! `docs/format.md` has every file byte by byte.

mod disk;
mod filter;
mod keys;
mod lock;
mod log;
mod manifest;
mod segment;

#[cfg(test)]
pub(crate) use disk::Faults;
pub(crate) use disk::{Disk, DiskFile};
pub(crate) use filter::KeyFilter;
pub(crate) use keys::{KeyRun, NUM_LISTS, NUM_PARTS, RunPart, RunWriter, list_of_exact, list_of_id};
pub(crate) use lock::Lock;
pub(crate) use log::{Frame, Log, read_log};
pub(crate) use manifest::{FileEntry, Manifest};
pub(crate) use segment::{Kind, Segment, SegmentWriter};

/// Forging of the files of an index.
#[cfg(any(test, fuzzing))]
pub(crate) mod forge {
    pub(crate) use super::log::mend_checks as mend_log;
    pub(crate) use super::manifest::mend_check as mend_manifest;
    pub(crate) use super::segment::mend_checks as mend_segment;
}

/// Format of the files of an index that this version writes; it reads the earlier ones, too.
pub const INDEX_FORMAT: u32 = 2;
