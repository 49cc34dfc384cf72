//! `tandem import KIND FILE`: reads the file, shows how far it has come.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};

use super::mailbox_import::{self, Source};
use super::menu;
use crate::cli;
use crate::config::Config;
use crate::emergency::atlas::{Atlas, Doubts};
use crate::service;
use crate::store::Store;
use crate::store::import::{
    FacilitiesImported, FacilityFiles, ImportError, Imported, Kind, RATE_COLUMNS, RateFile, Stage,
};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imports {
    /// Rates of a deck.
    Rates,
    /// Emergency facilities.
    Facilities,
    /// All menus of an account.
    Menus,
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
    if text == "facilities" {
        return Ok(Imports::Facilities);
    }
    if text == "menus" {
        return Ok(Imports::Menus);
    }
    Kind::ALL.iter().copied().find(|kind| kind.name() == text).map(Imports::Rows).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("there is no such kind; there are: rates, {}, menus, facilities", names.join(", "))
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
    text.push_str("  menus: all menus of an account, TOML; see sql/sample/menus.toml\n");
    text.push_str("  facilities: the FCC Master PSAP Registry as it is published\n");
    text
}

/// Runs the command, and says what was taken.
///
/// # Errors
/// Why nothing was.
pub async fn run(config: &Config, command: &cli::Import) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    let imported = match (command.kind, &command.deck) {
        (Imports::Facilities, _) => return facilities(&store, command).await,
        (Imports::Menus, _) => {
            let taken = menu::import(&store, &command.file).await?;
            return io::stdout().write_all(taken.as_bytes()).map_err(|error| error.to_string());
        }
        (Imports::Rows(Kind::Mailboxes), _) if command.account.is_some() => {
            return app_voicemail(config, command).await;
        }
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

/// Imports mailboxes of Asterisk's own voicemail.
async fn app_voicemail(config: &Config, command: &cli::Import) -> Result<(), String> {
    let source = Source {
        conf: Some(&command.file),
        spool: command.messages.as_deref(),
        account: command.account.as_deref().unwrap_or_default(),
        context: &command.context,
    };
    mailbox_import::run(config, &source).await
}

/// Imports the registry with its further files, and tells what is doubtful in them.
async fn facilities(store: &Store, command: &cli::Import) -> Result<(), String> {
    let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|error| unreadable(path, &error).to_string());
    let files = FacilityFiles {
        registry: read(&command.file)?,
        points: command.points.as_ref().map(read).transpose()?,
        numbers: command.numbers.as_ref().map(read).transpose()?,
        counties: command.counties.as_ref().map(read).transpose()?,
        areas: command.areas.as_ref().map(read).transpose()?,
    };
    let imported = store.import_facilities(&files).await.map_err(|error| format!("nothing was taken\n{error}"))?;
    let (_, doubts) = Atlas::new(store.gazetteer().await.map_err(|error| error.to_string())?);
    let text = told(&imported, &doubts);
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

/// What an import of facilities did, for people.
fn told(imported: &FacilitiesImported, doubts: &Doubts) -> String {
    let FacilitiesImported { active, secondary, orphaned, doubled, strangers, counties, areas } = imported;
    let mut text = format!(
        "{active} facilities taken, {secondary} secondary and {orphaned} orphaned ones left out; \
         {counties} counties, {areas} service areas\n"
    );
    let mut list = |what: &str, names: &[String]| {
        if !names.is_empty() {
            let _ = writeln!(text, "\n{} {what}:", names.len());
            names.iter().for_each(|name| {
                let _ = writeln!(text, "  {name}");
            });
        }
    };
    let ids = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>();
    list("ids stand more than once; the row that was changed last holds", &ids(doubled));
    list("ids of the further files are not in the registry", &ids(strangers));
    list("facilities are of more than one county, and answer in each", &doubts.several_counties);
    list("facilities name a county that is not known; they are chosen by distance alone", &doubts.unknown_counties);
    list("facilities have neither place, area nor known county, and are never chosen", &doubts.unplaced);
    list("counties have no facility; their calls go to the nearest one", &doubts.empty_counties);
    list("areas cannot be used", &doubts.bad_areas);
    text
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
