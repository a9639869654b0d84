//! Arrow's PyCapsule interface: arrays and tables to and from whatever else speaks it, without a copy of their buffers.
//!
//! The only unsafe code of the crate. A capsule of a known name holds a pointer to a C struct of Arrow's; taking it out
//! moves the struct, so that the capsule's destructor finds it released
//! (<https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>). Whoever made the capsule is trusted
//! to have put there what its name says, and no further: what is read of an array is validated first ([`checked`]).
#![allow(unsafe_code, reason = "the C interface of Arrow is pointers")]

use crate::error::{DataError, DataTypeError, words_of};
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchIterator, StructArray, make_array};
use arrow_schema::{ArrowError, FieldRef, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// What was wrong with an array of another's.
pub(crate) fn bad_arrow(error: &ArrowError) -> PyErr {
    DataError::new_err(format!("Arrow data cannot be read: {error}"))
}

/// Arrays of one type, one after another.
pub(crate) struct Arrays {
    /// What they are: a struct for the batches of a table.
    pub(crate) field: FieldRef,
    arrays: Box<dyn Iterator<Item = Result<ArrayRef, ArrowError>> + Send>,
}

impl Iterator for Arrays {
    type Item = Result<ArrayRef, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        guarded(|| self.arrays.next().transpose()).transpose()
    }
}

/// What `read` says; where it panics, as Arrow does on arrays that are not of their schema, an error.
fn guarded<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(ArrowError::CDataInterface(words_of(panic.as_ref()).to_string())))
}

/// The arrays of an object with `__arrow_c_stream__` or `__arrow_c_array__`; `None` where it has neither.
///
/// # Errors
/// What the object raises; `ValueError` when what it gives is no Arrow.
pub(crate) fn arrays_of(object: &Bound<'_, PyAny>) -> PyResult<Option<Arrays>> {
    if object.hasattr("__arrow_c_stream__")? {
        let capsule = object.call_method0("__arrow_c_stream__")?;
        let capsule = capsule.cast::<PyCapsule>().map_err(|_| no_capsule("__arrow_c_stream__"))?;
        let pointer = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
        // SAFETY: by the capsule's name the pointer is to a stream, valid while the capsule is held; `from_raw` moves it
        // out and leaves one that is released in its place.
        let reader = unsafe { ArrayStreamReader::from_raw(pointer.as_ptr()) }.map_err(|error| bad_arrow(&error))?;
        let field = Arc::clone(arrow_array::ArrayReader::field(&reader));
        return Ok(Some(Arrays { field, arrays: Box::new(reader) }));
    }
    if object.hasattr("__arrow_c_array__")? {
        let capsules = object.call_method0("__arrow_c_array__")?;
        let capsules = capsules.cast::<PyTuple>().map_err(|_| no_capsule("__arrow_c_array__"))?;
        let [schema, array] = [0, 1].map(|at| capsules.get_item(at));
        let (schema, array) = (schema?, array?);
        let schema = schema.cast::<PyCapsule>().map_err(|_| no_capsule("__arrow_c_array__"))?;
        let array = array.cast::<PyCapsule>().map_err(|_| no_capsule("__arrow_c_array__"))?;
        let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
        let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
        // SAFETY: by the capsules' names the pointers are to a schema and an array, valid while the capsules are held;
        // `from_raw` moves them out and leaves ones that are released in their places.
        let (schema, array) =
            unsafe { (FFI_ArrowSchema::from_raw(schema.as_ptr()), FFI_ArrowArray::from_raw(array.as_ptr())) };
        let field = arrow_schema::Field::try_from(&schema).map_err(|error| bad_arrow(&error))?;
        let array = guarded(|| {
            // SAFETY: both came from one `__arrow_c_array__`, so that the schema is that of the array.
            let data = unsafe { from_ffi(array, &schema) }?;
            Ok(make_array(data))
        });
        let array = array.map_err(|error| bad_arrow(&error))?;
        return Ok(Some(Arrays { field: Arc::new(field), arrays: Box::new(std::iter::once(Ok(array))) }));
    }
    Ok(None)
}

fn no_capsule(method: &str) -> PyErr {
    DataTypeError::new_err(format!("{method} did not return what Arrow's PyCapsule interface says"))
}

/// The array, with its offsets, texts and keys looked at: those of a careless producer are refused, not followed.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn checked(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    guarded(|| {
        let data = array.to_data();
        data.validate_full()?;
        Ok(make_array(data))
    })
}

/// The rows of a struct array as a batch.
///
/// # Errors
/// When it is no struct, or some of its rows are null.
pub(crate) fn batch_of(array: &ArrayRef) -> Result<RecordBatch, ArrowError> {
    match array.as_any().downcast_ref::<StructArray>() {
        Some(rows) if rows.null_count() == 0 => Ok(RecordBatch::from(rows.clone())),
        Some(_) => Err(ArrowError::InvalidArgumentError("a row is null".to_string())),
        None => Err(ArrowError::InvalidArgumentError(format!("expected rows, got {}", array.data_type()))),
    }
}

/// A stream capsule of batches: what `__arrow_c_stream__` returns.
///
/// # Errors
/// When Python is out of memory.
pub(crate) fn stream_capsule<'py>(
    py: Python<'py>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let reader = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    // The capsule's contents begin with the stream; its drop releases one that nobody has moved out.
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
}

/// The two capsules of an array: what `__arrow_c_array__` returns.
///
/// # Errors
/// When the type has no form in C.
pub(crate) fn array_capsules<'py>(py: Python<'py>, array: &dyn Array) -> PyResult<Bound<'py, PyTuple>> {
    let (array, schema) = to_ffi(&array.to_data()).map_err(|error| bad_arrow(&error))?;
    let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
    let array = PyCapsule::new_with_value(py, array, ARRAY)?;
    PyTuple::new(py, [schema, array])
}

/// The schema capsule of a table: what `__arrow_c_schema__` returns.
///
/// # Errors
/// When the type has no form in C.
pub(crate) fn schema_capsule<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref()).map_err(|error| bad_arrow(&error))?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}
