//! What is told to a line by telephone: handed to the channel that Asterisk opens for it, which says when it was heard.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// A text for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// The line that is told.
    pub line_id: String,
    /// True for a text message, false for a call.
    pub message: bool,
    /// What is told, where it can be written or spoken.
    pub text: String,
    /// What is spelled where it can be neither: the location.
    pub place: String,
    /// The number that is to be called back, digits.
    pub number: String,
}

/// Those under way. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Talks(Arc<Mutex<UnderWay>>);

/// Talks by id, each with whom to tell that it was told.
type UnderWay = HashMap<String, (Talk, oneshot::Sender<()>)>;

impl Talks {
    /// Begins one under `id`; the receiver hears when it was told.
    #[must_use]
    pub fn begin(&self, id: &str, talk: Talk) -> oneshot::Receiver<()> {
        let (told, hears) = oneshot::channel();
        self.talks().insert(id.to_owned(), (talk, told));
        hears
    }

    /// What is told under `id`.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Talk> {
        self.talks().get(id).map(|(talk, _)| talk.clone())
    }

    /// It was told, or (`told` false) is given up.
    pub fn end(&self, id: &str, told: bool) {
        if let Some((_, sender)) = self.talks().remove(id)
            && told
        {
            // Nobody may be waiting any more.
            let _ = sender.send(());
        }
    }

    fn talks(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
