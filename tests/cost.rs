//! Which gateways take a call, in which order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use proptest::prelude::*;
use tandem::flows::route::cost::{Candidate, Caps, Dropped, Terms, base_charge, longest, rank};
use tandem::store::caller::Status;
use tandem::store::cap::Cap;
use tandem::store::destination::{Gateway, NumberFormat, Offer};
use tandem::store::price::Price;

fn price(prefix: &str, per_minute_micros: i64) -> Price {
    Price {
        deck_id: "deck".into(),
        deck_version_id: 1,
        prefix: prefix.into(),
        destination: String::new(),
        per_minute_micros,
        connect_fee_micros: 0,
        initial_seconds: 1,
        increment_seconds: 1,
        currency: "USD".into(),
        currency_value_micros: 1_000_000,
        blocked: false,
    }
}

fn gateway(id: &str) -> Gateway {
    Gateway {
        id: id.into(),
        status: Status::Active,
        endpoint: id.into(),
        number_format: NumberFormat::E164,
        country: "US".into(),
        dial_prefix: String::new(),
        max_calls: Cap::default(),
        priority: 0,
        weight: 1,
        ring_seconds: 60,
        next_on_forbidden: false,
    }
}

fn offer(id: &str, price: Price) -> Offer {
    Offer { gateway: gateway(id), price }
}

const TERMS: Terms<'static> = Terms {
    sell: None,
    allow_loss: false,
    caps: Caps { per_minute_micros: None, connect_fee_micros: None },
    expected_seconds: 180,
    seed: 1,
};

fn kept<'a>(candidates: &'a [Candidate<'_>]) -> Vec<&'a str> {
    candidates.iter().filter(|c| c.dropped.is_none()).map(|c| c.gateway.id.as_str()).collect()
}

fn dropped(candidates: &[Candidate<'_>], id: &str) -> Option<Dropped> {
    candidates.iter().find(|c| c.gateway.id == id).unwrap().dropped
}

#[test]
fn increments_and_connect_fee_are_charged_as_carriers_do() {
    let mut rate = price("1", 600_000);
    (rate.initial_seconds, rate.increment_seconds) = (60, 6);
    assert_eq!(rate.charge(0), 600_000, "the initial minute in any case");
    assert_eq!(rate.charge(60_000), 600_000);
    assert_eq!(rate.charge(61_000), 660_000);
    assert_eq!(rate.charge(66_000), 660_000);
    assert_eq!(rate.charge(67_000), 720_000);
    rate.connect_fee_micros = 50_000;
    assert_eq!(rate.charge(61_000), 710_000);
    (rate.initial_seconds, rate.increment_seconds) = (0, 0);
    assert_eq!(rate.charge(1_000), 60_000, "increments of nothing count as seconds");
}

#[test]
fn six_decimals_of_a_wholesale_price_are_not_lost() {
    assert_eq!(price("1", 1_450).charge(180_000), 4_350);
    assert_eq!(price("1", 1).charge(1_000), 1, "a part of a millionth is rounded up");
}

#[test]
fn the_cheapest_gateway_goes_first() {
    let offers = [offer("dear", price("1", 20_000)), offer("cheap", price("1", 10_000))];
    assert_eq!(kept(&rank(&offers, TERMS, 6)), ["cheap", "dear"]);
}

#[test]
fn the_longest_prefix_of_each_deck_counts_even_when_it_costs_more() {
    let offers = [
        offer("a", price("1", 1_000)),
        offer("a", price("1512", 90_000)),
        offer("a", price("15", 1_000)),
        offer("b", price("1", 50_000)),
    ];
    let candidates = rank(&offers, TERMS, 6);
    assert_eq!(kept(&candidates), ["b", "a"]);
    assert_eq!(candidates[1].price.prefix, "1512");
}

#[test]
fn connect_fees_weigh_by_the_expected_length() {
    let mut connect = price("1", 1_000);
    connect.connect_fee_micros = 30_000;
    let offers = [offer("connect", connect), offer("minutes", price("1", 10_000))];
    assert_eq!(kept(&rank(&offers, TERMS, 6)), ["minutes", "connect"]);
    assert_eq!(kept(&rank(&offers, Terms { expected_seconds: 3_600, ..TERMS }, 6)), ["connect", "minutes"]);
}

#[test]
fn currencies_are_compared_by_what_they_are_worth() {
    let mut euros = price("1", 10_000);
    euros.currency = "EUR".into();
    euros.currency_value_micros = 1_080_000;
    assert_eq!(base_charge(&euros, 60), 10_800);
    let offers = [offer("euros", euros), offer("dollars", price("1", 10_500))];
    assert_eq!(kept(&rank(&offers, TERMS, 6)), ["dollars", "euros"]);
}

#[test]
fn no_call_is_sold_at_a_loss_unless_the_account_says_so() {
    let sell = price("1", 15_000);
    let offers = [offer("dear", price("1", 15_001)), offer("even", price("1", 15_000))];
    let terms = Terms { sell: Some(&sell), ..TERMS };
    let candidates = rank(&offers, terms, 6);
    assert_eq!(kept(&candidates), ["even"]);
    assert_eq!(dropped(&candidates, "dear"), Some(Dropped::Loss));
    assert_eq!(kept(&rank(&offers, Terms { allow_loss: true, ..terms }, 6)), ["even", "dear"]);
}

#[test]
fn an_account_without_a_deck_is_capped_by_what_gateways_charge() {
    let offers = [offer("dear", price("1", 30_000)), offer("cheap", price("1", 10_000))];
    let caps = Caps { per_minute_micros: Some(20_000), connect_fee_micros: None };
    let candidates = rank(&offers, Terms { caps, ..TERMS }, 6);
    assert_eq!(kept(&candidates), ["cheap"]);
    assert_eq!(dropped(&candidates, "dear"), Some(Dropped::Cap));
}

#[test]
fn inactive_gateways_and_blocked_prefixes_are_dropped_with_their_reason() {
    let mut blocked = price("1512", 1_000);
    blocked.blocked = true;
    let mut offers = [offer("asleep", price("1", 1)), offer("blocked", blocked), offer("well", price("1", 5_000))];
    offers[0].gateway.status = Status::Suspended;
    let candidates = rank(&offers, TERMS, 6);
    assert_eq!(kept(&candidates), ["well"]);
    assert_eq!(dropped(&candidates, "asleep"), Some(Dropped::Inactive));
    assert_eq!(dropped(&candidates, "blocked"), Some(Dropped::Blocked));
}

#[test]
fn only_so_many_are_tried() {
    let offers: Vec<Offer> = (0..9).map(|n| offer(&format!("gw{n}"), price("1", 1_000 + n))).collect();
    let candidates = rank(&offers, TERMS, 3);
    assert_eq!(kept(&candidates), ["gw0", "gw1", "gw2"]);
    assert_eq!(dropped(&candidates, "gw3"), Some(Dropped::Enough));
}

#[test]
fn equal_costs_go_by_priority_then_share_by_weight() {
    let mut offers = [offer("a", price("1", 1_000)), offer("b", price("1", 1_000)), offer("c", price("1", 1_000))];
    offers[2].gateway.priority = 1;
    offers[1].gateway.weight = 3;
    let mut first = std::collections::BTreeMap::new();
    for seed in 0..4_000 {
        let candidates = rank(&offers, Terms { seed, ..TERMS }, 6);
        assert_eq!(candidates[2].gateway.id, "c", "the lower priority goes last");
        *first.entry(candidates[0].gateway.id.clone()).or_insert(0) += 1;
    }
    // 3 of 4 go to b; 3,000 +- 6 standard deviations.
    assert!((2_835..=3_165).contains(&first["b"]), "{first:?}");
    assert_eq!(rank(&offers, TERMS, 6), rank(&offers, TERMS, 6), "the same seed gives the same order");
}

proptest! {
    #[test]
    fn the_order_is_by_cost_and_every_gateway_stands_once(
        prices in prop::collection::vec((0usize..8, 1usize..6, 0i64..1_000_000, any::<bool>()), 0..40),
        most in 1usize..8,
    ) {
        let offers: Vec<Offer> = prices
            .iter()
            .map(|(id, length, micros, blocked)| {
                let mut price = price(&"15125"[..*length], *micros);
                price.blocked = *blocked;
                offer(&format!("gw{id}"), price)
            })
            .collect();
        let candidates = rank(&offers, TERMS, most);
        let mut ids: Vec<&str> = candidates.iter().map(|c| c.gateway.id.as_str()).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        prop_assert_eq!(ids.len(), count);
        let kept: Vec<i64> = candidates.iter().filter(|c| c.dropped.is_none()).map(|c| c.cost_micros).collect();
        prop_assert!(kept.len() <= most);
        prop_assert!(kept.is_sorted());
        for candidate in &candidates {
            let own = offers.iter().filter(|o| o.gateway.id == candidate.gateway.id).map(|o| &o.price);
            prop_assert_eq!(longest(own).unwrap(), candidate.price);
        }
    }

    #[test]
    fn a_longer_call_never_costs_less(micros in 0i64..100_000_000, fee in 0i64..10_000_000, initial in 0i32..120, step in 0i32..120, milliseconds in 0i64..100_000_000) {
        let mut rate = price("1", micros);
        (rate.connect_fee_micros, rate.initial_seconds, rate.increment_seconds) = (fee, initial, step);
        prop_assert!(rate.charge(milliseconds) <= rate.charge(milliseconds + 1));
    }
}
