//! `tandem import mailboxes` from Asterisk's `app_voicemail`: its configuration, and what is in its spool folder.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use uuid::Uuid;

use super::app_voicemail::{self, Entry, Found};
use crate::config::Config;
use crate::media::depot::Depot;
use crate::service;
use crate::store::Store;
use crate::store::import::Kind;
use crate::store::mailbox::{Audio, Folder, Format, GreetingKind, NewGreeting, NewMessage};
use crate::store::mailbox_writer::Attached;
use crate::store::writer::Writer;

/// For one message.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is imported, and whose it becomes.
#[derive(Debug)]
pub struct Source<'a> {
    /// `voicemail.conf`, if that is given.
    pub conf: Option<&'a Path>,
    /// The spool folder of a context, if that is given.
    pub spool: Option<&'a Path>,
    /// The account.
    pub account: &'a str,
    /// The context.
    pub context: &'a str,
}

/// Imports, and says what was taken.
///
/// # Errors
/// Nothing was taken, or the database was lost in the middle: importing again goes on.
pub async fn run(config: &Config, source: &Source<'_>) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    let mut text = String::new();
    if let Some(conf) = source.conf {
        let rows = mailboxes(&store, conf, source).await?;
        let _ = writeln!(text, "{rows} mailboxes taken");
    }
    if let Some(spool) = source.spool {
        let depot = service::voicemail::depot(config, &store).map_err(|error| error.to_string())?;
        let mut import = Import { writer: store.writer(PATIENCE), depot, node: &config.node.name, faults: Vec::new() };
        let taken = import.spool(spool, source.account).await?;
        let _ = writeln!(
            text,
            "{} messages and {} greetings taken, {} were there already",
            taken.messages, taken.greetings, taken.known
        );
        for fault in &import.faults {
            let _ = writeln!(text, "not taken: {fault}");
        }
    }
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

/// The id of an imported mailbox.
fn id(account: &str, number: &str) -> String {
    format!("{account}-{number}")
}

async fn mailboxes(store: &Store, conf: &Path, source: &Source<'_>) -> Result<u64, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", conf.display());
    let text = std::fs::read_to_string(conf).map_err(|error| named(&error))?;
    let entries = app_voicemail::read_conf(&text, source.context).map_err(|error| named(&error))?;
    let mut rows = 0;
    for entry in entries {
        // One by one: each has columns of its own, and what a file does not say stays as it is.
        let csv = csv_of(&entry, source.account).map_err(|error| named(&error))?;
        let imported = store.import(Kind::Mailboxes, csv.as_slice()).await;
        rows += imported.map_err(|error| format!("{}: mailbox {}: {error}", conf.display(), entry.number))?.rows;
    }
    Ok(rows)
}

fn csv_of(entry: &Entry, account: &str) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let own = [("id", id(account, &entry.number)), ("account", account.to_owned()), ("number", entry.number.clone())];
    let cells: Vec<(&str, String)> = own.into_iter().chain(entry.cells.iter().cloned()).collect();
    writer.write_record(cells.iter().map(|(name, _)| name))?;
    writer.write_record(cells.iter().map(|(_, value)| value))?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

#[derive(Default)]
struct Taken {
    messages: u64,
    greetings: u64,
    known: u64,
}

struct Import<'a> {
    writer: Writer,
    depot: Depot,
    node: &'a str,
    faults: Vec<String>,
}

impl Import<'_> {
    /// Every mailbox of a context that the account has, too.
    async fn spool(&mut self, spool: &Path, account: &str) -> Result<Taken, String> {
        let known = self.writer.known_mailboxes().await.map_err(|error| error.to_string())?;
        let named = |error: io::Error| format!("{}: {error}", spool.display());
        let mut folders: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(spool).map_err(named)? {
            folders.extend(Some(entry.map_err(named)?.path()).filter(|path| path.is_dir()));
        }
        folders.sort();
        let mut taken = Taken::default();
        for folder in folders {
            let number = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let id = id(account, &number);
            if !known.iter().any(|(known, _)| *known == id) {
                self.faults
                    .push(format!("{}: there is no mailbox {id}; import voicemail.conf first", folder.display()));
                continue;
            }
            self.mailbox(&folder, &id, &mut taken).await?;
        }
        Ok(taken)
    }

    async fn mailbox(&mut self, folder: &Path, id: &str, taken: &mut Taken) -> Result<(), String> {
        let (found, faults) =
            app_voicemail::messages(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        self.faults.extend(faults);
        for message in found {
            if let Some(new) = self.message(&message, id).await? {
                *(if new { &mut taken.messages } else { &mut taken.known }) += 1;
            }
        }
        for kind in GreetingKind::ALL {
            taken.greetings += u64::from(self.greeting(folder, id, *kind).await?);
        }
        Ok(())
    }

    /// Takes a message; whether it is new, if it can be taken at all.
    async fn message(&mut self, found: &Found, mailbox_id: &str) -> Result<Option<bool>, String> {
        let Some((audio, bytes)) = self.audio(&found.path.with_extension(""), found.id) else { return Ok(None) };
        let message = NewMessage {
            id: found.id,
            mailbox_id: mailbox_id.to_owned(),
            folder: found.folder,
            urgent: found.urgent && found.folder == Folder::Inbox,
            caller_number: found.caller_number.clone(),
            caller_name: found.caller_name.clone(),
            line_id: None,
            forwarded_by: None,
            left_at: found.left_at,
            uniqueid: String::new(),
        };
        let lost = |error: &dyn std::fmt::Display| format!("{}: {error}", found.path.display());
        self.depot.put(&audio, &bytes).await.map_err(|error| lost(&error))?;
        let attached = Attached { audio: &audio, bytes: &bytes };
        self.writer.add_message(&message, &attached, self.node).await.map(Some).map_err(|error| lost(&error))
    }

    async fn greeting(&mut self, folder: &Path, mailbox_id: &str, kind: GreetingKind) -> Result<bool, String> {
        let stem = folder.join(app_voicemail::greeting_name(kind));
        let id = Uuid::now_v7();
        let Some((audio, bytes)) = self.audio(&stem, id) else { return Ok(false) };
        let recorded_at = ["wav", "WAV", "wav49"]
            .iter()
            .find_map(|extension| std::fs::metadata(stem.with_extension(extension)).ok()?.modified().ok())
            .map_or_else(Utc::now, Into::into);
        let greeting = NewGreeting { id, mailbox_id: mailbox_id.to_owned(), kind, recorded_at };
        let lost = |error: &dyn std::fmt::Display| format!("{}: {error}", stem.display());
        self.depot.put(&audio, &bytes).await.map_err(|error| lost(&error))?;
        let attached = Attached { audio: &audio, bytes: &bytes };
        self.writer.set_greeting(&greeting, &attached).await.map_err(|error| lost(&error))?;
        Ok(true)
    }

    fn audio(&mut self, stem: &Path, id: Uuid) -> Option<(Audio, Vec<u8>)> {
        match app_voicemail::audio(stem) {
            Ok(Some((format, duration_ms, bytes))) => Some((self.described(id, format, duration_ms, &bytes), bytes)),
            Ok(None) if stem.file_name().is_some_and(|name| name.to_string_lossy().starts_with("msg")) => {
                self.faults.push(format!("{}: has no audio", stem.display()));
                None
            }
            Ok(None) => None,
            Err(why) => {
                self.faults.push(why);
                None
            }
        }
    }

    fn described(&self, id: Uuid, format: Format, duration_ms: i64, bytes: &[u8]) -> Audio {
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        Audio { id, place: self.depot.place(), format, bytes: size, duration_ms }
    }
}
