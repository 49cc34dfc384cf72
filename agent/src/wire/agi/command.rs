//! A command line, written so that nothing in it is code.
//!
//! Asterisk splits a line into words at space and tab; `"` toggles quoting and `\` escapes one character
//! (`parse_args` in `res/res_agi.c`). Arguments are always quoted. EXEC does not substitute variables, so `${X}` is text.

use std::fmt::Write as _;

/// Words in a line at the most: beyond 127, quoted words crash Asterisk (asterisk/asterisk#2069).
const WORDS: usize = 127;

/// What cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// CR, LF or NUL: a line would end there.
    #[error("{0}: holds a line end or NUL, which AGI cannot carry")]
    LineEnd(String),
    /// Longer than this Asterisk reads as one line.
    #[error("{0}: makes a line longer than this Asterisk reads ({1} bytes)")]
    TooLong(String, usize),
    /// More words than Asterisk survives.
    #[error("{0}: has more words than Asterisk takes")]
    TooManyWords(String),
}

/// One line, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    line: String,
    name: &'static str,
    /// What the data of the reply end with, where a value of the caller's stands in them.
    pub(super) end_of_data: Option<String>,
}

impl Command {
    /// `name` as it stands (`STREAM FILE`), then each argument quoted.
    ///
    /// # Errors
    /// See [`Unsendable`].
    pub fn new(name: &'static str, arguments: &[&str], limit: usize) -> Result<Command, Unsendable> {
        let mut line = String::with_capacity(64);
        line.push_str(name);
        for argument in arguments {
            line.push_str(" \"");
            quote_into(&mut line, argument).map_err(|()| Unsendable::LineEnd(name.to_owned()))?;
            line.push('"');
        }
        line.push('\n');
        if name.split(' ').count() + arguments.len() > WORDS {
            return Err(Unsendable::TooManyWords(name.to_owned()));
        }
        if line.len() > limit {
            return Err(Unsendable::TooLong(name.to_owned(), limit));
        }
        Ok(Command { line, name, end_of_data: None })
    }

    /// Reads `names` in one exchange; each value in the reply is followed by `boundary`, which no value may hold.
    ///
    /// # Errors
    /// See [`Unsendable`].
    pub fn get(names: &[&str], boundary: &str, limit: usize) -> Result<Command, Unsendable> {
        let mut expression = String::new();
        for name in names {
            // Writing to a String cannot fail.
            let _ = write!(expression, "${{{name}}}{boundary}");
        }
        let mut command = Command::new("GET FULL VARIABLE", &[&expression], limit)?;
        command.end_of_data = Some(format!("{boundary})"));
        Ok(command)
    }

    /// Sets `pairs` in order by as few `EXEC MSet` as the line limit allows: the last pair is set last.
    ///
    /// # Errors
    /// [`Unsendable`] names the pair; nothing may then be sent of any.
    pub fn set(pairs: &[(&str, &str)], limit: usize) -> Result<Vec<Command>, Unsendable> {
        const FRAME: usize = "EXEC MSet \"\"\n".len();
        let mut commands = Vec::with_capacity(1);
        let mut written = String::new();
        let mut list = String::new();
        let mut in_list = 0;
        for (name, value) in pairs {
            written.clear();
            let _ = write!(written, "{name}=");
            escape_into(&mut written, value);
            let length = quoted_length(&written);
            if FRAME + length > limit {
                return Err(Unsendable::TooLong((*name).to_owned(), limit));
            }
            if value.contains(['\r', '\n', '\0']) {
                return Err(Unsendable::LineEnd((*name).to_owned()));
            }
            if in_list > 0 && (FRAME + quoted_length(&list) + 1 + length > limit || in_list == MSET_PAIRS) {
                commands.push(Command::new("EXEC", &["MSet", &list], limit)?);
                list.clear();
                in_list = 0;
            }
            if in_list > 0 {
                list.push(',');
            }
            list.push_str(&written);
            in_list += 1;
        }
        if in_list > 0 {
            commands.push(Command::new("EXEC", &["MSet", &list], limit)?);
        }
        Ok(commands)
    }

    /// The line with its newline.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        self.line.as_bytes()
    }

    /// What is asked for, without arguments.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// Pairs that one MSet takes; further ones would all become part of the last value (`main/pbx_variables.c`).
const MSET_PAIRS: usize = 24;

/// Inside quotes of a line.
fn quote_into(line: &mut String, argument: &str) -> Result<(), ()> {
    for c in argument.chars() {
        match c {
            '\r' | '\n' | '\0' => return Err(()),
            '\\' | '"' => line.extend(['\\', c]),
            c => line.push(c),
        }
    }
    Ok(())
}

fn quoted_length(text: &str) -> usize {
    text.len() + text.bytes().filter(|b| matches!(b, b'\\' | b'"')).count()
}

/// A value in MSet's list. Asterisk counts brackets, toggles at quotes, and splits at commas outside of them
/// (`main/app.c`, `__ast_app_separate_args`); an escaped character is none of these.
fn escape_into(list: &mut String, value: &str) {
    for c in value.chars() {
        if matches!(c, '\\' | '"' | ',' | '(' | ')' | '[' | ']') {
            list.push('\\');
        }
        list.push(c);
    }
}
