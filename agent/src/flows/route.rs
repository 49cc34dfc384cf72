//! The flow `route`: one short exchange that tells the dialplan what becomes of a call.
//!
//! `AGI(agi://127.0.0.1:4573/route/line/<line id>)`, `AGI(.../route/gateway/<gateway id>)`, or `AGI(.../route/transfer/<line id>)` for somebody whom a
//! line hands on, `AGI(.../route/consult/<line id>)` for the line that asks first. The call is not answered
//! and no session is held: one `MSet` carries the whole answer.

mod announcement;
pub mod answer;
mod called;
pub mod cost;
pub mod decide;
pub mod decision;
mod diversion;
mod emergency;
pub mod explanation;
pub mod feature;
mod forward;
mod inbound;
pub mod inside;
pub mod number;
mod outbound;
pub mod ring;
pub mod rules;
mod turn;

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::Utc;
use tokio::time::Instant;

use self::decide::{Origin, Request};
use self::decision::Decision;
use self::explanation::Silent;
use self::inside::Inside;
use super::Ports;
use crate::call::{Call, Ended, Fault, Step};
use crate::emergency::atlas::Atlas;
use crate::emergency::callbacks::Callbacks;
use crate::store::Store;
use crate::store::asking::Asking;
use crate::store::feature::Untaken;
use crate::store::target::TargetKind;

/// What a decision may look up.
#[derive(Debug, Clone, Copy)]
pub struct Knowledge<'a> {
    /// The data.
    pub store: &'a Store,
    /// Who answers calls for help.
    pub atlas: &'a Atlas,
    /// Who is called back.
    pub callbacks: &'a Callbacks,
}

/// Decides the call and sets the answer.
///
/// # Errors
/// The caller hung up meanwhile, or the store could not be asked. Then `TANDEM_DONE` is not set and the dialplan's
/// fallback takes the call.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let started = Instant::now();
    let caller = call.caller();
    let mut hasher = DefaultHasher::new();
    caller.uniqueid.hash(&mut hasher);
    let (origin, device) = origin(arguments);
    let at = Utc::now();
    let request = Request {
        origin,
        device,
        dialled: &caller.dialled,
        caller_number: &caller.number,
        caller_name: &caller.name,
        withheld: caller.withheld,
        forwards: forwards(arguments),
        seed: hasher.finish(),
        at,
    };
    let mut asking = Asking::until(started + ports.rules.deadline);
    let atlas = ports.atlas.borrow().clone();
    let knowledge = Knowledge { store: &ports.store, atlas: &atlas, callbacks: &ports.callbacks };
    let decided = decide::decide(&request, &ports.rules, &knowledge, &mut asking, &mut Silent).await;
    ports.decision_seconds.record(started.elapsed());
    let mut decision = match decided {
        Ok(decision) => decision,
        Err(error) => {
            ports.count("undecided");
            return Err(Ended::Failed(Fault(format!("the call could not be decided: {error}"))));
        }
    };
    if let Decision::Dial(dial) = &mut decision
        && dial.diversion.is_some()
        && matches!(origin, Origin::Gateway(_) | Origin::Untaken(..))
    {
        dial.forwards = dial.forwards.max(diversion::before(call).await?.saturating_add(1));
        if dial.forwards > ports.rules.forwards {
            decision = forward::too_often(dial);
        }
    }
    if let Decision::Dial(dial) = &mut decision {
        let orders = ports.orders.borrow().clone();
        dial.announces = announcement::is_wanted(dial, origin.line(), &orders, at, &ports.rules);
    }
    let outcome = match &decision {
        Decision::Dial(dial) => answer::action(dial),
        Decision::Emergency(_) => "emergency",
        Decision::ReadLocation => "location",
        Decision::Feature(_) => "feature",
        Decision::Reject(rejection) => rejection.refusal.reason(),
    };
    ports.count(outcome);
    let goes_on = matches!(origin, Origin::Untaken(..));
    let variables = answer::variables(&decision, asking.source(), goes_on);
    let pairs: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    call.set(&pairs).await?;
    Ok(outcome)
}

/// Who calls, by the path of the `AGI()` call, and from which device. Anything more was not written by our dialplan: nobody we know.
pub(super) fn origin(arguments: &[String]) -> (Origin<'_>, &str) {
    match arguments {
        [kind, id] if kind == "gateway" => (Origin::Gateway(id), ""),
        [kind, ..] if kind == "gateway" => (Origin::Gateway(""), ""),
        [kind, id] if kind == "mailbox" => (Origin::Inside(Inside::Operator(id)), ""),
        [kind, id] if kind == "account" => (Origin::Inside(Inside::Extension(id)), ""),
        [kind, account_id, target, id] if kind == "account" => match TargetKind::named(target) {
            Some(kind) => (Origin::Inside(Inside::Target { account_id, kind, id }), ""),
            None => (Origin::Line(""), ""),
        },
        [kind, id] if kind == "transfer" => (Origin::Transferrer(id), ""),
        [kind, id] if kind == "consult" => (Origin::Consulting(id), ""),
        [kind, id] if kind == "line" => (Origin::Line(id), ""),
        [kind, id, device] if kind == "line" => (Origin::Line(id), device),
        [kind, line_id, why, _] if kind == "untaken" => match Untaken::named(why) {
            Some(why) => (Origin::Untaken(line_id, why), ""),
            None => (Origin::Line(""), ""),
        },
        [kind, line_id, _] if kind == "find-me" => (Origin::FindMe(line_id), ""),
        _ => (Origin::Line(""), ""),
    }
}

/// How often the call was forwarded, where the path of the `AGI()` call says so.
fn forwards(arguments: &[String]) -> u32 {
    match arguments {
        [kind, .., forwards] if kind == "untaken" || kind == "find-me" => forwards.parse().unwrap_or(u32::MAX),
        _ => 0,
    }
}
