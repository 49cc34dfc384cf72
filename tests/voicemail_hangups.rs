//! The caller hangs up at every command of both flows in turn, on the real agent: what holds afterwards is right, and nothing is left on the node.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;

use std::path::PathBuf;

use lab::{Agent, Does, Session, SimulatedCall, wait_until};
use mailbox_stage::{SOON, account, left_behind, message, rows, wav};

/// An agent, its database, and nothing else.
struct Bench {
    agent: Agent,
    database: PathBuf,
}

impl Bench {
    fn start() -> Bench {
        let plan = Agent::builder().set("replica.poll_ms", "200").set("voicemail.guess_delay_ms", "1");
        plan.tandem_ok(&["migrate"]);
        plan.sql(&account(&["2101", "2102", "2103"]));
        let database = plan.folder().join("tandem.db");
        Bench { agent: plan.start(), database }
    }

    fn rows(&self, question: &str) -> Vec<String> {
        rows(&self.database, question)
    }

    fn count(&self, what: &str) -> usize {
        self.rows(&format!("SELECT COUNT(*) FROM {what}"))[0].parse().unwrap()
    }

    /// Waits until nothing is on its way.
    fn settles(&self, what: &str) {
        let folder = self.agent.plan().folder();
        wait_until(&format!("{what}: {:?} is left", left_behind(folder)), SOON, || left_behind(folder).is_empty());
    }
}

/// The caller listens to it all, records twice, and saves.
fn leaving() -> SimulatedCall {
    let script = vec![
        ("RECORD FILE", Does::Speaks(wav(500, 3))),
        ("vm-review\"", Does::Key('4')),
        ("vm-review\"", Does::Key('2')),
        ("vm-review\"", Does::Key('3')),
        ("RECORD FILE", Does::Speaks(wav(620, 2))),
        ("vm-review\"", Does::Key('1')),
    ];
    SimulatedCall::new("voicemail/2101/unavailable/2102", "2102", script)
}

#[test]
fn a_message_is_kept_from_the_first_recording_on_wherever_the_caller_hangs_up() {
    let bench = Bench::start();
    let mut longest = 0;
    for nth in 0.. {
        bench.agent.plan().sql("DELETE FROM mailbox_messages; DELETE FROM mailbox_audio");
        let session: Session = leaving().hangs_up_at(nth, wav(740, 2)).run(bench.agent.agi());
        let kept = session.commands.iter().filter(|command| command.starts_with("RECORD FILE")).count().min(1);
        bench.settles(&format!("cut at {nth}, {:?}", session.commands.last()));
        let there = || (bench.count("mailbox_messages"), bench.count("mailbox_audio"));
        wait_until(&format!("cut at {nth}, {:?}", session.commands.last()), SOON, || there() == (kept, kept));
        // Called urgent, if that was before.
        if kept == 1 {
            let urgent = session.commands.iter().any(|command| command.contains("vm-marked-urgent"));
            assert_eq!(
                bench.rows("SELECT urgent FROM mailbox_messages"),
                [if urgent { "1" } else { "0" }],
                "cut at {nth}"
            );
        }
        if !session.cut {
            longest = nth;
            break;
        }
    }
    assert!(longest > 15, "only {longest} commands");
    assert!(!bench.agent.log().contains("ERROR"), "{}", bench.agent.log());
}

/// An owner who does everything.
fn visit() -> SimulatedCall {
    let script = vec![
        ("vm-password", Does::Digits("0000")),
        ("vm-password", Does::Digits("2580")),
        ("vm-opts", Does::Key('1')),
        ("CONTROL STREAM FILE", Does::Key('7')),
        ("vm-undelete", Does::Key('6')),
        ("CONTROL STREAM FILE", Does::Key('9')),
        ("vm-savefolder", Does::Key('3')),
        ("vm-advopts", Does::Key('8')),
        ("vm-forward\"", Does::Key('1')),
        ("vm-extension", Does::Digits("2102")),
        ("vm-forwardoptions", Does::Key('1')),
        ("RECORD FILE", Does::Speaks(wav(860, 2))),
        ("vm-review\"", Does::Key('1')),
        ("vm-advopts", Does::Key('3')),
        ("vm-toreply", Does::Key('5')),
        ("vm-forward\"", Does::Key('1')),
        ("vm-extension", Does::Digits("2103")),
        ("RECORD FILE", Does::Speaks(wav(980, 2))),
        ("vm-review\"", Does::Key('1')),
        ("vm-advopts", Does::Key('0')),
        ("vm-options", Does::Key('3')),
        ("RECORD FILE", Does::Speaks(wav(500, 2))),
        ("vm-review\"", Does::Key('1')),
        ("vm-options", Does::Key('5')),
        ("vm-newpassword", Does::Digits("7351")),
        ("vm-reenterpassword", Does::Digits("7351")),
        ("vm-options", Does::Key('*')),
        ("vm-advopts", Does::Key('2')),
        ("vm-changeto", Does::Key('1')),
        ("vm-opts", Does::Key('#')),
    ];
    SimulatedCall::new("mailbox/line/2101/own", "2101", script)
}

#[test]
fn an_owner_may_hang_up_at_every_step() {
    let bench = Bench::start();
    let hash = bench.rows("SELECT password_hash FROM mailboxes WHERE id = '2101'").remove(0);
    let reset = format!(
        "DELETE FROM mailbox_messages; DELETE FROM mailbox_audio; DELETE FROM mailbox_greetings; DELETE FROM mailbox_guesses;
         UPDATE mailboxes SET password_hash = '{hash}', login_from_line = FALSE;
         {}{}",
        message("2101", "INBOX", false, 0, &wav(500, 2), "1"),
        message("2101", "INBOX", false, 1, &wav(620, 2), "2")
    );
    let mut longest = 0;
    for nth in 0.. {
        bench.agent.plan().sql(&reset);
        let session = visit().hangs_up_at(nth, wav(740, 2)).run(bench.agent.agi());
        let what = format!("cut at {nth}, {:?}", session.commands.last());
        bench.settles(&what);
        let reached = |text: &str| session.commands.iter().any(|command| command.contains(text));
        let playing: Vec<usize> =
            (0..session.commands.len()).filter(|at| session.commands[*at].starts_with("CONTROL STREAM")).collect();
        let records = session.commands.iter().filter(|command| command.starts_with("RECORD FILE")).count();
        let passed = |count: usize| {
            session.commands.iter().filter(|command| command.contains("vm-msgforwarded")).count() >= count
        };
        let mut wanted = Vec::new();
        // The first: played, then deleted; the second: played, then saved.
        if !reached("vm-deleted") {
            wanted.push(format!("2101|{}", if playing.is_empty() { "INBOX" } else { "Old" }));
        }
        let second = if reached("vm-savedto")
            || reached("SAY NUMBER \"2\" \"0123456789*#\"")
                && reached("vm-savefolder")
                && session.heard("vm-savefolder")
        {
            "Family"
        } else if playing.len() > 1 {
            "Old"
        } else {
            "INBOX"
        };
        wanted.push(format!("2101|{second}"));
        // Forwarded with a comment when that was saved; sent as soon as something was said, as a caller's message would be.
        if passed(1) {
            wanted.push("2102|INBOX".into());
        }
        if records >= 2 {
            wanted.push("2103|INBOX".into());
        }
        let there = || bench.rows("SELECT mailbox_id, folder FROM mailbox_messages ORDER BY mailbox_id, left_at, id");
        wait_until(&format!("{what}: {wanted:?}, where {:?} is", there()), SOON, || there() == wanted);
        let greetings = usize::from(reached("vm-msgsaved"));
        wait_until(&format!("{what}: {greetings} greetings"), SOON, || bench.count("mailbox_greetings") == greetings);
        let changed = bench.rows("SELECT password_hash FROM mailboxes WHERE id = '2101'")[0] != hash;
        assert_eq!(changed, reached("vm-passchanged"), "{what}");
        assert_eq!(bench.count("mailbox_audio"), wanted.len() + greetings, "{what}: audio is there once for each");
        if !session.cut {
            longest = nth;
            break;
        }
    }
    assert!(longest > 65, "only {longest} commands");
    assert!(!bench.agent.log().contains("ERROR"), "{}", bench.agent.log());
    // Nothing of a password is in the log.
    for secret in ["2580", "7351", "0000", "argon2id"] {
        assert!(!bench.agent.log().contains(secret), "{secret} in {}", bench.agent.log());
    }
}

#[test]
fn what_a_killed_agent_leaves_of_a_recording_becomes_a_message() {
    let mut bench = Bench::start();
    // Killed while Asterisk records: the session breaks off, Asterisk goes on writing.
    let agi = bench.agent.agi();
    let session = std::thread::spawn(move || {
        SimulatedCall::new("voicemail/2101&2103/busy", "555", vec![("RECORD FILE", Does::GoesOn)]).run(agi)
    });
    let recordings = bench.agent.plan().folder().join("recordings");
    let notes = || {
        std::fs::read_dir(&recordings)
            .unwrap()
            .flatten()
            .map(|file| file.path())
            .find(|path| path.extension().is_some_and(|e| e == "json"))
    };
    wait_until("the notes of the recording", SOON, || notes().is_some());
    let recording = notes().unwrap().with_extension("wav");
    // As Asterisk leaves a file that it has not closed: without its length.
    let mut audio = wav(500, 3);
    audio[40..44].fill(0);
    std::fs::write(&recording, audio).unwrap();
    bench.agent.process().kill();
    drop(session.join());
    bench.agent.restart();
    wait_until("the message, in both mailboxes", SOON * 2, || {
        bench.rows("SELECT mailbox_id, duration_ms FROM mailbox_messages ORDER BY mailbox_id")
            == ["2101|3000", "2103|3000"]
    });
    bench.settles("afterwards");
}
