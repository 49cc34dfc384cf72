//! Compares the lines that the node kept with the rows of the central database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};

use super::line;
use crate::buffer::segment::Segment;
use crate::buffer::spool::Spool;
use crate::store::record::Record;
use crate::store::recorded::Recorded;
use crate::store::{Store, StoreError};

/// A line is in a segment that was sent in the hour in which it began, or later; clocks may differ by as much.
const SLACK: TimeDelta = TimeDelta::hours(1);

/// What tells a row from all others, whatever the node is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Call or attempt.
    pub what: Recorded,
    /// The run of Asterisk.
    pub boot: String,
    /// Unique id of the calling channel.
    pub uniqueid: String,
    /// Sequence of the record, or number of the attempt.
    pub sequence: i64,
}

/// Where a line of the node is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// In a segment that was sent.
    Sent(Segment, PathBuf),
    /// Not sent yet.
    Waiting,
    /// In quarantine.
    SetAside,
}

/// A line of the node.
#[derive(Debug, Clone)]
struct Line {
    started_at: DateTime<Utc>,
    place: Place,
}

/// What the comparison found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Lines of the node in that time, each once.
    pub lines: u64,
    /// Of those, how many are in the database.
    pub found: u64,
    /// Of those, how many wait to be sent.
    pub waiting: u64,
    /// Of those, how many are in quarantine.
    pub set_aside: u64,
    /// Lines that nobody can read; those are in quarantine, too.
    pub unreadable: u64,
    /// Sent, and not in the database.
    pub missing: BTreeSet<Key>,
    /// In the database under several names of nodes.
    pub double: BTreeMap<Key, BTreeSet<String>>,
    /// In the database, and not on the node: from before it kept lines, or from another Asterisk.
    pub foreign: BTreeSet<Key>,
    /// The segments of missing lines.
    pub mend: BTreeMap<String, (Segment, PathBuf)>,
}

/// Compares everything that began within a time.
///
/// # Errors
/// The spool or the database could not be read.
pub async fn verify(
    spool: &Spool,
    file: &Path,
    store: &Store,
    from: DateTime<Utc>,
    before: DateTime<Utc>,
) -> Result<Findings, VerifyError> {
    let mut findings = Findings::default();
    let lines = lines(spool, file, from, before, &mut findings)?;
    let boots: BTreeSet<&String> = lines.keys().map(|key| &key.boot).collect();
    // Not the whole time that was asked for, which may be years.
    let from = lines.values().map(|line| line.started_at).min().unwrap_or(from);
    let before = lines.values().map(|line| line.started_at + TimeDelta::milliseconds(1)).max().unwrap_or(before);
    let mut rows: HashMap<Key, BTreeSet<String>> = HashMap::new();
    for boot in boots {
        for what in [Recorded::Calls, Recorded::Attempts] {
            for row in store.recorded(what, boot, from, before).await? {
                let key = Key { what, boot: boot.clone(), uniqueid: row.uniqueid, sequence: row.sequence };
                rows.entry(key).or_default().insert(row.node);
            }
        }
    }
    findings.lines = lines.len() as u64;
    for (key, line) in &lines {
        match (rows.get(key), &line.place) {
            (Some(nodes), _) => {
                findings.found += 1;
                if nodes.len() > 1 {
                    findings.double.insert(key.clone(), nodes.clone());
                }
            }
            (None, Place::Waiting) => findings.waiting += 1,
            (None, Place::SetAside) => findings.set_aside += 1,
            (None, Place::Sent(segment, path)) => {
                findings.missing.insert(key.clone());
                findings.mend.insert(segment.file_name(), (segment.clone(), path.clone()));
            }
        }
    }
    findings.foreign = rows.into_keys().filter(|key| !lines.contains_key(key)).collect();
    Ok(findings)
}

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The node's own lines cannot be read.
    #[error("the spool cannot be read: {0}")]
    Spool(#[from] io::Error),
    /// The database cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every line of the node that began within a time, and where it is.
fn lines(
    spool: &Spool,
    file: &Path,
    from: DateTime<Utc>,
    before: DateTime<Utc>,
    findings: &mut Findings,
) -> io::Result<HashMap<Key, Line>> {
    let mut lines = HashMap::new();
    // Returns how many pieces are no lines.
    let mut add = |bytes: &[u8], place: &dyn Fn(u64) -> Place| {
        let (mut at, mut unreadable) = (0, 0);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let length = line::length(rest, true).unwrap_or(rest.len());
            match line::read("", rest.get(..length).unwrap_or(rest)) {
                Ok(record) => {
                    let Some((key, started_at)) = key(record) else {
                        at += length;
                        continue;
                    };
                    if (from..before).contains(&started_at) {
                        lines.insert(key, Line { started_at, place: place(at as u64) });
                    }
                }
                Err(_) => unreadable += 1,
            }
            at += length;
        }
        unreadable
    };
    // Read against the stream, so that a line that is moved meanwhile is seen at least once.
    if let Some(bytes) = read(file)? {
        findings.unreadable += add(&bytes, &|_| Place::Waiting);
    }
    for segment in spool.waiting()? {
        if let Some(bytes) = read(&spool.path(&segment))? {
            let path = spool.path(&segment);
            findings.unreadable += add(&bytes, &|at| {
                if at < segment.done { Place::Sent(segment.clone(), path.clone()) } else { Place::Waiting }
            });
        }
    }
    for (segment, path) in spool.sent_since(from - SLACK)? {
        if let Some(bytes) = read(&path)? {
            findings.unreadable += add(&bytes, &|_| Place::Sent(segment.clone(), path.clone()));
        }
    }
    // Last: a refused line stands in its segment, too, and there an unreadable one is counted.
    for entry in spool.set_aside_rows()? {
        if let Some(bytes) = read(&spool.quarantined(&entry.segment))? {
            add(&bytes, &|_| Place::SetAside);
        }
    }
    Ok(lines)
}

/// The bytes of a file; `None` when it is gone.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Calls and attempts are compared; what is told of emergency calls beside them is not.
fn key(record: Record) -> Option<(Key, DateTime<Utc>)> {
    match record {
        Record::Call(call) => Some((
            Key { what: Recorded::Calls, boot: call.call.boot, uniqueid: call.call.uniqueid, sequence: call.sequence },
            call.span.started_at,
        )),
        Record::Attempt(attempt) => Some((
            Key {
                what: Recorded::Attempts,
                boot: attempt.call.boot,
                uniqueid: attempt.call.uniqueid,
                sequence: attempt.number,
            },
            attempt.span.started_at,
        )),
        Record::EmergencyCall(_) | Record::EmergencyNotice(_) => None,
    }
}
