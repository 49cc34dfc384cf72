//! What one node does for all: recordings that were kept long enough go, and orders that have no more to record are ended.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::store::writer::{Unwritten, Writer};

/// The job's name in `job_leases`.
const JOB: &str = "recording-upkeep";

/// How the job is done.
#[derive(Debug)]
pub struct Upkeep {
    /// The node's name.
    pub node: String,
    /// Writes the central data.
    pub writer: Writer,
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
                        tracing::warn!(%error, "recordings are not tidied; it is tried again");
                    }
                    failing = true;
                }
            }
        }
    }

    /// Audio that is elsewhere than in the database goes with that of mailboxes.
    async fn turn(&mut self) -> Result<(), Unwritten> {
        let now = Utc::now();
        let until = now + TimeDelta::from_std(self.every * 3).unwrap_or(TimeDelta::hours(1));
        if !self.writer.take_lease(JOB, &self.node, now, until).await? {
            return Ok(());
        }
        self.writer.end_lapsed_orders(now).await?;
        let deleted = self.writer.delete_expired_recordings(now).await?;
        if deleted > 0 {
            tracing::info!(recordings = deleted, "recordings were kept long enough, and are deleted");
        }
        Ok(())
    }
}
