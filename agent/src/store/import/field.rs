//! The kinds of values that stand in import files, and how each is read.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::store::password;

/// A value as it goes into the database.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text(Option<String>),
    Integer(Option<i64>),
    Flag(bool),
    Real(Option<f64>),
    Time(Option<DateTime<Utc>>),
    /// Lines of a ring group, in order.
    Members(Vec<String>),
}

impl Cell {
    /// The text of a cell that has one.
    pub(super) fn text(&self) -> Option<&str> {
        if let Cell::Text(text) = self { text.as_deref() } else { None }
    }
}

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// 1 to 64 of `A-Z a-z 0-9 . _ -`.
    Id,
    /// Up to 100 characters for people.
    Text,
    /// A whole telephone number, 4 to 15 digits of E.164; `+`, spaces and hyphens are dropped.
    Number,
    /// The first digits of numbers, 1 to 15.
    Prefix,
    /// Up to 15 digits that are dialled before a number; may be empty.
    Digits,
    /// A short number within an account: 1 to 32 of digits, letters, `* # . _ -`.
    Extension,
    /// What a line dials for somebody: 1 to 32 digits, perhaps after `+`.
    Dialled,
    /// Who calls: as [`Field::Dialled`], or the beginning of such numbers before `*`.
    Callers,
    /// ISO 3166 code, `US`.
    Country,
    /// ISO 4217 code, `USD`.
    Currency,
    /// IANA name of a time zone, `Europe/Berlin`.
    TimeZone,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `yes`, `no` (also `true`, `false`, `1`, `0`).
    Flag,
    /// An amount of money, 0 or more, with up to six decimals.
    Money,
    /// What a currency is worth, more than 0, with up to six decimals.
    Worth,
    /// A whole number within these bounds.
    Count(i64, i64),
    /// Degrees, from minus to plus this many.
    Degrees(i32),
    /// RFC 3339, or a date.
    Time,
    /// Ids of lines, split by spaces.
    Members,
    /// Digits of a password, or its hash (argon2id, a PHC string); kept as the hash.
    Password,
    /// Mail addresses, split by commas.
    Addresses,
    /// HTTP addresses, split by commas.
    Urls,
    /// A Jinja template of so many characters at the most; `\\n` in it is a line end.
    Template(usize),
}

impl Field {
    /// Reads a cell that is not empty; the error says what is wrong with it.
    pub(super) fn read(self, text: &str) -> Result<Cell, String> {
        let some = |text: Cow<'_, str>| Cell::Text(Some(text.into_owned()));
        match self {
            Field::Id => id(text).map(|id| some(id.into())),
            Field::Text if text.chars().count() > 100 => Err("is longer than 100 characters".to_owned()),
            Field::Text if text.chars().any(char::is_control) => Err("holds control characters".to_owned()),
            Field::Text => Ok(some(text.into())),
            Field::Number => digits(text, 4).map(|digits| some(digits.into())),
            Field::Prefix => digits(text, 1).map(|digits| some(digits.into())),
            Field::Digits if text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit() || b"*#".contains(&b)) => {
                Ok(some(text.into()))
            }
            Field::Digits => Err(format!("{text:?} is not up to 15 digits")),
            Field::Extension => {
                let fits = |b: u8| b.is_ascii_alphanumeric() || b"*#._-".contains(&b);
                if text.len() <= 32 && text.bytes().all(fits) {
                    Ok(some(text.into()))
                } else {
                    Err(format!("{text:?} is not 1 to 32 of digits, letters, * # . _ -"))
                }
            }
            Field::Dialled => {
                let digits = text.strip_prefix('+').unwrap_or(text);
                if (1..=31).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
                    Ok(some(text.into()))
                } else {
                    Err(format!("{:?} is not up to 31 digits, perhaps after +", shortened(text)))
                }
            }
            Field::Callers => match text.strip_suffix('*') {
                Some(beginning) => Field::Dialled.read(beginning).map(|_| some(text.into())),
                None => Field::Dialled.read(text),
            },
            Field::Country => code(text, 2, "a country of two letters, such as US").map(|code| some(code.into())),
            Field::Currency => code(text, 3, "a currency of three letters, such as USD").map(|code| some(code.into())),
            Field::TimeZone if text.parse::<chrono_tz::Tz>().is_ok() => Ok(some(text.into())),
            Field::TimeZone => Err(format!("{:?} is no time zone such as America/New_York", shortened(text))),
            Field::Word(words) if words.contains(&text) => Ok(some(text.into())),
            Field::Word(words) => Err(format!("{text:?} is none of {}", words.join(", "))),
            Field::Flag => flag(text).map(Cell::Flag),
            Field::Money => micros(text).map(|micros| Cell::Integer(Some(micros))),
            Field::Worth => match micros(text)? {
                0 => Err("must be more than 0".to_owned()),
                micros => Ok(Cell::Integer(Some(micros))),
            },
            Field::Count(least, most) => count(text, least, most).map(|count| Cell::Integer(Some(count))),
            Field::Degrees(most) => match text.parse::<f64>() {
                Ok(degrees) if degrees.abs() <= f64::from(most) => Ok(Cell::Real(Some(degrees))),
                _ => Err(format!("{:?} is not within -{most} to {most} degrees", shortened(text))),
            },
            Field::Time => time(text).map(|time| Cell::Time(Some(time))),
            Field::Password if text.starts_with("$argon2id$") => Ok(some(text.into())),
            Field::Password if text.len() <= 32 && text.bytes().all(|b| b.is_ascii_digit()) => {
                password::hash(text).map(|hash| some(hash.into())).ok_or_else(|| "cannot be hashed".to_owned())
            }
            // Without its text.
            Field::Password => Err("is neither up to 32 digits nor a hash of argon2id".to_owned()),
            Field::Addresses => list(text, "a mail address", |one| {
                let (name, host) = one.rsplit_once('@').unwrap_or_default();
                !name.is_empty() && !host.is_empty() && !one.contains(char::is_whitespace)
            })
            .map(|list| some(list.into())),
            Field::Urls => {
                list(text, "an address of the web", |one| one.starts_with("http://") || one.starts_with("https://"))
                    .map(|list| some(list.into()))
            }
            Field::Template(most) => template(text, most).map(|text| some(text.into())),
            Field::Members => text
                .split_whitespace()
                .map(|one| id(one).map(str::to_owned))
                .collect::<Result<_, _>>()
                .map(Cell::Members),
        }
    }

    /// The value of a cell that is empty and may be.
    pub(super) fn null(self) -> Cell {
        match self {
            Field::Money | Field::Worth | Field::Count(..) => Cell::Integer(None),
            Field::Degrees(_) => Cell::Real(None),
            Field::Time => Cell::Time(None),
            Field::Members => Cell::Members(Vec::new()),
            _ => Cell::Text(None),
        }
    }
}

/// Values split by commas, each of which fits.
fn list(text: &str, what: &str, fits: impl Fn(&str) -> bool) -> Result<String, String> {
    let all: Vec<&str> = text.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    if let Some(wrong) = all.iter().find(|one| !fits(one)) {
        return Err(format!("{:?} is not {what}", shortened(wrong)));
    }
    let joined = all.join(",");
    if joined.len() > 255 { Err("is longer than 255 characters".to_owned()) } else { Ok(joined) }
}

fn template(text: &str, most: usize) -> Result<String, String> {
    let text = text.replace("\\n", "\n");
    if text.chars().count() > most {
        return Err(format!("is longer than {most} characters"));
    }
    let checked = minijinja::Environment::new().template_from_str(&text).map(drop);
    checked.map_err(|error| format!("is no template: {error}"))?;
    Ok(text)
}

pub(super) fn id(text: &str) -> Result<&str, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text)
    } else {
        Err(format!("{:?} is not 1 to 64 of A-Z a-z 0-9 . _ -", shortened(text)))
    }
}

/// Digits of E.164, at least `least`, at most 15.
pub(super) fn digits(text: &str, least: usize) -> Result<String, String> {
    let digits: String = text.trim_start_matches('+').chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if (least..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(digits)
    } else {
        Err(format!("{:?} is not {least} to 15 digits of E.164", shortened(text)))
    }
}

fn code(text: &str, length: usize, what: &str) -> Result<String, String> {
    if text.len() == length && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(format!("{:?} is not {what}", shortened(text)))
    }
}

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(format!("{:?} is neither yes nor no", shortened(text))),
    }
}

pub(super) fn count(text: &str, least: i64, most: i64) -> Result<i64, String> {
    match text.parse() {
        Ok(count) if (least..=most).contains(&count) => Ok(count),
        _ => Err(format!("{:?} is not a whole number from {least} to {most}", shortened(text))),
    }
}

/// A decimal such as `0.00145` in millionths, exactly.
pub(super) fn micros(text: &str) -> Result<i64, String> {
    let wrong = || format!("{:?} is not an amount such as 0.0125", shortened(text));
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && decimals.is_empty() || !all_digits(whole) || !all_digits(decimals) {
        return Err(wrong());
    }
    let decimals = decimals.trim_end_matches('0');
    if decimals.len() > 6 {
        return Err(format!("{:?} has more than six decimals", shortened(text)));
    }
    if whole.len() > 9 {
        return Err(format!("{:?} is too large", shortened(text)));
    }
    format!("{whole}{decimals:0<6}").parse().map_err(|_| wrong())
}

/// RFC 3339, or a date, which begins at midnight UTC.
pub(super) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| format!("{:?} is neither 2026-01-31 nor 2026-01-31T00:00:00Z", shortened(text)))
}

/// Enough of a bad value to find it by.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
