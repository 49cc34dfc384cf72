//! `tandem mailbox`: what operators see of mailboxes, and do for their owners.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::app_voicemail;
use crate::cli;
use crate::config::Config;
use crate::media::depot::Depot;
use crate::service;
use crate::store::Store;
use crate::store::asking::Asking;
use crate::store::mailbox::{Folder, Mailbox, Message};
use crate::store::password;

/// An operator has more patience than a caller.
const PATIENCE: Duration = Duration::from_secs(10);
/// Digits of a password that is made up.
const DIGITS: usize = 8;

/// Runs the command.
///
/// # Errors
/// Why nothing came of it.
pub async fn run(config: &Config, command: &cli::MailboxCommand) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    let text = match command {
        cli::MailboxCommand::List { account, json } => list(&store, account.as_deref(), *json).await?,
        cli::MailboxCommand::Messages { mailbox } => messages(&store, mailbox).await?,
        cli::MailboxCommand::Password { mailbox, stdin } => reset(config, &store, mailbox, *stdin).await?,
        cli::MailboxCommand::Move { from, to, folder } => move_messages(&store, from, to, folder.as_deref()).await?,
        cli::MailboxCommand::Export { mailbox, folder } => export(config, &store, mailbox, folder).await?,
    };
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

fn by() -> Instant {
    Instant::now() + PATIENCE
}

async fn find(store: &Store, id: &str) -> Result<Mailbox, String> {
    let mailbox = store.mailbox(id, &mut Asking::until(by())).await.map_err(|error| error.to_string())?;
    mailbox.ok_or_else(|| format!("there is no mailbox {id}; `tandem mailbox list` tells which there are"))
}

async fn contents(store: &Store, id: &str) -> Result<Vec<Message>, String> {
    store.messages(id, &mut Asking::until(by())).await.map_err(|error| error.to_string())
}

async fn list(store: &Store, account: Option<&str>, json: bool) -> Result<String, String> {
    let mut mailboxes = store.mailboxes().await.map_err(|error| error.to_string())?;
    mailboxes.retain(|mailbox| account.is_none_or(|account| mailbox.account_id == account));
    if json {
        return serde_json::to_string_pretty(&mailboxes).map(|text| text + "\n").map_err(|error| error.to_string());
    }
    let mut text = format!(
        "{:<20} {:<12} {:<8} {:<24} {:<9} {:>6} {:>5} {:>5} {:>8}  {}\n",
        "mailbox", "account", "number", "name", "status", "urgent", "new", "kept", "minutes", "owner"
    );
    for one in mailboxes {
        let owner = match (one.has_password, one.set_up) {
            (false, _) => "has no password",
            (true, false) => "has never been there",
            (true, true) => "",
        };
        let line = format!(
            "{:<20} {:<12} {:<8} {:<24} {:<9} {:>6} {:>5} {:>5} {:>8.1}  {owner}",
            one.id,
            one.account_id,
            one.number,
            one.name,
            one.status,
            one.urgent,
            one.fresh,
            one.kept,
            one.milliseconds as f64 / 60_000.0
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    Ok(text)
}

async fn messages(store: &Store, id: &str) -> Result<String, String> {
    find(store, id).await?;
    let mut text = String::new();
    for message in contents(store, id).await? {
        let _ = writeln!(
            text,
            "{} {} {:<7} {} {:>5} s  {} {}",
            message.audio.id,
            message.left_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            message.folder.name(),
            if message.urgent { "urgent" } else { "      " },
            message.audio.duration_ms / 1000,
            message.caller_number,
            message.caller_name
        );
    }
    Ok(text)
}

/// A new password for what has this number: a line of standard input, or made up.
pub(super) fn new_password(number: &str, least: usize, stdin: bool) -> Result<String, String> {
    let new = if stdin {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
        line.trim().to_owned()
    } else {
        made_up(number, least)
    };
    match password::fault(&new, number, least) {
        Some(fault) => Err(format!("the password {fault}")),
        None => Ok(new),
    }
}

/// A new password of a mailbox.
async fn reset(config: &Config, store: &Store, id: &str, stdin: bool) -> Result<String, String> {
    let mailbox = find(store, id).await?;
    let new = new_password(&mailbox.number, config.voicemail.password_digits, stdin)?;
    let hash = password::hash(&new).ok_or("the password cannot be hashed")?;
    store.set_password(id, &hash, by()).await.map_err(|error| error.to_string())?;
    Ok(if stdin {
        format!("mailbox {id} has the new password\n")
    } else {
        format!("the password of mailbox {id} is {new}\n")
    })
}

/// Random digits that are not trivial.
fn made_up(number: &str, least: usize) -> String {
    loop {
        // The last 62 bits of a version 7 UUID are its random part (RFC 9562, 5.7): before them is the time.
        let random = Uuid::now_v7().as_u128() & u128::from(u64::MAX >> 2);
        let digits = format!("{random:020}");
        let new: String = digits.chars().rev().take(DIGITS.max(least)).collect();
        if password::fault(&new, number, least).is_none() {
            return new;
        }
    }
}

async fn move_messages(store: &Store, from: &str, to: &str, folder: Option<&str>) -> Result<String, String> {
    let folder = match folder {
        Some(name) => Some(Folder::named(name).ok_or_else(|| {
            let names: Vec<&str> = Folder::ALL.iter().map(|folder| folder.name()).collect();
            format!("there is no folder {name}; there are: {}", names.join(", "))
        })?),
        None => None,
    };
    find(store, from).await?;
    find(store, to).await?;
    let mut writer = store.writer(PATIENCE);
    let mut moved = 0;
    for message in contents(store, from).await? {
        if folder.is_none_or(|folder| message.folder == folder) {
            writer.move_to_mailbox(&message.audio.id.to_string(), to).await.map_err(|error| error.to_string())?;
            moved += 1;
        }
    }
    Ok(format!("{moved} messages moved from mailbox {from} to {to}\n"))
}

/// Writes a mailbox as app_voicemail's spool has it, which `tandem import mailboxes --messages` reads.
async fn export(config: &Config, store: &Store, id: &str, folder: &Path) -> Result<String, String> {
    let mailbox = find(store, id).await?;
    let depot: Depot = service::voicemail::depot(config, store).map_err(|error| error.to_string())?;
    let folder = folder.join(&mailbox.number);
    let named = |error: io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(named)?;
    let all = contents(store, id).await?;
    let mut numbers = std::collections::BTreeMap::<(Folder, bool), usize>::new();
    for message in &all {
        let audio = depot.get(&message.audio, by()).await.map_err(|error| error.to_string())?;
        let number = numbers.entry((message.folder, message.urgent)).or_default();
        app_voicemail::write(&folder, &mailbox.number, *number, message, &audio).map_err(named)?;
        *number += 1;
    }
    let greetings = store.greetings(id, &mut Asking::until(by())).await.map_err(|error| error.to_string())?;
    for (kind, audio) in &greetings {
        let bytes = depot.get(audio, by()).await.map_err(|error| error.to_string())?;
        let extension = if audio.format == crate::store::mailbox::Format::Gsm { "WAV" } else { "wav" };
        let path = folder.join(app_voicemail::greeting_name(*kind)).with_extension(extension);
        fs::write(path, bytes).map_err(named)?;
    }
    let at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok(format!(
        "{} messages and {} greetings of mailbox {id} are in {} ({at})\n",
        all.len(),
        greetings.len(),
        folder.display()
    ))
}
