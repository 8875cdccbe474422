use super::*;
use crate::split::utf16;
use domain::message::{Recipient, Text, Thread, ToSend};
use domain::{ThreadId, Timestamp};

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
        reply_to: Some("m_q".to_owned()),
        ..ToSend::default()
    })
}

fn outbound(part: Option<Part>, action: Action) -> Outbound {
    Outbound {
        message: MessageId::new(9_007_199_254_740_993),
        line: "line".into(),
        recipient: Recipient {
            thread: ThreadId::new(1),
            thread_key: "7".to_owned(),
            identity: None,
            context: Thread::default(),
            token: String::new(),
        },
        sent_at: Timestamp(0),
        author_name: String::new(),
        automatic: false,
        part,
        action,
    }
}

/// Each part's words, file, and whether it answers something.
fn shape(
    action: Action,
    max: usize,
    length: fn(char) -> usize,
) -> Vec<(String, Option<String>, bool)> {
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
        (text.plain, file, reply_to.is_some())
    };
    let parts = parts(action, max, length).into_iter();
    parts.map(shape).collect()
}

#[test]
fn a_message_has_words_or_a_file() {
    let png = || file("a", "image/png", 1);
    let words = |words: &str| words.to_owned();
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(
        shape(send("Hi", vec![]), 10, utf16),
        [(words("Hi"), None, true)]
    );
    assert_eq!(
        shape(send("Hi", vec![png(), file("b", "text/csv", 1)]), 10, utf16),
        [
            (words("Hi"), None, true),
            (words(""), named("a"), false),
            (words(""), named("b"), false)
        ]
    );
    assert_eq!(
        shape(send("", vec![png()]), 10, utf16),
        [(words(""), named("a"), true)]
    );
    // Letters and bytes are not the same.
    let long = "ы".repeat(10);
    assert_eq!(shape(send(&long, vec![]), 10, utf16).len(), 1);
    assert_eq!(shape(send(&long, vec![]), 10, char::len_utf8).len(), 2);
}

#[test]
fn a_message_has_what_the_api_asks_for() {
    let part = Part { number: 1, of: 2 };
    let outbound = outbound(Some(part), send("Hi", vec![]));
    let mut fields = render(&outbound, &super::super::PLATFORM).unwrap();
    let expected = json!({
        "recipient": {"id": "7"},
        "messaging_type": "RESPONSE",
        "message": {"text": "Hi", "metadata": "message 9007199254740993 1 2"},
        "reply_to": {"mid": "m_q"},
    });
    assert_eq!(fields, expected);
    by_a_person(&mut fields);
    assert_eq!(fields["messaging_type"], "MESSAGE_TAG");
    assert_eq!(fields["tag"], "HUMAN_AGENT");
}

#[test]
fn what_cannot_be_done_is_refused() {
    let react = Action::React {
        target: "m_q".to_owned(),
        emoji: "❤".to_owned(),
    };
    let refused = render(&outbound(None, react), &super::super::PLATFORM);
    assert_eq!(refused, Err(SendError::Unsupported));
}

#[test]
fn a_mark_comes_back_as_it_went() {
    let mark = |part| Mark::read(&Mark::of(&outbound(part, send("Hi", vec![])))).unwrap();
    let message = MessageId::new(9_007_199_254_740_993);
    for (part, is_last) in [
        (None, true),
        (Some(Part { number: 1, of: 2 }), false),
        (Some(Part { number: 2, of: 2 }), true),
    ] {
        assert_eq!(mark(part), Mark { message, is_last });
    }
    for foreign in [
        "",
        "some data",
        "message ",
        "message 7",
        "message 7 1",
        "message 7 1 x",
        "message x 1 1",
        "7 1 1",
    ] {
        assert_eq!(Mark::read(foreign), None, "{foreign}");
    }
}

#[test]
fn a_file_goes_as_what_it_is() {
    for (media_type, size, uploaded, linked) in [
        ("image/jpeg", 8 << 20, "image", Some("image")),
        ("image/jpeg", (8 << 20) + 1, "file", None),
        ("image/webp", 1, "file", None),
        ("audio/ogg", 1, "audio", Some("audio")),
        ("video/mp4", 1, "video", Some("video")),
        ("application/pdf", 1, "file", Some("file")),
        ("text/csv", 1, "file", None),
        ("", 1, "file", None),
    ] {
        let file = file("x", media_type, size);
        assert_eq!(kind(&file, Files::Uploaded), Ok(uploaded), "{media_type}");
        assert_eq!(kind(&file, Files::Linked).ok(), linked, "{media_type}");
    }
}
