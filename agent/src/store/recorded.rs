//! The questions which calls and attempts the database has.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::FromRow;

use super::address::Session;
use super::failure::Failure;
use super::statement::{RECORDED_ATTEMPTS, RECORDED_CALLS, Statement};
use super::time::Moment;
use super::{Store, StoreError};
use crate::store::connection::Value;

/// The key of a call's record (by its sequence) or of an attempt (by its number) within a run of Asterisk.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RecordedKey {
    /// The node under whose name it was shipped.
    pub node: String,
    /// Unique id of the calling channel.
    pub uniqueid: String,
    /// Sequence or number.
    pub sequence: i64,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Recorded {
    /// Records of calls.
    Calls,
    /// Attempts.
    Attempts,
}

impl Store {
    /// Keys of what one run of Asterisk began within a time, of whichever node's name.
    ///
    /// # Errors
    /// Unavailable when no host is ready; Broken when the question fails.
    pub async fn recorded(
        &self,
        what: Recorded,
        boot: &str,
        from: DateTime<Utc>,
        before: DateTime<Utc>,
    ) -> Result<Vec<RecordedKey>, StoreError> {
        let statement: &'static Statement = match what {
            Recorded::Calls => &RECORDED_CALLS,
            Recorded::Attempts => &RECORDED_ATTEMPTS,
        };
        let mut connection = self.hosts.open(Session::Work).await?;
        let mut keys = Vec::new();
        // Hour by hour: a day of a busy node is no answer for one statement.
        let mut begin = from;
        while begin < before {
            let end = before.min(begin + TimeDelta::hours(1));
            let values = [boot.into(), Value::Moment(Some(Moment(begin))), Value::Moment(Some(Moment(end)))];
            let rows = connection.rows::<RecordedKey>(statement.text(connection.backend()), &values).await;
            keys.extend(rows.map_err(|error| Failure::of_question("the database", statement.name, &error).error)?);
            begin = end;
        }
        Ok(keys)
    }
}
