//! A row of a file of rates.

use chrono::{DateTime, Utc};
use csv::StringRecord;

use super::field::{count, digits, flag, micros, time};
use super::{ImportError, header};

/// The columns, and whether each must be there. `increments` (60/6) stands for `initial_seconds` and `increment_seconds`.
pub const RATE_COLUMNS: [(&str, bool); 10] = [
    ("prefix", true),
    ("per_minute", true),
    ("destination", false),
    ("connect_fee", false),
    ("initial_seconds", false),
    ("increment_seconds", false),
    ("increments", false),
    ("blocked", false),
    ("effective_at", false),
    ("expires_at", false),
];

/// A checked row. Money in millionths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RateRow {
    pub prefix: String,
    pub destination: String,
    pub per_minute: i64,
    pub connect_fee: i64,
    pub initial_seconds: i64,
    pub increment_seconds: i64,
    pub blocked: bool,
    pub effective_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Reads the rows of one file.
#[derive(Debug)]
pub(super) struct RateReader {
    places: [Option<usize>; 10],
    effective: DateTime<Utc>,
}

impl RateReader {
    /// Reads the first row. `effective` holds for rows that do not say when they begin.
    pub(super) fn new(first: &StringRecord, effective: DateTime<Utc>) -> Result<Self, ImportError> {
        let found = header(first, &RATE_COLUMNS)?;
        let mut places = [None; 10];
        for (place, found) in places.iter_mut().zip(found) {
            *place = found;
        }
        let [_, _, _, _, initial, increment, increments, ..] = places;
        if increments.is_some() && (initial.is_some() || increment.is_some()) {
            return Err(ImportError::File(
                "first row: has increments and initial_seconds or increment_seconds; choose one".to_owned(),
            ));
        }
        Ok(RateReader { places, effective })
    }

    /// Reads a row; the error tells everything that is wrong with it.
    pub(super) fn read(&self, record: &StringRecord) -> Result<RateRow, String> {
        let [prefix, per_minute, destination, connect_fee, initial, increment, increments, blocked, effective, expires] =
            self.places.map(|place| place.and_then(|place| record.get(place)).unwrap_or_default());
        let mut faults = Vec::new();
        let mut check = Checker { faults: &mut faults };
        let prefix = check.read("prefix", digits(prefix, 1));
        let per_minute = check.read("per_minute", micros(per_minute));
        let destination = check.read("destination", label(destination));
        let connect_fee = check.read("connect_fee", or(connect_fee, 0, micros));
        let (initial, increment) = increments.split_once('/').unwrap_or(if increments.is_empty() {
            (initial, increment)
        } else {
            (increments, increments)
        });
        let initial_seconds = check.read("initial_seconds", or(initial, 1, |text| count(text, 0, 86_400)));
        let increment_seconds = check.read("increment_seconds", or(increment, 1, |text| count(text, 1, 86_400)));
        let blocked = check.read("blocked", or(blocked, false, flag));
        let effective_at = check.read("effective_at", or(effective, self.effective, time));
        let expires_at = check.read("expires_at", or(expires, None, |text| time(text).map(Some)));
        if expires_at.is_some_and(|expires| expires <= effective_at) {
            faults.push("expires_at: is not after effective_at".to_owned());
        }
        if !faults.is_empty() {
            return Err(faults.join("; "));
        }
        Ok(RateRow {
            prefix,
            destination: destination.to_owned(),
            per_minute,
            connect_fee,
            initial_seconds,
            increment_seconds,
            blocked,
            effective_at,
            expires_at,
        })
    }
}

/// Notes what is wrong and goes on with a placeholder, so that one look tells all faults of a row.
struct Checker<'a> {
    faults: &'a mut Vec<String>,
}

impl Checker<'_> {
    fn read<T: Default>(&mut self, column: &str, value: Result<T, String>) -> T {
        value.unwrap_or_else(|reason| {
            self.faults.push(format!("{column}: {reason}"));
            T::default()
        })
    }
}

/// An empty value stands for `default`.
fn or<T>(text: &str, default: T, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, String> {
    if text.is_empty() { Ok(default) } else { read(text) }
}

fn label(text: &str) -> Result<&str, String> {
    if text.chars().count() > 100 || text.chars().any(char::is_control) {
        return Err("is longer than 100 characters, or holds control characters".to_owned());
    }
    Ok(text)
}
