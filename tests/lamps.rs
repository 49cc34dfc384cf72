//! Lamps of phones, by real Asterisk: a phone that is told unasked and one that subscribes show the right numbers after each message is left, heard and
//! deleted, on every node, and after Asterisk, the agent and the connection between them were gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;

use lab::{Agent, Asterisk, Does, Lamp, MariaDb, SimulatedCall};
use mailbox_stage::{account, wav};

/// A node whose phones of line 2101 are lamps: one is told, one subscribes.
struct Lit {
    asterisk: Asterisk,
    agent: Agent,
    told: Lamp,
    subscribed: Lamp,
}

impl Lit {
    fn start(database: &str, name: &str) -> Lit {
        let (told, subscribed) = (Lamp::default(), Lamp::default());
        let plan = Agent::builder().set("database.urls", database).set("node.name", name).set("replica.poll_ms", "200");
        let asterisk = Asterisk::builder()
            .agent(plan.agi())
            .line_with("2101", told.address(), "mailboxes = 2101@tandem")
            .line("2102", subscribed.address())
            .pjsip("[desk](tandem-line)\naors = desk\n[desk-address]\ntype = identify\nendpoint = desk\nmatch = 192.0.2.1\n\
                    [desk]\ntype = aor\nmax_contacts = 1\nmailboxes = 2101@tandem\n")
            .start();
        let agent = plan.lights(&asterisk).start();
        subscribed.subscribe("desk", asterisk.address());
        Lit { asterisk, agent, told, subscribed }
    }

    fn shows(&self, counts: &str) {
        self.told.shows(counts);
        self.subscribed.shows(counts);
    }

    fn leaves(&self, urgent: bool) {
        let mut script = vec![("RECORD FILE", Does::Speaks(wav(500, 2)))];
        if urgent {
            script.push(("vm-review\"", Does::Key('4')));
        }
        script.push(("vm-review\"", Does::Key('1')));
        SimulatedCall::new("voicemail/2101/unavailable", "555", script).run(self.agent.agi());
    }

    fn hears_first_and(&self, key: char) {
        let script =
            vec![("vm-opts", Does::Key('1')), ("CONTROL STREAM FILE", Does::Key(key)), ("vm-helpexit", Does::Key('#'))];
        SimulatedCall::new("mailbox/line/2101/own", "2101", script).run(self.agent.agi());
    }
}

#[test]
fn lamps_show_what_is_in_the_mailbox_on_every_node_and_after_everything_was_gone() {
    let server = MariaDb::start();
    let url = server.url();
    Agent::builder().set("database.urls", &url).tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}", account(&["2101", "2102"])));
    let (mut first, second) = (Lit::start(&url, "first"), Lit::start(&url, "second"));
    first.leaves(false);
    for node in [&first, &second] {
        node.shows("1/0 (0/0)");
    }
    second.leaves(true);
    for node in [&first, &second] {
        node.shows("2/0 (0/0)");
    }
    // Heard: the urgent one comes first.
    second.hears_first_and('#');
    for node in [&first, &second] {
        node.shows("1/1 (0/0)");
    }
    first.hears_first_and('7');
    for node in [&first, &second] {
        node.shows("0/1 (0/0)");
    }
    first.leaves(false);
    first.shows("1/1 (0/0)");

    // Asterisk knows nothing after a restart until it is told.
    first.told.forget();
    first.subscribed.forget();
    first.asterisk.restart();
    first.told.shows("1/1 (0/0)");
    first.subscribed.subscribe("desk", first.asterisk.address());
    first.subscribed.shows("1/1 (0/0)");

    // What happened while the agent was gone is told when it is back.
    first.agent.process().kill();
    second.hears_first_and('7');
    second.shows("0/1 (0/0)");
    first.agent.restart();
    first.shows("0/1 (0/0)");
    assert!(first.asterisk.records().is_empty(), "telling lamps is nobody's call: {:?}", first.asterisk.records());
    assert_eq!(first.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn phones_behind_an_edge_are_told_by_one_node_and_by_another_when_it_has_gone() {
    let server = MariaDb::start();
    let url = server.url();
    Agent::builder().set("database.urls", &url).tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}", account(&["2101", "2102"])));
    // The edge, which would hand it to the phone.
    let edge = Lamp::default();
    let node = |name: &str| {
        let plan = Agent::builder().set("database.urls", &url).set("node.name", name).set("replica.poll_ms", "200");
        let uri = format!("sip:{{line}}@{}", edge.address());
        let plan = plan.set("voicemail.lamp_uri", &uri);
        let asterisk = Asterisk::builder()
            .agent(plan.agi())
            .edge("edge1", edge.address())
            .append("pjsip.conf", "\n[global](+)\ndefault_outbound_endpoint = edge1\n")
            .start();
        let agent = plan.lights(&asterisk).start();
        (asterisk, agent)
    };
    let (mut first, second) = (node("first"), node("second"));
    let leaves = |agent: &Agent| {
        let script = vec![("RECORD FILE", Does::SpeaksAndHangsUp(wav(500, 2)))];
        SimulatedCall::new("voicemail/2101/unavailable", "555", script).run(agent.agi());
    };
    leaves(&second.1);
    edge.shows("1/0 (0/0)");
    std::thread::sleep(mailbox_stage::SECOND);
    // Each line was told of nothing at first, and then of one message, once.
    let told = edge.told();
    assert_eq!(told.iter().filter(|counts| *counts == "1/0 (0/0)").count(), 1, "{told:?}");
    let holder = server.sql("SELECT node FROM tandem.job_leases WHERE job = 'mailbox-lamps'").trim().to_owned();
    assert!(["first", "second"].contains(&holder.as_str()), "{holder}");
    // It dies, and another tells what was left meanwhile as soon as the lease is over.
    let (mut second_asterisk, mut second_agent) = second;
    let (dead, alive) =
        if holder == "first" { (&mut first.1, &mut second_agent) } else { (&mut second_agent, &mut first.1) };
    dead.process().kill();
    leaves(alive);
    server.sql("UPDATE tandem.job_leases SET until = UTC_TIMESTAMP() WHERE job = 'mailbox-lamps'");
    edge.shows("2/0 (0/0)");
    for asterisk in [&mut first.0, &mut second_asterisk] {
        assert_eq!(asterisk.complaints(), Vec::<String>::new());
    }
}

#[test]
fn an_asterisk_that_refuses_the_agent_is_an_alarm() {
    let plan = Agent::builder().set("replica.poll_ms", "200");
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101"]));
    let asterisk = Asterisk::builder().agent(plan.agi()).start();
    let (address, _) = asterisk.manager();
    let agent = plan
        .set("asterisk.manager", &address.to_string())
        .set("asterisk.manager_secret", "wrong")
        .set("asterisk.command", &asterisk.console().join(","))
        .start();
    lab::wait_until("an alarm", mailbox_stage::SOON, || agent.get("/status").unwrap().1.contains("voicemail.lamps"));
    let checked = agent.plan().tandem(&["check"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(said.contains("asterisk.manager: "), "{said}");
    assert!(!agent.log().contains("wrong") && !said.contains("wrong\n"), "{}", agent.log());
}
