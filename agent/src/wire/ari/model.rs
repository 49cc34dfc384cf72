//! What Asterisk tells of channels and media. Fields that it leaves out are empty; ones that are not named here are passed over.

use serde::Deserialize;

/// A channel, as in `rest-api/api-docs/channels.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Channel {
    /// Asterisk's unique id.
    pub id: String,
    /// `PJSIP/1001-00000012`.
    pub name: String,
    /// `Down`, `Ring`, `Ringing`, `Up`, ...
    pub state: String,
    /// Who calls.
    pub caller: Party,
    /// Who is at the other end.
    pub connected: Party,
    /// Whose channel it is, as the dialplan has set it.
    pub accountcode: String,
    /// Where it is in the dialplan.
    pub dialplan: Location,
    /// When it came to be, as ISO 8601.
    pub creationtime: String,
    /// Language of prompts.
    pub language: String,
}

impl Channel {
    /// What a Stasis app was given with the channel, while it is in the app.
    #[must_use]
    pub fn told(&self, app: &str) -> Option<&str> {
        let place = Some(&self.dialplan).filter(|place| place.app_name == "Stasis")?;
        place.app_data.strip_prefix(app)?.strip_prefix(',')
    }
}

/// A number and a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Party {
    /// Empty when unknown.
    pub number: String,
    /// Empty when unknown.
    pub name: String,
}

/// A place in the dialplan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Location {
    /// Context.
    pub context: String,
    /// Extension.
    pub exten: String,
    /// Application that runs, `Stasis`.
    pub app_name: String,
    /// What it was given.
    pub app_data: String,
}

/// A Stasis app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Application {
    /// Channels that it has, or subscribed to.
    pub channel_ids: Vec<String>,
}

/// A playback.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Playback {
    /// Its id, ours.
    pub id: String,
    /// The sound that plays or played last.
    pub media_uri: String,
    /// `channel:<id>` or `bridge:<id>`.
    pub target_uri: String,
    /// `queued`, `playing`, `continuing`, `done`, `failed`.
    pub state: String,
}

/// A recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LiveRecording {
    /// Its name, ours.
    pub name: String,
    /// `channel:<id>` or `bridge:<id>`.
    pub target_uri: String,
    /// `queued`, `recording`, `paused`, `done`, `failed`, `canceled`.
    pub state: String,
    /// Why it failed.
    pub cause: String,
}

/// A bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Bridge {
    /// Its id.
    pub id: String,
    /// Channels in it.
    pub channels: Vec<String>,
}
