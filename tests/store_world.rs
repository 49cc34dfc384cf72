//! The three backends with the sample data, for the tests of the store.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lab::{MariaDb, Postgres};
use sqlx::Connection as _;
use tandem::store::asking::Asking;
use tandem::store::import::{Kind, RateFile};
use tandem::store::{Options, Store};
use tempfile::TempDir;
use tokio::time::Instant;

/// A database of one's own.
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) store: Store,
    _folder: Option<TempDir>,
    mariadb: Option<MariaDb>,
    postgres: Option<Postgres>,
}

/// Patient: these tests ask whether an answer is right, on a machine that has other things to do.
pub(crate) fn options(urls: &[&str]) -> Options {
    Options {
        urls: urls.iter().map(|url| (*url).to_owned()).collect(),
        connections: 4,
        question: Duration::from_secs(10),
        connect: Duration::from_secs(10),
        probe: Duration::from_secs(1),
    }
}

impl World {
    pub(crate) fn sqlite() -> World {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("tandem.db").display());
        let store = Store::new(&options(&[&url])).unwrap();
        World { name: "SQLite", url, store, _folder: Some(folder), mariadb: None, postgres: None }
    }

    pub(crate) fn mariadb() -> World {
        let server = MariaDb::start();
        let url = server.url();
        let store = Store::new(&options(&[&url])).unwrap();
        World { name: "MariaDB", url, store, _folder: None, mariadb: Some(server), postgres: None }
    }

    pub(crate) fn postgres() -> World {
        let server = Postgres::start();
        let url = server.url();
        let store = Store::new(&options(&[&url])).unwrap();
        World { name: "PostgreSQL", url, store, _folder: None, mariadb: None, postgres: Some(server) }
    }

    /// Rows that the server has read without a key, since it started; SQLite does not count.
    pub(crate) async fn rows_scanned(&self) -> u64 {
        if let Some(server) = &self.mariadb {
            let shown = server.sql("SHOW GLOBAL STATUS LIKE 'Handler_read%next'");
            return shown.lines().filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum();
        }
        if self.postgres.is_none() {
            return 0;
        }
        // Sessions report what they did once a second.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
        let sum = "SELECT CAST(sum(seq_tup_read) AS BIGINT) FROM pg_stat_user_tables";
        let (rows,): (i64,) = sqlx::query_as(sum).fetch_one(&mut connection).await.unwrap();
        rows.try_into().unwrap()
    }

    /// The one number that a query yields.
    pub(crate) async fn number(&self, text: &'static str) -> i64 {
        match self.name {
            "SQLite" => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap()
            }
            "MariaDB" => {
                let mut connection = sqlx::MySqlConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap()
            }
            _ => {
                let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap()
            }
        }
    }

    /// Runs statements, as somebody with a right to the database does.
    pub(crate) async fn run(&self, text: &str) {
        use sqlx::AssertSqlSafe as Text;
        match self.name {
            "SQLite" => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(Text(text)).execute(&mut connection).await.map(drop)
            }
            "MariaDB" => {
                let mut connection = sqlx::MySqlConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(Text(text)).execute(&mut connection).await.map(drop)
            }
            _ => {
                let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(Text(text)).execute(&mut connection).await.map(drop)
            }
        }
        .unwrap_or_else(|error| panic!("{}: {text}: {error}", self.name));
    }

    /// The server, to do it harm.
    pub(crate) fn mariadb_server(&mut self) -> &mut MariaDb {
        self.mariadb.as_mut().expect("a world on MariaDB")
    }

    /// Each backend, with an empty database.
    pub(crate) fn all() -> [World; 3] {
        [World::sqlite(), World::mariadb(), World::postgres()]
    }
}

/// A deadline that no test means to reach.
pub(crate) fn soon() -> Asking {
    Asking::until(Instant::now() + Duration::from_secs(20))
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn sample(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "sql", "sample", &format!("{name}.csv")].iter().collect()
}

/// Makes the tables and fills them from `sql/sample/`.
pub(crate) async fn load_sample(store: &Store) {
    store.migrate().await.unwrap();
    store.import(Kind::Currencies, File::open(sample("currencies")).unwrap()).await.unwrap();
    for (deck, currency) in [("gw-a", "USD"), ("gw-b", "EUR"), ("retail", "USD")] {
        let rates = RateFile {
            deck: deck.to_owned(),
            currency: Some(currency.to_owned()),
            effective: time("2026-01-01T00:00:00Z"),
        };
        let file = File::open(sample(&format!("rates-{deck}"))).unwrap();
        store.import_rates(&rates, file, |_| ()).await.unwrap();
    }
    for kind in Kind::ALL.iter().copied() {
        store.import(kind, File::open(sample(kind.name())).unwrap()).await.unwrap();
    }
    store.import_menus(&sample_menus(), &mut soon()).await.unwrap();
}

/// The sample's menus.
pub(crate) fn sample_menus() -> String {
    std::fs::read_to_string(sample("menus").with_extension("toml")).unwrap()
}
