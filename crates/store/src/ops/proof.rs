//! What is read to explain the router and to judge it: by no way that the router goes.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::conversation::Conversation;
use domain::event::{Cursor, Event, EventKind};
use domain::message::Medium;
use domain::operator::Operator;
use domain::routing::{Place, Skills, Snapshot, Waiting};
use domain::{ConversationId, OperatorId, QueueId, Timestamp};
use serde::Deserialize;

use crate::view::doc_of;
use crate::{StoreError, Tx, View};

/// The part of a conversation's document that the router looks at: the rest is passed
/// over, which makes reading many of them several times cheaper.
#[derive(Deserialize)]
struct Queued {
    id: ConversationId,
    queue: QueueId,
    medium: Medium,
    place: Place,
    #[serde(default)]
    skills: Skills,
    #[serde(default)]
    preferred: Option<OperatorId>,
    #[serde(default)]
    tried: BTreeSet<OperatorId>,
    #[serde(default)]
    last_asked: Option<OperatorId>,
    #[serde(default)]
    asked_at: Option<Timestamp>,
    round: u32,
    #[serde(default)]
    not_before: Option<Timestamp>,
}

impl From<Queued> for Waiting {
    fn from(queued: Queued) -> Self {
        Self {
            conversation: queued.id,
            queue: queued.queue,
            medium: queued.medium,
            place: queued.place,
            skills: queued.skills,
            preferred: queued.preferred,
            tried: queued.tried,
            last_asked: queued.last_asked,
            asked_at: queued.asked_at,
            round: queued.round,
            not_before: queued.not_before,
        }
    }
}

impl View<'_> {
    /// The first that wait in a queue, as the router sees them; what is being offered is
    /// not among them.
    pub fn queued_in(&self, queue: &QueueId, limit: i64) -> Result<Vec<Waiting>, StoreError> {
        self.rows(
            "select doc from conversation
             where queue = ?1 and state in ('queued', 'offered') and state = 'queued'
             order by band, eligible_at, seq limit ?2",
            (queue.as_str(), limit),
            |row| Ok(Waiting::from(doc_of::<Queued>(row)?)),
        )
    }

    /// Everything that waits and these who work, as the router sees them.
    pub fn floor_of<'a>(
        &self,
        operators: impl IntoIterator<Item = &'a Operator>,
    ) -> Result<Snapshot, StoreError> {
        let candidates = operators.into_iter().map(|operator| operator.candidate());
        let mut floor = Snapshot::new([], candidates);
        self.each_queued(|conversation| {
            if let Some(waiting) = conversation.waiting() {
                floor.put(waiting);
            }
        })?;
        Ok(floor)
    }

    /// Looks at everything that waits, is asked about or is carried.
    pub fn each_standing(&self, mut see: impl FnMut(Conversation)) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select doc from conversation
             where state <> 'closed' and state in ('queued', 'offered', 'active', 'wrap_up')",
        )?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            see(doc_of(row)?);
        }
        Ok(())
    }

    /// Events after a cursor that change what the router looks at, in order, and the
    /// cursor up to which the log was read. None when the log does not reach back so far.
    pub fn routing_events_after(
        &self,
        cursor: Cursor,
        limit: i64,
    ) -> Result<Option<(Vec<Event>, Cursor)>, StoreError> {
        let (oldest, newest) = self.event_range()?;
        if cursor > newest || cursor.0 + 1 < oldest.0 {
            return Ok(None);
        }
        let until = Cursor(newest.0.min(cursor.0.saturating_add(limit)));
        // What follows the brace and the quote is the kind.
        let events = self.rows(
            "select cursor, at, doc from event
             where cursor > ?1 and cursor <= ?2
               and substr(doc, 3, 5) in ('conve', 'offer', 'prese')
             order by cursor",
            (cursor.0, until.0),
            |row| {
                let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
                Ok(Event {
                    cursor: Cursor(row.get(0)?),
                    at: Timestamp(row.get(1)?),
                    kind: serde_json::from_str::<EventKind>(text)?,
                })
            },
        )?;
        Ok(Some((events, until)))
    }

    /// How many offers the log tells of after a cursor and up to another.
    pub fn offers_between(&self, after: Cursor, until: Cursor) -> Result<i64, StoreError> {
        self.row(
            "select count(*) from event
             where cursor > ?1 and cursor <= ?2 and substr(doc, 3, 10) = 'offer_made'",
            (after.0, until.0),
            |row| Ok(row.get(0)?),
        )
        .map(Option::unwrap_or_default)
    }

    /// How many conversations are in two places: offers to several at once that are not
    /// rung, and offers of what has an owner.
    pub fn in_two_places(&self) -> Result<i64, StoreError> {
        self.row(
            "select
               (select count(*) from (
                  select conversation from offer where pending = 1
                  group by conversation
                  having count(*) > 1 and sum(doc ->> '$.explanation.cause' = 'ring') < count(*)))
             + (select count(distinct offer.conversation) from offer
                join conversation on conversation.id = offer.conversation
                where offer.pending = 1 and conversation.state in ('active', 'parked', 'wrap_up'))",
            (),
            |row| Ok(row.get(0)?),
        )
        .map(Option::unwrap_or_default)
    }

    /// The account of what was proven so far, as it was kept last.
    pub fn proof(&self) -> Result<Option<Arc<str>>, StoreError> {
        self.row("select value from meta where key = 'proof'", (), |row| {
            Ok(row.get::<_, Arc<str>>(0)?)
        })
    }
}

impl Tx<'_> {
    /// Keeps the account of what was proven so far.
    pub fn keep_proof(&mut self, account: &str) -> Result<(), StoreError> {
        self.execute(
            "insert into meta (key, value) values ('proof', ?1)
             on conflict (key) do update set value = excluded.value",
            [account],
        )?;
        Ok(())
    }
}
