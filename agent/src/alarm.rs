//! Alarms: what an operator has to look at. Each is logged once when it begins and once when it is over, and stands in the
//! metric `tandem_alarm{alarm}` and in `GET /status` (so in `tandem check`) in between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name, `records.disk`.
    pub name: String,
    /// What is wrong, on what, and what to do.
    pub text: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// The alarms that stand. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Alarms(Arc<Mutex<BTreeMap<&'static str, Alarm>>>);

impl Alarms {
    /// Begins an alarm, or keeps its text up to date.
    pub fn raise(&self, name: &'static str, text: impl Into<String>) {
        let text = text.into();
        let mut standing = self.standing();
        if let Some(alarm) = standing.get_mut(name) {
            alarm.text = text;
            return;
        }
        tracing::warn!(alarm = name, "{text}");
        metrics::gauge!("tandem_alarm", "alarm" => name).set(1.0);
        standing.insert(name, Alarm { name: name.to_owned(), text, since: Utc::now() });
    }

    /// Ends an alarm, if it stands.
    pub fn clear(&self, name: &'static str) {
        if self.standing().remove(name).is_some() {
            tracing::info!(alarm = name, "alarm is over");
            metrics::gauge!("tandem_alarm", "alarm" => name).set(0.0);
        }
    }

    /// Begins or keeps the alarm with a text, ends it without.
    pub fn set(&self, name: &'static str, text: Option<String>) {
        match text {
            Some(text) => self.raise(name, text),
            None => self.clear(name),
        }
    }

    /// Those that stand, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Alarm> {
        self.standing().values().cloned().collect()
    }

    fn standing(&self) -> MutexGuard<'_, BTreeMap<&'static str, Alarm>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
