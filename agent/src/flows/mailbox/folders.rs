//! Folders: going to another, and saving a message in one (`get_folder2`).

use super::folder_prompt;
use super::menu::{KEY, PATIENCE, no_more};
use super::session::Session;
use crate::call::{Call, Say, Step};
use crate::phrases::{KEYS, Part, ask};
use crate::store::mailbox::Folder;

/// Goes to another folder.
pub(super) async fn change(call: &mut impl Call, session: &mut Session<'_>) -> Step<Option<char>> {
    let Some(folder) = choose(call, "vm-changeto", 0).await? else { return Ok(None) };
    session.change_folder(folder).await;
    call.play(&[folder_prompt(folder).as_str().into(), "vm-messages".into()], KEYS).await
}

/// Saves the current message in a folder, which holds when the folder that it is in is left.
pub(super) async fn save(call: &mut impl Call, session: &mut Session<'_>) -> Step<Option<char>> {
    let Some(place) = session.place() else { return no_more(call).await };
    let Some(folder) = choose(call, "vm-savefolder", 1).await? else { return Ok(None) };
    let Some(entry) = session.current_mut() else { return no_more(call).await };
    entry.saved_to = Some(folder);
    entry.heard = true;
    entry.deleted = false;
    let number = Say::Number(i64::try_from(place + 1).unwrap_or(i64::MAX));
    let parts: [Part; 5] = [
        "vm-message".into(),
        number.into(),
        "vm-savedto".into(),
        folder_prompt(folder).as_str().into(),
        "vm-messages".into(),
    ];
    crate::phrases::speak(call, &parts, KEYS).await
}

/// Asks for a folder, from the `first` on; `None` when the owner wants none.
async fn choose(call: &mut impl Call, prompt: &str, first: usize) -> Step<Option<Folder>> {
    for nth in 0..PATIENCE {
        let mut parts: Vec<Part> = if nth == 0 { vec![prompt.into()] } else { Vec::new() };
        for (key, folder) in Folder::ALL.iter().enumerate().skip(first) {
            parts.push("vm-press".into());
            parts.push(Say::Number(i64::try_from(key).unwrap_or_default()).into());
            parts.push("vm-for".into());
            parts.push(folder_prompt(*folder).as_str().into());
            parts.push("vm-messages".into());
        }
        parts.push("vm-tocancel".into());
        match ask(call, &parts, KEY).await? {
            Some('#') => return Ok(None),
            Some(key) => {
                let place = key.to_digit(10).and_then(|digit| usize::try_from(digit).ok());
                match place.filter(|place| *place >= first).and_then(|place| Folder::ALL.get(place)) {
                    Some(folder) => return Ok(Some(*folder)),
                    None => drop(call.play(&["vm-sorry".into()], "").await?),
                }
            }
            None => {}
        }
    }
    Ok(None)
}
