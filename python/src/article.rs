//! Articles out of what Python has: texts, dicts, and rows of Arrow.

use crate::capsule::{Arrays, arrays_of, bad_arrow, batch_of, checked};
use crate::error::{DataError, DataTypeError, OptionError};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyIterator, PyMapping, PyString};
use samestory::Article;
use samestory::fields::{Columns, FieldNames, Found, Value, without_columns};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Rows of a block.
const BLOCK_LEN: usize = 256;
/// Bytes of text at which a block of rows from Python ends.
const BLOCK_BYTES: usize = 4 << 20;
/// Names of fields that a message lists.
const NUM_LISTED: usize = 8;
/// The fields of an article.
const FIELDS: [&str; 9] = ["id", "text", "title", "source", "published", "url", "language", "slug", "version"];

/// What to do with a row that has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingText {
    /// It is an error.
    Refused,
    /// It is an article without text, which cannot be judged.
    Empty,
}

/// What to call an article that has no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingId {
    /// Its position in the data, from 0.
    Position,
    /// Nothing: it is an error.
    Refused,
}

/// How rows are read.
pub(crate) struct Reading {
    names: FieldNames,
    /// The fields whose names were given, by their numbers.
    given: Vec<usize>,
    missing_text: MissingText,
    missing_id: MissingId,
    /// The first row that is no article, and why.
    bad: Mutex<Option<(u64, String)>>,
    num_unread_times: AtomicU64,
    /// Rows that were looked at.
    num_done: AtomicU64,
}

/// Some rows, the first of which has this number.
pub(crate) struct Block {
    first: u64,
    rows: Rows,
}

enum Rows {
    Read(Vec<Found>),
    Batch(RecordBatch),
}

impl Block {
    /// The number of its first row.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        match &self.rows {
            Rows::Read(rows) => rows.len(),
            Rows::Batch(batch) => batch.num_rows(),
        }
    }
}

impl Reading {
    /// With names for some fields in place of the usual ones.
    ///
    /// # Errors
    /// When there is no field of that name.
    pub(crate) fn new(
        fields: Vec<(String, Vec<String>)>,
        missing_text: MissingText,
        missing_id: MissingId,
    ) -> PyResult<Self> {
        let mut names = FieldNames::default();
        let mut given = Vec::new();
        for (field, wanted) in fields {
            let number = FIELDS.iter().position(|name| *name == field);
            let Some(number) = number.filter(|_| !wanted.is_empty()) else {
                let known = FIELDS.join(", ");
                return Err(OptionError::new_err(format!(
                    "fields has '{field}'; expected a name, or a list of names, for any of {known}"
                )));
            };
            *list_of(&mut names, number) = wanted;
            given.push(number);
        }
        let (bad, num_unread_times, num_done) = Default::default();
        Ok(Self { names, given, missing_text, missing_id, bad, num_unread_times, num_done })
    }

    /// The articles of a block; the first row that is none is kept for [`Reading::refused`].
    pub(crate) fn articles(&self, block: Block) -> Vec<Article> {
        let num_rows = block.len();
        let Block { first, rows } = block;
        let mut articles = Vec::with_capacity(num_rows);
        let mut add = |row: u64, found: Found| match self.article(row, found) {
            Ok(article) => articles.push(article),
            Err(reason) => self.refuse(row, reason),
        };
        match rows {
            Rows::Read(rows) => (first..).zip(rows).for_each(|(row, found)| add(row, found)),
            Rows::Batch(batch) => {
                let columns = Columns::new(&batch, &self.names);
                (0..batch.num_rows()).for_each(|at| add(first + at as u64, columns.found(at)));
            }
        }
        self.num_done.fetch_add(num_rows as u64, Ordering::Relaxed);
        articles
    }

    /// Rows that were looked at.
    pub(crate) fn num_done(&self) -> u64 {
        self.num_done.load(Ordering::Relaxed)
    }

    fn article(&self, row: u64, mut found: Found) -> Result<Article, String> {
        if found.is_null("text") && self.missing_text == MissingText::Refused {
            if found.has("id") && !found.has("text") {
                return Err(format!(
                    "the text is missing: no field {}; name the one that has it with fields={{'text': …}}, or keep the \
                     row as an article that cannot be judged with missing_text='empty'",
                    self.names.text.join(", ")
                ));
            }
            return Err(
                "the text is missing (None); leave the row out, or keep it as an article that cannot be judged with \
                 missing_text='empty'"
                    .to_string(),
            );
        }
        let has_id = !found.is_null("id");
        if !has_id && self.missing_id == MissingId::Refused {
            return Err(
                "no id: an index knows articles by their ids; give each row one in its field 'id', or name the field that \
                 has it with fields={'id': …}"
                    .to_string(),
            );
        }
        if found.is_null("text") {
            found.put(1, 0, Value::Text(String::new()));
        }
        let (mut article, has_bad_time) = found.into_article(&row.to_string())?;
        self.num_unread_times.fetch_add(u64::from(has_bad_time), Ordering::Relaxed);
        article.origin.block = row;
        article.origin.place = format!("row {row}").into();
        Ok(article)
    }

    fn refuse(&self, row: u64, reason: String) {
        let mut bad = self.bad.lock().expect("nothing panics while it is held");
        if bad.as_ref().is_none_or(|(first, _)| row < *first) {
            *bad = Some((row, reason));
        }
    }

    /// Whether a row is no article.
    pub(crate) fn has_refused(&self) -> bool {
        self.bad.lock().expect("nothing panics while it is held").is_some()
    }

    /// The exception for the first row that is no article.
    ///
    /// # Errors
    /// This exception, where there is one.
    pub(crate) fn refused(&self) -> PyResult<()> {
        match &*self.bad.lock().expect("nothing panics while it is held") {
            Some((row, reason)) => Err(DataError::new_err(format!("row {row}: {reason}"))),
            None => Ok(()),
        }
    }

    /// Articles with a time of publication that cannot be read: they go without.
    pub(crate) fn num_unread_times(&self) -> u64 {
        self.num_unread_times.load(Ordering::Relaxed)
    }
}

fn list_of(names: &mut FieldNames, field: usize) -> &mut Vec<String> {
    match field {
        0 => &mut names.id,
        1 => &mut names.text,
        2 => &mut names.title,
        3 => &mut names.source,
        4 => &mut names.published,
        5 => &mut names.url,
        6 => &mut names.language,
        7 => &mut names.slug,
        _ => &mut names.version,
    }
}

/// All articles of `data`, read at once.
///
/// # Errors
/// When a row is no article, and what the data raises.
pub(crate) fn articles_of(data: &Bound<'_, PyAny>, reading: &Arc<Reading>) -> PyResult<Vec<Article>> {
    let mut source = Source::new(data, reading)?;
    let mut articles = Vec::new();
    while let Some(block) = source.next_block()? {
        articles.extend(reading.articles(block));
    }
    reading.refused()?;
    Ok(articles)
}

/// Data of Python's as blocks of rows.
pub(crate) struct Source<'py> {
    py: Python<'py>,
    reading: Arc<Reading>,
    /// Texts, dicts and Arrow, one after another; `None` where the data is Arrow as a whole.
    items: Option<Bound<'py, PyIterator>>,
    arrays: Option<Arrays>,
    batches: VecDeque<RecordBatch>,
    keys: Vec<(usize, usize, Bound<'py, PyString>)>,
    /// Which fields some row has, by their numbers.
    met: [bool; FIELDS.len()],
    /// The fields of the first row, for a message.
    first_fields: Option<Vec<String>>,
    /// Rows that were read, and those of them that were handed out.
    num_read: u64,
    num_rows: u64,
}

impl<'py> Source<'py> {
    /// Reads `data`, an object of Arrow's or an iterable.
    ///
    /// # Errors
    /// When it is neither, and what it raises.
    pub(crate) fn new(data: &Bound<'py, PyAny>, reading: &Arc<Reading>) -> PyResult<Self> {
        let py = data.py();
        let arrays = arrays_of(data)?;
        let items = match arrays {
            Some(_) => None,
            None => Some(data.try_iter().map_err(|error| match error.is_instance_of::<PyTypeError>(py) {
                true => DataTypeError::new_err(format!(
                    "data is of type {}; expected a list of texts or dicts, an iterator, a data frame, or an object of \
                     Arrow's",
                    type_name(data)
                )),
                false => error,
            })?),
        };
        let mut names = reading.names.clone();
        let keys = (0..FIELDS.len()).flat_map(|field| {
            let list = std::mem::take(list_of(&mut names, field));
            list.into_iter().enumerate().map(move |(wish, name)| (field, wish, PyString::new(py, &name)))
        });
        Ok(Self {
            py,
            reading: Arc::clone(reading),
            items,
            arrays,
            batches: VecDeque::new(),
            keys: keys.collect(),
            met: [false; FIELDS.len()],
            first_fields: None,
            num_read: 0,
            num_rows: 0,
        })
    }

    /// Rows that were handed out.
    pub(crate) fn num_rows(&self) -> u64 {
        self.num_rows
    }

    /// The next rows; none when all were read, or one that was read is no article.
    ///
    /// # Errors
    /// When a row is no article, and what the data raises.
    pub(crate) fn next_block(&mut self) -> PyResult<Option<Block>> {
        if self.reading.has_refused() {
            return Ok(None);
        }
        let rows = loop {
            if let Some(batch) = self.batches.pop_front() {
                break Some(Rows::Batch(batch));
            }
            if let Some(arrays) = &mut self.arrays {
                // Python's lock may be what the other side waits for.
                match self.py.detach(|| arrays.next()) {
                    Some(array) => {
                        let array = array.map_err(|error| bad_arrow(&error))?;
                        let field = Arc::clone(&arrays.field);
                        self.take_array(&array, &field)?;
                    }
                    None => self.arrays = None,
                }
                continue;
            }
            match self.read_rows()? {
                // What comes next is of Arrow's.
                Some(rows) if rows.is_empty() => {}
                rows => break rows.map(Rows::Read),
            }
        };
        let Some(rows) = rows else {
            self.check_given()?;
            return Ok(None);
        };
        let block = Block { first: self.num_rows, rows };
        self.num_rows += block.len() as u64;
        Ok(Some(block))
    }

    /// Cuts an array into batches of the columns that are read.
    fn take_array(&mut self, array: &ArrayRef, field: &FieldRef) -> PyResult<()> {
        let names = &self.reading.names;
        let batch = if matches!(array.data_type(), DataType::Struct(_)) {
            batch_of(array).map_err(|error| bad_arrow(&error))?
        } else {
            let text = Field::new(&names.text[0], array.data_type().clone(), true);
            let is_text = match array.data_type() {
                DataType::Dictionary(_, values) => is_text(values),
                other => is_text(other),
            };
            if !is_text {
                return Err(DataTypeError::new_err(format!(
                    "an array of {}; expected texts, or rows of a table{}",
                    array.data_type(),
                    if field.name().is_empty() { String::new() } else { format!(" ('{}')", field.name()) }
                )));
            }
            RecordBatch::try_new(Arc::new(Schema::new(vec![text])), vec![Arc::clone(array)])
                .map_err(|error| bad_arrow(&error))?
        };
        let schema = batch.schema();
        let wanted: Vec<(usize, usize)> = schema
            .fields()
            .iter()
            .enumerate()
            .filter_map(|(column, field)| Some((column, names.find(field.name())?.0)))
            .collect();
        wanted.iter().for_each(|(_, field)| self.met[*field] = true);
        if self.first_fields.is_none() {
            self.first_fields = Some(schema.fields().iter().map(|field| field.name().clone()).collect());
        }
        if !wanted.iter().any(|(_, field)| *field < 2) {
            return Err(DataError::new_err(format!(
                "{}; name the columns with fields={{'text': …}}",
                without_columns(&schema)
            )));
        }
        let columns: Vec<usize> = wanted.iter().map(|(column, _)| *column).collect();
        let batch = self
            .py
            .detach(|| {
                let batch = batch.project(&columns)?;
                let arrays = batch.columns().iter().map(checked).collect::<Result<Vec<_>, ArrowError>>()?;
                RecordBatch::try_new(batch.schema(), arrays)
            })
            .map_err(|error| bad_arrow(&error))?;
        self.num_read += batch.num_rows() as u64;
        let starts = (0..batch.num_rows()).step_by(BLOCK_LEN);
        self.batches.extend(starts.map(|at| batch.slice(at, BLOCK_LEN.min(batch.num_rows() - at))));
        Ok(())
    }

    /// Rows of Python's own, up to the next object of Arrow's; `None` at the end.
    fn read_rows(&mut self) -> PyResult<Option<Vec<Found>>> {
        let Some(items) = self.items.clone() else { return Ok(None) };
        let mut rows = Vec::new();
        let mut num_bytes = 0;
        for item in items {
            let item = item?;
            if let Ok(text) = item.cast::<PyString>() {
                let text = text_of(text, self.num_read, "the text")?;
                num_bytes += text.len();
                let mut found = Found::default();
                found.put(1, 0, Value::Text(text));
                self.met[1] = true;
                rows.push(found);
            } else if item.is_none() {
                rows.push(Found::default());
            } else if let Some(found) = self.found_in(&item)? {
                rows.push(found);
            } else if let Some(arrays) = arrays_of(&item)? {
                self.arrays = Some(arrays);
                return Ok(Some(rows));
            } else {
                return Err(DataTypeError::new_err(format!(
                    "row {}: of type {}; expected a text or a dict",
                    self.num_read,
                    type_name(&item)
                )));
            }
            self.num_read += 1;
            if rows.len() == BLOCK_LEN || num_bytes >= BLOCK_BYTES {
                return Ok(Some(rows));
            }
        }
        self.items = None;
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// What a dict holds of an article; `None` for what is no dict.
    fn found_in(&mut self, item: &Bound<'py, PyAny>) -> PyResult<Option<Found>> {
        let own;
        let dict = match item.cast::<PyDict>() {
            Ok(dict) => dict,
            Err(_) => match item.cast::<PyMapping>() {
                Ok(mapping) => {
                    own = PyDict::new(item.py());
                    own.update(mapping)?;
                    &own
                }
                Err(_) => return Ok(None),
            },
        };
        let mut found = Found::default();
        for (field, wish, key) in &self.keys {
            let Some(value) = dict.get_item(key)? else { continue };
            self.met[*field] = true;
            found.put(*field, *wish, value_of(&value, self.num_read, FIELDS[*field])?);
        }
        if self.first_fields.is_none() {
            self.first_fields = Some(dict.keys().iter().map(|key| key.to_string()).collect());
        }
        if !found.has("id") && !found.has("text") {
            return Err(DataError::new_err(format!(
                "row {}: neither id nor text; it has {}; name the field with fields={{'text': …}}",
                self.num_read,
                listed(&dict.keys().iter().map(|key| key.to_string()).collect::<Vec<_>>())
            )));
        }
        Ok(Some(found))
    }

    /// Names that were given and that no row has are slips.
    fn check_given(&self) -> PyResult<()> {
        let Some(fields) = self.first_fields.as_ref().filter(|_| self.num_rows > 0) else { return Ok(()) };
        let mut names = self.reading.names.clone();
        match self.reading.given.iter().find(|field| !self.met[**field]) {
            Some(field) => Err(DataError::new_err(format!(
                "no row has {}, named for '{}' in fields; the first has {}",
                listed(list_of(&mut names, *field)),
                FIELDS[*field],
                listed(fields)
            ))),
            None => Ok(()),
        }
    }
}

fn is_text(kind: &DataType) -> bool {
    use DataType as T;
    matches!(kind, T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Binary | T::LargeBinary | T::BinaryView)
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NUM_LISTED).map(|name| format!("'{name}'")).collect();
    if shown.is_empty() { "no fields".to_string() } else { shown.join(", ") }
}

fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "unknown".to_string(), |name| name.to_string())
}

/// A text's bytes. Those of one that is not ASCII come by a copy: asked for in place, Python would keep them beside the
/// text for good.
pub(crate) fn text_of(text: &Bound<'_, PyString>, row: u64, what: &str) -> PyResult<String> {
    if text.call_method0("isascii")?.is_truthy()? {
        return Ok(text.to_str()?.to_string());
    }
    let bytes = text.encode_utf8().map_err(|_| {
        DataError::new_err(format!(
            "row {row}: {what} holds half a character (a lone surrogate); mend it with \
             text.encode('utf-8', 'replace').decode()"
        ))
    })?;
    Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned())
}

/// A field's value as far as an article can use it.
fn value_of(value: &Bound<'_, PyAny>, row: u64, field: &'static str) -> PyResult<Value> {
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::Text(text_of(text, row, field)?));
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(Value::Other("true or false"));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(value.extract().map_or(Value::Other("too large a number"), Value::Whole));
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        // What pandas writes for what is missing.
        return Ok(if number.value().is_nan() { Value::Null } else { Value::Other("a fraction") });
    }
    // Not equal to itself, or to be had for no answer: what stands for a missing time or value.
    if value.ne(value).unwrap_or(true) {
        return Ok(Value::Null);
    }
    if value.hasattr("isoformat")? {
        return Ok(Value::Text(value.call_method0("isoformat")?.extract()?));
    }
    if !value.is_instance_of::<PyBytes>() && value.hasattr("__index__")? {
        let number = value.call_method0("__index__")?;
        return Ok(number.extract().map_or(Value::Other("too large a number"), Value::Whole));
    }
    match field {
        "id" | "text" => Err(DataTypeError::new_err(format!(
            "row {row}: {field} is of type {}; expected {}",
            type_name(value),
            if field == "id" { "a text or a whole number" } else { "a text" }
        ))),
        _ => Ok(Value::Other("of a type that is no text")),
    }
}
