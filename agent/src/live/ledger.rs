//! The picture in the central database: one transaction a second at the most, and none when nothing changed.
//!
//! What cannot be written is not kept: the whole picture is written when the database is back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use super::board::{Board, Change};
use crate::store::live_call::LiveCall;
use crate::store::live_writer::LiveWriter;
use crate::store::writer::Unwritten;

/// Between two writes.
const WRITE: Duration = Duration::from_secs(1);
/// Between two signs of life.
const SIGN: Duration = Duration::from_secs(5);
/// Without one for so long, other nodes may have removed what we wrote: it is written anew.
const DOUBTFUL: Duration = Duration::from_secs(12);
/// Between two removals of what has ended.
const PURGE: Duration = Duration::from_secs(30);
/// Between two looks for what nodes have left that are gone.
const BURY: Duration = Duration::from_secs(15);

/// Keeps the database as the board is.
#[derive(Debug)]
pub struct Ledger {
    board: Board,
    changes: Receiver<Change>,
    writer: LiveWriter,
    /// Legs that changed since they were written, and whether they have ended.
    pending: HashMap<String, (Arc<LiveCall>, bool)>,
    /// Legs that the database knows.
    written: HashSet<String>,
    /// The database may hold anything.
    doubtful: bool,
    /// Rows that have ended are in the database.
    ended: bool,
    signed: Instant,
    purged: Instant,
    buried: Instant,
}

impl Ledger {
    /// Writes this node's calls with `writer`.
    #[must_use]
    pub fn new(board: Board, writer: LiveWriter) -> Ledger {
        let now = Instant::now();
        Ledger {
            changes: board.changes(),
            board,
            writer,
            pending: HashMap::new(),
            written: HashSet::new(),
            doubtful: true,
            ended: false,
            signed: now,
            purged: now,
            buried: now,
        }
    }

    /// Writes for as long as it is polled.
    pub async fn run(mut self) {
        let mut ticks = interval(WRITE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut away = false;
        loop {
            ticks.tick().await;
            self.read();
            match self.write().await {
                Ok(()) if away => {
                    info!("live calls are written again");
                    away = false;
                }
                Ok(()) => {}
                Err(error) => {
                    if !away {
                        warn!(%error, "live calls are not written; limits hold on each node alone");
                    }
                    (away, self.doubtful) = (true, true);
                }
            }
        }
    }

    /// What changed since the last second.
    fn read(&mut self) {
        loop {
            match self.changes.try_recv() {
                Ok(Change::Appeared(leg) | Change::Altered(leg)) => {
                    self.pending.insert(leg.uniqueid.clone(), (leg, false));
                }
                Ok(Change::Gone(leg)) if self.written.contains(&leg.uniqueid) => {
                    self.pending.insert(leg.uniqueid.clone(), (leg, true));
                }
                // Nobody has heard of it.
                Ok(Change::Gone(leg)) => {
                    self.pending.remove(&leg.uniqueid);
                }
                Err(TryRecvError::Lagged(_)) => self.doubtful = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// One transaction, of what is most needed.
    async fn write(&mut self) -> Result<(), Unwritten> {
        let now = Instant::now();
        if self.doubtful || now - self.signed >= DOUBTFUL {
            // What comes in from here on is a change of it, or the same again.
            self.pending.clear();
            let legs = self.board.calls();
            self.writer.replace(legs.iter().map(AsRef::as_ref)).await?;
            self.written = legs.iter().map(|leg| leg.uniqueid.clone()).collect();
            (self.doubtful, self.ended, self.signed) = (false, false, now);
        } else if now - self.signed >= SIGN {
            self.writer.see().await?;
            self.signed = now;
        } else if now - self.buried >= BURY {
            self.buried = now;
            self.writer.bury().await?;
        } else if self.ended && now - self.purged >= PURGE {
            self.writer.purge().await?;
            (self.ended, self.purged) = (false, now);
        } else if !self.pending.is_empty() {
            self.writer.update(self.pending.values().map(|(leg, ended)| (&**leg, *ended))).await?;
            for (uniqueid, (_, ended)) in self.pending.drain() {
                if ended {
                    self.ended = true;
                    self.written.remove(&uniqueid);
                } else {
                    self.written.insert(uniqueid);
                }
            }
        }
        Ok(())
    }
}
