//! What one node does for all: names that were changed in the database are found by their new letters within seconds.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::store::Store;
use crate::store::replica::Changed;
use crate::store::writer::{Unwritten, Writer};

/// The job's name in `job_leases`.
const JOB: &str = "directory-names";
/// Between two looks, when nothing is known to have changed.
const EVERY: Duration = Duration::from_secs(60);
/// Another node takes over when nobody looked for so long.
const LEASE: TimeDelta = TimeDelta::seconds(180);
/// Changes in a row are looked at together.
const TOGETHER: Duration = Duration::from_secs(1);

/// Changed mailboxes that are looked at one by one; of more, everybody is looked at.
const ONE_BY_ONE: usize = 200;

/// How the job is done.
#[derive(Debug)]
pub struct Names {
    /// The node's name.
    pub node: String,
    /// The central data.
    pub store: Store,
    /// Writes it.
    pub writer: Writer,
}

/// Whose names are looked at.
enum Whose {
    /// Everybody's: what was missed is found, and what changed while nobody looked.
    All,
    /// Of these mailboxes, which changed.
    These(Vec<String>),
}

impl Names {
    /// Does the job at once and whenever mailboxes change, while no other node does, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.store.replica_changes();
        let mut whose = Whose::All;
        let mut failing = false;
        loop {
            let turn = match self.turn(&whose).await {
                Ok(turn) => turn,
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "new names are not looked for, and not found by callers; it is tried again");
                    }
                    Turn::Failed
                }
            };
            failing = turn == Turn::Failed;
            whose = tokio::select! {
                () = stop.cancelled() => return,
                whose = timeout(EVERY, changed(changes.as_mut())) => whose.unwrap_or(Whose::All),
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(TOGETHER) => {}
            }
            if let Some(changes) = changes.as_mut() {
                whose = with_the_rest(whose, changes);
            }
            // What another node did meanwhile is not known, nor how far a turn that failed came.
            if turn != Turn::Done {
                whose = Whose::All;
            }
        }
    }

    async fn turn(&mut self, whose: &Whose) -> Result<Turn, Unwritten> {
        let now = Utc::now();
        if !self.writer.take_lease(JOB, &self.node, now, now + LEASE).await? {
            return Ok(Turn::Others);
        }
        let names = match whose {
            Whose::All => self.all().await?,
            Whose::These(mailboxes) => self.writer.spell_names_of(mailboxes).await?,
        };
        if names > 0 {
            tracing::info!(names, "names were changed; callers find them by their new letters");
            self.store.follow_now();
        }
        Ok(Turn::Done)
    }

    async fn all(&mut self) -> Result<usize, Unwritten> {
        let mut after = String::new();
        let mut names = 0;
        loop {
            let spelled = self.writer.spell_names(&after).await?;
            names += spelled.len();
            let Some(last) = spelled.into_iter().next_back() else { return Ok(names) };
            after = last;
        }
    }
}

/// What became of a turn.
#[derive(PartialEq, Eq)]
enum Turn {
    Done,
    /// Another node's.
    Others,
    Failed,
}

/// Waits until mailboxes change; for ever, where there is no replica that tells.
async fn changed(changes: Option<&mut Receiver<Changed>>) -> Whose {
    let Some(changes) = changes else { return std::future::pending().await };
    loop {
        match changes.recv().await {
            Ok(Changed::Rows("mailboxes", ids)) => return Whose::These(ids),
            Ok(Changed::Everything) | Err(RecvError::Lagged(_)) => return Whose::All,
            Ok(Changed::Rows(..)) => {}
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// Adds what changed since, without waiting.
fn with_the_rest(whose: Whose, changes: &mut Receiver<Changed>) -> Whose {
    let Whose::These(mut ids) = whose else { return whose };
    loop {
        match changes.try_recv() {
            Ok(Changed::Rows("mailboxes", more)) => ids.extend(more),
            Ok(Changed::Rows(..)) => {}
            Ok(Changed::Everything) | Err(TryRecvError::Lagged(_)) => return Whose::All,
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > ONE_BY_ONE { Whose::All } else { Whose::These(ids) }
}
