//! Messages after they were sent: other words, none, a reaction.

use channels::Capability;
use domain::message::{
    Action, Author, Content, Direction, Message, MessageReaction, Revision, Text,
};
use domain::{MessageId, text};
use store::Tx;

use super::super::{ActError, Actor, mentions, seen};
use super::NOTE_CHARS_MAX;
use super::way::{must_be_able, must_be_in_time, outbound};
use crate::Engine;
use crate::reason::Reason;

/// Earlier wordings kept of a message.
const REVISIONS_MAX: usize = 50;
/// An emoji with its modifiers.
const EMOJI_CHARS_MAX: usize = 16;

impl Engine {
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
                problem: Reason::Empty,
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
                message.mentions.clear();
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
                return Err(ActError::Denied(Reason::OnlyItsAuthor));
            }
            if message.deleted_at.is_some() {
                return Err(ActError::Refused(Reason::TakenBack));
            }
            let action = change(tx, &mut message);
            if message.direction == Direction::Outbound {
                let (line, thread) = engine.way_out(tx, &conversation)?;
                must_be_able(&line, capability, capability.name())?;
                let target = message
                    .external_id
                    .clone()
                    .ok_or(ActError::Refused(Reason::NotSentYet))?;
                let outbound = outbound(tx, &who, &conversation, &thread, id, action(target));
                tx.enqueue(&outbound)?;
                tx.change_message(message.clone(), conversation.audience(), true)?;
                tx.touch_thread(&thread.line, &thread.thread_key);
            } else {
                tx.change_message(message.clone(), conversation.audience(), true)?;
                if message.deleted_at.is_some() {
                    mentions::take_back(tx, &message, &conversation)?;
                }
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
            must_be_able(&line, Capability::React, "react")?;
            must_be_in_time(tx, &line, &thread)?;
            let target = message
                .external_id
                .clone()
                .ok_or(ActError::Refused(Reason::UnknownToChannel))?;
            let action = Action::React { target, emoji };
            let outbound = outbound(tx, &who, &conversation, &thread, id, action);
            tx.enqueue(&outbound)?;
            tx.change_message(message.clone(), conversation.audience(), false)?;
            tx.touch_thread(&thread.line, &thread.thread_key);
            Ok(message)
        })
        .await
    }
}
