//! The central database gone, hanging, or slow under load on real Asterisk: no call fails that would have succeeded.
//!
//! `TANDEM_SOAK=1`: ten minutes of each, at 50 calls a second.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

use std::env;
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::{Agent, Asterisk, Manner, MariaDb, Relay, Sipp, wait_until};

const SOON: Duration = Duration::from_secs(20);
/// What a change may take to hold.
const HOLDS: Duration = Duration::from_secs(5);

struct Node {
    server: MariaDb,
    relay: Relay,
    asterisk: Asterisk,
    agent: Agent,
    alice: Sipp,
    bob: Sipp,
    carrier: Sipp,
}

impl Node {
    fn start() -> Node {
        let server = MariaDb::start();
        let address = server.url().split(['@', '/']).nth(3).unwrap().parse().unwrap();
        let relay = Relay::start(address);
        let url = server.url().replace(&address.to_string(), &relay.address().to_string());
        let plan = Agent::builder().set("database.urls", &url);
        plan.tandem_ok(&["migrate"]);
        server.sql(&format!("USE tandem; {}", include_str!("data/provider.sql")));
        server.sql("USE tandem; UPDATE accounts SET max_calls = 0; UPDATE phone_lines SET max_calls = 0; UPDATE gateways SET max_calls = 0");
        let [alice, bob, carrier] = [(); 3].map(|()| Sipp::start(Manner::Answers));
        let asterisk = Asterisk::builder()
            .agent(plan.agi())
            .line("1001", alice.address())
            .line("1002", bob.address())
            .gateway_with("gw-a", carrier.address(), "qualify_frequency = 0")
            .start();
        let agent = plan.ships(&asterisk).start();
        wait_until("the replica", SOON, || agent.log().contains("the replica is filled"));
        Node { server, relay, asterisk, agent, alice, bob, carrier }
    }

    /// Calls of three kinds at once, `rate` a second in all; every final status of each.
    fn load(&self, seconds: usize, rate: usize) -> [Vec<u16>; 3] {
        let proxy = self.asterisk.address();
        let share = rate / 5;
        let outbound = self.alice.call(proxy, "95125550123").times(seconds * share * 3, share * 3).start();
        let internal = self.bob.call(proxy, "101").times(seconds * share, share).start();
        let inbound = self.carrier.call(proxy, "12145550101").times(seconds * share, share).start();
        [outbound.finish().finals(), internal.finish().finals(), inbound.finish().finals()]
    }

    /// How many decisions took how long at the most, by the buckets of the histogram.
    fn decisions(&self) -> Vec<(f64, f64)> {
        let (_, text) = self.agent.get("/metrics").unwrap();
        let bucket = |line: &str| {
            let (bound, count) = line.strip_prefix("tandem_decision_seconds_bucket{le=\"")?.split_once("\"} ")?;
            Some((bound.parse().ok()?, count.parse().ok()?))
        };
        text.lines().filter_map(bucket).collect()
    }

    fn questions(&self, what: &str) -> bool {
        self.agent.log().contains(what)
    }

    /// Whether a call of line 1002 goes through, as the data are now.
    fn may_call(&self) -> bool {
        self.bob.call(self.asterisk.address(), "95125550123").run().status() == 200
    }
}

fn outage(harm: &str) {
    let seconds = if env::var_os("TANDEM_SOAK").is_some() { 600 } else { 8 };
    let mut node = Node::start();
    let permission = |node: &Node, status: &str| {
        node.server.sql(&format!("USE tandem; UPDATE phone_lines SET status = '{status}' WHERE id = '1002'"));
    };
    // A change from before the outage holds throughout.
    assert!(node.may_call());
    node.server.sql("USE tandem; INSERT INTO blocked_prefixes (prefix, account_id, reason) VALUES ('1416', NULL, 'before the outage')");
    sleep(HOLDS);

    match harm {
        "gone" => node.server.kill(),
        "hangs" => node.server.pause(),
        _ => node.relay.delay(Duration::from_secs(2)),
    }
    // The first calls wait for it, and go through all the same; then nobody asks it any more.
    let first = node.load(2, 50);
    assert!(first.iter().flatten().all(|status| *status == 200), "{harm}: {first:?}");
    let before = node.decisions();
    let all = node.load(seconds, 50);
    let after = node.decisions();
    assert!(all.iter().flatten().all(|status| *status == 200), "{harm}: {all:?}");
    let counts = all.map(|one| one.len());
    assert_eq!(counts, [30 * seconds, 10 * seconds, 10 * seconds]);
    assert!(
        node.alice.call(node.asterisk.address(), "914165550123").run().status() >= 400,
        "{harm}: what was blocked is"
    );
    let within: Vec<(f64, f64)> =
        after.iter().zip(&before).map(|(after, before)| (after.0, after.1 - before.1)).collect();
    let decided = within.last().unwrap().1;
    let p99 = within.iter().find(|(_, count)| *count >= decided * 0.99).unwrap().0;
    println!("{harm}: {} calls, none failed; {decided} decisions, 99 % within {p99} s", counts.iter().sum::<usize>());
    assert!(node.questions("leaving database host") || node.questions("does not answer"), "{}", node.agent.log());

    match harm {
        "gone" => node.server.restart(),
        "hangs" => node.server.resume(),
        _ => node.relay.delay(Duration::ZERO),
    }
    permission(&node, "suspended");
    let (back, mut held) = (Instant::now(), Duration::ZERO);
    wait_until("the next call sees new data", SOON, || {
        held = back.elapsed();
        !node.may_call()
    });
    println!("{harm}: new data held for a call {:.1} s after the return", held.as_secs_f64());
}

#[test]
fn without_database_and_replica_the_agent_says_so_and_emergency_calls_go_out() {
    let (phone, em_1) = (Sipp::start(Manner::Answers), Sipp::start(Manner::Answers));
    let plan = Agent::builder()
        .set("database.urls", "mysql://tandem@127.0.0.1:1/gone")
        .set("emergency.gateways", "em-1")
        .set("emergency.numbers", "911,112");
    let asterisk = Asterisk::builder()
        .agent(plan.agi())
        .line("1001", phone.address())
        .gateway_with("em-1", em_1.address(), "qualify_frequency = 0")
        .start();
    let agent = plan.ships(&asterisk).start();
    wait_until("it says so", SOON, || agent.log().contains("there is no replica, and calls need the database"));
    assert!(agent.get("/status").unwrap().1.contains("there is no replica"));
    // 112 is known to the agent alone.
    assert_eq!(phone.call(asterisk.address(), "112").run().status(), 200);
    assert_eq!(em_1.wait_invite(1, SOON).number(), "112");
}

#[test]
fn the_database_is_gone() {
    outage("gone");
}

#[test]
fn the_database_accepts_and_never_answers() {
    outage("hangs");
}

#[test]
fn the_database_answers_after_two_seconds() {
    outage("slow");
}
