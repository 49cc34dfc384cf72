//! Asterisk's end of a FastAGI session, played: what no real Asterisk does on demand is to hang up at the nth command, or to hold hundreds of
//! recordings at once on two cores.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What the caller does at a command.
#[derive(Debug, Clone)]
pub enum Does {
    /// Presses a key that interrupts what is played, or the only one that is collected.
    Key(char),
    /// Keys in digits, and `#`.
    Digits(&'static str),
    /// Speaks: this is what the recording holds; then presses `#`.
    Speaks(Vec<u8>),
    /// Speaks and hangs up.
    SpeaksAndHangsUp(Vec<u8>),
    /// Lets the command go by.
    Nothing,
    /// Hangs up.
    HangsUp,
    /// Says and does nothing more: a recording goes on until the agent is gone.
    GoesOn,
}

/// A call whose caller follows a script: each act belongs to the next command that holds its text.
#[derive(Debug, Clone)]
pub struct SimulatedCall {
    path: String,
    caller: String,
    dialled: String,
    script: VecDeque<(&'static str, Does)>,
    hang_up_at: Option<usize>,
    /// What is recorded where the script is cut off at a recording.
    voice: Vec<u8>,
    speaking: Duration,
    patience: Duration,
    /// Variables and functions that are set; others are empty.
    variables: Vec<(&'static str, &'static str)>,
}

/// What happened.
#[derive(Debug, Clone)]
pub struct Session {
    /// Every command, `STREAM FILE "vm-intro" "#*"`.
    pub commands: Vec<String>,
    /// Whether it was cut off by the caller.
    pub cut: bool,
}

impl Session {
    /// Whether a command held this text, and was not the one at which the caller hung up.
    #[must_use]
    pub fn heard(&self, text: &str) -> bool {
        let heard = self.commands.len() - usize::from(self.cut);
        self.commands.iter().take(heard).any(|command| command.contains(text))
    }
}

impl SimulatedCall {
    /// A call for `agi://host/<path>`, from `caller`.
    #[must_use]
    pub fn new(path: &str, caller: &str, script: Vec<(&'static str, Does)>) -> SimulatedCall {
        SimulatedCall {
            path: path.to_owned(),
            caller: caller.to_owned(),
            dialled: "1".to_owned(),
            script: script.into(),
            hang_up_at: None,
            voice: Vec::new(),
            speaking: Duration::ZERO,
            patience: Duration::from_secs(30),
            variables: Vec::new(),
        }
    }

    /// What was dialled; 1 unless told.
    #[must_use]
    pub fn dialled(mut self, number: &str) -> SimulatedCall {
        self.dialled = number.to_owned();
        self
    }

    /// The caller hangs up at the nth command, counted from 0; at a recording, `voice` was said until then.
    #[must_use]
    pub fn hangs_up_at(mut self, nth: usize, voice: Vec<u8>) -> SimulatedCall {
        self.hang_up_at = Some(nth);
        self.voice = voice;
        self
    }

    /// A variable or function of the channel has this value.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: &'static str) -> SimulatedCall {
        self.variables.push((name, value));
        self
    }

    /// Recordings take this long, whatever is in them.
    #[must_use]
    pub fn speaking_for(mut self, time: Duration) -> SimulatedCall {
        self.speaking = time;
        self
    }

    /// Holds it.
    ///
    /// # Panics
    /// When the agent cannot be reached, or says nothing for 30 s.
    pub fn run(mut self, agent: SocketAddr) -> Session {
        let stream = TcpStream::connect(agent).expect("the agent listens");
        stream.set_read_timeout(Some(self.patience)).expect("a socket waits");
        stream.set_nodelay(true).expect("a socket has no delay");
        let mut output = stream.try_clone().expect("a descriptor can be copied");
        let caller = &self.caller;
        let prelude = format!(
            "agi_network: yes\nagi_network_script: {}\nagi_request: agi://{agent}/{}\nagi_channel: PJSIP/{caller}-1\nagi_language: en\n\
             agi_uniqueid: 1.{caller}\nagi_version: 22.10.1\nagi_callerid: {caller}\nagi_calleridname: unknown\nagi_extension: {}\n\n",
            self.path, self.path, self.dialled
        );
        output.write_all(prelude.as_bytes()).expect("the agent reads");
        let mut session = Session { commands: Vec::new(), cut: false };
        for line in BufReader::new(stream).lines() {
            // An agent that was killed ends the session, too.
            let Ok(command) = line else { break };
            let nth = session.commands.len();
            if matches!(self.script.front(), Some((text, Does::GoesOn)) if command.contains(text)) {
                session.commands.push(command);
                continue;
            }
            let (answer, ends) = self.answer(&command, nth);
            session.cut = ends && !command.contains("\"Hangup\"");
            session.commands.push(command);
            if output.write_all(answer.as_bytes()).is_err() || ends {
                break;
            }
        }
        session
    }

    /// The first word of a command, with the values of what is in it.
    fn substituted(&self, command: &str) -> String {
        let mut pieces = command.split('"').nth(1).unwrap_or_default().split("${");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once('}').unwrap_or_default();
            let value = self.variables.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
            text.push_str(value);
            text.push_str(rest);
        }
        text
    }

    /// The reply, and whether it is the last.
    fn answer(&mut self, command: &str, nth: usize) -> (String, bool) {
        const GONE: &str = "200 result=-1\nHANGUP\n";
        let cut = self.hang_up_at == Some(nth);
        let act = match self.script.front() {
            Some((text, _)) if command.contains(text) => self.script.pop_front().map(|(_, act)| act),
            _ => None,
        };
        if command.starts_with("RECORD FILE") {
            let (audio, hangs_up) = match act {
                _ if cut => (self.voice.clone(), true),
                Some(Does::Speaks(audio)) => (audio, false),
                Some(Does::SpeaksAndHangsUp(audio)) => (audio, true),
                _ => (Vec::new(), true),
            };
            std::thread::sleep(self.speaking);
            let path = command.split('"').nth(1).unwrap_or_default();
            let samples = audio.len().saturating_sub(44) / 2;
            if !audio.is_empty() {
                fs::write(format!("{path}.wav"), audio).expect("recordings can be written");
            }
            return if hangs_up {
                (format!("200 result=-1 (hangup) endpos={samples}\nHANGUP\n"), true)
            } else {
                (format!("200 result=35 (dtmf) endpos={samples}\n"), false)
            };
        }
        if cut || matches!(act, Some(Does::HangsUp)) {
            return (GONE.to_owned(), true);
        }
        if command.starts_with("GET FULL VARIABLE") {
            return (format!("200 result=1 ({})\n", self.substituted(command)), false);
        }
        if command.starts_with("GET DATA") {
            return match act {
                Some(Does::Digits(digits)) => (format!("200 result={digits}\n"), false),
                Some(Does::Key('#')) => ("200 result=\n".to_owned(), false),
                Some(Does::Key(key)) => (format!("200 result={key}\n"), false),
                _ => ("200 result= (timeout)\n".to_owned(), false),
            };
        }
        match act {
            Some(Does::Key(key)) => (format!("200 result={} endpos=160\n", u32::from(key)), false),
            _ => ("200 result=0 endpos=0\n".to_owned(), command.contains("EXEC \"Hangup\"")),
        }
    }
}
