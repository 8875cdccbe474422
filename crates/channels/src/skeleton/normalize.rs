//! Theirs to ours. Pure.

use domain::Timestamp;
use domain::identity::{Identity, Trust};
use domain::message::{Content, Inbound, InboundKind, Sender, Text, Thread};

use super::api::Update;
use crate::Malformed;

pub(super) fn normalize(raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
    let update: Update =
        serde_json::from_slice(raw).map_err(|error| Malformed(error.to_string()))?;
    Ok(vec![convert(update)])
}

fn convert(update: Update) -> Inbound {
    let content = match update.text {
        Some(text) => Content::Text(Text::plain(text)),
        None => Content::Unsupported { kind: update.kind },
    };
    Inbound {
        event_key: update.id.clone(),
        message_id: Some(update.id),
        sent_at: Timestamp(update.sent_at_ms),
        sender: Sender {
            identities: vec![Identity {
                kind: "skeleton".to_owned(),
                issuer: String::new(),
                value: update.chat.clone(),
                trust: Trust::Proven,
            }],
            ..Sender::default()
        },
        thread: Thread {
            external_chat_id: Some(update.chat.clone()),
            ..Thread::default()
        },
        thread_key: update.chat,
        attachments: Vec::new(),
        letter: None,
        album: None,
        kind: InboundKind::Message(content),
    }
}

#[cfg(test)]
mod tests {
    use domain::message::{Content, InboundKind, Text};

    use super::normalize;

    #[test]
    fn a_text_is_a_message() {
        let events = normalize(include_bytes!("fixtures/text.json")).expect("it can be read");
        let expected = InboundKind::Message(Content::Text(Text::plain("Hello")));
        assert_eq!(events[0].kind, expected);
        assert_eq!(events[0].thread_key, "42");
    }

    #[test]
    fn an_unknown_kind_is_unsupported() {
        let raw = br#"{"id": "2", "chat": "42", "kind": "hologram"}"#;
        let events = normalize(raw).expect("it can be read");
        let kind = "hologram".to_owned();
        let expected = InboundKind::Message(Content::Unsupported { kind });
        assert_eq!(events[0].kind, expected);
    }
}
