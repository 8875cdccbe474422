//! The line's way to its server: few connections at once, one kept for a while, and
//! rest after it was closed to us.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{LineId, Millis};
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::super::super::config::{Config, Secret, Smtp};
use super::super::super::oauth::{Token, TokenError, Tokens};
use super::super::super::tls;
use super::super::field::Address;
use super::super::render::Rendered;
use super::outcome::{Stage, Trouble, refusal};
use super::session::{Door, Proof, Session};
use crate::{Host, SendError};

/// Servers refuse whoever comes with many connections.
const SESSIONS_MAX: usize = 4;
/// How long a letter waits for a connection before it makes room for other lines'.
const PLACE_TIME: Duration = Duration::from_secs(2);
const PLACE_PAUSE: Millis = Millis::from_secs(2);
/// Servers close what is silent for some minutes.
const KEPT_TIME: Duration = Duration::from_mins(1);
/// Servers take so many letters by one connection at least.
const LETTERS_MAX: u32 = 50;
/// Whoever tries to log in too often is locked out.
const LOGIN_REST: Duration = Duration::from_mins(1);
const REST: Duration = Duration::from_secs(10);

/// A line's way to its server.
pub(in super::super) struct Post {
    line: LineId,
    smtp: Smtp,
    own: Address,
    tls: Arc<ClientConfig>,
    tokens: Arc<Tokens>,
    places: Semaphore,
    kept: Arc<Mutex<Option<Kept>>>,
    resting: Mutex<Option<Resting>>,
}

struct Kept {
    session: Session,
    since: Instant,
}

/// The server was closed to us: what every letter is told until then.
struct Resting {
    until: Instant,
    error: SendError,
}

impl Post {
    pub(in super::super) fn new(
        config: &Config,
        smtp: &Smtp,
        tokens: Arc<Tokens>,
    ) -> Result<Self, String> {
        let own = Address::read(&config.address);
        Ok(Self {
            line: config.line.clone(),
            smtp: smtp.clone(),
            own: own.ok_or_else(|| format!("{} is no address", config.address))?,
            tls: tls::client_config(smtp.server.authorities.as_deref())?,
            tokens,
            places: Semaphore::new(SESSIONS_MAX),
            kept: Arc::default(),
            resting: Mutex::default(),
        })
    }

    /// Hands a letter over. Tells whom the server did not take it for, for people.
    pub(in super::super) async fn hand_over(
        &self,
        letter: &Rendered,
        host: &Arc<dyn Host>,
        in_time: bool,
    ) -> Result<String, SendError> {
        if let Some(error) = self.rest() {
            return Err(error);
        }
        let place = tokio::time::timeout(PLACE_TIME, self.places.acquire()).await;
        let Ok(Ok(_place)) = place else {
            return Err(SendError::RetryAfter {
                after: PLACE_PAUSE,
                reason: "other letters are on their way to the mail server".to_owned(),
            });
        };
        let (session, outcome) = self.deliver(letter, host, in_time).await;
        if let Some(session) = session {
            self.keep(session);
        }
        match outcome {
            Ok(refused) => {
                let refused = refused.iter().map(|(whom, reply)| refusal(whom, reply));
                Ok(refused.collect::<Vec<_>>().join("; "))
            }
            Err(trouble) => {
                let is_of_the_line = trouble.is_of_the_line();
                let error = trouble.outcome();
                if is_of_the_line {
                    self.rest_after(&error);
                }
                Err(error)
            }
        }
    }
}

impl Post {
    async fn deliver(
        &self,
        letter: &Rendered,
        host: &Arc<dyn Host>,
        in_time: bool,
    ) -> (Option<Session>, Outcome) {
        if let Some(mut session) = self.woken().await {
            let outcome = session.deliver(letter, host, in_time).await;
            if !is_stale(&outcome) {
                return (Some(session), outcome);
            }
        }
        match self.open(host).await {
            Ok(mut session) => {
                let outcome = session.deliver(letter, host, in_time).await;
                (Some(session), outcome)
            }
            Err(trouble) => (None, Err(trouble)),
        }
    }

    /// The connection that was kept, if it still stands.
    async fn woken(&self) -> Option<Session> {
        let kept = lock(&self.kept).take()?;
        let mut session = kept.session;
        (kept.since.elapsed() < KEPT_TIME && session.wake().await).then_some(session)
    }

    /// Keeps a connection for the next letter, for a while.
    fn keep(&self, session: Session) {
        if session.is_over() {
            return;
        }
        let since = Instant::now();
        let is_worn = session.letters() >= LETTERS_MAX;
        let surplus = if is_worn {
            Some(session)
        } else {
            let kept = Kept { session, since };
            lock(&self.kept).replace(kept).map(|kept| kept.session)
        };
        if !is_worn {
            let place = Arc::clone(&self.kept);
            tokio::spawn(async move {
                tokio::time::sleep(KEPT_TIME).await;
                let unused = lock(&place).take_if(|kept| kept.since == since);
                if let Some(kept) = unused {
                    kept.session.close().await;
                }
            });
        }
        if let Some(session) = surplus {
            tokio::spawn(session.close());
        }
    }

    async fn open(&self, host: &Arc<dyn Host>) -> Result<Session, Trouble> {
        let Some(login) = &self.smtp.login else {
            return Session::open(&self.door(None)).await;
        };
        let oauth = match &login.secret {
            Secret::Password(password) => {
                let proof = Proof::Password(password);
                return Session::open(&self.door(Some((&login.user, proof)))).await;
            }
            Secret::OAuth(oauth) => oauth,
        };
        let token = self
            .tokens
            .token(&self.line, oauth, host)
            .await
            .map_err(no_token)?;
        let opened = self.open_by(&login.user, &token).await;
        let Err(Trouble::Refused(Stage::Login, reply)) = &opened else {
            return opened;
        };
        if reply.is_permanent() {
            self.tokens.forget(oauth, &token).await;
        }
        // It may have been taken back before its time.
        if token.is_fresh || !reply.is_permanent() {
            return opened;
        }
        let token = self
            .tokens
            .token(&self.line, oauth, host)
            .await
            .map_err(no_token)?;
        self.open_by(&login.user, &token).await
    }

    /// Tries whether the server lets us in, by a password or by nothing.
    pub(in super::super) async fn check(&self) -> Result<String, String> {
        let login = self.smtp.login.as_ref();
        let proof = login.map(|login| match &login.secret {
            Secret::Password(password) => Ok((login.user.as_str(), Proof::Password(password))),
            Secret::OAuth(_) => Err("the server answers; our token is tried with the first letter"),
        });
        let (door, detail) = match proof {
            None => (
                self.door(None),
                "the server answers; it is not asked to let us in",
            ),
            Some(Ok(proof)) => (self.door(Some(proof)), "we are let in"),
            Some(Err(detail)) => (self.door(None), detail),
        };
        match Session::open(&door).await {
            Ok(session) => {
                session.close().await;
                Ok(detail.to_owned())
            }
            Err(trouble) => Err(trouble.outcome().to_string()),
        }
    }

    async fn open_by(&self, user: &str, token: &Token) -> Result<Session, Trouble> {
        Session::open(&self.door(Some((user, Proof::Token(&token.value))))).await
    }

    fn door<'a>(&'a self, login: Option<(&'a str, Proof<'a>)>) -> Door<'a> {
        Door {
            server: &self.smtp.server,
            tls: &self.tls,
            own: &self.own,
            login,
        }
    }

    /// What a letter is told while the server is left in peace.
    fn rest(&self) -> Option<SendError> {
        let mut resting = lock(&self.resting);
        let now = Instant::now();
        match &*resting {
            Some(Resting { until, error }) if *until > now => {
                let left = until.duration_since(now).as_millis();
                let mut error = error.clone();
                if let SendError::RetryAfter { after, .. } = &mut error {
                    *after = Millis(i64::try_from(left).unwrap_or(i64::MAX));
                }
                Some(error)
            }
            Some(_) | None => {
                *resting = None;
                None
            }
        }
    }

    fn rest_after(&self, error: &SendError) {
        let rest = if matches!(error, SendError::Reauthorize(_)) {
            LOGIN_REST
        } else {
            REST
        };
        tracing::warn!(line.id = %self.line, %error, "letters do not go out");
        *lock(&self.resting) = Some(Resting {
            until: Instant::now() + rest,
            error: error.clone(),
        });
    }
}

type Outcome = Result<Vec<(Address, super::reply::Reply)>, Trouble>;

/// Whether a kept connection turned out to be of no use before the letter began.
fn is_stale(outcome: &Outcome) -> bool {
    match outcome {
        Err(Trouble::Broken(stage, _)) => *stage == Stage::Sender,
        Err(Trouble::Refused(stage, reply)) => *stage == Stage::Sender && reply.is_transient(),
        Ok(_)
        | Err(
            Trouble::Nobody(_)
            | Trouble::Unfit(_)
            | Trouble::Unsuitable(_)
            | Trouble::NoToken(_)
            | Trouble::File(_),
        ) => false,
    }
}

fn no_token(error: TokenError) -> Trouble {
    match error {
        TokenError::Refused(problem) => Trouble::NoToken(problem),
        TokenError::Later(problem) => Trouble::Broken(Stage::Login, problem),
    }
}

/// What is done under these locks is done at once: a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
