//! The flow `directory`: a caller finds somebody of an account by name, and is connected (`app_directory.c`).
//!
//! `AGI(agi://<agent>/directory/<directory id>[/<menu id>])`; the menu is the one through which the call came. Letters are keyed in as digits; too many who fit make it ask for more letters. [`one`] and [`menu`] offer
//! those who fit, [`name`] is how each is told. `TANDEM_DIRECTORY` tells what came of it, in the words of `DIRECTORY_RESULT` where it has one: `SELECTED`,
//! `OPERATOR`, `USEREXIT`, `TIMEOUT`, `NOBODY` or `FAILED`. Whoever wants no more of it, or finds nobody, is in the menu again, if there is one. Every
//! conversation ends: after some tries, and after some silence.

mod menu;
mod name;
mod one;

use std::time::Duration;

use tokio::time::Instant;

use super::Ports;
use super::language::Language;
use crate::call::{Call, Fault, Say, Step};
use crate::phrases::{Part, ask};
use crate::store::StoreError;
use crate::store::asking::Asking;
use crate::store::caller::Status;
use crate::store::directory::{Directory, Person, Presentation, Search};

/// For a question while the caller waits.
const QUESTION: Duration = Duration::from_secs(2);
/// For the first key.
const FIRST_KEY: Duration = Duration::from_secs(5);
/// For each further letter.
const NEXT_KEY: Duration = Duration::from_secs(3);
/// Tries without anybody chosen, and questions without an answer.
const TRIES: u32 = 3;
/// Most letters that are asked for.
const MOST_LETTERS: usize = 9;
/// Letters that are asked for besides, when too many fit.
const MORE_LETTERS: usize = 3;
/// More are too many to listen to: two menus.
const TOO_MANY: usize = 16;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Somebody was chosen.
    Person(Person),
    /// The caller wants the operator.
    Operator {
        /// The account whose operator that is.
        account_id: String,
        /// Their extension.
        extension: String,
    },
    /// The caller has enough.
    Left,
    /// Nothing was pressed, or nothing that was asked for.
    Silent,
    /// Nobody was found, or chosen.
    Nobody,
    /// There is no such directory, or nobody can tell.
    Failed,
}

impl Found {
    /// The word for it in `TANDEM_DIRECTORY`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Found::Person(_) => "SELECTED",
            Found::Operator { .. } => "OPERATOR",
            Found::Left => "USEREXIT",
            Found::Silent => "TIMEOUT",
            Found::Nobody => "NOBODY",
            Found::Failed => "FAILED",
        }
    }

    fn outcome(&self) -> &'static str {
        match self {
            Found::Person(_) => "selected",
            Found::Operator { .. } => "operator",
            Found::Left => "left",
            Found::Silent => "silent",
            Found::Nobody => "nobody",
            Found::Failed => "failed",
        }
    }
}

/// Lets the caller find somebody, and connects them; else leads back to the menu, or ends the call.
///
/// # Errors
/// The caller hung up, or the transport broke.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let (id, menu) = match arguments {
        [id] => (id, ""),
        [id, menu] => (id, menu.as_str()),
        _ => {
            return Err(Fault("directory wants the id of a directory, and may be told the menu".to_owned()).into());
        }
    };
    call.answer().await?;
    let found = enter(call, id, ports).await?;
    let (account_id, extension, target) = match &found {
        // Whoever has no extension is left a message.
        Found::Person(person) => (&person.account_id, &person.extension, person.target().unwrap_or_default()),
        Found::Operator { account_id, extension } => (account_id, extension, String::new()),
        // Keys were pressed: a caller who is silent, or who hears that nothing works, would be led round.
        Found::Left | Found::Nobody if !menu.is_empty() => {
            call.set(&[
                ("TANDEM_DIRECTORY", found.word()),
                ("TANDEM_ACTION", "menu"),
                ("TANDEM_MENU", menu),
                ("TANDEM_DONE", "1"),
            ])
            .await?;
            return Ok(found.outcome());
        }
        _ => {
            call.set(&[("TANDEM_DIRECTORY", found.word())]).await?;
            call.play(&["vm-goodbye".into()], "").await?;
            call.hangup(16).await?;
            return Ok(found.outcome());
        }
    };
    call.set(&[
        ("TANDEM_DIRECTORY", found.word()),
        ("TANDEM_ACTION", "call"),
        ("TANDEM_CALL_KIND", "account"),
        ("TANDEM_CALL_ID", account_id),
        ("TANDEM_CALL_NUMBER", extension),
        ("TANDEM_CALL_TARGET", &target),
        ("TANDEM_DONE", "1"),
    ])
    .await?;
    Ok(found.outcome())
}

/// Lets a caller whose call is answered find somebody in the directory of that id. Connects nobody, and does not hang up.
///
/// # Errors
/// The caller hung up, or the transport broke.
pub async fn enter(call: &mut impl Call, id: &str, ports: &Ports) -> Step<Found> {
    let found = match ports.store.directory(id, &mut asking()).await {
        Ok(Some(directory)) if directory.account_status == Status::Active => choose(call, &directory, ports).await?,
        Ok(_) => {
            tracing::warn!(directory = id, "there is no such directory, or its account is not active");
            sorry(call).await?
        }
        Err(error) => away(call, &error).await?,
    };
    metrics::counter!("tandem_directory_calls_total", "outcome" => found.outcome()).increment(1);
    Ok(found)
}

/// Lets the caller find somebody in this directory.
///
/// # Errors
/// The caller hung up, or the transport broke.
pub async fn choose(call: &mut impl Call, directory: &Directory, ports: &Ports) -> Step<Found> {
    Language::default().propose(call, &directory.language).await?;
    let mut letters = directory.letters;
    // What is told before the next question, in which the first letter may be pressed already.
    let mut news = Some("dir-welcome");
    let (mut tries, mut silent) = (0, 0);
    while tries < TRIES {
        let keyed = match key_in(call, directory, letters, news.take()).await? {
            Keyed::Letters(keyed) => keyed,
            Keyed::Again => {
                tries += 1;
                continue;
            }
            Keyed::Nothing => {
                silent += 1;
                if silent < TRIES {
                    continue;
                }
                return Ok(Found::Silent);
            }
            Keyed::Found(found) => return Ok(found),
        };
        silent = 0;
        let people = match ports.store.people(directory, &keyed, &mut asking()).await {
            Ok(people) => people,
            Err(error) => return away(call, &error).await,
        };
        // Whoever keyed in fewer has no more.
        if people.len() > TOO_MANY && keyed.len() == letters && letters < MOST_LETTERS {
            letters = (letters + MORE_LETTERS).min(MOST_LETTERS);
            continue;
        }
        news = Some(if people.is_empty() { "dir-nomatch" } else { "dir-nomore" });
        let chosen = match directory.presentation {
            Presentation::One => one::offer(call, people, directory, ports).await?,
            Presentation::Menu => menu::offer(call, people, directory, ports).await?,
        };
        if let Some(found) = chosen {
            return Ok(found);
        }
        letters = directory.letters;
        tries += 1;
    }
    if let Some(news) = news {
        call.play(&[news.into()], "").await?;
    }
    Ok(Found::Nobody)
}

/// What was keyed in.
enum Keyed {
    /// The first letters of a name, as digits.
    Letters(String),
    /// It was taken back.
    Again,
    Nothing,
    Found(Found),
}

/// `Please enter the first three letters of your party's last name`: fewer with `#`.
async fn key_in(
    call: &mut impl Call,
    directory: &Directory,
    letters: usize,
    news: Option<&'static str>,
) -> Step<Keyed> {
    let mut parts: Vec<Part> = news.into_iter().map(Part::from).collect();
    let whose = match directory.search {
        Search::Last => "dir-last",
        Search::First => "dir-first",
        Search::Both => "dir-firstlast",
    };
    let count = Say::Number(i64::try_from(letters).unwrap_or_default());
    parts.extend(["dir-pls-enter".into(), count.into(), whose.into(), "dir-usingkeypad".into()]);
    let first = match ask(call, &parts, FIRST_KEY).await? {
        None => return Ok(Keyed::Nothing),
        Some('*' | '#') => return Ok(Keyed::Found(Found::Left)),
        Some('0') if !directory.operator.is_empty() => return Ok(Keyed::Found(operator(directory))),
        Some(key) => key,
    };
    let mut keyed = String::from(first);
    if letters > 1 {
        keyed.push_str(&call.collect(&[], letters - 1, NEXT_KEY).await?.keys);
    }
    Ok(if keyed.bytes().all(|key| key.is_ascii_digit()) { Keyed::Letters(keyed) } else { Keyed::Again })
}

fn operator(directory: &Directory) -> Found {
    Found::Operator { account_id: directory.account_id.clone(), extension: directory.operator.clone() }
}

fn asking() -> Asking {
    Asking::until(Instant::now() + QUESTION)
}

/// Neither the database nor the replica answers.
async fn away(call: &mut impl Call, error: &StoreError) -> Step<Found> {
    tracing::warn!(%error, "the directory cannot be read");
    sorry(call).await
}

async fn sorry(call: &mut impl Call) -> Step<Found> {
    call.play(&["im-sorry".into(), "please-try-call-later".into()], "").await?;
    Ok(Found::Failed)
}
