//! A call that reached a line, ring group or mailbox of ours: what the line wants done with calls to it comes first.

use super::decision::{Attempt, Decision, Dial, Kind, Next, OnFailure, Refusal, Rejection};
use super::explanation::Listener;
use super::forward::Forward;
use super::ring;
use super::rules::Rules;
use super::turn::Turn;
use crate::store::asking::Asking;
use crate::store::feature::{FindMe, Untaken};
use crate::store::target::{Ringing, Target};
use crate::store::{Store, StoreError};

/// Context of the dialplan in which another number of a line is called.
const FIND_ME: &str = "tandem-find-me";

/// For the question to whoever answers there; the ringing itself is limited where that number is called.
const ASKING_SECONDS: i32 = 20;

/// By what a line tells callers apart.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Identity<'a> {
    /// Digits of E.164, or the extension; and another one, or empty texts.
    pub numbers: [&'a str; 2],
    /// Whether the number is withheld, or there is none.
    pub withheld: bool,
}

/// What becomes of a call to `target`; `call` is what is known of it, and shows the called party `call.caller_number`.
///
/// # Errors
/// The store could not be asked.
pub(super) async fn reach(
    target: &Target,
    mut call: Dial,
    caller: Identity<'_>,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Turn, StoreError> {
    call.mailbox_id = target.mailbox_id().map(str::to_owned);
    match target {
        Target::Mailbox(_) => Ok(Turn::dial(call)),
        Target::Service(service, name) => {
            call.service = Some((*service, name.clone()));
            Ok(Turn::dial(call))
        }
        Target::RingGroup(group) => {
            call.attempts = ring::group(group, &call.caller_number, rules);
            let active = group.members.iter().any(|line| line.active);
            if call.attempts.is_empty() && !(active && call.mailbox_id.is_some()) {
                return Ok(refuse(call, if active { Refusal::DoNotDisturb } else { Refusal::CalledInactive }));
            }
            Ok(Turn::dial(call))
        }
        Target::Line(line) if !line.active => Ok(refuse(call, Refusal::CalledInactive)),
        Target::Line(line) => to_line(line, call, caller, rules, store, asking, listener).await,
    }
}

async fn to_line(
    line: &Ringing,
    mut call: Dial,
    caller: Identity<'_>,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Result<Turn, StoreError> {
    let features = &line.features;
    if features.reject_anonymous && caller.withheld {
        listener.step("anonymous", || format!("line {} takes no calls without a number", line.line_id));
        return Ok(refuse(call, Refusal::AnonymousRejected));
    }
    if features.blocks_callers && store.is_blocked(&line.line_id, caller.numbers, asking).await? {
        listener.step("blocked-caller", || format!("line {} does not want {:?}", line.line_id, caller.numbers));
        return Ok(refuse(call, Refusal::CallerBlocked));
    }
    let forward = |call, number: &str, why| {
        let shows_caller = features.forwards.shows_caller;
        Turn::Forwarded(Box::new(Forward {
            call,
            line_id: line.line_id.clone(),
            number: number.to_owned(),
            shows_caller,
            why,
        }))
    };
    if !features.forward_always.is_empty() {
        listener
            .step("forward", || format!("line {} forwards every call to {}", line.line_id, features.forward_always));
        return Ok(forward(call, &features.forward_always, "unconditional"));
    }
    if features.do_not_disturb {
        if let Some(number) = features.forwards.number(Untaken::Busy) {
            listener
                .step("forward", || format!("line {} is not to be disturbed, and forwards to {number}", line.line_id));
            return Ok(forward(call, number, "do-not-disturb"));
        }
        listener.step("do-not-disturb", || format!("line {} is not to be disturbed", line.line_id));
        if call.mailbox_id.is_some() {
            return Ok(Turn::dial(Dial { reason: Refusal::DoNotDisturb.reason(), ..call }));
        }
        return Ok(refuse(call, Refusal::DoNotDisturb));
    }
    call.introduces = features.screening;
    call.attempts = rung(line, &call.caller_number, rules, store, asking).await?;
    if features.screening {
        listener.step("screening", || format!("line {} hears who calls, and takes the call by 1", line.line_id));
    }
    if features.find_me != FindMe::Off {
        listener.step("find-me", || format!("line {} is looked for at its other numbers, too", line.line_id));
    }
    let reasons: Vec<Untaken> = features.forwards.reasons().collect();
    if !reasons.is_empty() {
        let to = |why: &Untaken| {
            format!("to {} when it is {}", features.forwards.number(*why).unwrap_or_default(), why.name())
        };
        listener.step("forward", || {
            format!("line {} forwards {}", line.line_id, reasons.iter().map(to).collect::<Vec<_>>().join(", "))
        });
        call.on_failure = Some(OnFailure { line_id: line.line_id.clone(), reasons });
    }
    Ok(Turn::dial(call))
}

/// The line, and where else its user is looked for.
async fn rung(
    line: &Ringing,
    caller: &str,
    rules: &Rules,
    store: &Store,
    asking: &mut Asking,
) -> Result<Vec<Attempt>, StoreError> {
    let mut own = ring::line(line, caller, rules);
    if line.features.find_me == FindMe::Off {
        return Ok(vec![own]);
    }
    let numbers = store.find_me_numbers(&line.line_id, asking).await?;
    let numbers = || numbers.iter().take(rules.attempts);
    // Not optimised away (/n): the record of the call ends with its channel.
    let elsewhere = |number: &str| format!("Local/{number}@{FIND_ME}/n");
    if line.features.find_me == FindMe::InOrder {
        own.next = Next::Always;
        let others = numbers().map(|other| Attempt {
            kind: Kind::FindMe,
            dial: elsewhere(&other.number),
            seconds: other.ring_seconds + ASKING_SECONDS,
            asks: false,
            ..own.clone()
        });
        let others: Vec<Attempt> = others.collect();
        return Ok([vec![own], others].concat());
    }
    let all: Vec<String> =
        std::iter::once(own.dial.clone()).chain(numbers().map(|other| elsewhere(&other.number))).collect();
    let seconds = numbers().map(|other| other.ring_seconds + ASKING_SECONDS).fold(own.seconds, i32::max);
    Ok(vec![Attempt { kind: Kind::FindMe, dial: all.join("&"), seconds, ..own }])
}

fn refuse(call: Dial, refusal: Refusal) -> Turn {
    Turn::Decided(Decision::Reject(Rejection {
        refusal,
        account_id: call.account_id,
        time_zone: call.time_zone,
        number: call.number,
        class: call.class,
    }))
}
