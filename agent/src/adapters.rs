//! [`crate::call::Call`] over each transport.

pub mod fastagi;
