//! The replica: filled from each backend, following every change, answering when the database does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Connection as _;
use store_world::{World, load_sample, options, soon, time};
use tandem::store::asking::{Asking, Source};
use tandem::store::destination::DestinationQuery;
use tandem::store::import::RateFile;
use tandem::store::replica::ReplicaOptions;
use tandem::store::{Options, Store};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// A store with a replica of its own, kept on a thread as the agent keeps it.
struct Node {
    store: Store,
    folder: TempDir,
    keeper: Option<(tokio::sync::oneshot::Sender<()>, std::thread::JoinHandle<()>)>,
}

impl Node {
    fn new(url: &str) -> Node {
        let options =
            Options { question: Duration::from_millis(250), connect: Duration::from_millis(200), ..options(&[url]) };
        Node::with(&options, tempfile::tempdir().unwrap())
    }

    fn with(options: &Options, folder: TempDir) -> Node {
        let replica = ReplicaOptions { folder: folder.path().join("replica"), poll: Duration::from_millis(100) };
        let store = Store::new(options).unwrap().with_replica(replica);
        let mut node = Node { store, folder, keeper: None };
        node.keep();
        node
    }

    fn keep(&mut self) {
        let kept = self.store.clone();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = kept.keep_replica() => {}
                    _ = stopped => {}
                }
            });
        });
        self.keeper = Some((stop, thread));
    }

    /// Stops it, as a process that ends does; its folder stays.
    fn stop(mut self) -> TempDir {
        let (stop, thread) = self.keeper.take().unwrap();
        stop.send(()).unwrap();
        thread.join().unwrap();
        self.folder
    }

    async fn filled(&self) {
        let state = self.store.watch_replica().unwrap();
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            let now = state.borrow().clone();
            if now.filled && now.current_at.is_some() {
                return;
            }
            assert!(Instant::now() < limit, "not filled within 20 s: {:?}", now.fault);
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("replica")).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "replica"))
            .collect()
    }
}

async fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !is() {
        assert!(Instant::now() < limit, "{what}: not within 20 s");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Every row of the tables of a decision, in one text.
async fn dump(file: &Path) -> String {
    let mut replica = sqlx::SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let mut text = String::new();
    for table in [
        "currencies",
        "decks",
        "accounts",
        "phone_lines",
        "ring_groups",
        "ring_group_members",
        "numbers",
        "extensions",
        "mailboxes",
        "directory_names",
        "directories",
        "classes",
        "class_prefixes",
        "account_permissions",
        "line_permissions",
        "gateways",
        "blocked_prefixes",
        "deck_versions",
        "rates",
        "schedules",
        "schedule_hours",
        "schedule_holidays",
        "prompts",
        "prompt_recordings",
        "prompt_passwords",
        "menus",
        "menu_options",
        "menu_prompts",
        "menu_conditions",
        "menu_lookups",
        "line_features",
        "find_me_numbers",
        "speed_dials",
        "blocked_callers",
        "feature_codes",
    ] {
        let columns: Vec<(String,)> = sqlx::query_as("SELECT name FROM pragma_table_info(?) ORDER BY cid")
            .bind(table)
            .fetch_all(&mut replica)
            .await
            .unwrap();
        let columns: Vec<String> =
            columns.into_iter().map(|(name,)| format!("COALESCE(CAST({name} AS TEXT), '-')")).collect();
        let question = format!("SELECT {} AS row FROM {table} ORDER BY row", columns.join(" || '|' || "));
        let rows: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(question)).fetch_all(&mut replica).await.unwrap();
        for (row,) in rows {
            text.push_str(&format!("{table}: {row}\n"));
        }
    }
    text
}

/// Whether it was filled to its end.
async fn is_marked(file: &Path) -> bool {
    let mut replica = sqlx::SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let marks = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM replica_mark").fetch_one(&mut replica).await;
    marks.is_ok_and(|marks| marks == 1)
}

async fn run(world: &World, text: &'static str) {
    match world.name {
        "SQLite" => {
            let mut connection = sqlx::SqliteConnection::connect(&world.url).await.unwrap();
            sqlx::raw_sql(text).execute(&mut connection).await.map(drop).unwrap();
        }
        "MariaDB" => {
            let mut connection = sqlx::MySqlConnection::connect(&world.url).await.unwrap();
            sqlx::raw_sql(text).execute(&mut connection).await.map(drop).unwrap();
        }
        _ => {
            let mut connection = sqlx::PgConnection::connect(&world.url).await.unwrap();
            sqlx::raw_sql(text).execute(&mut connection).await.map(drop).unwrap();
        }
    }
}

/// A query to whose answer every table contributes.
fn query() -> DestinationQuery {
    DestinationQuery {
        account_id: "acme".into(),
        line_id: "1001".into(),
        number: "12125551234".into(),
        class: "national".into(),
        presented: "12125550101".into(),
        sell_deck_id: Some("retail".into()),
        at: time("2026-02-01T12:00:00Z"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_holds_what_the_database_holds_and_follows_every_change() {
    for world in World::all() {
        load_sample(&world.store).await;
        let node = Node::new(&world.url);
        node.filled().await;
        let [file] = node.files().try_into().unwrap();

        // A second node that is filled later tells what the first should have come to.
        let compare = async |what: &str| {
            let other = Node::new(&world.url);
            other.filled().await;
            let [whole] = other.files().try_into().unwrap();
            let wanted = dump(&whole).await;
            let limit = Instant::now() + Duration::from_secs(10);
            loop {
                let found = dump(&file).await;
                if found == wanted {
                    break;
                }
                assert!(
                    Instant::now() < limit,
                    "{}: {what}\nthe database:\n{wanted}\nthe replica:\n{found}",
                    world.name
                );
                sleep(Duration::from_millis(50)).await;
            }
            other.stop();
            wanted
        };
        let whole = compare("at first").await;
        assert!(whole.contains("rates: ") && whole.contains("phone_lines: 1001|acme|Alice Baker"), "{whole}");

        run(&world, "UPDATE phone_lines SET name = 'Ölaf; DROP TABLE', max_calls = 7 WHERE id = '1001'").await;
        run(&world, "DELETE FROM extensions WHERE extension = '1002'").await;
        run(&world, "UPDATE numbers SET number = '12125550199' WHERE number = '12125550101'").await;
        run(&world, "UPDATE rates SET per_minute_micros = 99 WHERE prefix = '1212'").await;
        run(&world, "DELETE FROM rates WHERE prefix = '1415'").await;
        run(&world, "DELETE FROM ring_group_members WHERE line_id = '1002'").await;
        run(&world, "INSERT INTO blocked_prefixes (prefix, account_id, reason) VALUES ('888', 'acme', 'none')").await;
        run(&world, "UPDATE blocked_prefixes SET prefix = '889' WHERE prefix = '888'").await;
        run(&world, "UPDATE line_features SET line_id = '1001', forward_busy = '1' WHERE line_id = '1002'").await;
        run(&world, "UPDATE find_me_numbers SET line_id = '1001'").await;
        run(&world, "UPDATE speed_dials SET slot = '9'").await;
        run(&world, "DELETE FROM blocked_callers").await;
        run(&world, "DELETE FROM feature_codes WHERE code = '*72'").await;
        run(&world, "UPDATE mailboxes SET department = 'Night', extension = '77' WHERE id = '1001'").await;
        run(&world, "DELETE FROM directory_names WHERE mailbox_id = '1002' AND part = 'last'").await;
        run(&world, "UPDATE directories SET id = 'acme-night', letters = 9 WHERE id = 'acme-sales'").await;
        run(&world, "UPDATE menus SET name = 'Other', max_invalid = 9 WHERE id = 'main'").await;
        run(&world, "DELETE FROM menu_options WHERE menu_id = 'main' AND digits = '1'").await;
        run(&world, "UPDATE menu_prompts SET digits = '7' WHERE menu_id = 'support' AND digits = '2'").await;
        run(&world, "UPDATE menu_conditions SET during = TRUE").await;
        run(&world, "UPDATE menu_lookups SET id = 'renamed'").await;
        run(&world, "DELETE FROM schedule_hours WHERE weekday = 'fri'").await;
        run(&world, "UPDATE schedule_holidays SET holiday = '02-29' WHERE holiday = '12-25'").await;
        run(&world, "UPDATE schedules SET time_zone = NULL").await;
        run(&world, "UPDATE prompts SET text = 'Changed' WHERE id = 'hours'").await;
        run(&world, "INSERT INTO prompt_passwords (account_id, password_hash) VALUES ('acme', 'x')").await;
        run(
            &world,
            "INSERT INTO prompt_recordings (prompt_id, audio_id, place, format, bytes, duration_ms, recorded_at) \
            VALUES ('hours', '0198f000-0000-7000-8000-000000000000', 's3', 'wav', 1, 1, '2026-01-01 00:00:00')",
        )
        .await;
        run(
            &world,
            "UPDATE numbers SET menu_id = 'main', ring_group_id = NULL, line_id = NULL WHERE number = '12125550102'",
        )
        .await;
        let now = compare("after changes by hand").await;
        assert!(now.contains("menus: main|acme|Other") && now.contains("menu_lookups: renamed"), "{now}");
        assert!(now.contains("directory_names: 1001|acme|Management|last|22537|bakeralice"), "{now}");
        assert!(now.contains("directories: acme-night|acme") && !now.contains("directories: acme-sales"), "{now}");
        assert!(now.contains("line_features: 1001|") && now.contains("speed_dials: 1001|9|1002"), "{now}");
        assert!(
            now.contains("Ölaf; DROP TABLE")
                && now.contains("numbers: 12125550199")
                && !now.contains("numbers: 12125550101"),
            "{now}"
        );

        // All menus of the account in the place of those.
        world.store.import_menus(&store_world::sample_menus(), &mut soon()).await.unwrap();
        let now = compare("after menus were imported again").await;
        assert!(now.contains("menus: main|acme|Main menu") && now.contains("prompt_recordings: hours"), "{now}");

        // A new version of a deck takes the place of the old one, whose rates go.
        let rates = RateFile { deck: "gw-a".into(), currency: None, effective: time("2026-01-15T00:00:00Z") };
        let mut csv = tempfile::tempfile().unwrap();
        writeln!(csv, "prefix,destination,per_minute,connect_fee,increments,blocked").unwrap();
        for prefix in 1000..4000 {
            writeln!(csv, "{prefix},Somewhere,0.0{prefix},0,60/6,no").unwrap();
        }
        std::io::Seek::rewind(&mut csv).unwrap();
        world.store.import_rates(&rates, csv, |_| ()).await.unwrap();
        let now = compare("after a new deck").await;
        assert_eq!(now.lines().filter(|line| line.contains("|Somewhere|")).count(), 3000, "{}", world.name);
        node.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_followed_whose_transaction_lasted_longer_than_its_neighbours() {
    for world in [World::mariadb(), World::postgres()] {
        load_sample(&world.store).await;
        let node = Node::new(&world.url);
        node.filled().await;
        let name = async || node.store.line_caller("1001", "", &mut soon()).await.unwrap().unwrap().line_name;
        let late = "UPDATE phone_lines SET name = 'Late' WHERE id = '1001'";
        macro_rules! interleave {
            ($connection:ty) => {{
                let mut slow = <$connection>::connect(&world.url).await.unwrap();
                sqlx::raw_sql("BEGIN").execute(&mut slow).await.unwrap();
                sqlx::raw_sql(late).execute(&mut slow).await.unwrap();
                run(&world, "UPDATE phone_lines SET name = 'Early' WHERE id = '1002'").await;
                // The replica has seen the later number.
                sleep(Duration::from_millis(500)).await;
                sqlx::raw_sql("COMMIT").execute(&mut slow).await.unwrap();
            }};
        }
        if world.name == "MariaDB" {
            interleave!(sqlx::MySqlConnection)
        } else {
            interleave!(sqlx::PgConnection)
        }
        let [file] = node.files().try_into().unwrap();
        let limit = Instant::now() + Duration::from_secs(10);
        while !dump(&file).await.contains("|Late|") {
            assert!(Instant::now() < limit, "{}", world.name);
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(name().await, "Late");
        node.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_answers_as_the_database_does_when_that_is_gone_or_hangs_and_the_database_when_it_is_back() {
    let mut world = World::mariadb();
    load_sample(&world.store).await;
    let node = Node::new(&world.url);
    node.filled().await;
    let ask = async || {
        let mut asking = Asking::until(Instant::now() + Duration::from_millis(500));
        let caller = node.store.line_caller("1001", "600", &mut asking).await.unwrap();
        let mut destination = node.store.destination(&query(), &mut asking).await.unwrap();
        // Which comes first is not said.
        destination.offers.sort_by_key(|offer| format!("{offer:?}"));
        let own = node.store.own_number("12125550100", &mut asking).await.unwrap();
        let gateway = node.store.gateway_caller("gw-b", &mut asking).await.unwrap();
        (format!("{caller:?} {destination:?} {own:?} {gateway:?}"), asking.source().unwrap())
    };
    let (told, source) = ask().await;
    assert_eq!(source, Source::Central);
    for harm in ["hangs", "is gone"] {
        match harm {
            "hangs" => world.mariadb_server().pause(),
            _ => world.mariadb_server().kill(),
        }
        for _ in 0..20 {
            let (now, source) = ask().await;
            assert_eq!(source, Source::Replica, "it {harm}");
            assert_eq!(now, told, "it {harm}");
        }
        match harm {
            "hangs" => world.mariadb_server().resume(),
            _ => world.mariadb_server().restart(),
        }
        run(&world, "UPDATE phone_lines SET name = 'Alice Baker' WHERE id = '1001'").await;
        let limit = Instant::now() + Duration::from_secs(20);
        while ask().await.1 != Source::Central {
            assert!(Instant::now() < limit, "after it {harm}");
            sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(ask().await.0, told);
    }
    node.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_well_and_slow_is_asked_no_more_until_it_answers() {
    let mut world = World::mariadb();
    load_sample(&world.store).await;
    let node = Node::new(&world.url);
    node.filled().await;
    let mut holder = sqlx::MySqlConnection::connect(&world.url).await.unwrap();
    sqlx::raw_sql("LOCK TABLES phone_lines WRITE").execute(&mut holder).await.unwrap();
    let ask = async || {
        let mut asking = Asking::until(Instant::now() + Duration::from_millis(500));
        node.store.line_caller("1001", "600", &mut asking).await.unwrap().unwrap();
        asking.source().unwrap()
    };
    for _ in 0..20 {
        assert_eq!(ask().await, Source::Replica);
    }
    // Three calls have waited for it, and trials beside the calls; not each of twenty.
    let exceeded = world.mariadb_server().sql("SHOW GLOBAL STATUS LIKE 'Max_statement_time_exceeded'");
    let exceeded: u32 = exceeded.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!((3..12).contains(&exceeded), "{exceeded} questions were ended by the server");
    sqlx::raw_sql("UNLOCK TABLES").execute(&mut holder).await.unwrap();
    let limit = Instant::now() + Duration::from_secs(20);
    while ask().await != Source::Central {
        assert!(Instant::now() < limit);
        sleep(Duration::from_millis(100)).await;
    }
    node.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_put_aside_and_a_removed_one_filled_anew_and_one_that_is_whole_answers_without_the_database()
{
    let mut world = World::mariadb();
    load_sample(&world.store).await;
    let node = Node::new(&world.url);
    node.filled().await;
    let [file] = node.files().try_into().unwrap();
    let folder = node.stop();
    // As a disk damages it.
    let mut bytes = std::fs::read(&file).unwrap();
    for (at, byte) in bytes.iter_mut().enumerate() {
        if at > 8192 && at % 3 == 0 {
            *byte ^= 0x55;
        }
    }
    File::create(&file).unwrap().write_all(&bytes).unwrap();
    let production =
        Options { question: Duration::from_millis(250), connect: Duration::from_millis(200), ..options(&[&world.url]) };
    let node = Node::with(&production, folder);
    node.filled().await;
    let [other] = node.files().try_into().unwrap();
    assert_ne!(other, file);
    assert!(node.folder.path().join("replica/damaged").exists());

    // Damaged while it answers.
    let mut garbage = File::options().write(true).open(&other).unwrap();
    garbage.write_all(&vec![0x55; usize::try_from(other.metadata().unwrap().len()).unwrap()]).unwrap();
    let limit = Instant::now() + Duration::from_secs(40);
    while node.files().contains(&other) {
        assert!(Instant::now() < limit, "it is not found to be damaged");
        let _ = node.store.emergency_caller("1001", "", &mut soon()).await;
        sleep(Duration::from_millis(100)).await;
    }
    node.filled().await;
    eventually("it is filled anew", || node.files().len() == 1).await;
    let [other] = node.files().try_into().unwrap();
    let limit = Instant::now() + Duration::from_secs(20);
    while !is_marked(&other).await {
        assert!(Instant::now() < limit);
        sleep(Duration::from_millis(50)).await;
    }

    // Deleting it loses nothing.
    std::fs::remove_file(&other).unwrap();
    eventually("it is filled anew", || matches!(node.files().as_slice(), [file] if *file != other)).await;
    let [file] = node.files().try_into().unwrap();
    let limit = Instant::now() + Duration::from_secs(20);
    while !is_marked(&file).await {
        assert!(Instant::now() < limit);
        sleep(Duration::from_millis(50)).await;
    }

    let folder = node.stop();
    world.mariadb_server().kill();
    let node = Node::with(&production, folder);
    let state = node.store.watch_replica().unwrap();
    eventually("the old file answers", || state.borrow().filled).await;
    let mut asking = soon();
    assert_eq!(node.store.line_caller("1001", "", &mut asking).await.unwrap().unwrap().line_name, "Alice Baker");
    assert_eq!(asking.source(), Some(Source::Replica));
    node.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_of_another_database_is_filled_anew() {
    let (first, second) = (World::sqlite(), World::sqlite());
    load_sample(&first.store).await;
    load_sample(&second.store).await;
    run(&second, "UPDATE phone_lines SET name = 'Other' WHERE id = '1001'").await;
    let node = Node::new(&first.url);
    node.filled().await;
    let folder = node.stop();
    let node = Node::with(&options(&[&second.url]), folder);
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        if let [file] = node.files().as_slice()
            && dump(file).await.contains("|Other|")
        {
            break;
        }
        assert!(Instant::now() < limit);
        sleep(Duration::from_millis(50)).await;
    }
    node.stop();
}
