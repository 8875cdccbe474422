//! The hours of one day, as they are written: `09:00-13:00, 14:00-18:00`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A day in minutes.
const DAY: u16 = 24 * 60;
const WHOLE_DAY: &str = "24h";
const CLOSED: &str = "closed";

/// Open without a break: from a minute of the day to another, maybe of the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    begin: u16,
    end: u16,
}

/// Every opening that begins on one day, none of which overlap. Empty: closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayHours(Vec<Opening>);

/// Why hours were not understood, and what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHours {
    /// They are not written as hours are.
    #[error(
        "{0:?} is no time; write such as \"09:00-18:00\", \"22:00-02:00\", \"24h\" or \"closed\""
    )]
    Form(String),
    /// There is no such time of the day.
    #[error("{0:?} is no time of the day; write from 00:00 to 23:59, and 24:00 at an end")]
    Clock(String),
    /// It would be open for no time, or for a whole day.
    #[error("{0:?} begins and ends at the same time; write \"24h\" for a whole day")]
    Empty(String),
    /// Two openings share some time.
    #[error("{0} and {1} overlap; write them as one")]
    Overlap(Opening, Opening),
}

impl Opening {
    /// The minute of the day at which it begins.
    pub fn begin(self) -> u16 {
        self.begin
    }

    /// The minute at which it ends, counted from the same midnight: more than a day's
    /// 1440 when it runs past the next one.
    pub fn end(self) -> u16 {
        self.end
    }
}

impl DayHours {
    /// Openings of one day, in any order.
    pub fn new(openings: impl IntoIterator<Item = Opening>) -> Result<Self, InvalidHours> {
        let mut openings: Vec<Opening> = openings.into_iter().collect();
        openings.sort();
        let mut pairs = openings.iter().zip(openings.iter().skip(1));
        match pairs.find(|(before, after)| before.end > after.begin) {
            Some((before, after)) => Err(InvalidHours::Overlap(*before, *after)),
            None => Ok(Self(openings)),
        }
    }

    /// In the order of the day.
    pub fn openings(&self) -> &[Opening] {
        &self.0
    }
}

impl FromStr for Opening {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        if text == WHOLE_DAY {
            return Ok(Self { begin: 0, end: DAY });
        }
        let parts = text.split_once(['-', '–']);
        let (begin, end) = parts.ok_or_else(|| InvalidHours::Form(text.to_owned()))?;
        let (begin, end) = (minute(begin.trim(), text)?, minute(end.trim(), text)?);
        if begin == DAY {
            return Err(InvalidHours::Clock(text.to_owned()));
        }
        if begin == end {
            return Err(InvalidHours::Empty(text.to_owned()));
        }
        let end = if end < begin { end + DAY } else { end };
        Ok(Self { begin, end })
    }
}

/// A time of the day, `24:00` being its end.
fn minute(clock: &str, whole: &str) -> Result<u16, InvalidHours> {
    let form = || InvalidHours::Form(whole.to_owned());
    let number = |digits: &str| {
        let good = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        good.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = clock.split_once(':').ok_or_else(form)?;
    if minute.len() != 2 {
        return Err(form());
    }
    let (hour, minute) = (
        number(hour).ok_or_else(form)?,
        number(minute).ok_or_else(form)?,
    );
    let minutes = hour * 60 + minute;
    if minute < 60 && minutes <= DAY {
        Ok(minutes)
    } else {
        Err(InvalidHours::Clock(whole.to_owned()))
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { begin, end } = *self;
        if begin == 0 && end == DAY {
            return f.write_str(WHOLE_DAY);
        }
        // Midnight is written as the end of the day, not as the beginning of the next.
        let end = if end > DAY { end - DAY } else { end };
        let (hour, minute) = (begin / 60, begin % 60);
        write!(f, "{hour:02}:{minute:02}-{:02}:{:02}", end / 60, end % 60)
    }
}

impl FromStr for DayHours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        let text = text.trim();
        if text.is_empty() || text == CLOSED {
            return Ok(Self::default());
        }
        let openings: Result<Vec<Opening>, _> =
            text.split(',').map(|part| part.trim().parse()).collect();
        Self::new(openings?)
    }
}

impl fmt::Display for DayHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(CLOSED);
        }
        let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join(", "))
    }
}

impl TryFrom<String> for DayHours {
    type Error = InvalidHours;

    fn try_from(text: String) -> Result<Self, InvalidHours> {
        text.parse()
    }
}

impl From<DayHours> for String {
    fn from(hours: DayHours) -> Self {
        hours.to_string()
    }
}
