//! The loop: takes emergency calls from the file, makes notices of them, and delivers each until it is taken.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::notice::{Notice, Way};
use super::phone::Phone;
use crate::alarm::Alarms;
use crate::buffer::segment::Segment;
use crate::buffer::spool::{Lock, Spool};
use crate::console::Console;
use crate::emergency::callbacks::Callbacks;
use crate::emergency::talks::Talks;
use crate::post::mail::{Letter, Mail};
use crate::post::outbox::Outbox;
use crate::post::rounds::Rounds;
use crate::post::web::Web;
use crate::records::emergency::notice_line;
use crate::records::line;
use crate::store::Store;
use crate::store::asking::Asking;
use crate::store::record::{EmergencyCall, Record};

/// Between two looks for a call.
const TICK: Duration = Duration::from_millis(20);
/// Between two tries of what the disk or the store failed.
const AGAIN: Duration = Duration::from_secs(1);
/// For a question to the store.
const QUESTION: Duration = Duration::from_secs(2);
/// A line that is called may take its time: it rings, and hears the notice twice.
const CALL: Duration = Duration::from_secs(120);
/// Delivered notices are known for so long.
const KEEP: TimeDelta = TimeDelta::hours(72);
const TIDY: Duration = Duration::from_secs(600);

/// How notices are sent.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The node's name.
    pub node: String,
    /// The file to which the dialplan appends emergency calls.
    pub file: PathBuf,
    /// Folder in which they wait.
    pub spool: PathBuf,
    /// The spool of records, by which delivered notices reach the database.
    pub records: PathBuf,
    /// URL of the mail server; may be empty.
    pub smtp: String,
    /// Sender of mails.
    pub from: String,
    /// Told of every call, whoever's: ways and addresses.
    pub contacts: Vec<(Way, String)>,
    /// What agents tell each other.
    pub peer_token: String,
    /// For one delivery.
    pub patience: Duration,
    /// How long a notice may wait before it is an alarm.
    pub alarm_after: TimeDelta,
    /// How long callbacks are protected.
    pub window: TimeDelta,
    /// How Asterisk is asked.
    pub console: Console,
    /// How a line is dialled.
    pub line_dial: String,
}

/// Sends the notices of a node.
pub struct Dispatcher {
    settings: Settings,
    store: Store,
    callbacks: Callbacks,
    alarms: Alarms,
    spool: Spool,
    lock: Option<Lock>,
    outbox: Outbox<Notice>,
    records: Spool,
    ways: Arc<Ways>,
    /// Calls that are taken and of which no notices were made yet.
    calls: Vec<Segment>,
    rounds: Rounds<Notice>,
    not_before: Instant,
    tidied: Option<Instant>,
}

struct Ways {
    mail: Mail,
    web: Web,
    phone: Phone,
    peer_token: String,
    patience: Duration,
}

impl Ways {
    async fn deliver(&self, notice: &Notice) -> Result<(), String> {
        let patience = if notice.way == Way::Call { CALL } else { self.patience };
        let work = async {
            match notice.way {
                Way::Mail => {
                    let letter = Letter {
                        from: "",
                        to: &notice.address,
                        subject: notice.subject(),
                        text: notice.text(),
                        message_id: format!("{}@{}", notice.id, notice.node),
                        attachment: None,
                    };
                    self.mail.send(letter).await
                }
                Way::Webhook => self.web.post(&notice.address, notice, notice.id, "").await,
                Way::Peer => {
                    let url = format!("{}/emergency", notice.address.trim_end_matches('/'));
                    self.web.post(&url, &notice.callback(), notice.id, &self.peer_token).await
                }
                Way::Message | Way::Call => self.phone.tell(notice).await,
            }
        };
        timeout(patience, work).await.unwrap_or_else(|_| Err(format!("it took longer than {} s", patience.as_secs())))
    }
}

impl Dispatcher {
    /// A dispatcher that finds the contacts in `store`.
    ///
    /// # Errors
    /// The HTTP client cannot be built.
    pub fn new(
        settings: Settings,
        store: Store,
        callbacks: Callbacks,
        talks: Talks,
        alarms: Alarms,
    ) -> Result<Dispatcher, String> {
        let ways = Ways {
            mail: Mail::new(&settings.smtp, &settings.from),
            web: Web::new()?,
            peer_token: settings.peer_token.clone(),
            phone: Phone::new(settings.console.clone(), &settings.line_dial, talks),
            patience: settings.patience,
        };
        Ok(Dispatcher {
            spool: Spool::new(&settings.spool),
            outbox: Outbox::new(&settings.spool),
            records: Spool::new(&settings.records),
            settings,
            store,
            callbacks,
            alarms,
            lock: None,
            ways: Arc::new(ways),
            calls: Vec::new(),
            rounds: Rounds::default(),
            not_before: Instant::now(),
            tidied: None,
        })
    }

    /// Works until `stop`; what is not delivered by then waits for the next agent.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
                Some((id, outcome)) = self.rounds.ended() => self.ended(id, outcome),
            }
            if Instant::now() >= self.not_before {
                let worked = self.work().await;
                if worked.is_err() {
                    self.not_before = Instant::now() + AGAIN;
                }
                self.alarms.set("notices.spool", worked.err());
            }
            self.deliver();
            self.report();
        }
    }

    async fn work(&mut self) -> Result<(), String> {
        let failed =
            |error: &dyn std::fmt::Display| format!("emergency calls cannot be taken for their notices: {error}");
        if self.lock.is_none() {
            self.lock = Some(self.spool.lock().map_err(|error| failed(&error))?);
            self.outbox.make().map_err(|error| failed(&error))?;
            self.calls = self.spool.waiting().map_err(|error| failed(&error))?;
            for notice in self.outbox.waiting().map_err(|error| failed(&error))? {
                self.rounds.add(notice);
            }
        }
        if fs::metadata(&self.settings.file).is_ok_and(|file| file.len() > 0) {
            let taken = self.spool.take(&self.settings.file, &self.settings.node);
            self.calls.extend(taken.map_err(|error| failed(&error))?);
        }
        while let Some(segment) = self.calls.first().cloned() {
            self.unfold(segment).await?;
            self.calls.remove(0);
        }
        if self.tidied.is_none_or(|tidied| tidied.elapsed() >= TIDY) {
            self.tidied = Some(Instant::now());
            self.look_at_quarantine().map_err(|error| failed(&error))?;
            self.outbox.tidy(KEEP).map_err(|error| failed(&error))?;
            self.spool.remove_sent_before(Utc::now() - KEEP).map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// Makes the notices of the calls in a segment.
    async fn unfold(&mut self, mut segment: Segment) -> Result<(), String> {
        let failed = |error: io::Error| format!("the notices of an emergency call cannot be made: {error}");
        let mut bytes = Vec::new();
        fs::File::open(self.spool.path(&segment)).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?;
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let length = line::length(rest, true).unwrap_or(rest.len());
            let row = rest.get(..length).unwrap_or(rest);
            match line::read(&segment.node, row) {
                Ok(Record::EmergencyCall(call)) => self.tell(&call).await?,
                Ok(_) => {}
                Err(why) => {
                    self.spool.set_aside(&segment, at as u64, row, &why).map_err(failed)?;
                    self.look_at_quarantine().map_err(failed)?;
                }
            }
            at += length;
        }
        self.callbacks.keep(Utc::now(), self.settings.window).map_err(failed)?;
        self.spool.advance(&mut segment, at as u64).map_err(failed)?;
        self.spool.file_away(&segment).map_err(failed)
    }

    /// Lines that nobody can read may be emergency calls of which nobody is told.
    fn look_at_quarantine(&self) -> io::Result<()> {
        let count = self.spool.count_set_aside()?;
        let folder = self.spool.folder().display();
        let text = format!(
            "{count} lines of emergency calls cannot be read, and nobody is told of them; see {folder}/quarantine"
        );
        self.alarms.set("notices.unreadable", (count > 0).then_some(text));
        Ok(())
    }

    /// Makes the notices of a call.
    async fn tell(&mut self, call: &EmergencyCall) -> Result<(), String> {
        let mut addresses = self.settings.contacts.clone();
        if let Some(line_id) = &call.line_id {
            let mut asking = Asking::until(Instant::now() + QUESTION);
            let contacts = self.store.emergency_contacts(line_id, &mut asking).await;
            let contacts =
                contacts.map_err(|error| format!("who is told of emergency calls cannot be read: {error}"))?;
            addresses.extend(contacts.into_iter().filter_map(|one| Some((Way::named(&one.kind)?, one.address))));
        }
        let now = Utc::now();
        let mut told = 0;
        for (way, address) in addresses {
            let notice = Notice::new(call, way, &address, now);
            self.callbacks.protect(notice.callback());
            let new = self.outbox.add(&notice, None).map_err(|error| format!("a notice cannot be written: {error}"))?;
            if new {
                told += 1;
                self.rounds.add(notice);
            }
        }
        tracing::warn!(
            line = call.line_id.as_deref().unwrap_or_default(),
            uniqueid = call.call.uniqueid,
            location = call.location,
            facility = call.facility_name,
            method = call.method,
            notices = told,
            "emergency call"
        );
        Ok(())
    }

    /// Begins the deliveries that are due.
    fn deliver(&mut self) {
        let deliver = |notice: Notice| {
            let ways = Arc::clone(&self.ways);
            async move { ways.deliver(&notice).await }
        };
        for id in self.rounds.begin(deliver) {
            self.finish(id);
        }
    }

    fn ended(&mut self, id: Uuid, outcome: Result<(), String>) {
        let Some(waiting) = self.rounds.get(id) else { return };
        let way = waiting.errand.way;
        let called = if outcome.is_ok() { "delivered" } else { "failed" };
        metrics::counter!("tandem_notices_total", "way" => way.name(), "outcome" => called).increment(1);
        let Err(error) = outcome else { return self.finish(id) };
        // A callback that is protected no more is of no use to another node.
        if way == Way::Peer && Utc::now() - waiting.errand.called_at > self.settings.window {
            if self.outbox.told(id).is_ok() {
                self.rounds.remove(id);
            }
            return;
        }
        let address = waiting.errand.address.clone();
        if self.rounds.failed(id, error.clone()) {
            let way = way.name();
            tracing::warn!(way, address, error, "a notice of an emergency call is not taken; it is tried until it is");
        }
    }

    /// Writes down that a notice was delivered.
    fn finish(&mut self, id: Uuid) {
        let Some(waiting) = self.rounds.get(id) else { return };
        let at = waiting.delivered_at.unwrap_or_else(Utc::now);
        let record = waiting.errand.delivered(at, waiting.tries, &waiting.last_error);
        // Not into the file that Asterisk writes: made by the agent, Asterisk could not.
        let written =
            self.records.put(&self.settings.node, notice_line(&record).as_bytes()).and_then(|_| self.outbox.told(id));
        match written {
            Ok(()) => {
                let (way, address, tries) = (record.kind, record.address, record.tries);
                tracing::info!(way, address, tries, "a notice of an emergency call is delivered");
                self.rounds.remove(id);
            }
            Err(error) => {
                self.rounds.follow_later(id, format!("it was delivered, which cannot be written down: {error}"));
            }
        }
    }

    fn report(&self) {
        #[allow(clippy::cast_precision_loss, reason = "a few")]
        metrics::gauge!("tandem_notices_waiting").set(self.rounds.len() as f64);
        self.alarms.set("notices", self.rounds.late("notices of emergency calls", self.settings.alarm_after));
    }
}
