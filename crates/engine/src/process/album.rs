//! Albums: several events of a provider that are one message to people. Each part is
//! shown as it comes; nothing waits for an end that nobody tells.

use domain::message::{Content, Direction, Inbound, Message};
use store::{StoreError, Tx};

use crate::Line;

/// Files of one message.
const FILES_MAX: usize = 30;

/// By which name an album's message is found: no provider calls a message so.
fn name(thread_key: &str, album: &str) -> String {
    format!("album {thread_key} {album}")
}

/// Adds a part to the message of its album, if that is there. False when this is the first.
pub(super) fn add(tx: &mut Tx<'_>, line: &Line, inbound: &Inbound) -> Result<bool, StoreError> {
    let Some(album) = &inbound.album else {
        return Ok(false);
    };
    let name = name(&inbound.thread_key, album);
    let begun = tx.message_by_external_id(&line.id, &name, Direction::Inbound)?;
    let Some(mut message) = begun else {
        return Ok(false);
    };
    let Some(conversation) = tx.conversation(message.conversation)? else {
        return Ok(false);
    };
    if message.attachments.len() + inbound.attachments.len() > FILES_MAX {
        return Ok(false);
    }
    if let Some(own) = &inbound.message_id
        && !tx.name_message(&message, own)?
    {
        return Ok(true);
    }
    message
        .attachments
        .extend(inbound.attachments.iter().cloned());
    let has_words = caption(&mut message, inbound);
    tx.change_message(message, conversation.audience(), has_words)?;
    tx.touch_thread(&line.id, &inbound.thread_key);
    Ok(true)
}

/// Adds a part's words to what is there; whether it has any.
fn caption(message: &mut Message, inbound: &Inbound) -> bool {
    let domain::message::InboundKind::Message(Content::Text(added)) = &inbound.kind else {
        return false;
    };
    if added.plain.is_empty() {
        return false;
    }
    if let Content::Text(text) = &mut message.content {
        if text.plain.is_empty() {
            *text = added.clone();
        } else {
            text.plain = format!("{}\n{}", text.plain, added.plain);
            text.html = None;
        }
    }
    true
}

/// Notes by what name the parts to come find a message.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    message: &Message,
    thread_key: &str,
    album: Option<&str>,
) -> Result<(), StoreError> {
    if let Some(album) = album {
        tx.name_message(message, &name(thread_key, album))?;
    }
    Ok(())
}
