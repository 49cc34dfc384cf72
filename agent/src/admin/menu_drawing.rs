//! A menu with all that it leads to, as a tree: in the terminal, and as SVG.

use std::collections::BTreeSet;

use reqwest::Url;
use svg::Document;
use svg::node::element::path::Data;
use svg::node::element::{Path, Rectangle, Text};

use crate::store::menu::{Action, GREETING, INVALID, Menu, TIMEOUT};
use crate::store::menu_tree::Tree;
use crate::store::schedule::{Range, Schedule, WEEKDAYS};

/// Height of a row, and steps to the right, in the drawing.
const ROW: usize = 30;
const STEP: usize = 28;
/// Width of a character, about.
const CHARACTER: usize = 8;

/// A line of the drawing, and what hangs below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    text: String,
    menu: bool,
    below: Vec<Branch>,
}

/// The branch of a menu; `None` when there is none of this id. A menu that was drawn above is named only.
#[must_use]
pub fn branch(tree: &Tree, id: &str) -> Option<Branch> {
    let menu = tree.menus.get(id)?;
    Some(draw(tree, menu, "", &mut BTreeSet::new()))
}

fn draw<'a>(tree: &'a Tree, menu: &'a Menu, before: &str, drawn: &mut BTreeSet<&'a str>) -> Branch {
    let again = !drawn.insert(&menu.id);
    let name = if menu.name.is_empty() { String::new() } else { format!(" \"{}\"", menu.name) };
    let note = if again { " (see above)" } else { "" };
    let mut branch = Branch { text: format!("{before}menu {}{name}{note}", menu.id), menu: true, below: Vec::new() };
    if again {
        return branch;
    }
    for condition in &menu.conditions {
        let when = if condition.during { "during" } else { "outside" };
        let hours = tree.schedules.get(&condition.schedule_id).map(hours).unwrap_or_default();
        let before = format!("{when} {}{hours}: ", condition.schedule_id);
        branch.below.push(lead(tree, menu, &before, &condition.action, drawn));
    }
    if !menu.said(GREETING).is_empty() {
        branch.below.push(leaf(format!("says {}", menu.said(GREETING).join(", "))));
    }
    if menu.direct_dial {
        branch.below.push(leaf("extensions of the account may be keyed in".to_owned()));
    }
    let (keys, ends): (Vec<_>, Vec<_>) =
        menu.options.iter().partition(|(digits, _)| *digits != TIMEOUT && *digits != INVALID);
    for (digits, action) in keys.into_iter().chain(ends) {
        let what = match digits.as_str() {
            TIMEOUT if menu.asks() => format!("no key, {} times", menu.max_timeouts),
            TIMEOUT => "then".to_owned(),
            INVALID => format!("wrong keys, {} times", menu.max_invalid),
            keys => keys.to_owned(),
        };
        let said = menu.said(digits);
        let says = if said.is_empty() { String::new() } else { format!("says {}, ", said.join(", ")) };
        branch.below.push(lead(tree, menu, &format!("{what}: {says}"), action, drawn));
    }
    branch
}

fn leaf(text: String) -> Branch {
    Branch { text, menu: false, below: Vec::new() }
}

fn lead<'a>(tree: &'a Tree, menu: &Menu, before: &str, action: &'a Action, drawn: &mut BTreeSet<&'a str>) -> Branch {
    match action {
        Action::Menu(id) => match tree.menus.get(id) {
            Some(next) => draw(tree, next, before, drawn),
            None => leaf(format!("{before}menu {id}, which is not there")),
        },
        Action::Lookup(id) => {
            let mut branch = leaf(format!("{before}lookup {id}"));
            if let Some(lookup) = tree.lookups.get(id) {
                branch.text = format!("{before}lookup {id}: {} {}", lookup.method, shown(&lookup.url));
                branch.below.push(lead(tree, menu, "without an answer: ", &lookup.fallback, drawn));
            }
            branch
        }
        Action::Operator => leaf(format!("{before}operator {}", menu.operator)),
        Action::Number(number) => {
            leaf(format!("{before}number {number}, as line {}", menu.line_id.as_deref().unwrap_or("?")))
        }
        Action::Say => leaf(format!("{before}the menu again")),
        action => leaf(format!("{before}{action}")),
    }
}

/// An address without what may be secret in it: user, password and query.
fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => {
            let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
            format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
        }
        Err(error) => format!("an address that cannot be read ({error})"),
    }
}

/// The hours of a schedule, in short.
fn hours(schedule: &Schedule) -> String {
    let mut ranges: Vec<(Range, Vec<&str>)> = Vec::new();
    for (word, weekday) in WEEKDAYS {
        for (_, range) in schedule.hours.iter().filter(|(day, _)| *day == weekday) {
            match ranges.iter_mut().find(|(other, _)| other == range) {
                Some((_, days)) => days.push(word),
                None => ranges.push((*range, vec![word])),
            }
        }
    }
    let ranges: Vec<String> =
        ranges.iter().map(|(range, days)| format!("{} {}-{}", days.join(" "), range.opens(), range.closes())).collect();
    let holidays = match schedule.holidays.len() {
        0 => String::new(),
        count => format!("; {count} holidays"),
    };
    format!(" ({}{holidays})", ranges.join(", "))
}

impl Branch {
    /// As text, one line a branch.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.text);
        self.lines("", &mut text);
        text
    }

    fn lines(&self, indent: &str, text: &mut String) {
        for (n, branch) in self.below.iter().enumerate() {
            let last = n + 1 == self.below.len();
            let (knot, more) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            text.push_str(&format!("{indent}{knot}{}\n", branch.text));
            branch.lines(&format!("{indent}{more}"), text);
        }
    }

    /// As a drawing: a row for each branch, menus in boxes.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut rows = Vec::new();
        self.rows(0, None, &mut rows);
        let width = rows.iter().map(|row| left(row.depth) + row.branch.text.chars().count() * CHARACTER).max();
        let (width, height) = (width.unwrap_or_default() + 2 * STEP, rows.len() * ROW + ROW);
        let mut drawing = Document::new()
            .set("viewBox", (0, 0, width, height))
            .set("width", width)
            .set("height", height)
            .set("font-family", "monospace")
            .set("font-size", 13);
        for (n, row) in rows.iter().enumerate() {
            let (x, y) = (left(row.depth), top(n));
            if let Some(parent) = row.parent {
                let from = left(row.depth.saturating_sub(1)) + STEP / 2;
                let data = Data::new().move_to((from, top(parent) + 11)).vertical_line_to(y).horizontal_line_to(x - 4);
                drawing = drawing.add(Path::new().set("d", data).set("fill", "none").set("stroke", "#888888"));
            }
            if row.branch.menu {
                drawing = drawing.add(
                    Rectangle::new()
                        .set("x", x - 4)
                        .set("y", y - 11)
                        .set("width", row.branch.text.chars().count() * CHARACTER + 12)
                        .set("height", 22)
                        .set("rx", 4)
                        .set("fill", "#e8f0fe")
                        .set("stroke", "#4466aa"),
                );
            }
            drawing = drawing.add(Text::new(row.branch.text.as_str()).set("x", x + 2).set("y", y + 4));
        }
        format!("{drawing}\n")
    }

    fn rows<'a>(&'a self, depth: usize, parent: Option<usize>, rows: &mut Vec<Row<'a>>) {
        let own = rows.len();
        rows.push(Row { depth, parent, branch: self });
        for branch in &self.below {
            branch.rows(depth + 1, Some(own), rows);
        }
    }
}

/// A branch at its place in the drawing.
struct Row<'a> {
    depth: usize,
    /// The row that it hangs from.
    parent: Option<usize>,
    branch: &'a Branch,
}

fn left(depth: usize) -> usize {
    STEP / 2 + depth * STEP
}

fn top(row: usize) -> usize {
    ROW + row * ROW - ROW / 3
}
