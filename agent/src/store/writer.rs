//! Writing what has to arrive: rows of many in one statement, each of them once, however often they are written.
//!
//! A writer has a connection of its own, so that it takes none from the calls, and the server ends its statements after the
//! writer's patience. Nothing is retried here.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::timeout;

use super::address::Session;
use super::connection::{Connection, Value};
use super::failure::{Failure, is_rows_fault};
use super::hosts::Hosts;
use super::location::Point;
use super::record::{CallAttempt, CallRecord, Charge, Direction, EmergencyCall, EmergencyNotice, Media, Record, Span};
use super::statement::{
    INSERT_CALL_ATTEMPT, INSERT_CALL_RECORD, INSERT_EMERGENCY_CALL, INSERT_EMERGENCY_NOTICE, INSERT_NODE_SPOOL, Known,
    OTHER_SPOOLS, Statement, UPDATE_NODE_SPOOL,
};
use super::time::{Moment, Time};
use super::{Store, StoreError};

/// A spool that was not seen for so long ships no more.
const SEEN: TimeDelta = TimeDelta::minutes(3);

/// Rows of one INSERT: few sizes, since the connection and the server keep each statement prepared.
const SIZES: [usize; 5] = [500, 100, 25, 5, 1];

/// Why rows were not written; none of them was.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// The database cannot take them now; the same rows may be written later.
    #[error(transparent)]
    Later(StoreError),
    /// One of the rows, at least, does not fit the table.
    #[error("{0}")]
    Refused(String),
}

/// Writes on one connection, which it opens when it needs it.
#[derive(Debug)]
pub struct Writer {
    hosts: Arc<Hosts>,
    patience: Duration,
    connection: Option<Connection>,
}

impl Store {
    /// A writer; a write that takes longer than `patience` is given up.
    #[must_use]
    pub fn writer(&self, patience: Duration) -> Writer {
        Writer { hosts: Arc::clone(&self.hosts), patience, connection: None }
    }
}

impl Writer {
    /// Writes all of these records, or none. One that is there already is passed over.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn write(&mut self, records: &[Record]) -> Result<(), Unwritten> {
        let now = Time(Utc::now());
        let (mut calls, mut attempts) = (Values::default(), Values::default());
        let (mut emergencies, mut notices) = (Values::default(), Values::default());
        for record in records {
            match record {
                Record::Call(call) => calls.add(|values| call_values(call, now, values)),
                Record::Attempt(attempt) => attempts.add(|values| attempt_values(attempt, now, values)),
                Record::EmergencyCall(call) => emergencies.add(|values| emergency_values(call, now, values)),
                Record::EmergencyNotice(notice) => notices.add(|values| notice_values(notice, now, values)),
            }
        }
        self.within(async |connection| {
            connection.begin().await?;
            calls.insert(connection, &INSERT_CALL_RECORD).await?;
            attempts.insert(connection, &INSERT_CALL_ATTEMPT).await?;
            emergencies.insert(connection, &INSERT_EMERGENCY_CALL).await?;
            notices.insert(connection, &INSERT_EMERGENCY_NOTICE).await?;
            connection.commit().await
        })
        .await
    }

    /// Says that `spool` ships under the name `node`; returns the other spools that do so, too.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn claim(&mut self, node: &str, spool: &str, now: DateTime<Utc>) -> Result<Vec<String>, Unwritten> {
        let mut others: Vec<(String,)> = Vec::new();
        self.within(async |connection| {
            let backend = connection.backend();
            let seen = Time(now);
            let update = [seen.into(), node.into(), spool.into()];
            if connection.execute(UPDATE_NODE_SPOOL.text(backend), &update).await? == 0 {
                let insert = [node.into(), spool.into(), seen.into()];
                connection.execute(INSERT_NODE_SPOOL.text(backend), &insert).await?;
            }
            let question = [node.into(), spool.into(), Time(now - SEEN).into()];
            others = connection.rows(OTHER_SPOOLS.text(backend), &question).await?;
            Ok(())
        })
        .await?;
        Ok(others.into_iter().map(|(spool,)| spool).collect())
    }

    /// Work on the connection. It is kept only if all went well: after a time-out the server may still be at it, and after an
    /// error it stands within a transaction.
    pub(super) async fn within(
        &mut self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<(), sqlx::Error>,
    ) -> Result<(), Unwritten> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.hosts.open(Session::Timed(self.patience.mul_f64(0.8))).await.map_err(Unwritten::Later)?,
        };
        let outcome = timeout(self.patience, work(&mut connection)).await;
        match outcome {
            Ok(Ok(())) => {
                self.connection = Some(connection);
                Ok(())
            }
            Ok(Err(error)) if is_rows_fault(&error) => {
                if timeout(self.patience, connection.roll_back()).await.is_ok_and(|done| done.is_ok()) {
                    self.connection = Some(connection);
                }
                Err(Unwritten::Refused(error.to_string()))
            }
            Ok(Err(error)) => Err(Unwritten::Later(Failure::of_question("the database", "writing", &error).error)),
            Err(_) => Err(Unwritten::Later(StoreError::Slow(format!(
                "the database did not take rows within {} s",
                self.patience.as_secs()
            )))),
        }
    }
}

/// The parameters of rows for one INSERT.
#[derive(Default)]
struct Values<'a> {
    rows: usize,
    values: Vec<Value<'a>>,
}

impl<'a> Values<'a> {
    fn add(&mut self, row: impl FnOnce(&mut Vec<Value<'a>>)) {
        self.rows += 1;
        row(&mut self.values);
    }

    async fn insert(&self, connection: &mut Connection, statement: &'static Statement) -> Result<(), sqlx::Error> {
        let columns = self.values.len() / self.rows.max(1);
        let mut rest = self.values.as_slice();
        while !rest.is_empty() {
            let size = SIZES.into_iter().find(|size| size * columns <= rest.len()).unwrap_or(1);
            let (values, more) = rest.split_at_checked(size * columns).unwrap_or((rest, &[]));
            let text = statement.rows(connection.backend(), size, Known::PassOver);
            connection.execute(text, values).await?;
            rest = more;
        }
        Ok(())
    }
}

fn integer<'a>(number: impl Into<Option<i64>>) -> Value<'a> {
    Value::Integer(number.into())
}

fn optional(text: &Option<String>) -> Value<'_> {
    Value::Text(text.as_deref())
}

fn moment<'a>(time: DateTime<Utc>) -> Value<'a> {
    Value::Moment(Some(Moment(time)))
}

fn answered<'a>(span: &Span) -> Value<'a> {
    Value::Moment(span.answered_at.map(Moment))
}

/// In the order of `sql/query/insert_call_record.sql`.
fn call_values<'a>(call: &'a CallRecord, now: Time, values: &mut Vec<Value<'a>>) {
    let text = |text: &'a String| Value::from(text.as_str());
    values.extend([
        text(&call.call.node),
        text(&call.call.boot),
        text(&call.call.uniqueid),
        integer(call.sequence),
        text(&call.linkedid),
        moment(call.span.started_at),
        answered(&call.span),
        moment(call.span.ended_at),
        integer(i64::from(call.utc_offset_minutes)),
        integer(call.span.duration_ms()),
        integer(call.span.talk_ms()),
        Value::Flag(call.span.is_doubtful()),
        text(&call.disposition),
        text(&call.src),
        text(&call.dst),
        text(&call.context),
        text(&call.clid),
        text(&call.channel),
        text(&call.dstchannel),
        text(&call.lastapp),
        text(&call.lastdata),
        Value::Text(call.direction.map(Direction::name)),
        optional(&call.line_id),
        optional(&call.gateway_id),
        optional(&call.account_id),
        text(&call.number),
        text(&call.class),
        text(&call.reason),
        integer(call.cause),
        Value::Flag(call.emergency),
    ]);
    media_values(&call.media, values);
    values.extend([text(&call.source), now.into()]);
}

/// In the order of `sql/query/insert_emergency_call.sql`.
fn emergency_values<'a>(call: &'a EmergencyCall, now: Time, values: &mut Vec<Value<'a>>) {
    let text = |text: &'a String| Value::from(text.as_str());
    let degrees = |of: fn(Point) -> f64| Value::Real(call.point.map(of));
    values.extend([
        text(&call.call.node),
        text(&call.call.boot),
        text(&call.call.uniqueid),
        text(&call.linkedid),
        moment(call.called_at),
        optional(&call.line_id),
        text(&call.device),
        text(&call.device_address),
        optional(&call.account_id),
        text(&call.number),
        text(&call.callback_number),
        text(&call.location),
        degrees(|point| point.latitude),
        degrees(|point| point.longitude),
        text(&call.location_source),
        Value::Time(call.location_placed_at.map(Time)),
        integer(call.facility_id),
        text(&call.facility_name),
        text(&call.method),
        integer(call.distance_m),
        text(&call.source),
        now.into(),
    ]);
}

/// In the order of `sql/query/insert_emergency_notice.sql`.
fn notice_values<'a>(notice: &'a EmergencyNotice, now: Time, values: &mut Vec<Value<'a>>) {
    let text = |text: &'a String| Value::from(text.as_str());
    values.extend([
        text(&notice.call.node),
        text(&notice.call.boot),
        text(&notice.call.uniqueid),
        text(&notice.kind),
        text(&notice.address),
        moment(notice.created_at),
        moment(notice.delivered_at),
        integer(notice.tries),
        text(&notice.last_error),
        now.into(),
    ]);
}

/// In the order of `sql/query/insert_call_attempt.sql`.
fn attempt_values<'a>(attempt: &'a CallAttempt, now: Time, values: &mut Vec<Value<'a>>) {
    let text = |text: &'a String| Value::from(text.as_str());
    values.extend([
        text(&attempt.call.node),
        text(&attempt.call.boot),
        text(&attempt.call.uniqueid),
        integer(attempt.number),
        text(&attempt.linkedid),
        optional(&attempt.leg_uniqueid),
        text(&attempt.kind),
        text(&attempt.name),
        text(&attempt.status),
        integer(attempt.cause),
        integer(attempt.sip_code),
        moment(attempt.span.started_at),
        integer(attempt.post_dial_delay_ms),
        answered(&attempt.span),
        moment(attempt.span.ended_at),
        integer(attempt.span.talk_ms()),
        Value::Flag(attempt.span.is_doubtful()),
        optional(&attempt.line_id),
        optional(&attempt.gateway_id),
        optional(&attempt.account_id),
        text(&attempt.called_number),
        text(&attempt.shown_number),
    ]);
    charge_values(attempt.buy.as_ref(), values);
    charge_values(attempt.sell.as_ref(), values);
    media_values(&attempt.media, values);
    values.push(now.into());
}

fn charge_values<'a>(charge: Option<&'a Charge>, values: &mut Vec<Value<'a>>) {
    let price = charge.map(|charge| &charge.price);
    values.extend([
        Value::Text(price.map(|price| price.deck_id.as_str())),
        integer(price.map(|price| price.deck_version_id)),
        Value::Text(price.map(|price| price.prefix.as_str())),
        integer(price.map(|price| price.per_minute_micros)),
        integer(price.map(|price| price.connect_fee_micros)),
        integer(price.map(|price| i64::from(price.initial_seconds))),
        integer(price.map(|price| i64::from(price.increment_seconds))),
        Value::Text(price.map(|price| price.currency.as_str())),
        integer(charge.map(|charge| charge.seconds)),
        integer(charge.map(|charge| charge.micros)),
    ]);
}

fn media_values<'a>(media: &'a Media, values: &mut Vec<Value<'a>>) {
    values.push(optional(&media.codec));
    values.extend(
        [
            media.packets_in,
            media.packets_out,
            media.lost_in,
            media.lost_out,
            media.jitter_in_us,
            media.jitter_out_us,
            media.round_trip_us,
        ]
        .map(Value::Integer),
    );
}
