//! The laboratory's databases do what the store's tests lean on: stop, kill, pause, and come back where they were.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::future::Future;
use std::time::Duration;

use lab::{MariaDb, Postgres};
use sqlx::{Connection, Error, MySqlConnection, PgConnection};

/// Whether the question is answered within a second.
async fn answered<T>(question: impl Future<Output = Result<T, Error>>) -> bool {
    matches!(tokio::time::timeout(Duration::from_secs(1), question).await, Ok(Ok(_)))
}

async fn mariadb(url: &str) -> Result<(), Error> {
    MySqlConnection::connect(url).await?.ping().await
}

async fn postgres(url: &str) -> Result<(), Error> {
    PgConnection::connect(url).await?.ping().await
}

#[tokio::test]
async fn mariadb_is_lost_in_three_ways_and_comes_back() {
    let mut server = MariaDb::start();
    let url = server.url();
    let other = server.create("tandem_other");
    sqlx::raw_sql("CREATE TABLE t (a INT)")
        .execute(&mut MySqlConnection::connect(&other).await.unwrap())
        .await
        .unwrap();
    assert!(answered(mariadb(&url)).await);

    server.pause();
    assert!(!answered(mariadb(&url)).await);
    server.resume();
    assert!(answered(mariadb(&url)).await);

    server.kill();
    assert!(!answered(mariadb(&url)).await);
    server.restart();
    assert!(answered(mariadb(&url)).await);
    assert_eq!(server.sql("SHOW TABLES FROM tandem_other"), "t\n", "the data survives");

    server.stop();
    assert!(!answered(mariadb(&url)).await);
    server.restart();
    assert!(answered(mariadb(&url)).await);
}

#[tokio::test]
async fn a_read_only_mariadb_refuses_the_agents_user() {
    let server = MariaDb::start();
    server.sql("SET GLOBAL read_only = 1");
    let mut connection = MySqlConnection::connect(&server.url()).await.unwrap();
    assert!(sqlx::raw_sql("CREATE TABLE t (a INT)").execute(&mut connection).await.is_err());
}

#[tokio::test]
async fn postgres_is_lost_in_three_ways_and_comes_back() {
    let mut server = Postgres::start();
    let url = server.url();
    let other = server.create("tandem_other");
    sqlx::raw_sql("CREATE TABLE t (a INT)").execute(&mut PgConnection::connect(&other).await.unwrap()).await.unwrap();
    let mut held = PgConnection::connect(&url).await.unwrap();

    server.pause();
    assert!(!answered(postgres(&url)).await);
    assert!(!answered(held.ping()).await, "a connection that stands is paused too");
    server.resume();
    assert!(answered(postgres(&url)).await);

    server.kill();
    assert!(!answered(postgres(&url)).await);
    server.restart();
    assert!(answered(postgres(&url)).await);

    server.stop();
    assert!(!answered(postgres(&url)).await);
    server.restart();
    assert!(answered(postgres(&url)).await);
}
