//! What was said, compared with what arrived.

use std::collections::BTreeMap;

use e2e::providers::Seen;
use serde::Serialize;

/// Stands before the number of an answer.
const WORD: &str = "word";

/// The words of an answer by its number.
pub(crate) fn word(number: usize) -> String {
    format!("{WORD}{number:05}")
}

/// Which answer a call of a provider's is to send.
pub(crate) fn word_in(call: &Seen) -> Option<usize> {
    let body = String::from_utf8_lossy(&call.body);
    number_in(&body)
}

/// Which answer a text is.
pub(crate) fn number_in(text: &str) -> Option<usize> {
    let (_, behind) = text.split_once(WORD)?;
    behind.get(..5)?.parse().ok()
}

/// What a comparison found. Everything but the first has to be 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Findings {
    /// What was said.
    pub(crate) said: usize,
    /// Said, and not there.
    pub(crate) lost: usize,
    /// There once more.
    pub(crate) doubled: usize,
    /// There before something that was said earlier.
    pub(crate) misordered: usize,
    /// There, and nobody said it.
    pub(crate) invented: usize,
}

impl Findings {
    /// Adds one conversation: its texts as they were said, and as they are there.
    pub(crate) fn add(&mut self, said: &[String], there: &[String]) {
        let places: BTreeMap<&String, usize> = said.iter().zip(0..).collect();
        let mut times = vec![0_usize; said.len()];
        let mut last = 0;
        for text in there {
            let Some(place) = places.get(text) else {
                self.invented += 1;
                continue;
            };
            times[*place] += 1;
            // What is there again is counted as that alone.
            if times[*place] == 1 {
                self.misordered += usize::from(*place < last);
                last = last.max(*place);
            }
        }
        self.said += said.len();
        self.lost += times.iter().filter(|times| **times == 0).count();
        self.doubled += times
            .iter()
            .map(|times| times.saturating_sub(1))
            .sum::<usize>();
    }

    /// Fails where anything is wrong.
    pub(crate) fn prove(&self, said: usize) {
        let expected = Self {
            said,
            ..Self::default()
        };
        assert_eq!(*self, expected);
    }
}

#[test]
fn whatever_is_wrong_is_found() {
    let found = |there: &str| {
        let texts = |all: &str| all.chars().map(String::from).collect::<Vec<_>>();
        let mut findings = Findings::default();
        findings.add(&texts("abcd"), &texts(there));
        let Findings {
            said,
            lost,
            doubled,
            misordered,
            invented,
        } = findings;
        assert_eq!(said, 4);
        (lost, doubled, misordered, invented)
    };
    assert_eq!(found("abcd"), (0, 0, 0, 0));
    assert_eq!(found("abd"), (1, 0, 0, 0));
    assert_eq!(found("abbcda"), (0, 2, 0, 0));
    assert_eq!(found("bacd"), (0, 0, 1, 0));
    assert_eq!(found("dabc"), (0, 0, 3, 0));
    assert_eq!(found("abcdx"), (0, 0, 0, 1));
    assert_eq!(found(""), (4, 0, 0, 0));
}
