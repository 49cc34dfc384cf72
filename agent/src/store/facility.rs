//! Who answers emergency calls (PSAP), and the areas by which they are found.

use super::location::Point;

/// A facility that answers emergency calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Facility {
    /// Its id in the FCC's registry.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Two letters.
    pub state: String,
    /// County as the registry writes it; may name two.
    pub county: String,
    /// City.
    pub city: String,
    /// Whether calls go there: false for secondary and orphaned ones.
    pub active: bool,
    /// Where it is.
    pub point: Option<Point>,
    /// Its number, digits of E.164.
    pub number: Option<String>,
}

/// The area that a facility serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacilityArea {
    /// The facility's id.
    pub facility_id: i64,
    /// A GeoJSON geometry.
    pub area: String,
}

/// Who answers in a state, or (with an empty state) anywhere, where no facility is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacilityDefault {
    /// Two letters, or empty.
    pub state: String,
    /// The facility, if it is one of the registry.
    pub facility_id: Option<i64>,
    /// Its name.
    pub name: String,
    /// Its number, digits of E.164.
    pub number: Option<String>,
}

/// A county.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct County {
    /// FIPS code of state and county.
    pub id: String,
    /// Two letters.
    pub state: String,
    /// Its name; that of an independent city ends in ` city`.
    pub name: String,
    /// A GeoJSON geometry.
    pub area: String,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gazetteer {
    /// The facilities in order of id.
    pub facilities: Vec<Facility>,
    /// Their areas.
    pub areas: Vec<FacilityArea>,
    /// Who answers elsewhere.
    pub defaults: Vec<FacilityDefault>,
    /// The counties.
    pub counties: Vec<County>,
}
