//! A new password: asked twice, refused when it is trivial.

use super::QUESTION;
use super::menu::{KEY, PATIENCE};
use super::session::Session;
use crate::call::{Call, Step};
use crate::store::password;
use tokio::time::Instant;

/// Longest password.
const LONGEST: usize = 32;

/// Asks for a new password and sets it; false when that came to nothing.
pub(super) async fn change(call: &mut impl Call, session: &mut Session<'_>) -> Step<bool> {
    let least = session.ports.voicemail.rules.password_digits;
    for _ in 0..PATIENCE {
        let keyed = call.collect(&["vm-newpassword".into()], LONGEST, KEY).await?.keys;
        if password::fault(&keyed, &session.mailbox.number, least).is_some() {
            call.play(&["vm-invalid-password".into()], "").await?;
            continue;
        }
        let again = call.collect(&["vm-reenterpassword".into()], LONGEST, KEY).await?.keys;
        if again != keyed {
            call.play(&["vm-mismatch".into()], "").await?;
            continue;
        }
        return set(call, session, &keyed).await;
    }
    Ok(false)
}

async fn set(call: &mut impl Call, session: &mut Session<'_>, password: &str) -> Step<bool> {
    let store = &session.ports.store;
    let set = match session.ports.voicemail.passwords.hash(password).await {
        Some(hash) => {
            let set = store.set_password(&session.mailbox.id, &hash, Instant::now() + QUESTION).await;
            store.follow_now();
            set.map_err(|error| error.to_string())
        }
        None => Err("too many passwords are checked at once".to_owned()),
    };
    match set {
        Ok(()) => {
            call.play(&["vm-passchanged".into()], "").await?;
            Ok(true)
        }
        Err(error) => {
            tracing::error!(mailbox = session.mailbox.id, error, "a password could not be changed");
            call.play(&["im-sorry".into()], "").await?;
            Ok(false)
        }
    }
}
