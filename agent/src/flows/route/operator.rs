//! A call from a mailbox to its operator: somebody who was to leave a message pressed 0. It reaches an extension of the account, and nothing
//! else, so that it needs nobody's permission.

use super::decide::{Known, Request};
use super::decision::{Decision, Dial, Refusal};
use super::explanation::Listener;
use super::number;
use super::ring;
use super::rules::Rules;
use crate::store::asking::Asking;
use crate::store::caller::Status;
use crate::store::target::Target;
use crate::store::{Store, StoreError};

/// Decides the call of somebody in the mailbox with this id.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn decide(
    mailbox_id: &str,
    request: &Request<'_>,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Decision, StoreError> {
    let mut known = Known { number: request.dialled, class: number::INTERNAL, ..Known::default() };
    let Some(operator) = store.mailbox_operator(mailbox_id, asking).await? else {
        listener.step("operator", || format!("mailbox {mailbox_id} has no operator"));
        return known.reject(Refusal::NumberUnassigned);
    };
    known.account_id = &operator.account_id;
    known.time_zone = &operator.account_time_zone;
    if operator.account_status != Status::Active {
        return known.reject(Refusal::AccountInactive);
    }
    let Some(target) = &operator.target else { return known.reject(Refusal::NumberUnassigned) };
    listener.step("operator", || format!("of mailbox {mailbox_id} is extension {}: {target}", operator.number));
    let attempts = ring::attempts(target, request.caller_number, rules);
    if attempts.is_empty() && !matches!(target, Target::Mailbox(_)) {
        return known.reject(Refusal::CalledInactive);
    }
    Ok(Decision::Dial(Box::new(Dial {
        account_id: operator.account_id.clone(),
        time_zone: operator.account_time_zone.clone(),
        account_cap: 0,
        line_cap: 0,
        number: operator.number.clone(),
        class: number::INTERNAL.to_owned(),
        reason: "",
        caller_name: request.caller_name.to_owned(),
        caller_number: request.caller_number.to_owned(),
        privacy: false,
        sell: None,
        attempts,
        mailbox_id: target.mailbox_id().map(str::to_owned),
    })))
}
