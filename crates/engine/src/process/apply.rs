//! What an event changes.

use std::collections::{BTreeMap, BTreeSet};

use domain::conversation::{Conversation, Input};
use domain::message::{
    Author, Content, Delivery, Direction, Inbound, InboundKind, MembershipChange, Message,
    MessageReaction, Revision,
};
use domain::routing::RoutingRules;
use domain::{LineId, MessageId, ThreadId, Timestamp};
use store::{Provisional, StoreError, ThreadRow, Tx, View};

use super::entry::{Who, provisional, sent_at};
use super::{album, calling_back, ours, threading};
use crate::act::{delivered, last_message};
use crate::contacts::reconcile;
use crate::opening::{self, KnownContact};
use crate::{Line, change, rating, routing};

const REVISIONS_MAX: usize = 50;

pub(super) fn apply(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    line: &Line,
    received_at: Timestamp,
    inbound: Inbound,
    who: Who,
) -> Result<(), StoreError> {
    if matches!(who, Who::Blocked) {
        return Ok(());
    }
    let key = &inbound.thread_key.clone();
    match inbound.kind.clone() {
        InboundKind::Message(content) => {
            message(tx, rules, line, received_at, inbound, content, who)
        }
        InboundKind::Aside(_) if !is_begun(tx, line, key)? => Ok(()),
        InboundKind::Aside(content) => message(tx, rules, line, received_at, inbound, content, who),
        InboundKind::Echo {
            content,
            ours: sent,
        } => ours::echoed(tx, line, received_at, inbound, content, sent.as_deref()),
        InboundKind::Reached { until, delivery } => ours::reached(tx, line, key, &until, delivery),
        InboundKind::Reaction { target, emoji } => react(tx, line, key, &target, emoji),
        InboundKind::Edit { target, text } => {
            edit(tx, line, key, &target, Some(Content::Text(text)))
        }
        InboundKind::Delete { target } => edit(tx, line, key, &target, None),
        InboundKind::Receipt {
            target,
            delivery,
            error_text,
        } => match self::target(tx, line, key, &target)? {
            Some(message) if message.direction == Direction::Outbound => {
                // Told by our own id, it tells the provider's along with it.
                let name = inbound.message_id.filter(|_| message.external_id.is_none());
                delivered(tx, message.id, delivery, name, &error_text)
            }
            Some(_) | None => Ok(()),
        },
        InboundKind::Bounce {
            target,
            recipient,
            permanent,
            reason,
        } => bounced(tx, line, &target, &recipient, permanent, &reason),
        InboundKind::Membership(change) => membership(tx, line, &inbound.thread_key, change),
        InboundKind::Rating {
            score,
            comment,
            conversation,
        } => rating::keep(tx, &line.id, key, conversation, score, &comment),
        InboundKind::CallbackRequest { phone, comment } => {
            calling_back::request(tx, rules, line, received_at, inbound, who, &phone, &comment)
        }
        // Leaves no trace; a channel tells it by `Host::typing`.
        InboundKind::Typing { .. } => Ok(()),
    }
}

/// Whether there is a conversation of a thread.
fn is_begun(view: &View<'_>, line: &Line, thread_key: &str) -> Result<bool, StoreError> {
    let Some(thread) = view.thread_by_key(&line.id, thread_key)? else {
        return Ok(false);
    };
    Ok(view.last_conversation_of(thread.id)?.is_some())
}

/// Whether a message came before.
pub(super) fn is_known(
    view: &View<'_>,
    line: &LineId,
    inbound: &Inbound,
) -> Result<bool, StoreError> {
    let Some(external_id) = &inbound.message_id else {
        return Ok(false);
    };
    let direction = match &inbound.kind {
        InboundKind::Echo { .. } => Direction::Outbound,
        InboundKind::Message(_)
        | InboundKind::Aside(_)
        | InboundKind::Reaction { .. }
        | InboundKind::Edit { .. }
        | InboundKind::Delete { .. }
        | InboundKind::Receipt { .. }
        | InboundKind::Reached { .. }
        | InboundKind::Bounce { .. }
        | InboundKind::Typing { .. }
        | InboundKind::Membership(_)
        | InboundKind::Rating { .. }
        | InboundKind::CallbackRequest { .. } => Direction::Inbound,
    };
    let known = view.message_by_external_id(line, external_id, direction)?;
    Ok(known.is_some())
}

pub(super) fn message(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    line: &Line,
    received_at: Timestamp,
    inbound: Inbound,
    content: Content,
    who: Who,
) -> Result<(), StoreError> {
    if is_known(tx, &line.id, &inbound)? || album::add(tx, line, &inbound)? {
        return Ok(());
    }
    let (thread, contact) = thread(tx, line, &inbound, who)?;
    let open = tx.open_conversation_of(thread.id)?;
    // What nobody wrote changes nothing: an ended conversation is not opened for it.
    let is_aside = threading::is_aside(&inbound);
    let open = match open {
        None if is_aside => tx.last_conversation_of(thread.id)?,
        open => open,
    };
    let mut fresh = match &open {
        Some(_) => None,
        None => Some(opening::conversation(tx, rules, line, &thread, &contact)?),
    };
    let Some(conversation) = open.as_ref().or(fresh.as_ref()) else {
        return Err(StoreError::Broken("no conversation".to_owned()));
    };
    let reply_to = replied_to(tx, line, &inbound)?;
    let message = Message {
        id: MessageId::new(tx.fresh_id()),
        conversation: conversation.id,
        thread: thread.id,
        line: line.id.clone(),
        contact: thread.contact.clone(),
        direction: Direction::Inbound,
        author: Author::Client,
        sent_at: sent_at(inbound.sent_at, received_at),
        stored_at: tx.now(),
        content,
        attachments: inbound.attachments,
        buttons: Vec::new(),
        template: None,
        letter: inbound.letter,
        client_id: inbound.message_id.clone(),
        external_id: inbound.message_id,
        reply_to,
        reactions: Vec::new(),
        delivery: None,
        delivery_error: String::new(),
        edited_at: None,
        deleted_at: None,
        revisions: Vec::new(),
        mentions: BTreeSet::new(),
    };
    let last = Some(last_message(&message));
    let audience = conversation.audience();
    if let Some(fresh) = &mut fresh {
        fresh.last_message = last;
        fresh.unread_count = 1;
        tx.open_conversation(fresh)?;
    } else if let Some(before) = &open {
        let mut after = before.clone();
        after.last_message = last;
        if contact.id != after.client.contact || !contact.provisional {
            after.client = opening::client(&thread, &contact, after.client.known);
        }
        if is_aside {
            tx.save_conversation(before, &mut after)?;
        } else {
            go_on(tx, rules, before, after)?;
        }
    }
    tx.add_message(message.clone(), audience)?;
    album::begin(tx, &message, &thread.thread_key, inbound.album.as_deref())?;
    tx.touch_thread(&thread.line, &thread.thread_key);
    Ok(())
}

/// The client wrote in a conversation that goes on.
fn go_on(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    before: &Conversation,
    mut after: Conversation,
) -> Result<(), StoreError> {
    after.unread_count = after.unread_count.saturating_add(1);
    let owner = routing::owner(tx, rules, before);
    let place = opening::place(tx, rules, &before.line);
    let effects = after
        .handle(tx.now(), Input::Inbound { owner, place })
        .map_err(|refusal| StoreError::Broken(refusal.to_string()))?;
    tx.save_conversation(before, &mut after)?;
    change::carry_out(tx, &after, effects)
}

/// The thread as it is now, with the contact to show.
fn thread(
    tx: &mut Tx<'_>,
    line: &Line,
    inbound: &Inbound,
    who: Who,
) -> Result<(ThreadRow, KnownContact), StoreError> {
    let known = tx.thread_by_key(&line.id, &inbound.thread_key)?;
    let before = known.clone();
    if let Some(thread) = known.clone()
        && let Some(contact) = of_another(tx, thread.clone(), inbound)?
    {
        return Ok(contact);
    }
    let mut unconfirmed = None;
    let mut merged = Vec::new();
    let contact = match (who, &known) {
        (Who::Found(found), _) => {
            reconcile::suggest(tx, &found)?;
            merged = found.merged;
            found.contact
        }
        (Who::Same | Who::Unknown | Who::Blocked, Some(thread)) => same_contact(tx, thread)?,
        (Who::Same | Who::Unknown | Who::Blocked, None) => {
            let contact = provisional(tx.fresh_id(), &inbound.sender);
            unconfirmed = Some(contact.id.clone());
            contact
        }
    };
    let mut thread = known.unwrap_or_else(|| ThreadRow {
        id: ThreadId::new(0),
        line: line.id.clone(),
        thread_key: inbound.thread_key.clone(),
        contact: contact.id.clone(),
        origin: contact.id.clone(),
        sender: inbound.sender.clone(),
        context: inbound.thread.clone(),
        token: threading::token(line),
        participants: BTreeMap::new(),
        unreachable: None,
    });
    if thread.id.get() == 0 {
        thread.id = ThreadId::new(tx.fresh_id());
    }
    if thread.contact != contact.id && !contact.provisional {
        // After a merge the thread knows where to return when it is undone.
        if !merged.contains(&thread.contact) {
            thread.origin = contact.id.clone();
        }
        thread.contact = contact.id.clone();
    }
    if !inbound.sender.identities.is_empty() {
        thread.sender = inbound.sender.clone();
    }
    threading::go_on(&mut thread.context, inbound);
    threading::join(tx, &mut thread, inbound)?;
    // Who writes can be written to.
    thread.unreachable = None;
    if before.as_ref() != Some(&thread) {
        tx.save_thread(&thread)?;
    }
    if let Some(contact) = unconfirmed {
        let first_try = reconcile::first_try(tx.now());
        let request = Provisional {
            contact,
            thread: thread.id,
            line: line.id.clone(),
            sender: inbound.sender.clone(),
            attempts: 0,
        };
        tx.save_provisional(&request, first_try)?;
    }
    Ok((thread, contact))
}

/// A thread that somebody else than its client wrote in, if one did: whose it is and where
/// answers go stays.
fn of_another(
    tx: &mut Tx<'_>,
    mut thread: ThreadRow,
    inbound: &Inbound,
) -> Result<Option<(ThreadRow, KnownContact)>, StoreError> {
    if threading::is_guest(tx, &thread, inbound)? && !threading::is_stranger(inbound) {
        threading::join(tx, &mut thread, inbound)?;
    } else if !threading::is_stranger(inbound) {
        return Ok(None);
    }
    threading::go_on(&mut thread.context, inbound);
    tx.save_thread(&thread)?;
    let contact = same_contact(tx, &thread)?;
    Ok(Some((thread, contact)))
}

/// The contact of a thread about whom nothing new was said.
fn same_contact(tx: &Tx<'_>, thread: &ThreadRow) -> Result<KnownContact, StoreError> {
    let id = tx.target_of(&thread.contact)?;
    let shown = tx.last_conversation_of(thread.id)?.map(|last| last.client);
    Ok(KnownContact {
        profile: domain::identity::Profile {
            display_name: shown
                .as_ref()
                .map(|client| client.display_name.clone())
                .unwrap_or_default(),
            avatar_url: shown.as_ref().and_then(|client| client.avatar_url.clone()),
            ..domain::identity::Profile::default()
        },
        provisional: shown.is_some_and(|client| client.provisional),
        id,
    })
}

fn replied_to(
    tx: &Tx<'_>,
    line: &Line,
    inbound: &Inbound,
) -> Result<Option<MessageId>, StoreError> {
    let Some(external_id) = &inbound.thread.reply_to_external_id else {
        return Ok(None);
    };
    target(tx, line, &inbound.thread_key, external_id).map(|found| found.map(|message| message.id))
}

/// A message of the client's own thread that they name, theirs or ours: by the
/// provider's id, or by our own where the channel has shown it to them.
pub(super) fn target(
    tx: &Tx<'_>,
    line: &Line,
    thread_key: &str,
    named: &str,
) -> Result<Option<Message>, StoreError> {
    let Some(thread) = tx.thread_by_key(&line.id, thread_key)? else {
        return Ok(None);
    };
    for direction in [Direction::Inbound, Direction::Outbound] {
        let found = tx.message_by_external_id(&line.id, named, direction)?;
        if let Some(found) = found.filter(|found| found.thread == thread.id) {
            return Ok(Some(found));
        }
    }
    let Ok(id) = named.parse::<MessageId>() else {
        return Ok(None);
    };
    Ok(tx
        .message(id)?
        .filter(|message| message.direction != Direction::Note && message.thread == thread.id))
}

fn react(
    tx: &mut Tx<'_>,
    line: &Line,
    thread_key: &str,
    named: &str,
    emoji: String,
) -> Result<(), StoreError> {
    let Some(mut message) = target(tx, line, thread_key, named)? else {
        return Ok(());
    };
    message
        .reactions
        .retain(|reaction| reaction.author != Author::Client);
    if !emoji.is_empty() {
        message.reactions.push(MessageReaction {
            author: Author::Client,
            emoji,
        });
    }
    write_change(tx, message, false)
}

/// Changes or takes back a message of the client's; nobody can change ours.
fn edit(
    tx: &mut Tx<'_>,
    line: &Line,
    thread_key: &str,
    named: &str,
    content: Option<Content>,
) -> Result<(), StoreError> {
    let found = target(tx, line, thread_key, named)?;
    let Some(mut message) = found.filter(|found| found.direction == Direction::Inbound) else {
        return Ok(());
    };
    // Providers tell of changes that nobody sees.
    if content.as_ref() == Some(&message.content) {
        return Ok(());
    }
    let now = tx.now();
    // What an operator may have read stays with the message.
    message.revisions.push(Revision {
        text: message.content.words().to_owned(),
        replaced_at: now,
    });
    if message.revisions.len() > REVISIONS_MAX {
        message.revisions.remove(0);
    }
    if let Some(content) = content {
        message.content = content;
        message.edited_at = Some(now);
    } else {
        message.content = Content::Text(domain::message::Text::default());
        message.attachments.clear();
        message.deleted_at = Some(now);
    }
    write_change(tx, message, true)
}

fn write_change(tx: &mut Tx<'_>, message: Message, words_changed: bool) -> Result<(), StoreError> {
    let conversation: Option<Conversation> = tx.conversation(message.conversation)?;
    let thread = tx.thread(message.thread)?;
    if let Some(conversation) = conversation {
        tx.change_message(message, conversation.audience(), words_changed)?;
    }
    if let Some(thread) = thread {
        tx.touch_thread(&thread.line, &thread.thread_key);
    }
    Ok(())
}

/// A message of ours came back.
fn bounced(
    tx: &mut Tx<'_>,
    line: &Line,
    target: &str,
    recipient: &str,
    permanent: bool,
    reason: &str,
) -> Result<(), StoreError> {
    let Some(message) = tx.message_by_external_id(&line.id, target, Direction::Outbound)? else {
        return Ok(());
    };
    // Whoever has a letter of ours can make up a report about it, for others too.
    let letter = message.letter.as_deref();
    let sent_to = letter.is_some_and(|letter| {
        let mut to = letter.to.iter().chain(&letter.cc);
        to.any(|to| to.address.eq_ignore_ascii_case(recipient))
    });
    if permanent && sent_to {
        tx.note_returned(&line.id, recipient, reason)?;
    }
    let told = match recipient {
        "" => reason.to_owned(),
        recipient => format!("{recipient}: {reason}"),
    };
    delivered(tx, message.id, Delivery::Failed, None, &told)
}

fn membership(
    tx: &mut Tx<'_>,
    line: &Line,
    thread_key: &str,
    change: MembershipChange,
) -> Result<(), StoreError> {
    let Some(mut thread) = tx.thread_by_key(&line.id, thread_key)? else {
        return Ok(());
    };
    thread.unreachable = match change {
        MembershipChange::Started => None,
        MembershipChange::Stopped => Some("the client left".to_owned()),
        MembershipChange::Blocked => Some("the client blocked us".to_owned()),
    };
    tx.save_thread(&thread)
}
