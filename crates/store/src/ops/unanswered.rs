//! Conversations that nobody answers yet.

use domain::conversation::Conversation;

use crate::{StoreError, View};

impl View<'_> {
    /// Those that came outside the hours.
    pub fn conversations_deferred(&self) -> Result<Vec<Conversation>, StoreError> {
        // They have a deadline, and few others have one.
        self.docs(
            "select doc from conversation where deadline is not null and state = 'deferred'",
            (),
        )
    }

    /// Those that wait, are offered, came outside the hours, or whose clients have gone.
    pub fn conversations_unanswered(&self) -> Result<Vec<Conversation>, StoreError> {
        let mut found = self.docs(
            "select doc from conversation where state in ('queued', 'offered')",
            (),
        )?;
        found.extend(self.docs::<Conversation>(
            "select doc from conversation
             where deadline is not null and state in ('deferred', 'abandoned')",
            (),
        )?);
        Ok(found)
    }
}
