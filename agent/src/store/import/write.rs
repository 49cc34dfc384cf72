//! Puts a checked sheet into its tables, in one transaction.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use chrono::Utc;
use sqlx::SqlStr;

use super::field::Cell;
use super::kind::{Column, Kind, Reference};
use super::sheet::{Known, Sheet};
use super::{ImportError, Imported};
use crate::store::address::Session;
use crate::store::connection::{Connection, Value};
use crate::store::directories::spell_name;
use crate::store::failure::is_missing_table;
use crate::store::statement::{
    Backend, KNOWN_ACCOUNTS, KNOWN_CLASSES, KNOWN_CURRENCIES, KNOWN_DECKS, KNOWN_DIRECTORIES, KNOWN_LINES,
    KNOWN_MAILBOXES, KNOWN_MENUS, KNOWN_RING_GROUPS, Statement, numbered,
};
use crate::store::time::Time;
use crate::store::{Store, StoreError};

impl Store {
    /// Takes a CSV file of `kind`: all of its rows, or none.
    ///
    /// # Errors
    /// `Rows` with every bad row; `File` when it cannot be read; `Store` when the database fails.
    pub async fn import(&self, kind: Kind, file: impl Read) -> Result<Imported, ImportError> {
        let mut connection = self.hosts.open(Session::Work).await?;
        let references = kind.columns().iter().filter_map(|column| column.refers);
        // Their addresses may be lines.
        let contacts = (kind == Kind::EmergencyContacts).then_some(Reference::Line);
        let known = known(&mut connection, references.chain(contacts)).await?;
        let sheet = Sheet::read(kind, file, &known)?;
        write(&mut connection, kind, &sheet).await.map_err(|error| failed(kind.name(), &error))?;
        Ok(Imported { rows: sheet.rows.len() as u64, deck_version_id: None })
    }
}

/// The error of an import that the database broke off.
pub(super) fn failed(what: &str, error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
            StoreError::Unavailable(format!("importing {what}: lost the database: {error}"))
        }
        error if is_missing_table(error) => {
            StoreError::Broken(format!("importing {what}: {error}; run `tandem migrate`"))
        }
        _ => StoreError::Broken(format!("importing {what}: {error}")),
    }
}

/// The ids to which a file may refer.
async fn known(connection: &mut Connection, references: impl Iterator<Item = Reference>) -> Result<Known, StoreError> {
    let mut known = Known::new();
    for to in references {
        let statement: &'static Statement = match to {
            Reference::Account => &KNOWN_ACCOUNTS,
            Reference::Line => &KNOWN_LINES,
            Reference::RingGroup => &KNOWN_RING_GROUPS,
            Reference::Mailbox => &KNOWN_MAILBOXES,
            Reference::Menu => &KNOWN_MENUS,
            Reference::Directory => &KNOWN_DIRECTORIES,
            Reference::Deck => &KNOWN_DECKS,
            Reference::Currency => &KNOWN_CURRENCIES,
            Reference::Class => &KNOWN_CLASSES,
        };
        let text = statement.text(connection.backend());
        let rows: Vec<(String, String)> =
            connection.rows(text, &[]).await.map_err(|error| failed(statement.name, &error))?;
        known.insert(to, rows.into_iter().collect::<HashMap<_, _>>());
    }
    Ok(known)
}

async fn write(connection: &mut Connection, kind: Kind, sheet: &Sheet) -> Result<(), sqlx::Error> {
    connection.begin().await?;
    match kind {
        Kind::Permissions => permissions(connection, sheet).await?,
        Kind::BlockedPrefixes => blocked_prefixes(connection, sheet).await?,
        Kind::EmergencyContacts => emergency_contacts(connection, sheet).await?,
        Kind::FindMeNumbers => find_me_numbers(connection, sheet).await?,
        Kind::BlockedCallers => blocked_callers(connection, sheet).await?,
        _ => rows(connection, kind, sheet).await?,
    }
    connection.commit().await
}

/// The kinds of which a row is a row of one table.
async fn rows(connection: &mut Connection, kind: Kind, sheet: &Sheet) -> Result<(), sqlx::Error> {
    let now = Time(Utc::now());
    // A row leads to one target: setting one clears the others, even if the file has one column only.
    let whole = matches!(kind, Kind::Numbers | Kind::Extensions);
    let columns: Vec<(usize, &Column)> =
        kind.columns().iter().enumerate().filter(|(_, column)| !column.column.is_empty()).collect();
    let is_key = |column: &Column| kind.key().contains(&column.name);
    let select = |wanted: &dyn Fn(usize, &Column) -> bool| -> Vec<usize> {
        columns.iter().filter(|(index, column)| wanted(*index, column)).map(|(index, _)| *index).collect()
    };
    let keys = select(&|_, column| is_key(column));
    let sets = select(&|index, column| {
        !is_key(column) && !column.initial && (whole || sheet.present.get(index).copied().unwrap_or_default())
    });
    let fresh = select(&|index, column| !is_key(column) && !sets.contains(&index));
    let names = |indexes: &[usize]| -> Vec<&'static str> {
        indexes.iter().filter_map(|index| kind.columns().get(*index)).map(|column| column.column).collect()
    };
    let mut fresh_names = names(&fresh);
    fresh_names.extend(kind.has_created_at().then_some("created_at"));
    let upsert = Upsert::new(connection.backend(), table(kind), &names(&keys), &names(&sets), &fresh_names);
    for row in &sheet.rows {
        let values = |indexes: &[usize]| -> Vec<Value<'_>> {
            indexes.iter().filter_map(|index| row.get(*index)).map(value).collect()
        };
        let mut fresh_values = values(&fresh);
        fresh_values.extend(kind.has_created_at().then(|| Value::from(now)));
        upsert.write(connection, &values(&keys), &values(&sets), &fresh_values).await?;
        if kind == Kind::Mailboxes
            && let Some(id) = row.first().and_then(Cell::text)
        {
            spell_name(connection, id).await?;
        }
        if let (Some(Cell::Text(Some(id))), Some(Cell::Members(members))) = (row.first(), row.last())
            && sheet.present.last() == Some(&true)
        {
            if kind == Kind::Mailboxes {
                mailbox_lines(connection, id, members).await?;
            } else {
                ring_group_members(connection, id, members).await?;
            }
        }
    }
    Ok(())
}

fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Currencies => "currencies",
        Kind::Accounts => "accounts",
        Kind::Lines => "phone_lines",
        Kind::Mailboxes => "mailboxes",
        Kind::MailboxRules => "mailbox_rules",
        Kind::RingGroups => "ring_groups",
        Kind::Numbers => "numbers",
        Kind::Extensions => "extensions",
        Kind::Permissions => "account_permissions",
        Kind::Gateways => "gateways",
        Kind::BlockedPrefixes => "blocked_prefixes",
        Kind::Locations => "emergency_locations",
        Kind::EmergencyContacts => "emergency_contacts",
        Kind::FacilityDefaults => "facility_defaults",
        Kind::LineFeatures => "line_features",
        Kind::FindMeNumbers => "find_me_numbers",
        Kind::SpeedDials => "speed_dials",
        Kind::BlockedCallers => "blocked_callers",
        Kind::FeatureCodes => "feature_codes",
        Kind::Directories => "directories",
    }
}

/// The lines whose messages go there are those of the file.
async fn mailbox_lines(connection: &mut Connection, mailbox: &str, lines: &[String]) -> Result<(), sqlx::Error> {
    let backend = connection.backend();
    let clear = numbered(backend, "UPDATE phone_lines SET mailbox_id = NULL WHERE mailbox_id = $1".to_owned());
    connection.execute(clear, &[mailbox.into()]).await?;
    let set = numbered(backend, "UPDATE phone_lines SET mailbox_id = $1 WHERE id = $2".to_owned());
    for line in lines {
        connection.execute(set.clone(), &[mailbox.into(), line.as_str().into()]).await?;
    }
    Ok(())
}

async fn ring_group_members(connection: &mut Connection, group: &str, lines: &[String]) -> Result<(), sqlx::Error> {
    let backend = connection.backend();
    let delete = numbered(backend, "DELETE FROM ring_group_members WHERE ring_group_id = $1".to_owned());
    connection.execute(delete, &[group.into()]).await?;
    let insert = numbered(
        backend,
        "INSERT INTO ring_group_members (ring_group_id, position, line_id) VALUES ($1, $2, $3)".to_owned(),
    );
    for (position, line) in (1_i64..).zip(lines) {
        let values = [group.into(), Value::Integer(Some(position)), line.as_str().into()];
        connection.execute(insert.clone(), &values).await?;
    }
    Ok(())
}

/// A row with a line is the line's, else the account's.
async fn permissions(connection: &mut Connection, sheet: &Sheet) -> Result<(), sqlx::Error> {
    let backend = connection.backend();
    let of_account = Upsert::new(backend, "account_permissions", &["account_id", "class_name"], &["allowed"], &[]);
    let of_line = Upsert::new(backend, "line_permissions", &["line_id", "class_name"], &["allowed"], &[]);
    for row in &sheet.rows {
        let [account, line, class, allowed] = row.as_slice() else { continue };
        let (upsert, whose) = if line.text().is_some() { (&of_line, line) } else { (&of_account, account) };
        upsert.write(connection, &[value(whose), value(class)], &[value(allowed)], &[]).await?;
    }
    Ok(())
}

/// The account, NULL for everybody, is part of the key, and NULL equals nothing: so the old row goes first.
async fn blocked_prefixes(connection: &mut Connection, sheet: &Sheet) -> Result<(), sqlx::Error> {
    let backend = connection.backend();
    let delete = "DELETE FROM blocked_prefixes WHERE prefix = $1 AND COALESCE(account_id, '') = $2";
    let insert = "INSERT INTO blocked_prefixes (prefix, account_id, reason) VALUES ($1, $2, $3)";
    let (delete, insert) = (numbered(backend, delete.to_owned()), numbered(backend, insert.to_owned()));
    for row in &sheet.rows {
        let [prefix, account, reason] = row.as_slice() else { continue };
        let whose = Value::from(account.text().unwrap_or_default());
        connection.execute(delete.clone(), &[value(prefix), whose]).await?;
        connection.execute(insert.clone(), &[value(prefix), value(account), value(reason)]).await?;
    }
    Ok(())
}

/// The contacts of an account that the file names are those of the file.
async fn emergency_contacts(connection: &mut Connection, sheet: &Sheet) -> Result<(), sqlx::Error> {
    clear(connection, "emergency_contacts", "account_id", sheet).await?;
    let insert = "INSERT INTO emergency_contacts (account_id, kind, address) VALUES ($1, $2, $3)";
    let insert = numbered(connection.backend(), insert.to_owned());
    for row in &sheet.rows {
        connection.execute(insert.clone(), &row.iter().map(value).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// The numbers of a line that the file names are those of the file, in its order.
async fn find_me_numbers(connection: &mut Connection, sheet: &Sheet) -> Result<(), sqlx::Error> {
    clear(connection, "find_me_numbers", "line_id", sheet).await?;
    let insert = "INSERT INTO find_me_numbers (position, line_id, number, ring_seconds) VALUES ($1, $2, $3, $4)";
    let insert = numbered(connection.backend(), insert.to_owned());
    for (position, row) in (1_i64..).zip(&sheet.rows) {
        let mut values = vec![Value::Integer(Some(position))];
        values.extend(row.iter().map(value));
        connection.execute(insert.clone(), &values).await?;
    }
    Ok(())
}

/// Whom a line that the file names does not want is who stands in the file.
async fn blocked_callers(connection: &mut Connection, sheet: &Sheet) -> Result<(), sqlx::Error> {
    clear(connection, "blocked_callers", "line_id", sheet).await?;
    let insert = "INSERT INTO blocked_callers (line_id, number) VALUES ($1, $2)";
    let insert = numbered(connection.backend(), insert.to_owned());
    for row in &sheet.rows {
        let [line, number] = row.as_slice() else { continue };
        let number = number.text().unwrap_or_default().trim_start_matches('+');
        connection.execute(insert.clone(), &[value(line), number.into()]).await?;
    }
    Ok(())
}

/// Removes the rows of those whom the first column of the file names.
async fn clear(connection: &mut Connection, table: &str, column: &str, sheet: &Sheet) -> Result<(), sqlx::Error> {
    let delete = numbered(connection.backend(), format!("DELETE FROM {table} WHERE {column} = $1"));
    let whose: BTreeSet<&str> = sheet.rows.iter().filter_map(|row| row.first()?.text()).collect();
    for one in whose {
        connection.execute(delete.clone(), &[one.into()]).await?;
    }
    Ok(())
}

fn value(cell: &Cell) -> Value<'_> {
    match cell {
        Cell::Text(text) => Value::Text(text.as_deref()),
        Cell::Integer(integer) => Value::Integer(*integer),
        Cell::Flag(flag) => Value::Flag(*flag),
        Cell::Real(real) => Value::Real(*real),
        Cell::Time(time) => Value::Time(time.map(Time)),
        Cell::Members(_) => Value::Text(None),
    }
}

/// Updates a row or else inserts it: the three dialects have no upsert in common.
struct Upsert {
    update: SqlStr,
    insert: SqlStr,
}

impl Upsert {
    /// `keys` find the row, `sets` are changed, `fresh` are given to a new row only.
    fn new(backend: Backend, table: &str, keys: &[&str], sets: &[&str], fresh: &[&str]) -> Self {
        let assign = |names: &[&str], from: usize| -> Vec<String> {
            names.iter().zip(from..).map(|(name, n)| format!("{name} = ${n}")).collect()
        };
        let all = [keys, sets, fresh].concat();
        let marks: Vec<String> = (1..=all.len()).map(|n| format!("${n}")).collect();
        let sets_text = assign(sets, 1).join(", ");
        let keys_text = assign(keys, sets.len() + 1).join(" AND ");
        Upsert {
            update: numbered(backend, format!("UPDATE {table} SET {sets_text} WHERE {keys_text}")),
            insert: numbered(
                backend,
                format!("INSERT INTO {table} ({}) VALUES ({})", all.join(", "), marks.join(", ")),
            ),
        }
    }

    async fn write(
        &self,
        connection: &mut Connection,
        keys: &[Value<'_>],
        sets: &[Value<'_>],
        fresh: &[Value<'_>],
    ) -> Result<(), sqlx::Error> {
        if connection.execute(self.update.clone(), &[sets, keys].concat()).await? == 0 {
            connection.execute(self.insert.clone(), &[keys, sets, fresh].concat()).await?;
        }
        Ok(())
    }
}
