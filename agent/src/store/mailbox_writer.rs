//! Writes what calls left in mailboxes, each of it once: a message and its audio become visible in one step.

use chrono::{DateTime, Utc};

use super::connection::{Connection, Value};
use super::mailbox::{Audio, Change, NewGreeting, NewMessage, NewPrompt, Place};
use super::mailboxes::{Step, change_steps, removal_steps};
use super::statement::{
    AUDIO_REMOVALS, DELETE_AUDIO_REMOVAL, DELETE_GREETING, DELETE_PROMPT_RECORDING, EXPIRED_MESSAGES, GREETING_AUDIO,
    INSERT_AUDIO, INSERT_GREETING, INSERT_MESSAGE, INSERT_PROMPT_RECORDING, KNOWN_MAILBOXES, KNOWN_MESSAGE, LEASE,
    MOVE_TO_MAILBOX, PROMPT_RECORDING, RETENTIONS, Statement, TAKE_LEASE,
};
use super::time::{Moment, Time};
use super::writer::{Unwritten, Writer};

/// Bytes of a part: below the packet that any server takes, whatever stands beside it.
const PART: usize = 512 * 1024;

/// Audio that goes with a row.
#[derive(Debug)]
pub struct Attached<'a> {
    /// What it is, and where it is to be.
    pub audio: &'a Audio,
    /// Its bytes, where the database keeps them.
    pub bytes: &'a [u8],
}

impl Writer {
    /// Puts a message into its mailbox. One that is there already is passed over; false then.
    ///
    /// # Errors
    /// See [`Unwritten`]; Refused when there is no such mailbox.
    pub async fn add_message(
        &mut self,
        message: &NewMessage,
        audio: &Attached<'_>,
        node: &str,
    ) -> Result<bool, Unwritten> {
        let mut new = false;
        let mut known = true;
        let id = message.id.to_string();
        let values = message_values(message, audio.audio, &id, node);
        self.within(async |connection| {
            connection.begin().await?;
            let text = KNOWN_MESSAGE.text(connection.backend());
            let rows: Vec<(String,)> = connection.rows(text, &[id.as_str().into()]).await?;
            new = rows.is_empty();
            if new {
                insert_audio(connection, &id, audio).await?;
                known = connection.execute(INSERT_MESSAGE.text(connection.backend()), &values).await? > 0;
                if !known {
                    return connection.roll_back().await;
                }
            }
            connection.commit().await
        })
        .await?;
        if known {
            Ok(new)
        } else {
            Err(Unwritten::Refused(format!(
                "there is no mailbox {}; `tandem mailbox list` tells which there are",
                message.mailbox_id
            )))
        }
    }

    /// Puts a greeting in the place of the one before, unless that was recorded later.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn set_greeting(&mut self, greeting: &NewGreeting, audio: &Attached<'_>) -> Result<(), Unwritten> {
        let key = [Value::from(greeting.mailbox_id.as_str()), greeting.kind.name().into()];
        let statements = [&GREETING_AUDIO, &DELETE_GREETING, &INSERT_GREETING];
        self.replace(statements, &key, greeting.recorded_at, audio).await
    }

    /// Puts what was recorded for a prompt in the place of what was before, unless that was recorded later.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn set_prompt(&mut self, prompt: &NewPrompt, audio: &Attached<'_>) -> Result<(), Unwritten> {
        let key = [Value::from(prompt.prompt_id.as_str())];
        let statements = [&PROMPT_RECORDING, &DELETE_PROMPT_RECORDING, &INSERT_PROMPT_RECORDING];
        self.replace(statements, &key, prompt.recorded_at, audio).await
    }

    /// Erases what was recorded for a prompt; false when nothing was.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn erase_prompt(&mut self, prompt_id: &str) -> Result<bool, Unwritten> {
        let mut erased = false;
        self.within(async |connection| {
            connection.begin().await?;
            erased = erase_recording(connection, prompt_id).await?;
            connection.commit().await
        })
        .await?;
        Ok(erased)
    }

    /// Replaces the audio of this key. The statements tell what is there, remove its row, and put a new one in: the key, then the audio's columns.
    async fn replace(
        &mut self,
        [known, delete, insert]: [&'static Statement; 3],
        key: &[Value<'_>],
        recorded_at: DateTime<Utc>,
        audio: &Attached<'_>,
    ) -> Result<(), Unwritten> {
        let Audio { id, place, format, bytes, duration_ms } = audio.audio;
        let id = id.to_string();
        self.within(async |connection| {
            let backend = connection.backend();
            connection.begin().await?;
            let before: Vec<(String, String, Moment)> = connection.rows(known.text(backend), key).await?;
            let later = before.iter().any(|(other, _, at)| *other == id || at.0 > recorded_at);
            if later {
                return connection.commit().await;
            }
            connection.execute(delete.text(backend), key).await?;
            for (id, place, _) in &before {
                run(connection, &removal_steps(id, place)).await?;
            }
            insert_audio(connection, &id, audio).await?;
            let columns = [
                id.as_str().into(),
                place.name().into(),
                format.name().into(),
                Value::Integer(Some(*bytes)),
                Value::Integer(Some(*duration_ms)),
                Value::Moment(Some(Moment(recorded_at))),
            ];
            connection.execute(insert.text(backend), &[key, &columns].concat()).await?;
            connection.commit().await
        })
        .await
    }

    /// Does what owners did.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn apply(&mut self, changes: &[Change]) -> Result<(), Unwritten> {
        let ids: Vec<String> = changes.iter().map(|change| change.id().to_string()).collect();
        self.within(async |connection| {
            connection.begin().await?;
            for (change, id) in changes.iter().zip(&ids) {
                run(connection, &change_steps(change, id)).await?;
            }
            connection.commit().await
        })
        .await
    }

    /// Puts a message into another mailbox.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn move_to_mailbox(&mut self, message_id: &str, mailbox_id: &str) -> Result<(), Unwritten> {
        let values = [Value::from(mailbox_id), mailbox_id.into(), message_id.into()];
        self.within(async |connection| {
            connection.execute(MOVE_TO_MAILBOX.text(connection.backend()), &values).await.map(drop)
        })
        .await
    }

    /// The ids of all mailboxes, with their accounts.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn known_mailboxes(&mut self) -> Result<Vec<(String, String)>, Unwritten> {
        let mut rows = Vec::new();
        self.within(async |connection| {
            rows = connection.rows(KNOWN_MAILBOXES.text(connection.backend()), &[]).await?;
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// Takes a job that no other node does, or keeps it, until a time; false while another one has it.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn take_lease(
        &mut self,
        job: &str,
        node: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, Unwritten> {
        let values = [node.into(), Time(until).into(), job.into(), Time(now).into(), node.into()];
        let mut holder: Vec<(String,)> = Vec::new();
        self.within(async |connection| {
            let backend = connection.backend();
            connection.execute(TAKE_LEASE.text(backend), &values).await?;
            // Not by how many rows changed: MySQL does not count one that is as it was.
            holder = connection.rows(LEASE.text(backend), &[job.into()]).await?;
            Ok(())
        })
        .await?;
        Ok(holder.first().is_some_and(|(holder,)| holder == node))
    }

    /// Messages that were kept long enough, some of them.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn expired_messages(&mut self, now: DateTime<Utc>) -> Result<Vec<Change>, Unwritten> {
        let mut expired: Vec<(String,)> = Vec::new();
        self.within(async |connection| {
            let backend = connection.backend();
            let retentions: Vec<(i64,)> = connection.rows(RETENTIONS.text(backend), &[]).await?;
            for (days,) in retentions {
                let before = Value::Moment(Some(Moment(now - chrono::TimeDelta::days(days))));
                let values = [before, Value::Integer(Some(days))];
                let rows: Vec<(String,)> = connection.rows(EXPIRED_MESSAGES.text(backend), &values).await?;
                expired.extend(rows);
            }
            Ok(())
        })
        .await?;
        Ok(expired.iter().filter_map(|(id,)| id.parse().ok()).map(Change::Delete).collect())
    }

    /// Audio elsewhere that nothing refers to any more, some of it.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn audio_removals(&mut self) -> Result<Vec<(String, Place)>, Unwritten> {
        let mut rows: Vec<(String, String)> = Vec::new();
        self.within(async |connection| {
            rows = connection.rows(AUDIO_REMOVALS.text(connection.backend()), &[]).await?;
            Ok(())
        })
        .await?;
        Ok(rows.into_iter().filter_map(|(id, place)| Some((id, Place::named(&place)?))).collect())
    }

    /// That audio is removed.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn audio_removed(&mut self, id: &str) -> Result<(), Unwritten> {
        self.within(async |connection| {
            connection.execute(DELETE_AUDIO_REMOVAL.text(connection.backend()), &[id.into()]).await.map(drop)
        })
        .await
    }
}

pub(super) async fn run(connection: &mut Connection, steps: &[Step<'_>]) -> Result<(), sqlx::Error> {
    for (statement, values) in steps {
        connection.execute(statement.text(connection.backend()), values).await?;
    }
    Ok(())
}

/// Removes what was recorded for a prompt, with its audio; false when nothing was.
pub(super) async fn erase_recording(connection: &mut Connection, prompt_id: &str) -> Result<bool, sqlx::Error> {
    let key = [Value::from(prompt_id)];
    let backend = connection.backend();
    let recorded: Vec<(String, String, Moment)> = connection.rows(PROMPT_RECORDING.text(backend), &key).await?;
    for (audio_id, place, _) in &recorded {
        run(connection, &removal_steps(audio_id, place)).await?;
    }
    connection.execute(DELETE_PROMPT_RECORDING.text(backend), &key).await?;
    Ok(!recorded.is_empty())
}

pub(super) async fn insert_audio(
    connection: &mut Connection,
    id: &str,
    audio: &Attached<'_>,
) -> Result<(), sqlx::Error> {
    if audio.audio.place != Place::Database {
        return Ok(());
    }
    for (part, bytes) in (0..).zip(audio.bytes.chunks(PART)) {
        let values = [id.into(), Value::Integer(Some(part)), Value::Bytes(bytes)];
        connection.execute(INSERT_AUDIO.text(connection.backend()), &values).await?;
    }
    Ok(())
}

/// In the order of `sql/query/insert_message.sql`.
fn message_values<'a>(message: &'a NewMessage, audio: &'a Audio, id: &'a str, node: &'a str) -> Vec<Value<'a>> {
    vec![
        id.into(),
        message.mailbox_id.as_str().into(),
        message.folder.name().into(),
        Value::Flag(message.urgent),
        message.caller_number.as_str().into(),
        message.caller_name.as_str().into(),
        message.line_id.as_deref().into(),
        message.forwarded_by.as_deref().into(),
        Value::Moment(Some(Moment(message.left_at))),
        Value::Integer(Some(audio.duration_ms)),
        audio.place.name().into(),
        audio.format.name().into(),
        Value::Integer(Some(audio.bytes)),
        node.into(),
        message.uniqueid.as_str().into(),
        Value::Moment(Some(Moment(message.left_at))),
        message.mailbox_id.as_str().into(),
    ]
}
