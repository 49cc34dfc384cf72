//! The lamps of phones. Asterisk keeps how many messages a mailbox has, and tells the phones (RFC 3842); the agent tells Asterisk, by its manager
//! interface: whenever the replica followed a change of a mailbox, and everything when Asterisk or the connection came back.
//!
//! One channel tells of many mailboxes: the dialplan (`tandem-lamps`) has `MinivmMWI` for each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::alarm::Alarms;
use crate::store::asking::Asking;
use crate::store::mailbox::Counts;
use crate::store::replica::Changed;
use crate::store::{Store, StoreError};
use crate::wire::ami::{Ami, AmiError};

/// Bytes of the mailboxes that one channel tells of: Asterisk throws lines away that have more than 1024 (`main/manager.c`, `get_input`).
const TOGETHER: usize = 900;
/// Until what failed is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// For a question to the replica.
const QUESTION: Duration = Duration::from_secs(2);
/// While all lamps are told, calls come first.
const PAUSE: Duration = Duration::from_millis(20);

/// How Asterisk is reached.
#[derive(Debug, Clone)]
pub struct Manager {
    /// Address of its manager interface.
    pub address: SocketAddr,
    /// The agent's name there.
    pub user: String,
    /// Its password.
    pub secret: String,
}

/// Why lamps are not told.
#[derive(Debug, thiserror::Error)]
enum Dark {
    #[error(transparent)]
    Asterisk(#[from] AmiError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells Asterisk how many messages each mailbox has, until `stop`.
pub async fn run(manager: Manager, store: Store, alarms: Alarms, stop: CancellationToken) {
    loop {
        let told = tokio::select! {
            () = stop.cancelled() => return,
            told = tell(&manager, &store, &alarms) => told,
        };
        if let Err(error) = told {
            alarms.raise("voicemail.lamps", format!("phones are not told of messages: {error}; see asterisk.manager"));
        }
        sleep(AGAIN).await;
    }
}

/// Tells everything, then what changes, until something fails.
async fn tell(manager: &Manager, store: &Store, alarms: &Alarms) -> Result<(), Dark> {
    let Some(mut changes) = store.replica_changes() else { return Ok(()) };
    let mut ami = Ami::connect(manager.address, &manager.user, &manager.secret).await?;
    // What Asterisk knows is as old as it: nothing that it was told before counts.
    let mut told: BTreeMap<String, Counts> = BTreeMap::new();
    let mut everything = true;
    loop {
        let mut news = BTreeMap::new();
        if std::mem::take(&mut everything) {
            news.extend(store.all_mailbox_counts().await?);
            // A mailbox that is gone has no messages.
            let gone: Vec<String> = told.keys().filter(|id| !news.contains_key(*id)).cloned().collect();
            news.extend(gone.into_iter().map(|id| (id, Counts::default())));
        }
        let mut changed = BTreeSet::new();
        if news.is_empty() {
            alarms.clear("voicemail.lamps");
            let change = tokio::select! {
                change = changes.recv() => change,
                broken = ami.broken() => return Err(broken.into()),
            };
            let mut next = Some(change);
            while let Some(change) = next {
                match change {
                    Ok(Changed::Rows("mailbox_messages", mailboxes)) => changed.extend(mailboxes),
                    Ok(Changed::Rows(..)) => {}
                    Ok(Changed::Everything) | Err(RecvError::Lagged(_)) => everything = true,
                    Err(RecvError::Closed) => return Ok(()),
                }
                next = changes.try_recv().ok().map(Ok);
            }
        }
        for id in changed {
            let counts = store.mailbox_counts(&id, &mut Asking::until(Instant::now() + QUESTION)).await?;
            news.insert(id, counts);
        }
        // Phones are not woken for what they know.
        news.retain(|id, counts| told.get(id) != Some(counts));
        let mut list = String::new();
        for (id, Counts { urgent, fresh, old }) in &news {
            // Ids have neither `=` nor `&`. MinivmMWI adds the urgent ones to the new ones.
            let _ = write!(list, "&{id}={urgent}={fresh}={old}");
            if list.len() > TOGETHER {
                push(&mut ami, &list).await?;
                list.clear();
                sleep(PAUSE).await;
            }
        }
        if !list.is_empty() {
            push(&mut ami, &list).await?;
        }
        metrics::counter!("tandem_lamps_total").increment(news.len() as u64);
        told.extend(news);
    }
}

async fn push(ami: &mut Ami, list: &str) -> Result<(), AmiError> {
    let variable = format!("TANDEM_LAMPS={}", list.trim_start_matches('&'));
    let originate = [
        ("Channel", "Local/lamps@tandem-lamps/n"),
        ("Application", "NoOp"),
        ("Async", "true"),
        ("Variable", variable.as_str()),
        // It is nobody's call.
        ("Variable", "CDR_PROP(disable)=1"),
    ];
    ami.act("Originate", &originate).await
}
