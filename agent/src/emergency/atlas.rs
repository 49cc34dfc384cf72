//! Which facility answers for a place: by its area, its county, its distance, its state, or nationwide. In memory; the same
//! place always gives the same answer.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use geo::{Distance, Geodesic};
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::area::{self, Areas, planar};
use super::county::{self, Names};
use crate::store::facility::{Facility, Gazetteer};
use crate::store::location::{Location, Point};

/// A facility that is farther away is not chosen for being the nearest, unless there is nobody else: 250 km.
pub const NEAREST_M: f64 = 250_000.0;

/// Mean radius of the earth.
const RADIUS_M: f64 = 6_371_008.8;
/// Distances on the ellipsoid differ from those on the sphere by less than this share.
const FLATTENING: f64 = 0.006;

/// How a facility was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Its area holds the place.
    Area,
    /// It is of the county.
    County,
    /// It is the nearest.
    Nearest,
    /// It answers for the state.
    State,
    /// It answers for the nation.
    Nation,
}

impl Method {
    /// As records and the dialplan call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Area => "area",
            Method::County => "county",
            Method::Nearest => "nearest",
            Method::State => "state",
            Method::Nation => "nation",
        }
    }
}

/// Who answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its id in the registry; `None` for a centre that is not there.
    pub facility_id: Option<i64>,
    /// Its name.
    pub name: String,
    /// Its number, digits of E.164.
    pub number: Option<String>,
    /// How it was chosen.
    pub method: Method,
    /// How far it is from the caller, as far as both places are known.
    pub distance_m: Option<f64>,
}

/// Where somebody calls from, as far as known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place<'a> {
    /// Coordinates.
    pub point: Option<Point>,
    /// Two letters; may be empty.
    pub state: &'a str,
    /// May be empty.
    pub county: &'a str,
}

impl<'a> From<&'a Location> for Place<'a> {
    fn from(location: &'a Location) -> Self {
        Place { point: location.point, state: &location.state, county: &location.county }
    }
}

/// What is doubtful in the data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Active facilities whose county is not known: id, name, state and county as published.
    pub unknown_counties: Vec<String>,
    /// Active facilities of more than one county.
    pub several_counties: Vec<String>,
    /// Active facilities with neither place, area nor known county: nobody is ever sent there.
    pub unplaced: Vec<String>,
    /// Areas that cannot be read, with the reason.
    pub bad_areas: Vec<String>,
    /// Counties in which no facility is active: their calls go to the nearest.
    pub empty_counties: Vec<String>,
}

/// The facilities, found by place.
#[derive(Debug)]
pub struct Atlas {
    /// Active ones, in order of id.
    facilities: Vec<Facility>,
    areas: Areas<usize>,
    counties: Areas<usize>,
    names: Names,
    /// Facilities of each county.
    of_county: Vec<Vec<usize>>,
    near: RTree<GeomWithData<[f64; 3], usize>>,
    defaults: BTreeMap<String, Choice>,
}

impl Default for Atlas {
    fn default() -> Self {
        Atlas::new(Gazetteer::default()).0
    }
}

impl Atlas {
    /// Builds it, and says what is doubtful.
    #[must_use]
    pub fn new(gazetteer: Gazetteer) -> (Atlas, Doubts) {
        let mut doubts = Doubts::default();
        let Gazetteer { facilities, areas, defaults, counties } = gazetteer;
        let known: HashMap<i64, Facility> = facilities.iter().map(|one| (one.id, one.clone())).collect();
        let facilities: Vec<Facility> = facilities.into_iter().filter(|facility| facility.active).collect();
        let index_of: HashMap<i64, usize> =
            facilities.iter().enumerate().map(|(index, facility)| (facility.id, index)).collect();

        let mut shapes = Vec::new();
        for one in &areas {
            match (area::read(&one.area), index_of.get(&one.facility_id)) {
                (Ok(shape), Some(index)) => shapes.push((shape, *index)),
                (Ok(_), None) => doubts.bad_areas.push(format!("facility {}: is not active", one.facility_id)),
                (Err(why), _) => doubts.bad_areas.push(format!("facility {}: {why}", one.facility_id)),
            }
        }
        let served: Vec<usize> = shapes.iter().map(|(_, index)| *index).collect();
        let areas = Areas::new(shapes);

        let names = Names::new(&counties);
        let mut of_county = vec![Vec::new(); counties.len()];
        for (index, facility) in facilities.iter().enumerate() {
            let told = format!("{} {} ({}, {})", facility.id, facility.name, facility.county, facility.state);
            let cells = county::split(&facility.county);
            if cells.len() > 1 {
                doubts.several_counties.push(told.clone());
            }
            let found: Vec<usize> = cells.iter().filter_map(|name| names.find(&facility.state, name)).collect();
            if found.len() < cells.len() || found.is_empty() {
                doubts.unknown_counties.push(told.clone());
            }
            if found.is_empty() && facility.point.is_none() && !served.contains(&index) {
                doubts.unplaced.push(told);
            }
            for county in found {
                if let Some(those) = of_county.get_mut(county)
                    && !those.contains(&index)
                {
                    those.push(index);
                }
            }
        }
        let mut shapes = Vec::new();
        for (index, county) in counties.iter().enumerate() {
            if of_county.get(index).is_none_or(Vec::is_empty) {
                doubts.empty_counties.push(format!("{} {} ({})", county.id, county.name, county.state));
            }
            match area::read(&county.area) {
                Ok(shape) => shapes.push((shape, index)),
                Err(why) => doubts.bad_areas.push(format!("county {}: {why}", county.id)),
            }
        }
        let near = facilities
            .iter()
            .enumerate()
            .filter_map(|(index, facility)| Some(GeomWithData::new(on_sphere(facility.point?), index)));
        let near = RTree::bulk_load(near.collect());
        let defaults = defaults.into_iter().map(|default| {
            let facility = default.facility_id.and_then(|id| known.get(&id));
            let name = facility.map(|one| one.name.clone()).filter(|_| default.name.is_empty()).unwrap_or(default.name);
            let method = if default.state.is_empty() { Method::Nation } else { Method::State };
            let number = default.number.or_else(|| facility?.number.clone());
            let choice = Choice { facility_id: default.facility_id, name, number, method, distance_m: None };
            (default.state, choice)
        });
        let defaults = defaults.collect();
        (Atlas { facilities, areas, counties: Areas::new(shapes), names, of_county, near, defaults }, doubts)
    }

    /// Who answers for a place; `None` when nobody is known at all.
    #[must_use]
    pub fn choose(&self, place: &Place<'_>) -> Option<Choice> {
        let chosen = place.point.and_then(|point| {
            self.closest(point, self.areas.holding(point).copied())
                .map(|index| self.choice(index, Method::Area, place))
                .or_else(|| {
                    let counties = self.counties.holding(point);
                    // A point on a border is in the first of the counties that has a facility.
                    let mut closest = counties.filter_map(|county| self.closest(point, self.facilities_of(*county)));
                    closest.next().map(|index| self.choice(index, Method::County, place))
                })
        });
        // Without coordinates, by the county's name.
        let chosen = chosen.or_else(|| {
            let county = self.names.find(place.state, place.county).filter(|_| place.point.is_none())?;
            self.facilities_of(county).min().map(|index| self.choice(index, Method::County, place))
        });
        let nearest = || {
            let (index, _) = self.nearest(place.point?)?;
            Some(self.choice(index, Method::Nearest, place))
        };
        let within = |choice: &Choice| choice.distance_m.is_some_and(|distance| distance <= NEAREST_M);
        chosen
            .or_else(|| nearest().filter(within))
            .or_else(|| self.defaults.get(place.state).filter(|_| !place.state.is_empty()).cloned())
            .or_else(|| self.defaults.get("").cloned())
            .or_else(nearest)
    }

    /// How many facilities it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facilities.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facilities.is_empty()
    }

    fn facilities_of(&self, county: usize) -> impl Iterator<Item = usize> {
        self.of_county.get(county).into_iter().flatten().copied()
    }

    fn choice(&self, index: usize, method: Method, place: &Place<'_>) -> Choice {
        let facility = self.facilities.get(index);
        let points = facility.and_then(|facility| facility.point).zip(place.point);
        Choice {
            facility_id: facility.map(|facility| facility.id),
            name: facility.map(|facility| facility.name.clone()).unwrap_or_default(),
            number: facility.and_then(|facility| facility.number.clone()),
            method,
            distance_m: points.map(|(from, to)| distance(from, to)),
        }
    }

    /// Of these the closest; those whose place is not known come last, and of equals the one with the lower id first.
    fn closest(&self, point: Point, among: impl Iterator<Item = usize>) -> Option<usize> {
        let far = |index: usize| self.facilities.get(index)?.point.map(|there| distance(point, there));
        let all = among.map(|index| (far(index).unwrap_or(f64::INFINITY), index));
        all.min_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1))).map(|(_, index)| index)
    }

    /// The nearest of all whose places are known. They come in the order of their distance through the earth, which is
    /// nearly that on the ellipsoid: it is over when no later one can be nearer.
    fn nearest(&self, point: Point) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for candidate in self.near.nearest_neighbor_iter(on_sphere(point)) {
            let chord: f64 =
                candidate.geom().iter().zip(on_sphere(point)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
            let least = 2.0 * RADIUS_M * (chord / 2.0).min(1.0).asin() * (1.0 - FLATTENING);
            if best.is_some_and(|(_, far)| least > far) {
                break;
            }
            let there = self.facilities.get(candidate.data)?.point?;
            let far = distance(point, there);
            if best.is_none_or(|(index, best)| far < best || far == best && candidate.data < index) {
                best = Some((candidate.data, far));
            }
        }
        best
    }
}

/// Metres on the ellipsoid (Karney 2013).
fn distance(from: Point, to: Point) -> f64 {
    Geodesic.distance(planar(from), planar(to))
}

/// The point on a sphere of radius 1: there the date line is no border.
fn on_sphere(point: Point) -> [f64; 3] {
    let (latitude, longitude) = (point.latitude.to_radians(), point.longitude.to_radians());
    [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
}
