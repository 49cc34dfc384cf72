//! What waits in the spool: one line that tells what it is, then its audio.
//!
//! ```text
//! tandem-voicemail-1 {"audio":960044,"format":"wav","duration_ms":60000,"message":{...}}
//! RIFF...
//! ```

use serde::{Deserialize, Serialize};

use crate::buffer::parcel;
use crate::store::mailbox::{Change, Format, NewGreeting, NewMessage, NewPrompt};

const BEGIN: &[u8] = b"tandem-voicemail-1 ";

/// What is to be done in the central store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A message is to be put into a mailbox.
    Message(NewMessage),
    /// A greeting takes the place of the one before.
    Greeting(NewGreeting),
    /// What was recorded for a prompt takes the place of what was before.
    Prompt(NewPrompt),
    /// An owner's changes, which could not be made at once.
    Changes(Vec<Change>),
}

/// An item as it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    /// What is to be done.
    pub item: Item,
    /// How its audio is written.
    pub format: Format,
    /// Length of its audio.
    pub duration_ms: i64,
    /// Its audio; empty where there is none.
    pub audio: Vec<u8>,
    /// The node that it comes from.
    pub node: String,
}

#[derive(Serialize, Deserialize)]
struct Line<I> {
    format: Format,
    duration_ms: i64,
    #[serde(flatten)]
    item: I,
}

impl Spooled {
    /// As it stands in the spool.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn encode(item: &Item, format: Format, duration_ms: i64, audio: &[u8]) -> std::io::Result<Vec<u8>> {
        parcel::encode(BEGIN, &Line { format, duration_ms, item }, audio)
    }

    /// Length of the first item in `bytes`; `None` when more are needed to tell.
    #[must_use]
    pub fn length(bytes: &[u8], ended: bool) -> Option<usize> {
        parcel::length::<Line<Item>>(BEGIN, bytes, ended)
    }

    /// Reads an item of `node`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(node: &str, bytes: &[u8]) -> Result<Spooled, String> {
        let (Line { format, duration_ms, item }, audio) = parcel::read(BEGIN, bytes)?;
        Ok(Spooled { item, format, duration_ms, audio: audio.to_vec(), node: node.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        Item::Changes(vec![Change::Delete(uuid::Uuid::now_v7())])
    }

    #[test]
    fn an_item_is_read_as_it_was_written_however_it_is_cut() {
        // Audio may hold anything, what looks like an item, too.
        let audio = Spooled::encode(&item(), Format::Wav, 0, b"x\ny").unwrap();
        let bytes = Spooled::encode(&item(), Format::Gsm, 1500, &audio).unwrap();
        for cut in 0..bytes.len() {
            assert_eq!(Spooled::length(&bytes[..cut], false), None, "{cut}");
            assert!(Spooled::read("n", &bytes[..cut]).is_err(), "{cut}");
        }
        let twice = [bytes.clone(), bytes.clone()].concat();
        assert_eq!(Spooled::length(&twice, false), Some(bytes.len()));
        let read = Spooled::read("n", &bytes).unwrap();
        assert_eq!((read.format, read.duration_ms, &read.audio, read.node.as_str()), (Format::Gsm, 1500, &audio, "n"));
    }

    #[test]
    fn what_is_no_item_ends_somewhere() {
        assert_eq!(Spooled::length(b"garbage\nmore", false), Some(12));
        assert_eq!(Spooled::length(b"garbage", false), None);
        assert_eq!(Spooled::length(b"garbage", true), Some(7));
        assert!(Spooled::read("n", b"garbage\nmore").is_err());
    }
}
