//! The agent is killed before each system call of the record pipeline in turn: taking the file (rename, fsync), writing to the
//! database (sendto, recvfrom; on SQLite pwrite64, fsync), setting aside a row that cannot be read (openat, write, fsync, rename),
//! noting what is done (rename). Every line is in the database once all the same.
//!
//! strace attaches to the agent's threads and kills it at the nth call of a kind; n rises until the agent gets through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use lab::{Agent, MariaDb, Process, RecordWriter, wait_until};
use sqlx::Connection as _;

/// Enough for every kind to be got through; a pipeline that needs more has become longer.
const MOST: u32 = 60;

/// Calls written for each point, each of two lines.
const CALLS: u64 = 3;

#[test]
fn killed_before_any_system_call_it_has_every_line_once_in_mariadb() {
    let server = MariaDb::start();
    let kinds = ["rename", "fsync", "openat", "write", "sendto", "recvfrom", "mkdir"];
    let counted =
        || server.sql("SELECT (SELECT COUNT(*) FROM tandem.call_records), (SELECT COUNT(*) FROM tandem.call_attempts)");
    Pipeline::start(&server.url(), Threads::Shipper).kill_at_each(&kinds, || {
        let text = counted();
        let mut columns = text.trim().split('\t').map(|count| count.parse().unwrap());
        (columns.next().unwrap(), columns.next().unwrap())
    });
}

#[test]
fn killed_before_any_system_call_it_has_every_line_once_in_sqlite() {
    let folder = lab::Folder::new("database");
    let url = format!("sqlite:{}", folder.join("tandem.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let counted = || {
        runtime.block_on(async {
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let counts: (i64, i64) =
                sqlx::query_as("SELECT (SELECT COUNT(*) FROM call_records), (SELECT COUNT(*) FROM call_attempts)")
                    .fetch_one(&mut connection)
                    .await
                    .unwrap();
            (u64::try_from(counts.0).unwrap(), u64::try_from(counts.1).unwrap())
        })
    };
    // The writer's connection has a thread of its own for the disk, which is not there before the first row.
    Pipeline::start(&url, Threads::All).kill_at_each(&["pwrite64", "fsync"], counted);
}

struct Pipeline {
    agent: Agent,
    writer: RecordWriter,
    spool: PathBuf,
    threads: Threads,
    corrupt: u64,
}

/// Whose calls are counted.
enum Threads {
    /// Those of the thread that ships records.
    Shipper,
    /// Those of every thread, each for itself.
    All,
}

/// The thread of a process that ships records.
fn shipper(process: u32) -> Option<OsString> {
    let mut tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten();
    let ships =
        tasks.find(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "records"));
    ships.map(|task| task.file_name())
}

impl Pipeline {
    fn start(url: &str, threads: Threads) -> Pipeline {
        let plan = Agent::builder().set("database.urls", url).set("records.batch_ms", "0");
        plan.tandem_ok(&["migrate"]);
        let writer = RecordWriter::new(&plan.folder().join("tandem.csv"), "1-1");
        let spool = plan.folder().join("tandem.spool");
        Pipeline { agent: plan.start(), writer, spool, threads, corrupt: 0 }
    }

    fn kill_at_each(mut self, kinds: &[&str], counted: impl Fn() -> (u64, u64)) {
        let mut points = Vec::new();
        for kind in kinds {
            let reached = (1..=MOST).find(|nth| !self.killed_at(kind, *nth, &counted)).expect("the agent gets through");
            points.push(format!("{} x {kind}", reached - 1));
        }
        println!("killed before {}; {} calls", points.join(", "), self.writer.calls());
        assert!(points.iter().any(|point| !point.starts_with('0')), "nothing was hit");
    }

    /// Lines are written, and the agent is killed before its nth call of that kind; false when it got through before.
    fn killed_at(&mut self, kind: &str, nth: u32, counted: &impl Fn() -> (u64, u64)) -> bool {
        let strace = self.attach(kind, nth);
        self.writer.append(CALLS - 1);
        self.writer.write(format!("\"tandem-call-1\",\"1-1\",\"corrupt {}\"\n", self.corrupt).as_bytes());
        self.corrupt += 1;
        self.writer.append(1);
        let calls = self.writer.calls();
        let mut killed = false;
        wait_until("the rows, or the agent's end", Duration::from_secs(20), || {
            killed = !self.agent.process().is_running();
            killed || (counted() == (calls, calls) && self.is_done())
        });
        drop(strace);
        if killed {
            self.agent.restart();
        }
        wait_until(&format!("every line once after {kind} {nth}"), Duration::from_secs(20), || {
            assert!(counted() <= (calls, calls), "twice after {kind} {nth}: {:?} of {calls}", counted());
            counted() == (calls, calls) && self.is_done()
        });
        killed
    }

    /// Nothing waits, and each corrupt line is set aside once.
    fn is_done(&self) -> bool {
        let segments = |folder: PathBuf| {
            let names = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name());
            names.filter(|name| name.to_string_lossy().ends_with(".segment")).count() as u64
        };
        let aside = segments(self.spool.join("quarantine"));
        assert!(aside <= self.corrupt, "{aside} rows set aside of {}", self.corrupt);
        !self.spool.with_extension("csv").exists() && segments(self.spool.clone()) == 0 && aside == self.corrupt
    }

    /// strace, attached to the threads; it kills the agent before their nth call of that kind.
    fn attach(&mut self, kind: &str, nth: u32) -> Process {
        let mut thread = None;
        wait_until("the thread that ships", Duration::from_secs(10), || {
            // It may have been killed when all was done, before strace was gone.
            if !self.agent.process().is_running() {
                self.agent.restart();
            }
            thread = shipper(self.agent.process().id());
            thread.is_some()
        });
        let process = self.agent.process().id().to_string();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "strace", "-o", "/dev/null", "-e", &format!("trace={kind}")]);
        command.args(["-e", &format!("inject={kind}:signal=KILL:when={nth}")]);
        match self.threads {
            Threads::Shipper => command.arg("-p").arg(thread.unwrap_or_default()),
            Threads::All => command.args(["-f", "-p", &process]),
        };
        command.stdin(Stdio::null());
        let log = self.agent.plan().folder().join(&format!("strace-{kind}-{nth}"));
        let mut strace = Process::start("strace", command, &log);
        strace.wait_ready(Duration::from_secs(10), || {
            fs::read_to_string(&log).is_ok_and(|text| text.contains("attached"))
        });
        strace
    }
}
