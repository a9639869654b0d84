//! Writers: results to files that appear whole or not at all.

#[cfg(feature = "arrow")]
mod batch;
mod line;
#[cfg(feature = "parquet")]
mod parquet;
mod sketches;
#[cfg(feature = "cli")]
mod sqlite;
mod table;

#[cfg(feature = "arrow")]
pub use batch::{cluster_batches, pair_batches};
pub use line::article_line;
#[cfg(feature = "parquet")]
pub use parquet::{RowOf, write_rows};
pub use sketches::{SketchRow, SketchWriter};
#[cfg(feature = "cli")]
pub use sqlite::write_sqlite;
pub use table::{MAX_DIFFERING, write_clusters, write_pairs};

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A number with its thousands set apart, for people.
///
/// ```
/// assert_eq!(samestory::output::with_thousands(1_234_567), "1,234,567");
/// ```
#[must_use]
pub fn with_thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A table format, known by the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// Apache Parquet, in builds with the feature `parquet`.
    #[cfg(feature = "parquet")]
    Parquet,
    /// A database of SQLite, of the clusters with all that belongs to them; in builds with the feature `cli`.
    #[cfg(feature = "cli")]
    Sqlite,
}

/// The format that a file's name asks for, looking through `.gz` and `.zst`; `None` for a name this build does not know.
#[must_use]
pub fn format_of(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let unpacked = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst"));
    match unpacked.unwrap_or(&name).rsplit_once('.').map(|(_, extension)| extension) {
        Some("jsonl" | "ndjson" | "json") => Some(Format::Jsonl),
        Some("csv") => Some(Format::Csv),
        // These are packed within.
        #[cfg(feature = "parquet")]
        Some("parquet") if unpacked.is_none() => Some(Format::Parquet),
        #[cfg(feature = "cli")]
        Some("sqlite" | "sqlite3" | "db") if unpacked.is_none() => Some(Format::Sqlite),
        _ if is_stdout(path) || path.starts_with("/dev") => Some(Format::Jsonl),
        _ => None,
    }
}

/// Whether an output's name means stdout: `-` or `/dev/stdout`.
#[must_use]
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-" || path.as_os_str() == "/dev/stdout"
}

/// A file being written. A regular file appears under its name by [`Output::finish`], whole, and not at all when that
/// is not reached; stdout, devices and pipes are written directly.
pub struct Output {
    path: PathBuf,
    target: Target,
}

enum Target {
    Direct(Encoder<BufWriter<Box<dyn Write + Send>>>),
    Staged(Encoder<BufWriter<NamedTempFile>>),
}

/// A writer with the compression that the file's name asks for.
enum Encoder<W: Write> {
    Plain(W),
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Output {
    /// Begins a file; `-` and `/dev/stdout` are stdout.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path) -> Result<Self> {
        let fail = |e| Error::io(path, "create", e);
        // Where stderr is a file, the name in /dev must not be replaced by another.
        let is_special =
            path.as_os_str() == "/dev/stderr" || std::fs::metadata(path).is_ok_and(|found| !found.is_file());
        let target = if is_stdout(path) {
            let writer: Box<dyn Write + Send> = Box::new(std::io::stdout());
            Target::Direct(Encoder::new(path, BufWriter::with_capacity(1 << 16, writer)).map_err(fail)?)
        } else if is_special {
            let writer: Box<dyn Write + Send> = Box::new(File::options().append(true).open(path).map_err(fail)?);
            Target::Direct(Encoder::new(path, BufWriter::with_capacity(1 << 16, writer)).map_err(fail)?)
        } else {
            let path = &behind_links(path);
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let file = tempfile::Builder::new().prefix(".samestory-").tempfile_in(folder);
            let file = file.map_err(|error| fail(without_name(&error, folder)))?;
            Target::Staged(Encoder::new(path, BufWriter::with_capacity(1 << 16, file)).map_err(fail)?)
        };
        Ok(Self { path: path.to_path_buf(), target })
    }

    /// The file's name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// When the disk is full, the pipe is closed, and the like.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.target {
            Target::Direct(encoder) => encoder.write_all(bytes),
            Target::Staged(encoder) => encoder.write_all(bytes),
        }
        .map_err(|e| Error::io(&self.path, "write", e))
    }

    /// Writes what is buffered, and closes the stream if it is not a regular file. [`Finished::publish`] gives a regular
    /// file its name.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn finish(self) -> Result<Finished> {
        let fail = |e| Error::io(&self.path, "write", e);
        let staged = match self.target {
            Target::Direct(encoder) => {
                encoder.finish().and_then(|mut writer| writer.flush()).map_err(fail)?;
                None
            }
            Target::Staged(encoder) => {
                let writer = encoder.finish().map_err(fail)?;
                Some(writer.into_inner().map_err(|e| fail(e.into_error()))?)
            }
        };
        Ok(Finished { path: self.path, staged })
    }
}

/// A file that is complete but may not have its name yet.
#[derive(Debug)]
pub struct Finished {
    path: PathBuf,
    staged: Option<NamedTempFile>,
}

impl Finished {
    /// Gives the file its name and its rights, replacing one that stands there.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn publish(self) -> Result<()> {
        let Some(file) = self.staged else { return Ok(()) };
        let path = behind_links(&self.path);
        share_as_created(&file, &path).map_err(|e| Error::io(&self.path, "set the rights of", e))?;
        file.persist(&path).map(|_| ()).map_err(|e| Error::io(self.path, "rename", e.error))
    }
}

/// What a link names is written, not the link.
fn behind_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Why a temporary file could not be made, without its name, which nobody has asked for.
fn without_name(error: &std::io::Error, folder: &Path) -> std::io::Error {
    let reason = error.to_string();
    let reason = match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no folder {}", folder.display()),
        _ => reason.split(" at path ").next().unwrap_or(&reason).to_string(),
    };
    std::io::Error::new(error.kind(), reason)
}

/// A temporary file is private; the finished file gets the rights of the one it replaces, or of any new file.
#[cfg(unix)]
fn share_as_created(file: &NamedTempFile, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match std::fs::metadata(path) {
        Ok(old) => old.permissions().mode(),
        Err(_) => {
            let probe = tempfile::Builder::new()
                .permissions(std::fs::Permissions::from_mode(0o666))
                .prefix(".samestory-")
                .tempfile_in(file.path().parent().unwrap_or(Path::new(".")))?;
            probe.as_file().metadata()?.permissions().mode()
        }
    };
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode & 0o777))
}

#[cfg(not(unix))]
fn share_as_created(_: &NamedTempFile, _: &Path) -> std::io::Result<()> {
    Ok(())
}

impl<W: Write> Encoder<W> {
    fn new(path: &Path, writer: W) -> std::io::Result<Self> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        Ok(match extension {
            "gz" => Self::Gzip(flate2::write::GzEncoder::new(writer, flate2::Compression::default())),
            "zst" => Self::Zstd(zstd::stream::write::Encoder::new(writer, 0)?),
            _ => Self::Plain(writer),
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(writer) => writer.write_all(bytes),
            Self::Gzip(writer) => writer.write_all(bytes),
            Self::Zstd(writer) => writer.write_all(bytes),
        }
    }

    fn finish(self) -> std::io::Result<W> {
        match self {
            Self::Plain(writer) => Ok(writer),
            Self::Gzip(writer) => writer.finish(),
            Self::Zstd(writer) => writer.finish(),
        }
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let mut output = Output::create(&path).unwrap();
        output.write(b"half").unwrap();
        drop(output);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut output = Output::create(&path).unwrap();
        output.write(b"whole").unwrap();
        let finished = output.finish().unwrap();
        assert!(!path.exists());
        finished.publish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_stream_in_dev_is_written_not_replaced() {
        // Also where the stream is a regular file.
        for name in ["-", "/dev/stdout", "/dev/stderr", "/dev/null"] {
            let output = Output::create(Path::new(name)).unwrap();
            assert!(matches!(output.target, Target::Direct(_)), "{name}");
        }
    }

    #[test]
    fn names_choose_the_compression() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.jsonl.gz", "a.jsonl.zst", "a.jsonl"] {
            let path = folder.path().join(name);
            let mut output = Output::create(&path).unwrap();
            output.write(b"line\n").unwrap();
            output.finish().unwrap().publish().unwrap();
            let mut text = String::new();
            std::io::Read::read_to_string(&mut crate::input::open(&path).unwrap(), &mut text).unwrap();
            assert_eq!(text, "line\n");
        }
        assert_eq!(format_of(Path::new("x.csv.gz")), Some(Format::Csv));
        assert_eq!(format_of(Path::new("x.xlsx")), None);
        assert_eq!(format_of(Path::new("x.sqlite")), Some(Format::Sqlite));
        assert_eq!(format_of(Path::new("x.sqlite.gz")), None);
        assert_eq!(format_of(Path::new("/dev/shm/x.csv")), Some(Format::Csv));
        assert_eq!(["-", "/dev/stdout", "/dev/null"].map(|name| format_of(Path::new(name))), [Some(Format::Jsonl); 3]);
    }
}
