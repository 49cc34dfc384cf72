//! A menu: what is said, where keys lead, and what decides before; and the other things of an account's menus.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chrono_tz::Tz;

use super::caller::Status;
use super::mailbox::Audio;
use super::schedule::Schedule;

/// The digits of what is said first (Asterisk's start extension).
pub const GREETING: &str = "s";
/// The digits of what holds when no key was pressed.
pub const TIMEOUT: &str = "t";
/// The digits of what holds when wrong keys were.
pub const INVALID: &str = "i";

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident $(($what:ident))? = $word:literal,)*) => {
        /// Where a key, a condition or a lookup leads.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Action {
            $($(#[$doc])* $variant $(($what))?,)*
        }

        impl Action {
            /// The words for them.
            pub const NAMES: &[&str] = &[$($word),*];

            /// As the database calls it.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(actions!(@pattern $variant _target $(($what))?) => $word,)* }
            }

            /// Its id, name or number; empty where it needs none.
            #[must_use]
            pub fn target(&self) -> &str {
                match self { $(actions!(@pattern $variant target $(($what))?) => actions!(@target target $(($what))?),)* }
            }

            /// The one of these words; `None` when there is none, or when it has a target that it does not need, or has none.
            #[must_use]
            pub fn read(name: &str, target: &str) -> Option<Action> {
                match name {
                    $($word => actions!(@read $variant target $(($what))?),)*
                    _ => None,
                }
            }
        }
    };
    (@pattern $variant:ident $name:ident ($what:ident)) => { Action::$variant($name) };
    (@pattern $variant:ident $name:ident) => { Action::$variant };
    (@target $name:ident ($what:ident)) => { $name };
    (@target $name:ident) => { "" };
    (@read $variant:ident $target:ident ($what:ident)) => { (!$target.is_empty()).then(|| Action::$variant($target.to_owned())) };
    (@read $variant:ident $target:ident) => { $target.is_empty().then_some(Action::$variant) };
}

actions! {
    /// A line of the account.
    Line(String) = "line",
    /// A ring group of the account.
    RingGroup(String) = "group",
    /// A mailbox of the account.
    Mailbox(String) = "mailbox",
    /// Another menu of the account, or the same again.
    Menu(String) = "menu",
    /// An extension of the account.
    Extension(String) = "extension",
    /// The extension that is the menu's operator.
    Operator = "operator",
    /// An outside number, with the permissions of the menu's line.
    Number(String) = "number",
    /// A directory of the account.
    Directory(String) = "directory",
    /// A queue of Asterisk.
    Queue(String) = "queue",
    /// A conference of the account.
    Conference(String) = "conference",
    /// Only what is said; then the menu again.
    Say = "say",
    /// The menu again, in this language.
    Language(String) = "language",
    /// What a web server says.
    Lookup(String) = "lookup",
    /// The end.
    HangUp = "hangup",
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.target();
        write!(f, "{}{}{target}", self.name(), if target.is_empty() { "" } else { " " })
    }
}

/// A menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Whether it may be entered though nothing of the account leads there: a number is yet to, or a web server names it.
    pub entry: bool,
    /// The language in which it speaks; empty for that of the call.
    pub language: String,
    /// Whether extensions of the account may be keyed in.
    pub direct_dial: bool,
    /// For the first key.
    pub timeout: Duration,
    /// For each further one.
    pub between: Duration,
    /// Times without a key.
    pub max_timeouts: u32,
    /// Wrong keys.
    pub max_invalid: u32,
    /// The extension that is its operator; empty for none.
    pub operator: String,
    /// The line with whose permissions it calls numbers.
    pub line_id: Option<String>,
    /// What decides before the greeting, in order.
    pub conditions: Vec<Condition>,
    /// Where digits lead, [`TIMEOUT`] and [`INVALID`] included.
    pub options: BTreeMap<String, Action>,
    /// Ids of what is said, by the digits that it is said for, [`GREETING`], [`TIMEOUT`] and [`INVALID`] included.
    pub said: BTreeMap<String, Vec<String>>,
}

/// What decides before a greeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The schedule's id.
    pub schedule_id: String,
    /// Whether it is to hold, or not to.
    pub during: bool,
    /// Then.
    pub action: Action,
}

/// Something that is said in menus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its id.
    pub id: String,
    /// What is keyed in to record it.
    pub number: Option<String>,
    /// Its name, for people.
    pub name: String,
    /// Files of Asterisk's sounds, joined by `&`; may be empty.
    pub sound: String,
    /// What is spoken where there is nothing else; may be empty.
    pub text: String,
    /// What was recorded.
    pub audio: Option<Audio>,
}

/// A web server that is asked for the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Its id.
    pub id: String,
    /// `GET` or `POST`.
    pub method: String,
    /// Its address.
    pub url: String,
    /// Keys that are asked for before; 0 for none.
    pub digits: usize,
    /// For its answer.
    pub patience: Duration,
    /// What is done without one.
    pub fallback: Action,
}

/// A menu with all that a call through it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The menu.
    pub menu: Menu,
    /// Whose it is.
    pub account_id: String,
    /// How the account is.
    pub account_status: Status,
    /// The account's time zone.
    pub time_zone: Tz,
    /// Keys of the account's longest extension that begins with each digit, where extensions may be keyed in.
    pub extensions: BTreeMap<char, usize>,
    /// What is said in it, by id.
    pub announcements: BTreeMap<String, Announcement>,
    /// The schedules of its conditions, by id.
    pub schedules: BTreeMap<String, Schedule>,
}

impl Menu {
    /// Whether it waits for keys at all; else it is an announcement, after which [`TIMEOUT`] holds.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.direct_dial || self.keys().next().is_some()
    }

    /// The digits that lead somewhere.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.options.keys().map(String::as_str).filter(|digits| *digits != TIMEOUT && *digits != INVALID)
    }

    /// What is said for these digits.
    #[must_use]
    pub fn said(&self, digits: &str) -> &[String] {
        self.said.get(digits).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_read_as_it_is_written() {
        for name in Action::NAMES {
            let actions = ["", "x"].map(|target| Action::read(name, target));
            let action = actions.into_iter().flatten().collect::<Vec<_>>();
            let [action] = action.as_slice() else { panic!("{name} either needs a target or has none") };
            assert_eq!(Action::read(action.name(), action.target()).as_ref(), Some(action));
        }
        assert_eq!(Action::read("format", "c:"), None);
    }
}
