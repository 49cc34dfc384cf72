//! The main menu (`vm_execmain`), and how a message is played (`play_message`).

use std::time::Duration;

use super::session::{Entry, Session};
use super::{End, advanced, folder_prompt, folders, options, send};
use crate::call::{Call, Ended, Prompt, Say, Step};
use crate::flows::voicemail::fetch;
use crate::phrases::{KEYS, Part, ask, sentence, speak};
use crate::store::mailbox::Folder;

/// For a key.
pub(super) const KEY: Duration = Duration::from_secs(6);
/// Questions without an answer, after which the owner has left.
pub(super) const PATIENCE: u32 = 3;
/// Keys that end a message that is played, besides `2`, which begins it anew; `#`, `*` and `0` go forward, back and pause.
const WHILE_PLAYING: &str = "123456789";

/// What follows a key.
pub(super) enum Next {
    /// This key, as if it were pressed now.
    Key(Option<char>),
    /// The end.
    End(End),
}

impl From<Option<char>> for Next {
    fn from(key: Option<char>) -> Self {
        Next::Key(key)
    }
}

/// Does what the owner asks for, `key` first, until that is to leave.
pub(super) async fn run(call: &mut impl Call, session: &mut Session<'_>, mut key: Option<char>) -> Step<End> {
    let mut unanswered = 0;
    loop {
        let Some(command) = key.take() else {
            key = instruct(call, session).await?;
            unanswered = if key.is_some() { 0 } else { unanswered + 1 };
            if unanswered >= PATIENCE {
                return Ok(End::Leave);
            }
            continue;
        };
        let next: Next = match command {
            '1' => play_at(call, session, 0).await?.into(),
            '5' => play_at(call, session, session.place().unwrap_or_default()).await?.into(),
            '4' => play_before(call, session).await?.into(),
            '6' => play_after(call, session).await?.into(),
            '2' => folders::change(call, session).await?.into(),
            '3' => advanced::run(call, session).await?,
            '7' => delete(call, session).await?.into(),
            '8' => forward(call, session).await?.into(),
            '9' => folders::save(call, session).await?.into(),
            '0' => options::run(call, session).await?.into(),
            '*' => help(call, session).await?.into(),
            '#' => return Ok(End::Leave),
            _ => call.play(&["vm-sorry".into()], KEYS).await?.into(),
        };
        match next {
            Next::Key(next) => key = next,
            Next::End(end) => return Ok(end),
        }
    }
}

/// Tells what can be done, and waits for a key (`vm_instructions_en`).
async fn instruct(call: &mut impl Call, session: &Session<'_>) -> Step<Option<char>> {
    let mut parts: Vec<Part> = Vec::new();
    match session.place() {
        None => {
            if session.len() > 0 {
                parts.push("vm-onefor".into());
                parts.push(folder_prompt(session.folder()).as_str().into());
                parts.push("vm-messages".into());
            }
            parts.push("vm-opts".into());
        }
        Some(place) => {
            if place > 0 {
                parts.push("vm-prev".into());
            }
            parts.push("vm-advopts".into());
            parts.push("vm-repeat".into());
            if place + 1 < session.len() {
                parts.push("vm-next".into());
            }
            let deleted = session.current().is_some_and(|entry| entry.deleted);
            parts.push(if deleted { "vm-undelete" } else { "vm-delete" }.into());
            parts.push("vm-toforward".into());
            parts.push("vm-savemessage".into());
        }
    }
    parts.push("vm-helpexit".into());
    ask(call, &parts, KEY).await
}

/// All that the main menu has.
async fn help(call: &mut impl Call, session: &Session<'_>) -> Step<Option<char>> {
    let folder = folder_prompt(session.folder());
    let mut parts = sentence(&["vm-onefor", &folder, "vm-messages", "vm-opts"]);
    parts.extend(sentence(&["vm-helpexit"]));
    ask(call, &parts, KEY).await
}

async fn play_before(call: &mut impl Call, session: &mut Session<'_>) -> Step<Option<char>> {
    match session.place() {
        Some(place) if place > 0 => play_at(call, session, place - 1).await,
        _ => no_more(call).await,
    }
}

async fn play_after(call: &mut impl Call, session: &mut Session<'_>) -> Step<Option<char>> {
    let next = session.place().map_or(0, |place| place + 1);
    play_at(call, session, next).await
}

pub(super) async fn no_more(call: &mut impl Call) -> Step<Option<char>> {
    call.play(&["vm-nomore".into()], KEYS).await
}

async fn delete(call: &mut impl Call, session: &mut Session<'_>) -> Step<Option<char>> {
    let Some(entry) = session.current_mut() else { return no_more(call).await };
    entry.deleted = !entry.deleted;
    let said = if entry.deleted { "vm-deleted" } else { "vm-undeleted" };
    call.play(&[said.into()], KEYS).await
}

async fn forward(call: &mut impl Call, session: &mut Session<'_>) -> Step<Option<char>> {
    let Some(entry) = session.current().cloned() else { return no_more(call).await };
    send::forward(call, session, &entry.message).await
}

/// Plays a message of the folder: its place, its envelope, then itself. Any key that means something ends it, and is returned.
async fn play_at(call: &mut impl Call, session: &mut Session<'_>, place: usize) -> Step<Option<char>> {
    if !session.go(place) {
        return no_more(call).await;
    }
    let Some(entry) = session.current().cloned() else { return no_more(call).await };
    let mut parts = heading(session, place, &entry);
    let wanted = session.mailbox.envelope;
    if wanted.time {
        parts.extend(time(session, &entry));
    }
    if wanted.caller {
        parts.extend(caller(session, &entry).await);
    }
    if wanted.duration {
        parts.extend(duration(&entry));
    }
    match speak(call, &parts, KEYS).await? {
        // 1 goes on to the message itself.
        None | Some('1') => {}
        key => return Ok(key),
    }
    listen(call, session, &entry).await
}

/// `First`, `last` or the number; urgent or not; `message`.
fn heading(session: &Session<'_>, place: usize, entry: &Entry) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let last = place + 1 == session.len();
    if place == 0 {
        parts.push("vm-first".into());
    } else if last {
        parts.push("vm-last".into());
    }
    if entry.message.urgent && session.folder() == Folder::Inbox {
        parts.push("vm-Urgent".into());
    }
    parts.push("vm-message".into());
    if place > 0 && !last {
        parts.push(Say::Number(i64::try_from(place + 1).unwrap_or(i64::MAX)).into());
    }
    parts
}

/// When it was left, in the mailbox's time zone.
pub(super) fn time(session: &Session<'_>, entry: &Entry) -> Vec<Part> {
    let at = Say::DateTime(entry.message.left_at.timestamp(), session.mailbox.time_zone.clone());
    vec!["vm-received".into(), at.into()]
}

/// Who left it: the name as its owner recorded it, where the caller has a mailbox of the account, else the number.
pub(super) async fn caller(session: &Session<'_>, entry: &Entry) -> Vec<Part> {
    let message = &entry.message;
    if let Some(line_id) = &message.line_id
        && let Some(name) = recorded_name(session, line_id).await
    {
        return vec!["vm-from".into(), name];
    }
    let digits: String = message.caller_number.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return vec!["vm-unknown-caller".into()];
    }
    let from = if message.line_id.is_some() && digits.len() < 7 { "vm-from-extension" } else { "vm-from-phonenumber" };
    vec![from.into(), Say::Digits(digits).into()]
}

async fn recorded_name(session: &Session<'_>, line_id: &str) -> Option<Part> {
    let mut asking = super::asking();
    let store = &session.ports.store;
    let id = store.mailbox_of_line(line_id, &mut asking).await.ok()??;
    let greetings = store.greetings(&id, &mut asking).await.ok()?;
    let (_, audio) = greetings.into_iter().find(|(kind, _)| *kind == crate::store::mailbox::GreetingKind::Name)?;
    fetch(&audio, session.ports).await.map(Part::Play)
}

/// How long it is, in begun minutes.
pub(super) fn duration(entry: &Entry) -> Vec<Part> {
    let minutes = (entry.message.audio.duration_ms + 59_999) / 60_000;
    vec!["vm-duration".into(), Say::Number(minutes).into(), "vm-minutes".into()]
}

/// Plays a message; `2` begins it anew.
async fn listen(call: &mut impl Call, session: &mut Session<'_>, entry: &Entry) -> Step<Option<char>> {
    loop {
        let Some(sound) = fetch(&entry.message.audio, session.ports).await else {
            // Deleted by somebody else, or out of reach.
            return call.play(&["im-sorry".into()], KEYS).await;
        };
        if let Some(entry) = session.current_mut() {
            entry.heard = true;
        }
        match play(call, session, entry, &sound).await? {
            Some('2') => {}
            key => return Ok(key),
        }
    }
}

/// The cache may vanish between a look and Asterisk's own: then the message is fetched once more.
async fn play(call: &mut impl Call, session: &Session<'_>, entry: &Entry, sound: &Prompt) -> Step<Option<char>> {
    match call.listen(sound, WHILE_PLAYING).await {
        Err(Ended::Failed(fault)) => {
            session.ports.voicemail.cache.forget(&entry.message.audio).await;
            match fetch(&entry.message.audio, session.ports).await {
                // Damaged audio is one message, and not the whole mailbox.
                Some(again) => match call.listen(&again, WHILE_PLAYING).await {
                    Err(Ended::Failed(fault)) => {
                        tracing::error!(audio = %entry.message.audio.id, %fault, "a message cannot be played");
                        call.play(&["im-sorry".into()], KEYS).await
                    }
                    outcome => outcome,
                },
                None => Err(Ended::Failed(fault)),
            }
        }
        outcome => outcome,
    }
}
