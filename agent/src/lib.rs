//! Tandem: the agent that makes an Asterisk node stateless.
//!
//! A call, from socket to row, bottom-up:
//!
//! - [`config`]: what an operator sets.
//! - [`wire`]: protocols, bytes in and bytes out.
//! - [`call`]: a call as the flows see it, about ten verbs.
//! - [`adapters`]: those verbs over each transport.
//! - [`intake`]: the listener that calls come in by.

pub mod adapters;
pub mod call;
pub mod config;
pub mod intake;
pub mod store;
pub mod wire;
