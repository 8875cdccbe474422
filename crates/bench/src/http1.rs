//! HTTP/1.1 with as little work as possible: what the generator spends, the gateway
//! lacks on the same cores.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The largest head of an answer.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// A connection that is kept for many requests.
pub(crate) struct Connection {
    stream: TcpStream,
    arrived: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("connecting")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            arrived: Vec::with_capacity(HEAD_BYTES_MAX),
        })
    }

    /// Posts a JSON body and answers the status.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> anyhow::Result<u16> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (status, _) = self.ask(&request).await?;
        Ok(status)
    }

    /// Gets a text.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<String> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        let (status, body) = self.ask(&request).await?;
        let text = String::from_utf8_lossy(&self.arrived[body..]);
        ensure!(status == 200, "{path} was answered with {status}: {text}");
        Ok(text.into_owned())
    }

    /// Answers the status, and where the body begins in what has arrived.
    async fn ask(&mut self, request: &str) -> anyhow::Result<(u16, usize)> {
        self.stream.write_all(request.as_bytes()).await?;
        self.arrived.clear();
        let (status, body, end) = loop {
            if self.stream.read_buf(&mut self.arrived).await? == 0 {
                bail!("the connection was closed");
            }
            if let Some(head) = find(&self.arrived, b"\r\n\r\n") {
                let (status, length) = read_head(&self.arrived[..head])?;
                break (status, head + 4, head + 4 + length);
            }
            if self.arrived.len() > HEAD_BYTES_MAX {
                bail!("the head of an answer does not end");
            }
        };
        while self.arrived.len() < end {
            if self.stream.read_buf(&mut self.arrived).await? == 0 {
                bail!("the connection was closed");
            }
        }
        Ok((status, body))
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

fn read_head(head: &[u8]) -> anyhow::Result<(u16, usize)> {
    let head = std::str::from_utf8(head).context("reading the head of an answer")?;
    let status = head
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .context("reading the status of an answer")?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse().ok())
        .context("reading the length of an answer")?;
    Ok((status, length))
}

#[cfg(test)]
mod tests {
    use super::read_head;

    #[test]
    fn heads_are_read() {
        let head = b"HTTP/1.1 503 Service Unavailable\r\nA: b\r\nContent-Length: 12";
        assert_eq!(read_head(head).unwrap(), (503, 12));
        assert!(read_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked").is_err());
    }
}
