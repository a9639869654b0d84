//! Files and stdin as byte streams; compression is known by its first bytes.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Opens a file, or stdin for `-`, and unpacks gzip (all members) and zstd.
///
/// # Errors
/// When the file cannot be opened or its first bytes cannot be read.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    if path.as_os_str() != "-" {
        return open_file(path);
    }
    unpack(Box::new(std::io::stdin())).map_err(|e| Error::io(path, "read", e))
}

fn open_file(path: &Path) -> Result<Box<dyn BufRead>> {
    let file = File::open(path).map_err(|e| Error::io(path, "open", e))?;
    unpack(Box::new(file)).map_err(|e| Error::io(path, "read", e))
}

/// Opens like [`open`], counting the bytes of the file as they are taken, before they are unpacked.
pub(super) fn open_counted(path: &Path, count: Arc<BytesRead>) -> Result<Box<dyn BufRead>> {
    let raw: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|e| Error::io(path, "open", e))?)
    };
    unpack(Box::new(Counted { raw, count })).map_err(|e| Error::io(path, "read", e))
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

/// Reads a file whole, unpacked if it is gzip or zstd: at most `limit` bytes.
///
/// # Errors
/// When the file cannot be opened or read, or holds more.
pub fn read_file(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let fail = |e| Error::io(path, "read", e);
    let mut bytes = Vec::new();
    open_file(path)?.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() > limit {
        let reason = format!("larger than {limit} bytes");
        return Err(fail(std::io::Error::new(std::io::ErrorKind::FileTooLarge, reason)));
    }
    Ok(bytes)
}

/// Looks at the first bytes of a stream and unpacks it if it is compressed.
fn unpack(raw: Box<dyn Read>) -> std::io::Result<Box<dyn BufRead>> {
    let mut head = Vec::with_capacity(4);
    let mut raw = raw;
    (&mut raw).take(4).read_to_end(&mut head)?;
    let is_gzip = head.starts_with(GZIP);
    let is_zstd = head.starts_with(ZSTD);
    let whole = BufReader::with_capacity(1 << 18, std::io::Cursor::new(head).chain(raw));
    Ok(if is_gzip {
        Box::new(BufReader::with_capacity(1 << 18, flate2::bufread::MultiGzDecoder::new(whole)))
    } else if is_zstd {
        Box::new(BufReader::with_capacity(1 << 18, zstd::stream::read::Decoder::with_buffer(whole)?))
    } else {
        Box::new(whole)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> std::io::Result<String> {
        let mut out = String::new();
        unpack(Box::new(std::io::Cursor::new(bytes)))?.read_to_string(&mut out)?;
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
    fn a_cut_stream_is_an_error() {
        let whole = gzip(&"text ".repeat(1000));
        assert!(read(whole[..whole.len() / 2].to_vec()).is_err());
    }
}
