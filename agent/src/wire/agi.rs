//! FastAGI, the agent's side of `res/res_agi.c`.
//!
//! - [`prelude`]: what Asterisk says first.
//! - [`command`]: how a command is written so that nothing in it is code.
//! - [`reply`]: what comes back, with `HANGUP` standing anywhere.
//! - [`Session`]: one command in flight over a socket. Never two: Asterisk reads with `fgets` and waits with `poll`, so
//!   that a second line of one write would stall.

pub mod command;
pub mod prelude;
pub mod reply;

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use self::command::Command;
use self::prelude::{Prelude, PreludeError};
use self::reply::{Decoder, Event, Reply};

/// First size of a session's read buffer: most replies are far below, and thousands of sessions may idle.
const BUFFER: usize = 512;

/// A socket on which Asterisk speaks.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    /// Asks the kernel to acknowledge what comes next at once: Asterisk leaves Nagle's algorithm on, and its second
    /// write waits 43 ms for a delayed acknowledgement. Linux forgets the wish, so it is repeated before each wait.
    fn acknowledge_quickly(&self) {}
}

impl Wire for TcpStream {
    fn acknowledge_quickly(&self) {
        // Only speed is lost when the kernel refuses.
        let _ = SockRef::from(self).set_tcp_quickack(true);
    }
}

impl Wire for tokio::io::DuplexStream {}

/// Why a session ended before its flow did.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Asterisk closed the connection: the channel is gone, or Asterisk is.
    #[error("Asterisk closed the session")]
    Closed,
    /// No reply in time.
    #[error("Asterisk did not answer {0} in time")]
    Silent(String),
    /// The socket broke.
    #[error("the socket to Asterisk broke: {0}")]
    Socket(#[from] io::Error),
    /// What came is not AGI.
    #[error(transparent)]
    Garbage(#[from] reply::Garbage),
}

/// A FastAGI session after its prelude.
#[derive(Debug)]
pub struct Session<W> {
    wire: W,
    decoder: Decoder,
    hung_up: bool,
}

impl<W: Wire> Session<W> {
    /// Reads the prelude until `by`, `most` bytes of it. `Ok(None)` when the peer closed without a word, as a port scan does.
    ///
    /// # Errors
    /// See [`PreludeError`].
    pub async fn open(mut wire: W, by: Instant, most: usize) -> Result<Option<(Session<W>, Prelude)>, PreludeError> {
        let mut buffer = Vec::with_capacity(2 * BUFFER);
        let mut searched = 0;
        let end = loop {
            if let Some(end) = prelude::end(&buffer, searched) {
                break end;
            }
            if buffer.len() >= most {
                return Err(PreludeError::TooLong(most));
            }
            searched = buffer.len().saturating_sub(2);
            wire.acknowledge_quickly();
            match timeout_at(by, wire.read_buf(&mut buffer)).await {
                Err(_) => return Err(PreludeError::Silent),
                Ok(Err(error)) => return Err(PreludeError::Socket(error)),
                Ok(Ok(0)) if buffer.is_empty() => return Ok(None),
                Ok(Ok(0)) => return Err(PreludeError::Cut),
                Ok(Ok(_)) => {}
            }
        };
        let prelude = Prelude::parse(&buffer[..end]);
        let decoder = Decoder::new(&buffer[end..], BUFFER);
        Ok(Some((Session { wire, decoder, hung_up: false }, prelude)))
    }

    /// Whether `HANGUP` was seen.
    #[must_use]
    pub fn hung_up(&self) -> bool {
        self.hung_up
    }

    /// Sends one command and awaits its reply; `within` is `None` for a command that lasts as long as a caller likes.
    ///
    /// # Errors
    /// See [`SessionError`]; the session is of no use afterwards.
    pub async fn run(&mut self, command: &Command, within: Option<Duration>) -> Result<Reply, SessionError> {
        let by = within.map(|within| Instant::now() + within);
        self.decoder.expect(command);
        let silent = || SessionError::Silent(command.name().to_owned());
        // One write a line: Asterisk spins on a split one. A peer that never reads blocks us no longer than the deadline.
        match by {
            Some(by) => timeout_at(by, self.wire.write_all(command.line())).await.map_err(|_| silent())??,
            None => self.wire.write_all(command.line()).await?,
        }
        loop {
            while let Some(event) = self.decoder.next()? {
                match event {
                    Event::Hangup => self.hung_up = true,
                    Event::Reply(reply) => return Ok(reply),
                }
            }
            self.wire.acknowledge_quickly();
            let read = self.wire.read_buf(self.decoder.buffer());
            let count = match by {
                Some(by) => timeout_at(by, read).await.map_err(|_| silent())??,
                None => read.await?,
            };
            if count == 0 {
                return Err(SessionError::Closed);
            }
        }
    }
}
