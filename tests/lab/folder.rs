//! A server's own folder.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::{fs, io};

use tempfile::TempDir;

use crate::process::servers_user;

/// A folder that belongs to the user the servers run as, and vanishes with this value.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    /// Makes a folder whose name begins with `name`.
    #[must_use]
    pub fn new(name: &str) -> Folder {
        let folder = Folder(
            tempfile::Builder::new()
                .prefix(&format!("tandem-{name}-"))
                .tempdir()
                .unwrap_or_else(|error| panic!("{name}: cannot make a folder: {error}")),
        );
        folder.hand_over(folder.path());
        folder
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path inside.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Makes a folder inside.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
        self.hand_over(&path);
        path
    }

    /// Writes a file inside.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        self.hand_over(&path);
        path
    }

    /// Reads a file inside; empty when it is not there (yet).
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        match fs::read(self.join(name)) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => panic!("cannot read {}: {error}", self.join(name).display()),
        }
    }

    fn hand_over(&self, path: &Path) {
        if let Some(user) = servers_user() {
            chown(path, Some(user.uid), Some(user.gid))
                .unwrap_or_else(|error| panic!("cannot give {} to {}: {error}", path.display(), user.name));
        } else if path.is_dir() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                .unwrap_or_else(|error| panic!("cannot close {}: {error}", path.display()));
        }
    }
}
