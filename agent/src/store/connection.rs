//! One connection to one of the three backends, and what can be asked of it.
//!
//! sqlx's own `Any` knows neither DATETIME, TIMESTAMPTZ nor BOOLEAN columns; [`on_backend`] expands one body for
//! each typed connection instead.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow, SqlSafeStr, SqlStr};
use tokio::time::timeout;

use super::datum::Datums;
use super::statement::Backend;
use super::time::{Moment, Time};

/// A row that can be read from each backend: `#[derive(sqlx::FromRow)]` on a struct is enough.
pub(super) trait Record:
    Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, MySqlRow> + for<'r> FromRow<'r, PgRow>
{
}

impl<T> Record for T where
    T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, MySqlRow> + for<'r> FromRow<'r, PgRow>
{
}

/// A parameter of a statement; `None` is NULL.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Text(Option<&'a str>),
    Integer(Option<i64>),
    Real(Option<f64>),
    Flag(bool),
    Time(Option<Time>),
    Moment(Option<Moment>),
    Bytes(&'a [u8]),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Value::Text(text)
    }
}

impl From<Time> for Value<'_> {
    fn from(time: Time) -> Self {
        Value::Time(Some(time))
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    MySql(MySqlConnection),
    Postgres(PgConnection),
}

/// Expands a body once for each backend, with the typed connection and its database type.
macro_rules! on_backend {
    ($connection:expr, |$typed:ident $(: $database:ident)?| $body:expr) => {
        match $connection {
            Connection::Sqlite($typed) => {
                $(type $database = sqlx::Sqlite;)?
                $body
            }
            Connection::MySql($typed) => {
                $(type $database = sqlx::MySql;)?
                $body
            }
            Connection::Postgres($typed) => {
                $(type $database = sqlx::Postgres;)?
                $body
            }
        }
    };
}

/// Binds each parameter by its type.
macro_rules! bind {
    ($query:ident, $values:expr) => {
        for value in $values {
            $query = match *value {
                Value::Text(text) => $query.bind(text),
                Value::Integer(integer) => $query.bind(integer),
                Value::Real(real) => $query.bind(real),
                Value::Flag(flag) => $query.bind(flag),
                Value::Time(time) => $query.bind(time),
                Value::Moment(moment) => $query.bind(moment),
                Value::Bytes(bytes) => $query.bind(bytes),
            };
        }
    };
}

impl Connection {
    /// Which dialect it speaks.
    pub(super) fn backend(&self) -> Backend {
        match self {
            Connection::Sqlite(_) => Backend::Sqlite,
            Connection::MySql(_) => Backend::MySql,
            Connection::Postgres(_) => Backend::Postgres,
        }
    }

    /// Every row of a prepared statement, which stays prepared on this connection.
    pub(super) async fn rows<R: Record>(&mut self, text: SqlStr, values: &[Value<'_>]) -> Result<Vec<R>, sqlx::Error> {
        on_backend!(self, |typed: Db| {
            let mut query = sqlx::query_as::<Db, R>(text);
            bind!(query, values);
            query.fetch_all(typed).await
        })
    }

    /// Hands the rows of a statement on in pieces of `size`, as they come; the server may take `patience` for each.
    pub(super) async fn pieces(
        &mut self,
        text: SqlStr,
        values: &[Value<'_>],
        size: usize,
        patience: Duration,
        mut sink: impl AsyncFnMut(Vec<Datums>) -> Result<(), sqlx::Error>,
    ) -> Result<(), sqlx::Error> {
        on_backend!(self, |typed: Db| {
            let mut query = sqlx::query_as::<Db, Datums>(text);
            bind!(query, values);
            let mut rows = query.fetch(typed);
            loop {
                let mut piece = Vec::with_capacity(size);
                let filling = async {
                    while piece.len() < size
                        && let Some(row) = rows.try_next().await?
                    {
                        piece.push(row);
                    }
                    Ok::<(), sqlx::Error>(())
                };
                timeout(patience, filling)
                    .await
                    .map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))??;
                if piece.is_empty() {
                    return Ok(());
                }
                sink(piece).await?;
            }
        })
    }

    /// Runs a prepared statement; how many rows it found to change.
    pub(super) async fn execute(&mut self, text: SqlStr, values: &[Value<'_>]) -> Result<u64, sqlx::Error> {
        on_backend!(self, |typed: Db| {
            let mut query = sqlx::query::<Db>(text);
            bind!(query, values);
            query.execute(typed).await.map(|done| done.rows_affected())
        })
    }

    /// As [`Connection::execute`], for a text that hardly comes again: it does not stay prepared.
    pub(super) async fn execute_once(&mut self, text: SqlStr, values: &[Value<'_>]) -> Result<u64, sqlx::Error> {
        on_backend!(self, |typed: Db| {
            let mut query = sqlx::query::<Db>(text).persistent(false);
            bind!(query, values);
            query.execute(typed).await.map(|done| done.rows_affected())
        })
    }

    /// Begins a transaction; a connection that is dropped within it leaves nothing behind.
    pub(super) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        // SQLite would else begin as a reader, and fail when another writer came first.
        let text = if self.backend() == Backend::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
        self.run(SqlStr::from_static(text)).await
    }

    /// Begins a transaction that only reads, and sees everything as it is at one moment.
    pub(super) async fn begin_snapshot(&mut self) -> Result<(), sqlx::Error> {
        let text = match self.backend() {
            Backend::Sqlite => "BEGIN",
            Backend::MySql => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            Backend::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.run(SqlStr::from_static(text)).await
    }

    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run(SqlStr::from_static("COMMIT")).await
    }

    pub(super) async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        self.run(SqlStr::from_static("ROLLBACK")).await
    }

    /// Lets the server read a statement without running it.
    pub(super) async fn prepare(&mut self, text: SqlStr) -> Result<(), sqlx::Error> {
        on_backend!(self, |typed| sqlx::Executor::prepare(typed, text).await.map(drop))
    }

    /// Runs text without parameters, unprepared.
    pub(super) async fn run(&mut self, text: SqlStr) -> Result<(), sqlx::Error> {
        on_backend!(self, |typed| sqlx::raw_sql(text).execute(typed).await.map(drop))
    }

    /// MariaDB counts in seconds, MySQL in milliseconds, each under its own name.
    pub(super) async fn limit_statements(&mut self, limit: Duration) -> Result<(), sqlx::Error> {
        let Connection::MySql(typed) = self else { return Ok(()) };
        let (version,): (String,) = sqlx::query_as("SELECT VERSION()").persistent(false).fetch_one(typed).await?;
        let text = if version.contains("MariaDB") {
            format!("SET SESSION max_statement_time = {:.3}", limit.as_secs_f64())
        } else {
            format!("SET SESSION max_execution_time = {}", limit.as_millis().max(1))
        };
        self.run(AssertSqlSafe(text).into_sql_str()).await
    }

    /// True on a node of a Galera cluster.
    pub(super) async fn in_galera(&mut self) -> Result<bool, sqlx::Error> {
        let Connection::MySql(typed) = self else { return Ok(false) };
        Ok(is_on(&shown(typed, SHOW_STATE).await?, "wsrep_on"))
    }

    /// Whether its server may answer calls; else why not. A server that is up can still be a replica that
    /// refuses writes, or a Galera node outside the majority, whose data is stale.
    pub(super) async fn ready(&mut self) -> Result<Result<(), String>, sqlx::Error> {
        match self {
            Connection::Sqlite(typed) => {
                sqlx::raw_sql("SELECT 1").execute(typed).await?;
                Ok(Ok(()))
            }
            Connection::MySql(typed) => {
                let variables = shown(typed, SHOW_STATE).await?;
                if is_on(&variables, "read_only") || is_on(&variables, "innodb_read_only") {
                    return Ok(Err("is read-only".to_owned()));
                }
                if is_on(&variables, "wsrep_on") && !is_on(&shown(typed, SHOW_GALERA).await?, "wsrep_ready") {
                    return Ok(Err("is outside its Galera cluster (wsrep_ready is OFF)".to_owned()));
                }
                Ok(Ok(()))
            }
            Connection::Postgres(typed) => {
                let (recovering, read_only): (bool, String) =
                    sqlx::query_as("SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')")
                        .fetch_one(typed)
                        .await?;
                Ok(if recovering {
                    Err("is a standby in recovery".to_owned())
                } else if read_only == "on" {
                    Err("is read-only".to_owned())
                } else {
                    Ok(())
                })
            }
        }
    }
}

const SHOW_STATE: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_read_only', 'read_only', 'wsrep_on')";
const SHOW_GALERA: &str = "SHOW GLOBAL STATUS LIKE 'wsrep_ready'";

/// Names and values of a SHOW statement; those that a server does not know are absent.
async fn shown(connection: &mut MySqlConnection, text: &'static str) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::raw_sql(text).fetch_all(connection).await?;
    rows.iter().map(<(String, String)>::from_row).collect()
}

/// MySQL 8 says ON, MariaDB says ON or 1, and newer ones name a kind of read-only.
fn is_on(shown: &[(String, String)], name: &str) -> bool {
    shown.iter().any(|(key, value)| key == name && !matches!(value.as_str(), "OFF" | "0"))
}
