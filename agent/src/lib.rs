//! Tandem: the agent that makes an Asterisk node stateless.
//!
//! A call, from socket to row, bottom-up:
//!
//! - [`config`]: what an operator sets.
//! - [`wire`]: FastAGI and ARI as Asterisk really speaks them, and its manager interface.
//! - [`call`]: a call as the flows see it, about ten verbs.
//! - [`adapters`]: those verbs over FastAGI, over ARI and in the simulator.
//! - [`store`]: the central database, as nouns and questions.
//! - [`emergency`]: who answers calls for help, and where from.
//! - [`speech`]: sound from text, where a node can.
//! - [`lookup`]: web servers that say what comes next.
//! - [`media`]: recordings, and where audio is kept.
//! - [`phrases`], [`flows`]: what is said, and what becomes of a call.
//! - [`alarm`], [`buffer`], [`records`]: what is left of calls, on its way to the database.
//! - [`post`]: what has to reach somebody outside.
//! - [`notices`]: who is told of calls for help, until they are.
//! - [`voicemail`]: messages on their way to the central store, to lamps and mail.
//! - [`live`]: the calls that go on now, on this node and in the database.
//! - [`listen`]: supervisors who listen to calls.
//! - [`tap`]: recordings of calls, on their way to the central store.
//! - [`intercept`]: calls intercepted under warrant, sealed on their way to the central store.
//! - [`orders`]: what persons ask of any node.
//! - [`intake`]: the listener that hands each session to its flow.
//! - [`console`]: Asterisk's own command line.
//! - [`admin`]: what operators look at and type.
//! - [`service`], [`cli`]: everything put together.

pub mod adapters;
pub mod admin;
pub mod alarm;
pub mod buffer;
pub mod call;
pub mod cli;
pub mod config;
pub mod console;
pub mod emergency;
pub mod flows;
pub mod intake;
pub mod intercept;
pub mod listen;
pub mod live;
pub mod lookup;
pub mod media;
pub mod notices;
pub mod orders;
pub mod phrases;
pub mod post;
pub mod records;
pub mod service;
pub mod speech;
pub mod store;
pub mod tap;
pub mod voicemail;
pub mod wire;
