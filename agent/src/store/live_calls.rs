//! The question which calls go on, on all nodes.

use sqlx::FromRow;

use super::live_call::{ListedCall, LiveCall, Side, State};
use super::statement::LIVE_CALLS;
use super::time::Moment;
use super::{Session, Store, StoreError, failure};

#[derive(FromRow)]
struct LiveRow {
    node: String,
    uniqueid: String,
    linked_id: String,
    channel: String,
    direction: String,
    line_id: Option<String>,
    gateway_id: Option<String>,
    account_id: Option<String>,
    shown_number: String,
    dialled: String,
    state: String,
    began_at: Moment,
    answered_at: Option<Moment>,
}

impl From<LiveRow> for ListedCall {
    fn from(row: LiveRow) -> Self {
        ListedCall {
            node: row.node,
            call: LiveCall {
                uniqueid: row.uniqueid,
                linked_id: row.linked_id,
                channel: row.channel,
                side: if row.direction == "takes" { Side::Takes } else { Side::Makes },
                line_id: row.line_id,
                gateway_id: row.gateway_id,
                account_id: row.account_id,
                shown_number: row.shown_number,
                dialled: row.dialled,
                state: if row.state == "talks" { State::Talks } else { State::Rings },
                began_at: row.began_at.0,
                answered_at: row.answered_at.map(|at| at.0),
            },
        }
    }
}

impl Store {
    /// The legs of all calls that go on, on all nodes that live, in order of their beginning.
    ///
    /// # Errors
    /// The central database could not be asked: nobody else knows.
    pub async fn live_calls(&self) -> Result<Vec<ListedCall>, StoreError> {
        let mut connection = self.hosts.open(Session::Work).await?;
        let rows: Result<Vec<LiveRow>, _> = connection.rows(LIVE_CALLS.text(connection.backend()), &[]).await;
        let rows =
            rows.map_err(|error| failure::Failure::of_question("the database", LIVE_CALLS.name, &error).error)?;
        Ok(rows.into_iter().map(ListedCall::from).collect())
    }
}
