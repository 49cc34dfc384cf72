//! A call from a gateway: to a number of ours, and nowhere else.

use super::called::{self, Identity};
use super::decide::{Known, Request};
use super::decision::{Dial, Refusal};
use super::explanation::Listener;
use super::number::{self, Number};
use super::rules::Rules;
use super::turn::Turn;
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
) -> Result<Turn, StoreError> {
    let mut known = Known { number: request.dialled, ..Known::default() };
    let Some(gateway) = store.gateway_caller(gateway_id, asking).await? else {
        listener.step("caller", || format!("there is no gateway {gateway_id}"));
        return known.refuse(Refusal::GatewayUnknown);
    };
    listener.step("caller", || format!("gateway {gateway_id} ({:?})", gateway.status));
    if gateway.status != Status::Active {
        return known.refuse(Refusal::GatewayInactive);
    }
    let Some(dialled) = number::read_from_gateway(request.dialled, &gateway.country) else {
        listener.step("number", || format!("{} is no number in {}", request.dialled, gateway.country));
        return known.refuse(Refusal::NumberInvalid);
    };
    known.number = &dialled.e164;
    listener.step("number", || format!("{} is +{}", request.dialled, dialled.e164));
    let Some(own) = store.own_number(&dialled.e164, asking).await? else {
        listener.step("own-number", || "no account has this number".into());
        return known.refuse(Refusal::NumberUnassigned);
    };
    known.account_id = &own.account_id;
    known.time_zone = &own.account_time_zone;
    listener.step("own-number", || format!("it belongs to account {} ({:?})", own.account_id, own.account_status));
    if own.account_status != Status::Active {
        return known.refuse(Refusal::AccountInactive);
    }
    let Some(target) = &own.target else {
        listener.step("own-number", || "it leads nowhere".into());
        return known.refuse(Refusal::NumberUnassigned);
    };
    listener.step("own-number", || format!("it leads to {target}"));
    let presented = number::read_from_gateway(request.caller_number, &gateway.country);
    let call = Dial {
        account_id: own.account_id.clone(),
        called_account_id: own.account_id.clone(),
        time_zone: own.account_time_zone.clone(),
        account_cap: own.account_max_calls,
        number: dialled.e164,
        caller_name: request.caller_name.to_owned(),
        caller_number: shown(request.caller_number, presented.as_ref()),
        privacy: request.withheld,
        forwards: request.forwards,
        ..Dial::default()
    };
    let presented = presented.map(|number| number.e164).unwrap_or_default();
    let withheld = request.withheld || !request.caller_number.bytes().any(|byte| byte.is_ascii_digit());
    let caller = Identity { numbers: [&presented, request.caller_number], withheld };
    called::reach(target, call, caller, rules, store, asking, listener).await
}

/// A caller's number as it is shown, and may be dialled to call back: one from abroad with its `+`, and none with what makes it a code.
fn shown(presented: &str, read: Option<&Number>) -> String {
    match read {
        Some(number) if number.class == number::INTERNATIONAL && number.e164 == presented => format!("+{presented}"),
        _ => presented.replace(['*', '#'], ""),
    }
}
