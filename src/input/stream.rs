//! Files and stdin as byte streams; compression is known by its first bytes.

use super::gzip::Members;
use crate::error::{Error, Result};
use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const BZIP: &[u8] = b"BZh";
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
/// Bytes that are read and unpacked at once.
const CHUNK_LEN: usize = 1 << 18;
/// Bytes that any stream may unpack to, however small it is.
const FREE_LEN: u64 = 16 << 20;
/// How many times its size a stream may unpack to unless another number is given. News packs to a tenth, many copies of
/// it to a hundredth.
pub const MAX_RATIO: u64 = 500;

/// Opens a file, or stdin for `-`, and unpacks gzip (all members), zstd, bzip2 and xz.
///
/// # Errors
/// When the file cannot be opened or its first bytes cannot be read.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    open_within(path, MAX_RATIO)
}

/// Opens like [`open`]; the stream may unpack to `max_ratio` times its size.
///
/// # Errors
/// Those of [`open`].
pub fn open_within(path: &Path, max_ratio: u64) -> Result<Box<dyn BufRead>> {
    unpack(raw(path)?, max_ratio).map_err(|e| Error::io(path, "read", e))
}

fn raw(path: &Path) -> Result<Box<dyn Read>> {
    Ok(match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(File::open(path).map_err(|e| Error::io(path, "open", e))?),
    })
}

/// Opens like [`open`], counting the bytes of the file as they are taken, before they are unpacked.
pub(super) fn open_counted(path: &Path, count: Arc<BytesRead>, max_ratio: u64) -> Result<Box<dyn BufRead>> {
    let raw = raw(path)?;
    unpack(Box::new(Counted { raw, count }), max_ratio).map_err(|e| Error::io(path, "read", e))
}

/// Whether a file is not packed.
#[cfg(feature = "parquet")]
pub(super) fn is_plain(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(XZ.len() as u64).read_to_end(&mut head));
    read.is_ok() && ![GZIP, ZSTD, BZIP, XZ].iter().any(|mark| head.starts_with(mark))
}

/// How far the inputs of a run are read, for whoever watches it from another thread.
#[derive(Debug, Default)]
pub struct BytesRead {
    num_bytes: AtomicU64,
    is_at_end: AtomicBool,
}

impl BytesRead {
    /// Bytes of the files, packed ones as they are.
    #[must_use]
    pub fn num_bytes(&self) -> u64 {
        self.num_bytes.load(Ordering::Relaxed)
    }

    /// Whether all was read.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.is_at_end.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, num_bytes: u64) {
        self.num_bytes.fetch_add(num_bytes, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.is_at_end.store(true, Ordering::Relaxed);
    }
}

struct Counted {
    raw: Box<dyn Read>,
    count: Arc<BytesRead>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.raw.read(buffer)?;
        self.count.add(len as u64);
        Ok(len)
    }
}

/// Reads a file whole, unpacked if it is packed: at most `limit` bytes.
///
/// # Errors
/// When the file cannot be opened or read, or holds more.
pub fn read_file(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let fail = |e| Error::io(path, "read", e);
    let mut bytes = Vec::new();
    // A file of that name, also where the name is `-`.
    let file = File::open(path).map_err(|e| Error::io(path, "open", e))?;
    unpack(Box::new(file), MAX_RATIO).map_err(fail)?.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() > limit {
        let reason = format!("larger than {limit} bytes");
        return Err(fail(std::io::Error::new(std::io::ErrorKind::FileTooLarge, reason)));
    }
    Ok(bytes)
}

/// Looks at the first bytes of a stream and unpacks it if it is compressed.
pub(super) fn unpack(raw: Box<dyn Read>, max_ratio: u64) -> std::io::Result<Box<dyn BufRead>> {
    let mut head = Vec::with_capacity(XZ.len());
    let num_taken = Rc::new(Cell::new(0));
    let mut raw = Taken { raw, num_bytes: Rc::clone(&num_taken) };
    (&mut raw).take(XZ.len() as u64).read_to_end(&mut head)?;
    let starts_with = |mark: &[u8]| head.starts_with(mark);
    let (is_gzip, is_zstd, is_bzip, is_xz) =
        (starts_with(GZIP), starts_with(ZSTD), starts_with(BZIP) && head.get(4..) == Some(b"1A"), starts_with(XZ));
    let whole = BufReader::with_capacity(CHUNK_LEN, std::io::Cursor::new(head).chain(raw));
    let unpacked: Box<dyn Read> = if is_gzip {
        Box::new(Members::new(Box::new(whole)))
    } else if is_zstd {
        Box::new(zstd::stream::read::Decoder::with_buffer(whole)?)
    } else if is_bzip {
        Box::new(bzip2::bufread::MultiBzDecoder::new(whole))
    } else if is_xz {
        Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(whole))
    } else {
        return Ok(Box::new(whole));
    };
    let bounded = Bounded { unpacked, num_given: 0, num_taken, max_ratio };
    Ok(Box::new(BufReader::with_capacity(CHUNK_LEN, bounded)))
}

/// Counts the bytes of one stream as they are taken.
struct Taken {
    raw: Box<dyn Read>,
    num_bytes: Rc<Cell<u64>>,
}

impl Read for Taken {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.raw.read(buffer)?;
        self.num_bytes.set(self.num_bytes.get() + len as u64);
        Ok(len)
    }
}

/// An empty stream that fails once where there is an error: one that was met before anybody could be told.
pub(super) struct Broken(Option<std::io::Error>);

impl Broken {
    pub(super) fn after(error: Option<std::io::Error>) -> Self {
        Self(error)
    }
}

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl BufRead for Broken {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.0.take().map_or(Ok(&[]), Err)
    }

    fn consume(&mut self, _: usize) {}
}

/// Gives up on what unpacks to too many times its size: a bomb, not a feed.
struct Bounded {
    unpacked: Box<dyn Read>,
    num_given: u64,
    num_taken: Rc<Cell<u64>>,
    max_ratio: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let allowed = self.num_taken.get().saturating_mul(self.max_ratio).max(FREE_LEN);
        if self.num_given > allowed {
            let reason = format!("unpacks to more than {} times its size; --max-ratio allows more", self.max_ratio);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
        }
        let len = self.unpacked.read(buffer)?;
        self.num_given += len as u64;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> std::io::Result<String> {
        let mut out = String::new();
        unpack(Box::new(std::io::Cursor::new(bytes)), 100)?.read_to_string(&mut out)?;
        Ok(out)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn all_members_are_read() {
        let two = [gzip("one\n"), gzip("two\n")].concat();
        assert_eq!(read(two).unwrap(), "one\ntwo\n");
        let frames =
            [zstd::encode_all(&b"one\n"[..], 1).unwrap(), zstd::encode_all(&b"two\n"[..], 1).unwrap()].concat();
        assert_eq!(read(frames).unwrap(), "one\ntwo\n");
        let bzip = |text: &str| {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(read([bzip("one\n"), bzip("two\n")].concat()).unwrap(), "one\ntwo\n");
        let xz = |text: &str| liblzma::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(read([xz("one\n"), xz("two\n")].concat()).unwrap(), "one\ntwo\n");
        assert_eq!(read(b"x".to_vec()).unwrap(), "x");
        assert_eq!(read(Vec::new()).unwrap(), "");
    }

    #[test]
    fn a_file_is_read_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("packed");
        std::fs::write(&path, gzip("four")).unwrap();
        assert_eq!(read_file(&path, 4).unwrap(), b"four");
        assert!(read_file(&path, 3).unwrap_err().to_string().ends_with("cannot read: larger than 3 bytes"));
        assert!(read_file(Path::new("-"), 3).is_err(), "a file of that name, not stdin");
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let bomb = gzip(&"0".repeat(FREE_LEN as usize + (1 << 20)));
        let error = read(bomb).unwrap_err().to_string();
        assert_eq!(error, "unpacks to more than 100 times its size; --max-ratio allows more");
    }

    #[test]
    fn a_cut_stream_is_an_error() {
        let whole = gzip(&"text ".repeat(1000));
        assert!(read(whole[..whole.len() / 2].to_vec()).is_err());
    }
}
