//! What Asterisk tells by itself (`rest-api/api-docs/events.json`): events over one websocket an app.
//!
//! Asterisk closes a socket that takes over 100 ms to accept a write, so whoever reads here does nothing else, and hands each event to the
//! queue of its channel ([`queues`]). The socket comes to be either way round: we connect, or Asterisk does ([`socket`]).

pub mod pauses;
pub mod queues;
pub mod socket;

use serde::Deserialize;

use super::ari::model::{Bridge, Channel, LiveRecording, Playback};

/// One event. Kinds that are not named here are [`Event::Other`], and fields that are not named are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// A channel came into the app.
    StasisStart {
        /// What the dialplan gave with it.
        #[serde(default)]
        args: Vec<String>,
        /// The channel.
        channel: Channel,
        /// In whose place it came, by an attended transfer; it comes without arguments then.
        #[serde(default)]
        replace_channel: Option<Box<Channel>>,
    },
    /// A channel left the app: it hung up, or goes on in the dialplan.
    StasisEnd {
        /// The channel.
        channel: Channel,
    },
    /// A key was pressed, and let go.
    ChannelDtmfReceived {
        /// The key.
        digit: String,
        /// The channel.
        channel: Channel,
    },
    /// Somebody asked for the channel's end.
    ChannelHangupRequest {
        /// The channel.
        channel: Channel,
    },
    /// A channel came to be.
    ChannelCreated {
        /// The channel.
        channel: Channel,
    },
    /// A channel rings, is answered, ...
    ChannelStateChange {
        /// The channel.
        channel: Channel,
    },
    /// A channel is no more.
    ChannelDestroyed {
        /// The channel.
        channel: Channel,
    },
    /// A channel hears others now.
    ChannelEnteredBridge {
        /// What it entered.
        bridge: Bridge,
        /// The channel.
        channel: Channel,
    },
    /// A channel hears them no more.
    ChannelLeftBridge {
        /// What it left.
        bridge: Bridge,
        /// The channel.
        channel: Channel,
    },
    /// One channel dials another; told again as that goes on.
    Dial {
        /// Who dials; a channel of nobody has none.
        caller: Option<Box<Channel>>,
        /// Who is dialled.
        peer: Channel,
        /// Empty at the beginning; then `RINGING`, `ANSWER`, `BUSY`, ...
        #[serde(default)]
        dialstatus: String,
    },
    /// A playback is over.
    PlaybackFinished {
        /// The playback.
        playback: Playback,
    },
    /// A recording is over, and kept.
    RecordingFinished {
        /// The recording.
        recording: LiveRecording,
    },
    /// A recording came to nothing.
    RecordingFailed {
        /// The recording.
        recording: LiveRecording,
    },
    /// Another agent took the app over; this socket is closed.
    ApplicationReplaced,
    /// Not of Asterisk: the socket was away, and events may be missing. Told to every channel that lives on.
    #[serde(skip)]
    Resumed,
    /// Not of Asterisk: the channel was not there any more when the socket came back, or has come into the app for something else.
    #[serde(skip)]
    Lost,
    /// Anything else.
    #[serde(other)]
    Other,
}

impl Event {
    /// The channel that it is about.
    #[must_use]
    pub fn channel_id(&self) -> Option<&str> {
        match self {
            Event::StasisStart { channel, .. }
            | Event::StasisEnd { channel }
            | Event::ChannelDtmfReceived { channel, .. }
            | Event::ChannelHangupRequest { channel }
            | Event::ChannelCreated { channel }
            | Event::ChannelStateChange { channel }
            | Event::ChannelDestroyed { channel }
            | Event::ChannelEnteredBridge { channel, .. }
            | Event::ChannelLeftBridge { channel, .. }
            | Event::Dial { peer: channel, .. } => Some(&channel.id),
            Event::PlaybackFinished { playback } => playback.target_uri.strip_prefix("channel:"),
            Event::RecordingFinished { recording } | Event::RecordingFailed { recording } => {
                recording.target_uri.strip_prefix("channel:")
            }
            Event::ApplicationReplaced | Event::Resumed | Event::Lost | Event::Other => None,
        }
    }
}
