//! Where a host of the database is, and how a connection to it is opened.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::StoreError;
use super::connection::Connection;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// The server itself ends a statement after this time, so that it never works on for somebody who has gone.
    Timed(Duration),
    /// Work that may take its time.
    Work,
    /// Work on the schema, which creates a missing SQLite file.
    Schema,
}

/// Where a host is and how to log in.
#[derive(Clone)]
pub(super) enum Address {
    Sqlite(Box<SqliteConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

/// Its name: the rest holds the password.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Address {
    /// Reads a URL of the configuration.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let scheme = url.split(':').next().unwrap_or_default();
        let wrong = |error: sqlx::Error| StoreError::Broken(format!("a {scheme}: address of database.urls: {error}"));
        match scheme {
            "sqlite" => {
                let options = SqliteConnectOptions::from_str(url).map_err(wrong)?;
                // What was committed is not sent again: it has to outlive the machine.
                Ok(Address::Sqlite(Box::new(
                    options
                        .journal_mode(SqliteJournalMode::Wal)
                        .synchronous(SqliteSynchronous::Full)
                        .disable_statement_logging(),
                )))
            }
            "mysql" | "mariadb" => {
                let options = MySqlConnectOptions::from_str(url).map_err(wrong)?;
                // The collation of the schema, so that parameters compare with columns by index.
                Ok(Address::MySql(Box::new(
                    options.charset("utf8mb4").collation("utf8mb4_bin").disable_statement_logging(),
                )))
            }
            "postgres" | "postgresql" => {
                let options = PgConnectOptions::from_str(url).map_err(wrong)?;
                // Every statement of a call is a chain of lookups by key, written in the order in which they are to
                // run; planned once, without guessing from statistics that a fresh table does not have.
                Ok(Address::Postgres(Box::new(
                    options
                        .options([
                            ("join_collapse_limit", "1"),
                            ("enable_hashjoin", "off"),
                            ("enable_mergejoin", "off"),
                            ("plan_cache_mode", "force_generic_plan"),
                            ("jit", "off"),
                            ("TimeZone", "UTC"),
                        ])
                        .application_name("tandem")
                        .disable_statement_logging(),
                )))
            }
            _ => Err(StoreError::Broken(format!(
                "{scheme:?} in database.urls is no kind of database; use sqlite:, mysql:, mariadb: or postgres:"
            ))),
        }
    }

    /// A replica in this file. It can be read anew from the database, so it need not outlive the machine; and rows come in
    /// no certain order, so nothing is held against their references.
    pub(super) fn replica(file: &Path) -> Address {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(false);
        Address::Sqlite(Box::new(options.disable_statement_logging()))
    }

    /// Name for logs and metrics: host and port, or the file. Never the password.
    pub(super) fn name(&self) -> String {
        let url = match self {
            Address::Sqlite(options) => return options.get_filename().display().to_string(),
            Address::MySql(options) => options.to_url_lossy(),
            Address::Postgres(options) => options.to_url_lossy(),
        };
        match url.port() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
            None => url.host_str().unwrap_or_default().to_owned(),
        }
    }

    /// Opens a connection. Does not ask whether the server is ready.
    pub(super) async fn connect(&self, session: Session) -> Result<Connection, sqlx::Error> {
        match self {
            Address::Sqlite(options) => {
                let patience = if let Session::Timed(limit) = session { limit } else { Duration::from_secs(60) };
                let options = options.as_ref().clone().busy_timeout(patience);
                Ok(Connection::Sqlite(options.create_if_missing(session == Session::Schema).connect().await?))
            }
            Address::MySql(options) => {
                let mut connection = Connection::MySql(options.connect().await?);
                if let Session::Timed(limit) = session {
                    connection.limit_statements(limit).await?;
                }
                Ok(connection)
            }
            Address::Postgres(options) => Ok(Connection::Postgres(match session {
                Session::Timed(limit) => {
                    let options = options.as_ref().clone().options([("statement_timeout", limit.as_millis())]);
                    options.connect().await?
                }
                Session::Work | Session::Schema => options.connect().await?,
            })),
        }
    }
}
