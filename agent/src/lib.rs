//! Tandem: the agent that makes an Asterisk node stateless.
//!
//! A call, from socket to row, bottom-up:
//!
//! - [`config`]: what an operator sets.
//! - [`call`]: a call as the flows see it, about ten verbs.
//! - [`store`]: the central database, as nouns and questions.
//! - [`admin`]: what an operator runs beside the service.

pub mod admin;
pub mod call;
pub mod config;
pub mod store;
