//! How long a call may take: until the caller's deadline, and, for a stream, until
//! the gateway stops. tonic's own deadline lives in its server, which we do not
//! use, and ends with the first byte of the answer.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use hyper::body::Frame;
use prost_reflect::DescriptorPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// What ends calls.
#[derive(Clone)]
pub(crate) struct Lifetime {
    unary: Arc<HashSet<String>>,
    stopping: CancellationToken,
}

impl Lifetime {
    pub(crate) fn new(contract: &DescriptorPool, stopping: CancellationToken) -> Self {
        let unary = contract
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .filter(|method| !method.is_server_streaming())
            .map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
            .collect();
        Self {
            unary: Arc::new(unary),
            stopping,
        }
    }
}

/// Middleware around the gRPC routes.
pub(crate) async fn limit(
    State(lifetime): State<Lifetime>,
    request: Request,
    next: Next,
) -> Response {
    // Bounded so that adding it to the clock cannot overflow.
    let deadline = grpc_timeout(request.headers())
        .map(|timeout| Instant::now() + timeout.min(Duration::from_hours(24)));
    let streams = !lifetime.unary.contains(request.uri().path());
    let answer = next.run(request);
    let response = match deadline {
        Some(deadline) => match tokio::time::timeout_at(deadline, answer).await {
            Ok(response) => response,
            Err(_) => return expired().into_http(),
        },
        None => answer.await,
    };
    if deadline.is_none() && !streams {
        return response;
    }
    let mut ends: Vec<End> = Vec::new();
    if let Some(deadline) = deadline {
        ends.push(Box::pin(async move {
            tokio::time::sleep_until(deadline).await;
            expired()
        }));
    }
    if streams {
        ends.push(Box::pin(async move {
            lifetime.stopping.cancelled_owned().await;
            Status::unavailable("the gateway is stopping; connect again")
        }));
    }
    response.map(|body| {
        Body::new(Bounded {
            body,
            ends,
            ended: false,
        })
    })
}

fn expired() -> Status {
    Status::deadline_exceeded("the caller's deadline has passed")
}

/// At most eight digits and a unit.
fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// Something that ends an answer, and what its reader is told.
type End = Pin<Box<dyn Future<Output = Status> + Send>>;

/// Ends an answer early, with trailers that say why.
pub(crate) fn end_when<B>(
    body: B,
    end: impl Future<Output = Status> + Send + 'static,
) -> Bounded<B> {
    Bounded {
        body,
        ends: vec![Box::pin(end)],
        ended: false,
    }
}

/// An answer that may end early.
pub(crate) struct Bounded<B> {
    body: B,
    ends: Vec<End>,
    ended: bool,
}

impl<B> HttpBody for Bounded<B>
where
    B: HttpBody<Data = Bytes> + Default + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let verdict = self
            .ends
            .iter_mut()
            .find_map(|end| match end.as_mut().poll(cx) {
                Poll::Ready(status) => Some(status),
                Poll::Pending => None,
            });
        if let Some(status) = verdict {
            self.ended = true;
            self.ends.clear();
            // The call itself is over at once, not when the client has read this.
            self.body = B::default();
            let mut trailers = HeaderMap::new();
            return Poll::Ready(match status.add_header(&mut trailers) {
                Ok(()) => Some(Ok(Frame::trailers(trailers))),
                Err(status) => Some(Err(status.into())),
            });
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_deadlines() {
        let check = |value: &'static str, expect: Option<Duration>| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", http::HeaderValue::from_static(value));
            assert_eq!(grpc_timeout(&headers), expect, "{value}");
        };
        check("250m", Some(Duration::from_millis(250)));
        check("3S", Some(Duration::from_secs(3)));
        check("99999999H", Some(Duration::from_hours(99_999_999)));
        check("123456789m", None);
        check("-1S", None);
        check("S", None);
        check("", None);
        check("5x", None);
    }
}
