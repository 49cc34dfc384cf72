//! What one node does for all, again and again: whoever holds the lease of a job does it.

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::writer::{Unwritten, Writer};

/// A job of which one node is enough.
pub trait Chore: Send {
    /// Its name in `job_leases`.
    const JOB: &'static str;
    /// What is not done while it fails, for the log.
    const UNDONE: &'static str;

    /// Does it once.
    fn turn(&mut self, writer: &mut Writer, now: DateTime<Utc>) -> impl Future<Output = Result<(), Unwritten>> + Send;
}

/// Does the job `every` so often, while no other node does, until `stop`. Another takes over when it was not done for three times as long.
pub async fn keep<C: Chore>(mut chore: C, node: String, mut writer: Writer, every: Duration, stop: CancellationToken) {
    let mut failing = false;
    while stop.run_until_cancelled(sleep(every)).await.is_some() {
        match turn(&mut chore, &node, &mut writer, every).await {
            Ok(()) => failing = false,
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "{}; it is tried again", C::UNDONE);
                }
                failing = true;
            }
        }
    }
}

async fn turn<C: Chore>(chore: &mut C, node: &str, writer: &mut Writer, every: Duration) -> Result<(), Unwritten> {
    let now = Utc::now();
    let until = now + TimeDelta::from_std(every * 3).unwrap_or(TimeDelta::hours(1));
    if writer.take_lease(C::JOB, node, now, until).await? {
        chore.turn(writer, now).await?;
    }
    Ok(())
}
