//! The questions about directories; and the keys of names, which are computed anew where a name was changed.

use sqlx::FromRow;

use super::asking::Asking;
use super::connection::{Connection, Value};
use super::directory::{Directory, DirectoryGap, Person, Presentation, Search};
use super::mailboxes::{audio, word};
use super::spelling::{Spelling, spellings};
use super::statement::{
    DELETE_DIRECTORY_NAMES, DIRECTORY, DIRECTORY_GAPS, DIRECTORY_PEOPLE, INSERT_DIRECTORY_NAME, Known,
    SET_DIRECTORY_NAME, UNSPELLED_NAME, UNSPELLED_NAMES,
};
use super::target_columns::status;
use super::writer::{Unwritten, Writer};
use super::{Store, StoreError, key};

#[derive(FromRow)]
struct DirectoryRow {
    account_id: String,
    account_status: String,
    department: String,
    search: String,
    letters: i32,
    presentation: String,
    say_extension: bool,
    operator: String,
    language: String,
}

impl DirectoryRow {
    fn directory(self) -> Result<Directory, StoreError> {
        Ok(Directory {
            account_status: status(&self.account_status)?,
            account_id: self.account_id,
            department: self.department,
            search: word(Search::named(&self.search), "search", &self.search)?,
            letters: usize::try_from(self.letters).unwrap_or_default().clamp(1, 9),
            presentation: word(Presentation::named(&self.presentation), "presentation", &self.presentation)?,
            say_extension: self.say_extension,
            operator: self.operator,
            language: self.language,
        })
    }
}

#[derive(FromRow)]
struct PersonRow {
    id: String,
    account_id: String,
    name: String,
    extension: String,
    reached: Option<String>,
    audio_id: Option<String>,
    place: Option<String>,
    format: Option<String>,
    bytes: Option<i64>,
    duration_ms: Option<i64>,
}

impl PersonRow {
    fn person(self) -> Result<Person, StoreError> {
        let columns = (self.audio_id, self.place, self.format, self.bytes, self.duration_ms);
        let spoken = match columns {
            (Some(id), Some(place), Some(format), Some(bytes), Some(duration_ms)) => {
                Some(audio(&id, &place, &format, bytes, duration_ms)?)
            }
            _ => None,
        };
        Ok(Person {
            mailbox_id: self.id,
            account_id: self.account_id,
            name: self.name,
            extension: self.extension,
            reachable: self.reached.is_some(),
            spoken,
        })
    }
}

impl Store {
    /// A directory. `None` when there is none of this id.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time, nor the replica; Broken when the answer cannot be understood.
    pub async fn directory(&self, id: &str, asking: &mut Asking) -> Result<Option<Directory>, StoreError> {
        let rows: Vec<DirectoryRow> = self.ask(&DIRECTORY, &[key(id)], asking).await?;
        rows.into_iter().next().map(DirectoryRow::directory).transpose()
    }

    /// Whom one finds in a directory by the keys that were pressed, `0` to `9`, in the order of the names that fit; the first 200. Active mailboxes that
    /// are not hidden, each once.
    ///
    /// # Errors
    /// As [`Store::directory`].
    pub async fn people(
        &self,
        directory: &Directory,
        digits: &str,
        asking: &mut Asking,
    ) -> Result<Vec<Person>, StoreError> {
        // Every collation has letters after digits.
        let after = format!("{digits}a");
        let [one, two, three] = directory.search.parts().map(|part| Value::from(part.name()));
        let (account, department) = (key(&directory.account_id), Value::from(directory.department.as_str()));
        let (digits, after) = (Value::from(digits), Value::from(after.as_str()));
        let values = [account, digits, after, one, two, three, department, department, account, department, department];
        let rows: Vec<PersonRow> = self.ask(&DIRECTORY_PEOPLE, &values, asking).await?;
        rows.into_iter().map(PersonRow::person).collect()
    }

    /// What callers of directories would miss.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub async fn directory_gaps(&self) -> Result<Vec<DirectoryGap>, StoreError> {
        self.read_all(&DIRECTORY_GAPS).await
    }
}

/// A name whose keys are to be computed.
#[derive(FromRow)]
struct Unspelled {
    id: String,
    account_id: String,
    department: String,
    /// Empty for who cannot be found.
    name: String,
    /// Keys that were computed before.
    known_keys: i64,
}

/// Rows of one statement: parameters are limited.
const ROWS: usize = 1000;

impl Writer {
    /// Computes the keys of names that were changed, some of them, of mailboxes after the one with the id `after`; returns the ids of these, none at the
    /// end.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn spell_names(&mut self, after: &str) -> Result<Vec<String>, Unwritten> {
        let mut spelled = Vec::new();
        self.within(async |connection| {
            let text = UNSPELLED_NAMES.text(connection.backend());
            let names: Vec<Unspelled> = connection.rows(text, &[after.into()]).await?;
            if names.is_empty() {
                return Ok(());
            }
            // What is changed meanwhile is found the next time: it is noted from which name the keys are.
            connection.begin().await?;
            spell(connection, &names).await?;
            connection.commit().await?;
            spelled = names.into_iter().map(|name| name.id).collect();
            Ok(())
        })
        .await?;
        Ok(spelled)
    }

    /// Computes the keys of these mailboxes' names, where they were changed; returns how many were.
    ///
    /// # Errors
    /// See [`Unwritten`].
    pub async fn spell_names_of(&mut self, mailboxes: &[String]) -> Result<usize, Unwritten> {
        let mut names = 0;
        self.within(async |connection| {
            connection.begin().await?;
            for id in mailboxes {
                names += spell_name(connection, id).await?;
            }
            connection.commit().await
        })
        .await?;
        Ok(names)
    }
}

/// Computes the keys of a mailbox's name, if it was changed; returns how many names that were, one or none.
pub(super) async fn spell_name(connection: &mut Connection, mailbox_id: &str) -> Result<usize, sqlx::Error> {
    let text = UNSPELLED_NAME.text(connection.backend());
    let names: Vec<Unspelled> = connection.rows(text, &[mailbox_id.into()]).await?;
    spell(connection, &names).await?;
    Ok(names.len())
}

async fn spell(connection: &mut Connection, names: &[Unspelled]) -> Result<(), sqlx::Error> {
    let backend = connection.backend();
    for name in names.iter().filter(|name| name.known_keys > 0) {
        connection.execute(DELETE_DIRECTORY_NAMES.text(backend), &[name.id.as_str().into()]).await?;
    }
    let spelled: Vec<(&Unspelled, Spelling)> =
        names.iter().flat_map(|name| spellings(&name.name).into_iter().map(move |one| (name, one))).collect();
    for some in spelled.chunks(ROWS) {
        let columns = some.iter().flat_map(|(name, Spelling { part, digits, letters })| {
            [&name.id, &name.account_id, &name.department, part.name(), digits, letters].map(Value::from)
        });
        let values: Vec<Value<'_>> = columns.collect();
        connection.execute(INSERT_DIRECTORY_NAME.rows(backend, some.len(), Known::Refuse), &values).await?;
    }
    for name in names {
        let values = [name.name.as_str().into(), name.id.as_str().into()];
        connection.execute(SET_DIRECTORY_NAME.text(backend), &values).await?;
    }
    Ok(())
}
