//! People of many names, and who of them is to be found: computed here from how each name is written in Latin capitals, by a layout of keys of its own.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests; each uses a part"
)]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// Words of names as they are written, and their pieces in capitals; more than one where a hyphen stands or where there is more than one word.
const FIRST: &[(&str, &[&[&str]])] = &[
    ("Alice", &[&["ALICE"]]),
    ("Bob", &[&["BOB"]]),
    ("José", &[&["JOSE"]]),
    ("Zoë", &[&["ZOE"]]),
    ("Łukasz", &[&["LUKASZ"]]),
    ("Jean-Luc", &[&["JEAN", "LUC"]]),
    ("Mary Ann", &[&["MARY"], &["ANN"]]),
    ("Siobhán", &[&["SIOBHAN"]]),
    ("D'Arcy", &[&["DARCY"]]),
    ("Quentin", &[&["QUENTIN"]]),
    ("Иван", &[&["IVAN"]]),
    ("Νίκος", &[&["NIKOS"]]),
    ("Dr. Xaver", &[&["DR"], &["XAVER"]]),
    ("Pär", &[&["PAR"]]),
    ("Wendy", &[&["WENDY"]]),
    ("", &[]),
];

const LAST: &[(&str, &[&[&str]])] = &[
    ("Smith", &[&["SMITH"]]),
    ("Smith-Jones", &[&["SMITH", "JONES"]]),
    ("van Beethoven", &[&["VAN"], &["BEETHOVEN"]]),
    ("O'Brien", &[&["OBRIEN"]]),
    ("O’Neill", &[&["ONEILL"]]),
    ("Müller", &[&["MULLER"]]),
    ("Ñúñez", &[&["NUNEZ"]]),
    ("Quist", &[&["QUIST"]]),
    ("Zyx", &[&["ZYX"]]),
    ("Li", &[&["LI"]]),
    ("Strauß", &[&["STRAUSS"]]),
    ("Петров", &[&["PETROV"]]),
    ("de la Cruz", &[&["DE"], &["LA"], &["CRUZ"]]),
    ("Baker, Jr.", &[&["BAKER"], &["JR"]]),
    ("Øye", &[&["OYE"]]),
    ("3M", &[&["3M"]]),
    ("Alice", &[&["ALICE"]]),
    ("A. B. C.", &[&["A"], &["B"], &["C"]]),
    ("& Sons", &[&["SONS"]]),
    ("Őry", &[&["ORY"]]),
];

/// Which words a directory looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    Last,
    First,
    Both,
}

/// Somebody.
#[derive(Debug, Clone)]
pub struct Somebody {
    pub id: String,
    pub account: &'static str,
    pub name: String,
    pub number: String,
    pub extension: Option<String>,
    pub department: &'static str,
    pub hidden: bool,
    pub active: bool,
    words: Vec<Vec<&'static str>>,
}

/// Numbers that look drawn, the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// So many people of the account `big`, and a tenth as many of `other`.
#[must_use]
pub fn people(count: usize) -> Vec<Somebody> {
    let mut dice = Dice(7);
    (0..count + count / 10)
        .map(|nth| {
            let (first, last) = (FIRST[dice.below(FIRST.len())], LAST[dice.below(LAST.len())]);
            // Most are somebody of a longer name, so that there are many different ones.
            let middle = (dice.below(4) > 0).then(|| MIDDLE[dice.below(MIDDLE.len())]);
            let mut words: Vec<Vec<&'static str>> = first.1.iter().map(|word| word.to_vec()).collect();
            words.extend(middle.map(|middle| vec![middle]));
            words.extend(last.1.iter().map(|word| word.to_vec()));
            Somebody {
                id: format!("m{nth}"),
                account: if nth < count { "big" } else { "other" },
                name: format!("{} {} {}", first.0, middle.unwrap_or_default(), last.0).trim().to_owned(),
                number: format!("{nth:06}"),
                extension: (dice.below(5) == 0).then(|| format!("9{nth:06}")),
                department: ["", "Sales", "Care"][dice.below(3)],
                hidden: dice.below(50) == 0,
                active: dice.below(50) > 0,
                words,
            }
        })
        .collect()
}

const MIDDLE: &[&str] = &[
    "ADAM", "BERIT", "CELIA", "DORA", "EMIL", "FRIDA", "GREGOR", "HEIDI", "IDA", "JULES", "KARIN", "LEO", "MAX",
    "NORA", "OTTO", "PIA", "QUINN", "RITA", "SVEN", "TESS", "URSULA", "VERA", "WILL", "XENIA", "YVES", "ZITA",
];

/// Statements that make them, in pieces.
#[must_use]
pub fn statements(people: &[Somebody]) -> Vec<String> {
    let mut statements = vec![
        "INSERT INTO accounts (id, name, status, currency, time_zone, created_at) VALUES \
         ('big', 'Big', 'active', 'USD', 'UTC', '2026-01-01 00:00:00'), ('other', 'Other', 'active', 'USD', 'UTC', '2026-01-01 00:00:00')"
            .to_owned(),
    ];
    for some in people.chunks(1000) {
        let mut text = String::from(
            "INSERT INTO mailboxes (id, account_id, number, name, status, hidden, department, extension, created_at) VALUES ",
        );
        for (nth, one) in some.iter().enumerate() {
            let (comma, name) = (if nth == 0 { "" } else { ", " }, one.name.replace('\'', "''"));
            let status = if one.active { "active" } else { "suspended" };
            let extension = one.extension.as_ref().map_or("NULL".to_owned(), |extension| format!("'{extension}'"));
            let _ = write!(
                text,
                "{comma}('{}', '{}', '{}', '{name}', '{status}', {}, '{}', {extension}, '2026-01-01 00:00:00')",
                one.id, one.account, one.number, one.hidden, one.department
            );
        }
        statements.push(text);
    }
    statements
}

/// The keys of capitals: the letters that stand on each.
#[must_use]
pub fn keys(letters: &str) -> String {
    const KEYPAD: [&str; 10] = ["0", "1", "2ABC", "3DEF", "4GHI", "5JKL", "6MNO", "7PQRS", "8TUV", "9WXYZ"];
    let key = |letter| (0..10).find(|key| KEYPAD[*key].contains(letter)).unwrap().to_string();
    letters.chars().map(key).collect()
}

/// By keys of up to so many, who fits, with the letters that fit.
#[derive(Debug, Default)]
pub struct Model<'a> {
    by_keys: HashMap<String, Vec<(By, String, &'a Somebody)>>,
}

impl<'a> Model<'a> {
    /// Who is found in the account `big`, by keys of these lengths.
    #[must_use]
    pub fn new(people: &'a [Somebody], lengths: &[usize]) -> Model<'a> {
        let mut model = Model::default();
        for one in people.iter().filter(|one| one.account == "big" && one.active && !one.hidden) {
            for (nth, word) in one.words.iter().enumerate() {
                for piece in 0..word.len() {
                    let rest: String = [word[piece..].concat(), one.words[nth + 1..].concat().concat()].concat();
                    let before: String = [one.words[..nth].concat().concat(), word[..piece].concat()].concat();
                    let (digits, order) = (keys(&rest), format!("{rest}{before}"));
                    for length in lengths.iter().filter(|length| **length <= digits.len()) {
                        let found = model.by_keys.entry(digits[..*length].to_owned()).or_default();
                        // The first word is no last name, unless it is all there is; every other is.
                        if nth > 0 || one.words.len() == 1 {
                            found.push((By::Last, order.clone(), one));
                        }
                        if nth == 0 {
                            found.push((By::First, order.clone(), one));
                        }
                    }
                }
            }
        }
        model
    }

    /// All keys by which somebody is found, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self.by_keys.keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys
    }

    /// Ids of those who fit, in the order of their names.
    #[must_use]
    pub fn found(&self, keys: &str, by: By, department: &str) -> Vec<&'a str> {
        let mut best: BTreeMap<&str, (&str, &Somebody)> = BTreeMap::new();
        for (part, order, one) in self.by_keys.get(keys).into_iter().flatten() {
            let wanted = (by == By::Both || by == *part) && (department.is_empty() || department == one.department);
            if wanted && best.get(one.id.as_str()).is_none_or(|(other, _)| order.as_str() < *other) {
                best.insert(&one.id, (order, one));
            }
        }
        let mut found: Vec<(&str, &Somebody)> = best.into_values().collect();
        found.sort_by_key(|(order, one)| (*order, one.id.as_str()));
        found.into_iter().map(|(_, one)| one.id.as_str()).collect()
    }
}
