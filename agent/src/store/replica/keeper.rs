//! Fills the replica and follows the changes of the database.
//!
//! Versions of decks are large, and are not in force before they are complete: `loader` copies each beside the changes, which go on
//! meanwhile, and the version appears in the replica when all of its rates are there.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::central::{ask, bounds, remote};
use super::file::File;
use super::fill::fill;
use super::follow::Follower;
use super::kept::Kept;
use super::table::DECK_VERSIONS;
use super::{Changed, Replica, ReplicaState};
use crate::store::address::Session;
use crate::store::hosts::Hosts;
use crate::store::statement::DATA_ORIGIN;
use crate::store::{Store, StoreError};

/// Between two looks, however often somebody asks for one.
const SHORTEST: Duration = Duration::from_millis(20);
/// A replica that is older is filled anew.
const TOO_OLD: TimeDelta = TimeDelta::days(6);
/// A file that was found to be sound is not read again sooner than this.
const CHECK_AGAIN: Duration = Duration::from_secs(10);

impl Store {
    /// Keeps the replica, if there is to be one, for as long as it is polled.
    pub async fn keep_replica(&self) {
        if let Some(replica) = &self.replica {
            Keeper { central: Arc::clone(&self.hosts), replica: Arc::clone(replica) }.run().await;
        }
    }

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
                if self.replica.suspect.load(Ordering::Relaxed)
                    && let Some(suspect) = kept.take()
                {
                    kept = self.sound(suspect).await?;
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
        self.replica.suspect.store(false, Ordering::Relaxed);
        let Err(error) = kept.file.check().await else {
            tracing::info!(file = %kept.file.path().display(), current_at = %kept.mark.current_at, "the replica is there");
            self.changed(kept.columns.keys().copied());
            self.replica.tell(Changed::Everything);
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
            kept.mark.origin == origin && kept.mark.high <= max && Utc::now() - kept.mark.current_at < TOO_OLD
        });
        let mut seen = Vec::new();
        if !usable {
            let (filled, those) = fill(&self.replica.options.folder, &mut central, origin).await?;
            self.replica.publish(Some(&filled.file)).await?;
            if let Some(old) = kept.replace(filled) {
                old.file.remove();
            }
            seen = those;
        }
        let Some(kept) = kept.as_mut() else { return Ok(()) };
        if !usable {
            self.changed(kept.columns.keys().copied());
            self.replica.tell(Changed::Everything);
        }
        // Work that was broken off left its transaction open.
        let _ = kept.connection.lock().await.roll_back().await;
        let (wanted, loads) = mpsc::unbounded_channel();
        let mut follower = Follower::new(kept.mark.clone(), seen, wanted);
        let kept_now: &Kept = kept;
        let followed_since = Instant::now();
        let changes = async {
            loop {
                let started = Instant::now();
                let look = follower.look(kept_now, &mut central).await?;
                self.changed(look.tables.iter().map(|(table, _)| *table));
                for (table, keys) in look.tables {
                    self.replica.tell(Changed::Rows(table, keys));
                }
                let bytes = kept_now.file.bytes();
                self.state(|state| {
                    state.current_at = Some(started);
                    state.fault = None;
                    state.bytes = bytes;
                });
                if !look.more {
                    // A look takes a few questions: many changes in a row are followed together.
                    sleep(SHORTEST).await;
                    let _ = timeout(self.replica.options.poll, self.replica.look.notified()).await;
                }
                let suspect = self.replica.suspect.load(Ordering::Relaxed) && followed_since.elapsed() >= CHECK_AGAIN;
                if suspect || !kept_now.file.path().exists() {
                    return Ok(());
                }
            }
        };
        let outcome: Result<(), StoreError> = tokio::select! {
            outcome = changes => outcome,
            outcome = self.load(kept_now, loads) => outcome,
        };
        kept.mark = follower.mark;
        outcome?;
        Err(StoreError::Broken(
            "the replica is looked at anew: it was removed, or an answer could not be read".to_owned(),
        ))
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
}
