//! Keeps what emergency calls need in memory as the replica has it: the atlas, and the callbacks that other nodes' calls left in the database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::atlas::Atlas;
use super::callbacks::{Callback, Callbacks};
use crate::store::asking::Asking;
use crate::store::emergencies::LACKS;
use crate::store::replica::ReplicaState;
use crate::store::{Store, StoreError};

/// Tables of which the atlas is made.
const ATLAS: &[&str] = &["facilities", "facility_areas", "facility_defaults", "counties"];
/// The table of calls for help.
const CALLS: &[&str] = &["emergency_calls"];
/// Tables that tell what lines lack.
const LINES: &[&str] = &["phone_lines", "accounts", "emergency_locations"];
/// Between two looks at what changed.
const LOOK: Duration = Duration::from_millis(250);
/// Between two counts of the lines that lack something: with many lines it takes a while.
const COUNT: Duration = Duration::from_secs(60);
/// Until something that failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Tables, and how they were when they were read last.
struct Watched {
    tables: &'static [&'static str],
    seen: Vec<u64>,
}

impl Watched {
    fn new(tables: &'static [&'static str]) -> Watched {
        Watched { tables, seen: Vec::new() }
    }

    /// How they are now, if that is not how they were.
    fn news(&self, state: &ReplicaState) -> Option<Vec<u64>> {
        let now: Vec<u64> =
            self.tables.iter().map(|table| state.tables.get(table).copied().unwrap_or_default()).collect();
        (state.filled && now != self.seen).then_some(now)
    }
}

/// Follows the replica for as long as it is polled. `window` is how long callbacks are protected.
pub async fn run(store: Store, atlas: watch::Sender<Arc<Atlas>>, callbacks: Callbacks, window: TimeDelta) {
    let Some(replica) = store.watch_replica() else { return };
    let (mut atlas_tables, mut call_tables, mut line_tables) =
        (Watched::new(ATLAS), Watched::new(CALLS), Watched::new(LINES));
    let mut counted: Option<Instant> = None;
    loop {
        let state = replica.borrow().clone();
        let turn = async {
            if let Some(news) = atlas_tables.news(&state) {
                rebuild(&store, &atlas).await?;
                atlas_tables.seen = news;
            }
            if let Some(news) = call_tables.news(&state) {
                learn(&store, &callbacks, window).await?;
                call_tables.seen = news;
            }
            if let Some(news) = line_tables.news(&state)
                && counted.is_none_or(|counted| counted.elapsed() >= COUNT)
            {
                counted = Some(Instant::now());
                count(&store).await?;
                line_tables.seen = news;
            }
            Ok::<(), StoreError>(())
        };
        match turn.await {
            Ok(()) => sleep(LOOK).await,
            Err(error) => {
                tracing::error!(%error, "the data of emergency calls cannot be read; those that were read before hold");
                sleep(AGAIN).await;
            }
        }
    }
}

async fn rebuild(store: &Store, atlas: &watch::Sender<Arc<Atlas>>) -> Result<(), StoreError> {
    let started = Instant::now();
    let (new, doubts) = Atlas::new(store.gazetteer().await?);
    let facilities = new.len();
    atlas.send_replace(Arc::new(new));
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    for (what, count) in [
        ("active", facilities),
        ("unknown-county", doubts.unknown_counties.len()),
        ("unplaced", doubts.unplaced.len()),
        ("bad-area", doubts.bad_areas.len()),
    ] {
        metrics::gauge!("tandem_facilities", "state" => what).set(count as f64);
    }
    tracing::info!(facilities, milliseconds, "the facilities of emergency calls are read");
    Ok(())
}

async fn learn(store: &Store, callbacks: &Callbacks, window: TimeDelta) -> Result<(), StoreError> {
    let mut asking = Asking::until(Instant::now() + AGAIN);
    for call in store.recent_emergency_calls(Utc::now() - window, &mut asking).await? {
        callbacks.protect(Callback {
            number: call.callback_number,
            line_id: call.line_id,
            account_id: call.account_id,
            called_at: call.called_at,
        });
    }
    Ok(())
}

async fn count(store: &Store) -> Result<(), StoreError> {
    let gaps = store.emergency_gaps(Utc::now()).await?;
    let mut lacks: BTreeMap<&'static str, u32> = LACKS.iter().map(|what| (*what, 0)).collect();
    for what in gaps.iter().flat_map(|gap| &gap.lacks) {
        *lacks.entry(what).or_default() += 1;
    }
    for (what, count) in lacks {
        metrics::gauge!("tandem_emergency_lines_lacking", "what" => what).set(f64::from(count));
    }
    Ok(())
}
