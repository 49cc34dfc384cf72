//! What a step of a decision comes to: the decision, or another number to decide about.

use super::decision::{Decision, Dial};
use super::forward::Forward;

/// What a step of a decision comes to.
#[derive(Debug)]
pub(super) enum Turn {
    /// That is what becomes of the call.
    Decided(Decision),
    /// The caller means another number (behind a code, or of a speed dial).
    Dialled {
        /// As the line would dial it.
        number: String,
        /// Whether the caller's number is withheld, where the caller said so.
        privacy: Option<bool>,
    },
    /// Whom it was for wants it to go elsewhere.
    Forwarded(Box<Forward>),
}

impl Turn {
    /// The call is tried.
    pub(super) fn dial(call: Dial) -> Turn {
        Turn::Decided(Decision::Dial(Box::new(call)))
    }
}
