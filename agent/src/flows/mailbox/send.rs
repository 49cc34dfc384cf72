//! Sending: a message forwarded, with or without a comment before it, a reply, and a new message (`forward_message`).

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use uuid::Uuid;

use super::asking;
use super::menu::{KEY, PATIENCE};
use super::session::Session;
use crate::call::{Call, Ended, Step};
use crate::flows::directory::{self, Found};
use crate::flows::recording::{self, Manner, Passing};
use crate::phrases::{KEYS, ask, sentence};
use crate::store::directory::Directory;
use crate::store::mailbox::{Folder, Mailbox, Message, NewMessage};
use crate::voicemail::drafts::Notes;
use crate::voicemail::item::Item;

/// Longest list of numbers that is keyed in.
const LONGEST: usize = 200;
/// Mailboxes of one message at the most.
const MAILBOXES: usize = 32;

/// What is sent, besides the audio.
struct Letter<'a> {
    urgent: bool,
    /// The message that is forwarded.
    original: Option<&'a Message>,
}

/// Forwards a message.
pub(super) async fn forward(call: &mut impl Call, session: &mut Session<'_>, message: &Message) -> Step<Option<char>> {
    let to = choose(call, session).await?;
    if to.is_empty() {
        return Ok(None);
    }
    let mut comment = None;
    for nth in 0..PATIENCE {
        match ask(call, &sentence(&["vm-forwardoptions", "vm-starmain"]), KEY).await? {
            Some('1') => comment = Some(true),
            Some('2') => comment = Some(false),
            Some('*' | '#') => return Ok(None),
            Some(_) => drop(call.play(&["vm-sorry".into()], "").await?),
            None if nth + 1 == PATIENCE => return Ok(None),
            None => {}
        }
        if comment.is_some() {
            break;
        }
    }
    let letter = Letter { urgent: message.urgent, original: Some(message) };
    match comment {
        Some(true) => with_comment(call, session, &to, &letter, message).await,
        Some(false) => as_it_is(call, session, &to, &letter, message).await,
        None => Ok(None),
    }
}

/// Replies to a message: to the mailbox of the line that left it, or of the number.
pub(super) async fn reply(call: &mut impl Call, session: &mut Session<'_>, message: &Message) -> Step<Option<char>> {
    let store = &session.ports.store;
    let mut asking = asking();
    let mut id = None;
    if let Some(line_id) = &message.line_id {
        id = store.mailbox_of_line(line_id, &mut asking).await.ok().flatten();
    }
    if id.is_none() && !message.caller_number.is_empty() {
        let account = &session.mailbox.account_id;
        id = store.mailbox_of_account(account, &message.caller_number, &mut asking).await.ok().flatten();
    }
    let mailbox = match id {
        Some(id) => store.mailbox(&id, &mut asking).await.ok().flatten(),
        None => None,
    };
    match mailbox.filter(|mailbox| mailbox.account_id == session.mailbox.account_id) {
        Some(mailbox) => record_and_send(call, session, &[mailbox]).await,
        None => call.play(&["vm-nobox".into()], KEYS).await,
    }
}

/// Sends a new message.
pub(super) async fn new(call: &mut impl Call, session: &mut Session<'_>) -> Step<Option<char>> {
    let to = choose(call, session).await?;
    if to.is_empty() {
        return Ok(None);
    }
    record_and_send(call, session, &to).await
}

/// Asks to whom: by number (several, split by `*`), or by name.
async fn choose(call: &mut impl Call, session: &Session<'_>) -> Step<Vec<Mailbox>> {
    let account = session.mailbox.account_id.clone();
    for _ in 0..PATIENCE {
        let ids = match ask(call, &sentence(&["vm-forward"]), KEY).await? {
            Some('1') => {
                let keyed = call.collect(&["vm-extension".into()], LONGEST, KEY).await?.keys;
                let mut ids = Vec::new();
                for number in keyed.split('*').filter(|number| !number.is_empty()).take(MAILBOXES) {
                    let id = session.ports.store.mailbox_of_account(&account, number, &mut asking()).await;
                    ids.push(id.ok().flatten());
                }
                ids
            }
            Some('2') => {
                let everybody = Directory::of_account(&account);
                match directory::choose(call, &everybody, session.ports).await? {
                    Found::Person(person) => vec![Some(person.mailbox_id)],
                    _ => return Ok(Vec::new()),
                }
            }
            Some('*' | '#') => return Ok(Vec::new()),
            Some(_) => {
                call.play(&["vm-sorry".into()], "").await?;
                continue;
            }
            None => continue,
        };
        let mut mailboxes = Vec::new();
        for id in ids.iter().flatten() {
            mailboxes.extend(session.ports.store.mailbox(id, &mut asking()).await.ok().flatten());
        }
        if !mailboxes.is_empty() && mailboxes.len() == ids.len() {
            return Ok(mailboxes);
        }
        // All or none: the owner is to know who gets it.
        call.play(&["pbx-invalid".into()], "").await?;
    }
    Ok(Vec::new())
}

async fn as_it_is(
    call: &mut impl Call,
    session: &Session<'_>,
    to: &[Mailbox],
    letter: &Letter<'_>,
    message: &Message,
) -> Step<Option<char>> {
    let Some(items) = items(call, session, to, letter).await? else { return Ok(None) };
    let by = tokio::time::Instant::now() + super::QUESTION;
    let sent = match session.ports.voicemail.cache.fetch(&message.audio, by).await {
        Ok(path) => {
            session.ports.voicemail.clerk.copy(&path, message.audio.format, items).await.map_err(|e| e.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    told(call, sent).await
}

/// Records a comment, and sends it with the message behind it.
async fn with_comment(
    call: &mut impl Call,
    session: &Session<'_>,
    to: &[Mailbox],
    letter: &Letter<'_>,
    message: &Message,
) -> Step<Option<char>> {
    let Some(items) = items(call, session, to, letter).await? else { return Ok(None) };
    let voicemail = &session.ports.voicemail;
    let draft = voicemail.clerk.draft();
    let _file = Passing(draft.recording());
    let recorded = recording::record(call, &draft, &manner(session, "vm-record-prepend", false), voicemail).await;
    if let Some(ended) = recorded.ended {
        return Err(ended);
    }
    if !recorded.keep {
        return Ok(None);
    }
    let whole = voicemail.clerk.draft();
    let _whole = Passing(whole.recording());
    let by = tokio::time::Instant::now() + super::QUESTION;
    let joined = match voicemail.cache.fetch(&message.audio, by).await {
        Ok(path) => {
            let parts: [&Path; 2] = [&draft.recording(), &path];
            voicemail.sox.join(&parts, &whole.recording()).await.map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    let sent = match joined {
        Ok(()) => voicemail.clerk.file(&whole, items, 0).await.map(drop).map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    told(call, sent).await
}

/// Records a message and sends it. When the owner hangs up, it is sent as it is, as a caller's would be.
async fn record_and_send(call: &mut impl Call, session: &Session<'_>, to: &[Mailbox]) -> Step<Option<char>> {
    let letter = Letter { urgent: false, original: None };
    let Some(mut items) = items(call, session, to, &letter).await? else { return Ok(None) };
    let voicemail = &session.ports.voicemail;
    let draft = voicemail.clerk.draft();
    let messages = items.iter().filter_map(|item| match item {
        Item::Message(message) => Some(message.clone()),
        _ => None,
    });
    let manner = manner(session, "vm-intro", true);
    let notes = Notes {
        messages: messages.collect(),
        least_ms: u64::try_from(manner.least.as_millis()).unwrap_or_default(),
        gain_db: 0,
    };
    call.play(&["vm-intro".into()], "#").await?;
    if let Err(error) = voicemail.clerk.note(&draft, &notes).await {
        return told(call, Err(error.to_string())).await;
    }
    let recorded = recording::record(call, &draft, &manner, voicemail).await;
    if !recorded.keep {
        voicemail.clerk.discard(&draft).await;
        return recorded.ended.map_or(Ok(None), Err);
    }
    for item in &mut items {
        if let Item::Message(message) = item {
            message.urgent = recorded.urgent;
        }
    }
    let sent = voicemail.clerk.file(&draft, items, 0).await.map(drop);
    if let Some(ended) = recorded.ended {
        if let Err(error) = sent {
            tracing::error!(%error, "a message waits beside the spool; look at voicemail.spool and its disk");
        }
        return Err(ended);
    }
    told(call, sent.map_err(|error| error.to_string())).await
}

/// The message as it goes into each mailbox that has room; `None`, once that was told, when none has.
async fn items(
    call: &mut impl Call,
    session: &Session<'_>,
    to: &[Mailbox],
    letter: &Letter<'_>,
) -> Step<Option<Vec<Item>>> {
    let sender = &session.mailbox;
    let now = Utc::now();
    let uniqueid = call.caller().uniqueid.clone();
    let item = |mailbox: &Mailbox| {
        // A forwarded message is still from the one who left it.
        let (caller_number, caller_name, line_id) = match letter.original {
            Some(original) => (original.caller_number.clone(), original.caller_name.clone(), original.line_id.clone()),
            None => (sender.number.clone(), sender.name.clone(), sender.line_id.clone()),
        };
        Item::Message(NewMessage {
            id: Uuid::now_v7(),
            mailbox_id: mailbox.id.clone(),
            folder: Folder::Inbox,
            urgent: letter.urgent,
            caller_number,
            caller_name,
            line_id,
            forwarded_by: letter.original.map(|_| sender.id.clone()),
            left_at: now,
            uniqueid: uniqueid.clone(),
        })
    };
    let items: Vec<Item> = to.iter().filter(|mailbox| !mailbox.is_full()).map(item).collect();
    if items.is_empty() {
        call.play(&["vm-mailboxfull".into()], "").await?;
        return Ok(None);
    }
    Ok(Some(items))
}

fn manner<'a>(session: &Session<'_>, prompt: &'a str, message: bool) -> Manner<'a> {
    let limits = &session.mailbox.limits;
    let seconds = |seconds: i32| Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    Manner {
        prompt,
        message,
        review: true,
        operator: false,
        longest: seconds(limits.seconds),
        least: seconds(limits.least_seconds),
        silence: seconds(limits.silence_seconds),
    }
}

/// Tells whether it was sent.
async fn told(call: &mut impl Call, sent: Result<(), String>) -> Result<Option<char>, Ended> {
    match sent {
        Ok(()) => call.play(&["vm-msgforwarded".into()], KEYS).await,
        Err(error) => {
            tracing::error!(error, "a message could not be sent");
            call.play(&["im-sorry".into()], KEYS).await
        }
    }
}
