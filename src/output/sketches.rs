//! Sketches of articles as rows, for other pipelines.

#[cfg(feature = "parquet")]
use super::parquet::{failed, properties_of};
use super::{Format, Output};
use crate::engine::stages::Sketches;
use crate::error::Result;
use crate::profile::Profile;
#[cfg(feature = "parquet")]
use arrow_array::builder::{FixedSizeListBuilder, ListBuilder, StringBuilder, UInt32Builder, UInt64Builder};
#[cfg(feature = "parquet")]
use arrow_array::{ArrayRef, RecordBatch};
#[cfg(feature = "parquet")]
use parquet::arrow::ArrowWriter;
#[cfg(feature = "parquet")]
use std::sync::Arc;

/// Rows that are held before they are written to Parquet: some 2 kB each.
#[cfg(feature = "parquet")]
const GROUP_LEN: usize = 1 << 14;

/// An article's id and its sketches.
pub type SketchRow = (String, Sketches);

/// Writes rows of sketches as they come: JSON lines, or Parquet with the same columns.
#[derive(Debug)]
pub struct SketchWriter<'o> {
    target: Target<'o>,
}

#[derive(Debug)]
enum Target<'o> {
    Lines(&'o mut Output),
    #[cfg(feature = "parquet")]
    Rows {
        writer: Box<ArrowWriter<&'o mut Output>>,
        num_slots: usize,
        path: std::path::PathBuf,
    },
}

impl<'o> SketchWriter<'o> {
    /// Begins a table; what is neither Parquet nor asked for by name is written as JSON lines.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(output: &'o mut Output, format: Format, profile: &Profile) -> Result<Self> {
        #[cfg(feature = "parquet")]
        if format == Format::Parquet {
            let path = output.path().to_path_buf();
            let num_slots = profile.sketch().num_slots;
            let properties = properties_of(profile.name(), (profile.sketch_id(), profile.verdict_id())).into_builder();
            let properties = properties.set_max_row_group_row_count(Some(GROUP_LEN)).build();
            let schema = batch_of(&[], num_slots).schema();
            let writer =
                ArrowWriter::try_new(output, schema, Some(properties)).map_err(|error| failed(&path, error))?;
            return Ok(Self { target: Target::Rows { writer: Box::new(writer), num_slots, path } });
        }
        let _ = (format, profile);
        Ok(Self { target: Target::Lines(output) })
    }

    /// Writes the next rows.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, rows: &[SketchRow]) -> Result<()> {
        match &mut self.target {
            Target::Lines(output) => {
                let mut lines = String::new();
                rows.iter().for_each(|row| push_line(row, &mut lines));
                output.write(lines.as_bytes())
            }
            #[cfg(feature = "parquet")]
            Target::Rows { writer, num_slots, path } => {
                writer.write(&batch_of(rows, *num_slots)).map_err(|error| failed(path, error))
            }
        }
    }

    /// Writes what is held.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<()> {
        match self.target {
            Target::Lines(_) => Ok(()),
            #[cfg(feature = "parquet")]
            Target::Rows { writer, path, .. } => writer.close().map(drop).map_err(|error| failed(&path, error)),
        }
    }
}

fn hex(exact_key: u128) -> String {
    format!("{exact_key:032x}")
}

/// Hashes are hexadecimal text: JSON's numbers have 53 bits everywhere.
fn push_line((id, sketches): &SketchRow, lines: &mut String) {
    let Sketches { exact_key, fingerprint, signature, keys } = sketches;
    let exact_key = serde_json::Value::from(exact_key.map(hex));
    let signature = if signature.is_empty() { "null".to_string() } else { serde_json::json!(signature).to_string() };
    let (id, keys) = (serde_json::Value::from(id.as_str()), serde_json::json!(keys));
    lines.push_str(&format!(
        "{{\"id\":{id},\"exact_key\":{exact_key},\"fingerprint\":\"{fingerprint:016x}\",\"signature\":{signature},\"keys\":{keys}}}\n"
    ));
}

#[cfg(feature = "parquet")]
fn batch_of(rows: &[SketchRow], num_slots: usize) -> RecordBatch {
    let (mut ids, mut exact_keys) = (StringBuilder::new(), StringBuilder::new());
    let mut fingerprints = UInt64Builder::new();
    let mut signatures = FixedSizeListBuilder::new(UInt32Builder::new(), num_slots as i32);
    let mut keys = ListBuilder::new(UInt64Builder::new());
    for (id, sketches) in rows {
        ids.append_value(id);
        exact_keys.append_option(sketches.exact_key.map(hex));
        fingerprints.append_value(sketches.fingerprint);
        let has_slots = sketches.signature.len() == num_slots;
        for slot in 0..num_slots {
            signatures.values().append_value(if has_slots { sketches.signature[slot] } else { 0 });
        }
        signatures.append(has_slots);
        keys.values().append_slice(&sketches.keys);
        keys.append(true);
    }
    let columns: [(&str, ArrayRef, bool); 5] = [
        ("id", Arc::new(ids.finish()), false),
        ("exact_key", Arc::new(exact_keys.finish()), true),
        ("fingerprint", Arc::new(fingerprints.finish()), false),
        ("signature", Arc::new(signatures.finish()), true),
        ("keys", Arc::new(keys.finish()), false),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns are of one length")
}
