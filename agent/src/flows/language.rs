//! The language in which a conversation goes on: what the caller has chosen, else that of the menu or directory, else that of the call.

use crate::call::{Call, Step};

/// Where the caller's choice is kept for the conversations that follow.
const CHOSEN: &str = "TANDEM_LANGUAGE";
const LANGUAGE: &str = "CHANNEL(language)";

/// The caller has chosen this one.
///
/// # Errors
/// As [`Call::set`].
pub(super) async fn choose(call: &mut impl Call, language: &str) -> Step<()> {
    call.set(&[(LANGUAGE, language), (CHOSEN, language)]).await
}

/// A menu or directory speaks this one, empty for none of its own, unless the caller has chosen.
///
/// # Errors
/// As [`Call::set`].
pub(super) async fn propose(call: &mut impl Call, language: &str) -> Step<()> {
    if language.is_empty() || call.get(&[CHOSEN]).await?.iter().any(|chosen| !chosen.is_empty()) {
        return Ok(());
    }
    call.set(&[(LANGUAGE, language)]).await
}
