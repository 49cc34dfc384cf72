//! The central database, as nouns and questions.
//!
//! `Ok(None)` is "not found"; [`StoreError`] is "could not be asked". sqlx lives below this module only.
//!
//! - Nouns: [`caller`], [`destination`], [`target`], [`mailbox`], [`directory`], [`menu`], [`schedule`], [`recording`]; [`token`], [`audit`],
//!   [`warrant`]. Questions: `callers`, `destinations`, [`mailboxes`], `directories`, [`menus`], [`recordings`]; their text: `statement`.
//! - A question goes to [`host`] after host (`hosts`) over a pool of `connection`s, until its deadline; `failure`
//!   decides whether the next host is asked.
//! - [`replica`]: what answers when no host does; `breaker` spares calls the asking, [`asking`] is who answered a call.
//! - [`schema`]: the tables. [`import`]: files that fill them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[macro_use]
mod connection;
#[macro_use]
mod words;

mod address;
pub mod asking;
pub mod audit;
mod audit_log;
mod breaker;
pub mod caller;
mod callers;
pub mod cap;
pub mod chore;
mod datum;
pub mod destination;
mod destinations;
mod directories;
pub mod directory;
pub mod emergencies;
pub mod facility;
mod failure;
pub mod feature;
mod features;
pub mod host;
mod hosts;
pub mod import;
pub mod interception;
pub mod live_call;
mod live_calls;
pub mod live_writer;
pub mod location;
pub mod mailbox;
pub mod mailbox_writer;
pub mod mailboxes;
pub mod menu;
pub mod menu_tree;
pub mod menus;
pub mod node_order;
mod node_orders;
pub mod password;
pub mod price;
pub mod prompts;
pub mod record;
pub mod recorded;
pub mod recording;
pub mod recording_writer;
pub mod recordings;
pub mod replica;
pub mod schedule;
pub mod schema;
pub mod spelling;
mod statement;
pub mod target;
mod target_columns;
mod time;
pub mod token;
pub mod tokens;
pub mod warrant;
pub mod warrants;
pub mod writer;

use address::{Address, Session};
use asking::{Asking, Source};
use breaker::{Breaker, Passage};
use connection::{Record, Value};
use host::HostState;
use hosts::Hosts;
use replica::{Changed, Replica, ReplicaOptions, ReplicaState};
pub use statement::Backend;
use statement::{LINE_CALLER, STATEMENTS, Statement};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer within the deadline, from any host.
    #[error("{0}")]
    Slow(String),
    /// No host could be reached or was ready.
    #[error("{0}")]
    Unavailable(String),
    /// The database answered something that we do not understand: a fault of the schema, a statement or the data.
    #[error("{0}")]
    Broken(String),
}

impl StoreError {
    /// The word for it in metrics: `slow`, `unavailable`, `broken`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            StoreError::Slow(_) => "slow",
            StoreError::Unavailable(_) => "unavailable",
            StoreError::Broken(_) => "broken",
        }
    }
}

/// Where the database is, and how long it may take.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:`, `mysql:` (MariaDB too) or `postgres:` addresses of one database, in order of preference.
    pub urls: Vec<String>,
    /// Connections to a host at the most.
    pub connections: usize,
    /// How long one host may take to answer one question.
    pub question: Duration,
    /// How long connecting to a host may take.
    pub connect: Duration,
    /// Pause between two looks at whether a host is well.
    pub probe: Duration,
}

/// What is left to the replica of the time for an answer.
const FOR_REPLICA: Duration = Duration::from_millis(50);

/// Hosts by name: their URLs may hold passwords.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.urls.iter().map(|url| Address::parse(url)).collect();
        let Options { urls: _, connections, question, connect, probe } = self;
        write!(f, "Options {{ hosts: {hosts:?}, connections: {connections}, question: {question:?}, ")?;
        write!(f, "connect: {connect:?}, probe: {probe:?} }}")
    }
}

impl Options {
    /// When the server itself is to end a statement: earlier than we give up waiting for it.
    fn server_limit(&self) -> Duration {
        self.question.mul_f64(0.8)
    }
}

/// The central database. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    question: Duration,
    /// This node, whose calls the caps of its dialplan count; empty for none.
    node: Arc<str>,
    hosts: Arc<Hosts>,
    breaker: Arc<Breaker>,
    replica: Option<Arc<Replica>>,
}

impl Store {
    /// Builds the store within a tokio runtime. Connects to nothing yet: without a database every question is Unavailable.
    ///
    /// # Errors
    /// Broken when an address cannot be read.
    pub fn new(options: &Options) -> Result<Self, StoreError> {
        Ok(Store {
            question: options.question,
            node: Arc::default(),
            hosts: Arc::new(Hosts::new(options)?),
            breaker: Arc::default(),
            replica: None,
        })
    }

    /// Asked from this node: of a limit of calls at once, other nodes' calls are told, since its dialplan counts its own.
    #[must_use]
    pub fn of_node(mut self, name: &str) -> Self {
        self.node = name.into();
        self
    }

    fn this(&self) -> Value<'_> {
        (&*self.node).into()
    }

    /// With a replica, which [`Store::keep_replica`] keeps.
    #[must_use]
    pub fn with_replica(mut self, options: ReplicaOptions) -> Self {
        self.replica = Some(Arc::new(Replica::new(options)));
        self
    }

    /// How the replica is, now and from now on; `None` when there is to be none.
    #[must_use]
    pub fn watch_replica(&self) -> Option<watch::Receiver<ReplicaState>> {
        self.replica.as_ref().map(|replica| replica.watch())
    }

    /// What changes in the replica from now on; `None` when there is to be none.
    #[must_use]
    pub fn replica_changes(&self) -> Option<broadcast::Receiver<Changed>> {
        self.replica.as_ref().map(|replica| replica.changes())
    }

    /// The database was changed just now: the replica follows at once.
    pub fn follow_now(&self) {
        if let Some(replica) = &self.replica {
            replica.follow_now();
        }
    }

    /// Puts a question of a call to the central database; when that has no answer in time, to the replica.
    async fn ask<R: Record>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        asking: &mut Asking,
    ) -> Result<Vec<R>, StoreError> {
        let replica = self.replica.as_ref().filter(|replica| replica.is_filled());
        let Some(replica) = replica else {
            let rows = self.hosts.ask(statement, values, asking.by).await?;
            asking.answered_by(Source::Central);
            return Ok(rows);
        };
        let mut why = None;
        // A host that was left is looked at by its own watch; no question need wait for it.
        let passage = if self.hosts.any_well() { self.breaker.passage() } else { Passage::Barred };
        if passage == Passage::Try {
            tokio::spawn(self.clone().try_database());
        }
        if asking.source() != Some(Source::Replica) && passage == Passage::Open {
            match self.hosts.ask(statement, values, asking.by - FOR_REPLICA).await {
                Ok(rows) => {
                    self.breaker.answered();
                    asking.answered_by(Source::Central);
                    return Ok(rows);
                }
                Err(error) => {
                    self.breaker.failed(&error);
                    why = Some(error);
                }
            }
        }
        let rows = replica.ask(statement, values).await.map_err(|error| why.unwrap_or(error))?;
        asking.answered_by(Source::Replica);
        Ok(rows)
    }

    /// Opens the connections before the first calls come: they would have to wait for them all at once, within their
    /// own deadline. Takes about `connect` for each host that is gone, at the most; without a database it comes to nothing.
    pub async fn open_pool(&self) {
        self.hosts.open_pool().await;
    }

    /// Puts a question that no call waits for: the one that every call asks first.
    async fn try_database(self) {
        let by = Instant::now() + self.question;
        if self.hosts.ask::<Nobody>(&LINE_CALLER, &self.line_caller_values("", ""), by).await.is_ok() {
            self.breaker.answered();
        }
    }

    /// The hosts in order of preference, as last seen.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostState> {
        self.hosts.states()
    }

    /// The hosts in order of preference, looked at now.
    pub async fn look_at_hosts(&self) -> Vec<HostState> {
        self.hosts.look().await
    }

    /// Lets the database read every statement without running it; the faults, by name of statement.
    ///
    /// # Errors
    /// Unavailable when no host is ready.
    pub async fn check_statements(&self) -> Result<Vec<String>, StoreError> {
        let mut connection = self.hosts.open(Session::Work).await?;
        let mut faults = Vec::new();
        for statement in STATEMENTS {
            if let Err(error) = connection.prepare(statement.text(connection.backend())).await {
                faults.push(format!("{}: {error}", statement.name));
            }
        }
        Ok(faults)
    }
}

/// A row that never comes.
#[derive(sqlx::FromRow)]
pub(super) struct Nobody {}

/// A caller's text as the key of a lookup. What no key can be (too long, control characters, beyond ASCII)
/// becomes the empty text, which is no key of any row, so that every backend says "not found" alike.
fn key(text: &str) -> Value<'_> {
    Value::from(if text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic()) { text } else { "" })
}
