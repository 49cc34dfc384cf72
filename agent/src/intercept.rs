//! Interception under warrant (47 CFR 1.20003, 1.20004): what a line's own channels say and hear, and who, whom and when, sealed for the warrant's recipient.
//!
//! # An interception's way
//!
//! ```text
//! <recordings>/private/<id>.json   what is known of a tap: warrant, key, channel id; who and whom sealed
//! <recordings>/private/<id>.raw    Asterisk records: stereo, left what the channel says, right what it hears
//! <recordings spool>/private/      parts, sealed (the format of `buffer`)
//! the central store                `interceptions`: a row a part
//! ```
//!
//! # Invariants
//!
//! 1. Ten seconds of audio are a part. When they are there they are sealed, the part is put into the spool, noted, and then wiped off the raw file, in this
//!    order: a part that is made again has the same id, and is in the central store once.
//! 2. Part 0 tells of the call's begin, and the last one of its end, with or without audio.
//! 3. MixMonitor goes on when the agent dies; the next one finds its file, and goes on after the last part that was noted.
//! 4. A channel that comes to talk with another one is tapped anew ([`tap::Tap::has_moved`]): a call may be several taps, of one `uniqueid`.
//! 5. While the database is away what was armed stays armed, until the end that its warrant names.
//! 6. Nothing of this is logged, counted or shown but to those who intercept: all of it runs in silence (`service::interceptions`), and asks the same of the
//!    database each second whether there are warrants or none.
//!
//! [`armed`] asks for warrants, [`watch`] is the loop that begins and ends taps; [`tap`] is one of them, [`folder`] the files on disk, [`call`] who and whom,
//! [`seal`] the key; [`item`] is what is in the spool, [`cargo`] what the buffer ships.

pub mod armed;
pub mod call;
pub mod cargo;
pub mod folder;
pub mod item;
pub mod seal;
pub mod tap;
pub mod watch;
