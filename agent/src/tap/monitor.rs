//! Asterisk, as far as tapping goes: which channels there are, and MixMonitor on one of them.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::subject::Subject;
use crate::store::recording::Direction;
use crate::wire::ami::{Ami, AmiError, Manager, Message};

/// A connection to Asterisk, which is opened when it is needed.
#[derive(Debug)]
pub struct Monitor {
    manager: Manager,
    ami: Option<Ami>,
}

impl Monitor {
    /// Asterisk by its manager interface.
    #[must_use]
    pub fn new(manager: Manager) -> Monitor {
        Monitor { manager, ami: None }
    }

    /// Every channel of a phone or carrier.
    ///
    /// # Errors
    /// Asterisk cannot be asked.
    pub async fn channels(&mut self) -> Result<Vec<Subject>, AmiError> {
        let list = self.with(async |ami| ami.list("CoreShowChannels", &[]).await).await?;
        Ok(list.iter().filter_map(subject).collect())
    }

    /// Records a channel, by its name or unique id, to a file, in stereo, behind what is in it; what Asterisk calls it.
    ///
    /// # Errors
    /// Asterisk cannot be asked, or refuses: the channel is gone.
    pub async fn start(&mut self, channel: &str, raw: &Path) -> Result<Option<String>, AmiError> {
        let file = raw.to_string_lossy();
        // It tells what it calls it only where that is kept in a variable, too.
        let fields = [("Channel", channel), ("File", &file), ("Options", "aDi(TANDEM_TAP)")];
        let answer = self.with(async |ami| ami.act("MixMonitor", &fields).await).await?;
        Ok(answer.value("MixMonitorID").map(str::to_owned))
    }

    /// Ends what records a channel.
    ///
    /// # Errors
    /// As [`Monitor::start`].
    pub async fn stop(&mut self, channel: &str, id: &str) -> Result<(), AmiError> {
        let fields = [("Channel", channel), ("MixMonitorID", id)];
        self.with(async |ami| ami.act("StopMixMonitor", &fields).await).await.map(drop)
    }

    /// Lets a channel, and whom it talks with, hear a beep. MixMonitor's own beeps would leave call records.
    ///
    /// # Errors
    /// As [`Monitor::start`].
    pub async fn beep(&mut self, channel: &str) -> Result<(), AmiError> {
        let spy = format!("{channel},qEB");
        let fields = [
            ("Channel", "Local/beep@tandem-beep/n"),
            ("Application", "ChanSpy"),
            ("Data", spy.as_str()),
            ("Timeout", "4000"),
            ("Variable", "CDR_PROP(disable)=1"),
        ];
        self.with(async |ami| ami.act("Originate", &fields).await).await.map(drop)
    }

    /// Asks on the connection that is open; when Asterisk has closed that meanwhile, on another.
    async fn with<T>(&mut self, ask: impl AsyncFn(&mut Ami) -> Result<T, AmiError>) -> Result<T, AmiError> {
        if let Some(mut ami) = self.ami.take() {
            match ask(&mut ami).await {
                Err(AmiError::Broken(_)) => {}
                outcome => return self.keep(ami, outcome),
            }
        }
        let mut ami = self.manager.connect().await?;
        let outcome = ask(&mut ami).await;
        self.keep(ami, outcome)
    }

    /// Keeps a connection that is of use still.
    fn keep<T>(&mut self, ami: Ami, outcome: Result<T, AmiError>) -> Result<T, AmiError> {
        if matches!(outcome, Ok(_) | Err(AmiError::Refused { .. })) {
            self.ami = Some(ami);
        }
        outcome
    }
}

/// A channel of a list. Those within Asterisk alone have the sides that they connect.
fn subject(message: &Message) -> Option<Subject> {
    let text = |name| message.value(name).unwrap_or_default().to_owned();
    // A leg is called "s" until its number is known, or "<unknown>".
    let is_number = |text: &String| text.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c));
    let number = |name| Some(text(name)).filter(is_number).unwrap_or_default();
    let (channel, uniqueid, linked_id) = (text("Channel"), text("Uniqueid"), text("Linkedid"));
    if uniqueid.is_empty() || channel.starts_with("Local/") {
        return None;
    }
    let direction = if uniqueid == linked_id { Direction::Outbound } else { Direction::Inbound };
    Some(Subject {
        line_id: text("AccountCode").strip_prefix("line/").map(str::to_owned),
        account_id: None,
        direction,
        line_number: number("CallerIDNum"),
        other_number: number("ConnectedLineNum"),
        since: made_at(&uniqueid)?,
        dialled: number("Exten"),
        answered: text("ChannelStateDesc") == "Up",
        talks: !text("BridgeId").is_empty(),
        bridge: text("BridgeId"),
        channel,
        uniqueid,
        linked_id,
    })
}

/// When a channel was made, by its id: `<system name>-<seconds>.<count>`.
fn made_at(uniqueid: &str) -> Option<DateTime<Utc>> {
    let (seconds, _) = uniqueid.rsplit_once('.')?;
    DateTime::from_timestamp(seconds.rsplit('-').next()?.parse().ok()?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_its_channel_was_made() {
        for uniqueid in ["1767225600.17", "node-7-1767225600.17"] {
            assert_eq!(made_at(uniqueid).unwrap().to_rfc3339(), "2026-01-01T00:00:00+00:00");
        }
        assert_eq!(made_at("17"), None);
    }
}
