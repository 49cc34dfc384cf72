//! [`Call`] over a FastAGI session.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::call::{Call, Caller, Digits, Ended, Fault, Prompt, Recording, RecordingEnd, RecordingLimits, Say, Step};
use crate::wire::agi::{Connection, Limits, Prelude, Reply, Stream, Wait, WireError};

/// How a time is said (`voicemail.conf`): today, yesterday or the day, then the time.
const DATE_TIME: &str = "q 'digits/at' IMp";
/// Milliseconds by which a listener goes forward and back.
const SKIP: &str = "3000";
/// Every key of a phone.
const KEYS: &str = "0123456789*#ABCD";

/// One call that the dialplan handed over by `AGI()`.
#[derive(Debug)]
pub struct FastAgi<S = TcpStream> {
    connection: Connection<S>,
    flow: String,
    arguments: Vec<String>,
    caller: Caller,
    answered: bool,
    hung_up: bool,
}

impl<S: Stream> FastAgi<S> {
    /// Reads what Asterisk tells about the call; `None` when the peer left without a word.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub async fn open(stream: S, limits: Limits) -> Result<Option<Self>, WireError> {
        Ok(Connection::open(stream, limits).await?.map(|(connection, prelude)| {
            let mut path = prelude.script().split('/');
            let flow = path.next().unwrap_or_default().to_owned();
            let arguments = path.chain(prelude.arguments()).map(str::to_owned).collect();
            FastAgi { connection, flow, arguments, caller: caller(&prelude), answered: false, hung_up: false }
        }))
    }

    /// The flow asked for: `agi://host/<flow>`.
    pub fn flow(&self) -> &str {
        &self.flow
    }

    /// What the dialplan gave with it: `AGI(agi://host/flow/first/second,third)`. What decides who somebody is
    /// belongs into the path, where no caller can forge it ([`Prelude`]).
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Asterisk's unique id of the channel.
    pub fn uniqueid(&self) -> &str {
        &self.caller.uniqueid
    }

    fn gone(&self) -> bool {
        self.hung_up || self.connection.hung_up()
    }

    /// A command for a live channel; any reply but a success ends the conversation.
    async fn command(&mut self, verb: &str, words: &[&str], wait: Wait) -> Step<Reply> {
        if self.gone() {
            return Err(Ended::Hangup);
        }
        let reply = self.connection.command(verb, words, wait).await.map_err(|error| ended(verb, &error))?;
        if self.gone() {
            return Err(Ended::Hangup);
        }
        match reply.code {
            200 if reply.result == "-1" => Err(self.failed(verb, words).await),
            200 => Ok(reply),
            _ => Err(unexpected(verb, &reply)),
        }
    }

    /// What a `-1` meant: Asterisk says it for a hangup and for a missing sound alike, and only a dead channel
    /// refuses to tell its state.
    async fn failed(&mut self, verb: &str, words: &[&str]) -> Ended {
        match self.connection.command("CHANNEL STATUS", &[], Wait::Briefly).await {
            Err(error) => ended(verb, &error),
            Ok(_) if self.gone() => Ended::Hangup,
            Ok(_) => Ended::Failed(Fault(format!(
                "{verb} {}: failed on a live channel; look whether the sound, file or application exists on this node",
                words.first().unwrap_or(&"")
            ))),
        }
    }

    /// A command that sounds are played by, interrupted by one of the keys given to it.
    async fn interruptible(&mut self, verb: &str, words: &[&str]) -> Step<Option<char>> {
        let reply = self.command(verb, words, Wait::Media).await?;
        match reply.result.parse::<u8>() {
            Ok(0) => Ok(None),
            Ok(key) => Ok(Some(char::from(key))),
            Err(_) => Err(unexpected(verb, &reply)),
        }
    }
}

impl<S: Stream> Call for FastAgi<S> {
    fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn answer(&mut self) -> Step<()> {
        if self.gone() {
            return Err(Ended::Hangup);
        }
        if !self.answered {
            self.set(&[("TIMEOUT(absolute)", "0")]).await?;
            // ANSWER would wait up to 500 ms for audio.
            self.command("EXEC", &["Answer", "0,i"], Wait::Briefly).await?;
            self.answered = true;
        }
        Ok(())
    }

    async fn play(&mut self, prompts: &[Prompt], keys: &str) -> Step<Option<char>> {
        for Prompt(sound) in prompts {
            if let Some(key) = self.interruptible("STREAM FILE", &[sound, keys]).await? {
                return Ok(Some(key));
            }
        }
        if self.gone() { Err(Ended::Hangup) } else { Ok(None) }
    }

    async fn listen(&mut self, sound: &Prompt, keys: &str) -> Step<Option<char>> {
        self.interruptible("CONTROL STREAM FILE", &[&sound.0, keys, SKIP, "#", "*", "0"]).await
    }

    async fn collect(&mut self, prompts: &[Prompt], most: usize, wait: Duration) -> Step<Digits> {
        // GET DATA plays the last prompt and takes the keys in one command, so that none is lost between two.
        let (last, first) = prompts.split_last().map_or(("", prompts), |(last, first)| (&*last.0, first));
        let mut digits = Digits::default();
        let mut last = last;
        match self.play(first, KEYS).await? {
            Some('#') => return Ok(digits),
            Some(key) => {
                digits.keys.push(key);
                last = "";
            }
            None => {}
        }
        // Asterisk's own buffer holds 1024.
        let most = most.min(1000);
        if digits.keys.len() >= most {
            return Ok(digits);
        }
        // 0 would stand for Asterisk's own six seconds.
        let wait = wait.as_millis().clamp(1, 1_000_000_000).to_string();
        let more = (most - digits.keys.len()).to_string();
        let reply = self.command("GET DATA", &[last, &wait, &more], Wait::Media).await?;
        digits.keys.push_str(&reply.result);
        digits.timed_out = reply.data.as_deref() == Some("timeout");
        Ok(digits)
    }

    async fn record(&mut self, path: &str, limits: &RecordingLimits) -> Step<Recording> {
        const VERB: &str = "RECORD FILE";
        if self.gone() {
            return Err(Ended::Hangup);
        }
        let longest = limits.longest.as_millis().clamp(1, 2_000_000_000).to_string();
        let silence = format!("s={}", limits.silence.as_millis().div_ceil(1000));
        let mut words = vec![path, "wav", &limits.keys, &longest];
        if limits.beep {
            words.push("BEEP");
        }
        if !limits.silence.is_zero() {
            words.push(&silence);
        }
        let reply = self.connection.command(VERB, &words, Wait::Media).await.map_err(|error| ended(VERB, &error))?;
        let how = reply.data.as_deref().unwrap_or_default();
        let end = match (reply.code, &*reply.result, how) {
            (511, ..) => return Err(Ended::Hangup),
            (200, "-1", "hangup" | "waitfor") => {
                self.hung_up = true;
                RecordingEnd::Hangup
            }
            (200, "-1", "writefile") => {
                return Err(Ended::Failed(Fault(format!(
                    "{VERB} {path}.wav: Asterisk cannot write it; look at the folder, its owner and the disk"
                ))));
            }
            (200, "-1", _) => return Err(self.failed(VERB, &words).await),
            // With `timeout` the result is what was left of a wait, not a key.
            (200, _, "timeout") | (200, "0", _) => RecordingEnd::Limit,
            (200, key, _) if key.parse::<u8>().is_ok() => {
                RecordingEnd::Key(char::from(key.parse::<u8>().unwrap_or_default()))
            }
            _ => return Err(unexpected(VERB, &reply)),
        };
        // The WAV that Asterisk writes has 8000 samples a second.
        let length = Duration::from_micros(reply.endpos.unwrap_or_default().saturating_mul(125));
        Ok(Recording { path: path.to_owned(), length, end })
    }

    async fn say(&mut self, what: &Say, keys: &str) -> Step<Option<char>> {
        match what {
            // SAY DIGITS wants a number first; SAY ALPHA has the same sounds for keys.
            Say::Digits(digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => {
                self.interruptible("SAY DIGITS", &[digits, keys]).await
            }
            Say::Digits(text) | Say::Letters(text) => self.interruptible("SAY ALPHA", &[text, keys]).await,
            Say::Number(number) => {
                // A C int: more would be cut to another number without a word.
                let Ok(number) = i32::try_from(*number) else {
                    return Err(Ended::Failed(Fault(format!("SAY NUMBER {number}: beyond what Asterisk can say"))));
                };
                self.interruptible("SAY NUMBER", &[&number.to_string(), keys]).await
            }
            Say::DateTime(seconds, zone) => {
                self.interruptible("SAY DATETIME", &[&seconds.to_string(), keys, DATE_TIME, zone]).await
            }
        }
    }

    async fn set(&mut self, pairs: &[(&str, &str)]) -> Step<()> {
        let reply = self.connection.set(pairs).await.map_err(|error| ended("MSet", &error))?;
        match (reply.code, &*reply.result) {
            (200, "0") => Ok(()),
            _ => Err(unexpected("MSet", &reply)),
        }
    }

    async fn get(&mut self, names: &[&str]) -> Step<Vec<String>> {
        const VERB: &str = "GET FULL VARIABLE";
        let values = self.connection.get(names).await.map_err(|error| ended(VERB, &error))?;
        values.map_err(|reply| unexpected(VERB, &reply))
    }

    async fn hangup(&mut self, cause: u16) -> Step<()> {
        if !self.gone() {
            let cause = cause.to_string();
            let reply = self.connection.command("EXEC", &["Hangup", &cause], Wait::Briefly).await;
            match reply.map_err(|error| ended("EXEC Hangup", &error)) {
                Ok(reply) if reply.code != 200 && reply.code != 511 => return Err(unexpected("EXEC Hangup", &reply)),
                Ok(_) | Err(Ended::Hangup) => self.hung_up = true,
                Err(failed) => return Err(failed),
            }
        }
        Ok(())
    }
}

/// Asterisk closes the connection when the caller has hung up (`AGIEXITONHANGUP`) and when its guard went on
/// without us.
fn ended(verb: &str, error: &WireError) -> Ended {
    match error {
        WireError::Closed => Ended::Hangup,
        error => Ended::Failed(Fault(format!("{verb}: {error}"))),
    }
}

fn unexpected(verb: &str, reply: &Reply) -> Ended {
    let data = reply.data.as_deref().unwrap_or_default();
    Ended::Failed(Fault(format!("{verb}: Asterisk answered {} {} {data}", reply.code, reply.result)))
}

fn caller(prelude: &Prelude) -> Caller {
    let mut caller = Caller::default();
    for (key, value) in prelude.fields() {
        let field = match key {
            "agi_uniqueid" => &mut caller.uniqueid,
            "agi_channel" => &mut caller.channel,
            "agi_extension" => &mut caller.dialled,
            "agi_callerid" => &mut caller.number,
            "agi_calleridname" => &mut caller.name,
            "agi_language" => &mut caller.language,
            "agi_callingpres" => {
                caller.withheld |= is_withheld(value);
                continue;
            }
            _ => continue,
        };
        // Asterisk's word for none.
        if value != "unknown" {
            value.clone_into(field);
        }
    }
    caller
}

/// Whether a presentation (`AST_PRES_RESTRICTION` of `include/asterisk/callerid.h`) tells the called party nothing.
fn is_withheld(presentation: &str) -> bool {
    presentation.parse::<u8>().is_ok_and(|bits| bits & 0x60 == 0x20)
}
