//! Ours to theirs. Pure.

use domain::message::{Action, Attachment, FilledTemplate, Outbound, Recipient, ToSend};
use serde_json::{Value, json};

use super::status::mark;
use super::template;
use crate::SendError;
use crate::split::{pieces, split, utf16};

/// Of a text, and of words below a file or above buttons.
const TEXT_MAX: usize = 4_096;
const CAPTION_MAX: usize = 1_024;
/// Buttons; more are a list, which opens below this label.
const BUTTONS_MAX: usize = 3;
const LIST_LABEL: &str = "☰";
/// What is larger goes as a document.
const IMAGE_BYTES_MAX: u64 = 5 << 20;
const MEDIA_BYTES_MAX: u64 = 16 << 20;

/// One message.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) fields: Value,
    /// The file that goes with it, which has to be there before, and where its id goes.
    pub(super) file: Option<(String, Attachment)>,
}

/// Texts that are too long, and each file, by themselves. Buttons stand below words.
pub(super) fn parts(action: Action) -> Vec<Action> {
    let Action::Send(mut whole) = action else {
        return vec![action];
    };
    if whole.template.is_some() {
        return vec![Action::Send(whole)];
    }
    let text = std::mem::take(&mut whole.text).plain;
    let files = std::mem::take(&mut whole.attachments);
    let cut = |max| {
        let words = split(&text, max, utf16).into_iter();
        words
            .filter(|words| !words.is_empty())
            .map(|words| (words, Vec::new()))
    };
    let alone = |file| (String::new(), vec![file]);
    let fits = text.encode_utf16().count() <= CAPTION_MAX;
    let goes_below = fits && files.first().map(kind).is_some_and(|kind| kind != "audio");
    let parts = if !whole.buttons.is_empty() {
        let files = files.into_iter().map(alone);
        files.chain(cut(CAPTION_MAX)).collect()
    } else if goes_below {
        let mut parts: Vec<_> = files.into_iter().map(alone).collect();
        if let Some((caption, _)) = parts.first_mut() {
            *caption = text;
        }
        parts
    } else {
        cut(TEXT_MAX).chain(files.into_iter().map(alone)).collect()
    };
    pieces(whole, parts)
}

pub(super) fn render(outbound: &Outbound) -> Result<Request, SendError> {
    match &outbound.action {
        Action::Send(ToSend {
            text,
            attachments,
            reply_to,
            buttons,
            template,
            ..
        }) => {
            let recipient = &outbound.recipient;
            let file = attachments.first();
            let mut request = if let Some(filled) = template {
                with_template(recipient, filled, file)
            } else if let Some(file) = file {
                with_file(recipient, &text.plain, file)
            } else if !buttons.is_empty() {
                request(recipient, "interactive", interactive(&text.plain, buttons))
            } else {
                request(recipient, "text", json!({"body": text.plain}))
            };
            if let Some(answered) = reply_to {
                request.fields["context"] = json!({"message_id": answered});
            }
            request.fields["biz_opaque_callback_data"] = json!(mark(outbound));
            Ok(request)
        }
        Action::React { target, emoji } => {
            let reaction = json!({"message_id": target, "emoji": emoji});
            Ok(request(&outbound.recipient, "reaction", reaction))
        }
        // The API has neither.
        Action::Edit { .. } | Action::Delete { .. } => Err(SendError::Unsupported),
    }
}

fn request(recipient: &Recipient, kind: &'static str, content: Value) -> Request {
    let mut fields = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "type": kind,
    });
    fields[kind] = content;
    // The number while it is known, which every version takes.
    match &recipient.context.external_chat_id {
        Some(number) => fields["to"] = json!(number),
        None if recipient.thread_key.contains('.') => {
            fields["recipient"] = json!(recipient.thread_key);
        }
        None => fields["to"] = json!(recipient.thread_key),
    }
    Request { fields, file: None }
}

fn with_file(recipient: &Recipient, caption: &str, file: &Attachment) -> Request {
    let kind = kind(file);
    let mut content = json!({"id": null});
    if !caption.is_empty() {
        content["caption"] = json!(caption);
    }
    if kind == "document" {
        content["filename"] = json!(file.file_name);
    }
    let mut request = request(recipient, kind, content);
    request.file = Some((format!("/{kind}/id"), file.clone()));
    request
}

/// Words with buttons below, or with a list that opens where there are too many.
fn interactive(text: &str, buttons: &[String]) -> Value {
    let choice = |label: &String| json!({"id": label, "title": label});
    let choices = buttons.iter().map(choice);
    let (kind, action) = if buttons.len() <= BUTTONS_MAX {
        let reply = |choice| json!({"type": "reply", "reply": choice});
        let buttons: Vec<Value> = choices.map(reply).collect();
        ("button", json!({ "buttons": buttons }))
    } else {
        let rows: Vec<Value> = choices.collect();
        (
            "list",
            json!({"button": LIST_LABEL, "sections": [{ "rows": rows }]}),
        )
    };
    json!({"type": kind, "body": {"text": text}, "action": action})
}

fn with_template(
    recipient: &Recipient,
    filled: &FilledTemplate,
    file: Option<&Attachment>,
) -> Request {
    let media = file.map(kind);
    let content = template::content(filled, media);
    let mut request = request(recipient, "template", content);
    request.file = media
        .zip(file)
        .map(|(kind, file)| (template::file_id(kind), file.clone()));
    request
}

/// As what a file goes.
fn kind(file: &Attachment) -> &'static str {
    let within = |max| file.size_bytes <= max;
    match file.media_type.as_str() {
        "image/jpeg" | "image/png" if within(IMAGE_BYTES_MAX) => "image",
        "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4" | "audio/ogg"
            if within(MEDIA_BYTES_MAX) =>
        {
            "audio"
        }
        "video/mp4" | "video/3gpp" if within(MEDIA_BYTES_MAX) => "video",
        _ => "document",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::message::{Part, Text, Thread};
    use domain::{MessageId, ThreadId, Timestamp};

    fn file(name: &str, media_type: &str, size_bytes: u64) -> Attachment {
        Attachment {
            file_name: name.to_owned(),
            media_type: media_type.to_owned(),
            size_bytes,
            ..Attachment::default()
        }
    }

    fn send(text: &str, attachments: Vec<Attachment>) -> Action {
        Action::Send(ToSend {
            text: Text::plain(text),
            attachments,
            reply_to: Some("wamid.q".to_owned()),
            ..ToSend::default()
        })
    }

    fn outbound(number: Option<&str>, thread_key: &str, action: Action) -> Outbound {
        Outbound {
            message: MessageId::new(7),
            line: "whatsapp".into(),
            recipient: Recipient {
                thread: ThreadId::new(1),
                thread_key: thread_key.to_owned(),
                identity: None,
                context: Thread {
                    external_chat_id: number.map(str::to_owned),
                    ..Thread::default()
                },
                token: String::new(),
            },
            sent_at: Timestamp(0),
            author_name: String::new(),
            automatic: false,
            part: Some(Part { number: 1, of: 2 }),
            action,
        }
    }

    /// Each part's length, file, and whether it answers something.
    fn shape(action: Action) -> Vec<(usize, Option<String>, bool)> {
        let shape = |part| {
            let Action::Send(ToSend {
                text,
                attachments,
                reply_to,
                ..
            }) = part
            else {
                panic!("{part:?}");
            };
            let file = attachments.first().map(|file| file.file_name.clone());
            (text.plain.encode_utf16().count(), file, reply_to.is_some())
        };
        parts(action).into_iter().map(shape).collect()
    }

    #[test]
    fn words_go_below_the_first_file_where_they_can() {
        let png = || file("a", "image/png", 1);
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(shape(send("Hi", vec![])), [(2, None, true)]);
        assert_eq!(
            shape(send("Hi", vec![png(), file("b", "text/csv", 1)])),
            [(2, name("a"), true), (0, name("b"), false)]
        );
        assert_eq!(shape(send("", vec![png()])), [(0, name("a"), true)]);
        let voice = file("v", "audio/ogg", 1);
        assert_eq!(
            shape(send("Hi", vec![voice])),
            [(2, None, true), (0, name("v"), false)]
        );
        let long = "ы".repeat(1_025);
        assert_eq!(
            shape(send(&long, vec![png()])),
            [(1_025, None, true), (0, name("a"), false)]
        );
        let longer = "ы".repeat(4_097);
        assert_eq!(
            shape(send(&longer, vec![])),
            [(4_096, None, true), (1, None, false)]
        );
    }

    #[test]
    fn a_message_goes_to_the_number_while_it_is_known() {
        let to = |number, thread_key: &str| {
            let request = render(&outbound(number, thread_key, send("Hi", vec![]))).unwrap();
            let field = |name: &str| request.fields[name].as_str().map(str::to_owned);
            (field("to"), field("recipient"))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(to(Some("79161234567"), "US.1"), (some("79161234567"), None));
        assert_eq!(to(None, "US.1"), (None, some("US.1")));
        assert_eq!(to(None, "79161234567"), (some("79161234567"), None));
    }

    #[test]
    fn a_message_has_what_the_api_asks_for() {
        let request = render(&outbound(None, "US.1", send("Hi", vec![]))).unwrap();
        assert_eq!(
            request.fields,
            json!({
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "recipient": "US.1",
                "type": "text",
                "text": {"body": "Hi"},
                "context": {"message_id": "wamid.q"},
                "biz_opaque_callback_data": "7 1 2 US.1",
            })
        );
        let document = file("a.pdf", "application/pdf", 1);
        let request = render(&outbound(None, "1", send("Look", vec![document]))).unwrap();
        let expected = json!({"id": null, "caption": "Look", "filename": "a.pdf"});
        assert_eq!(request.fields["document"], expected);
        let react = Action::React {
            target: "wamid.q".to_owned(),
            emoji: String::new(),
        };
        let request = render(&outbound(None, "1", react)).unwrap();
        let expected = json!({"message_id": "wamid.q", "emoji": ""});
        assert_eq!(request.fields["reaction"], expected);
        assert_eq!(request.fields["biz_opaque_callback_data"], Value::Null);
    }

    #[test]
    fn a_file_too_large_for_its_kind_is_a_document() {
        for (media_type, size, expected) in [
            ("image/jpeg", 5 << 20, "image"),
            ("image/jpeg", (5 << 20) + 1, "document"),
            ("image/webp", 1, "document"),
            ("audio/ogg", 16 << 20, "audio"),
            ("video/mp4", (16 << 20) + 1, "document"),
            ("application/pdf", 1, "document"),
        ] {
            assert_eq!(kind(&file("x", media_type, size)), expected, "{media_type}");
        }
    }

    #[test]
    fn buttons_stand_below_words_and_many_are_a_list() {
        let offer = |count: usize, text: &str, files| {
            let Action::Send(mut whole) = send(text, files) else {
                panic!("a message is sent");
            };
            whole.buttons = (0..count)
                .map(|number| format!("answer {number}"))
                .collect();
            let parts = parts(Action::Send(whole)).into_iter();
            let render = |part| render(&outbound(None, "7", part)).unwrap();
            parts.map(render).collect::<Vec<_>>()
        };
        let one = offer(3, "Which?", Vec::new()).remove(0).fields;
        assert_eq!(one["interactive"]["type"], "button");
        assert_eq!(one["interactive"]["body"]["text"], "Which?");
        let buttons = &one["interactive"]["action"]["buttons"];
        assert_eq!(
            buttons[2]["reply"],
            json!({"id": "answer 2", "title": "answer 2"})
        );
        let many = offer(4, "Which?", Vec::new()).remove(0).fields;
        assert_eq!(many["interactive"]["type"], "list");
        let rows = &many["interactive"]["action"]["sections"][0]["rows"];
        assert_eq!(rows.as_array().unwrap().len(), 4);
        let png = file("a.png", "image/png", 10);
        let apart = offer(1, &"x ".repeat(800), vec![png]);
        let kinds: Vec<_> = apart
            .iter()
            .map(|part| part.fields["type"].clone())
            .collect();
        assert_eq!(kinds, ["image", "text", "interactive"]);
    }
}
