//! The language in which a conversation goes on: what the caller has chosen, else that of the menu or directory, else that of the call.

use crate::call::{Call, Step};

/// Where the caller's choice is kept for the conversations that follow.
const CHOSEN: &str = "TANDEM_LANGUAGE";
const LANGUAGE: &str = "CHANNEL(language)";

/// What is known of a conversation's language: nothing is asked or told twice.
#[derive(Debug, Default)]
pub(super) struct Language {
    /// Whether the caller has chosen; `None` until that was asked.
    chosen: Option<bool>,
    /// As it was set here; empty before.
    spoken: String,
}

impl Language {
    /// The caller has chosen this one.
    ///
    /// # Errors
    /// As [`Call::set`].
    pub(super) async fn choose(&mut self, call: &mut impl Call, language: &str) -> Step<()> {
        self.chosen = Some(true);
        language.clone_into(&mut self.spoken);
        call.set(&[(LANGUAGE, language), (CHOSEN, language)]).await
    }

    /// A menu or directory speaks this one, empty for none of its own, unless the caller has chosen.
    ///
    /// # Errors
    /// As [`Call::set`].
    pub(super) async fn propose(&mut self, call: &mut impl Call, language: &str) -> Step<()> {
        if language.is_empty() || language == self.spoken {
            return Ok(());
        }
        let chosen = match self.chosen {
            Some(chosen) => chosen,
            None => call.get(&[CHOSEN]).await?.iter().any(|chosen| !chosen.is_empty()),
        };
        self.chosen = Some(chosen);
        if chosen {
            return Ok(());
        }
        language.clone_into(&mut self.spoken);
        call.set(&[(LANGUAGE, language)]).await
    }
}
