//! Fills a new file with everything that the database has, as it is at one moment.

use std::path::Path;

use chrono::{TimeDelta, Utc};
use sqlx::SqlStr;
use tokio::time::Instant;

use super::central::{ask, changes_after, remote, usable_versions};
use super::file::{File, Mark};
use super::kept::{Kept, local};
use super::table::TABLES;
use crate::store::StoreError;
use crate::store::connection::Connection;
use crate::store::statement::{Backend, CHANGES_BEFORE, numbered};
use crate::store::time::Time;

/// No transaction lasts longer, so changes that are older are all seen.
const LONGEST_TRANSACTION: TimeDelta = TimeDelta::hours(1);

/// A new file in `folder`, filled; and the numbers of those late changes that are in it.
pub(super) async fn fill(
    folder: &Path,
    central: &mut Connection,
    origin: String,
) -> Result<(Kept, Vec<i64>), StoreError> {
    let started = Instant::now();
    let file = File::new(folder);
    let connection = file.open().await?;
    let mut kept = Kept::with(file, connection, Mark::default()).await?;
    match copy_all(central, &mut kept, origin).await {
        Ok(seen) => {
            let seconds = started.elapsed().as_secs_f64();
            tracing::info!(seconds, bytes = kept.file.bytes(), "the replica is filled");
            Ok((kept, seen))
        }
        Err(error) => {
            kept.file.remove();
            Err(error)
        }
    }
}

async fn copy_all(central: &mut Connection, kept: &mut Kept, origin: String) -> Result<Vec<i64>, StoreError> {
    // What the migrations put into a new database is here already.
    for table in TABLES {
        let text = numbered(Backend::Sqlite, format!("DELETE FROM {}", table.name));
        kept.connection.lock().await.run(text).await.map_err(|error| local(&error))?;
    }
    central.begin_snapshot().await.map_err(|error| remote("beginning to copy", &error))?;
    let current_at = Utc::now();
    let before = [Time(current_at - LONGEST_TRANSACTION).into()];
    let low: Vec<(i64,)> = ask(central, &CHANGES_BEFORE, &before).await?;
    let low = low.first().map_or(0, |(low,)| *low);
    let seen: Vec<i64> = changes_after(central, low).await?.into_iter().map(|change| change.id).collect();
    for table in TABLES {
        let copied = kept.columns(table)?.copy(central, &kept.connection, None).await;
        copied.map_err(|error| remote(table.name, &error))?;
    }
    for id in usable_versions(central).await? {
        kept.load_version(central, id).await?;
    }
    central.commit().await.map_err(|error| remote("copying", &error))?;
    let high = seen.last().copied().unwrap_or(low);
    kept.mark = Mark { origin, low, high, current_at };
    let mut connection = kept.connection.lock().await;
    File::set_mark(&mut connection, &kept.mark).await.map_err(|error| local(&error))?;
    let tidy = connection.run(SqlStr::from_static("PRAGMA wal_checkpoint(TRUNCATE)")).await;
    tidy.map_err(|error| local(&error))?;
    Ok(seen)
}
