//! What the feature codes of a line have in common: they reach within its account, without a route.

use tokio::time::Instant;

use super::Ports;
use super::route::decide::Origin;
use super::route::decision::{Decision, Refusal, Rejection};
use super::route::{answer, number, origin};
use crate::call::{Call, Fault, Step};
use crate::store::asking::{Asking, Source};
use crate::store::caller::{LineCaller, Status};

/// The time that a feature code has for its questions.
pub(super) fn asking(ports: &Ports) -> Asking {
    Asking::until(Instant::now() + ports.rules.deadline)
}

/// The line that calls, with where the dialled extension leads.
///
/// # Errors
/// The store could not be asked, or no line calls.
pub(super) async fn line(
    call: &impl Call,
    arguments: &[String],
    ports: &Ports,
    asking: &mut Asking,
) -> Step<Option<LineCaller>> {
    let (Origin::Line(line_id), _) = origin(arguments.get(..2).unwrap_or(arguments)) else {
        return Err(Fault("feature codes are for lines".to_owned()).into());
    };
    let caller = ports.store.line_caller(line_id, &call.caller().dialled, asking).await;
    Ok(caller.map_err(|error| Fault(format!("line {line_id} cannot be read: {error}")))?)
}

/// Answers with `action` for the line's account, or refuses the line what it may not do.
///
/// # Errors
/// The caller hung up meanwhile.
pub(super) async fn tell(
    call: &mut impl Call,
    caller: Option<&LineCaller>,
    action: &'static str,
    more: &[(&str, &str)],
    source: Option<Source>,
) -> Step<&'static str> {
    let number = call.caller().dialled.clone();
    let (account_id, time_zone) =
        caller.map(|caller| (&*caller.account.id, &*caller.account.time_zone)).unwrap_or_default();
    if let Some(refusal) = refusal(caller) {
        let rejection = Rejection {
            refusal,
            account_id: account_id.to_owned(),
            time_zone: time_zone.to_owned(),
            number,
            class: number::INTERNAL.to_owned(),
        };
        let variables = answer::variables(&Decision::Reject(rejection), source, false);
        let pairs: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        call.set(&pairs).await?;
        return Ok(refusal.reason());
    }
    let mut pairs = vec![
        ("TANDEM_ACTION", action),
        ("TANDEM_ACCOUNT", account_id),
        ("TANDEM_ZONE", time_zone),
        ("TANDEM_NUMBER", &*number),
        ("TANDEM_CLASS", number::INTERNAL),
        ("TANDEM_REASON", ""),
        ("TANDEM_SOURCE", source.map_or("", Source::name)),
    ];
    pairs.extend(more);
    pairs.push(("TANDEM_DONE", "1"));
    call.set(&pairs).await?;
    Ok(action)
}

/// Why the line may not call within its account, if it may not.
fn refusal(caller: Option<&LineCaller>) -> Option<Refusal> {
    match caller {
        None => Some(Refusal::LineUnknown),
        Some(caller) if caller.account.status != Status::Active => Some(Refusal::AccountInactive),
        Some(caller) if caller.line_status != Status::Active => Some(Refusal::LineInactive),
        Some(caller) if !caller.internal_allowed => Some(Refusal::ClassForbidden),
        Some(_) => None,
    }
}
