//! The picture of live calls, with real ones: what each leg is, limits over nodes, and what becomes of it when something is gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lab::{Agent, AgentBuilder, Asterisk, Manner, MariaDb, Node, NodeBuilder, Relay, Sipp, wait_until};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(20);
/// Longer than any test looks.
const LONG: Duration = Duration::from_secs(60);
const PROVIDER: &str = include_str!("data/provider.sql");

/// What `tandem calls` tells in words, sorted: node, state, side, line or gateway, account, number shown, number dialled.
fn legs(agent: &AgentBuilder, filter: &[&str]) -> Vec<String> {
    let told = agent.tandem_ok(&[&["calls", "--json"], filter].concat());
    let calls: Vec<Value> = serde_json::from_str(&told).unwrap();
    let word = |call: &Value, name: &str| call[name].as_str().unwrap_or("-").to_owned();
    let names = ["node", "state", "side", "line_id", "gateway_id", "account_id", "shown_number", "dialled"];
    let mut legs: Vec<String> = calls.iter().map(|call| names.map(|name| word(call, name)).join(" ")).collect();
    legs.sort();
    legs
}

#[track_caller]
fn wait_legs(agent: &AgentBuilder, expected: &[&str]) {
    let mut found = Vec::new();
    let is_so = || {
        found = legs(agent, &[]);
        found == expected
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| wait_until("the legs", SOON, is_so)));
    assert!(outcome.is_ok(), "{found:#?} instead of {expected:#?}; it says\n{}", agent.folder().read("log"));
}

/// A node that has lines 1001 and 1002 and both carriers.
fn node(name: &str) -> NodeBuilder {
    ["1001", "1002"]
        .into_iter()
        .fold(Node::builder().by_ari().set("node.name", name), |node, line| node.line(line, Manner::Answers))
        .gateway("gw-a", Manner::Answers)
        .gateway("carrier-b", Manner::Answers)
        .set("emergency.gateways", "gw-a")
        // Calls are decided by AGI, and followed all the same.
        .global("TANDEM_TRANSPORT", "agi")
        .set("agi.peers", "127.0.0.1")
}

/// Asterisk, an agent that reaches it through a relay, and two phones.
struct Relayed {
    asterisk: Asterisk,
    relay: Relay,
    agent: Agent,
    phones: [Sipp; 2],
}

impl Relayed {
    fn start(plan: AgentBuilder) -> Relayed {
        let phones = [(); 2].map(|()| Sipp::start(Manner::Answers));
        let lines = Asterisk::builder().line("1001", phones[0].address()).line("1002", phones[1].address());
        let asterisk = lines.agent(plan.agi()).start();
        let (url, _) = asterisk.ari();
        let address = url.split('/').nth(2).unwrap();
        let relay = Relay::start(address.parse().unwrap());
        let url = url.replace(address, &relay.address().to_string());
        let agent = plan.serves(&asterisk).set("ari.url", &url).set("node.name", "one").start();
        wait_until("the app", SOON, || asterisk.command("ari show apps").contains("tandem-calls"));
        Relayed { asterisk, relay, agent, phones }
    }
}

#[test]
fn every_leg_is_told_as_long_as_it_lives() {
    let queue = "INSERT INTO numbers (number, account_id, queue) VALUES ('12145559001', 'acme', 'support');";
    let node = node("one").sql(PROVIDER).sql(queue).line("1004", Manner::Rings);
    let node = node.append("queues.conf", "[support]\nmember => PJSIP/1002\n").start();
    let (plan, proxy) = (node.agent.plan(), node.asterisk.address());
    let _follows = plan.keep_running(&["calls", "--follow"], "follow");
    let inside = node.peer("1001").call(proxy, "102").talks(LONG).start();
    let outside = node.peer("1002").call(proxy, "95125550123").talks(LONG).start();
    let inbound = node.peer("gw-a").call(proxy, "12145550101").claims("+15125550199", "Zoe").talks(LONG).start();
    let queued = node.peer("gw-a").call(proxy, "12145559001").claims("+15125550198", "Yve").talks(LONG).start();
    wait_legs(
        plan,
        &[
            "one talks makes - gw-a acme +15125550198 12145559001",
            "one talks makes - gw-a acme +15125550199 12145550101",
            "one talks makes 1001 - acme 101 102",
            "one talks makes 1002 - acme +12145550100 95125550123",
            "one talks takes - gw-a - +12145550100 95125550123",
            "one talks takes 1001 - acme +15125550199 12145550101",
            "one talks takes 1002 - acme +15125550198 12145559001",
            "one talks takes 1002 - acme 101 102",
        ],
    );
    let ringing = node.peer("1001").call(proxy, "104").gives_up_after(LONG).start();
    let rings = ["one rings makes 1001 - acme 101 104", "one rings takes 1004 - acme 101 104"];
    wait_until("ringing", SOON, || rings.iter().all(|leg| legs(plan, &[]).iter().any(|other| other == leg)));
    drop(ringing);
    assert_eq!(legs(plan, &["--line", "1001"]).len(), 3);
    assert_eq!(legs(plan, &["--account", "acme", "--gateway", "gw-a"]).len(), 2);
    assert_eq!(legs(plan, &["--node", "two"]).len(), 0);
    for call in [inside, outside, inbound, queued] {
        call.hang_up();
    }
    node.asterisk.command("channel request hangup all");
    wait_legs(plan, &[]);
    let told = |mark: char| {
        let log = plan.folder().read("follow");
        log.lines().filter(|line| line.starts_with(mark) && line.contains("line 1001 calls 102 ")).count()
    };
    wait_until("what follows", SOON, || told('+') == 1 && told('-') == 1);
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn limits_hold_over_nodes() {
    let server = MariaDb::start();
    let sql = |text: &str| server.sql(&format!("USE tandem; {text}"));
    let shared = |name: &str| node(name).set("database.urls", &server.url());
    let mut one = shared("one").start();
    let phones = std::mem::take(&mut one.peers);
    sql(PROVIDER);
    sql("UPDATE gateways SET max_calls = 1 WHERE id = 'gw-a'; UPDATE phone_lines SET max_calls = 1 WHERE id = '1002'");
    let two = shared("two").start();
    let proxy = one.asterisk.address();
    let on_one = |number: &str| phones["1001"].call(proxy, number).run().status();
    let on_two = |number: &str| two.dial("1001", number).status();
    // Line 1001 makes two calls: one on each node.
    let first = phones["1001"].call(proxy, "95125550123").talks(LONG).start();
    let second = two.peer("1001").call(two.asterisk.address(), "102").talks(LONG).start();
    wait_legs(
        two.agent.plan(),
        &[
            "one talks makes 1001 - acme +12145550101 95125550123",
            "one talks takes - gw-a - +12145550101 95125550123",
            "two talks makes 1001 - acme 101 102",
            "two talks takes 1002 - acme 101 102",
        ],
    );
    assert_eq!([on_one("95125550123"), on_two("95125550123")], [486, 486]);
    // Line 1002 takes one, and has it on the other node; carrier A is passed over for carrier B.
    sql("UPDATE phone_lines SET max_calls = 3 WHERE id = '1001'");
    assert_eq!(on_one("102"), 486);
    assert_eq!(phones["1002"].invites().len(), 0);
    let explained = two.agent.plan().tandem_ok(&["explain", "1001", "95125550123"]);
    assert!(explained.contains("the other nodes have as many as it may have"), "{explained}");
    assert_eq!(on_two("95125550123"), 200);
    assert_eq!([two.peer("gw-a").invites().len(), two.peer("carrier-b").invites().len()], [0, 1]);
    // The account has two calls, one on each node. A call for help is not counted.
    sql("UPDATE accounts SET max_calls = 2; UPDATE phone_lines SET max_calls = 0 WHERE id = '1001'");
    assert_eq!([on_one("95125550123"), on_two("95125550123")], [503, 503]);
    let explained = two.agent.plan().tandem_ok(&["explain", "1001", "95125550123"]);
    assert!(!explained.contains("account-full"), "one place is left to this node: {explained}");
    assert_eq!(on_two("911"), 200);
    sql("UPDATE phone_lines SET max_calls = 1 WHERE id = '1001'");
    let explained = two.agent.plan().tandem_ok(&["explain", "1001", "95125550123"]);
    assert!(explained.contains("line-full, since other nodes have 1 of the line's 1 calls"), "{explained}");
    sql("UPDATE phone_lines SET max_calls = 0 WHERE id = '1001'");
    // A node that is gone for 15 s has no calls.
    one.agent.process().kill();
    sql("UPDATE live_nodes SET seen_at = seen_at - INTERVAL 15 SECOND WHERE node = 'one'");
    assert_eq!(legs(two.agent.plan(), &["--node", "one"]).len(), 0);
    assert_eq!(on_two("95125550123"), 200);
    second.hang_up();
    first.hang_up();
}

#[test]
fn the_picture_is_right_again_after_a_cut_and_a_restart() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    plan.sql(PROVIDER);
    let mut stage = Relayed::start(plan);
    let proxy = stage.asterisk.address();
    let call = |phone: usize, number: &str| stage.phones[phone].call(proxy, number).talks(LONG).start();
    let old = call(0, "102");
    let (mine, theirs) = ("one talks makes 1001 - acme 101 102", "one talks takes 1002 - acme 101 102");
    wait_legs(stage.agent.plan(), &[mine, theirs]);
    // The websocket is cut: one call ends meanwhile, another begins.
    stage.relay.cut();
    let new = call(1, "101");
    new.wait_voice();
    old.hang_up();
    wait_until("the call's end", SOON, || stage.asterisk.channels() == 2);
    stage.relay.mend();
    let (mine, theirs) = ("one talks makes 1002 - acme 102 101", "one talks takes 1001 - acme 102 101");
    wait_legs(stage.agent.plan(), &[mine, theirs]);
    // The agent is away meanwhile.
    stage.agent.process().kill();
    new.hang_up();
    wait_until("the call's end", SOON, || stage.asterisk.channels() == 0);
    stage.agent.restart();
    wait_legs(stage.agent.plan(), &[]);
    assert!(!stage.agent.log().contains("ERROR"), "{}", stage.agent.log());
}

#[test]
fn the_picture_is_written_anew_when_the_database_was_away() {
    let mut server = MariaDb::start();
    let plan = Agent::builder().set("database.urls", &server.url());
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {PROVIDER}"));
    let stage = Relayed::start(plan);
    wait_until("the replica", SOON, || stage.agent.log().contains("the replica is filled"));
    let proxy = stage.asterisk.address();
    let call = |phone: usize, number: &str| stage.phones[phone].call(proxy, number).talks(LONG).start();
    let old = call(0, "102");
    wait_until("the legs", SOON, || legs(stage.agent.plan(), &[]).len() == 2);
    server.stop();
    let new = call(1, "101");
    new.wait_voice();
    old.hang_up();
    wait_until("the failure", SOON, || stage.agent.log().contains("live calls are not written"));
    server.restart();
    wait_legs(stage.agent.plan(), &["one talks makes 1002 - acme 102 101", "one talks takes 1001 - acme 102 101"]);
    new.hang_up();
}
