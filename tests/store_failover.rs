//! Several hosts: a dead, hanging or unready one is left at once and returned to when it is well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::time::Duration;

use lab::{MariaDb, Postgres};
use store_world::{load_sample, options, soon, time};
use tandem::store::asking::Asking;
use tandem::store::destination::DestinationQuery;
use tandem::store::host::Health;
use tandem::store::{Options, Store, StoreError};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

/// As in production, but for the looks at the hosts, which come more often.
fn production(urls: &[&str]) -> Options {
    Options {
        connections: 8,
        question: Duration::from_millis(250),
        connect: Duration::from_millis(200),
        probe: Duration::from_millis(250),
        ..options(urls)
    }
}

/// Held by each test that has deadlines: they would take each other's time.
static TIMED: Mutex<()> = Mutex::const_new(());

/// Two servers with the same data, as a cluster has it.
async fn pair() -> (MariaDb, MariaDb, Store) {
    let (first, second) = (MariaDb::start(), MariaDb::start());
    for server in [&first, &second] {
        load_sample(&Store::new(&options(&[&server.url()])).unwrap()).await;
    }
    let store = Store::new(&production(&[&first.url(), &second.url()])).unwrap();
    (first, second, store)
}

/// Both questions within half a second.
async fn decide(store: &Store) -> Result<(), StoreError> {
    let mut asking = Asking::until(Instant::now() + Duration::from_millis(500));
    let caller = store.line_caller("1001", "15551234567", &mut asking).await?.expect("the line is there");
    let query = DestinationQuery {
        account_id: caller.account.id,
        line_id: caller.line_id,
        number: "15551234567".into(),
        class: "national".into(),
        presented: String::new(),
        sell_deck_id: caller.account.sell_deck_id,
        at: time("2026-02-01T12:00:00Z"),
    };
    let destination = store.destination(&query, &mut asking).await?;
    assert_eq!(destination.offers.len(), 2);
    Ok(())
}

/// A hundred decisions a second, for `length`; `after` a second of it something happens. How long the longest took, and every failure.
async fn decisions(store: &Store, length: Duration, event: impl FnOnce()) -> (Duration, Vec<String>) {
    let mut running = JoinSet::new();
    let mut ticks = interval(Duration::from_millis(10));
    let (begin, mut event) = (Instant::now(), Some(event));
    while begin.elapsed() < length {
        ticks.tick().await;
        if begin.elapsed() > Duration::from_secs(1)
            && let Some(event) = event.take()
        {
            event();
        }
        let store = store.clone();
        running.spawn(async move {
            let started = Instant::now();
            let outcome = decide(&store).await;
            (started - begin, started.elapsed(), outcome)
        });
    }
    let (mut longest, mut failures) = (Duration::ZERO, Vec::new());
    for (at, took, outcome) in running.join_all().await {
        longest = longest.max(took);
        if let Err(error) = outcome {
            failures.push(format!("after {at:?}, {took:?}: {error}"));
        }
    }
    (longest, failures)
}

/// Waits until the first host is the one that is asked, and the second has no connections for calls.
async fn is_back(store: &Store) {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        let _ = decide(store).await;
        let hosts = store.hosts();
        if hosts[0].health == Health::Up && hosts[0].connections > 0 && hosts[1].connections == 0 {
            return;
        }
        assert!(Instant::now() < limit, "still not back: {hosts:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_costs_no_decision() {
    let _timed = TIMED.lock().await;
    let (mut first, _second, store) = pair().await;
    is_back(&store).await;
    let (longest, failures) = decisions(&store, Duration::from_secs(4), || first.kill()).await;
    assert_eq!(failures, Vec::<String>::new());
    assert!(longest < Duration::from_secs(1), "the longest took {longest:?}");
    assert!(matches!(store.hosts()[0].health, Health::Down(_)));
    first.restart();
    is_back(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_server_costs_no_decision() {
    let _timed = TIMED.lock().await;
    let (first, second, store) = pair().await;
    is_back(&store).await;
    let (longest, failures) = decisions(&store, Duration::from_secs(4), || first.pause()).await;
    assert_eq!(failures, Vec::<String>::new());
    assert!(longest < Duration::from_secs(1), "the longest took {longest:?}");
    first.resume();
    is_back(&store).await;

    // Also when nobody looks at the hosts, and no new connection is needed: the question itself finds out.
    let hosts = [&*first.url(), &second.url()];
    let store =
        Store::new(&Options { probe: Duration::from_secs(3600), connections: 1, ..production(&hosts) }).unwrap();
    decide(&store).await.unwrap();
    first.pause();
    decide(&store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_that_stands_alone_costs_one_answer_at_most() {
    let _timed = TIMED.lock().await;
    let mut server = MariaDb::start();
    load_sample(&Store::new(&options(&[&server.url()])).unwrap()).await;
    let store = Store::new(&production(&[&server.url()])).unwrap();
    decide(&store).await.unwrap();
    server.stop();
    let error = decide(&store).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    server.restart();
    decide(&store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_server_is_refused() {
    let _timed = TIMED.lock().await;
    let (first, _second, store) = pair().await;
    first.sql("SET GLOBAL read_only = 1");
    let refused = store.look_at_hosts().await;
    assert!(matches!(&refused[0].health, Health::Down(why) if why.contains("is read-only")), "{refused:?}");
    decide(&store).await.unwrap();
    assert!(store.hosts()[1].connections > 0);
    first.sql("SET GLOBAL read_only = 0");
    is_back(&store).await;

    let postgres = Postgres::start();
    let store = Store::new(&production(&[&postgres.url()])).unwrap();
    store.migrate().await.unwrap();
    postgres.sql("ALTER ROLE tandem SET default_transaction_read_only = on");
    let refused = store.look_at_hosts().await;
    assert!(matches!(&refused[0].health, Health::Down(why) if why.contains("is read-only")), "{refused:?}");
}

#[tokio::test]
async fn without_a_database_every_question_is_unavailable_and_names_no_password() {
    let store = Store::new(&production(&["mysql://tandem:hunter2@127.0.0.1:1/tandem"])).unwrap();
    let error = store.gateway_caller("gw-a", &mut soon()).await.unwrap_err();
    let StoreError::Unavailable(text) = &error else { panic!("{error:?}") };
    assert!(text.contains("127.0.0.1:1") && !text.contains("hunter2"), "{text}");
    let shown = format!("{store:?} {:?}", store.hosts());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(!format!("{:?}", production(&["mysql://tandem:hunter2@127.0.0.1:1/tandem"])).contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_itself_ends_a_statement_that_takes_too_long() {
    let _timed = TIMED.lock().await;
    let (mariadb, postgres) = (MariaDb::start(), Postgres::start());
    for url in [mariadb.url(), postgres.url()] {
        load_sample(&Store::new(&options(&[&url])).unwrap()).await;
        let store = Store::new(&production(&[&url])).unwrap();
        assert_eq!(store.look_at_hosts().await[0].health, Health::Up);
        // A lock on a table that the question reads.
        let holder = hold_lock(&url).await;
        let error = store
            .gateway_caller("gw-a", &mut Asking::until(Instant::now() + Duration::from_millis(30)))
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Slow(_)), "{error:?}");
        assert_eq!(store.hosts()[0].health, Health::Up, "a short deadline is no reason to leave a host: {error}");
        let started = Instant::now();
        let error =
            store.gateway_caller("gw-a", &mut Asking::until(started + Duration::from_millis(500))).await.unwrap_err();
        assert!(matches!(error, StoreError::Slow(_)), "{error:?}");
        assert_eq!(store.hosts()[0].health, Health::Up, "a slow statement is no reason to leave a host: {error}");
        drop(holder);
        let by = Instant::now() + Duration::from_secs(5);
        while store
            .gateway_caller("gw-a", &mut Asking::until(Instant::now() + Duration::from_millis(500)))
            .await
            .is_err()
        {
            assert!(Instant::now() < by);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_server_is_slow_the_next_answers() {
    let _timed = TIMED.lock().await;
    let (first, _second, store) = pair().await;
    is_back(&store).await;
    let _holder = hold_lock(&first.url()).await;
    decide(&store).await.unwrap();
}

enum Holder {
    MariaDb { _connection: sqlx::MySqlConnection },
    Postgres { _connection: sqlx::PgConnection },
}

async fn hold_lock(url: &str) -> Holder {
    use sqlx::Connection;
    if url.starts_with("mysql") {
        let mut connection = sqlx::MySqlConnection::connect(url).await.unwrap();
        sqlx::raw_sql("LOCK TABLES gateways WRITE").execute(&mut connection).await.unwrap();
        Holder::MariaDb { _connection: connection }
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql("BEGIN; LOCK TABLE gateways").execute(&mut connection).await.unwrap();
        Holder::Postgres { _connection: connection }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_stops_waiting_spoils_nothing_for_the_next() {
    let server = MariaDb::start();
    let mut patient = options(&[&server.url()]);
    patient.connections = 1;
    let store = Store::new(&patient).unwrap();
    load_sample(&store).await;
    // The server goes on with a question that nobody waits for; the next one must not stand behind it.
    let holder = hold_lock(&server.url()).await;
    let mut asking = soon();
    let question = store.gateway_caller("gw-a", &mut asking);
    assert!(tokio::time::timeout(Duration::from_millis(300), question).await.is_err());
    let mut asking = Asking::until(Instant::now() + Duration::from_secs(3));
    let answer = store.line_caller("1001", "", &mut asking).await.unwrap().unwrap();
    assert_eq!(answer.line_id, "1001");
    drop(holder);
}
