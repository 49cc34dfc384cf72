//! The columns by which every statement tells where a number or an extension leads.

use sqlx::FromRow;

use super::StoreError;
use super::caller::Status;
use super::cap::Cap;
use super::feature::{Features, FindMe, Forwards};
use super::target::{RingGroup, Ringing, Service, Strategy, Target};

/// One row: a line, or one member of a ring group (the line's columns NULL for a group without members, and for every other target).
#[derive(Debug, Clone, FromRow)]
pub(super) struct TargetColumns {
    target_group_id: Option<String>,
    target_strategy: Option<String>,
    target_group_ring_seconds: Option<i32>,
    target_line_id: Option<String>,
    target_line_status: Option<String>,
    target_account_status: Option<String>,
    target_max_calls: Option<i32>,
    target_calls_elsewhere: i64,
    target_ring_seconds: Option<i32>,
    target_mailbox_id: Option<String>,
    target_menu_id: Option<String>,
    target_directory_id: Option<String>,
    target_queue: Option<String>,
    target_conference: Option<String>,
    #[sqlx(flatten)]
    features: FeatureColumns,
}

/// What the line does with calls to it; NULL for one that does nothing of it.
#[derive(Debug, Clone, FromRow)]
struct FeatureColumns {
    target_do_not_disturb: Option<bool>,
    target_forward_always: Option<String>,
    target_forward_busy: Option<String>,
    target_forward_unanswered: Option<String>,
    target_forward_unreachable: Option<String>,
    target_forward_shows_caller: Option<bool>,
    target_reject_anonymous: Option<bool>,
    target_screening: Option<bool>,
    target_find_me: Option<String>,
    target_blocked_callers: i64,
}

impl FeatureColumns {
    fn features(&self) -> Result<Features, StoreError> {
        let text = |column: &Option<String>| column.clone().unwrap_or_default();
        let flag = |column: Option<bool>| column.unwrap_or_default();
        let find_me = match self.target_find_me.as_deref() {
            None => FindMe::Off,
            Some(word) => FindMe::named(word)
                .ok_or_else(|| StoreError::Broken(format!("unknown find_me {word:?} in the database")))?,
        };
        Ok(Features {
            do_not_disturb: flag(self.target_do_not_disturb),
            forward_always: text(&self.target_forward_always),
            forwards: Forwards {
                busy: text(&self.target_forward_busy),
                unanswered: text(&self.target_forward_unanswered),
                unreachable: text(&self.target_forward_unreachable),
                shows_caller: flag(self.target_forward_shows_caller),
            },
            reject_anonymous: flag(self.target_reject_anonymous),
            blocks_callers: self.target_blocked_callers > 0,
            screening: flag(self.target_screening),
            find_me,
        })
    }
}

/// Puts the rows of one answer together, in their order.
pub(super) fn assemble<'a>(rows: impl IntoIterator<Item = &'a TargetColumns>) -> Result<Option<Target>, StoreError> {
    let mut rows = rows.into_iter().peekable();
    let Some(first) = rows.peek().copied() else { return Ok(None) };
    let (Some(id), Some(strategy), Some(ring_seconds)) =
        (&first.target_group_id, &first.target_strategy, first.target_group_ring_seconds)
    else {
        let mailbox = || first.target_mailbox_id.clone().map(Target::Mailbox);
        return Ok(first.ringing()?.map(Target::Line).or_else(mailbox).or_else(|| first.service()));
    };
    let strategy = match strategy.as_str() {
        "together" => Strategy::Together,
        "in_order" => Strategy::InOrder,
        other => return Err(StoreError::Broken(format!("ring group {id} has the unknown strategy {other:?}"))),
    };
    let mailbox_id = first.target_mailbox_id.clone();
    let members = rows.filter_map(|row| row.ringing().transpose()).collect::<Result<_, _>>()?;
    Ok(Some(Target::RingGroup(RingGroup { id: id.clone(), strategy, ring_seconds, members, mailbox_id })))
}

impl TargetColumns {
    fn service(&self) -> Option<Target> {
        let services = [
            (Service::Menu, &self.target_menu_id),
            (Service::Directory, &self.target_directory_id),
            (Service::Queue, &self.target_queue),
            (Service::Conference, &self.target_conference),
        ];
        services.into_iter().find_map(|(service, name)| Some(Target::Service(service, name.clone()?)))
    }

    fn ringing(&self) -> Result<Option<Ringing>, StoreError> {
        let (Some(line_id), Some(line), Some(account), Some(most), Some(ring_seconds)) = (
            &self.target_line_id,
            &self.target_line_status,
            &self.target_account_status,
            self.target_max_calls,
            self.target_ring_seconds,
        ) else {
            return Ok(None);
        };
        let active = status(line)? == Status::Active && status(account)? == Status::Active;
        let mailbox_id = self.target_mailbox_id.clone();
        let features = self.features.features()?;
        let max_calls = Cap { most, elsewhere: self.target_calls_elsewhere };
        Ok(Some(Ringing { line_id: line_id.clone(), active, max_calls, ring_seconds, mailbox_id, features }))
    }
}

/// Reads a status word.
pub(super) fn status(word: &str) -> Result<Status, StoreError> {
    match word {
        "active" => Ok(Status::Active),
        "suspended" => Ok(Status::Suspended),
        "closed" => Ok(Status::Closed),
        other => Err(StoreError::Broken(format!("unknown status {other:?} in the database"))),
    }
}
