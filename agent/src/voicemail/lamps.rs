//! The lamps of phones (RFC 3842), told by Asterisk, which the agent tells by its manager interface whenever the replica followed a change of a mailbox.
//!
//! - Phones that register on this node: Asterisk keeps how many messages a mailbox has, and tells those whose endpoint names it. Every node keeps it for
//!   itself, and is told everything when Asterisk or the connection comes back. One channel tells of many mailboxes: the dialplan (`tandem-lamps`)
//!   has `MinivmMWI` for each.
//! - Phones behind an edge ([`Way::Notify`]): a NOTIFY is sent to each line of the mailbox by way of the edge (`PJSIPNotify`), by one node for all: the
//!   one that holds the lease. Another takes over when it has gone, and repeats what changed meanwhile.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::alarm::Alarms;
use crate::store::asking::Asking;
use crate::store::mailbox::Counts;
use crate::store::replica::Changed;
use crate::store::writer::Writer;
use crate::store::{Store, StoreError};
use crate::wire::ami::{Ami, AmiError, Manager};

/// The job's name in `job_leases`.
const JOB: &str = "mailbox-lamps";
/// A lease holds for so long, and is renewed in a third of it.
const LEASE: Duration = Duration::from_secs(30);
/// What another node may have failed to tell before its lease ended is told again.
const REPEATED: Duration = Duration::from_secs(90);
/// Bytes of the mailboxes that one channel tells of: Asterisk throws lines away that have more than 1024 (`main/manager.c`, `get_input`).
const TOGETHER: usize = 900;
/// Until what failed is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// For a question to the replica.
const QUESTION: Duration = Duration::from_secs(2);
/// While all lamps are told, calls come first.
const PAUSE: Duration = Duration::from_millis(20);

/// How phones are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Asterisk keeps the numbers, and tells its endpoints.
    State,
    /// By NOTIFY to this URI, in which `{line}` is the line.
    Notify(String),
}

/// Tells lamps.
#[derive(Debug)]
pub struct Lamps {
    /// How Asterisk is reached.
    pub manager: Manager,
    /// How phones are told.
    pub way: Way,
    /// The node's name.
    pub node: String,
    /// The central data.
    pub store: Store,
    /// Takes the lease.
    pub writer: Writer,
    /// What operators look at.
    pub alarms: Alarms,
}

/// Why lamps are not told.
#[derive(Debug, thiserror::Error)]
enum Dark {
    #[error(transparent)]
    Asterisk(#[from] AmiError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose turn it is to tell phones behind the edge.
#[derive(Debug, Default)]
struct Turn {
    ours: bool,
    looked: Option<Instant>,
    /// What changed while it was another node's.
    others: VecDeque<(Instant, String)>,
}

impl Lamps {
    /// Tells them until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let told = tokio::select! {
                () = stop.cancelled() => return,
                told = self.tell() => told,
            };
            if let Err(error) = told {
                let text = format!("phones are not told of messages: {error}; see asterisk.manager");
                self.alarms.raise("voicemail.lamps", text);
            }
            sleep(AGAIN).await;
        }
    }

    /// Tells everything, then what changes, until something fails.
    async fn tell(&mut self) -> Result<(), Dark> {
        let Some(mut changes) = self.store.replica_changes() else { return Ok(()) };
        let mut ami = self.manager.connect().await?;
        // What Asterisk knows is as old as it: nothing that it was told before counts.
        let mut told: BTreeMap<String, Counts> = BTreeMap::new();
        let mut turn = Turn::default();
        let mut everything = true;
        loop {
            let mut changed = self.take_turn(&mut turn).await;
            let mut news = BTreeMap::new();
            if std::mem::take(&mut everything) {
                news.extend(self.store.all_mailbox_counts().await?);
                // A mailbox that is gone has no messages.
                let gone: Vec<String> = told.keys().filter(|id| !news.contains_key(*id)).cloned().collect();
                news.extend(gone.into_iter().map(|id| (id, Counts::default())));
            }
            // Phones are not woken for what they know; what another node should have told is told again.
            told.retain(|id, _| !changed.contains(id));
            if news.is_empty() && changed.is_empty() {
                self.alarms.clear("voicemail.lamps");
                let change = tokio::select! {
                    change = timeout(LEASE / 3, changes.recv()) => change,
                    broken = ami.broken() => return Err(broken.into()),
                };
                let mut next = change.ok();
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
                let mut asking = Asking::until(Instant::now() + QUESTION);
                let counts = self.store.mailbox_counts(&id, &mut asking).await?;
                news.insert(id, counts);
            }
            news.retain(|id, counts| told.get(id) != Some(counts));
            match &self.way {
                Way::State => keep(&mut ami, &news).await?,
                Way::Notify(uri) if turn.ours => self.notify(&mut ami, uri, &news).await?,
                Way::Notify(_) => turn.others.extend(news.keys().map(|id| (Instant::now(), id.clone()))),
            }
            told.extend(news);
        }
    }

    /// Sees whose turn it is; when it has become ours, what has to be told again.
    async fn take_turn(&mut self, turn: &mut Turn) -> BTreeSet<String> {
        if self.way == Way::State || turn.looked.is_some_and(|looked| looked.elapsed() < LEASE / 3) {
            return BTreeSet::new();
        }
        turn.looked = Some(Instant::now());
        let now = Utc::now();
        let until = now + TimeDelta::from_std(LEASE).unwrap_or(TimeDelta::zero());
        let was_ours = turn.ours;
        // Without the database nothing changes that lamps could tell.
        turn.ours = self.writer.take_lease(JOB, &self.node, now, until).await.unwrap_or(false);
        turn.others.retain(|(at, _)| at.elapsed() < REPEATED);
        if turn.ours && !was_ours { turn.others.drain(..).map(|(_, id)| id).collect() } else { BTreeSet::new() }
    }

    /// Tells the phones of each mailbox by way of the edge.
    async fn notify(&self, ami: &mut Ami, uri: &str, news: &BTreeMap<String, Counts>) -> Result<(), Dark> {
        for (nth, (id, counts)) in news.iter().enumerate() {
            if nth > 0 {
                sleep(PAUSE).await;
            }
            let mut asking = Asking::until(Instant::now() + QUESTION);
            let waiting = counts.urgent + counts.fresh;
            let content = [
                format!("Content=Messages-Waiting: {}", if waiting > 0 { "yes" } else { "no" }),
                format!("Content=Voice-Message: {waiting}/{} ({}/0)", counts.old, counts.urgent),
            ];
            for line in self.store.lines_of_mailbox(id, &mut asking).await? {
                let uri = uri.replace("{line}", &line);
                let fields = [
                    ("URI", uri.as_str()),
                    ("Variable", "Event=message-summary"),
                    ("Variable", "Content-type=application/simple-message-summary"),
                    ("Variable", content[0].as_str()),
                    ("Variable", content[1].as_str()),
                ];
                ami.act("PJSIPNotify", &fields).await?;
                metrics::counter!("tandem_lamps_total").increment(1);
            }
        }
        Ok(())
    }
}

/// Has Asterisk keep how many messages mailboxes have.
async fn keep(ami: &mut Ami, news: &BTreeMap<String, Counts>) -> Result<(), AmiError> {
    let mut list = String::new();
    for (id, Counts { urgent, fresh, old }) in news {
        // Ids have neither `=` nor `&`. MinivmMWI adds the urgent ones to the new ones.
        let _ = write!(list, "&{id}={urgent}={fresh}={old}");
        if list.len() > TOGETHER {
            push(ami, &list).await?;
            list.clear();
            sleep(PAUSE).await;
        }
    }
    if !list.is_empty() {
        push(ami, &list).await?;
    }
    metrics::counter!("tandem_lamps_total").increment(news.len() as u64);
    Ok(())
}

async fn push(ami: &mut Ami, list: &str) -> Result<(), AmiError> {
    let variable = format!("TANDEM_LAMPS={}", list.trim_start_matches('&'));
    let originate = [
        ("Channel", "Local/lamps@tandem-lamps/n"),
        ("Application", "NoOp"),
        // Not Async: the dialplan answers when it has told them all. While Asterisk starts there is no dialplan yet, and it is tried again.
        ("Timeout", "4000"),
        ("Variable", variable.as_str()),
        // It is nobody's call.
        ("Variable", "CDR_PROP(disable)=1"),
    ];
    ami.act("Originate", &originate).await.map(drop)
}
