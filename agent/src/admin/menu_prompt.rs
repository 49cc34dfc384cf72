//! `tandem menu prompt`: what a prompt says as a sound file, which every node plays.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use uuid::Uuid;

use super::menu::asking;
use crate::config::Config;
use crate::flows::prompt::LONGEST_PROMPT;
use crate::media::sox::Sox;
use crate::media::wav;
use crate::service;
use crate::store::Store;
use crate::store::mailbox::{Audio, Format, NewPrompt};
use crate::store::mailbox_writer::Attached;
use crate::store::menu::Announcement;

/// For writing it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Puts a file in the place of what was recorded for a prompt; without one erases that. What was done.
///
/// # Errors
/// There is no such prompt, the file is no sound, or the audio cannot be kept.
pub(super) async fn run(config: &Config, store: &Store, id: &str, file: Option<&Path>) -> Result<String, String> {
    let prompt = find(store, id).await?;
    match file {
        Some(file) => put(config, store, &prompt, file).await,
        None => erase(store, &prompt).await,
    }
}

async fn find(store: &Store, id: &str) -> Result<Announcement, String> {
    let owners = store.prompt_accounts().await.map_err(|error| error.to_string())?;
    let missing = || format!("there is no prompt {id}; `tandem import menus` takes those of an account");
    let account_id = owners.get(id).ok_or_else(missing)?;
    let found = store.announcement(account_id, id, &mut asking()).await;
    found.map_err(|error| error.to_string())?.ok_or_else(missing)
}

async fn put(config: &Config, store: &Store, prompt: &Announcement, file: &Path) -> Result<String, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let given = tokio::fs::read(file).await.map_err(|error| named(&error))?;
    let bytes = match Sox::new(&std::env::temp_dir()).recording(&given).await {
        Some(bytes) => bytes,
        None if wav::is_recording(&given) => given,
        None => {
            return Err(named(
                &"is no WAV of 16 bits, 8000 samples a second and one channel; of others sox makes one, where it is installed",
            ));
        }
    };
    let length = wav::length(&bytes).map_err(|error| named(&error))?;
    if length.is_zero() || length > LONGEST_PROMPT {
        return Err(named(&format!("is {} s long; a prompt has up to {}", length.as_secs(), LONGEST_PROMPT.as_secs())));
    }
    let depot = service::voicemail::depot(config, store).map_err(|error| error.to_string())?;
    let new = NewPrompt { id: Uuid::now_v7(), prompt_id: prompt.id.clone(), recorded_at: Utc::now() };
    let audio = Audio {
        id: new.id,
        place: depot.place(),
        format: Format::Wav,
        bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        duration_ms: i64::try_from(length.as_millis()).unwrap_or(i64::MAX),
    };
    depot.put(&audio, &bytes).await.map_err(|error| named(&error))?;
    let attached = Attached { audio: &audio, bytes: &bytes };
    store.writer(PATIENCE).set_prompt(&new, &attached).await.map_err(|error| named(&error))?;
    Ok(format!("prompt {} says {} from now on, {:.1} s\n", prompt.id, file.display(), length.as_secs_f64()))
}

async fn erase(store: &Store, prompt: &Announcement) -> Result<String, String> {
    if prompt.sound.is_empty() && prompt.text.is_empty() {
        return Err(format!("prompt {} has neither sound nor text: it would say nothing", prompt.id));
    }
    let erased = store.writer(PATIENCE).erase_prompt(&prompt.id).await.map_err(|error| error.to_string())?;
    let what = if erased { "erased" } else { "nothing was recorded" };
    Ok(format!("prompt {}: {what}; its sound or text holds\n", prompt.id))
}
