//! Notices by HTTP: to webhooks, and to the agents of other nodes.

use reqwest::Client;

use super::notice::{Notice, Way};

/// Posts notices.
#[derive(Debug)]
pub(super) struct Web {
    client: Client,
    peer_token: String,
}

impl Web {
    pub(super) fn new(peer_token: &str) -> Result<Web, String> {
        let client = Client::builder().user_agent("tandem").build().map_err(|error| error.to_string())?;
        Ok(Web { client, peer_token: peer_token.to_owned() })
    }

    /// Posts a notice as JSON; any 2xx is taken.
    ///
    /// # Errors
    /// Why the receiver did not take it.
    pub(super) async fn post(&self, notice: &Notice) -> Result<(), String> {
        let request = match notice.way {
            Way::Peer => {
                let url = format!("{}/emergency", notice.address.trim_end_matches('/'));
                self.client.post(url).bearer_auth(&self.peer_token).json(&notice.callback())
            }
            _ => self.client.post(&notice.address).json(notice),
        };
        let answer = request.header("Idempotency-Key", notice.id.to_string()).send().await;
        let answer = answer.map_err(|error| innermost(&error))?;
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
