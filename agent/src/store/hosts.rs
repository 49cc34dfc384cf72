//! The hosts of the database in order of preference: who is asked, and who next.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::address::{Address, Session};
use super::connection::{Connection, Record, Value};
use super::failure::Failure;
use super::host::{Host, HostState};
use super::mailboxes::Step;
use super::statement::Statement;
use super::{Options, StoreError};

/// A host that was left is trusted again after this many good looks in a row.
const GOOD_LOOKS: u32 = 2;
/// Times that a change is tried again that another was in the way of.
const AGAIN: u32 = 5;

/// All hosts, and the watch over each.
#[derive(Debug)]
pub(super) struct Hosts {
    hosts: Arc<[Host]>,
    question: Duration,
    /// Ends with the store.
    _watches: JoinSet<()>,
}

impl Hosts {
    pub(super) fn new(options: &Options) -> Result<Self, StoreError> {
        let addresses = options.urls.iter().map(|url| Address::parse(url)).collect::<Result<Vec<_>, _>>()?;
        Hosts::at(addresses, options)
    }

    /// Hosts at these addresses, with the other `options`.
    pub(super) fn at(addresses: Vec<Address>, options: &Options) -> Result<Self, StoreError> {
        let open = |address| Host::new(address, options);
        let hosts: Arc<[Host]> = addresses.into_iter().map(open).collect::<Result<_, StoreError>>()?;
        let mut watches = JoinSet::new();
        for index in 0..hosts.len() {
            watches.spawn(watch(Arc::clone(&hosts), index, options.probe));
        }
        Ok(Hosts { hosts, question: options.question, _watches: watches })
    }

    /// Asks the best host that is well, and when it has no answer, the next, until `by`. Reads only: a question may be put twice.
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

    /// Makes changes, all or none, on the best host that is well, and when that is lost, on the next, until `by`. They may be made twice, and
    /// must be such that this does no harm.
    pub(super) async fn change(&self, steps: &[Step<'_>], by: Instant) -> Result<(), StoreError> {
        let mut last = None;
        for host in self.order() {
            let now = Instant::now();
            if now >= by {
                break;
            }
            match host.change(steps, by.min(now + self.question)).await {
                Ok(()) => {
                    host.answered();
                    return Ok(());
                }
                Err(failure) => {
                    if failure.host_lost {
                        leave(&self.hosts, host, &failure.error);
                    }
                    let go_on = failure.host_lost;
                    last = Some(failure.error);
                    if !go_on {
                        break;
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| StoreError::Slow("no time was left to make a change".to_owned())))
    }

    /// Makes changes that others may make in the same moment. Of two transactions one may find that the other came first: it is done anew then.
    pub(super) async fn change_in_turn(&self, steps: &[Step<'_>], by: Instant) -> Result<(), StoreError> {
        let mut changed = self.change(steps, by).await;
        for _ in 0..AGAIN {
            if !matches!(changed, Err(StoreError::Broken(_))) {
                break;
            }
            changed = self.change(steps, by).await;
        }
        changed
    }

    async fn ask_in_order<R: Record>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        by: Instant,
    ) -> Result<Vec<R>, StoreError> {
        let mut last = None;
        // Twice: an old connection to a server that is long up again fails, and tells no more than that it once went down.
        for _ in 0..2 {
            let mut lost = false;
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
                    Err(Failure { error: error @ StoreError::Broken(_), .. }) => return Err(error),
                    Err(failure) => {
                        if failure.host_lost {
                            leave(&self.hosts, host, &failure.error);
                            lost = true;
                        }
                        last = Some(failure.error);
                    }
                }
            }
            if !lost {
                break;
            }
        }
        Err(last.unwrap_or_else(|| StoreError::Slow(format!("no time was left to ask {}", statement.name))))
    }

    /// Those that are well, then those that were left, since nobody else may answer; each in order of preference.
    fn order(&self) -> Vec<&Host> {
        let mut order: Vec<&Host> = self.hosts.iter().collect();
        order.sort_by_key(|host| !host.well());
        order
    }

    /// Whether there is one that was not left.
    pub(super) fn any_well(&self) -> bool {
        self.hosts.iter().any(Host::well)
    }

    /// A connection outside the pool, to the first host that is ready.
    pub(super) async fn open(&self, session: Session) -> Result<Connection, StoreError> {
        let mut faults = Vec::new();
        for host in self.hosts.iter() {
            match host.open(session).await {
                Ok(connection) => return Ok(connection),
                Err(failure) => faults.push(failure.error.to_string()),
            }
        }
        Err(StoreError::Unavailable(faults.join("; ")))
    }

    pub(super) fn states(&self) -> Vec<HostState> {
        self.hosts.iter().map(Host::state).collect()
    }

    /// Opens the connections of the first host that can be reached, and leaves those before it.
    pub(super) async fn open_pool(&self) {
        for host in self.hosts.iter() {
            match host.fill().await {
                Ok(()) => return host.answered(),
                Err(failure) if failure.host_lost => leave(&self.hosts, host, &failure.error),
                // It is well, but busy.
                Err(_) => return,
            }
        }
    }

    /// Looks at every host now.
    pub(super) async fn look(&self) -> Vec<HostState> {
        for host in self.hosts.iter() {
            match host.look(&mut None).await {
                Ok(()) => host.answered(),
                Err(failure) => leave(&self.hosts, host, &failure.error),
            }
        }
        self.states()
    }
}

/// Leaves a host. The questions that wait for it go on waiting when no other host is well: it may yet answer.
fn leave(hosts: &[Host], host: &Host, why: &StoreError) {
    let elsewhere = hosts.iter().any(|other| !std::ptr::eq(other, host) && other.well());
    host.leave(why, elsewhere);
}

/// Looks at a host every `pause`, on a connection of its own, for as long as the store lives. While a better one is
/// well, connections that were opened here in its absence are closed.
async fn watch(hosts: Arc<[Host]>, index: usize, pause: Duration) {
    let (better, [host, ..]) = hosts.split_at(index) else { return };
    let mut connection = None;
    let mut good_looks = 0;
    loop {
        // The first look waits too: until then a host is tried as if it were well, and a new SQLite file gets its schema.
        tokio::time::sleep(pause).await;
        match host.look(&mut connection).await {
            Ok(()) => {
                good_looks += 1;
                if host.well() || good_looks >= GOOD_LOOKS {
                    host.answered();
                }
            }
            Err(failure) => {
                connection = None;
                good_looks = 0;
                leave(&hosts, host, &failure.error);
            }
        }
        if better.iter().any(Host::well) {
            host.close_idle();
        }
        host.measure();
    }
}
