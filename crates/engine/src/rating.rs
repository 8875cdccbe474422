//! What clients think of conversations: asked for at the end, kept, told.

use channels::Capability;
use channels::host::RatingAsk;
use domain::conversation::Conversation;
use domain::rating::{COMMENT_LENGTH_MAX, Rating, Score, rateable_until, rated_operator};
use domain::{ConversationId, LineId, text};
use store::{StoreError, Tx};

use crate::{Engine, Line};

impl Engine {
    /// What a thread's client may be asked to rate: their last conversation, once it
    /// has ended, where its queue asks at all.
    pub(crate) async fn ask_of(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> Result<Option<RatingAsk>, StoreError> {
        let serving = self.serving();
        let asks = |line: &Line| line.kind.descriptor.can(Capability::Rating);
        if !serving.line_of_old(line).is_some_and(|line| asks(line)) {
            return Ok(None);
        }
        let (line, thread_key, now) = (line.clone(), thread_key.to_owned(), self.now());
        self.read(move |view| {
            let Some(thread) = view.thread_by_key(&line, &thread_key)? else {
                return Ok(None);
            };
            let last = view.last_conversation_of(thread.id)?;
            let Some(ended) = last.filter(|last| !last.is_open()) else {
                return Ok(None);
            };
            if !serving.asks_for_ratings(&ended.queue) {
                return Ok(None);
            }
            let given = view.rating_of(ended.id)?;
            let rated_at = given.as_ref().map(|given| given.at);
            let until = rateable_until(&ended, rated_at, now);
            let (Some(until), Some(operator)) = (until, rated_operator(&ended)) else {
                return Ok(None);
            };
            Ok(Some(RatingAsk {
                conversation: ended.id,
                operator_name: view
                    .operator_row(operator)?
                    .map_or_else(String::new, |operator| operator.display_name),
                score: given.as_ref().map(|given| given.score),
                comment: given.map_or_else(String::new, |given| given.comment),
                until,
            }))
        })
        .await
    }
}

/// Keeps a client's rating of a conversation of their own thread; what cannot be rated
/// (any more) leaves no trace.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    line: &LineId,
    thread_key: &str,
    named: Option<ConversationId>,
    score: Score,
    comment: &str,
) -> Result<(), StoreError> {
    let Some(thread) = tx.thread_by_key(line, thread_key)? else {
        return Ok(());
    };
    let rated: Option<Conversation> = match named {
        Some(id) => tx
            .conversation(id)?
            .filter(|named| named.thread == thread.id),
        None => tx.last_conversation_of(thread.id)?,
    };
    let Some(rated) = rated else { return Ok(()) };
    let (before, now) = (tx.rating_of(rated.id)?, tx.now());
    let rated_at = before.as_ref().map(|before| before.at);
    let may = rateable_until(&rated, rated_at, now).is_some();
    let Some(operator) = rated_operator(&rated).filter(|_| may) else {
        return Ok(());
    };
    let audience = rated.audience();
    let comment = text::body(comment, COMMENT_LENGTH_MAX);
    let rating = Rating {
        conversation: rated.id,
        operator,
        line: rated.line,
        channel: rated.channel,
        queue: rated.queue,
        contact: rated.client.contact,
        score,
        comment,
        at: rated_at.unwrap_or(now),
        changed_at: before.is_some().then_some(now),
    };
    let same = before.as_ref().is_some_and(|before| {
        (before.score, before.comment.as_str()) == (rating.score, rating.comment.as_str())
    });
    if same {
        return Ok(());
    }
    tx.save_rating(rating, audience)
}
