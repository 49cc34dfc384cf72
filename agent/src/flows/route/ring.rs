//! From a target to what is dialled.

use super::decision::{Attempt, Kind, Next};
use super::rules::Rules;
use crate::store::target::{Ringing, Strategy, Target};

/// What is dialled to reach `target`, showing `caller`; empty when nobody there is active, and where no phone rings.
#[must_use]
pub fn attempts(target: &Target, caller: &str, rules: &Rules) -> Vec<Attempt> {
    match target {
        Target::Line(line) if line.active => vec![ring(line, line.ring_seconds, Next::OnFault, caller, rules)],
        Target::Line(_) | Target::Mailbox(_) | Target::Service(..) => Vec::new(),
        Target::RingGroup(group) => {
            let active: Vec<&Ringing> = group.members.iter().filter(|line| line.active).collect();
            match group.strategy {
                Strategy::InOrder => {
                    active.iter().map(|line| ring(line, group.ring_seconds, Next::Always, caller, rules)).collect()
                }
                Strategy::Together if active.is_empty() => Vec::new(),
                Strategy::Together => {
                    let lines: Vec<String> = active.iter().map(|line| rules.dial_line(&line.line_id)).collect();
                    vec![Attempt {
                        kind: Kind::Group,
                        name: group.id.clone(),
                        dial: lines.join("&"),
                        cap: 0,
                        seconds: group.ring_seconds,
                        caller: caller.to_owned(),
                        next: Next::OnFault,
                        buy: None,
                    }]
                }
            }
        }
    }
}

fn ring(line: &Ringing, seconds: i32, next: Next, caller: &str, rules: &Rules) -> Attempt {
    Attempt {
        kind: Kind::Line,
        name: line.line_id.clone(),
        dial: rules.dial_line(&line.line_id),
        cap: line.max_calls,
        seconds,
        caller: caller.to_owned(),
        next,
        buy: None,
    }
}
