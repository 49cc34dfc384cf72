//! Advanced options: reply, call back, envelope, dial out, send a message (`vm_execmain`, `advanced_options`).

use super::menu::{self, KEY, Next, PATIENCE};
use super::session::Session;
use super::{End, send};
use crate::call::{Call, Say, Step};
use crate::phrases::{KEYS, Part, ask, sentence, speak};

/// Longest number.
const LONGEST: usize = 32;

/// The menu, until the owner goes back or calls somebody.
pub(super) async fn run(call: &mut impl Call, session: &mut Session<'_>) -> Step<Next> {
    let mut key = None;
    let mut unanswered = 0;
    loop {
        let message = session.current().cloned();
        let Some(command) = key.take() else {
            let mailbox = &session.mailbox;
            let line = mailbox.line_id.is_some();
            let mut prompts = Vec::new();
            if message.is_some() {
                prompts.push("vm-toreply");
                if line && mailbox.call_back {
                    prompts.push("vm-tocallback");
                }
                prompts.push("vm-tohearenv");
            }
            if line && mailbox.dial_out {
                prompts.push("vm-tomakecall");
            }
            if mailbox.send_messages {
                prompts.push("vm-leavemsg");
            }
            prompts.push("vm-starmain");
            key = ask(call, &sentence(&prompts), KEY).await?;
            unanswered = if key.is_some() { 0 } else { unanswered + 1 };
            if unanswered >= PATIENCE {
                return Ok(None.into());
            }
            continue;
        };
        match (command, message) {
            ('1', Some(entry)) => return send::reply(call, session, &entry.message).await.map(Next::from),
            ('2', Some(entry)) if session.mailbox.call_back => {
                if let Some(end) = call_back(call, session, &entry.message.caller_number).await? {
                    return Ok(Next::End(end));
                }
                return Ok(None.into());
            }
            ('3', Some(entry)) => {
                let mut parts = menu::time(session, &entry);
                parts.extend(menu::caller(session, &entry).await);
                parts.extend(menu::duration(&entry));
                return speak(call, &parts, KEYS).await.map(Next::from);
            }
            ('4', _) if session.mailbox.dial_out => {
                if let Some(end) = dial_out(call, session).await? {
                    return Ok(Next::End(end));
                }
                return Ok(None.into());
            }
            ('5', _) if session.mailbox.send_messages => return send::new(call, session).await.map(Next::from),
            ('*' | '#', _) => return Ok(None.into()),
            _ => key = call.play(&["vm-sorry".into()], KEYS).await?,
        }
    }
}

/// Calls the one who left a message, or another number, if the owner may.
async fn call_back(call: &mut impl Call, session: &Session<'_>, number: &str) -> Step<Option<End>> {
    let Some(line_id) = session.mailbox.line_id.clone() else {
        return call.play(&["vm-sorry".into()], "").await.map(|_| None);
    };
    let number: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    for _ in 0..PATIENCE {
        let mut parts: Vec<Part> = if number.is_empty() {
            vec!["vm-nonumber".into()]
        } else {
            let digits = number.trim_start_matches('+').to_owned();
            vec!["vm-num-i-have".into(), Say::Digits(digits).into(), "vm-tocallnum".into()]
        };
        if session.mailbox.dial_out {
            parts.push(if number.is_empty() { "vm-toenternumber" } else { "vm-calldiffnum" }.into());
        }
        parts.push("vm-star-cancel".into());
        match ask(call, &parts, KEY).await? {
            Some('1') if !number.is_empty() => return Ok(Some(End::Call(line_id, number))),
            Some('1' | '2') if session.mailbox.dial_out => return dial_out(call, session).await,
            Some('*' | '#') => return Ok(None),
            Some(_) => drop(call.play(&["vm-sorry".into()], "").await?),
            None => {}
        }
    }
    Ok(None)
}

/// Calls a number that is keyed in. Who may call what, the line's permissions say.
async fn dial_out(call: &mut impl Call, session: &Session<'_>) -> Step<Option<End>> {
    let Some(line_id) = session.mailbox.line_id.clone() else {
        return call.play(&["vm-sorry".into()], "").await.map(|_| None);
    };
    for _ in 0..PATIENCE {
        let prompts = ["vm-enter-num-to-call".into(), "vm-then-pound".into(), "vm-star-cancel".into()];
        let keyed = call.collect(&prompts, LONGEST, KEY).await?.keys;
        if keyed.starts_with('*') {
            return Ok(None);
        }
        if !keyed.is_empty() {
            return Ok(Some(End::Call(line_id, keyed)));
        }
    }
    Ok(None)
}
