//! What flows say and ask, made of the verbs of [`Call`].

use deunicode::deunicode;

use crate::call::{Call, Say, Step};

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

/// Spells a text word by word: digits as numbers are keyed, letters by their names, without accents and punctuation.
///
/// # Errors
/// As [`Call::say`].
pub async fn spell(call: &mut impl Call, text: &str) -> Step<()> {
    let text = deunicode(text);
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
            let (piece, more) = rest.split_at(end);
            let say = if digits { Say::Digits(piece.to_owned()) } else { Say::Letters(piece.to_lowercase()) };
            call.say(&say, "").await?;
            rest = more;
        }
    }
    Ok(())
}
