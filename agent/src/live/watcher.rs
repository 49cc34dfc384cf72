//! Hears of calls from Asterisk, and keeps the board.
//!
//! A Stasis app of its own hears of every channel, and of few kinds of events: when one channel dials another, is answered, or ends. By the first of
//! them the dialplan has said whose the channel is. Events may be missed while the websocket is away, so that after each connection, and now and then,
//! all channels are listed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::future::OptionFuture;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tracing::{error, info, warn};

use super::board::Board;
use super::leg;
use crate::store::live_call::{LiveCall, State};
use crate::wire::ari::model::Channel;
use crate::wire::ari::{Ari, AriError};
use crate::wire::ari_events::Event;
use crate::wire::ari_events::socket::{Socket, SocketError};

/// What is heard of.
const KINDS: [&str; 3] = ["ChannelStateChange", "ChannelDestroyed", "Dial"];
/// Between two looks at all channels.
const LOOK: Duration = Duration::from_secs(30);
/// Questions about legs at once.
const ASKING: usize = 16;
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// After so long without Asterisk its calls are taken for ended.
const GIVEN_UP: Duration = Duration::from_secs(15);

/// Follows the calls of one Asterisk.
#[derive(Debug)]
pub struct Watcher {
    ari: Ari,
    url: String,
    credentials: HeaderValue,
    board: Board,
    /// Questions about legs in flight.
    asking: Arc<Semaphore>,
}

/// Why the websocket was left.
enum Left {
    /// It broke.
    Broken(SocketError),
    /// Another agent has taken the app over.
    Replaced,
}

impl Watcher {
    /// Follows the calls of the Asterisk at `url`, of which `ari` speaks too, by that one's app.
    #[must_use]
    pub fn new(ari: Ari, url: &str, credentials: HeaderValue, board: Board) -> Watcher {
        Watcher { ari, url: url.to_owned(), credentials, board, asking: Arc::new(Semaphore::new(ASKING)) }
    }

    /// Follows them for as long as it is polled.
    pub async fn run(self) {
        let (mut seen, mut told) = (Instant::now(), false);
        loop {
            let left = match Socket::connect(&self.url, &self.credentials, self.ari.app(), true).await {
                Ok(socket) => {
                    info!(app = self.ari.app(), "live calls are followed");
                    told = false;
                    let left = self.follow(socket).await;
                    seen = Instant::now();
                    left
                }
                Err(error) => Left::Broken(error),
            };
            match left {
                Left::Broken(error) if !told => warn!(%error, "live calls are not followed, trying on"),
                Left::Broken(_) => {}
                Left::Replaced => {
                    error!(
                        app = self.ari.app(),
                        "another agent follows the live calls; two agents need an ari.app each"
                    );
                    break;
                }
            }
            told = true;
            if seen.elapsed() >= GIVEN_UP {
                self.board.keep_only(&HashSet::new());
            }
            sleep(PAUSE).await;
        }
        self.board.keep_only(&HashSet::new());
    }

    async fn follow(&self, mut socket: Socket) -> Left {
        if let Err(error) = self.ari.hear_only(&KINDS).await {
            warn!(%error, "Asterisk tells more of live calls than is needed");
        }
        let mut looks = interval(LOOK);
        let mut look: Option<JoinHandle<Result<Vec<Channel>, AriError>>> = None;
        // Of whom we heard during the look: what that found is older.
        let mut heard = HashSet::new();
        loop {
            tokio::select! {
                event = socket.next() => match event {
                    Ok(Event::ApplicationReplaced) => return Left::Replaced,
                    Ok(event) => {
                        if look.is_some() {
                            heard.extend(named(&event));
                        }
                        self.take(event);
                    }
                    Err(error) => return Left::Broken(error),
                },
                _ = looks.tick(), if look.is_none() => {
                    heard.clear();
                    let ari = self.ari.clone();
                    look = Some(tokio::spawn(async move { ari.channels().await }));
                }
                Some(found) = OptionFuture::from(look.as_mut()) => {
                    look = None;
                    match found {
                        Ok(Ok(channels)) => self.compare(&channels, std::mem::take(&mut heard)),
                        Ok(Err(error)) => {
                            warn!(%error, "the live calls cannot be listed, trying again");
                            looks.reset_after(PAUSE);
                        }
                        // It panicked, or we end.
                        Err(_) => {}
                    }
                }
            }
        }
    }

    fn take(&self, event: Event) {
        match event {
            Event::ChannelDestroyed { channel } => self.board.remove(&channel.id),
            Event::ChannelStateChange { channel } => self.put(leg::read(&channel), false),
            Event::Dial { caller, peer, dialstatus } if dialstatus.is_empty() => {
                let caller = caller.as_deref().and_then(leg::read);
                let linked_id = caller.as_ref().map(|caller| caller.uniqueid.clone());
                self.put(caller, true);
                let peer = leg::read(&peer);
                let linked =
                    |peer: LiveCall| LiveCall { linked_id: linked_id.unwrap_or(peer.uniqueid.clone()), ..peer };
                self.put(peer.map(linked), false);
            }
            _ => {}
        }
    }

    /// Puts a leg on the board; of a new one, or `anew`, the dialplan is asked what it knows.
    fn put(&self, leg: Option<LiveCall>, anew: bool) {
        let Some(leg) = leg else { return };
        let asks = anew || !self.board.has(&leg.uniqueid);
        let uniqueid = leg.uniqueid.clone();
        // Of its answer we hear at once.
        let answered_at = (leg.state == State::Talks).then(Utc::now);
        self.board.put(LiveCall { answered_at, ..leg });
        if asks {
            self.ask(uniqueid);
        }
    }

    fn ask(&self, uniqueid: String) {
        let (ari, board, places) = (self.ari.clone(), self.board.clone(), Arc::clone(&self.asking));
        tokio::spawn(async move {
            let _place = places.acquire().await;
            // One that has hung up meanwhile needs no facts.
            let Ok(values) = ari.get(&uniqueid, &leg::VARIABLES).await else { return };
            if let Some((account_id, dialled)) = leg::facts(&values) {
                board.add(&uniqueid, account_id, dialled);
            }
        });
    }

    /// What is there is on the board, and nothing else.
    fn compare(&self, channels: &[Channel], mut heard: HashSet<String>) {
        for leg in channels.iter().filter(|channel| !heard.contains(&channel.id)).filter_map(leg::read) {
            let (known, uniqueid) = (self.board.has(&leg.uniqueid), leg.uniqueid.clone());
            self.board.put(leg);
            if !known {
                self.ask(uniqueid);
            }
        }
        heard.extend(channels.iter().map(|channel| channel.id.clone()));
        self.board.keep_only(&heard);
    }
}

/// The channels of which an event tells.
fn named(event: &Event) -> Vec<String> {
    let caller = if let Event::Dial { caller: Some(caller), .. } = event { Some(caller.id.as_str()) } else { None };
    caller.into_iter().chain(event.channel_id()).map(str::to_owned).collect()
}
