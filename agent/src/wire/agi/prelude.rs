//! What Asterisk says first: about 22 lines `agi_name: value`, then an empty one.

use std::io;

/// Bytes of a command line, with its newline, that every Asterisk takes.
const OLD_LINE_LIMIT: usize = 2047;

/// The same from 20.16, 21.11, 22.6 and 23.0 on; what is over runs as a separate command.
const NEW_LINE_LIMIT: usize = 8191;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum PreludeError {
    /// Not complete in time.
    #[error("the prelude was not complete in time")]
    Silent,
    /// Longer than allowed.
    #[error("the prelude is longer than {0} bytes (agi.prelude_bytes)")]
    TooLong(usize),
    /// The peer closed in the middle.
    #[error("the peer closed within the prelude")]
    Cut,
    /// The socket broke.
    #[error("the socket broke within the prelude: {0}")]
    Socket(io::Error),
}

/// The variables of the prelude, in order; text as Asterisk sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prelude(Vec<(String, String)>);

/// Where the prelude ends in `bytes`, past its empty line, looking from `from` on.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    if bytes.first() == Some(&b'\n') {
        return Some(1);
    }
    bytes.get(from..)?.windows(2).position(|pair| pair == b"\n\n").map(|at| from + at + 2)
}

impl Prelude {
    /// Reads the lines; one without a colon is passed over, as Asterisk writes none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Prelude {
        let text = String::from_utf8_lossy(bytes);
        let pairs = text.lines().filter_map(|line| {
            // The value may hold colons itself.
            let (name, value) = line.split_once(':')?;
            Some((name.strip_prefix("agi_")?.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()))
        });
        Prelude(pairs.collect())
    }

    /// The value of `agi_<name>`; empty when absent. Asterisk writes `unknown` for what it does not know, which is
    /// returned as empty too.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        if found == "unknown" { "" } else { found }
    }

    /// The path in `AGI(agi://host/<script>)` without leading slash and query.
    #[must_use]
    pub fn script(&self) -> &str {
        let path = self.get("network_script").trim_start_matches('/');
        path.split('?').next().unwrap_or_default()
    }

    /// The arguments of `AGI(url,1,2)` in order.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        (1..).map_while(|n| {
            let name = format!("arg_{n}");
            self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
        })
        .collect()
    }

    /// Bytes that a command line may have with its newline, by `agi_version`.
    #[must_use]
    pub fn line_limit(&self) -> usize {
        let version = self.get("version");
        let mut parts = version.split('.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part[..digits].parse::<u32>().ok()
        });
        let (major, minor) = (parts.next().flatten(), parts.next().flatten().unwrap_or(0));
        let new = match major {
            Some(20) => minor >= 16,
            Some(21) => minor >= 11,
            Some(22) => minor >= 6,
            Some(major) => major >= 23,
            // A build from git names a branch or a commit: what every version takes is safe.
            None => false,
        };
        if new { NEW_LINE_LIMIT } else { OLD_LINE_LIMIT }
    }
}
