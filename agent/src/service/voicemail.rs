//! The parts that mailboxes need, and how they are started.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{ServiceError, on_own_thread, spool_lock};
use crate::admin::status::Sources;
use crate::alarm::Alarms;
use crate::buffer::shipper::{Settings, Shipper};
use crate::buffer::spool::Spool;
use crate::config::Config;
use crate::media::cache::Cache;
use crate::media::depot::{Bucket, Depot, Options};
use crate::media::sox::Sox;
use crate::store::Store;
use crate::store::chore;
use crate::store::mailbox::Place;
use crate::voicemail::cargo;
use crate::voicemail::clerk::{Clerk, Desk};
use crate::voicemail::guesses::Guesses;
use crate::voicemail::lamps::{Lamps, Way};
use crate::voicemail::names::Names;
use crate::voicemail::passwords::Passwords;
use crate::voicemail::postman::{self, Postman};
use crate::voicemail::upkeep::Upkeep;
use crate::voicemail::{Rules, Voicemail};
use crate::wire::ami::Manager;

/// Messages that are sent a second at the most. Each has audio: the database has other work, too.
const MESSAGES_PER_SECOND: u32 = 500;
/// The writer's patience: a message may have megabytes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the flows need; it works as long as somebody holds it.
///
/// # Errors
/// A thread cannot be started, or the configuration names a bucket that cannot be.
pub fn port(config: &Config, store: &Store, alarms: &Alarms) -> Result<Voicemail, ServiceError> {
    let failed = |error: std::io::Error| ServiceError::SetUp(format!("voicemail cannot be served: {error}"));
    let settings = &config.voicemail;
    let least_sound = Duration::from_millis(settings.least_sound_ms);
    let desk = Desk {
        recordings: config.media.recordings.clone(),
        spool: Spool::new(&settings.spool),
        node: config.node.name.clone(),
        least_sound,
        alarms: alarms.clone(),
    };
    Ok(Voicemail {
        clerk: Clerk::start(desk).map_err(failed)?,
        cache: Cache::new(&settings.cache, u64::from(settings.cache_mib) << 20, depot(config, store)?),
        sox: Sox::new(&config.media.recordings),
        passwords: Passwords::start().map_err(failed)?,
        guesses: Guesses::default(),
        rules: Rules {
            least_sound,
            password_digits: settings.password_digits,
            lockout_guesses: settings.lockout_guesses.into(),
            lockout: Duration::from_secs(u64::from(settings.lockout_minutes) * 60),
            guess_delay: Duration::from_millis(settings.guess_delay_ms),
        },
    })
}

/// Where the audio of all nodes is.
///
/// # Errors
/// The configuration names a bucket that cannot be.
pub fn depot(config: &Config, store: &Store) -> Result<Depot, ServiceError> {
    let settings = &config.voicemail;
    let options = Options {
        place: Place::named(&settings.store).unwrap_or(Place::Database),
        directory: Some(settings.directory.clone()).filter(|directory| *directory != PathBuf::new()),
        s3: (!settings.s3_bucket.is_empty()).then(|| Bucket {
            name: settings.s3_bucket.clone(),
            region: settings.s3_region.clone(),
            endpoint: settings.s3_endpoint.clone(),
            key: settings.s3_key.clone(),
            secret: settings.s3_secret.clone(),
        }),
    };
    Depot::new(store.clone(), &options).map_err(ServiceError::SetUp)
}

/// Ships what callers leave, tells owners of it, and tidies up. The receiver tells when shipping has ended.
pub(super) fn start(
    config: &Config,
    store: &Store,
    voicemail: &Voicemail,
    sources: &mut Sources,
    shipping: &CancellationToken,
    closing: &CancellationToken,
) -> Result<oneshot::Receiver<()>, ServiceError> {
    let settings = &config.voicemail;
    let alarms = &sources.alarms;
    let alarm_after = TimeDelta::seconds(settings.alarm_seconds.into());
    let post = postman::Settings {
        node: config.node.name.clone(),
        spool: settings.spool.clone(),
        smtp: config.notices.smtp.clone(),
        from: config.notices.from.clone(),
        patience: Duration::from_secs(config.notices.try_seconds),
        alarm_after,
    };
    let (postman, letterbox) = Postman::new(post, alarms.clone())
        .map_err(|error| ServiceError::SetUp(format!("owners of mailboxes cannot be told: {error}")))?;
    let spool = Spool::new(&settings.spool);
    let lock = spool_lock(&spool)?;
    let cargo = cargo::Voicemail {
        store: store.clone(),
        writer: store.writer(PATIENCE),
        depot: voicemail.cache.depot().clone(),
        sox: settings.compact.then(|| voicemail.sox.clone()),
        letterbox,
        fresh: voicemail.clerk.fresh(),
        prepared: None,
    };
    let shipper_settings = Settings {
        // Each has its audio, which may be large.
        batch_rows: 1,
        rows_per_second: MESSAGES_PER_SECOND,
        alarm_after,
        keep: TimeDelta::zero(),
        // Asterisk records on another disk, or on the one that the records' reserve is on.
        reserve: 0,
    };
    let shipper = Shipper::new(cargo, spool, lock, shipper_settings, alarms.clone());
    let upkeep = {
        let job = Upkeep { store: store.clone(), depot: voicemail.cache.depot().clone() };
        let (node, writer) = (config.node.name.clone(), store.writer(PATIENCE));
        chore::keep(job, node, writer, Duration::from_secs(settings.upkeep_seconds), closing.clone())
    };
    sources.shipments.push(shipper.progress());
    let shipped = on_own_thread("voicemail", {
        let shipping = shipping.clone();
        move || shipper.run(shipping)
    })?;
    on_own_thread("voicemail-post", {
        let closing = closing.clone();
        move || postman.run(closing)
    })?;
    on_own_thread("voicemail-upkeep", move || upkeep)?;
    let names = Names { node: config.node.name.clone(), store: store.clone(), writer: store.writer(PATIENCE) };
    on_own_thread("directory-names", {
        let closing = closing.clone();
        move || names.run(closing)
    })?;
    if !config.asterisk.manager_secret.is_empty() {
        let lamps = Lamps {
            manager: manager(config),
            way: if settings.lamp_uri.is_empty() { Way::State } else { Way::Notify(settings.lamp_uri.clone()) },
            node: config.node.name.clone(),
            store: store.clone(),
            writer: store.writer(PATIENCE),
            alarms: alarms.clone(),
        };
        let closing = closing.clone();
        on_own_thread("voicemail-lamps", move || lamps.run(closing))?;
    }
    Ok(shipped)
}

/// How Asterisk's manager interface is reached.
#[must_use]
pub fn manager(config: &Config) -> Manager {
    let asterisk = &config.asterisk;
    Manager { address: asterisk.manager, user: asterisk.manager_user.clone(), secret: asterisk.manager_secret.clone() }
}
