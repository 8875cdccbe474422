//! What stands in the journal for a letter: a line that tells where it was found, then
//! the letter as it came. Of a large one the letter itself lies in a file behind it.

use bytes::Bytes;
use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Malformed;

/// Where a letter was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    /// The mailbox, by its name in the configuration.
    pub(super) mailbox: String,
    /// The folder in it.
    pub(super) folder: String,
    /// What the server calls this life of the folder.
    pub(super) uid_validity: u32,
    /// The letter's number in it.
    pub(super) uid: u32,
    /// The beginning of its digest: a server may give a number twice.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) digest: String,
    /// When the server took it.
    pub(super) received_at: Timestamp,
    /// The letter's whole length, where only its beginning was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cut_from: Option<u64>,
}

impl Found {
    /// Names the delivery.
    pub(super) fn event_key(&self) -> String {
        let Self {
            mailbox,
            folder,
            uid_validity,
            uid,
            digest,
            ..
        } = self;
        format!("{mailbox} {folder} {uid_validity} {uid} {digest}")
    }

    /// The entry's beginning, to be followed by the letter.
    pub(super) fn head(&self) -> Vec<u8> {
        let mut head = serde_json::to_vec(self).unwrap_or_default();
        head.push(b'\n');
        head
    }

    /// A whole entry.
    pub(super) fn entry(&self, letter: &[u8]) -> Bytes {
        let mut entry = self.head();
        entry.extend_from_slice(letter);
        entry.into()
    }
}

/// Where a letter was found, and the letter.
pub(super) fn read(entry: &[u8]) -> Result<(Found, &[u8]), Malformed> {
    let end = entry.iter().position(|byte| *byte == b'\n');
    let (head, letter) = entry.split_at(end.map_or(entry.len(), |end| end + 1));
    let found = serde_json::from_slice(head)
        .map_err(|error| Malformed(format!("not an entry of a mailbox: {error}")))?;
    Ok((found, letter))
}
