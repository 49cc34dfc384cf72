//! The parts that intercept, and how they are started: in silence, so that neither logs nor metrics differ with and without warrants.

use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use chrono::TimeDelta;
use metrics::{NoopRecorder, with_local_recorder};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::voicemail::manager;
use super::{ServiceError, on_own_thread, spool_lock};
use crate::alarm::Alarms;
use crate::buffer::shipper::{Settings, Shipper};
use crate::buffer::spool::Spool;
use crate::config::Config;
use crate::intercept::armed;
use crate::intercept::cargo::Interceptions;
use crate::intercept::folder::Folder;
use crate::intercept::tap::Place;
use crate::intercept::watch::Watch;
use crate::live::board::Board;
use crate::store::Store;
use crate::tap::monitor::Monitor;

/// Parts that are sent a second at the most.
const PARTS_PER_SECOND: u32 = 100;
/// The writer's patience for one of them.
const PATIENCE: Duration = Duration::from_secs(30);
/// Parts that wait for so long are an alarm, for those who intercept.
const WAITING: TimeDelta = TimeDelta::minutes(1);

/// Where sealed parts wait.
#[must_use]
pub fn spool(config: &Config) -> PathBuf {
    config.recordings.spool.join("private")
}

/// Taps the lines of warrants that hold, and ships what comes of it. Returns what those who intercept have to look at; the receiver tells when shipping has
/// ended.
pub(super) fn start(
    config: &Config,
    store: &Store,
    board: Option<Board>,
    shipping: &CancellationToken,
    closing: &CancellationToken,
) -> Result<(Alarms, oneshot::Receiver<()>), ServiceError> {
    let alarms = Alarms::default();
    let spool = Spool::new(&spool(config));
    let lock = spool_lock(&spool)?;
    let settings = Settings {
        batch_rows: 1,
        rows_per_second: PARTS_PER_SECOND,
        alarm_after: WAITING,
        keep: TimeDelta::zero(),
        reserve: 0,
    };
    let cargo = Interceptions { writer: store.writer(PATIENCE) };
    let shipper =
        with_local_recorder(&NoopRecorder, || Shipper::new(cargo, spool.clone(), lock, settings, alarms.clone()));
    let shipped = on_own_thread("private-ship", {
        let shipping = shipping.clone();
        move || in_silence(shipper.run(shipping))
    })?;
    let (known, armed) = watch::channel(None);
    // Not in silence: it notices as all others do that the database is away, and tells nothing of its answers.
    tokio::spawn(closing.clone().run_until_cancelled_owned(armed::ask(store.clone(), known)));
    let watch = Watch {
        place: Place { node: config.node.name.clone(), folder: Folder::below(&config.media.recordings), spool },
        monitor: Monitor::new(manager(config)),
        armed,
        board,
        alarms: alarms.clone(),
    };
    on_own_thread("private-tap", {
        let closing = closing.clone();
        move || in_silence(watch.run(closing))
    })?;
    Ok((alarms, shipped))
}

/// Does work of which neither logs nor metrics tell.
async fn in_silence<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work.with_subscriber(NoSubscriber::default()));
    poll_fn(|context| with_local_recorder(&NoopRecorder, || work.as_mut().poll(context))).await
}
