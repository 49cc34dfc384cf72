//! Which gateways take a call, in which order: longest prefix, no loss, cheapest first.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::store::caller::Status;
use crate::store::destination::{Gateway, Offer};
use crate::store::price::Price;

/// One million: what a price of "1.00" is in micros.
const MICROS: i128 = 1_000_000;

/// What bounds the choice for one call.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// What the account pays, if it is billed.
    pub sell: Option<&'a Price>,
    /// Whether the account accepts that a call costs more than it pays.
    pub allow_loss: bool,
    /// Bounds on what the gateway charges, where the account pays just that.
    pub caps: Caps,
    /// Length of call for which costs are compared.
    pub expected_seconds: u32,
    /// Spreads calls by weight; the same seed gives the same order.
    pub seed: u64,
}

/// The most that an account accepts, in millionths of the base currency.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caps {
    /// For a minute.
    pub per_minute_micros: Option<i64>,
    /// For being answered at all.
    pub connect_fee_micros: Option<i64>,
}

impl Caps {
    /// Whether `price` is above one of them.
    #[must_use]
    pub fn exceeded_by(self, price: &Price) -> bool {
        let above =
            |amount: i64, cap: Option<i64>| cap.is_some_and(|cap| in_base(amount, price.currency_value_micros) > cap);
        above(price.per_minute_micros, self.per_minute_micros)
            || above(price.connect_fee_micros, self.connect_fee_micros)
    }
}

/// A gateway that was considered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The gateway.
    pub gateway: &'a Gateway,
    /// Its price: the longest prefix that fits.
    pub price: &'a Price,
    /// Cost of a call of the expected length, in millionths of the base currency.
    pub cost_micros: i64,
    /// Why it does not take the call; `None` if it does.
    pub dropped: Option<Dropped>,
}

/// Why a gateway does not take a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// The gateway is suspended or closed.
    Inactive,
    /// Its deck blocks the prefix.
    Blocked,
    /// It costs more than the call is sold for.
    Loss,
    /// It costs more than the account accepts.
    Cap,
    /// Other nodes have all the calls that it takes at once.
    Full,
    /// Enough cheaper ones were found.
    Enough,
}

impl Dropped {
    /// For an operator's eyes.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Dropped::Inactive => "the gateway is not active",
            Dropped::Blocked => "its deck blocks this prefix",
            Dropped::Loss => "it costs more than the account pays, and the account does not allow a loss",
            Dropped::Cap => "it costs more a minute, or to connect, than the account accepts",
            Dropped::Full => "it takes no more calls: the other nodes have as many as it may have",
            Dropped::Enough => "enough better ones were found (route.attempts)",
        }
    }
}

/// What a call of `seconds` costs, in millionths of the base currency.
#[must_use]
pub fn base_charge(price: &Price, seconds: u32) -> i64 {
    in_base(price.charge(i64::from(seconds) * 1000), price.currency_value_micros)
}

/// An amount in the base currency, given what one unit of its own is worth there.
#[must_use]
pub fn in_base(amount_micros: i64, currency_value_micros: i64) -> i64 {
    let product = i128::from(amount_micros) * i128::from(currency_value_micros);
    i64::try_from((product + MICROS - 1) / MICROS).unwrap_or(i64::MAX)
}

/// The row of a deck that counts: the longest prefix, and of equal ones the first (the store puts the latest first).
pub fn longest<'a>(prices: impl IntoIterator<Item = &'a Price>) -> Option<&'a Price> {
    prices.into_iter().reduce(|best, price| if price.prefix.len() > best.prefix.len() { price } else { best })
}

/// Every gateway that has a price, those that take the call first and in the order of trial, at most `most` of them;
/// then those that were dropped.
#[must_use]
pub fn rank<'a>(offers: &'a [Offer], terms: Terms<'_>, most: usize) -> Vec<Candidate<'a>> {
    let ceiling = terms.sell.filter(|_| !terms.allow_loss).map(|sell| base_charge(sell, terms.expected_seconds));
    let mut candidates: Vec<Candidate<'a>> = Vec::new();
    for offer in offers {
        match candidates.iter_mut().find(|candidate| candidate.gateway.id == offer.gateway.id) {
            Some(candidate) if offer.price.prefix.len() > candidate.price.prefix.len() => {
                candidate.price = &offer.price
            }
            Some(_) => {}
            None => candidates.push(Candidate {
                gateway: &offer.gateway,
                price: &offer.price,
                cost_micros: 0,
                dropped: None,
            }),
        }
    }
    for candidate in &mut candidates {
        candidate.cost_micros = base_charge(candidate.price, terms.expected_seconds);
        candidate.dropped = if candidate.gateway.status != Status::Active {
            Some(Dropped::Inactive)
        } else if candidate.price.blocked {
            Some(Dropped::Blocked)
        } else if ceiling.is_some_and(|ceiling| candidate.cost_micros > ceiling) {
            Some(Dropped::Loss)
        } else if terms.sell.is_none() && terms.caps.exceeded_by(candidate.price) {
            Some(Dropped::Cap)
        } else if candidate.gateway.max_calls.is_full() {
            Some(Dropped::Full)
        } else {
            None
        };
    }
    candidates.sort_by(|a, b| {
        let lot = |candidate: &Candidate<'_>| lot(terms.seed, candidate.gateway);
        a.dropped
            .is_some()
            .cmp(&b.dropped.is_some())
            .then(a.cost_micros.cmp(&b.cost_micros))
            .then(a.gateway.priority.cmp(&b.gateway.priority))
            .then_with(|| lot(a).total_cmp(&lot(b)))
            .then_with(|| a.gateway.id.cmp(&b.gateway.id))
    });
    for candidate in candidates.iter_mut().skip(most) {
        candidate.dropped.get_or_insert(Dropped::Enough);
    }
    candidates
}

/// A gateway's lot among equals: exponential with its weight as rate, so that the smallest lot is its own with the
/// probability of its share of the weights (Efraimidis and Spirakis, 2006).
fn lot(seed: u64, gateway: &Gateway) -> f64 {
    let mut hasher = DefaultHasher::new();
    (seed, &gateway.id).hash(&mut hasher);
    // 53 bits, in (0, 1].
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    let uniform = ((hasher.finish() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    -uniform.ln() / f64::from(gateway.weight.max(1))
}
