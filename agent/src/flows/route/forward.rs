//! A call that goes elsewhere, because the line that it was for wants so. It goes on as a call of that line: with its permissions, at its account's
//! cost; in the record it stays what it was.

use super::decide::{Known, Request};
use super::decision::{Behalf, Decision, Dial, Kind, Refusal, Rejection};
use super::explanation::Listener;
use super::outbound::{self, Placed};
use super::rules::Rules;
use super::turn::Turn;
use crate::store::asking::Asking;
use crate::store::feature::Untaken;
use crate::store::{Store, StoreError};

/// A call that goes elsewhere.
#[derive(Debug)]
pub(super) struct Forward {
    /// What is known of the call until here, without attempts; its mailbox is the line's.
    pub call: Dial,
    /// The line that forwards it.
    pub line_id: String,
    /// Where to, as the line would dial it.
    pub number: String,
    /// Whether the caller's number is shown where the call leaves the house.
    pub shows_caller: bool,
    /// Why, as a carrier is told it (RFC 5806).
    pub why: &'static str,
}

/// Who calls, where a line places a call for somebody else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    /// The number that whom it was for would have seen.
    pub number: &'a str,
    /// The name, likewise.
    pub name: &'a str,
    /// Whether the number is withheld.
    pub withheld: bool,
}

/// How a line passes a call on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Onward {
    /// Whether the caller's number is shown where the call leaves the house, too.
    pub shows_caller: bool,
    /// Why, as a carrier is told it (RFC 5806).
    pub why: &'static str,
}

impl Forward {
    /// For whom the line places it.
    pub(super) fn placed(&self) -> Placed<'_> {
        let Dial { caller_number: number, caller_name: name, privacy: withheld, .. } = &self.call;
        let onward = Onward { shows_caller: self.shows_caller, why: self.why };
        Placed::On(Caller { number, name, withheld: *withheld }, onward)
    }

    /// The call as a whole, when the way of its new part is decided.
    pub(super) fn joined(self, turn: Turn, forwards: u32) -> Turn {
        let Forward { call, line_id, .. } = self;
        match turn {
            Turn::Decided(Decision::Dial(part)) if part.rings_only(&line_id) => {
                Turn::Decided(Self::refused(call, Refusal::ForwardLoop))
            }
            Turn::Decided(Decision::Dial(part)) => Turn::dial(Dial {
                reason: FORWARDED,
                privacy: call.privacy || part.privacy,
                mailbox_id: part.mailbox_id.or(call.mailbox_id),
                behalf: Some(Behalf {
                    line_id,
                    account_id: part.account_id,
                    number: part.number,
                    most: part.line_cap.here(),
                    account_most: part.account_cap,
                }),
                called_account_id: part.called_account_id,
                diversion: part.diversion,
                sell: part.sell,
                attempts: part.attempts,
                service: part.service,
                introduces: part.introduces,
                on_failure: part.on_failure,
                forwards,
                ..call
            }),
            Turn::Decided(Decision::Reject(rejection)) => Turn::Decided(Self::refused(call, rejection.refusal)),
            Turn::Forwarded(further) => {
                let mailbox_id = further.call.mailbox_id.clone().or(call.mailbox_id.clone());
                Turn::Forwarded(Box::new(Forward { call: Dial { mailbox_id, ..call }, ..*further }))
            }
            // What else a number may mean to somebody who dials it, it does not mean here.
            Turn::Decided(_) | Turn::Dialled { .. } => Turn::Decided(Self::refused(call, Refusal::NumberInvalid)),
        }
    }

    /// It cannot go there: the caller may leave a message for the line.
    pub(super) fn refused(call: Dial, refusal: Refusal) -> Decision {
        if call.mailbox_id.is_some() {
            return Decision::Dial(Box::new(call));
        }
        Decision::Reject(Rejection {
            refusal,
            account_id: call.account_id,
            time_zone: call.time_zone,
            number: call.number,
            class: call.class,
        })
    }
}

/// A call that other houses forwarded, too, and so often that it goes round.
pub(super) fn too_often(call: &Dial) -> Decision {
    let attempts = Vec::new();
    Forward::refused(Dial { attempts, service: None, on_failure: None, ..call.clone() }, Refusal::ForwardLoop)
}

/// Where a call goes that a line did not take, for this reason.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn after(
    why: Untaken,
    line_id: &str,
    request: &Request<'_>,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Turn, StoreError> {
    let Some(forwarder) = store.forwarder(line_id, asking).await? else {
        listener.step("forward", || format!("line {line_id} forwards nothing"));
        return Known::default().refuse(Refusal::NumberUnassigned);
    };
    let call = Dial {
        account_id: forwarder.account_id,
        time_zone: forwarder.account_time_zone,
        number: request.dialled.to_owned(),
        caller_name: request.caller_name.to_owned(),
        caller_number: request.caller_number.to_owned(),
        privacy: request.withheld,
        mailbox_id: forwarder.mailbox_id,
        forwards: request.forwards,
        ..Dial::default()
    };
    let Some(number) = forwarder.forwards.number(why).map(str::to_owned) else {
        listener.step("forward", || format!("line {line_id} does not forward what is {}", why.name()));
        return Ok(Turn::Decided(Forward::refused(call, Refusal::NumberUnassigned)));
    };
    listener.step("forward", || format!("line {line_id}, which is {}, forwards to {number}", why.name()));
    let shows_caller = forwarder.forwards.shows_caller;
    let why = match why {
        Untaken::Busy => "user-busy",
        Untaken::Unanswered => "no-answer",
        Untaken::Unreachable => "unavailable",
    };
    Ok(Turn::Forwarded(Box::new(Forward { call, line_id: line_id.to_owned(), number, shows_caller, why })))
}

/// The call to a further number at which the user of a line is looked for; the dialplan calls it beside the line's own phone. [`found`] says what comes of it.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn find_me(
    line_id: &str,
    request: &Request<'_>,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Turn, StoreError> {
    if request.forwards >= rules.forwards {
        return Known { number: request.dialled, ..Known::default() }.refuse(Refusal::ForwardLoop);
    }
    let shows_caller = store.forwarder(line_id, asking).await?.is_some_and(|line| line.forwards.shows_caller);
    let placed = Placed::On(request.caller(), Onward { shows_caller, why: "follow-me" });
    outbound::decide(line_id, request, placed, rules, store, asking, listener).await
}

/// The way to a further number, whatever forwards it led through: only phones ring, for as long as the line wants, and what leaves the house is taken by
/// whoever says so, since it may be a machine that answers.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn found(
    line_id: &str,
    request: &Request<'_>,
    decision: Decision,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Decision, StoreError> {
    let known = Known { number: request.dialled, ..Known::default() };
    let call = match decision {
        Decision::Reject(_) => return Ok(decision),
        // Nobody is found in a mailbox or a menu; a message is left for the line.
        Decision::Dial(call) if !call.attempts.is_empty() => call,
        _ => return Ok(known.rejection(Refusal::NumberInvalid)),
    };
    let numbers = store.find_me_numbers(line_id, asking).await?;
    let Some(number) = numbers.iter().find(|one| one.number == request.dialled) else {
        listener.step("find-me", || format!("{} is no number of line {line_id}", request.dialled));
        return Ok(known.rejection(Refusal::NumberUnassigned));
    };
    let mut call = Dial { mailbox_id: None, on_failure: None, forwards: call.forwards + 1, ..*call };
    for attempt in &mut call.attempts {
        attempt.asks |= attempt.kind == Kind::Gateway;
        attempt.seconds = attempt.seconds.min(number.ring_seconds);
    }
    Ok(Decision::Dial(Box::new(call)))
}

/// Why a call went where it did not want to.
const FORWARDED: &str = "forwarded";
