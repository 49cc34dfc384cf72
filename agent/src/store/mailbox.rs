//! A mailbox, what it says to callers, and what is in it.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::Status;

/// A mailbox as its flows need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Its id.
    pub id: String,
    /// The account that it belongs to.
    pub account_id: String,
    /// What an owner keys in, within the account.
    pub number: String,
    /// Whose it is.
    pub name: String,
    /// Active only if the account is, too.
    pub status: Status,
    /// argon2id, as a PHC string; without one nobody logs in by password.
    pub password_hash: Option<String>,
    /// Whether the owner was led through password, name and greetings.
    pub set_up: bool,
    /// Whether its own lines need no password.
    pub login_from_line: bool,
    /// Language of the owner's prompts; empty for the caller's.
    pub language: String,
    /// IANA time zone of the owner.
    pub time_zone: String,
    /// Extension that key 0 leads to; empty for none.
    pub operator: String,
    /// The line with whose permissions the owner calls.
    pub line_id: Option<String>,
    /// Whether the owner may call those who left messages.
    pub call_back: bool,
    /// Whether the owner may call anybody.
    pub dial_out: bool,
    /// Whether the owner may send messages to others.
    pub send_messages: bool,
    /// Whether callers may listen to their message, and record it again.
    pub review: bool,
    /// What is told before a message.
    pub envelope: Envelope,
    /// What it may hold.
    pub limits: Limits,
    /// How full it is.
    pub used: Used,
}

/// What is told before a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// When it was left.
    pub time: bool,
    /// Who left it.
    pub caller: bool,
    /// How long it is.
    pub duration: bool,
}

/// What a mailbox may hold; 0 is no limit, but for `seconds` and `greeting_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages in all folders.
    pub messages: i64,
    /// Minutes of all messages.
    pub minutes: i64,
    /// Messages of the whole account.
    pub account_messages: i64,
    /// Minutes of the whole account.
    pub account_minutes: i64,
    /// Longest message.
    pub seconds: i32,
    /// Shortest message that is kept.
    pub least_seconds: i32,
    /// Silence that ends a message.
    pub silence_seconds: i32,
    /// Longest greeting.
    pub greeting_seconds: i32,
    /// Decibels by which messages are made louder, or softer.
    pub gain_db: i32,
}

/// How much is in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Messages in all folders.
    pub messages: i64,
    /// Milliseconds of them.
    pub milliseconds: i64,
    /// Messages of the whole account, where they are limited.
    pub account_messages: i64,
    /// Milliseconds of them, where they are limited.
    pub account_milliseconds: i64,
}

impl Mailbox {
    /// Whether no further message has room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let (limits, used) = (&self.limits, &self.used);
        let reached = |used: i64, limit: i64| limit > 0 && used >= limit;
        reached(used.messages, limits.messages)
            || reached(used.milliseconds, limits.minutes.saturating_mul(60_000))
            || reached(used.account_messages, limits.account_messages)
            || reached(used.account_milliseconds, limits.account_minutes.saturating_mul(60_000))
    }
}

words! {
    /// What a mailbox may say to callers.
    GreetingKind {
        /// To those who reached nobody.
        Unavailable = "unavailable",
        /// To those who found the line busy.
        Busy = "busy",
        /// The owner's name.
        Name = "name",
        /// In the place of the first two, as long as it is there.
        Temporary = "temporary",
    }
}

words! {
    /// A folder, in the order of the keys 0 to 9 (`app_voicemail.c`, `mailbox_folders`).
    Folder {
        /// Not heard yet.
        Inbox = "INBOX",
        /// Heard.
        Old = "Old",
        /// Saved there.
        Work = "Work",
        /// Saved there.
        Family = "Family",
        /// Saved there.
        Friends = "Friends",
        /// Saved there.
        Cust1 = "Cust1",
        /// Saved there.
        Cust2 = "Cust2",
        /// Saved there.
        Cust3 = "Cust3",
        /// Saved there.
        Cust4 = "Cust4",
        /// Saved there.
        Cust5 = "Cust5",
    }
}

words! {
    /// Where audio is.
    Place {
        /// In the central database.
        Database = "database",
        /// In a directory that all nodes share.
        Directory = "directory",
        /// In an S3 bucket.
        S3 = "s3",
    }
}

words! {
    /// How audio is written.
    Format {
        /// WAV, 16 bits, 8000 samples a second: 16 kB/s.
        Wav = "wav",
        /// GSM 6.10 in WAV: 1.6 kB/s. Asterisk calls it wav49.
        Gsm = "wav49",
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Audio in the central store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audio {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    pub place: Place,
    /// How it is written.
    pub format: Format,
    /// Its size.
    pub bytes: i64,
    /// Its length.
    pub duration_ms: i64,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its audio, whose id is the message's.
    pub audio: Audio,
    /// Where it lies.
    pub folder: Folder,
    /// Whether the caller called it urgent.
    pub urgent: bool,
    /// Caller ID number as presented; may be empty.
    pub caller_number: String,
    /// Caller ID name as presented; may be empty.
    pub caller_name: String,
    /// The line that called, if one of ours did.
    pub line_id: Option<String>,
    /// The mailbox that forwarded it.
    pub forwarded_by: Option<String>,
    /// When it was left.
    pub left_at: DateTime<Utc>,
}

/// What the lamps of a mailbox tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    /// Not heard, and urgent.
    pub urgent: i64,
    /// Not heard, and not urgent.
    pub fresh: i64,
    /// Heard.
    pub old: i64,
}

/// How an owner is told of messages, and what of it holds for the account.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MailSettings {
    /// The mailbox.
    pub id: String,
    /// Its account.
    pub account_id: String,
    /// Its number.
    pub number: String,
    /// Whose it is.
    pub name: String,
    /// Addresses, split by commas.
    pub mail: String,
    /// Addresses that get a short text.
    pub pager: String,
    /// Where it is posted.
    pub webhook: String,
    /// Whether mails carry the audio.
    pub attach: bool,
    /// Whether the message is deleted when its mail is delivered.
    pub delete_after_mail: bool,
    /// Language; empty for none.
    pub language: String,
    /// IANA time zone.
    pub time_zone: String,
    /// Sender; empty for the agent's own.
    pub mail_from: String,
    /// Template; empty for the agent's own, as the others are.
    pub mail_subject: String,
    /// Template.
    pub mail_body: String,
    /// Template.
    pub pager_subject: String,
    /// Template.
    pub pager_body: String,
    /// Messages that were not heard.
    pub unheard: i64,
}

/// A mailbox in a list for operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Its id.
    pub id: String,
    /// Its account.
    pub account_id: String,
    /// Its number.
    pub number: String,
    /// Whose it is.
    pub name: String,
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// Whether its owner was led through password, name and greetings.
    pub set_up: bool,
    /// Whether it can be logged in to by password.
    pub has_password: bool,
    /// Messages that were not heard, and are urgent.
    pub urgent: i64,
    /// Messages that were not heard.
    pub fresh: i64,
    /// Messages in other folders.
    pub kept: i64,
    /// Size of all audio.
    pub bytes: i64,
    /// Length of all audio.
    pub milliseconds: i64,
}

/// A message that is to be put into a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMessage {
    /// Its id, and its audio's.
    pub id: Uuid,
    /// The mailbox.
    pub mailbox_id: String,
    /// The folder; INBOX, but for imports.
    pub folder: Folder,
    /// Whether the caller called it urgent.
    pub urgent: bool,
    /// Caller ID number as presented.
    pub caller_number: String,
    /// Caller ID name as presented.
    pub caller_name: String,
    /// The line that called.
    pub line_id: Option<String>,
    /// The mailbox that forwarded it.
    pub forwarded_by: Option<String>,
    /// When it was left.
    pub left_at: DateTime<Utc>,
    /// Asterisk's unique id of the call.
    pub uniqueid: String,
}

/// A greeting that is to take the place of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewGreeting {
    /// Id of its audio.
    pub id: Uuid,
    /// The mailbox.
    pub mailbox_id: String,
    /// Which.
    pub kind: GreetingKind,
    /// When it was recorded: the later one holds.
    pub recorded_at: DateTime<Utc>,
}

/// What was recorded for a prompt of an account's menus, and is to take the place of what was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPrompt {
    /// Id of its audio.
    pub id: Uuid,
    /// The prompt.
    pub prompt_id: String,
    /// When it was recorded: the later one holds.
    pub recorded_at: DateTime<Utc>,
}

/// What an owner did with messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Put a message into a folder, at a time: the later move holds.
    Move(Uuid, Folder, DateTime<Utc>),
    /// Deleted a message.
    Delete(Uuid),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_full_by_its_own_limits_or_its_accounts() {
        let mailbox = |limits: [i64; 4], used: [i64; 4]| {
            let [messages, minutes, account_messages, account_minutes] = limits;
            let mut full = Mailbox {
                id: "1".into(),
                account_id: "a".into(),
                number: "1".into(),
                name: "One".into(),
                status: Status::Active,
                password_hash: None,
                set_up: true,
                login_from_line: false,
                language: String::new(),
                time_zone: "UTC".into(),
                operator: String::new(),
                line_id: None,
                call_back: false,
                dial_out: false,
                send_messages: true,
                review: true,
                envelope: Envelope { time: true, caller: false, duration: false },
                limits: Limits {
                    messages,
                    minutes,
                    account_messages,
                    account_minutes,
                    seconds: 300,
                    least_seconds: 2,
                    silence_seconds: 10,
                    greeting_seconds: 60,
                    gain_db: 0,
                },
                used: Used::default(),
            };
            let [messages, milliseconds, account_messages, account_milliseconds] = used;
            full.used = Used { messages, milliseconds, account_messages, account_milliseconds };
            full.is_full()
        };
        assert!(!mailbox([0; 4], [9999, 9_999_999, 9999, 9_999_999]), "0 is no limit");
        let limits = [10, 5, 20, 50];
        assert!(!mailbox(limits, [9, 299_999, 19, 2_999_999]));
        for used in [[10, 0, 0, 0], [0, 300_000, 0, 0], [0, 0, 20, 0], [0, 0, 0, 3_000_000]] {
            assert!(mailbox(limits, used), "{used:?}");
        }
    }
}
