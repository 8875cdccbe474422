use std::fmt;

use super::{Counter, Histogram, Slot};
use crate::{LineId, OperatorId, QueueId, Timestamp};

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// An hour of UTC, counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour(pub i64);

impl Hour {
    /// The hour of a moment.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.0.div_euclid(HOUR_MS))
    }

    /// Its beginning.
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(HOUR_MS))
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What is counted together. The channel is the line's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// When.
    pub hour: Hour,
    /// On which line; none for the time of operators, who serve several.
    pub line: Option<LineId>,
    /// In which queue; none for the time of operators.
    pub queue: Option<QueueId>,
    /// By whom; none for what nobody has in hand.
    pub operator: Option<OperatorId>,
}

/// One thing more in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment {
    /// Where.
    pub key: Key,
    /// What is counted.
    pub what: Slot,
    /// By how much.
    pub by: i64,
}

/// Counters by their numbers; what is absent is zero. Dense, because adding up is what
/// they are for.
#[derive(Clone, Default)]
pub struct Counts(Vec<i64>);

/// Stored counters that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("counters are cut short")]
pub struct CutShort;

impl Counts {
    /// Adds to one of them.
    pub fn add(&mut self, slot: u8, by: i64) {
        let slot = usize::from(slot);
        if self.0.len() <= slot {
            self.0.resize(slot + 1, 0);
        }
        self.0[slot] = self.0[slot].saturating_add(by);
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        for (slot, by) in other.iter() {
            self.add(slot, by);
        }
    }

    /// What is not zero, by number.
    fn iter(&self) -> impl Iterator<Item = (u8, i64)> + '_ {
        let all = (0..=u8::MAX).zip(self.0.iter().copied());
        all.filter(|(_, count)| *count != 0)
    }

    /// One of them.
    pub fn get(&self, counter: Counter) -> i64 {
        self.slot(counter.slot())
    }

    /// How many are within so many steps of a histogram.
    pub fn within(&self, histogram: Histogram, steps: usize) -> i64 {
        (0..steps).map(|step| self.slot(histogram.slot(step))).sum()
    }

    /// One by its number.
    pub fn slot(&self, slot: u8) -> i64 {
        self.0.get(usize::from(slot)).copied().unwrap_or(0)
    }

    /// True when nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// As it is stored: number and count in turn, seven bits a byte, the lowest first.
    pub fn pack(&self) -> Vec<u8> {
        let mut packed = Vec::with_capacity(self.0.len());
        for (slot, count) in self.iter() {
            push(&mut packed, u64::from(slot));
            push(&mut packed, count.cast_unsigned());
        }
        packed
    }

    /// Adds what was stored.
    pub fn merge_packed(&mut self, packed: &[u8]) -> Result<(), CutShort> {
        let mut rest = packed.iter();
        while !rest.as_slice().is_empty() {
            let slot = u8::try_from(pull(&mut rest)?).map_err(|_| CutShort)?;
            self.add(slot, pull(&mut rest)?.cast_signed());
        }
        Ok(())
    }
}

impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Counts {}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

fn push(packed: &mut Vec<u8>, mut number: u64) {
    while number >= 128 {
        packed.push(u8::try_from(number & 127).unwrap_or(0) | 128);
        number >>= 7;
    }
    packed.push(u8::try_from(number).unwrap_or(0));
}

fn pull(rest: &mut std::slice::Iter<'_, u8>) -> Result<u64, CutShort> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = rest.next().ok_or(CutShort)?;
        number |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Ok(number);
        }
    }
    Err(CutShort)
}
