//! A directory: in which people are found by the letters of their names; and who is found.

use super::caller::Status;
use super::mailbox::Audio;
use super::spelling::Part;

/// Letters that are asked for where nobody says how many.
const LETTERS: usize = 3;

/// A directory of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The account whose people it has.
    pub account_id: String,
    /// The account's.
    pub account_status: Status,
    /// The department whose people it has; empty for everybody.
    pub department: String,
    /// By which names they are found.
    pub search: Search,
    /// Letters that are asked for, 1 to 9.
    pub letters: usize,
    /// How those who fit are offered.
    pub presentation: Presentation,
    /// Whether extensions are told with the names.
    pub say_extension: bool,
    /// Extension that key 0 leads to; empty for none.
    pub operator: String,
    /// Language of its prompts; empty for the caller's.
    pub language: String,
}

impl Directory {
    /// Everybody of an account, by first and last name.
    #[must_use]
    pub fn of_account(account_id: &str) -> Directory {
        Directory {
            account_id: account_id.to_owned(),
            account_status: Status::Active,
            department: String::new(),
            search: Search::Both,
            letters: LETTERS,
            presentation: Presentation::One,
            say_extension: false,
            operator: String::new(),
            language: String::new(),
        }
    }
}

/// By which names people are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// By any but the first: `van Beethoven` and `Beethoven`.
    Last,
    /// By the first.
    First,
    /// By all.
    Both,
}

impl Search {
    /// The one that the database calls so.
    #[must_use]
    pub fn named(name: &str) -> Option<Search> {
        Some(match name {
            "last" => Search::Last,
            "first" => Search::First,
            "both" => Search::Both,
            _ => return None,
        })
    }

    /// The parts of names that it looks at; some stand more than once.
    pub(super) fn parts(self) -> [Part; 3] {
        match self {
            Search::Last => [Part::Last, Part::Other, Part::Last],
            Search::First => [Part::First; 3],
            Search::Both => [Part::First, Part::Last, Part::Other],
        }
    }
}

/// How those who fit are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presentation {
    /// One at a time.
    One,
    /// Eight at a time, each with a key.
    Menu,
}

impl Presentation {
    /// The one that the database calls so.
    #[must_use]
    pub fn named(name: &str) -> Option<Presentation> {
        Some(match name {
            "one" => Presentation::One,
            "menu" => Presentation::Menu,
            _ => return None,
        })
    }
}

/// Somebody who was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The mailbox.
    pub mailbox_id: String,
    /// The account.
    pub account_id: String,
    /// The name as it is written.
    pub name: String,
    /// What is called.
    pub extension: String,
    /// Whether the account has that extension; else there is the mailbox alone.
    pub reachable: bool,
    /// The name as its owner says it.
    pub spoken: Option<Audio>,
}

impl Person {
    /// What is called in the place of an extension that the account does not have: the mailbox, `mailbox/<id>`, for `TANDEM_CALL_TARGET`.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        (!self.reachable).then(|| format!("mailbox/{}", self.mailbox_id))
    }
}

/// Something that callers of a directory would miss.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DirectoryGap {
    /// The directory.
    pub id: String,
    /// `people` or `operator`.
    pub lacks: String,
}
