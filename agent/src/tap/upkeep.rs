//! What one node does for all: recordings that were kept long enough go, and orders that have no more to record are ended.

use chrono::{DateTime, Utc};

use crate::store::chore::Chore;
use crate::store::writer::{Unwritten, Writer};

/// The job.
#[derive(Debug)]
pub struct Upkeep;

impl Chore for Upkeep {
    const JOB: &'static str = "recording-upkeep";
    const UNDONE: &'static str = "recordings are not tidied";

    /// Audio that is elsewhere than in the database goes with that of mailboxes.
    async fn turn(&mut self, writer: &mut Writer, now: DateTime<Utc>) -> Result<(), Unwritten> {
        writer.end_lapsed_orders(now).await?;
        let deleted = writer.delete_expired_recordings(now).await?;
        if deleted > 0 {
            tracing::info!(recordings = deleted, "recordings were kept long enough, and are deleted");
        }
        Ok(())
    }
}
