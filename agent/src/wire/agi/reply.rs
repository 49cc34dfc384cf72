//! Replies, and the `HANGUP` that may stand before, between and after them.

use super::WireError;
use super::prelude::excerpt;

/// Bytes of one reply, with what stands before it, at the most.
pub const LONGEST: usize = 256 * 1024;

/// Asterisk's reply to one command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// 200 done, 510 unknown command, 511 not on a dead channel, 520 wrong usage.
    pub code: u16,
    /// What follows `result=`: text, since the digits `0042` are not a number. Empty on other codes than 200.
    pub result: String,
    /// What stands in parentheses after the result; on other codes the text of the reply.
    pub data: Option<String>,
    /// Samples played or recorded, where the command tells.
    pub endpos: Option<u64>,
}

/// What a look at the received bytes gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// A `HANGUP` line was among them.
    pub hangup: bool,
    /// The reply, once it is complete, and the bytes up to its end.
    pub reply: Option<(Reply, usize)>,
}

/// Looks for a reply at the front of `bytes`, past any `HANGUP` and `100` lines.
///
/// Data may hold newlines: a `200` line whose parenthesis is open goes on to the next line that closes it. Since data
/// may also hold `)` before a newline, a caller who knows how his data ends (`ending`, followed by the
/// closing parenthesis) says so.
///
/// # Errors
/// [`WireError::Protocol`] on a line that is no reply, and when [`LONGEST`] bytes hold none.
pub fn scan(bytes: &[u8], ending: Option<&str>) -> Result<Scan, WireError> {
    let mut found = Scan::default();
    let mut start = 0;
    while let Some(length) = bytes[start..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[start..start + length];
        let next = start + length + 1;
        if line == b"HANGUP" {
            found.hangup = true;
        } else if line.starts_with(b"200 result=") {
            found.reply = success(bytes, start, ending);
            return bounded(bytes, found);
        } else if line.starts_with(b"520-") {
            found.reply = usage(&bytes[start..]).map(|(reply, used)| (reply, start + used));
            return bounded(bytes, found);
        } else if !line.starts_with(b"100 ") {
            found.reply = Some((other(line)?, next));
            return Ok(found);
        }
        start = next;
    }
    bounded(bytes, found)
}

fn bounded(bytes: &[u8], found: Scan) -> Result<Scan, WireError> {
    if found.reply.is_none() && bytes.len() > LONGEST {
        return Err(WireError::Protocol(format!("{} bytes without an end, {:?}...", bytes.len(), excerpt(bytes))));
    }
    Ok(found)
}

/// `200 result=X [(data)] [endpos=N]`, from `start` on, possibly over several lines.
fn success(bytes: &[u8], start: usize, ending: Option<&str>) -> Option<(Reply, usize)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let body = start + b"200 result=".len();
    let mut end = line_end(bytes, body)?;
    let space = bytes[body..end].iter().position(|byte| *byte == b' ').map_or(end, |space| body + space);
    let mut reply = Reply { code: 200, result: text(&bytes[body..space]), ..Reply::default() };
    if !bytes[space..end].starts_with(b" (") {
        reply.endpos = bytes.get(space + 1..end).and_then(endpos);
        return Some((reply, end + 1));
    }
    let data = space + 2;
    let mut line = data;
    loop {
        if let Some((length, endpos)) = closed(&bytes[line..end]) {
            let data = &bytes[data..line + length];
            if ending.is_none_or(|ending| data.ends_with(ending.as_bytes())) {
                reply.data = Some(text(data));
                reply.endpos = endpos;
                return Some((reply, end + 1));
            }
        }
        line = end + 1;
        end = line_end(bytes, line)?;
    }
}

fn line_end(bytes: &[u8], from: usize) -> Option<usize> {
    bytes[from..].iter().position(|byte| *byte == b'\n').map(|length| from + length)
}

/// How much of a line is data, if it ends in `)` or `) endpos=N`; and that N.
fn closed(line: &[u8]) -> Option<(usize, Option<u64>)> {
    if let Some(data) = line.strip_suffix(b")") {
        return Some((data.len(), None));
    }
    let end = line.windows(2).rposition(|pair| pair == b") ")?;
    Some((end, Some(endpos(&line[end + 2..])?)))
}

fn endpos(text: &[u8]) -> Option<u64> {
    let digits = text.strip_prefix(b"endpos=")?.split(|byte| *byte == b' ').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The block from `520-` to the line `520 End of proper usage.`; `None` while it is not complete.
fn usage(bytes: &[u8]) -> Option<(Reply, usize)> {
    let mut used = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        used += line.len();
        if line.ends_with(b"\n") && line.starts_with(b"520 ") {
            let text = String::from_utf8_lossy(&bytes[b"520-".len()..used]).trim_end().to_owned();
            return Some((Reply { code: 520, data: Some(text), ..Reply::default() }, used));
        }
    }
    None
}

/// `510 Invalid or unknown command`, `511 ...` and any other status line.
fn other(line: &[u8]) -> Result<Reply, WireError> {
    let text = std::str::from_utf8(line).ok();
    let status = text.and_then(|text| text.split_once(' '));
    match status.and_then(|(code, text)| Some((code.parse().ok().filter(|code| (100..1000).contains(code))?, text))) {
        Some((code, text)) => Ok(Reply { code, data: Some(text.to_owned()), ..Reply::default() }),
        None => Err(WireError::Protocol(format!("{:?} where a reply was due", excerpt(line)))),
    }
}
