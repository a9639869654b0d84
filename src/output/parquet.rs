//! Tables in Parquet: clusters and pairs with types, and the rows of a table that stay.

use super::Output;
use super::table::{differs_cell, share_e4};
use crate::engine::{Clustering, Pair};
use crate::error::{Error, Result};
use crate::input::ParquetFile;
use crate::profile::Measurement;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int32Builder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;

/// Rows that are put together before they are written.
const BATCH_LEN: usize = 1 << 14;

impl Write for &mut Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Output::write(self, bytes).map(|()| bytes.len()).map_err(std::io::Error::other)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What was wrong, as an error on the output's file: its own where that was it.
fn failed(output: &std::path::Path, error: ParquetError) -> Error {
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
    let (sketch_id, verdict_id) = clustering.profile_ids();
    let entry = |key: &str, value: String| KeyValue::new(format!("samestory.{key}"), value);
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(vec![
            entry("version", env!("CARGO_PKG_VERSION").to_string()),
            entry("profile", clustering.profile().name().to_string()),
            entry("sketch_id", sketch_id),
            entry("verdict_id", verdict_id),
        ]))
        .build()
}

/// A table that is being written.
struct Table<'a> {
    path: std::path::PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<&'a mut Output>,
}

impl<'a> Table<'a> {
    fn new(output: &'a mut Output, fields: Vec<Field>, properties: WriterProperties) -> Result<Self> {
        let path = output.path().to_path_buf();
        let schema = Arc::new(Schema::new(fields));
        let writer = ArrowWriter::try_new(output, Arc::clone(&schema), Some(properties));
        Ok(Self { writer: writer.map_err(|error| failed(&path, error))?, schema, path })
    }

    fn write(&mut self, columns: Vec<ArrayRef>) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).expect("columns are of the schema's types");
        self.writer.write(&batch).map_err(|error| failed(&self.path, error))
    }

    fn close(self) -> Result<()> {
        self.writer.close().map(drop).map_err(|error| failed(&self.path, error))
    }
}

/// A column of names of which there are few.
fn named(name: &str) -> Field {
    Field::new_dictionary(name, DataType::Int8, DataType::Utf8, false)
}

fn relations(names: impl Iterator<Item = &'static str>) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<Int8Type>::new();
    names.for_each(|name| builder.append_value(name));
    Arc::new(builder.finish())
}

/// Writes one row an article: as [`super::write_clusters`], the score a number of double precision.
pub(super) fn write_clusters(clustering: &Clustering, output: &mut Output) -> Result<()> {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let fields = vec![
        text("id"),
        text("cluster"),
        text("representative"),
        named("relation"),
        Field::new("score", DataType::Float64, false),
        Field::new("size", DataType::Int32, false),
    ];
    let mut table = Table::new(output, fields, properties(clustering))?;
    for members in clustering.members.chunks(BATCH_LEN) {
        let ids = |of: fn(&crate::engine::Member) -> u32| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(members.iter().map(|m| clustering.articles.get(of(m)).id())))
        };
        let (mut scores, mut sizes) = (Float64Builder::new(), Int32Builder::new());
        for member in members {
            scores.append_value(f64::from(member.probability_e4) / 10_000.0);
            sizes.append_value(i32::try_from(member.size).unwrap_or(i32::MAX));
        }
        table.write(vec![
            ids(|member| member.article),
            ids(|member| member.cluster),
            ids(|member| member.representative),
            relations(members.iter().map(|member| member.relation.map_or("self", |relation| relation.name()))),
            Arc::new(scores.finish()),
            Arc::new(sizes.finish()),
        ])?;
    }
    table.close()
}

/// Writes one row a pair: as [`super::write_pairs`], evidence in a column a measurement, `differs` as JSON.
pub(super) fn write_pairs(clustering: &Clustering, pairs: &[Pair], output: &mut Output) -> Result<()> {
    let mut fields = vec![
        Field::new("a", DataType::Utf8, false),
        Field::new("b", DataType::Utf8, false),
        named("relation"),
        Field::new("score", DataType::Float64, false),
        Field::new("correction", DataType::Boolean, false),
    ];
    fields.extend(Measurement::ALL.map(|measurement| Field::new(measurement.name(), DataType::Float64, true)));
    fields.push(Field::new("differs", DataType::Utf8, true));
    let mut table = Table::new(output, fields, properties(clustering))?;
    for pairs in pairs.chunks(BATCH_LEN) {
        let ids = |of: fn(&Pair) -> u32| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(pairs.iter().map(|p| clustering.articles.get(of(p)).id())))
        };
        let (mut scores, mut corrections) = (Float64Builder::new(), BooleanBuilder::new());
        let mut differs = StringBuilder::new();
        let mut evidence: Vec<Float64Builder> = Measurement::ALL.iter().map(|_| Float64Builder::new()).collect();
        for pair in pairs {
            scores.append_value(f64::from(pair.probability_e4()) / 10_000.0);
            corrections.append_value(pair.verdict.as_ref().is_some_and(|verdict| verdict.is_correction));
            differs.append_option(differs_cell(clustering, pair));
            let verdict = pair.verdict.as_ref().filter(|verdict| verdict.evidence.is_complete);
            for (number, column) in evidence.iter_mut().enumerate() {
                let value = verdict.map(|verdict| share_e4(verdict.evidence.values[number]) as f64 / 10_000.0);
                column.append_option(value);
            }
        }
        let mut columns = vec![
            ids(|pair| pair.a),
            ids(|pair| pair.b),
            relations(pairs.iter().map(|pair| pair.relation().name())),
            Arc::new(scores.finish()) as ArrayRef,
            Arc::new(corrections.finish()),
        ];
        columns.extend(evidence.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.push(Arc::new(differs.finish()));
        table.write(columns)?;
    }
    table.close()
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
