//! The picture of the calls of this node, in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::gauge;
use tokio::sync::broadcast;

use crate::store::live_call::LiveCall;

/// Changes that a receiver may be behind, before it is told that it missed some: a second of 2000 calls that begin and end.
const BEHIND: usize = 8192;

/// The legs of the calls of this node. Cheap to clone; nobody who looks holds up who writes.
#[derive(Debug, Clone)]
pub struct Board {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    legs: Mutex<HashMap<String, Arc<LiveCall>>>,
    changes: broadcast::Sender<Change>,
}

/// What became of a leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Appeared(Arc<LiveCall>),
    /// It is so now.
    Altered(Arc<LiveCall>),
    /// It was so, and has ended.
    Gone(Arc<LiveCall>),
}

impl Default for Board {
    fn default() -> Self {
        let shared = Shared { legs: Mutex::default(), changes: broadcast::channel(BEHIND).0 };
        Board { shared: Arc::new(shared) }
    }
}

impl Board {
    /// The legs that there are.
    #[must_use]
    pub fn calls(&self) -> Vec<Arc<LiveCall>> {
        self.legs().values().cloned().collect()
    }

    /// What changes from now on. Who is told of a lag reads [`Board::calls`] again.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.shared.changes.subscribe()
    }

    /// A leg is so now.
    pub fn put(&self, leg: LiveCall) {
        let mut legs = self.legs();
        let before = legs.get(&leg.uniqueid);
        let now = Arc::new(before.map_or(leg.clone(), |before| joined(before, leg)));
        let change = match before {
            Some(before) if *before == now => return,
            Some(_) => Change::Altered(Arc::clone(&now)),
            None => Change::Appeared(Arc::clone(&now)),
        };
        legs.insert(now.uniqueid.clone(), now);
        self.tell(&legs, change);
    }

    /// Whether there is such a leg.
    #[must_use]
    pub fn has(&self, uniqueid: &str) -> bool {
        self.legs().contains_key(uniqueid)
    }

    /// What is known of a leg besides, if it is still there.
    pub fn add(&self, uniqueid: &str, account_id: Option<String>, dialled: String) {
        let mut legs = self.legs();
        let Some(leg) = legs.get_mut(uniqueid) else { return };
        let now = Arc::new(LiveCall { account_id, dialled, ..LiveCall::clone(leg) });
        if *leg != now {
            *leg = Arc::clone(&now);
            self.tell(&legs, Change::Altered(now));
        }
    }

    /// A leg has ended, if it was one.
    pub fn remove(&self, uniqueid: &str) {
        let mut legs = self.legs();
        if let Some(leg) = legs.remove(uniqueid) {
            self.tell(&legs, Change::Gone(leg));
        }
    }

    /// There are no legs but these.
    pub fn keep_only(&self, uniqueids: &HashSet<String>) {
        let mut legs = self.legs();
        let gone: Vec<String> = legs.keys().filter(|id| !uniqueids.contains(*id)).cloned().collect();
        for uniqueid in gone {
            if let Some(leg) = legs.remove(&uniqueid) {
                self.tell(&legs, Change::Gone(leg));
            }
        }
    }

    /// While the legs are held, so that changes are told in their order.
    fn tell(&self, legs: &HashMap<String, Arc<LiveCall>>, change: Change) {
        // 2^32 legs do not fit an Asterisk.
        gauge!("tandem_live_legs").set(f64::from(u32::try_from(legs.len()).unwrap_or(u32::MAX)));
        // Nobody may be listening.
        let _ = self.shared.changes.send(change);
    }

    fn legs(&self) -> MutexGuard<'_, HashMap<String, Arc<LiveCall>>> {
        self.shared.legs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is told later does not always tell all.
fn joined(before: &LiveCall, now: LiveCall) -> LiveCall {
    let linked = if now.linked_id == now.uniqueid { &before.linked_id } else { &now.linked_id };
    let dialled = if now.dialled.is_empty() { &before.dialled } else { &now.dialled };
    LiveCall {
        linked_id: linked.clone(),
        dialled: dialled.clone(),
        account_id: now.account_id.clone().or_else(|| before.account_id.clone()),
        answered_at: if before.state == now.state { before.answered_at } else { now.answered_at },
        ..now
    }
}
