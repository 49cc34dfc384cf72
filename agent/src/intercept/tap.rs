//! One tap: a channel of a line that is intercepted.

use std::io;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::call::Call;
use super::folder::Folder;
use super::item;
use super::seal::seal;
use crate::buffer::spool::Spool;
use crate::media::wav;
use crate::store::interception::{Part, Sealed};
use crate::store::warrant::ArmedWarrant;
use crate::tap::subject::Subject;

/// Bytes of a part: ten seconds, two sides, 8000 samples, 16 bits.
const PART: usize = 10 * 32_000;

/// Asterisk writes what it keeps in memory, a second of sound, when its channel is gone: so long after that all is there.
const CLOSED: TimeDelta = TimeDelta::seconds(2);

/// So long after the answer there is sound on the disk.
const SOUNDS: TimeDelta = TimeDelta::seconds(10);

/// What is known of a tap, on disk. Nothing of it names anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Its id, of version 7.
    pub id: Uuid,
    /// By which warrant.
    pub warrant_id: Uuid,
    /// Whom it is sealed for.
    pub recipient: String,
    /// When the warrant ends.
    pub until: DateTime<Utc>,
    /// The channel's id in Asterisk.
    pub uniqueid: String,
    /// What Asterisk calls the tap; `None` when it did not tell yet.
    pub monitor: Option<String>,
    /// Parts of audio that are in the spool.
    pub parts: u32,
    /// Who and whom, sealed, in hexadecimal: for when nobody knows any more.
    pub signalling: String,
    /// When it was over.
    pub over_at: Option<DateTime<Utc>>,
}

/// A tap that runs, or of which something is left.
#[derive(Debug)]
pub struct Tap {
    /// What is on disk.
    pub notes: Notes,
    /// Who and whom; `None` after a restart, until the channel is seen again.
    call: Option<Call>,
    /// The bridge in which the channel was seen.
    bridge: String,
}

/// What a tap works with.
#[derive(Debug)]
pub struct Place {
    /// The node's name.
    pub node: String,
    /// The files.
    pub folder: Folder,
    /// Where sealed parts wait.
    pub spool: Spool,
}

impl From<Notes> for Tap {
    fn from(notes: Notes) -> Tap {
        Tap { notes, call: None, bridge: String::new() }
    }
}

impl Tap {
    /// A tap that is about to begin: it is written down, and its first part tells of the call.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn prepare(place: &Place, warrant: &ArmedWarrant, channel: &Subject) -> io::Result<Tap> {
        let call = Call::of(&place.node, channel);
        let notes = Notes {
            id: Uuid::now_v7(),
            warrant_id: warrant.id,
            recipient: warrant.recipient.clone(),
            until: warrant.ends_at,
            uniqueid: channel.uniqueid.clone(),
            monitor: None,
            parts: 0,
            signalling: String::new(),
            over_at: None,
        };
        let mut tap = Tap { notes, call: None, bridge: channel.bridge.clone() };
        place.folder.prepare(tap.notes.id)?;
        tap.know(call)?;
        place.folder.write(&tap.notes)?;
        Ok(tap)
    }

    /// It has begun, as Asterisk says.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn begun(&mut self, place: &Place, monitor: Option<String>) -> io::Result<()> {
        self.notes.monitor = monitor;
        place.folder.write(&self.notes)?;
        self.put(place, 0, &[])
    }

    /// Its channel is so now.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn follow(&mut self, place: &Place, channel: &Subject) -> io::Result<()> {
        let mut call = self.call.clone().unwrap_or_else(|| Call::of(&place.node, channel));
        if call.follow(channel) || self.call.is_none() {
            self.know(call)?;
            place.folder.write(&self.notes)?;
        }
        Ok(())
    }

    /// Whether the channel came from one bridge into another: then it has to be begun anew. Asterisk's MixMonitor hears nothing of whom the channel talks with
    /// now for as long as the packets of that one's stream have lower numbers than the last of the one before, which may be for minutes.
    pub fn has_moved(&mut self, channel: &Subject) -> bool {
        if channel.bridge.is_empty() || channel.bridge == self.bridge {
            return false;
        }
        !std::mem::replace(&mut self.bridge, channel.bridge.clone()).is_empty()
    }

    /// It is over: its channel is gone, or its warrant has ended.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn end(&mut self, place: &Place) -> io::Result<()> {
        let now = Utc::now();
        if let Some(call) = self.call.clone() {
            self.know(Call { ended_at: Some(now), ..call })?;
        }
        self.notes.over_at = Some(now);
        place.folder.write(&self.notes)
    }

    /// Seals what was recorded, in whole parts; when it is over, all of it. Whether nothing is left.
    ///
    /// # Errors
    /// It cannot be put into the spool, and stays.
    pub fn collect(&mut self, place: &Place) -> io::Result<bool> {
        let id = self.notes.id;
        let closed = self.notes.over_at.is_some_and(|over| Utc::now() - over >= CLOSED);
        let is_last = closed && place.folder.is_still(id);
        let begin = |parts: u32| u64::from(parts) * PART as u64;
        while place.folder.length(id)? >= begin(self.notes.parts + 1) {
            let samples = place.folder.read(id, begin(self.notes.parts), PART)?;
            self.put(place, self.notes.parts + 1, &samples)?;
            self.notes.parts += 1;
            place.folder.write(&self.notes)?;
            place.folder.wipe(id, begin(self.notes.parts - 1), begin(self.notes.parts))?;
        }
        if is_last {
            let samples = place.folder.read(id, begin(self.notes.parts), PART)?;
            self.put(place, self.notes.parts + 1, &samples)?;
            place.folder.remove(id)?;
        }
        Ok(is_last)
    }

    /// Whether Asterisk records nothing, though its call has been answered for a while: it says that it does even where it may not write.
    ///
    /// # Errors
    /// The file cannot be seen.
    pub fn is_silent(&self, place: &Place) -> io::Result<bool> {
        let answered = self.call.as_ref().and_then(|call| call.answered_at);
        let is_due = answered.is_some_and(|answered| Utc::now() - answered >= SOUNDS);
        Ok(is_due && self.notes.parts == 0 && place.folder.length(self.notes.id)? == 0)
    }

    fn know(&mut self, call: Call) -> io::Result<()> {
        self.notes.signalling = hex::encode(seal(&self.notes.recipient, &serde_json::to_vec(&call)?)?);
        self.call = Some(call);
        Ok(())
    }

    fn put(&self, place: &Place, part: u32, samples: &[u8]) -> io::Result<()> {
        let content = if samples.is_empty() {
            Vec::new()
        } else {
            seal(&self.notes.recipient, &wav::from_stereo(samples, false)?)?
        };
        let signalling = hex::decode(&self.notes.signalling).map_err(io::Error::other)?;
        let part = Part { call: self.notes.id, part, warrant_id: self.notes.warrant_id, at: Utc::now() };
        let row = item::encode(&part, &Sealed { content, signalling })?;
        place.spool.put(&place.node, &row).map(drop)
    }
}
