//! The hosts of the database in order of preference: who is asked, and who next.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::address::{Address, Session};
use super::connection::{Connection, Record, Value};
use super::host::{self, Host, HostState};
use super::statement::Statement;
use super::{Options, StoreError};

/// All hosts, and the watch over each.
#[derive(Debug)]
pub(super) struct Hosts {
    hosts: Vec<Arc<Host>>,
    question: Duration,
    /// Ends with the store.
    _watches: JoinSet<()>,
}

impl Hosts {
    pub(super) fn new(options: &Options) -> Result<Self, StoreError> {
        let open = |url: &String| Ok(Arc::new(Host::new(Address::parse(url)?, options)?));
        let hosts = options.urls.iter().map(open).collect::<Result<Vec<_>, StoreError>>()?;
        let mut watches = JoinSet::new();
        for (index, host) in hosts.iter().enumerate() {
            let better = hosts.get(..index).unwrap_or_default().to_vec();
            watches.spawn(host::watch(Arc::clone(host), better, options.probe));
        }
        Ok(Hosts { hosts, question: options.question, _watches: watches })
    }

    /// Asks the best host that is well, and when it fails, the next, until `by`. Reads only: a question may be put twice.
    pub(super) async fn ask<R: Record>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        by: Instant,
    ) -> Result<Vec<R>, StoreError> {
        let started = Instant::now();
        let outcome = self.ask_in_order(statement, values, by).await;
        statement.seconds().record(started.elapsed());
        if let Err(error) = &outcome {
            metrics::counter!("tandem_statement_errors_total", "statement" => statement.name, "kind" => error.kind())
                .increment(1);
        }
        outcome
    }

    async fn ask_in_order<R: Record>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        by: Instant,
    ) -> Result<Vec<R>, StoreError> {
        let mut last = None;
        for host in self.order() {
            let now = Instant::now();
            if now >= by {
                break;
            }
            match host.ask(statement, values, by.min(now + self.question)).await {
                Ok(rows) => {
                    host.answered();
                    return Ok(rows);
                }
                Err(failure) if failure.host_lost => {
                    host.leave(&failure.error);
                    last = Some(failure.error);
                }
                Err(failure) => return Err(failure.error),
            }
        }
        Err(last.unwrap_or_else(|| StoreError::Slow(format!("no time was left to ask {}", statement.name))))
    }

    /// Those that are well, then those that were left (nobody else may answer), then the first once more: its failure
    /// may have been an old connection to a server that is long up again.
    fn order(&self) -> Vec<&Host> {
        let mut order: Vec<&Host> = self.hosts.iter().map(Arc::as_ref).collect();
        order.sort_by_key(|host| !host.well());
        order.extend(order.first().copied());
        order
    }

    /// A connection outside the pool, to the first host that is ready.
    pub(super) async fn open(&self, session: Session) -> Result<Connection, StoreError> {
        let mut faults = Vec::new();
        for host in &self.hosts {
            match host.open(session).await {
                Ok(connection) => return Ok(connection),
                Err(failure) => faults.push(failure.error.to_string()),
            }
        }
        Err(StoreError::Unavailable(faults.join("; ")))
    }

    pub(super) fn states(&self) -> Vec<HostState> {
        self.hosts.iter().map(|host| host.state()).collect()
    }

    /// Looks at every host now.
    pub(super) async fn look(&self) -> Vec<HostState> {
        for host in &self.hosts {
            match host.look(&mut None).await {
                Ok(()) => host.answered(),
                Err(failure) => host.leave(&failure.error),
            }
        }
        self.states()
    }
}
