//! Web servers of accounts, which are asked for the next step of a call: HTTP, JSON in and out.
//!
//! They are somebody else's: one that is slow, silent, huge or broken costs the caller the time that the question was given, and nothing more.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

/// Bytes of an answer at the most.
const LARGEST: usize = 16 * 1024;

/// What a server is told of a call. Everything but `menu` is the caller's data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Caller ID number as presented; empty when unknown or withheld.
    pub caller: String,
    /// Caller ID name as presented; empty when unknown or withheld.
    pub name: String,
    /// What was dialled.
    pub dialled: String,
    /// The menu's id.
    pub menu: String,
    /// What was keyed in.
    pub digits: String,
    /// Asterisk's unique id of the call.
    pub uniqueid: String,
}

/// What it answers: one of the menu's options, or an action with its target; before it, what is said. Nothing of it is believed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// Ids of prompts.
    pub say: Vec<String>,
    /// Digits of an option of the menu.
    pub option: String,
    /// The word for an action.
    pub action: String,
    /// Its target.
    pub target: String,
}

/// Asks web servers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lookups {
    client: Client,
}

impl Lookups {
    /// The client of all questions. It goes nowhere but where it is sent: to no proxy, and no redirection.
    ///
    /// # Errors
    /// It cannot be built.
    pub fn new() -> Result<Lookups, String> {
        let client = Client::builder().user_agent("tandem").redirect(Policy::none()).no_proxy().build();
        client.map(|client| Lookups { client }).map_err(|error| error.to_string())
    }

    /// Asks by GET (the question is in the query) or POST (it is JSON).
    ///
    /// # Errors
    /// Why there is no answer, for an operator.
    pub async fn ask(
        &self,
        method: &str,
        url: &str,
        question: &Question,
        patience: Duration,
    ) -> Result<Answer, String> {
        let asking = async {
            let mut url = Url::parse(url).map_err(|error| format!("the address cannot be read: {error}"))?;
            let request = if method == "GET" {
                let Question { caller, name, dialled, menu, digits, uniqueid } = question;
                url.query_pairs_mut()
                    .append_pair("caller", caller)
                    .append_pair("name", name)
                    .append_pair("dialled", dialled)
                    .append_pair("menu", menu)
                    .append_pair("digits", digits)
                    .append_pair("uniqueid", uniqueid);
                self.client.get(url)
            } else {
                self.client.post(url).json(question)
            };
            let mut response = request.send().await.map_err(|error| innermost(&error))?;
            if !response.status().is_success() {
                return Err(format!("it answered {}", response.status()));
            }
            let mut body = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(|error| innermost(&error))? {
                if body.len() + piece.len() > LARGEST {
                    return Err(format!("its answer is larger than {LARGEST} bytes"));
                }
                body.extend_from_slice(&piece);
            }
            serde_json::from_slice(&body).map_err(|error| format!("its answer cannot be read: {error}"))
        };
        timeout(patience, asking).await.unwrap_or_else(|_| Err(format!("no answer within {} s", patience.as_secs())))
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
