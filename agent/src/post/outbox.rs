//! Errands on disk, one file each, until they are done; some with a file beside them that goes along.

use std::fs::{self, File};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::errand::Errand;

/// Errands on disk.
#[derive(Debug)]
pub struct Outbox<E> {
    waiting: PathBuf,
    told: PathBuf,
    errands: PhantomData<E>,
}

impl<E> Clone for Outbox<E> {
    fn clone(&self) -> Self {
        Outbox { waiting: self.waiting.clone(), told: self.told.clone(), errands: PhantomData }
    }
}

impl<E: Errand> Outbox<E> {
    /// In this folder: `waiting/<id>.json` and, once it is delivered, `told/<id>.json`.
    #[must_use]
    pub fn new(folder: &Path) -> Outbox<E> {
        Outbox { waiting: folder.join("waiting"), told: folder.join("told"), errands: PhantomData }
    }

    /// Makes the folders that are missing.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.waiting)?;
        fs::create_dir_all(&self.told)
    }

    /// Puts an errand on disk, with what goes along; false when it is there already, or was delivered.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&self, errand: &E, enclosed: Option<&[u8]>) -> io::Result<bool> {
        let path = self.path(&self.waiting, errand.id());
        if path.exists() || self.path(&self.told, errand.id()).exists() {
            return Ok(false);
        }
        // Before the errand, which is not to be found without it.
        if let Some(bytes) = enclosed {
            write(&self.enclosed(errand.id()), bytes)?;
        }
        write(&path, &serde_json::to_vec(errand)?)?;
        File::open(&self.waiting)?.sync_all()?;
        Ok(true)
    }

    /// Those that wait. One that cannot be read stays where it is, and is told.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn waiting(&self) -> io::Result<Vec<E>> {
        let mut errands = Vec::new();
        for entry in fs::read_dir(&self.waiting)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?)) {
                Ok(errand) => errands.push(errand),
                Err(error) => tracing::error!(file = %path.display(), %error, "an errand cannot be read, and waits"),
            }
        }
        Ok(errands)
    }

    /// What goes along with an errand that waits.
    #[must_use]
    pub fn enclosed(&self, id: Uuid) -> PathBuf {
        self.waiting.join(format!("{id}.enclosed"))
    }

    /// It was delivered.
    ///
    /// # Errors
    /// That cannot be written down.
    pub fn told(&self, id: Uuid) -> io::Result<()> {
        fs::rename(self.path(&self.waiting, id), self.path(&self.told, id))?;
        match fs::remove_file(self.enclosed(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes those that were delivered longer ago than `keep`.
    ///
    /// # Errors
    /// One cannot be removed.
    pub fn tidy(&self, keep: TimeDelta) -> io::Result<()> {
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

/// Writes a file that is there as a whole, on disk, or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        // On a full disk it takes room that others need.
        let _ = fs::remove_file(&new);
    })
}
