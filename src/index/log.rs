//! The write-ahead log: frames that are appended and made to last before a change counts.

use super::INDEX_FORMAT;
use super::disk::{Disk, DiskFile};
use crate::error::{Error, Result};
use crate::hash::hash64;
use std::path::Path;

const MAGIC: &[u8; 4] = b"SSIL";
const HEADER_LEN: usize = 64;
/// Bytes before a frame's payload: its length, its number, a checksum of these two, one of the payload.
const FRAME_LEN: usize = 32;
const CHECK_SEED: u64 = 0x6c6f_6700;

/// A change: its number, counted from the first of the index, and its bytes.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) seq: u64,
    pub(crate) payload: Vec<u8>,
}

/// A log that is appended to.
#[derive(Debug)]
pub(crate) struct Log {
    file: DiskFile,
}

impl Log {
    /// Begins a log.
    pub(crate) fn create(disk: &Disk, path: &Path, sketch_id: &str) -> Result<Self> {
        let mut file = disk.create(path)?;
        let mut header = [0; HEADER_LEN];
        header[..4].copy_from_slice(MAGIC);
        header[4..8].copy_from_slice(&INDEX_FORMAT.to_le_bytes());
        header[16..32].copy_from_slice(sketch_id.as_bytes());
        let check = hash64(&header[..HEADER_LEN - 8], CHECK_SEED);
        header[HEADER_LEN - 8..].copy_from_slice(&check.to_le_bytes());
        file.write(&header)?;
        file.sync()?;
        Ok(Self { file })
    }

    /// Opens a log behind its last whole frame.
    pub(crate) fn append_to(disk: &Disk, path: &Path, len: u64) -> Result<Self> {
        Ok(Self { file: disk.append_to(path, len)? })
    }

    /// Appends a frame and makes it last.
    pub(crate) fn append(&mut self, seq: u64, payload: &[u8]) -> Result<()> {
        let mut bytes = Vec::with_capacity(FRAME_LEN + payload.len());
        bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&seq.to_le_bytes());
        bytes.extend_from_slice(&hash64(&bytes, CHECK_SEED).to_le_bytes());
        bytes.extend_from_slice(&hash64(payload, CHECK_SEED ^ seq).to_le_bytes());
        bytes.extend_from_slice(payload);
        self.file.write(&bytes)?;
        self.file.sync()
    }

    /// Makes what opening has found in it last.
    pub(crate) fn sync(&mut self) -> Result<()> {
        self.file.sync()
    }

    /// Bytes of the log.
    pub(crate) fn len(&self) -> u64 {
        self.file.len()
    }
}

/// Reads a log: its frames, and where the last whole one ends. What a write that was cut off left behind it is passed over:
/// it never counted. Where power fails a file may have its new length and not its bytes, so that a frame that is not as it
/// was written is one of these when none that is whole follows it; that it did count is told by the log of stories.
///
/// # Errors
/// [`Error::IndexDamaged`] when a frame is not as it was written, [`Error::IndexFormat`] for a format that is not known.
pub(crate) fn read_log(path: &Path, sketch_id: &str) -> Result<(Vec<Frame>, u64)> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, "read", e))?;
    let damaged = |offset: usize, what: &str| Error::IndexDamaged {
        file: path.to_path_buf(),
        offset: offset as u64,
        what: what.to_string(),
    };
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    if bytes.len() < HEADER_LEN || &bytes[..4] != MAGIC {
        return Err(damaged(0, "no log of an index"));
    }
    let found = word(4) as u32;
    if !(1..=INDEX_FORMAT).contains(&found) {
        return Err(Error::IndexFormat { file: path.to_path_buf(), found, newest: INDEX_FORMAT });
    }
    if hash64(&bytes[..HEADER_LEN - 8], CHECK_SEED) != word(HEADER_LEN - 8) {
        return Err(damaged(0, "the header is not as it was written"));
    }
    if &bytes[16..32] != sketch_id.as_bytes() {
        return Err(damaged(16, "a log of another profile"));
    }
    let mut frames = Vec::new();
    let mut at = HEADER_LEN;
    loop {
        match frame_at(&bytes[at..]) {
            Read::Whole { seq, payload } => {
                frames.push(Frame { seq, payload: payload.to_vec() });
                at += FRAME_LEN + payload.len();
            }
            Read::Short => return Ok((frames, at as u64)),
            Read::Bad(what) => {
                let is_followed = (at + 1..bytes.len()).any(|at| matches!(frame_at(&bytes[at..]), Read::Whole { .. }));
                return if is_followed { Err(damaged(at, what)) } else { Ok((frames, at as u64)) };
            }
        }
    }
}

/// What bytes begin with.
enum Read<'a> {
    Whole {
        seq: u64,
        payload: &'a [u8],
    },
    /// A frame that ends early, or none.
    Short,
    Bad(&'static str),
}

fn frame_at(bytes: &[u8]) -> Read<'_> {
    let Some((head, rest)) = bytes.split_at_checked(FRAME_LEN) else { return Read::Short };
    let word = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
    let (len, seq) = (word(0), word(8));
    if hash64(&head[..16], CHECK_SEED) != word(16) {
        return Read::Bad("the head of a frame is not as it was written");
    }
    let Some(payload) = usize::try_from(len).ok().and_then(|len| rest.get(..len)) else { return Read::Short };
    match hash64(payload, CHECK_SEED ^ seq) == word(24) {
        true => Read::Whole { seq, payload },
        false => Read::Bad("a frame is not as it was written"),
    }
}

/// Puts the checksums of a log right, so that readers get to see what is wrong beside them.
#[cfg(any(test, fuzzing))]
pub(crate) fn mend_checks(bytes: &mut [u8]) {
    if bytes.len() < HEADER_LEN {
        return;
    }
    let check = hash64(&bytes[..HEADER_LEN - 8], CHECK_SEED);
    bytes[HEADER_LEN - 8..HEADER_LEN].copy_from_slice(&check.to_le_bytes());
    let mut rest = &mut bytes[HEADER_LEN..];
    while let Some((head, behind)) = rest.split_at_mut_checked(FRAME_LEN) {
        let word = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        let (len, seq) = (word(0) as usize, word(8));
        let check = hash64(&head[..16], CHECK_SEED);
        head[16..24].copy_from_slice(&check.to_le_bytes());
        let Some((payload, next)) = behind.split_at_mut_checked(len) else { return };
        head[24..].copy_from_slice(&hash64(payload, CHECK_SEED ^ seq).to_le_bytes());
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Faults;

    const SKETCH: &str = "0123456789abcdef";

    #[test]
    fn whole_frames_are_read_and_others_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::create(&Disk::default(), &path, SKETCH).unwrap();
        let ends: Vec<u64> = (1..4)
            .map(|seq| {
                log.append(seq, &vec![seq as u8; 50 * seq as usize]).unwrap();
                log.len()
            })
            .collect();
        let whole = std::fs::read(&path).unwrap();
        let (frames, len) = read_log(&path, SKETCH).unwrap();
        assert_eq!((frames.len(), len), (3, whole.len() as u64));
        assert_eq!((frames[1].seq, &frames[1].payload[..]), (2, &[2; 100][..]));
        // Cut anywhere, the frames before are read.
        for cut in HEADER_LEN..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (frames, len) = read_log(&path, SKETCH).unwrap();
            let num_whole = ends.iter().filter(|end| **end <= cut as u64).count();
            assert_eq!(frames.len(), num_whole, "cut to {cut}");
            assert_eq!(len, if num_whole == 0 { 64 } else { ends[num_whole - 1] });
        }
        // Flipped anywhere, it is noticed: in the last frame as one that was not written to its end.
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            std::fs::write(&path, &bytes).unwrap();
            match read_log(&path, SKETCH) {
                Ok((frames, len)) => {
                    assert_eq!((frames.len(), len), (2, ends[1]), "byte {at}");
                    assert!(at as u64 >= ends[1], "byte {at}");
                }
                Err(_) => assert!((at as u64) < ends[1], "byte {at}"),
            }
        }
        // A length that outlasts its bytes.
        for kept in ends[1] as usize..whole.len() {
            let mut bytes = whole.clone();
            bytes[kept..].fill(0);
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(read_log(&path, SKETCH).unwrap().1, ends[1], "from byte {kept}");
        }
        // Appending goes on behind the last whole frame.
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let mut log = Log::append_to(&Disk::default(), &path, ends[1]).unwrap();
        log.append(3, b"other").unwrap();
        assert_eq!(read_log(&path, SKETCH).unwrap().0[2].payload, b"other");
    }

    #[test]
    fn frames_of_any_number_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::create(&Disk::default(), &path, SKETCH).unwrap();
        let numbers = [1, 0x100, CHECK_SEED, u64::MAX];
        for seq in numbers {
            log.append(seq, b"a change").unwrap();
        }
        let (frames, _) = read_log(&path, SKETCH).unwrap();
        assert_eq!(frames.iter().map(|frame| frame.seq).collect::<Vec<u64>>(), numbers);
        // The checksum of a payload is under the number of its frame.
        let bytes = std::fs::read(&path).unwrap();
        let check = hash64(b"a change", 0x6c6f_6700 ^ 0x100).to_le_bytes();
        assert_eq!(bytes[HEADER_LEN + FRAME_LEN + 8..][24..32], check);
    }

    #[test]
    fn what_is_shorter_than_a_header_is_no_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        drop(Log::create(&Disk::default(), &path, SKETCH).unwrap());
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(whole.len(), HEADER_LEN);
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(read_log(&path, SKETCH).unwrap_err().to_string().ends_with("no log of an index"), "{cut}");
        }
    }

    #[test]
    fn what_opening_has_found_is_made_to_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        drop(Log::create(&Disk::default(), &path, SKETCH).unwrap());
        let faults = std::sync::Arc::new(Faults::after(1));
        let mut log = Log::append_to(&Disk::with_faults(&faults), &path, HEADER_LEN as u64).unwrap();
        assert!(log.sync().is_err() && faults.has_stopped());
    }
}
