//! Tandem: the agent that makes an Asterisk node stateless.
//!
//! A call, from socket to row, bottom-up:
//!
//! - [`config`]: what an operator sets.
//! - [`call`]: a call as the flows see it, about ten verbs.
//! - [`adapters`]: those verbs over FastAGI and in the simulator.
//! - [`store`]: the central database, as nouns and questions.
//! - [`phrases`], [`flows`]: what is said, and what becomes of a call.

pub mod adapters;
pub mod call;
pub mod config;
pub mod flows;
pub mod phrases;
pub mod store;
