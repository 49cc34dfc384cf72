//! The file of an account's menus: TOML, in which an action is written as it is said, `"group sales"`.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use super::calendar::{read_holidays, read_hours};
use super::field;
use crate::store::menu::{Action, Announcement, Condition, GREETING, INVALID, Lookup, Menu, TIMEOUT};
use crate::store::menu_tree::{Tree, label};
use crate::store::schedule::{self, Holiday, Range, Schedule};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    account: String,
    #[serde(default)]
    prompt: BTreeMap<String, PromptEntry>,
    #[serde(default)]
    schedule: BTreeMap<String, ScheduleEntry>,
    #[serde(default)]
    lookup: BTreeMap<String, LookupEntry>,
    #[serde(default)]
    menu: BTreeMap<String, MenuEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptEntry {
    #[serde(default)]
    name: String,
    number: Option<String>,
    #[serde(default)]
    sound: String,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleEntry {
    #[serde(default)]
    name: String,
    time_zone: Option<String>,
    #[serde(default)]
    hours: Vec<String>,
    #[serde(default)]
    holidays: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookupEntry {
    #[serde(default = "post")]
    method: String,
    url: String,
    #[serde(default)]
    digits: usize,
    #[serde(default = "three")]
    seconds: u64,
    otherwise: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MenuEntry {
    #[serde(default)]
    name: String,
    #[serde(default)]
    entry: bool,
    #[serde(default)]
    greeting: Vec<String>,
    #[serde(default)]
    language: String,
    #[serde(default)]
    direct_dial: bool,
    #[serde(default = "five")]
    timeout_seconds: u64,
    #[serde(default = "between")]
    between_ms: u64,
    #[serde(default = "three_times")]
    max_timeouts: u32,
    #[serde(default = "three_times")]
    max_invalid: u32,
    #[serde(default)]
    operator: String,
    line: Option<String>,
    #[serde(default)]
    conditions: Vec<ConditionEntry>,
    #[serde(default)]
    options: BTreeMap<String, OptionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionEntry {
    during: Option<String>,
    outside: Option<String>,
    then: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OptionEntry {
    Action(String),
    Said(SaidEntry),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidEntry {
    say: Vec<String>,
    then: Option<String>,
}

fn post() -> String {
    "POST".to_owned()
}

fn three() -> u64 {
    3
}

fn three_times() -> u32 {
    3
}

fn five() -> u64 {
    5
}

fn between() -> u64 {
    2500
}

/// Reads a file; what is wrong with it, all at once, where it can be read at all.
pub(super) fn read(text: &str) -> Result<Tree, Vec<String>> {
    let file: FileEntry = toml::from_str(text).map_err(|error| vec![error.to_string().trim_end().to_owned()])?;
    let mut reader = Reader::default();
    let FileEntry { account, prompt, schedule, lookup, menu } = file;
    let tree = Tree {
        account_id: account,
        announcements: prompt.into_iter().map(|(id, entry)| (id.clone(), reader.announcement(id, entry))).collect(),
        schedules: schedule.into_iter().map(|(id, entry)| (id.clone(), reader.schedule(id, &entry))).collect(),
        lookups: lookup.into_iter().map(|(id, entry)| (id.clone(), reader.lookup(id, entry))).collect(),
        menus: menu.into_iter().map(|(id, entry)| (id.clone(), reader.menu(id, entry))).collect(),
        entrances: Vec::new(),
    };
    reader.numbers(&tree);
    if reader.faults.is_empty() { Ok(tree) } else { Err(reader.faults) }
}

/// Collects faults. What cannot be read is something harmless: a tree with faults goes nowhere.
#[derive(Default)]
struct Reader {
    faults: Vec<String>,
}

impl Reader {
    fn fault(&mut self, path: &str, what: impl AsRef<str>) {
        self.faults.push(format!("{path}: {}", what.as_ref()));
    }

    fn id(&mut self, path: &str, id: &str) {
        if let Err(wrong) = field::id(id) {
            self.fault(path, wrong);
        }
    }

    /// What people and databases can read.
    fn text(&mut self, path: &str, what: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.fault(path, format!("{what}: is longer than {most} characters"));
        }
        if text.chars().any(char::is_control) {
            self.fault(path, format!("{what}: holds control characters"));
        }
    }

    fn within(&mut self, path: &str, what: &str, number: u64, least: u64, most: u64) {
        if !(least..=most).contains(&number) {
            self.fault(path, format!("{what}: is not a whole number from {least} to {most}"));
        }
    }

    fn announcement(&mut self, id: String, entry: PromptEntry) -> Announcement {
        let path = format!("prompt {id}");
        self.id(&path, &id);
        self.text(&path, "name", &entry.name, 100);
        self.text(&path, "sound", &entry.sound, 255);
        self.text(&path, "text", &entry.text, 1000);
        if let Some(number) = entry
            .number
            .as_ref()
            .filter(|number| !(1..=32).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_digit()))
        {
            self.fault(&path, format!("number: {number:?} is not 1 to 32 digits"));
        }
        Announcement { id, number: entry.number, name: entry.name, sound: entry.sound, text: entry.text, audio: None }
    }

    fn schedule(&mut self, id: String, entry: &ScheduleEntry) -> Schedule {
        let path = format!("schedule {id}");
        self.id(&path, &id);
        self.text(&path, "name", &entry.name, 100);
        let zone = entry.time_zone.as_ref().and_then(|zone| match zone.parse() {
            Ok(zone) => Some(zone),
            Err(_) => {
                self.fault(&path, format!("time_zone: {zone:?} is no IANA time zone such as Europe/Berlin"));
                None
            }
        });
        let mut hours = Vec::new();
        for text in &entry.hours {
            match read_hours(text) {
                Some(read) => hours.extend(read),
                None => self.fault(&path, format!("hours: {text:?} is not like \"mon-fri 08:00-18:00\"")),
            }
        }
        let mut holidays: Vec<Holiday> = Vec::new();
        for text in &entry.holidays {
            match read_holidays(text) {
                Ok(read) => holidays.extend(read),
                Err(wrong) => self.fault(&path, format!("holidays: {wrong}")),
            }
        }
        let opens = |range: &Option<Range>| range.map(|range| range.opens());
        let mut once: Vec<_> = hours.iter().map(|(day, range)| (schedule::word(*day), range.opens())).collect();
        once.sort_unstable();
        if once.windows(2).any(|pair| pair.first() == pair.last()) {
            self.fault(&path, "hours: a weekday opens twice at one time");
        }
        let same = |one: &Holiday, other: &Holiday| one.day == other.day && opens(&one.range) == opens(&other.range);
        if holidays.iter().enumerate().any(|(n, one)| holidays.iter().take(n).any(|other| same(one, other))) {
            self.fault(&path, "holidays: a day stands twice");
        }
        Schedule { id, name: entry.name.clone(), time_zone: zone, hours, holidays }
    }

    fn lookup(&mut self, id: String, entry: LookupEntry) -> Lookup {
        let path = format!("lookup {id}");
        self.id(&path, &id);
        if !matches!(entry.method.as_str(), "GET" | "POST") {
            self.fault(&path, format!("method: {:?} is neither GET nor POST", entry.method));
        }
        match Url::parse(&entry.url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {}
            Ok(_) => self.fault(&path, "url: does not begin with http:// or https://"),
            // It may hold a password, which the error does not.
            Err(error) => self.fault(&path, format!("url: {error}")),
        }
        self.text(&path, "url", &entry.url, 255);
        self.within(&path, "digits", entry.digits as u64, 0, 64);
        self.within(&path, "seconds", entry.seconds, 1, 10);
        Lookup {
            id,
            method: entry.method,
            url: entry.url,
            digits: entry.digits,
            patience: Duration::from_secs(entry.seconds),
            fallback: self.action(&format!("{path} > otherwise"), &entry.otherwise),
        }
    }

    fn menu(&mut self, id: String, entry: MenuEntry) -> Menu {
        let path = format!("menu {id}");
        self.id(&path, &id);
        self.text(&path, "name", &entry.name, 100);
        self.within(&path, "timeout_seconds", entry.timeout_seconds, 1, 300);
        self.within(&path, "between_ms", entry.between_ms, 100, 30_000);
        self.within(&path, "max_timeouts", entry.max_timeouts.into(), 1, 20);
        self.within(&path, "max_invalid", entry.max_invalid.into(), 1, 20);
        let mut conditions = Vec::new();
        for (condition, n) in entry.conditions.into_iter().zip(1..) {
            let path = format!("{path} > condition {n}");
            let action = self.action(&path, &condition.then);
            match (condition.during, condition.outside) {
                (Some(schedule_id), None) => conditions.push(Condition { schedule_id, during: true, action }),
                (None, Some(schedule_id)) => conditions.push(Condition { schedule_id, during: false, action }),
                _ => self.fault(&path, "has not one of during and outside"),
            }
        }
        let mut said = BTreeMap::new();
        if !entry.greeting.is_empty() {
            said.insert(GREETING.to_owned(), entry.greeting);
        }
        let mut options = BTreeMap::new();
        for (digits, option) in entry.options {
            let path = format!("{path} > {}", label(&digits));
            let (say, then) = match option {
                OptionEntry::Action(action) => (Vec::new(), Some(action)),
                OptionEntry::Said(SaidEntry { say, then }) => (say, then),
            };
            if !say.is_empty() {
                said.insert(digits.clone(), say);
            }
            match then {
                Some(then) => drop(options.insert(digits, self.action(&path, &then))),
                // After keys, the menu comes again; else what is said is said, and the call ends.
                None if digits != TIMEOUT && digits != INVALID => drop(options.insert(digits, Action::Say)),
                None => {}
            }
        }
        Menu {
            id,
            name: entry.name,
            entry: entry.entry,
            language: entry.language,
            direct_dial: entry.direct_dial,
            timeout: Duration::from_secs(entry.timeout_seconds),
            between: Duration::from_millis(entry.between_ms),
            max_timeouts: entry.max_timeouts,
            max_invalid: entry.max_invalid,
            operator: entry.operator,
            line_id: entry.line,
            conditions,
            options,
            said,
        }
    }

    fn action(&mut self, path: &str, text: &str) -> Action {
        let (name, target) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let target = target.trim();
        self.text(path, "what it leads to", target, 64);
        Action::read(name, target).unwrap_or_else(|| {
            let names = Action::NAMES.join(", ");
            self.fault(path, format!("{text:?} is not like \"group sales\" or \"hangup\"; there are: {names}"));
            Action::HangUp
        })
    }

    /// No number records two prompts.
    fn numbers(&mut self, tree: &Tree) {
        let mut known = BTreeMap::new();
        for announcement in tree.announcements.values() {
            let Some(number) = &announcement.number else { continue };
            if let Some(other) = known.insert(number, &announcement.id) {
                self.fault(
                    &format!("prompt {}", announcement.id),
                    format!("has the number {number} of prompt {other}"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_file_is_told_with_its_place() {
        let faults = read(
            "account = \"acme\"\n[menu.main]\ngreeting = [\"x\"]\ntimeout_seconds = 0\n[menu.main.options]\n1 = \"gruop sales\"\n2 = \"hangup now\"\n\
             [lookup.l]\nurl = \"ftp://x\"\notherwise = \"hangup\"\n[prompt.a]\nnumber = \"1\"\n[prompt.b]\nnumber = \"1\"\n[schedule.s]\nhours = [\"always\"]\n",
        )
        .unwrap_err();
        for (path, what) in [
            ("menu main: ", "timeout_seconds"),
            ("menu main > option 1: ", "gruop sales"),
            ("menu main > option 2: ", "hangup now"),
            ("lookup l: ", "http://"),
            ("prompt b: ", "the number 1 of prompt a"),
            ("schedule s: ", "always"),
        ] {
            assert!(
                faults.iter().any(|fault| fault.starts_with(path) && fault.contains(what)),
                "{path}{what}: {faults:?}"
            );
        }
        let unknown = read("account = \"acme\"\n[menu.main]\ngreting = []\n").unwrap_err();
        assert!(unknown[0].contains("line 3") && unknown[0].contains("greting"), "{unknown:?}");
    }
}
