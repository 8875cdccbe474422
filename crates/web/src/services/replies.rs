//! Canned replies, as the admin service serves them to operators.

use domain::QueueId;
use engine::act::{NewCannedReply, WantedReplies};
use engine::contacts::convert::timestamp;
use engine::{ActError, Engine};
use proto::admin::v1 as pb;
use store::{CannedReply, RepliesAfter, Variant};
use tonic::{Request, Response, Status};

use super::{PAGE_DEFAULT, PAGE_MAX, caller, invalid, page_size, status};

type Answer<T> = Result<Response<T>, Status>;

pub(super) async fn list(
    engine: &Engine,
    request: Request<pb::ListCannedRepliesRequest>,
) -> Answer<pb::ListCannedRepliesResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = WantedReplies {
        queue: (!request.queue_id.is_empty()).then(|| QueueId::from(request.queue_id.as_str())),
        after: after(&request.page_token)?,
        limit: page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?,
        query: request.query,
    };
    let (found, next) = engine
        .canned_replies(&caller.actor, wanted)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::ListCannedRepliesResponse {
        canned_replies: found.into_iter().map(canned_reply).collect(),
        next_page_token: next
            .map(|next| format!("{}:{}", next.id, next.shortcut))
            .unwrap_or_default(),
    }))
}

pub(super) async fn save(
    engine: &Engine,
    request: Request<pb::SaveCannedReplyRequest>,
) -> Answer<pb::CannedReply> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = request
        .canned_reply
        .ok_or_else(|| invalid("canned_reply", "give one"))?;
    let new = NewCannedReply {
        id: match wanted.id.as_str() {
            "" => None,
            id => Some(number(id)?),
        },
        personal: wanted.personal,
        shortcut: wanted.shortcut,
        title: wanted.title,
        text: wanted.text,
        queues: wanted
            .queue_ids
            .iter()
            .map(|queue| QueueId::from(queue.as_str()))
            .collect(),
        variants: wanted
            .variants
            .into_iter()
            .map(|variant| Variant {
                locale: variant.locale,
                text: variant.text,
            })
            .collect(),
        version: wanted.version,
    };
    let saved = engine
        .save_canned_reply(&caller.actor, &request.client_id, new)
        .await
        .map_err(status)?;
    Ok(Response::new(canned_reply(saved)))
}

pub(super) async fn delete(
    engine: &Engine,
    request: Request<pb::DeleteCannedReplyRequest>,
) -> Answer<pb::DeleteCannedReplyResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    engine
        .delete_canned_reply(&caller.actor, &request.client_id, number(&request.id)?)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::DeleteCannedReplyResponse {}))
}

fn number(text: &str) -> Result<i64, Status> {
    text.parse()
        .map_err(|_| status(ActError::NotFound("canned reply")))
}

/// A page token is the last one's id and shortcut, which has no colon.
fn after(token: &str) -> Result<RepliesAfter, Status> {
    if token.is_empty() {
        return Ok(RepliesAfter::default());
    }
    token
        .split_once(':')
        .and_then(|(id, shortcut)| {
            Some(RepliesAfter {
                id: id.parse().ok()?,
                shortcut: shortcut.to_owned(),
            })
        })
        .ok_or_else(|| invalid("page_token", "not one of this list's"))
}

fn canned_reply(reply: CannedReply) -> pb::CannedReply {
    pb::CannedReply {
        id: reply.id.to_string(),
        shortcut: reply.shortcut,
        title: reply.title,
        text: reply.text,
        queue_ids: reply.queues.iter().map(ToString::to_string).collect(),
        personal: reply.owner.is_some(),
        variants: reply
            .variants
            .into_iter()
            .map(|variant| pb::CannedReplyVariant {
                locale: variant.locale,
                text: variant.text,
            })
            .collect(),
        use_count: reply.uses,
        changed_at: Some(timestamp(reply.changed_at)),
        changed_by: reply
            .changed_by
            .map(|operator| operator.to_string())
            .unwrap_or_default(),
        version: reply.version,
    }
}
