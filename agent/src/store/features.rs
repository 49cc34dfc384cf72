//! The questions about what lines do with calls to them, and the changes that their users make.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tokio::time::Instant;

use super::asking::Asking;
use super::connection::Value;
use super::feature::{Feature, FindMeNumber, Forwarder, Forwards, Setting, Untaken};
use super::mailboxes::Step;
use super::statement::{
    ADD_FIND_ME_NUMBER, CALLER_BLOCKED, DELETE_BLOCKED_CALLER, DELETE_FIND_ME_NUMBERS, DELETE_SPEED_DIAL,
    FEATURE_CODES, FIND_ME_NUMBERS, INSERT_BLOCKED_CALLER, INSERT_LINE_FEATURES, INSERT_SPEED_DIAL, LAST_CALLER,
    LINE_FORWARDS, MAY_USE, SET_DO_NOT_DISTURB, SET_FIND_ME, SET_FORWARD_ALWAYS, SET_FORWARD_BUSY,
    SET_FORWARD_UNANSWERED, SET_FORWARD_UNREACHABLE, SET_REJECT_ANONYMOUS, SET_SCREENING, SPEED_DIAL, Statement,
};
use super::time::Moment;
use super::{Nobody, Store, StoreError, key};

#[derive(FromRow)]
struct ForwarderRow {
    account_id: String,
    account_time_zone: String,
    mailbox_id: Option<String>,
    forward_busy: String,
    forward_unanswered: String,
    forward_unreachable: String,
    forward_shows_caller: bool,
}

impl Store {
    /// What is dialled for features: codes with what they are for. Words that this program does not know are left out.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time, nor the replica; Broken when the answer cannot be understood.
    pub async fn feature_codes(&self, asking: &mut Asking) -> Result<Vec<(String, Feature)>, StoreError> {
        let rows: Vec<(String, String)> = self.ask(&FEATURE_CODES, &[], asking).await?;
        Ok(rows.into_iter().filter_map(|(code, word)| Some((code, Feature::named(&word)?))).collect())
    }

    /// Whether a line may use what a class stands for; a class that is not there forbids nothing.
    ///
    /// # Errors
    /// As [`Store::feature_codes`].
    pub async fn may_use(&self, line_id: &str, class: &'static str, asking: &mut Asking) -> Result<bool, StoreError> {
        let rows: Vec<(bool,)> = self.ask(&MAY_USE, &[class.into(), key(line_id)], asking).await?;
        Ok(rows.into_iter().next().is_none_or(|(allowed,)| allowed))
    }

    /// What a line does with calls that it does not take; `None` for one that does nothing of it.
    ///
    /// # Errors
    /// As [`Store::feature_codes`].
    pub async fn forwarder(&self, line_id: &str, asking: &mut Asking) -> Result<Option<Forwarder>, StoreError> {
        let rows: Vec<ForwarderRow> = self.ask(&LINE_FORWARDS, &[key(line_id)], asking).await?;
        Ok(rows.into_iter().next().map(|row| Forwarder {
            account_id: row.account_id,
            account_time_zone: row.account_time_zone,
            mailbox_id: row.mailbox_id,
            forwards: Forwards {
                busy: row.forward_busy,
                unanswered: row.forward_unanswered,
                unreachable: row.forward_unreachable,
                shows_caller: row.forward_shows_caller,
            },
        }))
    }

    /// Where else somebody is looked for, in order.
    ///
    /// # Errors
    /// As [`Store::feature_codes`].
    pub async fn find_me_numbers(&self, line_id: &str, asking: &mut Asking) -> Result<Vec<FindMeNumber>, StoreError> {
        self.ask(&FIND_ME_NUMBERS, &[key(line_id)], asking).await
    }

    /// Whether a line does not want a caller, who is known by one or two numbers: as they are, or as they begin (`1900*`).
    ///
    /// # Errors
    /// As [`Store::feature_codes`].
    pub async fn is_blocked(&self, line_id: &str, numbers: [&str; 2], asking: &mut Asking) -> Result<bool, StoreError> {
        let [first, second] = numbers;
        let rows: Vec<Nobody> = self
            .ask(&CALLER_BLOCKED, &[key(line_id), key(first), key(second), key(first), key(second)], asking)
            .await?;
        Ok(!rows.is_empty())
    }

    /// The number of a slot of a line.
    ///
    /// # Errors
    /// As [`Store::feature_codes`].
    pub async fn speed_dial(
        &self,
        line_id: &str,
        slot: &str,
        asking: &mut Asking,
    ) -> Result<Option<String>, StoreError> {
        let rows: Vec<(String,)> = self.ask(&SPEED_DIAL, &[key(line_id), key(slot)], asking).await?;
        Ok(rows.into_iter().next().map(|(number,)| number))
    }

    /// Who called a line last, and when; the number is empty when it was withheld. The replica does not know.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time.
    pub async fn last_caller(&self, line_id: &str, by: Instant) -> Result<Option<(String, DateTime<Utc>)>, StoreError> {
        let rows: Vec<(String, Moment)> = self.hosts.ask(&LAST_CALLER, &[key(line_id)], by).await?;
        Ok(rows.into_iter().next().map(|(number, at)| (number, at.0)))
    }

    /// Makes a change that somebody wants by phone.
    ///
    /// # Errors
    /// Slow or Unavailable when no host took it in time: it may be done all the same, and may be done again.
    pub async fn set_feature(&self, line_id: &str, setting: &Setting<'_>, by: Instant) -> Result<(), StoreError> {
        let line = key(line_id);
        let row = (&INSERT_LINE_FEATURES, vec![line, line]);
        let set =
            |statement: &'static Statement, value: Value<'static>| vec![row.clone(), (statement, vec![value, line])];
        let steps: Vec<Step<'_>> = match *setting {
            Setting::ForwardAlways(number) => vec![row, (&SET_FORWARD_ALWAYS, vec![number.into(), line])],
            Setting::Forward(why, number) => {
                let statement: &'static Statement = match why {
                    Untaken::Busy => &SET_FORWARD_BUSY,
                    Untaken::Unanswered => &SET_FORWARD_UNANSWERED,
                    Untaken::Unreachable => &SET_FORWARD_UNREACHABLE,
                };
                vec![row, (statement, vec![number.into(), line])]
            }
            Setting::DoNotDisturb(on) => set(&SET_DO_NOT_DISTURB, Value::Flag(on)),
            Setting::RejectAnonymous(on) => set(&SET_REJECT_ANONYMOUS, Value::Flag(on)),
            Setting::Screening(on) => set(&SET_SCREENING, Value::Flag(on)),
            Setting::FindMe(how) => set(&SET_FIND_ME, how.name().into()),
            Setting::AddFindMeNumber(number) => {
                let number = Value::from(number);
                vec![(&ADD_FIND_ME_NUMBER, vec![line, number, line, number])]
            }
            Setting::ClearFindMeNumbers => vec![(&DELETE_FIND_ME_NUMBERS, vec![line])],
            Setting::SpeedDial(slot, number) => {
                let slot = Value::from(slot);
                vec![(&DELETE_SPEED_DIAL, vec![line, slot]), (&INSERT_SPEED_DIAL, vec![line, slot, number.into()])]
            }
            Setting::Block(number) => {
                let number = Value::from(number);
                vec![(&DELETE_BLOCKED_CALLER, vec![line, number]), (&INSERT_BLOCKED_CALLER, vec![line, number])]
            }
            Setting::Unblock(number) => vec![(&DELETE_BLOCKED_CALLER, vec![line, number.into()])],
        };
        // Two phones of a line may set something in the same moment; and a user waits longer than a call does.
        let mut set = self.hosts.change_in_turn(&steps, by).await;
        while matches!(set, Err(StoreError::Slow(_))) && Instant::now() < by {
            set = self.hosts.change_in_turn(&steps, by).await;
        }
        set
    }
}
