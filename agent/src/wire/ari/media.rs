//! Playbacks and recordings, under ids and names of ours.

use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::model::{LiveRecording, Playback};
use super::{Ari, AriError, segment};

/// What a playback can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go forward by the playback's `skip`.
    Forward,
    /// Go back by as much.
    Reverse,
    /// Pause.
    Pause,
    /// Go on after a pause.
    Unpause,
}

impl Control {
    const fn word(self) -> &'static str {
        match self {
            Control::Forward => "forward",
            Control::Reverse => "reverse",
            Control::Pause => "pause",
            Control::Unpause => "unpause",
        }
    }
}

/// A recording to be made, `POST /channels/{id}/record`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Take {
    /// Its name: the path within Asterisk's recording folder, without extension.
    pub name: String,
    /// Extension and format, `wav`.
    pub format: &'static str,
    /// Longest length.
    pub max_duration_seconds: u64,
    /// Silence that ends it; 0 for none.
    pub max_silence_seconds: u64,
    /// `overwrite`, `append`, `fail`.
    pub if_exists: &'static str,
}

impl Ari {
    /// Plays `media` (`sound:beep`, `digits:12`, ...) one after the other; `skip_ms` is how far [`Control::Forward`] goes.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn play(
        &self,
        channel: &str,
        playback: &str,
        media: &[String],
        skip_ms: Option<u32>,
    ) -> Result<(), AriError> {
        let mut body: Value = json!({ "media": media });
        if let Some(skip_ms) = skip_ms {
            body["skipms"] = skip_ms.into();
        }
        let path = format!("/channels/{}/play/{}", segment(channel), segment(playback));
        self.tell(Method::POST, &path, &body).await
    }

    /// Ends a playback.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn stop_playback(&self, playback: &str) -> Result<(), AriError> {
        self.tell(Method::DELETE, &format!("/playbacks/{}", segment(playback)), &[]).await
    }

    /// How a playback is, while it is.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn playback(&self, playback: &str) -> Result<Playback, AriError> {
        self.ask(&format!("/playbacks/{}", segment(playback))).await
    }

    /// Steers a playback.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn control(&self, playback: &str, control: Control) -> Result<(), AriError> {
        let path = format!("/playbacks/{}/control?operation={}", segment(playback), control.word());
        self.tell(Method::POST, &path, &[]).await
    }

    /// Begins to record a channel.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn record(&self, channel: &str, take: &Take) -> Result<(), AriError> {
        let path = format!("/channels/{}/record", segment(channel));
        self.request::<Value>(Method::POST, &path, Some(take)).await.map(drop)
    }

    /// Ends a recording, and keeps it.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn stop_recording(&self, name: &str) -> Result<(), AriError> {
        self.tell(Method::POST, &format!("/recordings/live/{}/stop", segment(name)), &[]).await
    }

    /// How a recording is, while it is.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn recording(&self, name: &str) -> Result<LiveRecording, AriError> {
        self.ask(&format!("/recordings/live/{}", segment(name))).await
    }
}
