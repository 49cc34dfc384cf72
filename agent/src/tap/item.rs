//! What waits in the spool: a recording with its audio, as WAV of 16 bits.

use serde::{Deserialize, Serialize};

use crate::buffer::parcel;
use crate::store::recording::Recording;

const BEGIN: &[u8] = b"tandem-recording-1 ";

/// A recording as it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    /// What it is.
    pub recording: Recording,
    /// Length of its audio.
    pub duration_ms: i64,
    /// Its audio.
    pub audio: Vec<u8>,
    /// The node that it comes from.
    pub node: String,
}

#[derive(Serialize, Deserialize)]
struct Line<R> {
    duration_ms: i64,
    recording: R,
}

impl Spooled {
    /// As it stands in the spool.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn encode(recording: &Recording, duration_ms: i64, audio: &[u8]) -> std::io::Result<Vec<u8>> {
        parcel::encode(BEGIN, &Line { duration_ms, recording }, audio)
    }

    /// Length of the first recording in `bytes`; `None` when more are needed to tell.
    #[must_use]
    pub fn length(bytes: &[u8], ended: bool) -> Option<usize> {
        parcel::length::<Line<Recording>>(BEGIN, bytes, ended)
    }

    /// Reads a recording of `node`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(node: &str, bytes: &[u8]) -> Result<Spooled, String> {
        let (Line { duration_ms, recording }, audio) = parcel::read(BEGIN, bytes)?;
        Ok(Spooled { recording, duration_ms, audio: audio.to_vec(), node: node.to_owned() })
    }
}
