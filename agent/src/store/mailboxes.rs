//! The questions about mailboxes, and the changes that are made while a call waits. What a call left behind is written by
//! [`super::mailbox_writer`].

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tokio::time::Instant;
use uuid::Uuid;

use super::asking::Asking;
use super::caller::{OwnNumber, Status};
use super::callers::NumberRow;
use super::connection::Value;
use super::mailbox::{
    Audio, Change, Counts, Envelope, Folder, Format, GreetingKind, Limits, MailSettings, Mailbox, Message, Overview,
    Place, Used,
};
use super::statement::{
    ALL_MAILBOX_COUNTS, COUNT_GUESS, DELETE_AUDIO, DELETE_GREETING, DELETE_MESSAGE, FIRST_GUESS, FORGET_GUESSES,
    GREETING_AUDIO, INSERT_AUDIO_REMOVAL, LINES_OF_MAILBOX, LISTED_MAILBOXES, MAILBOX, MAILBOX_AUDIO,
    MAILBOX_BY_NUMBER, MAILBOX_COUNTS, MAILBOX_GREETINGS, MAILBOX_GUESSES, MAILBOX_MAIL, MAILBOX_MESSAGES,
    MAILBOX_OF_ACCOUNT, MAILBOX_OF_LINE, MAILBOX_OPERATOR, MOVE_MESSAGE, REMOVE_MESSAGE_AUDIO, SET_PASSWORD,
    SET_UP_MAILBOX, Statement,
};
use super::target_columns::status;
use super::time::{Moment, Time};
use super::{Store, StoreError, key};

#[derive(FromRow)]
struct MailboxRow {
    id: String,
    account_id: String,
    number: String,
    name: String,
    status: String,
    account_status: String,
    password_hash: Option<String>,
    set_up: bool,
    login_from_line: bool,
    language: String,
    time_zone: String,
    operator: String,
    line_id: Option<String>,
    call_back: bool,
    dial_out: bool,
    send_messages: bool,
    review: bool,
    say_envelope: bool,
    say_caller: bool,
    say_duration: bool,
    max_messages: i32,
    max_minutes: i32,
    max_seconds: i32,
    min_seconds: i32,
    silence_seconds: i32,
    greeting_seconds: i32,
    gain_db: i32,
    account_max_messages: Option<i32>,
    account_max_minutes: Option<i32>,
    messages: i64,
    milliseconds: i64,
    account_messages: Option<i64>,
    account_milliseconds: Option<i64>,
}

#[derive(FromRow)]
struct MessageRow {
    id: String,
    folder: String,
    urgent: bool,
    caller_number: String,
    caller_name: String,
    line_id: Option<String>,
    forwarded_by: Option<String>,
    left_at: Moment,
    duration_ms: i64,
    place: String,
    format: String,
    bytes: i64,
}

#[derive(FromRow)]
struct OverviewRow {
    id: String,
    account_id: String,
    number: String,
    name: String,
    status: String,
    set_up: bool,
    password_hash: Option<String>,
    urgent: i64,
    fresh: i64,
    kept: i64,
    bytes: i64,
    milliseconds: i64,
}

/// Passwords that were tried in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guesses {
    /// How many.
    pub count: i64,
    /// When the last one was.
    pub last_at: Option<DateTime<Utc>>,
}

pub(super) fn word<T>(found: Option<T>, what: &str, word: &str) -> Result<T, StoreError> {
    found.ok_or_else(|| StoreError::Broken(format!("unknown {what} {word:?} in the database")))
}

fn uuid(text: &str) -> Result<Uuid, StoreError> {
    text.parse().map_err(|_| StoreError::Broken(format!("{text:?} in the database is no UUID")))
}

pub(super) fn audio(id: &str, place: &str, format: &str, bytes: i64, duration_ms: i64) -> Result<Audio, StoreError> {
    Ok(Audio {
        id: uuid(id)?,
        place: word(Place::named(place), "place", place)?,
        format: word(Format::named(format), "format", format)?,
        bytes,
        duration_ms,
    })
}

impl MailboxRow {
    fn mailbox(self) -> Result<Mailbox, StoreError> {
        let account = status(&self.account_status)?;
        let own = status(&self.status)?;
        Ok(Mailbox {
            status: if account == Status::Active { own } else { account },
            id: self.id,
            account_id: self.account_id,
            number: self.number,
            name: self.name,
            password_hash: self.password_hash,
            set_up: self.set_up,
            login_from_line: self.login_from_line,
            language: self.language,
            time_zone: self.time_zone,
            operator: self.operator,
            line_id: self.line_id,
            call_back: self.call_back,
            dial_out: self.dial_out,
            send_messages: self.send_messages,
            review: self.review,
            envelope: Envelope { time: self.say_envelope, caller: self.say_caller, duration: self.say_duration },
            limits: Limits {
                messages: self.max_messages.into(),
                minutes: self.max_minutes.into(),
                account_messages: self.account_max_messages.unwrap_or_default().into(),
                account_minutes: self.account_max_minutes.unwrap_or_default().into(),
                seconds: self.max_seconds,
                least_seconds: self.min_seconds,
                silence_seconds: self.silence_seconds,
                greeting_seconds: self.greeting_seconds,
                gain_db: self.gain_db,
            },
            used: Used {
                messages: self.messages,
                milliseconds: self.milliseconds,
                account_messages: self.account_messages.unwrap_or_default(),
                account_milliseconds: self.account_milliseconds.unwrap_or_default(),
            },
        })
    }
}

impl MessageRow {
    fn message(self) -> Result<Message, StoreError> {
        Ok(Message {
            audio: audio(&self.id, &self.place, &self.format, self.bytes, self.duration_ms)?,
            folder: word(Folder::named(&self.folder), "folder", &self.folder)?,
            urgent: self.urgent,
            caller_number: self.caller_number,
            caller_name: self.caller_name,
            line_id: self.line_id,
            forwarded_by: self.forwarded_by,
            left_at: self.left_at.0,
        })
    }
}

impl Store {
    /// A mailbox with how full it is. `None` when there is none of this id.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time, nor the replica; Broken when the answer cannot be understood.
    pub async fn mailbox(&self, id: &str, asking: &mut Asking) -> Result<Option<Mailbox>, StoreError> {
        let rows: Vec<MailboxRow> = self.ask(&MAILBOX, &[key(id)], asking).await?;
        rows.into_iter().next().map(MailboxRow::mailbox).transpose()
    }

    /// What a mailbox says to callers.
    ///
    /// # Errors
    /// As [`Store::mailbox`].
    pub async fn greetings(
        &self,
        mailbox_id: &str,
        asking: &mut Asking,
    ) -> Result<Vec<(GreetingKind, Audio)>, StoreError> {
        let rows: Vec<(String, String, String, String, i64, i64)> =
            self.ask(&MAILBOX_GREETINGS, &[key(mailbox_id)], asking).await?;
        let greetings = rows.into_iter().map(|(kind, id, place, format, bytes, duration_ms)| {
            let kind = word(GreetingKind::named(&kind), "greeting", &kind)?;
            Ok((kind, audio(&id, &place, &format, bytes, duration_ms)?))
        });
        greetings.collect()
    }

    /// The mailbox for messages for a line.
    ///
    /// # Errors
    /// As [`Store::mailbox`].
    pub async fn mailbox_of_line(&self, line_id: &str, asking: &mut Asking) -> Result<Option<String>, StoreError> {
        self.one(&MAILBOX_OF_LINE, &[key(line_id)], asking).await
    }

    /// The mailbox that has a number in the account of a line.
    ///
    /// # Errors
    /// As [`Store::mailbox`].
    pub async fn mailbox_by_number(
        &self,
        number: &str,
        line_id: &str,
        asking: &mut Asking,
    ) -> Result<Option<String>, StoreError> {
        self.one(&MAILBOX_BY_NUMBER, &[key(number), key(line_id)], asking).await
    }

    /// The active mailbox that has a number in an account.
    ///
    /// # Errors
    /// As [`Store::mailbox`].
    pub async fn mailbox_of_account(
        &self,
        account_id: &str,
        number: &str,
        asking: &mut Asking,
    ) -> Result<Option<String>, StoreError> {
        self.one(&MAILBOX_OF_ACCOUNT, &[key(account_id), key(number)], asking).await
    }

    async fn one(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        asking: &mut Asking,
    ) -> Result<Option<String>, StoreError> {
        let rows: Vec<(String,)> = self.ask(statement, values, asking).await?;
        Ok(rows.into_iter().next().map(|(id,)| id))
    }

    /// The operator's extension of a mailbox, and where it leads; `None` where there is none.
    ///
    /// # Errors
    /// As [`Store::mailbox`].
    pub async fn mailbox_operator(
        &self,
        mailbox_id: &str,
        asking: &mut Asking,
    ) -> Result<Option<OwnNumber>, StoreError> {
        let rows: Vec<NumberRow> = self.ask(&MAILBOX_OPERATOR, &[self.this(), key(mailbox_id)], asking).await?;
        NumberRow::number(&rows)
    }

    /// What is in a mailbox, oldest first.
    ///
    /// # Errors
    /// As [`Store::mailbox`].
    pub async fn messages(&self, mailbox_id: &str, asking: &mut Asking) -> Result<Vec<Message>, StoreError> {
        let rows: Vec<MessageRow> = self.ask(&MAILBOX_MESSAGES, &[key(mailbox_id)], asking).await?;
        rows.into_iter().map(MessageRow::message).collect()
    }

    /// What the lamps of a mailbox tell, as the replica knows it, if there is one.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn mailbox_counts(&self, mailbox_id: &str, asking: &mut Asking) -> Result<Counts, StoreError> {
        let rows: Vec<Counts> = self.ask_nearest(&MAILBOX_COUNTS, &[key(mailbox_id)], asking).await?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// The lines whose lamps tell of a mailbox, as the replica knows them, if there is one.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn lines_of_mailbox(&self, mailbox_id: &str, asking: &mut Asking) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self.ask_nearest(&LINES_OF_MAILBOX, &[key(mailbox_id)], asking).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// What the lamps of every mailbox tell, as the replica knows it, if there is one.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn all_mailbox_counts(&self) -> Result<Vec<(String, Counts)>, StoreError> {
        let rows: Vec<(String, i64, i64, i64)> = self.read_all(&ALL_MAILBOX_COUNTS).await?;
        let counts = rows.into_iter().map(|(id, urgent, fresh, old)| (id, Counts { urgent, fresh, old }));
        Ok(counts.collect())
    }

    /// Audio that the database keeps; `None` when it has none of this id.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time. The replica has no audio.
    pub async fn audio(&self, id: Uuid, by: Instant) -> Result<Option<Vec<u8>>, StoreError> {
        let id = id.to_string();
        let parts: Vec<(Vec<u8>,)> = self.hosts.ask(&MAILBOX_AUDIO, &[id.as_str().into()], by).await?;
        Ok((!parts.is_empty()).then(|| parts.into_iter().flat_map(|(part,)| part).collect()))
    }

    /// How the owner of a mailbox is told of messages; asked of the database alone.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time.
    pub async fn mail_settings(&self, mailbox_id: &str, by: Instant) -> Result<Option<MailSettings>, StoreError> {
        let rows: Vec<MailSettings> = self.hosts.ask(&MAILBOX_MAIL, &[key(mailbox_id)], by).await?;
        Ok(rows.into_iter().next())
    }

    /// Every mailbox, for operators.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn mailboxes(&self) -> Result<Vec<Overview>, StoreError> {
        let rows: Vec<OverviewRow> = self.read_all(&LISTED_MAILBOXES).await?;
        let overview = rows.into_iter().map(|row| Overview {
            has_password: row.password_hash.is_some(),
            id: row.id,
            account_id: row.account_id,
            number: row.number,
            name: row.name,
            status: row.status,
            set_up: row.set_up,
            urgent: row.urgent,
            fresh: row.fresh,
            kept: row.kept,
            bytes: row.bytes,
            milliseconds: row.milliseconds,
        });
        Ok(overview.collect())
    }

    /// Does what an owner did, all of it or nothing.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time: it may be done all the same, and may be done again.
    pub async fn change_messages(&self, changes: &[Change], by: Instant) -> Result<(), StoreError> {
        let ids: Vec<String> = changes.iter().map(|change| change.id().to_string()).collect();
        let mut steps = Vec::new();
        for (change, id) in changes.iter().zip(&ids) {
            steps.extend(change_steps(change, id));
        }
        self.hosts.change(&steps, by).await
    }

    /// Erases a greeting.
    ///
    /// # Errors
    /// As [`Store::change_messages`].
    pub async fn erase_greeting(&self, mailbox_id: &str, kind: GreetingKind, by: Instant) -> Result<(), StoreError> {
        let values = [key(mailbox_id), kind.name().into()];
        let audio: Vec<(String, String, Moment)> = self.hosts.ask(&GREETING_AUDIO, &values, by).await?;
        let mut steps = vec![(&DELETE_GREETING, values.to_vec())];
        for (id, place, _) in &audio {
            steps.extend(removal_steps(id, place));
        }
        self.hosts.change(&steps, by).await
    }

    /// Sets the hash of a mailbox's password, and forgets what was guessed.
    ///
    /// # Errors
    /// As [`Store::change_messages`].
    pub async fn set_password(&self, mailbox_id: &str, hash: &str, by: Instant) -> Result<(), StoreError> {
        let steps = [(&SET_PASSWORD, vec![hash.into(), key(mailbox_id)]), (&FORGET_GUESSES, vec![key(mailbox_id)])];
        self.hosts.change(&steps, by).await
    }

    /// Notes that the owner was led through password, name and greetings.
    ///
    /// # Errors
    /// As [`Store::change_messages`].
    pub async fn set_up(&self, mailbox_id: &str, by: Instant) -> Result<(), StoreError> {
        self.hosts.change(&[(&SET_UP_MAILBOX, vec![key(mailbox_id)])], by).await
    }

    /// Passwords that were tried at a mailbox in a row, on any node.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time.
    pub async fn guesses(&self, mailbox_id: &str, by: Instant) -> Result<Guesses, StoreError> {
        self.guesses_by(&MAILBOX_GUESSES, mailbox_id, by).await
    }

    /// Guesses of somebody's password, by the statement that tells them.
    pub(super) async fn guesses_by(
        &self,
        statement: &'static Statement,
        id: &str,
        by: Instant,
    ) -> Result<Guesses, StoreError> {
        let rows: Vec<(i64, Time)> = self.hosts.ask(statement, &[key(id)], by).await?;
        let last = rows.into_iter().next();
        Ok(last.map_or_else(Guesses::default, |(count, last_at)| Guesses { count, last_at: Some(last_at.0) }))
    }

    /// One more, which counts before it is looked at, so that many at once do not pass together; returns all of them.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time.
    pub async fn guess(&self, mailbox_id: &str, now: DateTime<Utc>, by: Instant) -> Result<Guesses, StoreError> {
        let steps = [
            (&FIRST_GUESS, vec![Time(now).into(), key(mailbox_id)]),
            (&COUNT_GUESS, vec![Time(now).into(), key(mailbox_id)]),
        ];
        // Of two first guesses at one moment one finds that it is not the first, or that the two were in each other's way.
        self.hosts.change_in_turn(&steps, by).await?;
        self.guesses(mailbox_id, by).await
    }

    /// The last guess was right.
    ///
    /// # Errors
    /// As [`Store::guess`].
    pub async fn forget_guesses(&self, mailbox_id: &str, by: Instant) -> Result<(), StoreError> {
        self.hosts.change(&[(&FORGET_GUESSES, vec![key(mailbox_id)])], by).await
    }
}

impl Change {
    /// The message that it is about.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match self {
            Change::Move(id, ..) | Change::Delete(id) => *id,
        }
    }
}

/// A statement with its values.
pub(super) type Step<'a> = (&'static Statement, Vec<Value<'a>>);

/// What a change does.
pub(super) fn change_steps<'a>(change: &Change, id: &'a str) -> Vec<Step<'a>> {
    match change {
        Change::Move(_, folder, at) => {
            let at = Value::Moment(Some(Moment(*at)));
            vec![(&MOVE_MESSAGE, vec![folder.name().into(), at, id.into(), at])]
        }
        Change::Delete(_) => vec![
            (&REMOVE_MESSAGE_AUDIO, vec![id.into(), id.into()]),
            (&DELETE_AUDIO, vec![id.into()]),
            (&DELETE_MESSAGE, vec![id.into()]),
        ],
    }
}

/// What becomes of audio that nothing refers to any more.
pub(super) fn removal_steps<'a>(id: &'a str, place: &'a str) -> Vec<Step<'a>> {
    if place == Place::Database.name() {
        vec![(&DELETE_AUDIO, vec![id.into()])]
    } else {
        vec![(&INSERT_AUDIO_REMOVAL, vec![id.into(), place.into(), id.into()])]
    }
}
