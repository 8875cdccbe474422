//! A host that remembers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use channels::Envelope;
use channels::host::{
    Accepted, Act, ClientMessage, Host, RatingAsk, Refused, RetryAfter, Standing, ThreadSignal,
};
use channels::{Channel, LineSetup, registry};
use domain::event::Cursor;
use domain::message::{Attachment, Content, Delivery, Inbound, Text};
use domain::{LineId, MessageId, Millis, Timestamp};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::broadcast;

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

#[derive(Default)]
pub(crate) struct FakeHost {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    journal: Vec<Envelope>,
    logs: BTreeMap<String, Vec<ClientMessage>>,
    owners: BTreeMap<(LineId, String), String>,
    late_ms: i64,
    signals: BTreeMap<String, broadcast::Sender<ThreadSignal>>,
    typing: Vec<(String, bool)>,
    files: Vec<(String, usize)>,
    random: u64,
    busy: bool,
    denied: Option<Act>,
    standings: BTreeMap<String, Standing>,
    closed_until: Option<Timestamp>,
    present: Vec<(String, bool)>,
    asks: BTreeMap<String, RatingAsk>,
    bookmarks: BTreeMap<String, String>,
}

impl FakeHost {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn journal(&self) -> Vec<Envelope> {
        self.state.lock().unwrap().journal.clone()
    }

    pub(crate) fn typing_seen(&self) -> Vec<(String, bool)> {
        self.state.lock().unwrap().typing.clone()
    }

    pub(crate) fn files(&self) -> Vec<(String, usize)> {
        self.state.lock().unwrap().files.clone()
    }

    pub(crate) fn set_busy(&self, busy: bool) {
        self.state.lock().unwrap().busy = busy;
    }

    pub(crate) fn deny(&self, act: Option<Act>) {
        self.state.lock().unwrap().denied = act;
    }

    /// Where whoever connects next stands.
    pub(crate) fn stand(&self, thread_key: &str, standing: Standing) {
        let mut state = self.state.lock().unwrap();
        state.standings.insert(thread_key.to_owned(), standing);
    }

    pub(crate) fn close_until(&self, until: Timestamp) {
        self.state.lock().unwrap().closed_until = Some(until);
    }

    pub(crate) fn presence_seen(&self) -> Vec<(String, bool)> {
        self.state.lock().unwrap().present.clone()
    }

    /// What a client may rate.
    pub(crate) fn ask(&self, thread_key: &str, ask: Option<RatingAsk>) {
        let mut state = self.state.lock().unwrap();
        match ask {
            Some(ask) => state.asks.insert(thread_key.to_owned(), ask),
            None => state.asks.remove(thread_key),
        };
    }

    /// Lets so much time pass.
    pub(crate) fn advance(&self, by_ms: i64) {
        self.state.lock().unwrap().late_ms += by_ms;
    }

    pub(crate) fn signal(&self, thread_key: &str, signal: ThreadSignal) {
        let state = self.state.lock().unwrap();
        if let Some(sender) = state.signals.get(thread_key) {
            let _ = sender.send(signal);
        }
    }

    /// An operator writes.
    pub(crate) fn reply(&self, thread_key: &str, cursor: i64, text: &str) {
        let message = ClientMessage {
            id: MessageId::new(cursor),
            cursor: Cursor(cursor),
            operator_name: Some("Ann".to_owned()),
            sent_at: NOW,
            content: Some(Content::Text(Text::plain(text))),
            attachments: Vec::new(),
            client_id: None,
            reply_to: None,
            reactions: Vec::new(),
            edited_at: None,
            delivery: Some(Delivery::Sent),
        };
        self.put(thread_key, message);
    }

    pub(crate) fn put(&self, thread_key: &str, message: ClientMessage) {
        let cursor = message.cursor;
        let mut state = self.state.lock().unwrap();
        let log = state.logs.entry(thread_key.to_owned()).or_default();
        log.retain(|known| known.id != message.id);
        log.push(message);
        drop(state);
        self.signal(thread_key, ThreadSignal::Log(cursor));
    }
}

#[async_trait]
impl Host for FakeHost {
    async fn bookmark(&self, _line: &LineId, name: &str) -> Result<Option<String>, Refused> {
        Ok(self.state.lock().unwrap().bookmarks.get(name).cloned())
    }

    async fn set_bookmark(&self, _line: &LineId, name: &str, note: &str) -> Result<(), Refused> {
        let mut state = self.state.lock().unwrap();
        state.bookmarks.insert(name.to_owned(), note.to_owned());
        Ok(())
    }

    async fn accept(&self, _line: &LineId, envelope: Envelope) -> Result<Accepted, Refused> {
        let mut state = self.state.lock().unwrap();
        if state.busy {
            return Err(Refused::Busy {
                retry_after: Millis(1_500),
                reason: "the disk is full".to_owned(),
            });
        }
        let known = |old: &Envelope| old.event_key == envelope.event_key;
        if state.journal.iter().any(known) {
            return Ok(Accepted::Duplicate);
        }
        state.journal.push(envelope);
        Ok(Accepted::New)
    }

    fn typing(&self, _line: &LineId, thread_key: &str, active: bool) {
        let seen = (thread_key.to_owned(), active);
        self.state.lock().unwrap().typing.push(seen);
    }

    async fn thread_log(
        &self,
        _line: &LineId,
        thread_key: &str,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<ClientMessage>, Refused> {
        let state = self.state.lock().unwrap();
        let log = state.logs.get(thread_key).cloned().unwrap_or_default();
        let later = log.into_iter().filter(|message| message.cursor > after);
        Ok(later.take(limit).collect())
    }

    async fn thread_owner(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> Result<Option<String>, Refused> {
        let thread = (line.clone(), thread_key.to_owned());
        Ok(self.state.lock().unwrap().owners.get(&thread).cloned())
    }

    async fn bind_thread(
        &self,
        line: &LineId,
        thread_key: &str,
        owner: &str,
    ) -> Result<String, Refused> {
        let thread = (line.clone(), thread_key.to_owned());
        let mut state = self.state.lock().unwrap();
        let bound = state.owners.entry(thread);
        Ok(bound.or_insert_with(|| owner.to_owned()).clone())
    }

    fn watch(&self, _line: &LineId, thread_key: &str) -> broadcast::Receiver<ThreadSignal> {
        let mut state = self.state.lock().unwrap();
        let sender = state.signals.entry(thread_key.to_owned());
        // Small, so that a burst makes a receiver lag.
        sender
            .or_insert_with(|| broadcast::channel(2).0)
            .subscribe()
    }

    async fn standing(
        &self,
        _line: &LineId,
        thread_key: &str,
    ) -> Result<Option<Standing>, Refused> {
        Ok(self
            .state
            .lock()
            .unwrap()
            .standings
            .get(thread_key)
            .cloned())
    }

    fn closed_until(&self, _line: &LineId) -> Option<Timestamp> {
        self.state.lock().unwrap().closed_until
    }

    fn client_present(&self, _line: &LineId, thread_key: &str, present: bool) {
        let seen = (thread_key.to_owned(), present);
        self.state.lock().unwrap().present.push(seen);
    }

    async fn rating_ask(
        &self,
        _line: &LineId,
        thread_key: &str,
    ) -> Result<Option<RatingAsk>, Refused> {
        Ok(self.state.lock().unwrap().asks.get(thread_key).cloned())
    }

    async fn store_file(
        &self,
        file_name: &str,
        bytes_max: u64,
        mut content: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<Attachment, Refused> {
        let mut size = 0;
        while let Some(piece) = content.next().await {
            let piece = piece.map_err(|error| Refused::Invalid(error.to_string()))?;
            size += piece.len();
            if size as u64 > bytes_max {
                return Err(Refused::Invalid("the file is too large".to_owned()));
            }
        }
        let stored = (file_name.to_owned(), size);
        self.state.lock().unwrap().files.push(stored);
        Ok(Attachment {
            file_name: domain::text::file_name(file_name),
            media_type: "application/octet-stream".to_owned(),
            size_bytes: size as u64,
            sha256: "ab".repeat(32),
            ..Attachment::default()
        })
    }

    async fn open_file(&self, attachment: &Attachment) -> std::io::Result<channels::File> {
        Err(std::io::Error::other(format!(
            "{} was not kept",
            attachment.file_name
        )))
    }

    fn file_link(&self, _line: &LineId, _thread_key: &str, attachment: &Attachment) -> String {
        format!("/files/{}", attachment.sha256)
    }

    fn admit(&self, act: Act, _ip: IpAddr, _key: &str) -> Result<(), RetryAfter> {
        if self.state.lock().unwrap().denied == Some(act) {
            return Err(RetryAfter(Millis(2_500)));
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        NOW + Millis(self.state.lock().unwrap().late_ms)
    }

    fn random_bytes(&self) -> [u8; 32] {
        let mut state = self.state.lock().unwrap();
        state.random += 1;
        let mut random = [7; 32];
        random[..8].copy_from_slice(&state.random.to_le_bytes());
        random
    }

    fn secret(&self, purpose: &str) -> [u8; 32] {
        let mut secret = [0; 32];
        for (index, byte) in purpose.bytes().enumerate() {
            secret[index % 32] ^= byte;
        }
        secret
    }
}

pub(crate) fn setup(kind: &str, options: &str) -> LineSetup {
    LineSetup {
        id: LineId::from(if kind == "webchat" { "site" } else { kind }),
        display_name: "Site".to_owned(),
        default_region: "RU".to_owned(),
        public_url: "https://gateway.example".to_owned(),
        options: options.parse().expect("TOML"),
    }
}

pub(crate) fn channel(kind: &str, options: &str) -> Arc<dyn Channel> {
    let kind = registry::find(kind).expect("a known kind");
    (kind.build)(&setup(kind.descriptor.kind, options)).expect("a good configuration")
}

pub(crate) fn router(channel: &Arc<dyn Channel>, host: &Arc<FakeHost>) -> axum::Router {
    let host: Arc<dyn Host> = Arc::<FakeHost>::clone(host);
    let stop = tokio_util::sync::CancellationToken::new();
    Arc::clone(channel)
        .routes(host, stop)
        .expect("it has pages")
}

/// What the journal makes of everything that was accepted.
pub(crate) fn events(channel: &Arc<dyn Channel>, host: &FakeHost) -> Vec<Inbound> {
    let journal = host.journal();
    let normalize = |envelope: &Envelope| channel.normalize(&envelope.raw).expect("our own entry");
    journal.iter().flat_map(normalize).collect()
}
