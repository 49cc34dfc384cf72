//! The spool's folder: every move that a segment makes. See the invariants in [`crate::buffer`].

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::segment::Segment;

/// A spool by its folder. Cheap; operators look into it while the agent ships from it.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

/// The right to ship from a spool, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a spool cannot be shipped from.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another agent does it.
    #[error(
        "the spool {} is in use by another agent (process {owner}); give each agent spools of its own",
        .folder.display()
    )]
    InUse {
        /// The spool.
        folder: PathBuf,
        /// The other agent's process id.
        owner: String,
    },
    /// The folder cannot be used.
    #[error("the spool {} cannot be used: {source}", .folder.display())]
    Unusable {
        /// The spool.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A row in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its file.
    pub segment: Segment,
    /// Why it was refused.
    pub why: String,
}

impl Spool {
    /// The spool in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Spool {
        Spool { folder: folder.to_owned() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folders that are missing, and takes the right to ship from here.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn lock(&self) -> Result<Lock, SpoolError> {
        let unusable = |source| SpoolError::Unusable { folder: self.folder.clone(), source };
        for folder in [self.folder.clone(), self.sent(), self.quarantine()] {
            fs::create_dir_all(&folder).map_err(unusable)?;
        }
        let path = self.folder.join("lock");
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let owner = fs::read_to_string(&path).unwrap_or_default();
                return Err(SpoolError::InUse { folder: self.folder.clone(), owner: owner.trim().to_owned() });
            }
            Err(fs::TryLockError::Error(error)) => return Err(unusable(error)),
        }
        // For the message of the one that is refused; on a full disk it stays empty.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        self.id().map_err(unusable)?;
        Ok(Lock { _file: file })
    }

    /// The spool's own id, made at first.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn id(&self) -> io::Result<String> {
        let path = self.folder.join("id");
        if let Ok(text) = fs::read_to_string(&path)
            && let Ok(id) = text.trim().parse::<Uuid>()
        {
            return Ok(id.to_string());
        }
        let id = Uuid::now_v7().to_string();
        self.write_whole(&path, format!("{id}\n").as_bytes())?;
        Ok(id)
    }

    /// Takes a file: from now on it is a segment of `node`, on disk. `None` when there is no such file.
    ///
    /// # Errors
    /// It could not be moved, and stays where it is; or what was moved could not be made sure to outlive the machine.
    pub fn take(&self, file: &Path, node: &str) -> io::Result<Option<Segment>> {
        let segment = Segment::new(node);
        let path = self.path(&segment);
        match fs::rename(file, &path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        File::open(&path)?.sync_all()?;
        sync_folder(&self.folder)?;
        if let Some(parent) = file.parent() {
            sync_folder(parent)?;
        }
        Ok(Some(segment))
    }

    /// Puts rows of `node` among those that wait; whoever ships from here finds them within seconds.
    ///
    /// # Errors
    /// They could not be written.
    pub fn put(&self, node: &str, rows: &[u8]) -> io::Result<Segment> {
        let segment = Segment::new(node);
        self.write_whole(&self.path(&segment), rows)?;
        sync_folder(&self.folder)?;
        Ok(segment)
    }

    /// Removes a segment whose every byte is done, where nothing is kept for comparing.
    ///
    /// # Errors
    /// It could not be removed.
    pub fn remove(&self, segment: &Segment) -> io::Result<()> {
        fs::remove_file(self.path(segment))
    }

    /// The segments that wait, oldest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn waiting(&self) -> io::Result<Vec<Segment>> {
        segments(&self.folder)
    }

    /// Opens a waiting segment at its first byte that is not done.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(&self, segment: &Segment) -> io::Result<File> {
        let mut file = File::open(self.path(segment))?;
        file.seek(SeekFrom::Start(segment.done))?;
        Ok(file)
    }

    /// Length of a waiting segment, and when its first byte was written (as far as the file system tells).
    ///
    /// # Errors
    /// It cannot be read.
    pub fn look(&self, segment: &Segment) -> io::Result<(u64, DateTime<Utc>)> {
        let metadata = fs::metadata(self.path(segment))?;
        let since = metadata.created().or_else(|_| metadata.modified())?;
        Ok((metadata.len(), since.into()))
    }

    /// Notes that the bytes before `done` are dealt with.
    ///
    /// # Errors
    /// The name could not be changed: after a crash, rows will be sent again.
    pub fn advance(&self, segment: &mut Segment, done: u64) -> io::Result<()> {
        let from = self.path(segment);
        segment.done = done;
        fs::rename(&from, self.path(segment)).inspect_err(|_| {
            // The name on disk is the old one.
            if let Some(name) = from.file_name().and_then(|name| name.to_str())
                && let Some(old) = Segment::parse(name)
            {
                *segment = old;
            }
        })
    }

    /// Puts a segment whose every byte is done into `sent`.
    ///
    /// # Errors
    /// It could not be moved.
    pub fn file_away(&self, segment: &Segment) -> io::Result<()> {
        let folder = self.sent().join(hour(Utc::now()));
        fs::create_dir_all(&folder)?;
        fs::rename(self.path(segment), folder.join(segment.file_name()))
    }

    /// Brings those of `sent` back that grew there, of those taken since `since`. Returns how many.
    ///
    /// # Errors
    /// A folder could not be read.
    pub fn bring_back_grown(&self, since: DateTime<Utc>) -> io::Result<u64> {
        let mut grown = 0;
        for folder in self.hours()?.into_iter().filter(|folder| named(folder) >= hour(since)) {
            for segment in segments(&folder)? {
                if segment.taken_at() < since {
                    continue;
                }
                let path = folder.join(segment.file_name());
                if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > segment.done) {
                    fs::rename(&path, self.path(&segment))?;
                    grown += 1;
                }
            }
        }
        Ok(grown)
    }

    /// Removes what was sent before `time`.
    ///
    /// # Errors
    /// A folder could not be removed.
    pub fn remove_sent_before(&self, time: DateTime<Utc>) -> io::Result<()> {
        self.hours()?.into_iter().filter(|folder| named(folder) < hour(time)).try_for_each(fs::remove_dir_all)
    }

    /// The segments sent since `time` that are still kept, as paths, oldest first.
    ///
    /// # Errors
    /// A folder could not be read.
    pub fn sent_since(&self, time: DateTime<Utc>) -> io::Result<Vec<(Segment, PathBuf)>> {
        let mut found = Vec::new();
        for folder in self.hours()?.into_iter().filter(|folder| named(folder) >= hour(time)) {
            found.extend(segments(&folder)?.into_iter().map(|segment| {
                let path = folder.join(segment.file_name());
                (segment, path)
            }));
        }
        Ok(found)
    }

    /// Sets a row aside, on disk, with the reason.
    ///
    /// # Errors
    /// It could not be written.
    pub fn set_aside(&self, segment: &Segment, offset: u64, row: &[u8], why: &str) -> io::Result<()> {
        let entry = Segment { done: offset, ..segment.clone() };
        let path = self.quarantine().join(entry.file_name());
        self.write_whole(&with_why(&path), why.as_bytes())?;
        self.write_whole(&path, row)?;
        sync_folder(&self.quarantine())
    }

    /// The rows in quarantine, oldest first.
    ///
    /// # Errors
    /// The folder could not be read.
    pub fn set_aside_rows(&self) -> io::Result<Vec<SetAside>> {
        Ok(segments(&self.quarantine())?
            .into_iter()
            .map(|segment| {
                let why = fs::read_to_string(with_why(&self.quarantine().join(segment.file_name())));
                SetAside { segment, why: why.unwrap_or_default() }
            })
            .collect())
    }

    /// How many rows are in quarantine.
    ///
    /// # Errors
    /// The folder could not be read.
    pub fn count_set_aside(&self) -> io::Result<u64> {
        Ok(segments(&self.quarantine())?.len() as u64)
    }

    /// Path of a row in quarantine.
    #[must_use]
    pub fn quarantined(&self, segment: &Segment) -> PathBuf {
        self.quarantine().join(segment.file_name())
    }

    /// Puts a row of the quarantine back, to be sent again.
    ///
    /// # Errors
    /// It could not be moved.
    pub fn put_back(&self, entry: &Segment) -> io::Result<()> {
        let from = self.quarantined(entry);
        fs::rename(&from, self.path(&Segment::new(&entry.node)))?;
        // The reason is of no use any more, and if it stays nobody looks at it.
        let _ = fs::remove_file(with_why(&from));
        Ok(())
    }

    /// Puts a segment that was sent back, to be sent again as a whole.
    ///
    /// # Errors
    /// It could not be moved.
    pub fn send_again(&self, segment: &Segment, path: &Path) -> io::Result<()> {
        fs::rename(path, self.path(&Segment { done: 0, ..segment.clone() }))
    }

    /// Path of a waiting segment.
    #[must_use]
    pub fn path(&self, segment: &Segment) -> PathBuf {
        self.folder.join(segment.file_name())
    }

    fn sent(&self) -> PathBuf {
        self.folder.join("sent")
    }

    fn quarantine(&self) -> PathBuf {
        self.folder.join("quarantine")
    }

    /// The folders of `sent`, oldest first.
    fn hours(&self) -> io::Result<Vec<PathBuf>> {
        let mut hours: Vec<PathBuf> = names(&self.sent())?.iter().map(|name| self.sent().join(name)).collect();
        hours.sort();
        Ok(hours)
    }

    /// Writes a file that is there as a whole, on disk, or not at all.
    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // Of its own: several threads write here.
        let temporary = self.folder.join(format!("writing-{}", Uuid::now_v7()));
        let written = File::create(&temporary).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
            // On a full disk it takes room that others need.
            let _ = fs::remove_file(&temporary);
        })
    }
}

fn hour(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H").to_string()
}

fn named(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn with_why(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".why");
    name.into()
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    Ok(names)
}

/// The segments in a folder, oldest first.
fn segments(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = names(folder)?.iter().filter_map(|name| Segment::parse(name)).collect();
    segments.sort_by_key(|segment| (segment.id, segment.done));
    Ok(segments)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
