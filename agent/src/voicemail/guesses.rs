//! Passwords that were tried while the database was away: this node counts them alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::store::mailboxes::Guesses as Count;

/// Mailboxes that are remembered at the most; then all are forgotten, whose owners have other worries.
const MOST: usize = 10_000;

/// Passwords that were tried in a row. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Guesses(Arc<Mutex<HashMap<String, Count>>>);

impl Guesses {
    /// Counts one more; returns those before it.
    #[must_use]
    pub fn count(&self, mailbox_id: &str, now: DateTime<Utc>) -> Count {
        let mut all = self.all();
        if all.len() >= MOST {
            all.clear();
        }
        let count = all.entry(mailbox_id.to_owned()).or_default();
        let before = *count;
        *count = Count { count: before.count + 1, last_at: Some(now) };
        before
    }

    /// The last one was right.
    pub fn forget(&self, mailbox_id: &str) {
        self.all().remove(mailbox_id);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
