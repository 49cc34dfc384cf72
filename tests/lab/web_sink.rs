//! Something on the web that takes what is posted to it: what no real server does on demand is to refuse, or to hang.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::Address;

/// An HTTP server on port 8080 of its own address, down at first.
#[derive(Debug)]
pub struct WebSink {
    address: Address,
    taken: Arc<Mutex<Vec<String>>>,
    hangs: Arc<AtomicBool>,
}

impl Default for WebSink {
    fn default() -> Self {
        WebSink { address: Address::claim(), taken: Arc::default(), hangs: Arc::default() }
    }
}

impl WebSink {
    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/notice", self.address())
    }

    fn address(&self) -> SocketAddr {
        self.address.port(8080)
    }

    /// Takes what is posted from now on.
    ///
    /// # Panics
    /// When the address is taken.
    pub fn start(&self) {
        let listener = TcpListener::bind(self.address()).expect("a fresh address is free");
        let (taken, hangs) = (Arc::clone(&self.taken), Arc::clone(&self.hangs));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (taken, hangs) = (Arc::clone(&taken), Arc::clone(&hangs));
                thread::spawn(move || serve(stream, &taken, &hangs));
            }
        });
    }

    /// From now on it takes connections and never answers.
    pub fn hang(&self) {
        self.hangs.store(true, Ordering::Relaxed);
    }

    /// The bodies that it took, with their `Idempotency-Key` in front.
    ///
    /// # Panics
    /// Never: no session does.
    #[must_use]
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("no session panics").clone()
    }
}

fn serve(stream: TcpStream, taken: &Mutex<Vec<String>>, hangs: &AtomicBool) {
    let Ok(mut answers) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut key) = (0, String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).is_ok_and(|read| read == 0) {
                return;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "idempotency-key" => value.trim().clone_into(&mut key),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        while hangs.load(Ordering::Relaxed) {
            thread::park();
        }
        taken.lock().expect("no session panics").push(format!("{key} {}", String::from_utf8_lossy(&body)));
        if answers.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").is_err() {
            return;
        }
    }
}
