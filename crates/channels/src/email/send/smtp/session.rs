//! A conversation with a server.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::super::super::config::{Security, Server};
use super::super::field::Address;
use super::super::render::Rendered;
use super::body::{Pouring, Stuffing};
use super::command::Command;
use super::outcome::{Stage, Trouble};
use super::reply::Reply;
use super::wire::{Stream, Wire};
use crate::Host;

/// Until the connection is there and we are logged in.
const OPENING_TIME: Duration = Duration::from_secs(90);
/// Until the server wants the letter.
const ENVELOPE_TIME: Duration = Duration::from_mins(1);
/// Until the letter is with the server.
const LETTER_TIME: Duration = Duration::from_mins(2);
/// Servers look through a letter before they take it.
const VERDICT_TIME: Duration = Duration::from_mins(1);
/// Until a server that broke off has said why.
const LAST_WORD_TIME: Duration = Duration::from_secs(2);
/// Until a connection that was kept has shown that it still stands.
const WAKING_TIME: Duration = Duration::from_secs(5);
/// All of this together, and some more.
pub(in super::super) const SEND_TIME_MAX: Duration = Duration::from_mins(6);
/// Addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;

/// Whom to talk to, and as whom.
pub(super) struct Door<'a> {
    pub(super) server: &'a Server,
    pub(super) tls: &'a Arc<ClientConfig>,
    pub(super) own: &'a Address,
    pub(super) login: Option<(&'a str, Proof<'a>)>,
}

/// What proves who we are.
pub(super) enum Proof<'a> {
    Password(&'a str),
    Token(&'a str),
}

/// A conversation in which a letter can be handed over.
pub(super) struct Session {
    wire: Wire,
    offers: Offers,
    /// Nothing more can be said in it.
    is_over: bool,
    letters: u32,
}

/// What a server says it can, in capitals.
#[derive(Debug, Default)]
struct Offers(Vec<String>);

impl Session {
    pub(super) async fn open(door: &Door<'_>) -> Result<Self, Trouble> {
        let deadline = Instant::now() + OPENING_TIME;
        let Server { host, security, .. } = door.server;
        let reached = async {
            let stream = reach(door.server).await?;
            Ok(match security {
                Security::Implicit => encipher(Box::new(stream), host, door.tls).await?,
                Security::StartTls | Security::Plain => Box::new(stream) as Box<dyn Stream>,
            })
        };
        let stream = timeout_at(deadline, reached).await;
        let stream = stream.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
        let wire = Wire::new(stream.map_err(broken(Stage::Reach))?, deadline);
        let mut session = Self {
            wire,
            offers: Offers::default(),
            is_over: false,
            letters: 0,
        };
        let greeting = session
            .wire
            .reply()
            .await
            .map_err(broken(Stage::Greeting))?;
        good(Stage::Greeting, greeting)?;
        session.hello(door).await?;
        if *security == Security::StartTls {
            session = session.start_tls(door).await?;
            session.hello(door).await?;
        }
        if let Some((user, proof)) = &door.login {
            session.log_in(user, proof).await?;
        }
        Ok(session)
    }

    /// Whether another letter can go this way.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// How many letters went this way.
    pub(super) const fn letters(&self) -> u32 {
        self.letters
    }

    /// Whether a connection that was kept still stands, with nothing begun on it.
    pub(super) async fn wake(&mut self) -> bool {
        self.wire.allow(WAKING_TIME);
        !self.wire.is_disturbed()
            && self
                .wire
                .ask(&Command::reset())
                .await
                .is_ok_and(|reply| reply.is_good())
    }

    /// Takes leave.
    pub(super) async fn close(mut self) {
        self.wire.allow(LAST_WORD_TIME);
        let _ = self.wire.ask(&Command::quit()).await;
    }

    /// Hands a letter over, and says whom the server does not take it for. `in_time`:
    /// whom it does not take it for now, it may take it for later.
    pub(super) async fn deliver(
        &mut self,
        letter: &Rendered,
        host: &Arc<dyn Host>,
        in_time: bool,
    ) -> Result<Vec<(Address, Reply)>, Trouble> {
        self.letters += 1;
        let outcome = self.exchange(letter, host, in_time).await;
        self.is_over |= match &outcome {
            Err(Trouble::Refused(_, reply)) => reply.is_farewell(),
            Err(Trouble::Broken(..)) => true,
            Ok(_)
            | Err(
                Trouble::Nobody(_)
                | Trouble::Unsuitable(_)
                | Trouble::Unfit(_)
                | Trouble::NoToken(_)
                | Trouble::File(_),
            ) => false,
        };
        outcome
    }

    async fn exchange(
        &mut self,
        letter: &Rendered,
        host: &Arc<dyn Host>,
        in_time: bool,
    ) -> Result<Vec<(Address, Reply)>, Trouble> {
        self.wire.allow(ENVELOPE_TIME);
        self.sender(letter).await?;
        let refused = self.recipients(letter, in_time).await?;
        let reply = self.ask(Stage::Data, &Command::data()).await?;
        if reply.code != 354 {
            return Err(not_good(Stage::Data, reply));
        }
        // A letter that is begun and not ended is none only if the connection ends.
        self.is_over = true;
        self.wire.allow(LETTER_TIME);
        let end = self.pour(letter, host).await?;
        // Whatever fails from here on: the server may have the letter.
        self.wire.allow(VERDICT_TIME);
        let written = self.wire.write(end).await;
        written.map_err(broken(Stage::Answer))?;
        let verdict = self.wire.reply().await.map_err(broken(Stage::Answer))?;
        self.is_over = self.wire.must_be_silent().is_err();
        good(Stage::Answer, verdict)?;
        Ok(refused)
    }

    async fn sender(&mut self, letter: &Rendered) -> Result<(), Trouble> {
        let size = letter.size();
        if let Some(max) = self.offers.size_max().filter(|max| size > *max) {
            return Err(Trouble::Unsuitable(format!(
                "the letter has {size} bytes, and the mail server takes {max} at most: send smaller files"
            )));
        }
        let international = letter.is_international();
        if international && !self.offers.has("SMTPUTF8") {
            return Err(Trouble::Unsuitable(
                "the mail server takes no addresses with letters beyond the Latin ones".to_owned(),
            ));
        }
        let told_size = self.offers.has("SIZE").then_some(size);
        let command = |sender| Command::mail(sender, told_size, international);
        if letter.automatic {
            let reply = self.ask(Stage::Sender, &command(None)).await?;
            // Many servers take a letter of nobody from no one who logs in.
            if !reply.is_permanent() || reply.asks_for_login() {
                return good(Stage::Sender, reply);
            }
        }
        let reply = self
            .ask(Stage::Sender, &command(Some(&letter.sender)))
            .await?;
        good(Stage::Sender, reply)
    }

    /// Names the recipients; whom it does not take comes back while it takes anybody.
    async fn recipients(
        &mut self,
        letter: &Rendered,
        in_time: bool,
    ) -> Result<Vec<(Address, Reply)>, Trouble> {
        let mut refused = Vec::new();
        let mut later = Vec::new();
        for recipient in &letter.recipients {
            let command = Command::recipient(recipient);
            let reply = self.ask(Stage::Recipient, &command).await?;
            if reply.is_farewell() || reply.asks_for_login() {
                return Err(Trouble::Refused(Stage::Recipient, reply));
            }
            if reply.is_transient() {
                later.push((recipient.clone(), reply));
            } else if reply.is_permanent() {
                refused.push((recipient.clone(), reply));
            } else {
                good(Stage::Recipient, reply)?;
            }
        }
        let nobody = refused.len() + later.len() == letter.recipients.len();
        if let Some((_, reply)) = later.first().filter(|_| in_time || nobody) {
            return Err(Trouble::Refused(Stage::Recipient, reply.clone()));
        }
        refused.append(&mut later);
        if nobody {
            return Err(Trouble::Nobody(refused));
        }
        Ok(refused)
    }

    /// Gives the server the letter; what is left to say is the dot that ends it.
    async fn pour(
        &mut self,
        letter: &Rendered,
        host: &Arc<dyn Host>,
    ) -> Result<&'static [u8], Trouble> {
        let mut pouring = Pouring::new(letter, host);
        let mut stuffing = Stuffing::new();
        while let Some(bytes) = pouring.next().await.map_err(|error| unread(&error))? {
            if let Err(problem) = self.wire.write(&stuffing.stuff(&bytes)).await {
                return Err(self.last_word(problem).await);
            }
        }
        // A server that has hung up or said no has no letter for certain.
        if self.wire.is_disturbed() {
            return Err(self.last_word("it hung up".to_owned()).await);
        }
        Ok(stuffing.end())
    }

    /// Why a server does not hear the letter to its end, if it says so.
    async fn last_word(&mut self, problem: String) -> Trouble {
        self.wire.allow(LAST_WORD_TIME);
        match self.wire.reply().await {
            Ok(reply) if reply.is_transient() || reply.is_permanent() => {
                Trouble::Refused(Stage::Letter, reply)
            }
            Ok(_) | Err(_) => Trouble::Broken(Stage::Letter, problem),
        }
    }

    async fn hello(&mut self, door: &Door<'_>) -> Result<(), Trouble> {
        let reply = self.ask(Stage::Hello, &Command::hello(door.own)).await?;
        let offers = Offers::of(&reply);
        good(Stage::Hello, reply)?;
        self.offers = offers;
        Ok(())
    }

    async fn start_tls(mut self, door: &Door<'_>) -> Result<Self, Trouble> {
        if !self.offers.has("STARTTLS") {
            let problem = "does not encipher the connection (no STARTTLS): nothing was sent";
            return Err(Trouble::Unfit(problem.to_owned()));
        }
        let reply = self.ask(Stage::StartTls, &Command::start_tls()).await?;
        good(Stage::StartTls, reply)?;
        self.wire
            .must_be_silent()
            .map_err(broken(Stage::StartTls))?;
        let deadline = self.wire.deadline();
        let shaken = encipher(self.wire.into_stream(), &door.server.host, door.tls);
        let stream = timeout_at(deadline, shaken).await;
        let stream = stream.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
        self.wire = Wire::new(stream.map_err(broken(Stage::StartTls))?, deadline);
        self.offers = Offers::default();
        Ok(self)
    }

    async fn log_in(&mut self, user: &str, proof: &Proof<'_>) -> Result<(), Trouble> {
        let reply = match proof {
            Proof::Token(token) if self.offers.takes("XOAUTH2") => {
                let proof = format!("user={user}\x01auth=Bearer {token}\x01\x01");
                let reply = self.log_in_by("XOAUTH2", Some(&proof), &[]).await?;
                // It says why, and wants to hear that we heard.
                if reply.code == 334 {
                    self.ask(Stage::Login, &Command::answer("")).await?
                } else {
                    reply
                }
            }
            Proof::Password(password) if self.offers.takes("PLAIN") => {
                let proof = format!("\0{user}\0{password}");
                self.log_in_by("PLAIN", Some(&proof), &[]).await?
            }
            Proof::Password(password) if self.offers.takes("LOGIN") => {
                self.log_in_by("LOGIN", None, &[user, password]).await?
            }
            Proof::Token(_) => return Err(no_way_in("XOAUTH2")),
            Proof::Password(_) => return Err(no_way_in("PLAIN, LOGIN")),
        };
        good(Stage::Login, reply)
    }

    async fn log_in_by(
        &mut self,
        mechanism: &'static str,
        proof: Option<&str>,
        answers: &[&str],
    ) -> Result<Reply, Trouble> {
        let command = Command::auth(mechanism, proof);
        let mut reply = self.ask(Stage::Login, &command).await?;
        for answer in answers {
            if reply.code != 334 {
                break;
            }
            reply = self.ask(Stage::Login, &Command::answer(answer)).await?;
        }
        Ok(reply)
    }

    async fn ask(&mut self, stage: Stage, command: &Command) -> Result<Reply, Trouble> {
        self.wire.ask(command).await.map_err(broken(stage))
    }
}

impl Offers {
    fn of(hello: &Reply) -> Self {
        let offers = hello.lines.iter().skip(1);
        Self(offers.map(|line| line.to_ascii_uppercase()).collect())
    }

    fn has(&self, offer: &str) -> bool {
        self.words(offer).next().is_some()
    }

    /// The largest letter; none when it does not say.
    fn size_max(&self) -> Option<u64> {
        let max = self.words("SIZE").flatten().next()?.parse().ok()?;
        (max > 0).then_some(max)
    }

    /// Whether we can log in so.
    fn takes(&self, mechanism: &str) -> bool {
        self.words("AUTH").flatten().any(|word| word == mechanism)
    }

    /// The words behind an offer, which may be made more than once. Old servers write `=`
    /// for the first blank.
    fn words(&self, offer: &str) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        self.0.iter().filter_map(move |line| {
            let mut words = line.split([' ', '=']);
            (words.next() == Some(offer)).then_some(words)
        })
    }
}

async fn reach(server: &Server) -> Result<TcpStream, String> {
    let Server { host, port, .. } = server;
    let found = lookup_host((host.as_str(), *port)).await;
    let found = found.map_err(|error| format!("{host} is not found: {error}"))?;
    let mut problem = format!("{host} has no address");
    for address in found.take(ADDRESSES_MAX) {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => problem = format!("{address} cannot be reached: {error}"),
        }
    }
    Err(problem)
}

async fn encipher(
    stream: Box<dyn Stream>,
    host: &str,
    tls: &Arc<ClientConfig>,
) -> Result<Box<dyn Stream>, String> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| format!("{host} is no name that a certificate could have"))?;
    let stream = TlsConnector::from(Arc::clone(tls))
        .connect(name, stream)
        .await;
    Ok(Box::new(
        stream.map_err(|error| format!("TLS was refused: {error}"))?,
    ))
}

fn good(stage: Stage, reply: Reply) -> Result<(), Trouble> {
    if reply.is_good() {
        Ok(())
    } else {
        Err(not_good(stage, reply))
    }
}

fn not_good(stage: Stage, reply: Reply) -> Trouble {
    if reply.is_transient() || reply.is_permanent() {
        Trouble::Refused(stage, reply)
    } else {
        Trouble::Broken(stage, format!("it answered {reply}"))
    }
}

fn broken(stage: Stage) -> impl FnOnce(String) -> Trouble {
    move |problem| Trouble::Broken(stage, problem)
}

fn no_way_in(mechanisms: &str) -> Trouble {
    Trouble::Unfit(format!(
        "offers no way to log in that we know ({mechanisms})"
    ))
}

fn unread(error: &io::Error) -> Trouble {
    // Anything else may pass.
    let for_good = [ErrorKind::NotFound, ErrorKind::InvalidData];
    if for_good.contains(&error.kind()) {
        Trouble::Unsuitable(error.to_string())
    } else {
        Trouble::File(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_in_old_and_new_spelling() {
        let mut read = bytes::BytesMut::from(
            "250-mail.example STARTTLS\r\n250-size 35882577\r\n250-AUTH=LOGIN plain\r\n250-auth xoauth2\r\n250-8BITMIME\r\n250 smtputf8\r\n",
        );
        let hello = Reply::take(&mut read).unwrap().unwrap();
        let offers = Offers::of(&hello);
        for offer in ["AUTH", "SMTPUTF8", "8BITMIME"] {
            assert!(offers.has(offer), "{offer}");
        }
        for mechanism in ["PLAIN", "LOGIN", "XOAUTH2"] {
            assert!(offers.takes(mechanism), "{mechanism}");
        }
        assert!(!offers.has("STARTTLS") && !offers.takes("CRAM-MD5"));
        assert_eq!(offers.size_max(), Some(35_882_577));
    }
}
