//! Who calls, what was dialled and what a phone claims: data that a caller controls, in the shipped dialplan.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod dialplan_stage;

use dialplan_stage::{Stage, gateways};
use lab::Manner::Answers;
use lab::{Asterisk, Canned, Sipp};

#[test]
fn who_calls_is_believed_from_the_edge_alone() {
    let agent = Canned::answers(&[("TANDEM_ACTION", "reject"), ("TANDEM_CAUSE", "1")]);
    let (phone, carrier, edge) = (Sipp::start(Answers), Sipp::start(Answers), Sipp::start(Answers));
    let asterisk = Asterisk::builder()
        .agent(agent.address())
        .line("1001", phone.address())
        .gateway("gw1", carrier.address())
        .edge("edge", edge.address())
        .start();
    let asked = |from: &Sipp, header: &str| {
        assert_eq!(from.call(asterisk.address(), "42").header(header).run().status(), 404);
        agent.asked("network_script").unwrap_or_default()
    };
    assert_eq!(asked(&edge, "X-Tandem-Line: 2002"), "route/line/2002");
    assert_eq!(asked(&edge, "X-Tandem-Gateway: telco-7"), "route/gateway/telco-7");
    assert_eq!(asked(&phone, "X-Tandem-Line: 2002"), "route/line/1001");
    assert_eq!(asked(&phone, "X-Tandem-Gateway: telco-7"), "route/line/1001");
    assert_eq!(asked(&carrier, "X-Tandem-Line: 2002"), "route/gateway/gw1");
    // An id that is none is not passed on; the agent then knows the caller as an unknown line.
    for hostile in ["1001,x", "${SHELL(id)}", "1001)", "a b", "\"1001\"", &"9".repeat(65)] {
        assert_eq!(asked(&edge, &format!("X-Tandem-Line: {hostile}")), "route/line/", "{hostile}");
    }
    assert_eq!(asked(&edge, "Subject: none"), "route/line/");
    assert_eq!(asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn any_dialled_text_reaches_the_agent_or_is_not_found() {
    let stage = Stage::new(Answers, Answers, Canned::answers(&[("TANDEM_ACTION", "reject"), ("TANDEM_CAUSE", "17")]));
    let sane = [
        "0",
        "911",
        "15551234567",
        "+15551234567",
        "*97",
        "*",
        "%23",
        "%2397%23",
        "bob",
        "front-desk",
        "a.b_c-d",
        "hh",
        "Tt",
        "fax",
    ];
    for (index, dialled) in sane.iter().enumerate() {
        assert_eq!(stage.dial(dialled).status(), 486, "{dialled}");
        assert_eq!(stage.agent.asked("extension"), Some(dialled.replace("%23", "#")));
        assert_eq!(stage.agent.preludes().len(), index + 1);
    }
    let asked = stage.agent.preludes().len();
    let hostile = [
        "h",
        "i",
        "s",
        "t",
        "T",
        "e",
        "a",
        "o",
        "1,2",
        "911,1",
        "1%22",
        "1%22%20%7C%20%221",
        "1%24%7BSHELL(id)%7D",
        "1%24%5B1%2B1%5D",
        "1)",
        "1(2",
        "1%7Bx%7D",
        "1%5C",
        "1%27",
        "1%3B2",
        "1%26PJSIP/900%40gw1",
        "1%7C2",
        "1%0A2",
        "1%20",
        "-h",
        "h-",
        "T--",
        "-T-",
        "_X.",
        ".",
        "%C3%A9",
        "1%C3%A9",
        "tandem-end,h,1",
    ];
    for dialled in hostile {
        assert_eq!(stage.dial(dialled).status(), 404, "{dialled}");
    }
    assert_eq!(stage.agent.preludes().len(), asked, "none of them reached the agent");
    assert!(stage.gw1.invites().is_empty() && stage.gw2.invites().is_empty());
    assert_eq!(stage.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn hostile_caller_ids_and_names_are_only_text() {
    let hostile = "a${SHELL(touch /tmp/tandem-owned)}$[1+1],b)\\'";
    let stage = Stage::new(Answers, Answers, gateways(&[("TANDEM_CALLER_NAME", hostile)]));
    let call = stage.phone.call(stage.asterisk.address(), "5551234567");
    assert_eq!(call.claims("%24%7BSHELL(id)%7D%22%2C1", "${SHELL(id)},$[1+1])").run().status(), 200);
    let from = stage.gw1.invites()[0].header("From").unwrap().replace("\\\\", "\\");
    assert!(from.starts_with(&format!("\"{hostile}\"")), "{from}");
    assert!(!std::path::Path::new("/tmp/tandem-owned").exists());
    assert_eq!(stage.asterisk.complaints(), Vec::<String>::new());
}
