//! The file that is kept: its connection, its tables, and the versions of decks in it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqlStr;
use tokio::sync::Mutex;

use super::central::remote;
use super::copy::Columns;
use super::file::{File, Mark};
use super::table::{DECK_VERSIONS, RATES, TABLES, Table};
use crate::store::StoreError;
use crate::store::connection::{Connection, Value};
use crate::store::statement::{Backend, numbered};

/// Rates removed in one transaction.
const DROPPED: usize = 2000;

/// The file that is kept.
pub(super) struct Kept {
    pub(super) file: File,
    pub(super) connection: Mutex<Connection>,
    pub(super) columns: BTreeMap<&'static str, Columns>,
    pub(super) mark: Mark,
}

impl Kept {
    /// Opens a file; `None` when it was never filled.
    pub(super) async fn open(file: File) -> Result<Option<Kept>, StoreError> {
        let mut connection = file.open().await?;
        let mark = File::mark(&mut connection).await.map_err(|error| local(&error))?;
        let kept = Kept::with(file, connection, mark.clone().unwrap_or_default()).await?;
        Ok(mark.map(|_| kept))
    }

    /// With a connection that is open.
    pub(super) async fn with(file: File, mut connection: Connection, mark: Mark) -> Result<Kept, StoreError> {
        let mut columns = BTreeMap::new();
        for table in [&RATES, &DECK_VERSIONS].into_iter().chain(TABLES) {
            columns.insert(table.name, Columns::of(table, &mut connection).await.map_err(|error| local(&error))?);
        }
        Ok(Kept { file, connection: Mutex::new(connection), columns, mark })
    }

    /// How a table is copied.
    pub(super) fn columns(&self, table: &'static Table) -> Result<&Columns, StoreError> {
        self.columns
            .get(table.name)
            .ok_or_else(|| StoreError::Broken(format!("the replica has no table {}", table.name)))
    }

    /// The versions of decks whose rates are all there.
    pub(super) async fn versions(&self) -> Result<BTreeSet<i64>, StoreError> {
        let question = SqlStr::from_static("SELECT id FROM deck_versions");
        let rows: Vec<(i64,)> =
            self.connection.lock().await.rows(question, &[]).await.map_err(|error| local(&error))?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Removes a version, then its rates bit by bit.
    pub(super) async fn drop_version(&self, id: i64) -> Result<(), StoreError> {
        let version = SqlStr::from_static("DELETE FROM deck_versions WHERE id = ?");
        let id = [Value::Integer(Some(id))];
        self.connection.lock().await.execute(version, &id).await.map_err(|error| local(&error))?;
        let text = format!(
            "DELETE FROM rates WHERE (deck_version_id, prefix, effective_at) IN \
             (SELECT deck_version_id, prefix, effective_at FROM rates WHERE deck_version_id = ? LIMIT {DROPPED})"
        );
        let rates = numbered(Backend::Sqlite, text);
        loop {
            let gone = self.connection.lock().await.execute(rates.clone(), &id).await;
            if gone.map_err(|error| local(&error))? == 0 {
                return Ok(());
            }
        }
    }

    /// Copies a version that is complete.
    pub(super) async fn load_version(&self, central: &mut Connection, id: i64) -> Result<(), StoreError> {
        // Of a copy that was broken off.
        self.drop_version(id).await?;
        let copied = self.columns(&RATES)?.copy(central, &self.connection, Some(id)).await;
        copied.map_err(|error| remote("copying rates", &error))?;
        let keys = [(id.to_string(), String::new())];
        let columns = self.columns(&DECK_VERSIONS)?;
        let rows = columns.read(central, &keys).await.map_err(|error| remote("reading a deck version", &error))?;
        let mut connection = self.connection.lock().await;
        columns.replace(&mut connection, &keys, &rows).await.map_err(|error| local(&error))
    }
}

/// What it means that the file failed.
pub(super) fn local(error: &sqlx::Error) -> StoreError {
    StoreError::Broken(format!("the replica cannot be written: {error}"))
}
