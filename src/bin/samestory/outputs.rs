//! Which files a command writes: none twice, and none over what it reads.

use crate::message::Usage;
use samestory::hash::HashMap;
use samestory::output::{Output, is_stdout};
use std::path::{Path, PathBuf};

/// The files a command writes, each with the option that names it.
pub(crate) struct Outputs<'a> {
    files: Vec<(&'static str, &'a Path)>,
}

impl<'a> Outputs<'a> {
    /// Outputs by option; an option that is not given is none.
    ///
    /// # Errors
    /// When two are one file.
    pub(crate) fn new(options: &[(&'static str, Option<&'a Path>)]) -> Result<Self, Usage> {
        let mut files: Vec<(&'static str, &Path)> = Vec::new();
        let mut known: HashMap<PathBuf, &str> = HashMap::default();
        for (option, path) in options.iter().filter_map(|(option, path)| Some((*option, (*path)?))) {
            files.push((option, path));
            // What is written to the null device is lost anyhow.
            if path == Path::new("/dev/null") {
                continue;
            }
            if let Some(other) = known.insert(place(path), option) {
                let reason = "would write it; each output needs a name of its own";
                return Err(Usage(format!("{}: both {other} and {option} {reason}", path.display())));
            }
        }
        Ok(Self { files })
    }

    /// Refuses an output that cannot be written, before anything is read.
    ///
    /// # Errors
    /// When a regular file cannot be created in its folder, or a folder stands in its place.
    pub(crate) fn refuse_unwritable(&self) -> samestory::Result<()> {
        // Opening a pipe or device would be seen at its other end.
        let is_stream =
            |path: &Path| is_stdout(path) || path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
        for (_, path) in self.files.iter().filter(|(_, path)| !is_stream(path)) {
            Output::create(path)?;
        }
        Ok(())
    }

    /// Refuses an output that is also read, but for that of the option `replaces`: one that may stand in place of what
    /// was read.
    pub(crate) fn refuse_inputs<'b>(
        &self,
        replaces: Option<&str>,
        inputs: impl IntoIterator<Item = &'b Path>,
    ) -> Result<(), Usage> {
        let written: HashMap<PathBuf, &str> = self
            .files
            .iter()
            .filter(|(option, path)| Some(*option) != replaces && path.is_file() && !is_stdout(path))
            .map(|(option, path)| (place(path), *option))
            .collect();
        if written.is_empty() {
            return Ok(());
        }
        for input in inputs.into_iter().filter(|input| input.as_os_str() != "-") {
            if let Some(option) = written.get(&place(input)) {
                let reason = "is read, and would be replaced by";
                return Err(Usage(format!("{}: {reason} {option}; choose another name", input.display())));
            }
        }
        Ok(())
    }
}

/// One path for one file, however it is named; a file that is not there yet by the folder it would stand in.
fn place(path: &Path) -> PathBuf {
    if is_stdout(path) {
        return PathBuf::from("-");
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    path.canonicalize()
        .or_else(|_| Ok(folder.canonicalize()?.join(path.file_name().unwrap_or_default())))
        .unwrap_or_else(|_: std::io::Error| path.to_path_buf())
}
