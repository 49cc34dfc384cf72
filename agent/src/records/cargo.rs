//! Call records as the buffer ships them.

use std::io;

use chrono::Utc;
use tokio::time::Instant;

use super::intake::Intake;
use super::line;
use crate::alarm::Alarms;
use crate::buffer::segment::Segment;
use crate::buffer::spool::Spool;
use crate::buffer::{Cargo, Unsent};
use crate::store::record::Record;
use crate::store::writer::{Unwritten, Writer};

/// Between two times of saying which spool ships under the node's name.
const CLAIM: std::time::Duration = std::time::Duration::from_secs(60);

/// The finished calls of this node.
#[derive(Debug)]
pub struct CallRecords {
    intake: Intake,
    writer: Writer,
    node: String,
    spool: Spool,
    alarms: Alarms,
    claimed: Option<Instant>,
    /// Whether the last rows could not be sent.
    behind: bool,
}

impl CallRecords {
    /// What `intake` takes on `node`, written by `writer`; they wait in `spool`.
    #[must_use]
    pub fn new(intake: Intake, writer: Writer, node: &str, spool: Spool, alarms: Alarms) -> CallRecords {
        CallRecords { intake, writer, node: node.to_owned(), spool, alarms, claimed: None, behind: false }
    }

    /// Says that this spool ships under the node's name. Two that do would be two nodes that nobody can tell apart.
    async fn claim(&mut self) -> Result<(), Unwritten> {
        let Ok(spool) = self.spool.id() else { return Ok(()) };
        let others = self.writer.claim(&self.node, &spool, Utc::now()).await?;
        self.claimed = Some(Instant::now());
        let text = format!(
            "another node ships records as {:?}, too, from spool {}; give each node a node.name of its own",
            self.node,
            others.join(", ")
        );
        self.alarms.set("records.node-name", (!others.is_empty()).then_some(text));
        Ok(())
    }
}

impl Cargo for CallRecords {
    const NAME: &'static str = "records";
    type Row = Record;

    fn gather(&mut self, spool: &Spool) -> io::Result<Vec<Segment>> {
        self.intake.take(spool, self.behind)
    }

    fn survey(&mut self, spool: &Spool, segment: &Segment) -> io::Result<u64> {
        self.intake.survey(spool, segment)
    }

    fn row_length(&self, bytes: &[u8], ended: bool) -> Option<usize> {
        line::length(bytes, ended)
    }

    fn read(&mut self, node: &str, row: &[u8]) -> Result<Record, String> {
        line::read(node, row)
    }

    async fn send(&mut self, rows: &[Record]) -> Result<(), Unsent> {
        let outcome = self.writer.write(rows).await;
        self.behind = matches!(outcome, Err(Unwritten::Later(_)));
        match outcome {
            Ok(()) => {}
            Err(Unwritten::Later(error)) => return Err(Unsent::Later(error.to_string())),
            Err(Unwritten::Refused(why)) => return Err(Unsent::Refused(why)),
        }
        if self.claimed.is_none_or(|claimed| claimed.elapsed() >= CLAIM)
            && let Err(error) = self.claim().await
        {
            // The rows are sent; the next ones tell whether the database is away.
            tracing::debug!(%error, "the node's name could not be claimed");
        }
        Ok(())
    }
}
