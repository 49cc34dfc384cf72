//! The rows that are sent at once, read from where a segment is done.

use std::io::{self, Read};

use super::Cargo;

/// Bytes read at a time.
const BLOCK: usize = 256 * 1024;

/// Rows of one segment, one after the other.
#[derive(Debug)]
pub struct Batch<R> {
    /// Rows that could be read.
    pub rows: Vec<R>,
    /// Where each of them stands: offset in the segment, and its bytes.
    pub places: Vec<(u64, Vec<u8>)>,
    /// Rows that could not be read: offset, bytes, reason.
    pub unreadable: Vec<(u64, Vec<u8>, String)>,
    /// Offset after the last of all of them.
    pub end: u64,
    /// Whether the segment has no more whole rows.
    pub last: bool,
}

impl<R> Batch<R> {
    /// Reads up to `most` rows of `file`, which stands at offset `start`. What stands at the end and is no row is left where it
    /// is, since it may be a row that is being written, unless the segment is `settled`: then nobody writes any more.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read<C: Cargo<Row = R>>(
        cargo: &mut C,
        node: &str,
        file: &mut impl Read,
        start: u64,
        most: usize,
        settled: bool,
    ) -> io::Result<Batch<R>> {
        let mut batch = Batch { rows: Vec::new(), places: Vec::new(), unreadable: Vec::new(), end: start, last: false };
        let mut bytes: Vec<u8> = Vec::new();
        let mut at = 0;
        let mut ended = false;
        while batch.rows.len() + batch.unreadable.len() < most {
            let rest = bytes.get(at..).unwrap_or_default();
            if ended && rest.is_empty() {
                batch.last = true;
                break;
            }
            let Some(length) = cargo.row_length(rest, ended).filter(|length| *length > 0) else {
                if !ended {
                    bytes.drain(..at);
                    at = 0;
                    ended = (&mut *file).take(BLOCK as u64).read_to_end(&mut bytes)? < BLOCK;
                    continue;
                }
                if settled {
                    let reason = "is cut off: the disk was full, or the machine went down".to_owned();
                    batch.unreadable.push((batch.end, rest.to_vec(), reason));
                    batch.end += rest.len() as u64;
                }
                batch.last = true;
                break;
            };
            let row = rest.get(..length).unwrap_or(rest);
            match cargo.read(node, row) {
                Ok(read) => {
                    batch.rows.push(read);
                    batch.places.push((batch.end, row.to_vec()));
                }
                Err(_) if ended && !settled && length == rest.len() => {
                    batch.last = true;
                    break;
                }
                Err(reason) => batch.unreadable.push((batch.end, row.to_vec(), reason)),
            }
            batch.end += row.len() as u64;
            at += length;
        }
        Ok(batch)
    }
}
