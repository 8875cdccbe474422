//! What a visitor thinks of a conversation that has ended.

use domain::ConversationId;
use domain::rating::{COMMENT_LENGTH_MAX, Score};

use super::journal::Did;
use super::protocol::{Rate, Rated, ServerFrame, is_client_id};
use super::socket::{Ending, Wire};
use super::visit::{Reply, Visit};
use crate::host::{Act, Refused};

impl Rated {
    /// What it rates and how; none when it is neither a conversation nor a score.
    pub(super) fn read(&self) -> Option<(ConversationId, Score)> {
        let conversation = self.conversation_id.parse().ok()?;
        let score = u8::try_from(self.score).ok()?;
        Some((conversation, Score::try_from(score).ok()?))
    }
}

impl Visit {
    /// Queues what can be rated, if there is something.
    pub(super) async fn ask_for_rating(&mut self, wire: &mut Wire) -> Result<(), Ending> {
        // Who has written nothing has nothing to rate.
        if !self.begun {
            return Ok(());
        }
        let line = &self.endpoint.chat.config.line;
        let asked = self.endpoint.host.rating_ask(line, &self.visitor_id);
        let Some(asked) = asked.await? else {
            return Ok(());
        };
        self.check_ownership().await?;
        wire.queue(&ServerFrame::Rate(Rate::from(asked))).await
    }

    pub(super) async fn rate(&mut self, rated: Rated) -> Reply {
        let refused = |code, text| {
            let client_id = Some(rated.client_id.clone());
            Some(ServerFrame::refused(client_id, code, text))
        };
        if !is_client_id(&rated.client_id) {
            let text = "client_id has to be 1 to 64 of A-Z a-z 0-9 . _ -";
            return refused("client_id", text);
        }
        let Some((conversation, score)) = rated.read() else {
            return refused(
                "rating",
                "a rating has a conversation_id and a score, 1 to 5",
            );
        };
        if rated.comment.chars().count() > COMMENT_LENGTH_MAX {
            return refused("text_too_long", "the comment is too long");
        }
        let line = &self.endpoint.chat.config.line;
        match self.endpoint.host.rating_ask(line, &self.visitor_id).await {
            Ok(Some(asked)) if asked.conversation == conversation => {}
            Ok(_) => return refused("rating_closed", "it cannot be rated any more"),
            Err(Refused::Busy { retry_after, .. }) => {
                let client_id = Some(rated.client_id);
                return Some(ServerFrame::try_later(client_id, "busy", retry_after));
            }
            Err(Refused::Invalid(why)) => return refused("refused", &why),
        }
        let did = Did::Rate {
            client_id: rated.client_id.clone(),
            conversation,
            score,
            comment: rated.comment,
        };
        self.admit_and_accept(Act::Write, rated.client_id, did)
            .await
    }
}
