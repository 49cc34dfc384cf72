//! The replica: a SQLite file on the node with the tables that a decision needs, which answers when the central database
//! does not. It is read by the statements of `sql/query/`, on the schema of `sql/schema/sqlite/`.
//!
//! `keeper` keeps it: `fill` makes it anew, `follow` follows the changes that the database notes (`data_changes`). `central` is what they ask there, `copy` reads rows there
//! and writes them here, `followed` knows which changes were followed, `file` is the file, `kept` the one that is kept now, `table` the list
//! of tables.
//!
//! It is a cache: deleting it loses nothing. Each time it is filled anew this goes into a new file, while the old one
//! answers; a file that is damaged is put aside.

mod central;
mod copy;
mod file;
mod fill;
mod follow;
mod followed;
mod keeper;
mod kept;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, watch};
use tokio::time::Instant;

use super::connection::{Record, Value};
use super::hosts::Hosts;
use super::statement::Statement;
use super::{Options, StoreError};

/// How a replica is kept.
#[derive(Debug, Clone)]
pub struct ReplicaOptions {
    /// Its folder.
    pub folder: PathBuf,
    /// Pause between two looks for changes.
    pub poll: Duration,
}

/// How the replica is.
#[derive(Debug, Clone, Default)]
pub struct ReplicaState {
    /// When it was last as the database.
    pub current_at: Option<Instant>,
    /// Whether it can answer.
    pub filled: bool,
    /// What is wrong with it.
    pub fault: Option<String>,
    /// For each table a number that grows with every change.
    pub tables: BTreeMap<&'static str, u64>,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// What changed in the replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Rows of a table, by the first part of their keys.
    Rows(&'static str, Vec<String>),
    /// It was filled anew, or opened: anything.
    Everything,
}

/// Changes that a listener may be behind; one that is further behind is told of everything.
const BEHIND: usize = 1024;

/// A node's replica.
#[derive(Debug)]
pub(super) struct Replica {
    options: ReplicaOptions,
    /// Connections to the file that answers now.
    readers: watch::Sender<Option<Arc<Hosts>>>,
    /// An answer could not be understood: the file may be damaged.
    suspect: AtomicBool,
    state: watch::Sender<ReplicaState>,
    changes: broadcast::Sender<Changed>,
    /// Somebody knows that the database changed just now.
    look: Notify,
}

/// Reading a local file takes less than a millisecond; a disk that hangs is not waited for.
const QUESTION: Duration = Duration::from_millis(150);
const READERS: usize = 8;

impl Replica {
    pub(super) fn new(options: ReplicaOptions) -> Replica {
        Replica {
            options,
            readers: watch::channel(None).0,
            suspect: AtomicBool::new(false),
            state: watch::channel(ReplicaState::default()).0,
            changes: broadcast::channel(BEHIND).0,
            look: Notify::new(),
        }
    }

    /// Whether it can answer.
    pub(super) fn is_filled(&self) -> bool {
        self.readers().is_some()
    }

    pub(super) fn watch(&self) -> watch::Receiver<ReplicaState> {
        self.state.subscribe()
    }

    pub(super) fn changes(&self) -> broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }

    /// Follows the database now rather than at the next look.
    pub(super) fn follow_now(&self) {
        self.look.notify_one();
    }

    fn tell(&self, changed: Changed) {
        // Nobody may be listening.
        let _ = self.changes.send(changed);
    }

    /// Puts a question to it.
    pub(super) async fn ask<R: Record>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<R>, StoreError> {
        let Some(readers) = self.readers() else {
            return Err(StoreError::Unavailable("the replica is not filled yet".to_owned()));
        };
        let outcome = readers.ask(statement, values, Instant::now() + QUESTION).await;
        if let Err(StoreError::Broken(_)) = &outcome {
            self.suspect.store(true, Ordering::Relaxed);
        }
        outcome
    }

    /// Connections to the file that answers now.
    pub(super) fn readers(&self) -> Option<Arc<Hosts>> {
        self.readers.borrow().clone()
    }

    /// From now on this file answers, or none.
    async fn publish(&self, file: Option<&file::File>) -> Result<(), StoreError> {
        let readers = match file {
            None => None,
            Some(file) => {
                let options = Options {
                    urls: Vec::new(),
                    connections: READERS,
                    question: QUESTION,
                    connect: Duration::from_secs(2),
                    probe: Duration::from_secs(5),
                };
                let hosts = Hosts::at(vec![file.address()], &options)?;
                hosts.open_pool().await;
                Some(Arc::new(hosts))
            }
        };
        let filled = readers.is_some();
        self.readers.send_replace(readers);
        self.state.send_modify(|state| state.filled = filled);
        Ok(())
    }
}
