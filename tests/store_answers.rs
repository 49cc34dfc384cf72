//! The same data gives the same answers on SQLite, MariaDB and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::io::Cursor;

use store_world::{World, load_sample, soon, time};
use tandem::store::caller::{LineCaller, OwnNumber, Status};
use tandem::store::destination::{Destination, DestinationQuery};
use tandem::store::import::{Kind, RateFile};
use tandem::store::schema::{SchemaState, migrations};
use tandem::store::target::{Strategy, Target};
use tandem::store::{Backend, Store, StoreError};

/// What was shipped stays as it is: a change of the schema is a further migration. The first digits of the SHA-384 that sqlx records.
const SHIPPED: &[(Backend, i64, &str)] = &[
    (Backend::Sqlite, 1, "cb573c54ff56b077"),
    (Backend::MySql, 1, "34ab143cb18fdea5"),
    (Backend::Postgres, 1, "d39e9e129861d05e"),
    (Backend::Sqlite, 2, "fbd02ab3a61d9fb4"),
    (Backend::MySql, 2, "c44d6b978cf67710"),
    (Backend::Postgres, 2, "1dfa33a97396b6fd"),
    (Backend::Sqlite, 3, "05239a8e6bfe4415"),
    (Backend::MySql, 3, "bdc2531ec060d6b6"),
    (Backend::Postgres, 3, "c97c8228d763bad0"),
    (Backend::Sqlite, 4, "58441aca426f2ea7"),
    (Backend::MySql, 4, "4910f8e366e4852a"),
    (Backend::Postgres, 4, "b908640a75662b2d"),
    (Backend::Sqlite, 5, "a5f2349d23491719"),
    (Backend::MySql, 5, "8c904a110fa38698"),
    (Backend::Postgres, 5, "1877b05edd90a1ae"),
    (Backend::Sqlite, 9, "cb5711eb0886f268"),
    (Backend::MySql, 9, "500f71f2a3a619d6"),
    (Backend::Postgres, 9, "952f318daee5c5d9"),
    (Backend::Sqlite, 6, "74b029f451270f1c"),
    (Backend::MySql, 6, "f23c2bb30acab894"),
    (Backend::Postgres, 6, "197ae737922050ee"),
    (Backend::Sqlite, 8, "a342e0ac819202fd"),
    (Backend::MySql, 8, "ff2566c05b6bc2ac"),
    (Backend::Postgres, 8, "ff2566c05b6bc2ac"),
    (Backend::Sqlite, 7, "72f2ab337e49e15f"),
    (Backend::MySql, 7, "653131537c7f13a6"),
    (Backend::Postgres, 7, "9d27929aeb4d3105"),
    (Backend::Sqlite, 10, "52234b31d2376d6d"),
    (Backend::MySql, 10, "8aa07a3c2ab9c0c1"),
    (Backend::Postgres, 10, "45ebddd366d2ac07"),
    (Backend::Sqlite, 12, "163fbee767b122d5"),
    (Backend::MySql, 12, "7877e5b92238c954"),
    (Backend::Postgres, 12, "1ad2e3f0001f3389"),
    (Backend::Sqlite, 13, "4d383dc2c1876b4b"),
    (Backend::MySql, 13, "51b3d25c5607f167"),
    (Backend::Postgres, 13, "a20d27674d0da220"),
    (Backend::Sqlite, 14, "b3eead5f824feb8a"),
    (Backend::MySql, 14, "19334a456f5d0ee8"),
    (Backend::Postgres, 14, "d24577f98b5defa9"),
    (Backend::Sqlite, 15, "335def9038f87d20"),
    (Backend::MySql, 15, "335def9038f87d20"),
    (Backend::Postgres, 15, "335def9038f87d20"),
    (Backend::Sqlite, 16, "7dcafd8c5a3b0635"),
    (Backend::MySql, 16, "7dcafd8c5a3b0635"),
    (Backend::Postgres, 16, "7dcafd8c5a3b0635"),
    (Backend::Sqlite, 11, "0d9aa9363f6166ad"),
    (Backend::MySql, 11, "58571082e04ec2b3"),
    (Backend::Postgres, 11, "b0d9c0f0b72e04e7"),
];

#[test]
fn shipped_migrations_are_unchanged() {
    for backend in [Backend::Sqlite, Backend::MySql, Backend::Postgres] {
        for migration in migrations(backend) {
            let checksum: String = migration.checksum.iter().map(|byte| format!("{byte:02x}")).collect();
            let shipped = SHIPPED.iter().find(|(of, version, _)| *of == backend && *version == migration.version);
            assert_eq!(
                shipped.map(|(_, _, checksum)| *checksum),
                Some(&checksum[..16]),
                "{backend:?} {}: shipped migrations never change; add the next one",
                migration.version
            );
        }
    }
}

fn query(number: &str) -> DestinationQuery {
    DestinationQuery {
        account_id: "acme".into(),
        line_id: "1001".into(),
        number: number.into(),
        class: "national".into(),
        presented: String::new(),
        sell_deck_id: Some("retail".into()),
        at: time("2026-02-01T12:00:00Z"),
    }
}

/// Every answer in one text, in an order of its own.
fn text(mut destination: Destination) -> String {
    destination.offers.sort_by_key(|offer| (offer.gateway.id.clone(), offer.price.prefix.clone()));
    destination.sell.sort_by_key(|price| price.prefix.clone());
    format!("{destination:#?}")
}

async fn caller(store: &Store, line: &str, dialled: &str) -> Option<LineCaller> {
    store.line_caller(line, dialled, &mut soon()).await.unwrap()
}

async fn ask(store: &Store, query: &DestinationQuery) -> Destination {
    store.destination(query, &mut soon()).await.unwrap()
}

async fn own(store: &Store, number: &str) -> Option<OwnNumber> {
    store.own_number(number, &mut soon()).await.unwrap()
}

async fn import(store: &Store, kind: Kind, text: &str) {
    store.import(kind, Cursor::new(text.to_owned())).await.unwrap();
}

async fn rates(store: &Store, deck: &str, effective: &str, text: &str) {
    let file = RateFile { deck: deck.into(), currency: None, effective: time(effective) };
    store.import_rates(&file, Cursor::new(text.to_owned()), |_| ()).await.unwrap();
}

#[tokio::test]
async fn every_backend_prepares_every_statement() {
    for world in World::all() {
        let before = world.store.schema_state().await;
        assert!(!matches!(before, Ok(SchemaState::Current)), "{}: {before:?}", world.name);
        world.store.migrate().await.unwrap();
        world.store.migrate().await.unwrap();
        assert_eq!(world.store.schema_state().await.unwrap(), SchemaState::Current, "{}", world.name);
        assert_eq!(world.store.check_statements().await.unwrap(), Vec::<String>::new(), "{}", world.name);
    }
}

#[tokio::test]
async fn a_database_without_tables_is_broken_and_says_what_to_do() {
    for world in [World::mariadb(), World::postgres()] {
        let error = world.store.gateway_caller("gw-a", &mut soon()).await.unwrap_err();
        assert!(matches!(&error, StoreError::Broken(text) if text.contains("tandem migrate")), "{error:?}");
    }
}

/// Runs the same questions on every backend; the first one's answers are also held against what is right.
#[tokio::test]
async fn the_backends_agree() {
    let mut answers: Vec<(&str, Vec<String>)> = Vec::new();
    for world in World::all() {
        load_sample(&world.store).await;
        answers.push((world.name, conversation(&world.store).await));
    }
    let (_, first) = &answers[0];
    for (name, other) in &answers[1..] {
        for (a, b) in first.iter().zip(other) {
            assert_eq!(a, b, "SQLite and {name} disagree");
        }
    }
}

async fn conversation(store: &Store) -> Vec<String> {
    let mut said = Vec::new();
    callers(store, &mut said).await;
    permissions(store, &mut said).await;
    prices(store, &mut said).await;
    own_numbers(store, &mut said).await;
    hostile(store, &mut said).await;
    said.push(format!("{:#?}", store.gateways(&mut soon()).await.unwrap()));
    said
}

async fn callers(store: &Store, said: &mut Vec<String>) {
    let line = caller(store, "1001", "1002").await.unwrap();
    assert_eq!((line.line_name.as_str(), line.line_status), ("Alice Baker", Status::Active));
    assert_eq!(line.caller_number.as_deref(), Some("12125550101"));
    assert_eq!(line.account.max_per_minute_micros, Some(1_000_000));
    assert!(line.internal_allowed);
    assert!(matches!(&line.extension, Some(Target::Line(ringing)) if ringing.line_id == "1002" && ringing.active));
    said.push(format!("{line:#?}"));

    let group = caller(store, "1002", "600").await.unwrap();
    let Some(Target::RingGroup(front_desk)) = &group.extension else { panic!("{group:?}") };
    assert_eq!(front_desk.strategy, Strategy::Together);
    assert_eq!(front_desk.members.iter().map(|member| member.line_id.as_str()).collect::<Vec<_>>(), ["1001", "1002"]);
    said.push(format!("{group:#?}"));

    // In the order of the file; a suspended line is told as such; an empty group is still a group.
    import(store, Kind::Lines, "id,account,name,status\n1003,acme,Carol,suspended\n").await;
    import(
        store,
        Kind::RingGroups,
        "id,account,name,strategy,members\n601,acme,Sales,in_order,1003 1002 1001\n602,acme,Nobody,,\n",
    )
    .await;
    import(store, Kind::Extensions, "account,extension,ring_group\nacme,601,601\nacme,602,602\n").await;
    let sales = caller(store, "1001", "601").await.unwrap();
    let Some(Target::RingGroup(group)) = &sales.extension else { panic!("{sales:?}") };
    assert_eq!(
        group.members.iter().map(|m| (m.line_id.as_str(), m.active)).collect::<Vec<_>>(),
        [("1003", false), ("1002", true), ("1001", true)]
    );
    said.push(format!("{sales:#?}"));
    let nobody = caller(store, "1001", "602").await.unwrap();
    assert!(matches!(&nobody.extension, Some(Target::RingGroup(group)) if group.members.is_empty()), "{nobody:?}");

    assert_eq!(caller(store, "1001", "999").await.unwrap().extension, None);
    assert_eq!(caller(store, "9999", "1001").await, None);
    // Extensions of another account are not reachable.
    import(store, Kind::Accounts, "id,name,status\nother,Other,suspended\n").await;
    import(store, Kind::Lines, "id,account,name\n2001,other,Dave\n").await;
    let other = caller(store, "2001", "1001").await.unwrap();
    assert_eq!((other.extension.is_some(), other.account.status), (false, Status::Suspended));
    said.push(format!("{other:#?}"));

    // The same word in another account is another pickup group; lines without one are in none.
    import(store, Kind::Lines, "id,account,name,pickup_group\n2002,other,Eve,sales\n2003,other,Fay,sales\n").await;
    for (line, others) in
        [("1001", vec!["1002"]), ("2002", vec!["2003"]), ("1003", vec![]), ("2001", vec![]), ("9", vec![])]
    {
        assert_eq!(store.pickup_group(line, &mut soon()).await.unwrap(), others, "{line}");
    }

    let gateway = store.gateway_caller("gw-b", &mut soon()).await.unwrap().unwrap();
    assert_eq!((gateway.status, gateway.country.as_str()), (Status::Active, "US"));
    assert_eq!(store.gateway_caller("gw-z", &mut soon()).await.unwrap(), None);
}

async fn permissions(store: &Store, said: &mut Vec<String>) {
    let of =
        |line: &str, class: &str| DestinationQuery { line_id: line.into(), class: class.into(), ..query("445550100") };
    // Default of the class, the account over it, the line over both.
    assert!(ask(store, &of("1001", "national")).await.allowed);
    assert!(!ask(store, &of("1001", "premium")).await.allowed);
    assert!(ask(store, &of("1001", "international")).await.allowed);
    assert!(!ask(store, &of("1002", "international")).await.allowed);
    import(store, Kind::Permissions, "account,line,class,allowed\nacme,,internal,no\n,1002,internal,yes\n").await;
    assert!(!caller(store, "1001", "1002").await.unwrap().internal_allowed);
    assert!(caller(store, "1002", "1001").await.unwrap().internal_allowed);
    let unknown = store.destination(&of("1001", "no-such-class"), &mut soon()).await;
    assert!(matches!(unknown, Err(StoreError::Broken(_))), "{unknown:?}");

    // Blocked for everybody, for one account; the longest prefix gives the reason.
    import(store, Kind::BlockedPrefixes, "prefix,account,reason\n88,,All of 88\n4477,other,Fraud\n").await;
    assert_eq!(ask(store, &query("88123456")).await.blocked.as_deref(), Some("Satellite phones"));
    assert_eq!(ask(store, &query("88323456")).await.blocked.as_deref(), Some("All of 88"));
    assert_eq!(ask(store, &query("447700900123")).await.blocked, None);
    let other = DestinationQuery { account_id: "other".into(), ..query("447700900123") };
    assert_eq!(ask(store, &other).await.blocked.as_deref(), Some("Fraud"));

    let owned = DestinationQuery { presented: "12125550102".into(), ..query("445550100") };
    assert!(ask(store, &owned).await.presented_owned);
    let foreign = DestinationQuery { presented: "12125559999".into(), ..query("445550100") };
    assert!(!ask(store, &foreign).await.presented_owned);
    said.push(text(ask(store, &owned).await));
}

fn prefixes(destination: &Destination, gateway: &str) -> Vec<String> {
    let mut prefixes: Vec<String> = destination
        .offers
        .iter()
        .filter(|offer| offer.gateway.id == gateway)
        .map(|offer| offer.price.prefix.clone())
        .collect();
    prefixes.sort();
    prefixes
}

async fn prices(store: &Store, said: &mut Vec<String>) {
    let new_york = ask(store, &query("12125559000")).await;
    assert_eq!(prefixes(&new_york, "gw-a"), ["1", "1212"]);
    assert_eq!(prefixes(&new_york, "gw-b"), ["1"]);
    assert_eq!(new_york.sell.iter().map(|price| price.per_minute_micros).collect::<Vec<_>>(), [15_000]);
    let euro = new_york.offers.iter().find(|offer| offer.gateway.id == "gw-b").unwrap();
    assert_eq!((euro.price.currency.as_str(), euro.price.currency_value_micros), ("EUR", 1_080_000));
    said.push(text(new_york));
    said.push(text(ask(store, &query("4915112345678")).await));
    // Nobody goes there: the answer still stands.
    let nowhere = ask(store, &query("99955501")).await;
    assert!(nowhere.allowed && nowhere.offers.is_empty() && nowhere.sell.is_empty());

    // Dates within a version: from effective_at on, until before expires_at, the latest that holds.
    rates(
        store,
        "gw-a",
        "2026-03-01T00:00:00Z",
        "prefix,per_minute,effective_at,expires_at\n\
         52,0.10,,\n\
         52,0.20,2026-03-10,2026-03-20\n\
         52,0.30,2026-03-15T06:00:00+06:00,2026-03-16\n\
         521,0.40,2026-04-01,\n",
    )
    .await;
    let expected = [
        ("2026-02-28T23:59:59Z", vec![15_000]),
        ("2026-03-01T00:00:00Z", vec![100_000]),
        ("2026-03-09T23:59:59Z", vec![100_000]),
        ("2026-03-10T00:00:00Z", vec![200_000]),
        ("2026-03-15T00:00:00Z", vec![300_000]),
        ("2026-03-15T23:59:59Z", vec![300_000]),
        ("2026-03-16T00:00:00Z", vec![200_000]),
        ("2026-03-20T00:00:00Z", vec![100_000]),
        ("2026-04-01T00:00:00Z", vec![100_000, 400_000]),
    ];
    for (at, prices) in expected {
        let mexico = ask(store, &DestinationQuery { at: time(at), ..query("5215550100") }).await;
        let mut found: Vec<i64> = mexico.offers.iter().map(|offer| offer.price.per_minute_micros).collect();
        found.sort_unstable();
        assert_eq!(found, prices, "at {at}");
        said.push(text(mexico));
    }
    // Before the first version there is none; a version replaces all of the one before; the later import of one date holds.
    let early = DestinationQuery { at: time("2025-12-31T23:59:59Z"), ..query("12125559000") };
    assert!(ask(store, &early).await.offers.is_empty());
    let later = DestinationQuery { at: time("2026-03-01T00:00:00Z"), ..query("12125559000") };
    assert_eq!(prefixes(&ask(store, &later).await, "gw-a"), Vec::<String>::new());
    rates(store, "gw-a", "2026-03-01T00:00:00Z", "prefix,per_minute\n1,0.5\n").await;
    assert_eq!(prefixes(&ask(store, &later).await, "gw-a"), ["1"]);

    // A deck that two gateways share, and that is sold by too; a suspended gateway is told all the same.
    import(store, Kind::Gateways, "id,name,status,endpoint,deck,weight\ngw-c,Twin,suspended,gw-c,gw-b,7\n").await;
    let shared = DestinationQuery { sell_deck_id: Some("gw-b".into()), ..query("14155550123") };
    let shared = ask(store, &shared).await;
    assert_eq!(prefixes(&shared, "gw-c"), ["1", "1415"]);
    assert_eq!(prefixes(&shared, "gw-b"), ["1", "1415"]);
    assert_eq!(shared.sell.len(), 2);
    said.push(text(shared));
    let unsold = ask(store, &DestinationQuery { sell_deck_id: None, ..query("14155550123") }).await;
    assert!(unsold.sell.is_empty() && !unsold.offers.is_empty());
}

async fn own_numbers(store: &Store, said: &mut Vec<String>) {
    let desk = own(store, "12125550100").await.unwrap();
    assert!(matches!(&desk.target, Some(Target::RingGroup(group)) if group.members.len() == 2));
    said.push(format!("{desk:#?}"));
    let bob = ask(store, &query("12125550102")).await;
    assert!(bob.offers.is_empty() && bob.sell.is_empty());
    assert!(matches!(&bob.own, Some(own) if matches!(&own.target, Some(Target::Line(line)) if line.line_id == "1002")));
    said.push(text(bob));
    let group = ask(store, &query("12125550100")).await;
    assert_eq!(group.own, Some(desk));

    // Reassigned, then to nobody.
    import(store, Kind::Numbers, "number,account,line\n12125550100,acme,1002\n").await;
    assert!(matches!(own(store, "12125550100").await.unwrap().target, Some(Target::Line(_))));
    import(store, Kind::Numbers, "number,account\n12125550100,acme\n").await;
    assert_eq!(own(store, "12125550100").await.unwrap().target, None);
    assert_eq!(own(store, "12125550199").await, None);
}

async fn hostile(store: &Store, said: &mut Vec<String>) {
    let long = "9".repeat(10_000);
    let texts = [
        "\"; DROP TABLE rates; --",
        "' OR '1'='1",
        "1001'",
        "\\",
        "📞☎",
        "10\x000",
        "${SHELL(id)}",
        "",
        " ",
        "1001 ",
        &long,
    ];
    for text in texts {
        assert_eq!(caller(store, text, text).await, None, "{text:?}");
        let mine = caller(store, "1001", text).await.unwrap();
        assert_eq!(mine.extension, None, "{text:?}");
        assert_eq!(own(store, text).await, None, "{text:?}");
        assert_eq!(store.gateway_caller(text, &mut soon()).await.unwrap(), None, "{text:?}");
        let hostile = DestinationQuery {
            account_id: text.into(),
            line_id: text.into(),
            number: text.into(),
            presented: text.into(),
            ..query("")
        };
        let answer = ask(store, &hostile).await;
        assert!(!answer.presented_owned && answer.own.is_none(), "{text:?}");
    }
    // Stored and read back as they are.
    let name = "O'Neil \"; DROP TABLE phone_lines; -- ${X} 📞 \\ %";
    let file = format!("id,account,name\n1009,acme,\"{}\"\n", name.replace('"', "\"\""));
    import(store, Kind::Lines, &file).await;
    assert_eq!(caller(store, "1009", "1001").await.unwrap().line_name, name);
    said.push(format!("{:#?}", caller(store, "1009", "1001").await));
}

/// A deck of 20,000 rates on each side would tempt a planner to read it; the database's own counters tell what our
/// sessions really read.
#[tokio::test]
async fn a_destination_is_looked_up_by_key() {
    const QUESTIONS: u64 = 50;
    let deck: String = (0..20_000).fold("prefix,per_minute\n".to_owned(), |text, n| format!("{text}1{n:06},0.01\n"));
    for world in World::all() {
        load_sample(&world.store).await;
        for name in ["gw-a", "gw-b", "retail"] {
            rates(&world.store, name, "2026-01-15T00:00:00Z", &deck).await;
        }
        let before = world.rows_scanned().await;
        for n in 0..QUESTIONS {
            let answer = ask(&world.store, &query(&format!("1000{:03}55501", n * 7))).await;
            assert_eq!(answer.offers.len(), 2);
        }
        // The small tables may be read whole.
        let scanned = world.rows_scanned().await - before;
        assert!(scanned < QUESTIONS * 500, "{}: {scanned} rows read for {QUESTIONS} questions", world.name);
    }
}

#[tokio::test]
async fn sqlite_plans_a_destination_by_key() {
    use sqlx::{Connection, Row};
    let world = World::sqlite();
    world.store.migrate().await.unwrap();
    let text = format!("EXPLAIN QUERY PLAN {}", include_str!("../sql/query/destination.sql"));
    let mut connection = sqlx::SqliteConnection::connect(&world.url).await.unwrap();
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).fetch_all(&mut connection).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    let rates = "SEARCH r USING PRIMARY KEY (deck_version_id=? AND prefix=? AND effective_at<?) LEFT-JOIN";
    assert!(plan.iter().any(|step| step == rates), "{plan:#?}");
}
