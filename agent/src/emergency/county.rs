//! Names of counties: the registry and the Census write them differently.

use std::collections::HashMap;

use deunicode::deunicode;

use crate::store::facility::County;

/// What a county may be called after its name, and what is not part of it.
const KINDS: &[&str] = &["county", "parish", "city and borough", "borough", "census area", "municipality", "municipio"];
/// An independent city, where a county may have the same name.
const CITY: &str = "city";

/// Counties by state and name.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<(String, String), usize>);

impl Names {
    pub(super) fn new(counties: &[County]) -> Names {
        let mut names = HashMap::new();
        // The counties first: where a county and a city share a name, it is the county's unless `city` is said.
        for (index, county) in counties.iter().enumerate() {
            names.entry((county.state.clone(), key(&county.name))).or_insert(index);
        }
        for (index, county) in counties.iter().enumerate() {
            if let Some(name) = key(&county.name).strip_suffix(CITY) {
                names.entry((county.state.clone(), name.to_owned())).or_insert(index);
            }
        }
        Names(names)
    }

    /// The county of that name, with or without its kind.
    pub(super) fn find(&self, state: &str, name: &str) -> Option<usize> {
        let whole = key(name);
        let find = |name: &str| self.0.get(&(state.to_owned(), name.to_owned())).copied();
        find(&whole).or_else(|| find(whole.strip_suffix(CITY)?))
    }
}

/// The counties that a cell names: `Tulsa/Osage`, `Du Page, Kane`, `Ashland & Bayfield`.
pub(super) fn split(cell: &str) -> Vec<&str> {
    cell.split(['/', ',', '&', ';']).map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// A name without accents, spaces, punctuation, case and kind.
fn key(name: &str) -> String {
    let name = deunicode(name).to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let spoken = words.join(" ");
    let bare = KINDS.iter().find_map(|kind| spoken.strip_suffix(kind)?.strip_suffix(' ')).unwrap_or(&spoken);
    bare.split(' ').map(|word| if word == "saint" { "st" } else { word }).collect()
}
