//! Codes of features on the simulated wire: the caller hangs up at every command, and the database is away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod records_stage;

use std::time::Duration;

use lab::{Agent, AgentBuilder, Does, MariaDb, SimulatedCall, wait_until};
use records_stage::ask_sqlite;

const SOON: Duration = Duration::from_secs(10);

fn plan() -> AgentBuilder {
    Agent::builder().set("replica.poll_ms", "100").set("media.speech", "false")
}

/// Line 1002 dials a code.
fn dials(code: &str, script: Vec<(&'static str, Does)>) -> SimulatedCall {
    SimulatedCall::new("feature/line/1002", "1002", script).dialled(code)
}

#[test]
fn a_user_may_hang_up_at_every_command() {
    use Does::{Digits, Key};
    let plan = plan();
    plan.tandem_ok(&["migrate"]);
    plan.sql(include_str!("data/provider.sql"));
    let agent = plan.start();
    let file = format!("sqlite:{}", agent.plan().folder().join("tandem.db").display());
    let forward = || {
        let rows = ask_sqlite(&file, "SELECT forward_always FROM line_features WHERE line_id = '1002'");
        rows.first().map(|row| row.get("forward_always").to_owned()).unwrap_or_default()
    };
    let ended = || agent.log().matches("outcome=").count();
    // A number that the line may not call, one that is none, then one that it may.
    let talk = || {
        let script = vec![
            ("vm-then-pound", Digits("9011442071838750")),
            ("call-fwd-unconditional", Key('1')),
            ("GET DATA", Does::Nothing),
            ("vm-then-pound", Digits("104")),
        ];
        dials("*72", script)
    };
    for nth in 0.. {
        let before = ended();
        let session = talk().hangs_up_at(nth, Vec::new()).run(agent.agi());
        wait_until("the session's line in the log", SOON, || ended() == before + 1);
        // It is asked for three times by name; the fourth time it is said back, and done. Before that nothing is.
        let named = session.commands.iter().filter(|command| command.contains("call-fwd-unconditional")).count();
        assert_eq!(forward() == "104", named == 4, "{nth}: {session:#?}");
        agent.plan().sql("UPDATE line_features SET forward_always = ''");
        if !session.cut {
            // No key cuts off what was understood.
            assert!(session.heard("\"is-set-to\" \"\"") && session.heard("SAY DIGITS \"104\" \"\""), "{session:#?}");
            assert!(nth > 12, "only {nth} commands");
            break;
        }
        assert_eq!(session.commands.len(), nth + 1, "nothing is ordered of somebody who is gone: {session:#?}");
    }
    assert!(!agent.log().contains("ERROR"), "{}", agent.log());
}

#[test]
fn a_line_forwards_nothing_to_itself_and_calls_nobody_for_help_because_a_caller_wrote_so() {
    use Does::{Digits, Key};
    let plan = plan();
    plan.tandem_ok(&["migrate"]);
    plan.sql(include_str!("data/provider.sql"));
    plan.sql("INSERT INTO line_features (line_id, do_not_disturb) VALUES ('1004', TRUE)");
    let agent = plan.start();
    for own in ["102", "911"] {
        let session = dials(&format!("*72{own}"), vec![("vm-then-pound", Digits("104"))]).run(agent.agi());
        assert!(session.heard("pbx-invalid") && session.heard("SAY DIGITS \"104\""), "{own}: {session:#?}");
    }
    for (shown, heard) in
        [("911", "vm-nonumber"), ("9911", "vm-nonumber"), ("*7219005550123", "vm-nonumber"), ("101", "vm-press")]
    {
        agent.plan().sql(&format!(
            "DELETE FROM call_attempts;
             INSERT INTO call_attempts (node, boot, uniqueid, number, linkedid, kind, name, status, started_at, ended_at, talk_ms, clock_doubtful,
                 called_number, shipped_at, shown_number)
             VALUES ('n', 'b', 'u', 1, 'l', 'line', '1002', 'NOANSWER', '2026-01-01 00:00:00', '2026-01-01 00:00:09', 0, FALSE, '102',
                 '2026-01-01 00:01:00', '{shown}')"
        ));
        let session = dials("*69", vec![("GET DATA", Key('1'))]).run(agent.agi());
        assert!(session.heard(heard), "{shown}: {session:#?}");
    }
}

#[test]
fn without_the_database_features_hold_and_nothing_is_changed() {
    let mut server = MariaDb::start();
    let plan = plan().set("database.urls", &server.url());
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}", include_str!("data/provider.sql")));
    server.sql(
        "USE tandem; INSERT INTO line_features (line_id, forward_always) VALUES ('1002', '104');
         UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004'",
    );
    let agent = plan.start();
    wait_until("the replica", SOON, || agent.log().contains("the replica is filled"));
    let decides = || {
        let session = SimulatedCall::new("route/line/1001", "1001", Vec::new()).dialled("102").run(agent.agi());
        session.commands.first().cloned().unwrap_or_default()
    };
    assert!(decides().contains("TANDEM_FOR_LINE=1002") && decides().contains("TANDEM_SOURCE=central"), "{}", decides());
    server.kill();
    wait_until("the replica's answer", SOON, || decides().contains("TANDEM_SOURCE=replica"));
    assert!(decides().contains("TANDEM_FOR_LINE=1002"), "{}", decides());
    for code in ["*73", "*78", "*69", "*61", "*60104", "*64104"] {
        let session = dials(code, Vec::new()).run(agent.agi());
        assert!(session.heard("im-sorry") && session.heard("please-try-call-later"), "{code}: {session:#?}");
        assert!(session.commands.last().unwrap().contains("Hangup"), "{code}: {session:#?}");
    }
    assert!(decides().contains("TANDEM_FOR_LINE=1002"), "{}", decides());
}

#[test]
fn what_is_no_code_is_left_to_the_dialplan() {
    let plan = plan();
    plan.tandem_ok(&["migrate"]);
    plan.sql(include_str!("data/provider.sql"));
    let agent = plan.start();
    for (path, code) in [
        ("feature/line/1002", "*11"),
        ("feature/gateway/gw-a", "*72"),
        ("feature", "*72"),
        ("feature/line/1002", "'; DROP TABLE line_features"),
    ] {
        let session = SimulatedCall::new(path, "1002", Vec::new()).dialled(code).run(agent.agi());
        assert!(session.commands.is_empty(), "{path} {code}: {session:#?}");
    }
}
