//! The FastAGI listener: who may come in, how many, and how they are seen out.
//!
//! Each connection is its own task from its first byte on, so that a silent or hostile peer costs nobody else
//! anything. A soft stop leaves what still waits in the listener's backlog to the next process, which may hold the same listener.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, counter, gauge};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use crate::adapters::fastagi::FastAgi;
use crate::config::Agi;
use crate::flows::Flow;
use crate::wire::agi::Session;

/// Pause after the kernel refused to accept (no descriptor left, for example).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Two steps of stopping.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    soft: CancellationToken,
    hard: CancellationToken,
}

impl Stop {
    /// No new sessions; running ones may finish within `agi.drain_seconds`.
    pub fn soft(&self) {
        self.soft.cancel();
    }

    /// Running sessions end now.
    pub fn hard(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }
}

/// Binds the listener of the configuration.
///
/// # Errors
/// The address is taken or not ours.
pub fn bind(config: &Agi) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(config.listen), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&config.listen.into())?;
    socket.listen(i32::try_from(config.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// Serves sessions with `handler` until stopped and drained.
///
/// # Errors
/// The listener cannot be used by the runtime.
pub async fn serve<H, F>(listener: StdListener, config: Agi, stop: Stop, handler: H) -> io::Result<()>
where
    H: Fn(FastAgi<TcpStream>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let door = Arc::new(Door {
        peers: config.peers.iter().copied().collect(),
        places: Arc::new(Semaphore::new(config.sessions)),
        prelude: Duration::from_millis(config.prelude_ms),
        prelude_bytes: config.prelude_bytes,
        reply: Duration::from_millis(config.reply_ms),
        stop: stop.hard.clone(),
        full: AtomicBool::new(false),
        counts: Counts::new(),
    });
    let sessions = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            // Stopping comes first: what is accepted must be served.
            biased;
            () = stop.soft.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(place) = door.admit(peer) {
                    let (door, handler) = (Arc::clone(&door), handler.clone());
                    sessions.spawn(async move {
                        door.clone().session(stream, peer, handler).await;
                        drop(place);
                    });
                }
            }
            Err(fault) => {
                warn!(error = %fault, "no connection could be accepted; is LimitNOFILE high enough?");
                tokio::select! {
                    () = stop.soft.cancelled() => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    sessions.close();
    let drain = Duration::from_secs(config.drain_seconds);
    if timeout(drain, sessions.wait()).await.is_err() {
        warn!(sessions = sessions.len(), "sessions did not finish in time and are ended");
        stop.hard.cancel();
        sessions.wait().await;
    }
    Ok(())
}

/// What every connection meets.
struct Door {
    peers: HashSet<IpAddr>,
    places: Arc<Semaphore>,
    prelude: Duration,
    prelude_bytes: usize,
    reply: Duration,
    stop: CancellationToken,
    /// Whether the last connection found no place, so that fullness is logged once.
    full: AtomicBool,
    counts: Counts,
}

struct Counts {
    sessions: Gauge,
    panics: Counter,
    forbidden: Counter,
    full: Counter,
    prelude: Counter,
    unknown_flow: Counter,
    by_flow: Vec<(&'static str, Counter)>,
}

impl Counts {
    fn new() -> Counts {
        let refused = |why| counter!("tandem_agi_refused_total", "why" => why);
        Counts {
            sessions: gauge!("tandem_agi_sessions"),
            panics: counter!("tandem_agi_panics_total"),
            forbidden: refused("peer"),
            full: refused("sessions"),
            prelude: refused("prelude"),
            unknown_flow: refused("flow"),
            by_flow: Flow::ALL
                .iter()
                .map(|flow| (flow.name(), counter!("tandem_agi_sessions_total", "flow" => flow.name())))
                .collect(),
        }
    }
}

/// Counts a running session for as long as it lives.
struct Place {
    _permit: tokio::sync::OwnedSemaphorePermit,
    sessions: Gauge,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sessions.decrement(1.0);
    }
}

/// Tells of a panic while it unwinds; the runtime ends the task, and with it this call alone.
struct Witness<'a> {
    uniqueid: String,
    panics: &'a Counter,
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.panics.increment(1);
            error!(uniqueid = self.uniqueid, "the flow panicked; its call takes the dialplan's fallback");
        }
    }
}

impl Door {
    /// A place for this peer; without one its connection is closed at once, and its call takes the dialplan's fallback.
    fn admit(&self, peer: SocketAddr) -> Option<Place> {
        if !self.peers.contains(&peer.ip().to_canonical()) {
            self.counts.forbidden.increment(1);
            warn!(%peer, "this peer may not connect (agi.peers)");
            return None;
        }
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else {
            self.counts.full.increment(1);
            if !self.full.swap(true, Ordering::Relaxed) {
                error!("all sessions are taken (agi.sessions): further calls take the dialplan's fallback");
            }
            return None;
        };
        if self.full.swap(false, Ordering::Relaxed) {
            info!("there are sessions again");
        }
        self.counts.sessions.increment(1.0);
        Some(Place { _permit: permit, sessions: self.counts.sessions.clone() })
    }

    async fn session<H, F>(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, handler: H)
    where
        H: Fn(FastAgi<TcpStream>) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        // Only speed is lost when the kernel refuses.
        let _ = stream.set_nodelay(true);
        let opened = tokio::select! {
            () = self.stop.cancelled() => return,
            opened = Session::open(stream, Instant::now() + self.prelude, self.prelude_bytes) => opened,
        };
        let (session, prelude) = match opened {
            Ok(Some(opened)) => opened,
            Ok(None) => return debug!(%peer, "closed without a word"),
            Err(fault) => {
                self.counts.prelude.increment(1);
                return warn!(%peer, error = %fault, "no session");
            }
        };
        let call = FastAgi::new(session, &prelude, self.reply);
        match self.counts.by_flow.iter().find(|(flow, _)| *flow == call.flow()) {
            Some((_, count)) => count.increment(1),
            None => self.counts.unknown_flow.increment(1),
        }
        let _witness = Witness { uniqueid: prelude.get("uniqueid").to_owned(), panics: &self.counts.panics };
        drop(prelude);
        tokio::select! {
            () = handler(call) => {}
            () = self.stop.cancelled() => {}
        }
    }
}
