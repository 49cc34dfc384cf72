//! The laboratory: real servers and phones on this machine, for tests that place real calls.
//!
//! Every part has a folder and a loopback address of its own, so that tests run side by side with every
//! server on its usual port. A part is ready when its constructor returns, and is gone when it is dropped,
//! or when the test process dies, however that dies.
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
mod asterisk;
mod call;
mod canned;
mod folder;
mod installation;
mod mariadb;
mod message;
mod postgres;
mod process;
mod record;
mod sipp;

pub use address::Address;
pub use agent::{Agent, binary};
pub use asterisk::{Asterisk, AsteriskBuilder};
pub use call::{Call, Outcome, RunningCall};
pub use canned::Canned;
pub use folder::Folder;
pub use mariadb::MariaDb;
pub use message::Message;
pub use postgres::Postgres;
pub use process::{Process, wait_until};
pub use record::{Attempt, CallRecord};
pub use sipp::{Manner, Sipp};
