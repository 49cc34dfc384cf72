//! The questions about menus.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono_tz::Tz;
use sqlx::FromRow;

use super::asking::Asking;
use super::menu::{Action, Condition, Loaded, Lookup, Menu};
use super::prompts::AnnouncementColumns;
use super::schedule::{self, Holiday, Range, Schedule};
use super::statement::{LOOKUPS_OF_ACCOUNT, MENU, MENU_ENTRANCES, MENU_LOOKUP, MENUS_OF_ACCOUNT};
use super::target_columns::status;
use super::{Store, StoreError, key};

#[derive(FromRow)]
struct MenuRow {
    menu_id: String,
    account_id: String,
    account_status: String,
    account_time_zone: String,
    name: String,
    entry: bool,
    language: String,
    direct_dial: bool,
    timeout_seconds: i32,
    between_ms: i32,
    max_timeouts: i32,
    max_invalid: i32,
    operator: String,
    line_id: Option<String>,
    extension_digit: String,
    longest_extension: Option<i64>,
    option_digits: Option<String>,
    option_action: Option<String>,
    option_target: Option<String>,
    said_digits: Option<String>,
    #[sqlx(flatten)]
    announcement: AnnouncementColumns,
    condition_position: Option<i32>,
    schedule_id: Option<String>,
    during: Option<bool>,
    condition_action: Option<String>,
    condition_target: Option<String>,
    schedule_name: Option<String>,
    schedule_time_zone: Option<String>,
    weekday: Option<String>,
    opens: Option<String>,
    closes: Option<String>,
    holiday: Option<String>,
    holiday_name: Option<String>,
    holiday_opens: Option<String>,
    holiday_closes: Option<String>,
}

#[derive(FromRow)]
struct LookupRow {
    id: String,
    method: String,
    url: String,
    digits: i32,
    seconds: i32,
    action: String,
    target: String,
}

fn action(name: &str, target: &str) -> Result<Action, StoreError> {
    Action::read(name, target)
        .ok_or_else(|| StoreError::Broken(format!("unknown action {name:?} {target:?} of a menu in the database")))
}

fn zone(name: &str) -> Result<Tz, StoreError> {
    name.parse().map_err(|_| StoreError::Broken(format!("unknown time zone {name:?} in the database")))
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

impl LookupRow {
    fn lookup(self) -> Result<Lookup, StoreError> {
        Ok(Lookup {
            fallback: action(&self.action, &self.target)?,
            id: self.id,
            method: self.method,
            url: self.url,
            digits: usize::try_from(self.digits).unwrap_or_default(),
            patience: Duration::from_secs(count(self.seconds).into()),
        })
    }
}

impl MenuRow {
    /// The menu, without what each row adds to it.
    fn begin(&self) -> Result<Loaded, StoreError> {
        Ok(Loaded {
            menu: Menu {
                id: self.menu_id.clone(),
                name: self.name.clone(),
                entry: self.entry,
                language: self.language.clone(),
                direct_dial: self.direct_dial,
                timeout: Duration::from_secs(count(self.timeout_seconds).into()),
                between: Duration::from_millis(count(self.between_ms).into()),
                max_timeouts: count(self.max_timeouts),
                max_invalid: count(self.max_invalid),
                operator: self.operator.clone(),
                line_id: self.line_id.clone(),
                conditions: Vec::new(),
                options: BTreeMap::new(),
                said: BTreeMap::new(),
            },
            account_id: self.account_id.clone(),
            account_status: status(&self.account_status)?,
            time_zone: zone(&self.account_time_zone)?,
            extensions: BTreeMap::new(),
            announcements: BTreeMap::new(),
            schedules: BTreeMap::new(),
        })
    }

    fn add_to(&self, loaded: &mut Loaded, last_condition: &mut Option<i32>) -> Result<(), StoreError> {
        if let (Some(digits), Some(name), Some(target)) =
            (&self.option_digits, &self.option_action, &self.option_target)
        {
            loaded.menu.options.insert(digits.clone(), action(name, target)?);
        }
        if let (Some(digits), Some(announcement)) = (&self.said_digits, self.announcement.announcement()?) {
            loaded.menu.said.entry(digits.clone()).or_default().push(announcement.id.clone());
            loaded.announcements.insert(announcement.id.clone(), announcement);
        }
        if let (Some(digit), Some(longest)) = (self.extension_digit.chars().next(), self.longest_extension) {
            loaded.extensions.insert(digit, usize::try_from(longest).unwrap_or_default());
        }
        self.add_condition(loaded, last_condition)
    }

    fn add_condition(&self, loaded: &mut Loaded, last_condition: &mut Option<i32>) -> Result<(), StoreError> {
        let (Some(schedule_id), Some(during), Some(name), Some(target)) =
            (&self.schedule_id, self.during, &self.condition_action, &self.condition_target)
        else {
            return Ok(());
        };
        if self.condition_position > *last_condition {
            *last_condition = self.condition_position;
            let action = action(name, target)?;
            loaded.menu.conditions.push(Condition { schedule_id: schedule_id.clone(), during, action });
        }
        if !loaded.schedules.contains_key(schedule_id) {
            loaded.schedules.insert(schedule_id.clone(), self.schedule(schedule_id)?);
        }
        if let Some(schedule) = loaded.schedules.get_mut(schedule_id) {
            self.add_to_schedule(schedule)?;
        }
        Ok(())
    }

    fn schedule(&self, id: &str) -> Result<Schedule, StoreError> {
        Ok(Schedule {
            id: id.to_owned(),
            name: self.schedule_name.clone().unwrap_or_default(),
            time_zone: self.schedule_time_zone.as_deref().map(zone).transpose()?,
            hours: Vec::new(),
            holidays: Vec::new(),
        })
    }

    fn add_to_schedule(&self, schedule: &mut Schedule) -> Result<(), StoreError> {
        let wrong = |what: &str| StoreError::Broken(format!("schedule {} in the database: {what}", schedule.id));
        if let (Some(word), Some(opens), Some(closes)) = (&self.weekday, &self.opens, &self.closes) {
            let weekday = schedule::weekday(word).ok_or_else(|| wrong("an unknown weekday"))?;
            let range = Range::read(opens, closes).ok_or_else(|| wrong("hours that are none"))?;
            // Two conditions may have one schedule.
            if !schedule.hours.contains(&(weekday, range)) {
                schedule.hours.push((weekday, range));
            }
        }
        if let (Some(day), Some(opens), Some(closes)) = (&self.holiday, &self.holiday_opens, &self.holiday_closes) {
            let range = match (opens.as_str(), closes.as_str()) {
                ("", "") => None,
                (opens, closes) => Some(Range::read(opens, closes).ok_or_else(|| wrong("hours that are none"))?),
            };
            let day = day.parse().map_err(|error: String| wrong(&error))?;
            let holiday = Holiday { day, name: self.holiday_name.clone().unwrap_or_default(), range };
            if !schedule.holidays.contains(&holiday) {
                schedule.holidays.push(holiday);
            }
        }
        Ok(())
    }
}

impl Store {
    /// A menu with all that a call through it needs, in one question. `None` when there is none of this id.
    ///
    /// # Errors
    /// Slow or Unavailable when no host answered in time, nor the replica; Broken when the answer cannot be understood.
    pub async fn menu(&self, id: &str, asking: &mut Asking) -> Result<Option<Loaded>, StoreError> {
        let rows: Vec<MenuRow> = self.ask(&MENU, &[key(id)], asking).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let mut loaded = first.begin()?;
        let mut last_condition = None;
        for row in &rows {
            row.add_to(&mut loaded, &mut last_condition)?;
        }
        Ok(Some(loaded))
    }

    /// The ids of an account's menus.
    ///
    /// # Errors
    /// As [`Store::menu`].
    pub async fn menus_of_account(&self, account_id: &str, asking: &mut Asking) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self.ask(&MENUS_OF_ACCOUNT, &[key(account_id)], asking).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Numbers and extensions of an account that lead to a menu, each with the menu's id.
    ///
    /// # Errors
    /// As [`Store::menu`].
    pub async fn menu_entrances(
        &self,
        account_id: &str,
        asking: &mut Asking,
    ) -> Result<Vec<(String, String)>, StoreError> {
        self.ask(&MENU_ENTRANCES, &[key(account_id), key(account_id)], asking).await
    }

    /// A lookup of an account. `None` when it has none of this id.
    ///
    /// # Errors
    /// As [`Store::menu`].
    pub async fn lookup(&self, account_id: &str, id: &str, asking: &mut Asking) -> Result<Option<Lookup>, StoreError> {
        let rows: Vec<LookupRow> = self.ask(&MENU_LOOKUP, &[key(id), key(account_id)], asking).await?;
        rows.into_iter().next().map(LookupRow::lookup).transpose()
    }

    /// The lookups of an account.
    ///
    /// # Errors
    /// As [`Store::menu`].
    pub async fn lookups(&self, account_id: &str, asking: &mut Asking) -> Result<Vec<Lookup>, StoreError> {
        let rows: Vec<LookupRow> = self.ask(&LOOKUPS_OF_ACCOUNT, &[key(account_id)], asking).await?;
        rows.into_iter().map(LookupRow::lookup).collect()
    }
}
