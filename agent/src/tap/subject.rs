//! Whose channel is tapped.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::store::recording::Direction;

/// A channel, as far as recording it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name in Asterisk.
    pub channel: String,
    /// Its id there.
    pub uniqueid: String,
    /// What ties it to the other channels of the call.
    pub linked_id: String,
    /// The line whose phone it is, if it is one's.
    pub line_id: Option<String>,
    /// That line's account, where it is known.
    pub account_id: Option<String>,
    /// Which way the call goes, seen from there.
    pub direction: Direction,
    /// Its number, as Asterisk knows it.
    pub line_number: String,
    /// The number of whom it talks with.
    pub other_number: String,
    /// Since when there is the channel.
    pub since: DateTime<Utc>,
    /// The number that was dialled there, while it is known.
    #[serde(skip)]
    pub dialled: String,
    /// Whether it is answered.
    #[serde(skip)]
    pub answered: bool,
    /// Whether it talks with another channel now.
    #[serde(skip)]
    pub talks: bool,
    /// The bridge in which it is, if its list tells.
    #[serde(skip)]
    pub bridge: String,
}
