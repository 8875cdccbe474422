//! Notes that name colleagues. A mention lets somebody into one conversation as a
//! colleague of its queue is in it, as long as the note stands; whoever is in for a
//! mention alone lets in nobody else.

use std::collections::BTreeSet;

use domain::conversation::Conversation;
use domain::message::Message;
use domain::operator::{Operator, Role};
use domain::{ConversationId, OperatorId};
use store::{Mention, Tx};

use super::{ActError, Actor, seen};
use crate::Engine;
use crate::reason::Reason;

/// Colleagues whom one note names.
const MENTIONS_MAX: usize = 20;

/// A page of the notes that name somebody.
#[derive(Clone, Debug)]
pub struct MentionPage {
    /// The notes, the newest first, with their conversations.
    pub mentions: Vec<(Mention, Conversation)>,
    /// Where the next page begins.
    pub next: Option<i64>,
    /// How many are unread in all.
    pub unread: i64,
}

impl Engine {
    /// A page of the notes that name the actor, the newest first.
    pub async fn list_mentions(
        &self,
        actor: &Actor,
        unread_only: bool,
        before: Option<i64>,
        limit: usize,
    ) -> Result<MentionPage, ActError> {
        let me = actor.person()?;
        let who = actor.clone();
        self.read(move |view| {
            let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let before = before.unwrap_or(i64::MAX);
            let mut found = view.mentions_of(me, unread_only, before, more)?;
            let next = (found.len() > limit)
                .then(|| found.get(limit - 1).map(|last| last.message.id.get()))
                .flatten();
            found.truncate(limit);
            let mut mentions = Vec::with_capacity(found.len());
            for mention in found {
                let conversation = view
                    .conversation(mention.message.conversation)?
                    .filter(|conversation| who.may_see(conversation));
                mentions.extend(conversation.map(|conversation| (mention, conversation)));
            }
            Ok(MentionPage {
                mentions,
                next,
                unread: view.unread_mentions(me)?,
            })
        })
        .await
    }

    /// Says that the actor read the notes that name them, of one conversation or of
    /// all. Answers how many are unread now.
    pub async fn read_mentions(
        &self,
        actor: &Actor,
        conversation: Option<ConversationId>,
    ) -> Result<i64, ActError> {
        let me = actor.person()?;
        let who = actor.clone();
        self.store()
            .write(move |tx| {
                if let Some(id) = conversation {
                    seen(tx, &who, id)?;
                }
                tx.read_mentions(me, conversation)?;
                Ok(tx.unread_mentions(me)?)
            })
            .await
    }
}

/// Whom a note may name: colleagues who work here, without its author.
pub(super) fn checked(
    actor: &Actor,
    wanted: &[OperatorId],
) -> Result<BTreeSet<OperatorId>, ActError> {
    let wanted: BTreeSet<OperatorId> = wanted
        .iter()
        .copied()
        .filter(|id| actor.operator != Some(*id))
        .collect();
    if wanted.len() > MENTIONS_MAX {
        return Err(ActError::Invalid {
            field: "mentioned_operator_ids",
            problem: Reason::TooManyMentions { max: MENTIONS_MAX },
        });
    }
    Ok(wanted)
}

/// Lets in whom a note is going to name.
pub(super) fn let_in(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: &Conversation,
    named: &BTreeSet<OperatorId>,
) -> Result<Conversation, ActError> {
    let mut after = before.clone();
    for id in named {
        let colleague = tx
            .operator(*id)
            .filter(|colleague| !colleague.disabled)
            .ok_or(ActError::NotFound("operator"))?;
        if is_guest(actor, before) && !sees(&colleague, before) {
            return Err(ActError::Denied(Reason::OnlyColleaguesLetIn));
        }
        after.mentioned.insert(*id);
    }
    if after != *before {
        tx.save_conversation(before, &mut after)?;
    }
    Ok(after)
}

/// Takes back what a note that is no more let in, and answers the conversation.
pub(super) fn take_back(
    tx: &mut Tx<'_>,
    note: &Message,
    before: &Conversation,
) -> Result<(), ActError> {
    let mut after = before.clone();
    for free in tx.unmention(note.id, note.conversation)? {
        after.mentioned.remove(&free);
    }
    if after != *before {
        tx.save_conversation(before, &mut after)?;
    }
    Ok(())
}

/// In it for a mention alone.
fn is_guest(actor: &Actor, conversation: &Conversation) -> bool {
    let works_for_it = actor
        .queues()
        .is_none_or(|queues| queues.contains(&conversation.queue));
    let takes_part = actor.operator.is_some_and(|me| {
        conversation.operator() == Some(me) || conversation.participants.contains(&me)
    });
    !works_for_it && !takes_part
}

fn sees(colleague: &Operator, conversation: &Conversation) -> bool {
    colleague.role >= Role::Supervisor
        || conversation.audience().operators.contains(&colleague.id)
        || colleague
            .memberships
            .iter()
            .any(|membership| membership.queue == conversation.queue)
}
