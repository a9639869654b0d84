//! Single stages over columns: sketches, signatures, band keys, verdicts.

use crate::article::{Block, MissingId, Source};
use crate::capsule::{arrays_of, bad_arrow, checked};
use crate::error::{DataError, DataTypeError, OptionError};
use crate::options::Options;
use crate::run::{Blocks, fed, released};
use crate::table::{Column, Table};
use arrow_array::builder::{Float64Builder, LargeBinaryBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, FixedSizeListArray, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use pyo3::prelude::*;
use samestory::Article;
use samestory::engine::Progress;
use samestory::engine::stages::Stages;
use samestory::lsh::Bands;
use samestory::shingle::shingle_hashes;
use samestory::sketch::{EMPTY_SLOT, MinHasher};
use samestory::text::Document;
use samestory::verify::{Scratch, name_to_representative};
use samestory::{Engine, Error, Result};
use std::num::NonZero;
use std::sync::{Arc, Mutex};

/// Pairs between two looks at whether the work is to end.
const PAIRS_AT_ONCE: usize = 64;

/// What each block of `data` comes to, in order, on threads of their own.
fn each_block<T: Send>(
    py: Python<'_>,
    options: &Options<'_>,
    data: &Bound<'_, PyAny>,
    engine: &Engine,
    each: impl Fn(Vec<Article>) -> Result<T> + Sync,
) -> PyResult<Vec<T>> {
    let reading = options.reading(MissingId::Position)?;
    let mut source = Source::new(data, &reading)?;
    let num_threads = match options.threads() {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        threads => threads,
    };
    let progress = engine.progress();
    let each = |block| each(reading.articles(block));
    let made =
        fed(py, &progress, &mut || source.next_block(), &mut || Ok(()), |blocks| in_order(blocks, num_threads, each));
    reading.refused()?;
    made
}

fn in_order<T: Send>(
    blocks: Blocks<'_, Block>,
    num_threads: usize,
    each: impl Fn(Block) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let blocks = Mutex::new(blocks);
    let next = || blocks.lock().expect("no thread panics while it waits").next();
    let mut made = std::thread::scope(|scope| {
        let work = || -> Result<Vec<(u64, T)>> {
            let mut own = Vec::new();
            while let Some(block) = next() {
                let block = block?;
                own.push((block.first(), each(block)?));
            }
            Ok(own)
        };
        let threads: Vec<_> = (0..num_threads).map(|_| scope.spawn(work)).collect();
        let mut made = Vec::new();
        for thread in threads {
            match thread.join() {
                Ok(own) => made.extend(own?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, Error>(made)
    })?;
    made.sort_unstable_by_key(|(first, _)| *first);
    Ok(made.into_iter().map(|(_, made)| made).collect())
}

/// The MinHash signatures of texts: fixed-size lists of 32-bit slots.
#[pyfunction]
pub(crate) fn signatures(
    py: Python<'_>,
    options: Options<'_>,
    data: &Bound<'_, PyAny>,
    num_slots: usize,
    seed: u64,
    shingle_len: usize,
) -> PyResult<Column> {
    let engine = options.engine()?.with_progress(Arc::default());
    let (hasher, shingle_len) = (hasher(num_slots, seed)?, shingle_len_of(shingle_len)?);
    let max_tokens = engine.profile().sketch().max_tokens;
    let made = each_block(py, &options, data, &engine, |articles| {
        let mut slots = vec![EMPTY_SLOT; articles.len() * num_slots];
        for (article, slots) in articles.iter().zip(slots.chunks_exact_mut(num_slots)) {
            let document = Document::new(&article.text, max_tokens);
            hasher.signature_into(&shingle_hashes(&document.tokens, shingle_len), slots);
        }
        Ok(slots)
    })?;
    let values = UInt32Array::from(made.concat());
    lists(Field::new_list_field(DataType::UInt32, false), num_slots, Arc::new(values), None)
}

fn lists(field: Field, len: usize, values: ArrayRef, is_valid: Option<Vec<bool>>) -> PyResult<Column> {
    let nulls = is_valid.map(Into::into);
    let len = i32::try_from(len).map_err(|_| OptionError::new_err(format!("{len} values a row are too many")))?;
    let array = FixedSizeListArray::try_new(Arc::new(field), len, values, nulls).map_err(|error| bad_arrow(&error))?;
    Ok(Column::new(Arc::new(array)))
}

/// A maker of signatures.
///
/// # Errors
/// When the number of slots is none that a signature may have.
pub(crate) fn hasher(num_slots: usize, seed: u64) -> PyResult<MinHasher> {
    if !(1..=1 << 16).contains(&num_slots) {
        return Err(OptionError::new_err(format!("a signature of {num_slots} slots; expected 1 to 65,536")));
    }
    Ok(MinHasher::new(num_slots, seed))
}

/// A number of tokens that a shingle may have.
///
/// # Errors
/// When it is none.
pub(crate) fn shingle_len_of(shingle_len: usize) -> PyResult<usize> {
    if !(1..=32).contains(&shingle_len) {
        return Err(OptionError::new_err(format!("shingle_len is {shingle_len}; expected 1 to 32")));
    }
    Ok(shingle_len)
}

/// Bands that a signature can be cut into.
///
/// # Errors
/// When it cannot.
pub(crate) fn bands_of(num_slots: usize, num_bands: usize, num_rows: usize) -> PyResult<Bands> {
    let needed = num_bands.checked_mul(num_rows).filter(|needed| (1..=num_slots).contains(needed));
    match needed {
        Some(_) => Ok(Bands { num_bands, num_rows }),
        None => Err(OptionError::new_err(format!(
            "{num_bands} bands of {num_rows} rows do not fit a signature of {num_slots} slots"
        ))),
    }
}

/// Number and rows of the most selective bands that find pairs of a similarity with a recall.
#[pyfunction]
pub(crate) fn choose_bands(num_slots: usize, similarity: f64, recall: f64) -> PyResult<(usize, usize)> {
    for (name, share) in [("threshold", similarity), ("recall", recall)] {
        if !(share > 0.0 && share <= 1.0) {
            return Err(OptionError::new_err(format!("{name} is {share}; expected a share from 0 to 1")));
        }
    }
    let bands = Bands::choose(num_slots, similarity, recall);
    Ok((bands.num_bands, bands.num_rows))
}

/// The keys of signatures, a list a row; null for the signature of no shingles.
#[pyfunction]
pub(crate) fn band_keys(
    py: Python<'_>,
    signatures: &Bound<'_, PyAny>,
    num_bands: usize,
    num_rows: usize,
) -> PyResult<Column> {
    let expected = "expected signatures: fixed-size lists of 32-bit unsigned integers, as signatures() gives";
    let Some(arrays) = arrays_of(signatures)? else {
        return Err(DataTypeError::new_err(format!("no object of Arrow's; {expected}")));
    };
    let DataType::FixedSizeList(field, num_slots) = arrays.field.data_type().clone() else {
        return Err(DataTypeError::new_err(format!("an array of {}; {expected}", arrays.field.data_type())));
    };
    if *field.data_type() != DataType::UInt32 {
        return Err(DataTypeError::new_err(format!("lists of {}; {expected}", field.data_type())));
    }
    let bands = bands_of(num_slots as usize, num_bands, num_rows)?;
    let progress = Progress::default();
    let read = py.detach(|| arrays.map(|array| checked(&array?)).collect::<std::result::Result<Vec<_>, _>>());
    let read = read.map_err(|error| bad_arrow(&error))?;
    let (keys, is_valid) = released(py, &progress, || {
        let (mut keys, mut is_valid) = (Vec::new(), Vec::new());
        for array in &read {
            if progress.is_canceled() {
                return Err(Error::Canceled);
            }
            let lists = array.as_fixed_size_list();
            for row in 0..lists.len() {
                let slots = lists.value(row);
                let slots = slots.as_primitive::<UInt32Type>();
                let has_slots = lists.is_valid(row) && slots.null_count() == 0;
                let signature: &[u32] = if has_slots { slots.values() } else { &[] };
                let made = (0..bands.num_bands).map(|band| bands.key(signature, band, 0));
                let before = keys.len();
                keys.extend(made.flatten());
                is_valid.push(keys.len() > before);
                keys.resize(before + bands.num_bands, 0);
            }
        }
        Ok((keys, is_valid))
    })?;
    let values = Arc::new(UInt64Array::from(keys));
    lists(Field::new_list_field(DataType::UInt64, false), num_bands, values, Some(is_valid))
}

/// Sketches of articles, each with its id: what `verify` reads, and what can go from machine to machine.
#[pyfunction]
pub(crate) fn sketch(py: Python<'_>, options: Options<'_>, data: &Bound<'_, PyAny>) -> PyResult<Table> {
    let engine = options.engine()?.with_progress(Arc::default());
    let stages = Stages::new(engine.clone());
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("sketch", DataType::LargeBinary, false),
    ]));
    let batches = each_block(py, &options, data, &engine, |articles| {
        let (mut ids, mut sketches) = (StringBuilder::new(), LargeBinaryBuilder::new());
        let (mut sketcher, mut packed) = (stages.sketcher(), Vec::new());
        for article in &articles {
            sketcher.sketch(article, &mut packed);
            ids.append_value(article.id.as_str());
            sketches.append_value(&packed);
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(ids.finish()), Arc::new(sketches.finish())];
        Ok(RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns are of the schema's types"))
    })?;
    Ok(Table::new((schema, batches.into_iter())))
}

/// What each sketch of `first` is to the one beside it in `second`: relation and score.
#[pyfunction]
pub(crate) fn verify(
    py: Python<'_>,
    options: Options<'_>,
    first: &Bound<'_, PyAny>,
    second: &Bound<'_, PyAny>,
) -> PyResult<Table> {
    let stages = Stages::new(options.engine()?);
    let [first, second] = [sketches_of(py, first)?, sketches_of(py, second)?];
    let [num_first, num_second] = [&first, &second].map(|arrays| arrays.iter().map(|a| a.len()).sum::<usize>());
    if num_first != num_second {
        return Err(DataError::new_err(format!(
            "{num_first} sketches beside {num_second}; expected two columns of one length, a pair a row"
        )));
    }
    let progress = Progress::default();
    let (mut relations, mut scores) = released(py, &progress, || {
        let (mut relations, mut scores) = (StringBuilder::new(), Float64Builder::new());
        let mut scratch = Scratch::default();
        let pairs: Vec<[&[u8]; 2]> = bytes_of(&first).zip(bytes_of(&second)).map(|(a, b)| [a, b]).collect();
        for some in pairs.chunks(PAIRS_AT_ONCE) {
            if progress.is_canceled() {
                return Err(Error::Canceled);
            }
            let articles = stages.unpack(some.iter().flatten().copied())?;
            for pair in 0..some.len() as u32 {
                let [a, b] = [2 * pair, 2 * pair + 1].map(|rank| articles.get(rank));
                let (relation, probability_e4) = stages.relation_to(&a, &b, &mut scratch);
                relations.append_value(name_to_representative(relation));
                scores.append_value(f64::from(probability_e4) / 10_000.0);
            }
        }
        Ok((relations, scores))
    })?;
    let schema = Arc::new(Schema::new(vec![
        Field::new("relation", DataType::Utf8, false),
        Field::new("score", DataType::Float64, false),
    ]));
    let columns: Vec<ArrayRef> = vec![Arc::new(relations.finish()), Arc::new(scores.finish())];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|error| bad_arrow(&error))?;
    Ok(Table::new((schema, std::iter::once(batch))))
}

/// Arrays of sketches, looked at.
fn sketches_of(py: Python<'_>, object: &Bound<'_, PyAny>) -> PyResult<Vec<ArrayRef>> {
    let expected = "expected the column 'sketch' of sketch(): binary values";
    let Some(arrays) = arrays_of(object)? else {
        return Err(DataTypeError::new_err(format!("no object of Arrow's; {expected}")));
    };
    if !matches!(arrays.field.data_type(), DataType::Binary | DataType::LargeBinary) {
        return Err(DataTypeError::new_err(format!("an array of {}; {expected}", arrays.field.data_type())));
    }
    let arrays = py.detach(|| arrays.map(|array| checked(&array?)).collect::<std::result::Result<Vec<_>, _>>());
    let arrays = arrays.map_err(|error| bad_arrow(&error))?;
    let mut row = 0;
    for array in &arrays {
        if let Some(null) = (0..array.len()).find(|at| array.is_null(*at)) {
            return Err(DataError::new_err(format!("row {}: no sketch (null); leave the pair out", row + null)));
        }
        row += array.len();
    }
    Ok(arrays)
}

fn bytes_of(arrays: &[ArrayRef]) -> impl Iterator<Item = &[u8]> {
    arrays.iter().flat_map(|array| (0..array.len()).map(move |at| value_at(array, at)))
}

fn value_at(array: &ArrayRef, at: usize) -> &[u8] {
    match array.data_type() {
        DataType::Binary => array.as_binary::<i32>().value(at),
        _ => array.as_binary::<i64>().value(at),
    }
}
