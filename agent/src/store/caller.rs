//! Who calls: a line of an account, or a gateway.

use super::cap::Cap;
use super::target::Target;

/// Status of an account, a line or a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Active,
    /// Stopped for a time; emergency calls still go out.
    Suspended,
    /// Ended.
    Closed,
}

/// A calling line with its account, and the extension it dialled, if that is one: the answer to
/// the first question of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCaller {
    /// The line's id.
    pub line_id: String,
    /// Status of the line.
    pub line_status: Status,
    /// Name shown to the called party; may be empty.
    pub line_name: String,
    /// ISO 3166 code of the country whose dialling habits the line has, `US`.
    pub country: String,
    /// Area code put before local numbers; may be empty.
    pub area_code: String,
    /// Digits dialled for an outside line, `9`; empty for none.
    pub outside_prefix: String,
    /// Extension of the line in its account, shown on internal calls; the first, if it has several.
    pub own_extension: Option<String>,
    /// Number that the line shows, digits of E.164.
    pub caller_number: Option<String>,
    /// True when the line withholds its number.
    pub privacy: bool,
    /// Calls that the line makes at once.
    pub line_max_calls: Cap,
    /// The account.
    pub account: Account,
    /// Whether the line may call extensions and numbers of its own account (class `internal`).
    pub internal_allowed: bool,
    /// Where the dialled extension of the account leads, if it is one.
    pub extension: Option<Target>,
}

/// What of an account decides a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's id.
    pub id: String,
    /// Its status.
    pub status: Status,
    /// IANA name of the time zone of its people, `Europe/Berlin`.
    pub time_zone: String,
    /// Number shown where the line has none of its own, digits of E.164.
    pub caller_number: Option<String>,
    /// Calls of the account at once.
    pub max_calls: Cap,
    /// The deck at which calls are sold to it; without one, calls have no price.
    pub sell_deck_id: Option<String>,
    /// Whether a call may cost more than it is sold for.
    pub allow_loss: bool,
    /// What one unit of the account's currency is worth in the base currency, in millionths.
    pub currency_value_micros: i64,
    /// Most that a minute may be sold for, in millionths of the account's currency unit.
    pub max_per_minute_micros: Option<i64>,
    /// Highest connect fee that may be sold, in millionths of the account's currency unit.
    pub max_connect_fee_micros: Option<i64>,
}

/// A gateway from which a call comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayCaller {
    /// The gateway's id.
    pub gateway_id: String,
    /// Its status.
    pub status: Status,
    /// ISO 3166 code of the country in whose format it sends numbers without `+`.
    pub country: String,
}

/// A number of ours that was called, with its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNumber {
    /// Digits of E.164.
    pub number: String,
    /// The account that it belongs to.
    pub account_id: String,
    /// Status of that account.
    pub account_status: Status,
    /// Time zone of that account, an IANA name.
    pub account_time_zone: String,
    /// Calls of that account at once, where that is asked for: of a number that is called from outside.
    pub account_max_calls: Cap,
    /// Where it leads; `None` while it is assigned to nobody.
    pub target: Option<Target>,
}
