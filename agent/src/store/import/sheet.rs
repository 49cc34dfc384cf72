//! A file read and checked as a whole: only a sheet without a fault goes on to the tables.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use csv::StringRecord;

use super::field::Cell;
use super::kind::{Absent, Column, Kind, Reference};
use super::{Faults, ImportError, csv_reader, header, line_of, malformed};

/// Ids that rows may refer to, each with the account that owns it (itself, where nobody does).
pub(super) type Known = HashMap<Reference, HashMap<String, String>>;

/// Where a number or an extension may lead: one of them.
const TARGETS: [&str; 7] = ["line", "ring_group", "mailbox", "menu", "directory", "queue", "conference"];

/// The rows of a file, in the columns of its kind.
#[derive(Debug)]
pub(super) struct Sheet {
    /// For each column of the kind, whether the file has it.
    pub present: Vec<bool>,
    /// One cell for each column of the kind.
    pub rows: Vec<Vec<Cell>>,
}

impl Sheet {
    /// Reads a file of `kind`.
    pub(super) fn read(kind: Kind, file: impl Read, known: &Known) -> Result<Self, ImportError> {
        let columns = kind.columns();
        let mut reader = csv_reader(file);
        let first = reader.headers().map_err(|error| ImportError::File(error.to_string()))?.clone();
        let names: Vec<_> = columns.iter().map(|column| (column.name, column.absent == Absent::Refused)).collect();
        let places = header(&first, &names)?;
        let mut check = Check { kind, columns, known, seen: HashMap::new(), faults: Faults::default() };
        let mut rows = Vec::new();
        let mut record = StringRecord::new();
        loop {
            let read = reader.read_record(&mut record);
            let line = line_of(&reader, &record);
            match read {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    check.faults.add(line, malformed(&error)?);
                    continue;
                }
            }
            let texts: Vec<&str> =
                places.iter().map(|place| place.and_then(|place| record.get(place)).unwrap_or_default()).collect();
            if let Some(cells) = check.row(line, &texts) {
                rows.push(cells);
            }
        }
        check.faults.refuse()?;
        Ok(Sheet { present: places.iter().map(Option::is_some).collect(), rows })
    }
}

/// Collects the faults of a file row by row.
struct Check<'a> {
    kind: Kind,
    columns: &'static [Column],
    known: &'a Known,
    seen: HashMap<Vec<String>, u64>,
    faults: Faults,
}

impl Check<'_> {
    /// The cells of a row, unless something in it is wrong.
    fn row(&mut self, line: u64, texts: &[&str]) -> Option<Vec<Cell>> {
        let mut reasons = Vec::new();
        let mut cells = Vec::with_capacity(texts.len());
        for (column, text) in self.columns.iter().zip(texts) {
            match read(column, text).and_then(|cell| self.refers(column, cell)) {
                Ok(cell) => cells.push(cell),
                Err(reason) => reasons.push(format!("{}: {reason}", column.name)),
            }
        }
        if reasons.is_empty() {
            let row = Row { columns: self.columns, cells: &cells, known: self.known };
            reasons.extend(row.targets(self.kind).err());
            reasons.extend(row.owners().err());
            let key = self.kind.key().iter().map(|name| row.text(name).unwrap_or_default().to_owned()).collect();
            if let Some(earlier) = self.seen.insert(key, line) {
                reasons.push(format!("stands already on line {earlier}"));
            }
        }
        if reasons.is_empty() {
            return Some(cells);
        }
        self.faults.add(line, reasons.join("; "));
        None
    }

    /// Refuses a cell that refers to nothing.
    fn refers(&self, column: &Column, cell: Cell) -> Result<Cell, String> {
        let Some(known) = column.refers.and_then(|to| self.known.get(&to)) else { return Ok(cell) };
        let missing = |id: &str| format!("there is no {id:?}");
        match &cell {
            Cell::Text(Some(id)) if !known.contains_key(id) => Err(missing(id)),
            Cell::Members(ids) => {
                let mut twice = HashSet::new();
                for id in ids {
                    if !known.contains_key(id) {
                        return Err(missing(id));
                    }
                    if !twice.insert(id) {
                        return Err(format!("{id:?} stands twice"));
                    }
                }
                Ok(cell)
            }
            _ => Ok(cell),
        }
    }
}

fn read(column: &Column, text: &str) -> Result<Cell, String> {
    match (text, column.absent) {
        ("", Absent::Refused) => Err("is empty".to_owned()),
        ("", Absent::Null) => Ok(column.field.null()),
        ("", Absent::Is("")) => Ok(Cell::Text(Some(String::new()))),
        ("", Absent::Is(default)) => column.field.read(default),
        _ => column.field.read(text),
    }
}

/// A row whose cells are right one by one.
struct Row<'a> {
    columns: &'static [Column],
    cells: &'a [Cell],
    known: &'a Known,
}

impl<'a> Row<'a> {
    fn cell(&self, name: &str) -> Option<&'a Cell> {
        self.columns.iter().zip(self.cells).find(|(column, _)| column.name == name).map(|(_, cell)| cell)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.cell(name).and_then(Cell::text)
    }

    /// Whether it names as many targets as its kind needs.
    fn targets(&self, kind: Kind) -> Result<(), String> {
        let (line, account) = (self.text("line"), self.text("account"));
        let targets = TARGETS.iter().filter(|name| self.text(name).is_some()).count();
        match kind {
            Kind::Numbers if targets > 1 => Err(format!("leads to more than one of {}", TARGETS.join(", "))),
            Kind::Extensions if targets != 1 => Err(format!("must lead to one of {}", TARGETS.join(", "))),
            Kind::Permissions if line.is_none() && account.is_none() => {
                Err("names neither an account nor a line".to_owned())
            }
            Kind::Locations => self.location(),
            Kind::EmergencyContacts => self.contact(),
            Kind::FacilityDefaults
                if self.text("number").is_none() && !matches!(self.cell("facility"), Some(Cell::Integer(Some(_)))) =>
            {
                Err("names neither a facility nor a number".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether a location says one place at all.
    fn location(&self) -> Result<(), String> {
        let has = |name| matches!(self.cell(name), Some(Cell::Real(Some(_))));
        let (latitude, longitude) = (has("latitude"), has("longitude"));
        if latitude != longitude {
            return Err("has one of latitude and longitude".to_owned());
        }
        let says = |name| self.text(name).is_some_and(|text| !text.is_empty());
        if !latitude && !["state", "city", "street", "postal_code"].into_iter().any(says) {
            return Err("has neither coordinates nor an address".to_owned());
        }
        Ok(())
    }

    /// Whether a contact's address is one of its kind.
    fn contact(&self) -> Result<(), String> {
        let address = self.text("address").unwrap_or_default();
        let fits = match self.text("kind") {
            Some("mail") => {
                let (name, host) = address.rsplit_once('@').unwrap_or_default();
                !name.is_empty() && !host.is_empty() && !address.contains(char::is_whitespace)
            }
            Some("webhook") => address.starts_with("http://") || address.starts_with("https://"),
            _ => self.known.get(&Reference::Line).is_none_or(|lines| lines.contains_key(address)),
        };
        if fits { Ok(()) } else { Err(format!("address: {address:?} is none of this kind")) }
    }

    /// Whether the lines and ring groups that it names belong to its account.
    fn owners(&self) -> Result<(), String> {
        let Some(account) = self.text("account") else { return Ok(()) };
        let members = ["members", "lines"].into_iter().filter_map(|name| match self.cell(name) {
            Some(Cell::Members(members)) => Some(members),
            _ => None,
        });
        let lines = self.text("line").into_iter().chain(members.flatten().map(String::as_str));
        let named = lines.map(|id| (Reference::Line, id));
        let group = self.text("ring_group").map(|id| (Reference::RingGroup, id));
        let mailbox = self.text("mailbox").map(|id| (Reference::Mailbox, id));
        let menu = self.text("menu").map(|id| (Reference::Menu, id));
        let directory = self.text("directory").map(|id| (Reference::Directory, id));
        for (to, id) in named.chain(group).chain(mailbox).chain(menu).chain(directory) {
            let owner = self.known.get(&to).and_then(|known| known.get(id));
            if owner.is_some_and(|owner| owner != account) {
                return Err(format!("{id:?} belongs to another account than {account:?}"));
            }
        }
        Ok(())
    }
}
