//! The native half of the Python package `samestory`.

mod answer;
mod article;
mod capsule;
mod compare;
mod error;
mod index;
mod kernels;
mod minhash;
mod options;
mod run;
mod stages;
mod table;

use pyo3::prelude::*;

/// The native half of the package: use `samestory`, which has it all. Each module brings its own items, a line each.
#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use answer::{Answer, fit};
    #[pymodule_export]
    use compare::compare;
    #[pymodule_export]
    use index::Store;
    #[pymodule_export]
    use kernels::{band_keys, choose_bands, signatures, sketch, verify};
    #[pymodule_export]
    use minhash::MinHash;
    #[pymodule_export]
    use options::{Profile, read_parameters};
    #[pymodule_export]
    use stages::Stages;
    #[pymodule_export]
    use table::{Column, Table};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
