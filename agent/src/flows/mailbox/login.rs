//! Who is it? Mailbox and password, three tries, with pauses that grow; [`lockout`] counts the guesses.

use super::super::Ports;
use super::super::lockout::{self, KEY, LONGEST, TRIES, Verdict, Whose};
use super::asking;
use crate::call::{Call, Prompt, Step};
use crate::store::asking::{Asking, Source};
use crate::store::caller::Status;
use crate::store::mailbox::Mailbox;

/// What came of it.
pub(super) enum Login {
    /// The owner.
    In(Box<Mailbox>),
    /// Nobody.
    Refused,
    /// Nobody can tell: the database is away, and the node knows nothing.
    Away,
}

/// The mailbox of the calling line.
pub(super) async fn to_own(call: &mut impl Call, mailbox_id: &str, ports: &Ports) -> Step<Login> {
    let Ok(mailbox) = ports.store.mailbox(mailbox_id, &mut asking()).await else { return Ok(Login::Away) };
    match mailbox {
        Some(mailbox) if mailbox.login_from_line && mailbox.status == Status::Active => {
            Ok(Login::In(Box::new(mailbox)))
        }
        _ => by_password(call, mailbox_id, ports).await,
    }
}

/// One mailbox, whose password is asked.
pub(super) async fn by_password(call: &mut impl Call, mailbox_id: &str, ports: &Ports) -> Step<Login> {
    for nth in 0..TRIES {
        let again: &[&str] = if nth == 0 { &[] } else { &["vm-incorrect"] };
        let prompts: Vec<Prompt> = again.iter().copied().chain(["vm-password"]).map(Prompt::from).collect();
        let password = call.collect(&prompts, LONGEST, KEY).await?.keys;
        match attempt(Some(mailbox_id), &password, nth, ports).await {
            Ok(login) => return Ok(login),
            Err(()) => continue,
        }
    }
    call.play(&["vm-incorrect".into()], "").await?;
    Ok(Login::Refused)
}

/// Any mailbox of the account of a line.
pub(super) async fn to_any(call: &mut impl Call, line_id: &str, ports: &Ports) -> Step<Login> {
    let mut prompt = "vm-login";
    for nth in 0..TRIES {
        let number = call.collect(&[prompt.into()], LONGEST, KEY).await?.keys;
        let password = call.collect(&["vm-password".into()], LONGEST, KEY).await?.keys;
        let Ok(id) = ports.store.mailbox_by_number(&number, line_id, &mut asking()).await else {
            return Ok(Login::Away);
        };
        match attempt(id.as_deref(), &password, nth, ports).await {
            Ok(login) => return Ok(login),
            // The same for a wrong mailbox and a wrong password.
            Err(()) => prompt = "vm-incorrect-mailbox",
        }
    }
    call.play(&["vm-incorrect".into()], "").await?;
    Ok(Login::Refused)
}

/// One try; `Err` when another may follow.
async fn attempt(mailbox_id: Option<&str>, password: &str, nth: u32, ports: &Ports) -> Result<Login, ()> {
    let mut asking = asking();
    let mailbox = match mailbox_id {
        Some(id) => match ports.store.mailbox(id, &mut asking).await {
            Ok(mailbox) => mailbox.filter(|mailbox| mailbox.status == Status::Active),
            Err(_) => return Ok(Login::Away),
        },
        None => None,
    };
    let verdict = check(mailbox.as_ref(), password, &asking, ports).await;
    metrics::counter!("tandem_mailbox_logins_total", "outcome" => verdict.name()).increment(1);
    match (verdict, mailbox) {
        (Verdict::Right, Some(mailbox)) => return Ok(Login::In(Box::new(mailbox))),
        (Verdict::Away, _) => return Ok(Login::Away),
        (Verdict::Locked, mailbox) => {
            let mailbox = mailbox.map(|mailbox| mailbox.id).unwrap_or_default();
            tracing::warn!(mailbox, "too many wrong passwords were tried: the mailbox is locked for a while");
        }
        (_, mailbox) => {
            let mailbox = mailbox.map(|mailbox| mailbox.id).unwrap_or_default();
            tracing::info!(mailbox, "a wrong password was tried");
        }
    }
    lockout::pause(nth, ports).await;
    Err(())
}

async fn check(mailbox: Option<&Mailbox>, password: &str, asking: &Asking, ports: &Ports) -> Verdict {
    let Some(mailbox) = mailbox else {
        // As long as for a mailbox that there is.
        let checked = ports.voicemail.passwords.verify(password, None).await;
        return if checked.is_some() { Verdict::Wrong } else { Verdict::Away };
    };
    let central = asking.source() == Some(Source::Central);
    lockout::check(Whose::Mailbox(&mailbox.id), password, mailbox.password_hash.as_deref(), central, ports).await
}
