//! Everything an operator does.

mod feed;

use std::pin::Pin;

use domain::conversation::Conversation;
use domain::event::Cursor;
use domain::identity::Identity;
use domain::message::Message;
use domain::{ContactId, QueueId, Timestamp};
use engine::act::{NewMessage, Target};
use engine::contacts::convert::{identity, identity_from, timestamp, timestamp_from};
use engine::{ActError, Engine};
use futures::{Stream, StreamExt as _};
use proto::inbox::v1 as pb;
use proto::inbox::v1::inbox_server::Inbox;
use store::{Block, Folder, PageKey, StoreError};
use tonic::{Request, Response, Status};

use super::{
    PAGE_DEFAULT, PAGE_MAX, caller, id, invalid, lens, optional_id, page_number, page_size, status,
    store_status,
};
use crate::access::Caller;
use crate::convert::{Lens, conversation, medium, message, offer, operator, presence_from};

/// Messages of one page of search.
const HITS_DEFAULT: usize = 20;
const HITS_MAX: usize = 100;

pub(super) struct Service(pub(super) Engine);

type Answer<T> = Result<Response<T>, Status>;

impl Service {
    fn conversation(changed: Result<Conversation, ActError>) -> Answer<pb::Conversation> {
        changed
            .map(|changed| Response::new(conversation(&changed)))
            .map_err(status)
    }

    fn message(&self, caller: &Caller, written: Result<Message, ActError>) -> Answer<pb::Message> {
        let lens = lens(&self.0, caller);
        written
            .map(|written| Response::new(message(&lens, &written)))
            .map_err(status)
    }
}

#[tonic::async_trait]
impl Inbox for Service {
    type SubscribeStream =
        Pin<Box<dyn Stream<Item = Result<pb::SubscribeResponse, Status>> + Send>>;

    async fn get_me(&self, request: Request<pb::GetMeRequest>) -> Answer<pb::GetMeResponse> {
        let caller = caller(&request)?;
        let lens = lens(&self.0, &caller);
        let (operators, tallies, blocks, cursor, oldest) = {
            let queues: Vec<QueueId> = queues_seen(&lens).map(|queue| queue.id.clone()).collect();
            self.0
                .read::<_, StoreError>(move |view| {
                    let oldest = queues
                        .iter()
                        .map(|queue| view.oldest_waiting(queue))
                        .collect::<Result<Vec<_>, _>>()?;
                    Ok((
                        view.all_operators()?,
                        view.tallies()?,
                        view.block_count()?,
                        view.last_cursor()?,
                        oldest,
                    ))
                })
                .await
                .map_err(store_status)?
        };
        let me = caller.actor.operator;
        let queues = queues_seen(&lens).zip(oldest).map(|(queue, oldest)| {
            let waiting = tallies
                .iter()
                .find(|tally| tally.queue == queue.id)
                .map_or(0, |tally| tally.queued + tally.offered);
            pb::QueueSummary {
                id: queue.id.to_string(),
                display_name: queue.display_name.clone(),
                waiting: i32::try_from(waiting).unwrap_or(i32::MAX),
                oldest_waiting_since: oldest.map(timestamp),
            }
        });
        Ok(Response::new(pb::GetMeResponse {
            operator: operators
                .iter()
                .find(|known| Some(known.id) == me)
                .map(|known| operator(&lens, known)),
            colleagues: operators
                .iter()
                .filter(|known| !known.disabled && Some(known.id) != me)
                .map(|known| operator(&lens, known))
                .collect(),
            queues: queues.collect(),
            other_queues: other_queues(&lens).collect(),
            lines: self.0.settings().lines.iter().map(line).collect(),
            server_time: Some(timestamp(lens.now)),
            cursor: cursor.0.to_string(),
            block_count: blocks,
        }))
    }

    async fn set_presence(&self, request: Request<pb::SetPresenceRequest>) -> Answer<pb::Operator> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let presence = presence_from(request.presence(), request.away_reason.clone())
            .ok_or_else(|| invalid("presence", "give a presence"))?;
        let changed = self
            .0
            .set_presence(
                &caller.actor,
                &request.client_id,
                presence,
                request.when_idle,
            )
            .await
            .map_err(status)?;
        Ok(Response::new(operator(&lens(&self.0, &caller), &changed)))
    }

    async fn list_conversations(
        &self,
        request: Request<pb::ListConversationsRequest>,
    ) -> Answer<pb::ListConversationsResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        if !request.contact_id.is_empty() {
            return self.list_of_contact(&caller, &request, limit).await;
        }
        let mine = || {
            caller
                .actor
                .operator
                .ok_or_else(|| invalid("folder", "a program of its own has no folder MINE"))
        };
        let folder = match request.folder() {
            pb::Folder::Unspecified | pb::Folder::Mine => Folder::Mine(mine()?),
            pb::Folder::Waiting => Folder::Waiting,
            pb::Folder::AllOpen => Folder::Open,
            pb::Folder::Snoozed => Folder::Snoozed(mine()?),
            pb::Folder::Ended => Folder::Ended,
        };
        let queue = (!request.queue_id.is_empty()).then(|| request.queue_id.as_str().into());
        let after = page_key(&request.page_token)?;
        let page = self
            .0
            .list_conversations(&caller.actor, folder, queue, after, limit)
            .await
            .map_err(status)?;
        let waiting: i64 = page
            .tallies
            .iter()
            .map(|tally| tally.queued + tally.offered)
            .sum();
        let open: i64 = waiting
            + page
                .tallies
                .iter()
                .map(|tally| tally.active + tally.parked)
                .sum::<i64>();
        let (mine, mine_unread, snoozed, snoozed_unread) = page.mine;
        let counts = [
            (pb::Folder::Mine, mine, mine_unread),
            (pb::Folder::Waiting, waiting, waiting),
            (pb::Folder::AllOpen, open, 0),
            (pb::Folder::Snoozed, snoozed, snoozed_unread),
        ];
        Ok(Response::new(pb::ListConversationsResponse {
            conversations: page.conversations.iter().map(conversation).collect(),
            next_page_token: page.next.map(page_token).unwrap_or_default(),
            counts: counts
                .into_iter()
                .map(|(folder, count, unread)| pb::FolderCount {
                    folder: folder.into(),
                    count: i32::try_from(count).unwrap_or(i32::MAX),
                    unread: i32::try_from(unread).unwrap_or(i32::MAX),
                })
                .collect(),
            cursor: page.cursor.0.to_string(),
            offers: page.offers.iter().map(offer).collect(),
        }))
    }

    async fn get_conversation(
        &self,
        request: Request<pb::GetConversationRequest>,
    ) -> Answer<pb::GetConversationResponse> {
        let caller = caller(&request)?;
        let wanted = id(&request.into_inner().conversation_id, "conversation")?;
        let opened = self
            .0
            .open_conversation(&caller.actor, wanted)
            .await
            .map_err(status)?;
        let contact = self.contact(&opened.conversation).await;
        let own = &opened.conversation.client.contact;
        let mut suggestions = Vec::with_capacity(opened.suggestions.len());
        for suggestion in &opened.suggestions {
            let other = if suggestion.other == *own {
                &suggestion.contact
            } else {
                &suggestion.other
            };
            suggestions.push(pb::ContactSuggestion {
                id: suggestion.id.to_string(),
                other: Some(self.summary(other).await),
                reason: suggestion.reason.clone(),
                confidence: suggestion.confidence,
            });
        }
        Ok(Response::new(pb::GetConversationResponse {
            conversation: Some(conversation(&opened.conversation)),
            contact: Some(contact),
            offer: opened.offer.as_ref().map(offer),
            draft: opened.draft,
            suggestions,
            history: opened.history.iter().map(conversation).collect(),
            sender: opened.sender.as_ref().map(identity),
            sender_blocked: opened.sender_blocked,
        }))
    }

    async fn list_timeline(
        &self,
        request: Request<pb::ListTimelineRequest>,
    ) -> Answer<pb::ListTimelineResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let before = page_number(&request.page_token)?;
        let page = if request.contact_id.is_empty() {
            let wanted = id(&request.conversation_id, "conversation")?;
            self.0
                .conversation_timeline(&caller.actor, wanted, before, limit)
                .await
        } else {
            let contact = ContactId::from(request.contact_id.as_str());
            self.0
                .contact_timeline(&caller.actor, contact, before, limit)
                .await
        }
        .map_err(status)?;
        let lens = lens(&self.0, &caller);
        Ok(Response::new(pb::ListTimelineResponse {
            messages: page
                .messages
                .iter()
                .map(|found| message(&lens, found))
                .collect(),
            conversations: page.conversations.iter().map(conversation).collect(),
            next_page_token: page.next.map(|next| next.to_string()).unwrap_or_default(),
        }))
    }

    async fn accept_offer(
        &self,
        request: Request<pb::AcceptOfferRequest>,
    ) -> Answer<pb::Conversation> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let offer = id(&request.offer_id, "offer")?;
        Self::conversation(
            self.0
                .accept_offer(&caller.actor, &request.client_id, offer)
                .await,
        )
    }

    async fn decline_offer(
        &self,
        request: Request<pb::DeclineOfferRequest>,
    ) -> Answer<pb::Conversation> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let offer = id(&request.offer_id, "offer")?;
        Self::conversation(
            self.0
                .decline_offer(&caller.actor, &request.client_id, offer, &request.reason)
                .await,
        )
    }

    async fn take_conversation(
        &self,
        request: Request<pb::TakeConversationRequest>,
    ) -> Answer<pb::Conversation> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.conversation_id, "conversation")?;
        Self::conversation(
            self.0
                .take_conversation(&caller.actor, &request.client_id, wanted)
                .await,
        )
    }

    async fn send_message(&self, request: Request<pb::SendMessageRequest>) -> Answer<pb::Message> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let new = NewMessage {
            conversation: id(&request.conversation_id, "conversation")?,
            text: request.text,
            upload_ids: request.upload_ids,
            reply_to: optional_id(&request.reply_to_message_id, "message")?,
            client_id: request.client_id,
        };
        let written = self.0.send_message(&caller.actor, new).await;
        self.message(&caller, written)
    }

    async fn edit_message(&self, request: Request<pb::EditMessageRequest>) -> Answer<pb::Message> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.message_id, "message")?;
        let written = self
            .0
            .edit_message(&caller.actor, &request.client_id, wanted, &request.text)
            .await;
        self.message(&caller, written)
    }

    async fn delete_message(
        &self,
        request: Request<pb::DeleteMessageRequest>,
    ) -> Answer<pb::Message> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.message_id, "message")?;
        let written = self
            .0
            .delete_message(&caller.actor, &request.client_id, wanted)
            .await;
        self.message(&caller, written)
    }

    async fn react(&self, request: Request<pb::ReactRequest>) -> Answer<pb::Message> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.message_id, "message")?;
        let written = self
            .0
            .react(&caller.actor, &request.client_id, wanted, &request.emoji)
            .await;
        self.message(&caller, written)
    }

    async fn add_note(&self, request: Request<pb::AddNoteRequest>) -> Answer<pb::Message> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.conversation_id, "conversation")?;
        let written = self
            .0
            .add_note(&caller.actor, &request.client_id, wanted, &request.text)
            .await;
        self.message(&caller, written)
    }

    async fn mark_read(
        &self,
        request: Request<pb::MarkReadRequest>,
    ) -> Answer<pb::MarkReadResponse> {
        let caller = caller(&request)?;
        let wanted = id(&request.into_inner().conversation_id, "conversation")?;
        self.0
            .mark_read(&caller.actor, wanted)
            .await
            .map_err(status)?;
        Ok(Response::new(pb::MarkReadResponse {}))
    }

    async fn set_typing(
        &self,
        request: Request<pb::SetTypingRequest>,
    ) -> Answer<pb::SetTypingResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.conversation_id, "conversation")?;
        self.0
            .set_typing(&caller.actor, wanted, request.active)
            .await
            .map_err(status)?;
        Ok(Response::new(pb::SetTypingResponse {}))
    }

    async fn transfer_conversation(
        &self,
        request: Request<pb::TransferConversationRequest>,
    ) -> Answer<pb::Conversation> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.conversation_id, "conversation")?;
        let target = match request.target {
            Some(pb::transfer_conversation_request::Target::OperatorId(operator)) => {
                Target::Operator(id(&operator, "operator")?)
            }
            Some(pb::transfer_conversation_request::Target::QueueId(queue)) => {
                Target::Queue(queue.as_str().into())
            }
            None => return Err(invalid("target", "give an operator or a queue")),
        };
        Self::conversation(
            self.0
                .transfer_conversation(
                    &caller.actor,
                    &request.client_id,
                    wanted,
                    target,
                    request.reset_age,
                    &request.note,
                )
                .await,
        )
    }

    async fn snooze_conversation(
        &self,
        request: Request<pb::SnoozeConversationRequest>,
    ) -> Answer<pb::Conversation> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.conversation_id, "conversation")?;
        let until = request.until.as_ref().map(timestamp_from);
        Self::conversation(
            self.0
                .snooze_conversation(&caller.actor, &request.client_id, wanted, until)
                .await,
        )
    }

    async fn finish_conversation(
        &self,
        request: Request<pb::FinishConversationRequest>,
    ) -> Answer<pb::Conversation> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.conversation_id, "conversation")?;
        Self::conversation(
            self.0
                .finish_conversation(
                    &caller.actor,
                    &request.client_id,
                    wanted,
                    &request.disposition,
                    request.spam,
                )
                .await,
        )
    }

    async fn reopen_conversation(
        &self,
        request: Request<pb::ReopenConversationRequest>,
    ) -> Answer<pb::Conversation> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.conversation_id, "conversation")?;
        Self::conversation(
            self.0
                .reopen_conversation(&caller.actor, &request.client_id, wanted)
                .await,
        )
    }

    async fn start_conversation(
        &self,
        request: Request<pb::StartConversationRequest>,
    ) -> Answer<pb::Conversation> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let thread = id(&request.thread_id, "thread")?;
        Self::conversation(
            self.0
                .start_conversation(&caller.actor, &request.client_id, thread)
                .await,
        )
    }

    async fn join_conversation(
        &self,
        request: Request<pb::JoinConversationRequest>,
    ) -> Answer<pb::Conversation> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.conversation_id, "conversation")?;
        Self::conversation(
            self.0
                .join_conversation(&caller.actor, &request.client_id, wanted, request.leave)
                .await,
        )
    }

    async fn search_messages(
        &self,
        request: Request<pb::SearchMessagesRequest>,
    ) -> Answer<pb::SearchMessagesResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let limit = page_size(request.page_size, HITS_DEFAULT, HITS_MAX)?;
        let before = page_number(&request.page_token)?;
        let (hits, next) = self
            .0
            .search_messages(&caller.actor, &request.query, before, limit)
            .await
            .map_err(status)?;
        let lens = lens(&self.0, &caller);
        Ok(Response::new(pb::SearchMessagesResponse {
            hits: hits
                .iter()
                .map(|(found, of)| pb::SearchHit {
                    message: Some(message(&lens, found)),
                    conversation: Some(conversation(of)),
                })
                .collect(),
            next_page_token: next.map(|next| next.to_string()).unwrap_or_default(),
        }))
    }

    async fn save_draft(
        &self,
        request: Request<pb::SaveDraftRequest>,
    ) -> Answer<pb::SaveDraftResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let wanted = id(&request.conversation_id, "conversation")?;
        self.0
            .save_draft(&caller.actor, wanted, &request.text)
            .await
            .map_err(status)?;
        Ok(Response::new(pb::SaveDraftResponse {}))
    }

    async fn block_identity(
        &self,
        request: Request<pb::BlockIdentityRequest>,
    ) -> Answer<pb::Block> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let asked = given(request.identity.as_ref())?;
        let blocked = self
            .0
            .block_identity(&caller.actor, &request.client_id, &asked, &request.reason)
            .await
            .map_err(status)?;
        Ok(Response::new(block(&blocked)))
    }

    async fn unblock_identity(
        &self,
        request: Request<pb::UnblockIdentityRequest>,
    ) -> Answer<pb::UnblockIdentityResponse> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let asked = given(request.identity.as_ref())?;
        self.0
            .unblock_identity(&caller.actor, &request.client_id, &asked)
            .await
            .map_err(status)?;
        Ok(Response::new(pb::UnblockIdentityResponse {}))
    }

    async fn list_blocks(
        &self,
        request: Request<pb::ListBlocksRequest>,
    ) -> Answer<pb::ListBlocksResponse> {
        let request = request.into_inner();
        let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
        let offset = page_number(&request.page_token)?.unwrap_or(0).max(0);
        let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut blocks = self
            .0
            .read::<_, StoreError>(move |view| view.blocks(offset, more))
            .await
            .map_err(store_status)?;
        let next_page_token = if blocks.len() > limit {
            (offset + more - 1).to_string()
        } else {
            String::new()
        };
        blocks.truncate(limit);
        Ok(Response::new(pb::ListBlocksResponse {
            blocks: blocks.iter().map(block).collect(),
            next_page_token,
        }))
    }

    async fn dismiss_suggestion(
        &self,
        request: Request<pb::DismissSuggestionRequest>,
    ) -> Answer<pb::DismissSuggestionResponse> {
        let text = request.into_inner().suggestion_id;
        let suggestion = text
            .parse()
            .map_err(|_| status(ActError::NotFound("suggestion")))?;
        self.0
            .dismiss_suggestion(suggestion)
            .await
            .map_err(status)?;
        Ok(Response::new(pb::DismissSuggestionResponse {}))
    }

    async fn subscribe(
        &self,
        request: Request<pb::SubscribeRequest>,
    ) -> Answer<Self::SubscribeStream> {
        let caller = caller(&request)?;
        let asked = request.into_inner().cursor;
        let cursor = if asked.is_empty() {
            None
        } else {
            let number = asked
                .parse()
                .map_err(|_| invalid("cursor", "not one of this server's"))?;
            Some(Cursor(number))
        };
        let feed = self.0.read_feed(cursor);
        let opened = feed::ready(&self.0, &feed);
        let typing = self.0.watch_typing();
        let steps = feed::follow(self.0.clone(), caller, feed, typing);
        Ok(Response::new(Box::pin(
            futures::stream::once(async { Ok(opened) }).chain(steps),
        )))
    }
}

impl Service {
    async fn list_of_contact(
        &self,
        caller: &Caller,
        request: &pb::ListConversationsRequest,
        limit: usize,
    ) -> Answer<pb::ListConversationsResponse> {
        let contact = ContactId::from(request.contact_id.as_str());
        let before = page_number(&request.page_token)?.unwrap_or(i64::MAX);
        let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let (mut found, cursor) = self
            .0
            .read::<_, StoreError>(move |view| {
                let contact = view.target_of(&contact)?;
                let found = view.conversations_of(&contact, before, more)?;
                Ok((found, view.last_cursor()?))
            })
            .await
            .map_err(store_status)?;
        let next = (found.len() > limit)
            .then(|| found.get(limit - 1).map(|last| last.id.to_string()))
            .flatten()
            .unwrap_or_default();
        found.truncate(limit);
        found.retain(|conversation| caller.actor.may_see(conversation));
        Ok(Response::new(pb::ListConversationsResponse {
            conversations: found.iter().map(conversation).collect(),
            next_page_token: next,
            cursor: cursor.0.to_string(),
            ..pb::ListConversationsResponse::default()
        }))
    }

    /// The contact as its directory has it now; what we know of it when the
    /// directory cannot be asked.
    async fn contact(&self, of: &Conversation) -> proto::contacts::v1::Contact {
        let client = &of.client;
        let known = self.ask(&client.contact).await;
        known.unwrap_or_else(|| proto::contacts::v1::Contact {
            id: client.contact.to_string(),
            profile: Some(proto::contacts::v1::Profile {
                display_name: client.display_name.clone(),
                avatar_url: client.avatar_url.clone().unwrap_or_default(),
                ..Default::default()
            }),
            provisional: client.provisional,
            ..Default::default()
        })
    }

    async fn summary(&self, contact: &ContactId) -> pb::ContactSummary {
        let known = self.ask(contact).await.unwrap_or_default();
        let profile = known.profile.unwrap_or_default();
        pb::ContactSummary {
            id: contact.to_string(),
            display_name: profile.display_name,
            avatar_url: profile.avatar_url,
            provisional: known.provisional,
            address: known
                .identities
                .first()
                .map(|identity| identity.value.clone())
                .unwrap_or_default(),
            known: true,
        }
    }

    async fn ask(&self, contact: &ContactId) -> Option<proto::contacts::v1::Contact> {
        self.0.contact(contact).await
    }
}

fn queues_seen(lens: &Lens) -> impl Iterator<Item = &engine::settings::Queue> {
    lens.engine.settings().queues.iter().filter(|queue| {
        lens.actor
            .queues()
            .is_none_or(|queues| queues.contains(&queue.id))
    })
}

fn other_queues(lens: &Lens) -> impl Iterator<Item = pb::QueueSummary> {
    let seen = lens.actor.queues();
    let all = lens.engine.settings().queues.iter();
    all.filter(move |queue| seen.is_some_and(|seen| !seen.contains(&queue.id)))
        .map(|queue| pb::QueueSummary {
            id: queue.id.to_string(),
            display_name: queue.display_name.clone(),
            ..pb::QueueSummary::default()
        })
}

/// What people need to know of a line.
pub(super) fn line(line: &engine::Line) -> pb::LineSummary {
    let descriptor = line.kind.descriptor;
    pb::LineSummary {
        id: line.id.to_string(),
        display_name: line.display_name.clone(),
        channel: descriptor.kind.to_owned(),
        channel_name: descriptor.display_name.to_owned(),
        medium: medium(descriptor.medium).into(),
        capabilities: descriptor
            .capabilities
            .iter()
            .map(|capability| capability.name().to_owned())
            .collect(),
        text_length_max: i32::try_from(descriptor.text_length_max).unwrap_or(i32::MAX),
        attachment_bytes_max: i64::try_from(descriptor.attachment_bytes_max).unwrap_or(i64::MAX),
    }
}

fn given(asked: Option<&proto::contacts::v1::Identity>) -> Result<Identity, Status> {
    asked
        .map(identity_from)
        .ok_or_else(|| invalid("identity", "give one"))
}

fn block(block: &Block) -> pb::Block {
    pb::Block {
        identity: Some(identity(&block.identity)),
        reason: block.reason.clone(),
        operator_id: block
            .operator
            .map(|operator| operator.to_string())
            .unwrap_or_default(),
        blocked_at: Some(timestamp(block.at)),
    }
}

fn page_token(key: PageKey) -> String {
    format!("{}.{}.{}", key.band, key.at, key.id)
}

fn page_key(token: &str) -> Result<Option<PageKey>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let mut parts = token.splitn(3, '.').map(str::parse::<i64>);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(band)), Some(Ok(at)), Some(Ok(id))) => Ok(Some(PageKey {
            band,
            at: Timestamp(at),
            id,
        })),
        _ => Err(invalid("page_token", "not one of this list's")),
    }
}
