//! The name of a segment, which is all that is known of it besides its bytes.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Ending of every segment's name.
const ENDING: &str = ".segment";

/// A segment by its name `<uuid v7>.<done>.<node>.segment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Unique over all nodes, in the order of time.
    pub id: Uuid,
    /// Bytes that are dealt with; in quarantine, the offset that the row had.
    pub done: u64,
    /// The node whose rows it holds.
    pub node: String,
}

impl Segment {
    /// A new one, of which nothing is done.
    #[must_use]
    pub fn new(node: &str) -> Segment {
        Segment { id: Uuid::now_v7(), done: 0, node: node.to_owned() }
    }

    /// When it was taken, by the node's clock.
    #[must_use]
    pub fn taken_at(&self) -> DateTime<Utc> {
        let (seconds, nanoseconds) = self.id.get_timestamp().map_or((0, 0), |timestamp| timestamp.to_unix());
        DateTime::from_timestamp(i64::try_from(seconds).unwrap_or_default(), nanoseconds).unwrap_or_default()
    }

    /// The file's name.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.{}.{}{ENDING}", self.id, self.done, self.node)
    }

    /// Reads a file's name; `None` for any other file.
    #[must_use]
    pub fn parse(name: &str) -> Option<Segment> {
        let mut parts = name.strip_suffix(ENDING)?.splitn(3, '.');
        let (id, done, node) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Segment { id: id.parse().ok()?, done: done.parse().ok()?, node: node.to_owned() })
    }
}
