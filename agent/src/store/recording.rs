//! Recordings of calls, and who ordered them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::mailbox::Audio;

words! {
    /// How both sides of a call are kept.
    Form {
        /// Left what the line says, right what it hears.
        Stereo = "stereo",
        /// Both in one channel.
        Mixed = "mixed",
    }
}

words! {
    /// What people hear of being recorded.
    Notice {
        /// Nothing.
        None = "none",
        /// Beeps.
        Beep = "beep",
        /// An announcement, before both sides talk.
        Announcement = "announcement",
    }
}

words! {
    /// Which way a call goes, seen from the line.
    Direction {
        /// The line called.
        Outbound = "outbound",
        /// The line was called.
        Inbound = "inbound",
    }
}

/// How an account has its calls recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What people hear of it.
    pub notice: Notice,
    /// Seconds between two beeps, 0 for one at the start alone.
    pub beep_seconds: i32,
    /// Days for which recordings are kept, 0 for ever.
    pub days: i32,
}

impl Policy {
    /// Until when what is recorded now is kept.
    #[must_use]
    pub fn expires_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (self.days > 0).then(|| now + TimeDelta::days(self.days.into()))
    }
}

/// Whose calls are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those of a line.
    Line(String),
    /// Those of all lines of an account.
    Account(String),
}

/// An order that is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Its id, of version 7.
    pub id: Uuid,
    /// Whose calls.
    pub whose: Whose,
    /// How many of the next; `None` for all, until it is ended.
    pub calls: Option<i32>,
    /// How they are kept.
    pub form: Form,
    /// Who wants it.
    pub ordered_by: String,
    /// Since when.
    pub ordered_at: DateTime<Utc>,
    /// Until when.
    pub ends_at: Option<DateTime<Utc>>,
}

/// An order that nobody has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: Uuid,
    /// The line whose calls are recorded; `None` for all of the account.
    pub line_id: Option<String>,
    /// The account, or that of the line.
    pub account_id: String,
    /// How many calls are left; 0 when those that were counted may go on, and no more.
    pub calls_left: Option<i32>,
    /// How they are kept.
    pub form: Form,
    /// Who wants it.
    pub ordered_by: String,
    /// Since when.
    pub ordered_at: DateTime<Utc>,
    /// Until when.
    pub ends_at: Option<DateTime<Utc>>,
    /// How the account has its calls recorded.
    pub policy: Policy,
}

impl Order {
    /// Whether it holds at a time.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }

    /// Whether it is for calls of this line of this account.
    #[must_use]
    pub fn is_for(&self, line_id: &str, account_id: Option<&str>) -> bool {
        match &self.line_id {
            Some(line) => line == line_id,
            None => account_id == Some(&self.account_id),
        }
    }
}

/// What was recorded: a whole call, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Its id, and that of its audio; of version 7.
    pub id: Uuid,
    /// Which part of it, from 1.
    pub part: i32,
    /// The account.
    pub account_id: Option<String>,
    /// The line whose channel was recorded.
    pub line_id: Option<String>,
    /// The order by which it was.
    pub order_id: Option<Uuid>,
    /// Who wanted it.
    pub ordered_by: String,
    /// The channel.
    pub uniqueid: String,
    /// What ties it to the other records of the call.
    pub linked_id: String,
    /// Which way the call went.
    pub direction: Direction,
    /// The line's number, as Asterisk knows it.
    pub line_number: String,
    /// The number of whom it talked with.
    pub other_number: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// 2 for stereo.
    pub channels: u16,
    /// Until when it is kept.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A recording in the central store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// What it is.
    #[serde(flatten)]
    pub recording: Recording,
    /// The node on which it was made.
    pub node: String,
    /// Its audio.
    pub audio: Audio,
}

/// Which recordings are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this line.
    pub line_id: Option<String>,
    /// Those of this account.
    pub account_id: Option<String>,
    /// Those that began then or later.
    pub since: DateTime<Utc>,
}
