//! The durable buffer between what happened on the node and the central database.
//!
//! # Format
//!
//! A spool is a folder on the file system where its input is written:
//!
//! ```text
//! lock                          held (flock) by the one agent that ships from here
//! id                            a UUID: tells two spools of one node name apart
//! <segment>                     waits
//! sent/<hour>/<segment>         is in the database; kept for a while, for comparing
//! quarantine/<segment>          one row that the database or the reader refused
//! quarantine/<segment>.why      the reason
//! reserve                       room that is given up when the disk is full
//! ```
//!
//! A segment is a file of rows in the form in which they came, named `<uuid v7>.<done>.<node>.segment`: the bytes before
//! `done` are in the database or in quarantine, and its rows belong to that node, whatever the configuration says later. In
//! quarantine the number is the row's offset in its segment.
//!
//! # Invariants
//!
//! 1. A segment's bytes never change. Only a writer that still held the file when it was taken may append to it.
//! 2. `done` grows when every row before it is committed or in quarantine, and only then. The renames need not survive a
//!    crash: what is sent again is known to the database by its key.
//! 3. A segment is put into `sent` when `done` is its length; if it grows there, it comes back. Where nothing is kept for comparing, it is
//!    removed instead: nobody appends there.
//! 4. A row is in quarantine, with its reason, on disk, before `done` passes it; doing so again writes the same file again.
//! 5. Nothing but age removes a segment from `sent`, and nothing at all from the other places.
//! 6. Memory holds one batch and one line for each waiting segment, however much waits.
//!
//! A row that was taken (renamed into the spool) so outlives `kill -9` at any instruction, a full disk and a database that is
//! away for days, and reaches the database once.
//!
//! `segment` is the name, `spool` the folder, `reserve` its room for a full disk, `batch` the rows that are sent at once, `shipper` the loop, with its `pauses` and `figures`. What is shipped is a
//! [`Cargo`], whose rows may be [`parcel`]s.

pub mod batch;
pub mod figures;
pub mod parcel;
pub mod pauses;
pub mod reserve;
pub mod segment;
pub mod shipper;
pub mod spool;

use std::future::Future;
use std::io;

use self::segment::Segment;
use self::spool::Spool;

/// What is shipped: how it comes into the spool, how it is read, and where it goes.
pub trait Cargo {
    /// Its name in metrics and alarms.
    const NAME: &'static str;
    /// A row as it is sent.
    type Row;

    /// Brings what came since the last time into the spool; returns the new segments. It may let more come together first.
    ///
    /// # Errors
    /// What came cannot be taken; it stays where it is.
    fn gather(&mut self, spool: &Spool) -> io::Result<Vec<Segment>>;

    /// How many rows wait in a segment that came into the spool just now.
    ///
    /// # Errors
    /// It cannot be read.
    fn survey(&mut self, spool: &Spool, segment: &Segment) -> io::Result<u64>;

    /// Length of the first row in `bytes`; `None` when more bytes are needed to tell. With `ended` there are no more.
    fn row_length(&self, bytes: &[u8], ended: bool) -> Option<usize>;

    /// Reads a row of a segment of `node`.
    ///
    /// # Errors
    /// Why it is none.
    fn read(&mut self, node: &str, row: &[u8]) -> Result<Self::Row, String>;

    /// Sends rows: all of them, or none. Sending a row again changes nothing.
    fn send(&mut self, rows: &[Self::Row]) -> impl Future<Output = Result<(), Unsent>>;
}

/// Why rows were not sent.
#[derive(Debug)]
pub enum Unsent {
    /// The receiver is away: try again later.
    Later(String),
    /// At least one of the rows is refused for what it is.
    Refused(String),
}
