//! A message as it is told to its owner: by mail, pager or web, to one address.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::text;
use crate::post::errand::Errand;
use crate::store::mailbox::{Format, MailSettings, NewMessage};

/// How an owner is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Mail, with the audio if it is wanted.
    Mail,
    /// A short text by mail.
    Pager,
    /// HTTP POST.
    Webhook,
}

impl Way {
    /// As metrics call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Way::Mail => "mail",
            Way::Pager => "pager",
            Way::Webhook => "webhook",
        }
    }
}

/// A message, told to one address. The part `message` is what a webhook receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageErrand {
    /// The same for the same message and address.
    pub id: Uuid,
    /// How.
    pub way: Way,
    /// To whom.
    pub address: String,
    /// When it came into being.
    pub created_at: DateTime<Utc>,
    /// Sender; empty for the agent's own.
    pub from: String,
    /// Subject of the mail.
    pub subject: String,
    /// Text of the mail.
    pub text: String,
    /// How the audio is written that goes along, if any does.
    pub enclosed: Option<Format>,
    /// Whether the message is deleted when its mails are delivered.
    pub delete: bool,
    /// The message.
    pub message: News,
}

/// What is told of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// The message's id.
    pub id: Uuid,
    /// The mailbox's id.
    pub mailbox: String,
    /// Its number.
    pub number: String,
    /// Its account.
    pub account: String,
    /// Whose it is.
    pub name: String,
    /// Whether the caller called it urgent.
    pub urgent: bool,
    /// Caller ID number as presented; may be empty.
    pub caller_number: String,
    /// Caller ID name as presented; may be empty.
    pub caller_name: String,
    /// The line that called, if one of ours did.
    pub line: Option<String>,
    /// The mailbox that forwarded it.
    pub forwarded_by: Option<String>,
    /// When it was left.
    pub left_at: DateTime<Utc>,
    /// Its length.
    pub duration_ms: i64,
    /// Messages that were not heard, this one among them.
    pub unheard: i64,
}

impl MessageErrand {
    /// Everybody who is told of a message.
    #[must_use]
    pub fn all(settings: &MailSettings, message: &NewMessage, format: Format, duration_ms: i64) -> Vec<MessageErrand> {
        let addresses = |list: &str| -> Vec<String> {
            list.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
        };
        let ways = [(Way::Mail, &settings.mail), (Way::Pager, &settings.pager), (Way::Webhook, &settings.webhook)];
        let news = News {
            id: message.id,
            mailbox: settings.id.clone(),
            number: settings.number.clone(),
            account: settings.account_id.clone(),
            name: settings.name.clone(),
            urgent: message.urgent,
            caller_number: message.caller_number.clone(),
            caller_name: message.caller_name.clone(),
            line: message.line_id.clone(),
            forwarded_by: message.forwarded_by.clone(),
            left_at: message.left_at,
            duration_ms,
            unheard: settings.unheard,
        };
        let mut errands = Vec::new();
        for (way, list) in ways {
            let text = match way {
                Way::Mail => text::mail(settings, message, duration_ms),
                Way::Pager => text::pager(settings, message, duration_ms),
                Way::Webhook => text::Text { subject: String::new(), body: String::new() },
            };
            for address in addresses(list) {
                let name = [&message.id.to_string(), way.name(), &address].join("\n");
                errands.push(MessageErrand {
                    id: Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()),
                    way,
                    address,
                    created_at: Utc::now(),
                    from: settings.mail_from.clone(),
                    subject: text.subject.clone(),
                    text: text.body.clone(),
                    enclosed: (way == Way::Mail && settings.attach).then_some(format),
                    delete: way == Way::Mail && settings.delete_after_mail,
                    message: news.clone(),
                });
            }
        }
        errands
    }
}

impl Errand for MessageErrand {
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
