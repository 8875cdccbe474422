/// Chance that can be had again: the seed is printed, and makes the same run as far
/// as the machine's own timing allows.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Begins with the seed that was given, or with the time.
    pub fn seeded() -> (u64, Self) {
        let seed = super::given("SWITCHBOARD_SEED")
            .unwrap_or_else(|| engine::clock::now().0.unsigned_abs());
        (seed, Self(seed))
    }

    /// Any number (`SplitMix64`).
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not including, the bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    pub fn choose<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        let index = self.below(u64::try_from(among.len()).unwrap_or(1));
        &among[usize::try_from(index).unwrap_or(0)]
    }
}
