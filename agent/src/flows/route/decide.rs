//! A decision: an emergency call goes out before any question is asked; else who calls decides, a line ([`outbound`])
//! or a gateway ([`inbound`]), with two questions to the store at the most.

use super::Knowledge;
use super::decision::{Decision, Refusal, Rejection};
use super::explanation::Listener;
use super::inside::{self, Inside};
use super::rules::Rules;
use super::{emergency, inbound, number, outbound};
use crate::store::StoreError;
use crate::store::asking::Asking;
use chrono::{DateTime, Utc};

/// A call that is to be decided. Everything but `origin` is the caller's data.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who calls, as the edge or the node's own authentication says: never from caller ID.
    pub origin: Origin<'a>,
    /// Which of the line's devices, where they are told apart; else empty.
    pub device: &'a str,
    /// What was dialled.
    pub dialled: &'a str,
    /// Caller number that the phone or carrier presents.
    pub caller_number: &'a str,
    /// Caller name that the phone or carrier presents.
    pub caller_name: &'a str,
    /// Spreads calls over gateways by weight; the same seed gives the same decision.
    pub seed: u64,
    /// The time whose rates hold.
    pub at: DateTime<Utc>,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The line with this id.
    Line(&'a str),
    /// The gateway with this id.
    Gateway(&'a str),
    /// Somebody whose call reached an account, and goes on inside it.
    Inside(Inside<'a>),
}

impl Origin<'_> {
    /// The ids that it is asked by.
    fn ids(&self) -> [&str; 2] {
        match self {
            Origin::Line(id) | Origin::Gateway(id) => [id, id],
            Origin::Inside(inside) => inside.ids(),
        }
    }
}

/// Decides a call.
///
/// # Errors
/// The store could not be asked; the dialplan's fallback takes the call.
pub async fn decide(
    request: &Request<'_>,
    rules: &Rules,
    knowledge: &Knowledge<'_>,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Decision, StoreError> {
    if let Origin::Line(line_id) = request.origin
        && let Some(number) = rules.emergency_number(request.dialled)
    {
        let decided = emergency::decide(number, line_id, request, rules, knowledge, asking, listener);
        return Ok(Decision::Emergency(Box::new(decided.await)));
    }
    if let Origin::Line(_) = request.origin
        && rules.is_emergency_test(request.dialled)
    {
        listener.step("test", || format!("{} reads the registered location back", request.dialled));
        return Ok(Decision::ReadLocation);
    }
    if let Some(decision) = emergency::call_back(request, rules, knowledge, listener) {
        return Ok(decision);
    }
    let store = knowledge.store;
    let decision = match request.origin {
        origin if !origin.ids().into_iter().all(is_id) => {
            listener.step("caller", || format!("{origin:?} has no id of a line or gateway"));
            let line = !matches!(request.origin, Origin::Gateway(_));
            Known::default().reject(if line { Refusal::LineUnknown } else { Refusal::GatewayUnknown })?
        }
        Origin::Inside(inside) => inside::decide(inside, request, rules, store, asking, listener).await?,
        _ if !number::is_diallable(request.dialled) => {
            listener.step("number", || format!("{:?} holds what no number holds", request.dialled));
            Known::default().reject(Refusal::NumberInvalid)?
        }
        Origin::Line(line_id) => outbound::decide(line_id, request, rules, store, asking, listener).await?,
        Origin::Gateway(gateway_id) => inbound::decide(gateway_id, request, rules, store, asking, listener).await?,
    };
    match &decision {
        Decision::Reject(rejection) => listener.step("end", || {
            let refusal = rejection.refusal;
            format!("refused: {}, cause {}, the caller hears {}", refusal.reason(), refusal.cause(), refusal.prompt())
        }),
        Decision::Dial(dial) => listener.step("end", || {
            let routes: Vec<&str> = dial.attempts.iter().map(|attempt| attempt.dial.as_str()).collect();
            if let Some((service, name)) = &dial.service {
                return format!("{} {name} answers", service.name());
            }
            match &dial.mailbox_id {
                Some(mailbox) if routes.is_empty() => format!("a message is left in mailbox {mailbox}"),
                Some(mailbox) => {
                    format!("tries {}; then a message is left in mailbox {mailbox}", routes.join(", then "))
                }
                None => format!("tries {}", routes.join(", then ")),
            }
        }),
        Decision::Emergency(_) | Decision::ReadLocation => {}
    }
    Ok(decision)
}

/// Whether `id` can be an id of ours at all, so that hostile headers cost no question.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// A refusal in the making: what is known so far.
#[derive(Default)]
pub(super) struct Known<'a> {
    pub(super) account_id: &'a str,
    pub(super) time_zone: &'a str,
    pub(super) number: &'a str,
    pub(super) class: &'a str,
}

impl Known<'_> {
    pub(super) fn reject(&self, refusal: Refusal) -> Result<Decision, StoreError> {
        Ok(Decision::Reject(Rejection {
            refusal,
            account_id: self.account_id.to_owned(),
            time_zone: self.time_zone.to_owned(),
            number: self.number.to_owned(),
            class: self.class.to_owned(),
        }))
    }
}
