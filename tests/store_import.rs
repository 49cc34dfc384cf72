//! Import: a file is taken whole or not at all, and a deck becomes valid at its date.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::fmt::Write as _;
use std::io::Cursor;
use std::time::Duration;

use hdrhistogram::Histogram;
use store_world::{World, load_sample, options, soon, time};
use tandem::store::Store;
use tandem::store::destination::DestinationQuery;
use tandem::store::import::{Faults, ImportError, Imported, Kind, RateFile, Stage};
use tokio::time::Instant;

async fn import(store: &Store, kind: Kind, text: &str) -> Result<Imported, ImportError> {
    store.import(kind, Cursor::new(text.to_owned())).await
}

async fn rates(store: &Store, deck: &str, text: &str) -> Result<Imported, ImportError> {
    let file = RateFile { deck: deck.into(), currency: None, effective: time("2026-01-01T00:00:00Z") };
    store.import_rates(&file, Cursor::new(text.to_owned()), |_| ()).await
}

fn faults(outcome: Result<Imported, ImportError>) -> Faults {
    match outcome {
        Err(ImportError::Rows(faults)) => faults,
        other => panic!("{other:?}"),
    }
}

fn query(number: &str) -> DestinationQuery {
    DestinationQuery {
        account_id: "acme".into(),
        line_id: "1001".into(),
        number: number.into(),
        class: "national".into(),
        presented: "12125550102".into(),
        sell_deck_id: Some("retail".into()),
        at: time("2026-02-01T12:00:00Z"),
    }
}

/// `count` distinct prefixes of 7 digits, in order.
fn many_rates(count: usize) -> String {
    let mut text = String::from("prefix,destination,per_minute,connect_fee,increments\n");
    for n in 0..count {
        writeln!(text, "1{:06},Place {},0.00{:04},0.001,60/6", n, n % 700, n % 9999).unwrap();
    }
    text
}

#[tokio::test]
async fn importing_the_sample_again_changes_nothing() {
    for world in World::all() {
        load_sample(&world.store).await;
        let told = format!("{:?}", world.store.line_caller("1001", "600", &mut soon()).await.unwrap());
        for kind in Kind::ALL.iter().copied() {
            let file = std::fs::File::open(store_world::sample(kind.name())).unwrap();
            world.store.import(kind, file).await.unwrap();
        }
        assert_eq!(format!("{:?}", world.store.line_caller("1001", "600", &mut soon()).await.unwrap()), told);
        for (table, rows) in [
            ("SELECT COUNT(*) FROM phone_lines", 2),
            ("SELECT COUNT(*) FROM ring_group_members", 2),
            ("SELECT COUNT(*) FROM numbers", 3),
            ("SELECT COUNT(*) FROM blocked_prefixes", 2),
            ("SELECT COUNT(*) FROM line_permissions", 1),
        ] {
            assert_eq!(world.number(table).await, rows, "{}: {table}", world.name);
        }
    }
}

#[tokio::test]
async fn columns_that_a_file_lacks_stay_as_they_are() {
    let world = World::sqlite();
    load_sample(&world.store).await;
    import(&world.store, Kind::Lines, "name,id,account\nAlice Smith,1001,acme\n").await.unwrap();
    let line = world.store.line_caller("1001", "", &mut soon()).await.unwrap().unwrap();
    assert_eq!((line.line_name.as_str(), line.caller_number.as_deref()), ("Alice Smith", Some("12125550101")));
    // An empty value is a value.
    import(&world.store, Kind::Lines, "id,account,name,caller_number\n1001,acme,Alice Smith,\n").await.unwrap();
    let line = world.store.line_caller("1001", "", &mut soon()).await.unwrap().unwrap();
    assert_eq!(line.caller_number, None);
}

#[tokio::test]
async fn a_bad_row_keeps_the_whole_file_out_and_is_told_with_its_line() {
    let world = World::sqlite();
    load_sample(&world.store).await;
    let file = "id,account,name,status,country,max_calls,caller_number\n\
                3001,acme,Good,active,US,1,+1 212 555 0101\n\
                3 002,acme,Bad id,active,US,1,\n\
                3003,nobody,No account,active,US,1,\n\
                3004,acme,Status,on,USA,-1,\n\
                3005,acme,Number,active,US,1,12a\n\
                \n\
                3006,acme\n\
                3001,acme,Twice,active,US,1,\n\
                \n\
                3007,acme,\"Two\nlines\",active,US,1,\n\
                ,acme,Empty,active,US,1,\n";
    let faults = faults(import(&world.store, Kind::Lines, file).await);
    let told: Vec<String> = faults.listed.iter().map(|(line, reason)| format!("{line} {reason}")).collect();
    assert_eq!(
        told,
        [
            "3 id: \"3 002\" is not 1 to 64 of A-Z a-z 0-9 . _ -",
            "4 account: there is no \"nobody\"",
            "5 status: \"on\" is none of active, suspended, closed; country: \"USA\" is not a country of two letters, such as US; \
         max_calls: \"-1\" is not a whole number from 0 to 1000000",
            "6 caller_number: \"12a\" is not 4 to 15 digits of E.164",
            "8 has 2 values where the first row names 7 columns",
            "9 stands already on line 2",
            "11 name: holds control characters",
            "13 id: is empty",
        ]
    );
    assert_eq!(world.number("SELECT COUNT(*) FROM phone_lines").await, 2);
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused() {
    let world = World::sqlite();
    let store = &world.store;
    load_sample(store).await;
    import(store, Kind::Accounts, "id,name\nother,Other\n").await.unwrap();
    let cases = [
        (Kind::Extensions, "account,extension,line\nother,1001,1001\n", "belongs to another account"),
        (Kind::Extensions, "account,extension\nacme,1003\n", "must lead to one of line, ring_group"),
        (
            Kind::Extensions,
            "account,extension,line,ring_group\nacme,1003,1001,600\n",
            "must lead to one of line, ring_group",
        ),
        (
            Kind::Numbers,
            "number,account,line,ring_group\n12125550109,acme,1001,600\n",
            "more than one of line, ring_group, mailbox",
        ),
        (Kind::Numbers, "number,account,ring_group\n12125550109,other,600\n", "belongs to another account"),
        (Kind::Numbers, "number,account,menu\n12125550109,other,main\n", "belongs to another account"),
        (Kind::Numbers, "number,account,menu\n12125550109,acme,nobody\n", "there is no \"nobody\""),
        (Kind::Extensions, "account,extension,queue,conference\nacme,1003,a,b\n", "must lead to one of"),
        (Kind::Extensions, "account,extension,queue\nacme,1003,\"a,b\"\n", "is not 1 to 64 of"),
        (Kind::RingGroups, "id,account,name,members\n700,other,X,1001\n", "belongs to another account"),
        (Kind::RingGroups, "id,account,name,members\n700,acme,X,1001 1001\n", "stands twice"),
        (Kind::RingGroups, "id,account,name,members\n700,acme,X,1001 1077\n", "there is no \"1077\""),
        (Kind::Permissions, "class,allowed\nnational,yes\n", "neither an account nor a line"),
        (Kind::Permissions, "account,class,allowed\nacme,lunar,yes\n", "there is no \"lunar\""),
        (Kind::Permissions, "account,class,allowed\nacme,national,perhaps\n", "neither yes nor no"),
        (Kind::Gateways, "id,name,endpoint,deck\ngw-x,X,gw-x,none\n", "there is no \"none\""),
        (Kind::Gateways, "id,name,endpoint\ngw-x,X,gw x\n", "endpoint:"),
        (Kind::Currencies, "currency,value\nGBP,0\n", "must be more than 0"),
        (Kind::Currencies, "currency,value\nGBP,1.2345678\n", "more than six decimals"),
        (Kind::Currencies, "currency,value\nGBP,\"1,2\"\n", "is not an amount"),
        (Kind::BlockedPrefixes, "prefix,reason\n12x,Y\n", "is not 1 to 15 digits"),
    ];
    for (kind, file, expected) in cases {
        let faults = faults(import(store, kind, file).await);
        assert!(faults.to_string().starts_with("line 2: ") && faults.to_string().contains(expected), "{faults}");
    }
}

#[tokio::test]
async fn the_first_row_is_checked_as_a_whole() {
    let world = World::sqlite();
    world.store.migrate().await.unwrap();
    let outcome = import(&world.store, Kind::Lines, "id,colour,name,id\n1,red,A,1\n").await;
    let Err(ImportError::File(text)) = outcome else { panic!("{outcome:?}") };
    for part in ["unknown column \"colour\"", "column \"id\" stands twice", "column \"account\" is missing"] {
        assert!(text.contains(part), "{text}");
    }
    let outcome = rates(&world.store, "d", "prefix,per_minute,increments,initial_seconds\n1,1,6/6,1\n").await;
    assert!(matches!(&outcome, Err(ImportError::File(text)) if text.contains("choose one")), "{outcome:?}");
    assert!(matches!(rates(&world.store, "d", "prefix,per_minute\n").await, Err(ImportError::File(_))));
}

#[tokio::test]
async fn bad_rates_are_told_and_none_is_taken() {
    let world = World::sqlite();
    load_sample(&world.store).await;
    let before = world.number("SELECT COUNT(*) FROM rates").await;
    let file = "prefix,per_minute,increments,effective_at,expires_at\n\
                1,0.01,60/6,,\n\
                44,0.01,60/0,,\n\
                45,-1,6/6,,\n\
                46,0.0000001,6/6,,\n\
                1,0.02,60/6,,\n\
                47,0.01,6/6,2026-05-01,2026-05-01\n\
                48,0.01,6/6,tomorrow,\n\
                1,0.02,60/6,2026-06-01,\n\
                1234567890123456,,6/6,,\n";
    let faults = faults(rates(&world.store, "gw-a", file).await);
    let lines: Vec<u64> = faults.listed.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 10], "{faults}");
    assert!(faults.to_string().contains("line 6: prefix: 1 stands already on line 2"), "{faults}");
    let many: String = (0..250).fold("prefix,per_minute\n".to_owned(), |text, n| format!("{text}1{n},free\n"));
    let faults = self::faults(rates(&world.store, "gw-a", &many).await);
    assert_eq!((faults.listed.len(), faults.total), (100, 250));
    assert_eq!(world.number("SELECT COUNT(*) FROM rates").await, before);
    assert_eq!(world.number("SELECT COUNT(*) FROM deck_versions").await, 3);
}

#[tokio::test]
async fn money_is_exact() {
    let world = World::sqlite();
    load_sample(&world.store).await;
    rates(&world.store, "gw-a", "prefix,per_minute,connect_fee\n1,0.00145,.5\n2,123456789.123456,1.\n3,0.1000000,0\n")
        .await
        .unwrap();
    for (number, per_minute, connect_fee) in [("15550100", 1450, 500_000), ("25550100", 123_456_789_123_456, 1_000_000)]
    {
        let answer = world.store.destination(&query(number), &mut soon()).await.unwrap();
        let price = &answer.offers.iter().find(|offer| offer.gateway.id == "gw-a").unwrap().price;
        assert_eq!((price.per_minute_micros, price.connect_fee_micros), (per_minute, connect_fee));
    }
}

#[tokio::test]
async fn a_deck_keeps_its_currency() {
    let world = World::sqlite();
    load_sample(&world.store).await;
    let mut file =
        RateFile { deck: "gw-a".into(), currency: Some("eur".into()), effective: time("2026-01-01T00:00:00Z") };
    let outcome = world.store.import_rates(&file, Cursor::new("prefix,per_minute\n1,1\n"), |_| ()).await;
    assert!(outcome.unwrap_err().to_string().contains("is in USD, not in EUR"));
    (file.deck, file.currency) = ("new".into(), Some("XXX".into()));
    let outcome = world.store.import_rates(&file, Cursor::new("prefix,per_minute\n1,1\n"), |_| ()).await;
    assert!(outcome.unwrap_err().to_string().contains("no currency \"XXX\""));
}

/// Offers of gw-a at a time.
async fn offers(store: &Store, at: &str) -> Vec<i64> {
    let answer =
        store.destination(&DestinationQuery { at: time(at), ..query("10000010100") }, &mut soon()).await.unwrap();
    let of_gateway = answer.offers.iter().filter(|offer| offer.gateway.id == "gw-a");
    of_gateway.map(|offer| offer.price.per_minute_micros).collect()
}

#[tokio::test]
async fn an_import_that_stops_half_way_is_never_seen_and_is_cleared_by_the_next() {
    for world in World::all() {
        let store = &world.store;
        load_sample(store).await;
        let before = offers(store, "2026-02-01T00:00:00Z").await;
        let loaded = world.number("SELECT COUNT(*) FROM rates").await;

        let (stop, mut stopped) = tokio::sync::watch::channel(false);
        let file = RateFile { deck: "gw-a".into(), currency: None, effective: time("2026-01-15T00:00:00Z") };
        let half_way = |stage| {
            if matches!(stage, Stage::Writing { rows: 20_000.., .. }) {
                stop.send_replace(true);
            }
        };
        let text = many_rates(45_000);
        tokio::select! {
            outcome = store.import_rates(&file, Cursor::new(&text), half_way) => panic!("{outcome:?}"),
            _ = stopped.changed() => {}
        }
        // Its connection takes a moment to close.
        let limit = Instant::now() + Duration::from_secs(10);
        while world.number("SELECT COUNT(*) FROM rates").await < loaded + 20_000 {
            assert!(Instant::now() < limit, "{}", world.name);
        }
        assert_eq!(offers(store, "2026-02-01T00:00:00Z").await, before, "{}", world.name);

        let done = store.import_rates(&file, Cursor::new(&text), |_| ()).await.unwrap();
        assert_eq!(done.rows, 45_000);
        assert_eq!(world.number("SELECT COUNT(*) FROM rates").await, loaded + 45_000, "{}", world.name);
        assert_eq!(world.number("SELECT COUNT(*) FROM deck_versions WHERE NOT complete").await, 0);
        // Valid from its date on, not before.
        assert_eq!(offers(store, "2026-01-14T23:59:59Z").await, before, "{}", world.name);
        assert_eq!(offers(store, "2026-01-15T00:00:00Z").await, [1], "{}", world.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_dies_during_an_import_shows_nothing_of_it() {
    let mut world = World::mariadb();
    let store = world.store.clone();
    load_sample(&store).await;
    let before = offers(&store, "2026-02-01T00:00:00Z").await;
    let file = RateFile { deck: "gw-a".into(), currency: None, effective: time("2026-01-15T00:00:00Z") };
    let text = many_rates(60_000);
    let mut server = Some(world.mariadb_server());
    let outcome = store.import_rates(&file, Cursor::new(&text), |stage| {
        if matches!(stage, Stage::Writing { rows: 20_000.., .. })
            && let Some(server) = server.take()
        {
            server.kill();
        }
    });
    let error = outcome.await.unwrap_err();
    assert!(matches!(error, ImportError::Store(_)), "{error:?}");
    world.mariadb_server().restart();
    assert_eq!(offers(&store, "2026-02-01T00:00:00Z").await, before);
    store.import_rates(&file, Cursor::new(&text), |_| ()).await.unwrap();
    assert_eq!(offers(&store, "2026-02-01T00:00:00Z").await, [1]);
    assert_eq!(world.number("SELECT COUNT(*) FROM deck_versions WHERE NOT complete").await, 0);
}

/// A tenth of the full size, 1.5 million, unless `TANDEM_SOAK` is set; prints its figures with `--nocapture`.
#[tokio::test]
#[allow(clippy::print_stdout, reason = "a benchmark")]
async fn decisions_among_very_many_rates() {
    let mut world = World::mariadb();
    load_sample(&world.store).await;
    let rows = if std::env::var_os("TANDEM_SOAK").is_some() { 750_000 } else { 75_000 };
    let file = many_rates(rows);
    let started = Instant::now();
    for deck in ["gw-a", "gw-b"] {
        rates(&world.store, deck, &file).await.unwrap();
    }
    println!("import of {} rates: {:.1} s", 2 * rows, started.elapsed().as_secs_f64());

    let store = Store::new(&options(&[&world.url])).unwrap();
    let mut micros = Histogram::<u64>::new(3).unwrap();
    for n in 0..4000_u64 {
        let number = format!("1{:010}", n * 7919 % 10_000_000_000);
        let started = Instant::now();
        store.line_caller("1001", "", &mut soon()).await.unwrap().unwrap();
        let answer = store.destination(&query(&number), &mut soon()).await.unwrap();
        if n >= 100 {
            micros.record(started.elapsed().as_micros() as u64).unwrap();
        }
        assert!(answer.own.is_none());
    }
    println!(
        "decision (two questions), one at a time: p50 {} us, p99 {} us, max {} us",
        micros.value_at_quantile(0.5),
        micros.value_at_quantile(0.99),
        micros.max()
    );
    let values = [
        ["10000010100", "acme", "", "acme", "", "", "1001", "acme", "10000010100", "retail"].as_slice(),
        ["2026-02-01", "2026-02-01", "10000010100", "2026-02-01", "2026-02-01", "10000010100", "national"].as_slice(),
    ];
    let text = include_str!("../sql/query/destination.sql");
    let mut text: String = text.lines().filter(|line| !line.contains("--")).collect::<Vec<_>>().join("\n");
    for (n, value) in values.concat().iter().enumerate().rev() {
        text = text.replace(&format!("${}", n + 1), &format!("'{value}'"));
    }
    let session = "USE tandem; SET NAMES utf8mb4 COLLATE utf8mb4_bin;";
    println!("{}", world.mariadb_server().sql(&format!("{session} EXPLAIN {text}")));
}
