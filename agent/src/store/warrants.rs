//! The questions about warrants, and their steps, each in one transaction with its entry in the audit log.
//!
//! Metrics count statements that go through the pool; what is done about warrants takes a connection of its own, so that none shows there.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::address::Session;
use super::audit::{Deed, Entry};
use super::audit_log::{EntryColumns, Outcome, PATIENCE, Work};
use super::connection::{Connection, Value};
use super::failure::Failure;
use super::statement::{
    APPROVE_WARRANT, ARMED_WARRANTS, END_WARRANT, INSERT_WARRANT, Statement, WARRANT, WARRANT_ENTRIES, WARRANT_LINE,
    WARRANTS,
};
use super::time::Time;
use super::warrant::{APPROVE, ArmedWarrant, END, Order, REQUEST, Standing, Warrant};
use super::{Store, StoreError, key};

/// Why a step was not taken. Nothing of it names line or warrant.
#[derive(Debug, thiserror::Error)]
pub enum WarrantError {
    /// The database did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The order itself is wrong.
    #[error("{0}")]
    Wrong(String),
    /// There is no such line.
    #[error("there is no line of this id")]
    NoLine,
    /// There is no such warrant.
    #[error("there is no warrant of this id")]
    NoWarrant,
    /// There is no such part.
    #[error("nothing of this id was intercepted under this warrant")]
    NoPart,
    /// One person alone.
    #[error("whoever requested it cannot approve it: another person has to")]
    SamePerson,
    /// It is past this step.
    #[error("it was approved, or ended, or its time is over")]
    Past,
}

#[derive(FromRow)]
struct WarrantColumns {
    id: String,
    warrant_number: String,
    line_id: String,
    starts_at: Time,
    ends_at: Time,
    recipient: String,
    requested_by: String,
    requested_at: Time,
    approved_by: Option<String>,
    approved_at: Option<Time>,
    ended_by: Option<String>,
    ended_at: Option<Time>,
}

#[derive(FromRow)]
struct ToldWarrant {
    #[sqlx(flatten)]
    warrant: WarrantColumns,
    #[sqlx(flatten)]
    entry: EntryColumns,
}

impl From<WarrantColumns> for Warrant {
    fn from(row: WarrantColumns) -> Self {
        Warrant {
            id: row.id,
            order: Order {
                line: row.line_id,
                warrant: row.warrant_number,
                starts_at: row.starts_at.0,
                ends_at: row.ends_at.0,
                recipient: row.recipient,
            },
            requested_by: row.requested_by,
            requested_at: row.requested_at.0,
            approved_by: row.approved_by,
            approved_at: row.approved_at.map(|time| time.0),
            ended_by: row.ended_by,
            ended_at: row.ended_at.map(|time| time.0),
        }
    }
}

impl Store {
    /// Warrants that hold now, as the audit log tells them: one statement by index, for every node to ask once a second.
    ///
    /// # Errors
    /// Slow or Unavailable when the central database did not answer in time. The replica knows nothing of warrants.
    pub async fn armed_warrants(&self, now: DateTime<Utc>, by: Instant) -> Result<Vec<ArmedWarrant>, StoreError> {
        let rows: Vec<ToldWarrant> = self.hosts.ask(&ARMED_WARRANTS, &[Time(now).into(), Time(now).into()], by).await?;
        let mut found: Vec<(Warrant, Vec<Entry>)> = Vec::new();
        for ToldWarrant { warrant, entry } in rows {
            match found.last_mut() {
                Some((last, told)) if last.id == warrant.id => told.push(entry.into()),
                _ => found.push((warrant.into(), vec![entry.into()])),
            }
        }
        found.retain(|(warrant, told)| warrant.standing(told, now) == Standing::Armed);
        Ok(found.into_iter().filter_map(|(warrant, _)| armed(warrant)).collect())
    }

    /// All warrants, the oldest first, and how they stand.
    ///
    /// # Errors
    /// The central database did not answer.
    pub async fn warrants(&self, now: DateTime<Utc>) -> Result<Vec<(Warrant, Standing)>, StoreError> {
        let mut connection = self.hosts.open(Session::Timed(PATIENCE)).await?;
        let backend = connection.backend();
        let read = async {
            let rows: Vec<WarrantColumns> = connection.rows(WARRANTS.text(backend), &[]).await?;
            let told: Vec<EntryColumns> = connection.rows(WARRANT_ENTRIES.text(backend), &[]).await?;
            Ok::<_, sqlx::Error>((rows, told))
        };
        let late = |_| StoreError::Slow(format!("the database did not tell of warrants within {PATIENCE:?}"));
        let failed = |error: sqlx::Error| Failure::of_question("the database", "reading warrants", &error).error;
        let (rows, told) = timeout(PATIENCE, read).await.map_err(late)?.map_err(failed)?;
        let told: Vec<Entry> = told.into_iter().map(Entry::from).collect();
        let stand = |warrant: Warrant| {
            let standing = warrant.standing(&told, now);
            (warrant, standing)
        };
        Ok(rows.into_iter().map(Warrant::from).map(stand).collect())
    }

    /// Asks for an interception, in the name of a person with the role for it; another one has to approve.
    ///
    /// # Errors
    /// See [`WarrantError`].
    pub async fn request_warrant(&self, order: Order, person: &str) -> Result<Warrant, WarrantError> {
        let now = Utc::now();
        let order = order.checked(now).map_err(WarrantError::Wrong)?;
        self.audited(&Request { id: Uuid::now_v7().to_string(), order, person, now }).await
    }

    /// Approves one, in the name of a person with the role for it who did not request it.
    ///
    /// # Errors
    /// See [`WarrantError`].
    pub async fn approve_warrant(&self, id: &str, person: &str) -> Result<Warrant, WarrantError> {
        self.audited(&Approve { id, person }).await
    }

    /// Ends one at once, whether it was approved or not, in the name of any person with the role for it.
    ///
    /// # Errors
    /// See [`WarrantError`].
    pub async fn end_warrant(&self, id: &str, person: &str) -> Result<Warrant, WarrantError> {
        self.audited(&End { id, person }).await
    }
}

struct Request<'a> {
    id: String,
    order: Order,
    person: &'a str,
    now: DateTime<Utc>,
}

impl Work for Request<'_> {
    type Done = Warrant;
    type Refused = WarrantError;

    async fn run(&self, connection: &mut Connection) -> Outcome<Self> {
        let Request { id, order, person, now } = self;
        let backend = connection.backend();
        let line: Vec<(String,)> = connection.rows(WARRANT_LINE.text(backend), &[key(&order.line)]).await?;
        if line.is_empty() {
            return Ok(Err(WarrantError::NoLine));
        }
        let values = [
            Value::from(id.as_str()),
            order.warrant.as_str().into(),
            order.line.as_str().into(),
            Time(order.starts_at).into(),
            Time(order.ends_at).into(),
            order.recipient.as_str().into(),
            Value::from(*person),
            Time(*now).into(),
        ];
        connection.execute(INSERT_WARRANT.text(backend), &values).await?;
        let warrant = find(connection, id).await?.ok_or(WarrantError::NoWarrant);
        Ok(warrant.map(|warrant| (warrant, deed(person, REQUEST, id, order))))
    }
}

struct Approve<'a> {
    id: &'a str,
    person: &'a str,
}

impl Work for Approve<'_> {
    type Done = Warrant;
    type Refused = WarrantError;

    async fn run(&self, connection: &mut Connection) -> Outcome<Self> {
        let (&Approve { id, person }, now) = (self, Utc::now());
        let Some(warrant) = find(connection, id).await? else { return Ok(Err(WarrantError::NoWarrant)) };
        if warrant.approved_at.is_some() || warrant.ended_at.is_some() || warrant.order.ends_at <= now {
            return Ok(Err(WarrantError::Past));
        }
        if warrant.requested_by == person {
            return Ok(Err(WarrantError::SamePerson));
        }
        step(connection, &APPROVE_WARRANT, person, now, id).await?;
        let deed = deed(person, APPROVE, id, &warrant.order);
        let warrant = Warrant { approved_by: Some(person.to_owned()), approved_at: Some(now), ..warrant };
        Ok(Ok((warrant, deed)))
    }
}

struct End<'a> {
    id: &'a str,
    person: &'a str,
}

impl Work for End<'_> {
    type Done = Warrant;
    type Refused = WarrantError;

    async fn run(&self, connection: &mut Connection) -> Outcome<Self> {
        let (&End { id, person }, now) = (self, Utc::now());
        let Some(warrant) = find(connection, id).await? else { return Ok(Err(WarrantError::NoWarrant)) };
        if warrant.ended_at.is_some() {
            return Ok(Err(WarrantError::Past));
        }
        step(connection, &END_WARRANT, person, now, id).await?;
        let deed = deed(person, END, id, &warrant.order);
        let warrant = Warrant { ended_by: Some(person.to_owned()), ended_at: Some(now), ..warrant };
        Ok(Ok((warrant, deed)))
    }
}

async fn find(connection: &mut Connection, id: &str) -> Result<Option<Warrant>, sqlx::Error> {
    let rows: Vec<WarrantColumns> = connection.rows(WARRANT.text(connection.backend()), &[key(id)]).await?;
    Ok(rows.into_iter().next().map(Warrant::from))
}

async fn step(
    connection: &mut Connection,
    statement: &'static Statement,
    person: &str,
    now: DateTime<Utc>,
    id: &str,
) -> Result<(), sqlx::Error> {
    let values = [person.into(), Time(now).into(), key(id)];
    connection.execute(statement.text(connection.backend()), &values).await.map(drop)
}

fn deed(person: &str, action: &'static str, id: &str, order: &Order) -> Deed {
    Deed { person: person.to_owned(), action, about: id.to_owned(), subject: order.subject() }
}

/// `None` for a row by hand, whose id is none of ours.
fn armed(warrant: Warrant) -> Option<ArmedWarrant> {
    let Order { line, starts_at, ends_at, recipient, .. } = warrant.order;
    Some(ArmedWarrant { id: warrant.id.parse().ok()?, line_id: line, recipient, starts_at, ends_at })
}
