//! Protocols as they stand on the wire: bytes in, bytes out, no knowledge of calls or flows.

pub mod agi;
pub mod ami;
pub mod ari;
pub mod ari_events;
