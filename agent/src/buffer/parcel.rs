//! Rows that have audio: one line that tells what it is, then its bytes.
//!
//! ```text
//! <begin>{"audio":960044,...}
//! RIFF...
//! ```

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// No line is longer.
const LONGEST_LINE: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
struct Line<T> {
    audio: usize,
    #[serde(flatten)]
    what: T,
}

/// As it stands in the spool.
///
/// # Errors
/// It cannot be written as JSON.
pub fn encode(begin: &[u8], what: &impl Serialize, audio: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(audio.len() + 1024);
    bytes.extend_from_slice(begin);
    serde_json::to_writer(&mut bytes, &Line { audio: audio.len(), what })?;
    bytes.push(b'\n');
    bytes.extend_from_slice(audio);
    Ok(bytes)
}

/// Length of the first row in `bytes`; `None` when more are needed to tell.
#[must_use]
pub fn length<T: DeserializeOwned>(begin: &[u8], bytes: &[u8], ended: bool) -> Option<usize> {
    let Some(line) = memchr::memchr(b'\n', bytes) else {
        // What is no row at all ends somewhere, too.
        return (bytes.len() > LONGEST_LINE || ended).then_some(bytes.len());
    };
    let length = match read_line::<T>(begin, bytes.get(..line)?) {
        Ok(read) => line.saturating_add(1).saturating_add(read.audio),
        Err(_) => bytes.len(),
    };
    (length <= bytes.len() || ended).then_some(length.min(bytes.len()))
}

/// Reads a row: what it is, and its audio.
///
/// # Errors
/// Why it is none.
pub fn read<'a, T: DeserializeOwned>(begin: &[u8], bytes: &'a [u8]) -> Result<(T, &'a [u8]), String> {
    let end = memchr::memchr(b'\n', bytes).ok_or("has no line that says what it is")?;
    let line = read_line::<T>(begin, bytes.get(..end).unwrap_or_default())?;
    let audio = bytes.get(end + 1..).unwrap_or_default();
    if audio.len() != line.audio {
        return Err(format!("has {} bytes of audio where {} are told", audio.len(), line.audio));
    }
    Ok((line.what, audio))
}

fn read_line<T: DeserializeOwned>(begin: &[u8], line: &[u8]) -> Result<Line<T>, String> {
    let json = line
        .strip_prefix(begin)
        .ok_or_else(|| format!("does not begin with {}", String::from_utf8_lossy(begin).trim_end()))?;
    serde_json::from_slice(json).map_err(|error| format!("cannot be read: {error}"))
}
