//! The least that reading a mailbox costs: every letter by one command, counted and
//! forgotten.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::dovecot::SECRET;

const BUFFER_BYTES: usize = 256 << 10;

/// What a drain has read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drained {
    pub(super) letters: usize,
    pub(super) bytes: u64,
    pub(super) seconds: f64,
}

struct Client {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
}

/// Whether a server answers.
pub(super) async fn greet(address: SocketAddr) -> anyhow::Result<()> {
    Client::open(address).await.map(|_| ())
}

/// Reads every letter of a mailbox.
pub(super) async fn drain(address: SocketAddr, user: &str) -> anyhow::Result<Drained> {
    let begun = Instant::now();
    let mut client = Client::open(address).await?;
    client.run(&format!("LOGIN {user} {SECRET}")).await?;
    client.run("EXAMINE INBOX").await?;
    let (letters, bytes) = client.run("UID FETCH 1:* (UID BODY.PEEK[])").await?;
    Ok(Drained {
        letters,
        bytes,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

impl Client {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream: BufReader::with_capacity(BUFFER_BYTES, stream),
            line: Vec::new(),
        };
        client.read_line().await?;
        ensure!(client.line.starts_with(b"* OK"), "no greeting");
        Ok(client)
    }

    async fn read_line(&mut self) -> anyhow::Result<()> {
        self.line.clear();
        let read = self.stream.read_until(b'\n', &mut self.line).await?;
        ensure!(read > 0, "the mail server closed the connection");
        Ok(())
    }

    /// Runs a command. Answers how many literals came, and their bytes.
    async fn run(&mut self, command: &str) -> anyhow::Result<(usize, u64)> {
        let command = format!("a {command}\r\n");
        self.stream.write_all(command.as_bytes()).await?;
        let (mut count, mut bytes) = (0, 0);
        loop {
            self.read_line().await?;
            if self.line.starts_with(b"a ") {
                let said = String::from_utf8_lossy(&self.line);
                ensure!(said.starts_with("a OK"), "the mail server says {said}");
                return Ok((count, bytes));
            }
            if let Some(length) = literal(&self.line) {
                let mut letter = (&mut self.stream).take(length);
                let read = tokio::io::copy(&mut letter, &mut tokio::io::sink()).await;
                let read = read.context("reading a letter")?;
                ensure!(read == length, "a letter was cut short");
                count += 1;
                bytes += length;
            }
        }
    }
}

/// The length of what follows a line.
fn literal(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?;
    let (_, length) = line.trim_end().strip_suffix('}')?.rsplit_once('{')?;
    length.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn what_follows_a_line_is_told_by_it() {
        assert_eq!(literal(b"* 1 FETCH (UID 1 BODY[] {1234}\r\n"), Some(1234));
        assert_eq!(literal(b"* OK {1} done\r\n"), None);
        assert_eq!(literal(b")\r\n"), None);
    }
}
