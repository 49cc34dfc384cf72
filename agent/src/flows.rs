//! The conversations and decisions, by name, and the one runner that ends each of them.

pub mod directory;
pub mod feature;
pub mod introduction;
mod language;
pub mod linetest;
pub mod location;
mod lockout;
pub mod mailbox;
pub mod menu;
pub mod notice;
pub mod park;
pub mod pickup;
pub mod prompt;
mod recording;
pub mod route;
pub mod voicemail;
mod within;

use std::path::PathBuf;
use std::sync::Arc;

use metrics::{Counter, Histogram};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use self::route::decision::Refusal;
use self::route::rules::Rules;
use crate::call::{Call, Ended};
use crate::emergency::atlas::Atlas;
use crate::emergency::callbacks::Callbacks;
use crate::emergency::talks::Talks;
use crate::lookup::Lookups;
use crate::speech::Speech;
use crate::store::Store;
use crate::store::recording::Order;
use crate::voicemail::Voicemail;

/// What the dialplan, a Stasis app or the terminal may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Decide a call.
    Route,
    /// Test a line.
    LineTest,
    /// Read a line's registered location back.
    Location,
    /// Tell a line of an emergency call.
    Notice,
    /// Leave a message.
    Voicemail,
    /// Listen to messages.
    Mailbox,
    /// Talk about the code of a feature.
    Feature,
    /// Ask for the caller's name.
    Introduction,
    /// Find somebody by name.
    Directory,
    /// Park a call, or take a parked one.
    Park,
    /// Take a call that rings elsewhere.
    Pickup,
    /// Hear what there is, and press keys.
    Menu,
    /// Record what menus say.
    Prompt,
}

impl Flow {
    /// Every flow there is.
    pub const ALL: &[Flow] = &[
        Flow::Route,
        Flow::LineTest,
        Flow::Location,
        Flow::Notice,
        Flow::Voicemail,
        Flow::Mailbox,
        Flow::Feature,
        Flow::Introduction,
        Flow::Directory,
        Flow::Park,
        Flow::Pickup,
        Flow::Menu,
        Flow::Prompt,
    ];

    /// Their names.
    pub const NAMES: &[&str] = &[
        Flow::Route.name(),
        Flow::LineTest.name(),
        Flow::Location.name(),
        Flow::Notice.name(),
        Flow::Voicemail.name(),
        Flow::Mailbox.name(),
        Flow::Feature.name(),
        Flow::Introduction.name(),
        Flow::Directory.name(),
        Flow::Park.name(),
        Flow::Pickup.name(),
        Flow::Menu.name(),
        Flow::Prompt.name(),
    ];

    /// The name in `AGI(agi://host/<name>)`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Flow::Route => "route",
            Flow::LineTest => "linetest",
            Flow::Location => "location",
            Flow::Notice => "notice",
            Flow::Voicemail => "voicemail",
            Flow::Mailbox => "mailbox",
            Flow::Feature => "feature",
            Flow::Introduction => "introduction",
            Flow::Directory => "directory",
            Flow::Park => "park",
            Flow::Pickup => "pickup",
            Flow::Menu => "menu",
            Flow::Prompt => "prompt",
        }
    }

    /// The flow of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Flow> {
        Flow::ALL.iter().copied().find(|flow| flow.name() == name)
    }
}

/// What flows need of the rest of the agent.
#[derive(Debug)]
pub struct Ports {
    /// The central data.
    pub store: Store,
    /// How calls are decided.
    pub rules: Rules,
    /// Who answers calls for help.
    pub atlas: watch::Receiver<Arc<Atlas>>,
    /// Who is called back.
    pub callbacks: Callbacks,
    /// What lines are told.
    pub talks: Talks,
    /// Speech from text.
    pub speech: Speech,
    /// Folder for recordings in progress; Asterisk writes there, the agent reads.
    pub recordings: PathBuf,
    /// Messages of mailboxes, and their audio.
    pub voicemail: Voicemail,
    /// Web servers that say what comes next.
    pub lookups: Lookups,
    /// Time that decisions take.
    pub decision_seconds: Histogram,
    /// What is to be recorded, as this node knows it.
    pub orders: watch::Receiver<Arc<Vec<Order>>>,
    decisions: Vec<(&'static str, Counter)>,
}

impl Ports {
    /// Ports over this store, by these rules.
    #[must_use]
    #[allow(clippy::too_many_arguments, reason = "each is a part of the agent, handed over once")]
    pub fn new(
        store: Store,
        rules: Rules,
        atlas: watch::Receiver<Arc<Atlas>>,
        callbacks: Callbacks,
        speech: Speech,
        recordings: PathBuf,
        voicemail: Voicemail,
        lookups: Lookups,
    ) -> Ports {
        let outcomes = [
            "dial",
            "voicemail",
            "menu",
            "directory",
            "queue",
            "conference",
            "emergency",
            "location",
            "feature",
            "undecided",
        ]
        .into_iter()
        .chain(Refusal::ALL.iter().map(|r| r.reason()));
        Ports {
            store,
            rules,
            atlas,
            callbacks,
            talks: Talks::default(),
            speech,
            recordings,
            voicemail,
            lookups,
            orders: watch::channel(Arc::default()).1,
            decision_seconds: metrics::histogram!("tandem_decision_seconds"),
            decisions: outcomes
                .map(|outcome| (outcome, metrics::counter!("tandem_decisions_total", "outcome" => outcome)))
                .collect(),
        }
    }

    /// With what is to be recorded; without, nobody is told of it.
    #[must_use]
    pub fn with_orders(self, orders: watch::Receiver<Arc<Vec<Order>>>) -> Ports {
        Ports { orders, ..self }
    }

    fn count(&self, outcome: &str) {
        if let Some((_, counter)) = self.decisions.iter().find(|(name, _)| *name == outcome) {
            counter.increment(1);
        }
    }
}

/// Runs a flow to its end, however it ends, and logs the call in one line.
pub async fn run(flow: Flow, arguments: &[String], call: &mut impl Call, ports: &Ports) {
    let started = Instant::now();
    let ended = match flow {
        // Boxed, since conversations, which last long, would carry the space of its database questions along.
        Flow::Route => Box::pin(route::run(call, arguments, ports)).await,
        Flow::LineTest => linetest::run(call, ports).await,
        Flow::Location => Box::pin(location::run(call, arguments, ports)).await,
        Flow::Notice => Box::pin(notice::run(call, arguments, ports)).await,
        Flow::Voicemail => Box::pin(voicemail::run(call, arguments, ports)).await,
        Flow::Mailbox => Box::pin(mailbox::run(call, arguments, ports)).await,
        Flow::Feature => Box::pin(feature::run(call, arguments, ports)).await,
        Flow::Introduction => introduction::run(call, ports).await,
        Flow::Directory => Box::pin(directory::run(call, arguments, ports)).await,
        Flow::Park => Box::pin(park::run(call, arguments, ports)).await,
        Flow::Pickup => Box::pin(pickup::run(call, arguments, ports)).await,
        Flow::Menu => Box::pin(menu::run(call, arguments, ports)).await,
        Flow::Prompt => Box::pin(prompt::run(call, arguments, ports)).await,
    };
    let dialled = call.caller().dialled.as_str();
    let (flow, from) = (flow.name(), arguments.join(" "));
    // Not of 128 bits, which the JSON log would write as text.
    let microseconds = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    match ended {
        Ok(outcome) => info!(flow, from, dialled, outcome, microseconds, "call"),
        Err(Ended::Hangup) => info!(flow, from, dialled, outcome = "hangup", microseconds, "call"),
        Err(Ended::Failed(fault)) => {
            warn!(flow, from, dialled, outcome = "failed", microseconds, %fault, "call");
        }
    }
}
