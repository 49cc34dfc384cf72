//! Emergency calls: who answers for a place, where the caller is and what is said of it, who is told, and the way back.
//!
//! - `area`, `county`: shapes and names of places. [`atlas`]: the choice of a facility, in memory.
//! - [`pidf`]: the location as it goes into the INVITE.

mod area;
pub mod atlas;
mod county;
pub mod pidf;
