//! The native half of the Python package `samestory`.

mod capsule;

use pyo3::prelude::*;

/// The native half of the package: use `samestory`, which has it all.
#[pymodule]
mod _native {
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
