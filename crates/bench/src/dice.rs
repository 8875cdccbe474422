//! Chance that repeats itself: the same seed gives the same bodies.

/// `SplitMix64`.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to below `end`, each as likely.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        (self.share() * end as f64) as u64
    }

    /// From 0 to below `end`, as Zipf's law has it: the n-th is 1/n as likely as the
    /// first.
    pub(crate) fn zipf(&mut self, end: u64) -> u64 {
        let rank = (self.share() * (end as f64 + 1.0).ln()).exp();
        (rank as u64).clamp(1, end) - 1
    }
}

/// Senders, a few of whom write most.
const SENDERS: u64 = 100_000;
const WORDS: u64 = 20_000;
const SYLLABLES: [&str; 16] = [
    "ka", "lo", "mi", "ne", "ro", "su", "ta", "vi", "do", "ре", "за", "по", "ни", "ва", "ли", "ко",
];

/// The id of a submission.
pub(crate) fn submission_id(number: u64) -> String {
    let number = u128::from(number);
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// The body of a submission, as large as a messenger's update: about 500 to 800
/// bytes. Its words begin with its number.
pub(crate) fn body(number: u64) -> String {
    let mut dice = Dice::new(number);
    let sender = dice.zipf(SENDERS);
    let mut body = format!(
        r##"{{"submission_id":"{}","name":"Client {sender}","email":"client{sender}@example.com","locale":"en","message":"#{number}"##,
        submission_id(number)
    );
    let end = 470 + dice.below(300) as usize;
    while body.len() < end {
        body.push(' ');
        word(&mut body, dice.zipf(WORDS));
    }
    let page = dice.below(500);
    body + &format!(r#"","page":"/products/{page}"}}"#)
}

/// The word of a number; the usual ones are short.
pub(crate) fn word(text: &mut String, mut number: u64) {
    loop {
        text.push_str(SYLLABLES[(number % 16) as usize]);
        number /= 16;
        if number == 0 {
            return;
        }
    }
}

/// The number that the words of a submission begin with.
pub(crate) fn number_of(words: &str) -> Option<u64> {
    let rest = words.strip_prefix('#')?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Dice, body, number_of};

    #[test]
    fn a_body_is_as_large_as_an_update_and_repeats_itself() {
        for number in 0..500 {
            let length = body(number).len();
            assert!((480..=850).contains(&length), "{length}");
            assert_eq!(body(number), body(number));
        }
        assert_eq!(number_of("#12 kalo"), Some(12));
        assert_eq!(number_of("12"), None);
    }

    #[test]
    fn the_first_is_the_most_usual() {
        let mut dice = Dice::new(1);
        let mut counts = [0_u32; 10];
        for _ in 0..10_000 {
            counts[dice.zipf(10) as usize] += 1;
        }
        assert!(
            counts.is_sorted_by(|left, right| left > right),
            "{counts:?}"
        );
    }
}
