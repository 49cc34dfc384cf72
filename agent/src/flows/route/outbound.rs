//! A call from a line: to an extension, to a number of ours, or out by the cheapest gateway.

use super::called::{self, Identity};
use super::cost::{self, Caps, Terms};
use super::decide::{Known, Request};
use super::decision::{Attempt, Dial, Diversion, Kind, Next, Refusal};
use super::explanation::Listener;
use super::feature;
use super::forward::{Caller, Onward};
use super::number::{self, Habits};
use super::rules::Rules;
use super::turn::Turn;
use crate::store::asking::Asking;
use crate::store::caller::{LineCaller, Status};
use crate::store::destination::{Destination, DestinationQuery};
use crate::store::price::Price;
use crate::store::{Store, StoreError};

/// For whom a line places a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Placed<'a> {
    /// For its own user, who may have said whether the number is withheld.
    Own(Option<bool>),
    /// For somebody whom it hands on, who is shown within the house; outside the line is, whose user may have said likewise.
    HandedOn(Caller<'a>, Option<bool>),
    /// For a caller whose call it passes on.
    On(Caller<'a>, Onward),
}

impl<'a> Placed<'a> {
    /// Whom the called party sees within the house, if it is not the line itself.
    fn caller(&self) -> Option<&Caller<'a>> {
        match self {
            Placed::Own(_) => None,
            Placed::HandedOn(caller, _) | Placed::On(caller, _) => Some(caller),
        }
    }
}

/// Decides the call of the line with this id: who calls, what the number is, what they may call, where it goes.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn decide(
    line_id: &str,
    request: &Request<'_>,
    placed: Placed<'_>,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Turn, StoreError> {
    let mut known = Known { number: request.dialled, ..Known::default() };
    let Some(caller) = store.line_caller(line_id, request.dialled, asking).await? else {
        listener.step("caller", || format!("there is no line {line_id}"));
        return known.refuse(Refusal::LineUnknown);
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
        return known.refuse(Refusal::AccountInactive);
    }
    if caller.line_status != Status::Active {
        return known.refuse(Refusal::LineInactive);
    }

    if let Some(target) = &caller.extension {
        known.class = number::INTERNAL;
        listener.step("number", || format!("{} is an extension of the account: {target}", request.dialled));
        if !caller.internal_allowed {
            listener.step("class", || "the line may not call class internal".into());
            return known.refuse(Refusal::ClassForbidden);
        }
        let own = caller.own_extension.as_deref().unwrap_or(line_id);
        let call =
            own_call(&caller, (request.dialled, number::INTERNAL), own, &caller.account.id, placed, request.forwards);
        let own_number = caller.caller_number.as_deref().unwrap_or_default();
        let identity = identity(placed, [own, own_number], call.privacy);
        return called::reach(target, call, identity, rules, store, asking, listener).await;
    }
    if !matches!(placed, Placed::On(..))
        && let Some(turn) = feature::decide(&caller, request.dialled, store, asking, listener).await?
    {
        return Ok(turn);
    }

    let habits =
        Habits { country: &caller.country, area_code: &caller.area_code, outside_prefix: &caller.outside_prefix };
    let Some(dialled) = number::read(request.dialled, habits) else {
        listener.step("number", || {
            format!("{} is neither an extension nor a number in {}", request.dialled, caller.country)
        });
        return known.refuse(Refusal::NumberInvalid);
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
            return known.refuse(Refusal::ClassForbidden);
        }
        if own.account_status != Status::Active {
            return known.refuse(Refusal::CalledInactive);
        }
        let Some(target) = &own.target else { return known.refuse(Refusal::NumberUnassigned) };
        let plus = shown.as_ref().map(|number| format!("+{number}")).unwrap_or_default();
        let call = own_call(&caller, (&dialled.e164, class), &plus, &own.account_id, placed, request.forwards);
        let withheld = call.privacy || shown.is_none();
        let extension = caller.own_extension.as_deref().filter(|_| internal).unwrap_or_default();
        let identity = identity(placed, [shown.as_deref().unwrap_or_default(), extension], withheld);
        return called::reach(target, call, identity, rules, store, asking, listener).await;
    }

    if request.origin.hands_on() && destination.class == number::PREMIUM {
        listener.step("transfer", || format!("nobody is handed on to a number of class {}", destination.class));
        return known.refuse(Refusal::TransferForbidden);
    }
    listener.step("class", || {
        let may = if destination.allowed { "may" } else { "may not" };
        format!("the line {may} call class {}", destination.class)
    });
    if !destination.allowed {
        return known.refuse(Refusal::ClassForbidden);
    }
    if let Some(reason) = &destination.blocked {
        listener.step("blocked", || format!("the prefix is blocked: {reason}"));
        return known.refuse(Refusal::PrefixBlocked);
    }
    let caps = caps(&caller);
    let sell = cost::longest(&destination.sell);
    if let Some(refusal) = refused_by_price(&caller, sell, caps, listener) {
        return known.refuse(refusal);
    }
    let terms = Terms {
        sell,
        allow_loss: caller.account.allow_loss,
        caps,
        expected_seconds: rules.expected_seconds,
        seed: request.seed,
    };
    // Only numbers of the account are shown, but for a caller whose call is passed on, where the line wants so.
    let passed_on = match placed {
        Placed::Own(_) | Placed::HandedOn(..) => None,
        Placed::On(caller, onward) => Some((caller, onward)),
    };
    let passed_on_number = passed_on
        .filter(|(caller, onward)| onward.shows_caller && !caller.withheld)
        .and_then(|(caller, _)| number::read(caller.number, habits))
        .map(|number| number.e164);
    let diversion = passed_on.zip(shown.as_deref()).map(|((_, onward), own)| Diversion {
        number: format!("+{own}"),
        reason: onward.why,
        privacy: caller.privacy,
    });
    let shown = passed_on_number.or(shown);
    let attempts = gateway_attempts(&dialled.e164, &destination, terms, shown.as_deref(), rules, listener);
    if attempts.is_empty() {
        listener.step("gateways", || "no gateway takes this number".into());
        return known.refuse(Refusal::NoRoute);
    }
    Ok(Turn::dial(Dial {
        account_id: caller.account.id.clone(),
        called_account_id: String::new(),
        time_zone: caller.account.time_zone.clone(),
        account_cap: caller.account.max_calls,
        line_cap: caller.line_max_calls,
        number: dialled.e164,
        class: destination.class,
        caller_name: caller.line_name.clone(),
        caller_number: shown.unwrap_or_default(),
        privacy: match placed {
            Placed::Own(said) | Placed::HandedOn(_, said) => said.unwrap_or(caller.privacy),
            Placed::On(passed_on, _) => caller.privacy || passed_on.withheld,
        },
        diversion,
        sell: sell.cloned(),
        attempts,
        forwards: request.forwards,
        ..Dial::default()
    }))
}

/// What is known of a call of a line to a line, ring group or mailbox of the account with this id.
fn own_call(
    caller: &LineCaller,
    (number, class): (&str, &str),
    shown: &str,
    called_account_id: &str,
    placed: Placed<'_>,
    forwards: u32,
) -> Dial {
    let (caller_number, caller_name) =
        placed.caller().map_or((shown, &*caller.line_name), |caller| (caller.number, caller.name));
    Dial {
        account_id: caller.account.id.clone(),
        called_account_id: called_account_id.to_owned(),
        time_zone: caller.account.time_zone.clone(),
        account_cap: caller.account.max_calls,
        line_cap: caller.line_max_calls,
        number: number.to_owned(),
        class: class.to_owned(),
        caller_name: caller_name.to_owned(),
        caller_number: caller_number.to_owned(),
        privacy: match placed {
            Placed::HandedOn(caller, _) | Placed::On(caller, _) => caller.withheld,
            // Within an account everybody sees who calls, unless it is withheld for this call.
            Placed::Own(said) => said.unwrap_or(caller.privacy && class != number::INTERNAL),
        },
        forwards,
        ..Dial::default()
    }
}

/// By what the called line tells the caller apart.
fn identity<'a>(placed: Placed<'a>, own: [&'a str; 2], withheld: bool) -> Identity<'a> {
    match placed.caller() {
        Some(caller) => Identity { numbers: [caller.number.trim_start_matches('+'), ""], withheld: caller.withheld },
        None => Identity { numbers: own, withheld },
    }
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
                asks: false,
                next: if gateway.next_on_forbidden { Next::OnForbidden } else { Next::OnFault },
                buy: Some(candidate.price.clone()),
            }
        })
        .collect()
}
