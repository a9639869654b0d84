//! An immutable file of an index: sections of bytes, each block of them with a checksum that is looked at when the block
//! is read for the first time.

use super::INDEX_FORMAT;
use super::disk::{Disk, DiskFile};
use crate::error::{Error, Result};
use crate::hash::hash64;
use memmap2::Mmap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const MAGIC: &[u8; 4] = b"SSIX";
const END: &[u8; 8] = b"SSIX-end";
/// Bytes of the header, and what sections begin at a multiple of.
const HEADER_LEN: usize = 64;
/// Bytes that share a checksum.
const BLOCK_LEN: usize = 1 << 14;
/// Bytes at the end: where the tables begin, how many sections there are, a checksum of the tables, the end's magic.
const TRAILER_LEN: usize = 32;
const CHECK_SEED: u64 = 0x7365_676d_656e_7400;

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Articles = 1,
    Keys = 2,
    State = 3,
    Changes = 4,
}

/// A segment being written, section after section.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    file: DiskFile,
    block: Vec<u8>,
    checks: Vec<u64>,
    sections: Vec<(u64, u64)>,
    len: u64,
}

impl SegmentWriter {
    /// Begins a segment of a kind, under a sketch id and with its number.
    pub(crate) fn create(disk: &Disk, path: &Path, kind: Kind, sketch_id: &str, number: u64) -> Result<Self> {
        let file = disk.create(path)?;
        let block = Vec::with_capacity(BLOCK_LEN);
        let mut writer = Self { file, block, checks: Vec::new(), sections: Vec::new(), len: 0 };
        let mut header = [0; HEADER_LEN];
        header[..4].copy_from_slice(MAGIC);
        header[4..8].copy_from_slice(&INDEX_FORMAT.to_le_bytes());
        header[8..12].copy_from_slice(&(kind as u32).to_le_bytes());
        header[16..32].copy_from_slice(sketch_id.as_bytes());
        header[32..40].copy_from_slice(&number.to_le_bytes());
        writer.put(&header)?;
        Ok(writer)
    }

    /// Begins the next section.
    pub(crate) fn begin_section(&mut self) -> Result<()> {
        self.pad()?;
        self.sections.push((self.len, 0));
        Ok(())
    }

    /// Adds bytes to the section that was begun.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.put(bytes)?;
        self.sections.last_mut().expect("a section was begun").1 += bytes.len() as u64;
        Ok(())
    }

    /// Bytes of the section at hand.
    pub(crate) fn section_len(&self) -> u64 {
        self.sections.last().map_or(0, |(_, len)| *len)
    }

    /// Writes the tables and makes the file last; its length.
    pub(crate) fn finish(mut self) -> Result<u64> {
        self.pad()?;
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let start = self.len;
        let words = self.sections.iter().flat_map(|(start, len)| [*start, *len]).chain(self.checks.iter().copied());
        let mut tables: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        let check = hash64(&tables, CHECK_SEED ^ start);
        tables.extend_from_slice(&start.to_le_bytes());
        tables.extend_from_slice(&(self.sections.len() as u64).to_le_bytes());
        tables.extend_from_slice(&check.to_le_bytes());
        tables.extend_from_slice(END);
        self.file.write(&tables)?;
        self.file.sync()?;
        Ok(self.file.len())
    }

    fn pad(&mut self) -> Result<()> {
        let rest = self.len as usize % HEADER_LEN;
        if rest > 0 {
            self.put(&[0; HEADER_LEN][rest..])?;
        }
        Ok(())
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.len += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK_LEN - self.block.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK_LEN {
                self.end_block()?;
            }
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<()> {
        self.checks.push(hash64(&self.block, CHECK_SEED));
        self.file.write(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

/// A segment as it is read.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    map: Mmap,
    sections: Vec<(u64, u64)>,
    checks: Vec<u64>,
    /// A bit a block that was found as it was written.
    sound: Box<[AtomicU64]>,
    end: usize,
    format: u32,
}

impl Segment {
    /// Opens a segment and looks at its header, tables and length; blocks are looked at when they are read.
    ///
    /// # Errors
    /// When it is missing, cut, of another kind or sketch, or of a format that is not known.
    pub(crate) fn open(path: &Path, kind: Kind, sketch_id: &str, num_sections: usize) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, "open", e))?;
        let fail = |offset: usize, what: &str| Error::IndexDamaged {
            file: path.to_path_buf(),
            offset: offset as u64,
            what: what.to_string(),
        };
        if file.metadata().map_err(|e| Error::io(path, "read", e))?.len() < (HEADER_LEN + TRAILER_LEN) as u64 {
            return Err(fail(0, "too short for a segment"));
        }
        let map = crate::map::map(&file).map_err(|e| Error::io(path, "map", e))?;
        let word = |at: usize| u64::from_le_bytes(map[at..at + 8].try_into().expect("eight bytes"));
        if &map[..4] != MAGIC {
            return Err(fail(0, "no segment of an index"));
        }
        let found = word(4) as u32;
        if !(1..=INDEX_FORMAT).contains(&found) {
            return Err(Error::IndexFormat { file: path.to_path_buf(), found, newest: INDEX_FORMAT });
        }
        let trailer = map.len() - TRAILER_LEN;
        if &map[map.len() - 8..] != END {
            return Err(fail(map.len(), "the end is missing: the file is cut"));
        }
        // Where a length is more than memory has, the tables end nowhere.
        let length = |at: usize| usize::try_from(word(at)).unwrap_or(usize::MAX);
        let (start, num, check) = (length(trailer), length(trailer + 8), word(trailer + 16));
        let num_blocks = start.div_ceil(BLOCK_LEN);
        let tables_len = num.saturating_mul(16).saturating_add(num_blocks.saturating_mul(8));
        if start.checked_add(tables_len) != Some(trailer) {
            return Err(fail(trailer, "the tables do not end where they should"));
        }
        if hash64(&map[start..trailer], CHECK_SEED ^ start as u64) != check {
            return Err(fail(start, "the tables are not as they were written"));
        }
        let words: Vec<u64> = (start..trailer).step_by(8).map(word).collect();
        let (of_sections, checks) = words.split_at(num * 2);
        let sections: Vec<(u64, u64)> = of_sections.chunks(2).map(|pair| (pair[0], pair[1])).collect();
        if sections.iter().any(|(at, len)| at.checked_add(*len).is_none_or(|end| end > start as u64)) {
            return Err(fail(start, "a section reaches beyond the file"));
        }
        let sound = (0..num_blocks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let checks = checks.to_vec();
        let segment = Self { path: path.to_path_buf(), map, sections, checks, sound, end: start, format: found };
        let header = segment.range(0, HEADER_LEN)?;
        if header[8..12] != (kind as u32).to_le_bytes() || num != num_sections {
            return Err(fail(8, "a segment of another kind"));
        }
        if &header[16..32] != sketch_id.as_bytes() {
            return Err(fail(16, "a segment of another profile"));
        }
        Ok(segment)
    }

    /// Says that a section is looked at again and again. Of what is read through a map that is read in no order, as the others
    /// are, Linux takes no notice when it looks for memory to take back.
    pub(crate) fn keep(&self, section: usize) {
        #[cfg(unix)]
        {
            let (start, len) = self.sections[section];
            // Advice that is not taken changes nothing but the time.
            let _ = self.map.advise_range(memmap2::Advice::Normal, start as usize, len as usize);
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The format that it was written in.
    pub(crate) fn format(&self) -> u32 {
        self.format
    }

    /// Bytes of a section.
    pub(crate) fn section_len(&self, section: usize) -> usize {
        self.sections[section].1 as usize
    }

    /// Bytes of a section that were looked at, from a byte of it on.
    ///
    /// # Errors
    /// [`Error::IndexDamaged`] when they are not as they were written, or beyond the section.
    #[inline]
    pub(crate) fn bytes(&self, section: usize, start: usize, len: usize) -> Result<&[u8]> {
        let (at, section_len) = self.sections[section];
        match start.checked_add(len) {
            Some(end) if end <= section_len as usize => self.range(at as usize + start, len),
            _ => Err(self.damaged(at as usize, "something reaches beyond its section")),
        }
    }

    /// All of a section without a look at its blocks: for those that were looked at one by one.
    #[inline]
    pub(crate) fn unchecked(&self, section: usize) -> &[u8] {
        let (start, len) = self.sections[section];
        &self.map[start as usize..(start + len) as usize]
    }

    /// Says that bytes of a section are about to be read in order, so that the disk is asked for all at once.
    pub(crate) fn will_read(&self, section: usize, start: usize, len: usize) {
        let at = (self.sections[section].0 as usize).saturating_add(start);
        #[cfg(unix)]
        if at < self.map.len() {
            // Advice that is not taken changes nothing but the time.
            let _ = self.map.advise_range(memmap2::Advice::WillNeed, at, len.min(self.map.len() - at));
        }
    }

    /// Takes every block for sound: for a segment that this process has written.
    pub(crate) fn trust(&self) {
        self.sound.iter().for_each(|blocks| blocks.store(u64::MAX, Ordering::Relaxed));
    }

    /// Looks at every block; the damaged ones.
    pub(crate) fn check_all(&self) -> Vec<Error> {
        (0..self.checks.len()).filter_map(|block| self.check_block(block).err()).collect()
    }

    #[inline]
    fn range(&self, start: usize, len: usize) -> Result<&[u8]> {
        if start + len > self.end {
            return Err(self.damaged(start, "reaches beyond the file"));
        }
        if len > 0 {
            for block in start / BLOCK_LEN..=(start + len - 1) / BLOCK_LEN {
                if self.sound[block / 64].load(Ordering::Relaxed) >> (block % 64) & 1 == 0 {
                    self.check_block(block)?;
                }
            }
        }
        Ok(&self.map[start..start + len])
    }

    #[cold]
    fn check_block(&self, block: usize) -> Result<()> {
        let start = block * BLOCK_LEN;
        let bytes = &self.map[start..self.end.min(start + BLOCK_LEN)];
        if hash64(bytes, CHECK_SEED) != self.checks[block] {
            return Err(self.damaged(start, "the block is not as it was written"));
        }
        self.sound[block / 64].fetch_or(1 << (block % 64), Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn damaged(&self, offset: usize, what: &str) -> Error {
        Error::IndexDamaged { file: self.path.clone(), offset: offset as u64, what: what.to_string() }
    }
}

/// Puts the checksums of a segment right, so that readers get to see what is wrong beside them.
#[cfg(any(test, fuzzing))]
pub(crate) fn mend_checks(bytes: &mut [u8]) {
    let Some(trailer) = bytes.len().checked_sub(TRAILER_LEN) else { return };
    let word = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let start = word(bytes, trailer) as usize;
    if start > trailer {
        return;
    }
    let checks: Vec<u64> = bytes[..start].chunks(BLOCK_LEN).map(|block| hash64(block, CHECK_SEED)).collect();
    let Some(first) = trailer.checked_sub(8 * checks.len()).filter(|first| *first >= start) else { return };
    for (place, check) in bytes[first..trailer].chunks_exact_mut(8).zip(checks) {
        place.copy_from_slice(&check.to_le_bytes());
    }
    let check = hash64(&bytes[start..trailer], CHECK_SEED ^ start as u64);
    bytes[trailer + 16..trailer + 24].copy_from_slice(&check.to_le_bytes());
    bytes[trailer + 24..].copy_from_slice(END);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKETCH: &str = "0123456789abcdef";

    fn write(folder: &Path) -> PathBuf {
        let path = folder.join("x.seg");
        let mut writer = SegmentWriter::create(&Disk::default(), &path, Kind::Keys, SKETCH, 7).unwrap();
        writer.begin_section().unwrap();
        writer.write(&[1; 100]).unwrap();
        writer.write(&[2; 40_000]).unwrap();
        writer.begin_section().unwrap();
        writer.begin_section().unwrap();
        writer.write(b"last").unwrap();
        writer.finish().unwrap();
        path
    }

    #[test]
    fn sections_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let segment = Segment::open(&write(folder.path()), Kind::Keys, SKETCH, 3).unwrap();
        assert_eq!([0, 1, 2].map(|section| segment.section_len(section)), [40_100, 0, 4]);
        assert_eq!(segment.bytes(0, 99, 3).unwrap(), [1, 2, 2]);
        assert_eq!(segment.bytes(2, 0, 4).unwrap(), b"last");
        assert!(segment.bytes(1, 0, 0).unwrap().is_empty());
        assert!(segment.bytes(2, 1, 4).is_err() && segment.bytes(2, usize::MAX, 4).is_err());
        assert!(segment.check_all().is_empty());
    }

    #[test]
    fn damage_is_named_and_the_rest_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path());
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(97).chain(whole.len() - 200..whole.len()) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            let found = match Segment::open(&path, Kind::Keys, SKETCH, 3) {
                Ok(segment) => {
                    let damaged = segment.check_all();
                    let other = if at / BLOCK_LEN == 0 { 20_000 } else { 0 };
                    assert_eq!(segment.bytes(0, other, 10).is_ok(), other / BLOCK_LEN != at / BLOCK_LEN);
                    damaged.len()
                }
                Err(_) => 1,
            };
            assert_eq!(found, 1, "byte {at}");
        }
        for len in (0..whole.len()).step_by(89) {
            std::fs::write(&path, &whole[..len]).unwrap();
            assert!(Segment::open(&path, Kind::Keys, SKETCH, 3).is_err(), "cut to {len}");
        }
    }

    #[test]
    fn other_kinds_formats_and_sketches_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path());
        let open = |kind, sketch| Segment::open(&path, kind, sketch, 3).unwrap_err().to_string();
        assert!(open(Kind::State, SKETCH).ends_with("a segment of another kind"));
        assert!(open(Kind::Keys, "0000456789abcdef").ends_with("a segment of another profile"));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4] = 1;
        mend_checks(&mut bytes);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Segment::open(&path, Kind::Keys, SKETCH, 3).unwrap().format(), 1);
        bytes[4] = 3;
        std::fs::write(&path, &bytes).unwrap();
        assert!(open(Kind::Keys, SKETCH).ends_with("format 3; this version reads up to 2"));
    }

    fn open(path: &Path, num_sections: usize) -> Result<Segment> {
        Segment::open(path, Kind::Keys, SKETCH, num_sections)
    }

    #[test]
    fn sections_begin_at_the_next_multiple_of_64() {
        let folder = tempfile::tempdir().unwrap();
        let segment = open(&write(folder.path()), 3).unwrap();
        assert_eq!(segment.sections, [(64, 40_100), (40_192, 0), (40_192, 4)]);
    }

    #[test]
    fn a_section_may_end_where_the_tables_begin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.seg");
        let mut writer = SegmentWriter::create(&Disk::default(), &path, Kind::Keys, SKETCH, 7).unwrap();
        writer.begin_section().unwrap();
        writer.write(&[5; 64]).unwrap();
        assert_eq!(writer.finish().unwrap(), std::fs::metadata(&path).unwrap().len());
        assert_eq!(open(&path, 1).unwrap().bytes(0, 0, 64).unwrap(), [5; 64]);
        // One byte more, and it reaches into them.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[128 + 8..128 + 16].copy_from_slice(&65u64.to_le_bytes());
        mend_checks(&mut bytes);
        std::fs::write(&path, &bytes).unwrap();
        assert!(open(&path, 1).unwrap_err().to_string().ends_with("a section reaches beyond the file"));
    }

    #[test]
    fn damage_in_the_next_block_harms_none_that_ends_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[BLOCK_LEN] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let segment = open(&path, 3).unwrap();
        // The first section begins behind the header.
        let last_ten = BLOCK_LEN - HEADER_LEN - 10;
        assert!(segment.bytes(0, last_ten, 10).is_ok() && segment.bytes(0, last_ten, 11).is_err());
    }
}
