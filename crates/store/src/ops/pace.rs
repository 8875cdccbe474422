use domain::conversation::Conversation;
use domain::forecast::HandlingTime;
use domain::message::Medium;
use domain::{Millis, QueueId};

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
