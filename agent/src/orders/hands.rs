//! What this node can do.

use serde::Serialize;
use serde_json::json;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::order::{Order, Outcome, Refused, Why};
use crate::listen::listener::{Listener, NotListened, Wanted};
use crate::live::board::Board;
use crate::live::dialler::{Dialler, NotDialled};
use crate::store::live_call::{LiveCall, Side, State};
use crate::store::recording::{Direction, Form};
use crate::store::{Store, StoreError};
use crate::tap::purpose::{self, Purpose};
use crate::tap::subject::Subject;
use crate::tap::tapper::{TapError, Tapper};

/// For a question to the database.
const QUESTION: Duration = Duration::from_secs(2);

/// What the parts of this node do.
#[derive(Debug)]
pub struct Hands {
    /// The parts that need Asterisk's REST interface, where it is used.
    pub ari: Option<ByAri>,
    /// Records calls.
    pub tapper: Tapper,
    /// The central data.
    pub store: Store,
}

/// What needs Asterisk's REST interface.
#[derive(Debug)]
pub struct ByAri {
    /// Listens.
    pub listener: Listener,
    /// Calls.
    pub dialler: Dialler,
    /// The calls that go on.
    pub board: Board,
}

impl Hands {
    /// Does what is ordered, in somebody's name.
    ///
    /// # Errors
    /// Why nothing was done.
    pub async fn act(&self, id: Uuid, order: Order, person: &str) -> Outcome {
        let Some(ari) = &self.ari else {
            if order == Order::Listenings {
                return told(&[(); 0]);
            }
            return Err(Refused::new(Why::Away, "this node does not use Asterisk's REST interface; see ari.password"));
        };
        match order {
            Order::Listen { uniqueid, line, how } => {
                let wanted = Wanted { id, uniqueid, line, how, person: person.to_owned() };
                told(&ari.listener.begin(wanted).await?)
            }
            Order::EndListening { listening } => match ari.listener.end(listening).await {
                Ok(true) => Ok(json!({ "id": listening })),
                Ok(false) => Err(Refused::new(Why::Missing, "nobody listens under this id any more")),
                Err(error) => Err(Refused::new(Why::Away, error.to_string())),
            },
            Order::Listenings => told(&ari.listener.listenings()),
            Order::Call { from, to } => {
                let uniqueid = ari.dialler.call(&from, &to).await?;
                Ok(json!({ "uniqueid": uniqueid }))
            }
            Order::Record { uniqueid, form } => self.record(&ari.board, &uniqueid, form, person).await,
        }
    }

    async fn record(&self, board: &Board, uniqueid: &str, form: Form, person: &str) -> Outcome {
        let leg = board.calls().into_iter().find(|leg| leg.uniqueid == uniqueid);
        let leg = leg.ok_or_else(|| Refused::new(Why::Missing, format!("there is no call {uniqueid} on this node")))?;
        let no_line = || Refused::new(Why::Wrong, "uniqueid: it is the side of no line; record that of the line");
        let line = leg.line_id.as_deref().ok_or_else(no_line)?;
        let policy = self.store.recording_policy(line, Instant::now() + QUESTION).await?;
        let (account, policy) =
            policy.ok_or_else(|| Refused::new(Why::Missing, format!("there is no line {line} any more")))?;
        let wanted = purpose::Wanted::without_order(person, Some(account.clone()), &policy);
        let subject = Subject { account_id: Some(account), ..subject(&leg) };
        let id = self.tapper.start(&subject, Purpose::Recording(wanted), form).await?;
        Ok(json!({ "id": id }))
    }
}

/// A leg, as far as recording it goes.
#[must_use]
pub fn subject(leg: &LiveCall) -> Subject {
    let (direction, line_number, other_number) = match leg.side {
        Side::Makes => (Direction::Outbound, &leg.shown_number, &leg.dialled),
        Side::Takes => (Direction::Inbound, &leg.dialled, &leg.shown_number),
    };
    Subject {
        channel: leg.channel.clone(),
        uniqueid: leg.uniqueid.clone(),
        linked_id: leg.linked_id.clone(),
        line_id: leg.line_id.clone(),
        account_id: leg.account_id.clone(),
        direction,
        line_number: line_number.clone(),
        other_number: other_number.clone(),
        since: leg.began_at,
        dialled: leg.dialled.clone(),
        answered: leg.state == State::Talks,
        talks: leg.state == State::Talks,
        bridge: String::new(),
    }
}

fn told(what: &(impl Serialize + ?Sized)) -> Outcome {
    serde_json::to_value(what).map_err(|error| Refused::new(Why::Unknown, error.to_string()))
}

impl From<NotListened> for Refused {
    fn from(error: NotListened) -> Refused {
        let why = match error {
            NotListened::NoCall(_) | NotListened::NoLine(_) => Why::Missing,
            NotListened::Emergency => Why::Forbidden,
            NotListened::Away | NotListened::Unknown(_) | NotListened::Asterisk(_) => Why::Away,
        };
        Refused::new(why, error.to_string())
    }
}

impl From<NotDialled> for Refused {
    fn from(error: NotDialled) -> Refused {
        let why = match error {
            NotDialled::UnknownLine(_) => Why::Missing,
            NotDialled::NoNumber(_) => Why::Wrong,
            NotDialled::Unknown(_) | NotDialled::Asterisk(_) => Why::Away,
        };
        Refused::new(why, error.to_string())
    }
}

impl From<TapError> for Refused {
    fn from(error: TapError) -> Refused {
        let why = if matches!(error, TapError::Unknown(_)) { Why::Missing } else { Why::Away };
        Refused::new(why, error.to_string())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        Refused::new(Why::Away, error.to_string())
    }
}
