//! Recordings as the buffer ships them: out of the folder where Asterisk recorded, into the spool, and into the central store.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;
use uuid::Uuid;

use super::item::Spooled;
use super::notes::{Folder, Notes};
use super::purpose::{Purpose, Wanted};
use crate::buffer::segment::Segment;
use crate::buffer::spool::Spool;
use crate::buffer::{Cargo, Unsent};
use crate::media::depot::Depot;
use crate::media::sox::Sox;
use crate::media::wav;
use crate::store::mailbox::{Audio, Format};
use crate::store::mailbox_writer::Attached;
use crate::store::recording::{Form, Recording};
use crate::store::writer::{Unwritten, Writer};

/// Between two looks for what is over.
const LOOK: Duration = Duration::from_millis(500);
/// A file that was not written to for so long is written by nobody: Asterisk writes a little longer than its channel is there.
const STILL: Duration = Duration::from_secs(1);
/// Bytes of a second: two sides, 8000 samples, 16 bits.
const SECOND: usize = 32_000;
/// A longer recording becomes several, so that none is too large for memory and database.
const PART: usize = 15 * 60 * SECOND;
/// With less there is nothing to hear.
const LEAST: usize = SECOND / 10;

/// What was recorded of calls.
#[derive(Debug)]
pub struct Recordings {
    /// Where Asterisk recorded.
    pub folder: Folder,
    /// The node's name.
    pub node: String,
    /// Writes the central data.
    pub writer: Writer,
    /// Where audio goes.
    pub depot: Depot,
    /// Makes audio small; `None` where it is kept as it is.
    pub sox: Option<Sox>,
    /// When it was last looked for what is over.
    pub looked: Option<Instant>,
    /// The audio of the last recording, as it is kept, for when it is tried again.
    pub prepared: Option<(Uuid, Format, Vec<u8>)>,
}

impl Recordings {
    /// Does with a tap that is over what it was made for.
    fn finish(&self, notes: &Notes, spool: &Spool, segments: &mut Vec<Segment>) -> io::Result<()> {
        let raw = self.folder.raw(notes.id);
        if !is_still(&raw) {
            return Ok(());
        }
        match &notes.purpose {
            Purpose::Recording(wanted) => self.file(notes, wanted, &raw, spool, segments)?,
        }
        self.folder.remove(notes.id)
    }

    /// Puts what was recorded into the spool, in parts.
    fn file(
        &self,
        notes: &Notes,
        wanted: &Wanted,
        raw: &Path,
        spool: &Spool,
        segments: &mut Vec<Segment>,
    ) -> io::Result<()> {
        let mut raw = match File::open(raw) {
            Ok(raw) => raw,
            // Nothing was ever heard.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for part in 0.. {
            let mut samples = Vec::new();
            (&mut raw).take(PART as u64).read_to_end(&mut samples)?;
            if samples.len() < LEAST {
                break;
            }
            let audio = wav::from_stereo(&samples, notes.form == Form::Mixed)?;
            let milliseconds = i64::try_from(samples.len() / (SECOND / 1000)).unwrap_or(i64::MAX);
            let item = Spooled::encode(&recording(notes, wanted, part), milliseconds, &audio)?;
            segments.push(spool.put(&self.node, &item)?);
        }
        Ok(())
    }

    /// Makes the audio as small as it is kept, and puts it where it belongs.
    async fn send_one(&mut self, item: &Spooled) -> Result<(), Unsent> {
        let id = item.recording.id;
        let (format, bytes) = match self.prepared.take() {
            Some((prepared, format, bytes)) if prepared == id => (format, bytes),
            _ => self.smallest(item).await,
        };
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let audio = Audio { id, place: self.depot.place(), format, bytes: size, duration_ms: item.duration_ms };
        let put = self.depot.put(&audio, &bytes).await;
        let added = match put {
            Ok(()) => {
                let attached = Attached { audio: &audio, bytes: &bytes };
                self.writer.add_recording(&item.recording, &attached, &item.node).await.map_err(|error| match error {
                    Unwritten::Later(error) => Unsent::Later(error.to_string()),
                    Unwritten::Refused(why) => Unsent::Refused(why),
                })
            }
            Err(error) => Err(Unsent::Later(error.to_string())),
        };
        self.prepared = added.is_err().then_some((id, format, bytes));
        added.map(drop)
    }

    async fn smallest(&self, item: &Spooled) -> (Format, Vec<u8>) {
        let small = match &self.sox {
            Some(sox) if item.recording.channels == 2 => {
                sox.compact_stereo(&item.audio).await.map(|small| (Format::Wav, small))
            }
            Some(sox) => sox.compact(&item.audio).await.map(|small| (Format::Gsm, small)),
            None => None,
        };
        small.unwrap_or_else(|| (Format::Wav, item.audio.clone()))
    }
}

/// A part of a recording, from 0. Its id comes of the tap's, so that it is the same whenever it is made.
fn recording(notes: &Notes, wanted: &Wanted, part: u16) -> Recording {
    let begins = notes.begun_at + TimeDelta::seconds(i64::from(part) * (PART / SECOND) as i64);
    let subject = notes.subject.clone();
    Recording {
        id: Uuid::from_u128(notes.id.as_u128() ^ u128::from(part)),
        part: i32::from(part) + 1,
        account_id: wanted.account_id.clone().or(subject.account_id),
        line_id: subject.line_id,
        order_id: wanted.order_id,
        ordered_by: wanted.ordered_by.clone(),
        uniqueid: subject.uniqueid,
        linked_id: subject.linked_id,
        direction: subject.direction,
        line_number: subject.line_number,
        other_number: subject.other_number,
        started_at: begins,
        channels: if notes.form == Form::Mixed { 1 } else { 2 },
        expires_at: (wanted.days > 0).then(|| begins + TimeDelta::days(wanted.days.into())),
    }
}

/// Whether nobody writes to a file; one that is not there is written by nobody.
fn is_still(path: &Path) -> bool {
    match fs::metadata(path).and_then(|file| file.modified()) {
        Ok(modified) => modified.elapsed().is_ok_and(|age| age >= STILL),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

impl Cargo for Recordings {
    const NAME: &'static str = "recordings";
    type Row = Spooled;

    fn gather(&mut self, spool: &Spool) -> io::Result<Vec<Segment>> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(Vec::new());
        }
        self.looked = Some(Instant::now());
        let mut segments = Vec::new();
        for notes in self.folder.over()? {
            if let Err(error) = self.finish(&notes, spool, &mut segments) {
                // Those that are in the spool are found there.
                return Err(io::Error::new(error.kind(), format!("the recording {}: {error}", notes.id)));
            }
        }
        Ok(segments)
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
        Ok(())
    }
}
