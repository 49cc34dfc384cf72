//! Copies rows: reads them from the database, writes them into the replica.

use std::time::Duration;

use sqlx::SqlStr;
use tokio::sync::Mutex;

use super::table::Table;
use crate::store::connection::{Connection, Value};
use crate::store::datum::{Datum, Datums};
use crate::store::statement::{Backend, numbered};

/// Rows that are read before they are written.
const PIECE: usize = 2000;
/// For the server to find the next of them.
const PATIENCE: Duration = Duration::from_secs(60);
/// Units of a question, and rows of an INSERT: few sizes, since each statement stays prepared.
const SIZES: [usize; 3] = [200, 20, 1];
/// SQLite's most parameters of a statement.
const PARAMETERS: usize = 32_766;

/// A key of a unit: values of the table's key columns.
pub(super) type Key = (String, String);

/// A table with its columns, as both sides have them.
#[derive(Debug)]
pub(super) struct Columns {
    table: &'static Table,
    names: Vec<String>,
}

impl Columns {
    /// The columns that the replica's schema has.
    pub(super) async fn of(table: &'static Table, replica: &mut Connection) -> Result<Columns, sqlx::Error> {
        let question = numbered(Backend::Sqlite, "SELECT name FROM pragma_table_info($1) ORDER BY cid".to_owned());
        let names: Vec<(String,)> = replica.rows(question, &[table.name.into()]).await?;
        Ok(Columns { table, names: names.into_iter().map(|(name,)| name).collect() })
    }

    fn select(&self, condition: &str, backend: Backend) -> SqlStr {
        numbered(backend, format!("SELECT {} FROM {}{condition}", self.names.join(", "), self.table.name))
    }

    /// Copies every row, or those of one deck version.
    pub(super) async fn copy(
        &self,
        central: &mut Connection,
        replica: &Mutex<Connection>,
        deck_version_id: Option<i64>,
    ) -> Result<(), sqlx::Error> {
        let (condition, value) = match deck_version_id {
            Some(id) => (" WHERE deck_version_id = $1", vec![Value::Integer(Some(id))]),
            None => ("", Vec::new()),
        };
        let text = self.select(condition, central.backend());
        let sink = async |rows: Vec<Datums>| {
            let mut replica = replica.lock().await;
            replica.begin().await?;
            self.insert(&mut replica, &rows).await?;
            replica.commit().await
        };
        central.pieces(text, &value, PIECE, PATIENCE, sink).await
    }

    /// Reads the rows of these units.
    pub(super) async fn read(&self, central: &mut Connection, keys: &[Key]) -> Result<Vec<Datums>, sqlx::Error> {
        let mut rows = Vec::new();
        let mut rest = keys;
        while !rest.is_empty() {
            let size = SIZES.into_iter().find(|size| *size <= rest.len()).unwrap_or(1);
            let (these, more) = rest.split_at_checked(size).unwrap_or((rest, &[]));
            let mut next = 0;
            let units: Vec<String> = these.iter().map(|_| self.unit(&mut next)).collect();
            let text = self.select(&format!(" WHERE {}", units.join(" OR ")), central.backend());
            let values: Vec<Value<'_>> = these.iter().flat_map(|key| self.values(key)).collect();
            central
                .pieces(text, &values, PIECE, PATIENCE, async |piece| {
                    rows.extend(piece);
                    Ok(())
                })
                .await?;
            rest = more;
        }
        Ok(rows)
    }

    /// Puts `rows` in the place of what the replica has of these units.
    pub(super) async fn replace(
        &self,
        replica: &mut Connection,
        keys: &[Key],
        rows: &[Datums],
    ) -> Result<(), sqlx::Error> {
        let unit = self.unit(&mut 0);
        let delete = numbered(Backend::Sqlite, format!("DELETE FROM {} WHERE {unit}", self.table.name));
        for key in keys {
            replica.execute(delete.clone(), &self.values(key).collect::<Vec<_>>()).await?;
        }
        self.insert(replica, rows).await
    }

    /// `(a = $1 AND b = $2)`, with the parameters after `next`.
    fn unit(&self, next: &mut usize) -> String {
        let mut equals = |name: &&str| {
            *next += 1;
            format!("{name} = ${next}")
        };
        format!("({})", self.table.keys.iter().map(&mut equals).collect::<Vec<_>>().join(" AND "))
    }

    fn values<'a>(&self, (first, second): &'a Key) -> impl Iterator<Item = Value<'a>> {
        let first = if self.table.numeric { Value::Integer(first.parse().ok()) } else { first.as_str().into() };
        let second = (self.table.keys.len() > 1).then(|| Value::from(second.as_str()));
        [Some(first), second].into_iter().flatten()
    }

    async fn insert(&self, replica: &mut Connection, rows: &[Datums]) -> Result<(), sqlx::Error> {
        let most = PARAMETERS / self.names.len().max(1);
        let mut rest = rows;
        while !rest.is_empty() {
            let size = SIZES.into_iter().find(|size| *size <= rest.len().min(most)).unwrap_or(1);
            let (these, more) = rest.split_at_checked(size).unwrap_or((rest, &[]));
            let row = format!("({})", vec!["?"; self.names.len()].join(", "));
            let text = format!(
                "INSERT OR REPLACE INTO {} ({}) VALUES {}",
                self.table.name,
                self.names.join(", "),
                vec![row; these.len()].join(", ")
            );
            let values: Vec<Value<'_>> = these.iter().flat_map(|row| row.0.iter().map(Datum::value)).collect();
            replica.execute(numbered(Backend::Sqlite, text), &values).await?;
            rest = more;
        }
        Ok(())
    }
}
