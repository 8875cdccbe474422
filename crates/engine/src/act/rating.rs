//! What clients and supervisors think of conversations, for those who may know.

use domain::conversation::Conversation;
use domain::rating::{COMMENT_LENGTH_MAX, Rating, Review, Score, rated_operator};
use domain::{ConversationId, text};
use store::{RatingFilter, View};

use super::{ActError, Actor, seen};
use crate::Engine;
use crate::reason::{Reason, malformed};

/// Ratings and scores of the conversations of one page.
#[derive(Clone, Debug, Default)]
pub struct Opinions {
    /// The clients'.
    pub ratings: Vec<Rating>,
    /// Supervisors', as far as the actor may know them.
    pub reviews: Vec<Review>,
}

impl Actor {
    /// Whether they may know a supervisor's score: of their own work, or as a
    /// supervisor.
    pub fn may_know(&self, review: &Review) -> bool {
        self.supervises() || self.operator == Some(review.operator)
    }
}

/// What was thought of these conversations, as far as the actor may see them.
pub(super) fn opinions<'a>(
    view: &View<'_>,
    actor: &Actor,
    of: impl IntoIterator<Item = &'a Conversation>,
) -> Result<Opinions, ActError> {
    let mut found = Opinions::default();
    for conversation in of {
        if actor.may_see(conversation) {
            found.ratings.extend(view.rating_of(conversation.id)?);
        }
        let review = view.review_of(conversation.id)?;
        found
            .reviews
            .extend(review.filter(|review| actor.may_know(review)));
    }
    Ok(found)
}

impl Engine {
    /// Scores an operator's work in a conversation. There is one score of each; another
    /// one takes its place, and the audit keeps them all.
    pub async fn score_conversation(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
        score: i32,
        comment: &str,
    ) -> Result<Review, ActError> {
        let known = u8::try_from(score).ok().map(Score::try_from);
        let Some(Ok(score)) = known else {
            return Err(ActError::Invalid {
                field: "score",
                problem: malformed("give 1 to 5"),
            });
        };
        if comment.chars().count() > COMMENT_LENGTH_MAX {
            return Err(ActError::Invalid {
                field: "comment",
                problem: Reason::TooLong {
                    max: COMMENT_LENGTH_MAX,
                },
            });
        }
        let who = actor.clone();
        let comment = text::body(comment, COMMENT_LENGTH_MAX);
        let fingerprint = format!("score {id:?} {} {comment}", score.get()).into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let scored = seen(tx, &who, id)?;
            let Some(operator) = rated_operator(&scored) else {
                return Err(ActError::Refused(Reason::NobodyAnswered));
            };
            let review = Review {
                conversation: id,
                operator,
                line: scored.line,
                channel: scored.channel,
                queue: scored.queue,
                by: who.operator,
                score,
                comment,
                at: tx.now(),
            };
            tx.save_review(review.clone())?;
            let detail = format!("{} {}", score.get(), review.comment);
            let detail = text::line(&detail, 200);
            tx.audit(who.operator, "conversation.score", &id.to_string(), &detail)?;
            Ok(review)
        })
        .await
    }

    /// Clients' ratings, the newest first, and where the next page begins.
    pub async fn list_ratings(
        &self,
        filter: RatingFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<(Vec<Rating>, Option<i64>), ActError> {
        self.read(move |view| {
            let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let mut found = view.list_ratings(&filter, before.unwrap_or(i64::MAX), more)?;
            let next = (found.len() > limit)
                .then(|| found.get(limit - 1).map(|(id, _)| *id))
                .flatten();
            found.truncate(limit);
            Ok((found.into_iter().map(|(_, rating)| rating).collect(), next))
        })
        .await
    }
}
