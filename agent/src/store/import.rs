//! Import of CSV files. The first row names the columns, in any order; every row is checked before anything is
//! written, and one bad row keeps the whole file out. Importing a file again changes nothing.
//!
//! `kind` says which columns a file may have, `field` how a value is read, `sheet` reads and checks a file, `write`
//! puts it into the tables; `menu_file` and `menus` read and write the menus of an account, `facilities` reads the FCC's registry; `rates` does all of that for decks, which may be too large for memory and for one
//! transaction.

use std::fmt;

mod calendar;
mod facilities;
mod field;
mod kind;
mod menu_file;
mod menus;
mod rate_row;
mod rates;
mod sheet;
mod write;

pub use facilities::{FacilitiesImported, FacilityFiles};
pub use kind::Kind;
pub use rate_row::RATE_COLUMNS;
pub use rates::{RateFile, Stage};

use super::StoreError;

/// Bad rows that are told one by one; the rest is counted.
const LISTED: usize = 100;

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Rows of the file that are now in the database.
    pub rows: u64,
    /// The version of the deck that a file of rates became.
    pub deck_version_id: Option<i64>,
}

/// Why nothing of a file was taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read, or its first row is wrong.
    #[error("{0}")]
    File(String),
    /// Rows are wrong.
    #[error("{0}")]
    Rows(Faults),
    /// Menus are wrong: each fault with its path.
    #[error("{}\n{} faults; nothing of the file was taken", .0.join("\n"), .0.len())]
    Menus(Vec<String>),
    /// The database could not be asked or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every bad row of a file.
#[derive(Debug, Default)]
pub struct Faults {
    /// Line of the file and what is wrong there, in order; the first hundred.
    pub listed: Vec<(u64, String)>,
    /// All of them.
    pub total: u64,
}

impl Faults {
    fn add(&mut self, line: u64, reason: impl Into<String>) {
        self.total += 1;
        if self.listed.len() < LISTED {
            self.listed.push((line, reason.into()));
        }
    }

    /// Fails if there is one.
    fn refuse(mut self) -> Result<(), ImportError> {
        self.listed.sort();
        if self.total == 0 { Ok(()) } else { Err(ImportError::Rows(self)) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, reason) in &self.listed {
            writeln!(f, "line {line}: {reason}")?;
        }
        let unlisted = self.total.saturating_sub(self.listed.len() as u64);
        if unlisted > 0 {
            writeln!(f, "and {unlisted} more")?;
        }
        write!(f, "{} bad rows; nothing of the file was taken", self.total)
    }
}

/// Reads CSV: spaces around values do not count, every row has as many values as the first.
fn csv_reader<R: std::io::Read>(file: R) -> csv::Reader<R> {
    csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file)
}

/// The line on which the row began that the reader has just read: the parser counts blank lines before it as its own.
fn line_of<R: std::io::Read>(reader: &csv::Reader<R>, record: &csv::StringRecord) -> u64 {
    let (begin, end) = (record.position().map_or(1, csv::Position::line), reader.position().line());
    if end <= begin + 1 {
        return begin;
    }
    let within: usize = record.iter().map(|value| value.bytes().filter(|byte| *byte == b'\n').count()).sum();
    end.saturating_sub(1 + within as u64)
}

/// What is wrong with a row that is not even CSV; an unreadable file is an error of its own.
fn malformed(error: &csv::Error) -> Result<String, ImportError> {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Ok(format!("has {len} values where the first row names {expected_len} columns"))
        }
        csv::ErrorKind::Utf8 { .. } => Ok("is not UTF-8".to_owned()),
        _ => Err(ImportError::File(error.to_string())),
    }
}

/// Where each of `known` columns stands in the first row. Unknown, doubled and missing columns are named all at once.
fn header(first: &csv::StringRecord, known: &[(&str, bool)]) -> Result<Vec<Option<usize>>, ImportError> {
    let mut faults = Vec::new();
    for (index, name) in first.iter().enumerate() {
        if !known.iter().any(|(known, _)| *known == name) {
            faults.push(format!("unknown column {name:?}"));
        } else if first.iter().position(|other| other == name) != Some(index) {
            faults.push(format!("column {name:?} stands twice"));
        }
    }
    for (name, required) in known {
        if *required && !first.iter().any(|column| column == *name) {
            faults.push(format!("column {name:?} is missing"));
        }
    }
    if !faults.is_empty() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return Err(ImportError::File(format!("first row: {}; columns are {}", faults.join(", "), names.join(", "))));
    }
    Ok(known.iter().map(|(name, _)| first.iter().position(|column| column == *name)).collect())
}
