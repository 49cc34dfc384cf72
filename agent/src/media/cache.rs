//! Audio on this node, where Asterisk plays it from. It is bounded, and may vanish at any moment: what is missing is fetched again.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::fs;
use tokio::time::Instant;
use uuid::Uuid;

use super::depot::{Depot, DepotError};
use crate::store::mailbox::{Audio, Format};

/// Audio on this node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    depot: Depot,
    /// Bytes that it may hold.
    bound: u64,
    /// Bytes that it holds, about; more than all until it was looked at.
    held: Arc<AtomicU64>,
}

impl Cache {
    /// A cache in `folder` of at most `bound` bytes, filled from `depot`.
    #[must_use]
    pub fn new(folder: &Path, bound: u64, depot: Depot) -> Cache {
        Cache { folder: folder.to_owned(), depot, bound, held: Arc::new(AtomicU64::new(u64::MAX / 2)) }
    }

    /// Where its audio comes from.
    #[must_use]
    pub fn depot(&self) -> &Depot {
        &self.depot
    }

    /// The audio as a file of this node, fetched until `by` if it is not there.
    ///
    /// # Errors
    /// See [`DepotError`].
    pub async fn fetch(&self, audio: &Audio, by: Instant) -> Result<PathBuf, DepotError> {
        let path = self.path(audio);
        if fs::metadata(&path).await.is_ok_and(|file| file.len() > 0) {
            return Ok(path);
        }
        let bytes = self.depot.get(audio, by).await?;
        self.put(&path, &bytes)
            .await
            .map_err(|error| DepotError::Later(format!("the cache {}: {error}", self.folder.display())))?;
        Ok(path)
    }

    /// What Asterisk is told to play for a file: its path without extension.
    #[must_use]
    pub fn prompt(path: &Path) -> String {
        path.with_extension("").to_string_lossy().into_owned()
    }

    /// A file is wrong or was found missing: it is fetched again when it is needed.
    pub async fn forget(&self, audio: &Audio) {
        // It may be gone already.
        let _ = fs::remove_file(self.path(audio)).await;
    }

    fn path(&self, audio: &Audio) -> PathBuf {
        let extension = match audio.format {
            Format::Wav => "wav",
            // Asterisk looks for wav49 under this name (`main/file.c`, `build_filename`).
            Format::Gsm => "WAV",
        };
        self.folder.join(format!("{}.{extension}", audio.id))
    }

    async fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let new = self.folder.join(format!("{}.new", Uuid::now_v7()));
        if fs::write(&new, bytes).await.is_err() {
            // The folder vanished, or the disk is full.
            fs::create_dir_all(&self.folder).await?;
            self.shrink(self.bound / 2).await?;
            fs::write(&new, bytes).await?;
        }
        fs::rename(&new, path).await?;
        let size = bytes.len() as u64;
        if self.held.fetch_add(size, Ordering::Relaxed).saturating_add(size) > self.bound {
            self.shrink(self.bound / 10 * 9).await?;
        }
        Ok(())
    }

    /// Removes what was fetched longest ago, until no more than `most` bytes are held.
    async fn shrink(&self, most: u64) -> io::Result<()> {
        let mut files = Vec::new();
        let mut entries = fs::read_dir(&self.folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            if let Ok(metadata) = entry.metadata().await
                && metadata.is_file()
            {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        files.sort();
        let mut held: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in files {
            if held <= most {
                break;
            }
            // Another call may have removed it. One that is being played stays open.
            let _ = fs::remove_file(path).await;
            held = held.saturating_sub(size);
        }
        self.held.store(held, Ordering::Relaxed);
        Ok(())
    }
}
