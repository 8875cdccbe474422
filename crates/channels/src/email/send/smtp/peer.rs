//! A mail server that does as it is told, on a real socket.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use domain::event::Cursor;
use domain::message::Attachment;
use domain::{LineId, Timestamp};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_rustls::TlsAcceptor;

use super::super::super::config::{Security, Server};
use super::wire::Stream;
use crate::host::{
    Accepted, Act as HostAct, ClientMessage, RatingAsk, Refused, RetryAfter, Standing, ThreadSignal,
};
use crate::{Envelope, File, Host};

/// What the server does instead of what it should.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Act {
    /// Answers so.
    Say(&'static str),
    /// Answers so and hangs up.
    SayAndClose(&'static str),
    /// Hangs up.
    Close,
    /// Says nothing any more. From then on the clock runs by itself.
    Silence,
    /// Answers at great length and without an end, then as `Silence`.
    Endless,
}

/// What the server is like. What is not told here it does as it should.
#[derive(Clone)]
pub(in super::super) struct Script {
    pub(in super::super) offers: Vec<&'static str>,
    /// By the beginning of the command; `greeting`, `letter` (in its midst) and `.`
    /// (at its end) besides. The first that fits.
    pub(in super::super) on: Vec<(&'static str, Act)>,
    pub(in super::super) security: Security,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            offers: vec!["PIPELINING", "SIZE 52428800", "AUTH PLAIN LOGIN"],
            on: Vec::new(),
            security: Security::Plain,
        }
    }
}

/// What the server saw.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Seen {
    pub(in super::super) connections: usize,
    /// Letters being handed over: begun and not taken yet.
    pub(in super::super) under_way: usize,
    pub(in super::super) under_way_most: usize,
    /// Each command, with the number of its connection.
    pub(in super::super) commands: Vec<(usize, String)>,
    pub(in super::super) letters: Vec<String>,
}

impl Seen {
    pub(in super::super) fn verbs(&self) -> Vec<&str> {
        let verb = |(_, command): &'_ (usize, String)| command.len().min(4);
        self.commands.iter().map(|it| &it.1[..verb(it)]).collect()
    }
}

pub(in super::super) struct Peer {
    port: u16,
    pub(in super::super) pem: String,
    security: Security,
    seen: Arc<Mutex<Seen>>,
}

impl Peer {
    pub(in super::super) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (acceptor, pem) = acceptor();
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let (security, watched) = (script.security, Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut seen = watched.lock().unwrap();
                    seen.connections += 1;
                    seen.connections
                };
                let talk = Talk {
                    script: script.clone(),
                    acceptor: acceptor.clone(),
                    seen: Arc::clone(&watched),
                    number,
                    read: Vec::new(),
                };
                tokio::spawn(talk.run(Box::new(stream)));
            }
        });
        Self {
            port,
            pem,
            security,
            seen,
        }
    }

    pub(in super::super) fn server(&self) -> Server {
        let is_tls = self.security != Security::Plain;
        Server {
            host: "localhost".to_owned(),
            port: self.port,
            security: self.security,
            authorities: is_tls.then(|| self.pem.clone()),
        }
    }

    pub(in super::super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

fn acceptor() -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.unwrap())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

/// One connection.
struct Talk {
    script: Script,
    acceptor: TlsAcceptor,
    seen: Arc<Mutex<Seen>>,
    number: usize,
    read: Vec<u8>,
}

/// The connection is over.
struct Over;

type Said<T> = Result<T, Over>;

impl Talk {
    async fn run(mut self, mut stream: Box<dyn Stream>) -> Said<()> {
        if self.script.security == Security::Implicit {
            stream = self.encipher(stream).await?;
        }
        self.act("greeting", "220 mail.example ESMTP", &mut stream)
            .await?;
        let mut logging_in = 0;
        loop {
            let command = self.line(&mut stream).await?;
            self.hears(&command);
            let verb = command.split([' ', ':']).next().unwrap_or_default();
            if logging_in > 0 {
                logging_in -= 1;
                let usual = if logging_in == 0 {
                    "235 welcome"
                } else {
                    "334 UGFzc3dvcmQ6"
                };
                self.act("answer", usual, &mut stream).await?;
                continue;
            }
            match verb {
                "EHLO" => {
                    let offers = self
                        .script
                        .offers
                        .iter()
                        .map(|offer| format!("250-{offer}\r\n"));
                    let hello =
                        format!("250-mail.example\r\n{}250 HELP", offers.collect::<String>());
                    self.act("EHLO", &hello, &mut stream).await?;
                }
                "STARTTLS" => {
                    self.act("STARTTLS", "220 go", &mut stream).await?;
                    stream = self.encipher(stream).await?;
                    self.script.offers.retain(|offer| *offer != "STARTTLS");
                }
                "AUTH" if command == "AUTH LOGIN" => {
                    self.act(&command, "334 VXNlcm5hbWU6", &mut stream).await?;
                    logging_in = 2;
                }
                "AUTH" => {
                    if self
                        .act(&command, "235 welcome", &mut stream)
                        .await?
                        .starts_with("334")
                    {
                        logging_in = 1;
                    }
                }
                "DATA" => {
                    let answer = self.act("DATA", "354 go on", &mut stream).await?;
                    if answer.starts_with("354") {
                        let letter = self.letter(&mut stream).await?;
                        self.took(letter);
                        self.act(".", "250 taken", &mut stream).await?;
                    }
                }
                "QUIT" => {
                    self.act("QUIT", "221 bye", &mut stream).await?;
                    return Ok(());
                }
                _ => {
                    self.act(&command, "250 ok", &mut stream).await?;
                }
            }
        }
    }

    fn hears(&self, command: &str) {
        let mut seen = self.seen.lock().unwrap();
        seen.commands.push((self.number, command.to_owned()));
        if command.starts_with("MAIL") {
            seen.under_way += 1;
            seen.under_way_most = seen.under_way_most.max(seen.under_way);
        }
    }

    fn took(&self, letter: String) {
        let mut seen = self.seen.lock().unwrap();
        seen.letters.push(letter);
        seen.under_way = seen.under_way.saturating_sub(1);
    }

    /// Does what the script says, or answers as usual. Tells what was answered.
    async fn act(&self, at: &str, usual: &str, stream: &mut Box<dyn Stream>) -> Said<String> {
        let told = self.script.on.iter().find(|(key, _)| at.starts_with(key));
        let act = told.map(|(_, act)| *act);
        match act {
            None => say(stream, usual).await?,
            Some(Act::Say(answer)) => say(stream, answer).await?,
            Some(Act::SayAndClose(answer)) => {
                say(stream, answer).await?;
                return Err(Over);
            }
            Some(Act::Close) => return Err(Over),
            Some(Act::Silence) => {
                tokio::time::pause();
                std::future::pending::<()>().await;
            }
            Some(Act::Endless) => {
                for _ in 0..10_000 {
                    say(stream, "250-and so on").await?;
                }
                tokio::time::pause();
                std::future::pending::<()>().await;
            }
        }
        Ok(match act {
            Some(Act::Say(answer)) => answer.to_owned(),
            Some(_) | None => usual.to_owned(),
        })
    }

    async fn encipher(&mut self, stream: Box<dyn Stream>) -> Said<Box<dyn Stream>> {
        let stream = self.acceptor.accept(stream).await.map_err(|_| Over)?;
        Ok(Box::new(stream))
    }

    async fn line(&mut self, stream: &mut Box<dyn Stream>) -> Said<String> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.read.drain(..end + 2).collect();
                return String::from_utf8(line[..end].to_vec()).map_err(|_| Over);
            }
            self.more(stream).await?;
        }
    }

    /// Reads a letter as servers do: to a dot alone on its line, and nothing else.
    async fn letter(&mut self, stream: &mut Box<dyn Stream>) -> Said<String> {
        let mut letter = String::new();
        loop {
            let line = self.line(stream).await?;
            if line == "." {
                return Ok(letter);
            }
            letter.push_str(line.strip_prefix('.').unwrap_or(&line));
            letter.push_str("\r\n");
            let in_its_midst = self.script.on.iter().any(|(key, _)| *key == "letter");
            if in_its_midst {
                self.act("letter", "", stream).await?;
            }
        }
    }

    async fn more(&mut self, stream: &mut Box<dyn Stream>) -> Said<()> {
        let mut piece = [0; 8_192];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => Err(Over),
            Ok(length) => {
                self.read.extend_from_slice(&piece[..length]);
                Ok(())
            }
        }
    }
}

async fn say(stream: &mut Box<dyn Stream>, answer: &str) -> Said<()> {
    let answer = format!("{answer}\r\n");
    stream
        .write_all(answer.as_bytes())
        .await
        .map_err(|_| Over)?;
    stream.flush().await.map_err(|_| Over)
}

/// An engine that has files and bookmarks, and nothing else.
#[derive(Default)]
pub(in super::super::super) struct Desk {
    pub(in super::super::super) bookmarks: Mutex<BTreeMap<String, String>>,
    pub(in super::super::super) is_full: std::sync::atomic::AtomicBool,
    /// How reading a file ends.
    pub(in super::super::super) broken: Option<std::io::ErrorKind>,
}

#[async_trait]
impl Host for Desk {
    async fn open_file(&self, attachment: &Attachment) -> std::io::Result<File> {
        if let Some(kind) = self.broken {
            return Err(kind.into());
        }
        // A test's file is found by its own content, or made of one letter.
        let content = match attachment.sha256.strip_prefix("much of ") {
            Some(letter) => letter.repeat(usize::try_from(attachment.size_bytes).unwrap()),
            None => attachment.sha256.clone(),
        };
        let pieces: Vec<_> = content
            .as_bytes()
            .chunks(50_000)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Ok(futures::stream::iter(pieces).boxed())
    }

    async fn bookmark(&self, _line: &LineId, name: &str) -> Result<Option<String>, Refused> {
        Ok(self.bookmarks.lock().unwrap().get(name).cloned())
    }

    async fn set_bookmark(&self, _line: &LineId, name: &str, note: &str) -> Result<(), Refused> {
        if self.is_full.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Refused::Invalid("full".to_owned()));
        }
        let mut bookmarks = self.bookmarks.lock().unwrap();
        bookmarks.insert(name.to_owned(), note.to_owned());
        Ok(())
    }

    fn now(&self) -> Timestamp {
        Timestamp(1_700_000_001_000)
    }

    fn random_bytes(&self) -> [u8; 32] {
        [7; 32]
    }

    fn secret(&self, purpose: &str) -> [u8; 32] {
        let mut secret = [3; 32];
        secret[0] = u8::try_from(purpose.len()).unwrap();
        secret
    }

    async fn accept(&self, _: &LineId, _: Envelope) -> Result<Accepted, Refused> {
        unreachable!()
    }

    fn typing(&self, _: &LineId, _: &str, _: bool) {}

    async fn thread_log(
        &self,
        _: &LineId,
        _: &str,
        _: Cursor,
        _: usize,
    ) -> Result<Vec<ClientMessage>, Refused> {
        unreachable!()
    }

    async fn thread_owner(&self, _: &LineId, _: &str) -> Result<Option<String>, Refused> {
        unreachable!()
    }

    async fn bind_thread(&self, _: &LineId, _: &str, _: &str) -> Result<String, Refused> {
        unreachable!()
    }

    fn watch(&self, _: &LineId, _: &str) -> broadcast::Receiver<ThreadSignal> {
        unreachable!()
    }

    async fn standing(&self, _: &LineId, _: &str) -> Result<Option<Standing>, Refused> {
        unreachable!()
    }

    fn closed_until(&self, _: &LineId) -> Option<Timestamp> {
        unreachable!()
    }

    fn client_present(&self, _: &LineId, _: &str, _: bool) {}

    async fn rating_ask(&self, _: &LineId, _: &str) -> Result<Option<RatingAsk>, Refused> {
        unreachable!()
    }

    async fn store_file(
        &self,
        _: &str,
        _: u64,
        _: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<Attachment, Refused> {
        unreachable!()
    }

    fn file_link(&self, _: &LineId, _: &str, _: &Attachment) -> String {
        unreachable!()
    }

    fn admit(&self, _: HostAct, _: IpAddr, _: &str) -> Result<(), RetryAfter> {
        unreachable!()
    }
}
