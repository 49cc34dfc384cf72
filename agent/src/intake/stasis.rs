//! The Stasis app: each channel that comes into it is handed to its flow, whatever becomes of the websocket meanwhile.
//!
//! A tenure is the time from one registration of the app to its end. At its start the channels that are in the app already are listed: those
//! whose conversation goes on here are told that events may be missing, those that an agent before us left begin anew. When we end, callers stay
//! in the app for the next agent; nobody is hung up.

use std::collections::HashSet;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use metrics::{Counter, Gauge, counter, gauge};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error, info, info_span, warn};

use super::{Running, Sessions, Stop, caught};
use crate::adapters::ari::{AriCall, BACK, Manner};
use crate::config;
use crate::wire::ari::model::Channel;
use crate::wire::ari::{Ari, AriError, Originate};
use crate::wire::ari_events::Event;
use crate::wire::ari_events::pauses::Pauses;
use crate::wire::ari_events::queues::{Delivery, Queue, Queues};
use crate::wire::ari_events::socket::{Socket, SocketError, credentials};

/// While there are no events.
const WITHOUT: &str = "no calls come by ARI; those that are new take AGI";
/// Between two tries to list who is in the app.
const LIST_AGAIN: Duration = Duration::from_secs(1);
/// Requests about channels in flight while they are looked at after a start.
const LOOKS: usize = 16;
/// What the app is given for a channel of no call ([`Desk::probe`]), and how long it may take.
const PROBE: &str = "probe";
const PROBING: Duration = Duration::from_secs(3);
const PROBE_AGAIN: Duration = Duration::from_secs(60);
const PROBE_LOOK: Duration = Duration::from_millis(50);
/// For what is not a conversation to end.
const CLOSING: Duration = Duration::from_secs(1);

/// Serves the channels of the app until `stop`, and returns when the last session has ended or is left to the next agent.
///
/// Each is handed to `handler`; `flows` are the names that the metrics tell apart. With `listener` Asterisk connects to us, from one of `peers`; else
/// we to it. After a soft stop calls are served for as long as a session goes on that ran at that moment, at most for `drain`.
pub async fn serve<H, F>(
    ari: Ari,
    config: config::Ari,
    listener: Option<(TcpListener, Vec<IpAddr>)>,
    drain: Duration,
    flows: &'static [&'static str],
    stop: Stop,
    handler: H,
) where
    H: Fn(AriCall) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let credentials = credentials(&config.user, &config.password);
    let source = match listener {
        None => Source::Connect(config.url.clone(), credentials),
        Some((listener, peers)) => Source::Accept(listener, peers, credentials),
    };
    let manner = Manner { recordings: config.recordings.clone(), leash: Duration::from_secs(config.orphan_seconds) };
    let desk = Arc::new(Desk {
        places: Arc::new(Semaphore::new(config.sessions.min(Semaphore::MAX_PERMITS))),
        sessions: std::sync::Mutex::new(TaskTracker::new()),
        queues: Queues::default(),
        meters: Meters::new(flows),
        leave: stop.hard.child_token(),
        closing: AtomicBool::new(false),
        ari,
        manner,
        handler,
    });
    let mut pauses = Pauses::new(WITHOUT);
    tokio::spawn(Arc::clone(&desk).stop(stop.clone(), drain));
    while !desk.leave.is_cancelled() {
        let Some(opened) = desk.leave.run_until_cancelled(source.open(desk.ari.app())).await else { break };
        let mut socket = match opened {
            Ok(socket) => socket,
            Err(error) => {
                pauses.failed(&error);
                let _ = desk.leave.run_until_cancelled(pauses.pause()).await;
                continue;
            }
        };
        pauses = Pauses::new(WITHOUT);
        desk.meters.connected.set(1.0);
        let tenure = CancellationToken::new();
        let _ended_with_it = tenure.clone().drop_guard();
        let followed = desk.queues.channels();
        tokio::spawn(tenure.run_until_cancelled_owned(Arc::clone(&desk).reconcile(followed)));
        let why = loop {
            let Some(event) = desk.leave.run_until_cancelled(socket.next()).await else { break None };
            match event {
                Ok(Event::ApplicationReplaced) => {
                    error!(
                        app = desk.ari.app(),
                        "another agent has taken the app over, and its calls; two agents of one Asterisk need an ari.app each"
                    );
                    desk.meters.replaced.increment(1);
                    desk.leave.cancel();
                    break None;
                }
                Ok(event) => desk.take(event),
                Err(error) => break Some(error),
            }
        };
        desk.meters.connected.set(0.0);
        if let Some(error) = why {
            desk.meters.broken.increment(1);
            pauses.failed(&error);
            let _ = desk.leave.run_until_cancelled(pauses.pause()).await;
        }
    }
    let sessions = desk.sessions();
    sessions.close();
    sessions.wait().await;
}

/// Where the events come from.
enum Source {
    Connect(String, HeaderValue),
    Accept(TcpListener, Vec<IpAddr>, HeaderValue),
}

impl Source {
    async fn open(&self, app: &str) -> Result<Socket, SocketError> {
        match self {
            Source::Connect(url, credentials) => Socket::connect(url, credentials, app, false).await,
            Source::Accept(listener, peers, credentials) => {
                let (stream, peer) = listener.accept().await?;
                if !peers.contains(&peer.ip().to_canonical()) {
                    return Err(SocketError::Broken(format!("{peer} is not among agi.peers")));
                }
                Socket::accept(stream, credentials).await
            }
        }
    }
}

/// What every session shares.
struct Desk<H> {
    ari: Ari,
    queues: Queues,
    places: Arc<Semaphore>,
    sessions: std::sync::Mutex<TaskTracker>,
    /// Sessions end, and their callers stay in the app.
    leave: CancellationToken,
    /// No session is begun any more.
    closing: AtomicBool,
    meters: Meters,
    manner: Manner,
    handler: H,
}

impl<H, F> Desk<H>
where
    H: Fn(AriCall) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    /// Hands an event on. Never waits.
    fn take(self: &Arc<Self>, event: Event) {
        let Some(id) = event.channel_id().map(str::to_owned) else { return };
        if let Event::StasisStart { channel, replace_channel: Some(before), .. } = &event {
            if let Some(queue) = self.queues.take_over(&id) {
                tokio::spawn(Arc::clone(self).replace(channel.id.clone(), before.id.clone(), queue));
            }
        } else if let Event::StasisStart { args, channel, .. } = &event {
            let path = args.join(",");
            // One that was away is back; any other has nothing to do with what its channel was in the app for before.
            let is_back = path.starts_with(BACK) && self.queues.deliver(&id, event.clone()) == Delivery::Taken;
            if !is_back {
                let queue = self.queues.take_over(&id);
                self.begin(channel.clone(), &path, queue, None);
            }
        } else if self.queues.deliver(&id, event) == Delivery::Overflown {
            self.meters.overflown.increment(1);
            warn!(uniqueid = id, "more events come than the conversation takes; it ends, and the dialplan goes on");
        }
    }

    /// Has the dialplan find out whether calls may come by ARI.
    ///
    /// Asterisk (22.10, seen) takes the thread of a channel whose variables were set by ARI for one that speaks for the outside, and from then on
    /// refuses it functions such as `FILE()`, by which attempts and emergency calls are written down; unless `asterisk.conf` has
    /// `live_dangerously = yes`. So a channel of no call tries it, and until that went well the dialplan asks us by AGI.
    ///
    /// What comes of it is told when it is another than was `known`.
    async fn probe(&self, known: Option<bool>) -> bool {
        let idle = Originate {
            endpoint: format!("Local/{PROBE}@tandem-probe"),
            context: "tandem-probe".to_owned(),
            extension: "idle".to_owned(),
            timeout: 5,
            ..Originate::default()
        };
        let mut told =
            self.ari.originate(&format!("tandem-{}", uuid::Uuid::now_v7()), &idle).await.map(|_| String::new());
        let (opened, deadline) = (told.is_ok(), Instant::now() + PROBING);
        // When Asterisk is cut off, so is the websocket, and the next one asks anew.
        while opened && Instant::now() < deadline && !matches!(&told, Ok(writes) if writes == "1") {
            sleep(PROBE_LOOK).await;
            told = self.ari.global("TANDEM_ARI_WRITES").await;
        }
        let come = matches!(&told, Ok(writes) if writes == "1");
        match told {
            _ if known == Some(come) => {}
            Ok(_) if come => info!(app = self.ari.app(), "calls come by ARI"),
            // Where they are to, TANDEM_TRANSPORT says, which is the dialplan's.
            Ok(_) => warn!(
                "calls go on to come by AGI: after ARI the dialplan cannot write records; set live_dangerously = yes in asterisk.conf"
            ),
            Err(error) => {
                error!(%error, "calls go on to come by AGI: the dialplan could not be asked whether it can write records after ARI")
            }
        }
        come
    }

    /// Looks which channels are in the app, now that their events come to us.
    async fn reconcile(self: Arc<Self>, followed: Vec<String>) {
        self.resume(followed).await;
        let mut known = None;
        loop {
            known = Some(self.probe(known).await);
            // `asterisk.conf` may be read anew.
            sleep(PROBE_AGAIN).await;
        }
    }

    async fn resume(self: &Arc<Self>, followed: Vec<String>) {
        let mut told = false;
        let there = loop {
            match self.ari.app_channels().await {
                Ok(there) => break there.unwrap_or_default(),
                Err(error) if !told => {
                    warn!(%error, "callers that are in the app already cannot be listed, trying on");
                    told = true;
                }
                Err(_) => {}
            }
            sleep(LIST_AGAIN).await;
        };
        let followed: HashSet<String> = followed.into_iter().collect();
        let there: HashSet<String> = there.into_iter().collect();
        let strange: Vec<String> = there.difference(&followed).cloned().collect();
        let look = |id: String| {
            let ari = self.ari.clone();
            async move { ari.channel(&id).await }
        };
        let mut looks = futures_util::stream::iter(strange).map(look).buffer_unordered(LOOKS);
        let mut left = 0_usize;
        while let Some(channel) = looks.next().await {
            match channel {
                Ok(channel) => {
                    // In the dialplan to have a date said, it comes back by itself.
                    if let Some(path) = channel.told(self.ari.app()).map(str::to_owned) {
                        left += 1;
                        let (queue, id) = (self.queues.follow(&channel.id), channel.id.clone());
                        self.begin(channel, &path, queue, Some(id));
                    }
                }
                Err(AriError::Gone(_)) => {}
                Err(error) => warn!(%error, "a caller in the app cannot be looked at, and goes on in the dialplan"),
            }
        }
        let mut lost = 0_usize;
        for id in &followed {
            let still = there.contains(id);
            lost += usize::from(!still);
            self.queues.deliver(id, if still { Event::Resumed } else { Event::Lost });
        }
        if left + lost > 0 {
            info!(begun_anew = left, gone = lost, "callers were in the app");
        }
    }

    /// An attended transfer put a caller into the place of the channel `before`: that one's conversation has ended, and begins anew with this caller.
    async fn replace(self: Arc<Self>, id: String, before: String, queue: Queue) {
        match self.ari.channel(&id).await {
            Ok(channel) => {
                if let Some(path) = channel.told(self.ari.app()).map(str::to_owned) {
                    self.begin(channel, &path, Some(queue), Some(before));
                }
            }
            Err(AriError::Gone(_)) => {}
            Err(error) => {
                warn!(uniqueid = id, %error, "a caller who was transferred into the app goes on in the dialplan")
            }
        }
    }

    /// Begins a session, if the channel is nobody else's; of a conversation that was had on the channel `taken_over` before.
    fn begin(self: &Arc<Self>, channel: Channel, path: &str, queue: Option<Queue>, taken_over: Option<String>) {
        let Some(queue) = queue else { return };
        if path == PROBE {
            let ari = self.ari.clone();
            tokio::spawn(async move {
                // What goes wrong shows in what the dialplan finds.
                let _ = ari.set(&channel.id, &[("TANDEM_PROBE", "1")]).await;
                let _ = ari.go_on(&channel.id).await;
            });
            return;
        }
        if self.closing.load(Ordering::Relaxed) {
            return;
        }
        let path = path.strip_prefix(BACK).unwrap_or(path);
        let mut call = AriCall::new(self.ari.clone(), queue, &channel, path, self.manner.clone());
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.meters.sessions.full.increment(1);
            self.sessions().spawn(call.finish());
            return;
        };
        let desk = Arc::clone(self);
        self.sessions().spawn(async move {
            if let Some(before) = taken_over {
                call.take_over(&before).await;
            }
            desk.session(call, channel.id, place).await;
        });
    }

    async fn session(self: Arc<Self>, call: AriCall, uniqueid: String, _place: OwnedSemaphorePermit) {
        let _running = Running::new(&self.meters.sessions.running);
        self.meters.sessions.begun(call.flow());
        let span = info_span!("call", uniqueid);
        let flow = Box::pin(async { (self.handler)(call).await }.instrument(span));
        if let Some(Err(panic)) = self.leave.run_until_cancelled(caught(flow)).await {
            self.meters.sessions.panics.increment(1);
            error!(uniqueid, panic, "the flow panicked; this call goes on in the dialplan's fallback");
            // If it has hung up meanwhile, so be it.
            let _ = self.ari.go_on(&uniqueid).await;
        }
    }

    /// Waits until a soft stop is asked for, then for the conversations, and leaves the rest to the next agent.
    async fn stop(self: Arc<Self>, stop: Stop, drain: Duration) {
        let soft = async {
            stop.soft.cancelled().await;
            let until = Instant::now() + drain;
            let running = std::mem::take(&mut *self.lock());
            running.close();
            if timeout_at(until, running.wait()).await.is_err() {
                warn!(
                    sessions = running.len(),
                    "agi.drain_seconds are over; callers by ARI are left to the next agent"
                );
                return;
            }
            // What is new is the next agent's; decisions take milliseconds.
            self.closing.store(true, Ordering::Relaxed);
            let sessions = self.sessions();
            sessions.close();
            let _ = timeout_at(until.min(Instant::now() + CLOSING), sessions.wait()).await;
        };
        self.leave.run_until_cancelled(soft).await;
        self.leave.cancel();
    }

    fn sessions(&self) -> TaskTracker {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, TaskTracker> {
        self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Counters, looked up once.
struct Meters {
    connected: Gauge,
    broken: Counter,
    replaced: Counter,
    overflown: Counter,
    sessions: Sessions,
}

impl Meters {
    fn new(flows: &'static [&'static str]) -> Self {
        Meters {
            connected: gauge!("tandem_ari_connected"),
            broken: counter!("tandem_ari_broken_total"),
            replaced: counter!("tandem_ari_replaced_total"),
            overflown: counter!("tandem_ari_overflown_total"),
            sessions: Sessions::new("ari", flows),
        }
    }
}
