//! What an operator runs beside the service.

pub mod import;
