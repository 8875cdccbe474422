//! What clients and supervisors think of conversations.

use engine::Engine;
use engine::contacts::convert::timestamp_from;
use proto::inbox::v1 as pb;
use store::RatingFilter;
use tonic::{Request, Response};

use super::super::{PAGE_DEFAULT, PAGE_MAX, caller, id, invalid, page_number, page_size, status};
use super::Answer;
use crate::convert::rating::{rating, score};

pub(super) async fn score_conversation(
    engine: &Engine,
    request: Request<pb::ScoreConversationRequest>,
) -> Answer<pb::ConversationScore> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    let scored = engine
        .score_conversation(
            &caller.actor,
            &request.client_id,
            wanted,
            request.score,
            &request.comment,
        )
        .await
        .map_err(status)?;
    Ok(Response::new(score(&scored)))
}

pub(super) async fn list_ratings(
    engine: &Engine,
    request: Request<pb::ListRatingsRequest>,
) -> Answer<pb::ListRatingsResponse> {
    caller(&request)?;
    let request = request.into_inner();
    let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
    let before = page_number(&request.page_token)?;
    let score_max = match request.score_max {
        0 => None,
        1..=5 => u8::try_from(request.score_max).ok(),
        _ => return Err(invalid("score_max", "give 1 to 5, or 0 for all")),
    };
    let filter = RatingFilter {
        queue: (!request.queue_id.is_empty()).then(|| request.queue_id.as_str().into()),
        operator: match request.operator_id.as_str() {
            "" => None,
            named => Some(id(named, "operator")?),
        },
        score_max,
        from: request.from.as_ref().map(timestamp_from),
        to: request.to.as_ref().map(timestamp_from),
    };
    let (ratings, next) = engine
        .list_ratings(filter, before, limit)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::ListRatingsResponse {
        ratings: ratings.iter().map(rating).collect(),
        next_page_token: next.map(|next| next.to_string()).unwrap_or_default(),
    }))
}
