//! A call placed by SIPp, and what came of it.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::process::Signal;
use crate::{Message, Process, Sipp, Voice, wait_until};

/// A call to be placed.
#[derive(Debug)]
pub struct Call<'a> {
    from: &'a Sipp,
    proxy: SocketAddr,
    number: String,
    caller_number: String,
    caller_name: String,
    headers: String,
    talk: Duration,
    gives_up: bool,
    voice: Option<&'a Voice>,
    count: usize,
    rate: usize,
}

impl<'a> Call<'a> {
    pub(crate) fn new(from: &'a Sipp, proxy: SocketAddr, number: &str) -> Call<'a> {
        Call {
            from,
            proxy,
            number: number.into(),
            caller_number: "caller".into(),
            caller_name: "Caller".into(),
            headers: String::new(),
            talk: Duration::from_millis(100),
            gives_up: false,
            voice: None,
            count: 1,
            rate: 10,
        }
    }

    /// Number and name of From, as the phone claims them.
    #[must_use]
    pub fn claims(mut self, number: &str, name: &str) -> Self {
        self.caller_number = number.into();
        self.caller_name = name.into();
        self
    }

    /// A further header line, such as `X-Tandem-Line: 1001`.
    #[must_use]
    pub fn header(mut self, line: &str) -> Self {
        self.headers.push_str("\r\n");
        self.headers.push_str(line);
        self
    }

    /// How long it talks once it is answered; 0.1 s unless told.
    #[must_use]
    pub fn talks(mut self, time: Duration) -> Self {
        self.talk = time;
        self
    }

    /// The caller gives up this long after the first sign of ringing.
    #[must_use]
    pub fn gives_up_after(mut self, time: Duration) -> Self {
        self.talk = time;
        self.gives_up = true;
        self
    }

    /// With audio, once [`RunningCall::wait_voice`] has seen the answer.
    #[must_use]
    pub fn voice(mut self, voice: &'a Voice) -> Self {
        self.voice = Some(voice);
        self
    }

    /// So many calls, of which `rate` start each second.
    #[must_use]
    pub fn times(mut self, count: usize, rate: usize) -> Self {
        self.count = count;
        self.rate = rate;
        self
    }

    /// Places it and waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn run(self) -> Outcome {
        self.start().finish()
    }

    /// Places it.
    #[must_use]
    pub fn start(self) -> RunningCall<'a> {
        let port = self.from.port();
        let scenario = if self.gives_up { include_str!("sipp/canceller.xml") } else { include_str!("sipp/caller.xml") };
        let log = format!("call-{port}.log");
        let audio = self.voice.map_or("[media_port]".to_owned(), |voice| voice.port().to_string());
        let scenario = scenario.replace("[media_port]", &audio);
        let mut command = self.from.sipp(&scenario, port, self.talk, &log);
        let count = self.count.to_string();
        command
            .args(["-m", &count, "-l", &count, "-r", &self.rate.to_string(), "-s", &self.number])
            .args(["-key", "from_number", &self.caller_number, "-key", "from_name", &self.caller_name])
            .args(["-key", "headers", &self.headers])
            .arg(self.proxy.to_string());
        let process = Process::start("sipp", command, &self.from.folder().join(&format!("call-{port}.output")));
        let limit = Duration::from_secs(60 + (self.count / self.rate) as u64);
        RunningCall { process, from: self.from, proxy: self.proxy, voice: self.voice, log, limit }
    }
}

/// A call that was placed.
#[derive(Debug)]
pub struct RunningCall<'a> {
    process: Process,
    from: &'a Sipp,
    proxy: SocketAddr,
    voice: Option<&'a Voice>,
    log: String,
    limit: Duration,
}

impl RunningCall<'_> {
    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        wait_until("a call's end", self.limit, || !self.process.is_running());
        self.so_far()
    }

    /// Waits for the answer, and lets the call's voice speak from then on.
    ///
    /// # Panics
    /// When no answer with audio comes within 10 s.
    pub fn wait_voice(&self) {
        let answer = || {
            let messages = self.so_far().messages;
            messages.iter().filter(|message| message.received && message.status() == Some(200)).find_map(Message::audio)
        };
        wait_until("an answer with audio", Duration::from_secs(30), || answer().is_some());
        if let (Some(voice), Some(audio)) = (self.voice, answer()) {
            voice.connect(audio);
        }
    }

    /// Hangs an answered call up now, whatever its time to talk.
    ///
    /// # Panics
    /// When it was not answered.
    pub fn hang_up(self) {
        let messages = self.so_far().messages;
        let answer = messages.iter().find(|message| message.received && message.status() == Some(200));
        let header =
            |name| answer.and_then(|answer| answer.header(name)).unwrap_or_else(|| panic!("no {name}: not answered"));
        let socket = UdpSocket::bind((self.from.address().ip(), 0)).expect("a free port");
        let local = socket.local_addr().expect("a bound socket");
        let target = header("Contact").trim_start_matches('<').split('>').next().unwrap_or_default();
        let bye = format!(
            "BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK-bye-{}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\n\
             CSeq: 2 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            local.port(),
            header("From"),
            header("To"),
            header("Call-ID")
        );
        socket.send_to(bye.as_bytes(), self.proxy).expect("loopback takes packets");
    }

    /// Places no further calls, and waits for the end of those that were placed.
    ///
    /// # Panics
    /// When they do not end.
    #[must_use]
    pub fn stop(mut self) -> Outcome {
        // SIPp's own signal for it.
        assert!(self.process.end(Signal::USR1, Duration::from_secs(30)), "the calls did not end");
        self.so_far()
    }

    /// Whether it goes on.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// What came of it until now.
    #[must_use]
    pub fn so_far(&self) -> Outcome {
        Outcome { messages: Message::parse_log(&self.from.folder().read(&self.log)) }
    }
}

/// What came of a call, or of several.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// All messages, as the caller saw them.
    pub messages: Vec<Message>,
}

impl Outcome {
    /// Every response to an INVITE, without repetitions.
    fn responses(&self) -> Vec<&Message> {
        let mut seen = HashSet::new();
        let responses = self.messages.iter().filter(|m| m.received && m.header("CSeq") == Some("1 INVITE"));
        responses.filter(|message| seen.insert((message.status(), message.header("Call-ID")))).collect()
    }

    /// Status codes of the responses, in order: `[100, 180, 200]`.
    #[must_use]
    pub fn statuses(&self) -> Vec<u16> {
        self.responses().iter().filter_map(|message| message.status()).collect()
    }

    /// The final status of a single call; 0 when there was none.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.finals().first().copied().unwrap_or(0)
    }

    /// The final status of each call.
    #[must_use]
    pub fn finals(&self) -> Vec<u16> {
        self.statuses().into_iter().filter(|status| *status >= 200).collect()
    }

    /// When the first INVITE was sent.
    ///
    /// # Panics
    /// When none was.
    #[must_use]
    pub fn started(&self) -> Duration {
        self.messages.first().expect("a call begins with an INVITE").at
    }

    /// Time from the INVITE to the final response of a single call.
    ///
    /// # Panics
    /// When there was none.
    #[must_use]
    pub fn final_after(&self) -> Duration {
        let last = self.responses().into_iter().find(|message| message.status() >= Some(200));
        last.expect("a final response").at.saturating_sub(self.started())
    }
}
