//! A call without a telephone: for `tandem simulate`, and scripted for tests.
//!
//! What the flow does is told to a [`Phone`], which presses keys or hangs up. Recordings are a tone of three seconds, or as long as allowed.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::time::Duration;

use crate::call::{Call, Caller, Digits, Ended, Fault, Prompt, Recording, RecordingEnd, RecordingLimits, Say, Step};

/// How long somebody speaks into a recording.
const SPEECH: Duration = Duration::from_secs(3);

/// What a caller does when the flow waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// Presses these keys.
    Keys(String),
    /// Lets the time pass.
    Nothing,
    /// Hangs up.
    HangUp,
}

/// The caller's end: hears what happens, and acts when asked.
pub trait Phone: Send {
    /// One thing that the caller notices, in a line.
    fn hears(&mut self, line: String);
    /// What the caller does; `asked` says what the flow waits for.
    fn acts(&mut self, asked: &str) -> impl Future<Output = Press> + Send;
}

/// A caller who follows a script and hangs up at its end.
#[derive(Debug, Default)]
pub struct Script {
    /// What is done at each wait, in order.
    pub presses: VecDeque<Press>,
    /// What was heard.
    pub heard: Vec<String>,
}

impl Script {
    /// A script of these acts.
    #[must_use]
    pub fn new(presses: impl IntoIterator<Item = Press>) -> Script {
        Script { presses: presses.into_iter().collect(), heard: Vec::new() }
    }
}

impl Phone for Script {
    fn hears(&mut self, line: String) {
        self.heard.push(line);
    }

    async fn acts(&mut self, _asked: &str) -> Press {
        self.presses.pop_front().unwrap_or(Press::HangUp)
    }
}

/// A simulated call.
#[derive(Debug)]
pub struct Simulator<P> {
    /// The caller's end.
    pub phone: P,
    /// The channel's variables.
    pub variables: BTreeMap<String, String>,
    caller: Caller,
    up: bool,
    answered: bool,
}

impl<P: Phone> Simulator<P> {
    /// A call from `caller`, heard by `phone`.
    #[must_use]
    pub fn new(caller: Caller, phone: P) -> Simulator<P> {
        Simulator { phone, variables: BTreeMap::new(), caller, up: true, answered: false }
    }

    fn alive(&self) -> Step<()> {
        if self.up { Ok(()) } else { Err(Ended::Hangup) }
    }

    /// Waits for the caller once; `None` when nothing was pressed.
    async fn wait(&mut self, asked: &str) -> Step<Option<String>> {
        match self.phone.acts(asked).await {
            Press::Keys(keys) if keys.is_empty() => Ok(None),
            Press::Keys(keys) => Ok(Some(keys)),
            Press::Nothing => Ok(None),
            Press::HangUp => {
                self.up = false;
                self.phone.hears("(you hang up)".into());
                Err(Ended::Hangup)
            }
        }
    }

    /// Lets one of `keys` interrupt, as while something is played.
    async fn interruption(&mut self, keys: &str) -> Step<Option<char>> {
        if keys.is_empty() {
            return Ok(None);
        }
        let pressed = self.wait(&format!("a key of {keys} interrupts")).await?;
        Ok(pressed.and_then(|pressed| pressed.chars().find(|key| keys.contains(*key))))
    }
}

impl<P: Phone> Call for Simulator<P> {
    fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn answer(&mut self) -> Step<()> {
        self.alive()?;
        if !self.answered {
            self.answered = true;
            self.phone.hears("(answered)".into());
        }
        Ok(())
    }

    async fn play(&mut self, prompts: &[Prompt], keys: &str) -> Step<Option<char>> {
        for Prompt(name) in prompts {
            self.alive()?;
            self.phone.hears(format!("plays {name}"));
            if let Some(key) = self.interruption(keys).await? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    async fn listen(&mut self, sound: &Prompt, keys: &str) -> Step<Option<char>> {
        self.alive()?;
        self.phone.hears(format!("lets you listen to {}", sound.0));
        let pressed = self.wait(&format!("# * 0 go forward, back, pause; a key of {keys} ends it")).await?;
        Ok(pressed.and_then(|pressed| pressed.chars().find(|key| keys.contains(*key))))
    }

    async fn collect(&mut self, prompts: &[Prompt], most: usize, wait: Duration) -> Step<Digits> {
        for Prompt(name) in prompts {
            self.alive()?;
            self.phone.hears(format!("plays {name}"));
        }
        self.alive()?;
        let asked = format!("up to {most} keys, # ends, {} s each", wait.as_secs());
        let Some(keys) = self.wait(&asked).await? else { return Ok(Digits { keys: String::new(), timed_out: true }) };
        let ended = keys.find('#');
        let keys: String = keys[..ended.unwrap_or(keys.len())].chars().take(most).collect();
        let timed_out = ended.is_none() && keys.chars().count() < most;
        Ok(Digits { keys, timed_out })
    }

    async fn record(&mut self, path: &str, limits: &RecordingLimits) -> Step<Recording> {
        self.alive()?;
        let length = limits.longest.min(SPEECH);
        // Who looks for it finds it missing.
        let _ = speak(path, length);
        self.phone.hears(format!("records to {path}, {} s at the most", limits.longest.as_secs()));
        let end = match self.wait(&format!("a key of {} ends the recording", limits.keys)).await {
            Ok(Some(keys)) => keys.chars().find(|key| limits.keys.contains(*key)),
            Ok(None) => None,
            Err(Ended::Hangup) => {
                return Ok(Recording { path: path.to_owned(), length, end: RecordingEnd::Hangup });
            }
            Err(failed) => return Err(failed),
        };
        let end = end.map_or(RecordingEnd::Limit, RecordingEnd::Key);
        Ok(Recording { path: path.to_owned(), length, end })
    }

    async fn say(&mut self, what: &Say, keys: &str) -> Step<Option<char>> {
        self.alive()?;
        self.phone.hears(match what {
            Say::Digits(digits) => format!("says the digits {digits}"),
            Say::Number(number) => format!("says the number {number}"),
            Say::Letters(letters) => format!("spells {letters}"),
            Say::DateTime(seconds, zone) => format!("says the time {seconds} in {zone}"),
        });
        self.interruption(keys).await
    }

    async fn set(&mut self, pairs: &[(&str, &str)]) -> Step<()> {
        for (name, value) in pairs {
            if value.contains(['\r', '\n', '\0']) {
                return Err(Fault(format!("{name}: the value holds a line end or NUL, which AGI cannot carry")).into());
            }
            self.phone.hears(format!("sets {name}={value}"));
            self.variables.insert((*name).to_owned(), (*value).to_owned());
        }
        Ok(())
    }

    async fn get(&mut self, names: &[&str]) -> Step<Vec<String>> {
        Ok(names.iter().map(|name| self.variables.get(*name).cloned().unwrap_or_default()).collect())
    }

    async fn hangup(&mut self, cause: u16) -> Step<()> {
        self.up = false;
        self.phone.hears(format!("(hangs up, cause {cause})"));
        Ok(())
    }
}

/// Writes a recording of 440 Hz, as Asterisk would: WAV, 16 bits, 8000 samples a second.
fn speak(path: &str, length: Duration) -> Result<(), hound::Error> {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(format!("{path}.wav"), spec)?;
    for at in 0..u32::try_from(length.as_millis() * 8).unwrap_or_default() {
        let angle = std::f64::consts::TAU * 440.0 * f64::from(at) / 8000.0;
        #[allow(clippy::cast_possible_truncation, reason = "within the bounds of i16")]
        writer.write_sample((8000.0 * angle.sin()) as i16)?;
    }
    writer.finalize()
}
