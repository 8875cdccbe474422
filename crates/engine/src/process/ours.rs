//! What providers tell of messages of ours: that somebody wrote one in the provider's own
//! app, and how far they got.

use std::collections::BTreeSet;

use domain::conversation::Conversation;
use domain::message::{
    Action, Author, Content, Delivery, Direction, Inbound, Mark, Message, Text, ToSend,
};
use domain::{MessageId, Millis, Timestamp};
use store::{StoreError, ThreadRow, Tx};

use super::entry::sent_at;
use crate::Line;
use crate::act::{delivered, last_message, named};

/// How long a message of ours may be under way until the provider shows it to us.
const UNDER_WAY: Millis = Millis::from_secs(10 * 60);
/// Messages of ours that one report is about, or that an echo is looked for among.
const AT_ONCE_MAX: i64 = 200;

/// A message of ours that the provider shows: one that we sent, or one that somebody wrote
/// in the provider's own app.
pub(super) fn echoed(
    tx: &mut Tx<'_>,
    line: &Line,
    received_at: Timestamp,
    inbound: Inbound,
    content: Content,
    ours: Option<&str>,
) -> Result<(), StoreError> {
    let Some(thread) = tx.thread_by_key(&line.id, &inbound.thread_key)? else {
        return Ok(());
    };
    let Some(external_id) = inbound.message_id.clone() else {
        return Ok(());
    };
    let known = tx.message_by_external_id(&line.id, &external_id, Direction::Outbound)?;
    if known.is_some() {
        return Ok(());
    }
    if ours.is_none()
        && let Some((sent, is_last)) = part_under_way(tx, line, &thread, &inbound, &content)?
    {
        named(tx, sent, &external_id)?;
        if is_last {
            return delivered(tx, sent, Delivery::Sent, Some(external_id), "");
        }
        return Ok(());
    }
    if let Some(sent) = under_way(tx, &thread, &content, ours)? {
        return delivered(tx, sent, Delivery::Sent, Some(external_id), "");
    }
    let open = tx.open_conversation_of(thread.id)?;
    let conversation = match open {
        Some(open) => Some(open),
        None => tx.last_conversation_of(thread.id)?,
    };
    // Nobody wrote to us yet: there is nothing that it belongs to.
    let Some(before) = conversation else {
        return Ok(());
    };
    let reply_to = inbound.thread.reply_to_external_id.as_deref();
    let message = Message {
        id: MessageId::new(tx.fresh_id()),
        conversation: before.id,
        thread: thread.id,
        line: line.id.clone(),
        contact: thread.contact.clone(),
        direction: Direction::Outbound,
        author: Author::Elsewhere,
        sent_at: sent_at(inbound.sent_at, received_at),
        stored_at: tx.now(),
        content,
        attachments: inbound.attachments,
        buttons: Vec::new(),
        template: None,
        letter: inbound.letter,
        client_id: None,
        external_id: Some(external_id),
        reply_to: match reply_to {
            Some(named) => super::apply::target(tx, line, &inbound.thread_key, named)?
                .map(|message| message.id),
            None => None,
        },
        reactions: Vec::new(),
        delivery: Some(Delivery::Sent),
        delivery_error: String::new(),
        edited_at: None,
        deleted_at: None,
        revisions: Vec::new(),
        mentions: BTreeSet::new(),
    };
    let mut after: Conversation = before.clone();
    after.last_message = Some(last_message(&message));
    tx.save_conversation(&before, &mut after)?;
    tx.add_message(message, after.audience())?;
    tx.touch_thread(&thread.line, &thread.thread_key);
    Ok(())
}

/// The message of ours that an echo shows, when we sent it: by our own id, or else by its
/// words among those whose fate is open.
fn under_way(
    tx: &Tx<'_>,
    thread: &ThreadRow,
    content: &Content,
    ours: Option<&str>,
) -> Result<Option<MessageId>, StoreError> {
    if let Some(id) = ours.and_then(|ours| ours.parse::<MessageId>().ok()) {
        let sent = tx.message(id)?;
        let sent = sent.filter(|sent| sent.thread == thread.id);
        return Ok(sent.filter(is_ours).map(|sent| sent.id));
    }
    let mut open = open(tx, thread)?.into_iter();
    let same = open.find(|sent| sent.external_id.is_none() && sent.content == *content);
    Ok(same.map(|sent| sent.id))
}

/// The message of ours of which an echo shows a part, by its words, when it goes in
/// several; and whether that is the last.
fn part_under_way(
    tx: &Tx<'_>,
    line: &Line,
    thread: &ThreadRow,
    inbound: &Inbound,
    content: &Content,
) -> Result<Option<(MessageId, bool)>, StoreError> {
    let is_it = |part: &Action| match part {
        Action::Send(sent) => {
            let is_same = sent.text.plain.trim() == content.words().trim();
            is_same && sent.attachments.len() == inbound.attachments.len()
        }
        Action::Edit { .. } | Action::Delete { .. } | Action::React { .. } => false,
    };
    let found = open(tx, thread)?.into_iter().find_map(|sent| {
        let parts = line.channel.parts(Action::Send(ToSend {
            text: Text::plain(sent.content.words()),
            attachments: sent.attachments,
            buttons: sent.buttons,
            ..ToSend::default()
        }));
        let at = parts.iter().position(is_it).filter(|_| parts.len() > 1)?;
        Some((sent.id, at + 1 == parts.len()))
    });
    Ok(found)
}

/// Messages of ours whose fate is open.
fn open(tx: &Tx<'_>, thread: &ThreadRow) -> Result<Vec<Message>, StoreError> {
    let since = tx.now() + Millis(-UNDER_WAY.0);
    let mut sent = tx.outbound_of(thread.id, since, AT_ONCE_MAX)?;
    sent.retain(|sent| {
        let is_open = matches!(sent.delivery, Some(Delivery::Queued | Delivery::Uncertain));
        is_open && is_ours(sent)
    });
    Ok(sent)
}

fn is_ours(message: &Message) -> bool {
    message.direction == Direction::Outbound && message.author != Author::Elsewhere
}

/// All messages of ours up to a mark got so far.
pub(super) fn reached(
    tx: &mut Tx<'_>,
    line: &Line,
    thread_key: &str,
    until: &Mark,
    delivery: Delivery,
) -> Result<(), StoreError> {
    let Some(thread) = tx.thread_by_key(&line.id, thread_key)? else {
        return Ok(());
    };
    let last = match until {
        Mark::Time(at) => {
            let sent = tx.outbound_of(thread.id, Timestamp(0), AT_ONCE_MAX)?;
            let mut sent = sent.into_iter().rev();
            sent.find(|sent| sent.sent_at <= *at).map(|sent| sent.id)
        }
        Mark::Message(named) => {
            let known = tx.message_by_external_id(&line.id, named, Direction::Outbound)?;
            known
                .filter(|sent| sent.thread == thread.id)
                .map(|sent| sent.id)
        }
    };
    let Some(last) = last else { return Ok(()) };
    for sent in tx.outbound_of(thread.id, Timestamp(0), AT_ONCE_MAX)? {
        // What nobody took cannot have been seen.
        let was_taken = matches!(sent.delivery, Some(Delivery::Sent | Delivery::Delivered));
        if sent.id <= last && was_taken {
            delivered(tx, sent.id, delivery, None, "")?;
        }
    }
    Ok(())
}
