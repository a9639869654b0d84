//! Shared by the unit tests and the fuzz targets: the slow twins.

#[cfg_attr(not(test), allow(dead_code, reason = "the fuzz targets use a part of them"))]
pub(crate) mod naive;
