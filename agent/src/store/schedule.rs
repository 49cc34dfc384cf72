//! Hours of an account: of each weekday, and of holidays, in a time zone.
//!
//! What holds is the time that a clock on the wall shows: an hour that is left out in spring opens nothing, and one that comes twice in autumn is open twice.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, NaiveDate, Timelike, Utc, Weekday};
use chrono_tz::Tz;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// When something is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// An IANA time zone; else the account's holds.
    pub time_zone: Option<Tz>,
    /// Hours of weekdays.
    pub hours: Vec<(Weekday, Range)>,
    /// Days on which those do not hold.
    pub holidays: Vec<Holiday>,
}

/// From a minute of the day until before another one; into the next day if that does not come after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    opens: u16,
    closes: u16,
}

/// A day on which the hours of its weekday do not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// Which.
    pub day: Day,
    /// Its name, for people.
    pub name: String,
    /// What is open on it all the same.
    pub range: Option<Range>,
}

/// One day, or a day of every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// `2026-11-26`
    Once(NaiveDate),
    /// `12-25`: month and day.
    Yearly(u32, u32),
}

impl Schedule {
    /// Whether it is open at a time; `zone` is the account's.
    #[must_use]
    pub fn holds(&self, at: DateTime<Utc>, zone: Tz) -> bool {
        let local = at.with_timezone(&self.time_zone.unwrap_or(zone)).naive_local();
        // Within a day, so it fits.
        let minute = u16::try_from(local.hour() * 60 + local.minute()).unwrap_or(DAY);
        let today = local.date();
        let began_yesterday = |range: &Range| range.goes_on() && minute < range.closes;
        let yesterday = today.checked_sub_days(Days::new(1)).map(|day| self.ranges(day)).unwrap_or_default();
        self.ranges(today).iter().any(|range| range.holds_on_its_day(minute)) || yesterday.iter().any(began_yesterday)
    }

    /// What opens on a day.
    fn ranges(&self, day: NaiveDate) -> Vec<Range> {
        let mut holidays = self.holidays.iter().filter(|holiday| holiday.day.is(day)).peekable();
        if holidays.peek().is_some() {
            return holidays.filter_map(|holiday| holiday.range).collect();
        }
        let weekday = day.weekday();
        self.hours.iter().filter(|(of, _)| *of == weekday).map(|(_, range)| *range).collect()
    }
}

impl Range {
    /// Reads `08:00` and `18:00`; `24:00` is the end of the day.
    #[must_use]
    pub fn read(opens: &str, closes: &str) -> Option<Range> {
        let range = Range { opens: minute(opens)?, closes: minute(closes)? };
        (range.opens < DAY).then_some(range)
    }

    /// When it opens, `08:00`.
    #[must_use]
    pub fn opens(&self) -> String {
        clock(self.opens)
    }

    /// When it closes, `18:00`.
    #[must_use]
    pub fn closes(&self) -> String {
        clock(self.closes)
    }

    /// Whether it goes on into the next day.
    fn goes_on(self) -> bool {
        self.closes <= self.opens
    }

    fn holds_on_its_day(self, minute: u16) -> bool {
        self.opens <= minute && (self.goes_on() || minute < self.closes)
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u16>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl Day {
    fn is(self, day: NaiveDate) -> bool {
        match self {
            Day::Once(date) => date == day,
            Day::Yearly(month, of) => (month, of) == (day.month(), day.day()),
        }
    }
}

/// From one day to another, both included: of one year at the most, and of every year over its end. `None` when these are no such days.
#[must_use]
pub fn days(first: Day, last: Day) -> Option<Vec<Day>> {
    match (first, last) {
        (Day::Once(first), Day::Once(last)) => {
            let days = || first.iter_days().take_while(|day| *day <= last);
            (first <= last && days().nth(366).is_none()).then(|| days().map(Day::Once).collect())
        }
        (Day::Yearly(..), Day::Yearly(..)) => {
            // A leap year has every day that there is.
            let year = NaiveDate::from_ymd_opt(2000, 1, 1)?;
            let all = || year.iter_days().map(|day| Day::Yearly(day.month(), day.day()));
            let days = all().take(366).chain(all().take(366)).skip_while(|day| *day != first).take(366);
            let days: Vec<Day> = days.collect();
            let count = days.iter().position(|day| *day == last)? + 1;
            Some(days.into_iter().take(count).collect())
        }
        _ => None,
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Day, String> {
        let wrong = || format!("{text:?} is neither a day such as 2026-11-26 nor one of every year such as 12-25");
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Ok(Day::Once(date));
        }
        // A leap year has every day that there is.
        let date = NaiveDate::parse_from_str(&format!("2000-{text}"), "%Y-%m-%d").map_err(|_| wrong())?;
        if text.len() == 5 { Ok(Day::Yearly(date.month(), date.day())) } else { Err(wrong()) }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Day::Once(date) => write!(f, "{date}"),
            Day::Yearly(month, day) => write!(f, "{month:02}-{day:02}"),
        }
    }
}

/// The weekday of a word, `mon`.
#[must_use]
pub fn weekday(word: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(name, _)| *name == word).map(|(_, day)| *day)
}

/// The word of a weekday.
#[must_use]
pub fn word(weekday: Weekday) -> &'static str {
    WEEKDAYS.iter().find(|(_, day)| *day == weekday).map_or("", |(name, _)| name)
}

/// As the database calls them, in order.
pub const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(hours: &[(&str, &str, &str)], holidays: &[(&str, &str, &str)]) -> Schedule {
        let hours =
            hours.iter().map(|(day, opens, closes)| (weekday(day).unwrap(), Range::read(opens, closes).unwrap()));
        let holidays = holidays.iter().map(|(day, opens, closes)| Holiday {
            day: day.parse().unwrap(),
            name: String::new(),
            range: Range::read(opens, closes),
        });
        Schedule {
            id: "s".into(),
            name: String::new(),
            time_zone: None,
            hours: hours.collect(),
            holidays: holidays.collect(),
        }
    }

    fn holds(schedule: &Schedule, at: &str, zone: Tz) -> bool {
        schedule.holds(at.parse().unwrap(), zone)
    }

    #[test]
    fn a_range_holds_from_its_first_minute_until_before_its_last() {
        let office = schedule(&[("mon", "08:00", "18:00")], &[]);
        for (at, open) in [
            ("2026-11-23T13:59:59Z", false),
            ("2026-11-23T14:00:00Z", true),
            ("2026-11-23T23:59:59Z", true),
            ("2026-11-24T00:00:00Z", false),
            ("2026-11-24T15:00:00Z", false),
        ] {
            assert_eq!(holds(&office, at, Tz::America__Chicago), open, "{at}");
        }
    }

    #[test]
    fn its_own_time_zone_comes_before_the_accounts() {
        let mut office = schedule(&[("mon", "08:00", "18:00")], &[]);
        assert!(!holds(&office, "2026-11-23T08:00:00Z", Tz::America__Chicago));
        office.time_zone = Some(Tz::Europe__London);
        assert!(holds(&office, "2026-11-23T08:00:00Z", Tz::America__Chicago));
    }

    #[test]
    fn a_range_goes_on_over_midnight_into_any_day() {
        let bar = schedule(&[("sat", "22:00", "02:00")], &[]);
        for (at, open) in [
            ("2026-11-28T21:59:59Z", false),
            ("2026-11-28T22:00:00Z", true),
            ("2026-11-28T23:59:59Z", true),
            ("2026-11-29T00:00:00Z", true),
            ("2026-11-29T01:59:59Z", true),
            ("2026-11-29T02:00:00Z", false),
            // Friday's night is none.
            ("2026-11-28T01:00:00Z", false),
        ] {
            assert_eq!(holds(&bar, at, Tz::UTC), open, "{at}");
        }
    }

    #[test]
    fn midnight_is_the_end_of_one_day_or_the_beginning_of_the_next() {
        for closes in ["24:00", "00:00"] {
            let evening = schedule(&[("wed", "20:00", closes)], &[]);
            assert!(holds(&evening, "2026-11-25T23:59:59Z", Tz::UTC), "{closes}");
            assert!(!holds(&evening, "2026-11-26T00:00:00Z", Tz::UTC), "{closes}");
        }
        let always = schedule(&[("wed", "00:00", "24:00"), ("thu", "00:00", "00:00")], &[]);
        assert!(holds(&always, "2026-11-25T00:00:00Z", Tz::UTC) && holds(&always, "2026-11-26T23:59:59Z", Tz::UTC));
        assert!(!holds(&always, "2026-11-27T00:00:00Z", Tz::UTC));
    }

    #[test]
    fn an_hour_that_is_left_out_in_spring_opens_nothing() {
        // New York, 2026-03-08: after 01:59:59 (06:59:59 UTC) comes 03:00.
        let night = schedule(&[("sun", "02:00", "03:00")], &[]);
        for at in ["2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z"] {
            assert!(!holds(&night, at, Tz::America__New_York), "{at}");
        }
        let morning = schedule(&[("sun", "01:30", "03:30")], &[]);
        for (at, open) in
            [("2026-03-08T06:30:00Z", true), ("2026-03-08T07:29:59Z", true), ("2026-03-08T07:30:00Z", false)]
        {
            assert_eq!(holds(&morning, at, Tz::America__New_York), open, "{at}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_in_autumn_is_open_twice() {
        // New York, 2026-11-01: after 01:59:59 EDT (05:59:59 UTC) comes 01:00 EST.
        let night = schedule(&[("sun", "01:00", "02:00")], &[]);
        for (at, open) in [
            ("2026-11-01T04:59:59Z", false),
            ("2026-11-01T05:00:00Z", true),
            ("2026-11-01T05:59:59Z", true),
            ("2026-11-01T06:00:00Z", true),
            ("2026-11-01T06:59:59Z", true),
            ("2026-11-01T07:00:00Z", false),
        ] {
            assert_eq!(holds(&night, at, Tz::America__New_York), open, "{at}");
        }
        // Over the change, opening and closing keep to the clock on the wall: nine in the morning is an hour later in UTC.
        let office = schedule(&[("mon", "09:00", "17:00")], &[]);
        assert!(holds(&office, "2026-10-26T13:00:00Z", Tz::America__New_York));
        assert!(!holds(&office, "2026-11-02T13:00:00Z", Tz::America__New_York));
        assert!(holds(&office, "2026-11-02T14:00:00Z", Tz::America__New_York));
    }

    #[test]
    fn midnight_that_does_not_exist_is_no_harm() {
        // Beirut, 2026-03-29: after 23:59:59 comes 01:00.
        let day = schedule(&[("sun", "00:00", "24:00")], &[]);
        assert!(!holds(&day, "2026-03-28T21:59:59Z", Tz::Asia__Beirut));
        assert!(holds(&day, "2026-03-28T22:00:00Z", Tz::Asia__Beirut));
    }

    #[test]
    fn on_a_holiday_its_own_hours_hold_or_none() {
        let week: Vec<(&str, &str, &str)> = WEEKDAYS.iter().map(|(day, _)| (*day, "08:00", "18:00")).collect();
        let office = schedule(
            &week,
            &[("2026-11-26", "", ""), ("12-25", "", ""), ("12-24", "08:00", "12:00"), ("02-29", "", "")],
        );
        for (at, open) in [
            ("2026-11-26T10:00:00Z", false),
            ("2027-11-26T10:00:00Z", true),
            ("2026-12-25T10:00:00Z", false),
            ("2031-12-25T10:00:00Z", false),
            ("2026-12-24T11:59:00Z", true),
            ("2026-12-24T12:00:00Z", false),
            ("2028-02-29T10:00:00Z", false),
            ("2027-03-01T10:00:00Z", true),
        ] {
            assert_eq!(holds(&office, at, Tz::UTC), open, "{at}");
        }
    }

    #[test]
    fn the_night_before_a_holiday_belongs_to_the_day_before() {
        let bar = schedule(&[("thu", "22:00", "04:00"), ("fri", "22:00", "04:00")], &[("2026-12-25", "", "")]);
        assert!(holds(&bar, "2026-12-25T03:59:00Z", Tz::UTC), "Thursday's night");
        assert!(!holds(&bar, "2026-12-25T23:00:00Z", Tz::UTC), "Friday is the holiday");
        assert!(!holds(&bar, "2026-12-26T01:00:00Z", Tz::UTC), "and so is its night");
        // In the account's zone, the holiday begins and ends there.
        let day = schedule(&[("fri", "00:00", "24:00")], &[("12-25", "", "")]);
        assert!(!holds(&day, "2026-12-26T05:59:00Z", Tz::America__Chicago));
    }

    #[test]
    fn what_is_no_time_and_no_day_is_not_read() {
        for (opens, closes) in
            [("8:00", "18:00"), ("08:00", "24:01"), ("24:00", "01:00"), ("08:60", "09:00"), ("", ""), ("08-00", "1")]
        {
            assert_eq!(Range::read(opens, closes), None, "{opens}-{closes}");
        }
        for day in ["", "13-01", "02-30", "2026-02-29", "1-1", "2026-1", "12-25 ", "everyday"] {
            assert!(day.parse::<Day>().is_err(), "{day}");
        }
        for day in ["2026-11-26", "12-25", "02-29"] {
            assert_eq!(day.parse::<Day>().unwrap().to_string(), day);
        }
    }
}
