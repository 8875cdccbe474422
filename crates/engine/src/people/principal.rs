//! Whose secret it is, and whether it still opens anything.

use domain::operator::{Operator, Role};
use domain::{LineId, OperatorId};
use store::{ApiToken, Session, StoreError};
use subtle::ConstantTimeEq as _;

use super::secret::hash_secret;
use super::session::{SESSION_IDLE, SESSION_LIFE, SESSION_TOUCH};
use crate::Engine;

/// Who a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Whom it acts as; none for a program of its own.
    pub operator: Option<OperatorId>,
    /// Rights.
    pub role: Role,
    /// The session, if it is one.
    pub session: Option<i64>,
    /// The token, if it is one.
    pub token: Option<i64>,
    /// Lines it may bridge.
    pub bridge_lines: Vec<LineId>,
}

impl Engine {
    /// Finds out whose secret this is.
    pub async fn principal(&self, secret: &str) -> Result<Option<Principal>, StoreError> {
        let local = self.local_secret().as_bytes();
        if bool::from(local.ct_eq(secret.as_bytes())) {
            return Ok(Some(Principal {
                operator: None,
                role: Role::Admin,
                session: None,
                token: None,
                bridge_lines: Vec::new(),
            }));
        }
        let hash = hash_secret(secret);
        let now = self.now();
        let found = self
            .read::<_, StoreError>({
                let hash = hash.clone();
                move |view| {
                    if let Some(session) = view.session_by_hash(&hash)? {
                        let operator = view.operator_row(session.operator)?;
                        return Ok(operator.map(|operator| Found::Session(session, operator)));
                    }
                    let Some(token) = view.token_by_hash(&hash)? else {
                        return Ok(None);
                    };
                    let operator = match token.operator {
                        Some(id) => view.operator_row(id)?,
                        None => None,
                    };
                    Ok(Some(Found::Token(token, operator)))
                }
            })
            .await?;
        match found {
            Some(Found::Session(session, operator)) => {
                let alive = now.since(session.created_at) < SESSION_LIFE
                    && now.since(session.last_used_at) < SESSION_IDLE
                    && !operator.disabled;
                if !alive {
                    return Ok(None);
                }
                if now.since(session.last_used_at) >= SESSION_TOUCH {
                    self.touch(session.clone(), hash, now);
                }
                Ok(Some(Principal {
                    operator: Some(operator.id),
                    role: operator.role,
                    session: Some(session.id),
                    token: None,
                    bridge_lines: Vec::new(),
                }))
            }
            Some(Found::Token(token, operator)) => {
                let disabled = operator.as_ref().is_some_and(|operator| operator.disabled)
                    || (token.operator.is_some() && operator.is_none());
                if token.revoked_at.is_some() || disabled {
                    return Ok(None);
                }
                // A token never has more rights than whom it acts as.
                let role = operator.map_or(token.role, |operator| operator.role.min(token.role));
                Ok(Some(Principal {
                    operator: token.operator,
                    role,
                    session: None,
                    token: Some(token.id),
                    bridge_lines: token.bridge_lines,
                }))
            }
            None => Ok(None),
        }
    }

    /// Whether a principal may still go on; asked again and again by open streams.
    pub async fn still_valid(&self, principal: &Principal) -> Result<bool, StoreError> {
        let principal = principal.clone();
        self.read(move |view| {
            if let Some(id) = principal.session
                && view.session(id)?.is_none()
            {
                return Ok(false);
            }
            if let Some(id) = principal.token
                && view
                    .token(id)?
                    .is_none_or(|token| token.revoked_at.is_some())
            {
                return Ok(false);
            }
            match principal.operator {
                Some(id) => Ok(view
                    .operator_row(id)?
                    .is_some_and(|operator| !operator.disabled && operator.role >= principal.role)),
                None => Ok(true),
            }
        })
        .await
    }
}

enum Found {
    Session(Session, Operator),
    Token(ApiToken, Option<Operator>),
}
