//! What one node does for all: messages that were kept long enough go, and audio that nothing refers to any more.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::media::depot::Depot;
use crate::store::Store;
use crate::store::writer::{Unwritten, Writer};

/// The job's name in `job_leases`.
const JOB: &str = "mailbox-upkeep";

/// How the job is done.
#[derive(Debug)]
pub struct Upkeep {
    /// The node's name.
    pub node: String,
    /// The central data.
    pub store: Store,
    /// Writes it.
    pub writer: Writer,
    /// Where audio is.
    pub depot: Depot,
    /// Between two times of doing it. Another node takes over when it was not done for three times as long.
    pub every: Duration,
}

impl Upkeep {
    /// Does the job, while no other node does, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(self.every) => {}
            }
            match self.turn().await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "mailboxes are not tidied; it is tried again");
                    }
                    failing = true;
                }
            }
        }
    }

    async fn turn(&mut self) -> Result<(), Unwritten> {
        let now = Utc::now();
        let until = now + TimeDelta::from_std(self.every * 3).unwrap_or(TimeDelta::hours(1));
        if !self.writer.take_lease(JOB, &self.node, now, until).await? {
            return Ok(());
        }
        let expired = self.writer.expired_messages(now).await?;
        for some in expired.chunks(50) {
            self.writer.apply(some).await?;
        }
        if !expired.is_empty() {
            tracing::info!(messages = expired.len(), "messages were kept long enough, and are deleted");
            self.store.follow_now();
        }
        for (id, place) in self.writer.audio_removals().await? {
            // Of a place that this node does not know, another node may know.
            if let Ok(uuid) = id.parse()
                && self.depot.remove(uuid, place).await.is_ok()
            {
                self.writer.audio_removed(&id).await?;
            }
        }
        Ok(())
    }
}
