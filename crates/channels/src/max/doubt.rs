//! What became of a message when nobody said: MAX knows no number of ours by which to send
//! it again, but tells what is in the dialogue.

use domain::Millis;
use domain::message::{Outbound, Recipient};
use serde_json::Value;

use super::api::Api;
use super::render::Words;
use crate::Host;
use crate::sent::Sent;

/// So far MAX's clock may be behind ours.
const SKEW: Millis = Millis::from_secs(60);
/// So many messages of a dialogue are looked through.
const LOOKED_BACK: &str = "20";

/// The name of a message that may have been sent, if it is there.
pub(super) async fn look(
    api: &Api,
    sent: &Sent,
    outbound: &Outbound,
    words: &Words<'_>,
    host: &dyn Host,
) -> Option<String> {
    let chat = chat(&outbound.recipient)?;
    let query = [("chat_id", chat.as_str()), ("count", LOOKED_BACK)];
    let told = match api.get("messages", &query, host.now()).await {
        Ok(told) => told,
        Err(failure) => {
            tracing::info!(%failure, "what is in the dialogue is not told");
            return None;
        }
    };
    let since = outbound.sent_at.0 - SKEW.0;
    let mut messages = told["messages"].as_array().into_iter().flatten();
    messages.find_map(|message| {
        let name = message["body"]["mid"].as_str()?;
        let is_it = is_same(message, words) && message["timestamp"].as_i64()? >= since;
        (is_it && !sent.has(name)).then(|| name.to_owned())
    })
}

/// Whether the bot said the same, with as many files and of the same kinds.
fn is_same(message: &Value, words: &Words<'_>) -> bool {
    let text = message["body"]["text"].as_str().unwrap_or_default();
    let files = message["body"]["attachments"].as_array();
    let files = files.into_iter().flatten().map(|file| &file["type"]);
    // A link that stands in the text may have grown a picture, and buttons are no file.
    let files = files.filter(|kind| **kind != "share" && **kind != "inline_keyboard");
    let kinds = words.kinds.iter();
    message["sender"]["is_bot"] == true
        && text.trim() == words.text.trim()
        && files.eq(kinds.map(|kind| kind.name()))
}

/// The dialogue's own number, as the last event told it.
pub(super) fn chat(recipient: &Recipient) -> Option<String> {
    let chat: i64 = recipient.context.external_chat_id.as_ref()?.parse().ok()?;
    Some(chat.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::render::Way;
    use super::*;

    #[test]
    fn only_the_same_words_of_the_bot_are_the_same() {
        let words = Words {
            text: "Вот ",
            kinds: vec![Way::Image],
        };
        let told = json!({"sender": {"is_bot": true}, "body": {"mid": "m", "text": "Вот",
            "attachments": [{"type": "image"}, {"type": "share"}]}});
        assert!(is_same(&told, &words));
        for (path, value) in [
            ("/sender/is_bot", json!(false)),
            ("/sender/is_bot", json!(null)),
            ("/body/text", json!("Вот!")),
            ("/body/text", json!(null)),
            ("/body/attachments", json!(null)),
            ("/body/attachments", json!([{"type": "file"}])),
            (
                "/body/attachments",
                json!([{"type": "image"}, {"type": "image"}]),
            ),
        ] {
            let mut other = told.clone();
            *other.pointer_mut(path).unwrap() = value;
            assert!(!is_same(&other, &words), "{other}");
        }
    }
}
