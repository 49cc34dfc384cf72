//! [`Call`] over a FastAGI session.

use std::time::Duration;

use crate::call::{
    Call, Caller, Digits, Ended, Fault, Prompt, Recording, RecordingEnd, RecordingLimits, Say, Step,
};
use crate::wire::agi::command::{Command, Unsendable};
use crate::wire::agi::prelude::Prelude;
use crate::wire::agi::reply::Reply;
use crate::wire::agi::{Session, SessionError, Wire};

/// Every key.
const KEYS: &str = "0123456789*#";

/// Samples in a second, of which AGI counts recordings.
const SAMPLES: u64 = 8_000;

/// Bytes in a second of the WAV files that Asterisk writes, and of their header.
const WAV_BYTES: u64 = 2 * SAMPLES;
const WAV_HEADER: u64 = 44;

/// A call in a FastAGI session.
#[derive(Debug)]
pub struct FastAgi<W> {
    session: Session<W>,
    caller: Caller,
    flow: String,
    arguments: Vec<String>,
    line_limit: usize,
    /// For the reply to a command that plays nothing.
    patience: Duration,
    answered: bool,
}

impl From<Unsendable> for Ended {
    fn from(unsendable: Unsendable) -> Self {
        Ended::Failed(Fault(unsendable.to_string()))
    }
}

impl<W: Wire> FastAgi<W> {
    /// The call that a prelude announces.
    #[must_use]
    pub fn new(session: Session<W>, prelude: &Prelude, patience: Duration) -> FastAgi<W> {
        FastAgi {
            session,
            caller: Caller {
                uniqueid: prelude.get("uniqueid").to_owned(),
                channel: prelude.get("channel").to_owned(),
                dialled: prelude.get("extension").to_owned(),
                number: prelude.get("callerid").to_owned(),
                name: prelude.get("calleridname").to_owned(),
                language: prelude.get("language").to_owned(),
            },
            flow: prelude.script().to_owned(),
            arguments: prelude.arguments(),
            line_limit: prelude.line_limit(),
            patience,
            answered: false,
        }
    }

    /// The flow that the dialplan asked for.
    #[must_use]
    pub fn flow(&self) -> &str {
        &self.flow
    }

    /// Its arguments.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Sends a command that is answered at once.
    async fn ask(&mut self, command: &Command) -> Step<Reply> {
        let reply = self.session.run(command, Some(self.patience)).await;
        self.understood(command, reply)
    }

    /// Sends a command that lasts as long as its sound, and gives its result. A channel that is gone ends the flow.
    async fn converse(&mut self, name: &'static str, arguments: &[&str]) -> Step<Reply> {
        if self.session.hung_up() {
            return Err(Ended::Hangup);
        }
        let command = Command::new(name, arguments, self.line_limit)?;
        let reply = self.session.run(&command, None).await;
        let reply = self.understood(&command, reply)?;
        if reply.code == 511 { Err(Ended::Hangup) } else { Ok(reply) }
    }

    fn understood(&self, command: &Command, reply: Result<Reply, SessionError>) -> Step<Reply> {
        match reply {
            Ok(Reply { code: 510 | 520, .. }) => {
                Err(Fault(format!("Asterisk does not know {}; is the module loaded?", command.name())).into())
            }
            Ok(reply) => Ok(reply),
            // With AGIEXITONHANGUP the session ends with the call.
            Err(SessionError::Closed) if self.session.hung_up() => Err(Ended::Hangup),
            Err(error) => Err(Fault(error.to_string()).into()),
        }
    }

    /// The key in a result: 0 for none, -1 for a channel that is gone.
    fn key(reply: &Reply) -> Step<Option<char>> {
        match reply.result.parse::<i32>() {
            Ok(0) => Ok(None),
            Ok(code) => match u32::try_from(code).ok().and_then(char::from_u32) {
                Some(key) => Ok(Some(key)),
                None => Err(Ended::Hangup),
            },
            Err(_) => Err(Fault(format!("Asterisk answered result={:?} where a key belongs", reply.result)).into()),
        }
    }

    async fn play_one(&mut self, Prompt(name): &Prompt, keys: &str) -> Step<Option<char>> {
        let reply = self.converse("STREAM FILE", &[name, keys]).await?;
        if reply.result == "0" && reply.endpos == Some(0) {
            tracing::warn!(uniqueid = self.caller.uniqueid, prompt = name, "no such prompt, or an empty one");
        }
        Self::key(&reply)
    }
}

impl<W: Wire> Call for FastAgi<W> {
    fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn answer(&mut self) -> Step<()> {
        if self.answered {
            return Ok(());
        }
        // First of all the guard, which would end the call in the middle of the conversation.
        self.set(&[("TIMEOUT(absolute)", "0")]).await?;
        // "i": without it Asterisk waits half a second for audio.
        let command = Command::new("EXEC", &["Answer", "0,i"], self.line_limit)?;
        let reply = self.ask(&command).await?;
        if reply.result == "-1" || reply.code == 511 {
            return Err(Ended::Hangup);
        }
        self.answered = true;
        Ok(())
    }

    async fn play(&mut self, prompts: &[Prompt], keys: &str) -> Step<Option<char>> {
        for prompt in prompts {
            if let Some(key) = self.play_one(prompt, keys).await? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    async fn collect(&mut self, prompts: &[Prompt], most: usize, wait: Duration) -> Step<Digits> {
        let mut keys = String::new();
        let mut next = self.play(prompts, KEYS).await?;
        let wait = wait.as_millis().to_string();
        loop {
            if next.is_none() {
                let reply = self.converse("WAIT FOR DIGIT", &[&wait]).await?;
                next = Self::key(&reply)?;
            }
            match next.take() {
                None => return Ok(Digits { keys, timed_out: true }),
                Some('#') => return Ok(Digits { keys, timed_out: false }),
                Some(key) => keys.push(key),
            }
            if keys.len() >= most {
                return Ok(Digits { keys, timed_out: false });
            }
        }
    }

    async fn record(&mut self, path: &str, limits: &RecordingLimits) -> Step<Recording> {
        let longest = limits.longest.as_millis().to_string();
        let silence = format!("s={}", limits.silence.as_secs());
        let mut arguments = vec![path, "wav", &limits.keys, &longest];
        if limits.beep {
            arguments.push("BEEP");
        }
        if !limits.silence.is_zero() {
            arguments.push(&silence);
        }
        let reply = self.converse("RECORD FILE", &arguments).await?;
        let end = match reply.data.as_deref() {
            Some("hangup") => RecordingEnd::Hangup,
            Some("dtmf") => Self::key(&reply)?.map_or(RecordingEnd::Limit, RecordingEnd::Key),
            Some("timeout") => RecordingEnd::Limit,
            other => {
                let why = other.unwrap_or("no reason");
                return Err(Fault(format!("Asterisk could not record to {path}: {why}; may it write there?")).into());
            }
        };
        // After a hangup Asterisk counts nothing; the file itself tells.
        let length = match reply.endpos {
            Some(samples) if samples > 0 => Duration::from_millis(samples * 1_000 / SAMPLES),
            _ => {
                let bytes = tokio::fs::metadata(format!("{path}.wav")).await.map_or(0, |file| file.len());
                Duration::from_millis(bytes.saturating_sub(WAV_HEADER) * 1_000 / WAV_BYTES)
            }
        };
        Ok(Recording { path: path.to_owned(), length, end })
    }

    async fn say(&mut self, what: &Say, keys: &str) -> Step<Option<char>> {
        let reply = match what {
            Say::Digits(digits) => self.converse("SAY DIGITS", &[digits, keys]).await?,
            Say::Number(number) => self.converse("SAY NUMBER", &[&number.to_string(), keys]).await?,
            Say::Letters(letters) => self.converse("SAY ALPHA", &[letters, keys]).await?,
            Say::DateTime(seconds) => self.converse("SAY DATETIME", &[&seconds.to_string(), keys]).await?,
        };
        Self::key(&reply)
    }

    async fn set(&mut self, pairs: &[(&str, &str)]) -> Step<()> {
        for command in Command::set(pairs, self.line_limit)? {
            self.ask(&command).await?;
        }
        Ok(())
    }

    async fn get(&mut self, names: &[&str]) -> Step<Vec<String>> {
        // Random, so that no value can hold it.
        let boundary = format!("{:032x}", fresh_boundary());
        let command = Command::get(names, &boundary, self.line_limit)?;
        let reply = self.ask(&command).await?;
        let data = reply.data.unwrap_or_default();
        let values: Vec<String> = data.split(&boundary).take(names.len()).map(str::to_owned).collect();
        if values.len() == names.len() {
            Ok(values)
        } else {
            Err(Fault(format!("Asterisk answered {} values for {}", values.len(), names.len())).into())
        }
    }

    async fn hangup(&mut self, cause: u16) -> Step<()> {
        let command = Command::new("EXEC", &["Hangup", &cause.to_string()], self.line_limit)?;
        match self.ask(&command).await {
            Ok(_) | Err(Ended::Hangup) => Ok(()),
            Err(failed) => Err(failed),
        }
    }
}

/// 128 bits that a caller cannot know: the hasher's keys are random in each process.
fn fresh_boundary() -> u128 {
    use std::hash::{BuildHasher, RandomState};
    let random = || u128::from(RandomState::new().hash_one(0_u8));
    random() << 64 | random()
}
