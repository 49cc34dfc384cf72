//! Phones and carriers, played by SIPp.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::process::server;
use crate::{Address, Call, Folder, Message, Process, Voice, wait_until};

/// What a phone or carrier does with the calls it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Answers at once.
    Answers,
    /// Rings for a time, then answers.
    AnswersAfter(Duration),
    /// Refuses with a SIP status.
    Refuses(u16),
    /// Answers at once, and sends back what it hears.
    Echoes,
    /// Answers at once, and presses a key again and again.
    Presses(char),
    /// Has room for one call, and refuses another with 503.
    OnePlace,
    /// Rings until the caller gives up.
    Rings,
    /// Takes the INVITE and never says a word.
    Silent,
    /// Nothing listens.
    Dead,
}

/// A phone or a carrier: takes calls on port 5060 of its own address, and places calls from there.
#[derive(Debug)]
pub struct Sipp {
    process: Option<Process>,
    address: Address,
    folder: Folder,
    /// Each run of SIPp writes a log of its own.
    run: u32,
    next_port: AtomicU16,
}

impl Sipp {
    /// Starts it.
    ///
    /// # Panics
    /// When SIPp does not come up.
    #[must_use]
    pub fn start(manner: Manner) -> Sipp {
        let mut sipp = Sipp {
            process: None,
            address: Address::claim(),
            folder: Folder::new("sipp"),
            run: 0,
            next_port: AtomicU16::new(5061),
        };
        sipp.change(manner);
        sipp
    }

    /// Behaves otherwise from now on. What it received so far is kept.
    ///
    /// # Panics
    /// When SIPp does not come up.
    pub fn change(&mut self, manner: Manner) {
        self.process = None;
        self.run += 1;
        let (scenario, pause) = match manner {
            Manner::Answers | Manner::Echoes => (include_str!("sipp/answer.xml").to_owned(), Duration::ZERO),
            Manner::AnswersAfter(pause) => (include_str!("sipp/answer.xml").to_owned(), pause),
            // SIPp wants to read the code when it loads the scenario: it cannot be a keyword.
            Manner::Refuses(status) => {
                (include_str!("sipp/refuse.xml").replace("STATUS", &status.to_string()), Duration::ZERO)
            }
            Manner::Presses(key) => (press(key), Duration::ZERO),
            Manner::OnePlace => (include_str!("sipp/one-place.xml").to_owned(), Duration::ZERO),
            Manner::Rings => (include_str!("sipp/ring.xml").to_owned(), Duration::ZERO),
            Manner::Silent => (include_str!("sipp/silent.xml").to_owned(), Duration::ZERO),
            Manner::Dead => return,
        };
        let mut command = self.sipp(&scenario, 5060, pause, &format!("messages-{}.log", self.run));
        command.arg("-aa");
        if manner == Manner::Echoes {
            command.arg("-rtp_echo");
        }
        let mut process = Process::start("sipp", command, &self.folder.join("output"));
        let address = self.address();
        process.wait_ready(Duration::from_secs(10), || std::net::UdpSocket::bind(address).is_err());
        self.process = Some(process);
    }

    /// Where it takes calls.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(5060)
    }

    /// What it sent and received for the calls that it got.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let logs = (1..=self.run).map(|run| self.folder.read(&format!("messages-{run}.log")));
        logs.flat_map(|log| Message::parse_log(&log)).collect()
    }

    /// The calls that it got, each once, in order.
    #[must_use]
    pub fn invites(&self) -> Vec<Message> {
        let messages = self.messages().into_iter();
        let invites = messages.filter(|message| message.received && message.first_line.starts_with("INVITE "));
        let mut seen = HashSet::new();
        invites.filter(|invite| seen.insert(invite.header("Call-ID").map(str::to_owned))).collect()
    }

    /// Waits for its `count`th call, and returns it.
    ///
    /// # Panics
    /// When it does not come within `limit`.
    #[must_use]
    pub fn wait_invite(&self, count: usize, limit: Duration) -> Message {
        wait_until(&format!("call {count} at {}", self.address()), limit, || self.invites().len() >= count);
        self.invites().swap_remove(count - 1)
    }

    /// A call from here by way of `proxy` to `number`; see [`Call`].
    #[must_use]
    pub fn call(&self, proxy: SocketAddr, number: &str) -> Call<'_> {
        Call::new(self, proxy, number)
    }

    /// Audio for one call from here; see [`Call::voice`].
    #[must_use]
    pub fn voice(&self) -> Voice {
        Voice::new(self.address.ip())
    }

    /// A port of this address for one more SIPp.
    pub(crate) fn port(&self) -> u16 {
        self.next_port.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// SIPp playing `scenario` at `port`.
    pub(crate) fn sipp(&self, scenario: &str, port: u16, pause: Duration, log: &str) -> Command {
        let file = self.folder.write(&format!("scenario-{port}.xml"), scenario);
        let mut command = server("sipp");
        command
            .arg("-sf")
            .arg(file)
            .args(["-i", &self.address.to_string(), "-p", &port.to_string(), "-nostdin", "-trace_msg"])
            .args(["-d", &pause.as_millis().to_string(), "-message_file"])
            .arg(self.folder.join(log))
            .env("TERM", "dumb")
            .current_dir(self.folder.path());
        command
    }
}

fn press(key: char) -> String {
    let once = include_str!("sipp/press-once.xml").replace("KEY", &key.to_string());
    let presses: String = (1..=50).map(|number: u32| once.replace("NUMBER", &number.to_string())).collect();
    include_str!("sipp/press.xml").replace("KEY", &key.to_string()).replace("PRESSES\n", &presses)
}
