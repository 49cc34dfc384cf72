//! Calls by a click: a line's phone rings, shows who is to be called, and calls when it is answered.
//!
//! Asterisk does it all by itself from then on (`[tandem-click]` of `tandem.conf`), so that nothing of the call hangs on this agent. It is a call of
//! the line as if its phone had dialled: with its permissions and limits, and to emergency numbers in any case.

use tokio::time::Instant;
use uuid::Uuid;

use crate::flows::route::rules::Rules;
use crate::store::asking::Asking;
use crate::store::{Store, StoreError};
use crate::wire::ari::{Ari, AriError, Originate};

/// Context of the dialplan in which an answered phone calls.
const CONTEXT: &str = "tandem-click";
/// Seconds that the phone may ring.
const RING_SECONDS: u32 = 30;

/// Why no phone rings.
#[derive(Debug, thiserror::Error)]
pub enum NotDialled {
    /// The line is not there.
    #[error("there is no line {0}")]
    UnknownLine(String),
    /// No line could dial that.
    #[error("{0:?} holds what no number holds")]
    NoNumber(String),
    /// Nobody knows whether the line is there.
    #[error(transparent)]
    Unknown(#[from] StoreError),
    /// Asterisk does not do it.
    #[error("the phone cannot be rung: {0}")]
    Asterisk(#[from] AriError),
}

/// Calls for lines.
#[derive(Debug, Clone)]
pub struct Dialler {
    ari: Ari,
    store: Store,
    rules: Rules,
}

impl Dialler {
    /// Has the Asterisk of `ari` call.
    #[must_use]
    pub fn new(ari: Ari, store: Store, rules: Rules) -> Dialler {
        Dialler { ari, store, rules }
    }

    /// Rings the line's phone, which then calls `number` as if that had been dialled there; the unique id of its channel.
    ///
    /// # Errors
    /// See [`NotDialled`].
    pub async fn call(&self, line_id: &str, number: &str) -> Result<String, NotDialled> {
        if !is_number(number) {
            return Err(NotDialled::NoNumber(number.to_owned()));
        }
        let mut asking = Asking::until(Instant::now() + self.rules.deadline);
        match self.store.line_caller(line_id, number, &mut asking).await {
            Ok(Some(_)) => {}
            Ok(None) => return Err(NotDialled::UnknownLine(line_id.to_owned())),
            // No database stands before a call for help; Asterisk knows its phones.
            Err(_) if is_id(line_id) && self.rules.emergency_number(number).is_some() => {}
            Err(error) => return Err(error.into()),
        }
        let uniqueid = format!("click-{}", Uuid::now_v7());
        let variables = [
            ("TANDEM_CLICK", line_id.to_owned()),
            ("CHANNEL(accountcode)", format!("line/{line_id}")),
            // Until it is answered it is nobody's call, and leaves no record.
            ("CDR_PROP(disable)", "1".to_owned()),
        ];
        let originate = Originate {
            endpoint: self.rules.dial_line(line_id),
            context: CONTEXT.to_owned(),
            extension: number.to_owned(),
            caller_id: number.to_owned(),
            timeout: RING_SECONDS,
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            ..Originate::default()
        };
        self.ari.originate(&uniqueid, &originate).await?;
        Ok(uniqueid)
    }
}

/// What the dialplan takes for something dialled: no single letter, which would be one of its own extensions.
fn is_number(text: &str) -> bool {
    let first = text.bytes().next();
    is_text(text, b"+*#-._")
        && first.is_some_and(|b| b.is_ascii_digit() || b"+*#".contains(&b) || b.is_ascii_alphabetic() && text.len() > 1)
}

fn is_id(text: &str) -> bool {
    is_text(text, b"-._")
}

fn is_text(text: &str, others: &[u8]) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
}
