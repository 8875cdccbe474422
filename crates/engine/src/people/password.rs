//! Passwords: hashed slowly, so that a stolen store does not give them away.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use domain::OperatorId;
use store::{Auditor, StoreError, Tx};
use tokio::sync::{Semaphore, oneshot};

use super::{Browser, Principal};
use crate::act::audit::by;
use crate::reason::Reason;
use crate::{ActError, Actor, Engine};

const PASSWORD_CHARS_MIN: usize = 10;
/// Hashing takes time by the length; nobody's password is longer.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// A hash that no password has, for logins that do not exist.
pub(super) const DECOY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3dpdGNoYm9hcmQtZGVjb3k$\
                          AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Engine {
    /// Sets an operator's password and ends their sessions.
    pub async fn set_password(
        &self,
        actor: Option<&Actor>,
        id: OperatorId,
        password: String,
    ) -> Result<(), ActError> {
        check_password(&password)?;
        let hash = hash_password(password, fresh_salt()).await?;
        let by = by(actor);
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
        browser: impl Into<Browser> + Send,
    ) -> Result<(), ActError> {
        let id = principal
            .operator
            .ok_or(ActError::Denied(Reason::NoPassword))?;
        check_password(&new)?;
        let hash = self
            .read::<_, StoreError>(move |view| view.password_hash(id))
            .await?
            .ok_or(ActError::NotFound("operator"))?;
        let wrong = || ActError::Denied(Reason::WrongPassword);
        if !verify_password(current, hash.clone()).await? {
            let login = self
                .read::<_, StoreError>(move |view| view.operator_row(id))
                .await?
                .map(|operator| operator.login);
            self.note_failure(login.as_deref(), "changing the password", &browser.into())
                .await;
            return Err(wrong());
        }
        let new = hash_password(new, fresh_salt()).await?;
        let session = principal.session;
        let by = Auditor::from(principal);
        self.store()
            .write(move |tx| {
                if !is_still_theirs(tx, id, &hash)? {
                    return Err(wrong());
                }
                tx.set_password_hash(id, &new)?;
                tx.end_sessions_of(id, session)?;
                let login = tx.operator(id).map(|operator| operator.login.clone());
                tx.audit(by, "password.change", &login.unwrap_or_default(), "")?;
                Ok(())
            })
            .await
    }
}

/// Whether a password that was verified is the operator's still, and still lets them
/// in: verifying takes its time, and an admin may have been faster.
pub(super) fn is_still_theirs(
    tx: &Tx<'_>,
    id: OperatorId,
    verified_hash: &str,
) -> Result<bool, StoreError> {
    let admitted = tx.operator(id).is_some_and(|operator| !operator.disabled);
    Ok(admitted && tx.password_hash(id)?.as_deref() == Some(verified_hash))
}

/// What makes the hashes of equal passwords differ.
pub(super) type Salt = [u8; 16];

pub(super) fn fresh_salt() -> Salt {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).expect("the system gives random bytes");
    salt
}

/// Hashing is slow by design, so it runs where it blocks nobody.
pub(super) async fn hash_password(password: String, salt: Salt) -> Result<String, ActError> {
    blocking(move || {
        Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
            .map_err(|error| StoreError::Broken(format!("hashing a password: {error}")).into())
    })
    .await
}

pub(super) async fn verify_password(password: String, hash: String) -> Result<bool, ActError> {
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

/// One hashing at a time: each takes 19 MiB and a core, and a flood of sign-ins must not
/// take more.
static HASHING: Semaphore = Semaphore::const_new(1);

/// Works on a thread of its own. The allocator keeps what a thread has used for that
/// thread or those after it: on those that serve all kinds of work each would keep as
/// much as a hashing takes.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ActError> + Send + 'static,
) -> Result<T, ActError> {
    let place = HASHING.acquire().await.map_err(|_| StoreError::Closed)?;
    let (answer, answered) = oneshot::channel();
    std::thread::Builder::new()
        .name("hashing".to_owned())
        .spawn(move || {
            let result = work();
            // It was worked for whoever asked, there still or gone.
            drop(place);
            let _ = answer.send(result);
        })
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    answered
        .await
        .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
}

pub(super) fn check_password(password: &str) -> Result<(), ActError> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(ActError::Invalid {
            field: "password",
            problem: Reason::PasswordLength {
                min: PASSWORD_CHARS_MIN,
                max: PASSWORD_BYTES_MAX,
            },
        });
    }
    Ok(())
}
