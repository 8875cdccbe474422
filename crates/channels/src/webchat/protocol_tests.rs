use super::*;

#[test]
fn frames_are_read() {
    let read = |text: &str| ClientFrame::parse(text);
    assert_eq!(
        read(r#"{"type":"hello"}"#),
        Ok(ClientFrame::Hello(Hello::default()))
    );
    assert_eq!(
        read(r#"{"type":"hello","tab":"x","cursor":7,"more":{"a":[1]}}"#),
        Ok(ClientFrame::Hello(Hello {
            cursor: 7,
            ..Hello::default()
        }))
    );
    assert_eq!(read(r#"{"type":"ping"}"#), Ok(ClientFrame::Ping {}));
    assert_eq!(
        read(r#"{"type":"read","cursor":3}"#),
        Ok(ClientFrame::Read { cursor: 3 })
    );
}

#[test]
fn every_frame_of_ours_is_a_known_type() {
    for text in [
        r#"{"type":"hello"}"#,
        r#"{"type":"message","client_id":"c"}"#,
        r#"{"type":"react","client_id":"c","message_id":"1","emoji":""}"#,
        r#"{"type":"typing","active":true}"#,
        r#"{"type":"delivered","cursor":1}"#,
        r#"{"type":"read","cursor":1}"#,
        r#"{"type":"identify","token":"t"}"#,
        r#"{"type":"profile"}"#,
        r#"{"type":"ping"}"#,
    ] {
        assert!(ClientFrame::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn bad_frames_are_told_apart() {
    assert_eq!(
        ClientFrame::parse("{\"type\":\"hologram\u{202e}\"}"),
        Err(BadFrame::UnknownType("hologram".to_owned()))
    );
    let deep = "[".repeat(60_000);
    for text in [
        "",
        "x",
        "null",
        "[]",
        "{}",
        "{\"type\":1}",
        "{\"type\":\"read\"}",
        "{\"type\":\"read\",\"cursor\":\"x\"}",
        "{\"type\":\"message\",\"client_id\":1}",
        "{\"type\":\"typing\",\"active\":1}",
        &deep,
    ] {
        assert!(
            matches!(ClientFrame::parse(text), Err(BadFrame::Malformed(_))),
            "{text}"
        );
    }
}

#[test]
fn a_client_id_is_the_visitors_own_only() {
    let id = message_id("visitor", "c1");
    assert_eq!(own_client_id(&id, "visitor"), "c1");
    assert_eq!(own_client_id(&id, "another"), id);
    assert!(
        is_client_id("0a-B_.")
            && !is_client_id("")
            && !is_client_id("a:b")
            && !is_client_id(&"x".repeat(65))
    );
}
