//! The pages: read from disk by a debug build, embedded by a release build.

use std::borrow::Cow;
use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use crate::lean::lean;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// Marks the tag of a compressed representation: a strong tag names exact bytes.
const GZIP_TAG_SUFFIX: &str = "-gzip\"";

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", page("inbox/index.html"))
        .route("/inbox/{*path}", below("inbox"))
        .route("/widget.js", page("widget/widget.js"))
        .route("/widget/{*path}", below("widget"))
        .route("/demo", page("demo/index.html"))
        .route("/demo/{*path}", below("demo"))
        .route("/favicon.ico", page("favicon.svg"))
        .route("/favicon.svg", page("favicon.svg"))
}

/// Middleware outside of compression that gives the compressed bytes a tag of
/// their own.
pub(crate) async fn tag_encoding(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_ENCODING) {
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.and_then(|tag| tag.strip_suffix('"'));
        if let Some(tag) = tag.and_then(|tag| format!("{tag}{GZIP_TAG_SUFFIX}").parse().ok()) {
            headers.insert(header::ETAG, tag);
        }
    }
    response
}

fn page(file: &'static str) -> MethodRouter {
    get(move |headers: HeaderMap| async move { serve(file, &headers) })
}

fn below(folder: &'static str) -> MethodRouter {
    get(
        move |Path(path): Path<String>, headers: HeaderMap| async move {
            let climbs = path.split('/').any(|part| matches!(part, "" | "." | ".."));
            if climbs || path.contains('\\') {
                return StatusCode::NOT_FOUND.into_response();
            }
            serve(&format!("{folder}/{path}"), &headers)
        },
    )
}

fn serve(name: &str, request: &HeaderMap) -> Response {
    let Some(file) = Assets::get(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let data = served(name, file.data);
    let tag = entity_tag(&Sha256::digest(&data));
    let mut response = if is_known(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(data));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type(name));
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = tag.parse() {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// What a file is sent as. Visitors' pages carry the site chat on every load, so its
/// scripts come without what only their readers need.
fn served(name: &str, data: Cow<'static, [u8]>) -> Cow<'static, [u8]> {
    let is_script = name.starts_with("widget/") && content_type(name) == content_type("a.js");
    match std::str::from_utf8(&data) {
        Ok(script) if is_script => Cow::Owned(lean(script).into_bytes()),
        Ok(_) | Err(_) => data,
    }
}

fn entity_tag(hash: &[u8]) -> String {
    let mut tag = String::from("\"");
    for byte in hash.iter().take(16) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
}

fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let bare = tag.trim_end_matches('"');
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|candidate| candidate.trim().trim_start_matches("W/"))
        .any(|candidate| {
            candidate == "*"
                || candidate == tag
                || candidate.strip_suffix(GZIP_TAG_SUFFIX) == Some(bare)
        })
}

fn content_type(name: &str) -> HeaderValue {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    HeaderValue::from_static(match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        "txt" | "md" | "ts" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}
