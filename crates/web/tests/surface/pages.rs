//! Pages, their headers, and the plain HTTP endpoints.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http_body_util::BodyExt as _;
use serde_json::json as object;

use super::{SERVICE, Surface, get, json, not_ready, post, surface, surface_at};

/// Headers that change with what is said, not with the kind of answer.
const OF_THE_CONTENT: [&str; 3] = ["content-length", "etag", "vary"];

/// What the site chat may cost a page that embeds it, over the wire.
const LOADER_BYTES_MAX: usize = 3 * 1024;
const WIDGET_BYTES_MAX: usize = 30 * 1024;

/// A script as a browser fetches it, compressed, and as it reads it.
async fn script(surface: &Surface, path: &str) -> (usize, String) {
    let mut sizes = Vec::new();
    let mut text = String::new();
    for encoding in ["gzip", "identity"] {
        let mut request = get(path);
        let accepted = encoding.parse().unwrap();
        request.headers_mut().insert("accept-encoding", accepted);
        let response = surface.send(request).await;
        assert_eq!(response.status(), 200, "{path}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        sizes.push(body.len());
        text = String::from_utf8_lossy(&body).into_owned();
    }
    (sizes[0], text)
}

#[tokio::test]
async fn the_site_chat_is_light() {
    let surface = surface();
    let (loader, text) = script(&surface, "/widget.js").await;
    assert!(loader <= LOADER_BYTES_MAX, "{loader} of {LOADER_BYTES_MAX}");
    assert!(text.contains("widget/chat.js"));
    let mut paths = vec!["chat.js".to_owned()];
    let (mut weight, mut next) = (loader, 0);
    while let Some(path) = paths.get(next).cloned() {
        let (bytes, text) = script(&surface, &format!("/widget/{path}")).await;
        assert!(!text.contains("@param"), "{path} has comments");
        weight += bytes;
        let imported = text.lines().filter_map(|line| line.split_once(" from './"));
        for (_, rest) in imported {
            let name = rest.trim_end_matches("';").to_owned();
            if !paths.contains(&name) {
                paths.push(name);
            }
        }
        next += 1;
    }
    assert!(paths.len() > 5, "{paths:?}");
    println!("the site chat weighs {weight} bytes, its loader {loader}");
    assert!(weight <= WIDGET_BYTES_MAX, "{weight} of {WIDGET_BYTES_MAX}");
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    let surface = surface();
    let requests = [
        ("page", get("/")),
        ("page's part", get("/inbox/api.js")),
        ("site chat", get("/widget.js")),
        ("demo", get("/demo")),
        ("icon", get("/favicon.ico")),
        ("nothing", get("/nope")),
        ("health", get("/healthz")),
        ("metrics, refused", get("/metrics")),
        (
            "webhook",
            http::Request::post("/hooks/x").body("".into()).unwrap(),
        ),
        ("unary", post("GetContact", "application/json", "{}")),
        (
            "unary, refused",
            post("GetContact", "application/json", "["),
        ),
        ("events", get(&format!("{SERVICE}/WatchContacts"))),
        (
            "connect stream",
            post("WatchContacts", "application/connect+json", vec![0; 5]),
        ),
        (
            "grpc-web",
            post("GetContact", "application/grpc-web+proto", vec![0; 5]),
        ),
    ];
    let mut sets = Vec::new();
    for (kind, request) in requests {
        let response = surface.send(request).await;
        let headers: BTreeSet<_> = response
            .headers()
            .iter()
            .filter(|(name, _)| !OF_THE_CONTENT.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        sets.push((format!("{kind}: {}", response.status().as_u16()), headers));
    }
    let everywhere = sets.iter().map(|(_, headers)| headers.clone());
    let everywhere = everywhere.reduce(|all, headers| &all & &headers).unwrap();
    let mut golden = String::new();
    write(&mut golden, "every answer", &everywhere);
    for (kind, headers) in &sets {
        write(&mut golden, kind, &(headers - &everywhere));
    }
    insta::assert_snapshot!(golden);
}

fn write(golden: &mut String, kind: &str, headers: &BTreeSet<String>) {
    let _ = writeln!(golden, "{kind}");
    for header in headers {
        let _ = writeln!(golden, "  {header}");
    }
}

#[tokio::test]
async fn https_is_remembered_only_where_it_is_spoken() {
    let plain = surface_at("http://127.0.0.1:8080")
        .send(get("/healthz"))
        .await;
    assert!(!plain.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn pages_are_not_sent_twice() {
    let surface = surface();
    let page = surface.send(get("/")).await;
    let tag = page.headers()["etag"].clone();
    let mut again = get("/");
    again.headers_mut().insert("if-none-match", tag.clone());
    let again = surface.send(again).await;
    assert_eq!(
        (again.status().as_u16(), &again.headers()["etag"]),
        (304, &tag)
    );

    let mut packed = get("/inbox/api.js");
    packed
        .headers_mut()
        .insert("accept-encoding", "gzip".parse().unwrap());
    let response = surface.send(packed).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let packed_tag = response.headers()["etag"].clone();
    assert!(packed_tag.to_str().unwrap().ends_with("-gzip\""));
    let mut again = get("/inbox/api.js");
    again.headers_mut().insert("if-none-match", packed_tag);
    assert_eq!(surface.send(again).await.status(), 304);
}

#[tokio::test]
async fn only_whole_text_is_compressed() {
    let surface = surface();
    let packed = |mut request: http::Request<axum::body::Body>| {
        request
            .headers_mut()
            .insert("accept-encoding", "gzip".parse().unwrap());
        request
    };
    let check = async |request, expect| {
        let response = surface.send(packed(request)).await;
        assert_eq!(response.headers().contains_key("content-encoding"), expect);
    };
    check(post("ListContacts", "application/json", "{}"), true).await;
    check(post("GetContact", "application/json", "{}"), false).await;
    check(get(&format!("{SERVICE}/WatchContacts")), false).await;
    check(
        post("WatchContacts", "application/connect+json", vec![0; 5]),
        false,
    )
    .await;
}

#[tokio::test]
async fn pages_do_not_lead_out_of_their_folder() {
    let surface = surface();
    for path in [
        "/inbox/../widget/widget.js",
        "/inbox/%2e%2e/demo/index.html",
        "/inbox/..%2f..%2fCargo.toml",
        "/inbox//etc/passwd",
        "/inbox/nope.js",
    ] {
        assert_eq!(surface.send(get(path)).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn says_whether_it_lives_and_is_ready() {
    let surface = surface();
    assert_eq!(surface.send(get("/healthz")).await.status(), 200);
    let ready = json(surface.send(get("/readyz")).await).await;
    assert_eq!(ready, (200, object!({"ready": true, "reasons": []})));
    surface.readiness.send_replace(not_ready());
    let ready = json(surface.send(get("/readyz")).await).await;
    let reason = object!({"component": "store", "problem": "the disk is full"});
    assert_eq!(ready, (503, object!({"ready": false, "reasons": [reason]})));
    assert_eq!(surface.send(get("/healthz")).await.status(), 200);
}

#[tokio::test]
async fn metrics_are_for_this_machine() {
    let surface = surface();
    let ask = async |ip: &str| {
        let mut request = get("/metrics");
        request
            .extensions_mut()
            .insert(channels::host::ClientIp(ip.parse().unwrap()));
        surface.send(request).await
    };
    let local = ask("127.0.0.1").await;
    assert_eq!(local.status(), 200);
    assert!(
        local.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    local.into_body().collect().await.unwrap();
    assert_eq!(ask("203.0.113.9").await.status(), 403);
}
