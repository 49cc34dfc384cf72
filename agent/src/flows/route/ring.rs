//! From a line or ring group to what is dialled.

use super::decision::{Attempt, Kind, Next};
use super::rules::Rules;
use crate::store::cap::Cap;
use crate::store::target::{RingGroup, Ringing, Strategy};

/// What is dialled to reach a ring group, showing `caller`; empty when nobody there is to ring. What its members do with calls to them does not
/// count, but that who is not to be disturbed does not ring.
#[must_use]
pub fn group(group: &RingGroup, caller: &str, rules: &Rules) -> Vec<Attempt> {
    let ringing: Vec<&Ringing> =
        group.members.iter().filter(|line| line.active && !line.features.do_not_disturb).collect();
    match group.strategy {
        Strategy::InOrder => ringing
            .iter()
            .map(|member| Attempt {
                seconds: group.ring_seconds,
                next: Next::Always,
                asks: false,
                ..line(member, caller, rules)
            })
            .collect(),
        Strategy::Together if ringing.is_empty() => Vec::new(),
        Strategy::Together => {
            let lines: Vec<String> = ringing.iter().map(|line| rules.dial_line(&line.line_id)).collect();
            vec![Attempt {
                kind: Kind::Group,
                name: group.id.clone(),
                dial: lines.join("&"),
                cap: Cap::default(),
                seconds: group.ring_seconds,
                caller: caller.to_owned(),
                next: Next::OnFault,
                asks: false,
                buy: None,
            }]
        }
    }
}

/// What is dialled to reach a line, showing `caller`.
#[must_use]
pub fn line(line: &Ringing, caller: &str, rules: &Rules) -> Attempt {
    Attempt {
        kind: Kind::Line,
        name: line.line_id.clone(),
        dial: rules.dial_line(&line.line_id),
        cap: line.max_calls,
        seconds: line.ring_seconds,
        caller: caller.to_owned(),
        next: Next::OnFault,
        asks: line.features.screening,
        buy: None,
    }
}
