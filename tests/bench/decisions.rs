//! What decisions cost: the real agent, real databases, and sessions over TCP as Asterisk conducts them.
//!
//! `cargo build --release --workspace && cargo bench --workspace --bench decisions`. With `TANDEM_SOAK=1` also among
//! a million and a half rates, which takes some minutes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a benchmark")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod load;
mod many_rates;
mod usage;

use std::net::SocketAddr;
use std::time::Duration;

use lab::{Agent, AgentBuilder, MariaDb};
use load::Load;
use rustix::process::{Resource, getrlimit, setrlimit};
use sqlx::Connection as _;
use tokio::time::Instant;
use usage::{cpu, pin, resident};

const PROVIDER: &str = include_str!("../data/provider.sql");

/// Callers at once, that keep the agent busy.
const CALLERS: usize = 16;

/// The agent's core, when there are at least two.
const AGENTS_CORE: &str = "0";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // For the idle sessions; the agent inherits it.
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, rustix::process::Rlimit { current: files.maximum, ..files }).unwrap();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let apart = cores > 1 && pin(std::process::id(), &format!("1-{}", cores - 1));
    println!("{cores} cores; the agent {}", if apart { "alone on one of them" } else { "shares them" });

    sqlite(apart).await;
    mariadb(apart).await;
    restart().await;
    if std::env::var_os("TANDEM_SOAK").is_some() {
        many_rates::run().await;
    }
}

async fn sqlite(apart: bool) {
    println!("\nSQLite");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("tandem.db").display());
    let plan = Agent::builder().set("database.urls", &url);
    plan.tandem_ok(&["migrate"]);
    let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(PROVIDER).execute(&mut database).await.unwrap();
    decisions(plan, apart, None).await;
}

async fn mariadb(apart: bool) {
    println!("\nMariaDB");
    let server = MariaDb::start();
    let plan = Agent::builder().set("database.urls", &server.url());
    plan.tandem_ok(&["migrate"]);
    let mut database = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
    sqlx::raw_sql(PROVIDER).execute(&mut database).await.unwrap();
    let pid_file = server.sql("SELECT @@pid_file");
    let pid = std::fs::read_to_string(pid_file.trim()).unwrap().trim().parse().unwrap();
    decisions(plan, apart, Some(pid)).await;
}

async fn decisions(plan: AgentBuilder, apart: bool, database: Option<u32>) {
    let mut agent = plan.start();
    let pid = agent.process().id();
    if apart {
        pin(pid, AGENTS_CORE);
    }
    let national = Load { agent: agent.agi(), dialled: national };
    national.closed(1, Duration::from_millis(200)).await;
    println!("  resident memory, idle               {:>9.1} MiB", resident(pid));

    for (name, dialled) in [("national", national.dialled), ("worldwide", worldwide)] {
        let load = Load { dialled, ..national };
        load.closed(CALLERS, Duration::from_secs(1)).await;
        let (agent_before, database_before, own_before) = (cpu(pid), database.map(cpu), cpu(std::process::id()));
        let outcome = load.closed(CALLERS, Duration::from_secs(6)).await;
        let share = |used: Duration| {
            let each = used.as_secs_f64() * 1e6 / outcome.decided.max(1) as f64;
            format!("{each:>9.1} us CPU ({:.0} % of a core)", 100.0 * used.as_secs_f64() / outcome.lasted.as_secs_f64())
        };
        println!("  {name}, {CALLERS} callers: {:>9.0} decisions/s, {outcome}", outcome.per_second());
        println!("    a decision costs the agent        {}", share(cpu(pid) - agent_before));
        if let (Some(database), Some(before)) = (database, database_before) {
            println!("    ... the database                  {}", share(cpu(database) - before));
        }
        println!("    ... this load generator           {}", share(cpu(std::process::id()) - own_before));
    }
    for (name, dialled) in [("national", national.dialled), ("worldwide", worldwide)] {
        let outcome = Load { dialled, ..national }.open(200, Duration::from_secs(8)).await;
        println!("  {name}, 200 a second: {outcome}");
    }
    println!("  resident memory after that          {:>9.1} MiB", resident(pid));
    idle(agent.agi(), pid).await;
}

/// Memory of sessions in which a sound is being played.
async fn idle(agent: SocketAddr, pid: u32) {
    const SESSIONS: u64 = 5000;
    let before = resident(pid);
    let mut sessions = Vec::new();
    for n in 0..SESSIONS {
        sessions.push(load::listen(agent, n).await.unwrap());
    }
    let after = resident(pid);
    let each = (after - before) * 1024.0 / SESSIONS as f64;
    println!("  resident memory, {SESSIONS} idle sessions {after:>10.1} MiB ({each:.1} KiB each)");
}

/// How long a call waits that comes while the agent restarts: systemd holds the listener, as in production.
async fn restart() {
    println!("\nRestart");
    let server = MariaDb::start();
    let plan = Agent::builder().set("database.urls", &server.url()).held_listener();
    plan.tandem_ok(&["migrate"]);
    let mut database = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
    sqlx::raw_sql(PROVIDER).execute(&mut database).await.unwrap();
    let mut agent = plan.start();
    let emergency: fn(u64) -> String = |_| "911".to_owned();
    let extension: fn(u64) -> String = |_| "102".to_owned();
    for (name, dialled) in [("emergency call", emergency), ("extension", extension), ("national number", national)] {
        let load = Load { agent: agent.agi(), dialled };
        let mut waits = Vec::new();
        for n in 0..7 {
            agent.process().kill();
            let call = tokio::spawn(load.call(n));
            // It is in the backlog before the agent is there.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let started = Instant::now();
            #[allow(clippy::disallowed_methods, reason = "one at a time")]
            let restarting = tokio::task::spawn_blocking(move || {
                agent.restart();
                agent
            });
            call.await.unwrap().unwrap();
            waits.push(started.elapsed());
            agent = restarting.await.unwrap();
        }
        waits.sort();
        println!("  from exec to the answer of a waiting call, {name}: median {:.1?}, max {:.1?}", waits[3], waits[6]);
    }
}

/// National numbers, as 1001 of the provider dials them.
fn national(n: u64) -> String {
    format!("9512555{:04}", n % 10_000)
}

/// Numbers of many countries, as if the whole world were called equally.
fn worldwide(n: u64) -> String {
    const BEFORE: [&str; 16] = [
        "9512555",
        "9214555",
        "1303555",
        "1416555",
        "1604555",
        "1876555",
        "1809555",
        "011442079460",
        "011447400123",
        "0113314268",
        "0114930123",
        "011390236618",
        "0115255123456",
        "011551123456",
        "0118131234",
        "0116129374",
    ];
    format!("{}{:04}", BEFORE[n as usize % BEFORE.len()], n / 16 % 10_000)
}
