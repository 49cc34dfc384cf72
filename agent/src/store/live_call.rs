//! A call that goes on, one leg of it: a channel of a line or a gateway.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One leg of a call that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCall {
    /// Asterisk's unique id of the channel.
    pub uniqueid: String,
    /// That of the channel that called this one, or its own; of a leg that was there before the agent, its own, too.
    pub linked_id: String,
    /// `PJSIP/1001-00000012`.
    pub channel: String,
    /// Whether it calls or is called.
    pub side: Side,
    /// The line whose channel it is, if it is one's.
    pub line_id: Option<String>,
    /// The gateway whose channel it is, if it is one's.
    pub gateway_id: Option<String>,
    /// The account that pays or, from outside, is called; of a called leg, whose line it is.
    pub account_id: Option<String>,
    /// The caller's number, as this leg knows it; may be empty.
    pub shown_number: String,
    /// What the caller dialled; may be empty.
    pub dialled: String,
    /// How far it is.
    pub state: State,
    /// When the channel came to be.
    pub began_at: DateTime<Utc>,
    /// When it was answered; of one that was answered before the agent came, not known.
    pub answered_at: Option<DateTime<Utc>>,
}

/// On which side of a call a leg is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Who calls.
    Makes,
    /// Who is called.
    Takes,
}

impl Side {
    /// As the database calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Side::Makes => "makes",
            Side::Takes => "takes",
        }
    }
}

/// How far a leg is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It was not answered yet.
    Rings,
    /// It was answered.
    Talks,
}

impl State {
    /// As the database calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Rings => "rings",
            State::Talks => "talks",
        }
    }
}

/// A leg on some node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedCall {
    /// The node.
    pub node: String,
    /// The leg.
    #[serde(flatten)]
    pub call: LiveCall,
}

/// Which legs are asked for: all, or those of whom is named.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Which {
    /// The node.
    pub node: Option<String>,
    /// The line.
    pub line: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The gateway.
    pub gateway: Option<String>,
}

impl Which {
    /// Whether this is one of them.
    #[must_use]
    pub fn is(&self, ListedCall { node, call }: &ListedCall) -> bool {
        let is = |wanted: &Option<String>, id: Option<&String>| wanted.is_none() || wanted.as_ref() == id;
        is(&self.node, Some(node))
            && is(&self.line, call.line_id.as_ref())
            && is(&self.account, call.account_id.as_ref())
            && is(&self.gateway, call.gateway_id.as_ref())
    }
}
