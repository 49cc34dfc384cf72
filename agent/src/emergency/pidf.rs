//! The location as `res_geolocation` puts it into the INVITE: a PIDF-LO (RFC 4119) with a civic address (RFC 5139) or a point (RFC 5491).
//!
//! Asterisk substitutes variables in it, takes what stands in double quotes as one value with `\"` for a quote, drops other
//! backslashes, and hands values to an XML library as they are. A text that it misunderstands goes out as no location at all, without a word: so the
//! dialplan compares the length of what Asterisk made of it with [`Pidf::read_back`].

use crate::store::location::Location;

/// A location for the functions `GEOLOC_PROFILE(...)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pidf {
    /// `civicAddress` or `GML`.
    pub format: &'static str,
    /// For `location_info`.
    pub info: String,
    /// Bytes that reading `location_info` gives when it was understood.
    pub read_back: usize,
}

impl Pidf {
    /// A location's; `None` when it has neither address nor coordinates.
    #[must_use]
    pub fn of(location: &Location) -> Option<Pidf> {
        let address = [&location.state, &location.city, &location.street, &location.postal_code];
        if address.iter().any(|text| !text.is_empty()) {
            return Some(Pidf::new(
                "civicAddress",
                &[
                    ("country", &location.country),
                    ("A1", &location.state),
                    ("A2", &location.county),
                    ("A3", &location.city),
                    ("RD", &location.street),
                    ("HNO", &location.house_number),
                    ("BLD", &location.building),
                    ("FLR", &location.floor),
                    ("ROOM", &location.room),
                    ("PC", &location.postal_code),
                ],
            ));
        }
        let point = location.point?;
        let position = format!("{:.6} {:.6}", point.latitude, point.longitude);
        Some(Pidf::new("GML", &[("shape", "Point"), ("crs", "2d"), ("pos", &position)]))
    }

    fn new(format: &'static str, fields: &[(&str, &str)]) -> Pidf {
        let mut info = String::new();
        let mut read_back = 0;
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            let comma = if info.is_empty() { "" } else { "," };
            let value = plain(value);
            // Quotes come back without their backslash.
            read_back += comma.len() + name.len() + "=\"\"".len() + value.len();
            info.push_str(&format!("{comma}{name}=\"{}\"", value.replace('"', "\\\"")));
        }
        Pidf { format, info, read_back }
    }
}

/// A text without what Asterisk would evaluate or drop, and with what XML reserves escaped.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '$' | '{' | '}' | '[' | ']' => plain.push(' '),
            '\\' => plain.push('/'),
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}
