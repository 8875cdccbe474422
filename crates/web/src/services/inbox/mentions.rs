//! Notes that name the caller.

use engine::Engine;
use engine::contacts::convert::timestamp;
use proto::inbox::v1 as pb;
use tonic::{Request, Response};

use super::super::{
    PAGE_DEFAULT, PAGE_MAX, caller, lens, optional_id, page_number, page_size, status,
};
use super::Answer;
use crate::convert::{conversation, message};

pub(super) async fn list_mentions(
    engine: &Engine,
    request: Request<pb::ListMentionsRequest>,
) -> Answer<pb::ListMentionsResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
    let before = page_number(&request.page_token)?;
    let page = engine
        .list_mentions(&caller.actor, request.unread_only, before, limit)
        .await
        .map_err(status)?;
    let lens = lens(engine, &caller);
    Ok(Response::new(pb::ListMentionsResponse {
        mentions: page
            .mentions
            .iter()
            .map(|(mention, of)| pb::Mention {
                message: Some(message(&lens, &mention.message)),
                conversation: Some(conversation(of)),
                read_at: mention.read_at.map(timestamp),
            })
            .collect(),
        next_page_token: page.next.map(|next| next.to_string()).unwrap_or_default(),
        unread_count: i32::try_from(page.unread).unwrap_or(i32::MAX),
    }))
}

pub(super) async fn mark_mentions_read(
    engine: &Engine,
    request: Request<pb::MarkMentionsReadRequest>,
) -> Answer<pb::MarkMentionsReadResponse> {
    let caller = caller(&request)?;
    let wanted = optional_id(&request.into_inner().conversation_id, "conversation")?;
    let unread = engine
        .read_mentions(&caller.actor, wanted)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::MarkMentionsReadResponse {
        unread_count: i32::try_from(unread).unwrap_or(i32::MAX),
    }))
}
