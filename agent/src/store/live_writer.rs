//! Writes a node's live calls. Each of these is one transaction, on a connection of its own.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use super::connection::{Connection, Value};
use super::live_call::LiveCall;
use super::statement::{
    DELETE_LIVE_CALLS, GONE_LIVE_NODES, INSERT_LIVE_NODE, Known, LEASE, PURGE_LIVE_CALLS, SEE_LIVE_NODE, TAKE_LEASE,
    UPSERT_LIVE_CALL,
};
use super::time::{Moment, Time};
use super::writer::{Unwritten, Writer};
use super::{Store, key};

/// The job of removing what nodes have left that are gone, in `job_leases`.
const JOB: &str = "live-calls";
const LEASE_TIME: TimeDelta = TimeDelta::seconds(30);
/// Rows of one statement at the most: SQLite takes 32766 parameters.
const MOST: usize = 1000;

/// Writes the live calls of one node.
#[derive(Debug)]
pub struct LiveWriter {
    writer: Writer,
    node: String,
}

impl Store {
    /// A writer of this node's live calls; a write that takes longer than `patience` is given up.
    #[must_use]
    pub fn live_writer(&self, patience: Duration) -> LiveWriter {
        LiveWriter { writer: self.writer(patience), node: self.node.to_string() }
    }
}

impl LiveWriter {
    /// These are the node's calls, and it has no others.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn replace<'a>(&mut self, calls: impl Iterator<Item = &'a LiveCall>) -> Result<(), Unwritten> {
        let node = self.node.as_str();
        let values: Vec<Vec<Value<'_>>> = calls.map(|call| values(node, call, false)).collect();
        self.writer
            .within(async |connection| {
                connection.begin().await?;
                see(connection, node).await?;
                connection.execute(DELETE_LIVE_CALLS.text(connection.backend()), &[node.into()]).await?;
                upsert(connection, &values).await?;
                connection.commit().await
            })
            .await
    }

    /// These calls are so now, or have ended.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn update<'a>(&mut self, calls: impl Iterator<Item = (&'a LiveCall, bool)>) -> Result<(), Unwritten> {
        let node = self.node.as_str();
        let values: Vec<Vec<Value<'_>>> = calls.map(|(call, ended)| values(node, call, ended)).collect();
        self.writer
            .within(async |connection| {
                if values.len() <= MOST {
                    return upsert(connection, &values).await;
                }
                connection.begin().await?;
                upsert(connection, &values).await?;
                connection.commit().await
            })
            .await
    }

    /// The node lives.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn see(&mut self) -> Result<(), Unwritten> {
        let node = self.node.as_str();
        self.writer.within(async |connection| see(connection, node).await).await
    }

    /// Removes the calls of this node that have ended.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn purge(&mut self) -> Result<(), Unwritten> {
        let node = self.node.as_str();
        let purge = async |connection: &mut Connection| {
            connection.execute(PURGE_LIVE_CALLS.text(connection.backend()), &[node.into()]).await.map(drop)
        };
        self.writer.within(purge).await
    }

    /// Removes the calls of nodes that are gone, unless another node does so. (They do not count in any case.)
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn bury(&mut self) -> Result<(), Unwritten> {
        let node = self.node.as_str();
        let now = Utc::now();
        let lease = [node.into(), Time(now + LEASE_TIME).into(), JOB.into(), Time(now).into(), node.into()];
        self.writer
            .within(async |connection| {
                let backend = connection.backend();
                connection.execute(TAKE_LEASE.text(backend), &lease).await?;
                let holder: Vec<(String,)> = connection.rows(LEASE.text(backend), &[JOB.into()]).await?;
                if holder.first().is_none_or(|(holder,)| holder != node) {
                    return Ok(());
                }
                // Node by node: one statement over all of them would hold up those that write.
                let gone: Vec<(String,)> = connection.rows(GONE_LIVE_NODES.text(backend), &[]).await?;
                for (gone,) in &gone {
                    connection.execute(DELETE_LIVE_CALLS.text(backend), &[gone.as_str().into()]).await?;
                }
                Ok(())
            })
            .await
    }
}

async fn see(connection: &mut Connection, node: &str) -> Result<(), sqlx::Error> {
    let backend = connection.backend();
    if connection.execute(SEE_LIVE_NODE.text(backend), &[node.into()]).await? == 0 {
        connection.execute(INSERT_LIVE_NODE.text(backend), &[node.into()]).await?;
    }
    Ok(())
}

async fn upsert(connection: &mut Connection, rows: &[Vec<Value<'_>>]) -> Result<(), sqlx::Error> {
    for rows in rows.chunks(MOST) {
        let text = UPSERT_LIVE_CALL.rows(connection.backend(), rows.len(), Known::Replace);
        connection.execute_once(text, &rows.concat()).await?;
    }
    Ok(())
}

/// In the order of `sql/query/upsert_live_call.sql`. What has ended belongs to nobody, so that no index finds it.
fn values<'a>(node: &'a str, call: &'a LiveCall, ended: bool) -> Vec<Value<'a>> {
    let id = |id: &'a Option<String>| id.as_deref().filter(|_| !ended).map_or(Value::Text(None), key);
    vec![
        node.into(),
        call.uniqueid.as_str().into(),
        call.linked_id.as_str().into(),
        call.channel.as_str().into(),
        call.side.name().into(),
        id(&call.line_id),
        id(&call.gateway_id),
        id(&call.account_id),
        call.shown_number.as_str().into(),
        call.dialled.as_str().into(),
        call.state.name().into(),
        Value::Moment(Some(Moment(call.began_at))),
        Value::Moment(call.answered_at.map(Moment)),
        Value::Flag(ended),
    ]
}
