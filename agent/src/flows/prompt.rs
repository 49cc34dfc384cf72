//! The flow `prompt`: what an account's menus say is recorded by phone.
//!
//! `AGI(agi://<agent>/prompt/line/<line>)`. Whoever knows the account's password keys in the number of a prompt, hears what it is, records, listens, and saves it;
//! then another one. It is kept as greetings are: put into the spool, and shipped to the central store, from where every node plays it.

use std::time::Duration;

use chrono::Utc;
use tokio::time::Instant;
use uuid::Uuid;

use super::Ports;
use super::lockout::{self, KEY, LONGEST, TRIES, Verdict, Whose};
use super::menu::say;
use super::recording::{self, Manner, Passing};
use crate::call::{Call, Fault, Prompt, Step};
use crate::phrases;
use crate::store::asking::{Asking, Source};
use crate::store::caller::Status;
use crate::store::mailbox::NewPrompt;
use crate::store::menu::Announcement;
use crate::store::prompts::Recorders;
use crate::voicemail::item::Item;

/// For the first question: the dialplan's guard waits.
const FIRST: Duration = Duration::from_millis(600);
/// For a question while the caller waits.
const QUESTION: Duration = Duration::from_secs(2);
/// Longest prompt, however it comes.
pub const LONGEST_PROMPT: Duration = Duration::from_secs(300);

/// Lets somebody record prompts of the account of a line.
///
/// # Errors
/// The caller hung up, or nobody could be asked whose line it is.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let line_id = match arguments {
        [kind, line_id] if kind == "line" => line_id,
        _ => return Err(Fault("prompt wants line/<line id>".to_owned()).into()),
    };
    let mut asking = Asking::until(Instant::now() + FIRST);
    let recorders = ports.store.prompt_recorders(line_id, &mut asking).await;
    let recorders =
        recorders.map_err(|error| Fault(format!("the account of line {line_id} cannot be read: {error}")))?;
    let recorders = recorders.filter(|recorders| recorders.status == Status::Active);
    let recorders =
        recorders.ok_or_else(|| Fault(format!("there is no line {line_id}, or it or its account is not active")))?;
    call.answer().await?;
    let central = asking.source() == Some(Source::Central);
    let verdict = log_in(call, &recorders, central, ports).await?;
    let outcome = match verdict {
        Verdict::Right => converse(call, &recorders.account_id, ports).await?,
        Verdict::Away => {
            call.play(&["im-sorry".into(), "please-try-call-later".into()], "").await?;
            "login-away"
        }
        Verdict::Wrong | Verdict::Locked => {
            call.play(&["vm-incorrect".into()], "").await?;
            "login-refused"
        }
    };
    call.play(&["vm-goodbye".into()], "").await?;
    call.hangup(16).await?;
    Ok(outcome)
}

async fn log_in(call: &mut impl Call, recorders: &Recorders, central: bool, ports: &Ports) -> Step<Verdict> {
    let mut verdict = Verdict::Wrong;
    for nth in 0..TRIES {
        let again: &[&str] = if nth == 0 { &[] } else { &["vm-incorrect"] };
        let prompts: Vec<Prompt> = again.iter().copied().chain(["vm-password"]).map(Prompt::from).collect();
        let password = call.collect(&prompts, LONGEST, KEY).await?.keys;
        let whose = Whose::Prompts(&recorders.account_id);
        verdict = lockout::check(whose, &password, recorders.password_hash.as_deref(), central, ports).await;
        metrics::counter!("tandem_prompt_logins_total", "outcome" => verdict.name()).increment(1);
        match verdict {
            Verdict::Right | Verdict::Away => break,
            Verdict::Wrong | Verdict::Locked => {
                tracing::info!(
                    account_id = recorders.account_id,
                    verdict = verdict.name(),
                    "a password for prompts was tried"
                );
                lockout::pause(nth, ports).await;
            }
        }
    }
    Ok(verdict)
}

/// One prompt after the other, until none is keyed in.
async fn converse(call: &mut impl Call, account_id: &str, ports: &Ports) -> Step<&'static str> {
    let mut unknown = 0;
    while unknown < TRIES {
        let number = call.collect(&["number".into(), "vm-then-pound".into()], LONGEST, KEY).await?.keys;
        if number.is_empty() {
            break;
        }
        let mut asking = Asking::until(Instant::now() + QUESTION);
        match ports.store.announcement_by_number(account_id, &number, &mut asking).await {
            Ok(Some(announcement)) => {
                phrases::digits(call, &number).await?;
                record(call, &announcement, account_id, ports).await?;
                unknown = 0;
            }
            Ok(None) => {
                unknown += 1;
                call.play(&["pbx-invalid".into()], "").await?;
            }
            Err(error) => {
                tracing::warn!(account_id, %error, "a prompt cannot be looked up");
                call.play(&["im-sorry".into(), "please-try-call-later".into()], "").await?;
                break;
            }
        }
    }
    Ok("prompts")
}

/// Says what a prompt is now, and records it anew; a hangup discards what was recorded.
async fn record(call: &mut impl Call, announcement: &Announcement, account_id: &str, ports: &Ports) -> Step<()> {
    say::say(call, announcement, account_id, phrases::KEYS, ports).await?;
    let manner = Manner {
        prompt: "vm-rec-temp",
        message: false,
        review: true,
        operator: false,
        longest: LONGEST_PROMPT,
        least: Duration::ZERO,
        silence: Duration::ZERO,
    };
    let clerk = &ports.voicemail.clerk;
    let draft = clerk.draft();
    let _file = Passing(draft.recording());
    let recorded = recording::record(call, &draft, &manner, &ports.voicemail).await;
    if let Some(ended) = recorded.ended {
        return Err(ended);
    }
    if !recorded.keep {
        return Ok(());
    }
    let prompt = NewPrompt { id: Uuid::now_v7(), prompt_id: announcement.id.clone(), recorded_at: Utc::now() };
    let said = match clerk.file(&draft, vec![Item::Prompt(prompt)], 0).await {
        Ok(_) => "vm-msgsaved",
        Err(error) => {
            tracing::error!(prompt = announcement.id, %error, "a prompt could not be kept");
            "im-sorry"
        }
    };
    call.play(&[said.into()], "").await.map(drop)
}
