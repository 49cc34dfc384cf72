//! What waits in the spool: a sealed part.

use std::io;

use serde::{Deserialize, Serialize};

use crate::buffer::parcel;
use crate::store::interception::{Part, Sealed};

const BEGIN: &[u8] = b"tandem-sealed-1 ";

#[derive(Serialize, Deserialize)]
struct Line {
    part: Part,
    /// In hexadecimal.
    signalling: String,
}

/// As it stands in the spool.
///
/// # Errors
/// It cannot be written as JSON.
pub fn encode(part: &Part, sealed: &Sealed) -> io::Result<Vec<u8>> {
    let line = Line { part: part.clone(), signalling: hex::encode(&sealed.signalling) };
    parcel::encode(BEGIN, &line, &sealed.content)
}

/// Length of the first part in `bytes`; `None` when more are needed to tell.
#[must_use]
pub fn length(bytes: &[u8], ended: bool) -> Option<usize> {
    parcel::length::<Line>(BEGIN, bytes, ended)
}

/// Reads a part.
///
/// # Errors
/// Why it is none.
pub fn read(bytes: &[u8]) -> Result<(Part, Sealed), String> {
    let (line, content) = parcel::read::<Line>(BEGIN, bytes)?;
    let signalling = hex::decode(&line.signalling).map_err(|error| format!("cannot be read: {error}"))?;
    Ok((line.part, Sealed { content: content.to_vec(), signalling }))
}
