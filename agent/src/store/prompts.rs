//! The questions about prompts, which menus say, and about who may record them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tokio::time::Instant;

use super::asking::Asking;
use super::caller::Status;
use super::connection::Value;
use super::mailboxes::{Guesses, audio};
use super::menu::Announcement;
use super::statement::{
    COUNT_PROMPT_GUESS, FIRST_PROMPT_GUESS, FORGET_PROMPT_GUESSES, INSERT_PROMPT_PASSWORD, PROMPT, PROMPT_BY_NUMBER,
    PROMPT_GUESSES, PROMPT_PASSWORD, PROMPTS_OF_ACCOUNT, SET_PROMPT_PASSWORD, Statement,
};
use super::target_columns::status;
use super::time::Time;
use super::{Store, StoreError, key};

/// The columns that tell of a prompt; NULL where there is none.
#[derive(FromRow)]
pub(super) struct AnnouncementColumns {
    prompt_id: Option<String>,
    prompt_number: Option<String>,
    prompt_name: Option<String>,
    sound: Option<String>,
    text: Option<String>,
    audio_id: Option<String>,
    place: Option<String>,
    format: Option<String>,
    bytes: Option<i64>,
    duration_ms: Option<i64>,
}

/// Who may record the prompts of a line's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorders {
    /// The account.
    pub account_id: String,
    /// How it is.
    pub status: Status,
    /// The hash of its password; without one nobody may.
    pub password_hash: Option<String>,
}

impl AnnouncementColumns {
    /// `None` when the row tells of none.
    pub(super) fn announcement(&self) -> Result<Option<Announcement>, StoreError> {
        let Some(id) = &self.prompt_id else { return Ok(None) };
        let audio = match (&self.audio_id, &self.place, &self.format, self.bytes, self.duration_ms) {
            (Some(id), Some(place), Some(format), Some(bytes), Some(duration_ms)) => {
                Some(audio(id, place, format, bytes, duration_ms)?)
            }
            _ => None,
        };
        Ok(Some(Announcement {
            id: id.clone(),
            number: self.prompt_number.clone(),
            name: self.prompt_name.clone().unwrap_or_default(),
            sound: self.sound.clone().unwrap_or_default(),
            text: self.text.clone().unwrap_or_default(),
            audio,
        }))
    }
}

impl Store {
    /// What an account's menus say, by its id. `None` when it has none of this id.
    ///
    /// # Errors
    /// As [`Store::menu`].
    pub async fn announcement(
        &self,
        account_id: &str,
        id: &str,
        asking: &mut Asking,
    ) -> Result<Option<Announcement>, StoreError> {
        let said = self.announcements_by(&PROMPT, &[key(account_id), key(id)], asking).await?;
        Ok(said.into_iter().next())
    }

    /// What an account's menus say, by the number that is keyed in to record it.
    ///
    /// # Errors
    /// As [`Store::menu`].
    pub async fn announcement_by_number(
        &self,
        account_id: &str,
        number: &str,
        asking: &mut Asking,
    ) -> Result<Option<Announcement>, StoreError> {
        let said = self.announcements_by(&PROMPT_BY_NUMBER, &[key(account_id), key(number)], asking).await?;
        Ok(said.into_iter().next())
    }

    /// All that an account's menus may say.
    ///
    /// # Errors
    /// As [`Store::menu`].
    pub async fn announcements(&self, account_id: &str, asking: &mut Asking) -> Result<Vec<Announcement>, StoreError> {
        self.announcements_by(&PROMPTS_OF_ACCOUNT, &[key(account_id)], asking).await
    }

    async fn announcements_by(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        asking: &mut Asking,
    ) -> Result<Vec<Announcement>, StoreError> {
        let rows: Vec<AnnouncementColumns> = self.ask(statement, values, asking).await?;
        rows.iter().filter_map(|row| row.announcement().transpose()).collect()
    }

    /// Who may record the prompts of a line's account. `None` when there is no such line, or it is not active.
    ///
    /// # Errors
    /// As [`Store::menu`].
    pub async fn prompt_recorders(&self, line_id: &str, asking: &mut Asking) -> Result<Option<Recorders>, StoreError> {
        let rows: Vec<(String, String, Option<String>)> = self.ask(&PROMPT_PASSWORD, &[key(line_id)], asking).await?;
        let row = rows.into_iter().next();
        row.map(|(account_id, word, password_hash)| Ok(Recorders { account_id, status: status(&word)?, password_hash }))
            .transpose()
    }

    /// Gives an account a new password for recording prompts, and forgets wrong ones.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time.
    pub async fn set_prompt_password(&self, account_id: &str, hash: &str, by: Instant) -> Result<(), StoreError> {
        let account = key(account_id);
        let steps = [
            (&SET_PROMPT_PASSWORD, vec![hash.into(), account]),
            (&INSERT_PROMPT_PASSWORD, vec![hash.into(), account, account]),
            (&FORGET_PROMPT_GUESSES, vec![account]),
        ];
        self.hosts.change(&steps, by).await
    }

    /// Wrong passwords of those who wanted to record an account's prompts, over all calls and nodes.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time.
    pub async fn prompt_guesses(&self, account_id: &str, by: Instant) -> Result<Guesses, StoreError> {
        self.guesses_by(&PROMPT_GUESSES, account_id, by).await
    }

    /// One more, as [`Store::guess`] counts.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time.
    pub async fn prompt_guess(&self, account_id: &str, now: DateTime<Utc>, by: Instant) -> Result<Guesses, StoreError> {
        let steps = [
            (&FIRST_PROMPT_GUESS, vec![Time(now).into(), key(account_id)]),
            (&COUNT_PROMPT_GUESS, vec![Time(now).into(), key(account_id)]),
        ];
        self.hosts.change_in_turn(&steps, by).await?;
        self.prompt_guesses(account_id, by).await
    }

    /// The last guess was right.
    ///
    /// # Errors
    /// As [`Store::prompt_guess`].
    pub async fn forget_prompt_guesses(&self, account_id: &str, by: Instant) -> Result<(), StoreError> {
        self.hosts.change(&[(&FORGET_PROMPT_GUESSES, vec![key(account_id)])], by).await
    }
}
