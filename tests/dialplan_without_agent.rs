//! The dialplan when the agent is gone, hangs, dies or answers nothing of use; and emergency calls.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod dialplan_stage;

use std::time::Duration;

use dialplan_stage::Stage;
use lab::Manner::{Answers, AnswersAfter, Refuses};
use lab::{Asterisk, Canned, Sipp};

/// An agent that is gone, hangs, or dies.
fn broken_agents() -> [(&'static str, Canned); 3] {
    [("gone", Canned::gone()), ("hung", Canned::hangs()), ("dying", Canned::dies())]
}

#[test]
fn emergency_calls_go_out_without_an_agent() {
    for number in ["911", "9911"] {
        for (what, agent) in broken_agents() {
            let stage = Stage::new(Refuses(486), AnswersAfter(Duration::from_millis(100)), agent);
            let outcome = stage.dial(number);
            assert_eq!(outcome.status(), 200, "{number}, agent {what}");
            assert_eq!(stage.tried(), "gw1 486, gw2 200");
            let invite = &stage.gw2.invites()[0];
            assert_eq!((invite.number(), invite.caller()), ("911", "15125550199"));
            let after = invite.at.saturating_sub(outcome.started());
            assert!(after < Duration::from_secs(2), "{number}, agent {what}: {after:?}");
        }
    }
}

#[test]
fn an_emergency_call_takes_the_agents_gateways_and_then_the_nodes_own() {
    let agent = Canned::answers(&[
        ("TANDEM_ACTION", "emergency"),
        ("TANDEM_NUMBER", "911"),
        ("TANDEM_ROUTES", "1"),
        ("TANDEM_ROUTE_1_KIND", "gateway"),
        ("TANDEM_ROUTE_1_NAME", "gw2"),
        ("TANDEM_ROUTE_1_DIAL", "PJSIP/911@gw2"),
        ("TANDEM_ROUTE_1_SECONDS", "30"),
        ("TANDEM_ROUTE_1_CAP", "0"),
        ("TANDEM_CALLBACK", "15125550101"),
        ("TANDEM_ROUTE_1_NEXT", "any"),
        ("TANDEM_PRIVACY", "1"),
    ]);
    let stage = Stage::new(Answers, Refuses(603), agent);
    assert_eq!(stage.dial("911").status(), 200);
    assert_eq!(stage.tried(), "gw2 603, gw1 200");
    assert_eq!(stage.gw2.invites()[0].caller(), "15125550101", "never withheld");
    assert_eq!(stage.gw1.invites()[0].caller(), "15125550101", "the line is called back, whoever carries the call");

    let stage = Stage::new(
        Refuses(404),
        Refuses(403),
        Canned::answers(&[("TANDEM_ACTION", "emergency"), ("TANDEM_ROUTES", "0")]),
    );
    assert_eq!(stage.dial("911").statuses(), [100, 183, 503]);
    assert_eq!(stage.tried(), "gw1 404, gw2 403");
    assert_eq!(stage.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn without_an_agent_lines_of_the_node_reach_each_other_and_nothing_else() {
    for (what, agent) in broken_agents() {
        let (caller, callee, carrier) = (Sipp::start(Answers), Sipp::start(Answers), Sipp::start(Answers));
        let asterisk = Asterisk::builder()
            .agent(agent.address())
            .line("1001", caller.address())
            .line("1002", callee.address())
            .gateway("gw1", carrier.address())
            .start();
        assert_eq!(caller.call(asterisk.address(), "1002").run().status(), 200, "agent {what}");
        assert_eq!(callee.invites()[0].caller(), "1001");
        assert_eq!(caller.call(asterisk.address(), "5551234567").run().statuses(), [100, 183, 503]);
        assert_eq!(caller.call(asterisk.address(), "gw1").run().status(), 503, "a gateway is not a line");
        for number in ["1002", "911", "5551234567"] {
            let outcome = carrier.call(asterisk.address(), number).run();
            assert_eq!(outcome.statuses(), [100, 503], "a gateway calls {number}");
        }
        assert_eq!((callee.invites().len(), carrier.invites().len()), (1, 0));
        assert_eq!(asterisk.wait_call(1).get("reason"), "no-agent");
    }
}

#[test]
fn an_answer_of_no_use_takes_the_fallback() {
    let stage = Stage::new(Answers, Answers, Canned::answers(&[("TANDEM_ACTION", "frobnicate")]));
    assert_eq!(stage.dial("911").status(), 200);
    assert_eq!(stage.tried(), "gw1 200");
}

#[test]
fn a_line_has_an_emergency_number_of_its_own() {
    let (phone, carrier, agent) = (Sipp::start(Answers), Sipp::start(Answers), Canned::gone());
    let asterisk = Asterisk::builder()
        .agent(agent.address())
        .global("TANDEM_EMERGENCY_CALLER", "15125550199")
        .line_with("1001", phone.address(), "set_var = TANDEM_EMERGENCY_CALLER=15125550177")
        .gateway("gw1", carrier.address())
        .start();
    assert_eq!(phone.call(asterisk.address(), "911").run().status(), 200);
    assert_eq!(carrier.invites()[0].caller(), "15125550177");
}
