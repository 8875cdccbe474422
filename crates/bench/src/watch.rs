//! An operator's stream that notes when it read of which submission.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::inbox_client::InboxClient;
use proto::inbox::v1::subscribe_response::Step;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tonic::Streaming;

use crate::dice;
use crate::gateway::Signed;

/// What a stream has read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// When a submission was read of first.
    pub(crate) at: HashMap<u64, Instant>,
    /// Submissions that were read of more than once.
    pub(crate) twice: usize,
    failed: Option<String>,
}

/// What is waited for in the stream.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// The message.
    Message,
    /// That the conversation has become this operator's, or anybody's.
    Assigned(Option<String>),
}

impl Wanted {
    fn number(&self, kind: &Kind) -> Option<u64> {
        match (self, kind) {
            (Self::Message, Kind::MessageAdded(message)) => {
                if let Some(pb::message::Content::Text(text)) = &message.content {
                    dice::number_of(&text.plain)
                } else {
                    None
                }
            }
            (Self::Assigned(whose), Kind::ConversationChanged(changed))
                if changed.state() == pb::ConversationState::Active
                    && whose.as_ref().is_none_or(|id| *id == changed.operator_id) =>
            {
                dice::number_of(&changed.last_message_text)
            }
            _ => None,
        }
    }
}

pub(crate) struct Watcher {
    read: Arc<Mutex<Read>>,
    task: JoinHandle<()>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watcher {
    /// Subscribes, and reads on until it is dropped.
    pub(crate) async fn open(
        inbox: &mut InboxClient<Signed>,
        wanted: Wanted,
    ) -> anyhow::Result<Self> {
        let mut feed = subscribe(inbox).await?;
        let read = Arc::new(Mutex::new(Read::default()));
        let noted = Arc::clone(&read);
        let task = tokio::spawn(async move {
            let failure = loop {
                match feed.message().await {
                    Ok(Some(response)) => match response.step {
                        Some(Step::Event(event)) => note(&noted, &wanted, &event),
                        Some(Step::Ready(_)) | None => {}
                        Some(Step::Reset(_)) => break "was told to load anew".to_owned(),
                    },
                    Ok(None) => break "ended".to_owned(),
                    Err(status) => break format!("failed: {}", status.message()),
                }
            };
            lock(&noted).failed = Some(failure);
        });
        Ok(Self { read, task })
    }

    /// Looks at what was read.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Read) -> T) -> T {
        look(&lock(&self.read))
    }

    /// Waits until so many submissions were read of.
    pub(crate) async fn until(&self, count: usize, patience: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let (seen, failed) = self.look(|read| (read.at.len(), read.failed.clone()));
            if seen >= count {
                return Ok(());
            }
            if let Some(failure) = failed {
                bail!("WRONG: a stream {failure} after {seen} of {count} submissions");
            }
            if begun.elapsed() > patience {
                bail!("WRONG: a stream has read of {seen} submissions only, and not of {count}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Opens a stream, and waits until it is open.
pub(crate) async fn subscribe(
    inbox: &mut InboxClient<Signed>,
) -> anyhow::Result<Streaming<pb::SubscribeResponse>> {
    subscribe_after(inbox, "").await
}

/// Opens a stream of what happened after a cursor, and waits until it is open.
pub(crate) async fn subscribe_after(
    inbox: &mut InboxClient<Signed>,
    cursor: &str,
) -> anyhow::Result<Streaming<pb::SubscribeResponse>> {
    let request = pb::SubscribeRequest {
        cursor: cursor.to_owned(),
    };
    let mut feed = inbox
        .subscribe(request)
        .await
        .context("subscribing")?
        .into_inner();
    let first = feed.message().await.context("subscribing")?;
    if !matches!(first.and_then(|first| first.step), Some(Step::Ready(_))) {
        bail!("a stream does not begin with Ready");
    }
    Ok(feed)
}

/// Waits for the next event of a stream.
pub(crate) async fn next_event(
    feed: &mut Streaming<pb::SubscribeResponse>,
) -> anyhow::Result<Kind> {
    loop {
        let response = feed.message().await.context("reading a stream")?;
        match response.context("WRONG: a stream ended")?.step {
            Some(Step::Event(event)) => {
                if let Some(kind) = event.kind {
                    return Ok(kind);
                }
            }
            Some(Step::Ready(_)) | None => {}
            Some(Step::Reset(_)) => bail!("WRONG: a stream was told to load anew"),
        }
    }
}

fn note(read: &Mutex<Read>, wanted: &Wanted, event: &pb::Event) {
    let mut read = lock(read);
    let Some(number) = event.kind.as_ref().and_then(|kind| wanted.number(kind)) else {
        return;
    };
    match read.at.entry(number) {
        Entry::Occupied(_) => read.twice += 1,
        Entry::Vacant(unread) => {
            unread.insert(Instant::now());
        }
    }
}

fn lock(read: &Mutex<Read>) -> std::sync::MutexGuard<'_, Read> {
    read.lock().unwrap_or_else(PoisonError::into_inner)
}
