//! Folders, conversations, timelines, search.

use domain::{ContactId, Timestamp};
use engine::Engine;
use engine::contacts::convert::identity;
use proto::inbox::v1 as pb;
use store::{Folder, PageKey, StoreError};
use tonic::{Request, Response, Status};

use super::super::{
    PAGE_DEFAULT, PAGE_MAX, caller, id, invalid, lens, page_number, page_size, status, store_status,
};
use super::{Answer, clients};
use crate::access::Caller;
use crate::convert::rating::{rating, score};
use crate::convert::{conversation, message, offer};

/// Messages of one page of search.
const HITS_DEFAULT: usize = 20;
const HITS_MAX: usize = 100;

pub(super) async fn list_conversations(
    engine: &Engine,
    request: Request<pb::ListConversationsRequest>,
) -> Answer<pb::ListConversationsResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
    if !request.contact_id.is_empty() {
        return list_of_contact(engine, &caller, &request, limit).await;
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
    let page = engine
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
            .map(|tally| {
                let aside = tally.parked + tally.deferred + tally.abandoned;
                tally.active + tally.wrap_up + aside
            })
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

pub(super) async fn get_conversation(
    engine: &Engine,
    request: Request<pb::GetConversationRequest>,
) -> Answer<pb::GetConversationResponse> {
    let caller = caller(&request)?;
    let wanted = id(&request.into_inner().conversation_id, "conversation")?;
    let opened = engine
        .open_conversation(&caller.actor, wanted)
        .await
        .map_err(status)?;
    let contact = clients::contact(engine, &opened.conversation).await;
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
            other: Some(clients::summary(engine, other).await),
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
        ratings: opened.opinions.ratings.iter().map(rating).collect(),
        scores: opened.opinions.reviews.iter().map(score).collect(),
    }))
}

pub(super) async fn list_timeline(
    engine: &Engine,
    request: Request<pb::ListTimelineRequest>,
) -> Answer<pb::ListTimelineResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
    let before = page_number(&request.page_token)?;
    let page = if request.contact_id.is_empty() {
        let wanted = id(&request.conversation_id, "conversation")?;
        engine
            .conversation_timeline(&caller.actor, wanted, before, limit)
            .await
    } else {
        let contact = ContactId::from(request.contact_id.as_str());
        engine
            .contact_timeline(&caller.actor, contact, before, limit)
            .await
    }
    .map_err(status)?;
    let lens = lens(engine, &caller);
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

pub(super) async fn search_messages(
    engine: &Engine,
    request: Request<pb::SearchMessagesRequest>,
) -> Answer<pb::SearchMessagesResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let limit = page_size(request.page_size, HITS_DEFAULT, HITS_MAX)?;
    let before = page_number(&request.page_token)?;
    let (hits, next) = engine
        .search_messages(&caller.actor, &request.query, before, limit)
        .await
        .map_err(status)?;
    let lens = lens(engine, &caller);
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

async fn list_of_contact(
    engine: &Engine,
    caller: &Caller,
    request: &pb::ListConversationsRequest,
    limit: usize,
) -> Answer<pb::ListConversationsResponse> {
    let contact = ContactId::from(request.contact_id.as_str());
    let before = page_number(&request.page_token)?.unwrap_or(i64::MAX);
    let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let (mut found, cursor) = engine
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
