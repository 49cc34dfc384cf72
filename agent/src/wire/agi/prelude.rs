//! The `agi_*` lines that open a session.

use std::ops::Range;

use super::WireError;

/// More lines than Asterisk can send: about 22, and up to 127 arguments.
const MOST_LINES: usize = 160;

/// What Asterisk tells about the call before the first command.
///
/// Whoever calls can forge lines of it: Asterisk decodes `%0A` in a SIP user part to a newline, and writes caller
/// and dialled numbers as they stand. So a key that comes twice is refused, and so is anything after the first
/// argument that is not the next one, since genuine lines follow all that a caller can influence. That leaves a
/// caller who forges all the rest with the empty line; so what must not be forged belongs into the path of the
/// address ([`Prelude::script`]), which stands before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prelude {
    text: String,
    /// Where keys and values stand in it.
    fields: Vec<(Range<usize>, Range<usize>)>,
}

impl Prelude {
    /// Reads a prelude off the front of `bytes`; with it comes how many bytes it took. `None` while the
    /// empty line that ends it is not there yet.
    ///
    /// # Errors
    /// [`WireError::Protocol`] on a line that is not `agi_<key>: <value>`, on repeated keys, and on
    /// arguments out of order.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Prelude, usize)>, WireError> {
        let Some(end) = bytes.windows(2).position(|pair| pair == b"\n\n") else {
            // Said early, so that a peer of another protocol does not have to be waited for.
            return if b"agi_".starts_with(&bytes[..bytes.len().min(4)]) {
                Ok(None)
            } else {
                Err(WireError::Protocol(format!("first bytes are {:?}", excerpt(bytes))))
            };
        };
        let text = String::from_utf8_lossy(&bytes[..=end]).into_owned();
        let fields = Vec::with_capacity(32);
        let mut prelude = Prelude { text, fields };
        prelude.split()?;
        Ok(Some((prelude, end + 2)))
    }

    fn split(&mut self) -> Result<(), WireError> {
        let (mut start, mut arguments) = (0, 0);
        for line in self.text.split_terminator('\n') {
            // At the first colon: values hold them too.
            let Some((key, value)) = line.split_once(':').filter(|(key, _)| key.starts_with("agi_")) else {
                return Err(WireError::Protocol(format!("prelude line {:?}", excerpt(line.as_bytes()))));
            };
            if self.fields.len() == MOST_LINES {
                return Err(WireError::Protocol(format!("more than {MOST_LINES} prelude lines")));
            }
            if let Some(number) = key.strip_prefix("agi_arg_") {
                arguments += 1;
                if number.parse() != Ok(arguments) {
                    return Err(WireError::Protocol(format!("{key} where agi_arg_{arguments} was due")));
                }
            } else if arguments > 0 || self.get(key).is_some() {
                return Err(WireError::Protocol(format!("{key} a second time, or after the arguments")));
            }
            let end = start + line.len();
            let value = value.strip_prefix(' ').unwrap_or(value);
            self.fields.push((start..start + key.len(), end - value.len()..end));
            start = end + 1;
        }
        Ok(())
    }

    /// Keys and values in the order sent.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(key, value)| (&self.text[key.clone()], &self.text[value.clone()]))
    }

    /// The value of one key, such as `agi_uniqueid`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The path of the `agi://host/path?query` that was called, without slash and query; empty when there is none.
    /// Nothing that a caller controls can stand in its place.
    #[must_use]
    pub fn script(&self) -> &str {
        let script = self.fields().nth(1).filter(|(key, _)| *key == "agi_network_script").map_or("", |(_, path)| path);
        let script = script.split_once('?').map_or(script, |(path, _)| path);
        script.trim_start_matches('/')
    }

    /// The arguments of `AGI(url,first,second)` in order.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.fields().filter(|(key, _)| key.starts_with("agi_arg_")).map(|(_, value)| value)
    }

    /// Bytes of a command line, newline included, that this Asterisk reads as one: 8191 from 20.16, 21.11,
    /// 22.6 and 23.0 on, 2047 before and whenever the version is not understood. What is over would run as a
    /// separate command.
    #[must_use]
    pub fn line_limit(&self) -> usize {
        if self.get("agi_version").is_some_and(reads_long_lines) { 8191 } else { 2047 }
    }
}

/// Whether `version` (`22.10.1~dfsg+~cs6.15`, `GIT-22-1a2b3c`, `certified/20.7-cert5`) names a release with the
/// larger buffer.
fn reads_long_lines(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        part[..digits].parse::<u32>().ok()
    });
    let (Some(Some(major)), Some(Some(minor))) = (parts.next(), parts.next()) else { return false };
    match major {
        20 => minor >= 16,
        21 => minor >= 11,
        22 => minor >= 6,
        // Builds that count otherwise (by year) say nothing about the buffer.
        23..100 => true,
        _ => false,
    }
}

/// The start of what a peer sent, short enough for a log line.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned()
}
