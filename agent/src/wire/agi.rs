//! FastAGI as Asterisk speaks it (`res/res_agi.c`): encoding and decoding without I/O, and
//! [`Connection`], one session over any byte stream.
//!
//! What is special about it, each point met in one place:
//!
//! - The prelude is about 22 lines, one `write()` each, ended by an empty line: [`Prelude`].
//! - A command is one line of quoted words, within a limit that depends on Asterisk's version: [`command`].
//! - A reply's result is text, its data may hold anything, `HANGUP` may come before it: [`reply`].
//! - One write a line, one command in flight, and quick acknowledgements: [`Connection`].

pub mod command;
mod connection;
mod prelude;
pub mod reply;

pub use connection::{Connection, Limits, Stream, Wait};
pub use prelude::Prelude;
pub use reply::Reply;

/// Why an exchange with Asterisk failed.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Asterisk closed the connection: it hung up, or went on without us.
    #[error("Asterisk closed the connection")]
    Closed,
    /// Nothing was sent, since Asterisk would not have read it as it was meant.
    #[error("not sent: {0}")]
    Refused(String),
    /// The peer sent what is not AGI, or too much of it.
    #[error("the peer does not speak AGI: {0}")]
    Protocol(String),
    /// No answer within the deadline.
    #[error("no answer within {0:?}")]
    Late(std::time::Duration),
    /// The socket failed.
    #[error("connection: {0}")]
    Io(std::io::Error),
}
