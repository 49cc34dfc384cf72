//! The flow `mailbox`: an owner listens to messages, and sees to the mailbox (`app_voicemail.c`, `vm_execmain`).
//!
//! `AGI(agi://<agent>/mailbox/line/<line>/own)` for the mailbox of the calling line, `.../any` for any of its account. [`login`] asks who it is,
//! [`session`] holds what is in the mailbox, [`menu`] the main menu; [`advanced`], [`send`], [`folders`] and [`options`] are what it leads to.

mod advanced;
mod folders;
mod login;
mod menu;
mod options;
mod password;
mod send;
mod session;

use std::time::Duration;

use tokio::time::Instant;

use super::Ports;
use crate::call::{Call, Fault, Say, Step};
use crate::phrases::{KEYS, Part, speak};
use crate::store::asking::Asking;
use crate::store::mailbox::{Folder, Mailbox};
use login::Login;
use session::Session;

/// For a question while the owner waits.
pub(super) const QUESTION: Duration = Duration::from_secs(2);
/// For the first question: the dialplan's guard waits.
const FIRST: Duration = Duration::from_millis(600);

/// How a session ends.
#[derive(Debug)]
enum End {
    /// The owner has enough.
    Leave,
    /// The owner calls a number, with the permissions of a line.
    Call(String, String),
}

/// Questions that an owner waits for.
fn asking() -> Asking {
    Asking::until(Instant::now() + QUESTION)
}

/// Lets an owner in.
///
/// # Errors
/// The caller hung up, or nobody could be asked who calls.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let [kind, line_id, which] = arguments else {
        return Err(Fault("mailbox wants line/<line id>/own or any".to_owned()).into());
    };
    if kind != "line" {
        return Err(Fault("only lines have mailboxes".to_owned()).into());
    }
    let mut first = Asking::until(Instant::now() + FIRST);
    let own = ports.store.mailbox_of_line(line_id, &mut first).await;
    let own = own.map_err(|error| Fault(format!("the mailbox of line {line_id} cannot be read: {error}")))?;
    call.answer().await?;
    let login = match own.filter(|_| which == "own") {
        Some(id) => login::to_own(call, &id, ports).await?,
        None => login::to_any(call, line_id, ports).await?,
    };
    admit(call, login, ports).await
}

/// Lets a caller in who pressed `*` while the mailbox greeted.
///
/// # Errors
/// The caller hung up.
pub(super) async fn log_in_to(call: &mut impl Call, mailbox_id: &str, ports: &Ports) -> Step<&'static str> {
    let login = login::by_password(call, mailbox_id, ports).await?;
    admit(call, login, ports).await
}

async fn admit(call: &mut impl Call, login: Login, ports: &Ports) -> Step<&'static str> {
    match login {
        Login::Refused => bye(call, "login-refused").await,
        Login::Away => {
            apologise(call).await?;
            bye(call, "login-away").await
        }
        Login::In(mailbox) => visit(call, *mailbox, ports).await,
    }
}

/// The database is away.
async fn apologise(call: &mut impl Call) -> Step<()> {
    call.play(&["im-sorry".into(), "please-try-call-later".into()], "").await.map(drop)
}

async fn bye(call: &mut impl Call, outcome: &'static str) -> Step<&'static str> {
    call.play(&["vm-goodbye".into()], "").await?;
    call.hangup(16).await?;
    Ok(outcome)
}

async fn visit(call: &mut impl Call, mailbox: Mailbox, ports: &Ports) -> Step<&'static str> {
    if !mailbox.language.is_empty() {
        call.set(&[("CHANNEL(language)", &mailbox.language)]).await?;
    }
    let mut session = match Session::open(mailbox, ports).await {
        Ok(session) => session,
        Err(error) => {
            tracing::warn!(%error, "what is in a mailbox cannot be read");
            apologise(call).await?;
            return bye(call, "mailbox-away").await;
        }
    };
    if session.is_outdated() {
        // What the node knows is told; audio and changes want the database.
        // What is pressed meanwhile leads nowhere.
        let _ = count(call, &session).await?;
        apologise(call).await?;
        return bye(call, "mailbox-away").await;
    }
    let end = Box::pin(converse(call, &mut session)).await;
    // However it ends: what was heard is old, and what was deleted goes.
    session.commit().await;
    match end? {
        End::Leave => bye(call, "mailbox").await,
        End::Call(line_id, number) => {
            call.set(&[
                ("TANDEM_ACTION", "call"),
                ("TANDEM_CALL_KIND", "line"),
                ("TANDEM_CALL_ID", &line_id),
                ("TANDEM_CALL_NUMBER", &number),
                ("TANDEM_DONE", "1"),
            ])
            .await?;
            Ok("mailbox-call")
        }
    }
}

async fn converse(call: &mut impl Call, session: &mut Session<'_>) -> Step<End> {
    if !session.mailbox.set_up {
        options::set_up(call, session).await?;
    }
    let warned = options::warn(call, session).await?;
    let key = if warned.is_some() { warned } else { count(call, session).await? };
    session.start();
    menu::run(call, session, key).await
}

/// `You have one urgent and two new and three old messages` (`vm_intro_en`).
async fn count(call: &mut impl Call, session: &Session<'_>) -> Step<Option<char>> {
    let counts = session.counts();
    let mut parts: Vec<Part> = vec!["vm-youhave".into()];
    let groups = [(counts.urgent, "vm-Urgent"), (counts.fresh, "vm-INBOX"), (counts.old, "vm-Old")];
    let some: Vec<(i64, &str)> = groups.into_iter().filter(|(count, _)| *count > 0).collect();
    for (nth, (count, name)) in some.iter().enumerate() {
        if nth > 0 {
            parts.push("vm-and".into());
        }
        parts.push(Say::Number(*count).into());
        parts.push((*name).into());
    }
    if some.is_empty() {
        parts.push("vm-no".into());
    }
    let one = some.last().is_some_and(|(count, _)| *count == 1);
    parts.push(if one { "vm-message" } else { "vm-messages" }.into());
    speak(call, &parts, KEYS).await
}

/// The prompt of a folder's name.
fn folder_prompt(folder: Folder) -> String {
    format!("vm-{}", folder.name())
}
