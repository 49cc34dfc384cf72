//! What the keeper asks of the database.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::time::timeout;

use crate::store::StoreError;
use crate::store::connection::{Connection, Record, Value};
use crate::store::failure::Failure;
use crate::store::statement::{CHANGES_AFTER, CHANGES_BOUNDS, DELETE_OLD_CHANGES, Statement, USABLE_DECK_VERSIONS};
use crate::store::time::Time;

/// How long the database keeps changes.
const KEPT: TimeDelta = TimeDelta::days(7);
/// Changes removed in one statement.
const PRUNED: i64 = 10_000;
/// For the answer to a question of the keeper.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A change: which rows of which table may differ now.
#[derive(sqlx::FromRow)]
pub(super) struct Change {
    pub(super) id: i64,
    pub(super) table_name: String,
    pub(super) key_1: String,
    pub(super) key_2: String,
}

/// All changes after one, page by page.
pub(super) async fn changes_after(central: &mut Connection, low: i64) -> Result<Vec<Change>, StoreError> {
    let mut all: Vec<Change> = Vec::new();
    loop {
        let last = all.last().map_or(low, |change| change.id);
        let page: Vec<Change> = ask(central, &CHANGES_AFTER, &[Value::Integer(Some(last))]).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// The versions of decks that are in force now, or will be.
pub(super) async fn usable_versions(central: &mut Connection) -> Result<BTreeSet<i64>, StoreError> {
    let now = Time(Utc::now());
    let rows: Vec<(i64,)> = ask(central, &USABLE_DECK_VERSIONS, &[now.into(), now.into()]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The least and the greatest number of a change.
pub(super) async fn bounds(central: &mut Connection) -> Result<(i64, i64), StoreError> {
    let rows: Vec<(i64, i64)> = ask(central, &CHANGES_BOUNDS, &[]).await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// Removes changes that every node has followed, or will never: it would be filled anew.
pub(super) async fn prune(central: &mut Connection) -> Result<(), StoreError> {
    loop {
        let (least, _) = bounds(central).await?;
        let values = [Value::Integer(Some(least + PRUNED)), Time(Utc::now() - KEPT).into()];
        let text = DELETE_OLD_CHANGES.text(central.backend());
        let gone = timeout(PATIENCE, central.execute(text, &values)).await;
        match gone {
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(remote("removing old changes", &error)),
            Err(_) => return Err(StoreError::Slow("removing old changes took too long".to_owned())),
        }
    }
}

/// A question, and its answer in time.
pub(super) async fn ask<R: Record>(
    central: &mut Connection,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<Vec<R>, StoreError> {
    let text = statement.text(central.backend());
    match timeout(PATIENCE, central.rows(text, values)).await {
        Ok(rows) => rows.map_err(|error| remote(statement.name, &error)),
        Err(_) => Err(StoreError::Slow(format!("the database did not answer {} in time", statement.name))),
    }
}

/// What it means that the database failed.
pub(super) fn remote(what: &str, error: &sqlx::Error) -> StoreError {
    Failure::of_question("the database", what, error).error
}
