//! What Asterisk answers, read as it comes, in whatever pieces.
//!
//! `200 result=X [(data)] [endpos=N]`, `510`, `511`, a `520-` block; `100` is passed over, and `HANGUP` may stand before,
//! between and after all of them. X is text: the digits `0042` and `*12` are no numbers.

use super::command::Command;

/// Bytes of one reply at the most: Asterisk's own buffer for a value is far smaller.
const MOST: usize = 256 * 1024;

/// What came is not AGI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Garbage {
    /// A line that is no reply.
    #[error("Asterisk sent {0:?}, which is no AGI reply")]
    Line(String),
    /// A reply without an end.
    #[error("Asterisk sent more than {MOST} bytes without ending a reply")]
    Endless,
}

/// One thing that Asterisk said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The caller hung up; a reply may still follow.
    Hangup,
    /// The reply to the command in flight.
    Reply(Reply),
}

/// The reply to a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// 200, 510, 511 or 520.
    pub code: u16,
    /// The text after `result=`.
    pub result: String,
    /// What stands in parentheses.
    pub data: Option<String>,
    /// Samples played or recorded.
    pub endpos: Option<u64>,
}

/// Cuts replies out of the bytes as they come.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// What is before this was given out.
    start: usize,
    /// What is before this holds no end of a line.
    searched: usize,
    /// How the data of the expected reply end, if values of others stand in them.
    end_of_data: Option<String>,
    /// Whether the expected reply is that of EXEC, after whose result 1 a usage block follows by itself.
    exec: bool,
    usage_follows: bool,
}

impl Decoder {
    /// Starts with bytes that came with the prelude.
    #[must_use]
    pub fn new(rest: &[u8], capacity: usize) -> Decoder {
        let mut bytes = Vec::with_capacity(capacity.max(rest.len()));
        bytes.extend_from_slice(rest);
        Decoder { bytes, ..Decoder::default() }
    }

    /// Says which command's reply comes next.
    pub fn expect(&mut self, command: &Command) {
        self.end_of_data.clone_from(&command.end_of_data);
        self.exec = command.name() == "EXEC";
    }

    /// Where the next bytes are to be read to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        &mut self.bytes
    }

    /// The next thing said, if all of it is there.
    ///
    /// # Errors
    /// See [`Garbage`].
    #[allow(clippy::should_implement_trait, reason = "an iterator would end; this waits for more bytes")]
    pub fn next(&mut self) -> Result<Option<Event>, Garbage> {
        loop {
            let Some((first, after)) = self.line(self.start) else { return self.more() };
            let event = match first {
                b"HANGUP" => Event::Hangup,
                line if line.starts_with(b"100") => {
                    self.take(after);
                    continue;
                }
                line if line.starts_with(b"520-") => {
                    let Some(end) = self.usage_end(after) else { return self.more() };
                    self.take(end);
                    if std::mem::take(&mut self.usage_follows) {
                        continue;
                    }
                    return Ok(Some(Event::Reply(Reply { code: 520, ..Reply::default() })));
                }
                line if line.starts_with(b"200") && opens_data(line) => {
                    let Some((reply, end)) = self.with_data() else { return self.more() };
                    self.take(end);
                    return Ok(Some(Event::Reply(reply)));
                }
                line => match Reply::parse(&String::from_utf8_lossy(line)) {
                    Some(reply) => {
                        self.usage_follows = self.exec && reply.result == "1";
                        Event::Reply(reply)
                    }
                    None => {
                        let text: String = String::from_utf8_lossy(line).chars().take(80).collect();
                        return Err(Garbage::Line(text));
                    }
                },
            };
            self.take(after);
            return Ok(Some(event));
        }
    }

    /// The line from `from`, without its end, and where the next begins.
    fn line(&self, from: usize) -> Option<(&[u8], usize)> {
        let search = from.max(self.searched.min(self.bytes.len()));
        let end = search + self.bytes.get(search..)?.iter().position(|b| *b == b'\n')?;
        let line = &self.bytes[from..end];
        Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
    }

    /// Nothing complete: more bytes are needed, unless there are too many already.
    fn more(&mut self) -> Result<Option<Event>, Garbage> {
        if self.bytes.len() - self.start > MOST {
            return Err(Garbage::Endless);
        }
        if !self.bytes[self.start..].contains(&b'\n') {
            self.searched = self.bytes.len();
        }
        Ok(None)
    }

    fn take(&mut self, end: usize) {
        self.start = end;
        self.searched = end;
    }

    /// Where a usage block ends whose first line ended at `from`.
    fn usage_end(&self, mut from: usize) -> Option<usize> {
        loop {
            let (line, after) = self.line(from)?;
            if line.starts_with(b"520 ") {
                return Some(after);
            }
            from = after;
        }
    }

    /// A reply whose data in parentheses may hold anything, line ends and `)` included.
    fn with_data(&self) -> Option<(Reply, usize)> {
        let bytes = &self.bytes[self.start..];
        let open = find(bytes, b" (")?;
        let data = open + 2;
        let (close, end) = match &self.end_of_data {
            Some(marker) => {
                let close = data + find(&bytes[data..], format!("{marker}\n").as_bytes())? + marker.len() - 1;
                (close, close + 2)
            }
            // The data of Asterisk's own words end where a line does, be it before ` endpos=`.
            None => bytes[data..].iter().enumerate().find_map(|(at, b)| {
                let (close, rest) = (data + at, bytes.get(data + at + 1..)?);
                let line = &rest[..rest.iter().position(|b| *b == b'\n')?];
                let ends = *b == b')' && (line.is_empty() || line.starts_with(b" endpos="));
                ends.then_some((close, close + 1 + line.len() + 1))
            })?,
        };
        let head = String::from_utf8_lossy(&bytes[..open]);
        let tail = String::from_utf8_lossy(&bytes[close + 1..end - 1]);
        let mut reply = Reply::parse(&format!("{head}{tail}"))?;
        reply.data = Some(String::from_utf8_lossy(&bytes[data..close]).into_owned());
        Some((reply, self.start + end))
    }
}

impl Reply {
    /// A line without data in parentheses.
    fn parse(line: &str) -> Option<Reply> {
        let (code, rest) = line.split_at_checked(3)?;
        let code = code.parse().ok().filter(|code| matches!(code, 200 | 510 | 511 | 520))?;
        let mut reply = Reply { code, ..Reply::default() };
        for word in rest.split(' ') {
            if let Some(result) = word.strip_prefix("result=") {
                reply.result = result.to_owned();
            } else if let Some(endpos) = word.strip_prefix("endpos=") {
                reply.endpos = endpos.parse().ok();
            }
        }
        Some(reply)
    }
}

fn opens_data(line: &[u8]) -> bool {
    find(line, b" (").is_some()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
