//! Bridges, in which channels hear each other.

use reqwest::Method;

use super::model::Bridge;
use super::{Ari, AriError, segment};

impl Ari {
    /// Every bridge of this Asterisk.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn bridges(&self) -> Result<Vec<Bridge>, AriError> {
        self.ask("/bridges").await
    }

    /// Makes a mixing bridge of that id.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn bridge(&self, id: &str) -> Result<Bridge, AriError> {
        let body = serde_json::json!({ "type": "mixing" });
        self.request(Method::POST, &format!("/bridges/{}", segment(id)), Some(&body)).await
    }

    /// Puts a channel that is in an app into it.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn join(&self, bridge: &str, channel: &str) -> Result<(), AriError> {
        let path = format!("/bridges/{}/addChannel", segment(bridge));
        self.tell(Method::POST, &path, &[("channel", channel.to_owned())]).await
    }

    /// Takes it apart; its channels stay.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn part(&self, bridge: &str) -> Result<(), AriError> {
        self.tell(Method::DELETE, &format!("/bridges/{}", segment(bridge)), &[]).await
    }
}
