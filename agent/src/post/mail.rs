//! Mail, as it is handed to the provider's mail server.

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// Where mail is handed in, and who sends it.
#[derive(Debug)]
pub struct Mail {
    server: Result<AsyncSmtpTransport<Tokio1Executor>, String>,
    from: String,
}

/// A mail to one address.
#[derive(Debug)]
pub struct Letter<'a> {
    /// Sender; empty for the one of the configuration.
    pub from: &'a str,
    /// `Name <name@example.com>`, or the address alone.
    pub to: &'a str,
    /// Its subject, in one line.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The same for every try.
    pub message_id: String,
    /// Name, type and bytes of a file that goes along.
    pub attachment: Option<(&'a str, &'a str, Vec<u8>)>,
}

impl Mail {
    /// By the server of a URL such as `smtp://user:password@mail.example:587?tls=required`.
    #[must_use]
    pub fn new(url: &str, from: &str) -> Mail {
        let server = if url.is_empty() {
            Err("notices.smtp is empty: no mail can be sent".to_owned())
        } else {
            AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
                .map(lettre::transport::smtp::AsyncSmtpTransportBuilder::build)
                // Without the URL, which may hold a password.
                .map_err(|error| format!("notices.smtp: {error}"))
        };
        Mail { server, from: from.to_owned() }
    }

    /// Hands a letter in.
    ///
    /// # Errors
    /// Why the server did not take it.
    pub async fn send(&self, letter: Letter<'_>) -> Result<(), String> {
        let server = self.server.as_ref().map_err(Clone::clone)?;
        let from = if letter.from.is_empty() { &self.from } else { letter.from };
        let from: Mailbox = from.parse().map_err(|error| format!("the sender {from:?}: {error}"))?;
        let to: Mailbox = letter.to.parse().map_err(|error| format!("{:?}: {error}", letter.to))?;
        // Of a subject of several lines the others would be headers.
        let subject: String = letter.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let message =
            Message::builder().from(from).to(to).subject(subject).message_id(Some(format!("<{}>", letter.message_id)));
        let message = match letter.attachment {
            None => message.header(ContentType::TEXT_PLAIN).body(letter.text),
            Some((name, kind, bytes)) => {
                let kind = ContentType::parse(kind).map_err(|error| error.to_string())?;
                let file = Attachment::new(name.to_owned()).body(bytes, kind);
                message.multipart(MultiPart::mixed().singlepart(SinglePart::plain(letter.text)).singlepart(file))
            }
        };
        let message = message.map_err(|error| error.to_string())?;
        server.send(message).await.map(drop).map_err(|error| error.to_string())
    }
}
