//! `tandem listen`, `tandem call` and `tandem record call`: what is done with calls that go on, and with new ones, asked of the running agent.

use std::fmt::Write as _;
use std::io::Write as _;

use chrono::SecondsFormat;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use crate::cli::{self, ListenCommand};
use crate::config::Config;
use crate::listen::how::How;
use crate::listen::listening::Listening;
use crate::store::live_call::{ListedCall, State};

/// Somebody who listens, on a node.
#[derive(Deserialize)]
struct Shown {
    node: String,
    #[serde(flatten)]
    listening: Listening,
}

#[derive(Deserialize)]
struct All {
    listening: Vec<Shown>,
    silent: Vec<String>,
}

/// `tandem listen`
///
/// # Errors
/// Why nothing came of it.
pub async fn run(config: &Config, wanted: &cli::Listen) -> Result<(), String> {
    let agent = Client::new(config)?;
    let text = match &wanted.command {
        Some(ListenCommand::List) => list(&agent).await?,
        Some(ListenCommand::Stop { id }) => {
            agent.delete::<Value>(&format!("/listening/{id}")).await?;
            "nobody listens under this id any more\n".to_owned()
        }
        None => begin(&agent, wanted).await?,
    };
    say(&text)
}

/// `tandem call`
///
/// # Errors
/// Why nothing came of it.
pub async fn call(config: &Config, cli::Call { from, to, node }: &cli::Call) -> Result<(), String> {
    let agent = Client::new(config)?;
    let made: Value = agent.post("/calls", &json!({ "from": from, "to": to, "node": node })).await?;
    say(&format!("the phone of line {from} rings: {}\n", made["uniqueid"].as_str().unwrap_or_default()))
}

/// `tandem record call`
///
/// # Errors
/// Why nothing came of it.
pub async fn record(config: &Config, call: &str, mixed: bool) -> Result<String, String> {
    let agent = Client::new(config)?;
    let call = find(&agent, |leg| leg.call.uniqueid == call).await?;
    let form = if mixed { "mixed" } else { "stereo" };
    agent.post::<Value>(&path(&call, "record"), &json!({ "form": form })).await?;
    Ok("the call is recorded until it ends; `tandem recordings list` shows the recording then\n".to_owned())
}

async fn begin(agent: &Client, wanted: &cli::Listen) -> Result<String, String> {
    let is = |leg: &ListedCall| {
        let named = match (&wanted.call, &wanted.of) {
            (Some(call), _) => leg.call.uniqueid == *call,
            (None, line) => leg.call.line_id == *line,
        };
        named && wanted.node.as_ref().is_none_or(|node| leg.node == *node)
    };
    let call = find(agent, is).await?;
    let how = match (wanted.whisper, wanted.barge) {
        (true, _) => How::Whisper,
        (_, true) => How::Barge,
        _ => How::Listen,
    };
    let line = wanted.line.as_deref().unwrap_or_default();
    let made: Shown = agent.post(&path(&call, "listen"), &json!({ "line": line, "how": how })).await?;
    Ok(format!("the phone of line {line} rings; it ends by: tandem listen stop {}\n", made.listening.id))
}

async fn list(agent: &Client) -> Result<String, String> {
    let All { listening, silent } = agent.get("/listening").await?;
    let mut text = String::new();
    for Shown { node, listening: Listening { id, uniqueid, line, how, person, since, .. } } in listening {
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let _ = writeln!(text, "{id} {since} {:<7} line {line:<16} to {uniqueid} on {node}, by {person}", how.name());
    }
    for node in silent {
        let _ = writeln!(text, "node {node} does not say who listens there");
    }
    Ok(text)
}

/// The one call that is meant; of several of a line, the one that talks.
async fn find(agent: &Client, is: impl Fn(&ListedCall) -> bool) -> Result<ListedCall, String> {
    let mut calls: Vec<ListedCall> = agent.get("/calls").await?;
    calls.retain(is);
    if calls.len() > 1 {
        calls.retain(|leg| leg.call.state == State::Talks);
    }
    let mut calls = calls.into_iter();
    match (calls.next(), calls.next()) {
        (Some(call), None) => Ok(call),
        (None, _) => Err("there is no such call; `tandem calls` shows those that go on".to_owned()),
        (Some(_), Some(_)) => Err("there are several such calls: say which, as `tandem calls` shows them".to_owned()),
    }
}

fn path(ListedCall { node, call }: &ListedCall, what: &str) -> String {
    format!("/calls/{node}/{}/{what}", call.uniqueid)
}

fn say(text: &str) -> Result<(), String> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}
