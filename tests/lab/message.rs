//! SIP messages, as SIPp's message log shows them.

use std::net::SocketAddr;
use std::time::Duration;

/// One SIP message that a phone or carrier sent or received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Time of day; good for differences between logs of one machine.
    pub at: Duration,
    /// Whether it was received, rather than sent.
    pub received: bool,
    /// `INVITE sip:911@127.64.0.1:5060 SIP/2.0` or `SIP/2.0 200 OK`.
    pub first_line: String,
    /// Header lines.
    pub headers: Vec<(String, String)>,
    /// What follows them.
    pub body: String,
}

impl Message {
    /// Reads a log of `-trace_msg`. A message still being written is left out.
    #[must_use]
    pub(crate) fn parse_log(log: &str) -> Vec<Message> {
        const RULE: &str = "-----------------------------------------------";
        log.split(RULE).filter_map(Message::parse).collect()
    }

    fn parse(entry: &str) -> Option<Message> {
        let (title, rest) = entry.trim_start().split_once('\n')?;
        let (kind, text) = rest.split_once("\n\n")?;
        let received = kind.contains("message received");
        if !received && !kind.contains("message sent") {
            return None;
        }
        let text = text.replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n")?;
        let mut lines = head.lines();
        let first_line = lines.next()?.to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let headers = lines.filter_map(header).collect();
        Some(Message { at: time_of_day(title)?, received, first_line, headers, body: body.trim_end().to_owned() })
    }

    /// A header's first value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Status code of a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.first_line.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }

    /// User part of the request's URI: the number called.
    #[must_use]
    pub fn number(&self) -> &str {
        user_part(self.first_line.split(' ').nth(1).unwrap_or_default())
    }

    /// User part of From: the number shown.
    #[must_use]
    pub fn caller(&self) -> &str {
        user_part(self.header("From").unwrap_or_default())
    }

    /// Where its sender takes audio, by its SDP.
    #[must_use]
    pub fn audio(&self) -> Option<SocketAddr> {
        let line = |start: &str| self.body.lines().find_map(|line| line.strip_prefix(start));
        let ip = line("c=IN IP4 ")?.trim().parse().ok()?;
        let port = line("m=audio ")?.split(' ').next()?.parse().ok()?;
        Some(SocketAddr::new(ip, port))
    }

    /// User part of P-Asserted-Identity: the number told to the carrier only.
    #[must_use]
    pub fn asserted(&self) -> Option<&str> {
        self.header("P-Asserted-Identity").map(user_part)
    }
}

fn user_part(uri: &str) -> &str {
    let after = uri.split_once("sip:").map_or("", |(_, after)| after);
    after.split_once('@').map_or("", |(user, _)| user)
}

/// `2026-01-31 17:05:59.123456`, with any space between date and time.
fn time_of_day(title: &str) -> Option<Duration> {
    let clock = title.split_whitespace().nth(1)?;
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = hours.parse::<u64>().ok()? * 3600 + minutes.parse::<u64>().ok()? * 60;
    Some(Duration::from_secs(whole) + Duration::from_secs_f64(seconds.parse().ok()?))
}
