//! The thread that works at the disk for the flows of mailboxes: it looks into recordings and puts them into the spool, so that no other call waits
//! with the disk. It also takes what dead sessions left behind.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::drafts::{self, Draft, Drafts, Left, Notes};
use super::item::{Item, Spooled};
use crate::alarm::Alarms;
use crate::buffer::segment::Segment;
use crate::buffer::spool::Spool;
use crate::media::wav::{self, Measure};
use crate::store::mailbox::{Change, Format};

/// Between two looks for what was left behind.
const LOOK: Duration = Duration::from_secs(5);

/// Segments that were put into the spool just now, for the shipper.
pub type Fresh = Arc<Mutex<Vec<Segment>>>;

/// What the clerk is asked to do.
enum Job {
    Note(PathBuf, Notes),
    Measure(PathBuf),
    File(PathBuf, Vec<Item>, i32),
    Copy(PathBuf, Format, Vec<Item>),
    Change(Vec<Change>),
    Discard(PathBuf),
}

type Answer = io::Result<Measure>;

/// Asks the clerk. Cheap to clone; the clerk ends with the last of them.
#[derive(Debug, Clone)]
pub struct Clerk {
    jobs: Sender<(Job, oneshot::Sender<Answer>)>,
    drafts: Drafts,
    fresh: Fresh,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a job of the clerk")
    }
}

/// What the clerk works with.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The folder where Asterisk records.
    pub recordings: PathBuf,
    /// Where messages wait.
    pub spool: Spool,
    /// The node's name.
    pub node: String,
    /// Sound that a message has at the least.
    pub least_sound: Duration,
    /// What operators look at.
    pub alarms: Alarms,
}

impl Clerk {
    /// Starts the clerk.
    ///
    /// # Errors
    /// Its thread cannot be started.
    pub fn start(desk: Desk) -> io::Result<Clerk> {
        let (jobs, todo) = channel();
        let drafts = Drafts::new(&desk.recordings);
        let fresh = Fresh::default();
        let clerk = Clerk { jobs, drafts: drafts.clone(), fresh: Arc::clone(&fresh) };
        std::thread::Builder::new()
            .name("voicemail-clerk".to_owned())
            .spawn(move || work(&desk, &drafts, &fresh, &todo))?;
        Ok(clerk)
    }

    /// What was put into the spool just now.
    #[must_use]
    pub fn fresh(&self) -> Fresh {
        Arc::clone(&self.fresh)
    }

    /// A recording that is to come, of which nothing is written down.
    #[must_use]
    pub fn draft(&self) -> Draft {
        self.drafts.begin()
    }

    /// Writes down what is known of a recording.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn note(&self, draft: &Draft, notes: &Notes) -> io::Result<()> {
        self.ask(Job::Note(draft.recording(), notes.clone())).await.map(drop)
    }

    /// Looks into a recording.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub async fn measure(&self, draft: &Draft) -> io::Result<Measure> {
        self.measure_file(draft.recording()).await
    }

    /// Measures a recording that is no draft.
    ///
    /// # Errors
    /// As [`Clerk::measure`].
    pub async fn measure_file(&self, file: PathBuf) -> io::Result<Measure> {
        self.ask(Job::Measure(file)).await
    }

    /// Puts a recording into the spool, as each of the items; then it is removed.
    ///
    /// # Errors
    /// The disk failed. The recording stays, and is put there later if notes of it were written.
    pub async fn file(&self, draft: &Draft, items: Vec<Item>, gain_db: i32) -> io::Result<Measure> {
        self.ask(Job::File(draft.recording(), items, gain_db)).await
    }

    /// Puts a copy of other audio into the spool, as each of the items.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn copy(&self, audio: &Path, format: Format, items: Vec<Item>) -> io::Result<()> {
        self.ask(Job::Copy(audio.to_owned(), format, items)).await.map(drop)
    }

    /// Puts changes into the spool that could not be made at once.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn change(&self, changes: Vec<Change>) -> io::Result<()> {
        self.ask(Job::Change(changes)).await.map(drop)
    }

    /// Removes a recording that is not kept.
    pub async fn discard(&self, draft: &Draft) {
        if let Err(error) = self.ask(Job::Discard(draft.recording())).await {
            tracing::warn!(file = %draft.recording().display(), %error, "a recording could not be removed");
        }
    }

    async fn ask(&self, job: Job) -> Answer {
        let gone = || io::Error::other("the thread that works at the disk is gone");
        let (answer, answered) = oneshot::channel();
        self.jobs.send((job, answer)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

fn work(desk: &Desk, drafts: &Drafts, fresh: &Fresh, todo: &Receiver<(Job, oneshot::Sender<Answer>)>) {
    let mut looked = Instant::now();
    loop {
        match todo.recv_timeout(LOOK) {
            Ok((job, answer)) => {
                // Whoever asked may have gone.
                let _ = answer.send(desk.run(job, fresh));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            desk.look(drafts, fresh);
        }
    }
}

impl Desk {
    fn run(&self, job: Job, fresh: &Fresh) -> Answer {
        match job {
            Job::Note(recording, notes) => drafts::note(&recording, &notes).map(|()| Measure::default()),
            Job::Measure(recording) => wav::measure(&recording),
            Job::File(recording, items, gain_db) => self.file(&recording, &items, gain_db, fresh),
            Job::Copy(audio, format, items) => {
                let bytes = std::fs::read(audio)?;
                let length = wav::length(&bytes)?;
                self.put(&items, format, length, &bytes, fresh)?;
                Ok(Measure { length, sound: length })
            }
            Job::Change(changes) => {
                self.put(&[Item::Changes(changes)], Format::Wav, Duration::ZERO, &[], fresh)?;
                Ok(Measure::default())
            }
            Job::Discard(recording) => drafts::remove(&recording).map(|()| Measure::default()),
        }
    }

    fn file(&self, recording: &Path, items: &[Item], gain_db: i32, fresh: &Fresh) -> Answer {
        let measure = wav::measure(recording)?;
        let bytes = wav::amplified(std::fs::read(recording)?, gain_db)?;
        self.put(items, Format::Wav, measure.length, &bytes, fresh)?;
        drafts::remove(recording)?;
        Ok(measure)
    }

    fn put(&self, items: &[Item], format: Format, length: Duration, audio: &[u8], fresh: &Fresh) -> io::Result<()> {
        let duration_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        for item in items {
            let segment = self.spool.put(&self.node, &Spooled::encode(item, format, duration_ms, audio)?)?;
            fresh.lock().unwrap_or_else(PoisonError::into_inner).push(segment);
        }
        Ok(())
    }

    /// Takes what dead sessions left behind.
    fn look(&self, drafts: &Drafts, fresh: &Fresh) {
        let looked = drafts.left().and_then(|left| left.iter().try_for_each(|left| self.take(left, fresh)));
        let text = |error| format!("recordings in {} cannot be taken: {error}", self.recordings.display());
        self.alarms.set("voicemail.recordings", looked.err().map(text));
    }

    fn take(&self, Left { recording, notes }: &Left, fresh: &Fresh) -> io::Result<()> {
        let measure = match wav::measure(recording) {
            Ok(measure) => measure,
            // Asterisk had just begun.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Measure::default(),
            Err(error) => return Err(error),
        };
        if measure.length < Duration::from_millis(notes.least_ms) || measure.sound < self.least_sound {
            return drafts::remove(recording);
        }
        let items: Vec<Item> = notes.messages.iter().cloned().map(Item::Message).collect();
        let mailboxes: Vec<&str> = notes.messages.iter().map(|message| message.mailbox_id.as_str()).collect();
        tracing::warn!(mailboxes = mailboxes.join("&"), "a message is taken that was left in a call that broke off");
        self.file(recording, &items, notes.gain_db, fresh).map(drop)
    }
}
