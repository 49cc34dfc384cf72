//! `tandem import KIND FILE`: reads the file, shows how far it has come.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{self, Imports};
use crate::config::Config;
use crate::service;
use crate::store::Store;
use crate::store::import::{ImportError, Imported, Kind, RateFile, Stage};

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
