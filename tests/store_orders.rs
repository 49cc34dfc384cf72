//! Orders to nodes in each of the three databases: taken once, whoever is first, and never late.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::time::Duration;

use chrono::TimeDelta;
use store_world::{World, time};
use tandem::store::node_order::{NodeOrder, OrderState, WaitingOrder};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

fn order(node: &str, taken_by: Option<Uuid>) -> NodeOrder {
    NodeOrder {
        id: Uuid::now_v7(),
        node: node.to_owned(),
        kind: "listen",
        body: r#"{"kind":"listen","line":"O'Hara"}"#.to_owned(),
        ordered_by: "sue@example.com".to_owned(),
        ordered_at: time("2026-11-01T12:00:00.25Z"),
        taken_by,
    }
}

#[tokio::test]
async fn an_order_is_taken_once() {
    for world in World::all() {
        let (name, store) = (world.name, &world.store);
        store.migrate().await.unwrap();
        let by = || Instant::now() + Duration::from_secs(20);
        let (first, other, here) = (order("one", None), order("two", None), order("one", Some(Uuid::now_v7())));
        for order in [&first, &other, &here] {
            store.order_of_node(order, by()).await.unwrap();
        }
        let now = first.ordered_at + TimeDelta::seconds(1);
        let waiting = WaitingOrder { id: first.id, body: first.body.clone(), ordered_by: first.ordered_by.clone() };
        assert_eq!(store.waiting_orders("one", now, by()).await.unwrap(), [waiting], "{name}: not what was taken already");
        assert_eq!(store.waiting_orders("one", first.expires_at(), by()).await.unwrap(), [], "{name}: too late");

        let mut tries = JoinSet::new();
        for _ in 0..8 {
            let (store, by) = (store.clone(), by());
            tries.spawn(async move { store.take_order(first.id, now, by).await.unwrap() });
        }
        assert_eq!(tries.join_all().await.into_iter().filter(|taken| *taken).count(), 1, "{name}");
        assert!(!store.take_order(here.id, now, by()).await.unwrap(), "{name}");
        assert_eq!(store.waiting_orders("one", now, by()).await.unwrap(), [], "{name}");

        let state = |outcome: Option<&str>| {
            Some(OrderState { node: "one".into(), kind: "listen".into(), outcome: outcome.map(str::to_owned) })
        };
        assert_eq!(store.order_state(first.id, by()).await.unwrap(), state(None), "{name}");
        store.finish_order(first.id, "{\"Ok\":1}", by()).await.unwrap();
        assert_eq!(store.order_state(first.id, by()).await.unwrap(), state(Some("{\"Ok\":1}")), "{name}");
        store.forget_orders(first.expires_at(), by()).await.unwrap();
        assert!(store.order_state(first.id, by()).await.unwrap().is_some(), "{name}");
        store.forget_orders(first.expires_at() + TimeDelta::seconds(1), by()).await.unwrap();
        assert_eq!(store.order_state(first.id, by()).await.unwrap(), None, "{name}");
    }
}
