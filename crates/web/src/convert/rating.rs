use domain::rating::{Rating, Review};
use engine::contacts::convert::timestamp;
use proto::inbox::v1 as pb;

/// A client's rating.
pub(crate) fn rating(rating: &Rating) -> pb::Rating {
    pb::Rating {
        conversation_id: rating.conversation.to_string(),
        operator_id: rating.operator.to_string(),
        line_id: rating.line.to_string(),
        channel: rating.channel.clone(),
        queue_id: rating.queue.to_string(),
        contact_id: rating.contact.to_string(),
        score: rating.score.get().into(),
        comment: rating.comment.clone(),
        rated_at: Some(timestamp(rating.at)),
        changed_at: rating.changed_at.map(timestamp),
    }
}

/// A supervisor's score.
pub(crate) fn score(review: &Review) -> pb::ConversationScore {
    pb::ConversationScore {
        conversation_id: review.conversation.to_string(),
        operator_id: review.operator.to_string(),
        scored_by_id: review.by.map(|id| id.to_string()).unwrap_or_default(),
        score: review.score.get().into(),
        comment: review.comment.clone(),
        scored_at: Some(timestamp(review.at)),
    }
}
