//! The caller hangs up at every command of a walk through menus, on the real agent: each session ends there, and nothing is left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod menu_stage;

use std::time::Duration;

use lab::{Does, SimulatedCall, wait_until};
use menu_stage::{MENUS, plan};

/// A caller who goes everywhere: wrong keys, something said, another menu and back, no key, an option.
fn walk() -> SimulatedCall {
    let script = vec![
        ("GET DATA", Does::Key('*')),
        ("demo-instruct", Does::Key('9')),
        ("\"hours\"", Does::Nothing),
        ("demo-instruct", Does::Key('4')),
        ("demo-moreinfo", Does::Nothing),
        ("GET DATA", Does::Key('7')),
        ("demo-moreinfo", Does::Nothing),
        ("GET DATA", Does::Nothing),
        ("demo-moreinfo", Does::Key('9')),
        ("demo-instruct", Does::Key('2')),
    ];
    SimulatedCall::new("menu/main/0", "555", script)
}

#[test]
fn a_caller_may_hang_up_at_every_command() {
    let agent = plan(MENUS).start();
    let ended = || agent.log().matches("outcome=").count();
    let mut longest = 0;
    for nth in 0.. {
        let before = ended();
        let session = walk().hangs_up_at(nth, Vec::new()).run(agent.agi());
        wait_until("the session's line in the log", Duration::from_secs(5), || ended() == before + 1);
        if !session.cut {
            assert!(session.commands.last().unwrap().contains("TANDEM_CALL_TARGET=group/team"), "{session:#?}");
            longest = nth;
            break;
        }
        assert_eq!(session.commands.len(), nth + 1, "nothing is ordered of somebody who is gone: {session:#?}");
    }
    assert!(longest > 15, "only {longest} commands");
    // Only here a variable can neither be set nor read when the caller is gone: a real Asterisk still does it.
    let log = agent.log();
    let failed: Vec<&str> = log.lines().filter(|line| line.contains("outcome=\"failed\"")).collect();
    assert!(failed.iter().all(|line| line.contains("MSet") || line.contains("GET FULL VARIABLE")), "{failed:#?}");
    assert_eq!(log.matches("outcome=\"hangup\"").count() + failed.len(), longest, "{log}");
    assert!(!agent.log().contains("ERROR"), "{}", agent.log());
}

#[test]
fn a_menu_that_is_not_there_is_left_to_the_dialplan() {
    let agent = plan(MENUS).start();
    for path in ["menu/nobody/0", "menu/'; DROP TABLE menus/0", "menu", "menu//0", "menu/main/0/0"] {
        let session = SimulatedCall::new(path, "555", Vec::new()).run(agent.agi());
        assert!(session.commands.is_empty(), "{path}: {session:?}");
    }
    // A depth that is no count of ours ends the call at once.
    for path in ["menu/main/30", "menu/main/99999999999", "menu/main/x", "menu/main/-1"] {
        let session = SimulatedCall::new(path, "555", Vec::new()).run(agent.agi());
        assert!(session.heard("im-sorry") && !session.heard("demo-instruct"), "{path}: {session:?}");
    }
    let session = SimulatedCall::new("menu/main/29", "555", vec![("demo-instruct", Does::Key('1'))]).run(agent.agi());
    assert!(session.commands.last().unwrap().contains("TANDEM_MENU_DEPTH=30"), "{session:?}");
    // An account that is suspended answers nobody.
    agent.plan().sql("UPDATE accounts SET status = 'suspended' WHERE id = 'menus'");
    let session = SimulatedCall::new("menu/main/0", "555", Vec::new()).run(agent.agi());
    assert!(session.commands.is_empty(), "{session:?}");
}
