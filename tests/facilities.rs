//! The choice of an emergency facility, nationwide, against computations of the tests' own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

mod store_world;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use sqlx::Connection as _;
use store_world::World;
use tandem::emergency::atlas::{Atlas, Choice, Doubts, Method, Place};
use tandem::store::facility::{County, Facility, FacilityArea, FacilityDefault, Gazetteer};
use tandem::store::import::{FacilitiesImported, FacilityFiles, Kind};
use tandem::store::location::Point;

/// A file of real data; `None`, with a message, where it is not there.
fn data(name: &str) -> Option<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "shared", "data", name].iter().collect();
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    text
}

struct Nation {
    gazetteer: Gazetteer,
    atlas: Atlas,
    doubts: Doubts,
    imported: FacilitiesImported,
    counties: String,
}

/// The registry in a database, and out of it again.
async fn nation(world: &World) -> Option<Nation> {
    let counties = data("us_counties.geojson")?;
    let files = FacilityFiles {
        registry: data("fcc_psap_registry.csv")?,
        points: Some(data("psap_points.csv")?),
        counties: Some(counties.clone()),
        ..FacilityFiles::default()
    };
    world.store.migrate().await.unwrap();
    let imported = world.store.import_facilities(&files).await.unwrap();
    let gazetteer = world.store.gazetteer().await.unwrap();
    let (atlas, doubts) = Atlas::new(gazetteer.clone());
    Some(Nation { gazetteer, atlas, doubts, imported, counties })
}

/// ZIP centres, spread over the whole file.
fn zip_centres(text: &str, most: usize) -> Vec<Point> {
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let step = (lines.len() / most).max(1);
    let point = |line: &&str| {
        let mut fields = line.split(',').skip(1);
        let mut degrees = || fields.next().unwrap().parse().unwrap();
        Point { latitude: degrees(), longitude: degrees() }
    };
    lines.iter().step_by(step).take(most).map(point).collect()
}

/// Metres on the ellipsoid by Vincenty's formula of 1975: not the agent's.
fn vincenty(from: Point, to: Point) -> f64 {
    let (a, f) = (6_378_137.0_f64, 1.0 / 298.257_223_563);
    let b = (1.0 - f) * a;
    let reduced = |point: Point| ((1.0 - f) * point.latitude.to_radians().tan()).atan();
    let (u1, u2) = (reduced(from), reduced(to));
    let l = (to.longitude - from.longitude).to_radians();
    let mut lambda = l;
    for _ in 0..200 {
        let x = u2.cos() * lambda.sin();
        let y = u1.cos() * u2.sin() - u1.sin() * u2.cos() * lambda.cos();
        let sin_sigma = x.hypot(y);
        if sin_sigma == 0.0 {
            return 0.0;
        }
        let cos_sigma = u1.sin() * u2.sin() + u1.cos() * u2.cos() * lambda.cos();
        let sigma = sin_sigma.atan2(cos_sigma);
        let sin_alpha = u1.cos() * u2.cos() * lambda.sin() / sin_sigma;
        let cos2_alpha = 1.0 - sin_alpha * sin_alpha;
        let middle = if cos2_alpha == 0.0 { 0.0 } else { cos_sigma - 2.0 * u1.sin() * u2.sin() / cos2_alpha };
        let c = f / 16.0 * cos2_alpha * (4.0 + f * (4.0 - 3.0 * cos2_alpha));
        let before = lambda;
        let inner = middle + c * cos_sigma * (2.0 * middle * middle - 1.0);
        lambda = l + (1.0 - c) * f * sin_alpha * (sigma + c * sin_sigma * inner);
        if (lambda - before).abs() < 1e-13 {
            let u = cos2_alpha * (a * a - b * b) / (b * b);
            let big_a = 1.0 + u / 16384.0 * (4096.0 + u * (-768.0 + u * (320.0 - 175.0 * u)));
            let big_b = u / 1024.0 * (256.0 + u * (-128.0 + u * (74.0 - 47.0 * u)));
            let last = big_b / 6.0 * middle * (4.0 * sin_sigma * sin_sigma - 3.0) * (4.0 * middle * middle - 3.0);
            let delta = big_b * sin_sigma * (middle + big_b / 4.0 * (cos_sigma * (2.0 * middle * middle - 1.0) - last));
            return b * big_a * (sigma - delta);
        }
    }
    f64::INFINITY
}

/// Cheap, and never wrong by as much as a hundredth.
fn about(from: Point, to: Point) -> f64 {
    let (p1, p2) = (from.latitude.to_radians(), to.latitude.to_radians());
    let h = ((p2 - p1) / 2.0).sin().powi(2)
        + p1.cos() * p2.cos() * ((to.longitude - from.longitude).to_radians() / 2.0).sin().powi(2);
    2.0 * 6_371_008.8 * h.sqrt().min(1.0).asin()
}

/// The nearest of all, looking at every one.
fn nearest<'a>(point: Point, among: impl Iterator<Item = &'a Facility> + Clone) -> Option<(i64, f64)> {
    let placed = among.filter_map(|facility| Some((facility.id, facility.point?)));
    let least = placed.clone().map(|(_, there)| about(point, there)).fold(f64::INFINITY, f64::min);
    let close = placed.filter(|(_, there)| about(point, *there) <= least * 1.02 + 1.0);
    let far = close.map(|(id, there)| (id, vincenty(point, there)));
    far.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
}

/// Even-odd rule over all rings, on the published numbers: not the agent's.
fn holds(polygons: &[Value], point: Point) -> bool {
    let (x, y) = (point.longitude, point.latitude);
    let mut inside = false;
    for ring in polygons.iter().flat_map(|polygon| polygon.as_array().unwrap()) {
        let ring: Vec<(f64, f64)> =
            ring.as_array().unwrap().iter().map(|at| (at[0].as_f64().unwrap(), at[1].as_f64().unwrap())).collect();
        for pair in ring.windows(2) {
            let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
            if (y1 > y) != (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 {
                inside = !inside;
            }
        }
    }
    inside
}

/// County polygons with their box, as published.
fn shapes(geojson: &str) -> Vec<(String, [f64; 4], Vec<Value>)> {
    let whole: Value = serde_json::from_str(geojson).unwrap();
    let read = |feature: &Value| {
        let polygons = feature["geometry"]["coordinates"].as_array().unwrap().clone();
        let mut bounds = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
        for at in polygons.iter().flat_map(|p| p.as_array().unwrap()).flat_map(|ring| ring.as_array().unwrap()) {
            let (x, y) = (at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
            bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
        }
        (feature["properties"]["GEOID"].as_str().unwrap().to_owned(), bounds, polygons)
    };
    whole["features"].as_array().unwrap().iter().map(read).collect()
}

/// The test's own reading of county names: letter by letter, against each county of the state.
fn counties_of<'a>(facility: &Facility, counties: &'a [County]) -> Vec<&'a str> {
    let letters = |name: &str| {
        let plain = name.to_lowercase().replace('ñ', "n").replace("saint ", "st ");
        plain.chars().filter(char::is_ascii_alphabetic).collect::<String>()
    };
    let mut found = Vec::new();
    for cell in facility.county.split(['/', ',', '&']) {
        let cell = letters(cell);
        let called = |county: &County| {
            let name = letters(&county.name);
            let kinds =
                ["", "county", "parish", "borough", "censusarea", "municipality", "cityandborough", "municipio"];
            kinds.iter().any(|kind| cell == format!("{name}{kind}"))
        };
        let without_city = |county: &County| {
            let bare = |name: &str| name.strip_suffix("city").unwrap_or(name).to_owned();
            county.name.ends_with(" city") && bare(&letters(&county.name)) == bare(&cell)
                || cell.strip_suffix("city") == Some(&letters(&county.name))
                || letters(&county.name).strip_suffix("city") == Some(&cell)
        };
        let here: Vec<&County> = counties.iter().filter(|county| county.state == facility.state).collect();
        let county =
            here.iter().find(|county| called(county)).or_else(|| here.iter().find(|county| without_city(county)));
        found.extend(county.map(|county| county.id.as_str()));
    }
    found
}

fn place(point: Point) -> Place<'static> {
    Place { point: Some(point), state: "", county: "" }
}

fn id(choice: Option<&Choice>) -> Option<i64> {
    choice.and_then(|choice| choice.facility_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_is_read_as_published_and_its_traps_are_told() {
    for world in World::all() {
        let Some(Nation { gazetteer, doubts, imported, .. }) = nation(&world).await else { return };
        assert_eq!(imported.doubled, [6865, 6888]);
        // 8,915 rows, two of which stand twice.
        assert_eq!(imported.active + imported.secondary + imported.orphaned, 8_913);
        assert_eq!((imported.orphaned, imported.secondary), (2_370, 820));
        assert_eq!(imported.counties, 3_220);
        assert_eq!(gazetteer.facilities.len(), 8_913);
        for known in ["Sand Springs", "Tulsa/Osage"] {
            assert!(doubts.several_counties.iter().any(|told| told.contains(known)), "{:?}", doubts.several_counties);
        }
        let unknown = doubts.unknown_counties.join("\n");
        assert!(unknown.contains("(Dade, FL)") && unknown.contains("Madisoon"), "{unknown}");
        // Independent cities, and names without their kind, are found.
        for known in ["Norfolk City", "St. Louis City", "Baltimore City", "Alexandria City"] {
            assert!(!unknown.contains(known), "{unknown}");
        }
        // Reading it again changes nothing.
        let again = nation(&world).await.unwrap();
        assert_eq!(again.gazetteer, gazetteer, "{}", world.name);
        println!(
            "{}: {} unknown counties, {} unplaced",
            world.name,
            doubts.unknown_counties.len(),
            doubts.unplaced.len()
        );
    }
}

#[tokio::test]
async fn nationwide_the_choice_is_that_of_looking_at_every_facility_and_every_county() {
    let world = World::sqlite();
    let (Some(nation), Some(zips)) = (nation(&world).await, data("us_zips.csv")) else { return };
    let Nation { gazetteer, atlas, counties, .. } = nation;
    let active: Vec<&Facility> = gazetteer.facilities.iter().filter(|facility| facility.active).collect();
    let mut places = zip_centres(&zips, 10_000);
    assert_eq!(places.len(), 10_000);
    places.extend(active.iter().filter_map(|facility| facility.point));

    let shapes = shapes(&counties);
    let mut of_county: BTreeMap<&str, Vec<&Facility>> = BTreeMap::new();
    for facility in &active {
        for county in counties_of(facility, &gazetteer.counties) {
            of_county.entry(county).or_default().push(facility);
        }
    }
    let (mut by_county, mut by_distance) = (0, 0);
    for point in &places {
        let choice = atlas.choose(&place(*point));
        let inside = |shape: &&(String, [f64; 4], Vec<Value>)| {
            let [west, south, east, north] = shape.1;
            (west..=east).contains(&point.longitude)
                && (south..=north).contains(&point.latitude)
                && holds(&shape.2, *point)
        };
        let county = shapes.iter().find(inside).map(|(id, ..)| id.as_str());
        let of_county = county.and_then(|county| of_county.get(county));
        let expected = match of_county {
            Some(those) => {
                by_county += 1;
                let near = nearest(*point, those.iter().copied());
                let first = those.iter().map(|facility| facility.id).min().unwrap();
                (near.map_or(first, |(id, _)| id), Method::County)
            }
            None => {
                by_distance += 1;
                (nearest(*point, active.iter().copied()).unwrap().0, Method::Nearest)
            }
        };
        let choice = choice.unwrap();
        assert_eq!((choice.facility_id.unwrap(), choice.method), expected, "{point:?} in {county:?}");
    }
    println!("{by_county} places by county, {by_distance} by distance");
    assert!(by_county > 14_000 && by_distance > 50, "{by_county} {by_distance}");
}

#[tokio::test]
async fn nationwide_the_nearest_is_that_of_looking_at_every_facility() {
    let world = World::sqlite();
    let (Some(nation), Some(zips)) = (nation(&world).await, data("us_zips.csv")) else { return };
    let mut gazetteer = nation.gazetteer;
    gazetteer.counties.clear();
    let (atlas, _) = Atlas::new(gazetteer.clone());
    let active: Vec<&Facility> = gazetteer.facilities.iter().filter(|facility| facility.active).collect();
    for point in zip_centres(&zips, 10_000) {
        let choice = atlas.choose(&place(point)).unwrap();
        let (expected, far) = nearest(point, active.iter().copied()).unwrap();
        assert_eq!(choice.facility_id, Some(expected), "{point:?}");
        assert!((choice.distance_m.unwrap() - far).abs() < 0.01, "{point:?}: {:?} {far}", choice.distance_m);
    }
}

fn facility(id: i64, state: &str, county: &str, point: Option<(f64, f64)>) -> Facility {
    Facility {
        id,
        name: format!("Facility {id}"),
        state: state.to_owned(),
        county: county.to_owned(),
        city: String::new(),
        active: true,
        point: point.map(|(latitude, longitude)| Point { latitude, longitude }),
        number: Some(format!("1512555{id:04}")),
    }
}

#[test]
fn the_order_is_area_county_nearest_state_nation_and_ties_go_to_the_lower_id() {
    let square = |west: f64, south: f64, size: f64| {
        let (east, north) = (west + size, south + size);
        format!(
            "{{\"type\":\"Polygon\",\"coordinates\":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}"
        )
    };
    let county = |id: &str, name: &str, area: String| County {
        id: id.to_owned(),
        state: "TX".to_owned(),
        name: name.to_owned(),
        area,
    };
    let gazetteer = Gazetteer {
        facilities: vec![
            facility(1, "TX", "Dallas", Some((32.5, -96.5))),
            facility(2, "TX", "Dallas", Some((32.5, -96.5))),
            facility(3, "TX", "Nowhere", Some((32.4, -96.4))),
            facility(4, "TX", "Nowhere", None),
            facility(5, "AK", "Nowhere", Some((51.9, 179.9))),
            Facility { active: false, ..facility(6, "TX", "Dallas", Some((32.1, -96.1))) },
        ],
        areas: vec![
            FacilityArea { facility_id: 4, area: square(-96.3, 32.0, 0.1) },
            FacilityArea { facility_id: 6, area: square(-97.0, 32.0, 1.0) },
        ],
        defaults: vec![
            FacilityDefault { state: "TX".into(), facility_id: Some(3), name: String::new(), number: None },
            FacilityDefault {
                state: String::new(),
                facility_id: None,
                name: "Relay".into(),
                number: Some("18005550199".into()),
            },
        ],
        counties: vec![
            county("48113", "Dallas", square(-97.0, 32.0, 1.0)),
            county("48999", "Empty", square(-98.0, 32.0, 1.0)),
        ],
    };
    let (atlas, doubts) = Atlas::new(gazetteer);
    let at = |latitude: f64, longitude: f64, state: &'static str, county: &'static str| {
        let choice = atlas.choose(&Place { point: Some(Point { latitude, longitude }), state, county });
        (id(choice.as_ref()), choice.unwrap().method)
    };
    assert_eq!(at(32.05, -96.25, "", ""), (Some(4), Method::Area), "within the area, though others are of the county");
    assert_eq!(at(32.0, -96.3, "", ""), (Some(4), Method::Area), "on its corner");
    assert_eq!(
        at(32.1, -96.1, "", ""),
        (Some(1), Method::County),
        "nearest is 6, which is not active; 1 and 2 are as far"
    );
    assert_eq!(at(32.5, -97.5, "", ""), (Some(1), Method::Nearest), "the county has no facility");
    assert_eq!(at(52.0, -179.9, "AK", ""), (Some(5), Method::Nearest), "across the date line");
    assert_eq!(at(0.0, 0.0, "TX", ""), (Some(3), Method::State), "nobody is near");
    assert_eq!(at(0.0, 0.0, "", ""), (None, Method::Nation));
    let without = |state: &'static str, county: &'static str| {
        let choice = atlas.choose(&Place { point: None, state, county }).unwrap();
        (choice.facility_id, choice.method, choice.number)
    };
    assert_eq!(without("TX", "DALLAS COUNTY"), (Some(1), Method::County, Some("15125550001".into())));
    assert_eq!(without("TX", ""), (Some(3), Method::State, Some("15125550003".into())));
    assert_eq!(without("", ""), (None, Method::Nation, Some("18005550199".into())));
    assert_eq!(Atlas::default().choose(&place(Point { latitude: 1.0, longitude: 1.0 })), None);
    assert_eq!(doubts.empty_counties, ["48999 Empty (TX)"]);
    assert_eq!(doubts.bad_areas, ["facility 6: is not active"]);
    assert_eq!(doubts.unknown_counties.len(), 3);
    assert!(doubts.unplaced.is_empty(), "4 has an area: {:?}", doubts.unplaced);
}

#[tokio::test]
async fn areas_and_numbers_come_from_further_files_and_stay_when_the_registry_is_read_again() {
    let world = World::sqlite();
    world.store.migrate().await.unwrap();
    let registry = "PSAP ID,PSAP Name,State,County,City,Type of Change,Comments,Date Last Modified\n\
                    1,One,TX,Dallas,Dallas,NC,,\n2,Two,TX,Dallas,Dallas,\"A\",,1/2/2025\n3,Three,TX,Dallas,Dallas,M-S,,\n";
    // Two features of one facility, a polygon with a hole among them.
    let areas = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"PSAP_ID":2},"geometry":{"type":"Polygon","coordinates":
            [[[-97,32],[-96,32],[-96,33],[-97,33],[-97,32]],[[-96.6,32.4],[-96.4,32.4],[-96.4,32.6],[-96.6,32.6],[-96.6,32.4]]]}},
        {"type":"Feature","properties":{"PSAP_ID":"2"},"geometry":{"type":"MultiPolygon","coordinates":
            [[[[-90,32],[-89,32],[-89,33],[-90,33],[-90,32]]]]}},
        {"type":"Feature","properties":{"PSAP_ID":9},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}"#;
    let files = FacilityFiles {
        registry: registry.to_owned(),
        points: Some("psap_id,lat,lon\n1,32.5,-96.5\n".to_owned()),
        numbers: Some("psap_id,number\n2,+1 (214) 555-0102\n".replace(['(', ')'], "")),
        areas: Some(areas.to_owned()),
        ..FacilityFiles::default()
    };
    let imported = world.store.import_facilities(&files).await.unwrap();
    assert_eq!((imported.active, imported.secondary, imported.areas), (2, 1, 2));
    assert_eq!(imported.strangers, [9]);
    let choose = async |latitude: f64, longitude: f64| {
        let (atlas, _) = Atlas::new(world.store.gazetteer().await.unwrap());
        let choice = atlas.choose(&place(Point { latitude, longitude })).unwrap();
        (choice.facility_id, choice.method, choice.number)
    };
    let two = (Some(2), Method::Area, Some("12145550102".to_owned()));
    assert_eq!(choose(32.1, -96.9).await, two);
    assert_eq!(choose(32.5, -89.5).await, two, "the second feature");
    assert_eq!(choose(32.5, -96.5).await, (Some(1), Method::Nearest, None), "in the hole");
    let again = FacilityFiles { registry: registry.to_owned(), ..FacilityFiles::default() };
    world.store.import_facilities(&again).await.unwrap();
    assert_eq!(choose(32.1, -96.9).await, two);
    assert_eq!(choose(32.5, -96.5).await, (Some(1), Method::Nearest, None));
}

#[test]
fn the_command_tells_what_it_took_and_what_is_doubtful() {
    let plan = lab::Agent::builder();
    plan.tandem_ok(&["migrate"]);
    let file = |name: &str| store_world::sample(name).display().to_string();
    let (points, numbers) = (file("facility-points"), file("facility-numbers"));
    let options = ["--points", &points, "--numbers", &numbers];
    let told = plan.tandem_ok(&[&["import", "facilities", &file("facilities")], &options[..]].concat());
    for part in [
        "2 facilities taken, 0 secondary and 1 orphaned ones left out; 0 counties, 0 service areas",
        "2 facilities name a county that is not known",
        "5002 Hoboken Dispatch (sample) (Hudson, NJ)",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[tokio::test]
async fn bad_files_are_refused_with_their_lines_and_nothing_is_taken() {
    let world = World::sqlite();
    world.store.migrate().await.unwrap();
    let registry = "PSAP ID,PSAP Name,State,County,City,Type of Change,Comments,Date Last Modified\n";
    let import = async |rows: &str, areas: Option<&str>| {
        let files = FacilityFiles {
            registry: format!("{registry}{rows}"),
            areas: areas.map(str::to_owned),
            ..FacilityFiles::default()
        };
        world.store.import_facilities(&files).await.map_err(|error| error.to_string())
    };
    import("1,One,TX,Dallas,Dallas,NC,,\n", None).await.unwrap();
    let error = import("2,Two,TX,Dallas,Dallas,NC,,\nx,Three,TX,Dallas,Dallas,NC,,\n", None).await.unwrap_err();
    assert!(error.contains("line 3: \"x\" is no id"), "{error}");
    let error = import("2,Two,TX,Dallas,Dallas,NC,,\n", Some("{}")).await.unwrap_err();
    assert!(error.contains("GeoJSON"), "{error}");
    let point = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"psap_id":2},"geometry":{"type":"Point","coordinates":[1,2]}}]}"#;
    let error = import("2,Two,TX,Dallas,Dallas,NC,,\n", Some(point)).await.unwrap_err();
    assert!(error.contains("facility 2 has neither a Polygon"), "{error}");
    assert_eq!(world.number("SELECT id FROM facilities").await, 1, "the old one is still there");

    let line = "INSERT INTO accounts (id, name, status, currency, created_at) VALUES ('acme', 'Acme', 'active', 'USD', '2026-01-01 00:00:00'); \
                INSERT INTO phone_lines (id, account_id, name, status, country, created_at) \
                VALUES ('1001', 'acme', 'Alice', 'active', 'US', '2026-01-01 00:00:00')";
    let mut database = sqlx::SqliteConnection::connect(&world.url).await.unwrap();
    sqlx::raw_sql(line).execute(&mut database).await.unwrap();
    let locations = "line,latitude,longitude,street,validation\n1001,32.7,,Main St,valid\n1002,,,Main St,valid\n\
                     1001,91,-96,,valid\n1001,,,,valid\n1001,,,Main St,perhaps\n";
    let error = world.store.import(Kind::Locations, locations.as_bytes()).await.unwrap_err().to_string();
    for told in [
        "line 2: has one of latitude and longitude",
        "line 3: line: there is no \"1002\"",
        "line 4: latitude: \"91\" is not within -90 to 90 degrees",
        "line 5: has neither coordinates nor an address",
        "line 6: validation: \"perhaps\" is none of none, pending, valid, invalid",
    ] {
        assert!(error.contains(told), "{told}\n{error}");
    }
    let contacts = "account,kind,address\nacme,mail,nobody\nacme,webhook,ftp://x\nacme,message,9999\n";
    let error = world.store.import(Kind::EmergencyContacts, contacts.as_bytes()).await.unwrap_err().to_string();
    assert_eq!(error.matches("is none of this kind").count(), 3, "{error}");
    let error =
        world.store.import(Kind::FacilityDefaults, "state,facility,name,number\nTX,,Nobody,\n".as_bytes()).await;
    assert!(error.unwrap_err().to_string().contains("neither a facility nor a number"));
}
