//! Sessions: who signed in, in which browser or program, and until when.

use domain::operator::{Operator, Role};
use domain::{Millis, OperatorId, Timestamp, text};
use store::{Session, StoreError, Tx};

use super::Principal;
use super::password::{DECOY_HASH, is_still_theirs, verify_password};
use super::secret::{fresh_secret, hash_secret};
use crate::{ActError, Engine, change};

/// A session that nobody uses ends after this.
pub(super) const SESSION_IDLE: Millis = Millis::from_secs(7 * 86_400);
/// A session ends after this, used or not.
pub(super) const SESSION_LIFE: Millis = Millis::from_secs(30 * 86_400);
/// A session's last use is written down once in so long.
pub(super) const SESSION_TOUCH: Millis = Millis::from_secs(60);

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
        user_agent: &str,
    ) -> Result<SignedIn, ActError> {
        let login = login.trim().to_lowercase();
        let found = self
            .read::<_, StoreError>(move |view| view.operator_by_login(&login))
            .await?;
        // Somebody unknown costs as much time as somebody known.
        let (operator, hash) = match found {
            Some((operator, hash)) if !operator.disabled => (Some(operator), hash),
            Some(_) | None => (None, DECOY_HASH.to_owned()),
        };
        let wrong = || ActError::Denied("the login or password is wrong".to_owned());
        let right = verify_password(password, hash.clone()).await?;
        let operator = operator.filter(|_| right).ok_or_else(wrong)?;
        let token = fresh_secret();
        let token_hash = hash_secret(&token);
        let user_agent = text::line(user_agent, 200);
        let id = operator.id;
        let operator = self
            .store()
            .write::<_, ActError>(move |tx| {
                if !is_still_theirs(tx, id, &hash)? {
                    return Err(wrong());
                }
                begin_session(tx, id, &user_agent, &token_hash)?;
                change::operator(tx, id, domain::operator::Input::SignIn)?;
                tx.operator(id)
                    .map(|operator| (*operator).clone())
                    .ok_or(ActError::NotFound("operator"))
            })
            .await?;
        Ok(SignedIn { token, operator })
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
                Ok(())
            })
            .await
    }
}

pub(super) fn begin_session(
    tx: &mut Tx<'_>,
    operator: OperatorId,
    user_agent: &str,
    token_hash: &[u8],
) -> Result<(), StoreError> {
    let now = tx.now();
    let session = Session {
        id: tx.fresh_id(),
        operator,
        created_at: now,
        last_used_at: now,
        user_agent: user_agent.to_owned(),
    };
    tx.save_session(&session, token_hash)
}
