//! What the webhook missed: chats that nobody has read still have it. What came by the
//! webhook, too, is known by its name.

use std::collections::BTreeMap;

use domain::{LineId, Millis, Timestamp};
use serde_json::{Value, json};

use super::Connection;
use super::failure::Failure;
use super::render::chat;
use crate::intake::accept;
use crate::{Envelope, Host, RunError};

/// Chats, and messages of each, that are told at once.
const AT_ONCE: usize = 100;
/// Avito tells of no chats behind so many.
const CHATS_MAX: usize = 1_000;
/// So far Avito's clock may be behind ours.
const SKEW: Millis = Millis::from_secs(60);
/// The note of when the line was first connected.
const NOTE: &str = "connected since";

/// What is looked for, and what was looked at.
pub(super) struct Missed {
    /// What is older was there before the line.
    since: Timestamp,
    /// The last message of each unread chat that was looked at.
    looked_at: BTreeMap<String, String>,
}

impl Missed {
    pub(super) async fn since(host: &dyn Host, line: &LineId) -> Result<Self, RunError> {
        let refused = |refused: crate::host::Refused| RunError(refused.to_string());
        let note = host.bookmark(line, NOTE).await.map_err(refused)?;
        let known = note.and_then(|note| note.parse().ok()).map(Timestamp);
        let since = known.unwrap_or_else(|| host.now());
        if known.is_none() {
            let note = since.0.to_string();
            let noted = host.set_bookmark(line, NOTE, &note).await;
            noted.map_err(refused)?;
        }
        Ok(Self {
            since: Timestamp(since.0 - SKEW.0),
            looked_at: BTreeMap::new(),
        })
    }

    fn is_of_line(&self, message: &Value) -> bool {
        let created = message["created"].as_i64();
        created.is_none_or(|created| created.saturating_mul(1_000) >= self.since.0)
    }
}

impl Connection {
    /// Takes in what nobody has read yet.
    pub(super) async fn look_for(
        &self,
        missed: &mut Missed,
        host: &dyn Host,
    ) -> Result<(), Failure> {
        let mut looked_at = BTreeMap::new();
        for offset in (0..=CHATS_MAX).step_by(AT_ONCE) {
            let chats = self.unread_chats(offset, host.now()).await?;
            for told in &chats {
                let last = &told["last_message"];
                let Some(id) = told["id"].as_str().and_then(chat) else {
                    continue;
                };
                let name = last["id"].as_str().unwrap_or_default();
                let is_new = missed.looked_at.get(id).is_none_or(|known| known != name);
                if is_new && missed.is_of_line(last) {
                    let unread = self.unread(id, missed, host.now()).await?;
                    let taken = accept(host, &self.line, unread).await;
                    taken.map_err(Failure::InDoubt)?;
                }
                looked_at.insert(id.to_owned(), name.to_owned());
            }
            if chats.len() < AT_ONCE {
                break;
            }
        }
        missed.looked_at = looked_at;
        Ok(())
    }

    async fn unread_chats(&self, offset: usize, now: Timestamp) -> Result<Vec<Value>, Failure> {
        let (limit, offset) = (AT_ONCE.to_string(), offset.to_string());
        let query = [
            ("unread_only", "true"),
            ("chat_types", "u2i,u2u"),
            ("limit", limit.as_str()),
            ("offset", offset.as_str()),
        ];
        let mut told = self.api.get("v2/~/chats", &query, now).await?;
        Ok(list(told["chats"].take()))
    }

    /// What is unread in a chat, the first first, as the webhook tells it.
    async fn unread(
        &self,
        chat: &str,
        missed: &Missed,
        now: Timestamp,
    ) -> Result<Vec<Envelope>, Failure> {
        let path = format!("v3/~/chats/{chat}/messages/");
        let limit = AT_ONCE.to_string();
        let mut told = self.api.get(&path, &[("limit", &limit)], now).await?;
        // Documented as a list, and seen within an object.
        let told = match told.get_mut("messages") {
            Some(messages) => messages.take(),
            None => told,
        };
        let mut messages = list(told);
        messages.retain(|message| {
            let is_unread = message["direction"] == "in" && message["is_read"] != true;
            is_unread && missed.is_of_line(message)
        });
        messages.reverse();
        messages.sort_by_key(|message| message["created"].as_i64());
        let events = messages.into_iter();
        Ok(events
            .filter_map(|message| self.as_event(chat, message))
            .collect())
    }

    fn as_event(&self, chat: &str, mut message: Value) -> Option<Envelope> {
        let (id, kind) = (message["id"].as_str()?, message["type"].as_str()?);
        // A message that is taken back has the same name.
        let event_key = format!("missed {id} {kind}");
        message["chat_id"] = json!(chat);
        message["user_id"] = json!(self.api.user());
        let event = json!({
            "id": event_key, "version": "v3.0.0", "timestamp": message["created"],
            "payload": {"type": "message", "value": message},
        });
        Some(Envelope {
            event_key,
            raw: event.to_string().into(),
            rest: None,
        })
    }
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Vec::new()
        }
    }
}
