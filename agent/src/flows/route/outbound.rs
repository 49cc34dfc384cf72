//! A call from a line: to an extension, to a number of ours, or out by the cheapest gateway.

use super::cost::{self, Caps, Terms};
use super::decide::{Known, Request};
use super::decision::{Attempt, Decision, Dial, Kind, Next, Refusal, Rejection};
use super::explanation::Listener;
use super::number::{self, Habits};
use super::ring;
use super::rules::Rules;
use crate::store::asking::Asking;
use crate::store::caller::{LineCaller, Status};
use crate::store::destination::{Destination, DestinationQuery};
use crate::store::price::Price;
use crate::store::target::Target;
use crate::store::{Store, StoreError};

/// Decides the call of the line with this id: who calls, what the number is, what they may call, where it goes.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn decide(
    line_id: &str,
    request: &Request<'_>,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Decision, StoreError> {
    let mut known = Known { number: request.dialled, ..Known::default() };
    let Some(caller) = store.line_caller(line_id, request.dialled, asking).await? else {
        listener.step("caller", || format!("there is no line {line_id}"));
        return known.reject(Refusal::LineUnknown);
    };
    known.account_id = &caller.account.id;
    known.time_zone = &caller.account.time_zone;
    listener.step("caller", || {
        format!(
            "line {line_id} ({:?}) of account {} ({:?})",
            caller.line_status, caller.account.id, caller.account.status
        )
    });
    if caller.account.status != Status::Active {
        return known.reject(Refusal::AccountInactive);
    }
    if caller.line_status != Status::Active {
        return known.reject(Refusal::LineInactive);
    }

    if let Some(target) = &caller.extension {
        known.class = number::INTERNAL;
        listener.step("number", || format!("{} is an extension of the account: {target}", request.dialled));
        if !caller.internal_allowed {
            listener.step("class", || "the line may not call class internal".into());
            return known.reject(Refusal::ClassForbidden);
        }
        let shown = caller.own_extension.as_deref().unwrap_or(line_id);
        return Ok(dial_own(
            &caller,
            (request.dialled, number::INTERNAL),
            shown,
            target,
            ring::attempts(target, shown, rules),
        ));
    }

    let habits =
        Habits { country: &caller.country, area_code: &caller.area_code, outside_prefix: &caller.outside_prefix };
    let Some(dialled) = number::read(request.dialled, habits) else {
        listener.step("number", || {
            format!("{} is neither an extension nor a number in {}", request.dialled, caller.country)
        });
        return known.reject(Refusal::NumberInvalid);
    };
    known.number = &dialled.e164;
    listener.step("number", || {
        let Habits { country, area_code, outside_prefix } = habits;
        format!(
            "{} is +{}, class {} from {country}, area code {area_code:?}, outside prefix {outside_prefix:?}",
            request.dialled, dialled.e164, dialled.class
        )
    });

    let presented = number::read(request.caller_number, habits).map(|number| number.e164);
    let destination = store
        .destination(
            &DestinationQuery {
                account_id: caller.account.id.clone(),
                line_id: line_id.to_owned(),
                number: dialled.e164.clone(),
                class: dialled.class.to_owned(),
                presented: presented.clone().unwrap_or_default(),
                sell_deck_id: caller.account.sell_deck_id.clone(),
                at: request.at,
            },
            asking,
        )
        .await?;
    known.class = &destination.class;

    // Only numbers of the account may be shown (caller ID of others is how spoofing and fraud start).
    let shown = presented
        .filter(|_| destination.presented_owned)
        .or_else(|| caller.caller_number.clone())
        .or_else(|| caller.account.caller_number.clone());
    listener.step("caller-number", || match (&shown, destination.presented_owned) {
        (Some(shown), true) => format!("shows +{shown}, a number of the account that the phone asked for"),
        (Some(shown), false) => format!("shows +{shown}; the phone presented {:?}", request.caller_number),
        (None, _) => "shows none: neither line nor account has a caller number".into(),
    });

    if let Some(own) = &destination.own {
        let internal = own.account_id == caller.account.id;
        let class = if internal { number::INTERNAL } else { &*destination.class };
        listener.step("own-number", || format!("+{} belongs to account {}", own.number, own.account_id));
        if !(if internal { caller.internal_allowed } else { destination.allowed }) {
            listener.step("class", || format!("the line may not call class {class}"));
            return known.reject(Refusal::ClassForbidden);
        }
        if own.account_status != Status::Active {
            return known.reject(Refusal::CalledInactive);
        }
        let Some(target) = &own.target else { return known.reject(Refusal::NumberUnassigned) };
        let shown = shown.map(|number| format!("+{number}")).unwrap_or_default();
        let attempts = ring::attempts(target, &shown, rules);
        return Ok(dial_own(&caller, (&dialled.e164, class), &shown, target, attempts));
    }

    listener.step("class", || {
        let may = if destination.allowed { "may" } else { "may not" };
        format!("the line {may} call class {}", destination.class)
    });
    if !destination.allowed {
        return known.reject(Refusal::ClassForbidden);
    }
    if let Some(reason) = &destination.blocked {
        listener.step("blocked", || format!("the prefix is blocked: {reason}"));
        return known.reject(Refusal::PrefixBlocked);
    }
    let caps = caps(&caller);
    let sell = cost::longest(&destination.sell);
    if let Some(refusal) = refused_by_price(&caller, sell, caps, listener) {
        return known.reject(refusal);
    }
    let terms = Terms {
        sell,
        allow_loss: caller.account.allow_loss,
        caps,
        expected_seconds: rules.expected_seconds,
        seed: request.seed,
    };
    let attempts = gateway_attempts(&dialled.e164, &destination, terms, shown.as_deref(), rules, listener);
    if attempts.is_empty() {
        listener.step("gateways", || "no gateway takes this number".into());
        return known.reject(Refusal::NoRoute);
    }
    Ok(Decision::Dial(Box::new(Dial {
        account_id: caller.account.id.clone(),
        time_zone: caller.account.time_zone.clone(),
        account_cap: caller.account.max_calls,
        line_cap: caller.line_max_calls,
        number: dialled.e164,
        class: destination.class,
        reason: "",
        caller_name: caller.line_name.clone(),
        caller_number: shown.unwrap_or_default(),
        privacy: caller.privacy,
        sell: sell.cloned(),
        attempts,
        mailbox_id: None,
        service: None,
    })))
}

/// A call of a line to a line, ring group, mailbox or service of ours.
fn dial_own(
    caller: &LineCaller,
    (number, class): (&str, &str),
    shown: &str,
    target: &Target,
    attempts: Vec<Attempt>,
) -> Decision {
    if attempts.is_empty() && target.rings() {
        return Decision::Reject(Rejection {
            refusal: Refusal::CalledInactive,
            account_id: caller.account.id.clone(),
            time_zone: caller.account.time_zone.clone(),
            number: number.to_owned(),
            class: class.to_owned(),
        });
    }
    Decision::Dial(Box::new(Dial {
        account_id: caller.account.id.clone(),
        time_zone: caller.account.time_zone.clone(),
        account_cap: caller.account.max_calls,
        line_cap: caller.line_max_calls,
        number: number.to_owned(),
        class: class.to_owned(),
        reason: "",
        caller_name: caller.line_name.clone(),
        caller_number: shown.to_owned(),
        // Within an account everybody sees who calls.
        privacy: caller.privacy && class != number::INTERNAL,
        sell: None,
        attempts,
        mailbox_id: target.mailbox_id().map(str::to_owned),
        service: target.service().map(|(service, name)| (service, name.to_owned())),
    }))
}

/// The account's price caps in the base currency.
fn caps(caller: &LineCaller) -> Caps {
    let in_base = |amount: i64| cost::in_base(amount, caller.account.currency_value_micros);
    Caps {
        per_minute_micros: caller.account.max_per_minute_micros.map(in_base),
        connect_fee_micros: caller.account.max_connect_fee_micros.map(in_base),
    }
}

/// Whether what the account would pay forbids the call.
fn refused_by_price(
    caller: &LineCaller,
    sell: Option<&Price>,
    caps: Caps,
    listener: &mut impl Listener,
) -> Option<Refusal> {
    let Some(deck) = &caller.account.sell_deck_id else {
        listener.step("price", || "the account has no deck: the call has no price".into());
        return None;
    };
    let Some(sell) = sell else {
        listener.step("price", || format!("deck {deck} has no price for this number"));
        return Some(Refusal::NoSellPrice);
    };
    listener.sell(sell);
    if sell.blocked {
        listener.step("price", || format!("deck {deck} blocks prefix {}", sell.prefix));
        return Some(Refusal::PrefixBlocked);
    }
    if caps.exceeded_by(sell) {
        listener.step("price", || format!("prefix {} of deck {deck} is above the account's cap", sell.prefix));
        return Some(Refusal::PriceCap);
    }
    listener.step("price", || format!("the account pays by prefix {} of deck {deck}", sell.prefix));
    None
}

/// The gateways that take the number, cheapest first.
fn gateway_attempts(
    number: &str,
    destination: &Destination,
    terms: Terms<'_>,
    shown: Option<&str>,
    rules: &Rules,
    listener: &mut impl Listener,
) -> Vec<Attempt> {
    let candidates = cost::rank(&destination.offers, terms, rules.attempts);
    listener.gateways(&candidates);
    candidates
        .iter()
        .filter(|candidate| candidate.dropped.is_none())
        .map(|candidate| {
            let gateway = candidate.gateway;
            let write = |e164: &str| number::write(e164, gateway.number_format, &gateway.country);
            let called = format!("{}{}", gateway.dial_prefix, write(number));
            Attempt {
                kind: Kind::Gateway,
                name: gateway.id.clone(),
                dial: rules.dial_gateway(&gateway.endpoint, &called),
                cap: gateway.max_calls,
                seconds: gateway.ring_seconds,
                caller: shown.map(write).unwrap_or_default(),
                next: if gateway.next_on_forbidden { Next::OnForbidden } else { Next::OnFault },
                buy: Some(candidate.price.clone()),
            }
        })
        .collect()
}
