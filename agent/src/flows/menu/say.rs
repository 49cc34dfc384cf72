//! What menus say: what was recorded, else files of Asterisk's sounds, else a text that is spoken.

use tokio::time::Instant;

use super::super::Ports;
use super::super::voicemail::fetch;
use super::QUESTION;
use crate::call::{Call, Ended, Prompt, Step};
use crate::speech::Spoken;
use crate::store::asking::Asking;
use crate::store::mailbox::Audio;
use crate::store::menu::{Announcement, Loaded};

/// What a caller hears where there is nothing to say it with: that it is their turn.
pub(super) const BEEP: &str = "beep";

/// Says what a menu has for these digits, in order. A key ends it, and is returned.
pub(super) async fn said(
    call: &mut impl Call,
    loaded: &Loaded,
    digits: &str,
    keys: &str,
    ports: &Ports,
) -> Step<Option<char>> {
    for id in loaded.menu.said(digits) {
        let Some(announcement) = loaded.announcements.get(id) else { continue };
        if let Some(key) = say(call, announcement, &loaded.account_id, keys, ports).await? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Says one thing of an account by what can be had of it. A key ends it, and is returned.
pub(in crate::flows) async fn say(
    call: &mut impl Call,
    announcement: &Announcement,
    account_id: &str,
    keys: &str,
    ports: &Ports,
) -> Step<Option<char>> {
    if let Some((audio, prompt)) = Box::pin(recorded(announcement, account_id, ports)).await {
        match played(call, &[prompt], keys).await? {
            Some(key) => return Ok(key),
            None => Box::pin(ports.voicemail.cache.forget(&audio)).await,
        }
    }
    if !announcement.sound.is_empty() {
        let sounds: Vec<Prompt> = announcement.sound.split('&').map(Prompt::from).collect();
        if let Some(key) = played(call, &sounds, keys).await? {
            return Ok(key);
        }
    }
    if !announcement.text.is_empty()
        && let Some(spoken) = Box::pin(spoken(call, &announcement.text, ports)).await?
        && let Some(key) = played(call, &[Prompt(spoken.prompt())], keys).await?
    {
        return Ok(key);
    }
    tracing::warn!(prompt = announcement.id, "a prompt can neither be played nor spoken on this node");
    call.play(&[BEEP.into()], keys).await
}

/// What was recorded, as a sound of this node: as it was when the menu was read, or as it is now, if it was recorded anew since.
async fn recorded(announcement: &Announcement, account_id: &str, ports: &Ports) -> Option<(Audio, Prompt)> {
    let before = announcement.audio.as_ref()?;
    if let Some(prompt) = fetch(before, ports).await {
        return Some((before.clone(), prompt));
    }
    let mut asking = Asking::until(Instant::now() + QUESTION);
    let now = ports.store.announcement(account_id, &announcement.id, &mut asking).await.ok()??.audio?;
    let prompt = if now.id == before.id { None } else { fetch(&now, ports).await };
    prompt.map(|prompt| (now, prompt))
}

/// A text as it is spoken in the language of the call; `None` where this node does not speak.
pub(in crate::flows) async fn spoken(call: &mut impl Call, text: &str, ports: &Ports) -> Step<Option<Spoken>> {
    let language = call.get(&["CHANNEL(language)"]).await?;
    Ok(ports.speech.speak(text, language.first().map_or("", String::as_str)).await)
}

/// Plays sounds; `None` when one of them is not on this node.
async fn played(call: &mut impl Call, sounds: &[Prompt], keys: &str) -> Step<Option<Option<char>>> {
    match call.play(sounds, keys).await {
        Ok(key) => Ok(Some(key)),
        Err(Ended::Failed(fault)) => {
            tracing::warn!(%fault, "a prompt cannot be played");
            Ok(None)
        }
        Err(hangup) => Err(hangup),
    }
}
