//! A call as the flows see it: about ten verbs, whatever carries them.
//!
//! Flows are written once against [`Call`] and run over FastAGI, ARI and the simulator. What can be
//! said with these verbs belongs into `phrases.rs`, not here.

use std::future::Future;
use std::time::Duration;

/// What a step of a conversation yields. `?` on it unwinds the flow to its runner.
pub type Step<T> = Result<T, Ended>;

/// Why a conversation stopped before its last line.
#[derive(Debug)]
pub enum Ended {
    /// The caller hung up, or the channel is gone: an outcome, not an error.
    Hangup,
    /// The transport broke, or Asterisk refused what it should accept.
    Failed(Fault),
}

/// A failure of the transport or of Asterisk, said for an operator: what failed, and on what.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Ended::Failed(fault)
    }
}

/// Who is on the line, as the transport announced it. Every field is the caller's data: never code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// Asterisk's unique id of the channel; on every log line of the call.
    pub uniqueid: String,
    /// Channel name, `PJSIP/1001-00000012`.
    pub channel: String,
    /// The number that was dialled (the dialplan's extension).
    pub dialled: String,
    /// Caller ID number as presented; empty when unknown or withheld.
    pub number: String,
    /// Caller ID name as presented; empty when unknown.
    pub name: String,
    /// Whether the caller withholds the number.
    pub withheld: bool,
    /// Language of the channel, `en`.
    pub language: String,
}

/// A sound to play: a prompt of Asterisk's sounds folder, or a file, without extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt(pub String);

impl From<&str> for Prompt {
    fn from(name: &str) -> Self {
        Prompt(name.to_owned())
    }
}

/// Something that Asterisk itself turns into speech in the channel's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Digit by digit; `#` and `*` are spoken too.
    Digits(String),
    /// A cardinal number.
    Number(i64),
    /// Letter by letter.
    Letters(String),
    /// A time, seconds since 1970 UTC, in a time zone (an IANA name).
    DateTime(i64, String),
}

/// What the keypad gave: always text, since `0042` and `*12` are not numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digits {
    /// The keys pressed, without the ending `#`.
    pub keys: String,
    /// True when the wait ended for want of a further key.
    pub timed_out: bool,
}

/// How a wait ended that yields something worth keeping even after a hangup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingEnd {
    /// The caller pressed this key.
    Key(char),
    /// Silence, or the longest length.
    Limit,
    /// The caller hung up; what was said until then is kept.
    Hangup,
}

/// A finished recording on the node's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Path without extension, as Asterisk was told.
    pub path: String,
    /// Length of audio.
    pub length: Duration,
    /// What ended it.
    pub end: RecordingEnd,
}

/// Limits of one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingLimits {
    /// Longest length.
    pub longest: Duration,
    /// Silence that ends it; zero for none.
    pub silence: Duration,
    /// Keys that end it, such as `#`.
    pub keys: String,
    /// Whether a beep tells the caller to speak.
    pub beep: bool,
}

/// The verbs of a call. One command is in flight at a time, so each takes `&mut self`.
///
/// Every verb returns `Err(Ended::Hangup)` as soon as the caller is known to be gone, except
/// [`Call::set`] and [`Call::get`], which still work on a dead channel where its transport can (AGI's can, ARI's not), and
/// [`Call::record`], which hands back what was recorded.
pub trait Call: Send {
    /// Who is calling; known from the start, costs nothing.
    fn caller(&self) -> &Caller;

    /// Takes over for a conversation: lifts the dialplan's guard timeout and answers, without
    /// waiting for audio. Idempotent.
    fn answer(&mut self) -> impl Future<Output = Step<()>> + Send;

    /// Plays prompts in order until the end or until one of `keys` is pressed, which it returns.
    fn play(&mut self, prompts: &[Prompt], keys: &str) -> impl Future<Output = Step<Option<char>>> + Send;

    /// Plays one sound, in which `#` goes forward and `*` back by 3 s, and `0` pauses; one of `keys` ends it, and is returned.
    fn listen(&mut self, sound: &Prompt, keys: &str) -> impl Future<Output = Step<Option<char>>> + Send;

    /// Plays prompts, each of which a key interrupts, and collects up to `most` keys, `#` ending them;
    /// `wait` is how long each next key may take.
    fn collect(&mut self, prompts: &[Prompt], most: usize, wait: Duration)
    -> impl Future<Output = Step<Digits>> + Send;

    /// Records to `path` (without extension, WAV). A hangup ends it well: see [`Recording::end`].
    fn record(&mut self, path: &str, limits: &RecordingLimits) -> impl Future<Output = Step<Recording>> + Send;

    /// Speaks digits, numbers, letters or a date; one of `keys` interrupts, and is returned.
    fn say(&mut self, what: &Say, keys: &str) -> impl Future<Output = Step<Option<char>>> + Send;

    /// Sets channel variables or writable functions in one exchange. Values may hold anything but CR, LF and
    /// NUL, which are refused as [`Ended::Failed`] before anything is sent.
    fn set(&mut self, pairs: &[(&str, &str)]) -> impl Future<Output = Step<()>> + Send;

    /// Reads variables or functions (`CALLERID(num)`) in one exchange; unset ones are empty.
    fn get(&mut self, names: &[&str]) -> impl Future<Output = Step<Vec<String>>> + Send;

    /// Hangs up with a Q.850 cause.
    fn hangup(&mut self, cause: u16) -> impl Future<Output = Step<()>> + Send;
}
