//! What is known of taps, on disk beside what Asterisk records.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::purpose::Purpose;
use super::subject::Subject;
use crate::store::recording::Form;

/// What is known of a tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Its id, of version 7.
    pub id: Uuid,
    /// Whose channel.
    pub subject: Subject,
    /// What for.
    pub purpose: Purpose,
    /// How both sides are kept.
    pub form: Form,
    /// When it began.
    pub begun_at: DateTime<Utc>,
    /// What Asterisk calls it.
    pub monitor: Option<String>,
}

/// The folder of the taps of one kind. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

const BEGIN: &str = "call-";
const RUNNING: &str = "json";
const OVER: &str = "over";

impl Folder {
    /// The taps in this folder, where Asterisk and the agent may both write.
    #[must_use]
    pub fn new(folder: &Path) -> Folder {
        Folder(folder.to_owned())
    }

    /// What Asterisk is told to record to.
    #[must_use]
    pub fn raw(&self, id: Uuid) -> PathBuf {
        self.path(id, "raw")
    }

    /// Writes down what is known of a tap that runs, on disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, notes: &Notes) -> io::Result<()> {
        let new = self.path(notes.id, "new");
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&serde_json::to_vec(notes)?)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&new, self.path(notes.id, RUNNING))) {
            // On a full disk it takes room that others need.
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        File::open(&self.0)?.sync_all()
    }

    /// Notes that a tap is over: what Asterisk recorded is complete. It needs no room on the disk.
    ///
    /// # Errors
    /// It cannot be noted.
    pub fn end(&self, id: Uuid) -> io::Result<()> {
        match fs::rename(self.path(id, RUNNING), self.path(id, OVER)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        File::open(&self.0)?.sync_all()
    }

    /// The taps that run, as far as anybody noted.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn running(&self) -> io::Result<Vec<Notes>> {
        self.all(RUNNING)
    }

    /// The taps that are over, and of which something is left.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn over(&self) -> io::Result<Vec<Notes>> {
        self.all(OVER)
    }

    /// Removes all that there is of a tap: the audio first, of which nothing can be done without the notes.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, id: Uuid) -> io::Result<()> {
        [self.raw(id), self.path(id, RUNNING), self.path(id, OVER)].iter().try_for_each(|path| remove(path))
    }

    fn path(&self, id: Uuid, state: &str) -> PathBuf {
        self.0.join(format!("{BEGIN}{id}.{state}"))
    }

    fn all(&self, state: &str) -> io::Result<Vec<Notes>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.starts_with(BEGIN) || path.extension().is_none_or(|extension| extension != state) {
                continue;
            }
            match fs::read(&path).and_then(|text| Ok(serde_json::from_slice::<Notes>(&text)?)) {
                Ok(notes) => all.push(notes),
                // Removed at this moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let aside = path.with_extension("unreadable");
                    tracing::error!(file = %aside.display(), %error, "notes of a recording cannot be read; they are set aside");
                    fs::rename(&path, &aside)?;
                }
            }
        }
        all.sort_by_key(|notes| notes.id);
        Ok(all)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
