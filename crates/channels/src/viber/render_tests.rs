use domain::message::{Recipient, Text, Thread, ToSend};
use domain::{ThreadId, Timestamp};

use super::*;

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
        ..ToSend::default()
    })
}

/// Each part's length and file.
fn shape(action: Action) -> Vec<(usize, Option<String>)> {
    let shape = |part| {
        let Action::Send(ToSend {
            text, attachments, ..
        }) = part
        else {
            panic!("{part:?}")
        };
        let file = attachments.first().map(|file| file.file_name.clone());
        (text.plain.encode_utf16().count(), file)
    };
    parts(action).into_iter().map(shape).collect()
}

fn outbound(action: Action) -> Outbound {
    Outbound {
        message: MessageId::new(17),
        line: "viber".into(),
        recipient: Recipient {
            thread: ThreadId::new(5),
            thread_key: "01234567890A=".to_owned(),
            identity: None,
            context: Thread::default(),
            token: String::new(),
        },
        sent_at: Timestamp(0),
        author_name: "Константин Константинопольский-Заморский".to_owned(),
        automatic: false,
        part: None,
        action,
    }
}

fn sender(is_operator: bool) -> Sender {
    Sender {
        name: "Shop".to_owned(),
        avatar: None,
        is_operator,
    }
}

fn rendered(action: Action) -> Value {
    let link = |file: &Attachment| format!("https://gateway.example/files/a/{}", file.file_name);
    render(&outbound(action), &sender(false), link).unwrap()
}

#[test]
fn words_go_below_a_picture_where_they_fit() {
    let picture = || file("a.jpg", "image/jpeg", 9);
    let paper = || file("b.pdf", "application/pdf", 9);
    let (a, b) = (Some("a.jpg".to_owned()), Some("b.pdf".to_owned()));
    assert_eq!(shape(send("Hi", vec![])), [(2, None)]);
    assert_eq!(
        shape(send("Hi", vec![picture(), paper()])),
        [(2, a.clone()), (0, b.clone())]
    );
    assert_eq!(shape(send("Hi", vec![paper()])), [(2, None), (0, b)]);
    assert_eq!(
        shape(send(&"ы".repeat(769), vec![picture()])),
        [(769, None), (0, a)]
    );
    let long = "👍".repeat(3_501);
    assert_eq!(shape(send(&long, vec![])), [(7_000, None), (2, None)]);
}

#[test]
fn a_file_s_address_ends_with_what_it_is() {
    for (file, kind, ending) in [
        (
            file("я.JPG", "image/jpeg", 1 << 20),
            "picture",
            "a/picture.jpeg",
        ),
        (file("a.png", "image/png", 9), "picture", "a/picture.png"),
        (
            file("a.jpg", "image/jpeg", (1 << 20) + 1),
            "file",
            "a/file.jpg",
        ),
        (file("a.gif", "image/gif", 9), "file", "a/file.gif"),
        (file("a.mov", "video/mp4", 26 << 20), "video", "a/video.mp4"),
        (
            file("a.mp4", "video/mp4", (26 << 20) + 1),
            "file",
            "a/file.mp4",
        ),
        (file("счёт.pdf", "application/pdf", 9), "file", "a/file.pdf"),
        (file("счёт.я", "application/pdf", 9), "file", "a/file"),
        (file("README", "text/plain", 9), "file", "a/file"),
    ] {
        let (name, size) = (file.file_name.clone(), file.size_bytes);
        let fields = rendered(send("", vec![file]));
        assert_eq!(fields["type"], kind, "{name}");
        let media = fields["media"].as_str().unwrap();
        assert!(media.ends_with(ending), "{name}: {media}");
        if kind == "file" {
            assert_eq!(
                (&fields["file_name"], &fields["size"]),
                (&json!(name), &json!(size))
            );
        }
    }
}

#[test]
fn the_longest_call_is_below_30_kb() {
    for letter in ["ы", "語", "👍", "\"", "\n"] {
        let text = letter.repeat(TEXT_MAX / letter.encode_utf16().count());
        let length = rendered(send(&text, vec![])).to_string().len();
        assert!(length < 30_000, "{letter:?}: {length}");
    }
}

#[test]
fn names_are_those_of_people_where_that_is_wished() {
    let link = |_: &Attachment| String::new();
    let name = |outbound: &Outbound, is_operator| {
        let fields = render(outbound, &sender(is_operator), link).unwrap();
        fields["sender"]["name"].as_str().unwrap().to_owned()
    };
    let mut written = outbound(send("Hi", vec![]));
    assert_eq!(name(&written, false), "Shop");
    let shown = name(&written, true);
    assert!(written.author_name.starts_with(&shown), "{shown}");
    assert!((1..=NAME_MAX).contains(&shown.chars().count()), "{shown}");
    written.automatic = true;
    assert_eq!(name(&written, true), "Shop");
}

#[test]
fn only_the_last_part_is_known_again() {
    let link = |_: &Attachment| String::new();
    let mut part = outbound(send("Hi", vec![]));
    let tracked =
        |part: &Outbound| render(part, &sender(false), link).unwrap()["tracking_data"].clone();
    assert_eq!(tracked(&part), "message 17");
    part.part = Some(Part { number: 1, of: 2 });
    assert_eq!(tracked(&part), Value::Null);
    part.part = Some(Part { number: 2, of: 2 });
    assert_eq!(tracked(&part), "message 17");
}

#[test]
fn only_a_mark_of_ours_is_ours() {
    assert_eq!(marked("message 17"), Some(MessageId::new(17)));
    for other in [
        "",
        "17",
        "message",
        "message ",
        "message x",
        "message -1",
        "menu:3",
    ] {
        assert_eq!(marked(other), None, "{other}");
    }
}

#[test]
fn what_viber_has_not_is_refused() {
    let link = |_: &Attachment| String::new();
    let target = "4912661846655238145".to_owned();
    for action in [
        Action::Edit {
            target: target.clone(),
            text: Text::plain("b"),
        },
        Action::Delete {
            target: target.clone(),
        },
        Action::React {
            target,
            emoji: "👍".to_owned(),
        },
    ] {
        let refused = render(&outbound(action), &sender(false), link);
        assert_eq!(refused, Err(SendError::Unsupported));
    }
}

#[test]
fn what_is_pressed_is_said_as_it_is_written() {
    let mut action = send("Which?", Vec::new());
    if let Action::Send(sent) = &mut action {
        sent.buttons = vec!["A < B & C".to_owned()];
    }
    let fields = rendered(action);
    assert_eq!(fields["min_api_version"], 3);
    let button = &fields["keyboard"]["Buttons"][0];
    assert_eq!(button["ActionBody"], "A < B & C");
    assert_eq!(button["Text"], "A &lt; B &amp; C");
}
