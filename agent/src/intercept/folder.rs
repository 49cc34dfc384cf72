//! The files of taps: what is known of them, and what Asterisk records.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate};
use uuid::Uuid;

use super::tap::Notes;

/// The folder's own mode: agent and Asterisk, by the group of the folder above.
const FOLDER_MODE: u32 = 0o2770;
/// That of what Asterisk records.
const RAW_MODE: u32 = 0o660;
/// A file that was not written to for so long is written by nobody: Asterisk writes a little longer than its channel is there.
const STILL: Duration = Duration::from_secs(1);
/// Zeros that are written at once.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// A folder that only agent and Asterisk read. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Below the folder where Asterisk and the agent may both write.
    #[must_use]
    pub fn below(recordings: &Path) -> Folder {
        Folder(recordings.join("private"))
    }

    /// Makes it, if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make(&self) -> io::Result<()> {
        match DirBuilder::new().mode(FOLDER_MODE).create(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Whatever group and mask this process has.
        let above = self.0.parent().map(fs::metadata).transpose()?;
        chown(&self.0, None, above.map(|above| above.gid()))?;
        fs::set_permissions(&self.0, Permissions::from_mode(FOLDER_MODE))
    }

    /// What Asterisk is told to record to.
    #[must_use]
    pub fn raw(&self, id: Uuid) -> PathBuf {
        self.0.join(format!("{id}.raw"))
    }

    fn notes(&self, id: Uuid) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }

    /// Makes the file to which Asterisk will record: it is the agent's own, so that the agent may wipe it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn prepare(&self, id: Uuid) -> io::Result<()> {
        let path = self.raw(id);
        OpenOptions::new().write(true).create_new(true).mode(RAW_MODE).open(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(RAW_MODE))
    }

    /// Writes down what is known of a tap, on disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, notes: &Notes) -> io::Result<()> {
        let new = self.0.join(format!("{}.new", notes.id));
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&serde_json::to_vec(notes)?)?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&new, self.notes(notes.id))).inspect_err(|_| {
            // On a full disk it takes room that others need.
            let _ = fs::remove_file(&new);
        })
    }

    /// What an agent noted. Files of which there are no notes, or none that can be read, are wiped: nobody could say whose they are.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn all(&self) -> io::Result<Vec<Notes>> {
        let mut all: Vec<Notes> = Vec::new();
        let paths =
            fs::read_dir(&self.0)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
            all.extend(fs::read(path).ok().and_then(|text| serde_json::from_slice::<Notes>(&text).ok()));
        }
        all.sort_by_key(|notes| notes.id);
        let is_known =
            |path: &PathBuf| all.iter().any(|notes| [self.raw(notes.id), self.notes(notes.id)].contains(path));
        for path in paths.iter().filter(|path| !is_known(path)) {
            wipe_all(path)?;
        }
        Ok(all)
    }

    /// Removes all that there is of a tap: what it recorded first.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, id: Uuid) -> io::Result<()> {
        [self.raw(id), self.notes(id)].iter().try_for_each(|path| wipe_all(path))
    }

    /// How much was recorded.
    ///
    /// # Errors
    /// The file cannot be seen.
    pub fn length(&self, id: Uuid) -> io::Result<u64> {
        match fs::metadata(self.raw(id)) {
            Ok(file) => Ok(file.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Whether nobody records any more; a file that is not there is written by nobody.
    #[must_use]
    pub fn is_still(&self, id: Uuid) -> bool {
        match fs::metadata(self.raw(id)).and_then(|file| file.modified()) {
            Ok(modified) => modified.elapsed().is_ok_and(|age| age >= STILL),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Bytes of what was recorded, `length` at the most.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn read(&self, id: Uuid, from: u64, length: usize) -> io::Result<Vec<u8>> {
        let raw = match File::open(self.raw(id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match raw.read_at(rest, from + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Wipes what was recorded before `until`, and gives its room back; Asterisk writes on behind it.
    ///
    /// # Errors
    /// It cannot be wiped.
    pub fn wipe(&self, id: Uuid, from: u64, until: u64) -> io::Result<()> {
        match OpenOptions::new().write(true).open(self.raw(id)) {
            Ok(raw) => wipe(&raw, from, until),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Writes zeros, and then gives the room back. Not every disk writes them where the sound was: so the folder is best in memory.
fn wipe(file: &File, from: u64, until: u64) -> io::Result<()> {
    let mut at = from;
    while at < until {
        let length = (until - at).min(ZEROS.len() as u64);
        file.write_all_at(ZEROS.get(..usize::try_from(length).unwrap_or(0)).unwrap_or(&ZEROS), at)?;
        at += length;
    }
    if until > from {
        file.sync_data()?;
        match fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, from, until - from) {
            // A file system that cannot keeps the zeros.
            Err(rustix::io::Errno::OPNOTSUPP) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wipe_all(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => wipe(&file, 0, file.metadata()?.len())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // It can be removed all the same.
        Err(_) => {}
    }
    fs::remove_file(path)
}
