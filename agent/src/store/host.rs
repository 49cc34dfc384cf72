//! One host of the database: its pool, whether it is well, and the watch that sees it come back.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, Timeouts};
use metrics::{Counter, Gauge};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use super::address::{Address, Session};
use super::connection::{Connection, Record, Value};
use super::failure::Failure;
use super::mailboxes::Step;
use super::statement::Statement;
use super::{Options, StoreError};

/// The least patience with a host when no caller waits.
const UNHURRIED: Duration = Duration::from_secs(5);

/// What we know of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Not looked at yet; it is tried as if it were well.
    Unknown,
    /// It answers and is ready.
    Up,
    /// It was left, for this reason.
    Down(String),
}

/// A host as `check` and `/ready` show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostState {
    /// Host and port, or the file.
    pub name: String,
    /// Whether it is well.
    pub health: Health,
    /// Open connections for calls.
    pub connections: usize,
}

/// One of the hosts in `database.urls`.
#[derive(Debug)]
pub(super) struct Host {
    name: String,
    pool: Pool<Opener>,
    health: Mutex<Health>,
    /// Wakes every question that waits for this host when it is left.
    left: Notify,
    up: Gauge,
    connections: Gauge,
    failovers: Counter,
}

impl Host {
    pub(super) fn new(address: Address, options: &Options) -> Result<Self, StoreError> {
        let name = address.name();
        let opener = Opener { name: name.clone(), address, connect: options.connect, limit: options.server_limit() };
        let pool = Pool::builder(opener)
            .max_size(options.connections)
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Broken(format!("{name}: {error}")))?;
        Ok(Host {
            up: metrics::gauge!("tandem_host_up", "host" => name.clone()),
            connections: metrics::gauge!("tandem_pool_connections", "host" => name.clone()),
            failovers: metrics::counter!("tandem_host_failovers_total"),
            name,
            pool,
            health: Mutex::new(Health::Unknown),
            left: Notify::new(),
        })
    }

    /// Puts a question to this host, until `limit`. The caller may stop waiting at any time.
    pub(super) async fn ask<R: Record>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        limit: Instant,
    ) -> Result<Vec<R>, Failure> {
        let asked = OnceLock::new();
        let work = async {
            let mut pooled = self.pooled(limit).await?;
            asked.get_or_init(Instant::now);
            pooled.asking = true;
            let text = statement.text(pooled.connection.backend());
            let outcome = pooled.connection.rows(text, values).await;
            let outcome = outcome.map_err(|error| Failure::of_question(&self.name, statement.name, &error));
            pooled.asking = outcome.as_ref().is_err_and(|failure| failure.host_lost);
            outcome
        };
        tokio::select! {
            biased;
            outcome = timeout_at(limit, work) => outcome.unwrap_or_else(|_| Err(self.no_answer(statement, asked.get().copied()))),
            () = self.left.notified() => Err(Failure::unavailable(&self.name, "was left while it had not answered")),
        }
    }

    /// Makes changes in one transaction, until `limit`.
    pub(super) async fn change(&self, steps: &[Step<'_>], limit: Instant) -> Result<(), Failure> {
        let work = async {
            let mut pooled = self.pooled(limit).await?;
            // Until all is well the connection is not given back: it stands within a transaction.
            pooled.asking = true;
            let connection = &mut pooled.connection;
            let what = steps.first().map_or("nothing", |(statement, _)| statement.name);
            let changed = async {
                connection.begin().await?;
                for (statement, values) in steps {
                    connection.execute(statement.text(connection.backend()), values).await?;
                }
                connection.commit().await
            };
            changed.await.map_err(|error| Failure::of_question(&self.name, what, &error))?;
            pooled.asking = false;
            Ok(())
        };
        let late = || Failure::slow(&self.name, "a change was not made in time");
        timeout_at(limit, work).await.unwrap_or_else(|_| Err(late()))
    }

    /// A server that had the time to end the statement itself, and did not, hangs. Else our deadline was short.
    fn no_answer(&self, statement: &Statement, asked: Option<Instant>) -> Failure {
        if asked.is_some_and(|asked| asked.elapsed() >= self.pool.manager().limit) {
            Failure::hung(&self.name, statement.name)
        } else {
            Failure::slow(&self.name, format!("no time was left for {}", statement.name))
        }
    }

    async fn pooled(&self, limit: Instant) -> Result<Object<Opener>, Failure> {
        // A little less than the limit, so that a crowded pool is not taken for a host that hangs.
        let wait = limit.saturating_duration_since(Instant::now()).saturating_sub(Duration::from_millis(3));
        let timeouts = Timeouts { wait: Some(wait), create: None, recycle: None };
        match self.pool.timeout_get(&timeouts).await {
            Ok(pooled) => Ok(pooled),
            Err(PoolError::Backend(failure)) => Err(failure),
            Err(_) => Err(Failure::slow(&self.name, "all connections are busy; see database.connections")),
        }
    }

    /// True unless it was left.
    pub(super) fn well(&self) -> bool {
        !matches!(*self.health(), Health::Down(_))
    }

    /// Takes note of an answer.
    pub(super) fn answered(&self) {
        let mut health = self.health();
        if *health != Health::Up {
            tracing::info!(host = self.name, "database host is well");
            *health = Health::Up;
            self.up.set(1.0);
        }
    }

    /// Leaves the host, and closes its idle connections. With `elsewhere`, the questions that wait for it stop waiting.
    pub(super) fn leave(&self, why: &StoreError, elsewhere: bool) {
        let was_well = {
            let mut health = self.health();
            !matches!(std::mem::replace(&mut *health, Health::Down(why.to_string())), Health::Down(_))
        };
        if was_well {
            tracing::warn!(host = self.name, error = %why, "leaving database host");
            self.up.set(0.0);
            self.failovers.increment(1);
        }
        if elsewhere {
            self.left.notify_waiters();
        }
        self.close_idle();
    }

    /// Closes connections that no call uses.
    pub(super) fn close_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Tells the metrics how many connections there are.
    pub(super) fn measure(&self) {
        #[allow(clippy::cast_precision_loss, reason = "a handful of connections")]
        self.connections.set(self.pool.status().size as f64);
    }

    /// Opens the connections that the pool may keep, as many as there is time for.
    pub(super) async fn fill(&self) -> Result<(), Failure> {
        let limit = Instant::now() + self.pool.manager().connect;
        // Kept until all are open: one that is given back would be handed out again.
        let mut open = Vec::new();
        while open.len() < self.pool.status().max_size && Instant::now() < limit {
            open.push(self.pooled(limit).await?);
        }
        Ok(())
    }

    pub(super) fn state(&self) -> HostState {
        let connections = self.pool.status().size;
        HostState { name: self.name.clone(), health: self.health().clone(), connections }
    }

    /// Opens a connection outside the pool.
    pub(super) async fn open(&self, session: Session) -> Result<Connection, Failure> {
        self.pool.manager().open(session).await
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// One look, on the connection of the last one if that still stands.
    pub(super) async fn look(&self, kept: &mut Option<Connection>) -> Result<(), Failure> {
        let opener = self.pool.manager();
        let Some(connection) = kept else {
            *kept = Some(opener.open(Session::Timed(opener.limit)).await?);
            return Ok(());
        };
        match timeout(opener.connect, opener.refuse_unready(connection)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::hung(&self.name, "whether it is ready")),
        }
    }
}

/// Opens the connections of one host's pool.
#[derive(Debug)]
struct Opener {
    name: String,
    address: Address,
    connect: Duration,
    limit: Duration,
}

impl Opener {
    async fn open(&self, session: Session) -> Result<Connection, Failure> {
        let open = async {
            let mut connection =
                self.address.connect(session).await.map_err(|error| Failure::of_connecting(&self.name, &error))?;
            self.refuse_unready(&mut connection).await?;
            Ok(connection)
        };
        let patience = if let Session::Timed(_) = session { self.connect } else { self.connect.max(UNHURRIED) };
        match timeout(patience, open).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::hung(&self.name, "to a new connection")),
        }
    }

    async fn refuse_unready(&self, connection: &mut Connection) -> Result<(), Failure> {
        match connection.ready().await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(Failure::unavailable(&self.name, why)),
            Err(error) => Err(Failure::unavailable(&self.name, error)),
        }
    }
}

/// A connection of the pool.
#[derive(Debug)]
struct Pooled {
    connection: Connection,
    /// True while a question is under way. Still true when the connection is back in the pool, it tells that the
    /// caller stopped waiting, and that a late answer may be read as the answer to the next question.
    asking: bool,
}

impl managed::Manager for Opener {
    type Type = Pooled;
    type Error = Failure;

    async fn create(&self) -> Result<Pooled, Failure> {
        // Boxed, since it is large and rare: every question would carry its space along, several times over.
        Ok(Pooled { connection: Box::pin(self.open(Session::Timed(self.limit))).await?, asking: false })
    }

    /// Without a round trip: the watch over the host is what finds it dead.
    async fn recycle(&self, pooled: &mut Pooled, _: &Metrics) -> RecycleResult<Failure> {
        if pooled.asking { Err(RecycleError::message("broken, or left in the middle of a question")) } else { Ok(()) }
    }
}
