//! `tandem import KIND FILE`: reads the file, shows how far it has come.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli;
use crate::config::Config;
use crate::service;
use crate::store::Store;
use crate::store::import::{ImportError, Imported, Kind, RATE_COLUMNS, RateFile, Stage};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imports {
    /// Rates of a deck.
    Rates,
    /// Anything else.
    Rows(Kind),
}

/// Reads the command line's word.
///
/// # Errors
/// There is no such kind; the text names those there are.
pub fn parse_kind(text: &str) -> Result<Imports, String> {
    if text == "rates" {
        return Ok(Imports::Rates);
    }
    Kind::ALL.into_iter().find(|kind| kind.name() == text).map(Imports::Rows).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("there is no such kind; there are: rates, {}", names.join(", "))
    })
}

/// The columns of every kind, for the help.
#[must_use]
pub fn columns() -> String {
    let mut text = String::from("Columns (those with * must be there):\n");
    let rates = RATE_COLUMNS.iter().copied();
    for (kind, names) in Kind::ALL
        .iter()
        .map(|kind| (kind.name(), kind.column_names().collect::<Vec<_>>()))
        .chain([("rates", rates.collect())])
    {
        let names: Vec<String> =
            names.into_iter().map(|(name, must)| format!("{name}{}", if must { "*" } else { "" })).collect();
        text.push_str(&format!("  {kind}: {}\n", names.join(", ")));
    }
    text
}

/// Runs the command, and says what was taken.
///
/// # Errors
/// Why nothing was.
pub async fn run(config: &Config, command: &cli::Import) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    let imported = match (command.kind, &command.deck) {
        (Imports::Rows(kind), _) => import(&store, kind, &command.file).await,
        (Imports::Rates, deck) => {
            let rates = RateFile {
                deck: deck.clone().unwrap_or_default(),
                currency: command.currency.clone(),
                effective: command.effective.unwrap_or_else(Utc::now),
            };
            import_rates(&store, &rates, &command.file).await
        }
    };
    let Imported { rows, deck_version_id } =
        imported.map_err(|error| format!("{}: nothing was taken\n{error}", command.file.display()))?;
    let version = deck_version_id.map(|id| format!(", version {id} of the deck")).unwrap_or_default();
    writeln!(io::stdout(), "{rows} rows taken{version}").map_err(|error| error.to_string())
}

/// Imports a file of anything but rates; `-` is standard input.
///
/// # Errors
/// As [`Store::import`]; `File` when the file cannot be opened.
pub async fn import(store: &Store, kind: Kind, path: &Path) -> Result<Imported, ImportError> {
    if path == Path::new("-") {
        return store.import(kind, io::stdin()).await;
    }
    store.import(kind, open(path)?).await
}

/// Imports a file of rates, with a bar on standard error if that is a terminal; `-` is standard input.
///
/// # Errors
/// As [`Store::import_rates`]; `File` when the file cannot be opened.
pub async fn import_rates(store: &Store, rates: &RateFile, path: &Path) -> Result<Imported, ImportError> {
    let file = if path == Path::new("-") {
        spooled(io::stdin()).map_err(|error| unreadable(path, &error))?
    } else {
        open(path)?
    };
    let bar = ProgressBar::no_length();
    bar.set_style(style("{msg} {human_pos} rates"));
    bar.set_message("checking");
    bar.enable_steady_tick(Duration::from_millis(200));
    let outcome = store.import_rates(rates, file, |stage| match stage {
        Stage::Checking { rows } => bar.set_position(rows),
        Stage::Writing { rows, total } => {
            if bar.length() != Some(total) {
                bar.set_style(style("{msg} {wide_bar} {human_pos}/{human_len} rates, {eta} left"));
                bar.set_message("writing");
                bar.set_length(total);
            }
            bar.set_position(rows);
        }
    });
    let outcome = outcome.await;
    bar.finish_and_clear();
    outcome
}

fn open(path: &Path) -> Result<File, ImportError> {
    File::open(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> ImportError {
    ImportError::File(format!("{}: {error}", path.display()))
}

/// Rates are read twice, which a pipe does not allow.
fn spooled(mut input: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut input, &mut file)?;
    file.rewind()?;
    Ok(file)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
