//! Emergency calls and the replica: how long the choice of a facility takes, how long a call for help is in the node, and a replica at scale.
//!
//! `cargo build --release --workspace && cargo bench --workspace --bench emergency`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a benchmark")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "figures for people")]

#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod load;
#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod usage;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use lab::{Agent, Asterisk, Manner, MariaDb, Relay, Sipp, wait_until};
use load::Load;
use tandem::emergency::atlas::{Atlas, Place};
use tandem::store::import::FacilityFiles;
use tandem::store::location::Point;
use tandem::store::{Options, Store};

const PROVIDER: &str = include_str!("../data/provider.sql");
const LINES: usize = 300_000;
const DECKS: usize = 5;
const RATES: usize = 300_000;
const LONG: Duration = Duration::from_secs(600);

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    choice().await;
    tokio::task::spawn_blocking(call_for_help).await.unwrap();
    scale().await;
}

fn data(name: &str) -> Option<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "shared", "data", name].iter().collect();
    fs::read_to_string(path).ok()
}

/// The choice, with the whole registry and all counties, for ZIP centres.
async fn choice() {
    let files = || {
        Some(FacilityFiles {
            registry: data("fcc_psap_registry.csv")?,
            points: Some(data("psap_points.csv")?),
            counties: Some(data("us_counties.geojson")?),
            ..FacilityFiles::default()
        })
    };
    let (Some(files), Some(zips)) = (files(), data("us_zips.csv")) else {
        println!("the choice of a facility: skipped, ../shared/data is not there");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        urls: vec![format!("sqlite:{}", folder.path().join("tandem.db").display())],
        connections: 1,
        question: Duration::from_secs(5),
        connect: Duration::from_secs(5),
        probe: Duration::from_secs(60),
    };
    let store = Store::new(&options).unwrap();
    store.migrate().await.unwrap();
    store.import_facilities(&files).await.unwrap();
    let started = Instant::now();
    let (atlas, _) = Atlas::new(store.gazetteer().await.unwrap());
    println!("the atlas of {} facilities is read and built in {} ms", atlas.len(), started.elapsed().as_millis());
    let mut nanos = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).unwrap();
    for line in zips.lines().skip(1) {
        let degrees: Vec<f64> = line.split(',').skip(1).take(2).map(|text| text.parse().unwrap()).collect();
        let point = Point { latitude: degrees[0], longitude: degrees[1] };
        let started = Instant::now();
        let choice = atlas.choose(&Place { point: Some(point), state: "", county: "" });
        nanos.saturating_record(started.elapsed().as_nanos() as u64);
        assert!(choice.is_some());
    }
    let micros = |quantile: f64| nanos.value_at_quantile(quantile) as f64 / 1000.0;
    let (p50, p99) = (micros(0.5), micros(0.99));
    println!("the choice of a facility, {} places: p50 {p50:.1}, p99 {p99:.1}, max {:.1} us", nanos.len(), micros(1.0));
}

/// From INVITE in to INVITE out.
fn call_for_help() {
    let plan = Agent::builder().set("emergency.gateways", "em-1");
    plan.tandem_ok(&["migrate"]);
    plan.sql(PROVIDER);
    plan.sql(
        "INSERT INTO emergency_locations (line_id, country, state, city, street, house_number, latitude, longitude, validation) \
         VALUES ('1001', 'US', 'TX', 'Dallas', 'Main St', '100', 32.78, -96.8, 'valid')",
    );
    let (phone, em_1, gw_a) =
        (Sipp::start(Manner::Answers), Sipp::start(Manner::Answers), Sipp::start(Manner::Answers));
    let asterisk = Asterisk::builder()
        .agent(plan.agi())
        .line("1001", phone.address())
        .gateway_with("gw-a", gw_a.address(), "qualify_frequency = 0")
        .gateway_with_location("em-1", em_1.address())
        .start();
    let agent = plan.ships(&asterisk).start();
    wait_until("the replica", Duration::from_secs(20), || {
        agent.log().contains("the facilities of emergency calls are read")
    });
    for (what, number, to) in [("911, with its location", "911", &em_1), ("an ordinary call", "95125550123", &gw_a)] {
        let mut millis = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).unwrap();
        for n in 1..=100 {
            let outcome = phone.call(asterisk.address(), number).run();
            let invite = to.wait_invite(n, Duration::from_secs(5));
            millis.saturating_record(invite.at.saturating_sub(outcome.started()).as_micros() as u64);
        }
        let ms = |quantile: f64| millis.value_at_quantile(quantile) as f64 / 1000.0;
        println!("INVITE in to INVITE out, {what}: p50 {:.1}, p99 {:.1} ms", ms(0.5), ms(0.99));
    }
}

fn dialled(n: u64) -> String {
    format!("9512{:07}", 5_550_000 + n % 9_999)
}

/// 300,000 lines and 1.5 million rates on MariaDB: filling, following, and decisions with the database up, gone and slow.
async fn scale() {
    println!("\nA replica of {LINES} lines and {} rates on MariaDB", DECKS * RATES);
    let mut server = MariaDb::start();
    let address: std::net::SocketAddr = server.url().split(['@', '/']).nth(3).unwrap().parse().unwrap();
    let relay = Relay::start(address);
    let url = server.url().replace(&address.to_string(), &relay.address().to_string());
    let plan = Agent::builder().set("database.urls", &url);
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {PROVIDER}"));
    server.sql(&format!(
        "USE tandem; INSERT INTO phone_lines (id, account_id, name, status, country, created_at) \
         SELECT CONCAT('line-', seq), 'acme', CONCAT('Line ', seq), 'active', 'US', '2026-01-01' FROM seq_1_to_{LINES}"
    ));
    for deck in 1..=DECKS {
        server.sql(&format!(
            "USE tandem; INSERT INTO decks (id, name, currency) VALUES ('big-{deck}', 'Big', 'USD'); \
             INSERT INTO deck_versions (id, deck_id, effective_at, imported_at, complete) \
             VALUES (10{deck}, 'big-{deck}', '2026-01-01', '2026-01-01', FALSE); \
             INSERT INTO rates (deck_version_id, prefix, effective_at, destination, per_minute_micros) \
             SELECT 10{deck}, 1200000 + seq, '2026-01-01', 'Somewhere', 4000 + seq % 1000 FROM seq_1_to_{RATES}; \
             UPDATE deck_versions SET complete = TRUE WHERE id = 10{deck}; \
             INSERT INTO gateways (id, name, status, endpoint, deck_id, number_format, country, created_at) \
             VALUES ('big-{deck}', 'Big', 'active', 'big-{deck}', 'big-{deck}', 'e164', 'US', '2026-01-01')"
        ));
    }
    // The changes of the import are old news to a node that is filled now, and would be removed while others are measured.
    server.sql("USE tandem; DELETE FROM data_changes");
    let process = fs::read_to_string(server.pid_file()).unwrap().trim().parse().unwrap();
    let before = usage::cpu(process);
    let started = Instant::now();
    let mut agent = plan.start();
    wait_until("the replica is filled", LONG, || agent.log().contains("the replica is filled"));
    let filled = started.elapsed();
    let spent = usage::cpu(process) - before;
    println!("  filled in {:.1} s; the database spent {:.1} s of CPU on it", filled.as_secs_f64(), spent.as_secs_f64());
    let line = agent.log().lines().find(|line| line.contains("the replica is filled")).unwrap().to_owned();
    println!("  {}", line.split("INFO").nth(1).unwrap_or(&line).trim());
    println!("  the agent is resident with {:.0} MiB", usage::resident(agent.process().id()));

    // A minute of nothing: what following costs the database.
    let before = usage::cpu(process);
    tokio::time::sleep(Duration::from_secs(20)).await;
    println!(
        "  following costs the database {:.1} ms of CPU a second",
        (usage::cpu(process) - before).as_secs_f64() * 50.0
    );
    let started = Instant::now();
    server.sql(&format!("USE tandem; UPDATE phone_lines SET max_calls = 3 WHERE id = 'line-{LINES}'"));
    let follows = || {
        let files = fs::read_dir(agent.plan().folder().join("replica")).unwrap();
        let file =
            files.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "replica"));
        let question = format!("SELECT max_calls FROM phone_lines WHERE id = 'line-{LINES}'");
        file.is_some_and(|file| number(&file, &question) == Some(3))
    };
    wait_until("a change is followed", Duration::from_secs(20), follows);
    println!("  a change of one line is there after {:.1} s", started.elapsed().as_secs_f64());

    let load = Load { agent: agent.agi(), dialled };
    load.closed(1, Duration::from_secs(2)).await;
    println!("  decisions at 100 a second, the database up:   {}", load.open(100, Duration::from_secs(10)).await);
    relay.delay(Duration::from_secs(2));
    load.open(100, Duration::from_secs(3)).await;
    println!("  decisions at 100 a second, it answers in 2 s: {}", load.open(100, Duration::from_secs(10)).await);
    relay.delay(Duration::ZERO);
    server.pause();
    load.open(100, Duration::from_secs(3)).await;
    println!("  decisions at 100 a second, it hangs:          {}", load.open(100, Duration::from_secs(10)).await);
    server.kill();
    load.open(100, Duration::from_secs(3)).await;
    println!("  decisions at 100 a second, it is gone:        {}", load.open(100, Duration::from_secs(10)).await);
}

/// The one number that a question to a replica yields.
fn number(file: &std::path::Path, question: &str) -> Option<i64> {
    let url = format!("sqlite:{}", file.display());
    let (question, handle) = (question.to_owned(), tokio::runtime::Handle::current());
    tokio::task::block_in_place(|| {
        handle.block_on(async {
            use sqlx::Connection as _;
            let mut replica = sqlx::SqliteConnection::connect(&url).await.ok()?;
            sqlx::query_scalar(sqlx::AssertSqlSafe(question)).fetch_one(&mut replica).await.ok()
        })
    })
}
