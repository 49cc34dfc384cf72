//! A phone that a test steers itself: it calls, holds several calls, and transfers (REFER, RFC 3515; Replaces, RFC 3891).

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::Address;

/// A phone on port 5060 of its own address. It answers requests while it waits for something of its own.
#[derive(Debug)]
pub struct Handset {
    socket: UdpSocket,
    address: Address,
    proxy: Option<SocketAddr>,
    count: u32,
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

const PATIENCE: Duration = Duration::from_secs(10);

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
        Handset { socket, address, proxy: None, count: 0 }
    }

    /// Where it takes requests.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(5060)
    }

    /// Calls a number, and waits for the answer.
    ///
    /// # Panics
    /// When it is not answered.
    pub fn call(&mut self, proxy: SocketAddr, number: &str) -> Dialog {
        self.proxy = Some(proxy);
        self.count += 1;
        let (local, n) = (self.address(), self.count);
        let mut dialog = Dialog {
            call_id: format!("handset-{n}@{}", local.ip()),
            from: format!("<sip:handset@{local}>;tag=h{n}"),
            to: format!("<sip:{number}@{proxy}>"),
            target: format!("sip:{number}@{proxy}"),
            sequence: 0,
        };
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
            local.ip()
        );
        self.request(&mut dialog, "INVITE", "Content-Type: application/sdp\r\n", &sdp);
        let answer = self.wait(|message| message.starts_with("SIP/2.0 200") && cseq(message).ends_with("INVITE"));
        dialog.to = header(&answer, "To").to_owned();
        dialog.target =
            header(&answer, "Contact").trim_start_matches('<').split('>').next().unwrap_or_default().to_owned();
        self.send(&dialog, "ACK", dialog.sequence, "", "");
        dialog
    }

    /// Transfers the other side of a call to a number, blindly.
    ///
    /// # Panics
    /// When it is refused.
    pub fn refer(&mut self, dialog: &mut Dialog, number: &str) {
        let proxy = self.proxy.expect("a call was placed");
        self.transfer(dialog, &format!("<sip:{number}@{proxy}>"));
    }

    /// Connects the other sides of two calls with each other.
    ///
    /// # Panics
    /// When it is refused.
    pub fn connect(&mut self, dialog: &mut Dialog, other: &Dialog) {
        let tag = |value: &str| value.split(";tag=").nth(1).unwrap_or_default().to_owned();
        let replaces = format!(
            "{}%3Bto-tag%3D{}%3Bfrom-tag%3D{}",
            other.call_id.replace('@', "%40"),
            tag(&other.to),
            tag(&other.from)
        );
        self.transfer(dialog, &format!("<{}?Replaces={replaces}>", other.target));
    }

    fn transfer(&mut self, dialog: &mut Dialog, to: &str) {
        let from = dialog.from.clone();
        self.request(dialog, "REFER", &format!("Refer-To: {to}\r\nReferred-By: {from}\r\n"), "");
        let answer = self.wait(|message| message.starts_with("SIP/2.0 ") && cseq(message).ends_with("REFER"));
        assert!(answer.starts_with("SIP/2.0 202"), "the transfer was refused:\n{answer}");
        // NOTIFY with the outcome (a sipfrag).
        let outcome = self.wait(|message| {
            message.starts_with("NOTIFY ")
                && ["SIP/2.0 2", "SIP/2.0 4", "SIP/2.0 5"].iter().any(|status| message.contains(status))
        });
        assert!(outcome.contains("SIP/2.0 200"), "the transfer failed:\n{outcome}");
    }

    /// Hangs up.
    pub fn hang_up(&mut self, mut dialog: Dialog) {
        self.request(&mut dialog, "BYE", "", "");
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
        let proxy = self.proxy.expect("a call was placed");
        self.socket.send_to(text.as_bytes(), proxy).expect("loopback takes packets");
    }

    /// Waits for a message; every request that comes meanwhile is answered with 200.
    ///
    /// # Panics
    /// When it does not come.
    fn wait(&self, wanted: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        let mut last = String::new();
        while started.elapsed() < PATIENCE {
            let mut bytes = [0; 65_536];
            let Ok((length, peer)) = self.socket.recv_from(&mut bytes) else { continue };
            let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if !message.starts_with("SIP/2.0 ") && !message.starts_with("ACK ") {
                let keep = ["Via", "From", "To", "Call-ID", "CSeq"]
                    .map(|name| format!("{name}: {}\r\n", header(&message, name)));
                let answer = format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", keep.concat());
                self.socket.send_to(answer.as_bytes(), peer).expect("loopback takes packets");
            }
            if wanted(&message) {
                return message;
            }
            last = message;
        }
        panic!("waited in vain; the last message was:\n{last}");
    }
}

impl Default for Handset {
    fn default() -> Self {
        Handset::new()
    }
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let value = message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.map(str::trim).unwrap_or_default()
}

fn cseq(message: &str) -> &str {
    header(message, "CSeq")
}
