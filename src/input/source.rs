//! Which files inputs name: files, folders, patterns; and which format each is of.

use super::Format;
use super::format::{HEAD_LEN, Named, named, sniff};
use super::gzip::goes_on;
use super::stream::Broken;
use crate::error::{Error, Result};
use crate::hash::{HashMap, HashSet};
use std::collections::VecDeque;
use std::io::{BufRead, Cursor, Read};
use std::path::{Path, PathBuf};

/// A file to be read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// The file's name as messages say it.
    pub(super) name: String,
    /// The id of its article, where the whole file is one.
    pub(super) id: String,
    /// The format that was asked for.
    asked: Option<Format>,
    /// Whether it was found in a folder or by a pattern, not named: where it cannot be opened, the others are read.
    pub(super) is_found: bool,
}

impl Source {
    pub(super) fn file(path: &Path, format: Option<Format>) -> Self {
        let name = path.display().to_string();
        let id = path.file_name().map_or_else(|| name.clone(), |n| n.to_string_lossy().into_owned());
        Self { path: path.to_path_buf(), name, id, asked: format, is_found: false }
    }

    /// The format that was asked for, or that the name says beyond doubt.
    pub(super) fn format_by_name(&self) -> Option<Format> {
        self.asked.or(match named(&self.path) {
            Some(Named::As(format)) => Some(format),
            _ => None,
        })
    }

    /// The format of a stream that is open, and the stream as it was.
    pub(super) fn sniff(&self, mut reader: Box<dyn BufRead>) -> Result<(Format, Box<dyn BufRead>)> {
        if let Some(format) = self.asked {
            return Ok((format, reader));
        }
        let named = named(&self.path);
        let mut head = Vec::new();
        let mut is_all = false;
        // What came before damage that reading goes on behind: the format is told by what follows.
        let mut before: Option<(Vec<u8>, std::io::Error)> = None;
        let mut error = None;
        loop {
            if let Some(format) = sniff(&head, named, is_all) {
                let (before, damage) = before.unzip();
                let damaged = Cursor::new(before.unwrap_or_default()).chain(Broken::after(damage));
                let rest = Cursor::new(head).chain(Broken::after(error)).chain(reader);
                return Ok((format, Box::new(damaged.chain(rest))));
            }
            match reader.fill_buf() {
                Ok(chunk) => {
                    let len = chunk.len().min(HEAD_LEN);
                    is_all = len == 0;
                    head.extend_from_slice(&chunk[..len]);
                    reader.consume(len);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // What cannot be read is said when it is read in earnest: as a record, not as the end of the run.
                Err(damage) if before.is_none() && goes_on(&damage) => {
                    before = Some((std::mem::take(&mut head), damage));
                }
                Err(damage) => {
                    is_all = true;
                    error = Some(damage);
                }
            }
        }
    }
}

/// The files that inputs name, in the order of the inputs, those of a folder or pattern by name.
pub(super) fn find(inputs: &[PathBuf], format: Option<Format>) -> Result<VecDeque<Source>> {
    let mut queue = VecDeque::new();
    for input in inputs {
        if input.as_os_str() == "-" {
            queue.push_back(Source::file(input, format));
            continue;
        }
        match std::fs::metadata(input) {
            Ok(found) if found.is_dir() => add_folder(input, format, &mut queue)?,
            Ok(_) => queue.push_back(Source::file(input, format)),
            Err(error) => {
                let fitting = fitting(input);
                if fitting.is_empty() {
                    return Err(Error::io(input, "open", error));
                }
                for path in fitting {
                    if path.is_dir() {
                        add_folder(&path, format, &mut queue)?;
                    } else {
                        queue.push_back(Source { is_found: true, ..Source::file(&path, format) });
                    }
                }
            }
        }
    }
    tell_apart(&mut queue);
    Ok(queue)
}

/// Files of one name are known by their paths.
fn tell_apart(queue: &mut VecDeque<Source>) {
    let mut names: HashMap<String, HashSet<String>> = HashMap::default();
    for source in queue.iter() {
        names.entry(source.id.clone()).or_default().insert(source.name.clone());
    }
    for source in queue.iter_mut().filter(|source| names[&source.id].len() > 1) {
        source.id.clone_from(&source.name);
    }
}

/// The paths that a pattern fits, in order.
fn fitting(pattern: &Path) -> Vec<PathBuf> {
    let Some(pattern) = pattern.to_str().filter(|text| text.contains(['*', '?', '['])) else { return Vec::new() };
    let Ok(paths) = glob::glob(pattern) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = paths.flatten().collect();
    paths.sort();
    paths
}

/// Whether a file of a folder is read: its name says a format, and none that was not asked for.
fn is_wanted(path: &Path, format: Option<Format>) -> bool {
    match (named(path), format) {
        (None, _) => false,
        // A page is no article without the feature that finds its text.
        (Some(Named::As(Format::Html)), None) => cfg!(feature = "html"),
        (Some(_), None) => true,
        (Some(Named::As(found)), Some(wanted)) => found == wanted,
        (Some(Named::Xml), Some(wanted)) => matches!(wanted, Format::Feed | Format::NewsMl | Format::Nitf),
        (Some(Named::Json), Some(wanted)) => {
            matches!(wanted, Format::Jsonl | Format::Json | Format::JsonFeed | Format::Ninjs)
        }
    }
}

fn add_folder(folder: &Path, format: Option<Format>, queue: &mut VecDeque<Source>) -> Result<()> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        let entries = match std::fs::read_dir(&next) {
            Ok(entries) => entries,
            // Said when it is opened in earnest, as of a file that cannot be.
            Err(_) if next != folder => {
                files.push(next);
                continue;
            }
            Err(error) => return Err(Error::io(&next, "open", error)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| Error::io(&next, "read", e))?;
            let kind = entry.file_type().map_err(|e| Error::io(entry.path(), "read", e))?;
            // Links to folders are not followed: they may lead in a circle.
            if kind.is_dir() {
                open.push(entry.path());
            } else if is_wanted(&entry.path(), format) {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    if files.is_empty() {
        let reason = match format {
            Some(format) => format!("no file in the folder whose name says {}", format.name()),
            None => "no file in the folder whose name says a format, as .jsonl, .csv, .xml or .txt do".to_string(),
        };
        return Err(Error::io(folder, "read", std::io::Error::new(std::io::ErrorKind::NotFound, reason)));
    }
    for path in files {
        let relative = path.strip_prefix(folder).unwrap_or(&path);
        let id = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        queue.push_back(Source { name: path.display().to_string(), path, id, asked: format, is_found: true });
    }
    Ok(())
}
