//! Somebody who listens.

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::how::How;

/// Somebody who listens to a call, or is rung to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// Its id.
    pub id: Uuid,
    /// Asterisk's unique id of the channel that is listened to.
    pub uniqueid: String,
    /// The line whose phone listens.
    pub line: String,
    /// By whom it is heard.
    pub how: How,
    /// Whose token it was asked with.
    pub person: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Whether the call is one for help: nobody speaks into it.
    pub urgent: bool,
}

impl Listening {
    /// What the app is told of it with the phone's channel: all of it.
    pub(super) fn told(&self) -> String {
        let Listening { uniqueid, line, how, person, since, urgent, .. } = self;
        let (since, urgent) = (since.timestamp_millis(), u8::from(*urgent));
        format!("{uniqueid},{line},{},{since},{urgent},{person}", how.name())
    }

    /// Reads that back.
    pub(super) fn read(id: Uuid, told: &str) -> Option<Listening> {
        let fields: Vec<&str> = told.split(',').collect();
        let [uniqueid, line, how, since, urgent, person] = fields[..] else { return None };
        Some(Listening {
            id,
            uniqueid: uniqueid.to_owned(),
            line: line.to_owned(),
            how: How::named(how)?,
            person: person.to_owned(),
            since: DateTime::from_timestamp_millis(since.parse().ok()?)?,
            urgent: urgent == "1",
        })
    }

    /// Now.
    pub(super) fn now() -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_app_was_told_is_read_back() {
        let listening = Listening {
            id: Uuid::now_v7(),
            uniqueid: "node-1764115200.12".to_owned(),
            line: "1001".to_owned(),
            how: How::Whisper,
            person: "sue@example.com".to_owned(),
            since: Listening::now(),
            urgent: true,
        };
        assert_eq!(Listening::read(listening.id, &listening.told()), Some(listening.clone()));
        assert_eq!(Listening::read(listening.id, "tandem-listen"), None);
    }
}
