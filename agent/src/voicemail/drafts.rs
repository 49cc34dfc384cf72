//! Recordings in progress. What is known of one is on disk before the caller speaks, so that whatever happens to the session or the agent, the
//! message is not lost: what is left is found ([`Drafts::left`]) and put into the spool.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::mailbox::NewMessage;

const BEGIN: &str = "voicemail-";
/// A file that was not written to for so long is written by nobody: Asterisk goes on recording when the agent has died.
const STILL: Duration = Duration::from_secs(5);
/// Recordings of which nothing is known are removed after this time.
const STALE: Duration = Duration::from_secs(3600);

/// What is known of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// The message in each of its mailboxes.
    pub messages: Vec<NewMessage>,
    /// Milliseconds that are kept at the least.
    pub least_ms: u64,
    /// Decibels by which it is made louder.
    pub gain_db: i32,
}

/// Recordings in progress. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Drafts {
    folder: PathBuf,
    live: Arc<Mutex<HashSet<Uuid>>>,
}

/// One recording in progress, of a session that is alive as long as this value is.
#[derive(Debug)]
pub struct Draft {
    id: Uuid,
    folder: PathBuf,
    live: Arc<Mutex<HashSet<Uuid>>>,
}

/// What a session left behind.
#[derive(Debug)]
pub struct Left {
    /// The recording.
    pub recording: PathBuf,
    /// What is known of it.
    pub notes: Notes,
}

impl Drafts {
    /// In the folder where Asterisk records.
    #[must_use]
    pub fn new(folder: &Path) -> Drafts {
        Drafts { folder: folder.to_owned(), live: Arc::default() }
    }

    /// A new one.
    #[must_use]
    pub fn begin(&self) -> Draft {
        let id = Uuid::now_v7();
        self.live().insert(id);
        Draft { id, folder: self.folder.clone(), live: Arc::clone(&self.live) }
    }

    /// What dead sessions left behind, and what of it nobody can use is removed.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn left(&self) -> io::Result<Vec<Left>> {
        let mut left = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let Some((id, kind)) = name.strip_prefix(BEGIN).and_then(|rest| rest.split_once('.')) else { continue };
            let Ok(id) = id.parse::<Uuid>() else { continue };
            if self.live().contains(&id) || !is_older(&path, STILL) {
                continue;
            }
            let recording = path.with_extension("wav");
            if kind != "json" {
                // A greeting that was not kept, or a recording whose notes were removed last.
                if !path.with_extension("json").exists() && is_older(&path, STALE) {
                    fs::remove_file(&path)?;
                }
                continue;
            }
            if !recording.exists() {
                // Nobody spoke yet, or it was the last thing of a message that is in the spool.
                fs::remove_file(&path)?;
                continue;
            }
            if !is_older(&recording, STILL) {
                continue;
            }
            match fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?)) {
                Ok(notes) => left.push(Left { recording, notes }),
                Err(error) => {
                    tracing::error!(file = %path.display(), %error, "notes of a recording cannot be read; it waits")
                }
            }
        }
        Ok(left)
    }

    fn live(&self) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draft {
    /// What Asterisk is told to record to: a path without extension.
    #[must_use]
    pub fn path(&self) -> String {
        self.recording().with_extension("").to_string_lossy().into_owned()
    }

    /// The recording.
    #[must_use]
    pub fn recording(&self) -> PathBuf {
        self.folder.join(format!("{BEGIN}{}.wav", self.id))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Writes down what is known of a recording, on disk.
///
/// # Errors
/// It cannot be written.
pub fn note(recording: &Path, notes: &Notes) -> io::Result<()> {
    let path = recording.with_extension("json");
    let new = recording.with_extension("new");
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(&serde_json::to_vec(notes)?)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&new, &path)) {
        // On a full disk it takes room that others need.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    File::open(recording.parent().unwrap_or(recording))?.sync_all()
}

/// Removes a recording and what is known of it: the recording first, of which nothing can be done without the notes.
///
/// # Errors
/// It cannot be removed.
pub fn remove(recording: &Path) -> io::Result<()> {
    for path in [recording.to_owned(), recording.with_extension("json")] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a file was last written to longer ago than this.
fn is_older(path: &Path, than: Duration) -> bool {
    let modified = fs::metadata(path).and_then(|file| file.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= than))
}
