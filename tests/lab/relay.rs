//! A relay in front of a server, that can be slow or cut off: what no real server does on demand.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Address;

/// A relay on port 3306 of its own address.
#[derive(Debug)]
pub struct Relay {
    address: Address,
    /// Milliseconds that what the server says is held back.
    delay: Arc<AtomicU64>,
    line: Arc<Line>,
}

/// What is connected.
#[derive(Debug, Default)]
struct Line {
    cut: AtomicBool,
    clients: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// In front of `server`.
    ///
    /// # Panics
    /// When the address is taken.
    #[must_use]
    pub fn start(server: SocketAddr) -> Relay {
        let relay = Relay { address: Address::claim(), delay: Arc::default(), line: Arc::default() };
        let listener = TcpListener::bind(relay.address()).expect("a fresh address is free");
        let (delay, line) = (Arc::clone(&relay.delay), Arc::clone(&relay.line));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if line.cut.load(Ordering::Relaxed) {
                    continue;
                }
                line.clients.lock().unwrap_or_else(PoisonError::into_inner).extend(client.try_clone());
                let delay = Arc::clone(&delay);
                thread::spawn(move || connect(client, server, &delay));
            }
        });
        relay
    }

    /// Where it takes connections.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(3306)
    }

    /// Breaks every connection, and takes none until [`Relay::mend`].
    pub fn cut(&self) {
        self.line.cut.store(true, Ordering::Relaxed);
        for client in self.line.clients.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    /// Takes connections again.
    pub fn mend(&self) {
        self.line.cut.store(false, Ordering::Relaxed);
    }

    /// What the server says from now on comes so much later.
    pub fn delay(&self, delay: Duration) {
        self.delay.store(delay.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Carries one connection. A server that hangs takes no more of them when its backlog is full.
fn connect(client: TcpStream, server: SocketAddr, delay: &AtomicU64) {
    let Ok(server) = TcpStream::connect_timeout(&server, Duration::from_secs(1)) else { return };
    let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { return };
    thread::spawn(move || copy(client, server, &AtomicU64::new(0)));
    copy(server_too, client_too, delay);
}

fn copy(mut from: TcpStream, mut to: TcpStream, delay: &AtomicU64) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        thread::sleep(Duration::from_millis(delay.load(Ordering::Relaxed)));
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
