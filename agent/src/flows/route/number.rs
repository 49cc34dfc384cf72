//! From what was dialled to a number: digits of E.164 and a class, by the line's dialling habits.

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, PhoneNumber, Type};

use crate::store::destination::NumberFormat;

/// Calls within an account.
pub const INTERNAL: &str = "internal";
/// The line's own area code.
pub const LOCAL: &str = "local";
/// The line's country, toll-free numbers included.
pub const NATIONAL: &str = "national";
/// Mobile numbers of the line's country, where the numbering plan tells them apart.
pub const MOBILE: &str = "mobile";
/// Every other country. The Caribbean and Canada are other countries to a line in the United States, although
/// they share its country code: that is where toll fraud goes.
pub const INTERNATIONAL: &str = "international";
/// Premium-rate and shared-cost numbers of any country.
pub const PREMIUM: &str = "premium";

/// How a line, or a gateway, writes numbers.
#[derive(Debug, Clone, Copy)]
pub struct Habits<'a> {
    /// ISO 3166 code of the country, `US`.
    pub country: &'a str,
    /// Put before local numbers; may be empty.
    pub area_code: &'a str,
    /// Dialled for an outside line; may be empty.
    pub outside_prefix: &'a str,
}

/// A number of the public network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Digits of E.164, without `+`: 7 to 15 of them.
    pub e164: String,
    /// Its class, seen from the line.
    pub class: &'static str,
}

/// What a caller may dial at all: digits, `+`, `*`, `#`, letters and the usual separators. Anything else
/// (quotes, spaces of a SIP user part, control characters) is no number anywhere.
#[must_use]
pub fn is_diallable(dialled: &str) -> bool {
    (1..=64).contains(&dialled.len()) && dialled.bytes().all(|b| b.is_ascii_alphanumeric() || b"+*#-._()".contains(&b))
}

/// Reads what a line dialled as a number. `None` when no reading gives one.
///
/// The readings: without the outside prefix, as it stands, with the area code in front. The first that the numbering
/// plan knows wins, else the first that has a possible length.
#[must_use]
pub fn read(dialled: &str, habits: Habits<'_>) -> Option<Number> {
    let outside = Some(habits.outside_prefix)
        .filter(|prefix| !prefix.is_empty())
        .and_then(|prefix| dialled.strip_prefix(prefix))
        .map(str::to_owned);
    let local = (!habits.area_code.is_empty() && !dialled.starts_with('+'))
        .then(|| format!("{}{}", habits.area_code, outside.as_deref().unwrap_or(dialled)));
    best([outside, Some(dialled.to_owned()), local].into_iter().flatten(), habits)
}

/// Reads the called number of a call from a gateway in `country`: as it stands, or E.164 without its `+`.
#[must_use]
pub fn read_from_gateway(dialled: &str, country: &str) -> Option<Number> {
    best([dialled.to_owned(), format!("+{dialled}")], Habits { country, area_code: "", outside_prefix: "" })
}

/// Reads how numbers begin, as somebody writes them, as the first digits of E.164.
#[must_use]
pub fn read_beginning(written: &str, habits: Habits<'_>) -> String {
    if let Some(abroad) =
        written.strip_prefix('+').or_else(|| written.strip_prefix(international_prefix(habits.country)))
    {
        return abroad.to_owned();
    }
    let Some(plan) = DATABASE.by_id(habits.country) else { return written.to_owned() };
    let national = plan.national_prefix().and_then(|prefix| written.strip_prefix(prefix)).unwrap_or(written);
    format!("{}{national}", plan.country_code())
}

fn best(readings: impl IntoIterator<Item = String>, habits: Habits<'_>) -> Option<Number> {
    let mut possible = None;
    for reading in readings {
        match read_one(&reading, habits) {
            Some((number, true)) => return Some(number),
            Some((number, false)) if possible.is_none() => possible = Some(number),
            _ => {}
        }
    }
    possible
}

/// Reads one way of writing; the flag says whether the numbering plan knows the number.
fn read_one(text: &str, habits: Habits<'_>) -> Option<(Number, bool)> {
    // An international number is parsed without the line's country: with it, phonenumber strips the line's
    // national prefix from foreign numbers too (+86 1xx xxxx xxxx loses its 1 on a line in the United States).
    let abroad = text.strip_prefix('+').or_else(|| text.strip_prefix(international_prefix(habits.country)));
    let parsed = match abroad {
        Some(digits) => phonenumber::parse(None, format!("+{digits}")),
        None => phonenumber::parse(habits.country.parse().ok(), text),
    }
    .ok()?;
    let kind = parsed.number_type(&DATABASE);
    let known = kind != Type::Unknown;
    let e164 = match abroad {
        // What the plan does not know is taken as written.
        Some(digits) if !known => only_digits(digits),
        // Not by `format()`, which looks for a pattern of grouping first, even where it groups nothing.
        _ => format!("{}{}", parsed.country().code(), parsed.national()),
    };
    if !(7..=15).contains(&e164.len()) {
        return None;
    }
    // Too short or too long for the line's country: a slip of the finger, not a new area code.
    if !known && abroad.is_none() && !has_possible_length(&parsed, habits.country) {
        return None;
    }
    Some((Number { e164, class: class(&parsed, kind, habits) }, known))
}

fn class(number: &PhoneNumber, kind: Type, habits: Habits<'_>) -> &'static str {
    if matches!(kind, Type::PremiumRate | Type::SharedCost) {
        return PREMIUM;
    }
    let own_code = country_code(habits.country);
    let same_code = own_code == Some(number.country().code());
    // Toll-free numbers of a shared plan belong to all of its countries.
    if same_code && kind == Type::TollFree {
        return NATIONAL;
    }
    let region = number.country().id();
    // A number too new for the plan has no region: only one written in the country's own code stays national.
    let at_home = match region {
        Some(region) => region.as_ref() == habits.country,
        None => same_code,
    };
    if !at_home {
        return INTERNATIONAL;
    }
    if kind == Type::Mobile {
        return MOBILE;
    }
    let national = number.national().to_string();
    if !habits.area_code.is_empty() && national.starts_with(habits.area_code) { LOCAL } else { NATIONAL }
}

fn country_code(country: &str) -> Option<u16> {
    DATABASE.by_id(country).map(|plan| plan.country_code())
}

fn has_possible_length(number: &PhoneNumber, country: &str) -> bool {
    let length = u16::try_from(number.national().to_string().len()).unwrap_or(u16::MAX);
    let Some(plan) = DATABASE.by_id(country) else { return false };
    // The general description has no lengths of its own: they are those of its kinds.
    let kinds = plan.descriptors();
    [kinds.fixed_line(), kinds.mobile()].into_iter().flatten().any(|kind| kind.possible_length().contains(&length))
}

/// What is dialled in `country` before a country code: `011`, `00`.
fn international_prefix(country: &str) -> &str {
    let Some(plan) = DATABASE.by_id(country) else { return "00" };
    // Where the plan gives a pattern of carrier selections instead of digits, it names a preferred one.
    [plan.international_prefix().map(|prefix| prefix.as_str()), plan.preferred_international_prefix()]
        .into_iter()
        .flatten()
        .find(|prefix| !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit()))
        .unwrap_or("00")
}

fn only_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Writes a number (digits of E.164) as a gateway of `country` wants it.
#[must_use]
pub fn write(e164: &str, format: NumberFormat, country: &str) -> String {
    match format {
        NumberFormat::E164 => e164.to_owned(),
        NumberFormat::PlusE164 => format!("+{e164}"),
        NumberFormat::National => {
            let parsed = phonenumber::parse(None, format!("+{e164}"));
            match parsed {
                Ok(number) if country_code(country) == Some(number.country().code()) => {
                    only_digits(&number.format().mode(Mode::National).to_string())
                }
                _ => format!("{}{e164}", international_prefix(country)),
            }
        }
    }
}

/// Patterns of the numbering plans that stay compiled: more than there are. The library keeps a hundred, so that
/// calls to twenty countries by turns compile them anew each time, which takes 2 ms a call under one lock for all.
/// Those of the whole world take 110 MiB, those of twenty countries 10 (`make bench`).
const PATTERNS: usize = 4000;

/// Loads the numbering plans, which otherwise the first call would wait for.
pub fn warm_up() {
    if let Ok(mut patterns) = DATABASE.cache().lock() {
        patterns.set_capacity(PATTERNS);
    }
    let _ = read("+12125550100", Habits { country: "US", area_code: "", outside_prefix: "" });
}
