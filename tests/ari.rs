//! Calls by ARI on the bad day: the agent killed, the websocket cut, Asterisk restarted, a second agent, an Asterisk that connects to us. What flows do over
//! ARI is tested where they are tested over AGI, from one list.
//!
//! `TANDEM_SOAK=1`: 500 callers are in menus, and 2,000 calls come in a minute while the websocket is cut 50 times.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

use std::thread::sleep;
use std::time::Duration;

use lab::{Agent, AgentBuilder, Asterisk, AsteriskBuilder, Conversation, Manner, Relay, Sipp, Transcript, wait_until};

const SOON: Duration = Duration::from_secs(15);
/// A menu whose callers wait for long, and what it leads to.
const MENUS: &str = r##"
account = "ari"
[prompt]
main = { sound = "demo-instruct" }
hours = { sound = "hours" }
[menu.main]
entry = true
greeting = ["main"]
timeout_seconds = 20
max_timeouts = 3
[menu.main.options]
1 = { say = ["hours"] }
2 = "line 2002"
"##;

fn soaks() -> bool {
    std::env::var_os("TANDEM_SOAK").is_some()
}

/// An agent with the account, not started.
fn agent(plan: AgentBuilder) -> AgentBuilder {
    let plan = plan.set("replica.poll_ms", "200");
    plan.tandem_ok(&["migrate"]);
    plan.import("accounts", "id,name,max_calls\nari,Ari,0\n");
    plan.import("lines", "id,account,name,max_calls\n2001,ari,One,0\n2002,ari,Two,0\n2003,ari,Three,0\n");
    plan.import("extensions", "account,extension,line\nari,2001,2001\nari,2002,2002\n");
    plan.import("menus", MENUS);
    plan.import("extensions", "account,extension,menu\nari,800,main\n");
    plan
}

struct Node {
    asterisk: Asterisk,
    agent: Agent,
    caller: Sipp,
    called: Sipp,
}

fn phones(builder: AsteriskBuilder) -> (AsteriskBuilder, Sipp, Sipp) {
    let (caller, called) = (Sipp::start(Manner::Answers), Sipp::start(Manner::Answers));
    let builder = builder.line("2001", caller.address()).line("2002", called.address());
    (builder.global("TANDEM_TRANSPORT", "ari"), caller, called)
}

/// A node; `relayed` means that its agent speaks to Asterisk through a relay. Without AGI the dialplan has nothing to fall back to but itself.
fn node(relayed: bool, agi: bool) -> (Node, Option<Relay>) {
    let (asterisk, caller, called) = phones(Asterisk::builder().brief_prompts());
    let plan = agent(Agent::builder());
    let asterisk = asterisk.agent(plan.agi()).start();
    let relay = relayed.then(|| Relay::start(format!("{}:8088", asterisk.ip()).parse().unwrap()));
    let mut plan = plan.serves(&asterisk);
    if !agi {
        plan = plan.set("agi.peers", "192.0.2.1");
    }
    if let Some(relay) = &relay {
        plan = plan.set("ari.url", &format!("http://{}/ari", relay.address()));
    }
    let agent = plan.start();
    wait_ari(&asterisk);
    (Node { asterisk, agent, caller, called }, relay)
}

fn wait_ari(asterisk: &Asterisk) {
    wait_until("calls by ARI", SOON, || asterisk.command("dialplan show globals").contains("TANDEM_ARI_WRITES=1"));
}

fn sessions(agent: &Agent) -> usize {
    metric(agent, "tandem_ari_sessions ")
}

/// Whether so many are in the menu: whose call is being decided still is not.
fn in_menu(agent: &Agent, callers: usize) -> bool {
    metric(agent, "tandem_ari_sessions_total{flow=\"menu\"} ") == callers && sessions(agent) == callers
}

fn metric(agent: &Agent, name: &str) -> usize {
    let (_, text) = agent.get("/metrics").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |value| value.trim().parse::<f64>().unwrap() as usize)
}

#[test]
fn callers_in_menus_go_on_when_the_agent_is_killed() {
    let (mut node, _) = node(false, false);
    let callers = if soaks() { 500 } else { 30 };
    let transcript = Transcript::begin(&node.asterisk);
    let voice = node.called.voice();
    let mut one = Conversation::begin(&transcript, &node.called, &voice, "2002", node.asterisk.address(), "800");
    let calls = node.caller.call(node.asterisk.address(), "800").talks(Duration::from_secs(300)).times(callers, 30);
    let mut calls = calls.start();
    wait_until("everybody in the menu", SOON * 3, || in_menu(&node.agent, callers + 1));
    let before = node.asterisk.channels();
    node.agent.restart();
    wait_until("everybody in the menu again", SOON, || in_menu(&node.agent, callers + 1));
    assert_eq!(node.asterisk.channels(), before, "nobody was hung up");
    assert!(node.agent.log().contains(&format!("begun_anew={}", callers + 1)), "{}", node.agent.log());
    // Who presses a key is heard.
    one.hears("demo-instruct").press("1").hears("hours").hears("demo-instruct");
    one.hangs_up();
    wait_until("the end of one", SOON, || sessions(&node.agent) == callers);
    assert!(calls.is_running());
    drop(calls);
    // That the agent died is all there is to say.
    let complaints = node.asterisk.complaints();
    assert!(complaints.iter().all(|line| line.to_lowercase().replace(' ', "").contains("websocket")), "{complaints:?}");
}

#[test]
fn a_line_tests_itself_and_hears_its_location() {
    let (node, _) = node(false, false);
    let transcript = Transcript::begin(&node.asterisk);
    let voice = node.caller.voice();
    let mut call = Conversation::begin(&transcript, &node.caller, &voice, "2001", node.asterisk.address(), "*99");
    let half = Duration::from_millis(500);
    call.hears("SAY DIGITS \"2001\"").hears("beep").waits(half).press("42#").hears("SAY DIGITS \"42\"");
    call.hears("beep").waits(half).press("*").hears("RECORD FILE").says(620, half * 2).waits(half * 4).press("#");
    call.hears_tone(620, half).hears("beep").waits(half).press("#");
    assert_eq!(call.ends().status(), 200);
    // It has none, and is told so.
    let mut call = Conversation::begin(&transcript, &node.caller, &voice, "2001", node.asterisk.address(), "933");
    call.hears("STREAM FILE");
    assert_eq!(call.ends().status(), 200);
    for flow in ["linetest", "location"] {
        assert_eq!(metric(&node.agent, &format!("tandem_ari_sessions_total{{flow=\"{flow}\"}} ")), 1);
    }
    assert!(!node.agent.log().contains("outcome=\"failed\""), "{}", node.agent.log());
}

#[test]
fn a_soft_stop_leaves_callers_to_the_next_agent() {
    let (asterisk, caller, _called) = phones(Asterisk::builder().brief_prompts());
    let plan = agent(Agent::builder().set("agi.drain_seconds", "1"));
    let asterisk = asterisk.agent(plan.agi()).start();
    let mut agent = plan.serves(&asterisk).start();
    wait_ari(&asterisk);
    let call = caller.call(asterisk.address(), "800").talks(Duration::from_secs(60)).start();
    wait_until("the menu", SOON, || in_menu(&agent, 1));
    assert!(agent.process().stop(SOON), "{}", agent.log());
    assert_eq!(asterisk.channels(), 1, "nobody was hung up");
    agent.restart();
    wait_until("the menu again", SOON, || in_menu(&agent, 1));
    drop(call);
}

#[test]
fn a_caller_whose_agent_never_comes_back_goes_on_in_the_dialplan() {
    let (asterisk, caller, _called) = phones(Asterisk::builder().brief_prompts());
    let plan = agent(Agent::builder().set("ari.orphan_seconds", "3"));
    let asterisk = asterisk.agent(plan.agi()).start();
    let mut agent = plan.serves(&asterisk).start();
    wait_ari(&asterisk);
    let call = caller.call(asterisk.address(), "800").talks(Duration::from_secs(60)).start();
    wait_until("the menu", SOON, || in_menu(&agent, 1));
    // It is held for longer than that while the agent lives.
    sleep(Duration::from_secs(4));
    assert_eq!(sessions(&agent), 1);
    agent.process().kill();
    wait_until("the end of the call", SOON, || asterisk.channels() == 0);
    assert_eq!(asterisk.wait_call(1).get("cause"), "34", "as when the agent dies over AGI");
    drop(call);
    // New calls find nobody by ARI, and nobody by AGI.
    assert_eq!(caller.call(asterisk.address(), "800").run().status(), 503);
}

#[test]
fn calls_by_ari_go_on_through_cuts_of_the_websocket() {
    let (node, relay) = node(true, true);
    let relay = relay.unwrap();
    let (calls, rate, cuts) = if soaks() { (2000, 33, 50) } else { (200, 33, 8) };
    let running = node.caller.call(node.asterisk.address(), "2002").times(calls, rate).start();
    let _ = node.called.wait_invite(1, SOON);
    let pause = Duration::from_secs_f64(calls as f64 / rate as f64 / (cuts + 1) as f64);
    for nth in 0..cuts {
        // Never in step with anything.
        sleep(pause.mul_f64(0.6 + 0.1 * f64::from(nth % 8)));
        relay.cut();
        relay.mend();
    }
    let statuses = running.finish().finals();
    let others: Vec<&u16> = statuses.iter().filter(|status| **status != 200).collect();
    // The node connects its own lines without the agent, too.
    assert!(others.is_empty(), "{} of {}: {others:?}\n{}", others.len(), statuses.len(), node.agent.log());
    assert_eq!((statuses.len(), node.asterisk.wait_call(calls).get("kind")), (calls, "line"));
    let alone = node.asterisk.records().iter().filter(|record| record.get("reason") == "no-agent").count();
    let by_agi = metric(&node.agent, "tandem_agi_sessions_total{flow=\"route\"} ");
    println!("{cuts} cuts: {by_agi} of {calls} calls were decided by AGI, {alone} by the dialplan alone");
    // Those that were being decided.
    assert!(alone <= cuts as usize * 2, "{alone} of {calls}");
    assert!(metric(&node.agent, "tandem_ari_broken_total ") >= cuts as usize / 2);
    wait_until("the end of all", SOON, || node.asterisk.channels() == 0 && sessions(&node.agent) == 0);
}

#[test]
fn a_conversation_goes_on_when_the_websocket_is_cut_and_requests_are_slow() {
    let (node, relay) = node(true, false);
    let relay = relay.unwrap();
    let transcript = Transcript::begin(&node.asterisk);
    let voice = node.caller.voice();
    let mut call = Conversation::begin(&transcript, &node.caller, &voice, "2001", node.asterisk.address(), "800");
    call.hears("demo-instruct");
    relay.cut();
    relay.mend();
    wait_until("the websocket again", SOON, || {
        metric(&node.agent, "tandem_ari_broken_total ") == 1 && metric(&node.agent, "tandem_ari_connected ") == 1
    });
    relay.delay(Duration::from_millis(300));
    call.press("1").hears("hours").hears("demo-instruct");
    relay.delay(Duration::ZERO);
    call.press("2").hears("TANDEM_ROUTE_1_DIAL=PJSIP/2002");
    let _ = node.called.wait_invite(1, SOON);
    call.hangs_up();
}

#[test]
fn asterisk_is_restarted_and_calls_come_by_ari_again() {
    let (mut node, _) = node(false, false);
    let call = node.caller.call(node.asterisk.address(), "800").talks(Duration::from_secs(60)).start();
    wait_until("the menu", SOON, || in_menu(&node.agent, 1));
    node.asterisk.crash();
    wait_until("the end of the session", SOON, || sessions(&node.agent) == 0);
    wait_ari(&node.asterisk);
    assert_eq!(node.caller.call(node.asterisk.address(), "2002").run().status(), 200);
    assert_eq!(metric(&node.agent, "tandem_ari_sessions_total{flow=\"route\"} "), 2);
    drop(call);
}

#[test]
fn a_second_agent_takes_the_callers_over() {
    let (node, _) = node(false, false);
    let call = node.caller.call(node.asterisk.address(), "800").talks(Duration::from_secs(60)).start();
    wait_until("the menu", SOON, || in_menu(&node.agent, 1));
    let second = agent(Agent::builder()).serves(&node.asterisk).start();
    wait_until("the menu there", SOON, || in_menu(&second, 1));
    wait_until("no session here", SOON, || sessions(&node.agent) == 0);
    assert_eq!(node.asterisk.channels(), 1, "nobody was hung up");
    assert!(node.agent.log().contains("another agent has taken the app over"), "{}", node.agent.log());
    drop(call);
    // They do not take it from each other for ever.
    sleep(Duration::from_secs(1));
    assert_eq!(second.log().matches("calls come by ARI").count(), 1);
}

#[test]
fn asterisk_may_connect_to_the_agent() {
    let (asterisk, caller, called) = phones(Asterisk::builder().brief_prompts());
    let plan = agent(Agent::builder());
    let listen = std::net::SocketAddr::new(plan.agi().ip(), 4581);
    let client = format!(
        "[tandem-events]\ntype = websocket_client\nuri = ws://{listen}/\nprotocols = ari\nusername = tandem\npassword = restful\n\
         connection_type = persistent\nreconnect_interval = 500\n"
    );
    let events = "[tandem-events]\ntype = outbound_websocket\nwebsocket_client_id = tandem-events\napps = tandem\nlocal_ari_user = tandem\n\
                  subscribe_all = no\n";
    let asterisk =
        asterisk.append("websocket_client.conf", &client).append("ari.conf", events).agent(plan.agi()).start();
    let mut agent = plan.serves(&asterisk).set("ari.listen", &listen.to_string()).start();
    wait_ari(&asterisk);
    assert_eq!(caller.call(asterisk.address(), "2002").run().status(), 200);
    assert_eq!(metric(&agent, "tandem_ari_sessions_total{flow=\"route\"} "), 1);
    // It comes again to an agent that was away.
    agent.restart();
    wait_until("the websocket again", SOON, || metric(&agent, "tandem_ari_connected ") == 1);
    assert_eq!(caller.call(asterisk.address(), "2002").run().status(), 200);
    assert_eq!(metric(&agent, "tandem_ari_sessions_total{flow=\"route\"} "), 1);
    drop(called);
}

#[test]
fn without_the_right_to_write_files_calls_come_by_agi() {
    let (asterisk, caller, _called) = phones(Asterisk::builder());
    let plan = agent(Agent::builder());
    let asterisk = asterisk.careful().agent(plan.agi()).start();
    let agent = plan.serves(&asterisk).start();
    wait_until("what is wrong", SOON, || agent.log().contains("live_dangerously = yes"));
    assert_eq!(caller.call(asterisk.address(), "2002").run().status(), 200);
    assert_eq!(asterisk.wait_call(1).get("reason"), "");
    assert_eq!(metric(&agent, "tandem_agi_sessions_total{flow=\"route\"} "), 1);
}

#[test]
fn a_wrong_password_is_named() {
    let asterisk = Asterisk::builder().start();
    let agent = agent(Agent::builder()).serves(&asterisk).set("ari.password", "wrong").start();
    wait_until("what is wrong", SOON, || agent.log().contains("not those of ari.conf"));
    assert!(!agent.log().contains("wrong\""), "no password is logged");
}
