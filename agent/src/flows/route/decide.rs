//! A decision: an emergency call goes out before any question is asked; else who calls decides, a line ([`outbound`])
//! or a gateway ([`inbound`]), with two questions to the store. A code, a forward and what a line does with some callers ask more.

use super::Knowledge;
use super::decision::{Decision, Refusal, Rejection};
use super::explanation::Listener;
use super::forward::{self, Caller, Forward};
use super::inside::{self, Inside};
use super::outbound::{self, Placed};
use super::rules::Rules;
use super::turn::Turn;
use super::{emergency, inbound, number};
use crate::store::asking::Asking;
use crate::store::cap::Cap;
use crate::store::feature::Untaken;
use crate::store::{Store, StoreError};
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
    /// Whether the phone or carrier withholds the number.
    pub withheld: bool,
    /// How often the call was forwarded already.
    pub forwards: u32,
    /// Spreads calls over gateways by weight; the same seed gives the same decision.
    pub seed: u64,
    /// The time whose rates hold.
    pub at: DateTime<Utc>,
}

impl Request<'_> {
    /// Whether the number is withheld, where the line's phone says so by itself (RFC 3323).
    fn said(&self) -> Option<bool> {
        (self.withheld && matches!(self.origin, Origin::Line(_))).then_some(true)
    }

    /// Who calls, as far as Asterisk knows.
    pub(super) fn caller(&self) -> Caller<'_> {
        Caller { number: self.caller_number, name: self.caller_name, withheld: self.withheld }
    }

    /// For whom a line places it that dialled it: for itself, or for somebody whom it hands on, where Asterisk knows who that is.
    fn placed(&self, said: Option<bool>) -> Placed<'_> {
        let known = !self.caller_number.is_empty() || self.withheld;
        if known && matches!(self.origin, Origin::Transferrer(_)) {
            return Placed::HandedOn(self.caller(), said);
        }
        Placed::Own(said)
    }
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The line with this id.
    Line(&'a str),
    /// Somebody whom the line with this id hands on to what was dialled, with the line's permissions, and never to premium numbers. Within the house the
    /// caller is shown, not the line.
    Transferrer(&'a str),
    /// The line with this id, which asks at what was dialled before it hands somebody on: as it would hand on, but shown itself.
    Consulting(&'a str),
    /// The gateway with this id.
    Gateway(&'a str),
    /// Somebody whose call reached an account, and goes on inside it.
    Inside(Inside<'a>),
    /// Somebody whose call the line with this id did not take, for this reason.
    Untaken(&'a str, Untaken),
    /// Somebody who calls the line with this id, which is looked for elsewhere, too.
    FindMe(&'a str),
}

impl<'a> Origin<'a> {
    /// The ids that it is asked by.
    fn ids(&self) -> [&str; 2] {
        match self {
            Origin::Line(id)
            | Origin::Transferrer(id)
            | Origin::Consulting(id)
            | Origin::Gateway(id)
            | Origin::Untaken(id, _)
            | Origin::FindMe(id) => [id, id],
            Origin::Inside(inside) => inside.ids(),
        }
    }

    /// The line by whose rights it is decided, if it is one.
    pub(super) fn line(&self) -> Option<&'a str> {
        match self {
            Origin::Line(id) | Origin::Transferrer(id) | Origin::Consulting(id) => Some(id),
            Origin::Gateway(_) | Origin::Inside(_) | Origin::Untaken(..) | Origin::FindMe(_) => None,
        }
    }

    /// Whether a line hands the call on, or is about to.
    pub(super) fn hands_on(&self) -> bool {
        matches!(self, Origin::Transferrer(_) | Origin::Consulting(_))
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
    if let Some(decision) = before_all(request, rules, knowledge, asking, listener).await {
        return Ok(decision);
    }
    let mut turn = first(request, rules, knowledge.store, asking, listener).await?;
    let (mut forwards, mut forwarders, mut codes, mut said) = (request.forwards, Vec::new(), 0, request.said());
    let decision = loop {
        turn = match turn {
            // What a line sets by its codes is not for those whom it hands on.
            Turn::Decided(Decision::Feature(_)) if request.origin.hands_on() => break invalid(request),
            Turn::Decided(decision) => break decision,
            Turn::Dialled { number, privacy } => {
                codes += 1;
                said = privacy.or(said);
                let Some(line_id) = request.origin.line() else { break invalid(request) };
                let request = Request { dialled: &number, ..*request };
                if let Some(decision) = before_all(&request, rules, knowledge, asking, listener).await {
                    return Ok(decision);
                }
                if codes > CODES || !number::is_diallable(&number) {
                    break invalid(&request);
                }
                let placed = request.placed(said);
                outbound::decide(line_id, &request, placed, rules, knowledge.store, asking, listener).await?
            }
            Turn::Forwarded(forward) => {
                let again = forwarders.contains(&forward.line_id);
                if again || forwards >= rules.forwards {
                    listener.step("forward", || format!("{} forwards and no end", forwards + 1));
                    Turn::Decided(Forward::refused(forward.call, Refusal::ForwardLoop))
                } else {
                    forwards += 1;
                    forwarders.push(forward.line_id.clone());
                    let request = Request { dialled: &forward.number, ..*request };
                    let store = knowledge.store;
                    let on =
                        outbound::decide(&forward.line_id, &request, forward.placed(), rules, store, asking, listener);
                    let turn = on.await?;
                    forward.joined(turn, forwards)
                }
            }
        };
    };
    let decision = match request.origin {
        Origin::FindMe(line_id) => {
            forward::found(line_id, request, decision, knowledge.store, asking, listener).await?
        }
        _ => decision,
    };
    match &decision {
        Decision::Reject(rejection) => listener.step("end", || {
            let refusal = rejection.refusal;
            format!("refused: {}, cause {}, the caller hears {}", refusal.reason(), refusal.cause(), refusal.prompt())
        }),
        Decision::Dial(dial) if dial.line_cap.is_full() => listener.step("end", || full("line", dial.line_cap)),
        Decision::Dial(dial) if dial.account_cap.is_full() => {
            listener.step("end", || full("account", dial.account_cap));
        }
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
        Decision::Feature(call) => {
            listener.step("end", || format!("{} is the code of {}", call.number, call.feature.name()));
        }
        Decision::Emergency(_) | Decision::ReadLocation => {}
    }
    Ok(decision)
}

/// What stands before every rule: calls for help, the test of what they would say, and calls back to those who called for help.
async fn before_all(
    request: &Request<'_>,
    rules: &Rules,
    knowledge: &Knowledge<'_>,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Option<Decision> {
    if let Some(line_id) = request.origin.line() {
        if let Some(number) = rules.emergency_number(request.dialled) {
            let decided = emergency::decide(number, line_id, request, rules, knowledge, asking, listener);
            return Some(Decision::Emergency(Box::new(decided.await)));
        }
        if rules.is_emergency_test(request.dialled) {
            listener.step("test", || format!("{} reads the registered location back", request.dialled));
            return Some(Decision::ReadLocation);
        }
    }
    emergency::call_back(request, rules, knowledge, listener)
}

/// Codes before one number.
const CODES: u32 = 3;

/// The call as it stands.
async fn first(
    request: &Request<'_>,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Turn, StoreError> {
    match request.origin {
        origin if !origin.ids().into_iter().all(is_id) => {
            listener.step("caller", || format!("{origin:?} has no id of a line or gateway"));
            let line = !matches!(origin, Origin::Gateway(_));
            Known::default().refuse(if line { Refusal::LineUnknown } else { Refusal::GatewayUnknown })
        }
        Origin::Inside(inside) => inside::decide(inside, request, rules, store, asking, listener).await,
        Origin::Untaken(line_id, why) => forward::after(why, line_id, request, store, asking, listener).await,
        _ if !number::is_diallable(request.dialled) => {
            listener.step("number", || format!("{:?} holds what no number holds", request.dialled));
            Known::default().refuse(Refusal::NumberInvalid)
        }
        Origin::Line(line_id) | Origin::Transferrer(line_id) | Origin::Consulting(line_id) => {
            let placed = request.placed(request.said());
            outbound::decide(line_id, request, placed, rules, store, asking, listener).await
        }
        Origin::Gateway(gateway_id) => inbound::decide(gateway_id, request, rules, store, asking, listener).await,
        Origin::FindMe(line_id) => forward::find_me(line_id, request, rules, store, asking, listener).await,
    }
}

/// The dialplan refuses it, as it does when this node has all of them.
fn full(whose: &str, cap: Cap) -> String {
    format!("refused: {whose}-full, since other nodes have {} of the {whose}'s {} calls", cap.elsewhere, cap.most)
}

fn invalid(request: &Request<'_>) -> Decision {
    Known { number: request.dialled, ..Known::default() }.rejection(Refusal::NumberInvalid)
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
    pub(super) fn refuse(&self, refusal: Refusal) -> Result<Turn, StoreError> {
        Ok(Turn::Decided(self.rejection(refusal)))
    }

    pub(super) fn rejection(&self, refusal: Refusal) -> Decision {
        Decision::Reject(Rejection {
            refusal,
            account_id: self.account_id.to_owned(),
            time_zone: self.time_zone.to_owned(),
            number: self.number.to_owned(),
            class: self.class.to_owned(),
        })
    }
}
