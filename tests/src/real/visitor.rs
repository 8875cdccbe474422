use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::gate::{Client, Gate, Lost};
use super::ledger::{Ledger, words};

/// Below what one connection may say in a few seconds; a page that has said more is
/// opened anew.
const FRAMES_MAX: usize = 100;

/// A visitor's page: keeps what was not acknowledged and says it again, in order.
pub(super) struct Visitor {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) gate: Gate,
    pub(super) ledger: Ledger,
    /// Messages that may be unanswered.
    pub(super) unanswered_max: usize,
    pub(super) token: Option<String>,
    pub(super) cursor: i64,
    pub(super) unanswered: VecDeque<u64>,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Client for Visitor {
    async fn connection(&mut self) -> Result<bool, Lost> {
        let mut socket = self.open().await?;
        let mut frames = 0;
        for number in self.unanswered.clone() {
            frames += 1;
            self.say(&mut socket, number).await?;
        }
        loop {
            while self.unanswered.len() < self.unanswered_max
                && frames < FRAMES_MAX
                && !self.gate.is_draining()
            {
                let number = self.ledger.next(&self.name);
                self.unanswered.push_back(number);
                frames += 1;
                self.say(&mut socket, number).await?;
            }
            if self.unanswered.is_empty() {
                return Ok(self.gate.is_draining());
            }
            let frame = next(&mut socket).await?;
            self.take(&frame, &mut socket).await?;
        }
    }
}

impl Visitor {
    async fn open(&mut self) -> Result<Socket, Lost> {
        let address = format!("{}/chat/site/socket", self.url.replace("http", "ws"));
        let mut request = address.into_client_request().unwrap();
        let origin = self.url.parse().unwrap();
        request.headers_mut().insert("origin", origin);
        let opened = tokio_tungstenite::connect_async(request).await;
        let (mut socket, _) = opened.map_err(|_| Lost)?;
        let hello = json!({"type": "hello", "token": self.token, "cursor": self.cursor});
        send(&mut socket, &hello).await?;
        loop {
            let frame = next(&mut socket).await?;
            if frame["type"] == "welcome" {
                if let Some(token) = frame["visitor_token"].as_str() {
                    self.token = Some(token.to_owned());
                }
                return Ok(socket);
            }
        }
    }

    async fn say(&self, socket: &mut Socket, number: u64) -> Result<(), Lost> {
        let text = words(&self.name, number);
        let message = json!({"type": "message", "client_id": number.to_string(), "text": text});
        send(socket, &message).await
    }

    async fn take(&mut self, frame: &Value, socket: &mut Socket) -> Result<(), Lost> {
        match frame["type"].as_str().unwrap() {
            "ack" => {
                let number = number_of(frame);
                self.ledger.acked(&self.name, number);
                self.unanswered.retain(|unanswered| *unanswered != number);
            }
            "refused" => {
                self.ledger.put_off();
                let after = frame["retry_after_ms"].as_u64();
                let after = after.unwrap_or_else(|| panic!("{}: {frame}", self.name));
                tokio::time::sleep(Duration::from_millis(after)).await;
                self.say(socket, number_of(frame)).await?;
            }
            "message" => {
                self.cursor = self.cursor.max(cursor_of(frame));
                if let Some((id, text)) = shown(frame) {
                    let mut books = self.ledger.books();
                    books
                        .shown
                        .entry(self.name.clone())
                        .or_default()
                        .insert(id, text);
                }
            }
            "bye" | "error" => return Err(Lost),
            _ => {}
        }
        Ok(())
    }

    /// Everything that a page which knows nothing is shown of operators, in order.
    pub(super) async fn replay(&mut self) -> BTreeMap<i64, String> {
        self.cursor = 0;
        let mut socket = self.open().await.unwrap();
        let mut all = BTreeMap::new();
        loop {
            let frame = next(&mut socket).await.unwrap();
            match frame["type"].as_str() {
                Some("synced") => return all,
                Some("message") => all.extend(shown(&frame)),
                _ => {}
            }
        }
    }

    /// Reads on from where the page was until it has seen all there is.
    pub(super) async fn catch_up(&mut self) -> Result<(), Lost> {
        let mut socket = self.open().await?;
        loop {
            let frame = next(&mut socket).await?;
            if frame["type"] == "synced" {
                return Ok(());
            }
            self.take(&frame, &mut socket).await?;
        }
    }
}

fn number_of(frame: &Value) -> u64 {
    frame["client_id"].as_str().unwrap().parse().unwrap()
}

fn cursor_of(frame: &Value) -> i64 {
    frame["cursor"].as_i64().unwrap_or(0)
}

fn shown(frame: &Value) -> Option<(i64, String)> {
    let id = frame["id"].as_str()?.parse().ok()?;
    let text = frame["text"].as_str()?.to_owned();
    (frame["author"] == "operator").then_some((id, text))
}

async fn send(socket: &mut Socket, frame: &Value) -> Result<(), Lost> {
    let sent = socket.send(Message::text(frame.to_string())).await;
    sent.map_err(|_| Lost)
}

async fn next(socket: &mut Socket) -> Result<Value, Lost> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Lost),
            Some(Ok(_)) => {}
        }
    }
}
