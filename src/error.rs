//! The library's error type: each variant carries what the reader needs to act.

use std::path::PathBuf;

/// What the library's fallible functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{path}: cannot {action}: {source}", path = path.display())]
    Io {
        /// The file, or `-` for a standard stream.
        path: PathBuf,
        /// What was tried, as a verb: `open`, `read`, `write`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line or record of an input is not what it should be.
    #[error("{place}: {reason}")]
    BadRecord {
        /// Where it stands, as `FILE:LINE`.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A profile's text is not TOML of the expected shape.
    #[error("profile {name}: {source}")]
    ProfileSyntax {
        /// The file or built-in name.
        name: String,
        /// What the TOML reader said, with its line.
        source: Box<toml::de::Error>,
    },
    /// A profile's field is outside its range.
    #[error("profile {name}: {field} is {got}, expected {expected}")]
    ProfileField {
        /// The file or built-in name.
        name: String,
        /// The field's path in the file.
        field: String,
        /// What stands there.
        got: String,
        /// What may stand there.
        expected: String,
    },
    /// A document-frequency table is cut, damaged, or of another version.
    #[error("weights table {name}: {reason}")]
    Weights {
        /// The file or built-in name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two articles share an id and differ in text.
    #[error(
        "id '{id}' stands for two texts: {first} and {second}; versions of one article need --versions newest, \
         other articles ids of their own"
    )]
    RepeatedId {
        /// The id.
        id: String,
        /// Where the first stands.
        first: String,
        /// Where the other stands.
        second: String,
    },
    /// The worker threads could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the pool said.
        reason: String,
    },
    /// The run was ended from outside ([`crate::engine::Progress::cancel`]).
    #[error("the run was canceled")]
    Canceled,
    /// Articles were sketched under another profile.
    #[error("the articles were sketched under {found}, asked for is {asked}: run them anew under this profile")]
    OtherSketch {
        /// The sketch id they have.
        found: String,
        /// The sketch id that was asked for.
        asked: String,
    },
    /// What was put away in a temporary file did not come back as it was.
    #[error("a temporary file was damaged: other {what} came back than were written; is the disk sound?")]
    Temporary {
        /// What was read.
        what: &'static str,
    },
    /// A folder holds no index.
    #[error("{folder}: no index here; samestory index add makes one", folder = folder.display())]
    NoIndex {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder that should become an index holds something else.
    #[error("{folder}: holds {found} and no index; an index wants a folder of its own", folder = folder.display())]
    ForeignFolder {
        /// The folder.
        folder: PathBuf,
        /// A file found there.
        found: String,
    },
    /// Another process writes the index.
    #[error("{folder}: another process writes this index; one can at a time", folder = folder.display())]
    IndexInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// An index was made under another profile or with other options.
    #[error("{folder}: the index was made with {field} {index}, asked for is {asked}", folder = folder.display())]
    OtherIndex {
        /// The folder.
        folder: PathBuf,
        /// What differs: `sketch`, `verdict`, `level`, `near`, `records`.
        field: &'static str,
        /// What the index has.
        index: String,
        /// What was asked for.
        asked: String,
    },
    /// A file of an index has a format that this version does not know.
    #[error("{file}: format {found}; this version reads up to {newest}", file = file.display())]
    IndexFormat {
        /// The file.
        file: PathBuf,
        /// The format it states.
        found: u32,
        /// The newest that is known.
        newest: u32,
    },
    /// A file of an index is not as it was written.
    #[error("{file}: damaged at byte {offset}: {what}", file = file.display())]
    IndexDamaged {
        /// The file.
        file: PathBuf,
        /// Where the damage was noticed.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// An index could not write what it was told before, and takes nothing more until it is opened anew.
    #[error("{folder}: an earlier change could not be written; open the index anew", folder = folder.display())]
    IndexHalted {
        /// The folder.
        folder: PathBuf,
    },
    /// What was offered to an index was overtaken by another change or offer.
    #[error("the index has changed since this was offered: offer it again")]
    StaleOffer,
    /// What a stage was given as a sketched article cannot be used.
    #[error("a sketched article is {reason}")]
    Packed {
        /// What is wrong with it.
        reason: String,
    },
    /// The labelled pairs cannot be used.
    #[error("{place}: {reason}")]
    Labels {
        /// Where, as `FILE` or `FILE:LINE`.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    /// An [`Error::Io`] for `path`.
    pub fn io(path: impl Into<PathBuf>, action: &'static str, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), action, source }
    }

    /// Whether this is the closed end of a pipe, which a Unix program takes as success.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
    }
}
