//! Tables in Parquet: clusters and pairs with types, and the rows of a table that stay.

use super::Output;
use super::batch::{cluster_batches, pair_batches};
use crate::engine::{Clustering, Pair};
use crate::error::{Error, Result};
use crate::input::ParquetFile;
use arrow_array::{BooleanArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;

impl Write for &mut Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Output::write(self, bytes).map(|()| bytes.len()).map_err(std::io::Error::other)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What was wrong, as an error on the output's file: its own where that was it.
pub(super) fn failed(output: &std::path::Path, error: ParquetError) -> Error {
    if let ParquetError::External(source) = error {
        return match source.downcast::<std::io::Error>() {
            Ok(error) => Error::io(output, "write", *error),
            Err(other) => Error::io(output, "write", std::io::Error::other(other)),
        };
    }
    Error::io(output, "write", std::io::Error::other(error))
}

/// What stands in the metadata: what made the table, and under which profile.
fn properties(clustering: &Clustering) -> WriterProperties {
    properties_of(clustering.profile().name(), clustering.profile_ids())
}

/// The same under a profile of that name, with these ids of sketch and verdict.
pub(super) fn properties_of(profile: &str, (sketch_id, verdict_id): (String, String)) -> WriterProperties {
    let entry = |key: &str, value: String| KeyValue::new(format!("samestory.{key}"), value);
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(vec![
            entry("version", env!("CARGO_PKG_VERSION").to_string()),
            entry("profile", profile.to_string()),
            entry("sketch_id", sketch_id),
            entry("verdict_id", verdict_id),
        ]))
        .build()
}

/// Writes one row an article: as [`super::write_clusters`], the score a number of double precision.
pub(super) fn write_clusters(clustering: &Clustering, output: &mut Output) -> Result<()> {
    let (schema, batches) = cluster_batches(clustering);
    write_batches(schema, batches, properties(clustering), output)
}

/// Writes one row a pair: as [`super::write_pairs`], evidence in a column a measurement, `differs` as JSON.
pub(super) fn write_pairs(clustering: &Clustering, pairs: &[Pair], output: &mut Output) -> Result<()> {
    let (schema, batches) = pair_batches(clustering, pairs);
    write_batches(schema, batches, properties(clustering), output)
}

fn write_batches(
    schema: SchemaRef,
    batches: impl Iterator<Item = RecordBatch>,
    properties: WriterProperties,
    output: &mut Output,
) -> Result<()> {
    let path = output.path().to_path_buf();
    let failed = |error| failed(&path, error);
    let mut writer = ArrowWriter::try_new(output, schema, Some(properties)).map_err(failed)?;
    for batch in batches {
        writer.write(&batch).map_err(failed)?;
    }
    writer.close().map(drop).map_err(failed)
}

/// A row of a file: which file, and its number there.
pub type RowOf<'a> = (&'a Arc<ParquetFile>, u64);

/// Writes rows of files with the same columns, in the order of files and rows; with `why` two more columns,
/// `duplicate_of` and `relation`, which say of each row what it repeats.
///
/// # Errors
/// When a file cannot be read again, or the output cannot be written.
pub fn write_rows(
    rows: &[RowOf<'_>],
    why: Option<&[(String, &str)]>,
    like: &ParquetFile,
    output: &mut Output,
) -> Result<()> {
    let schema = like.schema();
    let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    if why.is_some() {
        fields.extend(["duplicate_of", "relation"].map(|name| Field::new(name, DataType::Utf8, false)));
    }
    let path = output.path().to_path_buf();
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let with_more = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let writer = ArrowWriter::try_new(output, Arc::clone(&with_more), Some(properties));
    let mut writer = writer.map_err(|error| failed(&path, error))?;
    let mut at = 0;
    while at < rows.len() {
        let file = rows[at].0;
        let mut first = 0;
        file.read_all(|batch| {
            let end = first + batch.num_rows() as u64;
            let (mut mask, mut reasons) = (vec![false; batch.num_rows()], Vec::new());
            while let Some((_, row)) = rows.get(at).filter(|(of, row)| Arc::ptr_eq(of, file) && *row < end) {
                mask[(row - first) as usize] = true;
                reasons.extend(why.map(|why| &why[at]));
                at += 1;
            }
            first = end;
            let kept = arrow_select::filter::filter_record_batch(&batch, &BooleanArray::from(mask));
            let kept = kept.map_err(|error| failed(&path, error.into()))?;
            let mut columns = kept.columns().to_vec();
            if why.is_some() {
                columns.push(Arc::new(StringArray::from_iter_values(reasons.iter().map(|(id, _)| id))));
                columns.push(Arc::new(StringArray::from_iter_values(reasons.iter().map(|(_, relation)| relation))));
            }
            let batch = RecordBatch::try_new(Arc::clone(&with_more), columns);
            let batch = batch.map_err(|error| failed(&path, error.into()))?;
            writer.write(&batch).map_err(|error| failed(&path, error))
        })?;
        // Rows that are not there any more: the file was changed meanwhile.
        while rows.get(at).is_some_and(|(of, _)| Arc::ptr_eq(of, file)) {
            at += 1;
        }
    }
    writer.close().map(drop).map_err(|error| failed(&path, error))
}
