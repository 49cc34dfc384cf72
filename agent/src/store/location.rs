//! Where a line is, for emergency calls.

use std::fmt;

use chrono::{DateTime, Utc};

/// A place in degrees, WGS 84.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// North positive.
    pub latitude: f64,
    /// East positive.
    pub longitude: f64,
}

/// The registered location of a line or of one of its devices. Texts may be empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Location {
    /// The device; empty for the line itself.
    pub device: String,
    /// ISO 3166 code.
    pub country: String,
    /// Two letters, `TX`.
    pub state: String,
    /// County, parish, borough.
    pub county: String,
    /// City.
    pub city: String,
    /// ZIP code.
    pub postal_code: String,
    /// Street with its direction and kind.
    pub street: String,
    /// House number.
    pub house_number: String,
    /// Building.
    pub building: String,
    /// Floor.
    pub floor: String,
    /// Room.
    pub room: String,
    /// Coordinates, if known.
    pub point: Option<Point>,
    /// Who said so.
    pub source: String,
    /// When that was.
    pub placed_at: Option<DateTime<Utc>>,
    /// Whether the address was found to exist: `none`, `pending`, `valid`, `invalid`.
    pub validation: String,
}

/// A line that calls for help, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct EmergencyCaller {
    /// The line's id.
    pub line_id: String,
    /// Its account.
    pub account_id: String,
    /// That account's IANA time zone.
    pub time_zone: String,
    /// The number that reaches the line, digits of E.164: its location's own, else the line's, else the account's.
    pub callback_number: Option<String>,
    /// Where it is.
    pub location: Option<Location>,
}

/// `100 Main St, Bldg 2, Floor 3, Room 9, Dallas, TX 75201`.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined =
            |parts: &[&str]| parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ");
        let named = |name: &str, value: &str| if value.is_empty() { String::new() } else { format!("{name} {value}") };
        let parts = [
            joined(&[&self.house_number, &self.street]),
            named("building", &self.building),
            named("floor", &self.floor),
            named("room", &self.room),
            self.city.clone(),
            joined(&[&self.state, &self.postal_code]),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        f.write_str(&parts.join(", "))
    }
}
