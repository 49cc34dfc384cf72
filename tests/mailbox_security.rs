//! Who gets into a mailbox, and who does not: guesses over calls and nodes, mailboxes that are not there, and what the log tells.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;

use std::thread;

use lab::{Agent, Does, MariaDb, Session, SimulatedCall};
use mailbox_stage::account;

/// A caller of line 2102 who tries these passwords at mailbox 2101.
fn tries(agent: &Agent, passwords: [&'static str; 3]) -> Session {
    let mut script = Vec::new();
    for (nth, password) in passwords.into_iter().enumerate() {
        script.push((if nth == 0 { "vm-login" } else { "vm-incorrect-mailbox" }, Does::Digits("2101")));
        script.push(("vm-password", Does::Digits(password)));
    }
    script.push(("vm-opts", Does::Key('#')));
    SimulatedCall::new("mailbox/line/2102/any", "2102", script).run(agent.agi())
}

fn is_in(session: &Session) -> bool {
    session.heard("vm-youhave")
}

#[test]
fn guesses_over_two_nodes_lock_the_mailbox_and_a_lock_ends() {
    let server = MariaDb::start();
    let node = |name: &str| {
        let plan = Agent::builder()
            .set("database.urls", &server.url())
            .set("node.name", name)
            .set("voicemail.guess_delay_ms", "1");
        plan.set("voicemail.lockout_guesses", "6").set("voicemail.lockout_minutes", "5")
    };
    node("first").tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}", account(&["2101", "2102"])));
    let (first, second) = (node("first").start(), node("second").start());
    let guesses =
        || server.sql("SELECT guesses FROM tandem.mailbox_guesses WHERE mailbox_id = '2101'").trim().to_owned();

    // A mistake, or two, is none: the right one clears the slate.
    assert!(is_in(&tries(&first, ["1111", "2222", "2580"])));
    assert_eq!(guesses(), "0");
    let session = tries(&first, ["1111", "2222", "3333"]);
    assert!(!is_in(&session) && session.heard("vm-incorrect\"") && session.heard("vm-goodbye"), "{session:?}");
    assert_eq!(
        session.commands.iter().filter(|command| command.contains("vm-password")).count(),
        3,
        "three tries a call"
    );
    assert!(!is_in(&tries(&second, ["4444", "5555", "6666"])));
    assert_eq!(guesses(), "6");
    // Now the right one is of no use, on either node, and what is tried meanwhile is not counted.
    for agent in [&first, &second] {
        assert!(!is_in(&tries(agent, ["2580", "2580", "2580"])));
    }
    assert_eq!(guesses(), "6");
    assert!(second.log().contains("locked for a while"), "{}", second.log());
    // Time passes.
    server.sql("UPDATE tandem.mailbox_guesses SET guessed_at = UTC_TIMESTAMP() - INTERVAL 6 MINUTE");
    assert!(!is_in(&tries(&first, ["7777", "2580", "2580"])), "one more wrong one locks it again, for twice as long");
    server.sql("UPDATE tandem.mailbox_guesses SET guessed_at = UTC_TIMESTAMP() - INTERVAL 6 MINUTE");
    assert!(!is_in(&tries(&first, ["2580", "2580", "2580"])));
    // An operator gives it a new password, which unlocks it.
    let said = first.plan().tandem_ok(&["mailbox", "password", "2101"]);
    let password: &'static str = Box::leak(said.trim().rsplit(' ').next().unwrap().to_owned().into_boxed_str());
    assert!(password.len() >= 8, "{said}");
    assert!(is_in(&tries(&second, [password, "", ""])));
    for agent in [&first, &second] {
        for secret in ["2580", "4444", password, "argon2id"] {
            assert!(!agent.log().contains(secret), "{secret} is in {}", agent.log());
        }
    }
}

#[test]
fn many_guesses_at_the_same_moment_do_not_pass_together() {
    let server = MariaDb::start();
    let plan = Agent::builder()
        .set("database.urls", &server.url())
        .set("voicemail.guess_delay_ms", "1")
        .set("voicemail.lockout_guesses", "6");
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}", account(&["2101", "2102"])));
    let agent = plan.start();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| tries(&agent, ["1111", "2222", "3333"]));
        }
    });
    let log = agent.log();
    let verified = log.matches("a wrong password was tried").count();
    assert!(verified <= 6, "{verified} of 60 were looked at");
}

#[test]
fn a_mailbox_that_is_not_there_sounds_like_a_wrong_password() {
    let plan = Agent::builder().set("voicemail.guess_delay_ms", "1");
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101", "2102", "2103"]));
    plan.sql(
        "UPDATE mailboxes SET password_hash = NULL, login_from_line = FALSE WHERE id = '2102';
         UPDATE mailboxes SET status = 'suspended' WHERE id = '2103';
         INSERT INTO accounts (id, name, status, currency, time_zone, created_at)
            VALUES ('others', 'Others', 'active', 'USD', 'UTC', '2026-01-01 00:00:00');
         INSERT INTO mailboxes (id, account_id, number, name, password_hash, set_up, created_at)
            SELECT 'theirs', 'others', '9000', 'Theirs', password_hash, TRUE, created_at FROM mailboxes WHERE id = '2101';",
    );
    let agent = plan.start();
    let heard = |number: &'static str| {
        let script = vec![
            ("vm-login", Does::Digits(number)),
            ("vm-password", Does::Digits("2580")),
            ("vm-incorrect-mailbox", Does::Digits(number)),
            ("vm-password", Does::Digits("")),
        ];
        let session = SimulatedCall::new("mailbox/line/2101/any", "2101", script).run(agent.agi());
        assert!(!is_in(&session), "{number}: {session:?}");
        session.commands
    };
    // None of that number, another account's, one without a password, one that is suspended, a hostile one.
    let of_nobody = heard("7777");
    for number in ["9000", "2102", "2103", "';--", "%"] {
        assert_eq!(heard(number), of_nobody, "{number}");
    }
    // A line of nobody has no mailbox, and finds none.
    let session = SimulatedCall::new(
        "mailbox/line/nobody/own",
        "x",
        vec![("vm-login", Does::Digits("2101")), ("vm-password", Does::Digits("2580"))],
    )
    .run(agent.agi());
    assert!(!is_in(&session));
    // A gateway's caller has no way in but by a mailbox's greeting.
    let session = SimulatedCall::new("mailbox/gateway/gw-a/own", "x", Vec::new()).run(agent.agi());
    assert!(session.commands.is_empty(), "{session:?}");
    let session = SimulatedCall::new("voicemail/nobody/busy", "x", Vec::new()).run(agent.agi());
    assert!(session.commands.is_empty(), "there is no such mailbox: {session:?}");
}

#[test]
fn only_a_mailbox_that_allows_it_is_entered_without_a_password() {
    let plan = Agent::builder().set("voicemail.guess_delay_ms", "1");
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101", "2102"]));
    plan.sql("UPDATE mailboxes SET login_from_line = FALSE WHERE id = '2102'");
    let agent = plan.start();
    let enters = |line: &str| {
        let path = format!("mailbox/line/{line}/own");
        SimulatedCall::new(&path, line, vec![("vm-opts", Does::Key('#'))]).run(agent.agi())
    };
    assert!(is_in(&enters("2101")));
    let session = enters("2102");
    assert!(!is_in(&session) && session.heard("vm-password"), "{session:?}");
    // What the phone claims to be plays no part: the line stands in the path, which the dialplan writes.
    let session = SimulatedCall::new("mailbox/line/2102/own", "2101", Vec::new()).run(agent.agi());
    assert!(!is_in(&session));
}
