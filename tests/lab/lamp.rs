//! The lamp of a phone: takes NOTIFYs about messages (RFC 3842), unsolicited or by a subscription (RFC 6665).

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Address;

/// A phone on port 5060 of its own address that does nothing but tell of messages.
#[derive(Debug)]
pub struct Lamp {
    address: Address,
    socket: UdpSocket,
    told: Arc<Mutex<Vec<String>>>,
    subscriptions: AtomicU32,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Default for Lamp {
    fn default() -> Self {
        let address = Address::claim();
        let socket = UdpSocket::bind(address.port(5060)).expect("a fresh address is free");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket has timeouts");
        let (told, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let listening = socket.try_clone().expect("a descriptor can be copied");
        let (into, ends) = (Arc::clone(&told), Arc::clone(&stop));
        let thread = thread::spawn(move || listen(&listening, &into, &ends));
        Lamp { address, socket, told, subscriptions: AtomicU32::new(0), stop, thread: Some(thread) }
    }
}

fn listen(socket: &UdpSocket, told: &Mutex<Vec<String>>, stop: &AtomicBool) {
    let mut bytes = [0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, peer)) = socket.recv_from(&mut bytes) else { continue };
        let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
        if message.starts_with("SIP/2.0 ") || message.starts_with("ACK ") {
            continue;
        }
        let keep = ["Via", "From", "To", "Call-ID", "CSeq"];
        let kept = message.lines().filter(|line| keep.iter().any(|name| line.starts_with(&format!("{name}:"))));
        let answer =
            format!("SIP/2.0 200 OK\r\n{}\r\nContent-Length: 0\r\n\r\n", kept.collect::<Vec<_>>().join("\r\n"));
        socket.send_to(answer.as_bytes(), peer).expect("loopback takes packets");
        // `Voice-Message: 2/1 (1/0)`: new and old, urgent ones of them in brackets.
        if let Some(counts) = message.lines().find_map(|line| line.strip_prefix("Voice-Message:")) {
            told.lock().expect("no lamp panics").push(counts.trim().to_owned());
        }
    }
}

impl Lamp {
    /// Where it takes NOTIFYs.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(5060)
    }

    /// Subscribes to the messages of a mailbox, by the aor of that name.
    ///
    /// # Panics
    /// When nothing can be sent.
    pub fn subscribe(&self, aor: &str, proxy: SocketAddr) {
        let (local, nth) = (self.address(), self.subscriptions.fetch_add(1, Ordering::Relaxed));
        let subscribe = format!(
            "SUBSCRIBE sip:{aor}@{proxy} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK-lamp-{nth}-{0}\r\nFrom: <sip:{aor}@{local}>;tag=lamp{nth}-{0}\r\n\
             To: <sip:{aor}@{proxy}>\r\nCall-ID: lamp-{nth}-{0}@{local}\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:{aor}@{local}>\r\nMax-Forwards: 70\r\n\
             Event: message-summary\r\nAccept: application/simple-message-summary\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n",
            local.ip()
        );
        self.socket.send_to(subscribe.as_bytes(), proxy).expect("loopback takes packets");
    }

    /// Everything that it was told, `2/1 (1/0)`.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.told.lock().expect("no lamp panics").clone()
    }

    /// Waits until the last thing that it was told is this.
    ///
    /// # Panics
    /// When it is not.
    pub fn shows(&self, counts: &str) {
        let (started, last) = (Instant::now(), || self.told().last().cloned());
        while last().is_none_or(|last| last != counts) {
            assert!(started.elapsed() < Duration::from_secs(20), "the lamp was told {:?}, not {counts}", self.told());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Forgets what it was told.
    ///
    /// # Panics
    /// Never.
    pub fn forget(&self) {
        self.told.lock().expect("no lamp panics").clear();
    }
}

impl Drop for Lamp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
