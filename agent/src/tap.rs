//! Recordings of calls: Asterisk's `MixMonitor` on the channel of the line that is recorded, and what becomes of the audio.
//!
//! # A recording's way
//!
//! ```text
//! <recordings>/call-<id>.json    what is known of it, on disk before anything is recorded
//! <recordings>/call-<id>.raw     Asterisk records: stereo, left what the channel says, right what it hears
//! <recordings>/call-<id>.over    in the place of the first: the channel is gone, or the recording was ended
//! <spool>/<segment>               one recording with its audio, or a part of a long one (the format of `buffer`)
//! the central store               audio and row, in one step
//! ```
//!
//! # Invariants
//!
//! 1. A tap's id is written down before it begins, and its recordings' ids come of it: however often a step is done again, each is there once.
//! 2. MixMonitor stays on its channel through transfers, and goes on when the agent dies. Which taps run is on disk; the next agent asks Asterisk which
//!    of their channels are still there.
//! 3. The raw file is removed when all that is made of it is in the spool, its notes after it.
//! 4. A call is counted for an order in the database before it is recorded. While that is away, it is counted when it is sent.
//!
//! [`subject`] is who is tapped, [`purpose`] what for, [`notes`] what is on disk; [`monitor`] talks to Asterisk, [`watch`] is the loop that begins and ends
//! taps, [`tapper`] tells it what to do; [`item`] is what is in the spool, [`cargo`] what the buffer ships; [`upkeep`] is done by one node for all.

pub mod cargo;
pub mod item;
pub mod monitor;
pub mod notes;
pub mod purpose;
pub mod subject;
pub mod tapper;
pub mod upkeep;
pub mod watch;
