//! The way back to somebody who has called for help: for a time, calls to the callback number ring the line that called.
//!
//! Known to the node that sent the call at once, to others by its agent (`emergency.peers`) and by the database. Kept in a file as
//! well, so that it outlives the agent.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Digits that a called number must have to stand for a longer one: a whole national number.
const NATIONAL: usize = 10;
/// Kept at the most; the oldest goes. A node does not see that many calls for help in two hours.
const MOST: usize = 10_000;

/// A callback number that is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Digits of E.164.
    pub number: String,
    /// The line that called.
    pub line_id: String,
    /// Its account; may be empty.
    pub account_id: String,
    /// When it called.
    pub called_at: DateTime<Utc>,
}

/// Those that are protected now. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Callbacks {
    known: Arc<Mutex<Vec<Callback>>>,
    file: Option<Arc<PathBuf>>,
}

impl Callbacks {
    /// Those that `file` holds. One that cannot be read holds none.
    #[must_use]
    pub fn kept_in(file: PathBuf) -> Callbacks {
        let known = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Callbacks { known: Arc::new(Mutex::new(known)), file: Some(Arc::new(file)) }
    }

    /// Protects a callback; true when it was not known.
    pub fn protect(&self, callback: Callback) -> bool {
        if callback.number.is_empty() || callback.line_id.is_empty() {
            return false;
        }
        let mut known = self.known();
        // The node's own word, the peer's and the database's differ by the time between decision and line.
        let same = |one: &Callback| {
            one.number == callback.number
                && one.line_id == callback.line_id
                && (one.called_at - callback.called_at).abs() < TimeDelta::seconds(10)
        };
        if known.iter().any(same) {
            return false;
        }
        known.push(callback);
        known.sort_by_key(|one| one.called_at);
        let surplus = known.len().saturating_sub(MOST);
        known.drain(..surplus);
        true
    }

    /// Forgets those that are older than `window`, and writes the others down.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, now: DateTime<Utc>, window: TimeDelta) -> io::Result<()> {
        let text = {
            let mut known = self.known();
            known.retain(|one| now - one.called_at <= window);
            serde_json::to_vec(&*known)?
        };
        let Some(file) = &self.file else { return Ok(()) };
        let new = file.with_extension("new");
        let mut written = fs::File::create(&new)?;
        written.write_all(&text)?;
        written.sync_all()?;
        fs::rename(&new, &**file)
    }

    /// Who is to ring for `dialled` now, the latest first, each line once.
    #[must_use]
    pub fn for_number(&self, dialled: &str, now: DateTime<Utc>, window: TimeDelta) -> Vec<Callback> {
        let known = self.known();
        if known.is_empty() {
            return Vec::new();
        }
        let digits: String = dialled.chars().filter(char::is_ascii_digit).collect();
        let means = |number: &str| number == digits || digits.len() >= NATIONAL && number.ends_with(&digits);
        let mut found: Vec<Callback> = Vec::new();
        for one in known.iter().rev().filter(|one| means(&one.number)) {
            if now - one.called_at <= window && !found.iter().any(|other| other.line_id == one.line_id) {
                found.push(one.clone());
            }
        }
        found
    }

    fn known(&self) -> MutexGuard<'_, Vec<Callback>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
