//! Finding somebody of an account by name (`app_directory.c`): letters are keyed in as digits, and those who fit are offered one by one.

use std::time::Duration;

use deunicode::deunicode;
use tokio::time::Instant;

use super::Ports;
use super::voicemail::fetch;
use crate::call::{Call, Step};
use crate::phrases::{self, KEYS, ask, sentence};
use crate::store::asking::Asking;
use crate::store::mailbox::Listed;

/// Letters that are asked for.
const LETTERS: usize = 3;
/// Tries without anybody found.
const TRIES: u32 = 3;
/// For a key.
const KEY: Duration = Duration::from_secs(6);
const QUESTION: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Somebody was chosen.
    Mailbox(String),
    /// Nobody was found or chosen.
    Nobody,
    /// The caller wants the operator.
    Operator,
    /// The caller has enough.
    Left,
}

/// Lets the caller choose somebody of an account, by the first letters of the first or last name.
///
/// # Errors
/// The caller hung up.
pub async fn choose(call: &mut impl Call, account_id: &str, ports: &Ports) -> Step<Found> {
    let mut asking = Asking::until(Instant::now() + QUESTION);
    let listed = match ports.store.mailbox_names(account_id, &mut asking).await {
        Ok(listed) => listed,
        Err(error) => {
            tracing::warn!(account_id, %error, "the directory cannot be read");
            call.play(&["im-sorry".into()], "").await?;
            return Ok(Found::Nobody);
        }
    };
    for _ in 0..TRIES {
        let prompts = ["dir-welcome".into(), "dir-pls-enter".into(), "dir-firstlast".into(), "dir-usingkeypad".into()];
        let keyed = call.collect(&prompts, LETTERS, KEY).await?.keys;
        match keyed.chars().next() {
            None => continue,
            Some('0') => return Ok(Found::Operator),
            Some('*') => return Ok(Found::Left),
            Some(_) => {}
        }
        let fitting: Vec<&Listed> = listed.iter().filter(|one| fits(&one.name, &keyed)).collect();
        if fitting.is_empty() {
            call.play(&["dir-nomatch".into()], "").await?;
            continue;
        }
        match offer(call, &fitting, ports).await? {
            Found::Nobody => drop(call.play(&["dir-nomore".into()], "").await?),
            found => return Ok(found),
        }
    }
    Ok(Found::Nobody)
}

/// Offers one after the other: 1 takes, `*` goes on, `#` leaves, 0 is the operator.
async fn offer(call: &mut impl Call, fitting: &[&Listed], ports: &Ports) -> Step<Found> {
    for one in fitting {
        let spoken = match &one.spoken {
            Some(audio) => fetch(audio, ports).await,
            None => None,
        };
        let key = match spoken {
            Some(prompt) => call.play(&[prompt], KEYS).await?,
            None => match ports.speech.speak(&one.name).await {
                Some(spoken) => call.play(&[crate::call::Prompt(spoken.prompt())], KEYS).await?,
                None => phrases::spell(call, &one.name).await.map(|()| None)?,
            },
        };
        let key = match key {
            None => ask(call, &sentence(&["dir-instr"]), KEY).await?,
            key => key,
        };
        match key {
            Some('1') => return Ok(Found::Mailbox(one.mailbox_id.clone())),
            Some('0') => return Ok(Found::Operator),
            Some('#') => return Ok(Found::Left),
            _ => {}
        }
    }
    Ok(Found::Nobody)
}

/// Whether a word of the name begins with the letters that these digits stand for. Accents, punctuation and spaces within a name do not count.
#[must_use]
pub fn fits(name: &str, digits: &str) -> bool {
    let name = deunicode(name);
    let words: Vec<&str> = name.split_whitespace().collect();
    (0..words.len()).any(|first| {
        let from_here: String = words.get(first..).unwrap_or_default().concat().chars().filter_map(key_of).collect();
        from_here.starts_with(digits)
    })
}

/// The key of a letter or digit, by the layout of ITU-T E.161: 7 is PQRS, 9 is WXYZ.
fn key_of(letter: char) -> Option<char> {
    Some(match letter.to_ascii_uppercase() {
        'A'..='C' => '2',
        'D'..='F' => '3',
        'G'..='I' => '4',
        'J'..='L' => '5',
        'M'..='O' => '6',
        'P'..='S' => '7',
        'T'..='V' => '8',
        'W'..='Z' => '9',
        digit @ '0'..='9' => digit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_name_is_found_by_its_letters() {
        for (name, digits) in [
            ("Alice Baker", "254"),
            ("Alice Baker", "225"),
            ("Conan O'Brien", "627"),
            ("Ludwig van Beethoven", "233"),
            ("Zoë Müller", "685"),
            ("Zoë Müller", "963"),
            ("Quincy Squire", "778"),
            ("Jean-Luc Picard", "532"),
            ("Li Wu", "549"),
        ] {
            assert!(fits(name, digits), "{name} by {digits}");
        }
        assert!(!fits("Alice Baker", "222"));
        assert!(!fits("", "2"));
    }
}
