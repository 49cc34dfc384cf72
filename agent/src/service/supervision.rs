//! The parts that look at the calls that go on and have to do with them, and how they are started.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::{ServiceError, ari_of, rules};
use crate::config::Config;
use crate::listen::desk::Desk;
use crate::listen::listener::Listener;
use crate::live::board::{Board, Change};
use crate::live::dialler::Dialler;
use crate::live::ledger::Ledger;
use crate::live::watcher::Watcher;
use crate::orders::hands::{ByAri, subject};
use crate::store::Store;
use crate::tap::tapper::Tapper;
use crate::wire::ari_events::socket;

/// For one write of the live calls; past it they are written anew.
const LIVE_WRITE: Duration = Duration::from_secs(3);

/// Follows the calls that go on, tells the tapper of them, and serves who listens; where Asterisk's REST interface is used.
pub(super) fn start(
    config: &Config,
    store: &Store,
    tapper: &Tapper,
    closing: &CancellationToken,
) -> Result<Option<ByAri>, ServiceError> {
    let ari = &config.ari;
    if !ari.is_used() {
        return Ok(None);
    }
    let credentials = || socket::credentials(&ari.user, &ari.password);
    let board = Board::default();
    if ari.live_calls {
        let speaks = ari_of(config, &format!("{}-calls", ari.app))?;
        let ledger = Ledger::new(board.clone(), store.live_writer(LIVE_WRITE));
        let watcher = Watcher::new(speaks, &ari.url, credentials(), board.clone());
        tokio::spawn(closing.clone().run_until_cancelled_owned(ledger.run()));
        tokio::spawn(closing.clone().run_until_cancelled_owned(tell(board.clone(), tapper.clone())));
        tokio::spawn(closing.clone().run_until_cancelled_owned(watcher.run()));
    }
    let listener = Listener::new(ari_of(config, &format!("{}-listen", ari.app))?, store.clone(), rules(config));
    let desk = Desk::new(listener.clone(), &ari.url, credentials());
    tokio::spawn(closing.clone().run_until_cancelled_owned(desk.run()));
    Ok(Some(ByAri { listener, dialler: Dialler::new(ari_of(config, &ari.app)?, store.clone(), rules(config)), board }))
}

/// Tells the tapper which channels there are. What it is not told, it sees by itself a second later.
async fn tell(board: Board, tapper: Tapper) {
    let mut changes = board.changes();
    loop {
        match changes.recv().await {
            Ok(Change::Appeared(leg)) => tapper.appeared(&subject(&leg)),
            Ok(Change::Gone(leg)) => tapper.gone(&leg.uniqueid),
            Ok(Change::Altered(_)) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
