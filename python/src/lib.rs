//! The native half of the Python package `samestory`.

mod capsule;
mod error;
mod stages;

use pyo3::prelude::*;

/// The native half of the package: use `samestory`, which has it all. Each module brings its own items, a line each.
#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::stages::Stages;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
