//! What a search of the directory takes, among 100,000 people of one account: by the number of keys that were pressed, in each database. What SQLite takes
//! is what the replica takes.
//!
//! `cargo bench --workspace --bench directory`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark"
)]

#[path = "../directory_world.rs"]
mod directory_world;
#[path = "../store_world.rs"]
mod store_world;

use std::time::{Duration, Instant};

use directory_world::{Dice, Model, people, statements};
use hdrhistogram::Histogram;
use sqlx::{AssertSqlSafe, Connection as _};
use store_world::{World, soon};
use tandem::store::directory::{Directory, Presentation, Search};

const PEOPLE: usize = 100_000;
const SEARCHES: usize = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for world in World::all() {
        measure(&world).await;
    }
}

async fn measure(world: &World) {
    world.store.migrate().await.unwrap();
    let people = people(PEOPLE);
    fill(world, &statements(&people)).await;
    let mut writer = world.store.writer(Duration::from_secs(60));
    let started = Instant::now();
    let mut after = String::new();
    while let Some(last) = writer.spell_names(&after).await.unwrap().into_iter().next_back() {
        after = last;
    }
    println!("{}: the keys of {} names computed in {:.1?}", world.name, people.len(), started.elapsed());
    let started = Instant::now();
    assert!(writer.spell_names("").await.unwrap().is_empty());
    println!("  looking for changed names, of which there are none: {:.1?}", started.elapsed());

    let directory =
        Directory { search: Search::Both, presentation: Presentation::Menu, ..Directory::of_account("big") };
    for length in 1..=6 {
        // As callers search: each for somebody who is there.
        let model = Model::new(&people, &[length]);
        let keys = model.keys();
        let (mut times, mut fits) = (Histogram::<u64>::new(3).unwrap(), 0);
        let mut dice = Dice(length as u64);
        for _ in 0..SEARCHES {
            let keys = keys[dice.below(keys.len())];
            let started = Instant::now();
            fits += world.store.people(&directory, keys, &mut soon()).await.unwrap().len();
            times.record(u64::try_from(started.elapsed().as_micros()).unwrap()).unwrap();
        }
        let at = |share| Duration::from_micros(times.value_at_quantile(share));
        println!(
            "  {length} keys: p50 {:>8.1?}, p99 {:>8.1?}, slowest {:>8.1?}; {} fit on average (200 at the most)",
            at(0.5),
            at(0.99),
            Duration::from_micros(times.max()),
            fits / SEARCHES
        );
    }
}

async fn fill(world: &World, statements: &[String]) {
    macro_rules! on {
        ($connection:ty) => {{
            let mut connection = <$connection>::connect(&world.url).await.unwrap();
            for text in statements {
                sqlx::raw_sql(AssertSqlSafe(text.as_str())).execute(&mut connection).await.unwrap();
            }
        }};
    }
    match world.name {
        "SQLite" => on!(sqlx::SqliteConnection),
        "MariaDB" => on!(sqlx::MySqlConnection),
        _ => on!(sqlx::PgConnection),
    }
}
