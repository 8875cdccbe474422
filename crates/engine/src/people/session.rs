//! Sessions: who signed in, in which browser or program, and until when.

use std::fmt;
use std::net::IpAddr;

use domain::operator::{Operator, Role};
use domain::{Millis, OperatorId, Timestamp, text};
use store::{Session, StoreError, Tx};

use super::Principal;
use super::password::{DECOY_HASH, is_still_theirs, verify_password};
use super::secret::{fresh_secret, hash_secret};
use crate::reason::Reason;
use crate::{ActError, Engine, change};

/// A session that nobody uses ends after this.
pub(super) const SESSION_IDLE: Millis = Millis::from_secs(7 * 86_400);
/// A session ends after this, used or not.
pub(super) const SESSION_LIFE: Millis = Millis::from_secs(30 * 86_400);
/// A session's last use is written down once in so long.
pub(super) const SESSION_TOUCH: Millis = Millis::from_secs(60);

/// What somebody signs in with.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// As it names itself.
    pub user_agent: String,
    /// Where it calls from; none when that is not known.
    pub address: Option<IpAddr>,
}

impl From<&str> for Browser {
    fn from(user_agent: &str) -> Self {
        Self {
            user_agent: user_agent.to_owned(),
            address: None,
        }
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "from {address}")?,
            None => f.write_str("from an unknown address")?,
        }
        match text::line(&self.user_agent, 200) {
            named if named.is_empty() => Ok(()),
            named => write!(f, " by {named}"),
        }
    }
}

/// A fresh session: the secret is told this once.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The secret.
    pub token: String,
    /// Who.
    pub operator: Operator,
}

impl Engine {
    /// Signs somebody in. The answer does not tell what was wrong.
    pub async fn sign_in(
        &self,
        login: &str,
        password: String,
        browser: impl Into<Browser>,
    ) -> Result<SignedIn, ActError> {
        let browser = &browser.into();
        let login = login.trim().to_lowercase();
        let (known, signed_in) = self.try_sign_in(login, password, browser).await?;
        if signed_in.is_err() {
            let (known, why) = match &known {
                Some(known) if known.disabled => (Some(known.login.as_str()), "disabled"),
                Some(known) => (Some(known.login.as_str()), "the password is wrong"),
                None => (None, "nobody has this login"),
            };
            self.note_failure(known, why, browser).await;
        }
        signed_in
    }

    /// Who has the login, and how the sign-in went.
    async fn try_sign_in(
        &self,
        login: String,
        password: String,
        browser: &Browser,
    ) -> Result<(Option<Operator>, Result<SignedIn, ActError>), ActError> {
        let found = self
            .read::<_, StoreError>(move |view| view.operator_by_login(&login))
            .await?;
        let known = found.as_ref().map(|(operator, _)| operator.clone());
        // Somebody unknown costs as much time as somebody known.
        let (operator, hash) = match found {
            Some((operator, hash)) if !operator.disabled => (Some(operator), hash),
            Some(_) | None => (None, DECOY_HASH.to_owned()),
        };
        let wrong = || ActError::Denied(Reason::WrongSignIn);
        let right = verify_password(password, hash.clone()).await?;
        let Some(operator) = operator.filter(|_| right) else {
            return Ok((known, Err(wrong())));
        };
        let token = fresh_secret();
        let token_hash = hash_secret(&token);
        let browser = browser.clone();
        let id = operator.id;
        let written = self
            .store()
            .write::<_, ActError>(move |tx| {
                if !is_still_theirs(tx, id, &hash)? {
                    return Err(wrong());
                }
                let session = begin_session(tx, id, &browser, &token_hash)?;
                let detail = format!("session {session}; {browser}");
                tx.audit(id, "sign_in", &operator.login, &detail)?;
                change::operator(tx, id, domain::operator::Input::SignIn)?;
                tx.operator(id)
                    .map(|operator| (*operator).clone())
                    .ok_or(ActError::NotFound("operator"))
            })
            .await;
        match written {
            Ok(operator) => Ok((known, Ok(SignedIn { token, operator }))),
            Err(ActError::Denied(text)) => Ok((known, Err(ActError::Denied(text)))),
            Err(error) => Err(error),
        }
    }

    pub(super) fn touch(&self, mut session: Session, hash: Vec<u8>, now: Timestamp) {
        let engine = self.clone();
        session.last_used_at = now;
        tokio::spawn(async move {
            let written = engine
                .store()
                .write::<_, StoreError>(move |tx| {
                    // It may have ended since it was read.
                    if tx.session(session.id)?.is_some() {
                        tx.save_session(&session, &hash)?;
                    }
                    Ok(())
                })
                .await;
            if let Err(error) = written {
                tracing::warn!(%error, "a session's use was not written down");
            }
        });
    }

    /// Ends a session, of the actor's own unless they are an admin.
    pub async fn end_session(&self, principal: &Principal, session: i64) -> Result<(), ActError> {
        let principal = principal.clone();
        self.store()
            .write(move |tx| {
                let found = tx
                    .session(session)?
                    .filter(|found| {
                        principal.role == Role::Admin || Some(found.operator) == principal.operator
                    })
                    .ok_or(ActError::NotFound("session"))?;
                tx.end_session(found.id)?;
                let of = tx.operator(found.operator);
                let login = of
                    .map(|operator| operator.login.clone())
                    .unwrap_or_default();
                let act = if principal.session == Some(found.id) {
                    "sign_out"
                } else {
                    "session.end"
                };
                tx.audit(&principal, act, &login, &format!("session {}", found.id))?;
                Ok(())
            })
            .await
    }
}

pub(super) fn begin_session(
    tx: &mut Tx<'_>,
    operator: OperatorId,
    browser: &Browser,
    token_hash: &[u8],
) -> Result<i64, StoreError> {
    let now = tx.now();
    let session = Session {
        id: tx.fresh_id(),
        operator,
        created_at: now,
        last_used_at: now,
        user_agent: text::line(&browser.user_agent, 200),
    };
    tx.save_session(&session, token_hash)?;
    Ok(session.id)
}
