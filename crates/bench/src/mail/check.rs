//! Whether a mailbox is in the inbox as it should be.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use tokio::time::timeout;

use super::letters::{files, root};
use crate::dice::number_of;
use crate::gateway::Gateway;
use crate::watch::{next_event, subscribe_after};

/// From one event to the next, when something has still to come, and when nothing has.
const PATIENCE: Duration = Duration::from_mins(1);
const SILENCE: Duration = Duration::from_secs(1);

/// Reads what has happened since the store was made: every letter has to be there once,
/// with its files, and in one conversation with those that it belongs to.
pub(super) async fn check(gateway: &Gateway, count: usize) -> anyhow::Result<()> {
    let mut feed = subscribe_after(&mut gateway.inbox().await?, "0").await?;
    let mut seen = HashSet::new();
    let mut conversations = HashMap::new();
    loop {
        let is_all = seen.len() >= count;
        let silence = if is_all { SILENCE } else { PATIENCE };
        let Ok(event) = timeout(silence, next_event(&mut feed)).await else {
            break;
        };
        let Kind::MessageAdded(message) = event? else {
            continue;
        };
        let Some(pb::message::Content::Text(text)) = &message.content else {
            continue;
        };
        let number = number_of(&text.plain).context("WRONG: a letter is none of ours")?;
        ensure!(
            seen.insert(number),
            "WRONG: letter {number} is stored twice"
        );
        let kept = message.attachments.iter();
        let kept = kept.filter(|file| !file.sha256.is_empty()).count();
        let files = files(number);
        ensure!(
            kept == files,
            "WRONG: letter {number} has {kept} files of {files}"
        );
        let root = root(number);
        let here = conversations
            .entry(root)
            .or_insert_with(|| message.conversation_id.clone());
        ensure!(
            *here == message.conversation_id,
            "WRONG: letter {number} is in another conversation than {root}"
        );
    }
    ensure!(
        seen.len() == count,
        "WRONG: {} of {count} letters are stored",
        seen.len()
    );
    let apart: HashSet<&String> = conversations.values().collect();
    ensure!(
        apart.len() == conversations.len(),
        "WRONG: two threads are in one conversation"
    );
    Ok(())
}
