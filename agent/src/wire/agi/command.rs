//! Commands as Asterisk's word splitter (`parse_args`) and the `MSet` application read them back.

use super::WireError;

/// Words of one command at the most; more than 127 quoted ones crash Asterisk (asterisk/asterisk#2069).
const MOST_WORDS: usize = 120;

/// Pairs of one `MSet` at the most; Asterisk takes the 99th to be all the rest.
const MOST_PAIRS: usize = 98;

/// Appends one command line to `out`: the verb as it stands, each word quoted.
///
/// # Errors
/// [`WireError::Refused`] on CR, LF or NUL, on too many words, and on a line over `limit` bytes; `out` is then as
/// before.
pub fn encode(out: &mut Vec<u8>, verb: &str, words: &[&str], limit: usize) -> Result<(), WireError> {
    let start = out.len();
    let encoded = encode_words(out, verb, words, limit);
    if encoded.is_err() {
        out.truncate(start);
    }
    encoded
}

fn encode_words(out: &mut Vec<u8>, verb: &str, words: &[&str], limit: usize) -> Result<(), WireError> {
    let start = out.len();
    if words.len() > MOST_WORDS {
        return Err(WireError::Refused(format!("{verb} with {} words, {MOST_WORDS} are the most", words.len())));
    }
    out.extend_from_slice(verb.as_bytes());
    for word in words {
        sendable(verb, word)?;
        out.extend_from_slice(b" \"");
        for &byte in word.as_bytes() {
            if matches!(byte, b'\\' | b'"') {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
    out.push(b'\n');
    within(verb, out.len() - start, limit)
}

/// Appends the `EXEC MSet` lines that set `pairs` in their order: one line, or as many as `limit` and
/// Asterisk's count of pairs ask for. Nothing is appended unless all can be.
///
/// Values arrive unchanged: `MSet` drops quotes, splits at commas outside of parentheses and brackets (counted
/// across all pairs), and takes a backslash as "the next one literally"; so what starts any of these is escaped. So
/// are `{` and `[`, which keeps `${` and `$[` apart even where the dialplan has set `AGIEXECFULL` and Asterisk
/// looks for expressions.
///
/// # Errors
/// [`WireError::Refused`] on a name that is no variable or function, on CR, LF or NUL in a value, and on a single
/// pair over `limit` bytes.
pub fn encode_mset(out: &mut Vec<u8>, pairs: &[(&str, &str)], limit: usize) -> Result<(), WireError> {
    let start = out.len();
    let encoded = encode_pairs(out, pairs, limit);
    if encoded.is_err() {
        out.truncate(start);
    }
    encoded
}

fn encode_pairs(out: &mut Vec<u8>, pairs: &[(&str, &str)], limit: usize) -> Result<(), WireError> {
    const OPEN: &[u8] = b"EXEC MSet \"";
    const CLOSE: &[u8] = b"\"\n";
    let mut line = out.len();
    let mut in_line = 0;
    for (name, value) in pairs {
        check_name(name)?;
        sendable(name, value)?;
        let before = out.len();
        loop {
            out.extend_from_slice(if in_line == 0 { OPEN } else { b"," });
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            encode_value(out, value);
            let length = out.len() + CLOSE.len() - line;
            if length <= limit && in_line < MOST_PAIRS {
                break;
            }
            if in_line == 0 {
                return within(name, length, limit);
            }
            out.truncate(before);
            out.extend_from_slice(CLOSE);
            line = out.len();
            in_line = 0;
        }
        in_line += 1;
    }
    if in_line > 0 {
        out.extend_from_slice(CLOSE);
    }
    Ok(())
}

/// Escapes twice: for `MSet`, and what that gave for the word splitter.
fn encode_value(out: &mut Vec<u8>, value: &str) {
    for &byte in value.as_bytes() {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', b'\\', b'\\', byte]),
            b',' | b'(' | b'[' | b'{' => out.extend_from_slice(&[b'\\', b'\\', byte]),
            _ => out.push(byte),
        }
    }
}

/// A variable (`NAME`, `__NAME`) or a function (`CALLERID(num)`, `PJSIP_HEADER(read,X-Line)`), nothing that could be
/// read otherwise inside `MSet` or `${}`.
///
/// # Errors
/// [`WireError::Refused`] on everything else.
pub fn check_name(name: &str) -> Result<(), WireError> {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let known = match name.split_once('(') {
        None => word(name),
        Some((function, rest)) => {
            word(function)
                && rest.strip_suffix(')').is_some_and(|inside| {
                    inside.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.,:/@*#+ ".contains(&b))
                })
        }
    };
    if known { Ok(()) } else { Err(WireError::Refused(format!("{name:?} is not the name of a variable or function"))) }
}

fn sendable(what: &str, text: &str) -> Result<(), WireError> {
    match text.bytes().find(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        None => Ok(()),
        Some(byte) => Err(WireError::Refused(format!(
            "{what}: its text holds {:?}, which would end the command early",
            char::from(byte)
        ))),
    }
}

fn within(what: &str, length: usize, limit: usize) -> Result<(), WireError> {
    if length <= limit {
        return Ok(());
    }
    Err(WireError::Refused(format!("{what}: {length} bytes encoded, and this Asterisk reads {limit} a line")))
}
