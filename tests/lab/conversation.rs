//! A conversation over a real call: a phone hears prompts, presses keys and speaks, in RTP; what it hears is told by Asterisk's own transcript of
//! what the agent orders (`agi set debug on`, `ari set debug all on`), and by the sound that arrives. What is ordered by ARI is told in AGI's words.

mod ari;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use self::ari::Requests;
use crate::{Agent, Asterisk, Call, Outcome, RunningCall, Sipp, Voice};

/// For the next thing to be heard.
const PATIENCE: Duration = Duration::from_secs(30);
/// From a command to Asterisk listening for keys: what is pressed sooner may be lost.
const SETTLES: Duration = Duration::from_millis(60);

/// The transcript of an Asterisk.
#[derive(Debug, Clone)]
pub struct Transcript {
    path: PathBuf,
    agent: Option<PathBuf>,
}

impl Transcript {
    /// Begins it.
    #[must_use]
    pub fn begin(asterisk: &Asterisk) -> Transcript {
        asterisk.command("logger add channel agi.log verbose");
        asterisk.command("agi set debug on");
        asterisk.command("ari set debug all on");
        Transcript { path: asterisk.folder().join("log/agi.log"), agent: None }
    }

    /// With the log of an agent that serves calls by ARI, and tells of adapters at level debug.
    #[must_use]
    pub fn with(mut self, agent: &Agent) -> Transcript {
        self.agent = Some(agent.plan().folder().join("log"));
        self
    }

    /// Ends it: the next conversations are recorded as on a node.
    pub fn end(asterisk: &Asterisk) {
        asterisk.command("agi set debug off");
        asterisk.command("ari set debug all off");
    }

    fn open(&self) -> Log {
        Log::open(&self.path)
    }
}

/// A call under way.
#[derive(Debug)]
pub struct Conversation<'a> {
    call: Option<RunningCall<'a>>,
    voice: &'a Voice,
    line: String,
    /// The channel, once its first command was seen.
    channel: String,
    log: Log,
    agent: Option<Log>,
    heard: Vec<String>,
    ari: Requests,
    /// Commands before this one were asked for.
    at: usize,
}

impl<'a> Conversation<'a> {
    /// Calls `number` from the phone of `line`, and waits for the answer.
    #[must_use]
    pub fn begin(
        transcript: &Transcript,
        phone: &'a Sipp,
        voice: &'a Voice,
        line: &str,
        asterisk: SocketAddr,
        number: &str,
    ) -> Conversation<'a> {
        Conversation::of(transcript, phone.call(asterisk, number), voice, line)
    }

    /// Places a call from the phone of `line` (or the carrier of a gateway), and waits for the answer.
    #[must_use]
    pub fn of(transcript: &Transcript, call: Call<'a>, voice: &'a Voice, line: &str) -> Conversation<'a> {
        let log = transcript.open();
        let call = call.voice(voice).talks(Duration::from_secs(600)).start();
        call.wait_voice();
        Conversation {
            call: Some(call),
            voice,
            line: format!("<PJSIP/{line}-"),
            channel: String::new(),
            log,
            agent: transcript.agent.as_deref().map(Log::open),
            heard: Vec::new(),
            ari: Requests::of(&format!("PJSIP/{line}-")),
            at: 0,
        }
    }

    /// Waits until the agent orders something with `text` in it, after what was waited for last.
    ///
    /// # Panics
    /// When it does not.
    pub fn hears(&mut self, text: &str) -> &mut Self {
        let started = Instant::now();
        loop {
            self.read();
            if let Some(found) = self.heard.iter().skip(self.at).position(|command| command.contains(text)) {
                self.at += found + 1;
                thread::sleep(SETTLES);
                return self;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "waited in vain for {text:?} after {:?}; then came\n{}",
                self.heard.get(self.at.wrapping_sub(1)),
                self.heard.get(self.at..).unwrap_or_default().join("\n")
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        self.voice.press(keys);
        self
    }

    /// Says a tone, after the beep.
    pub fn says(&mut self, hertz: u32, time: Duration) -> &mut Self {
        self.voice.pause(Duration::from_millis(600));
        self.voice.tone(hertz, time);
        self
    }

    /// Waits until a tone was heard for so long, from now on.
    ///
    /// # Panics
    /// When it was not.
    pub fn hears_tone(&mut self, hertz: u32, time: Duration) -> &mut Self {
        let (started, before) = (Instant::now(), self.voice.heard_tone(hertz));
        while self.voice.heard_tone(hertz) - before < time {
            let heard = self.voice.heard_tone(hertz) - before;
            if started.elapsed() >= PATIENCE {
                let last = self.ordered().split_off(self.heard.len().saturating_sub(5)).join("\n");
                panic!("of {hertz} Hz {heard:?} was heard, not {time:?}; the last commands were\n{last}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        self
    }

    /// Lets the time pass.
    pub fn waits(&mut self, time: Duration) -> &mut Self {
        thread::sleep(time);
        self
    }

    /// What the agent ordered so far, `VERB "word" "word"`.
    pub fn ordered(&mut self) -> Vec<String> {
        self.read();
        self.heard.clone()
    }

    /// Hangs up.
    pub fn hangs_up(mut self) {
        self.call.take().expect("a call hangs up once").hang_up();
    }

    /// Waits until the other side hangs up.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn ends(mut self) -> Outcome {
        self.call.take().expect("a call ends once").finish()
    }

    fn read(&mut self) {
        for line in self.log.lines() {
            self.heard.extend(self.ari.read(&line));
            let Some((before, command)) = line.split_once(">AGI Rx << ") else { continue };
            let Some(channel) = before.find(&self.line).and_then(|at| before.get(at..)) else { continue };
            if self.channel.is_empty() {
                self.channel = channel.to_owned();
            }
            if self.channel == channel {
                self.heard.push(command.to_owned());
            }
        }
        if let Some(agent) = &mut self.agent {
            self.heard.extend(agent.lines().iter().filter_map(|line| self.ari.read_agent(line)));
        }
    }
}

/// A file that grows.
#[derive(Debug)]
struct Log {
    file: File,
    rest: String,
}

impl Log {
    /// From its end on.
    fn open(path: &Path) -> Log {
        let mut file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.seek(SeekFrom::End(0)).expect("a file has an end");
        Log { file, rest: String::new() }
    }

    /// What is new, in whole lines.
    fn lines(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes).expect("a log can be read");
        self.rest.push_str(&String::from_utf8_lossy(&bytes));
        let Some(end) = self.rest.rfind('\n') else { return Vec::new() };
        let rest = self.rest.split_off(end + 1);
        std::mem::replace(&mut self.rest, rest).lines().map(str::to_owned).collect()
    }
}
