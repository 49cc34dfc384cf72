//! A web server says what comes next. It may name only what belongs to the account, or one of the menu's own options; whatever else it does, the lookup's
//! fallback holds.

use super::{Walk, say};
use crate::call::{Call, Step};
use crate::lookup::{Answer, Question};
use crate::phrases::KEYS;
use crate::store::StoreError;
use crate::store::menu::{Action, Announcement, Loaded, Lookup};
use crate::store::target::TargetKind;

/// What is said while it is asked where the menu says nothing.
const MOMENT: &str = "one-moment-please";
/// Prompts that it may have said at the most.
const SAID: usize = 8;

/// Asks the server of a lookup, while what the menu has for `digits` is said. `None` when there is no such lookup.
pub(super) async fn ask(
    call: &mut impl Call,
    loaded: &Loaded,
    id: &str,
    digits: &str,
    walk: &mut Walk<'_>,
) -> Step<Option<Action>> {
    let lookup = match walk.ports.store.lookup(&loaded.account_id, id, &mut walk.asking()).await {
        Ok(Some(lookup)) => lookup,
        Ok(None) => {
            tracing::warn!(lookup = id, account_id = loaded.account_id, "there is no such lookup");
            return Ok(None);
        }
        Err(error) => {
            tracing::warn!(lookup = id, %error, "a lookup cannot be read");
            return Ok(None);
        }
    };
    walk.answer(call).await?;
    let asked = lookup.digits > 0;
    if asked {
        walk.keyed = keys(call, loaded, digits, &lookup, walk).await?;
    }
    let withheld = withheld(call).await?;
    let caller = call.caller();
    let shown = |text: &str| if withheld { String::new() } else { text.to_owned() };
    let question = Question {
        caller: shown(&caller.number),
        name: shown(&caller.name),
        dialled: caller.dialled.clone(),
        menu: loaded.menu.id.clone(),
        digits: walk.keyed.clone(),
        uniqueid: caller.uniqueid.clone(),
    };
    let ports = walk.ports;
    let asking = async { Ok(ports.lookups.ask(&lookup.method, &lookup.url, &question, lookup.patience).await) };
    let saying = async {
        if asked || loaded.menu.said(digits).is_empty() {
            call.play(&[MOMENT.into()], "").await.map(drop)
        } else {
            say::said(call, loaded, digits, "", ports).await.map(drop)
        }
    };
    // A caller who hangs up ends both.
    let (answer, ()) = tokio::try_join!(asking, saying)?;
    let believed = match answer {
        Ok(answer) => believe(&answer, loaded, walk).await,
        Err(why) => Err(why),
    };
    let outcome = if believed.is_ok() { "answered" } else { "fallback" };
    metrics::counter!("tandem_menu_lookups_total", "outcome" => outcome).increment(1);
    match believed {
        Ok((announcements, action)) => {
            for announcement in &announcements {
                say::say(call, announcement, &loaded.account_id, "", ports).await?;
            }
            Ok(Some(action))
        }
        Err(why) => {
            tracing::warn!(lookup = id, why, "a lookup came to nothing; its fallback holds");
            Ok(Some(lookup.fallback))
        }
    }
}

/// Whether the caller's number and name are not to be told: the line withholds them, or a carrier says so.
async fn withheld(call: &mut impl Call) -> Step<bool> {
    let told = call.get(&["TANDEM_PRIVACY", "CALLERID(pres)"]).await?;
    Ok(matches!(told.as_slice(), [privacy, presentation] if privacy == "1" || presentation.starts_with("prohib")))
}

/// Asks for what the server wants to know.
async fn keys(call: &mut impl Call, loaded: &Loaded, digits: &str, lookup: &Lookup, walk: &Walk<'_>) -> Step<String> {
    let mut keys = String::new();
    if loaded.menu.said(digits).is_empty() {
        call.play(&[say::BEEP.into()], "").await?;
    }
    match say::said(call, loaded, digits, KEYS, walk.ports).await? {
        Some('#') => return Ok(keys),
        Some(key) => keys.push(key),
        None => {}
    }
    if keys.len() < lookup.digits {
        keys.push_str(&call.collect(&[], lookup.digits - keys.len(), loaded.menu.timeout).await?.keys);
    }
    Ok(keys)
}

/// What it said, if it may say so; else why not.
async fn believe(answer: &Answer, loaded: &Loaded, walk: &Walk<'_>) -> Result<(Vec<Announcement>, Action), String> {
    let (store, account_id) = (&walk.ports.store, &loaded.account_id);
    let unknown = |error: StoreError| format!("its answer cannot be looked up: {error}");
    let asking = &mut walk.asking();
    if answer.say.len() > SAID {
        return Err(format!("it has more than {SAID} prompts said"));
    }
    let mut announcements = Vec::new();
    for id in &answer.say {
        let announcement = store.announcement(account_id, id, asking).await.map_err(unknown)?;
        announcements
            .push(announcement.ok_or_else(|| format!("it has {id:?} said, which is no prompt of the account"))?);
    }
    let action = if answer.option.is_empty() {
        Action::read(&answer.action, &answer.target)
            .ok_or_else(|| format!("{:?} {:?} is no action", answer.action, answer.target))?
    } else {
        let option = loaded.menu.keys().find(|digits| *digits == answer.option);
        let action = option.and_then(|digits| loaded.menu.options.get(digits)).cloned();
        let action = action.ok_or_else(|| format!("the menu has no option {:?}", answer.option))?;
        // It would ask for ever.
        return if matches!(action, Action::Lookup(_)) {
            Err("its option is a lookup".to_owned())
        } else {
            Ok((announcements, action))
        };
    };
    let belongs = match &action {
        Action::Line(id) => store.target(account_id, TargetKind::Line, id, asking).await.map_err(unknown)?.is_some(),
        Action::RingGroup(id) => {
            store.target(account_id, TargetKind::RingGroup, id, asking).await.map_err(unknown)?.is_some()
        }
        Action::Mailbox(id) => {
            store.target(account_id, TargetKind::Mailbox, id, asking).await.map_err(unknown)?.is_some()
        }
        Action::Menu(id) => store.target(account_id, TargetKind::Menu, id, asking).await.map_err(unknown)?.is_some(),
        Action::Extension(number) => store.extension(account_id, number, asking).await.map_err(unknown)?.is_some(),
        Action::Operator => !loaded.menu.operator.is_empty(),
        Action::Say | Action::HangUp => true,
        // What the menu itself does not lead to cannot be known to belong to the account.
        Action::Number(_)
        | Action::Directory(_)
        | Action::Queue(_)
        | Action::Conference(_)
        | Action::Language(_)
        | Action::Lookup(_) => false,
    };
    if belongs {
        Ok((announcements, action))
    } else {
        Err(format!("it wants {action}, which is none of the account's"))
    }
}
