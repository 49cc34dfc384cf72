//! Fills the replica and follows the changes of the database.
//!
//! Versions of decks are large, and are not in force before they are complete: `loader` copies each beside the changes, which go on
//! meanwhile, and the version appears in the replica when all of its rates are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use sqlx::SqlStr;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep, timeout};

use super::copy::{Columns, Key};
use super::file::{File, Mark};
use super::followed::Followed;
use super::table::{DECK_VERSIONS, RATES, TABLES, Table};
use super::{Replica, ReplicaState};
use crate::store::address::Session;
use crate::store::connection::{Connection, Value};
use crate::store::failure::Failure;
use crate::store::hosts::Hosts;
use crate::store::statement::{
    Backend, CHANGES_AFTER, CHANGES_BEFORE, CHANGES_BETWEEN, CHANGES_BOUNDS, DATA_ORIGIN, DELETE_OLD_CHANGES,
    Statement, USABLE_DECK_VERSIONS, numbered,
};
use crate::store::time::Time;
use crate::store::{Store, StoreError};

/// How long the database keeps changes.
const KEPT: TimeDelta = TimeDelta::days(7);
/// A replica that is older is filled anew.
const TOO_OLD: TimeDelta = TimeDelta::days(6);
/// No transaction lasts longer, so changes that are older are all seen.
const LONGEST_TRANSACTION: TimeDelta = TimeDelta::hours(1);
/// Between two times of writing down that the replica is current, when nothing changed.
const MARK_EVERY: Duration = Duration::from_secs(60);
/// Between two looks at which versions of decks are in force.
const VERSIONS_EVERY: Duration = Duration::from_secs(60);
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// Changes removed in one statement.
const PRUNED: i64 = 10_000;
/// For the answer to a question of the keeper.
const PATIENCE: Duration = Duration::from_secs(20);
/// Rates removed in one transaction.
const DROPPED: usize = 2000;

impl Store {
    /// Keeps the replica, if there is to be one, for as long as it is polled.
    pub async fn keep_replica(&self) {
        if let Some(replica) = &self.replica {
            Keeper { central: Arc::clone(&self.hosts), replica: Arc::clone(replica) }.run().await;
        }
    }
}

impl Store {
    /// Lets the replica that the node's agent keeps answer here, too, as it is; for those who look in from outside.
    pub async fn open_replica(&self) {
        let Some(replica) = &self.replica else { return };
        for file in File::all(&replica.options.folder).unwrap_or_default() {
            let Ok(mut connection) = file.address().connect(Session::Work).await else { continue };
            if matches!(File::mark(&mut connection).await, Ok(Some(_))) && replica.publish(Some(&file)).await.is_ok() {
                return;
            }
        }
    }
}

struct Keeper {
    central: Arc<Hosts>,
    replica: Arc<Replica>,
}

/// The file that is kept.
struct Kept {
    file: File,
    connection: Mutex<Connection>,
    columns: BTreeMap<&'static str, Columns>,
    mark: Mark,
}

impl Kept {
    async fn open(file: File) -> Result<Option<Kept>, StoreError> {
        let mut connection = file.open().await?;
        let mark = File::mark(&mut connection).await.map_err(|error| local(&error))?;
        let kept = Kept::with(file, connection, mark.clone().unwrap_or_default()).await?;
        Ok(mark.map(|_| kept))
    }

    async fn with(file: File, mut connection: Connection, mark: Mark) -> Result<Kept, StoreError> {
        let mut columns = BTreeMap::new();
        for table in [&RATES, &DECK_VERSIONS].into_iter().chain(TABLES) {
            columns.insert(table.name, Columns::of(table, &mut connection).await.map_err(|error| local(&error))?);
        }
        Ok(Kept { file, connection: Mutex::new(connection), columns, mark })
    }

    fn columns(&self, table: &'static Table) -> Result<&Columns, StoreError> {
        self.columns
            .get(table.name)
            .ok_or_else(|| StoreError::Broken(format!("the replica has no table {}", table.name)))
    }

    /// The versions of decks whose rates are all there.
    async fn versions(&self) -> Result<BTreeSet<i64>, StoreError> {
        let question = SqlStr::from_static("SELECT id FROM deck_versions");
        let rows: Vec<(i64,)> =
            self.connection.lock().await.rows(question, &[]).await.map_err(|error| local(&error))?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Removes a version, then its rates bit by bit.
    async fn drop_version(&self, id: i64) -> Result<(), StoreError> {
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
    async fn load_version(&self, central: &mut Connection, id: i64) -> Result<(), StoreError> {
        let copied = self.columns(&RATES)?.copy(central, &self.connection, Some(id), |_| ()).await;
        copied.map_err(|error| remote("copying rates", &error))?;
        let keys = [(id.to_string(), String::new())];
        let columns = self.columns(&DECK_VERSIONS)?;
        let rows = columns.read(central, &keys).await.map_err(|error| remote("reading a deck version", &error))?;
        let mut connection = self.connection.lock().await;
        columns.replace(&mut connection, &keys, &rows).await.map_err(|error| local(&error))
    }
}

/// What went on since the replica was opened.
struct Progress {
    followed: Followed,
    marked: Instant,
    versions_seen: Option<Instant>,
    pruned: Option<Instant>,
    /// Versions that are being copied.
    loading: BTreeSet<i64>,
    /// Rates that changed while their version was copied.
    deferred: Vec<Key>,
}

impl Keeper {
    async fn run(self) {
        let mut kept = None;
        let mut opened = false;
        loop {
            let outcome = async {
                if !opened {
                    kept = self.open_latest().await?;
                    opened = true;
                }
                self.follow(&mut kept).await
            };
            let Err(error) = outcome.await else { continue };
            if !matches!(&kept, Some(kept) if kept.file.path().exists()) {
                kept = None;
                opened = false;
            }
            self.state(|state| state.fault = Some(error.to_string()));
            sleep(self.replica.options.poll.max(Duration::from_millis(500))).await;
        }
    }

    fn state(&self, change: impl FnOnce(&mut ReplicaState)) {
        self.replica.state.send_modify(change);
    }

    /// The latest file that was filled; all others go.
    async fn open_latest(&self) -> Result<Option<Kept>, StoreError> {
        let folder = &self.replica.options.folder;
        let unusable = |error: std::io::Error| {
            StoreError::Broken(format!("the replica's folder {} cannot be used: {error}", folder.display()))
        };
        fs::create_dir_all(folder).map_err(unusable)?;
        let mut latest = None;
        for file in File::all(folder).map_err(unusable)? {
            if latest.is_some() {
                file.remove();
                continue;
            }
            match Kept::open(file.clone()).await {
                Ok(Some(kept)) => {
                    self.replica.publish(Some(&kept.file)).await?;
                    latest = self.sound(kept).await?;
                }
                // The filling was broken off.
                Ok(None) => file.remove(),
                Err(error) => {
                    tracing::error!(%error, "a replica that cannot be opened is put aside");
                    file.put_aside();
                }
            }
        }
        Ok(latest)
    }

    /// The file, if it is not damaged; else it is put aside, and answers no more.
    async fn sound(&self, kept: Kept) -> Result<Option<Kept>, StoreError> {
        let checked = File::check(&mut *kept.connection.lock().await).await;
        self.replica.suspect.store(false, Ordering::Relaxed);
        let Err(error) = checked else {
            tracing::info!(file = %kept.file.path().display(), current_at = %kept.mark.current_at, "the replica is there");
            self.changed(kept.columns.keys().copied());
            return Ok(Some(kept));
        };
        tracing::error!(file = %kept.file.path().display(), error, "the replica is damaged; it is put aside and filled anew");
        self.replica.publish(None).await?;
        kept.file.put_aside();
        Ok(None)
    }

    fn changed(&self, tables: impl Iterator<Item = &'static str>) {
        self.state(|state| {
            for table in tables {
                *state.tables.entry(table).or_default() += 1;
            }
        });
    }

    /// Follows the database until something fails.
    async fn follow(&self, kept: &mut Option<Kept>) -> Result<(), StoreError> {
        let mut central = self.central.open(Session::Work).await?;
        let origins: Vec<(String,)> = ask(&mut central, &DATA_ORIGIN, &[]).await?;
        let origin = origins.into_iter().next().map(|(id,)| id).unwrap_or_default();
        let (_, max) = bounds(&mut central).await?;
        let usable = kept.as_ref().is_some_and(|kept| {
            kept.mark.origin == origin && kept.mark.low <= max && Utc::now() - kept.mark.current_at < TOO_OLD
        });
        let mut seen = Vec::new();
        if !usable {
            let (filled, those) = self.fill(&mut central, origin).await?;
            self.replica.publish(Some(&filled.file)).await?;
            if let Some(old) = kept.replace(filled) {
                old.file.remove();
            }
            seen = those;
        }
        let Some(kept) = kept.as_mut() else { return Ok(()) };
        if !usable {
            self.changed(kept.columns.keys().copied());
        }
        let mut progress = Progress {
            followed: Followed::up_to(kept.mark.low, seen),
            marked: Instant::now(),
            versions_seen: None,
            pruned: None,
            loading: BTreeSet::new(),
            deferred: Vec::new(),
        };
        let (wanted, loads) = mpsc::unbounded_channel();
        let mut mark = kept.mark.clone();
        let kept_now: &Kept = kept;
        let changes = async {
            loop {
                let started = Instant::now();
                let more = self.poll(kept_now, &mut central, &mut progress, &mut mark, &wanted).await?;
                let bytes = kept_now.file.bytes();
                self.state(|state| {
                    state.current_at = Some(started);
                    state.fault = None;
                    state.bytes = bytes;
                });
                if !more {
                    sleep(self.replica.options.poll).await;
                }
                if self.replica.suspect.swap(false, Ordering::Relaxed) || !kept_now.file.path().exists() {
                    return Ok(());
                }
            }
        };
        let outcome: Result<(), StoreError> = tokio::select! {
            outcome = changes => outcome,
            outcome = self.load(kept_now, loads) => outcome,
        };
        kept.mark = mark;
        outcome?;
        Err(StoreError::Broken(
            "the replica is looked at anew: it was removed, or an answer could not be read".to_owned(),
        ))
    }

    /// Fills a new file with everything, as it is at one moment; and the changes of late that are in it.
    async fn fill(&self, central: &mut Connection, origin: String) -> Result<(Kept, Vec<i64>), StoreError> {
        let started = Instant::now();
        let file = File::new(&self.replica.options.folder);
        let connection = file.open().await?;
        let mut kept = Kept::with(file, connection, Mark::default()).await?;
        let outcome = self.fill_file(central, &mut kept, origin).await;
        match outcome {
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

    async fn fill_file(
        &self,
        central: &mut Connection,
        kept: &mut Kept,
        origin: String,
    ) -> Result<Vec<i64>, StoreError> {
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
        let seen = changes_after(central, low).await?.into_iter().map(|change| change.id).collect();
        for table in TABLES {
            let copied = kept.columns(table)?.copy(central, &kept.connection, None, |_| ()).await;
            copied.map_err(|error| remote(table.name, &error))?;
        }
        for id in usable_versions(central).await? {
            kept.load_version(central, id).await?;
        }
        central.commit().await.map_err(|error| remote("copying", &error))?;
        kept.mark = Mark { origin, low, current_at };
        let mut connection = kept.connection.lock().await;
        File::set_mark(&mut connection, &kept.mark).await.map_err(|error| local(&error))?;
        let tidy = connection.run(SqlStr::from_static("PRAGMA wal_checkpoint(TRUNCATE)")).await;
        tidy.map_err(|error| local(&error))?;
        Ok(seen)
    }

    /// Copies the versions that are asked for, one after the other.
    async fn load(&self, kept: &Kept, mut wanted: mpsc::UnboundedReceiver<i64>) -> Result<(), StoreError> {
        while let Some(id) = wanted.recv().await {
            let mut central = self.central.open(Session::Work).await?;
            central.begin_snapshot().await.map_err(|error| remote("beginning to copy", &error))?;
            kept.load_version(&mut central, id).await?;
            central.commit().await.map_err(|error| remote("copying", &error))?;
            tracing::info!(deck_version = id, "the replica has a new version of a deck");
            self.changed([DECK_VERSIONS.name].into_iter());
        }
        Ok(())
    }

    /// Follows what changed since the last time; true when there may be more.
    async fn poll(
        &self,
        kept: &Kept,
        central: &mut Connection,
        progress: &mut Progress,
        mark: &mut Mark,
        wanted: &mpsc::UnboundedSender<i64>,
    ) -> Result<bool, StoreError> {
        let current_at = Utc::now();
        timeout(PATIENCE, central.begin_snapshot())
            .await
            .map_err(|_| StoreError::Slow("the database does not answer the replica".to_owned()))?
            .map_err(|error| remote("looking for changes", &error))?;
        let followed = &mut progress.followed;
        let (low, high) = (followed.low(), followed.high());
        let bounds = [Value::Integer(Some(low)), Value::Integer(Some(high))];
        let between: Vec<(i64,)> = ask(central, &CHANGES_BETWEEN, &bounds).await?;
        // Others came in between: of transactions that took longer.
        let late = between.first().map_or(0, |(count,)| *count) != followed.count();
        let mut changes = if late {
            changes_after(central, low).await?
        } else {
            ask(central, &CHANGES_AFTER, &[Value::Integer(Some(high))]).await?
        };
        let more = changes.len() >= 10_000;
        changes.retain(|change| followed.is_new(change.id));

        let loaded = kept.versions().await?;
        let due = progress.versions_seen.is_none_or(|seen| seen.elapsed() >= VERSIONS_EVERY);
        let mut units: BTreeMap<&'static str, BTreeSet<Key>> = BTreeMap::new();
        for key in std::mem::take(&mut progress.deferred) {
            units.entry(RATES.name).or_default().insert(key);
        }
        for change in &changes {
            let Some(table) = Table::named(&change.table_name) else { continue };
            let key = (change.key_1.clone(), change.key_2.clone());
            units.entry(table.name).or_default().insert(key);
        }
        let is_loaded = |key: &Key| key.0.parse().is_ok_and(|id| loaded.contains(&id));
        if let Some(rates) = units.get_mut(RATES.name) {
            let loading = rates.iter().filter(|(id, _)| id.parse().is_ok_and(|id| progress.loading.contains(&id)));
            progress.deferred = loading.cloned().collect();
            rates.retain(is_loaded);
        }
        let versions_changed = units.contains_key(DECK_VERSIONS.name);
        if let Some(versions) = units.get_mut(DECK_VERSIONS.name) {
            versions.retain(is_loaded);
        }
        let usable = if versions_changed || due || !progress.loading.is_empty() {
            Some(usable_versions(central).await?)
        } else {
            None
        };
        units.retain(|_, keys| !keys.is_empty());
        let mut fresh = Vec::new();
        for (name, keys) in units {
            let Some(table) = Table::named(name) else { continue };
            let (columns, keys) = (kept.columns(table)?, Vec::from_iter(keys));
            let rows = columns.read(central, &keys).await.map_err(|error| remote(name, &error))?;
            fresh.push((name, columns, keys, rows));
        }
        central.commit().await.map_err(|error| remote("looking for changes", &error))?;

        if !fresh.is_empty() || progress.marked.elapsed() >= MARK_EVERY {
            *mark = Mark { low, current_at, ..mark.clone() };
            let mut replica = kept.connection.lock().await;
            replica.begin().await.map_err(|error| local(&error))?;
            for (_, columns, keys, rows) in &fresh {
                columns.replace(&mut replica, keys, rows).await.map_err(|error| local(&error))?;
            }
            File::set_mark(&mut replica, mark).await.map_err(|error| local(&error))?;
            replica.commit().await.map_err(|error| local(&error))?;
            progress.marked = Instant::now();
        }
        for change in changes {
            progress.followed.see(change.id);
        }
        progress.followed.forget(Instant::now());
        if !fresh.is_empty() {
            self.changed(fresh.iter().map(|(name, ..)| *name));
        }
        if let Some(usable) = usable {
            progress.versions_seen = Some(Instant::now());
            follow_versions(kept, progress, &usable, wanted).await?;
        }
        if progress.pruned.is_none_or(|pruned| pruned.elapsed() >= PRUNE_EVERY) {
            progress.pruned = Some(Instant::now());
            prune(central).await?;
        }
        Ok(more)
    }
}

/// Has the versions copied that are missing; when none is, the others go.
async fn follow_versions(
    kept: &Kept,
    progress: &mut Progress,
    usable: &BTreeSet<i64>,
    wanted: &mpsc::UnboundedSender<i64>,
) -> Result<(), StoreError> {
    let loaded = kept.versions().await?;
    progress.loading.retain(|id| !loaded.contains(id));
    for id in usable.difference(&loaded) {
        if progress.loading.insert(*id) {
            // The receiver lives as long as this side.
            let _ = wanted.send(*id);
        }
    }
    if progress.loading.is_empty() {
        for id in loaded.difference(usable) {
            kept.drop_version(*id).await?;
        }
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Change {
    id: i64,
    table_name: String,
    key_1: String,
    key_2: String,
}

/// All changes after one, page by page.
async fn changes_after(central: &mut Connection, low: i64) -> Result<Vec<Change>, StoreError> {
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

async fn usable_versions(central: &mut Connection) -> Result<BTreeSet<i64>, StoreError> {
    let now = Time(Utc::now());
    let rows: Vec<(i64,)> = ask(central, &USABLE_DECK_VERSIONS, &[now.into(), now.into()]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

async fn bounds(central: &mut Connection) -> Result<(i64, i64), StoreError> {
    let rows: Vec<(i64, i64)> = ask(central, &CHANGES_BOUNDS, &[]).await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// Removes changes that every node has followed, or will never: it would be filled anew.
async fn prune(central: &mut Connection) -> Result<(), StoreError> {
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

async fn ask<R: crate::store::connection::Record>(
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

fn remote(what: &str, error: &sqlx::Error) -> StoreError {
    Failure::of_question("the database", what, error).error
}

fn local(error: &sqlx::Error) -> StoreError {
    StoreError::Broken(format!("the replica cannot be written: {error}"))
}
