//! The central database, as nouns and questions.
//!
//! `Ok(None)` is "not found"; [`StoreError`] is "could not be asked". sqlx lives below this module only.

pub mod caller;
pub mod destination;
pub mod target;

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer within the deadline, from any host.
    #[error("{0}")]
    Slow(String),
    /// No host could be reached or was ready.
    #[error("{0}")]
    Unavailable(String),
    /// The database answered something that we do not understand: a fault of the schema, a statement or the data.
    #[error("{0}")]
    Broken(String),
}
