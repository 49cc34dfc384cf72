//! Asterisk's transcript of ARI (`res_ari.c`), in AGI's words.

use serde_json::Value;

/// The requests about one channel.
#[derive(Debug)]
pub(super) struct Requests {
    /// How the channel's name begins.
    name: String,
    /// Its id, once it came into the app.
    channel: Option<String>,
    /// The kind of the event being read, and the first `id` in it.
    event: String,
    id: String,
    /// Method and path of the request being read.
    request: Option<(String, String)>,
    /// The line before said that a request follows.
    begins: bool,
}

impl Requests {
    /// Of the first channel whose name begins so.
    pub(super) fn of(name: &str) -> Requests {
        Requests {
            name: name.to_owned(),
            channel: None,
            event: String::new(),
            id: String::new(),
            request: None,
            begins: false,
        }
    }

    /// A line of the transcript; what was ordered, when it ends a request.
    pub(super) fn read(&mut self, line: &str) -> Vec<String> {
        if self.begins {
            self.begins = false;
            self.request = line.split_once(' ').map(|(method, path)| (method.to_owned(), path.to_owned()));
            return Vec::new();
        }
        if line.contains("<--- ARI request received from") {
            self.begins = true;
            return Vec::new();
        }
        if let Some(kind) = field(line, "type") {
            kind.clone_into(&mut self.event);
        }
        if let Some(id) = field(line, "id") {
            id.clone_into(&mut self.id);
        }
        let name = field(line, "name").filter(|name| name.starts_with(&self.name));
        if self.channel.is_none() && name.is_some() && self.event == "StasisStart" {
            self.channel = Some(self.id.clone());
        }
        let ends = line.starts_with('{') && line.ends_with('}') || line.starts_with("reason_code: ");
        let Some((method, path)) = self.request.take_if(|_| ends) else { return Vec::new() };
        let parts: Vec<&str> = path.split('/').collect();
        match (&*method, &*parts) {
            (method, ["channels", channel, rest @ ..]) if self.channel.as_deref() == Some(*channel) => {
                words(method, rest, line)
            }
            _ => Vec::new(),
        }
    }
}

/// `"name": "value",` of an event.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix('"')?.strip_prefix(name)?.strip_prefix("\": \"")?;
    rest.trim_end_matches(',').strip_suffix('"')
}

fn words(method: &str, what: &[&str], body: &str) -> Vec<String> {
    if method == "DELETE" {
        return vec![format!("EXEC \"Hangup\" \"{}\"", body.trim_start_matches("reason_code: "))];
    }
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    match what {
        ["play", ..] => {
            let steered = body["skipms"].as_u64().unwrap_or_default() > 0;
            media(
                &body["media"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>(),
                steered,
            )
        }
        ["record"] => vec![format!("RECORD FILE \"{}\"", text("name"))],
        ["variable"] => set(&text("variable"), &text("value")),
        _ => Vec::new(),
    }
}

/// A spelled text is one command of AGI's. Keys may be pressed from the first prompt on, which AGI tells by a command of its own.
fn media(uris: &[&str], steered: bool) -> Vec<String> {
    let key = |uri: &&str| {
        let name = uri.strip_prefix("sound:digits/").or_else(|| uri.strip_prefix("sound:letters/"))?;
        match name {
            "star" => Some('*'),
            "pound" => Some('#'),
            "dash" => Some('-'),
            "plus" => Some('+'),
            "space" => Some(' '),
            name => name.chars().next().filter(|_| name.len() == 1),
        }
    };
    if let Some(text) = uris.iter().map(key).collect::<Option<String>>().filter(|text| !text.is_empty()) {
        let verb = if text.starts_with(|c: char| c.is_ascii_digit()) { "SAY DIGITS" } else { "SAY ALPHA" };
        return vec![format!("{verb} \"{text}\"")];
    }
    let mut words = Vec::new();
    for (kind, name) in uris.iter().filter_map(|uri| uri.split_once(':')) {
        words.push(match kind {
            "number" => format!("SAY NUMBER \"{name}\""),
            _ if steered => format!("CONTROL STREAM FILE \"{name}\""),
            _ => format!("STREAM FILE \"{name}\""),
        });
    }
    if let (false, Some((_, name))) = (steered, uris.last().and_then(|uri| uri.split_once("sound:"))) {
        words.push(format!("GET DATA \"{name}\""));
    }
    words
}

/// One `MSet` of what an `ARRAY` sets; of a date, that it is said.
fn set(variable: &str, value: &str) -> Vec<String> {
    let names = variable.trim_start_matches("ARRAY(").strip_suffix(')').unwrap_or(variable);
    let mut values = vec![String::new()];
    let mut escaped = false;
    for c in value.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            ',' if !escaped => values.push(String::new()),
            c => {
                escaped = false;
                values.last_mut().expect("one at least").push(c);
            }
        }
    }
    let pairs: Vec<String> = names.split(',').zip(&values).map(|(name, value)| format!("{name}={value}")).collect();
    if let Some(seconds) = pairs.iter().find_map(|pair| pair.strip_prefix("TANDEM_SAY=")) {
        return vec![format!("SAY DATETIME \"{seconds}\"")];
    }
    vec![format!("EXEC \"MSet\" \"{}\"", pairs.join(","))]
}
