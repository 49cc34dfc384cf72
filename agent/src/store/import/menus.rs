//! Puts a file of menus in the place of all menus that its account has, in one transaction; and reads them back as a tree.

use std::collections::{BTreeMap, BTreeSet};

use super::write::failed;
use super::{ImportError, menu_file};
use crate::store::address::Session;
use crate::store::asking::Asking;
use crate::store::connection::{Connection, Value};
use crate::store::mailbox_writer::erase_recording;
use crate::store::menu::{Announcement, Menu};
use crate::store::menu_tree::{Surroundings, Tree};
use crate::store::schedule::{self, Schedule};
use crate::store::statement::{
    DELETE_MENU, DELETE_MENU_CONDITIONS, DELETE_MENU_LOOKUPS, DELETE_MENU_OPTIONS, DELETE_MENU_PROMPTS, DELETE_PROMPT,
    DELETE_SCHEDULE_HOLIDAYS, DELETE_SCHEDULE_HOURS, DELETE_SCHEDULES, FORGET_PROMPT_NUMBERS, INSERT_MENU,
    INSERT_MENU_CONDITION, INSERT_MENU_LOOKUP, INSERT_MENU_OPTION, INSERT_MENU_PROMPT, INSERT_PROMPT, INSERT_SCHEDULE,
    INSERT_SCHEDULE_HOLIDAY, INSERT_SCHEDULE_HOURS, KNOWN_ACCOUNTS, KNOWN_DIRECTORIES, KNOWN_EXTENSIONS, KNOWN_LINES,
    KNOWN_LOOKUPS, KNOWN_MAILBOXES, KNOWN_MENUS, KNOWN_PROMPTS, KNOWN_RING_GROUPS, KNOWN_SCHEDULES, Statement,
    UPDATE_MENU, UPDATE_PROMPT,
};
use crate::store::{Store, StoreError};

impl Store {
    /// Takes a file of menus: they are the account's from then on, and no others. What was recorded for a prompt stays with it.
    ///
    /// # Errors
    /// `Menus` with every fault, each with the path on which a caller would meet it; `Store` when the database fails.
    pub async fn import_menus(&self, text: &str, asking: &mut Asking) -> Result<Tree, ImportError> {
        let mut tree = menu_file::read(text).map_err(ImportError::Menus)?;
        let mut connection = self.hosts.open(Session::Work).await?;
        let account_id = tree.account_id.clone();
        let known = Known::read(&mut connection).await?;
        let strangers = known.strangers(&tree);
        if !strangers.is_empty() {
            return Err(ImportError::Menus(strangers));
        }
        for recorded in self.announcements(&account_id, asking).await? {
            if let Some(announcement) = tree.announcements.get_mut(&recorded.id) {
                announcement.audio = recorded.audio;
            }
        }
        tree.entrances = self.menu_entrances(&account_id, asking).await?;
        let faults = tree.faults(&surroundings(&mut connection, &account_id).await?);
        if !faults.is_empty() {
            return Err(ImportError::Menus(faults));
        }
        replace(&mut connection, &tree, &known).await.map_err(|error| failed("menus", &error))?;
        Ok(tree)
    }

    /// All the menus of an account, as they are in the database.
    ///
    /// # Errors
    /// As [`Store::menu`].
    pub async fn menu_tree(&self, account_id: &str, asking: &mut Asking) -> Result<Tree, StoreError> {
        let mut tree = Tree { account_id: account_id.to_owned(), ..Tree::default() };
        for id in self.menus_of_account(account_id, asking).await? {
            let Some(loaded) = self.menu(&id, asking).await? else { continue };
            tree.schedules.extend(loaded.schedules);
            tree.menus.insert(id, loaded.menu);
        }
        let announcements = self.announcements(account_id, asking).await?;
        tree.announcements = announcements.into_iter().map(|said| (said.id.clone(), said)).collect();
        let lookups = self.lookups(account_id, asking).await?;
        tree.lookups = lookups.into_iter().map(|lookup| (lookup.id.clone(), lookup)).collect();
        tree.entrances = self.menu_entrances(account_id, asking).await?;
        Ok(tree)
    }

    /// What else an account has that menus may lead to.
    ///
    /// # Errors
    /// Unavailable when no host is ready; Broken when it cannot be read.
    pub async fn menu_surroundings(&self, account_id: &str) -> Result<Surroundings, StoreError> {
        let mut connection = self.hosts.open(Session::Work).await?;
        surroundings(&mut connection, account_id).await
    }

    /// Whether there is an account of this id.
    ///
    /// # Errors
    /// As [`Store::menu_surroundings`].
    pub async fn has_account(&self, id: &str) -> Result<bool, StoreError> {
        let mut connection = self.hosts.open(Session::Work).await?;
        Ok(owners(&mut connection, &KNOWN_ACCOUNTS).await?.contains_key(id))
    }

    /// The account of each prompt, by its id.
    ///
    /// # Errors
    /// As [`Store::menu_surroundings`].
    pub async fn prompt_accounts(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let mut connection = self.hosts.open(Session::Work).await?;
        owners(&mut connection, &KNOWN_PROMPTS).await
    }

    /// The account of each menu, by its id.
    ///
    /// # Errors
    /// As [`Store::menu_surroundings`].
    pub async fn menu_accounts(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let mut connection = self.hosts.open(Session::Work).await?;
        owners(&mut connection, &KNOWN_MENUS).await
    }
}

/// The rows of a statement that tells ids, and whose they are.
async fn owners(
    connection: &mut Connection,
    statement: &'static Statement,
) -> Result<BTreeMap<String, String>, StoreError> {
    let rows: Vec<(String, String)> = connection
        .rows(statement.text(connection.backend()), &[])
        .await
        .map_err(|error| failed(statement.name, &error))?;
    Ok(rows.into_iter().collect())
}

async fn surroundings(connection: &mut Connection, account_id: &str) -> Result<Surroundings, StoreError> {
    let mut of = async |statement| {
        let owners = owners(connection, statement).await?;
        Ok::<_, StoreError>(owners.into_iter().filter(|(_, owner)| owner == account_id).map(|(id, _)| id).collect())
    };
    let (lines, ring_groups) = (of(&KNOWN_LINES).await?, of(&KNOWN_RING_GROUPS).await?);
    let (mailboxes, directories) = (of(&KNOWN_MAILBOXES).await?, of(&KNOWN_DIRECTORIES).await?);
    let extensions: Vec<(String, String)> = connection
        .rows(KNOWN_EXTENSIONS.text(connection.backend()), &[account_id.into()])
        .await
        .map_err(|error| failed(KNOWN_EXTENSIONS.name, &error))?;
    let extensions = extensions.into_iter().map(|(extension, _)| extension).collect();
    Ok(Surroundings { lines, ring_groups, mailboxes, directories, extensions })
}

/// What there is of these things, and whose it is.
struct Known {
    accounts: BTreeMap<String, String>,
    menus: BTreeMap<String, String>,
    prompts: BTreeMap<String, String>,
    schedules: BTreeMap<String, String>,
    lookups: BTreeMap<String, String>,
}

impl Known {
    async fn read(connection: &mut Connection) -> Result<Known, StoreError> {
        Ok(Known {
            accounts: owners(connection, &KNOWN_ACCOUNTS).await?,
            menus: owners(connection, &KNOWN_MENUS).await?,
            prompts: owners(connection, &KNOWN_PROMPTS).await?,
            schedules: owners(connection, &KNOWN_SCHEDULES).await?,
            lookups: owners(connection, &KNOWN_LOOKUPS).await?,
        })
    }

    /// Ids of the tree that are another account's already.
    fn strangers(&self, tree: &Tree) -> Vec<String> {
        if !self.accounts.contains_key(&tree.account_id) {
            return vec![format!("there is no account {}", tree.account_id)];
        }
        let mut faults = Vec::new();
        let mut look = |what: &str, ids: Vec<&String>, known: &BTreeMap<String, String>| {
            for id in ids {
                if known.get(id).is_some_and(|owner| *owner != tree.account_id) {
                    faults.push(format!("{what} {id}: another account has one of this id"));
                }
            }
        };
        look("menu", tree.menus.keys().collect(), &self.menus);
        look("prompt", tree.announcements.keys().collect(), &self.prompts);
        look("schedule", tree.schedules.keys().collect(), &self.schedules);
        look("lookup", tree.lookups.keys().collect(), &self.lookups);
        faults
    }

    /// Those of the account that are not in the tree.
    fn gone<'a>(
        known: &'a BTreeMap<String, String>,
        account_id: &'a str,
        kept: &BTreeSet<&String>,
    ) -> impl Iterator<Item = &'a str> {
        let of = known.iter().filter(move |(_, owner)| *owner == account_id).map(|(id, _)| id);
        of.filter(|id| !kept.contains(id)).map(String::as_str).collect::<Vec<_>>().into_iter()
    }
}

/// Puts the tree in the place of what the account has.
async fn replace(connection: &mut Connection, tree: &Tree, known: &Known) -> Result<(), sqlx::Error> {
    let account = Value::from(tree.account_id.as_str());
    connection.begin().await?;
    for statement in [
        &DELETE_MENU_OPTIONS,
        &DELETE_MENU_PROMPTS,
        &DELETE_MENU_CONDITIONS,
        &DELETE_SCHEDULE_HOURS,
        &DELETE_SCHEDULE_HOLIDAYS,
        &DELETE_SCHEDULES,
        &DELETE_MENU_LOOKUPS,
        &FORGET_PROMPT_NUMBERS,
    ] {
        run(connection, statement, &[account]).await?;
    }
    for id in Known::gone(&known.menus, &tree.account_id, &tree.menus.keys().collect()) {
        run(connection, &DELETE_MENU, &[id.into()]).await?;
    }
    for id in Known::gone(&known.prompts, &tree.account_id, &tree.announcements.keys().collect()) {
        forget(connection, id).await?;
    }
    for announcement in tree.announcements.values() {
        put_announcement(connection, announcement, account).await?;
    }
    for schedule in tree.schedules.values() {
        put_schedule(connection, schedule, account).await?;
    }
    for lookup in tree.lookups.values() {
        let values = [
            lookup.id.as_str().into(),
            account,
            lookup.method.as_str().into(),
            lookup.url.as_str().into(),
            integer(lookup.digits),
            integer(lookup.patience.as_secs()),
            lookup.fallback.name().into(),
            lookup.fallback.target().into(),
        ];
        run(connection, &INSERT_MENU_LOOKUP, &values).await?;
    }
    for menu in tree.menus.values() {
        put_menu(connection, menu, account).await?;
    }
    connection.commit().await
}

async fn run(
    connection: &mut Connection,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<u64, sqlx::Error> {
    connection.execute(statement.text(connection.backend()), values).await
}

fn integer<'a>(number: impl TryInto<i64>) -> Value<'a> {
    Value::Integer(Some(number.try_into().unwrap_or(i64::MAX)))
}

/// Removes a prompt, with what was recorded for it.
async fn forget(connection: &mut Connection, id: &str) -> Result<(), sqlx::Error> {
    erase_recording(connection, id).await?;
    run(connection, &DELETE_PROMPT, &[id.into()]).await.map(drop)
}

async fn put_announcement(
    connection: &mut Connection,
    announcement: &Announcement,
    account: Value<'_>,
) -> Result<(), sqlx::Error> {
    let Announcement { id, number, name, sound, text, .. } = announcement;
    let (id, number, name) = (Value::from(id.as_str()), Value::from(number.as_deref()), Value::from(name.as_str()));
    let (sound, text) = (Value::from(sound.as_str()), Value::from(text.as_str()));
    if run(connection, &UPDATE_PROMPT, &[number, name, sound, text, id]).await? == 0 {
        run(connection, &INSERT_PROMPT, &[id, account, number, name, sound, text]).await?;
    }
    Ok(())
}

async fn put_schedule(connection: &mut Connection, schedule: &Schedule, account: Value<'_>) -> Result<(), sqlx::Error> {
    let id = Value::from(schedule.id.as_str());
    let zone = schedule.time_zone.map(chrono_tz::Tz::name);
    run(connection, &INSERT_SCHEDULE, &[id, account, schedule.name.as_str().into(), zone.into()]).await?;
    for (weekday, range) in &schedule.hours {
        let (opens, closes) = (range.opens(), range.closes());
        let values = [id, schedule::word(*weekday).into(), opens.as_str().into(), closes.as_str().into()];
        run(connection, &INSERT_SCHEDULE_HOURS, &values).await?;
    }
    for holiday in &schedule.holidays {
        let day = holiday.day.to_string();
        let range = holiday.range.map(|range| (range.opens(), range.closes())).unwrap_or_default();
        let values =
            [id, day.as_str().into(), holiday.name.as_str().into(), range.0.as_str().into(), range.1.as_str().into()];
        run(connection, &INSERT_SCHEDULE_HOLIDAY, &values).await?;
    }
    Ok(())
}

async fn put_menu(connection: &mut Connection, menu: &Menu, account: Value<'_>) -> Result<(), sqlx::Error> {
    let id = Value::from(menu.id.as_str());
    let own = [
        menu.name.as_str().into(),
        Value::Flag(menu.entry),
        menu.language.as_str().into(),
        Value::Flag(menu.direct_dial),
        integer(menu.timeout.as_secs()),
        integer(menu.between.as_millis()),
        integer(menu.max_timeouts),
        integer(menu.max_invalid),
        menu.operator.as_str().into(),
        menu.line_id.as_deref().into(),
        account,
        id,
    ];
    if run(connection, &UPDATE_MENU, &own).await? == 0 {
        run(connection, &INSERT_MENU, &own).await?;
    }
    for (digits, action) in &menu.options {
        let values = [id, digits.as_str().into(), action.name().into(), action.target().into()];
        run(connection, &INSERT_MENU_OPTION, &values).await?;
    }
    for (digits, prompts) in &menu.said {
        for (position, prompt) in (1_i64..).zip(prompts) {
            let values = [id, digits.as_str().into(), Value::Integer(Some(position)), prompt.as_str().into()];
            run(connection, &INSERT_MENU_PROMPT, &values).await?;
        }
    }
    for (position, condition) in (1_i64..).zip(&menu.conditions) {
        let values = [
            id,
            Value::Integer(Some(position)),
            condition.schedule_id.as_str().into(),
            Value::Flag(condition.during),
            condition.action.name().into(),
            condition.action.target().into(),
        ];
        run(connection, &INSERT_MENU_CONDITION, &values).await?;
    }
    Ok(())
}
