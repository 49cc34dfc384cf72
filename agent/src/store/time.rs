//! Times as the three backends keep them: `YYYY-MM-DD HH:MM:SS` text in SQLite, DATETIME in MySQL, TIMESTAMPTZ in
//! PostgreSQL; always UTC. A [`Time`] has whole seconds, so that comparisons agree; a [`Moment`] has milliseconds.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Decode, Encode, MySql, Postgres, Sqlite, Type};

const SQLITE_FORMAT: &str = "%Y-%m-%d %H:%M:%S";
const SQLITE_MILLISECONDS: &str = "%Y-%m-%d %H:%M:%S%.3f";

/// A time column or parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(pub DateTime<Utc>);

impl Time {
    fn seconds(self) -> DateTime<Utc> {
        self.0.trunc_subsecs(0)
    }
}

impl Type<Sqlite> for Time {
    fn type_info() -> <Sqlite as sqlx::Database>::TypeInfo {
        <String as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &<Sqlite as sqlx::Database>::TypeInfo) -> bool {
        <String as Type<Sqlite>>::compatible(ty)
    }
}

impl<'q> Encode<'q, Sqlite> for Time {
    fn encode_by_ref(&self, buf: &mut <Sqlite as sqlx::Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<'q, Sqlite>>::encode(self.seconds().format(SQLITE_FORMAT).to_string(), buf)
    }
}

impl<'r> Decode<'r, Sqlite> for Time {
    fn decode(value: <Sqlite as sqlx::Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let text = <&str as Decode<'r, Sqlite>>::decode(value)?;
        Ok(Time(NaiveDateTime::parse_from_str(text, SQLITE_FORMAT)?.and_utc()))
    }
}

impl Type<MySql> for Time {
    fn type_info() -> <MySql as sqlx::Database>::TypeInfo {
        <NaiveDateTime as Type<MySql>>::type_info()
    }

    fn compatible(ty: &<MySql as sqlx::Database>::TypeInfo) -> bool {
        <NaiveDateTime as Type<MySql>>::compatible(ty)
    }
}

impl<'q> Encode<'q, MySql> for Time {
    fn encode_by_ref(&self, buf: &mut <MySql as sqlx::Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <NaiveDateTime as Encode<'q, MySql>>::encode(self.seconds().naive_utc(), buf)
    }

    fn size_hint(&self) -> usize {
        <NaiveDateTime as Encode<'q, MySql>>::size_hint(&self.seconds().naive_utc())
    }
}

impl<'r> Decode<'r, MySql> for Time {
    fn decode(value: <MySql as sqlx::Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Time(<NaiveDateTime as Decode<'r, MySql>>::decode(value)?.and_utc()))
    }
}

impl Type<Postgres> for Time {
    fn type_info() -> <Postgres as sqlx::Database>::TypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl<'q> Encode<'q, Postgres> for Time {
    fn encode_by_ref(&self, buf: &mut <Postgres as sqlx::Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <DateTime<Utc> as Encode<'q, Postgres>>::encode(self.seconds(), buf)
    }
}

impl<'r> Decode<'r, Postgres> for Time {
    fn decode(value: <Postgres as sqlx::Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Time(<DateTime<Utc> as Decode<'r, Postgres>>::decode(value)?))
    }
}

/// A time column or parameter with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub DateTime<Utc>);

impl Moment {
    fn milliseconds(self) -> DateTime<Utc> {
        self.0.trunc_subsecs(3)
    }
}

impl Type<Sqlite> for Moment {
    fn type_info() -> <Sqlite as sqlx::Database>::TypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl<'q> Encode<'q, Sqlite> for Moment {
    fn encode_by_ref(&self, buf: &mut <Sqlite as sqlx::Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<'q, Sqlite>>::encode(self.milliseconds().format(SQLITE_MILLISECONDS).to_string(), buf)
    }
}

impl Type<MySql> for Moment {
    fn type_info() -> <MySql as sqlx::Database>::TypeInfo {
        <NaiveDateTime as Type<MySql>>::type_info()
    }
}

impl<'q> Encode<'q, MySql> for Moment {
    fn encode_by_ref(&self, buf: &mut <MySql as sqlx::Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <NaiveDateTime as Encode<'q, MySql>>::encode(self.milliseconds().naive_utc(), buf)
    }

    fn size_hint(&self) -> usize {
        <NaiveDateTime as Encode<'q, MySql>>::size_hint(&self.milliseconds().naive_utc())
    }
}

impl Type<Postgres> for Moment {
    fn type_info() -> <Postgres as sqlx::Database>::TypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl<'q> Encode<'q, Postgres> for Moment {
    fn encode_by_ref(&self, buf: &mut <Postgres as sqlx::Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <DateTime<Utc> as Encode<'q, Postgres>>::encode(self.milliseconds(), buf)
    }
}

impl<'r> Decode<'r, Sqlite> for Moment {
    fn decode(value: <Sqlite as sqlx::Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let text = <&str as Decode<'r, Sqlite>>::decode(value)?;
        Ok(Moment(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")?.and_utc()))
    }
}

impl<'r> Decode<'r, MySql> for Moment {
    fn decode(value: <MySql as sqlx::Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Moment(<NaiveDateTime as Decode<'r, MySql>>::decode(value)?.and_utc()))
    }
}

impl<'r> Decode<'r, Postgres> for Moment {
    fn decode(value: <Postgres as sqlx::Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Moment(<DateTime<Utc> as Decode<'r, Postgres>>::decode(value)?))
    }
}
