//! A letter as it was written: a page of its own in a sandboxed frame, where nothing
//! runs and nothing is loaded from elsewhere unless the reader asks for pictures.

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::MessageId;
use domain::message::{Attachment, Content, Message};
use engine::uploads::percent_encode;
use engine::{ActError, Engine};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use crate::access::caller_of;

/// Pictures inside a letter, all together: they stand in the page itself, since a frame
/// without an origin sends no cookie to fetch them with.
const PICTURES_BYTES_MAX: u64 = 8 << 20;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:12px;color:#1b1f24;\
     background:#fff;overflow-wrap:anywhere}pre{white-space:pre-wrap;font:inherit}\
     img{max-width:100%;height:auto}blockquote{margin:0 0 0 8px;padding-left:10px;\
     border-left:2px solid #c8ccd2;color:#4a515a}table{max-width:100%}";

#[derive(Deserialize)]
struct Wish {
    /// Pictures from elsewhere are loaded, which tells the sender that it was read.
    #[serde(default)]
    pictures: bool,
}

pub(super) fn routes(engine: &Engine) -> Router {
    Router::new()
        .route("/letters/{message_id}", get(letter))
        .with_state(engine.clone())
}

async fn letter(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
    request: Request,
) -> Response {
    let caller = match caller_of(&engine, request.headers()).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return (StatusCode::UNAUTHORIZED, "sign in first\n").into_response(),
        Err(status) => {
            let text = status.message().to_owned();
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        }
    };
    let Ok(id) = id.parse::<MessageId>() else {
        return (StatusCode::NOT_FOUND, "there is no such message\n").into_response();
    };
    match engine.message_seen(&caller.actor, id).await {
        Ok(message) => page(&engine, &message, wish.pictures).await,
        Err(ActError::Store(error)) => {
            tracing::error!(%error, "a letter cannot be read");
            let text = "the letter cannot be read now\n";
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
        Err(_) => (StatusCode::NOT_FOUND, "there is no such message\n").into_response(),
    }
}

async fn page(engine: &Engine, message: &Message, pictures: bool) -> Response {
    let body = match &message.content {
        Content::Text(text) => match &text.html {
            Some(html) => {
                let html = with_pictures(engine, html, &message.attachments).await;
                if pictures {
                    from_elsewhere(&html)
                } else {
                    html
                }
            }
            None => format!("<pre>{}</pre>", escaped(&text.plain)),
        },
        Content::Location { .. }
        | Content::ContactCard { .. }
        | Content::Sticker { .. }
        | Content::Postback { .. }
        | Content::Unsupported { .. } => String::new(),
    };
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><base target=\"_blank\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <style>{STYLE}</style>{body}"
    );
    let sources = if pictures { " https: http:" } else { "" };
    let policy = format!(
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
         img-src data:{sources}; style-src 'unsafe-inline'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'self'"
    );
    let mut response = page.into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "private, no-store"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Lets pictures from elsewhere be loaded, which stand in the letter under a name that
/// loads nothing.
fn from_elsewhere(html: &str) -> String {
    html.replace(" data-src=\"http", " src=\"http")
}

/// Puts the letter's own pictures where it refers to them.
async fn with_pictures(engine: &Engine, html: &str, attachments: &[Attachment]) -> String {
    let mut html = html.to_owned();
    let mut room = PICTURES_BYTES_MAX;
    for picture in attachments {
        let Some(id) = &picture.content_id else {
            continue;
        };
        let references = [escaped(id), percent_encode(id)].map(|id| format!("\"cid:{id}\""));
        let is_picture = matches!(
            picture.media_type.as_str(),
            "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/bmp"
        );
        let is_shown = references.iter().any(|reference| html.contains(reference));
        if !is_picture || picture.size_bytes > room || !is_shown {
            continue;
        }
        let path = engine.files().path_of(&picture.sha256);
        let Some(path) = path else { continue };
        let Ok(bytes) = tokio::fs::read(path).await else {
            continue;
        };
        room -= picture.size_bytes;
        let data = format!(
            "\"data:{};base64,{}\"",
            picture.media_type,
            STANDARD.encode(bytes)
        );
        for reference in &references {
            html = html.replace(reference, &data);
        }
    }
    html
}

/// A text as it stands in a page, also between quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use channels::sanitize;

    use super::from_elsewhere;

    #[test]
    fn pictures_from_elsewhere_are_loaded_only_on_request() {
        let raw = "<p>a</p><img src=\"https://tracker.example/p.gif\" alt=\"logo\">";
        let kept = sanitize::letter(raw).expect("it is short");
        assert!(!kept.contains(" src="), "{kept}");
        let asked_for = from_elsewhere(&kept);
        assert!(
            asked_for.contains(" src=\"https://tracker.example/p.gif\""),
            "{asked_for}"
        );
    }
}
