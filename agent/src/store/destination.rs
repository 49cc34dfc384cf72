//! Where a number can go: a number of ours, or the gateways with their prices: the answer to the
//! second question of a decision.

use chrono::{DateTime, Utc};

use super::caller::{OwnNumber, Status};
use super::cap::Cap;
use super::price::Price;

/// The second question of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationQuery {
    /// The calling account's id.
    pub account_id: String,
    /// The calling line's id.
    pub line_id: String,
    /// The dialled number, digits of E.164.
    pub number: String,
    /// Class of the number as the numbering plan says, unless `class_prefixes` says otherwise.
    pub class: String,
    /// Caller number that the phone asked for, digits of E.164; empty for none.
    pub presented: String,
    /// The account's deck for selling.
    pub sell_deck_id: Option<String>,
    /// The time whose rates hold.
    pub at: DateTime<Utc>,
}

/// What the database knows about a number for this caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Class of the number after `class_prefixes`.
    pub class: String,
    /// Whether the line (else its account, else the class itself) allows that class.
    pub allowed: bool,
    /// Why the number's prefix is blocked, if it is.
    pub blocked: Option<String>,
    /// Whether `presented` is a number of the caller's account.
    pub presented_owned: bool,
    /// The number, if it is one of ours; then `offers` and `sell` are empty.
    pub own: Option<OwnNumber>,
    /// Every rate valid at the time whose prefix fits, of every gateway with a deck, whatever the gateway's status; a gateway
    /// stands here several times, once for each prefix that fits.
    pub offers: Vec<Offer>,
    /// Every rate of the sell deck that is valid at the time and whose prefix fits.
    pub sell: Vec<Price>,
}

/// A gateway and one price at which it takes the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The gateway.
    pub gateway: Gateway,
    /// Its price.
    pub price: Price,
}

/// What of a gateway decides a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// The gateway's id.
    pub id: String,
    /// Its status.
    pub status: Status,
    /// PJSIP endpoint by which it is reached.
    pub endpoint: String,
    /// How it wants numbers: of the called and of the caller.
    pub number_format: NumberFormat,
    /// ISO 3166 code of the country whose national format it uses.
    pub country: String,
    /// Digits put before the called number (a technical prefix); may be empty.
    pub dial_prefix: String,
    /// Calls sent to it at once.
    pub max_calls: Cap,
    /// Lower goes first among equal costs.
    pub priority: i32,
    /// Share of calls among equal cost and priority.
    pub weight: i32,
    /// Seconds that it may ring before the next is tried.
    pub ring_seconds: i32,
    /// Whether 403 and 404 from it lead to the next gateway.
    pub next_on_forbidden: bool,
}

/// A gateway, whether it offers anything or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGateway {
    /// The gateway.
    pub gateway: Gateway,
    /// Its deck; without one it takes no calls.
    pub deck_id: Option<String>,
}

/// How a gateway wants numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberFormat {
    /// `e164`: `15551234567`.
    E164,
    /// `plus_e164`: `+15551234567`.
    PlusE164,
    /// `national`: `5551234567` within the gateway's country, with its international prefix elsewhere (`01144...`).
    National,
}
