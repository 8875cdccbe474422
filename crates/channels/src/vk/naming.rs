//! What we call messages, and how VK and we know again what we sent.

use domain::message::{Outbound, Part};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// What we call a message: their numbers are good within a dialogue only.
pub(super) fn name(peer: i64, number: i64) -> String {
    format!("{peer}/{number}")
}

/// The number of a message within its dialogue.
pub(super) fn number_of(name: &str) -> Option<i64> {
    name.split_once('/')?.1.parse().ok()
}

/// By which VK does not send a message twice to one dialogue: positive, and the same for
/// every try. The time is in it for the sake of a store that begins to count anew.
pub(super) fn random_id(outbound: &Outbound) -> i64 {
    let part = outbound.part.map_or(0, |part| part.number);
    let of = format!("{} {} {part}", outbound.message, outbound.sent_at.0);
    let digest = Sha256::digest(of.as_bytes());
    let first = digest.iter().take(4);
    let number = first.fold(0, |number: i64, byte| number << 8 | i64::from(*byte));
    // Zero would be none.
    (number & 0x7fff_ffff).max(1)
}

/// What goes along with a message and comes back with its echo.
pub(super) fn tag(outbound: &Outbound) -> String {
    let message = outbound.message.to_string();
    match outbound.part {
        None => json!({ "message": message }),
        Some(Part { number, of }) => json!({"message": message, "part": number, "of": of}),
    }
    .to_string()
}

/// What a tag says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Tag {
    /// Our own id of the message.
    pub(super) message: String,
    #[serde(default)]
    part: u32,
    #[serde(default)]
    of: u32,
}

impl Tag {
    pub(super) fn read(payload: &str) -> Option<Self> {
        serde_json::from_str(payload).ok()
    }

    /// Whether the message is whole with it.
    pub(super) fn is_last(&self) -> bool {
        self.part >= self.of
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use domain::message::{Action, Recipient, Text, Thread, ToSend};
    use domain::{LineId, MessageId, ThreadId, Timestamp};

    use super::*;

    pub(in super::super) fn outbound(message: i64, part: Option<Part>) -> Outbound {
        Outbound {
            message: MessageId::new(message),
            line: LineId::from("vk"),
            recipient: Recipient {
                thread: ThreadId::new(1),
                thread_key: "7".to_owned(),
                identity: None,
                context: Thread::default(),
                token: String::new(),
            },
            sent_at: Timestamp(1_794_650_000_000),
            author_name: String::new(),
            automatic: false,
            part,
            action: Action::Send(ToSend {
                text: Text::plain("Hi"),
                ..ToSend::default()
            }),
        }
    }

    #[test]
    fn every_part_has_a_number_of_its_own_and_always_the_same() {
        let mut numbers = BTreeSet::new();
        for message in 1..=50 {
            for number in 0..=3 {
                let part = (number > 0).then_some(Part { number, of: 3 });
                let random = random_id(&outbound(message, part));
                assert_eq!(random, random_id(&outbound(message, part)));
                assert!((1..=i64::from(i32::MAX)).contains(&random));
                numbers.insert(random);
            }
        }
        assert_eq!(numbers.len(), 200);
        let mut later = outbound(1, None);
        later.sent_at = Timestamp(1_794_650_000_001);
        assert_ne!(random_id(&later), random_id(&outbound(1, None)));
    }

    #[test]
    fn a_tag_is_read_as_it_was_written() {
        let whole = Tag::read(&tag(&outbound(7, None))).unwrap();
        assert_eq!(whole.message.parse(), Ok(MessageId::new(7)));
        assert!(whole.is_last());
        let first = tag(&outbound(7, Some(Part { number: 1, of: 2 })));
        assert!(!Tag::read(&first).unwrap().is_last());
        for foreign in ["", "{}", "{\"button\":1}", "[]", "7", "{\"message\":7}"] {
            assert_eq!(Tag::read(foreign), None, "{foreign}");
        }
    }
}
