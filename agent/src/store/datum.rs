//! A row of any table, column by column, as SQLite keeps it: for copying.

use chrono::{DateTime, NaiveDateTime, Timelike, Utc};
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, TypeInfo, ValueRef};

use super::connection::Value;

/// One value, as SQLite keeps it: flags are 0 or 1, times are text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Datum {
    Null,
    Text(String),
    Integer(i64),
    Real(f64),
}

impl Datum {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Datum::Null => Value::Text(None),
            Datum::Text(text) => Value::from(text.as_str()),
            Datum::Integer(integer) => Value::Integer(Some(*integer)),
            Datum::Real(real) => Value::Real(Some(*real)),
        }
    }
}

/// A row: one datum for each column of the question.
pub(super) struct Datums(pub(super) Vec<Datum>);

/// Whole seconds as a [`super::time::Time`] is kept, others as a [`super::time::Moment`].
fn time(time: NaiveDateTime) -> Datum {
    let format = if time.nanosecond() == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.3f" };
    Datum::Text(time.format(format).to_string())
}

/// Reads a column by the type that the backend says it has.
macro_rules! read {
    ($row:expr, $index:expr, $($types:pat => $read:expr),+ $(,)?) => {{
        let raw = $row.try_get_raw($index)?;
        if raw.is_null() {
            Ok(Datum::Null)
        } else {
            let info = raw.type_info();
            match info.name() {
                $($types => $read,)+
                other => {
                    let text = format!("a column of type {other}, which cannot be copied");
                    Err(sqlx::Error::ColumnDecode { index: $index.to_string(), source: text.into() })
                }
            }
        }
    }};
}

impl<'r> FromRow<'r, SqliteRow> for Datums {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        let datum = |index: usize| {
            read!(row, index,
                "TEXT" | "DATETIME" => row.try_get_unchecked(index).map(Datum::Text),
                "REAL" => row.try_get(index).map(Datum::Real),
                "INTEGER" | "BOOLEAN" => row.try_get_unchecked(index).map(Datum::Integer),
            )
        };
        (0..row.len()).map(datum).collect::<Result<_, _>>().map(Datums)
    }
}

impl<'r> FromRow<'r, MySqlRow> for Datums {
    fn from_row(row: &'r MySqlRow) -> Result<Self, sqlx::Error> {
        let datum = |index: usize| {
            read!(row, index,
                // With a binary collation text is called binary.
                "VARCHAR" | "CHAR" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "BINARY" | "VARBINARY" | "BLOB"
                | "MEDIUMBLOB" | "LONGBLOB" => row.try_get_unchecked(index).map(Datum::Text),
                "BOOLEAN" => row.try_get::<bool, _>(index).map(|flag| Datum::Integer(flag.into())),
                "INT" => row.try_get::<i32, _>(index).map(|integer| Datum::Integer(integer.into())),
                "BIGINT" => row.try_get(index).map(Datum::Integer),
                "DOUBLE" => row.try_get(index).map(Datum::Real),
                "DATETIME" => row.try_get(index).map(time),
            )
        };
        (0..row.len()).map(datum).collect::<Result<_, _>>().map(Datums)
    }
}

impl<'r> FromRow<'r, PgRow> for Datums {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        let datum = |index: usize| {
            read!(row, index,
                "VARCHAR" | "CHAR" | "TEXT" => row.try_get_unchecked(index).map(Datum::Text),
                "BOOL" => row.try_get::<bool, _>(index).map(|flag| Datum::Integer(flag.into())),
                "INT4" => row.try_get::<i32, _>(index).map(|integer| Datum::Integer(integer.into())),
                "INT8" => row.try_get(index).map(Datum::Integer),
                "FLOAT8" => row.try_get(index).map(Datum::Real),
                "TIMESTAMPTZ" => row.try_get::<DateTime<Utc>, _>(index).map(|at| time(at.naive_utc())),
            )
        };
        (0..row.len()).map(datum).collect::<Result<_, _>>().map(Datums)
    }
}
