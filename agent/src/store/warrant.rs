//! A warrant: a line that is intercepted for a time, as two persons ordered it (47 CFR 1.20003).

use std::str::FromStr as _;

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::audit::Entry;

/// The deeds of the audit log that make and end one.
pub(super) const REQUEST: &str = "intercept.request";
pub(super) const APPROVE: &str = "intercept.approve";
pub(super) const END: &str = "intercept.end";

/// What one person asks for, and another approves: word for word the subject of both entries in the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The line.
    pub line: String,
    /// The number of the court's warrant.
    pub warrant: String,
    /// From when on.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub ends_at: DateTime<Utc>,
    /// The age key, `age1...`, that alone reads what is intercepted.
    pub recipient: String,
}

/// How a warrant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// The audit log does not tell the same: it does nothing.
    Void,
    /// It waits for another person.
    Requested,
    /// It waits for its time.
    Approved,
    /// The line is intercepted.
    Armed,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Ended,
}

/// A warrant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warrant {
    /// Its id here, not the court's number.
    pub id: String,
    /// What is ordered.
    #[serde(flatten)]
    pub order: Order,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<DateTime<Utc>>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// When.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A warrant that holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmedWarrant {
    /// Its id.
    pub id: Uuid,
    /// The line.
    pub line_id: String,
    /// The age key.
    pub recipient: String,
    /// Since when.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub ends_at: DateTime<Utc>,
}

impl Order {
    /// The order with whole seconds, as the database keeps them; else what is wrong with it.
    ///
    /// # Errors
    /// Empty or overlong words, a time that is over or ends before it begins, a recipient that is no key of age.
    pub fn checked(mut self, now: DateTime<Utc>) -> Result<Order, String> {
        let word = |text: &str, most: usize| {
            (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control) && text.trim() == text
        };
        self.starts_at = self.starts_at.trunc_subsecs(0);
        self.ends_at = self.ends_at.trunc_subsecs(0);
        if !word(&self.warrant, 100) {
            Err("the warrant's number has 1 to 100 characters".to_owned())
        } else if !word(&self.line, 64) {
            Err("the line's id has 1 to 64 characters".to_owned())
        } else if self.ends_at <= self.starts_at {
            Err("it has to end after it begins".to_owned())
        } else if self.ends_at <= now {
            Err("its end is over already".to_owned())
        } else if let Err(why) = age::x25519::Recipient::from_str(&self.recipient) {
            Err(format!("the recipient is no public key of age (age1...): {why}; age-keygen makes one"))
        } else {
            Ok(self)
        }
    }

    /// As the audit log tells it: the fields in the order above.
    pub(super) fn subject(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Warrant {
    /// How it stands, by its row and what the audit log tells of it.
    #[must_use]
    pub fn standing(&self, told: &[Entry], now: DateTime<Utc>) -> Standing {
        let told: Vec<&Entry> = told.iter().filter(|entry| entry.about == self.id).collect();
        let subject = self.order.subject();
        let has = |action: &str, person: &str| {
            let fits = |entry: &&&Entry| entry.action == action && entry.person == person && entry.subject == subject;
            told.iter().find(fits).is_some_and(|entry| entry.is_whole())
        };
        if !has(REQUEST, &self.requested_by) {
            return Standing::Void;
        }
        // By the log, too: a row whose end was taken out again stays ended.
        if self.ended_at.is_some() || told.iter().any(|entry| entry.action == END) {
            return Standing::Ended;
        }
        match &self.approved_by {
            None if self.order.ends_at <= now => Standing::Expired,
            None => Standing::Requested,
            Some(person) if *person == self.requested_by || !has(APPROVE, person) => Standing::Void,
            Some(_) if self.order.ends_at <= now => Standing::Expired,
            Some(_) if self.order.starts_at > now => Standing::Approved,
            Some(_) => Standing::Armed,
        }
    }
}
