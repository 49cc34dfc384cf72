//! How calls come in: over FastAGI, here, and over ARI ([`stasis`]). Who may connect, how many at once, and how it all ends.
//!
//! A connection costs nobody but itself: its prelude is read, its flow run and its panic caught in a task of its own.

pub mod stasis;

use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use metrics::{Counter, Gauge, counter, gauge};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error, info_span, warn};

use crate::adapters::fastagi::FastAgi;
use crate::config::Agi;
use crate::wire::agi::{Limits, WireError};

/// After an error of `accept` that would come again at once (no file descriptors, no memory).
const PAUSE: Duration = Duration::from_millis(100);

/// How an intake is told to end.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// End when the sessions that run now have ended, for which they have `agi.drain_seconds`; calls are served until then.
    pub soft: CancellationToken,
    /// End the running sessions now.
    pub hard: CancellationToken,
}

/// Opens the listener of `agi.listen`.
///
/// # Errors
/// The operating system's; the address is in the text.
pub fn bind(config: &Agi) -> io::Result<TcpListener> {
    let address = config.listen;
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(config.backlog).unwrap_or(i32::MAX))?;
        Ok(TcpListener::from(socket))
    };
    open().map_err(|error: io::Error| io::Error::new(error.kind(), format!("agi.listen {address}: {error}")))
}

/// Serves the calls that come in on `listener` (from [`bind`], or held by the service manager) until `stop`, and
/// returns when the last session has ended.
///
/// Each is handed to `handler`; `flows` are the names that the metrics tell apart. Once a soft stop is asked for, calls are
/// served for as long as a session goes on that ran at that moment, a conversation: nobody else would. Then nothing more is
/// accepted, and calls in the kernel's backlog wait for the next process that holds the listener.
///
/// # Errors
/// When the listener cannot be used at all.
pub async fn serve<H, F>(
    listener: TcpListener,
    config: Agi,
    flows: &'static [&'static str],
    stop: Stop,
    handler: H,
) -> io::Result<()>
where
    H: Fn(FastAgi) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    // Inherited by every connection, which saves each of them the calls. Asterisk may be on another machine that dies
    // without a word.
    let socket = SockRef::from(&listener);
    socket.set_tcp_nodelay(true)?;
    // Asterisk writes its prelude line by line, and Nagle's algorithm holds back all but the first until that is
    // acknowledged. Left to ourselves, the acknowledgement releases the rest in one piece; at once, it wakes us
    // line by line.
    socket.set_tcp_quickack(false)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(60)))?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;

    let mut sessions = TaskTracker::new();
    let mut draining: Option<Draining> = None;
    let places = Arc::new(Semaphore::new(config.sessions.min(Semaphore::MAX_PERMITS)));
    let drain = Duration::from_secs(config.drain_seconds);
    let desk = Arc::new(Desk { meters: Meters::new(flows), config, hard: stop.hard.clone(), handler });
    let (mut failing, mut full) = (false, false);
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.hard.cancelled() => break,
            () = stop.soft.cancelled(), if draining.is_none() => {
                let running = std::mem::take(&mut sessions);
                running.close();
                draining = Some(Draining { running, until: Instant::now() + drain });
                continue;
            }
            () = ended(draining.as_ref()) => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                if !failing {
                    error!(%error, "cannot accept calls; trying on. Raise the limit of open files if it is that");
                }
                failing = true;
                let _ = timeout(PAUSE, stop.hard.cancelled()).await;
                continue;
            }
        };
        failing = false;
        if !desk.admits(peer) {
            continue;
        }
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            if !full {
                warn!(
                    sessions = desk.config.sessions,
                    "agi.sessions reached; further calls take the dialplan's fallback"
                );
            }
            full = true;
            desk.meters.sessions.full.increment(1);
            continue;
        };
        // At the brink places come and go: told again only after a tenth of them was free.
        full &= places.available_permits() < desk.config.sessions / 10;
        sessions.spawn(Arc::clone(&desk).session(stream, place));
    }
    drop(listener);
    sessions.close();
    let Draining { running, until } =
        draining.unwrap_or_else(|| Draining { running: TaskTracker::new(), until: Instant::now() + drain });
    running.close();
    let all = async {
        running.wait().await;
        sessions.wait().await;
    };
    if timeout_at(until, all).await.is_err() {
        let left = running.len() + sessions.len();
        warn!(sessions = left, "agi.drain_seconds are over; ending the sessions that still run");
        stop.hard.cancel();
        running.wait().await;
        sessions.wait().await;
    }
    Ok(())
}

/// A soft stop under way.
struct Draining {
    /// The sessions that ran when it was asked for.
    running: TaskTracker,
    /// When they are ended.
    until: Instant,
}

/// Waits until those sessions have ended, or their time is over.
async fn ended(draining: Option<&Draining>) {
    match draining {
        Some(Draining { running, until }) => drop(timeout_at(*until, running.wait()).await),
        None => std::future::pending().await,
    }
}

/// What every session of one intake shares.
struct Desk<H> {
    config: Agi,
    hard: CancellationToken,
    meters: Meters,
    handler: H,
}

impl<H, F> Desk<H>
where
    H: Fn(FastAgi) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    fn admits(&self, peer: SocketAddr) -> bool {
        let known = self.config.peers.contains(&peer.ip().to_canonical());
        if !known {
            self.meters.peer.increment(1);
            warn!(%peer, "refused: not among agi.peers");
        }
        known
    }

    async fn session(self: Arc<Self>, stream: TcpStream, _place: OwnedSemaphorePermit) {
        let _running = Running::new(&self.meters.sessions.running);
        let Some(Some(call)) = self.hard.run_until_cancelled(self.greet(stream)).await else { return };
        self.meters.sessions.begun(call.flow());
        let uniqueid = call.uniqueid().to_owned();
        let span = info_span!("call", uniqueid);
        // Boxed, since a future is copied each time it is handed on, and a silent peer should not take room for a flow.
        let flow = Box::pin(async { (self.handler)(call).await }.instrument(span));
        if let Some(Err(panic)) = self.hard.run_until_cancelled(caught(flow)).await {
            self.meters.sessions.panics.increment(1);
            error!(uniqueid, panic, "the flow panicked; this call goes on in the dialplan's fallback");
        }
    }

    async fn greet(&self, stream: TcpStream) -> Option<FastAgi> {
        let limits = Limits {
            prelude: Duration::from_millis(self.config.prelude_ms),
            prelude_bytes: self.config.prelude_bytes,
            reply: Duration::from_millis(self.config.reply_ms),
        };
        match FastAgi::open(stream, limits).await {
            Ok(Some(call)) => return Some(call),
            // A port check.
            Ok(None) => self.meters.silent.increment(1),
            Err(error) => {
                let meter = if matches!(error, WireError::Late(_)) { &self.meters.late } else { &self.meters.prelude };
                meter.increment(1);
                warn!(%error, "refused: no AGI prelude");
            }
        }
        None
    }
}

/// Runs `flow`; a panic in it comes back as its message.
async fn caught<T>(mut flow: Pin<Box<impl Future<Output = T>>>) -> Result<T, String> {
    // A flow that has panicked is dropped, never polled again.
    let polled = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| flow.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panic) => Poll::Ready(Err(panic)),
    });
    polled.await.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
    })
}

/// Errors of `accept` that speak of the one connection, which is gone already.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Counters, looked up once.
struct Meters {
    sessions: Sessions,
    peer: Counter,
    silent: Counter,
    late: Counter,
    prelude: Counter,
}

impl Meters {
    fn new(flows: &'static [&'static str]) -> Self {
        let refused = |why: &'static str| counter!("tandem_agi_refused_total", "why" => why);
        Meters {
            sessions: Sessions::new("agi", flows),
            peer: refused("peer"),
            silent: refused("silent"),
            late: refused("late"),
            prelude: refused("prelude"),
        }
    }
}

/// Counters of the sessions that came one way.
struct Sessions {
    running: Gauge,
    panics: Counter,
    full: Counter,
    flows: Vec<(&'static str, Counter)>,
    other_flow: Counter,
}

impl Sessions {
    fn new(way: &str, flows: &'static [&'static str]) -> Self {
        let total = format!("tandem_{way}_sessions_total");
        let sessions = |flow: &'static str| counter!(total.clone(), "flow" => flow);
        Sessions {
            running: gauge!(format!("tandem_{way}_sessions")),
            panics: counter!(format!("tandem_{way}_panics_total")),
            full: counter!(format!("tandem_{way}_refused_total"), "why" => "full"),
            flows: flows.iter().map(|flow| (*flow, sessions(flow))).collect(),
            other_flow: sessions("other"),
        }
    }

    /// Names that a peer makes up are counted together, so that they cannot fill the memory.
    fn begun(&self, flow: &str) {
        let known = self.flows.iter().find(|(name, _)| *name == flow);
        known.map_or(&self.other_flow, |(_, counter)| counter).increment(1);
    }
}

/// Holds the gauge of running sessions up by one.
struct Running<'a>(&'a Gauge);

impl<'a> Running<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.increment(1);
        Running(gauge)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
