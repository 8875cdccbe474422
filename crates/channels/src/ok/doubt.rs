//! What became of a message when nobody said: OK knows no number of ours by which to send
//! it again, but tells what is in the chat.

use domain::Millis;
use domain::message::Outbound;
use serde_json::Value;

use super::api::Api;
use super::render::Words;
use crate::Host;
use crate::sent::Sent;

/// So far OK's clock may be behind ours.
const SKEW: Millis = Millis::from_secs(60);
/// So many messages of a chat are looked through.
const LOOKED_BACK: &str = "20";

/// The name of a message that may have been sent, if it is there.
pub(super) async fn look(
    api: &Api,
    sent: &Sent,
    outbound: &Outbound,
    words: &Words<'_>,
    host: &dyn Host,
) -> Option<String> {
    let chat = &outbound.recipient.thread_key;
    if !chat.starts_with("chat:") {
        return None;
    }
    let (path, query) = (format!("me/messages/{chat}"), [("count", LOOKED_BACK)]);
    let told = match api.get(&path, &query, host.now()).await {
        Ok(told) => told,
        Err(failure) => {
            tracing::info!(%failure, "what is in the chat is not told");
            return None;
        }
    };
    let since = outbound.sent_at.0 - SKEW.0;
    let mut messages = told["messages"].as_array().into_iter().flatten();
    messages.find_map(|message| {
        let name = message["message"]["mid"].as_str()?;
        let is_it = is_same(message, words) && message["timestamp"].as_i64()? >= since;
        (is_it && !sent.has(name)).then(|| name.to_owned())
    })
}

/// Whether the group said the same, with as many files and of the same kinds.
fn is_same(message: &Value, words: &Words<'_>) -> bool {
    let said = &message["message"];
    let text = said["text"].as_str().unwrap_or_default();
    let files = said["attachments"].as_array();
    let files = files.into_iter().flatten().map(|file| &file["type"]);
    // A link that stands in the text may have grown a picture, and buttons are no file.
    let files = files.filter(|kind| **kind != "SHARE" && **kind != "INLINE_KEYBOARD");
    let kinds = words.kinds.iter();
    // A person has a number of their own.
    message["sender"]["user_id"].is_null()
        && text.trim() == words.text.trim()
        && files.eq(kinds.map(|kind| kind.name()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::render::Way;
    use super::*;

    #[test]
    fn only_the_same_words_of_the_group_are_the_same() {
        let words = Words {
            text: "Вот ",
            kinds: vec![Way::Image],
        };
        let told = json!({"sender": {"name": "Shop", "group_id": "group:7"}, "message": {
            "mid": "mid:C1.2", "text": "Вот",
            "attachments": [{"type": "IMAGE"}, {"type": "SHARE"}]}});
        assert!(is_same(&told, &words));
        for (path, value) in [
            ("/sender", json!({"user_id": "user:7"})),
            ("/message/text", json!("Вот!")),
            ("/message/text", json!(null)),
            ("/message/attachments", json!(null)),
            ("/message/attachments", json!([{"type": "FILE"}])),
            (
                "/message/attachments",
                json!([{"type": "IMAGE"}, {"type": "IMAGE"}]),
            ),
        ] {
            let mut other = told.clone();
            *other.pointer_mut(path).unwrap() = value;
            assert!(!is_same(&other, &words), "{other}");
        }
    }
}
