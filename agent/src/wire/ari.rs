//! Asterisk's REST interface (`res_ari*`): requests over kept connections, several in flight at once.
//!
//! What is special about it, each point met in one place:
//!
//! - Asterisk keeps an idle connection for 15 s: ours are given up before ([`IDLE`]).
//! - One variable a request, but `ARRAY()` sets and `EVAL()` reads many: [`variables`].
//! - 409 stands for a channel that has left its app: [`AriError::Gone`].
//! - Events come by another way: [`ari_events`](super::ari_events).

mod bridges;
mod channels;
mod media;
pub mod model;
pub mod variables;

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use channels::{Originate, Snoop};
pub use media::{Control, Take};

/// Asterisk's own limit is 15 s (`DEFAULT_SESSION_KEEP_ALIVE` of `main/http.c`).
const IDLE: Duration = Duration::from_secs(10);
/// A body is not read beyond this; lists of 10,000 channels are smaller.
const LONGEST: usize = 64 << 20;

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum AriError {
    /// The channel, bridge, playback or recording is not there (any more), or the channel is not in its app.
    #[error("{0}: it is gone")]
    Gone(String),
    /// Asterisk refused.
    #[error("{what}: Asterisk answered {status}: {message}")]
    Refused {
        /// The request.
        what: String,
        /// HTTP status.
        status: u16,
        /// Its reason.
        message: String,
    },
    /// Nothing was sent, since Asterisk would not have read it as it was meant.
    #[error("not sent: {0}")]
    Unsendable(String),
    /// No connection, no answer in time, or one that is none.
    #[error("{what}: {why}; look whether Asterisk runs with http.conf and ari.conf enabled, and at ari.url")]
    Broken {
        /// The request.
        what: String,
        /// What went wrong.
        why: String,
    },
}

/// Asterisk's REST interface at one address. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ari {
    client: Client,
    url: String,
    user: String,
    password: String,
    /// The Stasis app whose channels are spoken of.
    app: String,
}

impl Ari {
    /// Speaks to `url` (`http://127.0.0.1:8088/ari`) as that user of `ari.conf`; each request may take `patience`.
    ///
    /// # Errors
    /// The client cannot be built.
    pub fn new(url: &str, user: &str, password: &str, app: &str, patience: Duration) -> Result<Ari, AriError> {
        let client = Client::builder()
            .pool_idle_timeout(IDLE)
            .timeout(patience)
            .connect_timeout(patience)
            .tcp_nodelay(true)
            .no_proxy()
            .build()
            .map_err(|error| AriError::Broken { what: url.to_owned(), why: error.to_string() })?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Ari { client, url, user: user.to_owned(), password: password.to_owned(), app: app.to_owned() })
    }

    /// The Stasis app.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.app
    }

    /// Ids of the channels that the app has, or had subscribed to; `None` when it was never registered.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn app_channels(&self) -> Result<Option<Vec<String>>, AriError> {
        match self.ask::<model::Application>(&format!("/applications/{}", self.app)).await {
            Ok(application) => Ok(Some(application.channel_ids)),
            Err(AriError::Gone(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has the app hear of this channel wherever it is, until it ends.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn subscribe(&self, channel: &str) -> Result<(), AriError> {
        let source = format!("channel:{channel}");
        let path = format!("/applications/{}/subscription", self.app);
        self.tell(Method::POST, &path, &[("eventSource", source)]).await
    }

    /// The app hears of these kinds of events only; of all with none.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn hear_only(&self, kinds: &[&str]) -> Result<(), AriError> {
        let allowed: Vec<Value> = kinds.iter().map(|kind| serde_json::json!({ "type": kind })).collect();
        let path = format!("/applications/{}/eventFilter", self.app);
        self.tell(Method::PUT, &path, &serde_json::json!({ "allowed": allowed })).await
    }

    /// Asterisk's version, which also tells that it takes our name and password.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn version(&self) -> Result<String, AriError> {
        let info: Value = self.ask("/asterisk/info?only=system").await?;
        Ok(info.pointer("/system/version").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// A global variable; empty when it is not set.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn global(&self, name: &str) -> Result<String, AriError> {
        let told: Value = self.ask(&format!("/asterisk/variable?variable={}", segment(name))).await?;
        Ok(told.get("value").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, AriError> {
        self.request(Method::GET, path, None::<&()>).await
    }

    /// A request whose answer has nothing to tell.
    async fn tell(&self, method: Method, path: &str, body: &(impl Body + ?Sized)) -> Result<(), AriError> {
        let body = body.json();
        self.send(method, path, Some(&body)).await.map(drop)
    }

    async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + ?Sized)>,
    ) -> Result<T, AriError> {
        let what = what(&method, path);
        let answer = self.send(method, path, body).await?;
        serde_json::from_slice(&answer)
            .map_err(|error| AriError::Broken { what, why: format!("the answer is not ARI's: {error}") })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + ?Sized)>,
    ) -> Result<Vec<u8>, AriError> {
        let what = || what(&method, path);
        let broken = |error: reqwest::Error| AriError::Broken { what: what(), why: reason(&error) };
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.url));
        request = request.basic_auth(&self.user, Some(&self.password));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(broken)?;
        let status = answer.status();
        if answer.content_length().is_some_and(|length| length > LONGEST as u64) {
            return Err(AriError::Broken { what: what(), why: format!("an answer of over {LONGEST} bytes") });
        }
        let bytes = answer.bytes().await.map_err(broken)?;
        if status.is_success() {
            return Ok(bytes.into());
        }
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT) {
            return Err(AriError::Gone(what()));
        }
        let told: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let said = told.get("message").or_else(|| told.get("error")).and_then(Value::as_str);
        let message = match said {
            _ if status == StatusCode::UNAUTHORIZED => "ari.user and ari.password are not those of ari.conf",
            Some(message) => message,
            None => "no reason given",
        }
        .to_owned();
        Err(AriError::Refused { what: what(), status: status.as_u16(), message })
    }
}

/// The fields of a request.
trait Body {
    fn json(&self) -> Value;
}

impl Body for [(&str, String)] {
    fn json(&self) -> Value {
        self.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect()
    }
}

impl<const N: usize> Body for [(&str, String); N] {
    fn json(&self) -> Value {
        self.as_slice().json()
    }
}

impl Body for Value {
    fn json(&self) -> Value {
        self.clone()
    }
}

/// A request for people, without what callers may have typed.
fn what(method: &Method, path: &str) -> String {
    format!("{method} {}", path.split('?').next().unwrap_or_default())
}

/// The innermost cause, which says most.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// One segment of a path: ids are made by Asterisk or by us, and nothing in them may lead elsewhere.
fn segment(id: &str) -> String {
    let mut segment = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}
