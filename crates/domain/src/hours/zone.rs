//! Time zones, from the database that is part of the program.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A place's clock by its name in the IANA database, such as `Europe/Moscow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    clock: TimeZone,
}

/// The database does not have it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time zone; write one such as \"Europe/Moscow\"")]
pub struct UnknownZone(pub String);

impl Zone {
    /// As it is spelled in the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of every zone.
    pub fn names() -> Vec<String> {
        let names = TimeZoneDatabase::bundled();
        names.available().map(|name| name.to_string()).collect()
    }

    /// The day that the clock shows; none outside the calendar's 9999 years.
    pub(super) fn date(&self, at: Timestamp) -> Option<Date> {
        let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
        Some(self.clock.to_datetime(at).date())
    }

    /// The first moment at which the clock shows a minute of this day, or a later one.
    /// Minutes go on into the next day.
    pub(super) fn moment(&self, mut date: Date, mut minute: u16) -> Option<Timestamp> {
        const DAY: u16 = 24 * 60;
        while minute >= DAY {
            date = date.tomorrow().ok()?;
            minute -= DAY;
        }
        let hour = i8::try_from(minute / 60).ok()?;
        let shown = date.at(hour, i8::try_from(minute % 60).ok()?, 0, 0);
        let moment = self.first(shown)?;
        Some(Timestamp(moment.as_millisecond()))
    }

    fn first(&self, shown: DateTime) -> Option<jiff::Timestamp> {
        match self.clock.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(shown).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(shown).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                // By the offset after it, the time skipped is before the change.
                let earlier = after.to_timestamp(shown).ok()?;
                let change = self.clock.following(earlier).next()?;
                Some(change.timestamp())
            }
        }
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let found = TimeZoneDatabase::bundled().get(name).ok();
        let found = found.filter(|clock| !clock.is_unknown());
        let spelled = found.as_ref().and_then(TimeZone::iana_name);
        match (spelled.map(str::to_owned), found) {
            (Some(name), Some(clock)) => Ok(Self { name, clock }),
            (Some(_) | None, Some(_) | None) => Err(UnknownZone(name.to_owned())),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, UnknownZone> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}
