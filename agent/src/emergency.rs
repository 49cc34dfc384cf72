//! Emergency calls: who answers for a place, where the caller is and what is said of it, who is told, and the way back.
//!
//! - `area`, `county`: shapes and names of places. [`atlas`]: the choice of a facility, in memory.
//! - [`pidf`]: the location as it goes into the INVITE. [`callbacks`]: the way back.
//! - [`talks`]: what lines are told of it by telephone. [`upkeep`]: keeps all of it up to date.
//! - [`fallback`]: what the dialplan knows of it when the agent is dead.

mod area;
pub mod atlas;
pub mod callbacks;
mod county;
pub mod fallback;
pub mod pidf;
pub mod talks;
pub mod upkeep;
