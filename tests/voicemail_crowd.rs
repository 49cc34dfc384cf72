//! Hundreds of messages at once into one mailbox from two nodes, while its owner deletes and forwards on both: none is lost, none is there twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;

use std::thread;

use lab::{Agent, Does, MariaDb, Postgres, SimulatedCall, wait_until};
use mailbox_stage::{SOON, account, left_behind, wav};

const MESSAGES: usize = 200;

fn crowd(url: &str, sql: &(dyn Fn(&str) -> String + Sync)) {
    let node = |name: &str| Agent::builder().set("database.urls", url).set("node.name", name);
    node("first").tandem_ok(&["migrate"]);
    sql(&account(&["2101", "2102"]));
    sql("UPDATE mailboxes SET max_messages = 0");
    let (first, second) = (node("first").start(), node("second").start());
    let nodes = [first.agi(), second.agi()];
    let count = |what: &str| -> usize {
        sql(&format!("SELECT COUNT(*) FROM {what}")).trim().lines().last().unwrap().trim().parse().unwrap()
    };
    thread::scope(|scope| {
        for nth in 0..MESSAGES {
            let agi = nodes[nth % 2];
            scope.spawn(move || {
                let script = vec![("RECORD FILE", Does::SpeaksAndHangsUp(wav(500, 2)))];
                SimulatedCall::new("voicemail/2101/unavailable", &format!("7{nth:04}"), script).run(agi);
            });
        }
        // The owner, on both nodes: plays the first, deletes it, forwards the next, goes.
        for agi in nodes {
            scope.spawn(move || {
                for _ in 0..10 {
                    let script = vec![
                        ("vm-opts", Does::Key('1')),
                        ("CONTROL STREAM FILE", Does::Key('7')),
                        ("vm-undelete", Does::Key('6')),
                        ("CONTROL STREAM FILE", Does::Key('8')),
                        ("vm-forward\"", Does::Key('1')),
                        ("vm-extension", Does::Digits("2102")),
                        ("vm-forwardoptions", Does::Key('2')),
                        ("vm-advopts", Does::Key('#')),
                    ];
                    SimulatedCall::new("mailbox/line/2101/own", "2101", script).run(agi);
                }
            });
        }
    });
    for agent in [&first, &second] {
        let folder = agent.plan().folder();
        wait_until("everything is shipped", SOON * 3, || left_behind(folder).is_empty());
    }
    let callers = "(SELECT DISTINCT caller_number FROM mailbox_messages WHERE mailbox_id = '2101' AND forwarded_by IS NULL) AS callers";
    let (left, forwarded) =
        (count("mailbox_messages WHERE mailbox_id = '2101'"), count("mailbox_messages WHERE mailbox_id = '2102'"));
    assert_eq!(left, count(callers), "nobody's message is there twice");
    // Both visits may have deleted the same message, and have forwarded it.
    let deleted = MESSAGES - left;
    assert!(deleted <= 20 && forwarded <= 20, "{deleted} deleted, {forwarded} forwarded");
    let (audio, messages) = (count("(SELECT DISTINCT id FROM mailbox_audio) AS audio"), count("mailbox_messages"));
    assert_eq!(audio, messages, "each message has its audio, and there is no other");
    // Numbering is computed: the owner hears as many as there are.
    let session = SimulatedCall::new("mailbox/line/2101/own", "2101", vec![("vm-opts", Does::Key('#'))]).run(nodes[0]);
    let told: usize = session
        .commands
        .iter()
        .filter_map(|command| command.strip_prefix("SAY NUMBER \"")?.split('"').next()?.parse::<usize>().ok())
        .sum();
    assert_eq!(told, left, "{session:?}");
    for agent in [&first, &second] {
        assert!(!agent.log().contains("ERROR"), "{}", agent.log());
    }
}

#[test]
fn two_hundred_messages_at_once_in_mariadb() {
    let server = MariaDb::start();
    crowd(&server.url(), &|text| server.sql(&format!("USE tandem; {text}")));
}

#[test]
fn two_hundred_messages_at_once_in_postgres() {
    let server = Postgres::start();
    crowd(&server.url(), &|text| server.sql_in("tandem", text));
}
