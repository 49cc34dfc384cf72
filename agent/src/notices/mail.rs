//! Notices by e-mail.

use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::notice::Notice;

/// Where mail is handed in, and who sends it.
#[derive(Debug)]
pub(super) struct Mail {
    server: Result<AsyncSmtpTransport<Tokio1Executor>, String>,
    from: String,
}

impl Mail {
    /// By the server of a URL such as `smtp://user:password@mail.example:587?tls=required`.
    pub(super) fn new(url: &str, from: &str) -> Mail {
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

    /// Hands a notice in.
    ///
    /// # Errors
    /// Why the server did not take it.
    pub(super) async fn send(&self, notice: &Notice) -> Result<(), String> {
        let server = self.server.as_ref().map_err(Clone::clone)?;
        let from = self.from.parse().map_err(|error| format!("notices.from {:?}: {error}", self.from))?;
        let to = notice.address.parse().map_err(|error| format!("{:?}: {error}", notice.address))?;
        let message = Message::builder()
            .from(from)
            .to(to)
            .subject(notice.subject())
            .message_id(Some(format!("<{}@{}>", notice.id, notice.node)))
            .header(ContentType::TEXT_PLAIN)
            .body(notice.text())
            .map_err(|error| error.to_string())?;
        server.send(message).await.map(drop).map_err(|error| error.to_string())
    }
}
