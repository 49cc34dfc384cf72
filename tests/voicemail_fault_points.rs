//! The agent is killed before each system call between a recording and its commit: writing the notes, filing it in the spool, sending it to the database,
//! removing it. Whoever was recorded is in the mailbox once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

mod mailbox_stage;

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use lab::{Agent, Does, MariaDb, Process, SimulatedCall, wait_until};
use mailbox_stage::{SOON, account, left_behind, wav};

/// Enough for every kind to be got through.
const MOST: u32 = 40;

#[test]
fn killed_before_any_system_call_it_has_every_message_once() {
    let server = MariaDb::start();
    let plan = Agent::builder().set("database.urls", &server.url()).set("voicemail.compact", "false");
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}", account(&["2101"])));
    let mut agent = plan.start();
    let mut wanted = 0;
    let mut points = Vec::new();
    let by_shipper = ["sendto", "unlink", "openat"].map(|kind| ("voicemail", kind));
    let by_clerk = ["rename", "fsync", "unlink"].map(|kind| ("voicemail-clerk", kind));
    for (thread, kind) in by_shipper.into_iter().chain(by_clerk) {
        let mut nth = 0;
        loop {
            nth += 1;
            assert!(nth < MOST, "the agent gets through");
            let strace = attach(&mut agent, thread, kind, nth);
            let script = vec![("RECORD FILE", Does::SpeaksAndHangsUp(wav(500, 2)))];
            let session = SimulatedCall::new("voicemail/2101/unavailable", "555", script).run(agent.agi());
            wanted += u64::from(session.commands.iter().any(|command| command.starts_with("RECORD FILE")));
            let counted = || server.sql("SELECT COUNT(*) FROM tandem.mailbox_messages").trim().parse::<u64>().unwrap();
            let mut killed = false;
            wait_until("the message, or the agent's end", SOON * 2, || {
                killed = !agent.process().is_running();
                killed || (counted() == wanted && left_behind(agent.plan().folder()).iter().all(|name| is_a_part(name)))
            });
            // One that is being killed may look alive for a moment.
            std::thread::sleep(Duration::from_millis(100));
            killed |= !agent.process().is_running();
            drop(strace);
            if killed {
                agent.restart();
            }
            wait_until(&format!("every message once after {thread} {kind} {nth}"), SOON * 3, || {
                assert!(counted() <= wanted, "twice after {thread} {kind} {nth}");
                counted() == wanted && left_behind(agent.plan().folder()).iter().all(|name| is_a_part(name))
            });
            if !killed {
                break;
            }
        }
        points.push(format!("{} x {kind} of {thread}", nth - 1));
    }
    println!("killed before {}; {wanted} messages", points.join(", "));
    let parts = server.sql("SELECT COUNT(*) - COUNT(DISTINCT id), COUNT(*) FROM tandem.mailbox_audio");
    assert_eq!(parts.trim(), format!("0\t{wanted}"), "audio of each, once");
    for kind in ["sendto", "rename", "fsync"] {
        assert!(
            points.iter().any(|point| point.contains(kind) && !point.starts_with("0 ")),
            "{kind} was never hit: {points:?}"
        );
    }
}

/// What was being written is no loss: it is written again, or was of no use yet.
fn is_a_part(name: &str) -> bool {
    name.starts_with("writing-") || name.ends_with(".new")
}

/// strace, attached to a thread; it kills the agent before its nth call of that kind.
fn attach(agent: &mut Agent, thread: &str, kind: &str, nth: u32) -> Process {
    let mut task = None;
    wait_until("the thread", Duration::from_secs(10), || {
        if !agent.process().is_running() {
            agent.restart();
        }
        let tasks = fs::read_dir(format!("/proc/{}/task", agent.process().id())).into_iter().flatten().flatten();
        let is_it = |name: String| name.trim() == thread;
        task = tasks.map(|task| task.path()).find(|path| fs::read_to_string(path.join("comm")).is_ok_and(is_it));
        task.is_some()
    });
    let task = task.unwrap().file_name().unwrap().to_owned();
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "strace", "-o", "/dev/null", "-e", &format!("trace={kind}")]);
    command.args(["-e", &format!("inject={kind}:signal=KILL:when={nth}"), "-p"]).arg(task).stdin(Stdio::null());
    let folder = agent.plan().folder();
    let log = folder.join("strace.log");
    let before = fs::read_to_string(&log).unwrap_or_default().matches("attached").count();
    let mut strace = Process::start("strace", command, &log);
    strace.wait_ready(Duration::from_secs(10), || {
        fs::read_to_string(&log).is_ok_and(|said| said.matches("attached").count() > before)
    });
    strace
}
