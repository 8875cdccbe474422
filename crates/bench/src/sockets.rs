//! Visitors with the chat open.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use futures::{SinkExt as _, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::child::let_go;
use crate::figures::say;
use crate::machine::raise_files;

/// Visitors who open the chat at once.
const OPENING_MAX: usize = 64;

pub(crate) struct Visitor {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Visitor {
    /// Opens the chat, as somebody new.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let (socket, _) = connect_async(format!("ws://{address}/chat/site/socket"))
            .await
            .context("opening a chat")?;
        let mut this = Self { socket };
        this.send(&json!({"type": "hello", "cursor": 0})).await?;
        this.frame("welcome").await?;
        Ok(this)
    }

    /// Writes, and waits until it is durable.
    pub(crate) async fn say(&mut self, client_id: &str, text: &str) -> anyhow::Result<()> {
        self.send(&json!({"type": "message", "client_id": client_id, "text": text}))
            .await?;
        self.frame("ack").await?;
        Ok(())
    }

    async fn send(&mut self, frame: &Value) -> anyhow::Result<()> {
        let message = Message::text(frame.to_string());
        self.socket.send(message).await.context("writing to a chat")
    }

    async fn frame(&mut self, kind: &str) -> anyhow::Result<Value> {
        while let Some(message) = self.socket.next().await {
            if let Message::Text(text) = message.context("reading a chat")? {
                let frame: Value = serde_json::from_str(&text)?;
                if frame["type"] == kind {
                    return Ok(frame);
                }
                if matches!(frame["type"].as_str(), Some("refused" | "error")) {
                    bail!("a chat says {frame}");
                }
            }
        }
        bail!("a chat was closed")
    }

    /// Answers pings until the chat is closed.
    async fn idle(mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

/// Opens chats and keeps them until standard input ends.
pub(crate) async fn hold(address: SocketAddr, count: usize) -> anyhow::Result<()> {
    raise_files();
    let opened = futures::stream::iter(0..count).map(|_| Visitor::open(address));
    let visitors: Vec<Visitor> = opened.buffer_unordered(OPENING_MAX).try_collect().await?;
    let idle: Vec<_> = visitors
        .into_iter()
        .map(|visitor| tokio::spawn(visitor.idle()))
        .collect();
    say(&format!("Open. {}", idle.len()))?;
    let_go().await;
    let gone = idle.iter().filter(|task| task.is_finished()).count();
    say(&format!("Gone. {gone}"))?;
    Ok(())
}
