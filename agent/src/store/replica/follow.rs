//! Follows the changes of the database, one look after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::central::{Change, PATIENCE, ask, changes_after, prune, remote, usable_versions};
use super::copy::{Columns, Key};
use super::file::{File, Mark};
use super::followed::Followed;
use super::kept::{Kept, local};
use super::table::{DECK_VERSIONS, RATES, Table};
use crate::store::StoreError;
use crate::store::connection::{Connection, Value};
use crate::store::datum::Datums;
use crate::store::statement::{CHANGES_AFTER, CHANGES_BETWEEN};

/// Between two times of writing down that the replica is current, when nothing changed.
const MARK_EVERY: Duration = Duration::from_secs(60);
/// Between two looks at which versions of decks are in force.
const VERSIONS_EVERY: Duration = Duration::from_secs(60);
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// Changes of a page of `changes_after.sql`.
const PAGE: usize = 10_000;

/// How far a replica has followed.
pub(super) struct Follower {
    /// What was last written down.
    pub(super) mark: Mark,
    followed: Followed,
    marked: Instant,
    versions_seen: Option<Instant>,
    pruned: Option<Instant>,
    /// Versions that are being copied.
    loading: BTreeSet<i64>,
    /// Rates that changed while their version was copied.
    deferred: Vec<Key>,
    wanted: mpsc::UnboundedSender<i64>,
}

/// What a look brought.
pub(super) struct Look {
    /// Tables that changed, and the first parts of the keys.
    pub(super) tables: Vec<(&'static str, Vec<String>)>,
    /// Whether there may be more.
    pub(super) more: bool,
}

/// Rows that take the place of what the replica has of some units of a table.
struct Fresh<'a> {
    table: &'static str,
    columns: &'a Columns,
    keys: Vec<Key>,
    rows: Vec<Datums>,
}

impl Follower {
    /// Follows from `mark` on; of the changes after it, those in `seen` are in the replica. Versions that are to be copied are sent to
    /// `wanted`.
    pub(super) fn new(mark: Mark, seen: Vec<i64>, wanted: mpsc::UnboundedSender<i64>) -> Follower {
        Follower {
            followed: Followed::up_to(mark.low, seen),
            mark,
            marked: Instant::now(),
            versions_seen: None,
            pruned: None,
            loading: BTreeSet::new(),
            deferred: Vec::new(),
            wanted,
        }
    }

    /// Follows what changed since the last look.
    pub(super) async fn look(&mut self, kept: &Kept, central: &mut Connection) -> Result<Look, StoreError> {
        let current_at = Utc::now();
        timeout(PATIENCE, central.begin_snapshot())
            .await
            .map_err(|_| StoreError::Slow("the database does not answer the replica".to_owned()))?
            .map_err(|error| remote("looking for changes", &error))?;
        let mut changes = self.changes(central).await?;
        let more = changes.len() >= PAGE;
        changes.retain(|change| self.followed.is_new(change.id));
        let units = self.units(&changes, &kept.versions().await?);
        let due = self.versions_seen.is_none_or(|seen| seen.elapsed() >= VERSIONS_EVERY);
        let usable = if due || units.contains_key(DECK_VERSIONS.name) || !self.loading.is_empty() {
            Some(usable_versions(central).await?)
        } else {
            None
        };
        let mut fresh = Vec::new();
        for (table, keys) in units.into_iter().filter(|(_, keys)| !keys.is_empty()) {
            let Some(known) = Table::named(table) else { continue };
            let (columns, keys) = (kept.columns(known)?, Vec::from_iter(keys));
            let rows = columns.read(central, &keys).await.map_err(|error| remote(table, &error))?;
            fresh.push(Fresh { table, columns, keys, rows });
        }
        central.commit().await.map_err(|error| remote("looking for changes", &error))?;

        let high = changes.iter().map(|change| change.id).fold(self.followed.high(), i64::max);
        if !fresh.is_empty() || self.marked.elapsed() >= MARK_EVERY {
            self.mark = Mark { low: self.followed.low(), high, current_at, ..self.mark.clone() };
            self.write(kept, &fresh).await.map_err(|error| local(&error))?;
            self.marked = Instant::now();
        }
        for change in changes {
            self.followed.see(change.id);
        }
        self.followed.forget(Instant::now());
        if let Some(usable) = usable {
            self.versions_seen = Some(Instant::now());
            self.follow_versions(kept, &usable).await?;
        }
        if self.pruned.is_none_or(|pruned| pruned.elapsed() >= PRUNE_EVERY) {
            self.pruned = Some(Instant::now());
            prune(central).await?;
        }
        let tables = fresh.into_iter().map(|fresh| {
            let mut keys: Vec<String> = fresh.keys.into_iter().map(|(first, _)| first).collect();
            keys.dedup();
            (fresh.table, keys)
        });
        Ok(Look { tables: tables.collect(), more })
    }

    /// What was noted since, and what came in between: of transactions that took longer.
    async fn changes(&self, central: &mut Connection) -> Result<Vec<Change>, StoreError> {
        let (low, high) = (self.followed.low(), self.followed.high());
        let bounds = [Value::Integer(Some(low)), Value::Integer(Some(high))];
        let between: Vec<(i64,)> = ask(central, &CHANGES_BETWEEN, &bounds).await?;
        if between.first().map_or(0, |(count,)| *count) != self.followed.count() {
            return changes_after(central, low).await;
        }
        ask(central, &CHANGES_AFTER, &[Value::Integer(Some(high))]).await
    }

    /// What is to be read anew, by table. Of a version that is not here yet nothing is: it is copied as a whole.
    fn units(&mut self, changes: &[Change], loaded: &BTreeSet<i64>) -> BTreeMap<&'static str, BTreeSet<Key>> {
        let mut units: BTreeMap<&'static str, BTreeSet<Key>> = BTreeMap::new();
        for key in std::mem::take(&mut self.deferred) {
            units.entry(RATES.name).or_default().insert(key);
        }
        for change in changes {
            let Some(table) = Table::named(&change.table_name) else { continue };
            let key = (change.key_1.clone(), change.key_2.clone());
            units.entry(table.name).or_default().insert(key);
        }
        let is_of = |key: &Key, versions: &BTreeSet<i64>| key.0.parse().is_ok_and(|id| versions.contains(&id));
        if let Some(rates) = units.get_mut(RATES.name) {
            self.deferred = rates.iter().filter(|key| is_of(key, &self.loading)).cloned().collect();
            rates.retain(|key| is_of(key, loaded));
        }
        if let Some(versions) = units.get_mut(DECK_VERSIONS.name) {
            versions.retain(|key| is_of(key, loaded));
        }
        units
    }

    /// All of it, and how far that is, or nothing.
    async fn write(&self, kept: &Kept, fresh: &[Fresh<'_>]) -> Result<(), sqlx::Error> {
        let mut replica = kept.connection.lock().await;
        replica.begin().await?;
        for Fresh { columns, keys, rows, .. } in fresh {
            columns.replace(&mut replica, keys, rows).await?;
        }
        File::set_mark(&mut replica, &self.mark).await?;
        replica.commit().await
    }

    /// Has the versions copied that are missing; when none is, the others go.
    async fn follow_versions(&mut self, kept: &Kept, usable: &BTreeSet<i64>) -> Result<(), StoreError> {
        let loaded = kept.versions().await?;
        self.loading.retain(|id| !loaded.contains(id));
        for id in usable.difference(&loaded) {
            if self.loading.insert(*id) {
                // The receiver lives as long as this side.
                let _ = self.wanted.send(*id);
            }
        }
        if self.loading.is_empty() {
            for id in loaded.difference(usable) {
                kept.drop_version(*id).await?;
            }
        }
        Ok(())
    }
}
