//! Streams by the Connect protocol: enveloped messages both ways, and an envelope
//! at the end that tells how it went.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, BodyDataStream};
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _, stream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use prost_reflect::{DescriptorPool, MessageDescriptor};
use serde_json::{Map, Value, json};
use tonic::Code;

use super::call::{Reply, call};
use super::codec;
use super::error::Failure;
use super::table::{Method, Shape};
use super::unary::read;
use super::written::Recent;
use super::{Limits, Transcoder};

pub(super) const CONTENT_TYPE: &str = "application/connect+json";
const END_STREAM: u8 = 0b10;

/// What was wrong with a request that the service is already reading.
type Complaint = Arc<Mutex<Option<Failure>>>;

pub(super) async fn stream(
    transcoder: &Transcoder,
    method: &Method,
    parts: Parts,
    body: Body,
) -> Response {
    let complaint = Complaint::default();
    let reply = match request(method, body, &transcoder.limits, &complaint).await {
        Ok(body) => call(&transcoder.grpc, &method.path, parts, body).await,
        Err(failure) => Err(failure),
    };
    let metadata = match &reply {
        Ok(reply) => reply.metadata.clone(),
        Err(failure) => HeaderMap::clone(&failure.metadata),
    };
    let answers = Answers {
        reply,
        method: method.clone(),
        recent: transcoder.recent.clone(),
        known: transcoder.known.clone(),
        complaint,
    };
    // Each step is taken when the connection can carry more, so a slow reader slows
    // the service and no queue grows between them.
    let envelopes = stream::unfold(Some(answers), |answers| async {
        let mut answers = answers?;
        match answers.next().await {
            Ok(envelope) => Some((Ok::<_, axum::Error>(envelope), Some(answers))),
            Err(end) => Some((Ok(end), None)),
        }
    });
    let mut response = Body::from_stream(envelopes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(metadata);
    response
}

async fn request(
    method: &Method,
    body: Body,
    limits: &Limits,
    complaint: &Complaint,
) -> Result<Body, Failure> {
    match method.shape {
        Shape::Unary | Shape::ServerStream => {
            let mut envelope = BytesMut::from(read(body, limits).await?);
            let message = codec::take_frame(&mut envelope, limits.message_bytes_max)?;
            let (_, json) =
                message.ok_or_else(|| Failure::invalid("the request is not one whole envelope"))?;
            if !envelope.is_empty() {
                return Err(Failure::invalid("the method takes one message"));
            }
            let message = codec::from_json(&method.input, &json)?;
            Ok(Body::from(codec::to_grpc_frame(&message)?))
        }
        Shape::ClientStream => Ok(Body::from_stream(frames(
            method.input.clone(),
            body,
            limits.message_bytes_max,
            complaint.clone(),
        ))),
    }
}

/// Translates the messages of a request as they come.
fn frames(
    input: MessageDescriptor,
    body: Body,
    message_bytes_max: usize,
    complaint: Complaint,
) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    let state = (body.into_data_stream(), BytesMut::new());
    stream::try_unfold(state, move |(mut body, mut arrived)| {
        let (input, complaint) = (input.clone(), complaint.clone());
        async move {
            let next = translate(&input, &mut body, &mut arrived, message_bytes_max).await;
            match next {
                Ok(Some(frame)) => Ok(Some((frame, (body, arrived)))),
                Ok(None) => Ok(None),
                Err(failure) => {
                    let error = axum::Error::new(std::io::Error::other(failure.message.clone()));
                    *complaint.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                    Err(error)
                }
            }
        }
    })
}

async fn translate(
    input: &MessageDescriptor,
    body: &mut BodyDataStream,
    arrived: &mut BytesMut,
    message_bytes_max: usize,
) -> Result<Option<Bytes>, Failure> {
    loop {
        if let Some((_, json)) = codec::take_frame(arrived, message_bytes_max)? {
            let message = codec::from_json(input, &json)?;
            return codec::to_grpc_frame(&message).map(Some);
        }
        match body.next().await {
            Some(Ok(data)) => arrived.extend_from_slice(&data),
            None if arrived.is_empty() => return Ok(None),
            Some(Err(_)) | None => {
                return Err(Failure::new(Code::Cancelled, "the request broke off"));
            }
        }
    }
}

struct Answers {
    reply: Result<Reply, Failure>,
    method: Method,
    recent: Recent,
    known: DescriptorPool,
    complaint: Complaint,
}

impl Answers {
    /// The next envelope, or the last one as the error.
    async fn next(&mut self) -> Result<Bytes, Bytes> {
        let failure = match self.message().await {
            Ok(Some(envelope)) => return Ok(envelope),
            Ok(None) => None,
            Err(failure) => Some(failure),
        };
        // The service only saw its request break off; the client is told why.
        let complaint = self
            .complaint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        Err(self.end(complaint.or(failure).as_ref()))
    }

    async fn message(&mut self) -> Result<Option<Bytes>, Failure> {
        let reply = match &mut self.reply {
            Ok(reply) => reply,
            Err(failure) => {
                let known = Failure::internal("the call has failed");
                return Err(std::mem::replace(failure, known));
            }
        };
        let Some(message) = reply.next().await? else {
            return Ok(None);
        };
        let written = self.recent.write(&self.method, message)?;
        codec::frame(0, &written.json).map(Some)
    }

    fn end(&self, failure: Option<&Failure>) -> Bytes {
        let mut end = Map::new();
        if let Some(failure) = failure {
            end.insert("error".to_owned(), failure.to_json(&self.known));
        }
        if let Ok(reply) = &self.reply
            && !reply.trailers.is_empty()
        {
            end.insert("metadata".to_owned(), listed(&reply.trailers));
        }
        codec::frame(END_STREAM, Value::Object(end).to_string().as_bytes()).unwrap_or_default()
    }
}

fn listed(trailers: &HeaderMap) -> Value {
    let names = trailers.keys().map(|name| {
        let values: Vec<_> = trailers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        (name.as_str().to_owned(), json!(values))
    });
    Value::Object(names.collect())
}
