//! Voicemail: from hangup to lamp and to readable elsewhere, messages a second into each store, what 200 recordings at once cost the agent, and what
//! a minute of audio takes. The audio is noise shaped like speech, in real WAV; callers are simulated (FastAGI), Asterisk's lamps and the stores are real.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark"
)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "figures for people")]

#[path = "../mailbox_stage.rs"]
mod mailbox_stage;
#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod usage;

use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use lab::{Agent, AgentBuilder, Asterisk, Does, Lamp, MariaDb, S3Server, SimulatedCall};
use mailbox_stage::{account, left_behind, wav};
use sqlx::Connection as _;
use tandem::buffer::spool::Spool;
use tandem::store::mailbox::{Folder, Format, NewMessage};
use tandem::voicemail::item::{Item, Spooled};
use usage::{cpu, resident};
use uuid::Uuid;

const RUNS: usize = 30;
const BACKLOG: usize = 600;
const AT_ONCE: usize = 200;

fn main() {
    latency();
    throughput();
    recordings();
    size();
}

fn median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() - 1])
}

fn leaves(seconds: u32) -> SimulatedCall {
    let script = vec![("RECORD FILE", Does::SpeaksAndHangsUp(wav(500, seconds)))];
    SimulatedCall::new("voicemail/2101/unavailable", "555", script)
}

/// On MariaDB, message after message.
fn latency() {
    let server = MariaDb::start();
    let lamp = Lamp::default();
    let plan = Agent::builder().set("database.urls", &server.url());
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}; UPDATE mailboxes SET max_messages = 0", account(&["2101"])));
    let asterisk =
        Asterisk::builder().agent(plan.agi()).line_with("2101", lamp.address(), "mailboxes = 2101@tandem").start();
    let agent = plan.lights(&asterisk).start();
    thread::sleep(Duration::from_secs(2));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut connection = runtime.block_on(sqlx::MySqlConnection::connect(&server.url())).unwrap();
    let (mut lamps, mut readable) = (Vec::new(), Vec::new());
    for nth in 1..=RUNS {
        leaves(30).run(agent.agi());
        let hung_up = Instant::now();
        let mut read = None;
        let shown = format!("{nth}/0 (0/0)");
        let mut lit = None;
        while read.is_none() || lit.is_none() {
            if read.is_none() {
                let count: i64 = runtime
                    .block_on(sqlx::query_scalar("SELECT COUNT(*) FROM mailbox_messages").fetch_one(&mut connection))
                    .unwrap();
                read = (count >= nth as i64).then(|| hung_up.elapsed());
            }
            lit = lit.or_else(|| lamp.told().last().is_some_and(|last| *last == shown).then(|| hung_up.elapsed()));
            thread::sleep(Duration::from_micros(500));
        }
        readable.extend(read);
        lamps.extend(lit);
    }
    let ((read, slowest_read), (lit, slowest_lit)) = (median(readable), median(lamps));
    println!(
        "from hangup to readable on every node (row and audio in MariaDB, 30 s of audio as GSM): median {read:.0?}, slowest {slowest_read:.0?} of {RUNS}"
    );
    println!("from hangup to the NOTIFY at the phone: median {lit:.0?}, slowest {slowest_lit:.0?} of {RUNS}");
}

/// A backlog of messages of 10 s is shipped by an agent that starts.
fn throughput() {
    for compact in ["false", "true"] {
        let server = MariaDb::start();
        let plan = Agent::builder().set("database.urls", &server.url()).set("voicemail.compact", compact);
        ships(plan, &server, &format!("MariaDB, {}", if compact == "true" { "as GSM" } else { "as WAV" }));
    }
    let (server, mut bucket) = (MariaDb::start(), S3Server::default());
    bucket.start();
    let plan = Agent::builder()
        .set("database.urls", &server.url())
        .set("voicemail.compact", "false")
        .set("voicemail.store", "s3")
        .set("voicemail.s3_bucket", "voicemail")
        .set("voicemail.s3_endpoint", &bucket.url())
        .set("voicemail.s3_key", S3Server::KEYS.0)
        .set("voicemail.s3_secret", S3Server::KEYS.1);
    ships(plan, &server, "S3 (s3s on this machine) and MariaDB, as WAV");
}

fn ships(plan: AgentBuilder, server: &MariaDb, what: &str) {
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}", account(&["2101"])));
    let spool = Spool::new(&plan.folder().folder("voicemail"));
    let audio = wav(500, 10);
    for _ in 0..BACKLOG {
        let message = NewMessage {
            id: Uuid::now_v7(),
            mailbox_id: "2101".into(),
            folder: Folder::Inbox,
            urgent: false,
            caller_number: "1".into(),
            caller_name: String::new(),
            line_id: None,
            forwarded_by: None,
            left_at: Utc::now(),
            uniqueid: "1.1".into(),
        };
        spool.put("bench", &Spooled::encode(&Item::Message(message), Format::Wav, 10_000, &audio).unwrap()).unwrap();
    }
    let started = Instant::now();
    let agent = plan.start();
    while !left_behind(agent.plan().folder()).is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(server.sql("SELECT COUNT(*) FROM tandem.mailbox_messages").trim(), BACKLOG.to_string());
    println!("shipped to {what}: {:.0} messages of 10 s a second", BACKLOG as f64 / seconds);
}

/// Two hundred callers who all speak at once, for ten seconds, then hang up together.
fn recordings() {
    let server = MariaDb::start();
    let plan = Agent::builder().set("database.urls", &server.url()).set("voicemail.compact", "false");
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}; UPDATE mailboxes SET max_messages = 0", account(&["2101"])));
    let mut agent = plan.start();
    for _ in 0..5 {
        leaves(10).run(agent.agi());
    }
    thread::sleep(Duration::from_secs(2));
    let process = agent.process().id();
    let (idle_cpu, idle) = (cpu(process), resident(process));
    let agi = agent.agi();
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(move || leaves(10).speaking_for(Duration::from_secs(10)).run(agi));
        }
        thread::sleep(Duration::from_secs(5));
        println!(
            "{AT_ONCE} recordings at once: {:.1} MiB resident ({idle:.1} before), {:?} of CPU for answering, greeting and beginning them",
            resident(process),
            cpu(process) - idle_cpu
        );
    });
    while !left_behind(agent.plan().folder()).is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    println!(
        "all of it, to the commit of the last: {:.1} s, {:.2} ms of CPU a message of 10 s, {:.1} MiB resident",
        started.elapsed().as_secs_f64(),
        (cpu(process) - idle_cpu).as_secs_f64() * 1000.0 / AT_ONCE as f64,
        resident(process)
    );
}

fn size() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101"]));
    let agent = plan.start();
    leaves(60).run(agent.agi());
    let rows =
        || mailbox_stage::rows(&agent.plan().folder().join("tandem.db"), "SELECT format, bytes FROM mailbox_messages");
    while rows().is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
    println!("a minute of audio: {} bytes as WAV; as it is kept (format|bytes): {}", wav(500, 60).len(), rows()[0]);
}
