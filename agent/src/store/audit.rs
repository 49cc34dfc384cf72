//! The audit log: what was done, by whom, in one chain of hashes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What stands in the place of the hash before the first entry.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What somebody does, as the log is to tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Who: a token's person, or the user of a node's command line.
    pub person: String,
    /// What: `token.create`, `intercept.request`.
    pub action: &'static str,
    /// The id of what it is done to.
    pub about: String,
    /// All else, as JSON.
    pub subject: String,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the chain, from 1.
    pub number: i64,
    /// When; milliseconds.
    pub at: DateTime<Utc>,
    /// Who.
    pub person: String,
    /// What.
    pub action: String,
    /// The id of what it was done to.
    pub about: String,
    /// All else, as JSON.
    pub subject: String,
    /// The hash of the entry before.
    pub previous_hash: String,
    /// The hash of all of this, in hexadecimal.
    pub hash: String,
}

/// The chain up to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of that entry; 0 while there is none.
    pub number: i64,
    /// Its hash.
    pub hash: String,
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// An entry is not as it was written.
    #[error("entry {0} was altered")]
    Altered(i64),
    /// Entries are not there.
    #[error("entries {0} to {1} are missing")]
    Missing(i64, i64),
    /// An entry has a number that the chain never gave.
    #[error("entry {0} is none of the chain")]
    Foreign(i64),
    /// An entry is whole, but not the one that followed.
    #[error("entry {0} does not follow the one before it: one of the two was exchanged")]
    Exchanged(i64),
}

impl Entry {
    /// The entry that tells of this deed, after `head`.
    #[must_use]
    pub fn after(head: &Head, at: DateTime<Utc>, deed: Deed) -> Entry {
        let Deed { person, action, about, subject } = deed;
        let mut entry = Entry {
            number: head.number + 1,
            at,
            person,
            action: action.to_owned(),
            about,
            subject,
            previous_hash: head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.digest();
        entry
    }

    /// Whether it is as it was written.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.hash == self.digest()
    }

    /// SHA-256 over the hash before and every field, each after its length in eight bytes, so that no two entries read alike.
    fn digest(&self) -> String {
        let (number, at) = (self.number.to_string(), self.at.timestamp_millis().to_string());
        let fields = [&self.previous_hash, &number, &at, &self.person, &self.action, &self.about, &self.subject];
        let mut digest = Sha256::new();
        for field in fields {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field);
        }
        hex::encode(digest.finalize())
    }
}

impl Default for Head {
    fn default() -> Self {
        Head { number: 0, hash: NOTHING.to_owned() }
    }
}

impl Head {
    /// Goes on to the entry that comes next.
    ///
    /// # Errors
    /// It is not the next, or not as it was written.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), Break> {
        if entry.number <= self.number {
            return Err(Break::Foreign(entry.number));
        }
        if entry.number != self.number + 1 {
            return Err(Break::Missing(self.number + 1, entry.number - 1));
        }
        if !entry.is_whole() {
            return Err(Break::Altered(entry.number));
        }
        if entry.previous_hash != self.hash {
            return Err(Break::Exchanged(entry.number));
        }
        *self = Head { number: entry.number, hash: entry.hash.clone() };
        Ok(())
    }
}
