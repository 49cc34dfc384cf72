//! Voicemail as the buffer ships it: into the central store, then to the owner's mail.

use std::io;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::clerk::Fresh;
use super::errand::MessageErrand;
use super::item::{Item, Spooled};
use super::postman::Letterbox;
use crate::buffer::segment::Segment;
use crate::buffer::spool::Spool;
use crate::buffer::{Cargo, Unsent};
use crate::media::depot::{Depot, DepotError};
use crate::media::sox::Sox;
use crate::store::Store;
use crate::store::mailbox::{Audio, Format, NewMessage};
use crate::store::mailbox_writer::Attached;
use crate::store::writer::{Unwritten, Writer};

/// For a question to the database.
const QUESTION: Duration = Duration::from_secs(5);

/// What calls left in mailboxes.
#[derive(Debug)]
pub struct Voicemail {
    /// The central data.
    pub store: Store,
    /// Writes it.
    pub writer: Writer,
    /// Where audio goes.
    pub depot: Depot,
    /// Makes audio small; `None` where it is kept as it is.
    pub sox: Option<Sox>,
    /// Where owners are told.
    pub letterbox: Letterbox,
    /// What came just now.
    pub fresh: Fresh,
    /// The audio of the last item, as it is kept, for when it is tried again.
    pub prepared: Option<(Uuid, Format, Vec<u8>)>,
}

impl Voicemail {
    async fn send_one(&mut self, item: &Spooled) -> Result<(), Unsent> {
        match &item.item {
            Item::Message(message) => {
                let (audio, bytes) = self.put_audio(message.id, item).await?;
                let attached = Attached { audio: &audio, bytes: &bytes };
                self.writer.add_message(message, &attached, &item.node).await.map_err(unsent)?;
                self.store.follow_now();
                self.tell(message, &audio, &bytes).await
            }
            Item::Greeting(greeting) => {
                let (audio, bytes) = self.put_audio(greeting.id, item).await?;
                let attached = Attached { audio: &audio, bytes: &bytes };
                self.writer.set_greeting(greeting, &attached).await.map_err(unsent)?;
                self.store.follow_now();
                Ok(())
            }
            Item::Prompt(prompt) => {
                let (audio, bytes) = self.put_audio(prompt.id, item).await?;
                let attached = Attached { audio: &audio, bytes: &bytes };
                self.writer.set_prompt(prompt, &attached).await.map_err(unsent)?;
                self.store.follow_now();
                Ok(())
            }
            Item::Changes(changes) => {
                self.writer.apply(changes).await.map_err(unsent)?;
                self.store.follow_now();
                Ok(())
            }
        }
    }

    /// Makes the audio as small as it is kept, and puts it where it belongs.
    async fn put_audio(&mut self, id: Uuid, item: &Spooled) -> Result<(Audio, Vec<u8>), Unsent> {
        let (format, bytes) = match self.prepared.take() {
            Some((prepared, format, bytes)) if prepared == id => (format, bytes),
            _ => self.smallest(item).await,
        };
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let audio = Audio { id, place: self.depot.place(), format, bytes: size, duration_ms: item.duration_ms };
        let put = self.depot.put(&audio, &bytes).await;
        self.prepared = Some((id, format, bytes.clone()));
        put.map_err(|error| match error {
            DepotError::Later(why) => Unsent::Later(why),
            DepotError::Missing(_) | DepotError::Unknown { .. } => Unsent::Later(error.to_string()),
        })?;
        Ok((audio, bytes))
    }

    async fn smallest(&self, item: &Spooled) -> (Format, Vec<u8>) {
        let small = match (&self.sox, item.format) {
            (Some(sox), Format::Wav) => sox.compact(&item.audio).await,
            _ => None,
        };
        small.map_or_else(|| (item.format, item.audio.clone()), |small| (Format::Gsm, small))
    }

    /// Puts the errands about a message on disk. Done again, it makes the same ones.
    async fn tell(&self, message: &NewMessage, audio: &Audio, bytes: &[u8]) -> Result<(), Unsent> {
        let settings = self.store.mail_settings(&message.mailbox_id, Instant::now() + QUESTION).await;
        let settings = settings.map_err(|error| Unsent::Later(error.to_string()))?;
        for errand in
            settings.iter().flat_map(|settings| MessageErrand::all(settings, message, audio.format, audio.duration_ms))
        {
            let put = self.letterbox.put(errand, bytes);
            put.map_err(|error| Unsent::Later(format!("a mail about a message cannot be written down: {error}")))?;
        }
        Ok(())
    }
}

fn unsent(error: Unwritten) -> Unsent {
    match error {
        Unwritten::Later(error) => Unsent::Later(error.to_string()),
        Unwritten::Refused(why) => Unsent::Refused(why),
    }
}

impl Cargo for Voicemail {
    const NAME: &'static str = "voicemail";
    type Row = Spooled;

    fn gather(&mut self, _spool: &Spool) -> io::Result<Vec<Segment>> {
        Ok(std::mem::take(&mut *self.fresh.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn survey(&mut self, _spool: &Spool, _segment: &Segment) -> io::Result<u64> {
        Ok(1)
    }

    fn row_length(&self, bytes: &[u8], ended: bool) -> Option<usize> {
        Spooled::length(bytes, ended)
    }

    fn read(&mut self, node: &str, row: &[u8]) -> Result<Spooled, String> {
        Spooled::read(node, row)
    }

    async fn send(&mut self, rows: &[Spooled]) -> Result<(), Unsent> {
        for row in rows {
            self.send_one(row).await?;
        }
        self.prepared = None;
        Ok(())
    }
}
