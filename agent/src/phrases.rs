//! What flows say and ask, made of the verbs of [`Call`].

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
