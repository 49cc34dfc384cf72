//! A call's record as the node wrote it, by the columns of `cdr_custom.conf`.

use std::collections::HashMap;

/// A call's line of the record file, and the lines of its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    fields: HashMap<&'static str, String>,
    attempts: Vec<Attempt>,
}

/// One attempt of a call; the format is explained in `dialplan/README.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// `line`, `group` or `gateway`.
    pub kind: String,
    /// Id of the line, group or gateway.
    pub name: String,
    /// Asterisk's `DIALSTATUS`, or `CAP`.
    pub status: String,
    /// Q.850 cause.
    pub q850: Option<u16>,
    /// Final SIP code.
    pub sip: Option<u16>,
    /// Milliseconds since 1970.
    pub started: u64,
    /// Milliseconds since 1970.
    pub answered: Option<u64>,
    /// Milliseconds since 1970.
    pub ended: u64,
}

/// The columns of `cdr_custom.conf`, in order, after the name of the line.
const CALL: [&str; 30] = [
    "boot",
    "uniqueid",
    "linkedid",
    "sequence",
    "start",
    "answer",
    "end",
    "disposition",
    "src",
    "dst",
    "context",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "kind",
    "id",
    "account",
    "zone",
    "number",
    "class",
    "reason",
    "cause",
    "call_started",
    "call_answered",
    "call_ended",
    "codec",
    "media",
    "source",
];

impl CallRecord {
    /// Reads the record file's complete lines.
    ///
    /// # Panics
    /// When a line has another number of columns.
    #[must_use]
    pub fn parse(text: &str) -> Vec<CallRecord> {
        let (mut calls, mut attempts) = (Vec::new(), Vec::new());
        for row in rows(text) {
            match row.split_first() {
                Some((name, fields)) if name == "tandem-call-2" => {
                    assert_eq!(fields.len(), CALL.len(), "columns of {row:?}");
                    let fields = CALL.into_iter().zip(fields.iter().cloned()).collect();
                    calls.push(CallRecord { fields, attempts: Vec::new() });
                }
                Some((name, fields)) if name == "tandem-attempt-2" => attempts.push(Attempt::parse(fields)),
                // What is told of emergency calls beside their records.
                Some((name, _)) if name == "tandem-emergency-1" || name == "tandem-notice-1" => {}
                _ => panic!("a line of a foreign kind: {row:?}"),
            }
        }
        for call in &mut calls {
            let own = attempts.iter().filter(|(uniqueid, _)| uniqueid == call.get("uniqueid"));
            call.attempts = own.map(|(_, attempt)| attempt.clone()).collect();
            call.attempts.sort_by_key(|attempt| attempt.number);
        }
        calls
    }

    /// A column by name, `disposition` or `reason`.
    ///
    /// # Panics
    /// When there is no such column.
    #[must_use]
    pub fn get(&self, column: &str) -> &str {
        self.fields.get(column).unwrap_or_else(|| panic!("no column {column}"))
    }

    /// Whether it tells of a whole call, and all that belongs to it is there: the leg that answered writes its line by itself,
    /// maybe a moment after the call's.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let answered = self.attempts.iter().any(|attempt| attempt.answered.is_some());
        !self.get("kind").is_empty() && (self.get("call_answered").is_empty() || answered)
    }

    /// The attempts of the call in order.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The attempts, short: `gw1 503, gw2 200`; an attempt without an answer shows its status instead.
    #[must_use]
    pub fn tried(&self) -> String {
        let short = |a: &Attempt| format!("{} {}", a.name, a.sip.map_or(a.status.clone(), |sip| sip.to_string()));
        self.attempts().iter().map(short).collect::<Vec<_>>().join(", ")
    }
}

impl Attempt {
    /// The fields after the name of the line; with the unique id of the calling channel.
    fn parse(fields: &[String]) -> (String, Attempt) {
        let [_, uniqueid, number, kind, name, _, _, _, _, _, _, _, started, _, answered, ended, status, q850, sip, ..] =
            fields
        else {
            panic!("an attempt has 23 fields: {fields:?}")
        };
        let optional = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        let attempt = Attempt {
            number: number.parse().unwrap(),
            kind: kind.into(),
            name: name.into(),
            status: status.into(),
            q850: (!q850.is_empty()).then(|| q850.parse().unwrap()),
            sip: (!sip.is_empty()).then(|| sip.parse().unwrap()),
            started: started.parse().unwrap(),
            answered: optional(answered),
            ended: ended.parse().unwrap(),
        };
        (uniqueid.clone(), attempt)
    }
}

/// Rows of quoted fields, where a quote is doubled inside.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            _ => field.push(char),
        }
    }
    rows
}
