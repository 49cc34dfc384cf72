//! The parts that recordings of calls need, and how they are started.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::voicemail::{depot, manager};
use super::{ServiceError, on_own_thread, spool_lock};
use crate::admin::status::Sources;
use crate::buffer::shipper::{Settings, Shipper};
use crate::buffer::spool::Spool;
use crate::config::Config;
use crate::media::sox::Sox;
use crate::store::Store;
use crate::store::chore;
use crate::tap::cargo::Recordings;
use crate::tap::monitor::Monitor;
use crate::tap::notes::Folder;
use crate::tap::tapper::Tapper;
use crate::tap::upkeep::Upkeep;
use crate::tap::watch::{Parts, Watch};

/// Recordings that are sent a second at the most: each has megabytes.
const RECORDINGS_PER_SECOND: u32 = 100;
/// The writer's patience for one of them.
const PATIENCE: Duration = Duration::from_secs(60);
/// For counting a call, which begins meanwhile.
const COUNTING: Duration = Duration::from_secs(1);

/// Records calls, ships what was recorded, and tidies up. Returns who tells it of calls; the receiver tells when shipping has ended.
pub(super) fn start(
    config: &Config,
    store: &Store,
    sources: &mut Sources,
    shipping: &CancellationToken,
    closing: &CancellationToken,
) -> Result<(Tapper, oneshot::Receiver<()>), ServiceError> {
    let settings = &config.recordings;
    let folder = Folder::new(&config.media.recordings);
    let spool = Spool::new(&settings.spool);
    let lock = spool_lock(&spool)?;
    let cargo = Recordings {
        folder: folder.clone(),
        node: config.node.name.clone(),
        writer: store.writer(PATIENCE),
        depot: depot(config, store)?,
        sox: settings.compact.then(|| Sox::new(&config.media.recordings)),
        looked: None,
        prepared: None,
    };
    let shipper_settings = Settings {
        batch_rows: 1,
        rows_per_second: RECORDINGS_PER_SECOND,
        alarm_after: TimeDelta::seconds(settings.alarm_seconds.into()),
        keep: TimeDelta::zero(),
        // What Asterisk recorded stays where it is until there is room.
        reserve: 0,
    };
    let shipper = Shipper::new(cargo, spool, lock, shipper_settings, sources.alarms.clone());
    sources.shipments.push(shipper.progress());
    let shipped = on_own_thread("recordings", {
        let shipping = shipping.clone();
        move || shipper.run(shipping)
    })?;
    let keep = {
        let (node, writer) = (config.node.name.clone(), store.writer(PATIENCE));
        chore::keep(Upkeep, node, writer, Duration::from_secs(settings.upkeep_seconds), closing.clone())
    };
    on_own_thread("recording-upkeep", move || keep)?;
    let (watch, tapper) = Watch::new(Parts {
        node: config.node.name.clone(),
        folder,
        monitor: Monitor::new(manager(config)),
        store: store.clone(),
        writer: store.writer(COUNTING),
        alarms: sources.alarms.clone(),
    });
    on_own_thread("tap", {
        let closing = closing.clone();
        move || watch.run(closing)
    })?;
    Ok((tapper, shipped))
}
