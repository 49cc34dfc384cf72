//! `tandem intercept`: interceptions under warrant, asked of the running agent, so that no right to the database does it.

use std::fmt::Write as _;
use std::io::Write as _;

use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};

use super::client::Client;
use crate::cli;
use crate::config::Config;
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
            text
        }
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

/// One line, so that who approves sees what.
fn told(warrant: &Warrant) -> String {
    let Order { line, warrant: number, starts_at, ends_at, recipient } = &warrant.order;
    let [from, to] = [starts_at, ends_at].map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
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
