//! Asterisk's manager interface (`main/manager.c`): as much of it as telling phones of messages and recording calls needs. Lines end with CR LF, a message with an empty line.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For connecting, and for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// For Asterisk to start.
const BOOT: Duration = Duration::from_secs(20);
/// No line is longer, and no message has more lines: more is no Asterisk.
const LONGEST: usize = 16 * 1024;
const MOST: usize = 1000;

/// What went wrong on the wire; the connection is of no use any more, but for [`AmiError::Refused`].
#[derive(Debug, thiserror::Error)]
pub enum AmiError {
    /// The connection broke.
    #[error("{0}")]
    Broken(#[from] std::io::Error),
    /// Asterisk did not answer in time.
    #[error("Asterisk's manager interface did not answer within 5 s")]
    Late,
    /// It did not say that it has started.
    #[error(
        "Asterisk does not say that it has started; its manager.conf lacks read = system for the agent, or it hangs"
    )]
    Unbooted,
    /// Asterisk answered something that is no message.
    #[error("the peer does not speak as Asterisk's manager interface does")]
    Foreign,
    /// Asterisk refused an action.
    #[error("Asterisk refused {action}: {why}")]
    Refused {
        /// The action.
        action: &'static str,
        /// Its reason.
        why: String,
    },
}

/// How Asterisk is reached.
#[derive(Clone)]
pub struct Manager {
    /// Address of its manager interface.
    pub address: SocketAddr,
    /// The agent's name there.
    pub user: String,
    /// Its password.
    pub secret: String,
}

/// Without its secret.
impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manager {{ {} at {} }}", self.user, self.address)
    }
}

impl Manager {
    /// Connects and logs in.
    ///
    /// # Errors
    /// See [`AmiError`].
    pub async fn connect(&self) -> Result<Ami, AmiError> {
        Ami::connect(self.address, &self.user, &self.secret).await
    }
}

/// A connection that is logged in.
#[derive(Debug)]
pub struct Ami<S = TcpStream> {
    stream: BufReader<S>,
    actions: u64,
    has_booted: bool,
}

/// One message: names and values in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message(Vec<(String, String)>);

impl Message {
    /// The value of that name, if it has one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Ami {
    /// Connects and logs in.
    ///
    /// # Errors
    /// See [`AmiError`].
    pub async fn connect(address: SocketAddr, user: &str, secret: &str) -> Result<Ami, AmiError> {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await.map_err(|_| AmiError::Late)??;
        stream.set_nodelay(true)?;
        Ami::open(stream, user, secret).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Ami<S> {
    /// Logs in on an open stream, and waits until Asterisk has started: before, actions come to nothing without a word.
    ///
    /// # Errors
    /// See [`AmiError`].
    pub async fn open(stream: S, user: &str, secret: &str) -> Result<Ami<S>, AmiError> {
        let mut ami = Ami { stream: BufReader::new(stream), actions: 0, has_booted: false };
        let greeting = timeout(PATIENCE, ami.line()).await.map_err(|_| AmiError::Late)??;
        if !greeting.starts_with("Asterisk Call Manager") {
            return Err(AmiError::Foreign);
        }
        ami.act("Login", &[("Username", user), ("Secret", secret), ("Events", "system")]).await?;
        timeout(BOOT, ami.booted()).await.map_err(|_| AmiError::Unbooted)??;
        ami.act("Events", &[("EventMask", "off")]).await?;
        Ok(ami)
    }

    /// Sends an action and waits for its answer; what else comes meanwhile is passed over.
    ///
    /// # Errors
    /// See [`AmiError`]; values that hold a line end are refused before anything is sent.
    pub async fn act(&mut self, action: &'static str, fields: &[(&str, &str)]) -> Result<Message, AmiError> {
        let id = self.send(action, fields).await?;
        let answer = timeout(PATIENCE, self.answer(&id)).await.map_err(|_| AmiError::Late)??;
        accepted(action, answer)
    }

    /// Sends an action that is answered by a list, and waits for all of it.
    ///
    /// # Errors
    /// As [`Ami::act`].
    pub async fn list(&mut self, action: &'static str, fields: &[(&str, &str)]) -> Result<Vec<Message>, AmiError> {
        let id = self.send(action, fields).await?;
        let work = async {
            accepted(action, self.answer(&id).await?)?;
            let mut list = Vec::new();
            loop {
                let message = self.message().await?;
                if message.value("ActionID") != Some(&id) {
                    continue;
                }
                if message.value("EventList") == Some("Complete") {
                    return Ok(list);
                }
                list.push(message);
            }
        };
        timeout(PATIENCE, work).await.map_err(|_| AmiError::Late)?
    }

    /// Sends an action; the id by which its answer is known.
    async fn send(&mut self, action: &'static str, fields: &[(&str, &str)]) -> Result<String, AmiError> {
        self.actions += 1;
        let id = self.actions.to_string();
        let mut text = format!("Action: {action}\r\nActionID: {id}\r\n");
        for (name, value) in fields {
            if value.contains(['\r', '\n', '\0']) {
                let why = format!("{name} holds a line end");
                return Err(AmiError::Refused { action, why });
            }
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.stream.write_all(text.as_bytes()).await?;
        Ok(id)
    }

    /// Waits until the connection breaks; what comes is passed over.
    pub async fn broken(&mut self) -> AmiError {
        loop {
            if let Err(error) = self.message().await {
                return error;
            }
        }
    }

    /// Asterisk says so to whoever logs in, at once or when it is.
    async fn booted(&mut self) -> Result<(), AmiError> {
        if self.has_booted {
            return Ok(());
        }
        while self.message().await?.value("Event") != Some("FullyBooted") {}
        Ok(())
    }

    async fn answer(&mut self, id: &str) -> Result<Message, AmiError> {
        loop {
            let message = self.message().await?;
            self.has_booted |= message.value("Event") == Some("FullyBooted");
            if message.value("Response").is_some() && message.value("ActionID") == Some(id) {
                return Ok(message);
            }
        }
    }

    async fn message(&mut self) -> Result<Message, AmiError> {
        let mut message = Message::default();
        loop {
            let line = self.line().await?;
            if line.is_empty() && !message.0.is_empty() {
                return Ok(message);
            }
            if message.0.len() >= MOST {
                return Err(AmiError::Foreign);
            }
            if let Some((name, value)) = line.split_once(':') {
                message.0.push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }

    /// A line without its end. When it is dropped in the middle, the rest is read as a line of its own, which is no answer.
    async fn line(&mut self) -> Result<String, AmiError> {
        let mut line = Vec::new();
        loop {
            let piece = self.stream.fill_buf().await?;
            if piece.is_empty() {
                return Err(AmiError::Broken(std::io::ErrorKind::UnexpectedEof.into()));
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(piece.len(), |end| end + 1);
            line.extend_from_slice(piece.get(..taken).unwrap_or_default());
            self.stream.consume(taken);
            if line.len() > LONGEST {
                return Err(AmiError::Foreign);
            }
            if end.is_some() {
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
        }
    }
}

fn accepted(action: &'static str, answer: Message) -> Result<Message, AmiError> {
    if answer.value("Response") == Some("Success") {
        return Ok(answer);
    }
    let why = answer.value("Message").unwrap_or("no reason given").to_owned();
    Err(AmiError::Refused { action, why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    async fn peer(answers: &'static [u8]) -> Result<Ami<tokio::io::DuplexStream>, AmiError> {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move {
            theirs.write_all(answers).await.unwrap();
            let mut asked = Vec::new();
            drop(theirs.read_to_end(&mut asked).await);
        });
        Ami::open(ours, "tandem", "word").await
    }

    #[tokio::test]
    async fn an_answer_is_found_among_events() {
        let mut ami = peer(
            b"Asterisk Call Manager/11.0.0\r\nEvent: FullyBooted\r\nStatus: Fully Booted\r\n\r\nResponse: Success\r\nActionID: 1\r\n\
              Message: Authentication accepted\r\n\r\nResponse: Success\r\nActionID: 2\r\n\r\nResponse: Error\r\nActionID: 3\r\nMessage: Extension does not exist.\r\n\r\n",
        )
        .await
        .unwrap();
        let refused = ami.act("Originate", &[("Channel", "Local/x@y")]).await.unwrap_err();
        assert_eq!(refused.to_string(), "Asterisk refused Originate: Extension does not exist.");
        let forged = ami.act("Originate", &[("Channel", "Local/x@y\r\nApplication: System")]).await.unwrap_err();
        assert!(matches!(forged, AmiError::Refused { .. }));
    }

    #[tokio::test]
    async fn a_peer_that_is_no_asterisk_is_left() {
        assert!(matches!(peer(b"SSH-2.0-OpenSSH_9.2\r\n").await, Err(AmiError::Foreign)));
        assert!(matches!(
            peer(b"Asterisk Call Manager/11.0.0\r\nResponse: Error\r\nActionID: 1\r\nMessage: Authentication failed\r\n\r\n").await,
            Err(AmiError::Refused { action: "Login", .. })
        ));
    }
}
