//! The texts by which owners are told of messages: Jinja templates of their account, or ours.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use minijinja::{Environment, context};

use crate::store::mailbox::{MailSettings, NewMessage};

/// Steps that a template may take: a text of some pages.
const FUEL: u64 = 50_000;
/// No text is longer.
const LONGEST: usize = 100_000;

const SUBJECT: &str =
    "{% if urgent %}Urgent message{% else %}Message{% endif %} from {{ caller }} in mailbox {{ mailbox }}";
const BODY: &str = "Dear {{ name }},\n\n{{ caller }} left {% if urgent %}an urgent{% else %}a{% endif %} message of {{ duration }} in mailbox \
{{ mailbox }} on {{ date }}{% if forwarded_by %}, forwarded by mailbox {{ forwarded_by }}{% endif %}.\nIt is number {{ number }} of those that you have \
not heard.\n";
const PAGER_SUBJECT: &str = "Voicemail";
const PAGER_BODY: &str = "{{ duration }} from {{ caller }}, mailbox {{ mailbox }}";

/// A subject and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// In one line.
    pub subject: String,
    /// All of it.
    pub body: String,
}

/// The mail about a message.
#[must_use]
pub fn mail(settings: &MailSettings, message: &NewMessage, duration_ms: i64) -> Text {
    text(&settings.mail_subject, SUBJECT, &settings.mail_body, BODY, settings, message, duration_ms)
}

/// The short text about a message.
#[must_use]
pub fn pager(settings: &MailSettings, message: &NewMessage, duration_ms: i64) -> Text {
    text(&settings.pager_subject, PAGER_SUBJECT, &settings.pager_body, PAGER_BODY, settings, message, duration_ms)
}

fn text(
    subject: &str,
    our_subject: &str,
    body: &str,
    our_body: &str,
    settings: &MailSettings,
    message: &NewMessage,
    duration_ms: i64,
) -> Text {
    let fill = |theirs: &str, ours: &str| {
        let filled = (!theirs.is_empty()).then(|| render(theirs, settings, message, duration_ms));
        match filled {
            Some(Ok(filled)) => filled,
            Some(Err(error)) => {
                let account = &settings.account_id;
                tracing::warn!(account, error, "a template of mailbox_rules cannot be used; ours is");
                render(ours, settings, message, duration_ms).unwrap_or_default()
            }
            None => render(ours, settings, message, duration_ms).unwrap_or_default(),
        }
    };
    Text { subject: fill(subject, our_subject), body: fill(body, our_body) }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment
}

fn render(template: &str, settings: &MailSettings, message: &NewMessage, duration_ms: i64) -> Result<String, String> {
    let caller = caller(message);
    let context = context! {
        name => &settings.name,
        mailbox => &settings.number,
        account => &settings.account_id,
        number => settings.unheard,
        caller => caller,
        caller_name => &message.caller_name,
        caller_number => &message.caller_number,
        duration => duration(duration_ms),
        date => local(message.left_at, &settings.time_zone),
        urgent => message.urgent,
        forwarded_by => &message.forwarded_by,
    };
    let mut text = environment().render_str(template, context).map_err(|error| error.to_string())?;
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
    }
    Ok(text)
}

/// Who left a message, for people.
fn caller(message: &NewMessage) -> String {
    match (message.caller_name.as_str(), message.caller_number.as_str()) {
        ("", "") => "an unknown caller".to_owned(),
        ("", number) => number.to_owned(),
        (name, "") => name.to_owned(),
        (name, number) => format!("{name} ({number})"),
    }
}

/// `1:05`.
fn duration(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0).div_euclid(1000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn local(time: DateTime<Utc>, zone: &str) -> String {
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    time.with_timezone(&zone).format("%A, %-d %B %Y at %H:%M %Z").to_string()
}
