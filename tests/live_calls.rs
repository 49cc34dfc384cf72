//! The picture of live calls, with real ones: what each leg is, limits over nodes, and what becomes of it when something is gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::time::Duration;

use lab::{AgentBuilder, Manner, Node, NodeBuilder, wait_until};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(20);
/// Longer than any test looks.
const LONG: Duration = Duration::from_secs(60);

fn node() -> NodeBuilder {
    Node::builder()
        .by_ari()
        .set("node.name", "one")
        .sql(include_str!("data/provider.sql"))
        .line("1001", Manner::Answers)
        .line("1002", Manner::Answers)
        .gateway("gw-a", Manner::Answers)
}

/// What `tandem calls` tells.
fn calls(agent: &AgentBuilder, filter: &[&str]) -> Vec<Value> {
    let told = agent.tandem_ok(&[&["calls", "--json"], filter].concat());
    serde_json::from_str(&told).unwrap()
}

/// The same in words, sorted: node, state, side, whose leg, account, number shown, number dialled.
fn legs(agent: &AgentBuilder) -> Vec<String> {
    let word = |call: &Value, name: &str| call[name].as_str().unwrap_or("-").to_owned();
    let names = ["node", "state", "side", "line_id", "gateway_id", "account_id", "shown_number", "dialled"];
    let calls = calls(agent, &[]);
    let mut legs: Vec<String> = calls.iter().map(|call| names.map(|name| word(call, name)).join(" ")).collect();
    legs.sort();
    legs
}

fn wait_legs(agent: &AgentBuilder, expected: &[&str]) {
    let mut found = Vec::new();
    let is_so = || {
        found = legs(agent);
        found == expected
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait_until("the legs", SOON, is_so)));
    assert!(outcome.is_ok(), "{found:#?} instead of {expected:#?}");
}

#[test]
fn every_leg_is_told_as_long_as_it_lives() {
    let node = node().start();
    let plan = node.agent.plan();
    let proxy = node.asterisk.address();
    let inside = node.peer("1001").call(proxy, "102").talks(LONG).start();
    wait_legs(plan, &["one talks makes 1001 - acme 101 102", "one talks takes 1002 - acme 101 102"]);
    inside.hang_up();
    wait_legs(plan, &[]);
}
