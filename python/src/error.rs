//! The library's errors as Python's exceptions (`samestory/errors.py`), in words that name what Python calls things.

use pyo3::prelude::*;
use samestory::Error;
use std::any::Any;

/// The exceptions, as the package has them.
mod class {
    use pyo3::import_exception;

    import_exception!(samestory.errors, DataError);
    import_exception!(samestory.errors, DataTypeError);
    import_exception!(samestory.errors, FileError);
    import_exception!(samestory.errors, IndexDamagedError);
    import_exception!(samestory.errors, IndexInUseError);
    import_exception!(samestory.errors, InternalError);
    import_exception!(samestory.errors, OptionError);
    import_exception!(samestory.errors, OtherIndexError);
    import_exception!(samestory.errors, ProfileError);
    import_exception!(samestory.errors, RepeatedIdError);
    import_exception!(samestory.errors, StoredIndexError);
}
pub(crate) use class::{DataError, DataTypeError, InternalError, OptionError, ProfileError, StoredIndexError};

/// The exception that an error is.
pub(crate) fn raised(error: Error) -> PyErr {
    let text = error.to_string();
    match error {
        Error::RepeatedId { id, first, second } => class::RepeatedIdError::new_err(format!(
            "id '{id}' stands for two texts: {first} and {second}; versions of one article need versions='newest', \
             other articles ids of their own"
        )),
        Error::BadRecord { .. } | Error::Labels { .. } | Error::Packed { .. } => DataError::new_err(text),
        Error::ProfileSyntax { .. }
        | Error::ProfileField { .. }
        | Error::Weights { .. }
        | Error::OtherSketch { .. } => ProfileError::new_err(text),
        Error::OtherIndex { field, .. } => {
            let fix = match field {
                "verdict" => "open it under the profile it was made with, or judge it anew: samestory index compact",
                _ => "open it as it was made, or add its articles to a new one",
            };
            class::OtherIndexError::new_err(format!("{text}; {fix}"))
        }
        Error::NoIndex { folder } => class::StoredIndexError::new_err(format!(
            "{}: no index here; Index.open(path) without mode='r' makes one",
            folder.display()
        )),
        Error::IndexInUse { folder } => class::IndexInUseError::new_err(format!(
            "{}: another process, or another Index of this one, writes this index; one can at a time, \
             Index.open(path, mode='r') reads beside it",
            folder.display()
        )),
        Error::IndexDamaged { .. } => class::IndexDamagedError::new_err(text),
        Error::ForeignFolder { .. } | Error::IndexFormat { .. } | Error::IndexHalted { .. } | Error::StaleOffer => {
            class::StoredIndexError::new_err(text)
        }
        Error::Io { .. } => class::FileError::new_err(text),
        Error::Threads { .. } => OptionError::new_err(text),
        _ => class::InternalError::new_err(text),
    }
}

/// The exception that a panic is: none crosses the border.
pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> PyErr {
    let said = words_of(panic);
    InternalError::new_err(format!("samestory has failed: {said}; please report it with what was being done"))
}

/// What a panic said.
pub(crate) fn words_of(panic: &(dyn Any + Send)) -> &str {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    said.unwrap_or("without a word")
}
