//! A visitor of a site: the chat's web socket, frame by frame as the widget speaks
//! it.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::soon;

/// A visitor with the chat open.
pub struct Visitor {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What their browser keeps.
    pub token: String,
    /// The cursor of the last message read.
    pub cursor: i64,
}

impl Visitor {
    /// Opens the chat, as somebody new or known, from a cursor on.
    pub async fn open(url: &str, line: &str, token: Option<&str>, cursor: i64) -> Self {
        let hello = json!({"token": token, "cursor": cursor});
        Self::hello(url, line, hello).await.0
    }

    /// Opens the chat with a hello of one's own; with it its welcome.
    pub async fn hello(url: &str, line: &str, mut hello: Value) -> (Self, Value) {
        let address = format!("{}/chat/{line}/socket", url.replace("http", "ws"));
        let mut request = address.into_client_request().unwrap();
        request.headers_mut().insert("origin", url.parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let mut this = Self {
            socket,
            token: hello["token"].as_str().unwrap_or_default().to_owned(),
            cursor: hello["cursor"].as_i64().unwrap_or_default(),
        };
        hello["type"] = json!("hello");
        this.send(hello).await;
        let welcome = this.frame("welcome").await;
        if let Some(token) = welcome["visitor_token"].as_str() {
            token.clone_into(&mut this.token);
        }
        (this, welcome)
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    /// Sends whatever there is.
    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Writes, without waiting for the ack.
    pub async fn write(&mut self, client_id: &str, text: &str) {
        self.send(json!({"type": "message", "client_id": client_id, "text": text}))
            .await;
    }

    /// Writes, and waits until it is durable.
    pub async fn say(&mut self, client_id: &str, text: &str) {
        self.write(client_id, text).await;
        self.acked(client_id).await;
    }

    /// Waits until a message is durable.
    pub async fn acked(&mut self, client_id: &str) {
        loop {
            let frame = self.next().await.expect("the chat is open");
            match frame["type"].as_str() {
                Some("ack") if frame["client_id"] == client_id => return,
                Some("refused") => panic!("refused: {frame}"),
                _ => {}
            }
        }
    }

    /// The next frame; none when the chat was closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let message = soon("a frame of the chat", self.socket.next()).await;
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if let Some(cursor) = frame["cursor"].as_str().and_then(|c| c.parse().ok()) {
                        self.cursor = self.cursor.max(cursor);
                    } else if let Some(cursor) = frame["cursor"].as_i64() {
                        self.cursor = self.cursor.max(cursor);
                    }
                    return Some(frame);
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Waits for a frame of a type.
    pub async fn frame(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.expect("the chat is open");
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Waits for an operator's message.
    pub async fn hears(&mut self, text: &str) -> Value {
        loop {
            let frame = self.frame("message").await;
            if frame["author"] == "operator" && frame["text"] == text {
                return frame;
            }
        }
    }

    /// Leaves without a word.
    pub fn vanish(self) -> (String, i64) {
        (self.token, self.cursor)
    }
}
