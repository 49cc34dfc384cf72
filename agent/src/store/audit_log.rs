//! Writes and reads the audit log: every change that must be told is made in one transaction with its entry.

use std::time::Duration;

use backon::BackoffBuilder as _;
use chrono::{SubsecRound as _, Utc};
use sqlx::FromRow;
use tokio::time::{Instant, sleep, timeout};

use super::address::Session;
use super::audit::{Deed, Entry, Head};
use super::connection::{Connection, Value};
use super::failure::{Failure, is_conflict};
use super::statement::{AUDIT_HEAD, AUDIT_PAGE, INSERT_AUDIT_ENTRY};
use super::time::Moment;
use super::{Store, StoreError};

/// For one change with its entry, whoever else writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Columns of `audit_log`.
#[derive(FromRow)]
pub(super) struct EntryColumns {
    number: i64,
    at: Moment,
    person: String,
    action: String,
    about: String,
    subject: String,
    previous_hash: String,
    hash: String,
}

impl From<EntryColumns> for Entry {
    fn from(row: EntryColumns) -> Self {
        let EntryColumns { number, at, person, action, about, subject, previous_hash, hash } = row;
        Entry { number, at: at.0, person, action, about, subject, previous_hash, hash }
    }
}

/// A change that the audit log tells of.
pub(super) trait Work: Sync {
    /// What comes of it.
    type Done: Send;
    /// Why nothing does.
    type Refused: From<StoreError> + Send;

    /// Looks and changes, within a transaction; it may be put to it again from the beginning.
    fn run(&self, connection: &mut Connection) -> impl Future<Output = Outcome<Self>> + Send;
}

/// What was done, and how the log tells it; or why nothing was.
pub(super) type Outcome<W> = Result<Result<(<W as Work>::Done, Deed), <W as Work>::Refused>, sqlx::Error>;

/// Nothing but the entry.
impl Work for Deed {
    type Done = ();
    type Refused = StoreError;

    async fn run(&self, _: &mut Connection) -> Outcome<Self> {
        Ok(Ok(((), self.clone())))
    }
}

impl Store {
    /// Tells the audit log of a deed that changes nothing else in the database.
    ///
    /// # Errors
    /// The database did not take it in time.
    pub async fn tell(&self, deed: Deed) -> Result<(), StoreError> {
        self.audited(&deed).await
    }

    /// The entries after a number, or from the first that anybody wrote, in order, some hundreds at the most.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time. The replica knows nothing of the log.
    pub async fn entries_after(&self, number: Option<i64>, by: Instant) -> Result<Vec<Entry>, StoreError> {
        // The chain begins at 1; by hand there may be others.
        let after = Value::Integer(Some(number.unwrap_or(i64::MIN)));
        let rows: Vec<EntryColumns> = self.hosts.ask(&AUDIT_PAGE, &[after], by).await?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    /// Does `work` in a transaction with the entry of its deed. Who writes at the same moment gets the same number, and all but one are told
    /// so by its key, and work anew: what they looked at is as it was when their entry is written. A refusal of the work's leaves nothing.
    pub(super) async fn audited<W: Work>(&self, work: &W) -> Result<W::Done, W::Refused> {
        let begun = Instant::now();
        let mut connection = self.hosts.open(Session::Timed(PATIENCE.mul_f64(0.8))).await?;
        let pauses = backon::ExponentialBuilder::default().with_min_delay(Duration::from_millis(2));
        let mut pauses = pauses.with_max_delay(Duration::from_millis(200)).with_jitter().without_max_times().build();
        let late = || StoreError::Slow(format!("the database took no entry of the audit log within {PATIENCE:?}"));
        loop {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            match timeout(left, attempt(&mut connection, work)).await.map_err(|_| late())? {
                Ok(outcome) => return outcome,
                Err(error) if is_conflict(&error) => {
                    // After some conflicts the server has ended the transaction itself.
                    timeout(left, connection.roll_back()).await.map_err(|_| late())?.ok();
                    sleep(pauses.next().unwrap_or_default()).await;
                }
                Err(error) => {
                    return Err(Failure::of_question("the database", "writing the audit log", &error).error.into());
                }
            }
        }
    }
}

async fn attempt<W: Work>(connection: &mut Connection, work: &W) -> Result<Result<W::Done, W::Refused>, sqlx::Error> {
    let backend = connection.backend();
    connection.begin().await?;
    // First: what comes between this and our entry takes its number.
    let last: Vec<EntryColumns> = connection.rows(AUDIT_HEAD.text(backend), &[]).await?;
    let head = last.into_iter().next().map_or_else(Head::default, |row| Head { number: row.number, hash: row.hash });
    let (done, deed) = match work.run(connection).await? {
        Ok(done) => done,
        Err(refused) => {
            connection.roll_back().await?;
            return Ok(Err(refused));
        }
    };
    let entry = Entry::after(&head, Utc::now().trunc_subsecs(3), deed);
    let values = [
        Value::Integer(Some(entry.number)),
        Value::Moment(Some(Moment(entry.at))),
        entry.person.as_str().into(),
        entry.action.as_str().into(),
        entry.about.as_str().into(),
        entry.subject.as_str().into(),
        entry.previous_hash.as_str().into(),
        entry.hash.as_str().into(),
    ];
    connection.execute(INSERT_AUDIT_ENTRY.text(backend), &values).await?;
    connection.commit().await?;
    Ok(Ok(done))
}
