//! Shared by the unit tests, the slow twins by the fuzz targets too.

#[cfg_attr(not(test), allow(dead_code, reason = "the fuzz targets use a part of them"))]
pub(crate) mod naive;
#[cfg(test)]
pub(crate) mod tokens;
