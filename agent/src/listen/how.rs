//! What a supervisor does beside hearing.

use serde::{Deserialize, Serialize};

/// By whom a supervisor is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// By nobody.
    Listen,
    /// By whose channel is listened to, and not by the other side.
    Whisper,
    /// By both sides.
    Barge,
}

impl How {
    /// All there are.
    pub const ALL: [How; 3] = [How::Listen, How::Whisper, How::Barge];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            How::Listen => "listen",
            How::Whisper => "whisper",
            How::Barge => "barge",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<How> {
        How::ALL.into_iter().find(|how| how.name() == name)
    }

    /// The one that a key asks for, as `ChanSpy` has them.
    #[must_use]
    pub fn keyed(digit: &str) -> Option<How> {
        match digit {
            "4" => Some(How::Listen),
            "5" => Some(How::Whisper),
            "6" => Some(How::Barge),
            _ => None,
        }
    }

    /// The directions of the channel into which a snoop is to speak: `out` is what its own phone hears, `in` is what the other side does.
    #[must_use]
    pub fn spoken_into(self) -> &'static str {
        match self {
            How::Listen => "none",
            How::Whisper => "out",
            How::Barge => "both",
        }
    }
}
