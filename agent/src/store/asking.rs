//! One call's questions: until when they are answered, and by whom.

use tokio::time::Instant;

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The central database.
    Central,
    /// The node's replica of it.
    Replica,
}

impl Source {
    /// As records and metrics call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Source::Central => "central",
            Source::Replica => "replica",
        }
    }
}

/// The questions of one call. Once the replica has answered one, it answers the others, too, so that they fit together.
#[derive(Debug)]
pub struct Asking {
    /// Until when an answer is of use.
    pub by: Instant,
    source: Option<Source>,
}

impl Asking {
    /// Questions whose answers are of use until `by`.
    #[must_use]
    pub fn until(by: Instant) -> Asking {
        Asking { by, source: None }
    }

    /// Who answered the last of them; `None` as long as nobody did.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.source
    }

    pub(super) fn answered_by(&mut self, source: Source) {
        self.source = Some(source);
    }
}
