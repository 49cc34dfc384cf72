//! Live calls in each of the three databases: written, counted by others, ended, buried. And orders to nodes: taken once, whoever is first, and never late.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::time::Duration;

use chrono::TimeDelta;
use store_world::{World, load_sample, options, soon, time};
use tandem::store::Store;
use tandem::store::live_call::{LiveCall, Side, State};
use tandem::store::node_order::{NodeOrder, OrderState, WaitingOrder};
use tandem::store::target::Target;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

/// For a question.
const SOON: Duration = Duration::from_secs(20);

fn leg(uniqueid: &str, side: Side, line: Option<&str>, gateway: Option<&str>) -> LiveCall {
    LiveCall {
        uniqueid: uniqueid.to_owned(),
        linked_id: uniqueid.to_owned(),
        channel: format!("PJSIP/{uniqueid}"),
        side,
        line_id: line.map(str::to_owned),
        gateway_id: gateway.map(str::to_owned),
        account_id: Some("acme".to_owned()),
        shown_number: "+12125550100".to_owned(),
        dialled: "'; DROP TABLE live_calls; --".to_owned(),
        state: State::Rings,
        began_at: "2026-02-01T12:00:00.123Z".parse().unwrap(),
        answered_at: None,
    }
}

/// What other nodes have of the limits of line 1001 (its own calls, those of its account, calls to it) and of the account by one of its numbers.
async fn elsewhere(store: &Store) -> [i64; 4] {
    let caller = store.line_caller("1001", "1001", &mut soon()).await.unwrap().unwrap();
    let Some(Target::Line(line)) = caller.extension else { panic!("extension 1001 is a line") };
    let number = store.own_number("12125550102", &mut soon()).await.unwrap().unwrap();
    let caps = [caller.line_max_calls, caller.account.max_calls, line.max_calls, number.account_max_calls];
    caps.map(|cap| cap.elsewhere)
}

#[tokio::test]
async fn live_calls_in_each_database() {
    for world in World::all() {
        let name = world.name;
        load_sample(&world.store).await;
        let node = |node: &str| Store::new(&options(&[&world.url])).unwrap().of_node(node);
        let (one, two) = (node("one"), node("two"));
        let change = |text: &'static str| world.run(text);
        change("UPDATE phone_lines SET max_calls = 9").await;
        change("UPDATE accounts SET max_calls = 9").await;
        let mut writer = one.live_writer(Duration::from_secs(10));
        let mut others = two.live_writer(Duration::from_secs(10));
        let makes = leg("1", Side::Makes, Some("1001"), None);
        let takes = leg("2", Side::Takes, Some("1001"), None);
        let sent = leg("3", Side::Takes, None, Some("gw-a"));
        writer.replace([&makes, &takes, &sent].into_iter()).await.unwrap();
        let listed = two.live_calls().await.unwrap();
        let listed: Vec<&LiveCall> = listed.iter().map(|listed| &listed.call).collect();
        assert_eq!(listed, [&makes, &takes, &sent], "{name}");
        assert_eq!(elsewhere(&one).await, [0, 0, 0, 0], "{name}: its own are counted by its dialplan");
        assert_eq!(elsewhere(&two).await, [1, 1, 1, 1], "{name}");
        change("UPDATE accounts SET max_calls = 0").await;
        assert_eq!(elsewhere(&two).await, [1, 0, 1, 0], "{name}: without a limit nothing is counted");
        change("UPDATE accounts SET max_calls = 9").await;

        // Answered, and ended; many at once.
        let answered = LiveCall {
            state: State::Talks,
            answered_at: Some("2026-02-01T12:00:05Z".parse().unwrap()),
            ..makes.clone()
        };
        let more: Vec<LiveCall> =
            (0..1100).map(|n| leg(&format!("more-{n}"), Side::Makes, Some("1001"), None)).collect();
        writer.update([(&answered, false), (&takes, true)].into_iter()).await.unwrap();
        assert_eq!(two.live_calls().await.unwrap()[0].call, answered, "{name}");
        assert_eq!(elsewhere(&two).await, [1, 1, 0, 1], "{name}");
        writer.update(more.iter().map(|leg| (leg, false))).await.unwrap();
        assert_eq!(elsewhere(&two).await, [1101, 1101, 0, 1101], "{name}");
        writer.update(more.iter().map(|leg| (leg, true))).await.unwrap();
        assert_eq!(two.live_calls().await.unwrap().len(), 2, "{name}");
        assert_eq!(world.number("SELECT COUNT(*) FROM live_calls").await, 1103, "{name}");
        writer.purge().await.unwrap();
        assert_eq!(world.number("SELECT COUNT(*) FROM live_calls").await, 2, "{name}");

        // A node that was not seen for long does not count, and the other one removes what it left.
        others.see().await.unwrap();
        others.bury().await.unwrap();
        assert_eq!(world.number("SELECT COUNT(*) FROM live_calls").await, 2, "{name}: both nodes live");
        change("UPDATE live_nodes SET seen_at = '2026-02-01 12:00:00' WHERE node = 'one'").await;
        assert_eq!(elsewhere(&two).await, [0, 0, 0, 0], "{name}");
        others.bury().await.unwrap();
        assert_eq!(world.number("SELECT COUNT(*) FROM live_calls").await, 0, "{name}");
        writer.replace([&answered].into_iter()).await.unwrap();
        assert_eq!(elsewhere(&two).await, [1, 1, 0, 1], "{name}: it is back");
        assert_eq!(two.live_nodes(Instant::now() + SOON).await.unwrap(), ["one", "two"], "{name}");
        an_order_is_taken_once(name, &one).await;
    }
}

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

async fn an_order_is_taken_once(name: &str, store: &Store) {
    let by = || Instant::now() + SOON;
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
