//! The flow `menu`: a caller hears what there is, and presses keys (IVR).
//!
//! `AGI(agi://<agent>/menu/<menu id>/<depth>)`. Menus that lead to menus stay within the session, one question to the store for each. What the caller is
//! connected with ends it: the dialplan acts on `TANDEM_ACTION`, so that no talking call needs the agent. A menu whose conditions send the call on at once does
//! not answer it.
//!
//! However menus lead to each other, a call ends: `depth` counts the menus that it came through, and each time that one begins again, over all of its sessions.
//! [`input`] is what is keyed in, [`say`] what is said, [`lookup`] asks web servers, [`end`] tells the dialplan.

mod end;
mod input;
mod lookup;
pub(super) mod say;

use std::time::Duration;

use chrono::Utc;
use tokio::time::Instant;

use self::end::End;
use self::input::Keyed;
use super::Ports;
use super::language::Language;
use crate::call::{Call, Fault, Step};
use crate::store::asking::Asking;
use crate::store::caller::Status;
use crate::store::menu::{Action, GREETING, INVALID, Loaded, TIMEOUT};

/// Menus that a call may come through, and times that one may begin again.
pub const DEPTH: u32 = 30;
/// For the questions before the call is answered: the dialplan's guard waits.
const FIRST: Duration = Duration::from_millis(600);
/// For a question while the caller waits.
const QUESTION: Duration = Duration::from_secs(2);
/// What is said of a wrong key where the menu says nothing of its own.
const WRONG: &str = "pbx-invalid";

/// A call on its way through menus.
struct Walk<'a> {
    ports: &'a Ports,
    /// Until when questions are answered as long as the call is not.
    first: Instant,
    answered: bool,
    /// What was keyed in last.
    keyed: String,
    language: Language,
}

impl Walk<'_> {
    fn asking(&self) -> Asking {
        Asking::until(if self.answered { Instant::now() + QUESTION } else { self.first })
    }

    async fn answer(&mut self, call: &mut impl Call) -> Step<()> {
        self.answered = true;
        call.answer().await
    }

    /// A menu of the account; `None` when it has none of this id, or nobody can be asked.
    async fn load(&self, id: &str, account_id: &str) -> Option<Loaded> {
        match Box::pin(self.ports.store.menu(id, &mut self.asking())).await {
            Ok(loaded) => {
                let found = loaded.filter(|loaded| loaded.account_id == account_id);
                if found.is_none() {
                    tracing::warn!(
                        menu = id,
                        account_id,
                        "there is no such menu; `tandem menu check` names what leads there"
                    );
                }
                found
            }
            Err(error) => {
                tracing::warn!(menu = id, %error, "a menu cannot be read");
                None
            }
        }
    }
}

/// Leads a caller through menus.
///
/// # Errors
/// The caller hung up, or there is no such menu.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let (id, depth) = match arguments {
        [id] => (id, 0),
        // What is no number is no count of ours.
        [id, depth] => (id, depth.parse().unwrap_or(DEPTH)),
        _ => return Err(Fault("menu wants the id of a menu, and may be told the depth".to_owned()).into()),
    };
    let mut walk = Walk {
        ports,
        first: Instant::now() + FIRST,
        answered: false,
        keyed: String::new(),
        language: Language::default(),
    };
    // Questions are boxed: callers, who stay long in menus, would carry their space along.
    let loaded = Box::pin(ports.store.menu(id, &mut walk.asking())).await;
    let loaded = loaded.map_err(|error| Fault(format!("menu {id} cannot be read: {error}")))?;
    let loaded = loaded.filter(|loaded| loaded.account_status == Status::Active);
    let loaded = loaded.ok_or_else(|| Fault(format!("there is no menu {id}, or its account is not active")))?;
    let (end, menu, depth) = Box::pin(through(call, loaded, depth, &mut walk)).await?;
    let outcome = end.name();
    metrics::counter!("tandem_menu_calls_total", "end" => outcome).increment(1);
    end.tell(call, &menu, depth).await?;
    Ok(outcome)
}

/// From menu to menu, until the call goes on elsewhere; from which menu, and how deep it came.
async fn through(
    call: &mut impl Call,
    mut loaded: Loaded,
    mut depth: u32,
    walk: &mut Walk<'_>,
) -> Step<(End, String, u32)> {
    let mut conditions = true;
    loop {
        depth = depth.saturating_add(1);
        if depth > DEPTH {
            tracing::warn!(menu = loaded.menu.id, depth, "a call that goes round in menus is ended");
            return Ok((End::Depth, loaded.menu.id, depth));
        }
        let decided = if conditions { decided(&loaded) } else { None };
        let (action, digits) = match decided {
            Some(action) => (action, String::new()),
            None => {
                walk.answer(call).await?;
                walk.language.propose(call, &loaded.menu.language).await?;
                converse(call, &loaded, walk).await?
            }
        };
        let action = match action {
            Action::Lookup(id) => match Box::pin(lookup::ask(call, &loaded, &id, &digits, walk)).await? {
                Some(action) => action,
                None => return Ok((End::Sorry, loaded.menu.id, depth)),
            },
            action => action,
        };
        match action {
            Action::Menu(id) => match walk.load(&id, &loaded.account_id).await {
                Some(next) => (loaded, conditions) = (next, true),
                None => return Ok((End::Sorry, loaded.menu.id, depth)),
            },
            Action::Say => conditions = false,
            Action::Language(name) => {
                walk.answer(call).await?;
                walk.language.choose(call, &name).await?;
                conditions = false;
            }
            action => {
                let end = End::of(action, &loaded, call.caller(), walk.ports);
                return Ok((end, loaded.menu.id, depth));
            }
        }
    }
}

/// What the menu's conditions say at this moment.
fn decided(loaded: &Loaded) -> Option<Action> {
    let now = Utc::now();
    let holds = |id: &str| loaded.schedules.get(id).is_some_and(|schedule| schedule.holds(now, loaded.time_zone));
    let conditions = &loaded.menu.conditions;
    let first = conditions.iter().find(|condition| holds(&condition.schedule_id) == condition.during);
    first.map(|condition| condition.action.clone())
}

/// Greets, and asks for keys until something comes of it: what it is, and the digits for which it was said what is said.
async fn converse(call: &mut impl Call, loaded: &Loaded, walk: &mut Walk<'_>) -> Step<(Action, String)> {
    let menu = &loaded.menu;
    // What is said for them was said by then.
    let at_the_end = |digits: &str| (menu.options.get(digits).cloned().unwrap_or(Action::HangUp), String::new());
    let keys = input::first_keys(menu);
    let (mut timeouts, mut wrong) = (0, 0);
    // A key that came while the caller was told of none, or of a wrong one: the greeting is known.
    let mut pressed = None;
    loop {
        let key = match pressed.take() {
            Some(key) => Some(key),
            None => say::said(call, loaded, GREETING, &keys, walk.ports).await?,
        };
        if !menu.asks() {
            return Ok(at_the_end(TIMEOUT));
        }
        match input::read(call, loaded, key, walk).await? {
            Keyed::Nothing => {
                timeouts += 1;
                pressed = say::said(call, loaded, TIMEOUT, &keys, walk.ports).await?;
                if pressed.is_none() && timeouts >= menu.max_timeouts {
                    return Ok(at_the_end(TIMEOUT));
                }
            }
            Keyed::Wrong => {
                wrong += 1;
                let keys = if wrong < menu.max_invalid { keys.as_str() } else { "" };
                pressed = if menu.said(INVALID).is_empty() {
                    call.play(&[WRONG.into()], keys).await?
                } else {
                    say::said(call, loaded, INVALID, keys, walk.ports).await?
                };
                if wrong >= menu.max_invalid {
                    return Ok(at_the_end(INVALID));
                }
            }
            Keyed::Option(digits) => {
                let action = menu.options.get(&digits).cloned().unwrap_or(Action::HangUp);
                // A lookup says it while the server is asked.
                if !matches!(action, Action::Lookup(_)) {
                    say::said(call, loaded, &digits, "", walk.ports).await?;
                }
                return Ok((action, digits));
            }
            Keyed::Extension(extension) => return Ok((Action::Extension(extension), String::new())),
        }
    }
}
