//! A server stream as server-sent events, which a browser resumes by itself.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use http::request::Parts;
use http::{HeaderValue, header};
use prost_reflect::{DynamicMessage, Value};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::call::{Reply, call};
use super::codec;
use super::error::Failure;
use super::table::Method;
use super::written::Written;
use super::{Transcoder, query};

/// A browser waits this long before it comes back, instead of its own 3 to 5 s.
const RETRY: &[u8] = b"retry: 1000\n\n";

pub(super) async fn events(
    transcoder: &Transcoder,
    method: &Method,
    parts: Parts,
) -> Result<Response, Failure> {
    let json = query::to_json(&method.input, parts.uri.query().unwrap_or_default())?;
    let mut request = match json {
        query::Request::Json(text) => codec::from_json(&method.input, text.as_bytes())?,
        query::Request::Fields(fields) => codec::from_value(&method.input, fields)?,
    };
    resume(method, &parts, &mut request)?;
    let body = Body::from(codec::to_grpc_frame(&request)?);
    let reply = call(&transcoder.grpc, &method.path, parts, body).await?;
    let metadata = reply.metadata.clone();

    let heartbeat = transcoder.limits.heartbeat;
    let mut silence = tokio::time::interval_at(Instant::now() + heartbeat, heartbeat);
    silence.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let events = Events {
        reply,
        method: method.clone(),
        transcoder: transcoder.clone(),
        silence,
        stage: Stage::Opening,
    };
    let chunks = stream::unfold(events, |mut events| async {
        let chunk = events.next().await?;
        Some((Ok::<_, axum::Error>(chunk), events))
    });
    let mut response = Body::from_stream(chunks).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back until a buffer is full.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.extend(metadata);
    Ok(response)
}

/// The browser repeats the address it began with, so its last event id is newer
/// than a cursor in there.
fn resume(method: &Method, parts: &Parts, request: &mut DynamicMessage) -> Result<(), Failure> {
    let Some(last) = parts.headers.get("last-event-id") else {
        return Ok(());
    };
    let last = std::str::from_utf8(last.as_bytes())
        .map_err(|_| Failure::invalid("Last-Event-ID is not UTF-8"))?;
    if let Some(cursor) = method.request_cursor.as_ref().filter(|_| !last.is_empty()) {
        request.set_field(cursor, Value::String(last.to_owned()));
    }
    Ok(())
}

enum Stage {
    Opening,
    Open,
    Ended,
}

struct Events {
    reply: Reply,
    method: Method,
    transcoder: Transcoder,
    silence: Interval,
    stage: Stage,
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        match self.stage {
            Stage::Opening => {
                self.stage = Stage::Open;
                return Some(Bytes::from_static(RETRY));
            }
            Stage::Open => {}
            Stage::Ended => return None,
        }
        let message = tokio::select! {
            biased;
            message = self.reply.next() => message,
            _ = self.silence.tick() => return Some(Bytes::from_static(b":\n\n")),
        };
        self.silence.reset();
        let event = message.and_then(|message| {
            let written = message.map(|it| self.transcoder.recent.write(&self.method, it));
            Ok(written.transpose()?.map(|written| event(&written)))
        });
        Some(match event {
            Ok(Some(event)) => event,
            Ok(None) => {
                self.stage = Stage::Ended;
                Bytes::from_static(b"event: end\ndata: {}\n\n")
            }
            Err(failure) => {
                self.stage = Stage::Ended;
                let error = failure.to_json(&self.transcoder.known);
                format!("event: error\ndata: {error}\n\n").into()
            }
        })
    }
}

fn event(written: &Written) -> Bytes {
    let cursor = written.cursor.as_deref();
    // An event without an id leaves the browser's last one as it is.
    let mut event = match cursor.filter(|cursor| is_event_id(cursor)) {
        Some(cursor) => format!("id: {cursor}\ndata: ").into_bytes(),
        None => b"data: ".to_vec(),
    };
    event.extend_from_slice(&written.json);
    event.extend_from_slice(b"\n\n");
    event.into()
}

fn is_event_id(cursor: &str) -> bool {
    !cursor.is_empty() && !cursor.contains(['\n', '\r', '\0'])
}
