use super::*;

fn refused(status: u16, code: i64, subcode: i64) -> Failure {
    Failure::Refused {
        status,
        code,
        subcode,
        words: "some words".to_owned(),
        wait: None,
    }
}

fn outcome(status: u16, code: i64, subcode: i64) -> SendError {
    refused(status, code, subcode).outcome(Millis(0))
}

#[test]
fn every_refusal_has_its_own_end() {
    for (code, subcode) in [(10, 2_018_278), (10, 2_534_022), (10, 2_018_065)] {
        let end = outcome(400, code, subcode);
        let words = "too much time has passed";
        assert!(
            matches!(&end, SendError::Rejected { operator_text } if operator_text.starts_with(words)),
            "{code}/{subcode}"
        );
    }
    for (code, subcode) in [
        (551, 0),
        (551, 1_545_041),
        (200, 1_545_041),
        (10, 2_018_108),
        (100, 2_018_001),
    ] {
        let end = outcome(400, code, subcode);
        assert!(
            matches!(end, SendError::ContactUnreachable { .. }),
            "{code}/{subcode}"
        );
    }
    for (status, code) in [
        (400, 4),
        (400, 17),
        (400, 32),
        (400, 613),
        (400, 80_006),
        (429, 0),
    ] {
        let end = outcome(status, code, 0);
        assert!(
            matches!(end, SendError::LineBusy { after, .. } if after == LINE_RETRY),
            "{code}"
        );
    }
    for (status, code) in [
        (400, 1),
        (500, 2),
        (400, 1_200),
        (408, 0),
        (500, 0),
        (502, 0),
    ] {
        let end = outcome(status, code, 0);
        assert!(
            matches!(end, SendError::RetryAfter { .. }),
            "{status} {code}"
        );
    }
    for (code, subcode) in [
        (0, 0),
        (100, 0),
        (100, 33),
        (100, 2_018_047),
        (10, 2_018_300),
        (368, 1_893_063),
        (2_022, 0),
    ] {
        let end = outcome(400, code, subcode);
        assert!(
            matches!(end, SendError::Rejected { .. }),
            "{code}/{subcode}"
        );
    }
    let sent = outcome(400, 1, SENT);
    assert!(matches!(sent, SendError::Uncertain(_)));
}

#[test]
fn what_concerns_the_whole_line_holds_it() {
    for code in [3, 10, 102, 190, 200, 230, 299, 368] {
        let end = outcome(400, code, 0);
        assert!(matches!(end, SendError::Reauthorize(_)), "{code}");
    }
    for status in [401, 403] {
        let end = outcome(status, 0, 0);
        assert!(matches!(end, SendError::Reauthorize(_)), "{status}");
    }
}

#[test]
fn what_should_pass_is_not_waited_for_for_ever() {
    for (status, code) in [(400, 1), (500, 2), (400, 1_200)] {
        let end = refused(status, code, 0).outcome(Millis(PATIENCE.0 - 1));
        assert!(matches!(end, SendError::RetryAfter { .. }), "{code}");
        let end = refused(status, code, 0).outcome(PATIENCE);
        assert!(matches!(end, SendError::Rejected { .. }), "{code}");
    }
    // A server that is down is.
    let unsent = Failure::NotSent("no way there".to_owned());
    for down in [unsent, refused(503, 0, 0)] {
        let end = down.outcome(PATIENCE);
        assert!(matches!(end, SendError::RetryAfter { .. }), "{end:?}");
    }
}

fn reply(status: u16, header: Option<&'static str>, body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    if let Some(header) = header {
        headers.insert("x-business-use-case-usage", header.parse().unwrap());
    }
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: Some(Millis(7_000)),
        headers,
        body: body.into(),
        is_whole: true,
    }
}

#[test]
fn what_is_told_is_read() {
    let body = r#"{"error":{"message":"(#10) This message is sent outside of allowed window.",
        "type":"OAuthException","code":10,"error_subcode":2018278,"fbtrace_id":"A"}}"#;
    let told = Failure::told(&reply(400, None, body));
    assert!(told.is_of_window());
    assert_eq!(
        told.to_string(),
        "Meta says: (#10) This message is sent outside of allowed window. (10/2018278)"
    );
    let gave_up = Failure::told(&reply(504, None, "<html>")).outcome(Millis(0));
    assert!(matches!(gave_up, SendError::Uncertain(_)));
    let down = Failure::told(&reply(502, None, "<html>")).outcome(Millis(0));
    assert!(matches!(down, SendError::RetryAfter { after, .. } if after.0 == 7_000));
}

#[test]
fn a_line_waits_as_long_as_it_is_told() {
    let body = r#"{"error":{"message":"limit","code":613}}"#;
    let after = |header| {
        let outcome = Failure::told(&reply(400, header, body)).outcome(Millis(0));
        let SendError::LineBusy { after, .. } = outcome else {
            panic!("{outcome:?}");
        };
        after.0
    };
    let usage = r#"{"1":[{"type":"messenger","call_count":100,
        "estimated_time_to_regain_access":3},{"estimated_time_to_regain_access":1}]}"#;
    let usage: &'static str = usage.replace('\n', "").leak();
    assert_eq!(after(Some(usage)), 180_000);
    for unread in ["{}", "[]", "?", r#"{"1":[{"call_count":28}]}"#] {
        assert_eq!(after(Some(unread)), 7_000, "{unread}");
    }
    assert_eq!(after(None), 7_000);
}
