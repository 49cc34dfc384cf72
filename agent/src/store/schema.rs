//! The schema: numbered migrations for each backend, each shipped once and never changed.

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::address::Session;
use super::connection::Connection;
use super::failure;
use super::statement::Backend;
use super::{Store, StoreError};

/// How the database's schema compares with this program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// As this program needs it.
    Current,
    /// Older, or missing (`applied` 0): `tandem migrate` mends it.
    Behind {
        /// Migrations that the database has.
        applied: usize,
        /// Migrations that this program knows.
        known: usize,
    },
    /// From a newer program, or changed by hand.
    Foreign,
}

macro_rules! migrations {
    ($backend:literal) => {
        vec![
            migration!($backend, 1, "0001_calls"),
            migration!($backend, 2, "0002_records"),
            migration!($backend, 3, "0003_changes"),
            migration!($backend, 4, "0004_emergency"),
            migration!($backend, 5, "0005_mailboxes"),
            migration!($backend, 6, "0006_directory"),
            migration!($backend, 7, "0007_menus"),
            migration!($backend, 8, "0008_groups"),
            migration!($backend, 9, "0009_features"),
            migration!($backend, 10, "0010_operators"),
            migration!($backend, 11, "0011_recordings"),
            migration!($backend, 12, "0012_live_calls"),
            migration!($backend, 13, "0013_node_orders"),
            migration!($backend, 14, "0014_interceptions"),
            migration!($backend, 15, "0015_feature_classes"),
            migration!($backend, 16, "0016_names_without_spaces"),
        ]
    };
}

macro_rules! migration {
    ($backend:literal, $version:literal, $name:literal) => {
        Migration::new(
            $version,
            $name.into(),
            MigrationType::Simple,
            SqlStr::from_static(include_str!(concat!("../../../sql/schema/", $backend, "/", $name, ".sql"))),
            false,
        )
    };
}

/// The migrations of a backend, in order.
#[must_use]
pub fn migrations(backend: Backend) -> Vec<Migration> {
    match backend {
        Backend::Sqlite => migrations!("sqlite"),
        Backend::MySql => migrations!("mysql"),
        Backend::Postgres => migrations!("postgres"),
    }
}

impl Store {
    /// Brings the schema of the first host that is ready up to date; creates a missing SQLite file. Doing it again is harmless.
    ///
    /// # Errors
    /// Unavailable when no host is ready; Broken when a migration fails or was changed after it was applied.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut connection = self.hosts.open(Session::Schema).await?;
        let broken = |error: &dyn std::fmt::Display| StoreError::Broken(format!("migrating the database: {error}"));
        let mut migrator = Migrator::with_migrations(migrations(connection.backend()));
        // Galera refuses GET_LOCK, which elsewhere keeps two migrations apart.
        migrator.set_locking(!connection.in_galera().await.map_err(|error| broken(&error))?);
        let run = on_backend!(&mut connection, |typed| migrator.run_direct(None, typed, false).await);
        run.map_err(|error| broken(&error))
    }

    /// Compares the database's schema with this program's.
    ///
    /// # Errors
    /// Unavailable when no host is ready; Broken when its list of migrations cannot be read.
    pub async fn schema_state(&self) -> Result<SchemaState, StoreError> {
        let mut connection = self.hosts.open(Session::Work).await?;
        let known = migrations(connection.backend());
        let text = SqlStr::from_static("SELECT version, checksum FROM _sqlx_migrations ORDER BY version");
        let applied: Vec<(i64, Vec<u8>)> = match connection.rows(text, &[]).await {
            Ok(rows) => rows,
            Err(error) if failure::is_missing_table(&error) => Vec::new(),
            Err(error) => return Err(StoreError::Broken(format!("reading the schema's version: {error}"))),
        };
        let same = known
            .iter()
            .zip(&applied)
            .all(|(ours, (version, checksum))| ours.version == *version && *ours.checksum == **checksum);
        Ok(if !same || applied.len() > known.len() {
            SchemaState::Foreign
        } else if applied.len() < known.len() {
            SchemaState::Behind { applied: applied.len(), known: known.len() }
        } else {
            SchemaState::Current
        })
    }
}
