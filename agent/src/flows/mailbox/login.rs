//! Who is it? Mailbox and password, three tries, with pauses that grow; guesses are counted over all calls and nodes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep};

use super::super::Ports;
use super::{QUESTION, asking};
use crate::call::{Call, Prompt, Step};
use crate::store::StoreError;
use crate::store::asking::{Asking, Source};
use crate::store::caller::Status;
use crate::store::mailbox::Mailbox;
use crate::store::mailboxes::Guesses;

/// Tries of one call.
const TRIES: u32 = 3;
/// For the next key.
const KEY: Duration = Duration::from_secs(6);
/// Longest number and password.
const LONGEST: usize = 32;
/// No pause and no lock grows further than so many doublings.
const DOUBLINGS: u32 = 3;

/// What came of it.
pub(super) enum Login {
    /// The owner.
    In(Box<Mailbox>),
    /// Nobody.
    Refused,
    /// Nobody can tell: the database is away, and the node knows nothing.
    Away,
}

enum Verdict {
    Right,
    Wrong,
    Locked,
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
    let outcome = match verdict {
        Verdict::Right => "in",
        Verdict::Wrong => "wrong",
        Verdict::Locked => "locked",
        Verdict::Away => "away",
    };
    metrics::counter!("tandem_mailbox_logins_total", "outcome" => outcome).increment(1);
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
    sleep(ports.voicemail.rules.guess_delay * 2_u32.pow(nth.min(DOUBLINGS))).await;
    Err(())
}

async fn check(mailbox: Option<&Mailbox>, password: &str, asking: &Asking, ports: &Ports) -> Verdict {
    let passwords = &ports.voicemail.passwords;
    let Some(mailbox) = mailbox else {
        // As long as for a mailbox that there is.
        return if passwords.verify(password, None).await.is_some() { Verdict::Wrong } else { Verdict::Away };
    };
    let by = Instant::now() + QUESTION;
    let mut central = asking.source() == Some(Source::Central);
    let counted = match if central { Some(count_centrally(&mailbox.id, by, ports).await) } else { None } {
        Some(Ok(guesses)) => guesses,
        Some(Err(StoreError::Broken(error))) => {
            // Whoever is not counted is not let in.
            tracing::warn!(mailbox = mailbox.id, error, "a password cannot be counted, and is not looked at");
            return Verdict::Away;
        }
        // The database is away: this node counts alone, for as long as it is.
        Some(Err(_)) | None => {
            central = false;
            ports.voicemail.guesses.count(&mailbox.id, Utc::now())
        }
    };
    if is_locked(&counted, Utc::now(), ports) {
        return Verdict::Locked;
    }
    match passwords.verify(password, mailbox.password_hash.as_deref()).await {
        Some(true) => {
            ports.voicemail.guesses.forget(&mailbox.id);
            if central && let Err(error) = ports.store.forget_guesses(&mailbox.id, by).await {
                tracing::warn!(mailbox = mailbox.id, %error, "wrong passwords from before stay counted");
            }
            Verdict::Right
        }
        Some(false) => Verdict::Wrong,
        None => Verdict::Away,
    }
}

/// Counts a try in the database, unless the mailbox is locked: what is tried meanwhile does not prolong that. The guesses before this one.
async fn count_centrally(mailbox_id: &str, by: Instant, ports: &Ports) -> Result<Guesses, StoreError> {
    let before = ports.store.guesses(mailbox_id, by).await?;
    if is_locked(&before, Utc::now(), ports) {
        return Ok(before);
    }
    let with_this = ports.store.guess(mailbox_id, Utc::now(), by).await?;
    // Others may have tried at this very moment: each counts, and the last sees them all.
    let count = with_this.count - 1;
    let last_at = if count > before.count { with_this.last_at } else { before.last_at };
    Ok(Guesses { count, last_at })
}

/// Whether so many were wrong that nobody gets in for a while, which doubles with each further one.
fn is_locked(guesses: &Guesses, now: DateTime<Utc>, ports: &Ports) -> bool {
    let rules = &ports.voicemail.rules;
    let Some(last_at) = guesses.last_at else { return false };
    let beyond = guesses.count - rules.lockout_guesses;
    if beyond < 0 {
        return false;
    }
    let doublings = u32::try_from(beyond).unwrap_or(u32::MAX).min(DOUBLINGS);
    let lock = TimeDelta::from_std(rules.lockout * 2_u32.pow(doublings)).unwrap_or(TimeDelta::MAX);
    now - last_at < lock
}
