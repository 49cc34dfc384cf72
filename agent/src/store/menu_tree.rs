//! All the menus of an account, and what is wrong with them: each fault with the path on which a caller meets it.

use std::collections::{BTreeMap, BTreeSet};

use super::menu::{Action, Announcement, GREETING, INVALID, Lookup, Menu, TIMEOUT};
use super::schedule::Schedule;

/// All the menus of an account, with what belongs to them, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Whose they are.
    pub account_id: String,
    /// The menus.
    pub menus: BTreeMap<String, Menu>,
    /// What they may say.
    pub announcements: BTreeMap<String, Announcement>,
    /// Hours.
    pub schedules: BTreeMap<String, Schedule>,
    /// Web servers.
    pub lookups: BTreeMap<String, Lookup>,
    /// Numbers and extensions that lead to a menu, and which: `12145550100`, `main`.
    pub entrances: Vec<(String, String)>,
}

/// What else the account has that menus may lead to, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Lines.
    pub lines: BTreeSet<String>,
    /// Ring groups.
    pub ring_groups: BTreeSet<String>,
    /// Mailboxes.
    pub mailboxes: BTreeSet<String>,
    /// Directories.
    pub directories: BTreeSet<String>,
    /// Extensions.
    pub extensions: BTreeSet<String>,
}

/// What the digits of an option stand for, for people.
#[must_use]
pub fn label(digits: &str) -> String {
    match digits {
        GREETING => "greeting".to_owned(),
        TIMEOUT => "timeout".to_owned(),
        INVALID => "invalid".to_owned(),
        digits => format!("option {digits}"),
    }
}

impl Tree {
    /// What is wrong, `menu main > option 2 > menu sales: there is no ring group x`; nothing when all is well.
    #[must_use]
    pub fn faults(&self, around: &Surroundings) -> Vec<String> {
        let mut check = Check { tree: self, around, seen: BTreeSet::new(), faults: Vec::new() };
        for (entrance, id) in &self.entrances {
            if self.menus.contains_key(id) {
                check.enter("", id);
            } else {
                check.fault(entrance, format!("leads to menu {id}, which is not there"));
            }
        }
        for menu in self.menus.values().filter(|menu| menu.entry) {
            check.enter("", &menu.id);
        }
        // What nobody reaches is looked at all the same.
        for id in self.menus.keys() {
            if !check.seen.contains(id.as_str()) {
                check.faults.push(format!("menu {id}: nothing leads there"));
                check.enter("", id);
            }
        }
        for announcement in self.announcements.values() {
            if announcement.sound.is_empty() && announcement.text.is_empty() && announcement.audio.is_none() {
                check
                    .faults
                    .push(format!("prompt {}: has neither sound nor text, and was never recorded", announcement.id));
            }
        }
        check.faults.extend(self.rounds());
        check.faults
    }

    /// Ways round that a caller goes who presses nothing.
    fn rounds(&self) -> Vec<String> {
        let mut done = BTreeSet::new();
        let mut faults = Vec::new();
        for id in self.menus.keys() {
            self.go_round(id, &mut Vec::new(), &mut done, &mut faults);
        }
        faults
    }

    /// Goes on from a menu, to which the way led; each menu is left once.
    fn go_round<'a>(
        &'a self,
        id: &'a str,
        way: &mut Vec<(&'a str, String)>,
        done: &mut BTreeSet<&'a str>,
        faults: &mut Vec<String>,
    ) {
        if let Some(first) = way.iter().position(|(other, _)| *other == id) {
            let steps: Vec<String> =
                way.iter().skip(first).map(|(menu, step)| format!("menu {menu} > {step} > ")).collect();
            faults.push(format!("{}menu {id}: leads round without a key", steps.concat()));
            return;
        }
        let Some(menu) = self.menus.get(id).filter(|_| !done.contains(id)) else { return };
        for (step, next) in self.without_a_key(menu) {
            way.push((id, step));
            self.go_round(next, way, done, faults);
            way.pop();
        }
        done.insert(id);
    }

    /// The menus that a menu leads to by itself, and how.
    fn without_a_key<'a>(&'a self, menu: &'a Menu) -> Vec<(String, &'a str)> {
        let conditions =
            menu.conditions.iter().zip(1..).map(|(condition, n)| (format!("condition {n}"), &condition.action));
        let timeout = menu.options.get(TIMEOUT).map(|action| (label(TIMEOUT), action));
        conditions.chain(timeout).filter_map(|(step, action)| self.menu_behind(menu, step, action)).collect()
    }

    /// The menu that an action of a menu leads to, if it is one, and how: at once, by an extension or number of the account, or by what a lookup falls back to.
    fn menu_behind<'a>(&'a self, menu: &'a Menu, step: String, action: &'a Action) -> Option<(String, &'a str)> {
        let by = |number: &str| {
            let entrance = self.entrances.iter().find(|(entrance, _)| entrance == number.trim_start_matches('+'));
            entrance.map(|(_, id)| (format!("{step} > {action}"), id.as_str()))
        };
        match action {
            Action::Menu(id) => Some((step, id)),
            Action::Extension(number) | Action::Number(number) => by(number),
            Action::Operator => by(&menu.operator),
            Action::Lookup(lookup) => match &self.lookups.get(lookup)?.fallback {
                // It is refused for that.
                Action::Lookup(_) => None,
                fallback => self.menu_behind(menu, format!("{step} > lookup {lookup}"), fallback),
            },
            _ => None,
        }
    }
}

/// A walk through all menus that notes what is wrong.
struct Check<'a> {
    tree: &'a Tree,
    around: &'a Surroundings,
    seen: BTreeSet<&'a str>,
    faults: Vec<String>,
}

impl<'a> Check<'a> {
    fn fault(&mut self, path: &str, what: impl AsRef<str>) {
        self.faults.push(format!("{path}: {}", what.as_ref()));
    }

    /// From something that names a menu.
    fn lead_to(&mut self, path: &str, id: &'a str) {
        if self.tree.menus.contains_key(id) {
            self.enter(path, id);
        } else {
            self.fault(path, format!("there is no menu {id}"));
        }
    }

    /// Looks at a menu that there is, once.
    fn enter(&mut self, path: &str, id: &'a str) {
        let Some(menu) = self.tree.menus.get(id) else { return };
        if !self.seen.insert(id) {
            return;
        }
        let path = if path.is_empty() { format!("menu {id}") } else { format!("{path} > menu {id}") };
        self.own(&path, menu);
        for (digits, prompts) in &menu.said {
            let at = format!("{path} > {}", label(digits));
            for prompt in prompts {
                if !self.tree.announcements.contains_key(prompt) {
                    self.fault(&at, format!("there is no prompt {prompt}"));
                }
            }
            if ![GREETING, TIMEOUT, INVALID].contains(&digits.as_str()) && !menu.options.contains_key(digits) {
                self.fault(&at, "it leads nowhere");
            }
        }
        for (condition, n) in menu.conditions.iter().zip(1..) {
            let at = format!("{path} > condition {n}");
            if !self.tree.schedules.contains_key(&condition.schedule_id) {
                self.fault(&at, format!("there is no schedule {}", condition.schedule_id));
            }
            if matches!(condition.action, Action::Say | Action::Language(_)) {
                self.fault(&at, format!("{} is for keys", condition.action));
            }
            self.action(&at, menu, &condition.action);
        }
        for (digits, action) in &menu.options {
            let at = format!("{path} > {}", label(digits));
            self.digits(&at, digits, action);
            if *action == Action::Say && menu.said(digits).is_empty() {
                self.fault(&at, "says nothing");
            }
            self.action(&at, menu, action);
        }
    }

    /// What a menu has besides options.
    fn own(&mut self, path: &str, menu: &Menu) {
        if menu.said(GREETING).is_empty() {
            self.fault(path, "it has no greeting");
        }
        if !menu.operator.is_empty() && !self.around.extensions.contains(&menu.operator) {
            self.fault(path, format!("there is no extension {}, its operator", menu.operator));
        }
        if let Some(line) = menu.line_id.as_ref().filter(|line| !self.around.lines.contains(*line)) {
            self.fault(path, format!("there is no line {line}"));
        }
        if !menu.language.is_empty() && !is_name(&menu.language) {
            self.fault(path, format!("{:?} is no language", menu.language));
        }
    }

    fn digits(&mut self, path: &str, digits: &str, action: &Action) {
        if digits == TIMEOUT || digits == INVALID {
            if matches!(action, Action::Say | Action::Language(_)) {
                self.fault(path, format!("{action} would lead round without a key"));
            }
            return;
        }
        let keys = (1..=16).contains(&digits.len()) && digits.bytes().all(|key| key.is_ascii_digit() || key == b'*');
        if !keys && digits != "#" {
            self.fault(path, "is neither keys of 0 to 9 and *, nor # alone, nor t or i");
        }
    }

    /// Where it leads.
    fn action(&mut self, path: &str, menu: &Menu, action: &'a Action) {
        let around = self.around;
        match action {
            Action::Menu(id) => self.lead_to(path, id),
            Action::Line(id) if !around.lines.contains(id) => self.fault(path, format!("there is no line {id}")),
            Action::RingGroup(id) if !around.ring_groups.contains(id) => {
                self.fault(path, format!("there is no ring group {id}"));
            }
            Action::Mailbox(id) if !around.mailboxes.contains(id) => {
                self.fault(path, format!("there is no mailbox {id}"));
            }
            Action::Directory(id) if !around.directories.contains(id) => {
                self.fault(path, format!("there is no directory {id}"));
            }
            Action::Extension(number) if !around.extensions.contains(number) => {
                self.fault(path, format!("there is no extension {number}"));
            }
            Action::Operator if menu.operator.is_empty() => self.fault(path, "the menu has no operator"),
            // No code of a feature: whoever presses the key would set it for the menu's line.
            Action::Number(number) if !is_number(number.trim_start_matches('+')) || number.contains(['*', '#']) => {
                self.fault(path, format!("{number:?} is no number"));
            }
            Action::Number(_) if menu.line_id.is_none() => {
                self.fault(path, "the menu has no line with whose permissions numbers are called");
            }
            Action::Queue(name) | Action::Conference(name) | Action::Language(name) if !is_name(name) => {
                self.fault(path, format!("{name:?} is not 1 to 64 of A-Z a-z 0-9 . _ -"));
            }
            Action::Lookup(id) => self.lookup(path, menu, id),
            _ => {}
        }
    }

    fn lookup(&mut self, path: &str, menu: &Menu, id: &str) {
        let Some(lookup) = self.tree.lookups.get(id) else {
            return self.fault(path, format!("there is no lookup {id}"));
        };
        let path = format!("{path} > lookup {id}");
        match &lookup.fallback {
            Action::Lookup(_) | Action::Say | Action::Language(_) => {
                self.fault(&path, format!("{} is no safe way on", lookup.fallback));
            }
            fallback => self.action(&path, menu, fallback),
        }
    }
}

fn is_number(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'))
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
