//! A call's record as the node wrote it, by the columns of `cdr_custom.conf`.

use std::collections::HashMap;

/// One line of the record file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord(HashMap<&'static str, String>);

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

/// The columns of `cdr_custom.conf`, in order.
const COLUMNS: [&str; 22] = [
    "uniqueid",
    "linkedid",
    "sequence",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "src",
    "dst",
    "clid",
    "channel",
    "dstchannel",
    "kind",
    "id",
    "account",
    "number",
    "class",
    "reason",
    "rate",
    "attempts",
];

impl CallRecord {
    /// Reads the record file's complete lines.
    ///
    /// # Panics
    /// When a line has another number of columns.
    #[must_use]
    pub fn parse(text: &str) -> Vec<CallRecord> {
        rows(text).into_iter().map(CallRecord::from_row).collect()
    }

    fn from_row(row: Vec<String>) -> CallRecord {
        assert_eq!(row.len(), COLUMNS.len(), "columns of {row:?}");
        CallRecord(COLUMNS.into_iter().zip(row).collect())
    }

    /// A column by name, `disposition` or `reason`.
    ///
    /// # Panics
    /// When there is no such column.
    #[must_use]
    pub fn get(&self, column: &str) -> &str {
        self.0.get(column).unwrap_or_else(|| panic!("no column {column}"))
    }

    /// The attempts of the call.
    ///
    /// # Panics
    /// When they are malformed.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.get("attempts").split('|').filter(|text| !text.is_empty()).map(Attempt::parse).collect()
    }

    /// The attempts, short: `gw1 503, gw2 200`; an attempt without an answer shows its status instead.
    #[must_use]
    pub fn tried(&self) -> String {
        let short = |a: &Attempt| format!("{} {}", a.name, a.sip.map_or(a.status.clone(), |sip| sip.to_string()));
        self.attempts().iter().map(short).collect::<Vec<_>>().join(", ")
    }
}

impl Attempt {
    fn parse(text: &str) -> Attempt {
        let fields: Vec<&str> = text.split(',').collect();
        let &[number, kind, name, status, q850, sip, started, answered, ended] = &fields[..] else {
            panic!("an attempt has nine fields: {text:?}")
        };
        let optional = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        Attempt {
            number: number.parse().unwrap(),
            kind: kind.into(),
            name: name.into(),
            status: status.into(),
            q850: (!q850.is_empty()).then(|| q850.parse().unwrap()),
            sip: (!sip.is_empty()).then(|| sip.parse().unwrap()),
            started: started.parse().unwrap(),
            answered: optional(answered),
            ended: ended.parse().unwrap(),
        }
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
