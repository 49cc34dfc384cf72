//! `tandem audit`: whether the audit log is whole, and what it tells.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use chrono::SecondsFormat;
use tokio::time::Instant;

use super::client::Client;
use crate::cli;
use crate::config::Config;
use crate::service;
use crate::store::Store;
use crate::store::audit::{Entry, Head};

/// For a page of the log.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command; a log that is not whole is a failure.
pub async fn run(config: &Config, command: &cli::AuditCommand) -> ExitCode {
    let outcome = match command {
        cli::AuditCommand::Verify { head } => verify(config, head.as_ref()).await,
        cli::AuditCommand::List { after } => list(config, *after).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::failed(error),
    }
}

/// Reads `--head N:HASH`.
///
/// # Errors
/// It is nothing of the kind.
pub fn parse_head(text: &str) -> Result<Head, String> {
    let head = text.split_once(':').and_then(|(number, hash)| Some((number.parse().ok()?, hash.to_owned())));
    let head = head.filter(|(number, hash)| *number >= 0 && hash.len() == 64);
    let (number, hash) = head.ok_or("it is NUMBER:HASH as `tandem audit verify` prints it")?;
    Ok(Head { number, hash })
}

/// Walks the chain, a page at a time.
async fn verify(config: &Config, kept: Option<&Head>) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    let head = walk(&store, kept).await?;
    let text = format!("{} entries, whole\nhead {}:{}\n", head.number, head.number, head.hash);
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

async fn walk(store: &Store, kept: Option<&Head>) -> Result<Head, String> {
    let (mut head, mut last) = (Head::default(), None);
    loop {
        let page = store.entries_after(last, Instant::now() + PATIENCE).await;
        let page = page.map_err(|error| error.to_string())?;
        if page.is_empty() {
            break;
        }
        for entry in &page {
            head.follow(entry).map_err(|broken| format!("the audit log is broken: {broken}"))?;
            if kept.is_some_and(|kept| kept.number == head.number && kept.hash != head.hash) {
                return Err(format!("the audit log is broken: entry {} is not the one that was kept", head.number));
            }
        }
        last = Some(head.number);
    }
    match kept {
        Some(kept) if kept.number > head.number => {
            let missing = head.number + 1;
            Err(format!("the audit log is broken: entries {missing} to {} at least are cut off", kept.number))
        }
        _ => Ok(head),
    }
}

/// Asks the running agent, with an auditor's token, and prints a line for each entry.
async fn list(config: &Config, after: Option<i64>) -> Result<(), String> {
    let agent = Client::new(config)?;
    let mut last = after;
    loop {
        let path = last.map_or("/audit".to_owned(), |last| format!("/audit?after={last}"));
        let page: Vec<Entry> = agent.get(&path).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = Some(end.number);
        for Entry { number, at, person, action, about, subject, .. } in &page {
            let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
            let line = format!("{number} {at} {action} {about} by {person} {subject}\n");
            std::io::stdout().write_all(line.as_bytes()).map_err(|error| error.to_string())?;
        }
    }
}
