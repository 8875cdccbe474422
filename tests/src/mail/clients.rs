use std::collections::{BTreeMap, BTreeSet};

use super::{Kept, SUPPORT, letter};

/// Clients who write by turns, each letter after letter in a thread of their own.
#[derive(Debug)]
pub struct Clients {
    count: usize,
    written: usize,
}

impl Clients {
    /// So many of them.
    pub fn new(count: usize) -> Self {
        Self { count, written: 0 }
    }

    /// How many letters they wrote.
    pub fn written(&self) -> usize {
        self.written
    }

    /// The next letter.
    pub fn letter(&mut self) -> Vec<u8> {
        self.longer_letter("")
    }

    /// The next letter, with more in it.
    pub fn longer_letter(&mut self, more: &str) -> Vec<u8> {
        let (client, number) = (self.written % self.count, self.written / self.count);
        self.written += 1;
        let name = |number: usize| format!("{client}.{number}@client.test");
        let letter = letter(
            &format!("client{client}@client.test"),
            SUPPORT,
            &name(number),
            "x",
            &format!("{}\r\n{more}", text(client, number)),
        );
        let before = number.checked_sub(1).map(|before| {
            let before = name(before);
            format!("In-Reply-To: <{before}>\r\nReferences: <{before}>\r\n")
        });
        [before.unwrap_or_default().into_bytes(), letter].concat()
    }

    /// Which of their letters has these words, from 0 on.
    pub fn number(&self, text: &str) -> Option<usize> {
        let (client, number) = read(text)?;
        Some(number * self.count + client)
    }

    /// Checks that each letter came once, each client's in one conversation and in the
    /// order in which they were written.
    pub fn check(&self, kept: &Kept) {
        let mut came: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut conversations = BTreeSet::new();
        for message in kept.messages("inbound") {
            let Some((client, number)) = read(&message.text) else {
                continue;
            };
            came.entry(client).or_default().push(number);
            conversations.insert((client, message.conversation));
        }
        let mut wrote: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for turn in 0..self.written {
            let numbers = wrote.entry(turn % self.count).or_default();
            numbers.push(turn / self.count);
        }
        for (client, numbers) in &wrote {
            let came = came.get(client).map_or(&[][..], Vec::as_slice);
            assert_eq!(came, numbers, "what came of client {client}");
        }
        assert_eq!(conversations.len(), wrote.len(), "{conversations:?}");
    }
}

fn text(client: usize, number: usize) -> String {
    format!("client {client} letter {number}")
}

/// Whose letter it is, and which.
fn read(text: &str) -> Option<(usize, usize)> {
    let line = text.lines().next()?;
    let (client, number) = line.strip_prefix("client ")?.split_once(" letter ")?;
    Some((client.parse().ok()?, number.parse().ok()?))
}
