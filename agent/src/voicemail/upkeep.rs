//! What one node does for all: messages that were kept long enough go, and audio that nothing refers to any more.

use chrono::{DateTime, Utc};

use crate::media::depot::Depot;
use crate::store::Store;
use crate::store::chore::Chore;
use crate::store::writer::{Unwritten, Writer};

/// The job.
#[derive(Debug)]
pub struct Upkeep {
    /// The central data.
    pub store: Store,
    /// Where audio is.
    pub depot: Depot,
}

impl Chore for Upkeep {
    const JOB: &'static str = "mailbox-upkeep";
    const UNDONE: &'static str = "mailboxes are not tidied";

    async fn turn(&mut self, writer: &mut Writer, now: DateTime<Utc>) -> Result<(), Unwritten> {
        let expired = writer.expired_messages(now).await?;
        for some in expired.chunks(50) {
            writer.apply(some).await?;
        }
        if !expired.is_empty() {
            tracing::info!(messages = expired.len(), "messages were kept long enough, and are deleted");
            self.store.follow_now();
        }
        for (id, place) in writer.audio_removals().await? {
            // Of a place that this node does not know, another node may know.
            if let Ok(uuid) = id.parse()
                && self.depot.remove(uuid, place).await.is_ok()
            {
                writer.audio_removed(&id).await?;
            }
        }
        Ok(())
    }
}
