//! Looks at everything in an index's folder and says what is wrong and what of it can be saved.

use super::files::{files_of, is_own, last_told, log_path, open_articles, open_keys, refuse_cut};
use super::{Index, TRIES, saved};
use crate::error::{Error, Result};
use crate::index::{KeyRun, Manifest, NUM_LISTS, list_of_id, read_log};
use std::path::Path;
use std::sync::Arc;

impl Index {
    /// Looks at every byte of an index and at what refers to what. Returns how many articles can be read, how many there
    /// should be, and all that is wrong, each with its file and place; nothing wrong means that the index is sound.
    ///
    /// # Errors
    /// When there is no index, or its manifest cannot be read.
    pub fn check(folder: &Path) -> Result<Checked> {
        let mut tries = 0;
        loop {
            let manifest = Manifest::read(folder)?;
            let checked = Self::check_as(folder, &manifest)?;
            tries += 1;
            // A writer at work takes away files that were named a moment ago.
            if checked.problems.is_empty() || tries == TRIES || Manifest::read(folder)? == manifest {
                return Ok(checked);
            }
        }
    }

    fn check_as(folder: &Path, manifest: &Manifest) -> Result<Checked> {
        let sketch = &manifest.sketch;
        let mut checked = Checked::default();
        let mut articles = crate::engine::store::Articles::default();
        let mut whens = Vec::new();
        let mut are_all_there = true;
        for entry in &manifest.articles {
            checked.num_articles += u64::from(entry.num);
            let added = open_articles(folder, entry, sketch).and_then(|segment| {
                let damaged = segment.check_all();
                let segment = Arc::new(segment);
                let mut own = crate::engine::store::Articles::default();
                let alone = crate::index::FileEntry { first: 0, ..*entry };
                super::files::add_segment(&mut own, &mut Vec::new(), &alone, &segment)?;
                // Blocks that are damaged spare the articles that lie in others.
                checked.num_readable += (0..entry.num).filter(|at| own.look_at(*at).is_ok()).count() as u64;
                let is_sound = damaged.is_empty();
                checked.problems.extend(damaged);
                if is_sound && are_all_there {
                    super::files::add_segment(&mut articles, &mut whens, entry, &segment)?;
                }
                Ok(is_sound)
            });
            are_all_there &= match added {
                Ok(is_sound) => is_sound,
                Err(error) => {
                    checked.problems.push(error);
                    false
                }
            };
        }
        let mut runs = Vec::new();
        for entry in &manifest.keys {
            match open_keys(folder, entry, sketch) {
                Ok(run) => {
                    let segment = run.segment().expect("it was opened from a file");
                    let damaged = segment.check_all();
                    let is_sound = damaged.is_empty();
                    checked.problems.extend(damaged);
                    if is_sound {
                        runs.push(run);
                    }
                }
                Err(error) => checked.problems.push(error),
            }
        }
        if are_all_there && runs.len() == manifest.keys.len() {
            checked.problems.extend(check_ids(&articles, &runs)?);
        }
        checked.problems.extend(saved::read(folder, manifest, checked.num_articles as usize).err());
        let log = log_path(folder, manifest.log);
        match last_told(folder).and_then(|told| Ok((told, read_log(&log, sketch)?.0))) {
            Ok((told, frames)) => {
                checked.num_changes_in_log = frames.len() as u64;
                checked.problems.extend(refuse_cut(&log, told, manifest.seq, &frames).err());
            }
            Err(error) => checked.problems.push(error),
        }
        let named = files_of(folder, manifest);
        let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, "read", e))?;
        for entry in entries {
            let entry = entry.map_err(|e| Error::io(folder, "read", e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !is_own(&name) {
                checked.foreign.push(name);
            } else if (name.ends_with(".seg") || name.ends_with(".log")) && !named.contains(&entry.path()) {
                checked.leftovers.push(name);
            }
        }
        checked.foreign.sort();
        checked.leftovers.sort();
        Ok(checked)
    }
}

/// What a look at an index has found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Articles in segments.
    pub num_articles: u64,
    /// Of these, articles that can be read whole.
    pub num_readable: u64,
    /// Changes in the log that are in no segment yet.
    pub num_changes_in_log: u64,
    /// What is wrong.
    pub problems: Vec<Error>,
    /// Files in the folder that are none of an index; they do no harm.
    pub foreign: Vec<String>,
    /// Files that a process that was cut off has left behind; the next writer takes them away.
    pub leftovers: Vec<String>,
}

/// Whether each article is found by its id, and no key leads beyond the articles.
fn check_ids(articles: &crate::engine::store::Articles, runs: &[KeyRun]) -> Result<Vec<Error>> {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for ordinal in 0..articles.len() as u32 {
        found.clear();
        let of_it = runs.iter().find(|run| (run.covers().0..run.covers().0 + run.covers().1).contains(&ordinal));
        if let Some(run) = of_it {
            run.find(list_of_id(articles.get(ordinal).id()), &mut found)?;
        }
        if !found.contains(&ordinal) {
            let what = format!("article {ordinal}, '{}', is not found by its id", articles.get(ordinal).id());
            let file = of_it.and_then(KeyRun::segment).map_or_else(Default::default, |s| s.path().to_path_buf());
            problems.push(Error::IndexDamaged { file, offset: 0, what });
        }
    }
    let mut entries = Vec::new();
    for run in runs {
        let (first, num) = run.covers();
        for list in 0..NUM_LISTS {
            entries.clear();
            run.list_entries(list, &mut entries)?;
            if entries.iter().any(|entry| !(first..first + num).contains(&(*entry as u32))) {
                let segment = run.segment().expect("it was opened from a file");
                problems.push(segment.damaged(0, "a key leads to an article that there is not"));
            }
            if run.hides_any(list, &entries)? {
                let segment = run.segment().expect("it was opened from a file");
                problems.push(segment.damaged(0, "a filter hides a key that is there"));
            }
        }
    }
    Ok(problems)
}
