//! What pages read.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use domain::conversation::{Conversation, Offer};
use domain::event::Cursor;
use domain::identity::Identity;
use domain::message::Message;
use domain::{ContactId, ConversationId, MessageId, OfferId, QueueId, text};
use store::{
    Folder, JournalEntry, JournalState, PageKey, PendingOfLine, StoreError, StoredSuggestion, Tally,
};

use super::rating::opinions;
use super::{ActError, Actor, Opinions, seen};
use crate::reason::Reason;
use crate::{Engine, Line};

/// A page of conversations, with what a list shows around it.
#[derive(Clone, Debug)]
pub struct ConversationPage {
    /// The conversations.
    pub conversations: Vec<Conversation>,
    /// Where the next page begins.
    pub next: Option<PageKey>,
    /// The actor's own: in hand, unread, put away, unread.
    pub mine: (i64, i64, i64, i64),
    /// Counts by queue that the actor may see.
    pub tallies: Vec<Tally>,
    /// Pending offers to the actor.
    pub offers: Vec<Offer>,
    /// The cursor of this picture.
    pub cursor: Cursor,
}

/// A conversation with what belongs to it.
#[derive(Clone, Debug)]
pub struct Opened {
    /// It.
    pub conversation: Conversation,
    /// The pending offer.
    pub offer: Option<Offer>,
    /// The actor's unsent text.
    pub draft: String,
    /// Contacts that may be the same person.
    pub suggestions: Vec<StoredSuggestion>,
    /// Other conversations of the contact.
    pub history: Vec<Conversation>,
    /// Who writes, as the channel tells it.
    pub sender: Option<Identity>,
    /// Whether the sender is kept out.
    pub sender_blocked: bool,
    /// What was thought of it and of those beside it.
    pub opinions: Opinions,
}

/// A page of a timeline.
#[derive(Clone, Debug)]
pub struct TimelinePage {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// The conversations they belong to.
    pub conversations: Vec<Conversation>,
    /// Where the next older page begins.
    pub next: Option<i64>,
}

impl Engine {
    /// A message of a conversation that the actor may see.
    pub async fn message_seen(&self, actor: &Actor, id: MessageId) -> Result<Message, ActError> {
        let who = actor.clone();
        self.read(move |view| {
            let message = view.message(id)?;
            let message = message.filter(|message| message.deleted_at.is_none());
            let message = message.ok_or(ActError::NotFound("message"))?;
            seen(view, &who, message.conversation)?;
            Ok(message)
        })
        .await
    }

    /// A page of a folder.
    pub async fn list_conversations(
        &self,
        actor: &Actor,
        folder: Folder,
        queue: Option<QueueId>,
        after: Option<PageKey>,
        limit: usize,
    ) -> Result<ConversationPage, ActError> {
        let who = actor.clone();
        self.read(move |view| {
            let scope = match queue {
                Some(queue) => {
                    if who.queues().is_some_and(|queues| !queues.contains(&queue)) {
                        return Err(ActError::NotFound("queue"));
                    }
                    Some([queue].into())
                }
                None => who.queues().cloned(),
            };
            let cursor = view.last_cursor()?;
            let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let mut conversations = view.list_conversations(folder, scope.as_ref(), after, more)?;
            let next = (conversations.len() > limit)
                .then(|| page_key(folder, conversations.get(limit - 1)))
                .flatten();
            conversations.truncate(limit);
            let tallies = view
                .tallies()?
                .into_iter()
                .filter(|tally| {
                    who.queues()
                        .is_none_or(|queues| queues.contains(&tally.queue))
                })
                .collect();
            let (mine, offers) = match who.operator {
                Some(me) => (view.counts_of(me)?, view.pending_offers_of(me)?),
                None => ((0, 0, 0, 0), Vec::new()),
            };
            Ok(ConversationPage {
                conversations,
                next,
                mine,
                tallies,
                offers,
                cursor,
            })
        })
        .await
    }

    /// One conversation with what belongs to it.
    pub async fn open_conversation(
        &self,
        actor: &Actor,
        id: ConversationId,
    ) -> Result<Opened, ActError> {
        let who = actor.clone();
        self.read(move |view| {
            let conversation = seen(view, &who, id)?;
            let contact = conversation.client.contact.clone();
            // Of several, the reader's own.
            let asked = conversation.asked();
            let own = who.operator.and_then(|me| asked.get(&me));
            let offer = match own.or_else(|| asked.values().next()) {
                Some(offer) => view.offer(*offer)?,
                None => None,
            };
            let draft = match who.operator {
                Some(me) => view.draft(me, id)?,
                None => String::new(),
            };
            let all = view.conversations_of(&contact, i64::MAX, 21)?;
            let beside = all.iter().filter(|other| other.id != id);
            let opinions = opinions(view, &who, beside.chain([&conversation]))?;
            let history = all
                .into_iter()
                .filter(|other| other.id != id)
                .take(20)
                .map(|other| title_only(&who, other))
                .collect();
            let sender = view
                .thread(conversation.thread)?
                .and_then(|thread| thread.address().cloned());
            let sender_blocked = match &sender {
                Some(sender) => view.is_blocked(&sender.key())?,
                None => false,
            };
            Ok(Opened {
                offer,
                draft,
                suggestions: view.suggestions_of(&contact)?,
                history,
                sender,
                sender_blocked,
                opinions,
                conversation,
            })
        })
        .await
    }

    /// A contact as its directory has it; none when it cannot be asked.
    pub async fn contact(&self, id: &ContactId) -> Option<proto::contacts::v1::Contact> {
        let asked = proto::contacts::v1::GetContactRequest {
            contact_id: id.to_string(),
        };
        self.directory().get(asked).await
    }

    /// How a line does, for a person to read.
    pub fn line_status(&self, line: &Line) -> String {
        let refused = || self.inner.refusals.of(&line.id);
        let trouble = line.channel.trouble().or_else(refused);
        trouble.unwrap_or_else(|| "up".to_owned())
    }

    /// What waits in the journal for lines that are not configured; it is processed
    /// when they are again.
    pub async fn waiting_for_lines(&self) -> Result<Vec<PendingOfLine>, StoreError> {
        let serving = self.serving();
        let mut pending = self
            .read::<_, StoreError>(|view| view.journal_pending_by_line())
            .await?;
        pending.retain(|pending| serving.line_of_old(&pending.line).is_none());
        Ok(pending)
    }

    /// One dead letter with its raw bytes. They are a client's own words, so it is noted
    /// who read them.
    pub async fn dead_letter(&self, actor: &Actor, seq: i64) -> Result<JournalEntry, ActError> {
        let by = store::Auditor::from(actor);
        self.store()
            .write(move |tx| {
                let found = tx
                    .journal_entry(seq)?
                    .filter(|entry| entry.state == JournalState::Dead)
                    .ok_or(ActError::NotFound("dead letter"))?;
                tx.audit(by, "dead_letter.read", &seq.to_string(), "")?;
                Ok(found)
            })
            .await
    }

    /// Tries a dead letter again.
    pub async fn replay_dead_letter(
        &self,
        actor: Option<&Actor>,
        seq: i64,
    ) -> Result<(), ActError> {
        let by = super::audit::by(actor);
        let serving = self.serving();
        self.inner.pending.fetch_add(1, Ordering::Relaxed);
        let replayed = self
            .store()
            .write(move |tx| {
                let line = tx.journal_entry(seq)?.map(|entry| entry.line);
                if !tx.journal_replay(seq)? {
                    return Err(ActError::NotFound("dead letter"));
                }
                if let Some(line) = line.filter(|line| serving.line_of_old(line).is_none()) {
                    return Err(ActError::Refused(Reason::LineUnknown { line }));
                }
                tx.audit(by, "dead_letter.replay", &seq.to_string(), "")?;
                Ok(())
            })
            .await;
        if replayed.is_err() {
            self.inner.pending.fetch_sub(1, Ordering::Relaxed);
        }
        replayed
    }

    /// An offer with its explanation.
    pub async fn explain_offer(&self, actor: &Actor, id: OfferId) -> Result<Offer, ActError> {
        let who = actor.clone();
        self.read(move |view| {
            let offer = view.offer(id)?.ok_or(ActError::NotFound("offer"))?;
            if who.operator == Some(offer.operator) {
                return Ok(offer);
            }
            seen(view, &who, offer.conversation).map_err(|_| ActError::NotFound("offer"))?;
            Ok(offer)
        })
        .await
    }

    /// A page of a contact's timeline, the newest first page by page.
    pub async fn contact_timeline(
        &self,
        actor: &Actor,
        contact: ContactId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<TimelinePage, ActError> {
        let who = actor.clone();
        self.read(move |view| {
            let contact = view.target_of(&contact)?;
            let visible = view
                .conversations_of(&contact, i64::MAX, 1_000)?
                .iter()
                .any(|conversation| who.may_see(conversation));
            if !visible {
                return Err(ActError::NotFound("contact"));
            }
            let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let found = view.timeline_of(&contact, before.unwrap_or(i64::MAX), more)?;
            timeline(view, &who, found, limit)
        })
        .await
    }

    /// A page of a conversation's messages, the newest first page by page.
    pub async fn conversation_timeline(
        &self,
        actor: &Actor,
        id: ConversationId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<TimelinePage, ActError> {
        let who = actor.clone();
        self.read(move |view| {
            seen(view, &who, id)?;
            let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let found = view.messages_of(id, before.unwrap_or(i64::MAX), more)?;
            timeline(view, &who, found, limit)
        })
        .await
    }

    /// Messages that hold every word, with their conversations, the newest first.
    pub async fn search_messages(
        &self,
        actor: &Actor,
        query: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Result<(Vec<(Message, Conversation)>, Option<i64>), ActError> {
        let query = text::line(query, 200);
        let who = actor.clone();
        self.read(move |view| {
            let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let mut found =
                view.search_messages(&query, who.queues(), before.unwrap_or(i64::MAX), more)?;
            let next = (found.len() > limit)
                .then(|| found.get(limit - 1).map(|last| last.id.get()))
                .flatten();
            found.truncate(limit);
            let mut hits = Vec::with_capacity(found.len());
            for message in found {
                if let Some(conversation) = view.conversation(message.conversation)? {
                    hits.push((message, conversation));
                }
            }
            Ok((hits, next))
        })
        .await
    }
}

fn page_key(folder: Folder, last: Option<&Conversation>) -> Option<PageKey> {
    let last = last?;
    Some(match folder {
        Folder::Waiting => PageKey {
            band: i64::from(last.place.band),
            at: last.place.eligible_at,
            id: last.place.seq,
        },
        Folder::Mine(_) | Folder::Open | Folder::Snoozed(_) | Folder::Ended => PageKey {
            band: 0,
            at: last
                .last_message
                .as_ref()
                .map_or(last.created_at, |message| message.at),
            id: last.id.get(),
        },
    })
}

/// What is outside somebody's scope is there, without its words.
fn title_only(actor: &Actor, mut conversation: Conversation) -> Conversation {
    if !actor.may_see(&conversation) {
        if let Some(last) = &mut conversation.last_message {
            last.text.clear();
        }
        conversation.subject = None;
        conversation.disposition.clear();
    }
    conversation
}

fn timeline(
    view: &store::View<'_>,
    actor: &Actor,
    mut found: Vec<Message>,
    limit: usize,
) -> Result<TimelinePage, ActError> {
    let next = (found.len() > limit)
        .then(|| found.get(limit - 1).map(|last| last.id.get()))
        .flatten();
    found.truncate(limit);
    found.reverse();
    let mut conversations = BTreeMap::new();
    for message in &found {
        let id = message.conversation;
        if !conversations.contains_key(&id)
            && let Some(conversation) = view.conversation(id)?
        {
            conversations.insert(id, conversation);
        }
    }
    found.retain(|message| {
        conversations
            .get(&message.conversation)
            .is_some_and(|conversation| actor.may_see(conversation))
    });
    Ok(TimelinePage {
        messages: found,
        conversations: conversations
            .into_values()
            .map(|conversation| title_only(actor, conversation))
            .collect(),
        next,
    })
}
