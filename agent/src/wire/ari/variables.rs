//! Variables and functions of a channel, many in one request.
//!
//! ARI has a request for one variable only. `ARRAY(a,b,...)` of `funcs/func_strings.c` sets several from one text, split as `MSet` splits, and
//! `EVAL(...)` reads several as one text.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use reqwest::Method;
use serde_json::Value;

use super::{Ari, AriError, segment};

/// Variables of one `ARRAY` at the most; Asterisk takes 100.
const MOST: usize = 90;
/// Bytes of one request at the most; Asterisk reads bodies of 40960 (`MAX_CONTENT_LENGTH` of `main/http.c`), and JSON may escape them.
const LONGEST: usize = 16 * 1024;

impl Ari {
    /// Sets variables and functions in their order.
    ///
    /// # Errors
    /// See [`AriError`]; [`AriError::Unsendable`] before anything is sent on what is no name, and on CR, LF or NUL in a value.
    pub async fn set(&self, channel: &str, pairs: &[(&str, &str)]) -> Result<(), AriError> {
        for (name, value) in pairs {
            check_name(name)?;
            if let Some(byte) = value.bytes().find(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                return Err(AriError::Unsendable(format!("{name}: its value holds {:?}", char::from(byte))));
            }
        }
        let path = format!("/channels/{}/variable", segment(channel));
        let mut rest = pairs;
        while !rest.is_empty() {
            let (variable, value, taken) = array(rest);
            self.tell(Method::POST, &path, &[("variable", variable), ("value", value)]).await?;
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Reads variables and functions; unset ones are empty.
    ///
    /// Values are the caller's data and may hold any separator, so they are asked for around a boundary that is made up anew each time.
    ///
    /// # Errors
    /// See [`AriError`].
    pub async fn get(&self, channel: &str, names: &[&str]) -> Result<Vec<String>, AriError> {
        let boundary = format!("|{:016x}|", RandomState::new().hash_one(0));
        let mut question = String::from("EVAL(");
        for name in names {
            check_name(name)?;
            question.extend([&*boundary, "${", name, "}"]);
        }
        question.extend([&*boundary, ")"]);
        let path = format!("/channels/{}/variable?variable={}", segment(channel), segment(&question));
        let answer: Value = self.ask(&path).await?;
        let text = answer.get("value").and_then(Value::as_str).unwrap_or_default();
        let inside = text.strip_prefix(&*boundary).and_then(|text| text.strip_suffix(&*boundary));
        let values: Vec<String> =
            inside.into_iter().flat_map(|text| text.split(&*boundary)).map(str::to_owned).collect();
        if values.len() == names.len() {
            return Ok(values);
        }
        let why = format!("{} values for {} names", values.len(), names.len());
        Err(AriError::Broken { what: "GET variable".to_owned(), why })
    }
}

/// The name and the value that set the first of `pairs`, and how many those are.
fn array(pairs: &[(&str, &str)]) -> (String, String, usize) {
    let (mut names, mut values) = (String::from("ARRAY("), String::new());
    let mut taken = 0;
    for (name, value) in pairs.iter().take(MOST) {
        if taken > 0 {
            if names.len() + values.len() + name.len() + value.len() > LONGEST {
                break;
            }
            names.push(',');
            values.push(',');
        }
        // The comma of a function's argument is not the list's.
        names.push_str(name);
        escape(&mut values, value);
        taken += 1;
    }
    names.push(')');
    (names, values, taken)
}

/// As Asterisk's argument splitter (`__ast_app_separate_args`) takes it back: unchanged.
fn escape(out: &mut String, value: &str) {
    for c in value.chars() {
        if matches!(c, '\\' | '"' | ',' | '(' | ')' | '[' | ']' | '{' | '}') {
            out.push('\\');
        }
        out.push(c);
    }
}

/// A variable (`NAME`, `__NAME`) or a function (`CALLERID(num)`), nothing that could be read otherwise.
fn check_name(name: &str) -> Result<(), AriError> {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let known = match name.split_once('(') {
        None => word(name),
        Some((function, rest)) => {
            let argument = |b: u8| b.is_ascii_alphanumeric() || b"_-.,:/@*#+ ".contains(&b);
            word(function) && rest.strip_suffix(')').is_some_and(|inside| inside.bytes().all(argument))
        }
    };
    if known {
        Ok(())
    } else {
        Err(AriError::Unsendable(format!("{name:?} is not the name of a variable or function")))
    }
}
