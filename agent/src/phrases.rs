//! What flows say and ask, made of the verbs of [`Call`].

use deunicode::deunicode;

use std::time::Duration;

use crate::call::{Call, Prompt, Say, Step};

/// Every key that a phone has.
pub const KEYS: &str = "0123456789*#";

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A sound.
    Play(Prompt),
    /// Something that Asterisk says.
    Say(Say),
}

impl From<&str> for Part {
    fn from(prompt: &str) -> Self {
        Part::Play(prompt.into())
    }
}

impl From<Say> for Part {
    fn from(say: Say) -> Self {
        Part::Say(say)
    }
}

/// A sentence of these prompts.
#[must_use]
pub fn sentence(prompts: &[&str]) -> Vec<Part> {
    prompts.iter().copied().map(Part::from).collect()
}

/// Speaks a sentence until its end, or until one of `keys` is pressed, which it returns.
///
/// # Errors
/// As [`Call::play`].
pub async fn speak(call: &mut impl Call, parts: &[Part], keys: &str) -> Step<Option<char>> {
    for part in parts {
        let key = match part {
            Part::Play(prompt) => call.play(std::slice::from_ref(prompt), keys).await?,
            Part::Say(say) => call.say(say, keys).await?,
        };
        if key.is_some() {
            return Ok(key);
        }
    }
    Ok(None)
}

/// Speaks a sentence, which any key interrupts, and waits for a key; `None` when none came.
///
/// # Errors
/// As [`Call::collect`].
pub async fn ask(call: &mut impl Call, parts: &[Part], wait: Duration) -> Step<Option<char>> {
    // The last prompt and the wait are one command, so that no key is lost between the two.
    let (last, first) = match parts.split_last() {
        Some((Part::Play(last), first)) => (Some(last), first),
        _ => (None, parts),
    };
    if let Some(key) = speak(call, first, KEYS).await? {
        return Ok(Some(key));
    }
    let last: &[Prompt] = last.map_or(&[], std::slice::from_ref);
    let digits = call.collect(last, 1, wait).await?;
    Ok(match digits.keys.chars().next() {
        Some(key) => Some(key),
        None if digits.timed_out => None,
        // It ends what is keyed in.
        None => Some('#'),
    })
}

/// Speaks the keys of a number or what was keyed in; characters without a name on a keypad are left out.
///
/// # Errors
/// As [`Call::say`].
pub async fn digits(call: &mut impl Call, text: &str) -> Step<()> {
    let keys: String = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '*' | '#')).collect();
    if !keys.is_empty() {
        call.say(&Say::Digits(keys), "").await?;
    }
    Ok(())
}

/// Spells a text word by word: digits as numbers are keyed, letters by their names, without accents and punctuation. One of `keys` interrupts, and is
/// returned.
///
/// # Errors
/// As [`Call::say`].
pub async fn spell(call: &mut impl Call, text: &str, keys: &str) -> Step<Option<char>> {
    let text = deunicode(text);
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
            let (piece, more) = rest.split_at(end);
            let say = if digits { Say::Digits(piece.to_owned()) } else { Say::Letters(piece.to_lowercase()) };
            if let Some(key) = call.say(&say, keys).await? {
                return Ok(Some(key));
            }
            rest = more;
        }
    }
    Ok(None)
}
