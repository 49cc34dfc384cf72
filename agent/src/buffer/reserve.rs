//! Room on the spool's disk that is given up when the disk is full: whoever writes rows there cannot wait, and what he cannot
//! write is lost.

use std::fs::{self, File};
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::spool::Spool;

/// A file that takes the room until it is needed.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// A reserve of so many bytes in a spool; 0 for none.
    #[must_use]
    pub fn new(spool: &Spool, bytes: u64) -> Reserve {
        Reserve { path: spool.folder().join("reserve"), bytes }
    }

    /// Gives the room up when there is hardly any other, and takes it again when there is plenty.
    pub fn tend(&self) {
        let Some(free) = self.path.parent().and_then(|folder| statvfs(folder).ok()) else { return };
        let free = free.f_bavail.saturating_mul(free.f_frsize);
        let held = self.path.exists();
        if held && (free < self.bytes / 4 || self.bytes == 0) {
            if fs::remove_file(&self.path).is_ok() && self.bytes > 0 {
                tracing::warn!(
                    free,
                    "the spool's disk is full: its reserve is given up, so that records can be written"
                );
            }
        } else if !held && self.bytes > 0 && free > self.bytes.saturating_mul(2) {
            self.take();
        }
    }

    /// A disk that knows no reservation goes without.
    fn take(&self) {
        let taken =
            File::create(&self.path).is_ok_and(|file| fallocate(&file, FallocateFlags::empty(), 0, self.bytes).is_ok());
        if !taken {
            let _ = fs::remove_file(&self.path);
        }
    }
}
