//! What a failed question means: for the caller, and for the host that failed it.

use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use super::StoreError;

/// Why one host gave no answer.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the caller is told if no other host answers.
    pub error: StoreError,
    /// True when the host cannot be trusted with the next question: it is left at once.
    pub host_lost: bool,
}

impl Failure {
    /// The host did not answer within our own limit, although its server would have ended the statement before.
    pub(super) fn hung(host: &str, what: &str) -> Self {
        Failure { error: StoreError::Slow(format!("{host} did not answer {what} in time")), host_lost: true }
    }

    /// The host cannot be reached, or refuses to serve.
    pub(super) fn unavailable(host: &str, why: impl std::fmt::Display) -> Self {
        Failure { error: StoreError::Unavailable(format!("{host}: {why}")), host_lost: true }
    }

    /// No connection to the host can be had.
    pub(super) fn of_connecting(host: &str, error: &sqlx::Error) -> Self {
        let sqlite = |error: &dyn sqlx::error::DatabaseError| error.try_downcast_ref::<SqliteError>().is_some();
        match error {
            // Only `tandem migrate` makes the file.
            sqlx::Error::Database(database) if sqlite(database.as_ref()) => Failure::unavailable(
                host,
                format_args!(
                    "{error}; run `tandem migrate` if it was never run, and see whether this user may read and write the file"
                ),
            ),
            _ => Failure::unavailable(host, error),
        }
    }

    /// The host is well, but has no time for this question.
    pub(super) fn slow(host: &str, why: impl std::fmt::Display) -> Self {
        Failure { error: StoreError::Slow(format!("{host}: {why}")), host_lost: false }
    }

    /// Reads the error of a question that was put to a host.
    pub(super) fn of_question(host: &str, what: &str, error: &sqlx::Error) -> Self {
        let text = format!("{what}: {error}");
        let broken = || Failure { error: StoreError::Broken(format!("{host}: {text}")), host_lost: false };
        match error {
            sqlx::Error::Database(database) => match Refusal::of(database.as_ref()) {
                Refusal::TookTooLong => Failure::slow(host, text),
                Refusal::NotServing => Failure::unavailable(host, text),
                Refusal::NoSuchTable => Failure {
                    error: StoreError::Broken(format!("{host}: {text}; run `tandem migrate`")),
                    host_lost: false,
                },
                Refusal::Statement => broken(),
            },
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                Failure::unavailable(host, text)
            }
            _ => broken(),
        }
    }
}

/// True when the schema was never applied.
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if matches!(Refusal::of(database.as_ref()), Refusal::NoSuchTable))
}

/// True when the row itself is at fault: it does not fit its columns, or breaks a rule of the table. Anything else may pass.
pub(super) fn is_rows_fault(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return matches!(error, sqlx::Error::Encode(_)) };
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        // NULL, key, foreign key, range, cut off, bad value, no default, bad text, too long, SIGNAL, CHECK (MySQL, MariaDB).
        matches!(
            error.number(),
            1048 | 1062 | 1216 | 1264 | 1265 | 1292 | 1364 | 1366 | 1406 | 1452 | 1644 | 3819 | 4025
        )
    } else if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        // Data exceptions, broken constraints, RAISE.
        error.code().starts_with("22") || error.code().starts_with("23") || error.code() == "P0001"
    } else if let Some(error) = error.try_downcast_ref::<SqliteError>() {
        // SQLITE_TOOBIG, SQLITE_CONSTRAINT and SQLITE_MISMATCH, whose extended codes have more bits above these eight.
        let code = sqlx::error::DatabaseError::code(error).and_then(|code| code.parse::<i32>().ok());
        matches!(code.map(|code| code & 0xFF), Some(18..=20))
    } else {
        false
    }
}

/// True when another transaction came first: the same work may be done anew.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    if error.is_unique_violation() {
        return true;
    }
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        // A lock that was not given in time, a deadlock (Galera tells at COMMIT), a row that changed since the snapshot.
        matches!(error.number(), 1020 | 1205 | 1213)
    } else if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        matches!(error.code(), "40001" | "40P01" | "55P03")
    } else {
        let code = error.code().and_then(|code| code.parse::<i32>().ok());
        // SQLITE_BUSY and SQLITE_LOCKED.
        error.try_downcast_ref::<SqliteError>().is_some() && matches!(code.map(|code| code & 0xFF), Some(5 | 6))
    }
}

/// What a server says with an error of its own.
enum Refusal {
    /// It ended the statement at the limit that we set, or waited for a lock.
    TookTooLong,
    /// It is shutting down, starting, full, read-only, or outside its cluster.
    NotServing,
    /// The schema is not there.
    NoSuchTable,
    /// Anything else: a fault of the statement or of the data.
    Statement,
}

impl Refusal {
    fn of(error: &dyn sqlx::error::DatabaseError) -> Self {
        if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
            // https://mariadb.com/kb/en/mariadb-error-code-reference/
            match error.number() {
                1205 | 1317 | 1969 | 3024 => Refusal::TookTooLong,
                1040 | 1047 | 1053 | 1129 | 1203 | 1290 | 1792 | 1836 | 1927 => Refusal::NotServing,
                1146 => Refusal::NoSuchTable,
                _ => Refusal::Statement,
            }
        } else if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
            // https://www.postgresql.org/docs/current/errcodes-appendix.html
            match error.code() {
                "57014" | "55P03" => Refusal::TookTooLong,
                "25006" | "53300" | "57P01" | "57P02" | "57P03" | "57P05" => Refusal::NotServing,
                code if code.starts_with("08") => Refusal::NotServing,
                "42P01" => Refusal::NoSuchTable,
                _ => Refusal::Statement,
            }
        } else if let Some(error) = error.try_downcast_ref::<SqliteError>() {
            // https://www.sqlite.org/rescode.html
            match sqlx::error::DatabaseError::code(error).as_deref() {
                Some("5" | "6" | "261" | "517") => Refusal::TookTooLong,
                Some("14") => Refusal::NotServing,
                _ if sqlx::error::DatabaseError::message(error).starts_with("no such table") => Refusal::NoSuchTable,
                _ => Refusal::Statement,
            }
        } else {
            Refusal::Statement
        }
    }
}
