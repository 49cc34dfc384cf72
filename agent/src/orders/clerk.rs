//! Hands orders to nodes, and does those that others hand to this one.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::warn;
use uuid::Uuid;

use super::hands::Hands;
use super::order::{Order, Outcome, Refused, Why};
use crate::store::node_order::{NodeOrder, WaitingOrder};
use crate::store::{Store, StoreError};

/// Between two looks for orders from other nodes.
const LOOK: Duration = Duration::from_secs(1);
/// For one question to the database.
const QUESTION: Duration = Duration::from_secs(2);
/// How long a person waits for another node.
const PATIENCE: Duration = Duration::from_secs(4);
/// Between two looks at what came of an order.
const GLANCE: Duration = Duration::from_millis(100);
/// Between two removals of old orders, and how old they are.
const TIDY: Duration = Duration::from_secs(600);
const KEPT: TimeDelta = TimeDelta::days(7);

/// The clerk of a node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clerk {
    node: String,
    store: Store,
    hands: Arc<Hands>,
}

impl Clerk {
    /// That of `node`, whose parts are `hands`.
    #[must_use]
    pub fn new(node: &str, store: Store, hands: Hands) -> Clerk {
        Clerk { node: node.to_owned(), store, hands: Arc::new(hands) }
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Has a node do something in somebody's name, and waits for what comes of it.
    ///
    /// # Errors
    /// Why nothing was done.
    pub async fn give(&self, node: &str, order: Order, person: &str) -> Outcome {
        let here = node == self.node;
        if !here && !self.store.live_nodes(by()).await?.iter().any(|live| live == node) {
            return Err(Refused::new(Why::Missing, format!("there is no node {node} that lives")));
        }
        let id = Uuid::now_v7();
        self.write(id, node, &order, person, here.then_some(id)).await?;
        if here {
            return self.act(id, order, person).await;
        }
        self.wait(id, node).await
    }

    /// Ends a listening, wherever it is.
    ///
    /// # Errors
    /// Why it was not.
    pub async fn end_listening(&self, id: Uuid, person: &str) -> Outcome {
        let order = self.store.order_state(id, by()).await?;
        let Some(order) = order.filter(|order| order.kind == "listen") else {
            return Err(Refused::new(Why::Missing, "nobody listens under this id"));
        };
        self.give(&order.node, Order::EndListening { listening: id }, person).await
    }

    /// Who listens on all nodes that live, by node, and which nodes do not say.
    ///
    /// # Errors
    /// The database does not tell which nodes there are.
    pub async fn listenings(&self, person: &str) -> Result<Vec<(String, Outcome)>, StoreError> {
        let others = self.store.live_nodes(by()).await?.into_iter().filter(|node| *node != self.node);
        let here = async { (self.node.clone(), self.hands.act(Uuid::nil(), Order::Listenings, person).await) };
        let there = others.map(|node| async move {
            let outcome = self.give(&node, Order::Listenings, person).await;
            (node, outcome)
        });
        let (here, mut all) = tokio::join!(here, join_all(there));
        all.insert(0, here);
        Ok(all)
    }

    /// Does what other nodes' persons order, for as long as it is polled.
    pub async fn run(self) {
        let (mut looks, mut tidied, mut away) = (interval(LOOK), None::<Instant>, false);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let done = async {
                if tidied.is_none_or(|at| at.elapsed() >= TIDY) {
                    self.store.forget_orders(Utc::now() - KEPT, by()).await?;
                    tidied = Some(Instant::now());
                }
                self.look().await
            };
            match done.await {
                Ok(()) => away = false,
                Err(error) if !away => {
                    warn!(%error, "orders from other nodes are not seen, trying on");
                    away = true;
                }
                Err(_) => {}
            }
        }
    }

    async fn look(&self) -> Result<(), StoreError> {
        for WaitingOrder { id, body, ordered_by } in self.store.waiting_orders(&self.node, Utc::now(), by()).await? {
            if !self.store.take_order(id, Utc::now(), by()).await? {
                continue;
            }
            let clerk = self.clone();
            // One that takes its time holds up no other.
            tokio::spawn(async move {
                match serde_json::from_str(&body) {
                    Ok(order) => drop(clerk.act(id, order, &ordered_by).await),
                    Err(error) => {
                        let other = format!("this node's agent is of another version: {error}");
                        clerk.finish(id, &Err(Refused::new(Why::Wrong, other))).await;
                    }
                }
            });
        }
        Ok(())
    }

    async fn write(
        &self,
        id: Uuid,
        node: &str,
        order: &Order,
        person: &str,
        taken_by: Option<Uuid>,
    ) -> Result<(), Refused> {
        let body = serde_json::to_string(order).map_err(|error| Refused::new(Why::Wrong, error.to_string()))?;
        let order = NodeOrder {
            id,
            node: node.to_owned(),
            kind: order.kind(),
            body,
            ordered_by: person.to_owned(),
            ordered_at: Utc::now(),
            taken_by,
        };
        Ok(self.store.order_of_node(&order, by()).await?)
    }

    async fn act(&self, id: Uuid, order: Order, person: &str) -> Outcome {
        let outcome = self.hands.act(id, order, person).await;
        self.finish(id, &outcome).await;
        outcome
    }

    async fn finish(&self, id: Uuid, outcome: &Outcome) {
        let text = serde_json::to_string(outcome).unwrap_or_default();
        if let Err(error) = self.store.finish_order(id, &text, by()).await {
            warn!(%error, order = %id, "what came of an order is not told to who gave it");
        }
    }

    async fn wait(&self, id: Uuid, node: &str) -> Outcome {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            sleep(GLANCE).await;
            let state = self.store.order_state(id, by()).await?;
            if let Some(text) = state.and_then(|state| state.outcome) {
                let told: Result<Result<Value, Refused>, _> = serde_json::from_str(&text);
                return told.unwrap_or_else(|error| Err(Refused::new(Why::Unknown, error.to_string())));
            }
        }
        Err(if self.store.take_order(id, Utc::now(), by()).await? {
            Refused::new(Why::Away, format!("node {node} did not take the order, and will not do it"))
        } else {
            Refused::new(Why::Unknown, format!("node {node} took the order, and has not told what came of it"))
        })
    }
}

fn by() -> Instant {
    Instant::now() + QUESTION
}
