//! HTTP POST of JSON.

use reqwest::Client;
use serde::Serialize;
use uuid::Uuid;

/// Posts to webhooks, and to the agents of other nodes.
#[derive(Debug)]
pub struct Web {
    client: Client,
}

impl Web {
    /// A poster.
    ///
    /// # Errors
    /// The client cannot be built.
    pub fn new() -> Result<Web, String> {
        Client::builder().user_agent("tandem").build().map(|client| Web { client }).map_err(|error| error.to_string())
    }

    /// Posts `body`; any 2xx is taken. `id` is the same for every try, `token` (if it is not empty) tells who asks.
    ///
    /// # Errors
    /// Why the receiver did not take it.
    pub async fn post(&self, url: &str, body: &impl Serialize, id: Uuid, token: &str) -> Result<(), String> {
        let mut request = self.client.post(url).json(body).header("Idempotency-Key", id.to_string());
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(|error| innermost(&error))?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
    }
}

/// The cause: reqwest's own text names the URL, which may hold a password.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
