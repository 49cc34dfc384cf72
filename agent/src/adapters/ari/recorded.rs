//! Recordings: their names, and how they end.

use std::path::Path;

use tokio::time::{Instant, timeout_at};

use super::{AriCall, CLOSING};
use crate::call::{Ended, Fault, RecordingEnd, Step};
use crate::wire::ari::AriError;
use crate::wire::ari_events::Event;

impl AriCall {
    /// The name under which ARI records to `path`.
    pub(super) fn recording_name(&self, path: &str) -> Step<String> {
        let name = Path::new(path).strip_prefix(&self.manner.recordings).ok().and_then(Path::to_str);
        name.map(str::to_owned).ok_or_else(|| {
            let root = self.manner.recordings.display();
            Ended::Failed(Fault(format!(
                "{path}: ARI records within {root} only; set media.recordings to a folder there"
            )))
        })
    }

    /// Waits for the end of a recording that was begun, and ends it at one of `keys` or `at` that time.
    pub(super) async fn recorded(&mut self, name: &str, keys: &str, at: Instant) -> Step<RecordingEnd> {
        let mut end = None;
        let mut deadline = at;
        loop {
            let Ok(event) = timeout_at(deadline, self.event()).await else {
                // Its end was not told, which is no reason to lose it.
                if let Some(end) = end {
                    return Ok(end);
                }
                (end, deadline) = (Some(RecordingEnd::Limit), Instant::now() + CLOSING);
                self.stop_recording(name).await?;
                continue;
            };
            match event? {
                Event::RecordingFinished { recording } if recording.name == name => {
                    return Ok(end.unwrap_or(if self.gone { RecordingEnd::Hangup } else { RecordingEnd::Limit }));
                }
                Event::RecordingFailed { recording } if recording.name == name && !self.gone => {
                    return Err(Ended::Failed(Fault(format!(
                        "{name}.wav: Asterisk cannot record it ({}); look at the folder, its owner and the disk",
                        recording.cause
                    ))));
                }
                Event::Resumed if matches!(self.ari.recording(name).await, Err(AriError::Gone(_))) => {
                    return Ok(end.unwrap_or(RecordingEnd::Limit));
                }
                Event::ChannelDtmfReceived { .. } if end.is_none() => {
                    if let Some(key) = self.key(keys) {
                        (end, deadline) = (Some(RecordingEnd::Key(key)), Instant::now() + CLOSING);
                        self.stop_recording(name).await?;
                    }
                }
                _ if self.gone && end.is_none() => {
                    (end, deadline) = (Some(RecordingEnd::Hangup), Instant::now() + CLOSING);
                }
                _ => {}
            }
        }
    }

    /// Ends a recording, which may just have ended by itself.
    async fn stop_recording(&mut self, name: &str) -> Step<()> {
        match self.ari.stop_recording(name).await {
            Err(AriError::Gone(_)) => Ok(()),
            stopped => self.asked(stopped),
        }
    }
}
