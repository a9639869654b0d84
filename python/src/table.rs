//! Tables and columns of Arrow as Python objects: for whatever speaks the PyCapsule interface, and as plain Python.

use crate::capsule::{array_capsules, schema_capsule, stream_capsule};
use crate::error::{DataError, InternalError};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList, PyTuple};

/// Rows under named columns.
#[pyclass(frozen, module = "samestory")]
#[derive(Debug)]
pub(crate) struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Table {
    pub(crate) fn new((schema, batches): (SchemaRef, impl Iterator<Item = RecordBatch>)) -> Self {
        Self { schema, batches: batches.collect() }
    }

    fn column<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for batch in &self.batches {
            append(&list, batch.column(at).as_ref())?;
        }
        Ok(list)
    }
}

#[pymethods]
impl Table {
    /// How many rows.
    #[getter]
    fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// What the columns are called.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    fn __len__(&self) -> usize {
        self.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("<samestory.Table of {} rows: {}>", self.num_rows(), self.column_names().join(", "))
    }

    /// A column by its name, as a list.
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        match self.schema.index_of(name) {
            Ok(at) => self.column(py, at),
            Err(_) => {
                Err(DataError::new_err(format!("no column '{name}'; there are {}", self.column_names().join(", "))))
            }
        }
    }

    /// The columns as lists, by name.
    fn to_pydict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let columns = PyDict::new(py);
        for (at, field) in self.schema.fields().iter().enumerate() {
            columns.set_item(field.name(), self.column(py, at)?)?;
        }
        Ok(columns)
    }

    /// The rows as dicts.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let columns = (0..self.schema.fields().len()).map(|at| self.column(py, at)).collect::<PyResult<Vec<_>>>()?;
        let rows = PyList::empty(py);
        for number in 0..self.num_rows() {
            let row = PyDict::new(py);
            for (field, column) in self.schema.fields().iter().zip(&columns) {
                row.set_item(field.name(), column.get_item(number)?)?;
            }
            rows.append(row)?;
        }
        Ok(rows)
    }

    /// A data frame of pandas, which has to be installed.
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("pandas")?.call_method1("DataFrame", (self.to_pydict(py)?,))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer give what it has.
        drop(requested_schema);
        stream_capsule(py, self.schema.clone(), self.batches.clone())
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }
}

/// Values of one type.
#[pyclass(frozen, module = "samestory")]
#[derive(Debug)]
pub(crate) struct Column {
    array: ArrayRef,
}

impl Column {
    pub(crate) fn new(array: ArrayRef) -> Self {
        Self { array }
    }
}

#[pymethods]
impl Column {
    fn __len__(&self) -> usize {
        self.array.len()
    }

    fn __repr__(&self) -> String {
        format!("<samestory.Column of {} × {}>", self.array.len(), self.array.data_type())
    }

    /// The values as a list.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        append(&list, self.array.as_ref())?;
        Ok(list)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        drop(requested_schema);
        array_capsules(py, self.array.as_ref())
    }
}

/// Appends the values of an array, of the types that answers have.
fn append(list: &Bound<'_, PyList>, array: &dyn Array) -> PyResult<()> {
    let py = list.py();
    macro_rules! each {
        ($values:expr) => {{
            for value in $values {
                list.append(value)?;
            }
            Ok(())
        }};
    }
    match array.data_type() {
        DataType::Utf8 => each!(array.as_string::<i32>().iter()),
        DataType::Float64 => each!(array.as_primitive::<Float64Type>().iter()),
        DataType::Int32 => each!(array.as_primitive::<Int32Type>().iter()),
        DataType::UInt32 => each!(array.as_primitive::<UInt32Type>().iter()),
        DataType::UInt64 => each!(array.as_primitive::<UInt64Type>().iter()),
        DataType::Boolean => each!(array.as_boolean().iter()),
        DataType::LargeBinary => {
            each!(array.as_binary::<i64>().iter().map(|value| value.map(|bytes| PyBytes::new(py, bytes))))
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let names = PyList::empty(py);
            append(&names, dictionary.values().as_ref())?;
            // Answers have no null among names.
            let keys = if names.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
            for key in keys {
                list.append(names.get_item(key)?)?;
            }
            Ok(())
        }
        DataType::FixedSizeList(_, _) => {
            for value in array.as_fixed_size_list().iter() {
                let Some(value) = value else {
                    list.append(py.None())?;
                    continue;
                };
                let own = PyList::empty(py);
                append(&own, value.as_ref())?;
                list.append(own.into_bound_py_any(py)?)?;
            }
            Ok(())
        }
        other => Err(InternalError::new_err(format!("no answer has a column of {other}"))),
    }
}
