//! Columns of the rows that come in, and builders of those that go out.

use crate::capsule::{arrays_of, bad_arrow, batch_of, checked, stream_capsule};
use crate::error::{DataError, DataTypeError};
use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBuilder, Int8Builder, Int32Builder, Int64Builder, StringBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::sync::Arc;

/// Bytes of texts and packed articles after which a batch ends: far less than a column may hold.
const BATCH_BYTES: usize = 64 << 20;

/// Rows that a stage gives: Arrow's stream, for whoever takes one.
#[pyclass(frozen, module = "samestory._native")]
pub(crate) struct Rows {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

#[pymethods]
impl Rows {
    /// As they are: a schema that is asked for is a wish, by the interface's own words.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        stream_capsule(py, Arc::clone(&self.schema), self.batches.clone())
    }
}

/// A row, where it stands.
pub(super) type Row<'a> = (&'a RecordBatch, usize);

/// The batches of an object that speaks Arrow.
pub(super) fn batches_of(object: &Bound<'_, PyAny>) -> PyResult<Vec<RecordBatch>> {
    let arrays = arrays_of(object)?.ok_or_else(|| {
        let kind = object.get_type();
        DataTypeError::new_err(format!("expected rows of Arrow (a table, a batch), got {kind}"))
    })?;
    let batch = |array: Result<ArrayRef, _>| array.and_then(|array| batch_of(&checked(&array)?));
    arrays.map(batch).collect::<Result<_, _>>().map_err(|error| bad_arrow(&error))
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> PyResult<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| DataError::new_err(format!("a column '{name}' is missing")))
}

fn typed<'a, T: 'a>(
    batch: &'a RecordBatch,
    name: &str,
    cast: impl FnOnce(&'a ArrayRef) -> Option<&'a T>,
) -> PyResult<&'a T> {
    let column = column(batch, name)?;
    cast(column).ok_or_else(|| other_type(name, column.data_type()))
}

fn other_type(name: &str, data_type: &DataType) -> PyErr {
    DataTypeError::new_err(format!("the column '{name}' is of the type {data_type}, which no stage gives"))
}

pub(super) fn numbers<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> PyResult<&'a PrimitiveArray<T>> {
    typed(batch, name, |column| column.as_primitive_opt::<T>())
}

pub(super) fn bytes<'a>(batch: &'a RecordBatch, name: &str) -> PyResult<&'a BinaryArray> {
    typed(batch, name, |column| column.as_binary_opt::<i32>())
}

pub(super) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> PyResult<&'a StringArray> {
    typed(batch, name, |column| column.as_string_opt::<i32>())
}

pub(super) fn flags<'a>(batch: &'a RecordBatch, name: &str) -> PyResult<&'a BooleanArray> {
    typed(batch, name, |column| column.as_boolean_opt())
}

/// The numbers of a list in a row.
pub(super) fn listed(batch: &RecordBatch, name: &str, row: usize) -> PyResult<Vec<i64>> {
    let list = typed(batch, name, |column| column.as_list_opt::<i32>())?.value(row);
    let numbers = list.as_primitive_opt::<Int64Type>();
    numbers.map(|numbers| numbers.values().to_vec()).ok_or_else(|| other_type(name, list.data_type()))
}

/// Calls `each` with the rows of each group: those that follow one another and have one `key`.
pub(super) fn each_group<'a, K: PartialEq>(
    batches: &'a [RecordBatch],
    key: impl Fn(Row<'a>) -> PyResult<K>,
    mut each: impl FnMut(K, &[Row<'a>]) -> PyResult<()>,
) -> PyResult<()> {
    let mut group: Option<(K, Vec<Row<'a>>)> = None;
    for row in batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row))) {
        let key = key(row)?;
        match &mut group {
            Some((held, rows)) if *held == key => rows.push(row),
            _ => {
                if let Some((held, rows)) = group.replace((key, vec![row])) {
                    each(held, &rows)?;
                }
            }
        }
    }
    group.map_or(Ok(()), |(held, rows)| each(held, &rows))
}

/// A block of entries or pairs: two numbers of eight bytes each.
pub(super) fn block_of(of: &[(u64, u64)]) -> Vec<u8> {
    of.iter().flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()]).flatten().collect()
}

/// What is in a block.
pub(super) fn in_block(block: &[u8]) -> impl Iterator<Item = (u64, u64)> {
    block.as_chunks().0.iter().map(|pair: &[u8; 16]| {
        let pair = u128::from_le_bytes(*pair);
        (pair as u64, (pair >> 64) as u64)
    })
}

/// Numbers of four bytes.
pub(super) fn numbers_in(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word))
}

/// What stands in a row.
pub(super) enum Cell<'a> {
    Null,
    Byte(i8),
    Int(i32),
    Long(i64),
    Flag(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl Cell<'_> {
    pub(super) fn handle(handle: u64) -> Self {
        Self::Long(handle as i64)
    }
}

/// What a column holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Byte,
    Int,
    Long,
    Flag,
    Text,
    Bytes,
}

enum Builder {
    Byte(Int8Builder),
    Int(Int32Builder),
    Long(Int64Builder),
    Flag(BooleanBuilder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
}

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Byte => Self::Byte(Int8Builder::new()),
            Kind::Int => Self::Int(Int32Builder::new()),
            Kind::Long => Self::Long(Int64Builder::new()),
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Bytes => Self::Bytes(BinaryBuilder::new()),
        }
    }

    /// Appends a cell; how many bytes of text or packed form it has.
    fn push(&mut self, cell: &Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Byte(builder), Cell::Byte(value)) => builder.append_value(*value),
            (Self::Int(builder), Cell::Int(value)) => builder.append_value(*value),
            (Self::Long(builder), Cell::Long(value)) => builder.append_value(*value),
            (Self::Flag(builder), Cell::Flag(value)) => builder.append_value(*value),
            (Self::Text(builder), Cell::Text(value)) => {
                builder.append_value(value);
                return value.len();
            }
            (Self::Bytes(builder), Cell::Bytes(value)) => {
                builder.append_value(value);
                return value.len();
            }
            (Self::Byte(builder), _) => builder.append_null(),
            (Self::Int(builder), _) => builder.append_null(),
            (Self::Long(builder), _) => builder.append_null(),
            (Self::Flag(builder), _) => builder.append_null(),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Bytes(builder), _) => builder.append_null(),
        }
        0
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Byte(builder) => ArrayBuilder::finish(builder),
            Self::Int(builder) => ArrayBuilder::finish(builder),
            Self::Long(builder) => ArrayBuilder::finish(builder),
            Self::Flag(builder) => ArrayBuilder::finish(builder),
            Self::Text(builder) => ArrayBuilder::finish(builder),
            Self::Bytes(builder) => ArrayBuilder::finish(builder),
        }
    }
}

/// Rows that are made, in batches that no column outgrows.
pub(super) struct Table {
    schema: SchemaRef,
    builders: Vec<Builder>,
    batches: Vec<RecordBatch>,
    num_rows: usize,
    num_bytes: usize,
}

impl Table {
    pub(super) fn new(columns: &[(&str, Kind)]) -> Self {
        let field = |(name, kind): &(&str, Kind)| {
            let data_type = match kind {
                Kind::Byte => DataType::Int8,
                Kind::Int => DataType::Int32,
                Kind::Long => DataType::Int64,
                Kind::Flag => DataType::Boolean,
                Kind::Text => DataType::Utf8,
                Kind::Bytes => DataType::Binary,
            };
            Field::new(*name, data_type, true)
        };
        Self {
            schema: Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>())),
            builders: columns.iter().map(|(_, kind)| Builder::new(*kind)).collect(),
            batches: Vec::new(),
            num_rows: 0,
            num_bytes: 0,
        }
    }

    /// Appends a row; a cell of another kind than its column's is null.
    pub(super) fn push<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        debug_assert_eq!(N, self.builders.len());
        self.num_bytes += self.builders.iter_mut().zip(&cells).map(|(builder, cell)| builder.push(cell)).sum::<usize>();
        self.num_rows += 1;
        if self.num_bytes >= BATCH_BYTES {
            self.close();
        }
    }

    fn close(&mut self) {
        let columns: Vec<ArrayRef> = self.builders.iter_mut().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        self.batches.push(batch.expect("builders are of the schema's types, and each row has all columns"));
        (self.num_rows, self.num_bytes) = (0, 0);
    }

    pub(super) fn finish(mut self) -> Rows {
        if self.num_rows > 0 {
            self.close();
        }
        Rows { schema: self.schema, batches: self.batches }
    }
}
