//! The agent is stopped, killed and started while real calls come in. The test holds the FastAGI listener, as systemd
//! does, so that calls wait in its backlog.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::net::TcpListener;
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::{Agent, Manner, Node, NodeBuilder, wait_until};

/// Calls a second; each talks for a tenth of one.
const RATE: usize = 50;
/// More calls than any of these tests needs: it stops them.
const MANY: usize = 100_000;
/// Between two restarts.
const PAUSE: Duration = Duration::from_millis(300);

/// The provider of `data/provider.sql` without limits, line 1002 that calls, carrier A that answers.
fn node() -> NodeBuilder {
    Node::builder()
        .held_listener()
        .sql(include_str!("data/provider.sql"))
        .sql("UPDATE accounts SET max_calls = 0; UPDATE gateways SET max_calls = 0")
        .line("1001", Manner::Answers)
        .line("1002", Manner::Answers)
        .gateway("gw-a", Manner::Answers)
}

/// Calls under way to a number that only the agent can route, while `disturb` is done; final statuses, and the `reason` of
/// each call's record.
fn under_load(node: &mut Node, disturb: impl FnOnce(&mut Agent)) -> (Vec<u16>, Vec<String>) {
    let phone = node.peers.remove("1002").unwrap();
    let mut calls = phone.call(node.asterisk.address(), "5125550123").times(MANY, RATE).start();
    let _ = node.peer("gw-a").wait_invite(1, Duration::from_secs(10));
    disturb(&mut node.agent);
    sleep(PAUSE);
    assert!(calls.is_running(), "the calls ended before their time");
    let statuses = calls.stop().finals();
    let _ = node.asterisk.wait_call(statuses.len());
    let records = node.asterisk.records().into_iter().filter(|record| !record.get("kind").is_empty());
    (statuses, records.map(|record| record.get("reason").to_owned()).collect())
}

#[test]
fn twenty_restarts_under_load_cost_no_call() {
    let mut node = node().start();
    let mut stopping = Vec::new();
    let start = Instant::now();
    let (statuses, reasons) = under_load(&mut node, |agent| {
        for _ in 0..20 {
            sleep(PAUSE);
            let asked = Instant::now();
            assert!(agent.process().stop(Duration::from_secs(10)), "the agent did not stop:\n{}", agent.log());
            stopping.push(asked.elapsed());
            agent.restart();
        }
    });
    println!("{} calls in {:?}; stopping took {stopping:?}", statuses.len(), start.elapsed());
    assert_eq!(statuses.iter().filter(|status| **status != 200).count(), 0, "of {} calls: {statuses:?}", statuses.len());
    assert_eq!(reasons.iter().filter(|reason| !reason.is_empty()).count(), 0, "of {reasons:?}");
    assert_eq!((statuses.len(), statuses.len()), (reasons.len(), node.peer("gw-a").invites().len()));
    assert_eq!(node.agent.log().matches("stopping:").count(), 20);
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn an_agent_killed_under_load_loses_at_most_the_calls_in_flight() {
    const KILLS: usize = 5;
    let mut node = node().start();
    let (statuses, reasons) = under_load(&mut node, |agent| {
        for _ in 0..KILLS {
            sleep(PAUSE);
            agent.restart();
        }
    });
    let lost = statuses.iter().filter(|status| **status != 200).count();
    println!("{lost} of {} calls took the fallback", statuses.len());
    // A decision takes milliseconds: more than a few at once are never in flight.
    assert!(lost <= 3 * KILLS, "{lost} of {} calls: {statuses:?}", statuses.len());
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
    assert_eq!(reasons.iter().filter(|reason| *reason == "no-agent").count(), lost);
    assert_eq!(statuses.len(), reasons.len());
    assert_eq!(node.asterisk.channels(), 0);
}

#[test]
fn a_call_whose_agent_dies_in_the_middle_takes_the_fallback() {
    // A database that takes connections and says nothing holds the decision up.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mysql://tandem@{}/tandem", silent.local_addr().unwrap());
    let agent = Agent::builder().held_listener().set("database.urls", &url).set("database.connect_ms", "700");
    let mut agent = agent.set("route.decision_ms", "700").start();
    let (alice, bob) = (lab::Sipp::start(Manner::Answers), lab::Sipp::start(Manner::Answers));
    let asterisk = lab::Asterisk::builder().agent(agent.agi()).line("1001", alice.address());
    let asterisk = asterisk.line("1002", bob.address()).start();

    let call = alice.call(asterisk.address(), "1002").start();
    wait_until("the session", Duration::from_secs(5), || sessions(&agent) == 1.0);
    agent.process().kill();
    let outcome = call.finish();
    assert_eq!(outcome.status(), 200, "the node reaches its own lines alone");
    assert_eq!(asterisk.wait_call(1).get("reason"), "no-agent");
    // Nobody answers now: the call waits in the backlog for the guard's time, and takes the fallback too.
    assert_eq!(alice.call(asterisk.address(), "5125550123").run().status(), 503);
    assert_eq!(asterisk.wait_call(2).get("reason"), "no-agent");
}

fn sessions(agent: &Agent) -> f64 {
    let (_, text) = agent.get("/metrics").unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix("tandem_agi_sessions "));
    value.and_then(|value| value.parse().ok()).unwrap_or(0.0)
}
