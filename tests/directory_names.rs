//! Whom the directory finds, among 100,000 people, held against a model of its own: every search in SQLite, and fewer people in MariaDB and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod directory_world;
mod store_world;

use std::time::Duration;

use directory_world::{By, Model, people, statements};
use sqlx::Connection as _;
use store_world::{World, soon};
use tandem::store::directory::{Directory, Search};
use tandem::store::writer::Writer;

/// Runs statements on a world's database.
async fn run(world: &World, statements: &[String]) {
    macro_rules! on {
        ($connection:ty) => {{
            let mut connection = <$connection>::connect(&world.url).await.unwrap();
            for text in statements {
                sqlx::raw_sql(sqlx::AssertSqlSafe(text.as_str())).execute(&mut connection).await.unwrap();
            }
        }};
    }
    match world.name {
        "SQLite" => on!(sqlx::SqliteConnection),
        "MariaDB" => on!(sqlx::MySqlConnection),
        _ => on!(sqlx::PgConnection),
    }
}

async fn spell(writer: &mut Writer) -> usize {
    let (mut after, mut names) = (String::new(), 0);
    loop {
        let spelled = writer.spell_names(&after).await.unwrap();
        names += spelled.len();
        let Some(last) = spelled.into_iter().next_back() else { return names };
        after = last;
    }
}

/// Who is found by these keys.
async fn found(world: &World, by: By, department: &str, keys: &str) -> Vec<String> {
    let search = match by {
        By::Last => Search::Last,
        By::First => Search::First,
        By::Both => Search::Both,
    };
    let directory = Directory { search, department: department.to_owned(), ..Directory::of_account("big") };
    let people = world.store.people(&directory, keys, &mut soon()).await.unwrap();
    people.into_iter().map(|person| person.mailbox_id).collect()
}

async fn compare(world: &World, count: usize, lengths: &[usize]) {
    world.store.migrate().await.unwrap();
    let people = people(count);
    run(world, &statements(&people)).await;
    let mut writer = world.store.writer(Duration::from_secs(60));
    assert_eq!(spell(&mut writer).await, people.len(), "{}: every name is new", world.name);
    assert_eq!(spell(&mut writer).await, 0, "{}: none twice", world.name);
    let model = Model::new(&people, lengths);
    let (mut searches, mut cut) = (0, 0);
    for (nth, keys) in model.keys().into_iter().enumerate() {
        let by = [By::Last, By::First, By::Both][nth % 3];
        for (by, department) in [(by, ""), (By::Both, ["Sales", "Care", ""][nth % 3])] {
            let mut wanted = model.found(keys, by, department);
            cut += usize::from(wanted.len() > 200);
            wanted.truncate(200);
            assert_eq!(found(world, by, department, keys).await, wanted, "{}: {keys} {by:?} {department}", world.name);
            searches += 1;
        }
    }
    assert!(searches > 400 && cut > 0, "{}: {searches} searches, {cut} cut off", world.name);
    for keys in ["0", "1", "77777", "99999999999999999999999999999999999999"] {
        assert!(found(world, By::Both, "", keys).await.is_empty(), "{}: {keys}", world.name);
    }
    assert!(found(world, By::Both, "'; DROP TABLE mailboxes; --", "2").await.is_empty(), "{}", world.name);
}

#[tokio::test]
async fn a_hundred_thousand_names_are_found_as_the_model_says() {
    compare(&World::sqlite(), 100_000, &[1, 2, 3, 4, 7]).await;
}

#[tokio::test]
async fn sqlite_plans_a_search_by_the_index_alone() {
    use sqlx::Row as _;
    let world = World::sqlite();
    world.store.migrate().await.unwrap();
    let text = format!("EXPLAIN QUERY PLAN {}", include_str!("../sql/query/directory_people.sql"));
    let mut connection = sqlx::SqliteConnection::connect(&world.url).await.unwrap();
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).fetch_all(&mut connection).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    let search = "SEARCH d USING COVERING INDEX directory_names_by_digits (account_id=? AND digits>? AND digits<?)";
    assert!(plan.iter().any(|step| step == search), "{plan:#?}");
    assert!(!plan.iter().any(|step| step.starts_with("SCAN") && !step.contains(" f")), "{plan:#?}");
}

#[tokio::test]
async fn postgresql_takes_people_by_their_keys_before_it_has_statistics() {
    use sqlx::Row as _;
    let world = World::postgres();
    world.store.migrate().await.unwrap();
    let text = include_str!("../sql/query/directory_people.sql");
    let values = ["big", "2", "2a", "first", "last", "other", "", "", "big", "", ""].map(|value| format!("'{value}'"));
    // Of a table that is empty it would read the whole.
    let text =
        format!("SET enable_seqscan = off; PREPARE people AS {text}; EXPLAIN EXECUTE people ({})", values.join(", "));
    let mut connection = sqlx::PgConnection::connect(&world.url).await.unwrap();
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).fetch_all(&mut connection).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    for step in
        ["Index Scan using mailboxes_pkey on mailboxes m", "using directory_names_by_digits on directory_names d"]
    {
        assert!(plan.iter().any(|line| line.contains(step)), "{step}: {plan:#?}");
    }
}

#[tokio::test]
async fn mariadb_and_postgresql_find_the_same() {
    for world in [World::mariadb(), World::postgres()] {
        compare(&world, 3_000, &[1, 3, 5]).await;
    }
}

#[tokio::test]
async fn what_changes_in_the_database_is_found_by_its_new_letters_and_by_nobody_else() {
    for world in World::all() {
        world.store.migrate().await.unwrap();
        run(&world, &statements(&people(20))).await;
        let mut writer = world.store.writer(Duration::from_secs(60));
        spell(&mut writer).await;
        let sql = async |text: &str| run(&world, &[text.to_owned()]).await;
        sql("UPDATE mailboxes SET hidden = FALSE, status = 'active', department = '', name = 'Xaver Quux' WHERE id = 'm1'")
            .await;
        assert_eq!(spell(&mut writer).await, 1, "{}", world.name);
        assert_eq!(found(&world, By::Last, "", "7889").await, ["m1"], "{}", world.name);
        assert_eq!(found(&world, By::First, "", "92837").await, ["m1"], "{}", world.name);
        assert!(found(&world, By::First, "", "7889").await.is_empty(), "{}", world.name);
        // At once: hidden, suspended, in another department, in another account. Back as soon as that was seen.
        for (change, back) in [
            ("hidden = TRUE", "hidden = FALSE"),
            ("status = 'suspended'", "status = 'active'"),
            ("account_id = 'other'", "account_id = 'big'"),
        ] {
            sql(&format!("UPDATE mailboxes SET {change} WHERE id = 'm1'")).await;
            assert!(found(&world, By::Last, "", "7889").await.is_empty(), "{}: {change}", world.name);
            assert_eq!(spell(&mut writer).await, 1, "{}: {change}", world.name);
            sql(&format!("UPDATE mailboxes SET {back} WHERE id = 'm1'")).await;
            assert_eq!(spell(&mut writer).await, 1, "{}: {back}", world.name);
            assert_eq!(found(&world, By::Last, "", "7889").await, ["m1"], "{}: {back}", world.name);
        }
        assert!(found(&world, By::Last, "Sales", "7889").await.is_empty(), "{}", world.name);
        sql("UPDATE mailboxes SET department = 'Sales' WHERE id = 'm1'").await;
        assert!(found(&world, By::Last, "Care", "7889").await.is_empty(), "{}", world.name);
        assert_eq!(spell(&mut writer).await, 1, "{}", world.name);
        assert_eq!(found(&world, By::Last, "Sales", "7889").await, ["m1"], "{}", world.name);
        // Moved for good: found there, once that was seen.
        sql("UPDATE mailboxes SET account_id = 'other' WHERE id = 'm1'").await;
        assert_eq!(spell(&mut writer).await, 1, "{}", world.name);
        let other = Directory::of_account("other");
        assert_eq!(world.store.people(&other, "7889", &mut soon()).await.unwrap().len(), 1, "{}", world.name);
        // A name without letters is nobody's; what is deleted leaves nothing behind.
        sql("UPDATE mailboxes SET name = '...' WHERE id = 'm1'").await;
        assert_eq!(spell(&mut writer).await, 1, "{}", world.name);
        assert_eq!(spell(&mut writer).await, 0, "{}", world.name);
        assert!(world.store.people(&other, "7889", &mut soon()).await.unwrap().is_empty(), "{}", world.name);
        sql("DELETE FROM mailboxes WHERE id = 'm2'").await;
        assert_eq!(
            world.number("SELECT COUNT(*) FROM directory_names WHERE mailbox_id IN ('m1', 'm2')").await,
            0,
            "{}",
            world.name
        );
    }
}
