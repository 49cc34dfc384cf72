//! What a call costs: a row of a deck.

use std::fmt;
use std::str::FromStr;

/// A row of a deck. Money is in millionths of a unit of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The deck's id.
    pub deck_id: String,
    /// The version of the deck that was valid.
    pub deck_version_id: i64,
    /// The prefix that fits, digits of E.164.
    pub prefix: String,
    /// The deck's name for the destination, `Germany mobile`; may be empty.
    pub destination: String,
    /// Price of a minute.
    pub per_minute_micros: i64,
    /// Price of being answered at all.
    pub connect_fee_micros: i64,
    /// Seconds charged at once on answer, the 60 of 60/6.
    pub initial_seconds: i32,
    /// Steps in seconds after that, the 6 of 60/6.
    pub increment_seconds: i32,
    /// ISO 4217 code of the deck's currency.
    pub currency: String,
    /// What one unit of that currency is worth in the base currency, in millionths.
    pub currency_value_micros: i64,
    /// A row that says: this prefix does not go here.
    pub blocked: bool,
}

impl Price {
    /// Seconds that are charged for a call of `milliseconds`: a begun second counts, the initial seconds in any case, then
    /// every begun increment (60/6).
    #[must_use]
    pub fn charged_seconds(&self, milliseconds: i64) -> i64 {
        let seconds = milliseconds.max(0).saturating_add(999) / 1000;
        let initial = i64::from(self.initial_seconds.max(0));
        let increment = i64::from(self.increment_seconds.max(1));
        let beyond = (seconds - initial).max(0);
        initial.saturating_add((beyond.saturating_add(increment - 1) / increment).saturating_mul(increment))
    }

    /// What a call of `milliseconds` costs once it was answered, in millionths of the price's currency: the connect fee and
    /// the charged seconds, rounded up to the next millionth.
    #[must_use]
    pub fn charge(&self, milliseconds: i64) -> i64 {
        let talk = (i128::from(self.per_minute_micros) * i128::from(self.charged_seconds(milliseconds)) + 59) / 60;
        i64::try_from(i128::from(self.connect_fee_micros) + talk).unwrap_or(i64::MAX)
    }
}

/// `DECK/VERSION/PREFIX/PER_MINUTE/CONNECT_FEE/INITIAL/INCREMENT/CURRENCY`, amounts in millionths: how a price travels
/// through the dialplan into the record of the call that was decided by it. No part can hold a slash.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}/{}/{}/{}/{}",
            self.deck_id,
            self.deck_version_id,
            self.prefix,
            self.per_minute_micros,
            self.connect_fee_micros,
            self.initial_seconds,
            self.increment_seconds,
            self.currency,
        )
    }
}

/// Reads what [`fmt::Display`] writes; the destination's name and the currency's worth are not in it.
impl FromStr for Price {
    type Err = String;

    fn from_str(text: &str) -> Result<Price, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let &[deck, version, prefix, minute, fee, initial, increment, currency] = parts.as_slice() else {
            return Err(format!("{text:?} is no price: it has {} parts of 8", parts.len()));
        };
        let wrong = |error: std::num::ParseIntError| format!("{text:?} is no price: {error}");
        Ok(Price {
            deck_id: deck.to_owned(),
            deck_version_id: version.parse().map_err(wrong)?,
            prefix: prefix.to_owned(),
            destination: String::new(),
            per_minute_micros: minute.parse().map_err(wrong)?,
            connect_fee_micros: fee.parse().map_err(wrong)?,
            initial_seconds: initial.parse().map_err(wrong)?,
            increment_seconds: increment.parse().map_err(wrong)?,
            currency: currency.to_owned(),
            currency_value_micros: 0,
            blocked: false,
        })
    }
}
