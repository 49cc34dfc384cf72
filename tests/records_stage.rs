//! The stage of the tests of call records: a node that ships them, and the rows of its database.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use lab::{Asterisk, Manner, Message, Node, NodeBuilder, wait_until};
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Row as _, ValueRef as _};

/// Lines 1001, 1002 and 1004, carriers gw-a (cheapest) and carrier-b, one emergency gateway; what a manner is not told answers.
pub fn node(manners: &[(&str, Manner)]) -> NodeBuilder {
    let manner =
        |id: &str| manners.iter().find(|(other, _)| *other == id).map_or(Manner::Answers, |(_, manner)| *manner);
    let mut builder = Node::builder().ships_records().set("records.batch_ms", "100");
    for id in ["1001", "1002", "1004"] {
        builder = builder.line(id, manner(id));
    }
    for id in ["gw-a", "carrier-b", "em-1"] {
        builder = builder.gateway(id, manner(id));
    }
    builder.set("emergency.gateways", "em-1").sql(include_str!("data/provider.sql"))
}

/// A row of the database; a column that is NULL reads as an empty text.
#[derive(Debug, Clone)]
pub struct Row(BTreeMap<String, String>);

impl Row {
    pub fn get(&self, column: &str) -> &str {
        self.0.get(column).unwrap_or_else(|| panic!("no column {column}"))
    }

    pub fn all<const N: usize>(&self, columns: [&str; N]) -> [&str; N] {
        columns.map(|column| self.get(column))
    }

    pub fn number(&self, column: &str) -> i64 {
        self.get(column).parse().unwrap_or_else(|error| panic!("{column}: {:?}: {error}", self.get(column)))
    }

    pub fn time(&self, column: &str) -> DateTime<Utc> {
        let text = self.get(column);
        let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f");
        time.unwrap_or_else(|error| panic!("{column}: {text:?}: {error}")).and_utc()
    }
}

/// What a question to the node's SQLite yields.
pub fn ask(node: &Node, question: &str) -> Vec<Row> {
    ask_sqlite(&format!("sqlite:{}", node.agent.plan().folder().join("tandem.db").display()), question)
}

pub fn ask_sqlite(url: &str, question: &str) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(question)).fetch_all(&mut connection).await.unwrap()
    });
    let cell = |row: &sqlx::sqlite::SqliteRow, at: usize| {
        if row.try_get_raw(at).unwrap().is_null() { String::new() } else { row.get_unchecked::<String, _>(at) }
    };
    let read = |row: sqlx::sqlite::SqliteRow| {
        let cells = row.columns().iter().enumerate().map(|(at, column)| (column.name().to_owned(), cell(&row, at)));
        Row(cells.collect())
    };
    rows.into_iter().map(read).collect()
}

/// Waits until so many calls and attempts are in the database, and returns them in order.
pub fn wait_rows(node: &Node, calls: usize, attempts: usize) -> (Vec<Row>, Vec<Row>) {
    let found = || {
        let calls = ask(node, "SELECT * FROM call_records WHERE direction IS NOT NULL ORDER BY sequence");
        (calls, ask(node, "SELECT * FROM call_attempts ORDER BY started_at, number"))
    };
    wait_until(&format!("{calls} calls and {attempts} attempts in the database"), Duration::from_secs(20), || {
        let (some, tries) = found();
        some.len() >= calls && tries.len() >= attempts
    });
    let (some, tries) = found();
    assert_eq!((some.len(), tries.len()), (calls, attempts), "{some:#?}\n{tries:#?}");
    (some, tries)
}

/// Lines of a kind, `call` or `attempt`, that Asterisk wrote and the agent took and sent.
pub fn sent_lines(asterisk: &Asterisk, kind: &str) -> usize {
    let sent = asterisk.record_file().with_extension("spool").join("sent");
    let hours = std::fs::read_dir(sent).unwrap().flatten();
    let segments = hours.flat_map(|hour| std::fs::read_dir(hour.path()).unwrap().flatten());
    let begin = format!("\"tandem-{kind}-2\",\"");
    segments.map(|segment| std::fs::read_to_string(segment.path()).unwrap().matches(&begin).count()).sum()
}

/// Seconds of a call of `milliseconds` by the rules of the trade: begun seconds, the initial ones at least, then whole steps.
pub fn charged_seconds(milliseconds: i64, initial: i64, increment: i64) -> i64 {
    let begun = (milliseconds + 999) / 1000;
    let mut seconds = initial;
    while seconds < begun {
        seconds += increment;
    }
    seconds
}

/// Milliseconds from a SIP message to a time in a row. SIPp's log has the machine's own time of day, and any zone is ahead of UTC
/// by whole quarters of an hour.
pub fn since(message: &Message, time: DateTime<Utc>) -> i64 {
    const QUARTER: i64 = 15 * 60 * 1000;
    let at = i64::try_from(message.at.as_millis()).unwrap();
    (time.timestamp_millis() - at + QUARTER / 2).rem_euclid(QUARTER) - QUARTER / 2
}

/// Runs statements on any of the databases.
pub fn run(url: &str, text: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if url.starts_with("mysql") {
            let mut connection = sqlx::MySqlConnection::connect(url).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
        }
    });
}

/// The one column of a question's rows.
pub fn texts(url: &str, question: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows: Vec<(String,)> = runtime.block_on(async {
        if url.starts_with("mysql") {
            let mut connection = sqlx::MySqlConnection::connect(url).await.unwrap();
            sqlx::query_as(AssertSqlSafe(question)).fetch_all(&mut connection).await.unwrap()
        } else {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            sqlx::query_as(AssertSqlSafe(question)).fetch_all(&mut connection).await.unwrap()
        }
    });
    rows.into_iter().map(|(text,)| text).collect()
}
