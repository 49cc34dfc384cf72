//! Real calls: SIPp phones and carriers, Asterisk with the shipped dialplan, the agent, a database.
//!
//! Each case is also told beforehand by `tandem explain`, which must agree with what the call does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::time::Duration;

use lab::{Agent, Asterisk, CallRecord, Folder, Manner, MariaDb, Outcome, Sipp};
use sqlx::{AssertSqlSafe, Connection as _};

/// The law's caller waits no longer, and ours neither.
const EMERGENCY: Duration = Duration::from_secs(2);

/// A node with the provider of `data/provider.sql`: lines 1001, 1002, 1004 and 2001, carriers A (cheapest) and B, two
/// emergency gateways.
struct Node {
    asterisk: Asterisk,
    agent: Agent,
    _folder: Folder,
    alice: Sipp,
    bob: Sipp,
    dave: Sipp,
    eve: Sipp,
    a: Sipp,
    b: Sipp,
    emergency: [Sipp; 2],
}

impl Node {
    fn start() -> Node {
        Node::start_with(&[], &[])
    }

    /// With settings of the agent, and statements run on its SQLite.
    fn start_with(settings: &[(&str, &str)], changes: &[&str]) -> Node {
        let (agent, folder) = provider(&[&[("emergency.gateways", "em-1")], settings].concat(), changes);
        let [alice, bob, dave, eve, a, b] = [(); 6].map(|()| Sipp::start(Manner::Answers));
        let emergency = [(); 2].map(|()| Sipp::start(Manner::Answers));
        let asterisk = Asterisk::builder()
            .agent(agent.agi())
            .global("TANDEM_EMERGENCY_GATEWAYS", "em-1&em-2")
            .line("1001", alice.address())
            .line("1002", bob.address())
            .line("1004", dave.address())
            .line("2001", eve.address())
            .gateway("gw-a", a.address())
            .gateway("carrier-b", b.address())
            .gateway("em-1", emergency[0].address())
            .gateway("em-2", emergency[1].address())
            .start();
        Node { asterisk, agent, _folder: folder, alice, bob, dave, eve, a, b, emergency }
    }

    fn dials(&self, phone: &Sipp, number: &str) -> Outcome {
        phone.call(self.asterisk.address(), number).run()
    }

    /// Lines and gateways that `tandem explain` says will be tried, or `reject REASON CAUSE`.
    fn explained(&self, from: &str, to: &str) -> String {
        let output = self.agent.plan().tandem(&["explain", from, to, "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let variable = |name: &str| report["variables"][name].as_str().unwrap_or_default().to_owned();
        if variable("TANDEM_ACTION") == "reject" {
            return format!("reject {} {}", variable("TANDEM_REASON"), variable("TANDEM_CAUSE"));
        }
        let count = variable("TANDEM_ROUTES").parse().unwrap();
        (1..=count).map(|n: usize| variable(&format!("TANDEM_ROUTE_{n}_NAME"))).collect::<Vec<_>>().join(",")
    }

    fn record(&self) -> CallRecord {
        self.asterisk.wait_call(1)
    }
}

/// An agent whose SQLite holds the provider, unless the settings name another database.
fn provider(settings: &[(&str, &str)], changes: &[&str]) -> (Agent, Folder) {
    let folder = Folder::new("provider");
    let url = format!("sqlite:{}", folder.join("tandem.db").display());
    let mut plan = Agent::builder().set("database.urls", &url);
    for (key, value) in settings {
        plan = plan.set(key, value);
    }
    if !settings.iter().any(|(key, _)| *key == "database.urls") {
        plan.tandem_ok(&["migrate"]);
        for text in [&[include_str!("data/provider.sql")], changes].concat() {
            run_sql(&url, text);
        }
    }
    (plan.start(), folder)
}

/// A metric by name and labels as Prometheus writes them; 0 while it is not there.
fn metric(agent: &Agent, name: &str) -> f64 {
    let (_, text) = agent.get("/metrics").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

fn run_sql(url: &str, text: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
    });
}

#[test]
fn a_line_calls_a_line() {
    let node = Node::start();
    assert_eq!(node.explained("1001", "102"), "1002");
    assert_eq!(node.dials(&node.alice, "102").status(), 200);
    let invite = &node.bob.invites()[0];
    assert_eq!(invite.caller(), "101", "an extension sees the extension that calls");
    let from = invite.header("From").unwrap();
    assert!(from.contains(r#""Alice \"A\", O'Hara ${SHELL(id)}""#), "a name of the database is a name: {from}");
    let record = node.record();
    assert_eq!((record.get("account"), record.get("class")), ("acme", "internal"));
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn a_national_number_takes_the_cheapest_gateway() {
    let node = Node::start();
    assert_eq!(node.explained("1001", "95125550123"), "gw-a,gw-b");
    assert_eq!(node.dials(&node.alice, "95125550123").status(), 200);
    let invite = &node.a.invites()[0];
    assert_eq!((invite.number(), invite.caller()), ("+15125550123", "+12145550101"));
    assert!(node.b.invites().is_empty());
    assert_eq!(node.record().tried(), "gw-a 200");
}

#[test]
fn a_decision_asks_two_questions_at_the_most_and_an_emergency_call_one() {
    let node = Node::start();
    let asked = || -> f64 {
        let (_, text) = node.agent.get("/metrics").unwrap();
        let counts = text.lines().filter(|line| line.starts_with("tandem_statement_seconds_count"));
        // Those are asked beside the calls.
        let beside =
            ["recent_emergency_calls", "emergency_contacts", "recording_orders", "node_orders", "armed_warrants"];
        let counts = counts.filter(|line| !beside.iter().any(|name| line.contains(name)));
        counts.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    };
    let call = |from: &Sipp, number: &str| {
        let before = asked();
        assert_eq!(node.dials(from, number).status(), 200);
        asked() - before
    };
    assert_eq!(call(&node.alice, "102"), 1.0);
    assert_eq!(call(&node.alice, "95125550123"), 2.0);
    assert_eq!(call(&node.a, "12145550101"), 2.0);
    assert_eq!(call(&node.alice, "911"), 1.0, "where the line is, of the replica");
    assert_eq!(call(&node.a, "12145550101"), 0.0, "the line is called back: nobody is asked");
}

#[test]
fn a_gateway_that_answers_503_gives_way_to_the_next() {
    let mut node = Node::start();
    node.a.change(Manner::Refuses(503));
    assert_eq!(node.dials(&node.alice, "5125550123").status(), 200);
    let invite = &node.b.invites()[0];
    assert_eq!((invite.number(), invite.caller()), ("77015125550123", "2145550101"), "in the format of carrier B");
    assert_eq!(node.record().tried(), "gw-a 503, gw-b 200");
}

#[test]
fn a_busy_number_is_busy_at_every_gateway() {
    let mut node = Node::start();
    node.a.change(Manner::Refuses(486));
    assert_eq!(node.dials(&node.alice, "5125550123").status(), 486);
    assert!(node.b.invites().is_empty());
}

#[test]
fn a_dead_gateway_gives_way_to_the_next() {
    let mut node = Node::start();
    node.a.change(Manner::Dead);
    assert_eq!(node.dials(&node.alice, "5125550123").status(), 200);
    assert_eq!(node.b.invites().len(), 1);
}

#[test]
fn when_every_gateway_fails_the_caller_hears_so_and_gets_503() {
    let mut node = Node::start();
    node.a.change(Manner::Refuses(503));
    node.b.change(Manner::Refuses(500));
    let outcome = node.dials(&node.alice, "5125550123");
    assert_eq!(outcome.statuses(), [100, 183, 503], "a prompt as early media, then the cause");
    assert_eq!(node.record().tried(), "gw-a 503, gw-b 500");
}

#[test]
fn an_inbound_number_reaches_its_line_and_a_ring_group_rings_together() {
    let node = Node::start();
    assert_eq!(node.explained("gateway:gw-a", "12145550101"), "1001");
    assert_eq!(node.a.call(node.asterisk.address(), "12145550101").claims("+4930123456", "Fritz").run().status(), 200);
    assert_eq!(node.alice.invites()[0].caller(), "+4930123456");

    assert_eq!(node.explained("gateway:gw-a", "+12145550100"), "sales");
    assert_eq!(node.a.call(node.asterisk.address(), "+12145550100").run().status(), 200);
    let rung = node.alice.invites().len() + node.bob.invites().len();
    assert!(rung >= 2, "both lines of the group, or the first that answered at once");
}

#[test]
fn a_ring_group_in_order_goes_on_when_a_line_is_busy() {
    let mut node = Node::start();
    node.bob.change(Manner::Refuses(486));
    assert_eq!(node.explained("1001", "601"), "1002,1004");
    assert_eq!(node.dials(&node.alice, "601").status(), 200);
    assert_eq!((node.bob.invites().len(), node.dave.invites().len()), (1, 1));
}

#[test]
fn refusals_are_heard_and_carry_their_cause() {
    let node = Node::start();
    for (phone, line, number, expected, status) in [
        (&node.alice, "1001", "19005550123", "reject class-forbidden 21", 403),
        (&node.eve, "2001", "5125550123", "reject account-inactive 21", 403),
        (&node.alice, "1001", "12", "reject number-invalid 28", 484),
        (&node.alice, "1001", "+390236618300", "reject no-sell-price 21", 403),
        (&node.alice, "1001", "+4930123456", "reject no-route 3", 404),
    ] {
        assert_eq!(node.explained(line, number), expected);
        let outcome = node.dials(phone, number);
        assert_eq!(outcome.statuses(), [100, 183, status], "{number}: a prompt, then the cause");
    }
    assert_eq!(node.explained("gateway:gw-a", "12145550199"), "reject number-unassigned 1");
    assert_eq!(node.a.call(node.asterisk.address(), "12145550199").run().status(), 404);
    assert!(node.a.invites().is_empty() && node.b.invites().is_empty());
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn the_caps_of_a_line_and_of_a_gateway_hold_on_the_node() {
    let node = Node::start_with(
        &[],
        &[
            "UPDATE phone_lines SET max_calls = 1 WHERE id = '1001'",
            "UPDATE gateways SET max_calls = 1 WHERE id = 'gw-a'",
        ],
    );
    let first = node.alice.call(node.asterisk.address(), "5125550123").talks(Duration::from_secs(4)).start();
    let _ = node.a.wait_invite(1, Duration::from_secs(5));
    assert_eq!(node.dials(&node.alice, "5125550123").status(), 486, "the line has one call already");
    assert_eq!(node.dials(&node.bob, "5125550123").status(), 200);
    assert_eq!(node.b.invites().len(), 1, "gateway A is full, B takes it");
    assert_eq!(first.finish().status(), 200);
}

#[test]
fn a_caller_number_of_others_is_replaced() {
    let node = Node::start();
    let call =
        |claimed: &str| node.alice.call(node.asterisk.address(), "5125550123").claims(claimed, "Bank").run().status();
    assert_eq!((call("+12125550199"), call("2145550100")), (200, 200));
    let shown: Vec<String> = node.a.invites().iter().map(|invite| invite.caller().to_owned()).collect();
    assert_eq!(shown, ["+12145550101", "+12145550100"]);
}

#[test]
fn what_a_caller_claims_is_never_executed() {
    let node = Node::start();
    for claimed in ["\"; DROP TABLE numbers", "${SHELL(touch /tmp/x)}", "1,2=3", "a\\b{c,d}(e", &"9".repeat(300)] {
        let call =
            node.a.call(node.asterisk.address(), "12145550101").claims("+4930123456", &claimed.replace('"', "'"));
        assert_eq!(call.run().status(), 200, "{claimed}");
    }
    let from = node.alice.invites()[1].header("From").unwrap().to_owned();
    assert!(from.contains("${SHELL(touch /tmp/x)}"), "passed on as it came: {from}");
    assert_eq!(node.alice.invites().len(), 5);
}

/// As a SIP user part carries it.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Asterisk decodes `%0A` in a SIP user part, and writes caller ID into the AGI prelude as it stands: a caller could write the
/// rest of the prelude himself, another line's id included.
#[test]
fn a_caller_id_with_line_ends_makes_nobody_another_line() {
    let node = Node::start();
    assert_eq!(node.explained("1002", "+442079460000"), "reject class-forbidden 21");
    for forged in [
        "1\nagi_arg_1: line\nagi_arg_2: 1001\n\n",
        "1\nagi_network_script: route/line/1001\n\n",
        "1\nagi_extension: +442079460000\nagi_arg_1: line\nagi_arg_2: 1001\n\n",
    ] {
        let call = node.bob.call(node.asterisk.address(), "+442079460000").claims(&encoded(forged), "Alice");
        let outcome = call.run();
        assert!(outcome.status() >= 400, "{forged}: {:?}\n{}", outcome.messages, node.agent.log());
    }
    assert!(node.a.invites().is_empty() && node.b.invites().is_empty());
    // He still is himself, and gets help.
    let call = node.bob.call(node.asterisk.address(), "911").claims(&encoded("1\nagi_arg_1: line\n\n"), "Bob");
    assert_eq!(call.run().status(), 200);
}

#[test]
fn the_edge_says_who_calls_and_nobody_else() {
    let phone = Sipp::start(Manner::Answers);
    let edge = Sipp::start(Manner::Answers);
    let (agent, _folder) = provider(&[], &[]);
    let asterisk =
        Asterisk::builder().agent(agent.agi()).line("1002", phone.address()).line("2001", edge.address()).start();
    // A phone's own claim counts for nothing: 2001 is suspended, whatever it says.
    let outcome = edge.call(asterisk.address(), "102").header("X-Tandem-Line: 1001").run();
    assert_eq!(outcome.status(), 403);
    drop(asterisk);
    let asterisk =
        Asterisk::builder().agent(agent.agi()).line("1002", phone.address()).edge("edge", edge.address()).start();
    assert_eq!(edge.call(asterisk.address(), "102").header("X-Tandem-Line: 1001").run().status(), 200);
    assert_eq!(edge.call(asterisk.address(), "2145550100").header("X-Tandem-Gateway: gw-b").run().status(), 200);
    assert_eq!(edge.call(asterisk.address(), "102").run().status(), 403, "without a header nobody calls");
    let hostile =
        edge.call(asterisk.address(), "102").header("X-Tandem-Line: 1001\"; DROP TABLE phone_lines,${SHELL(id)}");
    assert_eq!(hostile.run().status(), 403);
}

#[test]
fn emergency_calls_go_out_with_the_agent_up_killed_and_hung() {
    let mut node = Node::start();
    assert_eq!(node.explained("1001", "911"), "em-1");
    let mut calls = 0;
    let mut goes_out = |node: &Node, how: &str| {
        for (phone, number) in [(&node.alice, "911"), (&node.alice, "9911"), (&node.eve, "911")] {
            let start = std::time::Instant::now();
            let call = phone.call(node.asterisk.address(), number).start();
            calls += 1;
            let invite = node.emergency[0].wait_invite(calls, EMERGENCY);
            assert!(start.elapsed() < EMERGENCY, "{how}: {number} took {:?}", start.elapsed());
            assert_eq!(invite.number(), "911", "{how}: without the prefix");
            assert_eq!(call.finish().status(), 200, "{how}: {number}");
        }
    };
    goes_out(&node, "agent up");
    node.agent.process().pause();
    goes_out(&node, "agent stopped by SIGSTOP");
    node.agent.process().resume();
    node.agent.process().kill();
    goes_out(&node, "agent killed");
}

#[test]
fn emergency_calls_go_out_with_the_database_gone_or_hung_and_with_a_dead_first_gateway() {
    let mut database = MariaDb::start();
    let url = database.url();
    let mut node = Node::start_with(&[("database.urls", &url)], &[]);
    database.pause();
    assert_eq!(node.dials(&node.alice, "911").status(), 200);
    database.kill();
    assert_eq!(node.dials(&node.alice, "9911").status(), 200);
    assert_eq!(node.emergency[0].invites().len(), 2);
    // What the dialplan knows by itself comes after the agent's own gateways.
    node.emergency[0].change(Manner::Refuses(503));
    assert_eq!(node.dials(&node.alice, "911").status(), 200);
    assert_eq!(node.emergency[1].invites().len(), 1);
}

#[test]
fn without_a_database_other_calls_take_the_fallback() {
    let node = Node::start_with(&[("database.urls", "mysql://tandem@127.0.0.1:1/gone")], &[]);
    assert_eq!(node.dials(&node.alice, "1002").status(), 200, "a line of this node, by its id");
    assert_eq!(node.dials(&node.alice, "5125550123").status(), 503, "the edge may try another node");
    assert_eq!(metric(&node.agent, r#"tandem_decisions_total{outcome="undecided"}"#), 2.0);
    assert_eq!(node.agent.get("/ready").unwrap().0, 200, "ready all the same: emergency calls need us");
}
