//! [`Call`] over ARI: one channel in `Stasis()`, by requests and by the events of its queue.
//!
//! What AGI does in one command is done here in steps: keys come as events at any time, so a prompt is stopped when one comes that ends it, and
//! those that nobody waits for yet are kept in their order. What ARI cannot say, a date in the channel's language, the dialplan says
//! (`tandem-say`), and hands the channel back.

mod date;
mod leash;
mod recorded;
mod spelled;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use self::leash::Leash;
use self::spelled::spelled;
use crate::call::{Call, Caller, Digits, Ended, Fault, Prompt, Recording, RecordingLimits, Say, Step};
use crate::wire::ari::model::Channel;
use crate::wire::ari::{Ari, AriError, Control, Take};
use crate::wire::ari_events::Event;
use crate::wire::ari_events::queues::Queue;

/// Every key of a phone.
const KEYS: &str = "0123456789*#ABCD";
/// Milliseconds by which a listener goes forward and back.
const SKIP_MS: u32 = 3000;
/// For Asterisk to close a recording after the caller has hung up.
const CLOSING: Duration = Duration::from_secs(3);
/// For a date to be said.
const SAYING: Duration = Duration::from_secs(60);
/// The variable that tells the next agent what is being recorded.
const RECORDING: &str = "TANDEM_RECORDING";
/// The bytes before the samples of a WAV that Asterisk writes (`formats/format_wav.c`), and bytes of a second.
const WAV_HEADER: u64 = 44;
const WAV_SECOND: u64 = 16_000;

/// What precedes the path of a channel that comes back from having a date said.
pub const BACK: &str = "back/";

/// How calls are held.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Asterisk's recording folder (`<astspooldir>/recording`), in which alone ARI records.
    pub recordings: PathBuf,
    /// After which time without an agent a conversation goes on in the dialplan.
    pub leash: Duration,
}

/// One call that the dialplan handed over by `Stasis(tandem,<flow>[/<argument>...],<presentation of the caller's number>)`.
#[derive(Debug)]
pub struct AriCall {
    ari: Ari,
    queue: Queue,
    manner: Manner,
    path: String,
    caller: Caller,
    /// Keys that nobody has asked for yet.
    keys: VecDeque<char>,
    up: bool,
    leash: Option<Leash>,
    gone: bool,
}

impl AriCall {
    /// A call on `channel`, whose events come by `queue`; `told` is what the app was given.
    #[must_use]
    pub fn new(ari: Ari, queue: Queue, channel: &Channel, told: &str, manner: Manner) -> AriCall {
        let (path, presentation) = told.split_once(',').unwrap_or((told, ""));
        AriCall {
            ari,
            queue,
            manner,
            path: path.to_owned(),
            caller: caller(channel, presentation),
            keys: VecDeque::new(),
            up: channel.state == "Up",
            leash: None,
            gone: false,
        }
    }

    /// The flow asked for.
    #[must_use]
    pub fn flow(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// What the dialplan gave with it.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        self.path.split('/').skip(1).map(str::to_owned).collect()
    }

    /// Ends what was played and recorded on this channel when another agent died, or when it was `before`. The recording is kept.
    pub async fn take_over(&mut self, before: &str) {
        let id = self.queue.channel().to_owned();
        // There may be none.
        let _ = self.ari.stop_playback(&playback(before)).await;
        if let Ok(names) = self.ari.get(&id, &[RECORDING]).await
            && let Some(name) = names.first().filter(|name| !name.is_empty())
        {
            let _ = self.ari.stop_recording(name).await;
        }
    }

    /// Lets the dialplan go on, unless the caller has hung up.
    pub async fn finish(mut self) {
        if let Some(leash) = self.leash.take() {
            leash.release().await;
        }
        if self.take_note().is_err() {
            return;
        }
        let AriCall { ari, queue, .. } = self;
        let id = queue.channel().to_owned();
        // The dialplan may hand the channel to the next flow before it is told to us that it went on.
        drop(queue);
        match ari.go_on(&id).await {
            Ok(()) | Err(AriError::Gone(_)) => {}
            Err(error) => tracing::warn!(
                %error,
                "the dialplan could not be told to go on; it does by itself when its guard's time is up"
            ),
        }
    }

    /// Notes what has come meanwhile.
    fn take_note(&mut self) -> Step<()> {
        while let Ok(event) = self.queue.waiting() {
            self.note(&event);
        }
        if self.gone { Err(Ended::Hangup) } else { Ok(()) }
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::ChannelDtmfReceived { digit, .. } => self.keys.extend(digit.chars()),
            Event::ChannelHangupRequest { .. }
            | Event::ChannelDestroyed { .. }
            | Event::StasisEnd { .. }
            | Event::Lost => self.gone = true,
            _ => {}
        }
    }

    /// The next event, noted.
    async fn event(&mut self) -> Step<Event> {
        let Some(event) = self.queue.next().await else {
            return Err(Ended::Failed(Fault(
                "more events came than a conversation has; the dialplan goes on".to_owned(),
            )));
        };
        self.note(&event);
        Ok(event)
    }

    /// What a request came to.
    fn asked<T>(&mut self, asked: Result<T, AriError>) -> Step<T> {
        asked.map_err(|error| match error {
            AriError::Gone(_) => {
                self.gone = true;
                Ended::Hangup
            }
            error => Ended::Failed(Fault(error.to_string())),
        })
    }

    /// Plays until the end or until one of `keys`; with `steering`, `#`, `*` and `0` steer.
    async fn media(&mut self, media: &[String], keys: &str, steering: bool) -> Step<Option<char>> {
        self.take_note()?;
        let mut paused = false;
        if let Some(key) = self.key(keys) {
            return Ok(Some(key));
        }
        if media.is_empty() {
            return Ok(None);
        }
        let id = playback(self.queue.channel());
        let asked = self.ari.play(self.queue.channel(), &id, media, steering.then_some(SKIP_MS)).await;
        self.asked(asked)?;
        let mut ended_by = None;
        loop {
            match self.event().await? {
                Event::PlaybackFinished { playback } if playback.id == id => {
                    if playback.state == "failed" && ended_by.is_none() {
                        return Err(self.failed(&playback.media_uri).await);
                    }
                    return Ok(ended_by);
                }
                Event::Resumed => match self.ari.playback(&id).await {
                    // Its end was not heard.
                    Err(AriError::Gone(_)) => return Ok(ended_by),
                    playing => drop(self.asked(playing)?),
                },
                Event::ChannelDtmfReceived { .. } if ended_by.is_none() => {
                    while let Some(key) = self.keys.pop_front() {
                        let told = match key {
                            key if keys.contains(key) => {
                                ended_by = Some(key);
                                self.ari.stop_playback(&id).await
                            }
                            '#' if steering => self.ari.control(&id, Control::Forward).await,
                            '*' if steering => self.ari.control(&id, Control::Reverse).await,
                            '0' if steering => {
                                paused = !paused;
                                let control = if paused { Control::Pause } else { Control::Unpause };
                                self.ari.control(&id, control).await
                            }
                            _ => continue,
                        };
                        // It may just have ended by itself; and a number cannot be stopped, which is over soon.
                        if !matches!(told, Err(AriError::Gone(_) | AriError::Refused { .. })) {
                            self.asked(told)?;
                        }
                        if ended_by.is_some() {
                            break;
                        }
                    }
                }
                _ if self.gone => return Err(Ended::Hangup),
                _ => {}
            }
        }
    }

    /// What a playback that failed means: Asterisk says so of a missing sound and of a caller who hung up alike.
    async fn failed(&mut self, media: &str) -> Ended {
        let there = self.ari.channel(self.queue.channel()).await;
        match self.asked(there).and_then(|_| self.take_note()) {
            Err(ended) => ended,
            Ok(()) => Ended::Failed(Fault(format!(
                "{media}: failed on a live channel; look whether the sound or file exists on this node"
            ))),
        }
    }

    /// The first key waiting that is one of `keys`; those before it go unheard, as do keys during a prompt that none ends.
    fn key(&mut self, keys: &str) -> Option<char> {
        while let Some(key) = self.keys.pop_front() {
            if keys.contains(key) {
                return Some(key);
            }
        }
        None
    }
}

impl Call for AriCall {
    fn caller(&self) -> &Caller {
        &self.caller
    }

    async fn answer(&mut self) -> Step<()> {
        self.take_note()?;
        if self.leash.is_some() {
            return Ok(());
        }
        let held = Leash::hold(self.ari.clone(), self.queue.channel(), self.manner.leash).await;
        self.leash = Some(self.asked(held)?);
        if !self.up {
            let answered = self.ari.answer(self.queue.channel()).await;
            self.asked(answered)?;
            self.up = true;
        }
        Ok(())
    }

    async fn play(&mut self, prompts: &[Prompt], keys: &str) -> Step<Option<char>> {
        let media: Vec<String> = prompts.iter().map(sound).collect();
        self.media(&media, keys, false).await
    }

    async fn listen(&mut self, prompt: &Prompt, keys: &str) -> Step<Option<char>> {
        self.media(&[sound(prompt)], keys, true).await
    }

    async fn collect(&mut self, prompts: &[Prompt], most: usize, wait: Duration) -> Step<Digits> {
        tracing::debug!(uniqueid = self.caller.uniqueid, most, "waits for keys");
        let mut digits = Digits::default();
        let mut next = self.play(prompts, KEYS).await?;
        let most = most.clamp(1, 1000);
        loop {
            match next.take() {
                Some('#') => return Ok(digits),
                Some(key) => digits.keys.push(key),
                None => {}
            }
            if digits.keys.len() >= most {
                return Ok(digits);
            }
            let deadline = Instant::now() + wait.max(Duration::from_millis(1));
            while self.keys.is_empty() {
                match timeout_at(deadline, self.event()).await {
                    Err(_) => {
                        digits.timed_out = true;
                        return Ok(digits);
                    }
                    Ok(event) => drop(event?),
                }
                if self.gone {
                    return Err(Ended::Hangup);
                }
            }
            next = self.keys.pop_front();
        }
    }

    async fn record(&mut self, path: &str, limits: &RecordingLimits) -> Step<Recording> {
        self.take_note()?;
        let name = self.recording_name(path)?;
        if limits.beep {
            self.media(&["sound:beep".to_owned()], "", false).await?;
        }
        self.keys.clear();
        let id = self.queue.channel().to_owned();
        let noted = self.ari.set(&id, &[(RECORDING, &name)]).await;
        self.asked(noted)?;
        let take = Take {
            name: name.clone(),
            format: "wav",
            // Asterisk counts whole seconds: it ends the recording if we do not.
            max_duration_seconds: limits.longest.as_secs().saturating_add(2),
            max_silence_seconds: u64::try_from(limits.silence.as_millis().div_ceil(1000)).unwrap_or_default(),
            if_exists: "overwrite",
        };
        let begun = self.ari.record(&id, &take).await;
        self.asked(begun)?;
        let end = self.recorded(&name, &limits.keys, Instant::now() + limits.longest).await?;
        let bytes = tokio::fs::metadata(format!("{path}.wav")).await.map_or(0, |file| file.len());
        let length = Duration::from_millis(bytes.saturating_sub(WAV_HEADER) * 1000 / WAV_SECOND);
        Ok(Recording { path: path.to_owned(), length, end })
    }

    async fn say(&mut self, what: &Say, keys: &str) -> Step<Option<char>> {
        match what {
            Say::Digits(text) | Say::Letters(text) => self.media(&spelled(text), keys, false).await,
            Say::Number(number) => {
                // A C int: more would be cut to another number without a word.
                let Ok(number) = i32::try_from(*number) else {
                    return Err(Ended::Failed(Fault(format!("number:{number}: beyond what Asterisk can say"))));
                };
                self.media(&[format!("number:{number}")], keys, false).await
            }
            Say::DateTime(seconds, zone) => self.date(*seconds, zone, keys).await,
        }
    }

    async fn set(&mut self, pairs: &[(&str, &str)]) -> Step<()> {
        let asked = self.ari.set(self.queue.channel(), pairs).await;
        self.asked(asked)
    }

    async fn get(&mut self, names: &[&str]) -> Step<Vec<String>> {
        let asked = self.ari.get(self.queue.channel(), names).await;
        self.asked(asked)
    }

    async fn hangup(&mut self, cause: u16) -> Step<()> {
        if self.take_note().is_ok() {
            self.leash = None;
            match self.ari.hang_up(self.queue.channel(), cause).await {
                Ok(()) | Err(AriError::Gone(_)) => self.gone = true,
                failed => self.asked(failed)?,
            }
        }
        Ok(())
    }
}

fn sound(Prompt(name): &Prompt) -> String {
    format!("sound:{name}")
}

/// One for each channel, since the end of each is waited for before the next: so the next agent knows it.
fn playback(channel: &str) -> String {
    format!("tandem-{channel}")
}

fn caller(channel: &Channel, presentation: &str) -> Caller {
    Caller {
        uniqueid: channel.id.clone(),
        channel: channel.name.clone(),
        dialled: channel.dialplan.exten.clone(),
        number: channel.caller.number.clone(),
        name: channel.caller.name.clone(),
        withheld: presentation.starts_with("prohib"),
        language: channel.language.clone(),
    }
}
