//! Takes the file that Asterisk writes into the spool, and watches who writes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::line;
use crate::alarm::Alarms;
use crate::buffer::segment::Segment;
use crate::buffer::spool::Spool;

/// While rows wait anyway, the file is taken no more often than this.
const RELAXED: Duration = Duration::from_secs(10);
/// Bytes of a line with its attempt: from the size of the file to the number of its rows.
const ROW_BYTES: u64 = 512;
/// The clock may be adjusted by less than this without being called wrong.
const STEP: TimeDelta = TimeDelta::seconds(2);

/// How long a step is told.
const STEP_TOLD: Duration = Duration::from_secs(3600);

/// The record file, and what is known of those who write it.
#[derive(Debug)]
pub struct Intake {
    file: PathBuf,
    node: String,
    alarms: Alarms,
    /// Taken when it has so many bytes, or when its first were seen so long ago.
    enough: u64,
    wait: Duration,
    seen: Option<Instant>,
    taken: Option<Instant>,
    /// Segments that were taken and not surveyed yet.
    fresh: BTreeSet<Uuid>,
    boots: Boots,
    clock: Clock,
}

impl Intake {
    /// The intake of a file whose rows are `node`'s; it waits for `batch_rows` rows, or for `wait`.
    #[must_use]
    pub fn new(file: &Path, node: &str, batch_rows: usize, wait: Duration, alarms: Alarms) -> Intake {
        Intake {
            file: file.to_owned(),
            node: node.to_owned(),
            alarms,
            enough: batch_rows as u64 * ROW_BYTES,
            wait,
            seen: None,
            taken: None,
            fresh: BTreeSet::new(),
            boots: Boots::default(),
            clock: Clock::default(),
        }
    }

    /// Takes the file, if it is time to, and what somebody rotated away. While rows cannot be sent anyway (`busy`), it is taken less often.
    ///
    /// # Errors
    /// It cannot be taken, and stays where it is.
    pub fn take(&mut self, spool: &Spool, busy: bool) -> io::Result<Vec<Segment>> {
        self.clock.look(&self.alarms);
        let mut taken = Vec::new();
        if self.is_due(busy)? {
            let old = self.rotated()?;
            for file in old.iter().chain([&self.file]) {
                taken.extend(spool.take(file, &self.node)?);
            }
            self.fresh.extend(taken.iter().map(|segment| segment.id));
            self.seen = None;
            self.taken = Some(Instant::now());
        }
        Ok(taken)
    }

    fn is_due(&mut self, busy: bool) -> io::Result<bool> {
        let length = match fs::metadata(&self.file) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        // A file that was rotated away shows by nothing but its name; it is looked for when the next line comes, and at times.
        let first = self.taken.is_none();
        if length == 0 && !first && self.taken.is_none_or(|taken| taken.elapsed() < RELAXED) {
            self.seen = None;
            return Ok(false);
        }
        let seen = *self.seen.get_or_insert_with(Instant::now);
        let wait = if busy { RELAXED } else { self.wait };
        Ok(first || length >= self.enough || seen.elapsed() >= wait)
    }

    /// Files that a log rotation made of the record file: `tandem.csv.1`, `tandem.csv-20261124`. Nobody else may take it away; but what
    /// was taken is not lost.
    fn rotated(&self) -> io::Result<Vec<PathBuf>> {
        let (Some(folder), Some(name)) = (self.file.parent(), self.file.file_name().and_then(|name| name.to_str()))
        else {
            return Ok(Vec::new());
        };
        let mut files = Vec::new();
        let mut compressed = None;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(other) = entry.file_name().into_string() else { continue };
            let Some(rest) = other.strip_prefix(name).and_then(|rest| rest.strip_prefix(['.', '-'])) else { continue };
            if !entry.file_type()?.is_file() {
                continue;
            }
            if rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && !rest.is_empty() {
                files.push(entry.path());
            } else {
                compressed = Some(entry.path());
            }
        }
        let text = compressed.map(|path| {
            format!(
                "{} is no record file any more; take {} out of the log rotation, and unpack it to {name}.1",
                path.display(),
                self.file.display()
            )
        });
        self.alarms.set("records.rotated", text);
        Ok(files)
    }

    /// Reads a segment that came in for its number of rows, and for who wrote it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn survey(&mut self, spool: &Spool, segment: &Segment) -> io::Result<u64> {
        // Segments that come back, or were found, are older than what was taken last, and tell nothing of who writes now.
        let fresh = self.fresh.remove(&segment.id);
        let mut file = io::BufReader::with_capacity(256 * 1024, spool.open(segment)?);
        let mut rows = 0;
        let mut row = Vec::new();
        loop {
            row.clear();
            if io::BufRead::read_until(&mut file, b'\n', &mut row)? == 0 {
                return Ok(rows);
            }
            if let Some(boot) = line::boot(&row) {
                rows += 1;
                if fresh {
                    self.boots.see(boot, &self.alarms);
                }
            }
        }
    }
}

/// The runs of Asterisk that wrote, in the order in which they did. One that comes back after another came writes beside it.
#[derive(Debug, Default)]
struct Boots {
    last: Vec<u8>,
    former: BTreeSet<Vec<u8>>,
}

impl Boots {
    fn see(&mut self, boot: &[u8], alarms: &Alarms) {
        if boot == self.last {
            return;
        }
        if boot.is_empty() {
            alarms.raise(
                "records.boot",
                "records do not tell which run of Asterisk wrote them: load func_logic, func_rand and func_strings \
                 by preload in modules.conf",
            );
        }
        if self.former.contains(boot) {
            alarms.raise(
                "records.writers",
                "two Asterisks write into one record file: give each node an agent and a file of its own",
            );
        }
        let before = std::mem::replace(&mut self.last, boot.to_owned());
        self.former.insert(before);
    }
}

/// The node's clock beside one that cannot be set.
#[derive(Debug, Default)]
struct Clock {
    last: Option<(DateTime<Utc>, Instant)>,
    stepped: Option<Instant>,
}

impl Clock {
    fn look(&mut self, alarms: &Alarms) {
        let (now, steady) = (Utc::now(), Instant::now());
        let Some((then, since)) = self.last.replace((now, steady)) else { return };
        let expected = then + TimeDelta::from_std(steady - since).unwrap_or_default();
        let step = now - expected;
        if self.stepped.is_some_and(|stepped| stepped.elapsed() >= STEP_TOLD) {
            self.stepped = None;
            alarms.clear("records.clock");
        }
        if step.abs() > STEP {
            self.stepped = Some(steady);
            metrics::counter!("tandem_clock_steps_total").increment(1);
            let way = if step < TimeDelta::zero() { "back" } else { "forward" };
            alarms.raise(
                "records.clock",
                format!(
                    "the clock was set {way} by {} s; calls of that moment have wrong lengths (clock_doubtful); see to the node's time service",
                    step.abs().num_seconds()
                ),
            );
        }
    }
}
