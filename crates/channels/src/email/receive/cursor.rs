//! How far a folder has been read: what is taken next, and what a server that begins
//! anew with its numbers changes about it.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::registry::email::config::History;

/// A note between connections: durable, written when what it tells of is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The life of the folder that the numbers are of.
    pub(super) uid_validity: u32,
    /// The last letter that was taken or left out.
    pub(super) uid: u32,
    /// Up to here the letters have been marked or moved.
    pub(super) tidied: u32,
    /// Letters below were there before us, or may have been taken in another life.
    #[serde(default)]
    old_below: u32,
    /// The numbers began anew: letters below [`Self::old_below`] come a second time.
    #[serde(default)]
    is_rescan: bool,
    /// When the last letter arrived that was there before us.
    #[serde(default)]
    begun_at: Option<Timestamp>,
    /// Letters that the server lists and does not give out.
    #[serde(default)]
    pub(super) withheld: Vec<Withheld>,
}

/// A letter that could not be had, to be asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Withheld {
    pub(super) uid: u32,
    pub(super) bytes: u32,
    pub(super) tries: u8,
    pub(super) again_at: Timestamp,
}

/// A folder as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Now {
    pub(super) uid_validity: u32,
    /// The last letter, and when it arrived; zero for none. Only known where it
    /// matters.
    pub(super) last_uid: u32,
    pub(super) last_at: Option<Timestamp>,
}

impl Cursor {
    /// Whether a folder goes on where this stopped. A server that counts backwards is
    /// in another life, whatever it says.
    pub(super) fn goes_on(&self, uid_validity: u32, uid_next: Option<u32>) -> bool {
        self.uid_validity == uid_validity && uid_next.is_none_or(|next| next > self.uid)
    }

    /// Where to begin in a folder that is new to us, or that began anew.
    pub(super) fn begin(before: Option<&Self>, now: Now, history: History) -> Self {
        let old_below = now.last_uid.saturating_add(1);
        let fresh = Self {
            uid_validity: now.uid_validity,
            ..Self::default()
        };
        match (before, history) {
            (_, History::All) => fresh,
            (None, History::New) => Self {
                uid: now.last_uid,
                tidied: now.last_uid,
                begun_at: now.last_at,
                ..fresh
            },
            (None, History::Unseen) => Self {
                old_below,
                begun_at: now.last_at,
                ..fresh
            },
            (Some(before), History::New | History::Unseen) => Self {
                old_below,
                is_rescan: true,
                begun_at: before.begun_at,
                ..fresh
            },
        }
    }

    /// Whether a letter is to be taken. What was taken before the numbers began anew
    /// is taken again, and known by its content; what was left out stays out.
    pub(super) fn wants(&self, uid: u32, is_seen: bool, received_at: Option<Timestamp>) -> bool {
        if uid >= self.old_below {
            return true;
        }
        let is_younger = match (self.begun_at, received_at) {
            (Some(begun), Some(received)) => received >= begun,
            (None, _) | (_, None) => true,
        };
        if self.is_rescan { is_younger } else { !is_seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_000);
    const NOW: Now = Now {
        uid_validity: 7,
        last_uid: 10,
        last_at: Some(AT),
    };

    #[expect(clippy::unnecessary_wraps, reason = "that is how times are told")]
    fn at(ms: i64) -> Option<Timestamp> {
        Some(Timestamp(ms))
    }

    #[test]
    fn an_old_mailbox_does_not_flood_the_queue() {
        let cursor = Cursor::begin(None, NOW, History::New);
        assert_eq!((cursor.uid, cursor.tidied), (10, 10));
        assert!(cursor.wants(11, true, at(0)));
        assert!(cursor.goes_on(7, Some(11)));
        assert!(!cursor.goes_on(8, Some(11)));
        assert!(!cursor.goes_on(7, Some(10)));
        assert!(cursor.goes_on(7, None));
    }

    #[test]
    fn what_nobody_saw_can_be_taken() {
        let cursor = Cursor::begin(None, NOW, History::Unseen);
        assert_eq!(cursor.uid, 0);
        let cases = [(3, false, true), (3, true, false), (11, true, true)];
        for (uid, is_seen, expected) in cases {
            assert_eq!(cursor.wants(uid, is_seen, at(5_000)), expected, "{uid}");
        }
    }

    #[test]
    fn everything_can_be_taken() {
        let cursor = Cursor::begin(None, NOW, History::All);
        assert_eq!(cursor.uid, 0);
        assert!(cursor.wants(1, true, at(0)));
        let again = Cursor::begin(Some(&cursor), NOW, History::All);
        assert!(again.wants(1, true, at(0)));
    }

    #[test]
    fn numbers_that_begin_anew_bring_back_what_was_taken_alone() {
        for history in [History::New, History::Unseen] {
            let before = Cursor::begin(None, NOW, history);
            let now = Now {
                uid_validity: 8,
                last_uid: 20,
                last_at: at(9_000),
            };
            let cursor = Cursor::begin(Some(&before), now, history);
            assert_eq!(cursor.uid, 0);
            assert!(!cursor.wants(1, true, at(999)), "it was there before us");
            assert!(
                cursor.wants(2, true, at(1_000)),
                "it came in the same second"
            );
            assert!(cursor.wants(3, true, None), "nobody knows when it came");
            assert!(cursor.wants(21, true, at(0)), "it came since");
            let once_more = Cursor::begin(Some(&cursor), now, history);
            assert!(!once_more.wants(1, true, at(999)));
        }
    }

    #[test]
    fn a_mailbox_that_was_empty_is_taken_whole() {
        let empty = Now {
            last_uid: 0,
            last_at: None,
            ..NOW
        };
        let before = Cursor::begin(None, empty, History::New);
        let cursor = Cursor::begin(Some(&before), NOW, History::New);
        assert!(cursor.wants(1, true, at(0)));
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let mut cursor = Cursor::begin(None, NOW, History::Unseen);
        cursor.withheld.push(Withheld {
            uid: 3,
            bytes: 9,
            tries: 1,
            again_at: AT,
        });
        let note = serde_json::to_string(&cursor).expect("a note");
        assert_eq!(serde_json::from_str::<Cursor>(&note).expect("read"), cursor);
        let short = r#"{"uid_validity":7,"uid":10,"tidied":9}"#;
        let read: Cursor = serde_json::from_str(short).expect("read");
        assert_eq!((read.uid_validity, read.uid, read.tidied), (7, 10, 9));
    }
}
