//! Import of emergency facilities: the FCC Master PSAP Registry as it is published, with places, numbers, counties and service
//! areas from further files.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use csv::StringRecord;
use geojson::{FeatureCollection, Geometry, GeometryValue};

use super::field::digits;
use super::write::failed;
use super::{Faults, ImportError, csv_reader, header, line_of, malformed};
use crate::store::Store;
use crate::store::address::Session;
use crate::store::connection::{Connection, Value};
use crate::store::statement::{ALL_FACILITIES, Statement, numbered};

/// The files of an import, each by its text.
#[derive(Debug, Default)]
pub struct FacilityFiles {
    /// The registry, CSV.
    pub registry: String,
    /// `psap_id,lat,lon`, CSV; without it the places stay that are known.
    pub points: Option<String>,
    /// `psap_id,number`, CSV; without it the numbers stay that are known.
    pub numbers: Option<String>,
    /// Counties, GeoJSON with GEOID, STATEFP, NAME and LSAD as the Census writes them; without it they stay.
    pub counties: Option<String>,
    /// Service areas, GeoJSON with `psap_id`; without it they stay.
    pub areas: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FacilitiesImported {
    /// Facilities to which calls go.
    pub active: usize,
    /// Those to which none go.
    pub secondary: usize,
    /// Those that are gone.
    pub orphaned: usize,
    /// Ids that stand more than once; the row that was changed last holds.
    pub doubled: Vec<i64>,
    /// Ids in further files that the registry does not have.
    pub strangers: Vec<i64>,
    /// Counties taken.
    pub counties: usize,
    /// Service areas taken.
    pub areas: usize,
}

const REGISTRY: &[(&str, bool)] = &[
    ("PSAP ID", true),
    ("PSAP Name", true),
    ("State", true),
    ("County", true),
    ("City", true),
    ("Type of Change", true),
    ("Comments", false),
    ("Date Last Modified", false),
];
const POINTS: &[(&str, bool)] = &[("psap_id", true), ("lat", true), ("lon", true)];
const NUMBERS: &[(&str, bool)] = &[("psap_id", true), ("number", true)];

/// Properties that may hold a facility's id.
const ID_PROPERTIES: &[&str] = &["psap_id", "psapid", "psap id", "fcc_id", "facility_id", "facility"];
/// The Census's code for an independent city.
const CITY: &str = "25";

struct Row {
    id: i64,
    name: String,
    state: String,
    county: String,
    city: String,
    status: &'static str,
    changed: Option<NaiveDate>,
    point: Option<(f64, f64)>,
    number: Option<String>,
}

struct CountyRow {
    id: String,
    state: &'static str,
    name: String,
    area: String,
}

impl Store {
    /// Puts the facilities of the registry in the place of those that are there: all of them, or none.
    ///
    /// # Errors
    /// `Rows` with every bad row; `File` when a file is none of its kind; `Store` when the database fails.
    pub async fn import_facilities(&self, files: &FacilityFiles) -> Result<FacilitiesImported, ImportError> {
        let mut imported = FacilitiesImported::default();
        let mut rows = registry(&files.registry, &mut imported)?;
        let counties = files.counties.as_deref().map(counties).transpose()?;
        let areas = files.areas.as_deref().map(areas).transpose()?;
        let mut connection = self.hosts.open(Session::Work).await?;
        known(&mut connection, &mut rows).await.map_err(|error| failed("facilities", &error))?;
        if let Some(text) = &files.points {
            places(text, &mut rows, &mut imported)?;
        }
        if let Some(text) = &files.numbers {
            telephone_numbers(text, &mut rows, &mut imported)?;
        }
        let count = |status: &str| rows.values().filter(|row| row.status == status).count();
        (imported.active, imported.secondary, imported.orphaned) =
            (count("active"), count("secondary"), count("orphaned"));
        imported.counties = counties.as_ref().map_or(0, Vec::len);
        imported.areas = areas.as_ref().map_or(0, BTreeMap::len);
        if let Some(areas) = &areas {
            imported.strangers.extend(areas.keys().filter(|id| !rows.contains_key(id)));
        }
        write(&mut connection, &rows, counties.as_deref(), areas.as_ref())
            .await
            .map_err(|error| failed("facilities", &error))?;
        Ok(imported)
    }
}

/// Reads a CSV file row by row, with the values of `columns` in their order.
fn each(
    text: &str,
    columns: &[(&str, bool)],
    mut row: impl FnMut(&[&str]) -> Result<(), String>,
) -> Result<(), ImportError> {
    let mut reader = csv_reader(text.trim_start_matches('\u{FEFF}').as_bytes());
    let first = reader.headers().map_err(|error| ImportError::File(error.to_string()))?.clone();
    let places = header(&first, columns)?;
    let mut faults = Faults::default();
    let mut record = StringRecord::new();
    loop {
        let read = reader.read_record(&mut record);
        let line = line_of(&reader, &record);
        match read {
            Ok(true) => {
                let values: Vec<&str> =
                    places.iter().map(|place| place.and_then(|place| record.get(place)).unwrap_or_default()).collect();
                if let Err(reason) = row(&values) {
                    faults.add(line, reason);
                }
            }
            Ok(false) => break,
            Err(error) => faults.add(line, malformed(&error)?),
        }
    }
    faults.refuse()
}

fn registry(text: &str, imported: &mut FacilitiesImported) -> Result<BTreeMap<i64, Row>, ImportError> {
    let mut rows: BTreeMap<i64, Row> = BTreeMap::new();
    each(text, REGISTRY, |values| {
        let [id, name, state, county, city, change, _, changed] = values else { return Err("is too short".to_owned()) };
        let changed =
            ["%Y-%m-%d", "%m/%d/%Y"].iter().find_map(|format| NaiveDate::parse_from_str(changed, format).ok());
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fits = |what: &str, text: String, most: usize| {
            if text.chars().count() > most {
                Err(format!("{what}: is longer than {most} characters"))
            } else {
                Ok(text)
            }
        };
        if state.len() != 2 {
            return Err(format!("State: {state:?} is not two letters"));
        }
        let row = Row {
            id: self::id(id)?,
            name: fits("PSAP Name", line(name), 200)?,
            state: state.to_ascii_uppercase(),
            county: fits("County", line(county), 100)?,
            city: fits("City", line(city), 100)?,
            status: status(change),
            changed,
            point: None,
            number: None,
        };
        match rows.get(&row.id) {
            Some(other) => {
                imported.doubled.push(row.id);
                if row.changed > other.changed {
                    rows.insert(row.id, row);
                }
            }
            None => drop(rows.insert(row.id, row)),
        }
        Ok(())
    })?;
    imported.doubled.sort_unstable();
    imported.doubled.dedup();
    Ok(rows)
}

/// `NC`, `M`, `A`, `P` and their combinations are live; `S` is secondary, `O` orphaned, whatever stands beside it.
fn status(change: &str) -> &'static str {
    let codes: Vec<&str> = change.split(|c: char| !c.is_ascii_alphabetic()).collect();
    if codes.contains(&"O") {
        "orphaned"
    } else if codes.contains(&"S") {
        "secondary"
    } else {
        "active"
    }
}

fn id(text: &str) -> Result<i64, String> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(|| format!("{text:?} is no id of a facility"))
}

fn places(text: &str, rows: &mut BTreeMap<i64, Row>, imported: &mut FacilitiesImported) -> Result<(), ImportError> {
    rows.values_mut().for_each(|row| row.point = None);
    each(text, POINTS, |values| {
        let [id, latitude, longitude] = values else { return Err("is too short".to_owned()) };
        let degrees = |text: &str, most: f64| {
            let degrees = text.parse::<f64>().ok().filter(|degrees| degrees.abs() <= most);
            degrees.ok_or_else(|| format!("{text:?} is not within -{most} to {most} degrees"))
        };
        let (id, point) = (self::id(id)?, (degrees(latitude, 90.0)?, degrees(longitude, 180.0)?));
        match rows.get_mut(&id) {
            Some(row) => row.point = Some(point),
            None => imported.strangers.push(id),
        }
        Ok(())
    })
}

fn telephone_numbers(
    text: &str,
    rows: &mut BTreeMap<i64, Row>,
    imported: &mut FacilitiesImported,
) -> Result<(), ImportError> {
    rows.values_mut().for_each(|row| row.number = None);
    each(text, NUMBERS, |values| {
        let [id, number] = values else { return Err("is too short".to_owned()) };
        let (id, number) = (self::id(id)?, digits(number, 4)?);
        match rows.get_mut(&id) {
            Some(row) => row.number = Some(number),
            None => imported.strangers.push(id),
        }
        Ok(())
    })
}

/// What is known of places and numbers already.
async fn known(connection: &mut Connection, rows: &mut BTreeMap<i64, Row>) -> Result<(), sqlx::Error> {
    #[derive(sqlx::FromRow)]
    struct Known {
        id: i64,
        latitude: Option<f64>,
        longitude: Option<f64>,
        number: Option<String>,
    }
    let question: &'static Statement = &ALL_FACILITIES;
    let known: Vec<Known> = connection.rows(question.text(connection.backend()), &[]).await?;
    for Known { id, latitude, longitude, number } in known {
        if let Some(row) = rows.get_mut(&id) {
            row.point = latitude.zip(longitude);
            row.number = number;
        }
    }
    Ok(())
}

fn features(text: &str) -> Result<FeatureCollection, ImportError> {
    text.trim_start_matches('\u{FEFF}')
        .parse::<FeatureCollection>()
        .map_err(|error| ImportError::File(format!("is no GeoJSON FeatureCollection: {error}")))
}

/// The polygons of a geometry, as a MultiPolygon has them.
fn polygons(geometry: Option<&Geometry>) -> Result<Vec<geojson::PolygonType>, String> {
    match geometry.map(|geometry| &geometry.value) {
        Some(GeometryValue::Polygon { coordinates }) => Ok(vec![coordinates.clone()]),
        Some(GeometryValue::MultiPolygon { coordinates }) => Ok(coordinates.clone()),
        _ => Err("has neither a Polygon nor a MultiPolygon".to_owned()),
    }
}

fn geometry(polygons: Vec<geojson::PolygonType>) -> String {
    Geometry::new(GeometryValue::MultiPolygon { coordinates: polygons }).to_string()
}

fn counties(text: &str) -> Result<Vec<CountyRow>, ImportError> {
    let states: HashMap<&str, &str> = STATES.iter().copied().collect();
    let mut faults = Faults::default();
    let mut counties = Vec::new();
    for (number, feature) in (1_u64..).zip(features(text)?.features) {
        let property = |name: &str| feature.property(name).and_then(|value| value.as_str()).unwrap_or_default();
        let (id, name) = (property("GEOID").to_owned(), property("NAME"));
        let Some(state) = states.get(id.get(..2).unwrap_or_default()).filter(|_| !name.is_empty()) else {
            faults.add(number, format!("feature {number} has no GEOID of a state's county, or no NAME"));
            continue;
        };
        let name = if property("LSAD") == CITY { format!("{name} city") } else { name.to_owned() };
        match polygons(feature.geometry.as_ref()) {
            Ok(polygons) => counties.push(CountyRow { id, state, name, area: geometry(polygons) }),
            Err(why) => faults.add(number, format!("county {id} {why}")),
        }
    }
    faults.refuse()?;
    counties.sort_by(|a, b| a.id.cmp(&b.id));
    counties.dedup_by(|a, b| a.id == b.id);
    Ok(counties)
}

/// The area of each facility; several features of one are put together.
fn areas(text: &str) -> Result<BTreeMap<i64, String>, ImportError> {
    let mut faults = Faults::default();
    let mut areas: BTreeMap<i64, Vec<geojson::PolygonType>> = BTreeMap::new();
    for (number, feature) in (1_u64..).zip(features(text)?.features) {
        let id = feature.properties_iter().find_map(|(name, value)| {
            let named = ID_PROPERTIES.contains(&name.to_lowercase().as_str());
            let id = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
            id.filter(|_| named)
        });
        match (id, polygons(feature.geometry.as_ref())) {
            (Some(id), Ok(polygons)) => areas.entry(id).or_default().extend(polygons),
            (None, _) => faults.add(number, format!("feature {number} has no psap_id")),
            (Some(id), Err(why)) => faults.add(number, format!("the area of facility {id} {why}")),
        }
    }
    faults.refuse()?;
    Ok(areas.into_iter().map(|(id, polygons)| (id, geometry(polygons))).collect())
}

async fn write(
    connection: &mut Connection,
    rows: &BTreeMap<i64, Row>,
    counties: Option<&[CountyRow]>,
    areas: Option<&BTreeMap<i64, String>>,
) -> Result<(), sqlx::Error> {
    connection.begin().await?;
    let facilities = rows.values().map(|row| {
        let (latitude, longitude) = row.point.unzip();
        vec![
            Value::Integer(Some(row.id)),
            Value::from(row.name.as_str()),
            Value::from(row.state.as_str()),
            Value::from(row.county.as_str()),
            Value::from(row.city.as_str()),
            Value::from(row.status),
            Value::Real(latitude),
            Value::Real(longitude),
            Value::Text(row.number.as_deref()),
        ]
    });
    let columns = "id, name, state, county, city, status, latitude, longitude, number";
    replace(connection, "facilities", columns, facilities).await?;
    if let Some(counties) = counties {
        let rows = counties.iter().map(|county| {
            vec![
                county.id.as_str().into(),
                county.state.into(),
                county.name.as_str().into(),
                county.area.as_str().into(),
            ]
        });
        replace(connection, "counties", "id, state, name, area", rows).await?;
    }
    if let Some(areas) = areas {
        let rows = areas.iter().map(|(id, area)| vec![Value::Integer(Some(*id)), area.as_str().into()]);
        replace(connection, "facility_areas", "facility_id, area", rows).await?;
    }
    connection.commit().await
}

/// Puts these rows in the place of all that a table has.
async fn replace<'a>(
    connection: &mut Connection,
    table: &str,
    columns: &str,
    rows: impl Iterator<Item = Vec<Value<'a>>>,
) -> Result<(), sqlx::Error> {
    let backend = connection.backend();
    connection.execute(numbered(backend, format!("DELETE FROM {table}")), &[]).await?;
    let marks: Vec<String> = (1..=columns.split(',').count()).map(|n| format!("${n}")).collect();
    let insert = numbered(backend, format!("INSERT INTO {table} ({columns}) VALUES ({})", marks.join(", ")));
    for values in rows {
        connection.execute(insert.clone(), &values).await?;
    }
    Ok(())
}

/// FIPS 5-2 codes of the states, the District of Columbia and the territories.
#[rustfmt::skip]
const STATES: &[(&str, &str)] = &[
    ("01", "AL"), ("02", "AK"), ("04", "AZ"), ("05", "AR"), ("06", "CA"), ("08", "CO"), ("09", "CT"), ("10", "DE"),
    ("11", "DC"), ("12", "FL"), ("13", "GA"), ("15", "HI"), ("16", "ID"), ("17", "IL"), ("18", "IN"), ("19", "IA"),
    ("20", "KS"), ("21", "KY"), ("22", "LA"), ("23", "ME"), ("24", "MD"), ("25", "MA"), ("26", "MI"), ("27", "MN"),
    ("28", "MS"), ("29", "MO"), ("30", "MT"), ("31", "NE"), ("32", "NV"), ("33", "NH"), ("34", "NJ"), ("35", "NM"),
    ("36", "NY"), ("37", "NC"), ("38", "ND"), ("39", "OH"), ("40", "OK"), ("41", "OR"), ("42", "PA"), ("44", "RI"),
    ("45", "SC"), ("46", "SD"), ("47", "TN"), ("48", "TX"), ("49", "UT"), ("50", "VT"), ("51", "VA"), ("53", "WA"),
    ("54", "WV"), ("55", "WI"), ("56", "WY"), ("60", "AS"), ("66", "GU"), ("69", "MP"), ("72", "PR"), ("78", "VI"),
];
