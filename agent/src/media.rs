//! Audio: what Asterisk recorded, how it is kept, and where.
//!
//! [`wav`] looks into recordings, [`sox`] makes them small and puts them together, [`depot`] is where the audio of all nodes is, [`cache`] what of it
//! is on this one.

pub mod cache;
pub mod depot;
pub mod sox;
pub mod wav;
