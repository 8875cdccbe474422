use std::collections::BTreeSet;
use std::sync::Arc;

use domain::conversation::{Conversation, State};
use domain::event::{Cursor, EventKind};
use domain::routing::Place;
use domain::{ContactId, ConversationId, OperatorId, QueueId, ThreadId, Timestamp};
use serde_json::Value;

use crate::view::doc_of;
use crate::{StoreError, Tx, View};

/// Which conversations a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// Owned by an operator, offered to them or joined by them, and not put away.
    Mine(OperatorId),
    /// Waiting, the longest first.
    Waiting,
    /// Every open one, the last touched first.
    Open,
    /// Put away by an operator.
    Snoozed(OperatorId),
    /// Ended ones, the last touched first.
    Ended,
}

/// Where the next page of a list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageKey {
    /// The band, in the waiting order.
    pub band: i64,
    /// The time the list is ordered by.
    pub at: Timestamp,
    /// Breaks ties.
    pub id: i64,
}

/// How many conversations of a queue are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The queue.
    pub queue: QueueId,
    /// Waiting, those being offered apart.
    pub queued: i64,
    /// Being offered.
    pub offered: i64,
    /// With an operator.
    pub active: i64,
    /// Put away.
    pub parked: i64,
    /// Waiting for the hours to begin.
    pub deferred: i64,
    /// Being finished up.
    pub wrap_up: i64,
    /// Left by their clients, who may still come back.
    pub abandoned: i64,
}

const fn state_name(state: &State) -> &'static str {
    match state {
        State::Deferred { .. } => "deferred",
        State::Queued => "queued",
        State::Offered { .. } => "offered",
        State::Active { .. } => "active",
        State::Parked { .. } => "parked",
        State::WrapUp { .. } => "wrap_up",
        State::Abandoned { .. } => "abandoned",
        State::Closed { .. } => "closed",
    }
}

impl Tx<'_> {
    /// Writes a new conversation and says so.
    pub fn open_conversation(&mut self, conversation: &mut Conversation) -> Result<(), StoreError> {
        conversation.version = 1;
        self.count_conversation(None, conversation);
        let last_at = conversation.created_at;
        self.execute(
            "insert into conversation
               (id, thread, queue, contact, operator, state, band, eligible_at, seq, deadline,
                last_at, unread, doc)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            (
                conversation.id.get(),
                conversation.thread.get(),
                conversation.queue.as_str(),
                conversation.client.contact.as_str(),
                conversation.operator().map(OperatorId::get),
                state_name(&conversation.state),
                conversation.place.band,
                conversation.place.eligible_at.0,
                conversation.place.seq,
                conversation.next_deadline().map(|at| at.0),
                last_at.0,
                conversation.unread_count,
                serde_json::to_string(conversation)?,
            ),
        )?;
        self.tally(&conversation.queue, state_name(&conversation.state), 1)?;
        self.set_deadline(conversation.next_deadline());
        self.place_on_floor(conversation);
        self.unsettle();
        self.emit(EventKind::ConversationOpened(Arc::new(
            conversation.clone(),
        )))?;
        Ok(())
    }

    /// Writes a changed conversation and says so. `before` is how it was read.
    pub fn save_conversation(
        &mut self,
        before: &Conversation,
        conversation: &mut Conversation,
    ) -> Result<(), StoreError> {
        conversation.version = before.version + 1;
        self.count_conversation(Some(before), conversation);
        let last_at = conversation
            .last_message
            .as_ref()
            .map_or(conversation.created_at, |last| last.at);
        let state = state_name(&conversation.state);
        let changed = self.execute(
            "update conversation set queue = ?2, contact = ?3, operator = ?4, state = ?5,
               band = ?6, eligible_at = ?7, seq = ?8, deadline = ?9, last_at = ?10, unread = ?11,
               doc = ?12
             where id = ?1",
            (
                conversation.id.get(),
                conversation.queue.as_str(),
                conversation.client.contact.as_str(),
                conversation.operator().map(OperatorId::get),
                state,
                conversation.place.band,
                conversation.place.eligible_at.0,
                conversation.place.seq,
                conversation.next_deadline().map(|at| at.0),
                last_at.0,
                conversation.unread_count,
                serde_json::to_string(conversation)?,
            ),
        )?;
        if changed != 1 {
            return Err(StoreError::Broken(format!(
                "conversation {} is not there to be changed",
                conversation.id
            )));
        }
        self.place_on_floor(conversation);
        let old = state_name(&before.state);
        if old != state || before.queue != conversation.queue {
            self.tally(&before.queue, old, -1)?;
            self.tally(&conversation.queue, state, 1)?;
            self.unsettle();
        } else if before.place != conversation.place
            || before.tried != conversation.tried
            || before.not_before != conversation.not_before
        {
            self.unsettle();
        }
        if before.is_open() && !conversation.is_open() {
            self.tell_of_the_end(conversation)?;
        }
        self.set_deadline(conversation.next_deadline());
        let changed = Arc::new(conversation.clone());
        self.emit(EventKind::ConversationChanged(Arc::clone(&changed)))?;
        if self.is_lost_by_somebody(before, conversation) {
            self.emit(EventKind::ConversationLeft {
                conversation: changed,
                audience: before.audience(),
            })?;
        }
        Ok(())
    }

    /// Whether somebody who could see it cannot any more.
    fn is_lost_by_somebody(&self, before: &Conversation, after: &Conversation) -> bool {
        if before.queue != after.queue {
            return true;
        }
        let still = after.audience().operators;
        let works_for_it = |id: OperatorId| {
            self.operator(id).is_some_and(|operator| {
                operator
                    .memberships
                    .iter()
                    .any(|membership| membership.queue == after.queue)
            })
        };
        let saw = before.audience().operators;
        saw.difference(&still).any(|lost| !works_for_it(*lost))
    }

    fn tally(&self, queue: &QueueId, state: &str, by: i64) -> Result<(), StoreError> {
        // Ended conversations are many and nobody counts them.
        if state == "closed" {
            return Ok(());
        }
        // An update first: an upsert would check the constraint on the row it
        // means to insert, which for a decrease is negative.
        let changed = self.execute(
            "update tally set count = count + ?3 where queue = ?1 and state = ?2",
            (queue.as_str(), state, by),
        )?;
        if changed == 0 {
            self.execute(
                "insert into tally (queue, state, count) values (?1, ?2, ?3)",
                (queue.as_str(), state, by),
            )?;
        }
        Ok(())
    }

    /// Makes a contact's conversations another's, as after a merge.
    pub fn conversations_to_contact(
        &mut self,
        from: &ContactId,
        to: &ContactId,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let moved = self.rows(
            "select id from conversation where contact = ?1",
            [from.as_str()],
            |row| Ok(ConversationId::new(row.get(0)?)),
        )?;
        self.execute(
            "update message set contact = ?2, doc = json_set(doc, '$.contact', ?2)
             where contact = ?1",
            (from.as_str(), to.as_str()),
        )?;
        self.execute(
            "update thread set contact = ?2, doc = json_set(doc, '$.contact', ?2)
             where contact = ?1",
            (from.as_str(), to.as_str()),
        )?;
        self.ratings_to_contact(from, to)?;
        Ok(moved)
    }

    /// Takes whole threads from one contact to another.
    pub fn thread_to_contact(
        &mut self,
        thread: ThreadId,
        to: &ContactId,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.execute(
            "update message set contact = ?2, doc = json_set(doc, '$.contact', ?2)
             where thread = ?1",
            (thread.get(), to.as_str()),
        )?;
        self.execute(
            "update thread set contact = ?2, doc = json_set(doc, '$.contact', ?2)
             where id = ?1",
            (thread.get(), to.as_str()),
        )?;
        self.ratings_of_thread_to_contact(thread, to)?;
        self.rows(
            "select id from conversation where thread = ?1",
            [thread.get()],
            |row| Ok(ConversationId::new(row.get(0)?)),
        )
    }
}

impl View<'_> {
    /// One conversation.
    pub fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        self.doc("select doc from conversation where id = ?1", [id.get()])
    }

    /// The open conversation of a thread.
    pub fn open_conversation_of(
        &self,
        thread: ThreadId,
    ) -> Result<Option<Conversation>, StoreError> {
        self.doc(
            "select doc from conversation where thread = ?1 and state <> 'closed'",
            [thread.get()],
        )
    }

    /// The newest conversation of a thread, open or not.
    pub fn last_conversation_of(
        &self,
        thread: ThreadId,
    ) -> Result<Option<Conversation>, StoreError> {
        self.doc(
            "select doc from conversation where thread = ?1 order by id desc limit 1",
            [thread.get()],
        )
    }

    /// The conversations of a contact, the newest first.
    pub fn conversations_of(
        &self,
        contact: &ContactId,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Conversation>, StoreError> {
        self.docs(
            "select doc from conversation where contact = ?1 and id < ?2
             order by id desc limit ?3",
            (contact.as_str(), before, limit),
        )
    }

    /// Looks at everything that waits and is not being offered.
    pub(crate) fn each_queued(&self, mut see: impl FnMut(Conversation)) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select doc from conversation
             where state in ('queued', 'offered') and state = 'queued'",
        )?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            see(doc_of(row)?);
        }
        Ok(())
    }

    /// Since when the first of a queue has waited.
    pub fn oldest_waiting(&self, queue: &QueueId) -> Result<Option<Timestamp>, StoreError> {
        self.row(
            "select eligible_at from conversation
             where queue = ?1 and state in ('queued', 'offered')
             order by band, eligible_at, seq limit 1",
            [queue.as_str()],
            |row| Ok(Timestamp(row.get(0)?)),
        )
    }

    /// The first place of a queue.
    pub fn first_place(&self, queue: &QueueId) -> Result<Option<Place>, StoreError> {
        self.row(
            "select band, eligible_at, seq from conversation
             where queue = ?1 and state in ('queued', 'offered')
             order by band, eligible_at, seq limit 1",
            [queue.as_str()],
            |row| {
                Ok(Place {
                    band: row.get(0)?,
                    eligible_at: Timestamp(row.get(1)?),
                    seq: row.get(2)?,
                })
            },
        )
    }

    /// Conversations of an operator that are in their hands or put away.
    pub fn conversations_with(
        &self,
        operator: OperatorId,
    ) -> Result<Vec<Conversation>, StoreError> {
        self.docs(
            "select doc from conversation where operator = ?1 order by last_at desc",
            [operator.get()],
        )
    }

    /// Conversations that time alone changes by now.
    pub fn conversations_due(
        &self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.rows(
            "select id from conversation where deadline is not null and deadline <= ?1
             order by deadline limit ?2",
            (now.0, limit),
            |row| Ok(ConversationId::new(row.get(0)?)),
        )
    }

    /// The next moment at which time alone changes a conversation.
    pub fn next_conversation_deadline(&self) -> Result<Option<Timestamp>, StoreError> {
        self.row(
            "select deadline from conversation where deadline is not null
             order by deadline limit 1",
            (),
            |row| Ok(Timestamp(row.get(0)?)),
        )
    }

    /// Counts by queue, of the queues that ever had a conversation.
    pub fn tallies(&self) -> Result<Vec<Tally>, StoreError> {
        let rows = self.rows(
            "select queue, state, count from tally order by queue, state",
            (),
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, i64>(2)?,
                ))
            },
        )?;
        let mut tallies: Vec<Tally> = Vec::new();
        for (queue, state, count) in rows {
            if tallies
                .last()
                .is_none_or(|last| last.queue.as_str() != queue)
            {
                tallies.push(Tally {
                    queue: QueueId::new(queue),
                    queued: 0,
                    offered: 0,
                    active: 0,
                    parked: 0,
                    deferred: 0,
                    wrap_up: 0,
                    abandoned: 0,
                });
            }
            if let Some(last) = tallies.last_mut() {
                match state.as_str() {
                    "queued" => last.queued = count,
                    "offered" => last.offered = count,
                    "active" => last.active = count,
                    "parked" => last.parked = count,
                    "deferred" => last.deferred = count,
                    "wrap_up" => last.wrap_up = count,
                    "abandoned" => last.abandoned = count,
                    other => return Err(StoreError::Corrupt(format!("state {other}"))),
                }
            }
        }
        Ok(tallies)
    }

    /// A page of a folder. `queues` bounds what the asker may see, apart from what
    /// they own; none is no bound.
    pub fn list_conversations(
        &self,
        folder: Folder,
        queues: Option<&BTreeSet<QueueId>>,
        after: Option<PageKey>,
        limit: i64,
    ) -> Result<Vec<Conversation>, StoreError> {
        let scope = serde_json::to_string(&queues.map(|queues| {
            queues
                .iter()
                .map(|queue| Value::from(queue.as_str()))
                .collect::<Vec<_>>()
        }))?;
        match folder {
            Folder::Mine(operator) => self.list_mine(operator, after, limit),
            Folder::Snoozed(operator) => self.list_snoozed(operator, after, limit),
            Folder::Waiting => self.list_waiting(queues, after, limit),
            Folder::Open => {
                let after = after.unwrap_or(NEWEST);
                self.docs(
                    "select doc from conversation
                     where state <> 'closed'
                       and (?1 = 'null' or queue in (select value from json_each(?1)))
                       and (last_at, id) < (?2, ?3)
                     order by last_at desc, id desc limit ?4",
                    (&scope, after.at.0, after.id, limit),
                )
            }
            Folder::Ended => {
                let after = after.unwrap_or(NEWEST);
                self.docs(
                    "select doc from conversation
                     where state = 'closed'
                       and (?1 = 'null' or queue in (select value from json_each(?1)))
                       and (last_at, id) < (?2, ?3)
                     order by last_at desc, id desc limit ?4",
                    (&scope, after.at.0, after.id, limit),
                )
            }
        }
    }

    fn list_mine(
        &self,
        operator: OperatorId,
        after: Option<PageKey>,
        limit: i64,
    ) -> Result<Vec<Conversation>, StoreError> {
        let after = after.unwrap_or(NEWEST);
        self.docs(
            "select doc, last_at, id from conversation
             where operator = ?1 and state <> 'parked' and (last_at, id) < (?2, ?3)
             union
             select doc, last_at, id from conversation
             where state <> 'closed' and doc ->> '$.participants' is not null
               and state <> 'parked' and operator is not ?1
               and exists (select 1 from json_each(doc, '$.participants') where value = ?1)
               and (last_at, id) < (?2, ?3)
             union
             select conversation.doc, conversation.last_at, conversation.id
             from offer join conversation on conversation.id = offer.conversation
             where offer.operator = ?1 and offer.pending = 1
               and conversation.operator is not ?1
               and (conversation.last_at, conversation.id) < (?2, ?3)
             order by last_at desc, id desc limit ?4",
            (operator.get(), after.at.0, after.id, limit),
        )
    }

    fn list_snoozed(
        &self,
        operator: OperatorId,
        after: Option<PageKey>,
        limit: i64,
    ) -> Result<Vec<Conversation>, StoreError> {
        let after = after.unwrap_or(NEWEST);
        self.docs(
            "select doc from conversation
             where operator = ?1 and state = 'parked' and (last_at, id) < (?2, ?3)
             order by last_at desc, id desc limit ?4",
            (operator.get(), after.at.0, after.id, limit),
        )
    }

    /// Each queue's own line is in order; the first of all of them are among the first
    /// of each.
    fn list_waiting(
        &self,
        queues: Option<&BTreeSet<QueueId>>,
        after: Option<PageKey>,
        limit: i64,
    ) -> Result<Vec<Conversation>, StoreError> {
        let after = after.unwrap_or(FIRST);
        let mut first = Vec::new();
        for tally in self.tallies()? {
            let waits = tally.queued + tally.offered > 0;
            if waits && queues.is_none_or(|queues| queues.contains(&tally.queue)) {
                first.extend(self.docs::<Conversation>(
                    "select doc from conversation
                     where queue = ?1 and state in ('queued', 'offered')
                       and (band, eligible_at, seq) > (?2, ?3, ?4)
                     order by band, eligible_at, seq limit ?5",
                    (
                        tally.queue.as_str(),
                        after.band,
                        after.at.0,
                        after.id,
                        limit,
                    ),
                )?);
            }
        }
        first.sort_by_key(|conversation| conversation.place);
        first.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(first)
    }

    /// An operator's conversations by folder: in hand or joined, unread of these, put
    /// away, unread of these.
    pub fn counts_of(&self, operator: OperatorId) -> Result<(i64, i64, i64, i64), StoreError> {
        self.row(
            "select coalesce(sum(not parked), 0),
                    coalesce(sum(not parked and unread > 0), 0),
                    coalesce(sum(parked), 0),
                    coalesce(sum(parked and unread > 0), 0)
             from (
               select id, state = 'parked' as parked, unread
               from conversation where operator = ?1
               union
               select id, 0, unread from conversation
               where state <> 'closed' and doc ->> '$.participants' is not null
                 and state <> 'parked' and operator is not ?1
                 and exists (select 1 from json_each(doc, '$.participants') where value = ?1)
               union
               select conversation.id, 0, conversation.unread
               from offer join conversation on conversation.id = offer.conversation
               where offer.operator = ?1 and offer.pending = 1
                 and conversation.operator is not ?1)",
            [operator.get()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .map(|counts| counts.unwrap_or((0, 0, 0, 0)))
    }

    /// When the last event was written; 0 when there is none.
    pub fn last_written_at(&self) -> Result<Timestamp, StoreError> {
        self.row(
            "select at from event order by cursor desc limit 1",
            (),
            |row| Ok(Timestamp(row.get(0)?)),
        )
        .map(Option::unwrap_or_default)
    }

    /// The cursor of the last event.
    pub fn last_cursor(&self) -> Result<Cursor, StoreError> {
        self.event_range().map(|(_, newest)| newest)
    }
}

const FIRST: PageKey = PageKey {
    band: i64::MIN,
    at: Timestamp(i64::MIN),
    id: i64::MIN,
};

const NEWEST: PageKey = PageKey {
    band: 0,
    at: Timestamp(i64::MAX),
    id: i64::MAX,
};
