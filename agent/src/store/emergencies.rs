//! The questions of emergency calls. They are put to the replica, as long as there is one: nothing central stands before them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::asking::{Asking, Source};
use super::connection::Record;
use super::facility::{County, Facility, FacilityArea, FacilityDefault, Gazetteer};
use super::location::{EmergencyCaller, Location, Point};
use super::statement::{
    ALL_COUNTIES, ALL_FACILITIES, ALL_FACILITY_AREAS, ALL_FACILITY_DEFAULTS, EMERGENCY_CALLER, EMERGENCY_CONTACT_KINDS,
    EMERGENCY_CONTACTS, EMERGENCY_GAPS, RECENT_EMERGENCY_CALLS, Statement,
};
use super::time::{Moment, Time};
use super::{Session, Store, StoreError, Value, failure, key};

#[derive(FromRow)]
struct CallerRow {
    line_id: String,
    account_id: String,
    account_time_zone: String,
    line_caller_number: Option<String>,
    account_caller_number: Option<String>,
    callback_number: Option<String>,
    #[sqlx(flatten)]
    location: LocationColumns,
}

#[derive(FromRow)]
struct LocationColumns {
    device: Option<String>,
    country: Option<String>,
    state: Option<String>,
    county: Option<String>,
    city: Option<String>,
    postal_code: Option<String>,
    street: Option<String>,
    house_number: Option<String>,
    building: Option<String>,
    floor: Option<String>,
    room: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    source: Option<String>,
    placed_at: Option<Time>,
    validation: Option<String>,
}

impl LocationColumns {
    fn location(self) -> Option<Location> {
        let text = Option::unwrap_or_default;
        Some(Location {
            device: self.device?,
            country: text(self.country),
            state: text(self.state),
            county: text(self.county),
            city: text(self.city),
            postal_code: text(self.postal_code),
            street: text(self.street),
            house_number: text(self.house_number),
            building: text(self.building),
            floor: text(self.floor),
            room: text(self.room),
            point: point(self.latitude, self.longitude),
            source: text(self.source),
            placed_at: self.placed_at.map(|time| time.0),
            validation: text(self.validation),
        })
    }
}

fn point(latitude: Option<f64>, longitude: Option<f64>) -> Option<Point> {
    Some(Point { latitude: latitude?, longitude: longitude? })
}

#[derive(FromRow)]
struct FacilityRow {
    id: i64,
    name: String,
    state: String,
    county: String,
    city: String,
    status: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    number: Option<String>,
}

/// How somebody is told of an emergency call.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct EmergencyContact {
    /// `mail`, `webhook`, `message` or `call`.
    pub kind: String,
    /// A mail address, a URL or the id of a line.
    pub address: String,
}

/// An emergency call whose callback number is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentEmergencyCall {
    /// The number that was shown.
    pub callback_number: String,
    /// The line that called.
    pub line_id: String,
    /// Its account; may be empty.
    pub account_id: String,
    /// When.
    pub called_at: DateTime<Utc>,
}

/// What is known of a line for emergency calls.
#[derive(Debug, Clone)]
pub struct EmergencyGap {
    /// The line, or `line/device`.
    pub who: String,
    /// What its calls lack; empty for nothing.
    pub lacks: Vec<&'static str>,
}

#[derive(FromRow)]
struct GapRow {
    line_id: String,
    callback_number: Option<String>,
    device: Option<String>,
    validation: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    state: Option<String>,
    street: Option<String>,
    placed_at: Option<Time>,
}

impl GapRow {
    fn lacks(&self, now: DateTime<Utc>) -> Vec<&'static str> {
        let placed = self.device.is_some();
        let empty = |text: &Option<String>| text.as_ref().is_none_or(String::is_empty);
        let doubts = [
            self.callback_number.is_none(),
            !placed,
            placed && point(self.latitude, self.longitude).is_none(),
            placed && empty(&self.street),
            placed && empty(&self.state),
            placed && self.validation.as_deref() != Some("valid"),
            placed && self.placed_at.is_none_or(|time| now - time.0 > STALE),
        ];
        LACKS.iter().zip(doubts).filter(|(_, lacks)| *lacks).map(|(what, _)| *what).collect()
    }
}

/// What a line may lack.
pub const LACKS: [&str; 7] =
    ["callback number", "location", "coordinates", "street", "state", "validation", "confirmation within a year"];

/// A location that nobody has confirmed for so long is doubtful.
const STALE: chrono::TimeDelta = chrono::TimeDelta::days(365);

impl Store {
    /// The line that calls for help from one of its devices. `None` when there is no such line.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn emergency_caller(
        &self,
        line_id: &str,
        device: &str,
        asking: &mut Asking,
    ) -> Result<Option<EmergencyCaller>, StoreError> {
        let rows: Vec<CallerRow> = self.ask_nearest(&EMERGENCY_CALLER, &[key(device), key(line_id)], asking).await?;
        let line = rows.iter().find_map(|row| row.callback_number.clone());
        let Some(first) = rows.into_iter().next() else { return Ok(None) };
        Ok(Some(EmergencyCaller {
            line_id: first.line_id,
            account_id: first.account_id,
            time_zone: first.account_time_zone,
            callback_number: line.or(first.line_caller_number).or(first.account_caller_number),
            location: first.location.location(),
        }))
    }

    /// Who is told of an emergency call of this line.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn emergency_contacts(
        &self,
        line_id: &str,
        asking: &mut Asking,
    ) -> Result<Vec<EmergencyContact>, StoreError> {
        self.ask_nearest(&EMERGENCY_CONTACTS, &[key(line_id)], asking).await
    }

    /// Emergency calls since `since`, in order of time.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn recent_emergency_calls(
        &self,
        since: DateTime<Utc>,
        asking: &mut Asking,
    ) -> Result<Vec<RecentEmergencyCall>, StoreError> {
        let since = [Value::Moment(Some(Moment(since)))];
        let rows: Vec<(String, String, String, Moment)> =
            self.ask_nearest(&RECENT_EMERGENCY_CALLS, &since, asking).await?;
        let recent = rows.into_iter().map(|(callback_number, line_id, account_id, called_at)| RecentEmergencyCall {
            callback_number,
            line_id,
            account_id,
            called_at: called_at.0,
        });
        Ok(recent.collect())
    }

    /// Everything by which a facility is chosen, from the replica if there is one.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn gazetteer(&self) -> Result<Gazetteer, StoreError> {
        let facilities: Vec<FacilityRow> = self.read_all(&ALL_FACILITIES).await?;
        let areas: Vec<(i64, String)> = self.read_all(&ALL_FACILITY_AREAS).await?;
        let defaults: Vec<(String, Option<i64>, String, Option<String>)> =
            self.read_all(&ALL_FACILITY_DEFAULTS).await?;
        let counties: Vec<(String, String, String, String)> = self.read_all(&ALL_COUNTIES).await?;
        Ok(Gazetteer {
            facilities: facilities
                .into_iter()
                .map(|row| Facility {
                    id: row.id,
                    name: row.name,
                    state: row.state,
                    county: row.county,
                    city: row.city,
                    active: row.status == "active",
                    point: point(row.latitude, row.longitude),
                    number: row.number,
                })
                .collect(),
            areas: areas.into_iter().map(|(facility_id, area)| FacilityArea { facility_id, area }).collect(),
            defaults: defaults
                .into_iter()
                .map(|(state, facility_id, name, number)| FacilityDefault { state, facility_id, name, number })
                .collect(),
            counties: counties.into_iter().map(|(id, state, name, area)| County { id, state, name, area }).collect(),
        })
    }

    /// Every line that is not closed, and each of its devices that has a location, with what their emergency calls would lack.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn emergency_gaps(&self, now: DateTime<Utc>) -> Result<Vec<EmergencyGap>, StoreError> {
        let rows: Vec<GapRow> = self.read_all(&EMERGENCY_GAPS).await?;
        let mut gaps: Vec<EmergencyGap> = Vec::with_capacity(rows.len());
        let mut line = String::new();
        for row in rows {
            let device = row.device.clone().filter(|device| !device.is_empty());
            // The line itself comes first. One that has none but its devices' locations has none.
            if row.line_id != line {
                line.clone_from(&row.line_id);
                if device.is_some() {
                    gaps.push(EmergencyGap { who: line.clone(), lacks: vec!["location"] });
                }
            }
            let who = device.map_or_else(|| line.clone(), |device| format!("{line}/{device}"));
            gaps.push(EmergencyGap { who, lacks: row.lacks(now) });
        }
        Ok(gaps)
    }

    /// The ways in which anybody is told of emergency calls.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn emergency_contact_kinds(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self.read_all(&EMERGENCY_CONTACT_KINDS).await?;
        Ok(rows.into_iter().map(|(kind,)| kind).collect())
    }

    /// Puts a question to the replica; to the central database only where there is no replica yet.
    pub(super) async fn ask_nearest<R: Record>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        asking: &mut Asking,
    ) -> Result<Vec<R>, StoreError> {
        if let Some(replica) = &self.replica
            && replica.is_filled()
        {
            match replica.ask(statement, values).await {
                Ok(rows) => {
                    asking.answered_by(Source::Replica);
                    return Ok(rows);
                }
                Err(error) => {
                    tracing::error!(%error, "the replica does not answer for an emergency call; the database is asked")
                }
            }
        }
        self.ask(statement, values, asking).await
    }

    /// All rows of a statement without parameters, on a connection of its own: it may take its time.
    pub(super) async fn read_all<R: Record>(&self, statement: &'static Statement) -> Result<Vec<R>, StoreError> {
        let readers = self.replica.as_ref().and_then(|replica| replica.readers());
        let mut connection = readers.as_ref().unwrap_or(&self.hosts).open(Session::Work).await?;
        let rows = connection.rows(statement.text(connection.backend()), &[]).await;
        rows.map_err(|error| failure::Failure::of_question("the database", statement.name, &error).error)
    }
}
