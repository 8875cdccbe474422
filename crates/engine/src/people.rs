//! Who may come in: the first set-up, passwords, sessions, tokens. Secrets are
//! random, long, and kept as hashes only.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::operator::{Load, Membership, Operator, Presence, Role};
use domain::{LineId, Millis, OperatorId, Timestamp, text};
use sha2::{Digest as _, Sha256};
use store::{ApiToken, Session, Store, StoreError, Tx};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::{ActError, Actor, Engine, change};

/// A session that nobody uses ends after this.
const SESSION_IDLE: Millis = Millis::from_secs(7 * 86_400);
/// A session ends after this, used or not.
const SESSION_LIFE: Millis = Millis::from_secs(30 * 86_400);
/// A session's last use is written down once in so long.
const SESSION_TOUCH: Millis = Millis::from_secs(60);
const PASSWORD_CHARS_MIN: usize = 10;
/// Hashing takes time by the length; nobody's password is longer.
const PASSWORD_BYTES_MAX: usize = 1_024;
const SET_UP_HASH: &str = "set_up_hash";
const LINK_KEY: &str = "link_key";

/// What an operator is made of.
#[derive(Clone, Debug)]
pub struct NewOperator {
    /// The name to sign in by.
    pub login: String,
    /// The password.
    pub password: String,
    /// The name to show.
    pub display_name: String,
    /// Rights.
    pub role: Role,
    /// Queues.
    pub memberships: Vec<Membership>,
    /// Units; 0 for 100.
    pub capacity: u32,
    /// Offers are accepted by themselves.
    pub auto_accept: bool,
}

/// What an operator may be changed to.
#[derive(Clone, Debug)]
pub struct OperatorChange {
    /// The name to show.
    pub display_name: String,
    /// Rights.
    pub role: Role,
    /// Queues.
    pub memberships: Vec<Membership>,
    /// Units; 0 for 100.
    pub capacity: u32,
    /// Offers are accepted by themselves.
    pub auto_accept: bool,
    /// May not sign in any more.
    pub disabled: bool,
}

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

/// A fresh session: the secret is told this once.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The secret.
    pub token: String,
    /// Who.
    pub operator: Operator,
}

/// So many random bytes, good enough for secrets.
pub fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// A secret that nobody can guess.
pub(crate) fn fresh_secret() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes())
}

fn hash_secret(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// The key by which links to files are signed, made at the first start.
pub(crate) async fn link_key(store: &Store) -> Result<[u8; 32], StoreError> {
    store
        .write(|tx| {
            let known = tx
                .meta(LINK_KEY)?
                .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            if let Some(key) = known {
                return Ok(key);
            }
            let key = random_bytes();
            tx.set_meta(LINK_KEY, &URL_SAFE_NO_PAD.encode(key))?;
            Ok(key)
        })
        .await
}

/// Hashing is slow by design, so it runs where it blocks nobody.
async fn hash_password(password: String) -> Result<String, ActError> {
    blocking(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| StoreError::Broken(format!("hashing a password: {error}")).into())
    })
    .await
}

async fn verify_password(password: String, hash: String) -> Result<bool, ActError> {
    blocking(move || {
        let hash = PasswordHash::new(&hash)
            .map_err(|error| StoreError::Corrupt(format!("a password's hash: {error}")))?;
        Ok(password.len() <= PASSWORD_BYTES_MAX
            && Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok())
    })
    .await
}

/// Hashings at once: each takes 19 MiB and a core, and a flood of sign-ins must not
/// take more.
static HASHING: Semaphore = Semaphore::const_new(2);

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ActError> + Send + 'static,
) -> Result<T, ActError> {
    let _place = HASHING.acquire().await.map_err(|_| StoreError::Closed)?;
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
}

fn check_password(password: &str) -> Result<(), ActError> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(ActError::Invalid {
            field: "password",
            problem: format!(
                "give at least {PASSWORD_CHARS_MIN} characters and at most \
                 {PASSWORD_BYTES_MAX} bytes"
            ),
        });
    }
    Ok(())
}

fn check_login(login: &str) -> Result<String, ActError> {
    let login = login.trim().to_lowercase();
    let valid = (2..=64).contains(&login.chars().count())
        && login
            .chars()
            .all(|c| c.is_alphanumeric() || "._-@+".contains(c));
    if !valid {
        return Err(ActError::Invalid {
            field: "login",
            problem: "give 2 to 64 letters, digits or . _ - @ +".to_owned(),
        });
    }
    Ok(login)
}

fn check_display_name(display_name: &str) -> Result<String, ActError> {
    let name = text::display_name(display_name);
    if name.is_empty() || name.chars().count() > 100 {
        return Err(ActError::Invalid {
            field: "display_name",
            problem: "give 1 to 100 characters".to_owned(),
        });
    }
    Ok(name)
}

impl Engine {
    /// Makes the secret of the first set-up; none once somebody can sign in. Each
    /// call makes the one before worthless.
    pub async fn open_set_up(&self) -> Result<Option<String>, StoreError> {
        self.store()
            .write(|tx| {
                if tx.operators().any(|operator| operator.role == Role::Admin) {
                    return Ok(None);
                }
                let secret = fresh_secret();
                let hash = URL_SAFE_NO_PAD.encode(hash_secret(&secret));
                tx.set_meta(SET_UP_HASH, &hash)?;
                Ok(Some(secret))
            })
            .await
    }

    /// Whether the first set-up is still open.
    pub async fn set_up_is_open(&self) -> Result<bool, StoreError> {
        self.read(|view| Ok(view.meta(SET_UP_HASH)?.is_some()))
            .await
    }

    /// Makes the first admin, who works for every queue, and signs them in.
    pub async fn set_up(
        &self,
        set_up_token: &str,
        login: &str,
        password: String,
        display_name: &str,
        user_agent: &str,
    ) -> Result<SignedIn, ActError> {
        check_password(&password)?;
        let memberships = self
            .settings()
            .queues
            .iter()
            .map(|queue| Membership {
                queue: queue.id.clone(),
                rank: 0,
            })
            .collect();
        let new = NewOperator {
            login: check_login(login)?,
            display_name: check_display_name(display_name)?,
            password: String::new(),
            role: Role::Admin,
            memberships,
            capacity: 0,
            auto_accept: false,
        };
        let password_hash = hash_password(password).await?;
        let offered = URL_SAFE_NO_PAD.encode(hash_secret(set_up_token));
        let token = fresh_secret();
        let token_hash = hash_secret(&token);
        let user_agent = text::line(user_agent, 200);
        let operator = self
            .store()
            .write::<_, ActError>(move |tx| {
                if tx.meta(SET_UP_HASH)?.as_deref() != Some(&offered) {
                    return Err(ActError::Denied(
                        "this set-up link is used or replaced: start the gateway again for a \
                         new one"
                            .to_owned(),
                    ));
                }
                tx.unset_meta(SET_UP_HASH)?;
                let operator = add(tx, new, &password_hash)?;
                tx.audit(Some(operator.id), "set_up", &operator.login, "first admin")?;
                begin_session(tx, operator.id, &user_agent, &token_hash)?;
                Ok(operator)
            })
            .await?;
        Ok(SignedIn { token, operator })
    }

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
        let right = verify_password(password, hash).await?;
        let Some(operator) = operator.filter(|_| right) else {
            return Err(ActError::Denied(
                "the login or password is wrong".to_owned(),
            ));
        };
        let token = fresh_secret();
        let token_hash = hash_secret(&token);
        let user_agent = text::line(user_agent, 200);
        let id = operator.id;
        let operator = self
            .store()
            .write::<_, ActError>(move |tx| {
                begin_session(tx, id, &user_agent, &token_hash)?;
                change::operator(tx, id, domain::operator::Input::SignIn)?;
                tx.operator(id)
                    .map(|operator| (*operator).clone())
                    .ok_or(ActError::NotFound("operator"))
            })
            .await?;
        Ok(SignedIn { token, operator })
    }

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

    fn touch(&self, mut session: Session, hash: Vec<u8>, now: Timestamp) {
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

    /// Makes an operator.
    pub async fn add_operator(
        &self,
        actor: Option<&Actor>,
        client_id: &str,
        new: NewOperator,
    ) -> Result<Operator, ActError> {
        check_password(&new.password)?;
        let new = NewOperator {
            login: check_login(&new.login)?,
            display_name: check_display_name(&new.display_name)?,
            ..new
        };
        self.check_memberships(&new.memberships)?;
        let fingerprint = format!("{:?}", (&new.login, &new.display_name, new.role));
        let password_hash = hash_password(new.password.clone()).await?;
        let by = actor.and_then(|actor| actor.operator);
        self.once(actor, client_id, fingerprint.into_bytes(), move |tx| {
            let operator = add(tx, new, &password_hash)?;
            tx.audit(
                by,
                "operator.add",
                &operator.login,
                &format!("{:?}", operator.role),
            )?;
            Ok(operator)
        })
        .await
    }

    /// Changes an operator. Disabling ends their sessions and what they are asked.
    pub async fn change_operator(
        &self,
        actor: Option<&Actor>,
        client_id: &str,
        id: OperatorId,
        wanted: OperatorChange,
    ) -> Result<Operator, ActError> {
        let display_name = check_display_name(&wanted.display_name)?;
        self.check_memberships(&wanted.memberships)?;
        let by = actor.and_then(|actor| actor.operator);
        let fingerprint = format!("{id:?}{wanted:?}").into_bytes();
        self.once(actor, client_id, fingerprint, move |tx| {
            let before = tx.operator(id).ok_or(ActError::NotFound("operator"))?;
            let loses_admin = before.role == Role::Admin
                && !before.disabled
                && (wanted.role != Role::Admin || wanted.disabled);
            let admins = tx
                .operators()
                .filter(|other| other.role == Role::Admin && !other.disabled)
                .count();
            if loses_admin && admins == 1 {
                return Err(ActError::Invalid {
                    field: "role",
                    problem: "this is the last admin: make another one first".to_owned(),
                });
            }
            let mut after = (*before).clone();
            after.display_name = display_name;
            after.role = wanted.role;
            after.memberships = wanted.memberships;
            after.capacity = capacity_of(wanted.capacity);
            after.auto_accept = wanted.auto_accept;
            after.disabled = wanted.disabled;
            let deadline = after.next_deadline();
            tx.save_operator(after, deadline)?;
            if wanted.disabled {
                tx.end_sessions_of(id, None)?;
                let gone = domain::operator::Input::SetPresence {
                    presence: Presence::Offline,
                    when_idle: false,
                };
                change::operator(tx, id, gone)?;
            }
            tx.audit(
                by,
                "operator.change",
                &before.login,
                &format!("role {:?}, disabled {}", wanted.role, wanted.disabled),
            )?;
            tx.operator(id)
                .map(|operator| (*operator).clone())
                .ok_or(ActError::NotFound("operator"))
        })
        .await
    }

    /// Sets an operator's password and ends their sessions.
    pub async fn set_password(
        &self,
        actor: Option<&Actor>,
        id: OperatorId,
        password: String,
    ) -> Result<(), ActError> {
        check_password(&password)?;
        let hash = hash_password(password).await?;
        let by = actor.and_then(|actor| actor.operator);
        self.store()
            .write(move |tx| {
                let operator = tx.operator(id).ok_or(ActError::NotFound("operator"))?;
                tx.set_password_hash(id, &hash)?;
                tx.end_sessions_of(id, None)?;
                tx.audit(by, "operator.password", &operator.login, "")?;
                Ok(())
            })
            .await
    }

    /// Changes the caller's own password and ends their other sessions.
    pub async fn change_password(
        &self,
        principal: &Principal,
        current: String,
        new: String,
    ) -> Result<(), ActError> {
        let id = principal
            .operator
            .ok_or_else(|| ActError::Denied("a program has no password".to_owned()))?;
        check_password(&new)?;
        let hash = self
            .read::<_, StoreError>(move |view| view.password_hash(id))
            .await?
            .ok_or(ActError::NotFound("operator"))?;
        if !verify_password(current, hash).await? {
            return Err(ActError::Denied("the current password is wrong".to_owned()));
        }
        let hash = hash_password(new).await?;
        let session = principal.session;
        self.store()
            .write(move |tx| {
                tx.set_password_hash(id, &hash)?;
                tx.end_sessions_of(id, session)?;
                tx.audit(Some(id), "password.change", &id.to_string(), "")?;
                Ok(())
            })
            .await
    }

    /// Makes an API token; its secret is told this once.
    pub async fn add_token(
        &self,
        actor: Option<&Actor>,
        name: &str,
        role: Role,
        operator: Option<OperatorId>,
        bridge_lines: Vec<LineId>,
    ) -> Result<(ApiToken, String), ActError> {
        let name = text::line(name, 100);
        if name.is_empty() {
            return Err(ActError::Invalid {
                field: "name",
                problem: "say what the token is for".to_owned(),
            });
        }
        if role == Role::Operator && operator.is_none() && bridge_lines.is_empty() {
            return Err(ActError::Invalid {
                field: "operator_id",
                problem: "an operator's token needs the operator it acts as, or lines to bridge"
                    .to_owned(),
            });
        }
        for line in &bridge_lines {
            if self.line(line).is_none() {
                return Err(ActError::Invalid {
                    field: "bridge_line_ids",
                    problem: format!("there is no line {line}"),
                });
            }
        }
        let secret = format!("sb_{}", fresh_secret());
        let hash = hash_secret(&secret);
        let by = actor.and_then(|actor| actor.operator);
        let token = self
            .store()
            .write::<_, ActError>(move |tx| {
                if let Some(id) = operator
                    && tx.operator(id).is_none()
                {
                    return Err(ActError::NotFound("operator"));
                }
                let token = ApiToken {
                    id: tx.fresh_id(),
                    name,
                    role,
                    operator,
                    bridge_lines,
                    created_at: tx.now(),
                    revoked_at: None,
                };
                tx.save_token(&token, &hash)?;
                tx.audit(by, "token.add", &token.name, &format!("{role:?}"))?;
                Ok(token)
            })
            .await?;
        Ok((token, secret))
    }

    /// Ends an API token.
    pub async fn revoke_token(&self, actor: Option<&Actor>, id: i64) -> Result<(), ActError> {
        let by = actor.and_then(|actor| actor.operator);
        self.store()
            .write(move |tx| {
                if !tx.revoke_token(id)? {
                    return Err(ActError::NotFound("token"));
                }
                tx.audit(by, "token.revoke", &id.to_string(), "")?;
                Ok(())
            })
            .await
    }

    fn check_memberships(&self, memberships: &[Membership]) -> Result<(), ActError> {
        for membership in memberships {
            if !self
                .settings()
                .queues
                .iter()
                .any(|queue| queue.id == membership.queue)
            {
                return Err(ActError::Invalid {
                    field: "queues",
                    problem: format!("there is no queue {}", membership.queue),
                });
            }
        }
        Ok(())
    }
}

enum Found {
    Session(Session, Operator),
    Token(ApiToken, Option<Operator>),
}

/// A hash that no password has, for logins that do not exist.
const DECOY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3dpdGNoYm9hcmQtZGVjb3k$\
                          AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn capacity_of(wanted: u32) -> u32 {
    if wanted == 0 { 100 } else { wanted.min(10_000) }
}

fn add(tx: &mut Tx<'_>, new: NewOperator, password_hash: &str) -> Result<Operator, ActError> {
    if tx.operators().any(|other| other.login == new.login) {
        return Err(ActError::Exists(format!(
            "there is an operator with the login {}",
            new.login
        )));
    }
    let operator = Operator {
        id: OperatorId::new(tx.fresh_id()),
        login: new.login,
        display_name: new.display_name,
        role: new.role,
        disabled: false,
        memberships: new.memberships,
        capacity: capacity_of(new.capacity),
        auto_accept: new.auto_accept,
        presence: Presence::Offline,
        next_presence: None,
        idle_since: Timestamp::default(),
        load: Load::default(),
        misses: 0,
        not_responding: false,
        cool_down_until: None,
        version: 1,
    };
    tx.add_operator(&operator, password_hash)?;
    Ok(operator)
}

fn begin_session(
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
