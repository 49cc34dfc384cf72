//! `tandem recordings`: what was recorded of calls.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use crate::cli;
use crate::config::Config;
use crate::service;
use crate::store::Store;
use crate::store::recording::{Filter, Kept};

/// An operator has more patience than a caller, and audio its size.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the command.
///
/// # Errors
/// Why nothing came of it.
pub async fn run(config: &Config, command: &cli::RecordingsCommand) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    let text = match command {
        cli::RecordingsCommand::List { line, account, since, json } => {
            let since = since.unwrap_or_else(|| Utc::now() - TimeDelta::days(7));
            list(&store, &Filter { line_id: line.clone(), account_id: account.clone(), since }, *json).await?
        }
        cli::RecordingsCommand::Fetch { recording, file } => fetch(config, &store, *recording, file).await?,
        cli::RecordingsCommand::Delete { recording } => delete(&store, *recording).await?,
    };
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

fn by() -> Instant {
    Instant::now() + PATIENCE
}

async fn list(store: &Store, filter: &Filter, json: bool) -> Result<String, String> {
    let kept = store.recordings(filter, by()).await.map_err(|error| error.to_string())?;
    if json {
        return serde_json::to_string_pretty(&kept).map(|text| text + "\n").map_err(|error| error.to_string());
    }
    let mut text = String::new();
    for Kept { recording, node, audio } in &kept {
        let _ = writeln!(
            text,
            "{} {} {:>6} s  {:<16} {:<8} {:<16} {node}, by {}",
            recording.id,
            recording.started_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            audio.duration_ms / 1000,
            recording.line_id.as_deref().unwrap_or("-"),
            recording.direction.name(),
            recording.other_number,
            recording.ordered_by
        );
    }
    Ok(text)
}

async fn find(store: &Store, id: Uuid) -> Result<Kept, String> {
    let kept = store.recording(id, by()).await.map_err(|error| error.to_string())?;
    kept.ok_or_else(|| format!("there is no recording {id}; `tandem recordings list` tells which there are"))
}

async fn fetch(config: &Config, store: &Store, id: Uuid, file: &Path) -> Result<String, String> {
    let kept = find(store, id).await?;
    let depot = service::voicemail::depot(config, store).map_err(|error| error.to_string())?;
    let audio = depot.get(&kept.audio, by()).await.map_err(|error| error.to_string())?;
    fs::write(file, &audio).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(format!("{} bytes\n", audio.len()))
}

async fn delete(store: &Store, id: Uuid) -> Result<String, String> {
    let kept = find(store, id).await?;
    store.delete_recording(&kept, by()).await.map_err(|error| error.to_string())?;
    Ok("the recording is deleted\n".to_owned())
}
