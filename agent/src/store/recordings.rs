//! The questions about recordings, and the orders for them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tokio::time::Instant;
use uuid::Uuid;

use super::connection::Value;
use super::mailboxes::{audio, removal_steps, word};
use super::recording::{Direction, Filter, Form, Kept, NewOrder, Notice, Order, Policy, Recording, Whose};
use super::statement::{
    DELETE_RECORDING, END_RECORDING_ORDER, INSERT_RECORDING_ORDER, RECORDING, RECORDING_ORDERS, RECORDING_POLICY,
    RECORDINGS,
};
use super::time::Moment;
use super::{Store, StoreError, key};

#[derive(FromRow)]
struct OrderRow {
    id: String,
    line_id: Option<String>,
    calls_left: Option<i32>,
    form: String,
    ordered_by: String,
    ordered_at: Moment,
    ends_at: Option<Moment>,
    #[sqlx(flatten)]
    policy: PolicyRow,
}

#[derive(FromRow)]
struct PolicyRow {
    account_id: String,
    recording_notice: String,
    recording_beep_seconds: i32,
    recording_days: i32,
}

#[derive(FromRow)]
struct RecordingRow {
    id: String,
    part: i32,
    account_id: Option<String>,
    line_id: Option<String>,
    order_id: Option<String>,
    ordered_by: String,
    node: String,
    uniqueid: String,
    linked_id: String,
    direction: String,
    line_number: String,
    other_number: String,
    started_at: Moment,
    duration_ms: i64,
    channels: i32,
    expires_at: Option<Moment>,
    place: String,
    format: String,
    bytes: i64,
}

fn uuid(text: &str) -> Result<Uuid, StoreError> {
    word(text.parse().ok(), "id of a recording or order", text)
}

impl PolicyRow {
    fn policy(&self) -> Result<Policy, StoreError> {
        Ok(Policy {
            notice: word(Notice::named(&self.recording_notice), "notice of recording", &self.recording_notice)?,
            beep_seconds: self.recording_beep_seconds,
            days: self.recording_days,
        })
    }
}

impl OrderRow {
    fn order(self) -> Result<Order, StoreError> {
        Ok(Order {
            id: uuid(&self.id)?,
            line_id: self.line_id,
            calls_left: self.calls_left,
            form: word(Form::named(&self.form), "form of a recording", &self.form)?,
            ordered_by: self.ordered_by,
            ordered_at: self.ordered_at.0,
            ends_at: self.ends_at.map(|at| at.0),
            policy: self.policy.policy()?,
            account_id: self.policy.account_id,
        })
    }
}

impl RecordingRow {
    fn kept(self) -> Result<Kept, StoreError> {
        let audio = audio(&self.id, &self.place, &self.format, self.bytes, self.duration_ms)?;
        let recording = Recording {
            id: audio.id,
            part: self.part,
            account_id: self.account_id,
            line_id: self.line_id,
            order_id: self.order_id.as_deref().map(uuid).transpose()?,
            ordered_by: self.ordered_by,
            uniqueid: self.uniqueid,
            linked_id: self.linked_id,
            direction: word(Direction::named(&self.direction), "direction of a recording", &self.direction)?,
            line_number: self.line_number,
            other_number: self.other_number,
            started_at: self.started_at.0,
            channels: u16::try_from(self.channels).unwrap_or(1),
            expires_at: self.expires_at.map(|at| at.0),
        };
        Ok(Kept { recording, node: self.node, audio })
    }
}

impl Store {
    /// The orders that nobody has ended, and whose time is not up.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time; Broken when the answer cannot be understood.
    pub async fn recording_orders(&self, now: DateTime<Utc>, by: Instant) -> Result<Vec<Order>, StoreError> {
        let rows: Vec<OrderRow> = self.hosts.ask(&RECORDING_ORDERS, &[Value::Moment(Some(Moment(now)))], by).await?;
        rows.into_iter().map(OrderRow::order).collect()
    }

    /// The account of a line, and how it has its calls recorded; `None` when there is no such line.
    ///
    /// # Errors
    /// As [`Store::recording_orders`].
    pub async fn recording_policy(&self, line_id: &str, by: Instant) -> Result<Option<(String, Policy)>, StoreError> {
        let rows: Vec<PolicyRow> = self.hosts.ask(&RECORDING_POLICY, &[key(line_id)], by).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let policy = row.policy()?;
        Ok(Some((row.account_id, policy)))
    }

    /// Writes an order down.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time; Broken when there is no such line or account.
    pub async fn order_recording(&self, order: &NewOrder, by: Instant) -> Result<(), StoreError> {
        let id = order.id.to_string();
        let (line, account) = match &order.whose {
            Whose::Line(id) => (Some(id.as_str()), None),
            Whose::Account(id) => (None, Some(id.as_str())),
        };
        let values = vec![
            id.as_str().into(),
            line.into(),
            account.into(),
            Value::Integer(order.calls.map(Into::into)),
            order.form.name().into(),
            order.ordered_by.as_str().into(),
            Value::Moment(Some(Moment(order.ordered_at))),
            Value::Moment(order.ends_at.map(Moment)),
        ];
        self.hosts.change(&[(&INSERT_RECORDING_ORDER, values)], by).await
    }

    /// Ends an order; one that is ended stays so.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time.
    pub async fn end_recording_order(&self, id: Uuid, now: DateTime<Utc>, by: Instant) -> Result<(), StoreError> {
        let id = id.to_string();
        let values = vec![Value::Moment(Some(Moment(now))), id.as_str().into()];
        self.hosts.change(&[(&END_RECORDING_ORDER, values)], by).await
    }

    /// Recordings, the newest first; a thousand at the most.
    ///
    /// # Errors
    /// As [`Store::recording_orders`].
    pub async fn recordings(&self, filter: &Filter, by: Instant) -> Result<Vec<Kept>, StoreError> {
        let (line, account) = (filter.line_id.as_deref(), filter.account_id.as_deref());
        let [line, account] = [line, account].map(|id| Value::from(id.unwrap_or_default()));
        let values = [Value::Moment(Some(Moment(filter.since))), line, line, account, account];
        let rows: Vec<RecordingRow> = self.hosts.ask(&RECORDINGS, &values, by).await?;
        rows.into_iter().map(RecordingRow::kept).collect()
    }

    /// A recording; `None` when there is none of this id.
    ///
    /// # Errors
    /// As [`Store::recording_orders`].
    pub async fn recording(&self, id: Uuid, by: Instant) -> Result<Option<Kept>, StoreError> {
        let id = id.to_string();
        let rows: Vec<RecordingRow> = self.hosts.ask(&RECORDING, &[id.as_str().into()], by).await?;
        rows.into_iter().next().map(RecordingRow::kept).transpose()
    }

    /// Deletes a recording with its audio.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time: it may be done all the same, and may be done again.
    pub async fn delete_recording(&self, kept: &Kept, by: Instant) -> Result<(), StoreError> {
        let id = kept.recording.id.to_string();
        let mut steps = vec![(&DELETE_RECORDING, vec![id.as_str().into()])];
        steps.extend(removal_steps(&id, kept.audio.place.name()));
        self.hosts.change(&steps, by).await
    }
}
