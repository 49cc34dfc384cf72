//! The parts that a listening has in Asterisk, by their ids.

use uuid::Uuid;

/// A channel of a listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The supervisor's phone; the bridge has the same id.
    Phone(Uuid),
    /// What listens, the how manieth.
    Snoop(Uuid, u32),
}

const BEGIN: &str = "listen-";

impl Part {
    /// Which part has this id, if one has.
    pub(super) fn of(id: &str) -> Option<Part> {
        let rest = id.strip_prefix(BEGIN)?;
        match rest.split_once('.') {
            None => Some(Part::Phone(rest.parse().ok()?)),
            Some((listening, turn)) => Some(Part::Snoop(listening.parse().ok()?, turn.parse().ok()?)),
        }
    }

    /// Its id.
    pub(super) fn id(self) -> String {
        match self {
            Part::Phone(listening) => format!("{BEGIN}{listening}"),
            Part::Snoop(listening, turn) => format!("{BEGIN}{listening}.{turn}"),
        }
    }
}
