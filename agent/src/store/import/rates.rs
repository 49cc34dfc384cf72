//! Import of a deck: a file of rates becomes a new version of it.
//!
//! The version's rows are committed in chunks (a Galera cluster takes no giant transaction) while the version is
//! marked incomplete, and no question sees it. The last statement marks it complete. What a killed import left
//! behind is removed by the next one.

use std::io::{Read, Seek};

use chrono::{DateTime, TimeDelta, Utc};
use csv::StringRecord;
use sqlx::SqlStr;

use super::field::Field;
use super::rate_row::{RateReader, RateRow};
use super::write::failed;
use super::{Faults, ImportError, Imported, csv_reader, line_of, malformed};
use crate::store::address::Session;
use crate::store::connection::{Connection, Value};
use crate::store::statement::{
    COMPLETE_DECK_VERSION, COUNT_RATES, DECK, DELETE_DECK_VERSION, DELETE_RATES, INCOMPLETE_DECK_VERSIONS, INSERT_DECK,
    INSERT_DECK_VERSION, INSERT_RATE, Known, NEXT_DECK_VERSION, RATE_AT, Statement,
};
use crate::store::time::Time;
use crate::store::{Store, StoreError};

/// Rows of one INSERT.
const BATCH: usize = 500;
/// Rows of one transaction.
const CHUNK: usize = 20 * BATCH;
/// Incomplete versions of other decks may be imports that still run; after this time they are not.
const ABANDONED: TimeDelta = TimeDelta::hours(24);

/// What a file of rates is.
#[derive(Debug, Clone)]
pub struct RateFile {
    /// Id of the deck; a new one is made when there is none.
    pub deck: String,
    /// Its currency: by default the deck's, or USD for a new one.
    pub currency: Option<String>,
    /// When the new version comes into force.
    pub effective: DateTime<Utc>,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows checked; nothing is written yet.
    Checking {
        /// So far.
        rows: u64,
    },
    /// Rows written, and not yet in force.
    Writing {
        /// So far.
        rows: u64,
        /// Of the file.
        total: u64,
    },
}

impl Store {
    /// Makes a file of rates the version of a deck that comes into force at `rates.effective`: the whole file, or nothing.
    ///
    /// # Errors
    /// `Rows` with every bad row; `File` when it cannot be read; `Store` when the database fails.
    pub async fn import_rates(
        &self,
        rates: &RateFile,
        mut file: impl Read + Seek,
        mut progress: impl FnMut(Stage),
    ) -> Result<Imported, ImportError> {
        let id = |field: Field, text: &str, what: &str| {
            field.read(text).map_err(|reason| ImportError::File(format!("{what}: {reason}")))
        };
        id(Field::Id, &rates.deck, "deck")?;
        rates.currency.as_ref().map_or(Ok(()), |currency| id(Field::Currency, currency, "currency").map(drop))?;
        let total = check(&mut file, rates.effective, &mut progress)?;
        file.rewind().map_err(|error| ImportError::File(error.to_string()))?;

        let connection = self.hosts.open(Session::Work).await?;
        let mut import = Import { connection };
        let outcome = import.run(rates, total, file, &mut progress).await;
        outcome.map_err(|error| match error {
            Interrupted::Import(error) => error,
            Interrupted::Database(error) => failed("rates", &error).into(),
        })
    }
}

/// Reads the whole file once, and returns how many rows it has. Of each row it keeps what tells it from others, in 24 bytes.
fn check(file: impl Read, effective: DateTime<Utc>, progress: &mut impl FnMut(Stage)) -> Result<u64, ImportError> {
    let mut reader = csv_reader(file);
    let rows = RateReader::new(reader.headers().map_err(|error| ImportError::File(error.to_string()))?, effective)?;
    let mut faults = Faults::default();
    let mut seen: Vec<(u64, i64, u64)> = Vec::new();
    let mut record = StringRecord::new();
    loop {
        let read = reader.read_record(&mut record);
        let line = line_of(&reader, &record);
        match read {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                faults.add(line, malformed(&error)?);
                continue;
            }
        }
        match rows.read(&record) {
            // A leading 1 keeps the zeros of prefixes apart.
            Ok(row) => {
                seen.push((format!("1{}", row.prefix).parse().unwrap_or_default(), row.effective_at.timestamp(), line))
            }
            Err(reason) => faults.add(line, reason),
        }
        if seen.len().is_multiple_of(CHUNK) {
            progress(Stage::Checking { rows: seen.len() as u64 });
        }
    }
    let total = seen.len() as u64;
    seen.sort_unstable();
    for pair in seen.windows(2) {
        if let [(prefix, begins, first), (other, other_begins, line)] = pair
            && (prefix, begins) == (other, other_begins)
        {
            let prefix = prefix.to_string().split_off(1);
            faults.add(*line, format!("prefix: {prefix} stands already on line {first}, from the same time"));
        }
    }
    if total == 0 && faults.total == 0 {
        return Err(ImportError::File("the file has no rates".to_owned()));
    }
    faults.refuse()?;
    Ok(total)
}

enum Interrupted {
    Import(ImportError),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Interrupted {
    fn from(error: sqlx::Error) -> Self {
        Interrupted::Database(error)
    }
}

impl From<ImportError> for Interrupted {
    fn from(error: ImportError) -> Self {
        Interrupted::Import(error)
    }
}

fn refused(reason: String) -> Interrupted {
    Interrupted::Import(ImportError::Store(StoreError::Broken(reason)))
}

struct Import {
    connection: Connection,
}

impl Import {
    async fn run(
        &mut self,
        rates: &RateFile,
        total: u64,
        file: impl Read,
        progress: &mut impl FnMut(Stage),
    ) -> Result<Imported, Interrupted> {
        self.deck(rates).await?;
        self.remove_leftovers(&rates.deck).await?;
        let version = self.begin_version(rates).await?;
        let outcome = self.fill(version, rates, total, file, progress).await;
        if outcome.is_err()
            && let Err(error) = self.give_up(version).await
        {
            tracing::warn!(version, %error, "rates of a failed import stay, unused, until the next import removes them");
        }
        outcome?;
        Ok(Imported { rows: total, deck_version_id: Some(version) })
    }

    async fn rows<R: crate::store::connection::Record>(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<R>, sqlx::Error> {
        let text = statement.text(self.connection.backend());
        self.connection.rows(text, values).await
    }

    async fn execute(&mut self, statement: &'static Statement, values: &[Value<'_>]) -> Result<u64, sqlx::Error> {
        let text = statement.text(self.connection.backend());
        self.connection.execute(text, values).await
    }

    /// Finds or makes the deck, whose currency must be the one asked for.
    async fn deck(&mut self, rates: &RateFile) -> Result<(), Interrupted> {
        let (deck, wanted) = (rates.deck.as_str(), rates.currency.as_ref().map(|code| code.to_ascii_uppercase()));
        let found: Vec<(String,)> = self.rows(&DECK, &[deck.into()]).await?;
        match (found.first(), &wanted) {
            (Some((currency,)), Some(wanted)) if currency != wanted => {
                Err(refused(format!("the deck {deck:?} is in {currency}, not in {wanted}")))
            }
            (Some(_), _) => Ok(()),
            (None, wanted) => {
                let currency = wanted.as_deref().unwrap_or("USD");
                let made = self.execute(&INSERT_DECK, &[deck.into(), deck.into(), currency.into()]).await;
                made.map(drop).map_err(|error| match &error {
                    sqlx::Error::Database(database) if database.is_foreign_key_violation() => {
                        refused(format!("there is no currency {currency:?}; import it first"))
                    }
                    _ => error.into(),
                })
            }
        }
    }

    async fn remove_leftovers(&mut self, deck: &str) -> Result<(), sqlx::Error> {
        let abandoned = Time(Utc::now() - ABANDONED);
        let versions: Vec<(i64,)> = self.rows(&INCOMPLETE_DECK_VERSIONS, &[deck.into(), abandoned.into()]).await?;
        for (version,) in versions {
            tracing::info!(version, "removing the rates of an import that never finished");
            self.remove(version).await?;
        }
        Ok(())
    }

    /// Removes what a failed import has written.
    async fn give_up(&mut self, version: i64) -> Result<(), sqlx::Error> {
        // It failed within a transaction, or outside one: then SQLite calls this an error, and nothing is lost.
        let _ = self.connection.roll_back().await;
        self.remove(version).await
    }

    /// Removes a version, chunk by chunk.
    async fn remove(&mut self, version: i64) -> Result<(), sqlx::Error> {
        let id = Value::Integer(Some(version));
        loop {
            let rows: Vec<(String,)> = self.rows(&RATE_AT, &[id, Value::Integer(Some(CHUNK as i64))]).await?;
            let end = rows.into_iter().next().map(|(prefix,)| prefix);
            // A letter comes after every digit, in every collation.
            let before = end.as_deref().unwrap_or("a");
            self.execute(&DELETE_RATES, &[id, before.into()]).await?;
            if end.is_none() {
                break;
            }
        }
        self.execute(&DELETE_DECK_VERSION, &[id]).await.map(drop)
    }

    /// Numbers rise, so that of two versions with one date the later import holds.
    async fn begin_version(&mut self, rates: &RateFile) -> Result<i64, Interrupted> {
        let (effective, now) = (Time(rates.effective), Time(Utc::now()));
        for _ in 0..5 {
            let next: Vec<(i64,)> = self.rows(&NEXT_DECK_VERSION, &[]).await?;
            let version = next.first().map_or(1, |(next,)| *next);
            let values = [
                Value::Integer(Some(version)),
                rates.deck.as_str().into(),
                effective.into(),
                now.into(),
                Value::Flag(false),
            ];
            match self.execute(&INSERT_DECK_VERSION, &values).await {
                Ok(_) => return Ok(version),
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(refused("other imports take every new version number; try again".to_owned()))
    }

    async fn fill(
        &mut self,
        version: i64,
        rates: &RateFile,
        total: u64,
        file: impl Read,
        progress: &mut impl FnMut(Stage),
    ) -> Result<(), Interrupted> {
        let changed = || ImportError::File("the file changed while it was imported".to_owned());
        let mut reader = csv_reader(file);
        let rows = RateReader::new(reader.headers().map_err(|_| changed())?, rates.effective)?;
        let full = INSERT_RATE.rows(self.connection.backend(), BATCH, Known::Refuse);
        let mut batch: Vec<RateRow> = Vec::with_capacity(BATCH);
        let mut record = StringRecord::new();
        let mut written = 0;
        self.connection.begin().await?;
        while reader.read_record(&mut record).map_err(|_| changed())? {
            batch.push(rows.read(&record).map_err(|_| changed())?);
            if batch.len() == BATCH {
                self.insert(version, &batch, full.clone()).await?;
                written += batch.len();
                batch.clear();
                if written.is_multiple_of(CHUNK) {
                    self.connection.commit().await?;
                    progress(Stage::Writing { rows: written as u64, total });
                    self.connection.begin().await?;
                }
            }
        }
        if !batch.is_empty() {
            let text = INSERT_RATE.rows(self.connection.backend(), batch.len(), Known::Refuse);
            self.insert(version, &batch, text).await?;
        }
        self.connection.commit().await?;
        progress(Stage::Writing { rows: total, total });
        let count: Vec<(i64,)> = self.rows(&COUNT_RATES, &[Value::Integer(Some(version))]).await?;
        let count = count.first().map_or(0, |(count,)| *count);
        if u64::try_from(count) != Ok(total) {
            return Err(refused(format!("{count} of {total} rates arrived; another import of this deck runs")));
        }
        match self.execute(&COMPLETE_DECK_VERSION, &[Value::Integer(Some(version))]).await? {
            1 => Ok(()),
            _ => Err(refused("another import of this deck removed this one".to_owned())),
        }
    }

    async fn insert(&mut self, version: i64, rows: &[RateRow], text: SqlStr) -> Result<(), sqlx::Error> {
        let mut values = Vec::with_capacity(rows.len() * 10);
        for row in rows {
            let integer = |number| Value::Integer(Some(number));
            values.extend([
                integer(version),
                row.prefix.as_str().into(),
                Time(row.effective_at).into(),
                Value::Time(row.expires_at.map(Time)),
                row.destination.as_str().into(),
                integer(row.per_minute),
                integer(row.connect_fee),
                integer(row.initial_seconds),
                integer(row.increment_seconds),
                Value::Flag(row.blocked),
            ]);
        }
        self.connection.execute(text, &values).await.map(drop)
    }
}
