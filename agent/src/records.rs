//! Call records: from the line that Asterisk wrote to the row in the central database.
//!
//! Asterisk appends every finished call (`cdr_custom.conf`), and the dialplan every attempt that is over, to one file. The
//! agent takes the file by renaming it into its spool; Asterisk opens the file anew for each line, so that no line is lost. How
//! the spool outlives what may happen is told in [`crate::buffer`].
//!
//! [`intake`] takes the file, [`line`] reads a line, [`cargo`] is what the buffer ships,
//! [`verify`] compares what the node kept with what the database has.

pub mod cargo;
pub mod emergency;
pub mod intake;
pub mod line;
pub mod verify;
