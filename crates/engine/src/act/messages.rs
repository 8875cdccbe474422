//! Writing to clients and colleagues.

use channels::Capability;
use channels::host::ThreadSignal;
use domain::conversation::{Conversation, LastMessage};
use domain::message::{
    Action, Author, Content, Delivery, Direction, Message, MessageReaction, Outbound, Revision,
    Text,
};
use domain::{ConversationId, MessageId, text};
use store::{StoreError, ThreadRow, Tx};

use super::{ActError, Actor, seen};
use crate::hub::Typing;
use crate::{Engine, Line};

/// The longest note or draft, in characters.
const NOTE_CHARS_MAX: usize = 16_000;
/// Files of one message.
const ATTACHMENTS_MAX: usize = 10;
/// Earlier wordings kept of a message.
const REVISIONS_MAX: usize = 50;
/// The client's newest messages that are marked read at once.
const READ_AT_ONCE_MAX: i64 = 100;
/// An emoji with its modifiers.
const EMOJI_CHARS_MAX: usize = 16;

/// A message to send.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The conversation.
    pub conversation: ConversationId,
    /// The words.
    pub text: String,
    /// Files sent up before.
    pub upload_ids: Vec<String>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// The sender's own id of it.
    pub client_id: String,
}

impl Engine {
    /// Sends a message to the client: durable when this answers, handed over after
    /// that.
    pub async fn send_message(&self, actor: &Actor, new: NewMessage) -> Result<Message, ActError> {
        actor.person()?;
        required_client_id(&new.client_id)?;
        let words = text::body(&new.text, usize::MAX);
        if words.trim().is_empty() && new.upload_ids.is_empty() {
            return Err(ActError::Invalid {
                field: "text",
                problem: "write something or attach a file".to_owned(),
            });
        }
        if new.upload_ids.len() > ATTACHMENTS_MAX {
            return Err(ActError::Invalid {
                field: "upload_ids",
                problem: format!("attach at most {ATTACHMENTS_MAX} files"),
            });
        }
        let engine = self.clone();
        let who = actor.clone();
        let fingerprint = format!("send {new:?}").into_bytes();
        let client_id = new.client_id.clone();
        self.once(Some(actor), &client_id, fingerprint, move |tx| {
            engine.write_message(tx, &who, &new, words)
        })
        .await
    }

    fn write_message(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        new: &NewMessage,
        words: String,
    ) -> Result<Message, ActError> {
        let me = actor.person()?;
        let conversation = writable(tx, actor, new.conversation)?;
        let (line, thread) = self.way_out(tx, &conversation)?;
        let text_max = line.kind.descriptor.text_length_max;
        if words.chars().count() > text_max {
            return Err(ActError::Invalid {
                field: "text",
                problem: format!("this line takes at most {text_max} characters"),
            });
        }
        let mut attachments = Vec::with_capacity(new.upload_ids.len());
        for id in &new.upload_ids {
            let upload = tx
                .upload(id)?
                .filter(|upload| upload.owner == me.to_string())
                .ok_or(ActError::NotFound("upload"))?;
            attachments.push(upload.attachment);
        }
        if !attachments.is_empty() {
            self.must_be_able(line, Capability::Files, "send files")?;
        }
        let answered = match new.reply_to {
            Some(id) => Some(
                tx.message(id)?
                    .filter(|answered| answered.thread == thread.id)
                    .ok_or(ActError::NotFound("message to answer"))?,
            ),
            None => None,
        };
        let text = Text::plain(words);
        let message = Message {
            attachments: attachments.clone(),
            client_id: Some(new.client_id.clone()),
            reply_to: new.reply_to,
            delivery: Some(Delivery::Queued),
            ..blank(tx, actor, &conversation, Direction::Outbound, &text)?
        };
        let outbound = Outbound {
            message: message.id,
            line: conversation.line.clone(),
            recipient: thread.recipient(),
            sent_at: message.sent_at,
            author_name: author_name(tx, actor),
            action: Action::Send {
                text,
                attachments,
                reply_to: answered.and_then(|answered| answered.external_id),
            },
        };
        if !tx.add_message(message.clone(), conversation.audience())? {
            return Err(ActError::Exists(
                "this client_id was used for another message: make a new one".to_owned(),
            ));
        }
        tx.enqueue(&outbound)?;
        tx.touch_thread(&thread.line, &thread.thread_key);
        let mut after = conversation.clone();
        after.last_message = Some(last_message(&message));
        after.unread_count = 0;
        tx.save_conversation(&conversation, &mut after)?;
        tx.save_draft(me, conversation.id, "")?;
        Ok(message)
    }

    /// Writes a note that only colleagues see.
    pub async fn add_note(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
        note: &str,
    ) -> Result<Message, ActError> {
        required_client_id(client_id)?;
        let note = text::body(note, NOTE_CHARS_MAX);
        if note.trim().is_empty() {
            return Err(ActError::Invalid {
                field: "text",
                problem: "write something".to_owned(),
            });
        }
        let who = actor.clone();
        let own_id = client_id.to_owned();
        let fingerprint = format!("note {id:?} {note}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let conversation = seen(tx, &who, id)?;
            write_note(tx, &who, &conversation, &note, Some(own_id))
        })
        .await
    }

    /// Changes a message of the actor's.
    pub async fn edit_message(
        &self,
        actor: &Actor,
        client_id: &str,
        id: MessageId,
        new_text: &str,
    ) -> Result<Message, ActError> {
        let words = text::body(new_text, NOTE_CHARS_MAX);
        if words.trim().is_empty() {
            return Err(ActError::Invalid {
                field: "text",
                problem: "write something, or take the message back".to_owned(),
            });
        }
        let fingerprint = format!("edit {id:?} {words}").into_bytes();
        self.change_own(
            actor,
            client_id,
            fingerprint,
            id,
            Capability::Edit,
            move |tx, message| {
                let text = Text::plain(words);
                message.revisions.push(Revision {
                    text: message.content.words().to_owned(),
                    replaced_at: tx.now(),
                });
                if message.revisions.len() > REVISIONS_MAX {
                    message.revisions.remove(0);
                }
                message.content = Content::Text(text.clone());
                message.edited_at = Some(tx.now());
                move |target| Action::Edit { target, text }
            },
        )
        .await
    }

    /// Takes a message of the actor's back.
    pub async fn delete_message(
        &self,
        actor: &Actor,
        client_id: &str,
        id: MessageId,
    ) -> Result<Message, ActError> {
        let fingerprint = format!("delete {id:?}").into_bytes();
        self.change_own(
            actor,
            client_id,
            fingerprint,
            id,
            Capability::Delete,
            |tx, message| {
                message.content = Content::Text(Text::default());
                message.attachments.clear();
                message.revisions.clear();
                message.deleted_at = Some(tx.now());
                |target| Action::Delete { target }
            },
        )
        .await
    }

    /// Changes a message that the actor wrote, here and on the channel.
    async fn change_own<A>(
        &self,
        actor: &Actor,
        client_id: &str,
        fingerprint: Vec<u8>,
        id: MessageId,
        capability: Capability,
        change: impl FnOnce(&Tx<'_>, &mut Message) -> A + Send + 'static,
    ) -> Result<Message, ActError>
    where
        A: FnOnce(String) -> Action,
    {
        let engine = self.clone();
        let who = actor.clone();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let me = who.person()?;
            let mut message = tx.message(id)?.ok_or(ActError::NotFound("message"))?;
            let conversation = seen(tx, &who, message.conversation)?;
            if message.author != Author::Operator(me) {
                return Err(ActError::Denied(
                    "only its author can change a message".to_owned(),
                ));
            }
            if message.deleted_at.is_some() {
                return Err(ActError::Refused("the message was taken back".to_owned()));
            }
            let action = change(tx, &mut message);
            if message.direction == Direction::Outbound {
                let (line, thread) = engine.way_out(tx, &conversation)?;
                engine.must_be_able(line, capability, capability.name())?;
                let target = message.external_id.clone().ok_or_else(|| {
                    ActError::Refused("the message is not sent yet: try again".to_owned())
                })?;
                let outbound = outbound(tx, &who, &conversation, &thread, id, action(target));
                tx.enqueue(&outbound)?;
                tx.change_message(message.clone(), conversation.audience(), true)?;
                tx.touch_thread(&thread.line, &thread.thread_key);
            } else {
                tx.change_message(message.clone(), conversation.audience(), true)?;
            }
            Ok(message)
        })
        .await
    }

    /// Reacts to a message; an empty emoji takes the reaction back.
    pub async fn react(
        &self,
        actor: &Actor,
        client_id: &str,
        id: MessageId,
        emoji: &str,
    ) -> Result<Message, ActError> {
        let emoji = text::line(emoji, EMOJI_CHARS_MAX);
        let engine = self.clone();
        let who = actor.clone();
        let fingerprint = format!("react {id:?} {emoji}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let author = Author::Operator(who.person()?);
            let mut message = tx.message(id)?.ok_or(ActError::NotFound("message"))?;
            let conversation = seen(tx, &who, message.conversation)?;
            message
                .reactions
                .retain(|reaction| reaction.author != author);
            if !emoji.is_empty() {
                message.reactions.push(MessageReaction {
                    author,
                    emoji: emoji.clone(),
                });
            }
            if message.direction == Direction::Note {
                tx.change_message(message.clone(), conversation.audience(), false)?;
                return Ok(message);
            }
            let (line, thread) = engine.way_out(tx, &conversation)?;
            engine.must_be_able(line, Capability::React, "react")?;
            let target = message.external_id.clone().ok_or_else(|| {
                ActError::Refused("the channel does not know this message".to_owned())
            })?;
            let action = Action::React { target, emoji };
            let outbound = outbound(tx, &who, &conversation, &thread, id, action);
            tx.enqueue(&outbound)?;
            tx.change_message(message.clone(), conversation.audience(), false)?;
            tx.touch_thread(&thread.line, &thread.thread_key);
            Ok(message)
        })
        .await
    }

    /// Marks a conversation read, if the actor answers it.
    pub async fn mark_read(&self, actor: &Actor, id: ConversationId) -> Result<(), ActError> {
        let engine = self.clone();
        let who = actor.clone();
        self.store()
            .write(move |tx| {
                let before = seen(tx, &who, id)?;
                let mine = who.operator.is_some() && before.owner() == who.operator;
                if mine && before.unread_count > 0 {
                    let mut after = before.clone();
                    after.unread_count = 0;
                    tx.save_conversation(&before, &mut after)?;
                    let line = engine.line(&before.line);
                    if line.is_some_and(|line| line.kind.descriptor.can(Capability::ReadReceipts)) {
                        tell_read(tx, &before)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// Tells client and colleagues that the actor is typing.
    pub async fn set_typing(
        &self,
        actor: &Actor,
        id: ConversationId,
        active: bool,
    ) -> Result<(), ActError> {
        let me = actor.person()?;
        let who = actor.clone();
        let (thread, display_name, mine, audience) = self
            .read::<_, ActError>(move |view| {
                let conversation = seen(view, &who, id)?;
                let thread = view
                    .thread(conversation.thread)?
                    .ok_or(ActError::NotFound("thread"))?;
                let name = view
                    .operator_row(me)?
                    .map_or_else(String::new, |operator| operator.display_name);
                let mine =
                    conversation.owner() == Some(me) || conversation.participants.contains(&me);
                Ok((thread, name, mine, conversation.audience()))
            })
            .await?;
        self.inner.hub.type_now(Typing {
            conversation: id,
            operator: Some(me),
            active,
            audience,
        });
        if mine {
            let signal = ThreadSignal::OperatorTyping {
                display_name,
                active,
            };
            self.inner
                .hub
                .signal(&thread.line, &thread.thread_key, signal);
        }
        Ok(())
    }

    /// The line and thread by which an answer goes, if there is a way.
    fn way_out(
        &self,
        tx: &Tx<'_>,
        conversation: &Conversation,
    ) -> Result<(&Line, ThreadRow), ActError> {
        let line = self.line(&conversation.line).ok_or_else(|| {
            ActError::Unsupported(format!(
                "the line {} is not connected any more",
                conversation.line
            ))
        })?;
        self.must_be_able(line, Capability::Reply, "answer")?;
        let thread = tx
            .thread(conversation.thread)?
            .ok_or(ActError::NotFound("thread"))?;
        if let Some(reason) = &thread.unreachable {
            return Err(ActError::Refused(format!(
                "this client cannot be reached here: {reason}"
            )));
        }
        Ok((line, thread))
    }

    #[expect(clippy::unused_self, reason = "reads as a question about the gateway")]
    fn must_be_able(
        &self,
        line: &Line,
        capability: Capability,
        what: &str,
    ) -> Result<(), ActError> {
        let descriptor = line.kind.descriptor;
        if descriptor.can(capability) {
            Ok(())
        } else {
            Err(ActError::Unsupported(format!(
                "{}: nobody can {what} on this channel",
                descriptor.display_name
            )))
        }
    }
}

/// Marks what the client wrote as read, for the client to see.
fn tell_read(tx: &mut Tx<'_>, of: &Conversation) -> Result<(), StoreError> {
    let unread = tx
        .messages_of(of.id, i64::MAX, READ_AT_ONCE_MAX)?
        .into_iter()
        .filter(|message| message.direction == Direction::Inbound)
        .take_while(|message| message.delivery != Some(Delivery::Read));
    for mut message in unread {
        message.delivery = Some(Delivery::Read);
        tx.change_message(message, of.audience(), false)?;
    }
    if let Some(thread) = tx.thread(of.thread)? {
        tx.touch_thread(&thread.line, &thread.thread_key);
    }
    Ok(())
}

fn required_client_id(client_id: &str) -> Result<(), ActError> {
    if client_id.is_empty() {
        return Err(ActError::Invalid {
            field: "client_id",
            problem: "make an id for the message, so that a second try does not double it"
                .to_owned(),
        });
    }
    Ok(())
}

/// A conversation in which the actor may write to the client.
fn writable(tx: &Tx<'_>, actor: &Actor, id: ConversationId) -> Result<Conversation, ActError> {
    let conversation = seen(tx, actor, id)?;
    if !conversation.is_open() {
        return Err(ActError::Refused(
            "the conversation has ended: open it again to write".to_owned(),
        ));
    }
    let me = actor.person()?;
    if conversation.owner() == Some(me) || conversation.participants.contains(&me) {
        Ok(conversation)
    } else {
        Err(ActError::Denied(
            "the conversation is not yours: take it or join it first".to_owned(),
        ))
    }
}

fn blank(
    tx: &mut Tx<'_>,
    actor: &Actor,
    conversation: &Conversation,
    direction: Direction,
    text: &Text,
) -> Result<Message, ActError> {
    let now = tx.now();
    Ok(Message {
        id: MessageId::new(tx.fresh_id()),
        conversation: conversation.id,
        thread: conversation.thread,
        line: conversation.line.clone(),
        contact: conversation.client.contact.clone(),
        direction,
        author: Author::Operator(actor.person()?),
        sent_at: now,
        stored_at: now,
        content: Content::Text(text.clone()),
        attachments: Vec::new(),
        external_id: None,
        client_id: None,
        reply_to: None,
        reactions: Vec::new(),
        delivery: None,
        delivery_error: String::new(),
        edited_at: None,
        deleted_at: None,
        revisions: Vec::new(),
    })
}

pub(super) fn write_note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    conversation: &Conversation,
    note: &str,
    client_id: Option<String>,
) -> Result<Message, ActError> {
    let message = Message {
        client_id,
        ..blank(tx, actor, conversation, Direction::Note, &Text::plain(note))?
    };
    if !tx.add_message(message.clone(), conversation.audience())? {
        return Err(ActError::Exists(
            "this client_id was used for another note: make a new one".to_owned(),
        ));
    }
    Ok(message)
}

fn outbound(
    tx: &Tx<'_>,
    actor: &Actor,
    conversation: &Conversation,
    thread: &ThreadRow,
    message: MessageId,
    action: Action,
) -> Outbound {
    Outbound {
        message,
        line: conversation.line.clone(),
        recipient: thread.recipient(),
        sent_at: tx.now(),
        author_name: author_name(tx, actor),
        action,
    }
}

fn author_name(tx: &Tx<'_>, actor: &Actor) -> String {
    actor
        .operator
        .and_then(|me| tx.operator(me))
        .map_or_else(String::new, |operator| operator.display_name.clone())
}

/// What lists show of a message.
pub(crate) fn last_message(message: &Message) -> LastMessage {
    let words = message.content.words();
    let shown = if words.is_empty() {
        message
            .attachments
            .first()
            .map_or("", |attachment| attachment.file_name.as_str())
    } else {
        words
    };
    LastMessage {
        id: message.id,
        at: message.stored_at,
        text: text::preview(shown),
        inbound: message.direction == Direction::Inbound,
    }
}

/// Notes what became of a message that was handed over.
pub(crate) fn delivered(
    tx: &mut Tx<'_>,
    id: MessageId,
    delivery: Delivery,
    external_id: Option<String>,
    error: &str,
) -> Result<(), StoreError> {
    let Some(mut message) = tx.message(id)? else {
        return Ok(());
    };
    let moves = message
        .delivery
        .is_some_and(|known| known.advances_to(delivery));
    if !moves && external_id.is_none() {
        return Ok(());
    }
    if moves {
        message.delivery = Some(delivery);
        error.clone_into(&mut message.delivery_error);
    }
    message.external_id = external_id.or(message.external_id);
    let conversation = tx.conversation(message.conversation)?;
    let thread = tx.thread(message.thread)?;
    if let Some(conversation) = conversation {
        tx.change_message(message, conversation.audience(), false)?;
    }
    if let Some(thread) = thread {
        tx.touch_thread(&thread.line, &thread.thread_key);
    }
    Ok(())
}
