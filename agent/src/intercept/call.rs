//! Call-identifying information, as it is told to a warrant's recipient.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::store::recording::Direction;
use crate::tap::subject::Subject;

/// Who, whom, and when, as far as it is known when a part is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The node's name.
    pub node: String,
    /// The line.
    pub line: String,
    /// The id of its channel.
    pub uniqueid: String,
    /// What ties it to the other channels of the call.
    pub linked_id: String,
    /// Which way the call goes, seen from the line.
    pub direction: Direction,
    /// The line's number.
    pub line_number: String,
    /// Every number that it was connected with, or dialled, in order.
    pub other_numbers: Vec<String>,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it was seen to be answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it ended, or the interception of it.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Call {
    /// Of a channel.
    #[must_use]
    pub fn of(node: &str, channel: &Subject) -> Call {
        let mut call = Call {
            node: node.to_owned(),
            line: channel.line_id.clone().unwrap_or_default(),
            uniqueid: channel.uniqueid.clone(),
            linked_id: channel.linked_id.clone(),
            direction: channel.direction,
            line_number: channel.line_number.clone(),
            other_numbers: Vec::new(),
            began_at: channel.since,
            answered_at: None,
            ended_at: None,
        };
        call.follow(channel);
        call
    }

    /// The channel is so now; whether anything is new.
    pub fn follow(&mut self, channel: &Subject) -> bool {
        let before = self.clone();
        if channel.answered {
            self.answered_at.get_or_insert_with(Utc::now);
        }
        if !channel.linked_id.is_empty() {
            self.linked_id.clone_from(&channel.linked_id);
        }
        for number in [&channel.other_number, &channel.dialled] {
            if !number.is_empty() && !self.other_numbers.contains(number) {
                self.other_numbers.push(number.clone());
            }
        }
        *self != before
    }
}
