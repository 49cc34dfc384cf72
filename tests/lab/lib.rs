//! The laboratory: real servers and phones on this machine, for tests that place real calls.
//!
//! Every part has a folder and a loopback address of its own, so that tests run side by side with every
//! server on its usual port. A part is ready when its constructor returns, and is gone when it is dropped,
//! or when the test process dies, however that dies.
//!
//! A test names what it wants, from [`MariaDb`] alone to a whole [`Node`], and places calls:
//!
//! ```no_run
//! use lab::{Manner, Node};
//!
//! let node = Node::builder().line("1001", Manner::Answers).gateway("gw1", Manner::Refuses(503)).start();
//! assert_eq!(node.dial("1001", "911").status(), 503);
//! assert_eq!(node.asterisk.wait_call(1).tried(), "gw1 503");
//! ```
//!
//! What is missing on the machine is installed by `tests/lab/install.sh`. A part that does not come up
//! fails the test with the end of that server's own log.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a laboratory that does not come up fails the test"
)]

mod address;
mod agent;
mod api;
mod asterisk;
mod call;
mod canned;
mod conversation;
mod folder;
mod handset;
mod installation;
mod lamp;
mod mail_server;
mod mariadb;
mod message;
mod node;
mod postgres;
mod process;
mod record;
mod record_writer;
mod relay;
mod s3_server;
mod simulated_call;
mod sipp;
mod voice;
mod web_sink;

pub use address::Address;
pub use agent::{Agent, AgentBuilder};
pub use api::{Answer, Api};
pub use asterisk::{Asterisk, AsteriskBuilder};
pub use call::{Call, Outcome, RunningCall};
pub use canned::Canned;
pub use conversation::{Conversation, Transcript};
pub use folder::Folder;
pub use handset::{Dialog, Handset, Incoming, Transferred};
pub use lamp::Lamp;
pub use mail_server::MailServer;
pub use mariadb::MariaDb;
pub use message::Message;
pub use node::{Node, NodeBuilder};
pub use postgres::Postgres;
pub use process::{Process, Signal, wait_until};
pub use record::{Attempt, CallRecord};
pub use record_writer::RecordWriter;
pub use relay::Relay;
pub use s3_server::S3Server;
pub use simulated_call::{Does, Session, SimulatedCall};
pub use sipp::{Manner, Sipp};
pub use voice::Voice;
pub use web_sink::WebSink;
