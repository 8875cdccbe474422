//! Server streams as enveloped JSON and as events, and client streams.

use std::sync::atomic::Ordering;

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Value, json as object};

use super::directory::change;
use super::{SERVICE, get, json, piece, post, surface};

const CONNECT_JSON: &str = "application/connect+json";

fn envelope(json: &str) -> Vec<u8> {
    let length = u32::try_from(json.len()).unwrap();
    [&[0], &length.to_be_bytes()[..], json.as_bytes()].concat()
}

async fn next(body: &mut Body) -> (u8, Value) {
    let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
    (data[0], serde_json::from_slice(&data[5..]).unwrap())
}

#[tokio::test]
async fn connect_messages_come_as_they_happen() {
    let mut surface = surface();
    let request = post("WatchContacts", CONNECT_JSON, envelope(r#"{"cursor":"6"}"#));
    let response = surface.send(request).await;
    assert_eq!(response.headers()["content-type"], CONNECT_JSON);
    let mut body = response.into_body();
    let opened = surface.opened.recv().await.unwrap();
    assert_eq!(opened.cursor, "6");
    opened.feed.send(Ok(change("7", "a"))).await.unwrap();
    let first = object!({"cursor": "7", "changed": {"id": "a"}});
    assert_eq!(
        next(&mut body).await,
        (0, first),
        "the stream is still open"
    );
    drop(opened.feed);
    assert_eq!(next(&mut body).await, (2, object!({})));
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn connect_streams_tell_errors_at_their_end() {
    let mut surface = surface();
    let request = post("WatchContacts", CONNECT_JSON, envelope("{}"));
    let mut body = surface.send(request).await.into_body();
    let opened = surface.opened.recv().await.unwrap();
    opened.feed.send(Ok(change("7", "a"))).await.unwrap();
    opened
        .feed
        .send(Err(tonic::Status::data_loss("gone")))
        .await
        .unwrap();
    assert_eq!(next(&mut body).await.0, 0);
    let error = object!({"error": {"code": "data_loss", "message": "gone"}});
    assert_eq!(next(&mut body).await, (2, error));

    for (request, code) in [
        (envelope(r#"{"cursor":"refused"}"#), "unauthenticated"),
        (envelope(r#"{"nope":1}"#), "invalid_argument"),
        (envelope("{}")[..4].to_vec(), "invalid_argument"),
        (
            [envelope("{}"), envelope("{}")].concat(),
            "invalid_argument",
        ),
        (vec![1, 0, 0, 0, 0], "unimplemented"),
        (vec![0, 255, 255, 255, 255], "resource_exhausted"),
    ] {
        let response = surface
            .send(post("WatchContacts", CONNECT_JSON, request))
            .await;
        assert_eq!(response.status(), 200);
        let (flags, end) = next(&mut response.into_body()).await;
        assert_eq!((flags, &end["error"]["code"]), (2, &Value::from(code)));
    }
}

#[tokio::test]
async fn connect_client_streams_are_translated_as_they_come() {
    let surface = surface();
    let rows = |last: &str| {
        let all = [
            envelope(r#"{"row":"1"}"#),
            envelope(r#"{"row":2}"#),
            envelope(last),
        ]
        .concat();
        let chunks: Vec<_> = all
            .chunks(7)
            .map(|chunk| Ok::<_, axum::Error>(chunk.to_vec()))
            .collect();
        post(
            "ImportContacts",
            CONNECT_JSON,
            Body::from_stream(futures::stream::iter(chunks)),
        )
    };
    let mut body = surface.send(rows("{}")).await.into_body();
    assert_eq!(next(&mut body).await, (0, object!({"created": "3"})));
    assert_eq!(next(&mut body).await, (2, object!({})));

    let (flags, end) = next(&mut surface.send(rows(r#"{"nope":1}"#)).await.into_body()).await;
    assert_eq!(
        (flags, &end["error"]["code"]),
        (2, &Value::from("invalid_argument"))
    );
    assert!(end.to_string().contains("nope"), "{end}");
}

#[tokio::test]
async fn events_carry_the_cursor_and_resume() {
    let mut surface = surface();
    let path = format!("{SERVICE}/WatchContacts?cursor=3");
    let response = surface.send(get(&path)).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    assert_eq!(piece(&mut body).await, "retry: 1000\n\n");
    let opened = surface.opened.recv().await.unwrap();
    assert_eq!(opened.cursor, "3");
    opened.feed.send(Ok(change("4", "a"))).await.unwrap();
    opened.feed.send(Ok(change("", "b"))).await.unwrap();
    let (first, second) = (piece(&mut body).await, piece(&mut body).await);
    assert_eq!(
        first,
        "id: 4\ndata: {\"cursor\":\"4\",\"changed\":{\"id\":\"a\"}}\n\n"
    );
    assert_eq!(second, "data: {\"changed\":{\"id\":\"b\"}}\n\n");
    drop(body);
    assert_eq!(opened.dropped.await, Ok(()), "leaving ends the call");

    let mut again = get(&path);
    again
        .headers_mut()
        .insert("last-event-id", "4".parse().unwrap());
    let mut body = surface.send(again).await.into_body();
    let opened = surface.opened.recv().await.unwrap();
    assert_eq!(opened.cursor, "4");
    opened
        .feed
        .send(Err(tonic::Status::unavailable("bye")))
        .await
        .unwrap();
    piece(&mut body).await;
    let error = "event: error\ndata: {\"code\":\"unavailable\",\"message\":\"bye\"}\n\n";
    assert_eq!(piece(&mut body).await, error);
    assert!(body.frame().await.is_none());

    let connect_get = "?connect=v1&encoding=json&message=%7B%22cursor%22%3A%229%22%7D";
    let response = surface
        .send(get(&format!("{SERVICE}/WatchContacts{connect_get}")))
        .await;
    assert_eq!(surface.opened.recv().await.unwrap().cursor, "9");
    drop(response);
}

#[tokio::test]
async fn events_are_for_our_own_pages() {
    let surface = surface();
    for (name, value, expect) in [
        ("sec-fetch-site", "same-origin", 200),
        ("sec-fetch-site", "none", 200),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("origin", "https://evil.example", 403),
    ] {
        let mut request = get(&format!("{SERVICE}/WatchContacts"));
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(
            surface.send(request).await.status(),
            expect,
            "{name}: {value}"
        );
    }
    for (query, expect) in [
        ("?cursor=refused", 401),
        ("?nope=1", 400),
        ("?cursor=1&cursor=2", 400),
    ] {
        let (status, _) = json(
            surface
                .send(get(&format!("{SERVICE}/WatchContacts{query}")))
                .await,
        )
        .await;
        assert_eq!(status, expect, "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_and_the_stop_is_told() {
    let surface = surface();
    let mut body = surface
        .send(get(&format!("{SERVICE}/WatchContacts")))
        .await
        .into_body();
    piece(&mut body).await;
    let began = tokio::time::Instant::now();
    assert_eq!(piece(&mut body).await, ":\n\n");
    assert_eq!(piece(&mut body).await, ":\n\n");
    assert_eq!(began.elapsed().as_secs(), 30);
    surface.stopping.cancel();
    let last = piece(&mut body).await;
    assert!(
        last.starts_with("event: error\ndata: {\"code\":\"unavailable\""),
        "{last}"
    );
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn streams_end_at_the_deadline() {
    let mut surface = surface();
    let mut request = post("WatchContacts", CONNECT_JSON, envelope("{}"));
    request
        .headers_mut()
        .insert("connect-timeout-ms", "100".parse().unwrap());
    let mut body = surface.send(request).await.into_body();
    let opened = surface.opened.recv().await.unwrap();
    opened.feed.send(Ok(change("7", "a"))).await.unwrap();
    assert_eq!(next(&mut body).await.0, 0);
    let (flags, end) = next(&mut body).await;
    assert_eq!(
        (flags, &end["error"]["code"]),
        (2, &Value::from("deadline_exceeded"))
    );
    assert_eq!(opened.dropped.await, Ok(()));
}

#[tokio::test]
async fn a_slow_reader_slows_the_service() {
    let mut surface = surface();
    let request = post("ExportContacts", CONNECT_JSON, envelope("{}"));
    let mut body = surface.send(request).await.into_body();
    let opened = surface.opened.recv().await.unwrap();
    for _ in 0..50 {
        next(&mut body).await;
    }
    // tonic fills a buffer of 32 kB before it hands it on.
    let made = opened.made.load(Ordering::SeqCst);
    assert!((50..=54).contains(&made), "{made} made, 50 read");
    drop(body);
    assert_eq!(opened.dropped.await, Ok(()));
}
