//! Has phones ring that are to listen, and tells who listens.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tokio::time::Instant;
use tracing::error;
use uuid::Uuid;

use super::how::How;
use super::listening::Listening;
use super::part::Part;
use crate::flows::route::rules::Rules;
use crate::store::asking::Asking;
use crate::store::audit::Deed;
use crate::store::{Store, StoreError};
use crate::wire::ari::{Ari, AriError, Originate};

/// Seconds that the phone may ring.
const RING_SECONDS: u32 = 30;
/// Normal clearing, of Q.850.
const NORMAL: u16 = 16;
/// Asterisk's helpers, which are no side of a call.
const HELPERS: [&str; 2] = ["Local/", "Snoop/"];

/// What is wanted of a phone.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The id that it is to have.
    pub id: Uuid,
    /// Asterisk's unique id of the channel.
    pub uniqueid: String,
    /// The line whose phone is to listen.
    pub line: String,
    /// By whom it is heard at first.
    pub how: How,
    /// Whose token it is asked with.
    pub person: String,
}

/// Why nobody listens.
#[derive(Debug, thiserror::Error)]
pub enum NotListened {
    /// The channel is not there, or is no side of a call.
    #[error("there is no call {0} on this node")]
    NoCall(String),
    /// The line is not there.
    #[error("there is no line {0}")]
    NoLine(String),
    /// Nobody speaks into a call for help.
    #[error("it is an emergency call: it may be listened to, and not spoken into")]
    Emergency,
    /// Asterisk does not tell us of phones that answer.
    #[error("the agent has no connection to Asterisk's REST interface; see its log")]
    Away,
    /// Nobody knows whether the line is there.
    #[error(transparent)]
    Unknown(#[from] StoreError),
    /// Asterisk does not do it.
    #[error("the phone cannot be rung: {0}")]
    Asterisk(#[from] AriError),
}

/// A listening, and how far it is.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) listening: Listening,
    /// The number of its last snoop; 0 until the phone was answered.
    pub(super) turn: u32,
}

/// Who listens on this node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Listener {
    pub(super) ari: Ari,
    pub(super) connected: Arc<AtomicBool>,
    store: Store,
    rules: Rules,
    sessions: Arc<Mutex<HashMap<Uuid, Session>>>,
}

impl Listener {
    /// Listens to calls of the Asterisk of `ari`, whose app is of this use alone.
    #[must_use]
    pub fn new(ari: Ari, store: Store, rules: Rules) -> Listener {
        Listener { ari, connected: Arc::default(), store, rules, sessions: Arc::default() }
    }

    /// Rings the phone of a line, which listens when it is answered.
    ///
    /// # Errors
    /// See [`NotListened`].
    pub async fn begin(&self, wanted: Wanted) -> Result<Listening, NotListened> {
        let Wanted { id, uniqueid, line, how, person } = wanted;
        if !self.connected.load(Ordering::Relaxed) {
            return Err(NotListened::Away);
        }
        let no_call = || NotListened::NoCall(uniqueid.clone());
        let gone = |error| if matches!(error, AriError::Gone(_)) { no_call() } else { error.into() };
        let channel = self.ari.channel(&uniqueid).await.map_err(gone)?;
        // Asterisk takes names for ids, too.
        let is_helper = HELPERS.iter().any(|helper| channel.name.starts_with(helper));
        if channel.id != uniqueid || is_helper || Part::of(&uniqueid).is_some() {
            return Err(no_call());
        }
        let mut asking = Asking::until(Instant::now() + self.rules.deadline);
        if self.store.line_caller(&line, "", &mut asking).await?.is_none() {
            return Err(NotListened::NoLine(line));
        }
        let marks = self.ari.get(&uniqueid, &["TANDEM_URGENT", "SHARED(TANDEM_URGENT)"]).await.map_err(gone)?;
        let urgent = marks.iter().any(|mark| mark == "1");
        if urgent && how != How::Listen {
            return Err(NotListened::Emergency);
        }
        let listening = Listening { id, uniqueid, line, how, person, since: Listening::now(), urgent };
        // Who called may have chosen it.
        let number: String = channel.caller.number.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '+').collect();
        let originate = Originate {
            endpoint: self.rules.dial_line(&listening.line),
            app: self.ari.app().to_owned(),
            app_args: listening.told(),
            caller_id: format!("\"Listening\" <{number}>"),
            timeout: RING_SECONDS,
            // It is nobody's call.
            variables: [("CDR_PROP(disable)".to_owned(), "1".to_owned())].into(),
            ..Originate::default()
        };
        self.sessions().insert(id, Session { listening: listening.clone(), turn: 0 });
        if let Err(error) = self.ari.originate(&Part::Phone(id).id(), &originate).await {
            self.sessions().remove(&id);
            return Err(error.into());
        }
        Ok(listening)
    }

    /// Hangs up a phone that listens, or rings to; false when there is none of this id here.
    ///
    /// # Errors
    /// Asterisk does not do it.
    pub async fn end(&self, id: Uuid) -> Result<bool, AriError> {
        if !self.sessions().contains_key(&id) {
            return Ok(false);
        }
        match self.ari.hang_up(&Part::Phone(id).id(), NORMAL).await {
            Ok(()) => Ok(true),
            Err(AriError::Gone(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Who listens, the longest first.
    #[must_use]
    pub fn listenings(&self) -> Vec<Listening> {
        let mut all: Vec<Listening> = self.sessions().values().map(|session| session.listening.clone()).collect();
        all.sort_by_key(|listening| listening.since);
        all
    }

    /// Tells the audit log that somebody is heard by others now.
    pub(super) async fn tell_change(self, listening: Listening) {
        let Listening { id, uniqueid, line, how, person, .. } = listening;
        let subject = json!({ "listening": id, "line": line, "how": how }).to_string();
        let deed = Deed { person, action: "listen.change", about: uniqueid, subject };
        if let Err(error) = self.store.tell(deed).await {
            error!(%error, listening = %id, how = how.name(), "the audit log lacks that who listens speaks otherwise");
        }
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, HashMap<Uuid, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
