//! What a long poll has forgotten: the dialogues still have it. What came by the poll, too,
//! is known by its name.

use domain::Timestamp;
use serde_json::{Value, json};

use super::Connection;
use super::api::VERSION;
use super::errors::Failure;
use super::naming::name;
use crate::intake::accept;
use crate::{Envelope, Host};

/// Dialogues, and messages of each, that are asked for: VK tells no more at once.
const AT_ONCE_MAX: u64 = 200;

impl Connection {
    /// Takes in what nobody has read yet.
    pub(super) async fn catch_up(&self, host: &dyn Host) -> Result<(), Failure> {
        tracing::warn!(line.id = %self.line, "VK has forgotten events: unread messages are asked for");
        let fields = [
            ("filter", "unread".to_owned()),
            ("count", AT_ONCE_MAX.to_string()),
        ];
        let now = host.now();
        let told = self.api.call("messages.getConversations", &fields, now);
        let told = told.await?;
        for item in told["items"].as_array().into_iter().flatten() {
            let conversation = &item["conversation"];
            let unread = conversation["unread_count"].as_u64().unwrap_or_default();
            let is_person = conversation["peer"]["type"] == "user";
            if let Some(peer) = conversation["peer"]["id"].as_i64()
                && is_person
            {
                let missed = self.unread(peer, unread.min(AT_ONCE_MAX), now).await?;
                let taken = accept(host, &self.line, missed).await;
                taken.map_err(Failure::InDoubt)?;
            }
        }
        Ok(())
    }

    /// The last messages of a client, the first first, as events tell them.
    async fn unread(
        &self,
        peer: i64,
        count: u64,
        now: Timestamp,
    ) -> Result<Vec<Envelope>, Failure> {
        let fields = [("peer_id", peer.to_string()), ("count", count.to_string())];
        let told = self.api.call("messages.getHistory", &fields, now).await?;
        let messages = told["items"].as_array().into_iter().flatten().rev();
        let theirs = messages.filter(|message| message["from_id"].as_i64() == Some(peer));
        Ok(theirs.map(|message| self.as_event(peer, message)).collect())
    }

    fn as_event(&self, peer: i64, message: &Value) -> Envelope {
        let number = message["conversation_message_id"].as_i64();
        let key = format!("missed {}", name(peer, number.unwrap_or_default()));
        let event = json!({
            "type": "message_new", "event_id": key, "v": VERSION,
            "group_id": self.api.group(), "object": {"message": message},
        });
        Envelope {
            event_key: key,
            raw: event.to_string().into(),
            rest: None,
        }
    }
}
