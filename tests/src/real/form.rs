use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::gate::{Client, Gate, Lost};
use super::ledger::{Ledger, words};

/// A site's server that passes its form on: one submission after the other, each
/// until it is taken.
pub(super) struct Form {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) index: u64,
    pub(super) gate: Gate,
    pub(super) ledger: Ledger,
    pub(super) unanswered: Option<u64>,
}

impl Client for Form {
    async fn connection(&mut self) -> Result<bool, Lost> {
        loop {
            let number = match self.unanswered {
                Some(number) => number,
                None if self.gate.is_draining() => return Ok(true),
                None => self.ledger.next(&self.name),
            };
            self.unanswered = Some(number);
            match self.submit(number).await? {
                (200, _) => {
                    self.ledger.acked(&self.name, number);
                    self.unanswered = None;
                }
                (429 | 503, _) => {
                    self.ledger.put_off();
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                (status, body) => panic!("a form was answered {status}: {body}"),
            }
        }
    }
}

impl Form {
    async fn submit(&self, number: u64) -> Result<(u16, Value), Lost> {
        let body = json!({
            "submission_id": format!("{:08x}-0000-4000-8000-{number:012x}", self.index),
            "message": words(&self.name, number),
        });
        call(&self.url, "POST", "/forms/form", &body.to_string()).await
    }
}

/// Asks until it is ready, or is not; what it says then.
pub async fn readiness(url: &str, ready: bool) -> Value {
    loop {
        if let Ok((status, body)) = call(url, "GET", "/readyz", "").await
            && (status == 200) == ready
        {
            return body;
        }
    }
}

/// One HTTP call on a connection of its own.
pub(super) async fn call(
    url: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Result<(u16, Value), Lost> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.map_err(|_| Lost)?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let written = stream.write_all(request.as_bytes()).await;
    written.map_err(|_| Lost)?;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer).await;
    read.map_err(|_| Lost)?;
    let answer = String::from_utf8_lossy(&answer);
    // An answer that was cut off is none.
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(Lost)?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = serde_json::from_str(body).map_err(|_| Lost)?;
    Ok((status.ok_or(Lost)?, body))
}
