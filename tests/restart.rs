//! The agent is stopped, killed and started while real calls come in. The test holds the FastAGI listener, as systemd
//! does, so that calls wait in its backlog.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::{Agent, Asterisk, Folder, Manner, Node, NodeBuilder, Signal, Sipp, wait_until};

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
    // One such load at a time: two would be a test of the machine.
    static LOAD: Mutex<()> = Mutex::new(());
    let _alone = LOAD.lock().unwrap_or_else(PoisonError::into_inner);
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
    let mut away = Vec::new();
    let start = Instant::now();
    let (statuses, reasons) = under_load(&mut node, |agent| {
        for _ in 0..20 {
            sleep(PAUSE);
            let asked = Instant::now();
            assert!(agent.process().stop(Duration::from_secs(10)), "the agent did not stop:\n{}", agent.log());
            agent.restart();
            away.push(asked.elapsed());
        }
    });
    let longest = away.iter().max().unwrap();
    println!("{} calls in {:?}; the agent was away for {longest:?} at the most", statuses.len(), start.elapsed());
    let log = node.agent.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains(" WARN ") || line.contains("hangup")).collect();
    let others: Vec<&String> = reasons.iter().filter(|reason| !reason.is_empty()).collect();
    assert!(others.is_empty(), "{} of {} calls: {others:?}; the agent says {warnings:#?}", others.len(), reasons.len());
    let others: Vec<&u16> = statuses.iter().filter(|status| **status != 200).collect();
    assert!(others.is_empty(), "{} of {} calls: {others:?}", others.len(), statuses.len());
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
    assert!(lost <= 3 * KILLS, "{lost} of {} calls took the fallback", statuses.len());
    let others: Vec<&u16> = statuses.iter().filter(|status| !matches!(status, 200 | 503)).collect();
    assert!(others.is_empty(), "{others:?}");
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
    let (alice, bob) = (Sipp::start(Manner::Answers), Sipp::start(Manner::Answers));
    let asterisk = Asterisk::builder().agent(agent.agi()).line("1001", alice.address());
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

/// A node whose line 1001 is in the middle of a conversation with the agent: it tests itself, and then hears its id.
fn conversing(settings: &[(&str, &str)]) -> (Node, Sipp) {
    let mut node = node();
    for (key, value) in settings {
        node = node.set(key, value);
    }
    let mut node = node.start();
    let phone = node.peers.remove("1001").unwrap();
    (node, phone)
}

#[test]
fn a_soft_stop_lets_a_conversation_finish() {
    let (mut node, phone) = conversing(&[]);
    let call = phone.call(node.asterisk.address(), "*99").talks(Duration::from_secs(60)).start();
    call.wait_voice();
    assert_eq!(node.agent.get("/ready").unwrap().0, 200);
    node.agent.process().signal(Signal::TERM);
    wait_until("not ready", Duration::from_secs(2), || {
        node.agent.get("/ready").is_some_and(|(status, _)| status == 503)
    });
    assert_eq!(node.agent.get("/live").unwrap().0, 200);
    assert_eq!(sessions(&node.agent), 1.0);
    // Meanwhile nobody else takes calls, so this one does.
    assert_eq!(node.dial("1002", "5125550123").status(), 200);
    assert_eq!(node.asterisk.wait_call(1).get("reason"), "");
    // The line test ends by itself, when no key is pressed for five seconds.
    let outcome = call.finish();
    assert!(outcome.messages.iter().any(|m| m.received && m.first_line.starts_with("BYE ")), "the agent hung up");
    wait_until("the agent's end", Duration::from_secs(2), || !node.agent.process().is_running());
    let log = node.agent.log();
    assert!(log.contains(r#"outcome="tested""#) && log.contains("stopped"), "{log}");
    assert!(!log.contains("drain_seconds are over"), "{log}");
}

#[test]
fn a_second_signal_ends_a_conversation_at_once() {
    let (mut node, phone) = conversing(&[]);
    let call = phone.call(node.asterisk.address(), "*99").talks(Duration::from_secs(60)).start();
    call.wait_voice();
    node.agent.process().signal(Signal::TERM);
    sleep(Duration::from_millis(500));
    assert!(node.agent.process().is_running());
    assert!(node.agent.process().stop(Duration::from_secs(2)), "{}", node.agent.log());
    // The dialplan's fallback ends the call.
    let start = Instant::now();
    assert_eq!(call.finish().status(), 200);
    assert!(start.elapsed() < Duration::from_secs(8), "the call stood for {:?}", start.elapsed());
    assert_eq!(node.asterisk.wait_call(1).get("reason"), "no-agent");
}

#[test]
fn a_conversation_ends_when_the_time_to_drain_is_over() {
    let (mut node, phone) = conversing(&[("agi.drain_seconds", "2")]);
    let call = phone.call(node.asterisk.address(), "*99").talks(Duration::from_secs(60)).start();
    call.wait_voice();
    let start = Instant::now();
    assert!(node.agent.process().stop(Duration::from_secs(6)), "{}", node.agent.log());
    assert!(start.elapsed() >= Duration::from_secs(2), "ended after {:?}", start.elapsed());
    assert!(node.agent.log().contains("drain_seconds are over"), "{}", node.agent.log());
    assert_eq!(call.finish().status(), 200);
}

#[test]
fn a_second_agent_on_the_same_address_says_so() {
    let agent = Agent::builder().start();
    let output = agent.plan().tandem(&["serve"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    let address = agent.agi().to_string();
    assert!(said.contains("tandem: cannot listen on") && said.contains(&address), "{said}");
    assert!(said.contains("is another agent running?"), "{said}");
    assert_eq!(agent.get("/ready").unwrap().0, 200, "the first goes on");
}

#[test]
fn the_service_manager_is_told_how_the_agent_is() {
    let folder = Folder::new("notify");
    let manager = UnixDatagram::bind(folder.join("socket")).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let agent = Agent::builder().environment("NOTIFY_SOCKET", &folder.join("socket").to_string_lossy());
    let mut agent = agent.environment("WATCHDOG_USEC", "600000").start();
    let told = || {
        let mut message = [0; 512];
        let length = manager.recv(&mut message).expect("a message within 10 s");
        String::from_utf8_lossy(&message[..length]).trim_end().to_owned()
    };
    let mut messages = vec![told(), told(), told()];
    assert_eq!(agent.get("/ready").unwrap().0, 200);
    agent.process().signal(Signal::TERM);
    while messages.last().is_some_and(|message| message != "STOPPING=1") {
        messages.push(told());
    }
    messages.sort();
    messages.dedup();
    assert_eq!(messages, ["READY=1", "STOPPING=1", "WATCHDOG=1"]);
}
