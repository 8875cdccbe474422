use domain::conversation::Conversation;
use domain::forecast::HandlingTime;
use domain::message::Medium;
use domain::{Millis, QueueId, ThreadId, Timestamp};

use crate::{StoreError, Tx, View};

impl Tx<'_> {
    /// Notes how long a conversation of a queue kept its operator busy.
    pub fn note_pace(
        &mut self,
        queue: &QueueId,
        medium: Medium,
        handled: Millis,
    ) -> Result<(), StoreError> {
        let known = self.handling_time(queue, medium)?.unwrap_or_default();
        self.execute(
            "insert into pace (queue, medium, doc) values (?1, ?2, ?3)
             on conflict (queue, medium) do update set doc = excluded.doc",
            (
                queue.as_str(),
                medium.name(),
                serde_json::to_string(&known.with(handled))?,
            ),
        )?;
        Ok(())
    }

    /// Notes that a thread's client is told something by the gateway itself.
    pub fn tell_now(&mut self, thread: ThreadId) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "insert into notice (thread, at) values (?1, ?2)
             on conflict (thread) do update set at = excluded.at",
            (thread.get(), now.0),
        )?;
        Ok(())
    }
}

impl View<'_> {
    /// The mean time that a conversation of a queue keeps its operator busy; none before
    /// the first.
    pub fn pace(&self, queue: &QueueId, medium: Medium) -> Result<Option<Millis>, StoreError> {
        let known = self.handling_time(queue, medium)?;
        Ok(known.and_then(HandlingTime::mean))
    }

    fn handling_time(
        &self,
        queue: &QueueId,
        medium: Medium,
    ) -> Result<Option<HandlingTime>, StoreError> {
        self.doc(
            "select doc from pace where queue = ?1 and medium = ?2",
            (queue.as_str(), medium.name()),
        )
    }

    /// When a thread's client was last told something by the gateway itself.
    pub fn told_at(&self, thread: ThreadId) -> Result<Option<Timestamp>, StoreError> {
        self.row(
            "select at from notice where thread = ?1",
            [thread.get()],
            |row| Ok(Timestamp(row.get(0)?)),
        )
    }

    /// Whatever waits of which the client waits at the other end.
    pub fn live_and_waiting(&self) -> Result<Vec<Conversation>, StoreError> {
        let waiting = self.docs::<Conversation>(
            "select doc from conversation where state in ('queued', 'offered')",
            (),
        )?;
        let live = waiting.into_iter();
        Ok(live
            .filter(|conversation| conversation.medium.is_live())
            .collect())
    }
}
