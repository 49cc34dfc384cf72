//! The loop that ships a spool's rows: gathers, sends in batches, tries again, sets aside.
//!
//! It runs on a thread of its own, since it waits for the disk, and no call waits with it. The newest segment goes first: what
//! happened just now is not held up by a backlog, whose pace [`Settings::rows_per_second`] bounds.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::batch::Batch;
use super::figures::{Figures, Progress};
use super::pauses::{LONGEST, Pauses};
use super::reserve::Reserve;
use super::segment::Segment;
use super::spool::{Lock, Spool, SpoolError};
use super::{Cargo, Unsent};
use crate::alarm::Alarms;

/// For the batches of one turn; then it looks around, and tells how far it is.
const TURN: Duration = Duration::from_secs(1);
/// Between two looks for something new.
const TICK: Duration = Duration::from_millis(50);
/// A file that was taken so long ago is held by no writer that is alive; a row that is not whole by then never will be.
const SETTLED: Duration = Duration::from_secs(10);
/// Between two looks for rows that an operator put back, or that a late writer appended.
const LOOK: Duration = Duration::from_secs(2);
/// Files taken within this time are looked at for late rows at every look, others when it is tidied.
const LATE: TimeDelta = TimeDelta::minutes(1);
/// Between two times of removing what was kept long enough.
const TIDY: Duration = Duration::from_secs(600);
/// Share of a disk that has to be free, in percent.
const FREE_PERCENT: u64 = 5;

/// How a spool is shipped.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Rows of a batch at the most.
    pub batch_rows: usize,
    /// Rows a second at the most.
    pub rows_per_second: u32,
    /// How long rows may wait before it is an alarm.
    pub alarm_after: TimeDelta,
    /// How long what was sent is kept for comparing; with zero it is removed at once.
    pub keep: TimeDelta,
    /// Bytes of the disk that are held back for when it is full.
    pub reserve: u64,
}

/// Ships one spool.
pub struct Shipper<C> {
    cargo: C,
    spool: Spool,
    lock: Option<Lock>,
    reserve: Reserve,
    settings: Settings,
    alarms: Alarms,
    names: Names,
    waiting: BTreeMap<Uuid, Waiting>,
    pauses: Pauses,
    /// Nothing is sent before this time: a pause after a failure, or the pace.
    not_before: Instant,
    looked: Option<Instant>,
    tidied: Option<Instant>,
    figures: Figures,
    progress: Arc<Mutex<Progress>>,
}

/// A segment that waits.
#[derive(Debug)]
struct Waiting {
    segment: Segment,
    /// Rows that are not done.
    rows: u64,
    /// When its first row was written.
    since: DateTime<Utc>,
    found: Instant,
    /// Its length when it was found to have no more whole rows.
    drained: Option<u64>,
    /// The disk failed it: it is left alone until then, and the others go on.
    not_before: Option<Instant>,
}

impl<C: Cargo> Shipper<C> {
    /// A shipper of `spool`, whose `lock` it holds, if that could be had at the start.
    #[must_use]
    pub fn new(cargo: C, spool: Spool, lock: Option<Lock>, settings: Settings, alarms: Alarms) -> Shipper<C> {
        Shipper {
            cargo,
            reserve: Reserve::new(&spool, settings.reserve),
            spool,
            lock,
            settings,
            alarms,
            names: Names::of(C::NAME),
            waiting: BTreeMap::new(),
            pauses: Pauses::default(),
            not_before: Instant::now(),
            looked: None,
            tidied: None,
            figures: Figures::new(C::NAME),
            progress: Arc::new(Mutex::new(Progress { cargo: C::NAME.to_owned(), ..Progress::default() })),
        }
    }

    /// Where its progress can be read.
    #[must_use]
    pub fn progress(&self) -> Arc<Mutex<Progress>> {
        Arc::clone(&self.progress)
    }

    /// Ships until `stop`, and then stops at once, wherever it is: calls wait for the next agent, which sends what is left.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let turn = async {
                ticks.tick().await;
                self.turn().await;
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = turn => {}
            }
        }
    }

    /// One turn: everything that can be done now. It may be dropped at any point where it waits for the database.
    async fn turn(&mut self) {
        if !self.has_lock() {
            return;
        }
        self.reserve.tend();
        self.gather();
        self.look_around();
        self.tidy();
        let begun = Instant::now();
        while Instant::now() >= self.not_before && begun.elapsed() < TURN {
            let Some(id) = self.next() else { break };
            let started = Instant::now();
            match self.ship(id).await {
                Ok(rows) => {
                    if self.pauses.reset() {
                        tracing::info!(cargo = C::NAME, "rows are sent again");
                    }
                    self.figures.sent(rows);
                    let pace = Duration::from_secs(1).mul_f64(rows as f64 / f64::from(self.settings.rows_per_second));
                    self.not_before = started + pace;
                }
                Err(Fault::Later(why)) => {
                    self.figures.retries.increment(1);
                    let (pause, first) = self.pauses.begin();
                    if first {
                        tracing::warn!(
                            cargo = C::NAME,
                            error = why,
                            "rows wait, and are tried again until they are sent"
                        );
                    }
                    self.not_before = Instant::now() + pause;
                }
                Err(Fault::Disk(error)) => {
                    self.alarms.raise(self.names.spool, self.unusable(&error));
                    if let Some(waiting) = self.waiting.get_mut(&id) {
                        waiting.not_before = Some(Instant::now() + LONGEST);
                    }
                }
            }
            self.gather();
            if self.not_before > Instant::now() && self.not_before - Instant::now() < TICK {
                sleep(self.not_before - Instant::now()).await;
            }
        }
        self.report();
    }

    fn unusable(&self, error: &io::Error) -> String {
        format!("the spool {} cannot be used: {error}; rows stay where they are", self.spool.folder().display())
    }

    /// Takes the lock, if it could not be had before. A spool that cannot be used is tried again and again.
    fn has_lock(&mut self) -> bool {
        if self.lock.is_none() && Instant::now() >= self.not_before {
            match self.spool.lock() {
                Ok(lock) => {
                    self.lock = Some(lock);
                    self.alarms.clear(self.names.spool);
                }
                Err(error @ (SpoolError::InUse { .. } | SpoolError::Unusable { .. })) => {
                    self.alarms.raise(self.names.spool, error.to_string());
                    self.not_before = Instant::now() + LOOK;
                }
            }
        }
        self.lock.is_some()
    }

    /// Lets the cargo bring in what came. While rows wait anyway, more come together.
    fn gather(&mut self) {
        match self.cargo.gather(&self.spool) {
            Ok(segments) => {
                self.alarms.clear(self.names.intake);
                for segment in segments {
                    self.admit(segment);
                }
            }
            Err(error) => self.alarms.raise(
                self.names.intake,
                format!("finished rows cannot be taken into the spool {}: {error}", self.spool.folder().display()),
            ),
        }
    }

    /// Puts a segment among those that wait.
    fn admit(&mut self, segment: Segment) {
        let rows = self.cargo.survey(&self.spool, &segment);
        match rows.and_then(|rows| Ok((rows, self.spool.look(&segment)?.1))) {
            Ok((rows, since)) => {
                let waiting = Waiting { rows, since, found: Instant::now(), drained: None, not_before: None, segment };
                self.waiting.insert(waiting.segment.id, waiting);
            }
            // An operator may have moved it; it is found at the next look, if it is there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.alarms.raise(self.names.spool, self.unusable(&error)),
        }
    }

    /// Finds segments that this loop did not bring: of an earlier process, put back, or grown after they were filed away.
    fn look_around(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        let first = self.looked.replace(Instant::now()).is_none();
        // At the start everything that is kept; later what a writer that is alive may still hold.
        let since = Utc::now() - if first { self.settings.keep } else { LATE };
        let found = self.spool.bring_back_grown(since).and_then(|_| self.spool.waiting());
        let found = match found {
            Ok(found) => found,
            Err(error) => return self.alarms.raise(self.names.spool, self.unusable(&error)),
        };
        for segment in found {
            if !self.waiting.contains_key(&segment.id) {
                self.admit(segment);
            }
        }
        match self.spool.count_set_aside() {
            Ok(count) => self.quarantine(count),
            Err(error) => self.alarms.raise(self.names.spool, self.unusable(&error)),
        }
        self.watch_disk();
    }

    fn quarantine(&self, count: u64) {
        self.figures.quarantined.set(count as f64);
        self.publish(|progress| progress.quarantined = count);
        let text = format!(
            "{count} rows are in quarantine; `tandem records status --of {0}` tells why, `tandem records retry --of {0}` puts them back",
            C::NAME
        );
        self.alarms.set(self.names.quarantine, (count > 0).then_some(text));
    }

    fn watch_disk(&self) {
        let text = match rustix::fs::statvfs(self.spool.folder()) {
            Ok(disk) if disk.f_bavail.saturating_mul(100) < disk.f_blocks.saturating_mul(FREE_PERCENT) => {
                Some(format!(
                    "the disk of the spool {} is nearly full: {} MiB are free; make room, since rows that cannot be written are lost",
                    self.spool.folder().display(),
                    disk.f_bavail.saturating_mul(disk.f_frsize) >> 20,
                ))
            }
            _ => None,
        };
        self.alarms.set(self.names.disk, text);
    }

    fn tidy(&mut self) {
        if self.tidied.is_some_and(|tidied| tidied.elapsed() < TIDY) {
            return;
        }
        self.tidied = Some(Instant::now());
        let outcome = self.spool.bring_back_grown(Utc::now() - self.settings.keep);
        let outcome = outcome.and_then(|_| self.spool.remove_sent_before(Utc::now() - self.settings.keep));
        if let Err(error) = outcome {
            self.alarms.raise(self.names.spool, self.unusable(&error));
        }
    }

    /// The newest segment that may have rows.
    fn next(&self) -> Option<Uuid> {
        let ready = |waiting: &&Waiting| match waiting.drained {
            _ if waiting.not_before.is_some_and(|time| Instant::now() < time) => false,
            None => true,
            Some(length) => {
                waiting.found.elapsed() >= SETTLED
                    || self.spool.look(&waiting.segment).is_ok_and(|(now, _)| now != length)
            }
        };
        self.waiting.values().rev().find(ready).map(|waiting| waiting.segment.id)
    }

    /// Sends one batch of a segment; how many rows it came to.
    async fn ship(&mut self, id: Uuid) -> Result<u64, Fault> {
        let Some(waiting) = self.waiting.get(&id) else { return Ok(0) };
        let settled = waiting.found.elapsed() >= SETTLED;
        let segment = waiting.segment.clone();
        let batch = self.spool.open(&segment).and_then(|mut file| {
            let most = self.settings.batch_rows;
            Batch::read(&mut self.cargo, &segment.node, &mut file, segment.done, most, settled)
        });
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.waiting.remove(&id);
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        };
        self.send(&segment, &batch).await?;
        for (offset, row, why) in &batch.unreadable {
            self.set_aside(&segment, *offset, row, &format!("cannot be read: {why}"))?;
        }
        let rows = (batch.rows.len() + batch.unreadable.len()) as u64;
        self.note(id, &batch, rows)?;
        Ok(rows)
    }

    /// Sends the rows. Where the database refuses, the refused ones are found by halves, and set aside.
    async fn send(&mut self, segment: &Segment, batch: &Batch<C::Row>) -> Result<(), Fault> {
        // First and end of each part.
        let mut parts = vec![(0, batch.rows.len())];
        while let Some((first, end)) = parts.pop() {
            let rows = batch.rows.get(first..end).unwrap_or_default();
            if rows.is_empty() {
                continue;
            }
            match self.cargo.send(rows).await {
                Ok(()) => self.figures.batches.increment(1),
                Err(Unsent::Later(why)) => return Err(Fault::Later(why)),
                Err(Unsent::Refused(why)) if rows.len() == 1 => {
                    let Some((offset, row)) = batch.places.get(first) else { continue };
                    self.set_aside(segment, *offset, row, &format!("refused by the database: {why}"))?;
                }
                Err(Unsent::Refused(_)) => {
                    let middle = first + rows.len() / 2;
                    parts.push((middle, end));
                    parts.push((first, middle));
                }
            }
        }
        Ok(())
    }

    fn set_aside(&self, segment: &Segment, offset: u64, row: &[u8], why: &str) -> io::Result<()> {
        self.spool.set_aside(segment, offset, row, why)?;
        self.figures.set_aside.increment(1);
        self.spool.count_set_aside().map(|count| self.quarantine(count))
    }

    /// Notes what is done of a segment, on disk; files it away when that is all of it.
    fn note(&mut self, id: Uuid, batch: &Batch<C::Row>, rows: u64) -> io::Result<()> {
        let Some(waiting) = self.waiting.get_mut(&id) else { return Ok(()) };
        if batch.end > waiting.segment.done {
            self.spool.advance(&mut waiting.segment, batch.end)?;
        }
        waiting.rows = waiting.rows.saturating_sub(rows);
        (waiting.drained, waiting.not_before) = (None, None);
        if batch.last {
            let (length, _) = self.spool.look(&waiting.segment)?;
            if length > batch.end {
                waiting.drained = Some(length);
            } else {
                if self.settings.keep.is_zero() {
                    self.spool.remove(&waiting.segment)?;
                } else {
                    self.spool.file_away(&waiting.segment)?;
                }
                self.waiting.remove(&id);
            }
        }
        if self.waiting.values().all(|waiting| waiting.not_before.is_none()) {
            self.alarms.clear(self.names.spool);
        }
        Ok(())
    }

    fn report(&mut self) {
        let backlog: u64 = self.waiting.values().map(|waiting| waiting.rows).sum();
        let oldest = self.waiting.values().filter(|waiting| waiting.rows > 0).map(|waiting| waiting.since).min();
        let seconds = oldest.map_or(0, |since| (Utc::now() - since).num_seconds().max(0));
        self.figures.backlog_rows.set(backlog as f64);
        self.figures.backlog_seconds.set(seconds as f64);
        let rate = self.figures.rate();
        self.publish(|progress| {
            (progress.backlog_rows, progress.backlog_seconds, progress.rows_per_second) = (backlog, seconds, rate);
        });
        let late = seconds > self.settings.alarm_after.num_seconds();
        let text = format!("{backlog} rows wait to be sent, the oldest since {seconds} s; is the database well?");
        self.alarms.set(self.names.waiting, late.then_some(text));
    }

    fn publish(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Names of the alarms of a cargo.
#[derive(Debug, Clone, Copy)]
struct Names {
    spool: &'static str,
    intake: &'static str,
    disk: &'static str,
    quarantine: &'static str,
    waiting: &'static str,
}

impl Names {
    fn of(cargo: &'static str) -> Names {
        // Once for each cargo and process.
        let name = |what: &str| -> &'static str { Box::leak(format!("{cargo}.{what}").into_boxed_str()) };
        Names {
            spool: name("spool"),
            intake: name("intake"),
            disk: name("disk"),
            quarantine: name("quarantine"),
            waiting: name("waiting"),
        }
    }
}

/// Why a batch is not done.
enum Fault {
    /// The receiver is away.
    Later(String),
    /// The spool cannot be used.
    Disk(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Disk(error)
    }
}
