//! The loop that tells owners of messages by mail, pager and web, each until it is taken.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::errand::{MessageErrand, Way};
use super::item::{Item, Spooled};
use crate::alarm::Alarms;
use crate::buffer::spool::Spool;
use crate::post::mail::{Letter, Mail};
use crate::post::outbox::Outbox;
use crate::post::rounds::Rounds;
use crate::post::web::Web;
use crate::store::mailbox::{Change, Format};

const TICK: Duration = Duration::from_millis(100);
/// Delivered ones are known for so long, so that none is delivered twice.
const KEEP: TimeDelta = TimeDelta::hours(72);
const TIDY: Duration = Duration::from_secs(600);

/// How owners are told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The node's name.
    pub node: String,
    /// The spool of voicemail; errands are in its folder `post`.
    pub spool: PathBuf,
    /// URL of the mail server; may be empty.
    pub smtp: String,
    /// Sender of mails.
    pub from: String,
    /// For one delivery.
    pub patience: Duration,
    /// How long one may wait before it is an alarm.
    pub alarm_after: TimeDelta,
}

/// Tells owners.
pub struct Postman {
    settings: Settings,
    outbox: Outbox<MessageErrand>,
    spool: Spool,
    ways: Arc<Ways>,
    new: mpsc::UnboundedReceiver<MessageErrand>,
    rounds: Rounds<MessageErrand>,
    alarms: Alarms,
    begun: bool,
    tidied: Option<Instant>,
}

/// Where errands are handed in: on disk first, then to the postman.
#[derive(Debug, Clone)]
pub struct Letterbox {
    outbox: Outbox<MessageErrand>,
    new: mpsc::UnboundedSender<MessageErrand>,
}

struct Ways {
    mail: Mail,
    web: Web,
    outbox: Outbox<MessageErrand>,
    patience: Duration,
}

impl Letterbox {
    /// Hands an errand in, with the audio if it is to go along; one that is known is passed over.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&self, errand: MessageErrand, audio: &[u8]) -> std::io::Result<()> {
        self.outbox.make()?;
        if self.outbox.add(&errand, errand.enclosed.map(|_| audio))? {
            // A postman that has gone finds it on the disk when it comes back.
            let _ = self.new.send(errand);
        }
        Ok(())
    }
}

impl Ways {
    async fn deliver(&self, errand: &MessageErrand) -> Result<(), String> {
        let work = async {
            match errand.way {
                Way::Mail | Way::Pager => {
                    let attachment = match errand.enclosed {
                        None => None,
                        Some(format) => {
                            let path = self.outbox.enclosed(errand.id);
                            let audio = tokio::fs::read(&path).await;
                            let audio = audio.map_err(|error| format!("{}: {error}", path.display()))?;
                            Some((name(format), "audio/wav", audio))
                        }
                    };
                    let letter = Letter {
                        from: &errand.from,
                        to: &errand.address,
                        subject: errand.subject.clone(),
                        text: errand.text.clone(),
                        message_id: format!("{}@voicemail.tandem", errand.id),
                        attachment,
                    };
                    self.mail.send(letter).await
                }
                Way::Webhook => self.web.post(&errand.address, &errand.message, errand.id, "").await,
            }
        };
        let late = || format!("it took longer than {} s", self.patience.as_secs());
        timeout(self.patience, work).await.unwrap_or_else(|_| Err(late()))
    }
}

/// Name of the file that goes along with a mail.
fn name(format: Format) -> &'static str {
    match format {
        // Both are WAV to every program that plays it.
        Format::Wav | Format::Gsm => "message.wav",
    }
}

impl Postman {
    /// A postman, and where errands for it are handed in.
    ///
    /// # Errors
    /// The HTTP client cannot be built.
    pub fn new(settings: Settings, alarms: Alarms) -> Result<(Postman, Letterbox), String> {
        let outbox = Outbox::new(&settings.spool.join("post"));
        let (sender, new) = mpsc::unbounded_channel();
        let ways = Ways {
            mail: Mail::new(&settings.smtp, &settings.from),
            web: Web::new()?,
            outbox: outbox.clone(),
            patience: settings.patience,
        };
        let letterbox = Letterbox { outbox: outbox.clone(), new: sender };
        let postman = Postman {
            spool: Spool::new(&settings.spool),
            settings,
            outbox,
            ways: Arc::new(ways),
            new,
            rounds: Rounds::default(),
            alarms,
            begun: false,
            tidied: None,
        };
        Ok((postman, letterbox))
    }

    /// Works until `stop`; what is not delivered by then waits for the next agent.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
                Some(errand) = self.new.recv() => self.rounds.add(errand),
                Some((id, outcome)) = self.rounds.ended() => self.ended(id, outcome),
            }
            let looked = self.look();
            let text = |error| format!("owners cannot be told of messages: {}: {error}", self.settings.spool.display());
            self.alarms.set("voicemail.post-folder", looked.err().map(text));
            let deliver = |errand: MessageErrand| {
                let ways = Arc::clone(&self.ways);
                async move { ways.deliver(&errand).await }
            };
            for id in self.rounds.begin(deliver) {
                self.finish(id);
            }
            self.report();
        }
    }

    fn look(&mut self) -> std::io::Result<()> {
        if !self.begun {
            self.outbox.make()?;
            for errand in self.outbox.waiting()? {
                self.rounds.add(errand);
            }
            self.begun = true;
        }
        if self.tidied.is_none_or(|tidied| tidied.elapsed() >= TIDY) {
            self.tidied = Some(Instant::now());
            self.outbox.tidy(KEEP)?;
        }
        Ok(())
    }

    fn ended(&mut self, id: Uuid, outcome: Result<(), String>) {
        let Some(waiting) = self.rounds.get(id) else { return };
        let way = waiting.errand.way.name();
        let called = if outcome.is_ok() { "delivered" } else { "failed" };
        metrics::counter!("tandem_voicemail_post_total", "way" => way, "outcome" => called).increment(1);
        let Err(error) = outcome else { return self.finish(id) };
        let mailbox = waiting.errand.message.mailbox.clone();
        if self.rounds.failed(id, error.clone()) {
            tracing::warn!(
                way,
                mailbox,
                error,
                "the owner of a mailbox cannot be told of a message; it is tried until it is taken"
            );
        }
    }

    /// What follows a delivery: with the last mail about a message the message is deleted, where that is wanted.
    fn finish(&mut self, id: Uuid) {
        let Some(waiting) = self.rounds.get(id) else { return };
        let message = waiting.errand.message.id;
        let others = || {
            let mails = self.rounds.iter().filter(|other| other.errand.delete && other.errand.message.id == message);
            mails.filter(|other| other.delivered_at.is_none()).count()
        };
        let followed = if waiting.errand.delete && others() == 0 {
            let item = Item::Changes(vec![Change::Delete(message)]);
            Spooled::encode(&item, Format::Wav, 0, &[])
                .and_then(|row| self.spool.put(&self.settings.node, &row))
                .map(drop)
        } else {
            Ok(())
        };
        match followed.and_then(|()| self.outbox.told(id)) {
            Ok(()) => self.rounds.remove(id),
            Err(error) => {
                self.rounds.follow_later(id, format!("it was delivered, which cannot be written down: {error}"));
            }
        }
    }

    fn report(&self) {
        #[allow(clippy::cast_precision_loss, reason = "a few")]
        metrics::gauge!("tandem_voicemail_post_waiting").set(self.rounds.len() as f64);
        self.alarms
            .set("voicemail.post", self.rounds.late("mails and posts about messages", self.settings.alarm_after));
    }
}
