//! An order to a node: what somebody wants of it, and what came of that.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// An order is of no use after so long.
const GOOD_FOR: TimeDelta = TimeDelta::seconds(30);

/// An order as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeOrder {
    /// Its id, of version 7.
    pub id: Uuid,
    /// The node that is to do it.
    pub node: String,
    /// What is to be done, in a word.
    pub kind: &'static str,
    /// All of it, as JSON.
    pub body: String,
    /// Who wants it.
    pub ordered_by: String,
    /// Since when.
    pub ordered_at: DateTime<Utc>,
    /// By which try it is taken already.
    pub taken_by: Option<Uuid>,
}

impl NodeOrder {
    /// Until when it may be taken.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.ordered_at + GOOD_FOR
    }
}

/// An order that waits for its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingOrder {
    /// Its id.
    pub id: Uuid,
    /// What is to be done, as JSON.
    pub body: String,
    /// Who wants it.
    pub ordered_by: String,
}

/// How an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderState {
    /// The node.
    pub node: String,
    /// What was to be done, in a word.
    pub kind: String,
    /// What came of it, as JSON, once it is done.
    pub outcome: Option<String>,
}
