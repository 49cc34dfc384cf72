//! What one node does for all: names that were changed in the database are found by their new letters within seconds.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::store::Store;
use crate::store::replica::Changed;
use crate::store::writer::{Unwritten, Writer};

/// The job's name in `job_leases`.
const JOB: &str = "directory-names";
/// Between two looks, when nothing is known to have changed.
const EVERY: Duration = Duration::from_secs(60);
/// Another node takes over when nobody looked for so long.
const LEASE: TimeDelta = TimeDelta::seconds(180);
/// Changes in a row are looked at together.
const TOGETHER: Duration = Duration::from_secs(1);

/// How the job is done.
#[derive(Debug)]
pub struct Names {
    /// The node's name.
    pub node: String,
    /// The central data.
    pub store: Store,
    /// Writes it.
    pub writer: Writer,
}

impl Names {
    /// Does the job at once and whenever mailboxes change, while no other node does, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.store.replica_changes();
        let mut failing = false;
        loop {
            match self.turn().await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "new names are not looked for, and not found by callers; it is tried again");
                    }
                    failing = true;
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = timeout(EVERY, changed(changes.as_mut())) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(TOGETHER) => {}
            }
        }
    }

    async fn turn(&mut self) -> Result<(), Unwritten> {
        let now = Utc::now();
        if !self.writer.take_lease(JOB, &self.node, now, now + LEASE).await? {
            return Ok(());
        }
        let mut after = String::new();
        let mut names = 0;
        loop {
            let spelled = self.writer.spell_names(&after).await?;
            names += spelled.len();
            let Some(last) = spelled.into_iter().next_back() else { break };
            after = last;
        }
        if names > 0 {
            tracing::info!(names, "names were changed; callers find them by their new letters");
            self.store.follow_now();
        }
        Ok(())
    }
}

/// Waits until mailboxes change; for ever, where there is no replica that tells.
async fn changed(changes: Option<&mut Receiver<Changed>>) {
    let Some(changes) = changes else { return std::future::pending().await };
    loop {
        match changes.recv().await {
            Ok(Changed::Rows("mailboxes", _) | Changed::Everything) | Err(RecvError::Lagged(_)) => return,
            Ok(Changed::Rows(..)) => {}
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}
