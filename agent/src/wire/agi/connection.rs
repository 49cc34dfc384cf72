//! One session: the prelude, then commands and replies by turns.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher;
use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::reply::{Reply, Scan, scan};
use super::{Prelude, WireError, command};

/// A buffer that one large exchange has swollen is given back above this size.
const KEPT_BUFFER: usize = 4096;

/// The bytes that a session runs over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    /// Acknowledges at once what has been received. Asterisk leaves Nagle's algorithm on: of two messages it writes
    /// in a row, the second waits for this, 40 ms unless we hurry. Linux forgets the wish, so it is repeated before
    /// each wait for the rest of something that has begun; a command acknowledges by itself.
    fn acknowledge(&self) {}
}

impl Stream for TcpStream {
    fn acknowledge(&self) {
        // Refused only on a dead socket, which the read that follows reports.
        let _ = SockRef::from(self).set_tcp_quickack(true);
    }
}

impl Stream for DuplexStream {}

/// What a session may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the whole prelude.
    pub prelude: Duration,
    /// Bytes of the whole prelude.
    pub prelude_bytes: usize,
    /// For the reply to a command that plays nothing, and for taking any command.
    pub reply: Duration,
}

/// How long a reply is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// As [`Limits::reply`] says.
    Briefly,
    /// As long as the caller and the sounds take.
    Media,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    /// A reply is due. Found so at the next command, that reply was given up, and would be taken for another's.
    Waiting,
    Closed,
}

/// A session with Asterisk. Dropping it lets the dialplan go on.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    limits: Limits,
    line_limit: usize,
    input: Vec<u8>,
    output: Vec<u8>,
    hung_up: bool,
    state: State,
}

impl<S: Stream> Connection<S> {
    /// Reads the prelude; `None` when the peer left without a word.
    ///
    /// # Errors
    /// [`WireError::Late`] and [`WireError::Protocol`] past the limits, or when the peer stops half-way.
    pub async fn open(stream: S, limits: Limits) -> Result<Option<(Self, Prelude)>, WireError> {
        let (line_limit, input, output) = (0, Vec::with_capacity(1024), Vec::new());
        let mut connection =
            Connection { stream, limits, line_limit, input, output, hung_up: false, state: State::Ready };
        let prelude = connection.prelude().await?;
        Ok(prelude.map(|prelude| {
            connection.line_limit = prelude.line_limit();
            (connection, prelude)
        }))
    }

    async fn prelude(&mut self) -> Result<Option<Prelude>, WireError> {
        let deadline = Deadline::after(self.limits.prelude);
        loop {
            // Where an end could begin that was not there before.
            let fresh = self.input.len().saturating_sub(1);
            match self.receive(Some(deadline)).await {
                Ok(()) => {}
                Err(WireError::Closed) if self.input.is_empty() => return Ok(None),
                Err(WireError::Closed) => {
                    return Err(WireError::Protocol(format!("closed after {} bytes of prelude", self.input.len())));
                }
                Err(error) => return Err(error),
            }
            let ended = self.input[fresh..].windows(2).any(|pair| pair == b"\n\n");
            if (ended || fresh == 0)
                && let Some((prelude, used)) = Prelude::decode(&self.input)?
            {
                self.input.drain(..used);
                return Ok(Some(prelude));
            }
            if self.input.len() > self.limits.prelude_bytes {
                return Err(WireError::Protocol(format!("prelude of over {} bytes", self.limits.prelude_bytes)));
            }
        }
    }

    /// Whether Asterisk has told that the caller is gone.
    pub fn hung_up(&self) -> bool {
        self.hung_up
    }

    /// Sends one command and waits for its reply.
    ///
    /// # Errors
    /// See [`WireError`]. After any but [`WireError::Refused`] the session is of no more use.
    pub async fn command(&mut self, verb: &str, words: &[&str], wait: Wait) -> Result<Reply, WireError> {
        self.output.clear();
        command::encode(&mut self.output, verb, words, self.line_limit)?;
        let reply = self.exchange(0, self.output.len(), None, wait).await?;
        // Asterisk takes an application's 1 for "wrong usage", and explains it after the reply.
        if verb == "EXEC" && reply.code == 200 && reply.result == "1" {
            self.state = State::Waiting;
            self.reply(None, Some(Deadline::after(self.limits.reply))).await?;
            self.state = State::Ready;
        }
        Ok(reply)
    }

    /// Sets variables and functions in their order, in one `EXEC MSet` or as many as the line limit asks for.
    /// The reply is the first that is not a plain success, or the last.
    ///
    /// # Errors
    /// As [`Connection::command`]; nothing is sent when one of the pairs cannot be.
    pub async fn set(&mut self, pairs: &[(&str, &str)]) -> Result<Reply, WireError> {
        self.output.clear();
        command::encode_mset(&mut self.output, pairs, self.line_limit)?;
        let mut reply = Reply { code: 200, result: "0".to_owned(), ..Reply::default() };
        let mut start = 0;
        while start < self.output.len() {
            let line = self.output[start..].iter().position(|byte| *byte == b'\n');
            let end = line.map_or(self.output.len(), |length| start + length + 1);
            reply = self.exchange(start, end, None, Wait::Briefly).await?;
            if reply.code != 200 || reply.result != "0" {
                break;
            }
            start = end;
        }
        Ok(reply)
    }

    /// Reads variables and functions in one exchange; unset ones are empty.
    ///
    /// Values are the caller's data and may hold any separator, so they are asked for around a boundary that is
    /// made up anew each time.
    ///
    /// # Errors
    /// As [`Connection::command`]; [`WireError::Protocol`] also when the reply does not fit the question.
    pub async fn get(&mut self, names: &[&str]) -> Result<Result<Vec<String>, Reply>, WireError> {
        let boundary = format!("|{:016x}|", RandomState::new().hash_one(0));
        let mut question = boundary.clone();
        for name in names {
            command::check_name(name)?;
            question.extend(["${", name, "}", &boundary]);
        }
        // The end differs, else a first value of `)` and a newline would look like it.
        let ending = format!("{boundary}.");
        question.push('.');
        self.output.clear();
        command::encode(&mut self.output, "GET FULL VARIABLE", &[&question], self.line_limit)?;
        let reply = self.exchange(0, self.output.len(), Some(&ending), Wait::Briefly).await?;
        if reply.code != 200 {
            return Ok(Err(reply));
        }
        let data = reply.data.as_deref().unwrap_or_default();
        let inside = data.strip_prefix(&*boundary).and_then(|data| data.strip_suffix(&*ending));
        let values: Vec<String> =
            inside.into_iter().flat_map(|data| data.split(&*boundary)).map(str::to_owned).collect();
        if values.len() == names.len() {
            Ok(Ok(values))
        } else {
            Err(WireError::Protocol(format!("{} values for {} names", values.len(), names.len())))
        }
    }

    /// Sends `output[start..end]`, one line, and waits for the reply.
    async fn exchange(
        &mut self,
        start: usize,
        end: usize,
        ending: Option<&str>,
        wait: Wait,
    ) -> Result<Reply, WireError> {
        match self.state {
            State::Ready => self.settle()?,
            State::Closed => return Err(WireError::Closed),
            State::Waiting => {
                return Err(WireError::Protocol("an earlier command was given up before its reply".to_owned()));
            }
        }
        self.state = State::Waiting;
        let deadline = Deadline::after(self.limits.reply);
        let reply = match deadline.meet(self.stream.write_all(&self.output[start..end])).await {
            Ok(()) => self.reply(ending, (wait == Wait::Briefly).then_some(deadline)).await,
            Err(error) => Err(error),
        };
        match &reply {
            Ok(_) => self.state = State::Ready,
            Err(WireError::Closed) => self.state = State::Closed,
            Err(_) => {}
        }
        if self.output.capacity() > KEPT_BUFFER && end == self.output.len() {
            self.output = Vec::new();
        }
        reply
    }

    /// Takes the `HANGUP` lines that came since the last reply; anything else answers no command of ours.
    fn settle(&mut self) -> Result<(), WireError> {
        while let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
            if &self.input[..end] != b"HANGUP" {
                break;
            }
            self.hung_up = true;
            self.input.drain(..=end);
        }
        if b"HANGUP".starts_with(&self.input) {
            return Ok(());
        }
        self.state = State::Waiting;
        Err(WireError::Protocol(format!("{} bytes that answer no command", self.input.len())))
    }

    async fn reply(&mut self, ending: Option<&str>, deadline: Option<Deadline>) -> Result<Reply, WireError> {
        loop {
            let Scan { hangup, reply } = scan(&self.input, ending)?;
            self.hung_up |= hangup;
            if let Some((reply, used)) = reply {
                self.hung_up |= reply.code == 511;
                self.input.drain(..used);
                if self.input.is_empty() && self.input.capacity() > KEPT_BUFFER {
                    self.input = Vec::new();
                }
                return Ok(reply);
            }
            self.receive(deadline).await?;
        }
    }

    async fn receive(&mut self, deadline: Option<Deadline>) -> Result<(), WireError> {
        if !self.input.is_empty() {
            self.stream.acknowledge();
        }
        if self.input.capacity() - self.input.len() < 512 {
            self.input.reserve(1024);
        }
        let read = self.stream.read_buf(&mut self.input);
        let received = match deadline {
            Some(deadline) => deadline.meet(read).await?,
            None => read.await?,
        };
        if received == 0 { Err(WireError::Closed) } else { Ok(()) }
    }
}

/// By when something is due, and how long it was given.
#[derive(Debug, Clone, Copy)]
struct Deadline {
    at: Instant,
    given: Duration,
}

impl Deadline {
    fn after(given: Duration) -> Deadline {
        Deadline { at: Instant::now() + given, given }
    }

    async fn meet<T>(self, work: impl Future<Output = io::Result<T>>) -> Result<T, WireError> {
        match timeout_at(self.at, work).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(WireError::Late(self.given)),
        }
    }
}

/// A peer that resets has closed.
impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                WireError::Closed
            }
            _ => WireError::Io(error),
        }
    }
}
