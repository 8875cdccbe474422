use std::sync::Arc;

use domain::conversation::Conversation;
use domain::event::{Audience, EventKind};
use domain::rating::{Rating, Review};
use domain::{ContactId, ConversationId, OperatorId, QueueId, ThreadId, Timestamp};

use crate::{StoreError, Tx, View};

/// Which ratings a list shows; what is not given bounds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RatingFilter {
    /// Of conversations of this queue.
    pub queue: Option<QueueId>,
    /// Of conversations that this operator answered last.
    pub operator: Option<OperatorId>,
    /// At most this score.
    pub score_max: Option<u8>,
    /// First given at this time or later.
    pub from: Option<Timestamp>,
    /// First given before this time.
    pub to: Option<Timestamp>,
}

impl Tx<'_> {
    /// Writes a rating, new or changed, and says so.
    pub fn save_rating(&mut self, rating: Rating, audience: Audience) -> Result<(), StoreError> {
        let before = self.rating_of(rating.conversation)?;
        let id = self.fresh_id();
        self.execute(
            "insert into rating (id, conversation, operator, line, queue, contact, score, at, doc)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             on conflict (conversation) do update set operator = excluded.operator,
               queue = excluded.queue, contact = excluded.contact, score = excluded.score,
               doc = excluded.doc",
            (
                id,
                rating.conversation.get(),
                rating.operator.get(),
                rating.line.as_str(),
                rating.queue.as_str(),
                rating.contact.as_str(),
                rating.score.get(),
                rating.at.0,
                serde_json::to_string(&rating)?,
            ),
        )?;
        self.emit(EventKind::Rated {
            previous: before.map(|before| before.score),
            rating: Arc::new(rating),
            audience,
        })?;
        Ok(())
    }

    /// Writes a supervisor's score, new or changed, and says so.
    pub fn save_review(&mut self, review: Review) -> Result<(), StoreError> {
        self.execute(
            "insert into review (conversation, operator, score, at, doc)
             values (?1, ?2, ?3, ?4, ?5)
             on conflict (conversation) do update set operator = excluded.operator,
               score = excluded.score, at = excluded.at, doc = excluded.doc",
            (
                review.conversation.get(),
                review.operator.get(),
                review.score.get(),
                review.at.0,
                serde_json::to_string(&review)?,
            ),
        )?;
        self.emit(EventKind::Reviewed(Arc::new(review)))?;
        Ok(())
    }

    /// Makes ratings of one contact another's.
    pub(crate) fn ratings_to_contact(
        &mut self,
        from: &ContactId,
        to: &ContactId,
    ) -> Result<(), StoreError> {
        self.execute(
            "update rating set contact = ?2, doc = json_set(doc, '$.contact', ?2)
             where contact = ?1",
            (from.as_str(), to.as_str()),
        )?;
        Ok(())
    }

    /// Makes the ratings of a thread a contact's.
    pub(crate) fn ratings_of_thread_to_contact(
        &mut self,
        thread: ThreadId,
        to: &ContactId,
    ) -> Result<(), StoreError> {
        self.execute(
            "update rating set contact = ?2, doc = json_set(doc, '$.contact', ?2)
             where conversation in (select id from conversation where thread = ?1)",
            (thread.get(), to.as_str()),
        )?;
        Ok(())
    }

    /// Tells a client who is connected that a conversation of theirs has ended.
    pub(crate) fn tell_of_the_end(&mut self, ended: &Conversation) -> Result<(), StoreError> {
        if let Some(thread) = self.thread(ended.thread)? {
            let ended = (thread.line, thread.thread_key);
            self.state.signals.ended.push(ended);
        }
        Ok(())
    }
}

impl View<'_> {
    /// A conversation's rating.
    pub fn rating_of(&self, id: ConversationId) -> Result<Option<Rating>, StoreError> {
        self.doc("select doc from rating where conversation = ?1", [id.get()])
    }

    /// A supervisor's score of a conversation.
    pub fn review_of(&self, id: ConversationId) -> Result<Option<Review>, StoreError> {
        self.doc("select doc from review where conversation = ?1", [id.get()])
    }

    /// Ratings with their numbers, the newest first, before a number.
    pub fn list_ratings(
        &self,
        filter: &RatingFilter,
        before: i64,
        limit: i64,
    ) -> Result<Vec<(i64, Rating)>, StoreError> {
        let queue = filter.queue.as_ref().map(QueueId::as_str);
        let operator = filter.operator.map(OperatorId::get);
        // One query for each index, so that a rare score or queue is not looked for
        // among everybody's.
        let sql = match (operator, queue) {
            (Some(_), _) => {
                "select id, doc from rating
                 where operator = ?3 and id < ?1 and (?2 is null or queue = ?2)
                   and (?4 is null or score <= ?4) and at >= ?6 and at < ?7
                 order by id desc limit ?5"
            }
            (None, Some(_)) => {
                "select id, doc from rating
                 where queue = ?2 and id < ?1 and ?3 is null and (?4 is null or score <= ?4)
                   and at >= ?6 and at < ?7
                 order by id desc limit ?5"
            }
            (None, None) => {
                "select id, doc from rating
                 where id < ?1 and ?2 is null and ?3 is null and (?4 is null or score <= ?4)
                   and at >= ?6 and at < ?7
                 order by id desc limit ?5"
            }
        };
        let from = filter.from.map_or(i64::MIN, |from| from.0);
        let to = filter.to.map_or(i64::MAX, |to| to.0);
        let bounds = (before, queue, operator, filter.score_max, limit, from, to);
        self.rows(sql, bounds, |row| {
            let text = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            Ok((row.get(0)?, serde_json::from_str(text)?))
        })
    }
}
