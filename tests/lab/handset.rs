//! A phone that a test steers itself: it calls and is called, holds several calls, and transfers (REFER, RFC 3515; Replaces, RFC 3891).

use std::collections::{HashSet, VecDeque};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::{Address, Voice};

/// A phone on port 5060 of its own address. It answers requests other than calls while it waits for something of its own.
#[derive(Debug)]
pub struct Handset {
    socket: UdpSocket,
    address: Address,
    proxy: Option<SocketAddr>,
    voice: Voice,
    /// Further header lines of its calls.
    headers: String,
    count: u32,
    /// Calls that came and were not answered yet.
    ringing: VecDeque<String>,
    /// Call-IDs of calls that the other side ended, or gave up.
    over: HashSet<String>,
    /// INVITEs within calls.
    renegotiated: usize,
    /// What came, as `180 INVITE` or `BYE`.
    heard: Vec<String>,
}

/// A call that was answered.
#[derive(Debug, Clone)]
pub struct Dialog {
    call_id: String,
    /// Header values as this side sends them.
    from: String,
    to: String,
    target: String,
    sequence: u32,
}

/// A call that rings here.
#[derive(Debug)]
pub struct Incoming {
    invite: String,
}

/// What came of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transferred {
    /// The REFER was refused with this status.
    Refused(u16),
    /// It was accepted, and this was told of it in the end.
    Told(u16),
}

const PATIENCE: Duration = Duration::from_secs(30);

impl Handset {
    /// A phone that is not used yet.
    ///
    /// # Panics
    /// When its port is taken.
    #[must_use]
    pub fn new() -> Handset {
        let address = Address::claim();
        let socket = UdpSocket::bind(address.port(5060)).expect("a fresh address is free");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket has timeouts");
        let voice = Voice::new(address.ip());
        let (ringing, over) = (VecDeque::new(), HashSet::new());
        Handset {
            socket,
            address,
            proxy: None,
            voice,
            headers: String::new(),
            count: 0,
            ringing,
            over,
            renegotiated: 0,
            heard: Vec::new(),
        }
    }

    /// What it was sent since this was asked last, as `180 INVITE` or `BYE`; what was sent again counts once.
    pub fn take_heard(&mut self) -> Vec<String> {
        let mut heard = std::mem::take(&mut self.heard);
        heard.dedup();
        heard
    }

    /// Where it takes requests.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(5060)
    }

    /// Its keypad, microphone and ear, for the call that was answered last.
    #[must_use]
    pub fn voice(&self) -> &Voice {
        &self.voice
    }

    /// How often the other side asked to go on otherwise, within a call that goes on.
    #[must_use]
    pub fn renegotiated(&self) -> usize {
        self.renegotiated
    }

    /// Its calls carry this header line, `X-Tandem-Line: 1001`, as an edge's do.
    pub fn says(&mut self, header: &str) {
        self.headers = format!("{header}\r\n");
    }

    /// Calls a number, and waits for the answer.
    ///
    /// # Panics
    /// When it is not answered.
    pub fn call(&mut self, proxy: SocketAddr, number: &str) -> Dialog {
        let (dialog, status) = self.try_call(proxy, number);
        dialog.unwrap_or_else(|| panic!("{number} was refused with {status}"))
    }

    /// Calls a number, and waits for the final answer: the call, if it was taken, and the status.
    ///
    /// # Panics
    /// When there is none.
    pub fn try_call(&mut self, proxy: SocketAddr, number: &str) -> (Option<Dialog>, u16) {
        let dialog = self.start_call(proxy, number);
        self.finish_call(dialog)
    }

    /// Waits for the final answer to a call that was begun.
    ///
    /// # Panics
    /// When there is none.
    pub fn finish_call(&mut self, mut dialog: Dialog) -> (Option<Dialog>, u16) {
        let call_id = dialog.call_id.clone();
        let answer = self.wait(|message| {
            message.starts_with("SIP/2.0 ")
                && status(message) >= 200
                && cseq(message).ends_with("INVITE")
                && header(message, "Call-ID") == call_id
        });
        dialog.to = header(&answer, "To").to_owned();
        let status = status(&answer);
        if status != 200 {
            self.send(&dialog, "ACK", dialog.sequence, "", "");
            return (None, status);
        }
        dialog.target = contact(&answer);
        self.hear(&answer);
        self.send(&dialog, "ACK", dialog.sequence, "", "");
        (Some(dialog), status)
    }

    /// Begins a call, whatever comes of it.
    pub fn start_call(&mut self, proxy: SocketAddr, number: &str) -> Dialog {
        self.proxy = Some(proxy);
        self.count += 1;
        let (local, n) = (self.address(), self.count);
        let mut dialog = Dialog {
            call_id: format!("h{n}-{}@{local}", std::process::id()),
            from: format!("<sip:handset@{local}>;tag=h{n}"),
            to: format!("<sip:{number}@{proxy}>"),
            target: format!("sip:{number}@{proxy}"),
            sequence: 0,
        };
        let headers = format!("{}Content-Type: application/sdp\r\n", self.headers);
        self.request(&mut dialog, "INVITE", &headers, &self.sdp());
        dialog
    }

    /// Waits until it rings.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_call(&mut self) -> Incoming {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(invite) = self.ringing.pop_front() {
                let incoming = Incoming { invite };
                self.respond(&incoming.invite, "180 Ringing", "");
                return incoming;
            }
            let _ = self.read();
        }
        panic!("{} never rang", self.address());
    }

    /// Whether it rings within this time.
    pub fn rings_within(&mut self, time: Duration) -> bool {
        let started = Instant::now();
        while self.ringing.is_empty() && started.elapsed() < time {
            let _ = self.read();
        }
        !self.ringing.is_empty()
    }

    /// Answers a call that rings.
    pub fn answer(&mut self, incoming: Incoming) -> Dialog {
        let Incoming { invite } = incoming;
        self.proxy = header(&invite, "Contact").split(['@', '>', ';']).nth(1).and_then(|place| place.parse().ok());
        self.respond(&invite, "200 OK", &self.sdp());
        self.hear(&invite);
        Dialog {
            call_id: header(&invite, "Call-ID").to_owned(),
            from: format!("{};tag=a", header(&invite, "To")),
            to: header(&invite, "From").to_owned(),
            target: contact(&invite),
            sequence: 0,
        }
    }

    /// Refuses a call that rings: `486 Busy Here`.
    pub fn refuse(&mut self, incoming: &Incoming, status: &str) {
        self.respond(&incoming.invite, status, "");
    }

    /// Transfers the other side of a call to a number, blindly.
    ///
    /// # Panics
    /// When it is refused.
    pub fn refer(&mut self, dialog: &mut Dialog, number: &str) {
        assert_eq!(self.try_refer(dialog, number), Transferred::Told(200));
    }

    /// As [`Handset::refer`]; what came of it.
    ///
    /// # Panics
    /// When nothing is told.
    pub fn try_refer(&mut self, dialog: &mut Dialog, number: &str) -> Transferred {
        let proxy = self.proxy.expect("a call was placed");
        self.transfer(dialog, &format!("<sip:{number}@{proxy}>"))
    }

    /// Asks for a transfer of the other side of a call to a number, and waits for nothing but that the REFER is taken.
    ///
    /// # Panics
    /// When it is refused.
    pub fn start_refer(&mut self, dialog: &mut Dialog, number: &str) {
        let proxy = self.proxy.expect("a call was placed");
        assert_eq!(self.ask_transfer(dialog, &format!("<sip:{number}@{proxy}>")), 202);
    }

    /// A call that was begun, and rings now.
    ///
    /// # Panics
    /// When it does not.
    pub fn early(&mut self, mut dialog: Dialog) -> Dialog {
        let call_id = dialog.call_id.clone();
        let rings = self.wait(|message| status(message) == 180 && header(message, "Call-ID") == call_id);
        dialog.to = header(&rings, "To").to_owned();
        dialog.target = contact(&rings);
        dialog
    }

    /// Connects the other sides of two calls with each other.
    ///
    /// # Panics
    /// When it is refused.
    pub fn connect(&mut self, dialog: &mut Dialog, other: &Dialog) {
        let to = replacing(other);
        assert_eq!(self.transfer(dialog, &to), Transferred::Told(200));
    }

    /// As [`Handset::connect`], and waits for nothing but that the REFER is taken.
    ///
    /// # Panics
    /// When it is refused.
    pub fn start_connect(&mut self, dialog: &mut Dialog, other: &Dialog) {
        let to = replacing(other);
        assert_eq!(self.ask_transfer(dialog, &to), 202);
    }

    /// Hangs up.
    pub fn hang_up(&mut self, mut dialog: Dialog) {
        self.request(&mut dialog, "BYE", "", "");
    }

    /// Waits until the other side hangs up.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_end(&mut self, dialog: &Dialog) {
        self.wait_over(&dialog.call_id);
    }

    /// Waits until the other side gives up a call that rings.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_given_up(&mut self, incoming: &Incoming) {
        self.wait_over(header(&incoming.invite, "Call-ID"));
        self.respond(&incoming.invite, "487 Request Terminated", "");
    }

    fn wait_over(&mut self, call_id: &str) {
        let started = Instant::now();
        while !self.over.contains(call_id) {
            assert!(started.elapsed() < PATIENCE, "{call_id} goes on");
            let _ = self.read();
        }
    }

    fn transfer(&mut self, dialog: &mut Dialog, to: &str) -> Transferred {
        let status = self.ask_transfer(dialog, to);
        if status != 202 {
            return Transferred::Refused(status);
        }
        // NOTIFY with the outcome (a sipfrag).
        let told = |message: &str| {
            let fragment = message.split_once("\r\n\r\n").map(|(_, body)| body)?;
            Some(self::status(fragment)).filter(|status| message.starts_with("NOTIFY ") && *status >= 200)
        };
        let outcome = self.wait(|message| told(message).is_some());
        Transferred::Told(told(&outcome).unwrap_or_default())
    }

    fn ask_transfer(&mut self, dialog: &mut Dialog, to: &str) -> u16 {
        let from = dialog.from.clone();
        self.request(dialog, "REFER", &format!("Refer-To: {to}\r\nReferred-By: {from}\r\n"), "");
        status(&self.wait(|message| message.starts_with("SIP/2.0 ") && cseq(message).ends_with("REFER")))
    }

    fn sdp(&self) -> String {
        format!(
            "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\n",
            self.address.ip(),
            self.voice.port()
        )
    }

    /// Its voice goes where the other side's SDP says.
    fn hear(&self, message: &str) {
        let field = |begin: &str| message.lines().find_map(|line| line.strip_prefix(begin));
        let ip = field("c=IN IP4 ").and_then(|ip| ip.trim().parse().ok());
        let port = field("m=audio ").and_then(|rest| rest.split(' ').next()?.parse().ok());
        if let (Some(ip), Some(port)) = (ip, port) {
            self.voice.connect(SocketAddr::new(ip, port));
        }
    }

    fn request(&self, dialog: &mut Dialog, method: &str, headers: &str, body: &str) {
        dialog.sequence += 1;
        self.send(dialog, method, dialog.sequence, headers, body);
    }

    fn send(&self, dialog: &Dialog, method: &str, sequence: u32, headers: &str, body: &str) {
        let (local, Dialog { call_id, from, to, target, .. }) = (self.address(), dialog);
        let branch = format!("z9hG4bK-{method}-{sequence}-{}", call_id.replace('@', "-"));
        let text = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch={branch}\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:handset@{local}>\r\nMax-Forwards: 70\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.put(&text);
    }

    /// Answers a request; a call is answered in a dialog of its own.
    fn respond(&self, request: &str, status: &str, body: &str) {
        let to = header(request, "To");
        let tag = if request.starts_with("INVITE ") && !to.contains(";tag=") { ";tag=a" } else { "" };
        let keep = ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", header(request, name)));
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let local = self.address();
        self.put(&format!(
            "SIP/2.0 {status}\r\n{}To: {to}{tag}\r\nContact: <sip:handset@{local}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            keep.concat(),
            body.len()
        ));
    }

    fn put(&self, text: &str) {
        let proxy = self.proxy.expect("somebody to talk to");
        self.socket.send_to(text.as_bytes(), proxy).expect("loopback takes packets");
    }

    /// Waits for a message.
    ///
    /// # Panics
    /// When it does not come.
    fn wait(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        let mut last = String::new();
        while started.elapsed() < PATIENCE {
            let Some(message) = self.read() else { continue };
            if wanted(&message) {
                return message;
            }
            last = message;
        }
        panic!("waited in vain; the last message was:\n{last}");
    }

    /// The next message, if one comes soon; a request is answered with 200, a new call is kept.
    fn read(&mut self) -> Option<String> {
        let mut bytes = [0; 65_536];
        let (length, peer) = self.socket.recv_from(&mut bytes).ok()?;
        let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
        self.proxy.get_or_insert(peer);
        let code = status(&message);
        self.heard.push(if code > 0 {
            format!("{code} {}", cseq(&message).split(' ').next_back().unwrap_or_default())
        } else {
            message.split(' ').next().unwrap_or_default().to_owned()
        });
        if message.starts_with("SIP/2.0 ") || message.starts_with("ACK ") {
            return Some(message);
        }
        if message.starts_with("INVITE ") && !header(&message, "To").contains(";tag=") {
            if !self.ringing.contains(&message) {
                self.respond(&message, "100 Trying", "");
                self.ringing.push_back(message.clone());
            }
            return Some(message);
        }
        if message.starts_with("BYE ") || message.starts_with("CANCEL ") {
            self.over.insert(header(&message, "Call-ID").to_owned());
        }
        let body = if message.starts_with("INVITE ") {
            self.renegotiated += 1;
            self.sdp()
        } else {
            String::new()
        };
        self.respond(&message, "200 OK", &body);
        Some(message)
    }
}

impl Default for Handset {
    fn default() -> Self {
        Handset::new()
    }
}

impl Incoming {
    /// A header of the INVITE.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        header(&self.invite, name)
    }
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let value = message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.map(str::trim).unwrap_or_default()
}

/// A Refer-To whose call takes the place of another (RFC 3891).
fn replacing(other: &Dialog) -> String {
    let tag = |value: &str| value.split(";tag=").nth(1).unwrap_or_default().to_owned();
    let call_id = other.call_id.replace('@', "%40");
    format!("<{}?Replaces={call_id}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>", other.target, tag(&other.to), tag(&other.from))
}

fn cseq(message: &str) -> &str {
    header(message, "CSeq")
}

/// The address in Contact.
fn contact(message: &str) -> String {
    header(message, "Contact").trim_start_matches('<').split('>').next().unwrap_or_default().to_owned()
}

/// The code of a status line; 0 for none.
fn status(message: &str) -> u16 {
    message.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
}
