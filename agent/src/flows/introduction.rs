//! The flow `introduction`: a caller from outside says a name, which a line that screens its calls hears before it takes the call (`app_dial.c`, `P`).
//!
//! `AGI(agi://<agent>/introduction/<kind>/<id>)`. The answer is `TANDEM_INTRODUCTION`, a sound for `Playback`; empty when nothing was said. The sound stays
//! in the folder of recordings in progress until a later one finds it old.

use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::Ports;
use crate::call::{Call, Ended, RecordingEnd, RecordingLimits, Step};

/// How the files are named.
const PREFIX: &str = "introduction-";
/// No call rings longer.
const OLD: Duration = Duration::from_secs(3600);

/// Asks for the name.
///
/// # Errors
/// The caller hung up.
pub async fn run(call: &mut impl Call, ports: &Ports) -> Step<&'static str> {
    call.answer().await?;
    sweep(ports.recordings.clone()).await;
    let path = ports.recordings.join(format!("{PREFIX}{}", Uuid::now_v7()));
    call.play(&["priv-recordintro".into()], "").await?;
    let limits = RecordingLimits {
        longest: Duration::from_secs(4),
        silence: Duration::from_secs(2),
        keys: "#".to_owned(),
        beep: true,
    };
    let recording = call.record(&path.to_string_lossy(), &limits).await?;
    if recording.end == RecordingEnd::Hangup {
        remove(&path).await;
        return Err(Ended::Hangup);
    }
    // Of a caller who says nothing the number is told.
    let voicemail = &ports.voicemail;
    let measured = voicemail.clerk.measure_file(path.with_extension("wav")).await;
    let said = measured.is_ok_and(|measure| measure.sound >= voicemail.rules.least_sound);
    if !said {
        remove(&path).await;
    }
    let introduction = if said { recording.path.as_str() } else { "" };
    call.set(&[("TANDEM_INTRODUCTION", introduction), ("TANDEM_DONE", "1")]).await?;
    Ok(if said { "introduced" } else { "unnamed" })
}

async fn remove(path: &Path) {
    // One that was never written is no fault.
    let _ = tokio::fs::remove_file(path.with_extension("wav")).await;
}

/// Removes what calls left behind that are over.
async fn sweep(folder: PathBuf) {
    let Ok(mut files) = tokio::fs::read_dir(folder).await else { return };
    while let Ok(Some(file)) = files.next_entry().await {
        if !file.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let age = file.metadata().await.ok().and_then(|data| data.modified().ok()?.elapsed().ok());
        if age.is_some_and(|age| age > OLD) {
            let _ = tokio::fs::remove_file(file.path()).await;
        }
    }
}
