//! The bad days of the database: it is away, refuses a row, has two nodes of one name, or lost what it had.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

mod records_node;

use std::time::Duration;

use lab::{Agent, MariaDb, Postgres, RecordWriter, wait_until};
use records_node::{Node, PATIENCE, segments};
use sqlx::Connection as _;

#[test]
fn a_row_that_the_database_refuses_is_set_aside_and_can_be_put_back() {
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON call_records WHEN NEW.sequence = 700 \
                  BEGIN SELECT RAISE(ABORT, 'no seven hundred'); END";
    let mut node = Node::start();
    node.agent.plan().sql(refuse);
    node.writer.append(1000);
    let rows = || node.count("SELECT COUNT(*) FROM call_records");
    wait_until("the others", PATIENCE, || rows() == 999);
    wait_until("one set aside", PATIENCE, || segments(&node.spool().join("quarantine")).len() == 1);
    let (_, status) = node.records(&["status"]);
    assert!(status.contains("refused by the database") && status.contains("no seven hundred"), "{status}");
    // Put back too early, it is refused again.
    assert!(node.records(&["retry"]).1.starts_with("1 rows are put back"));
    wait_until("set aside again", PATIENCE, || segments(&node.spool().join("quarantine")).len() == 1);
    node.agent.plan().sql("DROP TRIGGER refuse");
    let name = segments(&node.spool().join("quarantine"))[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(node.records(&["retry", &name]).0);
    node.all_arrive();
    assert!(node.records(&["retry"]).1.starts_with("0 rows"));
    assert!(!node.records(&["retry", "no-such-row"]).0);
    wait_until("the alarm is over", PATIENCE, || node.alarms().is_empty());
}

#[test]
fn mariadb_and_postgres_refuse_a_row_alone_too() {
    let (mariadb, postgres) = (MariaDb::start(), Postgres::start());
    for url in [mariadb.url(), postgres.url()] {
        let node = Node::start_with(Agent::builder().set("database.urls", &url));
        let check: &'static str = "ALTER TABLE call_attempts ADD CONSTRAINT refuse CHECK (uniqueid <> '1-1.7')";
        let count = "SELECT COUNT(*) FROM call_attempts";
        let counted: Box<dyn Fn() -> String> = if url.starts_with("mysql") {
            mariadb.sql(&format!("USE tandem; {check}"));
            Box::new(|| mariadb.sql(&format!("USE tandem; {count}")))
        } else {
            let run = |text: &'static str| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let url = url.clone();
                runtime.block_on(async move {
                    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
                    let row: Option<(i64,)> = sqlx::query_as(text).fetch_optional(&mut connection).await.unwrap();
                    row.map_or(0, |(count,)| count).to_string()
                })
            };
            run(check);
            Box::new(move || run(count))
        };
        let mut writer = RecordWriter::new(&node.folder().join("tandem.csv"), "1-1");
        writer.append(20);
        wait_until("nineteen attempts", PATIENCE, || counted().trim() == "19");
        wait_until("one set aside", PATIENCE, || segments(&node.spool().join("quarantine")).len() == 1);
    }
}

#[test]
fn without_the_database_records_wait_and_calls_go_on() {
    let mut server = MariaDb::start();
    let plan = Agent::builder().set("database.urls", &server.url()).set("records.alarm_seconds", "1");
    let mut node = Node::start_with(plan);
    let counted = || server_count(&server);
    node.writer.append(10);
    wait_until("ten calls", PATIENCE, || counted() == 10);
    server.stop();
    node.writer.append(500);
    node.wait_alarm("records.waiting");
    wait_until("the backlog", PATIENCE, || node.metric(r#"tandem_shipment_backlog_rows{cargo="records"}"#) >= 1000.0);
    assert!(node.metric(r#"tandem_shipment_backlog_seconds{cargo="records"}"#) >= 1.0);
    assert!(node.metric(r#"tandem_shipment_retries_total{cargo="records"}"#) >= 1.0);
    assert_eq!(node.agent.get("/ready").unwrap().0, 200);
    for _ in 0..3 {
        node.writer.append(10);
        node.agent.restart();
    }
    assert_eq!(node.agent.get("/ready").unwrap().0, 200);
    server.restart();
    wait_until("all calls", Duration::from_secs(40), || server_count(&server) == 540);
    wait_until("no backlog", PATIENCE, || node.metric(r#"tandem_shipment_backlog_rows{cargo="records"}"#) == 0.0);
    wait_until("no alarm", PATIENCE, || node.alarms().is_empty());
}

fn server_count(server: &MariaDb) -> u64 {
    server.sql("SELECT COUNT(*) FROM tandem.call_records").trim().parse().unwrap()
}

#[test]
fn two_nodes_of_one_name_are_named() {
    let server = MariaDb::start();
    let plan = || Agent::builder().set("database.urls", &server.url()).set("node.name", "node12");
    let mut first = Node::start_with(plan());
    first.writer.append(1);
    wait_until("a call", PATIENCE, || server_count(&server) == 1);
    assert_eq!(first.alarms(), Vec::<String>::new());
    let second = Node::start_with(plan());
    RecordWriter::new(&second.folder().join("tandem.csv"), "2-2").append(1);
    second.wait_alarm("records.node-name");
    let check = second.agent.plan().tandem(&["check"]);
    let text = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(text.contains("another node ships records as \"node12\""), "{text}");
    assert_eq!(second.agent.log().matches("another node ships records").count(), 1, "logged once");
}

#[test]
fn verify_names_what_is_missing_or_double_and_mends_it() {
    let mut node = Node::start();
    node.writer.append(30);
    node.all_arrive();
    wait_until("all filed away", PATIENCE, || segments(&node.spool()).is_empty());
    let (good, text) = node.records(&["verify"]);
    assert!(good && text.starts_with("60 rows on the node; 60 of them in the database"), "{text}");

    node.agent.plan().sql(
        "DELETE FROM call_records WHERE sequence = 7; DELETE FROM call_attempts WHERE uniqueid = '1-1.9'; \
         UPDATE call_records SET node = 'other' WHERE sequence = 11; \
         INSERT INTO call_records SELECT 'again', boot, uniqueid, sequence, linkedid, started_at, answered_at, ended_at, \
         utc_offset_minutes, duration_ms, talk_ms, clock_doubtful, disposition, src, dst, context, clid, channel, dstchannel, \
         lastapp, lastdata, direction, line_id, gateway_id, account_id, number, class, reason, cause, emergency, codec, \
         packets_in, packets_out, lost_in, lost_out, jitter_in_us, jitter_out_us, round_trip_us, shipped_at, source \
         FROM call_records WHERE sequence = 12",
    );
    let (good, text) = node.records(&["verify"]);
    assert!(!good, "{text}");
    for part in [
        "MISSING  call 1-1.7 7 of boot 1-1",
        "MISSING  attempt 1-1.9 1 ",
        "DOUBLE   call 1-1.12 12 ",
        "2 missing, 1 double",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let (_, text) = node.records(&["verify", "--mend"]);
    assert!(text.contains("segments are put back"), "{text}");
    let missing = "SELECT (SELECT COUNT(*) FROM call_records WHERE sequence = 7 OR node = 'vm' AND 1 = 0) \
                   + (SELECT COUNT(*) FROM call_attempts WHERE uniqueid = '1-1.9')";
    wait_until("the missing rows", PATIENCE, || node.count(missing) == 2);
}
