//! `tandem intercept`: interceptions under warrant, asked of the running agent, so that no right to the database does it.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::client::Client;
use crate::alarm::Alarm;
use crate::cli;
use crate::config::Config;
use crate::store::interception::Listed;
use crate::store::warrant::{Order, Standing, Warrant};

/// A warrant in a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Shown {
    /// The warrant.
    #[serde(flatten)]
    pub warrant: Warrant,
    /// How it stands.
    pub standing: Standing,
}

/// Runs the command.
///
/// # Errors
/// Why nothing came of it.
pub async fn run(config: &Config, command: cli::InterceptCommand) -> Result<(), String> {
    let agent = Client::new(config)?;
    let none = serde_json::json!({});
    let text = match command {
        cli::InterceptCommand::Request { line, warrant, start, end, recipient } => {
            let order = Order { line, warrant, starts_at: start, ends_at: end, recipient };
            let warrant: Warrant = agent.post("/intercepts", &order).await?;
            let (told, id) = (told(&warrant), warrant.id);
            format!("{told}it does nothing until another person approves: tandem intercept approve {id}\n")
        }
        cli::InterceptCommand::Approve { id } => told(&agent.post(&format!("/intercepts/{id}/approve"), &none).await?),
        cli::InterceptCommand::End { id } => told(&agent.post(&format!("/intercepts/{id}/end"), &none).await?),
        cli::InterceptCommand::List => {
            let mut text = String::new();
            for Shown { warrant, standing } in agent.get::<Vec<Shown>>("/intercepts").await? {
                let _ = write!(text, "{:<9} {}", format!("{standing:?}").to_lowercase(), told(&warrant));
            }
            for alarm in agent.get::<Vec<Alarm>>("/intercepts/alarms").await? {
                let _ = writeln!(text, "alarm     {} since {}", alarm.text, seconds(alarm.since));
            }
            text
        }
        cli::InterceptCommand::Fetch { id, folder } => fetch(&agent, &id, &folder).await?,
        cli::InterceptCommand::Delete { id } => {
            let deleted: serde_json::Value = agent.delete(&format!("/intercepts/{id}/content")).await?;
            format!("{} parts are deleted\n", deleted["parts"])
        }
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

/// Writes what is not there yet, in private files.
async fn fetch(agent: &Client, id: &str, folder: &Path) -> Result<String, String> {
    let failed = |path: &Path, error: std::io::Error| format!("{} cannot be written: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut files = 0;
    for Listed { call, part, .. } in agent.get::<Vec<Listed>>(&format!("/intercepts/{id}/content")).await? {
        for (which, kind) in [("content", "wav"), ("signalling", "json")] {
            let path = folder.join(format!("{call}-{part:05}.{kind}.age"));
            if path.exists() {
                continue;
            }
            let file = agent.bytes(&format!("/intercepts/{id}/content/{call}/{part}/{which}")).await?;
            // The first part of a call has no audio yet.
            if file.is_empty() {
                continue;
            }
            let new = path.with_extension("new");
            let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new);
            let written = opened.and_then(|mut opened| opened.write_all(&file)).and_then(|()| fs::rename(&new, &path));
            written.map_err(|error| failed(&path, error))?;
            files += 1;
        }
    }
    Ok(format!("{files} files are written to {}\n", folder.display()))
}

fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// One line, so that who approves sees what.
fn told(warrant: &Warrant) -> String {
    let Order { line, warrant: number, starts_at, ends_at, recipient } = &warrant.order;
    let [from, to] = [*starts_at, *ends_at].map(seconds);
    let mut text = format!(
        "{} line {line} warrant {number} {from} {to} {recipient} requested by {}",
        warrant.id, warrant.requested_by
    );
    for (what, person) in [("approved", &warrant.approved_by), ("ended", &warrant.ended_by)] {
        if let Some(person) = person {
            let _ = write!(text, ", {what} by {person}");
        }
    }
    text + "\n"
}
