//! The questions about orders to nodes, and how they are taken.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tokio::time::Instant;
use uuid::Uuid;

use super::connection::Value;
use super::node_order::{NodeOrder, OrderState, WaitingOrder};
use super::statement::{
    DELETE_NODE_ORDERS, FINISH_NODE_ORDER, INSERT_NODE_ORDER, LIVE_NODES, NODE_ORDER, TAKE_NODE_ORDER,
    WAITING_NODE_ORDERS,
};
use super::time::Moment;
use super::{Store, StoreError, key};

#[derive(FromRow)]
struct WaitingRow {
    id: String,
    body: String,
    ordered_by: String,
}

#[derive(FromRow)]
struct StateRow {
    node: String,
    kind: String,
    taken_by: Option<String>,
    outcome: Option<String>,
}

impl Store {
    /// Writes an order down.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time.
    pub async fn order_of_node(&self, order: &NodeOrder, by: Instant) -> Result<(), StoreError> {
        let (id, taken_by) = (order.id.to_string(), order.taken_by.map(|id| id.to_string()));
        let values = vec![
            id.as_str().into(),
            key(&order.node),
            order.kind.into(),
            order.body.as_str().into(),
            order.ordered_by.as_str().into(),
            at(order.ordered_at),
            at(order.expires_at()),
            Value::Moment(order.taken_by.map(|_| Moment(order.ordered_at))),
            taken_by.as_deref().into(),
        ];
        self.hosts.change(&[(&INSERT_NODE_ORDER, values)], by).await
    }

    /// The orders that wait for a node, the oldest first.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time.
    pub async fn waiting_orders(
        &self,
        node: &str,
        now: DateTime<Utc>,
        by: Instant,
    ) -> Result<Vec<WaitingOrder>, StoreError> {
        let rows: Vec<WaitingRow> = self.hosts.ask(&WAITING_NODE_ORDERS, &[key(node), at(now)], by).await?;
        let order = |row: WaitingRow| {
            let id = row.id.parse().map_err(|_| StoreError::Broken(format!("{}: no id of an order", row.id)))?;
            Ok(WaitingOrder { id, body: row.body, ordered_by: row.ordered_by })
        };
        rows.into_iter().map(order).collect()
    }

    /// Takes an order; false when it was taken by another, or is not there.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time: it may be taken all the same, and nobody does it then.
    pub async fn take_order(&self, id: Uuid, now: DateTime<Utc>, by: Instant) -> Result<bool, StoreError> {
        let (id, this) = (id.to_string(), Uuid::now_v7().to_string());
        let values = vec![at(now), this.as_str().into(), id.as_str().into()];
        self.hosts.change(&[(&TAKE_NODE_ORDER, values)], by).await?;
        let rows: Vec<StateRow> = self.hosts.ask(&NODE_ORDER, &[id.as_str().into()], by).await?;
        Ok(rows.first().is_some_and(|row| row.taken_by.as_ref() == Some(&this)))
    }

    /// Writes down what came of an order.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time.
    pub async fn finish_order(&self, id: Uuid, outcome: &str, by: Instant) -> Result<(), StoreError> {
        let id = id.to_string();
        self.hosts.change(&[(&FINISH_NODE_ORDER, vec![outcome.into(), id.as_str().into()])], by).await
    }

    /// How an order stands; `None` when there is none of this id.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time.
    pub async fn order_state(&self, id: Uuid, by: Instant) -> Result<Option<OrderState>, StoreError> {
        let id = id.to_string();
        let rows: Vec<StateRow> = self.hosts.ask(&NODE_ORDER, &[id.as_str().into()], by).await?;
        Ok(rows.into_iter().next().map(|StateRow { node, kind, outcome, .. }| OrderState { node, kind, outcome }))
    }

    /// Forgets orders that had expired before then.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time.
    pub async fn forget_orders(&self, before: DateTime<Utc>, by: Instant) -> Result<(), StoreError> {
        self.hosts.change(&[(&DELETE_NODE_ORDERS, vec![at(before)])], by).await
    }

    /// The nodes that live.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time.
    pub async fn live_nodes(&self, by: Instant) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self.hosts.ask(&LIVE_NODES, &[], by).await?;
        Ok(rows.into_iter().map(|(node,)| node).collect())
    }
}

fn at(time: DateTime<Utc>) -> Value<'static> {
    Value::Moment(Some(Moment(time)))
}
