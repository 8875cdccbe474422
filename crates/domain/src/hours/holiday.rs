//! Days that are not as others of the week: `01-01..01-08`, `2027-05-01 10:00-14:00`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::day::{DayHours, InvalidHours};

/// A leap year, in which every day of a year is there.
const LEAP_YEAR: i16 = 2_000;

/// Days with hours of their own, or closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Holiday {
    /// Which days.
    pub days: Days,
    /// When it is open on each of them; empty: closed.
    pub hours: DayHours,
}

/// From a day to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Days {
    /// Once.
    Once {
        /// The first day.
        first: Date,
        /// The last day, not before the first.
        last: Date,
    },
    /// Every year, maybe over its end. 29 February is there in leap years.
    Yearly {
        /// The first day, of whatever year.
        first: YearDay,
        /// The last day, in the next year if it is before the first.
        last: YearDay,
    },
}

/// A month and a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct YearDay {
    month: i8,
    day: i8,
}

/// Why a holiday was not understood, and what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHoliday {
    /// It is not written as days are.
    #[error(
        "{0:?} is no day; write such as \"2026-12-31\", \"01-01..01-08\" or \
         \"2027-05-01 10:00-14:00\""
    )]
    Form(String),
    /// The calendar does not have it.
    #[error("{0:?} is not in the calendar; write year, month and day, or month and day")]
    Calendar(String),
    /// One end has a year and the other has not.
    #[error("{0:?} has a year at one end only; write it at both, or at none")]
    Mixed(String),
    /// It ends before it begins.
    #[error("{0:?} ends before it begins; exchange the days")]
    Backwards(String),
    /// Its hours.
    #[error(transparent)]
    Hours(#[from] InvalidHours),
}

/// A day as it is written.
enum Written {
    Once(Date),
    Yearly(YearDay),
}

impl Days {
    /// Whether this day is one of them.
    pub fn has(self, date: Date) -> bool {
        match self {
            Self::Once { first, last } => first <= date && date <= last,
            Self::Yearly { first, last } => {
                let day = YearDay {
                    month: date.month(),
                    day: date.day(),
                };
                if first <= last {
                    first <= day && day <= last
                } else {
                    first <= day || day <= last
                }
            }
        }
    }

    /// Whether they are there once, not every year.
    pub fn is_of_one_year(self) -> bool {
        match self {
            Self::Once { .. } => true,
            Self::Yearly { .. } => false,
        }
    }

    /// How many they are, of every year in a leap year.
    pub fn count(self) -> i32 {
        match self {
            Self::Once { first, last } => 1 + (last - first).get_days(),
            Self::Yearly { first, last } => {
                let count = 1 + last.ordinal() - first.ordinal();
                if count > 0 { count } else { count + 366 }
            }
        }
    }
}

impl YearDay {
    fn new(month: i8, day: i8) -> Option<Self> {
        let date = Date::new(LEAP_YEAR, month, day).ok()?;
        Some(Self {
            month: date.month(),
            day: date.day(),
        })
    }

    fn ordinal(self) -> i32 {
        let date = Date::new(LEAP_YEAR, self.month, self.day);
        date.map_or(0, |date| i32::from(date.day_of_year()))
    }
}

impl FromStr for Days {
    type Err = InvalidHoliday;

    fn from_str(text: &str) -> Result<Self, InvalidHoliday> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        match (day(first.trim(), text)?, day(last.trim(), text)?) {
            (Written::Once(first), Written::Once(last)) if first <= last => {
                Ok(Self::Once { first, last })
            }
            (Written::Once(_), Written::Once(_)) => Err(InvalidHoliday::Backwards(text.to_owned())),
            (Written::Yearly(first), Written::Yearly(last)) => Ok(Self::Yearly { first, last }),
            (Written::Once(_), Written::Yearly(_)) | (Written::Yearly(_), Written::Once(_)) => {
                Err(InvalidHoliday::Mixed(text.to_owned()))
            }
        }
    }
}

fn day(text: &str, whole: &str) -> Result<Written, InvalidHoliday> {
    let form = || InvalidHoliday::Form(whole.to_owned());
    let number = |digits: &str, length| {
        let good = digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit());
        good.then(|| digits.parse::<i16>().ok()).flatten()
    };
    let small = |digits: &str| number(digits, 2).and_then(|number| i8::try_from(number).ok());
    let parts: Vec<&str> = text.split('-').collect();
    let written = match parts[..] {
        [year, month, day] => {
            let year = number(year, 4).ok_or_else(form)?;
            let (month, day) = (small(month).ok_or_else(form)?, small(day).ok_or_else(form)?);
            Date::new(year, month, day).ok().map(Written::Once)
        }
        [month, day] => {
            let (month, day) = (small(month).ok_or_else(form)?, small(day).ok_or_else(form)?);
            YearDay::new(month, day).map(Written::Yearly)
        }
        _ => return Err(form()),
    };
    written.ok_or_else(|| InvalidHoliday::Calendar(whole.to_owned()))
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once { first, last } if first == last => first.fmt(f),
            Self::Once { first, last } => write!(f, "{first}..{last}"),
            Self::Yearly { first, last } if first == last => first.fmt(f),
            Self::Yearly { first, last } => write!(f, "{first}..{last}"),
        }
    }
}

impl fmt::Display for YearDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl FromStr for Holiday {
    type Err = InvalidHoliday;

    fn from_str(text: &str) -> Result<Self, InvalidHoliday> {
        let text = text.trim();
        let (days, hours) = text.split_once(' ').unwrap_or((text, ""));
        Ok(Self {
            days: days.parse()?,
            hours: hours.parse()?,
        })
    }
}

impl fmt::Display for Holiday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.days.fmt(f)?;
        if self.hours.openings().is_empty() {
            return Ok(());
        }
        write!(f, " {}", self.hours)
    }
}

impl TryFrom<String> for Holiday {
    type Error = InvalidHoliday;

    fn try_from(text: String) -> Result<Self, InvalidHoliday> {
        text.parse()
    }
}

impl From<Holiday> for String {
    fn from(holiday: Holiday) -> Self {
        holiday.to_string()
    }
}
