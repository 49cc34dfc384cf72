//! The agent as a service: how its parts are built, started and stopped.
//!
//! Start: configuration is whole, then the listener, the store (which may be away), the HTTP surface, then `READY=1`.
//! Stop: `STOPPING=1`, not ready; running conversations finish within `agi.drain_seconds`, or until a second signal, and calls are
//! served until then.

pub mod emergency;
pub mod interceptions;
pub mod recordings;
mod supervision;
pub mod voicemail;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use listenfd::ListenFd;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use crate::adapters::ari::AriCall;
use crate::admin::http::api::Api;
use crate::admin::http::{self, Peers, Readiness};
use crate::admin::status::Sources;
use crate::alarm::Alarms;
use crate::buffer::shipper::{Settings, Shipper};
use crate::buffer::spool::{Lock, Spool, SpoolError};
use crate::config::{self, Config, LogFormat};
use crate::emergency::callbacks::Callbacks;
use crate::flows::route::number;
use crate::flows::route::rules::Rules;
use crate::flows::{self, Flow, Ports};
use crate::intake::{self, Stop, stasis};
use crate::lookup::Lookups;
use crate::orders::clerk::Clerk;
use crate::orders::hands::Hands;
use crate::records::cargo::CallRecords;
use crate::records::intake::Intake;
use crate::speech::Speech;
use crate::store::replica::ReplicaOptions;
use crate::store::{self, Store, StoreError};
use crate::wire::ari::Ari;
use crate::wire::ari_events::socket;

/// Why the service did not start, or broke.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A listener could not be bound.
    #[error("cannot listen on {address} for {what}: {source}; is another agent running?")]
    Listen {
        /// What would have been served.
        what: &'static str,
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The store could not be built or brought up to date.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The listener cannot be used any more; the service manager starts us anew.
    #[error("the FastAGI listener broke: {0}")]
    Broken(String),
    /// Logging, metrics or signals could not be set up.
    #[error("{0}")]
    SetUp(String),
}

/// For the shipper to end after it was asked to.
const SHIPPING_ENDS: Duration = Duration::from_millis(500);

/// Between two looks at how the replica is.
const REPLICA_LOOK: Duration = Duration::from_secs(1);
/// A replica that is so far behind is an alarm.
const REPLICA_BEHIND: Duration = Duration::from_secs(10);

/// Buckets of all `_seconds` histograms: from 50 us, a decision on SQLite, to 1 s, past every deadline.
const SECONDS: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// Serves calls until a signal stops it.
///
/// # Errors
/// See [`ServiceError`]; a database that is away is none of them.
pub async fn serve(config: Config) -> Result<(), ServiceError> {
    #[allow(clippy::disallowed_methods, reason = "one task, once")]
    let plans = tokio::task::spawn_blocking(number::warm_up);
    start_logging(&config)?;
    let metrics = start_metrics()?;
    let mut signals = Signals::new()?;

    let listener = agi_listener(&config)?;
    let surface = http::bind(config.http.listen).await.map_err(|source| ServiceError::Listen {
        what: "HTTP",
        address: config.http.listen,
        source,
    })?;

    let closing = CancellationToken::new();
    let store = store(&config)?;
    if config.database.is_embedded()
        && let Err(fault) = store.migrate().await
    {
        // Emergency calls need no database, so an unusable file is no reason to be gone.
        error!(error = %fault, "the database cannot be used; calls but emergency calls take the dialplan's fallback");
    }
    let alarms = Alarms::default();
    // First: while the database is away, it answers the first calls.
    start_replica(&store, &closing)?;
    // Calls that came while the agent restarted are all decided at once: nothing of the start is left to them. Waiting for the
    // numbering plans they would stop every worker, and with them each other's questions.
    let _ = tokio::join!(store.open_pool(), plans);
    let watched = tokio::spawn(replica_watch(store.clone(), alarms.clone()));
    let shipping = CancellationToken::new();
    let shipper = record_shipper(&config, &store, &alarms)?;
    let mut sources = Sources { node: config.node.name.clone(), alarms, shipments: vec![shipper.progress()] };
    let shipped = on_own_thread("records", {
        let shipping = shipping.clone();
        move || shipper.run(shipping)
    })?;
    let callbacks = Callbacks::kept_in(config.emergency.spool.join("callbacks.json"));
    let atlas = emergency::start(&config, &store, &callbacks, &closing)?;
    let fallen_back = tokio::spawn(emergency::keep_fallback(config.clone(), atlas.clone(), sources.alarms.clone()));
    let voicemail = voicemail::port(&config, &store, &sources.alarms)?;
    let messages_shipped = voicemail::start(&config, &store, &voicemail, &mut sources, &shipping, &closing)?;
    let (tapper, recordings_shipped) = recordings::start(&config, &store, &mut sources, &shipping, &closing)?;
    let speech = speech(&config);
    speech.sweep();
    let ports = Ports::new(
        store.clone(),
        rules(&config),
        atlas,
        callbacks.clone(),
        speech,
        config.media.recordings.clone(),
        voicemail,
        lookups()?,
    );
    let ports = Arc::new(ports.with_orders(tapper.orders()));
    emergency::start_notices(&config, store.clone(), &ports, &sources.alarms, &closing)?;
    let peers = Peers { token: config.emergency.peer_token.clone(), callbacks };

    let readiness = Readiness::default();
    let metrics_upkeep = tokio::spawn(metrics_upkeep(metrics.clone()));

    let hands = Hands { ari: supervision::start(&config, &store, &tapper, &closing)?, tapper, store: store.clone() };
    let board = hands.ari.as_ref().map(|ari| ari.board.clone());
    let (interception_alarms, interceptions_shipped) =
        interceptions::start(&config, &store, board, &shipping, &closing)?;
    let clerk = Clerk::new(&config.node.name, store.clone(), hands);
    if config.ari.is_used() {
        tokio::spawn(closing.clone().run_until_cancelled_owned(clerk.clone().run()));
    }
    let api = Api::new(store.clone(), clerk, voicemail::depot(&config, &store)?, interception_alarms);
    let stop = Stop::default();
    let stasis = start_stasis(&config, &ports, &stop).await?;
    let intake = intake::serve(listener, config.agi.clone(), Flow::NAMES, stop.clone(), move |mut call| {
        let ports = Arc::clone(&ports);
        async move {
            let arguments = call.arguments().to_vec();
            if let Some(flow) = flow(call.flow()) {
                flows::run(flow, &arguments, &mut call, &ports).await;
            }
        }
    });
    let mut intake = tokio::spawn(intake);

    readiness.set(true);
    // Who asks is told from the first answer on that we are ready.
    let http = tokio::spawn(http::serve(surface, readiness.clone(), metrics, sources, peers, api, closing.clone()));
    tell(&[NotifyState::Ready]);
    info!(node = config.node.name, agi = %config.agi.listen, http = %config.http.listen, "serving");

    tokio::select! {
        () = signals.next() => {}
        ended = &mut intake => {
            let why = match ended {
                Ok(Ok(())) => "it ended by itself".to_owned(),
                Ok(Err(fault)) => fault.to_string(),
                Err(fault) => fault.to_string(),
            };
            return Err(ServiceError::Broken(why));
        }
    }
    info!(
        "stopping: conversations have {} s, and calls are served until they have ended; a second signal ends them",
        config.agi.drain_seconds
    );
    tell(&[NotifyState::Stopping]);
    readiness.set(false);
    stop.soft.cancel();
    tokio::select! {
        _ = async { tokio::join!(intake, stasis) } => {}
        () = async { signals.next().await; stop.hard.cancel(); std::future::pending().await } => {}
    }
    shipping.cancel();
    // It is at the disk, if not at its end.
    let _ = timeout(SHIPPING_ENDS, async {
        tokio::join!(shipped, messages_shipped, recordings_shipped, interceptions_shipped)
    })
    .await;
    closing.cancel();
    metrics_upkeep.abort();
    watched.abort();
    fallen_back.abort();
    if let Ok(Err(broken)) = http.await {
        error!(error = %broken, "the HTTP surface broke");
    }
    info!("stopped");
    Ok(())
}

/// The flow of that name, which a dialplan asked for.
fn flow(name: &str) -> Option<Flow> {
    let flow = Flow::named(name);
    if flow.is_none() {
        warn!(flow = name, "there is no such flow; look at the AGI() or Stasis() call in the dialplan");
    }
    flow
}

/// Takes calls that come by ARI, if any do.
async fn start_stasis(config: &Config, ports: &Arc<Ports>, stop: &Stop) -> Result<JoinHandle<()>, ServiceError> {
    let Some(ari) = ari(config)? else { return Ok(tokio::spawn(async {})) };
    let listener = match config.ari.listen {
        None => None,
        Some(address) => {
            let listener = socket::listen(address).await;
            let failed = |source| ServiceError::Listen { what: "ARI", address, source };
            Some((listener.map_err(failed)?, config.agi.peers.clone()))
        }
    };
    let drain = Duration::from_secs(config.agi.drain_seconds);
    let ports = Arc::clone(ports);
    let handler = move |mut call: AriCall| {
        let ports = Arc::clone(&ports);
        async move {
            let arguments = call.arguments();
            if let Some(flow) = flow(call.flow()) {
                flows::run(flow, &arguments, &mut call, &ports).await;
            }
            call.finish().await;
        }
    };
    Ok(tokio::spawn(stasis::serve(ari, config.ari.clone(), listener, drain, Flow::NAMES, stop.clone(), handler)))
}

/// Asterisk's REST interface, if it is used.
///
/// # Errors
/// The client cannot be built.
pub fn ari(config: &Config) -> Result<Option<Ari>, ServiceError> {
    if config.ari.is_used() { ari_of(config, &config.ari.app).map(Some) } else { Ok(None) }
}

/// The same for an app of its own.
fn ari_of(config: &Config, app: &str) -> Result<Ari, ServiceError> {
    let config::Ari { url, user, password, request_ms, .. } = &config.ari;
    let ari = Ari::new(url, user, password, app, Duration::from_millis(*request_ms));
    ari.map_err(|error| ServiceError::SetUp(error.to_string()))
}

/// Keeps the replica.
fn start_replica(store: &Store, closing: &CancellationToken) -> Result<(), ServiceError> {
    let (store, closing) = (store.clone(), closing.clone());
    let keep = move || async move {
        tokio::select! {
            () = store.keep_replica() => {}
            () = closing.cancelled() => {}
        }
    };
    on_own_thread("replica", keep).map(drop)
}

/// Speech from text, by this configuration.
#[must_use]
pub fn speech(config: &Config) -> Speech {
    Speech::new(&config.media.recordings, config.media.speech)
}

/// Who asks web servers of accounts.
///
/// # Errors
/// The client cannot be built.
pub fn lookups() -> Result<Lookups, ServiceError> {
    // Of several in one process the first holds: they are all alike.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Lookups::new().map_err(|error| ServiceError::SetUp(format!("web servers cannot be asked: {error}")))
}

/// Tells how the replica is, for as long as it is polled.
async fn replica_watch(store: Store, alarms: Alarms) {
    let Some(state) = store.watch_replica() else { return };
    let (lag, size) = (metrics::gauge!("tandem_replica_lag_seconds"), metrics::gauge!("tandem_replica_bytes"));
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(REPLICA_LOOK);
    loop {
        ticks.tick().await;
        let state = state.borrow().clone();
        let behind = state.current_at.unwrap_or(begun).elapsed();
        lag.set(behind.as_secs_f64());
        #[allow(clippy::cast_precision_loss, reason = "for people")]
        size.set(state.bytes as f64);
        let silent = if state.filled { "the database does not answer" } else { "it is being filled" };
        let why = state.fault.unwrap_or_else(|| silent.to_owned());
        let text = if state.filled {
            format!("the replica is {} s behind the database: {why}", behind.as_secs())
        } else {
            format!("there is no replica, and calls need the database: {why}")
        };
        alarms.set("replica", (behind >= REPLICA_BEHIND).then_some(text));
    }
}

/// The shipper of call records. A spool that cannot be used is an alarm, and no reason to serve no calls; one that another
/// agent ships from is.
fn record_shipper(config: &Config, store: &Store, alarms: &Alarms) -> Result<Shipper<CallRecords>, ServiceError> {
    let records = &config.records;
    let spool = Spool::new(&records.spool);
    let lock = spool_lock(&spool)?;
    let wait = Duration::from_millis(records.batch_ms);
    let intake = Intake::new(&records.file, &config.node.name, records.batch_rows, wait, alarms.clone());
    let writer = store.writer(Duration::from_secs(records.write_seconds));
    let cargo = CallRecords::new(intake, writer, &config.node.name, spool.clone(), alarms.clone());
    let settings = Settings {
        batch_rows: records.batch_rows,
        rows_per_second: records.rows_per_second,
        alarm_after: TimeDelta::seconds(records.alarm_seconds.into()),
        keep: TimeDelta::hours(records.keep_hours.into()),
        reserve: u64::from(records.reserve_mib) << 20,
    };
    Ok(Shipper::new(cargo, spool, lock, settings, alarms.clone()))
}

/// The right to ship from a spool; `None` where that cannot be used yet: the shipper tries again, and raises the alarm.
fn spool_lock(spool: &Spool) -> Result<Option<Lock>, ServiceError> {
    match spool.lock() {
        Ok(lock) => Ok(Some(lock)),
        Err(error @ SpoolError::InUse { .. }) => Err(ServiceError::SetUp(error.to_string())),
        Err(SpoolError::Unusable { .. }) => Ok(None),
    }
}

/// Runs work that waits for the disk where no call waits with it; the receiver tells its end.
fn on_own_thread<F: Future<Output = ()>>(
    name: &str,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<oneshot::Receiver<()>, ServiceError> {
    let failed = |error: std::io::Error| ServiceError::SetUp(format!("the thread {name} could not start: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (ended, end) = oneshot::channel();
    let run = move || {
        runtime.block_on(work());
        // Nobody may be waiting any more.
        let _ = ended.send(());
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(failed)?;
    Ok(end)
}

/// Brings the schema up to date.
///
/// # Errors
/// No database could be reached, or a migration failed.
pub async fn migrate(config: &Config) -> Result<(), ServiceError> {
    Ok(store(config)?.migrate().await?)
}

/// The store of this configuration; it connects when it is first asked.
///
/// # Errors
/// A URL that cannot be read.
pub fn store(config: &Config) -> Result<Store, StoreError> {
    let database = &config.database;
    Store::new(&store::Options {
        urls: database.urls.clone(),
        connections: database.connections,
        question: Duration::from_millis(database.question_ms),
        connect: Duration::from_millis(database.connect_ms),
        probe: Duration::from_millis(database.probe_ms),
    })
    .map(|store| {
        let replica = &config.replica;
        let poll = Duration::from_millis(replica.poll_ms);
        store.of_node(&config.node.name).with_replica(ReplicaOptions { folder: replica.folder.clone(), poll })
    })
}

/// What the configuration says about decisions.
#[must_use]
pub fn rules(config: &Config) -> Rules {
    Rules {
        deadline: config.decision_deadline(),
        line_dial: config.route.line_dial.clone(),
        gateway_dial: config.route.gateway_dial.clone(),
        attempts: config.route.attempts,
        forwards: config.route.forwards,
        expected_seconds: config.route.expected_seconds,
        emergency_numbers: config.emergency.numbers.clone(),
        emergency_prefixes: config.emergency.prefixes.clone(),
        emergency_test_numbers: config.emergency.test_numbers.clone(),
        emergency_gateways: config.emergency.gateways.clone(),
        emergency_facility_gateways: config.emergency.facility_gateways.clone(),
        callback: Duration::from_secs(u64::from(config.emergency.callback_minutes) * 60),
        emergency_ring_seconds: config.emergency.ring_seconds,
    }
}

/// The listener that the service manager holds, else one of our own.
fn agi_listener(config: &Config) -> Result<std::net::TcpListener, ServiceError> {
    let failed = |source| ServiceError::Listen { what: "FastAGI", address: config.agi.listen, source };
    match ListenFd::from_env().take_tcp_listener(0).map_err(failed)? {
        Some(listener) => Ok(listener),
        None => intake::bind(&config.agi).map_err(failed),
    }
}

/// Starts the log, on standard error.
///
/// # Errors
/// A filter that cannot be read.
pub fn start_logging(config: &Config) -> Result<(), ServiceError> {
    let filter = EnvFilter::try_new(&config.log.filter)
        .map_err(|error| ServiceError::SetUp(format!("log.filter: {error}; use \"info\"")))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match config.log.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
    started.map_err(|error| ServiceError::SetUp(format!("logging could not start: {error}")))
}

fn start_metrics() -> Result<PrometheusHandle, ServiceError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| ServiceError::SetUp(format!("metrics could not start: {error}")))
}

/// Drains histograms, and tells the service manager that the runtime is alive.
async fn metrics_upkeep(metrics: PrometheusHandle) {
    let watchdog = sd_notify::watchdog_enabled();
    let every = watchdog.map_or(Duration::from_secs(5), |limit| limit / 3);
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
        if watchdog.is_some() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

/// Tells the service manager, if there is one.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!(%error, "the service manager could not be told; see NOTIFY_SOCKET");
    }
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Signals, ServiceError> {
        let failed = |error| ServiceError::SetUp(format!("signals cannot be caught: {error}"));
        Ok(Signals {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
