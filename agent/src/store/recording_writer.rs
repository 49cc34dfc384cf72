//! Writes recordings, each of them once, and counts the calls of orders.

use chrono::{DateTime, TimeDelta, Utc};

use super::connection::{Connection, Value};
use super::mailbox_writer::{Attached, insert_audio, run};
use super::mailboxes::removal_steps;
use super::recording::Recording;
use super::statement::{
    COUNT_RECORDING_CALL, DELETE_RECORDING, END_LAPSED_ORDERS, EXPIRED_RECORDINGS, FORGET_RECORDING_CLAIMS,
    INSERT_RECORDING, INSERT_RECORDING_CLAIM, KNOWN_RECORDING, RECORDING_CLAIM,
};
use super::time::Moment;
use super::writer::{Unwritten, Writer};
use uuid::Uuid;

/// A call that was counted may go on for so long.
const LONGEST_CALL: TimeDelta = TimeDelta::days(1);
/// Calls that were counted are known for so long: what is recorded of them may wait on its node.
const CLAIMS_KEPT: TimeDelta = TimeDelta::days(90);

impl Writer {
    /// Counts a call for an order that counts them, once, over all nodes; false when no more are wanted.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn claim_call(
        &mut self,
        order_id: Uuid,
        node: &str,
        linked_id: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, Unwritten> {
        let order_id = order_id.to_string();
        let mut claimed = false;
        self.within(async |connection| {
            connection.begin().await?;
            let call = [order_id.as_str().into(), node.into(), linked_id.into()];
            let known: Vec<(String,)> = connection.rows(RECORDING_CLAIM.text(connection.backend()), &call).await?;
            claimed = !known.is_empty() || count(connection, &order_id, node, linked_id, now).await?;
            if claimed { connection.commit().await } else { connection.roll_back().await }
        })
        .await?;
        Ok(claimed)
    }

    /// Puts a recording into the central store, with its audio; its call is counted, if it was not. One that is there already is passed over; false then.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn add_recording(
        &mut self,
        recording: &Recording,
        audio: &Attached<'_>,
        node: &str,
    ) -> Result<bool, Unwritten> {
        let mut new = false;
        let id = recording.id.to_string();
        let order_id = recording.order_id.map(|id| id.to_string());
        let values = values(recording, audio, &id, order_id.as_deref(), node);
        self.within(async |connection| {
            connection.begin().await?;
            let text = KNOWN_RECORDING.text(connection.backend());
            let known: Vec<(String,)> = connection.rows(text, &[id.as_str().into()]).await?;
            new = known.is_empty();
            if new {
                insert_audio(connection, &id, audio).await?;
                connection.execute(INSERT_RECORDING.text(connection.backend()), &values).await?;
                if let Some(order_id) = &order_id {
                    count(connection, order_id, node, &recording.linked_id, recording.started_at).await?;
                }
            }
            connection.commit().await
        })
        .await?;
        Ok(new)
    }

    /// Deletes recordings that were kept long enough, some of them; how many there were.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn delete_expired_recordings(&mut self, now: DateTime<Utc>) -> Result<usize, Unwritten> {
        let mut expired: Vec<(String, String)> = Vec::new();
        self.within(async |connection| {
            let before = [Value::Moment(Some(Moment(now)))];
            expired = connection.rows(EXPIRED_RECORDINGS.text(connection.backend()), &before).await?;
            Ok(())
        })
        .await?;
        for some in expired.chunks(50) {
            self.within(async |connection| {
                connection.begin().await?;
                for (id, place) in some {
                    connection.execute(DELETE_RECORDING.text(connection.backend()), &[id.as_str().into()]).await?;
                    run(connection, &removal_steps(id, place)).await?;
                }
                connection.commit().await
            })
            .await?;
        }
        Ok(expired.len())
    }

    /// Ends orders that have no more to record, and forgets what was counted long ago.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn end_lapsed_orders(&mut self, now: DateTime<Utc>) -> Result<(), Unwritten> {
        let at = |time| Value::Moment(Some(Moment(time)));
        self.within(async |connection| {
            let backend = connection.backend();
            let times = [at(now), at(now), at(now - LONGEST_CALL)];
            connection.execute(END_LAPSED_ORDERS.text(backend), &times).await?;
            connection.execute(FORGET_RECORDING_CLAIMS.text(backend), &[at(now - CLAIMS_KEPT)]).await.map(drop)
        })
        .await
    }
}

/// Counts a call that was not counted; true when it was wanted.
async fn count(
    connection: &mut Connection,
    order_id: &str,
    node: &str,
    linked_id: &str,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let backend = connection.backend();
    let claim = [
        node.into(),
        linked_id.into(),
        Value::Moment(Some(Moment(now))),
        order_id.into(),
        order_id.into(),
        node.into(),
        linked_id.into(),
    ];
    let new = connection.execute(INSERT_RECORDING_CLAIM.text(backend), &claim).await? > 0;
    Ok(new && connection.execute(COUNT_RECORDING_CALL.text(backend), &[order_id.into()]).await? > 0)
}

/// In the order of `sql/query/insert_recording.sql`.
fn values<'a>(
    recording: &'a Recording,
    audio: &Attached<'a>,
    id: &'a str,
    order_id: Option<&'a str>,
    node: &'a str,
) -> Vec<Value<'a>> {
    vec![
        id.into(),
        Value::Integer(Some(recording.part.into())),
        recording.account_id.as_deref().into(),
        recording.line_id.as_deref().into(),
        order_id.into(),
        recording.ordered_by.as_str().into(),
        node.into(),
        recording.uniqueid.as_str().into(),
        recording.linked_id.as_str().into(),
        recording.direction.name().into(),
        recording.line_number.as_str().into(),
        recording.other_number.as_str().into(),
        Value::Moment(Some(Moment(recording.started_at))),
        Value::Integer(Some(audio.audio.duration_ms)),
        Value::Integer(Some(recording.channels.into())),
        Value::Moment(recording.expires_at.map(Moment)),
        audio.audio.place.name().into(),
        audio.audio.format.name().into(),
        Value::Integer(Some(audio.audio.bytes)),
    ]
}
