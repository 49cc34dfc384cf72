//! A call that goes on inside an account: to a mailbox's operator, to somebody found in a directory, to where a menu leads. It reaches what belongs
//! to the account, and nothing else, so that it needs nobody's permission.

use super::decide::{Known, Request};
use super::decision::{Decision, Dial, Refusal};
use super::explanation::Listener;
use super::number;
use super::ring;
use super::rules::Rules;
use crate::store::asking::Asking;
use crate::store::caller::Status;
use crate::store::target::TargetKind;
use crate::store::{Store, StoreError};

/// Where inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside<'a> {
    /// To the operator of the mailbox with this id.
    Operator(&'a str),
    /// To what was dialled, an extension of the account with this id.
    Extension(&'a str),
    /// To something of the account.
    Target {
        /// The account's id.
        account_id: &'a str,
        /// What it is.
        kind: TargetKind,
        /// Its id.
        id: &'a str,
    },
}

impl Inside<'_> {
    /// The ids that it is asked by.
    pub(super) fn ids(&self) -> [&str; 2] {
        match self {
            Inside::Operator(id) | Inside::Extension(id) => [id, id],
            Inside::Target { account_id, id, .. } => [account_id, id],
        }
    }
}

/// Decides the call of somebody who is inside already.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn decide(
    inside: Inside<'_>,
    request: &Request<'_>,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Decision, StoreError> {
    let mut known = Known { number: request.dialled, class: number::INTERNAL, ..Known::default() };
    let found = match inside {
        Inside::Operator(mailbox_id) => store.mailbox_operator(mailbox_id, asking).await?,
        Inside::Extension(account_id) => store.extension(account_id, request.dialled, asking).await?,
        Inside::Target { account_id, kind, id } => store.target(account_id, kind, id, asking).await?,
    };
    let Some(found) = found else {
        listener.step("inside", || format!("{inside:?} is not there"));
        return known.reject(Refusal::NumberUnassigned);
    };
    known.account_id = &found.account_id;
    known.time_zone = &found.account_time_zone;
    known.number = &found.number;
    if found.account_status != Status::Active {
        return known.reject(Refusal::AccountInactive);
    }
    let Some(target) = &found.target else { return known.reject(Refusal::NumberUnassigned) };
    listener.step("inside", || format!("{} of account {}: {target}", found.number, found.account_id));
    let attempts = ring::attempts(target, request.caller_number, rules);
    if attempts.is_empty() && target.rings() {
        return known.reject(Refusal::CalledInactive);
    }
    Ok(Decision::Dial(Box::new(Dial {
        account_id: found.account_id.clone(),
        time_zone: found.account_time_zone.clone(),
        account_cap: 0,
        line_cap: 0,
        number: found.number.clone(),
        class: number::INTERNAL.to_owned(),
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
