//! What an entry brings along: the rest of it, when that lies in a file, and files that
//! the channel fetches.

use std::sync::Arc;

use bytes::Bytes;
use channels::FetchError;
use domain::message::{Attachment, Inbound};
use domain::{Millis, Timestamp, text};
use store::{StoreError, Taken};
use tokio::io::AsyncReadExt as _;

use super::Work;
use crate::Engine;

/// The whole of an entry.
pub(super) async fn whole(engine: &Engine, entry: &Taken) -> std::io::Result<Bytes> {
    let Some(rest) = &entry.rest else {
        return Ok(entry.raw.clone());
    };
    let path = engine.inner.files.path_of(rest);
    let path = path.ok_or_else(|| std::io::Error::other("the name of its file is no digest"))?;
    let mut file = tokio::fs::File::open(path).await?;
    let bytes = usize::try_from(file.metadata().await?.len()).map_err(std::io::Error::other)?;
    // In one piece, which does not grow: it is as large as an entry may be.
    let mut whole = vec![0; entry.raw.len() + bytes];
    let (start, end) = whole.split_at_mut(entry.raw.len());
    start.copy_from_slice(&entry.raw);
    file.read_exact(end).await?;
    Ok(whole.into())
}

const PROBLEM_CHARS_MAX: usize = 300;
/// So long a message waits for its files; then it is shown without them.
const PATIENCE: Millis = Millis::from_secs(120);

/// Stores the files that an event refers to. A file that cannot be had ever is shown
/// as missing; one that cannot be had now fails the try, unless there were tries since
/// long before.
pub(super) async fn fetch(
    engine: &Engine,
    work: &Work,
    since: Timestamp,
    inbound: &mut Inbound,
) -> Result<(), StoreError> {
    let is_missing = |file: &Attachment| file.source.is_some() && file.sha256.is_empty();
    if !inbound.attachments.iter().any(is_missing) {
        return Ok(());
    }
    let seq = work.seq;
    let read = engine.read::<_, StoreError>(move |view| view.journal_entry(seq));
    let Some(entry) = read.await?.map(Taken::from) else {
        return Ok(());
    };
    let large = Arc::clone(&engine.inner.large);
    let _one_at_a_time = match entry.rest {
        Some(_) => large.acquire_owned().await.ok(),
        None => None,
    };
    let unavailable = |error: std::io::Error| StoreError::Unavailable(error.to_string());
    let raw = whole(engine, &entry).await.map_err(unavailable)?;
    let channel = &work.line.channel;
    let bytes_max = channel.descriptor().attachment_bytes_max;
    for file in inbound
        .attachments
        .iter_mut()
        .filter(|file| is_missing(file))
    {
        let content = match channel.fetch(&raw, file).await {
            Ok(content) => content,
            Err(FetchError::Later(reason)) if engine.now().since(since) < PATIENCE => {
                return Err(StoreError::Unavailable(reason));
            }
            Err(FetchError::Later(reason) | FetchError::Gone(reason)) => {
                tracing::warn!(journal.seq = work.seq, reason, "a file is shown as missing");
                file.problem = text::line(&reason, PROBLEM_CHARS_MAX);
                continue;
            }
        };
        match engine.keep(&file.file_name, bytes_max, content).await {
            Ok(stored) => {
                *file = Attachment {
                    sha256: stored.sha256,
                    size_bytes: stored.size_bytes,
                    media_type: stored.media_type,
                    file_name: stored.file_name,
                    source: None,
                    ..file.clone()
                };
            }
            Err(crate::files::FileError::TooLarge(max)) => {
                tracing::warn!(
                    journal.seq = work.seq,
                    max,
                    "a file is too large, and shown as missing"
                );
                file.problem = format!("it has more than {max} bytes");
            }
            Err(crate::files::FileError::Io(error)) => return Err(unavailable(error)),
        }
    }
    Ok(())
}
