//! The parts that emergency calls need, and how they are started.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{ServiceError, on_own_thread};
use crate::alarm::Alarms;
use crate::config::Config;
use crate::console::Console;
use crate::emergency::atlas::Atlas;
use crate::emergency::callbacks::Callbacks;
use crate::emergency::fallback::Fallback;
use crate::emergency::upkeep;
use crate::flows::Ports;
use crate::notices::dispatcher::{self, Dispatcher};
use crate::notices::notice::Way;
use crate::store::Store;

/// Until the fallback is tried again that could not be written or read.
const FALLBACK_AGAIN: Duration = Duration::from_secs(10);

/// Keeps what emergency calls need in memory.
pub(super) fn start(
    config: &Config,
    store: &Store,
    callbacks: &Callbacks,
    closing: &CancellationToken,
) -> Result<watch::Receiver<Arc<Atlas>>, ServiceError> {
    let (atlas, current) = watch::channel(Arc::new(Atlas::default()));
    let (store, callbacks, closing) = (store.clone(), callbacks.clone(), closing.clone());
    let window = TimeDelta::minutes(config.emergency.callback_minutes.into());
    let keep = move || async move {
        tokio::select! {
            () = upkeep::run(store, atlas, callbacks, window) => {}
            () = closing.cancelled() => {}
        }
    };
    on_own_thread("emergency", keep)?;
    Ok(current)
}

/// Sends the notices of emergency calls.
pub(super) fn start_notices(
    config: &Config,
    store: Store,
    ports: &Ports,
    alarms: &Alarms,
    closing: &CancellationToken,
) -> Result<(), ServiceError> {
    let (callbacks, talks) = (ports.callbacks.clone(), ports.talks.clone());
    let dispatcher = Dispatcher::new(notice_settings(config), store, callbacks, talks, alarms.clone());
    let dispatcher = dispatcher.map_err(|error| ServiceError::SetUp(format!("notices cannot be sent: {error}")))?;
    let closing = closing.clone();
    on_own_thread("notices", move || dispatcher.run(closing)).map(drop)
}

/// How notices of emergency calls are sent.
fn notice_settings(config: &Config) -> dispatcher::Settings {
    let contacts = config.notices.contacts.iter().filter_map(|contact| {
        let (way, address) = contact.split_once(':')?;
        Some((Way::named(way)?, address.to_owned()))
    });
    let peers = config.emergency.peers.iter().map(|peer| (Way::Peer, peer.clone()));
    dispatcher::Settings {
        node: config.node.name.clone(),
        file: config.emergency.file.clone(),
        spool: config.emergency.spool.clone(),
        records: config.records.spool.clone(),
        smtp: config.notices.smtp.clone(),
        from: config.notices.from.clone(),
        contacts: contacts.chain(peers).collect(),
        peer_token: config.emergency.peer_token.clone(),
        patience: Duration::from_secs(config.notices.try_seconds),
        alarm_after: TimeDelta::seconds(config.notices.alarm_seconds.into()),
        window: TimeDelta::minutes(config.emergency.callback_minutes.into()),
        console: Console::new(&config.asterisk.command),
        line_dial: config.route.line_dial.clone(),
    }
}

/// What the dialplan alone is to know of emergency calls.
#[must_use]
pub fn fallback(config: &Config) -> Fallback {
    let emergency = &config.emergency;
    Fallback {
        numbers: emergency.numbers.clone(),
        prefixes: emergency.prefixes.clone(),
        gateways: emergency.gateways.clone(),
        facility_gateways: emergency.facility_gateways.clone(),
        ring_seconds: emergency.ring_seconds,
        caller: emergency.fallback_caller.clone(),
    }
}

/// Writes that down whenever the data change, if a file is named for it.
pub(super) async fn keep_fallback(config: Config, mut atlas: watch::Receiver<Arc<Atlas>>, alarms: Alarms) {
    let path = config.emergency.fallback_file.clone();
    if path.as_os_str().is_empty() {
        return;
    }
    let (fallback, console) = (fallback(&config), Console::new(&config.asterisk.command));
    let mut unread = false;
    // The first atlas is empty: what the file says from before is better.
    while atlas.changed().await.is_ok() {
        loop {
            let current = Arc::clone(&atlas.borrow_and_update());
            let outcome = match fallback.write(&current, &path) {
                Ok(changed) if changed || unread => {
                    unread = true;
                    console.ask("dialplan reload").await.map(|_| unread = false)
                }
                Ok(_) => Ok(()),
                Err(error) => Err(format!("{}: {error}", path.display())),
            };
            let failed = outcome.is_err();
            let text = |error| format!("what the dialplan knows of emergency calls cannot be kept up to date: {error}");
            alarms.set("emergency.fallback", outcome.err().map(text));
            if !failed {
                break;
            }
            sleep(FALLBACK_AGAIN).await;
        }
    }
}
