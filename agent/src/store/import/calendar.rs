//! Hours and holidays as they are written in a file of menus.

use chrono::Weekday;

use crate::store::schedule::{self, Holiday, Range, WEEKDAYS};

/// `mon-fri 08:00-18:00`, `sat,sun 10:00-12:00`, `daily 00:00-24:00`.
pub(super) fn read_hours(text: &str) -> Option<Vec<(Weekday, Range)>> {
    let (days, range) = text.trim().split_once(' ')?;
    let range = read_range(range.trim())?;
    let place = |word: &str| WEEKDAYS.iter().position(|(name, _)| *name == word);
    let mut hours = Vec::new();
    for part in days.split(',') {
        let (first, last) = match part {
            "daily" => (0, 6),
            part => {
                let (first, last) = part.split_once('-').unwrap_or((part, part));
                (place(first)?, place(last)?)
            }
        };
        // From Saturday to Monday is over the end of the week.
        let count = (last + 7 - first) % 7 + 1;
        let weekdays = WEEKDAYS.iter().cycle().skip(first).take(count);
        hours.extend(weekdays.map(|(_, weekday)| (*weekday, range)));
    }
    Some(hours)
}

fn read_range(text: &str) -> Option<Range> {
    let (opens, closes) = text.split_once('-')?;
    Range::read(opens, closes)
}

/// `2026-11-26 Thanksgiving`, `12-24 08:00-12:00 Christmas Eve`, `12-27..01-02 Between the years`.
pub(super) fn read_holidays(text: &str) -> Result<Vec<Holiday>, String> {
    let (days, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let (first, last) = days.split_once("..").unwrap_or((days, days));
    let all = schedule::days(first.parse()?, last.parse()?)
        .ok_or_else(|| format!("{days:?} is not from a day until a later one within a year"))?;
    let (hours, name) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let (range, name) = match read_range(hours) {
        Some(range) => (Some(range), name.trim()),
        // Taken for a name, they would close the whole day.
        None if hours.bytes().all(|b| b.is_ascii_digit() || b":-".contains(&b)) && !hours.is_empty() => {
            return Err(format!("{hours:?} is not like \"08:00-12:00\""));
        }
        None => (None, rest.trim()),
    };
    if name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(format!("the name of {days} is longer than 100 characters, or holds control characters"));
    }
    Ok(all.into_iter().map(|day| Holiday { day, name: name.to_owned(), range }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_they_are_said() {
        let office = Range::read("08:00", "18:00").unwrap();
        let days = |text: &str| read_hours(text).unwrap().into_iter().map(|(day, _)| day).collect::<Vec<_>>();
        assert_eq!(read_hours("mon 08:00-18:00").unwrap(), [(Weekday::Mon, office)]);
        assert_eq!(days("fri-mon 08:00-18:00"), [Weekday::Fri, Weekday::Sat, Weekday::Sun, Weekday::Mon]);
        assert_eq!(days("tue,thu 08:00-18:00"), [Weekday::Tue, Weekday::Thu]);
        assert_eq!(days("daily 00:00-24:00").len(), 7);
        for wrong in ["", "mon", "mon 8-18", "monday 08:00-18:00", "mon 08:00", "mon-xyz 08:00-18:00"] {
            assert_eq!(read_hours(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_holiday_has_a_name_and_may_have_hours() {
        let one = |text: &str| read_holidays(text).unwrap().pop().unwrap();
        let eve = one("12-24 08:00-12:00 Christmas Eve");
        assert_eq!((eve.name.as_str(), eve.range), ("Christmas Eve", Range::read("08:00", "12:00")));
        let day = one("2026-11-26 Thanksgiving Day");
        assert_eq!((day.name.as_str(), day.range), ("Thanksgiving Day", None));
        assert_eq!(one("07-04 4th of July").name, "4th of July");
        assert_eq!(one("12-25").name, "");
        for wrong in ["Christmas", "12-24 8:00-12:00 Eve", "12-24 8-12", "12-24 08:00 Eve"] {
            assert!(read_holidays(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn holidays_may_be_from_day_to_day() {
        let days = |text: &str| -> Vec<String> {
            read_holidays(text).unwrap().iter().map(|holiday| holiday.day.to_string()).collect()
        };
        assert_eq!(days("12-30..01-02 Years"), ["12-30", "12-31", "01-01", "01-02"]);
        assert_eq!(days("02-28..03-01"), ["02-28", "02-29", "03-01"]);
        assert_eq!(days("2027-02-28..2027-03-01 08:00-12:00"), ["2027-02-28", "2027-03-01"]);
        assert_eq!(days("12-31..12-30").len(), 366);
        for wrong in ["2027-03-01..2027-02-28", "2027-01-01..2028-12-31", "12-24..2027-01-01", "12-24..", "..12-24"] {
            assert!(read_holidays(wrong).is_err(), "{wrong}");
        }
    }
}
