//! Keeps one folder of one mailbox connected, and one login from being tried too often.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::connect::{self, Proof};
use super::intake::Intake;
use super::jitter;
use super::reader::{Memory, Reader};
use super::session::{Session, Trouble, Waited};
use super::status::Status;
use crate::registry::email::config::{After, Mailbox, Secret};
use crate::registry::email::oauth::{Token, TokenError, Tokens};

/// Before another connection; longer each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// Before another login; servers lock out who tries too often.
const LOGIN_PAUSE_MIN: Duration = Duration::from_secs(15);
const LOGIN_PAUSE_MAX: Duration = Duration::from_mins(15);
/// How long a server is waited for. Below the half hour after which it may think us
/// gone, and below what silent connections live on the way.
const IDLE_MAX: Duration = Duration::from_mins(9);

/// One folder of one mailbox.
pub(super) struct Folder {
    pub(super) intake: Arc<Intake>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) name: String,
    pub(super) gate: Arc<Gate>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) status: Arc<Status>,
}

/// Lets the folders of a mailbox log in one after another, and not too often when the
/// server does not let them in.
#[derive(Default)]
pub(super) struct Gate(Mutex<Turn>);

#[derive(Default)]
struct Turn {
    failures: u32,
    not_before: Option<Instant>,
}

impl Folder {
    /// Keeps the folder connected for ever.
    pub(super) async fn keep(&self) -> Infallible {
        let mut memory = Memory::default();
        let mut failures = 0;
        loop {
            let Err(trouble) = self.connected(&mut memory, &mut failures).await;
            tracing::warn!(
                line.id = %self.intake.line, folder = self.name, reason = %trouble,
                "a mailbox is not read"
            );
            self.status.is_wrong(&self.called(), trouble.to_string());
            let pause = pause(failures, PAUSE_MIN, PAUSE_MAX);
            failures += 1;
            tokio::time::sleep(pause + jitter(&self.intake.host, pause / 2)).await;
        }
    }

    /// One connection, to its end. Counts the failures in a row.
    async fn connected(
        &self,
        memory: &mut Memory,
        failures: &mut u32,
    ) -> Result<Infallible, Trouble> {
        let mut session = self.log_in().await?;
        let read_only = self.mailbox.after == After::Leave;
        let selected = session.select(&self.name, read_only).await?;
        let mut can_idle = session.can("IDLE");
        let mut reader = Reader::open(
            &mut session,
            &self.intake,
            &self.mailbox,
            &self.name,
            selected,
            memory,
        )
        .await?;
        loop {
            reader.catch_up().await?;
            self.status.is_well(&self.called());
            *failures = 0;
            if can_idle {
                can_idle = wait(reader.session).await? == Waited::Look;
            } else {
                let pause = Duration::from_secs(self.mailbox.poll_secs);
                tokio::time::sleep(pause).await;
                // Some servers tell of new letters only when they are asked for nothing.
                let answer = reader.session.run("NOOP", |_| {}).await?;
                answer.done("NOOP")?;
            }
        }
    }

    async fn log_in(&self) -> Result<Session, Trouble> {
        self.gate.wait().await;
        let greeted = connect::greet(&self.mailbox.server).await?;
        let mut turn = self.gate.0.lock().await;
        if turn.not_before.is_some_and(|at| at > Instant::now()) {
            let reason = "another folder was just not let in".to_owned();
            return Err(Trouble::Lost(reason));
        }
        let login = &self.mailbox.login;
        let (token, entered) = match self.token().await {
            Ok(token) => {
                let value = token.as_ref().map(|token| token.value.as_str());
                let proof = Proof::of(&login.secret, value);
                let entered = greeted.log_in(&login.user, proof).await;
                (token, entered)
            }
            Err(trouble) => (None, Err(trouble)),
        };
        match &entered {
            Ok(_) => *turn = Turn::default(),
            Err(Trouble::Credentials(_)) => {
                // It may have been taken back before its time: the next one will tell.
                if let Some(token) = token.filter(|token| !token.is_fresh) {
                    self.forget(&token).await;
                    return Err(Trouble::Lost("a token was refused".to_owned()));
                }
                let pause = pause(turn.failures, LOGIN_PAUSE_MIN, LOGIN_PAUSE_MAX);
                let pause = pause + jitter(&self.intake.host, pause / 4);
                turn.failures += 1;
                turn.not_before = Some(Instant::now() + pause);
                tracing::error!(
                    line.id = %self.intake.line, pause_secs = pause.as_secs(),
                    "a mail server does not let us in: `switchboard doctor` says more"
                );
            }
            Err(_) => {}
        }
        entered
    }

    /// A short-lived token, where the login is by one.
    async fn token(&self) -> Result<Option<Token>, Trouble> {
        let Secret::OAuth(oauth) = &self.mailbox.login.secret else {
            return Ok(None);
        };
        let Intake { line, host, .. } = &*self.intake;
        let token = self.tokens.token(line, oauth, host).await;
        token.map(Some).map_err(|error| match error {
            TokenError::Refused(reason) => Trouble::Credentials(reason),
            TokenError::Later(reason) => Trouble::Lost(reason),
        })
    }

    async fn forget(&self, token: &Token) {
        if let Secret::OAuth(oauth) = &self.mailbox.login.secret {
            self.tokens.forget(oauth, token).await;
        }
    }

    /// Tells that nothing is read yet.
    pub(super) fn begin(&self) {
        self.status
            .is_wrong(&self.called(), "is not connected yet".to_owned());
    }

    /// Tells of a mistake of ours.
    pub(super) fn broken(&self, why: &str) {
        tracing::error!(line.id = %self.intake.line, folder = self.name, error = why, "a task panicked");
        self.status.is_wrong(&self.called(), why.to_owned());
    }

    /// The folder as people know it.
    fn called(&self) -> String {
        super::reader::bookmark_name(&self.mailbox, &self.name)
    }
}

impl Gate {
    async fn wait(&self) {
        loop {
            let not_before = self.0.lock().await.not_before;
            match not_before {
                Some(at) if at > Instant::now() => tokio::time::sleep_until(at).await,
                Some(_) | None => return,
            }
        }
    }
}

/// Waits for news where the server tells of them.
async fn wait(session: &mut Session) -> Result<Waited, Trouble> {
    if session.has_news {
        return Ok(Waited::Look);
    }
    session.idle(IDLE_MAX).await
}

/// Doubles with each failure.
fn pause(failures: u32, min: Duration, max: Duration) -> Duration {
    min.saturating_mul(2_u32.saturating_pow(failures)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let secs = |failures| {
            let pause = pause(failures, LOGIN_PAUSE_MIN, LOGIN_PAUSE_MAX);
            pause.as_secs()
        };
        let pauses: Vec<u64> = (0..8).map(secs).collect();
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(secs(u32::MAX), 900);
    }
}
