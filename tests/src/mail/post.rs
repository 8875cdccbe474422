use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

use crate::soon;

/// A server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its number.
    pub code: u16,
    /// Its last line.
    pub text: String,
}

impl Reply {
    /// Whether it did what it was asked.
    pub fn is_ok(&self) -> bool {
        (200..400).contains(&self.code)
    }
}

/// A letter on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Who is told what becomes of it; empty for nobody.
    pub sender: String,
    /// Who gets it.
    pub recipients: Vec<String>,
    /// The letter.
    pub letter: Vec<u8>,
}

/// Delivers a letter to mailboxes; an answer for each of them.
pub async fn lmtp(port: u16, sender: &str, recipients: &[&str], letter: &[u8]) -> Vec<Reply> {
    soon("LMTP", hand_over(port, "LHLO", sender, recipients, letter)).await
}

/// Hands a letter over to a server; an answer for each recipient, and for the letter if
/// any recipient was taken.
pub async fn smtp(port: u16, sender: &str, recipients: &[&str], letter: &[u8]) -> Vec<Reply> {
    soon("SMTP", hand_over(port, "EHLO", sender, recipients, letter)).await
}

async fn hand_over(
    port: u16,
    hello: &str,
    sender: &str,
    recipients: &[&str],
    letter: &[u8],
) -> Vec<Reply> {
    let mut talk = Talk::begin(port).await;
    talk.say(&format!("{hello} client.test")).await;
    talk.say(&format!("MAIL FROM:<{sender}>")).await;
    let mut replies = Vec::new();
    for recipient in recipients {
        replies.push(talk.say(&format!("RCPT TO:<{recipient}>")).await);
    }
    let taken = replies.iter().filter(|reply| reply.is_ok()).count();
    if taken > 0 {
        talk.say("DATA").await;
        talk.send(&dotted(letter)).await;
        let answers = if hello == "LHLO" { taken } else { 1 };
        for _ in 0..answers {
            replies.push(talk.reply().await);
        }
    }
    talk.say("QUIT").await;
    replies
}

/// As a letter stands on the wire: lines that begin with a dot get another, and a dot
/// alone ends it.
fn dotted(letter: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(letter.len() + 64);
    for line in letter.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    if !wire.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

struct Talk {
    stream: BufStream<TcpStream>,
}

impl Talk {
    async fn begin(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut this = Self {
            stream: BufStream::new(stream),
        };
        let greeting = this.reply().await;
        assert!(greeting.is_ok(), "{greeting:?}");
        this
    }

    async fn say(&mut self, line: &str) -> Reply {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn reply(&mut self) -> Reply {
        loop {
            let mut line = String::new();
            let length = self.stream.read_line(&mut line).await.unwrap();
            assert!(length > 0, "the server went away");
            if line.as_bytes().get(3) != Some(&b'-') {
                return Reply {
                    code: line[..3].parse().unwrap(),
                    text: line[3..].trim().to_owned(),
                };
            }
        }
    }
}
