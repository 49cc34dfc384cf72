//! Calls by a click, on real phones: the line's phone rings, and calls when it is answered, as if it had dialled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;
mod transfer_stage;

use std::time::Duration;

use lab::wait_until;
use mailbox_stage::Transport;
use tandem::config::Config;
use tandem::live::dialler::{Dialler, NotDialled};
use tandem::service;
use tandem::store::{Options, Store};
use tandem::wire::ari::Ari;
use transfer_stage::{Plan, SOON, Stage};

fn stage() -> Stage {
    Plan::new()
        .handsets(&["3101", "3102", "3103", "3104", "3105"])
        .set("emergency.gateways", "gw-a")
        .sql("INSERT INTO line_permissions (line_id, class_name, allowed) VALUES ('3103', 'internal', FALSE);")
        // The agent speaks ARI, and decides by AGI.
        .by(Transport::Ari)
        .global("TANDEM_TRANSPORT", "agi")
        .set("agi.peers", "127.0.0.1")
        .start()
}

/// What the agent has for it.
fn click(stage: &Stage, line: &str, number: &str) -> Result<String, NotDialled> {
    let (url, password) = stage.asterisk.ari();
    let file = stage.agent.lock().unwrap().plan().folder().join("tandem.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = Options {
            urls: vec![format!("sqlite:{}", file.display())],
            connections: 1,
            question: SOON,
            connect: SOON,
            probe: SOON,
        };
        // As the agent does before it speaks HTTP: the provider of its cryptography is in place.
        let _ = service::lookups().unwrap();
        let ari = Ari::new(&url, "tandem", password, "tandem", SOON).unwrap();
        let rules = service::rules(&Config::default());
        Dialler::new(ari, Store::new(&options).unwrap(), rules).call(line, number).await
    })
}

/// All records of the calls of a line, once it has so many, also of those that are nobody's.
fn records(stage: &Stage, count: usize) -> Vec<String> {
    let question = "SELECT line_id, number, reason, disposition FROM call_records ORDER BY ended_at";
    wait_until(&format!("{count} records"), SOON, || stage.rows(question).len() >= count);
    let rows = stage.rows(question);
    rows.iter().map(|row| row.all(["line_id", "number", "reason", "disposition"]).join(" ")).collect()
}

#[test]
fn a_click_is_a_call_of_the_line() {
    let stage = stage();
    let [mut alice, mut bob, mut carol, mut dave] = ["3101", "3102", "3103", "3104"].map(|id| stage.phone(id));
    // Both talk, and both hear.
    let uniqueid = click(&stage, "3101", "3102").unwrap();
    let rings = alice.wait_call();
    assert!(rings.header("From").contains("sip:3102@"), "it shows who is called: {}", rings.header("From"));
    let mine = alice.answer(rings);
    let rings = bob.wait_call();
    assert!(rings.header("From").contains("sip:3101@"), "{}", rings.header("From"));
    let theirs = bob.answer(rings);
    stage.wait_heard(&alice, &bob);
    stage.wait_heard(&bob, &alice);
    let legs = stage.agent.lock().unwrap().plan().tandem_ok(&["calls", "--line", "3101"]);
    assert!(legs.contains(&format!("line 3101 calls 3102  [{uniqueid}]")), "{legs}");
    alice.hang_up(mine);
    bob.wait_end(&theirs);
    assert_eq!(stage.story("3101", 1), ["line 3102 ANSWER by 3101"]);
    assert_eq!(records(&stage, 1), ["3101 3102  ANSWERED"]);

    // Who may not call it hears so; a phone that does not answer was no call; a call for help goes out.
    click(&stage, "3103", "3102").unwrap();
    let rings = carol.wait_call();
    let mine = carol.answer(rings);
    wait_until("the refusal", SOON, || carol.voice().heard_sound() > Duration::from_millis(100));
    carol.wait_end(&mine);
    assert_eq!(records(&stage, 2)[1], "3103 3102 class-forbidden ANSWERED");
    click(&stage, "3104", "3102").unwrap();
    let rings = dave.wait_call();
    dave.refuse(&rings, "486 Busy Here");
    wait_until("the end", SOON, || stage.asterisk.channels() == 0);
    click(&stage, "3104", "911").unwrap();
    let rings = dave.wait_call();
    let mine = dave.answer(rings);
    stage.wait_bridged("gw-a");
    dave.hang_up(mine);
    assert_eq!(stage.story("3104", 1), ["gateway gw-a ANSWER by 3104"]);
    assert_eq!(records(&stage, 3)[2..], ["3104 911 emergency ANSWERED"]);

    for (line, number) in [("9999", "3102"), ("3101/3102", "3102")] {
        let refused = click(&stage, line, number);
        assert!(matches!(refused, Err(NotDialled::UnknownLine(_))), "{refused:?}");
    }
    for number in ["", "h", "3102,1", "${SHELL(id)}", "310 2"] {
        let refused = click(&stage, "3105", number);
        assert!(matches!(refused, Err(NotDialled::NoNumber(_))), "{refused:?}");
    }
    assert_eq!(stage.asterisk.complaints(), Vec::<String>::new());
}
