//! The protocols as they are on the wire, without a notion of what a call is about.

pub mod agi;
