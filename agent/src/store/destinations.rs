//! The question where a number can go, and the list of gateways.

use sqlx::FromRow;

use super::asking::Asking;
use super::callers::OwnColumns;
use super::cap::Cap;
use super::destination::{Destination, DestinationQuery, Gateway, ListedGateway, NumberFormat, Offer};
use super::price::Price;
use super::statement::{DESTINATION, GATEWAYS};
use super::target_columns::{TargetColumns, status};
use super::time::Time;
use super::{Store, StoreError, key};

#[derive(FromRow)]
struct DestinationRow {
    class: String,
    allowed: bool,
    blocked_reason: Option<String>,
    presented_owned: i64,
    #[sqlx(flatten)]
    own: OwnColumns,
    #[sqlx(flatten)]
    target: TargetColumns,
    #[sqlx(flatten)]
    price: PriceColumns,
    #[sqlx(flatten)]
    gateway: GatewayColumns,
}

#[derive(FromRow)]
struct PriceColumns {
    deck_id: Option<String>,
    deck_version_id: Option<i64>,
    prefix: Option<String>,
    destination: Option<String>,
    per_minute_micros: Option<i64>,
    connect_fee_micros: Option<i64>,
    initial_seconds: Option<i32>,
    increment_seconds: Option<i32>,
    blocked: Option<bool>,
    currency: Option<String>,
    currency_value_micros: Option<i64>,
}

#[derive(FromRow)]
struct GatewayColumns {
    gateway_id: Option<String>,
    gateway_status: Option<String>,
    endpoint: Option<String>,
    number_format: Option<String>,
    gateway_country: Option<String>,
    dial_prefix: Option<String>,
    gateway_max_calls: Option<i32>,
    #[sqlx(default)]
    gateway_calls_elsewhere: i64,
    priority: Option<i32>,
    weight: Option<i32>,
    gateway_ring_seconds: Option<i32>,
    next_on_forbidden: Option<bool>,
}

#[derive(FromRow)]
struct ListedRow {
    deck_id: Option<String>,
    #[sqlx(flatten)]
    gateway: GatewayColumns,
}

impl PriceColumns {
    /// `None` when no rate fits.
    fn price(self) -> Option<Price> {
        Some(Price {
            deck_id: self.deck_id?,
            deck_version_id: self.deck_version_id?,
            prefix: self.prefix?,
            destination: self.destination?,
            per_minute_micros: self.per_minute_micros?,
            connect_fee_micros: self.connect_fee_micros?,
            initial_seconds: self.initial_seconds?,
            increment_seconds: self.increment_seconds?,
            currency: self.currency?,
            currency_value_micros: self.currency_value_micros?,
            blocked: self.blocked?,
        })
    }
}

impl GatewayColumns {
    /// `None` when the row tells of no gateway.
    fn gateway(self) -> Result<Option<Gateway>, StoreError> {
        let (Some(id), Some(word), Some(format)) = (self.gateway_id, self.gateway_status, self.number_format) else {
            return Ok(None);
        };
        let number_format = match format.as_str() {
            "e164" => NumberFormat::E164,
            "plus_e164" => NumberFormat::PlusE164,
            "national" => NumberFormat::National,
            other => return Err(StoreError::Broken(format!("gateway {id} has the unknown number format {other:?}"))),
        };
        Ok(Some(Gateway {
            id,
            status: status(&word)?,
            endpoint: self.endpoint.unwrap_or_default(),
            number_format,
            country: self.gateway_country.unwrap_or_default(),
            dial_prefix: self.dial_prefix.unwrap_or_default(),
            max_calls: Cap {
                most: self.gateway_max_calls.unwrap_or_default(),
                elsewhere: self.gateway_calls_elsewhere,
            },
            priority: self.priority.unwrap_or_default(),
            weight: self.weight.unwrap_or_default(),
            ring_seconds: self.gateway_ring_seconds.unwrap_or_default(),
            next_on_forbidden: self.next_on_forbidden.unwrap_or_default(),
        }))
    }
}

impl Store {
    /// What the database knows about a number for this caller: class and permission, whether it is ours, and else
    /// every gateway's rates for it.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time, nor the replica; Broken when the answer cannot be understood.
    pub async fn destination(&self, query: &DestinationQuery, asking: &mut Asking) -> Result<Destination, StoreError> {
        let (number, presented, class) = (key(&query.number), key(&query.presented), key(&query.class));
        let (account, line) = (key(&query.account_id), key(&query.line_id));
        let deck = query.sell_deck_id.as_deref().into();
        let at = Time(query.at).into();
        #[rustfmt::skip]
        let values = [
            number, account, presented, account, self.this(), self.this(), line, account, number, deck, at, at,
            number, at, at, number, class,
        ];
        let rows: Vec<DestinationRow> = self.ask(&DESTINATION, &values, asking).await?;
        let Some(base) = rows.first() else {
            let class = &query.class;
            return Err(StoreError::Broken(format!("the class {class:?} is missing in the table classes")));
        };
        let mut destination = Destination {
            class: base.class.clone(),
            allowed: base.allowed,
            blocked: base.blocked_reason.clone(),
            presented_owned: base.presented_owned > 0,
            own: base.own.number(rows.iter().map(|row| &row.target))?,
            offers: Vec::new(),
            sell: Vec::new(),
        };
        for row in rows {
            let Some(price) = row.price.price() else { continue };
            if query.sell_deck_id.as_ref() == Some(&price.deck_id) {
                replace_or_add(&mut destination.sell, price.clone(), |old| old.prefix == price.prefix);
            }
            if let Some(gateway) = row.gateway.gateway()? {
                let offer = Offer { gateway, price };
                let same = |old: &Offer| old.gateway.id == offer.gateway.id && old.price.prefix == offer.price.prefix;
                replace_or_add(&mut destination.offers, offer.clone(), same);
            }
        }
        Ok(destination)
    }

    /// Every gateway, in order of id.
    ///
    /// # Errors
    /// As [`Store::destination`].
    pub async fn gateways(&self, asking: &mut Asking) -> Result<Vec<ListedGateway>, StoreError> {
        let rows: Vec<ListedRow> = self.ask(&GATEWAYS, &[], asking).await?;
        let listed = rows.into_iter().map(|ListedRow { deck_id, gateway }| {
            Ok(gateway.gateway()?.map(|gateway| ListedGateway { gateway, deck_id }))
        });
        listed.filter_map(Result::transpose).collect()
    }
}

/// Of two rates with one prefix the later one holds; they come in order of their effective dates.
fn replace_or_add<T>(all: &mut Vec<T>, new: T, same: impl Fn(&T) -> bool) {
    match all.iter_mut().find(|old| same(old)) {
        Some(old) => *old = new,
        None => all.push(new),
    }
}
