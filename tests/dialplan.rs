//! The dialplan on a real Asterisk with SIPp phones and carriers, told what to do by a canned agent: routes, refusals, caps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod dialplan_stage;

use std::time::Duration;

use dialplan_stage::{Stage, gateways};
use lab::Manner::{Answers, AnswersAfter, Dead, Refuses, Rings, Silent};
use lab::{Asterisk, Canned, Sipp};

#[test]
fn loads_without_a_complaint() {
    let phone = Sipp::start(Answers);
    let asterisk = Asterisk::builder().line("1001", phone.address()).gateway("gw1", phone.address());
    let asterisk = asterisk.edge("edge", phone.address()).start();
    assert_eq!(asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn the_first_gateway_takes_the_call_with_the_number_and_caller_of_its_route() {
    let stage = Stage::new(Answers, Answers, gateways(&[]));
    assert_eq!(
        stage.phone.call(stage.asterisk.address(), "5551234567").claims("16665550000", "Bank").run().status(),
        200
    );
    let invite = stage.gw1.wait_invite(1, Duration::from_secs(1));
    assert_eq!(
        (invite.number(), invite.caller(), invite.asserted()),
        ("15551234567", "15125550100", Some("15125550100"))
    );
    assert!(invite.header("From").unwrap().starts_with("\"Acme\""), "{invite:?}");
    assert!(stage.gw2.invites().is_empty());
    assert_eq!(stage.agent.asked("extension").as_deref(), Some("5551234567"));
    assert_eq!(stage.agent.asked("network_script").as_deref(), Some("route/line/1001"));

    let record = stage.asterisk.wait_call(1);
    let told = ["kind", "id", "account", "number", "class", "dst", "disposition"].map(|column| record.get(column));
    assert_eq!(told, ["line", "1001", "acme", "15551234567", "national", "5551234567", "ANSWERED"]);
    let attempt = &record.attempts()[0];
    assert_eq!(
        (attempt.number, attempt.status.as_str(), attempt.q850, attempt.sip),
        (1, "ANSWER", Some(16), Some(200))
    );
    let answered = attempt.answered.unwrap();
    assert!(attempt.started <= answered && answered + 90 <= attempt.ended, "talked for 100 ms: {attempt:?}");
}

#[test]
fn a_gateways_own_failure_goes_on_to_the_next() {
    for status in [408, 500, 502, 503, 504] {
        let expected = (200, format!("gw1 {status}, gw2 200"));
        assert_eq!(Stage::failover(Refuses(status), &[]), expected);
    }
}

#[test]
fn a_final_word_about_the_called_party_does_not_go_on() {
    for (status, seen) in
        [(486, 486), (600, 486), (603, 403), (501, 501), (403, 403), (404, 404), (480, 480), (484, 484)]
    {
        assert_eq!(Stage::failover(Refuses(status), &[]), (seen, format!("gw1 {status}")));
    }
}

#[test]
fn forbidden_and_not_found_go_on_by_the_carriers_policy() {
    for status in [403, 404] {
        let policy = [("TANDEM_ROUTE_1_NEXT", "forbidden")];
        assert_eq!(Stage::failover(Refuses(status), &policy), (200, format!("gw1 {status}, gw2 200")));
    }
    let policy = [("TANDEM_ROUTE_1_NEXT", "forbidden")];
    assert_eq!(Stage::failover(Refuses(486), &policy), (486, "gw1 486".into()));
}

#[test]
fn any_failure_goes_on_in_a_ring_group() {
    for (manner, tried) in [(Refuses(486), "gw1 486"), (Refuses(603), "gw1 603"), (Rings, "gw1 NOANSWER")] {
        let policy = [("TANDEM_ROUTE_1_NEXT", "any"), ("TANDEM_ROUTE_1_SECONDS", "1")];
        assert_eq!(Stage::failover(manner, &policy), (200, format!("{tried}, gw2 200")));
    }
}

#[test]
fn a_gateway_that_says_nothing_is_left_for_the_next() {
    for manner in [Dead, Silent] {
        let stage = Stage::new(manner, Answers, gateways(&[]));
        let outcome = stage.dial("5551234567");
        assert_eq!((outcome.status(), stage.tried().as_str()), (200, "gw1 CHANUNAVAIL, gw2 200"));
        assert!(outcome.final_after() < Duration::from_secs(8), "{:?}", outcome.final_after());
    }
    // Not even the ring time is waited for when it is shorter.
    let stage = Stage::new(Silent, Answers, gateways(&[("TANDEM_ROUTE_1_SECONDS", "1")]));
    let outcome = stage.dial("5551234567");
    assert_eq!((outcome.status(), stage.tried().as_str()), (200, "gw1 NOANSWER, gw2 200"));
    assert!(outcome.final_after() < Duration::from_secs(2), "{:?}", outcome.final_after());
}

#[test]
fn a_gateway_known_to_be_dead_costs_no_time() {
    let (phone, gw2) = (Sipp::start(Answers), Sipp::start(Answers));
    let (dead, agent) = (Sipp::start(Dead), gateways(&[]));
    let asterisk = Asterisk::builder()
        .agent(agent.address())
        .line("1001", phone.address())
        .gateway_with("gw1", dead.address(), "qualify_frequency = 1")
        .gateway("gw2", gw2.address())
        .start();
    let noticed =
        || asterisk.command("pjsip show contacts").lines().any(|l| l.contains("gw1/") && l.contains("Unavail"));
    lab::wait_until("the dead gateway to be noticed", Duration::from_secs(10), noticed);
    let outcome = phone.call(asterisk.address(), "5551234567").run();
    assert_eq!(outcome.status(), 200);
    assert!(outcome.final_after() < Duration::from_secs(1), "{:?}", outcome.final_after());
    assert_eq!(asterisk.wait_call(1).tried(), "gw1 CHANUNAVAIL, gw2 200");
}

#[test]
fn a_number_that_rings_in_vain_is_not_dialled_again() {
    let seconds = [("TANDEM_ROUTE_1_SECONDS", "1")];
    assert_eq!(Stage::failover(Rings, &seconds), (480, "gw1 NOANSWER".into()));
}

#[test]
fn all_gateways_fail() {
    let stage = Stage::new(Refuses(503), Refuses(500), gateways(&[]));
    let outcome = stage.dial("5551234567");
    assert_eq!(outcome.statuses(), [100, 183, 503], "a prompt as early media, then no circuit");
    assert_eq!(stage.tried(), "gw1 503, gw2 500");
    assert_eq!(stage.asterisk.wait_call(1).get("reason"), "routes-exhausted");
}

#[test]
fn the_caller_gives_up_while_it_rings() {
    let stage = Stage::new(Rings, Answers, gateways(&[]));
    let call = stage.phone.call(stage.asterisk.address(), "5551234567");
    let outcome = call.gives_up_after(Duration::from_millis(200)).run();
    assert_eq!(outcome.status(), 487);
    assert_eq!(stage.tried(), "gw1 CANCEL");
    assert!(stage.gw2.invites().is_empty());
}

#[test]
fn a_withheld_number_is_told_to_the_carrier_alone() {
    let stage = Stage::new(Answers, Answers, gateways(&[("TANDEM_PRIVACY", "1")]));
    assert_eq!(stage.dial("5551234567").status(), 200);
    let invite = &stage.gw1.invites()[0];
    assert_eq!((invite.caller(), invite.asserted()), ("anonymous", Some("15125550100")));
    assert!(invite.header("Privacy").is_some_and(|privacy| privacy.contains("id")), "{invite:?}");
    assert!(!invite.header("From").unwrap().contains("Acme"), "{invite:?}");
}

#[test]
fn a_line_without_a_number_shows_none_rather_than_what_its_phone_claims() {
    let stage = Stage::new(Answers, Answers, gateways(&[("TANDEM_ROUTE_1_CALLER", ""), ("TANDEM_CALLER_NAME", "")]));
    assert_eq!(
        stage.phone.call(stage.asterisk.address(), "5551234567").claims("16665550000", "Bank").run().status(),
        200
    );
    let invite = &stage.gw1.invites()[0];
    assert!(!format!("{invite:?}").contains("16665550000") && !format!("{invite:?}").contains("Bank"), "{invite:?}");
}

#[test]
fn a_refusal_is_said_without_answering() {
    let refusal = [("TANDEM_ACTION", "reject"), ("TANDEM_REASON", "number-unknown"), ("TANDEM_CAUSE", "1")];
    let prompt = [("TANDEM_PROMPT", "beep&beep")];
    let stage = Stage::new(Answers, Answers, Canned::answers(&[&refusal[..], &prompt].concat()));
    assert_eq!(stage.dial("4242").statuses(), [100, 183, 404]);
    let record = stage.asterisk.wait_call(1);
    assert_eq!((record.get("reason"), record.get("answer")), ("number-unknown", "0.000000"));

    let stage = Stage::new(Answers, Answers, Canned::answers(&refusal));
    assert_eq!(stage.dial("4242").statuses(), [100, 404], "no prompt");
}

#[test]
fn causes_of_a_refusal_become_sip_codes() {
    for (cause, status) in [
        ("1", 404),
        ("3", 404),
        ("17", 486),
        ("18", 408),
        ("19", 480),
        ("20", 480),
        ("21", 403),
        ("28", 484),
        ("29", 501),
        ("34", 503),
        ("38", 500),
        ("42", 503),
    ] {
        let stage =
            Stage::new(Answers, Answers, Canned::answers(&[("TANDEM_ACTION", "reject"), ("TANDEM_CAUSE", cause)]));
        assert_eq!(stage.dial("4242").status(), status, "cause {cause}");
    }
}

#[test]
fn a_full_gateway_is_passed_over() {
    let stage = Stage::new(Answers, Answers, gateways(&[("TANDEM_ROUTE_1_CAP", "1")]));
    let first = stage.phone.call(stage.asterisk.address(), "5551234567").talks(Duration::from_secs(2)).start();
    let _ = stage.gw1.wait_invite(1, Duration::from_secs(2));
    assert_eq!(stage.dial("5551234567").status(), 200);
    assert_eq!(stage.tried(), "gw1 CAP, gw2 200");
    assert_eq!(first.finish().status(), 200);
    assert_eq!(stage.dial("5551234567").status(), 200);
    assert_eq!(stage.asterisk.wait_call(3).tried(), "gw1 200", "the place is free again");
    assert_eq!(stage.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn calls_at_the_same_instant_do_not_overfill_a_gateway() {
    let stage = Stage::new(Answers, Answers, gateways(&[("TANDEM_ROUTE_1_CAP", "5")]));
    let call = stage.phone.call(stage.asterisk.address(), "5551234567");
    let outcome = call.talks(Duration::from_secs(3)).times(40, 1000).run();
    assert_eq!(outcome.finals(), [200; 40]);
    let first = stage.gw1.invites().len();
    assert!((1..=5).contains(&first), "{first} at gw1");
    assert_eq!(stage.gw2.invites().len(), 40 - first);
}

#[test]
fn a_full_line_and_a_full_account_are_told_so() {
    for (limit, status, reason) in [("TANDEM_LINE_CAP", 486, "line-full"), ("TANDEM_ACCOUNT_CAP", 503, "account-full")]
    {
        let stage = Stage::new(Answers, Answers, gateways(&[(limit, "1")]));
        let first = stage.phone.call(stage.asterisk.address(), "5551234567").talks(Duration::from_secs(5)).start();
        let _ = stage.gw1.wait_invite(1, Duration::from_secs(2));
        assert_eq!(stage.dial("5551234567").statuses(), [100, 183, status], "{limit}");
        let record = stage.asterisk.wait_call(1);
        assert_eq!((record.get("reason"), record.tried().as_str()), (reason, ""));
        assert_eq!(first.finish().status(), 200);
        assert_eq!(stage.dial("5551234567").status(), 200, "the place is free again");
    }
}

#[test]
fn a_redirection_by_the_called_side_is_not_followed() {
    let stage = Stage::new(Refuses(302), Answers, gateways(&[]));
    assert_ne!(stage.dial("5551234567").status(), 200);
    assert_eq!(stage.agent.preludes().len(), 1, "the redirection started a call of its own");
    assert_eq!((stage.gw1.invites().len(), stage.gw2.invites().len()), (1, 0));
}

const LONG: &str = "a-gateway-whose-name-is-as-long-as-the-name-of-a-gateway-can-be-";

#[test]
fn the_record_holds_twenty_attempts() {
    let routes: Vec<[(String, &str); 5]> = (1..=20)
        .map(|n| {
            // An id can have 64 characters.
            let (kind, name, dial) = ("gateway", LONG, "PJSIP/15551234567@gw1");
            let key = |field: &str| format!("TANDEM_ROUTE_{n}_{field}");
            [
                (key("KIND"), kind),
                (key("NAME"), name),
                (key("DIAL"), dial),
                (key("SECONDS"), "20"),
                (key("CALLER"), "1"),
            ]
        })
        .collect();
    let mut pairs = vec![("TANDEM_ACTION", "dial"), ("TANDEM_ROUTES", "20")];
    pairs.extend(routes.iter().flatten().map(|(key, value)| (key.as_str(), *value)));
    let stage = Stage::new(Refuses(503), Answers, Canned::answers(&pairs));
    assert_eq!(stage.dial("5551234567").status(), 503);
    let record = stage.asterisk.wait_call(1);
    let attempts = record.attempts();
    assert!(attempts.iter().all(|attempt| attempt.name == LONG && attempt.sip == Some(503)));
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
}

#[test]
fn a_ring_group_rings_every_phone_and_the_first_to_answer_has_the_call() {
    let group = [
        ("TANDEM_ACTION", "dial"),
        ("TANDEM_ROUTES", "1"),
        ("TANDEM_ROUTE_1_KIND", "group"),
        ("TANDEM_ROUTE_1_NAME", "sales"),
        ("TANDEM_ROUTE_1_DIAL", "PJSIP/1002&PJSIP/1003&PJSIP/1004"),
        ("TANDEM_ROUTE_1_SECONDS", "10"),
        ("TANDEM_ROUTE_1_CALLER", "1001"),
    ];
    let (agent, caller) = (Canned::answers(&group), Sipp::start(Answers));
    let phones = [Refuses(486), Rings, AnswersAfter(Duration::from_millis(300))].map(Sipp::start);
    let asterisk = Asterisk::builder()
        .agent(agent.address())
        .line("1001", caller.address())
        .line("1002", phones[0].address())
        .line("1003", phones[1].address())
        .line("1004", phones[2].address())
        .start();
    assert_eq!(caller.call(asterisk.address(), "500").run().status(), 200);
    for phone in &phones {
        assert_eq!(phone.wait_invite(1, Duration::from_secs(1)).caller(), "1001");
    }
    assert_eq!(asterisk.wait_call(1).attempts()[0].status, "ANSWER");
}

#[test]
fn a_line_that_is_not_registered_is_absent() {
    let line = [
        ("TANDEM_ACTION", "dial"),
        ("TANDEM_ROUTES", "1"),
        ("TANDEM_ROUTE_1_KIND", "line"),
        ("TANDEM_ROUTE_1_NAME", "1002"),
        ("TANDEM_ROUTE_1_DIAL", "PJSIP/1002"),
        ("TANDEM_ROUTE_1_SECONDS", "10"),
    ];
    let (agent, caller) = (Canned::answers(&line), Sipp::start(Answers));
    let asterisk = Asterisk::builder()
        .agent(agent.address())
        .line("1001", caller.address())
        .pjsip("[1002](tandem-line)\naors = 1002\n[1002]\ntype = aor\nmax_contacts = 1\n")
        .start();
    assert_eq!(caller.call(asterisk.address(), "1002").run().status(), 480);
    assert_eq!(asterisk.wait_call(1).tried(), "1002 CHANUNAVAIL");
}
