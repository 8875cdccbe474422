//! Chance that repeats itself: the same seed gives the same run on every machine.

use domain::Millis;

/// Splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn index(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("it is small");
        usize::try_from(self.below(end)).expect("it is small")
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// At least `least`, and less than `end`.
    pub(crate) fn between(&mut self, least: i64, end: i64) -> Millis {
        let span = u64::try_from(end - least).expect("it ends after it begins");
        Millis(least + i64::try_from(self.below(span)).expect("it is small"))
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let index = self.index(from.len());
        from.get(index).cloned()
    }
}
