//! Orders, and what comes of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::listen::how::How;
use crate::store::recording::Form;

/// What a node is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Order {
    /// Have a line's phone ring, and listen to a call.
    Listen {
        /// Asterisk's unique id of the channel.
        uniqueid: String,
        /// The line.
        line: String,
        /// By whom it is heard.
        how: How,
    },
    /// End that.
    EndListening {
        /// Which.
        listening: Uuid,
    },
    /// Tell who listens.
    Listenings,
    /// Have a line's phone ring, and call a number.
    Call {
        /// The line.
        from: String,
        /// The number, as it would be dialled there.
        to: String,
    },
    /// Record a call that goes on.
    Record {
        /// Asterisk's unique id of the line's channel.
        uniqueid: String,
        /// How it is kept.
        form: Form,
    },
}

impl Order {
    /// What is to be done, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Order::Listen { .. } => "listen",
            Order::EndListening { .. } => "end_listening",
            Order::Listenings => "listenings",
            Order::Call { .. } => "call",
            Order::Record { .. } => "record",
        }
    }
}

/// What came of an order: what there is to tell, or why nothing was done.
pub type Outcome = Result<Value, Refused>;

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What kind of reason it is.
    pub why: Why,
    /// The reason, for people.
    pub error: String,
}

/// Kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// What it is about is not there.
    Missing,
    /// It cannot be meant so.
    Wrong,
    /// It is forbidden, as things are.
    Forbidden,
    /// What is needed for it is away.
    Away,
    /// The node took it, and has not said what came of it.
    Unknown,
}

impl Refused {
    /// For that reason.
    #[must_use]
    pub fn new(why: Why, error: impl Into<String>) -> Refused {
        Refused { why, error: error.into() }
    }
}
