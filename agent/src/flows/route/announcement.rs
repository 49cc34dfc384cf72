//! Whether both sides are told that they are recorded, before they talk: an order wants the call, and its account an announcement. Calls to those who
//! called for help are held up by nothing.

use chrono::{DateTime, Utc};

use super::decision::{Attempt, Dial, Kind};
use super::rules::Rules;
use crate::store::recording::{Notice, Order};

pub(super) fn is_wanted(
    dial: &Dial,
    caller: Option<&str>,
    orders: &[Order],
    now: DateTime<Utc>,
    rules: &Rules,
) -> bool {
    let announces =
        |order: &Order| order.policy.notice == Notice::Announcement && order.holds(now) && order.calls_left != Some(0);
    let is_of = |order: &Order| match &order.line_id {
        Some(line) => caller == Some(line) || dial.attempts.iter().any(|attempt| rings(attempt, line, rules)),
        None => order.account_id == dial.account_id || order.account_id == dial.called_account_id,
    };
    dial.reason.is_empty() && orders.iter().any(|order| announces(order) && is_of(order))
}

/// Whether an attempt rings a line, alone or in a group.
fn rings(attempt: &Attempt, line: &str, rules: &Rules) -> bool {
    match attempt.kind {
        Kind::Line | Kind::FindMe => attempt.name == line,
        Kind::Group => attempt.dial.split('&').any(|one| one == rules.dial_line(line)),
        Kind::Gateway => false,
    }
}
