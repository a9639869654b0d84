//! The index in a folder, of which one writes and any number read.

use crate::article::{MissingId, Source};
use crate::error::{InternalError, OptionError, StoredIndexError, raised};
use crate::options::Options;
use crate::run::{fed, released};
use crate::table::Table;
use arrow_array::builder::{Float64Builder, Int32Builder, StringBuilder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyDict;
use samestory::engine::{Added, Progress};
use samestory::output::cluster_batches;
use samestory::{Index, Timestamp};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// An index that is open.
#[pyclass(frozen, module = "samestory")]
#[derive(Debug)]
pub(crate) struct Store {
    /// `None` when it was closed.
    index: Mutex<Option<Index>>,
    is_writer: bool,
    folder: PathBuf,
}

/// What became of articles that were added: added, repeated, replaced, older, expired.
type Counts = (u64, u64, u64, u64, u64);

#[pymethods]
impl Store {
    /// Opens the index of a folder: to write (`w`), which makes it where there is none, or to read (`r`).
    #[staticmethod]
    fn open(py: Python<'_>, options: Options<'_>, path: PathBuf, mode: &str) -> PyResult<Self> {
        let engine = options.engine()?;
        let is_writer = match mode {
            "w" => true,
            "r" => false,
            other => return Err(OptionError::new_err(format!("mode is '{other}'; expected 'w' or 'r'"))),
        };
        let index = released(py, &Progress::default(), || match is_writer {
            true => Index::open(&path, engine),
            false => Index::read(&path, engine),
        })?;
        Ok(Self { index: Mutex::new(Some(index)), is_writer, folder: path })
    }

    /// Adds articles; each thousand or so is there for good before the next.
    fn add(&self, py: Python<'_>, options: Options<'_>, data: &Bound<'_, PyAny>) -> PyResult<Counts> {
        let reading = options.reading(MissingId::Refused)?;
        let mut source = Source::new(data, &reading)?;
        let progress = Progress::default();
        let added = self.write(py, |index| {
            fed(py, &progress, &mut || source.next_block(), &mut || Ok(()), |blocks| {
                let parse = |block| {
                    let articles = reading.articles(block);
                    if reading.has_refused() {
                        // Of what is read along with a row that is no article nothing is added; which row it is `refused` says.
                        let (place, reason) = ("a row".to_string(), "no article".to_string());
                        return Err(samestory::Error::BadRecord { place, reason });
                    }
                    Ok(articles)
                };
                index.add_blocks(blocks, parse, |_| ())
            })
        });
        reading.refused()?;
        let Added { num_added, num_repeated, num_replaced, num_older, num_expired } = added?;
        Ok((num_added, num_repeated, num_replaced, num_older, num_expired))
    }

    /// What is there that has to do with each article: a row a hit, with the row of the article.
    fn query(&self, py: Python<'_>, options: Options<'_>, data: &Bound<'_, PyAny>) -> PyResult<Table> {
        let reading = options.reading(MissingId::Position)?;
        let mut source = Source::new(data, &reading)?;
        let schema = Arc::new(Schema::new(vec![
            Field::new("row", DataType::UInt64, false),
            Field::new("article", DataType::Utf8, false),
            Field::new("id", DataType::Utf8, false),
            Field::new("relation", DataType::Utf8, false),
            Field::new("score", DataType::Float64, false),
            Field::new("story", DataType::Int32, false),
        ]));
        let progress = Progress::default();
        let batches = self.with(py, |index| {
            let index = &*index;
            fed(py, &progress, &mut || source.next_block(), &mut || Ok(()), |blocks| {
                let mut batches = Vec::new();
                for block in blocks {
                    let articles = reading.articles(block?);
                    let (mut rows, mut own, mut ids) =
                        (UInt64Builder::new(), StringBuilder::new(), StringBuilder::new());
                    let mut relations = StringBuilder::new();
                    let (mut scores, mut stories) = (Float64Builder::new(), Int32Builder::new());
                    for (article, hits) in articles.iter().zip(index.query_all(&articles)?) {
                        for hit in hits {
                            rows.append_value(article.origin.block);
                            own.append_value(article.id.as_str());
                            ids.append_value(&hit.id);
                            relations.append_value(hit.relation.name());
                            scores.append_value(f64::from(hit.probability_e4) / 10_000.0);
                            stories.append_value(hit.story.cast_signed());
                        }
                    }
                    let columns: Vec<ArrayRef> = vec![
                        Arc::new(rows.finish()),
                        Arc::new(own.finish()),
                        Arc::new(ids.finish()),
                        Arc::new(relations.finish()),
                        Arc::new(scores.finish()),
                        Arc::new(stories.finish()),
                    ];
                    let batch = RecordBatch::try_new(Arc::clone(&schema), columns);
                    batches.push(batch.expect("columns are of the schema's types"));
                }
                Ok(batches)
            })
        });
        reading.refused()?;
        Ok(Table::new((Arc::clone(&schema), batches?.into_iter())))
    }

    /// Removes articles by id; how many were there.
    fn remove(&self, py: Python<'_>, ids: Vec<String>) -> PyResult<u64> {
        self.write(py, |index| released(py, &Progress::default(), || index.remove(ids.iter().map(String::as_str))))
    }

    /// Lets all go that were published, else came, before a moment; how many.
    fn expire(&self, py: Python<'_>, before: &str) -> PyResult<u64> {
        let before = Timestamp::parse(before).ok_or_else(|| {
            OptionError::new_err(format!("before is '{before}'; expected a time, as 2026-03-04T08:00:00Z"))
        })?;
        self.write(py, |index| released(py, &Progress::default(), || index.expire(before)))
    }

    /// The clusters of all that is there, as one run over it would say.
    fn clusters(&self, py: Python<'_>) -> PyResult<Table> {
        self.with(py, |index| {
            let index = &*index;
            released(py, &Progress::default(), || Ok(Table::new(cluster_batches(&index.clusters()?))))
        })
    }

    /// Writes the files anew, without what is gone.
    fn compact(&self, py: Python<'_>) -> PyResult<()> {
        self.write(py, |index| released(py, &Progress::default(), || index.compact()))
    }

    /// Counts.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.with(py, |index| {
            let index = &*index;
            released(py, &Progress::default(), || Ok(index.stats()))
        })?;
        let dict = PyDict::new(py);
        for (name, number) in [
            ("articles", stats.num_articles),
            ("gone", stats.num_gone),
            ("stories", stats.num_stories),
            ("matches", stats.num_matches),
            ("article_segments", stats.num_segments.0),
            ("key_segments", stats.num_segments.1),
            ("in_log", stats.num_in_log),
            ("bytes", stats.num_bytes),
            ("changes", stats.seq),
        ] {
            dict.set_item(name, number)?;
        }
        let (oldest, newest) = stats.span.map(|(oldest, newest)| (oldest.to_string(), newest.to_string())).unzip();
        dict.set_item("oldest", oldest)?;
        dict.set_item("newest", newest)?;
        Ok(dict)
    }

    /// The story of a live article, and the ids of all in it; `None` where it is not there.
    fn story_of(&self, py: Python<'_>, id: &str) -> PyResult<Option<(u32, Vec<String>)>> {
        self.with(py, |index| index.story_of(id).map_err(raised))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |index| Ok(index.len()))
    }

    /// Ends it: another may write.
    fn close(&self, py: Python<'_>) {
        let index = self.index.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(index));
    }
}

impl Store {
    fn with<T>(&self, py: Python<'_>, work: impl FnOnce(&mut Index) -> PyResult<T>) -> PyResult<T> {
        let mut held = self.index.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let Some(index) = held.as_mut() else {
            let folder = self.folder.display();
            return Err(StoredIndexError::new_err(format!("{folder}: this index was closed; open it anew")));
        };
        let done = work(index);
        if done.as_ref().is_err_and(|error| error.is_instance_of::<InternalError>(py)) {
            // What it holds in memory may be half changed; what is in its files is whole.
            *held = None;
        }
        done
    }

    fn write<T>(&self, py: Python<'_>, work: impl FnOnce(&mut Index) -> PyResult<T>) -> PyResult<T> {
        if !self.is_writer {
            let folder = self.folder.display();
            return Err(StoredIndexError::new_err(format!("{folder}: was opened to read; open it with mode='w'")));
        }
        self.with(py, work)
    }
}
