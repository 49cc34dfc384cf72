//! The file of a replica: `<uuid>.replica` in its folder. Each filling makes a new one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use sqlx::SqlStr;
use sqlx::migrate::Migrator;
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::address::{Address, Session};
use crate::store::connection::{Connection, Value};
use crate::store::schema::migrations;
use crate::store::statement::{Backend, numbered};

const EXTENSION: &str = "replica";
const DAMAGED: &str = "damaged";
const TIME: &str = "%Y-%m-%d %H:%M:%S";

/// A replica's file.
#[derive(Debug, Clone)]
pub(super) struct File {
    path: PathBuf,
}

/// What a replica knows of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The database that it is a replica of; empty while it is filled for the first time.
    pub origin: String,
    /// All changes up to this number were followed.
    pub low: i64,
    /// The greatest number that was followed.
    pub high: i64,
    /// When it was last as the database.
    pub current_at: DateTime<Utc>,
}

impl File {
    /// A name for a new file.
    pub(super) fn new(folder: &Path) -> File {
        File { path: folder.join(format!("{}.{EXTENSION}", Uuid::now_v7())) }
    }

    /// Those in `folder`, latest first.
    pub(super) fn all(folder: &Path) -> io::Result<Vec<File>> {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
        paths.sort();
        Ok(paths.into_iter().rev().map(|path| File { path }).collect())
    }

    pub(super) fn address(&self) -> Address {
        Address::replica(&self.path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it for writing, and brings its schema up to date; the file is made if it is missing.
    pub(super) async fn open(&self) -> Result<Connection, StoreError> {
        let broken = |error: &dyn std::fmt::Display| {
            StoreError::Broken(format!("the replica {} cannot be used: {error}", self.path.display()))
        };
        let mut connection = self.address().connect(Session::Schema).await.map_err(|error| broken(&error))?;
        let migrator = Migrator::with_migrations(migrations(Backend::Sqlite));
        let run = on_backend!(&mut connection, |typed| migrator.run_direct(None, typed, false).await);
        run.map_err(|error| broken(&error))?;
        self.prepare(&mut connection).await.map_err(|error| broken(&error))?;
        Ok(connection)
    }

    /// It notes no changes: it follows those of the database.
    async fn prepare(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let question = SqlStr::from_static("SELECT name FROM sqlite_master WHERE type = 'trigger'");
        let triggers: Vec<(String,)> = connection.rows(question, &[]).await?;
        for (name,) in triggers {
            connection.run(numbered(Backend::Sqlite, format!("DROP TRIGGER {name}"))).await?;
        }
        let mark = "CREATE TABLE IF NOT EXISTS replica_mark (\
                    origin TEXT NOT NULL PRIMARY KEY, low INTEGER NOT NULL, high INTEGER NOT NULL, current_at TEXT NOT NULL)";
        connection.run(SqlStr::from_static(mark)).await
    }

    /// Reads every page, on a connection that remembers none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) async fn check(&self) -> Result<(), String> {
        let mut connection = self.address().connect(Session::Work).await.map_err(|error| error.to_string())?;
        let found: Result<Vec<(String,)>, _> = connection.rows(SqlStr::from_static("PRAGMA quick_check(1)"), &[]).await;
        match found {
            Ok(rows) if rows.iter().all(|(row,)| row == "ok") => Ok(()),
            Ok(rows) => Err(rows.into_iter().map(|(row,)| row).collect::<Vec<_>>().join(", ")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Its mark; `None` when it was never filled.
    pub(super) async fn mark(connection: &mut Connection) -> Result<Option<Mark>, sqlx::Error> {
        let question = SqlStr::from_static("SELECT origin, low, high, current_at FROM replica_mark");
        let rows: Vec<(String, i64, i64, String)> = connection.rows(question, &[]).await?;
        Ok(rows.into_iter().next().map(|(origin, low, high, current_at)| Mark {
            origin,
            low,
            high,
            current_at: NaiveDateTime::parse_from_str(&current_at, TIME).map(|time| time.and_utc()).unwrap_or_default(),
        }))
    }

    /// Writes its mark, within the transaction that brought it there.
    pub(super) async fn set_mark(connection: &mut Connection, mark: &Mark) -> Result<(), sqlx::Error> {
        connection.execute(SqlStr::from_static("DELETE FROM replica_mark"), &[]).await?;
        let text = "INSERT INTO replica_mark (origin, low, high, current_at) VALUES (?, ?, ?, ?)";
        let current_at = mark.current_at.format(TIME).to_string();
        let values = [
            mark.origin.as_str().into(),
            Value::Integer(Some(mark.low)),
            Value::Integer(Some(mark.high)),
            current_at.as_str().into(),
        ];
        connection.execute(SqlStr::from_static(text), &values).await.map(drop)
    }

    /// Bytes on the disk.
    pub(super) fn bytes(&self) -> u64 {
        self.parts().iter().filter_map(|path| fs::metadata(path).ok()).map(|metadata| metadata.len()).sum()
    }

    /// Removes it.
    pub(super) fn remove(&self) {
        for path in self.parts() {
            // Some are not there, and what stays is removed at the next start.
            let _ = fs::remove_file(path);
        }
    }

    /// Keeps it for whoever wants to know what happened, in the place of one that was kept before.
    pub(super) fn put_aside(&self) {
        let aside = self.path.with_file_name(DAMAGED);
        if let Err(error) = fs::rename(&self.path, &aside) {
            tracing::warn!(file = %self.path.display(), %error, "a damaged replica could not be put aside; it is removed");
        }
        self.remove();
    }

    /// The file and those that SQLite keeps beside it.
    fn parts(&self) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|suffix| {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            name.into()
        })
    }
}
