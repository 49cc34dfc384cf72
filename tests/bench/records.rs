//! What call records cost: rows a second into each database, the delay from the end of a call to its row, and a backlog beside
//! calls that are decided.
//!
//! `cargo build --release --workspace && cargo bench --workspace --bench records`. With `TANDEM_SOAK=1` the backlog has a million
//! rows, else a tenth of that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a benchmark")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "figures for people")]

#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod load;
#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod usage;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use chrono::{NaiveDateTime, Utc};
use hdrhistogram::Histogram;
use lab::{Agent, Asterisk, Manner, MariaDb, Postgres, RecordWriter, Sipp};
use load::Load;
use sqlx::{AssertSqlSafe, Connection as _};
use tandem::records::line;
use tandem::store::record::Record;
use tandem::store::{Options, Store};
use tokio::time::Instant;
use usage::resident;

const PROVIDER: &str = include_str!("../data/provider.sql");
const BATCH: usize = 500;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let (mariadb, postgres) = (MariaDb::start(), Postgres::start());
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", folder.path().join("tandem.db").display());
    println!("Rows a second by one writer, a commit each batch, in turns of 2 s");
    for (name, url) in [("MariaDB", mariadb.url()), ("PostgreSQL", postgres.url()), ("SQLite", sqlite)] {
        rows_per_second(name, &url).await;
    }
    delay().await;
    backlog().await;
}

fn store(url: &str) -> Store {
    let options = Options {
        urls: vec![url.to_owned()],
        connections: 1,
        question: Duration::from_secs(5),
        connect: Duration::from_secs(5),
        probe: Duration::from_secs(60),
    };
    Store::new(&options).unwrap()
}

/// Batches of 500 and of one, by turns.
async fn rows_per_second(name: &str, url: &str) {
    let store = store(url);
    store.migrate().await.unwrap();
    let mut writer = store.writer(Duration::from_secs(10));
    let mut source = RecordWriter::new(Path::new("/dev/null"), "bench");
    let mut records = |count: usize| -> Vec<Record> {
        let lines = (0..count / 2).flat_map(|_| source.finish_call());
        lines.map(|text| line::read("bench", text.as_bytes()).unwrap()).collect()
    };
    let mut ratios = Vec::new();
    let (mut batched, mut single) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let mut rates = [0.0; 2];
        for (rate, size) in rates.iter_mut().zip([BATCH, 1]) {
            let (mut rows, started) = (0, Instant::now());
            while started.elapsed() < Duration::from_secs(2) {
                for batch in records(BATCH).chunks(size) {
                    writer.write(batch).await.unwrap();
                    rows += batch.len();
                }
            }
            *rate = rows as f64 / started.elapsed().as_secs_f64();
        }
        batched.push(rates[0]);
        single.push(rates[1]);
        ratios.push(rates[0] / rates[1]);
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    println!(
        "  {name:<10} batches of {BATCH} {:>7.0}, one INSERT a row {:>6.0}, ratio {:.1}",
        median(batched),
        median(single),
        median(ratios)
    );
}

/// Real calls, 100 a second, whose rows are looked for in MariaDB every few milliseconds.
async fn delay() {
    const RATE: usize = 100;
    const CALLS: usize = 2000;
    let server = MariaDb::start();
    let plan = Agent::builder().set("database.urls", &server.url());
    plan.tandem_ok(&["migrate"]);
    let mut database = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
    sqlx::raw_sql(PROVIDER).execute(&mut database).await.unwrap();
    let free = "UPDATE accounts SET max_calls = 0; UPDATE phone_lines SET max_calls = 0";
    sqlx::raw_sql(free).execute(&mut database).await.unwrap();
    let (phone, bob) = (Sipp::start(Manner::Answers), Sipp::start(Manner::Answers));
    let asterisk =
        Asterisk::builder().agent(plan.agi()).line("1001", phone.address()).line("1002", bob.address()).start();
    let _agent = plan.ships(&asterisk).start();
    let call = phone.call(asterisk.address(), "102").times(CALLS, RATE).start();
    let mut seen = HashSet::new();
    let mut delays = Histogram::<u64>::new_with_bounds(1, 60_000, 3).unwrap();
    let started = Instant::now();
    while seen.len() < CALLS && started.elapsed() < Duration::from_secs(60) {
        let rows: Vec<(String, NaiveDateTime)> = sqlx::query_as(
            "SELECT uniqueid, ended_at FROM call_records WHERE direction IS NOT NULL ORDER BY started_at DESC LIMIT 400",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        let now = Utc::now().naive_utc();
        for (uniqueid, ended_at) in rows {
            if seen.insert(uniqueid) {
                delays.saturating_record((now - ended_at).num_milliseconds().max(1) as u64);
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let _ = call.stop();
    println!(
        "\nDelay from a call's end to its committed row, {RATE} real calls a second, MariaDB: {} calls",
        seen.len()
    );
    println!(
        "  p50 {} ms, p99 {} ms, max {} ms (records.batch_ms 1000)",
        delays.value_at_quantile(0.5),
        delays.value_at_quantile(0.99),
        delays.max()
    );
}

/// A backlog that waits when the agent starts, and decisions meanwhile.
async fn backlog() {
    let rows: u64 = if std::env::var_os("TANDEM_SOAK").is_some() { 1_000_000 } else { 100_000 };
    println!("\nBacklog of {rows} rows, MariaDB; 100 decisions a second meanwhile");
    for (name, limit) in [("records.rows_per_second 2000, the default", "2000"), ("without a limit", "10000000")] {
        let server = MariaDb::start();
        let plan = Agent::builder().set("database.urls", &server.url()).set("records.rows_per_second", limit);
        plan.tandem_ok(&["migrate"]);
        let mut database = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
        sqlx::raw_sql(PROVIDER).execute(&mut database).await.unwrap();
        let mut agent = plan.start();
        let load = Load { agent: agent.agi(), dialled: national };
        load.closed(1, Duration::from_millis(500)).await;
        let before = load.open(100, Duration::from_secs(5)).await;
        let idle = resident(agent.process().id());

        let mut source = RecordWriter::new(Path::new("/dev/null"), "backlog");
        let written = agent.plan().folder().join("backlog");
        let mut file = BufWriter::new(File::create(&written).unwrap());
        for _ in 0..rows / 2 {
            source.finish_call().iter().for_each(|line| file.write_all(line.as_bytes()).unwrap());
        }
        file.into_inner().unwrap().sync_all().unwrap();
        let size = std::fs::metadata(&written).unwrap().len() >> 20;
        std::fs::rename(&written, agent.plan().folder().join("tandem.csv")).unwrap();
        let started = Instant::now();
        let mut meanwhile = load.open(100, Duration::from_secs(5)).await;
        let mut most = resident(agent.process().id());
        loop {
            let (done,): (i64,) = sqlx::query_as(AssertSqlSafe(
                "SELECT (SELECT COUNT(*) FROM call_records) + (SELECT COUNT(*) FROM call_attempts)",
            ))
            .fetch_one(&mut database)
            .await
            .unwrap();
            if done as u64 >= rows {
                break;
            }
            let more = load.open(100, Duration::from_secs(5)).await;
            meanwhile.merge(&more);
            most = most.max(resident(agent.process().id()));
        }
        let took = started.elapsed().as_secs_f64();
        println!("  {name}: {size} MiB drained in {took:.0} s, {:.0} rows/s", rows as f64 / took);
        println!("    resident memory {idle:.1} MiB before, {most:.1} MiB at most");
        println!("    decisions before: {before}; meanwhile: {meanwhile}");
    }
}

/// National numbers, as 1001 of the provider dials them.
fn national(n: u64) -> String {
    format!("9512555{:04}", n % 10_000)
}
