//! The warrants that hold now, asked for once a second.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::store::Store;
use crate::store::warrant::ArmedWarrant;

/// Between two questions.
const TICK: Duration = Duration::from_secs(1);

/// Warrants as they are known; `None` until the database has told.
pub type Armed = Option<Arc<Vec<ArmedWarrant>>>;

/// Keeps `known` up to date for as long as it is polled. While the database is away, it stays as it is.
pub async fn ask(store: Store, known: watch::Sender<Armed>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Ok(warrants) = store.armed_warrants(Utc::now(), Instant::now() + TICK).await else { continue };
        known.send_if_modified(|known| {
            let changed = known.as_deref() != Some(&warrants);
            *known = Some(Arc::new(warrants));
            changed
        });
    }
}
