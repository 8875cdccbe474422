//! Attachments, by signed link: never run, never framed, never cached by others.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::Timestamp;
use engine::Engine;
use engine::uploads::{FileLink, percent_encode};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use crate::access::caller_of;

#[derive(Deserialize)]
struct Proof {
    name: String,
    #[serde(rename = "type")]
    media_type: String,
    expires: i64,
    viewer: String,
    signature: String,
}

pub(super) fn routes(engine: &Engine) -> Router {
    Router::new()
        .route("/files/{id}", get(file))
        .route("/files/{id}/{name}", get(named))
        .with_state(engine.clone())
}

async fn file(
    State(engine): State<Engine>,
    Path(sha256): Path<String>,
    Query(proof): Query<Proof>,
    headers: HeaderMap,
) -> Response {
    serve(&engine, sha256, proof, &headers).await
}

/// For those who tell by its ending what a file is; its name is within the proof.
async fn named(
    State(engine): State<Engine>,
    Path((sha256, _name)): Path<(String, String)>,
    Query(proof): Query<Proof>,
    headers: HeaderMap,
) -> Response {
    serve(&engine, sha256, proof, &headers).await
}

async fn serve(engine: &Engine, sha256: String, proof: Proof, asked: &HeaderMap) -> Response {
    let caller = match caller_of(engine, asked).await {
        Ok(caller) => caller,
        Err(status) => {
            let text = status.message().to_owned();
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        }
    };
    let link = FileLink {
        sha256,
        file_name: proof.name,
        media_type: proof.media_type,
        expires_at: Timestamp(proof.expires),
        viewer: proof.viewer,
        signature: proof.signature,
    };
    let viewer = caller.and_then(|caller| caller.actor.operator);
    if !engine.check_file_link(&link, viewer) {
        let text = "this link is not yours or has expired: load the conversation again\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let Some(path) = engine.files().path_of(&link.sha256) else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let Ok(file) = tokio::fs::File::open(path).await else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let length = file.metadata().await.map_or(0, |facts| facts.len());
    let mut response = Response::new(Body::from_stream(ReaderStream::new(file)));
    let headers = response.headers_mut();
    let shown = is_harmless(&link.media_type);
    let media_type = if shown {
        link.media_type.as_str()
    } else {
        "application/octet-stream"
    };
    let disposition = disposition(shown, &link.file_name);
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, &disposition),
        (header::CONTENT_LENGTH, &length.to_string()),
        (header::CACHE_CONTROL, "private, max-age=300"),
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    // Widgets on other sites show pictures; a link is the right to one file.
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("cross-origin"),
    );
    response
}

/// Types that a browser may show in place: pictures and sound that carry no
/// program. Everything else is saved.
fn is_harmless(media_type: &str) -> bool {
    matches!(
        media_type,
        "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/avif"
            | "audio/mpeg"
            | "audio/ogg"
            | "audio/wav"
            | "audio/mp4"
            | "video/mp4"
            | "video/webm"
    )
}

fn disposition(shown: bool, file_name: &str) -> String {
    let kind = if shown { "inline" } else { "attachment" };
    format!("{kind}; filename*=UTF-8''{}", percent_encode(file_name))
}
