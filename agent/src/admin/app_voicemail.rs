//! Mailboxes of Asterisk's own `app_voicemail`: `voicemail.conf`, and its spool folder with messages and greetings, both read and written.
//!
//! A message there is `<mailbox>/<folder>/msgNNNN.txt` (an INI file) beside its audio, a greeting `<mailbox>/unavail`, `busy`, `greet` or `temp`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeZone, Utc};
use ini::{EscapePolicy, Ini, ParseOption};
use uuid::{Builder, Uuid};

use crate::media::wav;
use crate::store::mailbox::{Folder, Format, GreetingKind, Message};

/// A mailbox of `voicemail.conf`, as rows of `tandem import mailboxes` are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub number: String,
    /// Columns and values.
    pub cells: Vec<(&'static str, String)>,
}

/// A message of the spool folder.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its text file.
    pub path: PathBuf,
    /// Folder and urgency.
    pub folder: Folder,
    /// Whether it is urgent.
    pub urgent: bool,
    /// Caller ID number.
    pub caller_number: String,
    /// Caller ID name.
    pub caller_name: String,
    /// When it was left.
    pub left_at: DateTime<Utc>,
    /// The same each time that it is read.
    pub id: Uuid,
}

/// Keys of `voicemail.conf` that are settings of ours.
const OPTIONS: &[(&str, &str)] = &[
    ("tz", ""),
    ("attach", "attach"),
    ("delete", "delete_after_mail"),
    ("saycid", "say_caller"),
    ("sayduration", "say_duration"),
    ("envelope", "say_envelope"),
    ("review", "review"),
    ("sendvoicemail", "send_messages"),
    ("hidefromdir", "hidden"),
    ("language", "language"),
    ("maxmsg", "max_messages"),
    ("maxsecs", "max_seconds"),
    ("minsecs", "min_seconds"),
];

/// Reads the mailboxes of a context.
///
/// # Errors
/// The file is no INI file, or has no such context.
pub fn read_conf(text: &str, context: &str) -> Result<Vec<Entry>, String> {
    let text: String = text.lines().map(|line| format!("{}\n", without_comment(line))).collect();
    let option = ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
    let conf = Ini::load_from_str_opt(&text, option).map_err(|error| format!("is no voicemail.conf: {error}"))?;
    let general = conf.section(Some("general"));
    let zones = conf.section(Some("zonemessages"));
    let section = conf.section(Some(context)).ok_or_else(|| {
        let contexts: Vec<&str> =
            conf.sections().flatten().filter(|name| !["general", "zonemessages"].contains(name)).collect();
        format!("has no context {context}; there are: {}", contexts.join(", "))
    })?;
    let mut entries = Vec::new();
    for (number, value) in section.iter() {
        // `1234 => 4242,Name,mail,pager,options`.
        let mut fields = value.trim_start_matches('>').trim().splitn(5, ',').map(str::trim);
        let (password, name, mail, pager, options) =
            (fields.next(), fields.next(), fields.next(), fields.next(), fields.next());
        let mut entry = Entry { number: number.trim().to_owned(), cells: Vec::new() };
        let password = password.unwrap_or_default().trim_start_matches('-');
        entry.cells.push(("name", name.filter(|name| !name.is_empty()).unwrap_or(number).to_owned()));
        entry.cells.push(("password", password.to_owned()));
        // Who still has the first password is led through the mailbox.
        let first = password.is_empty() || password == entry.number;
        entry.cells.push(("set_up", if first { "no" } else { "yes" }.to_owned()));
        entry.cells.push(("mail", mail.unwrap_or_default().replace('|', ",")));
        entry.cells.push(("pager", pager.unwrap_or_default().replace('|', ",")));
        let own: Vec<(&str, &str)> = options
            .unwrap_or_default()
            .split('|')
            .filter_map(|option| option.split_once('='))
            .map(|(key, value)| (key.trim(), value.trim()))
            .collect();
        for (key, column) in OPTIONS {
            let value = own.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
            let Some(value) = value.or_else(|| general?.get(key)) else { continue };
            if *key == "tz" {
                // `central => America/Chicago|'vm-received' ...`
                let zone =
                    zones.and_then(|zones| zones.get(value)).map_or(value, |line| line.trim_start_matches('>').trim());
                let zone = zone.split('|').next().unwrap_or_default().trim();
                if zone.parse::<chrono_tz::Tz>().is_ok() {
                    entry.cells.push(("time_zone", zone.to_owned()));
                }
            } else {
                entry.cells.push((column, value.to_owned()));
            }
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// A line of an Asterisk file without its comment; `\;` is a semicolon.
fn without_comment(line: &str) -> String {
    let mut text = String::new();
    let mut escaped = false;
    for c in line.chars() {
        if c == ';' && !escaped {
            break;
        }
        if c == ';' {
            text.pop();
        }
        escaped = c == '\\';
        text.push(c);
    }
    text
}

/// The messages of a mailbox's folder in a spool; those that cannot be read are told, each with the reason.
///
/// # Errors
/// The folder cannot be read.
pub fn messages(mailbox: &Path) -> io::Result<(Vec<Found>, Vec<String>)> {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(mailbox)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_dir()) else { continue };
        let (folder, urgent) = match name {
            "Urgent" => (Folder::Inbox, true),
            name => match Folder::named(name) {
                Some(folder) => (folder, false),
                None => continue,
            },
        };
        for entry in fs::read_dir(&path)? {
            let text = entry?.path();
            if text.extension().is_none_or(|extension| extension != "txt") {
                continue;
            }
            match message(&text, folder, urgent) {
                Ok(message) => found.push(message),
                Err(why) => faults.push(format!("{}: {why}", text.display())),
            }
        }
    }
    found.sort_by_key(|message| message.left_at);
    faults.sort();
    Ok((found, faults))
}

fn message(path: &Path, folder: Folder, urgent: bool) -> Result<Found, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let option = ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
    let ini = Ini::load_from_str_opt(&text, option).map_err(|error| error.to_string())?;
    let section = ini.section(Some("message")).ok_or("has no [message]")?;
    let get = |key| section.get(key).unwrap_or_default();
    let seconds: i64 = get("origtime").parse().map_err(|_| "has no origtime")?;
    let left_at = Utc.timestamp_opt(seconds, 0).single().ok_or("has no origtime")?;
    let (caller_name, caller_number) = caller_id(get("callerid"));
    // Of the time that the message has, and of what tells it from others.
    let place = format!("{}\n{}\n{seconds}\n{}", path.display(), get("msg_id"), get("callerid"));
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_URL, place.as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(hash.as_bytes().get(..10).unwrap_or_default());
    let millis = u64::try_from(seconds.max(0)).unwrap_or_default() * 1000;
    Ok(Found {
        path: path.to_owned(),
        folder,
        urgent: urgent || get("flag") == "Urgent",
        caller_number,
        caller_name,
        left_at,
        id: Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
    })
}

/// `"Name" <number>`, or a number alone.
fn caller_id(text: &str) -> (String, String) {
    let plain =
        |text: &str| text.trim().trim_matches('"').chars().filter(|c| !c.is_control()).take(64).collect::<String>();
    match text.split_once('<') {
        Some((name, rest)) => (plain(name), plain(rest.split('>').next().unwrap_or_default())),
        None if text == "Unknown" => (String::new(), String::new()),
        None => (String::new(), plain(text)),
    }
}

/// The audio beside a name without extension, as we keep it; `None` when there is none.
///
/// # Errors
/// It is of a format that only `sox` could read, or cannot be read.
pub fn audio(stem: &Path) -> Result<Option<(Format, i64, Vec<u8>)>, String> {
    for extension in ["wav", "WAV", "wav49"] {
        let path = stem.with_extension(extension);
        let Ok(bytes) = fs::read(&path) else { continue };
        let length = wav::length(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        let format = if wav::is_gsm(&bytes) { Format::Gsm } else { Format::Wav };
        return Ok(Some((format, i64::try_from(length.as_millis()).unwrap_or(i64::MAX), bytes)));
    }
    let other = ["gsm", "ulaw", "alaw", "sln", "g722"].iter().find(|extension| stem.with_extension(extension).exists());
    match other {
        Some(extension) => Err(format!(
            "{}: convert it first, `sox FILE.{extension} -r 8000 -c 1 FILE.wav`: only wav and WAV are read",
            stem.with_extension(extension).display()
        )),
        None => Ok(None),
    }
}

/// Name of a greeting's file.
#[must_use]
pub fn greeting_name(kind: GreetingKind) -> &'static str {
    match kind {
        GreetingKind::Unavailable => "unavail",
        GreetingKind::Busy => "busy",
        GreetingKind::Name => "greet",
        GreetingKind::Temporary => "temp",
    }
}

/// Writes a message into a folder of a spool, as number `nth` there.
///
/// # Errors
/// It cannot be written.
pub fn write(mailbox: &Path, number: &str, nth: usize, message: &Message, audio: &[u8]) -> io::Result<()> {
    let folder = if message.urgent && message.folder == Folder::Inbox { "Urgent" } else { message.folder.name() };
    let folder = mailbox.join(folder);
    fs::create_dir_all(&folder)?;
    let stem = folder.join(format!("msg{nth:04}"));
    let extension = if message.audio.format == Format::Gsm { "WAV" } else { "wav" };
    fs::write(stem.with_extension(extension), audio)?;
    let mut ini = Ini::new();
    ini.with_section(Some("message"))
        .set("origmailbox", number)
        .set("callerid", format!("\"{}\" <{}>", message.caller_name.replace(['"', '<'], " "), message.caller_number))
        .set("origdate", message.left_at.format("%a %b %e %r UTC %Y").to_string())
        .set("origtime", message.left_at.timestamp().to_string())
        .set("msg_id", message.audio.id.to_string())
        .set("flag", if message.urgent { "Urgent" } else { "" })
        .set("duration", (message.audio.duration_ms / 1000).to_string());
    let mut text = Vec::new();
    ini.write_to_policy(&mut text, EscapePolicy::Nothing)?;
    fs::write(stem.with_extension("txt"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONF: &str = "[general]\nformat = wav49|wav\nattach = yes\nmaxsecs = 180 ; three minutes\n[zonemessages]\n\
        central = America/Chicago|'vm-received' Q 'digits/at' IMp\n[default]\n\
        1234 => 4242,Example Mailbox,root@localhost\n\
        4200 => -9855,Mark \\; Spencer,mark@example.com,pager@example.com,attach=no|tz=central|maxmsg=10|saycid=yes ; comment\n\
        4300 => 4300\n[other]\n1 => 2,Else\n";

    #[test]
    fn mailboxes_of_a_context_are_read() {
        let entries = read_conf(CONF, "default").unwrap();
        assert_eq!(entries.iter().map(|entry| entry.number.as_str()).collect::<Vec<_>>(), ["1234", "4200", "4300"]);
        let get = |nth: usize, name: &str| {
            entries[nth].cells.iter().find(|(column, _)| *column == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(
            (get(0, "password"), get(0, "name"), get(0, "mail")),
            (Some("4242"), Some("Example Mailbox"), Some("root@localhost"))
        );
        assert_eq!(
            (get(0, "max_seconds"), get(0, "attach"), get(0, "set_up")),
            (Some("180"), Some("yes"), Some("yes"))
        );
        assert_eq!(
            (get(1, "password"), get(1, "name"), get(1, "attach")),
            (Some("9855"), Some("Mark ; Spencer"), Some("no"))
        );
        assert_eq!(
            (get(1, "time_zone"), get(1, "max_messages"), get(1, "pager")),
            (Some("America/Chicago"), Some("10"), Some("pager@example.com"))
        );
        assert_eq!((get(2, "name"), get(2, "set_up")), (Some("4300"), Some("no")));
        assert!(read_conf(CONF, "nowhere").unwrap_err().contains("default, other"));
    }

    #[test]
    fn caller_ids_are_taken_apart() {
        for (text, name, number) in [
            ("\"Alice Baker\" <2101>", "Alice Baker", "2101"),
            ("2101", "", "2101"),
            ("Unknown", "", ""),
            ("\"\" <>", "", ""),
            ("\"; DROP TABLE\" <1>", "; DROP TABLE", "1"),
        ] {
            assert_eq!(caller_id(text), (name.to_owned(), number.to_owned()), "{text}");
        }
    }
}
