//! One page's socket, from the handshake to the end.
//!
//! Ten thousand of these stand idle at a time, so what an idle one keeps is
//! small, and whatever is needed only while something happens is boxed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::Millis;
use futures::SinkExt;
use http::{Extensions, HeaderMap, StatusCode};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::protocol::{BadFrame, ClientFrame, FRAME_BYTES_MAX, Hello, ServerFrame};
use super::routes::{Endpoint, origin_denied};
use super::visit::Visit;
use crate::host::{Act, ClientIp, Refused, ThreadSignal};
use crate::refusal::refusal;

const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Home routers forget a quiet connection after 30 s at the worst.
const PING_INTERVAL: Duration = Duration::from_secs(25);

/// Three pings without an answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// A page that does not read in this time is gone, whatever its network says.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// A page that reads answers a close at once.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// Allocated at once for every socket.
const BUFFER_BYTES: usize = 4 << 10;

/// One message of the log, with the worst of escaping.
const WRITE_BUFFER_BYTES_MAX: usize = 1 << 20;

pub(super) async fn open(
    State(endpoint): State<Arc<Endpoint>>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let config = &endpoint.chat.config;
    if !config.origins.admits(&headers) {
        return origin_denied();
    }
    let ip = ClientIp::of(&extensions);
    if let Err(wait) = endpoint.host.admit(Act::Connect, ip, config.line.as_str()) {
        let status = (StatusCode::TOO_MANY_REQUESTS, "too_often");
        return refusal(status, "too often; try again later", None, Some(wait.0));
    }
    match upgrade {
        Ok(upgrade) => upgrade
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
            // Twice what is allowed, so that a frame that is a little too long can
            // be answered instead of the connection being cut.
            .max_frame_size(2 * FRAME_BYTES_MAX)
            .max_message_size(2 * FRAME_BYTES_MAX)
            .on_upgrade(move |socket| converse(endpoint, socket, ip)),
        Err(rejection) => rejection.into_response(),
    }
}

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ending {
    /// The other side is gone; there is nobody to tell.
    Gone,
    /// No hello came, or something else before it.
    NoHello,
    /// A frame is too long.
    TooLarge,
    /// Bytes that are no WebSocket, or no text.
    NotProtocol,
    /// Nothing came for long.
    Idle,
    /// The thread became a signed user's, by another connection.
    SignedIn,
    /// The node stops or the line was built anew.
    Restart,
    /// The log cannot be read now.
    Busy(Millis),
}

impl From<Refused> for Ending {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Busy { retry_after, .. } => Self::Busy(retry_after),
            Refused::Invalid(_) => Self::Busy(Millis::from_secs(5)),
        }
    }
}

async fn converse(endpoint: Arc<Endpoint>, socket: WebSocket, ip: IpAddr) {
    let mut wire = Wire { socket };
    let ending = match Box::pin(begin(&endpoint, &mut wire, ip)).await {
        Ok(visit) => live(&mut wire, visit, &endpoint).await,
        Err(ending) => ending,
    };
    tracing::debug!(
        line.id = %endpoint.chat.config.line,
        channel.kind = "webchat",
        ending = ?ending,
        "a visitor's connection ended"
    );
    Box::pin(wire.end(ending, &endpoint)).await;
}

async fn begin(
    endpoint: &Arc<Endpoint>,
    wire: &mut Wire,
    ip: IpAddr,
) -> Result<Box<Visit>, Ending> {
    let hello = await_hello(endpoint, wire).await?;
    let mut visit = Box::new(Visit::begin(Arc::clone(endpoint), ip, &hello).await?);
    visit.resume().await?;
    visit.welcome(wire).await?;
    visit.catch_up(wire).await?;
    Ok(visit)
}

async fn await_hello(endpoint: &Endpoint, wire: &mut Wire) -> Result<Hello, Ending> {
    let deadline = Instant::now() + HELLO_TIMEOUT;
    loop {
        let frame = tokio::select! {
            frame = timeout_at(deadline, wire.receive()) => frame.map_err(|_| Ending::NoHello)??,
            () = endpoint.stop.cancelled() => return Err(Ending::Restart),
        };
        let Some(text) = frame else { continue };
        return match ClientFrame::parse(&text) {
            Ok(ClientFrame::Hello(hello)) => Ok(hello),
            Ok(_) | Err(_) => Err(Ending::NoHello),
        };
    }
}

async fn live(wire: &mut Wire, mut visit: Box<Visit>, endpoint: &Endpoint) -> Ending {
    let mut heard = Instant::now();
    let mut next_ping = heard + PING_INTERVAL;
    loop {
        let done = tokio::select! {
            frame = wire.receive() => match frame {
                Ok(text) => {
                    heard = Instant::now();
                    match text {
                        Some(text) => Box::pin(answer(wire, &mut visit, &text)).await,
                        None => Ok(()),
                    }
                }
                Err(ending) => Err(ending),
            },
            signal = visit.signals.recv() => Box::pin(pass_on(wire, &mut visit, signal)).await,
            () = sleep_until(next_ping) => {
                next_ping += PING_INTERVAL;
                if heard.elapsed() >= IDLE_TIMEOUT {
                    Err(Ending::Idle)
                } else {
                    wire.write(Message::Ping(Bytes::new())).await
                }
            }
            () = endpoint.stop.cancelled() => Err(Ending::Restart),
        };
        if let Err(ending) = done {
            return ending;
        }
    }
}

async fn answer(wire: &mut Wire, visit: &mut Visit, text: &str) -> Result<(), Ending> {
    let reply = match ClientFrame::parse(text) {
        Ok(frame) => visit.take(frame).await?,
        Err(BadFrame::UnknownType(name)) => Some(ServerFrame::Error {
            code: "unknown_type",
            text: format!("there is no frame of type {name:?}"),
        }),
        Err(BadFrame::Malformed(why)) => Some(ServerFrame::Error {
            code: "malformed",
            text: why,
        }),
    };
    if let Some(reply) = reply {
        wire.send(&reply).await?;
    }
    if visit.has_moved() {
        visit.catch_up(wire).await?;
    }
    Ok(())
}

async fn pass_on(
    wire: &mut Wire,
    visit: &mut Visit,
    signal: Result<ThreadSignal, RecvError>,
) -> Result<(), Ending> {
    match signal {
        Ok(ThreadSignal::Log(cursor)) if cursor <= visit.position() => Ok(()),
        Ok(ThreadSignal::Log(_)) => {
            visit.replay(wire).await?;
            wire.flush().await
        }
        Err(RecvError::Lagged(_)) => {
            visit.replay(wire).await?;
            visit.show_standing(wire).await?;
            visit.ask_for_rating(wire).await?;
            wire.flush().await
        }
        Ok(ThreadSignal::Standing(standing)) => {
            visit.stand(standing, wire).await?;
            wire.flush().await
        }
        Ok(ThreadSignal::Ended) => {
            visit.ask_for_rating(wire).await?;
            wire.flush().await
        }
        Ok(ThreadSignal::OperatorTyping {
            display_name,
            active,
        }) => {
            visit.check_ownership().await?;
            wire.send(&ServerFrame::Typing {
                active,
                name: display_name,
            })
            .await
        }
        Err(RecvError::Closed) => Err(Ending::Restart),
    }
}

/// The socket, with a limit on everything.
pub(super) struct Wire {
    socket: WebSocket,
}

impl Wire {
    pub(super) async fn send(&mut self, frame: &ServerFrame<'_>) -> Result<(), Ending> {
        let json = serde_json::to_string(frame).map_err(|_| Ending::Gone)?;
        self.write(Message::Text(json.into())).await
    }

    /// Sends together with what comes next: a replayed thread is many small frames.
    pub(super) async fn queue(&mut self, frame: &ServerFrame<'_>) -> Result<(), Ending> {
        let json = serde_json::to_string(frame).map_err(|_| Ending::Gone)?;
        within_time(self.socket.feed(Message::Text(json.into()))).await
    }

    pub(super) async fn flush(&mut self) -> Result<(), Ending> {
        within_time(self.socket.flush()).await
    }

    async fn write(&mut self, message: Message) -> Result<(), Ending> {
        within_time(self.socket.send(message)).await
    }

    /// The next text; none for a sign of life.
    async fn receive(&mut self) -> Result<Option<String>, Ending> {
        match self.socket.recv().await {
            None | Some(Ok(Message::Close(_))) => Err(Ending::Gone),
            Some(Err(_) | Ok(Message::Binary(_))) => Err(Ending::NotProtocol),
            Some(Ok(Message::Text(text))) if text.len() > FRAME_BYTES_MAX => Err(Ending::TooLarge),
            Some(Ok(Message::Text(text))) => Ok(Some(text.to_string())),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        }
    }

    async fn end(&mut self, ending: Ending, endpoint: &Endpoint) {
        let error = |code, text: &str| ServerFrame::Error {
            code,
            text: text.to_owned(),
        };
        let bye = |reason, after: i64| ServerFrame::Bye {
            reason,
            resume_after_ms: after,
        };
        let (frame, code) = match ending {
            Ending::Gone => return,
            Ending::NoHello => (
                error(
                    "hello_expected",
                    "the first frame has to be hello, within 10 s",
                ),
                1008,
            ),
            Ending::TooLarge => (error("too_large", "a frame is at most 64 KiB"), 1009),
            Ending::NotProtocol => (error("not_text", "send text frames with JSON"), 1003),
            Ending::Idle => (bye("idle", 0), 1001),
            Ending::SignedIn => (bye("signed_in", 0), 1012),
            Ending::Restart => (bye("restart", spread(endpoint)), 1012),
            Ending::Busy(after) => (bye("busy", after.0.max(spread(endpoint))), 1013),
        };
        // Whether these arrive changes nothing: the page resumes by its cursor.
        let _ = self.send(&frame).await;
        let close = CloseFrame {
            code,
            reason: "".into(),
        };
        let _ = self.write(Message::Close(Some(close))).await;
        // A socket that is dropped with something unread is reset, and the other
        // side loses what it had not read yet.
        let farewell = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        let _ = timeout(FAREWELL_TIMEOUT, farewell).await;
    }
}

async fn within_time(writing: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Ending> {
    match timeout(WRITE_TIMEOUT, writing).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Ending::Gone),
    }
}

/// Half a second to five, so that ten thousand pages do not come back at once.
fn spread(endpoint: &Endpoint) -> i64 {
    let [high, low, ..] = endpoint.host.random_bytes();
    500 + i64::from(u16::from_be_bytes([high, low])) % 4_500
}
