//! Mailbox options: greetings, name and password (`vm_options`), and the way through them of an owner who comes for the first time (`vm_newuser`).

use std::time::Duration;

use chrono::Utc;
use tokio::time::Instant;
use uuid::Uuid;

use super::menu::{KEY, PATIENCE};
use super::password;
use super::session::Session;
use super::{QUESTION, asking};
use crate::call::{Call, Step};
use crate::flows::recording::{self, Manner, Passing};
use crate::phrases::{KEYS, ask, sentence};
use crate::store::mailbox::{GreetingKind, NewGreeting};
use crate::voicemail::item::Item;

/// The menu, until the owner goes back.
pub(super) async fn run(call: &mut impl Call, session: &mut Session<'_>) -> Step<Option<char>> {
    let mut key = None;
    let mut unanswered = 0;
    loop {
        let Some(command) = key.take() else {
            key = ask(call, &sentence(&["vm-options"]), KEY).await?;
            unanswered = if key.is_some() { 0 } else { unanswered + 1 };
            if unanswered >= PATIENCE {
                return Ok(None);
            }
            continue;
        };
        match command {
            '1' => greeting(call, session, GreetingKind::Unavailable).await?,
            '2' => greeting(call, session, GreetingKind::Busy).await?,
            '3' => greeting(call, session, GreetingKind::Name).await?,
            '4' => temporary(call, session).await?,
            '5' => drop(password::change(call, session).await?),
            '*' | '#' => return Ok(None),
            _ => key = call.play(&["vm-sorry".into()], KEYS).await?,
        }
    }
}

/// Leads an owner who comes for the first time through password, name and greetings. One who leaves in the middle is led again.
pub(super) async fn set_up(call: &mut impl Call, session: &mut Session<'_>) -> Step<()> {
    call.play(&["vm-newuser".into()], "").await?;
    let changed = password::change(call, session).await?;
    for kind in [GreetingKind::Name, GreetingKind::Unavailable, GreetingKind::Busy] {
        greeting(call, session, kind).await?;
    }
    if changed {
        let set = session.ports.store.set_up(&session.mailbox.id, Instant::now() + QUESTION).await;
        if let Err(error) = set {
            tracing::warn!(mailbox = session.mailbox.id, %error, "an owner is led through the mailbox once more next time");
        }
    }
    Ok(())
}

/// Says that there is a temporary greeting, which its owner may have forgotten (`tempgreetwarn`). A key ends it, and is returned.
pub(super) async fn warn(call: &mut impl Call, session: &Session<'_>) -> Step<Option<char>> {
    if has_temporary(session).await { call.play(&["vm-tempgreetactive".into()], KEYS).await } else { Ok(None) }
}

async fn has_temporary(session: &Session<'_>) -> bool {
    let greetings = session.ports.store.greetings(&session.mailbox.id, &mut asking()).await;
    greetings.is_ok_and(|all| all.iter().any(|(kind, _)| *kind == GreetingKind::Temporary))
}

/// The temporary greeting: recorded, or erased.
async fn temporary(call: &mut impl Call, session: &mut Session<'_>) -> Step<()> {
    if !has_temporary(session).await {
        return greeting(call, session, GreetingKind::Temporary).await;
    }
    for _ in 0..PATIENCE {
        match ask(call, &sentence(&["vm-tempgreeting2"]), KEY).await? {
            Some('1') => return greeting(call, session, GreetingKind::Temporary).await,
            Some('2') => return erase(call, session).await,
            Some('*' | '#') => return Ok(()),
            Some(_) => drop(call.play(&["vm-sorry".into()], "").await?),
            None => {}
        }
    }
    Ok(())
}

async fn erase(call: &mut impl Call, session: &Session<'_>) -> Step<()> {
    let store = &session.ports.store;
    let erased = store.erase_greeting(&session.mailbox.id, GreetingKind::Temporary, Instant::now() + QUESTION).await;
    store.follow_now();
    let said = match erased {
        Ok(()) => "vm-tempremoved",
        Err(error) => {
            tracing::error!(mailbox = session.mailbox.id, %error, "a greeting could not be erased");
            "im-sorry"
        }
    };
    call.play(&[said.into()], "").await.map(drop)
}

/// Records a greeting, which takes the place of the one before when its owner saves it; a hangup discards it.
async fn greeting(call: &mut impl Call, session: &Session<'_>, kind: GreetingKind) -> Step<()> {
    let prompt = match kind {
        GreetingKind::Unavailable => "vm-rec-unv",
        GreetingKind::Busy => "vm-rec-busy",
        GreetingKind::Name => "vm-rec-name",
        GreetingKind::Temporary => "vm-rec-temp",
    };
    let seconds = u64::try_from(session.mailbox.limits.greeting_seconds).unwrap_or_default();
    let manner = Manner {
        prompt,
        message: false,
        review: true,
        operator: false,
        longest: Duration::from_secs(seconds),
        least: Duration::ZERO,
        silence: Duration::ZERO,
    };
    let voicemail = &session.ports.voicemail;
    let draft = voicemail.clerk.draft();
    let _file = Passing(draft.recording());
    let recorded = recording::record(call, &draft, &manner, voicemail).await;
    if let Some(ended) = recorded.ended {
        return Err(ended);
    }
    if !recorded.keep {
        return Ok(());
    }
    let greeting =
        NewGreeting { id: Uuid::now_v7(), mailbox_id: session.mailbox.id.clone(), kind, recorded_at: Utc::now() };
    let said = match voicemail.clerk.file(&draft, vec![Item::Greeting(greeting)], 0).await {
        Ok(_) => "vm-msgsaved",
        Err(error) => {
            tracing::error!(mailbox = session.mailbox.id, %error, "a greeting could not be kept");
            "im-sorry"
        }
    };
    call.play(&[said.into()], "").await.map(drop)
}
