//! Decisions among a million and a half rates on MariaDB, and how long such decks take to import.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use chrono::Utc;
use hdrhistogram::Histogram;
use lab::{Agent, MariaDb};
use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use tandem::store::asking::Asking;
use tandem::store::destination::DestinationQuery;
use tandem::store::{Options, Store};
use tokio::time::Instant;

use crate::load::Load;

const CARRIERS: usize = 5;
const RATES: usize = 300_000;

const QUESTION: &str = include_str!("../../sql/query/destination.sql");

pub(crate) async fn run() {
    println!("\nMariaDB, {CARRIERS} carriers with {RATES} rates each");
    let server = MariaDb::start();
    let plan = Agent::builder().set("database.urls", &server.url());
    plan.tandem_ok(&["migrate"]);
    let mut database = MySqlConnection::connect(&server.url()).await.unwrap();
    sqlx::raw_sql(crate::PROVIDER).execute(&mut database).await.unwrap();
    import(&server, &plan).await;

    let store = Store::new(&Options {
        urls: vec![server.url()],
        connections: 1,
        question: Duration::from_secs(5),
        connect: Duration::from_secs(5),
        probe: Duration::from_secs(60),
    });
    let store = store.unwrap();
    let mut micros = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).unwrap();
    for n in 0..5_500 {
        let query = question(n);
        let started = Instant::now();
        let answer = store.destination(&query, &mut Asking::until(started + Duration::from_secs(10))).await.unwrap();
        // The first find the server's memory empty.
        if n >= 500 {
            micros.saturating_record(u64::try_from(started.elapsed().as_micros()).unwrap());
        }
        assert!(answer.offers.len() >= CARRIERS, "{n}: {} offers", answer.offers.len());
    }
    let (p50, p99) = (micros.value_at_quantile(0.5), micros.value_at_quantile(0.99));
    println!("  the question `destination`, one at a time: p50 {p50}, p99 {p99}, max {} us", micros.max());

    let agent = plan.start();
    let load = Load { agent: agent.agi(), dialled };
    load.closed(1, Duration::from_secs(1)).await;
    println!("  whole decisions, one at a time: {}", load.closed(1, Duration::from_secs(6)).await);
    println!("  whole decisions, 200 a second: {}", load.open(200, Duration::from_secs(6)).await);
    let outcome = load.closed(crate::CALLERS, Duration::from_secs(6)).await;
    println!("  whole decisions, {} callers: {:.0} a second, {outcome}", crate::CALLERS, outcome.per_second());
    explain(&mut database).await;
}

async fn import(server: &MariaDb, plan: &lab::AgentBuilder) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rates.csv");
    let mut all = Duration::ZERO;
    for carrier in 0..CARRIERS {
        fs::write(&file, deck(carrier)).unwrap();
        let (name, file) = (format!("deck-{carrier}"), file.to_str().unwrap());
        let started = Instant::now();
        plan.tandem_ok(&["import", "rates", file, "--deck", &name, "--effective", "2026-01-01T00:00:00Z"]);
        all += started.elapsed();
        let columns = "id, name, status, endpoint, deck_id, number_format, country, created_at";
        let values = format!("'gw-{carrier}', 'Carrier', 'active', 'gw-{carrier}', '{name}', 'e164', 'US', NOW()");
        server.sql(&format!("INSERT INTO tandem.gateways ({columns}) VALUES ({values})"));
    }
    let rates = CARRIERS * RATES;
    println!("  import of {rates} rates: {:.1} s, {:.0} a second", all.as_secs_f64(), rates as f64 / all.as_secs_f64());
}

/// The United States by area code and exchange, each carrier with every second of them and with the country as a whole.
fn deck(carrier: usize) -> String {
    let mut text = "prefix,destination,per_minute,increments\n1,United States,0.009,6/6\n".to_owned();
    for n in 1..RATES {
        let exchange = 2 * n + carrier % 2;
        let (area, exchange) = (200 + exchange / 800, 200 + exchange % 800);
        writeln!(text, "1{area}{exchange},Place {area},0.00{:04},6/6", (n * 37 + carrier * 11) % 9999).unwrap();
    }
    text
}

/// Spread over area codes and exchanges, so that each finds another place of the rates.
fn digits(n: u64) -> String {
    const AREAS: [u64; 8] = [212, 214, 303, 415, 512, 617, 702, 813];
    format!("{}{}{:04}", AREAS[n as usize % AREAS.len()], 200 + n * 7919 % 800, n % 10_000)
}

fn dialled(n: u64) -> String {
    format!("9{}", digits(n))
}

fn question(n: u64) -> DestinationQuery {
    DestinationQuery {
        account_id: "acme".into(),
        line_id: "1001".into(),
        number: format!("1{}", digits(n)),
        class: "national".into(),
        presented: "12145550101".into(),
        sell_deck_id: Some("retail".into()),
        at: Utc::now(),
    }
}

/// Prints the plan: each table should be read by a key, `rates` by its primary key.
async fn explain(database: &mut MySqlConnection) {
    let mut text = QUESTION.lines().filter_map(|line| line.split("--").next()).collect::<Vec<_>>().join("\n");
    let query = question(4);
    let number = &query.number;
    let values = [
        number, "acme", "", "acme", "", "", "1001", "acme", number, "retail", "NOW", "NOW", number, "NOW", "NOW",
        number, "national",
    ];
    for (n, value) in values.into_iter().enumerate().rev() {
        let value = if value == "NOW" { "UTC_TIMESTAMP()".to_owned() } else { format!("'{value}'") };
        text = text.replace(&format!("${}", n + 1), &value);
    }
    println!("  its plan: table, access, key, bytes of the key, rows");
    for row in sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN {text}"))).fetch_all(database).await.unwrap() {
        let column = |name: &str| row.try_get::<String, _>(name).unwrap_or_else(|_| "-".to_owned());
        let rows = row.try_get::<i64, _>("rows").or_else(|_| row.try_get::<u64, _>("rows").map(|n| n as i64));
        let rows = rows.map_or_else(|_| column("rows"), |rows| rows.to_string());
        println!(
            "    {:<8} {:<8} {:<28} {:<8} {rows}",
            column("table"),
            column("type"),
            column("key"),
            column("key_len")
        );
    }
}
