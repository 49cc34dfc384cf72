//! What a decision tells while it is made: nothing on a call, everything for `tandem explain`.

use serde::Serialize;

use super::cost::Candidate;
use crate::store::destination::ListedGateway;
use crate::store::price::Price;

/// Listens to a decision. A call's decision is made with [`Silent`], which costs nothing.
pub trait Listener: Send {
    /// One step, in a sentence that is only written if somebody reads it.
    fn step(&mut self, step: &'static str, text: impl FnOnce() -> String);
    /// What the account pays.
    fn sell(&mut self, price: &Price);
    /// Every gateway that was considered, in order of trial, with those dropped.
    fn gateways(&mut self, candidates: &[Candidate<'_>]);
}

/// Hears nothing.
#[derive(Debug)]
pub struct Silent;

impl Listener for Silent {
    fn step(&mut self, _: &'static str, _: impl FnOnce() -> String) {}
    fn sell(&mut self, _: &Price) {}
    fn gateways(&mut self, _: &[Candidate<'_>]) {}
}

/// A decision step by step.
#[derive(Debug, Default, Serialize)]
pub struct Explanation {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What the account pays, if it is billed.
    pub sell: Option<Quote>,
    /// The gateways considered.
    pub gateways: Vec<Considered>,
    /// Whether gateways were considered at all: the call leaves the house.
    #[serde(skip)]
    pub outside: bool,
}

/// One step of a decision.
#[derive(Debug, Serialize)]
pub struct Step {
    /// Which: `emergency`, `caller`, `number`, `class`, ...
    pub step: &'static str,
    /// What was found, and what follows.
    pub text: String,
}

/// A price, with amounts in millionths of its currency unit.
#[derive(Debug, Serialize)]
pub struct Quote {
    /// The deck.
    pub deck: String,
    /// The version of it.
    pub deck_version: i64,
    /// The longest prefix that fits.
    pub prefix: String,
    /// The deck's name for it.
    pub destination: String,
    /// Price of a minute.
    pub per_minute_micros: i64,
    /// Price of being answered.
    pub connect_fee_micros: i64,
    /// `60/6`: seconds charged at once, then steps.
    pub increments: String,
    /// ISO 4217 code.
    pub currency: String,
}

/// A gateway that was considered.
#[derive(Debug, Serialize)]
pub struct Considered {
    /// The gateway's id.
    pub gateway: String,
    /// Whether it will be tried.
    pub kept: bool,
    /// Why not, if not.
    pub why: Option<&'static str>,
    /// Cost of a call of the expected length in millionths of the base currency; none without a price.
    pub cost_micros: Option<i64>,
    /// What it charges, if it takes such numbers.
    pub price: Option<Quote>,
}

impl Explanation {
    /// Adds the gateways that offered nothing. A call does not ask for them: it has no use for them.
    pub fn add_priceless(&mut self, all: Vec<ListedGateway>) {
        for ListedGateway { gateway, deck_id } in all {
            if self.gateways.iter().any(|known| known.gateway == gateway.id) {
                continue;
            }
            let why = if deck_id.is_some() { "its deck has no rate for this number" } else { "it has no deck" };
            self.gateways.push(Considered {
                gateway: gateway.id,
                kept: false,
                why: Some(why),
                cost_micros: None,
                price: None,
            });
        }
    }
}

impl From<&Price> for Quote {
    fn from(price: &Price) -> Self {
        Quote {
            deck: price.deck_id.clone(),
            deck_version: price.deck_version_id,
            prefix: price.prefix.clone(),
            destination: price.destination.clone(),
            per_minute_micros: price.per_minute_micros,
            connect_fee_micros: price.connect_fee_micros,
            increments: format!("{}/{}", price.initial_seconds, price.increment_seconds),
            currency: price.currency.clone(),
        }
    }
}

impl Listener for Explanation {
    fn step(&mut self, step: &'static str, text: impl FnOnce() -> String) {
        self.steps.push(Step { step, text: text() });
    }

    fn sell(&mut self, price: &Price) {
        self.sell = Some(price.into());
    }

    fn gateways(&mut self, candidates: &[Candidate<'_>]) {
        self.outside = true;
        self.gateways = candidates
            .iter()
            .map(|candidate| Considered {
                gateway: candidate.gateway.id.clone(),
                kept: candidate.dropped.is_none(),
                why: candidate.dropped.map(super::cost::Dropped::reason),
                cost_micros: Some(candidate.cost_micros),
                price: Some(candidate.price.into()),
            })
            .collect();
    }
}
