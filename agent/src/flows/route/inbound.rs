//! A call from a gateway: to a number of ours, and nowhere else.

use super::decide::{Known, Request};
use super::decision::{Decision, Dial, Refusal};
use super::explanation::Listener;
use super::number;
use super::ring;
use super::rules::Rules;
use crate::store::asking::Asking;
use crate::store::caller::Status;
use crate::store::{Store, StoreError};

/// Decides the call that came in by the gateway with this id.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn decide(
    gateway_id: &str,
    request: &Request<'_>,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Decision, StoreError> {
    let mut known = Known { number: request.dialled, ..Known::default() };
    let Some(gateway) = store.gateway_caller(gateway_id, asking).await? else {
        listener.step("caller", || format!("there is no gateway {gateway_id}"));
        return known.reject(Refusal::GatewayUnknown);
    };
    listener.step("caller", || format!("gateway {gateway_id} ({:?})", gateway.status));
    if gateway.status != Status::Active {
        return known.reject(Refusal::GatewayInactive);
    }
    let Some(dialled) = number::read_from_gateway(request.dialled, &gateway.country) else {
        listener.step("number", || format!("{} is no number in {}", request.dialled, gateway.country));
        return known.reject(Refusal::NumberInvalid);
    };
    known.number = &dialled.e164;
    listener.step("number", || format!("{} is +{}", request.dialled, dialled.e164));
    let Some(own) = store.own_number(&dialled.e164, asking).await? else {
        listener.step("own-number", || "no account has this number".into());
        return known.reject(Refusal::NumberUnassigned);
    };
    known.account_id = &own.account_id;
    known.time_zone = &own.account_time_zone;
    listener.step("own-number", || format!("it belongs to account {} ({:?})", own.account_id, own.account_status));
    if own.account_status != Status::Active {
        return known.reject(Refusal::AccountInactive);
    }
    let Some(target) = &own.target else {
        listener.step("own-number", || "it leads nowhere".into());
        return known.reject(Refusal::NumberUnassigned);
    };
    listener.step("own-number", || format!("it leads to {target}"));
    let attempts = ring::attempts(target, request.caller_number, rules);
    if attempts.is_empty() && target.rings() {
        return known.reject(Refusal::CalledInactive);
    }
    Ok(Decision::Dial(Box::new(Dial {
        account_id: own.account_id.clone(),
        time_zone: own.account_time_zone.clone(),
        account_cap: own.account_max_calls,
        line_cap: 0,
        number: dialled.e164,
        class: String::new(),
        reason: "",
        caller_name: request.caller_name.to_owned(),
        caller_number: request.caller_number.to_owned(),
        privacy: false,
        sell: None,
        attempts,
        mailbox_id: target.mailbox_id().map(str::to_owned),
        service: target.service().map(|(service, name)| (service, name.to_owned())),
    })))
}
