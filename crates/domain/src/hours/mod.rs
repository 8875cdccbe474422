//! Opening hours: when somebody is there.
//!
//! Hours are what a clock on the wall shows, in a time zone. An opening belongs to the
//! day on which it begins: what runs past midnight goes on into a holiday, and what
//! would begin on a closed holiday is not there. A time of the clock stands for the
//! first moment at which the clock shows it or a later one. So an opening that begins
//! in the hour that is skipped in spring begins where the clock goes on, and the hour
//! that comes twice in autumn is not opened or closed twice.

mod day;
mod holiday;
mod zone;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::{Millis, Timestamp};

pub use day::{DayHours, InvalidHours, Opening};
pub use holiday::{Days, Holiday, InvalidHoliday};
pub use zone::{UnknownZone, Zone};

/// How far openings and closings are looked for.
pub const HORIZON: Millis = Millis::from_secs(HORIZON_DAYS * 24 * 3_600);
const HORIZON_DAYS: i64 = 400;

/// When it is open: the same every week, but for holidays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    zone: Zone,
    /// From Monday to Sunday.
    week: [DayHours; 7],
    holidays: Vec<Holiday>,
}

impl Schedule {
    /// The week begins with Monday. Where several holidays are the same day, one of a
    /// single year counts before one of every year, then the one with fewer days,
    /// then the later in the list.
    pub fn new(zone: Zone, week: [DayHours; 7], holidays: Vec<Holiday>) -> Self {
        Self {
            zone,
            week,
            holidays,
        }
    }

    /// Where the clock hangs.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether it is open at this moment.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.openings(at, 2)
            .any(|(begin, end)| begin <= at && at < end)
    }

    /// The first moment from this one on at which it is open: this one, if it is open.
    /// None when it stays closed for the next 400 days.
    pub fn next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        let (begin, _) = self
            .openings(at, HORIZON_DAYS)
            .find(|(begin, end)| begin < end && *end > at)?;
        Some(begin.max(at)).filter(|opens| *opens <= at + HORIZON)
    }

    /// The first moment from this one on at which it is closed: this one, if it is
    /// closed. None when it stays open for the next 400 days.
    pub fn next_closing(&self, at: Timestamp) -> Option<Timestamp> {
        let mut closes = at;
        for (begin, end) in self.openings(at, HORIZON_DAYS) {
            if begin > closes || closes > at + HORIZON {
                break;
            }
            closes = closes.max(end);
        }
        Some(closes).filter(|closes| *closes <= at + HORIZON)
    }

    /// The moment at which it was open for so long from this one on; none when that is
    /// not within the next 400 days.
    pub fn after(&self, at: Timestamp, open_for: Millis) -> Option<Timestamp> {
        let (mut from, mut left) = (at, open_for);
        let last = at + HORIZON;
        loop {
            from = self.next_opening(from)?;
            let Some(closes) = self.next_closing(from) else {
                return Some(from + left);
            };
            let open = closes.since(from);
            if open >= left {
                return Some(from + left);
            }
            if closes > last {
                return None;
            }
            left = Millis(left.0 - open.0);
            from = closes;
        }
    }

    /// What begins from the day before this moment on, for so many days, ordered by
    /// its beginning. Outside the calendar there is none.
    fn openings(
        &self,
        at: Timestamp,
        days: i64,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        let first = self.zone.date(at).and_then(|date| date.yesterday().ok());
        let dates = std::iter::successors(first, |date| date.tomorrow().ok());
        // One more than asked: where the clock is set back at midnight, the day that
        // has begun already is tomorrow.
        let count = usize::try_from(days).unwrap_or_default() + 2;
        dates.take(count).flat_map(move |date| {
            self.hours_of(date)
                .openings()
                .iter()
                .filter_map(move |opening| {
                    let begin = self.zone.moment(date, opening.begin())?;
                    Some((begin, self.zone.moment(date, opening.end())?))
                })
        })
    }

    fn hours_of(&self, date: Date) -> &DayHours {
        let holidays = self
            .holidays
            .iter()
            .filter(|holiday| holiday.days.has(date));
        let holiday = holidays
            .max_by_key(|holiday| (holiday.days.is_of_one_year(), Reverse(holiday.days.count())));
        holiday.map_or_else(|| self.of_weekday(date.weekday()), |holiday| &holiday.hours)
    }

    fn of_weekday(&self, weekday: Weekday) -> &DayHours {
        let [
            monday,
            tuesday,
            wednesday,
            thursday,
            friday,
            saturday,
            sunday,
        ] = &self.week;
        match weekday {
            Weekday::Monday => monday,
            Weekday::Tuesday => tuesday,
            Weekday::Wednesday => wednesday,
            Weekday::Thursday => thursday,
            Weekday::Friday => friday,
            Weekday::Saturday => saturday,
            Weekday::Sunday => sunday,
        }
    }
}
