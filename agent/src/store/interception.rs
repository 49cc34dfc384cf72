//! What was intercepted under warrant: parts of calls, sealed for the warrant's recipient. Here nobody reads them, and nothing of them shows in metrics.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use tokio::time::timeout;
use uuid::Uuid;

use super::address::Session;
use super::audit::Deed;
use super::audit_log::{Outcome, PATIENCE, Work};
use super::connection::{Connection, Value};
use super::failure::Failure;
use super::statement::{DELETE_INTERCEPTIONS, INSERT_INTERCEPTION, INTERCEPTION, INTERCEPTIONS, KNOWN_INTERCEPTION};
use super::time::Moment;
use super::warrants::WarrantError;
use super::writer::{Unwritten, Writer};
use super::{Store, StoreError, key};

/// The deeds of the audit log.
const FETCH: &str = "intercept.fetch";
const DELETE: &str = "intercept.delete";

/// A part of an intercepted call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The call's id here, of version 7.
    pub call: Uuid,
    /// Which of its parts, from 0.
    pub part: u32,
    /// By which warrant.
    pub warrant_id: Uuid,
    /// When it was made.
    pub at: DateTime<Utc>,
}

/// What a part holds: two files of age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The audio; empty where there is none.
    pub content: Vec<u8>,
    /// Who, whom, and when, as JSON.
    pub signalling: Vec<u8>,
}

/// A part in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The call.
    pub call: String,
    /// Which of its parts.
    pub part: u32,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Its length, as it is kept.
    pub bytes: i64,
}

#[derive(FromRow)]
struct ListedColumns {
    id: String,
    part: i32,
    at: Moment,
    bytes: i64,
}

#[derive(FromRow)]
struct SealedColumns {
    content: Vec<u8>,
    signalling: Vec<u8>,
}

impl Writer {
    /// Puts a part into the central store; one that is there already is passed over.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn add_interception(&mut self, part: &Part, sealed: &Sealed) -> Result<(), Unwritten> {
        let (call, warrant) = (part.call.to_string(), part.warrant_id.to_string());
        let bytes = i64::try_from(sealed.content.len() + sealed.signalling.len()).unwrap_or(i64::MAX);
        let number = Value::Integer(Some(part.part.into()));
        let values = [
            call.as_str().into(),
            number,
            warrant.as_str().into(),
            Value::Moment(Some(Moment(part.at))),
            Value::Integer(Some(bytes)),
            Value::Bytes(&sealed.content),
            Value::Bytes(&sealed.signalling),
        ];
        self.within(async |connection| {
            let backend = connection.backend();
            let known: Vec<(i32,)> =
                connection.rows(KNOWN_INTERCEPTION.text(backend), &[call.as_str().into(), number]).await?;
            if known.is_empty() {
                connection.execute(INSERT_INTERCEPTION.text(backend), &values).await?;
            }
            Ok(())
        })
        .await
    }
}

impl Store {
    /// What was intercepted under a warrant, in order.
    ///
    /// # Errors
    /// The central database did not answer.
    pub async fn interceptions(&self, warrant_id: &str) -> Result<Vec<Listed>, StoreError> {
        let mut connection = self.hosts.open(Session::Timed(PATIENCE)).await?;
        let text = INTERCEPTIONS.text(connection.backend());
        let values = [key(warrant_id)];
        let late = |_| StoreError::Slow(format!("the database did not answer within {PATIENCE:?}"));
        let failed = |error: sqlx::Error| Failure::of_question("the database", "reading a list", &error).error;
        let rows: Vec<ListedColumns> =
            timeout(PATIENCE, connection.rows(text, &values)).await.map_err(late)?.map_err(failed)?;
        let listed =
            |row: ListedColumns| Listed { call: row.id, part: row.part.unsigned_abs(), at: row.at.0, bytes: row.bytes };
        Ok(rows.into_iter().map(listed).collect())
    }

    /// Hands a part to a person with the role for it, as the audit log tells.
    ///
    /// # Errors
    /// See [`WarrantError`].
    pub async fn fetch_interception(
        &self,
        warrant_id: &str,
        call: &str,
        part: u32,
        person: &str,
    ) -> Result<Sealed, WarrantError> {
        self.audited(&Fetch { warrant_id, call, part, person }).await
    }

    /// Deletes all that was intercepted under a warrant, in the name of a person with the role for it; how many parts there were.
    ///
    /// # Errors
    /// See [`WarrantError`].
    pub async fn delete_interceptions(&self, warrant_id: &str, person: &str) -> Result<u64, WarrantError> {
        self.audited(&Delete { warrant_id, person }).await
    }
}

struct Fetch<'a> {
    warrant_id: &'a str,
    call: &'a str,
    part: u32,
    person: &'a str,
}

impl Work for Fetch<'_> {
    type Done = Sealed;
    type Refused = WarrantError;

    async fn run(&self, connection: &mut Connection) -> Outcome<Self> {
        let &Fetch { warrant_id, call, part, person } = self;
        let values = [key(warrant_id), key(call), Value::Integer(Some(part.into()))];
        let rows: Vec<SealedColumns> = connection.rows(INTERCEPTION.text(connection.backend()), &values).await?;
        let Some(SealedColumns { content, signalling }) = rows.into_iter().next() else {
            return Ok(Err(WarrantError::NoPart));
        };
        // About the call: what nodes ask each second reads all entries about a warrant.
        let subject = serde_json::json!({ "warrant": warrant_id, "part": part });
        Ok(Ok((Sealed { content, signalling }, deed(person, FETCH, call, &subject))))
    }
}

struct Delete<'a> {
    warrant_id: &'a str,
    person: &'a str,
}

impl Work for Delete<'_> {
    type Done = u64;
    type Refused = WarrantError;

    async fn run(&self, connection: &mut Connection) -> Outcome<Self> {
        let &Delete { warrant_id, person } = self;
        let text = DELETE_INTERCEPTIONS.text(connection.backend());
        let parts = connection.execute(text, &[key(warrant_id)]).await?;
        let subject = serde_json::json!({ "parts": parts });
        Ok(Ok((parts, deed(person, DELETE, warrant_id, &subject))))
    }
}

fn deed(person: &str, action: &'static str, about: &str, subject: &serde_json::Value) -> Deed {
    Deed { person: person.to_owned(), action, about: about.to_owned(), subject: subject.to_string() }
}
