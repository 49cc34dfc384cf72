//! Many calls while everything breaks, many times and at random moments: at the end every call that Asterisk wrote is in the
//! database, once.
//!
//! `TANDEM_SOAK=1` places 10,000 calls, and the database is away for a minute. `TANDEM_SEED=N` repeats a run's faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use lab::{Agent, Asterisk, CallRecord, Manner, MariaDb, Postgres, RecordWriter, Sipp, wait_until};

/// Calls a second; each talks for a tenth of one.
const RATE: usize = 50;
const MANY: usize = 1_000_000;

/// What tells a record from all others: run of Asterisk, unique id, sequence.
type Key = (String, String, String);

#[test]
fn every_call_that_asterisk_wrote_is_in_the_database_once() {
    let soak = env::var_os("TANDEM_SOAK").is_some();
    let calls = if soak { 10_000 } else { 600 };
    let mut dice = Dice::new();
    println!("TANDEM_SEED={}", dice.0);

    let mut server = MariaDb::start();
    let plan = Agent::builder()
        .set("database.urls", &server.url())
        .set("records.write_seconds", "2")
        .set("records.rows_per_second", "20000")
        .set("records.reserve_mib", "4");
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}", include_str!("data/provider.sql")));
    server.sql("USE tandem; UPDATE accounts SET max_calls = 0; UPDATE phone_lines SET max_calls = 0");
    let (phone, bob) = (Sipp::start(Manner::Answers), Sipp::start(Manner::Answers));
    // The second mapping writes the same lines, on a disk that is never full, after the first: what is there was written.
    let mapping = include_str!("../dialplan/asterisk/cdr_custom.conf")
        .lines()
        .last()
        .unwrap()
        .replace("tandem.csv", "witness.csv");
    let mut asterisk = Asterisk::builder()
        .agent(plan.agi())
        .line("1001", phone.address())
        .line("1002", bob.address())
        .append("cdr_custom.conf", &(mapping + "\n"))
        .start();
    let disk = SmallDisk::mount(asterisk.record_file().parent().unwrap());
    let witness = asterisk.folder().folder("witness").join("witness.csv");
    std::os::unix::fs::symlink(&witness, asterisk.record_file().with_file_name("witness.csv")).unwrap();
    let mut agent = plan.ships(&asterisk).start();

    let started = now();
    let mut faults = [0_u32; FAULTS.len()];
    let mut full: Vec<(f64, f64)> = Vec::new();
    let mut rotations = 0;
    let proxy = asterisk.address();
    let mut load = phone.call(proxy, "102").times(MANY, RATE).start();
    let mut next = 0;
    while written(&witness).len() < calls || faults.iter().sum::<u32>() < 2 * FAULTS.len() as u32 {
        sleep(Duration::from_millis(dice.below(if soak { 3000 } else { 700 })));
        // Each kind in turn first, so that none is missing; then at random.
        let fault = if next < FAULTS.len() { next } else { dice.below(FAULTS.len() as u64) as usize };
        next += 1;
        match FAULTS[fault] {
            "agent killed" => agent.restart(),
            "agent stopped" => {
                agent.process().stop(Duration::from_secs(40));
                agent.restart();
            }
            "database killed" => {
                server.kill();
                sleep(Duration::from_millis(dice.below(800)));
                server.restart();
            }
            "database hangs" => {
                server.pause();
                let away = if !soak {
                    3
                } else if faults[fault] == 0 {
                    60
                } else {
                    5
                };
                sleep(Duration::from_secs(away));
                server.resume();
            }
            "disk full" => {
                let Some(disk) = &disk else { continue };
                let began = now();
                disk.fill();
                sleep(Duration::from_millis(300 + dice.below(700)));
                disk.free();
                full.push((began, now()));
            }
            "file rotated" => {
                rotations += 1;
                let file = asterisk.record_file();
                let rotated = file.with_file_name(format!("tandem.csv.{rotations}"));
                // It may just have been taken.
                let _ = fs::rename(file, rotated);
            }
            "Asterisk stopped" | "Asterisk killed" => {
                // Its calls are gone, and SIPp would wait for them.
                drop(load);
                if FAULTS[fault] == "Asterisk killed" {
                    asterisk.crash()
                } else {
                    asterisk.restart()
                }
                load = phone.call(proxy, "102").times(MANY, RATE).start();
            }
            other => panic!("{other}"),
        }
        faults[fault] += 1;
    }
    println!("disturbed for {:.0} s", now() - started);
    let _ = load.stop();
    wait_until("the end of all calls", Duration::from_secs(20), || asterisk.channels() == 0);
    if !agent.process().is_running() {
        panic!("the agent is gone:\n{}", agent.log());
    }
    let spool = asterisk.record_file().with_extension("spool");
    wait_until("all records sent", Duration::from_secs(90), || {
        !asterisk.record_file().exists() && waiting(&spool) == 0
    });

    println!("all sent after {:.0} s", now() - started);
    let in_database = rows(&server);
    let distinct: BTreeSet<&Key> = in_database.iter().collect();
    assert_eq!(distinct.len(), in_database.len(), "a record is there twice");
    let witnessed = written(&witness);
    let within = |end: f64| full.iter().any(|(began, ended)| (began - 0.2..ended + 0.2).contains(&end));
    let lost: Vec<&(Key, f64)> = witnessed.iter().filter(|(key, _)| !distinct.contains(key)).collect();
    let unwritten = lost.iter().filter(|(_, end)| within(*end)).count();
    println!(
        "{} records by Asterisk, {} rows, {unwritten} that Asterisk could not write on the full disk",
        witnessed.len(),
        in_database.len()
    );
    for (name, count) in FAULTS.iter().zip(faults) {
        println!("  {count:>4} x {name}");
    }
    println!("{}", agent.plan().tandem_ok(&["records", "status"]));
    assert_eq!(lost.len(), unwritten, "lost: {:?}", lost.iter().filter(|(_, end)| !within(*end)).collect::<Vec<_>>());
    let verified = agent.plan().tandem_ok(&["records", "verify", "--from", "2020-01-01"]);
    println!("{verified}");
    assert!(verified.contains("0 missing, 0 double"), "{verified}");
}

/// A server of either kind, which can be killed and made to hang.
enum Server {
    MariaDb(MariaDb),
    Postgres(Postgres),
}

impl Server {
    fn url(&self) -> String {
        match self {
            Server::MariaDb(server) => server.url(),
            Server::Postgres(server) => server.url(),
        }
    }

    fn crash(&mut self, away: Duration) {
        match self {
            Server::MariaDb(server) => {
                server.kill();
                sleep(away);
                server.restart();
            }
            Server::Postgres(server) => {
                server.kill();
                sleep(away);
                server.restart();
            }
        }
    }

    fn hang(&self, away: Duration) {
        match self {
            Server::MariaDb(server) => server.pause(),
            Server::Postgres(server) => server.pause(),
        }
        sleep(away);
        match self {
            Server::MariaDb(server) => server.resume(),
            Server::Postgres(server) => server.resume(),
        }
    }
}

#[test]
fn mariadb_has_every_line_once_that_was_written_at_full_speed() {
    at_full_speed(Some(Server::MariaDb(MariaDb::start())));
}

#[test]
fn postgres_has_every_line_once_that_was_written_at_full_speed() {
    at_full_speed(Some(Server::Postgres(Postgres::start())));
}

#[test]
fn sqlite_has_every_line_once_that_was_written_at_full_speed() {
    at_full_speed(None);
}

/// Lines come as fast as they can be written, while the agent and the database are killed.
fn at_full_speed(mut server: Option<Server>) {
    // One at a time: three would be a test of the machine.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let soak = env::var_os("TANDEM_SOAK").is_some();
    let (calls, kills) = if soak { (200_000, 40) } else { (8_000, 8) };
    let mut dice = Dice::new();
    let mut plan = Agent::builder().set("records.rows_per_second", "1000000").set("records.write_seconds", "2");
    if let Some(server) = &server {
        plan = plan.set("database.urls", &server.url());
    }
    plan.tandem_ok(&["migrate"]);
    let mut writer = RecordWriter::new(&plan.folder().join("tandem.csv"), "1-1");
    let mut agent = plan.start();
    let (mut database, mut agents) = (0, 0);
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            // In bursts, so that lines come through all of the faults.
            for _ in 0..calls / 100 {
                writer.append(100);
                sleep(Duration::from_millis(if soak { 10 } else { 40 }));
            }
            writer
        });
        for fault in 0.. {
            if fault >= kills && writing.is_finished() {
                break;
            }
            sleep(Duration::from_millis(dice.below(400)));
            match (&mut server, fault % 3) {
                (Some(server), 1) => server.crash(Duration::from_millis(dice.below(500))),
                (Some(server), 2) => server.hang(Duration::from_millis(dice.below(1500))),
                _ => {
                    agents += 1;
                    agent.restart();
                    continue;
                }
            }
            database += 1;
        }
        assert_eq!(writing.join().unwrap().calls(), calls);
    });
    let spool = agent.plan().folder().join("tandem.spool");
    wait_until("all records sent", Duration::from_secs(90), || {
        !agent.plan().folder().join("tandem.csv").exists() && waiting(&spool) == 0
    });
    println!(
        "{calls} calls, {} lines; the agent killed {agents} times, the database disturbed {database} times",
        2 * calls
    );
    let verified = agent.plan().tandem_ok(&["records", "verify"]);
    println!("{verified}");
    let all =
        format!("{0} rows on the node; {0} of them in the database, 0 wait, 0 in quarantine; 0 unreadable", 2 * calls);
    assert!(verified.starts_with(&all) && verified.contains("0 missing, 0 double"), "{verified}");
    // The keys of the tables keep rows from being there twice; and there are no others.
    assert!(!verified.contains("no more on the node"), "{verified}");
}

const FAULTS: [&str; 8] = [
    "agent killed",
    "database killed",
    "disk full",
    "file rotated",
    "Asterisk killed",
    "database hangs",
    "agent stopped",
    "Asterisk stopped",
];

/// Keys of all rows.
fn rows(server: &MariaDb) -> Vec<Key> {
    let text = server.sql("SELECT boot, uniqueid, sequence FROM tandem.call_records");
    let row = |line: &str| {
        let mut columns = line.split('\t').map(str::to_owned);
        (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap())
    };
    text.lines().map(row).collect()
}

/// Keys of all calls that Asterisk wrote, and when they ended.
fn written(witness: &Path) -> Vec<(Key, f64)> {
    let text = fs::read(witness).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let key = |call: &CallRecord| {
        let get = |column: &str| call.get(column).to_owned();
        ((get("boot"), get("uniqueid"), get("sequence")), get("end").parse().unwrap())
    };
    CallRecord::parse(whole).iter().map(key).collect()
}

/// Segments that wait.
fn waiting(spool: &Path) -> usize {
    let entries = fs::read_dir(spool).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".segment")).count()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Random numbers that can be had again.
struct Dice(u64);

impl Dice {
    fn new() -> Dice {
        let seed = env::var("TANDEM_SEED").ok().and_then(|seed| seed.parse().ok());
        Dice(seed.unwrap_or_else(|| now() as u64 % 100_000))
    }

    /// Knuth's MMIX generator.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A disk of few megabytes over a folder; it needs root, and a test without it goes without this fault.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Option<SmallDisk> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m,mode=0777", "tandem-test"])
            .arg(folder)
            .output()
            .unwrap();
        if !mount.status.success() {
            println!("SKIPPED: no full disk: {}", String::from_utf8_lossy(&mount.stderr));
            return None;
        }
        Some(SmallDisk(folder.to_owned()))
    }

    fn fill(&self) {
        // As much as there is, in large pieces and then in small ones.
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        for piece in [1 << 20, 4096, 1] {
            while std::io::Write::write_all(&mut file, &vec![0; piece]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
