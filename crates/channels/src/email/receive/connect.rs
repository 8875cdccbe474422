//! Connects and logs in.

use std::sync::Arc;
use std::time::Duration;

use async_imap::imap_proto::{Response, Status};
use async_imap::{Authenticator, Client};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::guard::Guarded;
use super::session::{Duplex, Session, Trouble, Wire, shown, trouble};
use crate::registry::email::config::{Login, Mailbox, Secret, Security, Server};
use crate::registry::email::tls;

/// To the server's greeting, TLS and all.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// Servers let those wait who gave a wrong password before.
const LOGIN_MAX: Duration = Duration::from_mins(1);

/// What proves to a server who we are, at hand.
pub(super) enum Proof {
    Password(String),
    Token(String),
}

/// A connection that greeted and does not know us yet.
pub(super) struct Greeted(Client<Wire>);

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof(…)")
    }
}

/// Connects and logs in for an errand.
pub(in crate::registry::email) async fn enter(
    mailbox: &Mailbox,
    token: Option<&str>,
) -> Result<Session, Trouble> {
    let Login { user, secret } = &mailbox.login;
    let greeted = greet(&mailbox.server).await?;
    greeted.log_in(user, Proof::of(secret, token)).await
}

/// Connects.
pub(super) async fn greet(server: &Server) -> Result<Greeted, Trouble> {
    let connected = timeout(CONNECT_MAX, async {
        let stream = reach(server).await?;
        over(stream, server).await
    });
    let in_time = connected.await;
    in_time.unwrap_or_else(|_| Err(Trouble::Lost("it does not answer".to_owned())))
}

async fn reach(server: &Server) -> Result<Box<dyn Duplex>, Trouble> {
    let stream = TcpStream::connect((server.host.as_str(), server.port)).await;
    let stream = stream.map_err(|error| {
        let Server { host, port, .. } = server;
        Trouble::Lost(format!("{host}:{port} cannot be reached: {error}"))
    })?;
    // Commands are small, and each waits for its answer.
    let _ = stream.set_nodelay(true);
    Ok(Box::new(stream))
}

/// Goes over to TLS as configured and reads the greeting.
pub(super) async fn over(stream: Box<dyn Duplex>, server: &Server) -> Result<Greeted, Trouble> {
    match server.security {
        Security::Plain => greeting(stream).await,
        Security::Implicit => greeting(enciphered(stream, server).await?).await,
        Security::StartTls => {
            let Greeted(mut client) = greeting(stream).await?;
            let begun = client.run_command_and_check_ok("STARTTLS", None).await;
            begun.map_err(|error| match trouble(&error) {
                Trouble::Refused(text) => Trouble::Lost(format!("it refuses STARTTLS: {text}")),
                other @ (Trouble::Lost(_) | Trouble::Garbled(_) | Trouble::Credentials(_)) => other,
            })?;
            // What came in clear behind the answer is forgotten with the client.
            let stream = enciphered(client.into_inner().into_inner(), server).await?;
            Ok(Greeted(Client::new(Guarded::new(stream))))
        }
    }
}

async fn enciphered(stream: Box<dyn Duplex>, server: &Server) -> Result<Box<dyn Duplex>, Trouble> {
    let failed = |reason: String| Trouble::Lost(format!("TLS: {reason}"));
    let config: Arc<ClientConfig> =
        tls::client_config(server.authorities.as_deref()).map_err(failed)?;
    let name = ServerName::try_from(server.host.clone()).map_err(|e| failed(e.to_string()))?;
    let connected = TlsConnector::from(config).connect(name, stream).await;
    Ok(Box::new(
        connected.map_err(|error| failed(error.to_string()))?,
    ))
}

async fn greeting(stream: Box<dyn Duplex>) -> Result<Greeted, Trouble> {
    let mut client = Client::new(Guarded::new(stream));
    let told = client.read_response().await;
    let told = told.map_err(|error| trouble(&error.into()))?;
    let told = told.ok_or_else(|| Trouble::Lost("it closed the connection".to_owned()))?;
    if let Response::Data { status, outcome } = told.parsed() {
        let words = || shown(outcome.information.as_deref());
        return match status {
            Status::Ok => Ok(Greeted(client)),
            Status::Bye => Err(Trouble::Lost(format!("it said goodbye: {}", words()))),
            Status::No | Status::Bad | Status::PreAuth => {
                Err(Trouble::Garbled(format!("greets strangely: {}", words())))
            }
        };
    }
    Err(Trouble::Garbled("does not greet".to_owned()))
}

impl Proof {
    /// What a secret comes to now.
    pub(super) fn of(secret: &Secret, token: Option<&str>) -> Self {
        match secret {
            Secret::Password(password) => Self::Password(password.clone()),
            Secret::OAuth(_) => Self::Token(token.unwrap_or_default().to_owned()),
        }
    }
}

impl Greeted {
    /// Logs in.
    pub(super) async fn log_in(self, user: &str, proof: Proof) -> Result<Session, Trouble> {
        let Self(client) = self;
        let entered = async {
            let entered = match proof {
                // Beyond ASCII a quoted text is not defined.
                Proof::Password(password) if user.is_ascii() && password.is_ascii() => {
                    client.login(user, password).await
                }
                Proof::Password(password) => {
                    let words = Words::once(format!("\0{user}\0{password}"));
                    client.authenticate("PLAIN", words).await
                }
                Proof::Token(token) => {
                    let words = format!("user={user}\x01auth=Bearer {token}\x01\x01");
                    client.authenticate("XOAUTH2", Words::once(words)).await
                }
            };
            match entered {
                Ok(session) => Session::begin(session).await,
                Err((error, _)) => Err(refused(trouble(&error))),
            }
        };
        let in_time = timeout(LOGIN_MAX, entered).await;
        in_time.unwrap_or_else(|_| Err(Trouble::Lost("it does not answer a login".to_owned())))
    }
}

/// A server that cannot let anybody in now says nothing about the password.
fn refused(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Refused(text) if text.contains("[UNAVAILABLE]") || text.contains("[INUSE]") => {
            Trouble::Lost(text)
        }
        Trouble::Refused(text) => Trouble::Credentials(text),
        other @ (Trouble::Lost(_) | Trouble::Garbled(_) | Trouble::Credentials(_)) => other,
    }
}

/// What is said when the server asks first; to what it asks then, the answer is nothing,
/// and it tells its error.
struct Words(Option<String>);

impl Words {
    fn once(words: String) -> Self {
        Self(Some(words))
    }
}

impl Authenticator for Words {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        self.0.take().unwrap_or_default()
    }
}
