//! Passwords that are keyed in: each try is counted over all calls and nodes, and after too many nobody gets in for a while, which doubles.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep};

use super::Ports;
use crate::store::StoreError;
use crate::store::mailboxes::Guesses;

/// Tries of one call.
pub(super) const TRIES: u32 = 3;
/// For the next key of a number or password.
pub(super) const KEY: Duration = Duration::from_secs(6);
/// Longest number and password.
pub(super) const LONGEST: usize = 32;
/// For counting one.
const QUESTION: Duration = Duration::from_secs(2);
/// No pause and no lock grows further than so many doublings.
const DOUBLINGS: u32 = 3;

/// Whose password it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose<'a> {
    /// A mailbox's, by its id.
    Mailbox(&'a str),
    /// That of those who record an account's prompts, by the account's id.
    Prompts(&'a str),
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    Locked,
    Away,
}

impl Verdict {
    /// For metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Verdict::Right => "in",
            Verdict::Wrong => "wrong",
            Verdict::Locked => "locked",
            Verdict::Away => "away",
        }
    }
}

impl Whose<'_> {
    /// As this node counts alone: no id has a slash.
    fn alone(self) -> String {
        match self {
            Whose::Mailbox(id) => id.to_owned(),
            Whose::Prompts(account_id) => format!("prompts/{account_id}"),
        }
    }

    async fn guesses(self, by: Instant, ports: &Ports) -> Result<Guesses, StoreError> {
        match self {
            Whose::Mailbox(id) => ports.store.guesses(id, by).await,
            Whose::Prompts(account_id) => ports.store.prompt_guesses(account_id, by).await,
        }
    }

    async fn guess(self, by: Instant, ports: &Ports) -> Result<Guesses, StoreError> {
        match self {
            Whose::Mailbox(id) => ports.store.guess(id, Utc::now(), by).await,
            Whose::Prompts(account_id) => ports.store.prompt_guess(account_id, Utc::now(), by).await,
        }
    }

    async fn forget(self, by: Instant, ports: &Ports) -> Result<(), StoreError> {
        match self {
            Whose::Mailbox(id) => ports.store.forget_guesses(id, by).await,
            Whose::Prompts(account_id) => ports.store.forget_prompt_guesses(account_id, by).await,
        }
    }
}

/// Checks a password, and counts it; `central` tells whether the database answered just now, else this node counts alone.
pub(super) async fn check(
    whose: Whose<'_>,
    password: &str,
    hash: Option<&str>,
    mut central: bool,
    ports: &Ports,
) -> Verdict {
    let by = Instant::now() + QUESTION;
    let counted = match if central { Some(count_centrally(whose, by, ports).await) } else { None } {
        Some(Ok(guesses)) => guesses,
        Some(Err(StoreError::Broken(error))) => {
            // Whoever is not counted is not let in.
            tracing::warn!(?whose, error, "a password cannot be counted, and is not looked at");
            return Verdict::Away;
        }
        // The database is away: this node counts alone, for as long as it is.
        Some(Err(_)) | None => {
            central = false;
            ports.voicemail.guesses.count(&whose.alone(), Utc::now())
        }
    };
    if is_locked(&counted, Utc::now(), ports) {
        return Verdict::Locked;
    }
    match ports.voicemail.passwords.verify(password, hash).await {
        Some(true) => {
            ports.voicemail.guesses.forget(&whose.alone());
            if central && let Err(error) = whose.forget(by, ports).await {
                tracing::warn!(?whose, %error, "wrong passwords from before stay counted");
            }
            Verdict::Right
        }
        Some(false) => Verdict::Wrong,
        None => Verdict::Away,
    }
}

/// The pause after the nth wrong try of a call, from 0.
pub(super) async fn pause(nth: u32, ports: &Ports) {
    sleep(ports.voicemail.rules.guess_delay * 2_u32.pow(nth.min(DOUBLINGS))).await;
}

/// Counts a try in the database, unless it is locked: what is tried meanwhile does not prolong that. The guesses before this one.
async fn count_centrally(whose: Whose<'_>, by: Instant, ports: &Ports) -> Result<Guesses, StoreError> {
    let before = whose.guesses(by, ports).await?;
    if is_locked(&before, Utc::now(), ports) {
        return Ok(before);
    }
    let with_this = whose.guess(by, ports).await?;
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
