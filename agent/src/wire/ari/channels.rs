//! Channels: what becomes of them.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Serialize;

use super::model::Channel;
use super::{Ari, AriError, segment};

/// A channel to be opened, `POST /channels/{id}`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Originate {
    /// What is called, `PJSIP/1001`.
    pub endpoint: String,
    /// The app that the channel is handed to when it is answered; or it goes to `context`, `extension` and `priority`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app: String,
    /// What the app is told.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_args: String,
    /// Context of the dialplan.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// Its extension.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extension: String,
    /// Shown to the called: `"name" <number>`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub caller_id: String,
    /// Seconds that it may ring.
    pub timeout: u32,
    /// Variables and functions of the channel.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

/// A channel that listens in on another, `POST /channels/{id}/snoop/{snoopId}`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snoop {
    /// What is heard: `none`, `in`, `out`, `both`.
    pub spy: &'static str,
    /// To whom it can speak: `none`, `in`, `out`, `both`.
    pub whisper: &'static str,
    /// The app that it is handed to.
    pub app: String,
    /// What the app is told.
    pub app_args: String,
}

impl Ari {
    /// Every channel of this Asterisk.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn channels(&self) -> Result<Vec<Channel>, AriError> {
        self.ask("/channels").await
    }

    /// One channel.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn channel(&self, id: &str) -> Result<Channel, AriError> {
        self.ask(&format!("/channels/{}", segment(id))).await
    }

    /// Answers it.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn answer(&self, id: &str) -> Result<(), AriError> {
        self.tell(Method::POST, &format!("/channels/{}/answer", segment(id)), &[]).await
    }

    /// Hangs it up with a Q.850 cause, wherever it is.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn hang_up(&self, id: &str, cause: u16) -> Result<(), AriError> {
        let path = format!("/channels/{}?reason_code={cause}", segment(id));
        self.tell(Method::DELETE, &path, &[]).await
    }

    /// Lets the dialplan go on after `Stasis()`.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn go_on(&self, id: &str) -> Result<(), AriError> {
        self.tell(Method::POST, &format!("/channels/{}/continue", segment(id)), &[]).await
    }

    /// Lets the dialplan go on elsewhere, at priority 1.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn go_to(&self, id: &str, context: &str, extension: &str) -> Result<(), AriError> {
        let place =
            [("context", context.to_owned()), ("extension", extension.to_owned()), ("priority", "1".to_owned())];
        self.tell(Method::POST, &format!("/channels/{}/continue", segment(id)), &place).await
    }

    /// Opens a channel of that id.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn originate(&self, id: &str, originate: &Originate) -> Result<Channel, AriError> {
        self.request(Method::POST, &format!("/channels/{}", segment(id)), Some(originate)).await
    }

    /// Opens a channel of the id `snoop` that listens in on the channel `id`.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn snoop(&self, id: &str, snoop: &str, how: &Snoop) -> Result<Channel, AriError> {
        let path = format!("/channels/{}/snoop/{}", segment(id), segment(snoop));
        self.request(Method::POST, &path, Some(how)).await
    }
}
