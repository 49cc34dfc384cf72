//! Notices of emergency calls (Kari's Law, 47 CFR 9.16(b)(2)): who called, from where, and how to call back, told to those who are to know,
//! at the moment of the call and beside it.
//!
//! # Files
//!
//! ```text
//! tandem-emergency.csv            the dialplan appends each emergency call
//! tandem-emergency.spool/
//!   <segment>                     taken from there (the format of `buffer`)
//!   waiting/<id>.json             one notice to one address, until it is delivered
//!   told/<id>.json                delivered; kept for a while, so that it is not sent again
//!   callbacks.json                the callback numbers that are protected
//! ```
//!
//! # Invariants
//!
//! 1. A notice's id is made of call and address: unfolding a call again makes the same notices, and those that were delivered stay so.
//! 2. A segment is filed away when all of its notices are on disk, and not before.
//! 3. A notice leaves `waiting` when its receiver has taken it and its line is in the spool of records. Killed in between, it is delivered
//!    again under the same id (`Message-ID`, `Idempotency-Key`).
//! 4. One address that cannot be reached delays no other.
//!
//! [`notice`] is what is told, [`dispatcher`] the loop; [`crate::post`] has the files and delivers by mail and web, `phone` to lines.

pub mod dispatcher;
pub mod notice;
mod phone;
