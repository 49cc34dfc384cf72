//! The questions about who calls, and about numbers of ours.

use sqlx::FromRow;

use super::asking::Asking;
use super::caller::{Account, GatewayCaller, LineCaller, OwnNumber};
use super::cap::Cap;
use super::connection::Value;
use super::statement::{EXTENSION, GATEWAY_CALLER, LINE_CALLER, OWN_NUMBER, PICKUP_GROUP, TARGET};
use super::target::TargetKind;
use super::target_columns::{TargetColumns, assemble, status};
use super::{Store, StoreError, key};

#[derive(FromRow)]
struct LineRow {
    line_id: String,
    line_status: String,
    line_name: String,
    country: String,
    area_code: String,
    outside_prefix: String,
    own_extension: Option<String>,
    line_caller_number: Option<String>,
    privacy: bool,
    line_max_calls: i32,
    line_calls_elsewhere: i64,
    account_id: String,
    account_status: String,
    account_time_zone: String,
    account_caller_number: Option<String>,
    account_max_calls: i32,
    account_calls_elsewhere: i64,
    sell_deck_id: Option<String>,
    allow_loss: bool,
    account_currency_value_micros: i64,
    max_per_minute_micros: Option<i64>,
    max_connect_fee_micros: Option<i64>,
    internal_allowed: bool,
    #[sqlx(flatten)]
    target: TargetColumns,
}

#[derive(FromRow)]
struct GatewayRow {
    gateway_id: String,
    status: String,
    country: String,
}

#[derive(FromRow)]
struct GroupRow {
    line_id: String,
}

#[derive(FromRow)]
pub(super) struct NumberRow {
    #[sqlx(flatten)]
    own: OwnColumns,
    #[sqlx(flatten)]
    target: TargetColumns,
}

impl NumberRow {
    /// The number of which these rows tell, one for each phone there.
    pub(super) fn number(rows: &[NumberRow]) -> Result<Option<OwnNumber>, StoreError> {
        let Some(first) = rows.first() else { return Ok(None) };
        first.own.number(rows.iter().map(|row| &row.target))
    }
}

/// The columns that tell of a number of ours; NULL where it is none.
#[derive(FromRow)]
pub(super) struct OwnColumns {
    own_number: Option<String>,
    own_account_id: Option<String>,
    own_account_status: Option<String>,
    own_account_time_zone: Option<String>,
    own_account_max_calls: Option<i32>,
    #[sqlx(default)]
    own_account_calls_elsewhere: i64,
}

impl OwnColumns {
    /// The number, if the row tells of one; `targets` are the same columns of every row.
    pub(super) fn number<'a>(
        &self,
        targets: impl IntoIterator<Item = &'a TargetColumns>,
    ) -> Result<Option<OwnNumber>, StoreError> {
        let (Some(number), Some(account_id), Some(account_status), Some(account_time_zone), Some(most)) = (
            &self.own_number,
            &self.own_account_id,
            &self.own_account_status,
            &self.own_account_time_zone,
            self.own_account_max_calls,
        ) else {
            return Ok(None);
        };
        Ok(Some(OwnNumber {
            number: number.clone(),
            account_id: account_id.clone(),
            account_status: status(account_status)?,
            account_time_zone: account_time_zone.clone(),
            account_max_calls: Cap { most, elsewhere: self.own_account_calls_elsewhere },
            target: assemble(targets)?,
        }))
    }
}

impl Store {
    /// The calling line with its account, and where `dialled` leads if it is an extension of the account. `None` when there is no such line.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time, nor the replica; Broken when the answer cannot be understood.
    pub async fn line_caller(
        &self,
        line_id: &str,
        dialled: &str,
        asking: &mut Asking,
    ) -> Result<Option<LineCaller>, StoreError> {
        let rows: Vec<LineRow> = self.ask(&LINE_CALLER, &self.line_caller_values(line_id, dialled), asking).await?;
        let extension = assemble(rows.iter().map(|row| &row.target))?;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        Ok(Some(LineCaller {
            line_status: status(&row.line_status)?,
            line_id: row.line_id,
            line_name: row.line_name,
            country: row.country,
            area_code: row.area_code,
            outside_prefix: row.outside_prefix,
            own_extension: row.own_extension,
            caller_number: row.line_caller_number,
            privacy: row.privacy,
            line_max_calls: Cap { most: row.line_max_calls, elsewhere: row.line_calls_elsewhere },
            account: Account {
                id: row.account_id,
                status: status(&row.account_status)?,
                time_zone: row.account_time_zone,
                caller_number: row.account_caller_number,
                max_calls: Cap { most: row.account_max_calls, elsewhere: row.account_calls_elsewhere },
                sell_deck_id: row.sell_deck_id,
                allow_loss: row.allow_loss,
                currency_value_micros: row.account_currency_value_micros,
                max_per_minute_micros: row.max_per_minute_micros,
                max_connect_fee_micros: row.max_connect_fee_micros,
            },
            internal_allowed: row.internal_allowed,
            extension,
        }))
    }

    /// The parameters of `line_caller`, which every call asks first.
    pub(super) fn line_caller_values<'a>(&'a self, line_id: &'a str, dialled: &'a str) -> [Value<'a>; 5] {
        [self.this(), self.this(), self.this(), key(dialled), key(line_id)]
    }

    /// The gateway from which a call comes in. `None` when there is no such gateway.
    ///
    /// # Errors
    /// As [`Store::line_caller`].
    pub async fn gateway_caller(
        &self,
        gateway_id: &str,
        asking: &mut Asking,
    ) -> Result<Option<GatewayCaller>, StoreError> {
        let rows: Vec<GatewayRow> = self.ask(&GATEWAY_CALLER, &[key(gateway_id)], asking).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        Ok(Some(GatewayCaller { status: status(&row.status)?, gateway_id: row.gateway_id, country: row.country }))
    }

    /// The other lines of a line's pickup group, by their ids.
    ///
    /// # Errors
    /// As [`Store::line_caller`].
    pub async fn pickup_group(&self, line_id: &str, asking: &mut Asking) -> Result<Vec<String>, StoreError> {
        let rows: Vec<GroupRow> = self.ask(&PICKUP_GROUP, &[key(line_id)], asking).await?;
        Ok(rows.into_iter().map(|row| row.line_id).collect())
    }

    /// A number of ours (digits of E.164) and where it leads. `None` when it is not ours.
    ///
    /// # Errors
    /// As [`Store::line_caller`].
    pub async fn own_number(&self, number: &str, asking: &mut Asking) -> Result<Option<OwnNumber>, StoreError> {
        let rows: Vec<NumberRow> = self.ask(&OWN_NUMBER, &[self.this(), self.this(), key(number)], asking).await?;
        NumberRow::number(&rows)
    }

    /// An extension of an account and where it leads. `None` when the account has no such extension.
    ///
    /// # Errors
    /// As [`Store::line_caller`].
    pub async fn extension(
        &self,
        account_id: &str,
        extension: &str,
        asking: &mut Asking,
    ) -> Result<Option<OwnNumber>, StoreError> {
        let rows: Vec<NumberRow> =
            self.ask(&EXTENSION, &[self.this(), key(account_id), key(extension)], asking).await?;
        NumberRow::number(&rows)
    }

    /// A line, ring group, mailbox or menu of an account, as if it were an extension of its own. `None` when the account has none of that id.
    ///
    /// # Errors
    /// As [`Store::line_caller`].
    pub async fn target(
        &self,
        account_id: &str,
        kind: TargetKind,
        id: &str,
        asking: &mut Asking,
    ) -> Result<Option<OwnNumber>, StoreError> {
        let of = |wanted| if kind == wanted { key(id) } else { Value::Text(None) };
        let [group, line] = [of(TargetKind::RingGroup), of(TargetKind::Line)];
        let values = [self.this(), group, line, of(TargetKind::Mailbox), of(TargetKind::Menu), key(account_id)];
        let rows: Vec<NumberRow> = self.ask(&TARGET, &values, asking).await?;
        NumberRow::number(&rows)
    }
}
