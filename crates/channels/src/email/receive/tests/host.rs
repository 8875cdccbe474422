//! A gateway that remembers, and may be busy.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use domain::event::Cursor;
use domain::message::Attachment;
use domain::{LineId, Millis, Timestamp};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast;

use crate::host::{
    Accepted, Act, ClientMessage, Host, RatingAsk, Refused, RetryAfter, Standing, ThreadSignal,
};
use crate::registry::email::journal::{self, Found};
use crate::{Envelope, File};

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000);

#[derive(Default)]
pub(super) struct FakeHost {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    journal: Vec<Envelope>,
    bookmarks: BTreeMap<String, String>,
    files: BTreeMap<String, Vec<u8>>,
    /// So many calls are put off.
    busy: u32,
    late: Millis,
    /// What was done, in order.
    log: Vec<String>,
}

/// A letter that was taken in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) uid: u32,
    pub(super) cut_from: Option<u64>,
    pub(super) letter: Vec<u8>,
}

impl FakeHost {
    pub(super) fn put_off(&self, calls: u32) {
        self.state.lock().unwrap().busy = calls;
    }

    pub(super) fn let_pass(&self, time: Millis) {
        self.state.lock().unwrap().late = time;
    }

    pub(super) fn note(&self, what: impl Into<String>) {
        self.state.lock().unwrap().log.push(what.into());
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    pub(super) fn bookmark_of(&self, name: &str) -> serde_json::Value {
        let state = self.state.lock().unwrap();
        let note = state.bookmarks.get(name).map_or("null", String::as_str);
        serde_json::from_str(note).expect("JSON")
    }

    pub(super) fn leave(&self, name: &str, note: &serde_json::Value) {
        let mut state = self.state.lock().unwrap();
        state.bookmarks.insert(name.to_owned(), note.to_string());
    }

    /// What was taken in, each key once.
    pub(super) fn taken(&self) -> Vec<Taken> {
        let state = self.state.lock().unwrap();
        let taken = state.journal.iter().map(|envelope| {
            let (Found { uid, cut_from, .. }, begun) =
                journal::read(&envelope.raw).expect("an entry");
            let mut letter = begun.to_vec();
            if let Some(rest) = &envelope.rest {
                letter.extend_from_slice(&state.files[&rest.sha256]);
            }
            Taken {
                uid,
                cut_from,
                letter,
            }
        });
        taken.collect()
    }

    fn busy(&self) -> Result<(), Refused> {
        let mut state = self.state.lock().unwrap();
        if state.busy == 0 {
            return Ok(());
        }
        state.busy -= 1;
        Err(Refused::Busy {
            retry_after: Millis::from_secs(1),
            reason: "busy".to_owned(),
        })
    }
}

#[async_trait]
impl Host for FakeHost {
    async fn accept(&self, _: &LineId, envelope: Envelope) -> Result<Accepted, Refused> {
        self.busy()?;
        let mut state = self.state.lock().unwrap();
        let key = envelope.event_key.as_str();
        if state.journal.iter().any(|known| known.event_key == key) {
            return Ok(Accepted::Duplicate);
        }
        let (found, _) = journal::read(&envelope.raw).expect("an entry");
        state.log.push(format!("taken {}", found.uid));
        state.journal.push(envelope);
        Ok(Accepted::New)
    }

    async fn store_file(
        &self,
        file_name: &str,
        bytes_max: u64,
        mut content: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<Attachment, Refused> {
        self.busy()?;
        let mut bytes = Vec::new();
        while let Some(piece) = content.next().await {
            let piece = piece.map_err(|error| Refused::Busy {
                retry_after: Millis::from_secs(1),
                reason: error.to_string(),
            })?;
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > bytes_max {
                return Err(Refused::Invalid("too large".to_owned()));
            }
        }
        let digest = Sha256::digest(&bytes);
        let sha256 = digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let size_bytes = bytes.len() as u64;
        self.state
            .lock()
            .unwrap()
            .files
            .insert(sha256.clone(), bytes);
        Ok(Attachment {
            file_name: file_name.to_owned(),
            media_type: "message/rfc822".to_owned(),
            size_bytes,
            sha256,
            ..Attachment::default()
        })
    }

    async fn open_file(&self, _: &Attachment) -> io::Result<File> {
        unimplemented!("nothing is sent")
    }

    async fn bookmark(&self, _: &LineId, name: &str) -> Result<Option<String>, Refused> {
        self.busy()?;
        Ok(self.state.lock().unwrap().bookmarks.get(name).cloned())
    }

    async fn set_bookmark(&self, _: &LineId, name: &str, note: &str) -> Result<(), Refused> {
        self.busy()?;
        let mut state = self.state.lock().unwrap();
        let read: serde_json::Value = serde_json::from_str(note).expect("JSON");
        state.log.push(format!("cursor {}", read["uid"]));
        state.bookmarks.insert(name.to_owned(), note.to_owned());
        Ok(())
    }

    fn now(&self) -> Timestamp {
        NOW + self.state.lock().unwrap().late
    }

    fn random_bytes(&self) -> [u8; 32] {
        [0; 32]
    }

    fn typing(&self, _: &LineId, _: &str, _: bool) {}

    async fn thread_log(
        &self,
        _: &LineId,
        _: &str,
        _: Cursor,
        _: usize,
    ) -> Result<Vec<ClientMessage>, Refused> {
        unimplemented!("mail has no pages")
    }

    async fn thread_owner(&self, _: &LineId, _: &str) -> Result<Option<String>, Refused> {
        unimplemented!("mail has no pages")
    }

    async fn bind_thread(&self, _: &LineId, _: &str, _: &str) -> Result<String, Refused> {
        unimplemented!("mail has no pages")
    }

    fn watch(&self, _: &LineId, _: &str) -> broadcast::Receiver<ThreadSignal> {
        unimplemented!("mail has no pages")
    }

    async fn standing(&self, _: &LineId, _: &str) -> Result<Option<Standing>, Refused> {
        unimplemented!("mail has no pages")
    }

    fn closed_until(&self, _: &LineId) -> Option<Timestamp> {
        None
    }

    fn client_present(&self, _: &LineId, _: &str, _: bool) {}

    async fn rating_ask(&self, _: &LineId, _: &str) -> Result<Option<RatingAsk>, Refused> {
        unimplemented!("mail has no pages")
    }

    fn file_link(&self, _: &LineId, _: &str, _: &Attachment) -> String {
        unimplemented!("mail has no pages")
    }

    fn admit(&self, _: Act, _: IpAddr, _: &str) -> Result<(), RetryAfter> {
        Ok(())
    }

    fn secret(&self, _: &str) -> [u8; 32] {
        [0; 32]
    }
}
