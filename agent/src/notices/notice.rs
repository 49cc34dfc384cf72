//! A notice: one emergency call, told to one address.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::emergency::callbacks::Callback;
use crate::post::errand::Errand;
use crate::store::record::{CallId, EmergencyCall, EmergencyNotice};

/// How somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// E-mail.
    Mail,
    /// HTTP POST.
    Webhook,
    /// A text message to a line.
    Message,
    /// A call to a line.
    Call,
    /// The agent of another node.
    Peer,
}

impl Way {
    /// As the database and the configuration call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Way::Mail => "mail",
            Way::Webhook => "webhook",
            Way::Message => "message",
            Way::Call => "call",
            Way::Peer => "peer",
        }
    }

    /// The way of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Way> {
        [Way::Mail, Way::Webhook, Way::Message, Way::Call, Way::Peer].into_iter().find(|way| way.name() == name)
    }
}

/// One emergency call, told to one address. As JSON it is what a webhook receives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for the same call and address, whoever makes it.
    pub id: Uuid,
    /// How.
    pub way: Way,
    /// To whom.
    pub address: String,
    /// When it came into being.
    pub created_at: DateTime<Utc>,
    /// The node that sent the call.
    pub node: String,
    /// The run of Asterisk there.
    pub boot: String,
    /// The call's unique id there.
    pub uniqueid: String,
    /// When it was.
    pub called_at: DateTime<Utc>,
    /// The emergency number.
    pub number: String,
    /// The line that called.
    pub line: String,
    /// Its device; may be empty.
    pub device: String,
    /// Its account; may be empty.
    pub account: String,
    /// The number that reaches the caller, digits of E.164.
    pub callback_number: String,
    /// The registered location; may be empty.
    pub location: String,
    /// Degrees, if known.
    pub latitude: Option<f64>,
    /// Degrees, if known.
    pub longitude: Option<f64>,
    /// The facility that answers there; may be empty.
    pub facility: String,
}

impl Notice {
    /// The notice of a call to an address.
    #[must_use]
    pub fn new(call: &EmergencyCall, way: Way, address: &str, now: DateTime<Utc>) -> Notice {
        let CallId { node, boot, uniqueid } = &call.call;
        let name = [node, boot, uniqueid, way.name(), address].join("\n");
        Notice {
            id: Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()),
            way,
            address: address.to_owned(),
            created_at: now,
            node: node.clone(),
            boot: boot.clone(),
            uniqueid: uniqueid.clone(),
            called_at: call.called_at,
            number: call.number.clone(),
            line: call.line_id.clone().unwrap_or_default(),
            device: call.device.clone(),
            account: call.account_id.clone().unwrap_or_default(),
            callback_number: call.callback_number.clone(),
            location: call.location.clone(),
            latitude: call.point.map(|point| point.latitude),
            longitude: call.point.map(|point| point.longitude),
            facility: call.facility_name.clone(),
        }
    }

    /// One line that says the most.
    #[must_use]
    pub fn subject(&self) -> String {
        let place = if self.location.is_empty() { "an unknown place" } else { &self.location };
        format!("Emergency call to {} from line {} at {place}", self.number, or_unknown(&self.line))
    }

    /// All of it, for people.
    #[must_use]
    pub fn text(&self) -> String {
        let callback =
            if self.callback_number.is_empty() { "unknown".to_owned() } else { format!("+{}", self.callback_number) };
        let device = if self.device.is_empty() { String::new() } else { format!(", device {}", self.device) };
        format!(
            "Emergency call to {}\nLine: {}{device}\nAccount: {}\nCall back: {callback}\nLocation: {}\nFacility: {}\nTime: {}",
            self.number,
            or_unknown(&self.line),
            or_unknown(&self.account),
            or_unknown(&self.location),
            or_unknown(&self.facility),
            self.called_at.format("%Y-%m-%d %H:%M:%S UTC"),
        )
    }

    /// The callback that it asks to be protected.
    #[must_use]
    pub fn callback(&self) -> Callback {
        Callback {
            number: self.callback_number.clone(),
            line_id: self.line.clone(),
            account_id: self.account.clone(),
            called_at: self.called_at,
        }
    }

    /// Its record, now that it is delivered.
    #[must_use]
    pub fn delivered(&self, now: DateTime<Utc>, tries: u32, last_error: &str) -> EmergencyNotice {
        EmergencyNotice {
            call: CallId { node: self.node.clone(), boot: self.boot.clone(), uniqueid: self.uniqueid.clone() },
            kind: self.way.name().to_owned(),
            address: self.address.clone(),
            created_at: self.created_at,
            delivered_at: now,
            tries: tries.into(),
            last_error: last_error.to_owned(),
        }
    }
}

impl Errand for Notice {
    fn id(&self) -> Uuid {
        self.id
    }

    fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }

    fn whither(&self) -> String {
        format!("{} to {}", self.way.name(), self.address)
    }
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "unknown" } else { text }
}
