//! Notices on disk, one file each, until they are delivered.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::notice::Notice;

/// Notices on disk.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: PathBuf,
    told: PathBuf,
}

impl Outbox {
    /// In the folder of a spool.
    pub(super) fn new(spool: &Path) -> Outbox {
        Outbox { waiting: spool.join("waiting"), told: spool.join("told") }
    }

    /// Makes the folders that are missing.
    pub(super) fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.waiting)?;
        fs::create_dir_all(&self.told)
    }

    /// Puts a notice on disk; false when it is there already, or was delivered.
    pub(super) fn add(&self, notice: &Notice) -> io::Result<bool> {
        let path = self.path(&self.waiting, notice.id);
        if path.exists() || self.path(&self.told, notice.id).exists() {
            return Ok(false);
        }
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(notice)?)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(&self.waiting)?.sync_all()?;
        Ok(true)
    }

    /// Those that wait. One that cannot be read stays where it is, and is told.
    pub(super) fn waiting(&self) -> io::Result<Vec<Notice>> {
        let mut notices = Vec::new();
        for entry in fs::read_dir(&self.waiting)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?)) {
                Ok(notice) => notices.push(notice),
                Err(error) => tracing::error!(file = %path.display(), %error, "a notice cannot be read, and waits"),
            }
        }
        Ok(notices)
    }

    /// It was delivered.
    pub(super) fn told(&self, id: Uuid) -> io::Result<()> {
        fs::rename(self.path(&self.waiting, id), self.path(&self.told, id))
    }

    /// Removes those that were delivered longer ago than `keep`.
    pub(super) fn tidy(&self, keep: TimeDelta) -> io::Result<()> {
        for entry in fs::read_dir(&self.told)? {
            let entry = entry?;
            let told_at = DateTime::<Utc>::from(entry.metadata()?.modified()?);
            if Utc::now() - told_at > keep {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn path(&self, folder: &Path, id: Uuid) -> PathBuf {
        folder.join(format!("{id}.json"))
    }
}
