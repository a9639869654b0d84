//! Shared by the unit tests: the slow twins.

pub(crate) mod naive;
