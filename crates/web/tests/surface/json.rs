//! Unary calls by the Connect protocol.

use http::Request;
use serde_json::{Value, json as object};

use super::{SERVICE, get, json, post, surface};

#[tokio::test]
async fn answers_in_canonical_json() {
    let surface = surface();
    let response = surface.unary("GetContact", r#"{"contactId":"c-1"}"#).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let (status, body) = json(response).await;
    assert_eq!(status, 200);
    let expect = object!({
        "id": "c-1",
        "version": "9007199254740993",
        "createdAt": "1970-01-01T00:00:00Z",
    });
    assert_eq!(body, expect);
    let request = r#"{"identities":[{"kind":"phone","value":"+7","trust":"PROVEN"}]}"#;
    let (_, body) = json(surface.unary("ResolveContact", request).await).await;
    assert_eq!(body["matchedOn"][0]["trust"], "PROVEN");
    assert_eq!(body["outcome"], "MATCHED");
    let (status, _) = json(surface.unary("ListContacts", "").await).await;
    assert_eq!(status, 200, "an empty body is an empty message");
}

#[tokio::test]
async fn refuses_what_it_cannot_read() {
    let surface = surface();
    let deep_list = format!("{{\"identities\":{}", "[".repeat(10_000));
    let deep_object = "{\"profile\":".repeat(10_000);
    let deep_unknown = format!("{{\"nope\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for (request, naming) in [
        (r#"{"contactId":"c-1","nope":1}"#, "nope"),
        (r#"{"contactId":7}"#, "string"),
        (r#"{"contactId":"#, "EOF"),
        ("{} {}", "trailing"),
        ("[]", "invalid type"),
        ("\u{0}", "cannot be read"),
    ] {
        let (status, body) = json(surface.unary("GetContact", request).await).await;
        assert_eq!(
            (status, &body["code"]),
            (400, &Value::from("invalid_argument")),
            "{request}"
        );
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(naming), "{request}: {message}");
    }
    for request in [deep_list, deep_object, deep_unknown] {
        let (status, body) = json(surface.unary("ResolveContact", request).await).await;
        assert_eq!(
            (status, &body["code"]),
            (400, &Value::from("invalid_argument"))
        );
    }
}

#[tokio::test]
async fn refuses_what_is_too_large_or_of_another_kind() {
    let surface = surface();
    let large = format!("{{\"contactId\":\"{}\"}}", "x".repeat(4 * 1024 * 1024));
    let (status, body) = json(surface.unary("GetContact", large).await).await;
    assert_eq!(
        (status, &body["code"]),
        (413, &Value::from("resource_exhausted"))
    );

    let text = surface.send(post("GetContact", "text/plain", "{}")).await;
    assert_eq!(text.status(), 415);
    assert_eq!(text.headers()["accept-post"], "application/json");
    let stream = surface
        .send(post("WatchContacts", "application/json", "{}"))
        .await;
    assert_eq!(stream.status(), 415);
    let charset = post("GetContact", "Application/JSON; charset=utf-8", "{}");
    assert_eq!(surface.send(charset).await.status(), 200);

    let by_get = surface
        .send(get(&format!("{SERVICE}/GetContact?contactId=c-1")))
        .await;
    assert_eq!(
        (by_get.status().as_u16(), &by_get.headers()["allow"]),
        (405, &"POST".parse().unwrap())
    );
    let (status, body) = json(surface.unary("Nope", "{}").await).await;
    assert_eq!(
        (status, &body["code"]),
        (404, &Value::from("unimplemented"))
    );

    for (header, value, expect) in [
        ("connect-protocol-version", "1", 200),
        ("connect-protocol-version", "2", 400),
        ("content-encoding", "gzip", 501),
        ("connect-timeout-ms", "soon", 400),
    ] {
        let mut request = post("GetContact", "application/json", "{}");
        request.headers_mut().insert(header, value.parse().unwrap());
        assert_eq!(
            surface.send(request).await.status(),
            expect,
            "{header}: {value}"
        );
    }
}

#[tokio::test]
async fn tells_errors_with_their_details() {
    let response = surface()
        .unary("GetContact", r#"{"contactId":"missing"}"#)
        .await;
    assert_eq!(response.headers()["x-hint"], "look elsewhere");
    let (status, body) = json(response).await;
    assert_eq!(status, 404);
    insta::assert_json_snapshot!(body, @r#"
    {
      "code": "not_found",
      "details": [
        {
          "debug": {
            "domain": "switchboard",
            "reason": "NO_CONTACT"
          },
          "type": "google.rpc.ErrorInfo",
          "value": "CgpOT19DT05UQUNUEgtzd2l0Y2hib2FyZA"
        },
        {
          "debug": {
            "fieldViolations": [
              {
                "description": "names nobody",
                "field": "contact_id"
              }
            ]
          },
          "type": "google.rpc.BadRequest",
          "value": "ChoKCmNvbnRhY3RfaWQSDG5hbWVzIG5vYm9keQ"
        }
      ],
      "message": "no such contact: Ы"
    }
    "#);
}

#[tokio::test]
async fn passes_headers_both_ways() {
    let surface = surface();
    let request = Request::post(format!("{SERVICE}/GetContact"))
        .header("content-type", "application/json")
        .header("authorization", "Bearer t")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("traceparent", "00-x")
        .header("user-agent", "curl")
        .header("origin", "https://elsewhere.example")
        .header("x-other", "kept back")
        .body(r#"{"contactId":"caller"}"#.into());
    let (_, body) = json(surface.send(request.unwrap()).await).await;
    assert_eq!(
        body["profile"]["displayName"],
        "authorization=Bearer t|cookie=a=1; b=2|origin=https://elsewhere.example|\
         traceparent=00-x|user-agent=curl",
    );

    let response = surface
        .unary("GetContact", r#"{"contactId":"cookies"}"#)
        .await;
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["session=1; HttpOnly", "theme=dark"]);
}

#[tokio::test]
async fn refuses_forged_requests() {
    let surface = surface();
    for (origin, expect) in [
        (None, 403),
        (Some("https://evil.example"), 403),
        (Some("null"), 403),
        (Some("https://chat.example.com"), 200),
    ] {
        for path in [&format!("{SERVICE}/GetContact"), "/uploads", "/hooks/x"] {
            let mut request = Request::post(path)
                .header("content-type", "application/json")
                .header("cookie", "session=1");
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let (status, body) = json(surface.send(request.body("{}".into()).unwrap()).await).await;
            let open = path == "/hooks/x";
            assert_eq!(status, if open { 200 } else { expect }, "{path} {origin:?}");
            if status == 403 {
                assert!(body.to_string().contains("CROSS_SITE_REQUEST"), "{body}");
            }
        }
    }
    let mut grpc_web = post("GetContact", "application/grpc-web+proto", vec![0; 5]);
    grpc_web
        .headers_mut()
        .insert("cookie", "session=1".parse().unwrap());
    let response = surface.send(grpc_web).await;
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["grpc-status"]
        ),
        (403, &"7".parse().unwrap())
    );
    let mut by_get = get(&format!("{SERVICE}/GetContact"));
    let grpc = "application/grpc".parse().unwrap();
    by_get.headers_mut().insert("content-type", grpc);
    assert_eq!(surface.send(by_get).await.status(), 405);
}

#[tokio::test(start_paused = true)]
async fn ends_at_the_deadline() {
    let mut surface = surface();
    let mut request = post("GetContact", "application/json", r#"{"contactId":"waits"}"#);
    request
        .headers_mut()
        .insert("connect-timeout-ms", "50".parse().unwrap());
    let (status, body) = json(surface.send(request).await).await;
    assert_eq!(
        (status, &body["code"]),
        (504, &Value::from("deadline_exceeded"))
    );
    let opened = surface.opened.recv().await.unwrap();
    assert_eq!(opened.dropped.await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn does_not_wait_for_a_request_that_never_ends() {
    let endless = axum::body::Body::from_stream(futures::stream::pending::<
        Result<bytes::Bytes, axum::Error>,
    >());
    let (status, _) = json(surface().unary("GetContact", endless).await).await;
    assert_eq!(status, 408);
}

#[tokio::test]
async fn survives_a_defect() {
    let surface = surface();
    let response = surface
        .unary("GetContact", r#"{"contactId":"panic"}"#)
        .await;
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let (status, _) = json(surface.unary("GetContact", "{}").await).await;
    assert_eq!(status, 200);
}
