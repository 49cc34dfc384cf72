//! The flow `voicemail`: a caller who reached nobody leaves a message (`app_voicemail.c`, `leave_voicemail`).
//!
//! `AGI(agi://<agent>/voicemail/<mailbox>[&<mailbox>...]/busy|unavailable[/<line that calls>])`. The greeting is the first mailbox's; the message goes
//! into all of them. `TANDEM_VOICEMAIL` tells what came of it: `SUCCESS`, `USEREXIT` or `FAILED`. Nothing central is waited for once the mailbox is
//! known: the message is kept on the node, and shipped.

use std::time::Duration;

use chrono::Utc;
use tokio::time::Instant;
use uuid::Uuid;

use super::recording::{self, Manner};
use super::{Ports, mailbox};
use crate::call::{Call, Ended, Fault, Prompt, Say, Step};
use crate::phrases::{Part, speak};
use crate::store::asking::Asking;
use crate::store::caller::Status;
use crate::store::mailbox::{Audio, Folder, GreetingKind, Mailbox, NewMessage};
use crate::voicemail::drafts::Notes;
use crate::voicemail::item::Item;

/// For the questions before the call is answered: the dialplan's guard waits.
const PATIENCE: Duration = Duration::from_millis(600);
/// For a greeting to come from the central store; without it the caller hears who is called, digit by digit.
const GREETING: Duration = Duration::from_secs(2);
/// Mailboxes of one message at the most.
const MAILBOXES: usize = 32;
/// Longest texts of a caller that are kept.
const SHOWN: usize = 64;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Saved,
    Operator,
    Login,
    Full,
    TooShort,
}

/// Lets the caller leave a message.
///
/// # Errors
/// The caller hung up (what was said until then is kept), or there is no such mailbox.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let (ids, busy, line_id) = match arguments {
        [ids, reason] => (ids, reason == "busy", None),
        [ids, reason, line_id] => (ids, reason == "busy", Some(line_id.clone())),
        _ => {
            return Err(
                Fault("voicemail wants mailboxes, busy or unavailable, and may be told the line".to_owned()).into()
            );
        }
    };
    let mut asking = Asking::until(Instant::now() + PATIENCE);
    let mut mailboxes = Vec::new();
    for id in ids.split('&').take(MAILBOXES) {
        let mailbox = ports.store.mailbox(id, &mut asking).await;
        let mailbox = mailbox.map_err(|error| Fault(format!("mailbox {id} cannot be read: {error}")))?;
        match mailbox.filter(|mailbox| mailbox.status == Status::Active) {
            Some(mailbox) => mailboxes.push(mailbox),
            None => tracing::warn!(mailbox = id, "there is no such mailbox, or it is not active"),
        }
    }
    let Some(first) = mailboxes.first().cloned() else {
        return Err(Fault(format!("there is no mailbox {ids} to leave a message in")).into());
    };
    call.answer().await?;
    let outcome = leave(call, &first, &mailboxes, busy, line_id, ports).await?;
    let told = match outcome {
        Outcome::Saved => "SUCCESS",
        Outcome::Operator | Outcome::Login => "USEREXIT",
        Outcome::Full | Outcome::TooShort => "FAILED",
    };
    match outcome {
        Outcome::Operator => {
            call.set(&[
                ("TANDEM_VOICEMAIL", told),
                ("TANDEM_ACTION", "call"),
                ("TANDEM_CALL_KIND", "mailbox"),
                ("TANDEM_CALL_ID", &first.id),
                ("TANDEM_CALL_NUMBER", &first.operator),
                ("TANDEM_DONE", "1"),
            ])
            .await?;
            Ok("operator")
        }
        Outcome::Login => {
            call.set(&[("TANDEM_VOICEMAIL", told)]).await?;
            Box::pin(mailbox::log_in_to(call, &first.id, ports)).await
        }
        outcome => {
            call.set(&[("TANDEM_VOICEMAIL", told)]).await?;
            call.play(&["vm-goodbye".into()], "").await?;
            call.hangup(16).await?;
            Ok(match outcome {
                Outcome::Saved => "message",
                Outcome::Full => "mailbox-full",
                _ => "too-short",
            })
        }
    }
}

async fn leave(
    call: &mut impl Call,
    first: &Mailbox,
    mailboxes: &[Mailbox],
    busy: bool,
    line_id: Option<String>,
    ports: &Ports,
) -> Step<Outcome> {
    let operator = !first.operator.is_empty();
    let keys = if operator { "#*0" } else { "#*" };
    let key = greet(call, first, busy, keys, ports).await?;
    let with_room: Vec<&Mailbox> = mailboxes.iter().filter(|mailbox| !mailbox.is_full()).collect();
    let key = match key {
        None if with_room.is_empty() => None,
        None => call.play(&["vm-intro".into()], keys).await?,
        key => key,
    };
    match key {
        Some('0') => return Ok(Outcome::Operator),
        Some('*') => return Ok(Outcome::Login),
        _ => {}
    }
    if with_room.is_empty() {
        call.play(&["vm-mailboxfull".into()], "").await?;
        return Ok(Outcome::Full);
    }
    record(call, first, &with_room, line_id, ports).await
}

/// Greets the caller: the temporary greeting, else the one for busy or unavailable, else the name, else the number. A key ends it, and is returned.
async fn greet(call: &mut impl Call, mailbox: &Mailbox, busy: bool, keys: &str, ports: &Ports) -> Step<Option<char>> {
    let mut asking = Asking::until(Instant::now() + PATIENCE);
    let greetings = ports.store.greetings(&mailbox.id, &mut asking).await.unwrap_or_else(|error| {
        tracing::warn!(mailbox = mailbox.id, %error, "greetings cannot be read; the number is said");
        Vec::new()
    });
    let find = |kind| greetings.iter().find(|(other, _)| *other == kind).map(|(_, audio)| audio);
    let kind = if busy { GreetingKind::Busy } else { GreetingKind::Unavailable };
    for kind in [GreetingKind::Temporary, kind] {
        if let Some(audio) = find(kind)
            && let Some(heard) = play(call, audio, keys, ports).await?
        {
            return Ok(heard);
        }
    }
    let name = match find(GreetingKind::Name) {
        Some(audio) => play(call, audio, keys, ports).await?,
        None => None,
    };
    let state = Part::from(if busy { "vm-isonphone" } else { "vm-isunavail" });
    match name {
        Some(None) => speak(call, &[state], keys).await,
        Some(key) => Ok(key),
        None => {
            let parts = ["vm-theperson".into(), Say::Digits(mailbox.number.clone()).into(), state];
            speak(call, &parts, keys).await
        }
    }
}

/// Plays a greeting; `None` when it cannot be had, or cannot be played: another one is, then.
pub(super) async fn play(call: &mut impl Call, audio: &Audio, keys: &str, ports: &Ports) -> Step<Option<Option<char>>> {
    let Some(prompt) = fetch(audio, ports).await else { return Ok(None) };
    match call.play(&[prompt], keys).await {
        Ok(key) => Ok(Some(key)),
        Err(Ended::Failed(fault)) => {
            tracing::warn!(audio = %audio.id, %fault, "a greeting cannot be played");
            ports.voicemail.cache.forget(audio).await;
            Ok(None)
        }
        Err(hangup) => Err(hangup),
    }
}

/// Audio of the central store as a sound of this node; `None` when it cannot be had in time.
pub(super) async fn fetch(audio: &Audio, ports: &Ports) -> Option<Prompt> {
    match ports.voicemail.cache.fetch(audio, Instant::now() + GREETING).await {
        Ok(path) => Some(Prompt(crate::media::cache::Cache::prompt(&path))),
        Err(error) => {
            tracing::warn!(audio = %audio.id, %error, "audio cannot be played");
            None
        }
    }
}

async fn record(
    call: &mut impl Call,
    first: &Mailbox,
    mailboxes: &[&Mailbox],
    line_id: Option<String>,
    ports: &Ports,
) -> Step<Outcome> {
    let caller = call.caller();
    let shown = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(SHOWN).collect() };
    let left_at = Utc::now();
    let message = |mailbox: &&Mailbox| NewMessage {
        id: Uuid::now_v7(),
        mailbox_id: mailbox.id.clone(),
        folder: Folder::Inbox,
        urgent: false,
        caller_number: shown(&caller.number),
        caller_name: shown(&caller.name),
        line_id: line_id.clone().filter(|id| !id.is_empty()),
        forwarded_by: None,
        left_at,
        uniqueid: caller.uniqueid.clone(),
    };
    let limits = &first.limits;
    let seconds = |seconds: i32| Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    let least = seconds(limits.least_seconds);
    let mut notes = Notes {
        messages: mailboxes.iter().map(message).collect(),
        least_ms: u64::try_from(least.as_millis()).unwrap_or_default(),
        gain_db: limits.gain_db,
    };
    let clerk = &ports.voicemail.clerk;
    let draft = clerk.draft();
    if let Err(error) = clerk.note(&draft, &notes).await {
        tracing::error!(mailbox = first.id, %error, "no message can be recorded; look at media.recordings and its disk");
        return sorry(call).await;
    }
    let manner = Manner {
        prompt: "vm-intro",
        message: true,
        review: first.review,
        operator: !first.operator.is_empty(),
        longest: seconds(limits.seconds),
        least,
        silence: seconds(limits.silence_seconds),
    };
    let recorded = recording::record(call, &draft, &manner, &ports.voicemail).await;
    let outcome = if recorded.keep {
        for message in &mut notes.messages {
            message.urgent = recorded.urgent;
        }
        if recorded.urgent {
            // In case it cannot be put into the spool now, and is found later.
            let _ = clerk.note(&draft, &notes).await;
        }
        let items = notes.messages.iter().cloned().map(Item::Message).collect();
        match clerk.file(&draft, items, notes.gain_db).await {
            Ok(measure) => metrics::histogram!("tandem_voicemail_message_seconds").record(measure.length.as_secs_f64()),
            // It stays where it is, with its notes, and is put there as soon as that can be done.
            Err(error) => {
                tracing::error!(mailbox = first.id, %error, "a message waits beside the spool; look at voicemail.spool and its disk")
            }
        }
        Outcome::Saved
    } else {
        clerk.discard(&draft).await;
        Outcome::TooShort
    };
    metrics::counter!("tandem_voicemail_calls_total", "outcome" => if recorded.keep { "message" } else { "none" })
        .increment(1);
    if let Some(ended) = recorded.ended {
        return match ended {
            // Asterisk could not go on recording; what it had is kept.
            Ended::Failed(fault) if recorded.keep => {
                tracing::warn!(%fault, "a message is cut off");
                call.play(&["vm-msgsaved".into()], "").await?;
                Ok(Outcome::Saved)
            }
            Ended::Failed(fault) => {
                tracing::error!(%fault, "a message could not be recorded");
                sorry(call).await
            }
            Ended::Hangup => Err(Ended::Hangup),
        };
    }
    if recorded.keep {
        call.play(&["vm-msgsaved".into()], "").await?;
    }
    Ok(if recorded.operator { Outcome::Operator } else { outcome })
}

/// The node cannot take a message now.
async fn sorry(call: &mut impl Call) -> Step<Outcome> {
    call.play(&["im-sorry".into(), "please-try-call-later".into()], "").await?;
    Ok(Outcome::TooShort)
}
